//! The Merkle tree of a transparency log: hashes, tree heads, and proofs of inclusion and consistency
//! (RFC 6962 §2.1, golang.org/x/mod/sumdb/tlog).
//!
//! # Coordinates
//!
//! The hash at `(level, n)` is that of the complete subtree over records `n·2^level .. (n+1)·2^level`. Only complete
//! subtrees are stored, and a log numbers them in the order in which they become complete: their *stored-hash index*.
//!
//! ```text
//! level 2              6
//!                ┌─────┴─────┐
//! level 1        2           5           9
//!             ┌──┴──┐     ┌──┴──┐     ┌──┴──┐
//! level 0     0     1     3     4     7     8    10
//!
//! record      0     1     2     3     4     5     6
//! ```
//!
//! # Security argument
//!
//! [`TreeHead`] is a claim. [`AuthenticHead`] is a claim that the database's key signed, and is made by
//! [`AuthenticHead::open`] alone. [`verify_inclusion`] and [`verify_consistency`] recompute the roots from the proof
//! and take no shortcuts: a proof has exactly the length that the sizes dictate, every hash of it is used, and the
//! prefixes 0x00 and 0x01 keep records and inner nodes apart. So a proof that verifies is wrong only if SHA-256
//! collides.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::note::{self, Note, NoteError, Verifier};
use super::{base64_decode, base64_encode};

/// Bytes in a hash.
pub const HASH_BYTES: usize = 32;

/// The largest tree: Go keeps sizes in an `int64`.
pub const MAX_TREE_SIZE: u64 = i64::MAX as u64;

/// The longest text of a tree note (tlog.ParseTree).
pub const MAX_TREE_TEXT: usize = 1_000_000;

/// The first line of a tree note.
const TREE_PREFIX: &str = "go.sum database tree\n";

/// A SHA-256 hash of a record or of a subtree. Written in base64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash(pub [u8; HASH_BYTES]);

impl Hash {
    /// The root of the empty tree: SHA-256 of nothing.
    pub const EMPTY_ROOT: Self = Self([
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
        0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64_encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Not 44 characters of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed hash")]
pub struct HashError;

impl FromStr for Hash {
    type Err = HashError;

    /// Reads base64 with padding. As in Go, the two unused bits of the last character may be anything.
    fn from_str(text: &str) -> Result<Self, HashError> {
        let bytes = base64_decode(text).ok_or(HashError)?;
        Ok(Self(bytes.try_into().map_err(|_| HashError)?))
    }
}

/// The hash of a record: SHA-256(0x00 ‖ record).
pub fn record_hash(record: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([0]).chain_update(record).finalize().into())
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [1; 1 + 2 * HASH_BYTES];
    node[1..=HASH_BYTES].copy_from_slice(&left.0);
    node[1 + HASH_BYTES..].copy_from_slice(&right.0);
    Hash(Sha256::digest(node).into())
}

/// The root over complete subtrees that lie side by side, the largest and leftmost first, each smaller than the one
/// before: the hashes at [`ProofShape::tree`]'s indexes. No subtrees: the empty tree.
pub fn root_from(subtrees: &[Hash]) -> Hash {
    let fold = subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right));
    fold.unwrap_or(Hash::EMPTY_ROOT)
}

/// What a tree note says. Unverified: anybody can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHead {
    /// How many records the tree has; at most [`MAX_TREE_SIZE`].
    pub size: u64,
    /// Its root hash.
    pub root: Hash,
}

/// A tree note's text breaks the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed tree note")]
pub struct TreeError;

impl TreeHead {
    /// The empty tree, which nobody needs to sign.
    pub const EMPTY: Self = Self { size: 0, root: Hash::EMPTY_ROOT };

