//! A Sigstore in memory, whose keys one has: for tests.
//!
//! An [`Instance`] is an authority (root and intermediate), a log of certificates, Rekor of versions 1 and 2 and a
//! timestamp authority. [`Instance::bundle`] signs by a [`Recipe`]; what comes out is JSON, to be changed at will. Each
//! part is there on its own too ([`Instance::issue`], [`Instance::stamp`], [`Instance::entry`], …), and its keys and
//! times are public: a test makes wrong the one thing that it is about. Everything is fixed: the same recipe gives the
//! same bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use der::asn1::ObjectIdentifier;
use ed25519_dalek::Signer as _;
use jiff::{SignedDuration, Timestamp};
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use super::key::{Hash, Kind, PublicKey, Scheme};

/// When everything is signed, unless a test says otherwise.
pub(crate) const NOW: &str = "2026-11-27T10:00:00Z";

/// One DER field: the tag's byte, and what is in it.
pub(crate) fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = match content.len() {
        short @ 0..=0x7f => vec![short as u8],
        middle @ 0x80..=0xff => vec![0x81, middle as u8],
        long @ 0x100..=0xffff => vec![0x82, (long >> 8) as u8, long as u8],
        huge => vec![0x83, (huge >> 16) as u8, (huge >> 8) as u8, huge as u8],
    };
    [&[tag][..], &length, &content].concat()
}

/// OBJECT IDENTIFIER.
pub(crate) fn oid(dotted: &str) -> Vec<u8> {
    tlv(0x06, &[ObjectIdentifier::new(dotted).expect("an OID").as_bytes()])
}

/// UTF8String.
pub(crate) fn utf8(text: &str) -> Vec<u8> {
    tlv(0x0c, &[text.as_bytes()])
}

fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = b64(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// JSON with sorted keys and no spaces: Rekor's canonical form, for what is in these tests.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    crate::tuf::metadata::canonical(value)
}

/// A key pair.
#[derive(Clone)]
pub(crate) enum Key {
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
    P521(Box<p521::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl Key {
    /// The key of that seed, which must not be 0.
    pub(crate) fn new(kind: Kind, seed: u8) -> Self {
        match kind {
            Kind::P256 => Self::P256(Box::new(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).expect("a scalar"))),
            Kind::P384 => Self::P384(Box::new(p384::ecdsa::SigningKey::from_slice(&[seed; 48]).expect("a scalar"))),
            Kind::P521 => {
                let mut scalar = [seed; 66];
                scalar[0] = 0;
                Self::P521(Box::new(p521::ecdsa::SigningKey::from_slice(&scalar).expect("a scalar")))
            }
            Kind::Ed25519 => Self::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))),
            Kind::Rsa => panic!("no RSA keys here: a private key of 2048 bits does not come from a seed"),
        }
    }

    /// SubjectPublicKeyInfo.
    pub(crate) fn spki(&self) -> Vec<u8> {
        let ec = |curve: &str, point: &[u8]| {
            tlv(0x30, &[&tlv(0x30, &[&oid("1.2.840.10045.2.1"), &oid(curve)]), &tlv(0x03, &[&[0], point])])
        };
        match self {
            Self::P256(key) => ec("1.2.840.10045.3.1.7", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P384(key) => ec("1.3.132.0.34", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::P521(key) => ec("1.3.132.0.35", key.verifying_key().to_sec1_point(false).as_bytes()),
            Self::Ed25519(key) => {
                tlv(0x30, &[&tlv(0x30, &[&oid("1.3.101.112")]), &tlv(0x03, &[&[0], key.verifying_key().as_bytes()])])
            }
        }
    }

    pub(crate) fn public(&self) -> PublicKey {
        PublicKey::from_spki(&self.spki()).expect("a public key")
    }

    /// `PUBLIC KEY`.
    pub(crate) fn pem(&self) -> String {
        pem("PUBLIC KEY", &self.spki())
    }

    /// By the scheme that this kind of key has first.
    pub(crate) fn sign(&self, content: &[u8]) -> Vec<u8> {
        self.sign_with(self.public().default_scheme(), content)
    }

    pub(crate) fn sign_with(&self, scheme: Scheme, content: &[u8]) -> Vec<u8> {
        match (self, scheme) {
            (Self::P256(key), Scheme::Ecdsa(hash)) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&hash.of(content)).expect("signs");
                signature.to_der().as_bytes().to_vec()
            }
            (Self::P384(key), Scheme::Ecdsa(hash)) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&hash.of(content)).expect("signs");
                signature.to_der().as_bytes().to_vec()
            }
            (Self::P521(key), Scheme::Ecdsa(hash)) => {
                let digest = hash.of(content);
                let padded = [vec![0; 64 - digest.len()], digest].concat();
                let signature: p521::ecdsa::Signature = key.sign_prehash(&padded).expect("signs");
                signature.to_der().as_bytes().to_vec()
            }
            (Self::Ed25519(key), Scheme::Ed25519) => key.sign(content).to_bytes().to_vec(),
            (Self::Ed25519(key), Scheme::Ed25519ph) => {
                key.sign_prehashed(Sha512::new_with_prefix(content), None).expect("signs").to_bytes().to_vec()
            }
            _ => panic!("the key is of another kind"),
        }
    }

    /// The AlgorithmIdentifier of its signatures, by [`Key::sign`].
    fn algorithm(&self) -> Vec<u8> {
        let name = match self {
            Self::P256(_) => "1.2.840.10045.4.3.2",
            Self::P384(_) => "1.2.840.10045.4.3.3",
            Self::P521(_) => "1.2.840.10045.4.3.4",
            Self::Ed25519(_) => "1.3.101.112",
        };
        tlv(0x30, &[&oid(name)])
    }

    /// protobuf-specs' name of key and scheme.
    fn details(&self) -> &'static str {
        match self {
            Self::P256(_) => "PKIX_ECDSA_P256_SHA_256",
            Self::P384(_) => "PKIX_ECDSA_P384_SHA_384",
            Self::P521(_) => "PKIX_ECDSA_P521_SHA_512",
            Self::Ed25519(_) => "PKIX_ED25519",
        }
    }
}

