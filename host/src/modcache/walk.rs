//! Walking a folder: every file once, in the order of names, and what is odd.
//!
//! Folders below are entered from their parent's descriptor and not through a link, so no loop of links is walked. A
//! folder that is not the same after its files were read is [`CacheError::Changed`]: a name that came, went, or now
//! stands for something else changes its folder.

use std::path::Path;

use crate::contract::Oddities;
use crate::files::Regular;

use super::CacheError;

/// How many folders deep a walk goes. Each holds a descriptor open. A module's own paths are far from it.
pub const MAX_DEPTH: usize = 128;

/// How many names of a kind [`Oddities`] has.
pub const MAX_ODD: usize = 100;

/// Takes a file: its name relative to the folder, with `/`, and the file, open. Makes sure itself that the file did not
/// change while it was read ([`Regular::unchanged`]).
pub type Visit<'a, E> = &'a mut dyn FnMut(&str, Regular) -> Result<(), E>;

/// Links are followed to files; `root` may be a link.
pub(super) fn folder<E: From<CacheError>>(root: &Path, visit: Visit<'_, E>) -> Result<Oddities, E> {
    let mut walk = Walk { root, follow: true, visit, name: String::new(), oddities: none() };
    if std::fs::symlink_metadata(root).map_err(|error| CacheError::at(root, error))?.is_symlink() {
        walk.oddities.links.push(".".to_owned());
    }
    let dir = system::open(root, true).map_err(|error| CacheError::at(root, error))?;
    walk.folder(dir, 0)?;
    Ok(walk.oddities)
}

/// No link is followed, below `root`.
pub(super) fn vendor<E: From<CacheError>>(root: &Path, path: &str, visit: Visit<'_, E>) -> Result<Oddities, E> {
    let shown = super::below(root, path);
    let mut walk = Walk { root: &shown, follow: false, visit, name: String::new(), oddities: none() };
    let mut dir = system::open(root, true).map_err(|error| CacheError::at(root, error))?;
    for name in path.split('/') {
        dir = match dir.enter(name) {
            Ok(dir) => dir,
            Err(error) => {
                // Linux says that a link is no folder, others that there are too many links.
                if dir.look(name, false).is_ok_and(|found| found == Type::Link) {
                    walk.oddities.irregular.push(".".to_owned());
                    return Ok(walk.oddities);
                }
                return Err(CacheError::at(&shown, error).into());
            }
        };
    }
    walk.folder(dir, 0)?;
    Ok(walk.oddities)
}

fn none() -> Oddities {
    Oddities { writable: 0, first_writable: None, links: Vec::new(), irregular: Vec::new() }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    File,
    Folder,
    Link,
    Other,
}

struct Walk<'a, E> {
    root: &'a Path,
    follow: bool,
    visit: Visit<'a, E>,
    /// Of the folder that is walked, with a final `/`; empty for the root.
    name: String,
    oddities: Oddities,
}

