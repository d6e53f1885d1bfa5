//! How requests are sent: limits, retries, redirects, the token.

use std::time::Duration;

use modanchor_host::ci::event::{BaseUrl, Commit, Trusted};
use modanchor_host::ci::github::contents;
use modanchor_host::ci::github::{ApiError, GitHub};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::fake::{BASE, Bench, Fault, NOW, refusal};

/// The simplest request that may be repeated.
async fn get(github: &GitHub) -> Result<Option<Vec<u8>>, ApiError> {
    let at = Trusted::Commit(Commit::parse(BASE).unwrap());
    contents::read(github, &at, ".modanchor.toml").await.map(|file| file.map(|bytes| bytes.to_vec()))
}

async fn bench() -> Bench {
    let bench = Bench::new().await;
    let file = ResponseTemplate::new(200).set_body_raw("x = 1\n", "application/vnd.github.raw+json; charset=utf-8");
    bench.has(&format!("/contents/.modanchor.toml?ref={BASE}"), file);
    bench
}

fn seconds(bench: &Bench) -> Vec<f32> {
    bench.clock.pauses().iter().map(Duration::as_secs_f32).collect()
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let limited = |name: &str, value: String| refusal(403, "limited").insert_header(name, value);
    let reset =
        |at: u64| limited("x-ratelimit-remaining", "0".to_owned()).insert_header("x-ratelimit-reset", at.to_string());
    for (fault, pause) in [
        (ResponseTemplate::new(502), 0.25),
        (ResponseTemplate::new(503).insert_header("retry-after", "3"), 3.0),
        (ResponseTemplate::new(429), 0.25),
        (limited("retry-after", "30".to_owned()), 30.0),
        // The primary limit: until the reset, and what is left of that second.
        (reset(NOW + 20), 21.0),
        (reset(NOW - 20), 1.0),
    ] {
        let bench = bench().await;
        bench.fault(Fault::Instead(fault));
        assert_eq!(get(&bench.github()).await.unwrap().as_deref(), Some(&b"x = 1\n"[..]));
        assert_eq!(seconds(&bench), [pause]);
        assert_eq!(bench.state().seen.len(), 2);
    }
}

#[tokio::test]
async fn a_limit_that_lasts_longer_than_there_is_time() {
    for fault in [
        refusal(429, "x").insert_header("retry-after", "3600"),
        refusal(403, "x")
            .insert_header("x-ratelimit-remaining", "0")
            .insert_header("x-ratelimit-reset", (NOW + 3599).to_string()),
    ] {
        let bench = bench().await;
        bench.fault(Fault::Instead(fault));
        let error = get(&bench.github()).await.unwrap_err();
        assert_eq!(error, ApiError::RateLimited { wait: Some(Duration::from_secs(3600)) });
        assert_eq!(seconds(&bench), [0.0; 0], "there is no use in waiting for less");
    }
    // A secondary limit that does not say how long: a minute is all there is.
    let bench = bench().await;
    bench.fault(Fault::Instead(refusal(403, "You have exceeded a secondary rate limit.")));
    let error = get(&bench.github()).await.unwrap_err();
    assert_eq!(error, ApiError::RateLimited { wait: Some(Duration::from_secs(60)) });
}

#[tokio::test]
async fn the_allowance_is_for_the_whole_run() {
    let bench = bench().await;
    let github = bench.github();
    for _ in 0..2 {
        bench.fault(Fault::Instead(refusal(429, "x").insert_header("retry-after", "29")));
        get(&github).await.unwrap();
    }
    bench.fault(Fault::Instead(refusal(429, "x").insert_header("retry-after", "2")));
    assert_eq!(get(&github).await.unwrap_err(), ApiError::RateLimited { wait: Some(Duration::from_secs(2)) });
    let mut config = bench.config();
    config.allowance = Duration::ZERO;
    let seen = bench.state().seen.len();
    assert_eq!(get(&GitHub::new(config)).await.unwrap_err(), ApiError::TimedOut(Duration::ZERO));
    assert_eq!(bench.state().seen.len(), seen);
}

