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
    Advance, Answer, Body, CacheFile, CacheGet, Evidence, Holding, Item, Kept, KeptItem, Measure, Measurement,
    Oddities, Place, Recall, Request, Response, Source, Subject, SumdbGet, ZipGet,
};
pub use generated::exports::modanchor::verifier::hashing::{BuildInfo, HashingError, Measured, Refusal as HashRefusal};
pub use generated::exports::modanchor::verifier::job::{
    Bytes, Checkout, Database, FailOn, FileKind, Ignore, Job, Presence, Program, Question, SkipPatterns, SourceFile,
    Sumdb, Task, Tool, Zips,
};
pub use generated::exports::modanchor::verifier::policy::{
    Floor, Grade as PolicyGrade, Identity as PolicyIdentity, IdentityMatch, Level, Policy, ProvenanceVersion,
    RequiredLog, Requirement, Rule as PolicyRule,
};
pub use generated::exports::modanchor::verifier::render::{Link, RenderError, SarifOptions};
pub use generated::exports::modanchor::verifier::sigstore::{
    Artifact, AttestationsGet, BlobTask, Digests, Identity, Place as AttestationPlace, RekorGet,
    Settings as SigstoreSettings, Signer, TrustedRoot, ZipDigest,
};
pub use generated::exports::modanchor::verifier::tuf::{
    ClientTask, KeptMetadata, KeptTarget, Mapping, MetadataGet, MetadataRecall, Repositories, Repository, TargetFile,
    TargetGet,
};
pub use generated::exports::modanchor::verifier::types::{Failure, Instant, ModuleVersion as ModuleRef, Origin};
pub use generated::exports::modanchor::verifier::verify::{
    FixedFile, Next, Outcome, Phase, Progress, Refusal, Step, Verdict,
};
