//! The TUF fixtures beside the programs that made them, and beside a third client.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use e2e::tuf::{Reader, Site, go_tuf, python_tuf, script};
use e2e::{files, fixture, root};
use serde_json::Value;

/// A module version of a fixture, and the roles that are asked for it, beside the four; none where it is not to be found.
type Row = (&'static str, &'static str, Option<&'static [&'static str]>);

const ROWS: [Row; 15] = [
    ("succinct", "binned/m0", Some(&["bin-6"])),
    ("succinct", "binned/m1", Some(&["bin-a"])),
    ("teams", "large/m0", Some(&["large", "large-bin-0"])),
    ("teams", "large/m1", Some(&["large", "large-bin-0"])),
    ("teams", "small/tool", Some(&["small"])),
    ("paths", "acme", Some(&["acme"])),
    ("paths", "acme/web", Some(&["acme", "acme-web"])),
    ("paths", "acme/deep/er/still", Some(&["acme", "acme-all"])),
    ("paths", "late", Some(&["late"])),
    ("paths", "acme/unreachable", None),
    ("paths", "stray", None),
    ("prefixes", "prefixed/m0", Some(&["bin-0"])),
    ("keys", "keys", Some(&["team"])),
    ("rotated", "rotated", Some(&[])),
    ("flat", "plain", Some(&[])),
];

/// Both clients find the same in the fixtures, by way of the same roles.
fn reads_the_fixtures(read: Reader, unlike: &[&str]) {
    let site = Site::of(fixture("tuf"));
    for (name, module, roles) in ROWS.into_iter().filter(|(name, ..)| !unlike.contains(name)) {
        let zip = format!("example.com/{module}/@v/v1.0.0.zip");
        let trusted = fixture("tuf").join(name).join("tuf/1.root.json");
        let Some(answer) = read(&site.url(&format!("{name}/tuf")), &trusted, &[&zip]) else { return };
        assert_eq!(answer.is_ok(), roles.is_some(), "{name}: {zip}: {answer:?}");
        if let Some(roles) = roles {
            let top = ["root", "snapshot", "targets", "timestamp"];
            let mut expected: Vec<&str> = top.into_iter().chain(roles.iter().copied()).collect();
            expected.sort_unstable();
            assert_eq!(answer.roles(), expected, "{name}: {zip}");
            assert!(answer.h1(&zip).is_some_and(|h1| h1.starts_with("h1:")), "{name}: {zip}: {answer:?}");
        }
    }
    let expired = fixture("tuf/expired/tuf/1.root.json");
    let Some(answer) = read(&site.url("expired/tuf"), &expired, &[]) else { return };
    assert!(answer.0["error"].as_str().is_some_and(|e| e.contains("timestamp.json is expired")), "{answer:?}");
}

#[test]
fn python_tuf_reads_the_fixtures() {
    reads_the_fixtures(python_tuf, &[]);
}

/// go-tuf 2.4.2 compares `path_hash_prefixes` with base64 in place of hexadecimal digits, and so finds nothing there
/// (github.com/theupdateframework/go-tuf/pull/783, after that release).
#[test]
fn go_tuf_reads_the_fixtures() {
    reads_the_fixtures(go_tuf, &["prefixes"]);
}

/// The fixtures are what the committed program writes, byte for byte.
#[test]
fn the_fixtures_are_what_python_tuf_writes() {
    let Some(mut command) = script("fixtures.py") else { return };
    let dir = tempfile::tempdir().unwrap();
    let out = command.arg(dir.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let by_name = |dir: PathBuf| -> BTreeMap<PathBuf, Vec<u8>> {
        files(&dir).into_iter().map(|(path, bytes)| (path.strip_prefix(&dir).unwrap().to_owned(), bytes)).collect()
    };
    let (written, mut committed) = (by_name(dir.path().to_owned()), by_name(fixture("tuf")));
    committed.remove(&PathBuf::from("README.md")).expect("it says what they are");
    assert_eq!(written.keys().collect::<Vec<_>>(), committed.keys().collect::<Vec<_>>());
    for (path, bytes) in &written {
        assert!(committed[path] == *bytes, "{} differs: run tests/peer/tuf/fixtures.py", path.display());
    }
}

/// The table of odd metadata is what the committed program writes and what python-tuf says, apart from the words of its
/// errors, which are Python's.
#[test]
fn odd_metadata_is_judged_as_recorded() {
    let Some(mut command) = script("strict.py") else { return };
    let file = tempfile::NamedTempFile::new().unwrap();
    let out = command.arg(file.path()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let read = |bytes: Vec<u8>| -> Value {
        let mut table: Value = serde_json::from_slice(&bytes).unwrap();
        for case in table["cases"].as_array_mut().unwrap() {
            let verdict = case["python_tuf"].as_str().unwrap();
            // `reject: STEP: …`
            let without_error: Vec<&str> = verdict.splitn(3, ": ").take(2).collect();
            case["python_tuf"] = without_error.join(": ").into();
        }
        table
    };
    let now = read(fs::read(file.path()).unwrap());
    let recorded = read(fs::read(root().join("guest/tests/data/tuf/strict.json")).unwrap());
    assert_eq!(now["base"], recorded["base"]);
    let (now, recorded) = (now["cases"].as_array().unwrap(), recorded["cases"].as_array().unwrap());
    for (now, recorded) in now.iter().zip(recorded) {
        assert_eq!(now, recorded, "run tests/peer/tuf/strict.py guest/tests/data/tuf/strict.json");
    }
    assert_eq!(now.len(), recorded.len());
}
