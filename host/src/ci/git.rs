//! The `git` command, on a checkout that nobody vouches for.
//!
//! # Security
//! A pull request writes every file of the checkout, and an earlier step that ran its code may have written `.git/`
//! too. Both may try to make git run a program, ask the network, or say something untrue of the history:
//!
//! - **Which git.** The first on an absolute element of PATH that does not lie in the checkout, also not behind a
//!   symbolic link; looked for once and run by its full path.
//! - **Its environment** is made from nothing ([`KEPT`]): none of `GIT_DIR`, `GIT_EXTERNAL_DIFF`, `GIT_CONFIG_COUNT`,
//!   `LD_PRELOAD` and the like comes along. The user's own and the system's configuration are read, because that is
//!   where `safe.directory` is, without which git rightly refuses a checkout of another user. It never asks
//!   (`GIT_TERMINAL_PROMPT`), takes no lock (`GIT_OPTIONAL_LOCKS`), and speaks English (`LC_ALL`).
//! - **What `.git/config` can do.** Only commands that read objects are run: `rev-parse`, `cat-file`, `ls-tree`,
//!   `merge-base`. They read no index and no file of the working tree, so that no `core.fsmonitor`, no hook, and no
//!   filter has a part in them; nor can an alias stand in for a built-in command. `core.fsmonitor`, `core.hooksPath`
//!   and `core.pager` are set to nothing all the same. A partial clone would fetch what is missing by a command that
//!   `.git/config` names: no protocol is allowed (`GIT_ALLOW_PROTOCOL` wins over every `protocol.*.allow`), so what is
//!   missing is missing. `core.worktree` can name a folder further up as the root: then no path is one of the base, and
//!   everything counts as changed.
//! - **A folder that looks like a bare repository** can be committed, with a configuration of its own:
//!   `safe.bareRepository=explicit` passes it over, and that key is only heeded from the command line and the user.
//! - **`.gitattributes`** and the diff drivers, text conversions and filters of `.git/config` could hide lines or run
//!   programs. So no diff is made in the checkout: the old content comes from the object, the new one from the file,
//!   both as they are, and `git diff --no-index` compares the two copies in an empty folder, with no repository, no
//!   attributes and no configuration around. `--text --no-ext-diff --no-textconv` say so once more.
//! - **`refs/replace`** and `.git/shallow` could give a commit other parents: replacements are off, and parents are
//!   read from the commit itself.
//! - **What it prints** is cut off at a limit and read by counts, not by what lines look like: a line of go.sum that
//!   reads `@@ -1 +1 @@` is content. It is given the names of commits and paths, never something that could be an
//!   option.
//! - **How long it takes** is limited too ([`TIMEOUT`]).

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::event::Commit;
use super::lines::Lines;
use crate::files::{FileError, Regular};

/// How long one git command may take.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// The largest file that is compared with its old content, in bytes, each of the two.
pub const MAX_COMPARED: u64 = 16 << 20;
/// The largest answer of a command that prints names and not content, in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// How much of git's complaints is kept, in bytes.
const MAX_COMPLAINT: u64 = 4 << 10;
/// The largest commit object, in bytes. Its parents come first; a message may be as long as it likes.
const MAX_COMMIT: u64 = 1 << 20;

/// The variables that git keeps: where it, its libraries (on Windows) and the configuration of the user and the system
/// are, and where temporary files go.
pub const KEPT: [&str; 14] = [
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_SYSTEM",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "PROGRAMDATA",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "TMPDIR",
    "USERPROFILE",
    "WINDIR",
    "XDG_CONFIG_HOME",
];

