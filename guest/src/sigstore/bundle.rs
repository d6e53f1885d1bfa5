//! The bundle: a signature with what is needed to verify it, in one file (github.com/sigstore/protobuf-specs,
//! `dev.sigstore.bundle.v1.Bundle`).
//!
//! # Security argument
//!
//! A [`Bundle`] is parsed, not verified: [`super::signature`] does that. Its types hold one thing to verify with and one
//! thing that was signed, so that no reader can take one and the next another: exactly one of certificate, chain and
//! public key; exactly one of message signature and DSSE envelope; exactly one signature in the envelope.
//!
//! Nobody signs `mediaType`. The version that it names only ever *asks* for something (a promise in 0.1, a proof from 0.2,
//! a single certificate in 0.3): what is there is verified whatever it says, and a signature is graded by that.

use super::key::Hash;
use super::log::{Entry, EntryError};
use super::protojson::{Fields, FormatError};
use super::root::{certificate, certificates};

/// The most bytes of a bundle. A statement about a large build has some hundred kB, and is in its bundle twice.
pub const MAX_BYTES: usize = 8 << 20;
/// The most log entries (sigstore-go's limit): each may cost two signatures.
pub const MAX_ENTRIES: usize = 32;
/// The most timestamps (sigstore-go's limit): each may cost a certificate path.
pub const MAX_TIMESTAMPS: usize = 32;
/// The most certificates in a chain, the signer's included.
pub const MAX_CERTIFICATES: usize = 8;

/// What `mediaType` says, or that the parts come from before there were bundles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// cosign's older files ([`super::legacy`]).
    Legacy,
    /// 0.1: a promise of the log.
    V0_1,
    /// 0.2: a proof of the log.
    V0_2,
    /// 0.3: and no chain, as the intermediates are in the trusted root.
    V0_3,
}

impl Version {
    fn of(media_type: &str) -> Option<Self> {
        const OLD: &str = "application/vnd.dev.sigstore.bundle+json;version=";
        if let Some(version) = media_type.strip_prefix(OLD) {
            return [("0.1", Self::V0_1), ("0.2", Self::V0_2), ("0.3", Self::V0_3)]
                .into_iter()
                .find_map(|(name, known)| (version == name).then_some(known));
        }
        let version = media_type.strip_prefix("application/vnd.dev.sigstore.bundle.v")?.strip_suffix("+json")?;
        // Semantic versions: 0.3 and 0.3.N; the older ones were never named so, and sigstore-go takes them.
        let mut parts = version.splitn(3, '.');
        let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
        let number = !patch.is_empty()
            && patch.bytes().all(|byte| byte.is_ascii_digit())
            && (patch == "0" || !patch.starts_with('0'));
        match (major, minor, number) {
            ("0", "1", true) => Some(Self::V0_1),
            ("0", "2", true) => Some(Self::V0_2),
            ("0", "3", true) => Some(Self::V0_3),
            _ => None,
        }
    }
}

/// What the signature is verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Material {
    /// The signer's certificate, and certificates between it and an authority.
    Certificate {
        /// DER.
        leaf: Vec<u8>,
        /// DER, in the file's order, no root among them. They help to find a path and are not trusted.
        intermediates: Vec<Vec<u8>>,
    },
    /// A key that the verifier must have.
    PublicKey {
        /// What the signer says to find it; may be empty. It proves nothing.
        hint: String,
    },
}

/// A digest, as long as its algorithm's are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    algorithm: Hash,
    bytes: Vec<u8>,
}

impl Digest {
    /// By the algorithm's name in protobuf-specs (`SHA2_256`) or in Rekor (`sha256`). None for another algorithm, and for
    /// bytes of another length than the algorithm's.
    #[must_use]
    pub fn named(algorithm: &str, bytes: Vec<u8>) -> Option<Self> {
        let (algorithm, length) = match algorithm {
            "SHA2_256" | "sha256" => (Hash::Sha256, 32),
            "SHA2_384" | "sha384" => (Hash::Sha384, 48),
            "SHA2_512" | "sha512" => (Hash::Sha512, 64),
            _ => return None,
        };
        (bytes.len() == length).then_some(Self { algorithm, bytes })
    }

