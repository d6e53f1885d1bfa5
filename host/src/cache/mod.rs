//! # What is kept between runs
//!
//! | under the root | what it is | how it is written |
//! |---|---|---|
//! | `sumdb/NAME/latest` | the newest accepted head, the signed note as received | compare and swap under `latest.lock` |
//! | `sumdb/NAME/packs/` | proofs, links, the edge: immutable [`pack`]s | whole files, without a lock |
//! | `tuf/DIGEST/` | [metadata of TUF repositories](tuf), by the root that is trusted | whole files, without a lock |
//! | `evidence/NAME/` | what shows that a database misbehaved | new files, never overwritten or removed |
//!
//! NAME is the database's name, escaped where it is not a safe folder name. Every file gets its name when it is
//! complete and synced, so a process that is killed leaves nothing behind but a temporary file, which a later merge
//! removes. All of it may be deleted, or be read-only, at any time.
//!
//! ## Security
//! The store is a source of bytes, never of trust: the core verifies what it recalls as if it came from the network.
//! Only what the core said may be kept is written. What the store must itself guarantee is that an accepted head is
//! never lost to another run's older one, hence the compare and swap, and that no file makes the host panic or take
//! memory without bound.

pub(crate) mod disk;
pub mod pack;
mod packs;
mod place;
pub mod tuf;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::mem::{self, Discriminant};
use std::path::{self, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::disk::{Lock, Read};
use self::pack::{Key, PackError};
pub use self::packs::{DATABASE_MAX, PACKS_MAX, PACKS_READ};
use self::packs::{Entries, Packs};
pub use self::place::{FOLDER_MAX, NameError, RootError, default_root};
use crate::contract::{Advance, Body, Evidence, Failure, Item, Kept, KeptItem, Origin, Recall};

/// Longest signed note that `latest` may be, in bytes. A note with a hundred signatures has some 15 kB.
pub const LATEST_MAX: u64 = 64 << 10;
/// Longest item that is kept, in bytes.
pub const ITEM_MAX: usize = 16 << 20;
/// How many bytes of items wait in memory before they are written.
pub const BUFFER_MAX: usize = 8 << 20;
/// How long [`Store::advance`] waits for another process.
pub const LOCK_WAIT: Duration = Duration::from_secs(10);
/// Most files of evidence under one name.
pub const EVIDENCE_MAX: u32 = 1000;
/// Longest file name of evidence, in bytes.
pub const EVIDENCE_NAME_MAX: usize = 128;

/// What an entry costs beside its content.
const OVERHEAD: usize = 64;
const LATEST: &str = "latest";
const LATEST_LOCK: &str = "latest.lock";

/// Something that the user should know about the store: one line for stderr.
#[derive(Debug, thiserror::Error)]
pub enum Note {
    /// The root is no folder, or cannot be looked at.
    #[error("cache folder {} cannot be used, nothing is kept: {source}", .root.display())]
    Root {
        /// The folder.
        root: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Items could not be written, and no more will be tried in this run.
    #[error("cannot write to {}, what this run learns is not kept: {source}", .path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: PackError,
    },
    /// Packs could not be merged: they take more room than they need.
    #[error("cannot merge what is kept in {}: {source}", .path.display())]
    Merge {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: PackError,
    },
    /// The newest head could not be written.
    #[error("cannot keep the newest tree head in {}: {source}", .path.display())]
    Advance {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something that is there could not be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process held the lock for longer than [`LOCK_WAIT`].
    #[error("{} is held by another process", .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The database's name cannot be a folder, so nothing is kept for it.
    #[error("nothing is kept for the checksum database {database:?}: its name {source}")]
    Name {
        /// The name.
        database: String,
        /// Why.
        source: NameError,
    },
    /// An item that no store keeps: `latest`, `go-latest`, `links`, or longer than [`ITEM_MAX`].
    #[error("an item of {database} is not kept: {why}")]
    Item {
        /// The database's name.
        database: String,
        /// Why.
        why: &'static str,
    },
    /// Metadata of a TUF repository could not be written or removed: the next run has less memory of what was seen.
    #[error("{file} of the TUF repository {repository} is not kept: {source}")]
    Metadata {
        /// The repository's name.
        repository: String,
        /// The file.
        file: String,
        /// Why.
        source: tuf::PlaceError,
    },
    /// Evidence is only in the report.
    #[error("evidence {name} against {database} is not kept: {source}")]
    Evidence {
        /// The database's name.
        database: String,
        /// The file name.
        name: String,
        /// Why.
        source: io::Error,
    },
}

/// What is kept of one database, as far as this run has looked.
#[derive(Debug, Default)]
struct Database {
    /// None: not looked at yet.
    packs: Option<Packs>,
    /// Kept in this run, not written.
    pending: Entries,
    /// Without a root: the newest head.
    latest: Option<Vec<u8>>,
}

/// modanchor's own store. See the [module](self) for what it holds and what it promises.
#[derive(Debug)]
pub struct Store(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// None: memory only.
    root: Option<PathBuf>,
    databases: BTreeMap<String, Database>,
    /// TUF repositories by name.
    repositories: BTreeMap<String, tuf::Kept>,
    /// Targets that were accepted, with the file that each has.
    targets: Vec<(String, Result<PathBuf, tuf::PlaceError>)>,
    /// Bytes in all `pending`.
    pending: usize,
    /// Items cannot be written: they stay in memory, up to [`BUFFER_MAX`].
    stuck: bool,
    notes: Vec<Note>,
    /// What was said once.
    said: Vec<Discriminant<Note>>,
}

impl Store {
    /// Opens the store in the folder `root`, which is created where it is missing; None, for `--no-cache`: in memory,
    /// up to [`BUFFER_MAX`]. Never fails: a root that cannot be used is [noted](Self::notes), and memory serves.
    pub fn open(root: Option<PathBuf>) -> Self {
        let mut state = State::default();
        if let Some(root) = root {
            match usable(&root) {
                Ok(root) => state.root = Some(root),
                Err(source) => state.note(Note::Root { root, source }),
            }
        }
        Self(Mutex::new(state))
    }

    /// The folder that is used. None: memory only.
    pub fn root(&self) -> Option<PathBuf> {
        self.state().root.clone()
    }

    /// What the user should know and has not been told: each kind of trouble once, not once per item.
    pub fn notes(&self) -> Vec<Note> {
        mem::take(&mut self.state().notes)
    }

    /// Reads an item. Items kept in this run are seen. `go-latest` is the go command's, and so absent here.
    ///
    /// The first call for a database reads its tables; each later one costs a search in memory and one read.
    ///
    /// # Errors
    /// `absent`; `too-large` past `max-bytes`; `storage` when it is there and cannot be read.
    pub fn recall(&self, recall: &Recall) -> Result<Body, Failure> {
        let Recall { database, item, max_bytes } = recall;
        let max = u64::from(*max_bytes);
        let mut state = self.state();
        match item {
            Item::GoLatest => Err(Failure::Absent),
            Item::Latest => state.latest(database, max),
            Item::Links => state.links(database, max),
            Item::Proof(_) | Item::Link(_) | Item::Edge | Item::FirstSeen => {
                let key = key(item).ok_or(Failure::Absent)?;
                state.item(database, &key, max)
            }
        }
        .map(body)
    }

    /// Keeps what the core allows to be kept: items in memory until there are [`BUFFER_MAX`] bytes of them or until
    /// [`flush`](Self::flush), evidence, metadata and targets at once. Answers with the files of the evidence, for the user. What could not
    /// be kept is [noted](Self::notes).
    pub fn keep(&mut self, kept: Vec<Kept>) -> Vec<PathBuf> {
        let state = self.state_mut();
        let mut files = Vec::new();
        for kept in kept {
            match kept {
                Kept::Item(item) => state.keep(item),
                Kept::TufMetadata(metadata) => state.keep_metadata(metadata),
                Kept::TufTarget(target) => state.keep_target(target),
                Kept::Evidence(evidence) => match state.save(&evidence) {
                    Ok(file) => files.push(file),
                    Err(source) => {
                        let Evidence { database, name, .. } = evidence;
                        state.note(Note::Evidence { database, name, source });
                    }
                },
            }
        }
        files
    }

    /// Writes the items that wait in memory. To be called at the end of a run; [`advance`](Self::advance) does it
    /// first, so that proofs and links are on the disk before the head that makes them count. Trouble is
    /// [noted](Self::notes); after it items stay in memory for the rest of the run.
    pub fn flush(&mut self) {
        self.state_mut().flush();
    }

    /// Makes `next` the newest accepted head if `previous` is in place, under a lock that other processes respect.
    /// Answers with what is in place afterwards. An empty file is no head.
    ///
    /// # Errors
    /// `too-large` past [`LATEST_MAX`]; `storage` when the head cannot be read, locked or written, and for an empty
    /// `next`.
    pub fn advance(&mut self, advance: &Advance) -> Result<Body, Failure> {
        self.state_mut().advance(advance).map(body)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&mut self) -> &mut State {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Notes something, once of its kind; evidence each time.
    fn note(&mut self, note: Note) {
        let kind = mem::discriminant(&note);
        if matches!(note, Note::Evidence { .. }) || !self.said.contains(&kind) {
            self.said.push(kind);
            self.notes.push(note);
        }
    }

    fn unreadable(&mut self, path: PathBuf, source: io::Error) -> Failure {
        self.note(Note::Read { path, source });
        Failure::Storage
    }

    fn database(&mut self, name: &str) -> &mut Database {
        self.databases.entry(name.to_owned()).or_default()
    }

    /// `sumdb/NAME`. None: memory only.
    fn dir(&mut self, database: &str) -> Result<Option<PathBuf>, Failure> {
        match place::folder(database) {
            Ok(folder) => Ok(self.root.as_ref().map(|root| root.join("sumdb").join(folder))),
            Err(source) => {
                self.note(Note::Name { database: database.to_owned(), source });
                Err(Failure::Storage)
            }
        }
    }

    /// The packs of a database, opened when they are first asked for. None: memory only.
    fn packs(&mut self, name: &str) -> Result<Option<&mut Packs>, Failure> {
        if self.database(name).packs.is_none()
            && let Some(dir) = self.dir(name)?
        {
            let dir = dir.join("packs");
            match Packs::open(&dir) {
                Ok(packs) => self.database(name).packs = Some(packs),
                Err(source) => return Err(self.unreadable(dir, source)),
            }
        }
        Ok(self.database(name).packs.as_mut())
    }

    fn latest(&mut self, name: &str, max: u64) -> Result<Vec<u8>, Failure> {
        let read = match self.dir(name)? {
            None => self.database(name).latest.clone().map_or(Read::Absent, Read::Content),
            Some(dir) => {
                let path = dir.join(LATEST);
                disk::read(&path, max).map_err(|source| self.unreadable(path, source))?
            }
        };
        match read {
            Read::Absent => Err(Failure::Absent),
            Read::Content(content) if content.is_empty() => Err(Failure::Absent),
            Read::Content(content) if content.len() as u64 <= max => Ok(content),
            Read::Content(_) | Read::TooLarge => Err(Failure::TooLarge),
        }
    }

    fn item(&mut self, name: &str, key: &Key, max: u64) -> Result<Vec<u8>, Failure> {
        if let Some(content) = self.database(name).pending.get(key) {
            return if content.len() as u64 > max { Err(Failure::TooLarge) } else { Ok(content.clone()) };
        }
        let packs = self.packs(name)?.ok_or(Failure::Absent)?;
        let place = packs.find(key).ok_or(Failure::Absent)?;
        if place.length() > max {
            return Err(Failure::TooLarge);
        }
        packs.read(&place).map_err(|(path, source)| self.unreadable(path, source))
    }

    fn links(&mut self, name: &str, max: u64) -> Result<Vec<u8>, Failure> {
        let written = self.packs(name)?.map(|packs| packs.links()).unwrap_or_default();
        let database = self.database(name);
        let mut lengths: BTreeMap<Key, u64> = written.iter().map(|(key, place)| (*key, place.length())).collect();
        let pending = database.pending.range(Key::Link([0; 16])..);
        lengths.extend(pending.map(|(key, content)| (*key, content.len() as u64)));
        if lengths.is_empty() {
            return Err(Failure::Absent);
        }
        // No overflow: every value lies in memory or in a file, and is shorter than a pack.
        if lengths.values().sum::<u64>() > max {
            return Err(Failure::TooLarge);
        }
        let mut links = Vec::new();
        for key in lengths.keys() {
            links.extend(self.item(name, key, max)?);
        }
        Ok(links)
    }

    fn keep(&mut self, item: KeptItem) {
        let KeptItem { database, item, content } = item;
        let Some(key) = key(&item) else {
            return self.note(Note::Item { database, why: "it is none that may be kept" });
        };
        if content.len() > ITEM_MAX {
            return self.note(Note::Item { database, why: "it is too large" });
        }
        let there = self.item(&database, &key, content.len() as u64);
        if there.is_ok_and(|there| there == content) {
            return;
        }
        let cost = content.len() + OVERHEAD;
        let written = !self.stuck && matches!(self.dir(&database), Ok(Some(_)));
        if !written && self.pending + cost > BUFFER_MAX {
            return;
        }
        self.pending += cost;
        if let Some(old) = self.database(&database).pending.insert(key, content) {
            self.pending -= old.len() + OVERHEAD;
        }
        if self.pending > BUFFER_MAX {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let waiting = |(name, database): (&String, &Database)| (!database.pending.is_empty()).then(|| name.clone());
        for name in self.databases.iter().filter_map(waiting).collect::<Vec<_>>() {
            if self.stuck {
                return;
            }
            let pending = mem::take(&mut self.database(&name).pending);
            let packs = match self.packs(&name) {
                Ok(Some(packs)) => packs,
                // Memory only, or noted.
                Ok(None) | Err(_) => {
                    self.database(&name).pending = pending;
                    continue;
                }
            };
            let path = packs.dir().to_owned();
            match packs.add(&pending) {
                Ok(crowded) => {
                    if crowded && let Err(source) = packs.tidy() {
                        self.note(Note::Merge { path, source });
                    }
                    self.pending -= size(&pending);
                }
                Err(source) => {
                    self.database(&name).pending = pending;
                    self.stuck = true;
                    self.note(Note::Write { path, source });
                }
            }
        }
    }

    fn advance(&mut self, advance: &Advance) -> Result<Vec<u8>, Failure> {
        let Advance { database: name, previous, next } = advance;
        if next.len() as u64 > LATEST_MAX {
            return Err(Failure::TooLarge);
        }
        if next.is_empty() {
            return Err(Failure::Storage);
        }
        self.flush();
        let dir = self.dir(name)?;
        let _lock = match &dir {
            None => None,
            Some(dir) => match Lock::take(dir, LATEST_LOCK, LOCK_WAIT) {
                Ok(Some(lock)) => Some(lock),
                Ok(None) => {
                    self.note(Note::Locked { path: dir.join(LATEST_LOCK) });
                    return Err(Failure::Storage);
                }
                Err(source) => {
                    self.note(Note::Advance { path: dir.join(LATEST), source });
                    return Err(Failure::Storage);
                }
            },
        };
        let current = match self.latest(name, LATEST_MAX) {
            Err(Failure::Absent) => Vec::new(),
            current => current?,
        };
        if current != previous.as_deref().unwrap_or_default() {
            return Ok(current);
        }
        match dir {
            None => self.database(name).latest = Some(next.clone()),
            Some(dir) => {
                disk::sweep(&dir);
                if let Err(source) = disk::write(&dir, LATEST, |out| out.write_all(next)) {
                    self.note(Note::Advance { path: dir.join(LATEST), source });
                    return Err(Failure::Storage);
                }
            }
        }
        Ok(next.clone())
    }

    /// Writes evidence to a file of its own and answers with its path: a file with the same content will do.
    fn save(&self, evidence: &Evidence) -> io::Result<PathBuf> {
        let root = self.root.as_ref().ok_or_else(|| io::Error::other("there is no cache folder"))?;
        let folder = place::folder(&evidence.database)
            .map_err(|error| io::Error::other(format!("the database's name {error}")))?;
        let Evidence { name, content, .. } = evidence;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        if name.is_empty() || name.len() > EVIDENCE_NAME_MAX || name.starts_with('.') || !name.bytes().all(plain) {
            return Err(io::Error::other("its name is no file name"));
        }
        let dir = root.join("evidence").join(folder);
        let mut staged = disk::stage(&dir, |out| out.write_all(content))?;
        disk::sweep(&dir);
        for number in 1..=EVIDENCE_MAX {
            let path = dir.join(match (number, name.rsplit_once('.')) {
                (1, _) => name.clone(),
                (_, Some((stem, extension))) => format!("{stem}-{number}.{extension}"),
                (_, None) => format!("{name}-{number}"),
            });
            match staged.persist_noclobber(&path) {
                Ok(_) => {
                    disk::sync_dir(&dir)?;
                    return Ok(path);
                }
                Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                    if matches!(disk::read(&path, content.len() as u64), Ok(Read::Content(there)) if there == *content)
                    {
                        return Ok(path);
                    }
                    staged = error.file;
                }
                Err(error) => return Err(error.error),
            }
        }
        Err(io::Error::other("there is too much of it"))
    }
}

fn body(content: Vec<u8>) -> Body {
    Body { content, origin: Origin::Store }
}

/// The key of an item that can be kept. None: `latest`, `go-latest` and `links`, which are no single kept item.
fn key(item: &Item) -> Option<Key> {
    match item {
        Item::Proof(name) => Some(Key::hashed("proof", name)),
        Item::Edge => Some(Key::hashed("edge", "")),
        Item::FirstSeen => Some(Key::hashed("first-seen", "")),
        Item::Link((from, to)) => Some(Key::link(*from, *to)),
        Item::Latest | Item::GoLatest | Item::Links => None,
    }
}

fn size(entries: &Entries) -> usize {
    entries.values().map(|content| content.len() + OVERHEAD).sum()
}

/// The root as an absolute path, when it is a folder or can become one.
fn usable(root: &Path) -> io::Result<PathBuf> {
    let root = path::absolute(root)?;
    match root.metadata() {
        Ok(found) if found.is_dir() => root.read_dir().map(drop)?,
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => std::fs::create_dir_all(&root)?,
        Err(error) => return Err(error),
    }
    Ok(root)
}

#[cfg(all(test, unix))]
mod tests;
