//! Publishing: the order of writes, and what happens when somebody else is faster.
//!
//! # Why a crash cannot hurt
//! A client sees only what hangs on two files: the newest `N.root.json`, and `timestamp.json`. Everything else has a name with
//! a version or a hash, is written once, and is seen by nobody until a timestamp leads to it. So the order is: the
//! modules' files; every targets role; snapshot; then, when all of that is on the disk, the timestamp. Whoever dies
//! before it leaves the old repository, with some files that nobody asks for, and whose versions the next publisher skips.
//!
//! A root is seen the moment it is written. If it gives roles other keys, what is in place must be good under the old root
//! and the new one: so targets, snapshot and timestamp are first published with the signatures of both, and the root
//! after them.
//!
//! # Why a race cannot hurt
//! The timestamp is replaced by compare-and-swap. Who loses reads everything again, applies the changes to that, and
//! writes higher versions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp as Instant;
use modanchor_core::tuf::metadata::{Root, Signed, Snapshot, Targets, Timestamp};

use super::base::{Base, BaseError, Edit};
use super::changes::{self, Change, ChangeError, Effect, How};
use super::config::ConfigError;
use super::keyring::Keyring;
use super::keys::KeyError;
use super::listing;
use super::roles::{self, Authority, Standing, TIMESTAMP, file_name, meta_of, sign, standing, unsigned};
use super::store::{Content, Item, Store, StoreError};
use super::work::{Work, WorkError};

/// How often a publisher that loses a race tries again.
pub const MAX_RACES: usize = 16;
/// How many versions that broken-off publications have left are skipped.
pub const MAX_SKIPPED: u64 = 1024;

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The store's content.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// The changes.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The working copy.
    #[error(transparent)]
    Work(#[from] WorkError),
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Somebody has to sign first.
    #[error(
        "{role}: {} of {} signatures; missing: {}; {how}",
        .standing.signed.len(), .standing.threshold, .standing.unsigned.join(", ")
    )]
    Unsigned {
        /// What.
        role: String,
        /// Who has, and who has not.
        standing: Standing,
        /// What to do.
        how: &'static str,
    },
    /// Always somebody else.
    #[error("{MAX_RACES} times another publisher was faster; nothing was published: try again")]
    Races,
    /// Files where ours should go.
    #[error("{0}: more than {MAX_SKIPPED} versions of it are there that nobody uses")]
    Leftovers(String),
    /// The root in line does not follow the one in the store.
    #[error(
        "the root in line is version {ours}, and the store has {theirs} already: somebody else has rotated it; \
         `modanchor repo root rotate` begins anew"
    )]
    RootRace {
        /// In line.
        ours: u64,
        /// There.
        theirs: u64,
    },
    /// Nothing to refresh.
    #[error("nothing is published yet: `modanchor repo publish` comes first")]
    Nothing,
}

const SIGN: &str = "their owners run `modanchor repo sign`, then publish again";
const KEYS: &str = "a publisher needs these keys: see [keys] in .modanchor-repo.toml, or --key";

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What became of each target.
    pub effects: Vec<Effect>,
    /// Roles that were signed anew, with their versions.
    pub roles: Vec<(String, u64)>,
    /// The version of root, if a new one was published.
    pub root: Option<u64>,
    /// The version of the snapshot.
    pub snapshot: u64,
    /// The version of the timestamp.
    pub timestamp: u64,
    /// How many other publishers were faster.
    pub races: usize,
}

/// A publication.
pub struct Publisher<'a> {
    /// What is asked for.
    pub work: &'a Work,
    /// Where to.
    pub store: &'a dyn Store,
    /// Who signs.
    pub keys: &'a mut Keyring,
    /// When.
    pub now: Instant,
}

