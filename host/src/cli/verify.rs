//! `modanchor verify [PATH…]`.

use std::path::{Path, PathBuf};

use super::annotate::{self, Shower};
use super::args::{Format, TerminalArgs, VerifyArgs};
use super::config::Config;
use super::paths::{self, Collected};
use super::places;
use super::runner::{self, Runner};
use super::session::{self, CheckBytes, Failed, Flags, Recording};
use super::signatures::{self, CheckSignatures};
use super::trusted;
use super::trusted::Repository as _;
use super::workspace::nearest_tree;
use crate::contract::{Checkout, Outcome, Program, Task};
use crate::engine::hashing::{self, HashEngine};
use crate::output::{Destinations, Diagnostic, OutputError, Show, Shown, Sources};

/// Verifies, shows the report, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &VerifyArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    let needs =
        [(args.repository.changed_only, "--changed-only"), (args.repository.check_run.is_some(), "--check-run")];
    let needs = needs.into_iter().find_map(|(given, flag)| given.then_some(flag));
    let runner = match (needs, args.config.no_config) {
        (None, true) => None,
        (flag, _) => {
            Runner::of_process(&args.paths, flag.unwrap_or("looking for a configuration (--no-config: none)"))?
        }
    };
    if let (None, Some(flag)) = (&runner, needs) {
        return Err(Failed::usage(anyhow::anyhow!("{flag} is for GitHub Actions, and GITHUB_ACTIONS is not true")));
    }
    runner::admit(args.output.files().chain(args.record.file()))?;
    let found = trusted::configuration(terminal, &args.config, &args.paths, runner.as_ref())?;
    let judged = judge(terminal, args, found.config)?;
    let mut show = judged.show(terminal, args, runner.as_ref().and_then(Runner::tree));
    let shown = |error: OutputError| Failed::to_show(&judged.outcome, error);
    let Some(runner) = runner else {
        destinations.write(&judged.outcome, &sources(&judged.task), &show).map_err(shown)?;
        return judged.unrecorded.map_or(Ok(judged.outcome.status), Err);
    };
    show.source = runner.source();
    // Read here only where a flag needs it: a large one takes a while.
    let report: Option<Shown> = match needs {
        Some(_) => Some(serde_json::from_slice(&judged.outcome.report).map_err(|error| shown(error.into()))?),
        None => None,
    };
    if let Some(report) = report.as_ref().filter(|_| args.repository.changed_only) {
        show.changed = annotate::changed(terminal, &runner, report, &show);
    }
    destinations.write(&judged.outcome, &sources(&judged.task), &show).map_err(shown)?;
    if let (Some(report), Some(name)) = (&report, &args.repository.check_run) {
        Shower { terminal, runner: &runner, outcome: &judged.outcome, report, show: &show }.check_run(name)?;
    }
    if let Some(unknown) = found.unknown {
        return Err(Failed::to_show(&judged.outcome, unknown));
    }
    judged.unrecorded.map_or(Ok(judged.outcome.status), Err)
}

/// What was judged, and how.
pub(crate) struct Judged {
    pub(crate) outcome: Outcome,
    /// Why there is no evidence, which was asked for.
    pub(crate) unrecorded: Option<Failed>,
    task: Task,
    root: PathBuf,
}

/// Verifies.
pub(crate) fn judge(terminal: &TerminalArgs, args: &VerifyArgs, mut config: Config) -> Result<Judged, Failed> {
    signatures::policy(&mut config, &args.signatures, &args.paths)?;
    let mut collected = collect(terminal, &args.paths, &args.exclude, &config)?;
    let engine = args.bytes.hash_engine.load().map_err(Failed::unchecked)?;
    let programs = programs(&collected, &engine)?;
    let root = std::mem::take(&mut collected.root);
    let signatures = CheckSignatures {
        args: &args.signatures,
        root: signatures::named_root(args.signatures.trusted_root.as_deref(), &args.paths)?,
        needed: config.policy.policy.is_some(),
    };
    let recording = Recording::of(&args.record);
    let flags = Flags {
        terminal,
        sumdb: &args.sumdb,
        fail_on: args.fail_on.into(),
        allow_incomplete: args.allow_incomplete,
        bytes: Some(CheckBytes { args: &args.bytes, engine: &engine, root: &root }),
        signatures: Some(signatures),
        record: recording.as_ref(),
    };
    let checkout = Checkout { files: collected.files, programs, bare_vendors: collected.bare_vendors };
    let (outcome, task) = session::run(&flags, config, Task::Verify(checkout))?;
    let unrecorded = recording.and_then(|recording| recording.failed(&outcome));
    Ok(Judged { outcome, unrecorded, task, root })
}

