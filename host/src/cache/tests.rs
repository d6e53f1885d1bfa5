// A test that cannot run here says so.
#![allow(clippy::print_stderr)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::{TempDir, tempdir};

use super::*;

const DB: &str = "sum.golang.org";

fn store(dir: &TempDir) -> Store {
    Store::open(Some(dir.path().to_owned()))
}

fn recall(store: &Store, item: Item, max_bytes: u32) -> Result<Vec<u8>, Failure> {
    let database = DB.to_owned();
    let body = store.recall(&Recall { database, item, max_bytes })?;
    assert_eq!(body.origin, Origin::Store);
    Ok(body.content)
}

fn proof(name: &str) -> Item {
    Item::Proof(name.to_owned())
}

fn kept(item: Item, content: impl Into<Vec<u8>>) -> Kept {
    Kept::Item(KeptItem { database: DB.to_owned(), item, content: content.into() })
}

fn evidence(name: &str, content: &str) -> Kept {
    Kept::Evidence(Evidence { database: DB.to_owned(), name: name.to_owned(), content: content.into() })
}

fn advance(store: &mut Store, previous: Option<&[u8]>, next: &[u8]) -> Result<Vec<u8>, Failure> {
    let previous = previous.map(<[u8]>::to_vec);
    let advance = Advance { database: DB.to_owned(), previous, next: next.to_vec() };
    store.advance(&advance).map(|body| body.content)
}

fn packs(dir: &TempDir) -> Vec<PathBuf> {
    let list = fs::read_dir(dir.path().join("sumdb").join(DB).join("packs"));
    let paths = list.into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|it| it == "pack")).collect()
}

fn said(store: &Store) -> Vec<String> {
    store.notes().iter().map(ToString::to_string).collect()
}

/// Keeps one item per flush, so that each makes a pack.
fn keep_each(store: &mut Store, items: impl IntoIterator<Item = (Item, Vec<u8>)>) {
    for (item, content) in items {
        store.keep(vec![kept(item, content)]);
        store.flush();
    }
}

#[test]
fn every_kind_of_item_is_seen_in_this_run_and_in_the_next() {
    let dir = tempdir().unwrap();
    let mut first = store(&dir);
    assert_eq!(recall(&first, Item::Edge, 9), Err(Failure::Absent));
    assert_eq!(recall(&first, Item::Links, 9), Err(Failure::Absent));
    first.keep(vec![
        kept(proof("a@v1"), "proof"),
        kept(Item::Edge, "edge"),
        kept(Item::FirstSeen, "seen"),
        kept(Item::Link((300, 301)), "second"),
        kept(Item::Link((2, 300)), "first,"),
    ]);
    let check = |store: &Store| {
        assert_eq!(recall(store, proof("a@v1"), 5).unwrap(), b"proof");
        assert_eq!(recall(store, proof("a@v1"), 4), Err(Failure::TooLarge));
        assert_eq!(recall(store, proof("a@v2"), 5), Err(Failure::Absent));
        assert_eq!(recall(store, Item::Edge, 9).unwrap(), b"edge");
        assert_eq!(recall(store, Item::FirstSeen, 9).unwrap(), b"seen");
        assert_eq!(recall(store, Item::Link((2, 300)), 9).unwrap(), b"first,");
        assert_eq!(recall(store, Item::Link((300, 2)), 9), Err(Failure::Absent));
        assert_eq!(recall(store, Item::Links, 12).unwrap(), b"first,second");
        assert_eq!(recall(store, Item::Links, 11), Err(Failure::TooLarge));
        assert_eq!(recall(store, Item::GoLatest, 9), Err(Failure::Absent));
        let database = "other.example".to_owned();
        let other = Recall { database, item: Item::Edge, max_bytes: 9 };
        assert_eq!(store.recall(&other), Err(Failure::Absent));
    };
    check(&first);
    assert!(packs(&dir).is_empty());
    first.flush();
    assert_eq!(packs(&dir).len(), 1);
    check(&first);
    check(&store(&dir));
    assert!(said(&first).is_empty());
}

