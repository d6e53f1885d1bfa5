//! Root, signed by people who never meet.
//!
//! A root that is to be is an ordinary root metadata file that travels: everybody adds a signature and hands it on, on a
//! machine that needs no network and nothing else of the repository. It is finished when enough keys of the old root and
//! enough of the new one have signed it (specification, section 5.3.4), and then waits for the next publication.
//!
//! # Security
//! Whoever signs should see what: [`Comparison`] says it against the root that is trusted now. A signature of a key that
//! neither root knows is refused, so that nobody believes to have helped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use modanchor_core::tuf::metadata::{
    Expires, Key, MetadataError, Role as _, RoleKeys, Root, SPEC_VERSION, Signed, TOP_LEVEL,
};
use serde_json::Map;

use super::keys::{KeyError, Signer};
use super::roles::{Authority, Standing, name_of, sign, standing, unsigned};
use super::work::{self, WorkError};

/// Why a ceremony cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// The file.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// There is none.
    #[error("{0}: not there")]
    Absent(String),
    /// The file is no root.
    #[error("{path}: {error}")]
    Metadata {
        /// Which.
        path: String,
        /// Why.
        error: MetadataError,
    },
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A role that root does not have.
    #[error("{0:?}: not one of root, targets, snapshot, timestamp")]
    Role(String),
    /// A threshold that can never be met.
    #[error("role {role:?} would need {threshold} signatures of {keys} keys")]
    Threshold {
        /// Which.
        role: String,
        /// As asked for.
        threshold: u64,
        /// Different keys.
        keys: usize,
    },
    /// No key of that name.
    #[error("{name:?}: role {role:?} has no key of that name or identifier; it has {}", .there.join(", "))]
    NoKey {
        /// As asked for.
        name: String,
        /// Where.
        role: String,
        /// What there is.
        there: Vec<String>,
    },
    /// Two keys of that name.
    #[error("{0:?}: more than one key is called so; give its identifier")]
    Ambiguous(String),
    /// The key is there.
    #[error("{0}: the role has this key already")]
    HasKey(String),
    /// Nothing would change.
    #[error("this changes nothing: give --add-key, --remove-key, --threshold or --renew")]
    Nothing,
    /// A key that does not count.
    #[error(
        "{0}: neither this root nor the one before it has this key, so its signature would count for nothing; \
         of a key that is being taken out, say which root had it with --previous"
    )]
    Stranger(String),
    /// Not the next one.
    #[error("this root is version {found}, and {expected} would follow the one that is trusted here")]
    Version {
        /// Expected.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// Signatures are missing.
    #[error("by the keys of the {which} root {} of {} have signed; missing: {}", .standing.signed.len(), .standing.threshold, .standing.unsigned.join(", "))]
    Unfinished {
        /// `old` or `new`.
        which: &'static str,
        /// Who has, and who has not.
        standing: Standing,
    },
}

/// Who may sign what.
pub type Roles = BTreeMap<&'static str, (Vec<Key>, u64)>;

/// The first root.
///
/// # Errors
/// [`CeremonyError::Threshold`].
pub fn first(roles: &Roles, expires: Expires) -> Result<Signed<Root>, CeremonyError> {
    let mut root = Root {
        kind: Root::TYPE.to_owned(),
        spec_version: SPEC_VERSION.to_owned(),
        version: 1,
        expires,
        consistent_snapshot: true,
        keys: BTreeMap::new(),
        roles: BTreeMap::new(),
        extra: Map::new(),
    };
    for (name, (keys, threshold)) in roles {
        let mut keyids: Vec<String> = keys.iter().map(Key::id).collect();
        keyids.sort();
        keyids.dedup();
        root.keys.extend(keys.iter().map(|key| (key.id(), key.clone())));
        root.roles.insert((*name).to_owned(), RoleKeys { keyids, threshold: *threshold, extra: Map::new() });
    }
    check(&root)?;
    Ok(unsigned(root))
}

