use serde_json::{Value, json};

use super::{fixture, json};
use crate::sigstore::bundle::{Bundle, Content, Material, Version};
use crate::sigstore::legacy::{Files, MAX_TIMESTAMP};
use crate::sigstore::protojson::base64;

fn encode(bytes: &[u8]) -> String {
    base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes)
}

fn pem(der: &[u8]) -> String {
    let lines: Vec<String> =
        encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// A recorded bundle in cosign's own form: with its certificate, or with the key.
fn old(name: &str) -> Value {
    let bundle = json(&format!("{name}.sigstore.json"));
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let log_id = crate::hex::encode(&base64(entry["logId"]["keyId"].as_str().unwrap()).unwrap());
    let number = |value: &Value| value.as_str().unwrap().parse::<i64>().unwrap();
    let cert = match bundle.pointer("/verificationMaterial/certificate/rawBytes") {
        Some(der) => encode(pem(&base64(der.as_str().unwrap()).unwrap()).as_bytes()),
        None => encode(&fixture("key.pub")),
    };
    json!({
        "base64Signature": bundle["messageSignature"]["signature"],
        "cert": cert,
        "rekorBundle": {
            "SignedEntryTimestamp": entry["inclusionPromise"]["signedEntryTimestamp"],
            "Payload": {
                "body": entry["canonicalizedBody"],
                "integratedTime": number(&entry["integratedTime"]),
                "logIndex": number(&entry["logIndex"]),
                "logID": log_id,
            },
        },
    })
}

fn leaf(bundle: &Bundle) -> &[u8] {
    match &bundle.material {
        Material::Certificate { leaf, .. } => leaf,
        Material::PublicKey { .. } => &[],
    }
}

#[test]
fn an_old_bundle_says_the_same_without_a_proof() {
    for name in ["v0.3", "key"] {
        let mut expected = Bundle::parse(&fixture(&format!("{name}.sigstore.json"))).unwrap();
        expected.version = Version::Legacy;
        expected.entries[0].proof = None;
        expected.timestamps.clear();
        if name == "key" {
            expected.material = Material::PublicKey { hint: String::new() };
        }
        let signature = expected.content.signature().to_vec();
        expected.content = Content::Message { digest: None, signature };
        let file = old(name).to_string();
        let found = Files { bundle: Some(file.as_bytes()), ..Files::default() }.read().unwrap();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn a_new_bundle_is_told_by_its_media_type() {
    let file = fixture("v0.1.sigstore.json");
    let bundle = Files { bundle: Some(&file), ..Files::default() }.read().unwrap();
    assert_eq!(bundle, Bundle::parse(&file).unwrap());
    let same = pem(leaf(&bundle));
    assert!(Files { bundle: Some(&file), certificate: Some(same.as_bytes()), ..Files::default() }.read().is_ok());
    let dsse = Bundle::parse(&fixture("dsse.sigstore.json")).unwrap();
    let other = pem(leaf(&dsse));
    let error =
        Files { bundle: Some(&file), certificate: Some(other.as_bytes()), ..Files::default() }.read().unwrap_err();
    assert_eq!(error.to_string(), "the certificate is not the one in the bundle");
}

#[test]
fn detached_files_in_every_encoding() {
    let bundle = Bundle::parse(&fixture("v0.3.sigstore.json")).unwrap();
    let signature = bundle.content.signature();
    let text = encode(signature);
    let certificate = pem(leaf(&bundle));
    let twice = encode(certificate.as_bytes());
    let stamp = json!({"SignedRFC3161Timestamp": "AAAA"}).to_string();
    for signature in [
        signature,
        text.as_bytes(),
        format!("{text}\n").as_bytes(),
        format!("{}\r\n{}", &text[..40], &text[40..]).as_bytes(),
    ] {
        for certificate in [&certificate, &twice, &format!("{twice}\n")] {
            let files = Files {
                signature: Some(signature),
                certificate: Some(certificate.as_bytes()),
                timestamp: Some(stamp.as_bytes()),
                ..Files::default()
            };
            let found = files.read().unwrap();
            assert_eq!(found.content.signature(), bundle.content.signature());
            assert_eq!(leaf(&found), leaf(&bundle));
            assert_eq!(found.timestamps, [[0, 0, 0]]);
            assert!(found.entries.is_empty());
        }
    }
}

#[test]
fn a_chain_brings_no_roots() {
    let root = json("trusted_root.json");
    let chain = &root["certificateAuthorities"][1]["certChain"]["certificates"];
    let der = |i: usize| base64(chain[i]["rawBytes"].as_str().unwrap()).unwrap();
    let chain = format!("{}{}", pem(&der(0)), pem(&der(1)));
    let bundle = Bundle::parse(&fixture("v0.3.sigstore.json")).unwrap();
    let certificate = pem(leaf(&bundle));
    let files = Files {
        signature: Some(b"AAAA"),
        certificate: Some(certificate.as_bytes()),
        chain: Some(chain.as_bytes()),
        ..Files::default()
    };
    let Material::Certificate { intermediates, .. } = files.read().unwrap().material else { panic!("a certificate") };
    assert_eq!(intermediates, [der(0)]);
}

#[test]
fn an_envelope_in_place_of_a_signature() {
    let envelope = json("dsse.sigstore.json")["dsseEnvelope"].to_string();
    for file in [envelope.clone(), encode(envelope.as_bytes())] {
        let bundle = Files { signature: Some(file.as_bytes()), ..Files::default() }.read().unwrap();
        assert_eq!(bundle.content, Bundle::parse(&fixture("dsse.sigstore.json")).unwrap().content);
    }
}

#[test]
fn what_is_refused() {
    let change = |pointer: &str, value: Value| {
        let mut file = old("v0.3");
        *file.pointer_mut(pointer).unwrap() = value;
        file.to_string()
    };
    let mut shown = String::new();
    let cases = [
        ("no bundle", "{}".to_owned()),
        ("no JSON", "x".to_owned()),
        ("no signature", change("/base64Signature", json!(""))),
        ("no certificate", change("/cert", json!("AAAA"))),
        ("no promise", change("/rekorBundle/SignedEntryTimestamp", json!(""))),
        ("no payload", change("/rekorBundle/Payload", json!(null))),
        ("a body that is none", change("/rekorBundle/Payload/body", json!("e30="))),
        ("a log's ID that is none", change("/rekorBundle/Payload/logID", json!("xy"))),
    ];
    for (what, file) in cases {
        let error = Files { bundle: Some(file.as_bytes()), ..Files::default() }.read().unwrap_err();
        shown += &format!("{what}\n    {error}\n");
    }
    let error = Files::default().read().unwrap_err();
    shown += &format!("no file\n    {error}\n");
    let long = vec![b' '; MAX_TIMESTAMP + 1];
    let files = Files { signature: Some(b"AAAA"), timestamp: Some(&long), ..Files::default() };
    shown += &format!("a long timestamp\n    {}\n", files.read().unwrap_err());
    insta::assert_snapshot!(shown);
}
