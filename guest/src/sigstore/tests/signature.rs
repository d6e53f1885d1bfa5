use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{fixture, json, with};
use crate::sigstore::bundle::Bundle;
use crate::sigstore::key::{Digests, Kind as KeyKind, Message, PublicKey};
use crate::sigstore::legacy::Files;
use crate::sigstore::log::Entry;
use crate::sigstore::root::TrustedRoot;
use crate::sigstore::signature::{
    Artifact, Kind, Profile, Proven, Requirements, SignatureError, Signer, Verifier, Witness,
};
use crate::sigstore::testing::{self, Content, Instance, Key, Leaf, NOW, Recipe, Rekor};
use crate::sumdb::tlog::TreeHead;

const FILES: [(&str, &str); 9] = [
    ("v0.1", "trusted_root.json"),
    ("v0.2", "trusted_root.json"),
    ("v0.3", "trusted_root.json"),
    ("dsse", "trusted_root.json"),
    ("key", "trusted_root-staging.json"),
    ("intoto", "trusted_root-intoto.json"),
    ("rekor2", "trusted_root-staging.json"),
    ("rekor2-witnessed", "trusted_root-staging.json"),
    ("rekor2-dsse", "trusted_root-staging.json"),
];

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A root that has what the recorded bundle needs: the one that is signed with a key is in the public log, and stamped
/// by the public authority.
fn root_of(name: &str) -> TrustedRoot {
    let file = FILES.iter().find(|(file, _)| *file == name).expect("a recorded bundle").1;
    TrustedRoot::parse(&fixture(if name == "key" { "trusted_root.json" } else { file })).unwrap()
}

fn is_statement(name: &str) -> bool {
    name.contains("dsse") || name == "intoto"
}

/// Verifies a changed or unchanged recorded bundle as it is meant to be verified.
fn verify(name: &str, file: &[u8]) -> Result<Proven, SignatureError> {
    let (text, key) = (fixture("a.txt"), fixture("key.pub"));
    let key = PublicKey::from_pem(str::from_utf8(&key).unwrap()).unwrap();
    let profile = if name == "key" { Profile::Key(&key, Requirements::KEY) } else { Profile::PUBLIC_GOOD };
    let artifact = if is_statement(name) { Artifact::Statement } else { Artifact::File(Message::Bytes(&text)) };
    verify_with(name, file, artifact, profile)
}

fn verify_with(
    name: &str,
    file: &[u8],
    artifact: Artifact<'_>,
    profile: Profile<'_>,
) -> Result<Proven, SignatureError> {
    let bundle = Bundle::parse(file).expect("a bundle");
    Verifier::new(&root_of(name), now()).verify(&bundle, artifact, profile)
}

fn name_of(name: &str) -> String {
    format!("{name}.sigstore.json")
}

