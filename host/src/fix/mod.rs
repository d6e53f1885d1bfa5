//! Replacing go.sum: all of it or nothing, never beside a `go` that writes it, and only if it is what was judged.
//!
//! The new content is written to a file beside go.sum, synced, and renamed over it, so that a crash leaves the old file
//! or the new one. The go command writes in place, under an exclusive lock of go.sum (cmd/go/internal/lockedfile: flock,
//! on Windows LockFileEx; the same as the standard library's). That lock is taken here too, and so a `go` that is
//! writing is waited for. But a `go` that waits for it meanwhile holds the file that the rename takes away: it would write
//! its lines into a file without a name. The side lock closes that: since Go 1.12 every `go` that is about to write a
//! go.sum first takes that of `cache/lock` in the module cache (modfetch.SideLock), and so did not open go.sum yet. It
//! is taken here first, as there. Nothing is made in the module cache for it: where there is no `cache/lock`, no `go`
//! has written with this cache, and the one that comes first may lose the lines that it adds in that moment. It adds them
//! again when it next wants them; what is written here is never lost or mixed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use similar::TextDiff;
use tempfile::NamedTempFile;

use crate::cache::disk::{lock, sync_dir};

#[cfg(test)]
mod tests;

/// How long each lock is waited for. A `go` holds them for as long as it takes to write one file.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);

/// How long a short diff is looked for; after it, one is made that is right and longer than it need be.
const DIFF_TIME: Duration = Duration::from_secs(1);

/// What the name of the file begins with that takes the other's place.
const TEMP: &str = ".go.sum.modanchor-";

/// Why go.sum was not replaced. It is as it was, but where syncing its folder is what failed: then it is replaced, and
/// may be as it was after a loss of power.
#[derive(Debug, thiserror::Error)]
pub enum FixError {
    /// A folder, a device, or a symbolic link to nothing.
    #[error("{}: not a regular file", .0.display())]
    NotAFile(PathBuf),
    /// Somebody wrote, replaced, made or removed it meanwhile.
    #[error("{}: changed since it was judged; run again", .0.display())]
    Changed(PathBuf),
    /// Another process holds the lock.
    #[error("{}: locked by another process for {} s; is a go command running?", .path.display(), .waited.as_secs())]
    Locked {
        /// The file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The file system.
    #[error("{}: cannot {action}: {source}", .path.display())]
    Io {
        /// What could not be done: `open`, `lock`.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
}

impl FixError {
    fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io { action, path: path.to_path_buf(), source }
    }
}

/// Replaces a go.sum that is still `judged` by `new`.
///
/// `judged` is empty for a go.sum that is not there; it is made, with what the umask leaves of 0666. One that is there
/// keeps its permissions, owner and group. A symbolic link stays one: what it leads to is replaced, as the go command
/// would write it. `modcache` is GOMODCACHE, of which nothing is changed. Waits for each lock at most [`LOCK_WAIT`].
///
/// # Errors
/// [`FixError`].
pub fn replace_go_sum(path: &Path, judged: &[u8], new: &[u8], modcache: Option<&Path>) -> Result<(), FixError> {
    replace_within(path, judged, new, modcache, LOCK_WAIT)
}

fn replace_within(
    path: &Path,
    judged: &[u8],
    new: &[u8],
    modcache: Option<&Path>,
    wait: Duration,
) -> Result<(), FixError> {
    let target = resolve(path)?;
    let _side = modcache.map(|modcache| side_lock(modcache, wait)).transpose()?;
    let old = match OpenOptions::new().read(true).write(true).open(&target) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(FixError::io("open", &target)(error)),
    };
    if let Some(file) = &old {
        take(file, &target, wait)?;
        let found = read(file, judged.len()).map_err(FixError::io("read", &target))?;
        if found != judged || !is_at(file, &target).map_err(FixError::io("read", &target))? {
            return Err(FixError::Changed(target));
        }
    } else if !judged.is_empty() {
        return Err(FixError::Changed(target));
    }

    put(&target, old.as_ref(), new)
}

/// Replaces a file that is still `judged` by `new`, as [`replace_go_sum`] does, but under no lock: for files that no
/// program writes.
///
/// # Errors
/// [`FixError`].
pub fn replace_file(path: &Path, judged: &[u8], new: &[u8]) -> Result<(), FixError> {
    let target = resolve(path)?;
    let old = match File::open(&target) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound && judged.is_empty() => None,
        Err(error) => return Err(FixError::io("open", &target)(error)),
    };
    if let Some(file) = &old {
        let found = read(file, judged.len()).map_err(FixError::io("read", &target))?;
        if found != judged || !is_at(file, &target).map_err(FixError::io("read", &target))? {
            return Err(FixError::Changed(target));
        }
    }
    put(&target, old.as_ref(), new)
}

