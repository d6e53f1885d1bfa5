//! The task `fix`: how every go.sum should be, with the missing lines that the checksum database proves.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{Group, Input, Kind, Row, thing};
use super::findings::{Draft, Findings};
use crate::contract::{FileKind, FixedFile};
use crate::gosum::tidy::{self, TidyError};
use crate::gosum::wanted::Wanted;
use crate::report::{LineStatus, Of, rules};
use crate::sort::map;

/// The files that should be otherwise than they are.
///
/// A line is added only where it is in a record that was authenticated. What cannot be proved stays missing, and has a
/// finding of its own.
pub(super) fn plan(
    files: &[Input],
    rows: &[Row<'_>],
    groups: &[Group],
    missing: &[&Wanted],
    database: Option<&str>,
    findings: &mut Findings<'_>,
) -> Vec<FixedFile> {
    let mut add: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for wanted in missing {
        let group = groups.binary_search_by(|group| group.module.cmp(&wanted.module)).ok().map(|at| &groups[at]);
        if let Some(hash) = group.and_then(|group| proved(rows, group, wanted.of)) {
            add.entry(&wanted.sum_file).or_default().insert(format!("{} {hash}", thing(&wanted.module, wanted.of)));
        }
    }
    let is_sum = |file: &&Input| matches!(file.kind, Kind::Go(FileKind::GoSum | FileKind::GoWorkSum));
    let mut sums = map(files.iter().filter(is_sum).map(|file| (file.path.as_str(), file.content.as_slice())));
    for path in add.keys() {
        sums.entry(path).or_default();
    }
    let mut fixes = Vec::new();
    for (path, content) in sums {
        let lines: Vec<String> = add.remove(path).into_iter().flatten().collect();
        match tidy::plan(content, &lines) {
            Ok(plan) if plan.unchanged => {}
            Ok(plan) => {
                fixes.push(FixedFile { path: path.to_owned(), content: plan.content, added: plan.added });
            }
            // Every one of them is a finding.
            Err(TidyError::Problems(_)) => {}
            Err(error) => findings.push(
                Draft::new(
                    &rules::gosum_conflict::RULE,
                    format!("left as it is: {error}"),
                    "a line that differs is never overwritten: find out which is right, `modanchor lookup` tells",
                )
                .file(path)
                .kind("fix")
                .by(database.unwrap_or("the checksum database")),
            ),
        }
    }
    fixes
}

/// The hash that the database has, if it has told.
fn proved<'a>(rows: &'a [Row<'_>], group: &'a Group, of: Of) -> Option<&'a str> {
    let recorded = group.recorded.iter().find(|(recorded, _)| *recorded == of).map(|(_, hash)| hash.as_str());
    let verified = |row: &&Row<'_>| row.entry.of == of && row.status == LineStatus::Verified;
    recorded.or_else(|| rows[group.rows.clone()].iter().find(verified).map(|row| row.entry.hash))
}
