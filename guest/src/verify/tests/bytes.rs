//! The module cache: what is right, and everything that can be wrong with it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::*;
use crate::contract::{
    CacheFile, CacheGet, HashRefusal, Holding, Measure, Measured, Measurement, ModuleRef, Oddities, Place, Subject,
};
use crate::dirhash::{FileDigest, Manifest, go_mod};
use crate::report::{BytesStatus, Severity, What};

/// Files by name.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The bytes of one module version.
#[derive(Clone, Default)]
pub(super) struct Copy {
    pub(super) zip: Option<Files>,
    pub(super) dir: Option<Files>,
    pub(super) go_mod: Option<Vec<u8>>,
    pub(super) zip_hash: Option<String>,
    pub(super) info: Option<String>,
    pub(super) oddities: Option<Oddities>,
    /// Instead of a measurement of the zip.
    pub(super) refused: Option<HashRefusal>,
    pub(super) failure: Option<Failure>,
}

/// A module cache, a module proxy and vendor folders in memory.
#[derive(Default)]
pub(super) struct Shelf {
    /// By `PATH@VERSION`; none: there is no module cache.
    pub(super) cache: Option<BTreeMap<String, Copy>>,
    pub(super) proxy: BTreeMap<String, Files>,
    pub(super) vendor: BTreeMap<String, Files>,
    pub(super) irregular: Vec<String>,
    pub(super) asked: Vec<Request>,
}

pub(super) const PLAIN: Oddities =
    Oddities { writable: 0, first_writable: None, links: Vec::new(), irregular: Vec::new() };

fn name(module: &ModuleRef) -> String {
    format!("{}@{}", module.path, module.version)
}

fn manifest(files: &Files, prefix: &str) -> Manifest {
    let digest = |(name, content): (&String, &Vec<u8>)| FileDigest {
        name: format!("{prefix}{name}").into_bytes().into(),
        sha256: Sha256::digest(content).into(),
    };
    Manifest::new(files.iter().map(digest).collect())
}

fn measured(manifest: &Manifest, files: bool) -> Answer {
    let found = Measured {
        h1: manifest.h1().to_string(),
        files: manifest.files().len() as u64,
        manifest: if files { manifest.text() } else { Vec::new() },
    };
    Answer::Measurement(Measurement { found: Ok(found), oddities: PLAIN })
}

