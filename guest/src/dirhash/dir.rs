//! The h1 of a folder, and which of its files a module zip may have.
//!
//! [`DirHasher`] takes files in any order, one at a time, and names them as golang.org/x/mod/sumdb/dirhash.DirFiles
//! does: `MODULE@VERSION/` and the path in the folder, with `/`. Every file counts, none is left out: whoever walks the
//! folder must push all that is no folder, and so an extra file changes the hash as a changed one does.
//!
//! [`check_files`] is another question: what `go mod download` would leave out or refuse if a zip were made of these
//! files.
//!
//! Sources: golang.org/x/mod v0.42 `sumdb/dirhash/hash.go`, `zip/zip.go` (CheckFiles, isVendoredPackage).

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use super::zip::{Collision, Collisions, MAX_GO_MOD, MAX_LICENSE, Shown, TooLarge, Total, check_path, is_clean};
use super::{FileDigest, FileHash, Manifest, ReadAt, ReadError};
use crate::module::{ModuleVersion, PathCause};

/// How much of a file is read at once.
const CHUNK: usize = 1 << 18;

/// The SHA-256 of content, read in parts of at most 256 KiB. `buffer` is for reuse; its content does not matter.
///
/// # Errors
/// What reading it gave.
pub fn hash_file(content: &(impl ReadAt + ?Sized), buffer: &mut Vec<u8>) -> Result<FileHash, ReadError> {
    let size = content.size();
    let mut hash = Sha256::new();
    let mut at = 0;
    while at < size {
        let length = usize::try_from(size - at).map_or(CHUNK, |left| left.min(CHUNK));
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        content.read_at(at, &mut buffer[..length])?;
        hash.update(&buffer[..length]);
        at += length as u64;
    }
    Ok(hash.finalize().into())
}

/// The list of a folder's files, in the making. Memory is that of the list, and 256 KiB.
#[derive(Debug)]
pub struct DirHasher {
    module: ModuleVersion,
    files: Vec<FileDigest>,
    buffer: Vec<u8>,
}

/// Why a file has no place in a folder's list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirError {
    /// It could not be read: nothing is known about the folder.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Its name has a newline: Go has no h1 of such a folder.
    #[error("{name}: the name has a newline")]
    Newline {
        /// The file.
        name: Shown,
    },
    /// That is no path of a file in a folder: empty, absolute, or with `.`, `..` or empty elements.
    #[error("{name}: no path in the folder")]
    NotInside {
        /// The file.
        name: Shown,
    },
}

impl DirHasher {
    /// Of a folder with the files of this module version.
    pub fn new(module: &ModuleVersion) -> Self {
        Self { module: module.clone(), files: Vec::new(), buffer: Vec::new() }
    }

    /// Adds a file by its path in the folder, with `/`. It is read now.
    ///
    /// # Errors
    /// [`DirError`]; then it was not added.
    pub fn push(&mut self, name: impl AsRef<[u8]>, content: &(impl ReadAt + ?Sized)) -> Result<(), DirError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let sha256 = hash_file(content, &mut buffer);
        self.buffer = buffer;
        self.push_hash(name, sha256?)
    }

    /// Adds a file whose [`hash_file`] is known already.
    ///
    /// # Errors
    /// [`DirError::Newline`], [`DirError::NotInside`]; then it was not added.
    pub fn push_hash(&mut self, name: impl AsRef<[u8]>, sha256: FileHash) -> Result<(), DirError> {
        let name = name.as_ref();
        if name.contains(&b'\n') {
            return Err(DirError::Newline { name: Shown::new(name) });
        }
        let climbs = matches!(name, [b'/', ..] | b"." | b".." | [b'.', b'.', b'/', ..]);
        if climbs || !is_clean(name) {
            return Err(DirError::NotInside { name: Shown::new(name) });
        }
        let name = [self.module.as_str().as_bytes(), b"/", name].concat().into();
        self.files.push(FileDigest { name, sha256 });
        Ok(())
    }

    /// The files, sorted.
    pub fn finish(self) -> Manifest {
        Manifest::new(self.files)
    }
}

/// A file that no zip of the module would have, or because of which there would be none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// Which of the files.
    pub index: usize,
    /// Why.
    pub cause: FileCause,
}

/// What golang.org/x/mod/zip.CheckFiles has against a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileCause {
    /// Left out: in a vendored package.
    #[error("file is in vendor directory")]
    Vendored,
    /// Left out: there is another go.mod in a folder that it is in.
    #[error("file is in another module")]
    InSubmodule,
    /// Left out: `.hg_archival.txt`.
    #[error("file is inserted by 'hg archive' and is always omitted")]
    HgArchival,
    /// The path has `.`, `..` or empty elements.
    #[error("file path is not clean")]
    NotClean,
    /// The path begins with `/`.
    #[error("file path is not relative")]
    NotRelative,
    /// A path that no file of a module may have.
    #[error("malformed file path: {0}")]
    BadPath(PathCause),
    /// The go.mod has capitals.
    #[error("go.mod files must have lowercase names")]
    GoModCase,
    /// Differs from this path in case alone.
    #[error("case-insensitive file name collision with {0}")]
    CaseCollision(Shown),
    /// Its path, or that of a folder it is in, is both a file's and a folder's.
    #[error("both a file and a folder")]
    FileAndFolder,
    /// It is there twice.
    #[error("multiple entries for file")]
    DuplicateFile,
    /// With it, the files are larger than a module may be ([`super::zip::MAX_ZIP_FILE`]). Only of the first such file.
    #[error("module source tree too large")]
    ContentTooLarge,
    /// The go.mod is larger than [`MAX_GO_MOD`].
    #[error("go.mod file too large")]
    GoModTooLarge,
    /// The LICENSE is larger than [`MAX_LICENSE`].
    #[error("LICENSE file too large")]
    LicenseTooLarge,
}

