//! The benchmarks: modanchor beside golang.org/x/mod's own tools, in one command (benches/README.md).
//!
//! Every figure is a median over runs that alternate between the two, on one machine, against one recorded database
//! on loopback. A run that does not verify everything stops the benchmark: a wrong answer has no speed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is its purpose")]

mod hashzip;
mod modcache;
mod sigstore;
mod tuf;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use e2e::{SUM_GOLANG_ORG, Sandbox, Server};
use modanchor_core::report::MAX_FINDINGS;

/// A real go.sum of 969 lines.
const MODULE: &str = "github.com/sigstore/cosign/v3@v3.1.2";
const LINES: usize = 969;

const USAGE: &str = "usage: cargo run --release -p benches [-- [--runs N] [NAME…]]
names: cold delay warm start replay memory requests million render action hashzip modcache component
       tuf sigstore";

/// How one run went.
#[derive(Debug, Clone, Copy)]
struct Sample {
    wall: Duration,
    /// Peak resident memory in bytes; only where it was measured.
    memory: u64,
}

/// One line of the table: ours, the peer's, and what the issue asks for.
struct Row {
    name: String,
    ours: String,
    peer: String,
    ratio: String,
    aim: &'static str,
}

fn main() -> Result<()> {
    let mut runs = 9;
    let mut names = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--runs" => runs = args.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0).context(USAGE)?,
            "cold" | "delay" | "warm" | "start" | "replay" | "memory" | "requests" | "million" | "hashzip"
            | "modcache" | "component" | "render" | "action" | "tuf" | "sigstore" => names.push(arg),
            _ => bail!(USAGE),
        }
    }
    let wants = |name: &str| names.is_empty() || names.iter().any(|n| n == name);
    let mut rows = Vec::new();
    // These need no recorded database.
    if wants("hashzip") {
        eprintln!("hashzip …");
        rows.extend(hashzip::rows(runs).context("hashzip")?);
    }
    if wants("tuf") {
        eprintln!("tuf …");
        rows.extend(tuf::rows(program()?, runs).context("tuf")?);
    }
    if wants("sigstore") {
        eprintln!("sigstore …");
        rows.extend(sigstore::rows(&program()?, runs).context("sigstore")?);
    }
    let alone = |name: &String| ["hashzip", "tuf", "sigstore"].contains(&name.as_str());
    let bench = if names.iter().all(alone) && !names.is_empty() { None } else { Some(Bench::prepare(runs)?) };
    for (name, run) in [
        ("cold", Bench::cold as fn(&Bench) -> Result<Vec<Row>>),
        ("delay", Bench::delay),
        ("warm", Bench::warm),
        ("start", Bench::start),
        ("replay", Bench::replay),
        ("memory", Bench::memory),
        ("requests", Bench::requests),
        ("million", Bench::million),
        ("render", Bench::render),
        ("action", Bench::action),
        ("modcache", modcache::verify),
        ("component", modcache::component),
    ] {
        if let Some(bench) = bench.as_ref().filter(|_| wants(name)) {
            eprintln!("{name} …");
            rows.extend(run(bench).context(name)?);
        }
    }
    print_table(runs, &rows);
    Ok(())
}

/// The program: `MODANCHOR_BIN`, or the release build of this workspace, made now.
fn program() -> Result<PathBuf> {
    if std::env::var_os("MODANCHOR_BIN").is_none() {
        let built = Command::new(env!("CARGO")).args(["build", "--release", "-p", "modanchor"]).status()?;
        ensure!(built.success(), "modanchor does not build");
    }
    Ok(e2e::modanchor())
}

/// What every benchmark uses.
struct Bench {
    runs: usize,
    modanchor: PathBuf,
    peer: PathBuf,
    gosumcheck: PathBuf,
    gosum: String,
    recorded: PathBuf,
}