/// An X.509 extension.
#[derive(Clone)]
pub(crate) struct Extension {
    pub(crate) oid: String,
    pub(crate) critical: bool,
    /// What is in the OCTET STRING.
    pub(crate) value: Vec<u8>,
}

impl Extension {
    pub(crate) fn new(oid: &str, critical: bool, value: Vec<u8>) -> Self {
        Self { oid: oid.to_owned(), critical, value }
    }

    /// extKeyUsage.
    pub(crate) fn usage(critical: bool, purposes: &[&str]) -> Self {
        let purposes: Vec<Vec<u8>> = purposes.iter().map(|purpose| oid(purpose)).collect();
        let purposes: Vec<&[u8]> = purposes.iter().map(Vec::as_slice).collect();
        Self::new("2.5.29.37", critical, tlv(0x30, &purposes))
    }

    /// basicConstraints of an authority.
    pub(crate) fn ca(path_length: Option<u8>) -> Self {
        let length = path_length.map_or_else(Vec::new, |length| tlv(0x02, &[&[length]]));
        Self::new("2.5.29.19", true, tlv(0x30, &[&tlv(0x01, &[&[0xff]]), &length]))
    }

    /// subjectAltName with these GeneralNames.
    pub(crate) fn names(names: &[Vec<u8>]) -> Self {
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        Self::new("2.5.29.17", true, tlv(0x30, &names))
    }

    /// rfc822Name, for [`Extension::names`].
    pub(crate) fn email(text: &str) -> Vec<u8> {
        tlv(0x81, &[text.as_bytes()])
    }

    /// uniformResourceIdentifier, for [`Extension::names`].
    pub(crate) fn uri(text: &str) -> Vec<u8> {
        tlv(0x86, &[text.as_bytes()])
    }

    /// Fulcio's OtherName, for [`Extension::names`].
    pub(crate) fn other(text: &str) -> Vec<u8> {
        tlv(0xa0, &[&oid("1.3.6.1.4.1.57264.1.7"), &tlv(0xa0, &[&utf8(text)])])
    }

    /// Fulcio's .1.N: raw up to 6, DER after.
    pub(crate) fn claim(number: u8, text: &str) -> Self {
        let value = if number < 8 { text.as_bytes().to_vec() } else { utf8(text) };
        Self::new(&format!("1.3.6.1.4.1.57264.1.{number}"), false, value)
    }

    fn der(&self) -> Vec<u8> {
        let critical = if self.critical { tlv(0x01, &[&[0xff]]) } else { Vec::new() };
        tlv(0x30, &[&oid(&self.oid), &critical, &tlv(0x04, &[&self.value])])
    }
}

/// A certificate before it is signed.
#[derive(Clone)]
pub(crate) struct Template {
    pub(crate) serial: u8,
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) spki: Vec<u8>,
    pub(crate) extensions: Vec<Extension>,
}

impl Template {
    /// A Name with one commonName.
    fn name(text: &str) -> Vec<u8> {
        tlv(0x30, &[&tlv(0x31, &[&tlv(0x30, &[&oid("2.5.4.3"), &utf8(text)])])])
    }

    fn time(at: Timestamp) -> Vec<u8> {
        tlv(0x17, &[at.strftime("%y%m%d%H%M%SZ").to_string().as_bytes()])
    }

    fn tbs(&self, algorithm: &[u8]) -> Vec<u8> {
        let extensions: Vec<Vec<u8>> = self.extensions.iter().map(Extension::der).collect();
        let extensions: Vec<&[u8]> = extensions.iter().map(Vec::as_slice).collect();
        tlv(
            0x30,
            &[
                &tlv(0xa0, &[&tlv(0x02, &[&[2]])]),
                &tlv(0x02, &[&[self.serial]]),
                algorithm,
                &Self::name(&self.issuer),
                &tlv(0x30, &[&Self::time(self.not_before), &Self::time(self.not_after)]),
                &Self::name(&self.subject),
                &self.spki,
                &tlv(0xa3, &[&tlv(0x30, &extensions)]),
            ],
        )
    }

