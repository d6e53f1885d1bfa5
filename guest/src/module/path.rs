//! Module paths.

use std::fmt;

use super::unicode::{FOLDS, LETTERS};
use super::{escape, quote::quote, quote::quote_char, unescape};

/// A module path that golang.org/x/mod/module.CheckPath lets through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Box<str>);

impl ModulePath {
    /// Checks a path.
    ///
    /// # Errors
    /// The first thing that is wrong, in Go's order.
    pub fn check(path: &str) -> Result<Self, PathError> {
        check(path)?;
        Ok(Self(path.into()))
    }

    /// Reads the escaped form (golang.org/x/mod/module.UnescapePath).
    ///
    /// # Errors
    /// What is no escaped form, or that of no module path.
    pub fn unescape(escaped: &str) -> Result<Self, PathError> {
        let invalid = |cause| PathError { path: escaped.to_owned(), cause };
        let path = unescape(escaped).ok_or_else(|| invalid(PathCause::NotEscaped))?;
        Self::check(&path).map_err(|error| invalid(PathCause::Escaped(Box::new(error))))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With every capital as `!` and its small letter (golang.org/x/mod/module.EscapePath).
    pub fn escaped(&self) -> String {
        escape(&self.0)
    }
}

impl fmt::Display for ModulePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text that is no module path, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The text.
    pub path: String,
    /// What is wrong with it.
    pub cause: PathCause,
}

impl std::error::Error for PathError {}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = quote(&self.path);
        match &self.cause {
            PathCause::NotEscaped => write!(f, "invalid escaped module path {path}"),
            PathCause::Escaped(error) => write!(f, "invalid escaped module path {path}: {error}"),
            cause => write!(f, "malformed module path {path}: {cause}"),
        }
    }
}

/// What can be wrong with the path of a module, or of a file in one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathCause {
    /// The path of a file is no UTF-8.
    #[error("invalid UTF-8")]
    NotUtf8,
    /// Nothing there.
    #[error("empty string")]
    Empty,
    /// Begins with `-`, so that a program could take it for a flag.
    #[error("leading dash")]
    LeadingDash,
    /// `//`.
    #[error("double slash")]
    DoubleSlash,
    /// Ends in `/`.
    #[error("trailing slash")]
    TrailingSlash,
    /// Begins with `/`.
    #[error("empty path element")]
    EmptyElement,
    /// An element of dots alone, such as `..`.
    #[error("invalid path element {}", quote(.0))]
    DotElement(String),
    /// An element begins with a dot.
    #[error("leading dot in path element")]
    LeadingDot,
    /// An element ends in a dot.
    #[error("trailing dot in path element")]
    TrailingDot,
    /// Something other than ASCII letters, digits and `-._~`; in the path of a file, other than letters, ASCII digits,
    /// the space and ``!#$%&()+,-.=@[]^_{}~``.
    #[error("invalid char {}", quote_char(*.0))]
    InvalidChar(char),
    /// A reserved name of Windows, up to an element's first dot.
    #[error("{} disallowed as path element component on Windows", quote(.0))]
    WindowsName(String),
    /// Looks like a short name of Windows.
    #[error("trailing tilde and digits in path element")]
    ShortName,
    /// The first element is no domain name.
    #[error("missing dot in first path element")]
    MissingDot,
    /// The first element may hold small letters, digits, dots and dashes only.
    #[error("invalid char {} in first path element", quote_char(*.0))]
    InvalidFirstChar(char),
    /// The last element looks like a major version, and is none.
    #[error("invalid version")]
    InvalidVersion,
    /// Not an escaped form at all.
    #[error("not an escaped path")]
    NotEscaped,
    /// The escaped form of something that is no module path.
    #[error("{0}")]
    Escaped(Box<PathError>),
}

/// golang.org/x/mod/module.CheckPath.
pub(super) fn check(path: &str) -> Result<(), PathError> {
    cause(path).map_or(Ok(()), |cause| Err(PathError { path: path.to_owned(), cause }))
}

/// golang.org/x/mod/module.CheckFilePath: a path with `/` of a file in a module, relative to the module.
///
/// What passes is UTF-8, has neither empty elements nor `.` and `..`, is no device of Windows, and holds only letters,
/// ASCII digits, the space and the ASCII punctuation that neither shells nor file systems take for something else.
///
/// # Errors
/// The first thing that is wrong, in Go's order.
pub fn check_file_path(path: &[u8]) -> Result<&str, PathCause> {
    let path = std::str::from_utf8(path).map_err(|_| PathCause::NotUtf8)?;
    general(path, Kind::File).map_or(Ok(path), Err)
}

/// Such that `fold(a) == fold(b)` exactly if Go's strings.EqualFold holds of both (golang.org/x/mod/zip strToFold).
pub(crate) fn fold(path: &str) -> String {
    path.chars().map(fold_char).collect()
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let code = u32::from(c);
    let at = FOLDS.partition_point(|&(_, last, _, _)| last < code);
    FOLDS
        .get(at)
        .filter(|&&(first, _, step, _)| first <= code && (code - first).is_multiple_of(step))
        .and_then(|&(_, _, _, add)| char::from_u32(code.checked_add_signed(add)?))
        .unwrap_or(c)
}

