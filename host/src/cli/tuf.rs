//! `modanchor tuf init|refresh|download`: a TUF client.
//!
//! The flags are those of tuf-conformance's client contract
//! (<https://github.com/theupdateframework/tuf-conformance/blob/main/CLIENT-CLI.md>). Where it begins is root metadata that
//! the user got on a way that is trusted: `init` has the core look at it, and puts it into the metadata folder, from
//! which everything later follows. So what is in that folder is as good as its permissions.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::args::{Format, TerminalArgs, TufAction, TufArgs};
use super::config::{absolute, read_root};
use super::session::{Failed, Tuf};
use crate::cache::Store;
use crate::cache::tuf::{self as kept, Folders};
use crate::contract::{Outcome, Repository};
use crate::fetch::{TargetsAt, TufSource};
use crate::output::text::escape;
use crate::output::{self, Destinations, Diagnostic, Show, Sources};

/// What the only repository is called.
const NAME: &str = "default";

/// Does what is asked, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &TufArgs) -> Result<u8, Failed> {
    check(args).map_err(Failed::usage)?;
    match (args.action, &args.root) {
        (TufAction::Init, Some(root)) => init(terminal, args, root),
        _ => refresh(terminal, args),
    }
}

/// What clap cannot: which flags belong to what is asked.
fn check(args: &TufArgs) -> anyhow::Result<()> {
    let needs = |there: bool, what: &str| if there { Ok(()) } else { Err(anyhow!("{what}")) };
    if args.action != TufAction::Download {
        let given = [
            ("--target-name", !args.target_names.is_empty()),
            ("--target-dir", args.target_dir.is_some()),
            ("--target-base-url", args.target_base_url.is_some()),
        ];
        for (flag, given) in given {
            needs(!given, &format!("{flag} is for `tuf download`"))?;
        }
    }
    match args.action {
        TufAction::Init => {
            needs(args.metadata_dir.is_some(), "`tuf init` needs --metadata-dir DIR: where the root is put")?;
            needs(args.trusted_root.is_none(), "--trusted-root takes the place of what `tuf init` does")
        }
        TufAction::Refresh | TufAction::Download => {
            needs(args.root.is_none(), "ROOT is for `tuf init`; here it is --trusted-root FILE")?;
            needs(args.metadata_url.is_some(), "--metadata-url URL is needed: where the repository has its metadata")?;
            needs(
                args.metadata_dir.is_some() || args.trusted_root.is_some(),
                "--metadata-dir DIR, after `tuf init`, or --trusted-root FILE is needed: whom to trust",
            )?;
            if args.action == TufAction::Refresh {
                return Ok(());
            }
            needs(!args.target_names.is_empty(), "`tuf download` needs --target-name PATH")?;
            needs(args.target_dir.is_some(), "`tuf download` needs --target-dir DIR: where targets are put")
        }
    }
}

fn repository(root: &Path, trusted_root: Vec<u8>) -> Repository {
    let set_by = root.display().to_string();
    Repository { name: NAME.to_owned(), trusted_root, set_by, modules: String::new(), role: None }
}

fn init(terminal: &TerminalArgs, args: &TufArgs, root: &Path) -> Result<u8, Failed> {
    let content = read_root(root).map_err(Failed::usage)?;
    let dir = args.metadata_dir.as_deref().unwrap_or(Path::new("."));
    let repository = repository(root, content);
    let tuf = Tuf { repository, source: None, folders: Folders::default(), targets: Vec::new() };
    tuf.check_root()?;
    let content = &tuf.repository.trusted_root;
    let there = dir.join(kept::ROOT);
    match fs::symlink_metadata(&there) {
        Ok(_) if begun_with(dir, content) => {
            let text = format!("{} has begun with this root already", escape(&dir.display().to_string()));
            Diagnostic::Note.print(terminal, &text);
            return Ok(0);
        }
        // A newer root is the floor against rollback, and another one is another repository's.
        Ok(_) => {
            return Err(Failed::usage(anyhow!(
                "{} is there and is not this root: name another folder, or remove this one to begin anew",
                there.display()
            )));
        }
        Err(_) => {}
    }
    let version = version(content).with_context(|| root.display().to_string()).map_err(Failed::usage)?;
    kept::keep_root(dir, content, version).with_context(|| there.display().to_string()).map_err(Failed::unchecked)?;
    Ok(0)
}

/// The version of a root that the core has looked at: what its file in the history is called.
fn version(root: &[u8]) -> anyhow::Result<u64> {
    let root: serde_json::Value = serde_json::from_slice(root)?;
    root.pointer("/signed/version").and_then(serde_json::Value::as_u64).context("no version")
}

/// Whether a folder's chain of roots has this one in it.
fn begun_with(dir: &Path, root: &[u8]) -> bool {
    let same = |path: &Path| read_root(path).is_ok_and(|there| there == root);
    let history = fs::read_dir(dir.join(kept::HISTORY)).into_iter().flatten().flatten();
    same(&dir.join(kept::ROOT)) || history.into_iter().any(|entry| same(&entry.path()))
}

fn refresh(terminal: &TerminalArgs, args: &TufArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    super::runner::admit(args.output.files())?;
    let repository = match (&args.trusted_root, &args.metadata_dir) {
        (Some(root), _) => repository(root, read_root(root).map_err(Failed::usage)?),
        (None, dir) => {
            let root = dir.as_deref().unwrap_or(Path::new(".")).join(kept::ROOT);
            let content = read_root(&root).map_err(|error| {
                Failed::usage(anyhow!("{error}; `modanchor tuf --metadata-dir DIR init ROOT` puts the first one there"))
            })?;
            repository(&root, content)
        }
    };
    let place = |url: &str| match url.contains("://") {
        true => Ok(url.to_owned()),
        false => absolute(Path::new(""), url).map_err(|why| Failed::usage(anyhow!(why))),
    };
    let source = TufSource {
        name: NAME.to_owned(),
        metadata: place(args.metadata_url.as_deref().unwrap_or_default())?,
        targets: match &args.target_base_url {
            Some(url) => TargetsAt::Url(place(url)?),
            None => TargetsAt::Below,
        },
        set_by: "--metadata-url".to_owned(),
    };
    let folders = Folders { metadata: args.metadata_dir.clone(), targets: args.target_dir.clone() };
    let tuf = Tuf { repository, source: Some(source), folders, targets: args.target_names.clone() };
    let (outcome, store) = tuf.run(terminal, &args.network)?;
    show(terminal, &destinations, &outcome, &store)
}

/// Shows the report; a target that is good and lies nowhere is no success.
fn show(terminal: &TerminalArgs, destinations: &Destinations, outcome: &Outcome, store: &Store) -> Result<u8, Failed> {
    let show = Show { terminal: terminal.clone(), summary: true, ..Show::default() };
    destinations.write(outcome, &Sources::new(), &show).map_err(|error| Failed::to_show(outcome, error))?;
    let targets = store.targets();
    if destinations.stdout() == Format::Human && !terminal.quiet {
        let lines: String = (targets.iter())
            .filter_map(|(path, put)| Some((path, put.as_ref().ok()?)))
            .map(|(path, file)| format!("{}: {}\n", escape(path), escape(&file.display().to_string())))
            .collect();
        output::to_stdout(terminal, &lines).map_err(|error| Failed::to_show(outcome, error))?;
    }
    match targets.into_iter().find_map(|(path, put)| Some((path, put.err()?))) {
        Some((path, why)) => {
            Err(Failed::to_show(outcome, anyhow!(why).context(format!("the target {} is not kept", escape(&path)))))
        }
        None => Ok(outcome.status),
    }
}
