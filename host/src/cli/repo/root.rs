//! `modanchor repo root rotate|sign|status|finish`.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::anyhow;
use modanchor_core::tuf::metadata::{Root, Signed};

use super::args::{RootCommand, RotateArgs};
use super::{Session, failed, now};
use crate::cli::session::Failed;
use crate::output;
use crate::output::text::escape;
use crate::publish::base::Base;
use crate::publish::ceremony::{self, Comparison, Rotation};
use crate::publish::config;
use crate::publish::roles::{self, Standing};
use crate::publish::work::{Work, WorkError};

pub(super) fn run(session: &Session<'_>, command: &RootCommand) -> Result<u8, Failed> {
    match command {
        RootCommand::Rotate(args) => rotate(session, args),
        RootCommand::Sign { file, key, previous } => {
            let mut root = ceremony::read(file).map_err(failed)?;
            let previous = previous_of(session, &root, previous.as_deref())?;
            let signers = key.iter().map(|uri| session.signer(uri)).collect::<Result<Vec<_>, _>>()?;
            let signers: Vec<_> = signers.iter().map(AsRef::as_ref).collect();
            let previous = previous.as_ref().map(|previous| &previous.signed);
            ceremony::add_signatures(&mut root, previous, &signers).map_err(failed)?;
            ceremony::write(file, &root).map_err(failed)?;
            show(session, &ceremony::compare(&root, previous))
        }
        RootCommand::Status { file, previous } => {
            let file = match file {
                Some(file) => file.clone(),
                None => session.open()?.ceremony(),
            };
            let root = ceremony::read(&file).map_err(failed)?;
            let previous = previous_of(session, &root, previous.as_deref())?;
            show(session, &ceremony::compare(&root, previous.as_ref().map(|previous| &previous.signed)))
        }
        RootCommand::Finish { file } => {
            let work = session.open()?;
            let root = ceremony::read(file).map_err(failed)?;
            let trusted = trusted(&work)?;
            let finished = ceremony::finish(&root, trusted.as_ref()).map_err(failed)?;
            work.save_next_root(Some(&finished)).map_err(failed)?;
            session.say(&format!("root {} waits for `modanchor repo publish`\n", finished.signed.version))?;
            Ok(0)
        }
    }
}

/// The root that the next one follows; none: there is none yet.
fn trusted(work: &Work) -> Result<Option<Signed<Root>>, Failed> {
    let store = super::open_store(&work.config.store, work.dir())?;
    match work.root() {
        Err(WorkError::NoRoot) => Ok(None),
        Err(error) => Err(failed(error)),
        // Somebody else may have published newer ones.
        Ok(root) => {
            let seen = work.seen().map_err(failed)?;
            Ok(Some(Base::load(store.as_ref(), &root, &seen).map_err(failed)?.root))
        }
    }
}

/// The root before `root`: what was named, or that of the working copy if it is the one.
fn previous_of(
    session: &Session<'_>,
    root: &Signed<Root>,
    named: Option<&Path>,
) -> Result<Option<Signed<Root>>, Failed> {
    let previous = match named {
        Some(path) => Some(ceremony::read(path).map_err(failed)?),
        None if root.signed.version > 1 && session.args.dir.join(config::FILE).exists() => trusted(&session.open()?)?,
        None => None,
    };
    match &previous {
        Some(previous) if previous.signed.version + 1 != root.signed.version => Err(Failed::usage(anyhow!(
            "the root before version {} is not version {}",
            root.signed.version,
            previous.signed.version
        ))),
        _ => Ok(previous),
    }
}

fn rotate(session: &Session<'_>, args: &RotateArgs) -> Result<u8, Failed> {
    let mut work = session.open()?;
    let trusted = trusted(&work)?.ok_or_else(|| failed(WorkError::NoRoot))?;
    if args.file.exists() {
        return Err(Failed::usage(anyhow!("{}: is there already", args.file.display())));
    }
    let mut config = work.config.clone();
    let keys = session.all_named(&args.add_key, &mut config)?;
    let rotation = Rotation {
        add: keys.into_iter().map(|key| (args.role.clone(), key)).collect(),
        remove: args.remove_key.iter().map(|name| (args.role.clone(), name.clone())).collect(),
        thresholds: args.threshold.map(|threshold| (args.role.clone(), threshold)).into_iter().collect(),
        renew: args.renew,
    };
    let expires = roles::expires(now()?, config.expires.seconds("root").map_err(Failed::usage)?);
    let root = ceremony::rotate(&trusted.signed, &rotation, expires).map_err(failed)?;
    ceremony::write(&args.file, &root).map_err(failed)?;
    work.config = config;
    work.save_config().map_err(failed)?;
    show(session, &ceremony::compare(&root, Some(&trusted.signed)))
}

fn show(session: &Session<'_>, comparison: &Comparison) -> Result<u8, Failed> {
    let mut text = format!("root {}, until {}\n", comparison.version, comparison.expires);
    for change in &comparison.changes {
        let _ = writeln!(text, "  {}", escape(change));
    }
    let mut standing = |whose: &str, standing: &Standing| {
        let _ = write!(text, "{whose}: {} of {} signatures", standing.signed.len(), standing.threshold);
        if !standing.signed.is_empty() {
            let _ = write!(text, " ({})", escape(&standing.signed.join(", ")));
        }
        if !standing.met() {
            let _ = write!(text, "; missing: {}", escape(&standing.unsigned.join(", ")));
        }
        text.push('\n');
    };
    if let Some(old) = &comparison.old {
        standing("by the keys of the root before", old);
    }
    standing("by its own keys", &comparison.new);
    if comparison.old.is_none() && comparison.version > 1 {
        text.push_str("the root before it is not known here: --previous FILE shows what changes\n");
    }
    output::to_stdout(session.terminal, &text).map_err(Failed::unchecked)?;
    Ok(0)
}
