//! Annotations: findings as notes on lines of a pull request, before it is known who shows them.

use std::borrow::Cow;

use modanchor_core::report::{Finding, Places, Severity, rules};

use super::{Shown, text::escape};
use crate::ci::lines::ChangedLines;

/// The three levels that GitHub knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `notice`: low and note.
    Notice,
    /// `warning`: medium.
    Warning,
    /// `error` of a workflow command, `failure` of the Checks API: critical and high.
    Error,
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Error,
            Severity::Medium => Self::Warning,
            Severity::Low | Severity::Note => Self::Notice,
        }
    }
}

/// A note on a line. Whoever shows it escapes its texts for where they are shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How loud.
    pub level: Level,
    /// The finding's own severity: more severe ones are shown first.
    pub severity: Severity,
    /// One line: rule and severity.
    pub title: String,
    /// What happened, what was expected by whose word, and what to do: several lines.
    pub message: String,
    /// From the root of the repository; none: about no file.
    pub path: Option<String>,
    /// 1-based; none: about the file as a whole.
    pub line: Option<u32>,
    /// 1-based first column, and the last one, in characters; only with a line.
    pub columns: Option<(u32, u32)>,
}

/// The annotations of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selected {
    /// One for each finding, the most severe first, then by path and line.
    pub annotations: Vec<Annotation>,
    /// How many findings have none because they lie on lines that the change does not touch.
    pub elsewhere: usize,
}

/// Makes an annotation of every finding; with `changed` only of those on lines that it touches, of those that are about
/// no file, and of what could not be checked and has no line: nobody could see these otherwise. This is about what is
/// shown where: the verdict and the report have all findings.
pub fn select(report: &Shown, places: &Places, changed: Option<&ChangedLines>) -> Selected {
    let Ordered { findings, elsewhere } = order(report, places, changed);
    Selected { annotations: findings.into_iter().map(|(path, finding)| annotation(path, finding)).collect(), elsewhere }
}

/// What [`select`] chooses, before any text is made of it, each finding with its path from the root of the repository.
pub(crate) struct Ordered<'a> {
    pub(crate) findings: Vec<(Option<Cow<'a, str>>, &'a Finding)>,
    pub(crate) elsewhere: usize,
}

pub(crate) fn order<'a>(report: &'a Shown, places: &'a Places, changed: Option<&ChangedLines>) -> Ordered<'a> {
    let mut findings: Vec<_> = (report.findings.iter())
        .filter(|finding| changed.is_none_or(|changed| touches(changed, places, finding)))
        .map(|finding| (finding.file.as_deref().map(|file| places.locate(file)), finding))
        .collect();
    let elsewhere = report.findings.len() - findings.len();
    // Stable: findings of one line stay in the report's order.
    findings.sort_by(|(a, x), (b, y)| (y.severity, a, x.line).cmp(&(x.severity, b, y.line)));
    Ordered { findings, elsewhere }
}

/// How many findings [`select`] leaves out.
pub fn elsewhere(report: &Shown, places: &Places, changed: Option<&ChangedLines>) -> usize {
    let lies_elsewhere = |finding: &&Finding| changed.is_some_and(|changed| !touches(changed, places, finding));
    report.findings.iter().filter(lies_elsewhere).count()
}

fn touches(changed: &ChangedLines, places: &Places, finding: &Finding) -> bool {
    let incomplete = || rules::find(&finding.rule).is_some_and(|rule| rule.incomplete);
    match &finding.file {
        None => true,
        Some(_) if finding.line.is_none() && incomplete() => true,
        Some(file) => changed.touches(&places.locate(file), finding.line),
    }
}

pub(crate) fn annotation(path: Option<Cow<'_, str>>, finding: &Finding) -> Annotation {
    let Finding { rule, severity, message, line, expected, found, by, help, .. } = finding;
    let path = path.map(Cow::into_owned);
    let line = path.as_ref().and(*line).filter(|line| *line > 0);
    // One line each: none of them can look like the next.
    let mut text = escape(message).into_owned();
    // `found` is often the line itself. It is said all the same: a list of annotations does not show the line.
    let facts = [("expected", expected), ("found", found), ("by", by)];
    let facts: Vec<String> =
        facts.into_iter().filter_map(|(name, fact)| Some(format!("{name}: {}", escape(fact.as_deref()?)))).collect();
    for (number, fact) in facts.iter().enumerate() {
        text += if number == 0 { "\n\n" } else { "\n" };
        text += fact;
    }
    if !help.is_empty() {
        text += "\n\nhelp: ";
        text += help;
    }
    text += "\n\nTo learn more: modanchor explain ";
    text += rule;
    Annotation {
        level: (*severity).into(),
        severity: *severity,
        title: format!("modanchor: {rule} ({severity})"),
        message: text,
        path,
        line,
        columns: line.and(columns(finding)),
    }
}

