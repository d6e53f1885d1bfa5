//! Stories of publishers: what they leave behind when they die, when they race, and when somebody else has been there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp as Instant;
use modanchor_core::dirhash::dir::hash_file;
use modanchor_core::hex;
use modanchor_core::module::ModuleVersion;
use modanchor_core::tuf::metadata::{Key, Role, Root, Signed, Snapshot, Targets, canonical};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::base::{Base, BaseError, Edit};
use super::ceremony::{self, CeremonyError, Rotation};
use super::changes::{self, Change, ChangeError, How, Kind, custom_of, path_of};
use super::config::{Config, Lifetimes};
use super::delegation::{BINS_ROLE, Delegation, DelegationError};
use super::keyring::Keyring;
use super::keys::{self, SecretKey, Signer};
use super::publication::{PublishError, Published, Publisher, consistent_name};
use super::roles::{self, Authority, TIMESTAMP, file_name, unsigned};
use super::store::{Folder, Item, Store, StoreError, Tag};
use super::work::{Seen, Work};
use super::{measure, status};
use crate::files::Regular;

const NOW: i64 = 1_800_000_000;

fn now() -> Instant {
    Instant::from_second(NOW).unwrap()
}

/// The key of that name: the same in every working copy of a test.
fn key(name: &str) -> SecretKey {
    let seed: [u8; 32] = Sha256::digest(name.as_bytes()).into();
    let mut pem = String::new();
    {
        use ed25519_dalek::pkcs8::EncodePrivateKey as _;
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        pem.push_str(&key.to_pkcs8_pem(pkcs8::LineEnding::LF).unwrap());
    }
    let mut none = |name: &str| Err(keys::KeyError::NeedsPassphrase(name.to_owned()));
    SecretKey::from_pem(name, &pem, &mut none).unwrap().named(&name.parse().unwrap())
}

fn public(name: &str) -> Key {
    key(name).public().clone()
}

fn ring(names: &[&str]) -> Keyring {
    let ask = Box::new(|name: &str| Err(keys::KeyError::NeedsPassphrase(name.to_owned())));
    let mut ring = Keyring::new(BTreeMap::new(), Path::new(""), ask);
    names.iter().for_each(|name| ring.add(Box::new(key(name))));
    ring
}

const ALL: [&str; 5] = ["root", "targets", "snapshot", "timestamp", "team"];

/// A folder with a store and working copies.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn store_path(&self) -> PathBuf {
        self.dir.path().join("store")
    }

    fn store(&self) -> Folder {
        Folder::new(self.store_path())
    }

    fn work(&self, name: &str) -> Work {
        let dir = self.dir.path().join(name);
        if dir.exists() {
            return Work::open(&dir).unwrap();
        }
        let config = Config { store: "../store".into(), expires: Lifetimes::default(), keys: BTreeMap::new() };
        let work = Work::create(&dir, config).unwrap();
        work.save_next_root(Some(&first_root())).unwrap();
        work
    }

    /// Another publisher's working copy of the same repository.
    fn clone_of(&self, name: &str) -> Work {
        let work = self.work(name);
        work.save_root(&first_root()).unwrap();
        work.save_next_root(None).unwrap();
        work
    }

    /// A zip of a module with a file of this content.
    fn add(&self, work: &Work, module: &str, content: &str) -> Change {
        let module: ModuleVersion = module.parse().unwrap();
        let path = self.dir.path().join("m.zip");
        std::fs::write(&path, zip(&module, content)).unwrap();
        let measured = measure::module(work, &module, &Regular::open(&path).unwrap(), None).unwrap();
        Change::Add {
            path: module.path().to_owned(),
            version: module.version().to_owned(),
            files: measured.files,
            provenance: None,
            upload: true,
            replace: false,
        }
    }
}

