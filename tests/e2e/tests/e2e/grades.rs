//! Grades: a real go.sum with attestations beside it, judged by a policy (tests/fixtures/sigstore-grades).

use std::fs;

use e2e::{Report, Run, Sandbox, fixture, write};
use serde_json::Value;

const TOML: &str = "github.com/!burnt!sushi/toml/@v/v1.6.0.sigstore.json";
const COBRA: &str = "github.com/spf13/cobra/@v/v1.10.2.sigstore.json";

/// The project, and a folder of attestations; the policy and the root lie elsewhere, as a user's would.
pub(crate) struct Graded {
    s: Sandbox,
}

impl Graded {
    /// With this in place of toml's attestation; none: without.
    pub(crate) fn new(toml: Option<&str>) -> Self {
        let graded = Self { s: Sandbox::hello() };
        for (path, name) in [(TOML, toml), (COBRA, Some("cobra"))] {
            if let Some(name) = name {
                write(&graded.s.path("attestations").join(path), text(&format!("{name}.sigstore.json")));
            }
        }
        write(&graded.s.path("policy.yaml"), text("policy.yaml"));
        write(&graded.s.path("root.json"), text("trusted_root.json"));
        graded
    }

    /// `modanchor ARG… --policy P --attestations folder:DIR --trusted-root R`
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Run {
        let folder = format!("folder:{}", self.s.path("attestations").display());
        let run = self.s.run(args).args(["--attestations", &folder]);
        run.args(["--trusted-root"]).args([self.s.path("root.json")]).args(["--policy", "../policy.yaml"])
    }

    #[track_caller]
    fn report(&self, status: i32) -> Report {
        self.run(["verify", "--format", "json"]).replayed().end().status(status).report()
    }
}

fn text(name: &str) -> String {
    fs::read_to_string(fixture("sigstore-grades").join(name)).expect("the fixture is there").replace("\r\n", "\n")
}

fn grade<'r>(report: &'r Report, path: &str) -> &'r str {
    let modules = report.0["modules"].as_array().expect("a list");
    let module = modules.iter().find(|module| module["path"] == path).expect("it is there");
    module["grade"].as_str().expect("a text")
}

/// Without what differs from run to run.
fn steady(text: &str) -> String {
    let mut text = text.to_owned();
    for (before, after) in [("checked at <code>", "</code>"), ("component <code>", "</code>")] {
        if let Some(at) = text.find(before).map(|at| at + before.len()) {
            let end = text[at..].find(after).expect("it ends");
            text.replace_range(at..at + end, "…");
        }
    }
    text
}

#[test]
fn a_real_projects_report_shows_all_three_grades() {
    let graded = Graded::new(Some("toml"));
    let report = graded.report(0);
    assert!(report.findings().is_empty(), "{:?}", report.findings());
    assert_eq!(grade(&report, "github.com/BurntSushi/toml"), "trusted");
    assert_eq!(grade(&report, "github.com/spf13/cobra"), "verified");
    assert_eq!(grade(&report, "golang.org/x/text"), "unverified");
    let grades = &report.0["counts"]["grades"];
    assert_eq!((&grades["trusted"], &grades["verified"], &grades["unverified"]), (&1.into(), &1.into(), &6.into()));

    let human = graded.run(["verify"]).end().status(0).stdout;
    assert!(human.contains("modules: 1 trusted, 1 verified, 6 unverified\n"), "{human}");
    let page = graded.run(["verify", "--format", "markdown"]).end().status(0).stdout;
    assert!(page.contains("### Grades"), "{page}");
}

#[test]
fn explain_says_why_for_each() {
    let graded = Graded::new(Some("toml"));
    let said = graded.run(["policy", "explain"]).end().status(0);
    insta::assert_snapshot!("explain_three_grades", said.stdout);
    // What falls short is told in the same words, with the status of verify.
    let graded = Graded::new(Some("wrong-builder"));
    let said = graded.run(["policy", "explain"]).end().status(1);
    let toml: String =
        said.stdout.lines().take_while(|line| !line.contains("mousetrap")).map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!("explain_a_wrong_builder", toml);
}

/// Each of the attacks has the finding that is its own, on the line of the module.
#[test]
fn each_attack_has_its_finding() {
    for (name, rules, condition) in [
        ("wrong-builder", &["policy-grade"][..], "builder_id: expected"),
        ("wrong-identity", &["policy-grade"], "identities: expected"),
        ("wrong-repository", &["policy-grade", "provenance-source"], "https://github.com/BurntSushi/toml-test"),
        ("another-account", &["policy-grade", "provenance-source"], "https://github.com/evil/toml"),
        ("replayed", &["policy-grade", "provenance-subject"], "something else"),
        ("another-tag", &["policy-grade", "provenance-version"], "refs/tags/v1.5.0"),
        ("contradiction", &["policy-grade", "provenance-contradiction"], "gitCommit"),
        ("untrusted", &["policy-grade", "sigstore-not-logged"], "the trusted root has no log"),
    ] {
        let report = Graded::new(Some(name)).report(1);
        assert_eq!(report.rules(), rules, "{name}: {:?}", report.findings());
        let message = |finding: &Value| finding["message"].as_str().expect("a text").contains(condition);
        assert!(report.findings().iter().any(message), "{name}: {:?}", report.findings());
        for finding in report.findings() {
            assert_eq!((&finding["file"], &finding["line"]), (&"go.sum".into(), &1.into()), "{name}: {finding}");
        }
        assert_ne!(grade(&report, "github.com/BurntSushi/toml"), "trusted", "{name}");
        assert_eq!(grade(&report, "github.com/spf13/cobra"), "verified", "{name}: one does not touch the other");
    }
}

