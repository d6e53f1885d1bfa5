//! A project with dependencies from a proxy on loopback, the log that has them, and a module cache that the real `go`
//! filled.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use e2e::{Outcome, Report, Run, Sandbox, Server, has_go, peer, target, write};
use serde_json::Value;

/// The dependencies, by PATH@VERSION/FILE; `dep.example/base` is made up by the server.
const MODULES: [(&str, &str); 21] = [
    ("dep.example/lib@v1.2.0/go.mod", "module dep.example/lib\n\ngo 1.21\n\nrequire dep.example/base v1.0.0\n"),
    ("dep.example/lib@v1.2.0/LICENSE", "As is.\n"),
    (
        "dep.example/lib@v1.2.0/lib.go",
        "// Package lib has a table.\npackage lib\n\nimport (\n\t_ \"embed\"\n\n\t_ \"dep.example/base\"\n)\n\n\
         //go:embed data/table.txt\nvar Table string\n",
    ),
    ("dep.example/lib@v1.2.0/data/table.txt", "1 2 3\n"),
    ("dep.example/lib@v1.2.0/lib_test.go", "package lib\n"),
    ("dep.example/lib@v1.2.0/gen.go", "//go:build ignore\n\npackage main\n\nfunc main() {}\n"),
    ("dep.example/lib@v1.2.0/unused/unused.go", "package unused\n"),
    ("dep.example/lib@v1.2.0/native/cgo.go", "package native\n\n// #include \"native.h\"\nimport \"C\"\n"),
    ("dep.example/lib@v1.2.0/native/other.go", "//go:build !cgo\n\npackage native\n"),
    ("dep.example/lib@v1.2.0/native/native.c", "#include \"native.h\"\nint one(void) { return 1; }\n"),
    ("dep.example/lib@v1.2.0/native/native.h", "int one(void);\n"),
    ("dep.example/Upper@v0.1.0/go.mod", "module dep.example/Upper\n"),
    ("dep.example/Upper@v0.1.0/Upper.go", "package upper\n"),
    ("dep.example/early@v1.0.0/go.mod", "module dep.example/early\n\ngo 1.16\n\nrequire dep.example/base v1.0.0\n"),
    ("dep.example/early@v1.0.0/early.go", "package early\n\nimport _ \"dep.example/base\"\n"),
    ("dep.example/old@v1.0.0/go.mod", "module dep.example/old\n"),
    ("dep.example/old@v1.0.0/old.go", "package old\n"),
    ("fork.example/old@v1.0.1/go.mod", "module dep.example/old\n"),
    ("fork.example/old@v1.0.1/old.go", "package old\n\n// Forked says so.\nconst Forked = true\n"),
    ("dep.example/base@v1.1.0/go.mod", "module dep.example/base\n"),
    (
        "dep.example/base@v1.1.0/p.go",
        "// Package p is the base of lib.\npackage p\n\n// Level is how high it is.\nconst Level = 1\n",
    ),
];

/// The project itself.
const FILES: [(&str, &str); 4] = [
    (
        "go.mod",
        "module example.com/project\n\ngo 1.21\n\nrequire (\n\tdep.example/Upper v0.1.0\n\tdep.example/base v1.1.0\n\t\
         dep.example/lib v1.2.0\n\tdep.example/local v0.0.0\n\tdep.example/old v1.0.0\n)\n\n\
         replace dep.example/old => fork.example/old v1.0.1\n\nreplace dep.example/local => ./local\n",
    ),
    (
        "main.go",
        "package main\n\nimport (\n\t_ \"dep.example/Upper\"\n\t_ \"dep.example/base\"\n\t_ \"dep.example/lib\"\n\t\
         _ \"dep.example/lib/native\"\n\t_ \"dep.example/local\"\n\t_ \"dep.example/old\"\n)\n\nfunc main() {}\n",
    ),
    ("local/go.mod", "module dep.example/local\n"),
    ("local/local.go", "package local\n"),
];

/// The dependency that tests change.
pub(crate) const LIB: &str = "dep.example/lib@v1.2.0";

/// The project, its module cache, and the server that is its proxy and its checksum database.
pub(crate) struct Project {
    pub(crate) s: Sandbox,
    pub(crate) server: Server,
}

