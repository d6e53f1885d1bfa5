//! `markdown`: a job summary, or a comment on a pull request.
//!
//! # Security
//!
//! What a file or a server says must not become markup: no link, image, mention, reference or emoji, no cell or
//! paragraph of its own. The two functions that write such text (`code` and `prose`) stand on this:
//!
//! - Everything that holds such text is an HTML block (CommonMark 0.31, 4.6, kind 6), in which Markdown is not read
//!   at all. It ends at an empty line; the text has no line ends, since [`escape`] makes them visible, together with all
//!   other characters that nobody sees.
//! - In such a block only HTML counts. All ASCII punctuation is written as numeric references (`&#60;`), so that
//!   no tag, entity or comment begins. They would be plain text to a Markdown parser as well.
//! - GitHub links mentions, references, hashes of commits and bare addresses, and draws emoji, in the finished page;
//!   but not inside of `<code>`. There goes every word that is not made of letters or digits alone.
//!
//! The pages' own links lead to lines of the commit that was checked ([`Source`](super::Source)).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use modanchor_core::report::{Finding, Floor, RepositorySummary, SumdbSummary, Verdict, rules};

use super::annotation::{Ordered, elsewhere, order};
use super::text::{count, escape, thousands};
use super::{Context, Shown, human};
use crate::cli::args::FailOn;

/// How long a page may be. What is over it, GitHub refuses as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// In bytes of UTF-8.
    Bytes(usize),
    /// In characters, which are Unicode's code points.
    Characters(usize),
}

/// A job summary: GitHub takes 1 MiB a step (`AttachmentSizeLimit` in actions/runner, `FileCommandManager.cs`), counted
/// over all that the step writes. 16 KiB are left to others.
pub const SUMMARY_BYTES: usize = (1024 - 16) * 1024;

/// [`SUMMARY_BYTES`], as a limit.
pub const SUMMARY_LIMIT: Limit = Limit::Bytes(SUMMARY_BYTES);

/// A comment on a pull request may have 65,536 characters, the summary of a check run 65,535.
pub const COMMENT_LIMIT: Limit = Limit::Characters(65_535);

/// The smallest limit that is kept, in either unit, whatever is in the report: the verdict, the counts and the footer are
/// always there.
pub const MIN_LIMIT: usize = 48 * 1024;

/// The longest text of a report that is shown, in characters. A real message has 200.
pub const MAX_TEXT: usize = 1000;

/// With more findings than this, their details are folded.
const MAX_OPEN: usize = 3;

/// Hexadecimal digits from which on GitHub looks for a commit of that hash.
const MIN_COMMIT: usize = 7;

/// How to show a report.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long the page may be, at least [`MIN_LIMIT`].
    pub limit: Limit,
    /// From which severity on a finding fails the run.
    pub fail_on: FailOn,
    /// Whether what could not be checked may pass.
    pub allow_incomplete: bool,
}

/// Renders a report: the verdict and what it means; findings, the most severe first, each as a row and with its details;
/// the tree heads; what was skipped and what could not be checked; bytes.
///
/// Where the limit does not allow for all, rows and sections are left out whole, and the page says how many.
pub fn render(report: &Shown, context: &Context<'_>, options: &Options) -> String {
    let page = Page { report, context, options };
    let sections = [
        ("checksum database", page.databases()),
        ("TUF repositories", page.repositories()),
        ("skipped", page.skipped()),
        ("not checked", page.unchecked()),
        ("bytes", page.bytes()),
        ("grades", page.grades()),
    ];
    let (mut out, footer) = (page.head(), page.footer());
    // What cannot be left out, and what says that something is: that fits whatever it says.
    let mut room = Room::new(options.limit);
    let notes = [
        rows_left_out(u64::MAX),
        details_left_out(usize::MAX),
        sections_left_out(&sections.each_ref().map(|one| one.0)),
    ];
    for text in [&out, &footer, FINDINGS, END].into_iter().chain(notes.iter().map(String::as_str)) {
        room.take(text);
    }
    // Small, and what the findings stand on: these come first when room is shared out.
    let (mut fitting, mut missing) = (String::new(), Vec::new());
    for (name, section) in sections {
        match section {
            Some(section) if room.take_if_fits(&section) => fitting += &section,
            Some(_) => missing.push(name),
            None => {}
        }
    }
    page.findings(&mut out, room);
    out += &fitting;
    if !missing.is_empty() {
        out += &sections_left_out(&missing);
    }
    out + &footer
}

/// A page about a run that has no report: `what` is ours, `why` anybody's.
pub fn failure(what: &str, why: &str) -> String {
    format!("## ❌ {what}\n\n<p>{}</p>\n\n", prose(why))
}

