//! Driving a session: answer what the core asks for, keep what it allows to be kept, until it is done.
//!
//! No decision is made here. A request goes to the store, to the network or to the files by its kind; a failure is
//! handed on as it is.

use std::path::PathBuf;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::hashing::{self, Hasher};
use super::{EngineError, Session};
use crate::cache::Store;
use crate::cache::tuf::{Held, Measurement};
use crate::contract::{
    Answer, AttestationPlace, AttestationsGet, Evidence, Failure, Item, Kept, MetadataGet, Next, Outcome, Progress,
    Recall, Refusal, RekorGet, Request, Response, SumdbGet, TargetGet,
};
use crate::evidence::{Exchanged, Round};
use crate::fetch::{Fetched, Fetcher};

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
    /// How many of its requests were for a checksum database, a TUF repository, attestations or Rekor, caches of the
    /// first included.
    pub fetches: usize,
}

/// Drives `session` to its end. What is asked and answered goes into `record`, if it is wanted.
///
/// # Errors
///
/// Those of [`Session::step`], and of the component where it does the hashing. What was kept until then stays kept.
pub async fn drive(
    mut session: Session,
    fetcher: &Fetcher,
    hasher: &Hasher,
    store: &mut Store,
    watch: &impl Watch,
    mut record: Option<&mut Vec<Round>>,
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
            Kept::Item(_) | Kept::TufMetadata(_) | Kept::TufTarget(_) => None,
        }));
        evidence_files.extend(store.keep(step.keep));
        let end = match step.next {
            Next::Need(requests) => {
                needs += 1;
                fetches += requests.iter().filter(|request| is_fetch(request)).count();
                let asked = record.is_some().then(|| requests.clone());
                let all = answer(requests, fetcher, hasher, store, watch).await;
                answers = all.inspect_err(|_| store.flush())?;
                if let (Some(rounds), Some(asked)) = (&mut record, asked) {
                    let exchanged = asked.into_iter().zip(answers.iter().cloned());
                    rounds.push(exchanged.map(|(request, response)| Exchanged { request, response }).collect());
                }
                continue;
            }
            Next::Done(outcome) => End::Done(outcome),
            Next::Refused(refusal) => End::Refused(refusal),
        };
        store.flush();
        return Ok(Run { end, evidence, evidence_files, needs, fetches });
    }
}

/// Whether a request may take the network.
fn is_fetch(request: &Request) -> bool {
    match request {
        Request::Sumdb(_) | Request::TufMetadata(_) | Request::TufContent(_) | Request::Rekor(_) => true,
        Request::TufTarget(get) => !get.held,
        Request::Attestations(get) => get.place != AttestationPlace::ModuleCache,
        _ => false,
    }
}

/// What is fetched while other requests are answered.
enum Fetch {
    Sumdb(SumdbGet),
    Metadata(MetadataGet),
    Content(TargetGet),
    Attestations(AttestationsGet),
    Rekor(RekorGet),
    /// And where it is kept.
    Target(TargetGet, Option<PathBuf>),
    /// A target, and the file that it has already.
    Here(TargetGet, PathBuf),
}

impl Fetch {
    /// The answer, and the target that it is about.
    async fn run(self, fetcher: &Fetcher) -> (Response, Option<Held>) {
        match self {
            Self::Sumdb(get) => (fetcher.sumdb(&get).await.map(Answer::Body), None),
            Self::Metadata(get) => (fetcher.tuf_metadata(&get).await.map(Answer::Body), None),
            Self::Content(get) => (fetcher.tuf_content(&get).await.map(Answer::Body), None),
            Self::Attestations(get) => (fetcher.attestations(&get).await.map(Answer::Body), None),
            Self::Rekor(get) => (fetcher.rekor(&get).await.map(Answer::Body), None),
            Self::Target(get, folder) => match fetcher.tuf_target(&get, folder.as_deref()).await {
                Ok(Fetched { file, kept }) => {
                    let held = kept.map(|kept| Held { get, file: file.clone(), at: Measurement::Waiting(kept) });
                    (Ok(Answer::TargetFile(file)), held)
                }
                Err(failure) => (Err(failure), None),
            },
            Self::Here(get, path) => match fetcher.tuf_held(&path, get.max_bytes).await {
                Ok(file) => {
                    let held = Held { get, file: file.clone(), at: Measurement::Here(path) };
                    (Ok(Answer::TargetFile(file)), Some(held))
                }
                Err(failure) => (Err(failure), None),
            },
        }
    }
}

/// Answers all of `requests`, in order: the store's one after the other, the network's all at once, and meanwhile the
/// files' on all processors, the largest first.
pub(super) async fn answer(
    requests: Vec<Request>,
    fetcher: &Fetcher,
    hasher: &Hasher,
    store: &mut Store,
    watch: &impl Watch,
) -> Result<Vec<Response>, EngineError> {
    let mut answers: Vec<Response> = vec![Err(Failure::Unreachable); requests.len()];
    let mut fetches = Vec::new();
    let mut files = Vec::new();
    for (position, request) in requests.into_iter().enumerate() {
        match request {
            Request::Recall(Recall { database, item: Item::GoLatest, max_bytes }) => {
                answers[position] = fetcher.go_latest(&database, max_bytes).map(Answer::Body);
            }
            Request::Recall(recall) => answers[position] = store.recall(&recall).map(Answer::Body),
            Request::Advance(advance) => answers[position] = store.advance(&advance).map(Answer::Body),
            Request::TufRecall(recall) => answers[position] = store.recall_metadata(&recall).map(Answer::Body),
            Request::Sumdb(get) => fetches.push((position, Fetch::Sumdb(get))),
            Request::TufMetadata(get) => fetches.push((position, Fetch::Metadata(get))),
            Request::TufContent(get) => fetches.push((position, Fetch::Content(get))),
            Request::Rekor(get) => fetches.push((position, Fetch::Rekor(get))),
            Request::Attestations(get) if get.place != AttestationPlace::ModuleCache => {
                fetches.push((position, Fetch::Attestations(get)));
            }
            Request::TufTarget(get) if get.held => match store.held_target(&get) {
                Ok(path) => fetches.push((position, Fetch::Here(get, path))),
                Err(failure) => answers[position] = Err(failure),
            },
            Request::TufTarget(get) => {
                let folder = store.targets_folder(&get.repository);
                fetches.push((position, Fetch::Target(get, folder)));
            }
            Request::Measure(measure) => files.push((hasher.weight(&measure), position, Request::Measure(measure))),
            // Small, and what comes next may wait for it.
            request => files.push((u64::MAX, position, request)),
        }
    }
    files.sort_by_key(|(weight, position, _)| (std::cmp::Reverse(*weight), *position));
    // They stand in line for a processor in the order in which they are polled at first, which is this one.
    let mut measures: FuturesUnordered<_> = files
        .into_iter()
        .map(|(_, position, request)| async move { (position, hasher.answer(request, fetcher).await) })
        .collect();
    // So do these: they go out in the order in which they were asked for.
    let mut fetches: FuturesUnordered<_> =
        fetches.into_iter().map(|(position, fetch)| async move { (position, fetch.run(fetcher).await) }).collect();
    let all = fetches.len() + measures.len();
    let mut done = 0;
    while done < all {
        tokio::select! {
            Some((position, (answer, held))) = fetches.next() => {
                answers[position] = answer;
                held.into_iter().for_each(|held| store.hold(held));
            }
            Some((position, answer)) = measures.next() => answers[position] = hashing::respond(answer, fetcher)?,
        }
        done += 1;
        watch.answered(done, all);
    }
    Ok(answers)
}
