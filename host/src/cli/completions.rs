//! `modanchor completions SHELL`.

use std::io;

use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};
use crate::output::to_stream;

/// Prints the script to stdout.
///
/// # Errors
///
/// Those of stdout.
pub fn run(args: &CompletionsArgs) -> io::Result<()> {
    to_stream(io::stdout(), false, &render(args))
}

/// The script for stdout.
pub fn render(args: &CompletionsArgs) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "modanchor", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;
    use clap_complete::Shell;

    use super::*;

    #[test]
    fn every_shell_knows_every_command() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(render(&CompletionsArgs { shell: *shell })).unwrap();
            for word in ["verify", "lookup", "explain", "completions", "allow-incomplete"] {
                assert!(script.contains(word), "{shell}: {word}");
            }
        }
    }
}