const FINDINGS: &str = "### Findings\n\n<table>\n<tr><th>severity</th><th>rule</th><th>where</th><th>what</th></tr>\n";
const END: &str = "</table>\n\n";

fn rows_left_out(number: u64) -> String {
    let number = thousands(number);
    format!("… and {number} more, less severe or later in the files: for want of room only the report has them.\n\n")
}

fn details_left_out(number: usize) -> String {
    format!("… and the details of {} more, which the report has.\n\n", thousands(number as u64))
}

fn sections_left_out(names: &[&str]) -> String {
    format!("… and what the report says of: {}.\n\n", names.join(", "))
}

/// Room that is left on a page.
#[derive(Debug, Clone, Copy)]
struct Room {
    limit: Limit,
    left: usize,
}

impl Room {
    fn new(limit: Limit) -> Self {
        let (Limit::Bytes(left) | Limit::Characters(left)) = limit;
        Self { limit, left }
    }

    fn size(&self, text: &str) -> usize {
        match self.limit {
            Limit::Bytes(_) => text.len(),
            Limit::Characters(_) => text.chars().count(),
        }
    }

    fn take(&mut self, text: &str) {
        self.left = self.left.saturating_sub(self.size(text));
    }

    fn take_if_fits(&mut self, text: &str) -> bool {
        let fits = self.size(text) <= self.left;
        if fits {
            self.take(text);
        }
        fits
    }

    /// Takes half of what is left.
    fn split(&mut self) -> Self {
        let half = Self { limit: self.limit, left: self.left / 2 };
        self.left -= half.left;
        half
    }
}

struct Page<'a> {
    report: &'a Shown,
    context: &'a Context<'a>,
    options: &'a Options,
}