/// Why git does not say what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// None on PATH, outside of the checkout.
    #[error("no git command on an absolute element of PATH, outside of the checkout")]
    NoGit,
    /// The checkout is no working tree of a repository.
    #[error("{} is not in a working tree of a git repository", .0.display())]
    NotARepository(PathBuf),
    /// The checkout belongs to another user.
    #[error(
        "git does not trust the owner of {folder}: `git config --global --add safe.directory {folder}` says that you do",
        folder = .0.display()
    )]
    DubiousOwnership(PathBuf),
    /// There is no commit yet.
    #[error("the checkout has no commit")]
    NoCommit,
    /// Not in the checkout, as where it is shallow.
    #[error("the checkout has no commit {0}: `fetch-depth: 0` of actions/checkout fetches all of them")]
    Absent(Commit),
    /// The history is cut off, so that the point where two commits parted is not known.
    #[error("the checkout is shallow: `fetch-depth: 0` of actions/checkout fetches the whole history")]
    Shallow,
    /// A folder, a symbolic link or a submodule where a file was expected.
    #[error("{path} is not a regular file in commit {commit}")]
    NotRegular {
        /// Of which commit.
        commit: Commit,
        /// From the root of the repository.
        path: String,
    },
    /// A path that cannot be one of a repository.
    #[error("{0:?} is not a path from the root of a repository")]
    Path(String),
    /// More than the limit.
    #[error("git {command} printed more than {limit} bytes")]
    TooLarge {
        /// Which command.
        command: String,
        /// In bytes.
        limit: u64,
    },
    /// Longer than [`TIMEOUT`].
    #[error("git {command} took longer than {} seconds", .limit.as_secs_f32())]
    TimedOut {
        /// Which command.
        command: String,
        /// How long it could take.
        limit: Duration,
    },
    /// It says something else than it is known to.
    #[error("git {command} printed something unexpected")]
    Unexpected {
        /// Which command.
        command: String,
    },
    /// It failed.
    #[error("git {command} failed ({status}): {complaint}")]
    Failed {
        /// Which command.
        command: String,
        /// With which status.
        status: ExitStatus,
        /// What it said, escaped.
        complaint: String,
    },
    /// It cannot be run, or a temporary file cannot be written.
    #[error("running git {command}: {error}")]
    Io {
        /// Which command.
        command: String,
        /// Why not.
        error: io::Error,
    },
    /// A file of the checkout cannot be read.
    #[error("reading {path}: {error}")]
    Read {
        /// From the root of the repository.
        path: String,
        /// Why not.
        error: FileError,
    },
}

/// The git command.
#[derive(Debug, Clone)]
pub struct Git {
    program: PathBuf,
    environment: Vec<(OsString, OsString)>,
    timeout: Duration,
}

impl Git {
    /// Looks for git on PATH. `lookup` gives the variables of the environment, `checkout` is what it is run for.
    ///
    /// # Errors
    /// [`GitError::NoGit`].
    pub fn find(lookup: impl Fn(&str) -> Option<OsString>, checkout: &Path) -> Result<Self, GitError> {
        let path = lookup("PATH").unwrap_or_default();
        let outside = outside_of(checkout);
        let folders: Vec<PathBuf> =
            std::env::split_paths(&path).filter(|folder| folder.is_absolute() && outside(folder)).collect();
        let name = if cfg!(windows) { "git.exe" } else { "git" };
        let mut found = folders.iter().map(|folder| folder.join(name));
        let program = found.find(|program| is_program(program) && outside(program)).ok_or(GitError::NoGit)?;
        let mut environment: Vec<(OsString, OsString)> =
            KEPT.iter().filter_map(|&name| Some((name.into(), lookup(name)?))).collect();
        // Each element comes out of a PATH, so it holds no separator.
        environment.push(("PATH".into(), std::env::join_paths(&folders).unwrap_or_default()));
        for (name, value) in [
            ("GIT_ALLOW_PROTOCOL", "none"),
            ("GIT_NO_LAZY_FETCH", "1"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
            ("GIT_OPTIONAL_LOCKS", "0"),
            ("GIT_TERMINAL_PROMPT", "0"),
            ("LC_ALL", "C"),
        ] {
            environment.push((name.into(), value.into()));
        }
        Ok(Self { program, environment, timeout: TIMEOUT })
    }

    /// Another limit than [`TIMEOUT`].
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The checkout that `folder` lies in.
    ///
    /// # Errors
    /// [`GitError::NotARepository`], [`GitError::DubiousOwnership`], [`GitError::NoCommit`], and those of any command.
    pub fn open(self, folder: &Path) -> Result<Checkout, GitError> {
        // One by one, because a path may hold an end of line.
        let top = match self.run(folder, &["rev-parse", "--show-toplevel"], MAX_ANSWER) {
            Ok(top) => top,
            Err(GitError::Failed { complaint, .. }) if complaint.contains("dubious ownership") => {
                return Err(GitError::DubiousOwnership(folder.to_owned()));
            }
            Err(GitError::Failed { complaint, .. })
                if complaint.contains("not a git repository")
                    || complaint.contains("must be run in a work tree")
                    || complaint.contains("cannot use bare repository") =>
            {
                return Err(GitError::NotARepository(folder.to_owned()));
            }
            Err(error) => return Err(error),
        };
        let top = top.strip_suffix(b"\n").unwrap_or(&top);
        let unexpected = || GitError::Unexpected { command: "rev-parse".to_owned() };
        let toplevel = path_of(top).filter(|path| path.is_absolute()).ok_or_else(unexpected)?;
        // The repository may reach further up than what git was looked for in.
        if !outside_of(&toplevel)(&self.program) {
            return Err(GitError::NoGit);
        }
        let head = self.run(&toplevel, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], MAX_ANSWER);
        let head = match head {
            Err(GitError::Failed { .. }) => return Err(GitError::NoCommit),
            head => commit_in(&head?).ok_or_else(unexpected)?,
        };
        let shallow = match self.run(&toplevel, &["rev-parse", "--is-shallow-repository"], MAX_ANSWER)?.as_slice() {
            b"true\n" => true,
            b"false\n" => false,
            _ => return Err(unexpected()),
        };
        Ok(Checkout { git: self, toplevel, head, shallow })
    }

