//! `human`: findings by file, each with its line and what to do; then one line of summary.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use annotate_snippets::{AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};
use anstyle::{AnsiColor, Style};
use modanchor_core::lint;
use modanchor_core::report::{BytesCounts, Finding, Floor, GradeCounts, RepositorySummary, Severity, Verdict, rules};

use super::{
    Shown, Sources,
    text::{count, escape, push_escaped, thousands, wrap},
    workflow,
};
use crate::cli::{args::FailOn, signatures};

/// The most characters of a source line that are shown, around what is underlined. A real go.sum line has 200.
pub const MAX_LINE: usize = 500;

/// How many of them come before what is underlined, if the line has to be cut.
const BEFORE: usize = 100;

/// The narrowest that text is wrapped to.
const MIN_WIDTH: usize = 40;

/// How to show a report.
#[derive(Debug, Clone)]
pub struct Options {
    /// Columns.
    pub width: usize,
    /// With ANSI escape sequences.
    pub color: bool,
    /// Findings of one rule that are shown; none: all.
    pub limit: Option<usize>,
    /// Only what keeps the run from passing, and no summary.
    pub quiet: bool,
    /// Notes too.
    pub verbose: bool,
    /// From which severity on a finding fails the run.
    pub fail_on: FailOn,
    /// Whether what could not be checked may pass.
    pub allow_incomplete: bool,
    /// Whether the line of summary is wanted.
    pub summary: bool,
    /// Whether a runner reads along and takes some lines for commands.
    pub runner: bool,
}

/// Renders a report.
///
/// Everything in it that comes from files or servers is escaped ([`escape`]); without colour the text holds no control
/// character but newlines. Where a runner reads along, no line of it is a command ([`workflow`]).
pub fn render(report: &Shown, sources: &Sources<'_>, options: &Options) -> String {
    let text = text(report, sources, options);
    if options.runner { workflow::defuse(&text).into_owned() } else { text }
}

fn text(report: &Shown, sources: &Sources<'_>, options: &Options) -> String {
    let selected: Vec<&Finding> = report.findings.iter().filter(|finding| options.wants(finding)).collect();
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut shown: Vec<&Finding> = Vec::new();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in selected {
        let nth = seen.entry(finding.rule.as_str()).or_default();
        *nth += 1;
        if options.limit.is_some_and(|limit| *nth > limit) {
            *left.entry(finding.rule.as_str()).or_default() += 1;
        } else {
            shown.push(finding);
        }
    }

    let renderer = options.renderer();
    let lines = source_lines(&shown, sources);
    let mut out = String::new();
    for finding in &shown {
        out += &renderer.render(&[group(finding, &lines, options)]);
        out += "\n\n";
    }
    for (rule, more) in &left {
        let _ = writeln!(
            out,
            "… and {} more of {}; --verbose or --format json=FILE has them all",
            thousands(*more as u64),
            escape(rule)
        );
    }
    let unlisted = if options.quiet { 0 } else { unlisted(report) };
    if unlisted > 0 {
        let _ =
            writeln!(out, "… and {} more, less severe, that the report counts but does not list", thousands(unlisted));
    }
    if !left.is_empty() || unlisted > 0 {
        out.push('\n');
    }
    if options.quiet {
        return out;
    }
    let rules: BTreeSet<&str> = shown.iter().map(|finding| finding.rule.as_str()).collect();
    if !rules.is_empty() {
        let names: Vec<_> = rules.into_iter().map(escape).collect();
        let _ = writeln!(out, "To learn more: modanchor explain {}\n", names.join(" "));
    }
    if options.summary {
        let color = match report.verdict {
            Verdict::Pass => AnsiColor::Green,
            Verdict::Fail => AnsiColor::Red,
            Verdict::Incomplete => AnsiColor::Yellow,
        };
        let style = if options.color { Style::new().bold().fg_color(Some(color.into())) } else { Style::new() };
        let hint = if options.verbose { "" } else { " (--verbose)" };
        let _ = writeln!(out, "{style}{}{style:#}: {}", word(report.verdict), counted(report, hint));
        if let Some(bytes) = measured(&report.counts.bytes) {
            let _ = writeln!(out, "bytes: {bytes}");
        }
        if let Some(grades) = graded(&report.counts.grades) {
            let _ = writeln!(out, "modules: {grades}");
        }
        for repository in &report.repositories {
            let _ = writeln!(out, "{}", asked(repository));
        }
        if report.counts.uncovered > 0 {
            let _ = writeln!(out, "{} that no TUF repository answers for", count(report.counts.uncovered, "module"));
        }
    }
    out
}

