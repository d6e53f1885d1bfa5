//! Whole sessions against a log in memory, and against everything that can be wrong with its answers.

use std::collections::BTreeMap;

use proptest::prelude::*;

mod attacks;
mod blob;
mod bytes;
mod fix;
mod lint;
mod programs;
mod signatures;
mod tuf;
mod tuf_peers;
mod vendored;

use bytes::Shelf;

use super::Session;
use crate::contract::{
    Advance, Answer, Body, Bytes, Checkout, Database, FailOn, Failure, FileKind, Ignore, Instant, Item, Job, Kept,
    Next, Origin, Outcome, Presence, Question, Recall, Refusal, Repositories, Request, Response, SigstoreSettings,
    SkipPatterns, Source, SourceFile, Sumdb, SumdbGet, Task, Tool, Verdict, Zips,
};
use crate::report::{Finding, Grade, LineStatus, Report};
use crate::sumdb::client::WINDOW;
use crate::sumdb::evidence::Evidence;
use crate::sumdb::testing::{Log, Signer};
use crate::sumdb::tile::{Height, Tile};

const NAME: &str = "sum.example.org";
const NOW: u64 = 1_795_305_600;

/// The zip and go.mod hash of a made-up module: 43 digits, the last one of those that end a SHA-256.
fn hash(seed: usize) -> String {
    format!("h1:{:042}A=", seed)
}

fn module(number: usize) -> (String, &'static str) {
    (format!("example.org/m{number:04}"), "v1.0.0")
}

fn record(number: usize) -> String {
    let (path, version) = module(number);
    format!("{path} {version} {}\n{path} {version}/go.mod {}\n", hash(2 * number), hash(2 * number + 1))
}

fn go_sum(modules: impl IntoIterator<Item = usize>) -> String {
    modules.into_iter().map(record).collect()
}

/// A checksum database, a store and a go command's cache, all in memory.
struct World {
    signer: Signer,
    log: Log,
    records: Vec<String>,
    /// Size of the tree that look-ups come with; none: all of it.
    shown: Option<u64>,
    network: bool,
    /// Partial tiles are gone: only full ones and those of the newest head are served.
    prunes: bool,
    store: Vec<((String, String), Vec<u8>)>,
    latest: Option<Vec<u8>>,
    go_latest: Option<Vec<u8>>,
    go_cache: BTreeMap<String, Vec<u8>>,
    /// What another run puts into the store just before we advance.
    rival: Option<Vec<u8>>,
    evidence: Vec<Vec<u8>>,
    requests: Vec<SumdbGet>,
    needs: usize,
    cosignatures: String,
    tile_height: u8,
    shelf: Shelf,
}

/// A key for an item, since the contract's types have no order.
fn key(item: &Item) -> String {
    format!("{item:?}")
}

impl World {
    fn new(records: usize) -> Self {
        let mut world = Self {
            signer: Signer::new(NAME, 1),
            log: Log::default(),
            records: Vec::new(),
            shown: None,
            network: true,
            prunes: false,
            store: Vec::new(),
            latest: None,
            go_latest: None,
            go_cache: BTreeMap::new(),
            rival: None,
            evidence: Vec::new(),
            requests: Vec::new(),
            needs: 0,
            cosignatures: String::new(),
            tile_height: 2,
            shelf: Shelf::default(),
        };
        (0..records).for_each(|number| world.push(record(number)));
        world
    }

    fn push(&mut self, record: String) {
        self.log.push(record.as_bytes());
        self.records.push(record);
    }

    /// The same key, and another history from record `at` on.
    fn forked(&self, at: usize, size: usize) -> Self {
        let mut other = Self::new(0);
        for number in 0..size {
            other.push(if number < at { record(number) } else { record(number) + "x y z\n" });
        }
        other.store = self.store.clone();
        other.latest = self.latest.clone();
        other.tile_height = self.tile_height;
        other
    }

    fn note_at(&self, size: u64) -> Vec<u8> {
        let mut note = self.signer.sign(&self.log.head_at(size).to_string());
        note.extend_from_slice(self.cosignatures.as_bytes());
        note
    }

    fn lookup(&self, escaped: &str) -> Response {
        let line = escaped.replacen('@', " ", 1) + " ";
        let Some(id) = self.records.iter().position(|record| record.starts_with(&line)) else {
            return Err(Failure::Absent);
        };
        let size = self.shown.unwrap_or(self.log.size).max(id as u64 + 1);
        let mut content = format!("{id}\n{}\n", self.records[id]).into_bytes();
        content.extend(self.note_at(size));
        body(content, Origin::Remote)
    }

    fn tile(&self, path: &str) -> Response {
        let tile = Tile::parse(path).expect("the core asks for tiles by their paths");
        let is_there = |tile: Tile| {
            let height = u32::from(tile.height().get());
            let end = (tile.index() << height) + u64::from(tile.width());
            end <= self.log.size.checked_shr(height * u32::from(tile.level())).unwrap_or(0)
        };
        let pruned = self.prunes && !tile.is_full() && is_there(tile.full());
        if !is_there(tile) || pruned {
            return Err(Failure::Absent);
        }
        body(self.log.tile(&tile), Origin::Remote)
    }

    fn recall(&self, recall: &Recall) -> Response {
        let content = match &recall.item {
            Item::Latest => self.latest.clone(),
            Item::GoLatest => self.go_latest.clone(),
            Item::Links => {
                let links = self.store.iter().filter(|((kind, _), _)| kind == "link");
                Some(links.flat_map(|(_, content)| content.clone()).collect())
            }
            item => self.store.iter().find(|((_, name), _)| *name == key(item)).map(|(_, content)| content.clone()),
        };
        content.map_or(Err(Failure::Absent), |content| body(content, Origin::Store))
    }

    fn advance(&mut self, advance: &Advance) -> Response {
        if let Some(rival) = self.rival.take() {
            self.latest = Some(rival);
        }
        if self.latest == advance.previous {
            self.latest = Some(advance.next.clone());
        }
        let content = self.latest.clone().unwrap_or_default();
        body(content, Origin::Store)
    }

    fn get(&mut self, get: &SumdbGet) -> Response {
        self.requests.push(get.clone());
        if get.source == Source::Any
            && let Some(content) = self.go_cache.get(&get.path)
        {
            return body(content.clone(), Origin::GoCache);
        }
        if !self.network {
            return Err(Failure::Unreachable);
        }
        let answer = match get.path.strip_prefix("lookup/") {
            Some(escaped) => self.lookup(escaped),
            None => self.tile(&get.path),
        };
        match answer {
            Ok(Answer::Body(body)) if body.content.len() > get.max_bytes as usize => Err(Failure::TooLarge),
            answer => answer,
        }
    }

