//! The changes that are safe: each replaces a value by one that means the default, or takes out a statement that does
//! nothing else, and changes nothing besides.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Syntax;
use super::glyph::Places;
use super::{Edit, Problem, file};

/// A file as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fixed {
    /// All of it.
    pub content: Vec<u8>,
    /// What each change does, in words.
    pub changes: Vec<String>,
    /// What is left.
    pub problems: Vec<Problem>,
}

/// Plans the changes of a file. None: none is safe.
///
/// The outcome is read again: if it is not what was there without what was fixed, nothing is changed at all.
pub fn fix(syntax: Syntax, content: &[u8], problems: &[Problem]) -> Option<Fixed> {
    let mut edits: Vec<(usize, &Edit)> =
        problems.iter().enumerate().filter_map(|(number, problem)| Some((number, problem.edit.as_ref()?))).collect();
    edits.sort_by_key(|(_, edit)| (edit.bytes.start, edit.bytes.end));
    // Two that touch the same bytes: the second is for the next time.
    let mut end = 0;
    edits.retain(|(_, edit)| {
        let apart = edit.bytes.start >= end;
        if apart {
            end = edit.bytes.end;
        }
        apart
    });
    if edits.is_empty() {
        return None;
    }
    let mut new = Vec::with_capacity(content.len());
    let mut at = 0;
    for (_, edit) in &edits {
        new.extend_from_slice(content.get(at..edit.bytes.start)?);
        new.extend_from_slice(edit.new.as_bytes());
        at = edit.bytes.end;
    }
    new.extend_from_slice(content.get(at..)?);
    let rest = file(syntax, &new).problems;
    let named = |problems: &[Problem]| {
        let mut names: Vec<_> = problems.iter().map(|problem| (problem.rule.id, problem.found.clone())).collect();
        names.sort();
        names
    };
    let fixed: BTreeSet<usize> = edits.iter().map(|(number, _)| *number).collect();
    let unfixed: Vec<Problem> =
        problems.iter().enumerate().filter(|(n, _)| !fixed.contains(n)).map(|(_, problem)| problem.clone()).collect();
    (named(&rest) == named(&unfixed)).then(|| Fixed {
        content: new,
        changes: edits.iter().map(|(_, edit)| edit.what.clone()).collect(),
        problems: unfixed,
    })
}

/// Makes a removal one of whole lines, if that leaves the file whole; other edits stay as they are.
pub(super) fn checked(syntax: Syntax, content: &[u8], places: &Places<'_>, edit: Edit) -> Option<Edit> {
    if !edit.statement {
        return Some(edit);
    }
    let line = places.line(edit.bytes.start);
    let before = content.get(line.start..edit.bytes.start)?;
    let after = content.get(edit.bytes.end..line.end)?;
    if !before.trim_ascii().is_empty() || !after.trim_ascii().is_empty() {
        return None;
    }
    let whole = line.start..places.next_line(edit.bytes.start);
    let safe = match syntax {
        Syntax::GoEnv | Syntax::EnvFile => true,
        // A line of a continued RUN is none of its own.
        Syntax::Dockerfile => {
            let name = content.get(edit.bytes.start..edit.bytes.start + 3)?;
            [b"ENV", b"ARG"].iter().any(|instruction| name.eq_ignore_ascii_case(*instruction))
        }
        Syntax::Makefile => !content.get(line.clone())?.starts_with(b"\t") && !continues(content, places, line.start),
        Syntax::Shell => in_a_list(content, places, &line),
        Syntax::Workflow | Syntax::GitlabCi | Syntax::Compose | Syntax::Yaml | Syntax::Devcontainer => false,
    };
    safe.then_some(Edit { bytes: whole, ..edit })
}

/// Whether the line before goes on in this one.
fn continues(content: &[u8], places: &Places<'_>, start: usize) -> bool {
    let Some(before) = start.checked_sub(1).and_then(|at| content.get(places.line(at))) else { return false };
    let before = before.trim_ascii_end();
    [b"\\".as_slice(), b"&&", b"||", b"|"].iter().any(|end| before.ends_with(end))
}

/// Whether a line of a script is followed by another command of the same list, so that none becomes empty without it.
fn in_a_list(content: &[u8], places: &Places<'_>, line: &Range<usize>) -> bool {
    if continues(content, places, line.start) {
        return false;
    }
    let mut at = places.next_line(line.start);
    while at < content.len() {
        let next = content.get(places.line(at)).unwrap_or_default().trim_ascii();
        if !next.is_empty() && !next.starts_with(b"#") {
            const CLOSERS: &[&[u8]] = &[b"fi", b"else", b"elif", b"done", b"esac", b"}", b")", b";", b"&", b"|", b"`"];
            return !CLOSERS.iter().any(|closer| next.starts_with(closer));
        }
        at = places.next_line(at);
    }
    true
}