/// A zip with one stored file and a go.mod.
fn zip(module: &ModuleVersion, content: &str) -> Vec<u8> {
    let files = [("go.mod", format!("module {}\n", module.path())), ("x.go", format!("package x // {content}\n"))];
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let name = format!("{module}/{name}");
        let offset = u32::try_from(out.len()).unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(content.as_bytes());
        let mut common = Vec::new();
        for field in [20u16, 0, 0, 0, 0] {
            common.extend(field.to_le_bytes());
        }
        common.extend(crc.sum().to_le_bytes());
        common.extend([u32::try_from(content.len()).unwrap().to_le_bytes(); 2].concat());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0; 2]);
        out.extend([b"PK\x03\x04".as_slice(), &common, name.as_bytes(), content.as_bytes()].concat());
        directory.extend(
            [b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let (start, size) = (u32::try_from(out.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    out.extend(directory);
    out.extend([b"PK\x05\x06".as_slice(), &[0; 4], &2u16.to_le_bytes(), &2u16.to_le_bytes()].concat());
    out.extend([size.to_le_bytes().as_slice(), &start.to_le_bytes(), &[0; 2]].concat());
    out
}

fn first_root() -> Signed<Root> {
    let one = |name: &'static str| (name, (vec![public(name)], 1));
    let roles = ceremony::Roles::from([one("root"), one("targets"), one("snapshot"), one("timestamp")]);
    let mut root = ceremony::first(&roles, roles::expires(now(), 1000)).unwrap();
    let key = key("root");
    ceremony::add_signatures(&mut root, None, &[&key]).unwrap();
    ceremony::finish(&root, None).unwrap()
}

fn publish(work: &Work, store: &dyn Store) -> Result<Published, PublishError> {
    publish_with(work, store, &ALL)
}

fn publish_with(work: &Work, store: &dyn Store, names: &[&str]) -> Result<Published, PublishError> {
    Publisher { work, store, keys: &mut ring(names), now: now() }.publish()
}

fn push(work: &Work, change: Change) {
    let mut changes = work.changes().unwrap();
    changes.push(change);
    work.save_changes(&changes).unwrap();
}

/// Everything that a client finds which begins with the first root: each target with its length and SHA-256, from every role.
/// Fails unless all of it is signed, and every target's file is there under its hash with that content.
fn read_as_client(store: &dyn Store) -> Result<BTreeMap<String, Targets>, BaseError> {
    let (first, _) = store.read(&file_name(1, "root"), u64::MAX)?.expect("the first root is kept");
    let first = Signed::parse(&first).unwrap();
    let base = Base::load(store, &first, &Seen::default())?;
    if base.timestamp.is_none() {
        return Ok(BTreeMap::new());
    }
    let mut edit = Edit::new(store, base, roles::expires(now(), 1))?;
    let mut found = BTreeMap::new();
    for role in edit.all_roles()? {
        let Some(targets) = edit.published(&role) else { continue };
        for (path, target) in &targets.targets {
            let name = consistent_name(path, &target.hashes["sha256"]);
            let (bytes, _) = store.read(&name, u64::MAX)?.unwrap_or_else(|| panic!("{name} is not there"));
            assert_eq!(bytes.len() as u64, target.length, "{name}");
            assert_eq!(hex::encode(&Sha256::digest(&bytes)), target.hashes["sha256"], "{name}");
        }
        found.insert(role, targets.clone());
    }
    Ok(found)
}

fn paths(found: &BTreeMap<String, Targets>) -> Vec<&str> {
    found
        .values()
        .flat_map(|targets| targets.targets.keys().map(String::as_str))
        .filter(|path| path.ends_with(".zip"))
        .collect()
}

/// A store whose disk is full, or whose publisher dies, after so many writes.
struct Failing<'a> {
    inner: &'a Folder,
    left: Cell<usize>,
}

impl Failing<'_> {
    fn spend(&self) -> Result<(), StoreError> {
        let full = || StoreError::Io {
            action: "write",
            path: "store".into(),
            source: io::Error::from(io::ErrorKind::StorageFull),
        };
        self.left.set(self.left.get().checked_sub(1).ok_or_else(full)?);
        Ok(())
    }
}

impl Store for Failing<'_> {
    fn read(&self, name: &str, max: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        self.inner.read(name, max)
    }

    fn exists(&self, name: &str) -> Result<bool, StoreError> {
        self.inner.exists(name)
    }

    fn create(&self, items: &[Item]) -> Result<Vec<usize>, StoreError> {
        let mut taken = Vec::new();
        for (index, item) in items.iter().enumerate() {
            self.spend()?;
            if !self.inner.create(std::slice::from_ref(item))?.is_empty() {
                taken.push(index);
            }
        }
        Ok(taken)
    }

    fn put(&self, items: &[Item]) -> Result<(), StoreError> {
        items.iter().try_for_each(|item| self.spend().and_then(|()| self.inner.put(std::slice::from_ref(item))))
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: Option<&Tag>) -> Result<bool, StoreError> {
        self.spend()?;
        self.inner.swap(name, bytes, expected)
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        names.iter().try_for_each(|name| self.spend().and_then(|()| self.inner.remove(std::slice::from_ref(name))))
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.spend()
    }
}

#[test]
fn from_nothing_to_a_repository() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, place.add(&work, "example.com/My/lib@v1.2.3", "one"));
    let published = publish(&work, &store).unwrap();
    assert_eq!((published.root, published.snapshot, published.timestamp, published.races), (Some(1), 1, 1, 0));
    assert_eq!(work.changes().unwrap(), []);
    let found = read_as_client(&store).unwrap();
    assert_eq!(paths(&found), ["example.com/!my/lib/@v/v1.2.3.zip"]);
    let zip = &found["targets"].targets["example.com/!my/lib/@v/v1.2.3.zip"];
    assert!(custom_of(zip, "h1").unwrap().as_str().unwrap().starts_with("h1:"));
    let text = |name: &str| std::fs::read_to_string(place.store_path().join(name)).unwrap();
    assert_eq!(text("example.com/!my/lib/@v/list"), "v1.2.3\n");
    assert_eq!(text("example.com/!my/lib/@latest"), r#"{"Version":"v1.2.3"}"#);
    assert_eq!(text("example.com/!my/lib/@v/v1.2.3.mod"), "module example.com/My/lib\n");
    // Nothing to do is nothing done.
    let again = publish(&work, &store).unwrap();
    assert_eq!((again.roles, again.timestamp), (vec![], 1));
}