/// Go's unicode.IsLetter, for what is not ASCII.
fn is_letter(c: char) -> bool {
    let at = LETTERS.partition_point(|&(_, last)| last < c);
    LETTERS.get(at).is_some_and(|&(first, _)| first <= c)
}

fn cause(path: &str) -> Option<PathCause> {
    if let Some(cause) = general(path, Kind::Module) {
        return Some(cause);
    }
    let first = path.split('/').next().unwrap_or(path);
    if !first.contains('.') {
        return Some(PathCause::MissingDot);
    }
    if let Some(c) = first.chars().find(|c| !matches!(c, '-' | '.' | '0'..='9' | 'a'..='z')) {
        return Some(PathCause::InvalidFirstChar(c));
    }
    split_path_version(path).is_none().then_some(PathCause::InvalidVersion)
}

/// Whether golang.org/x/mod/module.CheckImportPath lets a package's path through.
pub(crate) fn is_import_path(path: &str) -> bool {
    general(path, Kind::Import).is_none()
}

/// What a path is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Module,
    /// A package: more is allowed.
    Import,
    File,
}

impl Kind {
    fn allows(self, c: char) -> bool {
        match c {
            '-' | '.' | '_' | '~' | '0'..='9' | 'A'..='Z' | 'a'..='z' => true,
            '+' => self != Self::Module,
            _ if self != Self::File => false,
            c if c.is_ascii() => "!#$%&(),=@[]^{} ".contains(c),
            c => is_letter(c),
        }
    }
}

/// What is wrong with a path of either kind.
fn general(path: &str, kind: Kind) -> Option<PathCause> {
    if path.is_empty() {
        return Some(PathCause::Empty);
    }
    if path.starts_with('-') && kind != Kind::File {
        return Some(PathCause::LeadingDash);
    }
    if path.contains("//") {
        return Some(PathCause::DoubleSlash);
    }
    if path.ends_with('/') {
        return Some(PathCause::TrailingSlash);
    }
    path.split('/').find_map(|e| element(e, kind))
}

/// What is wrong with one element of a path.
fn element(element: &str, kind: Kind) -> Option<PathCause> {
    if element.is_empty() {
        return Some(PathCause::EmptyElement);
    }
    if element.bytes().all(|b| b == b'.') {
        return Some(PathCause::DotElement(element.to_owned()));
    }
    if element.starts_with('.') && kind == Kind::Module {
        return Some(PathCause::LeadingDot);
    }
    if element.ends_with('.') {
        return Some(PathCause::TrailingDot);
    }
    if let Some(c) = element.chars().find(|c| !kind.allows(*c)) {
        return Some(PathCause::InvalidChar(c));
    }
    let short = element.split('.').next().unwrap_or(element);
    if is_windows_name(short) {
        return Some(PathCause::WindowsName(short.to_owned()));
    }
    if kind == Kind::File {
        return None;
    }
    let short_name =
        short.rsplit_once('~').is_some_and(|(_, tail)| !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()));
    short_name.then_some(PathCause::ShortName)
}

/// Whether Windows keeps this name for a device.
fn is_windows_name(name: &str) -> bool {
    match name.as_bytes() {
        [_, _, _] => ["con", "prn", "aux", "nul"].iter().any(|bad| name.eq_ignore_ascii_case(bad)),
        [device @ .., b'1'..=b'9'] => device.eq_ignore_ascii_case(b"com") || device.eq_ignore_ascii_case(b"lpt"),
        _ => false,
    }
}

/// Splits a path into what is before its major version and the major version with its separator: `/v2`, `.v3` for
/// gopkg.in, or nothing (golang.org/x/mod/module.SplitPathVersion). None if the last element looks like a major version
/// and is none, as `/v1`, `/v02` and `/v2.0` do.
pub fn split_path_version(path: &str) -> Option<(&str, &str)> {
    let gopkg_in = path.starts_with("gopkg.in/");
    let (stem, separator) =
        if gopkg_in { (path.strip_suffix("-unstable").unwrap_or(path), b'.') } else { (path, b'/') };
    let bytes = stem.as_bytes();
    let digits = bytes.iter().rev().take_while(|b| b.is_ascii_digit() || (!gopkg_in && **b == b'.')).count();
    let start = bytes.len() - digits;
    let marked = start > 1 && bytes[start - 1] == b'v' && bytes[start - 2] == separator;
    if !marked || (digits == 0 && !gopkg_in) {
        // Every gopkg.in path names its major version.
        return (!gopkg_in).then_some((path, ""));
    }
    let number = &stem[start..];
    let good = if gopkg_in {
        // Go lets `.v-unstable` through, and `.v0-unstable` not.
        let number = &path[start..];
        number == "0" || !(number.is_empty() || number.starts_with('0'))
    } else {
        number != "1" && !number.starts_with('0') && !number.contains('.')
    };
    good.then(|| path.split_at(start - 2))
}

/// The major version of a path that [`check`] let through.
pub(super) fn major(path: &str) -> &str {
    split_path_version(path).map_or("", |(_, major)| major)
}