    /// What a command prints, with exit status 0.
    fn run<S: AsRef<OsStr>>(&self, folder: &Path, arguments: &[S], limit: u64) -> Result<Vec<u8>, GitError> {
        let finished = self.run_any(folder, arguments, limit, &[])?;
        if finished.status.success() {
            return Ok(finished.stdout);
        }
        Err(finished.failed())
    }

    fn run_any<S: AsRef<OsStr>>(
        &self,
        folder: &Path,
        arguments: &[S],
        limit: u64,
        environment: &[(&str, &OsStr)],
    ) -> Result<Finished, GitError> {
        let name = arguments.first().map(|name| name.as_ref().to_string_lossy().into_owned()).unwrap_or_default();
        let failed = |error| GitError::Io { command: name.clone(), error };
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .envs(environment.iter().copied())
            .current_dir(folder)
            .args(["--no-pager", "--literal-pathspecs"])
            .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"])
            .args(["-c", "safe.bareRepository=explicit"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let deadline = Instant::now() + self.timeout;
        let mut child = command.spawn().map_err(failed)?;
        // Not joined: something that git started may hold the pipe open for ever.
        let stdout = collect(child.stdout.take(), limit);
        let stderr = collect(child.stderr.take(), MAX_COMPLAINT);
        let mut end = |error| {
            // It may be gone already.
            _ = child.kill();
            _ = child.wait();
            error
        };
        let timed_out = || GitError::TimedOut { command: name.clone(), limit: self.timeout };
        let stdout = match stdout.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Err(_) => return Err(end(timed_out())),
            Ok(Err(error)) => return Err(end(failed(error))),
            Ok(Ok(stdout)) if stdout.len() as u64 > limit => {
                return Err(end(GitError::TooLarge { command: name, limit }));
            }
            Ok(Ok(stdout)) => stdout,
        };
        let stderr = stderr.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        let Some(status) = wait(&mut child, deadline).map_err(failed)? else {
            _ = child.kill();
            _ = child.wait();
            return Err(timed_out());
        };
        Ok(Finished { command: name, status, stdout, stderr: stderr.ok().and_then(Result::ok).unwrap_or_default() })
    }

    /// The lines of `new` that are not in `old`.
    fn compare(&self, old: &[u8], new: &[u8]) -> Result<Lines, GitError> {
        let failed = |error| GitError::Io { command: "diff".to_owned(), error };
        let folder = tempfile::Builder::new().prefix("modanchor-").tempdir().map_err(failed)?;
        for (name, content) in [("old", old), ("new", new)] {
            fs::File::create_new(folder.path().join(name))
                .and_then(|mut file| file.write_all(content))
                .map_err(failed)?;
        }
        let arguments = [
            "diff",
            "--no-index",
            "--text",
            "--no-ext-diff",
            "--no-textconv",
            "--no-color",
            "--no-renames",
            "--no-indent-heuristic",
            "--diff-algorithm=myers",
            "--src-prefix=a/",
            "--dst-prefix=b/",
            "-U0",
            "--",
            "old",
            "new",
        ];
        let above = folder.path().parent().unwrap_or(folder.path()).as_os_str();
        let home = folder.path().as_os_str();
        let nothing = if cfg!(windows) { "NUL" } else { "/dev/null" };
        let environment = [
            // No repository around, and no configuration: also for a git that does not know GIT_CONFIG_GLOBAL yet.
            ("GIT_CEILING_DIRECTORIES", above),
            ("GIT_CONFIG_GLOBAL", OsStr::new(nothing)),
            ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
            ("GIT_ATTR_NOSYSTEM", OsStr::new("1")),
            ("HOME", home),
            ("XDG_CONFIG_HOME", home),
        ];
        // All of both, with a sign before each line. Only files of very short lines make more of it, with a hunk around
        // each: then it is not worth knowing.
        let limit = 2 * (old.len() as u64 + new.len() as u64) + MAX_ANSWER;
        let finished = match self.run_any(folder.path(), &arguments, limit, &environment) {
            Err(GitError::TooLarge { .. }) => return Ok(Lines::All),
            finished => finished?,
        };
        match finished.status.code() {
            Some(0) => Ok(Lines::Ranges(Vec::new())),
            Some(1) => {
                let unexpected = GitError::Unexpected { command: "diff".to_owned() };
                hunks(&finished.stdout).map(Lines::Ranges).ok_or(unexpected)
            }
            _ => Err(finished.failed()),
        }
    }
}

/// Where it is clear that a path does not lie in the checkout, also not behind a symbolic link.
fn outside_of(checkout: &Path) -> impl Fn(&Path) -> bool {
    let checkout = fs::canonicalize(checkout).unwrap_or_else(|_| checkout.to_owned());
    move |path| fs::canonicalize(path).is_ok_and(|path| !path.starts_with(&checkout))
}

fn is_program(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if metadata.permissions().mode() & 0o111 == 0 {
            return false;
        }
    }
    metadata.is_file()
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Some(PathBuf::from(OsStr::from_bytes(bytes)))
}