    /// The certificate, DER.
    pub(crate) fn sign(&self, issuer: &Key) -> Vec<u8> {
        let tbs = self.tbs(&issuer.algorithm());
        tlv(0x30, &[&tbs, &issuer.algorithm(), &tlv(0x03, &[&[0], &issuer.sign(&tbs)])])
    }
}

/// Who signs, and what the authority says of them.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) key: Key,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    /// Usage, names and claims; in this order in the certificate.
    pub(crate) extensions: Vec<Extension>,
    /// The logs that promise to publish the certificate.
    pub(crate) logs: Vec<Key>,
}

impl Leaf {
    /// A person, by e-mail address.
    pub(crate) fn person(instance: &Instance, email: &str, issuer: &str) -> Self {
        Self::new(instance, Extension::email(email), vec![Extension::claim(1, issuer), Extension::claim(8, issuer)])
    }

    /// A workflow of GitHub's: `repository` is `OWNER/REPO`, `workflow` a path, `reference` as in `refs/tags/v1.2.3`.
    pub(crate) fn workflow(instance: &Instance, repository: &str, workflow: &str, reference: &str) -> Self {
        const ISSUER: &str = "https://token.actions.githubusercontent.com";
        const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
        let source = format!("https://github.com/{repository}");
        let signer = format!("{source}/{workflow}@{reference}");
        let owner = source.rsplit_once('/').expect("OWNER/REPO").0.to_owned();
        let run = format!("{source}/actions/runs/1/attempts/1");
        let texts = [
            (1, ISSUER),
            (2, "push"),
            (3, COMMIT),
            (4, "release"),
            (5, repository),
            (6, reference),
            (8, ISSUER),
            (9, &signer),
            (10, COMMIT),
            (11, "github-hosted"),
            (12, &source),
            (13, COMMIT),
            (14, reference),
            (15, "1"),
            (16, &owner),
            (17, "2"),
            (18, &signer),
            (19, COMMIT),
            (20, "push"),
            (21, &run),
            (22, "public"),
        ];
        let claims = texts.into_iter().map(|(number, text)| Extension::claim(number, text)).collect();
        Self::new(instance, Extension::uri(&signer), claims)
    }

    /// Of a key on P-256, for ten minutes around the instance's time, with a promise of its log.
    pub(crate) fn new(instance: &Instance, name: Vec<u8>, claims: Vec<Extension>) -> Self {
        let mut extensions = vec![Extension::usage(false, &["1.3.6.1.5.5.7.3.3"]), Extension::names(&[name])];
        extensions.extend(claims);
        Self {
            key: Key::new(Kind::P256, 101),
            not_before: instance.now - SignedDuration::from_mins(1),
            not_after: instance.now + SignedDuration::from_mins(9),
            extensions,
            logs: vec![instance.ct.clone()],
        }
    }

    /// Sets a claim of Fulcio's.
    pub(crate) fn claim(mut self, number: u8, text: &str) -> Self {
        let claim = Extension::claim(number, text);
        match self.extensions.iter_mut().find(|extension| extension.oid == claim.oid) {
            Some(extension) => *extension = claim,
            None => self.extensions.push(claim),
        }
        self
    }
}

/// What is signed.
#[derive(Clone)]
pub(crate) enum Content {
    /// An artifact, as a message signature.
    Message(Vec<u8>),
    /// A DSSE envelope: payload type and payload.
    Envelope(String, Vec<u8>),
}

impl Content {
    /// An in-toto statement in an envelope.
    pub(crate) fn statement(statement: &Value) -> Self {
        Self::Envelope("application/vnd.in-toto+json".to_owned(), statement.to_string().into_bytes())
    }

    /// What the signature is over: the artifact, or DSSE's pre-authentication encoding.
    pub(crate) fn signed(&self) -> Vec<u8> {
        match self {
            Self::Message(artifact) => artifact.clone(),
            Self::Envelope(kind, payload) => {
                let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
                [head.as_bytes(), payload].concat()
            }
        }
    }
}

/// Who signs.
#[derive(Clone)]
pub(crate) enum Signer {
    /// By certificate.
    Certificate(Leaf),
    /// By a key of one's own.
    Key(Key),
}

/// Which log, and what of it comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rekor {
    /// Version 1, with promise and proof.
    V1,
    /// Version 1, with the promise (SET) alone.
    Promise,
    /// Version 2.
    V2,
    /// None.
    None,
}

/// How a bundle is made.
#[derive(Clone)]
pub(crate) struct Recipe {
    /// 1 to 3: of the bundle's format, 0.N.
    pub(crate) version: u8,
    pub(crate) content: Content,
    pub(crate) signer: Signer,
    pub(crate) rekor: Rekor,
    /// Whether a timestamp comes along.
    pub(crate) stamped: bool,
    /// Of the log's tree.
    pub(crate) tree_size: usize,
    /// Of the entry in it.
    pub(crate) index: usize,
}

impl Recipe {
    /// Format 0.3, Rekor version 1, in a tree of 7.
    pub(crate) fn new(signer: Signer, content: Content) -> Self {
        Self { version: 3, content, signer, rekor: Rekor::V1, stamped: false, tree_size: 7, index: 4 }
    }

    /// With Rekor version 2, and the timestamp that it needs.
    pub(crate) fn v2(mut self) -> Self {
        self.rekor = Rekor::V2;
        self.stamped = true;
        self
    }
}