/// Puts a complete file in the place of `old`, or where there is none.
fn put(target: &Path, old: Option<&File>, new: &[u8]) -> Result<(), FixError> {
    let folder = target.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let staged = stage(folder, old, new).map_err(FixError::io("write a file beside it", target))?;
    match old {
        // Not persist(): on Windows that cannot replace a file that is open, which this one is, for its lock.
        Some(_) => fs::rename(staged.path(), target).map_err(FixError::io("replace", target))?,
        None => match staged.persist_noclobber(target) {
            Ok(_) => {}
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(FixError::Changed(target.to_path_buf()));
            }
            Err(error) => return Err(FixError::io("make", target)(error.error)),
        },
    }
    sync_dir(folder).map_err(FixError::io("sync the folder of", target))
}

/// The file itself: where a symbolic link leads to.
fn resolve(path: &Path) -> Result<PathBuf, FixError> {
    let target = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_path_buf()),
        Err(error) => return Err(FixError::io("read", path)(error)),
        Ok(found) if found.is_symlink() => match fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(FixError::NotAFile(path.to_path_buf()));
            }
            other => other.map_err(FixError::io("follow the link", path))?,
        },
        Ok(_) => path.to_path_buf(),
    };
    // Opening a FIFO would block.
    match fs::metadata(&target).map_err(FixError::io("read", &target))?.is_file() {
        true => Ok(target),
        false => Err(FixError::NotAFile(target)),
    }
}

/// The lock of a module cache, if it has one; it is not made, and nothing is written to it.
fn side_lock(modcache: &Path, wait: Duration) -> Result<Option<File>, FixError> {
    let path = modcache.join("cache").join("lock");
    // Some network file systems want a handle for writing to lock with; a cache of another user has none to give.
    let opened = OpenOptions::new().read(true).write(true).open(&path).or_else(|_| File::open(&path));
    let Ok(file) = opened else {
        return Ok(None);
    };
    take(&file, &path, wait)?;
    Ok(Some(file))
}

fn take(file: &File, path: &Path, waited: Duration) -> Result<(), FixError> {
    match lock(file, waited).map_err(FixError::io("lock", path))? {
        true => Ok(()),
        false => Err(FixError::Locked { path: path.to_path_buf(), waited }),
    }
}

/// What a file holds, or one byte more than expected of it.
fn read(file: &File, expected: usize) -> io::Result<Vec<u8>> {
    let mut content = Vec::with_capacity(expected + 1);
    file.take(expected as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// Whether an open file is still the one of that name: another may have been renamed over it before it was locked.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match fs::metadata(path) {
        Ok(found) => Ok(identity(found) == identity(file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether what has that name is as long and as old as an open file: Windows tells no more without unsafe code.
#[cfg(not(unix))]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(found) => {
            let open = file.metadata()?;
            Ok((found.len(), found.modified()?) == (open.len(), open.modified()?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// A complete, synced file without its name, with the permissions and the owner of the old one.
fn stage(folder: &Path, old: Option<&File>, new: &[u8]) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMP);
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    let mut staged = builder.tempfile_in(folder)?;
    staged.write_all(new)?;
    if let Some(old) = old {
        let (was, is) = (old.metadata()?, staged.as_file().metadata()?);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, fchown};
            if (was.uid(), was.gid()) != (is.uid(), is.gid()) {
                fchown(staged.as_file(), Some(was.uid()), Some(was.gid()))?;
            }
        }
        if was.permissions() != is.permissions() {
            staged.as_file().set_permissions(was.permissions())?;
        }
    }
    staged.as_file().sync_all()?;
    Ok(staged)
}

/// What changes, as a unified diff with three lines around each change; empty if nothing does.
///
/// Bytes that are no UTF-8 are shown as U+FFFD. The lines are given as they are. That is safe to print for a go.sum: the
/// core lets no control character into one that it plans for.
pub fn unified_diff(name: &str, old: &[u8], new: &[u8]) -> String {
    let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(old.as_ref(), new.as_ref());
    diff.unified_diff().context_radius(3).header(&format!("a/{name}"), &format!("b/{name}")).to_string()
}
