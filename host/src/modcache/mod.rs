//! The go command's module cache and vendor folders: read, and never written.
//!
//! Names are made as cmd/go makes them (cmd/go/internal/modfetch/cache.go, `CachePath` and `DownloadDir`): small files
//! and zips at `cache/download/PATH/@v/VERSION.SUFFIX`, extracted folders at `PATH@VERSION`, both escaped.
//!
//! # Security
//! - A path is made of a [`ModuleVersion`] alone, whose escaped form has no `..`, no separator of its own and no name
//!   that a file system reads otherwise.
//! - The cache may be written to meanwhile, by an honest `go` or by somebody else. So a file is opened once, and it and
//!   every folder are looked at before and after; what changed is [`CacheError::Changed`], never a measurement.
//! - In a module's folder links are followed to files, as the go command follows them when it builds, and are named. In
//!   a vendor folder, which comes with a checkout, no link is followed at all. Folders below are entered by descriptor,
//!   never through a link: a walk ends, and stays inside.

mod walk;

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use modanchor_core::module::ModuleVersion;

use crate::contract::{Failure, Holding, ModuleRef, Oddities};
use crate::files::{FileError, Regular, is_absent};

pub use walk::{MAX_DEPTH, MAX_ODD, Visit};

/// Why something was not read.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is no module cache: GOMODCACHE is not set, or not there.
    #[error("there is no module cache")]
    NoCache,
    /// A file or folder.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// A folder, or the cache's state of it, was written to meanwhile.
    #[error("{path}: changed while it was read", path = .0.display())]
    Changed(PathBuf),
    /// Folders within folders, over [`MAX_DEPTH`].
    #[error("{path}: more than {MAX_DEPTH} folders deep", path = .0.display())]
    TooDeep(PathBuf),
    /// A vendor folder whose path is not made of plain names.
    #[error("{0:?}: not a path below what is judged")]
    NotBelow(String),
    /// What was asked for is no module version.
    #[error("{0:?}: not a module version")]
    NotAModule(String),
}

impl CacheError {
    /// What the core is told.
    pub fn failure(&self) -> Failure {
        match self {
            Self::NoCache => Failure::Absent,
            Self::File { error, .. } => error.failure(),
            Self::Changed(_) => Failure::Changed,
            Self::TooDeep(_) | Self::NotBelow(_) | Self::NotAModule(_) => Failure::Storage,
        }
    }

    fn at(path: &Path, error: impl Into<FileError>) -> Self {
        Self::File { path: path.to_owned(), error: error.into() }
    }
}

/// A file of `cache/download/PATH/@v`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `VERSION.zip`
    Zip,
    /// `VERSION.mod`
    GoMod,
    /// `VERSION.info`
    Info,
    /// `VERSION.ziphash`
    ZipHash,
    /// `VERSION.sigstore.json`: no file of the go command's, but put beside the zip by whoever fills the cache.
    Attestations,
    /// `VERSION.partial`: there while the folder is being extracted.
    Partial,
}

impl Kind {
    fn suffix(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::GoMod => "mod",
            Self::Info => "info",
            Self::ZipHash => "ziphash",
            Self::Attestations => "sigstore.json",
            Self::Partial => "partial",
        }
    }
}

/// A module version that the core named, checked again: only such a one becomes a path or a URL.
///
/// # Errors
/// [`CacheError::NotAModule`].
pub fn checked(module: &ModuleRef) -> Result<ModuleVersion, CacheError> {
    ModuleVersion::check(&module.path, &module.version)
        .map_err(|_| CacheError::NotAModule(format!("{}@{}", module.path, module.version)))
}

/// Path and version, each escaped.
pub(crate) fn escaped(module: &ModuleVersion) -> (String, String) {
    let mut path = module.escaped();
    let at = path.rfind('@').expect("PATH@VERSION");
    let version = path.split_off(at + 1);
    path.pop();
    (path, version)
}

/// The module cache at a path. Nothing is looked at before it is asked for.
#[derive(Debug, Clone)]
pub struct ModCache {
    root: PathBuf,
    download: PathBuf,
}

impl ModCache {
    /// The one at GOMODCACHE.
    pub fn new(root: PathBuf) -> Self {
        Self { download: root.join("cache").join("download"), root }
    }

    /// Where a file is, if it is there.
    pub fn path(&self, module: &ModuleVersion, kind: Kind) -> PathBuf {
        let (path, version) = escaped(module);
        self.versions(&path).join(format!("{version}.{}", kind.suffix()))
    }

    /// Where the extracted folder is, if it is there.
    pub fn folder(&self, module: &ModuleVersion) -> PathBuf {
        below(&self.root, &module.escaped())
    }

    fn versions(&self, path: &str) -> PathBuf {
        below(&self.download, path).join("@v")
    }

    /// Opens a file.
    ///
    /// # Errors
    /// [`CacheError::File`].
    pub fn open(&self, module: &ModuleVersion, kind: Kind) -> Result<(PathBuf, Regular), CacheError> {
        let path = self.path(module, kind);
        let file = Regular::open(&path).map_err(|error| CacheError::at(&path, error))?;
        Ok((path, file))
    }

    /// A whole file of at most `limit` bytes.
    ///
    /// # Errors
    /// [`CacheError::File`].
    pub fn read(&self, module: &ModuleVersion, kind: Kind, limit: u64) -> Result<Vec<u8>, CacheError> {
        let (path, file) = self.open(module, kind)?;
        file.read(limit).map_err(|error| CacheError::at(&path, error))
    }

