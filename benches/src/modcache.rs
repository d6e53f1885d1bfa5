//! A real project with a full module cache: `modanchor verify` beside `go mod verify`, and what either checks; how much
//! slower the component hashes than native code; and the memory that both take.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use e2e::{SUM_GOLANG_ORG, Sandbox};
use modanchor_core::module::ModuleVersion;
use serde_json::Value;

use crate::{Bench, LINES, MODULE, Row, hashzip, megabytes};

/// What the large zip is to be the zip of.
const LARGE: &str = "example.com/large@v1.0.0";

/// A project, and the module cache with all that its build needs.
struct Project {
    sandbox: Sandbox,
    modcache: PathBuf,
}

impl Project {
    /// [`MODULE`] as a checkout of its own, and modanchor's cache filled for it. Fetched where that has not been done.
    fn prepare(bench: &Bench) -> Result<Self> {
        let dir = e2e::target().join("bench").join("cosign");
        let (modcache, checkout) = (dir.join("modcache"), dir.join("src").join("m"));
        fs::create_dir_all(&checkout)?;
        let go = |args: &[&str]| {
            let mut command = Command::new("go");
            command.args(["mod", "download", "-modcacherw"]).args(args).current_dir(&checkout);
            let out = command.env("GOMODCACHE", &modcache).env("GOFLAGS", "").output()?;
            ensure!(out.status.success(), "go mod download: {}", String::from_utf8_lossy(&out.stderr));
            anyhow::Ok(out.stdout)
        };
        if !checkout.join("go.sum").is_file() {
            eprintln!("fetching {MODULE} …");
            let said: Value = serde_json::from_slice(&go(&["-json", MODULE])?)?;
            let from = Path::new(said["Dir"].as_str().context("go mod download names no folder")?);
            // The go.sum last: it says that both are there.
            for name in ["go.mod", "go.sum"] {
                fs::write(checkout.join(name), fs::read(from.join(name))?)?;
            }
        }
        // Quick where everything is there.
        go(&[])?;
        let sandbox = bench.warmed(&bench.gosum)?;
        for name in ["go.mod", "go.sum"] {
            sandbox.write(name, fs::read(checkout.join(name))?);
        }
        Ok(Self { sandbox, modcache })
    }

    /// `command` with this module cache and no network.
    fn here(&self, mut command: Command) -> Command {
        command.env("GOMODCACHE", &self.modcache).env("GOPROXY", "off");
        command
    }

    /// With the checksum database's answers from modanchor's own cache.
    fn ours(&self, bench: &Bench, wrapper: &[&str]) -> Command {
        let mut command = self.here(wrapped(bench, &self.sandbox, wrapper, &bench.modanchor));
        command.args(["verify", "--quiet", "--offline", "--sumdb", SUM_GOLANG_ORG]);
        command
    }

    fn go_mod_verify(&self, bench: &Bench, wrapper: &[&str]) -> Command {
        let mut command = self.here(wrapped(bench, &self.sandbox, wrapper, Path::new("go")));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "").args(["mod", "verify"]);
        command
    }

    /// What a run verifies, in words.
    fn checked(&self, bench: &Bench) -> Result<String> {
        let mut command = self.ours(bench, &[]);
        command.args(["--format", "json"]);
        bench.run(command, &self.sandbox, 0)?;
        let report: Value = serde_json::from_slice(&fs::read(self.sandbox.path("stdout"))?)?;
        let (counts, mut sizes) = (&report["counts"], [(0, 0); 3]);
        for module in report["modules"].as_array().context("modules")? {
            let text = |key: &str| module[key].as_str().context("a string");
            let name = ModuleVersion::check(text("path")?, text("version")?)?.escaped();
            let (path, version) = name.rsplit_once('@').context("PATH@VERSION")?;
            let file = |suffix: &str| self.modcache.join(format!("cache/download/{path}/@v/{version}.{suffix}"));
            for bytes in module["bytes"].as_array().context("bytes")? {
                if bytes["status"] != "verified" {
                    continue;
                }
                let (index, (files, size)) = match bytes["what"].as_str() {
                    Some("zip") => (0, content(&file("zip"))?),
                    Some("dir") => (1, content(&self.modcache.join(&name))?),
                    Some("go.mod") => (2, content(&file("mod"))?),
                    what => anyhow::bail!("bytes of {what:?}"),
                };
                sizes[index].0 += files;
                sizes[index].1 += size;
            }
        }
        let [(zips, zip_bytes), (files, dir_bytes), (go_mods, _)] = sizes;
        ensure!(counts["verified"] == LINES && counts["bytes"]["zip"] == zips && counts["bytes"]["go.mod"] == go_mods);
        ensure!(counts["bytes"]["dir"] == zips, "as many zips as folders");
        Ok(format!(
            "{zips} zips ({}), {} folders ({files} files, {}), {go_mods} go.mod files, {LINES} lines",
            megabytes(zip_bytes),
            counts["bytes"]["dir"],
            megabytes(dir_bytes)
        ))
    }
}

