//! The task `lint`: settings that disarm Go's own checks, as findings of a report. Asks for nothing.

use sha2::{Digest as _, Sha256};

use super::findings::{Draft, Findings};
use super::{Parts, finish};
use super::settings::Settings;
use crate::contract::{FixedFile, Lint, Outcome, Refusal};
use crate::lint::{self, Problem};
use crate::report::{Counts, FileSummary, ModuleSummary};

/// Judges settings and files.
///
/// No file at all is no refusal: the settings in force are something to judge, if only by their absence.
pub(super) fn run(settings: &Settings, job: Lint) -> Result<Outcome, Refusal> {
    let Lint { settings: in_force, mut files, fix } = job;
    let mut findings = Findings::about_settings(settings);
    let set = in_force.iter().map(|setting| (setting.name.as_str(), setting.value.as_str(), setting.place));
    for problem in lint::environment(set) {
        findings.push(draft(problem, None));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut summaries = Vec::with_capacity(files.len());
    let mut fixes = Vec::new();
    for file in &files {
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
    let mut outcome = finish(settings, Parts { files: summaries, ..Parts::default() }, modules, Counts::default(), findings);
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
