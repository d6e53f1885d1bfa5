//! A zip archive as Go's archive/zip reads it: which entries there are, and what is in them.
//!
//! Two readers of the same bytes that see different files are how a checked archive becomes another one when it is
//! unpacked. So this reader follows Go's, in what it accepts and in what it makes of it:
//!
//! - The end record is the last signature in the last 1 KiB, else in the last 65 KiB, whose comment fits. Bytes before
//!   the archive are skipped ([`End::base`]) unless the directory is found without skipping.
//! - Entries are those of the central directory, read until something is no entry. The count in the end record only
//!   has to agree modulo 65,536; nothing is allocated by it.
//! - Of a local header only the signature and the two lengths count. Names, sizes, methods and CRCs are the
//!   directory's.
//! - Entries may lie over each other, in any order.
//! - Content ends where its deflate stream does, or, stored, where its compressed size or the file does. It must be as
//!   long as declared. Its CRC-32 must agree where the directory has one that is not 0, or the entry says that a data
//!   descriptor follows; that must then repeat the directory's CRC.
//! - A name that ends in `/` is a folder: empty, whatever its compressed size, method and CRC.
//!
//! ## Inflating
//! zlib-rs inflates. Which streams it takes is not left to chance: Go's compress/flate and zlib agree on every rule of
//! RFC 1951 and on its gaps (a single code of one bit is good, all other incomplete codes are not; no
//! end-of-block code, distances beyond the start and length symbols 286 and 287 are errors). An entry is inflated in
//! one go into a buffer a little larger than declared, from input that reaches a little beyond the entry, so that the
//! fast loop can run to the end; whether the stream ended within both is checked afterwards.
//!
//! Sources: Go 1.26 `archive/zip/reader.go`, `archive/zip/struct.go`, `compress/flate/inflate.go`.

use std::ops::Range;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::zip::{MAX_ZIP_FILE, Shown, ZipError};
use super::{ReadAt, ReadError};

/// The most entries that are read: each one of a zip of 500 MiB with a local header of its own (30 and 46 bytes).
/// Go has no such limit; its own would be memory.
pub const MAX_ENTRIES: usize = (MAX_ZIP_FILE / 76) as usize;

/// The most bytes of names that are read: a zip of 500 MiB names each entry twice.
pub const MAX_NAMES: usize = (MAX_ZIP_FILE / 2) as usize;

/// Up to this size, compressed and not, an entry is inflated in one go; above, in a stream.
pub const ONE_SHOT: usize = 1 << 20;

const LOCAL_HEADER: usize = 30;
const DIRECTORY_HEADER: usize = 46;
const DIRECTORY_END: usize = 22;
const ZIP64_LOCATOR: usize = 20;
const ZIP64_END: usize = 56;
const DESCRIPTOR: usize = 16;

const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const DIRECTORY_SIGNATURE: u32 = 0x0201_4b50;
const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
const ZIP64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;
const ZIP64_END_SIGNATURE: u32 = 0x0606_4b50;
const DESCRIPTOR_SIGNATURE: u32 = 0x0807_4b50;
const ZIP64_EXTRA: u16 = 1;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// How much is read at once while reading on.
const CHUNK: usize = 1 << 18;
/// How much of a stream is inflated at once.
const OUTPUT: usize = 1 << 18;
/// Input and output beyond what is declared: with so much room the inflater needs no careful end.
const SLACK: usize = 300;

/// Little-endian fields, one after the other. Reads nothing beyond the end: the callers check lengths first.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk() {
            Some((head, rest)) => {
                self.0 = rest;
                *head
            }
            None => [0; N],
        }
    }

    fn skip(&mut self, n: usize) {
        self.0 = self.0.get(n..).unwrap_or_default();
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.take())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }
}

/// A part of the source in memory that moves on with what is asked for.
struct Window<'a, R: ?Sized> {
    source: &'a R,
    size: u64,
    /// What the buffer has is at this offset.
    start: u64,
    filled: usize,
    buffer: Vec<u8>,
    /// How many more bytes may be read ([`Work`]).
    work: Work,
}

impl<'a, R: ReadAt + ?Sized> Window<'a, R> {
    fn new(source: &'a R) -> Self {
        let size = source.size();
        Self { source, size, start: 0, filled: 0, buffer: Vec::new(), work: Work::new(size) }
    }

    /// How many bytes there are from `offset` on, at most `len`.
    fn available(&self, offset: u64, len: usize) -> usize {
        usize::try_from(self.size.saturating_sub(offset)).map_or(len, |left| left.min(len))
    }

