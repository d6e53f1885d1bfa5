//! One signature over one file, in whole sessions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::*;
use crate::contract::{Artifact, BlobTask, Digests, Identity, RekorGet, Signer as By, SigstoreSettings, TrustedRoot};
use crate::hex;
use crate::report::SignatureStatus;
use crate::sigstore::key::Kind;
use crate::sigstore::testing::{Content, Instance, Key, Leaf, Recipe, Rekor, Signer as Signs};

const FILE: &[u8] = b"a release";
const EMAIL: &str = "a@example.com";
const ISSUER: &str = "https://accounts.example";

/// A Rekor, and the file's bytes.
#[derive(Default)]
struct Machine {
    /// The names that a search finds; none: it fails.
    found: Option<Vec<String>>,
    /// What comes for names.
    entries: Vec<Value>,
    failure: Option<Failure>,
    content: Vec<u8>,
    asked: Vec<String>,
    kept: Option<Vec<u8>>,
}

impl Machine {
    fn answer(&mut self, request: &Request) -> Response {
        match request {
            Request::Artifact(_) => {
                self.asked.push("artifact".into());
                super::body(self.content.clone(), Origin::Store)
            }
            Request::Rekor(RekorGet { log, path, .. }) => {
                self.asked.push(format!("{log}/{path}"));
                let answer = match (path.as_str(), self.failure) {
                    (_, Some(failure)) => return Err(failure),
                    ("api/v1/index/retrieve", _) => json!(self.found.clone().ok_or(Failure::ServerError)?),
                    _ => json!(self.entries),
                };
                super::body(answer.to_string().into_bytes(), Origin::Remote)
            }
            Request::Recall(_) => {
                self.kept.clone().map_or(Err(Failure::Absent), |kept| super::body(kept, Origin::Store))
            }
            Request::Advance(advance) => {
                self.kept = Some(advance.next.clone());
                super::body(advance.next.clone(), Origin::Store)
            }
            other => panic!("{other:?}"),
        }
    }

    fn run(&mut self, job: Job) -> (Outcome, Report) {
        self.asked.clear();
        let mut session = Session::new(job);
        let mut answers = Vec::new();
        loop {
            match session.step(std::mem::take(&mut answers)).next {
                Next::Need(requests) => answers = requests.iter().map(|request| self.answer(request)).collect(),
                Next::Done(outcome) => {
                    let report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                    return (outcome, report);
                }
                Next::Refused(refusal) => panic!("{refusal:?}"),
            }
        }
    }
}

fn instance() -> Instance {
    Instance::new(1)
}

fn digests(content: &[u8]) -> Artifact {
    Artifact::File(Digests {
        length: content.len() as u64,
        sha256: Sha256::digest(content).to_vec(),
        sha384: Sha384::digest(content).to_vec(),
        sha512: Sha512::digest(content).to_vec(),
    })
}

pub(super) fn identity(subject: &str, issuer: &str) -> By {
    By::Identity(Identity {
        subject: Some(subject.into()),
        subject_regexp: None,
        issuer: Some(issuer.into()),
        issuer_regexp: None,
        github_trigger: None,
        github_sha: None,
        github_name: None,
        github_repository: None,
        github_ref: None,
    })
}

/// A signature of `content` in a bundle, for which everything is asked that is asked by default.
pub(super) fn task(content: &[u8], signer: By, bundle: &Value) -> BlobTask {
    BlobTask {
        name: "release.tar.gz".into(),
        artifact: digests(content),
        signer,
        bundle: Some(bundle.to_string().into_bytes()),
        signature: None,
        certificate: None,
        chain: None,
        timestamp: None,
        require_log: true,
        require_sct: true,
        require_timestamp: false,
        rekor_url: None,
    }
}

fn job(signer: By, bundle: &Value) -> Job {
    let now: jiff::Timestamp = "2026-11-27T12:00:00Z".parse().expect("a time");
    let task = Task::VerifyBlob(task(FILE, signer, bundle));
    let root = TrustedRoot {
        name: "trusted-root".into(),
        repository: None,
        target: "trusted_root.json".into(),
        content: instance().trusted_root().to_string().into_bytes(),
        expires: None,
        set_by: "--trusted-root root.json".into(),
    };
    Job {
        now: Instant { seconds: now.as_second() as u64, nanoseconds: 0 },
        sigstore: SigstoreSettings { roots: vec![root], places: Vec::new(), private: String::new(), rekor: true },
        ..super::job(Sumdb::Off("the task".into()), task)
    }
}

fn recipe() -> Recipe {
    let leaf = Leaf::person(&instance(), EMAIL, ISSUER);
    Recipe::new(Signs::Certificate(leaf), Content::Message(FILE.to_vec()))
}

fn by_key() -> Recipe {
    Recipe::new(Signs::Key(Key::new(Kind::P256, 77)), Content::Message(FILE.to_vec()))
}

