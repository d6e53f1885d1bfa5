//! Which lines a change touches, by the checkout or by the API.

use std::collections::BTreeSet;

use modanchor_host::ci::event::Commit;
use modanchor_host::ci::git::GitError;
use modanchor_host::ci::github::pulls::MAX_FILES;
use modanchor_host::ci::{
    changed::{self, MAX_COMPARED_FILES},
    lines::ChangedLines,
};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::fake::{BASE, Bench, HEAD, event, pull_request, refusal};
use crate::repo::{Repo, has_git};

fn paths(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|&path| path.to_owned()).collect()
}

/// Which of the lines 1 to 9 of a file are touched.
fn touched(changed: &ChangedLines, path: &str) -> Vec<u32> {
    (1..=9).filter(|&line| changed.touches(path, Some(line))).collect()
}

/// A pull request of two commits, whose base branch has moved since, and the merge commit that actions/checkout
/// fetches.
struct PullRequest {
    repo: Repo,
    base: Commit,
    head: Commit,
    merge: Commit,
}

impl PullRequest {
    fn new() -> Self {
        let repo = Repo::new();
        repo.write("go.sum", "a\nb\nc\n");
        repo.write("other/go.sum", "a\n");
        repo.write("third/go.sum", "a\n");
        let base = repo.commit();
        repo.git(&["checkout", "--quiet", "-b", "feature"]);
        repo.write("go.sum", "a\nb\nc\nd\n");
        repo.commit();
        repo.write("third/go.sum", "a\nb\n");
        let head = repo.commit();
        repo.git(&["checkout", "--quiet", "main"]);
        repo.write("go.sum", "0\na\nb\nc\n");
        repo.write("other/go.sum", "a\nb\n");
        repo.commit();
        repo.git(&["merge", "--quiet", "--no-ff", "--message", "m", "feature"]);
        let merge = repo.head();
        Self { repo, base, head, merge }
    }

    fn payload(&self) -> Value {
        pull_request(self.base.as_str(), self.head.as_str())
    }
}

const THREE: [&str; 3] = ["go.sum", "other/go.sum", "third/go.sum"];

#[tokio::test]
async fn a_merge_is_compared_with_its_first_parent_though_the_base_has_moved() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    let event = event("pull_request", "refs/pull/7/merge", &pr.payload());
    // Two commits are enough: the merge and its parents.
    for checkout in [pr.repo.open(), pr.repo.open_at(&pr.repo.shallow(2)).unwrap()] {
        let (changed, notes) = changed::of(&event, Ok(&checkout), None, &paths(&THREE)).await;
        let changed = changed.unwrap();
        assert_eq!(touched(&changed, "go.sum"), [5]);
        assert_eq!(touched(&changed, "other/go.sum"), [0; 0], "the base branch changed it");
        assert_eq!(touched(&changed, "third/go.sum"), [2]);
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(checkout.head(), &pr.merge);
    }
}

#[tokio::test]
async fn a_head_is_compared_with_where_it_left_the_base() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    // The event's base may be newer than where the branch began.
    let moved = pr.repo.git(&["rev-parse", "main^1"]);
    pr.repo.git(&["checkout", "--quiet", "--detach", pr.head.as_str()]);
    let event = event("pull_request", "refs/pull/7/merge", &pull_request(&moved, pr.head.as_str()));
    let (changed, notes) = changed::of(&event, Ok(&pr.repo.open()), None, &paths(&THREE)).await;
    let changed = changed.unwrap();
    assert_eq!(touched(&changed, "go.sum"), [4]);
    assert_eq!(touched(&changed, "other/go.sum"), [0; 0]);
    assert_eq!(touched(&changed, "third/go.sum"), [2]);
    assert!(notes.is_empty(), "{notes:?}");
}

#[tokio::test]
async fn pull_request_target_judges_the_base() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    pr.repo.git(&["checkout", "--quiet", "--detach", pr.base.as_str()]);
    let event = event("pull_request_target", "refs/heads/main", &pr.payload());
    let checkout = pr.repo.open_at(&pr.repo.shallow(1)).unwrap();
    let (changed, notes) = changed::of(&event, Ok(&checkout), None, &paths(&THREE)).await;
    assert_eq!((changed.unwrap(), notes), (ChangedLines::default(), vec![]));
}

#[tokio::test]
async fn the_working_tree_counts_and_lines_that_are_gone_touch_the_file() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    pr.repo.write("third/go.sum", "a\nb\nx\n");
    pr.repo.write("other/go.sum", "a\n");
    let event = event("pull_request", "refs/pull/7/merge", &pr.payload());
    let (changed, _) = changed::of(&event, Ok(&pr.repo.open()), None, &paths(&THREE)).await;
    let changed = changed.unwrap();
    assert_eq!(touched(&changed, "third/go.sum"), [2, 3]);
    assert_eq!(touched(&changed, "other/go.sum"), [0; 0]);
    assert!(changed.touches("other/go.sum", None));
}

#[tokio::test]
async fn merge_groups_and_pushes() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    let checkout = pr.repo.open();
    let zero = "0".repeat(40);
    for (name, payload, want) in [
        (
            "merge_group",
            json!({"merge_group": {"base_sha": pr.base.as_str(), "head_sha": pr.merge.as_str()}}),
            Some(&[1, 5][..]),
        ),
        ("push", json!({"before": pr.base.as_str()}), Some(&[1, 5])),
        ("push", json!({"before": pr.head.as_str()}), Some(&[1])),
        ("push", json!({"before": zero}), None),
        // Pushed by force: the old commit is nowhere.
        ("push", json!({"before": BASE}), None),
        ("schedule", json!({}), None),
    ] {
        let event = event(name, "refs/heads/x", &payload);
        let (changed, notes) = changed::of(&event, Ok(&checkout), None, &paths(&["go.sum"])).await;
        let lines = changed.map(|changed| touched(&changed, "go.sum"));
        assert_eq!(lines.as_deref(), want, "{name} {payload}");
        // It says so where all is shown.
        assert_eq!(notes.len(), usize::from(want.is_none()), "{notes:?}");
        assert!(notes.iter().all(|note| note.starts_with("which lines are changed is not known")), "{notes:?}");
    }
}

