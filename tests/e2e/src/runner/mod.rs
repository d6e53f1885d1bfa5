//! A simulated runner of GitHub Actions: it interprets the real action.yml and real workflow files, in a folder of its
//! own and an environment that has nothing of the caller's.
//!
//! What it does itself: inputs, `if:`, expressions, `env:`, shells as templates, outputs and the other files that a step
//! may write, `continue-on-error`, workflow commands in the log. What it stands in for: the cache (folders, found by key
//! and prefix as GitHub finds them), `actions/checkout` (git, from an [`Origin`]) and GitHub's API ([`GitHub`]).
//! Everything else, such as another `uses:` or a key that it does not know, is a panic: a test must not pass because
//! something was left out.
//!
//! What it does not show: other systems than Linux on X64 (steps for Windows are skipped by their own `if:`), containers
//! and secrets.

mod event;
pub mod expression;
mod github;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub use event::{DEFAULT_BRANCH, Event, From, Origin, REPOSITORY};
pub use github::{Answer, GitHub, Request};

use crate::{files, root, write};

/// `github.token` of runs that may write what the workflow allows.
pub const TOKEN: &str = "ghs_secretOfTheRunThatMayWrite";

/// `github.token` of a fork's run.
pub const FORK_TOKEN: &str = "ghs_secretOfTheForkThatMayRead";

/// The release that [`Machine::release`] makes.
pub const RELEASE: &str = "9.8.7";

/// The target of this machine.
pub const TARGET: &str = "x86_64-unknown-linux-musl";

/// Programs of the machine that steps find on their PATH.
const TOOLS: [&str; 30] = [
    "awk",
    "bash",
    "cat",
    "chmod",
    "cp",
    "curl",
    "cut",
    "date",
    "dirname",
    "env",
    "find",
    "git",
    "grep",
    "head",
    "ls",
    "mkdir",
    "mktemp",
    "mv",
    "printf",
    "rm",
    "rmdir",
    "sed",
    "sh",
    "sha256sum",
    "sleep",
    "sort",
    "tail",
    "touch",
    "tr",
    "uname",
];

/// Annotations that GitHub shows of one level and one step.
const MAX_SHOWN_OF_A_LEVEL: usize = 10;

/// The SHA-256 of bytes, in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How a step or a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It did what it should.
    Success,
    /// It did not.
    Failure,
    /// It did not run.
    Skipped,
}

impl Ended {
    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Skipped => "skipped",
        }
    }
}

/// A workflow command in a log: `::NAME KEY=VALUE,…::MESSAGE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkflowCommand {
    /// `error`, `notice`, …
    pub name: String,
    /// `file`, `line`, `title`, …
    pub properties: BTreeMap<String, String>,
    /// The text.
    pub message: String,
}

/// What a step did.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its id, or an empty text.
    pub id: String,
    /// Its name, or what it uses.
    pub name: String,
    /// How it ended, before `continue-on-error`.
    pub outcome: Ended,
    /// How it ended, after `continue-on-error`.
    pub conclusion: Ended,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// Exit status of its script.
    pub status: Option<i32>,
    /// What it printed.
    pub log: String,
    /// What the steps of an action did.
    pub inner: Vec<Step>,
}

/// What came of a job, or of one use of an action.
#[derive(Debug, Clone)]
pub struct Job {
    /// How it ended.
    pub conclusion: Ended,
    /// Its steps, in order.
    pub steps: Vec<Step>,
    /// The action's outputs; of a workflow, those of its last use of an action.
    pub outputs: BTreeMap<String, String>,
    /// The job summary.
    pub summary: String,
    /// What was added to the environment of later steps.
    pub environment: BTreeMap<String, String>,
}

impl Job {
    /// A step by its id, wherever it is.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn step(&self, id: &str) -> &Step {
        self.all().into_iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no step {id}: {self:#?}"))
    }

    /// All that was printed.
    pub fn log(&self) -> String {
        self.all().iter().map(|step| step.log.as_str()).collect()
    }

    /// One of the outputs, or an empty text.
    pub fn output(&self, name: &str) -> &str {
        self.outputs.get(name).map_or("", String::as_str)
    }

    /// The workflow commands that were printed.
    pub fn commands(&self) -> Vec<WorkflowCommand> {
        self.all().iter().flat_map(|step| commands(&step.log)).collect()
    }

    /// The annotations by workflow commands, as many of each level as GitHub shows.
    pub fn annotations(&self) -> Vec<WorkflowCommand> {
        let mut left = BTreeMap::from([("error", 0), ("warning", 0), ("notice", 0)]);
        let mut shown = self.commands();
        shown.retain(|command| {
            left.get_mut(command.name.as_str()).is_some_and(|seen| {
                *seen += 1;
                *seen <= MAX_SHOWN_OF_A_LEVEL
            })
        });
        shown
    }

