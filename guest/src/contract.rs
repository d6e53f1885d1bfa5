//! The types of the contract, generated from `wit/`, and the component's exports.
//!
//! The generated code is the only place of the core where `unsafe` is allowed: it moves values across the component
//! boundary. Natively the same types are plain Rust, and [`Verification`] can be driven without a component.

use std::cell::RefCell;

use crate::verify::Session;

#[allow(
    unsafe_code,
    missing_docs,
    unreachable_pub,
    clippy::all,
    rust_2018_idioms
)]
mod generated {
    wit_bindgen::generate!({
        world: "verifier",
        path: "../wit",
        additional_derives: [Clone, PartialEq, Eq],
        pub_export_macro: true,
        default_bindings_module: "crate::contract::generated",
    });
}

pub use generated::exports::modanchor::verifier::verify::{
    Next, Outcome, Phase, Progress, Refusal, Step, Verdict,
};
pub use generated::modanchor::verifier::exchange::{
    Advance, Body, Evidence, Item, Kept, KeptItem, Recall, Request, Response, Source, SumdbGet,
};
pub use generated::modanchor::verifier::job::{
    Database, FailOn, FileKind, Ignore, Job, SkipPatterns, SourceFile, Sumdb, Task, Tool,
};
pub use generated::modanchor::verifier::types::{Failure, Instant, Origin};

/// The resource `verification`: one run, driven by [`Session`].
pub struct Verification(RefCell<Session>);

struct Component;

impl generated::exports::modanchor::verifier::verify::Guest for Component {
    type Verification = Verification;
}

impl generated::exports::modanchor::verifier::verify::GuestVerification for Verification {
    fn new(job: Job) -> Self {
        Self(RefCell::new(Session::new(job)))
    }

    fn step(&self, answers: Vec<Response>) -> Step {
        self.0.borrow_mut().step(answers)
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code)]
mod export {
    use super::Component;
    super::generated::export!(Component with_types_in super::generated);
}