impl Page<'_> {
    fn head(&self) -> String {
        let Self { report, options, .. } = self;
        let sign = match report.verdict {
            Verdict::Pass => "✅",
            Verdict::Fail => "❌",
            Verdict::Incomplete => "⚠️",
        };
        let fail_on = match options.fail_on {
            FailOn::Critical => "critical",
            FailOn::High => "high",
            FailOn::Medium => "medium",
            FailOn::Low => "low",
            FailOn::Never => "never",
        };
        let rest = match options.fail_on {
            FailOn::Never => "Findings do not fail this run (`--fail-on never`)".to_owned(),
            _ => format!("What was checked shows nothing at or above `{fail_on}`"),
        };
        let has_findings = report.counts.findings.without_notes() > 0;
        let unchecked = self.report.counts.unchecked > 0 || self.incomplete().next().is_some();
        let mut text = match report.verdict {
            Verdict::Fail => format!(
                "**Something is wrong**: findings at or above `{fail_on}`. Do not build or merge this before each of \
                 them is understood."
            ),
            Verdict::Incomplete if options.allow_incomplete => {
                format!("**Something could not be checked**, which `--allow-incomplete` lets pass. {rest}.")
            }
            Verdict::Incomplete => format!(
                "**Something could not be checked**, so this does not pass. {rest}; nobody vouches for the rest. \
                 Run it again: what was verified is kept, and only what is missing is asked for. If that does not help, \
                 `modanchor explain unchecked` says what can be in the way."
            ),
            Verdict::Pass if has_findings => format!("**This passes, with findings.** {rest}."),
            Verdict::Pass => "**Everything that was to be checked is as it should be.**".to_owned(),
        };
        if report.verdict == Verdict::Fail && unchecked {
            text += " Besides, something could not be checked.";
        }
        let counted = prose(&human::counted(report, ""));
        format!("## {sign} modanchor: {}\n\n{text}\n\n<p>{counted}</p>\n\n", human::word(report.verdict))
    }

    /// All findings, the most severe first, in half of the room if they need as much; then their details.
    fn findings(&self, out: &mut String, mut room: Room) {
        let Ordered { findings, .. } = order(self.report, self.context.places, None);
        if findings.is_empty() {
            return;
        }
        let mut half = room.split();
        out.push_str(FINDINGS);
        let mut shown = 0;
        for (path, finding) in &findings {
            let row = self.row(path.as_deref(), finding);
            if !half.take_if_fits(&row) {
                break;
            }
            out.push_str(&row);
            shown += 1;
        }
        out.push_str(END);
        room.left += half.left;
        let left_out = human::unlisted(self.report) + (findings.len() - shown) as u64;
        if left_out > 0 {
            out.push_str(&rows_left_out(left_out));
        }

        let told = findings.iter().take(shown).filter(|(_, finding)| has_details(finding));
        let mut missing = told.clone().count();
        for (path, finding) in told {
            let details = self.details(path.as_deref(), finding, findings.len() <= MAX_OPEN);
            if !room.take_if_fits(&details) {
                break;
            }
            out.push_str(&details);
            missing -= 1;
        }
        if missing > 0 {
            out.push_str(&details_left_out(missing));
        }
    }

    /// `sub/go.sum:3`, linked where that leads somewhere.
    fn place(&self, path: &str, finding: &Finding) -> String {
        let shown = match finding.line {
            Some(line) => code(&format!("{path}:{line}")),
            None => code(path),
        };
        // Programs are built, not committed.
        let is_program =
            |file| self.report.files.iter().any(|known| Some(&known.path) == file && known.kind == "program");
        let source = self.context.source.filter(|_| !is_program(finding.file.as_ref()));
        match source.and_then(|source| source.link(path, finding.line)) {
            Some(link) => format!("<a href=\"{link}\">{shown}</a>"),
            None => shown,
        }
    }

    fn row(&self, path: Option<&str>, finding: &Finding) -> String {
        let place = path.map_or_else(|| "–".to_owned(), |path| self.place(path, finding));
        format!(
            "<tr><td>{}</td><td>{}</td><td>{place}</td><td>{}</td></tr>\n",
            finding.severity,
            code(&finding.rule),
            prose(&finding.message)
        )
    }

    fn details(&self, path: Option<&str>, finding: &Finding, open: bool) -> String {
        let open = if open { " open" } else { "" };
        let mut out = format!("<details{open}>\n<summary>{} {}", finding.severity, code(&finding.rule));
        if let Some(path) = path {
            let _ = write!(out, " at {}", self.place(path, finding));
        }
        let _ = write!(out, "</summary>\n<p>{}</p>\n<table>\n", prose(&finding.message));
        let mut row = |name: &str, text: &str| {
            let _ = writeln!(out, "<tr><th>{name}</th><td>{text}</td></tr>");
        };
        if let Some(expected) = &finding.expected {
            row("expected", &code(expected));
        }
        if let Some(found) = &finding.found {
            row("found", &code(found));
        }
        if let Some(by) = &finding.by {
            row("by", &prose(by));
        }
        if !finding.help.is_empty() {
            row("help", &paragraphs(&finding.help));
        }
        row("more", &code(&format!("modanchor explain {}", finding.rule)));
        out += "</table>\n</details>\n\n";
        out
    }

    fn databases(&self) -> Option<String> {
        let sumdbs = &self.report.sumdbs;
        if sumdbs.is_empty() {
            return Some("### Checksum database\n\nNone was asked.\n\n".to_owned());
        }
        let rows: String = sumdbs.iter().map(database).collect();
        Some(format!(
            "### Checksum database\n\n<table>\n<tr><th>name</th><th>tree size</th><th>root hash</th>\
             <th>against forks</th></tr>\n{rows}</table>\n\n"
        ))
    }

    fn repositories(&self) -> Option<String> {
        let repositories = &self.report.repositories;
        let rows: String = repositories.iter().map(repository).collect();
        (!repositories.is_empty()).then(|| {
            format!(
                "### TUF repositories\n\n<table>\n<tr><th>name</th><th>role</th><th>version</th><th>good until</th>\
                 <th>against rollback</th></tr>\n{rows}</table>\n\n"
            )
        })
    }

    fn skipped(&self) -> Option<String> {
        let counts = &self.report.counts;
        let mut items = String::new();
        for sumdb in &self.report.sumdbs {
            if let Some(by) = &sumdb.skipped_by {
                let _ = writeln!(items, "<li>Not asked of {}: what {} covers.</li>", code(&sumdb.name), code(by));
            }
        }
        if counts.skipped > 0 {
            let _ = writeln!(items, "<li>{} compared with no record for that.</li>", were(counts.skipped, "line"));
        }
        if counts.uncovered > 0 {
            let modules = count(counts.uncovered, "module");
            let _ = writeln!(items, "<li>{modules} that no TUF repository answers for.</li>");
        }
        if counts.ignored > 0 {
            let _ = writeln!(items, "<li>{} ignored by the configuration.</li>", were(counts.ignored, "finding"));
        }
        (!items.is_empty()).then(|| format!("### Skipped\n\n<ul>\n{items}</ul>\n\n"))
    }

    fn incomplete(&self) -> impl Iterator<Item = &Finding> {
        let is_incomplete = |finding: &&Finding| rules::find(&finding.rule).is_some_and(|rule| rule.incomplete);
        self.report.findings.iter().filter(is_incomplete)
    }

    fn unchecked(&self) -> Option<String> {
        let mut by_rule: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in self.incomplete() {
            *by_rule.entry(&finding.rule).or_default() += 1;
        }
        let mut items = String::new();
        if self.report.counts.unchecked > 0 {
            let lines = count(self.report.counts.unchecked, "line");
            let _ = writeln!(items, "<li>{lines} without a record that could be verified.</li>");
        }
        for (rule, number) in by_rule {
            let _ = writeln!(items, "<li>{} of {}.</li>", count(number, "finding"), code(rule));
        }
        (!items.is_empty()).then(|| format!("### Not checked\n\n<ul>\n{items}</ul>\n\n"))
    }

    fn bytes(&self) -> Option<String> {
        let mut sentence = human::measured(&self.report.counts.bytes)?;
        if let Some(first) = sentence.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Some(format!("### Bytes\n\n<p>{}.</p>\n\n", prose(&sentence)))
    }

    fn grades(&self) -> Option<String> {
        let grades = human::graded(&self.report.counts.grades)?;
        Some(format!(
            "### Grades\n\n<p>Modules: {}. {}</p>\n\n",
            prose(&grades),
            "<code>modanchor policy explain</code> says why, of each."
        ))
    }

    fn footer(&self) -> String {
        let Self { report, context, .. } = self;
        let elsewhere = elsewhere(report, context.places, context.changed) as u64;
        let mut out = String::new();
        if elsewhere > 0 {
            let are = if elsewhere == 1 { "is" } else { "are" };
            let findings = count(elsewhere, "finding");
            let _ = write!(out, "{findings} {are} on lines that the change does not touch, and not annotated.\n\n");
        }
        let tool = &report.tool;
        let _ = writeln!(
            out,
            "<p><sub>{} {}, component {}, checked at {}.</sub></p>",
            code(&tool.name),
            code(&tool.version),
            code(&tool.component),
            code(&report.checked_at)
        );
        out
    }
}

