//! Files that others may write to while they are read: opened once, without blocking, and looked at before and after.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use modanchor_core::dirhash::{ReadAt, ReadError};

use crate::contract::Failure;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system's word.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A fifo, device, socket or folder where a file was expected.
    #[error("not a regular file")]
    NotRegular,
    /// Over the limit.
    #[error("larger than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: u64,
    },
    /// Somebody wrote to it meanwhile.
    #[error("changed while it was read")]
    Changed,
}

impl FileError {
    /// What the core is told.
    pub fn failure(&self) -> Failure {
        match self {
            Self::Io(error) if is_absent(error) => Failure::Absent,
            Self::Io(_) | Self::NotRegular => Failure::Storage,
            Self::TooLarge { .. } => Failure::TooLarge,
            Self::Changed => Failure::Changed,
        }
    }
}

/// Whether there is nothing of that name.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A regular file, open. Everything is read through this one descriptor.
#[derive(Debug)]
pub struct Regular {
    file: File,
    before: Metadata,
    path: Option<PathBuf>,
}

impl Regular {
    /// Opens `path`, following links. Never blocks on a fifo.
    ///
    /// # Errors
    /// [`FileError::Io`] or [`FileError::NotRegular`].
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            // Opening a fifo for reading waits for a writer, unless it is opened without blocking.
            let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
            options.custom_flags(i32::try_from(flags.bits()).expect("open's flags fit an int"));
        }
        let mut opened = Self::of(options.open(path)?)?;
        opened.path = Some(path.to_owned());
        Ok(opened)
    }

    /// A file that is open already. It has no path at which it could be looked at again.
    ///
    /// # Errors
    /// [`FileError::Io`] or [`FileError::NotRegular`].
    pub fn of(file: File) -> Result<Self, FileError> {
        let before = file.metadata()?;
        if before.is_file() { Ok(Self { file, before, path: None }) } else { Err(FileError::NotRegular) }
    }

    /// The open file itself.
    pub fn into_file(self) -> File {
        self.file
    }

    /// The open file, to be read from.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// As it was when it was opened.
    pub fn metadata(&self) -> &Metadata {
        &self.before
    }

    /// Looks again, also at what lies at its path now.
    ///
    /// # Errors
    /// [`FileError::Changed`]: it was written to, replaced or removed since it was opened. [`FileError::Io`].
    pub fn unchanged(&self) -> Result<(), FileError> {
        let there = match &self.path {
            Some(path) => fs::metadata(path).map_err(|e| if is_absent(&e) { FileError::Changed } else { e.into() })?,
            None => self.before.clone(),
        };
        let good = same(&self.before, &self.file.metadata()?) && same(&self.before, &there);
        if good { Ok(()) } else { Err(FileError::Changed) }
    }

    /// All of it, and makes sure that it did not change meanwhile.
    ///
    /// # Errors
    /// [`FileError`]: over `limit` bytes, too.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, FileError> {
        if self.before.len() > limit {
            return Err(FileError::TooLarge { limit });
        }
        let mut content = Vec::with_capacity(usize::try_from(self.before.len()).unwrap_or(0));
        // It may have grown since.
        (&self.file).take(limit + 1).read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(FileError::TooLarge { limit });
        }
        self.unchanged()?;
        if content.len() as u64 == self.before.len() { Ok(content) } else { Err(FileError::Changed) }
    }
}

impl ReadAt for Regular {
    fn size(&self) -> u64 {
        self.before.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        read_exact_at(&self.file, buffer, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => ReadError::Changed,
            _ => ReadError::Failed,
        })
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                buffer = &mut buffer[read..];
                offset += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether two looks saw the same file, unchanged.
pub(crate) fn same(a: &Metadata, b: &Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if (a.dev(), a.ino(), a.ctime(), a.ctime_nsec()) != (b.dev(), b.ino(), b.ctime(), b.ctime_nsec()) {
            return false;
        }
    }
    a.len() == b.len() && a.modified().ok() == b.modified().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, content).unwrap();
        (dir, path)
    }

    #[test]
    fn reads_at_any_offset() {
        let (_dir, path) = file(b"0123456789");
        let file = Regular::open(&path).unwrap();
        assert_eq!(file.size(), 10);
        let mut buffer = [0; 3];
        for (offset, want) in [(7, Ok(*b"789")), (0, Ok(*b"012")), (8, Err(ReadError::Changed))] {
            assert_eq!(file.read_at(offset, &mut buffer).map(|()| buffer), want, "{offset}");
        }
        file.read_at(u64::MAX, &mut buffer).unwrap_err();
        file.unchanged().unwrap();
    }

    /// What is done to a file between two looks.
    type Change = fn(&Path) -> io::Result<()>;

    #[test]
    fn every_change_is_seen() {
        let changes: [(&str, Change); 4] = [
            ("grown", |path| fs::write(path, b"0123456789a")),
            ("shortened", |path| fs::write(path, b"")),
            ("removed", |path| fs::remove_file(path)),
            ("replaced", |path| {
                fs::write(path.with_extension("new"), b"0123456789")?;
                fs::rename(path.with_extension("new"), path)
            }),
        ];
        for (name, change) in changes {
            let (_dir, path) = file(b"0123456789");
            let file = Regular::open(&path).unwrap();
            file.unchanged().unwrap();
            change(&path).unwrap();
            assert!(matches!(file.unchanged(), Err(FileError::Changed)), "{name}");
            let read = file.read(100);
            assert!(matches!(read, Err(FileError::Changed)), "{name}: {read:?}");
        }
    }

    #[test]
    fn failures() {
        let (dir, path) = file(b"0123456789");
        let of =
            |path: &Path, limit| Regular::open(path).and_then(|file| file.read(limit)).map_err(|error| error.failure());
        assert_eq!(of(&path, 10), Ok(b"0123456789".to_vec()));
        assert_eq!(of(&path, 9), Err(Failure::TooLarge));
        assert_eq!(of(&path.join("x"), 9), Err(Failure::Absent));
        assert_eq!(of(&dir.path().join("x"), 9), Err(Failure::Absent));
        if cfg!(unix) {
            assert_eq!(of(dir.path(), 9), Err(Failure::Storage), "a folder");
            assert_eq!(of(Path::new("/dev/null"), 9), Err(Failure::Storage));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_fifo_does_not_block() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("fifo");
        let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        assert!(matches!(Regular::open(&path), Err(FileError::NotRegular)));
    }
}
