//! `github`: workflow commands of GitHub Actions, one for each annotation.
//!
//! # Security
//!
//! A command is one line, `::error file=…,title=…::message`. What a file or a server says must neither end it nor begin
//! another: characters that nobody sees are made visible first ([`escape`]), then `%`, CR and LF, and in
//! properties `:` and `,`, are written as the runner reads them back (`escapeData` and `escapeProperty` in
//! actions/toolkit, `packages/core/src/command.ts`). Each line of a message is [defused](workflow::defuse) too, since
//! the runner copies it to its log, whose viewer knows `##[…]`.

use std::fmt::Write as _;

use super::annotation::{Annotation, Level, Ordered, annotation, order};
use super::text::{count, escape, thousands};
use super::{Context, Shown, human, workflow};

/// Annotations of one level that GitHub takes from a step (`_maxCountPerIssueType` in actions/runner,
/// `ExecutionContext.cs`; docs/problem-matchers.md in actions/toolkit).
pub const MAX_PER_LEVEL: usize = 10;

/// Annotations of all levels that GitHub shows of a job. One report makes fewer; other steps may make the rest.
pub const MAX_PER_JOB: usize = 50;

/// The longest message, in UTF-16 code units: the runner cuts what is longer (`_maxIssueMessageLength`, same file).
pub const MAX_MESSAGE: usize = 4096;

/// The largest line or column: the runner reads them as signed 32-bit numbers.
const MAX_NUMBER: u32 = i32::MAX as u32;

const LEVELS: [Level; 3] = [Level::Error, Level::Warning, Level::Notice];
const _: () = assert!(LEVELS.len() * MAX_PER_LEVEL <= MAX_PER_JOB);

/// Renders a report: what [`annotations`] says, and the verdict.
pub fn render(report: &Shown, context: &Context<'_>) -> String {
    let mut plain = format!("{}: {}\n", human::word(report.verdict), human::counted(report, ""));
    if let Some(bytes) = human::measured(&report.counts.bytes) {
        let _ = writeln!(plain, "bytes: {bytes}");
    }
    annotations(report, context) + &workflow::defuse(&plain)
}

/// The commands, the most severe first, and in words what GitHub would not show.
pub fn annotations(report: &Shown, context: &Context<'_>) -> String {
    let Ordered { findings, elsewhere } = order(report, context.places, context.changed);
    let mut out = String::new();
    let mut plain = String::new();
    for level in LEVELS {
        let of_level = findings.iter().filter(|(_, finding)| Level::from(finding.severity) == level);
        let rest = of_level.clone().skip(MAX_PER_LEVEL).count() as u64;
        for (path, finding) in of_level.take(MAX_PER_LEVEL) {
            command(&mut out, &annotation(path.clone(), finding));
        }
        if rest > 0 {
            let more = count(rest, &format!("more {}", word(level)));
            let are = if rest == 1 { "is" } else { "are" };
            let _ = writeln!(
                plain,
                "… {more} {are} not annotated, because GitHub shows {MAX_PER_LEVEL} a step; --format json=FILE has all"
            );
        }
    }
    if elsewhere > 0 {
        let are = if elsewhere == 1 { "is" } else { "are" };
        let _ = writeln!(
            plain,
            "… {} {are} not annotated: on lines that the change does not touch; the verdict counts them",
            count(elsewhere as u64, "finding"),
        );
    }
    let unlisted = human::unlisted(report);
    if unlisted > 0 {
        let _ = writeln!(
            plain,
            "… and {} more, less severe, that the report counts but does not list",
            thousands(unlisted)
        );
    }
    out + &workflow::defuse(&plain)
}

/// An annotation about the run itself, which has no report.
pub fn error(title: &str, message: &str) -> String {
    let mut out = String::new();
    let (title, message) = (title.to_owned(), message.to_owned());
    let severity = modanchor_core::report::Severity::High;
    command(
        &mut out,
        &Annotation { level: Level::Error, severity, title, message, path: None, line: None, columns: None },
    );
    out
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Notice => "notice",
    }
}

