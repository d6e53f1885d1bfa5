//! One check run with annotations: <https://docs.github.com/en/rest/checks/runs>.
//!
//! GitHub takes 50 annotations with a request, and adds those of each update to what is there. So neither creating a
//! run nor adding to it may be repeated blindly: after an answer that was lost there could be two runs, or annotations
//! shown twice. Each run gets an `external_id` that nobody else has; after an unclear answer the run is looked up by
//! it, or the number of its annotations is, and only what did not arrive is sent again.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt::Write as _;

use http::Method;
use serde::{Deserialize, Serialize};

use super::transport::Repeat;
use super::{ApiError, GitHub, encode};
use crate::ci::event::{Commit, Event, Kind};
use crate::ci::output::{OutputError, random};
use crate::output::annotation::{Annotation, Level};

/// How many annotations GitHub takes with one request.
pub const MAX_ANNOTATIONS_PER_REQUEST: usize = 50;
/// How many annotations a check run gets: ten requests, and more than anybody reads.
pub const MAX_CHECK_ANNOTATIONS: usize = 500;
/// The longest message of an annotation, in bytes of UTF-8. GitHub: 64 KB.
pub const MAX_MESSAGE: usize = 64_000;
/// The longest title of a run or an annotation, in characters.
pub const MAX_TITLE: usize = 255;
/// The longest summary, and the longest text, in bytes of UTF-8. GitHub: 65,535 characters.
pub const MAX_TEXT: usize = 65_535;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// Its name among the checks of a commit, at most [`MAX_TITLE`] characters.
    pub name: &'a str,
    /// The run's exit status (0, 1 or 3): 0 is a success.
    pub status: u8,
    /// What came out, in one line. Status 3 puts "could not be checked" before it.
    pub headline: &'a str,
    /// Markdown.
    pub summary: &'a str,
    /// Markdown, below the summary. May be empty.
    pub text: &'a str,
    /// In any order.
    pub annotations: &'a [Annotation],
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where people see it.
    pub url: Option<String>,
    /// How many annotations it has.
    pub shown: usize,
    /// How many annotations on files are not among them.
    pub left_out: usize,
    /// Why fewer annotations than [`MAX_CHECK_ANNOTATIONS`] arrived.
    pub problem: Option<ApiError>,
}

/// Why there is no check run.
#[derive(Debug, thiserror::Error)]
pub enum ChecksError {
    /// The token lacks `checks: write`, as for a pull request from a fork: annotations must go another way.
    #[error(
        "the token may not make a check run ({0}): it takes `checks: write`, which no pull request from a fork has"
    )]
    Forbidden(String),
    /// Anything else.
    #[error("making the check run: {0}")]
    Api(#[from] ApiError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] OutputError),
}

/// The commit that checks are shown on: the head of a pull request or merge group, and not the merge commit, which no
/// page shows.
pub fn head_sha(event: &Event) -> &Commit {
    match &event.kind {
        Kind::PullRequest { head, .. } | Kind::MergeGroup { head, .. } => head,
        Kind::Push { .. } | Kind::Other(_) => &event.sha,
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    path: &'a str,
    start_line: u32,
    end_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_column: Option<u32>,
    annotation_level: &'static str,
    title: String,
    message: Cow<'a, str>,
}

#[derive(Serialize)]
struct Output<'a> {
    title: &'a str,
    summary: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    text: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    annotations: &'a [Shown<'a>],
}

#[derive(Serialize)]
struct New<'a> {
    name: &'a str,
    head_sha: &'a str,
    external_id: &'a str,
    details_url: &'a str,
    #[serde(flatten)]
    update: Update<'a>,
}

#[derive(Serialize)]
struct Update<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conclusion: Option<&'static str>,
    output: Output<'a>,
}

#[derive(Deserialize)]
struct Run {
    id: u64,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    html_url: Option<String>,
    status: String,
    #[serde(default)]
    output: Counted,
}

