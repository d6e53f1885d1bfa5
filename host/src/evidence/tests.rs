//! The file, replays and what is told of them, on small runs of the real component.

use std::io::Write as _;
use std::sync::LazyLock;

use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::claims::{Claims, Compared, Kind, Viewer};
use super::diff::diff;
use super::file::{FileError, MAX_COMMAS, MAX_REFERRED, MAX_ROUNDS, inflate};
use super::json::{Contents, ContractJson, JsonError, Object, Value, Writer, digest};
use super::minimize::{MinimizeError, minimize};
use super::replay::{ReplayError, replay, replay_with_other};
use super::{Evidence, Exchanged};
use crate::contract::{
    Answer, Artifact, BlobTask, Body, Bytes, Checkout, Database, FailOn, Failure, FileKind, Holding, Identity, Instant,
    Item, Job, Next, Origin, Presence, Program, Recall, Repositories, Repository, Request, Response, Signer,
    SigstoreSettings, SkipPatterns, SourceFile, Sumdb, Task, Tool, TrustedRoot, Zips,
};
use crate::engine::{Engine, Limits, component_digest};

/// Two good lines, and one that is none.
const GO_SUM: &str = "\
a.example/m v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
b.example/m v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
<<<<<<< ours
";

fn engine() -> Engine {
    Engine::new(Limits::default()).unwrap()
}

fn job(gosum: &str) -> Job {
    let file = |path: &str, kind, content: &str| SourceFile { path: path.into(), kind, content: content.into() };
    let files = vec![
        file("go.mod", FileKind::GoMod, "module c.example/m\n\ngo 1.24\n"),
        file("go.sum", FileKind::GoSum, gosum),
    ];
    Job {
        now: Instant { seconds: 1_795_802_702, nanoseconds: 5 },
        tool: Tool { version: "0.1.0".into(), component: component_digest() },
        task: Task::Verify(Checkout { files, programs: vec![], bare_vendors: vec![] }),
        sumdb: Sumdb::Database(Database {
            key: "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8".into(),
            set_by: "GOSUMDB (default)".into(),
            tile_height: 8,
            pinned_head: None,
            witnesses: vec![],
            quorum: 0,
            max_age: Some(u64::MAX),
        }),
        skip: SkipPatterns { patterns: String::new(), set_by: "GONOSUMDB (default)".into() },
        fail_on: FailOn::Medium,
        allow_incomplete: false,
        ignores: vec![],
        bytes: Bytes { module_cache: Presence::Auto, zips: Zips::Cache, vendor: Presence::Auto },
        tuf: Repositories::none(),
        sigstore: SigstoreSettings::none(),
        policy: None,
    }
}

/// A run of which nothing was answered but what the module cache has.
fn recorded(job: Job) -> Evidence {
    let mut session = engine().start(&job).unwrap();
    let (mut answers, mut exchange) = (vec![], vec![]);
    let outcome = loop {
        let requests = match session.step(answers).unwrap().next {
            Next::Need(requests) => requests,
            Next::Done(outcome) => break outcome,
            Next::Refused(refusal) => panic!("{refusal:?}"),
        };
        answers = requests.iter().map(unanswered).collect();
        let exchanged = requests.into_iter().zip(answers.iter().cloned());
        exchange.push(exchanged.map(|(request, response)| Exchanged { request, response }).collect());
    };
    Evidence { job, exchange, outcome }
}

fn unanswered(request: &Request) -> Response {
    match request {
        Request::Held(modules) => Ok(Answer::Holdings(vec![Holding::GO_MOD | Holding::INFO; modules.len()])),
        Request::Recall(_) => Err(Failure::Absent),
        _ => Err(Failure::Unreachable),
    }
}

fn small() -> Evidence {
    SMALL.clone()
}

static SMALL: LazyLock<Evidence> = LazyLock::new(|| recorded(job(GO_SUM)));

#[test]
fn what_is_written_is_read_and_judged_the_same() {
    let evidence = small();
    let file = evidence.to_bytes().unwrap();
    assert_eq!(file, evidence.to_bytes().unwrap(), "the same twice");
    let read = Evidence::from_bytes(&file).unwrap();
    assert_eq!(read, evidence);
    replay(&engine(), &read, &component_digest()).unwrap();
}