#[test]
fn the_newest_value_wins_and_what_is_there_is_not_written_again() {
    let dir = tempdir().unwrap();
    let mut one = store(&dir);
    keep_each(&mut one, [(Item::Edge, b"old".to_vec()), (Item::Link((1, 2)), b"x".to_vec())]);
    keep_each(&mut one, [(Item::Edge, b"new".to_vec()), (Item::Link((1, 2)), b"yy".to_vec())]);
    assert_eq!(packs(&dir).len(), 4);
    for store in [&one, &store(&dir)] {
        assert_eq!(recall(store, Item::Edge, 9).unwrap(), b"new");
        assert_eq!(recall(store, Item::Links, 9).unwrap(), b"yy");
    }
    let mut again = store(&dir);
    keep_each(&mut again, [(Item::Edge, b"new".to_vec())]);
    assert_eq!(packs(&dir).len(), 4);
    // In memory the last one wins as well, over what is written.
    again.keep(vec![kept(Item::Link((1, 2)), "z"), kept(Item::Link((1, 2)), "zzz")]);
    assert_eq!(recall(&again, Item::Links, 9).unwrap(), b"zzz");
}

#[test]
fn many_packs_are_merged_and_nothing_is_lost() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    let reader = store(&dir);
    let name = |n: u64| proof(&format!("m{}@v{n}", n % 7));
    for n in 0..60 {
        let at = if n % 3 == 0 { Item::Edge } else { Item::Link((n, n + 1)) };
        writer.keep(vec![kept(name(n), n.to_string()), kept(at, vec![n as u8; n as usize + 1])]);
        writer.flush();
        assert!(packs(&dir).len() <= PACKS_MAX);
        if n == 5 {
            // It holds these packs open while they are merged away.
            assert_eq!(recall(&reader, name(0), 9).unwrap(), b"0");
        }
    }
    assert!(said(&writer).is_empty());
    for n in 0..=5 {
        assert_eq!(recall(&reader, name(n), 9).unwrap(), n.to_string().as_bytes());
    }
    for store in [&writer, &store(&dir)] {
        for n in 0..60 {
            assert_eq!(recall(store, name(n), 9).unwrap(), n.to_string().as_bytes());
        }
        assert_eq!(recall(store, Item::Edge, 99).unwrap(), [57; 58]);
        let links: Vec<u8> = (0..60).filter(|n| n % 3 != 0).flat_map(|n| vec![n; usize::from(n) + 1]).collect();
        assert_eq!(recall(store, Item::Links, u32::MAX).unwrap(), links);
    }
}

#[test]
fn a_merge_sweeps_what_killed_processes_left_and_packs_that_are_none() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    keep_each(&mut writer, [(Item::Edge, b"edge".to_vec())]);
    let folder = dir.path().join("sumdb").join(DB).join("packs");
    let (broken, other) = (format!("{:016x}-{:016x}.pack", 1, 2), format!("{:016x}-{:016x}.pack", 3, 4));
    fs::write(folder.join(&broken), b"modanchor pack 0001\ntruncated").unwrap();
    fs::write(folder.join(&other), [&b"modanchor pack 0002\n"[..], &[0; 99]].concat()).unwrap();
    fs::write(folder.join("mine.pack"), b"not a name of ours").unwrap();
    let stale = fs::File::create(folder.join(".tmp-killed")).unwrap();
    stale.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    keep_each(&mut writer, (0..9).map(|n| (proof(&n.to_string()), vec![n])));
    assert!(!folder.join(broken).exists() && !folder.join(".tmp-killed").exists());
    assert!(folder.join(other).exists() && folder.join("mine.pack").exists());
    assert_eq!(recall(&store(&dir), Item::Edge, 9).unwrap(), b"edge");
    assert!(said(&writer).is_empty());
}

#[test]
fn a_pack_of_the_future_hides_nothing() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    keep_each(&mut writer, [(Item::Edge, b"poison".to_vec())]);
    let pack = packs(&dir).remove(0);
    fs::rename(&pack, pack.with_file_name(format!("{:016x}-{:016x}.pack", u64::MAX, 1))).unwrap();
    let mut healed = store(&dir);
    keep_each(&mut healed, [(Item::Edge, b"good".to_vec())]);
    assert_eq!(recall(&store(&dir), Item::Edge, 9).unwrap(), b"good");
}