fn has_details(finding: &Finding) -> bool {
    finding.expected.is_some() || finding.found.is_some() || finding.by.is_some() || !finding.help.is_empty()
}

fn database(sumdb: &SumdbSummary) -> String {
    let (size, root) = match sumdb.tree_size {
        0 => ("none accepted".to_owned(), "–".to_owned()),
        size => (thousands(size), code(&sumdb.root_hash)),
    };
    let floor = match sumdb.floor {
        _ if sumdb.tree_size == 0 => "–",
        Floor::None => "no memory: a first run believes any history that agrees with itself",
        Floor::Cached => "continues the tree that an earlier run has seen",
        Floor::Pinned => "continues the tree that the configuration pins",
    };
    format!("<tr><td>{}</td><td>{size}</td><td>{root}</td><td>{floor}</td></tr>\n", code(&sumdb.name))
}

/// One row for each role.
fn repository(repository: &RepositorySummary) -> String {
    let floor = match repository.floor {
        Floor::None => "no memory: a first run believes any version",
        Floor::Cached | Floor::Pinned => "no older than what an earlier run has seen",
    };
    let row = |role: String, version: String, expires: String| {
        format!(
            "<tr><td>{}</td><td>{role}</td><td>{version}</td><td>{expires}</td><td>{floor}</td></tr>\n",
            code(&repository.name)
        )
    };
    match repository.roles.as_slice() {
        [] => row("none verified".to_owned(), "–".to_owned(), "–".to_owned()),
        roles => {
            roles.iter().map(|role| row(code(&role.name), role.version.to_string(), code(&role.expires))).collect()
        }
    }
}

/// `1 line was`, `2 lines were`.
fn were(number: u64, noun: &str) -> String {
    format!("{} {}", count(number, noun), if number == 1 { "was" } else { "were" })
}

/// Text of a report, as it is to be copied, in an HTML block.
fn code(text: &str) -> String {
    let mut out = String::new();
    push_code(&mut out, &cut(text));
    out
}

/// A sentence of a report, in an HTML block: words that are no words, and what stands between two backticks, as code.
fn prose(text: &str) -> String {
    let text = cut(text);
    let mut out = String::new();
    // Pairs are code; where there is none, or one with nothing between, they are characters like others.
    if text.matches('`').count() % 2 == 1 || text.contains("``") {
        push_words(&mut out, &text);
        return out;
    }
    for (number, piece) in text.split('`').enumerate() {
        match number % 2 {
            0 => push_words(&mut out, piece),
            _ => push_code(&mut out, piece),
        }
    }
    out
}

