//! The types of the contract (`wit/`), generated for wasmtime.

#[allow(missing_docs, unreachable_pub, clippy::all, rust_2018_idioms)]
mod generated {
    wasmtime::component::bindgen!({
        world: "verifier",
        path: "../wit",
        imports: { default: trappable },
        with: { "modanchor:verifier/blob.blob": crate::engine::hashing::Blob },
        additional_derives: [Clone, PartialEq, contract_json::ContractJson],
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

/// The core's policy, which its own reader has made natively, for the component.
impl From<modanchor_core::contract::Policy> for Policy {
    fn from(policy: modanchor_core::contract::Policy) -> Self {
        use modanchor_core::contract as core;

        let grade = |grade| match grade {
            core::PolicyGrade::Unverified => PolicyGrade::Unverified,
            core::PolicyGrade::Verified => PolicyGrade::Verified,
            core::PolicyGrade::Trusted => PolicyGrade::Trusted,
        };
        let version = |version| match version {
            core::ProvenanceVersion::V02 => ProvenanceVersion::V02,
            core::ProvenanceVersion::V1 => ProvenanceVersion::V1,
        };
        let log = |log| match log {
            core::RequiredLog::Sumdb => RequiredLog::Sumdb,
            core::RequiredLog::Rekor => RequiredLog::Rekor,
        };
        let level = |level: core::Level| Level {
            level: level.level,
            provenance_versions: level.provenance_versions.into_iter().map(version).collect(),
            builder_ids: level.builder_ids,
            oidc_issuers: level.oidc_issuers,
            runner_environments: level.runner_environments,
        };
        let identity = |identity: core::PolicyIdentity| PolicyIdentity {
            name: match identity.name {
                core::IdentityMatch::Exact(text) => IdentityMatch::Exact(text),
                core::IdentityMatch::Pattern(pattern) => IdentityMatch::Pattern(pattern),
            },
            issuer: identity.issuer,
        };
        let requirement = |asked: core::Requirement| Requirement {
            grade: grade(asked.grade),
            identities: asked.identities.into_iter().map(identity).collect(),
            source_repositories: asked.source_repositories,
            minimum_slsa_level: asked.minimum_slsa_level,
            publishers: asked.publishers,
            tuf_approval: asked.tuf_approval,
            logs: asked.logs.into_iter().map(log).collect(),
        };
        let rule = |rule: core::PolicyRule| PolicyRule {
            name: rule.name,
            modules: rule.modules,
            requirement: requirement(rule.requirement),
        };
        let floor = |floor: core::Floor| Floor { module: floor.module, grade: grade(floor.grade) };
        Self {
            set_by: policy.set_by,
            levels: policy.levels.into_iter().map(level).collect(),
            rules: policy.rules.into_iter().map(rule).collect(),
            default: requirement(policy.default),
            baseline: policy.baseline.map(|floors| floors.into_iter().map(floor).collect()),
        }
    }
}
