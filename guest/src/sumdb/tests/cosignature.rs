use proptest::prelude::*;

use super::super::cosignature::{MAX_WITNESSES, WitnessError, Witnesses};
use super::super::note::{KeyError, Note, open};
use super::super::testing::{Log, Signer};

fn text() -> String {
    Log::new(7).head().to_string()
}

fn note(lines: &str) -> Note {
    let signer = Signer::new("sum.example", 1);
    let mut message = signer.sign(&text());
    message.extend(lines.bytes());
    open(&message, &[&signer.verifier()]).unwrap()
}

fn keys(witnesses: &[&Signer]) -> Vec<String> {
    witnesses.iter().map(|witness| witness.vkey()).collect()
}

fn names(witnesses: &Witnesses, lines: &str) -> Vec<(String, u64)> {
    witnesses.check(&note(lines)).by().iter().map(|by| (by.name.clone(), by.time)).collect()
}

#[test]
fn a_quorum_is_counted() {
    let [a, b, c] = [("a.example", 11), ("b.example", 12), ("c.example", 13)].map(|(n, s)| Signer::witness(n, s));
    let lines = [a.cosign(&text(), 100), b.cosign(&text(), 200)].concat();
    for (quorum, met) in [(1, true), (2, true), (3, false)] {
        let witnesses = Witnesses::parse(&keys(&[&a, &b, &c]), quorum).unwrap();
        let cosigned = witnesses.check(&note(&lines));
        assert_eq!(cosigned.quorum_met(), met);
        assert_eq!(names(&witnesses, &lines), [("a.example".to_owned(), 100), ("b.example".to_owned(), 200)]);
    }
    let none = Witnesses::parse(&[], 0).unwrap();
    assert!(none.is_empty() && none.check(&note(&lines)).quorum_met());
}

#[test]
fn only_what_a_witness_signed_counts() {
    let a = Signer::witness("a.example", 11);
    let witnesses = Witnesses::parse(&keys(&[&a]), 1).unwrap();
    let good = a.cosign(&text(), 100);
    assert_eq!(names(&witnesses, &good).len(), 1);
    for bad in [
        // Another text, another key, another name, another key type, no time, too much.
        a.cosign("go.sum database tree\n", 100),
        Signer::witness("a.example", 12).cosign(&text(), 100),
        Signer::witness("b.example", 11).cosign(&text(), 100),
        Signer::new("a.example", 11).cosign(&text(), 100),
        a.line(&[0; 64]),
        a.line(&[0; 72]),
        a.line(&[0; 73]),
        a.line(&[0; 3]),
        a.cosign(&text(), 1 << 63),
    ] {
        assert_eq!(names(&witnesses, &bad), [], "{bad}");
        assert!(!witnesses.check(&note(&bad)).quorum_met());
        // Nor does it undo a good one.
        assert_eq!(names(&witnesses, &[bad, good.clone()].concat()).len(), 1);
    }
    // The time is signed.
    let line = a.cosign(&text(), 100);
    let moved =
        note(&line).unverified()[0].bytes.iter().enumerate().map(|(i, b)| b ^ u8::from(i == 7)).collect::<Vec<_>>();
    assert_eq!(names(&witnesses, &a.line(&moved)), []);
}

#[test]
fn a_witness_counts_once() {
    let (old, new) = (Signer::witness("a.example", 11), Signer::witness("a.example", 12));
    let b = Signer::witness("b.example", 13);
    let witnesses = Witnesses::parse(&keys(&[&old, &new, &b]), 2).unwrap();
    let lines = [old.cosign(&text(), 300), old.cosign(&text(), 100), new.cosign(&text(), 200)].concat();
    assert!(!witnesses.check(&note(&lines)).quorum_met());
    assert_eq!(names(&witnesses, &lines), [("a.example".to_owned(), 300)]);
}

#[test]
fn sets_that_make_no_sense() {
    let (a, b) = (Signer::witness("a.example", 11), Signer::witness("b.example", 12));
    let parse = |keys: &[String], quorum| Witnesses::parse(keys, quorum).unwrap_err();
    assert_eq!(parse(&keys(&[&a, &b]), 0), WitnessError::Quorum { quorum: 0, witnesses: 2 });
    assert_eq!(parse(&keys(&[&a, &b]), 3), WitnessError::Quorum { quorum: 3, witnesses: 2 });
    assert_eq!(parse(&[], 1), WitnessError::Quorum { quorum: 1, witnesses: 0 });
    // The same public key under another name.
    let twin = Signer::witness("c.example", 11);
    assert_eq!(parse(&keys(&[&a, &twin]), 1), WitnessError::Duplicate { key: twin.vkey() });
    let note_key = Signer::new("a.example", 11).vkey();
    let error = parse(std::slice::from_ref(&note_key), 1);
    assert_eq!(error, WitnessError::Key { key: note_key, error: KeyError::Algorithm });
    let many: Vec<String> = vec![a.vkey(); MAX_WITNESSES + 1];
    assert_eq!(parse(&many, 1), WitnessError::TooMany(MAX_WITNESSES + 1));
}

proptest! {
    #[test]
    fn no_line_panics(signature in proptest::collection::vec(any::<u8>(), 1..90)) {
        let a = Signer::witness("a.example", 11);
        let witnesses = Witnesses::parse(&keys(&[&a]), 1).unwrap();
        prop_assert!(!witnesses.check(&note(&a.line(&signature))).quorum_met());
    }
}
