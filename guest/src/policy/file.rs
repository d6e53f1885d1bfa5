//! The policy file (docs/policy.md, docs/policy.schema.json): YAML, read natively alone.
//!
//! What is wrong is said with its line and column, one error at a time, the first in the order of reading. Nothing is guessed:
//! an unknown key is an error, because a misspelt condition would otherwise be one that is not asked for.

use super::expect::{self, Expectation};
use super::judge::grade_named;
use super::rules::{self, Flaw, MAX_ENTRIES, MAX_LEVELS, MAX_RULES, Rules};
use super::yaml::{self, At, Node, Table};
use crate::contract::{
    IdentityMatch, Level, Policy, PolicyGrade, PolicyIdentity, PolicyRule, ProvenanceVersion, RequiredLog, Requirement,
};

/// The largest policy file, in bytes.
pub const MAX_FILE: usize = 256 << 10;

/// What `schema` must be.
pub const SCHEMA: &str = "modanchor-policy/1";

pub(super) const KEYS: &[&str] = &["default", "levels", "rules", "schema", "tests"];
pub(super) const LEVELS: &[&str] = &["1", "2", "3"];
pub(super) const LEVEL_KEYS: &[&str] = &["builder_id", "environment", "provenance_version"];
pub(super) const ENVIRONMENT_KEYS: &[&str] = &["oidc_issuer", "runner"];
pub(super) const REQUIREMENT_KEYS: &[&str] = &[
    "identities",
    "minimum_slsa_level",
    "publishers",
    "require",
    "required_log",
    "required_tuf_approval",
    "source_repositories",
];
pub(super) const RULE_KEYS: &[&str] = &[
    "identities",
    "minimum_slsa_level",
    "modules",
    "name",
    "publishers",
    "require",
    "required_log",
    "required_tuf_approval",
    "source_repositories",
];
pub(super) const IDENTITY_KEYS: &[&str] = &["identity", "identity_pattern", "issuer"];

