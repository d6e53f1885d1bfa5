use proptest::prelude::*;
use serde_json::Value;

use super::super::note::{KeyError, MAX_SIGNATURES, NoteError, SignedNote, Verifier, open, verify_ed25519};
use super::super::testing::{Signer, strings, table};

const CASES: &str = include_str!("../../../tests/data/sumdb/note-cases.json");
const ED25519: &str = include_str!("../../../tests/data/sumdb/ed25519.json");

#[test]
fn verifier_keys_as_go() {
    for case in table(CASES)["vkeys"].as_array().unwrap() {
        let vkey = case["vkey"].as_str().unwrap();
        match Verifier::parse(vkey) {
            Ok(key) => {
                assert_eq!(case["err"], "", "{vkey}");
                assert_eq!(case["name"], key.name());
                assert_eq!(case["hash"], key.key_hash());
                assert_eq!(key.to_string().to_lowercase(), vkey.to_lowercase());
            }
            Err(error) => assert_eq!(case["err"], error.to_string(), "{vkey}"),
        }
    }
}

#[test]
fn notes_as_go() {
    for case in table(CASES)["open"].as_array().unwrap() {
        let keys: Vec<Verifier> = strings(&case["keys"]).iter().map(|key| Verifier::parse(key).unwrap()).collect();
        let message = message(case);
        let opened = open(&message, &keys.iter().collect::<Vec<_>>());
        let name = &case["name"];
        match opened {
            Ok(note) => {
                assert_eq!(case["err"], "", "{name}");
                assert_eq!(case["text"], note.text(), "{name}");
                assert_eq!(note.verified().collect::<Vec<_>>(), strings(&case["verified"]), "{name}");
                let unverified: Vec<_> = note.unverified().iter().map(|line| &line.name).collect();
                assert_eq!(unverified, strings(&case["unverified"]).iter().collect::<Vec<_>>());
                assert_eq!(note.message(), message);
                assert_eq!(SignedNote::parse(&message).unwrap().text, note.text());
            }
            Err(error) => assert_eq!(case["err"], error.to_string(), "{name}"),
        }
    }
}

/// The note of a case.
fn message(case: &Value) -> Vec<u8> {
    case["msg"].as_str().unwrap().as_bytes().to_vec()
}

#[test]
fn ed25519_as_go() {
    let cases = table(ED25519);
    let mut valid = 0;
    for case in cases.as_array().unwrap() {
        let hex = |key: &str| -> Vec<u8> {
            let digits = case[key].as_str().unwrap();
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
            (0..digits.len()).step_by(2).map(byte).collect()
        };
        let key = ed25519_dalek::VerifyingKey::from_bytes(&hex("key").try_into().unwrap());
        let message = case["message"].as_str().unwrap().as_bytes();
        let ours = key.is_ok_and(|key| verify_ed25519(&key, message, &hex("signature")));
        assert_eq!(case["valid"], ours, "{}", case["what"]);
        valid += u32::from(ours);
    }
    assert_eq!(valid, 37);
}

#[test]
fn every_mangled_key_is_refused() {
    let vkey = Signer::new("sum.example/db", 1).vkey();
    for start in 0..vkey.len() {
        for end in start..vkey.len() {
            if (start, end) != (0, vkey.len()) {
                assert!(Verifier::parse(&vkey[start..end]).is_err(), "{start}..{end}");
            }
        }
    }
    for at in 0..vkey.len() {
        for bump in [1, 2, 0x10] {
            let mut mangled = vkey.clone().into_bytes();
            mangled[at] = (mangled[at] ^ bump) & 0x7f;
            let mangled = String::from_utf8(mangled).unwrap();
            // The key hash may be in capitals, nothing else may change.
            if !mangled.eq_ignore_ascii_case(&vkey) {
                assert!(Verifier::parse(&mangled).is_err(), "{mangled}");
            }
        }
    }
}

#[test]
fn a_key_that_is_no_point_is_named_so() {
    let mut signer = Signer::new("sum.example", 1).encoded();
    signer[1..].fill(0);
    signer[1] = 2;
    let hash = super::super::note::hash_key("sum.example", &signer);
    let vkey = format!("sum.example+{hash:08x}+{}", super::super::base64_encode(&signer));
    assert_eq!(Verifier::parse(&vkey), Err(KeyError::Point));
}

#[test]
fn key_types_do_not_mix() {
    assert_eq!(Verifier::parse(&Signer::witness("w.example", 1).vkey()), Err(KeyError::Algorithm));
}

#[test]
fn no_changed_bit_of_a_note_is_believed() {
    let signer = Signer::new("sum.example", 1);
    let key = signer.verifier();
    let message = signer.sign("go.sum database tree\n1\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n");
    let original = open(&message, &[&key]).unwrap();
    for at in 0..message.len() {
        for bit in 0..8 {
            let mut mangled = message.clone();
            mangled[at] ^= 1 << bit;
            if let Ok(note) = open(&mangled, &[&key]) {
                // Only the unused bits of base64 may differ.
                assert_eq!(note.text(), original.text());
                assert!(note.verified().eq(original.verified()), "{at} {bit}");
            }
        }
    }
    for len in 0..message.len() {
        assert!(open(&message[..len], &[&key]).is_err());
    }
}

#[test]
fn one_signature_more_than_the_limit() {
    let (signer, other) = (Signer::new("sum.example", 1), Signer::new("other.example", 2));
    let note = |lines: usize| {
        let mut note = signer.sign("text\n");
        (1..lines).for_each(|_| note.extend(other.line(&[7]).bytes()));
        open(&note, &[&signer.verifier()])
    };
    assert_eq!(note(MAX_SIGNATURES).unwrap().unverified().len(), 1);
    assert_eq!(note(MAX_SIGNATURES + 1), Err(NoteError::Malformed));
}

proptest! {
    #[test]
    fn open_never_panics(message in proptest::collection::vec(any::<u8>(), 0..300)) {
        let key = Signer::new("sum.example", 1).verifier();
        prop_assert!(open(&message, &[&key]).is_err());
        let _ = SignedNote::parse(&message);
    }

    #[test]
    fn what_is_signed_is_what_is_read(text in "([ -~\u{e9}\u{2014}]{0,20}\n){1,6}") {
        let signer = Signer::new("sum.example", 1);
        let message = signer.sign(&text);
        let note = open(&message, &[&signer.verifier()]).unwrap();
        prop_assert_eq!(note.text(), &text);
        prop_assert_eq!(note.message(), &message[..]);
    }

    #[test]
    fn verifier_keys_never_panic(vkey in "[a-z+A-F0-9/=\u{a0} ]{0,60}") {
        let _ = Verifier::parse(&vkey);
    }
}
