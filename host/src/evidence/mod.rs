//! Evidence: a recorded run, and judging again from it.
//!
//! A run is a function of its job and of the answers that the core got, so a file with both lets anybody judge again. What
//! such a file can and cannot say:
//!
//! - Replaying trusts the file for nothing. The embedded component judges, as it did at first: a log's signature that is in an
//!   answer is verified again, a proof is computed again. Who changes an answer changes what the core asks or concludes, and
//!   [`replay`] compares both with what was recorded.
//! - Who makes a whole file up can make up whatever nobody signs: the inputs, the time, hashes that the recorder measured,
//!   answers that say "there is no such thing", and the anchors that the rest is verified by. [`claims`] lists those, so that
//!   whoever reads a replay can compare the first with their own, and knows about the others.
//! - The digest in the file's head finds accidents, not forgers: for those there is a signature over the file.
//!
//! | file | what it holds |
//! |---|---|
//! | [`json`] | the contract's values as JSON |
//! | [`mod@file`] | the file: docs/evidence.md |
//! | [`replay`] | judging again |
//! | [`claims`] | what a file proves, and what it only says |
//! | [`minimize`] | a smaller file with the same findings |
//! | [`diff`] | what differs between two |

pub mod claims;
pub mod diff;
pub mod file;
pub mod json;
pub mod minimize;
pub mod replay;
#[cfg(test)]
mod tests;

use crate::contract::{Job, Outcome, Request, Response};

/// A question of the core, and what it was answered.
#[derive(Debug, Clone, PartialEq, contract_json::ContractJson)]
pub struct Exchanged {
    /// The question.
    #[component(name = "request")]
    pub request: Request,
    /// The answer.
    #[component(name = "response")]
    pub response: Response,
}

/// What the core asked at one time, in its order.
pub type Round = Vec<Exchanged>;

/// A run that ended in a verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What was to be judged, and by whose word.
    pub job: Job,
    /// Every question and answer.
    pub exchange: Vec<Round>,
    /// The verdict, and the report.
    pub outcome: Outcome,
}

impl Evidence {
    /// Every question and answer, one after the other.
    pub fn exchanged(&self) -> impl Iterator<Item = &Exchanged> {
        self.exchange.iter().flatten()
    }
}