impl Judged {
    /// How to show it: in the repository that it lies in, whose root a runner knows.
    pub(crate) fn show(&self, terminal: &TerminalArgs, args: &VerifyArgs, tree: Option<&Path>) -> Show {
        let tree = tree.map(Path::to_owned).or_else(|| nearest_tree(&self.root));
        Show {
            terminal: terminal.clone(),
            fail_on: args.fail_on,
            allow_incomplete: args.allow_incomplete,
            summary: true,
            places: places::of(tree.as_deref(), &self.root, sources(&self.task).into_keys()),
            category: args.repository.category.clone(),
            ..Show::default()
        }
    }

    /// Shows it wherever it is wanted.
    pub(crate) fn write(
        &self,
        terminal: &TerminalArgs,
        args: &VerifyArgs,
        destinations: &Destinations,
        tree: Option<&Path>,
    ) -> Result<(), Failed> {
        let written = destinations.write(&self.outcome, &sources(&self.task), &self.show(terminal, args, tree));
        written.map_err(|error| Failed::to_show(&self.outcome, error))
    }

    /// Shows it on stdout.
    pub(crate) fn write_stdout(&self, format: Format, show: &Show) -> Result<(), OutputError> {
        Destinations::to_stdout(format).write(&self.outcome, &sources(&self.task), show)
    }
}

/// Collects what is to be judged, and tells what a person should know of it.
pub(crate) fn collect(
    terminal: &TerminalArgs,
    given: &[PathBuf],
    exclude: &[String],
    config: &Config,
) -> Result<Collected, Failed> {
    let exclude = [exclude, &config.exclude].concat();
    let collected = paths::collect(given, &exclude, &uses).map_err(Failed::usage)?;
    for note in &collected.notes {
        Diagnostic::Note.print(terminal, note);
    }
    Ok(collected)
}

/// What findings point at.
pub(crate) fn sources(task: &Task) -> Sources<'_> {
    let files = match task {
        Task::Verify(checkout) | Task::Fix(checkout) => checkout.files.as_slice(),
        Task::Explain(question) => &question.checkout.files,
        Task::Lookup(_) | Task::Tuf(_) | Task::VerifyBlob(_) => &[],
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
            mod_info: without_settings(&built.info.mod_info),
        }),
        Ok(Err(refusal)) => Err(Failed::usage(anyhow::anyhow!(
            "{name}: nothing to verify: not named like a go.mod, go.sum, go.work or go.work.sum, and as a program: {}",
            refusal.text
        ))),
        Err(error) => Err(Failed::unchecked(anyhow::Error::from(error).context(name.clone()))),
    };
    collected.programs.iter().map(read).collect()
}

/// Build info without the values of the build's settings, but for those of version control, which are all that the core looks at:
/// `-ldflags` may hold a secret and `CGO_CFLAGS` a path of the machine, and the job is in evidence. The lines stay, as findings are
/// on one of them.
fn without_settings(mod_info: &str) -> String {
    let without = |line: &str| {
        let setting = line.strip_prefix("build\t").and_then(|setting| setting.split_once('='));
        match setting {
            // A quoted key may hold the `=`. The go command writes none.
            Some((key, _)) if !key.starts_with("vcs") && !key.starts_with(['"', '`']) => {
                let end = if line.ends_with('\n') { "\n" } else { "" };
                format!("build\t{key}={end}")
            }
            _ => line.to_owned(),
        }
    };
    mod_info.split_inclusive('\n').map(without).collect()
}

/// The folders that a go.work uses, read as the core reads them.
fn uses(content: &[u8]) -> Result<Vec<String>, String> {
    let work = modanchor_core::gosum::gowork::GoWork::parse(content).map_err(|error| error.to_string())?;
    Ok(work.uses.into_iter().map(|used| used.directory).collect())
}

#[cfg(test)]
mod tests {
    use super::without_settings;

    #[test]
    fn settings_of_a_build_are_not_in_a_job() {
        let said = "path\te.example/p\nmod\te.example/p\t(devel)\t\nbuild\t-ldflags=\"-X main.token=secret\"\n\
            build\tCGO_CFLAGS=-I/home/me=x\nbuild\tvcs.revision=abc\nbuild\tvcs.modified=true\nbuild\tGOOS=linux";
        let kept = "path\te.example/p\nmod\te.example/p\t(devel)\t\nbuild\t-ldflags=\nbuild\tCGO_CFLAGS=\n\
            build\tvcs.revision=abc\nbuild\tvcs.modified=true\nbuild\tGOOS=";
        assert_eq!(without_settings(said), kept);
    }
}
