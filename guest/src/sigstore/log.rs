//! Rekor: its entries, the promises and proofs that come with them, its checkpoints.
//!
//! # Security argument
//!
//! An entry counts for a signature by two checks that need each other:
//!
//! 1. `Entry::matches`: the entry's body, which is what the log committed to, names this signature, this certificate or
//!    key, and this digest. Without it, anyone's entry would prove anyone's signature (CVE-2026-22703).
//! 2. `verify`: the log did commit to that body. A *proof* leads from the body's hash to the root of a checkpoint that
//!    the log signed; a *promise* (signed entry timestamp) is only the log's word that it will. Whatever is there is
//!    verified, and a proof that fails is not made good by a promise, nor the other way round.
//!
//! A time is taken from an entry only where the log signed it: version 1's promise. A proof says nothing of time.
//!
//! Version 2 logs have one kind of entry, and its body follows from the signature alone: it is written anew and
//! compared as a whole (architecture-docs, rekor-v2-spec section 6.1.4).

use std::collections::BTreeSet;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::bundle::{Digest, Envelope};
use super::key::{Hash as HashAlgorithm, Kind, Message, PublicKey};
use super::protojson::{Fields, FormatError, STANDARD, base64};
use super::root::{Log, log_id};
use crate::hex;
use crate::sumdb::note::{ALGORITHM_ED25519, NoteError, SignedNote, hash_key};
use crate::sumdb::tlog::{self, HASH_BYTES, Hash, MAX_TREE_SIZE, ProofError, TreeHead};
use crate::tuf::json;

/// The most hashes in an inclusion proof: one for each level of the largest tree.
pub const MAX_PROOF: usize = 63;
/// The most bytes of a checkpoint: room for the signatures of some witnesses.
pub const MAX_CHECKPOINT: usize = 1 << 16;
/// The most entries in one answer of Rekor.
pub const MAX_ANSWER: usize = 1024;
/// The most bytes of an answer of Rekor.
pub const MAX_ANSWER_BYTES: usize = 16 << 20;

/// What an entry's body says was signed. `matches` compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    /// `hashedrekord` 0.0.1.
    Message { digest: Digest, signature: Vec<u8>, verifier: Vec<u8> },
    /// `dsse` 0.0.1 and `intoto` 0.0.2.
    Envelope { payload: [u8; 32], signature: Vec<u8>, verifier: Vec<u8> },
    /// `hashedrekord` 0.0.2: compared as a whole.
    V2,
}

/// An entry, read and not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The ID of the log that it is said to be of.
    pub log_id: Vec<u8>,
    /// Its number in the log: over all of its trees where it has several.
    pub index: u64,
    /// When version 1 took it, if the promise is good.
    pub integrated_time: Option<Timestamp>,
    /// What the log committed to.
    pub canonical_body: Vec<u8>,
    /// The log's promise.
    pub promise: Option<Vec<u8>>,
    /// The log's proof.
    pub proof: Option<Proof>,
    body: Body,
}

/// An inclusion proof with the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The entry's number in the tree.
    pub index: u64,
    /// From the leaf up.
    pub hashes: Vec<Hash>,
    /// Where it leads.
    pub checkpoint: Checkpoint,
}

/// A log's statement of its tree (c2sp.org/tlog-checkpoint), read and not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log, and for version 1 which tree of it: `rekor.sigstore.dev - 1193050959916656506`.
    pub origin: String,
    /// Size and root.
    pub tree: TreeHead,
    /// As it was received, signatures included.
    pub note: String,
    signed: SignedNote,
}

