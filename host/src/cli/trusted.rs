//! The configuration whose word counts.
//!
//! # Security
//!
//! What is judged must not soften the judgement (surface: "Whose word counts"). On a user's own machine a configuration
//! is read where the user names it, and only there. In GitHub Actions the file that a workflow names usually lies in the
//! checkout, which the pull request under judgement has written. So there a configuration of the repository is read from
//! the commit that somebody with the right to has accepted ([`Event::trusted_commit`]): the base of a pull request. It is
//! read from git's objects, or, where the checkout is shallow, through the API; never from the working tree.
//!
//! A configuration that cannot be read is not the same as none: one that the user names stops the run then (status 2).
//! One that nobody named, and of which it is not known whether it exists, is told on stderr, and nothing is ignored.

use std::path::{Component, Path, PathBuf};

use super::args::{ConfigArgs, TerminalArgs};
use super::config::{self, Config, NAMES};
use super::paths::slashed;
use super::runner::Runner;
use super::session::Failed;
use crate::ci::event::Trusted;
use crate::output::Diagnostic;

/// Where a configuration is looked for, and how: from the root of the repository, by the trusted commit.
pub trait Repository {
    /// The root of the working tree, links resolved.
    fn root(&self) -> Option<&Path>;
    /// By whose word.
    fn trusted(&self) -> &Trusted;
    /// The file at a path from the root, as the trusted commit has it; none: it has none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;
}

/// A configuration, and what a person should know of where it is from.
#[derive(Debug, Default)]
struct Found {
    /// That of no file if there is none.
    config: Config,
    note: Option<String>,
}

/// The configuration of a run on `folder`; says on stderr where it is from, if that is not what was named.
///
/// # Errors
///
/// Status 2: a configuration that is wrong, or that the user named and that cannot be read.
pub fn configuration(
    terminal: &TerminalArgs,
    args: &ConfigArgs,
    folder: &Path,
    runner: Option<&Runner>,
) -> Result<Config, Failed> {
    let Found { config, note } = match runner {
        Some(runner) if !args.no_config => of_repository(args.config.as_deref(), runner)?,
        _ => {
            let unread = args.config.is_none() && !args.no_config;
            Found { config: named(args)?, note: unread.then(|| config::found_but_not_read(folder)).flatten() }
        }
    };
    if let Some(note) = note {
        Diagnostic::Note.print(terminal, &note);
    }
    Ok(config)
}

/// What the user names, wherever it is.
///
/// # Errors
///
/// Status 2.
pub fn named(args: &ConfigArgs) -> Result<Config, Failed> {
    match &args.config {
        Some(file) => config::read(file).map_err(Failed::usage),
        None => Ok(Config::default()),
    }
}

/// In a CI service: what the user names, unless it lies in the repository; then what the trusted commit has.
fn of_repository(named: Option<&Path>, repository: &impl Repository) -> Result<Found, Failed> {
    let by = match repository.trusted() {
        Trusted::Commit(commit) => format!("commit {commit}"),
        Trusted::DefaultBranch(Some(branch)) => format!("the branch {branch}"),
        Trusted::DefaultBranch(None) => "the default branch".to_owned(),
    };
    let parse = |path: &str, bytes: &[u8]| {
        let config = config::of_bytes(Path::new(path), bytes).map_err(anyhow::Error::from);
        let config = config.map_err(|error| Failed::usage(error.context(format!("the configuration of {by}"))))?;
        Ok(Found { config, note: Some(format!("the configuration is {path} of {by}, whose word counts here")) })
    };
    if let Some(file) = named {
        let Some(path) = repository.root().and_then(|root| inside(root, file)) else {
            return Ok(Found { config: config::read(file).map_err(Failed::usage)?, note: None });
        };
        return match repository.read(&path) {
            Ok(Some(bytes)) => parse(&path, &bytes),
            Ok(None) => Ok(Found {
                config: Config::default(),
                note: Some(format!(
                    "there is no configuration {path} in {by}, whose word counts here: none is used; one that this \
                     change adds counts once it is merged"
                )),
            }),
            Err(why) => Err(Failed::usage(anyhow::anyhow!(
                "the configuration {path} of {by}, whose word counts here, cannot be read: {why}; give the step a \
                 token with `contents: read`, or actions/checkout `fetch-depth: 0`"
            ))),
        };
    }
    for path in NAMES {
        match repository.read(path) {
            Ok(Some(bytes)) => return parse(path, &bytes),
            Ok(None) => {}
            Err(why) => {
                return Ok(Found {
                    config: Config::default(),
                    note: Some(format!(
                        "whether {by}, whose word counts here, has a configuration is not known, so none is used: \
                         {why}; with a token with `contents: read`, or `fetch-depth: 0` of actions/checkout, it is"
                    )),
                });
            }
        }
    }
    Ok(Found::default())
}