    /// The same, if it ended so.
    ///
    /// # Panics
    /// If not, with its log.
    #[track_caller]
    pub fn ended(self, want: Ended) -> Self {
        assert_eq!(self.conclusion, want, "{}\n{:#?}", self.log(), self.outputs);
        self
    }

    fn all(&self) -> Vec<&Step> {
        fn add<'a>(steps: &'a [Step], all: &mut Vec<&'a Step>) {
            for step in steps {
                all.push(step);
                add(&step.inner, all);
            }
        }
        let mut all = Vec::new();
        add(&self.steps, &mut all);
        all
    }
}

/// The workflow commands in a log, as the runner reads them.
fn commands(log: &str) -> Vec<WorkflowCommand> {
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%");
    let property = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    let mut out = Vec::new();
    let mut stopped: Option<String> = None;
    for line in log.lines() {
        let Some((head, message)) = line.trim_start().strip_prefix("::").and_then(|rest| rest.split_once("::")) else {
            continue;
        };
        if let Some(token) = &stopped {
            if head == token {
                stopped = None;
            }
            continue;
        }
        let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
        if name == "stop-commands" {
            stopped = Some(message.to_owned());
            continue;
        }
        let properties = properties.split(',').filter_map(|pair| pair.split_once('='));
        out.push(WorkflowCommand {
            name: name.to_owned(),
            properties: properties.map(|(key, value)| (key.trim().to_owned(), property(value))).collect(),
            message: data(message),
        });
    }
    out
}

/// What the cache has.
#[derive(Debug)]
struct Cached {
    scope: String,
    key: String,
    path: String,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// How the cache behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cache {
    /// As it should.
    Works,
    /// Its steps fail.
    Fails,
}

