//! Repositories, and which tag or commit of one a module version is.
//!
//! The rules are cmd/go's (Go 1.26, `cmd/go/internal/vcs/vcs.go` and `cmd/go/internal/modfetch/coderepo.go`): a
//! version is a tag of the repository, with the module's directory in front; the directory of a major version
//! (`…/v2`) is not part of it. A path whose repository is found by asking its server (a vanity path) has none here:
//! policy must name it.

use std::fmt;

use super::agree::{GITHUB_ISSUER, GITLAB_ISSUER};
use super::statement::is_lower_hex;
use crate::module::{ModuleVersion, Version, split_path_version};

/// How many digits of a commit a pseudo-version has (golang.org/x/mod/module.PseudoVersion;
/// modfetch/codehost.ShortenSHA1).
const SHORT_COMMIT: usize = 12;

/// A repository: host and path, without scheme, user, `.git` and `/` at the end. Never with empty elements.
///
/// Two are equal if their hosts are, and their paths, whose case counts only on hosts that are not known to ignore it.
#[derive(Debug, Clone)]
pub struct Repository {
    host: String,
    path: String,
}

/// Hosts on which `O/R` and `o/r` are one repository.
const IGNORE_CASE: [&str; 3] = ["bitbucket.org", "github.com", "gitlab.com"];

impl Repository {
    /// Reads what SLSA predicates, certificates and people write: `git+https://github.com/o/r`,
    /// `https://github.com/o/r.git`, `github.com/o/r`. None for what is no address of a repository in one of these
    /// forms, such as one with another scheme, a user, a port, a query or a `..`.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let rest = uri.strip_prefix("git+").unwrap_or(uri);
        let rest = match rest.split_once("://") {
            Some(("https", rest)) => rest,
            Some(_) => return None,
            None if rest.len() == uri.len() => rest,
            None => return None,
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let rest = rest.strip_suffix(".git").unwrap_or(rest);
        let (host, path) = rest.split_once('/')?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        let good = |element: &str| {
            !element.is_empty() && element.bytes().all(allowed) && !element.bytes().all(|byte| byte == b'.')
        };
        (host.contains('.') && good(host) && path.split('/').all(good))
            .then(|| Self { host: host.to_ascii_lowercase(), path: path.to_owned() })
    }

    /// `github.com`, in lower case.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `OWNER/NAME`, as written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether `issuer` may speak for this repository: that of its host, which alone knows who may push to it. An authority takes the
    /// claims of every CI that it knows, and some build whatever repository they are pointed at, by steps that are not in it.
    #[must_use]
    pub fn is_vouched_by(&self, issuer: &str) -> bool {
        match self.host.as_str() {
            "github.com" => issuer == GITHUB_ISSUER,
            "gitlab.com" => issuer == GITLAB_ISSUER,
            host => issuer.strip_prefix("https://").and_then(|rest| rest.split('/').next()) == Some(host),
        }
    }

    /// The directory of the module `module` in this repository, without its major version, if the module's path is
    /// below the repository's address: `""` is the root.
    ///
    /// Only on hosts where the path says it all ([`repository_of`]), and gitlab.com: there groups nest, so that the
    /// path alone does not say where the repository ends, but a project is no group, and nothing else can lie below
    /// it.
    #[must_use]
    pub fn directory_of<'a>(&self, module: &'a str) -> Option<&'a str> {
        if let Some(home) = repository_of(module) {
            return (home.repository == *self).then_some(home.directory);
        }
        let rest = module.strip_prefix("gitlab.com/").filter(|_| self.host == "gitlab.com")?;
        let end = self.path.len();
        let below = rest.get(end..).filter(|below| below.is_empty() || below.starts_with('/'))?;
        if !rest.get(..end)?.eq_ignore_ascii_case(&self.path) || !self.path.contains('/') {
            return None;
        }
        Some(directory(below))
    }
}

impl PartialEq for Repository {
    fn eq(&self, other: &Self) -> bool {
        self.host == other.host
            && if IGNORE_CASE.contains(&self.host.as_str()) {
                self.path.eq_ignore_ascii_case(&other.path)
            } else {
                self.path == other.path
            }
    }
}

