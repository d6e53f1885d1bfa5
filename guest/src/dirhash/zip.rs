//! Module zips: their h1, and the rules for them.
//!
//! [`measure`] gives what golang.org/x/mod/sumdb/dirhash.HashZip hashes: of every entry of the central directory its
//! name and the SHA-256 of its content. Folders (names that end in `/`) count, as empty files. Of entries with the same
//! name only the last one is read, and counts as often as there are such. A name with a newline is an error: it could
//! stand for two lines of the list that is hashed.
//!
//! With a module version it first asks what cmd/go asks of a zip before it uses it: all of
//! golang.org/x/mod/zip.CheckZip and the check of cmd/go's downloadZip (`unexpected file`, the same as CheckZip's
//! prefix). Then nothing in the zip can be unpacked outside of its folder, collide where case is not kept, be another
//! module, or be larger than 500 MiB.
//!
//! ## What is different from Go
//! Nothing passes here that Go refuses. Go would read, and this refuses:
//! - more than [`MAX_ENTRIES`] entries, or [`MAX_NAMES`] bytes of names: more than a zip of 500 MiB can hold;
//! - entries that lie over each other so much that the same bytes would be read over and over
//!   ([`ZipError::Overlapping`]);
//! - names with letters that are newer than the Unicode of the Go that our table was made with (rules only).
//!
//! ## Memory and time
//! Memory is constant in the size of a zip, below 4 MiB, and grows with the number of entries: some 170 bytes for each,
//! and its name twice. Time is bounded by the size of the zip and that of the content: with rules at most 500 MiB,
//! without them what the entries declare.
//!
//! Sources: golang.org/x/mod v0.42 `sumdb/dirhash/hash.go`, `zip/zip.go`; Go 1.26 `cmd/go/internal/modfetch/fetch.go`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use super::archive::{Contents, Directory, Entry, Sink};
use super::{FileDigest, FileHash, Manifest, ReadAt, ReadError};
use crate::module::{ModuleVersion, PathCause, check_file_path, fold, is_print};
use crate::sort::sort_by;

pub use super::archive::{MAX_ENTRIES, MAX_NAMES, ONE_SHOT};

/// The most bytes that a module zip may have, and the most that its files may have together, unpacked.
pub const MAX_ZIP_FILE: u64 = 500 << 20;
/// The most bytes that a go.mod in a module zip may have.
pub const MAX_GO_MOD: u64 = 16 << 20;
/// The most bytes that a LICENSE in a module zip may have.
pub const MAX_LICENSE: u64 = 16 << 20;

/// The files of a zip with their hashes; with `rules`, if it is a good zip of that module version.
///
/// # Errors
/// [`ZipError::Read`] where it could not be read, which says nothing about it. All else: the zip is refused, as Go
/// does.
pub fn measure(zip: &(impl ReadAt + ?Sized), rules: Option<&ModuleVersion>) -> Result<Manifest, ZipError> {
    if rules.is_some() && zip.size() > MAX_ZIP_FILE {
        return Err(ZipError::ZipTooLarge);
    }
    let directory = Directory::read(zip)?;
    if let Some(module) = rules {
        check(&directory, module)?;
    }
    hash(zip, &directory)
}

/// The content of one file of a zip, by its whole name; of several entries with that name, the last one's.
///
/// # Errors
/// As [`measure`]; also [`ZipError::NoSuchFile`], and [`ZipError::FileTooLarge`] above `cap` bytes.
pub fn read_file(zip: &(impl ReadAt + ?Sized), name: &[u8], cap: usize) -> Result<Vec<u8>, ZipError> {
    let directory = Directory::read(zip)?;
    let shown = || Shown::new(name);
    let entry = directory.entries().iter().rfind(|entry| directory.name(entry) == name);
    let entry = entry.ok_or_else(|| ZipError::NoSuchFile { name: shown() })?;
    if entry.size > cap as u64 {
        return Err(ZipError::FileTooLarge { name: shown() });
    }
    let mut content = Vec::new();
    Contents::new(zip).read(entry, name, &mut content)?;
    Ok(content)
}

