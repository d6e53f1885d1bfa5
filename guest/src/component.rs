//! The exports of the component: the session, behind the contract's resource.

use std::cell::RefCell;

use crate::contract::generated::exports::modanchor::verifier::verify::{Guest, GuestVerification};
use crate::contract::{Job, Response, Step};
use crate::verify::Session;

struct Component;

/// The resource `verification`: one run.
struct Verification(RefCell<Session>);

impl Guest for Component {
    type Verification = Verification;
}

impl GuestVerification for Verification {
    fn new(job: Job) -> Self {
        Self(RefCell::new(Session::new(job)))
    }

    fn step(&self, answers: Vec<Response>) -> Step {
        self.0.borrow_mut().step(answers)
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, unreachable_pub)]
mod export {
    use super::Component;
    crate::contract::generated::export!(Component with_types_in crate::contract::generated);
}