#[tokio::test]
async fn what_does_not_pass_is_asked_once() {
    for (fault, want) in [
        (refusal(403, "Resource not accessible by integration"), "403: Resource not accessible by integration"),
        (refusal(401, "Bad credentials"), "401: Bad credentials"),
        (refusal(422, "Validation \u{1b}[31mFailed\nmore"), "422: Validation \\u{1b}[31mFailed"),
        (ResponseTemplate::new(400).set_body_string("<html>"), "400: <html>"),
        // Not the limit: there is some left.
        (
            refusal(403, "no").insert_header("x-ratelimit-remaining", "4999").insert_header("x-ratelimit-reset", "9"),
            "403: no",
        ),
    ] {
        let bench = bench().await;
        bench.fault(Fault::Instead(fault));
        assert_eq!(get(&bench.github()).await.unwrap_err().to_string(), want);
        assert_eq!(bench.state().seen.len(), 1);
    }
    let bench = bench().await;
    for _ in 0..5 {
        bench.fault(Fault::Instead(ResponseTemplate::new(500)));
    }
    assert_eq!(get(&bench.github()).await.unwrap_err().to_string(), "500: Internal Server Error");
    assert_eq!(seconds(&bench), [0.25, 0.5, 1.0]);
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let bench = bench().await;
    let mut config = bench.config();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    config.api_url = BaseUrl::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let error = get(&GitHub::new(config)).await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable(_)), "{error}");
    assert_eq!(seconds(&bench), [0.25, 0.5, 1.0]);
}

#[tokio::test]
async fn the_token_goes_to_no_other_server() {
    let bench = bench().await;
    let other = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&other).await;
    for (status, location) in [
        (302, format!("{}/x?token=1", other.uri())),
        (307, format!("{}/x", other.uri())),
        (301, bench.server.uri().replace("127.0.0.1", "localhost")),
        (302, "file:///etc/passwd".to_owned()),
        (302, "https://".to_owned()),
    ] {
        bench.fault(Fault::Instead(ResponseTemplate::new(status).insert_header("location", location.as_str())));
        let error = get(&bench.github()).await.unwrap_err();
        assert!(matches!(error, ApiError::Redirected(_)), "{error}");
        assert!(!error.to_string().contains("token"), "{error}");
    }
    assert!(other.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_repository_that_was_renamed_is_followed() {
    let bench = bench().await;
    bench.has("/moved", ResponseTemplate::new(200).set_body_raw("moved", "application/vnd.github.raw"));
    let location = "/api/v3/repos/octo-org/hello/moved";
    bench.fault(Fault::Instead(ResponseTemplate::new(301).insert_header("location", location)));
    assert_eq!(get(&bench.github()).await.unwrap().as_deref(), Some(&b"moved"[..]));
    for _ in 0..5 {
        bench.fault(Fault::Instead(ResponseTemplate::new(307).insert_header("location", location)));
    }
    let error = get(&bench.github()).await.unwrap_err();
    assert_eq!(error, ApiError::Redirected("more than 5 places".to_owned()));
}

#[tokio::test]
async fn an_answer_that_is_something_else() {
    let bench = Bench::new().await;
    bench.has("", ResponseTemplate::new(200).set_body_json(json!({"default_branch": "-x"})));
    let error = contents::read(&bench.github(), &Trusted::DefaultBranch(None), "x").await.unwrap_err();
    assert!(matches!(error, ApiError::Unexpected(_)), "{error}");
    bench.has("", ResponseTemplate::new(200).set_body_string("<html>\n"));
    let error = contents::read(&bench.github(), &Trusted::DefaultBranch(None), "x").await.unwrap_err();
    assert!(matches!(error, ApiError::Unexpected(_)), "{error}");
}
