//! `modanchor init [DIR]`: a GitHub workflow and a first configuration.
//!
//! # Security
//!
//! What is written has no more rights than it needs, and nothing of a checkout gets into it but the name of its default
//! branch, of which only letters, digits and `._/-` are taken. Nothing is written through a symbolic link, and nothing is
//! replaced that the user did not see: the diff comes first.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::args::{InitArgs, TerminalArgs};
use super::config;
use super::paths::{PathError, read_regular};
use super::session::Failed;
use crate::ci::event::Commit;
use crate::files::is_absent;
use crate::fix::{self, FixError};
use crate::output::{self, Diagnostic};

/// Where the workflow goes.
pub const WORKFLOW: &str = ".github/workflows/modanchor.yml";

/// Where the configuration goes, unless there is one.
pub const CONFIGURATION: &str = config::NAMES[0];

/// The largest file that is compared with what would be written, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// The branch that is taken for the default one where git does not tell.
const DEFAULT_BRANCH: &str = "main";

/// Exit status of `--dry-run` where something would be written.
const WOULD_WRITE: u8 = 1;

const WORKFLOW_TEMPLATE: &str = include_str!("init/workflow.yml");
const CONFIGURATION_TEMPLATE: &str = include_str!("init/modanchor.toml");

/// Why nothing was written. Wrong usage: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// No `.git`: GitHub reads workflows of the root alone.
    #[error("{}: not the root of a git checkout; name the root, or use --force", .0.display())]
    NoCheckout(PathBuf),
    /// Somebody's own workflow.
    #[error("{}: is there and differs; nothing was written. --force replaces it, as the diff shows", .0.display())]
    Differs(PathBuf),
    /// A link, or something that is no folder, where a folder is needed.
    #[error("{}: not a folder; nothing is written through a symbolic link", .0.display())]
    NotAFolder(PathBuf),
    /// A link where a file is written.
    #[error("{}: a symbolic link; nothing is written through it", .0.display())]
    Link(PathBuf),
    /// The file system.
    #[error("{}: {error}", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that is there cannot be read.
    #[error(transparent)]
    Read(#[from] PathError),
}

/// One file to write.
struct Planned {
    /// Relative to DIR.
    name: &'static str,
    path: PathBuf,
    old: Vec<u8>,
    new: String,
}

/// Shows what will be written, writes it, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &InitArgs) -> Result<u8, Failed> {
    let note = |text: &str| {
        if !terminal.quiet {
            Diagnostic::Note.print(terminal, text);
        }
    };
    let is_root = args.dir.join(".git").symlink_metadata().is_ok();
    if !is_root && !args.force {
        return Err(Failed::usage(InitError::NoCheckout(args.dir.clone())));
    }
    let workflow = workflow(&branch(&args.dir), args.pin.as_ref());
    let mut planned = vec![plan(&args.dir, WORKFLOW, workflow).map_err(Failed::usage)?];
    match configuration(&args.dir) {
        Some(there) => note(&format!("{} is there, and stays as it is", there.display())),
        None => {
            let configuration = CONFIGURATION_TEMPLATE.to_owned();
            planned.push(plan(&args.dir, CONFIGURATION, configuration).map_err(Failed::usage)?);
        }
    }
    planned.retain(|file| {
        let current = file.old == file.new.as_bytes();
        if current {
            note(&format!("{} is there as it should be", file.path.display()));
        }
        !current
    });
    for file in &planned {
        let diff = super::lint::printable(&fix::unified_diff(file.name, &file.old, file.new.as_bytes()));
        output::to_stdout(terminal, &diff).map_err(Failed::unchecked)?;
    }
    if let Some(file) = planned.iter().find(|file| !file.old.is_empty() && !args.force) {
        return Err(Failed::usage(InitError::Differs(file.path.clone())));
    }
    if args.pin.is_none() && !planned.is_empty() {
        note(
            "a tag can be moved. To run the action of one commit, which nobody can change: modanchor init --pin COMMIT; \
             GitHub's page of the release shows it",
        );
    }
    if args.dry_run {
        return Ok(if planned.is_empty() { 0 } else { WOULD_WRITE });
    }
    for file in &planned {
        write(&args.dir, file)?;
        note(&format!("wrote {}", file.path.display()));
    }
    Ok(0)
}

/// The configuration that is there already, under any name that it may have.
fn configuration(dir: &Path) -> Option<PathBuf> {
    let template = |path: &PathBuf| fs::read(path).is_ok_and(|content| content == CONFIGURATION_TEMPLATE.as_bytes());
    let there = config::NAMES.iter().map(|name| dir.join(name)).find(|path| path.symlink_metadata().is_ok());
    there.filter(|path| !template(path))
}

fn workflow(branch: &str, pin: Option<&Commit>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let reference = match pin {
        Some(commit) => format!("{} # v{version}", commit.as_str()),
        None => format!("v{version}"),
    };
    WORKFLOW_TEMPLATE.replace("@BRANCH@", branch).replace("@@REF@", &format!("@{reference}"))
}

