//! What the store holds, verified, and how it is changed.
//!
//! # Security
//! A publisher signs what it has read, with changes. So everything that is read from the store is verified first, from the
//! root that this working copy trusts: each root by its predecessor's keys and its own, timestamp, snapshot and every
//! targets role by the keys that root or the delegating role names, and no version may fall below what this working copy
//! has seen. Whoever can write to the store can delay a publication, and cannot smuggle a target into it or make
//! an old approval new. That metadata has expired is no reason not to replace it.

use std::collections::{BTreeMap, BTreeSet};

use modanchor_core::hex;
use modanchor_core::tuf::delegation::Edge;
use modanchor_core::tuf::metadata::{
    Delegations, Expires, MetadataError, ROLE_FIELD, Role, Root, Signed, Snapshot, Targets, Timestamp,
};
use sha2::{Digest as _, Sha256};

use super::roles::{Authority, TIMESTAMP, empty_targets, file_name, standing};
use super::store::{Store, StoreError, Tag};
use super::work::Seen;

/// The most roots after the trusted one that are read.
pub const MAX_ROOTS: u64 = 1024;
/// How many delegations may lie between `targets` and a target.
pub const MAX_DEPTH: usize = 32;

/// Why the store cannot be built upon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// It cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is there is no metadata.
    #[error("{file}: {error}")]
    Metadata {
        /// Which file.
        file: String,
        /// Why.
        error: MetadataError,
    },
    /// Not signed by enough of those who must.
    #[error("{file}: {found} of the {threshold} signatures that it needs are good; somebody else has written it")]
    Signature {
        /// Which file.
        file: String,
        /// Good ones.
        found: usize,
        /// Needed ones.
        threshold: u64,
    },
    /// A version that its name, or the file that names it, does not say.
    #[error("{file}: is version {found}, where {expected} was expected")]
    Version {
        /// Which file.
        file: String,
        /// Expected.
        expected: u64,
        /// Found.
        found: u64,
    },
    /// Not the bytes that timestamp names.
    #[error("{0}: is not the file that timestamp.json names")]
    Mismatch(String),
    /// Metadata of another role, under this one's name.
    #[error("{0}: is the metadata of another role, by its {ROLE_FIELD}; somebody else has put it there")]
    Role(String),
    /// Named, and not there.
    #[error("{0}: is not in the store, though the metadata names it")]
    Missing(String),
    /// An older state than was seen before.
    #[error(
        "{what} is version {found} in the store, and was {seen} before: somebody has put back an older state, \
         or this is another repository"
    )]
    Rollback {
        /// Of which role.
        what: String,
        /// What was seen.
        seen: u64,
        /// What is there; 0: nothing.
        found: u64,
    },
    /// More roots than [`MAX_ROOTS`].
    #[error("more than {MAX_ROOTS} roots follow the one that is trusted here")]
    Roots,
    /// More delegations than [`MAX_DEPTH`], or a circle.
    #[error("{0}: more than {MAX_DEPTH} delegations lead to it")]
    Depth(String),
}

/// What the store holds.
#[derive(Debug)]
pub struct Base {
    /// The newest root.
    pub root: Signed<Root>,
    /// Roots that were newer than the trusted one, oldest first.
    pub new_roots: Vec<Signed<Root>>,
    /// The root whose keys may have signed what is there, if it is not `root`: see [`Base::load`].
    former: Option<Signed<Root>>,
    /// The timestamp; none: nothing is published yet.
    pub timestamp: Option<(Signed<Timestamp>, Tag)>,
    /// The snapshot.
    pub snapshot: Option<Signed<Snapshot>>,
    /// The SHA-256 of the timestamp's bytes.
    sha256: String,
    roles: BTreeMap<String, Signed<Targets>>,
}

impl Base {
    /// Reads and verifies roots, timestamp and snapshot.
    ///
    /// If a rotation was interrupted after its root and before its timestamp, what the store holds is signed by the former
    /// root's keys. That is accepted if it is, byte for byte, what was verified before.
    ///
    /// # Errors
    /// [`BaseError`].
    pub fn load(store: &dyn Store, trusted: &Signed<Root>, seen: &Seen) -> Result<Self, BaseError> {
        let mut base = Self {
            root: trusted.clone(),
            new_roots: Vec::new(),
            former: None,
            timestamp: None,
            snapshot: None,
            sha256: String::new(),
            roles: BTreeMap::new(),
        };
        base.read_roots(store)?;
        base.read_timestamp(store, seen)?;
        Ok(base)
    }

