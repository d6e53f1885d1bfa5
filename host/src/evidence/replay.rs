//! Judging again from evidence, with no other answers than those in it.

use std::collections::BTreeMap;

use super::json::{cut, text};
use super::{Evidence, Exchanged, Round};
use crate::contract::{Answer, Failure, Holding, Job, Next, Outcome, Refusal, Request, Response};
use crate::engine::{Engine, EngineError};

/// Why a verdict could not be had again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Another component than the one that recorded, and nobody said that it may go on.
    #[error("recorded by the component {recorded}, and this program has {own}; --other-component judges with this one")]
    OtherComponent {
        /// The one that recorded.
        recorded: String,
        /// Ours.
        own: String,
    },
    /// The component asks for something else than it did: the job or an earlier answer was changed.
    #[error("the component asks, in round {round}, for something else than was recorded: the evidence was changed")]
    Asks {
        /// From 1.
        round: usize,
    },
    /// Another component asks for something that was never asked.
    #[error("nothing in the evidence answers what the component asks in round {round}: {request}")]
    Unanswered {
        /// From 1.
        round: usize,
        /// The request, as JSON.
        request: String,
    },
    /// There are rounds that the component does not ask for.
    #[error("the evidence answers what was never asked: the component is done after {asked} rounds of {recorded}")]
    Surplus {
        /// What was asked.
        asked: usize,
        /// What is there.
        recorded: usize,
    },
    /// Another verdict or report.
    #[error("the component comes to another outcome than was recorded: the evidence was changed ({what})")]
    Outcome {
        /// What of it differs.
        what: &'static str,
    },
    /// The job makes no sense to the component.
    #[error("the component refuses the job: {0:?}")]
    Refused(Refusal),
    /// The component could not be run to its end.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Judges again, with the component that recorded, and comes to the recorded outcome, byte for byte. `own` is the digest of the program's component, `sha256:HEX`.
///
/// # Errors
///
/// See [`ReplayError`].
pub fn replay(engine: &Engine, evidence: &Evidence, own: &str) -> Result<(), ReplayError> {
    let recorded = &evidence.job.tool.component;
    if recorded != own {
        return Err(ReplayError::OtherComponent { recorded: cut(recorded), own: own.to_owned() });
    }
    let mut rounds = evidence.exchange.iter();
    let outcome = judge(engine, &evidence.job, |round, requests| {
        let recorded = rounds.next().ok_or(ReplayError::Asks { round })?;
        if !recorded.iter().map(|exchanged| &exchanged.request).eq(requests) {
            return Err(ReplayError::Asks { round });
        }
        Ok(recorded.iter().map(|exchanged| exchanged.response.clone()).collect())
    })?;
    let left = rounds.len();
    if left > 0 {
        let recorded = evidence.exchange.len();
        return Err(ReplayError::Surplus { asked: recorded - left, recorded });
    }
    match difference(&outcome, &evidence.outcome) {
        Some(what) => Err(ReplayError::Outcome { what }),
        None => Ok(()),
    }
}

/// Judges again with another component: what it asks is looked up among all that was answered, and the report names it. Gives
/// evidence of that run.
///
/// # Errors
///
/// See [`ReplayError`].
pub fn replay_with_other(engine: &Engine, evidence: &Evidence, own: &str) -> Result<Evidence, ReplayError> {
    let mut job = evidence.job.clone();
    own.clone_into(&mut job.tool.component);
    let (outcome, exchange) = Answers::of(evidence).judge(engine, &job)?;
    Ok(Evidence { job, exchange, outcome })
}

/// All answers, by what they answer.
pub(super) struct Answers<'a> {
    by_request: BTreeMap<String, Vec<&'a Response>>,
    /// What the module cache has, by module version: another job asks for more or fewer of them at once.
    held: BTreeMap<String, Held>,
}

/// What was answered about one module version in a `held`.
type Held = Result<Holding, Failure>;

impl<'a> Answers<'a> {
    pub(super) fn of(evidence: &'a Evidence) -> Self {
        let mut answers = Self { by_request: BTreeMap::new(), held: BTreeMap::new() };
        for Exchanged { request, response } in evidence.exchanged() {
            if let Request::Held(modules) = request {
                for (position, module) in modules.iter().enumerate() {
                    let held = match response {
                        Ok(Answer::Holdings(all)) => all.get(position).copied().map(Ok),
                        Ok(_) => None,
                        Err(failure) => Some(Err(*failure)),
                    };
                    if let Some(held) = held {
                        answers.held.entry(text(module)).or_insert(held);
                    }
                }
            }
            answers.by_request.entry(text(request)).or_default().push(response);
        }
        answers
    }

    /// Judges `job` with these answers. Gives the questions and answers too.
    pub(super) fn judge(&self, engine: &Engine, job: &Job) -> Result<(Outcome, Vec<Round>), ReplayError> {
        let mut exchange = Vec::new();
        let mut asked = BTreeMap::new();
        let outcome = judge(engine, job, |round, requests| {
            let mut answer = |request: &Request| {
                let request_text = text(request);
                // A question that is asked again was answered again, maybe otherwise; then the last answer stands.
                let times: &mut usize = asked.entry(request_text.clone()).or_default();
                let answer = self.answer(request, &request_text, *times);
                *times += 1;
                answer.ok_or_else(|| ReplayError::Unanswered { round, request: cut(&request_text) })
            };
            let answers: Vec<Response> = requests.iter().map(&mut answer).collect::<Result<_, _>>()?;
            let exchanged = requests.iter().zip(&answers);
            let exchanged =
                exchanged.map(|(request, response)| Exchanged { request: request.clone(), response: response.clone() });
            exchange.push(exchanged.collect());
            Ok(answers)
        })?;
        Ok((outcome, exchange))
    }

    fn answer(&self, request: &Request, request_text: &str, times: usize) -> Option<Response> {
        if let Some(responses) = self.by_request.get(request_text) {
            return responses.get(times).or(responses.last()).map(|response| (*response).clone());
        }
        let Request::Held(modules) = request else { return None };
        let held: Option<Vec<Held>> = modules.iter().map(|module| self.held.get(&text(module)).copied()).collect();
        Some(held?.into_iter().collect::<Result<_, _>>().map(Answer::Holdings))
    }
}

/// Steps a session to its end.
fn judge(
    engine: &Engine,
    job: &Job,
    mut answer: impl FnMut(usize, &[Request]) -> Result<Vec<Response>, ReplayError>,
) -> Result<Outcome, ReplayError> {
    let mut session = engine.start(job)?;
    let mut answers = Vec::new();
    for round in 1.. {
        match session.step(answers)?.next {
            Next::Need(requests) => answers = answer(round, &requests)?,
            Next::Done(outcome) => return Ok(outcome),
            Next::Refused(refusal) => return Err(ReplayError::Refused(refusal)),
        }
    }
    unreachable!("every round is answered or ends the loop")
}

/// What of two outcomes differs.
#[must_use]
pub fn difference(one: &Outcome, other: &Outcome) -> Option<&'static str> {
    if one.report != other.report {
        Some("the report")
    } else if one.verdict != other.verdict || one.status != other.status {
        Some("the verdict")
    } else if one.lines != other.lines || one.fixes != other.fixes {
        Some("lines of go.sum")
    } else {
        None
    }
}
