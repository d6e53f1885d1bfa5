//! A run in a runner of GitHub Actions: the event, the checkout, the API, and what they are good for.
//!
//! Nothing here has a say in the verdict but the choice of the configuration ([`super::trusted`]). The rest is where
//! findings are shown, and each of it may fail without making a run pass: what cannot be shown in one way is shown in
//! another, and said once.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::runtime::Runtime;

use super::args::{ConfigArgs, TerminalArgs};
use super::config::Config;
use super::paths::folder;
use super::session::Failed;
use super::trusted::{self, Repository};
use super::workspace::Workspace;
use crate::ci::changed;
use crate::ci::event::{Commit, Event, Trusted};
use crate::ci::git::{Checkout, Git, GitError};
use crate::ci::github::checks::{self, Check, ChecksError, Published};
use crate::ci::github::code_scanning::{self, Receipt, Target, UploadError};
use crate::ci::github::{ApiConfig, GitHub, Token, contents};
use crate::ci::lines::ChangedLines;
use crate::cli::config::MAX_CONFIG;
use crate::fetch::Network;
use crate::goenv::Sources;
use crate::output::{Source, workflow};

/// The variables that may hold a token, the first that is set.
const TOKENS: [&str; 2] = ["GITHUB_TOKEN", "GH_TOKEN"];

/// A run.
pub struct Runner {
    event: Event,
    trusted: Trusted,
    workspace: Workspace,
    tree: Option<PathBuf>,
    checkout: Result<Checkout, GitError>,
    api: Option<GitHub>,
    runtime: Runtime,
}

/// A variable of this process.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The token that the environment holds for programs.
///
/// # Errors
/// Status 2: what is there is no token.
pub fn token() -> Result<Option<Token>, Failed> {
    let found = TOKENS.iter().find_map(|name| Some((name, variable(name).filter(|value| !value.is_empty())?)));
    found.map(|(name, value)| parse_token(name, &value)).transpose()
}

/// A token, from a variable or an input that is called `name`.
///
/// # Errors
/// Status 2: it is none.
pub fn parse_token(name: &str, value: &OsString) -> Result<Token, Failed> {
    let token = value.to_str().map(str::trim).and_then(Token::parse);
    token.with_context(|| format!("{name} holds no token: expected printable ASCII")).map_err(Failed::usage)
}

/// The configuration of a command that looks for none by itself.
///
/// # Errors
///
/// As [`trusted::configuration`].
pub fn only_named_configuration(
    terminal: &TerminalArgs,
    args: &ConfigArgs,
    paths: &[PathBuf],
) -> Result<Config, Failed> {
    let runner = if args.config.is_some() { Runner::of_process(paths, "--config")? } else { None };
    // What is named is known.
    Ok(trusted::configuration(terminal, args, paths, runner.as_ref())?.config)
}

/// Refuses files to be written that lie in the workspace of GitHub Actions and would be written elsewhere, whatever else
/// is asked for.
///
/// # Errors
/// Status 2.
pub fn admit<'a>(files: impl IntoIterator<Item = &'a Path>) -> Result<(), Failed> {
    let root = variable("GITHUB_WORKSPACE").filter(|root| !root.is_empty());
    let Some(root) = root.filter(|_| workflow::reads_along(variable(workflow::GITHUB_ACTIONS).as_deref())) else {
        return Ok(());
    };
    let workspace = Workspace::new(Path::new(&root), []);
    let workspace =
        workspace.with_context(|| format!("GITHUB_WORKSPACE, {}", root.display())).map_err(Failed::usage)?;
    files.into_iter().try_for_each(|file| workspace.admit(file)).map_err(Failed::usage)
}