/// First and last; a finding has the column after the last.
fn columns(finding: &Finding) -> Option<(u32, u32)> {
    let first = finding.column?.max(1);
    let last = finding.end_column.map_or(first, |end| end.saturating_sub(1));
    Some((first, last.max(first)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use modanchor_core::report::Verdict;

    use super::*;
    use crate::ci::lines::Lines;
    use crate::output::testing::{every_rule, finding, report, shown};

    #[test]
    fn one_finding_is_one_annotation() {
        let report = shown(&report(Verdict::Fail, every_rule()));
        let places = Places::new("services/api", BTreeMap::new());
        let Selected { annotations, elsewhere } = select(&report, &places, None);
        assert_eq!((annotations.len(), elsewhere), (rules::ALL.len(), 0));
        assert!(annotations.is_sorted_by(|a, b| a.severity >= b.severity));
        insta::assert_debug_snapshot!(
            "on_a_line",
            annotations.iter().find(|one| one.title.contains(" gosum-mismatch ")).unwrap()
        );
        insta::assert_debug_snapshot!(
            "on_a_file",
            annotations.iter().find(|one| one.title.contains(" gosum-missing ")).unwrap()
        );
        insta::assert_debug_snapshot!("on_nothing", annotations.last().unwrap());
    }

    #[test]
    fn order_is_severity_then_place() {
        let at = |rule, file: &str, line| Finding { file: Some(file.to_owned()), line, ..finding(rule, None) };
        let findings = vec![
            at("sumdb-stale", "a/go.sum", Some(1)),
            at("gosum-conflict", "b/go.sum", Some(9)),
            at("gosum-conflict", "b/go.sum", Some(10)),
            at("gosum-mismatch", "z/go.sum", Some(2)),
            at("gosum-conflict", "b/go.sum", None),
            at("gosum-conflict", "a/go.sum", Some(7)),
        ];
        let annotations = select(&shown(&report(Verdict::Fail, findings)), &Places::default(), None).annotations;
        let order: Vec<_> = annotations.iter().map(|one| (one.path.as_deref().unwrap(), one.line)).collect();
        assert_eq!(
            order,
            [
                ("z/go.sum", Some(2)),
                ("a/go.sum", Some(7)),
                ("b/go.sum", None),
                ("b/go.sum", Some(9)),
                ("b/go.sum", Some(10)),
                ("a/go.sum", Some(1)),
            ]
        );
    }

    #[test]
    fn only_changed_lines() {
        let nowhere = |rule| Finding { file: None, ..finding(rule, None) };
        let findings = vec![
            finding("gosum-mismatch", 1),
            finding("gosum-conflict", 3),
            finding("unchecked", 6),
            finding("gosum-missing", None),
            finding("unchecked", None),
            nowhere("sumdb-fork"),
            nowhere("unchecked"),
        ];
        let report = shown(&report(Verdict::Fail, findings));
        let places = Places::new("svc", BTreeMap::new());
        let kept = |files: &[(&str, Lines)]| {
            let files = files.iter().map(|(path, lines)| ((*path).to_owned(), lines.clone())).collect();
            let changed = ChangedLines::new(files);
            let selected = select(&report, &places, Some(&changed));
            assert_eq!(selected.annotations.len() + selected.elsewhere, report.findings.len());
            assert_eq!(selected.elsewhere, elsewhere(&report, &places, Some(&changed)));
            let kept = selected.annotations.into_iter();
            kept.map(|one| (one.title.split(' ').nth(1).unwrap().to_owned(), one.line)).collect::<Vec<_>>()
        };
        let one = |rule: &str, line| (rule.to_owned(), line);
        let always = [one("sumdb-fork", None), one("unchecked", None), one("unchecked", None)];
        assert_eq!(kept(&[]), always);
        assert_eq!(kept(&[("sub/go.sum", Lines::All)]), always, "not the path from the root");
        assert_eq!(
            kept(&[("svc/sub/go.sum", Lines::Ranges(vec![3..=4]))]),
            [
                one("sumdb-fork", None),
                one("gosum-conflict", Some(3)),
                one("unchecked", None),
                one("gosum-missing", None),
                one("unchecked", None),
            ],
        );
        assert_eq!(kept(&[("svc/sub/go.sum", Lines::All)]).len(), report.findings.len());
    }

    #[test]
    fn columns_are_clamped() {
        for (line, column, end, want) in [
            (Some(1), Some(27), Some(74), Some((27, 73))),
            (Some(1), Some(27), Some(27), Some((27, 27))),
            (Some(1), Some(27), Some(3), Some((27, 27))),
            (Some(1), Some(0), Some(0), Some((1, 1))),
            (Some(1), Some(5), None, Some((5, 5))),
            (Some(1), None, Some(5), None),
            (None, Some(27), Some(74), None),
        ] {
            let finding = Finding { line, column, end_column: end, ..finding("gosum-mismatch", None) };
            assert_eq!(annotation(Some("go.sum".into()), &finding).columns, want, "{line:?} {column:?} {end:?}");
        }
        let shown = annotation(None, &finding("gosum-mismatch", 1));
        assert_eq!((shown.path, shown.line, shown.columns), (None, None, None));
    }
}
