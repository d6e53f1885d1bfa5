//! How long the core takes to start: `cargo run --release -p modanchor --example engine_start`.
//!
//! Prints the first run of this process, which is what the program pays, and the median of many, in microseconds.
#![allow(clippy::print_stdout, reason = "prints its measurements")]

use std::time::{Duration, Instant};

use modanchor_host::contract::{
    Bytes, FailOn, Instant as Now, Job, Presence, Repositories, SigstoreSettings, SkipPatterns, Sumdb, Task, Tool, Zips,
};
use modanchor_host::engine::{Engine, EngineError, Limits};

/// Runs for the median.
const RUNS: usize = 101;

/// Loading, starting, and the first step.
fn run() -> Result<[Duration; 3], EngineError> {
    let job = Job {
        now: Now { seconds: 0, nanoseconds: 0 },
        tool: Tool { version: String::new(), component: String::new() },
        task: Task::Lookup(vec![]),
        sumdb: Sumdb::Off(String::new()),
        skip: SkipPatterns { patterns: String::new(), set_by: String::new() },
        fail_on: FailOn::Medium,
        allow_incomplete: false,
        ignores: vec![],
        bytes: Bytes { module_cache: Presence::Off, zips: Zips::Cache, vendor: Presence::Off },
        tuf: Repositories::none(),
        sigstore: SigstoreSettings::none(),
        policy: None,
    };
    let begin = Instant::now();
    let engine = Engine::new(Limits::default())?;
    let loaded = Instant::now();
    let mut session = engine.start(&job)?;
    let started = Instant::now();
    session.step(vec![])?;
    Ok([loaded - begin, started - loaded, started.elapsed()])
}

fn main() -> Result<(), EngineError> {
    let first = run()?;
    let runs = (0..RUNS).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    for (i, what) in ["load", "start", "first step"].into_iter().enumerate() {
        let mut column: Vec<_> = runs.iter().map(|run| run[i]).collect();
        column.sort();
        println!("{what:10} {:6} µs first, {:6} µs median", first[i].as_micros(), column[RUNS / 2].as_micros());
    }
    println!("total      {:6} µs first", first.iter().sum::<Duration>().as_micros());
    Ok(())
}