/// A runner, and what outlives its jobs: the tool cache and the cache.
#[derive(Debug)]
pub struct Machine {
    dir: TempDir,
    cached: Vec<Cached>,
    /// The context `matrix` of the job that runs; null: it has none.
    matrix: Value,
    /// How the cache behaves.
    pub cache: Cache,
    /// More environment, as `env:` of the job or the runner's own. New, it keeps all but loopback away.
    pub env: BTreeMap<String, String>,
    /// `RUNNER_ARCH`.
    pub arch: String,
    /// GitHub.
    pub github: GitHub,
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Machine {
    /// A runner with the Action of this repository, as it is committed but for a tool cache and releases of its own.
    ///
    /// # Panics
    /// If the disk fails, as every function here does, or a tool is missing.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("modanchor-runner-").tempdir().expect("a temporary folder");
        for name in ["home", "tools", "bin", "work", "temp"] {
            fs::create_dir(dir.path().join(name)).expect("a folder");
        }
        let machine = Self {
            dir,
            cached: Vec::new(),
            matrix: Value::Null,
            cache: Cache::Works,
            // Nothing listens on the discard port: a request that leaves loopback fails at once.
            env: ["HTTPS_PROXY", "HTTP_PROXY"].map(|n| (n.to_owned(), "http://127.0.0.1:9".to_owned())).into(),
            arch: "X64".into(),
            github: GitHub::start(),
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        for tool in TOOLS {
            let found = std::env::split_paths(&path).map(|dir| dir.join(tool)).find(|path| path.is_file());
            let found = found.unwrap_or_else(|| panic!("the tests of the Action need {tool}"));
            symlink(found, machine.bin().join(tool)).expect("a link");
        }
        for name in ["action.yml", "dist/checksums.json"] {
            write(&machine.action_path().join(name), fs::read(root().join(name)).expect("it is committed"));
        }
        for (path, bytes) in files(&root().join("action")) {
            let name = path.strip_prefix(root()).expect("below it");
            write(&machine.action_path().join(name), bytes);
        }
        machine
    }

    /// The folder with the programs that steps find; a test may take some away or add others.
    pub fn bin(&self) -> PathBuf {
        self.dir.path().join("bin")
    }

    /// Puts a script into [`Machine::bin`], in place of what is there.
    pub fn script(&self, name: &str, text: &str) {
        let path = self.bin().join(name);
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path).expect("ours");
        }
        executable(&path, text.as_bytes());
    }

    /// Where the Action is.
    pub fn action_path(&self) -> PathBuf {
        self.dir.path().join("work/_actions/modanchor/modanchor/main")
    }

    /// `GITHUB_WORKSPACE`.
    pub fn workspace(&self) -> PathBuf {
        self.dir.path().join("work/project/project")
    }

    /// `RUNNER_TEMP`.
    pub fn temp(&self) -> PathBuf {
        self.dir.path().join("temp")
    }

    /// `RUNNER_TOOL_CACHE`.
    pub fn tools(&self) -> PathBuf {
        self.dir.path().join("tools")
    }

    /// Where the tool cache has a program of this digest.
    pub fn tool(&self, digest: &str) -> PathBuf {
        self.tools().join("modanchor").join(format!("sha256-{digest}")).join("modanchor")
    }

    /// dist/checksums.json of the Action.
    pub fn checksums(&self, text: &str) {
        write(&self.action_path().join("dist/checksums.json"), text);
    }

    /// Makes a program the release [`RELEASE`] for this machine, and the default version; its digest. Nobody serves it.
    pub fn release(&self, program: &[u8]) -> String {
        let digest = sha256(program);
        self.checksums(&format!(
            "{{\n  \"schema\": \"modanchor-checksums/1\",\n  \"version\": \"{RELEASE}\",\n  \"releases\": {{\n    \
             \"{RELEASE}\": {{\n      \"{TARGET}\": \"{digest}\"\n    }}\n  }}\n}}\n"
        ));
        digest
    }

    /// The same, and the tool cache has it, so that nothing is downloaded.
    pub fn installed(&self, program: &[u8]) -> String {
        let digest = self.release(program);
        executable(&self.tool(&digest), program);
        digest
    }

    /// The same, and it is served at `mirror-url`, which is given back.
    pub fn served(&self, program: &[u8]) -> String {
        self.release(program);
        self.github.answer(&asset(RELEASE), Answer::Bytes(program.to_vec()));
        self.mirror()
    }

    /// A `mirror-url` at [`Machine::github`], where [`asset`] is the path of a program.
    pub fn mirror(&self) -> String {
        format!("{}/releases", self.github.url())
    }

    /// The keys in the cache, oldest first, with the ref that they belong to.
    pub fn cache_keys(&self) -> Vec<(String, String)> {
        self.cached.iter().map(|c| (c.scope.clone(), c.key.clone())).collect()
    }

    /// Replaces what the cache has under a key of the default branch, as the folder `state`.
    pub fn put_into_cache(&mut self, key: &str, files: &[(&str, &[u8])]) {
        let scope = format!("refs/heads/{DEFAULT_BRANCH}");
        self.cached.retain(|c| c.scope != scope || c.key != key);
        let path = self.temp().join("modanchor/state").display().to_string();
        let files = files.iter().map(|(name, bytes)| (PathBuf::from(name), bytes.to_vec())).collect();
        self.cached.push(Cached { scope, key: key.to_owned(), path, files });
    }

    /// Checks out an event's commit and uses the Action with these inputs, as a job of one step would.
    pub fn action(&mut self, origin: &Origin, event: &Event, inputs: &[(&str, &str)]) -> Job {
        // As literals of an expression, so that what looks like an expression arrives as it is.
        let literal = |text: &str| json!(format!("${{{{ '{}' }}}}", text.replace('\'', "''")));
        let with: Map<String, Value> = inputs.iter().map(|(k, v)| ((*k).to_owned(), literal(v))).collect();
        let steps = json!([
            {"uses": "actions/checkout@main", "with": {"fetch-depth": "0"}},
            {"id": "modanchor", "uses": "modanchor/modanchor@main", "with": with},
        ]);
        self.job(origin, event, &json!({"runs-on": "ubuntu-24.04", "steps": steps}), &BTreeMap::new())
    }

    /// Runs a workflow's one job for an event.
    ///
    /// # Panics
    /// If the workflow is not for this event, or has what is not simulated.
    pub fn workflow(&mut self, origin: &Origin, event: &Event, text: &str) -> Job {
        let (job, env) = one_job(event, text);
        self.job(origin, event, &job, &env)
    }

    /// Runs a workflow's one job for each value of the one key of its matrix, one after the other, each on a runner
    /// without the files of the one before.
    ///
    /// # Panics
    /// As [`Machine::workflow`].
    pub fn matrix(&mut self, origin: &Origin, event: &Event, text: &str) -> Vec<Job> {
        let (mut job, env) = one_job(event, text);
        let strategy = job.as_object_mut().and_then(|job| job.remove("strategy")).expect("a strategy");
        only(&strategy, &["fail-fast", "matrix"]);
        let matrix = strategy["matrix"].as_object().expect("a matrix");
        assert_eq!(matrix.len(), 1, "one key is simulated: {matrix:?}");
        let (key, values) = matrix.iter().next().expect("it is there");
        let values = values.as_array().expect("values");
        let run = |value: &Value| {
            self.matrix = json!({key: value});
            let job = self.job(origin, event, &job, &env);
            self.matrix = Value::Null;
            job
        };
        values.iter().map(run).collect()
    }

    fn job(&mut self, origin: &Origin, event: &Event, job: &Value, env: &BTreeMap<String, String>) -> Job {
        only(job, &["name", "runs-on", "timeout-minutes", "permissions", "env", "steps"]);
        for dir in [self.workspace(), self.temp()] {
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir).expect("a folder");
        }
        let written = texts(&job["permissions"]).into_iter().filter(|(_, level)| level == "write");
        // A fork's token may read, whatever the workflow asks for.
        let granted: BTreeSet<String> = written.map(|(name, _)| name).filter(|_| event.from == From::Own).collect();
        let token = if event.from == From::Own { TOKEN } else { FORK_TOKEN };
        self.github.grant(token, &granted);
        // What no permission is given to, GitHub's restricted default lets read the contents.
        let levels =
            if job["permissions"].is_null() { json!({"contents": "read"}) } else { job["permissions"].clone() };
        let read = texts(&levels).into_iter().filter(|(_, level)| level == "read" || level == "write");
        self.github.host(origin.path(), &read.map(|(name, _)| name).collect());
        let event_path = self.temp().join("_github_workflow/event.json");
        write(&event_path, event.payload.to_string());
        let summary = self.temp().join("_runner_file_commands/summary");
        write(&summary, "");
        let mut running = Running {
            machine: self,
            origin,
            event,
            token,
            event_path,
            summary: summary.clone(),
            environment: env.clone(),
            path: Vec::new(),
            files: 0,
        };
        for (name, value) in texts(&job["env"]) {
            running.environment.insert(name, value);
        }
        let level = Level { inputs: None, action_path: None, env: BTreeMap::new() };
        let (steps, conclusion, outputs) = running.steps(&job["steps"], &level);
        let environment = running.environment;
        let summary = fs::read_to_string(summary).expect("a summary in UTF-8");
        Job { conclusion, steps, outputs, summary, environment }
    }
}

