//! What is kept of TUF repositories, and the targets that a run puts where the user wants them.
//!
//! | in a repository's folder | what it is |
//! |---|---|
//! | `ROLE.json` | the newest metadata of a role that was accepted, byte for byte as it was served; the role's name is percent-encoded |
//! | `root_history/N.root.json` | every root that was accepted |
//!
//! The folder is one that the user names, or `tuf/DIGEST` below the store's root, where DIGEST is the SHA-256 of the
//! root metadata that the user trusts, in hexadecimal: what one root of trust has seen is no memory of another's.
//! The layout is that of python-tuf's and others' clients. Files are written whole, without a lock: of two runs at once
//! the later writer's stays, whose metadata may be the older. Then the next run has the memory of that one.
//!
//! Targets go to a folder of the user's, each to the path that metadata gives it: bytes of an element that are neither
//! letters nor digits nor one of `-._~!@+,=` are percent-encoded, and so are what Windows reads differently: a dot at
//! the end, and the first byte of a device's name.
//!
//! ## Security
//! As for the [store](super): a source of bytes, never of trust. The core verifies every file that it recalls, and an
//! older one in its place is no more than memory lost. Two things are for this module to guarantee. No name that metadata
//! chooses leads out of a folder, through a link, or to a device. And nothing gets a target's name but the bytes that
//! were measured: the core says which digest it accepts, and it has to be that of the file that waits here.

use modanchor_core::hex;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use super::disk::{self, Read};
use super::{Note, State, Store, body, place};
use crate::contract::{Body, Failure, KeptMetadata, KeptTarget, MetadataRecall, Repository, TargetFile, TargetGet};
use crate::fetch::{is_metadata_file, is_numbered_root, is_target_path};
use crate::files::is_absent;

/// Longest file name of metadata, and of a target or one of its folders, in bytes: file systems allow 255.
pub const FILE_NAME_MAX: usize = 255;

/// The newest root.
pub const ROOT: &str = "root.json";
/// The folder with every root that was accepted.
pub const HISTORY: &str = "root_history";

/// Whose files hold a floor against rollback: they have to outlast a crash. What is lost of a delegated role is fetched
/// again, and the snapshot remembers its version.
const FLOORS: [&str; 4] = [ROOT, "timestamp.json", "snapshot.json", "targets.json"];

/// Where a repository's files go.
#[derive(Debug, Clone, Default)]
pub struct Folders {
    /// Metadata. None: `tuf/DIGEST` in the store.
    pub metadata: Option<PathBuf>,
    /// Targets. None: they are measured, and not kept.
    pub targets: Option<PathBuf>,
}

/// What is known of one repository.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// None: nothing is kept.
    metadata: Option<PathBuf>,
    targets: Option<PathBuf>,
    /// By path, what was measured last.
    measured: BTreeMap<String, Measured>,
}

#[derive(Debug)]
struct Measured {
    sha256: Vec<u8>,
    file: Measurement,
}

/// Where a target is that was measured.
#[derive(Debug)]
pub enum Measurement {
    /// In a file that has no place yet, and that goes with this.
    Waiting(TempPath),
    /// In its place.
    Here(PathBuf),
}

/// Why there is no place for a file.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The system's word.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// An empty element, `.` or `..`; metadata's is none of the names that it may have.
    #[error("its name is no file name")]
    Name,
    /// More than [`FILE_NAME_MAX`] bytes.
    #[error("its name is too long for a file")]
    TooLong,
    /// A link, or a file where a folder has to be, or the other way round.
    #[error("{} is in the way: a link, or not what it has to be", .0.display())]
    InTheWay(PathBuf),
    /// The core allows to keep what is not there: a bug of modanchor.
    #[error("it is not what was measured")]
    NotMeasured,
}

/// What was fetched or found of a target, for [`Store::hold`].
#[derive(Debug)]
pub struct Held {
    /// What was asked for.
    pub get: TargetGet,
    /// What it measures.
    pub file: TargetFile,
    /// Where it is.
    pub at: Measurement,
}

