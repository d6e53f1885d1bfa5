//! Statements, provenance and summaries, from the outside.

use modanchor_core::dirhash::H1;
use modanchor_core::gosum::sum::{Line, lines};
use modanchor_core::module::ModuleVersion;
use modanchor_core::provenance::agree::{ClaimsError, Level, Vouched};
use modanchor_core::provenance::join::{By, JoinError, Zip, joins};
use modanchor_core::provenance::slsa::{Fact, MAX_MATERIALS, Provenance, SlsaError, Version};
use modanchor_core::provenance::source::{
    Repository, SourceError, Workflow, belongs, repository_of, split_ref, tag_of,
};
use modanchor_core::provenance::statement::{
    Format, MAX_DIGESTS, MAX_PAYLOAD, MAX_SUBJECTS, PAYLOAD_TYPE, Statement, StatementError,
};
use modanchor_core::provenance::vsa::{MAX_LEVELS, Summary, VsaError, is_purl_of, purl};
use modanchor_core::report::Of;
use modanchor_core::sigstore::claims::{Claims, GitHub, San};
use proptest::prelude::*;
use serde_json::{Value, json};

struct Recorded {
    claims: Option<Claims>,
    statement: Value,
}

fn recorded(name: &str) -> Recorded {
    let path = format!("{}/tests/data/provenance/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let file: Value = serde_json::from_slice(&std::fs::read(path).expect("the file")).expect("JSON");
    let claims = file["claims"].is_object().then(|| {
        let claim = |key: &str| file["claims"][key].as_str().map(str::to_owned);
        Claims {
            san: San::Uri(claim("san").expect("a name")),
            issuer: claim("8").or_else(|| claim("1")),
            build_signer_uri: claim("9"),
            build_signer_digest: claim("10"),
            runner_environment: claim("11"),
            source_repository_uri: claim("12"),
            source_repository_digest: claim("13"),
            source_repository_ref: claim("14"),
            source_repository_identifier: claim("15"),
            source_repository_owner_uri: claim("16"),
            source_repository_owner_identifier: claim("17"),
            build_config_uri: claim("18"),
            build_config_digest: claim("19"),
            build_trigger: claim("20"),
            run_invocation_uri: claim("21"),
            source_repository_visibility: claim("22"),
            github: GitHub {
                trigger: claim("2"),
                sha: claim("3"),
                name: claim("4"),
                repository: claim("5"),
                reference: claim("6"),
            },
        }
    });
    Recorded { claims, statement: file["statement"].clone() }
}

fn parse(value: &Value) -> Result<Statement, StatementError> {
    Statement::parse(PAYLOAD_TYPE, value.to_string().as_bytes())
}

fn provenance(value: &Value) -> Provenance {
    Provenance::parse(&parse(value).expect("a statement")).expect("provenance")
}

fn vouched(name: &str) -> Vouched {
    Vouched::of(&recorded(name).claims.expect("claims")).expect("a build")
}

fn module(text: &str) -> ModuleVersion {
    text.parse().expect("a module version")
}

const ISOLATED: [&str; 6] =
    ["generic-v0.2", "generic-v0.2-dispatch", "go-v0.2", "container-based-v1", "delegator-v1", "attest-v1-module"];

#[test]
fn real_provenance_is_read_and_agrees_with_its_certificate() {
    let tag = Some("refs/tags/v14.2");
    let table = [
        ("generic-v0.2", Version::V02, Format::V01, tag, Level::Three),
        ("generic-v0.2-dispatch", Version::V02, Format::V01, Some("refs/heads/main"), Level::Three),
        ("go-v0.2", Version::V02, Format::V01, tag, Level::Three),
        ("container-based-v1", Version::V1, Format::V01, tag, Level::Three),
        ("delegator-v1", Version::V1, Format::V01, tag, Level::Three),
        ("attest-v1-module", Version::V1, Format::V1, Some("refs/heads/publish-to-bcr"), Level::Three),
        // These certificates do not say on whose machine.
        ("npm-v0.2", Version::V02, Format::V01, None, Level::One),
        ("untrusted-builder", Version::V02, Format::V01, Some("refs/heads/main"), Level::One),
    ];
    for (name, version, format, reference, level) in table {
        let file = recorded(name);
        let provenance = provenance(&file.statement);
        let vouched = vouched(name);
        let agreement = vouched.compare(&provenance);
        assert_eq!(provenance.version, version, "{name}");
        assert_eq!(parse(&file.statement).expect("a statement").format, format, "{name}");
        assert_eq!(provenance.source.reference.as_deref(), reference, "{name}");
        assert_eq!(provenance.source.repository.as_ref(), Some(&vouched.repository), "{name}");
        assert_eq!(provenance.source.commit, vouched.commit, "{name}");
        assert_eq!(vouched.provable_level(), level, "{name}");
        for fact in [Fact::Repository, Fact::Reference, Fact::Commit, Fact::Trigger] {
            assert!(agreement.confirmed.contains(&fact), "{name} {fact:?}");
        }
        if ISOLATED.contains(&name) {
            assert_eq!((&agreement.contradictions, &agreement.unconfirmed), (&vec![], &vec![]), "{name}");
        }
    }
}

#[test]
fn what_old_certificates_do_not_say_is_not_confirmed() {
    let agreement = vouched("untrusted-builder").compare(&provenance(&recorded("untrusted-builder").statement));
    assert_eq!(agreement.contradictions, []);
    assert_eq!(
        agreement.unconfirmed,
        [Fact::WorkflowPath, Fact::RunNumber, Fact::RunAttempt, Fact::RepositoryId, Fact::OwnerId]
    );
    // npm named itself as the builder, which no certificate does.
    let agreement = vouched("npm-v0.2").compare(&provenance(&recorded("npm-v0.2").statement));
    let facts: Vec<_> = agreement.contradictions.iter().map(|found| found.fact).collect();
    assert_eq!(facts, [Fact::Builder]);
}

#[test]
fn a_delegator_may_name_the_builder_it_ran_and_nobody_else_may() {
    let file = recorded("delegator-v1");
    let mut vouched = vouched("delegator-v1");
    let provenance = provenance(&file.statement);
    let other =
        "https://github.com/slsa-framework/example-trw/.github/workflows/builder_high-perms_slsa3.yml@refs/tags/v2.1.0";
    assert_eq!(vouched.compare(&provenance).delegated_builder.as_deref(), Some(other));
    for builder in [
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/delegator_generic_slsa3.yml@refs/heads/main",
        "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0",
        "https://github.com/mallory/slsa-github-generator/.github/workflows/delegator_generic_slsa3.yml@refs/tags/v2.1.0",
    ] {
        vouched.builder = builder.to_owned();
        let agreement = vouched.compare(&provenance);
        assert_eq!(agreement.delegated_builder, None, "{builder}");
        assert_eq!(agreement.contradictions.len(), 1, "{builder}");
        assert_eq!(agreement.contradictions[0].certificate, builder);
    }
    let vouched = self::vouched("delegator-v1");
    for ran in [&other.replace("tags/v2.1.0", "heads/main"), &other.replace("v2.1.0", "v2"), "https://example.com/x"] {
        let mut changed = file.statement.clone();
        changed["predicate"]["runDetails"]["builder"]["id"] = json!(ran);
        let agreement = vouched.compare(&self::provenance(&changed));
        assert_eq!((agreement.delegated_builder, agreement.contradictions.len()), (None, 1), "{ran}");
    }
}

#[test]
fn provenance_that_somebody_else_signed_contradicts_at_every_place() {
    let file = recorded("attest-v1-wrong-signer");
    let agreement = vouched("attest-v1-wrong-signer").compare(&provenance(&file.statement));
    let shown: Vec<_> = agreement.contradictions.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"));
    // What both happen to say.
    assert_eq!(agreement.confirmed, [Fact::Runner, Fact::Trigger]);
}

/// Every place that says something is compared: whoever changes one of them is found out, and where it was.
#[test]
fn a_change_at_any_place_contradicts_there() {
    for name in ISOLATED {
        let file = recorded(name);
        let vouched = vouched(name);
        let said = provenance(&file.statement).said;
        assert!(said.len() >= 8, "{name}");
        for said in said {
            if name == "delegator-v1" && said.fact == Fact::Builder {
                continue;
            }
            let mut changed = file.statement.clone();
            let pointer = format!("/{}", said.place.replace(['.', '['], "/").replace(']', ""));
            let place = changed.pointer_mut(&pointer).unwrap_or_else(|| panic!("{name} {pointer}"));
            *place = match place {
                Value::Number(number) => json!(number.as_u64().expect("a number") + 1),
                Value::String(text) if said.fact == Fact::Commit || said.fact == Fact::WorkflowCommit => {
                    json!(text.replace('4', "5").replace('8', "9"))
                }
                Value::String(text) if text.contains('@') && said.fact == Fact::Repository => {
                    json!(text.replacen('@', "x@", 1))
                }
                Value::String(text) if said.place.ends_with("nvocationID") && said.fact == Fact::RunNumber => {
                    json!(format!("1{text}"))
                }
                Value::String(text) => json!(format!("{text}1")),
                other => panic!("{name} {pointer} {other}"),
            };
            let contradictions = vouched.compare(&provenance(&changed)).contradictions;
            assert_eq!(contradictions.len(), 1, "{name} {said:?} {contradictions:?}");
            assert_eq!((contradictions[0].fact, &contradictions[0].place), (said.fact, &said.place), "{name}");
        }
    }
}

#[test]
fn builders_that_are_runners_say_on_whose_machine() {
    let mut file = recorded("attest-v1-module");
    let mut vouched = vouched("attest-v1-module");
    let table = [
        ("https://github.com/actions/runner", "github-hosted", true),
        ("https://github.com/actions/runner/github-hosted", "github-hosted", true),
        ("https://github.com/actions/runner/github-hosted", "self-hosted", false),
        ("https://github.com/actions/runner/self-hosted", "self-hosted", true),
        ("https://github.com/actions/runner", "self-hosted", false),
        ("https://github.com/actions/runner-of-mallory", "github-hosted", false),
        ("https://github.com/actions/runner/", "github-hosted", false),
    ];
    for (builder, runner, agrees) in table {
        file.statement["predicate"]["runDetails"]["builder"]["id"] = json!(builder);
        vouched.runner = Some(runner.to_owned());
        let agreement = vouched.compare(&provenance(&file.statement));
        let builder_agrees = agreement.contradictions.iter().all(|found| found.fact != Fact::Builder);
        assert_eq!(builder_agrees, agrees, "{builder} {runner}");
    }
}

#[test]
fn level_three_needs_another_repositorys_workflow_on_githubs_machines() {
    let generator = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_go_slsa3.yml";
    let at = |reference: &str| format!("{generator}@{reference}");
    let elsewhere = "https://github.com/bazel-contrib/publish-to-bcr/.github/workflows/publish.yaml@refs/heads/main";
    let own = "https://github.com/o/r/.github/workflows/reusable.yml@refs/tags/v1.0.0";
    let table = [
        (at("refs/tags/v2.1.0"), "github-hosted", Level::Three),
        (elsewhere.to_owned(), "github-hosted", Level::Three),
        // slsa-verifier's rule for the generator: a full release.
        (at("refs/heads/main"), "github-hosted", Level::Two),
        (at("refs/tags/v2"), "github-hosted", Level::Two),
        (at("refs/tags/v2.1.0-rc.1"), "github-hosted", Level::Two),
        (at("refs/tags/v2.1.0+x"), "github-hosted", Level::Two),
        (at("v2.1.0"), "github-hosted", Level::Two),
        (generator.replace("slsa-framework", "SLSA-Framework") + "@refs/heads/main", "github-hosted", Level::Two),
        // A reusable workflow of one's own is one's own, in whatever case.
        (own.to_owned(), "github-hosted", Level::Two),
        (own.replace("o/r", "O/R"), "github-hosted", Level::Two),
        (elsewhere.to_owned(), "self-hosted", Level::One),
        (elsewhere.to_owned(), "", Level::One),
        // No workflow at all.
        ("https://github.com/a/b@refs/heads/main".to_owned(), "github-hosted", Level::Two),
        ("https://github.com/a/b/action.yml@refs/heads/main".to_owned(), "github-hosted", Level::Two),
        ("https://example.com/a/b/.github/workflows/x.yml@refs/heads/main".to_owned(), "github-hosted", Level::Two),
    ];
    let mut vouched = vouched("generic-v0.2");
    vouched.repository = Repository::parse("https://github.com/o/r").expect("a repository");
    for (builder, runner, level) in table {
        vouched.builder.clone_from(&builder);
        vouched.runner = Some(runner.to_owned());
        assert_eq!(vouched.provable_level(), level, "{builder} {runner}");
    }
    vouched.builder = elsewhere.to_owned();
    vouched.runner = Some("github-hosted".to_owned());
    for (issuer, runner, level) in [
        ("https://token.actions.githubusercontent.com.example.com", "github-hosted", Level::One),
        ("https://gitlab.com", "github-hosted", Level::One),
        ("https://gitlab.com", "gitlab-hosted", Level::Two),
        ("https://gitlab.example.com", "gitlab-hosted", Level::One),
        ("https://token.actions.githubusercontent.com", "gitlab-hosted", Level::One),
    ] {
        (vouched.issuer, vouched.runner) = (issuer.to_owned(), Some(runner.to_owned()));
        assert_eq!(vouched.provable_level(), level, "{issuer} {runner}");
    }
    vouched.runner = None;
    assert_eq!(vouched.provable_level(), Level::One);
}

/// What the builders of others write means what their build type says, and must not be taken for a contradiction.
#[test]
fn images_and_dockerfiles_are_no_source() {
    let mut file = recorded("generic-v0.2").statement;
    let materials = file.pointer_mut("/predicate/materials").and_then(Value::as_array_mut).expect("materials");
    materials.insert(0, json!({"uri": "pkg:docker/golang@1.26", "digest": {"sha256": "a".repeat(64)}}));
    materials.insert(1, json!({"uri": "https://github.com/actions/virtual-environments/releases/tag/ubuntu22"}));
    *file.pointer_mut("/predicate/invocation/configSource").expect("it") =
        json!({"uri": "oci://example.com/build", "digest": {"sha256": "a".repeat(64)}, "entryPoint": "Dockerfile"});
    let provenance = provenance(&file);
    assert_eq!(provenance.source.reference.as_deref(), Some("refs/tags/v14.2"));
    assert_eq!(provenance.about(Fact::Repository).count(), 1);
    assert_eq!(vouched("generic-v0.2").compare(&provenance).contradictions, []);
    // What claims to be from Git is compared, whether it is an address or not.
    *file.pointer_mut("/predicate/materials/0/uri").expect("it") = json!("git+file:///tmp/x@refs/tags/v14.2");
    let contradictions =
        vouched("generic-v0.2").compare(&Provenance::parse(&parse(&file).expect("a statement")).expect("it"));
    assert_eq!(contradictions.contradictions.len(), 1);
}

#[test]
fn claims_that_contradict_each_other_vouch_for_nothing() {
    let good = recorded("generic-v0.2").claims.expect("claims");
    let other = || Some("other".to_owned());
    type Change = fn(&mut Claims, Option<String>);
    let contradictions: [(&str, Change); 7] = [
        ("source repository", |claims, other| claims.github.repository = other),
        ("build signer", |claims, other| claims.build_signer_uri = other),
        ("source commit", |claims, other| claims.github.sha = other),
        ("workflow commit", |claims, other| claims.build_config_digest = other),
        ("source ref", |claims, other| claims.github.reference = other),
        ("source ref", |claims, other| claims.source_repository_ref = other),
        ("trigger", |claims, other| claims.build_trigger = other),
    ];
    for (claim, change) in contradictions {
        let mut claims = good.clone();
        change(&mut claims, other());
        let found = match Vouched::of(&claims) {
            Err(ClaimsError::Contradiction { claim, .. }) => claim,
            other => panic!("{claim}: {other:?}"),
        };
        assert_eq!(found, claim);
    }
    let mut claims = good.clone();
    claims.issuer = None;
    assert_eq!(Vouched::of(&claims), Err(ClaimsError::Missing { claim: "issuer" }));
    let mut claims = good.clone();
    (claims.source_repository_uri, claims.github.repository) = (None, None);
    assert_eq!(Vouched::of(&claims), Err(ClaimsError::Missing { claim: "source repository" }));
    let mut claims = good.clone();
    (claims.source_repository_uri, claims.github.repository) = (Some("https://github.com".to_owned()), None);
    assert_eq!(Vouched::of(&claims), Err(ClaimsError::Repository { found: "https://github.com".to_owned() }));
    let mut claims = good;
    claims.san = San::Email("mallory@example.com".to_owned());
    assert_eq!(Vouched::of(&claims), Err(ClaimsError::NoWorkflow { found: "mallory@example.com".to_owned() }));
}

fn minimal() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": "0".repeat(64)}}],
        "predicateType": "https://example.com/p",
    })
}

