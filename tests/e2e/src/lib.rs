//! The harness of the end-to-end tests and of the benchmarks: the program `modanchor` as a user runs it, in a sandbox
//! of its own, and beside it `peer` (tests/peer), the Go program that holds golang.org/x/mod's side.
//!
//! A test that needs Go skips, with a message, only where there is no `go`; everything else that is missing fails it.

#[cfg(unix)]
pub mod runner;
pub mod s3;
pub mod tuf;

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// The verifier key of sum.golang.org, as in cmd/go.
pub const SUM_GOLANG_ORG: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A path under tests/fixtures.
pub fn fixture(path: &str) -> PathBuf {
    root().join("tests/fixtures").join(path)
}

/// The recorded checksum database as a module proxy: a `file://` URL for GOPROXY.
pub fn recorded_proxy() -> String {
    let dir = fixture("proxy").canonicalize().expect("the fixture is there");
    let dir = dir.to_str().expect("a path in UTF-8").replace('\\', "/");
    format!("file:///{}", dir.trim_start_matches("//?/").trim_start_matches('/'))
}

/// The target directory of this build, and the profile's folder in it, from where this executable lies.
fn profile_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("an executable has a path");
    let dir = exe.parent().expect("it lies in a folder");
    let dir = if dir.ends_with("deps") { dir.parent().expect("deps lies in a folder") } else { dir };
    dir.to_path_buf()
}

/// The target directory of this build.
pub fn target() -> PathBuf {
    profile_dir().parent().expect("a profile's folder lies in target").to_path_buf()
}

/// The program under test: `MODANCHOR_BIN`, or what this build made, of the same profile if there are two.
///
/// # Panics
/// If there is none.
pub fn modanchor() -> PathBuf {
    if let Some(path) = std::env::var_os("MODANCHOR_BIN") {
        return path.into();
    }
    let name = format!("modanchor{}", std::env::consts::EXE_SUFFIX);
    let own = profile_dir();
    [own.clone(), own.with_file_name("debug"), own.with_file_name("release")]
        .iter()
        .map(|dir| dir.join(&name))
        .find(|path| path.is_file())
        .expect("no modanchor in target: run `cargo build` first, or set MODANCHOR_BIN")
}

/// Whether there is a `go` command; says so on stderr if not.
pub fn has_go() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| has("go", "version"))
}

/// Whether there is a `git` command; says so on stderr if not.
pub fn has_git() -> bool {
    has("git", "--version")
}

/// Whether there is a `zip` command; says so on stderr if not.
pub fn has_zip() -> bool {
    has("zip", "-v")
}

#[allow(clippy::print_stderr, reason = "a test that skips must say so")]
fn has(program: &str, version: &str) -> bool {
    let has = Command::new(program).arg(version).output().is_ok_and(|o| o.status.success());
    if !has {
        eprintln!("skipped: there is no {program} command");
    }
    has
}

/// The Python of target/tools/NAME, with what these requirements ask for; none where there is no python3 that can, and says
/// so on stderr.
///
/// # Panics
/// If what is installed is something else: `cargo xtask test` installs it.
#[allow(clippy::print_stderr, reason = "a test that skips must say so")]
pub fn python(name: &str, requirements: &str) -> Option<PathBuf> {
    let dir = root().join("target/tools").join(name);
    let Ok(installed) = fs::read_to_string(dir.join("installed")) else {
        eprintln!("skipped: there is no target/tools/{name}; `cargo xtask test` makes it where there is a python3");
        return None;
    };
    let wanted = fs::read_to_string(root().join(requirements)).expect("they are there");
    assert_eq!(installed, wanted, "target/tools/{name} is out of date: run `cargo xtask test`");
    Some(dir.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" }))
}

/// Builds a package with `go build`, in tests/peer, into target/peer.
fn go_build(package: &str, name: &str) -> PathBuf {
    let dir = target().join("peer");
    fs::create_dir_all(&dir).expect("a folder in target");
    let path = dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&path)
        .arg(package)
        .current_dir(root().join("tests/peer"))
        .output()
        .expect("go is there");
    assert!(built.status.success(), "go build {package}: {}", String::from_utf8_lossy(&built.stderr));
    path
}

/// The program tests/peer, built once a run; none only where there is no `go`.
///
/// # Panics
/// If it does not build.
pub fn peer() -> Option<PathBuf> {
    static PEER: OnceLock<Option<PathBuf>> = OnceLock::new();
    PEER.get_or_init(|| has_go().then(|| go_build(".", "peer"))).clone()
}

