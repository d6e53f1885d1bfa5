//! `modanchor verify [PATH…]`.

use super::args::{TerminalArgs, VerifyArgs};
use super::session::{self, Failed, Flags};
use super::{config, paths};
use crate::contract::Task;
use crate::output::{Destinations, Diagnostic, Show, Sources};

/// Verifies, shows the report, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &VerifyArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    let config = session::configuration(&args.config)?;
    let exclude = [args.exclude.as_slice(), &config.exclude].concat();
    let collected = paths::collect(&args.paths, &exclude, &uses).map_err(Failed::usage)?;
    for note in &collected.notes {
        Diagnostic::Note.print(terminal.color, note);
    }
    if args.config.config.is_none()
        && !args.config.no_config
        && let Some(note) = config::found_but_not_read(&collected.root)
    {
        Diagnostic::Note.print(terminal.color, &note);
    }

    let flags =
        Flags { terminal, sumdb: &args.sumdb, fail_on: args.fail_on.into(), allow_incomplete: args.allow_incomplete };
    let outcome = session::run(&flags, config, Task::Files(collected.files.clone()))?;
    let sources: Sources<'_> =
        collected.files.iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect();
    let show = Show {
        terminal: terminal.clone(),
        fail_on: args.fail_on,
        allow_incomplete: args.allow_incomplete,
        summary: true,
    };
    destinations.write(&outcome, &sources, &show).map_err(|error| Failed::to_show(&outcome, error))?;
    Ok(outcome.status)
}

/// The folders that a go.work uses, read as the core reads them.
fn uses(content: &[u8]) -> Result<Vec<String>, String> {
    let work = modanchor_core::gosum::gowork::GoWork::parse(content).map_err(|error| error.to_string())?;
    Ok(work.uses.into_iter().map(|used| used.directory).collect())
}
