use serde_json::{Value, json};

use super::{fixture, json, with};
use crate::sigstore::bundle::{
    Bundle, Content, Envelope, MAX_BYTES, MAX_CERTIFICATES, MAX_ENTRIES, MAX_TIMESTAMPS, Material, Version,
};

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

#[test]
fn the_recorded_bundles() {
    let mut shown = String::new();
    for name in ["v0.1", "v0.2", "v0.3", "dsse", "key", "rekor2", "rekor2-witnessed", "rekor2-dsse", "intoto"] {
        let bundle = Bundle::parse(&fixture(&format!("{name}.sigstore.json"))).unwrap();
        let material = match &bundle.material {
            Material::Certificate { intermediates, .. } => format!("certificate and {} more", intermediates.len()),
            Material::PublicKey { hint } => format!("key {hint}"),
        };
        let content = match &bundle.content {
            Content::Message { .. } => "file".to_owned(),
            Content::Envelope(envelope) => format!("{}, {} bytes", envelope.payload_type, envelope.payload.len()),
        };
        shown +=
            &format!("{name}: {:?}, {material}, {content}, {} timestamps\n", bundle.version, bundle.timestamps.len());
        for entry in &bundle.entries {
            let origin = entry.proof.as_ref().map(|proof| (&proof.checkpoint.origin, proof.index, proof.hashes.len()));
            shown += &format!("    {} promise {} {:?}", entry.index, entry.promise.is_some(), entry.integrated_time);
            shown += &format!(" proof {origin:?}\n");
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn media_types() {
    const OLD: &str = "application/vnd.dev.sigstore.bundle+json;version=";
    for (media_type, expected) in [
        (format!("{OLD}0.1"), Some(Version::V0_1)),
        (format!("{OLD}0.2"), Some(Version::V0_2)),
        (format!("{OLD}0.3"), Some(Version::V0_3)),
        ("application/vnd.dev.sigstore.bundle.v0.3+json".to_owned(), Some(Version::V0_3)),
        ("application/vnd.dev.sigstore.bundle.v0.3.1+json".to_owned(), Some(Version::V0_3)),
        ("application/vnd.dev.sigstore.bundle.v0.2+json".to_owned(), Some(Version::V0_2)),
        (format!("{OLD}0.4"), None),
        (format!("{OLD}99.9"), None),
        (format!("{OLD}0.3.1"), None),
        (format!("{OLD}0.30"), None),
        ("application/vnd.dev.sigstore.bundle.v0.4+json".to_owned(), None),
        ("application/vnd.dev.sigstore.bundle.v1.3+json".to_owned(), None),
        ("application/vnd.dev.sigstore.bundle.v0.3".to_owned(), None),
        ("application/vnd.dev.sigstore.bundle.v0.03+json".to_owned(), None),
        ("application/vnd.dev.sigstore.bundle.v0.3.+json".to_owned(), None),
        ("application/vnd.dev.sigstore.bundle.v0.3-rc1+json".to_owned(), None),
        (String::new(), None),
    ] {
        // It has promise and proof and a single certificate: every version takes it.
        let file = with("v0.3.sigstore.json", &[("/mediaType", json!(media_type))]);
        assert_eq!(Bundle::parse(&file).ok().map(|bundle| bundle.version), expected, "{media_type}");
    }
}

#[test]
fn names_and_numbers_as_protojson_takes_them() {
    let mut file = json("v0.1.sigstore.json");
    let object = file.as_object_mut().unwrap();
    let mut material = object.remove("verificationMaterial").unwrap();
    let entries = material["tlogEntries"].as_array_mut().unwrap();
    entries[0]["logIndex"] = json!(27_246_492);
    let id = entries[0].as_object_mut().unwrap().remove("logId").unwrap();
    entries[0]["log_id"] =
        json!({"key_id": id["keyId"].as_str().unwrap().replace('+', "-").replace('/', "_").replace('=', "")});
    object.insert("verification_material".to_owned(), material);
    let other = Bundle::parse(&serde_json::to_vec(&file).unwrap()).unwrap();
    assert_eq!(other, Bundle::parse(&fixture("v0.1.sigstore.json")).unwrap());
}

#[test]
fn what_is_refused() {
    let bundle = json("v0.1.sigstore.json");
    let chain = &bundle["verificationMaterial"]["x509CertificateChain"];
    let certificate = &chain["certificates"][0];
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let envelope = json("dsse.sigstore.json")["dsseEnvelope"].clone();
    let signature = envelope["signatures"][0].clone();
    let at = |path: &str| format!("{ENTRY}{path}");
    let cases: Vec<(&str, String, Value)> = vec![
        ("v0.1", "/surprise".into(), json!(1)),
        ("v0.1", "/verificationMaterial".into(), json!(null)),
        ("v0.1", "/messageSignature".into(), json!(null)),
        ("v0.1", "/messageSignature".into(), json!([])),
        ("v0.1", "/dsseEnvelope".into(), envelope.clone()),
        ("v0.1", "/messageSignature/signature".into(), json!("")),
        ("v0.1", "/messageSignature/signature".into(), json!("not base64")),
        ("v0.1", "/messageSignature/messageDigest".into(), json!(null)),
        ("v0.1", "/messageSignature/messageDigest/algorithm".into(), json!("SHA3_256")),
        ("v0.1", "/messageSignature/messageDigest/algorithm".into(), json!("sha256")),
        ("v0.1", "/messageSignature/messageDigest/algorithm".into(), json!("SHA2_384")),
        ("v0.1", "/verificationMaterial/x509CertificateChain".into(), json!(null)),
        ("v0.1", "/verificationMaterial/x509CertificateChain/certificates".into(), json!([])),
        ("v0.1", "/verificationMaterial/certificate".into(), certificate.clone()),
        ("v0.1", "/verificationMaterial/publicKey".into(), json!({"hint": ""})),
        ("v0.3", "/verificationMaterial/certificate".into(), json!({"rawBytes": ""})),
        ("v0.1", "/verificationMaterial/tlogEntries".into(), json!([entry, entry])),
        ("v0.1", at("/inclusionPromise"), json!(null)),
        ("v0.2", at("/inclusionProof"), json!(null)),
        ("v0.3", at("/inclusionProof"), json!(null)),
        ("rekor2", "/mediaType".into(), json!("application/vnd.dev.sigstore.bundle+json;version=0.1")),
        ("v0.1", "/mediaType".into(), json!("application/vnd.dev.sigstore.bundle.v0.3+json")),
        ("v0.1", at("/logIndex"), json!("-1")),
        ("v0.1", at("/logId"), json!(null)),
        ("v0.1", at("/integratedTime"), json!("9223372036854775807")),
        ("v0.1", at("/kindVersion"), json!(null)),
        ("v0.1", at("/kindVersion/version"), json!("0.0.2")),
        ("v0.1", at("/inclusionPromise/signedEntryTimestamp"), json!("")),
        ("v0.1", at("/inclusionProof/checkpoint"), json!(null)),
        ("v0.1", at("/inclusionProof/checkpoint/envelope"), json!("x\n")),
        ("v0.1", at("/inclusionProof/rootHash"), json!("AAAA")),
        ("v0.1", at("/inclusionProof/treeSize"), json!("1")),
        ("v0.1", at("/inclusionProof/hashes/0"), json!("AAAA")),
        ("v0.1", at("/canonicalizedBody"), json!("e30=")),
        ("v0.1", at("/canonicalizedBody"), json!("W10=")),
        ("v0.1", at("/canonicalizedBody"), json!("AAAA")),
        ("dsse", "/dsseEnvelope/payload".into(), json!("")),
        ("dsse", "/dsseEnvelope/payloadType".into(), json!("")),
        ("dsse", "/dsseEnvelope/signatures".into(), json!([])),
        ("dsse", "/dsseEnvelope/signatures".into(), json!([signature, signature])),
        ("key", "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0".into(), json!({})),
    ];
    let mut shown = String::new();
    for (name, pointer, value) in cases {
        let file = with(&format!("{name}.sigstore.json"), &[(&pointer, value.clone())]);
        let error = Bundle::parse(&file).expect_err(&pointer);
        let mut value = value.to_string();
        value.truncate(60);
        shown += &format!("{name} {pointer} = {value}\n    {error}\n");
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn json_has_one_meaning() {
    let text = String::from_utf8(fixture("v0.1.sigstore.json")).unwrap();
    let twice = text.replacen('{', r#"{"mediaType": "x", "#, 1);
    assert!(Bundle::parse(twice.as_bytes()).unwrap_err().to_string().contains("twice"), "{twice}");
    assert!(Bundle::parse(format!("{text} {{}}").as_bytes()).is_err());
    assert!(Bundle::parse(&text.as_bytes()[..text.len() / 2]).is_err());
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(Bundle::parse(deep.as_bytes()).unwrap_err().to_string().contains("nesting"));
}

#[test]
fn limits() {
    let refused = |pointer: &str, value: Value, limit: usize| {
        let error = Bundle::parse(&with("v0.1.sigstore.json", &[(pointer, value)])).unwrap_err().to_string();
        assert!(error.contains(&format!("has {} elements; at most {limit} are read", limit + 1)), "{error}");
    };
    let bundle = json("v0.1.sigstore.json");
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let certificate = &bundle["verificationMaterial"]["x509CertificateChain"]["certificates"][0];
    let stamps = |count| json!({"rfc3161Timestamps": vec![json!({"signedTimestamp": "AAAA"}); count]});
    let entries = |count: usize| {
        let numbered = |i: usize| {
            let mut entry = entry.clone();
            entry["logIndex"] = json!(i);
            entry
        };
        json!((0..count).map(numbered).collect::<Vec<_>>())
    };
    let at = "/verificationMaterial/tlogEntries";
    assert!(Bundle::parse(&with("v0.1.sigstore.json", &[(at, entries(MAX_ENTRIES))])).is_ok());
    refused(at, entries(MAX_ENTRIES + 1), MAX_ENTRIES);
    let at = "/verificationMaterial/timestampVerificationData";
    assert!(Bundle::parse(&with("v0.1.sigstore.json", &[(at, stamps(MAX_TIMESTAMPS))])).is_ok());
    refused(at, stamps(MAX_TIMESTAMPS + 1), MAX_TIMESTAMPS);
    let at = "/verificationMaterial/x509CertificateChain/certificates";
    let certificates = |count| json!(vec![certificate.clone(); count]);
    assert!(Bundle::parse(&with("v0.1.sigstore.json", &[(at, certificates(MAX_CERTIFICATES))])).is_ok());
    refused(at, certificates(MAX_CERTIFICATES + 1), MAX_CERTIFICATES);

    let mut long = fixture("v0.1.sigstore.json");
    long.resize(MAX_BYTES, b' ');
    assert!(Bundle::parse(&long).is_ok());
    long.push(b' ');
    let error = Bundle::parse(&long).unwrap_err().to_string();
    assert_eq!(error, "it has 8388609 bytes; at most 8388608 are read");
}

#[test]
fn what_an_envelope_signs() {
    let envelope = |payload: &str| Envelope {
        payload_type: "http://example.com/HelloWorld".to_owned(),
        payload: payload.as_bytes().to_vec(),
        signature: Vec::new(),
    };
    // DSSE's protocol.md.
    assert_eq!(envelope("hello world").signed(), b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    assert_eq!(envelope("").signed(), b"DSSEv1 29 http://example.com/HelloWorld 0 ");
}
