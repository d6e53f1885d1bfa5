//! The smallest part of evidence that still shows the same: what to attach to an issue or to send to a log's operator.
//!
//! Files, and lines of go.sum files, are left out as long as the component, with the answers that there are, still finds what
//! it found: the same fingerprints, and none that was not there. What is left is a run of its own, with a job that is smaller
//! than the recorder's was, so it proves the findings and no longer that these were all.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Evidence;
use super::replay::{Answers, ReplayError};
use crate::contract::{Checkout, FileKind, Job, Outcome, SourceFile, Task};
use crate::engine::Engine;

/// Why nothing was made smaller.
#[derive(Debug, thiserror::Error)]
pub enum MinimizeError {
    /// It was no `verify`.
    #[error("only what `verify` recorded can be made smaller")]
    Task,
    /// Nothing was found, or nothing by that name.
    #[error("there is nothing that it should still show: {0}")]
    NoFinding(String),
    /// The component came to another end with the whole of it.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The report cannot be read.
    #[error("the report cannot be read: {0}")]
    Report(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Report {
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    rule: String,
    fingerprint: String,
}

/// What one run finds: fingerprints.
type Found = BTreeSet<String>;

/// What `outcome` finds by `rules`, all if there is none.
fn found(outcome: &Outcome, rules: &[String]) -> Result<Found, serde_json::Error> {
    let report: Report = serde_json::from_slice(&outcome.report)?;
    let wanted = |finding: &Finding| rules.is_empty() || rules.contains(&finding.rule);
    Ok(report.findings.into_iter().filter(wanted).map(|finding| finding.fingerprint).collect())
}

/// A smaller run with the same findings by `rules`, all findings if there is none. `own` is the digest of the program's component.
///
/// # Errors
///
/// See [`MinimizeError`].
pub fn minimize(engine: &Engine, evidence: &Evidence, own: &str, rules: &[String]) -> Result<Evidence, MinimizeError> {
    let Task::Verify(checkout) = &evidence.job.task else { return Err(MinimizeError::Task) };
    // That it is what it says, before anything is made of it.
    super::replay::replay(engine, evidence, own)?;
    let wanted = found(&evidence.outcome, rules)?;
    if wanted.is_empty() {
        let by = if rules.is_empty() { "no finding".to_owned() } else { format!("no finding of {}", rules.join(", ")) };
        return Err(MinimizeError::NoFinding(by));
    }
    let run = Run { engine, evidence, answers: Answers::of(evidence), rules, wanted: &wanted };
    let mut smaller = checkout.clone();
    while let Some(next) = run.smaller_files(&smaller).or_else(|| run.smaller_lines(&smaller)) {
        smaller = next;
    }
    let job = run.job(smaller);
    let (outcome, exchange) = run.answers.judge(engine, &job)?;
    Ok(Evidence { job, exchange, outcome })
}

struct Run<'a> {
    engine: &'a Engine,
    evidence: &'a Evidence,
    answers: Answers<'a>,
    rules: &'a [String],
    wanted: &'a Found,
}

impl Run<'_> {
    fn job(&self, checkout: Checkout) -> Job {
        Job { task: Task::Verify(checkout), ..self.evidence.job.clone() }
    }

    /// Whether this shows all that is wanted, and nothing else by those rules.
    fn shows(&self, checkout: &Checkout) -> bool {
        let judged = self.answers.judge(self.engine, &self.job(checkout.clone()));
        judged.is_ok_and(|(outcome, _)| found(&outcome, self.rules).is_ok_and(|found| found == *self.wanted))
    }

    /// Without one of the files, vendor folders or programs.
    fn smaller_files(&self, checkout: &Checkout) -> Option<Checkout> {
        let files = (0..checkout.files.len()).map(|at| {
            let mut smaller = checkout.clone();
            smaller.files.remove(at);
            smaller
        });
        let programs = (0..checkout.programs.len()).map(|at| {
            let mut smaller = checkout.clone();
            smaller.programs.remove(at);
            smaller
        });
        let vendors = (0..checkout.bare_vendors.len()).map(|at| {
            let mut smaller = checkout.clone();
            smaller.bare_vendors.remove(at);
            smaller
        });
        files.chain(programs).chain(vendors).find(|smaller| self.shows(smaller))
    }

    /// With fewer lines in one of the go.sum files: halves are tried first, then quarters, down to single lines.
    fn smaller_lines(&self, checkout: &Checkout) -> Option<Checkout> {
        let sums = checkout.files.iter().enumerate().filter(|(_, file)| is_sum(file));
        for (at, file) in sums {
            let lines: Vec<&[u8]> = file.content.split_inclusive(|byte| *byte == b'\n').collect();
            let mut size = lines.len().div_ceil(2);
            while size > 0 {
                let mut from = 0;
                while from < lines.len() {
                    let to = (from + size).min(lines.len());
                    let mut smaller = checkout.clone();
                    smaller.files[at].content = [&lines[..from], &lines[to..]].concat().concat();
                    if self.shows(&smaller) {
                        return Some(smaller);
                    }
                    from = to;
                }
                size = if size == 1 { 0 } else { size.div_ceil(2) };
            }
        }
        None
    }
}

fn is_sum(file: &SourceFile) -> bool {
    matches!(file.kind, FileKind::GoSum | FileKind::GoWorkSum)
}