/// Why something is no entry of a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// It breaks the format.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// The body is of a kind that says nothing about signatures of files or statements, or is not known.
    #[error("an entry of kind {kind:?} {version:?} is not supported")]
    Kind {
        /// As it says.
        kind: String,
        /// As it says.
        version: String,
    },
    /// The body is of another kind than the entry says.
    #[error("the entry says that it is {said:?}, and its body that it is {found:?}")]
    KindMismatch {
        /// What the entry says.
        said: String,
        /// What the body says.
        found: String,
    },
    /// The body breaks the format of its kind.
    #[error("the body: {0}")]
    Body(FormatError),
    /// The checkpoint is no signed note, or its text no checkpoint.
    #[error("the checkpoint cannot be read: {0}")]
    Checkpoint(&'static str),
    /// The proof names another root or size than its checkpoint.
    #[error("the inclusion proof is for another tree than its checkpoint")]
    Tree,
    /// The answer gives an entry a name that is not its hash.
    #[error("the entry {uuid:?} has another hash than its name says")]
    Uuid {
        /// The name.
        uuid: String,
    },
}

impl Entry {
    /// `dev.sigstore.rekor.v1.TransparencyLogEntry`.
    pub(super) fn read(mut fields: Fields) -> Result<Self, EntryError> {
        let index = fields.count("logIndex")?;
        let log_id = log_id(&mut fields, "logId")?.ok_or_else(|| fields.missing("logId"))?;
        let mut kind = fields.some_object("kindVersion")?;
        let said = format!("{} {}", kind.some_text("kind")?, kind.some_text("version")?);
        kind.finish()?;
        let integrated_time = seconds(&mut fields, "integratedTime")?;
        let promise = match fields.object("inclusionPromise")? {
            None => None,
            Some(mut promise) => {
                let bytes = promise.some_bytes("signedEntryTimestamp")?;
                promise.finish()?;
                Some(bytes)
            }
        };
        let proof = fields.object("inclusionProof")?.map(Proof::read).transpose()?;
        let canonical_body = fields.some_bytes("canonicalizedBody")?;
        fields.finish()?;
        let (body, found) = read_body(&canonical_body)?;
        if said != found {
            return Err(EntryError::KindMismatch { said, found });
        }
        Ok(Self { log_id, index, integrated_time, canonical_body, promise, proof, body })
    }

    /// What Rekor's version 1 interface answers to `GET /api/v1/log/entries` and `POST /api/v1/log/entries/retrieve`:
    /// an object of entries by name, or a list of such objects. An entry's name ends in its hash, and is held against
    /// it.
    ///
    /// # Errors
    ///
    /// [`EntryError`], also for more than [`MAX_ANSWER`] entries or [`MAX_ANSWER_BYTES`] bytes.
    pub fn answer(bytes: &[u8]) -> Result<Vec<(String, Self)>, EntryError> {
        let objects = match answer(bytes)? {
            Value::Array(values) => values,
            value => vec![value],
        };
        let mut entries = Vec::new();
        for object in objects {
            let Value::Object(object) = object else {
                return Err(FormatError::Not { at: "the answer".to_owned(), expected: "an object of entries" }.into());
            };
            for (uuid, entry) in object {
                if entries.len() == MAX_ANSWER {
                    let at = "the answer".to_owned();
                    return Err(FormatError::TooMany { at, found: MAX_ANSWER + 1, limit: MAX_ANSWER }.into());
                }
                let entry = Self::read_answer(Fields::of(entry, uuid.clone())?)?;
                if uuid_hash(&uuid) != Some(tlog::record_hash(&entry.canonical_body)) {
                    return Err(EntryError::Uuid { uuid });
                }
                entries.push((uuid, entry));
            }
        }
        Ok(entries)
    }

    /// One entry of an answer. Other fields than those that are needed may be there: `attestation` is.
    fn read_answer(mut fields: Fields) -> Result<Self, EntryError> {
        let mut entry = Self::read_payload(&mut fields)?;
        if let Some(mut verification) = fields.object("verification")? {
            entry.promise = Some(verification.bytes("signedEntryTimestamp")?).filter(|bytes| !bytes.is_empty());
            entry.proof = verification.object("inclusionProof")?.map(Proof::read_answer).transpose()?;
        }
        Ok(entry)
    }

