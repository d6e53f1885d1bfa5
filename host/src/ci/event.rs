//! What GitHub says of the run: which event, on which commits, of which repository.
//!
//! Sources: <https://docs.github.com/en/actions/reference/workflows-and-actions/variables>,
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows>,
//! <https://docs.github.com/en/webhooks/webhook-events-and-payloads>.
//!
//! # Security
//! The variables and the event file are GitHub's word, but much in them is an author's: the names of branches, of a
//! fork, of the actor. So everything is parsed into types that hold nothing else than what they say ([`Commit`],
//! [`Branch`], [`Repository`], [`BaseUrl`]), and what does not fit is an error and not a guess: a run that does not
//! know what it judges must not go on with the trust of another ([`Event::trusted_commit`]).

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use serde_json::Value;
use url::{Host, Url};

use crate::files::{FileError, Regular};

/// The largest event file, in bytes. GitHub drops payloads over 25 MB; those of the events known here are far smaller.
pub const MAX_EVENT: u64 = 8 << 20;

/// The login that Dependabot acts under.
const DEPENDABOT: &str = "dependabot[bot]";

/// The name of a commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits, not all zero, which stand for none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Commit(String);

impl Commit {
    /// None: not the full name of a commit.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let good = matches!(text.len(), 40 | 64) && text.bytes().all(hex) && text.bytes().any(|b| b != b'0');
        good.then(|| Self(text.to_owned()))
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a branch, without `refs/heads/`, as git allows it (git-check-ref-format(1)): safe as a part of a longer
/// name that git is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch(String);

impl Branch {
    /// None: git would not make such a branch.
    pub fn parse(text: &str) -> Option<Self> {
        let part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.ends_with(".lock");
        let good = text.split('/').all(part)
            && !text.starts_with('-')
            && !text.ends_with('.')
            && text != "@"
            && !text.contains("..")
            && !text.contains("@{")
            && !text.contains(|c: char| c.is_control() || " ~^:?*[\\".contains(c));
        good.then(|| Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Branch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `owner/name`: each of ASCII letters, digits, `-`, `_` and `.`, and not of dots alone. Safe as a part of a URL's
/// path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    owner: String,
    name: String,
}

impl Repository {
    /// None: not the name of a repository.
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, name) = text.split_once('/')?;
        let good = |part: &str| {
            (1..=100).contains(&part.len())
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
                && part.bytes().any(|b| b != b'.')
        };
        (good(owner) && good(name)).then(|| Self { owner: owner.to_owned(), name: name.to_owned() })
    }

    /// Whose it is.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Where GitHub is: an https URL, or http to a loopback address, without user name, password, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// None: no such URL. A token that is sent there must not cross a network in the clear.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let loopback = match url.host()? {
            Host::Domain(name) => name == "localhost",
            Host::Ipv4(ip) => ip.is_loopback(),
            Host::Ipv6(ip) => ip.is_loopback(),
        };
        let way = url.scheme() == "https" || url.scheme() == "http" && loopback;
        let bare =
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
        (way && bare).then_some(Self(url))
    }

    /// This URL with `path` (which starts with `/`, and may have a query) at its end.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// The URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

/// What started a run for a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// `pull_request`: on the merge commit; for a fork without rights.
    PullRequest,
    /// `pull_request_target`: on the base branch, with the rights and secrets of the repository, even for a fork.
    PullRequestTarget,
}

/// Which event, and between which commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `pull_request` or `pull_request_target`.
    PullRequest {
        /// Which of the two.
        trigger: Trigger,
        /// Its number.
        number: u64,
        /// The tip of the base branch when the event was made; the branch may have moved since.
        base: Commit,
        /// The newest commit of the pull request itself, not the merge commit.
        head: Commit,
        /// From another repository, or from one that is gone.
        fork: bool,
    },
    /// `merge_group`: the merge queue.
    MergeGroup {
        /// What the group is put on top of.
        base: Commit,
        /// The group.
        head: Commit,
    },
    /// `push` of a branch or tag.
    Push {
        /// Where the branch was; none: it is new.
        before: Option<Commit>,
        /// Whether it is the default branch.
        to_default_branch: bool,
    },
    /// Any other, by name.
    Other(String),
}

