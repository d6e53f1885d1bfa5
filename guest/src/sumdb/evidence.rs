//! Evidence of a fork: two signed tree heads that cannot both be true, as a text that anybody can check again.
//!
//! golang.org/x/mod/sumdb.Client prints the same three things under `SECURITY ERROR`: both signed notes as received,
//! and a proof. They suffice without the database, which may be gone, or may take back what it said:
//!
//! 1. the older head, of N records, has root A;
//! 2. the newer head has root B, and the consistency proof shows that the first N records under B have root A′;
//! 3. A′ is not A.
//!
//! # Security argument
//!
//! [`Fork`] is made by [`Fork::prove`] and [`Evidence::recheck`] alone, and both verify signatures and proof. So an
//! accusation cannot be made up, neither by a proxy that serves a forged head or tile, nor by whoever hands the file
//! on. The explanation in the file is for people; [`Evidence::parse`] skips it.

use sha2::{Digest as _, Sha256};

use super::note::Verifier;
use super::tlog::{AuthenticHead, Hash, HeadError, ProofError, TreeHead, verify_consistency};

/// The first line of a file of evidence.
const TITLE: &str = "modanchor evidence 1: fork of a checksum database\n";
const OLD: &str = "older head:\n";
const NEW: &str = "newer head:\n";
const PREFIX: &str = "root hash of the first records of the newer tree, as many as the older tree has:\n";
const PROOF: &str = "consistency proof from that root to the newer head:\n";

/// The most bytes of a file of evidence: two notes, which indenting at most doubles, and room for the rest.
pub const MAX_BYTES: usize = 5 * super::note::MAX_BYTES;

/// Why a text does not show a fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// It is no file of evidence.
    #[error("malformed evidence")]
    Malformed,
    /// One of the heads is not signed by the database.
    #[error("{which} head: {error}")]
    Head {
        /// `older` or `newer`.
        which: &'static str,
        /// What is wrong with it.
        error: HeadError,
    },
    /// The older head is the larger one.
    #[error("the older head is larger than the newer one")]
    Order,
    /// The proof proves nothing.
    #[error("proof of misbehavior: {0}")]
    Proof(#[from] ProofError),
    /// Both heads lie on one timeline.
    #[error("the heads are consistent: no fork")]
    Consistent,
}

/// What a file of evidence claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The older signed note, as received.
    pub old: Vec<u8>,
    /// The newer signed note, as received.
    pub new: Vec<u8>,
    /// The root of the newer tree's first records, as many as the older tree has.
    pub prefix: Hash,
    /// The consistency proof from `prefix` to the newer root; empty for trees of the same size, and for an empty one.
    pub proof: Vec<Hash>,
}

/// Two signed heads that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    old: AuthenticHead,
    new: AuthenticHead,
    prefix: Hash,
    proof: Vec<Hash>,
}

impl Fork {
    /// A fork, if `proof` shows one: that the first `old.size` records under `new` have root `prefix`, which is not
    /// `old`'s.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::Order`], [`EvidenceError::Proof`], [`EvidenceError::Consistent`].
    pub fn prove(
        old: AuthenticHead,
        new: AuthenticHead,
        prefix: Hash,
        proof: Vec<Hash>,
    ) -> Result<Self, EvidenceError> {
        let (older, newer) = (old.head(), new.head());
        if older.size > newer.size {
            return Err(EvidenceError::Order);
        }
        if older.size > 0 {
            verify_consistency(&TreeHead { size: older.size, root: prefix }, newer, &proof)?;
        } else if prefix != Hash::EMPTY_ROOT || !proof.is_empty() {
            // Every tree begins with the empty one: nothing to prove, and nothing else to claim.
            return Err(EvidenceError::Malformed);
        }
        if prefix == older.root {
            return Err(EvidenceError::Consistent);
        }
        Ok(Self { old, new, prefix, proof })
    }

    /// The older head.
    pub fn old(&self) -> &AuthenticHead {
        &self.old
    }

    /// The newer head.
    pub fn newer(&self) -> &AuthenticHead {
        &self.new
    }

