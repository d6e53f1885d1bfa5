//! The program `modanchor`: arguments to exit status, and the only place that prints an error.

use std::{io, process::ExitCode};

use clap::Parser as _;
use modanchor_host::cli::args::{Cli, Command, TerminalArgs};
use modanchor_host::cli::session::Failed;
use modanchor_host::cli::sigstore::SigstoreCommand;
use modanchor_host::cli::{
    USAGE, action, completions, evidence, explain, fix, hash, init, lint, lookup, man, policy, replay, repo, statement,
    tuf, verify, verify_blob,
};
use modanchor_host::output::{self, Diagnostic, workflow};

fn main() -> ExitCode {
    let runner = [workflow::GITHUB_ACTIONS, workflow::TF_BUILD]
        .iter()
        .any(|name| workflow::reads_along(std::env::var_os(name).as_deref()));
    let Cli { mut terminal, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        // It repeats arguments, which may be names of files.
        Err(error) if runner => {
            let text = error.render().to_string();
            let text = workflow::defuse(&text);
            let shown = match error.use_stderr() {
                true => output::to_stream(io::stderr(), false, text.as_bytes()),
                false => output::to_stream(io::stdout(), false, text.as_bytes()),
            };
            return ExitCode::from(if error.use_stderr() || shown.is_err() { USAGE } else { 0 });
        }
        Err(error) => error.exit(),
    };
    terminal.runner = runner;
    match run(&terminal, &command) {
        Ok(status) => ExitCode::from(status),
        Err(failed) => {
            Diagnostic::Error.print(&terminal, &format!("{:#}", failed.error));
            ExitCode::from(failed.status)
        }
    }
}

fn run(terminal: &TerminalArgs, command: &Command) -> Result<u8, Failed> {
    let done = match command {
        Command::Verify(args) => return verify::run(terminal, args),
        Command::Lookup(args) => return lookup::run(terminal, args),
        Command::Action => return action::run(terminal),
        Command::Hash(args) => return hash::run(terminal, args),
        Command::Fix(args) => return fix::run(terminal, args),
        Command::Lint(args) => return lint::run(terminal, args),
        Command::Init(args) => return init::run(terminal, args),
        Command::Tuf(args) => return tuf::run(terminal, args),
        Command::Policy(args) => return policy::run(terminal, &args.action),
        Command::Sigstore(args) => match &args.command {
            SigstoreCommand::VerifyBlob(args) => return verify_blob::run(terminal, args),
        },
        Command::Statement(args) => return statement::run(terminal, args),
        Command::Replay(args) => return replay::run(terminal, args),
        Command::Evidence(args) => return evidence::run(terminal, &args.action),
        Command::Repo(args) => return repo::run(terminal, args),
        Command::Explain(args) => return explain::run(args, terminal),
        Command::Completions(args) => completions::run(args).map_err(anyhow::Error::from),
        Command::Man(args) => man::run(args),
    };
    done.map(|()| 0).map_err(Failed::usage)
}
