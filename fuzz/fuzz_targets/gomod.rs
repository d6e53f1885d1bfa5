//! go.mod: no panic, and what an error points at is in the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::gosum::gomod::GoMod;

fuzz_target!(|content: &[u8]| {
    let newlines = content.iter().filter(|b| **b == b'\n').count();
    match GoMod::parse(content) {
        Ok(file) => {
            for require in file.require {
                assert!((1..=newlines + 1).contains(&(require.at.line as usize)));
            }
        }
        Err(error) => assert!((1..=newlines + 1).contains(&(error.at.line as usize))),
    }
});
