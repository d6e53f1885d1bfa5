//! Attestations in whole sessions: which grade they give, and what is found where something is wrong with them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::bytes::{Copy, Files};
use super::tuf::{Machine as TufMachine, repositories, repository};
use super::*;
use crate::contract::{AttestationPlace, AttestationsGet, Floor, PolicyGrade, Repository, TrustedRoot, ZipDigest};
use crate::hex;
use crate::policy::file as policy_file;
use crate::policy::judge::Ruling;
use crate::report::{Grade, ModuleSummary, SignatureStatus};
use crate::sigstore::testing::{Content, Extension, Instance, Leaf, Recipe, Rekor, Signer as By};
use crate::tuf::testing::Forge;

const LIB: &str = "github.com/acme/lib";
const VERSION: &str = "v1.2.3";
const TAG: &str = "refs/tags/v1.2.3";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const RELEASE: &str = ".github/workflows/release.yml";
/// Listed as a builder and as a signer.
const GENERATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/\
                         generator_generic_slsa3.yml@refs/tags/v2.1.0";
/// Listed as a builder alone.
const STRANGE_SIGNER: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/\
                              builder_go_slsa3.yml@refs/tags/v2.1.0";
/// Listed as a signer alone.
const STRANGE_BUILDER: &str = "https://github.com/other/builder/.github/workflows/go.yml@refs/tags/v1.0.0";

