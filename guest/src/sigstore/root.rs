//! trusted_root.json: the authorities and logs that are believed, each for a time.
//!
//! The file is protocol buffers' JSON of `dev.sigstore.trustroot.v1.TrustedRoot` (github.com/sigstore/protobuf-specs).
//! It says whom to believe, so it must come from where nobody can change it: the program, TUF, or the user's own hand.
//! There may be several generations of each authority and log. A generation without a start is refused: that is how a
//! key would become good for all time.

use jiff::Timestamp;

use super::chain::{AnchorError, Anchors, Purpose};
use super::key::{KeyError, PublicKey};
use super::protojson::{Fields, FormatError};

/// The most bytes of a trusted root. The public one has 7 kB.
pub const MAX_BYTES: usize = 1 << 20;
/// The most logs of a kind, and authorities of a kind. The public root has 2.
pub const MAX_INSTANCES: usize = 64;
/// The most certificates in an authority's chain.
pub const MAX_CHAIN: usize = 8;

/// The types of file that are known. The first is the old way to name version 0.1, and what the public root still says.
const MEDIA_TYPES: [&str; 3] = [
    "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    "application/vnd.dev.sigstore.trustedroot.v0.1+json",
    "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/// When something is believed: both ends belong to it (protobuf-specs, `TimeRange`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// From when.
    pub start: Timestamp,
    /// Until when; none: no end.
    pub end: Option<Timestamp>,
}

impl Validity {
    /// Whether `at` lies in it.
    #[must_use]
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start <= at && self.end.is_none_or(|end| at <= end)
    }
}

/// A certificate authority or a timestamp authority.
#[derive(Debug, Clone)]
pub struct Authority {
    /// Its URI, for messages and to tell authorities apart.
    pub uri: String,
    /// DER, from the one that issues (or for a timestamp authority signs) to the root. Never empty.
    pub chain: Vec<Vec<u8>>,
    /// When.
    pub validity: Validity,
}

/// A log: Rekor's, or one of certificates.
#[derive(Debug, Clone)]
pub struct Log {
    /// `https://rekor.sigstore.dev`; its host is the origin of a version 2 log's checkpoints.
    pub base_url: String,
    /// The log's ID: SHA-256 of the key's SPKI for version 1 and certificate logs, as trusted_root.json has it.
    pub id: Vec<u8>,
    /// Its key.
    pub key: PublicKey,
    /// When.
    pub validity: Validity,
    /// Who runs it, for thresholds: else the base URL.
    pub operator: Option<String>,
}

impl Log {
    /// The host of the base URL, without the port: how a version 2 log names itself in its checkpoints.
    #[must_use]
    pub fn host(&self) -> &str {
        host(&self.base_url)
    }

    /// Whether it is of version 1, which can be searched by a file's hash: its ID is its key's.
    #[must_use]
    pub fn can_be_searched(&self) -> bool {
        self.id == self.key.id()
    }

    /// Whom to count it for: two logs of one operator are one witness.
    #[must_use]
    pub fn operator(&self) -> &str {
        self.operator.as_deref().unwrap_or(&self.base_url)
    }
}

/// The host of a URL, or of a bare name.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') { host } else { host.split(':').next().unwrap_or(host) }
}

/// The host of GitHub's own certificate authority, for private repositories.
const GITHUB_AUTHORITY: &str = "fulcio.githubapp.com";

/// What trusted_root.json says: prepared once for any number of bundles.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    /// Who issues certificates to signers.
    pub(super) anchors: Anchors,
    /// Who stamps times.
    pub(super) stampers: Anchors,
    /// Logs of those certificates.
    pub(super) certificate_logs: Vec<Log>,
    /// Logs of signatures, Rekor. No ID twice.
    pub(super) logs: Vec<Log>,
    github: bool,
}

impl TrustedRoot {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`RootError`], also for anything past a limit of this module.
    pub fn parse(bytes: &[u8]) -> Result<Self, RootError> {
        let mut file = Fields::read(bytes, MAX_BYTES)?;
        let media_type = file.text("mediaType")?;
        if !MEDIA_TYPES.contains(&media_type.as_str()) {
            return Err(FormatError::MediaType { found: media_type, known: "versions 0.1 and 0.2" }.into());
        }
        let authorities = authorities(&mut file, "certificateAuthorities")?;
        let certificate_logs = logs(&mut file, "ctlogs")?;
        let logs = logs(&mut file, "tlogs")?;
        let stampers = self::authorities(&mut file, "timestampAuthorities")?;
        file.finish()?;
        Self::new(&authorities, &stampers, certificate_logs, logs)
    }

    /// Of parts that are believed: those of a file, or files that the user names.
    ///
    /// # Errors
    ///
    /// [`RootError::Anchor`]: an authority's certificates are no chain.
    pub fn new(
        authorities: &[Authority],
        timestamp_authorities: &[Authority],
        certificate_logs: Vec<Log>,
        logs: Vec<Log>,
    ) -> Result<Self, RootError> {
        let github =
            !authorities.is_empty() && authorities.iter().all(|authority| host(&authority.uri) == GITHUB_AUTHORITY);
        Ok(Self {
            anchors: Anchors::new(authorities, Purpose::CodeSigning)?,
            stampers: Anchors::new(timestamp_authorities, Purpose::TimeStamping)?,
            certificate_logs,
            logs,
            github,
        })
    }

    /// The same, with one authority for all certificates in place of its own: its root is believed, and the others by it.
    ///
    /// # Errors
    ///
    /// [`RootError::Anchor`].
    pub fn with_authority(&self, authority: Authority) -> Result<Self, RootError> {
        Ok(Self { anchors: Anchors::of_chain(&authority, Purpose::CodeSigning)?, github: false, ..self.clone() })
    }

    /// The logs of signatures.
    #[must_use]
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The signature log with this ID.
    #[must_use]
    pub fn log(&self, id: &[u8]) -> Option<&Log> {
        self.logs.iter().find(|log| log.id == id)
    }

    /// Whether this is GitHub's root for private repositories: its certificates are GitHub's own and no log has them,
    /// so that no signature of the public instance can pass without a log under it.
    #[must_use]
    pub fn is_github(&self) -> bool {
        self.github
    }
}