/// golang.org/x/mod/gosumcheck, built once a run; none only where there is no `go`.
///
/// # Panics
/// If it does not build.
pub fn gosumcheck() -> Option<PathBuf> {
    static GOSUMCHECK: OnceLock<Option<PathBuf>> = OnceLock::new();
    GOSUMCHECK.get_or_init(|| has_go().then(|| go_build("golang.org/x/mod/gosumcheck", "gosumcheck"))).clone()
}

/// A home, a Go workspace, a cache and a checkout that no other test sees, and an environment that reaches none of the
/// user's settings and no network but loopback.
#[derive(Debug)]
pub struct Sandbox {
    dir: TempDir,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

impl Sandbox {
    /// An empty checkout.
    ///
    /// # Panics
    /// If the disk fails, as every function here does.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("modanchor-e2e-").tempdir().expect("a temporary folder");
        for name in ["home", "gopath", "gomodcache", "checkout", "tmp"] {
            fs::create_dir(dir.path().join(name)).expect("a folder");
        }
        Self { dir }
    }

    /// The project tests/fixtures/hello as the checkout.
    pub fn hello() -> Self {
        let s = Self::new();
        for name in ["go.mod", "go.sum", "main.go"] {
            fs::copy(fixture("hello").join(name), s.checkout().join(name)).expect("the fixture is there");
        }
        s
    }

    /// A checkout that is one go.sum.
    pub fn with_gosum(text: &str) -> Self {
        let s = Self::new();
        s.write("go.sum", text);
        s
    }

    /// A path in the sandbox, outside of the checkout.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// The checkout.
    pub fn checkout(&self) -> PathBuf {
        self.path("checkout")
    }

    /// modanchor's cache.
    pub fn cache(&self) -> PathBuf {
        self.path("cache")
    }

    /// Writes a file of the checkout, with its folders.
    pub fn write(&self, relative: &str, text: impl AsRef<[u8]>) {
        write(&self.checkout().join(relative), text);
    }

    /// Reads a file of the checkout.
    pub fn read(&self, relative: &str) -> String {
        fs::read_to_string(self.checkout().join(relative)).expect("a text file")
    }

    /// The program, in the checkout, with the recorded database as its proxy.
    pub fn run<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, args: I) -> Run {
        Run::of(self, modanchor(), args)
    }

    /// `verify --format json`, and more arguments.
    pub fn verify<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, args: I) -> Run {
        self.run(["verify", "--format", "json"]).args(args).replayed()
    }

    /// The `go` command in the checkout, with the user's PATH and its build cache in the sandbox.
    pub fn go<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(&self, args: I) -> Run {
        Run::of(self, "go", args)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-modcacherw")
            .env("GOCACHE", self.path("gocache"))
    }

    /// A shell in the checkout, with the program and the user's PATH, and what [`Sandbox::go`] has.
    #[cfg(unix)]
    pub fn sh(&self, script: &str) -> Run {
        // By its own name, whatever the file is called that is tested.
        let bin = self.path("bin");
        fs::create_dir_all(&bin).expect("a folder");
        if let Err(error) = std::os::unix::fs::symlink(modanchor(), bin.join("modanchor")) {
            assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists, "{error}");
        }
        let user = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&user)));
        Run::of(self, "sh", ["-c", script])
            .env("PATH", path.expect("no colon in a temporary folder"))
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-modcacherw")
            .env("GOCACHE", self.path("gocache"))
    }

    /// The head that the cache holds for a database, if any.
    pub fn latest(&self, database: &str) -> Option<Vec<u8>> {
        fs::read(self.latest_path(database)).ok()
    }

    /// Where that head is.
    pub fn latest_path(&self, database: &str) -> PathBuf {
        self.cache().join("sumdb").join(database).join("latest")
    }
}

/// Writes a file, with its folders.
///
/// # Panics
/// If the disk fails.
pub fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

/// Every file below a folder, with its bytes, by path; none if there is no such folder.
///
/// # Panics
/// If the disk fails.
pub fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else {
        return out;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            let bytes = fs::read(&path).expect("a file");
            out.push((path, bytes));
        }
    }
    out.sort();
    out
}

/// One run of a program, to be made.
#[derive(Debug)]
pub struct Run {
    program: OsString,
    args: Vec<OsString>,
    command: Command,
    /// Whether it is recorded and judged again.
    replayed: bool,
}