    /// What version 1 signs of an entry, as its interface and cosign's older files write it.
    pub(super) fn read_payload(fields: &mut Fields) -> Result<Self, EntryError> {
        let index = fields.count("logIndex")?;
        let id = fields.some_text("logID")?;
        let log_id = hex::decode(&id).ok_or_else(|| fields.not("logID", "hexadecimal"))?;
        let integrated_time = seconds(fields, "integratedTime")?;
        let canonical_body = fields.some_bytes("body")?;
        let (body, _) = read_body(&canonical_body)?;
        Ok(Self { log_id, index, integrated_time, canonical_body, promise: None, proof: None, body })
    }

    /// Whether the log is of version 2, which promises nothing and knows no times.
    #[must_use]
    pub fn is_v2(&self) -> bool {
        self.body == Body::V2
    }

    /// The digest that the body names, and thus the algorithm that was signed by: version 1's, of a file.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match &self.body {
            Body::Message { digest, .. } => Some(digest),
            _ => None,
        }
    }

    /// Whether the entry is of this signature.
    ///
    /// # Errors
    ///
    /// The part that differs.
    pub(super) fn matches(&self, subject: &Subject<'_>) -> Result<(), LogError> {
        let (signature, verifier) = match (&self.body, &subject.signed) {
            (Body::V2, signed) => {
                let expected = details(subject.key).and_then(|(details, hash)| {
                    signed.digest_v2(hash).map(|digest| body_v2(details, hash, &digest, subject))
                });
                return match expected {
                    Some(expected) if expected.as_bytes() == self.canonical_body => Ok(()),
                    _ => Err(LogError::Other { what: "signature, signer or digest" }),
                };
            }
            (Body::Message { digest, signature, verifier }, Signed::Message(message)) => {
                if message.digest(digest.algorithm()).ok().as_deref() != Some(digest.as_bytes()) {
                    return Err(LogError::Other { what: "digest" });
                }
                (signature, verifier)
            }
            (Body::Envelope { payload, signature, verifier }, Signed::Envelope(envelope)) => {
                if Sha256::digest(&envelope.payload)[..] != *payload {
                    return Err(LogError::Other { what: "payload" });
                }
                (signature, verifier)
            }
            _ => return Err(LogError::Other { what: "kind of content" }),
        };
        if signature != subject.signature {
            return Err(LogError::Other { what: "signature" });
        }
        if verifier != subject.verifier() {
            return Err(LogError::Other { what: "signer" });
        }
        Ok(())
    }
}

/// The names of entries that `POST /api/v1/index/retrieve` answers with: version 1's search by hash.
///
/// # Errors
///
/// [`EntryError`], also for more than [`MAX_ANSWER`] names and for anything that is no name.
pub fn search_answer(bytes: &[u8]) -> Result<Vec<String>, EntryError> {
    let not = || FormatError::Not { at: "the answer".to_owned(), expected: "a list of entries' names" };
    let Value::Array(values) = answer(bytes)? else { return Err(not().into()) };
    if values.len() > MAX_ANSWER {
        let at = "the answer".to_owned();
        return Err(FormatError::TooMany { at, found: values.len(), limit: MAX_ANSWER }.into());
    }
    let name = |value| match value {
        Value::String(uuid) if uuid_hash(&uuid).is_some() => Some(uuid),
        _ => None,
    };
    values.into_iter().map(name).collect::<Option<_>>().ok_or_else(|| not().into())
}

/// The hashes that `GET /api/v1/log/proof` answers with: version 1's proof that one tree is a prefix of another.
///
/// # Errors
///
/// [`EntryError`], also for more than [`MAX_PROOF`].
pub fn read_consistency(bytes: &[u8]) -> Result<Vec<Hash>, EntryError> {
    let not = || FormatError::Not { at: "hashes".to_owned(), expected: "a list of hashes" };
    let mut value = answer(bytes)?;
    let Some(Value::Array(hashes)) = value.get_mut("hashes").map(Value::take) else { return Err(not().into()) };
    if hashes.len() > MAX_PROOF {
        let at = "hashes".to_owned();
        return Err(FormatError::TooMany { at, found: hashes.len(), limit: MAX_PROOF }.into());
    }
    let one = |value: &Value| value.as_str().and_then(hex::decode).and_then(hash);
    hashes.iter().map(one).collect::<Option<_>>().ok_or_else(|| not().into())
}

