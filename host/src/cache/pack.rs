//! # One pack: an immutable file of kept items
//!
//! | part | bytes |
//! |---|---|
//! | magic and version | 20: `modanchor pack 0001` and a line feed |
//! | number of hashed keys | 4 |
//! | number of link keys | 4 |
//! | length of the whole file | 8 |
//! | table, one entry per key | 20 each: 16 bytes of key, 4 bytes: where its value ends, counted from the first value |
//! | values | without gaps, in the table's order |
//!
//! Numbers are big-endian. Hashed keys come first, then link keys, each sorted and without repetition. A value begins
//! where the one before it ends, so values can neither overlap nor leave the file.
//!
//! ## Security
//! A pack is untrusted: the core verifies every value that it is given, so there is no checksum. What is promised here
//! is that any bytes whatsoever give an index or a [`PackError`], without a panic, and that memory is taken for no more
//! entries than the file has bytes for and [`ENTRIES_MAX`] allows.

use std::fs::File;
use std::io;
use std::ops::Range;

use sha2::{Digest as _, Sha256};

/// Longest pack, in bytes. Longer files are ignored.
pub const PACK_MAX: u64 = 64 << 20;
/// Most entries of one pack.
pub const ENTRIES_MAX: usize = 1 << 20;

const MAGIC: &[u8; 20] = b"modanchor pack 0001\n";
/// What every version of the format begins with; four digits and a line feed follow.
const FAMILY: usize = 15;
const HEADER: usize = MAGIC.len() + 4 + 4 + 8;
const ENTRY: usize = 16 + 4;

/// Why a file is not a pack that can be read.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// It does not begin like one.
    #[error("not a pack")]
    Foreign,
    /// Another version of the format.
    #[error("a pack of another version")]
    Version,
    /// The header says another length than the file has: truncated, or something was appended.
    #[error("pack of {actual} bytes says that it has {recorded}")]
    Length {
        /// What the header says.
        recorded: u64,
        /// What the file has.
        actual: u64,
    },
    /// Longer than [`PACK_MAX`], or more entries than [`ENTRIES_MAX`].
    #[error("pack of {length} bytes with {entries} entries is too large")]
    TooLarge {
        /// Length of the file.
        length: u64,
        /// Number of entries.
        entries: u64,
    },
    /// The table does not fit into the file.
    #[error("table of {entries} entries does not fit into the pack")]
    Table {
        /// Number of entries.
        entries: u64,
    },
    /// Keys are not strictly ascending.
    #[error("keys of the pack are out of order at entry {0}")]
    Order(usize),
    /// A value ends before it begins, or the last one does not end with the file.
    #[error("values of the pack do not add up at entry {0}")]
    Values(usize),
    /// The file could not be read.
    #[error("pack cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// The key of one kept item. Hashed keys sort before link keys, as in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The first 16 bytes of the SHA-256 of the item's kind and name. Two names that collide cost a miss, nothing else:
    /// the core verifies the value against the name.
    Hashed([u8; 16]),
    /// Both tree sizes of a link, each in 8 bytes.
    Link([u8; 16]),
}

impl Key {
    /// The key of an item that is found by name. `kind` is a word without a NUL.
    pub fn hashed(kind: &str, name: &str) -> Self {
        let digest = Sha256::new().chain_update(kind).chain_update([0]).chain_update(name).finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self::Hashed(key)
    }

    /// The key of the link between two tree sizes.
    pub fn link(from: u64, to: u64) -> Self {
        Self::Link(((u128::from(from) << 64) | u128::from(to)).to_be_bytes())
    }

    fn bytes(&self) -> &[u8; 16] {
        match self {
            Self::Hashed(bytes) | Self::Link(bytes) => bytes,
        }
    }
}

/// Positioned reads, so that a table can be read from a file as well as from memory.
pub trait ReadAt {
    /// Fills `buffer` from `offset` on, or fails.
    ///
    /// # Errors
    /// Those of the source; `UnexpectedEof` past its end.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for [u8] {
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset)
            .ok()
            .and_then(|from| self.get(from..)?.get(..buffer.len()))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(from);
        Ok(())
    }
}

impl ReadAt for File {
    #[cfg(unix)]
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(self, buffer, offset)
    }

    #[cfg(not(unix))]
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut file = self;
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(buffer)
    }
}

