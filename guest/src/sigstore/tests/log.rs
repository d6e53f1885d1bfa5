use serde_json::{Value, json};

use super::{fixture, json, with};
use crate::hex;
use crate::sigstore::bundle::Bundle;
use crate::sigstore::log::{
    Checkpoint, Checkpoints, Entry, LogError, MAX_ANSWER, MAX_CHECKPOINT, MAX_PROOF, search_answer, verify,
};
use crate::sigstore::root::TrustedRoot;
use crate::sumdb::tlog;

const NOW: &str = "2026-11-27T00:00:00Z";

fn root(name: &str) -> TrustedRoot {
    TrustedRoot::parse(&fixture(name)).unwrap()
}

fn entry(file: &[u8]) -> Entry {
    Bundle::parse(file).unwrap().entries.remove(0)
}

/// Verifies the one entry of a bundle by a root.
fn check(file: &[u8], root: &TrustedRoot) -> Result<(bool, bool), LogError> {
    let entry = entry(file);
    let log = root.log(&entry.log_id).expect("a known log");
    let logged = verify(&entry, log, NOW.parse().unwrap(), &mut Checkpoints::default())?;
    Ok((logged.integrated_time.is_some(), logged.checkpoint.is_some()))
}

const ROOTS: [(&str, &str); 9] = [
    ("v0.1", "trusted_root.json"),
    ("v0.2", "trusted_root.json"),
    ("v0.3", "trusted_root.json"),
    ("dsse", "trusted_root.json"),
    ("key", "trusted_root.json"),
    ("intoto", "trusted_root-intoto.json"),
    ("rekor2", "trusted_root-staging.json"),
    ("rekor2-witnessed", "trusted_root-staging.json"),
    ("rekor2-dsse", "trusted_root-staging.json"),
];

#[test]
fn promises_and_proofs() {
    for (name, root_name) in ROOTS {
        let promised = !name.starts_with("rekor2");
        let file = fixture(&format!("{name}.sigstore.json"));
        assert_eq!(check(&file, &root(root_name)), Ok((promised, true)), "{name}");
    }
}

#[test]
fn a_promise_is_graded_as_one() {
    let file = with("v0.1.sigstore.json", &[("/verificationMaterial/tlogEntries/0/inclusionProof", json!(null))]);
    assert_eq!(check(&file, &root("trusted_root.json")), Ok((true, false)));
}

/// A signature with one bit changed, in base64.
fn flipped(base64: &Value) -> Value {
    let mut bytes = crate::sigstore::protojson::base64(base64.as_str().unwrap()).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    json!(base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes))
}

