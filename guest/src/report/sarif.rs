//! `sarif`: the report as SARIF 2.1.0, as GitHub's code scanning reads it.
//!
//! Written by the core, so that the program, the Action and a page give the same bytes for the same report.
//!
//! Sources: the [OASIS standard](https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html) (sections are named
//! below), and GitHub's "SARIF support for code scanning" for what it requires and where it cuts.
//!
//! # Security
//!
//! A viewer gives meaning to parts of a text: `[text](target)` is a link (section 3.11.6) and `{0}` a placeholder
//! (3.11.5). Texts of findings hold names from the checkout and from servers, so all of them go through `plain`,
//! which leaves neither. Paths become percent-encoded relative URIs, which cannot climb out of the repository or name
//! a scheme. Nothing here judges: what is cut is said in a notification and counted.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::visible::escape;
use super::{Finding, LineStatus, LineSummary, Of, Places, Report, Rule, Severity, Verdict, rules};
use crate::sort::sort_by;

/// The most results that GitHub reads of one run. It shows 5,000 of them.
pub const MAX_RESULTS: usize = 25_000;

/// The largest file that GitHub accepts, in bytes after gzip.
pub const MAX_GZIP_BYTES: usize = 10_000_000;

/// The longest single text of a finding, in characters: what a hostile file puts into a name cannot fill the file.
pub const MAX_TEXT: usize = 4_000;

/// The longest [`Options::category`], in characters.
pub const MAX_CATEGORY: usize = 200;

/// The most related locations of one result. GitHub reads 1,000.
pub const MAX_RELATED: usize = 10;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const HOME: &str = "https://github.com/modanchor/modanchor";

/// What a report does not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Tells apart several analyses of one commit, such as those of two folders: `automationDetails.id` is
    /// `CATEGORY/`. GitHub refuses two uploads with the same one. At most [`MAX_CATEGORY`] characters.
    pub category: String,
    /// Where the report's files lie in the repository.
    pub places: Places,
    /// How many results to write, the most severe first; never more than [`MAX_RESULTS`].
    pub max_results: usize,
}

impl Options {
    /// `modanchor`, or `modanchor/FOLDER` if a folder of the repository was judged.
    pub fn new(places: Places) -> Self {
        let category = format!("modanchor/{}", places.prefix());
        Self { category: category.trim_end_matches('/').to_owned(), places, max_results: MAX_RESULTS }
    }
}

/// Writes a report as SARIF: compact UTF-8 JSON, the same bytes for the same report and options.
///
/// Results are sorted by severity, the worst first, then as in the report. A finding about no file is a result on the
/// first file that was judged; where there is none, it is a notification.
pub fn render(report: &Report, options: &Options) -> Vec<u8> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    // Stable: the report's order within one severity.
    sort_by(&mut findings, |a, b| b.severity.cmp(&a.severity));
    let shown = options.max_results.min(MAX_RESULTS).min(findings.len());
    let known = Known::of(report);
    let mut results = Vec::with_capacity(shown);
    let mut notifications = Vec::new();
    for finding in &findings[..shown] {
        match known.result(finding, options) {
            Some(result) => results.push(result),
            None => notifications.push(Notification::new(level(finding.severity), "no-file", message(finding))),
        }
    }
    let all = report.counts.findings.total();
    let cut = all.saturating_sub(shown as u64);
    if cut > 0 {
        let text = format!("{cut} of {all} findings, the least severe, are not in this file; the report counts them.");
        notifications.push(Notification::new("warning", "cut", text));
    }
    let category: String = escape(&options.category).chars().take(MAX_CATEGORY).collect();
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver: Driver::of(report) },
            automation_details: Id { id: format!("{category}/") },
            invocations: [Invocation {
                execution_successful: report.verdict != Verdict::Incomplete,
                end_time_utc: &report.checked_at,
                tool_execution_notifications: notifications,
            }],
            column_kind: "unicodeCodePoints",
            original_uri_base_ids: BaseIds {
                root: Base { description: Text { text: "The root of the repository.".into() } },
            },
            artifacts: report.files.iter().map(|file| Artifact::of(file, options)).collect(),
            results,
            properties: Properties {
                verdict: report.verdict,
                component: &report.tool.component,
                sumdbs: &report.sumdbs,
                counts: &report.counts,
            },
        }],
    };
    // The types above serialise whatever is in them; a failure would be a defect of theirs.
    serde_json::to_vec(&log).unwrap_or_default()
}