/// However far a publisher came, clients see the old repository or the new one, and publishing again ends it.
#[test]
fn a_publisher_that_dies_at_any_step_leaves_a_whole_repository() {
    let (old, new) = ("example.com/a/@v/v1.0.0.zip", "example.com/b/@v/v1.0.0.zip");
    let mut steps = 0;
    loop {
        let place = Place::new();
        let (work, store) = (place.work("work"), place.store());
        push(&work, place.add(&work, "example.com/a@v1.0.0", "a"));
        publish(&work, &store).unwrap();
        push(&work, team("team", &["example.com/b"]));
        push(&work, place.add(&work, "example.com/b@v1.0.0", "b"));
        push(&work, Change::Remove { path: "example.com/a".into(), version: "v1.0.0".into() });
        let done = publish(&work, &Failing { inner: &store, left: Cell::new(steps) });
        let found = read_as_client(&store).unwrap_or_else(|error| panic!("after {steps} writes: {error}"));
        assert!([vec![old], vec![new]].contains(&paths(&found)), "after {steps} writes: {:?}", paths(&found));
        if done.is_ok() {
            assert_eq!(paths(&found), [new]);
            break;
        }
        // And another day.
        publish(&work, &store).unwrap_or_else(|error| panic!("again, after {steps} writes: {error}"));
        let found = read_as_client(&store).unwrap();
        assert_eq!(paths(&found), [new], "again, after {steps} writes");
        let text = |name: &str| std::fs::read_to_string(place.store_path().join(name)).unwrap();
        assert_eq!(text("example.com/b/@v/list"), "v1.0.0\n", "after {steps} writes");
        assert_eq!(text("example.com/a/@v/list"), "", "after {steps} writes");
        assert!(!place.store_path().join(old).exists(), "after {steps} writes");
        steps += 1;
    }
    assert!(steps > 12, "{steps}");
}

/// The same for the very first publication, and for a change of every online key at once.
#[test]
fn a_rotation_that_dies_at_any_step_leaves_a_whole_repository() {
    let mut steps = 0;
    loop {
        let place = Place::new();
        let (work, store) = (place.work("work"), place.store());
        push(&work, place.add(&work, "example.com/a@v1.0.0", "a"));
        let all = ["root", "targets", "snapshot", "timestamp", "root2", "targets2", "snapshot2", "timestamp2"];
        let first = publish_with(&work, &Failing { inner: &store, left: Cell::new(steps) }, &all);
        if place.store_path().join("tuf/1.root.json").exists() {
            read_as_client(&store).unwrap_or_else(|error| panic!("first, after {steps} writes: {error}"));
        }
        if first.is_err() {
            publish_with(&work, &store, &all).unwrap_or_else(|error| panic!("first, after {steps} writes: {error}"));
        }
        rotate_everything(&work);
        let done = publish_with(&work, &Failing { inner: &store, left: Cell::new(steps) }, &all);
        let found = read_as_client(&store).unwrap_or_else(|error| panic!("after {steps} writes: {error}"));
        assert_eq!(paths(&found), ["example.com/a/@v/v1.0.0.zip"]);
        if first.is_ok() && done.is_ok() {
            break;
        }
        if done.is_err() {
            publish_with(&work, &store, &all).unwrap_or_else(|error| panic!("again, after {steps} writes: {error}"));
        }
        // From then on the new keys are enough.
        push(&work, place.add(&work, "example.com/b@v1.0.0", "b"));
        publish_with(&work, &store, &["targets2", "snapshot2", "timestamp2"]).unwrap();
        assert_eq!(paths(&read_as_client(&store).unwrap()).len(), 2);
        for version in [1, 2] {
            assert!(place.store_path().join(file_name(version, "root")).exists(), "every root is kept");
        }
        steps += 1;
    }
    assert!(steps > 12, "{steps}");
}

/// Every online key is lost: nothing can be signed with it any more, and nobody needs to.
#[test]
fn lost_keys_are_replaced_without_them() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, place.add(&work, "example.com/a@v1.0.0", "a"));
    publish(&work, &store).unwrap();
    rotate_everything(&work);
    let left = ["targets2", "snapshot2", "timestamp2"];
    assert!(matches!(publish_with(&work, &store, &left), Err(PublishError::Unsigned { .. })));
    read_as_client(&store).unwrap();
    let lost = |store: &dyn Store| {
        Publisher { work: &work, store, keys: &mut ring(&left), now: now() }.publish_without_old_keys()
    };
    // It dies right after the root, at the worst moment; and is done again, without any flag.
    lost(&Failing { inner: &store, left: Cell::new(2) }).unwrap_err();
    assert!(place.store_path().join(file_name(2, "root")).exists());
    assert!(matches!(read_as_client(&store), Err(BaseError::Signature { .. })));
    publish_with(&work, &store, &left).unwrap();
    assert_eq!(paths(&read_as_client(&store).unwrap()), ["example.com/a/@v/v1.0.0.zip"]);
    // Nothing is signed anew for ever after.
    assert_eq!(publish_with(&work, &store, &left).unwrap().roles, []);
}

/// The same promises on an object store.
#[test]
fn a_bucket_is_as_good_as_a_folder() {
    let place = Place::new();
    let work = place.work("work");
    let inner: std::sync::Arc<dyn object_store::ObjectStore> =
        std::sync::Arc::new(object_store::memory::InMemory::new());
    let store = || super::bucket::Bucket::new(inner.clone(), "repo").unwrap();
    push(&work, place.add(&work, "example.com/a@v1.0.0", "a"));
    publish(&work, &store()).unwrap();
    let rival = place.clone_of("rival");
    push(&rival, place.add(&rival, "example.com/b@v1.0.0", "b"));
    publish(&rival, &store()).unwrap();
    push(&work, place.add(&work, "example.com/c@v1.0.0", "c"));
    publish(&work, &store()).unwrap();
    assert_eq!(paths(&read_as_client(&store()).unwrap()).len(), 3);
}

fn rotate_everything(work: &Work) {
    let old = work.root().unwrap();
    let names = ["root", "targets", "snapshot", "timestamp"];
    let rotation = Rotation {
        add: names.iter().map(|name| ((*name).to_owned(), public(&format!("{name}2")))).collect(),
        remove: names.iter().map(|name| ((*name).to_owned(), (*name).to_owned())).collect(),
        ..Rotation::default()
    };
    let mut root = ceremony::rotate(&old.signed, &rotation, roles::expires(now(), 1000)).unwrap();
    let (key, key2) = (key("root"), key("root2"));
    ceremony::add_signatures(&mut root, Some(&old.signed), &[&key, &key2]).unwrap();
    let root = ceremony::finish(&root, Some(&old)).unwrap();
    work.save_next_root(Some(&root)).unwrap();
}