#[test]
fn every_changed_byte_is_seen() {
    let mut file = small().to_bytes().unwrap();
    for at in 0..file.len() {
        for bit in [1, 0x80] {
            file[at] ^= bit;
            assert!(Evidence::from_bytes(&file).is_err(), "byte {at}");
            file[at] ^= bit;
        }
    }
    for length in 0..file.len() {
        assert!(Evidence::from_bytes(&file[..length]).is_err(), "cut to {length}");
    }
    file.push(0);
    assert!(matches!(Evidence::from_bytes(&file), Err(FileError::Changed)));
}

/// A file around any document, with a digest that fits.
fn file_of(document: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, b'M', b'A', 32, 0];
    let mut gzip = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(document).unwrap();
    // Behind the encoder's own head of 10 bytes.
    let body = gzip.finish().unwrap().split_off(10);
    file.extend(<sha2::Sha256 as sha2::Digest>::digest(&body));
    file.extend(body);
    file
}

#[test]
fn another_compression_of_the_same_document_is_read() {
    let evidence = small();
    assert_eq!(Evidence::from_bytes(&file_of(evidence.document().as_bytes())).unwrap(), evidence);
}

#[test]
fn a_document_that_is_not_as_it_has_to_be_is_refused() {
    let document = small().document();
    let table = [
        ("another schema", "modanchor-evidence/1", "modanchor-evidence/2", "`schema` is"),
        ("a space", "{\"schema\":", "{ \"schema\":", "two ways"),
        ("a key twice", "\"fail-on\":\"medium\"", "\"fail-on\":\"never\",\"fail-on\":\"medium\"", "two ways"),
        ("an unknown key", "\"fail-on\":", "\"fail_on\":\"never\",\"fail-on\":", "`fail_on` is not known"),
        ("a missing key", "\"fail-on\":\"medium\",", "", "`fail-on` is missing"),
        ("an unknown case", "\"fail-on\":\"medium\"", "\"fail-on\":\"none\"", "no case `none`"),
        ("a number that is none", "\"nanoseconds\":5", "\"nanoseconds\":\"5\"", "a number expected"),
        ("a number too large", "\"nanoseconds\":5", "\"nanoseconds\":4294967296", "does not fit"),
        ("a number with a fraction", "\"nanoseconds\":5", "\"nanoseconds\":5.0", "a number expected"),
        ("a number with an exponent", "\"tile-height\":8", "\"tile-height\":8e0", "a number expected"),
        ("a byte too large", "\"tile-height\":8", "\"tile-height\":256", "does not fit"),
        ("a long number with zeros", "\"seconds\":\"1795802702\"", "\"seconds\":\"01795802702\"", "two ways"),
        ("a long number with a sign", "\"seconds\":\"1795802702\"", "\"seconds\":\"+1795802702\"", "two ways"),
        ("other escapes", "\"fail-on\":\"medium\"", "\"fail-on\":\"m\\u0065dium\"", "two ways"),
        ("flags in another order", "[\"go-mod\",\"info\"]", "[\"info\",\"go-mod\"]", "two ways"),
        ("an unknown flag", "[\"go-mod\",\"info\"]", "[\"go-mod\",\"infos\"]", "no case `infos`"),
        ("another result", "{\"error\":\"unreachable\"}", "{\"err\":\"unreachable\"}", "no case `err`"),
        ("another content", "module c.example/m", "module d.example/m", "is of other bytes"),
        ("unused content", "\"contents\":{", &format!("\"contents\":{{\"{}\":\"x\",", digest(b"x")), "two ways"),
        ("no content", "\"contents\":{", "\"content\":{", "`contents` is missing"),
    ];
    for (what, from, to, error) in table {
        let changed = document.replacen(from, to, 1);
        assert_ne!(changed, document, "{what}: nothing to change");
        let refused = Evidence::from_bytes(&file_of(changed.as_bytes())).unwrap_err().to_string();
        assert!(refused.contains(error), "{what}: {refused}");
    }
    for (what, bytes) in [("no JSON", &b"{"[..]), ("no UTF-8", b"\"\xff\""), ("nothing", b""), ("more", b"{}{}")] {
        let refused = Evidence::from_bytes(&file_of(bytes)).unwrap_err();
        assert!(matches!(refused, FileError::Json), "{what}: {refused}");
    }
    let base64 = document.replacen(
        "\"module c.example/m\\n\\ngo 1.24\\n\"",
        "{\"base64\":\"bW9kdWxlIGMuZXhhbXBsZS9tCgpnbyAxLjI0Cg==\"}",
        1,
    );
    assert!(matches!(Evidence::from_bytes(&file_of(base64.as_bytes())), Err(FileError::NotCanonical)));
}

