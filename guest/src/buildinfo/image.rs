//! Executables: which of their addresses are where in the file, and where the build info is to be looked for.

use crate::dirhash::ReadAt;

use super::{BuildInfoError, MAX_TABLE};

/// The most programs in a universal file; Apple has had about ten architectures.
const MAX_PROGRAMS: u64 = 64;

/// A program.
pub(super) struct Image<'a, R: ?Sized> {
    part: Part<'a, R>,
    /// In the order of the headers: of overlapping ones the first counts.
    segments: Vec<Segment>,
    /// Address and size of what holds the build info: the section of that name, or else what is writable.
    pub(super) data: Option<(u64, u64)>,
    /// How many more programs the file holds.
    pub(super) others: u32,
}

/// A range of addresses that is in the file.
struct Segment {
    address: u64,
    offset: u64,
    size: u64,
}

impl Segment {
    /// None if it is empty. Cut off at the end of the address space.
    fn new(address: u64, offset: u64, size: u64) -> Option<Self> {
        let size = size.min(u64::MAX - address);
        (size > 0).then_some(Self { address, offset, size })
    }
}

/// A file, or a program in a universal file.
struct Part<'a, R: ?Sized> {
    file: &'a R,
    offset: u64,
    size: u64,
}

impl<R: ReadAt + ?Sized> Part<'_, R> {
    /// Reads `size` bytes, only if there are as many, and at most [`MAX_TABLE`].
    fn read(&self, offset: u64, size: u64) -> Result<Vec<u8>, BuildInfoError> {
        if offset.checked_add(size).is_none_or(|end| end > self.size) {
            return Err(BuildInfoError::Malformed("a table ends after the end of the file"));
        }
        if size > MAX_TABLE {
            return Err(BuildInfoError::TooLarge { what: "table", size, limit: MAX_TABLE });
        }
        let mut buffer = vec![0; size as usize];
        self.file.read_at(self.offset + offset, &mut buffer)?;
        Ok(buffer)
    }
}

/// Bytes with numbers in them.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) big_endian: bool,
}

impl<'a> Record<'a> {
    /// The bytes from `at` on.
    fn from(self, at: usize) -> Result<Self, BuildInfoError> {
        let bytes = self.bytes.get(at..).ok_or(BuildInfoError::Malformed("a header is too short"))?;
        Ok(Self { bytes, ..self })
    }

    fn text(self, at: usize, size: usize) -> Result<&'a [u8], BuildInfoError> {
        self.from(at)?.bytes.get(..size).ok_or(BuildInfoError::Malformed("a header is too short"))
    }

    /// A number of `size` bytes, at most 8.
    pub(super) fn number(self, at: usize, size: usize) -> Result<u64, BuildInfoError> {
        let bytes = self.text(at, size)?.iter();
        let join = |number, byte: &u8| number << 8 | u64::from(*byte);
        Ok(if self.big_endian { bytes.fold(0, join) } else { bytes.rev().fold(0, join) })
    }
}

/// Whether a name that ends with a zero, or where its field does, is this one.
fn named(field: &[u8], name: &[u8]) -> bool {
    field.strip_prefix(name).is_some_and(|rest| matches!(rest, [] | [0, ..]))
}

