//! A file of the repository, as a commit or a branch has it:
//! <https://docs.github.com/en/rest/repos/contents#get-repository-content>.

use bytes::Bytes;
use http::{Method, header};
use serde::Deserialize;
use serde_json::Value;

use super::transport::{Repeat, Wish};
use super::{ApiError, GitHub, encode};
use crate::ci::event::{Branch, Trusted};
use crate::cli::config::MAX_CONFIG;

/// The file's own bytes, and no JSON around them.
const RAW: &str = "application/vnd.github.raw+json";

#[derive(Deserialize)]
struct AboutRepository {
    default_branch: String,
}

/// The file at `path` (from the root of the repository), up to [`MAX_CONFIG`] bytes; none: there is none of that name.
/// Takes `contents: read`.
///
/// The API says 404 as well where the token may not read the repository, or where there is no such commit. That must
/// not pass for a configuration that is not there, so after a 404 the commit or branch itself is asked for.
///
/// # Errors
/// [`ApiError::Absent`]: no such commit or branch, or none that the token may read. [`ApiError::Unexpected`]: a folder
/// or submodule is there. Others: see [`ApiError`].
pub async fn read(github: &GitHub, at: &Trusted, path: &str) -> Result<Option<Bytes>, ApiError> {
    let (name, itself) = match at {
        Trusted::Commit(commit) => (commit.to_string(), format!("/git/commits/{commit}")),
        Trusted::DefaultBranch(Some(branch)) => of_branch(branch),
        Trusted::DefaultBranch(None) => {
            let about: AboutRepository = github.get(&github.path("")).await?;
            let branch = Branch::parse(&about.default_branch);
            of_branch(&branch.ok_or_else(|| ApiError::Unexpected("a default branch without a name".to_owned()))?)
        }
    };
    let file: Vec<String> = path.split('/').map(encode).collect();
    let url = github.path(&format!("/contents/{}?ref={}", file.join("/"), encode(&name)));
    let wish = Wish { repeat: Repeat::Freely, max_bytes: MAX_CONFIG };
    match github.send(Method::GET, &url, Some(RAW), None::<&()>, wish).await {
        Ok((headers, body)) => {
            let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            // Of a folder it lists the names, of a submodule it says where it is.
            if kind.contains("raw") { Ok(Some(body)) } else { Err(ApiError::Unexpected(format!("{path} is no file"))) }
        }
        Err(ApiError::Absent { .. }) => {
            let _: Value = github.get(&github.path(&itself)).await?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// What it is called in a query, and where it is itself.
fn of_branch(branch: &Branch) -> (String, String) {
    // A tag of the same name does not come first then.
    (format!("refs/heads/{branch}"), format!("/branches/{}", encode(branch.as_str())))
}