/// A pack's table, checked: every range that it gives lies in the file.
#[derive(Debug)]
pub struct Index {
    /// Keys, strictly ascending, and where their values end.
    entries: Vec<(Key, u32)>,
    /// Where the first value begins.
    values: u64,
}

impl Index {
    /// Reads and checks the table of a pack of `length` bytes.
    ///
    /// # Errors
    /// A [`PackError`] for everything that [`head`] would not have written.
    pub fn read<S: ReadAt + ?Sized>(source: &S, length: u64) -> Result<Self, PackError> {
        if length < HEADER as u64 {
            return Err(PackError::Foreign);
        }
        let mut header = [0; HEADER];
        source.read_exact_at(&mut header, 0)?;
        if header[..MAGIC.len()] != *MAGIC {
            let digits = &header[FAMILY..MAGIC.len() - 1];
            let known = header[..FAMILY] == MAGIC[..FAMILY]
                && digits.iter().all(u8::is_ascii_digit)
                && header[MAGIC.len() - 1] == b'\n';
            return Err(if known { PackError::Version } else { PackError::Foreign });
        }
        let number =
            |range: Range<usize>| header[range].iter().fold(0, |number, byte| (number << 8) | u64::from(*byte));
        let (hashed, links, recorded) = (number(20..24), number(24..28), number(28..36));
        let entries = hashed + links;
        if recorded != length {
            return Err(PackError::Length { recorded, actual: length });
        }
        if length > PACK_MAX || entries > ENTRIES_MAX as u64 {
            return Err(PackError::TooLarge { length, entries });
        }
        let values = HEADER as u64 + entries * ENTRY as u64;
        if values > length {
            return Err(PackError::Table { entries });
        }
        let mut raw = vec![[0; ENTRY]; entries as usize];
        source.read_exact_at(raw.as_flattened_mut(), HEADER as u64)?;
        let mut table: Vec<(Key, u32)> = Vec::with_capacity(raw.len());
        for (at, entry) in raw.iter().enumerate() {
            let mut key = [0; 16];
            key.copy_from_slice(&entry[..16]);
            let key = if (at as u64) < hashed { Key::Hashed(key) } else { Key::Link(key) };
            let end = u32::from_be_bytes([entry[16], entry[17], entry[18], entry[19]]);
            if let Some((before, begin)) = table.last() {
                if *before >= key {
                    return Err(PackError::Order(at));
                }
                if *begin > end {
                    return Err(PackError::Values(at));
                }
            }
            table.push((key, end));
        }
        if values + table.last().map_or(0, |(_, end)| u64::from(*end)) != length {
            return Err(PackError::Values(table.len()));
        }
        Ok(Self { entries: table, values })
    }

    /// Where the value of `key` lies in the file.
    pub fn find(&self, key: &Key) -> Option<Range<u64>> {
        self.entries.binary_search_by(|(other, _)| other.cmp(key)).ok().map(|at| self.range(at))
    }

    /// All entries in the table's order, each with where its value lies in the file.
    pub fn entries(&self) -> impl Iterator<Item = (Key, Range<u64>)> {
        (0..self.entries.len()).map(|at| (self.entries[at].0, self.range(at)))
    }