impl<E: From<CacheError>> Walk<'_, E> {
    fn folder(&mut self, mut dir: system::Dir, depth: usize) -> Result<(), E> {
        if depth > MAX_DEPTH {
            return Err(CacheError::TooDeep(self.path("")).into());
        }
        let before = dir.state().map_err(|error| self.failed("", error))?;
        if dir.is_writable(&before) {
            self.writable(None);
        }
        let mut entries = dir.entries().map_err(|error| self.failed("", error))?;
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (name, kind) in entries {
            let Some(text) = name.to_str() else {
                let name = self.name.clone() + &name.to_string_lossy();
                odd(&mut self.oddities.irregular, name);
                continue;
            };
            self.entry(&dir, text, kind, depth)?;
        }
        let after = dir.state().map_err(|error| self.failed("", error))?;
        if before == after { Ok(()) } else { Err(CacheError::Changed(self.path("")).into()) }
    }

    fn entry(&mut self, dir: &system::Dir, name: &str, kind: Option<Type>, depth: usize) -> Result<(), E> {
        let kind = match kind {
            Some(kind) => kind,
            None => dir.look(name, false).map_err(|error| self.vanished(name, error))?,
        };
        match kind {
            Type::File => {
                let file = dir.file(name, false).map_err(|error| self.vanished(name, error))?;
                self.file(name, file)
            }
            Type::Folder => {
                let inner = dir.enter(name).map_err(|error| self.vanished(name, error))?;
                let length = self.name.len();
                self.name.push_str(name);
                self.name.push('/');
                self.folder(inner, depth + 1)?;
                self.name.truncate(length);
                Ok(())
            }
            Type::Link if self.follow && self.leads_to_file(dir, name)? => {
                let file = dir.file(name, true).map_err(|error| self.vanished(name, error))?;
                odd(&mut self.oddities.links, self.name.clone() + name);
                self.file(name, file)
            }
            Type::Link | Type::Other => {
                odd(&mut self.oddities.irregular, self.name.clone() + name);
                Ok(())
            }
        }
    }

    fn leads_to_file(&self, dir: &system::Dir, link: &str) -> Result<bool, CacheError> {
        match dir.look(link, true) {
            Ok(found) => Ok(found == Type::File),
            Err(error) if crate::files::is_absent(&error) || system::is_link(&error) => Ok(false),
            Err(error) => Err(self.failed(link, error)),
        }
    }

    fn file(&mut self, name: &str, file: std::fs::File) -> Result<(), E> {
        let file = Regular::of(file).map_err(|error| CacheError::at(&self.path(name), error))?;
        if system::is_writable(file.metadata()) {
            self.writable(Some(name));
        }
        (self.visit)(&(self.name.clone() + name), file)
    }

    /// None: the folder itself.
    fn writable(&mut self, name: Option<&str>) {
        self.oddities.writable += 1;
        if self.oddities.first_writable.is_none() {
            let name = match name {
                Some(name) => self.name.clone() + name,
                None if self.name.is_empty() => ".".to_owned(),
                None => self.name.trim_end_matches('/').to_owned(),
            };
            self.oddities.first_writable = Some(name);
        }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        let name = self.name.clone() + name;
        if name.is_empty() { self.root.to_owned() } else { super::below(self.root, name.trim_end_matches('/')) }
    }

    fn failed(&self, name: &str, error: std::io::Error) -> CacheError {
        CacheError::at(&self.path(name), error)
    }

    /// A name that was listed a moment ago stands for something else now, or for nothing.
    fn vanished(&self, name: &str, error: std::io::Error) -> CacheError {
        match crate::files::is_absent(&error) || system::is_link(&error) {
            true => CacheError::Changed(self.path(name)),
            false => self.failed(name, error),
        }
    }
}

fn odd(names: &mut Vec<String>, name: String) {
    if names.len() < MAX_ODD {
        names.push(name);
    }
}

/// Folders by descriptor.
#[cfg(unix)]
mod system {
    use std::ffi::{OsStr, OsString};
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
    use rustix::io::Errno;

    use super::Type;

    const WRITABLE: u32 = 0o222;

    pub(super) struct Dir(rustix::fs::Dir);

    /// What changes when a folder does.
    pub(super) struct State(Stat);

    impl PartialEq for State {
        fn eq(&self, other: &Self) -> bool {
            let (a, b) = (&self.0, &other.0);
            (a.st_dev, a.st_ino, a.st_mode) == (b.st_dev, b.st_ino, b.st_mode)
                && (a.st_mtime, a.st_mtime_nsec, a.st_ctime, a.st_ctime_nsec)
                    == (b.st_mtime, b.st_mtime_nsec, b.st_ctime, b.st_ctime_nsec)
        }
    }

    pub(super) fn open(path: &Path, follow: bool) -> io::Result<Dir> {
        open_at(CWD, path, follow)
    }

    fn open_at(at: impl rustix::fd::AsFd, path: impl rustix::path::Arg, follow: bool) -> io::Result<Dir> {
        let mut flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        flags.set(OFlags::NOFOLLOW, !follow);
        Ok(Dir(rustix::fs::Dir::new(rustix::fs::openat(at, path, flags, Mode::empty())?)?))
    }

    impl Dir {
        /// A folder in it, not through a link.
        pub(super) fn enter(&self, name: &str) -> io::Result<Self> {
            open_at(self.0.fd()?, name, false)
        }

        /// A file in it. Never waits for a fifo.
        pub(super) fn file(&self, name: &str, follow: bool) -> io::Result<File> {
            let mut flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            flags.set(OFlags::NOFOLLOW, !follow);
            Ok(rustix::fs::openat(self.0.fd()?, name, flags, Mode::empty())?.into())
        }