#[test]
fn what_falls_short_is_shown_on_its_line() {
    let graded = Graded::new(None);
    let out = graded.run(["verify"]).end().status(1);
    insta::assert_snapshot!("human_without_attestation", steady(&out.stdout));
    let page = graded.run(["verify", "--format", "markdown"]).end().status(1);
    insta::assert_snapshot!("markdown_without_attestation", steady(&page.stdout));
    let sarif = graded.run(["verify", "--format", "sarif"]).end().status(1);
    let sarif: Value = serde_json::from_str(&sarif.stdout).expect("JSON");
    let [result] = &sarif["runs"][0]["results"].as_array().expect("a list")[..] else { panic!("{sarif:#}") };
    assert_eq!(result["ruleId"], "policy-grade");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (&place["artifactLocation"]["uri"], &place["region"]["startLine"]),
        (&"go.sum".into(), &1.into()),
        "{result:#}"
    );
}

#[test]
fn an_attestation_that_cannot_be_read_is_no_absence() {
    let graded = Graded::new(None);
    let file = graded.s.path("attestations").join(TOML);
    write(&file, "");
    let large = fs::OpenOptions::new().write(true).open(&file).and_then(|file| file.set_len((16 << 20) + 1));
    large.expect("a file with a hole");
    let report = graded.report(3);
    assert_eq!(report.rules(), ["sigstore-unavailable"], "{:?}", report.findings());
    assert_eq!(report.verdict(), "incomplete");
}

#[test]
fn todays_grades_become_the_floor() {
    let verified = Graded::new(Some("wrong-builder"));
    let report = verified.report(1);
    assert_eq!(grade(&report, "github.com/BurntSushi/toml"), "verified");
    let file = verified.s.path("report.json");
    write(&file, report.0.to_string());
    let printed = verified.s.run(["policy", "baseline"]).args([&file]).end().status(0).stdout;
    insta::assert_snapshot!("baseline", printed);
    let with_baseline = |graded: &Graded, status| {
        let baseline = graded.s.path("baseline.json");
        write(&baseline, &printed);
        let run = graded.run(["verify", "--format", "json"]).args(["--baseline"]).args([&baseline]);
        run.end().status(status).report()
    };
    // What it was is enough, although the policy asks for more; what is worse is not.
    assert!(with_baseline(&verified, 0).findings().is_empty());
    let report = with_baseline(&Graded::new(None), 1);
    assert_eq!(report.rules(), ["policy-grade"]);
    let message = report.findings()[0]["message"].as_str().expect("a text");
    assert!(message.contains("its floor in the baseline asks for verified"), "{message}");
}

#[test]
fn policies_are_checked_and_tested() {
    let graded = Graded::new(None);
    let file = graded.s.path("policy.yaml");
    let policy = |args: &[&str]| graded.s.run(args).args([&file]).end();
    let said = policy(&["policy", "check"]).status(0).stdout;
    assert!(said.ends_with("a policy with 2 rules and a default, and 2 tests\n"), "{said}");
    assert_eq!(policy(&["policy", "test"]).status(0).stdout, "2 tests, 0 not as expected\n");

    let text = text("policy.yaml");
    write(&file, text.replace("satisfied: false", "satisfied: true"));
    let said = policy(&["policy", "test"]).status(1).stdout;
    assert!(said.contains("1 not as expected"), "{said}");
    // Wrong files are wrong usage, and say where and what.
    for (from, to, words) in [
        ("publishers:", "publisher:", "did you mean `publishers`?"),
        ("default:\n  require: unverified", "", "default"),
        ("require: trusted", "require: gold", "gold"),
    ] {
        write(&file, text.replace(from, to));
        let out = policy(&["policy", "check"]).status(2);
        assert!(out.stderr.contains(words), "{from}: {}", out.stderr);
        assert!(graded.run(["verify"]).end().status(2).stderr.contains(words), "{from}");
    }
}

#[test]
fn without_a_policy_attestations_are_judged_and_nothing_is_asked_for() {
    let graded = Graded::new(Some("toml"));
    let folder = format!("folder:{}", graded.s.path("attestations").display());
    let root = graded.s.path("root.json");
    let run = || graded.s.verify(["--attestations", &folder, "--trusted-root"]).args([&root]);
    let report = run().end().status(0).report();
    assert!(report.findings().is_empty(), "{:?}", report.findings());
    // Nobody is listed, so that nothing is trusted.
    assert_eq!(grade(&report, "github.com/BurntSushi/toml"), "verified");
    // Without attestations there are no grades to speak of, and nothing is asked.
    let out = graded.s.run(["verify"]).end().status(0);
    assert!(!out.stdout.contains("trusted"), "{}", out.stdout);
}

/// A policy is the user's word: one that lies in the checkout is not found by itself.
#[test]
fn a_policy_in_the_checkout_is_not_read_unasked() {
    let graded = Graded::new(None);
    for name in ["policy.yaml", ".modanchor-policy.yaml", ".github/policy.yaml"] {
        graded.s.write(name, "schema: modanchor-policy/1\ndefault: { require: unverified }\n");
    }
    assert_eq!(graded.report(1).rules(), ["policy-grade"]);
}
