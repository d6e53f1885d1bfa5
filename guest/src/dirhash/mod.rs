//! h1: the hash of a module's content, as go.sum holds it (golang.org/x/mod/sumdb/dirhash).
//!
//! An h1 is the SHA-256 of a list with one line a file, `HEX  NAME\n`, sorted by name as bytes. [`Manifest`] is that list;
//! [`H1`] is its hash. It does not depend on how the files were packed: a zip that was compressed again has the same h1.
//!
//! Hashing is a measurement, not a verdict: it is written once, here, over [`ReadAt`], and run in two ways. A host runs it
//! natively for bulk work, on all cores; the component exports the same code (`hashing` in `wit/`) for hosts that have
//! no native one.
//!
//! ## Why an h1 can be relied on
//! Two things must hold. Equal h1 must mean equal files: that is SHA-256, of a list in which no name can look like another
//! line, because one with a newline is refused. And the files hashed must be those that the go command will use: that is
//! not given for zips, where two readers can see two archives in the same bytes. So the reader here does what Go's does,
//! step by step, and where it cannot, it refuses; it is held to Go's by a table of odd zips and by comparing both on
//! millions of changed ones (`benches/src/bin/zipdiff.rs`). The rules for module zips then say that unpacking gives the
//! same files everywhere: no path leaves the folder, and no two fall together.
//!
//! What could not be read is never reported as wrong, nor the other way round: [`ReadError`] is its own cause everywhere.
//!
//! | file | what it does |
//! |---|---|
//! | [`zip`] | the h1 of a zip, one file of a zip, the rules of module zips |
//! | `archive` | reads zips as Go does |
//! | [`dir`] | the h1 of a folder, and which of its files a module zip may have |
//!
//! Sources: golang.org/x/mod v0.42 `sumdb/dirhash`, `zip`, `module`; Go 1.26 `archive/zip`, `compress/flate`,
//! `cmd/go/internal/modfetch/fetch.go`.

mod archive;
pub mod dir;
pub mod zip;

use crate::sort::sort_by;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// Bytes that can be read in any order: an open file, a host's blob, a slice.
pub trait ReadAt {
    /// How many bytes there are. The same at every call.
    fn size(&self) -> u64;

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`ReadError`]: also where fewer bytes are there than [`Self::size`] says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError>;
}

/// Bytes could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The disk, or who stands for it, gave an error.
    #[error("cannot be read")]
    Failed,
    /// It is not as long as it was, or was written to meanwhile.
    #[error("changed while it was read")]
    Changed,
}

impl ReadAt for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let start = usize::try_from(offset).map_err(|_| ReadError::Changed)?;
        let end = start.checked_add(buffer.len()).ok_or(ReadError::Changed)?;
        buffer.copy_from_slice(self.get(start..end).ok_or(ReadError::Changed)?);
        Ok(())
    }
}

/// The SHA-256 of one file.
pub type FileHash = [u8; 32];

/// One file of a [`Manifest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDigest {
    /// Its name, `MODULE@VERSION/…` with `/`. Bytes, because those of a zip need not be UTF-8.
    pub name: Box<[u8]>,
    /// The SHA-256 of its content.
    pub sha256: FileHash,
}

/// The files that an h1 is made of, sorted by name as bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    files: Vec<FileDigest>,
}

impl Manifest {
    /// Of these files, in any order. Equal names keep theirs.
    pub fn new(mut files: Vec<FileDigest>) -> Self {
        sort_by(&mut files, |a, b| a.name.cmp(&b.name));
        Self { files }
    }

    /// The files, by name.
    pub fn files(&self) -> &[FileDigest] {
        &self.files
    }

    /// Its hash.
    pub fn h1(&self) -> H1 {
        let mut hash = Sha256::new();
        self.write(|part| hash.update(part));
        H1(hash.finalize().into())
    }

    /// The list that [`Self::h1`] is the hash of: `HEX  NAME\n` for every file.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.files.iter().map(|file| file.name.len() + 67).sum());
        self.write(|part| text.extend_from_slice(part));
        text
    }

    fn write(&self, mut out: impl FnMut(&[u8])) {
        let mut hex = [0; 66];
        hex[64..].fill(b' ');
        for file in &self.files {
            for (digits, byte) in hex.chunks_exact_mut(2).zip(file.sha256) {
                digits.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
            out(&hex);
            out(&file.name);
            out(b"\n");
        }
    }

    /// Reads what [`Self::text`] writes. None: it is something else, or not sorted.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let digit = |byte: u8| HEX.iter().position(|hex| *hex == byte).map(|at| at as u8);
        let file = |line: &[u8]| {
            let (hash, name) = line.split_first_chunk::<64>()?;
            let mut sha256 = [0; 32];
            for (byte, digits) in sha256.iter_mut().zip(hash.chunks_exact(2)) {
                *byte = digit(digits[0])? << 4 | digit(digits[1])?;
            }
            Some(FileDigest { name: name.strip_prefix(b"  ")?.into(), sha256 })
        };
        let files: Vec<FileDigest> = match text.strip_suffix(b"\n") {
            Some(lines) => lines.split(|byte| *byte == b'\n').map(file).collect::<Option<_>>()?,
            None if text.is_empty() => Vec::new(),
            None => return None,
        };
        files.is_sorted_by(|a, b| a.name <= b.name).then_some(Self { files })
    }
}

const HEX: [u8; 16] = *b"0123456789abcdef";

/// An h1. Shown as in go.sum: `h1:` and base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct H1(pub [u8; 32]);

impl fmt::Display for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h1:{}", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for H1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The h1 of a go.mod: that of a module with this one file, named `go.mod` (cmd/go/internal/modfetch goModSum).
pub fn go_mod(content: &[u8]) -> H1 {
    let sha256 = Sha256::digest(content).into();
    Manifest::new(vec![FileDigest { name: Box::from(*b"go.mod"), sha256 }]).h1()
}