fn answer(bytes: &[u8]) -> Result<Value, FormatError> {
    if bytes.len() > MAX_ANSWER_BYTES {
        return Err(FormatError::TooLarge { found: bytes.len(), limit: MAX_ANSWER_BYTES });
    }
    Ok(json::parse(bytes)?)
}

/// The hash in an entry's name: 64 hexadecimal digits, after 16 of the tree's number or alone.
fn uuid_hash(uuid: &str) -> Option<Hash> {
    let bytes = hex::decode(uuid).filter(|bytes| matches!(bytes.len(), 32 | 40))?;
    bytes[bytes.len() - HASH_BYTES..].try_into().ok().map(Hash)
}

/// Unix seconds; 0 is none, as protocol buffers do not tell the two apart and no log is that old.
fn seconds(fields: &mut Fields, name: &str) -> Result<Option<Timestamp>, FormatError> {
    let seconds = fields.count(name)?;
    if seconds == 0 {
        return Ok(None);
    }
    let time = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.map(Some).ok_or_else(|| fields.not(name, "a time in seconds"))
}

impl Proof {
    fn read(mut fields: Fields) -> Result<Self, EntryError> {
        let index = fields.count("logIndex")?;
        let size = fields.count("treeSize")?;
        let root = fields.some_bytes("rootHash")?;
        let mut hashes = Vec::new();
        for (value, at) in fields.list("hashes", MAX_PROOF)? {
            hashes.push(value.as_str().and_then(base64).and_then(hash).ok_or(not_a_hash(at))?);
        }
        let mut checkpoint = fields.some_object("checkpoint")?;
        let note = checkpoint.some_text("envelope")?;
        checkpoint.finish()?;
        fields.finish()?;
        Self::new(index, size, &root, hashes, note)
    }

    /// As Rekor's interface has it: hexadecimal.
    fn read_answer(mut fields: Fields) -> Result<Self, EntryError> {
        let index = fields.count("logIndex")?;
        let size = fields.count("treeSize")?;
        let root = hex::decode(&fields.some_text("rootHash")?).unwrap_or_default();
        let mut hashes = Vec::new();
        for (value, at) in fields.list("hashes", MAX_PROOF)? {
            hashes.push(value.as_str().and_then(hex::decode).and_then(hash).ok_or(not_a_hash(at))?);
        }
        let note = fields.some_text("checkpoint")?;
        Self::new(index, size, &root, hashes, note)
    }

    fn new(index: u64, size: u64, root: &[u8], hashes: Vec<Hash>, note: String) -> Result<Self, EntryError> {
        let checkpoint = Checkpoint::parse(note)?;
        if checkpoint.tree.size != size || checkpoint.tree.root.0 != root {
            return Err(EntryError::Tree);
        }
        Ok(Self { index, hashes, checkpoint })
    }
}

fn hash(bytes: Vec<u8>) -> Option<Hash> {
    bytes.try_into().ok().map(Hash)
}

fn not_a_hash(at: String) -> FormatError {
    FormatError::Not { at, expected: "a hash of 32 bytes" }
}

impl Checkpoint {
    /// Reads a signed note whose text begins with origin, size and root, each on a line of its own.
    ///
    /// # Errors
    ///
    /// [`EntryError::Checkpoint`].
    pub fn parse(note: String) -> Result<Self, EntryError> {
        if note.len() > MAX_CHECKPOINT {
            return Err(EntryError::Checkpoint("it is too long"));
        }
        let signed = SignedNote::parse(note.as_bytes())
            .map_err(|_: NoteError| EntryError::Checkpoint("it is no signed note"))?;
        let mut lines = signed.text.split('\n');
        let mut line = || lines.next().filter(|line| !line.is_empty());
        let origin = line().ok_or(EntryError::Checkpoint("its origin is missing"))?.to_owned();
        let size = line().and_then(decimal).ok_or(EntryError::Checkpoint("its second line is no tree size"))?;
        let root = line().and_then(|line| line.parse().ok());
        let root = root.ok_or(EntryError::Checkpoint("its third line is no root hash"))?;
        Ok(Self { origin, tree: TreeHead { size, root }, note, signed })
    }
}

