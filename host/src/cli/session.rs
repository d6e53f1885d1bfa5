//! What `verify`, `lookup`, `explain` and `fix` share: from flags and Go's environment to the end of a run.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::Context as _;

use super::USAGE;
use super::args::{BytesArgs, NetworkArgs, RecordArgs, SumdbArgs, TerminalArgs};
use super::config::Config;
use super::signatures::{self, CheckSignatures, Roots, Signatures};
use crate::cache::tuf::Folders;
use crate::cache::{self, Store};
use crate::contract::{
    BlobTask, Bytes, ClientTask, Database, FailOn, Instant, Job, Next, Outcome, Policy, Presence, Progress, Refusal,
    Repositories, Repository, SigstoreSettings, SkipPatterns, Sumdb, Task, Tool, Zips,
};
use crate::engine::drive::{self, End, Watch};
use crate::engine::hashing::{HashEngine, Hasher};
use crate::engine::{Engine, Limits, component_digest};
use crate::evidence::Evidence;
use crate::fetch::{Collected, DatabaseSource, FetchConfig, Fetcher, TufSource};
use crate::files::Regular;
use crate::goenv::{GoEnv, Sources, Var};
use crate::output::progress::Bar;
use crate::output::{self, Diagnostic};
use modanchor_core::contract as core;
use modanchor_core::sumdb::setting::Setting;
use modanchor_core::verify::lint::LintJob;

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
    /// Whose signatures count; none: none is looked for.
    pub signatures: Option<CheckSignatures<'a>>,
    /// Evidence of the run; none: none is written.
    pub record: Option<&'a Recording>,
}

/// Evidence that is to be written. That it could not be keeps nobody from seeing the verdict: it is told at the end.
#[derive(Debug)]
pub struct Recording {
    file: PathBuf,
    failed: RefCell<Option<anyhow::Error>>,
}

impl Recording {
    /// What `--record` asks for.
    #[must_use]
    pub fn of(args: &RecordArgs) -> Option<Self> {
        args.file().map(|file| Self { file: file.to_owned(), failed: RefCell::new(None) })
    }

    fn write(&self, evidence: &Evidence) {
        if let Err(error) = write_evidence(&self.file, evidence) {
            *self.failed.borrow_mut() = Some(error);
        }
    }

    /// Why there is no evidence, once the run has come to `outcome`; none: it was written.
    #[must_use]
    pub fn failed(self, outcome: &Outcome) -> Option<Failed> {
        self.failed.into_inner().map(|error| Failed::to_show(outcome, error))
    }
}

/// Writes what `--record` asks for.
///
/// # Errors
///
/// It is too large, or the file cannot be written; then there is none, or an earlier one as it was.
pub(super) fn write_evidence(file: &Path, evidence: &Evidence) -> anyhow::Result<()> {
    let bytes = evidence.to_bytes().context("--record")?;
    output::write_file(file, &bytes).with_context(|| format!("--record {}", file.display()))
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
    let mut fetch = fetch_config(&flags.sumdb.network, &env, source.into_iter().collect(), &problems)?;
    fetch.repositories = config.tuf.sources();
    let signatures = match &flags.signatures {
        Some(check) => {
            let private = env.get(Var::GoPrivate).value;
            signatures::of(check, &config.sigstore, private, flags.sumdb.network.offline)?
        }
        None => Signatures::none(),
    };
    fetch.repositories.extend(signatures.sources);
    fetch.attestations = signatures.attestations;
    let bytes = flags.bytes.as_ref().map_or(NO_BYTES, |bytes| bytes.args.into());
    let modcache = env.modcache().filter(|_| bytes.module_cache != Presence::Off);
    let mut store = Store::open(cache_root(&flags.sumdb.network)?);
    let tuf = config.tuf.repositories();
    let of_roots = signatures.settings.roots.iter().filter_map(|root| root.repository.as_ref());
    for repository in tuf.all.iter().chain(of_roots) {
        store.add_repository(repository, Folders::default());
    }
    let (engine, root) = match &flags.bytes {
        Some(bytes) => (bytes.engine.clone(), bytes.root.to_owned()),
        None => (HashEngine::Native, PathBuf::from(".")),
    };
    let machine = Machine {
        fetcher: Fetcher::new(fetch).map_err(Failed::usage)?,
        hasher: Hasher::new(modcache, root, engine),
        store,
        problems,
    };
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
        tuf,
        sigstore: signatures.settings,
        policy: config.policy.policy.map(Policy::from),
    };
    let (end, _) = machine.run(flags.terminal, &job, flags.record)?;
    match end {
        End::Done(outcome) => Ok((outcome, job.task)),
        End::Refused(refusal) => Err(Failed::usage(refused(flags.sumdb.sumdb.is_some(), refusal))),
    }
}

/// What answers the core.
struct Machine {
    fetcher: Fetcher,
    hasher: Hasher,
    store: Store,
    problems: Arc<Collected>,
}

