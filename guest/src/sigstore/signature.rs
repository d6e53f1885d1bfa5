//! From a bundle and a trusted root to what is proven.
//!
//! # Security argument
//!
//! A [`Proven`] is made by [`Verifier::verify`] alone. Whoever holds one knows that
//!
//! 1. one key signed the file, or the statement that it carries;
//! 2. that key is the one that the caller named, or the one of a certificate that an authority of the root issued, and
//!    that was valid at *every* time that a log or a timestamp authority of the root vouches for, of which there is
//!    one;
//! 3. as many logs, timestamps and certificate logs as were asked for vouch for it, each counted once however often it
//!    speaks;
//! 4. everything in the bundle that speaks for the signature is true: a promise, proof or timestamp that fails refuses
//!    the whole bundle, whether it was needed or not. Only an entry of a log that the root does not have is passed
//!    over, as nobody can say anything about it. (What certificate logs promise is looked at where some are asked for:
//!    that is what cosign's `--insecure-ignore-sct` means.)
//!
//! What is proven is what was verified, never what the bundle says of itself: a bundle whose `mediaType` is rewritten
//! to one that asks for less is verified as before.
//!
//! *Who* signed is not judged here: [`super::identity`] does, over [`Proven::signer`]. Nothing here asks a clock: `now`
//! comes from the caller, and only keeps away times that are still to come.
//!
//! No signature that verifies is checked twice for one bundle: the certificate path is built once, and held against the
//! other times by its dates (unless it leads over a certificate of the bundle).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::bundle::{Bundle, Content, Envelope, Material};
use super::certificate::{Certificate, CertificateError};
use super::chain::{self, ChainError};
use super::claims::Claims;
use super::key::{self, Message, PublicKey, Usage};
use super::log::{self, Checkpoints, LogError, Logged, Signed, Subject};
use super::root::TrustedRoot;
use super::sct::{self, SctError};
use super::timestamp::{self, TimestampError};
use crate::hex;

/// The only type of payload that is a statement (in-toto attestation framework, `envelope.md`).
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

/// How many have to vouch for a signature. Each counts once: a log or certificate log by its operator, a timestamp
/// authority by its URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// Logs that have an entry of the signature.
    pub logs: usize,
    /// Certificate logs that promised to have the certificate.
    pub certificate_logs: usize,
    /// Timestamp authorities.
    pub timestamps: usize,
    /// Who vouches for a time at all: timestamp authorities, and logs of version 1. Where this is 0 and nobody does, a
    /// certificate has to be good now.
    pub times: usize,
    /// Whether a log's time counts for [`times`](Self::times). Where it does not, it must still fit the certificate.
    pub log_times: bool,
}

impl Requirements {
    /// What the public instance gives to every signature.
    pub const PUBLIC_GOOD: Self = Self { logs: 1, certificate_logs: 1, timestamps: 0, times: 1, log_times: true };
    /// What GitHub's own instance gives: a timestamp.
    pub const GITHUB: Self = Self { logs: 0, certificate_logs: 0, timestamps: 1, times: 1, log_times: false };
    /// What the public instance gives to a signature by a key of one's own.
    pub const KEY: Self = Self { logs: 1, certificate_logs: 0, timestamps: 0, times: 0, log_times: true };
    /// A key's signature that no log has to have: cosign's `--insecure-ignore-tlog`.
    pub const KEY_ALONE: Self = Self { logs: 0, ..Self::KEY };
}

/// Whose signature is expected, and what has to vouch for it.
#[derive(Debug, Clone, Copy)]
pub enum Profile<'a> {
    /// A certificate of the root's authorities. [`Requirements::PUBLIC_GOOD`] is the usual.
    Certificate(Requirements),
    /// A certificate of GitHub's own authority for private repositories, which no log has: [`Requirements::GITHUB`].
    /// Only with [GitHub's root](TrustedRoot::is_github), so that it loosens nothing for anyone else's certificates.
    GitHub,
    /// This key. [`Requirements::KEY`] is the usual; certificate logs are not asked for.
    Key(&'a PublicKey, Requirements),
}

impl Profile<'_> {
    /// [`Profile::Certificate`] of the public instance.
    pub const PUBLIC_GOOD: Self = Profile::Certificate(Requirements::PUBLIC_GOOD);

    fn requirements(&self) -> Requirements {
        match self {
            Self::Certificate(requirements) | Self::Key(_, requirements) => *requirements,
            Self::GitHub => Requirements::GITHUB,
        }
    }
}