impl Publisher<'_> {
    /// What the store holds, verified, with the changes that are waiting.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn edit(&self) -> Result<(Edit<'_>, Vec<Effect>), PublishError> {
        let base = Base::load(self.store, &self.trusted()?, &self.work.seen()?)?;
        let expires = roles::expires(self.now, self.work.config.expires.seconds("targets")?);
        let mut edit = Edit::new(self.store, base, expires)?;
        let effects = changes::apply(&mut edit, &self.work.changes()?)?;
        Ok((edit, effects))
    }

    /// The root to begin with: at the very first publication, the one that is going to be published.
    fn trusted(&self) -> Result<Signed<Root>, PublishError> {
        match self.work.root() {
            Err(WorkError::NoRoot) => Ok(self.work.next_root()?.ok_or(WorkError::NoRoot)?),
            other => Ok(other?),
        }
    }

    /// Signs what people must sign, as far as the keys here go, and keeps it as drafts. Gives each role's standing.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn sign(&mut self, only: Option<&str>) -> Result<Vec<(String, Standing)>, PublishError> {
        let base = Base::load(self.store, &self.trusted()?, &self.work.seen()?)?;
        let expires = roles::expires(self.now, self.work.config.expires.seconds("targets")?);
        let mut edit = Edit::new(self.store, base, expires)?;
        changes::apply(&mut edit, &self.work.changes()?)?;
        let names: Vec<String> = edit.differing().map(|(name, _)| name.clone()).collect();
        let names: Vec<String> = names.into_iter().filter(|name| only.is_none_or(|only| only == name)).collect();
        let built = build(self.work, self.keys, &edit, &names, &BTreeMap::new(), None)?;
        let mut standings = Vec::new();
        for (name, file) in built {
            self.work.save_draft(&name, &file)?;
            let authority = edit.authority(&name).ok_or_else(|| ChangeError::NoRole(name.clone()))?;
            standings.push((name.clone(), standing(&file, authority)));
        }
        Ok(standings)
    }

    /// Publishes all changes that are waiting, and a root that is in line.
    ///
    /// # Errors
    /// [`PublishError`]: then nothing that a client sees has changed, or all of it has and only lists are old; either way
    /// publishing again does what is left.
    pub fn publish(&mut self) -> Result<Published, PublishError> {
        self.run(false)
    }

    /// As [`Self::publish`], but a root in line comes out first, and nothing is signed with keys that it takes away: for keys
    /// that are lost or stolen. Until the timestamp has followed, clients of the new root find none that is good.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish_without_old_keys(&mut self) -> Result<Published, PublishError> {
        self.run(true)
    }

    fn run(&mut self, root_first: bool) -> Result<Published, PublishError> {
        let changes = self.work.changes()?;
        for races in 0..MAX_RACES {
            if let Some(published) = self.attempt(&changes, races, root_first)? {
                self.work.clear()?;
                return Ok(published);
            }
        }
        Err(PublishError::Races)
    }

    /// None: another publisher was faster.
    fn attempt(
        &mut self,
        changes: &[Change],
        races: usize,
        root_first: bool,
    ) -> Result<Option<Published>, PublishError> {
        let (work, store) = (self.work, self.store);
        let base = Base::load(store, &self.trusted()?, &work.seen()?)?;
        for root in &base.new_roots {
            work.save_root(root)?;
        }
        let next = self.next_root(&base)?;
        // The very first root is one's own, and nobody reads a repository that has no timestamp.
        if (base.timestamp.is_none() || root_first)
            && let Some(first) = &next
        {
            // What is there is signed by keys that the new root may not know: remember that it was good.
            if let Some(seen) = base.seen_now() {
                work.save_seen(&seen)?;
            }
            self.put_root(first)?;
            let base = Base::load(store, first, &work.seen()?)?;
            return self.metadata(base, None, changes, races).map(|published| {
                published.map(|published| Published { root: Some(first.signed.version), ..published })
            });
        }
        let Some(published) = self.metadata(base, next.as_ref(), changes, races)? else { return Ok(None) };
        let Some(next) = next else { return Ok(Some(published)) };
        self.put_root(&next)?;
        Ok(Some(Published { root: Some(next.signed.version), ..published }))
    }

    /// The root in line, if it is not in the store already.
    fn next_root(&self, base: &Base) -> Result<Option<Signed<Root>>, PublishError> {
        let Some(next) = self.work.next_root()? else { return Ok(None) };
        let (ours, theirs) = (next.signed.version, base.root.signed.version);
        if next == base.root {
            // The first one stands for itself until it is in the store.
            if self.store.read(&file_name(ours, "root"), u64::from(u32::MAX))?.is_some() {
                self.work.save_root(&next)?;
                self.work.save_next_root(None)?;
                return Ok(None);
            }
            return Ok(Some(next));
        }
        if ours != theirs + 1 {
            return Err(PublishError::RootRace { ours, theirs });
        }
        for root in [&base.root.signed, &next.signed] {
            require("root", &next, &Authority::of_root(root, "root"), "`modanchor repo root status` says more")?;
        }
        Ok(Some(next))
    }

    fn put_root(&self, root: &Signed<Root>) -> Result<(), PublishError> {
        let version = root.signed.version;
        let item = Item { name: file_name(version, "root"), content: Content::Bytes(root.to_bytes()) };
        if !self.store.create(&[item])?.is_empty() {
            return Err(PublishError::RootRace { ours: version, theirs: version });
        }
        self.store.settle()?;
        self.work.save_root(root)?;
        Ok(self.work.save_next_root(None)?)
    }

    fn metadata(
        &mut self,
        base: Base,
        next: Option<&Signed<Root>>,
        changes: &[Change],
        races: usize,
    ) -> Result<Option<Published>, PublishError> {
        let (work, store) = (self.work, self.store);
        let lifetimes = &work.config.expires;
        let current = base.root.clone();
        let mut edit = Edit::new(store, base, roles::expires(self.now, lifetimes.seconds("targets")?))?;
        let effects = changes::apply(&mut edit, changes)?;
        // A role whose keys change is signed by old and new.
        let rekeyed = |role: &str| {
            next.is_some_and(|next| Authority::of_root(&next.signed, role) != Authority::of_root(&current.signed, role))
        };
        if rekeyed("targets") || edit.base.is_stale("targets") {
            edit.renew("targets");
        }
        let names: Vec<String> = edit.differing().map(|(name, _)| name.clone()).collect();
        let moves = !names.is_empty()
            || ["snapshot", "timestamp"].into_iter().any(|role| rekeyed(role) || edit.base.is_stale(role));

        let uploads = changes::uploads(changes);
        self.put_files(&uploads)?;
        let mut published = Published {
            effects,
            roles: Vec::new(),
            root: None,
            snapshot: edit.base.snapshot.as_ref().map_or(0, |snapshot| snapshot.signed.version),
            timestamp: edit.base.timestamp.as_ref().map_or(0, |(timestamp, _)| timestamp.signed.version),
            races,
        };
        if moves {
            let roles = self.put_roles(&edit, names, next)?;
            published.roles = roles.iter().map(|(name, version)| (name.clone(), *version)).collect();
            let authorities = |role: &str| -> Vec<Authority> {
                let roots = [Some(&current), next];
                roots.into_iter().flatten().map(|root| Authority::of_root(&root.signed, role)).collect()
            };
            let Some((snapshot, timestamp)) = self.put_top(&edit.base, Some(&roles), &authorities)? else {
                return Ok(None);
            };
            (published.snapshot, published.timestamp) = (snapshot, timestamp);
        }
        // From here on nothing is lost: lists are made anew by whoever publishes again.
        store.put(&listing::of(store, changes)?)?;
        let gone = changes::removals(changes);
        store.remove(&gone.into_iter().collect::<Vec<_>>())?;
        store.settle()?;
        Ok(Some(published))
    }

    /// Writes the modules' files under both their names.
    fn put_files(&self, uploads: &BTreeMap<String, String>) -> Result<(), PublishError> {
        let (mut hashed, mut plain) = (Vec::new(), Vec::new());
        for (path, sha256) in uploads {
            let content = Content::File(self.work.file(sha256));
            hashed.push(Item { name: consistent_name(path, sha256), content: content.clone() });
            plain.push(Item { name: path.clone(), content });
        }
        // The name has the hash: what else is there under it is half a file, or somebody's joke.
        let taken = self.store.create(&hashed)?;
        let again: Vec<Item> = taken.into_iter().map(|index| hashed[index].clone()).collect();
        self.store.put(&again)?;
        Ok(self.store.put(&plain)?)
    }

    /// Writes targets roles, and gives their versions.
    fn put_roles(
        &mut self,
        edit: &Edit<'_>,
        names: Vec<String>,
        next: Option<&Signed<Root>>,
    ) -> Result<BTreeMap<String, u64>, PublishError> {
        let next = next.map(|next| Authority::of_root(&next.signed, "targets"));
        let mut written = BTreeMap::new();
        let mut names = names;
        let mut floors: BTreeMap<String, u64> = BTreeMap::new();
        while !names.is_empty() {
            let built = build(self.work, self.keys, edit, &names, &floors, next.as_ref())?;
            for (name, file) in &built {
                let authority = edit.authority(name).ok_or_else(|| ChangeError::NoRole(name.clone()))?;
                require(name, file, authority, SIGN)?;
                if let Some(next) = next.as_ref().filter(|_| name == "targets") {
                    require(name, file, next, SIGN)?;
                }
            }
            let items: Vec<Item> = built
                .iter()
                .map(|(name, file)| Item {
                    name: file_name(file.signed.version, name),
                    content: Content::Bytes(file.to_bytes()),
                })
                .collect();
            let taken: BTreeSet<usize> = self.store.create(&items)?.into_iter().collect();
            let mut again = Vec::new();
            for (index, (name, file)) in built.into_iter().enumerate() {
                let version = file.signed.version;
                if !taken.contains(&index) {
                    written.insert(name, version);
                    continue;
                }
                if version > edit.base.version_of(&name).unwrap_or(0) + MAX_SKIPPED {
                    return Err(PublishError::Leftovers(name));
                }
                floors.insert(name.clone(), version + 1);
                again.push(name);
            }
            names = again;
        }
        Ok(written)
    }

    /// Writes a snapshot, if roles have changed or keys have, and then the timestamp. None: another publisher was faster.
    fn put_top(
        &mut self,
        base: &Base,
        roles: Option<&BTreeMap<String, u64>>,
        authorities: &dyn Fn(&str) -> Vec<Authority>,
    ) -> Result<Option<(u64, u64)>, PublishError> {
        let lifetimes = &self.work.config.expires;
        let mut signed_by = |role: &str| -> Result<Vec<Authority>, PublishError> {
            let authorities = authorities(role);
            authorities.iter().try_for_each(|authority| self.keys.load(authority))?;
            Ok(authorities)
        };
        let (by_snapshot, by_timestamp) = (signed_by("snapshot")?, signed_by("timestamp")?);
        let signers = self.keys.signers();
        let snapshot = match roles {
            None => base.snapshot.clone().ok_or(PublishError::Nothing)?,
            Some(roles) => {
                let mut meta = base.snapshot.as_ref().map(|old| old.signed.meta.clone()).unwrap_or_default();
                meta.extend(roles.iter().map(|(name, version)| (format!("{name}.json"), meta_of(*version))));
                let expires = roles::expires(self.now, lifetimes.seconds("snapshot")?);
                let old = base.snapshot.as_ref().map_or(0, |snapshot| snapshot.signed.version);
                let mut file: Signed<Snapshot> = unsigned(roles::snapshot(old + 1, expires, meta));
                loop {
                    sign(&mut file, &by_snapshot.iter().collect::<Vec<_>>(), &signers)?;
                    by_snapshot.iter().try_for_each(|authority| require("snapshot", &file, authority, KEYS))?;
                    let version = file.signed.version;
                    let name = file_name(version, "snapshot");
                    let item = Item { name: name.clone(), content: Content::Bytes(file.to_bytes()) };
                    if self.store.create(&[item])?.is_empty() {
                        break file;
                    }
                    if version > old + MAX_SKIPPED {
                        return Err(PublishError::Leftovers(name));
                    }
                    file.signed.version += 1;
                }
            }
        };
        let bytes = snapshot.to_bytes();
        let expires = roles::expires(self.now, lifetimes.seconds("timestamp")?);
        let version = base.timestamp.as_ref().map_or(0, |(old, _)| old.signed.version) + 1;
        let mut file: Signed<Timestamp> = unsigned(roles::timestamp(version, expires, &snapshot, &bytes));
        // Whoever has written the snapshot that stays: its bytes are theirs.
        if let (None, Some((old, _))) = (roles, &base.timestamp) {
            file.signed.meta = old.signed.meta.clone();
        }
        sign(&mut file, &by_timestamp.iter().collect::<Vec<_>>(), &signers)?;
        by_timestamp.iter().try_for_each(|authority| require("timestamp", &file, authority, KEYS))?;
        self.store.settle()?;
        let bytes = file.to_bytes();
        let tag = base.timestamp.as_ref().map(|(_, tag)| tag);
        if !self.store.swap(TIMESTAMP, &bytes, tag)? {
            return Ok(None);
        }
        self.work.save_seen(&Base::seen(&file, &bytes, &snapshot))?;
        Ok(Some((snapshot.signed.version, version)))
    }

    /// Signs the timestamp anew, and the snapshot too if it has spent half of its time.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn refresh(&mut self) -> Result<Published, PublishError> {
        for races in 0..MAX_RACES {
            let base = Base::load(self.store, &self.trusted()?, &self.work.seen()?)?;
            for root in &base.new_roots {
                self.work.save_root(root)?;
            }
            let snapshot = base.snapshot.as_ref().ok_or(PublishError::Nothing)?;
            let half = i64::try_from(self.work.config.expires.seconds("snapshot")? / 2).unwrap_or(i64::MAX);
            let left = snapshot.signed.expires.timestamp().as_second().saturating_sub(self.now.as_second());
            let none = BTreeMap::new();
            let root = base.root.clone();
            let authorities = |role: &str| vec![Authority::of_root(&root.signed, role)];
            if let Some((snapshot, timestamp)) = self.put_top(&base, (left < half).then_some(&none), &authorities)? {
                let (effects, roles) = (Vec::new(), Vec::new());
                return Ok(Published { effects, roles, root: None, snapshot, timestamp, races });
            }
        }
        Err(PublishError::Races)
    }
}