impl Sink for Vec<u8> {
    fn write(&mut self, part: &[u8]) {
        self.extend_from_slice(part);
    }
}

impl Sink for Sha256 {
    fn write(&mut self, part: &[u8]) {
        self.update(part);
    }
}

/// What is hashed of one name: the last entry with it, as often as there are such.
struct File<'a> {
    entry: &'a Entry,
    times: usize,
    sha256: FileHash,
}

/// dirhash.HashZip, up to the list that it hashes.
fn hash(zip: &(impl ReadAt + ?Sized), directory: &Directory) -> Result<Manifest, ZipError> {
    let entries = directory.entries();
    if let Some(entry) = entries.iter().find(|entry| directory.name(entry).contains(&b'\n')) {
        return Err(ZipError::Newline { name: Shown::new(directory.name(entry)) });
    }
    let mut by_name: Vec<&Entry> = entries.iter().collect();
    // Stable: of equal names the last one stays last.
    sort_by(&mut by_name, |a, b| directory.name(a).cmp(directory.name(b)));
    let mut files: Vec<File<'_>> = by_name
        .chunk_by(|a, b| directory.name(a) == directory.name(b))
        .filter_map(|same| Some(File { entry: same.last()?, times: same.len(), sha256: [0; 32] }))
        .collect();
    drop(by_name);
    // Reading goes forwards.
    let mut by_place: Vec<&mut File<'_>> = files.iter_mut().collect();
    sort_by(&mut by_place, |a, b| a.entry.header.cmp(&b.entry.header));
    let mut contents = Contents::new(zip);
    for file in by_place {
        let mut sha256 = Sha256::new();
        contents.read(file.entry, directory.name(file.entry), &mut sha256)?;
        file.sha256 = sha256.finalize().into();
    }
    let digest = |file: &File<'_>| FileDigest { name: directory.name(file.entry).into(), sha256: file.sha256 };
    Ok(Manifest::new(files.iter().flat_map(|file| std::iter::repeat_with(|| digest(file)).take(file.times)).collect()))
}

/// golang.org/x/mod/zip.CheckZip of the entries. That the version is canonical is [`ModuleVersion`]'s.
fn check(directory: &Directory, module: &ModuleVersion) -> Result<(), ZipError> {
    let mut collisions = Collisions::default();
    let mut total = Total::default();
    for entry in directory.entries() {
        let full = directory.name(entry);
        let shown = || Shown::new(full);
        let name = full.strip_prefix(module.as_str().as_bytes()).and_then(|rest| rest.strip_prefix(b"/"));
        let name = name.ok_or_else(|| ZipError::UnexpectedFile { name: shown() })?;
        if name.is_empty() {
            continue;
        }
        let (name, is_folder) = name.strip_suffix(b"/").map_or((name, false), |name| (name, true));
        if !is_clean(name) {
            return Err(ZipError::NotClean { name: shown() });
        }
        check_path(name).map_err(|cause| ZipError::BadPath { name: shown(), cause })?;
        let name =
            std::str::from_utf8(name).map_err(|_| ZipError::BadPath { name: shown(), cause: PathCause::NotUtf8 })?;
        collisions.add(name, is_folder).map_err(|collision| match collision {
            Collision::Case(other) => ZipError::CaseCollision { name: shown(), other: Shown::new(other.as_bytes()) },
            Collision::FileAndFolder => ZipError::FileAndFolder { name: shown() },
            Collision::Twice => ZipError::DuplicateFile { name: shown() },
        })?;
        if is_folder {
            continue;
        }
        let base = name.rsplit('/').next().unwrap_or(name);
        if base.eq_ignore_ascii_case("go.mod") {
            if base != name {
                return Err(ZipError::GoModInFolder { name: shown() });
            }
            if name != "go.mod" {
                return Err(ZipError::GoModCase { name: shown() });
            }
        }
        total.add(entry.size).map_err(|TooLarge| ZipError::ContentTooLarge)?;
        if name == "go.mod" && entry.size > MAX_GO_MOD {
            return Err(ZipError::GoModTooLarge);
        }
        if name == "LICENSE" && entry.size > MAX_LICENSE {
            return Err(ZipError::LicenseTooLarge);
        }
    }
    Ok(())
}