    /// The link entries among them.
    pub fn links(&self) -> impl Iterator<Item = (Key, Range<u64>)> {
        let first = self.entries.partition_point(|(key, _)| matches!(key, Key::Hashed(_)));
        (first..self.entries.len()).map(|at| (self.entries[at].0, self.range(at)))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn range(&self, at: usize) -> Range<u64> {
        let begin = at.checked_sub(1).map_or(0, |before| self.entries[before].1);
        self.values + u64::from(begin)..self.values + u64::from(self.entries[at].1)
    }
}

/// Reads the bytes of `range`, which an [`Index`] of the same source gave.
///
/// # Errors
/// Those of the source.
pub fn value<S: ReadAt + ?Sized>(source: &S, range: Range<u64>) -> io::Result<Vec<u8>> {
    // At most PACK_MAX: `Index::read` has compared the range with the length of the file.
    let mut value = vec![0; (range.end - range.start) as usize];
    source.read_exact_at(&mut value, range.start)?;
    Ok(value)
}

/// The header and table of a pack with these keys and lengths of values. The values follow it in the same order.
///
/// # Errors
/// [`PackError::Order`] when keys are not strictly ascending, [`PackError::TooLarge`] past a limit.
pub fn head(entries: impl ExactSizeIterator<Item = (Key, usize)>) -> Result<Vec<u8>, PackError> {
    let count = entries.len();
    let values = HEADER as u64 + count as u64 * ENTRY as u64;
    let too_large = |length| PackError::TooLarge { length, entries: count as u64 };
    if count > ENTRIES_MAX {
        return Err(too_large(values));
    }
    let mut head = Vec::with_capacity(values as usize);
    head.extend_from_slice(MAGIC);
    head.resize(HEADER, 0);
    let (mut end, mut hashed, mut links, mut last) = (0_u32, 0_u32, 0_u32, None);
    for (at, (key, length)) in entries.enumerate() {
        if last.is_some_and(|last| last >= key) {
            return Err(PackError::Order(at));
        }
        last = Some(key);
        match key {
            Key::Hashed(_) => hashed += 1,
            Key::Link(_) => links += 1,
        }
        end = u32::try_from(length)
            .ok()
            .and_then(|length| end.checked_add(length))
            .filter(|end| values + u64::from(*end) <= PACK_MAX)
            .ok_or_else(|| too_large(values.saturating_add(length as u64)))?;
        head.extend_from_slice(key.bytes());
        head.extend_from_slice(&end.to_be_bytes());
    }
    head[20..24].copy_from_slice(&hashed.to_be_bytes());
    head[24..28].copy_from_slice(&links.to_be_bytes());
    head[28..36].copy_from_slice(&(values + u64::from(end)).to_be_bytes());
    Ok(head)
}

/// Reads a whole pack from memory: every key with its value. The function to fuzz.
///
/// # Errors
/// As [`Index::read`].
pub fn decode(bytes: &[u8]) -> Result<Vec<(Key, Vec<u8>)>, PackError> {
    Index::read(bytes, bytes.len() as u64)?.entries().map(|(key, range)| Ok((key, value(bytes, range)?))).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn encode(entries: &BTreeMap<Key, Vec<u8>>) -> Vec<u8> {
        let mut bytes = head(entries.iter().map(|(key, value)| (*key, value.len()))).unwrap();
        entries.values().for_each(|value| bytes.extend_from_slice(value));
        bytes
    }

    fn small() -> BTreeMap<Key, Vec<u8>> {
        BTreeMap::from([
            (Key::hashed("proof", "golang.org/x/text@v0.3.0"), vec![1; 9]),
            (Key::hashed("proof", "golang.org/x/net@v0.1.0"), vec![]),
            (Key::hashed("edge", ""), vec![2; 33]),
            (Key::link(5, 7), vec![3; 4]),
            (Key::link(7, 1 << 40), vec![4; 2]),
        ])
    }

    fn keys() -> impl Strategy<Value = Key> {
        prop_oneof![any::<[u8; 16]>().prop_map(Key::Hashed), any::<[u8; 16]>().prop_map(Key::Link)]
    }

    #[test]
    fn key_kinds_and_names_are_apart() {
        assert_ne!(Key::hashed("proof", "edge"), Key::hashed("edge", ""));
        assert_ne!(Key::hashed("a", "b"), Key::hashed("ab", ""));
        assert!(Key::link(1, 9) < Key::link(2, 0) && Key::link(2, 0) < Key::link(256, 0));
        assert!(Key::Hashed([255; 16]) < Key::link(0, 0));
    }

    #[test]
    fn truncated_at_every_byte_is_refused() {
        let bytes = encode(&small());
        assert!(decode(&bytes).is_ok());
        for end in 0..bytes.len() {
            assert!(decode(&bytes[..end]).is_err(), "{end}");
        }
        let mut longer = bytes;
        longer.push(0);
        assert!(matches!(decode(&longer), Err(PackError::Length { .. })));
    }

    /// Whatever a flipped byte does, the values that are read have the lengths of the table and fill the file.
    #[test]
    fn flipped_bytes_change_content_or_are_refused() {
        let entries = small();
        let bytes = encode(&entries);
        let table = HEADER + entries.len() * ENTRY;
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut bad = bytes.clone();
                bad[at] ^= flip;
                let Ok(read) = decode(&bad) else {
                    assert!(at < table, "a value at {at} cannot break the structure");
                    continue;
                };
                let mut rest = &bad[table..];
                for (entry, (_, value)) in bad[HEADER..table].chunks(ENTRY).zip(&read) {
                    let end = u32::from_be_bytes(entry[16..].try_into().unwrap()) as usize;
                    assert_eq!(bad.len() - table - rest.len() + value.len(), end);
                    assert_eq!(rest[..value.len()], value[..]);
                    rest = &rest[value.len()..];
                }
                assert!(rest.is_empty());
                assert_eq!(read.len(), entries.len());
            }
        }
    }

    #[test]
    fn each_cause_has_its_error() {
        let bytes = encode(&small());
        let with = |at: usize, new: &[u8]| {
            let mut bad = bytes.clone();
            bad[at..at + new.len()].copy_from_slice(new);
            decode(&bad).unwrap_err()
        };
        assert!(matches!(decode(b""), Err(PackError::Foreign)));
        assert!(matches!(with(0, b"M"), PackError::Foreign));
        assert!(matches!(with(15, b"0002"), PackError::Version));
        assert!(matches!(with(15, b"000x"), PackError::Foreign));
        assert!(matches!(with(28, &[255; 8]), PackError::Length { .. }));
        assert!(matches!(with(20, &[255; 8]), PackError::TooLarge { .. }));
        assert!(matches!(with(20, &[0, 0, 0, 99]), PackError::Table { .. }));
        assert!(matches!(with(36, &[255; 16]), PackError::Order(1)));
        assert!(matches!(with(52, &[255; 4]), PackError::Values(1)));
        // One entry less: the values begin earlier and no longer add up.
        assert!(matches!(with(24, &[0, 0, 0, 1]), PackError::Values(4)));
    }

    #[test]
    fn limits() {
        let one = |length| head([(Key::link(0, 0), length)].into_iter());
        let room = PACK_MAX as usize - HEADER - ENTRY;
        assert!(one(room).is_ok());
        assert!(matches!(one(room + 1), Err(PackError::TooLarge { .. })));
        assert!(matches!(one(usize::MAX), Err(PackError::TooLarge { .. })));
        let many = |count: usize| head((0..count).map(|at| (Key::link(at as u64, 0), 0)));
        assert!(Index::read(&many(ENTRIES_MAX).unwrap()[..], (HEADER + ENTRIES_MAX * ENTRY) as u64).is_ok());
        assert!(matches!(many(ENTRIES_MAX + 1), Err(PackError::TooLarge { .. })));
        let twice = [(Key::link(1, 1), 0), (Key::link(1, 1), 0)];
        assert!(matches!(head(twice.into_iter()), Err(PackError::Order(1))));
        // A file that only says that it is long is not read past its end.
        assert!(matches!(Index::read(&encode(&small())[..], PACK_MAX + 1), Err(PackError::Length { .. })));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(entries in prop::collection::btree_map(keys(), prop::collection::vec(any::<u8>(), 0..40), 0..60)) {
            let bytes = encode(&entries);
            let read = decode(&bytes).unwrap();
            prop_assert_eq!(&read, &entries.clone().into_iter().collect::<Vec<_>>());
            let index = Index::read(&bytes[..], bytes.len() as u64).unwrap();
            for (key, content) in &entries {
                prop_assert_eq!(&value(&bytes[..], index.find(key).unwrap()).unwrap(), content);
            }
            let links = entries.keys().filter(|key| matches!(key, Key::Link(_)));
            prop_assert!(index.links().map(|(key, _)| key).eq(links.copied()));
            prop_assert_eq!(index.len(), entries.len());
        }

        #[test]
        fn absent_keys_are_not_found(entries in prop::collection::btree_map(keys(), Just(vec![0; 3]), 0..60), key in keys()) {
            let bytes = encode(&entries);
            let index = Index::read(&bytes[..], bytes.len() as u64).unwrap();
            prop_assert_eq!(index.find(&key).is_some(), entries.contains_key(&key));
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(decode(&bytes).is_err());
        }

        /// Any counts, length and table behind a good magic: an error, or values that lie in the file.
        #[test]
        fn any_table_is_survived(hashed in 0_u32..4, links in 0_u32..4, rest in prop::collection::vec(0_u8..3, 0..200)) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend_from_slice(&hashed.to_be_bytes());
            bytes.extend_from_slice(&links.to_be_bytes());
            bytes.extend_from_slice(&((HEADER + rest.len()) as u64).to_be_bytes());
            bytes.extend_from_slice(&rest);
            if let Ok(read) = decode(&bytes) {
                let values: usize = read.iter().map(|(_, value)| value.len()).sum();
                prop_assert_eq!(HEADER + read.len() * ENTRY + values, bytes.len());
            }
        }
    }
}