fn command(out: &mut String, annotation: &Annotation) {
    let Annotation { level, title, message, path, line, columns, .. } = annotation;
    let _ = write!(out, "::{} ", word(*level));
    let mut text = String::new();
    if let Some(path) = path {
        let path = escape(path);
        // The runner drops `=` at the beginning of a value, and blanks at the end of the last one.
        if path.is_empty() || path.starts_with('=') {
            text = format!("{path}:{}\n\n", line.unwrap_or(1));
        } else {
            let _ = write!(out, "file={},", property(&path));
            if let Some(line) = line {
                let line = line.min(&MAX_NUMBER);
                let _ = write!(out, "line={line},endLine={line},");
            }
            if let Some((first, last)) = columns {
                let _ = write!(out, "col={},endColumn={},", first.min(&MAX_NUMBER), last.min(&MAX_NUMBER));
            }
        }
    }
    text += message;
    let lines: Vec<_> = text.split('\n').map(escape).collect();
    let text = lines.join("\n");
    let _ = writeln!(out, "title={}::{}", property(&escape(title)), data(&cut(&workflow::defuse(&text))));
}

/// The beginning of a text, in whole characters, with `…` where there is more.
fn cut(text: &str) -> String {
    if text.encode_utf16().count() <= MAX_MESSAGE {
        return text.to_owned();
    }
    let mut left = MAX_MESSAGE - '…'.len_utf16();
    let mut out: String = text
        .chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= left;
            left = left.saturating_sub(c.len_utf16());
            fits
        })
        .collect();
    out.push('…');
    out
}