    /// By what.
    #[must_use]
    pub fn algorithm(&self) -> Hash {
        self.algorithm
    }

    /// The digest.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file.
    Message {
        /// What the signer says of its digest; none in [`Version::Legacy`]. A hint: it must agree, and proves nothing.
        digest: Option<Digest>,
        /// Over the file.
        signature: Vec<u8>,
    },
    /// A DSSE envelope.
    Envelope(Envelope),
}

impl Content {
    /// The signature's bytes, which timestamps are about.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        match self {
            Self::Message { signature, .. } => signature,
            Self::Envelope(envelope) => &envelope.signature,
        }
    }
}

/// A DSSE envelope with its one signature (github.com/secure-systems-lab/dsse).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The type of the payload; signed.
    pub payload_type: String,
    /// The payload; signed.
    pub payload: Vec<u8>,
    /// Over [`Envelope::signed`].
    pub signature: Vec<u8>,
}

impl Envelope {
    /// What is signed: DSSE's pre-authentication encoding of type and payload.
    #[must_use]
    pub fn signed(&self) -> Vec<u8> {
        let Self { payload_type, payload, .. } = self;
        let mut signed = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
        signed.extend_from_slice(payload);
        signed
    }
}

/// A bundle, or older files put together to one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// As it names itself.
    pub version: Version,
    /// What to verify with.
    pub material: Material,
    /// The logs' entries; no (log, index) twice, at most [`MAX_ENTRIES`].
    pub entries: Vec<Entry>,
    /// RFC 3161, DER; at most [`MAX_TIMESTAMPS`].
    pub timestamps: Vec<Vec<u8>>,
    /// What was signed.
    pub content: Content,
}

/// Why a file is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// It breaks the format, or asks for more than a limit.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// A log's entry is not of a known kind, or breaks its format.
    #[error("{at}: {error}")]
    Entry {
        /// Which.
        at: String,
        /// Why.
        error: EntryError,
    },
    /// One entry twice would count twice.
    #[error("{at} is the entry of an earlier element too")]
    DuplicateEntry {
        /// Which.
        at: String,
    },
}

impl Bundle {
    /// Reads a bundle of version 0.1 to 0.3.
    ///
    /// # Errors
    ///
    /// [`BundleError`], also for anything past a limit of this module.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        Self::read(Fields::read(bytes, MAX_BYTES)?)
    }

    pub(super) fn read(mut file: Fields) -> Result<Self, BundleError> {
        let media_type = file.text("mediaType")?;
        let Some(version) = Version::of(&media_type) else {
            return Err(FormatError::MediaType { found: media_type, known: "bundles of version 0.1 to 0.3" }.into());
        };
        let mut material = file.some_object("verificationMaterial")?;
        let entries = entries(&mut material)?;
        let timestamps = timestamps(&mut material)?;
        let at = material.path("x509CertificateChain");
        let (material, chain) = read_material(material)?;
        let content = content(&mut file)?;
        file.finish()?;

        for (i, entry) in entries.iter().enumerate() {
            let (missing, rule) = match version {
                Version::V0_1 => (entry.promise.is_none(), "version 0.1 asks for an inclusion promise"),
                _ => (entry.proof.is_none(), "version 0.2 and later ask for an inclusion proof"),
            };
            if missing {
                return Err(FormatError::Rule { at: format!("verificationMaterial.tlogEntries[{i}]"), rule }.into());
            }
        }
        if chain && version == Version::V0_3 {
            return Err(FormatError::Rule { at, rule: "version 0.3 has a single certificate, no chain" }.into());
        }
        Ok(Self { version, material, entries, timestamps, content })
    }
}

