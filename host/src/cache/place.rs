//! Where things are kept: the root folder, and a folder name for each checksum database.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::PathBuf;

use etcetera::BaseStrategy as _;

/// Longest folder name of a database, in bytes: file systems allow 255.
pub const FOLDER_MAX: usize = 200;

/// Why there is no default root.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RootError {
    /// `$MODANCHOR_CACHE` depends on where the program is started.
    #[error("MODANCHOR_CACHE must be an absolute path, not {}", .0.display())]
    Relative(PathBuf),
    /// The platform's cache folder needs a home folder.
    #[error("no home folder: set MODANCHOR_CACHE, or use --cache-dir or --no-cache")]
    NoHome,
}

/// The folder that is used without `--cache-dir`: `$MODANCHOR_CACHE`, else the platform's cache folder and `modanchor`
/// (`$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`). An empty variable counts as unset.
///
/// # Errors
/// [`RootError`].
pub fn default_root(env: impl Fn(&str) -> Option<OsString>) -> Result<PathBuf, RootError> {
    match env("MODANCHOR_CACHE").filter(|value| !value.is_empty()) {
        Some(value) => {
            let root = PathBuf::from(value);
            if root.is_absolute() { Ok(root) } else { Err(RootError::Relative(root)) }
        }
        None => etcetera::base_strategy::choose_native_strategy()
            .map(|strategy| strategy.cache_dir().join("modanchor"))
            .map_err(|_| RootError::NoHome),
    }
}

/// Why a database's name has no folder.
#[derive(Debug, thiserror::Error, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// An empty name, or an empty, `.` or `..` element.
    #[error("has an empty, \".\" or \"..\" element")]
    Element,
    /// A backslash or a control character.
    #[error("has a backslash or a control character")]
    Character,
    /// More than [`FOLDER_MAX`] bytes as a folder name.
    #[error("is too long")]
    TooLong,
}

/// The one folder name of a database called `host` or `host/path`: no two names share one, on file systems that ignore
/// case too. Lower-case letters, digits, `-`, `_` and `.` stand for themselves, any other byte is `%` and two
/// hexadecimal digits; so are the first byte of a device name of Windows and a dot at either end.
///
/// # Errors
/// [`NameError`].
pub(super) fn folder(name: &str) -> Result<String, NameError> {
    if name.split('/').any(|element| matches!(element, "" | "." | "..")) {
        return Err(NameError::Element);
    }
    if name.contains(|c: char| c == '\\' || c.is_control()) {
        return Err(NameError::Character);
    }
    let mut folder = String::with_capacity(name.len());
    for (at, byte) in name.bytes().enumerate() {
        let plain = match byte {
            b'.' => at != 0 && at + 1 != name.len(),
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => at != 0 || !is_device(name),
            _ => false,
        };
        if plain {
            folder.push(char::from(byte));
        } else {
            let _ = write!(folder, "%{byte:02x}");
        }
    }
    if folder.len() > FOLDER_MAX {
        return Err(NameError::TooLong);
    }
    Ok(folder)
}

/// Whether Windows takes a file of this name for a device, whatever follows the first dot
/// (<https://learn.microsoft.com/windows/win32/fileio/naming-a-file>).
pub(super) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    matches!(stem, "con" | "prn" | "aux" | "nul")
        || ["com", "lpt"]
            .iter()
            .any(|port| stem.strip_prefix(port).is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9'])))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn folders() {
        for (name, expected) in [
            ("sum.golang.org", "sum.golang.org"),
            ("localhost:8080", "localhost%3a8080"),
            ("example.com/sumdb/x", "example.com%2fsumdb%2fx"),
            ("Example.com", "%45xample.com"),
            ("a%2fb", "a%252fb"),
            ("con", "%63on"),
            ("aux.example.org", "%61ux.example.org"),
            ("com1.example.org", "%63om1.example.org"),
            ("com.example.org", "com.example.org"),
            (".hidden.", "%2ehidden%2e"),
            ("käse.example", "k%c3%a4se.example"),
            ("a b", "a%20b"),
        ] {
            assert_eq!(folder(name).as_deref(), Ok(expected), "{name}");
        }
        for name in ["", "/", "/etc/passwd", "..", "../x", "x/../y", "x/", "x//y", "./x"] {
            assert_eq!(folder(name), Err(NameError::Element), "{name}");
        }
        for name in ["a\\b", "a\0b", "a\nb", "\u{7f}"] {
            assert_eq!(folder(name), Err(NameError::Character), "{name:?}");
        }
        assert!(folder(&"a".repeat(FOLDER_MAX)).is_ok());
        assert_eq!(folder(&"a".repeat(FOLDER_MAX + 1)), Err(NameError::TooLong));
    }

    #[test]
    fn roots() {
        let with = |value: &'static str| default_root(move |name| (name == "MODANCHOR_CACHE").then(|| value.into()));
        let absolute = if cfg!(windows) { "C:\\cache" } else { "/cache" };
        assert_eq!(with(absolute), Ok(PathBuf::from(absolute)));
        assert_eq!(with("cache"), Err(RootError::Relative("cache".into())));
        if let Ok(root) = default_root(|_| None) {
            assert!(root.is_absolute() && root.ends_with("modanchor"));
            assert_eq!(with(""), Ok(root));
        }
    }

    proptest! {
        #[test]
        fn no_two_names_share_a_folder(one in "[a-cA-C%./:2fé]{1,6}", other in "[a-cA-C%./:2fé]{1,6}") {
            if let (Ok(first), Ok(second)) = (folder(&one), folder(&other)) {
                prop_assert_eq!(first.to_lowercase() == second.to_lowercase(), one == other);
            }
        }

        #[test]
        fn a_folder_is_one_harmless_element(name in any::<String>()) {
            if let Ok(folder) = folder(&name) {
                prop_assert!(folder.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.%".contains(&b)));
                prop_assert!(!folder.starts_with('.') && !folder.ends_with('.') && !folder.is_empty());
            }
        }
    }
}