/// A workflow's one job, with the permissions and the environment that it has of the workflow.
fn one_job(event: &Event, text: &str) -> (Value, BTreeMap<String, String>) {
    let workflow = yaml(text);
    only(&workflow, &["name", "on", "permissions", "concurrency", "env", "jobs"]);
    let listed = match &workflow["on"] {
        Value::String(name) => *name == event.name,
        Value::Array(names) => names.contains(&json!(event.name)),
        Value::Object(names) => names.contains_key(&event.name),
        _ => false,
    };
    assert!(listed, "the workflow does not run on {}: {}", event.name, workflow["on"]);
    let jobs = workflow["jobs"].as_object().expect("jobs");
    assert_eq!(jobs.len(), 1, "one job is simulated");
    let mut job = jobs.values().next().expect("it is there").clone();
    if job["permissions"].is_null() {
        job["permissions"] = workflow["permissions"].clone();
    }
    (job, texts(&workflow["env"]))
}

/// Where the mirror has a release's program for this machine.
pub fn asset(version: &str) -> String {
    format!("/releases/v{version}/modanchor-{TARGET}")
}

fn executable(path: &Path, bytes: &[u8]) {
    write(path, bytes);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("ours");
}

/// YAML 1.2, as GitHub reads it: `yes` is a text.
fn yaml(text: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(text, options).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Refuses keys that would be left out in silence.
fn only(value: &Value, keys: &[&str]) {
    for key in value.as_object().unwrap_or_else(|| panic!("{value} is not a mapping")).keys() {
        assert!(keys.contains(&key.as_str()), "`{key}:` is not simulated");
    }
}

/// A mapping of texts, numbers and booleans.
fn texts(value: &Value) -> BTreeMap<String, String> {
    let map = value.as_object().cloned().unwrap_or_default();
    map.into_iter().map(|(k, v)| (k, expression::as_text(&v).expect("a text, a number or a boolean"))).collect()
}

/// The job's steps, or those of an action.
struct Level {
    inputs: Option<BTreeMap<String, String>>,
    action_path: Option<PathBuf>,
    env: BTreeMap<String, String>,
}

/// A job while it runs.
struct Running<'a> {
    machine: &'a mut Machine,
    origin: &'a Origin,
    event: &'a Event,
    token: &'static str,
    event_path: PathBuf,
    summary: PathBuf,
    environment: BTreeMap<String, String>,
    path: Vec<String>,
    /// How many files for steps were made.
    files: usize,
}

/// What an expression sees.
struct Here<'a> {
    running: &'a Running<'a>,
    level: &'a Level,
    done: &'a [Step],
    env: &'a BTreeMap<String, String>,
    success: bool,
}