/// `file` from the root of the repository, if it lies in it: as it is spelled, or behind links. It need not exist: what
/// the change under judgement has removed, the trusted commit may have.
fn inside(root: &Path, file: &Path) -> Option<String> {
    let absolute = std::path::absolute(file).ok()?;
    let mut spelled = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => drop(spelled.pop()),
            Component::CurDir => {}
            other => spelled.push(other),
        }
    }
    // The folder's own links resolved: where a workspace lies behind one, both spellings are inside.
    let folder = spelled.ancestors().skip(1).find_map(|ancestor| {
        let real = std::fs::canonicalize(ancestor).ok()?;
        Some(real.join(spelled.strip_prefix(ancestor).ok()?))
    });
    let target = std::fs::canonicalize(&spelled).ok();
    [Some(spelled), folder, target].into_iter().flatten().find_map(|path| slashed(path.strip_prefix(root).ok()?))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::ci::event::{Branch, Commit};

    struct Fake {
        root: PathBuf,
        trusted: Trusted,
        files: Result<BTreeMap<&'static str, &'static str>, String>,
        asked: RefCell<Vec<String>>,
    }

    impl Repository for Fake {
        fn root(&self) -> Option<&Path> {
            Some(&self.root)
        }

        fn trusted(&self) -> &Trusted {
            &self.trusted
        }

        fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
            self.asked.borrow_mut().push(path.to_owned());
            Ok(self.files.clone()?.get(path).map(|text| text.as_bytes().to_vec()))
        }
    }

    fn fake(root: &Path, files: Result<&[(&'static str, &'static str)], &str>) -> Fake {
        Fake {
            root: fs::canonicalize(root).unwrap(),
            trusted: Trusted::Commit(Commit::parse(&"a1".repeat(20)).unwrap()),
            files: files.map(|files| files.iter().copied().collect()).map_err(str::to_owned),
            asked: RefCell::default(),
        }
    }

    #[test]
    fn the_trusted_commit_counts_and_not_the_working_tree() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ci.toml");
        fs::write(&file, "exclude = ['everything']").unwrap();
        let repository = fake(dir.path(), Ok(&[("ci.toml", "exclude = ['old']")]));
        let found = of_repository(Some(&file), &repository).unwrap();
        assert_eq!(found.config.exclude, ["old"]);
        assert!(found.note.as_deref().unwrap().contains("ci.toml of commit a1a1"), "{:?}", found.note);
        // Also where the change removed it, and by another spelling.
        fs::remove_file(&file).unwrap();
        let found = of_repository(Some(&dir.path().join("sub/../ci.toml")), &repository).unwrap();
        assert_eq!(found.config.exclude, ["old"]);
        // Not in the trusted commit: nothing is ignored.
        fs::write(dir.path().join("new.toml"), "exclude = ['everything']").unwrap();
        let found = of_repository(Some(&dir.path().join("new.toml")), &repository).unwrap();
        assert_eq!(found.config, Config::default());
        assert!(found.note.as_deref().unwrap().contains("once it is merged"), "{:?}", found.note);
    }

    #[test]
    fn a_file_outside_is_the_users() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("ci.toml");
        fs::write(&file, "exclude = ['mine']").unwrap();
        let repository = fake(dir.path(), Err("must not be asked"));
        assert_eq!(of_repository(Some(&file), &repository).unwrap().config.exclude, ["mine"]);
        assert_eq!(*repository.asked.borrow(), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_into_the_repository_is_inside() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ci.toml"), "exclude = ['everything']").unwrap();
        let link = outside.path().join("ci.toml");
        std::os::unix::fs::symlink(dir.path().join("ci.toml"), &link).unwrap();
        let workspace = outside.path().join("workspace");
        std::os::unix::fs::symlink(dir.path(), &workspace).unwrap();
        let repository = fake(dir.path(), Ok(&[("ci.toml", "exclude = ['old']")]));
        for file in [link, workspace.join("ci.toml"), workspace.join("gone/../ci.toml")] {
            assert_eq!(of_repository(Some(&file), &repository).unwrap().config.exclude, ["old"], "{}", file.display());
        }
    }

    #[test]
    fn without_a_name_the_usual_ones_are_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".modanchor.toml"), "exclude = ['everything']").unwrap();
        let repository = fake(dir.path(), Ok(&[(".github/modanchor.toml", "exclude = ['old']")]));
        assert_eq!(of_repository(None, &repository).unwrap().config.exclude, ["old"]);
        let none = fake(dir.path(), Ok(&[]));
        let found = of_repository(None, &none).unwrap();
        assert_eq!((found.config, found.note), (Config::default(), None));
        assert_eq!(*none.asked.borrow(), NAMES);
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_none() {
        let dir = tempfile::tempdir().unwrap();
        let mut repository = fake(dir.path(), Err("no git"));
        repository.trusted = Trusted::DefaultBranch(Branch::parse("main"));
        let failed = of_repository(Some(&dir.path().join("ci.toml")), &repository).unwrap_err();
        assert_eq!(failed.status, super::super::USAGE);
        let text = failed.error.to_string();
        assert!(text.contains("ci.toml of the branch main") && text.contains("no git"), "{text}");
        let found = of_repository(None, &repository).unwrap();
        assert_eq!(found.config, Config::default());
        assert!(found.note.as_deref().unwrap().contains("not known"), "{:?}", found.note);
    }

    #[test]
    fn a_wrong_configuration_says_where() {
        let dir = tempfile::tempdir().unwrap();
        let repository = fake(dir.path(), Ok(&[(".modanchor.toml", "exclud = []")]));
        let failed = of_repository(None, &repository).unwrap_err();
        let text = format!("{:#}", failed.error);
        assert!(text.contains("commit a1a1") && text.contains(".modanchor.toml:1:1: unknown key"), "{text}");
    }
}
