//! A module's files: copied into the working copy, and hashed there.
//!
//! # Security
//! What is hashed is our own copy, which nobody else writes to; so what is approved is what is published. A zip must keep
//! all of Go's rules for module zips. The go.mod is taken out of the zip, as a module proxy does, not from where it
//! lies beside it, where it may be another. The `.info` is made anew from the version and its time.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use modanchor_core::dirhash::zip::{self, ZipError};
use modanchor_core::dirhash::{self, ReadAt as _, ReadError};
use modanchor_core::hex;
use modanchor_core::module::ModuleVersion;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::changes::{File, Kind};
use super::work::{Work, WorkError};
use crate::files::{FileError, Regular};

/// How much is copied at once, in bytes.
const CHUNK: usize = 1 << 20;

/// Why a module cannot be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// The working copy.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// The zip cannot be read.
    #[error("{module}: {source}")]
    File {
        /// Of which module.
        module: ModuleVersion,
        /// Why.
        source: FileError,
    },
    /// The copy cannot be written.
    #[error("{module}: cannot copy its zip: {source}")]
    Copy {
        /// Of which module.
        module: ModuleVersion,
        /// Why.
        source: std::io::Error,
    },
    /// It breaks Go's rules, or is none.
    #[error("{module}: its zip is refused: {source}")]
    Refused {
        /// Of which module.
        module: ModuleVersion,
        /// Why.
        source: ZipError,
    },
}

/// A module version's files, in the working copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// Which.
    pub module: ModuleVersion,
    /// Its files.
    pub files: Vec<File>,
}

impl Measured {
    /// The h1 of one file.
    #[must_use]
    pub fn h1(&self, kind: Kind) -> Option<&str> {
        self.files.iter().find(|file| file.kind == kind)?.h1.as_deref()
    }
}

/// What is known of when a version was made: an `.info`, signed by nobody.
#[derive(Debug, Deserialize)]
struct Info {
    #[serde(rename = "Version")]
    version: String,
    #[serde(rename = "Time")]
    time: Option<jiff::Timestamp>,
}

/// Takes a module's zip, and makes its go.mod and `.info` from it. `info` is what lies beside it, if anything.
///
/// # Errors
/// [`MeasureError`].
pub fn module(
    work: &Work,
    module: &ModuleVersion,
    zip: &Regular,
    info: Option<&[u8]>,
) -> Result<Measured, MeasureError> {
    let (path, length, sha256) = copy(work, module, zip)?;
    let file = |source| MeasureError::File { module: module.clone(), source };
    let refused = |source| match source {
        ZipError::Read(ReadError::Changed) => file(FileError::Changed),
        source => MeasureError::Refused { module: module.clone(), source },
    };
    let copy = Regular::open(&path).map_err(file)?;
    let manifest = zip::measure(&copy, Some(module)).map_err(refused)?;
    let cap = usize::try_from(zip::MAX_GO_MOD).unwrap_or(usize::MAX);
    let go_mod = match zip::read_file(&copy, format!("{module}/go.mod").as_bytes(), cap) {
        Ok(content) => content,
        // As cmd/go/internal/modfetch legacyGoMod does.
        Err(ZipError::NoSuchFile { .. }) => format!("module {}\n", module.path()).into_bytes(),
        Err(error) => return Err(refused(error)),
    };
    let zip = File { kind: Kind::Zip, length, sha256, h1: Some(manifest.h1().to_string()) };
    let info = info_of(module, info);
    let files = vec![zip, keep(work, Kind::Mod, &go_mod)?, keep(work, Kind::Info, &info)?];
    Ok(Measured { module: module.clone(), files })
}

/// Takes a go.mod alone: of a version of which nothing else is needed.
///
/// # Errors
/// [`MeasureError`].
pub fn go_mod(
    work: &Work,
    module: &ModuleVersion,
    content: &[u8],
    info: Option<&[u8]>,
) -> Result<Measured, MeasureError> {
    let info = info_of(module, info);
    let files = vec![keep(work, Kind::Mod, content)?, keep(work, Kind::Info, &info)?];
    Ok(Measured { module: module.clone(), files })
}

/// Version and time, and nothing else that a file from elsewhere may hold.
fn info_of(module: &ModuleVersion, found: Option<&[u8]>) -> Vec<u8> {
    let found = found.and_then(|bytes| serde_json::from_slice::<Info>(bytes).ok());
    let time = found.filter(|info| info.version == module.version()).and_then(|info| info.time);
    let info = match time {
        Some(time) => json!({ "Version": module.version(), "Time": format!("{time:.0}") }),
        None => json!({ "Version": module.version() }),
    };
    info.to_string().into_bytes()
}

fn copy(work: &Work, module: &ModuleVersion, zip: &Regular) -> Result<(PathBuf, u64, String), MeasureError> {
    let file = |source| MeasureError::File { module: module.clone(), source };
    let failed = |source| MeasureError::Copy { module: module.clone(), source };
    let size = zip.size();
    if size > zip::MAX_ZIP_FILE {
        return Err(MeasureError::Refused { module: module.clone(), source: ZipError::ZipTooLarge });
    }
    let mut staged = work.temporary()?;
    let mut hash = Sha256::new();
    let mut offset = 0;
    let mut buffer = vec![0; CHUNK.min(usize::try_from(size).unwrap_or(CHUNK))];
    while offset < size {
        let part = usize::try_from(size - offset).map_or(buffer.len(), |left| left.min(buffer.len()));
        let part = &mut buffer[..part];
        zip.read_at(offset, part).map_err(|error| match error {
            ReadError::Changed => file(FileError::Changed),
            ReadError::Failed => file(FileError::Io(std::io::Error::other("cannot be read"))),
        })?;
        hash.update(&*part);
        staged.write_all(part).map_err(failed)?;
        offset += part.len() as u64;
    }
    zip.unchanged().map_err(file)?;
    let sha256 = hex::encode(&hash.finalize());
    let path = work.file(&sha256);
    staged.persist(&path).map_err(|error| failed(error.error))?;
    Ok((path, size, sha256))
}

fn keep(work: &Work, kind: Kind, content: &[u8]) -> Result<File, WorkError> {
    let sha256 = hex::encode(&Sha256::digest(content));
    put(work, &work.file(&sha256), content)?;
    let h1 = (kind == Kind::Mod).then(|| dirhash::go_mod(content).to_string());
    Ok(File { kind, length: content.len() as u64, sha256, h1 })
}

fn put(work: &Work, path: &Path, content: &[u8]) -> Result<(), WorkError> {
    let failed = |source| WorkError::Io { action: "write", path: path.to_owned(), source };
    let mut staged = work.temporary()?;
    staged.write_all(content).map_err(failed)?;
    staged.persist(path).map(|_| ()).map_err(|error| failed(error.error))
}
