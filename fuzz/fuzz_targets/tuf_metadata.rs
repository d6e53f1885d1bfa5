//! What parses is written and read again as the same, canonically too; what sigstore-tuf would read and we would not, is
//! refused and never the other way round; nothing panics.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::tuf::client::TrustedRoot;
use modanchor_core::tuf::metadata::{Role, Root, Signed, Snapshot, Targets, Timestamp};
use modanchor_core::tuf::modules::Statement;

fn round<T: Role + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Option<Signed<T>> {
    let parsed = Signed::<T>::parse(bytes).ok()?;
    let again = Signed::<T>::parse(&parsed.to_bytes()).expect("what is written is read");
    assert_eq!(parsed, again);
    assert_eq!(parsed.canonical(), again.canonical());
    Some(parsed)
}

fuzz_target!(|bytes: &[u8]| {
    let _ = TrustedRoot::new(bytes);
    let _ = (round::<Root>(bytes), round::<Timestamp>(bytes), round::<Snapshot>(bytes));
    if let Some(targets) = round::<Targets>(bytes) {
        for (path, target) in &targets.signed.targets {
            let _ = Statement::of(target);
            if let Some(delegations) = &targets.signed.delegations {
                let _ = delegations.edges(path);
            }
        }
    }
});
