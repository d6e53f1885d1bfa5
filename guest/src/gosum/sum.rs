//! go.sum and go.work.sum, line by line, exactly as cmd/go reads them (`modfetch/fetch.go`, readGoSum).
//!
//! The go command splits at `\n`, and each line at white space as Unicode knows it. It skips a line of no fields, stops
//! at a line of other than three, and takes any three as path, version and hash: a comment of three words, or a path
//! that begins with a byte-order mark, becomes an entry for a module that nobody ever asks for. It never decodes a
//! hash, it compares strings. So every line that the go command reads as what it was not meant to be is a [`Problem`]
//! here, with [`Problem::refused`] for those where the go command stops.
//!
//! Reading allocates nothing but the cause of a problem, takes linear time, and holds one line at a time.

use crate::module::{self, ModuleError, ModuleVersion};
use crate::report::Of;

use super::Span;

/// The longest line that is taken apart, in bytes without its `\n`. A longer one is [`Cause::TooLong`].
///
/// The module cache and every proxy keep a module under its path and version, which the operating system limits to
/// about as much.
pub const MAX_LINE: usize = 4096;

/// The hash of an empty go.mod. An old go command wrote it for what has no go.mod; the go command drops such lines.
pub const EMPTY_GO_MOD_HASH: &str = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=";

/// How many characters of base64 an `h1:` hash has: SHA-256 with one `=`.
const H1_LENGTH: usize = 44;

/// Reads a file.
pub fn lines(content: &[u8]) -> Lines<'_> {
    Lines { rest: content, number: 0, skipped: 0 }
}

/// The lines of a file that are not skipped.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
    number: u32,
    skipped: u32,
}

impl Lines<'_> {
    /// How many lines were read so far; after the last one, how many the file has.
    pub fn read(&self) -> u32 {
        self.number
    }

    /// How many of them were skipped as the go command does: blank ones, and those with [`EMPTY_GO_MOD_HASH`].
    pub fn skipped(&self) -> u32 {
        self.skipped
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        while !self.rest.is_empty() {
            let end = self.rest.iter().position(|b| *b == b'\n');
            let (text, rest) = match end {
                Some(end) => (&self.rest[..end], &self.rest[end + 1..]),
                None => (self.rest, &[][..]),
            };
            self.rest = rest;
            self.number = self.number.saturating_add(1);
            match read_line(text, self.number) {
                Some(line) => return Some(line),
                None => self.skipped = self.skipped.saturating_add(1),
            }
        }
        None
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line<'a> {
    /// The hash of something.
    Entry(Entry<'a>),
    /// No such thing.
    Problem(Problem),
}

/// A line that holds the hash of a module version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// All fields of the line.
    pub at: Span,
    /// Where the hash is.
    pub hash_at: Span,
    /// What it is the hash of.
    pub of: Of,
    /// The hash as written.
    pub hash: &'a str,
    /// Whether it can be one.
    pub kind: HashKind,
    path: &'a str,
    version: &'a str,
}

impl<'a> Entry<'a> {
    /// The module path. Together with the version it is what [`ModuleVersion::check`] lets through.
    pub fn path(&self) -> &'a str {
        self.path
    }

    /// The version, without `/go.mod`.
    pub fn version(&self) -> &'a str {
        self.version
    }

    /// The pair.
    pub fn module(&self) -> ModuleVersion {
        ModuleVersion::checked(self.path, self.version)
    }
}

/// What a hash looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// `h1:` and the 44 characters of base64 that the go command could write.
    H1,
    /// `h1:` and something that the go command never writes, and that therefore equals no hash.
    Malformed,
    /// No `h1:`: the go command reads past it, and alone it is as good as no line.
    Unknown,
}

impl HashKind {
    /// What `hash` looks like.
    pub fn of(hash: &str) -> Self {
        let Some(base64) = hash.strip_prefix("h1:") else {
            return Self::Unknown;
        };
        let Some((digits, "=")) = base64.split_at_checked(H1_LENGTH - 1) else {
            return Self::Malformed;
        };
        let base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        // 43 digits are two bits more than 256: those two are zero, which leaves every fourth digit for the end.
        let last = |b: &u8| b"AEIMQUYcgkosw048".contains(b);
        match digits.bytes().all(base64) && digits.as_bytes().last().is_some_and(last) {
            true => Self::H1,
            false => Self::Malformed,
        }
    }
}

/// A line that holds no hash of a module version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What to underline.
    pub at: Span,
    /// What is wrong.
    pub cause: Cause,
    /// How many fields the line has.
    pub fields: u32,
}

impl Problem {
    /// Whether the go command stops here with `wrong number of fields`. If not, it silently keeps an entry that is
    /// never asked for.
    pub fn refused(&self) -> bool {
        self.fields != 3
    }
}