impl Options {
    fn wants(&self, finding: &Finding) -> bool {
        if self.quiet {
            return self.keeps_from_passing(finding);
        }
        self.verbose || finding.severity != Severity::Note
    }

    fn keeps_from_passing(&self, finding: &Finding) -> bool {
        if rules::find(&finding.rule).is_some_and(|rule| rule.incomplete) {
            return !self.allow_incomplete;
        }
        let floor = match self.fail_on {
            FailOn::Critical => Severity::Critical,
            FailOn::High => Severity::High,
            FailOn::Medium => Severity::Medium,
            FailOn::Low => Severity::Low,
            FailOn::Never => return false,
        };
        finding.severity >= floor
    }

    fn renderer(&self) -> Renderer {
        let renderer = if self.color { Renderer::styled() } else { Renderer::plain() };
        renderer.term_width(self.width.max(MIN_WIDTH))
    }
}

/// Files' lines that findings point at, by file and line, found in one pass over each file.
type SourceLines<'a> = BTreeMap<(&'a str, u32), &'a [u8]>;

fn source_lines<'a>(findings: &[&'a Finding], sources: &Sources<'a>) -> SourceLines<'a> {
    let mut wanted: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for finding in findings {
        if let (Some(file), Some(line)) = (&finding.file, finding.line) {
            wanted.entry(file).or_default().insert(line);
        }
    }
    let mut lines = SourceLines::new();
    for (file, numbers) in wanted {
        let Some(content) = sources.get(file) else {
            continue;
        };
        let mut numbers = numbers.into_iter().peekable();
        for (number, line) in (1..).zip(content.split(|byte| *byte == b'\n')) {
            match numbers.peek() {
                None => break,
                Some(next) if *next == number => {
                    lines.insert((file, number), line);
                    numbers.next();
                }
                Some(_) => {}
            }
        }
    }
    lines
}

/// A source line as it is shown.
struct Excerpt {
    text: String,
    /// Bytes of `text` to underline.
    span: std::ops::Range<usize>,
}

/// Decodes, cuts and escapes a line. `column` and `end` are 1-based, in characters; what is not UTF-8 counts and shows
/// as U+FFFD.
fn excerpt(line: &[u8], column: Option<u32>, end: Option<u32>) -> Excerpt {
    let first = column.map_or(0, |column| column.saturating_sub(1) as usize);
    let last = end.map_or(usize::MAX, |end| end.saturating_sub(1) as usize);
    let skipped = if first > MAX_LINE / 2 { first - BEFORE } else { 0 };
    let mut chars = line
        .utf8_chunks()
        .flat_map(|chunk| {
            let broken = (!chunk.invalid().is_empty()).then_some('\u{fffd}');
            chunk.valid().chars().chain(broken)
        })
        .enumerate()
        .skip(skipped)
        .peekable();
    let mut text = String::new();
    if skipped > 0 {
        text.push('…');
    }
    let mut span = None;
    let mut shown = 0;
    while let Some((at, c)) = chars.next_if(|_| shown < MAX_LINE) {
        let start = text.len();
        push_escaped(&mut text, c);
        if at >= first && at < last.max(first + 1) {
            let from = span.map_or(start, |(from, _)| from);
            span = Some((from, text.len()));
        }
        shown += 1;
    }
    if chars.peek().is_some() {
        text.push('…');
    }
    let (start, end) = span.unwrap_or((text.len(), text.len()));
    Excerpt { text, span: start..end }
}

