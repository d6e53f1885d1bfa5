//! The input is appended to a genuine note, and read as witness keys: no cosignature counts that nobody made.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::cosignature::Witnesses;
use modanchor_core::sumdb::note::{Verifier, open};

const NOTE: &[u8] = include_bytes!("../../guest/tests/data/sumdb/real/latest");
const DATABASE: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
const WITNESS: &str = "w.example+e1c3420e+BP0XJDhaoMdbZPt4zWAvodmR/ev3axPFjtcC6sg16fYY";

fuzz_target!(|lines: &str| {
    let database = Verifier::parse(DATABASE).expect("the key of sum.golang.org");
    let witnesses = Witnesses::parse(&[WITNESS.to_owned()], 1).expect("a witness");
    if let Ok(note) = open(&[NOTE, lines.as_bytes()].concat(), &[&database]) {
        assert!(!witnesses.check(&note).quorum_met());
    }
    let keys: Vec<String> = lines.lines().map(str::to_owned).collect();
    if let Ok(witnesses) = Witnesses::parse(&keys, 1) {
        assert!(!witnesses.is_empty());
    }
});
