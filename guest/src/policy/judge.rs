//! The grade of one module, and why.
//!
//! Each rule becomes a list of conditions, and each condition says from which grade on it is needed. The grade is the best whose
//! conditions all hold. So what `modanchor policy explain` shows is the judgement itself, not a second account of it.
//!
//! # Security
//!
//! Everything in a [`Subject`] was verified before: that a signature is right, that its certificate says what the predicate says, and
//! that the statement is about exactly the bytes that go.sum names. What does not verify never gets here; it is a finding. What
//! is judged is whether it is enough, and the conditions of one grade must hold of *one* attestation: the builder of one and the
//! signer of another make nothing.
//!
//! A replacement is asked for by two paths, the one that is imported and the one whose code it is. It must satisfy the rules of
//! both, so that neither a lax rule for forks nor one for a trusted name lets the other's code in.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::rules::{Asked, DEFAULT, Rules, Way, any_of};
use crate::contract::{PolicyGrade, ProvenanceVersion};
use crate::provenance::source::Repository;

/// What a condition about the checksum database is called.
pub const SUMDB: &str = "required_log: sumdb";
/// What a condition about approval is called.
pub const TUF: &str = "required_tuf_approval";

/// What is put in a module's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replacement {
    /// Another module version.
    Module {
        /// Its path.
        path: String,
        /// Its version.
        version: String,
    },
    /// A folder, which nothing vouches for.
    Directory(String),
}

/// What is known of a module's checksums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// The checksum database has authenticated them.
    Logged,
    /// They are only in go.sum.
    Unlogged,
}

/// What an attestation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// SLSA provenance.
    Provenance(ProvenanceVersion),
    /// Another in-toto statement about the module's bytes: signed, without a word on how they were built.
    Statement,
    /// A verification summary: somebody else has looked at the provenance.
    Summary {
        /// The level of the build track that it says was verified, 0 to 3.
        level: u8,
    },
}

/// One attestation that verified, and is about the module's bytes. Texts are as the certificate has them; none: it says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Where it was found, for messages.
    pub origin: String,
    /// What it is.
    pub kind: Kind,
    /// Who built: the workflow that builds and signs, with its ref.
    pub builder_id: Option<String>,
    /// Who vouches for the identity.
    pub issuer: Option<String>,
    /// The subject alternative name.
    pub identity: Option<String>,
    /// `https://github.com/OWNER/REPO`
    pub source_repository: Option<String>,
    /// `refs/tags/v1.2.3`
    pub source_ref: Option<String>,
    /// `https://github.com/OWNER`
    pub publisher: Option<String>,
    /// `github-hosted` or `self-hosted`.
    pub runner_environment: Option<String>,
    /// The module paths, of those asked about, of which the source is the own repository.
    pub own_repository_of: Vec<String>,
    /// The best level of the build track that could be proven of it, 0 to 3, whatever a policy says of its builder.
    pub provable_level: u8,
    /// Whether the signature is in a transparency log.
    pub logged: bool,
}

/// One module version of a build, with everything that was verified about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The path that is imported.
    pub path: String,
    /// Its version.
    pub version: String,
    /// What stands in its place.
    pub replaced_by: Option<Replacement>,
    /// Of the bytes that are built.
    pub checksums: Checksums,
    /// Whether a TUF repository has approved the bytes that are built.
    pub tuf_approved: bool,
    /// About the bytes that are built.
    pub attestations: Vec<Attestation>,
}

/// One condition, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// What it is about, by the policy file's key where there is one.
    pub what: Cow<'static, str>,
    /// The worst grade that needs it; `unverified`: the rule needs it whatever the grade.
    #[serde(with = "named")]
    pub needed_for: PolicyGrade,
    /// Whether it holds.
    pub held: bool,
    /// What would do.
    pub expected: String,
    /// What there is.
    pub found: String,
}

