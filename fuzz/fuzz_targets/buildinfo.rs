//! Executables: what is read is in the file, and what is said of a program is listed on the lines that it names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::buildinfo::{BuildInfo, read};

fuzz_target!(|content: &[u8]| {
    let text = String::from_utf8_lossy(content).into_owned();
    let infos = [read(content).ok(), BuildInfo::parse("go1.26".to_owned(), text).ok()];
    for info in infos.into_iter().flatten() {
        let listing = info.listing("FILE");
        let lines: Vec<&str> = listing.split('\n').collect();
        let line = |number: u32| lines[number as usize - 1];
        for module in info.main.iter().chain(&info.deps) {
            assert!(line(module.line).contains(&module.path));
            if let Some(replace) = &module.replace {
                assert!(line(replace.line).starts_with("\t=>\t"));
            }
        }
        for setting in &info.settings {
            assert!(line(setting.line).starts_with("\tbuild\t"));
        }
    }
});
