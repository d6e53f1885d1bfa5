//! Attestations as an attacker would make them, in whole sessions: with a certificate that is in order, of a build of the attacker's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::contract::{AttestationPlace, TrustedRoot};
use crate::sigstore::key::Kind;
use crate::sigstore::testing::{Content, Extension, Instance, Key, Leaf, Recipe, Signer as By};

const LIB: &str = "github.com/acme/lib";
const TAG: &str = "refs/tags/v1.2.3";
const RELEASE: &str = ".github/workflows/release.yml";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

fn root(instance: &Instance) -> TrustedRoot {
    TrustedRoot {
        name: "test".into(),
        repository: None,
        target: "trusted_root.json".into(),
        content: instance.trusted_root().to_string().into_bytes(),
        expires: None,
        set_by: "the test".into(),
    }
}

/// Judges a go.sum with LIB alone, with what lies beside its zip at the proxy.
fn judged(policy: &str, attestations: &[Value]) -> (Outcome, Report) {
    let instance = Instance::new(1);
    let go_sum = format!("{LIB} v1.2.3 {}\n", hash(1));
    let mut job = job(Sumdb::Off("the test".into()), task(vec![file("go.sum", FileKind::GoSum, &go_sum)]));
    job.now = Instant { seconds: instance.now.as_second() as u64 + 60, nanoseconds: 0 };
    // That GOSUMDB is off is not what these tests are about.
    job.fail_on = FailOn::High;
    job.sigstore = SigstoreSettings {
        roots: vec![root(&instance)],
        places: vec![AttestationPlace::Proxy],
        private: String::new(),
        rekor: false,
    };
    let read = |policy: &str| crate::policy::file::read(policy.as_bytes(), "policy.yaml").expect("a policy").policy;
    job.policy = (!policy.is_empty()).then(|| read(policy));
    let mut shelf = Shelf::default();
    let mut session = Session::new(job);
    let mut answers = Vec::new();
    loop {
        match session.step(std::mem::take(&mut answers)).next {
            Next::Need(requests) => {
                let answer = |request: &Request| match request {
                    Request::Attestations(_) => body(json!(attestations).to_string().into_bytes(), Origin::Remote),
                    Request::ZipDigest(_) => Err(Failure::Absent),
                    other => shelf.answer(other),
                };
                answers = requests.iter().map(answer).collect();
            }
            Next::Done(outcome) => {
                let report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                return (outcome, report);
            }
            Next::Refused(refusal) => panic!("{refusal:?}"),
        }
    }
}

fn grade(report: &Report) -> Grade {
    report.modules[0].grade
}

/// What is found, but that GOSUMDB is off.
fn found(report: &Report) -> Vec<&str> {
    rules(report).into_iter().filter(|rule| *rule != "sumdb-skipped").collect()
}

/// A statement about LIB's zip.
fn signed(leaf: Leaf, kind: &str, predicate: Value) -> Value {
    let h1 = STANDARD.decode(hash(1).strip_prefix("h1:").expect("h1")).expect("base64");
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "digest": { "dirHash1": crate::hex::encode(&h1) } }],
        "predicateType": kind,
        "predicate": predicate,
    });
    Instance::new(1).bundle(&Recipe::new(By::Certificate(leaf), Content::statement(&statement)))
}

fn workflow(repository: &str) -> Leaf {
    Leaf::workflow(&Instance::new(1), repository, RELEASE, TAG)
}

/// The same, by a reusable workflow.
fn by_builder(repository: &str, builder: &str) -> Leaf {
    let mut leaf = workflow(repository).claim(9, builder);
    leaf.extensions[1] = Extension::names(&[Extension::uri(builder)]);
    leaf
}

/// Provenance that says no more than its builder.
fn provenance(builder: &str) -> Value {
    json!({
        "buildDefinition": { "buildType": "https://example.com/build", "externalParameters": {} },
        "runDetails": { "builder": { "id": builder } },
    })
}

