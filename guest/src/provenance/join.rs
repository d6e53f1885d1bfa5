//! Which module version a statement is about.
//!
//! A statement joins a line of a go.sum by a digest of the module's zip, and by nothing else:
//!
//! - `dirHash1`, the hexadecimal form of the line's `h1:` (in-toto/attestation, spec/v1/digest_set.md). The files
//!   that are hashed are named `PATH@VERSION/…`, so that it binds path and version too: provenance of another version
//!   cannot be replayed;
//! - `sha256` of the zip file, where the zip is at hand and was found to have that h1. Two zips with the same files
//!   can differ in their bytes, so that another SHA-256 alone says nothing.
//!
//! The h1 of a go.mod joins nothing: it binds no version, and many modules share it. Names of subjects are not looked
//! at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::statement::Statement;
use crate::dirhash::H1;
use crate::gosum::sum::HashKind;
use crate::hex;
use crate::report::Of;

/// A module's zip, as a go.sum knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zip {
    /// Its h1.
    pub h1: H1,
    /// The SHA-256 of the file, if the file is at hand **and has that h1**.
    pub sha256: Option<[u8; 32]>,
}

impl Zip {
    /// That of a line: the hash `hash` of `of`. None for a go.mod's, which binds no version, and for what is no h1.
    #[must_use]
    pub fn of_line(of: Of, hash: &str) -> Option<Self> {
        if of != Of::Zip || HashKind::of(hash) != HashKind::H1 {
            return None;
        }
        let digest = STANDARD.decode(hash.strip_prefix("h1:")?).ok()?;
        Some(Self { h1: H1(digest.try_into().ok()?), sha256: None })
    }
}

/// What joined them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The h1.
    DirHash1,
    /// The SHA-256 of the zip.
    Sha256,
}

impl By {
    /// The name of the algorithm.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DirHash1 => "dirHash1",
            Self::Sha256 => "sha256",
        }
    }
}

/// Whether `statement` is about `zip`, and by what.
///
/// # Errors
///
/// It is about something else.
pub fn joins(statement: &Statement, zip: &Zip) -> Result<By, JoinError> {
    let dir_hash = hex::encode(&zip.h1.0);
    let sha256 = zip.sha256.map(|digest| hex::encode(&digest));
    let mut by = None;
    for subject in &statement.subjects {
        let found = subject.digests.get("dirHash1");
        if found == Some(dir_hash.as_str()) {
            return Ok(By::DirHash1);
        }
        if sha256.is_some() && subject.digests.get("sha256") == sha256.as_deref() {
            // The zip has one h1. Who gives it another has not seen it, or lies.
            if let Some(found) = found {
                return Err(JoinError::Contradiction { expected: dir_hash, found: found.to_owned() });
            }
            by = Some(By::Sha256);
        }
    }
    by.ok_or_else(|| JoinError::Other {
        subjects: statement.subjects.len(),
        first: statement.subjects.first().and_then(|subject| subject.name.clone()),
        has_dir_hash: statement.subjects.iter().any(|subject| subject.digests.get("dirHash1").is_some()),
    })
}

/// Why a statement does not join.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// None of its subjects is this zip.
    #[error(
        "it is about something else: none of its subjects ({subjects}{}) has the digest of this module's zip{}",
        .first.as_ref().map_or_else(String::new, |name| format!(", the first {name:?}")),
        if *.has_dir_hash { "" } else { "; they have no `dirHash1`, so that only the zip itself could tell" }
    )]
    Other {
        /// How many it has.
        subjects: usize,
        /// The first one's name, for messages.
        first: Option<String>,
        /// Whether any has a `dirHash1`: if not, the zip is needed to tell.
        has_dir_hash: bool,
    },
    /// A subject with the zip's SHA-256 has another `dirHash1`.
    #[error("its subject has this zip's sha256, and {found} for dirHash1, where the zip has {expected}")]
    Contradiction {
        /// The zip's, hexadecimal.
        expected: String,
        /// The subject's.
        found: String,
    },
}
