//! Reports to show in tests.

use modanchor_core::report::{
    BytesCounts, Counts, Finding, Floor, Report, RepositorySummary, RoleSummary, SCHEMA, SeverityCounts, SumdbSummary,
    Tool, Verdict, rules,
};

use super::Shown;

pub(crate) const HASH: &str = "h1:ScX5w1eTa3QqT8oi6+ziP7dTV1S2+ALU0bI+0zXKWiQ=";
pub(crate) const OTHER: &str = "h1:olpwvP2KacW1ZWvsR7uQhoyTYvKAupfQrRGBFM352Gk=";
pub(crate) const MODULE: &str = "golang.org/x/text";
pub(crate) const BY: &str = "sum.golang.org record 21,345,678 in tree 71848828";

pub(crate) fn go_sum() -> String {
    format!(
        "{MODULE} v0.14.0 {HASH}\n{MODULE} v0.14.0/go.mod {OTHER}\n{MODULE} v0.14.0 {OTHER}\n\
         <<<<<<< HEAD\n{MODULE} v0.15.0 sha256:00ff\ncorp.example/private v1.0.0 {HASH}\n"
    )
}

pub(crate) fn finding(rule: &str, line: impl Into<Option<u32>>) -> Finding {
    let known = rules::find(rule).unwrap();
    let line = line.into();
    let text = line.map(|line| go_sum().lines().nth(line as usize - 1).unwrap().to_owned());
    let column = text.as_deref().map(|text| text.rfind(' ').map_or(1, |at| at as u32 + 2));
    Finding {
        rule: rule.to_owned(),
        severity: known.severity,
        message: format!("{MODULE} v0.14.0: {}", known.title.to_lowercase()),
        file: Some("sub/go.sum".to_owned()),
        line,
        column,
        end_column: text.as_deref().map(|text| text.len() as u32 + 1),
        module: Some(MODULE.to_owned()),
        version: Some("v0.14.0".to_owned()),
        expected: None,
        found: None,
        by: None,
        help: "compare what you have with what `modanchor lookup golang.org/x/text@v0.14.0` prints, and find out \
               how this line came into the file"
            .to_owned(),
        fingerprint: "0".repeat(64),
    }
}

pub(crate) fn report(verdict: Verdict, findings: Vec<Finding>) -> Report {
    let mut counts = SeverityCounts::default();
    for finding in &findings {
        counts.add(finding.severity);
    }
    Report {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: "modanchor".to_owned(), version: "0.1.0".to_owned(), component: "sha256:00".to_owned() },
        checked_at: "2026-11-22T00:00:00Z".to_owned(),
        verdict,
        sumdbs: vec![SumdbSummary {
            name: "sum.golang.org".to_owned(),
            tree_size: 71_848_828,
            root_hash: "AAAA".to_owned(),
            requests: 12,
            skipped_by: None,
            floor: Floor::None,
        }],
        repositories: Vec::new(),
        trusted_roots: Vec::new(),
        artifacts: Vec::new(),
        files: Vec::new(),
        modules: Vec::new(),
        findings,
        counts: Counts {
            modules: 3,
            lines: 969,
            verified: 969,
            skipped: 0,
            unchecked: 0,
            bytes: BytesCounts { zip: 212, dir: 210, go_mod: 480, vendor: 0, absent: 2 },
            findings: counts,
            ignored: 0,
            approved: 0,
            uncovered: 0,
            grades: Default::default(),
        },
    }
}

/// One finding of every rule, as the core may make it.
pub(crate) fn every_rule() -> Vec<Finding> {
    let expects = |finding: Finding, expected: &str, found: &str, by: &str| Finding {
        expected: Some(expected.to_owned()),
        found: Some(found.to_owned()),
        by: Some(by.to_owned()),
        ..finding
    };
    rules::ALL
        .iter()
        .map(|rule| match rule.id {
            "gosum-mismatch" => expects(finding(rule.id, 1), OTHER, HASH, BY),
            "gosum-conflict" => expects(finding(rule.id, 3), HASH, OTHER, "line 1"),
            "gosum-malformed" => finding(rule.id, 4),
            "gosum-unknown-hash" => expects(finding(rule.id, 5), "h1:…", "sha256:00ff", "cmd/go"),
            "gosum-missing" => {
                Finding { file: Some("sub/go.mod".to_owned()), line: None, column: None, ..finding(rule.id, None) }
            }
            "sumdb-bad-signature" | "sumdb-bad-proof" | "sumdb-no-line" => finding(rule.id, 2),
            "sumdb-fork" | "sumdb-stale" => Finding {
                file: None,
                module: None,
                version: None,
                ..expects(
                    finding(rule.id, None),
                    "tree 71848828 with root AAAA",
                    "tree 71848828 with root BBBB",
                    "the newest head of an earlier run",
                )
            },
            "sumdb-skipped" | "sumdb-unknown-module" | "unchecked" => finding(rule.id, 6),
            _ => Finding { file: None, ..finding(rule.id, None) },
        })
        .collect()
}

/// As the core hands it over, and as renderers read it.
pub(crate) fn shown(report: &Report) -> Shown {
    serde_json::from_slice(&serde_json::to_vec(report).unwrap()).unwrap()
}

/// What a repository says of itself.
pub(crate) fn repository(name: &str) -> RepositorySummary {
    let role = |name: &str, version, day: &str| RoleSummary {
        name: name.to_owned(),
        version,
        expires: format!("2026-12-{day}T00:00:00Z"),
    };
    RepositorySummary {
        name: name.to_owned(),
        roles: vec![
            role("root", 3, "31"),
            role("timestamp", 412, "01"),
            role("snapshot", 97, "02"),
            role("targets", 41, "03"),
        ],
        requests: 5,
        floor: Floor::Cached,
    }
}
