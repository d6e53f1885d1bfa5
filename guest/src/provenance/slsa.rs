//! What SLSA provenance says: v0.2 (slsa.dev/spec/v0.2/provenance) and v1 (slsa.dev/spec/v1.0/provenance).
//!
//! All of it is chosen by the signer. A predicate says the same thing in several places (the source stands in
//! `configSource`, in `materials` and in the environment), and a reader that looks at one of them is told what
//! another reader is not. So every place that says something is kept ([`Provenance::said`]), to be compared with the
//! certificate, each.

use serde_json::{Map, Value};

use super::fields::{FieldError, Object};
use super::source::{Repository, split_ref};
use super::statement::{DigestSet, Statement, StatementError};

/// The predicate type of version 0.2.
pub const V02: &str = "https://slsa.dev/provenance/v0.2";
/// The predicate type of version 1, and of all 1.x.
pub const V1: &str = "https://slsa.dev/provenance/v1";

/// How the URI of a Git repository begins (SPDX 2.3, package download location, which SLSA follows).
const GIT: &str = "git+";

/// The path of a workflow of GitHub.
const WORKFLOWS: &str = ".github/workflows/";

/// The most materials, or resolved dependencies, of one predicate.
pub const MAX_MATERIALS: usize = 16_384;

/// The version of the predicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// v0.2
    V02,
    /// v1
    V1,
}

impl Version {
    /// `v0.2`, `v1`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V02 => "v0.2",
            Self::V1 => "v1",
        }
    }
}

/// Something that a predicate can say and a certificate can vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// Who built: the builder's ID.
    Builder,
    /// On whose machine: `github-hosted`.
    Runner,
    /// The source repository.
    Repository,
    /// Its commit.
    Commit,
    /// Its ref.
    Reference,
    /// The event that started it.
    Trigger,
    /// The path of the top-level workflow.
    WorkflowPath,
    /// The top-level workflow with repository and ref.
    Workflow,
    /// The commit of the top-level workflow.
    WorkflowCommit,
    /// The run, `https://github.com/OWNER/REPO/actions/runs/N/attempts/M`.
    Run,
    /// The number of the run.
    RunNumber,
    /// Which attempt at it.
    RunAttempt,
    /// The repository's number.
    RepositoryId,
    /// The owner's number.
    OwnerId,
    /// The owner's name.
    Owner,
}

impl Fact {
    /// For messages.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builder => "builder",
            Self::Runner => "runner environment",
            Self::Repository => "source repository",
            Self::Commit => "source commit",
            Self::Reference => "source ref",
            Self::Trigger => "trigger",
            Self::WorkflowPath => "workflow path",
            Self::Workflow => "workflow",
            Self::WorkflowCommit => "workflow commit",
            Self::Run => "run",
            Self::RunNumber => "run number",
            Self::RunAttempt => "run attempt",
            Self::RepositoryId => "repository number",
            Self::OwnerId => "owner number",
            Self::Owner => "repository owner",
        }
    }
}

/// One thing that a predicate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// About what.
    pub fact: Fact,
    /// Where: `predicate.invocation.configSource.uri`.
    pub place: String,
    /// What, as written; of a URI with a ref only the half that is meant.
    pub value: String,
}

/// What was built, as the predicate has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// From where, if that is a repository.
    pub repository: Option<Repository>,
    /// `refs/tags/v1.2.3`.
    pub reference: Option<String>,
    /// The commit, hexadecimal.
    pub commit: Option<String>,
}

/// SLSA provenance: no more than what its signer wrote (see [`super`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Provenance {
    /// Of the predicate.
    pub version: Version,
    /// How it was built, a URI.
    pub build_type: String,
    /// By whom, a URI.
    pub builder_id: String,
    /// From what: the first material (v0.2) or resolved dependency (v1) that comes from Git.
    pub source: Source,
    /// What the build was given: v0.2 `invocation.parameters`, v1 `externalParameters`. Empty if there is none.
    pub parameters: Map<String, Value>,
    /// The inputs of the workflow: those of the event `workflow_dispatch` if that was the trigger, else v1's
    /// `externalParameters.inputs`. No claim tells them: they are as good as the builder.
    pub inputs: Map<String, Value>,
    /// Everything else that a certificate can vouch for, at every place where it is said.
    pub said: Vec<Said>,
}

impl Provenance {
    /// Reads the predicate of `statement`.
    ///
    /// # Errors
    ///
    /// It is no SLSA provenance of a known version, or lacks something that its version demands.
    pub fn parse(statement: &Statement) -> Result<Self, SlsaError> {
        let value = &statement.predicate;
        let predicate = Object::of(value, "predicate");
        match statement.predicate_type.as_str() {
            V02 => v02(&predicate),
            V1 => v1(&predicate),
            "https://slsa.dev/provenance/v0.1" => Err(SlsaError::V01),
            other => Err(SlsaError::OtherPredicate { found: other.to_owned() }),
        }
    }

    /// What is said about `fact`, everywhere.
    pub fn about(&self, fact: Fact) -> impl Iterator<Item = &Said> {
        self.said.iter().filter(move |said| said.fact == fact)
    }