#[test]
fn what_the_recorded_bundles_prove() {
    let mut shown = String::new();
    for (name, _) in FILES {
        let proven = verify(name, &fixture(&name_of(name))).unwrap_or_else(|error| panic!("{name}: {error}"));
        let signer = match proven.signer() {
            Signer::Certificate(claims) => claims.san.as_str().to_owned(),
            Signer::Key(id) => crate::hex::encode(id),
        };
        let _ = writeln!(shown, "{name}: {signer}");
        for time in proven.times() {
            let _ = writeln!(shown, "    {} {:?}", time.at, time.witness);
        }
        for logged in proven.logged() {
            let tree = logged.checkpoint.as_ref().map(|checkpoint| checkpoint.tree.size);
            let _ = writeln!(shown, "    {} number {} in {tree:?}", logged.log, logged.index);
        }
        let _ = writeln!(shown, "    certificate: {:?}", proven.certificate_logs());
        let _ = writeln!(shown, "    statement: {:?} bytes", proven.statement().map(<[u8]>::len));
        assert!(proven.is_included());
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_digest_is_as_good_as_the_file() {
    let digests = Digests::of(&fixture("a.txt"));
    let only = Digests { sha256: digests.sha256, ..Digests::default() };
    for name in ["v0.1", "v0.3", "rekor2"] {
        for digests in [&digests, &only] {
            let artifact = Artifact::File(Message::Digests(digests));
            verify_with(name, &fixture(&name_of(name)), artifact, Profile::PUBLIC_GOOD).unwrap();
        }
        let other = Artifact::File(Message::Bytes(b"another"));
        let error = verify_with(name, &fixture(&name_of(name)), other, Profile::PUBLIC_GOOD).unwrap_err();
        assert!(matches!(error, SignatureError::Digest), "{error}");
    }
}

/// Every refusal that a changed recorded bundle can show, with its kind.
#[test]
fn what_proves_nothing() {
    let entry = |name: &str| json(&name_of(name))["verificationMaterial"]["tlogEntries"].clone();
    let entries = "/verificationMaterial/tlogEntries";
    let stamps = "/verificationMaterial/timestampVerificationData";
    let certificate = |name: &str| json(&name_of(name))["verificationMaterial"]["certificate"].clone();
    let signature = |name: &str| json(&name_of(name))["messageSignature"]["signature"].clone();
    let dsse_signature = |name: &str| json(&name_of(name))["dsseEnvelope"]["signatures"].clone();
    type Case<'a> = (&'a str, &'a str, Vec<(&'a str, Value)>);
    let cases: Vec<Case<'_>> = vec![
        ("another signature's entry", "v0.3", vec![(entries, entry("v0.2"))]),
        ("a statement's entry for a file", "v0.3", vec![(entries, entry("dsse"))]),
        ("a file's entry for a statement", "dsse", vec![(entries, entry("v0.3"))]),
        ("another signature's entry, version 2", "rekor2", vec![(entries, entry("rekor2-dsse"))]),
        ("another signature", "v0.3", vec![("/messageSignature/signature", signature("v0.2"))]),
        ("another signature, not stamped", "rekor2", vec![("/messageSignature/signature", signature("v0.2"))]),
        ("another statement's signature", "dsse", vec![("/dsseEnvelope/signatures", dsse_signature("rekor2-dsse"))]),
        ("another certificate", "v0.3", vec![("/verificationMaterial/certificate", certificate("dsse"))]),
        ("a certificate that is none", "v0.3", vec![("/verificationMaterial/certificate/rawBytes", json!("AAAA"))]),
        ("no entry", "v0.3", vec![(entries, json!([]))]),
        ("no time", "rekor2", vec![(stamps, json!(null))]),
        (
            "another signature's timestamp",
            "rekor2",
            vec![(
                stamps,
                json("rekor2-dsse.sigstore.json")["verificationMaterial"]["timestampVerificationData"].clone(),
            )],
        ),
        (
            "a timestamp of nobody's beside a good time",
            "v0.3",
            vec![(stamps, json!({"rfc3161Timestamps": [{"signedTimestamp": "AAAA"}]}))],
        ),
        ("another type of payload", "dsse", vec![("/dsseEnvelope/payloadType", json!("text/plain"))]),
        ("another payload", "dsse", vec![("/dsseEnvelope/payload", json!("e30="))]),
        (
            "another digest",
            "v0.3",
            vec![("/messageSignature/messageDigest/digest", json!("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="))],
        ),
        (
            "a key where a certificate is expected",
            "v0.3",
            vec![("/verificationMaterial/certificate", json!(null)), ("/verificationMaterial/publicKey", json!({}))],
        ),
        (
            "a certificate where a key is expected",
            "key",
            vec![
                ("/verificationMaterial/publicKey", json!(null)),
                ("/verificationMaterial/certificate", certificate("v0.3")),
            ],
        ),
    ];
    let mut shown = String::new();
    for (what, name, changes) in cases {
        let error = verify(name, &with(&name_of(name), &changes)).map(|_| ()).expect_err(what);
        let _ = writeln!(shown, "{what}\n    {:?}: {error}", error.kind());
    }
    let text = fixture("a.txt");
    let file = Artifact::File(Message::Bytes(&text));
    let error = verify_with("dsse", &fixture("dsse.sigstore.json"), file, Profile::PUBLIC_GOOD).unwrap_err();
    let _ = writeln!(shown, "a statement where a file is expected\n    {:?}: {error}", error.kind());
    let error =
        verify_with("v0.3", &fixture("v0.3.sigstore.json"), Artifact::Statement, Profile::PUBLIC_GOOD).unwrap_err();
    let _ = writeln!(shown, "a file where a statement is expected\n    {:?}: {error}", error.kind());
    let error = verify_with("v0.3", &fixture("v0.3.sigstore.json"), file, Profile::GitHub).unwrap_err();
    let _ = writeln!(shown, "GitHub's profile with the public root\n    {:?}: {error}", error.kind());
    insta::assert_snapshot!(shown);
}