#[derive(Deserialize, Default)]
struct Counted {
    #[serde(default)]
    annotations_count: usize,
}

#[derive(Deserialize)]
struct Runs {
    check_runs: Vec<Run>,
}

/// What is sent, within GitHub's limits.
struct Plan<'a> {
    name: String,
    title: String,
    summary: String,
    text: Cow<'a, str>,
    conclusion: &'static str,
    annotations: Vec<Shown<'a>>,
    left_out: usize,
}

impl<'a> Plan<'a> {
    fn of(check: &Check<'a>) -> Self {
        let mut sorted: Vec<&Annotation> = check.annotations.iter().collect();
        // Stable: where they are equally severe, in the order given.
        sorted.sort_by_key(|annotation| Reverse(annotation.severity));
        let (on_files, elsewhere): (Vec<_>, Vec<_>) = sorted.into_iter().partition(|a| a.path.is_some());
        let left_out = on_files.len().saturating_sub(MAX_CHECK_ANNOTATIONS);
        let mut annotations: Vec<_> = on_files.into_iter().filter_map(shown).collect();
        annotations.truncate(MAX_CHECK_ANNOTATIONS);

        let note = match left_out {
            0 => String::new(),
            _ => format!(
                "\n\n{left_out} findings have no annotation: a check run gets {MAX_CHECK_ANNOTATIONS}, the most severe \
                 first.\n"
            ),
        };
        let summary = format!("{}{note}", cut(check.summary, MAX_TEXT - note.len()));
        let mut text = Cow::Borrowed(check.text);
        if !elsewhere.is_empty() {
            let text = text.to_mut();
            text.push_str("\n\n### About no file\n\n");
            for annotation in elsewhere {
                text.push_str(&fenced(&format!("{}\n{}", annotation.title, annotation.message)));
            }
        }
        let text = match cut(&text, MAX_TEXT) {
            Cow::Borrowed(_) => text,
            Cow::Owned(cut) => Cow::Owned(cut),
        };
        let title = match check.status {
            3 => Cow::Owned(format!("Could not be checked: {}", check.headline)),
            _ => Cow::Borrowed(check.headline),
        };
        Self {
            name: one_line(check.name),
            title: one_line(&title),
            summary,
            text,
            conclusion: if check.status == 0 { "success" } else { "failure" },
            annotations,
            left_out,
        }
    }

    /// With these of the annotations.
    fn update(&'a self, annotations: &'a [Shown<'a>], last: bool) -> Update<'a> {
        Update {
            status: if last { "completed" } else { "in_progress" },
            conclusion: last.then_some(self.conclusion),
            output: Output { title: &self.title, summary: &self.summary, text: &self.text, annotations },
        }
    }
}

/// None: about no file.
fn shown(annotation: &Annotation) -> Option<Shown<'_>> {
    let path = annotation.path.as_deref()?;
    let line = annotation.line.unwrap_or(1).max(1);
    // GitHub takes columns only where first and last line are the same, which they always are here.
    let columns = annotation.columns.filter(|&(first, last)| annotation.line.is_some() && first >= 1 && first <= last);
    let message = if annotation.message.is_empty() { &annotation.title } else { &annotation.message };
    Some(Shown {
        path,
        start_line: line,
        end_line: line,
        start_column: columns.map(|(first, _)| first),
        end_column: columns.map(|(_, last)| last),
        annotation_level: match annotation.level {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "failure",
        },
        title: one_line(&annotation.title),
        message: shorten(message, MAX_MESSAGE),
    })
}

/// The first line, up to [`MAX_TITLE`] characters.
fn one_line(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= MAX_TITLE {
        return line.to_owned();
    }
    line.chars().take(MAX_TITLE - 1).chain(['…']).collect()
}

fn shorten(text: &str, limit: usize) -> Cow<'_, str> {
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    const MARK: &str = "\n… (cut)";
    Cow::Owned(format!("{}{MARK}", &text[..text.floor_char_boundary(limit - MARK.len())]))
}

