//! A policy that makes sense: the contract's record, checked, with its patterns read.

use std::collections::{BTreeMap, BTreeSet};

use super::glob::{Glob, GlobError};
use crate::contract::{
    IdentityMatch, Level, Policy, PolicyGrade, PolicyIdentity, PolicyRule, ProvenanceVersion, RequiredLog, Requirement,
};
use crate::module::Patterns;

/// The most rules of a policy.
pub const MAX_RULES: usize = 1024;

/// The most ways to reach levels, all levels together.
pub const MAX_LEVELS: usize = 64;

/// The most entries of one list: modules, identities, patterns.
pub const MAX_ENTRIES: usize = 256;

/// The longest name of a rule, in bytes.
pub const MAX_NAME: usize = 128;

/// The longest exact text (an issuer, an identity), in bytes.
pub const MAX_TEXT: usize = 1024;

/// The most modules of a baseline.
pub const MAX_FLOORS: usize = 100_000;

/// What the default is called in messages; no rule has this name.
pub const DEFAULT: &str = "default";

/// What is wrong with a policy, wherever it comes from. Not something to match texts on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// Too many of something.
    #[error("{what}: more than {most}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// No rule can be called so.
    #[error(
        "`name` must be 1 to {MAX_NAME} bytes, without control characters or blanks at its ends, and not `{DEFAULT}`"
    )]
    Name,
    /// Two rules with one name.
    #[error("a second rule `{0}`: messages name rules, so no two may have the same name")]
    SameName(String),
    /// A rule for no module.
    #[error("`modules` must have at least one glob")]
    NoModules,
    /// Not a glob over module paths.
    #[error("`{0}` is no glob over module paths: as in GOPRIVATE, one each, without commas or blanks")]
    ModuleGlob(String),
    /// Not a glob over URLs and identities.
    #[error("`{pattern}`: {source}")]
    Glob {
        /// As written.
        pattern: String,
        /// Why not.
        source: GlobError,
    },
    /// An exact text that nothing can have.
    #[error("a text must have 1 to {MAX_TEXT} bytes, and no blanks at its ends or control characters")]
    Text,
    /// An issuer that is no URL.
    #[error("`{0}` is no issuer: it must be a URL, and is compared as a whole, without `*`")]
    Issuer(String),
    /// Not a level of SLSA's build track.
    #[error("a SLSA level is 1, 2 or 3 (as a minimum also 0), not {0}")]
    Level(u8),
    /// Level 3 by whoever says so.
    #[error("level 3 needs `builder_id`: it is reached by listed builders alone")]
    NoBuilder,
    /// A way to a level that asks for nothing.
    #[error("a level without conditions says nothing: leave it out")]
    NoCondition,
    /// A requirement that nothing can meet.
    #[error("nothing could meet `{asks}` without `{without}`")]
    Unreachable {
        /// What is asked for.
        asks: &'static str,
        /// What is not there.
        without: &'static str,
    },
    /// Said, and without effect.
    #[error("`{0}` has no effect with `require: unverified`, which asks for no provenance")]
    WithoutEffect(&'static str),
    /// A module twice in the baseline, or out of order.
    #[error("the baseline must name each module once, sorted by path; `{0}` is out of order")]
    FloorOrder(String),
}

/// One way to reach a level.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) level: u8,
    pub(super) versions: Vec<ProvenanceVersion>,
    pub(super) builders: Globs,
    pub(super) issuers: Vec<String>,
    pub(super) runners: Vec<String>,
}

/// Patterns, and how they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Globs(Vec<(String, Glob)>);

