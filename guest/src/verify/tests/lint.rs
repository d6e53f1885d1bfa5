//! Linting asks for nothing, and ends in a report like any other.

use super::*;
use crate::lint::{Setting, SettingPlace, SettingsFile, Syntax};
use crate::verify::lint::LintJob;

const SCRIPT: &str = "#!/bin/sh\nexport GOSUMDB=off\ngo build -mod=mod\n";

/// A job that the tests vary.
struct Lint {
    files: Vec<SettingsFile>,
    settings: Vec<Setting>,
    fix: bool,
    fail_on: FailOn,
    ignores: Vec<Ignore>,
}

fn lint(files: &[(&str, Syntax, &str)], settings: &[(&str, &str, SettingPlace)], fix: bool) -> Lint {
    let files = files
        .iter()
        .map(|(path, syntax, content)| SettingsFile {
            path: (*path).to_owned(),
            syntax: *syntax,
            content: content.as_bytes().to_vec(),
        })
        .collect();
    let settings = settings
        .iter()
        .map(|(name, value, place)| Setting { name: (*name).to_owned(), value: (*value).to_owned(), place: *place })
        .collect();
    Lint { files, settings, fix, fail_on: FailOn::Medium, ignores: Vec::new() }
}

fn outcome(lint: &Lint) -> Result<Outcome, Refusal> {
    crate::verify::lint::run(LintJob {
        now: Instant { seconds: NOW, nanoseconds: 0 },
        tool: Tool { version: "0.0.0".into(), component: "sha256:00".into() },
        fail_on: lint.fail_on,
        ignores: lint.ignores.clone(),
        settings: &lint.settings,
        files: &lint.files,
        fix: lint.fix,
    })
}

fn run(lint: Lint) -> (Outcome, Report) {
    let outcome = outcome(&lint).expect("a job that makes sense");
    let report = serde_json::from_slice(&outcome.report).expect("a report");
    (outcome, report)
}

#[test]
fn findings_have_places_and_files_have_kinds() {
    let (outcome, report) = run(lint(
        &[("b.sh", Syntax::Shell, SCRIPT), ("a/Dockerfile", Syntax::Dockerfile, "FROM x\n")],
        &[("GOSUMDB", "off", SettingPlace::UserFile)],
        false,
    ));
    assert_eq!((outcome.status, report.verdict), (1, crate::report::Verdict::Fail));
    let kinds: Vec<_> = report.files.iter().map(|f| (f.path.as_str(), f.kind.as_str(), f.lines)).collect();
    assert_eq!(kinds, [("a/Dockerfile", "dockerfile", 1), ("b.sh", "shell", 3)]);
    let told: Vec<_> = report.findings.iter().map(|f| (f.file.as_deref(), f.line, f.column, f.rule.as_str())).collect();
    assert_eq!(
        told,
        [
            (None, None, None, "env-sumdb-off"),
            (Some("b.sh"), Some(2), Some(8), "env-sumdb-off"),
            (Some("b.sh"), Some(3), Some(10), "env-mod-mod"),
        ]
    );
    assert_eq!(report.findings[0].by.as_deref(), Some("GOSUMDB ($GOENV)"));
    assert!(report.modules.is_empty() && report.sumdbs.is_empty() && outcome.fixes.is_empty());
}

#[test]
fn nothing_to_find_passes() {
    let (outcome, report) = run(lint(&[], &[("GOSUMDB", "sum.golang.org", SettingPlace::Environment)], true));
    assert_eq!((outcome.status, report.findings.len()), (0, 0));
}

#[test]
fn what_a_fix_ends_is_not_reported() {
    let (outcome, report) = run(lint(&[("b.sh", Syntax::Shell, SCRIPT)], &[], true));
    let [fixed] = outcome.fixes.as_slice() else { panic!("{:?}", outcome.fixes) };
    assert_eq!(fixed.path, "b.sh");
    assert_eq!(String::from_utf8_lossy(&fixed.content), SCRIPT.replace("off", "sum.golang.org"));
    assert_eq!(fixed.added, ["GOSUMDB=off becomes GOSUMDB=sum.golang.org"]);
    assert_eq!(super::rules(&report), ["env-mod-mod"], "a flag in a script is not ours to take out");
    // And that is all there is to fix.
    let content = String::from_utf8(fixed.content.clone()).expect("UTF-8");
    let (again, _) = run(lint(&[("b.sh", Syntax::Shell, &content)], &[], true));
    assert!(again.fixes.is_empty());
}

#[test]
fn fail_on_and_ignores_work_as_for_verify() {
    let files = [("b.sh", Syntax::Shell, "export GOPROXY=direct GONOSUMCHECK=1\n")];
    let ignore = |rule: &str, module: &str| Ignore {
        rule: rule.into(),
        module: module.into(),
        reason: "ours".into(),
        expires: None,
    };
    for (fail_on, status) in [(FailOn::Medium, 0), (FailOn::Low, 1), (FailOn::Never, 0)] {
        let (outcome, report) = run(Lint { fail_on, ..lint(&files, &[], false) });
        assert_eq!((outcome.status, report.counts.findings.low), (status, 2));
    }
    let ignores = vec![ignore("env-proxy", "*"), ignore("gosum-mismatch", "example.org/*")];
    let (outcome, report) = run(Lint { fail_on: FailOn::Low, ignores, ..lint(&files, &[], false) });
    assert_eq!((outcome.status, report.counts.ignored), (1, 1));
    assert_eq!(super::rules(&report), ["env-no-such-variable"], "an ignore of what verify finds is not unused here");
    // A module that is named is none of a setting's.
    let ignores = vec![ignore("env-proxy", "example.org")];
    let (_, report) = run(Lint { ignores, ..lint(&files, &[], false) });
    assert_eq!(super::rules(&report), ["config-unused-ignore", "env-proxy", "env-no-such-variable"]);
}

#[test]
fn an_ignore_that_makes_no_sense_is_refused() {
    let ignores =
        vec![Ignore { rule: "no-such-rule".into(), module: "*".into(), reason: "ours".into(), expires: None }];
    let refused = outcome(&Lint { ignores, ..lint(&[], &[], false) });
    assert!(matches!(refused, Err(Refusal::Ignore(_))), "{refused:?}");
}

#[test]
fn verify_does_not_miss_what_lint_would_find() {
    let mut world = World::new(3);
    let ignore = Ignore { rule: "env-proxy".into(), module: "*".into(), reason: "ours".into(), expires: None };
    let job = Job { ignores: vec![ignore], ..world.job(&go_sum([1])) };
    passes(world.run(job), 2);
}