    /// The bytes from `offset` on: `len`, or as many as there are.
    fn get(&mut self, offset: u64, len: usize) -> Result<&[u8], ZipError> {
        let len = self.available(offset, len);
        let at = match offset.checked_sub(self.start).and_then(|at| usize::try_from(at).ok()) {
            Some(at) if at <= self.filled && self.filled - at >= len => at,
            at => {
                self.fill(offset, len, at)?;
                0
            }
        };
        Ok(&self.buffer[at..at + len])
    }

    /// Reads on from `offset`, at least `len`, keeping what is there of it: that is at `at`, if anywhere.
    fn fill(&mut self, offset: u64, len: usize, at: Option<usize>) -> Result<(), ZipError> {
        let want = self.available(offset, len.max(CHUNK));
        let kept = match at {
            Some(at) if at < self.filled => {
                self.buffer.copy_within(at..self.filled, 0);
                self.filled - at
            }
            _ => 0,
        };
        if self.buffer.len() < want {
            self.buffer.resize(want, 0);
        }
        self.start = offset;
        self.filled = kept;
        if kept < want {
            self.work.spend(want - kept)?;
            self.source.read_at(offset + kept as u64, &mut self.buffer[kept..want])?;
            self.filled = want;
        }
        Ok(())
    }
}

/// What may be spent on one archive, in bytes read and bytes inflated from.
///
/// An archive whose entries do not overlap needs its size of either. Those that do may ask for the same bytes again and
/// again, millions of times over: they get four times the size of the archive, or of the largest that a module may
/// have.
struct Work(u64);

impl Work {
    fn new(size: u64) -> Self {
        Self(size.max(MAX_ZIP_FILE).saturating_mul(4))
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ZipError> {
        self.0 = self.0.checked_sub(bytes as u64).ok_or(ZipError::Overlapping)?;
        Ok(())
    }
}

/// An entry of the central directory.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    name_at: u32,
    name_len: u16,
    method: u16,
    /// Says that a data descriptor follows its content.
    descriptor: bool,
    crc: u32,
    /// Of the local header; as in Go, only its use shows whether it is sound.
    pub(super) header: i64,
    compressed: u64,
    /// Uncompressed, as declared.
    pub(super) size: u64,
}

/// The end record, and what zip64's says instead.
struct End {
    records: u64,
    /// Where the directory begins.
    directory: u64,
    /// What is added to every offset in the directory: the length of what is before the archive, or below 0 where the
    /// end record has too high an offset.
    base: i64,
}

/// The entries of an archive, in their order.
#[derive(Debug)]
pub(super) struct Directory {
    names: Vec<u8>,
    entries: Vec<Entry>,
}