#[test]
fn an_older_media_type_drops_no_proof() {
    const OLDEST: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";
    let rewritten = with("v0.3.sigstore.json", &[("/mediaType", json!(OLDEST))]);
    assert!(verify("v0.3", &rewritten).unwrap().is_included());
    let hashes = "/verificationMaterial/tlogEntries/0/inclusionProof/hashes";
    let broken = with("v0.3.sigstore.json", &[("/mediaType", json!(OLDEST)), (hashes, json!([]))]);
    assert_eq!(verify("v0.3", &broken).unwrap_err().kind(), Kind::LogProof);
    let proof = "/verificationMaterial/tlogEntries/0/inclusionProof";
    let without = with("v0.3.sigstore.json", &[("/mediaType", json!(OLDEST)), (proof, json!(null))]);
    assert!(!verify("v0.3", &without).unwrap().is_included());
}

#[test]
fn as_many_as_are_asked_for() {
    let text = fixture("a.txt");
    let base = Requirements::PUBLIC_GOOD;
    let mut shown = String::new();
    for (name, requirements) in [
        ("v0.3", Requirements { logs: 2, ..base }),
        ("v0.3", Requirements { certificate_logs: 2, ..base }),
        ("v0.3", Requirements { timestamps: 1, ..base }),
        ("v0.3", Requirements { times: 2, ..base }),
        ("v0.3", Requirements { log_times: false, ..base }),
        ("rekor2", Requirements { timestamps: 2, ..base }),
    ] {
        let artifact = Artifact::File(Message::Bytes(&text));
        let error =
            verify_with(name, &fixture(&name_of(name)), artifact, Profile::Certificate(requirements)).unwrap_err();
        let _ = writeln!(shown, "{name} {requirements:?}\n    {:?}: {error}", error.kind());
    }
    insta::assert_snapshot!(shown);
    let enough = Requirements { timestamps: 1, log_times: false, ..base };
    let artifact = Artifact::File(Message::Bytes(&text));
    verify_with("rekor2", &fixture("rekor2.sigstore.json"), artifact, Profile::Certificate(enough)).unwrap();
}

/// An instance of our own, its root after `change`, and a bundle of it.
fn made(recipe: &Recipe, change: impl Fn(&mut Value)) -> (TrustedRoot, Bundle) {
    let instance = Instance::new(1);
    let mut root = instance.trusted_root();
    change(&mut root);
    let root = TrustedRoot::parse(root.to_string().as_bytes()).unwrap();
    (root, Bundle::parse(instance.bundle(recipe).to_string().as_bytes()).unwrap())
}

fn person() -> testing::Signer {
    testing::Signer::Certificate(Leaf::person(&Instance::new(1), "a@example.com", "https://issuer.example"))
}

const TEXT: Artifact<'static> = Artifact::File(Message::Bytes(b"text"));

fn recipe(signer: testing::Signer) -> Recipe {
    Recipe::new(signer, Content::Message(b"text".to_vec()))
}

#[test]
fn githubs_own_instance_has_no_log() {
    let recipe = Recipe { rekor: Rekor::None, stamped: true, ..recipe(person()) };
    let github = |root: &mut Value| root["certificateAuthorities"][0]["uri"] = json!("https://fulcio.githubapp.com");
    let (root, bundle) = made(&recipe, github);
    let proven = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::GitHub).unwrap();
    assert!(proven.logged().is_empty() && proven.certificate_logs().is_empty());
    assert_eq!(proven.times()[0].witness, Witness::Authority("https://tsa.example".to_owned()));
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert_eq!(error.kind(), Kind::NotLogged);
    // The same bundle is nothing under another authority's root.
    let (root, bundle) = made(&recipe, |_| {});
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::GitHub).unwrap_err();
    assert!(matches!(error, SignatureError::NotGitHub));
    // And without its timestamp.
    let (root, bundle) = made(&Recipe { stamped: false, ..recipe }, github);
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::GitHub).unwrap_err();
    assert!(matches!(error, SignatureError::Timestamps { found: 0, needed: 1 }));
}

#[test]
fn a_key_of_ones_own() {
    for kind in [KeyKind::P256, KeyKind::P384, KeyKind::P521, KeyKind::Ed25519] {
        let key = Key::new(kind, 77);
        let public = key.public();
        for v2 in [false, true] {
            let recipe = recipe(testing::Signer::Key(key.clone()));
            let (root, bundle) = made(&if v2 { recipe.v2() } else { recipe }, |_| {});
            let mut verifier = Verifier::new(&root, now());
            let proven = verifier.verify(&bundle, TEXT, Profile::Key(&public, Requirements::KEY)).unwrap();
            assert_eq!(*proven.signer(), Signer::Key(public.id()), "{kind:?}");
            let other = Key::new(kind, 78).public();
            let error = verifier.verify(&bundle, TEXT, Profile::Key(&other, Requirements::KEY)).unwrap_err();
            assert_eq!(error.kind(), Kind::LogProof, "{kind:?}: the entry names the other key");
        }
        let (root, bundle) = made(&Recipe { rekor: Rekor::None, ..recipe(testing::Signer::Key(key.clone())) }, |_| {});
        let mut verifier = Verifier::new(&root, now());
        let error = verifier.verify(&bundle, TEXT, Profile::Key(&public, Requirements::KEY)).unwrap_err();
        assert_eq!(error.kind(), Kind::NotLogged);
        let proven = verifier.verify(&bundle, TEXT, Profile::Key(&public, Requirements::KEY_ALONE)).unwrap();
        assert!(proven.times().is_empty());
        let other = Key::new(kind, 78).public();
        let error = verifier.verify(&bundle, TEXT, Profile::Key(&other, Requirements::KEY_ALONE)).unwrap_err();
        assert_eq!(error.kind(), Kind::Signature);
    }
}