/// Several lines; those that are indented are commands to copy.
fn paragraphs(text: &str) -> String {
    let shown = |line: &str| match line.strip_prefix("  ") {
        Some(command) => code(command),
        None => prose(line),
    };
    let cut: String = text.chars().take(MAX_TEXT).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    cut.lines().map(shown).collect::<Vec<_>>().join("<br>") + more
}

/// On one line, without characters that nobody sees, and not too long.
fn cut(text: &str) -> String {
    let text = escape(text);
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

fn push_code(out: &mut String, text: &str) {
    if text.is_empty() {
        return;
    }
    out.push_str("<code>");
    push_references(out, text);
    out.push_str("</code>");
}

fn push_words(out: &mut String, text: &str) {
    for (number, word) in text.split(' ').enumerate() {
        if number > 0 {
            out.push(' ');
        }
        let start = word.trim_start_matches(['(', '"', '\'']);
        let middle = start.trim_end_matches(['.', ',', ';', ':', '?', '!', ')', '"', '\'', '…']);
        push_references(out, &word[..word.len() - start.len()]);
        if is_plain(middle) {
            push_references(out, middle);
        } else {
            push_code(out, middle);
        }
        push_references(out, &start[middle.len()..]);
    }
}

/// A word or a number, in which a page of GitHub finds nothing to link.
fn is_plain(word: &str) -> bool {
    let is_commit = word.len() >= MIN_COMMIT && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_word = word.split(['-', '\'']).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphabetic()));
    let is_number = word.split(',').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    (is_word || is_number || word.is_empty()) && !is_commit
}

