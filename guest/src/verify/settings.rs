//! The job, checked: what it says in types that cannot hold the wrong thing.

use crate::contract::{self, AttestationPlace, FailOn, Job, Refusal, SkipPatterns, Sumdb};
use crate::exchange::Exchange;
use crate::module::Patterns;
use crate::policy::rules::Rules;
use crate::report::rules;
use crate::report::{Severity, Tool};
use crate::sumdb::client;
use crate::sumdb::cosignature::Witnesses;
use crate::sumdb::note::Verifier;
use crate::sumdb::tile::Height;
use crate::sumdb::tlog::AuthenticHead;
use crate::tuf::client::{Client, TrustedRoot};

use super::text;

/// The module whose lines no setting keeps from the checksum database (cmd/go since 1.21).
pub(super) const TOOLCHAIN: &str = "golang.org/toolchain";

/// A job without its task.
pub(super) struct Settings {
    /// Seconds since 1970.
    pub(super) now: u64,
    pub(super) tool: Tool,
    pub(super) sumdb: Option<Database>,
    /// By whose word there is no database.
    pub(super) off_by: Option<String>,
    pub(super) skip: Patterns,
    /// The patterns as the user wrote them, and by whose word.
    pub(super) skip_text: SkipPatterns,
    /// From which severity on a finding fails the run; none: never.
    pub(super) fail_on: Option<Severity>,
    pub(super) allow_incomplete: bool,
    pub(super) ignores: Vec<Ignore>,
    pub(super) bytes: contract::Bytes,
    pub(super) tuf: Tuf,
    pub(super) sigstore: Sigstore,
    /// By which modules are graded.
    pub(super) policy: Rules,
    /// Whether there is a policy: else [`Rules::built_in`] gives grades, and asks for none.
    pub(super) has_policy: bool,
}

/// What the run knows of Sigstore.
pub(super) struct Sigstore {
    pub(super) roots: Vec<TrustedRootSource>,
    pub(super) places: Vec<AttestationPlace>,
    /// Names that reach nobody.
    pub(super) private: Patterns,
    /// Whether Rekor may be asked.
    pub(super) rekor: bool,
}

/// A trusted root, and where newer ones are.
pub(super) struct TrustedRootSource {
    pub(super) name: String,
    /// By its name.
    pub(super) repository: Option<(String, TrustedRoot)>,
    pub(super) target: String,
    pub(super) content: Vec<u8>,
    pub(super) expires: Option<jiff::Timestamp>,
    pub(super) set_by: String,
}

/// What the run knows of TUF.
pub(super) struct Tuf {
    pub(super) repositories: Vec<Repository>,
    /// In the order in which they are tried. Where the job has no map, one for each repository.
    pub(super) mappings: Vec<Mapping>,
    pub(super) required: bool,
    /// The job's instant.
    pub(super) now: jiff::Timestamp,
}

/// A TUF repository.
pub(super) struct Repository {
    pub(super) name: String,
    /// Which must have approved.
    pub(super) role: Option<String>,
    root: TrustedRoot,
}

/// Which repositories must agree about a module.
pub(super) struct Mapping {
    pub(super) modules: Patterns,
    /// By their number, each once.
    pub(super) repositories: Vec<usize>,
    /// 1 to their number.
    pub(super) threshold: usize,
    pub(super) terminating: bool,
}

/// The checksum database, and what is asked of its newest head.
pub(super) struct Database {
    pub(super) client: client::Database,
    pub(super) set_by: String,
    pub(super) witnesses: Option<Witnesses>,
    /// In seconds.
    pub(super) max_age: Option<u64>,
}

/// An ignore.
pub(super) struct Ignore {
    pub(super) rule: String,
    pub(super) module: Patterns,
    pub(super) module_text: String,
    pub(super) reason: String,
    /// `YYYY-MM-DD`.
    pub(super) expires: Option<String>,
}