impl Shelf {
    /// Answers everything that is not about the checksum database.
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        self.asked.push(request.clone());
        match request {
            Request::Held(modules) => {
                let cache = self.cache.as_ref().ok_or(Failure::Absent)?;
                let flags = |module| {
                    let copy = cache.get(&name(module)).cloned().unwrap_or_default();
                    let flag = |there: bool, flag: Holding| if there { flag } else { Holding::empty() };
                    flag(copy.zip.is_some(), Holding::ZIP)
                        | flag(copy.dir.is_some(), Holding::DIR)
                        | flag(copy.go_mod.is_some(), Holding::GO_MOD)
                        | flag(copy.zip_hash.is_some(), Holding::ZIP_HASH)
                        | flag(copy.info.is_some(), Holding::INFO)
                };
                Ok(Answer::Holdings(modules.iter().map(flags).collect()))
            }
            Request::Measure(measure) => self.measure(measure),
            Request::Cached(CacheGet { module, file, .. }) => {
                let copy = self.copy(module)?;
                let content = match file {
                    CacheFile::Info => copy.info.clone(),
                    CacheFile::ZipHash => copy.zip_hash.clone(),
                };
                content.map_or(Err(Failure::Absent), |content| body(content.into_bytes(), Origin::GoCache))
            }
            Request::ZipFile(get) => {
                let files = match get.place {
                    Place::ModuleCache => self.copy(&get.module)?.zip.as_ref().ok_or(Failure::Absent)?,
                    Place::Proxy => self.proxy.get(&name(&get.module)).ok_or(Failure::Absent)?,
                };
                let prefix = name(&get.module) + "/";
                let content = get.name.strip_prefix(&prefix).and_then(|name| files.get(name));
                content.map_or(Err(Failure::Absent), |content| body(content.clone(), Origin::GoCache))
            }
            other => panic!("{other:?}"),
        }
    }

    fn copy(&self, module: &ModuleRef) -> Result<&Copy, Failure> {
        self.cache.as_ref().and_then(|cache| cache.get(&name(module))).ok_or(Failure::Absent)
    }

    fn measure(&self, measure: &Measure) -> Response {
        let module_files = |module: &ModuleRef, files: Option<&Files>| {
            let files = files.ok_or(Failure::Absent)?;
            Ok(measured(&manifest(files, &(name(module) + "/")), measure.files))
        };
        match (&measure.subject, measure.place) {
            (Subject::Zip(module), Place::Proxy) => module_files(module, self.proxy.get(&name(module))),
            (Subject::Zip(module), Place::ModuleCache) => {
                let copy = self.copy(module)?;
                match (copy.failure, &copy.refused) {
                    (Some(failure), _) => Err(failure),
                    (_, Some(refusal)) => {
                        Ok(Answer::Measurement(Measurement { found: Err(refusal.clone()), oddities: PLAIN }))
                    }
                    _ => module_files(module, copy.zip.as_ref()),
                }
            }
            (Subject::Dir(module), _) => {
                let copy = self.copy(module)?;
                let mut answer = module_files(module, copy.dir.as_ref());
                if let (Ok(Answer::Measurement(measurement)), Some(oddities)) = (&mut answer, &copy.oddities) {
                    measurement.oddities = oddities.clone();
                }
                answer
            }
            (Subject::GoMod(module), _) => {
                let content = self.copy(module)?.go_mod.as_ref().ok_or(Failure::Absent)?;
                let found = Measured { h1: go_mod(content).to_string(), files: 1, manifest: Vec::new() };
                Ok(Answer::Measurement(Measurement { found: Ok(found), oddities: PLAIN }))
            }
            (Subject::Vendor(folder), _) => {
                let files = self.vendor.get(folder).ok_or(Failure::Absent)?;
                let mut answer = measured(&manifest(files, ""), true);
                if let Answer::Measurement(measurement) = &mut answer {
                    measurement.oddities.irregular = self.irregular.clone();
                }
                Ok(answer)
            }
        }
    }
}

pub(super) const PATH: &str = "example.org/lib";
pub(super) const VERSION: &str = "v1.2.3";
pub(super) const MODULE: &str = "example.org/lib@v1.2.3";

pub(super) fn sources() -> Files {
    [
        ("go.mod", "module example.org/lib\n"),
        ("LICENSE", "as is\n"),
        ("lib.go", "package lib\n"),
        ("lib_test.go", "package lib\n"),
        ("gen.go", "//go:build ignore\n\npackage main\n"),
        ("asm.s", "TEXT\n"),
        ("sub/sub.go", "package sub\n"),
        ("sub/data/table.txt", "1 2 3\n"),
    ]
    .into_iter()
    .map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()))
    .collect()
}

pub(super) fn h1(files: &Files) -> String {
    manifest(files, &format!("{MODULE}/")).h1().to_string()
}

/// A log that has the module, a module cache that has it as it should be, and its two lines.
pub(super) fn world() -> (World, String) {
    let files = sources();
    let zip = h1(&files);
    let lines = format!("{PATH} {VERSION} {zip}\n{PATH} {VERSION}/go.mod {}\n", go_mod(&files["go.mod"]));
    let mut world = World::new(5);
    world.push(lines.clone());
    let copy = Copy {
        go_mod: Some(files["go.mod"].clone()),
        zip_hash: Some(zip),
        info: Some(format!("{{\"Version\":\"{VERSION}\",\"Time\":\"2026-01-02T03:04:05Z\"}}")),
        dir: Some(files.clone()),
        zip: Some(files),
        ..Copy::default()
    };
    world.shelf.cache = Some(BTreeMap::from([(MODULE.to_owned(), copy)]));
    (world, lines)
}