    fn read_roots(&mut self, store: &dyn Store) -> Result<(), BaseError> {
        for _ in 0..=MAX_ROOTS {
            let version = self.root.signed.version + 1;
            let file = file_name(version, "root");
            let Some((bytes, _)) = store.read(&file, Root::MAX_BYTES.into())? else {
                let former = self.root.signed.version.checked_sub(1).filter(|version| *version > 0);
                let Some(former) = former.map(|version| file_name(version, "root")) else { return Ok(()) };
                if let Some((bytes, _)) = store.read(&former, Root::MAX_BYTES.into())? {
                    self.former = Some(parse(&former, &bytes)?);
                }
                return Ok(());
            };
            let next: Signed<Root> = parse(&file, &bytes)?;
            if next.signed.version != version {
                return Err(BaseError::Version { file, expected: version, found: next.signed.version });
            }
            for root in [&self.root.signed, &next.signed] {
                require(&file, &next, &[Authority::of_root(root, "root")])?;
            }
            self.root = next.clone();
            self.new_roots.push(next);
        }
        Err(BaseError::Roots)
    }

    fn read_timestamp(&mut self, store: &dyn Store, seen: &Seen) -> Result<(), BaseError> {
        let rollback = |what: &str, seen: u64, found: u64| match found < seen {
            true => Err(BaseError::Rollback { what: what.to_owned(), seen, found }),
            false => Ok(()),
        };
        let Some((bytes, tag)) = store.read(TIMESTAMP, Timestamp::MAX_BYTES.into())? else {
            return rollback("timestamp", seen.timestamp, 0);
        };
        self.sha256 = hex::encode(&Sha256::digest(&bytes));
        if self.sha256 != seen.sha256 {
            self.former = None;
        }
        let timestamp: Signed<Timestamp> = parse(TIMESTAMP, &bytes)?;
        require(TIMESTAMP, &timestamp, &self.authorities("timestamp"))?;
        rollback("timestamp", seen.timestamp, timestamp.signed.version)?;

        let meta = timestamp.signed.snapshot().ok_or_else(|| BaseError::Mismatch(TIMESTAMP.to_owned()))?;
        let file = file_name(meta.version, "snapshot");
        let found = store.read(&file, Snapshot::MAX_BYTES.into())?;
        let (bytes, _) = found.ok_or_else(|| BaseError::Missing(file.clone()))?;
        let sha256 = meta.hashes.as_ref().and_then(|hashes| hashes.get("sha256"));
        if meta.length.is_some_and(|length| length != bytes.len() as u64)
            || sha256.is_some_and(|sha256| !sha256.eq_ignore_ascii_case(&hex::encode(&Sha256::digest(&bytes))))
        {
            return Err(BaseError::Mismatch(file));
        }
        let snapshot: Signed<Snapshot> = parse(&file, &bytes)?;
        require(&file, &snapshot, &self.authorities("snapshot"))?;
        if snapshot.signed.version != meta.version {
            return Err(BaseError::Version { file, expected: meta.version, found: snapshot.signed.version });
        }
        rollback("snapshot", seen.snapshot, snapshot.signed.version)?;
        for (name, version) in &seen.roles {
            let found = snapshot.signed.meta.get(name).map_or(0, |meta| meta.version);
            rollback(name, *version, found)?;
        }
        self.timestamp = Some((timestamp, tag));
        self.snapshot = Some(snapshot);
        Ok(())
    }

    /// Who must have signed a top-level role: one of these.
    fn authorities(&self, role: &str) -> Vec<Authority> {
        let roots = [Some(&self.root), self.former.as_ref()];
        roots.into_iter().flatten().map(|root| Authority::of_root(&root.signed, role)).collect()
    }

    /// The version of a targets role in the snapshot. None: it has none.
    #[must_use]
    pub fn version_of(&self, role: &str) -> Option<u64> {
        Some(self.snapshot.as_ref()?.signed.meta.get(&format!("{role}.json"))?.version)
    }

    /// Reads and verifies targets roles that the snapshot has, all at once.
    fn fetch(&mut self, store: &dyn Store, wanted: &[(String, Vec<Authority>)]) -> Result<(), BaseError> {
        let wanted: Vec<_> = wanted
            .iter()
            .filter(|(role, _)| !self.roles.contains_key(role))
            .filter_map(|(role, authorities)| Some((role, authorities, self.version_of(role)?)))
            .collect();
        let files: Vec<String> = wanted.iter().map(|(role, _, version)| file_name(*version, role)).collect();
        let found = store.read_all(&files, Targets::MAX_BYTES.into())?;
        let jobs: Vec<_> = wanted.iter().zip(files).zip(found).collect();
        let parsed = super::parallel(jobs, |(((role, authorities, version), file), bytes)| {
            let bytes = bytes.ok_or_else(|| BaseError::Missing(file.clone()))?;
            let targets: Signed<Targets> = parse(&file, &bytes)?;
            require(&file, &targets, authorities)?;
            if targets.signed.version != *version {
                return Err(BaseError::Version { file, expected: *version, found: targets.signed.version });
            }
            // Bins have the same keys and, often, the same version: one must not be taken for another, and signed as such.
            if targets.signed.extra.get(ROLE_FIELD).is_some_and(|named| named.as_str() != Some(role)) {
                return Err(BaseError::Role(file));
            }
            Ok(((*role).clone(), targets))
        });
        for role in parsed {
            let (role, targets) = role?;
            self.roles.insert(role, targets);
        }
        Ok(())
    }