/// The name of a target with its hash.
#[must_use]
pub fn consistent_name(path: &str, sha256: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, file)) => format!("{folder}/{sha256}.{file}"),
        None => format!("{sha256}.{path}"),
    }
}

/// Metadata of changed roles: a draft that says the same, or new; signed by whoever is here.
fn build(
    work: &Work,
    keys: &mut Keyring,
    edit: &Edit<'_>,
    names: &[String],
    floors: &BTreeMap<String, u64>,
    next: Option<&Authority>,
) -> Result<Vec<(String, Signed<Targets>)>, PublishError> {
    let mut jobs = Vec::with_capacity(names.len());
    for name in names {
        let (Some(role), Some(authority)) = (edit.role(name), edit.authority(name)) else {
            return Err(ChangeError::NoRole(name.clone()).into());
        };
        let mut authorities = vec![authority];
        authorities.extend(next.filter(|_| name == "targets"));
        authorities.iter().try_for_each(|authority| keys.load(authority))?;
        let version = (edit.base.version_of(name).unwrap_or(0) + 1).max(floors.get(name).copied().unwrap_or(0));
        let fresh = edit.fresh(role, version);
        let says_the_same = |draft: &Signed<Targets>| {
            draft.signed.version >= version
                && Targets { version: 0, expires: fresh.expires, ..draft.signed.clone() }
                    == Targets { version: 0, ..fresh.clone() }
        };
        let draft = work.draft(name)?.filter(says_the_same);
        jobs.push((name.clone(), draft.unwrap_or_else(|| unsigned(fresh)), authorities));
    }
    let signers = keys.signers();
    let signed = super::parallel(jobs, |(name, mut file, authorities)| {
        sign(&mut file, &authorities, &signers)?;
        Ok((name, file))
    });
    signed.into_iter().collect()
}

fn require<T: modanchor_core::tuf::metadata::Role>(
    role: &str,
    file: &Signed<T>,
    authority: &Authority,
    how: &'static str,
) -> Result<(), PublishError> {
    let standing = standing(file, authority);
    if standing.met() { Ok(()) } else { Err(PublishError::Unsigned { role: role.to_owned(), standing, how }) }
}

/// Whether anything would change.
#[must_use]
pub fn changes_something(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| effect.how != How::Same)
}