#[test]
fn what_a_log_did_not_say() {
    let public = root("trusted_root.json");
    let staging = root("trusted_root-staging.json");
    let at = |path: &str| format!("/verificationMaterial/tlogEntries/0{path}");
    let v1 = json("v0.3.sigstore.json")["verificationMaterial"]["tlogEntries"][0].clone();
    let v2 = json("rekor2.sigstore.json")["verificationMaterial"]["tlogEntries"][0].clone();
    let promise = at("/inclusionPromise/signedEntryTimestamp");
    let note = at("/inclusionProof/checkpoint/envelope");
    let v1_note = v1["inclusionProof"]["checkpoint"]["envelope"].as_str().unwrap();
    let v2_note = v2["inclusionProof"]["checkpoint"]["envelope"].as_str().unwrap();
    let other = json("dsse.sigstore.json")["verificationMaterial"]["tlogEntries"][0].clone();
    type Case<'a> = (&'a str, &'a str, Vec<(String, Value)>);
    let cases: Vec<Case<'_>> = vec![
        (
            "the promise has another bit",
            "v0.3",
            vec![(promise.clone(), flipped(&v1["inclusionPromise"]["signedEntryTimestamp"]))],
        ),
        (
            "the promise is another entry's",
            "v0.3",
            vec![(promise.clone(), other["inclusionPromise"]["signedEntryTimestamp"].clone())],
        ),
        ("the promise has no time", "v0.3", vec![(at("/integratedTime"), json!(null))]),
        ("the time is another", "v0.3", vec![(at("/integratedTime"), json!("1700000000"))]),
        ("the time is from before the log", "v0.3", vec![(at("/integratedTime"), json!("1600000000"))]),
        ("the time is to come", "v0.3", vec![(at("/integratedTime"), json!("2600000000"))]),
        ("the number is another", "v0.3", vec![(at("/logIndex"), json!("1"))]),
        (
            "a log of version 2 promises",
            "rekor2",
            vec![
                (at("/inclusionPromise"), v1["inclusionPromise"].clone()),
                (at("/integratedTime"), v1["integratedTime"].clone()),
            ],
        ),
        ("the proof is for another number", "v0.3", vec![(at("/inclusionProof/logIndex"), json!("1"))]),
        (
            "the proof is for a number beyond the tree",
            "v0.3",
            vec![(at("/inclusionProof/logIndex"), v1["inclusionProof"]["treeSize"].clone())],
        ),
        (
            "the proof has another hash",
            "v0.3",
            vec![(at("/inclusionProof/hashes/0"), v1["inclusionProof"]["hashes"][1].clone())],
        ),
        ("the proof is too short", "v0.3", vec![(at("/inclusionProof/hashes"), json!([]))]),
        (
            "the checkpoint is another's, whole proof included",
            "v0.3",
            vec![(at("/inclusionProof"), other["inclusionProof"].clone())],
        ),
        ("version 2's numbers differ", "rekor2", vec![(at("/logIndex"), json!("734"))]),
        ("the log has not signed", "v0.3", vec![(note.clone(), json!(v1_note.replace("wNI9aj", "xNI9aj")))]),
        (
            "the log has signed something else",
            "v0.3",
            vec![(note.clone(), json!(v1_note.replacen("\n\n", "\nextra\n\n", 1)))],
        ),
        ("version 1 has another origin", "v0.3", vec![(note.clone(), json!(v1_note.replacen(" - ", " ", 1)))]),
        (
            "version 2 has another origin",
            "rekor2",
            vec![(note.clone(), json!(v2_note.replacen("log2025", "log2026", 1)))],
        ),
        (
            "version 2 is signed under another name",
            "rekor2",
            vec![(note.clone(), json!(v2_note.replace("\u{2014} log2025", "\u{2014} log2026")))],
        ),
        (
            "nothing of the log's",
            "key",
            vec![(at("/inclusionPromise"), json!(null)), (at("/inclusionProof"), json!(null))],
        ),
    ];
    let mut shown = String::new();
    for (what, name, changes) in cases {
        let changes: Vec<_> = changes.iter().map(|(pointer, value)| (pointer.as_str(), value.clone())).collect();
        let file = with(&format!("{name}.sigstore.json"), &changes);
        let root = if name == "rekor2" { &staging } else { &public };
        let result = if what.starts_with("nothing") {
            // No version of a bundle may say so little: Rekor's answers may.
            let mut entry = entry(&fixture("v0.3.sigstore.json"));
            (entry.promise, entry.proof) = (None, None);
            verify(&entry, &root.logs[0], NOW.parse().unwrap(), &mut Checkpoints::default()).map(|_| (false, false))
        } else {
            check(&file, root)
        };
        shown += &format!("{what}\n    {}\n", result.expect_err(what));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_log_is_believed_to_the_last_second() {
    let mut root = root("trusted_root.json");
    let entry = entry(&fixture("v0.3.sigstore.json"));
    let at = entry.integrated_time.unwrap();
    let mut check = |end: jiff::Timestamp, now: jiff::Timestamp| {
        root.logs[0].validity.end = Some(end);
        verify(&entry, &root.logs[0], now, &mut Checkpoints::default()).map(|_| ())
    };
    let second = jiff::SignedDuration::from_secs(1);
    assert_eq!(check(at, at), Ok(()));
    assert_eq!(check(at - second, at), Err(LogError::KeyTime { at }));
    assert_eq!(check(at, at - second), Err(LogError::Future { at }));
}

#[test]
fn a_checkpoint_is_verified_once_for_each_log() {
    let mut root = root("trusted_root.json");
    let entry = entry(&fixture("v0.3.sigstore.json"));
    let now = NOW.parse().unwrap();
    let mut known = Checkpoints::default();
    assert!(verify(&entry, &root.logs[0], now, &mut known).is_ok());
    assert_eq!(known.count(), 1);
    assert!(verify(&entry, &root.logs[0], now, &mut known).is_ok());
    assert_eq!(known.count(), 1);
    // Another log's key has signed nothing, whatever is remembered.
    let mut other = entry.clone();
    other.promise = None;
    root.logs[1].id = b"other".to_vec();
    assert_eq!(verify(&other, &root.logs[1], now, &mut known), Err(LogError::Unsigned));
}

#[test]
fn checkpoints() {
    let line = "\u{2014} x AAAAAAAA\n";
    let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    for (text, good) in [
        (format!("origin\n0\n{root}\n\n{line}"), true),
        (format!("origin\n7\n{root}\nmore\n\n{line}"), true),
        (format!("\n7\n{root}\n\n{line}"), false),
        (format!("7\n{root}\n\n{line}"), false),
        (format!("origin\n{root}\n\n{line}"), false),
        (format!("origin\n07\n{root}\n\n{line}"), false),
        (format!("origin\n+7\n{root}\n\n{line}"), false),
        (format!("origin\n9223372036854775808\n{root}\n\n{line}"), false),
        (format!("origin\n7\n\n{line}"), false),
        (format!("origin\n7\nAAAA\n\n{line}"), false),
        (format!("origin\n7\n{root}\n\n"), false),
        (format!("origin\n7\n{root}\n"), false),
        (format!("origin\n7\n{root}\n\n{line}x"), false),
    ] {
        assert_eq!(Checkpoint::parse(text.clone()).is_ok(), good, "{text}");
    }
    let long = |length: usize| {
        let head = format!("origin\n7\n{root}\n");
        let tail = format!("\n\n{line}");
        format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()))
    };
    assert!(Checkpoint::parse(long(MAX_CHECKPOINT)).is_ok());
    assert!(Checkpoint::parse(long(MAX_CHECKPOINT + 1)).is_err());
}

