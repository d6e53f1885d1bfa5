//! Where a repository is published: a folder, or an object store.
//!
//! # What a store must do
//! Three things keep a repository whole whoever publishes at the same time, and wherever a publisher dies:
//! - [`Store::create`] never changes what is there: a version of a role, once written, stays what it is;
//! - [`Store::swap`] replaces the timestamp only if it is still the one that was read, so of two publishers one loses;
//! - [`Store::settle`] makes all that was written before last, before what is written next can be seen.

use modanchor_core::hex;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use crate::cache::disk::{lock, sync_dir};

/// How long a publisher waits for another to swap the timestamp: that takes milliseconds.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);
/// What publishers of one folder lock. It is empty, and never removed.
pub const LOCK: &str = "tuf/.lock";
/// What the name of a temporary file begins with.
const TEMP: &str = ".tmp-";

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A file system.
    #[error("{}: cannot {action}: {source}", .path.display())]
    Io {
        /// What could not be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
    /// A file that is larger than what it can be.
    #[error("{name}: larger than {limit} bytes")]
    TooLarge {
        /// Which.
        name: String,
        /// In bytes.
        limit: u64,
    },
    /// Another publisher holds the lock.
    #[error("{}: locked by another publisher for {} s", .0.display(), LOCK_WAIT.as_secs())]
    Locked(PathBuf),
    /// A name that would leave the store.
    #[error("{0:?}: not a name within the store")]
    Name(String),
    /// An object store.
    #[error("{name}: {text}")]
    Remote {
        /// Which object.
        name: String,
        /// What it said.
        text: String,
    },
    /// Not the URL of a store.
    #[error("{0:?}: not a store; expected a folder, file:///FOLDER or s3://BUCKET[/PREFIX]")]
    Url(String),
}

/// Which content of a file was read: what [`Store::swap`] compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag(pub(super) String);

/// A file to be written.
#[derive(Debug, Clone)]
pub struct Item {
    /// Relative to the store, with `/`.
    pub name: String,
    /// What goes into it.
    pub content: Content,
}

/// Of an [`Item`].
#[derive(Debug, Clone)]
pub enum Content {
    /// These.
    Bytes(Vec<u8>),
    /// Those of a file, which nobody changes.
    File(PathBuf),
}

impl Content {
    /// All of it, in memory.
    pub(super) fn load(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path) => fs::read(path),
        }
    }
}

/// A place that clients read from.
pub trait Store {
    /// A file of at most `max` bytes, and which one it is. None: there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn read(&self, name: &str, max: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError>;

    /// Whether there is such a file.
    ///
    /// # Errors
    /// [`StoreError`].
    fn exists(&self, name: &str) -> Result<bool, StoreError>;

    /// Several files, in their order.
    ///
    /// # Errors
    /// [`StoreError`]: of the first that fails.
    fn read_all(&self, names: &[String], max: u64) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        names.iter().map(|name| Ok(self.read(name, max)?.map(|(bytes, _)| bytes))).collect()
    }

    /// Writes files that are not there, each whole or not at all. One that is there with the same content is as good as
    /// written; one with other content stays. Gives the indices of those.
    ///
    /// # Errors
    /// [`StoreError`]: some may be written then.
    fn create(&self, items: &[Item]) -> Result<Vec<usize>, StoreError>;

    /// Writes files over whatever is there, each whole or not at all.
    ///
    /// # Errors
    /// [`StoreError`]: some may be written then.
    fn put(&self, items: &[Item]) -> Result<(), StoreError>;

    /// Replaces a file if it is still the one that `expected` was read of (none: if there is none). Whether it was.
    ///
    /// # Errors
    /// [`StoreError`].
    fn swap(&self, name: &str, bytes: &[u8], expected: Option<&Tag>) -> Result<bool, StoreError>;

    /// Removes files; one that is not there is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remove(&self, names: &[String]) -> Result<(), StoreError>;

    /// Makes what was written last, also over a loss of power.
    ///
    /// # Errors
    /// [`StoreError`].
    fn settle(&self) -> Result<(), StoreError>;
}

/// A folder.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Written since it last settled.
    written: Mutex<Vec<PathBuf>>,
}

