//! Certificates, their claims, the promises in them, paths and timestamps: what is read keeps its bytes, nothing but what an authority
//! has signed leads to it, and nothing panics.

#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use modanchor_core::sigstore::certificate::{self, Certificate};
use modanchor_core::sigstore::chain::{Anchors, Purpose};
use modanchor_core::sigstore::key::PublicKey;
use modanchor_core::sigstore::root::{Authority, Validity};
use modanchor_core::sigstore::{sct, timestamp};

/// A real certificate, which had expired long before the time that is asked about: nothing leads to it.
const REAL: &[u8] = include_bytes!("../seeds/certificate/real.der");

static LEAF: LazyLock<Certificate> = LazyLock::new(|| Certificate::parse(REAL).expect("a certificate"));

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        for der in certificate::from_pem(text).into_iter().flatten() {
            let _ = Certificate::parse(&der);
        }
        let _ = PublicKey::from_pem(text);
    }
    if let Ok(key) = PublicKey::from_spki(bytes) {
        assert_eq!(key.spki(), bytes);
    }
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    if let Ok(read) = Certificate::parse(bytes) {
        assert_eq!(read.der(), bytes);
        let _ = read.claims();
        let _ = sct::verify(&read, &[0; 32], &[]);
    }
    let validity = Validity { start: Timestamp::UNIX_EPOCH, end: None };
    let authority = Authority { uri: "fuzzed".to_owned(), chain: vec![bytes.to_vec()], validity };
    for purpose in [Purpose::CodeSigning, Purpose::TimeStamping] {
        if let Ok(anchors) = Anchors::new(std::slice::from_ref(&authority), purpose) {
            assert!(anchors.verify(&LEAF, &[], at).is_err(), "an expired certificate");
            let _ = timestamp::verify(bytes, b"signature", &anchors);
        }
    }
    let none = Anchors::new(&[], Purpose::TimeStamping).expect("no authority");
    assert!(timestamp::verify(bytes, b"signature", &none).is_err());
});