impl Store {
    /// Makes a repository known. Without folders of the user's, and without a root, nothing of it is kept.
    pub fn add_repository(&mut self, repository: &Repository, folders: Folders) {
        let state = self.state_mut();
        let metadata = folders.metadata.or_else(|| {
            let root = state.root.as_ref()?;
            Some(root.join("tuf").join(digest(&repository.trusted_root)))
        });
        let kept = Kept { metadata, targets: folders.targets, measured: BTreeMap::new() };
        state.repositories.insert(repository.name.clone(), kept);
    }

    /// Reads metadata that an earlier run has kept.
    ///
    /// # Errors
    /// `absent`, also for what cannot be kept; `too-large` past `max-bytes`; `storage` when it is there and cannot be
    /// read.
    pub fn recall_metadata(&self, recall: &MetadataRecall) -> Result<Body, Failure> {
        let mut state = self.state();
        let folder = state.repositories.get(&recall.repository).and_then(|kept| kept.metadata.clone());
        let (Some(folder), Ok(file)) = (folder, MetadataFile::parse(&recall.file)) else {
            return Err(Failure::Absent);
        };
        let path = file.path(&folder);
        match disk::read(&path, recall.max_bytes.into()) {
            Ok(Read::Content(content)) => Ok(body(content)),
            Ok(Read::Absent) => Err(Failure::Absent),
            Ok(Read::TooLarge) => Err(Failure::TooLarge),
            Err(error) if is_absent(&error) => Err(Failure::Absent),
            Err(source) => Err(state.unreadable(path, source)),
        }
    }

    /// The folder that a repository's targets go to.
    pub fn targets_folder(&self, repository: &str) -> Option<PathBuf> {
        self.state().repositories.get(repository)?.targets.clone()
    }

    /// The file that a target has already.
    ///
    /// # Errors
    /// `absent` where there is none, nor any folder for it, or something else is in the way, such as a link.
    pub fn held_target(&self, get: &TargetGet) -> Result<PathBuf, Failure> {
        let folder = self.targets_folder(&get.repository).ok_or(Failure::Absent)?;
        let elements = elements(&get.path).map_err(|_| Failure::Absent)?;
        let (last, parents) = elements.split_last().ok_or(Failure::Absent)?;
        let mut path = folder;
        for parent in parents {
            path.push(&**parent);
            if !path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                return Err(Failure::Absent);
            }
        }
        path.push(&**last);
        if path.symlink_metadata().is_ok_and(|found| found.is_file()) { Ok(path) } else { Err(Failure::Absent) }
    }

    /// Holds what was measured of a target, until the core has compared it. What was held of it before is removed.
    pub fn hold(&self, held: Held) {
        let Held { get, file: TargetFile { sha256, .. }, at } = held;
        if let Some(repository) = self.state().repositories.get_mut(&get.repository) {
            repository.measured.insert(get.path, Measured { sha256, file: at });
        }
    }

    /// The targets that were accepted, in that order, and the file that each has, or why it has none. They are told once.
    pub fn targets(&self) -> Vec<(String, Result<PathBuf, PlaceError>)> {
        std::mem::take(&mut self.state().targets)
    }
}

impl State {
    /// Keeps metadata, or forgets it.
    pub(super) fn keep_metadata(&mut self, kept: KeptMetadata) {
        let KeptMetadata { repository, file, content } = kept;
        let Some(folder) = self.repositories.get(&repository).and_then(|kept| kept.metadata.clone()) else { return };
        let done = MetadataFile::parse(&file).and_then(|file| file.write(&folder, content.as_deref()));
        if let Err(source) = done {
            self.note(Note::Metadata { repository, file, source });
        }
    }

    /// Gives a target its place.
    pub(super) fn keep_target(&mut self, kept: KeptTarget) {
        let KeptTarget { repository, path, sha256 } = kept;
        let Some(repository) = self.repositories.get_mut(&repository) else { return };
        let Some(folder) = &repository.targets else { return };
        let put = match repository.measured.remove(&path) {
            Some(measured) if measured.sha256 == sha256 => match measured.file {
                Measurement::Waiting(file) => put(folder, &path, file),
                Measurement::Here(file) => Ok(file),
            },
            _ => Err(PlaceError::NotMeasured),
        };
        self.targets.push((path, put));
    }
}