/// What the signature is to be of.
#[derive(Debug, Clone, Copy)]
pub enum Artifact<'a> {
    /// This file.
    File(Message<'a>),
    /// Whatever statement is in the bundle. What it says of which file is the caller's to judge
    /// ([`crate::provenance`]).
    Statement,
}

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Whom an authority knew by these claims.
    Certificate(Box<Claims>),
    /// The holder of the caller's key: its [ID](PublicKey::id).
    Key([u8; 32]),
}

/// A time that somebody vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Time {
    /// When the signature was there.
    pub at: Timestamp,
    /// Who says so.
    pub witness: Witness,
}

/// Who vouches for a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// A log of version 1, by its operator.
    Log(String),
    /// A timestamp authority, by its URI.
    Authority(String),
    /// Nobody but the caller's clock: of no use to anybody who verifies later. See [`Requirements::times`].
    Clock,
}

/// What [`Verifier::verify`] has found to be true of a signature.
#[derive(Debug, Clone)]
pub struct Proven {
    signer: Signer,
    times: Vec<Time>,
    logged: Vec<Logged>,
    certificate_logs: Vec<String>,
    passed_over: usize,
    envelope: Option<Envelope>,
}

impl Proven {
    /// Who signed.
    #[must_use]
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// When the signature was there, by everyone who vouches for a time. Empty for a key's signature that no one timed.
    #[must_use]
    pub fn times(&self) -> &[Time] {
        &self.times
    }

    /// The logs' entries.
    #[must_use]
    pub fn logged(&self) -> &[Logged] {
        &self.logged
    }

    /// Whether a log has *proven* to have the signature, rather than promised that it will.
    #[must_use]
    pub fn is_included(&self) -> bool {
        self.logged.iter().any(|logged| logged.checkpoint.is_some())
    }

    /// The operators of the logs that promised to have the certificate, each once.
    #[must_use]
    pub fn certificate_logs(&self) -> &[String] {
        &self.certificate_logs
    }

    /// How many entries were of logs that the root does not have.
    #[must_use]
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The statement that was signed, if it was one: in-toto's JSON, not read yet.
    #[must_use]
    pub fn statement(&self) -> Option<&[u8]> {
        self.envelope.as_ref().map(|envelope| envelope.payload.as_slice())
    }
}

/// What kind of cause a [`SignatureError`] has: what it means to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// A part cannot be read.
    Malformed,
    /// A part is well-formed, and of a kind that is not supported.
    Unsupported,
    /// The signature is not of this file, statement or key.
    Signature,
    /// The signature is of another file.
    Artifact,
    /// A certificate where a key was expected, or the reverse.
    Signer,
    /// The certificate is not an authority's, or not by the rules.
    Certificate,
    /// Not enough certificate logs.
    CertificateLog,
    /// Too few logs have it.
    NotLogged,
    /// What a log is said to have is not so.
    LogProof,
    /// Too few vouch for a time, or a time does not fit.
    Time,
}