impl expression::Scope for Here<'_> {
    fn context(&self, name: &str) -> Option<Value> {
        let Running { machine, event, token, .. } = self.running;
        Some(match name {
            "github" => {
                let mut github = Map::new();
                for (name, value) in self.running.variables(self.level) {
                    if let Some(name) = name.strip_prefix("GITHUB_") {
                        github.insert(name.to_ascii_lowercase(), value.into());
                    }
                }
                github.insert("event".into(), event.payload.clone());
                github.insert("token".into(), (*token).into());
                github.into()
            }
            "runner" => json!({
                "os": "Linux",
                "arch": machine.arch,
                // As in a container, where this is a folder of the host: what uses it finds nothing.
                "temp": "/nowhere/temp",
                "tool_cache": "/nowhere/tools",
            }),
            "inputs" => json!(self.level.inputs.as_ref()?),
            "env" => json!(self.env),
            "job" => json!({"status": if self.success { "success" } else { "failure" }}),
            "steps" => {
                let steps = self.done.iter().filter(|step| !step.id.is_empty());
                let state = |s: &Step| json!({"outcome": s.outcome.name(), "conclusion": s.conclusion.name(), "outputs": s.outputs});
                steps.map(|step| (step.id.clone(), state(step))).collect::<Map<_, _>>().into()
            }
            "matrix" if !machine.matrix.is_null() && self.level.inputs.is_none() => machine.matrix.clone(),
            "secrets" if self.level.inputs.is_none() => json!({"GITHUB_TOKEN": token}),
            _ => return None,
        })
    }

    fn success(&self) -> bool {
        self.success
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn hash_files(&self, pattern: &str) -> Result<String, String> {
        let workspace = self.running.machine.workspace();
        let (deep, name) = pattern.strip_prefix("**/").map_or((false, pattern), |name| (true, name));
        if name.contains(['*', '?', '[', '!']) {
            return Err(format!("hashFiles: {pattern} is not simulated"));
        }
        let mut all = Sha256::new();
        let mut found = false;
        for (path, bytes) in files(&workspace) {
            let relative = path.strip_prefix(&workspace).expect("below it");
            if relative == Path::new(name) || deep && relative.ends_with(name) {
                all.update(Sha256::digest(&bytes));
                found = true;
            }
        }
        let hex = all.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(if found { hex } else { String::new() })
    }
}