impl Bench {
    /// Builds all three programs, and fetches and records what they are to read, where that has not been done.
    fn prepare(runs: usize) -> Result<Self> {
        let modanchor = program()?;
        let peer = e2e::peer().context("the peers are written in Go, and there is no go command")?;
        let dir = e2e::target().join("bench");
        let gosum = dir.join("go.sum");
        if !gosum.is_file() {
            eprintln!("fetching the go.sum of {MODULE} …");
            fs::create_dir_all(&dir)?;
            let out = Command::new("go")
                .args(["mod", "download", "-modcacherw", "-json", MODULE])
                .env("GOMODCACHE", dir.join("gomodcache"))
                .env("GOFLAGS", "")
                .current_dir(&dir)
                .output()?;
            ensure!(out.status.success(), "go mod download: {}", String::from_utf8_lossy(&out.stderr));
            let said: serde_json::Value = serde_json::from_slice(&out.stdout)?;
            let from = Path::new(said["Dir"].as_str().context("go mod download names no folder")?).join("go.sum");
            fs::copy(from, &gosum)?;
        }
        let recorded = dir.join("sumdb");
        let done = Command::new(&peer).arg("record").arg(&gosum).arg(&recorded).status()?;
        ensure!(done.success(), "the database could not be recorded");
        let gosum = fs::read_to_string(gosum)?;
        ensure!(gosum.lines().count() == LINES, "the go.sum of {MODULE} has not {LINES} lines");
        let gosumcheck = e2e::gosumcheck().context("there is no go command")?;
        Ok(Self { runs, modanchor, peer, gosumcheck, gosum, recorded })
    }

    /// The recorded database as a server.
    fn server(&self, delay: &str) -> Result<Server> {
        let recorded = self.recorded.to_str().context("a path in UTF-8")?;
        Server::start(["serve-recorded", "--delay", delay, recorded]).context("there is no go command")
    }

    /// Runs pairs, first the one and then the other, and returns both medians.
    fn pairs(
        &self,
        mut ours: impl FnMut() -> Result<Sample>,
        mut peer: impl FnMut() -> Result<Sample>,
    ) -> Result<(Sample, Sample)> {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        // The first pair only warms the machine's caches.
        for i in 0..=self.runs {
            let (x, y) = (ours()?, peer()?);
            if i > 0 {
                a.push(x);
                b.push(y);
            }
        }
        Ok((median(a), median(b)))
    }

    /// modanchor over a sandbox's go.sum, which must pass.
    fn ours(&self, s: &Sandbox, url: &str, args: &[&str]) -> Result<Sample> {
        let mut command = self.command(&self.modanchor, s);
        command.args(["verify", "--quiet", "--sumdb", &format!("{SUM_GOLANG_ORG} {url}")]).args(args);
        self.run(command, s, 0)
    }

    /// gosumcheck over the same. Its exit status is always 0: it must print nothing.
    fn gosumcheck(&self, s: &Sandbox, url: &str) -> Result<Sample> {
        let mut command = self.command(&self.gosumcheck, s);
        command.args(["-u", url, "-k", SUM_GOLANG_ORG, "go.sum"]);
        self.run(command, s, 0)
    }

    /// x/mod's client with its cache over the same.
    fn client(&self, s: &Sandbox, url: &str, args: &[&str]) -> Result<Sample> {
        let mut command = self.command(&self.peer, s);
        command.args(["check", "--cache"]).arg(s.path("peer-cache")).args(args);
        command.args(["go.sum", url, SUM_GOLANG_ORG]);
        self.run(command, s, 0)
    }

