//! Conformance suites of other projects, run against the program of the working tree. Their code is fetched by whoever
//! runs this and stays out of the repository; what comes out is a table in docs/.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};
use serde_json::Value;

use crate::component::{self, root, run};
use crate::python;

/// Where the adapter of tuf-conformance is.
const CLIENT: &str = "tests/conformance/tuf-client";

/// Where its table goes.
const TABLE: &str = "docs/conformance-tuf.md";

/// libfaketime in the place of the `faketime` program, which is in a package of its own: the time comes as the first
/// argument. `%LIBRARY%` is the library's path.
const FAKETIME: &str = r#"#!/bin/sh
# faketime TIME COMMAND [ARG…]: runs a command whose clock begins at TIME. Written by `cargo xtask conformance`.
seconds=$(date -u -d "$1" +%s) || exit 1
shift
FAKETIME_FMT=%s FAKETIME="@$seconds" LD_PRELOAD='%LIBRARY%' exec "$@"
"#;

/// Run a conformance suite.
#[derive(Subcommand)]
pub(crate) enum Conformance {
    /// tuf-conformance, the TUF project's suite for clients; writes docs/conformance-tuf.md.
    Tuf(Tuf),
}

/// What to run tuf-conformance with.
#[derive(Args)]
pub(crate) struct Tuf {
    /// A clone of github.com/theupdateframework/tuf-conformance.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
    /// Another client in place of modanchor, by the suite's contract. Nothing is built and no table is written.
    #[arg(long, value_name = "PROGRAM")]
    client: Option<PathBuf>,
    /// Handed to pytest, such as `-k NAME`. No table is written then.
    #[arg(last = true)]
    pytest: Vec<OsString>,
}

impl Conformance {
    /// Runs it: what to tell.
    ///
    /// # Errors
    /// A test that did not pass, an expected failure included; or something that the suite needs is missing.
    pub(crate) fn run(self) -> Result<String> {
        match self {
            Self::Tuf(tuf) => tuf.run(),
        }
    }
}

impl Tuf {
    fn run(self) -> Result<String> {
        let suite = self.suite.canonicalize().with_context(|| format!("no suite in {}", self.suite.display()))?;
        ensure!(suite.join("tuf_conformance").is_dir(), "{} is not tuf-conformance", suite.display());
        let commit = commit(&suite)?;
        let python = python::environment("tuf-conformance", "tests/conformance/requirements.txt")?
            .context("the suite needs python3 (3.10 or later) with venv and pip")?;
        // Clients in Python find what the suite is tested with.
        let mut dirs = vec![python.parent().context("an environment has a folder")?.to_owned()];
        dirs.extend(faketime()?);
        dirs.extend(std::env::split_paths(&std::env::var_os("PATH").context("no PATH")?));
        let path = std::env::join_paths(dirs)?;
        let (client, program) = match &self.client {
            Some(client) => (client.canonicalize().with_context(|| format!("no {}", client.display()))?, None),
            None => (root().join(CLIENT), Some(program()?)),
        };

        // A home of its own: nothing that the user has configured or cached reaches the program under test.
        let home = tempfile::tempdir()?;
        let report = home.path().join("report.json");
        let mut pytest = Command::new(python);
        pytest
            .args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "tuf_conformance", "--entrypoint"])
            .arg(&client)
            .args(["--json-report", "--json-report-file"])
            .arg(&report)
            .args(&self.pytest)
            .current_dir(&suite)
            .env_clear()
            .env("PATH", path)
            .env("PYTHONPATH", &suite)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env("MODANCHOR_CACHE", home.path().join("cache"))
            .stdin(Stdio::null());
        if let Some(program) = program {
            pytest.env("MODANCHOR_BIN", program);
        }
        let status = pytest.status().context("cannot run pytest")?;
        let report = std::fs::read(&report).with_context(|| format!("pytest left no report: {status}"))?;
        let results = Results::of(&serde_json::from_slice(&report)?)?;
        let passed = results.count("passed");
        if self.client.is_none() && self.pytest.is_empty() {
            component::write(&root().join(TABLE), results.table(&commit).as_bytes())?;
        }
        ensure!(passed == results.total(), "{passed} of {} passed", results.total());
        ensure!(status.success(), "pytest: {status}");
        Ok(format!("tuf-conformance {commit}: {passed} of {} passed", results.total()))
    }
}

/// The suite's commit; it must be what is run.
fn commit(suite: &Path) -> Result<String> {
    let git = |args: &[&str]| -> Result<String> {
        let out = Command::new("git").arg("-C").arg(suite).args(args).output().context("cannot run git")?;
        ensure!(out.status.success(), "{} is no git clone: {}", suite.display(), String::from_utf8_lossy(&out.stderr));
        Ok(String::from_utf8(out.stdout)?.trim().to_owned())
    };
    ensure!(git(&["status", "--porcelain"])?.is_empty(), "{} has changes of its own", suite.display());
    git(&["rev-parse", "HEAD"])
}