/// A size, in digits and nothing else.
fn decimal(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|size| canonical && *size <= MAX_TREE_SIZE)
}

/// The body and its kind with version, `hashedrekord 0.0.1`.
fn read_body(bytes: &[u8]) -> Result<(Body, String), EntryError> {
    let object = match json::parse(bytes) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(EntryError::Body(FormatError::Not { at: "it".to_owned(), expected: "an object" })),
        Err(error) => return Err(EntryError::Body(error.into())),
    };
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (kind, version) = (text("kind"), text("apiVersion"));
    let found = format!("{kind} {version}");
    let body = match (kind, version) {
        ("hashedrekord", "0.0.1") => message_body(&object),
        ("dsse", "0.0.1") => dsse_body(&object),
        ("intoto", "0.0.2") => intoto_body(&object),
        ("hashedrekord", "0.0.2") => Ok(Body::V2),
        _ => return Err(EntryError::Kind { kind: kind.to_owned(), version: version.to_owned() }),
    };
    Ok((body.map_err(EntryError::Body)?, found))
}

/// What `path`, dotted, leads to in an object: text.
fn text_at<'a>(object: &'a Map<String, Value>, path: &str) -> Result<&'a str, FormatError> {
    let mut names = path.split('.');
    let first = names.next().and_then(|name| object.get(name));
    let value = names.fold(first, |value, name| value?.get(name)).and_then(Value::as_str);
    value.ok_or_else(|| FormatError::Missing { at: path.to_owned() })
}

fn bytes_at(object: &Map<String, Value>, path: &str) -> Result<Vec<u8>, FormatError> {
    base64(text_at(object, path)?).ok_or_else(|| FormatError::Not { at: path.to_owned(), expected: "base64" })
}

/// The DER in the PEM in the base64: a certificate or a public key.
fn verifier_at(object: &Map<String, Value>, path: &str) -> Result<Vec<u8>, FormatError> {
    match pem::parse(bytes_at(object, path)?) {
        Ok(block) if matches!(block.tag(), "CERTIFICATE" | "PUBLIC KEY") => Ok(block.into_contents()),
        _ => Err(FormatError::Not { at: path.to_owned(), expected: "a certificate or a public key in PEM" }),
    }
}

/// The digest, in hexadecimal, of the algorithm beside it.
fn digest_at(object: &Map<String, Value>, path: &str) -> Result<Digest, FormatError> {
    let algorithm = text_at(object, &format!("{path}.algorithm"))?;
    let bytes = hex::decode(text_at(object, &format!("{path}.value"))?);
    let digest = bytes.and_then(|bytes| Digest::named(algorithm, bytes));
    digest.ok_or_else(|| FormatError::Not { at: path.to_owned(), expected: "a digest by sha256, sha384 or sha512" })
}

fn payload_at(object: &Map<String, Value>, path: &str) -> Result<[u8; 32], FormatError> {
    let digest = digest_at(object, path)?;
    digest.as_bytes().try_into().map_err(|_| FormatError::Not { at: path.to_owned(), expected: "a digest by sha256" })
}

/// The one element of the list that `path` leads to. Several signatures of one envelope are several entries' matter.
fn only_at<'a>(object: &'a Map<String, Value>, path: &str) -> Result<&'a Map<String, Value>, FormatError> {
    let mut names = path.split('.');
    let first = names.next().and_then(|name| object.get(name));
    let list = names.fold(first, |value, name| value?.get(name));
    match list.and_then(Value::as_array).map(Vec::as_slice) {
        Some([Value::Object(only)]) => Ok(only),
        _ => Err(FormatError::Not { at: path.to_owned(), expected: "a list of one object" }),
    }
}

