//! go.sum in order, with lines added: what `modanchor fix` writes.
//!
//! The order and the form are those of cmd/go (modfetch.WriteGoSum, golang.org/x/mod/module.Sort): by path, then version,
//! then the zip before its go.mod; one line for identical ones; nothing of what the go command reads past. The go command
//! then has nothing to change either.
//!
//! What it never does is to settle a contradiction. A line that is there stays, whatever is known to be right: go.sum is
//! evidence, and a hash that differs is for a person to look at. For the go command the first `h1:` of a module version
//! that differs decides, so lines that contradict each other keep their order, where the go command would sort them by
//! hash; and a line is added only where no `h1:` is. A file with a line that is not understood is not touched at all.

use std::collections::{HashMap, HashSet};

use crate::module::ModuleVersion;
use crate::report::Of;
use crate::sort::sort_by;

use super::sum::{Entry, HashKind, Line, Problem, lines};

/// What a go.sum is to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The new content.
    pub content: Vec<u8>,
    /// The lines that are added, in the order of the file.
    pub added: Vec<String>,
    /// Whether lines that were there change places.
    pub moved: bool,
    /// How many lines go because the same line is there once more.
    pub removed_duplicates: usize,
    /// Whether the content is what it was.
    pub unchanged: bool,
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TidyError {
    /// Lines of go.sum that are none, as the go command takes them. There is at least one.
    #[error("{} lines that are no go.sum lines, the first on line {}", .0.len(), .0.first().map_or(0, |p| p.at.line))]
    Problems(Vec<Problem>),
    /// A line to add that is not one line as the go command writes it.
    #[error("not a go.sum line: {0:?}")]
    NotALine(String),
    /// A line to add whose hash is no h1.
    #[error("not an h1 line: {0:?}")]
    NotH1(String),
    /// A line to add for what has an h1 already.
    #[error("line {at} of go.sum has a hash for this already: {line:?}")]
    Present {
        /// The line to add.
        line: String,
        /// 1-based line of the first h1 in go.sum.
        at: u32,
    },
    /// Two lines to add that contradict each other.
    #[error("contradicts another line to add: {0:?}")]
    Contradiction(String),
}

/// Puts a go.sum in order, and adds lines.
///
/// `content` is the file; empty if there is none. `add` are authenticated lines without `\n`. The hash of an empty
/// go.mod ([`super::sum::EMPTY_GO_MOD_HASH`]) is dropped, as the go command does.
///
/// # Errors
/// [`TidyError`]: nothing is to be written then.
pub fn plan(content: &[u8], add: &[String]) -> Result<Plan, TidyError> {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for line in lines(content) {
        match line {
            Line::Entry(entry) => rows.push(Row::new(entry, false)),
            Line::Problem(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(TidyError::Problems(problems));
    }

    let mut known = HashMap::new();
    for row in rows.iter().filter(|row| row.entry.kind != HashKind::Unknown) {
        known.entry((row.module.clone(), row.entry.of)).or_insert(row.entry);
    }
    let mut new = HashMap::new();
    for line in add {
        let row = new_row(line)?;
        let key = (row.module.clone(), row.entry.of);
        if let Some(present) = known.get(&key) {
            return Err(TidyError::Present { line: line.clone(), at: present.at.line });
        }
        match new.insert(key, row.entry.hash) {
            None => rows.push(row),
            Some(same) if same == row.entry.hash => {}
            Some(_) => return Err(TidyError::Contradiction(line.clone())),
        }
    }

    let moved = !rows.iter().filter(|row| !row.new).is_sorted_by_key(Row::place);
    sort_by(&mut rows, |a, b| a.place().cmp(&b.place()));
    let mut written = Vec::with_capacity(content.len());
    let mut added = Vec::new();
    let mut seen = HashSet::new();
    let mut removed_duplicates = 0;
    for row in &rows {
        if !seen.insert((&row.module, row.entry.of, row.entry.hash)) {
            removed_duplicates += 1;
            continue;
        }
        let line = row.line();
        written.extend_from_slice(line.as_bytes());
        written.push(b'\n');
        if row.new {
            added.push(line);
        }
    }
    Ok(Plan { unchanged: written == content, content: written, added, moved, removed_duplicates })
}

/// A line of the new file.
struct Row<'a> {
    module: ModuleVersion,
    entry: Entry<'a>,
    new: bool,
}

impl<'a> Row<'a> {
    /// What it is sorted by. For the same thing that is the hash, as text, but all that the go command compares with
    /// are equal, so that they stay in order; their text is in one place, because it begins with `h1:`.
    fn place(&self) -> (&ModuleVersion, Of, &str) {
        let hash = match self.entry.kind {
            HashKind::Unknown => self.entry.hash,
            HashKind::H1 | HashKind::Malformed => "h1:",
        };
        (&self.module, self.entry.of, hash)
    }

    fn new(entry: Entry<'a>, new: bool) -> Self {
        Self { module: entry.module(), entry, new }
    }

    /// As the go command writes it, without `\n`.
    fn line(&self) -> String {
        let suffix = match self.entry.of {
            Of::Zip => "",
            Of::GoMod => "/go.mod",
        };
        format!("{} {}{suffix} {}", self.module.path(), self.module.version(), self.entry.hash)
    }
}

fn new_row(line: &str) -> Result<Row<'_>, TidyError> {
    let mut read = lines(line.as_bytes());
    let row = match (read.next(), read.next()) {
        (Some(Line::Entry(entry)), None) => Row::new(entry, true),
        _ => return Err(TidyError::NotALine(line.to_owned())),
    };
    if row.line() != line {
        return Err(TidyError::NotALine(line.to_owned()));
    }
    match row.entry.kind {
        HashKind::H1 => Ok(row),
        HashKind::Malformed | HashKind::Unknown => Err(TidyError::NotH1(line.to_owned())),
    }
}