    /// The root of the newer tree's first records, as many as the older tree has.
    pub fn prefix(&self) -> &Hash {
        &self.prefix
    }

    /// A name for the file, the same for the same two heads: `fork-SIZE-SIZE-` and 16 hexadecimal digits.
    pub fn file_name(&self) -> String {
        let sum = Sha256::new().chain_update(self.old.message()).chain_update(self.new.message()).finalize();
        let digits: String = sum[..8].iter().map(|b| format!("{b:02x}")).collect();
        format!("fork-{}-{}-{digits}.txt", self.old.head().size, self.new.head().size)
    }

    /// The file: an explanation, both heads, the proof. `database` goes into the explanation.
    pub fn render(&self, database: &Verifier) -> String {
        let mut text = format!(
            "{TITLE}\n\
             SECURITY ERROR\n\
             The checksum database {} misbehaved: its key signed two tree heads that cannot both be true.\n\
             Its key is {database}\n\n\
             The older head says that the log's first {} records have root hash\n  {}\n\
             The newer head contains, for the same records, the root hash\n  {}\n\
             The proof below leads from the latter to the newer head's root. A log only ever grows, so the two hashes \
             must be equal.\n\
             What is indented by a tab is as received. Keep this file, and report it to the database's operator.\n\n",
            database.name(),
            self.old.head().size,
            self.old.head().root,
            self.prefix,
        );
        let mut section = |title: &str, body: &str| {
            text.push_str(title);
            for line in body.lines() {
                text.push('\t');
                text.push_str(line);
                text.push('\n');
            }
            text.push('\n');
        };
        section(OLD, &String::from_utf8_lossy(self.old.message()));
        section(NEW, &String::from_utf8_lossy(self.new.message()));
        section(PREFIX, &self.prefix.to_string());
        section(PROOF, &self.proof.iter().map(|hash| format!("{hash}\n")).collect::<String>());
        text
    }
}

impl Evidence {
    /// Reads a file of evidence, and believes nothing of it.
    ///
    /// # Errors
    ///
    /// [`EvidenceError::Malformed`].
    pub fn parse(file: &[u8]) -> Result<Self, EvidenceError> {
        Self::read(file).ok_or(EvidenceError::Malformed)
    }

    fn read(file: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(file).ok().filter(|text| text.len() <= MAX_BYTES)?;
        let (_, rest) = text.strip_prefix(TITLE)?.split_once(&format!("\n{OLD}"))?;
        let (old, rest) = section(rest)?;
        let (new, rest) = section(rest.strip_prefix(NEW)?)?;
        let (prefix, rest) = section(rest.strip_prefix(PREFIX)?)?;
        let (proof, rest) = section(rest.strip_prefix(PROOF)?)?;
        let proof = proof.lines().map(|line| line.parse().ok()).collect::<Option<_>>()?;
        let prefix = prefix.strip_suffix('\n')?.parse().ok()?;
        rest.is_empty().then_some(Self { old: old.into_bytes(), new: new.into_bytes(), prefix, proof })
    }

    /// Checks it again: both signatures and the proof.
    ///
    /// # Errors
    ///
    /// [`EvidenceError`]: then it shows no fork of this database.
    pub fn recheck(&self, database: &Verifier) -> Result<Fork, EvidenceError> {
        let open = |which, message: &[u8]| {
            AuthenticHead::open(message, database).map_err(|error| EvidenceError::Head { which, error })
        };
        Fork::prove(open("older", &self.old)?, open("newer", &self.new)?, self.prefix, self.proof.clone())
    }
}

/// The indented lines at the start, without their tab, and what follows the blank line after them. A blank line that is
/// followed by an indented one belongs to the section: its tab is easily lost.
fn section(text: &str) -> Option<(String, &str)> {
    let mut body = String::new();
    let mut rest = text;
    loop {
        if let Some(indented) = rest.strip_prefix('\t') {
            let (line, tail) = indented.split_once('\n')?;
            body.push_str(line);
            rest = tail;
        } else if rest.starts_with("\n\t") {
            rest = &rest[1..];
        } else {
            return Some((body, rest.strip_prefix('\n')?));
        }
        body.push('\n');
    }
}
