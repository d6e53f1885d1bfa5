//! What a certificate vouches for, and whether a predicate says the same.
//!
//! Builder, runner, source repository, ref, commit, trigger, workflow and run are **taken from the claims**, never
//! from the predicate. The predicate must say the same at every place where it says something of them: what it
//! contradicts was forged, or made by a builder that does not do what it says. (slsa-verifier 2.7.1 checks the same
//! for GitHub's builders: `verifiers/internal/gha/{builder,provenance,provenance_forgeable}.go`.)
//!
//! What no claim tells, such as the inputs of a workflow, is only as good as the builder: an isolated one writes it
//! itself ([`Vouched::provable_level`]); any other lets its caller write it.

use super::slsa::{Fact, Provenance};
use super::source::{Repository, Workflow};
use crate::sigstore::claims::{Claims, San};

/// Who says what a workflow of GitHub is.
pub const GITHUB_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// Who says what a pipeline of gitlab.com is.
pub const GITLAB_ISSUER: &str = "https://gitlab.com";

/// The repository of the reusable workflows that slsa-verifier trusts.
const GENERATOR: &str = "github.com/slsa-framework/slsa-github-generator";

/// Those of them that run another's workflow, and write that one's name into the predicate.
const DELEGATORS: [&str; 2] =
    [".github/workflows/delegator_generic_slsa3.yml", ".github/workflows/delegator_lowperms-generic_slsa3.yml"];

/// What npm, and GitHub's attestations before 2024-06, name as the builder: the runner.
const GITHUB_RUNNER: &str = "https://github.com/actions/runner";

/// The level of SLSA's build track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// There is provenance.
    One = 1,
    /// It was signed by a hosted build platform, and who signed is authentic.
    Two = 2,
    /// And whoever owns the source could not have written it.
    Three = 3,
}

/// A build, in the words of the authority that issued the certificate: GitHub's, or another CI's by the same
/// extensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    /// Who says so: [`GITHUB_ISSUER`].
    pub issuer: String,
    /// The workflow that built and signed, as the certificate writes it. The builder's ID.
    pub builder: String,
    /// The commit of that workflow.
    pub builder_commit: Option<String>,
    /// `github-hosted` or `self-hosted`.
    pub runner: Option<String>,
    /// What was built, as the certificate writes it.
    pub repository_uri: String,
    /// The same.
    pub repository: Repository,
    /// The commit that was built.
    pub commit: Option<String>,
    /// The ref that was built: `refs/tags/v1.2.3`.
    pub reference: Option<String>,
    /// The event.
    pub trigger: Option<String>,
    /// The top-level workflow, as the certificate writes it.
    pub workflow: Option<String>,
    /// Its commit.
    pub workflow_commit: Option<String>,
    /// The run.
    pub run: Option<String>,
    /// The repository's number.
    pub repository_id: Option<String>,
    /// The owner's number.
    pub owner_id: Option<String>,
}

impl Vouched {
    /// What `claims` say of a build.
    ///
    /// # Errors
    ///
    /// They are not those of a build, or contradict each other.
    pub fn of(claims: &Claims) -> Result<Self, ClaimsError> {
        let issuer = claims.issuer.clone().ok_or(ClaimsError::Missing { claim: "issuer" })?;
        let San::Uri(san) = &claims.san else {
            return Err(ClaimsError::NoWorkflow { found: claims.san.as_str().to_owned() });
        };
        let old = &claims.github;
        let old_repository = old.repository.as_ref().map(|name| format!("https://github.com/{name}"));
        let repository_uri = one("source repository", claims.source_repository_uri.clone(), old_repository)?
            .ok_or(ClaimsError::Missing { claim: "source repository" })?;
        let repository = Repository::parse(&repository_uri)
            .ok_or_else(|| ClaimsError::Repository { found: repository_uri.clone() })?;
        // Fulcio takes both from `job_workflow_ref`; certificates from before 2023-03 have the first only.
        let builder = match &claims.build_signer_uri {
            Some(builder) if issuer == GITHUB_ISSUER => one("build signer", Some(builder.clone()), Some(san.clone()))?,
            Some(builder) => Some(builder.clone()),
            None => Some(san.clone()),
        };
        let commit = one("source commit", claims.source_repository_digest.clone(), old.sha.clone())?;
        if let (true, Some(config)) = (issuer == GITHUB_ISSUER, &claims.build_config_digest) {
            // The top-level workflow is the source repository's own, at the commit that is built.
            one("workflow commit", commit.clone(), Some(config.clone()))?;
        }
        Ok(Self {
            builder: builder.unwrap_or_else(|| san.clone()),
            issuer,
            builder_commit: claims.build_signer_digest.clone(),
            runner: claims.runner_environment.clone(),
            repository_uri,
            repository,
            commit,
            reference: one("source ref", claims.source_repository_ref.clone(), old.reference.clone())?,
            trigger: one("trigger", claims.build_trigger.clone(), old.trigger.clone())?,
            workflow: claims.build_config_uri.clone(),
            workflow_commit: claims.build_config_digest.clone(),
            run: claims.run_invocation_uri.clone(),
            repository_id: claims.source_repository_identifier.clone(),
            owner_id: claims.source_repository_owner_identifier.clone(),
        })
    }

