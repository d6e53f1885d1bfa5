//! What `verify`, `lookup`, `explain` and `fix` share: from flags and Go's environment to the end of a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;

use super::USAGE;
use super::args::{BytesArgs, SumdbArgs, TerminalArgs};
use super::config::Config;
use crate::cache::{self, Store};
use crate::contract::{
    Bytes, Database, FailOn, Instant, Job, Next, Outcome, Presence, Progress, Refusal, Repositories, SkipPatterns,
    Sumdb, Task, Tool, Zips,
};
use crate::engine::drive::{self, End, Watch};
use crate::engine::hashing::{HashEngine, Hasher};
use crate::engine::{COMPONENT_SHA256, Engine, Limits};
use crate::fetch::{Collected, DatabaseSource, FetchConfig, Fetcher};
use crate::goenv::{GoEnv, Sources, Var};
use crate::output::Diagnostic;
use crate::output::progress::Bar;
use modanchor_core::sumdb::setting::Setting;

/// What a command could not do, and the exit status that says so.
#[derive(Debug)]
pub struct Failed {
    /// Exit status.
    pub status: u8,
    /// For stderr.
    pub error: anyhow::Error,
}

/// Exit status when the core or the machine gave out, so that nothing can be said about what was to be judged.
const UNCHECKED: u8 = 3;

impl Failed {
    /// Wrong usage or configuration.
    pub fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self { status: USAGE, error: error.into() }
    }

    /// The report could not be shown: 3, unless the verdict was 1 already.
    pub fn to_show(outcome: &Outcome, error: impl Into<anyhow::Error>) -> Self {
        Self { status: if outcome.status == 1 { 1 } else { UNCHECKED }, error: error.into() }
    }

    /// Nothing can be said.
    pub fn unchecked(error: impl Into<anyhow::Error>) -> Self {
        Self { status: UNCHECKED, error: error.into() }
    }
}

/// The flags of a run.
pub struct Flags<'a> {
    /// Terminal.
    pub terminal: &'a TerminalArgs,
    /// Database, network, cache.
    pub sumdb: &'a SumdbArgs,
    /// From which severity on a finding fails the run.
    pub fail_on: FailOn,
    /// Whether what could not be checked may pass.
    pub allow_incomplete: bool,
    /// Which bytes are checked; none: no bytes.
    pub bytes: Option<CheckBytes<'a>>,
}

/// Which bytes are checked, and how.
pub struct CheckBytes<'a> {
    /// The flags.
    pub args: &'a BytesArgs,
    /// What hashes, as the flags say.
    pub engine: &'a HashEngine,
    /// The folder that is judged.
    pub root: &'a Path,
}

/// Runs `task` to its end and says on stderr what a person should know besides the report. Gives the task back: its files
/// are what findings point at.
///
/// # Errors
///
/// Status 2 for flags, environment or configuration that make no sense; 3 when the core or the machine gave out.
pub fn run(flags: &Flags<'_>, config: Config, task: Task) -> Result<(Outcome, Task), Failed> {
    let env = GoEnv::load(Sources::of_process().with(&flags.sumdb.go_settings)).map_err(Failed::usage)?;
    let (sumdb, source) = database(flags, &config, &env)?;
    let skip = env.get(Var::GoNoSumdb);

    let problems = Arc::new(Collected::default());
    let mut fetch = FetchConfig::new(&env, source.into_iter().collect(), problems.clone()).map_err(Failed::usage)?;
    fetch.offline = flags.sumdb.offline;
    fetch.jobs = flags.sumdb.jobs;
    fetch.timeout = flags.sumdb.timeout;
    fetch.max_wait = flags.sumdb.max_wait;
    let bytes = flags.bytes.as_ref().map_or(NO_BYTES, |bytes| bytes.args.into());
    let modcache = env.modcache().filter(|_| bytes.module_cache != Presence::Off);
    let fetcher = Fetcher::new(fetch).map_err(Failed::usage)?;
    let mut store = Store::open(cache_root(flags.sumdb)?);

    let job = Job {
        now: now()?,
        tool: tool(),
        task,
        sumdb,
        skip: SkipPatterns { patterns: skip.value, set_by: skip.set_by.to_string() },
        fail_on: flags.fail_on,
        allow_incomplete: flags.allow_incomplete,
        ignores: config.ignores,
        bytes,
        tuf: Repositories::none(),
    };
    let run = (|| {
        let (engine, root) = match &flags.bytes {
            Some(bytes) => (bytes.engine.clone(), bytes.root.to_owned()),
            None => (HashEngine::Native, PathBuf::from(".")),
        };
        let hasher = Hasher::new(modcache, root, engine);
        let session = Engine::new(Limits::default())?.start(&job)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("starting the network")?;
        let bar = Bar::new(flags.terminal.quiet);
        anyhow::Ok(runtime.block_on(drive::drive(session, &fetcher, &hasher, &mut store, &bar))?)
    })();

    for note in store.notes() {
        Diagnostic::Warning.print(flags.terminal, &note.to_string());
    }
    if !flags.terminal.quiet {
        for problem in problems.take() {
            Diagnostic::Warning.print(flags.terminal, &problem.to_string());
        }
    }
    let run = run.map_err(Failed::unchecked)?;
    if flags.terminal.verbose {
        let text = format!("the core asked {} times; {} requests went out", run.needs, run.fetches);
        Diagnostic::Note.print(flags.terminal, &text);
    }
    for evidence in &run.evidence {
        Diagnostic::Error.print(flags.terminal, &String::from_utf8_lossy(&evidence.content));
    }
    for file in &run.evidence_files {
        Diagnostic::Warning.print(flags.terminal, &format!("evidence of misbehaviour is kept in {}", file.display()));
    }
    match run.end {
        End::Done(outcome) => Ok((outcome, job.task)),
        End::Refused(refusal) => Err(Failed::usage(refused(flags.sumdb.sumdb.is_some(), refusal))),
    }
}