    /// Reads the text of a tree note (tlog.ParseTree): `go.sum database tree`, the size in decimal without superfluous
    /// characters, the root hash in base64, each on a line of its own. What follows is ignored.
    ///
    /// # Errors
    ///
    /// [`TreeError`], also for more than [`MAX_TREE_TEXT`] bytes.
    pub fn parse(text: &str) -> Result<Self, TreeError> {
        if text.len() > MAX_TREE_TEXT {
            return Err(TreeError);
        }
        let (digits, rest) = text.strip_prefix(TREE_PREFIX).and_then(|rest| rest.split_once('\n')).ok_or(TreeError)?;
        let (root, _) = rest.split_once('\n').ok_or(TreeError)?;
        let canonical = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        let size = digits.parse().ok().filter(|size| canonical && *size <= MAX_TREE_SIZE).ok_or(TreeError)?;
        Ok(Self { size, root: root.parse().map_err(|_| TreeError)? })
    }
}

impl fmt::Display for TreeHead {
    /// The text of a tree note, as tlog.FormatTree writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{TREE_PREFIX}{}\n{}\n", self.size, self.root)
    }
}

/// Why a signed tree head must not be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadError {
    /// The note cannot be opened.
    #[error("reading tree note: {0}")]
    Note(#[from] NoteError),
    /// It is signed, and its text is no tree.
    #[error("reading tree: {0}")]
    Tree(#[from] TreeError),
}

/// A tree head that the database's key signed. Made by [`AuthenticHead::open`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticHead {
    head: TreeHead,
    note: Note,
}

impl AuthenticHead {
    /// Opens a signed tree note with the database's key.
    ///
    /// # Errors
    ///
    /// [`HeadError`].
    pub fn open(message: &[u8], database: &Verifier) -> Result<Self, HeadError> {
        let note = note::open(message, &[database])?;
        Ok(Self { head: TreeHead::parse(note.text())?, note })
    }

    /// Size and root.
    pub fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The opened note, with its other signatures.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The signed note as received.
    pub fn message(&self) -> &[u8] {
        self.note.message()
    }
}

/// The stored-hash index of `(level, n)` (tlog.StoredHashIndex); `u64::MAX`, which no tree reaches, for coordinates
/// outside of every tree of at most [`MAX_TREE_SIZE`] records.
pub fn stored_hash_index(level: u8, n: u64) -> u64 {
    if level > 62 || n >= (MAX_TREE_SIZE >> level) {
        return u64::MAX;
    }
    // The hash is stored right after the last record below it, and after the smaller subtrees that record completes.
    // Record n comes at n + n/2 + n/4 + …, which is 2n less the ones in n.
    let record = ((n + 1) << level) - 1;
    2 * record - u64::from(record.count_ones()) + u64::from(level)
}

/// The coordinates `(level, n)` of a stored-hash index (tlog.SplitStoredHashIndex).
pub fn split(index: u64) -> (u8, u64) {
    let start = |record: u64| u128::from(record) * 2 - u128::from(record.count_ones());
    // Record n starts below 2n, by at most 64.
    let mut record = index / 2;
    while start(record + 1) <= u128::from(index) {
        record += 1;
    }
    // At most 64: the trailing ones of a record are the subtrees that it completes.
    let level = (u128::from(index) - start(record)) as u8;
    (level, record.checked_shr(level.into()).unwrap_or(0))
}

/// Reports whether a tree of `size` records has the stored hash at `(level, n)`.
pub(super) fn contains(size: u64, level: u8, n: u64) -> bool {
    n.checked_add(1).is_some_and(|end| end <= size.checked_shr(level.into()).unwrap_or(0))
}