    /// The workflow that built and signed, in its parts. None where it is not written as GitHub's are.
    #[must_use]
    pub fn builder_workflow(&self) -> Option<Workflow> {
        Workflow::parse(&self.builder)
    }

    /// The highest level that the claims prove. It is a bound: a level is reached only with a builder that policy
    /// lists.
    ///
    /// Level 3 demands that a build cannot forge its provenance. On GitHub that holds where the signing job is a
    /// reusable workflow of another repository: whoever owns the source chooses that workflow, but not its steps, and
    /// the certificate says which it was. A workflow of the source's own repository, also a reusable one, may do what
    /// its owner likes with the signature. It holds on machines that GitHub discards after each job; a self-hosted
    /// one may keep something from the job before, so that level 2 is not shown either. slsa-github-generator's
    /// workflows count at a release only, as in slsa-verifier.
    #[must_use]
    pub fn provable_level(&self) -> Level {
        // An issuer's word about machines counts for its own alone.
        let hosted = match self.issuer.as_str() {
            GITHUB_ISSUER => "github-hosted",
            GITLAB_ISSUER => "gitlab-hosted",
            _ => return Level::One,
        };
        if self.runner.as_deref() != Some(hosted) {
            return Level::One;
        }
        let isolated = self.issuer == GITHUB_ISSUER
            && self.repository.host() == "github.com"
            && self.builder_workflow().is_some_and(|builder| {
                builder.repository.host() == "github.com"
                    && builder.repository != self.repository
                    && builder.path.starts_with(".github/workflows/")
                    && (builder.is_release() || !is_generator(&builder.repository))
            });
        if isolated { Level::Three } else { Level::Two }
    }

    /// Whether the builder runs another's workflow and names that one as the builder.
    fn delegates(&self) -> bool {
        self.issuer == GITHUB_ISSUER
            && self.provable_level() == Level::Three
            && self
                .builder_workflow()
                .is_some_and(|builder| is_generator(&builder.repository) && DELEGATORS.contains(&builder.path.as_str()))
    }

    /// Compares what `provenance` says with what is vouched for.
    #[must_use]
    pub fn compare(&self, provenance: &Provenance) -> Agreement {
        let mut agreement = Agreement::default();
        for said in &provenance.said {
            match self.judge(said.fact, &said.value) {
                Judged::Same => agreement.confirmed.push(said.fact),
                Judged::Other(certificate) => agreement.contradictions.push(Contradiction {
                    fact: said.fact,
                    place: said.place.clone(),
                    predicate: said.value.clone(),
                    certificate,
                }),
                Judged::Unknown => agreement.unconfirmed.push(said.fact),
                Judged::Delegated => agreement.delegated_builder = Some(said.value.clone()),
            }
        }
        for list in [&mut agreement.confirmed, &mut agreement.unconfirmed] {
            list.sort_unstable();
            list.dedup();
        }
        agreement
    }

