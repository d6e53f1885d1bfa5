//! The program `modanchor`: arguments to exit status, and the only place that prints an error.

use std::process::ExitCode;

use clap::Parser as _;
use modanchor_host::cli::args::{Cli, Command, TerminalArgs};
use modanchor_host::cli::session::Failed;
use modanchor_host::cli::{completions, explain, fix, hash, lookup, man, verify};
use modanchor_host::output::Diagnostic;

fn main() -> ExitCode {
    let Cli { terminal, command } = Cli::parse();
    match run(&terminal, &command) {
        Ok(status) => ExitCode::from(status),
        Err(failed) => {
            Diagnostic::Error.print(terminal.color, &format!("{:#}", failed.error));
            ExitCode::from(failed.status)
        }
    }
}

fn run(terminal: &TerminalArgs, command: &Command) -> Result<u8, Failed> {
    let done = match command {
        Command::Verify(args) => return verify::run(terminal, args),
        Command::Lookup(args) => return lookup::run(terminal, args),
        Command::Hash(args) => return hash::run(terminal, args),
        Command::Fix(args) => return fix::run(terminal, args),
        Command::Explain(args) => return explain::run(args, terminal),
        Command::Completions(args) => completions::run(args).map_err(anyhow::Error::from),
        Command::Man(args) => man::run(args),
    };
    done.map(|()| 0).map_err(Failed::usage)
}
