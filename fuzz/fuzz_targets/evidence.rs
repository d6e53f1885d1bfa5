//! Evidence that can be checked again is written so that it parses again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::evidence::Evidence;
use modanchor_core::sumdb::note::Verifier;

const DATABASE: &str = "sum.example+7acc8462+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

fuzz_target!(|file: &[u8]| {
    let Ok(evidence) = Evidence::parse(file) else {
        return;
    };
    let database = Verifier::parse(DATABASE).expect("the key of the snapshot in the tests");
    if let Ok(fork) = evidence.recheck(&database) {
        assert_eq!(Evidence::parse(fork.render(&database).as_bytes()), Ok(evidence));
    }
});