    fn keep(&mut self, kept: Vec<Kept>) {
        for kept in kept {
            match kept {
                Kept::Item(item) => {
                    let kind = if matches!(item.item, Item::Link(_)) { "link" } else { "item" };
                    let name = (kind.to_owned(), key(&item.item));
                    self.store.retain(|(other, _)| *other != name);
                    self.store.push((name, item.content));
                }
                Kept::Evidence(evidence) => self.evidence.push(evidence.content),
                other => panic!("{other:?}"),
            }
        }
    }

    fn run(&mut self, job: Job) -> (Outcome, Report) {
        self.run_with(job, |_, answer| answer)
    }

    /// Runs a job, with every answer as `change` makes it.
    fn run_with(&mut self, job: Job, mut change: impl FnMut(&Request, Response) -> Response) -> (Outcome, Report) {
        match self.step_to_end(job, &mut change) {
            Next::Done(outcome) => {
                let report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                (outcome, report)
            }
            other => panic!("{other:?}"),
        }
    }

    fn step_to_end(&mut self, job: Job, change: &mut impl FnMut(&Request, Response) -> Response) -> Next {
        self.requests.clear();
        self.needs = 0;
        let mut session = Session::new(job);
        let mut answers = Vec::new();
        loop {
            let step = session.step(std::mem::take(&mut answers));
            self.keep(step.keep);
            let Next::Need(requests) = step.next else { return step.next };
            self.needs += 1;
            assert!(!requests.is_empty() && self.needs < 100, "a session gets on");
            for request in &requests {
                let answer = match request {
                    Request::Recall(recall) => self.recall(recall),
                    Request::Sumdb(get) => self.get(get),
                    Request::Advance(advance) => self.advance(advance),
                    request => self.shelf.answer(request),
                };
                answers.push(change(request, answer));
            }
        }
    }

    fn database(&self) -> Database {
        Database {
            key: self.signer.vkey(),
            set_by: "GOSUMDB (environment)".into(),
            tile_height: self.tile_height,
            pinned_head: None,
            witnesses: Vec::new(),
            quorum: 0,
            max_age: None,
        }
    }

    fn job(&self, go_sum: &str) -> Job {
        job(Sumdb::Database(self.database()), task(vec![file("go.sum", FileKind::GoSum, go_sum)]))
    }
}

fn file(path: &str, kind: FileKind, content: &str) -> SourceFile {
    SourceFile { path: path.into(), kind, content: content.as_bytes().to_vec() }
}

fn body(content: Vec<u8>, origin: Origin) -> Response {
    Ok(Answer::Body(Body { content, origin }))
}

/// The bytes of a good answer.
fn content(answer: &Response) -> Vec<u8> {
    match answer {
        Ok(Answer::Body(body)) => body.content.clone(),
        other => panic!("{other:?}"),
    }
}

fn task(files: Vec<SourceFile>) -> Task {
    Task::Verify(Checkout { files, programs: Vec::new(), bare_vendors: Vec::new() })
}

fn job(sumdb: Sumdb, task: Task) -> Job {
    Job {
        now: Instant { seconds: NOW, nanoseconds: 0 },
        tool: Tool { version: "0.0.0".into(), component: "sha256:00".into() },
        task,
        sumdb,
        skip: SkipPatterns { patterns: String::new(), set_by: "GONOSUMDB (default)".into() },
        fail_on: FailOn::Medium,
        allow_incomplete: false,
        ignores: Vec::new(),
        bytes: Bytes { module_cache: Presence::Auto, zips: Zips::Cache, vendor: Presence::Auto },
        tuf: Repositories { all: Vec::new(), map: Vec::new(), required: false },
        sigstore: SigstoreSettings { roots: Vec::new(), places: Vec::new(), private: String::new(), rekor: false },
        policy: None,
    }
}

fn rules(report: &Report) -> Vec<&str> {
    report.findings.iter().map(|finding| finding.rule.as_str()).collect()
}

fn statuses(report: &Report) -> Vec<LineStatus> {
    report.modules.iter().flat_map(|module| &module.lines).map(|line| line.status).collect()
}

#[track_caller]
fn passes((outcome, report): (Outcome, Report), lines: u64) {
    assert_eq!((outcome.status, rules(&report)), (0, vec![]), "{:#?}", report.findings);
    assert_eq!((outcome.verdict, report.counts.verified), (Verdict::Pass, lines));
}

#[track_caller]
fn only((outcome, report): (Outcome, Report), rule: &str, status: u8) -> Finding {
    assert_eq!((outcome.status, rules(&report)), (status, vec![rule]), "{:#?}", report.findings);
    report.findings.into_iter().next().expect("one")
}

#[test]
fn cold_then_warm() {
    let mut world = World::new(100);
    let job = world.job(&go_sum(10..60));
    passes(world.run(job.clone()), 100);
    assert_eq!(world.needs, 4, "recall, look up, prove, advance");
    let mut asked: Vec<_> = world.requests.iter().map(|get| get.path.clone()).collect();
    let all = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), all, "nothing is asked for twice");
    assert_eq!(world.latest, Some(world.note_at(100)));

    world.network = false;
    let (outcome, report) = world.run(job);
    assert_eq!((world.needs, world.requests.len()), (1, 0), "warm runs need the store alone");
    assert_eq!(report.sumdbs[0].tree_size, 100);
    passes((outcome, report), 100);
}

#[test]
fn a_run_is_a_function_of_job_and_answers() {
    let report = || {
        let mut world = World::new(50);
        let job = world.job(&go_sum([3, 40, 7, 1000]));
        world.run(job).0.report
    };
    assert_eq!(report(), report());
}

#[test]
fn every_tree_size() {
    for size in 1..70 {
        let mut world = World::new(size);
        let job = world.job(&go_sum(0..size));
        passes(world.run(job.clone()), 2 * size as u64);
        world.network = false;
        passes(world.run(job), 2 * size as u64);
    }
}