/// Why a trusted root cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RootError {
    /// The file breaks the format.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// A log's key cannot be read.
    #[error("{at}: {error}")]
    Key {
        /// Which.
        at: String,
        /// Why.
        error: KeyError,
    },
    /// An authority's certificates are no chain.
    #[error("{0}")]
    Anchor(#[from] AnchorError),
    /// A key is for another algorithm than any that is known.
    #[error("{at} is {found:?}, which is not supported")]
    Algorithm {
        /// Which field.
        at: String,
        /// What it says.
        found: String,
    },
    /// Two logs have one ID, so that it could be either's key that counts.
    #[error("{at} is the log ID of an earlier log too")]
    DuplicateLog {
        /// Which log.
        at: String,
    },
}

fn validity(mut range: Fields) -> Result<Validity, FormatError> {
    let start = range.time("start")?.ok_or_else(|| range.missing("start"))?;
    let end = range.time("end")?;
    if end.is_some_and(|end| end < start) {
        return Err(range.not("end", "a time after the start"));
    }
    range.finish()?;
    Ok(Validity { start, end })
}

fn authorities(file: &mut Fields, name: &str) -> Result<Vec<Authority>, RootError> {
    file.objects(name, MAX_INSTANCES)?.into_iter().map(authority).collect()
}

fn authority(mut fields: Fields) -> Result<Authority, RootError> {
    // Who it says that it is does not matter: what it issues does.
    fields.object("subject")?;
    fields.text("operator")?;
    let mut chain = fields.some_object("certChain")?;
    let certificates = certificates(&mut chain, MAX_CHAIN)?;
    chain.finish()?;
    let validity = validity(fields.some_object("validFor")?)?;
    let authority = Authority { uri: fields.text("uri")?, chain: certificates, validity };
    fields.finish()?;
    Ok(authority)
}

/// `certificates`: at least one, DER.
pub(super) fn certificates(chain: &mut Fields, limit: usize) -> Result<Vec<Vec<u8>>, FormatError> {
    let certificates =
        chain.objects("certificates", limit)?.into_iter().map(certificate).collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() { Err(chain.missing("certificates")) } else { Ok(certificates) }
}

/// `X509Certificate`.
pub(super) fn certificate(mut fields: Fields) -> Result<Vec<u8>, FormatError> {
    let bytes = fields.some_bytes("rawBytes")?;
    fields.finish()?;
    Ok(bytes)
}

fn logs(file: &mut Fields, name: &str) -> Result<Vec<Log>, RootError> {
    let mut logs: Vec<Log> = Vec::new();
    for fields in file.objects(name, MAX_INSTANCES)? {
        let at = fields.here();
        let log = log(fields)?;
        if logs.iter().any(|other| other.id == log.id) {
            return Err(RootError::DuplicateLog { at });
        }
        logs.push(log);
    }
    Ok(logs)
}

fn log(mut fields: Fields) -> Result<Log, RootError> {
    let hash = fields.text("hashAlgorithm")?;
    if hash != "SHA2_256" {
        return Err(RootError::Algorithm { at: fields.path("hashAlgorithm"), found: hash });
    }
    // The key's hash in checkpoints follows from key and name; here it only stands in for an ID that is missing.
    let checkpoint_id = log_id(&mut fields, "checkpointKeyId")?;
    let id = log_id(&mut fields, "logId")?.or(checkpoint_id).ok_or_else(|| fields.missing("logId"))?;
    let operator = Some(fields.text("operator")?).filter(|operator| !operator.is_empty());
    let base_url = fields.text("baseUrl")?;
    let mut public = fields.some_object("publicKey")?;
    let bytes = public.some_bytes("rawBytes")?;
    let details = public.text("keyDetails")?;
    let validity = validity(public.some_object("validFor")?)?;
    let at = public.here();
    let key = match details.as_str() {
        "PKIX_ECDSA_P256_SHA_256"
        | "PKIX_ECDSA_P384_SHA_384"
        | "PKIX_ECDSA_P521_SHA_512"
        | "PKIX_ED25519"
        | "PKIX_RSA_PKCS1V15_2048_SHA256"
        | "PKIX_RSA_PKCS1V15_3072_SHA256"
        | "PKIX_RSA_PKCS1V15_4096_SHA256" => PublicKey::from_spki(&bytes),
        // Sigstore's staging instance has a certificate log from before the others were named.
        "PKCS1_RSA_PKCS1V5" => PublicKey::from_pkcs1(&bytes),
        _ => return Err(RootError::Algorithm { at: public.path("keyDetails"), found: details }),
    };
    let key = key.map_err(|error| RootError::Key { at, error })?;
    public.finish()?;
    fields.finish()?;
    Ok(Log { base_url, id, key, validity, operator })
}

/// A `LogId`: SHA-256 for version 1 and certificate logs, four bytes or more for others.
pub(super) fn log_id(fields: &mut Fields, name: &str) -> Result<Option<Vec<u8>>, FormatError> {
    let Some(mut id) = fields.object(name)? else { return Ok(None) };
    let bytes = id.some_bytes("keyId")?;
    id.finish()?;
    Ok(Some(bytes))
}