/// Why a bundle proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The caller has a key, and the bundle a certificate.
    #[error(
        "it is signed with a certificate, not with a key: leave the key out, and say whose certificate is expected"
    )]
    NotAKey,
    /// The caller has no key, and the bundle no certificate.
    #[error("it is signed with a key, and brings no certificate: give the key")]
    NotACertificate,
    /// The profile is for another root.
    #[error("only GitHub's own trusted root may be used without a log")]
    NotGitHub,
    /// The caller has a file, and the bundle a statement.
    #[error("it signs a statement, not a file")]
    NotAFile,
    /// The caller wants a statement, and the bundle is of a file.
    #[error("it signs a file, not a statement")]
    NotAStatement,
    /// The payload is no in-toto statement.
    #[error("the payload is of type {found:?}; {STATEMENT_TYPE:?} is expected")]
    PayloadType {
        /// Its type.
        found: String,
    },
    /// The file has another digest than the bundle says.
    #[error("the file has another digest than the one that was signed: it is another file, or was changed")]
    Digest,
    /// The file must be hashed in another way.
    #[error("{0}")]
    Needs(key::SignatureError),
    /// The signature is wrong.
    #[error("{0}")]
    Signature(key::SignatureError),
    /// A certificate cannot be read.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// A root in the chain: whom to trust is never the bundle's to say.
    #[error("certificate {index} of the chain is a root: roots come from the trusted root alone")]
    RootInChain {
        /// Which, from 0.
        index: usize,
    },
    /// The certificate is not an authority's.
    #[error("{error}")]
    Chain {
        /// When, as was vouched for.
        at: Timestamp,
        /// Why.
        error: ChainError,
    },
    /// The certificate's promises of certificate logs do not count.
    #[error("{0}")]
    Sct(#[from] SctError),
    /// A log's entry does not show what it should.
    #[error("log entry {index} of {log}: {error}")]
    Log {
        /// Which, from 0.
        index: usize,
        /// Of which log.
        log: String,
        /// Why.
        error: LogError,
    },
    /// A log is trusted at none of the times.
    #[error("the trusted root does not trust the log {log} at the time of the signature")]
    LogTime {
        /// Which log.
        log: String,
    },
    /// A timestamp is wrong.
    #[error("timestamp {index}: {error}")]
    Timestamp {
        /// Which, from 0.
        index: usize,
        /// Why.
        error: TimestampError,
    },
    /// A time that is still to come.
    #[error("timestamp {index} is of {at}, which is still to come: check the clock")]
    Future {
        /// Which, from 0.
        index: usize,
        /// When.
        at: Timestamp,
    },
    /// Too few logs.
    #[error("{found} of {needed} logs have the signature{}", unknown_log(.unknown))]
    NotLogged {
        /// How many.
        found: usize,
        /// How many are needed.
        needed: usize,
        /// The ID of a log that the root does not have.
        unknown: Option<Vec<u8>>,
    },
    /// Too few certificate logs.
    #[error("{found} of {needed} certificate logs have the certificate")]
    CertificateLogs {
        /// How many.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Too few timestamps.
    #[error("{found} of {needed} timestamp authorities have stamped the signature")]
    Timestamps {
        /// How many.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// Nobody says when.
    #[error("{found} of {needed} vouch for the time of the signature: a log's promise or a timestamp is missing")]
    Times {
        /// How many.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
}

fn unknown_log(log: &Option<Vec<u8>>) -> String {
    log.as_ref().map(|id| format!("; the trusted root has no log {}", hex::encode(id))).unwrap_or_default()
}

impl SignatureError {
    /// What kind of cause it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotAKey | Self::NotACertificate => Kind::Signer,
            Self::NotGitHub | Self::PayloadType { .. } | Self::Needs(_) => Kind::Unsupported,
            Self::NotAFile | Self::NotAStatement | Self::Digest => Kind::Artifact,
            Self::Signature(_) => Kind::Signature,
            Self::Certificate(_) => Kind::Malformed,
            Self::RootInChain { .. } | Self::Chain { .. } => Kind::Certificate,
            Self::Sct(_) | Self::CertificateLogs { .. } => Kind::CertificateLog,
            Self::Log { .. } => Kind::LogProof,
            Self::LogTime { .. } | Self::Timestamp { .. } | Self::Future { .. } => Kind::Time,
            Self::Timestamps { .. } | Self::Times { .. } => Kind::Time,
            Self::NotLogged { .. } => Kind::NotLogged,
        }
    }
}

/// A job of verifying: what stays the same over many bundles.
#[derive(Debug)]
pub struct Verifier<'a> {
    root: &'a TrustedRoot,
    now: Timestamp,
    checkpoints: Checkpoints,
}

impl<'a> Verifier<'a> {
    /// By this root, at this time.
    #[must_use]
    pub fn new(root: &'a TrustedRoot, now: Timestamp) -> Self {
        Self { root, now, checkpoints: Checkpoints::default() }
    }

