//! Uploading SARIF to code scanning:
//! <https://docs.github.com/en/rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data>.

use std::path::Path;

use base64::Engine as _;
use http::Method;
use modanchor_core::report::sarif::MAX_GZIP_BYTES;
use octocrab::models::code_scannings::UploadSarif;
use serde::Deserialize;
use url::Url;

use super::transport::Repeat;
use super::{ApiError, GitHub};
use crate::ci::event::{Commit, Event, Kind, Trigger};

/// The tool that GitHub shows the alerts of.
const TOOL: &str = "modanchor";

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// Where it can work.
    Auto,
    /// Always; that it cannot is an error.
    Always,
    /// Not at all.
    Never,
}

/// Whether SARIF is uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upload {
    /// It is.
    Yes,
    /// It is not, and why.
    No(&'static str),
}

/// Whether to upload for this event. By itself, not where GitHub would refuse it or show it in the wrong place: for
/// forks and Dependabot the token can only read; `pull_request_target` runs on the base, whose alerts are not those of
/// the pull request; the branch of a merge queue is gone before anybody looks.
pub fn should_upload(event: &Event, setting: Setting, has_token: bool) -> Upload {
    let reason = match (setting, &event.kind) {
        (Setting::Never, _) => "not asked for",
        (Setting::Always, _) => return Upload::Yes,
        (Setting::Auto, _) if !has_token => "there is no token",
        (Setting::Auto, Kind::PullRequest { trigger: Trigger::PullRequestTarget, .. }) => {
            "pull_request_target runs on the base branch, not on the pull request"
        }
        (Setting::Auto, Kind::PullRequest { fork: true, .. }) => {
            "a pull request from a fork has a token that can only read"
        }
        (Setting::Auto, Kind::MergeGroup { .. }) => "the branch of a merge queue is gone before anybody looks",
        (Setting::Auto, _) if event.is_dependabot() => "Dependabot's token can only read",
        (Setting::Auto, Kind::PullRequest { .. } | Kind::Push { .. } | Kind::Other(_)) => return Upload::Yes,
    };
    Upload::No(reason)
}

/// Which commit the results are of, and under which name GitHub shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What was judged.
    pub commit: Commit,
    /// `refs/heads/…`, `refs/tags/…`, `refs/pull/N/merge` or `refs/pull/N/head`.
    pub git_ref: String,
}

impl Target {
    /// For the commit that is checked out (`head`; none: not known). For a pull request that is the merge commit, or its
    /// head where a workflow checks that out. None: what is checked out is something else, whose results belong to no
    /// ref of the event. Where it is not known it counts as that of the event, but only for events on which workflows
    /// check that out; for others, such as `workflow_run`, it may be anybody's.
    pub fn of(event: &Event, head: Option<&Commit>) -> Option<Self> {
        let usual = matches!(
            event.kind,
            Kind::Push { .. } | Kind::MergeGroup { .. } | Kind::PullRequest { trigger: Trigger::PullRequest, .. }
        );
        let checked_out = head.or(usual.then_some(&event.sha))?;
        let git_ref = match &event.kind {
            Kind::PullRequest { number, head, .. } if checked_out == head => format!("refs/pull/{number}/head"),
            Kind::PullRequest { number, trigger: Trigger::PullRequest, .. } if *checked_out == event.sha => {
                format!("refs/pull/{number}/merge")
            }
            Kind::PullRequest { .. } => return None,
            _ if *checked_out == event.sha => event.git_ref.clone()?,
            _ => return None,
        };
        Some(Self { commit: checked_out.clone(), git_ref })
    }
}

/// What GitHub gave the upload.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Receipt {
    /// Its name. The results are processed later.
    pub id: String,
}

/// Why nothing was uploaded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UploadError {
    /// Over [`MAX_GZIP_BYTES`].
    #[error("the SARIF file has {0} bytes after gzip; GitHub takes no more than {MAX_GZIP_BYTES}")]
    TooLarge(usize),
    /// The token lacks `security-events: write`, or code scanning is not available for the repository.
    #[error(
        "code scanning refused the SARIF file ({0}); it takes `security-events: write`, and for a private repository \
         GitHub Code Security"
    )]
    Forbidden(String),
    /// Anything else.
    #[error("uploading the SARIF file: {0}")]
    Api(#[from] ApiError),
}

/// Uploads a SARIF file, after gzip. The same for the same commit, ref and category replaces what was there, so it is
/// repeated freely.
///
/// # Errors
/// See [`UploadError`].
pub async fn upload(
    github: &GitHub,
    target: &Target,
    gzip: &[u8],
    checkout: Option<&Path>,
) -> Result<Receipt, UploadError> {
    if gzip.len() > MAX_GZIP_BYTES {
        return Err(UploadError::TooLarge(gzip.len()));
    }
    let body = UploadSarif {
        commit_sha: target.commit.to_string(),
        ref_field: target.git_ref.clone(),
        sarif: base64::prelude::BASE64_STANDARD.encode(gzip),
        checkout_uri: checkout.and_then(|path| Url::from_file_path(path).ok()).map(String::from),
        started_at: None,
        tool_name: Some(TOOL.to_owned()),
        validate: None,
    };
    let path = github.path("/code-scanning/sarifs");
    match github.change(Method::POST, &path, &body, Repeat::Freely).await {
        Err(ApiError::Forbidden { message, .. } | ApiError::Absent { message, .. }) => {
            Err(UploadError::Forbidden(message))
        }
        answer => Ok(answer?),
    }
}
