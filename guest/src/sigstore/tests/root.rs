use serde_json::json;

use super::{fixture, json, with};
use crate::sigstore::key::Kind;
use crate::sigstore::root::{MAX_BYTES, MAX_CHAIN, MAX_INSTANCES, RootError, TrustedRoot, Validity};

#[test]
fn the_public_root() {
    let root = TrustedRoot::parse(&fixture("trusted_root.json")).unwrap();
    let logs: Vec<_> = root.logs.iter().map(|log| (log.host(), log.key.kind(), log.id.len())).collect();
    assert_eq!(logs, [("rekor.sigstore.dev", Kind::P256, 32), ("log2025-1.rekor.sigstore.dev", Kind::Ed25519, 32)]);
    assert_eq!(root.log(&root.logs[1].id).unwrap().base_url, "https://log2025-1.rekor.sigstore.dev");
    assert!(root.log(&[0; 32]).is_none());
    // Version 1's ID is the hash of the key.
    assert_eq!(root.logs[0].id, root.logs[0].key.id());
    assert_eq!(root.certificate_logs.len(), 2);
    assert!(root.certificate_logs[0].validity.end.is_some() && root.certificate_logs[1].validity.end.is_none());
    assert!(!root.is_github());
}

#[test]
fn the_staging_root_has_an_rsa_key() {
    let root = TrustedRoot::parse(&fixture("trusted_root-staging.json")).unwrap();
    assert_eq!(root.certificate_logs[0].key.kind(), Kind::Rsa);
    assert_eq!(root.certificate_logs[0].id, root.certificate_logs[0].key.id());
}

#[test]
fn githubs_root_is_told_by_its_authorities() {
    let root = TrustedRoot::parse(&fixture("trusted_root-github.json")).unwrap();
    assert!(root.is_github() && root.logs.is_empty());
    let mixed = with("trusted_root-github.json", &[("/certificateAuthorities/0/uri", json!("fulcio.sigstore.dev"))]);
    assert!(!TrustedRoot::parse(&mixed).unwrap().is_github());
    let none = with("trusted_root-github.json", &[("/certificateAuthorities", json!([]))]);
    assert!(!TrustedRoot::parse(&none).unwrap().is_github());
}

#[test]
fn what_is_refused() {
    let log = json("trusted_root.json")["tlogs"][0].clone();
    let cases = [
        ("/mediaType", json!("application/vnd.dev.sigstore.trustedroot+json;version=0.3")),
        ("/mediaType", json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
        ("/mediaType", json!(null)),
        ("/surprise", json!(1)),
        ("/tlogs/0/hashAlgorithm", json!("SHA2_512")),
        ("/tlogs/0/logId", json!(null)),
        ("/tlogs/0/logId/keyId", json!("")),
        ("/tlogs/1", log),
        ("/tlogs/0/publicKey/validFor", json!(null)),
        ("/tlogs/0/publicKey/validFor/start", json!(null)),
        ("/tlogs/0/publicKey/validFor/start", json!("yesterday")),
        ("/tlogs/0/publicKey/validFor/end", json!("2020-01-01T00:00:00Z")),
        ("/tlogs/0/publicKey/keyDetails", json!("PKIX_RSA_PSS")),
        ("/tlogs/0/publicKey/keyDetails", json!("PKCS1_RSA_PKCS1V5")),
        ("/tlogs/0/publicKey/rawBytes", json!("AAAA")),
        ("/certificateAuthorities/0/validFor/start", json!(null)),
        ("/certificateAuthorities/0/certChain", json!(null)),
        ("/certificateAuthorities/0/certChain/certificates", json!([])),
        ("/timestampAuthorities/0/validFor", json!(null)),
        ("/timestampAuthorities/0/certChain/certificates/0/rawBytes", json!("")),
    ];
    let mut shown = String::new();
    for (pointer, value) in cases {
        let error = TrustedRoot::parse(&with("trusted_root.json", &[(pointer, value.clone())])).unwrap_err();
        let mut value = value.to_string();
        value.truncate(60);
        shown += &format!("{pointer} = {value}\n    {error}\n");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_v0_2_root_may_name_its_logs_by_the_checkpoints_key_id() {
    let root = with(
        "trusted_root.json",
        &[
            ("/mediaType", json!("application/vnd.dev.sigstore.trustedroot.v0.2+json")),
            ("/tlogs/1/logId", json!(null)),
            ("/tlogs/1/checkpointKeyId", json!({"keyId": "zxGZFQ=="})),
            ("/tlogs/1/operator", json!("sigstore.dev")),
        ],
    );
    let root = TrustedRoot::parse(&root).unwrap();
    assert_eq!(root.logs[1].id, [0xcf, 0x11, 0x99, 0x15]);
    assert_eq!(root.logs[1].operator(), "sigstore.dev");
    assert_eq!(root.logs[0].operator(), "https://rekor.sigstore.dev");
}

#[test]
fn limits() {
    let mut file = json("trusted_root.json");
    let certificate = file["certificateAuthorities"][0]["certChain"]["certificates"][0].clone();
    let mut chain = |count: usize| {
        file["certificateAuthorities"][0]["certChain"]["certificates"] = json!(vec![certificate.clone(); count]);
        TrustedRoot::parse(&serde_json::to_vec(&file).unwrap())
    };
    // Enough for the reader; no chain, though.
    assert!(matches!(chain(MAX_CHAIN), Err(RootError::Anchor(_))));
    assert_eq!(
        chain(MAX_CHAIN + 1).unwrap_err().to_string(),
        "certificateAuthorities[0].certChain.certificates has 9 elements; at most 8 are read"
    );
    for name in ["certificateAuthorities", "timestampAuthorities"] {
        let authority = &json("trusted_root.json")[name][0];
        let many = |count| with("trusted_root.json", &[(&format!("/{name}"), json!(vec![authority.clone(); count]))]);
        assert!(TrustedRoot::parse(&many(MAX_INSTANCES)).is_ok());
        assert!(TrustedRoot::parse(&many(MAX_INSTANCES + 1)).unwrap_err().to_string().contains("at most 64"));
    }
    for name in ["tlogs", "ctlogs"] {
        let many = with("trusted_root.json", &[(&format!("/{name}"), json!(vec![1; MAX_INSTANCES + 1]))]);
        assert!(TrustedRoot::parse(&many).unwrap_err().to_string().contains("at most 64"));
    }
    let long = vec![b' '; MAX_BYTES + 1];
    assert!(TrustedRoot::parse(&long).unwrap_err().to_string().contains("at most 1048576 are read"));
}

#[test]
fn both_ends_belong_to_a_validity() {
    let time = |text: &str| text.parse().unwrap();
    let validity = Validity { start: time("2025-01-01T00:00:00Z"), end: Some(time("2025-12-31T23:59:59.999Z")) };
    for (at, inside) in [
        ("2024-12-31T23:59:59Z", false),
        ("2025-01-01T00:00:00Z", true),
        ("2025-12-31T23:59:59.999Z", true),
        ("2026-01-01T00:00:00Z", false),
    ] {
        assert_eq!(validity.contains(time(at)), inside, "{at}");
    }
}