#[test]
fn one_changed_character_is_one_finding_on_its_line() {
    let mut world = World::new(20);
    let good = go_sum(0..20);
    for (line, change) in [(1, 3), (17, 20), (40, 46)] {
        let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
        let at = lines[line - 1].find("h1:").unwrap() + change;
        lines[line - 1].replace_range(at..=at, "Q");
        let finding = only(world.run(world.job(&lines.join("\n"))), "gosum-mismatch", 1);
        assert_eq!(finding.line, Some(line as u32));
        let want = good.lines().nth(line - 1).unwrap().rsplit(' ').next();
        assert_eq!(finding.expected.as_deref(), want);
        assert_eq!(finding.by.as_deref(), Some(format!("{NAME} record {}", (line - 1) / 2).as_str()));
    }
}

#[test]
fn proofs_outlive_the_growth_of_the_log() {
    let mut world = World::new(33);
    for round in 0..6 {
        let go_sum = go_sum([5, 20, 32 + 7 * round]);
        passes(world.run(world.job(&go_sum)), 6);
        for number in world.records.len()..world.records.len() + 7 {
            world.push(record(number));
        }
    }
    world.network = false;
    let old: Vec<usize> = (0..6).map(|round| 32 + 7 * round).chain([5, 20]).collect();
    passes(world.run(world.job(&go_sum(old))), 16);
    assert_eq!(world.needs, 1);
}

#[test]
fn forks_are_found_and_kept_as_evidence() {
    // Smaller, of the same size and larger; forking off early and late.
    for (size, at) in [(80, 50), (99, 98), (100, 50), (100, 99), (120, 50), (120, 99), (300, 10)] {
        let mut world = World::new(100);
        world.tile_height = 8;
        passes(world.run(world.job(&go_sum([3, 60]))), 4);
        let mut other = world.forked(at, size);
        let finding = only(other.run(other.job(&go_sum([1]))), "sumdb-fork", 1);
        let (ours, theirs) = (world.log.head().root.to_string(), other.log.head().root.to_string());
        assert!(finding.message.contains(&ours) && finding.message.contains(&theirs), "{}", finding.message);
        assert_eq!(other.latest, world.latest, "the newest head that was believed stays");
        let [evidence] = other.evidence.as_slice() else { panic!("{size} {at}") };
        let fork = Evidence::parse(evidence).unwrap().recheck(&world.signer.verifier()).unwrap();
        assert_eq!(fork.old().head().size, size.min(100) as u64);
    }
}

#[test]
fn a_fork_that_the_server_will_not_show_is_no_pass() {
    // Far from the edge and smaller: the edge does not tell, and the server serves its own tree.
    let mut world = World::new(1000);
    passes(world.run(world.job(&go_sum([3]))), 2);
    let mut other = world.forked(50, 300);
    only(other.run(other.job(&go_sum([1]))), "unchecked", 3);
    assert_eq!(other.latest, world.latest);
}

#[test]
fn heads_of_the_go_command_lie_on_the_same_timeline() {
    let mut world = World::new(100);
    for size in [1, 50, 99, 100] {
        world.go_latest = Some(world.note_at(size));
        world.shown = Some(90);
        world.store.clear();
        world.latest = None;
        let (outcome, report) = world.run(world.job(&go_sum([3])));
        assert_eq!(report.sumdbs[0].tree_size, size.max(90), "the go command's head counts");
        passes((outcome, report), 2);
    }
    world.go_latest = Some(world.forked(20, 60).note_at(60));
    world.store.clear();
    world.latest = None;
    only(world.run(world.job(&go_sum([3]))), "sumdb-fork", 1);

    // A server that is behind the go command cannot be told from one that hides a fork.
    for newer in [World::new(400), World::new(100).forked(20, 400)] {
        let mut behind = World::new(100);
        behind.go_latest = Some(newer.note_at(400));
        let finding = only(behind.run(behind.job(&go_sum([3]))), "unchecked", 3);
        assert!(finding.message.contains("seen before"), "{}", finding.message);
        assert_eq!(behind.latest, None);
    }
}

#[test]
fn a_kept_head_that_does_not_verify_stops_the_run() {
    let mut world = World::new(10);
    let job = world.job(&go_sum([3]));
    for go in [false, true] {
        let head = Some(b"no note\n".to_vec());
        (world.latest, world.go_latest) = if go { (None, head) } else { (head, None) };
        let (outcome, report) = world.run(job.clone());
        assert_eq!((outcome.status, world.requests.len()), (1, 0));
        assert!(rules(&report).contains(&"sumdb-bad-signature"), "{:?}", rules(&report));
        assert_eq!(report.counts.verified, 0);
    }
    (world.latest, world.go_latest) = (Some(Vec::new()), Some(Vec::new()));
    passes(world.run(job), 2);
}

#[test]
fn runs_at_the_same_time_share_one_timeline() {
    for rival in [40, 99, 100] {
        let mut world = World::new(100);
        world.shown = Some(70);
        world.rival = Some(world.note_at(rival));
        let job = world.job(&go_sum([3]));
        passes(world.run(job.clone()), 2);
        assert_eq!(world.latest, Some(world.note_at(rival.max(70))), "never back");
        world.network = false;
        passes(world.run(job), 2);
    }
    let mut world = World::new(100);
    world.rival = Some(world.forked(20, 60).note_at(60));
    only(world.run(world.job(&go_sum([3]))), "sumdb-fork", 1);
}

#[test]
fn what_a_cache_spoilt_is_asked_of_the_server() {
    let mut world = World::new(100);
    let job = world.job(&go_sum([3, 60]));
    passes(world.run(job.clone()), 4);
    let paths: Vec<String> = world.requests.iter().map(|get| get.path.clone()).collect();
    for path in paths {
        for content in [b"".to_vec(), b"junk".to_vec(), vec![7; 32], vec![7; 128]] {
            let mut world = World::new(100);
            world.go_cache.insert(path.clone(), content);
            passes(world.run(job.clone()), 4);
        }
    }
    // A cached record with another hash, and an authentic head.
    let text = String::from_utf8(content(&world.lookup("example.org/m0003@v1.0.0"))).unwrap();
    let changed = text.replace(&hash(6), &hash(999)).into_bytes();
    let mut world = World::new(100);
    world.go_cache.insert("lookup/example.org/m0003@v1.0.0".into(), changed);
    passes(world.run(job), 4);
}

#[test]
fn the_go_commands_cache_serves_without_network() {
    let mut world = World::new(100);
    let job = world.job(&go_sum([3, 60]));
    passes(world.run(job.clone()), 4);
    let mut cached = World::new(100);
    for get in &world.requests {
        let get = SumdbGet { source: Source::Remote, ..get.clone() };
        let mut server = World::new(100);
        cached.go_cache.insert(get.path.clone(), content(&server.get(&get)));
    }
    cached.network = false;
    passes(cached.run(job), 4);
}