/// What can be wrong with a line. Of several, the first in this order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Longer than [`MAX_LINE`].
    #[error("line of {0} bytes, longer than {MAX_LINE}")]
    TooLong(usize),
    /// The file begins with U+FEFF.
    #[error("byte-order mark: the go command takes it for a part of the first module path")]
    ByteOrderMark,
    /// `<<<<<<<`, `|||||||`, `=======` or `>>>>>>>`.
    #[error("conflict marker of an unfinished merge")]
    MergeMarker,
    /// Bytes that are no UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
    /// A control character inside of a field.
    #[error("control character U+{:04X}", u32::from(*.0))]
    Control(char),
    /// Other than path, version and hash.
    #[error("wrong number of fields {0}: expected module path, version and hash")]
    Fields(u32),
    /// No module has such a path and version.
    #[error("no module version: {0}")]
    NotModule(Box<ModuleError>),
}

/// One line without its `\n`; none if the go command skips it.
fn read_line(text: &[u8], number: u32) -> Option<Line<'_>> {
    let problem = |at, cause, fields| Some(Line::Problem(Problem { at, cause, fields }));
    let span =
        |start: usize, end: usize| Span { line: number, column: column(text, start), end_column: column(text, end) };
    if text.len() > MAX_LINE {
        let fields = count_fields(text);
        if fields == 0 {
            return None;
        }
        return problem(span(0, MAX_LINE), Cause::TooLong(text.len()), fields);
    }

    let mut fields = [(0, 0); 3];
    let mut count = 0;
    let mut end = 0;
    for_each_field(text, |field| {
        if let Some(slot) = fields.get_mut(count as usize) {
            *slot = field;
        }
        count += 1;
        end = field.1;
    });
    let start = fields[0].0;
    let [path, _, hash] = fields.map(|(start, end)| &text[start..end]);
    if count == 0 || (count == 3 && hash == EMPTY_GO_MOD_HASH.as_bytes()) {
        return None;
    }
    let whole = span(start, end);

    if number == 1 && text.starts_with("\u{feff}".as_bytes()) {
        return problem(span(0, "\u{feff}".len()), Cause::ByteOrderMark, count);
    }
    if matches!(path, b"<<<<<<<" | b"|||||||" | b"=======" | b">>>>>>>") {
        return problem(whole, Cause::MergeMarker, count);
    }
    let Ok(utf8) = std::str::from_utf8(text) else {
        let mut chunks = text.utf8_chunks();
        let (bad, width) = chunks.next().map_or((0, 0), |chunk| (chunk.valid().len(), chunk.invalid().len()));
        return problem(span(bad, bad + width), Cause::InvalidUtf8, count);
    };
    let line = &utf8[start..end];
    if let Some((at, c)) = line.char_indices().find(|(_, c)| c.is_control() && !c.is_whitespace()) {
        let at = start + at;
        return problem(span(at, at + c.len_utf8()), Cause::Control(c), count);
    }
    if count != 3 {
        return problem(whole, Cause::Fields(count), count);
    }

    let field = |i: usize| &utf8[fields[i].0..fields[i].1];
    let (path, hash) = (field(0), field(2));
    let (version, of) = match field(1).strip_suffix("/go.mod") {
        Some(version) => (version, Of::GoMod),
        None => (field(1), Of::Zip),
    };
    if let Err(error) = module::check(path, version) {
        let at = span(start, fields[1].1);
        return problem(at, Cause::NotModule(Box::new(error)), count);
    }
    Some(Line::Entry(Entry {
        at: whole,
        hash_at: span(fields[2].0, fields[2].1),
        of,
        hash,
        kind: HashKind::of(hash),
        path,
        version,
    }))
}

/// The 1-based column of a byte. Every byte that is no part of a character counts as one, as in Go.
fn column(text: &[u8], byte: usize) -> u32 {
    let before = &text[..byte];
    let characters = if before.is_ascii() {
        before.len()
    } else {
        before.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
    };
    u32::try_from(characters).map_or(u32::MAX, |n| n.saturating_add(1))
}

/// Go's strings.Fields: calls `f` with first and end byte of everything between white space. Bytes that are no UTF-8
/// are not white space.
fn for_each_field(text: &[u8], mut f: impl FnMut((usize, usize))) {
    let mut start = None;
    let mut at = 0;
    let mut step = |space: bool, width: usize| {
        match (space, start) {
            (false, None) => start = Some(at),
            (true, Some(first)) => {
                f((first, at));
                start = None;
            }
            _ => {}
        }
        at += width;
    };
    if text.is_ascii() {
        text.iter().for_each(|b| step(char::from(*b).is_whitespace(), 1));
    } else {
        for chunk in text.utf8_chunks() {
            chunk.valid().chars().for_each(|c| step(c.is_whitespace(), c.len_utf8()));
            if !chunk.invalid().is_empty() {
                step(false, chunk.invalid().len());
            }
        }
    }
    // The end of the line ends a field.
    step(true, 0);
}

fn count_fields(text: &[u8]) -> u32 {
    let mut count = 0u32;
    for_each_field(text, |_| count = count.saturating_add(1));
    count
}
