//! A server on loopback that stands for GitHub: its API, as far as the Action uses it and with its limits, and what is
//! downloaded from it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// Annotations that one request may carry.
const MAX_ANNOTATIONS: usize = 50;

/// Characters of a check run's summary and text.
const MAX_OUTPUT_TEXT: usize = 65_535;

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What a path answers to GET.
#[derive(Debug, Clone)]
pub enum Answer {
    /// 200 and these bytes.
    Bytes(Vec<u8>),
    /// 200, the length of these bytes, and all but the last of them.
    Truncated(Vec<u8>),
    /// 302 to a URL.
    Redirect(String),
    /// A status and no more.
    Status(u16),
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    answers: BTreeMap<String, Answer>,
    permissions: BTreeSet<String>,
    readable: BTreeSet<String>,
    repository: Option<PathBuf>,
    tokens: BTreeSet<String>,
    check_runs: Vec<Value>,
    sarifs: Vec<Value>,
}

/// The server. It ends with the process.
#[derive(Debug, Clone)]
pub struct GitHub {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Default for GitHub {
    fn default() -> Self {
        Self::start()
    }
}

impl GitHub {
    /// Starts it; no token may do anything yet.
    ///
    /// # Panics
    /// If loopback has no free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let server = Self { address: listener.local_addr().expect("it is bound"), state: Arc::default() };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                // A client that goes away is its own affair.
                thread::spawn(move || drop(serving.serve(stream)));
            }
        });
        server
    }

    /// Its URL, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What a GET of a path answers; 404 otherwise.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.state().answers.insert(path.to_owned(), answer);
    }

    /// A token that is known, and what all tokens may write (`checks`, `security-events`).
    pub fn grant(&self, token: &str, permissions: &BTreeSet<String>) {
        let mut state = self.state();
        state.tokens.insert(token.to_owned());
        state.permissions.clone_from(permissions);
    }

    /// The repository behind the API, and what all tokens may read of it (`contents`, `pull-requests`): as in a private
    /// one, where nothing is read without a permission.
    pub fn host(&self, repository: &Path, readable: &BTreeSet<String>) {
        let mut state = self.state();
        state.repository = Some(repository.to_path_buf());
        state.readable.clone_from(readable);
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// The check runs, each with all its annotations under `output.annotations`.
    pub fn check_runs(&self) -> Vec<Value> {
        self.state().check_runs.clone()
    }

    /// The bodies of SARIF uploads: `commit_sha`, `ref`, `sarif` (gzip, base64), …
    pub fn sarifs(&self) -> Vec<Value> {
        self.state().sarifs.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else {
            return Ok(());
        };
        let mut headers = BTreeMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
                None => break,
            };
        }
        let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let request = Request { method, path, headers, body };
        let answer = {
            let mut state = self.state();
            state.requests.push(request.clone());
            state.answers.get(&request.path).filter(|_| request.method == "GET").cloned()
        };
        match answer {
            Some(Answer::Bytes(bytes)) => respond(stream, 200, "application/octet-stream", None, &bytes, bytes.len()),
            Some(Answer::Truncated(bytes)) => {
                let all_but_one = &bytes[..bytes.len() - 1];
                respond(stream, 200, "application/octet-stream", None, all_but_one, bytes.len())
            }
            Some(Answer::Redirect(url)) => respond(stream, 302, "text/plain", Some(&url), b"", 0),
            Some(Answer::Status(status)) => respond(stream, status, "text/plain", None, b"", 0),
            None if request.method == "GET" && request.path.contains("/contents/") => {
                let (status, body) = self.contents(&request);
                respond(stream, status, "application/vnd.github.raw+json; charset=utf-8", None, &body, body.len())
            }
            None => {
                let (status, answer) = self.api(&request);
                let body = answer.to_string();
                respond(stream, status, "application/json", None, body.as_bytes(), body.len())
            }
        }
    }

    /// Whether the token is known, and may read this.
    fn may_read(&self, request: &Request, permission: &str) -> bool {
        let state = self.state();
        let token = request.headers.get("authorization").and_then(|a| a.split_once(' ')).map(|(_, token)| token);
        token.is_some_and(|token| state.tokens.contains(token)) && state.readable.contains(permission)
    }

    /// What git says in the repository; none: it refuses.
    fn git(&self, args: &[&str]) -> Option<Vec<u8>> {
        let repository = self.state().repository.clone()?;
        let mut command = Command::new("git");
        command.arg("-C").arg(repository).args(args).stderr(Stdio::null());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
        command.output().ok().filter(|output| output.status.success()).map(|output| output.stdout)
    }

    /// A file of a commit or branch, raw. GitHub says 404 as well where the token may not know of it.
    fn contents(&self, request: &Request) -> (u16, Vec<u8>) {
        let file = request.path.split_once("/contents/").and_then(|(_, rest)| rest.split_once("?ref="));
        let found = file.filter(|_| self.may_read(request, "contents")).and_then(|(path, at)| {
            let at = at.replace("%2F", "/");
            self.git(&["cat-file", "blob", &format!("{at}:{}", path.replace("%2F", "/"))])
        });
        found.map_or_else(|| (404, json!({"message": "Not Found"}).to_string().into_bytes()), |bytes| (200, bytes))
    }

    /// The files of a pull request, against the point where it left the default branch.
    fn pull_files(&self, number: &str) -> Option<Value> {
        let range = format!("HEAD...refs/pull/{number}/head");
        let text = |args: &[&str]| self.git(args).and_then(|bytes| String::from_utf8(bytes).ok());
        let names = text(&["diff", "--no-renames", "--name-status", "-z", &range])?;
        let words: Vec<&str> = names.split_terminator('\0').collect();
        let file = |pair: &[&str]| {
            let patch = text(&["diff", "--no-renames", "--text", &range, "--", pair[1]])?;
            let hunks = patch.find("\n@@").map(|at| patch[at + 1..].trim_end_matches('\n'));
            let added = hunks.map_or(0, |hunks| hunks.lines().filter(|line| line.starts_with('+')).count());
            let status = match pair[0] {
                "A" => "added",
                "D" => "removed",
                _ => "modified",
            };
            Some(json!({"filename": pair[1], "status": status, "additions": added, "patch": hunks}))
        };
        words.chunks_exact(2).map(file).collect::<Option<Vec<_>>>().map(Value::from)
    }

    /// What is read of the repository but for its files. None: it is something else that is asked for.
    fn about(&self, request: &Request, words: &[&str]) -> Option<(u16, Value)> {
        let (permission, answer) = match words {
            ["repos", _, _, "git", "commits", commit] => {
                let there = self.git(&["cat-file", "-e", &format!("{commit}^{{commit}}")]);
                ("contents", there.map(|_| json!({"sha": commit})))
            }
            ["repos", _, _, "branches", branch] => {
                let there = self.git(&["rev-parse", "--verify", &format!("refs/heads/{branch}")]);
                ("contents", there.map(|_| json!({"name": branch})))
            }
            ["repos", _, _, "pulls", number, "files"] => ("pull-requests", self.pull_files(number)),
            _ => return None,
        };
        Some(match answer {
            Some(answer) if self.may_read(request, permission) => (200, answer),
            _ if permission == "pull-requests" => (403, json!({"message": "Resource not accessible by integration"})),
            _ => (404, json!({"message": "Not Found"})),
        })
    }

    fn api(&self, request: &Request) -> (u16, Value) {
        let path = request.path.split('?').next().unwrap_or_default();
        let words: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        let (needs, known) = match (request.method.as_str(), words.as_slice()) {
            ("POST", ["repos", _, _, "check-runs"]) => ("checks", true),
            ("PATCH", ["repos", _, _, "check-runs", _]) => ("checks", true),
            ("POST", ["repos", _, _, "code-scanning", "sarifs"]) => ("security-events", true),
            ("GET", ["repos", _, _, "code-scanning", "sarifs", _]) => ("security-events", true),
            _ => ("", false),
        };
        if let Some(answer) = (request.method == "GET").then(|| self.about(request, &words)).flatten() {
            return answer;
        }
        let mut state = self.state();
        let token = request.headers.get("authorization").and_then(|a| a.split_once(' ')).map(|(_, token)| token);
        if token.is_none_or(|token| !state.tokens.contains(token)) {
            return (401, json!({"message": "Bad credentials"}));
        }
        if !known {
            return (404, json!({"message": "Not Found"}));
        }
        if !state.permissions.contains(needs) {
            return (403, json!({"message": "Resource not accessible by integration"}));
        }
        let body = request.json();
        let output = &body["output"];
        let annotations = output["annotations"].as_array().cloned().unwrap_or_default();
        let too_long = |name: &str| output[name].as_str().is_some_and(|text| text.chars().count() > MAX_OUTPUT_TEXT);
        if annotations.len() > MAX_ANNOTATIONS || too_long("summary") || too_long("text") {
            return (422, json!({"message": "Invalid request.\n\nNo subschema in \"anyOf\" matched."}));
        }
        match words.as_slice() {
            ["repos", _, _, "check-runs"] => {
                let id = state.check_runs.len() + 1;
                let mut run = body;
                run["id"] = id.into();
                state.check_runs.push(run);
                (201, check_run(&state.check_runs[id - 1], &request.path))
            }
            ["repos", _, _, "check-runs", id] => {
                let Some(run) = id.parse::<usize>().ok().and_then(|id| state.check_runs.get_mut(id.wrapping_sub(1)))
                else {
                    return (404, json!({"message": "Not Found"}));
                };
                let mut all = run["output"]["annotations"].as_array().cloned().unwrap_or_default();
                all.extend(annotations);
                for (key, value) in body.as_object().into_iter().flatten() {
                    run[key] = value.clone();
                }
                run["output"]["annotations"] = all.into();
                (200, check_run(run, &request.path))
            }
            ["repos", _, _, "code-scanning", "sarifs"] => {
                state.sarifs.push(body);
                (202, json!({"id": "1", "url": format!("{}/repos/o/r/code-scanning/sarifs/1", self.url())}))
            }
            _ => (200, json!({"processing_status": "complete", "analyses_url": self.url(), "errors": null})),
        }
    }
}