#[test]
fn partial_tiles_that_are_gone_are_cut_from_full_ones() {
    let mut world = World::new(103);
    world.shown = Some(90);
    world.prunes = true;
    passes(world.run(world.job(&go_sum([3, 89]))), 4);
}

#[test]
fn unplugged() {
    let mut world = World::new(100);
    world.network = false;
    let finding = only(world.run(world.job(&go_sum([3, 60, 7]))), "unchecked", 3);
    assert_eq!(finding.line, Some(1));
    assert!(finding.message.starts_with("6 lines could not be checked (example.org/m0003@v1.0.0, "), "{finding:?}");

    let (outcome, report) = world.run(Job { allow_incomplete: true, ..world.job(&go_sum([3])) });
    assert_eq!((outcome.status, outcome.verdict), (0, Verdict::Incomplete));
    assert_eq!(statuses(&report), [LineStatus::Unchecked; 2]);

    // More than a window: the rest is not asked.
    let (outcome, report) = world.run(world.job(&go_sum(0..3 * WINDOW)));
    assert_eq!((outcome.status, world.requests.len()), (3, WINDOW));
    assert_eq!(report.counts.unchecked, 6 * WINDOW as u64);
    assert_eq!(report.findings.len(), 2);
}

#[test]
fn windows_share_a_timeline() {
    let size = 2 * WINDOW + 100;
    let mut world = World::new(size);
    let job = world.job(&go_sum(0..size));
    let mut lookups = 0;
    let mut shown = 100;
    let grown = World::new(size);
    // The log grows while the run goes on.
    let answer = world.run_with(job.clone(), |request, answer| match request {
        Request::Sumdb(get) if get.path.starts_with("lookup/") => {
            lookups += 1;
            shown += usize::from(lookups % 3 == 0);
            let id: usize = String::from_utf8_lossy(&content(&answer)).lines().next().unwrap().parse().unwrap();
            let mut content = format!("{id}\n{}\n", grown.records[id]).into_bytes();
            content.extend(grown.note_at((id + 1).max(shown.min(size)) as u64));
            body(content, Origin::Remote)
        }
        _ => answer,
    });
    passes(answer, 2 * size as u64);
    world.network = false;
    passes(world.run(job), 2 * size as u64);
}

#[test]
fn wrong_answers_get_their_rule() {
    let text = |body: &Body| String::from_utf8(body.content.clone()).unwrap();
    type Change = fn(String) -> String;
    let cases: [(&str, u8, Change); 8] = [
        ("sumdb-bad-signature", 1, |text| text.replace("\u{2014} sum.example.org", "\u{2014} sum.example.com")),
        ("sumdb-bad-signature", 1, |text| text.replace("tree\n100\n", "tree\n101\n")),
        ("sumdb-bad-proof", 1, |text| text.replacen("3\n", "4\n", 1)),
        ("sumdb-bad-proof", 1, |text| text.replacen("3\n", "100\n", 1)),
        ("sumdb-bad-proof", 1, |text| text.replace(&hash(6), &hash(998))),
        ("unchecked", 3, |text| text.replacen("3\n", "-3\n", 1)),
        ("unchecked", 3, |_| String::new()),
        ("unchecked", 3, |text| text[..text.len() / 2].to_owned()),
    ];
    for (number, (rule, status, change)) in cases.into_iter().enumerate() {
        let mut world = World::new(100);
        let answer = world.run_with(world.job(&go_sum([3])), |request, answer| match (request, &answer) {
            (Request::Sumdb(get), Ok(Answer::Body(answer))) if get.path.starts_with("lookup/") => {
                body(change(text(answer)).into_bytes(), Origin::Remote)
            }
            _ => answer,
        });
        assert_eq!((answer.0.status, rules(&answer.1)), (status, vec![rule]), "case {number}");
        assert_eq!(answer.1.counts.verified, 0);
        if rule != "sumdb-bad-proof" {
            assert_eq!(world.latest, None, "case {number}: no head was shown");
        }
    }
}

/// CVE-2026-42501: the vulnerable client took a record without a line for the module as one that does not differ.
#[test]
fn a_record_about_something_else_is_no_answer() {
    let mut world = World::new(2);
    let only_go_mod = record(2).lines().nth(1).unwrap().to_owned() + "\n";
    world.push(only_go_mod.clone());
    // An authentic record of another module, and one of this module without the line for its zip.
    for (id, text) in [(1, record(1)), (2, only_go_mod)] {
        let mut content = format!("{id}\n{text}\n").into_bytes();
        content.extend(world.note_at(3));
        let answer = |request: &Request, answer| match request {
            Request::Sumdb(get) if get.path.starts_with("lookup/") => body(content.clone(), Origin::Remote),
            _ => answer,
        };
        let line = record(2).lines().next().unwrap().to_owned();
        let finding = only(world.run_with(world.job(&line), answer), "sumdb-no-line", 1);
        assert_eq!(finding.by.as_deref(), Some(format!("{NAME} record {id}").as_str()));

        let lookup = Task::Lookup(vec!["example.org/m0002@v1.0.0".into()]);
        let (outcome, report) = world.run_with(job(Sumdb::Database(world.database()), lookup), answer);
        assert_eq!((outcome.status, rules(&report), outcome.lines.len()), (1, vec!["sumdb-no-line"], 0));
        world.store.clear();
    }
}

/// CVE-2026-56864: the vulnerable client looked for go.sum lines in the whole answer, the signed note included.
#[test]
fn lines_in_the_note_do_not_count() {
    let mut world = World::new(10);
    let evil = "example.org/evil v1.0.0 h1:evil\nexample.org/evil v1.0.0/go.mod h1:evil\n";
    let head = world.log.head().to_string() + evil;
    let note = world.signer.sign(&head);
    let go_sum = "example.org/evil v1.0.0 h1:evil\n";
    let (outcome, report) = world.run_with(world.job(go_sum), |request, answer| match request {
        Request::Sumdb(get) if get.path.starts_with("lookup/") => {
            let mut content = format!("3\n{}\n", record(3)).into_bytes();
            content.extend(&note);
            body(content, Origin::Remote)
        }
        _ => answer,
    });
    assert_eq!((outcome.status, rules(&report)), (1, vec!["sumdb-no-line"]));
}

