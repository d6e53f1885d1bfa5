//! `modanchor lookup MODULE@VERSION…`.

use std::io;

use super::args::{Format, LookupArgs, TerminalArgs};
use super::runner;
use super::session::{self, Failed, Flags, Recording};
use crate::contract::{self, Task};
use crate::output::{self, Destinations, Show, Sources};

/// Looks up, prints the lines, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &LookupArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    runner::admit(args.record.file())?;
    let config = runner::only_named_configuration(terminal, &args.config, &[])?;
    let recording = Recording::of(&args.record);
    // A line that must not be believed is no answer, whatever its severity.
    let flags = Flags {
        terminal,
        sumdb: &args.sumdb,
        fail_on: contract::FailOn::Medium,
        allow_incomplete: false,
        bytes: None,
        signatures: None,
        record: recording.as_ref(),
    };
    let (outcome, _) = session::run(&flags, config, Task::Lookup(args.queries.clone()))?;
    let unrecorded = recording.and_then(|recording| recording.failed(&outcome));
    let show = Show { terminal: terminal.clone(), ..Show::default() };
    let sources = Sources::new();
    if destinations.stdout() != Format::Human {
        destinations.write(&outcome, &sources, &show).map_err(|error| Failed::to_show(&outcome, error))?;
        return unrecorded.map_or(Ok(outcome.status), Err);
    }
    destinations.write_files(&outcome, &sources, &show).map_err(|error| Failed::to_show(&outcome, error))?;
    output::to_stderr(&outcome, &sources, &show).map_err(|error| Failed::to_show(&outcome, error))?;
    let lines: String = outcome.lines.iter().flat_map(|line| [line, "\n"]).collect();
    output::to_stream(io::stdout(), false, lines.as_bytes()).map_err(|error| Failed::to_show(&outcome, error))?;
    unrecorded.map_or(Ok(outcome.status), Err)
}
