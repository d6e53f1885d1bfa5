//! trusted_root.json: the authorities and logs that are believed, each for a time.

use jiff::Timestamp;

use super::key::PublicKey;

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
