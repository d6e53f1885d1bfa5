//! Which lines a change adds or rewrites.
//!
//! This decides where findings are shown, never whether they count. So wherever something is not known, the answer is
//! the one that shows more: the whole of a file, or everything.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Commit, Event, Kind};
use super::git::{Checkout, GitError};
use super::github::GitHub;
use super::github::pulls::{self, PullFiles};
use super::lines::{ChangedLines, Lines};

/// How many files are compared. A go.mod or go.sum for each of so many modules is more than anybody reads annotations
/// of; whatever lies beyond counts as changed.
pub const MAX_COMPARED_FILES: usize = 1000;

/// Finds what the event's change touches, of the files that findings point at (`paths`, from the root of the
/// repository), by the checkout, else by the API. None: not known, so that everything is shown. The notes say, one line
/// each, what a person should know of how it was found.
///
/// - A pull request: against the first parent of the commit that is checked out, where that is a merge whose second
///   parent is the pull request's head (what actions/checkout checks out): the base branch may have moved since the
///   event was made. Otherwise against the point where what is checked out left the base. Where the history does not
///   reach back that far, or there is no git, the API lists the files of the pull request.
/// - A merge group: against what it is put on top of. A push: against where the branch was.
/// - Any other event changes nothing that is known.
pub async fn of(
    event: &Event,
    checkout: Result<&Checkout, &GitError>,
    api: Option<&GitHub>,
    paths: &BTreeSet<String>,
) -> (Option<ChangedLines>, Vec<String>) {
    let mut notes = Vec::new();
    let local = checkout.map_err(|error| error.to_string()).and_then(|checkout| {
        let base = base_of(event, checkout)?;
        by_git(checkout, &base, paths, &mut notes).map_err(|error| error.to_string())
    });
    let why = match local {
        Ok(changed) => return (Some(changed), notes),
        Err(why) => why,
    };
    let everything =
        |why: String| (None, vec![format!("which lines are changed is not known, so all are shown: {why}")]);
    let Kind::PullRequest { number, .. } = event.kind else {
        return everything(why);
    };
    let Some(api) = api else {
        return everything(format!("{why}; and there is no token for the API"));
    };
    match pulls::files(api, number).await {
        Ok(files) => {
            let mut notes = vec![format!("the changed lines are those that the API gives: {why}")];
            (Some(by_api(files, paths, &mut notes)), notes)
        }
        Err(error) => everything(format!("{why}; the API: {error}")),
    }
}

/// What the change is compared with, or why that is not known.
fn base_of(event: &Event, checkout: &Checkout) -> Result<Commit, String> {
    let text = |error: GitError| error.to_string();
    match &event.kind {
        Kind::PullRequest { base, head, .. } => {
            let parents = checkout.parents().map_err(text)?;
            if let [first, second] = parents.as_slice()
                && second == head
            {
                return Ok(first.clone());
            }
            // As pull_request_target does by default.
            if checkout.head() == base {
                return Ok(base.clone());
            }
            let parted = checkout.merge_base(base, checkout.head()).map_err(text)?;
            parted.ok_or_else(|| format!("what is checked out has no commit in common with the base {base}"))
        }
        Kind::MergeGroup { base, .. } => Ok(base.clone()),
        Kind::Push { before: Some(before), .. } => Ok(before.clone()),
        Kind::Push { before: None, .. } => Err("the push made a new branch or tag".to_owned()),
        Kind::Other(name) => Err(format!("the event {name} changes no lines")),
    }
}

fn by_git(
    checkout: &Checkout,
    base: &Commit,
    paths: &BTreeSet<String>,
    notes: &mut Vec<String>,
) -> Result<ChangedLines, GitError> {
    checkout.require(base)?;
    let mut files = BTreeMap::new();
    let mut failed: Vec<(&str, GitError)> = Vec::new();
    for path in paths.iter().take(MAX_COMPARED_FILES) {
        match checkout.changed_since(base, path) {
            Ok(None) => {}
            Ok(Some(lines)) => {
                files.insert(path.clone(), lines);
            }
            Err(error) => {
                failed.push((path, error));
                files.insert(path.clone(), Lines::All);
            }
        }
    }
    if let Some((path, error)) = failed.first() {
        let more = match failed.len() {
            1 => String::new(),
            count => format!(", and {} others like it", count - 1),
        };
        notes.push(format!("all lines of {path:?} count as changed: {error}{more}"));
    }
    let beyond = paths.len().saturating_sub(MAX_COMPARED_FILES);
    if beyond > 0 {
        notes.push(format!("all lines of {beyond} files count as changed: only {MAX_COMPARED_FILES} are compared"));
        files.extend(paths.iter().skip(MAX_COMPARED_FILES).map(|path| (path.clone(), Lines::All)));
    }
    Ok(ChangedLines::new(files))
}

fn by_api(files: PullFiles, paths: &BTreeSet<String>, notes: &mut Vec<String>) -> ChangedLines {
    let PullFiles { mut files, complete } = files;
    if !complete {
        notes.push(format!(
            "the pull request has more than {} files, which is all that the API lists: other files count as changed",
            pulls::MAX_FILES
        ));
    }
    let mut changed = BTreeMap::new();
    for path in paths {
        match files.remove(path) {
            Some(lines) => {
                changed.insert(path.clone(), lines);
            }
            None if !complete => {
                changed.insert(path.clone(), Lines::All);
            }
            None => {}
        }
    }
    ChangedLines::new(changed)
}