#[test]
fn a_store_that_was_written_by_anyone_gives_no_wrong_pass() {
    let mut world = World::new(60);
    passes(world.run(world.job(&go_sum([3, 20]))), 4);
    for number in 60..90 {
        world.push(record(number));
    }
    passes(world.run(world.job(&go_sum([3, 20, 70]))), 6);
    let evil = go_sum([3, 20]).replace(&hash(6), &hash(998));
    let store = world.store.clone();
    for (at, (_, content)) in store.iter().enumerate() {
        // Every item cut, emptied, with a byte changed, and with the record that an attacker would like.
        let mut variants: Vec<Vec<u8>> = vec![Vec::new(), content[..content.len() / 2].to_vec()];
        variants.push(String::from_utf8_lossy(content).replace(&hash(6), &hash(998)).into_bytes());
        for flip in (0..content.len()).step_by(7) {
            let mut variant = content.clone();
            variant[flip] ^= 1;
            variants.push(variant);
        }
        for variant in variants {
            world.store = store.clone();
            world.store[at].1 = variant.clone();
            passes(world.run(world.job(&go_sum([3, 20]))), 4);
            world.store = store.clone();
            world.store[at].1 = variant;
            only(world.run(world.job(&evil)), "gosum-mismatch", 1);
        }
    }
}

#[test]
fn a_pinned_head_is_a_floor() {
    let mut world = World::new(100);
    let pinned = |world: &World, note: Vec<u8>| {
        let database = Database { pinned_head: Some(note), ..world.database() };
        job(Sumdb::Database(database), task(vec![file("go.sum", FileKind::GoSum, &go_sum([3]))]))
    };
    let good = pinned(&world, world.note_at(55));
    let (outcome, report) = world.run(good.clone());
    assert_eq!(serde_json::to_value(report.sumdbs[0].floor).unwrap(), "pinned");
    passes((outcome, report), 2);
    world.network = false;
    passes(world.run(good), 2);

    let mut fresh = World::new(100);
    let bad = pinned(&fresh, fresh.forked(20, 55).note_at(55));
    only(fresh.run(bad), "sumdb-fork", 1);
    let foreign = Signer::new("other.example.org", 2).sign("go.sum database tree\n0\n=\n");
    let refused = fresh.step_to_end(pinned(&fresh, foreign), &mut |_, answer| answer);
    assert!(matches!(refused, Next::Refused(Refusal::PinnedHead(_))), "{refused:?}");
}

#[test]
fn witnesses_and_age() {
    let mut world = World::new(40);
    let witness = Signer::witness("witness.example.org", 9);
    let text = world.log.head().to_string();
    let ask = |world: &World, max_age| {
        let database = Database { witnesses: vec![witness.vkey()], quorum: 1, max_age, ..world.database() };
        job(Sumdb::Database(database), task(vec![file("go.sum", FileKind::GoSum, &go_sum([3]))]))
    };
    let finding = only(world.run(ask(&world, None)), "sumdb-bad-signature", 1);
    assert!(finding.message.contains("cosigned by 0"), "{}", finding.message);

    let mut world = World::new(40);
    world.cosignatures = witness.cosign(&text, NOW - 1000);
    passes(world.run(ask(&world, Some(1000))), 2);
    world.network = false;
    passes(world.run(ask(&world, None)), 2);
    let (outcome, report) = world.run(ask(&world, Some(999)));
    assert_eq!((outcome.status, rules(&report)), (0, vec!["sumdb-stale"]), "low does not fail by default");

    // Without witnesses, by when the head was first seen here.
    let mut world = World::new(40);
    let aged = |world: &World, later: u64| {
        let database = Database { max_age: Some(1000), ..world.database() };
        let task = task(vec![file("go.sum", FileKind::GoSum, &go_sum([3]))]);
        Job { now: Instant { seconds: NOW + later, nanoseconds: 0 }, ..job(Sumdb::Database(database), task) }
    };
    passes(world.run(aged(&world, 0)), 2);
    passes(world.run(aged(&world, 1000)), 2);
    let (outcome, report) = world.run(aged(&world, 1001));
    assert_eq!((outcome.status, rules(&report)), (0, vec!["sumdb-stale"]));
}

#[test]
fn skipping_is_said_and_never_excuses_the_toolchain() {
    let mut world = World::new(10);
    let toolchain = format!("golang.org/toolchain v0.0.1-go1.26.0.linux-amd64 {}\n", hash(0));
    let sum = go_sum([1, 2]) + &toolchain;
    let skip = |patterns: &str| SkipPatterns { patterns: patterns.into(), set_by: "GOPRIVATE (environment)".into() };

    let private = Job { skip: skip("example.org/m0001,corp.example"), ..world.job(&go_sum([1, 2])) };
    let (outcome, report) = world.run(private);
    assert_eq!((outcome.status, rules(&report), report.counts.skipped), (0, vec!["sumdb-skipped"], 2));
    assert!(!world.requests.iter().any(|get| get.path.contains("m0001")), "a private name never leaves");

    let (outcome, report) = world.run(Job { skip: skip("*"), ..world.job(&sum) });
    assert_eq!(outcome.status, 1, "everything skipped is no pass: {:?}", rules(&report));
    assert_eq!(world.requests.len(), 1, "the toolchain is looked up");

    let off = job(Sumdb::Off("GOSUMDB (environment)".into()), task(vec![file("go.sum", FileKind::GoSum, &sum)]));
    let (outcome, report) = world.run(off);
    assert_eq!((outcome.status, report.counts.skipped, report.counts.unchecked), (1, 4, 1));
    assert_eq!(rules(&report), ["sumdb-skipped", "unchecked"]);
    assert!(report.sumdbs.is_empty());
}