fn group<'a>(finding: &'a Finding, lines: &SourceLines<'a>, options: &Options) -> Group<'a> {
    let level = match finding.severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium => Level::WARNING,
        Severity::Low => Level::INFO,
        Severity::Note => Level::NOTE,
    };
    let title =
        level.with_name(finding.severity.as_str()).primary_title(escape(&finding.message)).id(escape(&finding.rule));
    let mut elements: Vec<Element<'a>> = Vec::new();
    let mut found_is_shown = false;
    if let Some(file) = &finding.file {
        let line = finding.line.and_then(|line| Some((line, *lines.get(&(file.as_str(), line))?)));
        match line {
            Some((number, line)) => {
                let excerpt = excerpt(line, finding.column, finding.end_column);
                found_is_shown =
                    finding.found.as_ref().is_none_or(|found| excerpt.text.contains(escape(found).as_ref()));
                let mut snippet = Snippet::source(excerpt.text).line_start(number as usize).path(escape(file));
                snippet = snippet.annotation(AnnotationKind::Primary.span(excerpt.span));
                elements.push(snippet.into());
            }
            None => {
                let mut origin = Origin::path(escape(file));
                if let Some(line) = finding.line {
                    origin = origin.line(line as usize);
                }
                elements.push(origin.into());
            }
        }
    }
    let mut add = |level: Level<'a>, name: &'static str, text: &str| {
        // What the renderer puts before a message: ` 969 = expected: `.
        let before = finding.line.map_or(1, |line| line.to_string().len()) + name.len() + 5;
        let width = options.width.max(MIN_WIDTH).saturating_sub(before);
        let lines: Vec<String> = text
            .lines()
            .flat_map(|line| match escape(line) {
                // A command to copy: as it is.
                line if line.starts_with("  ") => vec![line.into_owned()],
                line => wrap(&line, width),
            })
            .collect();
        elements.push(level.with_name(name).message(lines.join("\n")).into());
    };
    if let Some(found) = finding.found.as_deref().filter(|_| !found_is_shown) {
        add(Level::NOTE, "found", found);
    }
    if let Some(expected) = &finding.expected {
        add(Level::NOTE, "expected", expected);
    }
    if let Some(by) = &finding.by {
        add(Level::NOTE, "by", by);
    }
    if !finding.help.is_empty() {
        add(Level::HELP, "help", &finding.help);
    }
    Group::with_title(title).elements(elements)
}

/// How many findings a report counts and does not list: the least severe.
pub(crate) fn unlisted(report: &Shown) -> u64 {
    report.counts.findings.total().saturating_sub(report.findings.len() as u64)
}

/// The verdict, as in the report.
pub(crate) fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Incomplete => "incomplete",
    }
}

/// `969 lines, 969 verified by sum.golang.org (tree 71,848,828), 0 skipped, 0 unchecked; findings: 1 critical`: one line
/// of escaped text. `hint` says of notes how they are seen.
pub(crate) fn counted(report: &Shown, hint: &str) -> String {
    let counts = &report.counts;
    let mut out = if !report.files.is_empty() && report.files.iter().all(|file| lint::is_kind(&file.kind)) {
        format!("{} and the settings in force", count(report.files.len() as u64, "file"))
    } else {
        compared(report)
    };
    let findings = &counts.findings;
    let by_severity: Vec<String> = [
        (Severity::Critical, findings.critical),
        (Severity::High, findings.high),
        (Severity::Medium, findings.medium),
        (Severity::Low, findings.low),
    ]
    .into_iter()
    .filter(|(_, number)| *number > 0)
    .map(|(severity, number)| format!("{} {severity}", thousands(number)))
    .collect();
    if !by_severity.is_empty() {
        let _ = write!(out, "; findings: {}", by_severity.join(", "));
    }
    if findings.note > 0 {
        let _ = write!(out, "; {}{hint}", count(findings.note, "note"));
    }
    if counts.ignored > 0 {
        let _ = write!(out, "; {} ignored", thousands(counts.ignored));
    }
    out
}