    /// Verifies one bundle.
    ///
    /// # Errors
    ///
    /// [`SignatureError`], for the first thing that is wrong; the costly checks come last.
    pub fn verify(
        &mut self,
        bundle: &Bundle,
        artifact: Artifact<'_>,
        profile: Profile<'_>,
    ) -> Result<Proven, SignatureError> {
        let requirements = profile.requirements();
        if matches!(profile, Profile::GitHub) && !self.root.is_github() {
            return Err(SignatureError::NotGitHub);
        }
        let certificate = signer(bundle, &profile)?;
        let key = match (&certificate, &profile) {
            (Some(presented), _) => &presented.leaf.key,
            (None, Profile::Key(key, _)) => *key,
            (None, _) => return Err(SignatureError::NotACertificate),
        };
        let der = certificate.as_ref().map(|presented| presented.leaf.der());
        let (signed, envelope) = content(&bundle.content, artifact)?;
        let subject = Subject { signed, signature: bundle.content.signature(), key, certificate: der };

        let (logged, unknown) = self.logs(bundle, &subject)?;
        let stamps = self.timestamps(bundle)?;
        let mut times: Vec<Time> = Vec::new();
        for entry in &logged {
            times.extend(entry.integrated_time.map(|at| Time { at, witness: Witness::Log(entry.operator.clone()) }));
        }
        times.extend(stamps);
        enough(&requirements, &logged, &times, unknown.first())?;
        if certificate.is_some() && times.is_empty() {
            if requirements.times > 0 {
                return Err(SignatureError::Times { found: 0, needed: 1 });
            }
            times.push(Time { at: self.now, witness: Witness::Clock });
        }
        self.trusted_then(&logged, &times)?;

        let (signer, certificate_logs) = match &certificate {
            Some(presented) => self.certificate(presented, &times, requirements.certificate_logs)?,
            None => (Signer::Key(key.id()), Vec::new()),
        };
        let pae = envelope.map(Envelope::signed).unwrap_or_default();
        let (usage, message) = match (artifact, &certificate) {
            (Artifact::Statement, _) => (Usage::Envelope, Message::Bytes(&pae)),
            (Artifact::File(message), Some(_)) => (Usage::Message, message),
            (Artifact::File(message), None) => (Usage::KeyedMessage, message),
        };
        key.verify_for(usage, message, subject.signature).map_err(|error| match error {
            key::SignatureError::NeedsContent | key::SignatureError::NeedsDigest(_) => SignatureError::Needs(error),
            error => SignatureError::Signature(error),
        })?;
        let envelope = envelope.cloned();
        Ok(Proven { signer, times, logged, certificate_logs, passed_over: unknown.len(), envelope })
    }

    /// The entries that are of this signature and that a log of the root has, and the IDs of logs that it does not
    /// have.
    fn logs(&mut self, bundle: &Bundle, subject: &Subject<'_>) -> Result<(Vec<Logged>, Vec<Vec<u8>>), SignatureError> {
        let mut logged = Vec::new();
        let mut unknown = Vec::new();
        for (index, entry) in bundle.entries.iter().enumerate() {
            let Some(log) = self.root.log(&entry.log_id) else {
                unknown.push(entry.log_id.clone());
                continue;
            };
            let shown = entry
                .matches(subject)
                .and_then(|()| log::verify(entry, log, self.now, &mut self.checkpoints))
                .map_err(|error| SignatureError::Log { index, log: log.base_url.clone(), error })?;
            logged.push(shown);
        }
        Ok((logged, unknown))
    }

    /// The times of timestamp authorities. All of the timestamps must be good.
    fn timestamps(&self, bundle: &Bundle) -> Result<Vec<Time>, SignatureError> {
        let mut times = Vec::new();
        for (index, token) in bundle.timestamps.iter().enumerate() {
            let stamp = timestamp::verify(token, bundle.content.signature(), &self.root.stampers)
                .map_err(|error| SignatureError::Timestamp { index, error })?;
            if stamp.time > self.now {
                return Err(SignatureError::Future { index, at: stamp.time });
            }
            times.push(Time { at: stamp.time, witness: Witness::Authority(stamp.uri.to_owned()) });
        }
        Ok(times)
    }

    /// That each log was trusted at one of the times at least. A promise says so by itself; a proof has no time, and a
    /// log whose key was given up can go on to sign trees.
    fn trusted_then(&self, logged: &[Logged], times: &[Time]) -> Result<(), SignatureError> {
        for entry in logged.iter().filter(|entry| entry.integrated_time.is_none()) {
            let trusted = |at| self.root.log(&entry.log_id).is_some_and(|log| log.validity.contains(at));
            let good = if times.is_empty() { trusted(self.now) } else { times.iter().any(|time| trusted(time.at)) };
            if !good {
                return Err(SignatureError::LogTime { log: entry.log.clone() });
            }
        }
        Ok(())
    }