impl Folder {
    /// The one at `root`, which need not be there yet.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root, written: Mutex::default() }
    }

    fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        check_name(name)?;
        Ok(self.root.join(name))
    }

    fn note(&self, path: &Path) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }

    /// Gives a file that lies in this file system already a second name, if it is one and has no such name yet.
    fn link(&self, item: &Item, path: &Path) -> Result<bool, StoreError> {
        let Content::File(from) = &item.content else { return Ok(false) };
        fs::create_dir_all(path.parent().unwrap_or(path)).map_err(io_error("make the folder of", path))?;
        let linked = fs::hard_link(from, path).is_ok();
        if linked {
            self.note(path);
        }
        Ok(linked)
    }

    /// A complete file beside `path`, without its name.
    fn stage(path: &Path, content: &Content) -> Result<NamedTempFile, StoreError> {
        let folder = path.parent().unwrap_or(path);
        let failed = io_error("write", path);
        let staged = (|| {
            fs::create_dir_all(folder)?;
            let mut file = temporary(folder)?;
            match content {
                Content::Bytes(bytes) => file.write_all(bytes)?,
                Content::File(from) => _ = io::copy(&mut File::open(from)?, &mut file)?,
            }
            io::Result::Ok(file)
        })();
        staged.map_err(failed)
    }
}

/// A temporary file that others may read, as far as the umask lets them.
pub(super) fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMP);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(folder)
}

/// A name must stay within the store, on any platform and in any URL.
pub(super) fn check_name(name: &str) -> Result<(), StoreError> {
    let fits = |element: &str| !matches!(element, "" | "." | "..") && !element.contains(['\\', '\0', ':']);
    if name.split('/').all(fits) { Ok(()) } else { Err(StoreError::Name(name.to_owned())) }
}

fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> StoreError + 'a {
    move |source| StoreError::Io { action, path: path.to_owned(), source }
}

fn tag(bytes: &[u8]) -> Tag {
    Tag(hex::encode(&Sha256::digest(bytes)))
}

