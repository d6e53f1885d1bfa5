//! A file at a commit or branch.

use modanchor_host::ci::event::{Branch, Commit, Trusted};
use modanchor_host::ci::github::ApiError;
use modanchor_host::ci::github::contents::read;
use modanchor_host::cli::config::MAX_CONFIG;
use serde_json::json;
use wiremock::ResponseTemplate;

use crate::fake::{BASE, Bench};

fn raw(content: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(content, "application/vnd.github.raw+json; charset=utf-8")
}

fn commit() -> Trusted {
    Trusted::Commit(Commit::parse(BASE).unwrap())
}

#[tokio::test]
async fn at_a_commit_and_at_branches() {
    let bench = Bench::new().await;
    bench.has(&format!("/contents/.github/a%20%23b.toml?ref={BASE}"), raw("commit"));
    bench.has("/contents/c.toml?ref=refs%2Fheads%2Frelease%2F1", raw("branch"));
    bench.has("", ResponseTemplate::new(200).set_body_json(json!({"default_branch": "trunk", "id": 1})));
    bench.has("/contents/c.toml?ref=refs%2Fheads%2Ftrunk", raw("default"));
    let github = bench.github();
    for (at, path, want) in [
        (commit(), ".github/a #b.toml", "commit"),
        (Trusted::DefaultBranch(Branch::parse("release/1")), "c.toml", "branch"),
        (Trusted::DefaultBranch(None), "c.toml", "default"),
    ] {
        assert_eq!(read(&github, &at, path).await.unwrap().as_deref(), Some(want.as_bytes()));
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_not_a_repository_that_may_not_be_read() {
    let bench = Bench::new().await;
    let github = bench.github();
    let branch = Trusted::DefaultBranch(Branch::parse("a/b"));
    for at in [&commit(), &branch] {
        let error = read(&github, at, "c.toml").await.unwrap_err();
        assert!(matches!(error, ApiError::Absent { .. }), "{error}");
    }
    bench.has(&format!("/git/commits/{BASE}"), ResponseTemplate::new(200).set_body_json(json!({"sha": BASE})));
    bench.has("/branches/a%2Fb", ResponseTemplate::new(200).set_body_json(json!({"name": "a/b"})));
    for at in [&commit(), &branch] {
        assert_eq!(read(&github, at, "c.toml").await.unwrap(), None);
    }
}

#[tokio::test]
async fn folders_and_large_files() {
    let bench = Bench::new().await;
    let most = usize::try_from(MAX_CONFIG).unwrap();
    bench.has(&format!("/contents/folder?ref={BASE}"), ResponseTemplate::new(200).set_body_json(json!([])));
    bench.has(&format!("/contents/most?ref={BASE}"), raw(vec![b'x'; most]));
    bench.has(&format!("/contents/more?ref={BASE}"), raw(vec![b'x'; most + 1]));
    let github = bench.github();
    let error = read(&github, &commit(), "folder").await.unwrap_err();
    assert_eq!(error.to_string(), "unexpected answer: folder is no file");
    assert_eq!(read(&github, &commit(), "most").await.unwrap().unwrap().len(), most);
    assert_eq!(read(&github, &commit(), "more").await.unwrap_err(), ApiError::TooLarge(MAX_CONFIG));
    assert_eq!(bench.state().seen.len(), 3, "it does not become smaller");
}