fn push_references(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            // Writing to a string cannot fail.
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use modanchor_core::report::{FileSummary, Places, Report, Severity};
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options as Extensions, Parser};

    use super::*;
    use crate::ci::lines::ChangedLines;
    use crate::output::Source;
    use crate::output::testing::{every_rule, finding, report, repository, shown};
    use crate::output::workflow::runner;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn options(limit: Limit) -> Options {
        Options { limit, fail_on: FailOn::Medium, allow_incomplete: false }
    }

    fn page(report: &Shown, limit: Limit) -> String {
        let places = Places::new("services/api", BTreeMap::new());
        let source = Source::new("https://github.com", "owner/name", COMMIT).unwrap();
        let context = Context { places: &places, changed: None, source: Some(&source) };
        render(report, &context, &options(limit))
    }

    fn show(report: &Report) -> String {
        page(&shown(report), SUMMARY_LIMIT)
    }

    /// What a page is made of, as a parser of Markdown and then one of HTML see it.
    #[derive(Debug, Default)]
    struct Seen {
        tags: BTreeSet<String>,
        links: BTreeSet<String>,
        /// What stands outside of code and of Markdown.
        prose: Vec<String>,
        /// The text of each cell of a table and of each paragraph, in order.
        cells: Vec<String>,
    }

    fn read(page: &str) -> Seen {
        let mut html = String::new();
        for event in Parser::new_ext(page, Extensions::all() - Extensions::ENABLE_SMART_PUNCTUATION) {
            match event {
                Event::Html(text) => html += &text,
                // Ours: headings, paragraphs, strong words and flags.
                Event::Start(tag) => assert!(
                    matches!(
                        tag,
                        pulldown_cmark::Tag::Heading { .. }
                            | pulldown_cmark::Tag::Paragraph
                            | pulldown_cmark::Tag::Strong
                            | pulldown_cmark::Tag::HtmlBlock
                    ),
                    "{tag:?}"
                ),
                Event::End(_) | Event::Text(_) | Event::SoftBreak => {}
                Event::Code(code) => assert!(
                    code.starts_with("--") || ["medium", "modanchor explain unchecked"].contains(&&*code),
                    "{code}"
                ),
                other => panic!("{other:?}"),
            }
        }
        let mut seen = Seen::default();
        let (mut in_code, mut in_cell) = (false, false);
        let mut rest = html.as_str();
        while !rest.is_empty() {
            let end = rest.find('<').unwrap_or(rest.len());
            let text = decode(&rest[..end]);
            if !in_code {
                seen.prose.push(text.clone());
            }
            if let Some(cell) = seen.cells.last_mut().filter(|_| in_cell) {
                *cell += &text;
            }
            rest = &rest[end..];
            let Some((tag, after)) = rest.split_once('>') else {
                assert_eq!(rest, "");
                break;
            };
            rest = after;
            if let Some(link) = tag.strip_prefix("<a href=\"") {
                seen.links.insert(link.strip_suffix('"').unwrap().to_owned());
                continue;
            }
            match tag {
                "<code" | "</code" => in_code = tag == "<code",
                "<td" | "<p" | "<summary" | "<li" => {
                    seen.cells.push(String::new());
                    in_cell = true;
                }
                "</td" | "</p" | "</summary" | "</li" => in_cell = false,
                _ => {}
            }
            seen.tags.insert(tag.trim_start_matches("<").to_owned());
        }
        seen
    }

    fn decode(text: &str) -> String {
        let mut parts = text.split('&');
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (number, after) = part.strip_prefix('#').and_then(|part| part.split_once(';')).expect("a reference");
            out.push(char::from(number.parse::<u8>().unwrap()));
            out += after;
        }
        out
    }

    const TAGS: &[&str] = &[
        "/a",
        "/code",
        "/details",
        "/li",
        "/p",
        "/sub",
        "/summary",
        "/table",
        "/td",
        "/th",
        "/tr",
        "/ul",
        "br",
        "code",
        "details",
        "details open",
        "li",
        "p",
        "sub",
        "summary",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ];

    /// Nothing on the page but what is ours, and nothing to link in what is said in words.
    fn assert_ours(page: &str) -> Seen {
        let seen = read(page);
        for tag in &seen.tags {
            assert!(TAGS.contains(&tag.as_str()), "<{tag}>");
        }
        for link in &seen.links {
            assert!(link.starts_with(&format!("https://github.com/owner/name/blob/{COMMIT}/")), "{link}");
        }
        for text in &seen.prose {
            assert!(!text.contains(['@', '#', '/', '_', '`', '\\', '*', '[', '<', '&', '$', '~', '=']), "{text:?}");
            for word in text.split(' ') {
                let inner = word.trim_matches(|c: char| !c.is_alphanumeric());
                assert!(!inner.contains(['.', ':']), "{text:?}");
                let is_hash = inner.len() >= 7 && inner.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(!is_hash, "{text:?}");
            }
        }
        assert_eq!(runner::commands(page), []);
        seen
    }

    #[test]
    fn every_rule_is_shown() {
        let mut report = report(Verdict::Fail, every_rule());
        report.counts.skipped = 2;
        report.counts.ignored = 1;
        report.sumdbs[0].skipped_by = Some("GOPRIVATE (environment): corp.example".to_owned());
        report.repositories = vec![repository("corp"), repository("other")];
        report.repositories[1].roles.clear();
        report.repositories[1].floor = Floor::None;
        report.counts.uncovered = 7;
        let page = show(&report);
        assert_ours(&page);
        insta::assert_snapshot!(page);
    }

    #[test]
    fn verdicts() {
        let mut incomplete = report(Verdict::Incomplete, vec![finding("unchecked", 6)]);
        incomplete.counts.unchecked = 3;
        incomplete.sumdbs[0].tree_size = 0;
        let mut pass = report(Verdict::Pass, Vec::new());
        pass.sumdbs[0].floor = Floor::Cached;
        let mut empty = pass.clone();
        empty.sumdbs.clear();
        empty.counts = Default::default();
        let mut fail = report(Verdict::Fail, vec![finding("gosum-mismatch", 1)]);
        fail.counts.unchecked = 1;
        for (name, report) in [("incomplete", incomplete), ("pass", pass), ("empty", empty), ("fail", fail)] {
            let page = show(&report);
            assert_ours(&page);
            insta::assert_snapshot!(name, page);
        }
    }

    #[test]
    fn the_verdict_is_that_of_the_flags() {
        let of = |verdict, fail_on, allow_incomplete, findings| {
            let places = Places::default();
            let context = Context { places: &places, changed: None, source: None };
            let options = Options { limit: COMMENT_LIMIT, fail_on, allow_incomplete };
            let page = render(&shown(&report(verdict, findings)), &context, &options);
            page.lines().nth(2).unwrap().to_owned()
        };
        insta::assert_snapshot!(
            [
                of(Verdict::Pass, FailOn::Critical, false, Vec::new()),
                of(Verdict::Pass, FailOn::Medium, false, vec![finding("sumdb-skipped", 6)]),
                of(Verdict::Pass, FailOn::Medium, false, vec![finding("sumdb-stale", None)]),
                of(Verdict::Pass, FailOn::Never, false, vec![finding("gosum-mismatch", 1)]),
                of(Verdict::Incomplete, FailOn::Low, true, Vec::new()),
                of(Verdict::Incomplete, FailOn::Never, false, Vec::new()),
                of(Verdict::Fail, FailOn::High, false, Vec::new()),
            ]
            .join("\n")
        );
    }

    #[test]
    fn what_is_on_other_lines_is_counted() {
        let report = shown(&report(Verdict::Fail, vec![finding("gosum-mismatch", 1), finding("sumdb-fork", None)]));
        let (places, changed) = (Places::default(), ChangedLines::default());
        let context = Context { places: &places, changed: Some(&changed), source: None };
        let page = render(&report, &context, &options(SUMMARY_LIMIT));
        assert!(page.contains("2 findings are on lines that the change does not touch"), "{page}");
        assert!(page.contains("gosum&#45;mismatch"), "the page shows all of them");
        assert_eq!(read(&page).links, BTreeSet::new());
    }

    #[test]
    fn programs_and_odd_paths_are_not_linked() {
        let at = |file: &str| Finding { file: Some(file.to_owned()), ..finding("binary-mismatch", 1) };
        let mut report = report(Verdict::Fail, vec![at("bin/server"), at("../x"), at("go.sum")]);
        report.files = vec![FileSummary {
            path: "bin/server".to_owned(),
            kind: "program".to_owned(),
            sha256: "00".to_owned(),
            lines: 3,
        }];
        let want = format!("https://github.com/owner/name/blob/{COMMIT}/services/api/go.sum#L1");
        assert_eq!(assert_ours(&show(&report)).links, BTreeSet::from([want]));
    }

    #[test]
    fn words_that_are_no_words_are_code() {
        for (text, want) in [
            ("a line differs, doesn't it?", "a line differs, doesn't it?"),
            ("(tree 71,848,828), 0 skipped", "(tree 71,848,828), 0 skipped"),
            ("the hash of golang.org/x/text v0.14.0: is", "the hash of [golang.org/x/text] [v0.14.0]: is"),
            ("run `go mod tidy`.", "run [go mod tidy]."),
            ("a ` b", "a [`] b"),
            (":``smile``:", "[:``smile``]:"),
            (
                "@golang/team #1 GH-1 :smile: deadbeef 1234567",
                "[@golang/team] [#1] [GH-1] [:smile]: [deadbeef] [1234567]",
            ),
            ("www.example.com", "[www.example.com]"),
            ("<img>\nx | y", "[<img>\\nx] [|] y"),
            ("", ""),
        ] {
            let html = prose(text).replace("<code>", "[").replace("</code>", "]");
            assert_eq!(decode(&html), want);
        }
        assert_eq!(paragraphs("run\n  go get x@v1\nthen"), "run<br><code>go get x&#64;v1</code><br>then");
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "漢".repeat(MAX_TEXT);
        assert_eq!(code(&text), format!("<code>{text}</code>"));
        assert_eq!(code(&format!("{text}x")), format!("<code>{text}…</code>"));
        assert_eq!(paragraphs(&format!("{text}x")), format!("<code>{text}</code>…"));
    }

    fn size(page: &str, limit: Limit) -> (usize, usize) {
        match limit {
            Limit::Bytes(most) => (page.len(), most),
            Limit::Characters(most) => (page.chars().count(), most),
        }
    }

    /// How many rows and details there are, and how many it says are left out of each.
    fn parts(page: &str) -> (usize, usize, u64, u64) {
        let number = |before: &str, after: &str| {
            let line = page.lines().find(|line| line.starts_with(before) && line.contains(after));
            line.map_or(0, |line| {
                let number = line[before.len()..].split(' ').next().unwrap();
                number.replace(',', "").parse().unwrap()
            })
        };
        (
            page.matches("<tr><td>critical").count(),
            page.matches("<details").count(),
            number("… and ", " more, less severe"),
            number("… and the details of ", " more, which"),
        )
    }

    #[test]
    fn rows_and_details_are_left_out_whole() {
        for (number, length) in [(25_000, 100), (300, 10_000), (30_000, 10)] {
            let one = Finding {
                message: "<".repeat(length),
                expected: Some("é".repeat(length)),
                help: "&".repeat(length),
                ..finding("gosum-mismatch", 1)
            };
            let listed = number.min(25_000);
            let mut report = report(Verdict::Fail, vec![one; listed]);
            report.counts.findings.critical = number as u64;
            let report = shown(&report);
            for limit in [SUMMARY_LIMIT, COMMENT_LIMIT, Limit::Bytes(MIN_LIMIT)] {
                let page = page(&report, limit);
                let (has, most) = size(&page, limit);
                assert!(has <= most, "{has} > {most}");
                assert!(has > most / 2, "room is used: {has} of {most}");
                let (rows, details, rows_left, details_left) = parts(&page);
                assert!(rows > 1 && details > 1, "{rows} {details}");
                assert_eq!(rows as u64 + rows_left, number as u64);
                assert_eq!(details as u64 + details_left, rows as u64);
                assert_ours(&page);
                assert!(page.starts_with("## ❌ modanchor: fail\n"));
                assert!(page.trim_end().ends_with("</sub></p>"));
                for section in ["### Checksum database", "### Bytes", "&#59; findings&#58;"] {
                    assert!(page.contains(section), "{section}");
                }
            }
        }
    }

    #[test]
    fn a_page_with_one_byte_less_loses_a_part() {
        let report = report(Verdict::Fail, vec![finding("gosum-mismatch", 1); 20]);
        let report = shown(&report);
        let whole = page(&report, SUMMARY_LIMIT);
        assert_eq!(parts(&whole), (20, 20, 0, 0));
        let least = (whole.len()..).find(|limit| page(&report, Limit::Bytes(*limit)) == whole).unwrap();
        let (rows, details, rows_left, details_left) = parts(&page(&report, Limit::Bytes(least - 1)));
        assert_eq!((rows, details, rows_left, details_left), (20, 19, 0, 1));
    }

    #[test]
    fn no_text_is_too_long_for_the_smallest_page() {
        let long = "<".repeat(100_000);
        let mut report = report(Verdict::Fail, every_rule());
        for finding in &mut report.findings {
            finding.message = long.clone();
            finding.file = Some(long.clone());
            finding.by = Some(long.clone());
        }
        report.sumdbs[0].name = long.clone();
        report.sumdbs[0].root_hash = long.clone();
        report.sumdbs[0].skipped_by = Some(long.clone());
        report.sumdbs = vec![report.sumdbs.remove(0); 50];
        report.repositories = vec![repository(&long); 50];
        report.tool.version = long.clone();
        report.tool.component = long.clone();
        report.checked_at = long;
        let report = shown(&report);
        for limit in [COMMENT_LIMIT, Limit::Bytes(MIN_LIMIT)] {
            let page = page(&report, limit);
            let (has, most) = size(&page, limit);
            assert!(has <= most, "{has} > {most}");
            assert!(
                page.contains("… and what the report says of: checksum database, TUF repositories, skipped.\n"),
                "{page}"
            );
            assert_ours(&page);
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "(\n|\r|\\||`|``|```|<!--|-->|</?code>|</?td>|<img src=x>|&lt;|&#60;|\\[a\\]\\(b\\)|!\\[|www\\.x\\.y|https://x\\.y\
             |@me|#1|GH-1|:smile:|\\*\\*|__|~~|\\$|> |# |- |1\\. |    |\u{202e}|word|a|0|1| ){0,12}",
        ];
        proptest::collection::vec(piece, 0..3).prop_map(|pieces| pieces.concat())
    }

    /// As a reader sees prose: pairs of backticks are not text.
    fn as_prose(text: &str) -> String {
        let text = cut(text);
        let paired = text.matches('`').count().is_multiple_of(2) && !text.contains("``");
        if paired { text.replace('`', "") } else { text }
    }

    proptest! {
        /// Whatever the texts are, the page has only our tags and links, and they read back.
        #[test]
        fn nothing_breaks_out(
            findings in proptest::collection::vec((proptest::array::uniform7(texts()), any::<Option<u32>>()), 0..3),
            names in proptest::array::uniform6(texts()),
        ) {
            let findings: Vec<Finding> = findings.into_iter().map(|(words, line)| {
                let [rule, message, file, expected, found, by, help] = words;
                Finding {
                    rule, message, line, help,
                    severity: Severity::Critical,
                    file: Some(file), expected: Some(expected), found: Some(found), by: Some(by),
                    ..finding("gosum-mismatch", 1)
                }
            }).collect();
            let mut report = report(Verdict::Fail, findings);
            let [name, root, by, version, component, at] = names;
            report.sumdbs[0].name = name;
            report.sumdbs[0].root_hash = root;
            report.sumdbs[0].skipped_by = Some(by.clone());
            report.repositories = vec![repository(&report.sumdbs[0].name)];
            report.repositories[0].roles[0].expires = by.clone();
            (report.tool.version, report.tool.component, report.checked_at) = (version, component, at);
            let seen = assert_ours(&show(&report));
            let has = |text: String| seen.cells.contains(&text);
            for finding in &report.findings {
                prop_assert!(has(cut(&finding.rule)));
                prop_assert!(has(as_prose(&finding.message)));
                prop_assert!(has(cut(finding.expected.as_deref().unwrap())));
                prop_assert!(has(cut(finding.found.as_deref().unwrap())));
                prop_assert!(has(as_prose(finding.by.as_deref().unwrap())));
            }
            prop_assert!(has(cut(&report.sumdbs[0].root_hash)));
            let skipped = format!("Not asked of {}: what {} covers.", cut(&report.sumdbs[0].name), cut(&by));
            prop_assert!(has(skipped));
        }
    }
}