#[test]
fn limits_hold() {
    let document = small().document();
    let file = file_of(document.as_bytes());
    assert_eq!(inflate(&file, file.len(), document.len()).unwrap(), document.as_bytes());
    assert!(matches!(inflate(&file, file.len() - 1, document.len()), Err(FileError::Size)));
    assert!(matches!(inflate(&file, file.len(), document.len() - 1), Err(FileError::Size)));
    let bomb = file_of(&vec![b' '; 1 << 20]);
    assert!(matches!(inflate(&bomb, bomb.len(), 1 << 10), Err(FileError::Size)));

    let mut evidence = small();
    evidence.exchange = vec![vec![]; MAX_ROUNDS];
    assert!(evidence.to_bytes().is_ok());
    evidence.exchange.push(vec![]);
    assert!(matches!(evidence.to_bytes(), Err(FileError::Rounds)));
    assert!(matches!(Evidence::from_document(evidence.document().as_bytes()), Err(FileError::Rounds)));
    let values = [&b"[0"[..], &b",0".repeat(MAX_COMMAS), b"]"].concat();
    assert!(matches!(Evidence::from_document(&values), Err(FileError::Document(_))));
    let values = [&b"[0"[..], &b",0".repeat(MAX_COMMAS + 1), b"]"].concat();
    assert!(matches!(Evidence::from_document(&values), Err(FileError::Commas)));
    // Deeper than any contract.
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert!(matches!(Evidence::from_bytes(&file_of(&deep)), Err(FileError::Json)));
}

#[test]
fn what_was_changed_with_a_digest_that_fits_is_seen_by_judging_again() {
    type Change = fn(&mut Evidence);
    let table: &[(&str, Change, &str)] = &[
        ("the report", |e| e.outcome.report.extend(b" "), "another outcome than was recorded"),
        ("the status", |e| e.outcome.status = 0, "(the verdict)"),
        ("a line", |e| e.outcome.lines.push("x".into()), "(lines of go.sum)"),
        ("a round less", |e| drop(e.exchange.pop()), "asks, in round"),
        ("no rounds", |e| e.exchange.clear(), "asks, in round 1"),
        ("a round more", |e| e.exchange.push(vec![]), "answers what was never asked"),
        ("a question less", |e| drop(e.exchange[0].pop()), "asks, in round 1"),
        ("questions in another order", |e| e.exchange[0].reverse(), "asks, in round 1"),
        (
            "a question that was never asked",
            |e| {
                let item = Item::Links;
                let request = Request::Recall(Recall { database: "x".into(), item, max_bytes: 1 });
                e.exchange[0].push(Exchanged { request, response: Err(Failure::Absent) });
            },
            "asks, in round 1",
        ),
        (
            "an answer",
            |e| {
                let body = Body { content: b"x".to_vec(), origin: Origin::Remote };
                let exchanged = e.exchange.iter_mut().flatten();
                let mut lookups = exchanged.filter(|asked| matches!(asked.request, Request::Sumdb(_)));
                lookups.next().unwrap().response = Ok(Answer::Body(body));
            },
            "",
        ),
        ("the time", |e| e.job.now.seconds += 1, "another outcome than was recorded"),
        (
            "an input",
            |e| {
                let Task::Verify(checkout) = &mut e.job.task else { unreachable!("it was made so") };
                checkout.files[1].content.push(b'\n');
            },
            "",
        ),
        ("the key", |e| e.job.sumdb = Sumdb::Off("GOSUMDB (environment)".into()), ""),
        (
            "a job that makes no sense",
            |e| {
                let Sumdb::Database(database) = &mut e.job.sumdb else { unreachable!("it was made so") };
                database.key = "x".into();
            },
            "refuses the job",
        ),
    ];
    let engine = engine();
    for (what, change, error) in table {
        let mut evidence = small();
        change(&mut evidence);
        // Whoever changes it can write a file of it.
        let evidence = Evidence::from_bytes(&evidence.to_bytes().unwrap()).unwrap();
        let refused = replay(&engine, &evidence, &component_digest()).expect_err(what).to_string();
        assert!(refused.contains(error), "{what}: {refused}");
    }
}