impl Eq for Repository {}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}/{}", self.host, self.path)
    }
}

/// `URI@REF` as its halves: `git+https://github.com/o/r@refs/tags/v1`. Of several `@` the first counts, as in
/// slsa-verifier: no repository has one, and a ref may.
#[must_use]
pub fn split_ref(uri: &str) -> (&str, Option<&str>) {
    match uri.split_once('@') {
        Some((uri, reference)) if !reference.is_empty() => (uri, Some(reference)),
        Some((uri, _)) => (uri, None),
        None => (uri, None),
    }
}

/// A workflow and where it was read from: `https://github.com/OWNER/REPO/PATH@REF`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Whose.
    pub repository: Repository,
    /// `.github/workflows/release.yml`.
    pub path: String,
    /// `refs/tags/v1.2.3`. The certificate has it in full.
    pub reference: String,
}

impl Workflow {
    /// Reads `https://github.com/OWNER/REPO/PATH@REF`, or without `https://`.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let (uri, reference) = split_ref(uri);
        let uri = uri.strip_prefix("https://").unwrap_or(uri);
        let mut slashes = uri.match_indices('/').map(|(at, _)| at).skip(2);
        let (repository, path) = uri.split_at(slashes.next()?);
        let path = path.strip_prefix('/').filter(|path| !path.is_empty())?;
        Some(Self {
            repository: Repository::parse(repository)?,
            path: path.to_owned(),
            reference: reference?.to_owned(),
        })
    }

    /// Whether it was read from a release: `refs/tags/vX.Y.Z` without pre-release and metadata, as slsa-verifier
    /// demands of the builders that it trusts.
    #[must_use]
    pub fn is_release(&self) -> bool {
        self.reference
            .strip_prefix("refs/tags/")
            .is_some_and(|tag| Version::check(tag).is_ok() && !tag.contains(['-', '+']))
    }
}

impl fmt::Display for Workflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}@{}", self.repository, self.path, self.reference)
    }
}

/// Where a module's source is, by its path alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home<'a> {
    /// The repository.
    pub repository: Repository,
    /// The module's directory, without that of its major version; empty: the root.
    pub directory: &'a str,
}

/// The repository of the module path `module`, where the path alone says it: github.com, bitbucket.org, gitlab.com
/// with two elements, gopkg.in, and any host with `.git` in the path. None for others: their server says it, and no
/// server is asked.
#[must_use]
pub fn repository_of(module: &str) -> Option<Home<'_>> {
    let (host, rest) = module.split_once('/')?;
    // cmd/go: `(host)(/element)+.git`, then the end or a `/`.
    let marked =
        module.find(".git/").map(|at| at + ".git".len()).or_else(|| module.ends_with(".git").then_some(module.len()));
    match host {
        "github.com" | "bitbucket.org" => {
            let mut slashes = rest.match_indices('/').map(|(at, _)| at).skip(1);
            let (path, below) = rest.split_at(slashes.next().unwrap_or(rest.len()));
            if !path.contains('/') || path.ends_with(".git") {
                // cmd/go refuses both.
                return None;
            }
            Some(Home { repository: Repository::parse(&format!("{host}/{path}"))?, directory: directory(below) })
        }
        "gitlab.com" if marked.is_none() => {
            let stem = split_path_version(module).map_or(module, |(stem, _)| stem).strip_prefix("gitlab.com/")?;
            if stem.matches('/').count() != 1 {
                return None;
            }
            Some(Home { repository: Repository::parse(&format!("{host}/{stem}"))?, directory: "" })
        }
        // gopkg.in/pkg.v3 is github.com/go-pkg/pkg, gopkg.in/user/pkg.v3 is github.com/user/pkg.
        "gopkg.in" => {
            let (stem, _) = split_path_version(module)?;
            let stem = stem.strip_prefix("gopkg.in/")?;
            let repository = match stem.split_once('/') {
                None => format!("github.com/go-{stem}/{stem}"),
                Some((_, name)) if !name.contains('/') => format!("github.com/{stem}"),
                Some(_) => return None,
            };
            Some(Home { repository: Repository::parse(&repository)?, directory: "" })
        }
        // "…/repository.git[/directory]": the path itself says where the repository ends.
        _ => {
            let (repository, below) = module.split_at(marked?);
            Some(Home { repository: Repository::parse(repository)?, directory: directory(below) })
        }
    }
}