/// What is looked up for many findings.
struct Known<'a> {
    /// The first file, preferring one that holds hashes.
    first: Option<&'a str>,
    /// The lines that name a module version.
    lines: BTreeMap<(&'a str, &'a str), &'a [LineSummary<'a>]>,
}

impl<'a> Known<'a> {
    fn of(report: &'a Report) -> Self {
        let sums = report.files.iter().filter(|file| file.kind == "go.sum");
        let first = sums.chain(&report.files).next().map(|file| file.path.as_str());
        let lines = report
            .modules
            .iter()
            .map(|module| ((module.path.as_ref(), module.version.as_ref()), module.lines.as_slice()))
            .collect();
        Self { first, lines }
    }

    fn result<'b>(&self, finding: &'b Finding, options: &Options) -> Option<SarifResult<'b>> {
        let file = finding.file.as_deref().or(self.first)?;
        let rule_index = rules::ALL.binary_search_by(|rule| rule.id.cmp(&finding.rule)).ok();
        Some(SarifResult {
            rule_id: &finding.rule,
            rule_index,
            level: level(finding.severity),
            message: Text { text: message(finding).into() },
            locations: [Location {
                id: None,
                physical_location: PhysicalLocation::of(file, Region::of(finding), options),
                message: None,
            }],
            related_locations: self.related(finding, options),
            partial_fingerprints: PartialFingerprints { primary: &finding.fingerprint },
            properties: ResultProperties {
                severity: finding.severity,
                module: finding.module.as_deref().map(plain),
                version: finding.version.as_deref().map(plain),
            },
        })
    }

    /// The other lines that speak of the same module version: what they say tells a wrong line from a wrong world.
    fn related(&self, finding: &Finding, options: &Options) -> Vec<Location<'static>> {
        let (Some(module), Some(version)) = (finding.module.as_deref(), finding.version.as_deref()) else {
            return Vec::new();
        };
        let lines = self.lines.get(&(module, version)).copied().unwrap_or_default();
        lines
            .iter()
            .filter(|line| Some(line.file.as_ref()) != finding.file.as_deref() || Some(line.line) != finding.line)
            .take(MAX_RELATED)
            .zip(1..)
            .map(|(line, id)| Location {
                id: Some(id),
                physical_location: PhysicalLocation::of(&line.file, Region::line(line.line), options),
                message: Some(Text { text: says(line).into() }),
            })
            .collect()
    }
}

/// What a line says, and whether that is so.
fn says(line: &LineSummary<'_>) -> String {
    let of = match line.of {
        Of::Zip => "zip",
        Of::GoMod => "go.mod",
    };
    let status = match line.status {
        LineStatus::Verified => "as the checksum database has it",
        LineStatus::Mismatch => "not as the checksum database has it",
        LineStatus::Skipped => "not asked about",
        LineStatus::Unchecked => "could not be checked",
        LineStatus::Unknown => "unknown to the checksum database",
    };
    format!("The {of} of the same version: {}, {status}.", plain(&line.hash))
}

/// SARIF's levels (section 3.27.10), as GitHub shows them.
fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Note => "note",
    }
}

/// GitHub's `security-severity`: above 9.0 is critical, from 7.0 high, from 4.0 medium, above 0 low.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Note => "0.5",
    }
}

/// GitHub's `problem.severity`.
fn problem_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Note => "recommendation",
    }
}

