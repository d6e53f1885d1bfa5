//! Expectations of a policy: `modanchor policy test`.
//!
//! Each says what a module could have to show, and which grade it must get for it. They stand in the policy file under `tests`, or
//! in a file of their own, so that a change of the policy shows what it changes.

use super::file::{self, PolicyError, Problem};
use super::judge::{Attestation, Checksums, Judge, Judgement, Kind, Replacement, Subject, grade_name};
use super::rules::{self, DEFAULT, Rules};
use super::yaml::{self, Node, Table, Value};
use crate::contract::{PolicyGrade, ProvenanceVersion};
use crate::module::{ModulePath, ModuleVersion};

/// What `schema` of a file of tests must be.
pub const SCHEMA: &str = "modanchor-policy-tests/1";

/// The most expectations.
pub const MAX_TESTS: usize = 4096;

/// The most attestations of one expectation.
pub const MAX_ATTESTATIONS: usize = 32;

const FILE_KEYS: &[&str] = &["schema", "tests"];
pub(super) const KEYS: &[&str] =
    &["attestations", "grade", "module", "replaced_by", "rule", "satisfied", "sumdb", "tuf_approved"];
pub(super) const ATTESTATION_KEYS: &[&str] = &[
    "builder_id",
    "identity",
    "issuer",
    "kind",
    "level",
    "logged",
    "own_repository",
    "provenance_version",
    "publisher",
    "runner",
    "source_repository",
];

/// One expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// 1-based.
    pub line: usize,
    /// What it is about.
    pub subject: Subject,
    /// The grade that it must have.
    pub grade: PolicyGrade,
    /// The rule that must match its path; `default`.
    pub rule: Option<String>,
    /// Whether everything that is asked for must be there.
    pub satisfied: Option<bool>,
}

/// An expectation, and what came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// 1-based.
    pub line: usize,
    /// `MODULE@VERSION`.
    pub module: String,
    /// What is not as expected, one sentence each.
    pub differences: Vec<String>,
    /// What the policy says, for the reasons.
    pub judgement: Judgement,
}

/// Reads a file of tests.
///
/// # Errors
///
/// The first [`PolicyError`].
pub fn read(bytes: &[u8]) -> Result<Vec<Expectation>, PolicyError> {
    let mut table = Table::new(yaml::read(bytes, file::MAX_FILE)?, FILE_KEYS)?;
    file::schema(&mut table, SCHEMA)?;
    list(table.need("tests")?)
}

/// Runs expectations.
#[must_use]
pub fn run(rules: &Rules, expectations: &[Expectation]) -> Vec<Tested> {
    expectations.iter().map(|expectation| one(rules, expectation)).collect()
}