/// The workflow that [`workflow`] signs by.
fn own(repository: &str) -> String {
    format!("https://github.com/{repository}/{RELEASE}@{TAG}")
}

/// A build of acme's repository by another CI, of anybody's account: the certificate names the repository, and not who chose the
/// steps.
fn elsewhere(issuer: &str) -> Leaf {
    const PIPELINE: &str = "https://ci.example/evil/pipeline";
    let mut leaf = workflow("acme/lib").claim(1, issuer).claim(8, issuer).claim(9, PIPELINE);
    leaf.extensions[1] = Extension::names(&[Extension::uri(PIPELINE)]);
    leaf
}

#[test]
fn only_the_hosts_issuer_speaks_for_a_repository() {
    let rule = |more: &str| {
        format!(
            "schema: modanchor-policy/1\ndefault: {{ require: unverified }}\nrules:\n  - name: acme\n    modules: {LIB}\n    \
             require: verified\n{more}"
        )
    };
    let sources = "    source_repositories: https://github.com/acme/*\n";
    let signer = "    identities: { identity: 'https://ci.example/evil/pipeline', issuer: 'https://ci.example' }\n";
    for kind in [PROVENANCE, "https://example.com/statement"] {
        let predicate = provenance(&own("acme/lib"));
        let evil = signed(elsewhere("https://ci.example"), kind, predicate.clone());
        let good = signed(workflow("acme/lib"), kind, predicate);
        for policy in ["", &rule(""), &rule(sources)] {
            let (_, report) = judged(policy, std::slice::from_ref(&good));
            assert_eq!((grade(&report), found(&report)), (Grade::Verified, vec![]), "{:#?}", report.findings);
            let (_, report) = judged(policy, std::slice::from_ref(&evil));
            assert_eq!(grade(&report), Grade::Unverified, "{kind} {policy}");
            let stranger = found(&report).contains(&"provenance-source");
            assert_eq!(stranger, kind == PROVENANCE, "{:#?}", report.findings);
        }
        // Whoever lists it believes it.
        let (_, report) = judged(&rule(signer), &[evil]);
        assert_eq!((grade(&report), found(&report)), (Grade::Verified, vec![]), "{:#?}", report.findings);
    }
}

#[test]
fn a_strangers_attestation_is_found_beside_a_listed_one() {
    let rule = format!(
        "schema: modanchor-policy/1\ndefault: {{ require: unverified }}\nrules:\n  - name: acme\n    modules: {LIB}\n    \
         require: verified\n    source_repositories: [https://github.com/fork/lib, https://github.com/fork/mirror]\n"
    );
    let of = |repository| signed(workflow(repository), PROVENANCE, provenance(&own(repository)));
    let (_, report) = judged(&rule, &[of("fork/lib"), of("fork/mirror")]);
    assert_eq!((grade(&report), found(&report)), (Grade::Verified, vec![]), "{:#?}", report.findings);
    let (_, report) = judged(&rule, &[of("fork/lib"), of("evil/lib")]);
    assert_eq!((grade(&report), found(&report)), (Grade::Verified, vec!["provenance-source"]));
}