impl Settings {
    pub(super) fn new(job: Job) -> Result<Self, Refusal> {
        let tuf = Tuf::new(job.tuf, job.now)?;
        let sigstore = Sigstore::new(job.sigstore)?;
        let has_policy = job.policy.is_some();
        let policy = job.policy.as_ref().map_or_else(|| Ok(Rules::built_in()), Rules::new);
        let policy = policy.map_err(|flaw| Refusal::Policy(flaw.to_string()))?;
        let now = job.now.seconds;
        let (sumdb, off_by) = match job.sumdb {
            Sumdb::Database(database) => (Some(Database::new(database, now)?), None),
            Sumdb::Off(by) => (None, Some(by)),
        };
        Ok(Self {
            now,
            tool: Tool { name: "modanchor".into(), version: job.tool.version, component: job.tool.component },
            sumdb,
            off_by,
            skip: Patterns::new(&job.skip.patterns),
            skip_text: job.skip,
            fail_on: match job.fail_on {
                FailOn::Critical => Some(Severity::Critical),
                FailOn::High => Some(Severity::High),
                FailOn::Medium => Some(Severity::Medium),
                FailOn::Low => Some(Severity::Low),
                FailOn::Never => None,
            },
            allow_incomplete: job.allow_incomplete,
            bytes: job.bytes,
            tuf,
            sigstore,
            policy,
            has_policy,
            ignores: job.ignores.into_iter().map(Ignore::new).collect::<Result<_, _>>()?,
        })
    }

    /// Why a module is not to be asked of the database, if so.
    pub(super) fn skips(&self, path: &str) -> Option<Skip<'_>> {
        if path == TOOLCHAIN {
            return None;
        }
        if let Some(by) = &self.off_by {
            return Some(Skip::Off(by));
        }
        self.skip.matching(path).map(Skip::Pattern)
    }
}