impl Run {
    fn of<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(s: &Sandbox, program: impl Into<OsString>, args: I) -> Self {
        let program = program.into();
        let mut command = Command::new(&program);
        command.env_clear().current_dir(s.checkout()).stdin(Stdio::null());
        for (key, dir) in [
            ("HOME", "home"),
            ("USERPROFILE", "home"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("LOCALAPPDATA", "home/local"),
            ("APPDATA", "home/roaming"),
            ("GOPATH", "gopath"),
            ("GOMODCACHE", "gomodcache"),
            ("MODANCHOR_CACHE", "cache"),
            ("TMPDIR", "tmp"),
            ("TMP", "tmp"),
            ("TEMP", "tmp"),
        ] {
            command.env(key, s.path(dir));
        }
        if let Some(root) = std::env::var_os("SYSTEMROOT") {
            command.env("SYSTEMROOT", root);
        }
        command.env("GOENV", "off").env("GOPROXY", recorded_proxy());
        // Nothing listens on the discard port: a request that leaves loopback fails at once.
        command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("HTTP_PROXY", "http://127.0.0.1:9");
        command.env("NO_PROXY", "127.0.0.1");
        Self { program, args: Vec::new(), command, replayed: false }.args(args)
    }

    /// More arguments.
    #[must_use]
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, args: I) -> Self {
        self.args.extend(args.into_iter().map(|a| a.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, key: &str) -> Self {
        self.command.env_remove(key);
        self
    }

    /// Runs in another folder.
    #[must_use]
    pub fn current_dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Asks this server, by GOSUMDB with a key and a URL.
    #[must_use]
    pub fn sumdb(self, server: &Server) -> Self {
        let sumdb = server.sumdb("");
        self.env("GOSUMDB", sumdb)
    }

    /// `--offline`, and no `file://` proxy either, which is no network.
    #[must_use]
    pub fn unplugged(self) -> Self {
        self.args(["--offline"]).env("GOPROXY", "http://127.0.0.1:9")
    }

    /// The same program with the same arguments, started by another one: `wrapper… PROGRAM ARG…`.
    #[must_use]
    pub fn under<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(mut self, wrapper: I) -> Self {
        let mut line: Vec<OsString> = wrapper.into_iter().map(|a| a.as_ref().to_owned()).collect();
        line.push(self.program);
        line.append(&mut self.args);
        self.args = line.split_off(1);
        self.program = line.remove(0);
        let mut command = Command::new(&self.program);
        command.env_clear().stdin(Stdio::null());
        for (key, value) in self.command.get_envs() {
            if let Some(value) = value {
                command.env(key, value);
            }
        }
        command.current_dir(self.command.get_current_dir().expect("of() set it"));
        self.command = command;
        self
    }

    /// Records it, and judges again from the evidence: the report must be the same, byte for byte, and the status too. So every
    /// test of `verify` is one of evidence as well.
    #[must_use]
    pub fn replayed(mut self) -> Self {
        self.replayed = true;
        self
    }

    /// Does not record it: a test of its own may say why.
    #[must_use]
    pub fn unrecorded(mut self) -> Self {
        self.replayed = false;
        self
    }

    /// Starts it, with stdout and stderr piped.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn spawn(mut self) -> Child {
        self.command
            .args(&self.args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", self.program.to_string_lossy()))
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn end(self) -> Outcome {
        if !self.replayed || self.args.iter().any(|arg| arg == "--record") {
            return self.end_plainly();
        }
        let evidence = Evidence::new();
        let out = self.args([OsStr::new("--record"), evidence.file.as_os_str()]).end_plainly();
        if evidence.file.is_file() {
            evidence.replay(&out);
        }
        out
    }

    fn end_plainly(self) -> Outcome {
        Outcome::from(self.spawn().wait_with_output().expect("a child can be waited for"))
    }
}

/// A place for evidence of one run: thrown away, or kept in the folder that `MODANCHOR_KEEP_EVIDENCE` names, for those who
/// judge again in other engines (`cargo xtask test`).
struct Evidence {
    file: PathBuf,
    _dir: TempDir,
}

impl Evidence {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        Self { file: dir.path().join("run.evidence"), _dir: dir }
    }

    #[track_caller]
    fn replay(&self, recorded: &Outcome) {
        let mut command = Command::new(modanchor());
        command.env_clear().env("GOENV", "off").args(["replay", "--quiet", "--format", "json"]).arg(&self.file);
        if let Some(root) = std::env::var_os("SYSTEMROOT") {
            command.env("SYSTEMROOT", root);
        }
        let again = Outcome::from(command.stdin(Stdio::null()).output().expect("a child can be waited for"));
        assert_eq!((again.status, &again.stdout), (recorded.status, &recorded.stdout), "replayed: {}", again.stderr);
        if let Some(dir) = std::env::var_os("MODANCHOR_KEEP_EVIDENCE") {
            static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
            let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let thread = std::thread::current();
            let test = thread.name().unwrap_or("test").replace("::", ".");
            fs::copy(&self.file, Path::new(&dir).join(format!("{test}.{count}.evidence"))).expect("it can be kept");
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    /// Exit status; -1 if a signal ended it.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("output in UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// The same, if it has this status.
    ///
    /// # Panics
    /// If not, with everything that was printed. Also if the program panicked: no input may do that.
    #[track_caller]
    pub fn status(self, want: i32) -> Self {
        self.status_in(&[want])
    }

    /// The same, if it has one of these statuses.
    ///
    /// # Panics
    /// As [`Outcome::status`].
    #[track_caller]
    pub fn status_in(self, want: &[i32]) -> Self {
        let shown: String = self.stdout.chars().take(6000).collect();
        assert!(
            want.contains(&self.status) && !self.stderr.contains("panicked at"),
            "status {}, want {want:?}\nstdout: {shown}\nstderr: {}",
            self.status,
            self.stderr
        );
        self
    }

    /// The report, which must be all of stdout.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn report(&self) -> Report {
        let value: Value = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("no report on stdout: {e}\n{}\nstderr: {}", self.stdout, self.stderr));
        assert_eq!(value["schema"], "modanchor-report/1");
        Report(value)
    }
}

/// A report, `modanchor-report/1`.
#[derive(Debug, Clone)]
pub struct Report(pub Value);

impl Report {
    /// `pass`, `fail` or `incomplete`.
    pub fn verdict(&self) -> &str {
        self.0["verdict"].as_str().expect("a string")
    }

    /// The findings.
    pub fn findings(&self) -> &[Value] {
        self.0["findings"].as_array().expect("a list")
    }

    /// The findings' rules, in order, repeats dropped.
    pub fn rules(&self) -> Vec<&str> {
        let mut rules: Vec<_> = self.findings().iter().map(|f| f["rule"].as_str().expect("a string")).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// The findings of one rule.
    pub fn of(&self, rule: &str) -> Vec<&Value> {
        self.findings().iter().filter(|f| f["rule"] == rule).collect()
    }

    /// A number of `counts`.
    pub fn count(&self, key: &str) -> u64 {
        self.0["counts"][key].as_u64().expect("a number")
    }

    /// Every line: file, number, status.
    pub fn lines(&self) -> Vec<(String, u64, String)> {
        let mut lines: Vec<_> = self.0["modules"]
            .as_array()
            .expect("a list")
            .iter()
            .flat_map(|m| m["lines"].as_array().expect("a list"))
            .map(|l| {
                (
                    l["file"].as_str().expect("a string").to_owned(),
                    l["line"].as_u64().expect("a number"),
                    l["status"].as_str().expect("a string").to_owned(),
                )
            })
            .collect();
        lines.sort();
        lines
    }

    /// The status of a line of go.sum.
    ///
    /// # Panics
    /// If the report has no such line.
    #[track_caller]
    pub fn line(&self, number: u64) -> String {
        let found = self.lines().into_iter().find(|(file, line, _)| file == "go.sum" && *line == number);
        found.unwrap_or_else(|| panic!("no line {number} in {}", self.0)).2
    }

    /// The report with what may differ between two runs taken out: the instant, and how much was asked of whom.
    pub fn timeless(mut self) -> Value {
        self.0["checked_at"] = Value::Null;
        for db in self.0["sumdbs"].as_array_mut().expect("a list") {
            db["requests"] = Value::Null;
            db["floor"] = Value::Null;
        }
        self.0
    }
}

/// A running server of `peer`; ends when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    hello: Value,
}

impl Server {
    /// Starts `peer ARG…`; none where there is no `go`.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(args: I) -> Option<Self> {
        let mut child =
            Command::new(peer()?).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("peer starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("peer prints a line");
        let hello = serde_json::from_str(&line).expect("peer prints one line of JSON");
        Some(Self { child, hello })
    }

    /// Starts `peer serve` with a log of 300 other records, the modules of `gosum` and 50 others.
    pub fn of(gosum: &str, more: &[&str]) -> Option<Self> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(gosum.as_bytes()).expect("it can be written");
        let mut args: Vec<OsString> =
            ["serve", "--fill", "300", "--fill-after", "50", "--preload"].map(Into::into).into();
        args.push(file.path().into());
        args.extend(more.iter().map(OsString::from));
        Self::start(args)
    }

    /// A field of what it said when it was ready.
    pub fn hello(&self, key: &str) -> &str {
        self.hello[key].as_str().expect("a string")
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        self.hello("url")
    }

    /// GOSUMDB for it, with a path added to its URL.
    pub fn sumdb(&self, path: &str) -> String {
        format!("{} {}{path}", self.hello("key"), self.url())
    }

    /// The `/__stats`: requests, connections, paths, …
    ///
    /// # Panics
    /// If it does not answer.
    pub fn stats(&self) -> Value {
        serde_json::from_str(&self.get("/__stats")).expect("JSON")
    }

    /// How many requests came in since the start or [`Server::reset`].
    pub fn requests(&self) -> u64 {
        self.stats()["requests"].as_u64().expect("a number")
    }

    /// The paths that were asked for.
    pub fn paths(&self) -> Vec<String> {
        self.stats()["paths"].as_object().expect("an object").keys().cloned().collect()
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        self.get("/__reset");
    }

    /// The body of a GET.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn get(&self, path: &str) -> String {
        let address = self.url().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).expect("the server listens");
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer.split_once("\r\n\r\n").expect("a header and a body").1.to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either it ends by its closed standard input, or it has ended.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What `peer check` says of a go.sum: x/mod's own client.
#[derive(Debug)]
pub struct Checked {
    /// Exit status: 0 verified, 1 wrong, 3 not checked.
    pub status: i32,
    /// `lines`, `security`, `requests`.
    pub result: Value,
}

impl Checked {
    /// Runs it; none where there is no `go`.
    ///
    /// # Panics
    /// If it does not answer.
    pub fn run(gosum: &Path, url: &str, key: &str) -> Option<Self> {
        let out = Command::new(peer()?).arg("check").arg(gosum).args([url, key]).output().expect("peer runs");
        let result = serde_json::from_slice(&out.stdout)
            .unwrap_or_else(|e| panic!("peer check: {e}: {}", String::from_utf8_lossy(&out.stderr)));
        Some(Self { status: out.status.code().unwrap_or(-1), result })
    }