impl<'a, R: ReadAt + ?Sized> Image<'a, R> {
    /// Reads the headers, of which format the first bytes say.
    pub(super) fn open(file: &'a R) -> Result<Self, BuildInfoError> {
        let part = Part { file, offset: 0, size: file.size() };
        if part.size < 16 {
            return Err(BuildInfoError::NotExecutable);
        }
        let first = part.read(0, 16)?;
        match first.as_slice() {
            [0x7f, b'E', b'L', b'F', ..] => elf(part, &first),
            [b'M', b'Z', ..] => pe(part),
            [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => mach_o(part, &first),
            [0xca, 0xfe, 0xba, 0xbe, ..] => universal(part),
            // Neither does Go read it: its debug/macho knows the 32-bit form only.
            [0xca, 0xfe, 0xba, 0xbf, ..] => Err(BuildInfoError::Unsupported("64-bit universal Mach-O")),
            [0x01, 0xdf | 0xf7, ..] => Err(BuildInfoError::Unsupported("XCOFF (AIX)")),
            [0, 0, 0x01, 0xeb, ..] | [0, 0, 0x8a, 0x97, ..] | [0, 0, 0x06, 0x47, ..] => {
                Err(BuildInfoError::Unsupported("Plan 9"))
            }
            _ => Err(BuildInfoError::NotExecutable),
        }
    }

    /// How many bytes there are from an address to the end of its segment; 0 if it is not in the file.
    pub(super) fn available(&self, address: u64) -> u64 {
        self.place(address).map_or(0, |(_, size)| size)
    }

    /// Reads what is at an address.
    pub(super) fn read(&self, address: u64, size: u64) -> Result<Vec<u8>, BuildInfoError> {
        match self.place(address) {
            Some((offset, available)) if size <= available => self.part.read(offset, size),
            _ => Err(BuildInfoError::Malformed("an address of the build info is not in the file")),
        }
    }

    /// Where in the file an address is, and how much of its segment is left there.
    fn place(&self, address: u64) -> Option<(u64, u64)> {
        let within = |s: &&Segment| address.checked_sub(s.address).is_some_and(|skipped| skipped < s.size);
        let segment = self.segments.iter().find(within)?;
        let skipped = address - segment.address;
        let offset = segment.offset.checked_add(skipped)?;
        Some((offset, (segment.size - skipped).min(self.part.size.saturating_sub(offset))))
    }
}

/// ELF (debug/elf, elfExe).
fn elf<'a, R: ReadAt + ?Sized>(part: Part<'a, R>, ident: &[u8]) -> Result<Image<'a, R>, BuildInfoError> {
    let (wide, big_endian) = match (ident[4], ident[5], ident[6]) {
        (class @ (1 | 2), data @ (1 | 2), 1) => (class == 2, data == 2),
        _ => return Err(BuildInfoError::Malformed("unknown class, byte order or version of ELF")),
    };
    // Where a field is, in 32 and in 64 bits.
    let pick = |narrow: usize, wider: usize| if wide { wider } else { narrow };
    let word = pick(4, 8);
    let header = part.read(0, pick(52, 64) as u64)?;
    let header = Record { bytes: &header, big_endian };
    let segments_at = header.number(pick(28, 32), word)?;
    let sections_at = header.number(pick(32, 40), word)?;
    let half = |at| header.number(at, 2);
    let (segment_size, segment_count) = (half(pick(42, 54))?, half(pick(44, 56))?);
    let (section_size, mut section_count) = (half(pick(46, 58))?, half(pick(48, 60))?);
    let mut names_index = half(pick(50, 62))?;
    if segment_count > 0 && segment_size < pick(32, 56) as u64 {
        return Err(BuildInfoError::Malformed("ELF program headers are too short"));
    }

    let mut segments = Vec::new();
    let mut writable = None;
    let table = part.read(segments_at, segment_size * segment_count)?;
    for bytes in table.chunks_exact(segment_size.max(1) as usize) {
        let segment = Record { bytes, big_endian };
        let address = segment.number(pick(8, 16), word)?;
        let size = segment.number(pick(16, 32), word)?;
        // PT_LOAD, PF_W without PF_X.
        if writable.is_none() && segment.number(0, 4)? == 1 && segment.number(pick(24, 4), 4)? & 3 == 2 {
            writable = Some((address, segment.number(pick(20, 40), word)?));
        }
        segments.extend(Segment::new(address, segment.number(pick(4, 8), word)?, size));
    }

    if sections_at > 0 {
        let least = pick(40, 64) as u64;
        if section_size < least {
            return Err(BuildInfoError::Malformed("ELF section headers are too short"));
        }
        if section_count == 0 {
            // More than the header can say: the first section says it.
            let first = part.read(sections_at, least)?;
            let first = Record { bytes: &first, big_endian };
            section_count = first.number(pick(20, 32), word)?;
            if names_index == 0xffff {
                names_index = first.number(pick(24, 40), 4)?;
            }
        }
        let table = part.read(sections_at, section_size.saturating_mul(section_count))?;
        let sections = || table.chunks_exact(section_size as usize).map(|bytes| Record { bytes, big_endian });
        let names = match sections().nth(names_index as usize) {
            Some(names) if names_index > 0 => {
                part.read(names.number(pick(16, 24), word)?, names.number(pick(20, 32), word)?)?
            }
            _ => Vec::new(),
        };
        for section in sections() {
            let name = names.get(section.number(0, 4)? as usize..).unwrap_or_default();
            if named(name, b".go.buildinfo") {
                let place = (section.number(pick(12, 16), word)?, section.number(pick(20, 32), word)?);
                return Ok(Image { part, segments, data: Some(place), others: 0 });
            }
        }
    }
    Ok(Image { part, segments, data: writable, others: 0 })
}

