//! Check runs.

use modanchor_core::report::Severity;
use modanchor_host::ci::event::Event;
use modanchor_host::ci::github::ApiError;
use modanchor_host::ci::github::checks::{
    Check, ChecksError, MAX_ANNOTATIONS_PER_REQUEST, MAX_CHECK_ANNOTATIONS, MAX_MESSAGE, MAX_TEXT, MAX_TITLE,
    Published, publish,
};
use modanchor_host::output::annotation::Annotation;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::fake::{BASE, Bench, Fault, HEAD, MERGE, event, pull_request, refusal};

fn annotation(severity: Severity, line: u32) -> Annotation {
    Annotation {
        level: severity.into(),
        severity,
        title: format!("{severity:?}").to_lowercase(),
        message: "the hash is another\nexpected by sum.golang.org".to_owned(),
        path: Some("go.sum".to_owned()),
        line: Some(line),
        columns: Some((3, 9)),
    }
}

fn check(annotations: &[Annotation]) -> Check<'_> {
    Check {
        name: "modanchor",
        status: 1,
        headline: "1 critical finding",
        summary: "# Summary\n",
        text: "",
        annotations,
    }
}

fn the_event() -> Event {
    event("pull_request", "refs/pull/7/merge", &pull_request(BASE, HEAD))
}

async fn publish_to(bench: &Bench, check: &Check<'_>) -> Result<Published, ChecksError> {
    publish(&bench.github(), &the_event(), check).await
}

fn field<'a>(annotations: &'a [Value], field: &str) -> Vec<&'a Value> {
    annotations.iter().map(|annotation| &annotation[field]).collect()
}

#[tokio::test]
async fn one_request_for_few_annotations() {
    let bench = Bench::new().await;
    let annotations = [annotation(Severity::Medium, 3), annotation(Severity::Critical, 7)];
    let published = publish_to(&bench, &check(&annotations)).await.unwrap();
    let url = Some("https://ghe.example/runs/0".to_owned());
    assert_eq!(published, Published { url, shown: 2, left_out: 0, problem: None });
    let state = bench.state();
    let run = &state.runs[0];
    assert_eq!(run["head_sha"], json!(HEAD), "not the merge commit");
    assert_eq!((&run["status"], &run["conclusion"]), (&json!("completed"), &json!("failure")));
    assert_eq!(run["details_url"], json!("https://ghe.example/octo-org/hello/actions/runs/17/attempts/2"));
    assert_eq!(run["output"]["title"], json!("1 critical finding"));
    assert_eq!(state.seen, ["POST /api/v3/repos/octo-org/hello/check-runs"]);
    let want = json!({
        "path": "go.sum", "start_line": 7, "end_line": 7, "start_column": 3, "end_column": 9, "title": "critical",
        "annotation_level": "failure", "message": "the hash is another\nexpected by sum.golang.org",
    });
    assert_eq!(state.annotations[0][0], want, "the most severe first");
    assert_eq!(state.annotations[0][1]["annotation_level"], json!("warning"));
}

#[tokio::test]
async fn conclusions() {
    for (status, conclusion, title) in
        [(0, "success", "nothing"), (1, "failure", "nothing"), (3, "failure", "Could not be checked: nothing")]
    {
        let bench = Bench::new().await;
        let check = Check { status, headline: "nothing", ..check(&[]) };
        publish_to(&bench, &check).await.unwrap();
        let state = bench.state();
        assert_eq!(state.runs[0]["conclusion"], json!(conclusion));
        assert_eq!(state.runs[0]["output"]["title"], json!(title));
        assert!(state.runs[0]["output"].get("annotations").is_none());
    }
}

#[tokio::test]
async fn many_annotations_come_in_batches_and_the_most_severe_stay() {
    let bench = Bench::new().await;
    let most = u32::try_from(MAX_CHECK_ANNOTATIONS).unwrap();
    let mut annotations: Vec<_> = (1..=most).map(|line| annotation(Severity::Low, line)).collect();
    annotations.push(annotation(Severity::Critical, 9000));
    annotations.push(annotation(Severity::High, 9001));
    let published = publish_to(&bench, &check(&annotations)).await.unwrap();
    assert_eq!((published.shown, published.left_out, published.problem), (MAX_CHECK_ANNOTATIONS, 2, None));
    let state = bench.state();
    assert_eq!(state.batches, [MAX_ANNOTATIONS_PER_REQUEST; 10]);
    let lines = field(&state.annotations[0], "start_line");
    assert_eq!(lines[..4], [&json!(9000), &json!(9001), &json!(1), &json!(2)]);
    assert_eq!(lines.last().unwrap(), &&json!(most - 2), "those of one severity in their order");
    assert_eq!(state.runs[0]["conclusion"], json!("failure"));
    let summary = state.runs[0]["output"]["summary"].as_str().unwrap();
    assert!(summary.contains("2 findings have no annotation: a check run gets 500"), "{summary}");
}

