//! Zips: what is measured with the rules is what is measured without, and every file of it can be read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::dirhash::dir::DirHasher;
use modanchor_core::dirhash::zip::{ZipError, measure, read_file};
use modanchor_core::module::ModuleVersion;

/// Zips declare what they like: no more than this is kept.
const CAP: usize = 1 << 20;

fuzz_target!(|zip: &[u8]| {
    let module: ModuleVersion = "example.com/odd@v1.2.3".parse().expect("a good pair");
    let ruled = measure(zip, Some(&module));
    let plain = measure(zip, None);
    let manifest = match (ruled, plain) {
        (Ok(ruled), Ok(plain)) => {
            assert_eq!(ruled, plain);
            ruled
        }
        (Ok(_), Err(error)) => panic!("good by the rules, and {error}"),
        (Err(error), plain) => {
            assert_ne!(error.code(), "unreadable");
            assert!(error.to_string().len() < 4000);
            let Ok(plain) = plain else { return };
            plain
        }
    };
    let mut dir = DirHasher::new(&module);
    let mut whole = true;
    for file in manifest.files() {
        match read_file(zip, &file.name, CAP) {
            Ok(content) => {
                let name = file.name.strip_prefix(module.as_str().as_bytes());
                let name = name.and_then(|name| name.strip_prefix(b"/"));
                whole &= name.is_some_and(|name| dir.push(name, content.as_slice()).is_ok());
            }
            Err(ZipError::FileTooLarge { .. }) => whole = false,
            Err(error) => panic!("was hashed, and {error}"),
        }
    }
    if whole {
        assert_eq!(dir.finish(), manifest);
    }
});