/// `969 lines, 969 verified by sum.golang.org (tree 71,848,828), 0 skipped, 0 unchecked`; what TUF approves, where it is asked.
fn compared(report: &Shown) -> String {
    let by: Vec<String> = report
        .sumdbs
        .iter()
        .map(|sumdb| {
            let tree = match sumdb.tree_size {
                0 => "no tree accepted".to_owned(),
                size => format!("tree {}", thousands(size)),
            };
            format!("by {} ({tree})", escape(&sumdb.name))
        })
        .collect();
    let by = if by.is_empty() { "(no checksum database)".to_owned() } else { by.join(" and ") };
    let counts = &report.counts;
    // Of `tuf`.
    if report.sumdbs.is_empty() && counts.lines == 0 && !report.repositories.is_empty() {
        return format!(
            "TUF metadata, {}",
            count(report.repositories.iter().map(|asked| asked.requests).sum(), "request")
        );
    }
    // Those that trusted roots of Sigstore are kept in approve no modules.
    let approves = |repository: &RepositorySummary| !signatures::REPOSITORIES.contains(&repository.name.as_str());
    let approved = match report.repositories.iter().any(approves) {
        false => String::new(),
        true => format!(", {} approved by TUF", thousands(counts.approved)),
    };
    format!(
        "{}, {} verified {by}{approved}, {} skipped, {} unchecked",
        count(counts.lines, "line"),
        thousands(counts.verified),
        thousands(counts.skipped),
        thousands(counts.unchecked),
    )
}

/// `212 zips, 210 folders and 480 go.mod files as expected; 2 absent`. None where no line speaks of any bytes.
pub(crate) fn measured(counts: &BytesCounts) -> Option<String> {
    let named = |number: u64, noun: &str| (number > 0).then(|| count(number, noun));
    let kinds = [
        named(counts.zip, "zip"),
        named(counts.dir, "folder"),
        named(counts.go_mod, "go.mod file"),
        named(counts.vendor, "vendored module"),
    ];
    let checked: Vec<String> = kinds.into_iter().flatten().collect();
    let absent = if counts.absent > 0 { format!("; {} absent", thousands(counts.absent)) } else { String::new() };
    match checked.split_last() {
        None if counts.absent == 0 => None,
        None => Some("nothing at hand to compare with the lines".to_owned()),
        Some((last, [])) => Some(format!("{last} as expected{absent}")),
        Some((last, rest)) => Some(format!("{} and {last} as expected{absent}", rest.join(", "))),
    }
}

/// `1 trusted, 2 verified, 85 unverified`. None where nothing was graded: there is neither a policy nor an attestation.
pub(crate) fn graded(counts: &GradeCounts) -> Option<String> {
    (counts.total() > 0).then(|| {
        format!(
            "{} trusted, {} verified, {} unverified",
            thousands(counts.trusted),
            thousands(counts.verified),
            thousands(counts.unverified)
        )
    })
}

/// `TUF repository corp: root 3 (until 2027-01-01T00:00:00Z), timestamp 412 (until …); no earlier run's memory against
/// rollback`: one line of escaped text.
fn asked(repository: &RepositorySummary) -> String {
    let roles: Vec<String> = (repository.roles.iter())
        .map(|role| format!("{} {} (until {})", escape(&role.name), role.version, escape(&role.expires)))
        .collect();
    let roles = if roles.is_empty() { "nothing that could be verified".to_owned() } else { roles.join(", ") };
    let floor = match repository.floor {
        Floor::None => "; no earlier run's memory against rollback",
        Floor::Cached | Floor::Pinned => "",
    };
    format!("TUF repository {}: {roles}{floor}", escape(&repository.name))
}

#[cfg(test)]
mod tests {
    use modanchor_core::report::{Counts, Report};
    use proptest::prelude::*;

    use super::*;
    use crate::output::testing::{HASH, every_rule, finding, go_sum, report, repository, shown};

    fn options(width: usize) -> Options {
        Options {
            width,
            color: false,
            limit: Some(10),
            quiet: false,
            verbose: false,
            fail_on: FailOn::Medium,
            allow_incomplete: false,
            summary: true,
            runner: false,
        }
    }

    fn show(report: &Report, options: &Options) -> String {
        let text = go_sum();
        let sources = Sources::from([("sub/go.sum", text.as_bytes())]);
        render(&shown(report), &sources, options)
    }