fn copy(world: &mut World) -> &mut Copy {
    world.shelf.cache.as_mut().and_then(|cache| cache.get_mut(MODULE)).expect("it is there")
}

fn summaries(report: &Report) -> Vec<(What, BytesStatus)> {
    let module = report.modules.iter().find(|module| module.path == PATH).expect("it is listed");
    module.bytes.iter().map(|bytes| (bytes.what, bytes.status)).collect()
}

#[test]
fn what_is_right_passes() {
    let (mut world, lines) = world();
    let (outcome, report) = world.run(world.job(&lines));
    assert_eq!((report.counts.bytes.zip, report.counts.bytes.dir, report.counts.bytes.go_mod), (1, 1, 1));
    assert_eq!(summaries(&report), [What::Zip, What::Dir, What::GoMod].map(|what| (what, BytesStatus::Verified)));
    assert_eq!(report.modules[0].grade, Grade::Unverified);
    passes((outcome, report), 2);
    assert_eq!(world.needs, 4, "hashing goes with the look-ups");
}

/// Each case: what is changed, the one rule that must come of it, and words of its message.
#[test]
fn every_kind_of_change_has_its_finding() {
    type Change = fn(&mut Copy);
    let cases: &[(Change, &str, Severity, u8, &str)] = &[
        (
            |copy| flip(copy.zip.as_mut().unwrap(), "lib.go"),
            "zip-mismatch",
            Severity::Critical,
            1,
            "the zip of example.org/lib v1.2.3 in the module cache is not what sum.example.org record 5 says",
        ),
        (
            |copy| {
                let text = "lib.go: checksum error".to_owned();
                copy.refused = Some(HashRefusal { code: "wrong-crc".into(), text });
            },
            "zip-refused",
            Severity::High,
            1,
            "is not what a module may be: lib.go: checksum error",
        ),
        (
            |copy| flip(copy.dir.as_mut().unwrap(), "sub/sub.go"),
            "dir-mismatch",
            Severity::Critical,
            1,
            "says: changed sub/sub.go",
        ),
        (
            |copy| {
                let dir = copy.dir.as_mut().unwrap();
                dir.insert("evil.go".into(), Vec::new());
                dir.remove("asm.s");
            },
            "dir-mismatch",
            Severity::Critical,
            1,
            ": added evil.go; removed asm.s",
        ),
        (
            |copy| {
                flip(copy.dir.as_mut().unwrap(), "lib.go");
                copy.zip = None;
            },
            "dir-mismatch",
            Severity::Critical,
            1,
            "cannot be said without its zip",
        ),
        (
            |copy| copy.oddities = Some(Oddities { irregular: vec!["link".into()], ..PLAIN }),
            "dir-mismatch",
            Severity::Critical,
            1,
            "neither file nor folder: link",
        ),
        (
            |copy| copy.go_mod = Some(b"module evil\n".to_vec()),
            "gomod-mismatch",
            Severity::Critical,
            1,
            "the go.mod of example.org/lib v1.2.3",
        ),
        (|copy| copy.zip_hash = Some(hash(7)), "ziphash-mismatch", Severity::High, 1, "the go command believes it"),
        (|copy| copy.zip_hash = Some("\u{1b}[2J".into()), "ziphash-mismatch", Severity::High, 1, ".ziphash"),
        (
            |copy| copy.oddities = Some(Oddities { writable: 2, first_writable: Some("lib.go".into()), ..PLAIN }),
            "dir-writable",
            Severity::Note,
            0,
            "example.org/lib@v1.2.3/lib.go",
        ),
        (
            |copy| copy.info = Some("{\"Version\":\"v1.2.4\"}".into()),
            "info-malformed",
            Severity::Low,
            0,
            "names version v1.2.4",
        ),
        (|copy| copy.info = Some("<html>".into()), "info-malformed", Severity::Low, 0, "is not JSON"),
        (|copy| copy.failure = Some(Failure::Storage), "unchecked", Severity::Medium, 3, "1 zip could not be checked"),
        (|copy| copy.failure = Some(Failure::Changed), "unchecked", Severity::Medium, 3, "written to while"),
    ];
    for (number, (change, rule, severity, status, words)) in cases.iter().enumerate() {
        let (mut world, lines) = world();
        change(copy(&mut world));
        let finding = only(world.run(world.job(&lines)), rule, *status);
        assert_eq!(finding.severity, *severity, "case {number}");
        assert!(finding.message.contains(words), "case {number}: {}", finding.message);
        assert_eq!(finding.file.as_deref(), Some("go.sum"), "case {number}");
    }
}

