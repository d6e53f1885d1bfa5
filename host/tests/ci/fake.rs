//! A GitHub on loopback that keeps the limits of the real one, and fails when it is told to.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use modanchor_host::ci::event::{BaseUrl, Event, Repository};
use modanchor_host::ci::github::{ApiConfig, DEFAULT_ALLOWANCE, GitHub, Token};
use modanchor_host::fetch::{Clock, Network, RetryPolicy};
use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) const TOKEN: &str = "ghs_secret";
pub(crate) const BASE: &str = "1111111111111111111111111111111111111111";
pub(crate) const HEAD: &str = "2222222222222222222222222222222222222222";
pub(crate) const MERGE: &str = "3333333333333333333333333333333333333333";
/// What the clock says, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A clock on which a pause is over at once; it remembers them.
#[derive(Default)]
pub(crate) struct NoWait(Mutex<Vec<Duration>>);

impl NoWait {
    pub(crate) fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }

    fn passed(&self) -> Duration {
        self.0.lock().unwrap().iter().sum()
    }
}

impl Clock for NoWait {
    fn monotonic(&self) -> Instant {
        Instant::now() + self.passed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(NOW) + self.passed()
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.lock().unwrap().push(pause);
        Box::pin(std::future::ready(()))
    }
}

/// What goes wrong with a request.
pub(crate) enum Fault {
    /// It is not obeyed, and this is the answer.
    Instead(ResponseTemplate),
    /// It is obeyed, and this is the answer.
    After(ResponseTemplate),
    /// Nothing.
    None,
}

/// What the server has.
#[derive(Default)]
pub(crate) struct State {
    /// Check runs: what was created, with updates put into it.
    pub(crate) runs: Vec<Value>,
    /// The annotations of each.
    pub(crate) annotations: Vec<Vec<Value>>,
    /// How many came with each request.
    pub(crate) batches: Vec<usize>,
    /// SARIF uploads.
    pub(crate) uploads: Vec<Value>,
    /// Answers to GET, by path and query below the repository.
    pub(crate) there: HashMap<String, ResponseTemplate>,
    /// `METHOD path?query`, all of them.
    pub(crate) seen: Vec<String>,
    /// For the next requests, in their order.
    pub(crate) faults: VecDeque<Fault>,
}

#[derive(Clone)]
struct Fake(Arc<Mutex<State>>);

impl Respond for Fake {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().unwrap();
        let query = request.url.query().map_or_else(String::new, |query| format!("?{query}"));
        let path = format!("{}{query}", request.url.path());
        state.seen.push(format!("{} {path}", request.method));
        match state.faults.pop_front().unwrap_or(Fault::None) {
            Fault::Instead(answer) => answer,
            Fault::After(answer) => {
                let real = answer_to(&mut state, request, &path);
                assert!(real.is_ok(), "a request that was meant to be obeyed");
                answer
            }
            Fault::None => answer_to(&mut state, request, &path)
                .unwrap_or_else(|(status, why)| ResponseTemplate::new(status).set_body_json(json!({"message": why}))),
        }
    }
}

type Answer = Result<ResponseTemplate, (u16, String)>;

