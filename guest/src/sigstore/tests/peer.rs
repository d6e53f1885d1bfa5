//! Our verdict against sigstore-verify's, over recorded bundles and thousands of changes of them.
//!
//! What the peer refuses must not be good here. Where it is good for the peer, and not here, the reason is one of
//! [`STRICTER`].

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy};

use super::{fixture, json};
use crate::sigstore::bundle::Bundle;
use crate::sigstore::key::{Message, PublicKey};
use crate::sigstore::root::TrustedRoot;
use crate::sigstore::signature::{Artifact, Profile, Requirements, Verifier};

/// Why we refuse what the peer takes, by the beginning of what we say.
const STRICTER: [(&str, &str); 7] = [
    ("media type \"\" is not known", "sigstore-go asks for one"),
    ("messageDigest is missing", "sigstore-go asks for the digest"),
    ("0 of 1 logs have the signature", "a key's signature without any log: the peer asks for none by itself"),
    (
        "the inclusion proof is for another tree",
        "version 2: root and size beside the checkpoint must be the checkpoint's",
    ),
    ("the entry is number", "version 2: both numbers of an entry must be one"),
    ("the checkpoint is of", "version 2: the log's ID must be the one whose name and key the checkpoint has"),
    ("neither in the timestamp nor in the trusted root", "a certificate in a timestamp must be the one in the root"),
];

struct Case {
    name: &'static str,
    root: &'static str,
}

const CASES: [Case; 7] = [
    Case { name: "v0.1", root: "trusted_root.json" },
    Case { name: "v0.3", root: "trusted_root.json" },
    Case { name: "dsse", root: "trusted_root.json" },
    Case { name: "key", root: "trusted_root.json" },
    Case { name: "intoto", root: "trusted_root-intoto.json" },
    Case { name: "rekor2", root: "trusted_root-staging.json" },
    Case { name: "rekor2-dsse", root: "trusted_root-staging.json" },
];

struct Judges {
    ours: TrustedRoot,
    peers: sigstore_verify::Verifier,
    key: PublicKey,
    text: Vec<u8>,
}

impl Judges {
    fn new(root: &str) -> Self {
        crate::tuf::crypto::install();
        let root = fixture(root);
        let peers = sigstore_trust_root::TrustedRoot::from_json(str::from_utf8(&root).unwrap()).unwrap();
        let key = fixture("key.pub");
        Self {
            ours: TrustedRoot::parse(&root).unwrap(),
            peers: sigstore_verify::Verifier::new(&peers).unwrap(),
            key: PublicKey::from_pem(str::from_utf8(&key).unwrap()).unwrap(),
            text: fixture("a.txt"),
        }
    }

    fn ours(&self, name: &str, file: &[u8]) -> Result<(), String> {
        let bundle = Bundle::parse(file).map_err(|error| error.to_string())?;
        let statement = name.contains("dsse") || name == "intoto";
        let artifact = if statement { Artifact::Statement } else { Artifact::File(Message::Bytes(&self.text)) };
        let profile = if name == "key" { Profile::Key(&self.key, Requirements::KEY) } else { Profile::PUBLIC_GOOD };
        let now = "2026-11-27T10:00:00Z".parse().unwrap();
        let proven = Verifier::new(&self.ours, now).verify(&bundle, artifact, profile);
        proven.map(|_| ()).map_err(|error| error.to_string())
    }

    fn peers(&self, name: &str, file: &[u8]) -> Result<(), String> {
        let text = str::from_utf8(file).map_err(|error| error.to_string())?;
        let bundle = sigstore_types::Bundle::from_json(text).map_err(|error| error.to_string())?;
        // The made-up instance's statement is about another file.
        let artifact = if name == "intoto" { b"DO NOT MODIFY ME!\n".as_slice() } else { &self.text };
        let verified = if name == "key" {
            let key = sigstore_types::DerPublicKey::new(self.key.spki().to_vec());
            self.peers.verify(artifact, &bundle, &PublicKeyVerificationPolicy::new(key))
        } else {
            self.peers.verify(artifact, &bundle, &VerificationPolicy::any_identity())
        };
        verified.map(|_| ()).map_err(|error| error.to_string())
    }
}