fn one(rules: &Rules, expectation: &Expectation) -> Tested {
    let judgement = Judge::new(rules).judge(&expectation.subject);
    let mut differences = Vec::new();
    let mut differ = |what: &str, expected: &str, found: &str| {
        if expected != found {
            differences.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    differ("grade", grade_name(expectation.grade), grade_name(judgement.grade()));
    if let Some(rule) = &expectation.rule {
        differ("rule", rule, judgement.rulings.first().map_or(DEFAULT, |ruling| &ruling.name));
    }
    if let Some(satisfied) = expectation.satisfied {
        let text = |satisfied| if satisfied { "satisfied" } else { "not satisfied" };
        differ("policy", text(satisfied), text(judgement.satisfied()));
    }
    let module = format!("{}@{}", expectation.subject.path, expectation.subject.version);
    Tested { line: expectation.line, module, differences, judgement }
}

/// Reads `tests`.
pub(super) fn list(node: Node) -> Result<Vec<Expectation>, PolicyError> {
    let at = node.at;
    let list = node.list()?;
    rules::at_most("tests", list.len(), MAX_TESTS).map_err(|flaw| at.problem(flaw))?;
    list.into_iter().map(expectation).collect()
}

fn expectation(node: Node) -> Result<Expectation, PolicyError> {
    let mut table = Table::new(node, KEYS)?;
    let module = table.need("module")?;
    let at = module.at;
    let module = module.text()?;
    let (path, version) = module_version(&module).ok_or_else(|| at.problem(Problem::Not("`MODULE@VERSION`")))?;
    let mut replaced_by = None;
    let mut built = path.clone();
    if let Some(node) = table.take("replaced_by") {
        let at = node.at;
        let text = node.text()?;
        replaced_by = Some(if text.starts_with("./") || text.starts_with("../") {
            Replacement::Directory(text)
        } else {
            let (path, version) =
                module_version(&text).ok_or_else(|| at.problem(Problem::Not("`MODULE@VERSION` or a folder, `./…`")))?;
            built.clone_from(&path);
            Replacement::Module { path, version }
        });
    }
    let mut attestations = Vec::new();
    if let Some(node) = table.take("attestations") {
        let at = node.at;
        let items = node.items()?;
        rules::at_most("attestations", items.len(), MAX_ATTESTATIONS).map_err(|flaw| at.problem(flaw))?;
        for (i, item) in items.into_iter().enumerate() {
            attestations.push(attestation(item, i, &built)?);
        }
    }
    let line = table.at().line;
    let logged = table.flag("sumdb", true)?;
    let satisfied = match table.take("satisfied") {
        None => None,
        Some(node) => match &node.value {
            Value::Scalar { text, plain: true } if text == "true" => Some(true),
            Value::Scalar { text, plain: true } if text == "false" => Some(false),
            _ => return Err(node.at.problem(Problem::Not("`true` or `false`"))),
        },
    };
    Ok(Expectation {
        line,
        grade: file::grade(table.need("grade")?)?,
        rule: table.text("rule")?,
        satisfied,
        subject: Subject {
            path,
            version,
            replaced_by,
            checksums: if logged { Checksums::Logged } else { Checksums::Unlogged },
            tuf_approved: table.flag("tuf_approved", false)?,
            attestations,
        },
    })
}

fn attestation(node: Node, number: usize, path: &str) -> Result<Attestation, PolicyError> {
    let mut table = Table::new(node, ATTESTATION_KEYS)?;
    let level = table.level("level", 3)?;
    let version = table.take("provenance_version").map(file::provenance_version).transpose()?;
    let kind = match table.take("kind") {
        None => Kind::Provenance(version.unwrap_or(ProvenanceVersion::V1)),
        Some(node) => {
            let at = node.at;
            match node.text()?.as_str() {
                "provenance" => Kind::Provenance(version.unwrap_or(ProvenanceVersion::V1)),
                "statement" => Kind::Statement,
                "summary" => Kind::Summary { level },
                other => {
                    let value = other.to_owned();
                    let known = &["provenance", "statement", "summary"];
                    return Err(at.problem(Problem::UnknownValue { value, known }));
                }
            }
        }
    };
    // A summary of one's own says nothing of the level.
    let own = table.flag("own_repository", !matches!(kind, Kind::Summary { .. }))?;
    Ok(Attestation {
        origin: format!("attestation {}", number + 1),
        kind,
        builder_id: table.text("builder_id")?,
        issuer: table.text("issuer")?,
        identity: table.text("identity")?,
        source_repository: table.text("source_repository")?,
        source_ref: None,
        publisher: table.text("publisher")?,
        runner_environment: table.text("runner")?,
        own_repository_of: if own { vec![path.to_owned()] } else { Vec::new() },
        provable_level: level,
        logged: table.flag("logged", true)?,
    })
}

fn module_version(text: &str) -> Option<(String, String)> {
    let (path, version) = text.split_once('@')?;
    ModulePath::check(path).ok()?;
    ModuleVersion::check(path, version).ok()?;
    Some((path.to_owned(), version.to_owned()))
}
