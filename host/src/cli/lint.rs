//! `modanchor lint [PATH…]`.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use anyhow::Context as _;
use modanchor_core::lint::{NAMES, Setting, SettingPlace, without_credentials};

use super::args::{Format, LintArgs, TerminalArgs};
use super::runner::{self, Runner};
use super::session::{self, Failed};
use super::trusted::Repository as _;
use super::workspace::nearest_tree;
use super::{places, settings_files, trusted};
use crate::contract::{FixedFile, Outcome};
use crate::fix;
use crate::goenv::{GoEnv, Place, Sources};
use crate::output::text::{count, escape};
use crate::output::{self, Destinations, Diagnostic, OutputError, Show, Sources as Files};

/// Exit status of `--dry-run` where something would change.
const WOULD_CHANGE: u8 = 1;

/// Collects, judges, shows the report, writes the fixes, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &LintArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    let runner = match args.config.no_config {
        true => None,
        false => Runner::of_process(&args.paths, "looking for a configuration (--no-config: none)")?,
    };
    runner::admit(args.output.files())?;
    let trusted::Found { config, unknown, .. } =
        trusted::configuration(terminal, &args.config, &args.paths, runner.as_ref())?;
    let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
    let settings = settings(&env).map_err(Failed::usage)?;
    let exclude = [args.exclude.as_slice(), &config.exclude].concat();
    let collected = settings_files::collect(&args.paths, &exclude).map_err(Failed::usage)?;
    for note in &collected.notes {
        Diagnostic::Warning.print(terminal, note);
    }
    let no_files = collected.files.is_empty();
    if no_files && !terminal.quiet {
        Diagnostic::Note.print(terminal, "no file that may hold settings; only those in force were looked at");
    }

    let outcome = session::lint(args.fail_on.into(), config, &settings, &collected.files, args.fix)?;
    let sources: Files<'_> = collected.files.iter().map(|file| (file.path.as_str(), file.content.as_slice())).collect();
    let tree = runner.as_ref().and_then(Runner::tree).map(Path::to_owned).or_else(|| nearest_tree(&collected.root));
    let show = Show {
        terminal: terminal.clone(),
        fail_on: args.fail_on,
        summary: !no_files,
        places: places::of(tree.as_deref(), &collected.root, sources.keys().copied()),
        source: runner.as_ref().and_then(Runner::source),
        ..Show::default()
    };
    let shown = |error: OutputError| Failed::to_show(&outcome, error);
    // The diff is what a fix is run for: it has stdout, unless a format is asked for there.
    let people_read_stdout = destinations.stdout() == Format::Human;
    let old = |fixed: &FixedFile| sources.get(fixed.path.as_str()).copied().unwrap_or_default();
    if args.fix {
        for fixed in &outcome.fixes {
            let diff = printable(&fix::unified_diff(&fixed.path, old(fixed), &fixed.content));
            let written = match people_read_stdout {
                true => output::to_stdout(terminal, &diff),
                false => output::to_stream(io::stderr(), false, diff.as_bytes()).map_err(OutputError::Stderr),
            };
            written.map_err(shown)?;
        }
    }
    if args.fix && people_read_stdout {
        destinations.write_files(&outcome, &sources, &show).map_err(shown)?;
        output::to_stderr(&outcome, &sources, &show).map_err(shown)?;
    } else {
        destinations.write(&outcome, &sources, &show).map_err(shown)?;
    }
    if let Some(unknown) = unknown {
        return Err(Failed::to_show(&outcome, unknown));
    }
    if args.dry_run {
        return Ok(if outcome.fixes.is_empty() { outcome.status } else { WOULD_CHANGE });
    }
    for fixed in &outcome.fixes {
        let path = collected.root.join(&fixed.path);
        fix::replace_file(&path, old(fixed), &fixed.content).map_err(|error| cannot_write(&outcome, error))?;
        if !terminal.quiet {
            let changes = count(fixed.added.len() as u64, "setting");
            let text = format!("wrote {}: {changes} changed\n{}", escape(&fixed.path), fixed.added.join("\n"));
            Diagnostic::Note.print(terminal, &text);
        }
    }
    Ok(outcome.status)
}

fn cannot_write(outcome: &Outcome, error: fix::FixError) -> Failed {
    Failed::to_show(outcome, error)
}

/// What is set where this runs, of what the core asks about. Credentials in a proxy's URL stay here.
fn settings(env: &GoEnv) -> anyhow::Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for name in NAMES {
        let Some((value, place)) = env.lookup(name).context("reading Go's settings")? else { continue };
        let place = match place {
            Place::Environment => SettingPlace::Environment,
            Place::GoEnvFile => SettingPlace::UserFile,
            // `lookup` gives no default.
            Place::GoRootFile | Place::Default => SettingPlace::GorootFile,
        };
        let value = if *name == "GOPROXY" { without_credentials(&value) } else { value };
        settings.push(Setting { name: (*name).to_owned(), value, place });
    }
    Ok(settings)
}

/// A diff of files that anybody may have written, for a terminal: tabs and line ends stay.
pub(super) fn printable(diff: &str) -> String {
    let mut out = String::with_capacity(diff.len());
    for line in diff.lines() {
        for (number, part) in line.split('\t').enumerate() {
            let tab = if number > 0 { "\t" } else { "" };
            // Writing to a string cannot fail.
            let _ = write!(out, "{tab}{}", escape(part));
        }
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_cannot_repaint_the_terminal() {
        assert_eq!(printable("+\tx\u{1b}[2J\u{202e}\r\n-y\n"), "+\tx\\u{1b}[2J\\u{202e}\n-y\n");
    }

    #[test]
    fn credentials_stay_here() {
        let env = GoEnv::load(Sources::of([
            ("GOPROXY", "https://user:secret@proxy.example/x,http://token@h|direct"),
            ("GOENV", "off"),
            ("GONOSUMCHECK", "1"),
        ]))
        .unwrap();
        let settings = settings(&env).unwrap();
        let told: Vec<_> = settings.iter().map(|s| (s.name.as_str(), s.value.as_str())).collect();
        assert_eq!(told, [("GONOSUMCHECK", "1"), ("GOPROXY", "https://proxy.example/x,http://h|direct")]);
        assert!(settings.iter().all(|setting| setting.place == SettingPlace::Environment));
    }
}