#[test]
fn a_damaged_pack_is_ignored_and_written_anew() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    let items = [(proof("a"), b"a".to_vec()), (Item::Link((1, 2)), b"link".to_vec())];
    for (item, content) in items.clone() {
        writer.keep(vec![kept(item, content)]);
    }
    writer.flush();
    let pack = packs(&dir).remove(0);
    let good = fs::read(&pack).unwrap();
    for end in 0..good.len() {
        fs::write(&pack, &good[..end]).unwrap();
        let reader = store(&dir);
        assert_eq!(recall(&reader, proof("a"), 9), Err(Failure::Absent), "{end}");
        assert_eq!(recall(&reader, Item::Links, 9), Err(Failure::Absent), "{end}");
    }
    keep_each(&mut store(&dir), items);
    assert_eq!(recall(&store(&dir), proof("a"), 9).unwrap(), b"a");
}

#[test]
fn a_pack_that_shrinks_while_it_is_open_is_a_storage_failure() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    keep_each(&mut writer, [(proof("a"), vec![7; 100])]);
    let reader = store(&dir);
    assert_eq!(recall(&reader, proof("b"), 999), Err(Failure::Absent));
    let pack = packs(&dir).remove(0);
    fs::OpenOptions::new().write(true).open(&pack).unwrap().set_len(80).unwrap();
    assert_eq!(recall(&reader, proof("a"), 999), Err(Failure::Storage));
    assert_eq!(said(&reader).len(), 1);
}

#[test]
fn heads_advance_by_compare_and_swap_only() {
    let dir = tempdir().unwrap();
    let (mut one, mut two) = (store(&dir), store(&dir));
    let file = dir.path().join("sumdb").join(DB).join("latest");
    assert_eq!(recall(&one, Item::Latest, 9), Err(Failure::Absent));
    one.keep(vec![kept(Item::Edge, "edge")]);
    assert_eq!(advance(&mut one, None, b"head\n1").unwrap(), b"head\n1");
    assert_eq!(packs(&dir).len(), 1, "items reach the disk before the head");
    assert_eq!(fs::read(&file).unwrap(), b"head\n1");
    assert_eq!(advance(&mut two, None, b"head 2").unwrap(), b"head\n1", "another's head");
    assert_eq!(advance(&mut two, Some(b"head 0"), b"head 2").unwrap(), b"head\n1");
    assert_eq!(advance(&mut two, Some(b"head\n1"), b"head 2").unwrap(), b"head 2");
    assert_eq!(recall(&one, Item::Latest, 6).unwrap(), b"head 2");
    assert_eq!(recall(&one, Item::Latest, 5), Err(Failure::TooLarge));
    // An empty file is no head, as for the go command.
    fs::write(&file, b"").unwrap();
    assert_eq!(recall(&one, Item::Latest, 9), Err(Failure::Absent));
    assert_eq!(advance(&mut one, Some(b"head 2"), b"head 3"), Ok(vec![]));
    assert_eq!(advance(&mut one, None, b"head 3").unwrap(), b"head 3");
    assert_eq!(advance(&mut one, Some(b"head 3"), b""), Err(Failure::Storage));
    assert_eq!(fs::read(&file).unwrap(), b"head 3");
}

#[test]
fn heads_have_a_cap() {
    let dir = tempdir().unwrap();
    let mut store = store(&dir);
    let longest = vec![b'x'; LATEST_MAX as usize];
    assert_eq!(advance(&mut store, None, &[&longest[..], b"x"].concat()), Err(Failure::TooLarge));
    assert_eq!(recall(&store, Item::Latest, u32::MAX), Err(Failure::Absent));
    assert_eq!(advance(&mut store, None, &longest).unwrap(), longest);
    let file = dir.path().join("sumdb").join(DB).join("latest");
    fs::write(&file, [&longest[..], b"x"].concat()).unwrap();
    assert_eq!(advance(&mut store, Some(&longest), b"next"), Err(Failure::TooLarge));
    assert_eq!(fs::metadata(&file).unwrap().len(), LATEST_MAX + 1, "what is there stays");
}

