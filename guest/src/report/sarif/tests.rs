use std::borrow::Cow;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::report::{
    Counts, FileSummary, Floor, Grade, ModuleSummary, SCHEMA, SeverityCounts, SumdbSummary, Tool as ReportTool,
};

const HASH: &str = "h1:ScX5w1eTa3QqT8oi6+ziP7dTV1S2+ALU0bI+0zXKWiQ=";
const OTHER: &str = "h1:olpwvP2KacW1ZWvsR7uQhoyTYvKAupfQrRGBFM352Gk=";
const MODULE: &str = "golang.org/x/text";

fn finding(rule: &Rule, line: u32) -> Finding {
    Finding {
        rule: rule.id.to_owned(),
        severity: rule.severity,
        message: format!("{MODULE} v0.14.0: {}", rule.title.to_lowercase()),
        file: Some("go.sum".to_owned()),
        line: Some(line),
        column: Some(27),
        end_column: Some(27 + HASH.len() as u32),
        module: Some(MODULE.to_owned()),
        version: Some("v0.14.0".to_owned()),
        expected: Some(HASH.to_owned()),
        found: Some(OTHER.to_owned()),
        by: Some("sum.golang.org record 21345678".to_owned()),
        help: "find out who changed this line".to_owned(),
        fingerprint: format!("{line:064x}"),
    }
}

fn report(findings: Vec<Finding>) -> Report {
    let mut counts = SeverityCounts::default();
    for finding in &findings {
        counts.add(finding.severity);
    }
    let file = |path: &str, kind: &str| FileSummary {
        path: path.to_owned(),
        kind: kind.to_owned(),
        sha256: "ab".repeat(32),
        lines: 100,
    };
    let line = |line, status| LineSummary {
        file: "go.sum".into(),
        line,
        of: Of::Zip,
        hash: if status == LineStatus::Verified { HASH } else { OTHER }.into(),
        status,
        record: Some(21_345_678),
    };
    Report {
        schema: SCHEMA.to_owned(),
        tool: ReportTool {
            name: "modanchor".to_owned(),
            version: "0.1.0".to_owned(),
            component: format!("sha256:{}", "0c".repeat(32)),
        },
        checked_at: "2026-11-27T08:00:00Z".to_owned(),
        verdict: if findings.is_empty() { Verdict::Pass } else { Verdict::Fail },
        repositories: Vec::new(),
        trusted_roots: Vec::new(),
        artifacts: Vec::new(),
        sumdbs: vec![SumdbSummary {
            name: "sum.golang.org".to_owned(),
            tree_size: 71_848_828,
            root_hash: "fjfD8Bl5m0OQcV9RVzPLMIFuqmTDbmuYkUmNjmSMYho=".to_owned(),
            requests: 38,
            skipped_by: None,
            floor: Floor::Cached,
        }],
        files: vec![file("go.mod", "go.mod"), file("go.sum", "go.sum")],
        modules: vec![ModuleSummary {
            path: MODULE.into(),
            version: "v0.14.0".into(),
            grade: Grade::Unverified,
            record: Some(21_345_678),
            lines: vec![line(1, LineStatus::Mismatch), line(2, LineStatus::Verified)],
            bytes: Vec::new(),
            signatures: Vec::new(),
            targets: Vec::new(),
            rulings: Vec::new(),
        }],
        findings,
        counts: Counts { lines: 100, modules: 1, findings: counts, ..Counts::default() },
    }
}

fn every_rule() -> Report {
    report(rules::ALL.iter().zip(1..).map(|(rule, line)| finding(rule, line)).collect())
}

