//! `modanchor fix`.

use super::args::{FixArgs, TerminalArgs};
use super::session::{self, Failed, Flags};
use super::{runner, verify};
use crate::contract::{self, Checkout, Task};
use crate::fix;
use crate::goenv::{GoEnv, Sources};
use crate::output::text::{count, escape};
use crate::output::{self, Diagnostic, OutputError, Show};

/// Exit status of `--dry-run` where something would change.
const WOULD_CHANGE: u8 = 1;

/// Plans, shows the diff, writes, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &FixArgs) -> Result<u8, Failed> {
    let config = runner::only_named_configuration(terminal, &args.config, &args.paths)?;
    let collected = verify::collect(terminal, &args.paths, &args.exclude, &config)?;
    if let Some((name, _)) = collected.programs.first() {
        return Err(Failed::usage(anyhow::anyhow!("{name}: not a go.mod, go.sum, go.work or go.work.sum")));
    }
    let flags = Flags {
        terminal,
        sumdb: &args.sumdb,
        fail_on: contract::FailOn::Medium,
        allow_incomplete: false,
        bytes: None,
        signatures: None,
        record: None,
    };
    let checkout = Checkout { files: collected.files, programs: Vec::new(), bare_vendors: Vec::new() };
    let (outcome, task) = session::run(&flags, config, Task::Fix(checkout))?;
    let sources = verify::sources(&task);
    let shown = |error: OutputError| Failed::to_show(&outcome, error);

    let diffs: Vec<(&contract::FixedFile, &[u8], String)> = (outcome.fixes.iter())
        .map(|fixed| {
            let old = sources.get(fixed.path.as_str()).copied().unwrap_or_default();
            (fixed, old, fix::unified_diff(&fixed.path, old, &fixed.content))
        })
        .collect();
    for (_, _, diff) in &diffs {
        output::to_stdout(terminal, diff).map_err(shown)?;
    }
    let show = Show { terminal: terminal.clone(), ..Show::default() };
    output::to_stderr(&outcome, &sources, &show).map_err(shown)?;
    if args.dry_run {
        return Ok(if diffs.is_empty() { outcome.status } else { WOULD_CHANGE });
    }

    let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
    for (fixed, old, _) in &diffs {
        let path = collected.root.join(&fixed.path);
        fix::replace_go_sum(&path, old, &fixed.content, env.modcache().as_deref()).map_err(Failed::unchecked)?;
        if !terminal.quiet {
            let added = count(fixed.added.len() as u64, "line");
            Diagnostic::Note.print(terminal, &format!("wrote {}: {added} added", escape(&fixed.path)));
        }
    }
    Ok(outcome.status)
}
