//! The packs of one database: found by listing a folder, read newest first, merged when they become many.
//!
//! A pack is never changed. Its name is `AGE-DIGEST.pack`: 16 hexadecimal digits of nanoseconds since 1970, which put
//! packs in order, and 16 of the SHA-256 of its header and table, which keep two writers apart. The newest pack that
//! has a key wins, so the order is a matter of freshness, never of safety.
//!
//! Writers need no lock: they add files. Whoever leaves more than [`PACKS_MAX`] packs behind merges some under
//! `merge.lock`, unless another does so already. A reader holds its packs open, so a merge takes nothing from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use super::disk::{self, Lock};
use super::pack::{self, ENTRIES_MAX, Index, Key, PACK_MAX, PackError};

/// With more packs than this the next writer merges.
pub const PACKS_MAX: usize = 8;
/// Most packs that are read, the newest: each costs an open file. More than [`PACKS_MAX`] come of many writers at once.
pub const PACKS_READ: usize = 64;
/// Most bytes in the packs of one database. Past it the oldest are dropped.
pub const DATABASE_MAX: u64 = 256 << 20;
/// A pack that is further in the future than clocks differ counts as the oldest, so that it cannot hide newer ones for
/// ever.
const FUTURE: Duration = Duration::from_secs(24 * 60 * 60);
const SUFFIX: &str = ".pack";
const MERGE_LOCK: &str = "merge.lock";

/// Values by key, in the order of a pack's table.
pub(super) type Entries = BTreeMap<Key, Vec<u8>>;

#[derive(Debug)]
struct Pack {
    age: u64,
    path: PathBuf,
    file: File,
    length: u64,
    index: Index,
}

/// An open snapshot of the packs in one folder.
#[derive(Debug)]
pub(super) struct Packs {
    dir: PathBuf,
    /// Newest first.
    packs: Vec<Pack>,
    /// Files with a pack's name that are none.
    broken: Vec<PathBuf>,
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// The age in a pack's name, 0 when it lies in the future.
fn age(name: &str, now: u64) -> Option<u64> {
    let (age, digest) = name.strip_suffix(SUFFIX)?.split_once('-')?;
    let hex =
        |digits: &str| digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !hex(age) || !hex(digest) {
        return None;
    }
    let age = u64::from_str_radix(age, 16).ok()?;
    Some(if age > now.saturating_add(FUTURE.as_nanos() as u64) { 0 } else { age })
}

/// Ages and paths of the packs in `dir`, newest first.
fn list(dir: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let now = now();
    let mut found = Vec::new();
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if let Some(age) = entry.file_name().to_str().and_then(|name| age(name, now))
            && entry.file_type().is_ok_and(|kind| kind.is_file())
        {
            found.push((age, entry.path()));
        }
    }
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

impl Pack {
    fn open(age: u64, path: PathBuf) -> Result<Self, PackError> {
        let file = File::open(&path)?;
        Self::of(age, path, file)
    }

    fn of(age: u64, path: PathBuf, file: File) -> Result<Self, PackError> {
        let length = file.metadata()?.len();
        let index = Index::read(&file, length)?;
        Ok(Self { age, path, file, length, index })
    }
}

impl Packs {
    /// Opens what is in `dir`; a missing folder has no packs.
    pub(super) fn open(dir: &Path) -> io::Result<Self> {
        // A merge may take a file away between listing and opening. What it held is in a newer one: list again, once.
        let (first, lost) = Self::open_listed(dir)?;
        if lost { Ok(Self::open_listed(dir)?.0) } else { Ok(first) }
    }

    fn open_listed(dir: &Path) -> io::Result<(Self, bool)> {
        let mut all = Self { dir: dir.to_owned(), packs: Vec::new(), broken: Vec::new() };
        let mut lost = false;
        for (age, path) in list(dir)?.into_iter().take(PACKS_READ) {
            match Pack::open(age, path.clone()) {
                Ok(pack) => all.packs.push(pack),
                Err(PackError::Io(error)) if error.kind() == io::ErrorKind::NotFound => lost = true,
                // It became shorter while it was read: as bad as if it had been.
                Err(PackError::Io(error)) if error.kind() != io::ErrorKind::UnexpectedEof => {
                    return Err(error);
                }
                // A newer modanchor's: not ours to remove.
                Err(PackError::Version) => {}
                Err(_) => all.broken.push(path),
            }
        }
        Ok((all, lost))
    }

    /// Where the newest value of `key` lies.
    pub(super) fn find(&self, key: &Key) -> Option<Place> {
        self.packs.iter().enumerate().find_map(|(pack, it)| it.index.find(key).map(|range| Place { pack, range }))
    }