#[test]
fn conflicts_unknown_algorithms_and_malformed_lines() {
    let mut world = World::new(10);
    let bad = record(1).replace(&hash(2), &hash(77));
    let finding = {
        let (outcome, report) = world.run(world.job(&(record(1) + &bad)));
        assert_eq!(outcome.status, 1);
        assert_eq!(rules(&report), ["gosum-conflict", "gosum-mismatch"]);
        report.findings[0].clone()
    };
    assert_eq!((finding.line, finding.by.as_deref()), (Some(3), Some("go.sum:1")));

    let unknown = "example.org/m0001 v1.0.0 h2:abc\n";
    only(world.run(world.job(unknown)), "gosum-unknown-hash", 1);
    passes_with_unknown(world.run(world.job(&(record(1) + unknown))));
    for text in ["a b\n", "not a module\n", "<<<<<<< HEAD\n", "\u{feff}example.org/m0001 v1.0.0 h1:x\n"] {
        only(world.run(world.job(text)), "gosum-malformed", 1);
    }
    // Between files only where a workspace ties them.
    let files = |work: bool| {
        let mut files = vec![
            file("a/go.sum", FileKind::GoSum, "corp.example/x v1.0.0 h1:a\n"),
            file("b/go.sum", FileKind::GoSum, "corp.example/x v1.0.0 h1:b\n"),
        ];
        if work {
            files.push(file("go.work", FileKind::GoWork, "go 1.21\n"));
        }
        files
    };
    for work in [false, true] {
        let skip = SkipPatterns { patterns: "corp.example".into(), set_by: "GOPRIVATE (environment)".into() };
        let (_, report) = world.run(Job { skip, ..job(Sumdb::Database(world.database()), task(files(work))) });
        assert_eq!(rules(&report).contains(&"gosum-conflict"), work);
    }
}

#[track_caller]
fn passes_with_unknown((outcome, report): (Outcome, Report)) {
    assert_eq!((outcome.status, rules(&report), report.counts.verified), (0, vec![], 2));
}

#[test]
fn missing_lines_are_found_where_go_mod_asks_for_them() {
    let mut world = World::new(10);
    let go_mod = "module example.com/main\n\ngo 1.21\n\nrequire example.org/m0001 v1.0.0\n";
    let files = vec![file("go.mod", FileKind::GoMod, go_mod), file("go.sum", FileKind::GoSum, &go_sum([2]))];
    let (outcome, report) = world.run(job(Sumdb::Database(world.database()), task(files)));
    assert_eq!((outcome.status, rules(&report)), (1, vec!["gosum-missing"; 2]));
    assert_eq!((report.findings[0].file.as_deref(), report.findings[0].line), (Some("go.mod"), Some(5)));

    let files = vec![file("go.mod", FileKind::GoMod, "module (\n"), file("go.sum", FileKind::GoSum, &go_sum([2]))];
    only(world.run(job(Sumdb::Database(world.database()), task(files))), "unchecked", 3);
}

#[test]
fn ignores() {
    let mut world = World::new(10);
    let bad = record(1).replace(&hash(2), &hash(77));
    let ignore = |rule: &str, module: &str, expires: Option<&str>| Ignore {
        rule: rule.into(),
        module: module.into(),
        reason: "known".into(),
        expires: expires.map(str::to_owned),
    };
    let with = |world: &World, ignores| Job { ignores, ..world.job(&bad) };
    let (outcome, report) = world.run(with(&world, vec![ignore("gosum-mismatch", "example.org", Some("2026-11-22"))]));
    assert_eq!((outcome.status, rules(&report), report.counts.ignored), (0, vec![], 1));
    let (outcome, report) = world.run(with(&world, vec![ignore("gosum-mismatch", "example.org", Some("2026-11-21"))]));
    assert_eq!(outcome.status, 1);
    assert!(rules(&report).contains(&"config-expired-ignore"));
    let (_, report) = world.run(with(&world, vec![ignore("gosum-mismatch", "other.org", None)]));
    assert!(rules(&report).contains(&"config-unused-ignore"));
    for (rule, reason) in [("sumdb-fork", "x"), ("unchecked", "x"), ("no-such-rule", "x"), ("gosum-mismatch", " ")] {
        let ignore = Ignore { reason: reason.into(), ..ignore(rule, "*", None) };
        let next = world.step_to_end(with(&world, vec![ignore]), &mut |_, answer| answer);
        assert!(matches!(next, Next::Refused(Refusal::Ignore(_))), "{rule}: {next:?}");
    }
}

#[test]
fn lookups_are_all_or_nothing() {
    let mut world = World::new(10);
    let ask = |world: &World, queries: &[&str]| {
        let queries = queries.iter().map(|query| (*query).to_owned()).collect();
        job(Sumdb::Database(world.database()), Task::Lookup(queries))
    };
    let (outcome, _) = world.run(ask(&world, &["example.org/m0003@v1.0.0", "example.org/m0001@v1.0.0/go.mod"]));
    let want = format!("{}\n{}", record(3).lines().next().unwrap(), record(1).lines().nth(1).unwrap());
    assert_eq!((outcome.status, outcome.lines.join("\n")), (0, want));

    let (outcome, report) = world.run(ask(&world, &["example.org/m0003@v1.0.0", "example.org/none@v1.0.0"]));
    assert_eq!((outcome.status, rules(&report), outcome.lines.len()), (3, vec!["sumdb-unknown-module"], 0));

    let skip = SkipPatterns { patterns: "example.org".into(), set_by: "GONOSUMDB (environment)".into() };
    let (outcome, _) = world.run(Job { skip, ..ask(&world, &["example.org/m0003@v1.0.0"]) });
    assert_eq!((outcome.status, outcome.lines.len(), world.requests.len()), (3, 0, 0));

    for bad in ["example.org/m0003", "example.org/m0003@latest", "example.org/m0003@v1", "@v1.0.0", "a b@v1.0.0"] {
        let next = world.step_to_end(ask(&world, &[bad]), &mut |_, answer| answer);
        assert!(matches!(next, Next::Refused(Refusal::Query(_))), "{bad}: {next:?}");
    }
}