impl Globs {
    fn new(patterns: &[String]) -> Result<Self, Flaw> {
        at_most("patterns", patterns.len(), MAX_ENTRIES)?;
        let read = |pattern: &String| Ok((pattern.clone(), glob(pattern)?));
        Ok(Self(patterns.iter().map(read).collect::<Result<_, Flaw>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.iter().any(|(_, glob)| glob.matches(text))
    }

    pub(super) fn written(&self) -> String {
        any_of(self.0.iter().map(|(text, _)| text.as_str()))
    }
}

/// Who may sign.
#[derive(Debug, Clone)]
pub(super) struct Signer {
    pub(super) written: String,
    pub(super) name: SignerName,
    pub(super) issuer: String,
}

#[derive(Debug, Clone)]
pub(super) enum SignerName {
    Exact(String),
    Pattern(Glob),
}

impl Signer {
    pub(super) fn matches(&self, identity: &str, issuer: &str) -> bool {
        self.issuer == issuer
            && match &self.name {
                SignerName::Exact(text) => text == identity,
                SignerName::Pattern(glob) => glob.matches(identity),
            }
    }
}

/// What is asked of a module.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) grade: PolicyGrade,
    pub(super) identities: Vec<Signer>,
    pub(super) sources: Globs,
    pub(super) minimum_level: u8,
    pub(super) publishers: Globs,
    pub(super) tuf: bool,
    pub(super) sumdb: bool,
    pub(super) rekor: bool,
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Matched {
    pub(super) name: String,
    pub(super) modules: Vec<Patterns>,
    pub(super) asked: Asked,
}

/// A policy that makes sense.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) set_by: String,
    pub(super) ways: Vec<Way>,
    pub(super) rules: Vec<Matched>,
    pub(super) default: Asked,
    /// None: no baseline, and every module must satisfy its rule.
    pub(super) floors: Option<BTreeMap<String, PolicyGrade>>,
}

impl Rules {
    /// Checks a policy.
    ///
    /// # Errors
    ///
    /// The first [`Flaw`].
    pub fn new(policy: &Policy) -> Result<Self, Flaw> {
        at_most("rules", policy.rules.len(), MAX_RULES)?;
        at_most("levels", policy.levels.len(), MAX_LEVELS)?;
        let mut names = BTreeSet::new();
        let mut rules = Vec::with_capacity(policy.rules.len());
        for rule in &policy.rules {
            if !names.insert(rule.name.as_str()) {
                return Err(Flaw::SameName(rule.name.clone()));
            }
            rules.push(matched(rule)?);
        }
        let default = asked(&policy.default)?;
        let ways: Vec<Way> = policy.levels.iter().map(way).collect::<Result<_, _>>()?;
        if !ways.iter().any(|way| way.level == 3) {
            for asked in rules.iter().map(|rule| &rule.asked).chain([&default]) {
                let asks = match asked.grade {
                    PolicyGrade::Trusted => "require: trusted",
                    _ if asked.minimum_level == 3 => "minimum_slsa_level: 3",
                    _ => continue,
                };
                return Err(Flaw::Unreachable { asks, without: "levels: 3" });
            }
        }
        Ok(Self {
            set_by: policy.set_by.clone(),
            ways,
            rules,
            default,
            floors: policy.baseline.as_ref().map(|floors| self::floors(floors)).transpose()?,
        })
    }

    /// The policy of a run that has none: provenance is graded, nothing is trusted, and nothing is asked for.
    #[must_use]
    pub fn built_in() -> Self {
        let default = Asked {
            grade: PolicyGrade::Unverified,
            identities: Vec::new(),
            sources: Globs::default(),
            minimum_level: 0,
            publishers: Globs::default(),
            tuf: false,
            sumdb: false,
            rekor: false,
        };
        Self { set_by: "no policy".to_owned(), ways: Vec::new(), rules: Vec::new(), default, floors: None }
    }

    /// By whose word, for messages.
    #[must_use]
    pub fn set_by(&self) -> &str {
        &self.set_by
    }