impl Machine {
    /// Runs a job to its end, and says on stderr what a person should know besides the report. Gives back what was kept.
    fn run(mut self, terminal: &TerminalArgs, job: &Job, record: Option<&Recording>) -> Result<(End, Store), Failed> {
        let mut rounds = record.is_some().then(Vec::new);
        let run = (|| {
            let session = Engine::new(Limits::default())?.start(job)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.context("starting the network")?;
            let bar = Bar::new(terminal.quiet);
            let drive = drive::drive(session, &self.fetcher, &self.hasher, &mut self.store, &bar, rounds.as_mut());
            anyhow::Ok(runtime.block_on(drive)?)
        })();
        for note in self.store.notes() {
            Diagnostic::Warning.print(terminal, &note.to_string());
        }
        if !terminal.quiet {
            for problem in self.problems.take() {
                Diagnostic::Warning.print(terminal, &problem.to_string());
            }
        }
        let run = run.map_err(Failed::unchecked)?;
        if terminal.verbose {
            let text = format!("the core asked {} times; {} requests went out", run.needs, run.fetches);
            Diagnostic::Note.print(terminal, &text);
        }
        for evidence in &run.evidence {
            Diagnostic::Error.print(terminal, &String::from_utf8_lossy(&evidence.content));
        }
        for file in &run.evidence_files {
            Diagnostic::Warning.print(terminal, &format!("evidence of misbehaviour is kept in {}", file.display()));
        }
        if let (Some(record), Some(exchange), End::Done(outcome)) = (record, rounds, &run.end) {
            record.write(&Evidence { job: job.clone(), exchange, outcome: outcome.clone() });
        }
        Ok((run.end, self.store))
    }
}

/// What the flags and Go's environment say of the network.
pub(super) fn fetch_config(
    network: &NetworkArgs,
    env: &GoEnv,
    databases: Vec<DatabaseSource>,
    problems: &Arc<Collected>,
) -> Result<FetchConfig, Failed> {
    let mut fetch = FetchConfig::new(env, databases, problems.clone()).map_err(Failed::usage)?;
    fetch.offline = network.offline;
    fetch.jobs = network.jobs;
    fetch.timeout = network.timeout;
    fetch.max_wait = network.max_wait;
    Ok(fetch)
}

/// A signature over a file, to be verified.
pub struct VerifyBlob {
    /// What the core is to do.
    pub task: BlobTask,
    /// The file, where it is.
    pub file: Option<(PathBuf, Regular)>,
    /// Whom to believe.
    pub roots: Roots,
    /// Whether Rekor may be asked.
    pub rekor: bool,
}

impl VerifyBlob {
    /// Runs it to its end.
    ///
    /// # Errors
    ///
    /// As [`run`].
    pub fn run(
        self,
        terminal: &TerminalArgs,
        network: &NetworkArgs,
        record: Option<&Recording>,
    ) -> Result<Outcome, Failed> {
        let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
        let problems = Arc::new(Collected::default());
        let mut fetch = fetch_config(network, &env, Vec::new(), &problems)?;
        let mut store = Store::open(cache_root(network)?);
        for repository in self.roots.roots.iter().filter_map(|root| root.repository.as_ref()) {
            store.add_repository(repository, Folders::default());
        }
        fetch.repositories.extend(self.roots.sources);
        let sigstore = SigstoreSettings { roots: self.roots.roots, rekor: self.rekor, ..SigstoreSettings::none() };
        let job = Job { sigstore, ..job_alone(Task::VerifyBlob(self.task))? };
        let fetcher = Fetcher::new(fetch).map_err(Failed::usage)?;
        let hasher = Hasher::with_artifact(None, PathBuf::from("."), HashEngine::Native, self.file);
        match (Machine { fetcher, hasher, store, problems }).run(terminal, &job, record)? {
            (End::Done(outcome), _) => Ok(outcome),
            (End::Refused(refusal), _) => Err(Failed::usage(refused(false, refusal))),
        }
    }
}

/// Name and key of the checksum database that a run of this user would ask, to compare with; none: it would ask none.
///
/// # Errors
///
/// Status 2 for an environment that makes no sense.
pub(super) fn own_database(flag: Option<&str>) -> Result<Option<(String, String)>, Failed> {
    let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
    Ok(match setting(flag, &env)?.0 {
        Setting::Database { name, key, .. } => Some((name, key)),
        Setting::Off => None,
    })
}

/// A TUF client's work on one repository.
pub struct Tuf {
    /// Which.
    pub repository: Repository,
    /// Where it is. None: nothing is asked of it.
    pub source: Option<TufSource>,
    /// Where its files go.
    pub folders: Folders,
    /// Paths of targets.
    pub targets: Vec<String>,
}

impl Tuf {
    fn job(&self) -> Result<Job, Failed> {
        let task = ClientTask { repository: self.repository.name.clone(), targets: self.targets.clone() };
        let tuf = Repositories { all: vec![self.repository.clone()], ..Repositories::none() };
        Ok(Job { tuf, ..job_alone(Task::Tuf(task))? })
    }

