//! TUF's other side: python-tuf and go-tuf, which write repositories and read them (tests/peer/tuf), and a server for
//! files.
//!
//! Python comes from the environment that `cargo xtask test` makes. A test that needs it skips, with a message, only
//! where there is none.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use serde_json::Value;

use crate::{has_go, python, root, target};

/// Where the programs of the peers are, from the root.
const PEER: &str = "tests/peer/tuf";

/// A program of tests/peer/tuf, to be run; none where there is no Python.
pub fn script(name: &str) -> Option<Command> {
    let mut command = Command::new(python("tuf", "tests/peer/tuf/requirements.txt")?);
    command.arg(root().join(PEER).join(name)).env("PYTHONDONTWRITEBYTECODE", "1").env_remove("PYTHONPATH");
    Some(command)
}

/// Writes a repository with python-tuf: `write.py KIND DIR OPTION…`. False where there is no Python.
///
/// # Panics
/// If it fails.
pub fn write<S: AsRef<OsStr>>(kind: &str, dir: &Path, options: impl IntoIterator<Item = S>) -> bool {
    let Some(mut command) = script("write.py") else { return false };
    let out = command.arg(kind).arg(dir).args(options).output().expect("python runs");
    assert!(out.status.success(), "write.py {kind}: {}", String::from_utf8_lossy(&out.stderr));
    true
}

/// What another client says of a repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(pub Value);

impl Answer {
    fn of(command: &mut Command) -> Self {
        let out = command.output().expect("the peer runs");
        let said = serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("{command:?}: {e}: {}", String::from_utf8_lossy(&out.stderr)));
        Self(said)
    }

    /// Whether it refreshed, and found and verified every target.
    pub fn is_ok(&self) -> bool {
        self.0.get("error").is_none()
    }

    /// The version that it trusts of a role.
    pub fn version(&self, role: &str) -> Option<u64> {
        self.0["versions"][role].as_u64()
    }

    /// The roles whose metadata it trusts.
    pub fn roles(&self) -> Vec<&str> {
        self.0["versions"].as_object().map(|v| v.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// The `h1` in a target's `custom`.
    pub fn h1(&self, target: &str) -> Option<&str> {
        self.0["targets"][target]["custom"]["h1"].as_str()
    }
}

/// A client that reads a repository: its metadata URL, the root to trust first, targets to download.
pub type Reader = fn(&str, &Path, &[&str]) -> Option<Answer>;

/// python-tuf's client on a repository; none where there is no Python.
pub fn python_tuf(metadata_url: &str, root: &Path, targets: &[&str]) -> Option<Answer> {
    Some(Answer::of(script("read.py")?.arg(metadata_url).arg(root).args(targets)))
}

/// go-tuf's client on a repository; none where there is no `go`.
///
/// # Panics
/// If it does not build.
pub fn go_tuf(metadata_url: &str, trusted: &Path, targets: &[&str]) -> Option<Answer> {
    static READ: OnceLock<Option<PathBuf>> = OnceLock::new();
    let program = READ.get_or_init(|| {
        has_go().then(|| {
            let path = target().join("peer").join(format!("tuf-read{}", std::env::consts::EXE_SUFFIX));
            let built = Command::new("go").args(["build", "-o"]).arg(&path).current_dir(root().join(PEER)).output();
            let built = built.expect("go is there");
            assert!(built.status.success(), "go build: {}", String::from_utf8_lossy(&built.stderr));
            path
        })
    });
    Some(Answer::of(Command::new(program.as_ref()?).arg(metadata_url).arg(trusted).args(targets)))
}

/// A folder, served over HTTP on loopback for as long as the test runs. What changes in the folder changes here.
#[derive(Debug)]
pub struct Site {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

/// What a [`Site`] did.
#[derive(Debug, Default)]
struct Log {
    asked: Vec<String>,
    sent: u64,
}

impl Site {
    /// Serves a folder.
    ///
    /// # Panics
    /// If there is no port.
    pub fn of(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it has an address");
        let log = Arc::new(Mutex::new(Log::default()));
        let shared = Arc::clone(&log);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (dir, log) = (dir.clone(), Arc::clone(&shared));
                // A client that goes away is no failure of the server.
                std::thread::spawn(move || serve(&stream, &dir, &log).ok());
            }
        });
        Self { address, log }
    }

    /// Its URL, with a path after it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }

    /// The paths that were asked for since the last call, in order, without the first slash.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.log().asked)
    }

    /// How many bytes of files it sent since the last call.
    pub fn sent(&self) -> u64 {
        std::mem::take(&mut self.log().sent)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("serving does not panic")
    }

    /// The same, each with how often.
    pub fn counted(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for path in self.asked() {
            *counts.entry(path).or_default() += 1;
        }
        counts
    }
}

/// Answers the requests of a connection.
fn serve(stream: &TcpStream, dir: &Path, log: &Mutex<Log>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let mut out = stream;
    while let Some(request) = lines.next() {
        let request = request?;
        let path = request.split(' ').nth(1).unwrap_or("/").trim_start_matches('/').to_owned();
        for header in &mut lines {
            if header?.is_empty() {
                break;
            }
        }
        // A role's name with a slash in it is `%2F` in the URL and in the file's name alike.
        let inside = !path.split(['/', '\\']).any(|part| part == "..");
        let content = inside.then(|| fs::read(dir.join(&path)).ok()).flatten();
        let (status, body) = content.map_or(("404 Not Found", Vec::new()), |content| ("200 OK", content));
        {
            let mut log = log.lock().expect("nobody panics with it");
            log.sent += body.len() as u64;
            log.asked.push(path);
        }
        write!(out, "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len())?;
        out.write_all(&body)?;
    }
    Ok(())
}
