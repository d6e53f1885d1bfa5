//! What differs between two recorded runs, and whether that is why their verdicts differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use super::Evidence;
use super::claims::{Claims, Viewer};
use super::json::text;
use crate::contract::{Checkout, Instant, Task, Tool};
use crate::output::text::{count, escape};

/// The most of one kind that are listed.
const LISTED: usize = 20;

/// What of a report is compared.
#[derive(Deserialize)]
struct Report {
    verdict: String,
    findings: Vec<Finding>,
}

#[derive(Deserialize)]
struct Finding {
    rule: String,
    file: Option<String>,
    line: Option<u64>,
    message: String,
    fingerprint: String,
}

/// What differs, one line each; empty: nothing does.
///
/// # Errors
///
/// One of the reports cannot be read.
pub fn diff(one: &Evidence, other: &Evidence) -> Result<String, serde_json::Error> {
    let mut out = String::new();
    let (a, b) = (Claims::of(one, &Viewer::default()), Claims::of(other, &Viewer::default()));
    changed(&mut out, "recorded by", &a.tool_version, &b.tool_version);
    changed(&mut out, "component", &a.component, &b.component);
    changed(&mut out, "time", &a.now, &b.now);
    let anchors = |claims: &Claims| -> BTreeMap<String, String> {
        let named =
            claims.anchors.iter().map(|anchor| (format!("{:?} {}", anchor.kind, anchor.name), anchor.value.clone()));
        named.collect()
    };
    maps(&mut out, "anchor", &anchors(&a), &anchors(&b));
    let inputs = |claims: &Claims| -> BTreeMap<String, String> {
        claims.inputs.iter().map(|input| (input.path.clone(), input.sha256.clone())).collect()
    };
    maps(&mut out, "input", &inputs(&a), &inputs(&b));
    if settings(one) != settings(other) {
        out.push_str("settings: they differ, or by whose word they are\n");
    }
    answers(&mut out, one, other);
    let (a, b): (Report, Report) =
        (serde_json::from_slice(&one.outcome.report)?, serde_json::from_slice(&other.outcome.report)?);
    findings(&mut out, "no longer found", &a, &b);
    findings(&mut out, "newly found", &b, &a);
    changed(&mut out, "verdict", &a.verdict, &b.verdict);
    changed(&mut out, "status", &one.outcome.status.to_string(), &other.outcome.status.to_string());
    Ok(out)
}

/// All of a job but what is compared apart from it.
fn settings(evidence: &Evidence) -> String {
    let mut job = evidence.job.clone();
    job.now = Instant { seconds: 0, nanoseconds: 0 };
    job.tool = Tool { version: String::new(), component: String::new() };
    match &mut job.task {
        Task::Verify(checkout) | Task::Fix(checkout) => without_contents(checkout),
        Task::Explain(question) => without_contents(&mut question.checkout),
        Task::Lookup(_) | Task::Tuf(_) | Task::VerifyBlob(_) => {}
    }
    let of_roots = job.sigstore.roots.iter_mut().filter_map(|root| root.repository.as_mut());
    for repository in job.tuf.all.iter_mut().chain(of_roots) {
        repository.trusted_root.clear();
    }
    for root in &mut job.sigstore.roots {
        root.content.clear();
    }
    text(&job)
}

fn without_contents(checkout: &mut Checkout) {
    for file in &mut checkout.files {
        file.content.clear();
    }
    for program in &mut checkout.programs {
        program.sha256.clear();
    }
}

fn changed(out: &mut String, what: &str, a: &str, b: &str) {
    if a != b {
        let _ = writeln!(out, "{what}: {} -> {}", escape(a), escape(b));
    }
}

fn maps(out: &mut String, what: &str, a: &BTreeMap<String, String>, b: &BTreeMap<String, String>) {
    let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    for name in names {
        let (a, b) = (a.get(name).map_or("-", String::as_str), b.get(name).map_or("-", String::as_str));
        changed(out, &format!("{what} {}", escape(name)), a, b);
    }
}

/// Questions that both were asked and that were answered differently, and how many only one was asked.
fn answers(out: &mut String, one: &Evidence, other: &Evidence) {
    let all = |evidence: &Evidence| -> BTreeMap<String, String> {
        let pairs = evidence.exchanged().map(|exchanged| (text(&exchanged.request), text(&exchanged.response)));
        pairs.collect()
    };
    let (a, b) = (all(one), all(other));
    let differ: Vec<&String> = a.iter().filter_map(|(q, r)| b.get(q).filter(|other| *other != r).map(|_| q)).collect();
    for request in differ.iter().take(LISTED) {
        let _ = writeln!(out, "answered differently: {}", escape(request));
    }
    if differ.len() > LISTED {
        let _ = writeln!(out, "answered differently: {} more", differ.len() - LISTED);
    }
    for (what, a, b) in [("only in the first", &a, &b), ("only in the second", &b, &a)] {
        let alone = a.keys().filter(|request| !b.contains_key(*request)).count();
        if alone > 0 {
            let _ = writeln!(out, "{what}: {}", count(alone as u64, "question"));
        }
    }
}

fn findings(out: &mut String, what: &str, of: &Report, without: &Report) {
    let known: BTreeSet<&str> = without.findings.iter().map(|finding| finding.fingerprint.as_str()).collect();
    let alone = of.findings.iter().filter(|finding| !known.contains(finding.fingerprint.as_str()));
    for finding in alone {
        let place = match (&finding.file, finding.line) {
            (Some(file), Some(line)) => format!("{file}:{line}: "),
            (Some(file), None) => format!("{file}: "),
            _ => String::new(),
        };
        let _ = writeln!(out, "{what}: {}{}: {}", escape(&place), escape(&finding.rule), escape(&finding.message));
    }
}