#[test]
fn what_no_store_keeps_is_noted() {
    let dir = tempdir().unwrap();
    let mut store = store(&dir);
    store.keep(vec![kept(Item::Latest, "x"), kept(Item::GoLatest, "x"), kept(Item::Links, "x")]);
    assert_eq!(said(&store).len(), 1);
    assert!(said(&store).is_empty());
    store.keep(vec![kept(proof("most"), vec![0; ITEM_MAX]), kept(proof("more"), vec![0; ITEM_MAX + 1])]);
    assert_eq!(recall(&store, proof("most"), u32::MAX).unwrap().len(), ITEM_MAX);
    assert_eq!(recall(&store, proof("more"), u32::MAX), Err(Failure::Absent));
    assert_eq!(recall(&store, Item::Latest, u32::MAX), Err(Failure::Absent));
}

#[test]
fn items_are_written_when_the_buffer_is_full() {
    let dir = tempdir().unwrap();
    let mut store = store(&dir);
    for n in 0..9 {
        store.keep(vec![kept(proof(&n.to_string()), vec![n; BUFFER_MAX / 8])]);
    }
    assert_eq!(packs(&dir).len(), 1);
    for n in 0..9 {
        assert_eq!(recall(&store, proof(&n.to_string()), u32::MAX).unwrap(), vec![n; BUFFER_MAX / 8]);
    }
}

#[test]
fn the_oldest_packs_are_dropped_past_the_cap() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    let each = 15 << 20;
    keep_each(&mut writer, (0..20).map(|n| (proof(&n.to_string()), vec![n; each])));
    assert!(said(&writer).is_empty());
    let total: u64 = packs(&dir).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(total <= DATABASE_MAX && total > DATABASE_MAX / 2, "{total}");
    let reader = store(&dir);
    assert_eq!(recall(&reader, proof("0"), u32::MAX), Err(Failure::Absent));
    assert_eq!(recall(&reader, proof("19"), u32::MAX).unwrap(), vec![19; each]);
}

#[test]
fn without_a_root_memory_serves_and_is_bounded() {
    let mut store = Store::open(None);
    assert_eq!(store.root(), None);
    assert_eq!(advance(&mut store, None, b"head").unwrap(), b"head");
    assert_eq!(advance(&mut store, None, b"other").unwrap(), b"head");
    assert_eq!(recall(&store, Item::Latest, 9).unwrap(), b"head");
    store.keep(vec![kept(Item::Edge, "edge"), kept(Item::Link((1, 2)), "link")]);
    store.flush();
    assert_eq!(recall(&store, Item::Edge, 9).unwrap(), b"edge");
    assert_eq!(recall(&store, Item::Links, 9).unwrap(), b"link");
    assert_eq!(recall(&store, Item::Links, 3), Err(Failure::TooLarge));
    store.keep(vec![kept(proof("a"), vec![0; BUFFER_MAX]), kept(proof("b"), "b")]);
    assert_eq!(recall(&store, proof("a"), u32::MAX), Err(Failure::Absent));
    assert_eq!(recall(&store, proof("b"), 9).unwrap(), b"b");
    assert!(said(&store).is_empty());
    assert!(store.keep(vec![evidence("fork.txt", "both heads")]).is_empty());
    assert_eq!(said(&store).len(), 1, "lost evidence is always said");
}

#[test]
fn a_root_that_is_a_file_degrades_with_one_note() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    for root in [file.clone(), file.join("below")] {
        let mut store = Store::open(Some(root));
        assert_eq!(said(&store).len(), 1);
        assert_eq!(advance(&mut store, None, b"head").unwrap(), b"head");
        assert_eq!(recall(&store, Item::Edge, 9), Err(Failure::Absent));
        assert!(said(&store).is_empty());
    }
    assert_eq!(fs::read(&file).unwrap(), b"x");
}

#[test]
fn where_nothing_can_be_written_recall_still_works_and_one_note_says_so() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    keep_each(&mut writer, [(proof("a"), b"a".to_vec())]);
    advance(&mut writer, None, b"head").unwrap();
    // A folder stands where the lock file should, and new packs have nowhere to go: root obeys this too.
    let database = dir.path().join("sumdb").join(DB);
    fs::remove_file(database.join("latest.lock")).unwrap();
    fs::create_dir(database.join("latest.lock")).unwrap();
    let mut store = store(&dir);
    assert_eq!(advance(&mut store, Some(b"head"), b"next"), Err(Failure::Storage));
    assert_eq!(said(&store).len(), 1);
    assert_eq!(recall(&store, Item::Latest, 9).unwrap(), b"head");
    assert_eq!(recall(&store, proof("a"), 9).unwrap(), b"a");
}