/// The program of the working tree, built with the component of the working tree.
fn program() -> Result<PathBuf> {
    let component = component::default_path();
    component::write(&component, &component::build()?)?;
    let mut build = component::cargo();
    build.args(["build", "--locked", "--package", "modanchor"]).env("MODANCHOR_COMPONENT", component);
    build.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    let out = build.output().context("cannot run cargo")?;
    ensure!(out.status.success(), "modanchor does not build");
    String::from_utf8(out.stdout)?
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "modanchor")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .context("cargo names no executable")
}

/// A folder with a `faketime` in it, by which the suite moves the client's clock; none where the PATH has one.
fn faketime() -> Result<Option<PathBuf>> {
    if Command::new("faketime").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success()) {
        return Ok(None);
    }
    let dir = root().join("target/tools/faketime");
    let program = dir.join("bin/faketime");
    if !program.is_file() {
        install_faketime(&dir, &program)
            .context("the suite needs `faketime` on the PATH; without it, apt-get and dpkg could bring libfaketime")?;
    }
    Ok(Some(dir.join("bin")))
}

fn install_faketime(dir: &Path, program: &Path) -> Result<()> {
    let package = dir.join("package");
    std::fs::create_dir_all(&package)?;
    run(Command::new("apt-get").args(["download", "--quiet", "libfaketime"]).current_dir(&package))?;
    for file in std::fs::read_dir(&package)? {
        run(Command::new("dpkg").arg("-x").arg(file?.path()).arg(dir))?;
    }
    let library = find(&dir.join("usr/lib"), "libfaketimeMT.so.1")?.context("no library in libfaketime")?;
    let text = FAKETIME.replace("%LIBRARY%", library.to_str().context("a path in UTF-8")?);
    std::fs::create_dir_all(dir.join("bin"))?;
    component::write(program, text.as_bytes())?;
    #[cfg(unix)]
    std::fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    Ok(())
}

fn find(dir: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
        if entry.file_type()?.is_dir()
            && let Some(found) = find(&entry.path(), name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// How every test ended, by file and in the suite's order.
struct Results(BTreeMap<String, Vec<(String, String)>>);

impl Results {
    fn of(report: &Value) -> Result<Self> {
        let mut files: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for test in report["tests"].as_array().context("pytest's report has no tests")? {
            let id = test["nodeid"].as_str().context("a test has no name")?;
            let outcome = test["outcome"].as_str().context("a test has no outcome")?;
            let Some((file, name)) = id.split_once("::") else { bail!("{id} names no test") };
            let file = file.rsplit('/').next().unwrap_or(file);
            files.entry(file.to_owned()).or_default().push((name.to_owned(), outcome.to_owned()));
        }
        ensure!(!files.is_empty(), "pytest ran no test");
        Ok(Self(files))
    }

    fn total(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    fn count(&self, outcome: &str) -> usize {
        self.0.values().flatten().filter(|(_, o)| o == outcome).count()
    }

    fn table(&self, commit: &str) -> String {
        let mut text = format!(
            "# TUF: conformance\n\n\
            [tuf-conformance](https://github.com/theupdateframework/tuf-conformance), the TUF project's suite for \
            clients, at commit\n`{commit}`, run against `modanchor tuf`: **{} of {} pass**, \
            expected failures: {}.\nWritten by `cargo xtask conformance tuf --suite DIR`; \
            [tests/conformance](../tests/conformance/README.md) says how.\n",
            self.count("passed"),
            self.total(),
            self.count("xfailed"),
        );
        for (file, tests) in &self.0 {
            write!(text, "\n| {file} | |\n|---|---|\n").expect("a String takes every write");
            for (name, outcome) in tests {
                writeln!(text, "| `{}` | {outcome} |", name.replace('|', "\\|")).expect("a String takes every write");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_expected_failure_is_not_a_pass() {
        let report = json!({"tests": [
            {"nodeid": "tuf_conformance/test_a.py::test_one[root]", "outcome": "passed"},
            {"nodeid": "tuf_conformance/test_a.py::test_two", "outcome": "xfailed"},
            {"nodeid": "tuf_conformance/test_b.py::test_three", "outcome": "failed"},
        ]});
        let results = Results::of(&report).unwrap();
        assert_eq!((results.total(), results.count("passed")), (3, 1));
        let table = results.table("0123");
        assert!(table.contains("**1 of 3 pass**") && table.contains("| `test_two` | xfailed |"), "{table}");
        assert!(Results::of(&json!({"tests": []})).is_err(), "a suite that ran nothing proves nothing");
    }
}
