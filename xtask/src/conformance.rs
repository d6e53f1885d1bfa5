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

/// Where the adapter of sigstore-conformance is.
const SIGSTORE_CLIENT: &str = "tests/conformance/sigstore-client";

/// Where its table goes.
const SIGSTORE_TABLE: &str = "docs/conformance-sigstore.md";

/// The part of sigstore-conformance that verifies. The others sign, with an identity from the network, or need another
/// repository.
const SIGSTORE_TESTS: &str = "test/test_bundle.py::test_verify";

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
    Tuf(Suite),
    /// sigstore-conformance, the Sigstore project's, all that verifies; writes docs/conformance-sigstore.md.
    Sigstore(Suite),
}

/// What to run a suite with.
#[derive(Args)]
pub(crate) struct Suite {
    /// A clone of github.com/theupdateframework/tuf-conformance or github.com/sigstore/sigstore-conformance.
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
            Self::Tuf(suite) => suite.run_tuf(),
            Self::Sigstore(suite) => suite.run_sigstore(),
        }
    }
}

impl Suite {
    fn run_tuf(self) -> Result<String> {
        let run = self.prepare("tuf-conformance", "tuf_conformance", "tests/conformance/requirements.txt", CLIENT)?;
        let mut pytest = run.pytest(faketime()?)?;
        pytest.args(["-q", "tuf_conformance"]);
        let results = run.results(pytest, &self.pytest)?;
        if run.counts && self.pytest.is_empty() {
            component::write(&root().join(TABLE), results.tuf_table(&run.commit).as_bytes())?;
        }
        results.all_passed("tuf-conformance", &run.commit)
    }

    fn run_sigstore(self) -> Result<String> {
        let requirements = "tests/conformance/sigstore-requirements.txt";
        let run = self.prepare("sigstore-conformance", "test/assets/bundle-verify", requirements, SIGSTORE_CLIENT)?;
        let statuses = run.home.path().join("statuses");
        let mut pytest = run.pytest(None)?;
        let plugin = [run.suite.clone(), root().join("tests/conformance")];
        pytest.env("PYTHONPATH", std::env::join_paths(plugin)?).env("MODANCHOR_STATUSES", &statuses).args([
            "-q",
            "-p",
            "sigstore_offline",
            "--skip-signing",
            SIGSTORE_TESTS,
        ]);
        let results = run.results(pytest, &self.pytest)?;
        if run.counts {
            let statuses = std::fs::read_to_string(&statuses).context("the client left no exit statuses")?;
            let counts = statuses_of(&statuses)?;
            if self.pytest.is_empty() {
                let table = results.sigstore_table(&run.commit, &counts);
                component::write(&root().join(SIGSTORE_TABLE), table.as_bytes())?;
            }
        }
        results.all_passed("sigstore-conformance", &run.commit)
    }

    /// Makes ready what a suite needs: `mark` is something that it has.
    fn prepare(&self, name: &str, mark: &str, requirements: &str, client: &str) -> Result<Prepared> {
        let suite = self.suite.canonicalize().with_context(|| format!("no suite in {}", self.suite.display()))?;
        ensure!(suite.join(mark).is_dir(), "{} is not {name}", suite.display());
        let commit = commit(&suite)?;
        let python = python::environment(name, requirements)?
            .context("the suite needs python3 (3.10 or later) with venv and pip")?;
        let (client, program) = match &self.client {
            Some(client) => (client.canonicalize().with_context(|| format!("no {}", client.display()))?, None),
            None => (root().join(client), Some(program()?)),
        };
        // A home of its own: nothing that the user has configured or cached reaches the program under test.
        let home = tempfile::tempdir()?;
        Ok(Prepared { suite, commit, python, client, counts: program.is_some(), program, home })
    }
}

/// A suite that can be run.
struct Prepared {
    suite: PathBuf,
    commit: String,
    python: PathBuf,
    client: PathBuf,
    program: Option<PathBuf>,
    /// Whether it is modanchor that is tested.
    counts: bool,
    home: tempfile::TempDir,
}

impl Prepared {
    fn report(&self) -> PathBuf {
        self.home.path().join("report.json")
    }