fn check(root: &Root) -> Result<(), CeremonyError> {
    for (name, role) in &root.roles {
        let keys = role.keyids.len();
        if role.threshold == 0 || role.threshold > keys as u64 {
            return Err(CeremonyError::Threshold { role: name.clone(), threshold: role.threshold, keys });
        }
    }
    Ok(())
}

/// What a rotation changes.
#[derive(Debug, Clone, Default)]
pub struct Rotation {
    /// Keys that come, by role.
    pub add: Vec<(String, Key)>,
    /// Keys that go, by role, by name or identifier.
    pub remove: Vec<(String, String)>,
    /// Thresholds, by role.
    pub thresholds: Vec<(String, u64)>,
    /// Whether a root that changes nothing but its expiry is meant.
    pub renew: bool,
}

/// The root after `old`.
///
/// # Errors
/// [`CeremonyError`].
pub fn rotate(old: &Root, rotation: &Rotation, expires: Expires) -> Result<Signed<Root>, CeremonyError> {
    let mut root = old.clone();
    for (role, name) in &rotation.remove {
        let id = find(old, role, name)?;
        let keys = role_of(&mut root, role)?;
        keys.keyids.retain(|other| other != &id);
    }
    for (role, key) in &rotation.add {
        let id = key.id();
        let keys = role_of(&mut root, role)?;
        if keys.keyids.contains(&id) {
            return Err(CeremonyError::HasKey(name_of(&id, key)));
        }
        keys.keyids.push(id.clone());
        keys.keyids.sort();
        root.keys.insert(id, key.clone());
    }
    for (role, threshold) in &rotation.thresholds {
        role_of(&mut root, role)?.threshold = *threshold;
    }
    let used: BTreeSet<&String> = root.roles.values().flat_map(|role| &role.keyids).collect();
    root.keys.retain(|id, _| used.contains(id));
    if !rotation.renew && root == *old {
        return Err(CeremonyError::Nothing);
    }
    check(&root)?;
    root.version = old.version + 1;
    root.expires = expires;
    Ok(unsigned(root))
}

fn role_of<'a>(root: &'a mut Root, role: &str) -> Result<&'a mut RoleKeys, CeremonyError> {
    match TOP_LEVEL.contains(&role) {
        true => root.roles.get_mut(role).ok_or_else(|| CeremonyError::Role(role.to_owned())),
        false => Err(CeremonyError::Role(role.to_owned())),
    }
}

/// The identifier of a role's key that is called so, or whose identifier begins so.
fn find(root: &Root, role: &str, name: &str) -> Result<String, CeremonyError> {
    let authority = Authority::of_root(root, role);
    let mut found = authority
        .keys
        .iter()
        .filter(|(id, key)| name_of(id, key) == name || (name.len() >= 8 && id.starts_with(name)))
        .map(|(id, _)| id.clone());
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (Some(_), Some(_)) => Err(CeremonyError::Ambiguous(name.to_owned())),
        (None, _) => Err(CeremonyError::NoKey {
            name: name.to_owned(),
            role: role.to_owned(),
            there: authority.keys.iter().map(|(id, key)| name_of(id, key)).collect(),
        }),
    }
}

/// Reads a root that travels, or one that is published.
///
/// # Errors
/// [`CeremonyError`].
pub fn read(path: &Path) -> Result<Signed<Root>, CeremonyError> {
    let shown = || path.display().to_string();
    let bytes = work::read(path, Root::MAX_BYTES.into())?.ok_or_else(|| CeremonyError::Absent(shown()))?;
    Signed::parse(&bytes).map_err(|error| CeremonyError::Metadata { path: shown(), error })
}

/// Writes one.
///
/// # Errors
/// [`CeremonyError::Work`].
pub fn write(path: &Path, root: &Signed<Root>) -> Result<(), CeremonyError> {
    let mut bytes = serde_json::to_vec_pretty(root).expect("maps with string keys, and types that always serialise");
    bytes.push(b'\n');
    Ok(work::write(path, &bytes)?)
}

