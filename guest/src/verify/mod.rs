//! The session.
use crate::contract::{Job, Response, Step};
/// One run.
pub struct Session {
    job: Job,
}
impl Session {
    /// A run of `job`.
    pub fn new(job: Job) -> Self {
        Self { job }
    }
    /// One step.
    pub fn step(&mut self, _answers: Vec<Response>) -> Step {
        unimplemented!("{:?}", self.job.now)
    }
}