impl Project {
    /// Tidy, with everything downloaded; none where there is no `go`.
    pub(crate) fn new() -> Option<Self> {
        if !has_go() {
            return None;
        }
        let s = Sandbox::new();
        for (name, text) in MODULES {
            write(&s.path("modules").join(name), text);
        }
        for (name, text) in FILES {
            s.write(name, text);
        }
        let server = serve(&s, &[]);
        let project = Self { s, server };
        project.go(["mod", "tidy"]).end().status(0);
        project.go(["mod", "download"]).end().status(0);
        project.keep();
        Some(project)
    }

    /// Lets [`Project::restore`] come back to what is there now.
    pub(crate) fn keep(&self) {
        let pristine = self.s.path("pristine");
        if pristine.exists() {
            unlock(&pristine);
            fs::remove_dir_all(&pristine).expect("ours");
        }
        for dir in ["checkout", "gomodcache"] {
            copy(&self.s.path(dir), &pristine.join(dir));
        }
    }

    /// Another server, of the modules as they are now.
    pub(crate) fn another(&self, args: &[&str]) -> Server {
        serve(&self.s, args)
    }

    /// Checkout and module cache as they were.
    pub(crate) fn restore(&self) {
        for dir in ["checkout", "gomodcache"] {
            let there = self.s.path(dir);
            unlock(&there);
            fs::remove_dir_all(&there).expect("ours");
            copy(&self.s.path("pristine").join(dir), &there);
        }
    }

    fn with(&self, run: Run) -> Run {
        run.env("GOPROXY", self.proxy()).sumdb(&self.server)
    }

    /// GOPROXY for the server.
    pub(crate) fn proxy(&self) -> String {
        format!("{}/proxy", self.server.url())
    }

    /// The `go` command, which leaves the module cache read-only as it does by itself. What it compiles is kept for the
    /// next run of the tests.
    pub(crate) fn go<const N: usize>(&self, args: [&str; N]) -> Run {
        self.with(self.s.go(args))
            .env("GOFLAGS", "")
            .env("CGO_ENABLED", "0")
            .env("GOCACHE", target().join("peer/gocache"))
    }

    /// `modanchor ARG…`
    pub(crate) fn run<const N: usize>(&self, args: [&str; N]) -> Run {
        self.with(self.s.run(args))
    }

    /// `modanchor verify --format json ARG…`
    pub(crate) fn verify<const N: usize>(&self, args: [&str; N]) -> Run {
        self.with(self.s.verify(args))
    }

    /// Runs to the end, and makes sure that nothing in Go's folders was written to.
    #[track_caller]
    pub(crate) fn end(&self, run: Run) -> Outcome {
        let before = [listing(&self.s.path("gomodcache")), listing(&self.s.path("gopath"))];
        let outcome = run.end();
        assert_eq!([listing(&self.s.path("gomodcache")), listing(&self.s.path("gopath"))], before);
        outcome
    }

    /// Runs to the end with this status, and gives the report.
    #[track_caller]
    pub(crate) fn report(&self, run: Run, status: i32) -> Report {
        self.end(run).status(status).report()
    }

    /// A file below `cache/download` of LIB: its suffix.
    pub(crate) fn cached(&self, suffix: &str) -> PathBuf {
        self.s.path(&format!("gomodcache/cache/download/dep.example/lib/@v/v1.2.0.{suffix}"))
    }

    /// A file in the folder of LIB.
    pub(crate) fn extracted(&self, name: &str) -> PathBuf {
        self.s.path("gomodcache").join(LIB).join(name)
    }

