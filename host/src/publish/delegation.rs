//! Delegating modules to a team, by the beginning of their paths.
//!
//! In TUF's patterns `*` never crosses a `/`, so "everything below `example.com/team`" is a pattern for each depth:
//! `example.com/team/@v/*`, `example.com/team/*/@v/*` and so on, up to a limit that one can see in the metadata. A module
//! that lies deeper is refused when it is added: it would silently fall to whoever delegates, who never meant to approve
//! it. Delegations made here are terminating: what the team has not approved, nobody after it can.

use std::collections::{BTreeMap, BTreeSet};

use modanchor_core::module::{ModulePath, PathError};
use modanchor_core::tuf::metadata::{DelegatedRole, Delegations, Key, MAX_ROLE_NAME, SuccinctRoles, TOP_LEVEL};
use serde::{Deserialize, Serialize};
use serde_json::Map;

use super::base::Edit;
use super::changes::ChangeError;
use super::roles::Authority;

/// How many elements after the prefix a module's path may have, if nobody says otherwise.
pub const DEFAULT_DEPTH: usize = 8;
/// The most.
pub const MAX_PATTERN_DEPTH: usize = 32;
/// The role that has the bins of `init --bins`: every path that no team has.
pub const BINS_ROLE: &str = "modules";
/// The most bins: their names and versions must fit the snapshot that every client reads.
pub const MAX_BINS: u64 = 16_384;
/// How many elements a module path may have that goes to [`BINS_ROLE`]; longer ones stay with `targets`.
pub const MAX_ELEMENTS: usize = 16;
/// The end of every pattern: the files of all versions.
const FILES: &str = "/@v/*";

/// Why a delegation cannot be made, or a module not be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DelegationError {
    /// Not the beginning of module paths.
    #[error("{0:?}: not the beginning of module paths: {1}")]
    Prefix(String, PathError),
    /// Not the name of a role.
    #[error(
        "{0:?}: not a name for a role: expected 1 to {MAX_ROLE_NAME} letters, digits, `-`, `_` or `.`, and none of TUF's own"
    )]
    Name(String),
    /// There is such a role.
    #[error("{0:?} is delegated to already; `modanchor repo delegate --replace` changes it")]
    Exists(String),
    /// Not a power of two.
    #[error("{0} bins: expected a power of two from 2 to {MAX_BINS}")]
    Bins(u64),
    /// Bins and delegations exclude each other.
    #[error("{0:?} is split into bins: it cannot delegate to anybody else (TAP 15)")]
    Split(String),
    /// Targets do not move to other bins.
    #[error("{role:?} has {bins} bins: their number stays; delegate to another name, and add its modules there")]
    Rebin {
        /// The role.
        role: String,
        /// How many it has.
        bins: u64,
    },
    /// A threshold that can never be met.
    #[error("a threshold of {threshold} with {keys} keys: expected 1 to {keys}")]
    Threshold {
        /// As asked for.
        threshold: u64,
        /// Different keys.
        keys: usize,
    },
    /// A module below a team's prefix, deeper than its patterns.
    #[error(
        "{module}: lies below {prefix}, which {role:?} approves down to {depth} more elements; \
         make the delegation deeper with `modanchor repo delegate {role} --replace --depth N`"
    )]
    TooDeep {
        /// The module.
        module: String,
        /// What is delegated.
        prefix: String,
        /// To whom.
        role: String,
        /// How far.
        depth: usize,
    },
}

/// Modules that one team approves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    /// The role's name.
    pub name: String,
    /// Whose signatures it needs.
    pub keys: Vec<Key>,
    /// How many of them.
    pub threshold: u64,
    /// The beginnings of module paths, unescaped. Empty: every path that nobody else has.
    pub modules: Vec<String>,
    /// How many elements may follow.
    pub depth: usize,
    /// Whether it is split into 2^n bins.
    pub bit_length: Option<u8>,
    /// Whether one that is there is replaced.
    pub replace: bool,
}

/// How many bits of hash make so many bins.
///
/// # Errors
/// [`DelegationError::Bins`].
pub fn bit_length(bins: u64) -> Result<u8, DelegationError> {
    if !(2..=MAX_BINS).contains(&bins) || !bins.is_power_of_two() {
        return Err(DelegationError::Bins(bins));
    }
    u8::try_from(bins.trailing_zeros()).map_err(|_| DelegationError::Bins(bins))
}