    /// pytest on the suite, in an environment of its own. `first` comes first on the PATH.
    fn pytest(&self, first: Option<PathBuf>) -> Result<Command> {
        // Clients in Python find what the suite is tested with.
        let mut dirs = vec![self.python.parent().context("an environment has a folder")?.to_owned()];
        dirs.extend(first);
        dirs.extend(std::env::split_paths(&std::env::var_os("PATH").context("no PATH")?));
        let home = self.home.path();
        let mut pytest = Command::new(&self.python);
        pytest
            .args(["-m", "pytest", "-p", "no:cacheprovider", "--entrypoint"])
            .arg(&self.client)
            .args(["--json-report", "--json-report-file"])
            .arg(self.report())
            .current_dir(&self.suite)
            .env_clear()
            .env("PATH", std::env::join_paths(dirs)?)
            .env("PYTHONPATH", &self.suite)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("MODANCHOR_CACHE", home.join("cache"))
            .stdin(Stdio::null());
        if let Some(program) = &self.program {
            pytest.env("MODANCHOR_BIN", program);
        }
        Ok(pytest)
    }

    fn results(&self, mut pytest: Command, more: &[OsString]) -> Result<Results> {
        let status = pytest.args(more).status().context("cannot run pytest")?;
        let report = std::fs::read(self.report()).with_context(|| format!("pytest left no report: {status}"))?;
        let results = Results::of(&serde_json::from_slice(&report)?)?;
        ensure!(status.success() || results.count("passed") < results.total(), "pytest: {status}");
        Ok(results)
    }
}

/// How often the client of sigstore-conformance ended with 0, 1 and 2. The suite takes every failure for a refusal.
///
/// # Errors
/// Another status: a crash, or something that could not be checked.
fn statuses_of(lines: &str) -> Result<[usize; 3]> {
    let mut counts = [0; 3];
    for line in lines.lines() {
        let status = line.split(' ').next().and_then(|status| status.parse::<usize>().ok());
        let count = status.and_then(|status| counts.get_mut(status));
        *count.with_context(|| format!("the client is no verifier of this: status {line}"))? += 1;
    }
    Ok(counts)
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

    fn all_passed(&self, suite: &str, commit: &str) -> Result<String> {
        let (passed, total) = (self.count("passed"), self.total());
        ensure!(passed == total, "{passed} of {total} passed");
        Ok(format!("{suite} {commit}: {passed} of {total} passed"))
    }

    fn sigstore_table(&self, commit: &str, statuses: &[usize; 3]) -> String {
        let intro = format!(
            "# Sigstore: conformance\n\n\
            [sigstore-conformance](https://github.com/sigstore/sigstore-conformance), the Sigstore project's suite for \
            clients, at commit\n`{commit}`, all tests that verify, run against `modanchor sigstore verify-blob`: \
            **{} of {} pass**,\nexpected failures: {}. Exit statuses: 0 {} times, 1 {} times, 2 {} times, and no other. \
            Tests that sign are left out: modanchor\ndoes not sign. Written by \
            `cargo xtask conformance sigstore --suite DIR`;\n[tests/conformance](../tests/conformance/README.md) says how.\n",
            self.count("passed"),
            self.total(),
            self.count("xfailed"),
            statuses[0],
            statuses[1],
            statuses[2],
        );
        intro + &self.tables()
    }

    fn tuf_table(&self, commit: &str) -> String {
        let intro = format!(
            "# TUF: conformance\n\n\
            [tuf-conformance](https://github.com/theupdateframework/tuf-conformance), the TUF project's suite for \
            clients, at commit\n`{commit}`, run against `modanchor tuf`: **{} of {} pass**, \
            expected failures: {}.\nWritten by `cargo xtask conformance tuf --suite DIR`; \
            [tests/conformance](../tests/conformance/README.md) says how.\n",
            self.count("passed"),
            self.total(),
            self.count("xfailed"),
        );
        intro + &self.tables()
    }

    /// A table for each file.
    fn tables(&self) -> String {
        let mut text = String::new();
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
        let table = results.tuf_table("0123");
        assert!(table.contains("**1 of 3 pass**") && table.contains("| `test_two` | xfailed |"), "{table}");
        assert!(Results::of(&json!({"tests": []})).is_err(), "a suite that ran nothing proves nothing");
        let table = results.sigstore_table("0123", &[1, 2, 3]);
        assert!(table.contains("**1 of 3 pass**") && table.contains("0 1 times, 1 2 times, 2 3 times"), "{table}");
        assert!(results.all_passed("suite", "0123").is_err());
    }

    #[test]
    fn a_crash_is_not_a_verdict() {
        assert_eq!(statuses_of("0 a\n1 b\n1 c\n2 d\n").unwrap(), [1, 2, 1]);
        for line in ["3 a", "101 a", "134 a", "x", ""] {
            assert!(statuses_of(&format!("0 a\n{line}\n")).is_err(), "{line}");
        }
    }
}