fn change(job: &mut Job, change: impl FnOnce(&mut BlobTask)) {
    let Task::VerifyBlob(task) = &mut job.task else { panic!("another task") };
    change(task);
}

/// The bundle without its log entry, and the entry as version 1 answers with it, and its name.
fn parted(recipe: &Recipe) -> (Value, String, Value) {
    let mut bundle = instance().bundle(recipe);
    let entry = bundle["verificationMaterial"]["tlogEntries"][0].clone();
    bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    let bytes = |value: &Value| STANDARD.decode(value.as_str().expect("base64")).expect("base64");
    let number = |value: &Value| value.as_str().expect("a number").parse::<u64>().expect("a number");
    let body = bytes(&entry["canonicalizedBody"]);
    let leaf = Sha256::digest([&[0][..], &body].concat());
    let name = format!("{:016x}{}", 1, hex::encode(&leaf));
    let proof = &entry["inclusionProof"];
    let hashes = proof["hashes"].as_array().expect("hashes").iter().map(|hash| hex::encode(&bytes(hash)));
    let answer = json!({ name.clone(): {
        "body": entry["canonicalizedBody"],
        "integratedTime": number(&entry["integratedTime"]),
        "logID": hex::encode(&bytes(&entry["logId"]["keyId"])),
        "logIndex": number(&entry["logIndex"]),
        "verification": {
            "signedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "inclusionProof": {
                "checkpoint": proof["checkpoint"]["envelope"],
                "hashes": hashes.collect::<Vec<_>>(),
                "logIndex": number(&proof["logIndex"]),
                "rootHash": hex::encode(&bytes(&proof["rootHash"])),
                "treeSize": number(&proof["treeSize"]),
            },
        },
    } });
    (bundle, name, answer)
}

#[track_caller]
fn verified((outcome, report): (Outcome, Report)) -> Report {
    assert_eq!((outcome.status, rules(&report)), (0, vec![]), "{:?}", report.findings);
    assert_eq!(report.artifacts[0].signatures[0].status, SignatureStatus::Verified);
    report
}

#[test]
fn a_signature_by_an_identity_verifies() {
    for recipe in [recipe(), recipe().v2(), Recipe { rekor: Rekor::Promise, version: 1, ..recipe() }] {
        let mut machine = Machine::default();
        let report = verified(machine.run(job(identity(EMAIL, ISSUER), &instance().bundle(&recipe))));
        let signature = &report.artifacts[0].signatures[0];
        assert_eq!((signature.identity.as_deref(), signature.issuer.as_deref()), (Some(EMAIL), Some(ISSUER)));
        assert_eq!(signature.root.as_deref(), Some("trusted-root"));
        assert_eq!(report.artifacts[0].sha256, hex::encode(&Sha256::digest(FILE)));
        assert!(machine.asked.is_empty(), "what comes with all that it needs asks nobody");
    }
}

#[test]
fn a_signature_by_somebody_else_is_told_by_what_differs() {
    for (subject, issuer, claim) in [
        ("b@example.com", ISSUER, EMAIL),
        (EMAIL, "https://other.example", ISSUER),
        // Exact texts, not patterns, and nothing that only begins alike.
        ("a@example.co", ISSUER, EMAIL),
        ("a.example.com", ISSUER, EMAIL),
    ] {
        let bundle = instance().bundle(&recipe());
        let finding = only(Machine::default().run(job(identity(subject, issuer), &bundle)), "sigstore-identity", 1);
        assert_eq!(finding.found.as_deref(), Some(claim));
        assert_eq!(finding.file.as_deref(), Some("release.tar.gz"));
    }
}

#[test]
fn a_key_verifies_what_it_has_signed() {
    let Signs::Key(key) = by_key().signer else { panic!("by a key") };
    let bundle = instance().bundle(&by_key());
    let report = verified(Machine::default().run(job(By::Key(key.pem().into_bytes()), &bundle)));
    let signature = &report.artifacts[0].signatures[0];
    assert!(signature.identity.as_deref().is_some_and(|identity| identity.starts_with("key:")));
    assert_eq!(signature.root, None, "the root vouches for the log, and not for the key");

    let other = Key::new(Kind::P256, 78).pem().into_bytes();
    let (outcome, report) = Machine::default().run(job(By::Key(other), &bundle));
    assert_eq!(outcome.status, 1, "{:?}", report.findings);
}

#[test]
fn another_file_is_a_bad_signature() {
    let bundle = instance().bundle(&recipe());
    for require_log in [true, false] {
        let mut job = job(identity(EMAIL, ISSUER), &bundle);
        change(&mut job, |task| {
            task.artifact = digests(b"another release");
            task.require_log = require_log;
        });
        let (outcome, report) = Machine::default().run(job);
        assert_eq!(outcome.status, 1, "{:?}", report.findings);
        assert_eq!(report.artifacts[0].signatures[0].status, SignatureStatus::Refused);
    }
}