fn message_body(object: &Map<String, Value>) -> Result<Body, FormatError> {
    Ok(Body::Message {
        digest: digest_at(object, "spec.data.hash")?,
        signature: bytes_at(object, "spec.signature.content")?,
        verifier: verifier_at(object, "spec.signature.publicKey.content")?,
    })
}

fn dsse_body(object: &Map<String, Value>) -> Result<Body, FormatError> {
    let only = only_at(object, "spec.signatures")?;
    Ok(Body::Envelope {
        payload: payload_at(object, "spec.payloadHash")?,
        signature: bytes_at(only, "signature")?,
        verifier: verifier_at(only, "verifier")?,
    })
}

fn intoto_body(object: &Map<String, Value>) -> Result<Body, FormatError> {
    let only = only_at(object, "spec.content.envelope.signatures")?;
    let not = || FormatError::Not { at: "sig".to_owned(), expected: "base64 of base64" };
    let sig = String::from_utf8(bytes_at(only, "sig")?).map_err(|_| not())?;
    Ok(Body::Envelope {
        payload: payload_at(object, "spec.content.payloadHash")?,
        signature: base64(&sig).ok_or_else(not)?,
        verifier: verifier_at(only, "publicKey")?,
    })
}

/// A signature, as a log's entry must name it.
pub(super) struct Subject<'a> {
    /// Over what.
    pub(super) signed: Signed<'a>,
    /// The signature.
    pub(super) signature: &'a [u8],
    /// The signer's key.
    pub(super) key: &'a PublicKey,
    /// The certificate that it is from, DER.
    pub(super) certificate: Option<&'a [u8]>,
}

impl Subject<'_> {
    /// What entries name the signer by, DER: the certificate, or the key where there is none.
    fn verifier(&self) -> &[u8] {
        self.certificate.unwrap_or_else(|| self.key.spki())
    }
}

/// What was signed.
pub(super) enum Signed<'a> {
    /// A file.
    Message(Message<'a>),
    /// An envelope.
    Envelope(&'a Envelope),
}

impl Signed<'_> {
    /// The digest that version 2 keeps: by the key's hash, of the file or of what is signed of the envelope.
    fn digest_v2(&self, hash: HashAlgorithm) -> Option<Vec<u8>> {
        match self {
            Self::Message(message) => message.digest(hash).ok(),
            Self::Envelope(envelope) => Some(hash.of(&envelope.signed())),
        }
    }
}

/// The body of a version 2 entry: canonical JSON (RFC 8785) of `hashedrekord` 0.0.2, whose fields need no escapes.
fn body_v2(details: &str, hash: HashAlgorithm, digest: &[u8], subject: &Subject<'_>) -> String {
    let algorithm = match hash {
        HashAlgorithm::Sha256 => "SHA2_256",
        HashAlgorithm::Sha384 => "SHA2_384",
        HashAlgorithm::Sha512 => "SHA2_512",
    };
    let [digest, signature, verifier] =
        [digest, subject.signature, subject.verifier()].map(|bytes| STANDARD.encode(bytes));
    let verifier_kind = if subject.certificate.is_some() { "x509Certificate" } else { "publicKey" };
    format!(
        r#"{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":{{"algorithm":"{algorithm}","digest":"{digest}"}},"signature":{{"content":"{signature}","verifier":{{"keyDetails":"{details}","{verifier_kind}":{{"rawBytes":"{verifier}"}}}}}}}}}}}}"#
    )
}

/// How version 2 names the algorithm of a key, and its hash: the algorithm registry's usual one for the key. None where
/// the registry has none.
fn details(key: &PublicKey) -> Option<(&'static str, HashAlgorithm)> {
    Some(match key.kind() {
        Kind::P256 => ("PKIX_ECDSA_P256_SHA_256", HashAlgorithm::Sha256),
        Kind::P384 => ("PKIX_ECDSA_P384_SHA_384", HashAlgorithm::Sha384),
        Kind::P521 => ("PKIX_ECDSA_P521_SHA_512", HashAlgorithm::Sha512),
        Kind::Ed25519 => ("PKIX_ED25519_PH", HashAlgorithm::Sha512),
        // A key of these many bits, with the exponent 65537, is as long as this.
        Kind::Rsa => match key.spki().len() {
            294 => ("PKIX_RSA_PKCS1V15_2048_SHA256", HashAlgorithm::Sha256),
            422 => ("PKIX_RSA_PKCS1V15_3072_SHA256", HashAlgorithm::Sha256),
            550 => ("PKIX_RSA_PKCS1V15_4096_SHA256", HashAlgorithm::Sha256),
            _ => return None,
        },
    })
}