/// What one rule says of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// The path that the rule was looked up by.
    pub path: String,
    /// Which rule, from 0; none: the default.
    pub rule: Option<usize>,
    /// Its name; `default`.
    pub name: String,
    /// The grade that the module has by it.
    #[serde(with = "named")]
    pub grade: PolicyGrade,
    /// The grade that it must have: the rule's, or its floor.
    #[serde(with = "named")]
    pub required: PolicyGrade,
    /// Whether `required` is the floor of the baseline and not the rule's.
    pub by_baseline: bool,
    /// Whether everything that is asked for is there.
    pub satisfied: bool,
    /// Where the attestation was found that comes nearest; none: there is none.
    pub attestation: Option<String>,
    /// In the order in which they are explained. Those about an attestation are about that one.
    pub conditions: Vec<Condition>,
}

/// What a policy says of a module: the rulings of the path that is imported and, if it is replaced, of the one in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// One, or two. The first is that of the path that is imported.
    pub rulings: Vec<Ruling>,
}

impl Judgement {
    /// The grade: the worse of the rulings'.
    #[must_use]
    pub fn grade(&self) -> PolicyGrade {
        self.rulings.iter().map(|ruling| ruling.grade).min().unwrap_or(PolicyGrade::Unverified)
    }

    /// The grade that is required: the better of the rulings'.
    #[must_use]
    pub fn required(&self) -> PolicyGrade {
        self.rulings.iter().map(|ruling| ruling.required).max().unwrap_or(PolicyGrade::Unverified)
    }

    /// Whether every ruling is satisfied.
    #[must_use]
    pub fn satisfied(&self) -> bool {
        self.rulings.iter().all(|ruling| ruling.satisfied)
    }
}

impl Ruling {
    /// Why it is not satisfied: the conditions that are needed for what is required, and do not hold.
    pub fn failures(&self) -> impl Iterator<Item = &Condition> {
        self.conditions.iter().filter(|condition| !condition.held && condition.needed_for <= self.required)
    }
}

/// The grade's name, as the policy file has it.
#[must_use]
pub fn grade_name(grade: PolicyGrade) -> &'static str {
    match grade {
        PolicyGrade::Unverified => "unverified",
        PolicyGrade::Verified => "verified",
        PolicyGrade::Trusted => "trusted",
    }
}

/// The grade of this name.
#[must_use]
pub fn grade_named(name: &str) -> Option<PolicyGrade> {
    [PolicyGrade::Unverified, PolicyGrade::Verified, PolicyGrade::Trusted]
        .into_iter()
        .find(|grade| grade_name(*grade) == name)
}

/// A grade as text, in the report.
mod named {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use super::{PolicyGrade, grade_name, grade_named};

    pub(super) fn serialize<S: Serializer>(grade: &PolicyGrade, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(grade_name(*grade))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PolicyGrade, D::Error> {
        let name = String::deserialize(deserializer)?;
        grade_named(&name).ok_or_else(|| de::Error::custom("no grade"))
    }
}

/// A run's judgements by one policy. It remembers which rules matched.
#[derive(Debug)]
pub struct Judge<'a> {
    rules: &'a Rules,
    matched: BTreeSet<usize>,
}

impl<'a> Judge<'a> {
    /// One that has judged nothing.
    #[must_use]
    pub fn new(rules: &'a Rules) -> Self {
        Self { rules, matched: BTreeSet::new() }
    }

    /// Judges a module.
    pub fn judge(&mut self, subject: &Subject) -> Judgement {
        let mut rulings = vec![self.ruling(&subject.path, subject)];
        if let Some(Replacement::Module { path, .. }) = &subject.replaced_by
            && *path != subject.path
        {
            rulings.push(self.ruling(path, subject));
        }
        Judgement { rulings }
    }