    /// What there is to remember of it. None: nothing is published.
    #[must_use]
    pub fn seen_now(&self) -> Option<Seen> {
        let ((timestamp, _), snapshot) = (self.timestamp.as_ref()?, self.snapshot.as_ref()?);
        Some(Seen { sha256: self.sha256.clone(), ..Self::seen(timestamp, &[], snapshot) })
    }

    /// Whether what the store holds of a top-level role that was read is signed by the former root's keys alone.
    #[must_use]
    pub fn is_stale(&self, role: &str) -> bool {
        let authority = Authority::of_root(&self.root.signed, role);
        match role {
            "timestamp" => self.timestamp.as_ref().is_some_and(|(file, _)| !standing(file, &authority).met()),
            "snapshot" => self.snapshot.as_ref().is_some_and(|file| !standing(file, &authority).met()),
            _ => self.roles.get(role).is_some_and(|file| !standing(file, &authority).met()),
        }
    }

    /// What is to be remembered of these.
    #[must_use]
    pub fn seen(timestamp: &Signed<Timestamp>, bytes: &[u8], snapshot: &Signed<Snapshot>) -> Seen {
        Seen {
            timestamp: timestamp.signed.version,
            sha256: hex::encode(&Sha256::digest(bytes)),
            snapshot: snapshot.signed.version,
            roles: snapshot.signed.meta.iter().map(|(name, meta)| (name.clone(), meta.version)).collect(),
        }
    }
}

fn parse<T: Role>(file: &str, bytes: &[u8]) -> Result<Signed<T>, BaseError> {
    Signed::parse(bytes).map_err(|error| BaseError::Metadata { file: file.to_owned(), error })
}

/// Whether one of the authorities has signed.
fn require<T: Role>(file: &str, signed: &Signed<T>, authorities: &[Authority]) -> Result<(), BaseError> {
    let mut worst = (0, u64::MAX);
    for authority in authorities {
        let standing = standing(signed, authority);
        if standing.met() {
            return Ok(());
        }
        if worst.1 == u64::MAX {
            worst = (standing.signed.len(), standing.threshold);
        }
    }
    Err(BaseError::Signature { file: file.to_owned(), found: worst.0, threshold: worst.1 })
}

/// The store's roles with changes.
pub struct Edit<'a> {
    store: &'a dyn Store,
    /// What they are made to.
    pub base: Base,
    changed: BTreeMap<String, Targets>,
    /// Who signs a role, by its name: who delegates to it says so.
    authorities: BTreeMap<String, Authority>,
    /// When a role that is new, or signed anew, expires.
    expires: Expires,
    forced: BTreeSet<String>,
}

impl<'a> Edit<'a> {
    /// Without changes.
    ///
    /// # Errors
    /// [`BaseError`].
    pub fn new(store: &'a dyn Store, mut base: Base, expires: Expires) -> Result<Self, BaseError> {
        let authorities = base.authorities("targets");
        base.fetch(store, &[("targets".to_owned(), authorities)])?;
        let authority = Authority::of_root(&base.root.signed, "targets");
        let mut edit = Self {
            store,
            base,
            changed: BTreeMap::new(),
            authorities: BTreeMap::from([("targets".to_owned(), authority)]),
            expires,
            forced: BTreeSet::new(),
        };
        if edit.base.version_of("targets").is_none() {
            edit.change("targets");
        }
        Ok(edit)
    }

