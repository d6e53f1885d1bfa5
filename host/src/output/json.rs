//! `json`: the report as the core wrote it, byte for byte, with a final newline (docs/report.md). Where a runner reads
//! stdout along, a bracket may be written in another way.

use std::borrow::Cow;
use std::io::{self, Write};

use super::workflow;

/// Writes the report.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &[u8], out: &mut dyn Write) -> io::Result<()> {
    out.write_all(report)?;
    out.write_all(b"\n")
}

/// The same document, of which no line is a command for a runner that reads along: where the report holds what would be
/// one, a bracket in a string becomes `\u005b`.
pub(crate) fn defused(report: Vec<u8>) -> Vec<u8> {
    match std::str::from_utf8(&report).map(workflow::defuse_json) {
        Ok(Cow::Owned(inert)) => inert.into_bytes(),
        // What is not UTF-8 is no JSON and none of the core's.
        Ok(Cow::Borrowed(_)) | Err(_) => report,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use modanchor_core::contract::PolicyGrade;
    use modanchor_core::policy::judge::{Condition, Ruling};
    use modanchor_core::report::{
        ArtifactSummary, BytesCounts, BytesStatus, BytesSummary, Counts, FileSummary, Finding, Floor, Grade,
        LineStatus, LineSummary, ModuleSummary, Of, Report, RepositorySummary, RoleSummary, SCHEMA, Severity,
        SeverityCounts, SignatureStatus, SignatureSummary, SumdbSummary, TargetStatus, TargetSummary, Tool,
        TrustedRootSummary, Verdict, What,
    };
    use serde_json::Value;

    use super::*;

    fn signature() -> SignatureSummary {
        let text = String::new;
        SignatureSummary {
            origin: text(),
            status: SignatureStatus::Verified,
            root: None,
            identity: None,
            issuer: None,
            predicate_type: None,
            joined_by: None,
            builder: None,
            source_repository: None,
            source_ref: None,
            provable_level: None,
            logged: vec![text()],
            promised: vec![text()],
            times: vec![text()],
        }
    }

    /// A report in which no list is empty, so that it shows every key.
    fn full() -> Report {
        let text = String::new;
        Report {
            schema: SCHEMA.to_owned(),
            tool: Tool { name: text(), version: text(), component: text() },
            checked_at: text(),
            verdict: Verdict::Pass,
            sumdbs: vec![SumdbSummary {
                name: text(),
                tree_size: 0,
                root_hash: text(),
                requests: 0,
                skipped_by: None,
                floor: Floor::None,
            }],
            trusted_roots: vec![TrustedRootSummary {
                name: text(),
                set_by: text(),
                refreshed: false,
                sha256: text(),
                expires: None,
            }],
            artifacts: vec![ArtifactSummary { name: text(), sha256: text(), signatures: vec![signature()] }],
            repositories: vec![RepositorySummary {
                name: text(),
                roles: vec![RoleSummary { name: "root".to_owned(), version: 1, expires: text() }],
                requests: 0,
                floor: Floor::None,
            }],
            files: vec![FileSummary { path: text(), kind: text(), sha256: text(), lines: 0 }],
            modules: vec![ModuleSummary {
                path: "".into(),
                version: "".into(),
                grade: Grade::Verified,
                record: None,
                lines: vec![LineSummary {
                    file: "".into(),
                    line: 1,
                    of: Of::Zip,
                    hash: "".into(),
                    status: LineStatus::Verified,
                    record: None,
                }],
                bytes: vec![BytesSummary { what: What::Zip, status: BytesStatus::Verified, hash: None }],
                signatures: vec![signature()],
                rulings: vec![Ruling {
                    path: text(),
                    rule: None,
                    name: text(),
                    grade: PolicyGrade::Verified,
                    required: PolicyGrade::Unverified,
                    by_baseline: false,
                    satisfied: true,
                    attestation: None,
                    conditions: vec![Condition {
                        what: "".into(),
                        needed_for: PolicyGrade::Trusted,
                        held: false,
                        expected: text(),
                        found: text(),
                    }],
                }],
                targets: vec![TargetSummary {
                    repository: text(),
                    path: text(),
                    status: TargetStatus::Approved,
                    role: None,
                    version: None,
                    expires: None,
                    hash: None,
                    provenance: None,
                }],
            }],
            findings: vec![Finding {
                rule: text(),
                severity: Severity::Note,
                message: text(),
                file: None,
                line: None,
                column: None,
                end_column: None,
                module: None,
                version: None,
                expected: None,
                found: None,
                by: None,
                help: text(),
                fingerprint: text(),
            }],
            counts: Counts {
                modules: 0,
                lines: 0,
                verified: 0,
                skipped: 0,
                unchecked: 0,
                bytes: BytesCounts::default(),
                findings: SeverityCounts::default(),
                ignored: 0,
                approved: 0,
                uncovered: 0,
                grades: Default::default(),
            },
        }
    }

    #[test]
    fn a_runner_finds_no_command() {
        let plain = serde_json::to_vec(&full()).unwrap();
        assert_eq!(defused(plain.clone()), plain);
        let mut report = full();
        report.findings[0].message = "##[stop-commands]x".to_owned();
        let bytes = serde_json::to_vec(&report).unwrap();
        let inert = String::from_utf8(defused(bytes)).unwrap();
        assert_eq!(workflow::runner::commands(&inert), []);
        assert_eq!(serde_json::from_str::<Report>(&inert).unwrap(), report);
    }

    /// The schema says of every object exactly the keys that it has, all required.
    fn compare(value: &Value, schema: &Value, at: &str) {
        match value {
            Value::Object(object) => {
                assert_eq!(schema["type"], "object", "{at}");
                assert_eq!(schema["additionalProperties"], false, "{at}");
                let keys: BTreeSet<&str> = object.keys().map(String::as_str).collect();
                let properties = schema["properties"].as_object().unwrap();
                assert_eq!(properties.keys().map(String::as_str).collect::<BTreeSet<_>>(), keys, "{at}");
                let required = schema["required"].as_array().unwrap();
                assert_eq!(required.iter().filter_map(Value::as_str).collect::<BTreeSet<_>>(), keys, "{at}");
                for (key, value) in object {
                    compare(value, &properties[key], &format!("{at}/{key}"));
                }
            }
            Value::Array(items) => {
                assert_eq!(schema["type"], "array", "{at}");
                for item in items {
                    compare(item, &schema["items"], at);
                }
            }
            Value::Null => assert!(schema["type"].as_array().unwrap().contains(&"null".into()), "{at}"),
            Value::Number(_) => assert_eq!(schema["type"], "integer", "{at}"),
            Value::String(text) => match &schema["enum"] {
                Value::Array(words) => {
                    assert!(words.contains(&text.as_str().into()), "{at}: {text}")
                }
                _ => assert!(schema["type"] == "string" || schema.get("const").is_some(), "{at}"),
            },
            Value::Bool(_) => assert_eq!(schema["type"], "boolean", "{at}"),
        }
    }

    #[test]
    fn the_schema_is_the_report() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
        let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let mut report = full();
        report.files[0].kind = "go.sum".to_owned();
        compare(&serde_json::to_value(&report).unwrap(), &schema, "");
        assert_eq!(schema["properties"]["schema"]["const"], SCHEMA);
    }

    #[test]
    fn every_word_of_the_report_is_in_the_schema() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
        let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let words = |pointer: &str| schema.pointer(pointer).unwrap()["enum"].clone();
        let verdicts = [Verdict::Pass, Verdict::Fail, Verdict::Incomplete];
        assert_eq!(words("/properties/verdict"), serde_json::to_value(verdicts).unwrap());
        let severities = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Note];
        assert_eq!(words("/properties/findings/items/properties/severity"), serde_json::to_value(severities).unwrap());
        let floors = [Floor::None, Floor::Cached, Floor::Pinned];
        assert_eq!(words("/properties/sumdbs/items/properties/floor"), serde_json::to_value(floors).unwrap());
        let targets = [
            TargetStatus::Approved,
            TargetStatus::Waived,
            TargetStatus::Mismatch,
            TargetStatus::Revoked,
            TargetStatus::Unapproved,
            TargetStatus::Unchecked,
        ];
        let target = "/properties/modules/items/properties/targets/items/properties/status";
        assert_eq!(words(target), serde_json::to_value(targets).unwrap());
        let grades = [Grade::Trusted, Grade::Verified, Grade::Unverified];
        assert_eq!(words("/properties/modules/items/properties/grade"), serde_json::to_value(grades).unwrap());
        let signatures = [SignatureStatus::Verified, SignatureStatus::Refused, SignatureStatus::Unchecked];
        for of in ["modules", "artifacts"] {
            let status = format!("/properties/{of}/items/properties/signatures/items/properties/status");
            assert_eq!(words(&status), serde_json::to_value(signatures).unwrap(), "{of}");
        }
        let line = "/properties/modules/items/properties/lines/items/properties";
        let statuses = [
            LineStatus::Verified,
            LineStatus::Mismatch,
            LineStatus::Skipped,
            LineStatus::Unchecked,
            LineStatus::Unknown,
        ];
        assert_eq!(words(&format!("{line}/status")), serde_json::to_value(statuses).unwrap());
        assert_eq!(words(&format!("{line}/of")), serde_json::to_value([Of::Zip, Of::GoMod]).unwrap());
    }

    #[test]
    fn bytes_pass_through() {
        let mut out = Vec::new();
        write(b"{ \"a\" :1}", &mut out).unwrap();
        assert_eq!(out, b"{ \"a\" :1}\n");
    }
}
