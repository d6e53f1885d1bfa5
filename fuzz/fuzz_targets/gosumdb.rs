//! A setting that parses has a usable key, and a name that stays where it belongs.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::note::Verifier;
use modanchor_core::sumdb::setting::Setting;

fuzz_target!(|value: &str| {
    if let Ok(Setting::Database { name, key, .. }) = Setting::parse(value) {
        assert_eq!(Verifier::parse(&key).expect("checked by the parser").name(), name);
        assert!(name.split('/').all(|element| !["", ".", ".."].contains(&element)));
        assert!(name.bytes().all(|b| b.is_ascii_graphic() && !b"\\@?#%".contains(&b)));
    }
});
