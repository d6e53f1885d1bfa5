//! The session: one job, stepped to its report.
//!
//! [`Session`] is what the component exports as `verification`. Inside, a run is one `async` function over an
//! `exchange::Exchange`; [`Session::step`] polls it until it either ends or waits for answers.
//!
//! Security argument: the session believes nothing that the host answers. Lines are compared with record texts that
//! only `sumdb::client` can authenticate; everything else that can happen to a line is one of *skipped* (by a
//! setting of the user's, never of the checkout's), *unknown* (the database says it has no record) and *unchecked*.
//! None of them is `verified`, and a run with one of the last two does not pass.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use serde::Serialize;

use crate::contract::{Job, Next, Outcome, Refusal, Response, Step, Task};
use crate::module::ModuleError;
use crate::report::{
    ArtifactSummary, Counts, FileSummary, Report, RepositorySummary, SCHEMA, SumdbSummary, TrustedRootSummary,
};
use crate::sumdb::client::Client;
use crate::sumdb::tlog::AuthenticHead;

mod approvals;
mod asking;
mod blob;
mod bytes;
mod files;
mod findings;
mod fix;
pub mod lint;
mod lookup;
mod lump;
mod programs;
mod roots;
mod settings;
mod signatures;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod tuf;
mod vendored;

use crate::exchange::Exchange;
use files::Mode;
use findings::Findings;
use settings::Settings;

/// One run.
pub struct Session {
    exchange: Exchange,
    /// None after the end.
    run: Option<Run>,
}

type Run = Pin<Box<dyn Future<Output = Result<Outcome, Refusal>>>>;

impl Session {
    /// A run of `job`. Nothing happens before the first [`Self::step`].
    pub fn new(job: Job) -> Self {
        let exchange = Exchange::new();
        let run: Run = Box::pin(run(job, exchange.clone()));
        Self { exchange, run: Some(run) }
    }

    /// Delivers the answers to the last `need`, in its order, and runs on until the next one, or the end.
    ///
    /// A wrong number of answers, or a step after the end, is `refused` with `protocol` and ends the run.
    pub fn step(&mut self, answers: Vec<Response>) -> Step {
        let owed = self.exchange.owed();
        let Some(mut run) = self.run.take() else {
            return self.refuse("a step after the end of the run".into());
        };
        if answers.len() != owed {
            return self.refuse(format!("{} answers to {owed} requests", answers.len()));
        }
        if let Some(position) = self.exchange.misfit(&answers) {
            return self.refuse(format!("answer {position} is not what its request asked for"));
        }
        self.exchange.deliver(answers);

        let next = match run.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(outcome)) => Next::Done(outcome),
            Poll::Ready(Err(refusal)) => Next::Refused(refusal),
            Poll::Pending => {
                self.run = Some(run);
                Next::Need(self.exchange.take_need())
            }
        };
        Step { keep: self.exchange.take_keep(), progress: self.exchange.progress(), next }
    }

    fn refuse(&self, why: String) -> Step {
        Step { keep: Vec::new(), progress: self.exchange.progress(), next: Next::Refused(Refusal::Protocol(why)) }
    }
}

/// The whole run.
async fn run(mut job: Job, exchange: Exchange) -> Result<Outcome, Refusal> {
    let task = std::mem::replace(&mut job.task, Task::Lookup(Vec::new()));
    let settings = Settings::new(job)?;
    match task {
        Task::Verify(checkout) => files::run(&settings, checkout, Mode::Verify, exchange).await,
        Task::Explain(question) => {
            let module = question.module.parse().map_err(|error: ModuleError| Refusal::Query(error.to_string()))?;
            files::run(&settings, question.checkout, Mode::Explain(module), exchange).await
        }
        Task::Fix(checkout) => files::run(&settings, checkout, Mode::Fix, exchange).await,
        Task::VerifyBlob(task) => blob::run(&settings, task, exchange).await,
        Task::Tuf(task) => tuf::run(&settings, task, exchange).await,
        Task::Lookup(queries) => lookup::run(&settings, queries, exchange).await,
    }
}

/// What a report tells of besides modules and findings.
#[derive(Default)]
struct Parts<'a> {
    client: Option<&'a Client<'a>>,
    repositories: Vec<RepositorySummary>,
    trusted_roots: Vec<TrustedRootSummary>,
    files: Vec<FileSummary>,
    artifacts: Vec<ArtifactSummary>,
}

/// Writes the report.
fn finish(
    settings: &Settings,
    parts: Parts<'_>,
    modules: impl Serialize,
    counts: Counts,
    findings: Findings<'_>,
) -> Outcome {
    let Parts { client, repositories, trusted_roots, files, artifacts } = parts;
    let sum = findings.finish();
    let skip = &settings.skip_text;
    let sumdbs = client.zip(settings.sumdb.as_ref()).map(|(client, sumdb)| {
        let head = client.accepted().map(AuthenticHead::head);
        SumdbSummary {
            name: sumdb.name().to_owned(),
            tree_size: head.map_or(0, |head| head.size),
            root_hash: head.map(|head| head.root.to_string()).unwrap_or_default(),
            requests: client.requests(),
            skipped_by: (!skip.patterns.is_empty()).then(|| format!("{}: {}", skip.set_by, skip.patterns)),
            floor: client.floor(),
        }
    });
    let report = Report {
        schema: SCHEMA.to_owned(),
        tool: settings.tool.clone(),
        checked_at: text::instant(settings.now),
        verdict: sum.verdict,
        sumdbs: sumdbs.into_iter().collect(),
        repositories,
        trusted_roots,
        files,
        modules,
        artifacts,
        findings: sum.findings,
        counts: Counts { findings: sum.counts, ignored: sum.ignored, ..counts },
    };
    Outcome {
        verdict: findings::contract_verdict(sum.verdict),
        status: sum.status,
        // The types of a report serialise whatever is in them; a failure here would be a defect of theirs.
        report: serde_json::to_vec(&report).unwrap_or_default(),
        lines: Vec::new(),
        fixes: Vec::new(),
    }
}