/// A store in which somebody else publishes just before the timestamp is swapped, so many times.
struct Racing<'a> {
    inner: &'a Folder,
    other: &'a dyn Fn(usize),
    times: Cell<usize>,
}

impl Store for Racing<'_> {
    fn read(&self, name: &str, max: u64) -> Result<Option<(Vec<u8>, Tag)>, StoreError> {
        self.inner.read(name, max)
    }

    fn exists(&self, name: &str) -> Result<bool, StoreError> {
        self.inner.exists(name)
    }

    fn create(&self, items: &[Item]) -> Result<Vec<usize>, StoreError> {
        self.inner.create(items)
    }

    fn put(&self, items: &[Item]) -> Result<(), StoreError> {
        self.inner.put(items)
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: Option<&Tag>) -> Result<bool, StoreError> {
        if let Some(left) = self.times.get().checked_sub(1) {
            self.times.set(left);
            (self.other)(left);
        }
        self.inner.swap(name, bytes, expected)
    }

    fn remove(&self, names: &[String]) -> Result<(), StoreError> {
        self.inner.remove(names)
    }

    fn settle(&self) -> Result<(), StoreError> {
        self.inner.settle()
    }
}

#[test]
fn who_loses_a_race_begins_anew_and_nothing_is_lost() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    publish(&work, &store).unwrap();
    let rival = place.clone_of("rival");
    let other = |n: usize| {
        push(&rival, place.add(&rival, &format!("example.com/rival@v1.0.{n}"), "r"));
        publish(&rival, &store).unwrap();
    };
    push(&work, place.add(&work, "example.com/mine@v1.0.0", "m"));
    let published = publish(&work, &Racing { inner: &store, other: &other, times: Cell::new(3) }).unwrap();
    assert_eq!(published.races, 3);
    let found = read_as_client(&store).unwrap();
    assert_eq!(paths(&found).len(), 4, "{:?}", paths(&found));
    // Who always loses says so, and keeps what was asked for.
    push(&work, place.add(&work, "example.com/mine@v1.0.1", "m"));
    let lost = publish(&work, &Racing { inner: &store, other: &other, times: Cell::new(usize::MAX) });
    assert!(matches!(lost, Err(PublishError::Races)), "{lost:?}");
    assert_eq!(work.changes().unwrap().len(), 1);
    publish(&work, &store).unwrap();
    assert!(paths(&read_as_client(&store).unwrap()).contains(&"example.com/mine/@v/v1.0.1.zip"));
}

#[test]
fn two_publishers_of_the_same_version_with_other_content_do_not_both_win() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    publish(&work, &store).unwrap();
    let rival = place.clone_of("rival");
    push(&work, place.add(&work, "example.com/m@v1.0.0", "mine"));
    push(&rival, place.add(&rival, "example.com/m@v1.0.0", "theirs"));
    publish(&rival, &store).unwrap();
    let lost = publish(&work, &store);
    assert!(matches!(lost, Err(PublishError::Change(ChangeError::Differs { .. }))), "{lost:?}");
    read_as_client(&store).unwrap();
}

/// A store that somebody has changed who has no key.
#[test]
fn a_publisher_signs_nothing_that_a_stranger_has_put_there() {
    type Attack = fn(&Path);
    let attacks: [(&str, Attack); 6] = [
        ("a target smuggled in", |store| {
            let path = store.join("tuf/2.targets.json");
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, text.replace("example.com/a/", "example.com/z/")).unwrap();
        }),
        ("an old targets file under the new name", |store| {
            std::fs::copy(store.join("tuf/1.targets.json"), store.join("tuf/2.targets.json")).map(|_| ()).unwrap();
        }),
        ("an old snapshot under the new name", |store| {
            std::fs::copy(store.join("tuf/1.snapshot.json"), store.join("tuf/2.snapshot.json")).map(|_| ()).unwrap();
        }),
        ("a targets file that is gone", |store| std::fs::remove_file(store.join("tuf/2.targets.json")).unwrap()),
        ("a repository that was emptied", |store| std::fs::remove_file(store.join(TIMESTAMP)).unwrap()),
        ("the old timestamp", |store| std::fs::rename(store.join("old"), store.join(TIMESTAMP)).unwrap()),
    ];
    for (name, attack) in attacks {
        let place = Place::new();
        let (work, store) = (place.work("work"), place.store());
        publish(&work, &store).unwrap();
        std::fs::copy(place.store_path().join(TIMESTAMP), place.store_path().join("old")).unwrap();
        push(&work, place.add(&work, "example.com/a@v1.0.0", "a"));
        publish(&work, &store).unwrap();
        attack(&place.store_path());
        push(&work, place.add(&work, "example.com/b@v1.0.0", "b"));
        let refused = publish(&work, &store);
        assert!(matches!(refused, Err(PublishError::Base(_))), "{name}: {refused:?}");
        assert_eq!(work.changes().unwrap().len(), 1, "{name}");
    }
}

fn team(name: &str, modules: &[&str]) -> Change {
    Change::Delegate(delegation(name, modules))
}

fn delegation(name: &str, modules: &[&str]) -> Delegation {
    Delegation {
        name: name.to_owned(),
        keys: vec![public("team")],
        threshold: 1,
        modules: modules.iter().map(|module| (*module).to_owned()).collect(),
        depth: 1,
        bit_length: None,
        replace: false,
    }
}