/// A Sigstore.
#[derive(Clone)]
pub(crate) struct Instance {
    /// When everything is signed.
    pub(crate) now: Timestamp,
    pub(crate) root: Key,
    pub(crate) intermediate: Key,
    /// The log of certificates.
    pub(crate) ct: Key,
    pub(crate) rekor: Key,
    pub(crate) rekor2: Key,
    pub(crate) tsa_root: Key,
    pub(crate) tsa: Key,
    /// Whether timestamps carry their signer's certificate.
    pub(crate) embedded: bool,
}

/// The hosts, which are the names in checkpoints.
const REKOR: &str = "rekor.example";
const REKOR2: &str = "log2026-1.rekor.example";

impl Instance {
    /// Two of seeds that are ten apart have no key in common.
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            now: NOW.parse().expect("a time"),
            root: Key::new(Kind::P384, seed),
            intermediate: Key::new(Kind::P384, seed + 1),
            ct: Key::new(Kind::P256, seed + 2),
            rekor: Key::new(Kind::P256, seed + 3),
            rekor2: Key::new(Kind::Ed25519, seed + 4),
            tsa_root: Key::new(Kind::P384, seed + 5),
            tsa: Key::new(Kind::P384, seed + 6),
            embedded: true,
        }
    }

    fn year(&self, key: &Key, issuer: &str, subject: &str, extensions: Vec<Extension>) -> Template {
        Template {
            serial: if issuer == subject { 1 } else { 7 },
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
            not_before: self.now - SignedDuration::from_hours(24 * 365),
            not_after: self.now + SignedDuration::from_hours(24 * 365),
            spki: key.spki(),
            extensions,
        }
    }

    /// The authority's root.
    pub(crate) fn root_template(&self) -> Template {
        self.year(&self.root, "root", "root", vec![Extension::ca(Some(1))])
    }

    /// Its intermediate.
    pub(crate) fn intermediate_template(&self) -> Template {
        let usage = Extension::usage(false, &["1.3.6.1.5.5.7.3.3"]);
        self.year(&self.intermediate, "root", "intermediate", vec![Extension::ca(Some(0)), usage])
    }

    /// The authority's certificates, DER: who issues, and the root.
    pub(crate) fn chain(&self) -> Vec<Vec<u8>> {
        vec![self.intermediate_template().sign(&self.root), self.root_template().sign(&self.root)]
    }

    /// The timestamp authority's root.
    pub(crate) fn tsa_root_template(&self) -> Template {
        self.year(&self.tsa_root, "tsa root", "tsa root", vec![Extension::ca(None)])
    }

    /// Its signer.
    pub(crate) fn tsa_template(&self) -> Template {
        self.year(&self.tsa, "tsa root", "tsa", vec![Extension::usage(true, &["1.3.6.1.5.5.7.3.8"])])
    }

    /// The timestamp authority's certificates, DER: its signer, and the root.
    pub(crate) fn tsa_chain(&self) -> Vec<Vec<u8>> {
        vec![self.tsa_template().sign(&self.tsa_root), self.tsa_root_template().sign(&self.tsa_root)]
    }

    /// trusted_root.json.
    pub(crate) fn trusted_root(&self) -> Value {
        let from = (self.now - SignedDuration::from_hours(24 * 365)).to_string();
        let log = |url: &str, key: &Key, id: &[u8]| {
            json!({
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64(&key.spki()), "keyDetails": key.details(), "validFor": { "start": from },
                },
                "logId": { "keyId": b64(id) },
            })
        };
        let authority = |uri: &str, chain: &[Vec<u8>]| {
            let certificates: Vec<Value> = chain.iter().map(|der| json!({ "rawBytes": b64(der) })).collect();
            json!({
                "subject": { "organization": "example", "commonName": uri },
                "uri": uri,
                "certChain": { "certificates": certificates },
                "validFor": { "start": from },
            })
        };
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [
                log(&format!("https://{REKOR}"), &self.rekor, &self.rekor.public().id()),
                log(&format!("https://{REKOR2}"), &self.rekor2, &self.rekor2_id()),
            ],
            "certificateAuthorities": [authority("https://fulcio.example", &self.chain())],
            "ctlogs": [log("https://ct.example", &self.ct, &self.ct.public().id())],
            "timestampAuthorities": [authority("https://tsa.example", &self.tsa_chain())],
        })
    }

    /// The certificate of a signer, DER, with the promises of its logs.
    pub(crate) fn issue(&self, leaf: &Leaf) -> Vec<u8> {
        let mut template = Template {
            serial: 9,
            issuer: "intermediate".to_owned(),
            subject: String::new(),
            not_before: leaf.not_before,
            not_after: leaf.not_after,
            spki: leaf.key.spki(),
            extensions: leaf.extensions.clone(),
        };
        if !leaf.logs.is_empty() {
            let tbs = template.tbs(&self.intermediate.algorithm());
            let promises: Vec<Vec<u8>> = leaf.logs.iter().map(|log| self.promise(log, &tbs, b"")).collect();
            template.extensions.push(Self::promises(&promises));
        }
        template.sign(&self.intermediate)
    }

    /// A log's promise (SCT) for a precertificate of the intermediate's.
    pub(crate) fn promise(&self, log: &Key, tbs: &[u8], extensions: &[u8]) -> Vec<u8> {
        let time = self.now.as_millisecond().to_be_bytes();
        let extensions = [&(extensions.len() as u16).to_be_bytes()[..], extensions].concat();
        let length = (tbs.len() as u32).to_be_bytes();
        let issuer = self.intermediate.public().id();
        let signed = [&[0, 0][..], &time, &[0, 1], &issuer, &length[1..], tbs, &extensions].concat();
        let signature = log.sign_with(Scheme::Ecdsa(Hash::Sha256), &signed);
        let length = (signature.len() as u16).to_be_bytes();
        [&[0][..], &log.public().id(), &time, &extensions, &[4, 3], &length, &signature].concat()
    }

    /// The extension with these promises.
    pub(crate) fn promises(promises: &[Vec<u8>]) -> Extension {
        let entries: Vec<u8> =
            promises.iter().flat_map(|promise| [&(promise.len() as u16).to_be_bytes()[..], promise].concat()).collect();
        let list = [&(entries.len() as u16).to_be_bytes()[..], &entries].concat();
        Extension::new("1.3.6.1.4.1.11129.2.4.2", false, tlv(0x04, &[&list]))
    }

    /// A timestamp over these bytes: a TimeStampResp.
    pub(crate) fn stamp(&self, signature: &[u8], at: Timestamp) -> Vec<u8> {
        self.stamp_by(Stamper::new(signature, at))
    }

    /// The same, to the last detail.
    pub(crate) fn stamp_by(&self, by: Stamper) -> Vec<u8> {
        let sha256 = tlv(0x30, &[&oid("2.16.840.1.101.3.4.2.1")]);
        let time = by.time.strftime("%Y%m%d%H%M%SZ").to_string();
        let info = tlv(
            0x30,
            &[
                &tlv(0x02, &[&[1]]),
                &oid("1.3.6.1.4.1.57264.2"),
                &tlv(0x30, &[&sha256, &tlv(0x04, &[&by.imprint])]),
                &tlv(0x02, &[&[5]]),
                &tlv(0x18, &[time.as_bytes()]),
                &by.info,
            ],
        );
        let (digest, hash) = match self.tsa {
            Key::P256(_) => (sha256, Hash::Sha256),
            Key::P384(_) => (tlv(0x30, &[&oid("2.16.840.1.101.3.4.2.2")]), Hash::Sha384),
            Key::P521(_) | Key::Ed25519(_) => (tlv(0x30, &[&oid("2.16.840.1.101.3.4.2.3")]), Hash::Sha512),
        };
        let attribute = |name: &str, value: &[u8]| tlv(0x30, &[&oid(name), &tlv(0x31, &[value])]);
        let certificate = self.tsa_template().sign(&self.tsa_root);
        let essential = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[&tlv(0x04, &[&Hash::Sha256.of(&certificate)])])])]);
        let mut attributes = vec![
            attribute("1.2.840.113549.1.9.3", &oid("1.2.840.113549.1.9.16.1.4")),
            attribute("1.2.840.113549.1.9.4", &tlv(0x04, &[&hash.of(&info)])),
            attribute("1.2.840.113549.1.9.16.2.47", &essential),
        ];
        (by.attributes)(&mut attributes);
        // A SET OF is sorted in DER.
        attributes.sort();
        let attributes: Vec<&[u8]> = attributes.iter().map(Vec::as_slice).collect();
        let signature = self.tsa.sign(&tlv(0x31, &attributes));
        let signer = tlv(
            0x30,
            &[
                &tlv(0x02, &[&[1]]),
                &tlv(0x30, &[&Template::name("tsa root"), &tlv(0x02, &[&[7]])]),
                &digest,
                &tlv(0xa0, &attributes),
                &self.tsa.algorithm(),
                &tlv(0x04, &[&signature]),
            ],
        );
        let mut embedded = by.certificates;
        if self.embedded {
            embedded.insert(0, certificate);
        }
        let certificates = if embedded.is_empty() { Vec::new() } else { tlv(0xa0, &[&embedded.concat()]) };
        let signers: Vec<&[u8]> = vec![&signer; by.signers];
        let data = tlv(
            0x30,
            &[
                &tlv(0x02, &[&[3]]),
                &tlv(0x31, &[&digest]),
                &tlv(0x30, &[&oid("1.2.840.113549.1.9.16.1.4"), &tlv(0xa0, &[&tlv(0x04, &[&info])])]),
                &certificates,
                &tlv(0x31, &signers),
            ],
        );
        let token = tlv(0x30, &[&oid("1.2.840.113549.1.7.2"), &tlv(0xa0, &[&data])]);
        tlv(0x30, &[&tlv(0x30, &[&tlv(0x02, &[&[by.status]])]), &token])
    }

    /// The ID of the version 2 log: the checkpoint key's, not cut off.
    fn rekor2_id(&self) -> Vec<u8> {
        let spki = self.rekor2.spki();
        // The SPKI of Ed25519 ends in the 32 bytes of the key.
        Sha256::digest([REKOR2.as_bytes(), b"\n\x01", &spki[spki.len() - 32..]].concat()).to_vec()
    }

    /// A log's signed checkpoint of a tree.
    pub(crate) fn checkpoint(&self, rekor: Rekor, size: usize, root: &[u8]) -> String {
        let (origin, name, key, id) = match rekor {
            Rekor::V2 => (REKOR2.to_owned(), REKOR2, &self.rekor2, self.rekor2_id()),
            _ => (format!("{REKOR} - 1"), REKOR, &self.rekor, self.rekor.public().id().to_vec()),
        };
        let text = format!("{origin}\n{size}\n{}\n", b64(root));
        let signature = [&id[..4], &key.sign(text.as_bytes())].concat();
        format!("{text}\n\u{2014} {name} {}\n", b64(&signature))
    }

    /// An entry of a log, as bundles have it, of these canonical bytes.
    pub(crate) fn entry(&self, recipe: &Recipe, kind: &str, version: &str, body: &[u8]) -> Value {
        let leaves: Vec<Vec<u8>> = (0..recipe.tree_size)
            .map(|at| if at == recipe.index { leaf_hash(body) } else { leaf_hash(format!("another {at}").as_bytes()) })
            .collect();
        let root = tree_hash(&leaves);
        let hashes: Vec<String> = audit_path(recipe.index, &leaves).iter().map(|hash| b64(hash)).collect();
        let index = recipe.index.to_string();
        let id = if recipe.rekor == Rekor::V2 { self.rekor2_id() } else { self.rekor.public().id().to_vec() };
        let mut entry = json!({
            "logIndex": index,
            "logId": { "keyId": b64(&id) },
            "kindVersion": { "kind": kind, "version": version },
            "canonicalizedBody": b64(body),
        });
        if recipe.rekor != Rekor::V2 {
            let promise = canonical(&json!({
                "body": b64(body),
                "integratedTime": self.now.as_second(),
                "logID": crate::hex::encode(&id),
                "logIndex": recipe.index,
            }));
            entry["integratedTime"] = json!(self.now.as_second().to_string());
            entry["inclusionPromise"] = json!({ "signedEntryTimestamp": b64(&self.rekor.sign(&promise)) });
        }
        if recipe.rekor != Rekor::Promise {
            entry["inclusionProof"] = json!({
                "logIndex": index,
                "rootHash": b64(&root),
                "treeSize": recipe.tree_size.to_string(),
                "hashes": hashes,
                "checkpoint": { "envelope": self.checkpoint(recipe.rekor, recipe.tree_size, &root) },
            });
        }
        entry
    }

    /// Signs, logs and stamps.
    pub(crate) fn bundle(&self, recipe: &Recipe) -> Value {
        let (key, certificate) = match &recipe.signer {
            Signer::Certificate(leaf) => (&leaf.key, Some(self.issue(leaf))),
            Signer::Key(key) => (key, None),
        };
        let signed = recipe.content.signed();
        let message = matches!(recipe.content, Content::Message(_));
        // Ed25519 goes into a log by its digest alone.
        let scheme = match key {
            Key::Ed25519(_) if message => Scheme::Ed25519ph,
            _ => key.public().default_scheme(),
        };
        let signature = key.sign_with(scheme, &signed);
        let hash = match scheme {
            Scheme::Ecdsa(hash) => hash,
            _ => Hash::Sha512,
        };
        let verifier_pem = certificate.as_ref().map_or_else(|| key.pem(), |der| pem("CERTIFICATE", der));
        let verifier_pem = b64(verifier_pem.as_bytes());

        let mut bundle = json!({
            "mediaType": match recipe.version {
                3 => "application/vnd.dev.sigstore.bundle.v0.3+json".to_owned(),
                older => format!("application/vnd.dev.sigstore.bundle+json;version=0.{older}"),
            },
            "verificationMaterial": {},
        });
        let (kind, version, spec) = match (&recipe.content, recipe.rekor) {
            (_, Rekor::V2) => {
                let holder = match &certificate {
                    Some(der) => ("x509Certificate", b64(der)),
                    None => ("publicKey", b64(&key.spki())),
                };
                let details = if scheme == Scheme::Ed25519ph { "PKIX_ED25519_PH" } else { key.details() };
                let algorithm = match hash {
                    Hash::Sha256 => "SHA2_256",
                    Hash::Sha384 => "SHA2_384",
                    Hash::Sha512 => "SHA2_512",
                };
                let mut verifier = json!({ "keyDetails": details });
                verifier[holder.0] = json!({ "rawBytes": holder.1 });
                let spec = json!({ "hashedRekordV002": {
                    "data": { "algorithm": algorithm, "digest": b64(&hash.of(&signed)) },
                    "signature": { "content": b64(&signature), "verifier": verifier },
                } });
                ("hashedrekord", "0.0.2", spec)
            }
            (Content::Message(_), _) => {
                let algorithm = match hash {
                    Hash::Sha256 => "sha256",
                    Hash::Sha384 => "sha384",
                    Hash::Sha512 => "sha512",
                };
                let spec = json!({
                    "data": { "hash": { "algorithm": algorithm, "value": crate::hex::encode(&hash.of(&signed)) } },
                    "signature": { "content": b64(&signature), "publicKey": { "content": verifier_pem } },
                });
                ("hashedrekord", "0.0.1", spec)
            }
            (Content::Envelope(payload_type, payload), _) => {
                let envelope = json!({
                    "payload": b64(payload), "payloadType": payload_type, "signatures": [{ "sig": b64(&signature) }],
                });
                let sha256 = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": crate::hex::encode(&Sha256::digest(bytes)) });
                let spec = json!({
                    "envelopeHash": sha256(&canonical(&envelope)),
                    "payloadHash": sha256(payload),
                    "signatures": [{ "signature": b64(&signature), "verifier": verifier_pem }],
                });
                ("dsse", "0.0.1", spec)
            }
        };
        match &recipe.content {
            Content::Message(_) => {
                let algorithm = match hash {
                    Hash::Sha256 => "SHA2_256",
                    Hash::Sha384 => "SHA2_384",
                    Hash::Sha512 => "SHA2_512",
                };
                bundle["messageSignature"] = json!({
                    "messageDigest": { "algorithm": algorithm, "digest": b64(&hash.of(&signed)) },
                    "signature": b64(&signature),
                });
            }
            Content::Envelope(payload_type, payload) => {
                bundle["dsseEnvelope"] = json!({
                    "payload": b64(payload), "payloadType": payload_type, "signatures": [{ "sig": b64(&signature) }],
                });
            }
        }
        let material = &mut bundle["verificationMaterial"];
        match &certificate {
            Some(der) if recipe.version == 3 => material["certificate"] = json!({ "rawBytes": b64(der) }),
            Some(der) => material["x509CertificateChain"] = json!({ "certificates": [{ "rawBytes": b64(der) }] }),
            None => material["publicKey"] = json!({ "hint": b64(&key.public().id()) }),
        }
        if recipe.rekor != Rekor::None {
            let body = canonical(&json!({ "apiVersion": version, "kind": kind, "spec": spec }));
            material["tlogEntries"] = json!([self.entry(recipe, kind, version, &body)]);
        }
        if recipe.stamped {
            material["timestampVerificationData"] =
                json!({ "rfc3161Timestamps": [{ "signedTimestamp": b64(&self.stamp(&signature, self.now)) }] });
        }
        bundle
    }
}