fn flip(files: &mut Files, name: &str) {
    files.get_mut(name).expect("it is there")[0] ^= 1;
}

/// The whole cache of one module was exchanged, and its .ziphash with it: `go mod verify` sees nothing of it.
#[test]
fn a_cache_that_agrees_with_itself() {
    let (mut world, lines) = world();
    let mut evil = sources();
    flip(&mut evil, "lib.go");
    let held = copy(&mut world);
    held.zip_hash = Some(h1(&evil));
    held.dir = Some(evil.clone());
    held.zip = Some(evil);
    let (outcome, report) = world.run(world.job(&lines));
    assert_eq!(outcome.status, 1);
    assert_eq!(rules(&report), ["dir-mismatch", "zip-mismatch", "ziphash-mismatch"]);
    assert_eq!(report.modules[0].grade, Grade::Unverified);
}

/// A line that was made to fit changed bytes: the log decides.
#[test]
fn a_line_that_fits_changed_bytes() {
    let (mut world, lines) = world();
    let mut evil = sources();
    flip(&mut evil, "lib.go");
    let changed = lines.replace(&h1(&sources()), &h1(&evil));
    // The bytes are what the log says: only the line is wrong.
    only(world.run(world.job(&changed)), "gosum-mismatch", 1);
    let held = copy(&mut world);
    held.zip = Some(evil);
    let (_, report) = world.run(world.job(&changed));
    assert_eq!(rules(&report), ["zip-mismatch", "gosum-mismatch"]);
    assert_eq!(report.findings[0].expected, Some(h1(&sources())));
}

/// Of two lines that contradict each other, the one that the record has says what the bytes should be.
#[test]
fn lines_that_contradict_each_other() {
    let (mut world, lines) = world();
    let wrong = format!("{PATH} {VERSION} {}\n", hash(7));
    for go_sum in [wrong.clone() + &lines, lines.clone() + &wrong] {
        let (_, report) = world.run(world.job(&go_sum));
        let mut found = rules(&report);
        found.sort_unstable();
        assert_eq!(found, ["gosum-conflict", "gosum-mismatch"]);
        assert_eq!(report.counts.bytes.zip, 1);
    }
}

/// Without an answer of the database, bytes are compared with the lines, and the run stays incomplete.
#[test]
fn bytes_without_the_log() {
    let (mut world, lines) = world();
    world.network = false;
    let (outcome, report) = world.run(world.job(&lines));
    assert_eq!((outcome.status, rules(&report)), (3, vec!["unchecked"]));
    assert_eq!(report.counts.bytes.zip, 1);
    flip(copy(&mut world).zip.as_mut().unwrap(), "lib.go");
    let (outcome, report) = world.run(world.job(&lines));
    assert_eq!((outcome.status, rules(&report)), (1, vec!["unchecked", "zip-mismatch"]));
    assert_eq!(report.findings[1].by.as_deref(), Some("go.sum:1"));
}