#[test]
fn modules_go_to_the_team_that_has_them() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, team("wide", &["example.com"]));
    push(&work, team("narrow", &["example.com/deep"]));
    for module in ["example.com/deep/x@v1.0.0", "example.com/y@v1.0.0", "example.org/z@v1.0.0"] {
        push(&work, place.add(&work, module, "x"));
    }
    publish(&work, &store).unwrap();
    let found = read_as_client(&store).unwrap();
    let of = |role: &str| found[role].targets.keys().filter(|path| path.ends_with(".zip")).cloned().collect::<Vec<_>>();
    assert_eq!(of("narrow"), ["example.com/deep/x/@v/v1.0.0.zip"]);
    assert_eq!(of("wide"), ["example.com/y/@v/v1.0.0.zip"]);
    assert_eq!(of("targets"), ["example.org/z/@v/v1.0.0.zip"]);
    // One element too deep belongs to nobody, and is not quietly approved by whoever delegates.
    push(&work, place.add(&work, "example.com/deep/x/y@v1.0.0", "x"));
    let refused = publish(&work, &store);
    let Err(PublishError::Change(ChangeError::Delegation(DelegationError::TooDeep { role, depth, .. }))) = refused
    else {
        panic!("{refused:?}")
    };
    assert_eq!((role.as_str(), depth), ("narrow", 1));
    // A deeper delegation takes it.
    let deeper = Delegation { depth: 2, replace: true, ..delegation("narrow", &["example.com/deep"]) };
    let mut all = work.changes().unwrap();
    all.insert(0, Change::Delegate(deeper));
    work.save_changes(&all).unwrap();
    publish(&work, &store).unwrap();
    assert_eq!(read_as_client(&store).unwrap()["narrow"].targets.len(), 6);
    // The same name for something else.
    push(&work, team("wide", &["example.net"]));
    let refused = publish(&work, &store);
    assert!(matches!(refused, Err(PublishError::Change(ChangeError::Delegation(DelegationError::Exists(_))))));
}

/// A team's key is stolen: its approvals are signed anew with the next one, and the old one is good for nothing.
#[test]
fn a_team_gets_another_key() {
    for bit_length in [None, Some(2)] {
        let place = Place::new();
        let (work, store) = (place.work("work"), place.store());
        push(&work, Change::Delegate(Delegation { bit_length, ..delegation("team", &["example.com"]) }));
        push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
        publish(&work, &store).unwrap();
        let other = Delegation { keys: vec![public("team2")], replace: true, ..delegation("team", &["example.com"]) };
        push(&work, Change::Delegate(other));
        push(&work, place.add(&work, "example.com/m@v1.0.1", "x"));
        let refused = publish(&work, &store);
        assert!(matches!(refused, Err(PublishError::Unsigned { .. })), "the old key is not enough: {refused:?}");
        publish_with(&work, &store, &["targets", "snapshot", "timestamp", "team2"]).unwrap();
        assert_eq!(paths(&read_as_client(&store).unwrap()).len(), 2);
        let rebin = Delegation { bit_length: Some(3), replace: true, depth: 2, ..delegation("team", &["example.com"]) };
        push(&work, Change::Delegate(rebin));
        let rebinned = publish_with(&work, &store, &["targets", "snapshot", "timestamp", "team", "team2"]);
        assert_eq!(rebinned.is_err(), bit_length.is_some(), "{rebinned:?}");
    }
}

#[test]
fn what_no_delegation_can_be() {
    let good = delegation("team", &["example.com"]);
    good.check().unwrap();
    let bad: [(&str, Delegation); 8] = [
        ("root", Delegation { name: "root".into(), ..good.clone() }),
        ("empty", Delegation { name: String::new(), ..good.clone() }),
        ("slash", Delegation { name: "a/b".into(), ..good.clone() }),
        ("a version in front", Delegation { name: "1.team".into(), ..good.clone() }),
        ("long", Delegation { name: "x".repeat(60), ..good.clone() }),
        ("glob", Delegation { modules: vec!["example.com/*".into()], ..good.clone() }),
        ("no signature", Delegation { threshold: 0, ..good.clone() }),
        ("one key twice", Delegation { threshold: 2, keys: vec![public("team"), public("team")], ..good.clone() }),
    ];
    for (name, bad) in bad {
        assert!(bad.check().is_err(), "{name}");
    }
}

#[test]
fn bins_hold_what_no_team_has() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(
        &work,
        Change::Delegate(Delegation {
            bit_length: Some(3),
            modules: Vec::new(),
            keys: vec![public("targets")],
            ..delegation(BINS_ROLE, &[])
        }),
    );
    push(&work, team("team", &["example.com/team"]));
    for n in 0..2 {
        push(&work, place.add(&work, &format!("example.com/m@v1.0.{n}"), "x"));
    }
    push(&work, place.add(&work, "example.com/team@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    let found = read_as_client(&store).unwrap();
    assert_eq!(paths(&found).len(), 3);
    assert_eq!(found.keys().filter(|role| role.starts_with("modules-")).count(), 8, "all bins are there");
    assert_eq!((found["targets"].targets.len(), found["team"].targets.len()), (0, 3));
    // A change of one module signs the bins that it is in, and no other.
    push(
        &work,
        Change::Revoke {
            path: "example.com/m".into(),
            version: "v1.0.1".into(),
            reason: Some("bad".into()),
            until: None,
        },
    );
    let published = publish(&work, &store).unwrap();
    assert_eq!(published.roles.len(), 1, "{:?}", published.roles);
    read_as_client(&store).unwrap();
}

/// Bins have one key: whoever can write to the store serves one as another, for the publisher to sign it so.
#[test]
fn a_bin_under_the_name_of_another_is_refused() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, Change::Delegate(Delegation { bit_length: Some(1), ..delegation("team", &["example.com"]) }));
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    let file = |role: &str| place.store_path().join(file_name(1, role));
    std::fs::copy(file("team-0"), file("team-1")).unwrap();
    push(&work, Change::Renew { role: None });
    let refused = publish(&work, &store);
    assert!(matches!(refused, Err(PublishError::Change(ChangeError::Base(BaseError::Role(_))))), "{refused:?}");
}