    fn judge(&self, fact: Fact, value: &str) -> Judged {
        let github = self.issuer == GITHUB_ISSUER;
        match fact {
            Fact::Builder if value == self.builder => Judged::Same,
            Fact::Builder if !github => Judged::Unknown,
            // As in slsa-verifier, the workflow that was run has to be a release too.
            Fact::Builder if self.delegates() && Workflow::parse(value).is_some_and(|ran| ran.is_release()) => {
                Judged::Delegated
            }
            Fact::Builder => match value.strip_prefix(GITHUB_RUNNER) {
                // slsa-verifier: without an environment it is GitHub's.
                Some("") => same(self.runner.as_deref(), "github-hosted"),
                Some(environment) if environment.starts_with('/') => same(self.runner.as_deref(), &environment[1..]),
                _ => Judged::Other(self.builder.clone()),
            },
            Fact::Runner => same(self.runner.as_deref(), value),
            Fact::Repository => match Repository::parse(value) {
                Some(repository) if repository == self.repository => Judged::Same,
                _ => Judged::Other(self.repository_uri.clone()),
            },
            Fact::Commit => same(self.commit.as_deref(), value),
            Fact::Reference => same(self.reference.as_deref(), value),
            Fact::Trigger => same(self.trigger.as_deref(), value),
            Fact::Workflow => match (&self.workflow, Workflow::parse(value)) {
                (None, _) => Judged::Unknown,
                (Some(workflow), Some(said)) if Workflow::parse(workflow) == Some(said.clone()) => Judged::Same,
                (Some(workflow), _) => Judged::Other(workflow.clone()),
            },
            Fact::WorkflowPath => match self.workflow.as_deref().map(Workflow::parse) {
                None => Judged::Unknown,
                Some(workflow) => {
                    let path = workflow.map(|workflow| workflow.path);
                    same(Some(path.as_deref().unwrap_or_default()), value)
                }
            },
            Fact::WorkflowCommit => same(self.workflow_commit.as_deref(), value),
            Fact::Run => same(self.run.as_deref(), value),
            Fact::RunNumber => same(self.run_parts().map(|(run, _)| run), value),
            Fact::RunAttempt => same(self.run_parts().map(|(_, attempt)| attempt), value),
            Fact::RepositoryId => same(self.repository_id.as_deref(), value),
            Fact::OwnerId => same(self.owner_id.as_deref(), value),
            Fact::Owner => {
                let owner = self.repository.path().split('/').next().unwrap_or_default();
                if owner.eq_ignore_ascii_case(value) { Judged::Same } else { Judged::Other(owner.to_owned()) }
            }
        }
    }

    /// Number and attempt of `https://github.com/OWNER/REPO/actions/runs/NUMBER/attempts/ATTEMPT`.
    fn run_parts(&self) -> Option<(&str, &str)> {
        self.run.as_deref()?.split_once("/actions/runs/")?.1.split_once("/attempts/")
    }
}

/// What one claim says, in its new form and in its old one.
fn one(claim: &'static str, new: Option<String>, old: Option<String>) -> Result<Option<String>, ClaimsError> {
    match (new, old) {
        (Some(new), Some(old)) if new != old => Err(ClaimsError::Contradiction { claim, new, old }),
        (new, old) => Ok(new.or(old)),
    }
}

/// Whether it is slsa-github-generator's repository, in whatever case.
fn is_generator(repository: &Repository) -> bool {
    Repository::parse(GENERATOR).as_ref() == Some(repository)
}

enum Judged {
    Same,
    /// What the certificate says.
    Other(String),
    /// The certificate does not say.
    Unknown,
    /// The builder may say so.
    Delegated,
}

fn same(claim: Option<&str>, value: &str) -> Judged {
    match claim {
        None => Judged::Unknown,
        Some(claim) if claim == value => Judged::Same,
        Some(claim) => Judged::Other(claim.to_owned()),
    }
}

/// What came of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// What both say, in the order of [`Fact`].
    pub confirmed: Vec<Fact>,
    /// What they say differently: the provenance is not to be believed.
    pub contradictions: Vec<Contradiction>,
    /// What only the predicate says, in the order of [`Fact`]: it proves nothing.
    pub unconfirmed: Vec<Fact>,
    /// The builder that slsa-github-generator's delegator names as the one it ran: a release of it. The delegator is
    /// the one that signed, at a release, and isolated. It counts as no builder by itself: the builder that policy has
    /// to list is this one, which anybody may have written.
    pub delegated_builder: Option<String>,
}

/// What a predicate says differently than its certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the provenance's {place} says {predicate:?} for the {}, and the certificate {certificate:?}", .fact.as_str())]
pub struct Contradiction {
    /// About what.
    pub fact: Fact,
    /// Where in the predicate.
    pub place: String,
    /// What is there.
    pub predicate: String,
    /// What the certificate says.
    pub certificate: String,
}

/// Why claims vouch for no build.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// Whoever signed is no workflow: a person, say.
    #[error("the certificate is of {found:?}, which is no workflow")]
    NoWorkflow {
        /// Whose it is.
        found: String,
    },
    /// A claim without which nothing is vouched for.
    #[error("the certificate does not say the {claim}")]
    Missing {
        /// Which.
        claim: &'static str,
    },
    /// The source is no repository.
    #[error("the certificate's source repository is {found:?}, which is no address of a repository")]
    Repository {
        /// What it says.
        found: String,
    },
    /// The old and the new form of a claim differ, or two that must be the same.
    #[error("the certificate says {new:?} and {old:?} for the {claim}")]
    Contradiction {
        /// Which.
        claim: &'static str,
        /// By the newer extension.
        new: String,
        /// By the older one, or the other one.
        old: String,
    },
}
