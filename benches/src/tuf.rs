//! A TUF repository of 100,000 targets in 4,096 bins: `modanchor tuf` beside python-tuf's client.
//!
//! python-tuf's times are taken inside its process (tests/peer/tuf/bench.py), ours from the start of a process to its
//! end: what an interpreter needs to start says nothing of a client.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::tuf::{Site, script};
use serde_json::Value;

use crate::{Row, Sample, median};

/// One of the repository's targets.
const TARGET: &str = "example.com/binned/m0/@v/v1.0.0.zip";

/// The repository, served, and who reads it.
struct Tuf {
    modanchor: PathBuf,
    site: Site,
    root: PathBuf,
    /// Our folder and the peer's, for metadata and targets.
    ours: tempfile::TempDir,
    peer: tempfile::TempDir,
}

/// What a run took and asked for.
struct Run {
    sample: Sample,
    requests: usize,
    bytes: u64,
}

/// Both tasks, each with its time, its requests and its bytes.
pub(crate) fn rows(modanchor: PathBuf, runs: usize) -> Result<Vec<Row>> {
    let dir = e2e::target().join("bench").join("tuf");
    let prepared = bench(&["prepare"])?.arg(&dir).status()?;
    ensure!(prepared.success(), "python-tuf does not write the repository");
    let root = dir.join("tuf/1.root.json");
    let tuf = Tuf { modanchor, site: Site::of(&dir), root, ours: tempfile::tempdir()?, peer: tempfile::tempdir()? };
    let mut rows = Vec::new();
    for (task, aim, aim_of_bytes) in [("cold", "", "< 150 kB of metadata"), ("unchanged", "< 10 ms in process", "")] {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let (mut last, mut last_theirs) = (tuf.ours(task)?, tuf.peer(task)?);
        for _ in 0..runs {
            (last, last_theirs) = (tuf.ours(task)?, tuf.peer(task)?);
            ours.push(last.sample);
            theirs.push(last_theirs.sample);
        }
        rows.push(Row::times(format!("TUF, {task}; python-tuf, in its process"), median(ours), median(theirs), aim));
        rows.push(Row {
            name: format!("TUF, {task}: requests, bytes"),
            ours: format!("{}, {}", last.requests, last.bytes),
            peer: format!("{}, {}", last_theirs.requests, last_theirs.bytes),
            ratio: String::new(),
            aim: aim_of_bytes,
        });
    }
    Ok(rows)
}

/// The peer's program.
fn bench(args: &[&str]) -> Result<Command> {
    let mut command = script("bench.py").context("python-tuf is missing: `cargo xtask test` installs it")?;
    command.args(args);
    Ok(command)
}

impl Tuf {
    /// One run of modanchor. Whoever is `cold` has an empty folder with the root in it.
    fn ours(&self, task: &str) -> Result<Run> {
        let (metadata, targets) = (self.ours.path().join("metadata"), self.ours.path().join("targets"));
        if task == "cold" {
            for dir in [&metadata, &targets] {
                drop(fs::remove_dir_all(dir));
                fs::create_dir(dir)?;
            }
            let mut init = self.modanchor(&metadata);
            init.arg("init").arg(&self.root);
            ensure!(init.status()?.success(), "modanchor tuf init");
        }
        let mut command = self.modanchor(&metadata);
        command.arg("--metadata-url").arg(self.site.url("tuf"));
        if task == "cold" {
            command.args(["--target-name", TARGET, "--target-base-url", &self.site.url(""), "--target-dir"]);
            command.arg(&targets).arg("download");
        } else {
            command.arg("refresh");
        }
        self.site.asked();
        self.site.sent();
        let start = Instant::now();
        let out = command.output()?;
        let wall = start.elapsed();
        ensure!(out.status.success(), "modanchor tuf, {task}: {}", String::from_utf8_lossy(&out.stderr));
        Ok(Run { sample: Sample { wall, memory: 0 }, requests: self.site.asked().len(), bytes: self.site.sent() })
    }

    fn modanchor(&self, metadata: &Path) -> Command {
        let mut command = Command::new(&self.modanchor);
        command.env_clear().env("HOME", self.ours.path()).env("MODANCHOR_CACHE", self.ours.path().join("cache"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir(self.ours.path());
        command.args(["tuf", "--metadata-dir"]).arg(metadata);
        command
    }

    /// One run of python-tuf.
    fn peer(&self, task: &str) -> Result<Run> {
        let mut command = bench(&[task])?;
        command.arg(self.site.url("tuf")).arg(&self.root).arg(self.peer.path().join("client"));
        if task == "cold" {
            command.arg(TARGET);
        }
        let out = command.stderr(Stdio::inherit()).output()?;
        ensure!(out.status.success(), "python-tuf, {task}");
        let said: Value = serde_json::from_slice(&out.stdout)?;
        let wall = Duration::from_secs_f64(said["seconds"][0].as_f64().context("seconds")?);
        Ok(Run {
            sample: Sample { wall, memory: 0 },
            requests: usize::try_from(said["requests"].as_u64().context("requests")?)?,
            bytes: said["bytes"].as_u64().context("bytes")?,
        })
    }
}