    fn say(&mut self, fact: Fact, place: String, value: &str) {
        self.said.push(Said { fact, place, value: value.to_owned() });
    }

    /// `text` at the field `key` of `object`, if there is one.
    fn say_text(&mut self, fact: Fact, object: &Object<'_>, key: &str) -> Result<(), FieldError> {
        if let Some(text) = object.maybe_text(key)? {
            self.say(fact, object.place(key), text);
        }
        Ok(())
    }

    /// An artifact that is the source: `uri` with its ref, and `digest`. What is no repository, such as an image,
    /// says nothing.
    fn say_source(&mut self, object: &Object<'_>) -> Result<Source, SlsaError> {
        let Some((uri, reference)) = object.maybe_text("uri")?.map(split_ref) else {
            return Ok(Source::default());
        };
        let repository = Repository::parse(uri);
        if repository.is_none() && !uri.starts_with(GIT) {
            return Ok(Source::default());
        }
        self.say(Fact::Repository, object.place("uri"), uri);
        if let Some(reference) = reference {
            self.say(Fact::Reference, object.place("uri"), reference);
        }
        let digests = DigestSet::read(object, "digest")?;
        for algorithm in ["gitCommit", "sha1"] {
            if let Some(commit) = digests.get(algorithm) {
                self.say(Fact::Commit, format!("{}.{algorithm}", object.place("digest")), commit);
            }
        }
        Ok(Source { repository, reference: reference.map(str::to_owned), commit: digests.commit().map(str::to_owned) })
    }

    /// GitHub's variables, `GITHUB_…` in v1 and by npm, `github_…` in slsa-github-generator's v0.2.
    fn say_environment(&mut self, environment: &Object<'_>) -> Result<(), FieldError> {
        let mut inputs = None;
        for (key, value) in environment.map {
            let fact = match key.to_ascii_uppercase().as_str() {
                "GITHUB_EVENT_NAME" => Fact::Trigger,
                "GITHUB_REF" => Fact::Reference,
                "GITHUB_REPOSITORY" => Fact::Repository,
                "GITHUB_REPOSITORY_ID" => Fact::RepositoryId,
                "GITHUB_REPOSITORY_OWNER" => Fact::Owner,
                "GITHUB_REPOSITORY_OWNER_ID" => Fact::OwnerId,
                "GITHUB_RUN_ATTEMPT" => Fact::RunAttempt,
                "GITHUB_RUN_ID" => Fact::RunNumber,
                "GITHUB_SHA" | "GITHUB_SHA1" => Fact::Commit,
                "GITHUB_WORKFLOW_REF" => Fact::Workflow,
                "GITHUB_WORKFLOW_SHA" => Fact::WorkflowCommit,
                "RUNNER_ENVIRONMENT" => Fact::Runner,
                "GITHUB_EVENT_PAYLOAD" => {
                    if let Some(payload) = environment.maybe_object(key)? {
                        inputs = payload.maybe_object("inputs")?;
                    }
                    continue;
                }
                _ => continue,
            };
            let place = environment.place(key);
            match value {
                Value::String(text) if text.is_empty() => {}
                // "github.com/" in front makes it an address like all others.
                Value::String(text) if fact == Fact::Repository => self.say(fact, place, &format!("github.com/{text}")),
                Value::String(text) if fact == Fact::Workflow => self.say(fact, place, &format!("github.com/{text}")),
                Value::String(text) => self.say(fact, place, text),
                // The container-based builder writes numbers as numbers.
                Value::Number(number) if number.is_u64() => self.say(fact, place, &number.to_string()),
                Value::Null => {}
                _ => return Err(environment.wrong(key, "is neither a text nor a number")),
            }
        }
        // Other events have fields of that name that somebody else fills in.
        if let Some(inputs) = inputs.filter(|_| self.about(Fact::Trigger).all(|said| said.value == "workflow_dispatch"))
        {
            self.inputs = inputs.map.clone();
        }
        Ok(())
    }

    /// `RUN-ATTEMPT` or the run's URI.
    fn say_run(&mut self, place: String, id: &str) {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match id.split_once('-') {
            Some((run, attempt)) if digits(run) && digits(attempt) => {
                self.say(Fact::RunNumber, place.clone(), run);
                self.say(Fact::RunAttempt, place, attempt);
            }
            _ => self.say(Fact::Run, place, id),
        }
    }

    /// One with nothing but what both versions demand.
    fn new(version: Version, build_type: &str, builder: &Object<'_>) -> Result<Self, FieldError> {
        let builder_id = builder.text("id")?.to_owned();
        let mut provenance = Self {
            version,
            build_type: build_type.to_owned(),
            builder_id,
            source: Source::default(),
            parameters: Map::new(),
            inputs: Map::new(),
            said: Vec::new(),
        };
        provenance.say_text(Fact::Builder, builder, "id")?;
        Ok(provenance)
    }
}