/// `program`, under `wrapper` if there is one.
fn wrapped(bench: &Bench, sandbox: &Sandbox, wrapper: &[&str], program: &Path) -> Command {
    match wrapper {
        [] => bench.command(program, sandbox),
        [first, rest @ ..] => {
            let mut command = bench.command(Path::new(first), sandbox);
            command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).args(rest).arg(program);
            command
        }
    }
}

/// How many files there are at a path, and how large they are together.
fn content(path: &Path) -> Result<(u64, u64)> {
    let found = fs::metadata(path)?;
    if !found.is_dir() {
        return Ok((1, found.len()));
    }
    let (mut files, mut size) = (0, 0);
    for entry in fs::read_dir(path)? {
        let (more, bytes) = content(&entry?.path())?;
        files += more;
        size += bytes;
    }
    Ok((files, size))
}

/// The whole module cache, on all cores and on one.
pub(crate) fn verify(bench: &Bench) -> Result<Vec<Row>> {
    let project = Project::prepare(bench)?;
    let checked = project.checked(bench)?;
    let cores = std::thread::available_parallelism()?;
    let mut rows = Vec::new();
    let taskset: &[&str] = &["taskset", "-c", "0"];
    let has_taskset = Command::new("taskset").arg("-V").output().is_ok();
    for (wrapper, cores) in [(Some(&[][..]), cores.get()), (has_taskset.then_some(taskset), 1)] {
        let Some(wrapper) = wrapper else { continue };
        let (ours, peer) = bench.pairs(
            || bench.run(project.ours(bench, wrapper), &project.sandbox, 0),
            || bench.run(project.go_mod_verify(bench, wrapper), &project.sandbox, 0),
        )?;
        let name = format!("module cache of cosign, {cores} core(s): {checked}; go mod verify");
        rows.push(Row::times(name, ours, peer, if cores == 1 { "" } else { "≥ 2.5× faster" }));
    }
    Ok(rows)
}

fn hash_zip(bench: &Bench, s: &Sandbox, engine: &str, zip: &Path, module: &str) -> Command {
    let mut command = bench.command(&bench.modanchor, s);
    command.args(["hash", "zip", "--hash-engine", engine]).arg(zip).arg(module);
    command
}

/// The component beside native code, as commands.
pub(crate) fn component(bench: &Bench) -> Result<Vec<Row>> {
    let s = Sandbox::new();
    let mut rows = Vec::new();
    for (module, zip) in hashzip::zips()? {
        let hash = |engine| bench.run(hash_zip(bench, &s, engine, &zip, module), &s, 0);
        let (ours, peer) = bench.pairs(|| hash("component"), || hash("native"))?;
        rows.push(Row::times(format!("h1 of {module} in the component; modanchor's native code"), ours, peer, ""));
    }
    Ok(rows)
}

/// Peak memory: for a zip of 500 MB, and for the whole module cache.
pub(crate) fn memory(bench: &Bench) -> Result<Vec<Row>> {
    let zip = e2e::target().join("bench").join("large.zip");
    if !zip.is_file() {
        // Renamed when it is whole.
        let partial = zip.with_extension("partial");
        let done = Command::new(&bench.peer).arg("large-zip").arg(&partial).arg(LARGE).status()?;
        ensure!(done.success(), "the large zip could not be made");
        fs::rename(partial, &zip)?;
    }
    let size = megabytes(fs::metadata(&zip)?.len());
    let s = Sandbox::new();
    let mut rows = Vec::new();
    for engine in ["native", "component"] {
        let ours = hash_zip(bench, &s, engine, &zip, LARGE);
        let mut peer = bench.command(&bench.peer, &s);
        peer.args(["hash-zip", "1"]).arg(&zip);
        let (ours, peer) = bench.pairs(|| bench.measured(&ours, &s, 0), || bench.measured(&peer, &s, 0))?;
        rows.push(Row::memory(format!("peak memory, h1 of a zip of {size}, {engine}; HashZip"), ours, peer, "< 64 MB"));
    }
    let project = Project::prepare(bench)?;
    let (ours, peer) = (project.ours(bench, &[]), project.go_mod_verify(bench, &[]));
    let s = &project.sandbox;
    let (ours, peer) = bench.pairs(|| bench.measured(&ours, s, 0), || bench.measured(&peer, s, 0))?;
    rows.push(Row::memory("peak memory, module cache of cosign; go mod verify".to_owned(), ours, peer, "< 64 MB"));
    Ok(rows)
}