/// The bytes of a module's files together, at most [`MAX_ZIP_FILE`].
#[derive(Debug, Default)]
pub(super) struct Total(u64);

/// More than [`MAX_ZIP_FILE`] bytes.
#[derive(Debug)]
pub(super) struct TooLarge;

impl Total {
    pub(super) fn add(&mut self, size: u64) -> Result<(), TooLarge> {
        let total = self.0.checked_add(size).filter(|total| *total <= MAX_ZIP_FILE).ok_or(TooLarge)?;
        self.0 = total;
        Ok(())
    }
}

/// [`check_file_path`], with causes of bounded length.
pub(super) fn check_path(path: &[u8]) -> Result<&str, PathCause> {
    check_file_path(path).map_err(|cause| match cause {
        PathCause::DotElement(dots) if dots.len() > Shown::MAX => PathCause::DotElement(".".repeat(Shown::MAX) + "…"),
        cause => cause,
    })
}

/// Whether Go's path.Clean leaves a path as it is.
pub(super) fn is_clean(path: &[u8]) -> bool {
    let (rooted, rest) = path.strip_prefix(b"/").map_or((false, path), |rest| (true, rest));
    if rest.is_empty() {
        return rooted;
    }
    let mut climbing = !rooted;
    rest.split(|b| *b == b'/').all(|element| match element {
        b"" => false,
        b"." => path == b".",
        b".." => climbing,
        _ => {
            climbing = false;
            true
        }
    })
}

