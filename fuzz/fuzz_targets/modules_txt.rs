//! vendor/modules.txt: what is read holds together, and can be compared with go.mod and with any files. A 0x1e byte
//! separates the go.mod, and names of vendored files.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::dirhash::{FileDigest, Manifest};
use modanchor_core::gosum::gomod::GoMod;
use modanchor_core::vendor::consistency::{Main, check, is_used};
use modanchor_core::vendor::constraint::is_vendored;
use modanchor_core::vendor::files::{Comparing, Origin};
use modanchor_core::vendor::modules_txt::ModulesTxt;

fuzz_target!(|content: &[u8]| {
    let mut parts = content.split(|b| *b == 0x1e);
    let list = ModulesTxt::parse(parts.next().unwrap_or_default()).expect("small enough");
    assert_eq!(list.by_name().len(), list.modules.len());
    assert!(list.notes.is_sorted_by_key(|note| note.at));
    for at in list.packages.values().map(|package| package.at) {
        assert!(at.column < at.end_column);
    }
    let go_mod = GoMod::parse(parts.next().unwrap_or_default()).unwrap_or_default();
    let _ = is_used(Main::Module(&go_mod), &list);
    check(Main::Module(&go_mod), &list);

    let names: Vec<&[u8]> = parts.collect();
    names.iter().for_each(|name| {
        is_vendored(name);
    });
    let files = |prefix: &str| {
        let digest =
            |name: &&[u8]| FileDigest { name: [prefix.as_bytes(), name].concat().into_boxed_slice(), sha256: [0; 32] };
        Manifest::new(names.iter().map(digest).collect())
    };
    let vendored = files("");
    let mut comparing = Comparing::new(&list, &vendored, &[]);
    let origins: Vec<(usize, Origin)> = comparing.origins().collect();
    for (module, origin) in origins {
        if let Origin::Zip(version) = origin {
            comparing.zip(module, &files(&format!("{version}/")));
        }
    }
    let outcome = comparing.finish();
    let counted: u64 = outcome.modules.iter().map(|t| t.same + t.uncompared + t.wrong).sum();
    let nobodys = outcome.extras.iter().filter(|extra| extra.module.is_none()).count();
    let list_itself = names.iter().filter(|name| **name == b"modules.txt").count();
    assert_eq!(counted as usize + nobodys + list_itself, names.len());
});