    /// The names of rules that have matched no module, in the order of the policy.
    #[must_use]
    pub fn unmatched(&self) -> Vec<&'a str> {
        self.rules.names().enumerate().filter(|(i, _)| !self.matched.contains(i)).map(|(_, name)| name).collect()
    }

    /// Whether the source of an attestation is one that the rule for `path` asks for.
    #[must_use]
    pub fn is_source(&self, path: &str, attestation: &Attestation) -> bool {
        is_source(path, self.asked(path).2, attestation)
    }

    /// The rule for a path: its number, its name, and what it asks for.
    fn asked(&self, path: &str) -> (Option<usize>, &'a str, &'a Asked) {
        let mut rules = self.rules.rules.iter();
        let rule = rules.position(|rule| rule.modules.iter().any(|globs| globs.matching(path).is_some()));
        match rule.map(|i| &self.rules.rules[i]) {
            Some(matched) => (rule, matched.name.as_str(), &matched.asked),
            None => (None, DEFAULT, &self.rules.default),
        }
    }

    fn ruling(&mut self, path: &str, subject: &Subject) -> Ruling {
        let (rule, name, asked) = self.asked(path);
        self.matched.extend(rule);
        let floor = self.rules.floors.as_ref().and_then(|floors| floors.get(path)).copied();
        let required = floor.unwrap_or(asked.grade);
        let mut conditions = of_module(asked, subject);
        let nearest = match &subject.replaced_by {
            // What was signed is not what is built.
            Some(Replacement::Directory(folder)) => {
                conditions.push(Condition {
                    what: "replacement".into(),
                    needed_for: PolicyGrade::Verified,
                    held: false,
                    expected: "a module version, which checksums and provenance can vouch for".to_owned(),
                    found: format!("the folder {folder}"),
                });
                None
            }
            _ => {
                let each = subject
                    .attestations
                    .iter()
                    .map(|attestation| (attestation, of_attestation(path, asked, &self.rules.ways, attestation)));
                // The first of the best, so that the order of the evidence decides, and nothing else.
                let nearest = each.rev().max_by_key(|(_, conditions)| {
                    (grade(conditions), conditions.iter().filter(|condition| condition.held).count())
                });
                if nearest.is_none() {
                    conditions.push(Condition {
                        what: "attestation".into(),
                        needed_for: PolicyGrade::Verified,
                        held: false,
                        expected: "a signed provenance or statement about these bytes".to_owned(),
                        found: "none that verifies".to_owned(),
                    });
                }
                nearest
            }
        };
        let attestation = nearest.as_ref().map(|(attestation, _)| attestation.origin.clone());
        conditions.extend(nearest.into_iter().flat_map(|(_, conditions)| conditions));
        let grade = grade(&conditions);
        let always = conditions.iter().all(|one| one.held || one.needed_for != PolicyGrade::Unverified);
        Ruling {
            path: path.to_owned(),
            rule,
            name: name.to_owned(),
            grade,
            required,
            by_baseline: floor.is_some(),
            satisfied: always && grade >= required,
            attestation,
            conditions,
        }
    }
}

/// The best grade whose conditions hold.
fn grade(conditions: &[Condition]) -> PolicyGrade {
    let lacks = |grade| conditions.iter().any(|condition| !condition.held && condition.needed_for == grade);
    match () {
        () if lacks(PolicyGrade::Verified) => PolicyGrade::Unverified,
        () if lacks(PolicyGrade::Trusted) => PolicyGrade::Verified,
        () => PolicyGrade::Trusted,
    }
}

/// What is asked whatever the grade.
fn of_module(asked: &Asked, subject: &Subject) -> Vec<Condition> {
    let mut conditions = Vec::new();
    let mut ask = |what: &'static str, held, expected: &str, found: &str| {
        conditions.push(Condition {
            what: what.into(),
            needed_for: PolicyGrade::Unverified,
            held,
            expected: expected.to_owned(),
            found: found.to_owned(),
        });
    };
    // The log and TUF speak of module versions: of a folder they say nothing.
    let folder = matches!(subject.replaced_by, Some(Replacement::Directory(_)));
    if asked.sumdb {
        let logged = subject.checksums == Checksums::Logged && !folder;
        let found = if logged { "in the database" } else { "not checked against it" };
        ask(SUMDB, logged, "checksums that the checksum database has", found);
    }
    if asked.tuf {
        let approved = subject.tuf_approved && !folder;
        let found = if approved { "approved" } else { "not approved" };
        ask(TUF, approved, "approval by a TUF repository", found);
    }
    conditions
}

