//! The configuration: a TOML file that the user names with `--config` (docs/configuration.md,
//! docs/config.schema.json).
//!
//! # Security
//!
//! A configuration can ignore findings, say which tree head must be on the timeline, and whose approval modules need, so
//! it is read only where the user, and not the checkout, says so: a `.modanchor.toml` in what is judged is noted and left
//! alone ([`found_but_not_read`]). It holds no URL or key of a database and no skip pattern; those come from flags and
//! the environment. The URLs of TUF repositories, the files with trusted roots, and where attestations are it does name:
//! whoever may say which configuration counts may say that too, and files of what is judged are read as its own base has
//! them ([`super::trusted`]). What the checksum database did wrong cannot be ignored.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use serde::Deserialize;
use toml::{Spanned, de::DeTable, de::DeValue, value::Datetime};

use modanchor_core::contract::Policy;
use modanchor_core::module::Patterns;
use modanchor_core::policy::baseline::{self, MAX_BASELINE};
use modanchor_core::policy::file::{self as policy_file, MAX_FILE};
use modanchor_core::report::rules;

use super::{
    args, did_you_mean,
    paths::{PathError, read_regular, told},
    signatures,
};
use crate::contract::{Ignore, Mapping, Repositories, Repository};
use crate::fetch::{TargetsAt, Template, TufSource};

/// The largest configuration, in bytes.
pub const MAX_CONFIG: u64 = 1 << 20;

/// Where a checkout may hold a configuration, relative to its root.
pub const NAMES: [&str; 2] = [".modanchor.toml", ".github/modanchor.toml"];

/// The keys of each table, in the order of docs/config.schema.json.
const ROOT_KEYS: &[&str] = &["exclude", "ignore", "policy", "sigstore", "sumdb", "tuf"];
const POLICY_KEYS: &[&str] = &["baseline", "file"];
const SIGSTORE_KEYS: &[&str] = &["attestations", "rekor", "trusted-root"];
const SUMDB_KEYS: &[&str] = &["max-age", "pinned-head", "quorum", "witnesses"];
const IGNORE_KEYS: &[&str] = &["expires", "module", "reason", "rule"];
const TUF_KEYS: &[&str] = &["map", "repository", "required"];
const TUF_REPOSITORY_KEYS: &[&str] = &["modules", "name", "role", "targets-url", "trusted-root", "url"];
const TUF_MAP_KEYS: &[&str] = &["modules", "repositories", "terminating", "threshold"];

/// The largest trusted root, in bytes: twice what TUF clients let a repository serve.
pub const MAX_TRUSTED_ROOT: u64 = 1 << 20;

/// The longest name of a repository, in bytes.
pub const MAX_REPOSITORY_NAME: usize = 64;

/// A whole configuration; the default is that of no file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    /// Left out below PATH, like `--exclude`, and in addition to it.
    pub exclude: Vec<String>,
    /// What is not reported. The rules exist and may be ignored.
    pub ignores: Vec<Ignore>,
    /// What is asked of the checksum database beyond what Go asks.
    pub sumdb: SumdbConfig,
    /// Whose approval modules need.
    pub tuf: TufConfig,
    /// Which grade modules must have.
    pub policy: PolicyConfig,
    /// Whose signatures count, and where they are.
    pub sigstore: SigstoreConfig,
}

/// `[sigstore]`. The trusted root is the core's to check.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SigstoreConfig {
    /// In place of the roots that ship with the program.
    pub trusted_root: Option<RootFile>,
    /// Where attestations are looked for. None: nothing is said; empty: nowhere.
    pub attestations: Option<Vec<AttestationPlace>>,
    /// Whether Rekor may be asked.
    pub rekor: Option<bool>,
}

/// A file with a trusted root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFile {
    /// As written.
    pub path: PathBuf,
    /// What is in it, once it is read ([`Config::load`]).
    pub content: Vec<u8>,
    /// By whose word, for messages.
    pub set_by: String,
}

/// Where attestations are looked for: `module-cache`, `proxy`, `github`, `folder:DIR` or `template:URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttestationPlace {
    /// Beside the zip in the module cache.
    ModuleCache,
    /// Beside the zip at module proxies.
    Proxy,
    /// GitHub's attestations of the module's repository.
    GitHub,
    /// A folder, laid out as a proxy is. Of a configuration: relative to it, until [`Config::load`].
    Folder(PathBuf),
    /// A URL for each module version.
    Template(Template),
}

impl AttestationPlace {
    /// What is written before a `:`, or alone.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ModuleCache => "module-cache",
            Self::Proxy => "proxy",
            Self::GitHub => "github",
            Self::Folder(_) => "folder",
            Self::Template(_) => "template",
        }
    }
}

impl FromStr for AttestationPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "module-cache" => Ok(Self::ModuleCache),
            None if text == "proxy" => Ok(Self::Proxy),
            None if text == "github" => Ok(Self::GitHub),
            Some(("folder", folder)) if !folder.is_empty() => Ok(Self::Folder(folder.into())),
            Some(("template", url)) => url.parse().map(Self::Template).map_err(|error| format!("template: {error}")),
            _ => Err("expected module-cache, proxy, github, folder:DIR or template:URL".to_owned()),
        }
    }
}

/// `[policy]`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PolicyConfig {
    /// The policy file, as written.
    pub file: Option<PathBuf>,
    /// The baseline, as written; only with a policy.
    pub baseline: Option<PathBuf>,
    /// What is in them, once they are read ([`Config::load`]).
    pub policy: Option<Policy>,
}

