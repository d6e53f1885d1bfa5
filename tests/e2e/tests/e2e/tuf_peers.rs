//! The TUF fixtures beside the programs that made them, and beside a third client.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use e2e::tuf::{Answer, Reader, Site, go_tuf, python_tuf, script, write};
use e2e::{Outcome, Run, Sandbox, files, fixture, root};
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

/// modanchor on a repository of another hand: refreshes from a root, and downloads targets into the sandbox.
struct Client {
    sandbox: Sandbox,
    site: Site,
}

impl Client {
    /// Begins with a repository's first root.
    fn new(dir: &Path) -> Self {
        let sandbox = Sandbox::new();
        let client = Self { sandbox, site: Site::of(dir) };
        client.tuf().args(["init"]).args([dir.join("tuf/1.root.json")]).end().status(0);
        client
    }

    fn tuf(&self) -> Run {
        let dir = self.sandbox.path("metadata");
        fs::create_dir_all(&dir).unwrap();
        self.sandbox.run(["tuf", "--metadata-dir"]).args([dir])
    }

    fn refresh(&self) -> Outcome {
        self.tuf().args(["--format", "json", "--metadata-url", &self.site.url("tuf"), "refresh"]).end()
    }

    fn download(&self, target: &str) -> Outcome {
        let targets = self.sandbox.path("targets");
        fs::create_dir_all(&targets).unwrap();
        let run = self.tuf().args(["--format", "json", "--metadata-url", &self.site.url("tuf")]);
        let run = run.args(["--target-base-url", &self.site.url(""), "--target-name", target, "--target-dir"]);
        run.args([&targets]).args(["download"]).end()
    }

    /// The roles whose metadata it keeps, each with its version.
    fn roles(&self) -> BTreeMap<String, u64> {
        let kept = files(&self.sandbox.path("metadata")).into_iter();
        let top = kept.filter(|(path, _)| path.parent() == Some(&self.sandbox.path("metadata")));
        top.filter_map(|(path, bytes)| {
            let name = path.file_name()?.to_str()?.strip_suffix(".json")?.to_owned();
            let file: Value = serde_json::from_slice(&bytes).expect("metadata");
            Some((name, file["signed"]["version"].as_u64().expect("a version")))
        })
        .collect()
    }
}

/// modanchor finds what the others find, by way of the same roles, and asks for nothing else.
#[test]
fn modanchor_reads_the_fixtures() {
    for (name, module, roles) in ROWS {
        let dir = fixture("tuf").join(name);
        let client = Client::new(&dir);
        let zip = format!("example.com/{module}/@v/v1.0.0.zip");
        let outcome = client.download(&zip);
        let asked = client.site.asked();
        match roles {
            None => {
                outcome.status_in(&[1, 3]);
                assert!(files(&client.sandbox.path("targets")).is_empty(), "{name}: {zip}");
            }
            Some(roles) => {
                outcome.status(0);
                let top = ["root", "snapshot", "targets", "timestamp"];
                let expected: BTreeSet<&str> = top.into_iter().chain(roles.iter().copied()).collect();
                let kept = client.roles();
                assert_eq!(kept.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "{name}: {zip}");
                let downloaded: Vec<_> = files(&client.sandbox.path("targets")).into_iter().map(|(_, b)| b).collect();
                assert_eq!(downloaded, [fs::read(dir.join(&zip)).unwrap()], "{name}: {zip}");
                // Roots that are there, the one that is not, timestamp, snapshot, targets, delegated roles, the target.
                let requests = usize::try_from(kept["root"]).unwrap() + 4 + roles.len();
                assert_eq!(asked.len(), requests, "{name}: {zip}: {asked:?}");
            }
        }
    }
    let expired = Client::new(&fixture("tuf/expired"));
    let report = expired.refresh().status(1).report();
    assert_eq!(report.rules(), ["tuf-freeze"]);
}

