//! What a Go program says of its own build: `go version -m FILE`, as debug/buildinfo reads it.
//!
//! The linker puts a blob into the program's data: a header of 32 bytes that begins with a magic text, then the version
//! of Go and the modules of the build. [`read`] finds it as debug/buildinfo does, in ELF, Mach-O and PE, and reads no
//! more of the file than headers and that blob; [`BuildInfo::parse`] takes the text of the modules apart.
//!
//! Nothing in a program vouches for its build info: who made the program wrote it. It says which modules to ask the log
//! about, and a sum in it that the log contradicts is a finding; that all of them agree proves nothing about the code.
//!
//! The few headers are read here, not by a library. Those that were looked at read from a slice of the whole file, or
//! keep everything that they read, however long a lying header makes it; and the first match of Go's own search is what
//! counts, in Go's order of segments, not what a loader would do. Every length is compared with the file before
//! anything is allocated for it, and has a limit besides.
//!
//! Sources: Go 1.26 `debug/buildinfo/buildinfo.go`, `runtime/debug/mod.go`, `cmd/go/internal/version`, `debug/elf`,
//! `debug/macho`, `debug/pe`.

mod image;
mod text;

pub use text::{LineCause, MAX_LINES, ParseError};

use crate::dirhash::{ReadAt, ReadError};
use crate::module::{self, ModuleError, ModuleVersion};

use image::Image;

/// The longest table of headers or of their names, in bytes.
pub const MAX_TABLE: u64 = 8 << 20;

/// How much of the data of a program is searched for its build info, in bytes. The linker puts it near the beginning.
pub const MAX_SEARCH: u64 = 256 << 20;

/// The longest version of Go, in bytes.
pub const MAX_GO_VERSION: u64 = 4 << 10;

/// The longest text of modules and settings, in bytes. The 300 modules of a big program are 30 kB.
pub const MAX_TEXT: u64 = 4 << 20;

/// What a program says of its build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInfo {
    /// The version of Go: `go1.26.1`, perhaps with experiments, or `devel …`.
    pub go_version: String,
    /// The package path of `main`; empty if it is not said.
    pub path: String,
    /// The module of that package. None for a program of GOPATH times, and for one made of files by name.
    pub main: Option<BuildModule>,
    /// The other modules, in the order of the program.
    pub deps: Vec<BuildModule>,
    /// The settings of the build, in the order of the program. A key may be there twice: the first counts.
    pub settings: Vec<Setting>,
    /// What all but the version was read from, as it is in the program, but for bytes that are no UTF-8: each run of
    /// these is U+FFFD, which no module path, version or sum has.
    pub text: String,
    /// How many more programs are in a universal (fat) Mach-O file. Only the first one is read, as Go does.
    pub unread_programs: u32,
}

/// A module of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildModule {
    /// Its path. Anything, until [`Self::checked`].
    pub path: String,
    /// Its version: `v1.2.3`, `(devel)`, or empty.
    pub version: String,
    /// Its `h1:` as go.sum had it; empty for the main module, for a replaced one, and for a folder.
    pub sum: String,
    /// What the build took in its place: another module version, or a folder, whose version is `(devel)` or empty.
    pub replace: Option<Box<BuildModule>>,
    /// 1-based line in the output of `go version -m FILE`, of which the first is `FILE: GO-VERSION`.
    pub line: u32,
}

/// A setting of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name: `GOOS`, `-trimpath`, `vcs.revision`.
    pub key: String,
    /// Its value.
    pub value: String,
    /// 1-based line in the output of `go version -m FILE`.
    pub line: u32,
}