/// Whether the rule lists who signed.
fn is_listed(asked: &Asked, attestation: &Attestation) -> bool {
    let (Some(identity), Some(issuer)) = (&attestation.identity, &attestation.issuer) else { return false };
    asked.identities.iter().any(|signer| signer.matches(identity, issuer))
}

/// Whether it is known from whom it must be that this is the source: the issuer of the repository's host, or a signer with an
/// issuer that the rule lists. Anybody can have another CI build somebody else's repository.
fn is_spoken_for(asked: &Asked, attestation: &Attestation) -> bool {
    let (Some(issuer), Some(source)) = (&attestation.issuer, &attestation.source_repository) else { return true };
    Repository::parse(source).is_some_and(|source| source.is_vouched_by(issuer)) || is_listed(asked, attestation)
}

/// Whether the source is the one that the rule asks for: the path's own, or one that it lists.
fn is_source(path: &str, asked: &Asked, attestation: &Attestation) -> bool {
    let right = match asked.sources.is_empty() {
        true => attestation.own_repository_of.iter().any(|own| own == path),
        false => attestation.source_repository.as_ref().is_some_and(|source| asked.sources.matches(source)),
    };
    right && is_spoken_for(asked, attestation)
}

/// Whether who signed is a workflow of the repository that it ran for, or no workflow.
fn signs_for_itself(attestation: &Attestation) -> bool {
    let (Some(identity), Some(source)) = (&attestation.identity, &attestation.source_repository) else { return true };
    identity.strip_prefix(source.as_str()).is_some_and(|rest| rest.starts_with('/'))
}

/// What is asked of one attestation.
fn of_attestation(path: &str, asked: &Asked, ways: &[Way], attestation: &Attestation) -> Vec<Condition> {
    let mut list = List(Vec::new());
    let verified = PolicyGrade::Verified;
    let trusted = PolicyGrade::Trusted;
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
    let among = |value: &Option<String>, texts: &[String]| value.as_ref().is_some_and(|value| texts.contains(value));
    let listed_signer = is_listed(asked, attestation);
    let signer = format!("{} by {}", text(&attestation.identity), text(&attestation.issuer));
    let signers = any_of(asked.identities.iter().map(|signer| signer.written.as_str()));

    // A summary is signed by whoever has looked, so its signer must be one whom the rule lists; what was looked at, and where it
    // came from, is that one's word. A reusable workflow signs what its caller says, and who called it is not listed.
    if let Kind::Summary { .. } = attestation.kind {
        let expected =
            if asked.identities.is_empty() { "a rule that lists who may summarise".to_owned() } else { signers };
        let (own, caller) = (signs_for_itself(attestation), text(&attestation.source_repository));
        let signer = if own { signer } else { format!("{signer}, called from {caller}") };
        list.ask("identities", verified, listed_signer && own, expected, signer);
    } else {
        let held = is_source(path, asked, attestation);
        let mut found = text(&attestation.source_repository);
        if !is_spoken_for(asked, attestation) {
            found += &format!(", which {} does not speak for", text(&attestation.issuer));
        }
        if asked.sources.is_empty() {
            list.ask("source repository", verified, held, format!("the own repository of {path}"), found);
        } else {
            list.ask("source_repositories", verified, held, asked.sources.written(), found);
        }
        let needed = if asked.identities.is_empty() { trusted } else { verified };
        let expected = if asked.identities.is_empty() { "a rule that lists who may sign".to_owned() } else { signers };
        list.ask("identities", needed, listed_signer, expected, signer);
        let publisher = &attestation.publisher;
        let held = publisher.as_ref().is_some_and(|publisher| asked.publishers.matches(publisher));
        if asked.publishers.is_empty() {
            list.ask("publishers", trusted, false, "a rule that lists publishers".to_owned(), text(publisher));
        } else {
            list.ask("publishers", verified, held, asked.publishers.written(), text(publisher));
        }
    }
    if asked.rekor {
        let found = if attestation.logged { "in one" } else { "in none" };
        let expected = "a signature that a transparency log has".to_owned();
        list.ask("required_log: rekor", verified, attestation.logged, expected, found.to_owned());
    }
    // Nobody vouches for his own level.
    let of_itself = matches!(attestation.kind, Kind::Summary { .. }) && is_source(path, asked, attestation);
    let level = if of_itself { 0 } else { level(ways, attestation) };
    if asked.minimum_level > 0 {
        let expected = format!("SLSA level {}", asked.minimum_level);
        list.ask("minimum_slsa_level", verified, level >= asked.minimum_level, expected, format!("level {level}"));
    }

    let Kind::Provenance(version) = attestation.kind else {
        let found = match attestation.kind {
            Kind::Summary { level } => format!("a verification summary that says level {level}"),
            _ => "a statement that does not say how it was built".to_owned(),
        };
        list.ask("provenance", trusted, false, "SLSA provenance".to_owned(), found);
        return list.0;
    };
    let provable = attestation.provable_level;
    list.ask(
        "level 3",
        trusted,
        provable >= 3,
        "a build whose isolation is proven".to_owned(),
        format!("level {provable}"),
    );
    // The way to level 3 of which most holds.
    let ways = ways.iter().filter(|way| way.level == 3).map(|way| {
        let mut list = List(Vec::new());
        let held = attestation.builder_id.as_ref().is_some_and(|builder| way.builders.matches(builder));
        list.ask("builder_id", trusted, held, way.builders.written(), text(&attestation.builder_id));
        if !way.versions.is_empty() {
            let expected = any_of(way.versions.iter().map(|version| version_name(*version)));
            let found = version_name(version).to_owned();
            list.ask("provenance_version", trusted, way.versions.contains(&version), expected, found);
        }
        if !way.issuers.is_empty() {
            let held = among(&attestation.issuer, &way.issuers);
            let expected = any_of(way.issuers.iter().map(String::as_str));
            list.ask("environment.oidc_issuer", trusted, held, expected, text(&attestation.issuer));
        }
        if !way.runners.is_empty() {
            let held = among(&attestation.runner_environment, &way.runners);
            let expected = any_of(way.runners.iter().map(String::as_str));
            list.ask("environment.runner", trusted, held, expected, text(&attestation.runner_environment));
        }
        list.0
    });
    let fewest = ways.min_by_key(|way| way.iter().filter(|condition| !condition.held).count());
    match fewest {
        Some(way) => list.0.extend(way),
        None => {
            let found = text(&attestation.builder_id);
            list.ask("builder_id", trusted, false, "a policy that lists builders of level 3".to_owned(), found);
        }
    }
    list.0
}