/// What python-tuf publishes next is read, and what it published before is a rollback.
#[test]
fn modanchor_follows_python_tuf_and_not_back() {
    let dir = tempfile::tempdir().unwrap();
    let options = ["--bits", "2", "--hashes", "--version"];
    if !write("teams", dir.path(), options.into_iter().chain(["1"])) {
        return;
    }
    let client = Client::new(dir.path());
    let zip = "example.com/large/m1/@v/v1.0.0.zip";
    client.download(zip).status(0);
    let old = fs::read(dir.path().join("tuf/timestamp.json")).unwrap();
    client.site.asked();
    client.refresh().status(0);
    assert_eq!(client.site.asked(), ["tuf/2.root.json", "tuf/timestamp.json"]);

    write("teams", dir.path(), options.into_iter().chain(["2"]));
    client.download(zip).status(0);
    assert_eq!(client.roles()["timestamp"], 2);
    assert_eq!(client.roles()["large"], 2);

    fs::write(dir.path().join("tuf/timestamp.json"), old).unwrap();
    let report = client.refresh().status(1).report();
    assert_eq!(report.rules(), ["tuf-rollback"]);
    assert_eq!(client.roles()["timestamp"], 2);
}

/// 256 rotations, each with keys of its own.
#[test]
fn modanchor_walks_a_long_chain_of_roots() {
    let dir = tempfile::tempdir().unwrap();
    if !write("rotated", dir.path(), ["--roots", "257"]) {
        return;
    }
    let client = Client::new(dir.path());
    client.download("example.com/rotated/@v/v1.0.0.zip").status(0);
    assert_eq!(client.roles()["root"], 257);
}

/// A working copy of `modanchor repo` in a sandbox, which publishes into a folder there.
struct Publisher {
    sandbox: Sandbox,
}

impl Publisher {
    /// With these keys, each of a kind.
    fn with_keys(keys: &[(&str, &str)]) -> Self {
        let publisher = Self { sandbox: Sandbox::new() };
        for (name, kind) in keys {
            publisher.repo(&["key", "new", "--no-passphrase", "--kind", kind, &format!("{name}.pem")]);
        }
        publisher
    }

    /// `modanchor repo` in the folder where keys and working copy are; all its modules are private.
    fn repo(&self, args: &[&str]) {
        let run = self.sandbox.run(["repo"]).args(args).env("GOPRIVATE", "example.com").env("GOPROXY", "off");
        run.end().status(0);
    }

    /// Adds a module version from the zip of a fixture.
    fn add(&self, module: &str, zip: &str) {
        let zip = fixture("tuf").join(zip);
        self.repo(&["add", "--dir", "work", module, "--zip", zip.to_str().expect("a path in UTF-8")]);
    }

    fn site(&self) -> PathBuf {
        self.sandbox.checkout().join("site")
    }

    /// Both other clients find these targets from the first root on, each with the roles that are asked, and the same in
    /// them.
    fn read_by_others(&self, targets: &[(&str, &[&str])], root_version: u64) {
        let site = Site::of(self.site());
        for (target, roles) in targets {
            let trusted = self.site().join("tuf/1.root.json");
            let read: [Reader; 2] = [python_tuf, go_tuf];
            let answers: Vec<Answer> =
                read.into_iter().filter_map(|read| read(&site.url("tuf"), &trusted, &[target])).collect();
            for answer in &answers {
                assert!(answer.is_ok(), "{target}: {answer:?}");
                assert_eq!(answer.version("root"), Some(root_version), "{target}");
                assert!(answer.h1(target).is_some_and(|h1| h1.starts_with("h1:")), "{target}: {answer:?}");
                for role in *roles {
                    assert!(answer.version(role).is_some(), "{target}: {role}: {answer:?}");
                }
                assert_eq!(answer, &answers[0], "{target}");
            }
        }
    }
}

