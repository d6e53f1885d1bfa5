//! A repository on GitHub, and the events that its workflows run for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::write;

/// The repository's name on GitHub.
pub const REPOSITORY: &str = "gopher/project";

/// Its default branch.
pub const DEFAULT_BRANCH: &str = "main";

/// The pull request that [`Origin::pull_request`] makes.
const NUMBER: u64 = 7;

/// What an event's token is. GitHub takes away a fork's right to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A branch of the repository itself.
    Own,
    /// A branch of a fork.
    Fork,
}

/// A repository as GitHub has it: a default branch, and what is pushed and proposed.
#[derive(Debug)]
pub struct Origin {
    dir: TempDir,
}

impl Origin {
    /// With one commit on the default branch.
    ///
    /// # Panics
    /// Without git, or if the disk fails, as every function here does.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::Builder::new().prefix("modanchor-origin-").tempdir().expect("a temporary folder");
        let origin = Self { dir };
        origin.git(&["init", "--quiet", "--initial-branch", DEFAULT_BRANCH]);
        // As GitHub allows it: any commit that can be reached may be fetched by its name.
        origin.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        origin.commit(files);
        origin
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// As a URL for `git fetch`, which else does not make shallow clones.
    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// Writes files on the current branch and commits them; the new commit's name.
    pub fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            write(&self.path().join(name), text);
        }
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "Change something"]);
        self.head()
    }

    /// Runs git in it; what it printed.
    pub fn git(&self, args: &[&str]) -> String {
        git(self.path(), args)
    }

    fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// A push of the default branch as it is.
    pub fn push(&self) -> Event {
        self.pushed(&format!("refs/heads/{DEFAULT_BRANCH}"))
    }

    /// A push of another branch (`refs/heads/…`) or tag (`refs/tags/…`) with the same commit.
    pub fn pushed(&self, name: &str) -> Event {
        let sha = self.head();
        self.git(&["update-ref", name, &sha]);
        let before = self.git(&["rev-list", "--max-parents=0", "HEAD"]);
        Event::new("push", name, &sha, json!({"ref": name, "before": before, "after": sha, "forced": false}))
    }

    /// A scheduled run.
    pub fn schedule(&self) -> Event {
        let name = format!("refs/heads/{DEFAULT_BRANCH}");
        Event::new("schedule", &name, &self.head(), json!({"schedule": "17 5 * * *"}))
    }

    /// A pull request with one commit, made of these files, on top of the default branch. GitHub's merge of the two is
    /// what a workflow checks out.
    pub fn pull_request(&self, from: From, files: &[(&str, &str)]) -> Event {
        let (base, head, merge) = self.merged(files);
        self.git(&["update-ref", &format!("refs/pull/{NUMBER}/head"), &head]);
        self.git(&["update-ref", &format!("refs/pull/{NUMBER}/merge"), &merge]);
        let full_name = if from == From::Fork { "mallory/project" } else { REPOSITORY };
        let repository = |name: &str| json!({"full_name": name, "fork": name != REPOSITORY});
        let payload = json!({
            "action": "synchronize",
            "number": NUMBER,
            "pull_request": {
                "number": NUMBER,
                "base": {"ref": DEFAULT_BRANCH, "sha": base, "repo": repository(REPOSITORY)},
                "head": {"ref": "change", "sha": head, "repo": repository(full_name)},
                "merge_commit_sha": merge,
            },
        });
        let mut event = Event::new("pull_request", &format!("refs/pull/{NUMBER}/merge"), &merge, payload);
        event.base_ref = DEFAULT_BRANCH.into();
        event.head_ref = "change".into();
        event.from = from;
        event
    }

    /// The same for a workflow on `pull_request_target`, which runs as the base branch does: with its token, and its
    /// commit checked out.
    pub fn pull_request_target(&self, files: &[(&str, &str)]) -> Event {
        let mut event = self.pull_request(From::Fork, files);
        event.name = "pull_request_target".into();
        event.ref_name = format!("refs/heads/{DEFAULT_BRANCH}");
        event.sha = self.head();
        event.from = From::Own;
        event
    }

    /// A merge queue's group of one such pull request.
    pub fn merge_group(&self, files: &[(&str, &str)]) -> Event {
        let (base, _, merge) = self.merged(files);
        let name = format!("refs/heads/gh-readonly-queue/{DEFAULT_BRANCH}/pr-{NUMBER}-{base}");
        self.git(&["update-ref", &name, &merge]);
        let base_ref = format!("refs/heads/{DEFAULT_BRANCH}");
        let group = json!({"head_sha": merge, "head_ref": name, "base_sha": base, "base_ref": base_ref});
        Event::new("merge_group", &name, &merge, json!({"action": "checks_requested", "merge_group": group}))
    }

    /// Base, head and merge of a change; the default branch stays as it is.
    fn merged(&self, files: &[(&str, &str)]) -> (String, String, String) {
        let base = self.head();
        self.git(&["switch", "--quiet", "--detach"]);
        let head = self.commit(files);
        let tree = self.git(&["rev-parse", "HEAD^{tree}"]);
        let merge = self.git(&["commit-tree", &tree, "-p", &base, "-p", &head, "-m", "Merge"]);
        self.git(&["switch", "--quiet", DEFAULT_BRANCH]);
        (base, head, merge)
    }
}