#[test]
fn another_component_judges_only_when_told() {
    let mut evidence = small();
    let there = format!("sha256:{}", "0".repeat(64));
    evidence.job.tool.component.clone_from(&there);
    let engine = engine();
    let refused = replay(&engine, &evidence, &component_digest()).unwrap_err();
    assert!(matches!(&refused, ReplayError::OtherComponent { recorded, .. } if *recorded == there), "{refused}");
    let again = replay_with_other(&engine, &evidence, &component_digest()).unwrap();
    assert_eq!(again, small(), "the job and the report name the component that judged");
    evidence.exchange.truncate(1);
    let refused = replay_with_other(&engine, &evidence, &component_digest()).unwrap_err().to_string();
    assert!(refused.contains("nothing in the evidence answers"), "{refused}");
}

#[test]
fn what_is_proven_and_what_is_said() {
    let evidence = small();
    let mut viewer = Viewer::default();
    viewer.anchors.insert((Kind::Sumdb, "sum.golang.org".into()), "another key".into());
    viewer.files.insert("go.sum".into(), digest(GO_SUM.as_bytes()));
    let claims = Claims::of(&evidence, &viewer);
    assert_eq!(claims.anchors[0].yours, Compared::Differs);
    let yours: Vec<_> = claims.inputs.iter().map(|input| (input.path.as_str(), input.yours)).collect();
    assert_eq!(yours, [("go.mod", Compared::Unknown), ("go.sum", Compared::Same)]);
    insta::assert_snapshot!(claims.text().replace(&component_digest(), "sha256:COMPONENT"));
}

#[test]
fn a_name_that_lies_about_its_file_is_told() {
    let mut evidence = small();
    let Task::Verify(checkout) = &mut evidence.job.task else { panic!("it was a verify") };
    let gosum = checkout.files[1].clone();
    checkout.files[1].kind = FileKind::GoMod;
    checkout.programs.push(Program {
        path: "x/go.sum".into(),
        sha256: digest(GO_SUM.as_bytes())["sha256:".len()..].into(),
        go_version: "go1.26.8".into(),
        mod_info: String::new(),
    });
    checkout.files.push(SourceFile { path: "tools.sum".into(), ..gosum });
    let mut viewer = Viewer::default();
    for name in ["go.sum", "x/go.sum", "tools.sum"] {
        viewer.files.insert(name.into(), digest(GO_SUM.as_bytes()));
    }
    let claims = Claims::of(&evidence, &viewer);
    let told: Vec<_> = claims.inputs.iter().map(|input| (input.path.as_str(), input.judged_as, input.yours)).collect();
    assert_eq!(
        told,
        [
            ("go.mod", None, Compared::Unknown),
            ("go.sum", Some("a go.mod"), Compared::Differs),
            ("tools.sum", None, Compared::Same),
            ("x/go.sum", Some("a program"), Compared::Differs),
        ]
    );
    assert_eq!(claims.differing(), 2);
    assert!(claims.text().contains("go.sum, judged as a go.mod: NOT the file that you have"), "{}", claims.text());
}

#[test]
fn what_the_recorder_chose_is_told() {
    let mut evidence = small();
    let mut viewer = Viewer::default();
    for kind in [Kind::Sumdb, Kind::Tuf, Kind::Policy, Kind::Sigstore] {
        viewer.anchors.insert((kind, "mine".into()), "mine".into());
    }
    let job = &mut evidence.job;
    job.fail_on = FailOn::Never;
    job.allow_incomplete = true;
    job.skip.patterns = "*.example".into();
    job.bytes.vendor = Presence::Off;
    let repository = |name: &str| Repository {
        name: name.into(),
        trusted_root: name.into(),
        set_by: "--config".into(),
        modules: "a.example".into(),
        role: None,
    };
    job.tuf.all.push(repository("approving"));
    job.sigstore.roots.push(TrustedRoot {
        name: "sigstore".into(),
        repository: Some(repository("approving")),
        target: "trusted_root.json".into(),
        content: b"{}".to_vec(),
        expires: None,
        set_by: "somebody".into(),
    });
    let seen = Recall { database: "sum.golang.org".into(), item: Item::FirstSeen, max_bytes: 100 };
    let body = Body { content: b"0".to_vec(), origin: Origin::Store };
    evidence.exchange.push(vec![Exchanged { request: Request::Recall(seen), response: Ok(Answer::Body(body)) }]);
    let claims = Claims::of(&evidence, &viewer);
    let kinds: Vec<_> = claims.anchors.iter().map(|anchor| (anchor.kind, anchor.name.as_str())).collect();
    assert_eq!(
        kinds,
        [
            (Kind::Sumdb, "sum.golang.org"),
            (Kind::Tuf, "approving"),
            (Kind::Sigstore, "sigstore"),
            (Kind::SigstoreTuf, "approving"),
        ]
    );
    let unused: Vec<_> = claims.unused.iter().map(|unused| unused.kind).collect();
    assert_eq!(unused, [Kind::Sumdb, Kind::Tuf, Kind::Policy]);
    for line in [
        "--fail-on (1): never",
        "what could not be checked may pass (1): --allow-incomplete",
        "not asked of the database (1): *.example (by GONOSUMDB (default))",
        "not looked at (1): vendor folders",
        "what a TUF repository must approve (1): approving: a.example",
        "until when the copy of a trusted root is good (1): sigstore: without end",
        "when the newest head was first seen (1): sum.golang.org",
        "checksum database mine",
    ] {
        assert!(claims.text().lines().any(|found| found.trim() == line), "{line}: {}", claims.text());
    }
}