/// The artifacts of a list. The first that comes from Git is the source: GitHub's builders list it first, and others
/// list images and tools before it.
fn source_of(provenance: &mut Provenance, list: &[Value], place: String) -> Result<(), SlsaError> {
    if list.len() > MAX_MATERIALS {
        return Err(SlsaError::TooManyMaterials { at: place, found: list.len() });
    }
    for (index, artifact) in list.iter().enumerate() {
        let artifact = Object::new(artifact, format!("{place}[{index}]"))?;
        if artifact.maybe_text("uri")?.is_some_and(|uri| uri.starts_with(GIT)) {
            provenance.source = provenance.say_source(&artifact)?;
            break;
        }
    }
    Ok(())
}

fn v02(predicate: &Object<'_>) -> Result<Provenance, SlsaError> {
    let mut provenance = Provenance::new(Version::V02, predicate.text("buildType")?, &predicate.object("builder")?)?;
    if let Some(invocation) = predicate.maybe_object("invocation")? {
        if let Some(config) = invocation.maybe_object("configSource")? {
            provenance.say_source(&config)?;
            // What it means is up to the build type: a Dockerfile, say.
            if let Some(entry) = config.maybe_text("entryPoint")?.filter(|entry| entry.contains(WORKFLOWS)) {
                // npm writes OWNER/REPO/PATH@REF, slsa-github-generator the path.
                let place = config.place("entryPoint");
                match split_ref(entry).1 {
                    Some(_) => provenance.say(Fact::Workflow, place, &format!("github.com/{entry}")),
                    None => provenance.say(Fact::WorkflowPath, place, entry),
                }
            }
        }
        if let Some(environment) = invocation.maybe_object("environment")? {
            provenance.say_environment(&environment)?;
        }
        if let Some(parameters) = invocation.maybe_object("parameters")? {
            provenance.parameters = parameters.map.clone();
        }
    }
    if let Some(metadata) = predicate.maybe_object("metadata")? {
        // slsa-github-generator writes it as the first, the specification and npm as the second.
        for key in ["buildInvocationID", "buildInvocationId"] {
            if let Some(id) = metadata.maybe_text(key)? {
                provenance.say_run(metadata.place(key), id);
            }
        }
    }
    source_of(&mut provenance, predicate.list("materials")?, predicate.place("materials"))?;
    Ok(provenance)
}

fn v1(predicate: &Object<'_>) -> Result<Provenance, SlsaError> {
    let definition = predicate.object("buildDefinition")?;
    let details = predicate.object("runDetails")?;
    let mut provenance = Provenance::new(Version::V1, definition.text("buildType")?, &details.object("builder")?)?;
    let external = definition.object("externalParameters")?;
    provenance.parameters = external.map.clone();
    if let Some(inputs) = external.maybe_object("inputs")? {
        provenance.inputs = inputs.map.clone();
    }
    // GitHub's artifact attestations, and npm.
    if let Some(Value::Object(_)) = external.get("workflow") {
        let workflow = external.object("workflow")?;
        provenance.say_text(Fact::Repository, &workflow, "repository")?;
        provenance.say_text(Fact::Reference, &workflow, "ref")?;
        provenance.say_text(Fact::WorkflowPath, &workflow, "path")?;
    }
    // slsa-github-generator's container-based builder.
    if let Some(Value::Object(_)) = external.get("source") {
        provenance.say_source(&external.object("source")?)?;
    }
    if let Some(internal) = definition.maybe_object("internalParameters")? {
        provenance.say_environment(&internal)?;
        if let Some(Value::Object(_)) = internal.get("github") {
            let github = internal.object("github")?;
            provenance.say_text(Fact::Trigger, &github, "event_name")?;
            provenance.say_text(Fact::RepositoryId, &github, "repository_id")?;
            provenance.say_text(Fact::OwnerId, &github, "repository_owner_id")?;
            provenance.say_text(Fact::Runner, &github, "runner_environment")?;
        }
    }
    if let Some(metadata) = details.maybe_object("metadata")?
        && let Some(id) = metadata.maybe_text("invocationId")?
    {
        provenance.say_run(metadata.place("invocationId"), id);
    }
    source_of(&mut provenance, definition.list("resolvedDependencies")?, definition.place("resolvedDependencies"))?;
    Ok(provenance)
}

/// Why a predicate is no provenance that is read.
#[derive(Debug, thiserror::Error)]
pub enum SlsaError {
    /// Version 0.1, which had no invocation and is no longer written.
    #[error("SLSA provenance v0.1 is not read: it must be v0.2 or v1")]
    V01,
    /// Something else.
    #[error("the predicate is {found:?}, and neither {V02} nor {V1}")]
    OtherPredicate {
        /// Its type.
        found: String,
    },
    /// A field is missing, or of another type.
    #[error("the provenance's {0}")]
    Field(#[from] FieldError),
    /// A digest of the source.
    #[error(transparent)]
    Digest(#[from] StatementError),
    /// More than [`MAX_MATERIALS`].
    #[error("the provenance's {at} has {found} entries, and at most {MAX_MATERIALS} are read")]
    TooManyMaterials {
        /// Which.
        at: String,
        /// How many.
        found: usize,
    },
}