/// Why a proof does not prove what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The record is not below the size of the tree.
    #[error("record {index} is not in a tree of size {size}")]
    NotInTree {
        /// The record.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// Consistency from the empty tree, or from a larger to a smaller one.
    #[error("no consistency proof from a tree of size {old} to one of size {new}")]
    Sizes {
        /// Size of the older tree.
        old: u64,
        /// Size of the newer tree.
        new: u64,
    },
    /// The sizes dictate another number of hashes.
    #[error("proof has {found} hashes, not {expected}")]
    Length {
        /// How many the sizes dictate.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The proof leads to another root than the tree's.
    #[error("proof leads to root {found}, not {expected}")]
    Root {
        /// The tree's root.
        expected: Hash,
        /// Where the proof leads.
        found: Hash,
    },
}

/// What a proof is made of, known from sizes alone: the stored hashes to get, and how they become the proof's hashes.
///
/// Each hash of a proof covers a range of records. A range that is a complete subtree is one stored hash; the range at
/// the tree's right edge may be several, which hash together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofShape {
    ranges: Vec<Range<u64>>,
}

impl ProofShape {
    /// The root of a tree: one hash, none for the empty tree.
    pub fn tree(size: u64) -> Self {
        Self { ranges: (size > 0).then_some(0..size).into_iter().collect() }
    }

    /// The audit path of record `index` in a tree of `size` records, from the leaf up (RFC 6962 §2.1.1).
    ///
    /// # Errors
    ///
    /// [`ProofError::NotInTree`].
    pub fn inclusion(index: u64, size: u64) -> Result<Self, ProofError> {
        if index >= size || size > MAX_TREE_SIZE {
            return Err(ProofError::NotInTree { index, size });
        }
        let mut ranges = Vec::new();
        let mut tree = 0..size;
        while tree.end - tree.start > 1 {
            let middle = tree.start + largest_power_below(tree.end - tree.start);
            if index < middle {
                ranges.push(middle..tree.end);
                tree.end = middle;
            } else {
                ranges.push(tree.start..middle);
                tree.start = middle;
            }
        }
        ranges.reverse();
        Ok(Self { ranges })
    }

    /// The proof that the tree of `old` records is a prefix of that of `new` records (RFC 6962 §2.1.2).
    ///
    /// # Errors
    ///
    /// [`ProofError::Sizes`].
    pub fn consistency(old: u64, new: u64) -> Result<Self, ProofError> {
        if old == 0 || old > new || new > MAX_TREE_SIZE {
            return Err(ProofError::Sizes { old, new });
        }
        let mut ranges = Vec::new();
        let mut tree = 0..new;
        while tree.end != old {
            let middle = tree.start + largest_power_below(tree.end - tree.start);
            if old <= middle {
                ranges.push(middle..tree.end);
                tree.end = middle;
            } else {
                ranges.push(tree.start..middle);
                tree.start = middle;
            }
        }
        // Where the walk ends in a subtree that is not the whole old tree, the verifier cannot know its hash.
        if tree.start != 0 {
            ranges.push(tree);
        }
        ranges.reverse();
        Ok(Self { ranges })
    }

    /// The stored-hash indexes that [`assemble`](Self::assemble) asks for, in its order.
    pub fn indexes(&self) -> impl Iterator<Item = u64> {
        self.ranges.iter().cloned().flat_map(complete_subtrees)
    }

    /// The proof, made of stored hashes.
    ///
    /// # Errors
    ///
    /// The first error of `hash`.
    pub fn assemble<E>(&self, mut hash: impl FnMut(u64) -> Result<Hash, E>) -> Result<Vec<Hash>, E> {
        let mut range_hash = |range: &Range<u64>| {
            let subtrees = complete_subtrees(range.clone()).map(&mut hash).collect::<Result<Vec<_>, E>>()?;
            Ok(root_from(&subtrees))
        };
        self.ranges.iter().map(&mut range_hash).collect()
    }
}

/// The largest power of two that is smaller than `n`, for `n` ≥ 2.
fn largest_power_below(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The stored-hash indexes of the complete subtrees that make up a range of records, from left to right. In a proof,
/// a range starts at a multiple of the largest power of two that fits in it.
fn complete_subtrees(mut range: Range<u64>) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let level = (range.end - range.start).checked_ilog2()? as u8;
        let index = stored_hash_index(level, range.start >> level);
        range.start += 1 << level;
        Some(index)
    })
}

