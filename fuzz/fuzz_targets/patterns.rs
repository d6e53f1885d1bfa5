//! GOPRIVATE patterns: no panic, no blow-up, and a pattern that is named is one of the list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::module::Patterns;

fuzz_target!(|input: (&str, &str)| {
    let (globs, target) = input;
    let patterns = Patterns::new(globs);
    if let Some(pattern) = patterns.matching(target) {
        let named = |glob: &str| glob.strip_suffix('/').unwrap_or(glob) == pattern;
        assert!(globs.split(',').any(named));
    }
    if let Some(found) = patterns.matching_everything() {
        assert!(!found.is_empty());
    }
});