    /// That an authority issued the certificate, that it was valid at every time, and that logs have it.
    fn certificate(
        &self,
        presented: &Presented<'_>,
        times: &[Time],
        needed: usize,
    ) -> Result<(Signer, Vec<String>), SignatureError> {
        let claims = presented.leaf.claims()?;
        let mut issuer: Option<chain::Path<'_>> = None;
        for &Time { at, .. } in times {
            let held = issuer.as_ref().and_then(|path| path.window).is_some_and(|window| window.contains(at));
            if held {
                continue;
            }
            let path = self.root.anchors.verify(&presented.leaf, presented.intermediates, at);
            let path = path.map_err(|error| SignatureError::Chain { at, error })?;
            // Promises of certificate logs are for one issuer: the first, if ever another one should fit another time.
            issuer.get_or_insert(path);
        }
        let path = issuer.ok_or(SignatureError::Times { found: 0, needed: 1 })?;
        let mut certificate_logs: Vec<String> = Vec::new();
        if needed > 0 {
            for sct in sct::verify(&presented.leaf, &path.issuer_key_hash, &self.root.certificate_logs)? {
                if !certificate_logs.iter().any(|operator| operator == sct.log.operator()) {
                    certificate_logs.push(sct.log.operator().to_owned());
                }
            }
            if certificate_logs.len() < needed {
                return Err(SignatureError::CertificateLogs { found: certificate_logs.len(), needed });
            }
        }
        Ok((Signer::Certificate(Box::new(claims)), certificate_logs))
    }
}

/// A certificate that came with a signature.
struct Presented<'a> {
    leaf: Certificate,
    intermediates: &'a [Vec<u8>],
}

/// The certificate, if one is expected and there is one; a key where one is expected.
fn signer<'a>(bundle: &'a Bundle, profile: &Profile<'_>) -> Result<Option<Presented<'a>>, SignatureError> {
    match (&bundle.material, profile) {
        (Material::PublicKey { .. }, Profile::Key(..)) => Ok(None),
        (Material::PublicKey { .. }, _) => Err(SignatureError::NotACertificate),
        (Material::Certificate { .. }, Profile::Key(..)) => Err(SignatureError::NotAKey),
        (Material::Certificate { leaf, intermediates }, _) => {
            for (i, der) in intermediates.iter().enumerate() {
                let certificate = Certificate::parse(der)?;
                if certificate.issuer == certificate.subject {
                    return Err(SignatureError::RootInChain { index: i + 1 });
                }
            }
            Ok(Some(Presented { leaf: Certificate::parse(leaf)?, intermediates }))
        }
    }
}

/// What was signed, if it is what is expected.
fn content<'a>(
    content: &'a Content,
    artifact: Artifact<'a>,
) -> Result<(Signed<'a>, Option<&'a Envelope>), SignatureError> {
    match (content, artifact) {
        (Content::Message { digest, .. }, Artifact::File(message)) => {
            if let Some(said) = digest {
                let found = message.digest(said.algorithm()).map_err(SignatureError::Needs)?;
                if found != said.as_bytes() {
                    return Err(SignatureError::Digest);
                }
            }
            Ok((Signed::Message(message), None))
        }
        (Content::Envelope(envelope), Artifact::Statement) => {
            if envelope.payload_type != STATEMENT_TYPE {
                return Err(SignatureError::PayloadType { found: envelope.payload_type.clone() });
            }
            Ok((Signed::Envelope(envelope), Some(envelope)))
        }
        (Content::Message { .. }, Artifact::Statement) => Err(SignatureError::NotAStatement),
        (Content::Envelope(_), Artifact::File(_)) => Err(SignatureError::NotAFile),
    }
}

/// That enough vouch for the signature, each counted once.
fn enough(
    requirements: &Requirements,
    logged: &[Logged],
    times: &[Time],
    unknown: Option<&Vec<u8>>,
) -> Result<(), SignatureError> {
    let logs: BTreeSet<&str> = logged.iter().map(|entry| entry.operator.as_str()).collect();
    let (found, needed) = (logs.len(), requirements.logs);
    if found < needed {
        return Err(SignatureError::NotLogged { found, needed, unknown: unknown.cloned() });
    }
    let witnesses: BTreeSet<&Witness> = times.iter().map(|time| &time.witness).collect();
    let authorities = witnesses.iter().filter(|witness| matches!(witness, Witness::Authority(_))).count();
    if authorities < requirements.timestamps {
        return Err(SignatureError::Timestamps { found: authorities, needed: requirements.timestamps });
    }
    let (found, needed) = (if requirements.log_times { witnesses.len() } else { authorities }, requirements.times);
    if found < needed { Err(SignatureError::Times { found, needed }) } else { Ok(()) }
}