/// Runs a `task` that asks for nothing: no database, network, cache or bytes.
///
/// # Errors
///
/// As [`run`].
pub fn run_alone(fail_on: FailOn, config: Config, task: Task) -> Result<(Outcome, Task), Failed> {
    let job = Job {
        now: now()?,
        tool: tool(),
        task,
        sumdb: Sumdb::Off("not asked".to_owned()),
        skip: SkipPatterns { patterns: String::new(), set_by: String::new() },
        fail_on,
        allow_incomplete: false,
        ignores: config.ignores,
        bytes: NO_BYTES,
        tuf: Repositories::none(),
    };
    let step = Engine::new(Limits::default()).and_then(|engine| engine.start(&job)?.step(Vec::new()));
    match step.map_err(Failed::unchecked)?.next {
        Next::Done(outcome) => Ok((outcome, job.task)),
        Next::Refused(refusal) => Err(Failed::usage(refused(false, refusal))),
        Next::Need(_) => Err(Failed::unchecked(refused(false, Refusal::Protocol("it asks for answers".to_owned())))),
    }
}

fn tool() -> Tool {
    Tool { version: env!("CARGO_PKG_VERSION").to_owned(), component: format!("sha256:{COMPONENT_SHA256}") }
}

/// What is checked where nobody asks for bytes.
const NO_BYTES: Bytes = Bytes { module_cache: Presence::Off, zips: Zips::Cache, vendor: Presence::Off };

impl Watch for Bar {
    fn step(&self, progress: &Progress) {
        self.update(progress);
    }

    fn answered(&self, done: usize, of: usize) {
        self.answered(done as u64, of as u64);
    }
}

/// GOSUMDB or `--sumdb`, for the core and for the fetcher.
fn database(flags: &Flags<'_>, config: &Config, env: &GoEnv) -> Result<(Sumdb, Option<DatabaseSource>), Failed> {
    let (value, set_by) = match &flags.sumdb.sumdb {
        Some(value) => (value.clone(), "--sumdb".to_owned()),
        None => {
            let setting = env.get(Var::GoSumdb);
            (setting.value, setting.set_by.to_string())
        }
    };
    let setting = Setting::parse(&value).with_context(|| set_by.clone()).map_err(Failed::usage)?;
    let Setting::Database { name, key, url } = setting else {
        return Ok((Sumdb::Off(set_by), None));
    };
    let source = DatabaseSource { name, url, set_by: set_by.clone() };
    let settings = &config.sumdb;
    let database = Database {
        key,
        set_by,
        tile_height: flags.sumdb.tile_height,
        pinned_head: settings.pinned_head.clone(),
        witnesses: settings.witnesses.clone(),
        quorum: settings.quorum,
        max_age: settings.max_age,
    };
    Ok((Sumdb::Database(database), Some(source)))
}

fn cache_root(flags: &SumdbArgs) -> Result<Option<PathBuf>, Failed> {
    if flags.no_cache {
        return Ok(None);
    }
    match &flags.cache_dir {
        Some(dir) => std::path::absolute(dir).map(Some).map_err(Failed::usage),
        None => match cache::default_root(|name| std::env::var_os(name)) {
            Ok(root) => Ok(Some(root)),
            // No home folder, as in many containers: that is no reason not to verify.
            Err(cache::RootError::NoHome) => Ok(None),
            Err(error) => Err(Failed::usage(error)),
        },
    }
}

fn now() -> Result<Instant, Failed> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .context("the clock of this machine stands before 1970")
        .map_err(Failed::usage)?;
    Ok(Instant { seconds: since.as_secs(), nanoseconds: since.subsec_nanos() })
}

/// A refusal, with the name of what the user can change.
fn refused(by_flag: bool, refusal: Refusal) -> anyhow::Error {
    let sumdb = if by_flag { "--sumdb" } else { "GOSUMDB" };
    match refusal {
        Refusal::DatabaseKey(why) => anyhow::anyhow!("{sumdb}: invalid GOSUMDB: {why}"),
        Refusal::TileHeight(why) => anyhow::anyhow!("--tile-height: {why}"),
        Refusal::WitnessKey(why) => anyhow::anyhow!("[sumdb] witnesses: {why}"),
        Refusal::Quorum(why) => anyhow::anyhow!("[sumdb] quorum: {why}"),
        Refusal::PinnedHead(why) => anyhow::anyhow!("[sumdb] pinned-head: {why}"),
        Refusal::Query(why) => anyhow::anyhow!("{why}"),
        Refusal::Program(why) => anyhow::anyhow!("{why}"),
        Refusal::Ignore(why) => anyhow::anyhow!("[[ignore]] {why}"),
        Refusal::Tuf(why) => anyhow::anyhow!("[tuf] {why}"),
        Refusal::NothingToDo => anyhow::anyhow!("nothing to verify"),
        Refusal::Protocol(why) => anyhow::anyhow!("the core and its host disagree: {why}; please report this"),
    }
}