#[tokio::test]
async fn files_beyond_the_cap_and_odd_paths_count_as_changed() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    let mut paths = paths(&["../x"]);
    // These come before in the order of paths, and are the same in both.
    paths.extend((0..MAX_COMPARED_FILES).map(|n| format!("/{n}")));
    paths.insert("other/go.sum".to_owned());
    let event = event("pull_request", "refs/pull/7/merge", &pr.payload());
    let (changed, notes) = changed::of(&event, Ok(&pr.repo.open()), None, &paths).await;
    let changed = changed.unwrap();
    assert!(changed.touches("../x", Some(1)) && changed.touches("other/go.sum", Some(1)));
    let [failed, beyond] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(failed.contains("\"../x\" is not a path") && failed.ends_with(", and 999 others like it"), "{failed}");
    assert_eq!(beyond, "all lines of 2 files count as changed: only 1000 are compared");
}

/// The files of pull request 7, on pages.
fn page(number: usize, files: &[Value]) -> (String, ResponseTemplate) {
    (format!("/pulls/7/files?per_page=100&page={number}"), ResponseTemplate::new(200).set_body_json(files))
}

fn file(name: &str, status: &str, additions: u64, patch: Option<&str>) -> Value {
    let mut file = json!({"filename": name, "status": status, "additions": additions, "sha": "x", "deletions": 1});
    if let Some(patch) = patch {
        file["patch"] = json!(patch);
    }
    file
}

#[tokio::test]
async fn a_history_that_is_cut_off_leaves_it_to_the_api() {
    if !has_git() {
        return;
    }
    let pr = PullRequest::new();
    let bench = Bench::new().await;
    // A hundred files on the first page: there may be more.
    let mut first = vec![file("go.sum", "modified", 1, Some("@@ -1,3 +1,4 @@\n a\n b\n c\n+d"))];
    first.extend((1..100).map(|n| file(&format!("f{n}"), "modified", 1, None)));
    let second = [
        file("large/go.sum", "modified", 5000, None),
        file("short/go.sum", "modified", 2, Some("@@ -1 +1 @@\n-a\n+b")),
        file("gone/go.sum", "removed", 0, Some("@@ -1 +0,0 @@\n-a")),
        file("odd \"\n/go.sum", "renamed", 1, Some("@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file")),
    ];
    for (path, answer) in [page(1, &first), page(2, &second)] {
        bench.has(&path, answer);
    }
    let event = event("pull_request", "refs/pull/7/merge", &pr.payload());
    let asked = paths(&["go.sum", "large/go.sum", "short/go.sum", "gone/go.sum", "odd \"\n/go.sum", "same/go.sum"]);
    let checkout = pr.repo.open_at(&pr.repo.shallow(1)).unwrap();
    let (changed, notes) = changed::of(&event, Ok(&checkout), Some(&bench.github()), &asked).await;
    let changed = changed.unwrap();
    assert_eq!(touched(&changed, "go.sum"), [4]);
    assert_eq!(touched(&changed, "large/go.sum").len(), 9, "a file without a patch");
    assert_eq!(touched(&changed, "short/go.sum").len(), 9, "a patch with less than it should have");
    assert_eq!(touched(&changed, "odd \"\n/go.sum"), [1]);
    assert!(!changed.touches("gone/go.sum", None) && !changed.touches("same/go.sum", None));
    let [note] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(note.starts_with("the changed lines are those that the API gives: the checkout has no commit"), "{note}");
    assert_eq!(bench.state().seen.len(), 2);
}

#[tokio::test]
async fn more_files_than_the_api_lists() {
    let bench = Bench::new().await;
    for number in 1..=MAX_FILES / 100 {
        let files: Vec<_> =
            (0..100).map(|n| file(&format!("f{number}/{n}"), "added", 1, Some("@@ -0,0 +1 @@\n+a"))).collect();
        let (path, answer) = page(number, &files);
        bench.has(&path, answer);
    }
    let event = event("pull_request", "refs/pull/7/merge", &pull_request(BASE, HEAD));
    let (changed, notes) =
        changed::of(&event, Err(&GitError::NoGit), Some(&bench.github()), &paths(&["f30/99", "go.sum"])).await;
    let changed = changed.unwrap();
    assert_eq!(touched(&changed, "f30/99"), [1]);
    assert_eq!(touched(&changed, "go.sum").len(), 9, "it may be among those that are not listed");
    assert_eq!(bench.state().seen.len(), MAX_FILES / 100);
    assert!(notes.iter().any(|note| note.contains("more than 3000 files")), "{notes:?}");
}

#[tokio::test]
async fn with_neither_everything_is_shown() {
    let event = event("pull_request", "refs/pull/7/merge", &pull_request(BASE, HEAD));
    let bench = Bench::new().await;
    bench.has(&page(1, &[]).0, refusal(403, "Resource not accessible by integration"));
    for (api, want) in [(None, "no token"), (Some(&bench.github()), "Resource not accessible by integration")] {
        let (changed, notes) = changed::of(&event, Err(&GitError::NoGit), api, &paths(&["go.sum"])).await;
        assert_eq!(changed, None);
        let [note] = notes.as_slice() else { panic!("{notes:?}") };
        assert!(note.contains("no git command") && note.contains(want), "{note}");
    }
}
