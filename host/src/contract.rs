//! The types of the contract (`wit/`), generated for wasmtime.

#[allow(missing_docs, unreachable_pub, clippy::all, rust_2018_idioms)]
mod generated {
    wasmtime::component::bindgen!({
        world: "verifier",
        path: "../wit",
        additional_derives: [Clone, PartialEq],
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
pub use generated::{Verifier, VerifierPre};