#[test]
fn a_delegator_is_no_builder() {
    const DELEGATOR: &str = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/\
                             delegator_generic_slsa3.yml@refs/tags/v2.1.0";
    const RAN: &str = "https://github.com/evil/builder/.github/workflows/build.yml@refs/tags/v1.0.0";
    let rule = |builder: &str| {
        format!(
            "schema: modanchor-policy/1\nlevels:\n  3: {{ builder_id: '{builder}' }}\ndefault: {{ require: unverified }}\nrules:\n  \
             - name: acme\n    modules: {LIB}\n    require: trusted\n    publishers: https://github.com/acme\n    identities:\n      \
             - identity: {DELEGATOR}\n        issuer: https://token.actions.githubusercontent.com\n"
        )
    };
    // What it ran was anybody's workflow, which it names.
    let own = RAN.replace("evil/builder", "acme/lib");
    for (ran, builder, expected) in [
        (
            RAN,
            "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/*@refs/tags/v*",
            Grade::Verified,
        ),
        (RAN, RAN, Grade::Trusted),
        // The source's owner writes it.
        (&own, &own, Grade::Verified),
    ] {
        let (_, report) =
            judged(&rule(builder), &[signed(by_builder("acme/lib", DELEGATOR), PROVENANCE, provenance(ran))]);
        assert_eq!(grade(&report), expected, "{builder}: {:#?}", report.findings);
        assert_eq!(report.modules[0].signatures[0].builder.as_deref(), Some(ran));
    }
}

#[test]
fn a_summary_of_an_unknown_version_is_no_statement_that_counts() {
    for version in ["v0.1", "v1.1", "v2"] {
        let kind = format!("https://slsa.dev/verification_summary/{version}");
        let failed = signed(workflow("acme/lib"), &kind, json!({ "verificationResult": "FAILED" }));
        let (_, report) = judged("", &[failed]);
        assert_eq!(grade(&report), Grade::Unverified, "{kind}");
        assert_eq!(found(&report), ["provenance-malformed"]);
    }
}

#[test]
fn nobody_summarises_for_himself_or_by_another_s_workflow() {
    const SHARED: &str = "https://github.com/tools/sign/.github/workflows/sign.yml@refs/tags/v1.0.0";
    let rule = |identity: &str, more: &str| {
        format!(
            "schema: modanchor-policy/1\nlevels:\n  3: {{ builder_id: 'https://github.com/tools/**' }}\ndefault: {{ require: \
             unverified }}\nrules:\n  - name: acme\n    modules: {LIB}\n    require: verified\n    minimum_slsa_level: 3\n    \
             identities: {{ identity: '{identity}', issuer: 'https://token.actions.githubusercontent.com' }}\n{more}"
        )
    };
    let summary = |leaf| {
        let predicate = json!({
            "verifier": { "id": "https://auditor.example" },
            "resourceUri": "pkg:golang/github.com/acme/lib@v1.2.3",
            "verificationResult": "PASSED",
            "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
        });
        [signed(leaf, "https://slsa.dev/verification_summary/v1", predicate)]
    };
    let sources = "    source_repositories: https://github.com/acme/lib\n";
    for (leaf, identity, more, expected) in [
        (workflow("auditor/audit"), own("auditor/audit"), "", Grade::Verified),
        // Its own, by its path or by the policy.
        (workflow("acme/lib"), own("acme/lib"), "", Grade::Unverified),
        (workflow("acme/lib"), own("acme/lib"), sources, Grade::Unverified),
        // Anybody calls it.
        (by_builder("evil/lib", SHARED), SHARED.to_owned(), "", Grade::Unverified),
        (by_builder("tools/sign-evil", SHARED), SHARED.to_owned(), "", Grade::Unverified),
    ] {
        let (_, report) = judged(&rule(&identity, more), &summary(leaf));
        assert_eq!(grade(&report), expected, "{identity} {more}");
        assert_eq!(found(&report).is_empty(), expected == Grade::Verified, "{:#?}", report.findings);
    }
}

/// Who can keep answers from a run must not make it say that a module is wrong, nor that it is right.
#[test]
fn a_log_that_cannot_be_asked_is_not_one_without_the_module() {
    let mut world = World::new(10);
    let policy = "schema: modanchor-policy/1\ndefault: { require: unverified, required_log: sumdb }\n";
    let mut job = world.job(&go_sum([3]));
    job.policy = Some(crate::policy::file::read(policy.as_bytes(), "policy.yaml").expect("a policy").policy);
    passes(world.run(job.clone()), 2);
    let (outcome, report) = World::new(10).run_with(job.clone(), |request, answer| match request {
        Request::Sumdb(_) => Err(Failure::Unreachable),
        _ => answer,
    });
    assert_eq!((outcome.status, rules(&report)), (3, vec!["unchecked"]), "{:#?}", report.findings);
    // What is not looked up on purpose is absent.
    job.skip.patterns = "example.org".into();
    let (outcome, report) = World::new(10).run(job);
    assert_eq!(outcome.status, 1);
    assert!(rules(&report).contains(&"policy-grade"), "{:#?}", report.findings);
}