impl Runner {
    /// By the variables of this process; `paths` are what is judged.
    ///
    /// # Errors
    /// Status 2: the event is not what GitHub writes, or a PATH leads out of the workspace.
    pub fn new(paths: &[PathBuf], token: Option<Token>) -> Result<Self, Failed> {
        let event = Event::from_env(variable).map_err(Failed::usage)?;
        let folders: Vec<PathBuf> = paths.iter().map(|path| folder(path)).collect();
        let workspace = Workspace::new(&event.workspace, folders.iter().map(PathBuf::as_path))
            .with_context(|| format!("GITHUB_WORKSPACE, {}", event.workspace.display()))
            .map_err(Failed::usage)?;
        for path in paths {
            workspace.admit(path).map_err(Failed::usage)?;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("starting the network").map_err(Failed::unchecked)?;
        let network = Network::from_sources(&Sources::of_process()).map_err(Failed::usage)?;
        let tree = folders.first().and_then(|folder| workspace.tree(folder));
        let place = tree.as_deref().unwrap_or(&event.workspace);
        let checkout = Git::find(variable, place).and_then(|git| git.open(place));
        let api = token.map(|token| GitHub::new(ApiConfig::new(&event, token, network)));
        Ok(Self { trusted: event.trusted_commit(), event, workspace, tree, checkout, api, runtime })
    }

    /// The runner that this process runs in; none: GITHUB_ACTIONS is not true. `why` says for what it is asked, in errors.
    ///
    /// # Errors
    /// Status 2: see [`Runner::new`].
    pub fn of_process(paths: &[PathBuf], why: &'static str) -> Result<Option<Self>, Failed> {
        if !workflow::reads_along(variable(workflow::GITHUB_ACTIONS).as_deref()) {
            return Ok(None);
        }
        let runner = Self::new(paths, token()?);
        runner.map(Some).map_err(|failed| Failed { error: failed.error.context(why), ..failed })
    }

    /// The event.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Whether there is a token.
    pub fn has_token(&self) -> bool {
        self.api.is_some()
    }

    /// The commit that is checked out, if git says so.
    fn head(&self) -> Option<&Commit> {
        self.checkout.as_ref().ok().map(Checkout::head)
    }

    /// Where people can look at the files that were judged.
    pub fn source(&self) -> Option<Source> {
        let commit = self.head().unwrap_or(&self.event.sha);
        let server = self.event.server_url.as_url().as_str();
        Source::new(server, &self.event.repository.to_string(), commit.as_str()).ok()
    }

    /// What the event's change touches of these files, by path from the root of the repository; none: not known. With
    /// notes for stderr.
    pub fn changed(&self, paths: &BTreeSet<String>) -> (Option<ChangedLines>, Vec<String>) {
        self.runtime.block_on(changed::of(&self.event, self.checkout.as_ref(), self.api.as_ref(), paths))
    }

    /// Makes a check run.
    ///
    /// # Errors
    /// None: there is no token. See [`ChecksError`].
    pub fn check_run(&self, check: &Check<'_>) -> Option<Result<Published, ChecksError>> {
        let api = self.api.as_ref()?;
        Some(self.runtime.block_on(checks::publish(api, &self.event, check)))
    }

    /// Uploads SARIF, after gzip. None: there is no token, or what is checked out is no commit of the event.
    ///
    /// # Errors
    /// See [`UploadError`].
    pub fn upload(&self, gzip: &[u8]) -> Option<Result<Receipt, UploadError>> {
        let api = self.api.as_ref()?;
        let target = Target::of(&self.event, self.head())?;
        Some(self.runtime.block_on(code_scanning::upload(api, &target, gzip, self.tree())))
    }
}

impl Repository for Runner {
    fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    fn tree(&self) -> Option<&Path> {
        self.tree.as_deref()
    }

    fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let local = self.checkout.as_ref().map_err(ToString::to_string).and_then(|checkout| {
            let commit = match &self.trusted {
                Trusted::Commit(commit) => commit.clone(),
                // A branch of the checkout is as old as the checkout, and may be anybody's: ask the server.
                Trusted::DefaultBranch(_) => return Err("the checkout does not say where the branch is".to_owned()),
            };
            checkout.show(&commit, path, MAX_CONFIG).map_err(|error| error.to_string())
        });
        let why = match local {
            Ok(found) => return Ok(found),
            Err(why) => why,
        };
        let Some(api) = &self.api else {
            return Err(format!("{why}; and there is no token for the API"));
        };
        let file = self.runtime.block_on(contents::read(api, &self.trusted, path));
        file.map(|file| file.map(|bytes| bytes.to_vec())).map_err(|error| format!("{why}; the API: {error}"))
    }
}