#[test]
fn statements_that_are_refused_say_why() {
    parse(&minimal()).expect("the minimal statement");
    let with = |pointer: &str, key: &str, value: Value| {
        let mut statement = minimal();
        statement.pointer_mut(pointer).expect("a place")[key] = value;
        statement.to_string()
    };
    let subjects = |count: usize| with("", "subject", json!(vec![json!({"digest": {"a": "b"}}); count]));
    let digests = |count: usize| {
        let digests: Value =
            (0..count).map(|index| (format!("a{index}"), json!("b"))).collect::<serde_json::Map<_, _>>().into();
        with("/subject/0", "digest", digests)
    };
    for text in [subjects(MAX_SUBJECTS), digests(MAX_DIGESTS)] {
        Statement::parse(PAYLOAD_TYPE, text.as_bytes()).expect("at the limit");
    }
    let text = |pointer: &str, key: &str, value: &str| with(pointer, key, json!(value));
    let nested = format!("{}{}", r#"{"a":"#.repeat(40), "1") + &"}".repeat(40);
    let table = [
        ("too many subjects", subjects(MAX_SUBJECTS + 1)),
        ("10,000 subjects", subjects(10_000)),
        ("too many digests", digests(MAX_DIGESTS + 1)),
        ("no subject", with("", "subject", json!([]))),
        ("subject is an object", with("", "subject", json!({}))),
        ("subject is a text", with("", "subject", json!(["a"]))),
        ("no digest", with("/subject/0", "digest", json!({}))),
        ("null digest", with("/subject/0", "digest", Value::Null)),
        ("number for a digest", with("/subject/0/digest", "sha256", json!(1))),
        ("digest in capitals", text("/subject/0/digest", "sha256", &"A".repeat(64))),
        ("digest too short", text("/subject/0/digest", "sha256", &"a".repeat(63))),
        ("sha512 of 256 bits", text("/subject/0/digest", "sha512", &"a".repeat(64))),
        (
            "h1 instead of hexadecimal",
            text("/subject/0/digest", "dirHash1", "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48="),
        ),
        ("gitCommit of 41 digits", text("/subject/0/digest", "gitCommit", &"a".repeat(41))),
        ("name is a number", with("/subject/0", "name", json!(1))),
        ("unknown type", text("", "_type", "https://in-toto.io/Statement/v2")),
        ("no type", with("", "_type", Value::Null)),
        ("empty predicate type", text("", "predicateType", "")),
        ("predicate is a list", with("", "predicate", json!([]))),
        ("a field in another case", with("", "Subject", json!([]))),
        ("key twice", minimal().to_string().replacen('{', r#"{"predicateType":"a","#, 1)),
        ("key twice in the predicate", with("", "predicate", json!("@")).replace(r#""@""#, r#"{"a":1,"\u0061":2}"#)),
        ("deep", with("", "predicate", json!("@")).replace(r#""@""#, &nested)),
        ("a list", "[]".to_owned()),
        ("not JSON", "{".to_owned()),
        ("something behind", minimal().to_string() + "{}"),
        ("byte order mark", format!("\u{feff}{}", minimal())),
        ("too large", with("", "predicate", json!({"a": " ".repeat(MAX_PAYLOAD)}))),
    ];
    let shown: Vec<_> = table
        .iter()
        .map(|(what, text)| match Statement::parse(PAYLOAD_TYPE, text.as_bytes()) {
            Ok(_) => panic!("{what} passed"),
            Err(error) => format!("{what}: {error}"),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    let error = Statement::parse("application/json", minimal().to_string().as_bytes()).expect_err("another type");
    assert!(matches!(error, StatementError::PayloadType { .. }));
}

#[test]
fn predicates_may_have_fractions_and_large_numbers() {
    let mut statement = minimal();
    statement["predicate"] = json!({"score": 0.5, "id": u64::MAX, "more": {"a": [1e10]}});
    assert_eq!(Value::Object(parse(&statement).expect("a statement").predicate), statement["predicate"]);
}

#[test]
fn provenance_that_is_refused_says_why() {
    let v02 = recorded("generic-v0.2").statement;
    let v1 = recorded("attest-v1-module").statement;
    let with = |base: &Value, pointer: &str, value: Value| {
        let mut statement = base.clone();
        *statement.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        statement
    };
    let many = json!(vec![json!({"uri": "a"}); MAX_MATERIALS + 1]);
    Provenance::parse(
        &parse(&with(&v02, "/predicate/materials", json!(vec![json!({}); MAX_MATERIALS]))).expect("a statement"),
    )
    .expect("at the limit");
    let table = [
        ("v0.1", with(&v02, "/predicateType", json!("https://slsa.dev/provenance/v0.1"))),
        ("a summary", with(&v02, "/predicateType", json!("https://slsa.dev/verification_summary/v1"))),
        ("v0.2 read as v1", with(&v02, "/predicateType", json!("https://slsa.dev/provenance/v1"))),
        ("v1 read as v0.2", with(&v1, "/predicateType", json!("https://slsa.dev/provenance/v0.2"))),
        ("v0.2 without builder", with(&v02, "/predicate/builder", Value::Null)),
        ("v0.2 with an empty builder", with(&v02, "/predicate/builder/id", json!(""))),
        ("v0.2 with a list for a builder", with(&v02, "/predicate/builder/id", json!(["a"]))),
        ("v0.2 without build type", with(&v02, "/predicate/buildType", Value::Null)),
        ("v0.2 with too many materials", with(&v02, "/predicate/materials", many.clone())),
        ("v0.2 with a text for materials", with(&v02, "/predicate/materials", json!("a"))),
        ("v0.2 with an odd commit", with(&v02, "/predicate/materials/0/digest/sha1", json!("A"))),
        ("v0.2 with a list in the environment", with(&v02, "/predicate/invocation/environment/github_ref", json!([]))),
        ("v0.2 with a fraction for a run", with(&v02, "/predicate/invocation/environment/github_run_id", json!(1.5))),
        ("v1 without builder", with(&v1, "/predicate/runDetails/builder/id", Value::Null)),
        ("v1 without details", with(&v1, "/predicate/runDetails", Value::Null)),
        ("v1 without definition", with(&v1, "/predicate/buildDefinition", Value::Null)),
        ("v1 without parameters", with(&v1, "/predicate/buildDefinition/externalParameters", Value::Null)),
        ("v1 with too many dependencies", with(&v1, "/predicate/buildDefinition/resolvedDependencies", many)),
        (
            "v1 with a number for a ref",
            with(&v1, "/predicate/buildDefinition/externalParameters/workflow/ref", json!(1)),
        ),
    ];
    let shown: Vec<_> = table
        .iter()
        .map(|(what, statement)| match Provenance::parse(&parse(statement).expect("a statement")) {
            Ok(_) => panic!("{what} passed"),
            Err(error) => format!("{what}: {error}"),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert!(matches!(Provenance::parse(&parse(&table[0].1).expect("a statement")), Err(SlsaError::V01)));
}

#[test]
fn inputs_are_those_of_the_event_only_if_it_was_a_dispatch() {
    let mut file = recorded("generic-v0.2-dispatch").statement;
    let environment = "/predicate/invocation/environment";
    file.pointer_mut(environment).expect("it")["github_event_payload"]["inputs"] = json!({"release": true});
    assert_eq!(provenance(&file).inputs["release"], json!(true));
    file.pointer_mut(environment).expect("it")["github_event_name"] = json!("repository_dispatch");
    assert!(provenance(&file).inputs.is_empty());
    let delegated = provenance(&recorded("delegator-v1").statement);
    assert_eq!(delegated.inputs["content"], json!("hello"));
    assert!(delegated.parameters.contains_key("vars"));
}

/// The example of in-toto's specification.
const H1_TEXT: &str = "h1:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=";
const DIR_HASH: &str = "2a1bb6127fb481c60f67692e22285fb306f3c6ffe62075e0ccf674d7c3adcb8f";

fn about(subjects: Value) -> Statement {
    let mut statement = minimal();
    statement["subject"] = subjects;
    parse(&statement).expect("a statement")
}

#[test]
fn a_statement_joins_by_the_zips_digests_alone() {
    let line = format!("github.com/marklodato/go-hello-world v0.0.1 {H1_TEXT}\n");
    let Some(Line::Entry(entry)) = lines(line.as_bytes()).next() else { panic!("no entry") };
    let zip = Zip::of_line(entry.of, entry.hash).expect("a zip's line");
    assert_eq!(zip.h1.to_string(), H1_TEXT);
    let known = Zip { sha256: Some([7; 32]), ..zip };
    let (sha256, other) = ("07".repeat(32), "a".repeat(64));

    assert_eq!(joins(&about(json!([{"digest": {"dirHash1": DIR_HASH}}])), &zip), Ok(By::DirHash1));
    let second =
        json!([{"digest": {"sha256": other}}, {"name": "x", "digest": {"dirHash1": DIR_HASH, "sha256": other}}]);
    assert_eq!(joins(&about(second.clone()), &zip), Ok(By::DirHash1));
    // Another zip with the same files has another SHA-256.
    assert_eq!(joins(&about(second), &known), Ok(By::DirHash1));
    assert_eq!(joins(&about(json!([{"digest": {"sha256": sha256}}])), &known), Ok(By::Sha256));

    // The zip's SHA-256 is needed to join by it.
    let none = |statement: &Statement, zip: &Zip| matches!(joins(statement, zip), Err(JoinError::Other { .. }));
    assert!(none(&about(json!([{"digest": {"sha256": sha256}}])), &zip));
    // The right digits under another name are another digest.
    assert!(none(&about(json!([{"digest": {"sha256": DIR_HASH, "dirHash2": DIR_HASH}}])), &known));
    assert!(none(&about(json!([{"digest": {"dirHash1": sha256}}])), &known));
    // A name is no digest.
    let named =
        json!([{"name": "pkg:golang/github.com/marklodato/go-hello-world@v0.0.1", "digest": {"dirHash1": other}}]);
    assert!(none(&about(named), &known));
    assert_eq!(
        joins(&about(json!([{"digest": {"sha256": sha256, "dirHash1": other}}])), &known),
        Err(JoinError::Contradiction { expected: DIR_HASH.to_owned(), found: other })
    );
}

#[test]
fn a_modules_statement_joins_the_module() {
    let zip = Zip { sha256: Some([7; 32]), ..Zip::of_line(Of::Zip, H1_TEXT).expect("a zip's line") };
    let version = module("github.com/marklodato/go-hello-world@v0.0.1");
    let predicate = serde_json::Map::from_iter([("a".to_owned(), json!(1))]);
    let statement = Statement::of_module(&version, &zip, "https://example.com/p".to_owned(), predicate);
    insta::assert_snapshot!(serde_json::to_string_pretty(&statement.to_json()).expect("JSON"));
    assert_eq!(parse(&statement.to_json()).expect("a statement"), statement);
    assert_eq!(joins(&statement, &Zip { sha256: None, ..zip }), Ok(By::DirHash1));
    for name in ISOLATED {
        let real = parse(&recorded(name).statement).expect("a statement");
        assert_eq!(parse(&real.to_json()).expect("a statement"), real, "{name}");
    }
}

#[test]
fn the_hash_of_a_go_mod_joins_nothing() {
    assert_eq!(Zip::of_line(Of::GoMod, H1_TEXT), None);
    for hash in ["h2:Khu2En+0gcYPZ2kuIihfswbzxv/mIHXgzPZ018Oty48=", "h1:", "h1:Khu2", DIR_HASH] {
        assert_eq!(Zip::of_line(Of::Zip, hash), None, "{hash}");
    }
}

#[test]
fn repositories_of_module_paths_are_cmd_gos() {
    let table = [
        ("github.com/o/r", Some(("https://github.com/o/r", ""))),
        ("github.com/O/R/v2", Some(("https://github.com/O/R", ""))),
        ("github.com/o/r/sub", Some(("https://github.com/o/r", "sub"))),
        ("github.com/o/r/sub/v3", Some(("https://github.com/o/r", "sub"))),
        ("github.com/o/r/v2/sub", Some(("https://github.com/o/r", "v2/sub"))),
        ("github.com/o/v2", Some(("https://github.com/o/v2", ""))),
        ("github.com/o/r/v1x", Some(("https://github.com/o/r", "v1x"))),
        ("github.com/o", None),
        ("github.com/o/r.git", None),
        ("bitbucket.org/o/r/a/b", Some(("https://bitbucket.org/o/r", "a/b"))),
        ("gitlab.com/o/r", Some(("https://gitlab.com/o/r", ""))),
        ("gitlab.com/o/r/v2", Some(("https://gitlab.com/o/r", ""))),
        // Groups nest: where the repository ends is not in the path.
        ("gitlab.com/g/s/r", None),
        ("gitlab.com/g/s/r.git/sub", Some(("https://gitlab.com/g/s/r", "sub"))),
        ("gopkg.in/yaml.v3", Some(("https://github.com/go-yaml/yaml", ""))),
        ("gopkg.in/natefinch/lumberjack.v2", Some(("https://github.com/natefinch/lumberjack", ""))),
        ("gopkg.in/yaml.v3-unstable", Some(("https://github.com/go-yaml/yaml", ""))),
        ("gopkg.in/a/b/c.v1", None),
        ("example.com/x/y.git", Some(("https://example.com/x/y", ""))),
        ("example.com/x/y.git/sub/v2", Some(("https://example.com/x/y", "sub"))),
        ("example.com/x/y", None),
        ("golang.org/x/mod", None),
        ("github.com.example.com/o/r", None),
    ];
    for (path, expected) in table {
        let home = repository_of(path).map(|home| (home.repository.to_string(), home.directory.to_owned()));
        let expected = expected.map(|(repository, directory)| (repository.to_owned(), directory.to_owned()));
        assert_eq!(home, expected, "{path}");
    }
}

#[test]
fn a_repository_holds_the_modules_below_it() {
    let table = [
        ("https://github.com/O/r", "github.com/o/R/sub", Some("sub")),
        ("https://github.com/o/r2", "github.com/o/r", None),
        ("https://github.com/go-yaml/yaml", "gopkg.in/yaml.v3", Some("")),
        ("https://gitlab.com/g/s/r", "gitlab.com/g/s/r/sub/v2", Some("sub")),
        ("https://gitlab.com/g/s/r", "gitlab.com/G/s/r", Some("")),
        ("https://gitlab.com/g/s/r", "gitlab.com/g/s/rr", None),
        ("https://gitlab.com/g", "gitlab.com/g/s/r", None),
        ("https://example.com/g/s/r", "gitlab.com/g/s/r", None),
        ("https://example.com/o/r", "example.com/o/r", None),
    ];
    for (repository, module, directory) in table {
        let repository = Repository::parse(repository).expect("a repository");
        assert_eq!(repository.directory_of(module), directory, "{repository} {module}");
    }
}

#[test]
fn addresses_are_read_in_a_few_forms_only() {
    for same in [
        "git+https://github.com/o/r",
        "https://github.com/o/r",
        "https://github.com/O/R.git/",
        "github.com/o/r",
        "https://GitHub.com/o/r",
    ] {
        assert_eq!(Repository::parse(same), Repository::parse("github.com/o/r"), "{same}");
    }
    assert_ne!(Repository::parse("example.com/O/r"), Repository::parse("example.com/o/r"));
    for odd in [
        "",
        "/",
        "github.com",
        "github.com/",
        "https://",
        "git+github.com/o/r",
        "http://github.com/o/r",
        "ssh://git@github.com/o/r",
        "https://github.com:443/o/r",
        "https://u@github.com/o/r",
        "https://github.com/o/../r",
        "https://github.com//o/r",
        "https://github.com/o/r?x",
        "https://github.com/o/r#x",
        "https://github.com/o/r%2e",
        "git@github.com:o/r",
        "o/r",
        "https://github.com/o/r/.",
        "https://github.com/o/ r",
        "https://github.com/o/r\n",
        "https://github.com/o/\u{440}",
    ] {
        assert_eq!(Repository::parse(odd), None, "{odd:?}");
    }
    assert_eq!(
        split_ref("git+https://github.com/o/r@refs/tags/v1@x"),
        ("git+https://github.com/o/r", Some("refs/tags/v1@x"))
    );
    assert_eq!(split_ref("https://github.com/o/r@"), ("https://github.com/o/r", None));
    let workflow =
        Workflow::parse("https://github.com/o/r/.github/workflows/x.yml@refs/tags/v1.2.3").expect("a workflow");
    assert_eq!(workflow.to_string(), "https://github.com/o/r/.github/workflows/x.yml@refs/tags/v1.2.3");
    for odd in [
        "",
        "https://github.com/o/r@x",
        "https://github.com/o/r/@x",
        "https://github.com/o/r/x.yml",
        "https://github.com/o/r/x.yml@",
    ] {
        assert_eq!(Workflow::parse(odd), None, "{odd}");
    }
}

#[test]
fn a_version_is_its_tag_or_its_commit() {
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let long = "0123456789ab".to_owned() + &"c".repeat(52);
    let table = [
        ("github.com/o/r@v1.2.3", "", "refs/tags/v1.2.3", None, "ok"),
        ("github.com/o/r/v2@v2.0.1", "", "refs/tags/v2.0.1", None, "ok"),
        ("github.com/o/r/sub/v2@v2.0.1", "sub", "refs/tags/sub/v2.0.1", None, "ok"),
        ("github.com/o/r@v2.0.0+incompatible", "", "refs/tags/v2.0.0", None, "ok"),
        ("gopkg.in/yaml.v3@v3.0.1", "", "refs/tags/v3.0.1", None, "ok"),
        ("github.com/o/r@v1.2.3-rc.1", "", "refs/tags/v1.2.3-rc.1", None, "ok"),
        (
            "github.com/o/r@v1.2.3",
            "",
            "refs/tags/v1.2.4",
            Some(commit),
            "it was built from refs/tags/v1.2.4, and the version's tag is refs/tags/v1.2.3",
        ),
        (
            "github.com/o/r@v1.2.3",
            "",
            "refs/heads/v1.2.3",
            None,
            "it was built from refs/heads/v1.2.3, and the version's tag is refs/tags/v1.2.3",
        ),
        (
            "github.com/o/r@v1.2.3",
            "",
            "v1.2.3",
            None,
            "it was built from v1.2.3, and the version's tag is refs/tags/v1.2.3",
        ),
        ("github.com/o/r@v1.2.3", "", "", Some(commit), "the certificate does not say from which ref it was built"),
        // The tag of the root is not that of a directory, and the other way round.
        (
            "github.com/o/r/sub@v1.2.3",
            "sub",
            "refs/tags/v1.2.3",
            None,
            "it was built from refs/tags/v1.2.3, and the version's tag is refs/tags/sub/v1.2.3",
        ),
        (
            "github.com/o/r@v1.2.3",
            "",
            "refs/tags/sub/v1.2.3",
            None,
            "it was built from refs/tags/sub/v1.2.3, and the version's tag is refs/tags/v1.2.3",
        ),
        (
            "github.com/o/r/sub/v2@v2.0.1",
            "sub",
            "refs/tags/sub/v2/v2.0.1",
            None,
            "it was built from refs/tags/sub/v2/v2.0.1, and the version's tag is refs/tags/sub/v2.0.1",
        ),
        ("github.com/o/r@v0.0.0-20240102030405-0123456789ab", "", "refs/heads/main", Some(commit), "ok"),
        ("github.com/o/r@v0.0.0-20240102030405-0123456789ab", "", "", Some(&long), "ok"),
        ("github.com/o/r@v1.2.4-0.20240102030405-0123456789ab", "", "refs/tags/v9.9.9", Some(commit), "ok"),
        ("github.com/o/r@v2.0.1-0.20240102030405-0123456789ab+incompatible", "", "", Some(commit), "ok"),
        (
            "github.com/o/r@v0.0.0-20240102030405-0123456789ab",
            "",
            "refs/heads/main",
            None,
            "the certificate does not say from which commit it was built",
        ),
        (
            "github.com/o/r@v0.0.0-20240102030405-0123456789ab",
            "",
            "refs/heads/main",
            Some("0123456789ab"),
            "it was built from commit 0123456789ab, and the version's commit begins with 0123456789ab",
        ),
        (
            "github.com/o/r@v0.0.0-20240102030405-0123456789ac",
            "",
            "refs/heads/main",
            Some(commit),
            "it was built from commit 0123456789abcdef0123456789abcdef01234567, and the version's commit begins with 0123456789ac",
        ),
        (
            "github.com/o/r@v0.0.0-20240102030405-0123456789ab",
            "",
            "refs/pull/7/merge",
            Some(commit),
            "it was built from refs/pull/7/merge, a pull request that may never have been accepted",
        ),
        (
            "github.com/o/r@v0.0.0-20240102030405-0123",
            "",
            "",
            Some(commit),
            "the version does not name a commit by 12 hexadecimal digits",
        ),
        (
            "github.com/o/r@v0.0.0-20240102030405-zzzzzzzzzzzz",
            "",
            "",
            Some(commit),
            "the version does not name a commit by 12 hexadecimal digits",
        ),
    ];
    for (version, directory, reference, commit, expected) in table {
        let reference = Some(reference).filter(|reference| !reference.is_empty());
        let found = match belongs(&module(version), directory, reference, commit) {
            Ok(()) => "ok".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{version} {reference:?}");
    }
    assert!(matches!(
        belongs(&module("github.com/o/r@v1.0.0"), "", Some("refs/tags/v1.0.1"), None),
        Err(SourceError::Tag { .. })
    ));
    assert_eq!(tag_of("", "v1.2"), None);
}

fn summary() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"dirHash1": DIR_HASH}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {
            "verifier": {"id": "https://example.com/verifier"},
            "timeVerified": "2026-11-27T12:00:00Z",
            "resourceUri": "pkg:golang/github.com/o/r@v1.2.3",
            "policy": {"uri": "https://example.com/policy", "digest": {"sha256": "a".repeat(64)}},
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_2", "SLSA_BUILD_LEVEL_3", "SLSA_SOURCE_LEVEL_4", "SLSA_BUILD_LEVEL_9", "OTHER"],
        },
    })
}

fn read(value: &Value) -> Result<Summary, VsaError> {
    Summary::parse(&parse(value).expect("a statement"))
}

#[test]
fn summaries_are_read() {
    let real = read(&recorded("vsa-v1").statement).expect("a summary");
    assert_eq!(real.verifier_id, "https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1");
    assert_eq!(real.build_level(), Some(2));
    assert_eq!(real.levels, ["BCID_L1", "SLSA_BUILD_LEVEL_2"]);
    assert!(!real.is_about(&module("github.com/o/r@v1.2.3")));

    let own = read(&summary()).expect("a summary");
    assert_eq!(own.build_level(), Some(3));
    assert!(own.is_about(&module("github.com/o/r@v1.2.3")));
    assert!(!own.is_about(&module("github.com/o/r@v1.2.4")));
    assert_eq!(own.policy_digests.get("sha256"), Some("a".repeat(64).as_str()));

    // Version 0.2, as its text has it and as in-toto's library writes it.
    for predicate in [
        json!({"verifier": {"id": "v"}, "resourceUri": "u", "verificationResult": "PASSED", "policyLevel": "SLSA_LEVEL_3"}),
        json!({"verifier": {"id": "v"}, "resource_uri": "u", "verification_result": "PASSED", "policy_level": "SLSA_LEVEL_3"}),
    ] {
        let mut statement = summary();
        statement["predicateType"] = json!("https://slsa.dev/verification_summary/v0.2");
        statement["predicate"] = predicate;
        assert_eq!(read(&statement).expect("a summary").build_level(), Some(3));
    }
}

#[test]
fn summaries_that_do_not_pass_are_refused() {
    let with = |key: &str, value: Value| {
        let mut statement = summary();
        statement["predicate"][key] = value;
        statement
    };
    let mut twice = with("verification_result", json!("FAILED"));
    twice["predicateType"] = json!("https://slsa.dev/verification_summary/v0.2");
    let mut other = summary();
    other["predicateType"] = json!("https://slsa.dev/verification_summary/v0.1");
    read(&with("verifiedLevels", json!(vec!["A"; MAX_LEVELS]))).expect("at the limit");
    let table = [
        ("failed", with("verificationResult", json!("FAILED"))),
        ("in small letters", with("verificationResult", json!("passed"))),
        ("no result", with("verificationResult", Value::Null)),
        ("true", with("verificationResult", json!(true))),
        ("two spellings", twice),
        ("no verifier", with("verifier", json!({}))),
        ("no resource", with("resourceUri", json!(""))),
        ("no time", with("timeVerified", json!("yesterday"))),
        ("a level that is no text", with("verifiedLevels", json!([3]))),
        ("too many levels", with("verifiedLevels", json!(vec!["A"; MAX_LEVELS + 1]))),
        ("version 0.1", other),
    ];
    let shown: Vec<_> = table
        .iter()
        .map(|(what, statement)| match read(statement) {
            Ok(_) => panic!("{what} passed"),
            Err(error) => format!("{what}: {error}"),
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn package_urls_name_one_module_version() {
    let table = [
        ("pkg:golang/github.com/O/r@v1.2.3", "github.com/O/r@v1.2.3", true),
        ("pkg:golang/github.com/o/r@v1.2.3", "github.com/O/r@v1.2.3", true),
        ("pkg:golang/github.com/O/r@v1.2.3", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com%2Fo%2fr@v1.2.3", "github.com/o/r@v1.2.3", true),
        ("pkg:golang/github.com/o/r@v2.0.0%2Bincompatible", "github.com/o/r@v2.0.0+incompatible", true),
        ("pkg:golang/github.com/o/r@v2.0.0+incompatible", "github.com/o/r@v2.0.0+incompatible", true),
        ("pkg:golang/github.com/o/r@v2.0.0", "github.com/o/r@v2.0.0+incompatible", false),
        ("pkg:golang/github.com/o/r@1.2.3", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com/o/r", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com/o/r@v1.2.3?type=module", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com/o/r@v1.2.3#sub", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com/o/r@v1.2.3%", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com/o/r@v1.2.3%0", "github.com/o/r@v1.2.3", false),
        ("pkg:golang/github.com/o/%ff@v1.2.3", "github.com/o/r@v1.2.3", false),
        ("pkg:npm/github.com/o/r@v1.2.3", "github.com/o/r@v1.2.3", false),
    ];
    for (uri, version, expected) in table {
        assert_eq!(is_purl_of(uri, &module(version)), expected, "{uri} {version}");
    }
    assert_eq!(purl(&module("github.com/o/r@v2.0.0+incompatible")), "pkg:golang/github.com/o/r@v2.0.0%2Bincompatible");
}

proptest! {
    #[test]
    fn purls_are_read_as_they_are_written(path in "(github|gitlab)\\.com/[A-Za-z][a-z0-9~_]{0,8}x/[A-Za-z]{1,8}", number in 0u32..99, incompatible: bool) {
        let major = if incompatible { 2 } else { 1 };
        let suffix = if incompatible { "+incompatible" } else { "" };
        let version = module(&format!("{path}@v{major}.0.{number}{suffix}"));
        prop_assert!(is_purl_of(&purl(&version), &version));
    }

    #[test]
    fn repositories_are_read_as_they_are_shown(text in "(git\\+)?(https://)?[a-zA-Z./@-]{0,30}") {
        if let Some(repository) = Repository::parse(&text) {
            prop_assert_eq!(Repository::parse(&repository.to_string()), Some(repository));
        }
    }

    #[test]
    fn only_the_h1_of_the_line_joins(line: [u8; 32], other: [u8; 32]) {
        let statement = about(json!([{"digest": {"dirHash1": modanchor_core::hex::encode(&other)}}]));
        let joined = joins(&statement, &Zip { h1: H1(line), sha256: None }).is_ok();
        prop_assert_eq!(joined, line == other);
    }

    #[test]
    fn a_version_has_one_tag(directory in "([a-z]{1,5}(/[a-z]{1,5}){0,2})?", number in 0u32..99, tag in "refs/tags/([a-z]{1,5}/){0,3}v1\\.0\\.[0-9]{1,2}") {
        let version = module(&format!("example.com/x@v1.0.{number}"));
        let expected = tag_of(&directory, version.version()).expect("a tag");
        prop_assert!(belongs(&version, &directory, Some(&expected), None).is_ok());
        prop_assert_eq!(belongs(&version, &directory, Some(&tag), None).is_ok(), tag == expected);
    }

    #[test]
    fn nothing_panics(name in prop::sample::select(&ISOLATED[..]), at: prop::sample::Index, byte: u8) {
        let file = recorded(name);
        let mut payload = file.statement.to_string().into_bytes();
        let at = at.index(payload.len());
        payload[at] = byte;
        if let Ok(statement) = Statement::parse(PAYLOAD_TYPE, &payload)
            && let Ok(provenance) = Provenance::parse(&statement)
        {
            let _ = vouched(name).compare(&provenance);
        }
        let _ = Statement::parse(PAYLOAD_TYPE, &payload[..at]);
    }
}
