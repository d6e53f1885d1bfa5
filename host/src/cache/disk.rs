//! Files that are never seen half written, and locks that other processes respect.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tempfile::NamedTempFile;

/// What the name of a temporary file begins with.
const TEMP: &str = ".tmp-";
/// From this age on a temporary file belongs to a process that was killed.
const TEMP_AGE: Duration = Duration::from_secs(60 * 60);
/// How often a lock that is held is tried again.
const LOCK_POLL: Duration = Duration::from_millis(2);

/// A complete, synced file in `dir` without its name yet. It is removed when it is dropped, and so on any failure.
pub(super) fn stage(
    dir: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    fs::create_dir_all(dir)?;
    let mut file = temp_file(dir)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    Ok(file)
}

/// An empty temporary file in `dir`, which exists. It is removed when it is dropped.
pub(crate) fn temp_file(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMP);
    // As for any other file: what the umask leaves.
    #[cfg(unix)]
    builder.permissions(<fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o666));
    builder.tempfile_in(dir)
}

/// Writes `dir/name` at once, over what was there.
pub(super) fn write(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> io::Result<()>,
) -> io::Result<()> {
    stage(dir, fill)?.persist(dir.join(name))?;
    sync_dir(dir)
}

/// The same, without waiting for the disk: after a crash of the machine it may be what was there, empty or cut.
pub(super) fn write_lazily(dir: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    let mut file = temp_file(dir)?;
    file.write_all(content)?;
    file.persist(dir.join(name))?;
    Ok(())
}

/// Makes the names in `dir` durable, where the platform can.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(windows) {
        return Ok(());
    }
    match File::open(dir)?.sync_all() {
        // Some network file systems have no such thing; there the rename itself is all that can be had.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        other => other,
    }
}

/// What a bounded read found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// No such file.
    Absent,
    /// More bytes than allowed.
    TooLarge,
    /// All of it.
    Content(Vec<u8>),
}

/// Reads a regular file of at most `max` bytes.
pub(super) fn read(path: &Path, max: u64) -> io::Result<Read> {
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::Absent),
        // Opening a FIFO would block.
        Ok(found) if !found.is_file() => return Err(io::Error::other("not a regular file")),
        Ok(found) if found.len() > max => return Ok(Read::TooLarge),
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    let mut content = Vec::new();
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::Absent),
        file => file?.take(max.saturating_add(1)).read_to_end(&mut content)?,
    };
    Ok(if content.len() as u64 > max { Read::TooLarge } else { Read::Content(content) })
}

/// An exclusive advisory lock on a file beside what it guards. The lock ends with the value, and with the process.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "held, not used")] File);

impl Lock {
    /// Takes the lock, waiting at most `wait`. None: another holds it.
    pub(super) fn take(dir: &Path, name: &str, wait: Duration) -> io::Result<Option<Self>> {
        fs::create_dir_all(dir)?;
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(dir.join(name))?;
        Ok(lock(&file, wait)?.then_some(Self(file)))
    }
}

/// Takes the exclusive lock of an open file, waiting at most `wait`; whether it was had. It ends with the handle.
pub(crate) fn lock(file: &File, wait: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if begin.elapsed() >= wait => return Ok(false),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_POLL),
        }
    }
}

/// Removes temporary files that killed processes left in `dir`. What cannot be removed costs room, nothing else.
pub(super) fn sweep(dir: &Path) {
    let now = SystemTime::now();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let stale = || {
            let modified = entry.metadata().ok()?.modified().ok()?;
            Some(now.duration_since(modified).ok()? > TEMP_AGE)
        };
        if entry.file_name().to_string_lossy().starts_with(TEMP) && stale() == Some(true) {
            let _ = remove(&entry.path());
        }
    }
}

/// Removes a file that another process may have removed already.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a", |out| out.write_all(b"one")).unwrap();
        let full = |out: &mut BufWriter<&mut File>| {
            out.write_all(b"tw")?;
            Err(io::ErrorKind::StorageFull.into())
        };
        assert!(write(dir.path(), "a", full).is_err());
        assert_eq!(read(&dir.path().join("a"), 3).unwrap(), Read::Content(b"one".into()));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn reads_are_bounded() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a", |out| out.write_all(b"123")).unwrap();
        let path = dir.path().join("a");
        assert_eq!(read(&path, 2).unwrap(), Read::TooLarge);
        assert_eq!(read(&path, u64::MAX).unwrap(), Read::Content(b"123".into()));
        assert_eq!(read(&dir.path().join("b"), 2).unwrap(), Read::Absent);
        assert!(read(dir.path(), 2).is_err());
    }

    #[test]
    fn a_lock_excludes_others_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let take = || Lock::take(dir.path(), "l", Duration::ZERO).unwrap();
        let held = take().unwrap();
        assert!(take().is_none());
        drop(held);
        assert!(take().is_some());
    }

    #[test]
    fn only_old_temporary_files_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        for (name, age) in [(".tmp-old", 2), (".tmp-new", 0), ("old", 2)] {
            let file = File::create(dir.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - TEMP_AGE * age).unwrap();
        }
        sweep(dir.path());
        let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, [".tmp-new", "old"]);
    }
}