/// Whose word counts for configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trusted {
    /// This commit's.
    Commit(Commit),
    /// That of the tip of the default branch. None: the event does not say what it is called, but the API knows.
    DefaultBranch(Option<Branch>),
}

/// All that GitHub says of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which event.
    pub kind: Kind,
    /// GITHUB_REPOSITORY.
    pub repository: Repository,
    /// GITHUB_SHA: the commit that the event is about. For `pull_request` the merge commit.
    pub sha: Commit,
    /// GITHUB_REF: `refs/heads/…`, `refs/tags/…` or `refs/pull/N/merge`.
    pub git_ref: Option<String>,
    /// GITHUB_API_URL: `https://api.github.com`, or `https://HOST/api/v3` of GitHub Enterprise Server.
    pub api_url: BaseUrl,
    /// GITHUB_SERVER_URL, where people look.
    pub server_url: BaseUrl,
    /// GITHUB_WORKSPACE: absolute; where a checkout is by default.
    pub workspace: PathBuf,
    /// GITHUB_RUN_ID.
    pub run_id: u64,
    /// GITHUB_RUN_ATTEMPT, from 1.
    pub run_attempt: u64,
    /// GITHUB_ACTOR: who started it.
    pub actor: String,
    default_branch: Option<Branch>,
}

