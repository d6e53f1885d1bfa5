//! A whole session over answers that anyone may have written: kept heads, proofs and links, look-ups and tiles.
//!
//! The input is cut at [`CUT`]; each part answers one request, in order, and what is left unanswered is absent. Nobody
//! who fuzzes has the database's key, so a line with a hash that the log does not have is never verified.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::contract::{
    Answer, Body, Bytes, Checkout, Database, FailOn, Failure, FileKind, Holding, Instant, Job, Measured, Measurement,
    Next, Oddities, Origin, Presence, Repositories, Request, SigstoreSettings, SkipPatterns, SourceFile, Sumdb, Task,
    Tool, Zips,
};
use modanchor_core::report::{LineStatus, Report};
use modanchor_core::sumdb::setting::Setting;
use modanchor_core::verify::Session;

/// Stands in no note and in next to no tile.
const CUT: &[u8] = b"\0\xff\0\n";

/// A real module, and a hash that is not its.
const GO_SUM: &str = "gopkg.in/yaml.v3 v3.0.1 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

fuzz_target!(|input: &[u8]| {
    let Ok(Setting::Database { key, .. }) = Setting::parse("sum.golang.org") else { unreachable!() };
    let database = Database {
        key,
        set_by: "GOSUMDB (default)".into(),
        tile_height: 8,
        pinned_head: None,
        witnesses: Vec::new(),
        quorum: 0,
        max_age: Some(1),
    };
    let mut session = Session::new(Job {
        now: Instant { seconds: 1_795_305_600, nanoseconds: 0 },
        tool: Tool { version: String::new(), component: String::new() },
        task: Task::Verify(Checkout {
            files: vec![SourceFile {
                path: "go.sum".into(),
                kind: FileKind::GoSum,
                content: GO_SUM.as_bytes().to_vec(),
            }],
            programs: Vec::new(),
            bare_vendors: Vec::new(),
        }),
        sumdb: Sumdb::Database(database),
        skip: SkipPatterns { patterns: String::new(), set_by: String::new() },
        fail_on: FailOn::Medium,
        allow_incomplete: false,
        ignores: Vec::new(),
        bytes: Bytes { module_cache: Presence::Auto, zips: Zips::Cache, vendor: Presence::Auto },
        tuf: Repositories { all: Vec::new(), map: Vec::new(), required: false },
        sigstore: SigstoreSettings { roots: Vec::new(), places: Vec::new(), private: String::new(), rekor: false },
        policy: None,
    });
    let mut rest = input;
    let mut answers = Vec::new();
    loop {
        match session.step(std::mem::take(&mut answers)).next {
            Next::Need(requests) => answers.extend(requests.iter().map(|request| {
                let end = rest.windows(CUT.len()).position(|window| window == CUT);
                let (part, tail) = match end {
                    Some(end) => (&rest[..end], &rest[end + CUT.len()..]),
                    None => (rest, &[][..]),
                };
                rest = tail;
                match part {
                    [] => Err(Failure::Absent),
                    _ => Ok(answer(request, part)),
                }
            })),
            Next::Done(outcome) => {
                let report: Report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                assert_ne!(outcome.status, 0);
                assert_ne!(report.modules[0].lines[0].status, LineStatus::Verified);
                return;
            }
            Next::Refused(refusal) => panic!("{refusal:?}"),
        }
    }
});

/// An answer of the right kind, made of these bytes.
fn answer(request: &Request, part: &[u8]) -> Answer {
    match request {
        Request::Held(modules) => {
            let flags = |at: usize| Holding::from_bits_truncate(part.get(at).copied().unwrap_or(0));
            Answer::Holdings((0..modules.len()).map(flags).collect())
        }
        Request::Measure(_) => {
            let text = String::from_utf8_lossy(part).into_owned();
            Answer::Measurement(Measurement {
                found: Ok(Measured { h1: text.clone(), files: 1, manifest: part.to_vec() }),
                oddities: Oddities {
                    writable: 1,
                    first_writable: Some(text.clone()),
                    links: vec![text.clone()],
                    irregular: vec![text],
                },
            })
        }
        _ => Answer::Body(Body { content: part.to_vec(), origin: Origin::Remote }),
    }
}