/// What is wrong with a policy file, a file of tests or a baseline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {problem}")]
pub struct PolicyError {
    /// 1-based.
    pub line: usize,
    /// 1-based, in characters.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at one place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Too many bytes.
    #[error("the file may have {most} bytes")]
    Large {
        /// How many there may be.
        most: usize,
    },
    /// Not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// U+FEFF at the start.
    #[error("a byte order mark: save the file as UTF-8 without it")]
    ByteOrderMark,
    /// Not YAML.
    #[error("not YAML: {0}")]
    Yaml(String),
    /// No document.
    #[error("there is nothing in the file")]
    Nothing,
    /// More than one document.
    #[error("a second document: a file holds one")]
    Documents,
    /// Too deep.
    #[error("lists and mappings lie too deep in each other")]
    Deep,
    /// `&name`
    #[error("anchors are not allowed: write what is meant where it is meant")]
    Anchor,
    /// `*name`
    #[error("aliases are not allowed; a text that begins with `*` must be in quotes")]
    Alias,
    /// `!tag`
    #[error("tags are not allowed; a text that begins with `!` must be in quotes")]
    Tag,
    /// `<<`
    #[error("merge keys are not allowed: write what is meant where it is meant")]
    MergeKey,
    /// A key that is no text.
    #[error("a key must be text")]
    Key,
    /// A key twice.
    #[error("a second `{0}` in one mapping")]
    SameKey(String),
    /// A key that means nothing here. What was probably meant is one of `known`.
    #[error("unknown key `{key}`")]
    UnknownKey {
        /// As written.
        key: String,
        /// What may stand here.
        known: &'static [&'static str],
    },
    /// A value that means nothing here. What was probably meant is one of `known`.
    #[error("unknown value `{value}`: one of {}", .known.join(", "))]
    UnknownValue {
        /// As written.
        value: String,
        /// What may stand here.
        known: &'static [&'static str],
    },
    /// A key that must be there.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// Another type of value.
    #[error("this must be {0}")]
    Not(&'static str),
    /// Text that YAML takes for something else.
    #[error("`{0}` without quotes is no text in YAML: put it in quotes, or say what is meant")]
    Unquoted(String),
    /// A list of nothing.
    #[error("an empty list says nothing: leave the key out")]
    EmptyList,
    /// Two keys that say the same.
    #[error("one of `{0}` and `{1}`, and not both")]
    OneOf(&'static str, &'static str),
    /// Another format.
    #[error("`schema` must be `{0}`")]
    Schema(&'static str),
    /// No module path.
    #[error("`{0}` is no module path")]
    ModulePath(String),
    /// What it says makes no sense.
    #[error(transparent)]
    Flaw(#[from] Flaw),
}

/// What a policy file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    /// For the core, which will find it sound; without a baseline.
    pub policy: Policy,
    /// What its author expects of it.
    pub tests: Vec<Expectation>,
}

/// Reads a policy file. `set_by`: by whose word, for messages.
///
/// # Errors
///
/// The first [`PolicyError`].
pub fn read(bytes: &[u8], set_by: &str) -> Result<PolicyFile, PolicyError> {
    let mut table = Table::new(yaml::read(bytes, MAX_FILE)?, KEYS)?;
    schema(&mut table, SCHEMA)?;
    let levels = table.take("levels").map_or_else(|| Ok(Vec::new()), levels)?;
    let mut rules: Vec<PolicyRule> = Vec::new();
    if let Some(list) = table.take("rules") {
        let at = list.at;
        let list = list.list()?;
        sound(at, rules::at_most("rules", list.len(), MAX_RULES))?;
        for node in list {
            let at = node.at;
            let rule = rule(node)?;
            if rules.iter().any(|other| other.name == rule.name) {
                return Err(at.problem(Flaw::SameName(rule.name)));
            }
            rules.push(rule);
        }
    }
    let mut default = Table::new(table.need("default")?, REQUIREMENT_KEYS)?;
    let default_at = default.at();
    let default = requirement(&mut default)?;
    sound(default_at, rules::asked(&default))?;
    let tests = table.take("tests").map_or_else(|| Ok(Vec::new()), expect::list)?;
    let policy = Policy { set_by: set_by.to_owned(), levels, rules, default, baseline: None };
    // What only the whole can lack.
    sound(table.at(), Rules::new(&policy))?;
    Ok(PolicyFile { policy, tests })
}

/// Checks the format's name.
pub(super) fn schema(table: &mut Table, wanted: &'static str) -> Result<(), PolicyError> {
    let schema = table.need("schema")?;
    let at = schema.at;
    if schema.text()? != wanted {
        return Err(at.problem(Problem::Schema(wanted)));
    }
    Ok(())
}

fn sound<T>(at: At, checked: Result<T, Flaw>) -> Result<T, PolicyError> {
    checked.map_err(|flaw| at.problem(flaw))
}

fn levels(node: Node) -> Result<Vec<Level>, PolicyError> {
    let at = node.at;
    let mut table = Table::new(node, LEVELS)?;
    let mut levels = Vec::new();
    for (level, key) in (1..=3).zip(LEVELS) {
        let Some(node) = table.take(key) else { continue };
        for way in node.items()? {
            let at = way.at;
            let way = self::level(level, way)?;
            sound(at, rules::way(&way))?;
            levels.push(way);
        }
    }
    sound(at, rules::at_most("levels", levels.len(), MAX_LEVELS))?;
    Ok(levels)
}

fn level(level: u8, node: Node) -> Result<Level, PolicyError> {
    let mut table = Table::new(node, LEVEL_KEYS)?;
    let builder_ids = checked(table.texts("builder_id")?, |text| rules::glob(text).map(drop))?;
    let mut provenance_versions = Vec::new();
    if let Some(node) = table.take("provenance_version") {
        for item in node.items()? {
            let version = provenance_version(item)?;
            if !provenance_versions.contains(&version) {
                provenance_versions.push(version);
            }
        }
    }
    let mut oidc_issuers = Vec::new();
    let mut runner_environments = Vec::new();
    if let Some(node) = table.take("environment") {
        let mut table = Table::new(node, ENVIRONMENT_KEYS)?;
        oidc_issuers = checked(table.texts("oidc_issuer")?, rules::issuer)?;
        runner_environments = checked(table.texts("runner")?, rules::exact)?;
    }
    Ok(Level { level, provenance_versions, builder_ids, oidc_issuers, runner_environments })
}

/// `0.2`, `1`, or SLSA's own `1.0`.
pub(super) fn provenance_version(node: Node) -> Result<ProvenanceVersion, PolicyError> {
    let at = node.at;
    match node.word()?.as_str() {
        "0.2" => Ok(ProvenanceVersion::V02),
        "1" | "1.0" => Ok(ProvenanceVersion::V1),
        other => Err(at.problem(Problem::UnknownValue { value: other.to_owned(), known: &["0.2", "1"] })),
    }
}

/// A grade by its name.
pub(super) fn grade(node: Node) -> Result<PolicyGrade, PolicyError> {
    let at = node.at;
    let value = node.text()?;
    grade_named(&value)
        .ok_or_else(|| at.problem(Problem::UnknownValue { value, known: &["trusted", "verified", "unverified"] }))
}

fn rule(node: Node) -> Result<PolicyRule, PolicyError> {
    let mut table = Table::new(node, RULE_KEYS)?;
    let name = table.need("name")?;
    let at = name.at;
    let name = name.text()?;
    sound(at, rules::name(&name))?;
    let modules = table.texts("modules")?;
    if modules.is_empty() {
        return Err(table.at().problem(Problem::Missing("modules")));
    }
    let modules = checked(modules, |text| rules::module_glob(text).map(drop))?;
    let at = table.at();
    let rule = PolicyRule { name, modules, requirement: requirement(&mut table)? };
    sound(at, rules::matched(&rule))?;
    Ok(rule)
}

fn requirement(table: &mut Table) -> Result<Requirement, PolicyError> {
    let mut logs = Vec::new();
    if let Some(node) = table.take("required_log") {
        for item in node.items()? {
            let at = item.at;
            let log = match item.text()?.as_str() {
                "sumdb" => RequiredLog::Sumdb,
                "rekor" => RequiredLog::Rekor,
                other => {
                    let value = other.to_owned();
                    return Err(at.problem(Problem::UnknownValue { value, known: &["sumdb", "rekor"] }));
                }
            };
            if !logs.contains(&log) {
                logs.push(log);
            }
        }
    }
    let mut identities = Vec::new();
    if let Some(node) = table.take("identities") {
        identities = node.items()?.into_iter().map(identity).collect::<Result<_, _>>()?;
    }
    let glob = |text: &str| rules::glob(text).map(drop);
    Ok(Requirement {
        grade: grade(table.need("require")?)?,
        identities,
        source_repositories: checked(table.texts("source_repositories")?, glob)?,
        minimum_slsa_level: table.level("minimum_slsa_level", 0)?,
        publishers: checked(table.texts("publishers")?, glob)?,
        tuf_approval: table.flag("required_tuf_approval", false)?,
        logs,
    })
}

fn identity(node: Node) -> Result<PolicyIdentity, PolicyError> {
    let mut table = Table::new(node, IDENTITY_KEYS)?;
    let name = match (table.text("identity")?, table.text("identity_pattern")?) {
        (Some(text), None) => IdentityMatch::Exact(text),
        (None, Some(pattern)) => IdentityMatch::Pattern(pattern),
        _ => return Err(table.at().problem(Problem::OneOf("identity", "identity_pattern"))),
    };
    let identity = PolicyIdentity { name, issuer: table.need("issuer")?.text()? };
    sound(table.at(), rules::signer(&identity))?;
    Ok(identity)
}

/// Texts that make sense, one by one, and are not too many.
fn checked(texts: Vec<(String, At)>, check: impl Fn(&str) -> Result<(), Flaw>) -> Result<Vec<String>, PolicyError> {
    if let Some((_, at)) = texts.get(MAX_ENTRIES) {
        return Err(at.problem(Flaw::TooMany { what: "entries", most: MAX_ENTRIES }));
    }
    texts.into_iter().map(|(text, at)| sound(at, check(&text)).map(|()| text)).collect()
}