#[test]
fn a_proof_of_too_many_hashes() {
    let hash =
        json("v0.3.sigstore.json")["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["hashes"][0].clone();
    let at = "/verificationMaterial/tlogEntries/0/inclusionProof/hashes";
    let many = |count| with("v0.3.sigstore.json", &[(at, json!(vec![hash.clone(); count]))]);
    assert!(Bundle::parse(&many(MAX_PROOF)).is_ok());
    assert!(Bundle::parse(&many(MAX_PROOF + 1)).unwrap_err().to_string().contains("at most 63"));
}

/// What Rekor would answer for the entry of a bundle.
fn answer(name: &str) -> (String, Value) {
    let entry = entry(&fixture(&format!("{name}.sigstore.json")));
    let proof = entry.proof.as_ref().unwrap();
    let uuid = format!("24296fb24b8ad77a{}", hex::encode(&tlog::record_hash(&entry.canonical_body).0));
    let base64 = |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let value = json!({
        "attestation": {},
        "body": base64(&entry.canonical_body),
        "integratedTime": entry.integrated_time.unwrap().as_second(),
        "logID": hex::encode(&entry.log_id),
        "logIndex": entry.index,
        "verification": {
            "inclusionProof": {
                "checkpoint": proof.checkpoint.note,
                "hashes": proof.hashes.iter().map(|hash| hex::encode(&hash.0)).collect::<Vec<_>>(),
                "logIndex": proof.index,
                "rootHash": hex::encode(&proof.checkpoint.tree.root.0),
                "treeSize": proof.checkpoint.tree.size,
            },
            "signedEntryTimestamp": base64(entry.promise.as_ref().unwrap()),
        },
    });
    (uuid, value)
}

#[test]
fn answers_of_rekor() {
    for name in ["v0.3", "dsse", "key"] {
        let (uuid, value) = answer(name);
        let expected = vec![(uuid.clone(), entry(&fixture(&format!("{name}.sigstore.json"))))];
        let object = json!({ uuid.clone(): value.clone() });
        assert_eq!(Entry::answer(&serde_json::to_vec(&object).unwrap()).unwrap(), expected, "{name}");
        assert_eq!(Entry::answer(&serde_json::to_vec(&json!([object])).unwrap()).unwrap(), expected, "{name}");
        let other = json!({ uuid.replace(&uuid[16..20], "0000"): value });
        assert!(Entry::answer(&serde_json::to_vec(&other).unwrap()).unwrap_err().to_string().contains("another hash"));
    }
    assert_eq!(Entry::answer(b"[]").unwrap(), []);
    assert_eq!(Entry::answer(b"{}").unwrap(), []);
    for bad in ["", "7", "[7]", r#"{"x": 7}"#, r#"{"x": {}}"#] {
        assert!(Entry::answer(bad.as_bytes()).is_err(), "{bad}");
    }
    let (uuid, value) = answer("v0.3");
    let list = |count| serde_json::to_vec(&json!(vec![json!({ uuid.clone(): value.clone() }); count])).unwrap();
    assert_eq!(Entry::answer(&list(MAX_ANSWER)).unwrap().len(), MAX_ANSWER);
    assert!(Entry::answer(&list(MAX_ANSWER + 1)).is_err());
}

#[test]
fn searches() {
    let (uuid, _) = answer("v0.3");
    let names = |count| serde_json::to_vec(&json!(vec![uuid.clone(); count])).unwrap();
    assert_eq!(search_answer(&names(2)).unwrap(), [uuid.clone(), uuid.clone()]);
    assert_eq!(search_answer(json!([&uuid[16..]]).to_string().as_bytes()).unwrap(), [&uuid[16..]]);
    for bad in [json!({}), json!([7]), json!([""]), json!(["../x"]), json!([&uuid[1..]]), json!([format!("{uuid}00")])]
    {
        assert!(search_answer(bad.to_string().as_bytes()).is_err(), "{bad}");
    }
    assert_eq!(search_answer(&names(MAX_ANSWER)).unwrap().len(), MAX_ANSWER);
    assert!(search_answer(&names(MAX_ANSWER + 1)).is_err());
}
