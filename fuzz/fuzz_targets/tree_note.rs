//! What parses is written so that it parses again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::tlog::{MAX_TREE_SIZE, TreeHead};

fuzz_target!(|text: &str| {
    if let Ok(head) = TreeHead::parse(text) {
        assert!(head.size <= MAX_TREE_SIZE);
        assert_eq!(TreeHead::parse(&head.to_string()), Ok(head));
    }
});