#[test]
fn absent_is_not_wrong_unless_required() {
    let with = |module_cache| Bytes { module_cache, zips: Zips::Cache, vendor: Presence::Off };
    for (presence, cache, status) in [
        (Presence::Auto, None, 0),
        (Presence::Auto, Some(BTreeMap::new()), 0),
        (Presence::Required, None, 3),
        (Presence::Required, Some(BTreeMap::new()), 3),
        (Presence::Off, None, 0),
    ] {
        let (mut world, lines) = world();
        world.shelf.cache = cache;
        let (outcome, report) = world.run(Job { bytes: with(presence), ..world.job(&lines) });
        assert_eq!(outcome.status, status, "{presence:?}: {:?}", report.findings);
    }
    let (mut world, lines) = world();
    flip(copy(&mut world).zip.as_mut().unwrap(), "lib.go");
    passes(world.run(Job { bytes: with(Presence::Off), ..world.job(&lines) }), 2);
    assert_eq!(world.shelf.asked, []);
    // A lower version is there for other ways to build: only the highest is required.
    let (mut world, lines) = super::bytes::world();
    let older = format!("{PATH} v1.0.0 {}\n", hash(40));
    world.push(older.clone());
    let job = world.job(&(lines + &older));
    passes(world.run(Job { bytes: with(Presence::Required), ..job }), 3);
}

/// Beside a go.mod, what it requires: a higher version in go.sum may be there for tests of dependencies.
#[test]
fn what_go_mod_requires_has_to_be_there() {
    let bytes = Bytes { module_cache: Presence::Required, zips: Zips::Cache, vendor: Presence::Off };
    let (mut world, lines) = world();
    let higher = format!("{PATH} v1.9.0 {}\n{PATH} v1.9.0/go.mod {}\n", hash(40), hash(41));
    world.push(higher.clone());
    let task = |version: &str| {
        let go_mod = format!("module example.org/main\n\nrequire {PATH} {version} // indirect\n");
        let go_sum = format!("{lines}{higher}");
        super::task(vec![file("go.mod", FileKind::GoMod, &go_mod), file("go.sum", FileKind::GoSum, &go_sum)])
    };
    let database = Sumdb::Database(world.database());
    passes(world.run(Job { bytes, ..job(database.clone(), task(VERSION)) }), 4);
    let finding = only(world.run(Job { bytes, ..job(database, task("v1.9.0")) }), "unchecked", 3);
    assert!(finding.message.starts_with("1 module version not in the module cache"), "{}", finding.message);
}

#[test]
fn absent_zips_come_from_a_proxy() {
    let bytes = Bytes { module_cache: Presence::Off, zips: Zips::Download, vendor: Presence::Off };
    let (mut world, lines) = world();
    world.shelf.cache = None;
    world.shelf.proxy.insert(MODULE.into(), sources());
    let (outcome, report) = world.run(Job { bytes, ..world.job(&lines) });
    assert_eq!(summaries(&report)[0], (What::Zip, BytesStatus::Verified));
    passes((outcome, report), 2);

    flip(world.shelf.proxy.get_mut(MODULE).unwrap(), "lib.go");
    let finding = only(world.run(Job { bytes, ..world.job(&lines) }), "zip-mismatch", 1);
    assert!(finding.message.contains("that GOPROXY serves"), "{}", finding.message);

    world.shelf.proxy.clear();
    only(world.run(Job { bytes, ..world.job(&lines) }), "unchecked", 3);
}

#[test]
fn an_answer_of_the_wrong_kind_ends_the_run() {
    let (mut world, lines) = world();
    let job = world.job(&lines);
    let next = world.step_to_end(job, &mut |request, answer| match request {
        Request::Held(_) => body(Vec::new(), Origin::GoCache),
        _ => answer,
    });
    assert!(matches!(next, Next::Refused(Refusal::Protocol(_))), "{next:?}");
}

/// Who says what: the record, the lines and the bytes of one module version, in a checkout or without any.
#[test]
fn explain() {
    let (mut world, lines) = world();
    let question = |go_sum: Option<&str>, world: &World| {
        let files = go_sum.map(|go_sum| file("go.sum", FileKind::GoSum, go_sum)).into_iter().collect();
        let checkout = Checkout { files, programs: Vec::new(), bare_vendors: Vec::new() };
        let question = Question { module: MODULE.into(), checkout };
        job(Sumdb::Database(world.database()), Task::Explain(question))
    };
    let recorded: Vec<&str> = lines.lines().collect();
    for go_sum in [None, Some(lines.as_str()), Some("<<<<<<< HEAD\n")] {
        let (outcome, report) = world.run(question(go_sum, &world));
        assert_eq!(outcome.status, 0, "{:?}", report.findings);
        assert_eq!(outcome.lines, recorded);
        assert_eq!(report.modules.len(), 1);
        assert_eq!(summaries(&report).len(), 3);
    }
    flip(copy(&mut world).dir.as_mut().unwrap(), "lib.go");
    only(world.run(question(None, &world)), "dir-mismatch", 1);
    world.records.clear();
    world.shelf.cache = None;
    world.store.clear();
    let (outcome, report) = world.run(question(None, &world));
    assert_eq!((outcome.status, rules(&report)), (3, vec!["sumdb-unknown-module"]));
}