/// The default branch: what a clone remembers of it, else `main` or `master`, whichever is checked out, else `main`.
fn branch(dir: &Path) -> String {
    let read = |name: &str| {
        // A worktree's `.git` is a file: then nothing is known.
        let content = read_regular(&dir.join(".git").join(name), MAX_FILE).ok()?;
        String::from_utf8(content).ok()
    };
    let remote = read("refs/remotes/origin/HEAD");
    let remote = remote.as_deref().and_then(|text| text.trim_end().strip_prefix("ref: refs/remotes/origin/"));
    let plain = |name: &&str| {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
        !name.is_empty() && name.len() <= 200 && name.chars().all(good)
    };
    if let Some(name) = remote.filter(plain) {
        return name.to_owned();
    }
    let head = read("HEAD");
    let head = head.as_deref().and_then(|text| text.trim_end().strip_prefix("ref: refs/heads/"));
    head.filter(|name| matches!(*name, "main" | "master")).unwrap_or(DEFAULT_BRANCH).to_owned()
}

fn plan(dir: &Path, name: &'static str, new: String) -> Result<Planned, InitError> {
    folders(dir, name, false)?;
    let path = dir.join(name);
    let old = match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => return Err(InitError::Link(path)),
        Ok(_) => read_regular(&path, MAX_FILE)?,
        Err(error) if is_absent(&error) => Vec::new(),
        Err(error) => return Err(InitError::Io { path, error }),
    };
    Ok(Planned { name, path, old, new })
}

/// Looks at every folder between DIR and the file, and makes those that are not there if told to.
fn folders(dir: &Path, name: &str, make: bool) -> Result<(), InitError> {
    let parents = Path::new(name).parent().into_iter().flat_map(Path::components);
    let mut path = dir.to_path_buf();
    for part in parents {
        path.push(part);
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => {}
            Ok(_) => return Err(InitError::NotAFolder(path)),
            Err(error) if is_absent(&error) && make => {
                fs::create_dir(&path).map_err(|error| InitError::Io { path: path.clone(), error })?;
            }
            Err(error) if is_absent(&error) => return Ok(()),
            Err(error) => return Err(InitError::Io { path, error }),
        }
    }
    Ok(())
}

fn write(dir: &Path, file: &Planned) -> Result<(), Failed> {
    folders(dir, file.name, true).map_err(|error| match error {
        InitError::Io { .. } => Failed::unchecked(error),
        error => Failed::usage(error),
    })?;
    fix::replace_file(&file.path, &file.old, file.new.as_bytes()).map_err(|error: FixError| Failed::unchecked(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = dir.path().join(".git").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        dir
    }

    #[test]
    fn the_default_branch() {
        for (files, want) in [
            (&[][..], "main"),
            (&[("HEAD", "ref: refs/heads/master\n")][..], "master"),
            (&[("HEAD", "ref: refs/heads/feature\n")][..], "main"),
            (&[("HEAD", "0123456789\n")][..], "main"),
            (
                &[
                    ("HEAD", "ref: refs/heads/master\n"),
                    ("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/dev/1.x\n"),
                ],
                "dev/1.x",
            ),
            (&[("refs/remotes/origin/HEAD", "ref: refs/remotes/origin/a\"]\nenv: {x: \n")], "main"),
        ] {
            assert_eq!(branch(git(files).path()), want, "{files:?}");
        }
        let worktree = tempfile::tempdir().unwrap();
        fs::write(worktree.path().join(".git"), "gitdir: /elsewhere\n").unwrap();
        assert_eq!(branch(worktree.path()), "main");
    }

    #[test]
    fn the_workflow() {
        let pin = Commit::parse("0123456789abcdef0123456789abcdef01234567").unwrap();
        // The linters of `.ci/run` read this file; `UPDATE_DOCS=1` writes it.
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/init/modanchor.yml");
        let pinned = workflow("main", Some(&pin));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(fixture.parent().unwrap()).unwrap();
            fs::write(&fixture, &pinned).unwrap();
        }
        assert_eq!(fs::read_to_string(fixture).unwrap(), pinned, "run the tests with UPDATE_DOCS=1");
        let tagged = workflow("master", None);
        assert!(tagged.contains(&format!("modanchor/modanchor@v{}\n", env!("CARGO_PKG_VERSION"))));
        assert!(tagged.contains("branches: [\"master\"]"));
        assert!(!tagged.contains("@@") && !tagged.contains("@BRANCH"));
        // What the Action's page tells people to copy is what they would get.
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/action.md")).unwrap();
        let block = page.split("```").nth(1).and_then(|block| block.strip_prefix("yaml\n"));
        assert_eq!(block, Some(&*workflow("main", None)));
    }

    #[test]
    fn the_configuration_is_one_and_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        fs::write(&path, CONFIGURATION_TEMPLATE).unwrap();
        assert_eq!(config::read(&path).unwrap(), config::Config::default());
        // And so are its examples.
        let with = CONFIGURATION_TEMPLATE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(code) if code.starts_with('[') || code.contains(" = ") => code,
                _ => line,
            })
            .collect::<Vec<_>>()
            .join("\n");
        fs::write(&path, with).unwrap();
        let config = config::read(&path).unwrap();
        assert_eq!((config.ignores.len(), config.sumdb.max_age), (1, Some(48 * 3600)));
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(other.path(), dir.path().join(".github")).unwrap();
        assert!(matches!(plan(dir.path(), WORKFLOW, String::new()), Err(InitError::NotAFolder(_))));
        std::os::unix::fs::symlink(other.path().join("x"), dir.path().join(CONFIGURATION)).unwrap();
        assert!(matches!(plan(dir.path(), CONFIGURATION, String::new()), Err(InitError::Link(_))));
        assert!(configuration(dir.path()).is_some(), "a link is somebody's own");
    }
}