/// What is left of `below`, the part of a module path after its repository, without its major version.
fn directory(below: &str) -> &str {
    let below = below.strip_prefix('/').unwrap_or(below);
    match below.rsplit_once('/') {
        Some((directory, last)) if is_major(last) => directory,
        None if is_major(below) => "",
        _ => below,
    }
}

/// Whether `element` is `v2` or later, as the end of a module path.
fn is_major(element: &str) -> bool {
    element.strip_prefix('v').is_some_and(|number| {
        !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && !number.starts_with('0')
            && number != "1"
    })
}

/// The ref that `version` of a module in `directory` is: `refs/tags/[DIRECTORY/]vX.Y.Z`. None for a pseudo-version.
#[must_use]
pub fn tag_of(directory: &str, version: &str) -> Option<String> {
    let checked = Version::check(version).ok()?;
    if checked.is_pseudo() {
        return None;
    }
    // A tag has no `+incompatible`: cmd/go adds it where there is no go.mod.
    let tag = version.strip_suffix("+incompatible").unwrap_or(version);
    Some(match directory {
        "" => format!("refs/tags/{tag}"),
        directory => format!("refs/tags/{directory}/{tag}"),
    })
}

/// Whether a build from `reference` and `commit` (both as the certificate says) of the module's repository can have
/// made the module version.
///
/// A pseudo-version names its commit by 12 digits, and the source must be that commit; of any other version the
/// source must be its tag, whatever the commit.
///
/// # Errors
///
/// It was built from something else, or that cannot be told.
pub fn belongs(
    module: &ModuleVersion,
    directory: &str,
    reference: Option<&str>,
    commit: Option<&str>,
) -> Result<(), SourceError> {
    let Some(tag) = tag_of(directory, module.version()) else {
        if let Some(found) = reference.filter(|reference| reference.starts_with("refs/pull/")) {
            // What a pull request is built from is a merge that nobody has accepted. No branch has it, and cmd/go
            // does not find it.
            return Err(SourceError::PullRequest { found: found.to_owned() });
        }
        let short = module.version().rsplit('-').next().unwrap_or_default();
        let short = short.strip_suffix("+incompatible").unwrap_or(short);
        if short.len() != SHORT_COMMIT || !is_lower_hex(short) {
            return Err(SourceError::NoCommit);
        }
        let commit = commit.ok_or(SourceError::Unsaid { what: "commit" })?;
        let whole = matches!(commit.len(), 40 | 64) && is_lower_hex(commit);
        return match whole && commit.starts_with(short) {
            true => Ok(()),
            false => Err(SourceError::Commit { expected: short.to_owned(), found: commit.to_owned() }),
        };
    };
    let reference = reference.ok_or(SourceError::Unsaid { what: "ref" })?;
    if reference == tag { Ok(()) } else { Err(SourceError::Tag { expected: tag, found: reference.to_owned() }) }
}

/// Why a source is not the module version's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// Another tag, or a branch.
    #[error("it was built from {found}, and the version's tag is {expected}")]
    Tag {
        /// The version's tag, `refs/tags/…`.
        expected: String,
        /// The source's ref.
        found: String,
    },
    /// Another commit.
    #[error("it was built from commit {found}, and the version's commit begins with {expected}")]
    Commit {
        /// The 12 digits of the pseudo-version.
        expected: String,
        /// The source's commit.
        found: String,
    },
    /// A pull request, which is not part of the repository's history.
    #[error("it was built from {found}, a pull request that may never have been accepted")]
    PullRequest {
        /// The source's ref.
        found: String,
    },
    /// A pseudo-version of no Git commit.
    #[error("the version does not name a commit by {SHORT_COMMIT} hexadecimal digits")]
    NoCommit,
    /// The certificate lacks what would tell.
    #[error("the certificate does not say from which {what} it was built")]
    Unsaid {
        /// `ref` or `commit`.
        what: &'static str,
    },
}