/// The details of a timestamp.
pub(crate) struct Stamper {
    pub(crate) time: Timestamp,
    /// The digest that is stamped.
    pub(crate) imprint: Vec<u8>,
    /// PKIStatus: 0 is granted.
    pub(crate) status: u8,
    /// Embedded after the signer's.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// How often the SignerInfo is there.
    pub(crate) signers: usize,
    /// More fields of TSTInfo.
    pub(crate) info: Vec<u8>,
    /// Changes the signed attributes.
    pub(crate) attributes: fn(&mut Vec<Vec<u8>>),
}

impl Stamper {
    /// A good one over these bytes.
    pub(crate) fn new(signature: &[u8], time: Timestamp) -> Self {
        let imprint = Hash::Sha256.of(signature);
        Self { time, imprint, status: 0, certificates: Vec::new(), signers: 1, info: Vec::new(), attributes: |_| {} }
    }
}

/// RFC 6962 section 2.1.
fn leaf_hash(data: &[u8]) -> Vec<u8> {
    Sha256::digest([&[0], data].concat()).to_vec()
}

fn split(leaves: &[Vec<u8>]) -> (&[Vec<u8>], &[Vec<u8>]) {
    leaves.split_at(leaves.len().next_power_of_two() / 2)
}

fn tree_hash(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [only] => only.clone(),
        _ => {
            let (left, right) = split(leaves);
            Sha256::digest([&[1][..], &tree_hash(left), &tree_hash(right)].concat()).to_vec()
        }
    }
}