/// How often a finding of this rule is right. What rests on a signature or a hash is right but for a broken hash; what
/// could not be checked, or may be meant so, is worth a look.
fn precision(rule: &Rule) -> &'static str {
    match rule.severity {
        _ if rule.incomplete => "medium",
        Severity::Critical => "very-high",
        _ => "high",
    }
}

/// The whole of a finding in one text: GitHub shows nothing else on the line.
fn message(finding: &Finding) -> String {
    let mut text = sentence(&finding.message);
    for (label, part) in [("Expected", &finding.expected), ("Found", &finding.found), ("By", &finding.by)] {
        if let Some(part) = part {
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{label}: {}", plain(part));
        }
    }
    if !finding.help.is_empty() {
        let _ = write!(text, "\nWhat to do: {}", sentence(&finding.help));
    }
    text
}

/// With a capital and a full stop, as viewers show texts among those of other tools.
fn sentence(text: &str) -> String {
    let text = plain(text);
    let mut chars = text.chars();
    // A text that begins with a name, such as `go.sum`, keeps it.
    let first_word = text.split(' ').next().unwrap_or_default();
    let named = first_word.contains(['.', '/', '@', '`']);
    let mut out = match chars.next() {
        Some(first) if !named => first.to_uppercase().collect::<String>() + chars.as_str(),
        _ => text.clone().into_owned(),
    };
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

/// A text that means nothing but itself: what is invisible is shown, a long one is cut, `{` and `}` are doubled (section
/// 3.11.5: otherwise they are placeholders), and no `[…](…)` remains (3.11.6: it would be a link).
fn plain(text: &str) -> Cow<'_, str> {
    let text = match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    };
    let mut out = String::new();
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out.push_str(&escape(line));
    }
    if !out.contains(['{', '}', '[', ']', '\\']) {
        return Cow::Owned(out);
    }
    // Only where there would be a link, or an escape: viewers differ in whether they take backslashes away again.
    let link = ["](", "\\[", "\\]"].iter().any(|syntax| out.contains(syntax));
    let mut safe = String::with_capacity(out.len() + 8);
    for c in out.chars() {
        match c {
            '{' => safe.push_str("{{"),
            '}' => safe.push_str("}}"),
            '[' | ']' | '\\' if link => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// A relative path as a URI reference (RFC 3986, section 4.2): everything but unreserved characters and `/` is encoded,
/// so that no first segment passes for a scheme.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool<'a>,
    automation_details: Id,
    invocations: [Invocation<'a>; 1],
    column_kind: &'static str,
    original_uri_base_ids: BaseIds,
    artifacts: Vec<Artifact<'a>>,
    results: Vec<SarifResult<'a>>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct Tool<'a> {
    driver: Driver<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver<'a> {
    name: &'static str,
    organization: &'static str,
    semantic_version: &'a str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

impl<'a> Driver<'a> {
    fn of(report: &'a Report) -> Self {
        Self {
            name: "modanchor",
            organization: "modanchor",
            semantic_version: &report.tool.version,
            information_uri: HOME,
            rules: rules::ALL.iter().map(|rule| Descriptor::of(rule)).collect(),
        }
    }
}

/// A rule (section 3.49). All of them are listed, so that a viewer can show what was looked for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    /// None where it would be the id but for its case, which the standard does not want (section 3.49.7).
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    short_description: Text<'static>,
    full_description: Text<'static>,
    help: Help,
    help_uri: String,
    default_configuration: Configuration,
    properties: RuleProperties,
}

impl Descriptor {
    fn of(rule: &'static Rule) -> Self {
        let help = format!("{}\n\nWhat to do:\n\n{}", rule.causes, rule.help);
        let markdown = format!("## How it happens\n\n{}\n\n## What to do\n\n{}", rule.causes, rule.help);
        Self {
            id: rule.id,
            name: rule.id.contains('-').then(|| pascal(rule.id)),
            short_description: Text { text: format!("{}.", rule.title).into() },
            full_description: Text { text: rule.description.into() },
            help: Help { text: help, markdown },
            help_uri: format!("{HOME}/blob/main/docs/rules/{}.md", rule.id),
            default_configuration: Configuration { level: level(rule.severity) },
            properties: RuleProperties {
                tags: ["security", "supply-chain", "go", rule.id.split('-').next().unwrap_or(rule.id)],
                precision: precision(rule),
                problem_severity: problem_severity(rule.severity),
                security_severity: security_severity(rule.severity),
            },
        }
    }
}

/// `gosum-mismatch` as `GosumMismatch`.
fn pascal(id: &str) -> String {
    let capital =
        |word: &str| word.get(..1).map(str::to_ascii_uppercase).unwrap_or_default() + &word[1.min(word.len())..];
    id.split('-').map(capital).collect()
}

#[derive(Serialize)]
struct Text<'a> {
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 4],
    precision: &'static str,
    #[serde(rename = "problem.severity")]
    problem_severity: &'static str,
    #[serde(rename = "security-severity")]
    security_severity: &'static str,
}

#[derive(Serialize)]
struct Id {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    end_time_utc: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    descriptor: DescriptorReference,
    message: Text<'static>,
}

impl Notification {
    fn new(level: &'static str, id: &'static str, text: String) -> Self {
        Self { level, descriptor: DescriptorReference { id }, message: Text { text: text.into() } }
    }
}

#[derive(Serialize)]
struct DescriptorReference {
    id: &'static str,
}

#[derive(Serialize)]
struct BaseIds {
    #[serde(rename = "%SRCROOT%")]
    root: Base,
}

#[derive(Serialize)]
struct Base {
    description: Text<'static>,
}

#[derive(Serialize)]
struct Artifact<'a> {
    location: ArtifactLocation,
    roles: [&'static str; 1],
    hashes: Hashes<'a>,
}

impl<'a> Artifact<'a> {
    fn of(file: &'a super::FileSummary, options: &Options) -> Self {
        Self {
            location: ArtifactLocation::of(&file.path, options),
            roles: ["analysisTarget"],
            hashes: Hashes { sha256: &file.sha256 },
        }
    }
}

#[derive(Serialize)]
struct Hashes<'a> {
    #[serde(rename = "sha-256")]
    sha256: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactLocation {
    uri: String,
    uri_base_id: &'static str,
}

impl ArtifactLocation {
    fn of(file: &str, options: &Options) -> Self {
        Self { uri: uri(&options.places.locate(file)), uri_base_id: "%SRCROOT%" }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text<'a>,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'static>>,
    partial_fingerprints: PartialFingerprints<'a>,
    properties: ResultProperties<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

impl PhysicalLocation {
    fn of(file: &str, region: Region, options: &Options) -> Self {
        Self { artifact_location: ArtifactLocation::of(file, options), region }
    }
}

/// One line or part of one, 1-based, the last column excluded, in characters (section 3.30). GitHub wants all four.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

impl Region {
    /// Of a finding; the first character of the file if it is about the file as a whole.
    fn of(finding: &Finding) -> Self {
        let line = finding.line.unwrap_or(1).max(1);
        let start_column = finding.column.unwrap_or(1).max(1);
        let end_column = finding.end_column.unwrap_or(0).max(start_column.saturating_add(1));
        Self { start_line: line, start_column, end_line: line, end_column }
    }

    /// The start of a line.
    fn line(line: u32) -> Self {
        Self { start_line: line.max(1), start_column: 1, end_line: line.max(1), end_column: 2 }
    }
}

/// The only fingerprint that GitHub reads. It is the report's, which does not change when lines move.
#[derive(Serialize)]
struct PartialFingerprints<'a> {
    #[serde(rename = "primaryLocationLineHash")]
    primary: &'a str,
}

#[derive(Serialize)]
struct ResultProperties<'a> {
    severity: Severity,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Properties<'a> {
    verdict: Verdict,
    component: &'a str,
    sumdbs: &'a [super::SumdbSummary],
    counts: &'a super::Counts,
}

#[cfg(test)]
mod tests;