const PLAIN_ZIP: &str = "flat/example.com/plain/@v/v1.0.0.zip";
const MIXED_ZIP: &str = "flat/example.com/!mixed/!case/@v/v1.0.0-!r!c1.zip";
const LARGE_ZIP: &str = "teams/example.com/large/m0/@v/v1.0.0.zip";

/// Keys of every kind, a root by two of three, a team whose approvals take two, and a rotation of root.
#[test]
fn others_read_what_modanchor_publishes() {
    let publisher = Publisher::with_keys(&[
        ("root-1", "ed25519"),
        ("root-2", "ecdsa-p256"),
        ("root-3", "rsa-pss"),
        ("targets", "ecdsa-p256"),
        ("snapshot", "rsa-pss"),
        ("timestamp", "ed25519"),
        ("team-1", "rsa-pss"),
        ("team-2", "ed25519"),
    ]);
    let site = publisher.site();
    let mut init = vec!["init", "--dir", "work", "--store", site.to_str().unwrap(), "--root-threshold", "2"];
    init.extend(["--root-key", "root-1.pem", "--root-key", "root-2.pem", "--root-key", "root-3.pem"]);
    init.extend(["--targets-key", "targets.pem", "--snapshot-key", "snapshot.pem", "--timestamp-key", "timestamp.pem"]);
    publisher.repo(&init);
    let mut delegate = vec!["delegate", "--dir", "work", "team", "--modules", "example.com/large", "--threshold", "2"];
    delegate.extend(["--key", "team-1.pem", "--key", "team-2.pem"]);
    publisher.repo(&delegate);
    publisher.add("example.com/plain@v1.0.0", PLAIN_ZIP);
    publisher.add("example.com/Mixed/Case@v1.0.0-RC1", MIXED_ZIP);
    publisher.add("example.com/large/m0@v1.0.0", LARGE_ZIP);
    publisher.repo(&["publish", "--dir", "work"]);
    let targets: [(&str, &[&str]); 3] = [
        ("example.com/plain/@v/v1.0.0.zip", &["targets"]),
        ("example.com/!mixed/!case/@v/v1.0.0-!r!c1.zip", &["targets"]),
        ("example.com/large/m0/@v/v1.0.0.mod", &["team"]),
    ];
    publisher.read_by_others(&targets, 1);

    publisher.repo(&["root", "rotate", "--dir", "work", "next.json", "--remove-key", "root-3", "--threshold", "1"]);
    publisher.repo(&["root", "sign", "next.json", "--key", "root-1.pem"]);
    publisher.repo(&["root", "sign", "next.json", "--key", "root-2.pem"]);
    publisher.repo(&["root", "finish", "--dir", "work", "next.json"]);
    publisher.repo(&["publish", "--dir", "work"]);
    publisher.read_by_others(&targets, 2);
}

/// Bins by TAP 15, of the repository and of a team.
#[test]
fn others_read_the_bins_that_modanchor_publishes() {
    let publisher = Publisher::with_keys(&[("root", "ed25519"), ("targets", "ed25519"), ("team", "ecdsa-p256")]);
    let site = publisher.site();
    let mut init = vec!["init", "--dir", "work", "--store", site.to_str().unwrap(), "--bins", "16"];
    init.extend(["--root-key", "root.pem", "--targets-key", "targets.pem"]);
    publisher.repo(&init);
    let delegate = ["delegate", "--dir", "work", "team", "--modules", "example.com/large", "--key", "team.pem"];
    publisher.repo(&[&delegate[..], &["--bins", "4"]].concat());
    publisher.add("example.com/plain@v1.0.0", PLAIN_ZIP);
    publisher.add("example.com/large/m0@v1.0.0", LARGE_ZIP);
    publisher.repo(&["publish", "--dir", "work"]);
    let targets: [(&str, &[&str]); 2] =
        [("example.com/plain/@v/v1.0.0.zip", &["modules-e"]), ("example.com/large/m0/@v/v1.0.0.zip", &["team-0"])];
    publisher.read_by_others(&targets, 1);
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