fn answer_to(state: &mut State, request: &Request, path: &str) -> Answer {
    let refuse = |status, why: &str| Err((status, why.to_owned()));
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if header("authorization") != format!("Bearer {TOKEN}") {
        return refuse(401, "Bad credentials");
    }
    if !header("user-agent").starts_with("modanchor/") || header("x-github-api-version") != "2022-11-28" {
        return refuse(403, "Request forbidden by administrative rules");
    }
    let Some(rest) = path.strip_prefix("/api/v3/repos/octo-org/hello") else {
        return refuse(404, "Not Found");
    };
    let body = || serde_json::from_slice::<Value>(&request.body).map_err(|_| (400, "Problems parsing JSON".to_owned()));
    match (request.method.as_str(), rest) {
        ("POST", "/check-runs") => {
            let run = body()?;
            let external = &run["external_id"];
            if state.runs.iter().any(|there| &there["external_id"] == external) {
                return refuse(422, "a second run");
            }
            if run["head_sha"].as_str().is_none_or(|sha| sha.len() != 40)
                || run["name"].as_str().is_none_or(str::is_empty)
            {
                return refuse(422, "head_sha or name is missing");
            }
            state.runs.push(json!({}));
            state.annotations.push(Vec::new());
            let id = state.runs.len() - 1;
            if let Err(why) = put(state, id, &run) {
                state.runs.pop();
                state.annotations.pop();
                return Err(why);
            }
            Ok(ResponseTemplate::new(201).set_body_json(shown(state, id)))
        }
        ("PATCH", rest) if rest.starts_with("/check-runs/") => {
            let id = run_id(state, rest)?;
            put(state, id, &body()?)?;
            Ok(ResponseTemplate::new(200).set_body_json(shown(state, id)))
        }
        ("GET", rest) if rest.starts_with("/check-runs/") => {
            let id = run_id(state, rest)?;
            Ok(ResponseTemplate::new(200).set_body_json(shown(state, id)))
        }
        ("GET", rest) if rest.starts_with("/commits/") && rest.contains("/check-runs?") => {
            let name = request.url.query_pairs().find(|(key, _)| key == "check_name").map(|(_, value)| value);
            let of = |id: &usize| {
                let run = &state.runs[*id];
                rest.starts_with(&format!("/commits/{}/", run["head_sha"].as_str().unwrap()))
                    && name.as_deref() == run["name"].as_str()
            };
            let runs: Vec<Value> = (0..state.runs.len()).filter(of).map(|id| shown(state, id)).collect();
            Ok(ResponseTemplate::new(200).set_body_json(json!({"total_count": runs.len(), "check_runs": runs})))
        }
        ("POST", "/code-scanning/sarifs") => {
            state.uploads.push(body()?);
            Ok(ResponseTemplate::new(202).set_body_json(json!({"id": "47177e22", "url": "https://api.example/x"})))
        }
        ("GET", rest) => match state.there.get(rest) {
            Some(answer) => Ok(answer.clone()),
            None => refuse(404, "Not Found"),
        },
        _ => refuse(404, "Not Found"),
    }
}

fn run_id(state: &State, rest: &str) -> Result<usize, (u16, String)> {
    let id = rest.strip_prefix("/check-runs/").and_then(|id| id.parse::<usize>().ok());
    // Ids are large, and not those of this list.
    let id = id.and_then(|id| id.checked_sub(9_000_000_000)).filter(|id| *id < state.runs.len());
    id.ok_or((404, "Not Found".to_owned()))
}

/// Puts what was sent into a run, as far as it keeps the limits.
fn put(state: &mut State, id: usize, sent: &Value) -> Result<(), (u16, String)> {
    let refuse = |why: String| Err((422, why));
    let output = &sent["output"];
    let chars = |value: &Value| value.as_str().map_or(0, |text| text.chars().count());
    let title = chars(&output["title"]);
    if title == 0 || title > 255 || output["summary"].as_str().is_none() {
        return refuse(format!("title of {title} characters, or no summary"));
    }
    for field in ["summary", "text"] {
        if chars(&output[field]) > 65_535 {
            return refuse(format!("{field} is too long"));
        }
    }
    let (status, conclusion) = (sent["status"].as_str(), sent["conclusion"].as_str());
    if (status == Some("completed")) != conclusion.is_some()
        || !matches!(conclusion, None | Some("success" | "failure"))
    {
        return refuse(format!("status {status:?} with conclusion {conclusion:?}"));
    }
    let new = output["annotations"].as_array().cloned().unwrap_or_default();
    if new.len() > 50 {
        return refuse(format!("{} annotations", new.len()));
    }
    for annotation in &new {
        check(annotation).or_else(refuse)?;
    }
    state.batches.push(new.len());
    state.annotations[id].extend(new);
    let run = state.runs[id].as_object_mut().unwrap();
    for (key, value) in sent.as_object().unwrap() {
        run.insert(key.clone(), value.clone());
    }
    Ok(())
}