/// Runs git without anybody's settings; what it printed, without the last newline.
pub(super) fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "protocol.file.allow=always", "-c", "advice.detachedHead=false"]).args(args).current_dir(dir);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{who}_NAME"), "gopher").env(format!("GIT_{who}_EMAIL"), "gopher@example.com");
        command.env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
    }
    let output = command.output().expect("git is there");
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git prints UTF-8").trim_end().to_owned()
}

/// Why a workflow runs.
#[derive(Debug, Clone)]
pub struct Event {
    /// `push`, `pull_request`, …
    pub name: String,
    /// What the event file says.
    pub payload: Value,
    /// `GITHUB_REF`.
    pub ref_name: String,
    /// `GITHUB_SHA`: what is checked out.
    pub sha: String,
    /// `GITHUB_BASE_REF`; empty but for pull requests.
    pub base_ref: String,
    /// `GITHUB_HEAD_REF`; empty but for pull requests.
    pub head_ref: String,
    /// Whose change it is: a fork's run may write nothing.
    pub from: From,
}

impl Event {
    fn new(name: &str, ref_name: &str, sha: &str, mut payload: Value) -> Self {
        payload["repository"] = json!({
            "full_name": REPOSITORY,
            "default_branch": DEFAULT_BRANCH,
            "private": false,
            "fork": false,
        });
        payload["sender"] = json!({"login": "gopher"});
        Self {
            name: name.into(),
            payload,
            ref_name: ref_name.into(),
            sha: sha.into(),
            base_ref: String::new(),
            head_ref: String::new(),
            from: From::Own,
        }
    }

    /// The refs whose caches a run may restore, its own first.
    pub(super) fn cache_scopes(&self) -> Vec<String> {
        let mut scopes = vec![self.ref_name.clone()];
        for branch in [self.base_ref.as_str(), DEFAULT_BRANCH] {
            let name = format!("refs/heads/{branch}");
            if !branch.is_empty() && !scopes.contains(&name) {
                scopes.push(name);
            }
        }
        scopes
    }
}

/// What `actions/checkout` does: one commit, by its name, and as much of what is behind it as was asked for (0: all).
pub(super) fn check_out(origin: &Origin, event: &Event, depth: u64, workspace: &Path) {
    let empty = |dir: &PathBuf| fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none());
    assert!(empty(&workspace.to_path_buf()), "a checkout into a workspace that is not empty is not simulated");
    git(workspace, &["init", "--quiet"]);
    git(workspace, &["remote", "add", "origin", &origin.url()]);
    let depth = format!("--depth={depth}");
    let mut fetch = vec!["fetch", "--quiet", "--no-tags"];
    if depth == "--depth=0" {
        fetch.push("origin");
        fetch.push("+refs/heads/*:refs/remotes/origin/*");
    } else {
        fetch.extend([depth.as_str(), "origin"]);
    }
    fetch.push(&event.sha);
    git(workspace, &fetch);
    git(workspace, &["checkout", "--quiet", "--force", &event.sha]);
}
