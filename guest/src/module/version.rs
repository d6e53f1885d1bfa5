//! Versions: semantic versions with a `v`, in Go's reading.

use std::cmp::Ordering;
use std::fmt;

use super::escape;

/// A canonical version: `vMAJOR.MINOR.PATCH`, perhaps a pre-release, and no build metadata but `+incompatible`
/// (golang.org/x/mod/module.CanonicalVersion). Pseudo-versions and the toolchain's `v0.0.1-go1.X.os-arch` are such.
///
/// Ordered by precedence ([`compare`]), then by text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<str>);

impl Version {
    /// Checks a version.
    ///
    /// # Errors
    /// It is no semantic version, or not written as Go writes it.
    pub fn check(version: &str) -> Result<Self, VersionError> {
        match check(version) {
            Ok(()) => Ok(Self(version.into())),
            Err(cause) => Err(VersionError { version: version.to_owned(), cause }),
        }
    }

    /// The version.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// With every capital as `!` and its small letter (golang.org/x/mod/module.EscapeVersion).
    pub fn escaped(&self) -> String {
        escape(&self.0)
    }

    /// Whether it names a commit by its time and hash (golang.org/x/mod/module.IsPseudoVersion).
    pub fn is_pseudo(&self) -> bool {
        is_pseudo(&self.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A text that is no version, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("version {} invalid: {cause}", super::quote(.version))]
pub struct VersionError {
    /// The text.
    pub version: String,
    /// What is wrong with it.
    pub cause: VersionCause,
}

/// What can be wrong with a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionCause {
    /// Not `vMAJOR.MINOR.PATCH…`.
    #[error("not a semantic version")]
    NotSemantic,
    /// Valid, but Go writes it otherwise.
    #[error("not canonical, should be {0}")]
    NotCanonical(String),
    /// The path is of another major version.
    #[error("should be {expected}, not {found}")]
    Major {
        /// What the path says: `v2`, or `v0 or v1`.
        expected: String,
        /// What the version says.
        found: String,
    },
}

/// The parts of a semantic version. Only pre-release and build hold their `-` and `+`.
struct Parts<'a> {
    major: &'a str,
    /// None if it is left out, as in `v1`.
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    prerelease: &'a str,
    build: &'a str,
}

impl<'a> Parts<'a> {
    /// golang.org/x/mod/semver's `parse`.
    fn parse(version: &'a str) -> Option<Self> {
        let (major, rest) = number(version.strip_prefix('v')?)?;
        let mut parts = Self { major, minor: None, patch: None, prerelease: "", build: "" };
        if rest.is_empty() {
            return Some(parts);
        }
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        parts.minor = Some(minor);
        if rest.is_empty() {
            return Some(parts);
        }
        let (patch, rest) = number(rest.strip_prefix('.')?)?;
        parts.patch = Some(patch);
        let (before, build) = rest.split_at(rest.find('+').unwrap_or(rest.len()));
        let prerelease_is_good = before.is_empty()
            || before.strip_prefix('-').is_some_and(|identifiers| {
                let numeric = |i: &str| i.bytes().all(|b| b.is_ascii_digit());
                identifiers.split('.').all(|i| is_identifier(i) && !(i.len() > 1 && i.starts_with('0') && numeric(i)))
            });
        let build_is_good = build.is_empty() || build[1..].split('.').all(is_identifier);
        (prerelease_is_good && build_is_good).then_some(Self { prerelease: before, build, ..parts })
    }
}

/// A decimal number without leading zeros at the beginning of `s`, and the rest.
fn number(s: &str) -> Option<(&str, &str)> {
    let digits = s.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0 && !(digits > 1 && s.starts_with('0'))).then(|| s.split_at(digits))
}

