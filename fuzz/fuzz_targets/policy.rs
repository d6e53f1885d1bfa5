//! A policy that is read is one that the core takes, and whatever it says, its judge ends and agrees with itself.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::policy::{baseline, expect, file, rules::Rules};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(file) = file::read(bytes, "policy.yaml") {
        let rules = Rules::new(&file.policy).expect("what was read is sound");
        for tested in expect::run(&rules, &file.tests) {
            for ruling in tested.judgement.rulings {
                assert_eq!(ruling.satisfied, ruling.failures().next().is_none());
            }
        }
    }
    if let Ok(floors) = baseline::read(bytes) {
        let written = baseline::write(floors.iter().map(|floor| (floor.module.as_str(), floor.grade)));
        assert_eq!(baseline::read(written.as_bytes()).as_ref(), Ok(&floors));
    }
    let _ = expect::read(bytes);
});