#[cfg(windows)]
fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// Reads a pipe in a thread of its own, and keeps one byte more than the limit. What comes after that is read too and
/// kept nowhere: whoever writes must not die of it.
fn collect(pipe: Option<impl Read + Send + 'static>, limit: u64) -> mpsc::Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let Some(mut pipe) = pipe else {
            // Both pipes were asked for.
            return;
        };
        let mut content = Vec::new();
        let read = pipe.by_ref().take(limit + 1).read_to_end(&mut content);
        // Nobody may be listening any more.
        _ = sender.send(read.map(|_| content));
        _ = io::copy(&mut pipe, &mut io::sink());
    });
    receiver
}

/// None: it is still running at the deadline.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        // Its output is at an end, so it is about to go.
        thread::sleep(Duration::from_millis(1));
    }
}

struct Finished {
    command: String,
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Finished {
    fn failed(self) -> GitError {
        let complaint = String::from_utf8_lossy(&self.stderr);
        let complaint = crate::output::text::escape(complaint.trim()).into_owned();
        GitError::Failed { command: self.command, status: self.status, complaint }
    }
}

fn commit_in(output: &[u8]) -> Option<Commit> {
    Commit::parse(std::str::from_utf8(output).ok()?.trim_ascii_end())
}

/// A working tree, with the commit that was checked out.
#[derive(Debug, Clone)]
pub struct Checkout {
    git: Git,
    toplevel: PathBuf,
    head: Commit,
    shallow: bool,
}

/// A file as a commit has it.
enum Entry {
    File { id: String },
    Other,
}

impl Checkout {
    /// The root of the working tree: absolute.
    pub fn toplevel(&self) -> &Path {
        &self.toplevel
    }