    #[test]
    fn every_rule_at_80_and_120_columns() {
        for width in [80, 120] {
            let options = Options { verbose: true, ..options(width) };
            let text = show(&report(Verdict::Fail, every_rule()), &options);
            insta::assert_snapshot!(format!("every_rule_{width}"), text);
        }
    }

    #[test]
    fn summaries() {
        let pass = report(Verdict::Pass, Vec::new());
        assert_eq!(
            show(&pass, &options(80)),
            "pass: 969 lines, 969 verified by sum.golang.org (tree 71,848,828), 0 skipped, 0 unchecked\n\
             bytes: 212 zips, 210 folders and 480 go.mod files as expected; 2 absent\n"
        );
        for (bytes, line) in [
            (BytesCounts::default(), ""),
            (
                BytesCounts { absent: 1200, ..BytesCounts::default() },
                "bytes: nothing at hand to compare with the lines\n",
            ),
            (BytesCounts { vendor: 1, ..BytesCounts::default() }, "bytes: 1 vendored module as expected\n"),
        ] {
            let mut report = pass.clone();
            report.counts.bytes = bytes;
            assert_eq!(show(&report, &options(80)).split_once('\n').unwrap().1, line);
        }
        let mut graded = pass.clone();
        (graded.counts.bytes, graded.counts.grades.trusted) = (BytesCounts::default(), 1200);
        graded.counts.grades.unverified = 3;
        let lines = show(&graded, &options(80));
        assert_eq!(lines.split_once('\n').unwrap().1, "modules: 1,200 trusted, 0 verified, 3 unverified\n");
        let mut off = pass.clone();
        off.counts.bytes = BytesCounts::default();
        off.sumdbs.clear();
        (off.counts.lines, off.counts.verified, off.counts.skipped) = (1, 0, 1);
        off.counts.ignored = 2;
        assert_eq!(
            show(&off, &options(80)),
            "pass: 1 line, 0 verified (no checksum database), 1 skipped, 0 unchecked; 2 ignored\n"
        );
        let mut cold = report(Verdict::Incomplete, vec![finding("sumdb-skipped", 6)]);
        cold.counts.bytes = BytesCounts::default();
        cold.sumdbs[0].tree_size = 0;
        (cold.counts.verified, cold.counts.unchecked) = (0, 968);
        assert_eq!(
            show(&cold, &options(80)),
            "incomplete: 969 lines, 0 verified by sum.golang.org (no tree accepted), 0 skipped, 968 unchecked; \
             1 note (--verbose)\n"
        );
    }

    #[test]
    fn repositories_are_named_with_what_they_are_at() {
        let mut report = report(Verdict::Pass, Vec::new());
        report.counts.bytes = BytesCounts::default();
        report.repositories = vec![repository("corp"), repository("other")];
        report.repositories[1].roles.clear();
        report.repositories[1].floor = Floor::None;
        report.counts.uncovered = 7;
        let mut of_tuf = report.clone();
        of_tuf.sumdbs.clear();
        of_tuf.repositories.truncate(1);
        of_tuf.counts = Counts::default();
        insta::assert_snapshot!(show(&report, &options(80)) + "\n" + &show(&of_tuf, &options(80)));
    }

    /// Sigstore's trusted roots are kept in TUF repositories too, which approve nothing.
    #[test]
    fn repositories_of_trusted_roots_approve_no_modules() {
        let mut report = report(Verdict::Pass, Vec::new());
        for (name, approves) in [("sigstore", false), ("sigstore-github", false), ("corp", true)] {
            report.repositories.push(repository(name));
            assert_eq!(show(&report, &options(80)).contains("approved by TUF"), approves, "{name}");
        }
    }

    #[test]
    fn a_rule_that_repeats_is_cut_short() {
        let many: Vec<Finding> = (0..1234).map(|_| finding("unchecked", 6)).collect();
        let mut report = report(Verdict::Incomplete, many);
        report.findings.push(finding("gosum-mismatch", 1));
        let text = show(&report, &options(80));
        assert_eq!(text.matches("[unchecked]").count(), 10);
        assert!(text.contains("… and 1,224 more of unchecked; --verbose or --format json=FILE has them all\n"));
        assert_eq!(text.matches("[gosum-mismatch]").count(), 1, "not hidden by the others");
        let all = Options { limit: None, ..options(80) };
        assert_eq!(show(&report, &all).matches("[unchecked]").count(), 1234);
        report.counts.findings.medium = 26_000;
        assert!(show(&report, &all).contains("… and 24,765 more, less severe, that the report counts"));
    }

