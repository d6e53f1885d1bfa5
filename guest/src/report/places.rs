//! Where the files of a report lie in the repository.
//!
//! A report names files relative to the folder that was judged, which may be any folder of a repository. Whoever shows
//! findings on lines of a repository (SARIF, annotations) needs paths from its root, with symbolic links resolved:
//! GitHub shows nothing on a path that it does not know.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// From a report's paths to paths from the root of the repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    prefix: String,
    links: BTreeMap<String, String>,
}

impl Places {
    /// `prefix` is the folder that was judged, relative to the root of the repository, with `/`; empty: the root.
    /// `links` are the report's paths that are symbolic links, or lie behind one, each with where it leads from the root
    /// of the repository.
    pub fn new(prefix: &str, links: BTreeMap<String, String>) -> Self {
        let prefix = prefix.trim_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Self { prefix, links }
    }

    /// A report's path, from the root of the repository.
    pub fn locate<'a>(&'a self, file: &'a str) -> Cow<'a, str> {
        match self.links.get(file) {
            Some(target) => Cow::Borrowed(target),
            None if self.prefix.is_empty() => Cow::Borrowed(file),
            None => Cow::Owned(format!("{}{file}", self.prefix)),
        }
    }

    /// The folder that was judged, with a final `/` unless it is the root.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_from_the_root() {
        let links = BTreeMap::from([("b/go.sum".to_owned(), "shared/go.sum".to_owned())]);
        for (prefix, file, want) in [
            ("", "go.sum", "go.sum"),
            ("", "b/go.sum", "shared/go.sum"),
            ("services/api", "go.sum", "services/api/go.sum"),
            ("/services/api/", "b/go.sum", "shared/go.sum"),
        ] {
            assert_eq!(Places::new(prefix, links.clone()).locate(file), want);
        }
    }
}