#[tokio::test]
async fn a_batch_more_than_one_request_holds() {
    let bench = Bench::new().await;
    let annotations: Vec<_> = (1..=51).map(|line| annotation(Severity::High, line)).collect();
    publish_to(&bench, &check(&annotations)).await.unwrap();
    let state = bench.state();
    assert_eq!(state.batches, [50, 1]);
    assert_eq!(state.seen[1], "PATCH /api/v3/repos/octo-org/hello/check-runs/9000000000");
}

#[tokio::test]
async fn everything_is_within_the_limits() {
    let bench = Bench::new().await;
    let odd = |change: fn(&mut Annotation)| {
        let mut annotation = annotation(Severity::High, 1);
        change(&mut annotation);
        annotation
    };
    let annotations = [
        odd(|a| a.message = "é".repeat(MAX_MESSAGE)),
        odd(|a| a.title = "é".repeat(MAX_TITLE + 1)),
        odd(|a| a.title = "a\nb".to_owned()),
        odd(|a| a.message = String::new()),
        odd(|a| a.line = None),
        odd(|a| a.line = Some(0)),
        odd(|a| a.columns = Some((0, 3))),
        odd(|a| a.columns = Some((4, 3))),
        odd(|a| a.columns = None),
        odd(|a| {
            a.path = None;
            a.message = "a\n`````\n<b>@octocat\n~~~".to_owned();
        }),
    ];
    let long = "x".repeat(99) + "\n";
    let summary = format!("<details>\n\n````text\n{}", long.repeat(1000));
    let check = Check {
        headline: &"h".repeat(MAX_TITLE),
        status: 3,
        name: &"n".repeat(MAX_TITLE + 1),
        summary: &summary,
        text: "text",
        ..check(&annotations)
    };
    let published = publish_to(&bench, &check).await.unwrap();
    assert_eq!(published.shown, 9);
    let state = bench.state();
    let sent = &state.annotations[0];
    assert!(sent[0]["message"].as_str().unwrap().ends_with("é\n… (cut)"));
    assert!(sent[1]["title"].as_str().unwrap().ends_with("é…"));
    assert_eq!(sent[2]["title"], json!("a"));
    assert_eq!(sent[3]["message"], json!("high"));
    assert_eq!((&sent[4]["start_line"], sent[4].get("start_column")), (&json!(1), None), "a file as a whole");
    for annotation in &sent[6..9] {
        assert_eq!(annotation.get("start_column"), None);
    }
    let output = &state.runs[0]["output"];
    let text = output["text"].as_str().unwrap();
    assert_eq!(text, "text\n\n### About no file\n\n``````text\nhigh\na\n`````\n<b>@octocat\n~~~\n``````\n\n");
    let summary = output["summary"].as_str().unwrap();
    assert!(summary.len() <= MAX_TEXT);
    let end = "xxx\n````\n\n</details>\n\nThis is cut: GitHub shows no more.\n";
    assert!(summary.ends_with(end), "{}", &summary[summary.len() - 200..]);
}

#[tokio::test]
async fn an_answer_that_was_lost_makes_no_second_run() {
    let bench = Bench::new().await;
    bench.fault(Fault::After(ResponseTemplate::new(502)));
    let published = publish_to(&bench, &check(&[annotation(Severity::High, 1)])).await.unwrap();
    assert!(published.url.is_some());
    let state = bench.state();
    assert_eq!((state.runs.len(), state.annotations[0].len()), (1, 1));
    let look = format!(
        "GET /api/v3/repos/octo-org/hello/commits/{HEAD}/check-runs?check_name=modanchor&filter=all&per_page=100"
    );
    assert_eq!(state.seen, ["POST /api/v3/repos/octo-org/hello/check-runs", look.as_str()]);
}

