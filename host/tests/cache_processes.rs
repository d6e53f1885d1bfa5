//! The store under several processes at once, and under `kill -9`.
//!
//! Has a `main` of its own, because the workers are this very program, started again with `MODANCHOR_TEST_WORKER`.
//! It answers `--list`, `--exact`, `--skip` and name filters as the usual test harness does.
#![allow(clippy::print_stdout)]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use modanchor_host::cache::Store;
use modanchor_host::cache::pack::decode;
use modanchor_host::contract::{Advance, Failure, Item, Kept, KeptItem, Recall};

const DB: &str = "sum.golang.org";
const WORKERS: u64 = 8;
const ROUNDS: u64 = 25;
const KILLS: u64 = 30;

fn main() {
    if let Ok(worker) = std::env::var("MODANCHOR_TEST_WORKER") {
        return work(&worker);
    }
    let tests: [(&str, fn()); 2] = [
        ("eight_processes_lose_no_head_and_no_item", eight_processes),
        ("killed_writers_leave_nothing_half_written", killed_writers),
    ];
    let (mut filters, mut skips, mut exact, mut list) = (Vec::new(), Vec::new(), false, false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--list" => list = true,
            "--exact" => exact = true,
            // Neither test is ignored.
            "--ignored" => return,
            "--skip" => skips.extend(args.next()),
            "--format" | "--test-threads" | "--color" | "-Z" => drop(args.next()),
            flag if flag.starts_with('-') => {}
            filter => filters.push(filter.to_owned()),
        }
    }
    let hit = |name: &str, filter: &String| {
        if exact { name == filter } else { name.contains(filter) }
    };
    for (name, test) in tests {
        if (!filters.is_empty() && !filters.iter().any(|f| hit(name, f))) || skips.iter().any(|s| hit(name, s)) {
            continue;
        }
        if list {
            println!("{name}: test");
        } else {
            test();
            println!("test {name} ... ok");
        }
    }
}

/// A head that counts: `NUMBER` and who made it, padded so that a partial write would show.
fn head(number: u64, by: &str) -> Vec<u8> {
    format!("{number:08} {by} {}\n", "x".repeat(2000)).into_bytes()
}

fn number(whole: &[u8]) -> u64 {
    let text = std::str::from_utf8(whole).unwrap();
    let mut words = text.split(' ');
    let (number, by) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
    assert_eq!(whole, head(number, by), "a head is whole");
    number
}

/// The content of an item follows from its name, so that every reader can tell a whole one.
fn content(name: &str) -> Vec<u8> {
    name.bytes().cycle().take(200 + name.len() * 37).collect()
}

fn recall(store: &Store, item: Item) -> Result<Vec<u8>, Failure> {
    let recall = Recall { database: DB.to_owned(), item, max_bytes: u32::MAX };
    store.recall(&recall).map(|body| body.content)
}

fn latest(store: &Store) -> Option<Vec<u8>> {
    match recall(store, Item::Latest) {
        Ok(head) => Some(head),
        Err(Failure::Absent) => None,
        Err(failure) => panic!("latest: {failure:?}"),
    }
}

fn name(by: &str, round: u64, n: u64) -> String {
    format!("example.com/{by}/{n}@v1.0.{round}")
}

const ITEMS: RangeInclusive<u64> = 1..=40;

/// Rounds without end, or `ROUNDS` of them: keep items, advance the head by one, say the number on stdout.
fn work(spec: &str) {
    let words: Vec<&str> = spec.split('|').collect();
    let (root, by, rounds) = (PathBuf::from(words[0]), words[1], words[2].parse().unwrap());
    let mut seen = 0;
    for round in 0..rounds {
        // As each run of the program does.
        let mut store = Store::open(Some(root.clone()));
        let keep = |item, content| Kept::Item(KeptItem { database: DB.to_owned(), item, content });
        store.keep(
            ITEMS.map(|n| name(by, round, n)).map(|name| keep(Item::Proof(name.clone()), content(&name))).collect(),
        );
        let mut previous = latest(&store);
        loop {
            let before = previous.as_deref().map_or(0, number);
            assert!(before >= seen, "the head went back from {seen} to {before}");
            seen = before;
            let next = head(before + 1, by);
            let advance = Advance { database: DB.to_owned(), previous: previous.clone(), next: next.clone() };
            let after = store.advance(&advance).expect("advance").content;
            if after == next {
                break println!("{} {round}", before + 1);
            }
            assert!(number(&after) > before, "another head is a newer one");
            previous = Some(after);
        }
        store.flush();
        let notes = store.notes();
        assert!(notes.is_empty(), "{notes:?}");
    }
}

fn start(root: &Path, by: &str, rounds: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .env("MODANCHOR_TEST_WORKER", format!("{}|{by}|{rounds}", root.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Numbers of the heads that a worker was told are in place, and the rounds whose items it kept before.
fn accepted(child: &mut Child) -> Vec<(u64, u64)> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pair = |line: String| {
        let (number, round) = line.split_once(' ').unwrap();
        (number.parse().unwrap(), round.parse().unwrap())
    };
    lines.map(|line| pair(line.unwrap())).collect()
}

fn every_pack_parses(root: &Path) {
    let folder = root.join("sumdb").join(DB).join("packs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "pack") {
            decode(&std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

fn eight_processes() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let mut children: Vec<Child> = (0..WORKERS).map(|n| start(root, &format!("w{n}"), ROUNDS)).collect();
    let heads: Vec<(u64, u64)> = children.iter_mut().flat_map(accepted).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    // Each accepted head is one more than the one that it replaced: a lost one would leave a number twice.
    let numbers: HashSet<u64> = heads.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=WORKERS * ROUNDS).collect());
    assert_eq!(heads.len(), numbers.len());
    let store = Store::open(Some(root.to_owned()));
    assert_eq!(latest(&store).as_deref().map(number), Some(WORKERS * ROUNDS));
    for by in (0..WORKERS).map(|n| format!("w{n}")) {
        for name in (0..ROUNDS).flat_map(|round| ITEMS.map(move |n| (round, n))).map(|(r, n)| name(&by, r, n)) {
            assert_eq!(recall(&store, Item::Proof(name.clone())), Ok(content(&name)));
        }
    }
    every_pack_parses(root);
}

fn killed_writers() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    let mut newest = 0;
    for kill in 0..KILLS {
        let workers = ["a", "b"].map(|by| format!("{by}{kill}"));
        let mut children = workers.clone().map(|by| start(root, &by, u64::MAX));
        thread::sleep(Duration::from_millis(20 + kill * 7 % 90));
        children.iter_mut().for_each(|child| child.kill().unwrap());
        let said: Vec<Vec<(u64, u64)>> = children.iter_mut().map(accepted).collect();
        children.iter_mut().for_each(|child| assert_ne!(child.wait().unwrap().code(), Some(101), "a worker panicked"));
        let store = Store::open(Some(root.to_owned()));
        let now = latest(&store).as_deref().map_or(0, number);
        let most = said.iter().flatten().map(|(number, _)| *number).max().unwrap_or(0);
        assert!(now >= newest.max(most), "a head that was accepted is in place");
        newest = now;
        for (by, said) in workers.iter().zip(said) {
            for (_, round) in said {
                for name in ITEMS.map(|n| name(by, round, n)) {
                    assert_eq!(recall(&store, Item::Proof(name.clone())), Ok(content(&name)));
                }
            }
        }
        every_pack_parses(root);
        assert!(store.notes().is_empty());
    }
    assert!(newest > 0, "some writer came to write");
}
