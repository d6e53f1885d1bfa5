//! Which delegations a target path may be looked for in (specification, sections 4.5 and 5.6.7; TAP 15).
//!
//! Patterns are those of python's fnmatch, element by element: `*` and `?` never match a `/`, case matters, and a pattern has
//! as many elements as the paths that it matches. So no pattern gives away more depth than one can see in it.

use sha2::{Digest, Sha256};

use super::metadata::{DelegatedRole, Delegations};
use crate::hex;

/// One edge of the walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// The role that is delegated to.
    pub name: String,
    /// Whose signatures it needs.
    pub keyids: Vec<String>,
    /// How many.
    pub threshold: u64,
    /// Whether the search ends with it.
    pub terminating: bool,
}

impl Delegations {
    /// The roles that may say something about `path`, in the order in which they are to be asked, up to and with the first
    /// that is terminating.
    #[must_use]
    pub fn edges(&self, path: &str) -> Vec<Edge> {
        if let Some(bins) = &self.succinct_roles {
            return vec![Edge {
                name: bins.bin_of(path),
                keyids: bins.keyids.clone(),
                threshold: bins.threshold,
                // TAP 15: bins are never terminating. What a bin lacks may still be found elsewhere.
                terminating: false,
            }];
        }
        let mut edges = Vec::new();
        let digest = hex::encode(&Sha256::digest(path.as_bytes()));
        for role in self.roles.iter().flatten().filter(|role| role.matches_either(path, &digest)) {
            edges.push(Edge {
                name: role.name.clone(),
                keyids: role.keyids.clone(),
                threshold: role.threshold,
                terminating: role.terminating,
            });
            if role.terminating {
                break;
            }
        }
        edges
    }
}

impl DelegatedRole {
    /// Whether it may say something about `path`.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.matches_either(path, &hex::encode(&Sha256::digest(path.as_bytes())))
    }

    /// As [`Self::matches`], with the digest of `path` in hexadecimal: it is the same for thousands of roles.
    fn matches_either(&self, path: &str, digest: &str) -> bool {
        if let Some(prefixes) = &self.path_hash_prefixes {
            return prefixes.iter().any(|prefix| digest.starts_with(prefix.as_str()));
        }
        self.paths.iter().flatten().any(|pattern| matches(pattern, path))
    }
}

/// Whether `path` matches `pattern`.
#[must_use]
pub fn matches(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut elements) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), elements.next()) {
            (None, None) => return true,
            (Some(pattern), Some(element)) if element_matches(pattern, element) => {}
            _ => return false,
        }
    }
}

/// fnmatch, in time proportional to the product of the lengths: it goes back to the last star only.
fn element_matches(pattern: &str, element: &str) -> bool {
    let (pattern, element): (Vec<char>, Vec<char>) = (pattern.chars().collect(), element.chars().collect());
    let (mut p, mut e) = (0, 0);
    // Where to go on after the last star, and how much of the element it has taken.
    let mut star: Option<(usize, usize)> = None;
    loop {
        if pattern.get(p) == Some(&'*') {
            star = Some((p + 1, e));
            p += 1;
            continue;
        }
        let step = match (pattern.get(p), element.get(e)) {
            (None, None) => return true,
            (Some(_), Some(&found)) => one(&pattern[p..], found),
            _ => None,
        };
        if let Some(length) = step {
            p += length;
            e += 1;
            continue;
        }
        match star {
            Some((after, taken)) if taken < element.len() => {
                star = Some((after, taken + 1));
                p = after;
                e = taken + 1;
            }
            _ => return false,
        }
    }
}

/// How much of `pattern` one character uses up, if it matches there.
fn one(pattern: &[char], found: char) -> Option<usize> {
    match pattern[0] {
        '?' => Some(1),
        '[' => {
            let Some((length, matched)) = class(pattern, found) else {
                // Unclosed: the bracket itself, as in fnmatch.
                return (found == '[').then_some(1);
            };
            matched.then_some(length)
        }
        literal => (literal == found).then_some(1),
    }
}

/// The length of the class that `pattern` begins with, and whether `found` is in it. None: it is not closed.
fn class(pattern: &[char], found: char) -> Option<(usize, bool)> {
    let negated = pattern.get(1) == Some(&'!');
    let begin = if negated { 2 } else { 1 };
    // A bracket that comes first is a member.
    let end = begin + 1 + pattern.get(begin + 1..)?.iter().position(|&character| character == ']')?;
    let members = &pattern[begin..end];
    let mut inside = false;
    let mut at = 0;
    while at < members.len() {
        if members.get(at + 1) == Some(&'-') && at + 2 < members.len() {
            inside |= (members[at]..=members[at + 2]).contains(&found);
            at += 3;
        } else {
            inside |= members[at] == found;
            at += 1;
        }
    }
    Some((end + 1, inside != negated))
}