#[test]
fn jobs_that_make_no_sense_are_refused() {
    let world = World::new(3);
    let files = || task(vec![file("go.sum", FileKind::GoSum, "")]);
    let next = |database: Database, task| Session::new(job(Sumdb::Database(database), task)).step(Vec::new()).next;
    let good = || world.database();
    assert!(matches!(next(good(), task(Vec::new())), Next::Refused(Refusal::NothingToDo)));
    assert!(matches!(next(good(), Task::Lookup(Vec::new())), Next::Refused(Refusal::NothingToDo)));
    let key = Database { key: "x".into(), ..good() };
    assert!(matches!(next(key, files()), Next::Refused(Refusal::DatabaseKey(_))));
    for tile_height in [0, 31] {
        let height = Database { tile_height, ..good() };
        assert!(matches!(next(height, files()), Next::Refused(Refusal::TileHeight(_))));
    }
    let quorum = Database { quorum: 1, ..good() };
    assert!(matches!(next(quorum, files()), Next::Refused(Refusal::Quorum(_))));
    let witness = Database { quorum: 1, witnesses: vec!["x".into()], ..good() };
    assert!(matches!(next(witness, files()), Next::Refused(Refusal::WitnessKey(_))));

    let mut session = Session::new(world.job(&go_sum([1])));
    assert!(matches!(session.step(Vec::new()).next, Next::Need(_)));
    assert!(matches!(session.step(Vec::new()).next, Next::Refused(Refusal::Protocol(_))));
    assert!(matches!(session.step(Vec::new()).next, Next::Refused(Refusal::Protocol(_))), "over is over");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// However the answers of the store, of caches and of the network are damaged, a line that the log does not have
    /// is never verified, and nothing panics.
    #[test]
    fn damage_never_verifies_a_wrong_line(
        damage in prop::collection::vec((0usize..80, 0usize..4000, any::<u8>(), 0u8..4), 1..6),
        warm in any::<bool>(),
    ) {
        let mut world = World::new(60);
        if warm {
            world.run(world.job(&go_sum([3, 20])));
            (60..80).for_each(|number| world.push(record(number)));
        }
        let evil = go_sum([3, 20, 41]).replace(&hash(6), &hash(998));
        let mut number = 0;
        let (outcome, report) = world.run_with(world.job(&evil), |request, answer| {
            number += 1;
            let Some((_, at, byte, kind)) = damage.iter().find(|(which, ..)| *which == number) else { return answer };
            if let Request::Advance(_) = request {
                return answer;
            }
            let Ok(Answer::Body(mut body)) = answer else { return answer };
            match kind {
                0 if !body.content.is_empty() => {
                    let at = at % body.content.len();
                    body.content[at] ^= byte | 1;
                }
                1 => body.content.truncate(*at),
                2 => return Err(Failure::TimedOut),
                _ => body.content.extend_from_slice(&[*byte; 32]),
            }
            Ok(Answer::Body(body))
        });
        prop_assert_ne!(outcome.status, 0);
        let wrong = report.modules.iter().flat_map(|module| &module.lines).find(|line| line.hash == hash(998)).unwrap();
        prop_assert_ne!(wrong.status, LineStatus::Verified);
    }
}

#[test]
fn heights_of_tiles() {
    for tile_height in [1, 3, 8, 30] {
        let mut world = World::new(100);
        assert!(Height::new(tile_height).is_some());
        let database = Database { tile_height, ..world.database() };
        let task = task(vec![file("go.sum", FileKind::GoSum, &go_sum(0..30))]);
        passes(world.run(job(Sumdb::Database(database), task)), 60);
    }
}

/// A record that is authentic and about another module must not stay in the way: not out of a store that somebody
/// wrote, and not after a proxy that served it once.
#[test]
fn another_module_s_record_in_a_store_or_cache_costs_a_look_up() {
    let mut world = World::new(60);
    let job = world.job(&go_sum([3]));
    passes(world.run(world.job(&go_sum([3, 20]))), 4);
    let name = |number: usize| key(&Item::Proof(format!("example.org/m{number:04}@v1.0.0")));
    let other = world.store.iter().find(|((_, item), _)| *item == name(20)).unwrap().1.clone();
    world.store.iter_mut().find(|((_, item), _)| *item == name(3)).unwrap().1 = other;
    passes(world.run(job.clone()), 2);

    let mut world = World::new(60);
    let other = content(&world.lookup("example.org/m0020@v1.0.0"));
    world.go_cache.insert("lookup/example.org/m0003@v1.0.0".into(), other.clone());
    passes(world.run(job.clone()), 2);

    let mut world = World::new(60);
    let (outcome, report) = world.run_with(job.clone(), |request, answer| match request {
        Request::Sumdb(get) if get.path.starts_with("lookup/") => body(other.clone(), Origin::Remote),
        _ => answer,
    });
    assert_eq!((outcome.status, rules(&report)), (1, vec!["sumdb-no-line"; 2]));
    passes(world.run(job), 2);
}

/// Nothing is left to look up, and still the go command's head and the configuration's must lie on the timeline.
#[test]
fn warm_runs_reconcile_every_head() {
    let world = || {
        let mut world = World::new(100);
        passes(world.run(world.job(&go_sum([3]))), 2);
        world
    };
    let pinned = |world: &World, note: Vec<u8>| {
        let database = Database { pinned_head: Some(note), ..world.database() };
        job(Sumdb::Database(database), task(vec![file("go.sum", FileKind::GoSum, &go_sum([3]))]))
    };
    for size in [55, 100] {
        let mut warm = world();
        let fork = warm.forked(20, size).note_at(size as u64);
        only(warm.run(pinned(&warm, fork.clone())), "sumdb-fork", 1);
        warm.go_latest = Some(fork);
        only(warm.run(warm.job(&go_sum([3]))), "sumdb-fork", 1);
        warm.go_latest = Some(warm.note_at(size as u64));
        passes(warm.run(warm.job(&go_sum([3]))), 2);
        warm.network = false;
        passes(warm.run(warm.job(&go_sum([3]))), 2);
    }
    let mut warm = world();
    warm.go_latest = Some(warm.forked(20, 400).note_at(400));
    only(warm.run(warm.job(&go_sum([3]))), "unchecked", 3);
    // Also where the only thing left to ask for is unknown.
    let mut warm = world();
    warm.go_latest = Some(warm.forked(20, 55).note_at(55));
    only(warm.run(Job { allow_incomplete: true, ..warm.job(&go_sum([3, 500])) }), "sumdb-fork", 1);
}

/// Another run's head that cannot be compared with ours is no pass, nor is one that was shown to be a fork by a server
/// that then falls silent.
#[test]
fn a_rival_head_that_cannot_be_compared_is_no_pass() {
    for (at, size) in [(20, 60), (20, 400)] {
        for silent_after in [0, 1] {
            let mut world = World::new(100);
            world.rival = Some(world.forked(at, size).note_at(size as u64));
            let mut needs = None;
            let (outcome, report) = world.run_with(world.job(&go_sum([3])), |request, answer| match request {
                Request::Advance(_) => {
                    needs = Some(BTreeMap::new());
                    answer
                }
                Request::Sumdb(get) => match &mut needs {
                    Some(seen) => {
                        let times: &mut i32 = seen.entry(get.path.clone()).or_default();
                        *times += 1;
                        if *times > silent_after { Err(Failure::TimedOut) } else { answer }
                    }
                    None => answer,
                },
                _ => answer,
            });
            assert_ne!(outcome.status, 0, "{size} {silent_after}: {:?}", rules(&report));
        }
    }
}