/// The level that an attestation reaches under the policy, 0 to 3.
fn level(ways: &[Way], attestation: &Attestation) -> u8 {
    let version = match attestation.kind {
        Kind::Statement => return 0,
        Kind::Summary { level } => return level.min(3),
        Kind::Provenance(version) => version,
    };
    let reaches = |level: u8| {
        let mut of_level = ways.iter().filter(|way| way.level == level).peekable();
        if of_level.peek().is_none() {
            return level < 3;
        }
        let among = |value: &Option<String>, texts: &[String]| {
            texts.is_empty() || value.as_ref().is_some_and(|value| texts.contains(value))
        };
        of_level.any(|way| {
            (way.builders.is_empty() || attestation.builder_id.as_ref().is_some_and(|id| way.builders.matches(id)))
                && (way.versions.is_empty() || way.versions.contains(&version))
                && among(&attestation.issuer, &way.issuers)
                && among(&attestation.runner_environment, &way.runners)
        })
    };
    (1..=attestation.provable_level.min(3)).rev().find(|level| reaches(*level)).unwrap_or(0)
}

/// How a policy file writes it.
#[must_use]
pub fn version_name(version: ProvenanceVersion) -> &'static str {
    match version {
        ProvenanceVersion::V02 => "0.2",
        ProvenanceVersion::V1 => "1",
    }
}

struct List(Vec<Condition>);

impl List {
    fn ask(&mut self, what: &'static str, needed_for: PolicyGrade, held: bool, expected: String, found: String) {
        self.0.push(Condition { what: what.into(), needed_for, held, expected, found });
    }
}