fn is_identifier(s: &str) -> bool {
    !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether a version is valid and canonical.
pub(super) fn check(version: &str) -> Result<(), VersionCause> {
    let parts = Parts::parse(version).ok_or(VersionCause::NotSemantic)?;
    if parts.patch.is_some() && matches!(parts.build, "" | "+incompatible") {
        return Ok(());
    }
    Err(VersionCause::NotCanonical(canonical(version).unwrap_or_default()))
}

/// The canonical form: missing numbers are 0, and build metadata is left out but for `+incompatible`
/// (golang.org/x/mod/module.CanonicalVersion). None if it is no semantic version.
pub fn canonical(version: &str) -> Option<String> {
    let parts = Parts::parse(version)?;
    let (minor, patch) = (parts.minor.unwrap_or("0"), parts.patch.unwrap_or("0"));
    let build = match parts.build {
        "+incompatible" => parts.build,
        _ => "",
    };
    Some(format!("v{}.{minor}.{patch}{}{build}", parts.major, parts.prerelease))
}

/// Whether a version agrees with the major version in its module's path (golang.org/x/mod/module.CheckPathMajor).
///
/// `path_major` is the second half of [`super::split_path_version`].
pub(super) fn check_path_major(version: &str, path_major: &str) -> Result<(), VersionCause> {
    if version.starts_with("v0.0.0-") && matches!(path_major, ".v1" | ".v1-unstable") {
        // An old fault of the go command made such pseudo-versions for gopkg.in.
        return Ok(());
    }
    let parts = Parts::parse(version).ok_or(VersionCause::NotSemantic)?;
    let wanted = path_major.get(2..).unwrap_or("");
    let wanted = wanted.strip_suffix("-unstable").unwrap_or(wanted);
    let agrees = if path_major.is_empty() {
        matches!(parts.major, "0" | "1") || parts.build == "+incompatible"
    } else {
        parts.major == wanted
    };
    if agrees {
        return Ok(());
    }
    Err(VersionCause::Major {
        expected: if path_major.is_empty() { "v0 or v1".to_owned() } else { format!("v{wanted}") },
        found: format!("v{}", parts.major),
    })
}

/// Compares by precedence (golang.org/x/mod/semver.Compare): build metadata does not count; what is no semantic version
/// comes first, and all such are equal.
pub fn compare(a: &str, b: &str) -> Ordering {
    match (Parts::parse(a), Parts::parse(b)) {
        (Some(a), Some(b)) => compare_numbers(a.major, b.major)
            .then_with(|| compare_numbers(a.minor.unwrap_or("0"), b.minor.unwrap_or("0")))
            .then_with(|| compare_numbers(a.patch.unwrap_or("0"), b.patch.unwrap_or("0")))
            .then_with(|| compare_prereleases(a.prerelease, b.prerelease)),
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

/// Of decimal numbers without leading zeros, of any length.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    // A release comes after its pre-releases.
    let (Some(a), Some(b)) = (a.strip_prefix('-'), b.strip_prefix('-')) else {
        return a.is_empty().cmp(&b.is_empty());
    };
    let numeric = |i: &str| i.bytes().all(|b| b.is_ascii_digit());
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, _) => Ordering::Less,
            (_, None) => Ordering::Greater,
            (Some(a), Some(b)) => match (numeric(a), numeric(b)) {
                (true, true) => compare_numbers(a, b),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// golang.org/x/mod/module.IsPseudoVersion: `vX.0.0-TIME-HASH`, or a pre-release that ends in `0.TIME-HASH`.
fn is_pseudo(version: &str) -> bool {
    let Some(parts) = Parts::parse(version) else {
        return false;
    };
    let Some((head, hash)) = parts.prerelease.rsplit_once('-') else {
        return false;
    };
    let Some(start) = head.len().checked_sub(14) else {
        return false;
    };
    let Some((before, time)) = head.split_at_checked(start) else {
        return false;
    };
    let first = before == "-" && parts.minor == Some("0") && parts.patch == Some("0");
    !hash.is_empty()
        && hash.bytes().all(|b| b.is_ascii_alphanumeric())
        && time.bytes().all(|b| b.is_ascii_digit())
        && (first || before == "-0." || (before.starts_with('-') && before.ends_with(".0.")))
}