        pub(super) fn look(&self, name: &str, follow: bool) -> io::Result<Type> {
            let flags = if follow { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
            let found = rustix::fs::statat(self.0.fd()?, name, flags)?;
            Ok(of(FileType::from_raw_mode(found.st_mode)).unwrap_or(Type::Other))
        }

        pub(super) fn state(&self) -> io::Result<State> {
            Ok(State(self.0.stat()?))
        }

        pub(super) fn is_writable(&self, state: &State) -> bool {
            Mode::from_raw_mode(state.0.st_mode).intersects(Mode::from_bits_retain(WRITABLE as _))
        }

        /// Names, and what they stand for where the listing says so.
        pub(super) fn entries(&mut self) -> io::Result<Vec<(OsString, Option<Type>)>> {
            let mut entries = Vec::new();
            while let Some(entry) = self.0.read() {
                let entry = entry?;
                let name = OsStr::from_bytes(entry.file_name().to_bytes());
                if name != "." && name != ".." {
                    entries.push((name.to_owned(), of(entry.file_type())));
                }
            }
            Ok(entries)
        }
    }

    fn of(kind: FileType) -> Option<Type> {
        match kind {
            FileType::RegularFile => Some(Type::File),
            FileType::Directory => Some(Type::Folder),
            FileType::Symlink => Some(Type::Link),
            FileType::Unknown => None,
            _ => Some(Type::Other),
        }
    }

    pub(super) fn is_writable(metadata: &Metadata) -> bool {
        metadata.mode() & WRITABLE != 0
    }

    /// What opening a link says that must not be one: ELOOP, and EMLINK on FreeBSD.
    pub(super) fn is_link(error: &io::Error) -> bool {
        matches!(Errno::from_io_error(error), Some(Errno::LOOP | Errno::MLINK))
    }
}

/// Folders by path.
#[cfg(not(unix))]
mod system {
    use std::ffi::OsString;
    use std::fs::{self, File, Metadata};
    use std::io;
    use std::path::{Path, PathBuf};
    use std::time::SystemTime;

    use super::Type;

    pub(super) struct Dir(PathBuf);

    /// What changes when a folder does.
    #[derive(PartialEq)]
    pub(super) struct State(Option<SystemTime>, Option<SystemTime>);

    pub(super) fn open(path: &Path, follow: bool) -> io::Result<Dir> {
        let found = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
        if found.is_dir() { Ok(Dir(path.to_owned())) } else { Err(io::ErrorKind::NotADirectory.into()) }
    }

    impl Dir {
        /// A folder in it, not through a link.
        pub(super) fn enter(&self, name: &str) -> io::Result<Self> {
            open(&self.0.join(name), false)
        }

        /// A file in it.
        pub(super) fn file(&self, name: &str, follow: bool) -> io::Result<File> {
            let path = self.0.join(name);
            if !follow && !fs::symlink_metadata(&path)?.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            File::open(path)
        }

        pub(super) fn look(&self, name: &str, follow: bool) -> io::Result<Type> {
            let path = self.0.join(name);
            let found = if follow { fs::metadata(path)? } else { fs::symlink_metadata(path)? };
            Ok(of(found.file_type()))
        }

        pub(super) fn state(&self) -> io::Result<State> {
            let found = fs::metadata(&self.0)?;
            Ok(State(found.modified().ok(), found.created().ok()))
        }

        /// The read-only attribute of a folder does not keep anybody from writing into it.
        pub(super) fn is_writable(&self, _state: &State) -> bool {
            false
        }

        /// Names, and what they stand for where the listing says so.
        pub(super) fn entries(&mut self) -> io::Result<Vec<(OsString, Option<Type>)>> {
            fs::read_dir(&self.0)?
                .map(|entry| {
                    let entry = entry?;
                    Ok((entry.file_name(), entry.file_type().ok().map(of)))
                })
                .collect()
        }
    }

    fn of(kind: fs::FileType) -> Type {
        if kind.is_symlink() {
            Type::Link
        } else if kind.is_dir() {
            Type::Folder
        } else if kind.is_file() {
            Type::File
        } else {
            Type::Other
        }
    }

    pub(super) fn is_writable(metadata: &Metadata) -> bool {
        !metadata.permissions().readonly()
    }

    pub(super) fn is_link(_error: &io::Error) -> bool {
        false
    }
}
