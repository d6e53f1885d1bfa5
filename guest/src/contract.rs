//! The types of the contract, generated from `wit/`.
//!
//! The generated code is the only place of the core where `unsafe` is allowed: it moves values across the component
//! boundary. Natively the same types are plain Rust, and a [`Session`](crate::verify::Session) can be driven without a
//! component.

#[allow(unsafe_code, missing_docs, unreachable_pub, clippy::all, rust_2018_idioms)]
pub(crate) mod generated {
    wit_bindgen::generate!({
        world: "verifier",
        path: "../wit",
        additional_derives: [Clone, PartialEq, Eq],
        pub_export_macro: true,
        default_bindings_module: "crate::contract::generated",
    });
}

pub use generated::exports::modanchor::verifier::exchange::{
    Advance, Body, Evidence, Item, Kept, KeptItem, Recall, Request, Response, Source, SumdbGet,
};
pub use generated::exports::modanchor::verifier::job::{
    Database, FailOn, FileKind, Ignore, Job, SkipPatterns, SourceFile, Sumdb, Task, Tool,
};
pub use generated::exports::modanchor::verifier::types::{Failure, Instant, Origin};
pub use generated::exports::modanchor::verifier::verify::{Next, Outcome, Phase, Progress, Refusal, Step, Verdict};