    /// What there is of each of `modules`, in their order. What cannot be found out counts as there, so that asking for
    /// it says why; what is no module version is not there.
    ///
    /// A `go.sum` may name half a million modules that are not there, so folders are listed and not every file is
    /// looked for: a module whose host is not in the cache costs nothing, and one path at most two listings.
    ///
    /// # Errors
    /// [`CacheError::NoCache`]; [`CacheError::File`] where the cache itself cannot be looked at.
    pub fn held(&self, modules: &[ModuleRef]) -> Result<Vec<Holding>, CacheError> {
        match fs::metadata(&self.root) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(CacheError::NoCache),
            Err(error) if is_absent(&error) => return Err(CacheError::NoCache),
            Err(error) => return Err(CacheError::at(&self.root, error)),
        }
        let hosts = [Listing::of(self.root.clone()), Listing::of(self.download.clone())];
        let mut names: Vec<(String, usize)> = Vec::with_capacity(modules.len());
        for (position, module) in modules.iter().enumerate() {
            let Ok(module) = checked(module) else { continue };
            let escaped = module.escaped();
            let first = escaped.split(['/', '@']).next().unwrap_or_default();
            // A path of one element has its folder right here, `example@v1.0.0`.
            if !module.path().contains('/') || hosts.iter().any(|listing| listing.has(first)) {
                names.push((escaped, position));
            }
        }
        // Neighbours share their listings.
        names.sort_unstable();
        let mut held = vec![Holding::empty(); modules.len()];
        let mut versions = Listing::none();
        let mut folders = Listing::none();
        for (name, position) in &names {
            let Some((path, version)) = name.rsplit_once('@') else { continue };
            versions.go_to(self.versions(path));
            let mut holding = Holding::empty();
            for (kind, flag) in [
                (Kind::Zip, Holding::ZIP),
                (Kind::GoMod, Holding::GO_MOD),
                (Kind::Info, Holding::INFO),
                (Kind::ZipHash, Holding::ZIP_HASH),
            ] {
                if versions.has(&format!("{version}.{}", kind.suffix())) {
                    holding |= flag;
                }
            }
            let (parent, last) = name.rsplit_once('/').map_or((None, name.as_str()), |(p, last)| (Some(p), last));
            folders.go_to(parent.map_or_else(|| self.root.clone(), |parent| below(&self.root, parent)));
            if folders.has(last) && !versions.has(&format!("{version}.{}", Kind::Partial.suffix())) {
                let folder = fs::metadata(below(&self.root, name));
                if folder.map_or_else(|error| !is_absent(&error), |found| found.is_dir()) {
                    holding |= Holding::DIR;
                }
            }
            held[*position] = holding;
        }
        Ok(held)
    }

    /// Shows every file of a module's folder, as golang.org/x/mod/sumdb/dirhash.DirFiles lists them, to `visit`, and
    /// gives what is odd about it.
    ///
    /// # Errors
    /// [`CacheError`]: also [`CacheError::Changed`] where the go command begins to extract the folder meanwhile, and
    /// absent where it has not ended. Those of `visit`.
    pub fn walk<E: From<CacheError>>(&self, module: &ModuleVersion, visit: Visit<'_, E>) -> Result<Oddities, E> {
        let (folder, partial) = (self.folder(module), self.path(module, Kind::Partial));
        let is_partial = || match fs::symlink_metadata(&partial) {
            Ok(_) => Ok(true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(CacheError::at(&partial, error)),
        };
        if is_partial()? {
            return Err(CacheError::at(&folder, io::Error::from(io::ErrorKind::NotFound)).into());
        }
        let oddities = walk::folder(&folder, visit)?;
        if is_partial()? {
            return Err(CacheError::Changed(folder).into());
        }
        Ok(oddities)
    }
}

/// Shows every file of a folder that the user named, which may be a link itself, to `visit`, as [`ModCache::walk`].
///
/// # Errors
/// [`CacheError`], and those of `visit`.
pub fn walk_folder<E: From<CacheError>>(folder: &Path, visit: Visit<'_, E>) -> Result<Oddities, E> {
    walk::folder(folder, visit)
}

/// Shows every file of a vendor folder to `visit`. `path` is relative to `root`, with `/`. No link is followed, neither
/// on the way nor below; a vendor folder that is a link is irregular, by the name `.`.
///
/// # Errors
/// [`CacheError`], and those of `visit`.
pub fn walk_vendor<E: From<CacheError>>(root: &Path, path: &str, visit: Visit<'_, E>) -> Result<Oddities, E> {
    let plain =
        |name: &str| !matches!(name, "" | "." | "..") && Path::new(name).file_name().is_some_and(|last| last == name);
    if !path.split('/').all(plain) {
        return Err(CacheError::NotBelow(path.to_owned()).into());
    }
    walk::vendor(root, path, visit)
}

/// `path` has `/`.
fn below(root: &Path, path: &str) -> PathBuf {
    path.split('/').fold(root.to_owned(), |folder, name| folder.join(name))
}

/// The names in one folder.
struct Listing {
    folder: PathBuf,
    /// None: it cannot be listed.
    names: Option<HashSet<OsString>>,
}

impl Listing {
    fn none() -> Self {
        Self { folder: PathBuf::new(), names: Some(HashSet::new()) }
    }

    fn of(folder: PathBuf) -> Self {
        let list = || fs::read_dir(&folder)?.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>();
        let names = match list() {
            Ok(names) => Some(names),
            Err(error) if is_absent(&error) => Some(HashSet::new()),
            Err(_) => None,
        };
        Self { folder, names }
    }

    fn go_to(&mut self, folder: PathBuf) {
        if self.folder != folder {
            *self = Self::of(folder);
        }
    }

    fn has(&self, name: &str) -> bool {
        match &self.names {
            Some(names) => names.contains(std::ffi::OsStr::new(name)),
            None => !fs::symlink_metadata(self.folder.join(name)).is_err_and(|error| is_absent(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