/// What Rekor's version 1 interface answers of the entry of a bundle: its name, and the entry.
fn rekor_entry(bundle: &Value) -> (String, Value) {
    let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
    let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).expect("text").to_owned();
    let bytes = |pointer: &str| STANDARD.decode(text(pointer)).expect("base64");
    let name = crate::hex::encode(&crate::sumdb::tlog::record_hash(&bytes("/canonicalizedBody")).0);
    let number = |pointer: &str| text(pointer).parse::<u64>().expect("a number");
    let answer = json!({
        "body": text("/canonicalizedBody"),
        "integratedTime": number("/integratedTime"),
        "logID": crate::hex::encode(&bytes("/logId/keyId")),
        "logIndex": number("/logIndex"),
        "verification": { "signedEntryTimestamp": text("/inclusionPromise/signedEntryTimestamp") },
    });
    (name, answer)
}

#[test]
fn no_number_of_entries_hides_the_signers_own() {
    let instance = Instance::new(1);
    let file = b"app".to_vec();
    let recipe = |seed: u8| {
        let mut leaf = Leaf::person(&instance, "a@acme.example", "https://accounts.example");
        leaf.key = Key::new(Kind::P256, seed);
        Recipe::new(By::Certificate(leaf), Content::Message(file.clone()))
    };
    let mut bundle = instance.bundle(&recipe(101));
    // The oldest, and what anybody has put behind it.
    let entries: Vec<(String, Value)> = std::iter::once(rekor_entry(&bundle))
        .chain((110..150).map(|seed| rekor_entry(&instance.bundle(&recipe(seed)))))
        .collect();
    bundle["verificationMaterial"]["tlogEntries"] = json!([]);
    let task = blob::task(&file, blob::identity("a@acme.example", "https://accounts.example"), &bundle);
    let mut job = job(Sumdb::Off("the test".into()), Task::VerifyBlob(task));
    job.now = Instant { seconds: instance.now.as_second() as u64 + 60, nanoseconds: 0 };
    job.sigstore.roots = vec![root(&instance)];
    job.sigstore.rekor = true;
    let mut session = Session::new(job);
    let mut answers = Vec::new();
    let outcome = loop {
        match session.step(std::mem::take(&mut answers)).next {
            Next::Need(requests) => {
                let answer = |request: &Request| {
                    let Request::Rekor(get) = request else { panic!("{request:?}") };
                    let asked: Value = serde_json::from_slice(get.post.as_deref().unwrap_or_default()).expect("JSON");
                    let answer = match get.path.as_str() {
                        "api/v1/index/retrieve" => json!(entries.iter().map(|(name, _)| name).collect::<Vec<_>>()),
                        _ => {
                            let names = asked["entryUUIDs"].as_array().expect("names");
                            let of = |name: &Value| entries.iter().find(|(one, _)| name == one).expect("known");
                            json!(names.iter().map(of).map(|(name, entry)| json!({ name: entry })).collect::<Vec<_>>())
                        }
                    };
                    body(answer.to_string().into_bytes(), Origin::Remote)
                };
                answers = requests.iter().map(answer).collect();
            }
            Next::Done(outcome) => break outcome,
            Next::Refused(refusal) => panic!("{refusal:?}"),
        }
    };
    assert_eq!(outcome.status, 0, "{}", String::from_utf8_lossy(&outcome.report));
}