#[test]
fn whom_a_signature_must_be_of_is_told() {
    let mut evidence = small();
    let anybody = Identity {
        subject: None,
        subject_regexp: Some(".*".into()),
        issuer: None,
        issuer_regexp: Some(".*".into()),
        github_trigger: None,
        github_sha: None,
        github_name: None,
        github_repository: None,
        github_ref: None,
    };
    evidence.job.task = Task::VerifyBlob(BlobTask {
        name: "blob".into(),
        artifact: Artifact::Sha256(vec![0; 32]),
        signer: Signer::Identity(anybody),
        bundle: None,
        signature: None,
        certificate: None,
        chain: Some(b"PEM".to_vec()),
        timestamp: None,
        require_log: false,
        require_sct: true,
        require_timestamp: false,
        rekor_url: None,
    });
    let text = Claims::of(&evidence, &Viewer::default()).text();
    for part in [
        "signer of blob: you have none to compare with\n    subject like .*, issuer like .*",
        &format!(
            "authorities in place of a trusted root's blob: you have none to compare with\n    {}",
            digest(b"PEM")
        ),
        "no entry in a log was asked for (1): blob",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn bytes_that_are_referred_to_often_are_counted_each_time() {
    let text = format!("[{0},{0},{0}]", serde_json::json!(digest(b"1234")));
    let read = |most| {
        let contents = Contents::read(serde_json::json!({ digest(b"1234"): "1234" }), most).unwrap();
        Vec::<Vec<u8>>::read(serde_json::from_str(&text).unwrap(), &contents)
    };
    assert_eq!(read(12).map(|read| read.len()), Ok(3));
    assert_eq!(read(11), Err(JsonError::Refers(11)));
    let mut evidence = small();
    let Task::Verify(checkout) = &mut evidence.job.task else { panic!("it was a verify") };
    let large = SourceFile { content: vec![b'a'; MAX_REFERRED / 8], ..checkout.files[1].clone() };
    checkout.files.extend(std::iter::repeat_n(large, 8));
    assert!(matches!(evidence.to_bytes(), Err(FileError::Document(JsonError::Refers(MAX_REFERRED)))));
}

#[test]
fn foreign_text_in_messages_is_short() {
    let long = "x".repeat(1 << 20);
    for error in [
        JsonError::Unknown(long.clone()).to_string(),
        JsonError::Case(long.clone()).to_string(),
        JsonError::NoContent(long.clone()).to_string(),
        JsonError::Digest(long.clone()).to_string(),
        Evidence::from_document(format!("{{\"schema\":\"{long}\"}}").as_bytes()).unwrap_err().to_string(),
    ] {
        assert!(error.len() < 200 && error.contains("xxx…"), "{}", error.len());
    }
}

#[test]
fn settings_that_differ_are_seen() {
    let one = small();
    let changes: [fn(&mut Job); 3] = [
        |job| job.tuf.required = true,
        |job| job.bytes.vendor = Presence::Off,
        |job| {
            let Task::Verify(checkout) = &mut job.task else { panic!("it was a verify") };
            checkout.files[1].kind = FileKind::GoWorkSum;
        },
    ];
    for change in changes {
        let mut other = one.clone();
        change(&mut other.job);
        assert_eq!(diff(&one, &other).unwrap(), "settings: they differ, or by whose word they are\n");
    }
}

#[test]
fn two_runs_are_compared() {
    let one = small();
    assert_eq!(diff(&one, &one).unwrap(), "");
    let mut later = job(&GO_SUM.replace("<<<<<<< ours\n", ""));
    later.now.seconds += 60;
    later.fail_on = FailOn::Never;
    insta::assert_snapshot!(diff(&one, &recorded(later)).unwrap());
}

#[test]
fn the_smallest_part_shows_the_same() {
    let engine = engine();
    let evidence = small();
    let rules = ["gosum-malformed".to_owned()];
    let smaller = minimize(&engine, &evidence, &component_digest(), &rules).unwrap();
    let Task::Verify(checkout) = &smaller.job.task else { panic!("it was a verify") };
    let [file] = checkout.files.as_slice() else { panic!("{checkout:?}") };
    assert_eq!((file.path.as_str(), file.content.as_slice()), ("go.sum", &b"<<<<<<< ours\n"[..]));
    replay(&engine, &smaller, &component_digest()).unwrap();
    let none = minimize(&engine, &evidence, &component_digest(), &["sumdb-fork".to_owned()]);
    assert!(matches!(none, Err(MinimizeError::NoFinding(_))));
}

fn round_trip<T: ContractJson + PartialEq + std::fmt::Debug>(value: &T) {
    let mut out = Writer::default();
    out.raw("{\"value\":");
    value.write(&mut out);
    out.raw(",\"contents\":");
    out.contents();
    out.raw("}");
    let text = out.finish();
    let mut object = Object::new(serde_json::from_str::<Value>(&text).unwrap()).unwrap();
    let contents = Contents::read(object.take("contents").unwrap(), usize::MAX).unwrap();
    assert_eq!(object.field::<T>("value", &contents).as_ref(), Ok(value), "{text}");
}

proptest! {
    #[test]
    fn values_survive(
        text in any::<String>(), bytes in any::<Vec<u8>>(), number in any::<u64>(), small in any::<u32>(),
        flags in 0_u8..32, pair in any::<(u64, u64)>(), some in any::<Option<bool>>(),
    ) {
        round_trip(&(text.clone(), bytes.clone()));
        round_trip(&(vec![text, String::new()], some));
        round_trip(&(number, small));
        round_trip(&Item::Link(pair));
        let names = ["zip", "dir", "go-mod", "info", "zip-hash"];
        let set: Vec<Value> = names.iter().enumerate().filter(|(bit, _)| flags & (1 << bit) != 0).map(|(_, name)| (*name).into()).collect();
        let holding = Holding::read(Value::Array(set), &Contents::default()).unwrap();
        round_trip(&Ok::<_, Failure>(Answer::Holdings(vec![holding, Holding::default()])));
        round_trip(&Err::<Answer, _>(Failure::RateLimited));
        round_trip(&Ok::<_, Failure>(Answer::Body(Body { content: bytes, origin: Origin::GoCache })));
    }

    /// Whatever is read is written as it was read, and is another run then.
    #[test]
    fn changed_documents_are_refused_or_something_else(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..4),
    ) {
        let evidence = &*SMALL;
        let honest = evidence.document();
        let mut document = honest.clone().into_bytes();
        for (at, byte, kind) in changes {
            let at = at.index(document.len());
            match kind {
                0 => document[at] = byte,
                1 => document.insert(at, byte),
                _ => drop(document.remove(at)),
            }
        }
        if let Ok(read) = Evidence::from_document(&document) {
            let again = read.document();
            prop_assert_eq!(again.as_bytes(), &document[..]);
            prop_assert_eq!(read == *evidence, document == honest.as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        prop_assert!(Evidence::from_bytes(&bytes).is_err());
        prop_assert!(Evidence::from_bytes(&file_of(&bytes)).is_err());
    }
}

#[test]
fn bytes_are_a_reference() {
    let read = Vec::<u8>::read(Value::String(digest(b"x")), &Contents::default());
    assert_eq!(read, Err(JsonError::NoContent(digest(b"x"))));
    assert_eq!(Vec::<u8>::read(Value::Array(vec![]), &Contents::default()), Err(JsonError::Expected("a digest")));
}
