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
    Bytes, Checkout, Database, FailOn, FileKind, Ignore, Job, Lint, Presence, Program, Question, Setting, SettingPlace,
    SettingsFile, SkipPatterns, SourceFile, Sumdb, Syntax, Task, Tool, Zips,
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