/// Why there is no build info to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildInfoError {
    /// By its first bytes.
    #[error("not an executable: neither ELF, Mach-O nor PE")]
    NotExecutable,
    /// An executable which Go can read and this cannot.
    #[error("unsupported executable format: {0}")]
    Unsupported(&'static str),
    /// An executable without the blob, or with one that is all zero.
    #[error("no Go build information: not a Go program, or its build information was removed")]
    NoBuildInfo,
    /// A Go program whose linker was not told of any modules.
    #[error("no modules in the build information: built by {go_version} without module support")]
    NoModules {
        /// The version of Go.
        go_version: String,
    },
    /// The headers, or the blob, contradict themselves or the length of the file.
    #[error("malformed executable: {0}")]
    Malformed(&'static str),
    /// Longer than this reader takes.
    #[error("{what} too large: {size}, more than {limit}")]
    TooLarge {
        /// What is.
        what: &'static str,
        /// How large it says it is.
        size: u64,
        /// The limit that it exceeds.
        limit: u64,
    },
    /// The text of modules and settings.
    #[error("malformed build information: {0}")]
    Text(#[from] ParseError),
    /// The file.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Reads the build info of a program, of any size.
///
/// # Errors
/// [`BuildInfoError`].
pub fn read(file: &(impl ReadAt + ?Sized)) -> Result<BuildInfo, BuildInfoError> {
    let image = Image::open(file)?;
    let (go_version, framed) = blob(&image)?;
    if go_version.is_empty() {
        return Err(BuildInfoError::NoBuildInfo);
    }
    // It is shown in messages, and is a line of its own in a listing; no toolchain has another.
    let go_version = String::from_utf8(go_version).ok().filter(|version| !version.contains(char::is_control));
    let go_version = go_version.ok_or(BuildInfoError::Malformed("version of Go"))?;
    let text = String::from_utf8_lossy(unframed(&framed)).into_owned();
    if text.is_empty() {
        return Err(BuildInfoError::NoModules { go_version });
    }
    let info = BuildInfo::parse(go_version, text)?;
    Ok(BuildInfo { unread_programs: image.others, ..info })
}

/// What is between the sentinels of cmd/go (modload.infoStart and infoEnd), which are 16 bytes each.
fn unframed(framed: &[u8]) -> &[u8] {
    match framed {
        [_, .., b'\n', _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] if framed.len() >= 33 => {
            &framed[16..framed.len() - 16]
        }
        _ => &[],
    }
}

/// What the blob begins with, at an address that [`ALIGN`] divides.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGN: u64 = 16;
const HEADER: u64 = 32;
/// How much is searched at a time.
const PIECE: u64 = 64 << 10;

/// The version of Go and the framed text of the modules.
fn blob(image: &Image<'_, impl ReadAt + ?Sized>) -> Result<(Vec<u8>, Vec<u8>), BuildInfoError> {
    let header_at = search(image)?;
    let header = image.read(header_at, HEADER)?;
    let (word_size, flags) = (header[14], header[15]);
    let after = header_at + HEADER;
    if flags & 2 != 0 {
        // Since Go 1.18: two strings, each after its length.
        let (go_version, next) = inline_string(image, after, "version of Go", MAX_GO_VERSION)?;
        let (text, _) = inline_string(image, next, "build information", MAX_TEXT)?;
        return Ok((go_version, text));
    }
    let words = match word_size {
        4 | 8 => Words { wide: word_size == 8, big_endian: flags & 1 != 0 },
        _ => return Err(BuildInfoError::NoBuildInfo),
    };
    let pointer = |i| words.get(&header[16..], i).ok_or(BuildInfoError::NoBuildInfo);
    Ok((
        pointed_string(image, words, pointer(0)?, "version of Go", MAX_GO_VERSION)?,
        pointed_string(image, words, pointer(1)?, "build information", MAX_TEXT)?,
    ))
}

/// The address of the blob.
fn search(image: &Image<'_, impl ReadAt + ?Sized>) -> Result<u64, BuildInfoError> {
    let (start, size) = image.data.filter(|(_, size)| *size > 0).ok_or(BuildInfoError::NoBuildInfo)?;
    let end = start.checked_add(size).ok_or(BuildInfoError::Malformed("data beyond the address space"))?;
    let mut at = start.checked_next_multiple_of(ALIGN).ok_or(BuildInfoError::NoBuildInfo)?;
    let limit = at.saturating_add(MAX_SEARCH);
    while end.saturating_sub(at) >= HEADER {
        // The data of a program goes on in memory where the file ends.
        let there = image.available(at);
        if there < HEADER {
            return Err(BuildInfoError::NoBuildInfo);
        }
        if at >= limit {
            return Err(BuildInfoError::TooLarge { what: "data to search", size, limit: MAX_SEARCH });
        }
        let piece = image.read(at, PIECE.min(end - at).min(there))?;
        for (found, place) in (at..end).step_by(ALIGN as usize).zip(piece.chunks(ALIGN as usize)) {
            if place.starts_with(MAGIC) {
                return if end - found < HEADER { Err(BuildInfoError::NoBuildInfo) } else { Ok(found) };
            }
        }
        at = at.saturating_add(PIECE);
    }
    Err(BuildInfoError::NoBuildInfo)
}

/// A string after its length as a varint, and the address after it.
fn inline_string(
    image: &Image<'_, impl ReadAt + ?Sized>,
    at: u64,
    what: &'static str,
    limit: u64,
) -> Result<(Vec<u8>, u64), BuildInfoError> {
    /// The longest varint of 64 bits.
    const LONGEST: u64 = 10;
    let varint = image.read(at, image.available(at).min(LONGEST))?;
    let (length, width) = uvarint(&varint).ok_or(BuildInfoError::Malformed("length of a string of the build info"))?;
    let start = at + width;
    Ok((string(image, start, length, what, limit)?, start + length))
}

/// A Go string in memory: a pointer and a length, where `at` points to. None is there if that is zero.
fn pointed_string(
    image: &Image<'_, impl ReadAt + ?Sized>,
    words: Words,
    at: u64,
    what: &'static str,
    limit: u64,
) -> Result<Vec<u8>, BuildInfoError> {
    if at == 0 {
        return Ok(Vec::new());
    }
    let header = image.read(at, words.size() * 2)?;
    match (words.get(&header, 0), words.get(&header, 1)) {
        (Some(start), Some(length)) if length > 0 => string(image, start, length, what, limit),
        _ => Ok(Vec::new()),
    }
}

fn string(
    image: &Image<'_, impl ReadAt + ?Sized>,
    at: u64,
    length: u64,
    what: &'static str,
    limit: u64,
) -> Result<Vec<u8>, BuildInfoError> {
    if length > image.available(at) {
        return Err(BuildInfoError::Malformed("a string of the build info ends outside of its segment"));
    }
    if length > limit {
        return Err(BuildInfoError::TooLarge { what, size: length, limit });
    }
    image.read(at, length)
}

/// Go's binary.Uvarint: the number, and how many bytes it takes.
fn uvarint(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut number = 0u64;
    for (i, byte) in (0..10).zip(bytes) {
        let digits = u64::from(byte & 0x7f);
        if i == 9 && digits > 1 {
            return None;
        }
        number |= digits << (7 * i);
        if byte & 0x80 == 0 {
            return Some((number, i + 1));
        }
    }
    None
}

/// Numbers of 4 or 8 bytes, one after the other.
#[derive(Clone, Copy)]
struct Words {
    wide: bool,
    big_endian: bool,
}

impl Words {
    fn size(self) -> u64 {
        if self.wide { 8 } else { 4 }
    }

    fn get(self, bytes: &[u8], i: usize) -> Option<u64> {
        let size = if self.wide { 8 } else { 4 };
        let at = image::Record { bytes, big_endian: self.big_endian };
        at.number(i * size, size).ok()
    }
}

impl BuildInfo {
    /// Whether the tree that the program was built from had changes that no commit has; none if the build did not say.
    pub fn vcs_modified(&self) -> Option<bool> {
        match self.setting("vcs.modified")?.value.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// A setting.
    pub fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }

    /// The output of `go version -m FILE`, which the lines of modules and settings count.
    pub fn listing(&self, file: &str) -> String {
        text::listing(self, file)
    }
}

impl BuildModule {
    /// What the build took: the replacement if there is one.
    pub fn used(&self) -> &BuildModule {
        self.replace.as_deref().unwrap_or(self)
    }

    /// Whether it was built from a folder, of which Go knew no version.
    pub fn is_devel(&self) -> bool {
        self.version == "(devel)"
    }

    /// Whether its version is that of a commit to which there were changes (since Go 1.24, of main modules only).
    pub fn is_dirty(&self) -> bool {
        self.version.ends_with("+dirty") || self.version.ends_with(".dirty")
    }

    /// It as a module version that can be asked for.
    ///
    /// # Errors
    /// [`ModuleError`]: also for `(devel)`, a folder, and a version that [`Self::is_dirty`].
    pub fn checked(&self) -> Result<ModuleVersion, ModuleError> {
        module::ModuleVersion::check(&self.path, &self.version)
    }
}
