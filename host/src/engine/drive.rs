//! Driving a session: answer what the core asks for, keep what it allows to be kept, until it is done.
//!
//! No decision is made here. A request goes to the store or to the network by its kind; a failure is handed on as it
//! is.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::{EngineError, Session};
use crate::cache::Store;
use crate::contract::{Evidence, Failure, Item, Kept, Next, Outcome, Progress, Recall, Refusal, Request, Response};
use crate::fetch::Fetcher;

/// Where a run's progress goes.
pub trait Watch {
    /// What the core says after each step.
    fn step(&self, progress: &Progress);
    /// How many of the answers to one step are there.
    fn answered(&self, done: usize, of: usize);
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// With a report.
    Done(Outcome),
    /// The job made no sense.
    Refused(Refusal),
}

/// What a run left behind.
#[derive(Debug)]
pub struct Run {
    /// How it ended.
    pub end: End,
    /// Evidence of misbehaviour.
    pub evidence: Vec<Evidence>,
    /// The files that hold it, as far as it could be kept.
    pub evidence_files: Vec<PathBuf>,
    /// How many times the core asked.
    pub needs: usize,
    /// How many of its requests were for the checksum database, caches of it included.
    pub fetches: usize,
}

/// Drives `session` to its end.
///
/// # Errors
///
/// Those of [`Session::step`]. What was kept until then stays kept.
pub async fn drive(
    mut session: Session,
    fetcher: &Fetcher,
    store: &mut Store,
    watch: &impl Watch,
) -> Result<Run, EngineError> {
    let mut answers = Vec::new();
    let mut evidence = Vec::new();
    let mut evidence_files = Vec::new();
    let mut needs = 0;
    let mut fetches = 0;
    loop {
        let step = session.step(std::mem::take(&mut answers));
        let step = step.inspect_err(|_| store.flush())?;
        watch.step(&step.progress);
        evidence.extend(step.keep.iter().filter_map(|kept| match kept {
            Kept::Evidence(evidence) => Some(evidence.clone()),
            Kept::Item(_) => None,
        }));
        evidence_files.extend(store.keep(step.keep));
        let end = match step.next {
            Next::Need(requests) => {
                needs += 1;
                fetches += requests.iter().filter(|request| matches!(request, Request::Sumdb(_))).count();
                answers = answer(requests, fetcher, store, watch).await;
                continue;
            }
            Next::Done(outcome) => End::Done(outcome),
            Next::Refused(refusal) => End::Refused(refusal),
        };
        store.flush();
        return Ok(Run { end, evidence, evidence_files, needs, fetches });
    }
}

/// Answers all of `requests`, in order: the store's one after the other, the network's all at once.
async fn answer(requests: Vec<Request>, fetcher: &Fetcher, store: &mut Store, watch: &impl Watch) -> Vec<Response> {
    let mut answers: Vec<Response> = vec![Err(Failure::Unreachable); requests.len()];
    let mut fetches = FuturesUnordered::new();
    for (position, request) in requests.iter().enumerate() {
        match request {
            Request::Recall(Recall { database, item: Item::GoLatest, max_bytes }) => {
                answers[position] = fetcher.go_latest(database, *max_bytes);
            }
            Request::Recall(recall) => answers[position] = store.recall(recall),
            Request::Advance(advance) => answers[position] = store.advance(advance),
            Request::Sumdb(get) => fetches.push(async move { (position, fetcher.sumdb(get).await) }),
        }
    }
    let all = fetches.len();
    let mut done = 0;
    while let Some((position, answer)) = fetches.next().await {
        answers[position] = answer;
        done += 1;
        watch.answered(done, all);
    }
    answers
}