impl Store for Folder {
    fn read(&self, name: &str, max: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        let path = self.path(name)?;
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if crate::files::is_absent(&error) => return Ok(None),
            Err(error) => return Err(io_error("open", &path)(error)),
        };
        let mut bytes = Vec::new();
        file.take(max.saturating_add(1)).read_to_end(&mut bytes).map_err(io_error("read", &path))?;
        if bytes.len() as u64 > max {
            return Err(StoreError::TooLarge { name: name.to_owned(), limit: max });
        }
        let tag = tag(&bytes);
        Ok(Some((bytes, tag)))
    }

    fn exists(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.path(name)?.is_file())
    }

    fn create(&self, items: &[Item]) -> Result<Vec<usize>, StoreError> {
        let mut taken = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = self.path(&item.name)?;
            if self.link(item, &path)? {
                continue;
            }
            if path.exists() {
                let there = fs::read(&path).map_err(io_error("read", &path))?;
                if there != item.content.load().map_err(io_error("read", &path))? {
                    taken.push(index);
                }
                continue;
            }
            match Self::stage(&path, &item.content)?.persist_noclobber(&path) {
                Ok(_) => self.note(&path),
                // Somebody else has just made it.
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => taken.push(index),
                Err(error) => return Err(io_error("make", &path)(error.error)),
            }
        }
        Ok(taken)
    }

    fn put(&self, items: &[Item]) -> Result<(), StoreError> {
        for item in items {
            let path = self.path(&item.name)?;
            if self.link(item, &path)? {
                continue;
            }
            let staged = Self::stage(&path, &item.content)?;
            staged.persist(&path).map_err(|error| io_error("replace", &path)(error.error))?;
            self.note(&path);
        }
        Ok(())
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: Option<&Tag>) -> Result<bool, StoreError> {
        let path = self.path(name)?;
        let lock_path = self.path(LOCK)?;
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).map_err(io_error("make the folder of", &path))?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let file = file.map_err(io_error("open", &lock_path))?;
        if !lock(&file, LOCK_WAIT).map_err(io_error("lock", &lock_path))? {
            return Err(StoreError::Locked(lock_path));
        }
        let there = match fs::read(&path) {
            Ok(bytes) => Some(tag(&bytes)),
            Err(error) if crate::files::is_absent(&error) => None,
            Err(error) => return Err(io_error("read", &path)(error)),
        };
        if there.as_ref() != expected {
            return Ok(false);
        }
        let staged = Self::stage(&path, &Content::Bytes(bytes.to_vec()))?;
        staged.as_file().sync_all().map_err(io_error("write", &path))?;
        staged.persist(&path).map_err(|error| io_error("replace", &path)(error.error))?;
        sync_dir(folder).map_err(io_error("sync the folder of", &path))?;
        Ok(true)
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        for name in names {
            let path = self.path(name)?;
            match fs::remove_file(&path) {
                Err(error) if !crate::files::is_absent(&error) => return Err(io_error("remove", &path)(error)),
                _ => {}
            }
        }
        Ok(())
    }

    fn settle(&self) -> Result<(), StoreError> {
        let written = std::mem::take(&mut *self.written.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(first) = written.first() else { return Ok(()) };
        // Once for all, instead of a wait for the disk per file.
        #[cfg(target_os = "linux")]
        if File::open(first).is_ok_and(|file| rustix::fs::syncfs(&file).is_ok()) {
            return Ok(());
        }
        let _ = first;
        let mut folders = std::collections::BTreeSet::new();
        for path in &written {
            File::open(path).and_then(|file| file.sync_all()).map_err(io_error("sync", path))?;
            folders.extend(
                path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)).map(Path::to_owned),
            );
        }
        folders.iter().try_for_each(|folder| sync_dir(folder).map_err(io_error("sync", folder)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let store = Folder::new(dir.path().join("store"));
        (dir, store)
    }

    fn item(name: &str, text: &str) -> Item {
        Item { name: name.to_owned(), content: Content::Bytes(text.as_bytes().to_vec()) }
    }

    fn text(store: &Folder, name: &str) -> Option<String> {
        store.read(name, 100).unwrap().map(|(bytes, _)| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_is_created_stays() {
        let (dir, store) = folder();
        assert_eq!(store.create(&[item("tuf/1.a.json", "a"), item("tuf/1.b.json", "b")]).unwrap().len(), 0);
        let again = store.create(&[item("tuf/1.a.json", "a"), item("tuf/1.b.json", "x"), item("tuf/1.c.json", "c")]);
        assert_eq!(again.unwrap(), [1]);
        assert_eq!(text(&store, "tuf/1.b.json").unwrap(), "b");
        assert_eq!(text(&store, "tuf/1.c.json").unwrap(), "c");
        let from = dir.path().join("from");
        fs::write(&from, "file").unwrap();
        let item = |name: &str| Item { name: name.to_owned(), content: Content::File(from.clone()) };
        assert_eq!(store.create(&[item("m/@v/f"), item("m/@v/f"), item("tuf/1.a.json")]).unwrap(), [2]);
        assert_eq!(text(&store, "m/@v/f").unwrap(), "file");
        store.put(&[item("m/@v/f"), item("tuf/1.a.json")]).unwrap();
        assert_eq!(text(&store, "tuf/1.a.json").unwrap(), "file");
        store.settle().unwrap();
        let left = fs::read_dir(store.root.join("tuf")).unwrap();
        assert!(left.into_iter().all(|entry| !entry.unwrap().file_name().to_string_lossy().starts_with(TEMP)));
    }

    #[test]
    fn a_swap_needs_what_was_read() {
        let (_dir, store) = folder();
        assert!(store.swap("tuf/t", b"1", None).unwrap());
        assert!(!store.swap("tuf/t", b"2", None).unwrap());
        let (_, first) = store.read("tuf/t", 10).unwrap().unwrap();
        assert!(store.swap("tuf/t", b"2", Some(&first)).unwrap());
        assert!(!store.swap("tuf/t", b"3", Some(&first)).unwrap());
        assert_eq!(text(&store, "tuf/t").unwrap(), "2");
        store.remove(&["tuf/t".to_owned(), "tuf/t".to_owned()]).unwrap();
        assert!(!store.swap("tuf/t", b"3", Some(&first)).unwrap());
    }

    #[test]
    fn of_many_swaps_at_once_one_wins() {
        let (_dir, store) = folder();
        let won: usize = std::thread::scope(|scope| {
            let swaps: Vec<_> = (0..8)
                .map(|n| {
                    let store = &store;
                    scope.spawn(move || usize::from(store.swap("tuf/t", format!("{n}").as_bytes(), None).unwrap()))
                })
                .collect();
            swaps.into_iter().map(|swap| swap.join().unwrap()).sum()
        });
        assert_eq!(won, 1);
    }

    #[test]
    fn limits_and_names() {
        let (_dir, store) = folder();
        store.create(&[item("f", "0123456789")]).unwrap();
        assert!(store.read("f", 10).unwrap().is_some());
        assert!(matches!(store.read("f", 9), Err(StoreError::TooLarge { limit: 9, .. })));
        assert!(store.read("g", 9).unwrap().is_none());
        for name in ["", "..", "a/../b", "/a", "a//b", "a\\b", "c:x", "a/./b"] {
            assert!(matches!(store.read(name, 9), Err(StoreError::Name(_))), "{name}");
            assert!(matches!(store.create(&[item(name, "")]), Err(StoreError::Name(_))), "{name}");
        }
    }
}
