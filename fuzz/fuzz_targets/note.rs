//! What opens also parses, to the same text; nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::sumdb::note::{SignedNote, Verifier, open};

const KEYS: [&str; 3] = [
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
];

fuzz_target!(|message: &[u8]| {
    let keys = KEYS.map(|key| Verifier::parse(key).expect("a key of Go's own tests"));
    let parsed = SignedNote::parse(message);
    if let Ok(note) = open(message, &keys.each_ref()) {
        assert_eq!(note.text(), parsed.expect("what opens also parses").text);
        assert_eq!(note.message(), message);
        assert!(note.verified().next().is_some());
    }
    if let Ok(key) = std::str::from_utf8(message).map_err(drop).and_then(|key| Verifier::parse(key).map_err(drop)) {
        assert_eq!(Verifier::parse(&key.to_string()), Ok(key));
    }
});