/// Why a log's entry does not show that the log has the signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The entry is another signature's.
    #[error("the entry is for another {what} than the one that is to be verified")]
    Other {
        /// What differs.
        what: &'static str,
    },
    /// Nothing of the log's comes with the entry.
    #[error("the entry comes with neither a promise nor a proof of the log")]
    Bare,
    /// A promise without a time, or of a version 2 log, which makes none.
    #[error("a promise (signed entry timestamp) needs a time of integration, and a log of version 1")]
    PromiseForm,
    /// The promise is not the log's.
    #[error("the log's promise (signed entry timestamp) does not verify with the log's key")]
    Promise,
    /// The log's key was not believed at the time that it signed.
    #[error("the entry was integrated at {at}, when the trusted root does not trust the log")]
    KeyTime {
        /// When.
        at: Timestamp,
    },
    /// The time lies ahead.
    #[error("the entry was integrated at {at}, which is still to come: check the clock")]
    Future {
        /// When.
        at: Timestamp,
    },
    /// The checkpoint is another log's, or of another version.
    #[error("the checkpoint is of {found:?}, not of {expected:?}")]
    Origin {
        /// The log's name.
        expected: String,
        /// As the checkpoint says.
        found: String,
    },
    /// No signature of the checkpoint is by the log's key.
    #[error("the log has not signed the checkpoint")]
    Unsigned,
    /// The log's signature is wrong.
    #[error("the log's signature of the checkpoint does not verify")]
    CheckpointSignature,
    /// Version 2 has one tree, so that both numbers are one.
    #[error("the entry is number {entry} of the log, and its proof is for number {proof}")]
    Index {
        /// The entry's.
        entry: u64,
        /// The proof's.
        proof: u64,
    },
    /// The proof does not lead to the checkpoint's root.
    #[error("the inclusion proof fails: {0}")]
    Proof(#[from] ProofError),
}

/// What a log has shown of an entry. Made by `verify` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The log's ID.
    pub log_id: Vec<u8>,
    /// Its base URL.
    pub log: String,
    /// Who runs it.
    pub operator: String,
    /// The entry's number.
    pub index: u64,
    /// When the log took it, by its promise.
    pub integrated_time: Option<Timestamp>,
    /// The checkpoint that the entry is proven to be under; none: the log only promised.
    pub checkpoint: Option<Checkpoint>,
}

/// Checkpoints whose signature was verified in this run: many entries come with the same one.
#[derive(Debug, Default)]
pub struct Checkpoints {
    /// SHA-256 over the log's ID, its length before it, and the note.
    verified: BTreeSet<[u8; 32]>,
}

#[cfg(test)]
impl Checkpoints {
    pub(super) fn count(&self) -> usize {
        self.verified.len()
    }
}