/// Why a module is not asked of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skip<'a> {
    /// There is none, by this word.
    Off(&'a str),
    /// This pattern covers it.
    Pattern(&'a str),
}

/// The most repositories, and the most entries of a map.
pub(super) const MAX_REPOSITORIES: usize = 64;

/// An instant of the contract, if a calendar knows it.
fn timestamp(instant: contract::Instant) -> Option<jiff::Timestamp> {
    let nanoseconds = i32::try_from(instant.nanoseconds).ok()?;
    jiff::Timestamp::new(i64::try_from(instant.seconds).ok()?, nanoseconds).ok()
}

/// Whether a repository or a trusted root may be called so: it is part of file names.
fn is_name(name: &str) -> bool {
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    named && !name.starts_with('.')
}

impl Sigstore {
    fn new(job: contract::SigstoreSettings) -> Result<Self, Refusal> {
        let refuse = |name: &str, why: &str| Refusal::Sigstore(format!("trusted root {name}: {why}"));
        if job.roots.len() > MAX_REPOSITORIES {
            return Err(refuse("", &format!("there are more than {MAX_REPOSITORIES}")));
        }
        let mut roots: Vec<TrustedRootSource> = Vec::new();
        for root in job.roots {
            if !is_name(&root.name) {
                return Err(refuse(&root.name, "a name is made of letters, digits, `-`, `_` and `.`"));
            }
            if roots.iter().any(|other| other.name == root.name) {
                return Err(refuse(&root.name, "two of this name"));
            }
            let repository = root
                .repository
                .map(|repository| TrustedRoot::new(&repository.trusted_root).map(|trusted| (repository.name, trusted)));
            let repository = repository.transpose().map_err(|error| refuse(&root.name, &error.to_string()))?;
            let expires = root.expires.map(|at| timestamp(at).ok_or_else(|| refuse(&root.name, "no such instant")));
            roots.push(TrustedRootSource {
                name: root.name,
                repository,
                target: root.target,
                content: root.content,
                expires: expires.transpose()?,
                set_by: root.set_by,
            });
        }
        Ok(Self { roots, places: job.places, private: Patterns::new(&job.private), rekor: job.rekor })
    }
}

impl Tuf {
    fn new(job: contract::Repositories, now: contract::Instant) -> Result<Self, Refusal> {
        let refuse = |name: &str, why: &str| Refusal::Tuf(format!("{name}: {why}"));
        let now = timestamp(now).ok_or_else(|| refuse("now", "no instant that a calendar knows"))?;
        if job.all.len() > MAX_REPOSITORIES || job.map.len() > MAX_REPOSITORIES {
            return Err(refuse("the map", &format!("more than {MAX_REPOSITORIES} entries")));
        }
        let mut mappings = Vec::new();
        let mut repositories: Vec<Repository> = Vec::new();
        for repository in job.all {
            let name = repository.name;
            if !is_name(&name) {
                return Err(refuse(&name, "a repository's name is made of letters, digits, `-`, `_` and `.`"));
            }
            if repositories.iter().any(|other| other.name == name) {
                return Err(refuse(&name, "two repositories of this name"));
            }
            let root = TrustedRoot::new(&repository.trusted_root).map_err(|error| refuse(&name, &error.to_string()))?;
            mappings.push(Mapping {
                modules: Patterns::new(&repository.modules),
                repositories: vec![repositories.len()],
                threshold: 1,
                // The first that covers a module decides.
                terminating: true,
            });
            repositories.push(Repository { name, role: repository.role, root });
        }
        if !job.map.is_empty() {
            mappings.clear();
        }
        for mapping in job.map {
            let mut numbers = Vec::new();
            for name in &mapping.repositories {
                let number = repositories.iter().position(|repository| repository.name == *name);
                let number = number.ok_or_else(|| refuse(name, "the map names a repository that there is not"))?;
                if numbers.contains(&number) {
                    return Err(refuse(name, "the map names it twice in one entry"));
                }
                numbers.push(number);
            }
            let threshold = usize::try_from(mapping.threshold).unwrap_or(usize::MAX);
            if threshold == 0 || threshold > numbers.len() {
                let why = format!("{threshold} of {} repositories cannot agree", numbers.len());
                return Err(refuse(&mapping.modules, &why));
            }
            let (modules, terminating) = (Patterns::new(&mapping.modules), mapping.terminating);
            mappings.push(Mapping { modules, repositories: numbers, threshold, terminating });
        }
        Ok(Self { repositories, mappings, required: job.required, now })
    }

    /// The mappings that say something about a module, in their order, up to the first that is terminating.
    pub(super) fn choices(&self, path: &str) -> Vec<usize> {
        let mut choices = Vec::new();
        for (number, mapping) in self.mappings.iter().enumerate().filter(|(_, mapping)| mapping.covers(path)) {
            choices.push(number);
            if mapping.terminating {
                break;
            }
        }
        choices
    }
}

impl Mapping {
    /// Whether it says something about a module.
    fn covers(&self, path: &str) -> bool {
        self.modules.matching(path).is_some()
    }
}

impl Repository {
    /// A client of it, that knows nothing but its trusted root yet.
    pub(super) fn client(&self, settings: &Settings, exchange: &Exchange) -> Client {
        Client::new(&self.name, &self.root, settings.tuf.now, exchange.clone())
    }
}

impl Database {
    fn new(database: contract::Database, now: u64) -> Result<Self, Refusal> {
        let verifier = Verifier::parse(&database.key).map_err(|error| Refusal::DatabaseKey(error.to_string()))?;
        let tile_height = Height::new(database.tile_height)
            .ok_or_else(|| Refusal::TileHeight(format!("{} is not in 1 to 30", database.tile_height)))?;
        let pinned = database
            .pinned_head
            .map(|note| AuthenticHead::open(&note, &verifier))
            .transpose()
            .map_err(|error| Refusal::PinnedHead(error.to_string()))?;
        let witnesses = if database.witnesses.is_empty() && database.quorum == 0 {
            None
        } else {
            Some(Witnesses::parse(&database.witnesses, database.quorum).map_err(text::refuse_witnesses)?)
        };
        Ok(Self {
            client: client::Database { verifier, tile_height, pinned, wants_age: database.max_age.is_some(), now },
            set_by: database.set_by,
            witnesses,
            max_age: database.max_age,
        })
    }

    pub(super) fn name(&self) -> &str {
        self.client.verifier.name()
    }
}

impl Ignore {
    fn new(ignore: contract::Ignore) -> Result<Self, Refusal> {
        let refuse = |why: &str| Err(Refusal::Ignore(format!("{}: {why}", ignore.rule)));
        let Some(rule) = rules::find(&ignore.rule) else {
            return refuse("no such rule");
        };
        if rule.means_unchecked() {
            return refuse("what could not be checked cannot be ignored; --allow-incomplete lets it pass");
        }
        if !rule.ignorable() {
            return refuse("a critical finding about a checksum database, a TUF repository or a log cannot be ignored");
        }
        if ignore.reason.trim().is_empty() {
            return refuse("an ignore needs a reason");
        }
        if ignore.expires.as_deref().is_some_and(|day| !text::is_day(day)) {
            return refuse("expires is not a day, YYYY-MM-DD");
        }
        Ok(Self {
            module: Patterns::new(&ignore.module),
            rule: ignore.rule,
            module_text: ignore.module,
            reason: ignore.reason,
            expires: ignore.expires,
        })
    }
}
