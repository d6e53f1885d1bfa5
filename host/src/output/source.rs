//! Links to lines of the repository.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

/// What a path in a URL shows as it is (RFC 3986, 2.3, and the slashes between): so a link needs no escaping in HTML or
/// Markdown either.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The longest name of a repository, owner included. GitHub allows 39 and 100 characters.
const MAX_REPOSITORY: usize = 200;

/// Where the repository's files can be looked at: a server like GitHub's, a repository and a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// `https://github.com/OWNER/NAME/blob/COMMIT/`.
    base: String,
}

/// Why there is no [`Source`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Not an http or https URL of a host, or one with more than that: user, query or fragment.
    #[error("not the URL of a server")]
    Server,
    /// Not `OWNER/NAME`.
    #[error("not OWNER/NAME")]
    Repository,
    /// Neither 40 nor 64 hexadecimal digits.
    #[error("not the hash of a commit")]
    Commit,
}

impl Source {
    /// From what GitHub's runner sets as GITHUB_SERVER_URL, GITHUB_REPOSITORY and, of the commit that was checked out,
    /// GITHUB_SHA.
    ///
    /// # Errors
    ///
    /// See [`SourceError`].
    pub fn new(server: &str, repository: &str, commit: &str) -> Result<Self, SourceError> {
        let server: Url = server.parse().map_err(|_| SourceError::Server)?;
        let plain = matches!(server.scheme(), "http" | "https")
            && server.has_host()
            && server.username().is_empty()
            && server.password().is_none()
            && server.query().is_none()
            && server.fragment().is_none();
        if !plain {
            return Err(SourceError::Server);
        }
        let is_name = |name: &str| {
            !matches!(name, "" | "." | "..")
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        };
        match repository.split_once('/') {
            Some((owner, name)) if is_name(owner) && is_name(name) && repository.len() <= MAX_REPOSITORY => {}
            _ => return Err(SourceError::Repository),
        }
        if !matches!(commit.len(), 40 | 64) || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(SourceError::Commit);
        }
        // An origin and a path as `Url` writes them: no quotes, blanks or angle brackets.
        let origin = server.origin().ascii_serialization();
        let path = utf8_percent_encode(server.path().trim_end_matches('/'), PATH);
        Ok(Self { base: format!("{origin}{path}/{repository}/blob/{commit}/") })
    }

    /// The URL of a file, or of one line of it; nothing but letters, digits and `-._~/:%#[]`. None for a path that a
    /// browser would take for another.
    pub fn link(&self, path: &str, line: Option<u32>) -> Option<String> {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return None;
        }
        let line = line.map(|line| format!("#L{line}")).unwrap_or_default();
        Some(format!("{}{}{line}", self.base, utf8_percent_encode(path, PATH)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn links() {
        let source = Source::new("https://github.com", "o/r.x", COMMIT).unwrap();
        let blob = format!("https://github.com/o/r.x/blob/{COMMIT}");
        for (path, line, want) in [
            ("go.sum", Some(3), Some(format!("{blob}/go.sum#L3"))),
            ("a b/é\".sum", None, Some(format!("{blob}/a%20b/%C3%A9%22.sum"))),
            ("a#L1?x%.sum", Some(1), Some(format!("{blob}/a%23L1%3Fx%25.sum#L1"))),
            ("../x", None, None),
            ("a/./x", None, None),
            ("/etc/x", None, None),
            ("", None, None),
        ] {
            assert_eq!(source.link(path, line), want);
        }
        let enterprise = Source::new("https://[::1]:8443/git/", "o/r", &"A".repeat(64)).unwrap();
        assert!(enterprise.link("x", None).unwrap().starts_with("https://[::1]:8443/git/o/r/blob/AAAA"));
    }

    #[test]
    fn what_is_no_source() {
        use SourceError::{Commit, Repository, Server};
        for (server, repository, commit, want) in [
            ("javascript:alert(1)", "o/r", COMMIT, Server),
            ("https://user@github.com", "o/r", COMMIT, Server),
            ("https://github.com?x", "o/r", COMMIT, Server),
            ("", "o/r", COMMIT, Server),
            ("https://github.com", "o", COMMIT, Repository),
            ("https://github.com", "o/r/s", COMMIT, Repository),
            ("https://github.com", "o/..", COMMIT, Repository),
            ("https://github.com", "o/\"", COMMIT, Repository),
            ("https://github.com", "o/r", "main", Commit),
            ("https://github.com", "o/r", &"g".repeat(40), Commit),
            ("https://github.com", "o/r", &"a".repeat(41), Commit),
        ] {
            assert_eq!(Source::new(server, repository, commit), Err(want), "{server} {repository} {commit}");
        }
        let long = format!("o/{}", "r".repeat(MAX_REPOSITORY - 1));
        assert_eq!(Source::new("https://github.com", &long, COMMIT), Err(Repository));
        assert!(Source::new("https://github.com", &long[..MAX_REPOSITORY], COMMIT).is_ok());
    }
}
