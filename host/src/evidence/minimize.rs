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
    let smaller = run.fewer_lines(run.fewer_files(checkout.clone()));
    // Without those lines, some file may have become one that is not needed.
    let smaller = run.fewer_files(smaller);
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

    /// Leaves out what of the checkout can be: each file, program and vendor folder is tried once.
    fn fewer_files(&self, mut checkout: Checkout) -> Checkout {
        self.fewer(&mut checkout, |checkout| &mut checkout.files);
        self.fewer(&mut checkout, |checkout| &mut checkout.programs);
        self.fewer(&mut checkout, |checkout| &mut checkout.bare_vendors);
        checkout
    }

    /// Leaves out lines of go.sum files: halves are tried first, then quarters, down to single lines. Of a file of n lines that
    /// all have to stay this judges 2n times.
    fn fewer_lines(&self, mut checkout: Checkout) -> Checkout {
        for at in 0..checkout.files.len() {
            if !is_sum(&checkout.files[at]) {
                continue;
            }
            let lines = checkout.files[at].content.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec);
            let mut lines: Vec<Vec<u8>> = lines.collect();
            let mut size = lines.len().div_ceil(2);
            while size > 0 {
                let mut from = 0;
                while from < lines.len() {
                    let to = (from + size).min(lines.len());
                    let mut smaller = checkout.clone();
                    smaller.files[at].content = [&lines[..from], &lines[to..]].concat().concat();
                    if self.shows(&smaller) {
                        checkout = smaller;
                        lines.drain(from..to);
                    } else {
                        from = to;
                    }
                }
                size = if size == 1 { 0 } else { size.div_ceil(2) };
            }
        }
        checkout
    }

    /// Leaves out each item of a list without which the same is shown.
    fn fewer<T: Clone>(&self, checkout: &mut Checkout, list: impl Fn(&mut Checkout) -> &mut Vec<T>) {
        let mut at = 0;
        while at < list(checkout).len() {
            let mut smaller = checkout.clone();
            list(&mut smaller).remove(at);
            if self.shows(&smaller) {
                *checkout = smaller;
            } else {
                at += 1;
            }
        }
    }
}

fn is_sum(file: &SourceFile) -> bool {
    matches!(file.kind, FileKind::GoSum | FileKind::GoWorkSum)
}