impl FileCause {
    /// Whether the file is only left out of a zip. All else means that there is none.
    pub fn is_omission(&self) -> bool {
        matches!(self, Self::Vendored | Self::InSubmodule | Self::HgArchival)
    }
}

/// Applies CheckFiles to regular files, given by path in the folder and size: all problems, by file.
///
/// `go` is the version in the `go` line of the folder's go.mod, if there is one: since 1.24 it decides what counts as
/// vendored.
pub fn check_files(files: &[(&[u8], u64)], go: Option<&str>) -> Vec<FileProblem> {
    let go_1_24 = go.is_some_and(is_go_1_24);
    let submodules: HashSet<&[u8]> = files
        .iter()
        .map(|(path, _)| split(path))
        .filter(|(folder, base)| !folder.is_empty() && base.eq_ignore_ascii_case(b"go.mod"))
        .map(|(folder, _)| folder)
        .collect();
    let mut problems = Vec::new();
    let mut told: HashSet<&[u8]> = HashSet::new();
    let mut collisions = Collisions::default();
    let (mut total, mut too_large) = (Total::default(), false);
    for (index, &(path, size)) in files.iter().enumerate() {
        let mut problem = |cause| problems.push(FileProblem { index, cause });
        let cause = check_one(path, go_1_24, &submodules, &mut collisions).err();
        if cause.is_none() && !too_large && total.add(size).is_err_and(|TooLarge| true) {
            too_large = true;
            problem(FileCause::ContentTooLarge);
        }
        let cause = cause.or(match path {
            b"go.mod" if size > MAX_GO_MOD => Some(FileCause::GoModTooLarge),
            b"LICENSE" if size > MAX_LICENSE => Some(FileCause::LicenseTooLarge),
            _ => None,
        });
        // Of a path that is there twice, Go tells only the first problem.
        if let Some(cause) = cause.filter(|_| told.insert(path)) {
            problem(cause);
        }
    }
    problems
}

fn check_one<'a>(
    path: &'a [u8],
    go_1_24: bool,
    submodules: &HashSet<&[u8]>,
    collisions: &mut Collisions<'a>,
) -> Result<(), FileCause> {
    if !is_clean(path) {
        return Err(FileCause::NotClean);
    }
    if path.starts_with(b"/") {
        return Err(FileCause::NotRelative);
    }
    if is_vendored(path, go_1_24) {
        return Err(FileCause::Vendored);
    }
    let folders = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(slash, _)| &path[..=slash]);
    if folders.into_iter().any(|folder| submodules.contains(folder)) {
        return Err(FileCause::InSubmodule);
    }
    if path == b".hg_archival.txt" {
        return Err(FileCause::HgArchival);
    }
    let text = check_path(path).map_err(FileCause::BadPath)?;
    if path.eq_ignore_ascii_case(b"go.mod") && path != b"go.mod" {
        return Err(FileCause::GoModCase);
    }
    collisions.add(text, false).map_err(|collision| match collision {
        Collision::Case(other) => FileCause::CaseCollision(Shown::new(other.as_bytes())),
        Collision::FileAndFolder => FileCause::FileAndFolder,
        Collision::Twice => FileCause::DuplicateFile,
    })
}

/// A path's folder, with its `/`, and the rest.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    path.split_at(path.iter().rposition(|b| *b == b'/').map_or(0, |slash| slash + 1))
}

/// Whether a `go` line asks for Go 1.24 or later.
fn is_go_1_24(version: &str) -> bool {
    let number = |text: &str| {
        text.bytes()
            .take_while(u8::is_ascii_digit)
            .fold(0_u32, |n, b| n.saturating_mul(10).saturating_add(u32::from(b - b'0')))
    };
    let (major, minor) = version.split_once('.').unwrap_or((version, ""));
    (number(major), number(minor)) >= (1, 24)
}

/// Whether a file is in a vendored package (isVendoredPackage). Before Go 1.24 it took the wrong slash for the end of
/// `vendor` where that is not the first folder; hashes of old modules depend on it.
fn is_vendored(path: &[u8], go_1_24: bool) -> bool {
    if go_1_24 && path == b"vendor/modules.txt" {
        return true;
    }
    const VENDOR: &[u8] = b"/vendor/";
    let rest = if let Some(rest) = path.strip_prefix(b"vendor/") {
        rest
    } else if let Some(at) = path.windows(VENDOR.len()).position(|part| part == VENDOR) {
        &path[if go_1_24 { at + VENDOR.len() } else { VENDOR.len() }..]
    } else {
        return false;
    };
    rest.contains(&b'/')
}