    /// A role as it will be. None: it says nothing.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Targets> {
        self.changed.get(name).or_else(|| self.base.roles.get(name).map(|role| &role.signed))
    }

    /// A role as the store holds it. None: it does not, or nobody has asked for it yet.
    #[must_use]
    pub fn published(&self, name: &str) -> Option<&Targets> {
        self.base.roles.get(name).map(|role| &role.signed)
    }

    /// A role, to be changed. One that is not there is made.
    pub fn change(&mut self, name: &str) -> &mut Targets {
        let (base, expires) = (&self.base, self.expires);
        self.changed.entry(name.to_owned()).or_insert_with(|| match base.roles.get(name) {
            Some(role) => role.signed.clone(),
            None => empty_targets(name, expires),
        })
    }

    /// Signs a role anew even if nothing in it changes.
    pub fn renew(&mut self, name: &str) {
        self.change(name);
        self.forced.insert(name.to_owned());
    }

    /// A role as a new version of it: expiring later.
    #[must_use]
    pub fn fresh(&self, role: &Targets, version: u64) -> Targets {
        Targets { version, expires: self.expires, ..role.clone() }
    }

    /// Who signs a role.
    #[must_use]
    pub fn authority(&self, name: &str) -> Option<&Authority> {
        self.authorities.get(name)
    }

    /// Roles that differ from what the store holds.
    pub fn differing(&self) -> impl Iterator<Item = (&String, &Targets)> {
        self.changed.iter().filter(|(name, role)| {
            self.forced.contains(*name) || self.base.roles.get(*name).is_none_or(|base| &base.signed != *role)
        })
    }

    /// What a role delegates. None: nothing.
    #[must_use]
    pub fn delegations(&self, role: &str) -> Option<&Delegations> {
        self.role(role)?.delegations.as_ref()
    }

    /// Reads roles that `delegator` delegates to.
    fn enter(&mut self, edges: Vec<(String, Edge)>) -> Result<(), BaseError> {
        let mut wanted = Vec::new();
        for (delegator, edge) in edges {
            if self.authorities.contains_key(&edge.name) {
                continue;
            }
            let Some(delegations) = self.delegations(&delegator) else { continue };
            let authority = Authority::of_edge(&edge.keyids, edge.threshold, delegations);
            self.authorities.insert(edge.name.clone(), authority.clone());
            wanted.push((edge.name, vec![authority]));
        }
        self.base.fetch(self.store, &wanted)
    }

    /// Reads what a role delegates to: one role, or all.
    ///
    /// # Errors
    /// [`BaseError`].
    pub fn enter_all(&mut self, role: &str, only: Option<&str>) -> Result<(), BaseError> {
        let edges = self.delegations(role).map(edges_of).unwrap_or_default();
        let edges = edges.into_iter().filter(|edge| only.is_none_or(|only| only == edge.name));
        self.enter(edges.map(|edge| (role.to_owned(), edge)).collect())
    }

    /// Who signs a role from now on.
    pub fn authorize(&mut self, role: &str, authority: Authority) {
        self.authorities.insert(role.to_owned(), authority);
    }

    /// The role that must say something about each of these paths: from `targets` on the first delegation that has the path, as
    /// far as it goes. Reads all that is needed of one depth at once.
    ///
    /// # Errors
    /// [`BaseError`].
    pub fn route(&mut self, paths: &[String]) -> Result<Vec<String>, BaseError> {
        let mut at: Vec<String> = vec!["targets".to_owned(); paths.len()];
        for _ in 0..MAX_DEPTH {
            let mut edges: BTreeMap<String, (String, Edge)> = BTreeMap::new();
            let mut moved = false;
            for (at, path) in at.iter_mut().zip(paths) {
                let edge = self.delegations(at).and_then(|delegations| delegations.edges(path).into_iter().next());
                if let Some(edge) = edge {
                    let from = std::mem::replace(at, edge.name.clone());
                    edges.entry(edge.name.clone()).or_insert((from, edge));
                    moved = true;
                }
            }
            if !moved {
                return Ok(at);
            }
            self.enter(edges.into_values().collect())?;
        }
        Err(BaseError::Depth(paths.first().cloned().unwrap_or_default()))
    }

    /// Reads every role that delegations lead to, and gives their names.
    ///
    /// # Errors
    /// [`BaseError`].
    pub fn all_roles(&mut self) -> Result<Vec<String>, BaseError> {
        let mut all = vec!["targets".to_owned()];
        let mut level = all.clone();
        let mut known: BTreeSet<String> = all.iter().cloned().collect();
        for _ in 0..MAX_DEPTH {
            let mut edges = Vec::new();
            for role in &level {
                let Some(delegations) = self.delegations(role) else { continue };
                edges.extend(edges_of(delegations).into_iter().map(|edge| (role.clone(), edge)));
            }
            edges.retain(|(_, edge)| known.insert(edge.name.clone()));
            if edges.is_empty() {
                return Ok(all);
            }
            level = edges.iter().map(|(_, edge)| edge.name.clone()).collect();
            all.extend(level.iter().cloned());
            self.enter(edges)?;
        }
        Err(BaseError::Depth("a role".to_owned()))
    }
}

/// Every role that is delegated to.
#[must_use]
pub fn edges_of(delegations: &Delegations) -> Vec<Edge> {
    if let Some(bins) = &delegations.succinct_roles {
        let bin = |number| Edge {
            name: bins.bin(number),
            keyids: bins.keyids.clone(),
            threshold: bins.threshold,
            terminating: false,
        };
        return (0..bins.bins()).map(bin).collect();
    }
    let edge = |role: &modanchor_core::tuf::metadata::DelegatedRole| Edge {
        name: role.name.clone(),
        keyids: role.keyids.clone(),
        threshold: role.threshold,
        terminating: role.terminating,
    };
    delegations.roles.iter().flatten().map(edge).collect()
}