    /// `peer ARG…`, which has to succeed; what it prints.
    #[track_caller]
    pub(crate) fn peer<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> String {
        let out = Command::new(peer().expect("there is go")).args(args).output().expect("peer runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("text").trim().to_owned()
    }

    /// Rewrites the zip of LIB with another content for one of its files: a zip with nothing wrong but that.
    pub(crate) fn rezip(&self, name: &str, content: &str) {
        let zip = self.cached("zip");
        unlocked(&zip, || {
            self.peer([
                "spoil-zip".as_ref(),
                zip.as_os_str(),
                "replace".as_ref(),
                format!("{LIB}/{name}").as_ref(),
                content.as_ref(),
            ])
        });
    }
}

/// A server of the modules in the sandbox.
fn serve(s: &Sandbox, args: &[&str]) -> Server {
    let (modules, log) = (s.path("modules"), s.path("log.sum"));
    // A log that has all of them says the same in every run.
    let name = |file: &str| file.match_indices('/').nth(1).map_or(file, |(end, _)| &file[..end]).to_owned();
    let mut names: Vec<String> = MODULES.iter().map(|(file, _)| name(file)).collect();
    names.push("dep.example/base@v1.0.0".to_owned());
    names.sort_unstable();
    names.dedup();
    write(&log, names.iter().map(|name| name.replace('@', " ") + " h1:?\n").collect::<String>());
    let first = ["serve".as_ref(), "--modules".as_ref(), modules.as_os_str(), "--preload".as_ref(), log.as_os_str()];
    Server::start(first.into_iter().chain(args.iter().map(OsStr::new))).expect("there is go")
}

impl Drop for Project {
    fn drop(&mut self) {
        // What go made read-only could not be removed.
        unlock(&self.s.path(""));
    }
}

/// What of a finding a test looks at: rule, file and message.
pub(crate) fn shown(finding: &Value) -> (&str, &str, &str) {
    let text = |key: &str| finding[key].as_str().unwrap_or_default();
    (text("rule"), text("file"), text("message"))
}

/// Every path below a folder, with its kind, length, time and permissions.
pub(crate) fn listing(dir: &Path) -> Vec<(PathBuf, String, u64, SystemTime, bool)> {
    let mut out = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(dir) = dirs.pop() {
        let found = fs::symlink_metadata(&dir);
        let Ok(found) = found else { continue };
        let time = found.modified().expect("a time");
        out.push((dir.clone(), format!("{:?}", found.file_type()), found.len(), time, found.permissions().readonly()));
        if found.is_dir() {
            dirs.extend(fs::read_dir(&dir).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
    }
    out.sort();
    out
}

/// Copies a folder with its permissions.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a file");
        }
    }
    fs::set_permissions(to, fs::metadata(from).expect("a folder").permissions()).expect("ours");
}

/// Lets the owner write.
fn writable(path: &Path) {
    let mut permissions = fs::metadata(path).expect("it is there").permissions();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        permissions.set_mode(permissions.mode() | 0o700);
    }
    #[cfg(not(unix))]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).expect("ours");
}

/// Makes everything below a folder writable, so that it can be removed.
pub(crate) fn unlock(dir: &Path) {
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(path) = dirs.pop() {
        if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_symlink()) {
            writable(&path);
        }
        if fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            dirs.extend(fs::read_dir(&path).expect("a folder").map(|entry| entry.expect("an entry").path()));
        }
    }
}

/// Does something to a file or folder with it and its folder writable; after it, both are as they were.
pub(crate) fn unlocked<T>(path: &Path, change: impl FnOnce() -> T) -> T {
    let both = [path.parent().expect("a folder"), path];
    let before = both.map(|path| fs::metadata(path).ok().map(|found| found.permissions()));
    for (path, before) in both.iter().zip(&before) {
        if before.is_some() {
            writable(path);
        }
    }
    let done = change();
    for (path, before) in both.iter().zip(before) {
        if let Some(before) = before.filter(|_| path.exists()) {
            fs::set_permissions(path, before).expect("ours");
        }
    }
    done
}

/// Changes one bit of one byte of a file.
pub(crate) fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("a file");
    bytes[at] ^= 1;
    overwrite(path, bytes);
}

/// Writes a file, and leaves permissions as they were; a new one is read-only.
pub(crate) fn overwrite(path: &Path, content: impl AsRef<[u8]>) {
    let is_new = !path.exists();
    unlocked(path, || fs::write(path, content).expect("a file"));
    if is_new {
        let mut permissions = fs::metadata(path).expect("a file").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(path, permissions).expect("ours");
    }
}

/// Removes a file or a folder, wherever it is.
pub(crate) fn remove(path: &Path) {
    unlocked(path, || {
        if path.is_dir() {
            unlock(path);
            fs::remove_dir_all(path).expect("ours");
        } else {
            fs::remove_file(path).expect("ours");
        }
    });
}

/// The place of a text in a file.
pub(crate) fn find(path: &Path, text: &str) -> usize {
    let bytes = fs::read(path).expect("a file");
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("it has the text")
}
