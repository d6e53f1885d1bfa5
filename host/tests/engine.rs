//! The embedded component in the engine: it starts, it answers, and its limits hold.

use std::io::Write as _;
use std::time::Duration;

use modanchor_core::report::{Places, sarif};
use modanchor_host::contract::{
    Answer, Body, Bytes, Checkout, Database, FailOn, FileKind, Instant, Job, Next, Origin, Presence, Refusal,
    RenderError, Repositories, SarifOptions, SigstoreSettings, SkipPatterns, SourceFile, Step, Sumdb, Task, Tool, Zips,
};
use modanchor_host::engine::{COMPONENT_SHA256, Engine, EngineError, Limits};

fn job(task: Task) -> Job {
    Job {
        now: Instant { seconds: 1_780_000_000, nanoseconds: 0 },
        tool: Tool { version: "0.0.0".into(), component: format!("sha256:{COMPONENT_SHA256}") },
        task,
        sumdb: Sumdb::Off("test".into()),
        skip: SkipPatterns { patterns: String::new(), set_by: "test".into() },
        fail_on: FailOn::Medium,
        allow_incomplete: false,
        ignores: vec![],
        bytes: Bytes { module_cache: Presence::Off, zips: Zips::Cache, vendor: Presence::Off },
        tuf: Repositories::none(),
        sigstore: SigstoreSettings::none(),
        policy: None,
    }
}

/// A go.sum of `bytes` bytes or a little more, and a module on each line.
fn large(bytes: usize) -> Task {
    let mut content = Vec::with_capacity(bytes + 100);
    for number in 0.. {
        if content.len() >= bytes {
            break;
        }
        writeln!(content, "example.com/m{number} v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    }
    let files = vec![SourceFile { path: "go.sum".into(), kind: FileKind::GoSum, content }];
    Task::Verify(Checkout { files, programs: vec![], bare_vendors: vec![] })
}

fn first_step(limits: Limits, task: Task) -> Result<Step, EngineError> {
    Engine::new(limits)?.start(&job(task))?.step(vec![])
}

#[test]
fn a_job_without_work_is_refused() {
    let step = first_step(Limits::default(), Task::Lookup(vec![])).unwrap();
    assert_eq!(step.next, Next::Refused(Refusal::NothingToDo));
    assert_eq!(step.keep, []);
}

#[test]
fn answers_nobody_asked_for_break_the_protocol() {
    let engine = Engine::new(Limits::default()).unwrap();
    let mut session = engine.start(&job(large(100))).unwrap();
    let step = session.step(vec![Err(modanchor_host::contract::Failure::Absent)]).unwrap();
    assert!(matches!(step.next, Next::Refused(Refusal::Protocol(_))), "{:?}", step.next);
}

#[test]
fn the_component_writes_the_same_sarif() {
    let engine = Engine::new(Limits::default()).unwrap();
    let content = b"example.com/m v1.0.0 h1:odd\nexample.com/m v1.0.0 h1:AAAA=\n<<<<<<< x\n".to_vec();
    let files = vec![SourceFile { path: "b/go.sum".into(), kind: FileKind::GoSum, content }];
    let task = Task::Verify(Checkout { files, programs: vec![], bare_vendors: vec![] });
    let Next::Done(outcome) = engine.start(&job(task)).unwrap().step(vec![]).unwrap().next else {
        panic!("nothing to ask for");
    };
    let options = SarifOptions {
        category: "modanchor/api".into(),
        prefix: "api".into(),
        links: vec![modanchor_host::contract::Link { file: "b/go.sum".into(), target: "shared/go.sum".into() }],
        max_results: 2,
    };
    let native = sarif::render(
        &serde_json::from_slice(&outcome.report).unwrap(),
        &sarif::Options {
            category: "modanchor/api".into(),
            places: Places::new("api", [("b/go.sum".to_owned(), "shared/go.sum".to_owned())].into()),
            max_results: 2,
        },
    );
    let log: serde_json::Value = serde_json::from_slice(&native).unwrap();
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 2);
    assert_eq!(engine.sarif(&outcome.report, &options).unwrap(), Ok(native));
    assert_eq!(engine.sarif(b"{}", &options).unwrap(), Err(RenderError::NotAReport));
}

#[test]
fn sessions_of_one_engine_do_not_meet() {
    let engine = Engine::new(Limits::default()).unwrap();
    let mut first = engine.start(&job(Task::Lookup(vec![]))).unwrap();
    let mut second = engine.start(&job(Task::Lookup(vec![]))).unwrap();
    drop(engine);
    assert_eq!(second.step(vec![]).unwrap(), first.step(vec![]).unwrap());
}

#[test]
fn the_digest_is_the_components() {
    assert_eq!(COMPONENT_SHA256.len(), 64);
    assert!(COMPONENT_SHA256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
}

#[test]
fn memory_is_limited() {
    // The job fits, and what the core makes of it does not.
    let limits = Limits { memory: 16 << 20, ..Limits::default() };
    let error = first_step(limits, large(4 << 20)).expect_err("it is stopped");
    assert!(matches!(error, EngineError::Memory { step: 1, limit } if limit == limits.memory), "{error}");
    assert!(first_step(Limits::default(), large(4 << 20)).is_ok());
    // The job does not fit.
    let error = first_step(limits, large(32 << 20)).expect_err("it is stopped");
    assert!(matches!(error, EngineError::Memory { step: 0, limit } if limit == limits.memory), "{error}");
    // Nothing fits.
    let error = first_step(Limits { memory: 1, ..limits }, Task::Lookup(vec![])).expect_err("it is stopped");
    assert!(matches!(error, EngineError::Memory { limit: 1, .. }), "{error}");
}

#[test]
fn a_step_that_does_not_end_is_stopped() {
    // Little to hand over, and hundreds of millions of comparisons: most of a minute inside one step.
    let limits = Limits { step_time: Duration::from_millis(500), ..Limits::default() };
    let mut job = job(large(256 << 10));
    job.skip.patterns = "*.org/*a*b,".repeat(100_000);
    job.sumdb = Sumdb::Database(Database {
        key: "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8".into(),
        set_by: "test".into(),
        tile_height: 8,
        pinned_head: None,
        witnesses: vec![],
        quorum: 0,
        max_age: None,
    });
    let mut session = Engine::new(limits).unwrap().start(&job).unwrap();
    let error = session.step(vec![]).expect_err("it is stopped");
    assert!(matches!(error, EngineError::Time { step: 1, limit } if limit == limits.step_time), "{error}");
}

#[test]
fn a_large_report_comes_out_whole() {
    // More than wasmtime hands over if not told otherwise, 128 MiB.
    let step = first_step(Limits::default(), large(64 << 20)).unwrap();
    assert!(matches!(step.next, Next::Done(_)), "{:?}", step.progress);
}

#[test]
fn a_session_is_over_after_an_error() {
    let limits = Limits { memory: 16 << 20, ..Limits::default() };
    let engine = Engine::new(limits).unwrap();
    let mut session = engine.start(&job(Task::Lookup(vec![]))).unwrap();
    let body = Answer::Body(Body { content: vec![0; 32 << 20], origin: Origin::Remote });
    assert!(matches!(session.step(vec![Ok(body)]), Err(EngineError::Memory { step: 1, .. })));
    assert!(matches!(session.step(vec![]), Err(EngineError::Trapped { step: 2, .. })));
}