fn check(annotation: &Value) -> Result<(), String> {
    let known =
        ["path", "start_line", "end_line", "start_column", "end_column", "annotation_level", "title", "message"];
    if let Some(key) = annotation.as_object().unwrap().keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("unknown key {key}"));
    }
    let text = |key: &str| annotation[key].as_str().unwrap_or_default();
    if text("path").is_empty() || text("path").starts_with('/') {
        return Err("path".to_owned());
    }
    if text("message").is_empty() || text("message").len() > 64 * 1000 {
        return Err("message".to_owned());
    }
    if text("title").chars().count() > 255 || !matches!(text("annotation_level"), "notice" | "warning" | "failure") {
        return Err("title or level".to_owned());
    }
    let number = |key: &str| annotation[key].as_u64();
    let (Some(start), Some(end)) = (number("start_line"), number("end_line")) else {
        return Err("lines".to_owned());
    };
    if start == 0 || start > end {
        return Err("lines".to_owned());
    }
    match (number("start_column"), number("end_column")) {
        (None, None) => Ok(()),
        (Some(from), Some(to)) if start == end && from >= 1 && from <= to => Ok(()),
        _ => Err("columns".to_owned()),
    }
}

/// As the API shows a run: with what nobody asked for, and how many annotations it has.
fn shown(state: &State, id: usize) -> Value {
    let mut run = state.runs[id].clone();
    let output = &mut run["output"];
    output["annotations_count"] = json!(state.annotations[id].len());
    output.as_object_mut().unwrap().remove("annotations");
    let fields = run.as_object_mut().unwrap();
    fields.insert("id".to_owned(), json!(9_000_000_000_u64 + id as u64));
    fields.insert("html_url".to_owned(), json!(format!("https://ghe.example/runs/{id}")));
    fields.insert("pull_requests".to_owned(), json!([{"id": 1, "number": 7, "url": "x", "base": {}, "head": {}}]));
    run
}

/// The server, a client of it, and its clock.
pub(crate) struct Bench {
    pub(crate) server: MockServer,
    pub(crate) clock: Arc<NoWait>,
    state: Arc<Mutex<State>>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(Fake(state.clone())).mount(&server).await;
        Self { server, clock: Arc::default(), state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn fault(&self, fault: Fault) -> &Self {
        self.state().faults.push_back(fault);
        self
    }

    pub(crate) fn has(&self, path: &str, answer: ResponseTemplate) -> &Self {
        self.state().there.insert(path.to_owned(), answer);
        self
    }

    pub(crate) fn config(&self) -> ApiConfig {
        ApiConfig {
            api_url: BaseUrl::parse(&format!("{}/api/v3", self.server.uri())).unwrap(),
            repository: Repository::parse("octo-org/hello").unwrap(),
            token: Token::parse(TOKEN).unwrap(),
            network: Network::default(),
            allowance: DEFAULT_ALLOWANCE,
            retry: RetryPolicy::default(),
            clock: self.clock.clone(),
        }
    }

    pub(crate) fn github(&self) -> GitHub {
        GitHub::new(self.config())
    }
}

/// An answer with a message, as GitHub's errors are.
pub(crate) fn refusal(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_json(json!({"message": message, "documentation_url": "https://docs.example"}))
}

/// An event, as a run of it would read it.
pub(crate) fn event(name: &str, git_ref: &str, payload: &Value) -> Event {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    fs::write(&path, payload.to_string()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let workspace = folder.path().to_str().unwrap().to_owned();
    Event::from_env(|variable| {
        let value = match variable {
            "GITHUB_EVENT_NAME" => name,
            "GITHUB_EVENT_PATH" => &path,
            "GITHUB_REPOSITORY" => "octo-org/hello",
            "GITHUB_SHA" => MERGE,
            "GITHUB_REF" => git_ref,
            "GITHUB_API_URL" => "https://ghe.example/api/v3",
            "GITHUB_SERVER_URL" => "https://ghe.example",
            "GITHUB_WORKSPACE" => &workspace,
            "GITHUB_RUN_ID" => "17",
            "GITHUB_RUN_ATTEMPT" => "2",
            "GITHUB_ACTOR" => payload["sender"].as_str().unwrap_or("octocat"),
            _ => return None,
        };
        Some(value.into())
    })
    .unwrap()
}

/// Pull request 7, from a branch of the same repository.
pub(crate) fn pull_request(base: &str, head: &str) -> Value {
    json!({
        "pull_request": {
            "number": 7,
            "base": {"sha": base, "repo": {"full_name": "octo-org/hello"}},
            "head": {"sha": head, "repo": {"full_name": "octo-org/hello"}},
        },
        "repository": {"default_branch": "main"},
    })
}