fn parse(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn options() -> Options {
    Options::new(Places::default())
}

fn results(report: &Report, options: &Options) -> Vec<Value> {
    parse(&render(report, options))["runs"][0]["results"].as_array().unwrap().clone()
}

/// The files that `.ci/run` also hands to Microsoft's validator. `UPDATE_DOCS=1` writes them.
#[test]
fn golden_files() {
    let mut hostile = report(vec![
        Finding {
            message: "a [link](https://example.com) and {0}\u{202e}\u{0}".to_owned(),
            file: Some("a: b/%2e\n/go.sum".to_owned()),
            module: Some("[x](1)".to_owned()),
            found: Some("x".repeat(MAX_TEXT + 1)),
            ..finding(&rules::gosum_mismatch::RULE, 7)
        },
        Finding { file: None, line: None, column: None, end_column: None, ..finding(&rules::sumdb_fork::RULE, 8) },
        Finding { line: None, column: None, end_column: None, ..finding(&rules::gosum_missing::RULE, 9) },
    ]);
    hostile.counts.findings.note = 3;
    let folder = Options::new(Places::new("services/api", Default::default()));
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sarif");
    for (name, report, options) in [("every-rule", every_rule(), options()), ("hostile", hostile, folder)] {
        let pretty = serde_json::to_string_pretty(&parse(&render(&report, &options))).unwrap() + "\n";
        let file = dir.join(format!("{name}.sarif"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&file, &pretty).unwrap();
        }
        // Not assert_eq: nobody wants to read two files of this size in a log.
        assert!(
            fs::read_to_string(&file).unwrap() == pretty,
            "{name}: run the tests with UPDATE_DOCS=1, and see the diff"
        );
    }
}

/// What GitHub asks of every rule ("SARIF support for code scanning").
#[test]
fn every_rule_has_what_github_wants() {
    let log = parse(&render(&report(Vec::new()), &options()));
    let listed = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(listed.len(), rules::ALL.len());
    for (value, rule) in listed.iter().zip(rules::ALL) {
        assert_eq!(value["id"], rule.id);
        for text in ["shortDescription", "fullDescription", "help"] {
            let text = value[text]["text"].as_str().unwrap();
            assert!(!text.is_empty(), "{}", rule.id);
        }
        assert!(value["fullDescription"]["text"].as_str().unwrap().chars().count() <= 1024, "{}", rule.id);
        assert!(value["shortDescription"]["text"].as_str().unwrap().chars().count() <= 1024, "{}", rule.id);
        let properties = &value["properties"];
        let score: f64 = properties["security-severity"].as_str().unwrap().parse().unwrap();
        let named = match score {
            score if score > 9.0 => Severity::Critical,
            score if score >= 7.0 => Severity::High,
            score if score >= 4.0 => Severity::Medium,
            score if score >= 1.0 => Severity::Low,
            _ => Severity::Note,
        };
        assert_eq!(named, rule.severity, "{}", rule.id);
        assert!(properties["tags"].as_array().unwrap().contains(&"security".into()));
        assert!(["very-high", "high", "medium", "low"].contains(&properties["precision"].as_str().unwrap()));
    }
}

#[test]
fn a_result_points_at_the_characters() {
    let places = Places::new("services/api", [("b/go.sum".to_owned(), "shared/go.sum".to_owned())].into());
    let mut report = every_rule();
    report.findings = vec![
        finding(&rules::gosum_mismatch::RULE, 1),
        Finding { file: Some("b/go.sum".to_owned()), ..finding(&rules::gosum_mismatch::RULE, 3) },
        Finding { line: None, column: None, end_column: None, ..finding(&rules::gosum_missing::RULE, 1) },
        Finding { end_column: Some(1), ..finding(&rules::gosum_missing::RULE, 1) },
    ];
    let results = results(&report, &Options::new(places));
    let at = |number: usize| &results[number]["locations"][0]["physicalLocation"];
    assert_eq!(at(0)["artifactLocation"]["uri"], "services/api/go.sum");
    assert_eq!(at(0)["region"], serde_json::json!({"startLine":1,"startColumn":27,"endLine":1,"endColumn":74}));
    assert_eq!(results[0]["partialFingerprints"]["primaryLocationLineHash"], format!("{:064x}", 1));
    assert_eq!(at(1)["artifactLocation"]["uri"], "shared/go.sum");
    assert_eq!(at(2)["region"], serde_json::json!({"startLine":1,"startColumn":1,"endLine":1,"endColumn":2}));
    assert_eq!(at(3)["region"]["endColumn"], 28, "never empty");
    // Line 1 itself is no relation of its own; the other line of the version is.
    let related = results[0]["relatedLocations"].as_array().unwrap();
    assert_eq!(related.len(), 1);
    assert_eq!(related[0]["physicalLocation"]["region"]["startLine"], 2);
    assert!(related[0]["message"]["text"].as_str().unwrap().contains(HASH));
}

#[test]
fn a_finding_about_no_file_goes_to_the_first_go_sum() {
    let mut report = report(vec![Finding { file: None, line: None, ..finding(&rules::sumdb_fork::RULE, 1) }]);
    let at = |results: &[Value]| results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
    assert_eq!(at(&results(&report, &options())), "go.sum");
    report.files.retain(|file| file.kind == "go.mod");
    assert_eq!(at(&results(&report, &options())), "go.mod");
    report.files.clear();
    let log = parse(&render(&report, &options()));
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    let notification = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!((&notification["level"], &notification["descriptor"]["id"]), (&"error".into(), &"no-file".into()));
}

#[test]
fn the_worst_come_first_and_what_is_cut_is_said() {
    let mut many: Vec<Finding> =
        (0..MAX_RESULTS as u32).map(|line| finding(&rules::gosum_missing::RULE, line + 1)).collect();
    many.push(finding(&rules::gosum_mismatch::RULE, 99_999));
    let report = report(many);
    let log = parse(&render(&report, &options()));
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), MAX_RESULTS);
    assert_eq!(results[0]["ruleId"], "gosum-mismatch");
    let notification = &run["invocations"][0]["toolExecutionNotifications"][0];
    assert_eq!(notification["descriptor"]["id"], "cut");
    assert!(notification["message"]["text"].as_str().unwrap().starts_with("1 of 25001 findings"));
    let fewer = Options { max_results: 2, ..options() };
    let log = parse(&render(&report, &fewer));
    let results: Vec<&str> =
        log["runs"][0]["results"].as_array().unwrap().iter().filter_map(|r| r["ruleId"].as_str()).collect();
    assert_eq!(results, ["gosum-mismatch", "gosum-missing"]);
    let nothing_cut = parse(&render(&every_rule(), &options()));
    assert_eq!(nothing_cut["runs"][0]["invocations"][0].get("toolExecutionNotifications"), None);
}