/// Adds signatures. `previous`: the root before it, if it is known here.
///
/// # Errors
/// [`CeremonyError`].
pub fn add_signatures(
    root: &mut Signed<Root>,
    previous: Option<&Root>,
    signers: &[&dyn Signer],
) -> Result<(), CeremonyError> {
    let mut authorities = vec![Authority::of_root(&root.signed, "root")];
    authorities.extend(previous.map(|previous| Authority::of_root(previous, "root")));
    for signer in signers {
        let public = signer.public();
        let known = |key: &Key| key.keyval.public == public.keyval.public && key.scheme == public.scheme;
        if !authorities.iter().any(|authority| authority.keys.values().any(known)) {
            return Err(CeremonyError::Stranger(public.id()));
        }
    }
    // What others have signed stays, also by keys that only the root before knows, which may not be here.
    let others = root.signatures.clone();
    sign(root, &authorities.iter().collect::<Vec<_>>(), signers)?;
    for other in others {
        if !other.sig.is_empty() && !root.signatures.iter().any(|signature| signature.keyid == other.keyid) {
            root.signatures.push(other);
        }
    }
    Ok(())
}

/// A root beside the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// Its version.
    pub version: u64,
    /// Until when.
    pub expires: Expires,
    /// By its own keys.
    pub new: Standing,
    /// By the keys of the one before; none: it is not known, or this is the first.
    pub old: Option<Standing>,
    /// What it changes, a line each.
    pub changes: Vec<String>,
}

/// Compares a root with the one before it.
#[must_use]
pub fn compare(root: &Signed<Root>, previous: Option<&Root>) -> Comparison {
    let mut changes = Vec::new();
    for role in TOP_LEVEL {
        let new = Authority::of_root(&root.signed, role);
        let Some(previous) = previous else {
            let names: Vec<String> = new.keys.iter().map(|(id, key)| described(id, key)).collect();
            changes.push(format!("{role}: {} of {}", new.threshold, names.join(", ")));
            continue;
        };
        let old = Authority::of_root(previous, role);
        for (id, key) in new.keys.iter().filter(|(id, _)| !old.keys.contains_key(*id)) {
            changes.push(format!("{role}: adds {}", described(id, key)));
        }
        for (id, key) in old.keys.iter().filter(|(id, _)| !new.keys.contains_key(*id)) {
            changes.push(format!("{role}: removes {}", described(id, key)));
        }
        if old.threshold != new.threshold {
            changes.push(format!("{role}: threshold {} becomes {}", old.threshold, new.threshold));
        }
    }
    Comparison {
        version: root.signed.version,
        expires: root.signed.expires,
        new: standing(root, &Authority::of_root(&root.signed, "root")),
        old: previous.map(|previous| standing(root, &Authority::of_root(previous, "root"))),
        changes,
    }
}

fn described(id: &str, key: &Key) -> String {
    let name = name_of(id, key);
    if id.starts_with(&name) {
        format!("{name} ({})", key.scheme)
    } else {
        format!("{name} ({}, {})", key.scheme, &id[..12.min(id.len())])
    }
}

/// Takes a root for good: enough have signed it, and it follows the trusted one. Signatures that do not count are left out.
///
/// # Errors
/// [`CeremonyError`].
pub fn finish(root: &Signed<Root>, trusted: Option<&Signed<Root>>) -> Result<Signed<Root>, CeremonyError> {
    let expected = trusted.map_or(1, |trusted| trusted.signed.version + 1);
    if root.signed.version != expected {
        return Err(CeremonyError::Version { expected, found: root.signed.version });
    }
    let previous = trusted.map(|trusted| &trusted.signed);
    let comparison = compare(root, previous);
    if let Some(standing) = comparison.old.filter(|standing| !standing.met()) {
        return Err(CeremonyError::Unfinished { which: "old", standing });
    }
    if !comparison.new.met() {
        return Err(CeremonyError::Unfinished { which: "new", standing: comparison.new });
    }
    let mut finished = root.clone();
    let mut authorities = vec![Authority::of_root(&root.signed, "root")];
    authorities.extend(previous.map(|previous| Authority::of_root(previous, "root")));
    sign(&mut finished, &authorities.iter().collect::<Vec<_>>(), &[])?;
    Ok(finished)
}