/// Section 2.1.1.
fn audit_path(index: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = split(leaves);
    let (mut path, other) = if index < left.len() {
        (audit_path(index, left), tree_hash(right))
    } else {
        (audit_path(index - left.len(), right), tree_hash(left))
    };
    path.push(other);
    path
}

#[cfg(test)]
mod tests {
    use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy};

    use super::super::certificate::Certificate;
    use super::super::chain::{Anchors, Purpose};
    use super::super::root::{Authority, Log, Validity};
    use super::super::{sct, timestamp};
    use super::*;

    const STATEMENT: &str = "https://in-toto.io/Statement/v1";

    fn statement(artifact: &[u8]) -> Content {
        Content::statement(&json!({
            "_type": STATEMENT,
            "subject": [{ "name": "artifact", "digest": { "sha256": crate::hex::encode(&Sha256::digest(artifact)) } }],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {},
        }))
    }

    /// What sigstore-verify says.
    fn peer(instance: &Instance, recipe: &Recipe, bundle: &Value, artifact: &[u8]) -> Result<(), String> {
        crate::tuf::crypto::install();
        let root = sigstore_trust_root::TrustedRoot::from_json(&instance.trusted_root().to_string())
            .map_err(|e| e.to_string())?;
        let bundle = sigstore_types::Bundle::from_json(&bundle.to_string()).map_err(|e| e.to_string())?;
        let verified = match &recipe.signer {
            Signer::Certificate(_) => {
                sigstore_verify::verify(artifact, &bundle, &VerificationPolicy::any_identity(), &root)
            }
            Signer::Key(key) => {
                let key = sigstore_types::DerPublicKey::new(key.spki());
                sigstore_verify::verify(artifact, &bundle, &PublicKeyVerificationPolicy::new(key), &root)
            }
        };
        verified.map(|_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_peer_accepts_what_is_made_here() {
        let instance = Instance::new(1);
        let person = Signer::Certificate(Leaf::person(&instance, "a@example.com", "https://issuer.example"));
        let workflow =
            Signer::Certificate(Leaf::workflow(&instance, "o/r", ".github/workflows/w.yml", "refs/tags/v1.0.0"));
        let artifact = b"artifact".to_vec();
        for signer in [person, workflow, Signer::Key(Key::new(Kind::P256, 77))] {
            for content in [Content::Message(artifact.clone()), statement(&artifact)] {
                for (version, rekor, stamped, tree_size, index) in [
                    (3, Rekor::V1, false, 7, 4),
                    (2, Rekor::V1, false, 1, 0),
                    (2, Rekor::V1, true, 2, 1),
                    (1, Rekor::Promise, false, 1, 0),
                    (1, Rekor::V1, false, 8, 0),
                    (3, Rekor::V2, true, 5, 4),
                ] {
                    let recipe = Recipe {
                        version,
                        content: content.clone(),
                        signer: signer.clone(),
                        rekor,
                        stamped,
                        tree_size,
                        index,
                    };
                    let bundle = instance.bundle(&recipe);
                    let verdict = peer(&instance, &recipe, &bundle, &artifact);
                    assert_eq!(verdict, Ok(()), "0.{version} {rekor:?} {index} of {tree_size}: {bundle:#}");
                    assert!(peer(&Instance::new(11), &recipe, &bundle, &artifact).is_err(), "of another instance");
                    assert!(peer(&instance, &recipe, &bundle, b"another").is_err(), "of another artifact");
                }
            }
        }
    }

    #[test]
    fn the_same_recipe_gives_the_same_bundle() {
        let make = || {
            let instance = Instance::new(1);
            let leaf = Leaf::person(&instance, "a@example.com", "https://issuer.example");
            instance.bundle(&Recipe::new(Signer::Certificate(leaf), Content::Message(b"a".to_vec())).v2())
        };
        assert_eq!(make(), make());
    }

    /// What the public instance has issued, logged and stamped, under its own root.
    #[test]
    fn the_public_instances_certificate_and_timestamp_verify() {
        const CERTIFICATE: &[u8] = include_bytes!("../../tests/data/sigstore/real/certificate.der");
        const TIMESTAMP: &[u8] = include_bytes!("../../tests/data/sigstore/real/timestamp.tsr");
        const SIGNATURE: &[u8] = include_bytes!("../../tests/data/sigstore/real/signature.der");
        let root: Value = serde_json::from_str(sigstore_trust_root::SIGSTORE_PRODUCTION_TRUSTED_ROOT).expect("JSON");
        let bytes = |value: &Value| STANDARD.decode(value.as_str().expect("base64")).expect("base64");
        let validity = |value: &Value| Validity {
            start: value["start"].as_str().expect("a time").parse().expect("a time"),
            end: value["end"].as_str().map(|end| end.parse().expect("a time")),
        };
        let authorities = |name: &str| -> Vec<Authority> {
            let list = root[name].as_array().expect("a list").iter();
            list.map(|authority| Authority {
                uri: authority["uri"].to_string(),
                chain: authority["certChain"]["certificates"]
                    .as_array()
                    .expect("a list")
                    .iter()
                    .map(|certificate| bytes(&certificate["rawBytes"]))
                    .collect(),
                validity: validity(&authority["validFor"]),
            })
            .collect()
        };
        let logs: Vec<Log> = root["ctlogs"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|log| Log {
                base_url: log["baseUrl"].to_string(),
                id: bytes(&log["logId"]["keyId"]),
                key: PublicKey::from_spki(&bytes(&log["publicKey"]["rawBytes"])).expect("a key"),
                validity: validity(&log["publicKey"]["validFor"]),
                operator: None,
            })
            .collect();
        let stampers = Anchors::new(&authorities("timestampAuthorities"), Purpose::TimeStamping).expect("authorities");
        let stamp = timestamp::verify(TIMESTAMP, SIGNATURE, &stampers).expect("a timestamp");
        assert_eq!(stamp.time.to_string(), "2026-01-15T22:49:26Z");
        let certificate = Certificate::parse(CERTIFICATE).expect("a certificate");
        let issuers = Anchors::new(&authorities("certificateAuthorities"), Purpose::CodeSigning).expect("authorities");
        let logged = "2024-03-19T17:26:26Z".parse().expect("a time");
        let path = issuers.verify(&certificate, &[], logged).expect("a path");
        let scts = sct::verify(&certificate, &path.issuer_key_hash, &logs).expect("promises");
        assert_eq!(scts.len(), 1);
        insta::assert_debug_snapshot!(certificate.claims());
    }
}