#[tokio::test]
async fn a_rate_limit_is_waited_for_and_did_nothing() {
    let bench = Bench::new().await;
    let annotations: Vec<_> = (1..=60).map(|line| annotation(Severity::High, line)).collect();
    let limited =
        || Fault::Instead(refusal(403, "You have exceeded a secondary rate limit").insert_header("retry-after", "20"));
    bench.fault(limited()).fault(Fault::None).fault(limited());
    let published = publish_to(&bench, &check(&annotations)).await.unwrap();
    assert_eq!((published.shown, published.problem), (60, None));
    assert_eq!(bench.state().batches, [50, 10]);
    assert_eq!(bench.state().seen.len(), 4, "nothing has to be looked up");
    assert_eq!(bench.clock.pauses(), [std::time::Duration::from_secs(20); 2]);
}

#[tokio::test]
async fn a_run_that_did_not_come_about_is_made_again() {
    let bench = Bench::new().await;
    bench.fault(Fault::Instead(ResponseTemplate::new(502)));
    publish_to(&bench, &check(&[])).await.unwrap();
    assert_eq!(bench.state().seen.len(), 3, "asked, looked, asked again");
    assert_eq!(bench.state().runs.len(), 1);

    let bench = Bench::new().await;
    for _ in 0..4 {
        bench.fault(Fault::Instead(ResponseTemplate::new(502))).fault(Fault::None);
    }
    let error = publish_to(&bench, &check(&[])).await.unwrap_err();
    assert!(matches!(error, ChecksError::Api(ApiError::Ambiguous(_))), "{error}");
    assert_eq!(bench.clock.pauses().len(), 4);
}

#[tokio::test]
async fn annotations_are_not_shown_twice() {
    let annotations: Vec<_> = (1..=120).map(|line| annotation(Severity::High, line)).collect();
    for fault in [true, false] {
        for last in [false, true] {
            let bench = Bench::new().await;
            bench.fault(Fault::None);
            if last {
                bench.fault(Fault::None);
            }
            let lost = ResponseTemplate::new(502);
            bench.fault(if fault { Fault::After(lost) } else { Fault::Instead(lost) });
            let published = publish_to(&bench, &check(&annotations)).await.unwrap();
            assert_eq!((published.shown, published.problem), (120, None));
            let state = bench.state();
            assert_eq!(state.batches, [50, 50, 20]);
            assert_eq!(state.runs[0]["status"], json!("completed"));
        }
    }
}

#[tokio::test]
async fn a_run_is_completed_though_not_all_annotations_arrived() {
    let bench = Bench::new().await;
    let annotations: Vec<_> = (1..=120).map(|line| annotation(Severity::High, line)).collect();
    bench.fault(Fault::None).fault(Fault::Instead(refusal(422, "Invalid request.")));
    let published = publish_to(&bench, &check(&annotations)).await.unwrap();
    let problem = ApiError::Refused { status: 422, message: "Invalid request.".to_owned() };
    assert_eq!((published.shown, published.left_out, published.problem), (50, 70, Some(problem)));
    let state = bench.state();
    assert_eq!(state.batches, [50, 0]);
    assert_eq!((&state.runs[0]["status"], &state.runs[0]["conclusion"]), (&json!("completed"), &json!("failure")));
}

#[tokio::test]
async fn a_token_without_the_right_is_forbidden() {
    for answer in
        [refusal(403, "Resource not accessible by integration"), refusal(404, "Not Found"), refusal(401, "Bad")]
    {
        let bench = Bench::new().await;
        bench.fault(Fault::Instead(answer));
        let error = publish_to(&bench, &check(&[])).await.unwrap_err();
        assert!(matches!(error, ChecksError::Forbidden(_)), "{error}");
        assert!(error.to_string().contains("`checks: write`"), "{error}");
        assert_eq!(bench.state().seen.len(), 1, "asking again changes nothing");
    }
}

#[tokio::test]
async fn the_commit_of_other_events() {
    for (name, payload, want) in [
        ("push", json!({"before": BASE}), MERGE),
        ("merge_group", json!({"merge_group": {"base_sha": BASE, "head_sha": HEAD}}), HEAD),
        ("schedule", json!({}), MERGE),
    ] {
        let bench = Bench::new().await;
        publish(&bench.github(), &event(name, "refs/heads/x", &payload), &check(&[])).await.unwrap();
        assert_eq!(bench.state().runs[0]["head_sha"], json!(want), "{name}");
    }
}
