//! What belongs to several files of this room: whole policies, read and asked.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::expect::{self, MAX_ATTESTATIONS, MAX_TESTS};
use super::file::{self, MAX_FILE, PolicyError, Problem};
use super::glob::MAX_PATTERN;
use super::judge::{Attestation, Checksums, Judge, Judgement, Kind, Replacement, Subject, grade_name};
use super::rules::{Flaw, MAX_ENTRIES, MAX_FLOORS, MAX_LEVELS, MAX_NAME, MAX_RULES, MAX_TEXT, Rules};
use super::{baseline, explain, rules};
use crate::contract::{Floor, Policy, PolicyGrade, ProvenanceVersion};

const GRADES: &str = include_str!("grades.yaml");
const BUILDER: &str =
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/go.yml@refs/tags/v2.1.0";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn policy() -> Policy {
    file::read(GRADES.as_bytes(), "policy.yaml").unwrap().policy
}

/// What makes github.com/acme/x trusted.
fn good() -> Subject {
    Subject {
        path: "github.com/acme/x".into(),
        version: "v1.2.3".into(),
        replaced_by: None,
        checksums: Checksums::Logged,
        tuf_approved: false,
        attestations: vec![Attestation {
            origin: "x.intoto.jsonl".into(),
            kind: Kind::Provenance(ProvenanceVersion::V1),
            builder_id: Some(BUILDER.into()),
            issuer: Some(GITHUB.into()),
            identity: Some(BUILDER.into()),
            source_repository: Some("https://github.com/acme/x".into()),
            source_ref: Some("refs/tags/v1.2.3".into()),
            publisher: Some("https://github.com/acme".into()),
            runner_environment: Some("github-hosted".into()),
            own_repository_of: vec!["github.com/acme/x".into()],
            provable_level: 3,
            logged: true,
        }],
    }
}

