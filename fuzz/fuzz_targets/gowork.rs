//! go.work, alone and as the root of a checkout whose other files are cut from the same bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::contract::FileKind;
use modanchor_core::gosum::gowork::GoWork;
use modanchor_core::gosum::wanted::{File, Survey};

fuzz_target!(|content: &[u8]| {
    let broken = GoWork::parse(content).is_err();
    let mut parts = content.split(|b| *b == 0x1e);
    let mut part = || parts.next().unwrap_or_default();
    let file = |path, kind, content| File { path, kind, content };
    let survey = Survey::new([
        file("go.work", FileKind::GoWork, part()),
        file("go.mod", FileKind::GoMod, part()),
        file("go.sum", FileKind::GoSum, part()),
        file("a/go.mod", FileKind::GoMod, part()),
        file("go.work.sum", FileKind::GoWorkSum, part()),
    ]);
    if broken && !content.contains(&0x1e) {
        assert_eq!(survey.broken.len(), 1);
    }
});
