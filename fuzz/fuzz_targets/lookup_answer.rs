//! The record's text keeps its rules, and lines come out of it alone.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::lookup::{LookupAnswer, lines_for};

fuzz_target!(|answer: &[u8]| {
    let Ok(read) = LookupAnswer::parse(answer) else {
        return;
    };
    assert!(read.text.ends_with('\n') && !read.text.contains("\n\n"));
    assert!(answer.ends_with(read.note));
    for line in read.text.lines() {
        let mut fields = line.split(' ');
        let (Some(path), Some(version), Some(_)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let lines = lines_for(read.text, path, version);
        assert!(lines.zip().is_ok_and(|lines| lines.contains(&line)));
    }
});