/// Verifies what comes with an entry of `log`: a promise, a proof, or both.
///
/// # Errors
///
/// [`LogError`], for the first thing that is wrong.
pub(super) fn verify(entry: &Entry, log: &Log, now: Timestamp, known: &mut Checkpoints) -> Result<Logged, LogError> {
    if entry.promise.is_none() && entry.proof.is_none() {
        return Err(LogError::Bare);
    }
    let mut logged = Logged {
        log_id: log.id.clone(),
        log: log.base_url.clone(),
        operator: log.operator().to_owned(),
        index: entry.index,
        integrated_time: None,
        checkpoint: None,
    };
    if let Some(promise) = &entry.promise {
        let at = entry.integrated_time.filter(|_| !entry.is_v2()).ok_or(LogError::PromiseForm)?;
        if at > now {
            return Err(LogError::Future { at });
        }
        if !log.validity.contains(at) {
            return Err(LogError::KeyTime { at });
        }
        // Canonical JSON (RFC 8785): base64, decimal and hexadecimal need no escapes.
        let promised = format!(
            r#"{{"body":"{}","integratedTime":{},"logID":"{}","logIndex":{}}}"#,
            STANDARD.encode(&entry.canonical_body),
            at.as_second(),
            hex::encode(&entry.log_id),
            entry.index
        );
        if !signed_by(&log.key, promised.as_bytes(), promise) {
            return Err(LogError::Promise);
        }
        logged.integrated_time = Some(at);
    }
    if let Some(proof) = &entry.proof {
        if entry.is_v2() && proof.index != entry.index {
            return Err(LogError::Index { entry: entry.index, proof: proof.index });
        }
        let record = tlog::record_hash(&entry.canonical_body);
        tlog::verify_inclusion(&record, proof.index, &proof.checkpoint.tree, &proof.hashes)?;
        verify_checkpoint(&proof.checkpoint, log, entry.is_v2(), known)?;
        logged.checkpoint = Some(proof.checkpoint.clone());
    }
    Ok(logged)
}

/// Verifies that `log` signed a checkpoint, as a log of version 1 or 2 does. Witnesses' signatures are passed over.
///
/// # Errors
///
/// [`LogError::Origin`], [`LogError::Unsigned`], [`LogError::CheckpointSignature`].
pub fn verify_checkpoint(
    checkpoint: &Checkpoint,
    log: &Log,
    v2: bool,
    known: &mut Checkpoints,
) -> Result<(), LogError> {
    let Checkpoint { origin, note, signed, .. } = checkpoint;
    // Version 1 names host and tree; host names have changed over the years, and the key is the same for all trees.
    let expected = if v2 { log.host() } else { "HOST - TREE" };
    let fits = if v2 { origin == expected && !expected.is_empty() } else { is_v1_origin(origin) };
    if !fits {
        return Err(LogError::Origin { expected: expected.to_owned(), found: origin.clone() });
    }
    let id_length = (log.id.len() as u64).to_be_bytes();
    let digest = Sha256::new().chain_update(id_length).chain_update(&log.id).chain_update(note).finalize().into();
    if known.verified.contains(&digest) {
        return Ok(());
    }
    let key_hash = key_hash(&log.key, origin, v2);
    let mut signatures = signed.signatures.iter();
    let ours = signatures.find(|signature| signature.key_hash == key_hash && (!v2 || signature.name == *origin));
    let signature = ours.ok_or(LogError::Unsigned)?;
    if !signed_by(&log.key, signed.text.as_bytes(), &signature.bytes) {
        return Err(LogError::CheckpointSignature);
    }
    known.verified.insert(digest);
    Ok(())
}

/// `rekor.sigstore.dev - 1193050959916656506`.
fn is_v1_origin(origin: &str) -> bool {
    origin.rsplit_once(" - ").is_some_and(|(host, tree)| {
        !host.is_empty() && !tree.is_empty() && tree.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The hash that tells signature lines of this key from others: four bytes of SHA-256, over the key for version 1 and
/// for ECDSA, over name and key for others (c2sp.org/signed-note).
fn key_hash(key: &PublicKey, name: &str, v2: bool) -> u32 {
    if v2 && key.kind() == Kind::Ed25519 {
        // The SPKI ends in the 32 bytes of the key.
        let mut encoded = vec![ALGORITHM_ED25519];
        encoded.extend_from_slice(&key.spki()[key.spki().len() - 32..]);
        return hash_key(name, &encoded);
    }
    let id = key.id();
    u32::from_be_bytes([id[0], id[1], id[2], id[3]])
}

/// Whether a log signed this.
fn signed_by(key: &PublicKey, content: &[u8], signature: &[u8]) -> bool {
    key.verify(key.default_scheme(), Message::Bytes(content), signature).is_ok()
}