#[test]
fn limits() {
    let long = "x".repeat(MAX_TEXT);
    assert_eq!(plain(&long), long);
    assert_eq!(plain(&format!("{long}y")), format!("{long}…"));
    let mut report = every_rule();
    let lines: Vec<LineSummary<'static>> = (0..=MAX_RELATED as u32 + 1)
        .map(|line| LineSummary { line: line + 1, ..report.modules[0].lines[1].clone() })
        .collect();
    report.modules[0].lines = lines;
    let results = results(&report, &options());
    assert_eq!(results[0]["relatedLocations"].as_array().unwrap().len(), MAX_RELATED);
    let wordy = Options { category: "c".repeat(MAX_CATEGORY + 1), ..options() };
    let log = parse(&render(&report, &wordy));
    let id = log["runs"][0]["automationDetails"]["id"].as_str().unwrap();
    assert_eq!(id, format!("{}/", "c".repeat(MAX_CATEGORY)));
}

#[test]
fn a_run_that_could_not_check_everything_says_so() {
    for (verdict, want) in [(Verdict::Pass, true), (Verdict::Fail, true), (Verdict::Incomplete, false)] {
        let report = Report { verdict, ..every_rule() };
        let log = parse(&render(&report, &options()));
        assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], want, "{verdict:?}");
    }
}

#[test]
fn uris() {
    for (path, want) in [
        ("go.sum", "go.sum"),
        ("a b/ü/go.sum", "a%20b/%C3%BC/go.sum"),
        ("javascript:x", "javascript%3Ax"),
        ("a%2fb", "a%252fb"),
        ("x?y#z", "x%3Fy%23z"),
    ] {
        assert_eq!(uri(path), want);
    }
}

/// A viewer's reading of a text: placeholders undone, and the links in it.
fn read(text: &str) -> (String, bool) {
    let undoubled = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
    assert!(!undoubled.contains(['{', '}']), "a placeholder: {text}");
    let text = undoubled.replace('\u{1}', "{").replace('\u{2}', "}");
    let mut out = String::new();
    let (mut open, mut link) = (false, false);
    let mut chars = text.chars().peekable();
    let escaped = text.contains("\\[") || text.contains("\\]");
    while let Some(c) = chars.next() {
        match c {
            '\\' if escaped => out.extend(chars.next()),
            '[' => {
                open = true;
                out.push(c);
            }
            ']' => {
                link |= open && chars.peek() == Some(&'(');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    (out, link)
}

proptest! {
    #[test]
    fn no_text_becomes_a_link_or_a_placeholder(text in r"(?s)([\[\](){}\\0x]|.){0,60}") {
        let shown = plain(&text);
        let (back, link) = read(&shown);
        prop_assert!(!link, "{shown}");
        let visible: Vec<Cow<'_, str>> = text.split('\n').map(escape).collect();
        prop_assert_eq!(back, visible.join("\n"));
    }

    #[test]
    fn any_finding_is_a_valid_result(
        words in proptest::array::uniform6(any::<String>()),
        line in any::<Option<u32>>(),
        column in any::<Option<u32>>(),
        end_column in any::<Option<u32>>(),
    ) {
        let [rule, message, file, module, found, category] = words;
        let mut report = every_rule();
        report.findings = vec![Finding {
            rule, message, line, column, end_column,
            file: Some(file), module: Some(module), found: Some(found),
            ..finding(&rules::gosum_mismatch::RULE, 1)
        }];
        let options = Options { category, ..options() };
        let bytes = render(&report, &options);
        prop_assert_eq!(&bytes, &render(&report, &options), "the same bytes");
        let log = parse(&bytes);
        let result = &log["runs"][0]["results"][0];
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let number = |key: &str| region[key].as_u64().unwrap();
        prop_assert!(number("startLine") >= 1 && number("startLine") == number("endLine"));
        prop_assert!(number("startColumn") >= 1 && number("endColumn") >= number("startColumn"));
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        prop_assert!(uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)));
    }
}