#[test]
fn a_module_is_revoked_and_good_again() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    let zip = path_of(&"example.com/m@v1.0.0".parse().unwrap(), Kind::Zip);
    let revoked = |reason: Option<&str>| Change::Revoke {
        path: "example.com/m".into(),
        version: "v1.0.0".into(),
        reason: reason.map(str::to_owned),
        until: None,
    };
    let custom = || custom_of(&read_as_client(&store).unwrap()["targets"].targets[&zip], "revoked").cloned();
    push(&work, revoked(Some("stolen")));
    publish(&work, &store).unwrap();
    assert_eq!(custom(), Some(serde_json::json!({ "reason": "stolen" })));
    assert_eq!(std::fs::read_to_string(place.store_path().join("example.com/m/@v/list")).unwrap(), "");
    // To add it again does not lift it.
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    assert_eq!(custom(), Some(serde_json::json!({ "reason": "stolen" })));
    push(&work, revoked(None));
    publish(&work, &store).unwrap();
    assert_eq!(custom(), None);
    push(&work, Change::Revoke { path: "example.com/n".into(), version: "v1.0.0".into(), reason: None, until: None });
    assert!(matches!(publish(&work, &store), Err(PublishError::Change(ChangeError::NoTarget(_)))));
}

#[test]
fn a_waiver_needs_no_file_and_ends_with_an_approval() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    let Change::Add { path, version, files, .. } = place.add(&work, "example.com/m@v1.0.0", "x") else { panic!() };
    let waive = Change::Waive {
        path,
        version,
        files: files.into_iter().filter(|file| file.kind != Kind::Info).collect(),
        reason: "late review".into(),
        until: roles::expires(now(), 100),
    };
    push(&work, waive.clone());
    publish(&work, &store).unwrap();
    let zip = path_of(&"example.com/m@v1.0.0".parse().unwrap(), Kind::Zip);
    assert!(!place.store_path().join(&zip).exists());
    let target = || {
        let base = Base::load(&store, &work.root().unwrap(), &Seen::default()).unwrap();
        let edit = Edit::new(&store, base, roles::expires(now(), 1)).unwrap();
        edit.role("targets").unwrap().targets[&zip].clone()
    };
    assert_eq!(custom_of(&target(), "waived").unwrap()["reason"], "late review");
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    assert_eq!(custom_of(&target(), "waived"), None);
    push(&work, waive);
    assert!(matches!(publish(&work, &store), Err(PublishError::Change(ChangeError::Approved(_)))));
}

#[test]
fn a_version_never_changes_unless_that_is_said() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    push(&work, place.add(&work, "example.com/m@v1.0.0", "y"));
    assert!(matches!(publish(&work, &store), Err(PublishError::Change(ChangeError::Differs { .. }))));
    let mut changes = work.changes().unwrap();
    let Change::Add { replace, .. } = &mut changes[0] else { panic!() };
    *replace = true;
    work.save_changes(&changes).unwrap();
    publish(&work, &store).unwrap();
    read_as_client(&store).unwrap();
}

#[test]
fn signatures_of_a_team_come_one_by_one() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(
        &work,
        Change::Delegate(Delegation {
            keys: vec![public("alice"), public("bob"), public("carol")],
            threshold: 2,
            ..delegation("team", &["example.com"])
        }),
    );
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    let online = ["root", "targets", "snapshot", "timestamp"];
    let refused = publish_with(&work, &store, &online);
    let Err(PublishError::Unsigned { role, standing, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!((role.as_str(), standing.signed.len(), standing.threshold), ("team", 0, 2));
    let sign = |name: &str, at: i64| {
        let now = Instant::from_second(NOW + at).unwrap();
        Publisher { work: &work, store: &store, keys: &mut ring(&[name]), now }.sign(Some("team")).unwrap()
    };
    let standing = |standings: Vec<(String, roles::Standing)>| standings[0].1.signed.clone();
    assert_eq!(standing(sign("alice", 0)), ["alice"]);
    let report = |names: &[&str]| {
        let publisher = Publisher { work: &work, store: &store, keys: &mut ring(names), now: now() };
        let mut unsigned = status::of(&publisher).unwrap().0.unsigned;
        unsigned.retain(|role| role.role == "team");
        unsigned
    };
    let mut missing = report(&[]).remove(0).missing;
    missing.sort();
    assert_eq!(missing, ["bob", "carol"]);
    // A day later: the same file, whatever the clock says.
    let mut both = standing(sign("carol", 86_400));
    both.sort();
    assert_eq!(both, ["alice", "carol"]);
    assert_eq!(report(&[]), []);
    publish_with(&work, &store, &online).unwrap();
    assert_eq!(paths(&read_as_client(&store).unwrap()), ["example.com/m/@v/v1.0.0.zip"]);
    // What is asked for after they have signed is signed by nobody.
    push(&work, place.add(&work, "example.com/m@v1.0.1", "x"));
    sign("alice", 0);
    sign("bob", 0);
    push(&work, place.add(&work, "example.com/m@v1.0.2", "x"));
    assert!(matches!(publish_with(&work, &store, &online), Err(PublishError::Unsigned { .. })));
}

#[test]
fn a_timestamp_is_refreshed_and_a_snapshot_when_it_is_time() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    assert!(matches!(
        Publisher { work: &work, store: &store, keys: &mut ring(&ALL), now: now() }.refresh(),
        Err(PublishError::Nothing)
    ));
    publish(&work, &store).unwrap();
    let refresh = |days: i64, names: &[&str]| {
        let now = Instant::from_second(NOW + days * 86_400).unwrap();
        Publisher { work: &work, store: &store, keys: &mut ring(names), now }.refresh()
    };
    let published = refresh(1, &["timestamp"]).unwrap();
    assert_eq!((published.snapshot, published.timestamp), (1, 2));
    read_as_client(&store).unwrap();
    assert!(matches!(refresh(4, &["timestamp"]), Err(PublishError::Unsigned { .. })));
    let published = refresh(4, &["snapshot", "timestamp"]).unwrap();
    assert_eq!((published.snapshot, published.timestamp), (2, 3));
    read_as_client(&store).unwrap();
}