/// The patterns for everything at and below a module path.
///
/// # Errors
/// [`DelegationError::Prefix`].
pub fn patterns(prefix: &str, depth: usize) -> Result<Vec<String>, DelegationError> {
    let path = ModulePath::check(prefix).map_err(|error| DelegationError::Prefix(prefix.to_owned(), error))?;
    Ok((0..=depth).map(|depth| format!("{}{}{FILES}", path.escaped(), "/*".repeat(depth))).collect())
}

/// The patterns for every module path of up to [`MAX_ELEMENTS`] elements.
fn every_module() -> Vec<String> {
    (1..=MAX_ELEMENTS).map(|elements| format!("{}{FILES}", vec!["*"; elements].join("/"))).collect()
}

/// The prefix, escaped, and the depth that patterns were made of. None: somebody made them otherwise.
fn prefix_of(pattern: &str) -> Option<(&str, usize)> {
    let mut prefix = pattern.strip_suffix(FILES)?;
    let mut depth = 0;
    while let Some(shorter) = prefix.strip_suffix("/*") {
        (prefix, depth) = (shorter, depth + 1);
    }
    (!prefix.contains(['*', '?', '['])).then_some((prefix, depth))
}

/// Refuses a path that lies below what a role delegates, deeper than its patterns.
///
/// # Errors
/// [`DelegationError::TooDeep`].
pub fn check_depth(delegations: &Delegations, path: &str) -> Result<(), DelegationError> {
    let Some((module, _)) = path.split_once("/@v/") else { return Ok(()) };
    for role in delegations.roles.iter().flatten() {
        if role.matches(path) {
            // Whoever comes first decides.
            return Ok(());
        }
        let prefixes = role.paths.iter().flatten().filter_map(|pattern| prefix_of(pattern));
        let Some((prefix, depth)) = prefixes.max_by_key(|(_, depth)| *depth) else { continue };
        if module.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('/')) {
            return Err(DelegationError::TooDeep {
                module: module.to_owned(),
                prefix: prefix.to_owned(),
                role: role.name.clone(),
                depth,
            });
        }
    }
    Ok(())
}