/// For what follows the second `::`.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// For the value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use modanchor_core::report::{Finding, Places, Report, Severity, Verdict, rules};
    use proptest::prelude::*;

    use super::*;
    use crate::ci::lines::ChangedLines;
    use crate::output::annotation::select;
    use crate::output::testing::{every_rule, finding, report, shown};
    use crate::output::workflow::runner::{self, Command};

    fn show(report: &Report, places: &Places, changed: Option<&ChangedLines>) -> String {
        render(&shown(report), &Context { places, changed, source: None })
    }

    fn all(report: &Report) -> String {
        show(report, &Places::default(), None)
    }

    #[test]
    fn every_rule_is_shown() {
        let text = show(&report(Verdict::Fail, every_rule()), &Places::new("svc", BTreeMap::new()), None);
        insta::assert_snapshot!(text);
    }

    #[test]
    fn verdicts() {
        let incomplete = report(Verdict::Incomplete, vec![finding("unchecked", 6)]);
        let pass = report(Verdict::Pass, Vec::new());
        let mut empty = pass.clone();
        empty.sumdbs.clear();
        empty.counts = Default::default();
        for (name, report) in [("incomplete", incomplete), ("pass", pass), ("empty", empty)] {
            insta::assert_snapshot!(name, all(&report));
        }
    }

    #[test]
    fn what_is_on_other_lines_is_counted() {
        let report = report(Verdict::Fail, vec![finding("gosum-mismatch", 1), finding("gosum-conflict", 3)]);
        let text = show(&report, &Places::default(), Some(&ChangedLines::default()));
        assert_eq!(runner::commands(&text), []);
        assert!(text.starts_with(
            "… 2 findings are not annotated: on lines that the change does not touch; the verdict counts them\nfail: "
        ));
    }

    #[test]
    fn the_most_severe_are_annotated() {
        let mut findings: Vec<Finding> = (0..MAX_PER_LEVEL).map(|_| finding("gosum-conflict", 3)).collect();
        let levels = |text: &str| {
            let commands = runner::commands(text);
            ["error", "warning", "notice"].map(|level| commands.iter().filter(|one| one.name == level).count())
        };
        let text = all(&report(Verdict::Fail, findings.clone()));
        assert_eq!(levels(&text), [MAX_PER_LEVEL, 0, 0]);
        assert!(!text.contains('…'), "{text}");

        findings.push(finding("gosum-mismatch", 1));
        findings.extend((0..MAX_PER_LEVEL + 2).flat_map(|_| [finding("unchecked", 6), finding("sumdb-stale", None)]));
        let mut report = report(Verdict::Fail, findings);
        report.counts.findings.note = 7;
        let text = all(&report);
        assert_eq!(levels(&text), [MAX_PER_LEVEL; 3]);
        assert!(text.starts_with("::error file=sub/go.sum,line=1,"), "critical before high");
        insta::assert_snapshot!(text.lines().filter(|line| !line.starts_with("::")).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let of = |length: usize| {
            // Two code units, four bytes.
            let message = "😀".repeat(length / 2) + &"x".repeat(length % 2);
            let mut out = String::new();
            let place = (Some("a".to_owned()), Some(1));
            let (path, line) = place;
            let annotation = Annotation {
                level: Level::Error,
                severity: Severity::High,
                title: "t".to_owned(),
                message: message.clone(),
                path,
                line,
                columns: None,
            };
            command(&mut out, &annotation);
            (message, runner::commands(&out).remove(0).data)
        };
        let (message, shown) = of(MAX_MESSAGE);
        assert_eq!(message, shown);
        let (_, shown) = of(MAX_MESSAGE + 1);
        assert_eq!(shown, "😀".repeat(MAX_MESSAGE / 2 - 1) + "…");
        assert_eq!(of(10 << 20).1, shown);
    }

    #[test]
    fn hostile_text_stays_text() {
        let hostile = Finding {
            message: "50%0A of\n::error::x\r##[stop-commands]y \u{202e}".to_owned(),
            file: Some("=a,b:c\n::error::/go.sum".to_owned()),
            found: Some("::add-mask::fail".to_owned()),
            ..finding("gosum-mismatch", 1)
        };
        let named = Finding { file: Some("a,title=x::y%/go.sum".to_owned()), ..hostile.clone() };
        let text = all(&report(Verdict::Fail, vec![hostile, named]));
        insta::assert_snapshot!(text);
        assert_eq!(runner::commands(&text).len(), 2);
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "(\\n|\\r|::|##\\[|##vso\\[|\\]|error|stop-commands|%0A|%25|%|,|=|:| |\u{200b}|x){0,12}",
        ];
        proptest::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// The runner reads exactly the commands that were meant, with exactly their text.
        #[test]
        fn nothing_breaks_out(
            findings in proptest::collection::vec(
                (proptest::array::uniform8(texts()), any::<Option<u32>>(), any::<Option<u32>>(), any::<Option<u32>>(),
                 0..rules::ALL.len()),
                0..4,
            ),
            name in texts(),
        ) {
            let findings: Vec<Finding> = findings.into_iter().map(|(words, line, column, end_column, rule)| {
                let [rule_id, message, file, expected, found, by, help, module] = words;
                Finding {
                    rule: rule_id, message, line, column, end_column, help,
                    file: Some(file), expected: Some(expected), found: Some(found), by: Some(by), module: Some(module),
                    ..finding(rules::ALL[rule].id, None)
                }
            }).collect();
            let mut report = report(Verdict::Fail, findings);
            report.sumdbs[0].name = name;
            let meant = select(&shown(&report), &Places::default(), None).annotations;
            let got = runner::commands(&all(&report));
            prop_assert_eq!(got.len(), meant.len());
            for (Command { name, mut properties, data }, meant) in got.into_iter().zip(meant) {
                prop_assert_eq!(name, word(meant.level));
                let path = escape(meant.path.as_deref().unwrap()).into_owned();
                let mut message: Vec<_> = meant.message.split('\n').map(|line| escape(line).into_owned()).collect();
                let mut want = BTreeMap::from([("title".to_owned(), escape(&meant.title).into_owned())]);
                let mut number = |key: &str, value: u32| want.insert(key.to_owned(), value.min(MAX_NUMBER).to_string());
                if path.is_empty() || path.starts_with('=') {
                    message.insert(0, String::new());
                    message.insert(0, format!("{path}:{}", meant.line.unwrap_or(1)));
                } else {
                    if let Some(line) = meant.line {
                        number("line", line);
                        number("endLine", line);
                    }
                    if let Some((first, last)) = meant.columns {
                        number("col", first);
                        number("endColumn", last);
                    }
                    prop_assert_eq!(properties.remove("file"), Some(path));
                }
                prop_assert_eq!(properties, want);
                prop_assert_eq!(data, cut(&workflow::defuse(&message.join("\n"))));
            }
        }
    }
}
