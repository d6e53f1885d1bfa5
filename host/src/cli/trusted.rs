//! The configuration whose word counts.
//!
//! # Security
//!
//! What is judged must not soften the judgement (surface: "Whose word counts"). On a user's own machine a configuration
//! is read where the user names it, and only there. In GitHub Actions the file that a workflow names usually lies in the
//! checkout, which the pull request under judgement has written. So there a configuration of the repository is read from
//! the commit that somebody with the right to has accepted
//! ([`Event::trusted_commit`](crate::ci::event::Event::trusted_commit)): the base of a pull request. It is read from git's
//! objects, or, where the checkout is shallow, through the API; never from the working tree.
//!
//! A configuration that cannot be read is not the same as none: it may pin a head or ask for witnesses. One that the
//! user names stops the run then (status 2). Where it is not known whether there is one, the run goes on without, so that
//! what is wrong is shown, and does not pass (1 or 3).

use std::path::{Component, Path, PathBuf};

use super::args::{ConfigArgs, TerminalArgs};
use super::config::{self, Config, ConfigError, MAX_TRUSTED_ROOT, NAMES, PolicyConfig};
use super::paths::{folder, read_regular};
use super::session::Failed;
use super::workspace::{Whose, Workspace};
use crate::ci::event::Trusted;
use crate::output::Diagnostic;

/// Where a configuration is looked for, and how: from the root of the repository, by the trusted commit.
pub trait Repository {
    /// What is whose.
    fn workspace(&self) -> &Workspace;
    /// The root of its working tree.
    fn tree(&self) -> Option<&Path>;
    /// By whose word.
    fn trusted(&self) -> &Trusted;
    /// The file at a path from the root, as the trusted commit has it; none: it has none.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String>;
}

/// A configuration.
#[derive(Debug, Default)]
pub struct Found {
    /// That of no file if there is none.
    pub config: Config,
    /// Why it is not known whether there is one: the run goes on without, and does not pass.
    pub unknown: Option<anyhow::Error>,
    /// What a person should know of where it is from.
    note: Option<String>,
}

/// The configuration of a run on `paths`, in a CI service that of its repository; says on stderr where it is from, if that is not what was named.
///
/// # Errors
///
/// Status 2: a configuration that is wrong, or that the user named and that cannot be read.
pub fn configuration(
    terminal: &TerminalArgs,
    args: &ConfigArgs,
    paths: &[PathBuf],
    repository: Option<&impl Repository>,
) -> Result<Found, Failed> {
    let found = match repository {
        Some(repository) if !args.no_config => of_repository(args.config.as_deref(), repository)?,
        _ => {
            let unread = args.config.is_none() && !args.no_config;
            let note = || config::found_but_not_read(&folder(paths.first().map_or(Path::new("."), PathBuf::as_path)));
            Found { config: named(args)?, note: unread.then(note).flatten(), unknown: None }
        }
    };
    if let Some(note) = &found.note {
        Diagnostic::Note.print(terminal, note);
    }
    Ok(found)
}

/// What the user names, wherever it is.
fn named(args: &ConfigArgs) -> Result<Config, Failed> {
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
        let config = of_commit(path, bytes, repository).map_err(anyhow::Error::from);
        let config = config.map_err(|error| Failed::usage(error.context(format!("the configuration of {by}"))))?;
        Ok(Found {
            config,
            unknown: None,
            note: Some(format!("the configuration is {path} of {by}, whose word counts here")),
        })
    };
    if let Some(file) = named {
        let path = match repository.workspace().whose(file) {
            Whose::Users => {
                let config = of_user(file, repository).map_err(Failed::usage)?;
                return Ok(Found { config, ..Found::default() });
            }
            Whose::Repository(path) => path,
            Whose::Unclear => {
                return Err(Failed::usage(anyhow::anyhow!(
                    "the configuration {} lies in what is judged, and in no repository of the workspace whose base could \
                     vouch for it; name one that lies elsewhere",
                    file.display()
                )));
            }
        };
        return match repository.read(&path) {
            Ok(Some(bytes)) => parse(&path, &bytes),
            Ok(None) => Ok(not_yet(&path, &by)),
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
                let unknown = anyhow::anyhow!(
                    "whether {by}, whose word counts here, has a configuration is not known, and one could ask for more \
                     than the defaults do, so this does not pass: {why}; give the step a token with `contents: read`, \
                     or actions/checkout `fetch-depth: 0`; `verify --no-config` asks for none"
                );
                return Ok(Found { unknown: Some(unknown), ..Found::default() });
            }
        }
    }
    // Who adds a first one and sees it ignored should not have to guess why.
    let added = NAMES.into_iter().find(|path| repository.tree().is_some_and(|tree| tree.join(path).is_file()));
    Ok(added.map_or_else(Found::default, |path| not_yet(path, &by)))
}