/// Every value in a bundle, by its pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    if !at.is_empty() {
        found.push(at.to_owned());
    }
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(name, value)| pointers(value, &format!("{at}/{name}"), found))
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, value)| pointers(value, &format!("{at}/{i}"), found))
        }
        _ => {}
    }
}

fn drop_at(file: &mut Value, pointer: &str) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match file.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.remove(key)),
        Value::Array(list) => drop(list.remove(key.parse().unwrap())),
        _ => {}
    }
}

/// The bundle without one of its values, with a bit of its bytes or a digit of its numbers changed, with another
/// bundle's value in the same place.
fn changes(file: &Value, other: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    pointers(file, "", &mut found);
    let mut changed = Vec::new();
    for pointer in found {
        let mut without = file.clone();
        drop_at(&mut without, &pointer);
        changed.push((format!("{pointer} is dropped"), without));
        if let Some(value) = other.pointer(&pointer) {
            let mut swapped = file.clone();
            *swapped.pointer_mut(&pointer).unwrap() = value.clone();
            changed.push((format!("{pointer} is another's"), swapped));
        }
        let Some(text) = file.pointer(&pointer).and_then(Value::as_str) else { continue };
        let mut texts = Vec::new();
        if let Ok(number) = text.parse::<i64>() {
            texts.extend([number + 1, number - 1, 0, -1].map(|number| number.to_string()));
        } else if let Some(bytes) = STANDARD.decode(text).ok().filter(|bytes| !bytes.is_empty()) {
            for at in [bytes.len() / 3, bytes.len() - 1] {
                let mut bytes = bytes.clone();
                bytes[at] ^= 0x10;
                texts.push(STANDARD.encode(bytes));
            }
            texts.push(STANDARD.encode(&bytes[1..]));
            texts.push(STANDARD.encode([&bytes[..], b"\0"].concat()));
        } else {
            texts.push(format!("{text}x"));
            texts.push(text.replace('0', "1"));
            texts.push(text.replacen("\n\n", "\n", 1));
        }
        for text in texts {
            let mut with = file.clone();
            *with.pointer_mut(&pointer).unwrap() = json!(text);
            changed.push((format!("{pointer} is {:.60}", text), with));
        }
    }
    changed
}

#[test]
fn no_change_is_good_here_that_is_bad_there() {
    let mut stricter: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut looser, mut unexplained, mut count) = (Vec::new(), Vec::new(), 0);
    for (i, Case { name, root }) in CASES.iter().enumerate() {
        let judges = Judges::new(root);
        let file = json(&format!("{name}.sigstore.json"));
        let unchanged = serde_json::to_vec(&file).unwrap();
        assert_eq!(judges.ours(name, &unchanged), Ok(()), "{name}");
        if *name != "intoto" {
            assert_eq!(judges.peers(name, &unchanged), Ok(()), "{name}");
        }
        let other = json(&format!("{}.sigstore.json", CASES[(i + 1) % CASES.len()].name));
        for (what, changed) in changes(&file, &other) {
            count += 1;
            let changed = serde_json::to_vec(&changed).unwrap();
            match (judges.ours(name, &changed), judges.peers(name, &changed)) {
                (Ok(()), Err(theirs)) if *name != "intoto" => looser.push(format!("{name} {what}: {theirs}")),
                (Err(ours), Ok(())) => match STRICTER.iter().find(|(says, _)| ours.contains(says)) {
                    Some((says, _)) => *stricter.entry(says).or_default() += 1,
                    None => unexplained.push(format!("{name} {what}: {ours}")),
                },
                _ => {}
            }
        }
    }
    assert!(count > 700, "{count}");
    assert!(looser.is_empty(), "good here and bad there:\n{}", looser.join("\n"));
    assert!(unexplained.is_empty(), "bad here and good there:\n{}", unexplained.join("\n"));
    // No reason stands here that nothing needs.
    assert_eq!(stricter.len(), STRICTER.len(), "{stricter:?} of {count}");
}
