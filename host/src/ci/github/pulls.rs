//! The files of a pull request, and the lines that it adds to them:
//! <https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files>.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ApiError, GitHub};
use crate::ci::git::hunks;
use crate::ci::lines::Lines;

/// How many files the API lists of one pull request.
pub const MAX_FILES: usize = 3000;
/// How many it gives at once.
const PER_PAGE: usize = 100;

/// Files of a pull request, by path from the root of the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullFiles {
    /// With the lines that it adds or rewrites. Files that it removes are not among them.
    pub files: BTreeMap<String, Lines>,
    /// Whether these are all.
    pub complete: bool,
}

#[derive(Deserialize)]
struct File {
    filename: String,
    status: String,
    additions: u64,
    /// Not there for what is binary, large, or only renamed.
    patch: Option<String>,
}

/// Lists the files of a pull request, up to [`MAX_FILES`]. Takes `pull-requests: read`, which every token has for a
/// public repository.
///
/// # Errors
/// See [`ApiError`].
pub async fn files(github: &GitHub, number: u64) -> Result<PullFiles, ApiError> {
    let mut files = BTreeMap::new();
    for page in 1..=MAX_FILES.div_ceil(PER_PAGE) {
        let path = github.path(&format!("/pulls/{number}/files?per_page={PER_PAGE}&page={page}"));
        let listed: Vec<File> = github.get(&path).await?;
        let count = listed.len();
        let there = listed.into_iter().filter(|file| file.status != "removed");
        files.extend(there.map(|file| (file.filename.clone(), lines(&file))));
        if count < PER_PAGE {
            return Ok(PullFiles { files, complete: true });
        }
    }
    Ok(PullFiles { files, complete: false })
}

/// Where the patch is not there, or not all of it, the whole file counts.
fn lines(file: &File) -> Lines {
    let ranges = file.patch.as_deref().and_then(|patch| hunks(patch.as_bytes()));
    let added = |ranges: &[std::ops::RangeInclusive<u32>]| -> u64 {
        ranges.iter().map(|range| u64::from(range.end() - range.start()) + 1).sum()
    };
    match ranges {
        Some(ranges) if added(&ranges) == file.additions => Lines::Ranges(ranges),
        _ => Lines::All,
    }
}