/// Text as it is, in markdown: nothing in it can end the block.
fn fenced(text: &str) -> String {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}text\n{text}\n{fence}\n\n")
}

/// Markdown of at most `limit` bytes: cut after a line, with a note that is neither in a block of code nor in a fold.
fn cut(markdown: &str, limit: usize) -> Cow<'_, str> {
    const NOTE: &str = "\nThis is cut: GitHub shows no more.\n";
    if markdown.len() <= limit {
        return Cow::Borrowed(markdown);
    }
    let mut keep = limit;
    loop {
        let kept = &markdown[..markdown.floor_char_boundary(keep)];
        let kept = kept.rfind('\n').map_or("", |end| &kept[..=end]);
        let mut out = kept.to_owned();
        if let Some(fence) = open_fence(kept) {
            let _ = writeln!(out, "{fence}");
        }
        let folds = kept.matches("<details").count().saturating_sub(kept.matches("</details>").count());
        out.push_str(&"\n</details>\n".repeat(folds));
        out.push_str(NOTE);
        if out.len() <= limit {
            return Cow::Owned(out);
        }
        if kept.is_empty() {
            return Cow::Borrowed("");
        }
        keep = kept.len().saturating_sub((out.len() - limit).max(1));
    }
}

/// The fence of the block of code that is open at the end (CommonMark 0.31, section 4.5).
fn open_fence(markdown: &str) -> Option<&str> {
    let mut open: Option<&str> = None;
    for line in markdown.lines() {
        let line = line.trim();
        let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'));
        let Some(mark) = mark else { continue };
        let fence = &line[..line.len() - line.trim_start_matches(mark).len()];
        match open {
            // A line with more backticks after the first is code within a paragraph.
            None if fence.len() >= 3 && (mark == '~' || !line[fence.len()..].contains('`')) => open = Some(fence),
            Some(began) if began.starts_with(mark) && fence.len() >= began.len() && fence == line => open = None,
            _ => {}
        }
    }
    open
}

/// Makes a check run for the event: in one request up to 50 annotations, else with one more for each further 50, the
/// last of which completes it.
///
/// # Errors
/// [`ChecksError::Forbidden`]: nothing was made, show annotations another way. [`ChecksError::Api`]: perhaps there is a
/// run that is not complete. That annotations are missing from a complete run is no error ([`Published::problem`]).
pub async fn publish(github: &GitHub, event: &Event, check: &Check<'_>) -> Result<Published, ChecksError> {
    let plan = Plan::of(check);
    let external_id = format!("{}/{}/{}", event.run_id, event.run_attempt, random()?);
    let mut batches = plan.annotations.chunks(MAX_ANNOTATIONS_PER_REQUEST);
    let first = batches.next().unwrap_or_default();
    let last = batches.len();
    let new = New {
        name: &plan.name,
        head_sha: head_sha(event).as_str(),
        external_id: &external_id,
        details_url: &event.run_url(),
        update: plan.update(first, last == 0),
    };
    let run = create(github, &new).await?;
    let mut published = Published { url: run.html_url, shown: first.len(), left_out: plan.left_out, problem: None };
    for (number, batch) in batches.enumerate() {
        let update = plan.update(batch, number + 1 == last);
        match add(github, run.id, &update, published.shown + batch.len()).await {
            Ok(()) => published.shown += batch.len(),
            Err(problem) => {
                // A run that stays in progress blocks a pull request for ever.
                let update = plan.update(&[], true);
                let path = github.path(&format!("/check-runs/{}", run.id));
                let _: Run = github.change(Method::PATCH, &path, &update, Repeat::Freely).await?;
                published.left_out += plan.annotations.len() - published.shown;
                published.problem = Some(problem);
                break;
            }
        }
    }
    Ok(published)
}