    #[test]
    fn quiet_is_what_keeps_from_passing() {
        let quiet = Options { quiet: true, ..options(80) };
        let pass = report(Verdict::Pass, vec![finding("sumdb-stale", None)]);
        assert_eq!(show(&pass, &quiet), "");
        let mixed = report(Verdict::Fail, every_rule());
        let rules_of = |options: &Options| {
            let text = show(&mixed, options);
            rules::ALL
                .iter()
                .filter(|rule| text.contains(&format!("[{}]", rule.id)))
                .map(|rule| rule.id)
                .collect::<Vec<_>>()
        };
        let want = |wanted: &dyn Fn(&rules::Rule) -> bool| {
            rules::ALL.iter().filter(|rule| wanted(rule)).map(|rule| rule.id).collect::<Vec<_>>()
        };
        assert_eq!(rules_of(&quiet), want(&|rule| rule.severity >= Severity::Medium));
        let never = Options { fail_on: FailOn::Never, ..quiet.clone() };
        assert_eq!(rules_of(&never), want(&|rule| rule.incomplete));
        let critical = Options { fail_on: FailOn::Critical, allow_incomplete: true, ..quiet };
        assert_eq!(rules_of(&critical), want(&|rule| rule.severity == Severity::Critical));
    }

    #[test]
    fn colour_is_only_colour() {
        let report = report(Verdict::Fail, every_rule());
        let color = Options { color: true, ..options(100) };
        let text = show(&report, &color);
        assert!(text.contains('\x1b'));
        assert_eq!(anstream::adapter::strip_str(&text).to_string(), show(&report, &options(100)));
    }

    #[test]
    fn long_lines_are_cut_around_the_hash() {
        let line = format!("{} v1.0.0 {HASH} {}", "x".repeat(100_000), "y".repeat(100_000));
        let shown = excerpt(line.as_bytes(), Some(100_009), Some(100_009 + HASH.len() as u32));
        assert_eq!(&shown.text[shown.span.clone()], HASH);
        assert_eq!(shown.text.chars().count(), MAX_LINE + 2);
        let whole = excerpt(line.as_bytes(), None, None);
        assert_eq!(whole.text.chars().count(), MAX_LINE + 1);
        assert_eq!(whole.span, 0..MAX_LINE);
        let odd = excerpt(b"a\xff\x1b\xc3\xa9z\r", Some(3), Some(5));
        assert_eq!(odd.text, "a\u{fffd}\\u{1b}éz\\r");
        assert_eq!(&odd.text[odd.span], "\\u{1b}é");
        assert_eq!(excerpt(b"abc", Some(9), Some(12)).span, 3..3, "past the end");
        assert_eq!(excerpt(b"", Some(1), Some(1)).span, 0..0);
    }

    proptest! {
        #[test]
        fn no_control_character_survives(
            words in proptest::array::uniform8(any::<String>()),
            line in any::<Vec<u8>>(),
            column in any::<Option<u32>>(),
            end in any::<Option<u32>>(),
            number in proptest::option::of(0u32..4),
            width in 0usize..200,
        ) {
            let [rule, message, file, expected, found, by, help, name] = words;
            let mut report = report(Verdict::Fail, vec![Finding {
                rule, message, help, line: number, column, end_column: end,
                file: Some(file.clone()), expected: Some(expected), found: Some(found), by: Some(by),
                ..finding("gosum-mismatch", 1)
            }]);
            report.sumdbs[0].name = name;
            let sources = Sources::from([(file.as_str(), line.as_slice())]);
            let text = render(&shown(&report), &sources, &options(width));
            for line in text.split('\n') {
                prop_assert_eq!(escape(line), line);
            }
        }
    }
}