/// Puts the root to begin with, whose version this is, into a folder of the user's.
///
/// # Errors
/// It cannot be written.
pub fn keep_root(folder: &Path, root: &[u8], version: u64) -> Result<(), PlaceError> {
    MetadataFile::parse(&format!("{HISTORY}/{version}.{ROOT}"))?.write(folder, Some(root))?;
    MetadataFile::parse(ROOT)?.write(folder, Some(root))
}

/// A name that metadata may be kept under.
struct MetadataFile<'a> {
    /// Whether it is in the history of roots.
    history: bool,
    name: &'a str,
}

impl<'a> MetadataFile<'a> {
    fn parse(file: &'a str) -> Result<Self, PlaceError> {
        let (history, name) = match file.split_once('/') {
            Some((HISTORY, name)) if is_numbered_root(name) => (true, name),
            Some(_) => return Err(PlaceError::Name),
            None => (false, file),
        };
        match name.len() <= FILE_NAME_MAX {
            false => Err(PlaceError::TooLong),
            true if is_metadata_file(name) && !place::is_device(&name.to_ascii_lowercase()) => {
                Ok(Self { history, name })
            }
            true => Err(PlaceError::Name),
        }
    }

    fn folder<'b>(&self, folder: &'b Path) -> Cow<'b, Path> {
        if self.history { folder.join(HISTORY).into() } else { folder.into() }
    }

    fn path(&self, folder: &Path) -> PathBuf {
        self.folder(folder).join(self.name)
    }

    fn write(&self, folder: &Path, content: Option<&[u8]>) -> Result<(), PlaceError> {
        let path = self.path(folder);
        let folder = self.folder(folder);
        let Some(content) = content else {
            return Ok(disk::remove(&path)?);
        };
        // Most of a run's metadata has not changed.
        if matches!(disk::read(&path, content.len() as u64), Ok(Read::Content(there)) if there == content) {
            return Ok(());
        }
        match self.history || FLOORS.contains(&self.name) {
            true => disk::write(&folder, self.name, |out| out.write_all(content))?,
            false => disk::write_lazily(&folder, self.name, content)?,
        }
        Ok(())
    }
}

/// `tuf/DIGEST`.
fn digest(root: &[u8]) -> String {
    hex::encode(&Sha256::digest(root))
}

/// The elements of a target's path as names of files.
fn elements(path: &str) -> Result<Vec<Cow<'_, str>>, PlaceError> {
    if !is_target_path(path) {
        return Err(PlaceError::Name);
    }
    path.split('/').map(element).collect()
}

fn element(name: &str) -> Result<Cow<'_, str>, PlaceError> {
    let device = place::is_device(&name.to_ascii_lowercase());
    let plain = |(at, byte): (usize, u8)| match byte {
        b'.' => at + 1 != name.len(),
        _ if device && at == 0 => false,
        _ => byte.is_ascii_alphanumeric() || b"-_~!@+,=".contains(&byte),
    };
    let mut file = Cow::Borrowed(name);
    if !name.bytes().enumerate().all(plain) {
        let mut encoded = String::with_capacity(name.len());
        for (at, byte) in name.bytes().enumerate() {
            if plain((at, byte)) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        file = encoded.into();
    }
    if file.len() <= FILE_NAME_MAX { Ok(file) } else { Err(PlaceError::TooLong) }
}

