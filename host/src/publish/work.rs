//! The working copy: what is going to be published, and what was seen of the store.
//!
//! ```text
//! .modanchor-repo.toml      the configuration
//! .modanchor-repo/          private: not for a web server
//!   root.json               the newest root that is trusted
//!   next-root.json          a root that is finished and not published yet
//!   changes.json            what `add`, `delegate` and the like have asked for
//!   drafts/ROLE.json        metadata that people are signing
//!   files/SHA256            files that wait for their publication
//!   seen.json               versions below which the store may not fall
//!   lock                    held while a command changes any of this
//! tuf/, MODULE/@v/          the published tree itself, if the store is this folder
//! ```
//!
//! Changes are kept, not their result: [`super::publication`] applies them to whatever the store holds then, and once more if
//! another publisher was faster.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use modanchor_core::tuf::client::encode;
use modanchor_core::tuf::metadata::{MetadataError, Role, Root, Signed, Targets};
use serde::{Deserialize, Serialize};

use super::changes::Change;
use super::config::{self, Config, ConfigError};
use super::store::temporary;
use crate::cache::disk::{lock, sync_dir};
use crate::files::{FileError, Regular, is_absent};

/// The private folder.
pub const PRIVATE: &str = ".modanchor-repo";
/// The most bytes of changes that are kept: a million modules.
pub const MAX_CHANGES: u64 = 1 << 30;
/// The most bytes of what was seen: a million roles.
const MAX_SEEN: u64 = 128 << 20;
/// How long a command waits for another in the same working copy.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// Why a working copy cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkError {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file.
    #[error("{}: cannot {action}: {source}", .path.display())]
    Io {
        /// What could not be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
    /// A file that cannot be read as what it is.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: FileError,
    },
    /// JSON of ours that is damaged.
    #[error("{}: damaged: {error}", .path.display())]
    Json {
        /// Which.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// Metadata that is damaged.
    #[error("{}: {error}", .path.display())]
    Metadata {
        /// Which.
        path: PathBuf,
        /// Why.
        error: MetadataError,
    },
    /// `init` where there is a working copy.
    #[error("{}: is a working copy already", .0.display())]
    Exists(PathBuf),
    /// No root yet.
    #[error("there is no root that is signed by enough people yet; `modanchor repo root status` says who is missing")]
    NoRoot,
    /// Another command.
    #[error("{}: another command works here for {} s", .0.display(), LOCK_WAIT.as_secs())]
    Locked(PathBuf),
}

/// What was seen of a store, and what it may not fall behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The version of its timestamp; 0: none yet.
    pub timestamp: u64,
    /// The SHA-256 of its timestamp.
    pub sha256: String,
    /// The version of its snapshot.
    pub snapshot: u64,
    /// The versions of its targets roles, by file name as snapshot has it.
    pub roles: BTreeMap<String, u64>,
}

/// A working copy, locked.
#[derive(Debug)]
pub struct Work {
    dir: PathBuf,
    /// Its configuration.
    pub config: Config,
    _lock: File,
}