impl Delegation {
    /// Checks what does not depend on the store.
    ///
    /// # Errors
    /// [`DelegationError`].
    pub fn check(&self) -> Result<(), DelegationError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let name = &self.name;
        let digits = name.split_once('.').is_some_and(|(first, _)| first.bytes().all(|byte| byte.is_ascii_digit()));
        if name.is_empty()
            || name.len() > MAX_ROLE_NAME - 5
            || !name.bytes().all(fits)
            || TOP_LEVEL.contains(&name.as_str())
            || digits
        {
            return Err(DelegationError::Name(name.clone()));
        }
        let keys: BTreeSet<&str> = self.keys.iter().map(|key| key.keyval.public.as_str()).collect();
        if self.threshold == 0 || self.threshold > keys.len() as u64 {
            return Err(DelegationError::Threshold { threshold: self.threshold, keys: keys.len() });
        }
        self.paths().map(|_| ())
    }

    fn paths(&self) -> Result<Vec<String>, DelegationError> {
        let each = self.modules.iter().map(|prefix| patterns(prefix, self.depth));
        Ok(each.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Adds it to `targets`, before whoever has a shorter prefix of the same modules, and makes its bins. Where it takes the
    /// place of one with other keys, what that one's keys have signed is signed anew.
    ///
    /// # Errors
    /// [`ChangeError`].
    pub fn apply(&self, edit: &mut Edit<'_>) -> Result<(), ChangeError> {
        self.check()?;
        let everything = self.modules.is_empty();
        let keyids: Vec<String> = self.keys.iter().map(Key::id).collect();
        let role = DelegatedRole {
            name: self.name.clone(),
            keyids: keyids.clone(),
            threshold: self.threshold,
            terminating: !everything,
            // Not 16 prefixes of hashes, which would be shorter: go-tuf up to 2.4.2 cannot match those.
            paths: Some(if everything { every_module() } else { self.paths()? }),
            path_hash_prefixes: None,
            extra: Map::new(),
        };
        let old = edit.delegations("targets").and_then(|delegations| delegations.roles.as_ref());
        let old = old.and_then(|roles| roles.iter().find(|other| other.name == self.name)).cloned();
        if old.as_ref() == Some(&role) {
            return Ok(());
        }
        let mut rekeyed = false;
        if let Some(old) = &old {
            if !self.replace {
                return Err(DelegationError::Exists(self.name.clone()).into());
            }
            rekeyed = (&old.keyids, old.threshold) != (&role.keyids, role.threshold);
            // While it can still be told by whose word: by that of the old keys.
            edit.enter_all("targets", Some(&self.name))?;
            edit.enter_all(&self.name, None)?;
        }
        self.put_into(edit, role)?;
        let authority = Authority { keys: self.keyed().collect(), threshold: self.threshold };
        edit.authorize(&self.name, authority.clone());
        if rekeyed {
            edit.renew(&self.name);
        }

        let there = edit.delegations(&self.name).and_then(|delegations| delegations.succinct_roles.as_ref());
        let there = there.map(|bins| bins.bit_length);
        if let (Some(there), Some(wanted)) = (there, self.bit_length)
            && there != wanted
        {
            return Err(DelegationError::Rebin { role: self.name.clone(), bins: 1 << there }.into());
        }
        if let Some(bit_length) = self.bit_length.or(there) {
            let bins = SuccinctRoles {
                keyids,
                threshold: self.threshold,
                bit_length,
                name_prefix: self.name.clone(),
                extra: Map::new(),
            };
            let mut split = empty(None, Some(bins.clone()));
            split.keys.extend(self.keyed());
            edit.change(&self.name).delegations = Some(split);
            // A bin that is not there is an error for some clients, even if it would be empty.
            for bin in (0..bins.bins()).map(|number| bins.bin(number)) {
                edit.authorize(&bin, authority.clone());
                if rekeyed {
                    edit.renew(&bin);
                } else {
                    edit.change(&bin);
                }
            }
        }
        Ok(())
    }

    fn keyed(&self) -> impl Iterator<Item = (String, Key)> {
        self.keys.iter().map(|key| (key.id(), key.clone()))
    }

    fn put_into(&self, edit: &mut Edit<'_>, role: DelegatedRole) -> Result<(), DelegationError> {
        let targets = edit.change("targets");
        let delegations = targets.delegations.get_or_insert_with(|| empty(Some(Vec::new()), None));
        let roles = delegations.roles.as_mut().ok_or_else(|| DelegationError::Split("targets".to_owned()))?;
        roles.retain(|other| other.name != self.name);
        let covered = |other: &DelegatedRole| {
            role.paths.iter().flatten().any(|pattern| {
                let (prefix, _) = prefix_of(pattern).unwrap_or((pattern, 0));
                other.matches(&format!("{prefix}/@v/v0.0.0.zip"))
            })
        };
        let at = if self.modules.is_empty() { None } else { roles.iter().position(covered) };
        roles.insert(at.unwrap_or(roles.len()), role);
        delegations.keys.extend(self.keyed());
        // Keys that nobody needs any more go with whom they belonged to.
        let used: BTreeSet<&String> = roles.iter().flat_map(|role| &role.keyids).collect();
        delegations.keys.retain(|id, _| used.contains(id));
        Ok(())
    }
}

fn empty(roles: Option<Vec<DelegatedRole>>, succinct_roles: Option<SuccinctRoles>) -> Delegations {
    Delegations { keys: BTreeMap::new(), roles, succinct_roles, extra: Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_reach_every_depth_and_no_more() {
        let patterns = patterns("example.com/Team", 2).unwrap();
        assert_eq!(patterns, ["example.com/!team/@v/*", "example.com/!team/*/@v/*", "example.com/!team/*/*/@v/*"]);
        assert_eq!(
            patterns.iter().map(|pattern| prefix_of(pattern)).collect::<Vec<_>>(),
            [Some(("example.com/!team", 0)), Some(("example.com/!team", 1)), Some(("example.com/!team", 2)),]
        );
        assert_eq!(prefix_of("example.com/*x/@v/*"), None);
        for prefix in ["", "example.com/*", "/x", "example.com/../x", "Example"] {
            assert!(super::patterns(prefix, 1).is_err(), "{prefix}");
        }
    }

    #[test]
    fn bins_are_powers_of_two() {
        assert_eq!([2, 256, MAX_BINS].map(|bins| bit_length(bins).unwrap()), [1, 8, 14]);
        for bins in [0, 1, 3, MAX_BINS + 1, MAX_BINS * 2] {
            assert!(bit_length(bins).is_err(), "{bins}");
        }
    }
}