/// Gives a file the place of the target `path` below `folder`. A link that is there is replaced, never followed.
fn put(folder: &Path, path: &str, file: TempPath) -> Result<PathBuf, PlaceError> {
    let elements = elements(path)?;
    let (last, parents) = elements.split_last().ok_or(PlaceError::Name)?;
    let mut dir = folder.to_owned();
    for parent in parents {
        dir.push(&**parent);
        match dir.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(PlaceError::InTheWay(dir)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => fs::create_dir(&dir)?,
            Err(error) => return Err(error.into()),
        }
    }
    let to = dir.join(&**last);
    if to.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        return Err(PlaceError::InTheWay(to));
    }
    file.persist(&to).map_err(|error| error.error)?;
    disk::sync_dir(&dir)?;
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{self, Origin};

    /// A store with one repository, whose targets go to `targets/`.
    struct World {
        dir: tempfile::TempDir,
        store: Store,
    }

    fn repository(name: &str, root: &[u8]) -> Repository {
        let [set_by, modules] = ["test", "*"].map(str::to_owned);
        Repository { name: name.to_owned(), trusted_root: root.to_vec(), set_by, modules, role: None }
    }

    impl World {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let mut store = Store::open(Some(dir.path().join("cache")));
            let targets = Some(dir.path().join("targets"));
            store.add_repository(&repository("corp", b"root"), Folders { metadata: None, targets });
            Self { dir, store }
        }

        /// Of the repository's metadata.
        fn folder(&self) -> PathBuf {
            self.dir.path().join("cache").join("tuf").join(digest(b"root"))
        }

        fn keep(&mut self, file: &str, content: Option<&[u8]>) {
            let [repository, file] = ["corp", file].map(str::to_owned);
            let kept = KeptMetadata { repository, file, content: content.map(<[u8]>::to_vec) };
            self.store.keep(vec![contract::Kept::TufMetadata(kept)]);
        }

        fn recall(&self, file: &str, max_bytes: u32) -> Result<Vec<u8>, Failure> {
            let [repository, file] = ["corp", file].map(str::to_owned);
            let body = self.store.recall_metadata(&MetadataRecall { repository, file, max_bytes })?;
            assert_eq!(body.origin, Origin::Store);
            Ok(body.content)
        }

        fn said(&self) -> Vec<String> {
            self.store.notes().iter().map(ToString::to_string).collect()
        }

        fn get(path: &str) -> TargetGet {
            let [repository, path] = ["corp", path].map(str::to_owned);
            TargetGet { repository, file: path.clone(), path, max_bytes: 9, held: false }
        }

        /// A file that was fetched.
        fn hold(&self, path: &str, content: &[u8]) -> PathBuf {
            let folder = self.store.targets_folder("corp").unwrap();
            fs::create_dir_all(&folder).unwrap();
            let mut file = disk::temp_file(&folder).unwrap();
            file.write_all(content).unwrap();
            let file = file.into_temp_path();
            let temporary = file.to_path_buf();
            self.store.hold(Held { get: Self::get(path), file: measured(content), at: Measurement::Waiting(file) });
            temporary
        }

        fn keep_target(&mut self, path: &str, content: &[u8]) -> Vec<(String, Result<PathBuf, PlaceError>)> {
            let [repository, path] = ["corp", path].map(str::to_owned);
            let sha256 = Sha256::digest(content).to_vec();
            self.store.keep(vec![contract::Kept::TufTarget(KeptTarget { repository, path, sha256 })]);
            self.store.targets()
        }

        fn put(&mut self, path: &str, content: &[u8]) -> Result<PathBuf, PlaceError> {
            self.hold(path, content);
            let mut targets = self.keep_target(path, content);
            assert_eq!(targets.len(), 1);
            targets.remove(0).1
        }
    }

    fn measured(content: &[u8]) -> TargetFile {
        let sha256 = Sha256::digest(content).to_vec();
        TargetFile { length: content.len() as u64, sha256, sha512: Vec::new(), origin: Origin::Remote }
    }

    #[test]
    fn metadata_is_kept_as_it_is_and_forgotten() {
        let mut world = World::new();
        for file in ["root.json", "timestamp.json", "team%2Fa.json", "..%2Fx.json", "root_history/12.root.json"] {
            assert_eq!(world.recall(file, 9), Err(Failure::Absent), "{file}");
            for content in [b"{ }\n".as_slice(), b"{}"] {
                world.keep(file, Some(content));
                assert_eq!(world.recall(file, 9), Ok(content.to_vec()), "{file}");
                assert_eq!(fs::read(world.folder().join(file)).unwrap(), content, "{file}");
            }
            assert_eq!(world.recall(file, 2), Ok(b"{}".to_vec()), "{file}");
            assert_eq!(world.recall(file, 1), Err(Failure::TooLarge), "{file}");
            world.keep(file, None);
            world.keep(file, None);
            assert_eq!(world.recall(file, 9), Err(Failure::Absent), "{file}");
        }
        assert_eq!(world.said(), [""; 0]);
        let left: Vec<_> = fs::read_dir(world.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["root_history"]);
    }

    #[test]
    fn names_of_metadata_that_lead_elsewhere_are_none() {
        let long = format!("{}.json", "a".repeat(FILE_NAME_MAX - 4));
        for file in [
            "../x.json",
            "/x.json",
            "a/b.json",
            "root_history/root.json",
            "root_history/../1.root.json",
            "root_history/0.root.json",
            "root_history/1.root.json/x",
            "other/1.root.json",
            "a\\b.json",
            "a:b.json",
            "x",
            "",
            "nul.json",
            "CON.json",
            &long,
        ] {
            let mut world = World::new();
            world.keep(file, Some(b"{}"));
            let said = world.said();
            assert_eq!(said.len(), 1, "{file}");
            assert!(said[0].contains("is not kept: its name"), "{said:?}");
            assert_eq!(world.recall(file, 9), Err(Failure::Absent), "{file}");
            assert!(!world.folder().exists(), "{file}");
        }
        let longest = format!("{}.json", "a".repeat(FILE_NAME_MAX - 5));
        let mut world = World::new();
        world.keep(&longest, Some(b"{}"));
        assert_eq!((world.recall(&longest, 9), world.said()), (Ok(b"{}".to_vec()), vec![]));
    }

    #[test]
    fn roots_of_trust_do_not_share_what_is_kept() {
        let mut world = World::new();
        world.keep("timestamp.json", Some(b"{}"));
        world.store.add_repository(&repository("corp", b"another root"), Folders::default());
        assert_eq!(world.recall("timestamp.json", 9), Err(Failure::Absent));
        world.store.add_repository(&repository("renamed", b"root"), Folders::default());
        let recall = MetadataRecall { repository: "renamed".into(), file: "timestamp.json".into(), max_bytes: 9 };
        assert!(world.store.recall_metadata(&recall).is_ok());
        let unknown = MetadataRecall { repository: "unknown".into(), ..recall };
        assert_eq!(world.store.recall_metadata(&unknown), Err(Failure::Absent));
        // In memory nothing is kept, and nothing goes wrong.
        world.store = Store::open(None);
        world.store.add_repository(&repository("corp", b"root"), Folders::default());
        world.keep("timestamp.json", Some(b"{}"));
        assert_eq!((world.recall("timestamp.json", 9), world.said()), (Err(Failure::Absent), vec![]));
    }

    #[test]
    fn a_folder_of_the_users_is_used_as_it_is() {
        let mut world = World::new();
        let metadata = Some(world.dir.path().join("md"));
        world.store.add_repository(&repository("corp", b"root"), Folders { metadata, targets: None });
        world.keep("targets.json", Some(b"{}"));
        assert_eq!(fs::read(world.dir.path().join("md/targets.json")).unwrap(), b"{}");
        assert!(!world.folder().exists());
    }

    #[test]
    fn what_cannot_be_written_or_read_is_noted() {
        let mut world = World::new();
        fs::create_dir_all(world.folder().join("root.json")).unwrap();
        fs::write(world.folder().join("root_history"), "").unwrap();
        world.keep("root.json", Some(b"{}"));
        world.keep("root_history/1.root.json", Some(b"{}"));
        let said = world.said();
        assert!(said.len() == 1 && said[0].contains("root.json of the TUF repository corp is not kept"), "{said:?}");
        assert_eq!(world.recall("root.json", 9), Err(Failure::Storage));
        assert!(world.said()[0].contains("cannot read"));
        assert_eq!(world.recall("root_history/1.root.json", 9), Err(Failure::Absent));
    }

    #[test]
    fn a_target_gets_the_place_that_its_path_says() {
        let mut world = World::new();
        for (path, want) in [
            ("a", "a"),
            ("example.com/!m/@v/v1.0.0+incompatible.zip", "example.com/!m/@v/v1.0.0+incompatible.zip"),
            ("a b/c?d#e%", "a%20b/c%3Fd%23e%25"),
            ("x/y\\z:", "x/y%5Cz%3A"),
            ("é\n", "%C3%A9%0A"),
            (".hidden/...", ".hidden/..%2E"),
            ("con/aux.txt/Nul", "%63on/%61ux.txt/%4Eul"),
        ] {
            let file = world.put(path, path.as_bytes()).unwrap();
            assert_eq!(file, want.split('/').fold(world.dir.path().join("targets"), |dir, name| dir.join(name)));
            assert_eq!(fs::read(&file).unwrap(), path.as_bytes());
            assert_eq!(world.store.held_target(&World::get(path)), Ok(file), "{path}");
            world.put(path, b"newer").unwrap();
        }
        for path in ["", "/a", "../a", "a/../../b", "a//b", "./a", "a/"] {
            assert!(matches!(world.put(path, b"x"), Err(PlaceError::Name)), "{path:?}");
            assert_eq!(world.store.held_target(&World::get(path)), Err(Failure::Absent), "{path:?}");
        }
        let long = "a".repeat(FILE_NAME_MAX);
        world.put(&long, b"x").unwrap();
        assert!(matches!(world.put(&format!("{long}a"), b"x"), Err(PlaceError::TooLong)));
        // Neither what was refused nor what was replaced leaves anything behind.
        let left = fs::read_dir(world.dir.path().join("targets")).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_string_lossy().starts_with(".tmp-")));
    }

    #[test]
    fn only_what_was_measured_is_kept() {
        let mut world = World::new();
        let temporary = world.hold("a", b"other");
        let targets = world.keep_target("a", b"good");
        assert!(matches!(targets[..], [(_, Err(PlaceError::NotMeasured))]), "{targets:?}");
        assert!(!temporary.exists());
        assert!(matches!(world.keep_target("b", b"good")[..], [(_, Err(PlaceError::NotMeasured))]));
        let first = world.hold("a", b"first");
        let second = world.hold("a", b"second");
        assert!(!first.exists() && second.exists());
        assert!(matches!(world.keep_target("a", b"second")[..], [(_, Ok(_))]));
        // Once it is in its place, it is measured there and stays.
        let file = world.store.held_target(&World::get("a")).unwrap();
        world.store.hold(Held { get: World::get("a"), file: measured(b"second"), at: Measurement::Here(file.clone()) });
        assert!(matches!(&world.keep_target("a", b"second")[..], [(_, Ok(there))] if *there == file));
    }

    #[test]
    fn what_is_in_the_way_stays() {
        let mut world = World::new();
        world.put("file", b"x").unwrap();
        world.put("folder/x", b"x").unwrap();
        assert!(matches!(world.put("file/x", b"y"), Err(PlaceError::InTheWay(_))));
        assert!(matches!(world.put("folder", b"y"), Err(PlaceError::InTheWay(_))));
        assert_eq!(world.store.held_target(&World::get("folder")), Err(Failure::Absent));
        assert_eq!(fs::read(world.dir.path().join("targets/file")).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed() {
        use std::os::unix::fs::symlink;
        let mut world = World::new();
        let outside = world.dir.path().join("outside");
        let targets = world.dir.path().join("targets");
        fs::create_dir_all(&outside).unwrap();
        fs::create_dir_all(&targets).unwrap();
        fs::write(outside.join("secret"), "secret").unwrap();
        symlink(&outside, targets.join("link")).unwrap();
        symlink(outside.join("secret"), targets.join("t")).unwrap();
        assert!(matches!(world.put("link/new", b"x"), Err(PlaceError::InTheWay(_))));
        for path in ["link/secret", "t"] {
            assert_eq!(world.store.held_target(&World::get(path)), Err(Failure::Absent), "{path}");
        }
        world.put("t", b"target").unwrap();
        assert!(targets.join("t").symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read(outside.join("secret")).unwrap(), b"secret");
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    }

    proptest::proptest! {
        #[test]
        fn no_name_leads_out(path: String) {
            if let Ok(elements) = elements(&path) {
                for element in elements {
                    let mut parts = Path::new(&*element).components();
                    let one = matches!(parts.next(), Some(std::path::Component::Normal(part)) if part == &*element);
                    proptest::prop_assert!(one && parts.next().is_none() && element.is_ascii());
                }
            }
        }

        #[test]
        fn no_two_elements_share_a_name(one in "[a-b./%:é2Econ]{1,5}", other in "[a-b./%:é2Econ]{1,5}") {
            if let (Ok(first), Ok(second)) = (element(&one), element(&other)) {
                proptest::prop_assert_eq!(first == second, one == other);
            }
        }
    }
}
