//! Linting: settings that disarm Go's own checks, as findings of a report.
//!
//! No task of a [`Session`](super::Session): it asks for nothing, and the component does without it (docs/adr/0010). A
//! host calls it natively. Nothing here does I/O all the same, and the report is made by the same code as any other.

use sha2::{Digest as _, Sha256};

use super::findings::{Draft, Findings};
use super::settings::Settings;
use super::{Parts, finish};
use crate::contract::{
    Bytes, FailOn, FixedFile, Ignore, Instant, Job, Outcome, Presence, Refusal, Repositories, SigstoreSettings,
    SkipPatterns, Sumdb, Task, Tool, Zips,
};
use crate::lint::{self, Problem, Setting, SettingsFile};
use crate::report::{Counts, FileSummary, ModuleSummary};

/// What is searched for settings that disarm Go's own checks, and what the run depends on besides.
#[derive(Debug, Clone)]
pub struct LintJob<'a> {
    /// The one instant that every check of the run sees.
    pub now: Instant,
    /// Who runs it.
    pub tool: Tool,
    /// From which severity on the run fails.
    pub fail_on: FailOn,
    /// Findings that the user's own configuration ignores.
    pub ignores: Vec<Ignore>,
    /// What is set where this runs.
    pub settings: &'a [Setting],
    /// Files of the checkout, in any order.
    pub files: &'a [SettingsFile],
    /// Whether to plan the fixes that are safe. A finding that a planned fix ends is not reported.
    pub fix: bool,
}

/// Judges settings and files. Each of the outcome's `fixes` is a file with settings; its `added` says what each change
/// does, in words.
///
/// No file at all is no refusal: the settings in force are something to judge, if only by their absence.
///
/// # Errors
///
/// [`Refusal::Ignore`] for an ignore that makes no sense.
pub fn run(job: LintJob<'_>) -> Result<Outcome, Refusal> {
    let LintJob { now, tool, fail_on, ignores, settings: in_force, files, fix } = job;
    let settings = &Settings::new(Job {
        now,
        tool,
        fail_on,
        ignores,
        // The rest plays no part: no database, no modules, no bytes.
        task: Task::Lookup(Vec::new()),
        sumdb: Sumdb::Off("not asked".to_owned()),
        skip: SkipPatterns { patterns: String::new(), set_by: String::new() },
        allow_incomplete: false,
        bytes: Bytes { module_cache: Presence::Off, zips: Zips::Cache, vendor: Presence::Off },
        tuf: Repositories { all: Vec::new(), map: Vec::new(), required: false },
        sigstore: SigstoreSettings { roots: Vec::new(), places: Vec::new(), private: String::new(), rekor: false },
        policy: None,
    })?;
    let mut findings = Findings::about_settings(settings);
    let set = in_force.iter().map(|setting| (setting.name.as_str(), setting.value.as_str(), setting.place));
    for problem in lint::environment(set) {
        findings.push(draft(problem, None));
    }
    let mut files: Vec<&SettingsFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut summaries = Vec::with_capacity(files.len());
    let mut fixes = Vec::new();
    for file in files {
        let scan = lint::file(file.syntax, &file.content);
        summaries.push(FileSummary {
            path: file.path.clone(),
            kind: lint::kind(file.syntax).to_owned(),
            sha256: crate::hex::encode(&Sha256::digest(&file.content)),
            lines: scan.lines,
        });
        let fixed = if fix { lint::fix(file.syntax, &file.content, &scan.problems) } else { None };
        let problems = match fixed {
            Some(fixed) => {
                fixes.push(FixedFile { path: file.path.clone(), content: fixed.content, added: fixed.changes });
                fixed.problems
            }
            None => scan.problems,
        };
        for problem in problems {
            findings.push(draft(problem, Some(&file.path)));
        }
    }
    let modules: [ModuleSummary<'_>; 0] = [];
    let mut outcome =
        finish(settings, Parts { files: summaries, ..Parts::default() }, modules, Counts::default(), findings);
    outcome.fixes = fixes;
    Ok(outcome)
}

fn draft(problem: Problem, file: Option<&str>) -> Draft {
    let draft = Draft::new(problem.rule, problem.message, problem.help)
        .severity(problem.severity)
        .kind(problem.name)
        .found(problem.found)
        .expected(problem.expected)
        .by(problem.by);
    match (file, problem.at) {
        (Some(file), Some(span)) => draft.at(file, span),
        (Some(file), None) => draft.file(file),
        (None, _) => draft,
    }
}