/// Asks for trusted modules of acme's.
const STRICT: &str = "
schema: modanchor-policy/1
levels:
  3:
    builder_id: https://github.com/slsa-framework/slsa-github-generator/.github/workflows/*@refs/tags/v*
    provenance_version: 1
    environment: { oidc_issuer: https://token.actions.githubusercontent.com, runner: github-hosted }
rules:
  - name: acme
    modules: github.com/acme/*
    require: trusted
    identities:
      - identity_pattern: https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_*@refs/tags/v*
        issuer: https://token.actions.githubusercontent.com
      - identity: https://github.com/other/builder/.github/workflows/go.yml@refs/tags/v1.0.0
        issuer: https://token.actions.githubusercontent.com
    publishers: https://github.com/acme
    required_log: rekor
default:
  require: unverified
";

/// A machine with attestations.
struct Machine {
    instance: Instance,
    /// What lies where, by `PATH@VERSION`.
    attestations: Vec<(AttestationPlace, String, Response)>,
    /// SHA-256 of zips, by `PATH@VERSION`.
    digests: BTreeMap<String, [u8; 32]>,
    shelf: Shelf,
    tuf: TufMachine,
    asked: Vec<(AttestationPlace, String)>,
}

impl Machine {
    fn new() -> Self {
        Self {
            instance: Instance::new(1),
            attestations: Vec::new(),
            digests: BTreeMap::new(),
            shelf: Shelf::default(),
            tuf: TufMachine::default(),
            asked: Vec::new(),
        }
    }

    /// With this beside the zip of LIB at the proxy.
    fn with(content: impl Into<Vec<u8>>) -> Self {
        let mut machine = Self::new();
        machine.put(AttestationPlace::Proxy, LIB, content);
        machine
    }

    fn put(&mut self, place: AttestationPlace, path: &str, content: impl Into<Vec<u8>>) {
        let answer = super::body(content.into(), Origin::Remote);
        self.attestations.push((place, format!("{path}@{VERSION}"), answer));
    }

    fn fail(&mut self, place: AttestationPlace, path: &str, failure: Failure) {
        self.attestations.push((place, format!("{path}@{VERSION}"), Err(failure)));
    }

    fn answer(&mut self, request: &Request) -> Response {
        match request {
            Request::Attestations(AttestationsGet { module, place, .. }) => {
                let name = format!("{}@{}", module.path, module.version);
                self.asked.push((*place, name.clone()));
                let found = self.attestations.iter().find(|(at, of, _)| at == place && *of == name);
                found.map_or(Err(Failure::Absent), |(_, _, answer)| answer.clone())
            }
            Request::ZipDigest(ZipDigest { module }) => {
                let digest = self.digests.get(&format!("{}@{}", module.path, module.version));
                digest.map_or(Err(Failure::Absent), |digest| super::body(digest.to_vec(), Origin::GoCache))
            }
            Request::TufRecall(_) | Request::TufMetadata(_) | Request::TufTarget(_) | Request::TufContent(_) => {
                self.tuf.answer(request)
            }
            other => self.shelf.answer(other),
        }
    }

    fn run(&mut self, job: Job) -> (Outcome, Report) {
        self.asked.clear();
        let mut session = Session::new(job);
        let mut answers = Vec::new();
        loop {
            let step = session.step(std::mem::take(&mut answers));
            match step.next {
                Next::Need(requests) => answers = requests.iter().map(|request| self.answer(request)).collect(),
                Next::Done(outcome) => {
                    let report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                    return (outcome, report);
                }
                Next::Refused(refusal) => panic!("{refusal:?}"),
            }
        }
    }

    /// A go.sum judged by a policy, under the instance's root.
    fn job(&self, go_sum: &str, policy: &str) -> Job {
        let mut job = job(Sumdb::Off("the test".into()), task(vec![file("go.sum", FileKind::GoSum, go_sum)]));
        job.now = instant("2026-11-27T12:00:00Z");
        // That GOSUMDB is off is not what these tests are about.
        job.fail_on = FailOn::High;
        job.sigstore = SigstoreSettings {
            roots: vec![root(self.instance.trusted_root().to_string())],
            places: vec![AttestationPlace::Proxy],
            private: String::new(),
            rekor: false,
        };
        job.policy = (!policy.is_empty()).then(|| read(policy));
        job
    }
}

fn instant(text: &str) -> Instant {
    let at: jiff::Timestamp = text.parse().expect("a time");
    Instant { seconds: at.as_second() as u64, nanoseconds: 0 }
}

fn root(content: String) -> TrustedRoot {
    TrustedRoot {
        name: "trusted-root".into(),
        repository: None,
        target: "trusted_root.json".into(),
        content: content.into_bytes(),
        expires: None,
        set_by: "--trusted-root root.json".into(),
    }
}

fn read(policy: &str) -> crate::contract::Policy {
    policy_file::read(policy.as_bytes(), "policy.yaml").expect("a policy").policy
}

/// A policy with one rule for everything.
fn rule(text: &str) -> String {
    format!(
        "schema: modanchor-policy/1\nrules:\n  - name: all\n    modules: '*'\n{text}\ndefault: {{ require: unverified }}\n"
    )
}

fn line(path: &str, seed: usize) -> String {
    format!("{path} {VERSION} {}\n", hash(seed))
}

/// The go.sum of most tests.
fn lib() -> String {
    line(LIB, 1)
}

fn dir_hash(h1: &str) -> String {
    hex::encode(&STANDARD.decode(h1.strip_prefix("h1:").expect("h1")).expect("base64"))
}

/// How an attestation is made: one that makes LIB trusted, until a test changes something of it.
struct Made {
    repository: &'static str,
    reference: &'static str,
    /// None: a workflow of the repository.
    builder: Option<&'static str>,
    subject: Value,
    predicate_type: &'static str,
    predicate: Value,
    rekor: Rekor,
    /// Whoever signs in place of the workflow.
    person: Option<&'static str>,
    leaf: fn(Leaf) -> Leaf,
}

impl Made {
    fn new() -> Self {
        Self::of("acme/lib", TAG, Some(GENERATOR))
    }

    fn of(repository: &'static str, reference: &'static str, builder: Option<&'static str>) -> Self {
        Self {
            repository,
            reference,
            builder,
            subject: json!([{ "name": "lib.zip", "digest": { "dirHash1": dir_hash(&hash(1)) } }]),
            predicate_type: "https://slsa.dev/provenance/v1",
            predicate: provenance(repository, reference, builder),
            rekor: Rekor::V1,
            person: None,
            leaf: |leaf| leaf,
        }
    }

    fn says(mut self, pointer: &str, value: &str) -> Self {
        *self.predicate.pointer_mut(pointer).expect("it says something there") = json!(value);
        self
    }

    fn sign(&self, instance: &Instance) -> Value {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": self.subject,
            "predicateType": self.predicate_type,
            "predicate": self.predicate,
        });
        let leaf = match self.person {
            Some(email) => Leaf::person(instance, email, "https://accounts.example"),
            None => workflow(instance, self.repository, self.reference, self.builder),
        };
        let mut recipe = Recipe::new(By::Certificate((self.leaf)(leaf)), Content::statement(&statement));
        recipe.rekor = self.rekor;
        recipe.stamped = self.rekor == Rekor::V2;
        instance.bundle(&recipe)
    }

    fn json(&self) -> String {
        self.sign(&Instance::new(1)).to_string()
    }
}

fn workflow(instance: &Instance, repository: &str, reference: &str, builder: Option<&str>) -> Leaf {
    let leaf = Leaf::workflow(instance, repository, RELEASE, reference);
    let Some(builder) = builder else { return leaf };
    let mut leaf = leaf.claim(9, builder).claim(10, "ffffffffffffffffffffffffffffffffffffffff");
    leaf.extensions[1] = Extension::names(&[Extension::uri(builder)]);
    leaf
}

fn provenance(repository: &str, reference: &str, builder: Option<&str>) -> Value {
    let source = format!("https://github.com/{repository}");
    let own = format!("{source}/{RELEASE}@{reference}");
    json!({
        "buildDefinition": {
            "buildType": "https://example.com/go-module/v1",
            "externalParameters": { "workflow": { "repository": source, "ref": reference, "path": RELEASE } },
            "internalParameters": { "github": { "event_name": "push", "runner_environment": "github-hosted" } },
            "resolvedDependencies": [
                { "uri": format!("git+{source}@{reference}"), "digest": { "gitCommit": COMMIT } },
            ],
        },
        "runDetails": {
            "builder": { "id": builder.unwrap_or(&own) },
            "metadata": { "invocationId": format!("{source}/actions/runs/1/attempts/1") },
        },
    })
}

/// All findings but the one that GOSUMDB is off.
fn found(report: &Report) -> Vec<&str> {
    rules(report).into_iter().filter(|rule| *rule != "sumdb-skipped").collect()
}

fn finding<'r>(report: &'r Report, rule: &str) -> &'r Finding {
    report.findings.iter().find(|finding| finding.rule == rule).expect("it is there")
}

fn only_module(report: &Report) -> &ModuleSummary<'static> {
    let [module] = &report.modules[..] else { panic!("{:?}", report.modules) };
    module
}

/// The conditions that are needed, and do not hold.
fn failing(rulings: &[Ruling]) -> Vec<&str> {
    rulings.iter().flat_map(Ruling::failures).map(|condition| condition.what.as_ref()).collect()
}

/// LIB, judged without a policy, and by STRICT.
fn both(content: impl Into<Vec<u8>>) -> (Report, Outcome, Report) {
    let mut machine = Machine::with(content);
    let (_, lax) = machine.run(machine.job(&lib(), ""));
    let (outcome, strict) = machine.run(machine.job(&lib(), STRICT));
    (lax, outcome, strict)
}

#[test]
fn provenance_of_a_listed_builder_makes_a_module_trusted() {
    for rekor in [Rekor::V1, Rekor::V2] {
        let (lax, outcome, strict) = both(Made { rekor, ..Made::new() }.json());
        assert_eq!((outcome.status, found(&strict)), (0, vec![]), "{:?}", strict.findings);
        let module = only_module(&strict);
        assert_eq!((module.grade, failing(&module.rulings)), (Grade::Trusted, vec![]));
        assert_eq!((strict.counts.grades.trusted, strict.counts.grades.unverified), (1, 0));
        let [signature] = &module.signatures[..] else { panic!("{:?}", module.signatures) };
        assert_eq!(signature.status, SignatureStatus::Verified);
        assert_eq!((signature.origin.as_str(), signature.joined_by.as_deref()), ("proxy", Some("dirHash1")));
        assert_eq!(signature.builder.as_deref(), Some(GENERATOR));
        assert_eq!(signature.source_ref.as_deref(), Some(TAG));
        assert_eq!((signature.provable_level, signature.logged.len()), (Some(3), 1));
        // Without a policy nobody is listed.
        assert_eq!((found(&lax), only_module(&lax).grade), (vec![], Grade::Verified));
    }
}

#[test]
fn a_module_without_attestation_is_unverified_and_falls_short() {
    let mut machine = Machine::new();
    let (outcome, report) = machine.run(machine.job(&lib(), STRICT));
    assert_eq!((outcome.status, found(&report)), (1, vec!["policy-grade"]));
    assert_eq!(only_module(&report).grade, Grade::Unverified);
    let found = finding(&report, "policy-grade");
    assert_eq!((found.file.as_deref(), found.line, found.module.as_deref()), (Some("go.sum"), Some(1), Some(LIB)));
    assert_eq!((found.expected.as_deref(), found.found.as_deref()), (Some("trusted"), Some("unverified")));
    assert_eq!(found.by.as_deref(), Some("policy.yaml"));
    insta::assert_snapshot!(found.message);
}

/// What verifies, and is not enough: the conditions say so, and nothing else is wrong.
#[test]
fn what_is_not_enough_for_the_policy_names_the_conditions() {
    type Case = (&'static str, Made, Grade, &'static [&'static str]);
    let cases: [Case; 8] = [
        (
            "a builder that is not listed",
            Made::of("acme/lib", TAG, Some(STRANGE_BUILDER)),
            Grade::Verified,
            &["builder_id"],
        ),
        (
            "an identity that is not listed",
            Made::of("acme/lib", TAG, Some(STRANGE_SIGNER)),
            Grade::Unverified,
            &["identities"],
        ),
        (
            "built and signed by a workflow of its own",
            Made::of("acme/lib", TAG, None),
            Grade::Unverified,
            &["identities", "level 3", "builder_id"],
        ),
        (
            "on a machine of its own",
            Made { leaf: |leaf| leaf.claim(11, "self-hosted"), ..Made::new() }
                .says("/buildDefinition/internalParameters/github/runner_environment", "self-hosted"),
            Grade::Verified,
            &["level 3", "environment.runner"],
        ),
        (
            "provenance of another version",
            Made {
                predicate_type: "https://slsa.dev/provenance/v0.2",
                predicate: json!({ "buildType": "https://example.com/go", "builder": { "id": GENERATOR } }),
                ..Made::new()
            },
            Grade::Verified,
            &["provenance_version"],
        ),
        (
            "a statement that is no provenance",
            Made { predicate_type: "https://example.com/audit/v1", predicate: json!({}), ..Made::new() },
            Grade::Verified,
            &["provenance"],
        ),
        (
            "a person's word",
            Made {
                predicate_type: "https://example.com/audit/v1",
                predicate: json!({}),
                person: Some("a@example.com"),
                ..Made::new()
            },
            Grade::Unverified,
            &["source repository", "identities", "publishers", "provenance"],
        ),
        (
            "a summary by somebody who is not listed",
            Made {
                predicate_type: "https://slsa.dev/verification_summary/v1",
                predicate: summary(LIB),
                person: Some("a@example.com"),
                ..Made::new()
            },
            Grade::Unverified,
            &["identities", "provenance"],
        ),
    ];
    let mut messages = Vec::new();
    for (name, made, grade, conditions) in cases {
        let (_, outcome, report) = both(made.json());
        assert_eq!((outcome.status, found(&report)), (1, vec!["policy-grade"]), "{name}: {:?}", report.findings);
        let module = only_module(&report);
        assert_eq!((module.grade, failing(&module.rulings)), (grade, conditions.to_vec()), "{name}");
        messages.push(format!("{name}:\n  {}", finding(&report, "policy-grade").message));
    }
    insta::assert_snapshot!(messages.join("\n"));
}

fn summary(path: &str) -> Value {
    json!({
        "verifier": { "id": "https://auditor.example" },
        "timeVerified": "2026-11-27T09:00:00Z",
        "resourceUri": format!("pkg:golang/{path}@{VERSION}"),
        "policy": { "uri": "https://auditor.example/policy" },
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    })
}

/// What does not verify, or is about something else: a finding, and no grade. By a policy that asks for more, that too.
#[test]
fn what_is_wrong_with_an_attestation_is_one_finding_and_gives_no_grade() {
    let other = Instance::new(11);
    // Its entries are in the log that is trusted.
    let same_log = Instance { rekor: Instance::new(1).rekor, ..other.clone() };
    let forged = |change: fn(&mut Value)| {
        let mut bundle = Made::new().sign(&Instance::new(1));
        change(&mut bundle);
        bundle.to_string()
    };
    let cases: Vec<(&str, String, &str)> = vec![
        (
            "another repository of the same account",
            Made::of("acme/other", TAG, Some(GENERATOR)).json(),
            "provenance-source",
        ),
        ("another account", Made::of("evil/lib", TAG, Some(GENERATOR)).json(), "provenance-source"),
        ("an account of nearly that name", Made::of("acme-evil/lib", TAG, Some(GENERATOR)).json(), "provenance-source"),
        (
            "provenance of the version before, replayed",
            Made {
                subject: json!([{ "name": "lib.zip", "digest": { "dirHash1": dir_hash(&hash(9)) } }]),
                ..Made::of("acme/lib", "refs/tags/v1.2.2", Some(GENERATOR))
            }
            .json(),
            "provenance-subject",
        ),
        (
            "this zip's subject, from the tag of another version",
            Made::of("acme/lib", "refs/tags/v1.2.2", Some(GENERATOR)).json(),
            "provenance-version",
        ),
        ("a branch", Made::of("acme/lib", "refs/heads/main", Some(GENERATOR)).json(), "provenance-version"),
        (
            "a tag of a folder",
            Made::of("acme/lib", "refs/tags/sub/v1.2.3", Some(GENERATOR)).json(),
            "provenance-version",
        ),
        (
            "a predicate with another builder",
            Made::new().says("/runDetails/builder/id", STRANGE_BUILDER).json(),
            "provenance-contradiction",
        ),
        (
            "a predicate with another commit",
            Made::new().says("/buildDefinition/resolvedDependencies/0/digest/gitCommit", &"a".repeat(40)).json(),
            "provenance-contradiction",
        ),
        (
            "another account that says it is this one",
            Made {
                predicate: provenance("acme/lib", TAG, Some(GENERATOR)),
                ..Made::of("evil/lib", TAG, Some(GENERATOR))
            }
            .json(),
            "provenance-contradiction",
        ),
        (
            "another tag that says it is this one",
            Made {
                predicate: provenance("acme/lib", TAG, Some(GENERATOR)),
                ..Made::of("acme/lib", "refs/tags/v1.2.2", Some(GENERATOR))
            }
            .json(),
            "provenance-contradiction",
        ),
        (
            "a certificate that contradicts itself",
            Made { leaf: |leaf| leaf.claim(5, "acme/other"), ..Made::new() }.json(),
            "provenance-contradiction",
        ),
        (
            "provenance by a person",
            Made { person: Some("a@example.com"), ..Made::new() }.json(),
            "provenance-contradiction",
        ),
        (
            "provenance without its fields",
            Made { predicate: json!({ "buildDefinition": {} }), ..Made::new() }.json(),
            "provenance-malformed",
        ),
        (
            "a summary of another module",
            Made {
                predicate_type: "https://slsa.dev/verification_summary/v1",
                predicate: summary("github.com/acme/other"),
                ..Made::new()
            }
            .json(),
            "provenance-subject",
        ),
        ("an authority that nobody trusts", Made::new().sign(&same_log).to_string(), "sigstore-untrusted"),
        ("a log that nobody trusts", Made::new().sign(&other).to_string(), "sigstore-not-logged"),
        ("no log", Made { rekor: Rekor::None, ..Made::new() }.json(), "sigstore-not-logged"),
        (
            "another payload",
            forged(|bundle| bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode("{}"))),
            "sigstore-bad-log",
        ),
        (
            "a proof for another place",
            forged(|bundle| {
                let hashes = &mut bundle["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["hashes"];
                hashes.as_array_mut().expect("hashes").swap(0, 1);
            }),
            "sigstore-bad-log",
        ),
        ("an object that is no bundle", "{}".to_owned(), "sigstore-malformed"),
        ("no JSON", "<html>404</html>".to_owned(), "sigstore-malformed"),
    ];
    let mut messages = Vec::new();
    for (name, content, rule) in cases {
        let (lax, outcome, strict) = both(content);
        assert_eq!(found(&lax), [rule], "{name}: {:?}", lax.findings);
        assert_eq!(only_module(&lax).grade, Grade::Unverified, "{name}");
        let mut expected = vec![rule, "policy-grade"];
        expected.sort_unstable();
        let mut rules = found(&strict);
        rules.sort_unstable();
        assert_eq!((outcome.status, rules), (1, expected), "{name}: {:?}", strict.findings);
        assert_eq!(only_module(&strict).grade, Grade::Unverified, "{name}");
        let found = finding(&lax, rule);
        assert_eq!((found.file.as_deref(), found.line), (Some("go.sum"), Some(1)), "{name}");
        messages.push(format!("{name}: {rule}\n  {}", found.message));
    }
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn of_several_attestations_the_best_counts_and_the_bad_ones_are_told() {
    let good = Made::new().json();
    let bad = Made::of("evil/lib", TAG, Some(GENERATOR)).json();
    let (_, outcome, report) = both(format!("{bad}\n{good}\n"));
    assert_eq!((outcome.status, found(&report)), (1, vec!["provenance-source"]));
    let module = only_module(&report);
    assert_eq!((module.grade, module.signatures.len()), (Grade::Trusted, 2));
}

/// The conditions of a grade must hold of one attestation.
#[test]
fn the_builder_of_one_and_the_signer_of_another_make_nothing() {
    let builder = Made::of("acme/lib", TAG, Some(STRANGE_SIGNER)).json();
    let signer = Made::of("acme/lib", TAG, Some(STRANGE_BUILDER)).json();
    let (_, _, report) = both(format!("[{builder},{signer}]"));
    assert_eq!(only_module(&report).grade, Grade::Verified);
    assert_eq!(failing(&only_module(&report).rulings), ["builder_id"]);
}

#[test]
fn one_attestation_of_two_places_is_judged_like_one() {
    let policy = rule("    require: verified\n    source_repositories: https://github.com/forks/lib");
    let fork = Made::of("forks/lib", TAG, Some(GENERATOR)).json();
    let mut machine = Machine::with(fork.clone());
    machine.put(AttestationPlace::ModuleCache, LIB, fork);
    let mut job = machine.job(&lib(), &policy);
    job.sigstore.places.push(AttestationPlace::ModuleCache);
    let (outcome, report) = machine.run(job);
    assert_eq!((outcome.status, found(&report)), (0, vec![]), "{:?}", report.findings);
    assert_eq!(only_module(&report).grade, Grade::Verified);
}

#[test]
fn a_source_that_the_policy_lists_is_the_modules_own_and_no_other_is() {
    let policy = rule("    require: verified\n    source_repositories: https://github.com/forks/lib");
    for (repository, grade, rules) in [
        ("forks/lib", Grade::Verified, &[][..]),
        ("forks/lib2", Grade::Unverified, &["policy-grade", "provenance-source"]),
        ("acme/lib", Grade::Unverified, &["policy-grade"]),
    ] {
        let mut machine = Machine::with(Made::of(repository, TAG, Some(GENERATOR)).json());
        let (_, report) = machine.run(machine.job(&lib(), &policy));
        assert_eq!((only_module(&report).grade, found(&report)), (grade, rules.to_vec()), "{repository}");
    }
}

#[test]
fn a_place_without_answer_is_incomplete_where_it_could_have_helped() {
    let mut machine = Machine::new();
    machine.fail(AttestationPlace::Proxy, LIB, Failure::Unreachable);
    let (outcome, report) = machine.run(machine.job(&lib(), STRICT));
    assert_eq!((outcome.status, found(&report)), (3, vec!["sigstore-unavailable"]));
    assert_eq!(only_module(&report).signatures[0].status, SignatureStatus::Unchecked);
    insta::assert_snapshot!(finding(&report, "sigstore-unavailable").message);

    // Nothing asks for it.
    let (outcome, report) = machine.run(machine.job(&lib(), ""));
    assert_eq!((outcome.status, found(&report)), (0, vec![]));

    // Another place has what is needed.
    machine.put(AttestationPlace::ModuleCache, LIB, Made::new().json());
    let mut job = machine.job(&lib(), STRICT);
    job.sigstore.places.push(AttestationPlace::ModuleCache);
    let (outcome, report) = machine.run(job);
    assert_eq!((outcome.status, found(&report)), (0, vec![]));

    // What is asked of the module itself no attestation gives.
    let (outcome, report) =
        machine.run(machine.job(&lib(), &rule("    require: verified\n    required_tuf_approval: true")));
    assert_eq!((outcome.status, found(&report)), (1, vec!["policy-grade"]));
}

#[test]
fn every_failure_of_a_place_is_incomplete_but_absence() {
    for failure in [Failure::Unreachable, Failure::Offline, Failure::NotData, Failure::TooLarge, Failure::Storage] {
        let mut machine = Machine::new();
        machine.fail(AttestationPlace::Proxy, LIB, failure);
        let (outcome, report) = machine.run(machine.job(&lib(), STRICT));
        assert_eq!((outcome.status, found(&report)), (3, vec!["sigstore-unavailable"]), "{failure:?}");
    }
}

#[test]
fn private_names_reach_no_public_place() {
    let mut machine = Machine::new();
    machine.digests = BTreeMap::from([
        (format!("{LIB}@{VERSION}"), [1; 32]),
        (format!("github.com/other/x@{VERSION}"), [2; 32]),
        (format!("other.example/x@{VERSION}"), [3; 32]),
    ]);
    let go_sum = [lib(), line("github.com/other/x", 3), line("github.com/undigested/x", 5), line("other.example/x", 7)];
    let mut job = machine.job(&go_sum.concat(), STRICT);
    job.sigstore.places = vec![
        AttestationPlace::ModuleCache,
        AttestationPlace::Proxy,
        AttestationPlace::Folder,
        AttestationPlace::Template,
        AttestationPlace::Github,
    ];
    job.sigstore.private = "github.com/acme".into();
    machine.run(job);
    let asked = |place| {
        let names = machine.asked.iter().filter(|(at, _)| *at == place).map(|(_, name)| name.split('@').next());
        names.map(|name| name.expect("a path")).collect::<Vec<_>>()
    };
    let public = ["github.com/other/x", "github.com/undigested/x", "other.example/x"];
    assert_eq!(asked(AttestationPlace::Template), public);
    // It knows its own repositories alone, and zips by their digest.
    assert_eq!(asked(AttestationPlace::Github), ["github.com/other/x"]);
    for place in [AttestationPlace::ModuleCache, AttestationPlace::Proxy, AttestationPlace::Folder] {
        assert_eq!(asked(place).len(), 4, "{place:?}");
    }
}

#[test]
fn a_line_of_a_go_mod_alone_is_not_asked_about() {
    let mut machine = Machine::with(Made::new().json());
    let go_sum = format!("{LIB} {VERSION}/go.mod {}\n", hash(1));
    let (_, report) = machine.run(machine.job(&go_sum, STRICT));
    assert!(machine.asked.is_empty());
    assert_eq!((found(&report), only_module(&report).grade), (vec!["policy-unmatched-rule"], Grade::Unverified));
}

#[test]
fn without_a_trusted_root_nothing_is_asked() {
    let mut machine = Machine::with(Made::new().json());
    let mut job = machine.job(&lib(), STRICT);
    job.sigstore.roots.clear();
    let (_, report) = machine.run(job);
    assert!(machine.asked.is_empty());
    assert_eq!(found(&report), ["policy-grade"]);
}

/// A root in a TUF repository, with a copy at hand that is good until that day.
fn kept_root(content: String, repository: Option<Repository>, expires: &str) -> TrustedRoot {
    TrustedRoot { name: "sigstore".into(), repository, expires: Some(instant(expires)), ..root(content) }
}

#[test]
fn a_copy_of_the_root_past_its_day_is_told() {
    let mut machine = Machine::with(Made::new().json());
    let content = machine.instance.trusted_root().to_string();
    for (expires, rules) in [("2026-11-27T12:00:00Z", &[][..]), ("2026-11-27T11:59:59Z", &["sigstore-root-stale"])] {
        let mut job = machine.job(&lib(), STRICT);
        job.sigstore.roots = vec![kept_root(content.clone(), None, expires)];
        let (outcome, report) = machine.run(job);
        assert_eq!((outcome.status, found(&report)), (0, rules.to_vec()));
        assert_eq!(only_module(&report).grade, Grade::Trusted);
        assert_eq!((report.trusted_roots[0].refreshed, report.trusted_roots.len()), (false, 1));
    }
    // Where there is nothing to judge, no root is needed.
    let mut machine = Machine::new();
    let mut job = machine.job(&lib(), "");
    job.sigstore.roots = vec![kept_root(content, None, "2020-01-01T00:00:00Z")];
    let (_, report) = machine.run(job);
    assert_eq!((found(&report), report.trusted_roots.len()), (vec![], 0));
}

#[test]
fn the_root_comes_out_of_its_repository() {
    let mut machine = Machine::with(Made::new().json());
    let current = machine.instance.trusted_root().to_string();
    let old = Instance::new(11).trusted_root().to_string();
    let mut forge = Forge::new(1);
    forge.approve("targets", "trusted_root.json", current.as_bytes(), json!({}));
    forge.publish();
    machine.tuf.servers = BTreeMap::from([("sigstore".to_owned(), forge.files.clone())]);
    let job = |machine: &Machine, content: &str, expires| {
        let mut job = machine.job(&lib(), STRICT);
        let tuf = Repository { modules: String::new(), ..repository("sigstore", &forge) };
        job.sigstore.roots = vec![kept_root(content.to_owned(), Some(tuf), expires)];
        job
    };

    // The copy at hand is of long ago, and of other keys.
    let (outcome, report) = machine.run(job(&machine, &old, "2020-01-01T00:00:00Z"));
    assert_eq!((outcome.status, found(&report)), (0, vec![]), "{:?}", report.findings);
    assert_eq!(only_module(&report).grade, Grade::Trusted);
    let summary = &report.trusted_roots[0];
    assert_eq!((summary.refreshed, &summary.expires), (true, &None));
    assert_eq!(summary.sha256, hex::encode(&Sha256::digest(&current)));
    assert_eq!(report.repositories[0].name, "sigstore");

    // The copy at hand is the one that it has: it is not fetched again.
    machine.tuf.requests.clear();
    let (_, report) = machine.run(job(&machine, &current, "2020-01-01T00:00:00Z"));
    assert_eq!((found(&report), report.trusted_roots[0].refreshed), (vec![], true));
    assert!(!machine.tuf.requests.iter().any(|file| file.contains("trusted_root")), "{:?}", machine.tuf.requests);

    // No answer: the copy stands in, as long as it is good.
    machine.tuf.broken = BTreeMap::from([("timestamp.json".to_owned(), Failure::Unreachable)]);
    let (outcome, report) = machine.run(job(&machine, &current, "2027-01-01T00:00:00Z"));
    assert_eq!((outcome.status, found(&report)), (0, vec![]));
    let (_, report) = machine.run(job(&machine, &current, "2020-01-01T00:00:00Z"));
    assert_eq!(found(&report), ["sigstore-root-stale"]);
    insta::assert_snapshot!(finding(&report, "sigstore-root-stale").message);

    // A wrong answer is told, and not believed.
    machine.tuf.broken.clear();
    let mut wrong = forge.files.clone();
    wrong.insert("timestamp.json".into(), Forge::new(21).files["timestamp.json"].clone());
    machine.tuf.servers = BTreeMap::from([("sigstore".to_owned(), wrong)]);
    let (_, report) = machine.run(job(&machine, &current, "2027-01-01T00:00:00Z"));
    assert_eq!((found(&report), only_module(&report).grade), (vec!["tuf-bad-signature"], Grade::Trusted));
}

#[test]
fn a_repository_names_the_provenance_of_what_it_approves() {
    let content = Made::new().json();
    let mut forge = Forge::new(1);
    let zip = format!("{LIB}/@v/{VERSION}.zip");
    let custom = json!({ "h1": hash(1), "provenance": "attestations/lib.sigstore.json" });
    forge.approve("targets", &zip, b"lib", custom);
    forge.approve("targets", "attestations/lib.sigstore.json", content.as_bytes(), json!({}));
    forge.publish();
    let mut machine = Machine::new();
    machine.tuf.servers = BTreeMap::from([("corp".to_owned(), forge.files.clone())]);
    let mut job = machine.job(&lib(), &STRICT.replace("required_log: rekor", "required_tuf_approval: true"));
    job.tuf = repositories(vec![Repository { modules: "github.com/acme".into(), ..repository("corp", &forge) }]);
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, found(&report)), (0, vec![]), "{:?}", report.findings);
    let module = only_module(&report);
    assert_eq!((module.grade, module.signatures[0].origin.as_str()), (Grade::Trusted, "tuf corp"));

    // Without an answer about it, nothing is said of what it is.
    let name = machine.tuf.servers["corp"].keys().find(|file| file.ends_with(".lib.sigstore.json")).cloned();
    machine.tuf.broken = BTreeMap::from([(name.clone().expect("a target"), Failure::Unreachable)]);
    machine.tuf.servers.get_mut("corp").expect("it is there").remove(&name.expect("a target"));
    let (outcome, report) = machine.run(job);
    assert_eq!((outcome.status, found(&report)), (3, vec!["sigstore-unavailable"]));
}

fn with_go_mod(machine: &Machine, go_mod: &str, go_sum: &str, policy: &str) -> Job {
    let mut job = machine.job(go_sum, policy);
    job.task = task(vec![file("go.mod", FileKind::GoMod, go_mod), file("go.sum", FileKind::GoSum, go_sum)]);
    job
}

/// Nothing but what these tests are about: what the go.mod needs besides is not in their go.sum.
fn graded(report: &Report) -> Vec<&str> {
    found(report).into_iter().filter(|rule| *rule != "gosum-missing").collect()
}

#[test]
fn a_replacement_satisfies_the_rules_of_both_paths() {
    let go_mod =
        format!("module m\ngo 1.21\nrequire {LIB} {VERSION}\nreplace {LIB} => github.com/forks/lib {VERSION}\n");
    let go_sum = line("github.com/forks/lib", 1);
    let forks = "  - name: forks\n    modules: github.com/forks\n    require: verified\n";
    let policy =
        |acme: &str| STRICT.replace("rules:\n", &format!("rules:\n{forks}")).replace("require: trusted\n", acme);
    let machine = |content: String| {
        let mut machine = Machine::new();
        machine.put(AttestationPlace::Proxy, "github.com/forks/lib", content);
        machine
    };
    // The fork's own provenance satisfies its own rule, and not that of the path that it stands for.
    let mut fork = machine(Made::of("forks/lib", TAG, Some(GENERATOR)).json());
    let (outcome, report) = fork.run(with_go_mod(&fork, &go_mod, &go_sum, &policy("require: trusted\n")));
    assert_eq!((outcome.status, graded(&report)), (1, vec!["policy-grade"]), "{:?}", report.findings);
    let [of_name, of_code] = &only_module(&report).rulings[..] else { panic!("{:?}", report.modules) };
    assert_eq!((of_name.name.as_str(), of_name.satisfied), ("acme", false));
    assert_eq!((of_code.name.as_str(), of_code.satisfied), ("forks", true));
    insta::assert_snapshot!(finding(&report, "policy-grade").message);

    // Provenance by whose name it has is another account's to the fork.
    let mut name = machine(Made::new().json());
    let (_, report) = name.run(with_go_mod(&name, &go_mod, &go_sum, &policy("require: trusted\n")));
    assert_eq!(graded(&report), ["policy-grade"], "{:?}", report.findings);
    let [of_name, of_code] = &only_module(&report).rulings[..] else { panic!("{:?}", report.modules) };
    assert_eq!((of_name.satisfied, of_code.satisfied, only_module(&report).grade), (true, false, Grade::Unverified));

    // Where the policy says that the fork may stand there, it may.
    let listed = "require: verified\n    source_repositories: https://github.com/forks/*\n";
    let policy = policy(listed).replace("    publishers: https://github.com/acme\n", "");
    let (outcome, report) = fork.run(with_go_mod(&fork, &go_mod, &go_sum, &policy));
    assert_eq!((outcome.status, graded(&report)), (0, vec![]), "{:?}", report.findings);
    assert_eq!(only_module(&report).grade, Grade::Verified);
}

#[test]
fn a_folder_in_a_modules_place_is_unverified() {
    let go_mod = format!("module m\ngo 1.21\nrequire {LIB} {VERSION}\nreplace {LIB} => ../lib\n");
    let mut machine = Machine::with(Made::new().json());
    let (outcome, report) = machine.run(with_go_mod(&machine, &go_mod, "", STRICT));
    assert_eq!((outcome.status, graded(&report)), (1, vec!["policy-grade"]), "{:?}", report.findings);
    let found = finding(&report, "policy-grade");
    assert_eq!((found.file.as_deref(), found.line, found.module.as_deref()), (Some("go.mod"), Some(4), Some(LIB)));
    insta::assert_snapshot!(found.message);
}

#[test]
fn a_baseline_fails_only_what_gets_worse() {
    let mut verified = Machine::with(Made::of("acme/lib", TAG, None).json());
    let mut nothing = Machine::new();
    let floor = |grade| Some(vec![Floor { module: LIB.into(), grade }]);
    let open = rule(
        "    require: trusted\n    identities: { identity_pattern: 'https://github.com/acme/**', \
                     issuer: https://token.actions.githubusercontent.com }\n    publishers: https://github.com/acme",
    )
    .replace("rules:", "levels: { 3: { builder_id: 'https://github.com/acme/**' } }\nrules:");
    let run = |machine: &mut Machine, floors: Option<Vec<Floor>>| {
        let mut job = machine.job(&(lib() + &line("github.com/acme/new", 3)), &open);
        job.policy.as_mut().expect("a policy").baseline = floors;
        machine.run(job)
    };
    // A module that the baseline does not name is asked for by the rule.
    let (_, report) = run(&mut verified, floor(PolicyGrade::Verified));
    let about = |report: &Report| {
        let all = report.findings.iter().filter(|finding| finding.rule == "policy-grade");
        all.map(|finding| finding.module.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    assert_eq!(about(&report), ["github.com/acme/new"]);
    let (_, report) = run(&mut nothing, floor(PolicyGrade::Verified));
    assert_eq!(about(&report), [LIB, "github.com/acme/new"]);
    insta::assert_snapshot!(finding(&report, "policy-grade").message);
    let (_, report) = run(&mut nothing, floor(PolicyGrade::Unverified));
    assert_eq!(about(&report), ["github.com/acme/new"]);
    let (_, report) = run(&mut verified, None);
    assert_eq!(about(&report), [LIB, "github.com/acme/new"]);
}

#[test]
fn a_rule_that_matches_nothing_is_told() {
    let policy = STRICT.replace("github.com/acme/*", "github.com/acne/*");
    let mut machine = Machine::new();
    let (outcome, report) = machine.run(machine.job(&lib(), &policy));
    assert_eq!((outcome.status, found(&report)), (0, vec!["policy-unmatched-rule"]));
    let found = finding(&report, "policy-unmatched-rule");
    assert_eq!((found.found.as_deref(), found.by.as_deref()), (Some("acme"), Some("policy.yaml")));
}

#[test]
fn a_summary_counts_by_whom_the_rule_lists() {
    let policy = rule(
        "    require: verified\n    minimum_slsa_level: 3\n    identities: { identity: audit@auditor.example, issuer: \
         https://accounts.example }",
    )
    .replace("rules:", "levels: { 3: { builder_id: 'https://builder.example/**' } }\nrules:");
    let made = |person| Made {
        predicate_type: "https://slsa.dev/verification_summary/v1",
        predicate: summary(LIB),
        person: Some(person),
        ..Made::new()
    };
    for (person, grade, rules) in
        [("audit@auditor.example", Grade::Verified, &[][..]), ("a@example.com", Grade::Unverified, &["policy-grade"])]
    {
        let mut machine = Machine::with(made(person).json());
        let (_, report) = machine.run(machine.job(&lib(), &policy));
        assert_eq!((only_module(&report).grade, found(&report)), (grade, rules.to_vec()), "{person}");
    }
}

/// A digest of a zip says something about a line only where that very zip has the line's h1.
#[test]
fn a_statement_joins_by_sha256_only_with_a_measured_zip() {
    let (world, lines) = bytes::world();
    let policy = rule("    require: verified\n    source_repositories: https://github.com/acme/lib");
    let made = Made { subject: json!([{ "name": "lib.zip", "digest": { "sha256": "07".repeat(32) } }]), ..Made::new() };
    let run = |shelf: Shelf, digest: Option<[u8; 32]>| {
        let mut machine = Machine::new();
        machine.put(AttestationPlace::Proxy, bytes::PATH, made.json());
        machine.shelf = shelf;
        machine.digests.extend(digest.map(|digest| (bytes::MODULE.to_owned(), digest)));
        let mut job = machine.job(&lines, &policy);
        job.bytes.module_cache = Presence::Auto;
        machine.run(job)
    };
    let shelf = |change: fn(&mut Copy)| {
        let mut cache = world.shelf.cache.clone().expect("a cache");
        change(cache.get_mut(bytes::MODULE).expect("it is there"));
        Shelf { cache: Some(cache), ..Shelf::default() }
    };
    let (outcome, report) = run(shelf(|_| ()), Some([7; 32]));
    assert_eq!((outcome.status, found(&report)), (0, vec![]), "{:?}", report.findings);
    let module = only_module(&report);
    assert_eq!((module.grade, module.signatures[0].joined_by.as_deref()), (Grade::Verified, Some("sha256")));

    let changed: fn(&mut Copy) = |copy| {
        let zip: &mut Files = copy.zip.as_mut().expect("a zip");
        zip.insert("evil.go".into(), Vec::new());
    };
    // Also where only a TUF repository has it.
    let content = made.json();
    let mut forge = Forge::new(1);
    let h1 = lines.lines().find_map(|line| line.split_once(" v1.2.3 ")).expect("a line").1;
    let custom = json!({ "h1": h1, "provenance": "attestations/lib.sigstore.json" });
    forge.approve("targets", &format!("{}/@v/{}.zip", bytes::PATH, bytes::VERSION), b"lib", custom);
    forge.approve("targets", "attestations/lib.sigstore.json", content.as_bytes(), json!({}));
    forge.publish();
    let mut machine = Machine::new();
    machine.tuf.servers = BTreeMap::from([("corp".to_owned(), forge.files.clone())]);
    machine.shelf = shelf(|_| ());
    machine.digests.insert(bytes::MODULE.to_owned(), [7; 32]);
    let mut job = machine.job(&lines, &policy);
    job.bytes.module_cache = Presence::Auto;
    job.sigstore.places = Vec::new();
    job.tuf = repositories(vec![Repository { modules: "example.org".into(), ..repository("corp", &forge) }]);
    let (_, report) = machine.run(job);
    let joined = &only_module(&report).signatures[0].joined_by;
    assert_eq!(joined.as_deref(), Some("sha256"), "{:?}", report.findings);

    for (name, shelf, digest, wrong) in [
        ("no digest", shelf(|_| ()), None, &[][..]),
        ("another digest", shelf(|_| ()), Some([8; 32]), &[]),
        ("a zip that was not measured", shelf(|copy| copy.zip = None), Some([7; 32]), &[]),
        ("a zip of other content", shelf(changed), Some([7; 32]), &["zip-mismatch"]),
    ] {
        let (outcome, report) = run(shelf, digest);
        let mut expected = [&["policy-grade", "provenance-subject"], wrong].concat();
        expected.sort_unstable();
        let mut rules = found(&report);
        rules.sort_unstable();
        rules.retain(|rule| *rule != "ziphash-mismatch");
        assert_eq!((outcome.status, rules), (1, expected), "{name}: {:?}", report.findings);
        assert_eq!(only_module(&report).grade, Grade::Unverified, "{name}");
    }
}

/// Whatever somebody has signed: lines that contradict each other, or bytes that are not what they say, are not graded up.
#[test]
fn what_is_wrong_is_not_graded_up() {
    let mut machine = Machine::with(Made::new().json());
    let (_, report) = machine.run(machine.job(&(lib() + &line(LIB, 3)), STRICT));
    assert_eq!(found(&report), ["policy-grade", "gosum-conflict"], "{:?}", report.findings);
    assert_eq!(only_module(&report).grade, Grade::Unverified);
    assert!(machine.asked.is_empty(), "nobody can say which of them it would be about");
}

/// What tests of the whole program need of an instance: tests/fixtures/sigstore-grades. `UPDATE_FIXTURES=1` writes it; keys and
/// times are fixed, so that it is always the same.
#[test]
fn the_fixtures_of_the_whole_program_are_current() {
    const TOML: (&str, &str) = ("BurntSushi/toml", "refs/tags/v1.6.0");
    let subject = |h1: &str| json!([{ "name": "module.zip", "digest": { "dirHash1": dir_hash(h1) } }]);
    let zip = "h1:dRaEfpa2VI55EwlIW72hMRHdWouJeRF7TPYhI+AUQjk=";
    let toml = |repository, reference, builder| Made {
        subject: subject(zip),
        ..Made::of(repository, reference, Some(builder))
    };
    let cobra = Made {
        subject: subject("h1:DMTTonx5m65Ic0GOoRY2c16WCbHxOOw6xxezuLaBpcU="),
        ..Made::of("spf13/cobra", "refs/tags/v1.10.2", None)
    };
    let replayed = Made { subject: subject(&hash(9)), ..Made::of(TOML.0, "refs/tags/v1.5.0", Some(GENERATOR)) };
    let contradiction = toml(TOML.0, TOML.1, GENERATOR)
        .says("/buildDefinition/resolvedDependencies/0/digest/gitCommit", &"a".repeat(40));
    let instance = Instance::new(1);
    let files = [
        ("trusted_root.json", instance.trusted_root()),
        ("toml.sigstore.json", toml(TOML.0, TOML.1, GENERATOR).sign(&instance)),
        ("cobra.sigstore.json", cobra.sign(&instance)),
        ("wrong-builder.sigstore.json", toml(TOML.0, TOML.1, STRANGE_BUILDER).sign(&instance)),
        ("wrong-identity.sigstore.json", toml(TOML.0, TOML.1, STRANGE_SIGNER).sign(&instance)),
        ("wrong-repository.sigstore.json", toml("BurntSushi/toml-test", TOML.1, GENERATOR).sign(&instance)),
        ("another-account.sigstore.json", toml("evil/toml", TOML.1, GENERATOR).sign(&instance)),
        ("replayed.sigstore.json", replayed.sign(&instance)),
        ("another-tag.sigstore.json", toml(TOML.0, "refs/tags/v1.5.0", GENERATOR).sign(&instance)),
        ("contradiction.sigstore.json", contradiction.sign(&instance)),
        ("untrusted.sigstore.json", toml(TOML.0, TOML.1, GENERATOR).sign(&Instance::new(11))),
    ];
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/sigstore-grades");
    for (name, value) in files {
        let (path, want) = (folder.join(name), format!("{value:#}\n"));
        if std::env::var_os("UPDATE_FIXTURES").is_some() {
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &want).expect("a file");
        }
        // A checkout on Windows may have other line ends.
        let have = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(have == want, "{name}: run the tests with UPDATE_FIXTURES=1");
    }
}
