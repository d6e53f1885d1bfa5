//! Repositories made by the real git.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use modanchor_host::ci::event::Commit;
use modanchor_host::ci::git::{Checkout, Git, GitError};
use tempfile::TempDir;

/// Whether there is a git to test with; says so if not.
pub(crate) fn has_git() -> bool {
    let found = Command::new("git").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success());
    if !found {
        eprintln!("skipped: no git command");
    }
    found
}

/// A repository, and a home folder of its own. Both go with it.
pub(crate) struct Repo {
    folder: TempDir,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        fs::create_dir(folder.path().join("home")).expect("a folder");
        let repo = Self { folder };
        repo.at(&repo.base(), &["init", "--quiet", "--initial-branch=main", "tree"]);
        repo
    }

    /// What holds the repository, and whatever else a test needs. With symbolic links resolved, as git prints it.
    pub(crate) fn base(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.base().join("tree")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.base().join("home")
    }

    /// Runs git somewhere, which has to succeed; what it prints, without the end of line.
    pub(crate) fn at(&self, folder: &Path, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(folder).args(arguments).output().expect("git runs");
        assert!(status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8_lossy(&stdout).trim_end().to_owned()
    }

    /// The git of a person who works here.
    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new("git");
        command.current_dir(folder).env("HOME", self.home()).env("GIT_CONFIG_NOSYSTEM", "1").stdin(Stdio::null());
        for name in ["GIT_AUTHOR", "GIT_COMMITTER"] {
            command.env(format!("{name}_NAME"), "n").env(format!("{name}_EMAIL"), "e@example.com");
        }
        command.args(["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false", "-c", "core.autocrlf=false"]);
        command
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.at(&self.path(), arguments)
    }

    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path().join(path)).expect("a file");
    }

    /// Commits all that is there.
    pub(crate) fn commit(&self) -> Commit {
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "m"]);
        self.head()
    }

    pub(crate) fn head(&self) -> Commit {
        Commit::parse(&self.git(&["rev-parse", "HEAD"])).expect("a commit")
    }

    /// A clone of the last `depth` commits of what is checked out.
    pub(crate) fn shallow(&self, depth: u32) -> PathBuf {
        let clone = self.base().join(format!("shallow{depth}"));
        let url = format!("file://{}", self.path().display());
        let name = clone.to_str().expect("UTF-8");
        // As actions/checkout does: no branch, one commit by name.
        self.at(&self.base(), &["init", "--quiet", name]);
        self.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        let depth = format!("--depth={depth}");
        self.at(&clone, &["fetch", "--quiet", &depth, &url, self.head().as_str()]);
        self.at(&clone, &["checkout", "--quiet", "--detach", "FETCH_HEAD"]);
        clone
    }

    /// The environment that the program has.
    pub(crate) fn lookup(&self) -> impl Fn(&str) -> Option<OsString> {
        let home = self.home();
        move |name| match name {
            "PATH" => std::env::var_os("PATH"),
            "HOME" => Some(home.clone().into()),
            _ => None,
        }
    }

    pub(crate) fn open_at(&self, folder: &Path) -> Result<Checkout, GitError> {
        Git::find(self.lookup(), folder).expect("git").open(folder)
    }

    pub(crate) fn open(&self) -> Checkout {
        self.open_at(&self.path()).expect("a checkout")
    }
}