impl PolicyConfig {
    /// Reads the files that it names with `read`, which gets a path as it is written and how large the file may be. `set_by`: by
    /// whose word, for messages.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Policy`].
    pub fn load<E: std::fmt::Display>(
        &mut self,
        set_by: &str,
        read: &mut impl FnMut(&Path, u64) -> Result<Vec<u8>, E>,
    ) -> Result<(), ConfigError> {
        let failed = |key, why| ConfigError::Policy { set_by: set_by.to_owned(), key, why };
        let Some(file) = &self.file else { return Ok(()) };
        let name = file.display().to_string();
        let bytes = read(file, MAX_FILE as u64).map_err(|error| failed("file", error.to_string()))?;
        let read_file =
            policy_file::read(&bytes, &name).map_err(|error| failed("file", super::policy::told(&name, &error)))?;
        let mut policy = read_file.policy;
        policy.set_by = told(file);
        if let Some(file) = &self.baseline {
            let name = file.display().to_string();
            let bytes = read(file, MAX_BASELINE as u64).map_err(|error| failed("baseline", error.to_string()))?;
            let floors =
                baseline::read(&bytes).map_err(|error| failed("baseline", super::policy::told(&name, &error)))?;
            policy.baseline = Some(floors);
        }
        self.policy = Some(policy);
        Ok(())
    }
}

/// `[tuf]`. Names, globs and thresholds make sense; the roots are the core's to check.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TufConfig {
    /// In the order of the file.
    pub repositories: Vec<TufRepository>,
    /// Which of them must agree.
    pub map: Vec<Mapping>,
    /// Whether a module that none covers is a finding.
    pub required: bool,
    /// By whose word, for messages.
    set_by: String,
}

/// `[[tuf.repository]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufRepository {
    /// What it is called.
    pub name: String,
    /// A URL, or an absolute path.
    pub url: String,
    /// The same, if it is not the folder above `url`.
    pub targets_url: Option<String>,
    /// The file with the root that is trusted, as written.
    pub trusted_root: PathBuf,
    /// What is in it, once it is read ([`Config::load`]).
    pub root: Vec<u8>,
    /// Comma-separated globs.
    pub modules: String,
    /// The role that must approve.
    pub role: Option<String>,
}

impl TufConfig {
    /// For the core.
    pub fn repositories(&self) -> Repositories {
        let repository = |repository: &TufRepository| Repository {
            name: repository.name.clone(),
            trusted_root: repository.root.clone(),
            set_by: self.set_by.clone(),
            modules: repository.modules.clone(),
            role: repository.role.clone(),
        };
        Repositories {
            all: self.repositories.iter().map(repository).collect(),
            map: self.map.clone(),
            required: self.required,
        }
    }

    /// For the fetcher.
    pub fn sources(&self) -> Vec<TufSource> {
        let source = |repository: &TufRepository| TufSource {
            name: repository.name.clone(),
            metadata: repository.url.clone(),
            targets: repository.targets_url.clone().map_or(TargetsAt::Above, TargetsAt::Url),
            set_by: self.set_by.clone(),
        };
        self.repositories.iter().map(source).collect()
    }
}

impl Config {
    /// Reads its policy and its trusted roots with `read`, which gets the path as it is written and how large the file may be,
    /// and makes folders that stand for servers absolute: they are relative to `folder`. `set_by`: by whose word, for
    /// messages.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Policy`], [`ConfigError::Repository`], [`ConfigError::Sigstore`].
    pub fn load<E: std::fmt::Display>(
        &mut self,
        set_by: &str,
        folder: &Path,
        mut read: impl FnMut(&Path, u64) -> Result<Vec<u8>, E>,
    ) -> Result<(), ConfigError> {
        self.policy.load(set_by, &mut read)?;
        let failed = |key, why: String| ConfigError::Sigstore { set_by: set_by.to_owned(), key, why };
        if let Some(root) = &mut self.sigstore.trusted_root {
            root.content =
                read(&root.path, MAX_TRUSTED_ROOT).map_err(|error| failed("trusted-root", error.to_string()))?;
            root.set_by = format!("{}: [sigstore] trusted-root", told(Path::new(set_by)));
        }
        for place in self.sigstore.attestations.iter_mut().flatten() {
            if let AttestationPlace::Folder(path) = place {
                *path = std::path::absolute(folder.join(&*path))
                    .map_err(|error| failed("attestations", format!("{}: {error}", path.display())))?;
            }
        }
        if self.tuf.repositories.is_empty() {
            return Ok(());
        }
        self.tuf.set_by = told(Path::new(set_by));
        for repository in &mut self.tuf.repositories {
            let failed = |name: &str, key, why: String| ConfigError::Repository {
                set_by: set_by.to_owned(),
                name: name.to_owned(),
                key,
                why,
            };
            repository.root = read(&repository.trusted_root, MAX_TRUSTED_ROOT)
                .map_err(|error| failed(&repository.name, "trusted-root", error.to_string()))?;
            for (key, url) in [("url", Some(&mut repository.url)), ("targets-url", repository.targets_url.as_mut())] {
                if let Some(url) = url.filter(|url| !url.contains("://")) {
                    *url = absolute(folder, url).map_err(|error| failed(&repository.name, key, error))?;
                }
            }
        }
        Ok(())
    }
}

/// A folder that stands for a server, as an absolute path.
pub(super) fn absolute(folder: &Path, path: &str) -> Result<String, String> {
    let absolute = std::path::absolute(folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
    absolute.into_os_string().into_string().map_err(|_| format!("{path}: the path to it is not valid UTF-8"))
}

/// `[sumdb]`. The keys and the head are the core's to check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SumdbConfig {
    /// A signed tree head that must lie on the timeline: the text of the signed note.
    pub pinned_head: Option<Vec<u8>>,
    /// Verifier keys of witnesses.
    pub witnesses: Vec<String>,
    /// How many of them must have cosigned: 1 to their number, all of them by default; 0 without witnesses.
    pub quorum: u32,
    /// How old the newest head may be, in whole seconds, at least one.
    pub max_age: Option<u64>,
}