#[test]
fn items_that_cannot_be_written_stay_for_this_run() {
    let dir = tempdir().unwrap();
    let mut store = store(&dir);
    store.keep(vec![kept(Item::Edge, "edge")]);
    assert_eq!(recall(&store, Item::FirstSeen, 9), Err(Failure::Absent));
    fs::write(dir.path().join("sumdb"), "a file where a folder should be").unwrap();
    store.flush();
    store.keep(vec![kept(proof("a"), "a"), kept(proof("large"), vec![0; BUFFER_MAX])]);
    store.flush();
    assert_eq!(said(&store).len(), 1);
    assert_eq!(recall(&store, Item::Edge, 9).unwrap(), b"edge");
    assert_eq!(recall(&store, proof("a"), 9).unwrap(), b"a");
    assert_eq!(recall(&store, proof("large"), u32::MAX), Err(Failure::Absent));
    assert_eq!(advance(&mut store, None, b"head"), Err(Failure::Storage));
}

#[test]
fn a_read_only_folder_is_read() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    keep_each(&mut writer, [(proof("a"), b"a".to_vec())]);
    advance(&mut writer, None, b"head").unwrap();
    let database = dir.path().join("sumdb").join(DB);
    let modes = |mode| {
        for path in [&database.join("packs"), &database] {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    modes(0o555);
    if fs::write(database.join("probe"), "").is_ok() {
        modes(0o755);
        return eprintln!("skipped: this user may write to read-only folders");
    }
    let mut store = store(&dir);
    store.keep(vec![kept(Item::Edge, "edge")]);
    assert_eq!(advance(&mut store, Some(b"head"), b"next"), Err(Failure::Storage));
    store.flush();
    assert_eq!(said(&store).len(), 2, "one about items, one about the head");
    assert_eq!(recall(&store, Item::Latest, 9).unwrap(), b"head");
    assert_eq!(recall(&store, proof("a"), 9).unwrap(), b"a");
    assert_eq!(recall(&store, Item::Edge, 9).unwrap(), b"edge");
    modes(0o755);
}

/// A file system of its own, and small. Unmounted when it goes.
struct Tiny(TempDir);

impl Tiny {
    /// None where this user may not mount.
    fn mount(bytes: usize) -> Option<Self> {
        let dir = tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"]);
        mount.arg(dir.path()).output().ok()?.status.success().then(|| Self(dir))
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let done = Command::new("umount").arg(self.0.path()).status();
        assert!(done.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[test]
fn a_full_disk_leaves_no_partial_file_and_one_note() {
    let Some(tiny) = Tiny::mount(256 << 10) else {
        return eprintln!("skipped: this user may not mount a small file system");
    };
    let dir = &tiny.0;
    let mut store = store(dir);
    keep_each(&mut store, [(proof("fits"), vec![1; 100 << 10])]);
    assert_eq!(advance(&mut store, None, b"head").unwrap(), b"head");
    let used = || {
        let entries = fs::read_dir(dir.path().join("sumdb").join(DB).join("packs")).unwrap();
        entries.count()
    };
    assert!(said(&store).is_empty());
    assert_eq!(used(), 1);
    keep_each(&mut store, (0..3).map(|n| (proof(&n.to_string()), vec![n; 200 << 10])));
    assert_eq!(said(&store).len(), 1);
    assert_eq!(used(), 1);
    assert_eq!(recall(&store, proof("2"), u32::MAX).unwrap(), vec![2; 200 << 10]);
    // What is left is filled, so that the head has no room either.
    let mut filler = fs::File::create(dir.path().join("filler")).unwrap();
    while filler.write_all(&[0; 512]).is_ok() {}
    assert_eq!(advance(&mut store, Some(b"head"), b"next"), Err(Failure::Storage));
    assert_eq!(said(&store).len(), 1);
    let names = fs::read_dir(dir.path().join("sumdb").join(DB)).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.starts_with(".tmp-")), "{names:?}");
    let reader = self::store(dir);
    assert_eq!(recall(&reader, Item::Latest, 9).unwrap(), b"head");
    assert_eq!(recall(&reader, proof("fits"), u32::MAX).unwrap(), vec![1; 100 << 10]);
}

#[test]
fn nothing_is_kept_for_a_name_that_is_no_folder() {
    let dir = tempdir().unwrap();
    let mut store = store(&dir);
    let database = "../../escape".to_owned();
    let item = KeptItem { database: database.clone(), item: Item::Edge, content: b"x".to_vec() };
    store.keep(vec![Kept::Item(item)]);
    store.flush();
    let head = Advance { database: database.clone(), previous: None, next: b"head".to_vec() };
    assert_eq!(store.advance(&head), Err(Failure::Storage));
    let latest = Recall { database, item: Item::Latest, max_bytes: 9 };
    assert_eq!(store.recall(&latest), Err(Failure::Storage));
    assert_eq!(said(&store).len(), 1);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn evidence_is_never_overwritten() {
    let dir = tempdir().unwrap();
    let mut store = store(&dir);
    let folder = dir.path().join("evidence").join(DB);
    let mut keep = |name, content| store.keep(vec![evidence(name, content)]);
    assert_eq!(keep("fork.txt", "one"), [folder.join("fork.txt")]);
    assert_eq!(keep("fork.txt", "one"), [folder.join("fork.txt")]);
    assert_eq!(keep("fork.txt", "two"), [folder.join("fork-2.txt")]);
    assert_eq!(keep("fork.txt", "three, and longer"), [folder.join("fork-3.txt")]);
    assert_eq!(keep("fork.txt", "two"), [folder.join("fork-2.txt")]);
    assert_eq!(keep("bare", "one"), [folder.join("bare")]);
    assert_eq!(keep("bare", "two"), [folder.join("bare-2")]);
    assert_eq!(fs::read(folder.join("fork.txt")).unwrap(), b"one");
    for name in ["", "..", ".hidden", "a/b", "A", "a\0", &"a".repeat(EVIDENCE_NAME_MAX + 1)] {
        assert!(store.keep(vec![evidence(name, "x")]).is_empty(), "{name:?}");
        assert_eq!(said(&store).len(), 1, "each is said");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 5);
}

#[test]
fn what_stands_in_the_way_is_neither_followed_nor_waited_for() {
    let dir = tempdir().unwrap();
    let database = dir.path().join("sumdb").join(DB);
    fs::create_dir_all(database.join("packs")).unwrap();
    fs::create_dir(database.join("latest")).unwrap();
    let target = dir.path().join("target");
    fs::write(&target, "x").unwrap();
    symlink(&target, database.join("packs").join(format!("{:016x}-{:016x}.pack", 1, 2))).unwrap();
    let mut store = store(&dir);
    assert_eq!(recall(&store, Item::Latest, 9), Err(Failure::Storage));
    assert_eq!(advance(&mut store, None, b"head"), Err(Failure::Storage));
    keep_each(&mut store, (0..10).map(|n| (proof(&n.to_string()), vec![n])));
    assert_eq!(fs::read(&target).unwrap(), b"x");
    assert_eq!(recall(&store, proof("9"), 9).unwrap(), [9]);
}

#[test]
fn fifty_thousand_proofs() {
    let dir = tempdir().unwrap();
    let mut writer = store(&dir);
    let name = |n: u32| proof(&format!("example.com/m{n}@v1.0.{n}"));
    writer.keep((0..50_000).map(|n| kept(name(n), n.to_string().repeat(60))).collect());
    writer.flush();
    assert!(packs(&dir).len() > 1, "more than one buffer");
    let reader = store(&dir);
    for n in (0..50_000).step_by(97) {
        assert_eq!(recall(&reader, name(n), u32::MAX).unwrap(), n.to_string().repeat(60).as_bytes());
    }
    assert_eq!(recall(&reader, name(50_000), u32::MAX), Err(Failure::Absent));
    assert!(Path::new(&packs(&dir)[0]).metadata().unwrap().len() <= pack::PACK_MAX);
}