#[test]
fn renewed_roles_expire_later_and_say_the_same() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    push(&work, team("team", &["example.com"]));
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    publish(&work, &store).unwrap();
    let before = read_as_client(&store).unwrap();
    push(&work, Change::Renew { role: None });
    let later = Instant::from_second(NOW + 80 * 86_400).unwrap();
    Publisher { work: &work, store: &store, keys: &mut ring(&ALL), now: later }.publish().unwrap();
    let after = read_as_client(&store).unwrap();
    for (role, before) in &before {
        let after = &after[role];
        assert!(after.expires > before.expires && after.version == before.version + 1, "{role}");
        assert_eq!((&after.targets, &after.delegations), (&before.targets, &before.delegations), "{role}");
    }
    push(&work, Change::Renew { role: Some("nobody".into()) });
    assert!(matches!(publish(&work, &store), Err(PublishError::Change(ChangeError::NoRole(_)))));
}

#[test]
fn a_ceremony_of_three_of_five() {
    let names = ["anna", "ben", "cleo", "dora", "emil"];
    let keys: Vec<Key> = names.iter().map(|name| public(name)).collect();
    let one = |name: &'static str| (name, (vec![public(name)], 1));
    let roles = ceremony::Roles::from([("root", (keys, 3)), one("targets"), one("snapshot"), one("timestamp")]);
    let expires = roles::expires(now(), 1000);
    let mut root = ceremony::first(&roles, expires).unwrap();
    for (signed, name) in names.iter().enumerate().take(3) {
        let standing = ceremony::compare(&root, None).new;
        assert_eq!((standing.signed.len(), standing.met()), (signed, false));
        assert!(matches!(ceremony::finish(&root, None), Err(CeremonyError::Unfinished { which: "new", .. })));
        let key = key(name);
        ceremony::add_signatures(&mut root, None, &[&key]).unwrap();
        // It travels.
        root = Signed::parse(&serde_json::to_vec_pretty(&root).unwrap()).unwrap();
    }
    let mut unsigned = ceremony::compare(&root, None).new.unsigned;
    unsigned.sort();
    assert_eq!(unsigned, ["dora", "emil"]);
    let first = ceremony::finish(&root, None).unwrap();
    let stranger = key("stranger");
    let refused = ceremony::add_signatures(&mut root, None, &[&stranger]);
    assert!(matches!(refused, Err(CeremonyError::Stranger(_))));

    // Anna's key is lost: frank's takes its place.
    let rotation = Rotation {
        add: vec![("root".into(), public("frank"))],
        remove: vec![("root".into(), "anna".into())],
        ..Rotation::default()
    };
    let mut next = ceremony::rotate(&first.signed, &rotation, expires).unwrap();
    let comparison = ceremony::compare(&next, Some(&first.signed));
    assert_eq!(comparison.changes.len(), 2, "{:?}", comparison.changes);
    assert!(comparison.changes[0].starts_with("root: adds frank"), "{:?}", comparison.changes);
    for name in ["ben", "frank", "dora"] {
        let key = key(name);
        ceremony::add_signatures(&mut next, Some(&first.signed), &[&key]).unwrap();
    }
    // Three of the new keys, but only two of the old.
    assert!(matches!(ceremony::finish(&next, Some(&first)), Err(CeremonyError::Unfinished { which: "old", .. })));
    let emil = key("emil");
    ceremony::add_signatures(&mut next, Some(&first.signed), &[&emil]).unwrap();
    let second = ceremony::finish(&next, Some(&first)).unwrap();
    assert_eq!(second.signed.version, 2);
    assert!(matches!(ceremony::finish(&second, Some(&second)), Err(CeremonyError::Version { expected: 3, found: 2 })));
    for (rotation, what) in [
        (Rotation::default(), "nothing"),
        (Rotation { thresholds: vec![("root".into(), 6)], ..Rotation::default() }, "threshold"),
        (Rotation { thresholds: vec![("root".into(), 0)], ..Rotation::default() }, "threshold 0"),
        (Rotation { thresholds: vec![("team".into(), 1)], ..Rotation::default() }, "role"),
        (Rotation { remove: vec![("root".into(), "anna".into())], ..Rotation::default() }, "gone already"),
        (Rotation { add: vec![("root".into(), public("ben"))], ..Rotation::default() }, "there already"),
    ] {
        assert!(ceremony::rotate(&second.signed, &rotation, expires).is_err(), "{what}");
    }
    assert_eq!(
        ceremony::rotate(&second.signed, &Rotation { renew: true, ..Rotation::default() }, expires)
            .unwrap()
            .signed
            .version,
        3
    );
}

