//! The types of the contract (`wit/`), generated for wasmtime.

#[allow(missing_docs, unreachable_pub, clippy::all, rust_2018_idioms)]
mod generated {
    wasmtime::component::bindgen!({
        world: "verifier",
        path: "../wit",
        imports: { default: trappable },
        with: { "modanchor:verifier/blob.blob": crate::engine::hashing::Blob },
        additional_derives: [Clone, PartialEq],
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
    Artifact, AttestationsGet, BlobTask, Digests, Identity, Place as AttestationPlace, Profile, RekorGet,
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
pub use generated::modanchor::verifier::blob;
pub use generated::{Verifier, VerifierPre};

impl Repositories {
    /// Those of a run that knows none, in which no module needs one.
    #[must_use]
    pub fn none() -> Self {
        Self { all: Vec::new(), map: Vec::new(), required: false }
    }
}

impl SigstoreSettings {
    /// Those of a run that looks for no signatures.
    #[must_use]
    pub fn none() -> Self {
        Self { roots: Vec::new(), places: Vec::new(), private: String::new(), rekor: false }
    }
}

// What is run natively speaks the core's own types, which are generated from the same contract.

impl From<FailOn> for modanchor_core::contract::FailOn {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Critical => Self::Critical,
            FailOn::High => Self::High,
            FailOn::Medium => Self::Medium,
            FailOn::Low => Self::Low,
            FailOn::Never => Self::Never,
        }
    }
}

impl From<Ignore> for modanchor_core::contract::Ignore {
    fn from(Ignore { rule, module, reason, expires }: Ignore) -> Self {
        Self { rule, module, reason, expires }
    }
}

impl From<modanchor_core::contract::Outcome> for Outcome {
    fn from(outcome: modanchor_core::contract::Outcome) -> Self {
        use modanchor_core::contract as core;
        let core::Outcome { verdict, status, report, lines, fixes } = outcome;
        let verdict = match verdict {
            core::Verdict::Pass => Verdict::Pass,
            core::Verdict::Fail => Verdict::Fail,
            core::Verdict::Incomplete => Verdict::Incomplete,
        };
        let fixed = |core::FixedFile { path, content, added }| FixedFile { path, content, added };
        Self { verdict, status, report, lines, fixes: fixes.into_iter().map(fixed).collect() }
    }
}