#[test]
fn an_entry_that_is_missing_is_looked_up() {
    let (bundle, name, answer) = parted(&recipe());
    let mut strange = by_key();
    strange.index = 2;
    let (_, other, strange) = parted(&strange);
    let mut machine = Machine {
        // Whoever has signed the file is found, and what is not this signature's is left out.
        found: Some(vec![other, name]),
        entries: vec![strange, answer],
        ..Machine::default()
    };
    let report = verified(machine.run(job(identity(EMAIL, ISSUER), &bundle)));
    assert_eq!(report.artifacts[0].signatures[0].logged.len(), 1);
    assert_eq!(
        machine.asked,
        ["https://rekor.example/api/v1/index/retrieve", "https://rekor.example/api/v1/log/entries/retrieve"]
    );
    assert!(machine.kept.is_some(), "its checkpoint is kept");

    // Another instance is asked where one is named, and vouches for nothing.
    let mut job = job(identity(EMAIL, ISSUER), &bundle);
    change(&mut job, |task| task.rekor_url = Some("https://mirror.example".into()));
    verified(machine.run(job));
    assert!(machine.asked.iter().all(|url| url.starts_with("https://mirror.example/")), "{:?}", machine.asked);
}

#[test]
fn an_entry_that_is_nowhere_is_a_finding_and_no_answer_is_none() {
    let (bundle, name, answer) = parted(&recipe());
    let run = |mut machine: Machine| {
        let result = machine.run(job(identity(EMAIL, ISSUER), &bundle));
        (result, machine.asked.len())
    };
    let (result, _) = run(Machine { found: Some(Vec::new()), ..Machine::default() });
    only(result, "sigstore-not-logged", 1);
    // There, and of somebody else.
    let (_, other, strange) = parted(&by_key());
    let (result, _) = run(Machine { found: Some(vec![other]), entries: vec![strange], ..Machine::default() });
    only(result, "sigstore-not-logged", 1);

    for failure in [Failure::Unreachable, Failure::ServerError, Failure::RateLimited, Failure::NotData, Failure::Absent]
    {
        let machine = Machine { failure: Some(failure), ..Machine::default() };
        let (result, asked) = run(machine);
        let finding = only(result, "sigstore-unavailable", 3);
        assert!(finding.message.contains("https://rekor.example"), "{}", finding.message);
        assert_eq!(asked, 1);
    }
    // An answer that cannot be read is none.
    let mut spoiled = answer.clone();
    spoiled[&name]["body"] = json!(STANDARD.encode("{}"));
    let (result, _) = run(Machine { found: Some(vec![name.clone()]), entries: vec![spoiled], ..Machine::default() });
    only(result, "sigstore-unavailable", 3);

    // Where nobody may be asked, it is as it came.
    let mut offline = job(identity(EMAIL, ISSUER), &bundle);
    offline.sigstore.rekor = false;
    let mut machine = Machine { found: Some(vec![name]), entries: vec![answer], ..Machine::default() };
    only(machine.run(offline), "sigstore-not-logged", 1);
    assert!(machine.asked.is_empty());
}

/// Of a statement the file must be a subject.
#[test]
fn a_statement_must_be_about_the_file() {
    let statement = |content: &[u8]| {
        Content::statement(&json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                { "name": "another", "digest": { "sha256": "00".repeat(32) } },
                { "name": "release", "digest": { "sha256": hex::encode(&Sha256::digest(content)) } },
            ],
            "predicateType": "https://example.com/audit/v1",
            "predicate": {},
        }))
    };
    let bundle = |content: &[u8]| instance().bundle(&Recipe { content: statement(content), ..recipe() });
    let report = verified(Machine::default().run(job(identity(EMAIL, ISSUER), &bundle(FILE))));
    let signature = &report.artifacts[0].signatures[0];
    assert_eq!(signature.predicate_type.as_deref(), Some("https://example.com/audit/v1"));
    let result = Machine::default().run(job(identity(EMAIL, ISSUER), &bundle(b"another release")));
    only(result, "sigstore-bad-signature", 1);
}

/// Ed25519 signs bytes: they are asked for, and must be those that were measured.
#[test]
fn the_bytes_of_a_file_are_asked_for_where_they_are_signed() {
    let key = Key::new(Kind::Ed25519, 9);
    let Key::Ed25519(_) = &key else { panic!("Ed25519") };
    let mut bundle = instance().bundle(&Recipe {
        rekor: Rekor::None,
        ..Recipe::new(Signs::Key(key.clone()), Content::Message(FILE.to_vec()))
    });
    bundle["messageSignature"]["signature"] = json!(STANDARD.encode(key.sign(FILE)));
    let mut job = job(By::Key(key.pem().into_bytes()), &bundle);
    change(&mut job, |task| task.require_log = false);
    let mut machine = Machine { content: FILE.to_vec(), ..Machine::default() };
    verified(machine.run(job.clone()));
    assert_eq!(machine.asked, ["artifact"]);

    let mut machine = Machine { content: b"written to".to_vec(), ..Machine::default() };
    only(machine.run(job), "sigstore-unavailable", 3);
}
