//! Module paths and versions: what passes survives escaping, and is safe in a URL.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::module::{ModulePath, ModuleVersion};

fuzz_target!(|text: &str| {
    if let Ok(path) = ModulePath::check(text) {
        assert_eq!(ModulePath::unescape(&path.escaped()), Ok(path));
    }
    if let Ok(path) = ModulePath::unescape(text) {
        assert_eq!(path.escaped(), text);
    }
    if let Ok(module) = text.parse::<ModuleVersion>() {
        assert_eq!(module.as_str(), text);
        let escaped = module.escaped();
        assert!(escaped.bytes().all(|b| b.is_ascii_graphic()));
        assert!(escaped.split('/').all(|element| !matches!(element, "" | "." | "..")));
    }
});