impl Running<'_> {
    /// Runs steps in order; with the conclusion of all, and the outputs of the last action.
    fn steps(&mut self, steps: &Value, level: &Level) -> (Vec<Step>, Ended, BTreeMap<String, String>) {
        let mut done: Vec<Step> = Vec::new();
        let mut conclusion = Ended::Success;
        let mut outputs = BTreeMap::new();
        for step in steps.as_array().expect("steps") {
            let (result, set) = self.step(step, level, &done, conclusion == Ended::Success);
            if result.conclusion == Ended::Failure {
                conclusion = Ended::Failure;
            }
            outputs = set.unwrap_or(outputs);
            done.push(result);
        }
        (done, conclusion, outputs)
    }

    fn step(
        &mut self,
        step: &Value,
        level: &Level,
        done: &[Step],
        success: bool,
    ) -> (Step, Option<BTreeMap<String, String>>) {
        let known =
            ["name", "id", "if", "uses", "with", "run", "shell", "env", "working-directory", "continue-on-error"];
        only(step, &known);
        let text = |key: &str| step[key].as_str();
        let mut env = self.environment.clone();
        env.extend(level.env.clone());
        let here = |env: &BTreeMap<String, String>| -> (bool, BTreeMap<String, String>, BTreeMap<String, String>) {
            let here = Here { running: self, level, done, env, success };
            let fill = |value: &Value| -> BTreeMap<String, String> {
                let filled = texts(value).into_iter().map(|(key, value)| {
                    let value = expression::template(&value, &here).unwrap_or_else(|e| panic!("{key}: {e}"));
                    (key, value)
                });
                filled.collect()
            };
            let runs = expression::condition(text("if"), &here).unwrap_or_else(|e| panic!("if: {e}"));
            (runs, fill(&step["env"]), fill(&step["with"]))
        };
        let (runs, own_env, with) = here(&env);
        let own_env_alone = own_env.clone();
        env.extend(own_env);
        let mut result = Step {
            id: text("id").unwrap_or_default().to_owned(),
            name: text("name").or(text("uses")).unwrap_or("run").to_owned(),
            outcome: Ended::Skipped,
            conclusion: Ended::Skipped,
            outputs: BTreeMap::new(),
            status: None,
            log: String::new(),
            inner: Vec::new(),
        };
        if !runs {
            return (result, None);
        }
        let mut action_outputs = None;
        match (text("uses"), text("run")) {
            (Some(uses), None) => {
                let name = uses.split('@').next().unwrap_or_default();
                assert!(uses.contains('@') || uses == "./", "{uses}: which version?");
                result.outcome = match name {
                    "actions/checkout" => {
                        only(&json!(with), &["fetch-depth", "persist-credentials"]);
                        let depth = with.get("fetch-depth").map_or(1, |d| d.parse().expect("a number"));
                        event::check_out(self.origin, self.event, depth, &self.machine.workspace());
                        Ended::Success
                    }
                    "actions/cache/restore" => self.restore(&with, &mut result),
                    "actions/cache/save" => self.save(&with, &mut result),
                    "modanchor/modanchor" | "./" => {
                        assert!(level.inputs.is_none(), "an action in an action is not simulated");
                        let inherited = Level { inputs: None, action_path: None, env: own_env_alone };
                        let (inner, ended, outputs) = self.composite(&with, &inherited);
                        result.inner = inner;
                        result.outputs.clone_from(&outputs);
                        action_outputs = Some(outputs);
                        ended
                    }
                    _ => panic!("`uses: {uses}` is not simulated"),
                };
            }
            (None, Some(run)) => {
                let here = Here { running: self, level, done, env: &env, success };
                let run = expression::template(run, &here).unwrap_or_else(|e| panic!("run: {e}"));
                let directory = text("working-directory").unwrap_or(".");
                let directory = expression::template(directory, &here).unwrap_or_else(|e| panic!("{e}"));
                let shell = text("shell").or(level.inputs.is_none().then_some("bash -e {0}"));
                let shell = shell.expect("an action names the shell of every step").to_owned();
                self.run(&shell, &run, &directory, &env, level, &mut result);
            }
            _ => panic!("a step either uses or runs something: {step}"),
        }
        let tolerated = match &step["continue-on-error"] {
            Value::Null => false,
            Value::Bool(b) => *b,
            other => panic!("continue-on-error: {other} is not simulated"),
        };
        result.conclusion = if tolerated { Ended::Success } else { result.outcome };
        (result, action_outputs)
    }

    /// One use of the Action under test.
    fn composite(
        &mut self,
        with: &BTreeMap<String, String>,
        caller: &Level,
    ) -> (Vec<Step>, Ended, BTreeMap<String, String>) {
        let path = self.machine.action_path();
        let action = yaml(&fs::read_to_string(path.join("action.yml")).expect("the Action is there"));
        only(&action, &["name", "description", "author", "branding", "inputs", "outputs", "runs"]);
        only(&action["runs"], &["using", "steps"]);
        assert_eq!(action["runs"]["using"], "composite");
        let declared = action["inputs"].as_object().expect("inputs");
        for name in with.keys() {
            // GitHub warns, and goes on.
            assert!(declared.contains_key(name), "the Action has no input {name}");
        }
        let mut inputs = BTreeMap::new();
        for (name, input) in declared {
            only(input, &["description", "default"]);
            let value = with.get(name).cloned().unwrap_or_else(|| {
                let here = Here { running: self, level: caller, done: &[], env: &self.environment, success: true };
                let default = input["default"].as_str().unwrap_or_default();
                expression::template(default, &here).unwrap_or_else(|e| panic!("{name}: {e}"))
            });
            inputs.insert(name.clone(), value);
        }
        let level = Level { inputs: Some(inputs), action_path: Some(path), env: caller.env.clone() };
        let (steps, ended, _) = self.steps(&action["runs"]["steps"], &level);
        let here = Here { running: self, level: &level, done: &steps, env: &self.environment, success: true };
        let outputs = action["outputs"].as_object().expect("outputs").iter().map(|(name, output)| {
            only(output, &["description", "value"]);
            let value = output["value"].as_str().expect("a value");
            (name.clone(), expression::template(value, &here).unwrap_or_else(|e| panic!("{name}: {e}")))
        });
        let outputs = outputs.collect();
        (steps, ended, outputs)
    }

    fn run(
        &mut self,
        shell: &str,
        script: &str,
        directory: &str,
        env: &BTreeMap<String, String>,
        level: &Level,
        result: &mut Step,
    ) {
        self.files += 1;
        let temp = self.machine.temp();
        let script_path = temp.join(format!("{}.sh", self.files));
        write(&script_path, script);
        let file = |name: &str| temp.join(format!("_runner_file_commands/{name}_{}", self.files));
        let (output, environment, path) = (file("set_output"), file("set_env"), file("add_path"));
        for file in [&output, &environment, &path] {
            write(file, "");
        }
        let shell = match shell {
            "bash" => "bash --noprofile --norc -eo pipefail {0}",
            "sh" => "sh -e {0}",
            template => template,
        };
        assert!(shell.contains("{0}"), "the shell `{shell}` is not simulated");
        let shown = script_path.display().to_string();
        let words: Vec<String> = shell.split_whitespace().map(|word| word.replace("{0}", &shown)).collect();
        let mut found_in: Vec<String> = self.path.iter().rev().cloned().collect();
        found_in.push(self.machine.bin().display().to_string());
        let program = found_in.iter().map(|dir| Path::new(dir).join(&words[0])).find(|path| path.is_file());
        let program = program.unwrap_or_else(|| panic!("no {} on the PATH", words[0]));

        let log = temp.join(format!("{}.log", self.files));
        let sink = fs::File::create(&log).expect("a file");
        let mut command = Command::new(program);
        command.args(&words[1..]).current_dir(self.machine.workspace().join(directory)).env_clear();
        command.envs(env).envs(self.variables(level)).env("PATH", found_in.join(":"));
        command.env("GITHUB_OUTPUT", &output).env("GITHUB_ENV", &environment).env("GITHUB_PATH", &path);
        command.env("GITHUB_STEP_SUMMARY", &self.summary).stdin(Stdio::null());
        command.stdout(sink.try_clone().expect("a file")).stderr(sink);
        let status = command.status().expect("a shell starts");
        result.log = String::from_utf8_lossy(&fs::read(&log).expect("the log")).into_owned();
        result.status = status.code();
        result.outcome = if status.success() { Ended::Success } else { Ended::Failure };
        result.outputs = assignments(&output);
        self.environment.extend(assignments(&environment));
        let added = fs::read_to_string(&path).expect("a text");
        self.path.extend(added.lines().map(str::to_owned));
    }

    /// The variables that the runner sets, whatever a workflow says.
    fn variables(&self, level: &Level) -> BTreeMap<String, String> {
        let machine = &*self.machine;
        let event = self.event;
        let path = |path: PathBuf| path.display().to_string();
        let mut set = machine.env.clone();
        let mut add = |name: &str, value: String| {
            set.insert(name.to_owned(), value);
        };
        add("CI", "true".into());
        add("HOME", path(machine.dir.path().join("home")));
        add("GITHUB_ACTIONS", "true".into());
        add("GITHUB_ACTION", "modanchor".into());
        add("GITHUB_ACTOR", "gopher".into());
        add("GITHUB_API_URL", machine.github.url());
        add("GITHUB_SERVER_URL", machine.github.url());
        add("GITHUB_BASE_REF", event.base_ref.clone());
        add("GITHUB_HEAD_REF", event.head_ref.clone());
        add("GITHUB_EVENT_NAME", event.name.clone());
        add("GITHUB_EVENT_PATH", path(self.event_path.clone()));
        add("GITHUB_JOB", "verify".into());
        add("GITHUB_REF", event.ref_name.clone());
        add("GITHUB_REF_NAME", event.ref_name.splitn(3, '/').nth(2).unwrap_or_default().into());
        add("GITHUB_REPOSITORY", REPOSITORY.into());
        add("GITHUB_REPOSITORY_OWNER", "gopher".into());
        add("GITHUB_RUN_ATTEMPT", "1".into());
        add("GITHUB_RUN_ID", "4711".into());
        add("GITHUB_SHA", event.sha.clone());
        add("GITHUB_WORKFLOW", "CI".into());
        add("GITHUB_WORKSPACE", path(machine.workspace()));
        add("RUNNER_ARCH", machine.arch.clone());
        add("RUNNER_OS", "Linux".into());
        add("RUNNER_TEMP", path(machine.temp()));
        add("RUNNER_TOOL_CACHE", path(machine.tools()));
        if let Some(action) = &level.action_path {
            add("GITHUB_ACTION_PATH", path(action.clone()));
        }
        set
    }

    fn restore(&self, with: &BTreeMap<String, String>, result: &mut Step) -> Ended {
        only(&json!(with), &["path", "key", "restore-keys"]);
        if self.machine.cache == Cache::Fails {
            return Ended::Failure;
        }
        let (path, key) = (&with["path"], &with["key"]);
        let prefixes = with.get("restore-keys").map(String::as_str).unwrap_or_default();
        let prefixes: Vec<&str> = std::iter::once(key.as_str()).chain(prefixes.lines()).collect();
        let find = |scope: &str| {
            let of = |c: &&Cached| c.scope == scope && c.path == *path;
            let newest = || self.machine.cached.iter().rev().filter(of);
            newest()
                .find(|c| c.key == *key)
                .or_else(|| prefixes.iter().find_map(|prefix| newest().find(|c| c.key.starts_with(prefix))))
        };
        let found = self.event.cache_scopes().iter().find_map(|scope| find(scope));
        if let Some(cached) = found {
            for (name, bytes) in &cached.files {
                write(&Path::new(path).join(name), bytes);
            }
            result.outputs.insert("cache-matched-key".into(), cached.key.clone());
        }
        let hit = found.is_some_and(|cached| cached.key == *key);
        result.outputs.insert("cache-primary-key".into(), key.clone());
        result.outputs.insert("cache-hit".into(), if found.is_some() { hit.to_string() } else { String::new() });
        Ended::Success
    }

    fn save(&mut self, with: &BTreeMap<String, String>, result: &mut Step) -> Ended {
        only(&json!(with), &["path", "key"]);
        if self.machine.cache == Cache::Fails {
            return Ended::Failure;
        }
        let (scope, path, key) = (self.event.ref_name.clone(), with["path"].clone(), with["key"].clone());
        if self.machine.cached.iter().any(|c| c.scope == scope && c.path == path && c.key == key) {
            // What is under a key stays; GitHub says so and goes on.
            result.log = format!("Unable to reserve cache with key {key}, another job may be creating this cache.\n");
            return Ended::Success;
        }
        let relative = |p: PathBuf| p.strip_prefix(&path).expect("below it").to_path_buf();
        let files = files(Path::new(&path)).into_iter().map(|(p, bytes)| (relative(p), bytes)).collect();
        self.machine.cached.push(Cached { scope, key, path, files });
        Ended::Success
    }
}

