//! The real go command, away from the network and from the settings of whoever runs the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder for one test, empty at first.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("the folder of an earlier run can be removed");
    }
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// Writes a file below a folder.
pub(crate) fn write(folder: &Path, path: &str, content: &[u8]) {
    let path = folder.join(path);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).expect("a folder can be made");
    }
    fs::write(path, content).expect("a file can be written");
}

/// Runs `go` in a folder; whether it succeeded, and all that it printed. None, with a message, where there is no `go`.
pub(crate) fn go(folder: &Path, args: &[&str]) -> Option<(bool, String)> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go-home");
    let output = Command::new("go")
        .args(args)
        .current_dir(folder)
        .env("GOENV", "off")
        .env("GOFLAGS", "-mod=readonly")
        .env("GOPROXY", "off")
        .env("GOSUMDB", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "on")
        .env_remove("GOWORK")
        .env_remove("GOMODCACHE")
        .env("GOPATH", home.join("path"))
        .env("GOCACHE", home.join("cache"))
        .output();
    match output {
        Ok(output) => {
            let text = [output.stdout, output.stderr].concat();
            Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
        }
        #[allow(clippy::print_stderr, reason = "a test that did not run says so")]
        Err(error) => {
            eprintln!("skipped: the go command cannot be run: {error}");
            None
        }
    }
}
