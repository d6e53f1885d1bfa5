//! Asking: turns pending futures into a list of requests, and the answers back into ready futures.
//!
//! The session is ordinary `async` code. Whatever it awaits comes from [`Exchange`]; when it can get no further,
//! the requests that were asked since are the step's `need`, and the next step delivers their answers in the same
//! order. There is no other executor and no other source of wake-ups, so a run is a function of its job and answers.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::contract::{
    Answer, Body, Failure, Holding, Kept, Measure, Measurement, ModuleRef, Phase, Progress, Request, Response,
    TargetFile, TargetGet,
};

/// The core's side of the contract: a cheap handle that every part of a session shares.
#[derive(Clone)]
pub(crate) struct Exchange(Rc<RefCell<Board>>);

struct Board {
    /// Asked, and not yet handed to the host.
    queued: Vec<(Request, Slot)>,
    /// Handed to the host, in the order in which the answers will come.
    pending: Vec<Slot>,
    keep: Vec<Kept>,
    progress: Progress,
}

/// Where one answer goes.
struct Slot {
    batch: Rc<RefCell<Batch>>,
    index: usize,
    kind: Kind,
}

/// What a request must be answered with, unless it fails.
#[derive(Clone, Copy)]
enum Kind {
    Body,
    Measurement,
    /// So many.
    Holdings(usize),
    TargetFile,
}

impl Kind {
    fn of(request: &Request) -> Self {
        match request {
            Request::Measure(_) => Self::Measurement,
            Request::Held(modules) => Self::Holdings(modules.len()),
            Request::TufTarget(_) => Self::TargetFile,
            _ => Self::Body,
        }
    }

    fn fits(self, response: &Response) -> bool {
        match (self, response) {
            (_, Err(_)) | (Self::Body, Ok(Answer::Body(_))) | (Self::Measurement, Ok(Answer::Measurement(_))) => true,
            (Self::TargetFile, Ok(Answer::TargetFile(file))) => file.sha256.len() == 32 && file.sha512.len() == 64,
            (Self::Holdings(count), Ok(Answer::Holdings(holdings))) => holdings.len() == count,
            _ => false,
        }
    }
}

struct Batch {
    answers: Vec<Option<Response>>,
    missing: usize,
    waker: Option<Waker>,
}

/// The answers to one batch of requests, in their order.
struct Answers(Rc<RefCell<Batch>>);

impl Future for Answers {
    type Output = Vec<Response>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut batch = self.0.borrow_mut();
        if batch.missing > 0 {
            batch.waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(batch.answers.drain(..).flatten().collect())
    }
}

impl Exchange {
    /// A session's own, at its beginning.
    pub(crate) fn new() -> Self {
        Self(Rc::new(RefCell::new(Board {
            queued: Vec::new(),
            pending: Vec::new(),
            keep: Vec::new(),
            progress: Progress { phase: Phase::Recalling, settled: 0, total: 0 },
        })))
    }

    /// Asks for all of `requests` at once; none of them is answered with anything but bytes.
    pub(crate) fn ask(&self, requests: Vec<Request>) -> impl Future<Output = Vec<Result<Body, Failure>>> + use<> {
        self.get(requests, |answer| match answer {
            Answer::Body(body) => Some(body),
            _ => None,
        })
    }

    /// Has all of `subjects` measured.
    pub(crate) fn measure(
        &self,
        subjects: Vec<Measure>,
    ) -> impl Future<Output = Vec<Result<Measurement, Failure>>> + use<> {
        self.get(subjects.into_iter().map(Request::Measure).collect(), |answer| match answer {
            Answer::Measurement(measurement) => Some(measurement),
            _ => None,
        })
    }

    /// Asks what the module cache has of `modules`.
    pub(crate) async fn held(&self, modules: Vec<ModuleRef>) -> Result<Vec<Holding>, Failure> {
        let answers = self.get(vec![Request::Held(modules)], |answer| match answer {
            Answer::Holdings(holdings) => Some(holdings),
            _ => None,
        });
        answers.await.pop().unwrap_or(Err(Failure::NotData))
    }

    /// Has a target of a TUF repository measured.
    pub(crate) async fn target(&self, target: TargetGet) -> Result<TargetFile, Failure> {
        let answers = self.get(vec![Request::TufTarget(target)], |answer| match answer {
            Answer::TargetFile(file) => Some(file),
            _ => None,
        });
        answers.await.pop().unwrap_or(Err(Failure::NotData))
    }

    /// Asks at once, not when it is first polled. [`Self::misfit`] has made sure that every answer is of its kind.
    fn get<T>(
        &self,
        requests: Vec<Request>,
        kind: fn(Answer) -> Option<T>,
    ) -> impl Future<Output = Vec<Result<T, Failure>>> + use<T> {
        let answers = self.queue(requests);
        async move {
            let typed = |answer: Response| answer.and_then(|answer| kind(answer).ok_or(Failure::NotData));
            answers.await.into_iter().map(typed).collect()
        }
    }

    fn queue(&self, requests: Vec<Request>) -> Answers {
        let batch =
            Rc::new(RefCell::new(Batch { answers: vec![None; requests.len()], missing: requests.len(), waker: None }));
        let slots = requests.into_iter().enumerate().map(|(index, request)| {
            let kind = Kind::of(&request);
            (request, Slot { batch: batch.clone(), index, kind })
        });
        self.0.borrow_mut().queued.extend(slots);
        Answers(batch)
    }

    /// Allows the host to keep something, with the next step.
    pub(crate) fn keep(&self, kept: Kept) {
        self.0.borrow_mut().keep.push(kept);
    }

    /// Says what the run is doing.
    pub(crate) fn set_phase(&self, phase: Phase) {
        self.0.borrow_mut().progress.phase = phase;
    }

    /// Says how much is settled.
    pub(crate) fn set_settled(&self, settled: usize, total: usize) {
        let progress = &mut self.0.borrow_mut().progress;
        progress.settled = settled as u64;
        progress.total = total as u64;
    }

    /// Takes what the host is to answer next.
    pub(crate) fn take_need(&self) -> Vec<Request> {
        let mut board = self.0.borrow_mut();
        let (requests, slots) = std::mem::take(&mut board.queued).into_iter().unzip();
        board.pending = slots;
        requests
    }

    /// Takes what may be kept since the last step.
    pub(crate) fn take_keep(&self) -> Vec<Kept> {
        std::mem::take(&mut self.0.borrow_mut().keep)
    }

    /// How far the run is.
    pub(crate) fn progress(&self) -> Progress {
        self.0.borrow().progress
    }

    /// How many answers the host owes.
    pub(crate) fn owed(&self) -> usize {
        self.0.borrow().pending.len()
    }

    /// The first of `answers` that does not answer its request, whatever it says.
    pub(crate) fn misfit(&self, answers: &[Response]) -> Option<usize> {
        let board = self.0.borrow();
        board.pending.iter().zip(answers).position(|(slot, answer)| !slot.kind.fits(answer))
    }

    /// Delivers the answers to the last [`Self::take_need`]; there are as many as were owed.
    pub(crate) fn deliver(&self, answers: Vec<Response>) {
        let slots = std::mem::take(&mut self.0.borrow_mut().pending);
        for (slot, answer) in slots.into_iter().zip(answers) {
            let mut batch = slot.batch.borrow_mut();
            batch.answers[slot.index] = Some(answer);
            batch.missing -= 1;
            if batch.missing == 0
                && let Some(waker) = batch.waker.take()
            {
                waker.wake();
            }
        }
    }
}