#[test]
fn every_time_must_fit() {
    let recipe = Recipe { stamped: true, ..recipe(person()) };
    let (root, bundle) = made(&recipe, |_| {});
    let proven = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap();
    assert_eq!(proven.times().len(), 2);
    // Nobody can stamp what is still to come.
    let early = now() - SignedDuration::from_secs(1);
    let error = Verifier::new(&root, early).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert_eq!(error.kind(), Kind::LogProof);
    let (root, stamped) = made(&recipe.clone().v2(), |_| {});
    let error = Verifier::new(&root, early).verify(&stamped, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert!(matches!(error, SignatureError::Future { .. }));
    // A second timestamp from after the certificate.
    let mut late = bundle.clone();
    let at = now() + SignedDuration::from_mins(10);
    late.timestamps.push(Instance::new(1).stamp(bundle.content.signature(), at));
    let (root, _) = made(&recipe, |_| {});
    let error = Verifier::new(&root, at).verify(&late, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert_eq!(error.kind(), Kind::Certificate);
    assert!(matches!(error, SignatureError::Chain { at: found, .. } if found == at), "{error}");
    // One from within it counts, and not once more for the same authority.
    let mut twice = bundle.clone();
    let at = now() + SignedDuration::from_mins(9);
    twice.timestamps.push(Instance::new(1).stamp(bundle.content.signature(), at));
    let proven = Verifier::new(&root, at).verify(&twice, TEXT, Profile::PUBLIC_GOOD).unwrap();
    assert_eq!(proven.times().len(), 3);
    let two = Profile::Certificate(Requirements { timestamps: 2, ..Requirements::PUBLIC_GOOD });
    let error = Verifier::new(&root, at).verify(&twice, TEXT, two).unwrap_err();
    assert!(matches!(error, SignatureError::Timestamps { found: 1, needed: 2 }));
}

#[test]
fn a_log_that_was_given_up_proves_nothing_after() {
    let ended = |at: Timestamp| {
        move |root: &mut Value| root["tlogs"][1]["publicKey"]["validFor"]["end"] = json!(at.to_string())
    };
    let recipe = recipe(person()).v2();
    let (root, bundle) = made(&recipe, ended(now()));
    Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap();
    let (root, bundle) = made(&recipe, ended(now() - SignedDuration::from_secs(1)));
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert!(matches!(error, SignatureError::LogTime { .. }), "{error}");
    assert_eq!(error.kind(), Kind::Time);
}

#[test]
fn an_unknown_log_is_passed_over_and_counts_for_nothing() {
    let (root, bundle) = made(&recipe(person()), |root| {
        root["tlogs"].as_array_mut().unwrap().remove(0);
    });
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert!(matches!(&error, SignatureError::NotLogged { found: 0, needed: 1, unknown: Some(_) }), "{error}");
    let (_, mut both) = made(&recipe(person()).v2(), |_| {});
    both.entries.extend(bundle.entries.clone());
    // The key of the signer is the same, and ECDSA here is deterministic: both entries are of this signature.
    let proven = Verifier::new(&root, now()).verify(&both, TEXT, Profile::PUBLIC_GOOD).unwrap();
    assert_eq!((proven.logged().len(), proven.passed_over()), (1, 1));
    let (root, _) = made(&recipe(person()), |_| {});
    let two = Profile::Certificate(Requirements { logs: 2, ..Requirements::PUBLIC_GOOD });
    assert_eq!(Verifier::new(&root, now()).verify(&both, TEXT, two).unwrap().logged().len(), 2);
    // Two logs of one operator are one witness.
    let (root, _) = made(&recipe(person()), |root| {
        for log in root["tlogs"].as_array_mut().unwrap() {
            log["operator"] = json!("example");
        }
    });
    let error = Verifier::new(&root, now()).verify(&both, TEXT, two).unwrap_err();
    assert!(matches!(error, SignatureError::NotLogged { found: 1, needed: 2, .. }), "{error}");
}

#[test]
fn a_certificate_that_no_log_promised_to_have() {
    let mut leaf = Leaf::person(&Instance::new(1), "a@example.com", "https://issuer.example");
    leaf.logs.clear();
    let (root, bundle) = made(&recipe(testing::Signer::Certificate(leaf)), |_| {});
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert!(matches!(error, SignatureError::CertificateLogs { found: 0, needed: 1 }), "{error}");
    let none = Profile::Certificate(Requirements { certificate_logs: 0, ..Requirements::PUBLIC_GOOD });
    let proven = Verifier::new(&root, now()).verify(&bundle, TEXT, none).unwrap();
    assert!(proven.certificate_logs().is_empty());
}

#[test]
fn a_root_in_the_chain() {
    let (root, mut bundle) = made(&Recipe { version: 2, ..recipe(person()) }, |_| {});
    let chain = Instance::new(1).chain();
    let crate::sigstore::bundle::Material::Certificate { intermediates, .. } = &mut bundle.material else {
        panic!("a certificate")
    };
    intermediates.push(chain[0].clone());
    Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap();
    let crate::sigstore::bundle::Material::Certificate { intermediates, .. } = &mut bundle.material else {
        panic!("a certificate")
    };
    intermediates.push(chain[1].clone());
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert!(matches!(error, SignatureError::RootInChain { index: 2 }), "{error}");
}

#[test]
fn cosigns_older_files_prove_less() {
    let bundle = json("v0.3.sigstore.json");
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let der = bundle["verificationMaterial"]["certificate"]["rawBytes"].as_str().unwrap();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n");
    let id = crate::sigstore::protojson::base64(entry["logId"]["keyId"].as_str().unwrap()).unwrap();
    let old = json!({
        "base64Signature": bundle["messageSignature"]["signature"],
        "cert": pem,
        "rekorBundle": {
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": entry["integratedTime"],
                "logIndex": entry["logIndex"],
                "logID": crate::hex::encode(&id),
            },
        },
    });
    let old = old.to_string();
    let bundle = Files { bundle: Some(old.as_bytes()), ..Files::default() }.read().unwrap();
    let root = root_of("v0.3");
    let text = fixture("a.txt");
    let artifact = Artifact::File(Message::Bytes(&text));
    let proven = Verifier::new(&root, now()).verify(&bundle, artifact, Profile::PUBLIC_GOOD).unwrap();
    assert!(!proven.is_included() && proven.logged().len() == 1);
    let error = Verifier::new(&root, now()).verify(&bundle, TEXT, Profile::PUBLIC_GOOD).unwrap_err();
    assert_eq!(error.kind(), Kind::LogProof, "{error}");
}

/// What logs have signed of a bundle's entries. The name before a signature of a version 1 checkpoint is not part of it: the key's
/// hash says whose it is.
type LogsWord = (u64, Option<Timestamp>, Vec<u8>, Option<(String, TreeHead)>);

fn signed(bundle: &Bundle) -> Vec<LogsWord> {
    let checkpoint =
        |entry: &Entry| entry.proof.as_ref().map(|proof| (proof.checkpoint.origin.clone(), proof.checkpoint.tree));
    let one = |entry: &Entry| (entry.index, entry.integrated_time, entry.canonical_body.clone(), checkpoint(entry));
    bundle.entries.iter().map(one).collect()
}

proptest! {
    /// Some bytes of a bundle are others. It may still be read, and even verify where nobody signs what was changed
    /// (`mediaType`, spaces, a certificate beside a timestamp); then it proves the same of the same signature.
    #[test]
    fn changed_bytes_change_nothing_that_is_proven(
        name in prop::sample::select(vec!["v0.3", "dsse", "key", "rekor2"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..3),
    ) {
        let original = fixture(&name_of(name));
        let mut file = original.clone();
        for (at, byte) in changes {
            *at.get_mut(&mut file) = byte;
        }
        if let Ok(bundle) = Bundle::parse(&file)
            && let Ok(proven) = verify(name, &file)
        {
            let before = verify(name, &original).unwrap();
            prop_assert_eq!(proven.times(), before.times());
            let original = Bundle::parse(&original).unwrap();
            prop_assert_eq!(signed(&bundle), signed(&original));
            prop_assert_eq!(bundle.content, original.content);
            if name != "key" {
                prop_assert_eq!(bundle.material, original.material);
            }
        }
    }
}