    /// The names of the rules, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }
}

/// Checks one rule for itself.
pub(super) fn matched(rule: &PolicyRule) -> Result<Matched, Flaw> {
    name(&rule.name)?;
    if rule.modules.is_empty() {
        return Err(Flaw::NoModules);
    }
    at_most("modules", rule.modules.len(), MAX_ENTRIES)?;
    let modules = rule.modules.iter().map(|glob| module_glob(glob)).collect::<Result<_, _>>()?;
    Ok(Matched { name: rule.name.clone(), modules, asked: asked(&rule.requirement)? })
}

/// Checks one way to a level for itself.
pub(super) fn way(level: &Level) -> Result<Way, Flaw> {
    if !(1..=3).contains(&level.level) {
        return Err(Flaw::Level(level.level));
    }
    let nothing = level.provenance_versions.is_empty()
        && level.builder_ids.is_empty()
        && level.oidc_issuers.is_empty()
        && level.runner_environments.is_empty();
    match level.level {
        3 if level.builder_ids.is_empty() => return Err(Flaw::NoBuilder),
        _ if nothing => return Err(Flaw::NoCondition),
        _ => {}
    }
    at_most("issuers", level.oidc_issuers.len(), MAX_ENTRIES)?;
    at_most("runners", level.runner_environments.len(), MAX_ENTRIES)?;
    level.oidc_issuers.iter().try_for_each(|text| issuer(text))?;
    level.runner_environments.iter().try_for_each(|text| exact(text))?;
    // There are two, so a list of more has repetitions.
    at_most("provenance versions", level.provenance_versions.len(), 2)?;
    Ok(Way {
        level: level.level,
        versions: level.provenance_versions.clone(),
        builders: Globs::new(&level.builder_ids)?,
        issuers: level.oidc_issuers.clone(),
        runners: level.runner_environments.clone(),
    })
}

/// Checks what is asked for.
pub(super) fn asked(requirement: &Requirement) -> Result<Asked, Flaw> {
    let Requirement { grade, identities, source_repositories, minimum_slsa_level, publishers, tuf_approval, logs } =
        requirement;
    if *minimum_slsa_level > 3 {
        return Err(Flaw::Level(*minimum_slsa_level));
    }
    let unreachable = |without| Flaw::Unreachable { asks: "require: trusted", without };
    let rekor = logs.contains(&RequiredLog::Rekor);
    match grade {
        PolicyGrade::Trusted if identities.is_empty() => return Err(unreachable("identities")),
        PolicyGrade::Trusted if publishers.is_empty() => return Err(unreachable("publishers")),
        PolicyGrade::Unverified if *minimum_slsa_level > 0 => return Err(Flaw::WithoutEffect("minimum_slsa_level")),
        PolicyGrade::Unverified if rekor => return Err(Flaw::WithoutEffect("required_log: rekor")),
        _ => {}
    }
    at_most("identities", identities.len(), MAX_ENTRIES)?;
    at_most("logs", logs.len(), 2)?;
    Ok(Asked {
        grade: *grade,
        identities: identities.iter().map(signer).collect::<Result<_, _>>()?,
        sources: Globs::new(source_repositories)?,
        minimum_level: *minimum_slsa_level,
        publishers: Globs::new(publishers)?,
        tuf: *tuf_approval,
        sumdb: logs.contains(&RequiredLog::Sumdb),
        rekor,
    })
}

pub(super) fn signer(identity: &PolicyIdentity) -> Result<Signer, Flaw> {
    issuer(&identity.issuer)?;
    let (text, name) = match &identity.name {
        IdentityMatch::Exact(text) => {
            exact(text)?;
            (text, SignerName::Exact(text.clone()))
        }
        IdentityMatch::Pattern(pattern) => (pattern, SignerName::Pattern(glob(pattern)?)),
    };
    let written = format!("{text} by {}", identity.issuer);
    Ok(Signer { written, name, issuer: identity.issuer.clone() })
}

pub(super) fn floors(floors: &[crate::contract::Floor]) -> Result<BTreeMap<String, PolicyGrade>, Flaw> {
    at_most("modules of the baseline", floors.len(), MAX_FLOORS)?;
    if let Some(pair) = floors.windows(2).find(|pair| pair[0].module >= pair[1].module) {
        return Err(Flaw::FloorOrder(pair[1].module.clone()));
    }
    Ok(floors.iter().map(|floor| (floor.module.clone(), floor.grade)).collect())
}

pub(super) fn glob(pattern: &str) -> Result<Glob, Flaw> {
    Glob::new(pattern).map_err(|source| Flaw::Glob { pattern: pattern.to_owned(), source })
}

/// One glob over module paths. What GOPRIVATE would leave out without a word is refused here.
pub(super) fn module_glob(glob: &str) -> Result<Patterns, Flaw> {
    let flaw = || Flaw::ModuleGlob(glob.to_owned());
    if glob.len() > super::glob::MAX_PATTERN || glob.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control())
    {
        return Err(flaw());
    }
    let patterns = Patterns::new(glob);
    if patterns == Patterns::default() { Err(flaw()) } else { Ok(patterns) }
}

pub(super) fn name(text: &str) -> Result<(), Flaw> {
    let sound = !text.is_empty()
        && text.len() <= MAX_NAME
        && text.trim() == text
        && text != DEFAULT
        && !text.contains(char::is_control);
    if sound { Ok(()) } else { Err(Flaw::Name) }
}

pub(super) fn exact(text: &str) -> Result<(), Flaw> {
    let sound = !text.is_empty() && text.len() <= MAX_TEXT && text.trim() == text && !text.contains(char::is_control);
    if sound { Ok(()) } else { Err(Flaw::Text) }
}

pub(super) fn issuer(text: &str) -> Result<(), Flaw> {
    exact(text)?;
    let sound = text.contains("://") && !text.contains('*');
    if sound { Ok(()) } else { Err(Flaw::Issuer(text.to_owned())) }
}

pub(super) fn at_most(what: &'static str, number: usize, most: usize) -> Result<(), Flaw> {
    if number > most { Err(Flaw::TooMany { what, most }) } else { Ok(()) }
}

/// `a`, or `a or b`.
pub(super) fn any_of<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let texts: Vec<&str> = texts.collect();
    texts.join(" or ")
}
