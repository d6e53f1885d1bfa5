//! Cosignatures of witnesses (c2sp.org/tlog-cosignature, version 1, Ed25519).
//!
//! A witness looks at a log's heads, refuses to go on if one does not extend the last, and signs the others with a
//! time. A quorum of witnesses makes a split view hard: the log would have to fool the witnesses too.
//!
//! A cosignature is a signature line of the tree note, by a key of algorithm 0x04, over
//!
//! ```text
//! cosignature/v1
//! time 1679315147
//! ```
//!
//! and the note's text. The signature is the time, in seconds, 8 bytes big endian, and 64 bytes of Ed25519.
//!
//! # Security argument
//!
//! [`Witnesses::check`] takes a [`Note`], so the database's own signature is verified before any witness counts. The
//! key types do not mix: 0x01 verifies a note, 0x04 a cosignature, and the first line of what is signed differs. Each
//! witness counts once, also one with several keys (an old and a new one), and a public key has one name only. The
//! text of a go.sum tree note does not name its database; that the cosigned root is this database's follows from the
//! database's signature over the same text.

use std::collections::BTreeMap;

use ed25519_dalek::VerifyingKey;

use super::note::{EncodedKey, KeyError, Note, Signature, verify_ed25519};
use crate::sort::set;

/// The algorithm byte of a version 1 cosignature in a verifier key.
pub const ALGORITHM_COSIGNATURE_V1: u8 = 4;

/// The most witnesses that can be configured: more could not sign one note.
pub const MAX_WITNESSES: usize = super::note::MAX_SIGNATURES;

/// Why a set of witnesses makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// A key cannot be used.
    #[error("witness key {key:?}: {error}")]
    Key {
        /// The key as configured.
        key: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// A public key is there twice: it would count twice.
    #[error("witness key {key:?} is given twice")]
    Duplicate {
        /// The second of them, as configured.
        key: String,
    },
    /// More than [`MAX_WITNESSES`].
    #[error("{0} witnesses, more than the {MAX_WITNESSES} that a note can carry")]
    TooMany(usize),
    /// More than there are witnesses, or none of them.
    #[error("quorum of {quorum} with {witnesses} witnesses")]
    Quorum {
        /// The quorum.
        quorum: u32,
        /// How many witnesses there are, by name.
        witnesses: usize,
    },
}

#[derive(Debug, Clone)]
struct Witness {
    name: String,
    key_hash: u32,
    key: VerifyingKey,
}

/// A set of witnesses, and how many of them must have signed.
#[derive(Debug, Clone)]
pub struct Witnesses {
    witnesses: Vec<Witness>,
    quorum: usize,
}

impl Witnesses {
    /// Reads verifier keys, `NAME+HASH+KEY` of algorithm 0x04. Keys with the same name are one witness. No keys and a
    /// quorum of 0: no witness is asked for, and the quorum is always met.
    ///
    /// # Errors
    ///
    /// [`WitnessError`].
    pub fn parse(keys: &[String], quorum: u32) -> Result<Self, WitnessError> {
        if keys.len() > MAX_WITNESSES {
            return Err(WitnessError::TooMany(keys.len()));
        }
        let mut witnesses: Vec<Witness> = Vec::with_capacity(keys.len());
        for key in keys {
            let EncodedKey { name, key_hash, key: public } = EncodedKey::parse(key, ALGORITHM_COSIGNATURE_V1)
                .map_err(|error| WitnessError::Key { key: key.clone(), error })?;
            if witnesses.iter().any(|other| other.key == public) {
                return Err(WitnessError::Duplicate { key: key.clone() });
            }
            witnesses.push(Witness { name: name.to_owned(), key_hash, key: public });
        }
        let names = set(witnesses.iter().map(|witness| &witness.name)).len();
        let wanted = usize::try_from(quorum).unwrap_or(usize::MAX);
        if wanted > names || (wanted == 0 && names > 0) {
            return Err(WitnessError::Quorum { quorum, witnesses: names });
        }
        Ok(Self { witnesses, quorum: wanted })
    }

    /// Whether there is no witness at all.
    pub fn is_empty(&self) -> bool {
        self.witnesses.is_empty()
    }

    /// How many must have signed.
    pub fn quorum(&self) -> usize {
        self.quorum
    }

    /// Finds out which witnesses cosigned the text of a note. A signature that is wrong counts as none: whoever can
    /// break one can as well take it away.
    pub fn check(&self, note: &Note) -> Cosigned {
        let mut times: BTreeMap<&str, u64> = BTreeMap::new();
        for witness in &self.witnesses {
            let newest = note.unverified().iter().filter_map(|line| witness.verify(note.text(), line)).max();
            if let Some(time) = newest {
                let known = times.entry(&witness.name).or_insert(time);
                *known = time.max(*known);
            }
        }
        let by: Vec<Cosignature> =
            times.into_iter().map(|(name, time)| Cosignature { name: name.to_owned(), time }).collect();
        let quorum_met = by.len() >= self.quorum;
        Cosigned { by, quorum_met }
    }
}

impl Witness {
    /// The time of a cosignature by this witness, if that is what the line is.
    fn verify(&self, text: &str, line: &Signature) -> Option<u64> {
        if line.name != self.name || line.key_hash != self.key_hash {
            return None;
        }
        let (time, signature) = line.bytes.split_first_chunk()?;
        let time = u64::from_be_bytes(*time);
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let good = i64::try_from(time).is_ok() && verify_ed25519(&self.key, message.as_bytes(), signature);
        good.then_some(time)
    }
}

/// One good cosignature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub name: String,
    /// When it says that it signed: seconds since 1970, at most i64::MAX. The newest, where it signed more than once.
    pub time: u64,
}

/// Who cosigned a note. Made by [`Witnesses::check`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    by: Vec<Cosignature>,
    quorum_met: bool,
}

impl Cosigned {
    /// The witnesses with good cosignatures, by name, each once.
    pub fn by(&self) -> &[Cosignature] {
        &self.by
    }

    /// Whether they are enough.
    pub fn quorum_met(&self) -> bool {
        self.quorum_met
    }
}