    /// Its lines: number, status, answer.
    pub fn lines(&self) -> Vec<(u64, String, Vec<String>)> {
        let text = |v: &Value| v.as_str().expect("a string").to_owned();
        self.result["lines"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|l| {
                let answer = l["answer"].as_array().expect("a list").iter().map(text).collect();
                (l["line"].as_u64().expect("a number"), text(&l["status"]), answer)
            })
            .collect()
    }
}

/// go.sum lines of made-up modules as `peer serve` has them, `M@V` each: both lines, by asking x/mod's client. None
/// where there is no `go`.
///
/// # Panics
/// If the server does not know one.
pub fn made_up(server: &Server, modules: &[&str]) -> Option<String> {
    let mut query = tempfile::NamedTempFile::new().expect("a temporary file");
    for module in modules {
        let (path, version) = module.split_once('@').expect("MODULE@VERSION");
        writeln!(query, "{path} {version} h1:?\n{path} {version}/go.mod h1:?").expect("it can be written");
    }
    let checked = Checked::run(query.path(), server.url(), server.hello("key"))?;
    let lines: Vec<String> = checked.lines().into_iter().flat_map(|(_, _, answer)| answer).collect();
    assert_eq!(lines.len(), 2 * modules.len(), "{:?}", checked.result);
    Some(lines.join("\n") + "\n")
}

/// `text` with the 20th character of the hash on a line (1-based) changed to another letter.
///
/// # Panics
/// If the line has no hash.
pub fn change_hash(text: &str, line: usize) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let l = &mut lines[line - 1];
    let at = l.rfind("h1:").expect("a hash") + 20;
    let other = if &l[at..=at] == "A" { "B" } else { "A" };
    l.replace_range(at..=at, other);
    lines.join("\n") + "\n"
}