impl Directory {
    /// Reads it (Go's Reader.init).
    pub(super) fn read(source: &(impl ReadAt + ?Sized)) -> Result<Self, ZipError> {
        let mut window = Window::new(source);
        let end = End::find(&mut window)?;
        let mut directory = Self { names: Vec::new(), entries: Vec::new() };
        let mut at = end.directory;
        while let Some(length) = directory.read_entry(&mut window, at, end.base)? {
            at += length;
        }
        // The field has 16 bits, so Go compares no more of it.
        if directory.entries.len() as u16 != end.records as u16 {
            return Err(ZipError::WrongCount);
        }
        Ok(directory)
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn name(&self, entry: &Entry) -> &[u8] {
        &self.names[entry.name_at as usize..][..usize::from(entry.name_len)]
    }

    /// Reads one entry at an offset, and returns its length; none where something else is there.
    fn read_entry(
        &mut self,
        window: &mut Window<'_, impl ReadAt + ?Sized>,
        at: u64,
        base: i64,
    ) -> Result<Option<u64>, ZipError> {
        let header = window.get(at, DIRECTORY_HEADER)?;
        if header.is_empty() {
            return Err(ZipError::DirectoryOutside);
        }
        if header.len() < DIRECTORY_HEADER {
            return Ok(None);
        }
        let mut f = Fields(header);
        if f.u32() != DIRECTORY_SIGNATURE {
            return Ok(None);
        }
        f.skip(4); // Two versions.
        let (flags, method) = (f.u16(), f.u16());
        f.skip(4); // Time and date.
        let (crc, compressed, size) = (f.u32(), f.u32(), f.u32());
        let (name_len, extra_len, comment_len) = (f.u16(), f.u16(), f.u16());
        f.skip(8); // Disk and attributes.
        let mut entry = Entry {
            name_at: 0,
            name_len,
            method,
            descriptor: flags & 8 != 0,
            crc,
            header: i64::from(f.u32()),
            compressed: compressed.into(),
            size: size.into(),
        };
        let length = usize::from(name_len) + usize::from(extra_len) + usize::from(comment_len);
        let rest = window.get(at + DIRECTORY_HEADER as u64, length)?;
        if rest.is_empty() && length > 0 {
            return Err(ZipError::DirectoryOutside);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let (name, rest) = rest.split_at(usize::from(name_len));
        if !entry.read_extra(&rest[..usize::from(extra_len)]) {
            return Ok(None);
        }
        entry.header = entry.header.wrapping_add(base);
        if self.entries.len() == MAX_ENTRIES || self.names.len() + name.len() > MAX_NAMES {
            return Err(ZipError::TooManyEntries);
        }
        entry.name_at = self.names.len() as u32; // MAX_NAMES fits.
        self.names.extend_from_slice(name);
        self.entries.push(entry);
        Ok(Some((DIRECTORY_HEADER + length) as u64))
    }
}

impl Entry {
    /// Takes from zip64's extra field what had no room; whether all that was needed is there.
    fn read_extra(&mut self, extra: &[u8]) -> bool {
        const MISSING: u64 = u32::MAX as u64;
        let mut need_size = self.size == MISSING;
        let mut need_compressed = self.compressed == MISSING;
        let mut need_header = self.header == MISSING as i64;
        let mut extra = Fields(extra);
        while extra.0.len() >= 4 {
            let (tag, length) = (extra.u16(), extra.u16());
            let Some(field) = extra.bytes(length.into()) else { break };
            if tag != ZIP64_EXTRA {
                continue;
            }
            let mut field = Fields(field);
            let mut next = |needed: &mut bool| {
                let read = std::mem::take(needed);
                (!read || field.0.len() >= 8).then(|| read.then(|| field.u64()))
            };
            let Some(size) = next(&mut need_size) else { return false };
            self.size = size.unwrap_or(self.size);
            let Some(compressed) = next(&mut need_compressed) else { return false };
            self.compressed = compressed.unwrap_or(self.compressed);
            let Some(header) = next(&mut need_header) else { return false };
            self.header = header.map_or(self.header, |header| header as i64);
        }
        // A size of 2³²-1 may be one.
        !need_compressed && !need_header
    }
}

impl End {
    /// Finds and reads it (Go's readDirectoryEnd).
    fn find(window: &mut Window<'_, impl ReadAt + ?Sized>) -> Result<Self, ZipError> {
        let size = window.size;
        let mut found = None;
        for length in [1024, 65 * 1024] {
            let length = window.available(0, length);
            let start = size - length as u64;
            let block = window.get(start, length)?;
            if let Some(at) = find_end(block) {
                found = Some((start + at as u64, block[at..at + DIRECTORY_END].to_vec()));
                break;
            }
        }
        let (mut at, record) = found.ok_or(ZipError::NotZip)?;
        let mut f = Fields(&record);
        f.skip(10); // Signature, disks, records on this one.
        let (records, length, offset) = (f.u16(), f.u32(), f.u32());
        let (mut records, mut length, mut offset) = (u64::from(records), u64::from(length), u64::from(offset));
        // Go tests the length for 16 bits, not for 32.
        let asks64 = records == 0xffff || length == 0xffff || offset == 0xffff_ffff;
        if asks64 && let Some(end64) = find_zip64(window, at)? {
            let record = window.get(end64, ZIP64_END)?;
            let mut f = Fields(record);
            if record.len() < ZIP64_END || f.u32() != ZIP64_END_SIGNATURE {
                return Err(ZipError::BadZip64);
            }
            f.skip(28);
            (records, length, offset) = (f.u64(), f.u64(), f.u64());
            at = end64;
        }
        let (Ok(length), Ok(offset)) = (i64::try_from(length), i64::try_from(offset)) else {
            return Err(ZipError::DirectoryOutside);
        };
        let directory = u64::try_from((at as i64).wrapping_sub(length)).ok().filter(|start| *start < size);
        let directory = directory.ok_or(ZipError::DirectoryOutside)?;
        let base = (directory as i64).wrapping_sub(offset);
        // An end record may count what is before the archive as part of it.
        if base > 0 {
            let mut probe = Directory { names: Vec::new(), entries: Vec::new() };
            match probe.read_entry(window, offset as u64, 0) {
                Ok(Some(_)) => return Ok(Self { records, directory: offset as u64, base: 0 }),
                Ok(None) | Err(ZipError::DirectoryOutside) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self { records, directory, base })
    }
}

/// The last end record in a block, if its comment fits (Go's findSignatureInBlock).
fn find_end(block: &[u8]) -> Option<usize> {
    let last = block.len().checked_sub(DIRECTORY_END)?;
    let at = (0..=last).rev().find(|&at| block[at..].starts_with(&END_SIGNATURE))?;
    let comment = usize::from(u16::from_le_bytes([block[at + 20], block[at + 21]]));
    (at + DIRECTORY_END + comment <= block.len()).then_some(at)
}

/// Where zip64's end record is, if a locator before the end record says so (Go's findDirectory64End).
fn find_zip64(window: &mut Window<'_, impl ReadAt + ?Sized>, end: u64) -> Result<Option<u64>, ZipError> {
    let Some(at) = end.checked_sub(ZIP64_LOCATOR as u64) else { return Ok(None) };
    let mut f = Fields(window.get(at, ZIP64_LOCATOR)?);
    let (signature, disk, offset, disks) = (f.u32(), f.u32(), f.u64(), f.u32());
    let sound = signature == ZIP64_LOCATOR_SIGNATURE && disk == 0 && disks == 1;
    Ok(sound.then_some(offset).filter(|offset| *offset <= i64::MAX as u64))
}

/// Reads content, one entry after the other, with the same buffers and the same inflater.
pub(super) struct Contents<'a, R: ?Sized> {
    window: Window<'a, R>,
    inflate: Inflate,
    output: Vec<u8>,
}

/// Takes content, part by part.
pub(super) trait Sink {
    fn write(&mut self, part: &[u8]);
}

impl<'a, R: ReadAt + ?Sized> Contents<'a, R> {
    pub(super) fn new(source: &'a R) -> Self {
        Self { window: Window::new(source), inflate: Inflate::new(false, 15), output: Vec::new() }
    }

    /// Hands the content of an entry to a sink, once it has been read: no error, and it is what was declared.
    ///
    /// A sink may have seen a part before an error.
    pub(super) fn read(&mut self, entry: &Entry, name: &[u8], sink: &mut impl Sink) -> Result<(), ZipError> {
        let shown = || Shown::new(name);
        let header = u64::try_from(entry.header).map_err(|_| ZipError::BadLocalHeader { name: shown() })?;
        let local = self.window.get(header, LOCAL_HEADER)?;
        let mut f = Fields(local);
        if local.len() < LOCAL_HEADER || f.u32() != LOCAL_SIGNATURE {
            return Err(ZipError::BadLocalHeader { name: shown() });
        }
        f.skip(22);
        let lengths = u64::from(f.u16()) + u64::from(f.u16());
        if name.ends_with(b"/") {
            return if entry.size == 0 { Ok(()) } else { Err(ZipError::FolderWithContent { name: shown() }) };
        }
        let body = header + LOCAL_HEADER as u64 + lengths;
        let size = self.window.size;
        // A length above 2⁶³ is one below 0 to Go, which then reads up to the end of the file.
        let end = match i64::try_from(entry.compressed) {
            Ok(length) => body.saturating_add(length as u64).min(size),
            Err(_) => size,
        };
        let body_range = body.min(end)..end;
        let mut crc = Crc { hash: crc32fast::Hasher::new(), needed: entry.descriptor || entry.crc != 0 };
        match entry.method {
            STORED => self.stored(entry, body_range, &mut crc, sink, &shown)?,
            DEFLATED => self.deflated(entry, body_range, &mut crc, sink, &shown)?,
            method => return Err(ZipError::UnknownMethod { name: shown(), method }),
        }
        if entry.descriptor {
            self.check_descriptor(entry, body, &shown)?;
        }
        if crc.needed && crc.hash.finalize() != entry.crc {
            return Err(ZipError::WrongCrc { name: shown() });
        }
        Ok(())
    }

    fn stored(
        &mut self,
        entry: &Entry,
        body: Range<u64>,
        crc: &mut Crc,
        sink: &mut impl Sink,
        shown: &impl Fn() -> Shown,
    ) -> Result<(), ZipError> {
        if body.end - body.start != entry.size {
            return Err(ZipError::WrongSize { name: shown() });
        }
        let mut at = body.start;
        while at < body.end {
            let length = CHUNK.min(usize::try_from(body.end - at).unwrap_or(CHUNK));
            let part = self.window.get(at, length)?;
            crc.write(part);
            sink.write(part);
            self.window.work.spend(length)?;
            at += length as u64;
        }
        Ok(())
    }

    fn deflated(
        &mut self,
        entry: &Entry,
        body: Range<u64>,
        crc: &mut Crc,
        sink: &mut impl Sink,
        shown: &impl Fn() -> Shown,
    ) -> Result<(), ZipError> {
        self.inflate.reset(false);
        match (usize::try_from(body.end - body.start), usize::try_from(entry.size)) {
            (Ok(compressed @ ..=ONE_SHOT), Ok(size @ ..=ONE_SHOT)) => {
                if self.output.len() < size + SLACK {
                    self.output.resize(size + SLACK, 0);
                }
                let input = self.window.get(body.start, compressed + SLACK)?;
                let status = self.inflate.decompress(input, &mut self.output[..size + SLACK], InflateFlush::Finish);
                let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
                if written > entry.size {
                    return Err(ZipError::WrongSize { name: shown() });
                }
                // What follows the entry was in reach, but is no part of its content.
                if !matches!(status, Ok(Status::StreamEnd)) || read > compressed as u64 {
                    return Err(ZipError::BadDeflate { name: shown() });
                }
                self.window.work.spend(compressed)?;
                if written < entry.size {
                    return Err(ZipError::WrongSize { name: shown() });
                }
                crc.write(&self.output[..size]);
                sink.write(&self.output[..size]);
                Ok(())
            }
            _ => self.inflate_stream(entry, body, crc, sink, shown),
        }
    }

    fn inflate_stream(
        &mut self,
        entry: &Entry,
        body: Range<u64>,
        crc: &mut Crc,
        sink: &mut impl Sink,
        shown: &impl Fn() -> Shown,
    ) -> Result<(), ZipError> {
        if self.output.len() < OUTPUT {
            self.output.resize(OUTPUT, 0);
        }
        loop {
            let (read, written) = (self.inflate.total_in(), self.inflate.total_out());
            let at = body.start + read;
            let length = CHUNK.min(usize::try_from(body.end - at).unwrap_or(CHUNK));
            let input = self.window.get(at, length)?;
            let status = self.inflate.decompress(input, &mut self.output[..OUTPUT], InflateFlush::NoFlush);
            let part = &self.output[..(self.inflate.total_out() - written) as usize];
            if self.inflate.total_out() > entry.size {
                return Err(ZipError::WrongSize { name: shown() });
            }
            crc.write(part);
            sink.write(part);
            self.window.work.spend((self.inflate.total_in() - read) as usize)?;
            match status {
                Ok(Status::StreamEnd) if self.inflate.total_out() == entry.size => return Ok(()),
                Ok(Status::StreamEnd) => return Err(ZipError::WrongSize { name: shown() }),
                Ok(Status::Ok) => {}
                Ok(Status::BufError) | Err(_) => return Err(ZipError::BadDeflate { name: shown() }),
            }
        }
    }

    /// Reads the data descriptor after the content: with or without a signature, it begins with the CRC (Go's
    /// readDataDescriptor). The sizes in it do not count.
    fn check_descriptor(&mut self, entry: &Entry, body: u64, shown: &impl Fn() -> Shown) -> Result<(), ZipError> {
        let missing = || ZipError::NoDescriptor { name: shown() };
        let at = (body as i64).wrapping_add(entry.compressed as i64);
        let record = self.window.get(u64::try_from(at).map_err(|_| missing())?, DESCRIPTOR)?;
        let signed = record.starts_with(&DESCRIPTOR_SIGNATURE.to_le_bytes());
        let length = if signed { DESCRIPTOR } else { DESCRIPTOR - 4 };
        let mut f = Fields(record.get(..length).ok_or_else(missing)?);
        f.skip(if signed { 4 } else { 0 });
        if f.u32() == entry.crc { Ok(()) } else { Err(ZipError::WrongCrc { name: shown() }) }
    }
}

/// The CRC-32 of content, where anything is compared with it.
struct Crc {
    hash: crc32fast::Hasher,
    needed: bool,
}

impl Crc {
    fn write(&mut self, part: &[u8]) {
        if self.needed {
            self.hash.update(part);
        }
    }
}

impl From<ReadError> for ZipError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