impl Work {
    /// Opens one.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn open(dir: &Path) -> Result<Self, WorkError> {
        let config = Config::read(dir)?;
        let lock = Self::lock(dir)?;
        Ok(Self { dir: dir.to_owned(), config, _lock: lock })
    }

    /// Makes one.
    ///
    /// # Errors
    /// [`WorkError::Exists`] and others.
    pub fn create(dir: &Path, config: Config) -> Result<Self, WorkError> {
        if dir.join(config::FILE).exists() {
            return Err(WorkError::Exists(dir.to_owned()));
        }
        let lock = Self::lock(dir)?;
        let work = Self { dir: dir.to_owned(), config, _lock: lock };
        work.save_config()?;
        Ok(work)
    }

    fn lock(dir: &Path) -> Result<File, WorkError> {
        let private = dir.join(PRIVATE);
        fs::create_dir_all(private.join("files")).map_err(io_error("make", &private))?;
        fs::create_dir_all(private.join("drafts")).map_err(io_error("make", &private))?;
        let path = private.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(io_error("open", &path))?;
        match lock(&file, LOCK_WAIT).map_err(io_error("lock", &path))? {
            true => Ok(file),
            false => Err(WorkError::Locked(dir.to_owned())),
        }
    }

    /// Its folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn private(&self, name: &str) -> PathBuf {
        self.dir.join(PRIVATE).join(name)
    }

    /// Writes the configuration.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn save_config(&self) -> Result<(), WorkError> {
        write(&self.dir.join(config::FILE), self.config.to_toml()?.as_bytes())
    }

    /// The newest root that is trusted.
    ///
    /// # Errors
    /// [`WorkError::NoRoot`] and others.
    pub fn root(&self) -> Result<Signed<Root>, WorkError> {
        self.metadata("root.json")?.ok_or(WorkError::NoRoot)
    }

    /// Trusts another root from now on.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn save_root(&self, root: &Signed<Root>) -> Result<(), WorkError> {
        write(&self.private("root.json"), &root.to_bytes())
    }

    /// A root that is to be published.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn next_root(&self) -> Result<Option<Signed<Root>>, WorkError> {
        self.metadata("next-root.json")
    }

    /// Puts a root in line for publication, or takes it out.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn save_next_root(&self, root: Option<&Signed<Root>>) -> Result<(), WorkError> {
        let path = self.private("next-root.json");
        match root {
            Some(root) => write(&path, &root.to_bytes()),
            None => remove(&path),
        }
    }

    /// Where the root is that people are signing, if `init` could not finish it.
    #[must_use]
    pub fn ceremony(&self) -> PathBuf {
        self.dir.join("root-1.json")
    }

    fn metadata<T: Role>(&self, name: &str) -> Result<Option<Signed<T>>, WorkError> {
        let path = self.private(name);
        let Some(bytes) = read(&path, T::MAX_BYTES.into())? else { return Ok(None) };
        Signed::parse(&bytes).map(Some).map_err(|error| WorkError::Metadata { path, error })
    }

    /// What is going to be published, in the order in which it was asked for.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn changes(&self) -> Result<Vec<Change>, WorkError> {
        let path = self.private("changes.json");
        let Some(bytes) = read(&path, MAX_CHANGES)? else { return Ok(Vec::new()) };
        serde_json::from_slice(&bytes).map_err(|error| WorkError::Json { path, error })
    }

    /// Replaces what is going to be published.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn save_changes(&self, changes: &[Change]) -> Result<(), WorkError> {
        let path = self.private("changes.json");
        if changes.is_empty() {
            return remove(&path);
        }
        let bytes = serde_json::to_vec(changes).map_err(|error| WorkError::Json { path: path.clone(), error })?;
        write(&path, &bytes)
    }

    /// Metadata of a role that people are signing.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn draft(&self, role: &str) -> Result<Option<Signed<Targets>>, WorkError> {
        self.metadata(&format!("drafts/{}.json", encode(role)))
    }

    /// Where that is.
    #[must_use]
    pub fn draft_path(&self, role: &str) -> PathBuf {
        self.private(&format!("drafts/{}.json", encode(role)))
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn save_draft(&self, role: &str, draft: &Signed<Targets>) -> Result<(), WorkError> {
        write(&self.draft_path(role), &draft.to_bytes())
    }

    /// Where a file waits for its publication.
    #[must_use]
    pub fn file(&self, sha256: &str) -> PathBuf {
        self.private("files").join(sha256)
    }

    /// A temporary file beside those that wait.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn temporary(&self) -> Result<tempfile::NamedTempFile, WorkError> {
        let folder = self.private("files");
        temporary(&folder).map_err(io_error("make a file in", &folder))
    }

    /// What was seen of the store.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn seen(&self) -> Result<Seen, WorkError> {
        let path = self.private("seen.json");
        let Some(bytes) = read(&path, MAX_SEEN)? else { return Ok(Seen::default()) };
        serde_json::from_slice(&bytes).map_err(|error| WorkError::Json { path, error })
    }

    /// Remembers it.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn save_seen(&self, seen: &Seen) -> Result<(), WorkError> {
        let path = self.private("seen.json");
        let bytes = serde_json::to_vec(seen).map_err(|error| WorkError::Json { path: path.clone(), error })?;
        write(&path, &bytes)
    }

    /// Forgets what has been published: changes first, then what only they need.
    ///
    /// # Errors
    /// [`WorkError`].
    pub fn clear(&self) -> Result<(), WorkError> {
        self.save_changes(&[])?;
        for folder in ["drafts", "files"] {
            let folder = self.private(folder);
            for entry in fs::read_dir(&folder).map_err(io_error("read", &folder))? {
                remove(&entry.map_err(io_error("read", &folder))?.path())?;
            }
        }
        Ok(())
    }
}

fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> WorkError + 'a {
    move |source| WorkError::Io { action, path: path.to_owned(), source }
}

/// A file of at most `max` bytes. None: there is none.
pub(super) fn read(path: &Path, max: u64) -> Result<Option<Vec<u8>>, WorkError> {
    match Regular::open(path).and_then(|file| file.read(max)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(FileError::Io(error)) if is_absent(&error) => Ok(None),
        Err(error) => Err(WorkError::File { path: path.to_owned(), error }),
    }
}

/// Writes a file whole or not at all, over what is there.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), WorkError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = (|| {
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        sync_dir(folder)
    })();
    written.map_err(io_error("write", path))
}

fn remove(path: &Path) -> Result<(), WorkError> {
    match fs::remove_file(path) {
        Err(error) if !is_absent(&error) => Err(io_error("remove", path)(error)),
        _ => Ok(()),
    }
}