    /// Runs it to its end. Gives back what was kept.
    ///
    /// # Errors
    ///
    /// As [`run`]; status 1 where the root is not to be trusted.
    pub fn run(self, terminal: &TerminalArgs, network: &NetworkArgs) -> Result<(Outcome, Store), Failed> {
        let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
        let problems = Arc::new(Collected::default());
        let mut fetch = fetch_config(network, &env, Vec::new(), &problems)?;
        let job = self.job()?;
        fetch.repositories.extend(self.source);
        let mut store = Store::open(cache_root(network)?);
        store.add_repository(&self.repository, self.folders);
        let fetcher = Fetcher::new(fetch).map_err(Failed::usage)?;
        let hasher = Hasher::new(None, PathBuf::from("."), HashEngine::Native);
        match (Machine { fetcher, hasher, store, problems }).run(terminal, &job, None)? {
            (End::Done(outcome), store) => Ok((outcome, store)),
            (End::Refused(refusal), _) => Err(refused_root(&self.repository, refusal)),
        }
    }

    /// Has the core look at the root, and nothing else.
    ///
    /// # Errors
    ///
    /// As [`Self::run`].
    pub fn check_root(&self) -> Result<(), Failed> {
        let job = self.job()?;
        let step = Engine::new(Limits::default()).and_then(|engine| engine.start(&job)?.step(Vec::new()));
        match step.map_err(Failed::unchecked)?.next {
            Next::Refused(refusal) => Err(refused_root(&self.repository, refusal)),
            // It goes on with it.
            Next::Need(_) | Next::Done(_) => Ok(()),
        }
    }
}

/// A root that is not to be trusted is not the user's wrong usage: it is what somebody has served, or put there.
fn refused_root(repository: &Repository, refusal: Refusal) -> Failed {
    match refusal {
        Refusal::Tuf(why) => Failed { status: 1, error: anyhow::anyhow!("{}: {why}", repository.set_by) },
        other => Failed::unchecked(refused(false, other)),
    }
}

/// Lints: the core's own code, run natively, since it is no part of the component.
///
/// # Errors
///
/// Status 2 for a configuration that makes no sense.
pub fn lint(
    fail_on: FailOn,
    config: Config,
    settings: &[modanchor_core::lint::Setting],
    files: &[modanchor_core::lint::SettingsFile],
    fix: bool,
) -> Result<Outcome, Failed> {
    let Instant { seconds, nanoseconds } = now()?;
    let Tool { version, component } = tool();
    let job = LintJob {
        now: core::Instant { seconds, nanoseconds },
        tool: core::Tool { version, component },
        fail_on: fail_on.into(),
        ignores: config.ignores.into_iter().map(Into::into).collect(),
        settings,
        files,
        fix,
    };
    match modanchor_core::verify::lint::run(job) {
        Ok(outcome) => Ok(outcome.into()),
        Err(core::Refusal::Ignore(why)) => Err(Failed::usage(refused(false, Refusal::Ignore(why)))),
        // Ignores are all that a lint's job can have wrong.
        Err(other) => Err(Failed::unchecked(refused(false, Refusal::Protocol(format!("{other:?}"))))),
    }
}

/// A job without database, repository or bytes.
///
/// # Errors
///
/// Status 2: a clock before 1970.
pub(super) fn job_alone(task: Task) -> Result<Job, Failed> {
    Ok(Job {
        now: now()?,
        tool: tool(),
        task,
        sumdb: Sumdb::Off("not asked".to_owned()),
        skip: SkipPatterns { patterns: String::new(), set_by: String::new() },
        fail_on: FailOn::Medium,
        allow_incomplete: false,
        ignores: Vec::new(),
        bytes: NO_BYTES,
        tuf: Repositories::none(),
        sigstore: SigstoreSettings::none(),
        policy: None,
    })
}

fn tool() -> Tool {
    Tool { version: env!("CARGO_PKG_VERSION").to_owned(), component: component_digest() }
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

/// GOSUMDB or `--sumdb`, and which of the two.
fn setting(flag: Option<&str>, env: &GoEnv) -> Result<(Setting, String), Failed> {
    let (value, set_by) = match flag {
        Some(value) => (value.to_owned(), "--sumdb".to_owned()),
        None => {
            let setting = env.get(Var::GoSumdb);
            (setting.value, setting.set_by.to_string())
        }
    };
    let setting = Setting::parse(&value).with_context(|| set_by.clone()).map_err(Failed::usage)?;
    Ok((setting, set_by))
}

/// The same, for the core and for the fetcher.
fn database(flags: &Flags<'_>, config: &Config, env: &GoEnv) -> Result<(Sumdb, Option<DatabaseSource>), Failed> {
    let (setting, set_by) = setting(flags.sumdb.sumdb.as_deref(), env)?;
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

fn cache_root(flags: &NetworkArgs) -> Result<Option<PathBuf>, Failed> {
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
        Refusal::Sigstore(why) => anyhow::anyhow!("{why}"),
        Refusal::Policy(why) => anyhow::anyhow!("[policy] {why}"),
        Refusal::NothingToDo => anyhow::anyhow!("nothing to verify"),
        Refusal::Protocol(why) => anyhow::anyhow!("the core and its host disagree: {why}; please report this"),
    }
}