    fn command(&self, program: &Path, s: &Sandbox) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(s.checkout()).stdin(Stdio::null()).stderr(Stdio::piped());
        command.env("HOME", s.path("home")).env("MODANCHOR_CACHE", s.cache()).env("TMPDIR", s.path("tmp"));
        command.env("GOPATH", s.path("gopath")).env("GOMODCACHE", s.path("gomodcache")).env("GOENV", "off");
        // gosumcheck asks the go command if this is empty.
        command.env("GONOSUMDB", "none");
        command
    }

    /// Times a command; its output, which must name no trouble, goes to files.
    fn run(&self, mut command: Command, s: &Sandbox, status: i32) -> Result<Sample> {
        let (out, err) = (s.path("stdout"), s.path("stderr"));
        command.stdout(fs::File::create(&out)?).stderr(fs::File::create(&err)?);
        let start = Instant::now();
        let ended = command.status()?;
        let wall = start.elapsed();
        let told = fs::read_to_string(&err)?;
        let program = Path::new(command.get_program());
        let quiet = program != self.gosumcheck || (fs::metadata(&out)?.len() == 0 && told.is_empty());
        if ended.code() != Some(status) || !quiet {
            let said = fs::read_to_string(&out)?;
            let said: String = said.chars().take(2000).collect();
            bail!("{} ended with {ended}, want {status}:\n{said}\n{told}", program.display());
        }
        Ok(Sample { wall, memory: 0 })
    }

    /// The same under `peer measure`, for the peak memory.
    fn measured(&self, command: &Command, s: &Sandbox, status: i32) -> Result<Sample> {
        let file = s.path("measured.json");
        let mut outer = self.command(&self.peer, s);
        outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer.arg("measure").arg(&file).arg(command.get_program()).args(command.get_args());
        self.run(outer, s, 0)?;
        let said: serde_json::Value = serde_json::from_slice(&fs::read(file)?)?;
        ensure!(said["status"] == status, "status {}, want {status}", said["status"]);
        Ok(Sample {
            wall: Duration::from_secs_f64(said["wall_seconds"].as_f64().context("seconds")?),
            memory: said["max_rss_bytes"].as_u64().context("bytes")?,
        })
    }

    fn cold(&self) -> Result<Vec<Row>> {
        let server = self.server("0ms")?;
        let (ours, peer) = self.pairs(
            || self.ours(&Sandbox::with_gosum(&self.gosum), server.url(), &[]),
            || self.gosumcheck(&Sandbox::with_gosum(&self.gosum), server.url()),
        )?;
        Ok(vec![Row::times(format!("cold, {LINES} lines, gosumcheck"), ours, peer, "≥ 3× faster")])
    }

    fn delay(&self) -> Result<Vec<Row>> {
        let server = self.server("20ms")?;
        let mut rows = Vec::new();
        for jobs in ["", "8", "16", "32", "64", "128"] {
            let args: Vec<&str> = if jobs.is_empty() { vec![] } else { vec!["--jobs", jobs] };
            let (ours, peer) = self.pairs(
                || self.ours(&Sandbox::with_gosum(&self.gosum), server.url(), &args),
                || self.gosumcheck(&Sandbox::with_gosum(&self.gosum), server.url()),
            )?;
            let how = if jobs.is_empty() { "default jobs".to_owned() } else { format!("--jobs {jobs}") };
            let aim = if jobs.is_empty() { "≥ 1×" } else { "" };
            rows.push(Row::times(format!("cold, 20 ms an answer, {how}, gosumcheck"), ours, peer, aim));
        }
        Ok(rows)
    }

    /// A sandbox with both caches filled for these lines.
    fn warmed(&self, gosum: &str) -> Result<Sandbox> {
        let server = self.server("0ms")?;
        let s = Sandbox::with_gosum(gosum);
        self.ours(&s, server.url(), &[])?;
        self.client(&s, server.url(), &[])?;
        Ok(s)
    }

    fn warm_pairs(&self, s: &Sandbox) -> Result<(Sample, Sample)> {
        // Nothing listens there; with --offline nobody tries.
        let url = "http://127.0.0.1:9";
        self.pairs(|| self.ours(s, url, &["--offline"]), || self.client(s, url, &["--offline"]))
    }

    fn warm(&self) -> Result<Vec<Row>> {
        let (ours, peer) = self.warm_pairs(&self.warmed(&self.gosum)?)?;
        Ok(vec![Row::times(format!("warm, {LINES} lines, x/mod's client"), ours, peer, "≥ 10× faster")])
    }

    fn start(&self) -> Result<Vec<Row>> {
        let few: String = self.gosum.split_inclusive('\n').take(100).collect();
        let (ours, peer) = self.warm_pairs(&self.warmed(&few)?)?;
        Ok(vec![Row::times("start to verdict, warm, 100 lines, x/mod's client".to_owned(), ours, peer, "< 15 ms")])
    }

    /// Judging a recorded run again, beside the run itself. The evidence stays, for playground/tests/bench.mjs.
    fn replay(&self) -> Result<Vec<Row>> {
        let server = self.server("0ms")?;
        let evidence = e2e::target().join("bench/cosign.evidence");
        let file = evidence.to_str().context("a path in UTF-8")?;
        self.ours(&Sandbox::with_gosum(&self.gosum), server.url(), &["--record", file])?;
        let s = Sandbox::new();
        let (ours, peer) = self.pairs(
            || {
                let mut command = self.command(&self.modanchor, &s);
                command.args(["replay", "--quiet", file]);
                self.run(command, &s, 0)
            },
            || self.ours(&Sandbox::with_gosum(&self.gosum), server.url(), &[]),
        )?;
        Ok(vec![Row::times(format!("replay, {LINES} lines, the run itself, cold"), ours, peer, "< 150 ms")])
    }

    /// As many findings as a report lists, in every format that a CI service reads. The peer is the same command with
    /// the report as it is: what is over that is rendering.
    fn render(&self) -> Result<Vec<Row>> {
        let junk: String = (0..MAX_FINDINGS).map(|n| format!("<<<<<<< example.com/m{n} v1.0.0\n")).collect();
        let s = Sandbox::with_gosum(&junk);
        let show = |format: &str| {
            let mut command = self.command(&self.modanchor, &s);
            command.args(["verify", "--quiet", "--sumdb", "off", "--format"]);
            command.arg(format!("{format}={}", s.path(format).display()));
            self.run(command, &s, 1)
        };
        let mut rows = Vec::new();
        for format in ["sarif", "github", "markdown"] {
            let (ours, peer) = self.pairs(|| show(format), || show("json"))?;
            rows.push(Row::times(format!("{MAX_FINDINGS} findings as {format}, as json"), ours, peer, "< 1 s more"));
        }
        Ok(rows)
    }

    /// What the Action's verify step adds to verification: the event, git, annotations, SARIF, the summary, outputs. The
    /// peer is `verify` of the same warm checkout.
    fn action(&self) -> Result<Vec<Row>> {
        let s = self.warmed(&self.gosum)?;
        let git = |args: &[&str]| -> Result<String> {
            let identity = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main"];
            let out = Command::new("git").args(identity).args(args).current_dir(s.checkout()).output()?;
            ensure!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
            Ok(String::from_utf8(out.stdout)?.trim().to_owned())
        };
        for args in [&["init", "--quiet"][..], &["add", "."], &["commit", "--quiet", "--message", "x"]] {
            git(args)?;
        }
        let commit = git(&["rev-parse", "HEAD"])?;
        let event = serde_json::json!({"repository": {"default_branch": "main"}, "before": commit});
        fs::write(s.path("event.json"), event.to_string())?;
        let sumdb = format!("{SUM_GOLANG_ORG} http://127.0.0.1:9");
        let action = || {
            let mut command = self.command(&self.modanchor, &s);
            command.arg("action").env("PATH", std::env::var_os("PATH").unwrap_or_default());
            for (name, value) in [
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_EVENT_NAME", "push"),
                ("GITHUB_REPOSITORY", "o/r"),
                ("GITHUB_SHA", &commit),
                ("GITHUB_REF", "refs/heads/main"),
                ("GITHUB_API_URL", "https://127.0.0.1:9"),
                ("GITHUB_SERVER_URL", "https://127.0.0.1:9"),
                ("GITHUB_RUN_ID", "1"),
                ("GITHUB_RUN_ATTEMPT", "1"),
                ("GITHUB_ACTOR", "x"),
                ("MODANCHOR_INPUT_GOSUMDB", &sumdb),
                ("MODANCHOR_INPUT_OFFLINE", "true"),
            ] {
                command.env(name, value);
            }
            command.env("GITHUB_WORKSPACE", s.checkout()).env("GITHUB_EVENT_PATH", s.path("event.json"));
            command.env("MODANCHOR_OUT", s.path("out"));
            for (name, file) in [("GITHUB_OUTPUT", "output"), ("GITHUB_STEP_SUMMARY", "summary.md")] {
                let file = s.path(file);
                fs::write(&file, "")?;
                command.env(name, file);
            }
            let sample = self.run(command, &s, 0)?;
            let outputs = fs::read_to_string(s.path("output"))?;
            ensure!(outputs.contains("\npass\n"), "the action says otherwise:\n{outputs}");
            Ok(sample)
        };
        let (ours, peer) = self.pairs(action, || self.ours(&s, "http://127.0.0.1:9", &["--offline"]))?;
        Ok(vec![Row::times(format!("the Action's step, warm, {LINES} lines, verify"), ours, peer, "< 1 s more")])
    }

    fn memory(&self) -> Result<Vec<Row>> {
        let server = self.server("0ms")?;
        let sumdb = format!("{SUM_GOLANG_ORG} {}", server.url());
        let mut ours = Command::new(&self.modanchor);
        ours.args(["verify", "--quiet", "--sumdb", &sumdb]);
        let mut peer = Command::new(&self.gosumcheck);
        peer.args(["-u", server.url(), "-k", SUM_GOLANG_ORG, "go.sum"]);
        let (cold, theirs) = self.pairs(
            || self.measured(&ours, &Sandbox::with_gosum(&self.gosum), 0),
            || self.measured(&peer, &Sandbox::with_gosum(&self.gosum), 0),
        )?;
        let s = self.warmed(&self.gosum)?;
        ours.arg("--offline");
        let mut client = Command::new(&self.peer);
        client.args(["check", "--offline", "--cache"]).arg(s.path("peer-cache"));
        client.args(["go.sum", server.url(), SUM_GOLANG_ORG]);
        let (warm, theirs_warm) = self.pairs(|| self.measured(&ours, &s, 0), || self.measured(&client, &s, 0))?;
        let mut rows = vec![
            Row::memory(format!("peak memory, cold, {LINES} lines, gosumcheck"), cold, theirs, "< 64 MB"),
            Row::memory(format!("peak memory, warm, {LINES} lines, x/mod's client"), warm, theirs_warm, "< 64 MB"),
        ];
        rows.extend(modcache::memory(self)?);
        Ok(rows)
    }

    fn requests(&self) -> Result<Vec<Row>> {
        let server = self.server("0ms")?;
        let s = Sandbox::with_gosum(&self.gosum);
        let mut command = self.command(&self.modanchor, &s);
        command.args(["verify", "--verbose", "--sumdb", &format!("{SUM_GOLANG_ORG} {}", server.url())]);
        self.run(command, &s, 0)?;
        let told = fs::read_to_string(s.path("stderr"))?;
        let steps = told.split("the core asked ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or("?");
        let (ours, connections) = (server.requests(), server.stats()["connections"].clone());
        server.reset();
        self.ours(&s, server.url(), &[])?;
        let warm = server.requests();
        server.reset();
        self.gosumcheck(&s, server.url())?;
        let (peer, theirs) = (server.requests(), server.stats()["connections"].clone());
        let row = |name: &str, ours: String, peer: String, ratio: String, aim| Row {
            name: name.to_owned(),
            ours,
            peer,
            ratio,
            aim,
        };
        Ok(vec![
            row(
                "requests, cold, gosumcheck",
                ours.to_string(),
                peer.to_string(),
                format!("{:.2}×", peer as f64 / ours as f64),
                "no more",
            ),
            row("connections, cold, gosumcheck", connections.to_string(), theirs.to_string(), String::new(), ""),
            row("`need` steps, cold", steps.to_owned(), "–".to_owned(), String::new(), "≤ 6"),
            row("requests, warm", warm.to_string(), "–".to_owned(), String::new(), "0"),
        ])
    }

    fn million(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for lines in [250_000, 500_000, 1_000_000] {
            let s = Sandbox::with_gosum(&made_up(lines));
            let mut command = Command::new(&self.modanchor);
            command.args(["verify", "--quiet", "--offline", "--sumdb", SUM_GOLANG_ORG]);
            let samples = (0..3).map(|_| self.measured(&command, &s, 3)).collect::<Result<Vec<_>>>()?;
            let sample = median(samples);
            rows.push(Row {
                name: format!("{lines} lines, offline"),
                ours: format!("{:.2} s, {}", sample.wall.as_secs_f64(), megabytes(sample.memory)),
                peer: "–".to_owned(),
                ratio: format!(
                    "{:.2} µs, {} bytes a line",
                    sample.wall.as_secs_f64() * 1e6 / lines as f64,
                    sample.memory / lines as u64
                ),
                aim: "linear",
            });
        }
        Ok(rows)
    }
}