/// Verifies that record number `index`, with hash `record`, is in the tree (RFC 9162 §2.1.3.2).
///
/// # Errors
///
/// [`ProofError`].
pub fn verify_inclusion(record: &Hash, index: u64, tree: &TreeHead, proof: &[Hash]) -> Result<(), ProofError> {
    if index >= tree.size || tree.size > MAX_TREE_SIZE {
        return Err(ProofError::NotInTree { index, size: tree.size });
    }
    let path = Path::new(index, tree.size);
    expect_length(path.inner + path.border(), proof.len())?;
    let (inner, border) = proof.split_at(path.inner);
    let root = border.iter().fold(path.climb(*record, inner), |hash, left| node_hash(left, &hash));
    expect_root(&tree.root, root)
}

/// Verifies that the tree `old` is a prefix of the tree `new` (RFC 9162 §2.1.4.2). Trees of the same size are
/// consistent if their roots are equal and the proof is empty. Nothing is proved from an empty `old`: an error.
///
/// # Errors
///
/// [`ProofError`].
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, proof: &[Hash]) -> Result<(), ProofError> {
    if old.size == 0 || old.size > new.size || new.size > MAX_TREE_SIZE {
        return Err(ProofError::Sizes { old: old.size, new: new.size });
    }
    if old.size == new.size {
        expect_length(0, proof.len())?;
        return expect_root(&old.root, new.root);
    }
    // Both roots grow out of the largest complete subtree that ends where the old tree ends. If that is the whole old
    // tree, the proof leaves its hash out.
    let shift = old.size.trailing_zeros();
    let path = Path::new(old.size - 1, new.size).above(shift);
    let whole = old.size == 1 << shift;
    expect_length(usize::from(!whole) + path.inner + path.border(), proof.len())?;
    let (seed, proof) = if whole { (old.root, proof) } else { (proof[0], &proof[1..]) };
    let (inner, border) = proof.split_at(path.inner);

    // Of the hashes inside, only those to the left were in the old tree.
    let left = inner.iter().enumerate().filter(|(level, _)| path.turns_right(*level)).map(|(_, hash)| hash);
    let old_root = left.chain(border).fold(seed, |hash, left| node_hash(left, &hash));
    expect_root(&old.root, old_root)?;
    let new_root = border.iter().fold(path.climb(seed, inner), |hash, left| node_hash(left, &hash));
    expect_root(&new.root, new_root)
}

/// The way from a node up to the root. First `inner` levels below the point where it meets the way from the last
/// record, with a sibling at each; then the border, where every sibling is to the left.
struct Path {
    index: u64,
    inner: usize,
}

impl Path {
    /// From record `index` in a tree of `size` records, `index` < `size`.
    fn new(index: u64, size: u64) -> Self {
        Self { index, inner: (u64::BITS - (index ^ (size - 1)).leading_zeros()) as usize }
    }

    /// From the node `levels` above, which is still below the meeting point.
    fn above(self, levels: u32) -> Self {
        Self { index: self.index >> levels, inner: self.inner - levels as usize }
    }

    /// How many siblings the border has.
    fn border(&self) -> usize {
        self.index.checked_shr(self.inner as u32).unwrap_or(0).count_ones() as usize
    }

    fn turns_right(&self, level: usize) -> bool {
        self.index >> level & 1 == 1
    }

    fn climb(&self, hash: Hash, siblings: &[Hash]) -> Hash {
        siblings.iter().enumerate().fold(hash, |hash, (level, sibling)| {
            if self.turns_right(level) { node_hash(sibling, &hash) } else { node_hash(&hash, sibling) }
        })
    }
}

fn expect_length(expected: usize, found: usize) -> Result<(), ProofError> {
    if expected == found { Ok(()) } else { Err(ProofError::Length { expected, found }) }
}

fn expect_root(expected: &Hash, found: Hash) -> Result<(), ProofError> {
    if *expected == found { Ok(()) } else { Err(ProofError::Root { expected: *expected, found }) }
}
