//! `modanchor verify [PATH…]`.

use std::path::PathBuf;

use super::args::{ConfigArgs, TerminalArgs, VerifyArgs};
use super::paths::{self, Collected};
use super::session::{self, CheckBytes, Failed, Flags};
use super::{config, config::Config};
use crate::contract::{Checkout, Program, Task};
use crate::engine::hashing::{self, HashEngine};
use crate::output::{Destinations, Diagnostic, Show, Sources};

/// Verifies, shows the report, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &VerifyArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    let config = session::configuration(&args.config)?;
    let mut collected = collect(terminal, &args.paths, &args.exclude, &config, &args.config)?;
    let engine = args.bytes.hash_engine.load().map_err(Failed::unchecked)?;
    let programs = programs(&collected, &engine)?;
    let root = collected.root.clone();

    let flags = Flags {
        terminal,
        sumdb: &args.sumdb,
        fail_on: args.fail_on.into(),
        allow_incomplete: args.allow_incomplete,
        bytes: Some(CheckBytes { args: &args.bytes, engine: &engine, root: &root }),
    };
    let checkout = Checkout {
        files: std::mem::take(&mut collected.files),
        programs,
        bare_vendors: std::mem::take(&mut collected.bare_vendors),
    };
    let (outcome, task) = session::run(&flags, config, Task::Verify(checkout))?;
    let show = Show {
        terminal: terminal.clone(),
        fail_on: args.fail_on,
        allow_incomplete: args.allow_incomplete,
        summary: true,
        ..Show::default()
    };
    destinations.write(&outcome, &sources(&task), &show).map_err(|error| Failed::to_show(&outcome, error))?;
    Ok(outcome.status)
}

/// Collects what is to be judged, and tells what a person should know of it.
pub(crate) fn collect(
    terminal: &TerminalArgs,
    given: &[PathBuf],
    exclude: &[String],
    config: &Config,
    flags: &ConfigArgs,
) -> Result<Collected, Failed> {
    let exclude = [exclude, &config.exclude].concat();
    let collected = paths::collect(given, &exclude, &uses).map_err(Failed::usage)?;
    for note in &collected.notes {
        Diagnostic::Note.print(terminal, note);
    }
    if flags.config.is_none()
        && !flags.no_config
        && let Some(note) = config::found_but_not_read(&collected.root)
    {
        Diagnostic::Note.print(terminal, &note);
    }
    Ok(collected)
}

/// What findings point at.
pub(crate) fn sources(task: &Task) -> Sources<'_> {
    let files = match task {
        Task::Verify(checkout) | Task::Fix(checkout) => checkout.files.as_slice(),
        Task::Explain(question) => &question.checkout.files,
        Task::Lookup(_) => &[],
    };
    files.iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect()
}

/// What the programs among the files say of themselves.
pub(crate) fn programs(collected: &Collected, engine: &HashEngine) -> Result<Vec<Program>, Failed> {
    let read = |(name, path): &(String, PathBuf)| match hashing::program(path, engine) {
        Ok(Ok(built)) => Ok(Program {
            path: name.clone(),
            sha256: built.sha256,
            go_version: built.info.go_version,
            mod_info: built.info.mod_info,
        }),
        Ok(Err(refusal)) => Err(Failed::usage(anyhow::anyhow!(
            "{name}: nothing to verify: not named like a go.mod, go.sum, go.work or go.work.sum, and as a program: {}",
            refusal.text
        ))),
        Err(error) => Err(Failed::unchecked(anyhow::Error::from(error).context(name.clone()))),
    };
    collected.programs.iter().map(read).collect()
}

/// The folders that a go.work uses, read as the core reads them.
fn uses(content: &[u8]) -> Result<Vec<String>, String> {
    let work = modanchor_core::gosum::gowork::GoWork::parse(content).map_err(|error| error.to_string())?;
    Ok(work.uses.into_iter().map(|used| used.directory).collect())
}