/// Why the event cannot be understood: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// A variable that every run on GitHub Actions has.
    #[error("{0} is not set: this command is for a step of GitHub Actions")]
    NotSet(&'static str),
    /// A variable that holds something else.
    #[error("{name} is {value:?}; expected {expected}")]
    Variable {
        /// Which.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it should.
        expected: &'static str,
    },
    /// The event file is not there, is no regular file, is larger than [`MAX_EVENT`], or changes.
    #[error("reading the event file {} (GITHUB_EVENT_PATH): {error}", path.display())]
    Read {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        error: FileError,
    },
    /// The event file is not JSON.
    #[error("the event file {} (GITHUB_EVENT_PATH) is not JSON: {error}", path.display())]
    NotJson {
        /// Where it is.
        path: PathBuf,
        /// What the parser says.
        error: serde_json::Error,
    },
    /// The event file lacks a field that the event has, or it holds something else.
    #[error("`{field}` of the event file is missing or something else; the event {event} has {expected} there")]
    Field {
        /// GITHUB_EVENT_NAME.
        event: String,
        /// With dots.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

const FULL_NAME: &str = "a commit's full name in lower-case hexadecimal";
const URL: &str = "an https URL without user name, query and fragment (http only to this machine)";

impl Event {
    /// Reads the variables, by `lookup`, and the event file that they name. An empty variable counts as not set.
    ///
    /// # Errors
    /// See [`EventError`].
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, EventError> {
        let variables = Variables(lookup);
        let name = variables.required("GITHUB_EVENT_NAME")?;
        let repository = variables.parsed("GITHUB_REPOSITORY", "owner/name", Repository::parse)?;
        let git_ref = variables.text("GITHUB_REF")?;
        let payload = Payload::read(&name, variables.path("GITHUB_EVENT_PATH")?)?;
        let default_branch =
            payload.optional("repository.default_branch", "a branch's name", |v| Branch::parse(v.as_str()?))?;
        let default_ref = default_branch.as_ref().map(|branch| format!("refs/heads/{branch}"));
        let kind = match name.as_str() {
            "pull_request" => payload.pull_request(Trigger::PullRequest)?,
            "pull_request_target" => payload.pull_request(Trigger::PullRequestTarget)?,
            "merge_group" => Kind::MergeGroup {
                base: payload.commit("merge_group.base_sha")?,
                head: payload.commit("merge_group.head_sha")?,
            },
            "push" => Kind::Push {
                before: payload.before()?,
                to_default_branch: default_ref.is_some() && git_ref == default_ref,
            },
            _ => Kind::Other(name),
        };
        Ok(Self {
            kind,
            repository,
            sha: variables.parsed("GITHUB_SHA", FULL_NAME, Commit::parse)?,
            git_ref,
            api_url: variables.parsed("GITHUB_API_URL", URL, BaseUrl::parse)?,
            server_url: variables.parsed("GITHUB_SERVER_URL", URL, BaseUrl::parse)?,
            workspace: variables.path("GITHUB_WORKSPACE")?,
            run_id: variables.parsed("GITHUB_RUN_ID", "a number", |text| text.parse().ok())?,
            run_attempt: variables.parsed("GITHUB_RUN_ATTEMPT", "a number", |text| text.parse().ok())?,
            actor: variables.required("GITHUB_ACTOR")?,
            default_branch,
        })
    }

    /// Whether Dependabot started the run: its token can only read, whatever the workflow asks for. It is the actor
    /// that counts and not the pull request's author: a maintainer who pushes to Dependabot's branch has a full token.
    pub fn is_dependabot(&self) -> bool {
        self.actor == DEPENDABOT
    }

    /// Where the run's log is.
    pub fn run_url(&self) -> String {
        let Self { repository, run_id, run_attempt, .. } = self;
        self.server_url.join(&format!("/{repository}/actions/runs/{run_id}/attempts/{run_attempt}"))
    }

    /// Whose word counts for configuration and ignores. What is judged must not soften the judgement:
    ///
    /// - A pull request is judged by its base, which somebody with the right to push there has accepted; never by the merge
    ///   commit or the head, where its own author writes the configuration. A change to the configuration counts from
    ///   the next pull request on.
    /// - A merge group likewise: by what it is put on top of.
    /// - Any event on the default branch (a push to it, a schedule) is judged by the commit of the event: it has been
    ///   accepted. That is GITHUB_SHA and not what is checked out, which a workflow chooses.
    /// - A push to another branch or a tag, and whatever else there is: by the default branch's tip. Nobody has
    ///   accepted what lies on a branch that anybody with write access may make.
    pub fn trusted_commit(&self) -> Trusted {
        match &self.kind {
            Kind::PullRequest { base, .. } | Kind::MergeGroup { base, .. } => Trusted::Commit(base.clone()),
            Kind::Push { to_default_branch: true, .. } => Trusted::Commit(self.sha.clone()),
            Kind::Push { .. } => Trusted::DefaultBranch(self.default_branch.clone()),
            Kind::Other(_) => match &self.default_branch {
                Some(branch) if self.git_ref.as_deref() == Some(&format!("refs/heads/{branch}")) => {
                    Trusted::Commit(self.sha.clone())
                }
                branch => Trusted::DefaultBranch(branch.clone()),
            },
        }
    }
}

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<OsString>> Variables<F> {
    fn os(&self, name: &'static str) -> Option<OsString> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, EventError> {
        let bad = |value: OsString| EventError::Variable {
            name,
            value: value.to_string_lossy().into_owned(),
            expected: "UTF-8",
        };
        self.os(name).map(|value| value.into_string().map_err(bad)).transpose()
    }

    fn required(&self, name: &'static str) -> Result<String, EventError> {
        self.text(name)?.ok_or(EventError::NotSet(name))
    }

    fn parsed<T>(
        &self,
        name: &'static str,
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, EventError> {
        let value = self.required(name)?;
        parse(&value).ok_or(EventError::Variable { name, value, expected })
    }

    fn path(&self, name: &'static str) -> Result<PathBuf, EventError> {
        let path = self.os(name).map(PathBuf::from).ok_or(EventError::NotSet(name))?;
        if path.is_absolute() {
            return Ok(path);
        }
        Err(EventError::Variable { name, value: path.display().to_string(), expected: "an absolute path" })
    }
}

/// The event file.
struct Payload<'a> {
    event: &'a str,
    json: Value,
}

impl<'a> Payload<'a> {
    fn read(event: &'a str, path: PathBuf) -> Result<Self, EventError> {
        let content = match Regular::open(&path).and_then(|file| file.read(MAX_EVENT)) {
            Ok(content) => content,
            Err(error) => return Err(EventError::Read { path, error }),
        };
        match serde_json::from_slice(&content) {
            Ok(json) => Ok(Self { event, json }),
            Err(error) => Err(EventError::NotJson { path, error }),
        }
    }

    /// None: not there, or null.
    fn field(&self, field: &str) -> Option<&Value> {
        field.split('.').try_fold(&self.json, |value, key| value.get(key)).filter(|value| !value.is_null())
    }

    fn optional<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, EventError> {
        let bad = || EventError::Field { event: self.event.to_owned(), field, expected };
        self.field(field).map(|value| parse(value).ok_or_else(bad)).transpose()
    }

    fn required<T>(
        &self,
        field: &'static str,
        expected: &'static str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, EventError> {
        let missing = || EventError::Field { event: self.event.to_owned(), field, expected };
        self.optional(field, expected, parse)?.ok_or_else(missing)
    }

    fn commit(&self, field: &'static str) -> Result<Commit, EventError> {
        self.required(field, FULL_NAME, |value| Commit::parse(value.as_str()?))
    }

    fn before(&self) -> Result<Option<Commit>, EventError> {
        let zero = |text: &str| matches!(text.len(), 40 | 64) && text.bytes().all(|b| b == b'0');
        self.required("before", FULL_NAME, |value| match value.as_str()? {
            text if zero(text) => Some(None),
            text => Commit::parse(text).map(Some),
        })
    }

    fn pull_request(&self, trigger: Trigger) -> Result<Kind, EventError> {
        let repository = |value: &Value| Repository::parse(value.as_str()?);
        let base = self.required("pull_request.base.repo.full_name", "owner/name", repository)?;
        // A fork that was deleted is null.
        let head = self.optional("pull_request.head.repo.full_name", "owner/name", repository)?;
        Ok(Kind::PullRequest {
            trigger,
            number: self.required("pull_request.number", "a number", Value::as_u64)?,
            base: self.commit("pull_request.base.sha")?,
            head: self.commit("pull_request.head.sha")?,
            fork: head.is_none_or(|head| !head.to_string().eq_ignore_ascii_case(&base.to_string())),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use proptest::prelude::*;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    const BASE: &str = "1111111111111111111111111111111111111111";
    const HEAD: &str = "2222222222222222222222222222222222222222";
    const MERGE: &str = "3333333333333333333333333333333333333333";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    /// A run for an event, whose variables can be changed.
    struct Run {
        folder: TempDir,
        variables: HashMap<String, OsString>,
    }

    impl Run {
        fn of(event: &str, git_ref: &str, payload: &Value) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("event.json");
            fs::write(&path, payload.to_string()).unwrap();
            let variables = [
                ("GITHUB_EVENT_NAME", event),
                ("GITHUB_EVENT_PATH", path.to_str().unwrap()),
                ("GITHUB_REPOSITORY", "octo-org/hello.world"),
                ("GITHUB_SHA", MERGE),
                ("GITHUB_REF", git_ref),
                ("GITHUB_API_URL", "https://ghe.example/api/v3"),
                ("GITHUB_SERVER_URL", "https://ghe.example"),
                ("GITHUB_WORKSPACE", folder.path().to_str().unwrap()),
                ("GITHUB_RUN_ID", "17"),
                ("GITHUB_RUN_ATTEMPT", "2"),
                ("GITHUB_ACTOR", "octocat"),
            ];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.into()));
            Self { folder, variables: HashMap::from(variables) }
        }

        fn set(mut self, name: &str, value: impl Into<OsString>) -> Self {
            self.variables.insert(name.to_owned(), value.into());
            self
        }

        fn event(&self) -> Result<Event, EventError> {
            Event::from_env(|name| self.variables.get(name).cloned())
        }

        /// The error, without the name of the temporary folder.
        fn error(&self) -> String {
            let error = self.event().unwrap_err().to_string();
            error.replace(self.folder.path().to_str().unwrap(), "…")
        }
    }

    fn pull_request() -> Value {
        json!({
            "pull_request": {
                "number": 7,
                "base": {"sha": BASE, "repo": {"full_name": "octo-org/hello.world"}},
                "head": {"sha": HEAD, "repo": {"full_name": "Octo-Org/Hello.World", "fork": true}},
            },
            "repository": {"default_branch": "main"},
        })
    }

    fn commit(text: &str) -> Commit {
        Commit::parse(text).unwrap()
    }

    #[test]
    fn pull_requests() {
        let of = |name: &str, payload: &Value| Run::of(name, "refs/pull/7/merge", payload).event().unwrap();
        let mut payload = pull_request();
        let event = of("pull_request", &payload);
        let kind =
            |trigger, fork| Kind::PullRequest { trigger, number: 7, base: commit(BASE), head: commit(HEAD), fork };
        assert_eq!(
            event.kind,
            kind(Trigger::PullRequest, false),
            "that a repository is a fork of another is no matter"
        );
        assert_eq!(event.sha, commit(MERGE));
        assert_eq!(event.trusted_commit(), Trusted::Commit(commit(BASE)), "never the merge commit");
        assert_eq!(event.run_url(), "https://ghe.example/octo-org/hello.world/actions/runs/17/attempts/2");
        assert!(!event.is_dependabot());

        payload["pull_request"]["head"]["repo"]["full_name"] = json!("mallory/hello.world");
        assert_eq!(of("pull_request_target", &payload).kind, kind(Trigger::PullRequestTarget, true));
        payload["pull_request"]["head"]["repo"] = Value::Null;
        let event = of("pull_request_target", &payload);
        assert_eq!(event.kind, kind(Trigger::PullRequestTarget, true), "a fork that is gone");
        assert_eq!(event.trusted_commit(), Trusted::Commit(commit(BASE)));
    }

    #[test]
    fn merge_groups() {
        let payload = json!({"merge_group": {"base_sha": BASE, "head_sha": HEAD}});
        let event = Run::of("merge_group", "refs/heads/gh-readonly-queue/main/pr-7", &payload).event().unwrap();
        assert_eq!(event.kind, Kind::MergeGroup { base: commit(BASE), head: commit(HEAD) });
        assert_eq!(event.trusted_commit(), Trusted::Commit(commit(BASE)));
    }

    #[test]
    fn whose_word_counts_on_pushes_and_others() {
        let main = || Some(Branch::parse("main").unwrap());
        let the_commit = || Trusted::Commit(commit(MERGE));
        for (name, git_ref, default_branch, want) in [
            ("push", "refs/heads/main", Some("main"), the_commit()),
            ("push", "refs/heads/Main", Some("main"), Trusted::DefaultBranch(main())),
            ("push", "refs/heads/feature", Some("main"), Trusted::DefaultBranch(main())),
            ("push", "refs/tags/main", Some("main"), Trusted::DefaultBranch(main())),
            ("push", "refs/heads/main", None, Trusted::DefaultBranch(None)),
            ("schedule", "refs/heads/main", Some("main"), the_commit()),
            ("schedule", "refs/heads/main", None, Trusted::DefaultBranch(None)),
            ("workflow_dispatch", "refs/heads/feature", Some("main"), Trusted::DefaultBranch(main())),
            ("pull_request_review", "refs/pull/7/merge", Some("main"), Trusted::DefaultBranch(main())),
            ("workflow_dispatch", "", Some("main"), Trusted::DefaultBranch(main())),
        ] {
            let payload = json!({"before": BASE, "repository": {"default_branch": default_branch}});
            let event = Run::of(name, git_ref, &payload).event().unwrap();
            assert_eq!(event.trusted_commit(), want, "{name} on {git_ref}, default branch {default_branch:?}");
            if name == "push" {
                let to_default_branch = want == the_commit();
                assert_eq!(event.kind, Kind::Push { before: Some(commit(BASE)), to_default_branch });
            } else {
                assert_eq!(event.kind, Kind::Other(name.to_owned()));
            }
        }
        let new = Run::of("push", "refs/heads/x", &json!({"before": ZERO})).event().unwrap();
        assert_eq!(new.kind, Kind::Push { before: None, to_default_branch: false });
    }

    #[test]
    fn dependabot_is_whoever_started_the_run() {
        let run = Run::of("pull_request", "refs/pull/7/merge", &pull_request());
        assert!(run.set("GITHUB_ACTOR", "dependabot[bot]").event().unwrap().is_dependabot());
    }

    #[test]
    fn a_broken_event_says_what_is_wrong() {
        let run = || Run::of("pull_request", "refs/pull/7/merge", &pull_request());
        let with = |pointer: &str, value: Value| {
            let mut payload = pull_request();
            *payload.pointer_mut(pointer).unwrap() = value;
            Run::of("pull_request", "refs/pull/7/merge", &payload)
        };
        let file = |content: &[u8]| {
            let run = run();
            fs::write(run.folder.path().join("event.json"), content).unwrap();
            run
        };
        let absent = run();
        fs::remove_file(absent.folder.path().join("event.json")).unwrap();
        let folder = run();
        let path = folder.folder.path().to_owned();
        let mut out = String::new();
        for run in [
            absent,
            folder.set("GITHUB_EVENT_PATH", path),
            run().set("GITHUB_EVENT_PATH", "event.json"),
            run().set("GITHUB_EVENT_PATH", ""),
            file(b""),
            file(b"{\"pull_request\": "),
            file(b"[]"),
            file(&"[".repeat(1000).into_bytes()),
            file(&vec![b' '; usize::try_from(MAX_EVENT).unwrap() + 1]),
            with("/pull_request/base/sha", Value::Null),
            with("/pull_request/head/sha", json!("main")),
            with("/pull_request/head/sha", json!(ZERO)),
            with("/pull_request/number", json!("7")),
            with("/pull_request/head/repo/full_name", json!("a b/../c")),
            with("/repository/default_branch", json!("--upload-pack=x")),
            Run::of("push", "refs/heads/main", &json!({})),
            Run::of("merge_group", "refs/heads/main", &json!({"merge_group": {"base_sha": BASE}})),
            run().set("GITHUB_EVENT_NAME", ""),
            run().set("GITHUB_SHA", HEAD.to_uppercase() + "A"),
            run().set("GITHUB_REPOSITORY", "../x"),
            run().set("GITHUB_API_URL", "http://ghe.example/api/v3"),
            run().set("GITHUB_API_URL", "https://user@ghe.example/api/v3"),
            run().set("GITHUB_RUN_ID", "x"),
            run().set("GITHUB_WORKSPACE", "work"),
        ] {
            out += &run.error();
            out.push('\n');
        }
        insta::assert_snapshot!(out);
    }

    #[cfg(unix)]
    #[test]
    fn variables_that_are_not_utf8() {
        use std::os::unix::ffi::OsStringExt as _;
        let run = Run::of("push", "refs/heads/main", &json!({"before": BASE}));
        let error = run.set("GITHUB_REF", OsString::from_vec(b"refs/heads/\xff".to_vec())).error();
        assert_eq!(error, "GITHUB_REF is \"refs/heads/\u{fffd}\"; expected UTF-8");
    }

    #[test]
    fn names() {
        let sha256 = "a".repeat(64);
        for (text, good) in [
            (BASE, true),
            (&sha256, true),
            (ZERO, false),
            ("", false),
            ("main", false),
            (&BASE[1..], false),
            ("111111111111111111111111111111111111111A", false),
        ] {
            assert_eq!(Commit::parse(text).is_some(), good, "{text}");
        }
        for (text, good) in [
            ("main", true),
            ("release/1.x", true),
            ("größe", true),
            ("", false),
            ("-x", false),
            ("a/../b", false),
            ("a//b", false),
            (".a", false),
            ("a/.b", false),
            ("a.lock", false),
            ("a.", false),
            ("a/", false),
            ("@", false),
            ("a@{1}", false),
            ("a:b", false),
            ("a b", false),
            ("a\nb", false),
            ("a^", false),
        ] {
            assert_eq!(Branch::parse(text).is_some(), good, "{text:?}");
        }
        for (text, good) in [
            ("a/b", true),
            ("A-b_c.d/e.f", true),
            ("a", false),
            ("a/b/c", false),
            ("../b", false),
            ("a/..", false),
            ("a/b?c", false),
            ("/b", false),
            ("é/b", false),
        ] {
            assert_eq!(Repository::parse(text).is_some(), good, "{text}");
        }
        for (text, joined) in [
            ("https://api.github.com", Some("https://api.github.com/x")),
            ("https://ghe.example/api/v3", Some("https://ghe.example/api/v3/x")),
            ("https://ghe.example/api/v3/", Some("https://ghe.example/api/v3/x")),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080/x")),
            ("http://[::1]:1", Some("http://[::1]:1/x")),
            ("http://localhost", Some("http://localhost/x")),
            ("http://localhost.evil.example", None),
            ("http://10.0.0.1", None),
            ("ftp://api.github.com", None),
            ("https://a?b", None),
            ("https://a#b", None),
            ("https://u:p@a", None),
            ("api.github.com", None),
            ("file:///x", None),
        ] {
            assert_eq!(BaseUrl::parse(text).map(|url| url.join("/x")).as_deref(), joined, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_payload_makes_it_panic(name in "push|pull_request|merge_group|x", key in "before|pull_request|repository",
                                     value in any::<String>()) {
            let payload = json!({key: {"base": value, "default_branch": value, "number": 1}});
            _ = Run::of(&name, &value.replace('\0', ""), &payload).event();
        }
    }
}