fn entries(material: &mut Fields) -> Result<Vec<Entry>, BundleError> {
    let mut entries: Vec<Entry> = Vec::new();
    for fields in material.objects("tlogEntries", MAX_ENTRIES)? {
        let at = fields.here();
        let entry = Entry::read(fields).map_err(|error| match error {
            // It says where by itself.
            EntryError::Format(error) => BundleError::Format(error),
            error => BundleError::Entry { at: at.clone(), error },
        })?;
        if entries.iter().any(|other| other.log_id == entry.log_id && other.index == entry.index) {
            return Err(BundleError::DuplicateEntry { at });
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn timestamps(material: &mut Fields) -> Result<Vec<Vec<u8>>, FormatError> {
    let Some(mut data) = material.object("timestampVerificationData")? else { return Ok(Vec::new()) };
    let mut timestamps = Vec::new();
    for mut stamp in data.objects("rfc3161Timestamps", MAX_TIMESTAMPS)? {
        timestamps.push(stamp.some_bytes("signedTimestamp")?);
        stamp.finish()?;
    }
    data.finish()?;
    Ok(timestamps)
}

/// The material, and whether it was written as a chain.
fn read_material(mut fields: Fields) -> Result<(Material, bool), FormatError> {
    let single = fields.object("certificate")?;
    let chain = fields.object("x509CertificateChain")?;
    let key = fields.object("publicKey")?;
    let at = fields.here();
    fields.finish()?;
    match (single, chain, key) {
        (Some(single), None, None) => {
            Ok((Material::Certificate { leaf: certificate(single)?, intermediates: Vec::new() }, false))
        }
        (None, Some(mut chain), None) => {
            let mut certificates = certificates(&mut chain, MAX_CERTIFICATES)?;
            chain.finish()?;
            // Never empty.
            let leaf = certificates.remove(0);
            Ok((Material::Certificate { leaf, intermediates: certificates }, true))
        }
        (None, None, Some(mut key)) => {
            let hint = key.text("hint")?;
            key.finish()?;
            Ok((Material::PublicKey { hint }, false))
        }
        (single, chain, key) => Err(FormatError::Choice {
            at,
            found: usize::from(single.is_some()) + usize::from(chain.is_some()) + usize::from(key.is_some()),
            choices: "certificate, x509CertificateChain and publicKey",
        }),
    }
}

fn content(file: &mut Fields) -> Result<Content, FormatError> {
    match (file.object("messageSignature")?, file.object("dsseEnvelope")?) {
        (Some(message), None) => read_message(message),
        (None, Some(envelope)) => read_envelope(envelope).map(Content::Envelope),
        (message, _) => Err(FormatError::Choice {
            at: file.here(),
            found: if message.is_some() { 2 } else { 0 },
            choices: "messageSignature and dsseEnvelope",
        }),
    }
}

fn read_message(mut fields: Fields) -> Result<Content, FormatError> {
    let signature = fields.some_bytes("signature")?;
    let mut digest = fields.some_object("messageDigest")?;
    fields.finish()?;
    let name = digest.some_text("algorithm")?;
    let bytes = digest.some_bytes("digest")?;
    let value = Digest::named(&name, bytes).filter(|_| name.starts_with("SHA2_"));
    let value = value.ok_or_else(|| digest.not("digest", "one by SHA2_256, SHA2_384 or SHA2_512"))?;
    digest.finish()?;
    Ok(Content::Message { digest: Some(value), signature })
}

/// A DSSE envelope, in a bundle or by itself.
pub(super) fn read_envelope(mut fields: Fields) -> Result<Envelope, FormatError> {
    let payload = fields.some_bytes("payload")?;
    let payload_type = fields.some_text("payloadType")?;
    let mut signatures = fields.objects("signatures", 1)?;
    let mut signature = signatures.pop().ok_or_else(|| fields.missing("signatures"))?;
    let bytes = signature.some_bytes("sig")?;
    // Nobody signs it, so nobody reads it.
    signature.text("keyid")?;
    signature.finish()?;
    fields.finish()?;
    Ok(Envelope { payload_type, payload, signature: bytes })
}