    /// The commit that is checked out.
    pub fn head(&self) -> &Commit {
        &self.head
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S], limit: u64) -> Result<Vec<u8>, GitError> {
        self.git.run(&self.toplevel, arguments, limit)
    }

    /// Whether the commit is there.
    ///
    /// # Errors
    /// Those of any command.
    pub fn has(&self, commit: &Commit) -> Result<bool, GitError> {
        match self.run(&["cat-file", "-e", &format!("{commit}^{{commit}}")], MAX_ANSWER) {
            Ok(_) => Ok(true),
            Err(GitError::Failed { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// # Errors
    /// [`GitError::Absent`], and those of any command.
    pub(super) fn require(&self, commit: &Commit) -> Result<(), GitError> {
        if self.has(commit)? { Ok(()) } else { Err(GitError::Absent(commit.clone())) }
    }

    /// The parents of the commit that is checked out, in their order, also where the history is cut off after it.
    ///
    /// # Errors
    /// Those of any command.
    pub fn parents(&self) -> Result<Vec<Commit>, GitError> {
        let text = self.run(&["cat-file", "commit", self.head.as_str()], MAX_COMMIT)?;
        let header = text.split(|&b| b == b'\n').take_while(|line| !line.is_empty());
        let unexpected = || GitError::Unexpected { command: "cat-file".to_owned() };
        header
            .filter_map(|line| line.strip_prefix(b"parent "))
            .map(|name| commit_in(name).ok_or_else(unexpected))
            .collect()
    }

    /// Where two commits parted; none: they have nothing in common.
    ///
    /// # Errors
    /// [`GitError::Shallow`]: it cannot be known. [`GitError::Absent`], and those of any command.
    pub fn merge_base(&self, a: &Commit, b: &Commit) -> Result<Option<Commit>, GitError> {
        if self.shallow {
            return Err(GitError::Shallow);
        }
        self.require(a)?;
        self.require(b)?;
        let arguments = ["merge-base", a.as_str(), b.as_str()];
        let finished = self.git.run_any(&self.toplevel, &arguments, MAX_ANSWER, &[])?;
        match finished.status.code() {
            Some(0) => {
                let unexpected = GitError::Unexpected { command: "merge-base".to_owned() };
                commit_in(&finished.stdout).map(Some).ok_or(unexpected)
            }
            Some(1) => Ok(None),
            _ => Err(finished.failed()),
        }
    }

    /// A file as a commit has it; none: it has none of that name.
    ///
    /// # Errors
    /// [`GitError::Absent`], [`GitError::NotRegular`] (a symbolic link is not followed), [`GitError::TooLarge`] over
    /// `limit` bytes, [`GitError::Path`], and those of any command.
    pub fn show(&self, commit: &Commit, path: &str, limit: u64) -> Result<Option<Vec<u8>>, GitError> {
        self.require(commit)?;
        match self.entry(commit, path)? {
            None => Ok(None),
            Some(Entry::File { id }) => self.run(&["cat-file", "blob", &id], limit).map(Some),
            Some(Entry::Other) => Err(GitError::NotRegular { commit: commit.clone(), path: path.to_owned() }),
        }
    }

    fn entry(&self, commit: &Commit, path: &str) -> Result<Option<Entry>, GitError> {
        if !is_repository_path(path) {
            return Err(GitError::Path(path.to_owned()));
        }
        let output = self.run(&["ls-tree", "-z", "--full-tree", commit.as_str(), "--", path], MAX_ANSWER)?;
        let unexpected = || GitError::Unexpected { command: "ls-tree".to_owned() };
        // MODE SP TYPE SP ID TAB PATH NUL
        let Some(entry) = output.split(|&b| b == 0).find(|entry| !entry.is_empty()) else {
            return Ok(None);
        };
        let tab = entry.iter().position(|&b| b == b'\t').ok_or_else(unexpected)?;
        let (head, name) = (&entry[..tab], &entry[tab + 1..]);
        if name != path.as_bytes() {
            return Err(unexpected());
        }
        let mut parts = std::str::from_utf8(head).map_err(|_| unexpected())?.split(' ');
        let (Some(mode), Some(kind), Some(id)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(unexpected());
        };
        match (mode, kind) {
            // The empty blob has an id that is not all zero too.
            ("100644" | "100755" | "100664", "blob") if Commit::parse(id).is_some() => {
                Ok(Some(Entry::File { id: id.to_owned() }))
            }
            _ => Ok(Some(Entry::Other)),
        }
    }

    /// The lines of a file in the working tree, as it lies there, that are not in `base`; none: it is the same. No
    /// ranges: lines were only removed. [`Lines::All`]: it is no regular file, or was none, or was not there, or either
    /// is larger than [`MAX_COMPARED`].
    ///
    /// # Errors
    /// [`GitError::Absent`], [`GitError::Path`], [`GitError::Read`], and those of any command.
    pub fn changed(&self, base: &Commit, path: &str) -> Result<Option<Lines>, GitError> {
        self.require(base)?;
        self.changed_since(base, path)
    }

    /// [`Self::changed`] since a commit that is known to be there.
    pub(super) fn changed_since(&self, base: &Commit, path: &str) -> Result<Option<Lines>, GitError> {
        let Some(Entry::File { id }) = self.entry(base, path)? else {
            return Ok(Some(Lines::All));
        };
        let failed = |error| GitError::Read { path: path.to_owned(), error };
        let Some(file) = self.regular(path).map_err(failed)? else {
            return Ok(Some(Lines::All));
        };
        let new = match file.read(MAX_COMPARED) {
            Err(FileError::TooLarge { .. }) => return Ok(Some(Lines::All)),
            new => new.map_err(failed)?,
        };
        let old = match self.run(&["cat-file", "blob", &id], MAX_COMPARED) {
            Err(GitError::TooLarge { .. }) => return Ok(Some(Lines::All)),
            old => old?,
        };
        if old == new { Ok(None) } else { self.git.compare(&old, &new).map(Some) }
    }

    /// None: not a regular file, or behind a symbolic link.
    fn regular(&self, path: &str) -> Result<Option<Regular>, FileError> {
        let mut at = self.toplevel.clone();
        for name in path.split('/') {
            at.push(name);
            match fs::symlink_metadata(&at) {
                Ok(metadata) if metadata.is_symlink() => return Ok(None),
                Ok(_) => {}
                Err(error) if crate::files::is_absent(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
        match Regular::open(&at) {
            Err(FileError::NotRegular) => Ok(None),
            opened => opened.map(Some),
        }
    }
}

/// Names, none of them empty, `.` or `..`, with `/` between. On Windows, a backslash or colon means something else.
fn is_repository_path(path: &str) -> bool {
    let meant = |name: &str| !(matches!(name, "" | "." | "..") || cfg!(windows) && name.contains(['\\', ':']));
    path.split('/').all(meant) && !path.contains('\0')
}

/// The lines that the hunks of one file's diff add, by the counts in their headers (`@@ -a,b +c,d @@`), in the unified
/// format of git-diff(1) with any amount of context. What comes before the first hunk is passed over. None: not such a
/// diff, or cut off.
pub(super) fn hunks(diff: &[u8]) -> Option<Vec<RangeInclusive<u32>>> {
    let mut lines = diff.split_inclusive(|&b| b == b'\n').peekable();
    while lines.peek().is_some_and(|line| !line.starts_with(b"@@ ")) {
        lines.next();
    }
    let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
    let mut add = |at: u32| match ranges.last_mut() {
        Some(last) if last.end().checked_add(1) == Some(at) => *last = *last.start()..=at,
        _ => ranges.push(at..=at),
    };
    lines.peek()?;
    while let Some(header) = lines.next() {
        // After the last line of a hunk.
        if header.starts_with(b"\\") {
            continue;
        }
        let (mut removed, mut at, mut left) = hunk_header(header)?;
        while removed > 0 || left > 0 {
            let line = lines.next()?;
            match line.first()? {
                b'+' => {
                    left = left.checked_sub(1)?;
                    add(at);
                    at = at.checked_add(1)?;
                }
                b'-' => removed = removed.checked_sub(1)?,
                b' ' | b'\n' => {
                    (left, removed) = (left.checked_sub(1)?, removed.checked_sub(1)?);
                    at = at.checked_add(1)?;
                }
                b'\\' => {}
                _ => return None,
            }
        }
    }
    Some(ranges)
}

/// `@@ -a[,b] +c[,d] @@…` as (b, c, d).
fn hunk_header(line: &[u8]) -> Option<(u32, u32, u32)> {
    let mut words = std::str::from_utf8(line.strip_prefix(b"@@ ")?.split(|&b| b == b'@').next()?).ok()?.split(' ');
    let range = |word: &str| {
        let (start, count) = word.split_once(',').unwrap_or((word, "1"));
        Some((start.parse::<u32>().ok()?, count.parse::<u32>().ok()?))
    };
    let (_, removed) = range(words.next()?.strip_prefix('-')?)?;
    let (at, added) = range(words.next()?.strip_prefix('+')?)?;
    Some((removed, at, added))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hunks_are_read_by_their_counts() {
        let range = |ranges: &[(u32, u32)]| Some(ranges.iter().map(|&(from, to)| from..=to).collect::<Vec<_>>());
        for (diff, want) in [
            ("--- a/old\n+++ b/new\n@@ -0,0 +1,2 @@\n+a\n+b\n", range(&[(1, 2)])),
            ("@@ -3 +3 @@ f\n-a\n+b\n@@ -9,0 +10 @@\n+c\n", range(&[(3, 3), (10, 10)])),
            ("@@ -1,2 +0,0 @@\n-a\n-b\n", range(&[])),
            // Content that looks like a header.
            ("@@ -1 +1,3 @@\n-@@ -9 +9 @@\n+@@ -1,100 +1,100 @@\n+--- a/old\n++++ b/new\n", range(&[(1, 3)])),
            // No end of line at the end of the file.
            ("@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n", range(&[(1, 1)])),
            // With context, as the API gives it.
            ("@@ -1,4 +1,5 @@ x\n a\n-b\n+B\n+C\n c\n d", range(&[(2, 3)])),
            ("@@ -1,3 +1,4 @@\n+a\n b\n \n+c\n-d\n", range(&[(1, 1), (4, 4)])),
            ("@@ -1 +1,2 @@\n a\n+\u{fffd}\n", range(&[(2, 2)])),
            // Cut off, or more than the header says.
            ("@@ -1 +1,2 @@\n a\n", None),
            ("@@ -1 +1 @@\n+a\n+b\n", None),
            ("@@ -1 +1 @@\n-a\n+b\nx\n", None),
            ("@@ -x +1 @@\n+a\n", None),
            ("@@ -0,0 +4294967295,2 @@\n+a\n+b\n", None),
            ("", None),
            ("Binary files a/old and b/new differ\n", None),
        ] {
            assert_eq!(hunks(diff.as_bytes()), want, "{diff}");
        }
    }

    #[test]
    fn paths() {
        for (path, good) in [
            ("go.sum", true),
            ("a/go.sum", true),
            (" \"\n\t*:?", !cfg!(windows)),
            ("-x", true),
            ("", false),
            ("/go.sum", false),
            ("a//b", false),
            ("a/", false),
            ("./a", false),
            ("a/../b", false),
            ("a\0b", false),
        ] {
            assert_eq!(is_repository_path(path), good, "{path:?}");
        }
    }

    proptest! {
        #[test]
        fn no_diff_makes_it_panic(diff in "(@@ -[0-9]{1,11}(,[0-9])? \\+[0-9]{1,11}(,[0-9])? @@\n|[-+ \\\\]?\n|\\PC){0,12}") {
            if let Some(ranges) = hunks(diff.as_bytes()) {
                prop_assert!(ranges.iter().all(|range| range.start() <= range.end()));
            }
        }
    }
}