fn judge(subject: &Subject) -> Judgement {
    Judge::new(&Rules::new(&policy()).unwrap()).judge(subject)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The conditions that do not hold, of every ruling.
fn lacking(judgement: &Judgement) -> Vec<&str> {
    let conditions = judgement.rulings.iter().flat_map(|ruling| &ruling.conditions);
    conditions.filter(|condition| !condition.held).map(|condition| condition.what.as_ref()).collect()
}

#[test]
fn each_condition_is_asked_for_by_itself() {
    type Change = fn(&mut Subject);
    let attested = |change: fn(&mut Attestation)| change;
    let module: &[(Change, &str, bool, &[&str])] = &[
        (|_| (), "trusted", true, &[]),
        (|s| s.checksums = Checksums::Unlogged, "trusted", false, &["required_log: sumdb"]),
        (|s| s.attestations.clear(), "unverified", false, &["attestation"]),
        (
            |s| s.replaced_by = Some(Replacement::Directory("../x".into())),
            "unverified",
            false,
            &["required_log: sumdb", "replacement"],
        ),
        // No rule but the default, which lists nobody.
        (
            |s| {
                s.path = "other.example".into();
                s.attestations[0].own_repository_of = vec!["other.example".into()];
            },
            "verified",
            true,
            &["identities", "publishers"],
        ),
        // A longer path is covered, one that only begins alike is not.
        (|s| s.path = "github.com/acme/x/sub".into(), "unverified", false, &["source repository"]),
        (
            |s| s.path = "github.com/acme-evil/x".into(),
            "unverified",
            true,
            &["source repository", "identities", "publishers"],
        ),
    ];
    type Spoiled = (fn(&mut Attestation), &'static str, &'static [&'static str]);
    let attestation: &[Spoiled] = &[
        (attested(|a| a.kind = Kind::Provenance(ProvenanceVersion::V02)), "trusted", &[]),
        (|a| a.own_repository_of.clear(), "unverified", &["source repository"]),
        (|a| a.issuer = None, "unverified", &["identities", "environment.oidc_issuer"]),
        // It does not speak for github.com.
        (
            |a| a.issuer = text("https://gitlab.com"),
            "unverified",
            &["source repository", "identities", "environment.oidc_issuer"],
        ),
        (|a| a.identity = text("evil@example.com"), "unverified", &["identities"]),
        (|a| a.publisher = text("https://github.com/acme/"), "unverified", &["publishers"]),
        (|a| a.publisher = None, "unverified", &["publishers"]),
        (|a| a.logged = false, "unverified", &["required_log: rekor"]),
        (|a| a.provable_level = 2, "verified", &["level 3"]),
        (|a| a.builder_id = None, "verified", &["builder_id"]),
        (|a| a.builder_id = text(&BUILDER.replace("tags", "heads")), "verified", &["builder_id"]),
        (|a| a.runner_environment = text("self-hosted"), "verified", &["environment.runner"]),
        (|a| a.runner_environment = None, "verified", &["environment.runner"]),
        (|a| a.kind = Kind::Statement, "verified", &["provenance"]),
        // Its signer is listed, and signs whatever its caller says.
        (|a| a.kind = Kind::Summary { level: 3 }, "unverified", &["identities", "provenance"]),
        // The other way to level 3, and nothing of the first.
        (
            |a| {
                let pipeline = "https://gitlab.com/acme/build//ci.yml@refs/heads/main";
                a.builder_id = text(pipeline);
                a.identity = text(pipeline);
                a.issuer = text("https://gitlab.com");
                a.publisher = text("https://gitlab.com/acme");
                a.runner_environment = None;
            },
            "trusted",
            &[],
        ),
    ];
    for (i, (change, grade, satisfied, lacks)) in module.iter().enumerate() {
        let mut subject = good();
        change(&mut subject);
        let judgement = judge(&subject);
        assert_eq!(lacking(&judgement), *lacks, "module {i}: {judgement:#?}");
        assert_eq!((grade_name(judgement.grade()), judgement.satisfied()), (*grade, *satisfied), "module {i}");
    }
    for (i, (change, grade, lacks)) in attestation.iter().enumerate() {
        let mut subject = good();
        change(&mut subject.attestations[0]);
        let judgement = judge(&subject);
        assert_eq!(lacking(&judgement), *lacks, "attestation {i}: {judgement:#?}");
        assert_eq!(grade_name(judgement.grade()), *grade, "attestation {i}");
        assert_eq!(judgement.satisfied(), *grade == "trusted", "attestation {i}");
    }
}

#[test]
fn the_builder_of_one_and_the_signer_of_another_make_nothing() {
    let mut subject = good();
    let mut other = subject.attestations[0].clone();
    subject.attestations[0].identity = text("evil@example.com");
    other.builder_id = None;
    other.origin = "second".into();
    subject.attestations.push(other);
    let judgement = judge(&subject);
    assert_eq!(judgement.grade(), PolicyGrade::Verified);
    assert_eq!(judgement.rulings[0].attestation.as_deref(), Some("second"), "the nearest");
    assert_eq!(lacking(&judgement), ["builder_id"]);
    // What the report carries is the judgement.
    let json = serde_json::to_string(&judgement).unwrap();
    assert_eq!(serde_json::from_str::<Judgement>(&json).unwrap(), judgement);
    // Among equals the first is told of.
    let mut subject = good();
    let mut second = subject.attestations[0].clone();
    second.origin = "second".into();
    subject.attestations.push(second);
    assert_eq!(judge(&subject).rulings[0].attestation.as_deref(), Some("x.intoto.jsonl"));
}

#[test]
fn a_replacement_answers_to_the_rules_of_both_paths() {
    let fork = Replacement::Module { path: "github.com/forks/x".into(), version: "v1.2.3".into() };
    let mut subject = good();
    subject.replaced_by = Some(fork.clone());
    // Acme's provenance, of what is built: good for acme's rule, not for that of forks.
    let judgement = judge(&subject);
    assert_eq!(judgement.rulings.iter().map(|r| r.name.as_str()).collect::<Vec<_>>(), ["ours", "forks"]);
    assert_eq!(judgement.rulings.iter().map(|r| r.satisfied).collect::<Vec<_>>(), [true, false]);
    assert_eq!((judgement.grade(), judgement.satisfied()), (PolicyGrade::Unverified, false));
    assert_eq!(judgement.required(), PolicyGrade::Trusted);
    // The fork's own: good for its rule, not for acme's.
    subject.attestations[0].own_repository_of = vec!["github.com/forks/x".into()];
    subject.attestations[0].source_repository = text("https://github.com/forks/x");
    let judgement = judge(&subject);
    assert_eq!(judgement.rulings.iter().map(|r| r.satisfied).collect::<Vec<_>>(), [false, true]);
    // Another version of itself has one rule.
    subject.replaced_by = Some(Replacement::Module { path: subject.path.clone(), version: "v1.2.2".into() });
    assert_eq!(judge(&subject).rulings.len(), 1);
}

#[test]
fn approval_and_log_are_asked_for_whatever_the_grade() {
    let mut subject = good();
    subject.path = "corp.example/a".into();
    subject.attestations.clear();
    let judgement = judge(&subject);
    assert!(!judgement.satisfied());
    let failures =
        |judgement: &Judgement| judgement.rulings[0].failures().map(|c| c.what.to_string()).collect::<Vec<_>>();
    assert_eq!(failures(&judgement), ["required_tuf_approval"]);
    subject.tuf_approved = true;
    assert!(judge(&subject).satisfied());
    // A folder is not what was approved.
    subject.replaced_by = Some(Replacement::Directory("./a".into()));
    assert_eq!(failures(&judge(&subject)), ["required_tuf_approval"]);
}

#[test]
fn a_summary_counts_by_its_signer_and_never_makes_trusted() {
    let mut subject = good();
    subject.path = "audited.example".into();
    let attestation = &mut subject.attestations[0];
    attestation.kind = Kind::Summary { level: 3 };
    attestation.identity = text("audit@auditor.example");
    attestation.issuer = text("https://accounts.auditor.example");
    attestation.source_repository = None;
    assert_eq!((judge(&subject).grade(), judge(&subject).satisfied()), (PolicyGrade::Verified, true));
    subject.attestations[0].kind = Kind::Summary { level: 2 };
    let judgement = judge(&subject);
    assert_eq!(lacking(&judgement), ["minimum_slsa_level", "provenance"]);
    // Where a rule lists nobody, anybody could summarise.
    subject.path = "other.example".into();
    assert_eq!(judge(&subject).grade(), PolicyGrade::Unverified);
}

#[test]
fn levels_are_reached_in_the_ways_that_the_policy_has() {
    let mut subject = good();
    subject.path = "github.com/forks/x".into();
    subject.attestations[0].source_repository = text("https://github.com/forks/x");
    assert_eq!((judge(&subject).grade(), judge(&subject).satisfied()), (PolicyGrade::Verified, true));
    // Not by a builder that level 2 lists, and level 1, which has no conditions, is not enough.
    subject.attestations[0].builder_id = text("https://elsewhere.example/b");
    let judgement = judge(&subject);
    assert_eq!(judgement.grade(), PolicyGrade::Unverified);
    let level = judgement.rulings[0].conditions.iter().find(|c| c.what == "minimum_slsa_level").unwrap();
    assert_eq!((level.expected.as_str(), level.found.as_str()), ("SLSA level 2", "level 1"));
}

#[test]
fn with_a_baseline_only_what_gets_worse_fails() {
    let mut policy = policy();
    let floor = |module: &str, grade| Floor { module: module.into(), grade };
    policy.baseline = Some(vec![
        floor("github.com/acme/old", PolicyGrade::Unverified),
        floor("github.com/acme/x", PolicyGrade::Verified),
    ]);
    let rules = Rules::new(&policy).unwrap();
    let satisfied = |subject: &Subject| Judge::new(&rules).judge(subject).satisfied();
    let mut subject = good();
    assert!(satisfied(&subject));
    subject.attestations[0].provable_level = 2;
    assert!(satisfied(&subject), "no worse than its floor");
    subject.attestations.clear();
    let judgement = Judge::new(&rules).judge(&subject);
    assert!(!judgement.satisfied() && judgement.rulings[0].by_baseline, "worse");
    subject.path = "github.com/acme/old".into();
    assert!(satisfied(&subject));
    subject.checksums = Checksums::Unlogged;
    assert!(!satisfied(&subject), "the floor is about grades; what else the rule asks for stays");
    subject = good();
    subject.path = "github.com/acme/new".into();
    subject.attestations.clear();
    assert!(!satisfied(&subject), "a new module must satisfy its rule");
    // Better than the rule asks for, and then worse.
    policy.baseline = Some(vec![floor("other.example", PolicyGrade::Verified)]);
    let rules = Rules::new(&policy).unwrap();
    subject.path = "other.example".into();
    assert!(!Judge::new(&rules).judge(&subject).satisfied());
}

#[test]
fn rules_that_match_nothing_are_told() {
    let rules = Rules::new(&policy()).unwrap();
    let mut judge = Judge::new(&rules);
    judge.judge(&good());
    let mut fork = good();
    fork.path = "other.example".into();
    fork.replaced_by = Some(Replacement::Module { path: "github.com/forks/x".into(), version: "v1.0.0".into() });
    judge.judge(&fork);
    assert_eq!(judge.unmatched(), ["approved", "audited"]);
}

#[test]
fn without_a_policy_nothing_is_trusted_and_nothing_is_asked_for() {
    let rules = Rules::built_in();
    let judge = |subject: &Subject| Judge::new(&rules).judge(subject);
    assert_eq!((judge(&good()).grade(), judge(&good()).satisfied()), (PolicyGrade::Verified, true));
    let mut subject = good();
    subject.attestations.clear();
    subject.checksums = Checksums::Unlogged;
    assert_eq!((judge(&subject).grade(), judge(&subject).satisfied()), (PolicyGrade::Unverified, true));
}

#[test]
fn errors_say_where_and_what() {
    let mut said = String::new();
    for case in include_str!("bad.txt").split("=== ").skip(1) {
        let (name, text) = case.split_once('\n').unwrap_or((case, ""));
        match file::read(text.as_bytes(), "policy.yaml") {
            Ok(_) => panic!("{name}: no error"),
            Err(error) => writeln!(said, "{name}\n    {error}").unwrap(),
        }
    }
    insta::assert_snapshot!(said);
}

#[test]
fn bytes_that_are_no_text() {
    let at = |line, column, problem| Err(PolicyError { line, column, problem });
    let read = |bytes: &[u8]| file::read(bytes, "p").map(drop);
    assert_eq!(read(b"schema: x\n\xc3\xa4: \xff"), at(2, 4, Problem::NotUtf8));
    assert_eq!(read("\u{feff}schema: x".as_bytes()), at(1, 1, Problem::ByteOrderMark));
    assert_eq!(read(&vec![b'#'; MAX_FILE]), at(1, 1, Problem::Nothing));
    assert_eq!(read(&vec![b'#'; MAX_FILE + 1]), at(1, 1, Problem::Large { most: MAX_FILE }));
}

/// One policy at each limit, and one past it.
#[test]
fn limits_hold() {
    let list = |n: usize| vec!["\"https://a/*\""; n].join(",");
    let rules = |n: usize| {
        let rules: Vec<String> = (0..n).map(|i| format!("{{name: r{i}, require: unverified, modules: a}}")).collect();
        format!("rules: [{}]\n", rules.join(","))
    };
    let default = "default: {require: unverified}\n";
    let levels = |n: usize| format!("levels: {{1: [{}]}}\n", vec!["{provenance_version: 1}"; n].join(","));
    let modules =
        |n: usize| format!("rules: [{{name: a, require: unverified, modules: [{}]}}]\n", vec!["a"; n].join(","));
    let identities = |n: usize| {
        format!(
            "default: {{require: verified, identities: [{}]}}\n",
            vec!["{identity: a, issuer: 'a://'}"; n].join(",")
        )
    };
    let publishers = |n: usize| format!("default: {{require: verified, publishers: [{}]}}\n", list(n));
    let pattern = |n: usize| format!("default: {{require: verified, publishers: {}}}\n", "a".repeat(n));
    let glob = |n: usize| format!("rules: [{{name: a, require: unverified, modules: {}}}]\n", "a".repeat(n));
    let name = |n: usize| format!("rules: [{{name: {}, require: unverified, modules: a}}]\n", "n".repeat(n));
    let identity = |n: usize| {
        format!("default: {{require: verified, identities: {{identity: {}, issuer: 'a://'}}}}\n", "i".repeat(n))
    };
    let tests = |n: usize| format!("tests: [{}]\n", vec!["{module: a.b/c@v1.0.0, grade: verified}"; n].join(","));
    let attestations = |n: usize| {
        let list = vec!["{kind: statement}"; n].join(",");
        format!("tests: [{{module: a.b/c@v1.0.0, grade: verified, attestations: [{list}]}}]\n")
    };
    type Capped<'a> = (&'a str, usize, &'a dyn Fn(usize) -> String);
    let cases: [Capped<'_>; 11] = [
        ("rules", MAX_RULES, &rules),
        ("levels", MAX_LEVELS, &levels),
        ("modules", MAX_ENTRIES, &modules),
        ("identities", MAX_ENTRIES, &identities),
        ("publishers", MAX_ENTRIES, &publishers),
        ("pattern", MAX_PATTERN, &pattern),
        ("glob", MAX_PATTERN, &glob),
        ("name", MAX_NAME, &name),
        ("identity", MAX_TEXT, &identity),
        ("tests", MAX_TESTS, &tests),
        ("attestations", MAX_ATTESTATIONS, &attestations),
    ];
    for (what, most, text) in cases {
        let read = |n: usize| {
            let text = text(n);
            let default = if text.starts_with("default") { "" } else { default };
            file::read(format!("schema: modanchor-policy/1\n{default}{text}").as_bytes(), "p").map(drop)
        };
        assert_eq!(read(most), Ok(()), "{what}");
        let error = read(most + 1).unwrap_err();
        assert!(matches!(error.problem, Problem::Flaw(_)), "{what}: {error}");
    }
    let floors: Vec<Floor> =
        (0..=MAX_FLOORS).map(|i| Floor { module: format!("{i:06}"), grade: PolicyGrade::Verified }).collect();
    assert!(rules::floors(&floors[1..]).is_ok());
    assert!(matches!(rules::floors(&floors), Err(Flaw::TooMany { most: MAX_FLOORS, .. })));
}

/// Another host may hand over what the file's reader would have refused.
#[test]
fn the_core_checks_what_a_host_hands_over() {
    type Flawed = (fn(&mut Policy), fn(&Flaw) -> bool);
    let cases: &[Flawed] = &[
        (|p| p.levels[1].builder_ids.clear(), |f| matches!(f, Flaw::NoBuilder)),
        (|p| p.levels[1].level = 4, |f| matches!(f, Flaw::Level(4))),
        (|p| p.levels[1].builder_ids[0] = "**".into(), |f| matches!(f, Flaw::Glob { .. })),
        (|p| p.levels[1].oidc_issuers[0] = String::new(), |f| matches!(f, Flaw::Text)),
        (|p| p.levels.retain(|level| level.level < 3), |f| matches!(f, Flaw::Unreachable { .. })),
        (|p| p.rules[0].modules.clear(), |f| matches!(f, Flaw::NoModules)),
        (|p| p.rules[0].modules[0] = "a,b".into(), |f| matches!(f, Flaw::ModuleGlob(_))),
        (|p| p.rules[1].name = "ours".into(), |f| matches!(f, Flaw::SameName(_))),
        (|p| p.rules[0].name = "default".into(), |f| matches!(f, Flaw::Name)),
        (|p| p.rules[0].requirement.identities.clear(), |f| matches!(f, Flaw::Unreachable { .. })),
        (|p| p.rules[0].requirement.identities[0].issuer.clear(), |f| matches!(f, Flaw::Text)),
        (|p| p.default.minimum_slsa_level = 4, |f| matches!(f, Flaw::Level(4))),
        (
            |p| {
                let floor = Floor { module: "a".into(), grade: PolicyGrade::Trusted };
                p.baseline = Some(vec![floor.clone(), floor]);
            },
            |f| matches!(f, Flaw::FloorOrder(_)),
        ),
    ];
    for (i, (change, expected)) in cases.iter().enumerate() {
        let mut policy = policy();
        change(&mut policy);
        let flaw = Rules::new(&policy).unwrap_err();
        assert!(expected(&flaw), "{i}: {flaw}");
    }
}

#[test]
fn a_baseline_is_sorted_and_has_the_worst_of_several_versions() {
    let modules = [
        ("example.com/b", PolicyGrade::Trusted),
        ("example.com/a", PolicyGrade::Verified),
        ("example.com/b", PolicyGrade::Unverified),
    ];
    let written = baseline::write(modules);
    insta::assert_snapshot!(written, @r#"
    {
      "schema": "modanchor-baseline/1",
      "modules": {
        "example.com/a": "verified",
        "example.com/b": "unverified"
      }
    }
    "#);
    let floor = |module: &str, grade| Floor { module: module.into(), grade };
    let floors = vec![floor("example.com/a", PolicyGrade::Verified), floor("example.com/b", PolicyGrade::Unverified)];
    assert_eq!(baseline::read(written.as_bytes()), Ok(floors));
    assert_eq!(baseline::read(baseline::write([]).as_bytes()), Ok(Vec::new()));
    for (text, error) in [
        ("{}", "1:1: `schema` is missing"),
        (r#"{"schema": "modanchor-baseline/2", "modules": {}}"#, "1:12: `schema` must be `modanchor-baseline/1`"),
        (r#"{"schema": "modanchor-baseline/1", "modules": []}"#, "1:47: this must be a mapping"),
        (
            r#"{"schema": "modanchor-baseline/1", "modules": {"a.b/c": "verified", "a.b/c": "unverified"}}"#,
            "1:69: a second `a.b/c` in one mapping",
        ),
        (r#"{"schema": "modanchor-baseline/1", "modules": {"a b": "verified"}}"#, "1:48: `a b` is no module path"),
        (
            r#"{"schema": "modanchor-baseline/1", "modules": {"a.b/c": "fine"}}"#,
            "1:57: unknown value `fine`: one of trusted, verified, unverified",
        ),
    ] {
        assert_eq!(baseline::read(text.as_bytes()).unwrap_err().to_string(), error);
    }
}

#[test]
fn expectations_are_compared_with_what_the_policy_says() {
    let tests = format!(
        "schema: modanchor-policy-tests/1
tests:
  - module: github.com/acme/x@v1.2.3
    grade: trusted
    rule: ours
    satisfied: true
    attestations:
      builder_id: {BUILDER}
      identity: {BUILDER}
      issuer: {GITHUB}
      source_repository: https://github.com/acme/x
      publisher: https://github.com/acme
      runner: github-hosted
  - module: github.com/acme/x@v1.2.3
    replaced_by: ../x
    grade: verified
    rule: forks
    satisfied: true
  - module: a.example/b@v1.0.0
    replaced_by: github.com/forks/x@v1.0.0
    grade: unverified
    sumdb: false
    tuf_approved: true
    attestations:
      - kind: statement
        own_repository: false
        logged: false
"
    );
    let tests = expect::read(tests.as_bytes()).unwrap();
    let tested = expect::run(&Rules::new(&policy()).unwrap(), &tests);
    let differences: Vec<_> = tested.iter().map(|tested| (tested.line, tested.differences.join("; "))).collect();
    let second = "grade: expected verified, found unverified; rule: expected forks, found ours; policy: expected \
                  satisfied, found not satisfied";
    assert_eq!(differences, [(3, String::new()), (14, second.to_owned()), (19, String::new())]);
}

fn attestations() -> impl Strategy<Value = Attestation> {
    let good = good().attestations.remove(0);
    let other = |value: Option<String>| prop_oneof![3 => Just(value), 1 => Just(None), 1 => Just(text("other"))];
    let kind = prop_oneof![
        Just(Kind::Provenance(ProvenanceVersion::V1)),
        Just(Kind::Statement),
        (0..4u8).prop_map(|level| Kind::Summary { level }),
    ];
    (
        kind,
        other(good.builder_id.clone()),
        other(good.issuer.clone()),
        other(good.identity.clone()),
        other(good.publisher.clone()),
        0..5u8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(move |(kind, builder_id, issuer, identity, publisher, provable_level, logged, own)| {
            Attestation {
                kind,
                builder_id,
                issuer,
                identity,
                publisher,
                provable_level,
                logged,
                own_repository_of: if own { vec!["github.com/acme/x".into()] } else { Vec::new() },
                ..good.clone()
            }
        })
}

proptest! {
    /// What a trusted module shows is never less than what the definition asks for, and more evidence never makes worse.
    #[test]
    fn trusted_is_what_the_definition_says(mut list in prop::collection::vec(attestations(), 0..4), more in attestations()) {
        let mut subject = good();
        subject.attestations = list.clone();
        let before = judge(&subject);
        let whole = |a: &Attestation| a.builder_id.as_deref() == Some(BUILDER)
            && a.identity.as_deref() == Some(BUILDER)
            && a.issuer.as_deref() == Some(GITHUB)
            && a.publisher.as_deref() == Some("https://github.com/acme")
            && !a.own_repository_of.is_empty()
            && a.logged
            && a.provable_level >= 3
            && matches!(a.kind, Kind::Provenance(_));
        prop_assert_eq!(before.grade() == PolicyGrade::Trusted, list.iter().any(whole));
        prop_assert_eq!(before.satisfied(), before.grade() == PolicyGrade::Trusted);
        prop_assert_eq!(before.satisfied(), before.rulings[0].failures().next().is_none());
        list.push(more);
        subject.attestations = list;
        prop_assert!(judge(&subject).grade() >= before.grade());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "[a-z:{}\\[\\]&*!<>|\"' \n-]{0,64}") {
        let _ = file::read(format!("schema: modanchor-policy/1\n{text}").as_bytes(), "p");
        let _ = baseline::read(text.as_bytes());
        let _ = expect::read(text.as_bytes());
    }
}

/// The examples of docs/policy.md are read, and say what they say they say.
#[test]
fn the_documented_examples_hold() {
    let docs = include_str!("../../../../docs/policy.md");
    let block = |language: &str| {
        let start = docs.split_once(&format!("```{language}\n")).unwrap().1;
        start.split_once("```").unwrap().0
    };
    let file = file::read(block("yaml").as_bytes(), "policy.yaml").unwrap_or_else(|error| panic!("{error}"));
    let tested = expect::run(&Rules::new(&file.policy).unwrap(), &file.tests);
    assert_eq!(tested.len(), 2);
    for tested in tested {
        assert_eq!(tested.differences, Vec::<String>::new(), "{}", tested.module);
    }
    let floors = baseline::read(block("json").as_bytes()).unwrap();
    let floors = floors.iter().map(|floor| (floor.module.as_str(), floor.grade));
    assert_eq!(baseline::write(floors), block("json"));
}

/// The schema knows the keys that the reader knows, and no others.
#[test]
fn the_schema_has_the_keys_of_the_reader() {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../../../docs/policy.schema.json")).unwrap();
    let keys = |pointer: &str| -> Vec<String> {
        let mut keys: Vec<_> = schema.pointer(pointer).unwrap().as_object().unwrap().keys().cloned().collect();
        keys.sort();
        keys
    };
    for (pointer, known) in [
        ("/properties", file::KEYS),
        ("/properties/levels/properties", file::LEVELS),
        ("/properties/rules/items/properties", file::RULE_KEYS),
        ("/properties/default/properties", file::REQUIREMENT_KEYS),
        ("/properties/tests/items/properties", expect::KEYS),
        ("/$defs/identity/properties", file::IDENTITY_KEYS),
        ("/$defs/way/properties", file::LEVEL_KEYS),
        ("/$defs/way/properties/environment/properties", file::ENVIRONMENT_KEYS),
        ("/$defs/attestation/properties", expect::ATTESTATION_KEYS),
    ] {
        assert_eq!(keys(pointer), known, "{pointer}");
    }
}

#[test]
fn a_judgement_is_explained_condition_by_condition() {
    let mut said = String::new();
    let mut tell = |subject: &Subject| {
        let judgement = judge(subject);
        said += &explain::text(&format!("{}@{}", subject.path, subject.version), &judgement);
        for ruling in judgement.rulings.iter().filter(|ruling| !ruling.satisfied) {
            writeln!(said, "=> {}", explain::reason(&format!("{}@{}", subject.path, subject.version), ruling)).unwrap();
        }
        said += "\n";
    };
    tell(&good());
    let mut subject = good();
    subject.attestations[0].builder_id = text("https://evil.example/\u{202e}builder");
    tell(&subject);
    subject.path = "other.example".into();
    subject.attestations[0].own_repository_of = vec!["other.example".into()];
    tell(&subject);
    subject = good();
    subject.replaced_by = Some(Replacement::Module { path: "github.com/forks/x".into(), version: "v1.0.0".into() });
    tell(&subject);
    subject.replaced_by = Some(Replacement::Directory("../x".into()));
    tell(&subject);
    subject.replaced_by = None;
    subject.attestations.clear();
    tell(&subject);
    insta::assert_snapshot!(said);
}