/// A go.sum of made-up modules.
fn made_up(lines: usize) -> String {
    let mut text = String::new();
    for i in 0..lines / 2 {
        let _ = writeln!(text, "filler.example/m{i:06} v1.0.0 h1:{i:0>42}A=");
        let _ = writeln!(text, "filler.example/m{i:06} v1.0.0/go.mod h1:{i:0>42}A=");
    }
    text
}

/// The median of time and that of memory, each by itself.
fn median(mut samples: Vec<Sample>) -> Sample {
    let middle = samples.len() / 2;
    samples.sort_by_key(|s| s.wall);
    let wall = samples[middle].wall;
    samples.sort_by_key(|s| s.memory);
    Sample { wall, memory: samples[middle].memory }
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

impl Row {
    fn times(name: String, ours: Sample, peer: Sample, aim: &'static str) -> Self {
        let ms = |s: Sample| format!("{:.1} ms", s.wall.as_secs_f64() * 1e3);
        let ratio = format!("{:.2}×", peer.wall.as_secs_f64() / ours.wall.as_secs_f64());
        Self { name, ours: ms(ours), peer: ms(peer), ratio, aim }
    }

    fn memory(name: String, ours: Sample, peer: Sample, aim: &'static str) -> Self {
        let ratio = format!("{:.2}×", peer.memory as f64 / ours.memory as f64);
        Self { name, ours: megabytes(ours.memory), peer: megabytes(peer.memory), ratio, aim }
    }
}

fn print_table(runs: usize, rows: &[Row]) {
    println!("Medians of {runs} pairs, alternating.\n");
    println!("| benchmark, peer | modanchor | peer | ratio | aim |\n|---|---|---|---|---|");
    for r in rows {
        println!("| {} | {} | {} | {} | {} |", r.name, r.ours, r.peer, r.ratio, r.aim);
    }
}
