//! Bundles, trusted roots, cosign's older files and Rekor's answers: nothing panics. A bundle that is read is verified
//! by two roots, and what is proven then has what the profile asks for.

#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use modanchor_core::sigstore::bundle::{Bundle, Content};
use modanchor_core::sigstore::key::{Digests, Message};
use modanchor_core::sigstore::legacy::Files;
use modanchor_core::sigstore::log::{Checkpoint, Entry, search_answer};
use modanchor_core::sigstore::root::TrustedRoot;
use modanchor_core::sigstore::signature::{Artifact, Profile, Signer, Verifier};

static ROOTS: LazyLock<[TrustedRoot; 2]> = LazyLock::new(|| {
    let public = include_bytes!("../../tests/fixtures/sigstore/trusted_root.json").as_slice();
    let staging = include_bytes!("../../tests/fixtures/sigstore/trusted_root-staging.json").as_slice();
    [public, staging].map(|root| TrustedRoot::parse(root).expect("a trusted root"))
});
static DIGESTS: LazyLock<Digests> =
    LazyLock::new(|| Digests::of(include_bytes!("../../tests/fixtures/sigstore/a.txt")));

fn verify(bundle: &Bundle) {
    // The end of 2026.
    let now = Timestamp::from_second(1_798_000_000).expect("a time");
    let artifact = match bundle.content {
        Content::Message { .. } => Artifact::File(Message::Digests(&DIGESTS)),
        Content::Envelope(_) => Artifact::Statement,
    };
    for root in &*ROOTS {
        if let Ok(proven) = Verifier::new(root, now).verify(bundle, artifact, Profile::PUBLIC_GOOD) {
            assert!(matches!(proven.signer(), Signer::Certificate(_)));
            assert!(!proven.times().is_empty() && !proven.logged().is_empty());
            assert!(!proven.certificate_logs().is_empty());
            assert!(proven.times().iter().all(|time| time.at <= now));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = TrustedRoot::parse(bytes);
    let _ = (Entry::answer(bytes), search_answer(bytes));
    let _ = str::from_utf8(bytes).map(|text| Checkpoint::parse(text.to_owned()));
    let _ = Files { signature: Some(bytes), certificate: Some(bytes), ..Files::default() }.read();
    let parsed = Bundle::parse(bytes);
    if let Ok(bundle) = (Files { bundle: Some(bytes), ..Files::default() }).read() {
        if let Ok(parsed) = parsed {
            assert_eq!(parsed, bundle);
        }
        verify(&bundle);
    } else {
        assert!(parsed.is_err());
    }
});