/// What a step wrote to GITHUB_OUTPUT or GITHUB_ENV: `NAME=VALUE`, or `NAME<<END`, lines, `END`.
fn assignments(file: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(file).expect("a text");
    let mut out = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let equals = line.find('=');
        let heredoc = line.find("<<");
        let (name, value) = match (equals, heredoc) {
            (Some(equals), heredoc) if heredoc.is_none_or(|at| equals < at) => {
                (&line[..equals], line[equals + 1..].to_owned())
            }
            (_, Some(at)) => {
                let end = &line[at + 2..];
                let mut value = Vec::new();
                loop {
                    let line = lines.next().unwrap_or_else(|| panic!("{end} is missing: {text}"));
                    if line == end {
                        break;
                    }
                    value.push(line);
                }
                (&line[..at], value.join("\n"))
            }
            _ if line.is_empty() => continue,
            _ => panic!("GitHub refuses the line {line:?}"),
        };
        out.insert(name.to_owned(), value);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workflow_commands_are_read_as_the_runner_reads_them() {
        let log = "::error file=go%2Csum,line=3,title=a%3Ab::x%0Ay%25 %3A::z\n  ::notice::\nno ::error::command\n\
                   ::stop-commands::end\n::error::not one\n::end::\n::warning::one\n";
        let found = commands(log);
        let names: Vec<&str> = found.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["error", "notice", "warning"]);
        assert_eq!(found[0].message, "x\ny% %3A::z");
        let properties = [("file", "go,sum"), ("line", "3"), ("title", "a:b")];
        assert_eq!(found[0].properties, properties.map(|(k, v)| (k.to_owned(), v.to_owned())).into());
    }

    #[test]
    fn outputs_are_read_as_the_runner_reads_them() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        let read = |text: &str| {
            fs::write(file.path(), text).expect("ours");
            assignments(file.path()).into_iter().collect::<Vec<_>>()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read("a=1\n\nb=<<x\na=2\n"), [pair("a", "2"), pair("b", "<<x")]);
        assert_eq!(read("a<<E=\nb=1\n\nE\nE=\nc="), [pair("a", "b=1\n\nE"), pair("c", "")]);
    }

    #[test]
    #[should_panic(expected = "GitHub refuses")]
    fn an_output_that_is_none_is_refused() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        fs::write(file.path(), "status 0\n").expect("ours");
        assignments(file.path());
    }

    fn run(workflow: &str) -> Option<Job> {
        if !crate::has_git() {
            return None;
        }
        let origin = Origin::new(&[("a", "")]);
        let event = origin.push();
        Some(Machine::new().workflow(&origin, &event, workflow))
    }

    const STEPS: &str = "on: push\njobs:\n  one:\n    runs-on: ubuntu-24.04\n    steps:\n";

    #[test]
    fn steps_run_as_github_runs_them() {
        let steps = "
      - id: one
        run: |
          echo 'name=v a l' >>\"$GITHUB_OUTPUT\"
          echo 'LATER=later' >>\"$GITHUB_ENV\"
          mkdir dir
          echo \"$RUNNER_TEMP\" >>\"$GITHUB_PATH\"
          printf '#!/bin/sh\\necho added\\n' >\"$RUNNER_TEMP/added\"
          chmod +x \"$RUNNER_TEMP/added\"
      - name: fails
        continue-on-error: true
        run: exit 1
      - env:
          HERE: ${{ steps.one.outputs.name }}!
        working-directory: dir
        run: echo \"$HERE $LATER ${PWD##*/}\"; added
      - id: bad
        run: exit 3
      - run: echo never
      - if: failure() && steps.bad.outcome == 'failure'
        run: echo at last
";
        let Some(job) = run(&format!("{STEPS}{steps}")) else { return };
        assert_eq!(job.log(), "v a l! later dir\nadded\nat last\n");
        assert_eq!((job.conclusion, job.step("bad").status), (Ended::Failure, Some(3)));
        assert_eq!(job.environment["LATER"], "later");
    }

    #[test]
    fn what_is_not_simulated_is_no_pass() {
        if !crate::has_git() {
            return;
        }
        for (steps, message) in [
            ("      - uses: actions/upload-artifact@v7\n", "is not simulated"),
            ("      - uses: actions/checkout\n", "which version?"),
            ("      - uses: actions/checkout@v6\n        with: {ref: x}\n", "is not simulated"),
            ("      - run: x\n        timeout-minutes: 1\n", "is not simulated"),
            ("      - run: echo ${{ matrix.x }}\n", "there is no context matrix"),
            ("      - run: x\n        shell: fish\n", "is not simulated"),
            ("      - uses: modanchor/modanchor@v1\n        with: {typo: x}\n", "has no input typo"),
        ] {
            let ran = std::panic::catch_unwind(|| run(&format!("{STEPS}{steps}")));
            let panic = ran.expect_err(steps);
            let text = panic.downcast_ref::<String>().expect("a message");
            assert!(text.contains(message), "{steps}: {text}");
        }
        assert!(std::panic::catch_unwind(|| run("on: pull_request\njobs: {}\n")).is_err());
    }
}