/// Why a configuration cannot be used. Exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(transparent)]
    Read(#[from] PathError),
    /// What it says of a TUF repository leads nowhere.
    #[error("{set_by}: [[tuf.repository]] {name}: {key}: {why}")]
    Repository {
        /// By whose word.
        set_by: String,
        /// Which.
        name: String,
        /// Which key.
        key: &'static str,
        /// What is wrong.
        why: String,
    },
    /// The policy, or its baseline, cannot be used.
    #[error("{set_by}: [policy] {key}: {why}")]
    Policy {
        /// By whose word.
        set_by: String,
        /// Which key.
        key: &'static str,
        /// What is wrong.
        why: String,
    },
    /// What it says of Sigstore leads nowhere.
    #[error("{set_by}: [sigstore] {key}: {why}")]
    Sigstore {
        /// By whose word.
        set_by: String,
        /// Which key.
        key: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Its text is wrong.
    #[error("{file}:{line}:{column}: {problem}", file = .file.display())]
    Text {
        /// Which file.
        file: PathBuf,
        /// 1-based.
        line: usize,
        /// 1-based, in characters.
        column: usize,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What is wrong at one place of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Not UTF-8.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// Not TOML, a key that is missing, or a value of another type.
    #[error("{0}")]
    Toml(String),
    /// A key that means nothing here.
    #[error("unknown key `{key}`{}", suggestion(.meant))]
    UnknownKey {
        /// As written.
        key: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// An ignore of a rule that does not exist.
    #[error("unknown rule `{rule}`{}", suggestion(.meant))]
    UnknownRule {
        /// As written.
        rule: String,
        /// What was probably meant.
        meant: Option<&'static str>,
    },
    /// An ignore of what a checksum database did wrong.
    #[error(
        "`{0}` cannot be ignored: it says that the checksum database, or somebody in between, is not to be believed"
    )]
    NotIgnorable(String),
    /// An ignore of what could not be checked.
    #[error("`unchecked` cannot be ignored: `--allow-incomplete` lets a run pass although something was not checked")]
    Unchecked,
    /// A text with nothing in it.
    #[error("`{0}` must not be empty")]
    Empty(&'static str),
    /// A floor for nothing.
    #[error("`baseline` needs `file`, the policy whose floor it is")]
    BaselineAlone,
    /// Not a day.
    #[error("`expires` must be a date such as 2027-01-31")]
    NotADate,
    /// Not a length of time, or less than a second.
    #[error("`max-age`: {0}")]
    MaxAge(String),
    /// More or less than there are witnesses.
    #[error("`quorum` must be from 1 to the number of witnesses, {0}")]
    Quorum(usize),
    /// No name of a repository.
    #[error("`name` must be up to {MAX_REPOSITORY_NAME} letters, digits, `-`, `_` and `.`")]
    RepositoryName,
    /// The name of one that the program brings along.
    #[error("`{0}` is the repository of a trusted root that ships with modanchor; choose another name")]
    ReservedName(String),
    /// Two repositories of one name, or one repository twice in an entry of the map, where it would count twice.
    #[error("`{0}` is there twice")]
    Twice(String),
    /// An entry of the map that names a repository that does not exist.
    #[error("there is no repository `{name}`{}", suggestion(.meant))]
    UnknownRepository {
        /// As written.
        name: String,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A glob that matches nothing.
    #[error("`{0}` is no glob as in GOPRIVATE: it matches no module")]
    Glob(String),
    /// An array with nothing in it.
    #[error("`{0}` must name at least one")]
    None(&'static str),
    /// More or less than there are repositories.
    #[error("`threshold` must be from 1 to the number of repositories, {0}")]
    Threshold(usize),
    /// No place of attestations.
    #[error("`attestations`: {0}")]
    Attestations(String),
    /// Modules must be approved, and nobody can.
    #[error("`required` needs a [[tuf.repository]]: without one no module can be approved")]
    NobodyApproves,
}

fn suggestion(meant: &Option<impl std::fmt::Display>) -> String {
    meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"))
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    exclude: Vec<Spanned<String>>,
    #[serde(default)]
    ignore: Vec<IgnoreEntry>,
    #[serde(default)]
    sumdb: Sumdb,
    #[serde(default)]
    tuf: Tuf,
    #[serde(default)]
    policy: PolicyEntry,
    #[serde(default)]
    sigstore: Sigstore,
}

#[derive(Deserialize, Default)]
struct PolicyEntry {
    file: Option<Spanned<String>>,
    baseline: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Sigstore {
    trusted_root: Option<Spanned<String>>,
    attestations: Option<Vec<Spanned<String>>>,
    rekor: Option<bool>,
}

#[derive(Deserialize, Default)]
struct Tuf {
    #[serde(default)]
    repository: Vec<RepositoryEntry>,
    #[serde(default)]
    map: Vec<MapEntry>,
    required: Option<Spanned<bool>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RepositoryEntry {
    name: Spanned<String>,
    url: Spanned<String>,
    targets_url: Option<Spanned<String>>,
    trusted_root: Spanned<String>,
    modules: Spanned<Vec<Spanned<String>>>,
    role: Option<Spanned<String>>,
}

#[derive(Deserialize)]
struct MapEntry {
    modules: Spanned<Vec<Spanned<String>>>,
    repositories: Spanned<Vec<Spanned<String>>>,
    threshold: Option<Spanned<u32>>,
    #[serde(default)]
    terminating: bool,
}

#[derive(Deserialize)]
struct IgnoreEntry {
    rule: Spanned<String>,
    module: Spanned<String>,
    reason: Spanned<String>,
    expires: Option<Spanned<Expires>>,
}

/// TOML's own date, or the same as a string, as editors that know JSON Schema write it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expires {
    Date(Datetime),
    Text(String),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
struct Sumdb {
    pinned_head: Option<Spanned<String>>,
    #[serde(default)]
    witnesses: Vec<Spanned<String>>,
    quorum: Option<Spanned<u32>>,
    max_age: Option<Spanned<String>>,
}

type At = (Range<usize>, Problem);

/// Reads the configuration that the user named.
///
/// # Errors
///
/// See [`ConfigError`].
pub fn read(file: &Path) -> Result<Config, ConfigError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    read_with(file, |named, most| read_regular(&folder.join(named), most))
}

/// [`read`], with a say in how the files that it names are read: `named` gets their paths as they are written, and their limits.
pub(super) fn read_with<E: std::fmt::Display>(
    file: &Path,
    named: impl FnMut(&Path, u64) -> Result<Vec<u8>, E>,
) -> Result<Config, ConfigError> {
    let mut config = of_bytes(file, &read_regular(file, MAX_CONFIG)?)?;
    config.load(&file.display().to_string(), file.parent().unwrap_or(Path::new("")), named)?;
    Ok(config)
}

/// Reads a trusted root.
pub(super) fn read_root(file: &Path) -> Result<Vec<u8>, PathError> {
    read_regular(file, MAX_TRUSTED_ROOT)
}

/// Reads the text of a configuration; `file` is where it is from, for messages. What it names is not read:
/// [`Config::load`].
///
/// # Errors
///
/// [`ConfigError::Text`].
pub fn of_bytes(file: &Path, bytes: &[u8]) -> Result<Config, ConfigError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = &bytes[..error.valid_up_to()];
        let (line, column) = position(&String::from_utf8_lossy(valid), valid.len());
        ConfigError::Text { file: file.to_path_buf(), line, column, problem: Problem::NotUtf8 }
    })?;
    parse(text).map_err(|(span, problem)| {
        let (line, column) = position(text, span.start);
        ConfigError::Text { file: file.to_path_buf(), line, column, problem }
    })
}

/// 1-based line and column, in characters, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(offset)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

fn parse(text: &str) -> Result<Config, At> {
    let toml_error = |error: toml::de::Error| {
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        (error.span().unwrap_or(0..0), Problem::Toml(message))
    };
    let table = DeTable::parse(text).map_err(toml_error)?;
    known_keys(table.get_ref())?;
    let file: File = toml::from_str(text).map_err(toml_error)?;
    Ok(Config {
        exclude: file.exclude.into_iter().map(|glob| filled(glob, "exclude")).collect::<Result<_, _>>()?,
        ignores: file.ignore.into_iter().map(ignore).collect::<Result<_, _>>()?,
        sumdb: sumdb(file.sumdb)?,
        tuf: tuf(file.tuf)?,
        policy: policy(file.policy)?,
        sigstore: sigstore(file.sigstore)?,
    })
}

fn policy(entry: PolicyEntry) -> Result<PolicyConfig, At> {
    if let (None, Some(baseline)) = (&entry.file, &entry.baseline) {
        return Err((baseline.span(), Problem::BaselineAlone));
    }
    let path = |text: Option<Spanned<String>>, key| text.map(|text| filled(text, key).map(PathBuf::from)).transpose();
    Ok(PolicyConfig { file: path(entry.file, "file")?, baseline: path(entry.baseline, "baseline")?, policy: None })
}

/// Serde's own check cannot say what was meant, and its error names no table.
fn known_keys(root: &DeTable<'_>) -> Result<(), At> {
    check_keys(root, ROOT_KEYS)?;
    for (key, value) in root {
        match (key.get_ref().as_ref(), value.get_ref()) {
            ("policy", DeValue::Table(table)) => check_keys(table, POLICY_KEYS)?,
            ("sumdb", DeValue::Table(table)) => check_keys(table, SUMDB_KEYS)?,
            ("sigstore", DeValue::Table(table)) => check_keys(table, SIGSTORE_KEYS)?,
            ("ignore", entries) => check_entries(entries, IGNORE_KEYS)?,
            ("tuf", DeValue::Table(table)) => {
                check_keys(table, TUF_KEYS)?;
                for (key, value) in table {
                    match key.get_ref().as_ref() {
                        "repository" => check_entries(value.get_ref(), TUF_REPOSITORY_KEYS)?,
                        "map" => check_entries(value.get_ref(), TUF_MAP_KEYS)?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// The keys of tables in an array.
fn check_entries(value: &DeValue<'_>, known: &'static [&'static str]) -> Result<(), At> {
    let DeValue::Array(entries) = value else { return Ok(()) };
    entries.iter().try_for_each(|entry| match entry.get_ref() {
        DeValue::Table(table) => check_keys(table, known),
        _ => Ok(()),
    })
}

fn check_keys(table: &DeTable<'_>, known: &'static [&'static str]) -> Result<(), At> {
    let first = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).min_by_key(|key| key.span().start);
    first.map_or(Ok(()), |key| {
        let written = key.get_ref().to_string();
        let meant = did_you_mean(&written, known.iter().copied());
        Err((key.span(), Problem::UnknownKey { key: written, meant }))
    })
}

fn filled(text: Spanned<String>, key: &'static str) -> Result<String, At> {
    if text.get_ref().trim().is_empty() {
        return Err((text.span(), Problem::Empty(key)));
    }
    Ok(text.into_inner())
}

fn ignore(entry: IgnoreEntry) -> Result<Ignore, At> {
    let span = entry.rule.span();
    let id = entry.rule.into_inner();
    let Some(rule) = rules::find(&id) else {
        let meant = did_you_mean(&id, rules::ALL.iter().map(|rule| rule.id));
        return Err((span, Problem::UnknownRule { rule: id, meant }));
    };
    if rule.id == rules::unchecked::RULE.id {
        return Err((span, Problem::Unchecked));
    }
    if !rule.ignorable() {
        return Err((span, Problem::NotIgnorable(id)));
    }
    Ok(Ignore {
        rule: id,
        module: filled(entry.module, "module")?,
        reason: filled(entry.reason, "reason")?,
        expires: entry.expires.map(expires).transpose()?,
    })
}

/// `YYYY-MM-DD` of a day that exists.
fn expires(value: Spanned<Expires>) -> Result<String, At> {
    let span = value.span();
    let date = match value.into_inner() {
        Expires::Date(date) => Some(date),
        Expires::Text(text) => text.parse().ok(),
    };
    match date {
        Some(Datetime { date: Some(date), time: None, offset: None }) => Ok(date.to_string()),
        _ => Err((span, Problem::NotADate)),
    }
}

fn sumdb(sumdb: Sumdb) -> Result<SumdbConfig, At> {
    let witnesses = sumdb.witnesses.into_iter().map(|key| filled(key, "witnesses")).collect::<Result<Vec<_>, _>>()?;
    let count = u32::try_from(witnesses.len()).expect("a configuration of 1 MiB");
    let quorum = match sumdb.quorum {
        None => count,
        Some(quorum) if (1..=count).contains(quorum.get_ref()) => quorum.into_inner(),
        Some(quorum) => return Err((quorum.span(), Problem::Quorum(witnesses.len()))),
    };
    Ok(SumdbConfig {
        pinned_head: sumdb.pinned_head.map(|head| filled(head, "pinned-head")).transpose()?.map(String::into_bytes),
        witnesses,
        quorum,
        max_age: sumdb.max_age.map(max_age).transpose()?,
    })
}

fn sigstore(sigstore: Sigstore) -> Result<SigstoreConfig, At> {
    let root = sigstore.trusted_root.map(|path| filled(path, "trusted-root")).transpose()?;
    let trusted_root = root.map(|path| RootFile { path: path.into(), content: Vec::new(), set_by: String::new() });
    let attestations = sigstore.attestations.map(attestation_places).transpose()?;
    Ok(SigstoreConfig { trusted_root, attestations, rekor: sigstore.rekor })
}

fn attestation_places(texts: Vec<Spanned<String>>) -> Result<Vec<AttestationPlace>, At> {
    let mut places: Vec<AttestationPlace> = Vec::new();
    for text in texts {
        let place = text.get_ref().parse::<AttestationPlace>();
        let place = place.map_err(|why| (text.span(), Problem::Attestations(why)))?;
        if let Some(kind) = twice(&places, &place) {
            return Err((text.span(), Problem::Twice(kind.to_owned())));
        }
        places.push(place);
    }
    Ok(places)
}

/// The kind of a place of which there is one already: there can be one folder, one template.
pub(super) fn twice(places: &[AttestationPlace], place: &AttestationPlace) -> Option<&'static str> {
    places.iter().any(|other| other.kind() == place.kind()).then(|| place.kind())
}

fn tuf(tuf: Tuf) -> Result<TufConfig, At> {
    let mut repositories: Vec<TufRepository> = Vec::new();
    for entry in tuf.repository {
        let span = entry.name.span();
        let name = entry.name.into_inner();
        if !is_repository_name(&name) {
            return Err((span, Problem::RepositoryName));
        }
        if signatures::REPOSITORIES.contains(&name.as_str()) {
            return Err((span, Problem::ReservedName(name)));
        }
        if repositories.iter().any(|other| other.name == name) {
            return Err((span, Problem::Twice(name)));
        }
        repositories.push(TufRepository {
            name,
            url: filled(entry.url, "url")?,
            targets_url: entry.targets_url.map(|url| filled(url, "targets-url")).transpose()?,
            trusted_root: filled(entry.trusted_root, "trusted-root")?.into(),
            root: Vec::new(),
            modules: globs(entry.modules)?,
            role: entry.role.map(|role| filled(role, "role")).transpose()?,
        });
    }
    let map = tuf.map.into_iter().map(|entry| mapping(entry, &repositories)).collect::<Result<_, _>>()?;
    let required = tuf.required.as_ref().is_some_and(|required| *required.get_ref());
    match tuf.required.filter(|_| required && repositories.is_empty()) {
        Some(required) => Err((required.span(), Problem::NobodyApproves)),
        None => Ok(TufConfig { repositories, map, required, set_by: String::new() }),
    }
}

/// Letters, digits, `-`, `_` and `.`.
fn is_repository_name(name: &str) -> bool {
    (1..=MAX_REPOSITORY_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// Globs as in GOPRIVATE, separated by commas. One that matches nothing would leave modules unapproved without a word.
fn globs(modules: Spanned<Vec<Spanned<String>>>) -> Result<String, At> {
    if modules.get_ref().is_empty() {
        return Err((modules.span(), Problem::None("modules")));
    }
    let globs = modules.into_inner().into_iter().map(|glob| {
        let span = glob.span();
        let glob = filled(glob, "modules")?;
        let odd = glob.contains(|c: char| c == ',' || c.is_whitespace());
        match odd || Patterns::new(&glob) == Patterns::default() {
            true => Err((span, Problem::Glob(glob))),
            false => Ok(glob),
        }
    });
    Ok(globs.collect::<Result<Vec<_>, _>>()?.join(","))
}

fn mapping(entry: MapEntry, repositories: &[TufRepository]) -> Result<Mapping, At> {
    if entry.repositories.get_ref().is_empty() {
        return Err((entry.repositories.span(), Problem::None("repositories")));
    }
    let mut names: Vec<String> = Vec::new();
    for name in entry.repositories.into_inner() {
        let span = name.span();
        let name = name.into_inner();
        if names.contains(&name) {
            return Err((span, Problem::Twice(name)));
        }
        if !repositories.iter().any(|repository| repository.name == name) {
            let known = repositories.iter().map(|repository| repository.name.as_str());
            let meant = did_you_mean(&name, known).map(str::to_owned);
            return Err((span, Problem::UnknownRepository { name, meant }));
        }
        names.push(name);
    }
    let count = u32::try_from(names.len()).expect("a configuration of 1 MiB");
    let threshold = match entry.threshold {
        None => count,
        Some(threshold) if (1..=count).contains(threshold.get_ref()) => threshold.into_inner(),
        Some(threshold) => return Err((threshold.span(), Problem::Threshold(names.len()))),
    };
    Ok(Mapping { modules: globs(entry.modules)?, repositories: names, threshold, terminating: entry.terminating })
}

fn max_age(text: Spanned<String>) -> Result<u64, At> {
    args::duration(text.get_ref())
        .as_ref()
        .map(Duration::as_secs)
        .map_err(Clone::clone)
        .and_then(|seconds| match seconds {
            0 => Err("must be at least one second".to_owned()),
            _ => Ok(seconds),
        })
        .map_err(|message| (text.span(), Problem::MaxAge(message)))
}

/// A line for stderr, if the folder that is judged holds a configuration that is not read, because what is judged
/// must not soften the judgement.
pub fn found_but_not_read(root: &Path) -> Option<String> {
    let found = NAMES.iter().map(|name| root.join(name)).find(|path| path.symlink_metadata().is_ok())?;
    let found = found.strip_prefix(".").unwrap_or(&found).display();
    Some(format!(
        "{found} is not read, because what is verified must not soften the verdict; to use it, name it: --config {found}"
    ))
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use proptest::prelude::*;

    use super::*;

    const EVERYTHING: &str = r#"
exclude = ["third_party", "*.old/**"]

[sumdb]
witnesses = ["one+00000001+AAAA", "two+00000002+AAAA"]
quorum = 1
max-age = "24h"
pinned-head = """
go.sum database tree
1
"""

[[ignore]]
rule = "gosum-mismatch"
module = "corp.example/*"
reason = "retagged upstream, see TICKET-1"
expires = 2027-01-31

[[ignore]]
rule = "gosum-missing"
module = "*"
reason = "generated"
expires = "2028-02-29"
"#;

    #[test]
    fn everything() {
        let config = parse(EVERYTHING).unwrap();
        assert_eq!(config.exclude, ["third_party", "*.old/**"]);
        assert_eq!(
            config.sumdb,
            SumdbConfig {
                pinned_head: Some(b"go.sum database tree\n1\n".to_vec()),
                witnesses: vec!["one+00000001+AAAA".into(), "two+00000002+AAAA".into()],
                quorum: 1,
                max_age: Some(86_400),
            }
        );
        assert_eq!(
            config.ignores,
            [
                Ignore {
                    rule: "gosum-mismatch".into(),
                    module: "corp.example/*".into(),
                    reason: "retagged upstream, see TICKET-1".into(),
                    expires: Some("2027-01-31".into()),
                },
                Ignore {
                    rule: "gosum-missing".into(),
                    module: "*".into(),
                    reason: "generated".into(),
                    expires: Some("2028-02-29".into()),
                },
            ]
        );
    }

    #[test]
    fn nothing() {
        assert_eq!(parse("").unwrap(), Config::default());
        assert_eq!(parse("# nothing\n[sumdb]\n").unwrap(), Config::default());
        let two = parse("sumdb.witnesses = ['a', 'b']").unwrap();
        assert_eq!(two.sumdb.quorum, 2, "all witnesses, unless it says otherwise");
    }

    #[test]
    fn errors_name_line_and_remedy() {
        let ignore = |rest: &str| format!("\n[[ignore]]\nrule = \"gosum-missing\"\nmodule = \"*\"\n{rest}\n");
        let repository = |rest: &str| {
            format!(
                "[[tuf.repository]]\nname = 'corp'\nurl = 'https://corp.example/tuf'\ntrusted-root = 'root.json'\n\
                 modules = ['corp.example']\n{rest}\n"
            )
        };
        let map = |entry: &str| format!("{}[[tuf.map]]\n{entry}\n", repository(""));
        let mut out = String::new();
        for text in [
            "exclud = []".to_owned(),
            "[sumdb]\nmax_age = '1h'".to_owned(),
            "[sumdb]\nurl = 'https://example.com'".to_owned(),
            "[[ignore]]\nrules = 'x'".to_owned(),
            "[policies]".to_owned(),
            "exclude = [".to_owned(),
            "exclude = 'x'".to_owned(),
            "exclude = ['']".to_owned(),
            "exclude = []\nexclude = []".to_owned(),
            "[sumdb]\nquorum = 1".to_owned(),
            "[sumdb]\nquorum = 3\nwitnesses = ['a', 'b']".to_owned(),
            "[sumdb]\nquorum = -1".to_owned(),
            "[sumdb]\nmax-age = '24'".to_owned(),
            "[sumdb]\nmax-age = '5ms'".to_owned(),
            "[sumdb]\npinned-head = ' '".to_owned(),
            ignore(""),
            ignore("reason = ' '"),
            ignore("reason = 'x'\nexpires = 2026-13-01"),
            ignore("reason = 'x'\nexpires = '2026-02-30'"),
            ignore("reason = 'x'\nexpires = 2026-01-01T00:00:00Z"),
            ignore("reason = 'x'\nexpires = 'never'"),
            ignore("reason = 'x'").replace("gosum-missing", "gosum-mismach"),
            ignore("reason = 'x'").replace("gosum-missing", "sumdb-fork"),
            ignore("reason = 'x'").replace("gosum-missing", "unchecked"),
            "[tuf]\nrequire = true".to_owned(),
            "[tuf]\nrequired = true".to_owned(),
            repository("").replace("corp.example", ""),
            repository("").replace("'corp.example'", ""),
            repository("").replace("corp.example", "corp[.example"),
            repository("").replace("corp.example", "a.example,b.example"),
            repository("").replace("'corp'", "'corp repo'"),
            repository("").replace("'corp'", "''"),
            repository("").replace("'corp'", "'sigstore'"),
            repository("").replace("root.json", " "),
            repository("").replace("trusted-root", "root"),
            repository("key = 'x'"),
            repository("role = ''"),
            repository("targets-url = ''"),
            repository("") + &repository(""),
            map("modules = ['*']\nrepositories = []"),
            map("modules = ['*']\nrepositories = ['crop']"),
            map("modules = ['*']\nrepositories = ['corp', 'corp']"),
            map("modules = ['*']\nrepositories = ['corp']\nthreshold = 0"),
            map("modules = ['*']\nrepositories = ['corp']\nthreshold = 2"),
            map("modules = []\nrepositories = ['corp']"),
            map("repositories = ['corp']"),
            map("modules = ['*']\nrepositories = ['corp']\nterminate = true"),
            "[sigstore]\ntrusted_root = 'x'".to_owned(),
            "[sigstore]\ntrusted-root = ''".to_owned(),
            "[sigstore]\nrekor = 'https://rekor.example'".to_owned(),
            "[sigstore]\nattestations = 'proxy'".to_owned(),
            "[sigstore]\nattestations = ['proxy', 'proxi']".to_owned(),
            "[sigstore]\nattestations = ['folder:']".to_owned(),
            "[sigstore]\nattestations = ['folder:a', 'folder:b']".to_owned(),
            "[sigstore]\nattestations = ['template:https://attest.example/{path}.json']".to_owned(),
            "[sigstore]\nattestations = ['template:https://{path}/{version}']".to_owned(),
            "sumdb = 1\nignore = 2".to_owned(),
            "ignore = [1]".to_owned(),
        ] {
            let (span, problem) = parse(&text).expect_err(&text);
            let (line, column) = position(&text, span.start);
            out += &format!("{text:?}\n  {line}:{column}: {problem}\n");
        }
        insta::assert_snapshot!(out);
    }

    #[test]
    fn what_cannot_be_ignored_is_refused() {
        for rule in rules::ALL {
            let text = format!("[[ignore]]\nrule='{}'\nmodule='*'\nreason='x'", rule.id);
            assert_eq!(parse(&text).is_ok(), rule.ignorable(), "{}", rule.id);
        }
    }

    #[test]
    fn a_file_is_read_and_its_faults_are_located() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        fs::write(&file, EVERYTHING).unwrap();
        assert_eq!(read(&file).unwrap(), parse(EVERYTHING).unwrap());
        fs::write(&file, b"exclude = []\n# \xff").unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.ends_with("m.toml:2:3: not valid UTF-8"), "{error}");
        fs::write(&file, vec![b'#'; MAX_CONFIG as usize]).unwrap();
        assert!(read(&file).is_ok());
        fs::write(&file, vec![b'#'; MAX_CONFIG as usize + 1]).unwrap();
        assert!(matches!(read(&file), Err(ConfigError::Read(PathError::TooLarge { .. }))));
        assert!(matches!(read(dir.path()), Err(ConfigError::Read(PathError::NotRegular(_)))));
        assert!(matches!(read(&dir.path().join("absent")), Err(ConfigError::Read(PathError::Io { .. }))));
    }

    const TUF: &str = r#"
[tuf]
required = true

[[tuf.repository]]
name = "corp"
url = "https://modules.corp.example/tuf"
trusted-root = "keys/corp.json"
modules = ["*"]

[[tuf.repository]]
name = "team"
url = "mirror/tuf"
targets-url = "mirror/modules"
trusted-root = "team.json"
modules = ["corp.example/team", "corp.example/*/x"]
role = "team"

[[tuf.map]]
modules = ["corp.example/team"]
repositories = ["corp", "team"]
terminating = true

[[tuf.map]]
modules = ["*"]
repositories = ["corp", "team"]
threshold = 1
"#;

    #[test]
    fn repositories_are_those_of_the_file_with_its_roots() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir(at("keys")).unwrap();
        fs::write(at("m.toml"), TUF).unwrap();
        fs::write(at("keys/corp.json"), "corp").unwrap();
        fs::write(at("team.json"), "team").unwrap();
        let config = read(&at("m.toml")).unwrap();
        let set_by = "m.toml".to_owned();
        let repositories = config.tuf.repositories();
        let repository = |name: &str, modules: &str, role: Option<&str>| Repository {
            name: name.into(),
            trusted_root: name.into(),
            set_by: set_by.clone(),
            modules: modules.into(),
            role: role.map(str::to_owned),
        };
        assert_eq!(
            repositories.all,
            [repository("corp", "*", None), repository("team", "corp.example/team,corp.example/*/x", Some("team"))]
        );
        let mapping = |modules: &str, threshold, terminating| Mapping {
            modules: modules.into(),
            repositories: vec!["corp".into(), "team".into()],
            threshold,
            terminating,
        };
        assert_eq!(repositories.map, [mapping("corp.example/team", 2, true), mapping("*", 1, false)]);
        assert!(repositories.required);
        let sources = config.tuf.sources();
        assert_eq!(sources[0].metadata, "https://modules.corp.example/tuf");
        assert_eq!(sources[0].targets, TargetsAt::Above);
        let folder = |name: &str| std::path::absolute(at(name)).unwrap().display().to_string();
        assert_eq!(sources[1].metadata, folder("mirror/tuf"));
        assert_eq!(sources[1].targets, TargetsAt::Url(folder("mirror/modules")));

        for (content, why) in [(None, "team.json"), (Some(MAX_TRUSTED_ROOT as usize + 1), "larger than 1 MiB")] {
            fs::remove_file(at("team.json")).unwrap();
            if let Some(length) = content {
                fs::write(at("team.json"), vec![b' '; length]).unwrap();
            }
            let error = read(&at("m.toml")).unwrap_err().to_string();
            assert!(error.contains("[[tuf.repository]] team: trusted-root: ") && error.contains(why), "{error}");
            fs::write(at("team.json"), vec![b' '; MAX_TRUSTED_ROOT as usize]).unwrap();
            read(&at("m.toml")).unwrap();
        }
    }

    #[test]
    fn sigstore_is_that_of_the_file_with_its_root() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        let text = "[sigstore]\ntrusted-root = 'keys/root.json'\nrekor = false\n\
                    attestations = ['module-cache', 'folder:att', 'template:https://attest.example/{sha256}']\n";
        fs::write(&file, text).unwrap();
        let missing = read(&file).unwrap_err().to_string();
        assert!(missing.contains("[sigstore] trusted-root: ") && missing.contains("root.json"), "{missing}");
        fs::create_dir(dir.path().join("keys")).unwrap();
        fs::write(dir.path().join("keys/root.json"), "root").unwrap();
        let sigstore = read(&file).unwrap().sigstore;
        let root = sigstore.trusted_root.unwrap();
        assert_eq!(root.content, b"root");
        assert_eq!(root.set_by, format!("{}: [sigstore] trusted-root", file.file_name().unwrap().display()));
        let places = sigstore.attestations.unwrap();
        assert_eq!(places[0], AttestationPlace::ModuleCache);
        assert_eq!(places[1], AttestationPlace::Folder(std::path::absolute(dir.path().join("att")).unwrap()));
        assert_eq!(places[2].kind(), "template");
        assert_eq!(sigstore.rekor, Some(false));
        assert_eq!(parse("[sigstore]\nattestations = []").unwrap().sigstore.attestations, Some(Vec::new()));
        assert_eq!(parse("[sigstore]").unwrap().sigstore, SigstoreConfig::default());
        fs::write(dir.path().join("keys/root.json"), vec![b' '; MAX_TRUSTED_ROOT as usize + 1]).unwrap();
        assert!(read(&file).unwrap_err().to_string().contains("larger than 1 MiB"));
    }

    #[test]
    fn names_of_repositories() {
        for (name, good) in [
            ("corp", true),
            ("A-b_c.9", true),
            (&*"a".repeat(MAX_REPOSITORY_NAME), true),
            (&*"a".repeat(MAX_REPOSITORY_NAME + 1), false),
            ("", false),
            ("a/b", false),
            ("a b", false),
            ("é", false),
        ] {
            assert_eq!(is_repository_name(name), good, "{name:?}");
        }
    }

    #[test]
    fn one_in_the_checkout_is_noted() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(found_but_not_read(dir.path()), None);
        fs::create_dir(dir.path().join(".github")).unwrap();
        fs::write(dir.path().join(".github/modanchor.toml"), "").unwrap();
        let note = found_but_not_read(dir.path()).unwrap();
        assert!(note.contains(".github/modanchor.toml is not read"), "{note}");
        fs::write(dir.path().join(".modanchor.toml"), "").unwrap();
        let note = found_but_not_read(dir.path()).unwrap();
        assert!(note.contains("--config") && !note.contains(".github"), "{note}");
    }

    #[test]
    fn the_documented_example_is_one() {
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md")).unwrap();
        let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let config = parse(example).unwrap();
        assert_eq!(config.ignores.len(), 1);
        assert_eq!((config.tuf.repositories.len(), config.tuf.map.len(), config.tuf.required), (2, 1, true));
        assert_eq!((config.sumdb.quorum, config.sumdb.max_age), (1, Some(86_400)));
        assert_eq!(config.sigstore.attestations.map(|places| places.len()), Some(5));
    }

    #[test]
    fn schema_has_the_same_keys() {
        let text =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/config.schema.json")).unwrap();
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        let keys = |pointer: &str| -> BTreeSet<String> {
            let object = schema.pointer(pointer).and_then(|value| value.as_object());
            object.unwrap_or_else(|| panic!("{pointer}")).keys().cloned().collect()
        };
        let want = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(keys("/properties"), want(ROOT_KEYS));
        assert_eq!(keys("/properties/policy/properties"), want(POLICY_KEYS));
        assert_eq!(keys("/properties/sumdb/properties"), want(SUMDB_KEYS));
        assert_eq!(keys("/properties/sigstore/properties"), want(SIGSTORE_KEYS));
        assert_eq!(keys("/properties/ignore/items/properties"), want(IGNORE_KEYS));
        assert_eq!(keys("/properties/tuf/properties"), want(TUF_KEYS));
        assert_eq!(keys("/properties/tuf/properties/repository/items/properties"), want(TUF_REPOSITORY_KEYS));
        assert_eq!(keys("/properties/tuf/properties/map/items/properties"), want(TUF_MAP_KEYS));
        let listed: Vec<&str> = schema
            .pointer("/properties/ignore/items/properties/rule/enum")
            .and_then(|value| value.as_array())
            .unwrap()
            .iter()
            .filter_map(|value| value.as_str())
            .collect();
        let ignorable: Vec<&str> = rules::ALL.iter().filter(|rule| rule.ignorable()).map(|rule| rule.id).collect();
        assert_eq!(listed, ignorable);
    }

    proptest! {
        #[test]
        fn never_panics(text in "(?s).{0,200}") {
            if let Err((span, _)) = parse(&text) {
                position(&text, span.start);
            }
        }

        #[test]
        fn never_panics_near_the_format(text in "((exclude|\\[sumdb\\]|\\[\\[ignore\\]\\]|\\[\\[tuf.repository\\]\\]|\\[\\[tuf.map\\]\\]|name|modules|threshold|quorum|max-age|rule|expires|=|\\[|\\]|'1s'|'a'|1|2026-01-01|\"é|\n| ){0,30})") {
            if let Err((span, _)) = parse(&text) {
                position(&text, span.start);
            }
        }
    }
}