/// A proxy that pads signed heads until no store takes them would leave no memory against forks.
#[test]
fn oversized_heads() {
    let padding = format!("\u{2014} pad {}\n", "A".repeat(100_000));
    let mut world = World::new(20);
    world.cosignatures = padding.clone();
    only(world.run(world.job(&go_sum([3]))), "unchecked", 3);
    assert_eq!(world.latest, None);

    for go in [false, true] {
        let mut world = World::new(20);
        let (outcome, report) = world.run_with(world.job(&go_sum([3])), |request, answer| match request {
            Request::Recall(Recall { item: Item::GoLatest, .. }) if go => Err(Failure::TooLarge),
            Request::Recall(Recall { item: Item::Latest, .. }) if !go => Err(Failure::TooLarge),
            _ => answer,
        });
        assert_eq!((outcome.status, rules(&report)), (1, vec!["sumdb-bad-signature"]));
    }
}

/// Memory of a first sight that was lost begins again: a proxy that holds back newer heads is still found out.
#[test]
fn a_lost_first_sight_begins_again() {
    let mut world = World::new(40);
    let aged = |world: &World, later: u64| {
        let database = Database { max_age: Some(1000), ..world.database() };
        let task = task(vec![file("go.sum", FileKind::GoSum, &go_sum([3]))]);
        Job { now: Instant { seconds: NOW + later, nanoseconds: 0 }, ..job(Sumdb::Database(database), task) }
    };
    passes(world.run(aged(&world, 0)), 2);
    world.store.retain(|((_, name), _)| *name != key(&Item::FirstSeen));
    passes(world.run(aged(&world, 100)), 2);
    let (_, report) = world.run(aged(&world, 1101));
    assert_eq!(rules(&report), ["sumdb-stale"]);
}

/// One witness alone cannot make a head look fresh where a quorum of two is asked for.
#[test]
fn freshness_takes_a_quorum() {
    let mut world = World::new(40);
    let witnesses = [Signer::witness("a.example.org", 8), Signer::witness("b.example.org", 9)];
    let text = world.log.head().to_string();
    world.cosignatures = witnesses[0].cosign(&text, NOW) + &witnesses[1].cosign(&text, NOW - 1001);
    let keys = witnesses.iter().map(Signer::vkey).collect();
    let database = Database { witnesses: keys, quorum: 2, max_age: Some(1000), ..world.database() };
    let task = task(vec![file("go.sum", FileKind::GoSum, &go_sum([3]))]);
    let (_, report) = world.run(job(Sumdb::Database(database), task));
    assert_eq!(rules(&report), ["sumdb-stale"]);
}

/// `--fail-on never` and ignores do not turn "no answer" into a pass.
#[test]
fn what_was_not_answered_is_never_a_pass() {
    let mut world = World::new(60);
    let forge = |request: &Request, answer: Response| match request {
        Request::Sumdb(get) if get.path.starts_with("lookup/") => {
            body(String::from_utf8_lossy(&content(&answer)).replace(&hash(6), &hash(9)).into(), Origin::Remote)
        }
        _ => answer,
    };
    let (outcome, report) = world.run_with(Job { fail_on: FailOn::Never, ..world.job(&go_sum([3])) }, forge);
    assert_eq!((outcome.status, rules(&report)), (3, vec!["sumdb-bad-proof"]));

    let mut world = World::new(60);
    let ignore =
        Ignore { rule: "sumdb-unknown-module".into(), module: "*".into(), reason: "known".into(), expires: None };
    let task = Task::Lookup(vec!["example.org/none@v1.0.0".into()]);
    let (outcome, _) = world.run(Job { ignores: vec![ignore], ..job(Sumdb::Database(world.database()), task) });
    assert_eq!((outcome.status, outcome.lines.len()), (3, 0));
}

/// A line that compares with nothing is no reason to ask.
#[test]
fn unknown_algorithms_alone_are_not_looked_up() {
    let mut world = World::new(10);
    only(world.run(world.job("example.org/m0001 v1.0.0 h2:abc\n")), "gosum-unknown-hash", 1);
    assert_eq!(world.requests.len(), 0);
}

/// A record that does not speak of the module grades it no better than no record.
#[test]
fn a_lookup_without_a_line_is_unverified() {
    let mut world = World::new(10);
    let Ok(other) = world.lookup("example.org/m0002@v1.0.0") else { panic!() };
    let task = Task::Lookup(vec!["example.org/m0003@v1.0.0".into()]);
    let (outcome, report) =
        world.run_with(job(Sumdb::Database(world.database()), task), |request, answer| match request {
            Request::Sumdb(get) if get.path.starts_with("lookup/") => Ok(other.clone()),
            _ => answer,
        });
    assert_eq!((outcome.status, rules(&report), outcome.lines.len()), (1, vec!["sumdb-no-line"], 0));
    assert_eq!(report.modules[0].grade, Grade::Unverified);
}

/// cmd/go's checkSumDB: the whole line, and of several h1 lines the first.
#[test]
fn a_line_is_compared_as_the_go_command_compares() {
    let (good, bad) = (hash(1), hash(2));
    let mut world = World::new(10);
    world.push(format!("example.org/two v1.0.0 h2:x\nexample.org/two v1.0.0 {good}\nexample.org/two v1.0.0 {bad}\n"));
    world.push(format!("example.org/tail v1.0.0 {good} {bad}\n"));
    world.push("example.org/new v1.0.0 h2:x\n".into());
    passes(world.run(world.job(&format!("example.org/two v1.0.0 {good}\n"))), 1);
    for (module, rule) in [("two", "gosum-mismatch"), ("tail", "gosum-mismatch"), ("new", "sumdb-no-line")] {
        only(world.run(world.job(&format!("example.org/{module} v1.0.0 {bad}\n"))), rule, 1);
    }
}

/// A host that calls everything cached, also what it was told to get from the server, cannot keep a run from ending.
#[test]
fn a_host_that_calls_everything_cached_ends() {
    let mut world = World::new(60);
    let (outcome, _) = world.run_with(world.job(&go_sum([3])), |request, answer| match request {
        Request::Sumdb(get) if get.path.starts_with("tile/") => body(vec![7; get.max_bytes as usize], Origin::GoCache),
        _ => answer,
    });
    assert_eq!(outcome.status, 1);
}