/// A user's configuration; what it names may lie in what is judged: then it is that of the trusted commit.
fn of_user(file: &Path, repository: &impl Repository) -> Result<Config, ConfigError> {
    let folder = file.parent().unwrap_or(Path::new(""));
    config::read_with(file, |named, most| of_user_or_commit(&folder.join(named), most, repository))
}

/// A file that a user names: as it is on disk, unless it lies in a repository that is judged; then as the trusted commit has it.
fn of_user_or_commit(file: &Path, most: u64, repository: &impl Repository) -> Result<Vec<u8>, String> {
    match repository.workspace().whose(file) {
        Whose::Users => read_regular(file, most).map_err(|error| error.to_string()),
        Whose::Repository(path) => file_of_commit(&path, most, repository),
        Whose::Unclear => Err(format!(
            "{} lies in what is judged, and in no repository of the workspace whose base could vouch for it",
            file.display()
        )),
    }
}

/// The policy of `--policy FILE` and `--baseline FILE`, in place of the configuration's. A baseline alone goes with the
/// configuration's policy.
///
/// # Errors
///
/// Status 2: a file that cannot be read or is wrong, or a baseline without a policy.
pub fn policy(
    config: &mut Config,
    file: Option<&Path>,
    baseline: Option<&Path>,
    repository: Option<&impl Repository>,
) -> Result<(), Failed> {
    let mut read = |file: &Path, most| match repository {
        Some(repository) => of_user_or_commit(file, most, repository),
        None => read_regular(file, most).map_err(|error| error.to_string()),
    };
    if file.is_some() {
        let (file, baseline) = (file.map(Path::to_path_buf), baseline.map(Path::to_path_buf));
        config.policy = PolicyConfig { file, baseline, policy: None };
        return config.policy.load("--policy", &mut read).map_err(Failed::usage);
    }
    let Some(baseline) = baseline else { return Ok(()) };
    let Some(policy) = &mut config.policy.policy else {
        return Err(Failed::usage(anyhow::anyhow!("--baseline needs --policy FILE, or a configuration with one")));
    };
    policy.baseline = Some(super::policy::floors(baseline, &mut read).map_err(Failed::usage)?);
    Ok(())
}

/// A trusted root that a flag names; in a CI service, as the trusted commit has it.
///
/// # Errors
///
/// Why it cannot be read.
pub fn root(file: &Path, repository: Option<&impl Repository>) -> Result<Vec<u8>, String> {
    match repository {
        Some(repository) => of_user_or_commit(file, MAX_TRUSTED_ROOT, repository),
        None => config::read_root(file).map_err(|error| error.to_string()),
    }
}

/// The configuration at `path` of the trusted commit; the files that it names are of that commit too.
fn of_commit(path: &str, bytes: &[u8], repository: &impl Repository) -> Result<Config, ConfigError> {
    let mut config = config::of_bytes(Path::new(path), bytes)?;
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    // What is served from a folder of the checkout is verified like what is served from anywhere.
    let served = repository.tree().map_or_else(|| folder.to_owned(), |tree| tree.join(folder));
    config.load(path, &served, |named, most| match within(&folder.join(named)) {
        Some(named) => file_of_commit(&named, most, repository),
        None => Err(format!("{} is not a path in the repository, relative to {path}", named.display())),
    })?;
    Ok(config)
}

fn file_of_commit(path: &str, most: u64, repository: &impl Repository) -> Result<Vec<u8>, String> {
    match repository.read(path) {
        Ok(Some(bytes)) if bytes.len() as u64 <= most => Ok(bytes),
        Ok(Some(_)) if most < 1 << 20 => Err(format!("{path}: larger than {} KiB", most >> 10)),
        Ok(Some(_)) => Err(format!("{path}: larger than {} MiB", most >> 20)),
        Ok(None) => Err(format!("there is no {path} in the commit whose word counts here")),
        Err(why) => Err(format!("{path}: {why}")),
    }
}