/// Finds paths that differ in case alone, and those of both a file and a folder (golang.org/x/mod/zip
/// collisionChecker).
#[derive(Debug, Default)]
pub(super) struct Collisions<'a>(HashMap<Cow<'a, str>, (&'a str, bool)>);

/// How a path collides.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Collision<'a> {
    /// With this one, but for case.
    Case(&'a str),
    FileAndFolder,
    Twice,
}

impl<'a> Collisions<'a> {
    /// Adds a path and the folders that it is in. `path` is a good file path.
    pub(super) fn add(&mut self, path: &'a str, is_folder: bool) -> Result<(), Collision<'a>> {
        let (mut path, mut is_folder) = (path, is_folder);
        loop {
            let plain = path.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
            let folded = if plain { Cow::Borrowed(path) } else { Cow::Owned(fold(path)) };
            match self.0.entry(folded) {
                std::collections::hash_map::Entry::Vacant(vacant) => {
                    vacant.insert((path, is_folder));
                }
                std::collections::hash_map::Entry::Occupied(seen) => match *seen.get() {
                    (other, _) if other != path => return Err(Collision::Case(other)),
                    (_, other) if other != is_folder => return Err(Collision::FileAndFolder),
                    _ if !is_folder => return Err(Collision::Twice),
                    _ => {}
                },
            }
            let Some((parent, _)) = path.rsplit_once('/') else { return Ok(()) };
            (path, is_folder) = (parent, true);
        }
    }
}

/// A file's name in a message: on one line, printable, at most 200 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown(Box<str>);

impl Shown {
    const MAX: usize = 200;

    /// Escapes what does not print, and bytes that are no UTF-8, as Go's `%q` does.
    pub fn new(name: &[u8]) -> Self {
        let mut text = String::new();
        let mut count = 0;
        'all: for chunk in name.utf8_chunks() {
            let chars = chunk.valid().chars().map(|c| match c {
                '\\' => "\\\\".to_owned(),
                c if is_print(c) => c.to_string(),
                c => c.escape_default().to_string(),
            });
            let bytes = chunk.invalid().iter().map(|b| format!("\\x{b:02x}"));
            for shown in chars.chain(bytes) {
                count += shown.chars().count();
                if count > Self::MAX {
                    text.push('…');
                    break 'all;
                }
                text.push_str(&shown);
            }
        }
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a zip has no [`Manifest`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// It could not be read, or not as one thing: nothing is known about it. Every other cause is in its bytes.
    #[error(transparent)]
    Read(ReadError),

    /// There is no end record, or none whose comment fits.
    #[error("not a zip: no end record")]
    NotZip,
    /// There is no zip64 end record where its locator says.
    #[error("no zip64 end record where its locator says")]
    BadZip64,
    /// The central directory is not all in the file.
    #[error("the central directory lies outside of the file")]
    DirectoryOutside,
    /// The central directory has another number of entries.
    #[error("the central directory has not as many entries as the end record says, or a malformed one")]
    WrongCount,
    /// More entries than [`MAX_ENTRIES`], or longer names than [`MAX_NAMES`].
    #[error("too many entries")]
    TooManyEntries,
    /// Entries that lie over each other: reading all would take the same bytes over and over.
    #[error("entries lie over each other")]
    Overlapping,

    /// A name has a newline.
    #[error("{name}: the name has a newline")]
    Newline {
        /// The file.
        name: Shown,
    },
    /// There is no local header where the directory says.
    #[error("{name}: no local header where the central directory says")]
    BadLocalHeader {
        /// The file.
        name: Shown,
    },
    /// A folder, by its name, that has content.
    #[error("{name}: a folder with content")]
    FolderWithContent {
        /// The folder.
        name: Shown,
    },
    /// Neither stored nor deflated.
    #[error("{name}: unknown compression method {method}")]
    UnknownMethod {
        /// The file.
        name: Shown,
        /// Its method.
        method: u16,
    },
    /// The compressed data are malformed, or end before they say.
    #[error("{name}: malformed or truncated compressed data")]
    BadDeflate {
        /// The file.
        name: Shown,
    },
    /// The content is shorter or longer than declared.
    #[error("{name}: the content is not as long as declared")]
    WrongSize {
        /// The file.
        name: Shown,
    },
    /// The CRC-32 of the content, or the one in the data descriptor, is not the directory's.
    #[error("{name}: wrong CRC-32")]
    WrongCrc {
        /// The file.
        name: Shown,
    },
    /// The data descriptor that should follow the content is not there.
    #[error("{name}: no data descriptor after the content")]
    NoDescriptor {
        /// The file.
        name: Shown,
    },

    /// Rules: the zip is larger than [`MAX_ZIP_FILE`].
    #[error("the zip is larger than {MAX_ZIP_FILE} bytes")]
    ZipTooLarge,
    /// Rules: a file is not in the module's folder.
    #[error("{name}: unexpected file, not below MODULE@VERSION/")]
    UnexpectedFile {
        /// The file.
        name: Shown,
    },
    /// Rules: a path with `.`, `..` or empty elements.
    #[error("{name}: file path is not clean")]
    NotClean {
        /// The file.
        name: Shown,
    },
    /// Rules: a path that no file of a module may have.
    #[error("{name}: malformed file path: {cause}")]
    BadPath {
        /// The file.
        name: Shown,
        /// What is wrong with it.
        cause: PathCause,
    },
    /// Rules: two paths that differ in case alone.
    #[error("{name}: case-insensitive file name collision with {other}")]
    CaseCollision {
        /// The file.
        name: Shown,
        /// The path before it, without `MODULE@VERSION/`; of either this may be a folder that it is in.
        other: Shown,
    },
    /// Rules: a path is both a file's and a folder's.
    #[error("{name}: both a file and a folder")]
    FileAndFolder {
        /// The file.
        name: Shown,
    },
    /// Rules: two entries for one file.
    #[error("{name}: multiple entries for file")]
    DuplicateFile {
        /// The file.
        name: Shown,
    },
    /// Rules: a go.mod in a folder of the module.
    #[error("{name}: go.mod file not in module root directory")]
    GoModInFolder {
        /// The file.
        name: Shown,
    },
    /// Rules: a go.mod with capitals.
    #[error("{name}: go.mod files must have lowercase names")]
    GoModCase {
        /// The file.
        name: Shown,
    },
    /// Rules: the files together are larger than [`MAX_ZIP_FILE`].
    #[error("the files are together larger than {MAX_ZIP_FILE} bytes")]
    ContentTooLarge,
    /// Rules: the go.mod is larger than [`MAX_GO_MOD`].
    #[error("go.mod file too large (max size is {MAX_GO_MOD} bytes)")]
    GoModTooLarge,
    /// Rules: the LICENSE is larger than [`MAX_LICENSE`].
    #[error("LICENSE file too large (max size is {MAX_LICENSE} bytes)")]
    LicenseTooLarge,

    /// [`read_file`]: there is no such file.
    #[error("{name}: not in the zip")]
    NoSuchFile {
        /// The file.
        name: Shown,
    },
    /// [`read_file`]: it is larger than was asked for.
    #[error("{name}: larger than allowed here")]
    FileTooLarge {
        /// The file.
        name: Shown,
    },
}

impl ZipError {
    /// A stable name of the cause.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read(ReadError::Failed) => "unreadable",
            Self::Read(ReadError::Changed) => "changed",
            Self::NotZip => "not-zip",
            Self::BadZip64 => "bad-zip64",
            Self::DirectoryOutside => "directory-outside",
            Self::WrongCount => "wrong-count",
            Self::TooManyEntries => "too-many-entries",
            Self::Overlapping => "overlapping",
            Self::Newline { .. } => "newline",
            Self::BadLocalHeader { .. } => "bad-local-header",
            Self::FolderWithContent { .. } => "folder-with-content",
            Self::UnknownMethod { .. } => "unknown-method",
            Self::BadDeflate { .. } => "bad-deflate",
            Self::WrongSize { .. } => "wrong-size",
            Self::WrongCrc { .. } => "wrong-crc",
            Self::NoDescriptor { .. } => "no-descriptor",
            Self::ZipTooLarge => "zip-too-large",
            Self::UnexpectedFile { .. } => "unexpected-file",
            Self::NotClean { .. } => "not-clean",
            Self::BadPath { .. } => "bad-path",
            Self::CaseCollision { .. } => "case-collision",
            Self::FileAndFolder { .. } => "file-and-folder",
            Self::DuplicateFile { .. } => "duplicate-file",
            Self::GoModInFolder { .. } => "go-mod-in-folder",
            Self::GoModCase { .. } => "go-mod-case",
            Self::ContentTooLarge => "content-too-large",
            Self::GoModTooLarge => "go-mod-too-large",
            Self::LicenseTooLarge => "license-too-large",
            Self::NoSuchFile { .. } => "no-such-file",
            Self::FileTooLarge { .. } => "file-too-large",
        }
    }

    /// The file that it is about, if it is about one.
    pub fn file(&self) -> Option<&Shown> {
        match self {
            Self::Newline { name }
            | Self::BadLocalHeader { name }
            | Self::FolderWithContent { name }
            | Self::UnknownMethod { name, .. }
            | Self::BadDeflate { name }
            | Self::WrongSize { name }
            | Self::WrongCrc { name }
            | Self::NoDescriptor { name }
            | Self::UnexpectedFile { name }
            | Self::NotClean { name }
            | Self::BadPath { name, .. }
            | Self::CaseCollision { name, .. }
            | Self::FileAndFolder { name }
            | Self::DuplicateFile { name }
            | Self::GoModInFolder { name }
            | Self::GoModCase { name }
            | Self::NoSuchFile { name }
            | Self::FileTooLarge { name } => Some(name),
            Self::Read(_)
            | Self::NotZip
            | Self::BadZip64
            | Self::DirectoryOutside
            | Self::WrongCount
            | Self::TooManyEntries
            | Self::Overlapping
            | Self::ZipTooLarge
            | Self::ContentTooLarge
            | Self::GoModTooLarge
            | Self::LicenseTooLarge => None,
        }
    }
}