    /// Where the newest value of every link lies.
    pub(super) fn links(&self) -> BTreeMap<Key, Place> {
        let mut links = BTreeMap::new();
        for (pack, it) in self.packs.iter().enumerate().rev() {
            links.extend(it.index.links().map(|(key, range)| (key, Place { pack, range })));
        }
        links
    }

    /// Reads the value at a place that this snapshot gave, or says which file failed.
    pub(super) fn read(&self, place: &Place) -> Result<Vec<u8>, (PathBuf, io::Error)> {
        let pack = &self.packs[place.pack];
        pack::value(&pack.file, place.range.clone()).map_err(|error| (pack.path.clone(), error))
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes one new pack, newer than any that is there. True: it is time to [tidy](Self::tidy).
    pub(super) fn add(&mut self, entries: &Entries) -> Result<bool, PackError> {
        let head = pack::head(entries.iter().map(|(key, value)| (*key, value.len())))?;
        let there = list(&self.dir)?;
        let age = there.first().map_or(0, |(newest, _)| newest.saturating_add(1)).max(now());
        let pack = self.write(age, &head, |out| entries.values().try_for_each(|value| out.write_all(value)))?;
        self.packs.insert(0, pack);
        Ok(there.len() >= PACKS_MAX || self.length() > DATABASE_MAX)
    }

    fn write(
        &self,
        age: u64,
        head: &[u8],
        values: impl FnOnce(&mut io::BufWriter<&mut File>) -> io::Result<()>,
    ) -> Result<Pack, PackError> {
        let digest = Sha256::digest(head);
        let name = digest[..8].iter().fold(format!("{age:016x}-"), |name, byte| format!("{name}{byte:02x}"));
        let path = self.dir.join(name + SUFFIX);
        let staged = disk::stage(&self.dir, |out| {
            out.write_all(head)?;
            values(out)
        })?;
        // Not opened by its name: another process may have merged it away by then.
        let file = staged.persist(&path).map_err(|error| error.error)?;
        disk::sync_dir(&self.dir)?;
        Pack::of(age, path, file)
    }

    fn length(&self) -> u64 {
        self.packs.iter().map(|pack| pack.length).sum()
    }

    /// Under the merge lock: removes leftovers and broken packs, drops the oldest past [`DATABASE_MAX`], merges until
    /// there are few. Does nothing when another process is at it.
    pub(super) fn tidy(&mut self) -> Result<(), PackError> {
        let Some(_lock) = Lock::take(&self.dir, MERGE_LOCK, Duration::ZERO)? else {
            return Ok(());
        };
        *self = Self::open(&self.dir)?;
        disk::sweep(&self.dir);
        for path in self.broken.drain(..) {
            disk::remove(&path)?;
        }
        while self.length() > DATABASE_MAX
            && let Some(oldest) = self.packs.pop()
        {
            disk::remove(&oldest.path)?;
        }
        while self.packs.len() > PACKS_MAX
            && let Some(window) = self.cheapest()
        {
            self.merge(window)?;
        }
        Ok(())
    }

    /// The neighbours whose merge writes the fewest bytes for each file that it saves, so that a large pack is not
    /// written again for each small one.
    fn cheapest(&self) -> Option<Range<usize>> {
        let mut best: Option<(u64, Range<usize>)> = None;
        for begin in 0..self.packs.len() {
            let (mut length, mut entries) = (0, 0);
            for (at, pack) in self.packs.iter().enumerate().skip(begin) {
                length += pack.length;
                entries += pack.index.len();
                if length > PACK_MAX || entries > ENTRIES_MAX {
                    break;
                }
                let saved = (at - begin) as u64;
                if saved > 0 && best.as_ref().is_none_or(|(cost, _)| length / saved < *cost) {
                    best = Some((length / saved, begin..at + 1));
                }
            }
        }
        best.map(|(_, window)| window)
    }

    /// Replaces neighbours by one pack of the newest one's age.
    fn merge(&mut self, window: Range<usize>) -> Result<(), PackError> {
        let mut places = BTreeMap::new();
        for pack in window.clone().rev() {
            let entries = self.packs[pack].index.entries();
            places.extend(entries.map(|(key, range)| (key, Place { pack, range })));
        }
        let head = pack::head(places.iter().map(|(key, place)| (*key, place.length() as usize)))?;
        let merged = self.write(self.packs[window.start].age, &head, |out| {
            places.values().try_for_each(|place| out.write_all(&self.read(place).map_err(|(_, error)| error)?))
        })?;
        let path = merged.path.clone();
        for old in self.packs.splice(window, [merged]) {
            if old.path != path {
                disk::remove(&old.path)?;
            }
        }
        Ok(())
    }
}

/// Where a value lies in one snapshot.
#[derive(Debug)]
pub(super) struct Place {
    pack: usize,
    range: Range<u64>,
}

impl Place {
    /// Length of the value, in bytes.
    pub(super) fn length(&self) -> u64 {
        self.range.end - self.range.start
    }
}
