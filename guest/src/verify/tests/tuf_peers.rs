//! What python-tuf wrote, and what it says of odd metadata: recorded, see the README beside the data.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};

use super::*;
use crate::contract::{ClientTask, MetadataGet, Repositories, Repository, TargetFile, TargetGet};

/// Runs a client against whatever `metadata` and `target` give, with nothing kept. Gives what was found, and the first error.
fn client(
    root: &[u8],
    targets: &[String],
    metadata: impl Fn(&str) -> Option<Vec<u8>>,
    target: impl Fn(&str) -> Option<Vec<u8>>,
) -> (Vec<String>, Result<Vec<String>, String>) {
    let repository = Repository {
        name: "peer".into(),
        trusted_root: root.to_vec(),
        set_by: "the test".into(),
        modules: String::new(),
        role: None,
    };
    let task = Task::Tuf(ClientTask { repository: "peer".into(), targets: targets.to_vec() });
    let tuf = Repositories { all: vec![repository], map: Vec::new(), required: false };
    let mut session = Session::new(Job { tuf, ..job(Sumdb::Off("the test".into()), task) });
    let mut answers = Vec::new();
    let mut asked = Vec::new();
    let mut found = Vec::new();
    loop {
        let step = session.step(std::mem::take(&mut answers));
        found.extend(step.keep.into_iter().filter_map(|kept| match kept {
            Kept::TufTarget(target) => Some(target.path),
            _ => None,
        }));
        let requests = match step.next {
            Next::Need(requests) => requests,
            Next::Refused(Refusal::Tuf(why)) => return (asked, Err(why)),
            Next::Done(outcome) => {
                let report: Report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                let error = report.findings.into_iter().next().map(|finding| finding.message);
                return (asked, error.map_or(Ok(found), Err));
            }
            other => panic!("{other:?}"),
        };
        for request in requests {
            answers.push(match request {
                Request::TufMetadata(MetadataGet { file, max_bytes, .. }) => {
                    asked.push(file.clone());
                    match metadata(&file) {
                        Some(content) if content.len() > max_bytes as usize => Err(Failure::TooLarge),
                        Some(content) => super::body(content, Origin::Remote),
                        None => Err(Failure::Absent),
                    }
                }
                Request::TufTarget(TargetGet { held: false, file, .. }) => match target(&file) {
                    Some(content) => Ok(Answer::TargetFile(TargetFile {
                        length: content.len() as u64,
                        sha256: Sha256::digest(&content).to_vec(),
                        sha512: Sha512::digest(&content).to_vec(),
                        origin: Origin::Remote,
                    })),
                    None => Err(Failure::Absent),
                },
                _ => Err(Failure::Absent),
            });
        }
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tuf").join(name)
}

/// Looks for one target in a recorded repository.
fn read(name: &str, path: &str) -> (Vec<String>, Result<Vec<String>, String>) {
    let folder = fixture(name);
    let root = fs::read(folder.join("tuf/1.root.json")).expect("a fixture");
    let metadata = |file: &str| fs::read(folder.join("tuf").join(file)).ok();
    client(&root, &[path.to_owned()], metadata, |file| fs::read(folder.join(file)).ok())
}

#[test]
fn repositories_of_python_tuf_are_read() {
    let there = [
        ("succinct", "example.com/binned/m0"),
        ("succinct", "example.com/binned/m1"),
        ("teams", "example.com/large/m0"),
        ("teams", "example.com/large/m1"),
        ("teams", "example.com/small/tool"),
        ("paths", "example.com/acme"),
        ("paths", "example.com/acme/web"),
        ("paths", "example.com/acme/deep/er/still"),
        ("paths", "example.com/late"),
        ("prefixes", "example.com/prefixed/m0"),
        ("prefixes", "example.com/prefixed/m1"),
        ("keys", "example.com/keys"),
        ("rotated", "example.com/rotated"),
        ("flat", "example.com/plain"),
    ];
    for (name, module) in there {
        for extension in ["mod", "info", "zip"] {
            let path = format!("{module}/@v/v1.0.0.{extension}");
            let (_, found) = read(name, &path);
            assert_eq!(found, Ok(vec![path]), "{name}");
        }
    }
    let path = "example.com/!mixed/!case/@v/v1.0.0-!r!c1.zip".to_owned();
    assert_eq!(read("flat", &path).1, Ok(vec![path]));
    for module in ["example.com/acme/unreachable", "example.com/stray"] {
        let path = format!("{module}/@v/v1.0.0.zip");
        let why = read("paths", &path).1.expect_err("nobody who may names it");
        assert_eq!(why, format!("the TUF repository peer: no role that may name the target {path} does"));
    }
    assert_eq!(
        read("expired", "example.com/plain/@v/v1.0.0.zip").1.expect_err("expired"),
        "the TUF repository peer: timestamp has expired at 2020-01-01T00:00:00Z"
    );
}

/// Bins cost one file each, and none that is not needed.
#[test]
fn only_the_bin_that_is_needed_is_fetched() {
    let (asked, _) = read("succinct", "example.com/binned/m0/@v/v1.0.0.zip");
    assert_eq!(asked.len(), 5, "{asked:?}");
    assert!(asked[4].contains("bin-"), "{asked:?}");
}

#[derive(Deserialize)]
struct Strict {
    base: BTreeMap<String, String>,
    targets: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    role: String,
    metadata: String,
    others: BTreeMap<String, String>,
    python_tuf: String,
    found: Vec<String>,
}

/// Where we differ from python-tuf, and why: the snapshot is read by people, line by line.
#[test]
fn odd_metadata_is_judged_as_python_tuf_does_or_more_strictly() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tuf/strict.json");
    let strict: Strict = serde_json::from_slice(&fs::read(data).expect("strict.json")).expect("JSON");
    let mut table = String::new();
    let mut looser = Vec::new();
    for case in &strict.cases {
        let file = |role: &str| -> Option<Vec<u8>> {
            let text = if role == case.role { Some(&case.metadata) } else { case.others.get(role) };
            let text = text.or_else(|| strict.base.get(role));
            // A delegated role has the content of team, whatever its name.
            let text = text.or_else(|| case.others.get("team")).or_else(|| strict.base.get("team"));
            text.map(|text| text.clone().into_bytes())
        };
        let metadata = |name: &str| {
            if name.ends_with(".root.json") {
                return None;
            }
            let role = name.strip_suffix(".json")?;
            let role = role.split_once('.').filter(|(version, _)| version.bytes().all(|byte| byte.is_ascii_digit()));
            file(role.map_or(name.strip_suffix(".json")?, |(_, role)| role))
        };
        let root = file("root").expect("a root");
        // One after the other, as python-tuf was asked: what one finds does not depend on another.
        let mut found = Vec::new();
        let mut error = None;
        for target in &strict.targets {
            let content = |_: &str| Some(b"module example.com/strict\n".to_vec());
            match client(&root, std::slice::from_ref(target), metadata, content).1 {
                Ok(paths) => found.extend(paths),
                Err(why) => error = error.or(Some(why)),
            }
        }
        if found == case.found {
            continue;
        }
        let theirs = if case.python_tuf == "accept" { "accept" } else { "reject" };
        let ours = error.as_deref().unwrap_or("accept");
        if found.iter().any(|path| !case.found.contains(path)) {
            looser.push(format!("{}: {} ({ours})", case.name, case.python_tuf));
        } else {
            table += &format!("{} | {theirs} {} | {} | {ours}\n", case.name, case.found.len(), found.len());
        }
    }
    insta::assert_snapshot!("stricter_than_python_tuf", table);
    insta::assert_snapshot!("looser_than_python_tuf", looser.join("\n"));
}