/// A check run as GitHub answers with it.
fn check_run(run: &Value, path: &str) -> Value {
    let output = &run["output"];
    json!({
        "id": run["id"],
        "node_id": "CR_1",
        "head_sha": run["head_sha"],
        "external_id": "",
        "url": path,
        "html_url": path,
        "details_url": path,
        "status": run["status"],
        "conclusion": run["conclusion"],
        "started_at": "2026-01-01T00:00:00Z",
        "completed_at": null,
        "name": run["name"],
        "output": {
            "title": output["title"],
            "summary": output["summary"],
            "text": output["text"],
            "annotations_count": output["annotations"].as_array().map_or(0, Vec::len),
            "annotations_url": path,
        },
        "pull_requests": [],
    })
}

fn respond(
    mut stream: TcpStream,
    status: u16,
    kind: &str,
    location: Option<&str>,
    body: &[u8],
    length: usize,
) -> std::io::Result<()> {
    let location = location.map(|url| format!("Location: {url}\r\n")).unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 {status} {status}\r\nContent-Type: {kind}\r\n{location}Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(body)?;
    stream.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(server: &GitHub, method: &str, path: &str, token: &str, body: &Value) -> (u16, String) {
        let mut stream = TcpStream::connect(server.address).expect("it listens");
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status"), body.to_owned())
    }

    #[test]
    fn limits_and_permissions_are_githubs() {
        let server = GitHub::start();
        let annotations = |count: usize| json!({"name": "x", "output": {"annotations": vec![json!({}); count]}});
        let post = |token: &str, body: &Value| ask(&server, "POST", "/repos/o/r/check-runs", token, body).0;
        assert_eq!(post("t", &annotations(1)), 401);
        server.grant("t", &BTreeSet::new());
        assert_eq!(post("t", &annotations(1)), 403);
        server.grant("t", &["checks".to_owned()].into());
        assert_eq!(post("t", &annotations(51)), 422);
        assert_eq!(post("t", &json!({"output": {"summary": "x".repeat(65_536)}})), 422);
        assert_eq!(post("t", &annotations(50)), 201);
        let patch = |id: &str| ask(&server, "PATCH", &format!("/repos/o/r/check-runs/{id}"), "t", &annotations(20)).0;
        assert_eq!((patch("1"), patch("2")), (200, 404));
        assert_eq!(server.check_runs()[0]["output"]["annotations"].as_array().map(Vec::len), Some(70));
        assert_eq!(ask(&server, "POST", "/repos/o/r/code-scanning/sarifs", "t", &json!({})).0, 403);
        assert_eq!(ask(&server, "GET", "/repos/o/r/unknown", "t", &json!({})).0, 404);
        server.answer("/file", Answer::Bytes(b"abc".to_vec()));
        assert_eq!(ask(&server, "GET", "/file", "", &Value::Null), (200, "abc".into()));
        assert_eq!(server.requests().len(), 10);
    }
}