#[test]
fn a_root_of_somebody_else_is_noticed() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    publish(&work, &store).unwrap();
    let rival = place.clone_of("rival");
    rotate_everything(&work);
    rival.save_next_root(work.next_root().unwrap().as_ref()).unwrap();
    let all = ["targets", "snapshot", "timestamp", "targets2", "snapshot2", "timestamp2"];
    publish_with(&rival, &store, &all).unwrap();
    let lost = publish_with(&work, &store, &all);
    assert!(matches!(lost, Err(PublishError::RootRace { ours: 2, theirs: 2 })) || lost.is_ok(), "{lost:?}");
    read_as_client(&store).unwrap();
}

/// Orphans of many broken-off publications are skipped, and no more than that.
#[test]
fn versions_that_nobody_uses_are_skipped() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    publish(&work, &store).unwrap();
    for (version, role) in [(2, "targets"), (3, "targets"), (2, "snapshot")] {
        std::fs::write(place.store_path().join(file_name(version, role)), "half").unwrap();
    }
    push(&work, place.add(&work, "example.com/m@v1.0.0", "x"));
    let published = publish(&work, &store).unwrap();
    assert_eq!((published.roles, published.snapshot), (vec![("targets".to_owned(), 4)], 3));
    read_as_client(&store).unwrap();
}

#[test]
fn what_is_no_module_is_refused() {
    let place = Place::new();
    let work = place.work("work");
    let module: ModuleVersion = "example.com/m@v1.0.0".parse().unwrap();
    let other: ModuleVersion = "example.com/n@v1.0.0".parse().unwrap();
    let path = place.dir.path().join("m.zip");
    for (bytes, what) in [(b"not a zip".to_vec(), "no zip"), (zip(&other, "x"), "another module")] {
        std::fs::write(&path, bytes).unwrap();
        let refused = measure::module(&work, &module, &Regular::open(&path).unwrap(), None);
        assert!(matches!(refused, Err(measure::MeasureError::Refused { .. })), "{what}: {refused:?}");
    }
    std::fs::write(&path, zip(&module, "x")).unwrap();
    let info = br#"{"Version":"v1.0.0","Time":"2020-01-02T03:04:05Z","Origin":{"URL":"https://secret"}}"#;
    let measured = measure::module(&work, &module, &Regular::open(&path).unwrap(), Some(info)).unwrap();
    let info = measured.files.iter().find(|file| file.kind == Kind::Info).unwrap();
    let text = std::fs::read_to_string(work.file(&info.sha256)).unwrap();
    assert_eq!(text, r#"{"Time":"2020-01-02T03:04:05Z","Version":"v1.0.0"}"#);
    let mut buffer = Vec::new();
    let zip = measured.files.iter().find(|file| file.kind == Kind::Zip).unwrap();
    let copy = Regular::open(&work.file(&zip.sha256)).unwrap();
    assert_eq!(hex::encode(&hash_file(&copy, &mut buffer).unwrap()), zip.sha256);
}

#[test]
fn changes_say_what_they_do() {
    let place = Place::new();
    let (work, store) = (place.work("work"), place.store());
    let add = place.add(&work, "example.com/m@v1.0.0", "x");
    push(&work, add.clone());
    let published = publish(&work, &store).unwrap();
    assert!(published.effects.iter().all(|effect| effect.how == How::New));
    let base = Base::load(&store, &work.root().unwrap(), &work.seen().unwrap()).unwrap();
    let mut edit = Edit::new(&store, base, roles::expires(now(), 1)).unwrap();
    let effects = changes::apply(&mut edit, &[add]).unwrap();
    assert!(effects.iter().all(|effect| effect.how == How::Same));
    assert_eq!(edit.differing().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// What is written is read strictly, and signs the same bytes however it is written down.
    #[test]
    fn what_is_signed_stays_signed(paths in proptest::collection::btree_map("[a-z!.é\"\\\\]{1,12}", "[ -~]{0,12}", 0..8), version in 1u64..1_000_000) {
        let mut targets = roles::empty_targets("targets", roles::expires(now(), 1));
        targets.version = version;
        for (path, text) in paths {
            let custom = serde_json::json!({ "h1": text, "provenance": path });
            let hashes = BTreeMap::from([("sha256".to_owned(), "0".repeat(64))]);
            let target = modanchor_core::tuf::metadata::TargetMeta { length: 1, hashes, custom: Some(custom), extra: Default::default() };
            targets.targets.insert(path, target);
        }
        let key = key("targets");
        let authority = Authority { keys: BTreeMap::from([(key.public().id(), key.public().clone())]), threshold: 1 };
        let mut file = unsigned(targets);
        roles::sign(&mut file, &[&authority], &[&key as &dyn Signer]).unwrap();
        let read = Signed::<Targets>::parse(&file.to_bytes()).unwrap();
        prop_assert_eq!(&read, &file);
        prop_assert!(roles::standing(&read, &authority).met());
        let value: serde_json::Value = serde_json::from_slice(&file.to_bytes()).unwrap();
        prop_assert_eq!(canonical(&value["signed"]), file.canonical());
        prop_assert!(Signed::<Snapshot>::parse(&file.to_bytes()).is_err());
        prop_assert!(file.signed.version() == version);
    }
}
