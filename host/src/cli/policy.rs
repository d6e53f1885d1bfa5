//! `modanchor policy check|test|explain|baseline`, and how what is wrong with a policy is told.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;

use modanchor_core::contract::{Floor, PolicyGrade};
use modanchor_core::policy::baseline::{self, MAX_BASELINE};
use modanchor_core::policy::file::{self, MAX_FILE, PolicyError, PolicyFile, Problem};
use modanchor_core::policy::judge::{Judgement, Ruling};
use modanchor_core::policy::rules::Rules;
use modanchor_core::policy::{expect, explain, judge};

use super::args::{PolicyAction, TerminalArgs, VerifyArgs};
use super::did_you_mean;
use super::paths::read_regular;
use super::runner::{self, Runner};
use super::session::Failed;
use super::trusted::Repository as _;
use super::{trusted, verify};
use crate::output::text::escape;
use crate::output::{self, Destinations};

/// The largest report that a baseline is made from, in bytes.
const MAX_REPORT: u64 = 256 << 20;

/// Exit status of a policy that does not say what is expected of it.
const DIFFERS: u8 = 1;

/// Does what is asked, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, action: &PolicyAction) -> Result<u8, Failed> {
    let (text, status) = match action {
        PolicyAction::Check { file } => (check(file).map_err(Failed::usage)?, 0),
        PolicyAction::Test { file, tests } => test(file, tests).map_err(Failed::usage)?,
        PolicyAction::Explain(args) => return explain_modules(terminal, args),
        PolicyAction::Baseline { report } => (floor(report).map_err(Failed::usage)?, 0),
    };
    output::to_stream(io::stdout(), false, text.as_bytes()).map_err(Failed::unchecked)?;
    Ok(status)
}

/// Verifies, and tells of every module how it was graded. The status is that of `verify`.
fn explain_modules(terminal: &TerminalArgs, args: &VerifyArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    runner::admit(args.output.files().chain(args.record.file()))?;
    let known = match args.config.no_config {
        true => None,
        false => Runner::of_process(&args.paths, "looking for a configuration (--no-config: none)")?,
    };
    let config = trusted::configuration(terminal, &args.config, &args.paths, known.as_ref())?.config;
    let judged = verify::judge(terminal, args, config)?;
    if !args.output.formats.is_empty() {
        judged.write(terminal, args, &destinations, known.as_ref().and_then(Runner::tree))?;
        return judged.unrecorded.map_or(Ok(judged.outcome.status), Err);
    }
    let (outcome, unrecorded) = (judged.outcome, judged.unrecorded);
    let report: Graded = serde_json::from_slice(&outcome.report).map_err(Failed::unchecked)?;
    let mut text = String::new();
    for module in report.modules {
        let name = format!("{}@{}", module.path, module.version);
        match module.rulings.is_empty() {
            true => {
                let _ = writeln!(
                    text,
                    "{}: {}, by no rule: no line of a go.sum is of its zip",
                    escape(&name),
                    module.grade
                );
            }
            false => text.push_str(&explain::text(&name, &Judgement { rulings: module.rulings })),
        }
    }
    output::to_stream(io::stdout(), false, text.as_bytes()).map_err(Failed::unchecked)?;
    unrecorded.map_or(Ok(outcome.status), Err)
}

/// What of a report is told.
#[derive(Deserialize)]
struct Graded {
    modules: Vec<GradedModule>,
}

#[derive(Deserialize)]
struct GradedModule {
    path: String,
    version: String,
    grade: String,
    rulings: Vec<Ruling>,
}

/// `FILE:LINE:COLUMN: what is wrong`, and what was probably meant.
pub(super) fn told(file: &str, error: &PolicyError) -> String {
    let (Problem::UnknownKey { key: typed, known } | Problem::UnknownValue { value: typed, known }) = &error.problem
    else {
        return escape(&format!("{file}:{error}")).into_owned();
    };
    let meant = did_you_mean(typed, known.iter().copied());
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
    escape(&format!("{file}:{error}{meant}")).into_owned()
}

/// Reads a baseline with `read`, which gets its path and how large it may be.
pub(super) fn floors(
    file: &Path,
    read: &mut impl FnMut(&Path, u64) -> Result<Vec<u8>, String>,
) -> anyhow::Result<Vec<Floor>> {
    let bytes = read(file, MAX_BASELINE as u64).map_err(|why| anyhow!("--baseline: {why}"))?;
    baseline::read(&bytes).map_err(|error| anyhow!("{}", told(&file.display().to_string(), &error)))
}

fn read(file: &Path) -> anyhow::Result<PolicyFile> {
    let name = file.display().to_string();
    let bytes = read_regular(file, MAX_FILE as u64)?;
    file::read(&bytes, &name).map_err(|error| anyhow!("{}", told(&name, &error)))
}

fn check(file: &Path) -> anyhow::Result<String> {
    let policy = read(file)?;
    let name = file.display().to_string();
    let (rules, tests) = (policy.policy.rules.len(), policy.tests.len());
    Ok(format!("{}: a policy with {rules} rules and a default, and {tests} tests\n", escape(&name)))
}

fn test(file: &Path, tests: &[std::path::PathBuf]) -> anyhow::Result<(String, u8)> {
    let policy = read(file)?;
    let rules = Rules::new(&policy.policy)?;
    let mut all = vec![(file, policy.tests)];
    for file in tests {
        let bytes = read_regular(file, MAX_FILE as u64)?;
        let name = file.display().to_string();
        all.push((file.as_path(), expect::read(&bytes).map_err(|error| anyhow!("{}", told(&name, &error)))?));
    }
    let (mut text, mut run, mut failed) = (String::new(), 0, 0);
    for (file, expectations) in &all {
        for tested in expect::run(&rules, expectations) {
            run += 1;
            if tested.differences.is_empty() {
                continue;
            }
            failed += 1;
            let name = file.display().to_string();
            for difference in &tested.differences {
                let _ = writeln!(text, "{}:{}: {}", escape(&name), tested.line, escape(difference));
            }
            text.push_str(&explain::text(&tested.module, &tested.judgement));
        }
    }
    if run == 0 {
        return Err(anyhow!("there is no test in {}: write some under `tests` (docs/policy.md)", file.display()));
    }
    let _ = writeln!(text, "{run} tests, {failed} not as expected");
    Ok((text, if failed == 0 { 0 } else { DIFFERS }))
}

/// What of a report makes a baseline.
#[derive(Deserialize)]
struct Report {
    schema: String,
    modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    grade: String,
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    of: String,
}

fn floor(report: &Path) -> anyhow::Result<String> {
    let bytes = read_regular(report, MAX_REPORT)?;
    let name = report.display().to_string();
    let report: Report = serde_json::from_slice(&bytes).with_context(|| format!("{name}: no report in JSON"))?;
    if report.schema != modanchor_core::report::SCHEMA {
        return Err(anyhow!("{name}: no {}: write one with `--format json=FILE`", modanchor_core::report::SCHEMA));
    }
    // Of a module that is there for its go.mod alone nothing is built, and nothing was graded: a floor of its would let its zip in
    // later, whatever the policy asks for.
    let with_zip = report.modules.iter().filter(|module| module.lines.iter().any(|line| line.of == "zip"));
    let graded = with_zip.map(|module| {
        let grade = judge::grade_named(&module.grade);
        grade
            .map(|grade| (module.path.as_str(), grade))
            .ok_or_else(|| anyhow!("{name}: `{}` is no grade", module.grade))
    });
    let graded: Vec<(&str, PolicyGrade)> = graded.collect::<anyhow::Result<_>>()?;
    Ok(baseline::write(graded))
}