/// A relative path from the root of a repository, without `.` and `..`; none: it leads out.
fn within(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => drop(parts.pop()?),
            Component::Prefix(_) | Component::RootDir => return None,
        }
    }
    Some(parts.join("/")).filter(|path| !path.is_empty())
}

/// One that is not in the trusted commit.
fn not_yet(path: &str, by: &str) -> Found {
    Found {
        note: Some(format!(
            "there is no configuration {path} in {by}, whose word counts here: none is used; one that this change \
             adds counts once it is merged"
        )),
        ..Found::default()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::ci::event::{Branch, Commit};
    use crate::cli::config::MAX_TRUSTED_ROOT;

    struct Fake {
        root: PathBuf,
        workspace: Workspace,
        trusted: Trusted,
        files: Result<BTreeMap<&'static str, &'static str>, String>,
        asked: RefCell<Vec<String>>,
    }

    impl Repository for Fake {
        fn workspace(&self) -> &Workspace {
            &self.workspace
        }

        fn tree(&self) -> Option<&Path> {
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

    /// A repository that is checked out at the root of the workspace.
    fn fake(root: &Path, files: Result<&[(&'static str, &'static str)], &str>) -> Fake {
        fs::create_dir_all(root.join(".git")).unwrap();
        Fake {
            root: root.to_owned(),
            workspace: Workspace::new(root, [root]).unwrap(),
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

    const TUF: &str = "[[tuf.repository]]\nname='corp'\nurl='mirror'\ntrusted-root='keys/root.json'\nmodules=['*']";

    fn root(found: Result<Found, Failed>) -> Result<String, String> {
        let config = found.map_err(|failed| format!("{:#}", failed.error))?.config;
        Ok(String::from_utf8(config.tuf.repositories[0].root.clone()).unwrap())
    }

    #[test]
    fn trusted_roots_of_a_repository_are_those_of_the_trusted_commit() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("keys")).unwrap();
        fs::create_dir_all(dir.path().join(".github/keys")).unwrap();
        fs::write(dir.path().join("keys/root.json"), "attacker").unwrap();
        fs::write(dir.path().join(".github/keys/root.json"), "attacker").unwrap();
        let base = [(".github/modanchor.toml", TUF), (".github/keys/root.json", "corp"), ("keys/root.json", "other")];
        let repository = fake(dir.path(), Ok(&base));
        let found = of_repository(None, &repository).unwrap();
        let url = found.config.tuf.repositories[0].url.clone();
        assert_eq!(Path::new(&url), dir.path().join(".github/mirror"));
        assert_eq!(root(Ok(found)), Ok("corp".to_owned()), "relative to the configuration");
        // Not in the trusted commit: the working tree does not stand in for it.
        let missing = root(of_repository(None, &fake(dir.path(), Ok(&base[..1])))).unwrap_err();
        assert!(missing.contains("corp: trusted-root: there is no .github/keys/root.json in the commit"), "{missing}");
        for path in ["../../root.json", "/etc/passwd", "."] {
            let text: &'static str = TUF.replace("keys/root.json", path).leak();
            let failed = root(of_repository(None, &fake(dir.path(), Ok(&[(".modanchor.toml", text)])))).unwrap_err();
            assert!(failed.contains("is not a path in the repository"), "{path}: {failed}");
        }
        let large: &'static str = " ".repeat(MAX_TRUSTED_ROOT as usize + 1).leak();
        let files = [(".modanchor.toml", TUF), ("keys/root.json", large)];
        let failed = root(of_repository(None, &fake(dir.path(), Ok(&files)))).unwrap_err();
        assert!(failed.contains("larger than 1 MiB"), "{failed}");
    }

    #[test]
    fn the_policy_is_that_of_the_trusted_commit() {
        let dir = tempfile::tempdir().unwrap();
        let lax = "schema: modanchor-policy/1\ndefault: {require: unverified}";
        let strict = "schema: modanchor-policy/1\ndefault: {require: verified}";
        let floor = r#"{"schema": "modanchor-baseline/1", "modules": {"a.b/c": "verified"}}"#;
        fs::write(dir.path().join("policy.yaml"), lax).unwrap();
        let named = "[policy]\nfile = 'policy.yaml'\nbaseline = 'floor.json'";
        let base = [(".modanchor.toml", named), ("policy.yaml", strict), ("floor.json", floor)];
        let repository = fake(dir.path(), Ok(&base));
        let policy = of_repository(None, &repository).unwrap().config.policy.policy.unwrap();
        assert_eq!(policy.default.grade, modanchor_core::contract::PolicyGrade::Verified);
        assert_eq!(policy.baseline.unwrap().len(), 1);
        // By a flag too.
        let mut config = Config::default();
        super::policy(&mut config, Some(&dir.path().join("policy.yaml")), None, Some(&repository)).unwrap();
        assert_eq!(config.policy.policy.unwrap().default.grade, modanchor_core::contract::PolicyGrade::Verified);
        // Not in the trusted commit: the working tree does not stand in for it.
        let missing = of_repository(None, &fake(dir.path(), Ok(&base[..1]))).unwrap_err();
        let missing = format!("{:#}", missing.error);
        assert!(missing.contains("[policy] file: there is no policy.yaml in the commit"), "{missing}");
    }

    #[test]
    fn a_users_configuration_may_not_trust_a_root_that_the_change_has_written() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("ci.toml");
        let inside = dir.path().join("root.json");
        fs::write(&inside, "attacker").unwrap();
        fs::write(&file, TUF.replace("keys/root.json", &inside.display().to_string().replace('\\', "/"))).unwrap();
        let found = of_repository(Some(&file), &fake(dir.path(), Ok(&[("root.json", "corp")])));
        assert_eq!(root(found), Ok("corp".to_owned()));
        let missing = root(of_repository(Some(&file), &fake(dir.path(), Ok(&[])))).unwrap_err();
        assert!(missing.contains("there is no root.json in the commit"), "{missing}");
        let mut unclear = fake(dir.path(), Ok(&[]));
        fs::remove_dir(dir.path().join(".git")).unwrap();
        unclear.workspace = Workspace::new(dir.path(), [dir.path()]).unwrap();
        assert!(root(of_repository(Some(&file), &unclear)).unwrap_err().contains("lies in what is judged"));
        // One that lies elsewhere is the user's.
        fs::create_dir(outside.path().join("keys")).unwrap();
        fs::write(outside.path().join("keys/root.json"), "mine").unwrap();
        fs::write(&file, TUF).unwrap();
        assert_eq!(root(of_repository(Some(&file), &unclear)), Ok("mine".to_owned()));
    }

    #[test]
    fn a_root_that_a_flag_names_is_that_of_the_trusted_commit() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("root.json");
        fs::write(&file, "attacker").unwrap();
        let repository = fake(dir.path(), Ok(&[("root.json", "corp")]));
        assert_eq!(super::root(&file, Some(&repository)), Ok(b"corp".to_vec()));
        assert!(super::root(&file, Some(&fake(dir.path(), Ok(&[])))).unwrap_err().contains("there is no root.json"));
        assert_eq!(super::root(&file, None::<&Fake>), Ok(b"attacker".to_vec()), "on the user's own machine");
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("root.json"), "mine").unwrap();
        assert_eq!(super::root(&outside.path().join("root.json"), Some(&repository)), Ok(b"mine".to_vec()));
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

    #[test]
    fn a_file_of_nobody_knows_whom_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("ci.toml"), "exclude = ['everything']").unwrap();
        let mut repository = fake(dir.path(), Ok(&[]));
        fs::remove_dir(dir.path().join(".git")).unwrap();
        repository.workspace = Workspace::new(dir.path(), [dir.path()]).unwrap();
        let failed = of_repository(Some(&dir.path().join("ci.toml")), &repository).unwrap_err();
        assert_eq!(failed.status, super::super::USAGE);
        assert!(failed.error.to_string().contains("in no repository"), "{}", failed.error);
    }

    #[test]
    fn without_a_name_the_usual_ones_are_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(".modanchor.toml"), "exclude = ['everything']").unwrap();
        let repository = fake(dir.path(), Ok(&[(".github/modanchor.toml", "exclude = ['old']")]));
        assert_eq!(of_repository(None, &repository).unwrap().config.exclude, ["old"]);
        let none = fake(dir.path(), Ok(&[]));
        let found = of_repository(None, &none).unwrap();
        assert_eq!(found.config, Config::default());
        assert!(found.note.as_deref().unwrap().contains("once it is merged"), "{:?}", found.note);
        assert_eq!(*none.asked.borrow(), NAMES);
        fs::remove_file(dir.path().join(".modanchor.toml")).unwrap();
        let found = of_repository(None, &none).unwrap();
        assert_eq!((found.config, found.note), (Config::default(), None));
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
        assert!(found.unknown.unwrap().to_string().contains("is not known"));
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