/// PE (debug/pe, peExe).
fn pe<R: ReadAt + ?Sized>(part: Part<'_, R>) -> Result<Image<'_, R>, BuildInfoError> {
    /// Of the characteristics of a section: alignment, which does not matter, and what must be all of the rest:
    /// initialized data, to be read and written.
    const ALIGN: u64 = 0x0060_0000;
    const WRITABLE: u64 = 0xc000_0040;

    let little = |bytes| Record { bytes, big_endian: false };
    let dos = part.read(0, 64)?;
    let header_at = little(&dos).number(0x3c, 4)?;
    let header = part.read(header_at, 24)?;
    if !header.starts_with(b"PE\0\0") {
        return Err(BuildInfoError::Malformed("no PE signature"));
    }
    let header = little(&header);
    let (section_count, optional_size) = (header.number(6, 2)?, header.number(20, 2)?);
    let optional = part.read(header_at + 24, optional_size)?;
    let optional = little(&optional);
    let base = match optional_size {
        0 => 0,
        _ => match optional.number(0, 2)? {
            0x10b => optional.number(28, 4)?,
            0x20b => optional.number(24, 8)?,
            _ => return Err(BuildInfoError::Malformed("unknown kind of PE optional header")),
        },
    };
    let mut segments = Vec::new();
    let mut data = None;
    let table = part.read(header_at + 24 + optional_size, section_count * 40)?;
    for bytes in table.chunks_exact(40) {
        let section = little(bytes);
        let (virtual_size, virtual_address) = (section.number(8, 4)?, section.number(12, 4)?);
        let (size, offset) = (section.number(16, 4)?, section.number(20, 4)?);
        let address =
            base.checked_add(virtual_address).ok_or(BuildInfoError::Malformed("section beyond the address space"))?;
        let kind = section.number(36, 4)? & !ALIGN;
        if data.is_none() && virtual_address != 0 && size != 0 && kind == WRITABLE {
            data = Some((address, virtual_size));
        }
        if offset > 0 {
            segments.extend(Segment::new(address, offset, size));
        }
    }
    Ok(Image { part, segments, data, others: 0 })
}

/// Mach-O for one architecture (debug/macho, machoExe).
fn mach_o<'a, R: ReadAt + ?Sized>(part: Part<'a, R>, first: &[u8]) -> Result<Image<'a, R>, BuildInfoError> {
    /// Readable and writable, not executable.
    const WRITABLE: u64 = 3;

    let (wide, big_endian) = match first {
        [0xfe, 0xed, 0xfa, last @ (0xce | 0xcf), ..] => (*last == 0xcf, true),
        [last @ (0xce | 0xcf), 0xfa, 0xed, 0xfe, ..] => (*last == 0xcf, false),
        _ => return Err(BuildInfoError::Malformed("no Mach-O signature")),
    };
    let pick = |narrow: usize, wider: usize| if wide { wider } else { narrow };
    let word = pick(4, 8);
    let header_size = pick(28, 32) as u64;
    let header = part.read(0, header_size)?;
    let header = Record { bytes: &header, big_endian };
    let (count, size) = (header.number(16, 4)?, header.number(20, 4)?);
    let commands = part.read(header_size, size)?;
    let mut commands = Record { bytes: &commands, big_endian };
    // Load command LC_SEGMENT or LC_SEGMENT_64.
    let wanted = pick(0x1, 0x19) as u64;
    let mut segments = Vec::new();
    let (mut section, mut writable) = (None, None);
    for _ in 0..count {
        let size = commands.number(4, 4)? as usize;
        if size < 8 {
            return Err(BuildInfoError::Malformed("a Mach-O load command is too short"));
        }
        let command = Record { bytes: commands.text(0, size)?, big_endian };
        commands = commands.from(size)?;
        if command.number(0, 4)? != wanted {
            continue;
        }
        let address = command.number(24, word)?;
        let memory_size = command.number(24 + word, word)?;
        let offset = command.number(24 + 2 * word, word)?;
        let size = command.number(24 + 3 * word, word)?;
        let protection = 24 + 4 * word;
        let both = (command.number(protection, 4)?, command.number(protection + 4, 4)?);
        if writable.is_none() && address != 0 && size != 0 && both == (WRITABLE, WRITABLE) {
            writable = Some((address, memory_size));
        }
        if !named(command.text(8, 16)?, b"__PAGEZERO") {
            segments.extend(Segment::new(address, offset, size));
        }
        let mut rest = command.from(protection + 16)?;
        for _ in 0..command.number(protection + 8, 4)? {
            if section.is_none() && named(rest.text(0, 16)?, b"__go_buildinfo") {
                section = Some((rest.number(32, word)?, rest.number(32 + word, word)?));
            }
            rest = rest.from(pick(68, 80))?;
        }
    }
    Ok(Image { part, segments, data: section.or(writable), others: 0 })
}

/// Mach-O for several architectures, of which Go reads the first (debug/macho FatFile).
fn universal<R: ReadAt + ?Sized>(part: Part<'_, R>) -> Result<Image<'_, R>, BuildInfoError> {
    let header = part.read(0, 28)?;
    let header = Record { bytes: &header, big_endian: true };
    let count = header.number(4, 4)?;
    // Java's class files begin with the same four bytes; their version then makes it 45 programs or more.
    if count == 0 || count > MAX_PROGRAMS {
        return Err(BuildInfoError::NotExecutable);
    }
    let (offset, size) = (header.number(16, 4)?, header.number(20, 4)?);
    if offset + size > part.size {
        return Err(BuildInfoError::Malformed("a program of a universal file ends after the end of the file"));
    }
    let program = Part { file: part.file, offset, size };
    let first = program.read(0, 4)?;
    Ok(Image { others: count as u32 - 1, ..mach_o(program, &first)? })
}
