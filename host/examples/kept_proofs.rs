//! How fast the store is, beside one file per proof: what a run writes, and what a warm run of 500 modules reads.
//! `docs/adr/0003-packs-for-kept-proofs.md` has the command and the numbers.
#![allow(clippy::print_stdout)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use modanchor_host::cache::Store;
use modanchor_host::contract::{Item, Kept, KeptItem, Recall};

const KEPT: u32 = 50_000;
const RECALLED: u32 = 500;
/// The text of a record, 26 hashes and the head's size.
const LENGTH: usize = 1300;
const RUNS: usize = 15;

fn name(n: u32) -> String {
    format!("example.com/module/number/{n}@v1.{n}.0")
}

fn content(n: u32) -> Vec<u8> {
    (0..LENGTH as u32).map(|at| (n.wrapping_mul(2_654_435_761).wrapping_add(at * 97) >> 7) as u8).collect()
}

fn recall(database: &str, n: u32) -> Recall {
    Recall { database: database.to_owned(), item: Item::Proof(name(n)), max_bytes: 1 << 20 }
}

/// Best and median of some runs.
fn measure(what: &str, runs: usize, mut run: impl FnMut()) {
    let mut times: Vec<Duration> = (0..runs)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed()
        })
        .collect();
    times.sort();
    println!("{what:<58} best {:>10.3?}  median {:>10.3?}", times[0], times[runs / 2]);
}

fn wanted() -> impl Iterator<Item = u32> {
    (0..RECALLED).map(|n| n * (KEPT / RECALLED))
}

/// Two levels of folders by hash would only move the cost: the name alone serves.
fn file(dir: &Path, n: u32) -> PathBuf {
    dir.join(format!("{:02x}", n % 256)).join(name(n).replace('/', "%2f"))
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let database = "sum.golang.org";
    let keep = |n| {
        let (database, item) = (database.to_owned(), Item::Proof(name(n)));
        Kept::Item(KeptItem { database, item, content: content(n) })
    };
    measure("packs: write 50,000", 1, || {
        let mut store = Store::open(Some(dir.path().to_owned()));
        store.keep((0..KEPT).map(keep).collect());
        store.flush();
        assert!(store.notes().is_empty());
    });
    let read = || {
        let store = Store::open(Some(dir.path().to_owned()));
        for n in wanted() {
            assert_eq!(store.recall(&recall(database, n)).unwrap().content.len(), LENGTH);
        }
    };
    measure("packs: open, recall 500 of 50,000 in several packs", RUNS, read);
    // Enough runs that add one proof each, and all packs become one.
    for n in KEPT..KEPT + 9 {
        let mut store = Store::open(Some(dir.path().to_owned()));
        measure("packs: a run that adds one proof", 1, || {
            store.keep(vec![keep(n)]);
            store.flush();
        });
    }
    measure("packs: the same recall after that", RUNS, read);
    let folder = dir.path().join("sumdb").join(database).join("packs");
    let lengths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
    println!("packs: bytes in files {:?}", lengths.filter(|length| *length > 0).collect::<Vec<_>>());

    let files = dir.path().join("files");
    measure("one file per proof: write 50,000, without any sync", 1, || {
        for n in 0..256_u32 {
            fs::create_dir_all(files.join(format!("{n:02x}"))).unwrap();
        }
        for n in 0..KEPT {
            let path = file(&files, n);
            let temp = path.with_extension("tmp");
            fs::write(&temp, content(n)).unwrap();
            fs::rename(&temp, &path).unwrap();
        }
    });
    measure("one file per proof: read 500 of 50,000", RUNS, || {
        for n in wanted() {
            assert_eq!(fs::read(file(&files, n)).unwrap().len(), LENGTH);
        }
    });
}
