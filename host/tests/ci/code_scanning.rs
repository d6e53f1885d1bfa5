//! Uploading SARIF.

use std::io::{Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use modanchor_core::report::sarif::MAX_GZIP_BYTES;
use modanchor_host::ci::event::Commit;
use modanchor_host::ci::github::code_scanning::{Setting, Target, Upload, UploadError, should_upload, upload};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::fake::{BASE, Bench, Fault, HEAD, MERGE, event, pull_request, refusal};

fn commit(text: &str) -> Commit {
    Commit::parse(text).unwrap()
}

#[test]
fn when_it_is_uploaded() {
    let own = pull_request(BASE, HEAD);
    let mut fork = own.clone();
    fork["pull_request"]["head"]["repo"]["full_name"] = json!("mallory/hello");
    let mut dependabot = own.clone();
    dependabot["sender"] = json!("dependabot[bot]");
    let group = json!({"merge_group": {"base_sha": BASE, "head_sha": HEAD}});
    let push = json!({"before": BASE});
    for (name, payload, token, reason) in [
        ("pull_request", &own, true, None),
        ("push", &push, true, None),
        ("schedule", &push, true, None),
        ("push", &push, false, Some("no token")),
        ("pull_request", &fork, true, Some("from a fork")),
        ("pull_request", &dependabot, true, Some("Dependabot")),
        ("pull_request_target", &own, true, Some("base branch")),
        ("merge_group", &group, true, Some("merge queue")),
    ] {
        let event = event(name, "refs/heads/main", payload);
        match (should_upload(&event, Setting::Auto, token), reason) {
            (Upload::Yes, None) => {}
            (Upload::No(why), Some(reason)) if why.contains(reason) => {}
            (upload, _) => panic!("{name}: {upload:?}, expected {reason:?}"),
        }
        assert_eq!(should_upload(&event, Setting::Always, token), Upload::Yes);
        assert_ne!(should_upload(&event, Setting::Never, token), Upload::Yes);
    }
}

#[test]
fn of_which_commit_the_results_are() {
    let pr = pull_request(BASE, HEAD);
    let push = json!({"before": BASE});
    let merge = Some(MERGE);
    for (name, git_ref, payload, head, want) in [
        ("pull_request", "refs/pull/7/merge", &pr, merge, Some("refs/pull/7/merge")),
        ("pull_request", "refs/pull/7/merge", &pr, None, Some("refs/pull/7/merge")),
        ("pull_request", "refs/pull/7/merge", &pr, Some(HEAD), Some("refs/pull/7/head")),
        ("pull_request", "refs/pull/7/merge", &pr, Some(BASE), None),
        ("pull_request_target", "refs/heads/main", &pr, merge, None),
        ("pull_request_target", "refs/heads/main", &pr, Some(HEAD), Some("refs/pull/7/head")),
        ("push", "refs/heads/main", &push, merge, Some("refs/heads/main")),
        ("push", "refs/tags/v1", &push, merge, Some("refs/tags/v1")),
        ("push", "refs/heads/main", &push, Some(HEAD), None),
        ("push", "refs/heads/main", &push, None, Some("refs/heads/main")),
        ("workflow_run", "refs/heads/main", &push, merge, Some("refs/heads/main")),
        ("workflow_run", "refs/heads/main", &push, None, None),
        ("pull_request_target", "refs/heads/main", &pr, None, None),
        ("push", "", &push, merge, None),
    ] {
        let head = head.map(commit);
        let target = Target::of(&event(name, git_ref, payload), head.as_ref());
        let want = want.map(|git_ref| Target { commit: head.unwrap_or(commit(MERGE)), git_ref: git_ref.to_owned() });
        assert_eq!(target, want, "{name} {git_ref}");
    }
}

fn target() -> Target {
    Target { commit: commit(MERGE), git_ref: "refs/pull/7/merge".to_owned() }
}

#[tokio::test]
async fn what_is_sent() {
    let bench = Bench::new().await;
    bench.fault(Fault::After(ResponseTemplate::new(502)));
    let mut sarif = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    sarif.write_all(br#"{"version": "2.1.0"}"#).unwrap();
    let sarif = sarif.finish().unwrap();
    let checkout = if cfg!(windows) { r"C:\checkout\a b" } else { "/checkout/a b" };
    let receipt = upload(&bench.github(), &target(), &sarif, Some(Path::new(checkout))).await.unwrap();
    assert_eq!(receipt.id, "47177e22");
    let state = bench.state();
    assert_eq!(state.uploads.len(), 2, "the second takes the place of the first");
    let sent = &state.uploads[1];
    let keys: Vec<&String> = sent.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["checkout_uri", "commit_sha", "ref", "sarif", "tool_name"]);
    assert_eq!((&sent["commit_sha"], &sent["ref"]), (&json!(MERGE), &json!("refs/pull/7/merge")));
    assert!(sent["checkout_uri"].as_str().unwrap().ends_with("/checkout/a%20b"));
    let zipped = base64::prelude::BASE64_STANDARD.decode(sent["sarif"].as_str().unwrap()).unwrap();
    let mut content = String::new();
    flate2::read::GzDecoder::new(zipped.as_slice()).read_to_string(&mut content).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&content).unwrap(), json!({"version": "2.1.0"}));
}

#[tokio::test]
async fn what_github_refuses() {
    for (status, message) in [
        (403, "Advanced Security must be enabled for this repository to use code scanning."),
        (403, "Resource not accessible by integration"),
        (404, "Not Found"),
    ] {
        let bench = Bench::new().await;
        bench.fault(Fault::Instead(refusal(status, message)));
        let error = upload(&bench.github(), &target(), b"{}", None).await.unwrap_err();
        assert_eq!(error, UploadError::Forbidden(message.to_owned()));
        assert!(error.to_string().contains("`security-events: write`"), "{error}");
    }
    let bench = Bench::new().await;
    bench.fault(Fault::Instead(refusal(400, "commit not found")));
    let error = upload(&bench.github(), &target(), b"{}", None).await.unwrap_err();
    assert_eq!(error.to_string(), "uploading the SARIF file: 400: commit not found");
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_sent() {
    let bench = Bench::new().await;
    let error = upload(&bench.github(), &target(), &vec![0; MAX_GZIP_BYTES + 1], None).await.unwrap_err();
    assert_eq!(error, UploadError::TooLarge(MAX_GZIP_BYTES + 1));
    assert!(bench.state().seen.is_empty());
}