/// Nobody but go.sum speaks for a private module: what a program says of itself does not excuse changed bytes.
#[test]
fn a_program_does_not_vouch_for_the_module_cache() {
    let (mut world, lines) = world();
    let mut evil = sources();
    flip(&mut evil, "lib.go");
    let mod_info = format!("path\tx\ndep\t{PATH}\t{VERSION}\t{}\n", h1(&evil));
    let program = crate::contract::Program {
        path: "bin/server".into(),
        sha256: "00".repeat(32),
        go_version: "go1.26.1".into(),
        mod_info,
    };
    let held = copy(&mut world);
    held.dir = Some(evil.clone());
    held.zip = Some(evil);
    let files = vec![file("go.sum", FileKind::GoSum, &lines)];
    let task = Task::Verify(Checkout { files, programs: vec![program], bare_vendors: Vec::new() });
    let job = job(Sumdb::Database(world.database()), task);
    let skip = SkipPatterns { patterns: PATH.into(), set_by: "GOPRIVATE (environment)".into() };
    let (outcome, report) = world.run(Job { skip, ..job });
    assert_eq!(outcome.status, 1, "{:#?}", report.findings);
    assert!(rules(&report).contains(&"zip-mismatch") && rules(&report).contains(&"dir-mismatch"));
}

/// Two checkouts with different hashes for a private module share a module cache: it can be right for one of them only.
/// The go command believes `.ziphash`, which fits the first.
#[test]
fn a_line_of_another_checkout_does_not_vouch() {
    let (mut world, lines) = world();
    let mut evil = sources();
    flip(&mut evil, "lib.go");
    let held = copy(&mut world);
    held.dir = Some(evil.clone());
    held.zip = Some(evil.clone());
    let other = lines.replace(&h1(&sources()), &h1(&evil));
    for (a, b) in [(&lines, &other), (&other, &lines)] {
        let files = vec![file("a/go.sum", FileKind::GoSum, a), file("b/go.sum", FileKind::GoSum, b)];
        let job = job(Sumdb::Database(world.database()), super::task(files));
        let skip = SkipPatterns { patterns: PATH.into(), set_by: "GOPRIVATE (environment)".into() };
        let (outcome, report) = world.run(Job { skip, ..job });
        assert_eq!(outcome.status, 1, "{:#?}", report.findings);
        assert!(rules(&report).contains(&"zip-mismatch") && rules(&report).contains(&"dir-mismatch"));
    }
}

/// encoding/json takes names in any case, and the last one.
#[test]
fn an_info_is_read_as_go_reads_it() {
    for text in [
        r#"{"Version":"v1.2.3","version":"v1.2.4"}"#,
        r#"{"Version":"v1.2.3","VER\u017fION":"v1.2.4"}"#,
        r#"{"Version":"v1.2.3","Version":"v1.2.4"}"#,
    ] {
        let (mut world, lines) = world();
        copy(&mut world).info = Some(text.into());
        let finding = only(world.run(world.job(&lines)), "info-malformed", 0);
        assert!(finding.message.contains("v1.2.4"), "{}", finding.message);
    }
    let (mut world, lines) = world();
    copy(&mut world).info = Some(r#"{"version":"v1.2.3","Time":"2026-01-02T03:04:05Z"}"#.into());
    passes(world.run(world.job(&lines)), 2);
}