async fn create(github: &GitHub, new: &New<'_>) -> Result<Run, ChecksError> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let unclear = match github.change(Method::POST, &github.path("/check-runs"), new, Repeat::OnlyUnsent).await {
            Ok(run) => return Ok(run),
            Err(unclear @ ApiError::Ambiguous(_)) => unclear,
            Err(ApiError::Forbidden { message, .. } | ApiError::Absent { message, .. }) => {
                return Err(ChecksError::Forbidden(message));
            }
            Err(error) => return Err(error.into()),
        };
        let pause = github.retry.pause_after(attempt);
        github.clock.sleep(pause.unwrap_or_default()).await;
        let query = format!("check_name={}&filter=all&per_page=100", encode(new.name));
        let path = github.path(&format!("/commits/{}/check-runs?{query}", new.head_sha));
        let there: Runs = github.get(&path).await?;
        let mut runs = there.check_runs.into_iter();
        if let Some(run) = runs.find(|run| run.external_id.as_deref() == Some(new.external_id)) {
            return Ok(run);
        }
        if pause.is_none() {
            return Err(unclear.into());
        }
    }
}

/// Adds a batch of annotations, after which there are `total` of them.
async fn add(github: &GitHub, id: u64, update: &Update<'_>, total: usize) -> Result<(), ApiError> {
    let path = github.path(&format!("/check-runs/{id}"));
    let mut attempt = 0;
    loop {
        attempt += 1;
        let unclear = match github.change::<Run>(Method::PATCH, &path, update, Repeat::OnlyUnsent).await {
            Ok(_) => return Ok(()),
            Err(unclear @ ApiError::Ambiguous(_)) => unclear,
            Err(error) => return Err(error),
        };
        let pause = github.retry.pause_after(attempt);
        github.clock.sleep(pause.unwrap_or_default()).await;
        let run: Run = github.get(&path).await?;
        if run.output.annotations_count >= total && run.status == update.status {
            return Ok(());
        }
        if pause.is_none() {
            return Err(unclear);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markdown_is_cut_after_a_line_and_what_is_open_is_closed() {
        let long = "y\n".repeat(200);
        for (markdown, want) in [
            (format!("a\n{long}"), "a\ny\ny\n"),
            (format!("```go\n{long}"), "```go\ny\n```\n"),
            (format!("~~~\n```\n{long}"), "~~~\n```\n~~~\n"),
            (format!("```\nx\n```\n{long}"), "```\nx\n```\n"),
            (format!("```x``` y\n{long}"), "```x``` y\n"),
            (format!("````\n```\n{long}"), "````\n```\n````\n"),
            ("é".repeat(200), ""),
            (format!("{}\n{long}", "`".repeat(100)), ""),
        ] {
            let note = "\nThis is cut: GitHub shows no more.\n";
            assert_eq!(cut(&markdown, want.len() + note.len() + 1), format!("{want}{note}"), "{markdown}");
        }
        let folds = format!("<details>\n<details>\n</details>\n{long}");
        assert!(cut(&folds, 100).ends_with("y\n\n</details>\n\nThis is cut: GitHub shows no more.\n"));
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "", "there is not even room to say so");
    }

    proptest! {
        #[test]
        fn what_is_cut_is_within_the_limit_and_closed(
            markdown in "(```|~~~|````|<details>|</details>|`|é|x|\n|\n\n){0,60}",
            limit in 0usize..200,
        ) {
            let cut = cut(&markdown, limit);
            prop_assert!(cut.len() <= limit);
            if cut != markdown {
                prop_assert_eq!(open_fence(&cut), None);
            }
        }

        #[test]
        fn nothing_ends_a_block_of_code_from_within(text in "(`{1,6}|~{3}|\n|\r|x| ){0,40}") {
            let block = fenced(&text);
            let fence = block.split('t').next().unwrap();
            prop_assert!(!text.contains(fence));
            prop_assert_eq!(open_fence(&block), None);
        }
    }
}
