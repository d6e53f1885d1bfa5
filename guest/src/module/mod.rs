//! Module paths, versions, `!`-escaping and GOPRIVATE patterns, with the checks of golang.org/x/mod/module.
//!
//! Everything that the checksum database is asked for goes through [`ModuleVersion::check`] first. What it lets through
//! is ASCII without `!`, `@`, white space, control characters or `.` and `..` elements: it can be neither another
//! request nor another line of a record, and its escaped form is one-to-one, also where case is not kept.
//!
//! Sources: golang.org/x/mod v0.42 `module/module.go`, `module/pseudo.go`, `semver/semver.go`; Go 1.26 `path/match.go`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

mod path;
mod pattern;
mod quote;
mod unicode;
mod version;

pub use path::{ModulePath, PathCause, PathError, check_file_path, split_path_version};
pub(crate) use path::{fold, is_import_path};
pub use pattern::{Patterns, match_prefix_patterns};
pub(crate) use quote::{is_print, quote, quote_char};
pub use version::{Version, VersionCause, VersionError, canonical, compare};

/// A module path and a version that [`ModuleVersion::check`] let through, in one allocation: `PATH@VERSION`.
///
/// Ordered as golang.org/x/mod/module.Sort orders the lines of a go.sum: by path, then by version as semantic versions
/// are. Versions of equal precedence, which Go leaves in any order, are ordered by their text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ModuleVersion {
    text: Box<str>,
    at: usize,
}

impl ModuleVersion {
    /// Checks the pair as golang.org/x/mod/module.Check does, with the same messages, and that the version is
    /// canonical, which Check leaves to its callers (`v1.2` and `v1.2.3+meta` are valid, and no module has them).
    ///
    /// # Errors
    /// The first thing that is wrong: the path, then the version, then their relation.
    pub fn check(path: &str, version: &str) -> Result<Self, ModuleError> {
        check(path, version)?;
        Ok(Self::checked(path, version))
    }

    /// The pair, which [`check`] has let through.
    pub(crate) fn checked(path: &str, version: &str) -> Self {
        let mut text = String::with_capacity(path.len() + 1 + version.len());
        text.push_str(path);
        text.push('@');
        text.push_str(version);
        Self { text: text.into_boxed_str(), at: path.len() }
    }

    /// The module path.
    pub fn path(&self) -> &str {
        &self.text[..self.at]
    }

    /// The version.
    pub fn version(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// `PATH@VERSION`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `PATH@VERSION` with every capital as `!` and its small letter, as in the checksum database's `lookup/…` and
    /// in GOPROXY (golang.org/x/mod/module.EscapePath and EscapeVersion).
    pub fn escaped(&self) -> String {
        escape(&self.text)
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ModuleVersion {
    type Err = ModuleError;

    /// Reads `PATH@VERSION`.
    fn from_str(s: &str) -> Result<Self, ModuleError> {
        let (path, version) = s.split_once('@').ok_or_else(|| ModuleError::NoVersion { text: s.to_owned() })?;
        Self::check(path, version)
    }
}

impl Ord for ModuleVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path()
            .cmp(other.path())
            .then_with(|| compare(self.version(), other.version()))
            .then_with(|| self.version().cmp(other.version()))
    }
}

impl PartialOrd for ModuleVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// [`ModuleVersion::check`] without making one: allocates nothing unless it fails.
pub(crate) fn check(path: &str, version: &str) -> Result<(), ModuleError> {
    path::check(path)?;
    version::check(version)
        .and_then(|()| version::check_path_major(version, path::major(path)))
        .map_err(|cause| ModuleError::Version { path: path.to_owned(), version: version.to_owned(), cause })
}

/// `s` with every ASCII capital as `!` and its small letter. `s` has no `!`.
fn escape(s: &str) -> String {
    let capitals = s.bytes().filter(u8::is_ascii_uppercase).count();
    let mut escaped = String::with_capacity(s.len() + capitals);
    for c in s.chars() {
        if c.is_ascii_uppercase() {
            escaped.push('!');
        }
        escaped.push(c.to_ascii_lowercase());
    }
    escaped
}

/// The inverse of [`escape`]; none if `s` is not the escaped form of anything.
fn unescape(s: &str) -> Option<String> {
    let mut plain = String::with_capacity(s.len());
    let mut chars = s.chars();
    while let Some(c) = chars.next() {
        match c {
            '!' => match chars.next() {
                Some(c @ 'a'..='z') => plain.push(c.to_ascii_uppercase()),
                _ => return None,
            },
            'A'..='Z' => return None,
            c if c.is_ascii() => plain.push(c),
            _ => return None,
        }
    }
    Some(plain)
}

/// Why something is no module version. The messages are those of golang.org/x/mod/module.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModuleError {
    /// The path.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The version, by itself or with this path.
    #[error("{path}@{version}: invalid version: {cause}")]
    Version {
        /// The path, which is good.
        path: String,
        /// The version.
        version: String,
        /// What is wrong with it.
        cause: VersionCause,
    },
    /// There is no `@`.
    #[error("{}: missing @VERSION", quote(.text))]
    NoVersion {
        /// All of it.
        text: String,
    },
}
