//! `modanchor action`: what the GitHub Action's verify step runs (action.yml, docs/action.md).
//!
//! Inputs come from `MODANCHOR_INPUT_…` variables, outputs go to GITHUB_OUTPUT. Whatever it comes to, it is one of the
//! exit statuses, written as the output `status`; then the process itself ends with 0, and the action's last step ends
//! with that status, after what was verified could be kept. If the status cannot be written, the process ends with it.
//!
//! # Security
//!
//! Inputs are a workflow author's word. They become arguments of `modanchor verify`, each in one piece behind its flag
//! (`Inputs::arguments`), so none of them is read as another. The token is taken out of the inputs and goes to the API
//! alone.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser as _, ValueEnum};
use sha2::{Digest as _, Sha256};

use super::annotate::{self, Shower};
use super::args::{Cli, Command, Format, TerminalArgs, VerifyArgs};
use super::runner::{self, Runner};
use super::session::Failed;
use super::trusted::Repository as _;
use super::{USAGE, did_you_mean, trusted, verify};
use crate::ci::event::Kind;
use crate::ci::github::Token;
use crate::ci::github::code_scanning::{Setting, Upload, should_upload};
use crate::ci::output::{Outputs, StepSummary};
use crate::contract::Outcome;
use crate::goenv::Var;
use crate::output::annotation::{Level, select};
use crate::output::github::MAX_PER_LEVEL;
use crate::output::markdown::{Limit, SUMMARY_BYTES};
use crate::output::{self, Diagnostic, Shown, sarif};

/// The name of the check run.
const CHECK_RUN: &str = "modanchor";

/// Where the report and SARIF go.
const OUT: &str = "MODANCHOR_OUT";

/// What is kept between runs.
const CACHE: &str = "MODANCHOR_CACHE";

/// Exit status when the outputs say all there is to say.
const DONE: u8 = 0;

/// The inputs that are flags of `verify` with a value.
const FLAGS: [&str; 9] =
    ["category", "config", "fail-on", "max-wait", "modcache", "record", "timeout", "vendor", "zips"];

/// The inputs that are settings of Go.
const SETTINGS: [(&str, Var); 4] = [
    ("gosumdb", Var::GoSumdb),
    ("goproxy", Var::GoProxy),
    ("gonosumdb", Var::GoNoSumdb),
    ("goprivate", Var::GoPrivate),
];

/// How findings are annotated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Annotations {
    /// By code scanning if it shows this pull request; else by workflow commands; by a check run if there are too many.
    #[default]
    Auto,
    /// By workflow commands.
    Workflow,
    /// By a check run.
    Checks,
    /// Not at all.
    Off,
}

/// What the log shows. Annotations and SARIF have inputs of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// The report.
    Json,
    /// The job's summary.
    Markdown,
}

impl From<LogFormat> for Format {
    fn from(format: LogFormat) -> Self {
        match format {
            LogFormat::Human => Self::Human,
            LogFormat::Json => Self::Json,
            LogFormat::Markdown => Self::Markdown,
        }
    }
}

/// Whether something is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Where it can be.
    #[default]
    Auto,
    /// It is.
    True,
    /// It is not.
    False,
}

/// The inputs, as action.yml hands them over. One that is empty was not given.
struct Inputs<F>(F);

impl<F: Fn(&str) -> Option<OsString>> Inputs<F> {
    fn os(&self, name: &str) -> Option<OsString> {
        let variable = format!("MODANCHOR_INPUT_{}", name.to_ascii_uppercase().replace('-', "_"));
        (self.0)(&variable).filter(|value| !value.is_empty())
    }

    /// Without spaces around it.
    fn text(&self, name: &str) -> Result<Option<String>, Failed> {
        let Some(value) = self.os(name) else { return Ok(None) };
        let value = value.into_string().map_err(|_| usage(format!("input {name}: not valid UTF-8")))?;
        Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty()))
    }

    /// A value a line.
    fn lines(&self, name: &str) -> Result<Vec<String>, Failed> {
        let text = self.text(name)?.unwrap_or_default();
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
    }

    /// One of a few words.
    fn word<T: ValueEnum>(&self, name: &str) -> Result<Option<T>, Failed> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        T::from_str(&text, true).map(Some).map_err(|_| {
            let values: Vec<_> = T::value_variants().iter().filter_map(ValueEnum::to_possible_value).collect();
            let words: Vec<&str> = values.iter().map(|value| value.get_name()).collect();
            let meant = did_you_mean(&text, words.iter().copied());
            let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            usage(format!("input {name}: {text:?} is none of {}{meant}", words.join(", ")))
        })
    }

    /// `true` or `false`.
    fn flag(&self, name: &str, default: bool) -> Result<bool, Failed> {
        let Some(text) = self.text(name)? else { return Ok(default) };
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(usage(format!("input {name}: {text:?} is neither true nor false"))),
        }
    }

    /// The arguments of `modanchor verify`, each input in one piece with its flag, and paths behind `--`.
    fn arguments(&self) -> Result<Vec<OsString>, Failed> {
        let mut arguments = vec!["modanchor".into(), "verify".into()];
        for name in FLAGS {
            if let Some(value) = self.text(name)? {
                arguments.push(format!("--{name}={value}").into());
            }
        }
        for name in ["allow-incomplete", "changed-only", "offline"] {
            if self.flag(name, false)? {
                arguments.push(format!("--{name}").into());
            }
        }
        if !self.flag("cache", true)? {
            arguments.push("--no-cache".into());
        }
        arguments.extend(self.lines("exclude")?.iter().map(|glob| format!("--exclude={glob}").into()));
        arguments.push("--".into());
        arguments.extend(self.lines("path")?.into_iter().map(OsString::from));
        Ok(arguments)
    }

    /// The arguments, read, with Go's settings.
    fn verify(&self) -> Result<VerifyArgs, Failed> {
        let Command::Verify(mut args) = Cli::try_parse_from(self.arguments()?).map_err(not_an_argument)?.command else {
            return Err(usage("the inputs are no arguments of verify".to_owned()));
        };
        for (name, var) in SETTINGS {
            if let Some(value) = self.text(name)? {
                args.sumdb.go_settings.push((var, value));
            }
        }
        Ok(args)
    }

    fn token(&self) -> Result<Option<Token>, Failed> {
        self.os("token").map(|value| runner::parse_token("input token", &value)).transpose()
    }
}

fn usage(text: String) -> Failed {
    Failed::usage(anyhow::anyhow!(text))
}

/// clap speaks of flags, which are called as the inputs, and goes on to say how to call the program, which nobody does
/// here.
fn not_an_argument(error: clap::Error) -> Failed {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    usage(format!("an input, as a flag of verify: {}", first.trim_start_matches("error: ")))
}

/// What a run came to.
struct Acted {
    outcome: Outcome,
    outputs: Vec<(&'static str, String)>,
    /// What could not be done with the verdict. None of it keeps the rest from being tried: a finding that code scanning
    /// did not take is still on its line and in the summary.
    failed: Vec<Failed>,
}

impl Acted {
    /// That of the verdict; 3 if something could not be shown, for that is no pass.
    fn status(&self) -> u8 {
        self.failed.first().map_or(self.outcome.status, |failed| failed.status)
    }
}

/// Does what the step is for, and says with which status the process ends.
///
/// # Errors
///
/// The runner cannot be told: not in a step of GitHub Actions, or GITHUB_OUTPUT cannot be written.
pub fn run(terminal: &TerminalArgs) -> Result<u8, Failed> {
    let Some(outputs) = Outputs::from_env(runner::variable).map_err(Failed::usage)? else {
        return Err(usage(
            "GITHUB_OUTPUT is not set: this command is for a step of GitHub Actions (docs/action.md)".to_owned(),
        ));
    };
    let inputs = Inputs(runner::variable);
    let before = state(inputs.flag("cache", true).unwrap_or(false));
    let (status, mut pairs) = match act(terminal, &inputs) {
        Ok(acted) => {
            for failed in &acted.failed {
                tell(terminal, "modanchor could not do all of this", failed);
            }
            (acted.status(), acted.outputs)
        }
        Err(failed) => {
            let what = if failed.status == USAGE { "modanchor cannot run" } else { "modanchor could not check this" };
            tell(terminal, what, &failed);
            (failed.status, Vec::new())
        }
    };
    let after = state(before.is_some());
    pairs.push(("state", after.filter(|after| before.as_ref() != Some(after)).unwrap_or_default()));
    pairs.push(("status", status.to_string()));
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // Nobody would know the status: then the process ends with it, and with 3 in place of 0.
    outputs.set(&pairs).map_err(|error| match status {
        DONE => Failed::unchecked(error),
        status => Failed { status, error: error.into() },
    })?;
    Ok(DONE)
}

/// What went wrong with the run itself: an annotation, a line in the summary.
fn tell(terminal: &TerminalArgs, what: &str, failed: &Failed) {
    let text = format!("{:#}", failed.error);
    Diagnostic::Error.print(terminal, &text);
    // That neither can be written is said by what comes after: the status.
    let _ = output::to_stream(io::stdout(), false, output::github::error(what, &text).as_bytes());
    if let Ok(Some(summary)) = StepSummary::from_env(runner::variable) {
        let _ = summary.append(&output::markdown::failure(what, &text));
    }
}

fn act(terminal: &TerminalArgs, inputs: &Inputs<impl Fn(&str) -> Option<OsString>>) -> Result<Acted, Failed> {
    // All inputs are read before anything is done: a wrong one is told at once.
    let args = inputs.verify()?;
    let format = inputs.word::<LogFormat>("format")?.unwrap_or_default().into();
    let annotations = inputs.word::<Annotations>("annotations")?.unwrap_or_default();
    let upload = match inputs.word::<Switch>("upload-sarif")?.unwrap_or_default() {
        Switch::Auto => Setting::Auto,
        Switch::True => Setting::Always,
        Switch::False => Setting::Never,
    };
    let summary = inputs.flag("summary", true)?;
    let sarif_file = inputs.text("sarif-file")?.map(PathBuf::from);
    let runner = Runner::new(&args.paths, inputs.token()?)?;
    runner::admit(sarif_file.as_deref().into_iter().chain(args.record.file()))?;

    let found = trusted::configuration(terminal, &args.config, &args.paths, Some(&runner))?;
    let judged = verify::judge(terminal, &args, found.config)?;
    let outcome = &judged.outcome;
    let shown = |error: output::OutputError| Failed::to_show(outcome, error);
    let report: Shown = serde_json::from_slice(&outcome.report).map_err(|error| shown(error.into()))?;
    let mut show = judged.show(terminal, &args, runner.tree());
    show.source = runner.source();
    if args.repository.changed_only {
        show.changed = annotate::changed(terminal, &runner, &report, &show);
    }
    let shower = Shower { terminal, runner: &runner, outcome, report: &report, show: &show };

    let out = out_folder()?;
    let report_file = out.join("report.json");
    let sarif_file = sarif_file.unwrap_or_else(|| out.join("modanchor.sarif"));
    let sarif = sarif::render(&outcome.report, &show.places, show.category.as_deref());
    let sarif = sarif.map_err(|error| shown(error.into()))?;
    let write = |path: &Path, bytes: &[u8]| {
        let written = output::write_file(path, bytes);
        written.map_err(|error| shown(output::OutputError::File { path: path.to_owned(), error }))
    };
    let (report_written, sarif_written) = (write(&report_file, &outcome.report), write(&sarif_file, &sarif.json));
    let named = |file: &Path, written: bool| if written { absolute(file) } else { Ok(String::new()) };
    let files = [named(&report_file, report_written.is_ok())?, named(&sarif_file, sarif_written.is_ok())?];
    let uploaded = upload_sarif(terminal, &runner, upload, &sarif.gzip, outcome);
    let failed: Vec<Failed> = [
        judged.write_stdout(format, &show).map_err(shown),
        report_written,
        sarif_written,
        annotate(&shower, annotations, matches!(uploaded, Ok(true))),
        if summary { summarize(&shower) } else { Ok(()) },
        uploaded.map(|_| ()),
        found.unknown.map_or(Ok(()), |unknown| Err(Failed::to_show(outcome, unknown))),
        judged.unrecorded.map_or(Ok(()), Err),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect();

    let counts = &report.counts;
    let tree = report.sumdbs.first().map_or(0, |sumdb| sumdb.tree_size);
    let [report_file, sarif_file] = files;
    let mut outputs = vec![
        ("findings-count", counts.findings.without_notes().to_string()),
        ("modules-checked", counts.modules.to_string()),
        ("tree-size", tree.to_string()),
        ("report-json", report_file),
        ("sarif-file", sarif_file),
    ];
    let word = output::human::word(report.verdict).to_owned();
    let acted = Acted { outputs: Vec::new(), outcome: judged.outcome, failed };
    // What could not be shown is no pass: without a verdict, the last step says that it is incomplete.
    if acted.status() == acted.outcome.status {
        outputs.push(("verdict", word));
    }
    Ok(Acted { outputs, ..acted })
}

/// Whether code scanning has the findings now.
fn upload_sarif(
    terminal: &TerminalArgs,
    runner: &Runner,
    setting: Setting,
    gzip: &[u8],
    outcome: &Outcome,
) -> Result<bool, Failed> {
    let why = match should_upload(runner.event(), setting, runner.has_token()) {
        Upload::No(_) if setting == Setting::Never => return Ok(false),
        Upload::No(why) => {
            Diagnostic::Note.print(terminal, &format!("SARIF is not uploaded: {why}"));
            return Ok(false);
        }
        Upload::Yes => match runner.upload(gzip) {
            Some(Ok(_)) => return Ok(true),
            Some(Err(error)) => error.to_string(),
            None => "there is no token, or what is checked out is no commit of the event".to_owned(),
        },
    };
    if setting == Setting::Always {
        return Err(Failed::to_show(
            outcome,
            anyhow::anyhow!("upload-sarif is true, and SARIF was not uploaded: {why}"),
        ));
    }
    Diagnostic::Note.print(terminal, &format!("SARIF is not uploaded: {why}"));
    Ok(false)
}

fn annotate(shower: &Shower<'_>, annotations: Annotations, uploaded: bool) -> Result<(), Failed> {
    let pull_request = matches!(shower.runner.event().kind, Kind::PullRequest { .. });
    match annotations {
        Annotations::Off => Ok(()),
        Annotations::Workflow => shower.workflow(),
        Annotations::Checks => shower.check_run(CHECK_RUN),
        Annotations::Auto if uploaded && pull_request => {
            let text = "code scanning annotates the findings; `annotations: workflow` does so here too";
            Diagnostic::Note.print(shower.terminal, text);
            Ok(())
        }
        Annotations::Auto if shower.runner.has_token() && !fits(shower) => shower.check_run(CHECK_RUN),
        Annotations::Auto => shower.workflow(),
    }
}

/// Whether workflow commands can show all annotations.
fn fits(shower: &Shower<'_>) -> bool {
    let context = shower.show.context();
    let selected = select(shower.report, context.places, context.changed);
    let of = |level| selected.annotations.iter().filter(|annotation| annotation.level == level).count();
    [Level::Error, Level::Warning, Level::Notice].into_iter().all(|level| of(level) <= MAX_PER_LEVEL)
}

/// Adds the page to the job's summary, if there is one.
fn summarize(shower: &Shower<'_>) -> Result<(), Failed> {
    let shown = |error: crate::ci::output::OutputError| Failed::to_show(shower.outcome, error);
    let Some(summary) = StepSummary::from_env(runner::variable).map_err(shown)? else {
        return Ok(());
    };
    let room = usize::try_from(summary.room().map_err(shown)?).unwrap_or(usize::MAX).min(SUMMARY_BYTES);
    summary.append(&shower.markdown(Limit::Bytes(room))).map_err(shown)
}

/// The folder for this use of the action: that of action.yml, else one of the system's.
fn out_folder() -> Result<PathBuf, Failed> {
    let out = runner::variable(OUT).filter(|value| !value.is_empty()).map(PathBuf::from);
    let made = match out {
        Some(out) => fs::create_dir_all(&out).map(|()| out),
        None => tempfile::Builder::new().prefix("modanchor-").tempdir().map(tempfile::TempDir::keep),
    };
    made.context("making a folder for the report").map_err(Failed::unchecked)
}

fn absolute(path: &Path) -> Result<String, Failed> {
    let absolute = std::path::absolute(path).context("the current folder").map_err(Failed::unchecked)?;
    absolute.into_os_string().into_string().map_err(|_| usage("the path of a file is not valid UTF-8".to_owned()))
}

/// What is in the state folder, in one word: a digest over names and contents. None: nothing is kept, or it cannot be
/// read, which is no reason to keep it.
fn state(wanted: bool) -> Option<String> {
    let root = runner::variable(CACHE).filter(|value| wanted && !value.is_empty())?;
    let mut files = Vec::new();
    let walk = ignore::WalkBuilder::new(&root).standard_filters(false).sort_by_file_path(Path::cmp).build();
    for entry in walk {
        let Ok(entry) = entry else { continue };
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            files.push(entry.into_path());
        }
    }
    let mut digest = Sha256::new();
    for file in files {
        let content = fs::read(&file).ok()?;
        digest.update(file.strip_prefix(&root).ok()?.as_os_str().as_encoded_bytes());
        digest.update([0]);
        digest.update(content.len().to_be_bytes());
        digest.update(&content);
    }
    // 64 bits name a state well enough: two that collide cost a cache entry.
    Some(digest.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs<'a>(pairs: &'a [(&'a str, &'a str)]) -> Inputs<impl Fn(&str) -> Option<OsString> + 'a> {
        Inputs(move |name: &str| {
            pairs.iter().find(|(key, _)| name == format!("MODANCHOR_INPUT_{key}")).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn inputs_become_arguments_in_one_piece() {
        let pairs = [
            ("PATH", " a\n\n --config=evil \n$(touch x)"),
            ("EXCLUDE", "x\n--no-cache"),
            ("FAIL_ON", "high"),
            ("CATEGORY", "a --offline"),
            ("CHANGED_ONLY", "TRUE"),
            ("OFFLINE", "false"),
            ("CACHE", "false"),
            ("GOPROXY", "off"),
        ];
        let inputs = inputs(&pairs);
        assert_eq!(
            inputs.arguments().unwrap(),
            [
                "modanchor",
                "verify",
                "--category=a --offline",
                "--fail-on=high",
                "--changed-only",
                "--no-cache",
                "--exclude=x",
                "--exclude=--no-cache",
                "--",
                "a",
                "--config=evil",
                "$(touch x)"
            ]
        );
        let args = inputs.verify().unwrap();
        assert_eq!(args.paths, ["a", "--config=evil", "$(touch x)"].map(PathBuf::from));
        assert_eq!(args.exclude, ["x", "--no-cache"]);
        assert_eq!(args.repository.category.as_deref(), Some("a --offline"));
        assert_eq!((args.config.config, args.sumdb.network.offline), (None, false));
        assert_eq!(args.sumdb.go_settings, [(Var::GoProxy, "off".to_owned())]);
    }

    #[test]
    fn no_input_is_the_programs_default() {
        let args = inputs(&[]).verify().unwrap();
        let Command::Verify(defaults) = Cli::try_parse_from(["modanchor", "verify"]).unwrap().command else {
            panic!("verify");
        };
        assert_eq!(format!("{args:?}"), format!("{defaults:?}"));
    }

    #[test]
    fn wrong_inputs_are_told_by_name() {
        let mut out = String::new();
        for pairs in [
            [("FAIL_ON", "hgih")],
            [("TIMEOUT", "soon")],
            [("OFFLINE", "yes")],
            [("CACHE", "auto")],
            [("MODCACHE", "$(id)")],
        ] {
            let failed = inputs(&pairs).verify().unwrap_err();
            assert_eq!(failed.status, USAGE);
            out += &format!("{pairs:?}\n  {:#}\n", failed.error);
        }
        let annotations = [("ANNOTATIONS", "check")];
        let failed = inputs(&annotations).word::<Annotations>("annotations").unwrap_err();
        out += &format!("{annotations:?}\n  {:#}\n", failed.error);
        insta::assert_snapshot!(out);
    }

    /// Every input of action.yml is read here, or by the installation.
    #[test]
    fn action_yml_has_the_same_inputs() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../action.yml");
        let text = fs::read_to_string(path).unwrap();
        let inputs = text.split("\ninputs:\n").nth(1).unwrap().split("\noutputs:\n").next().unwrap();
        let mut listed: Vec<&str> = inputs
            .lines()
            .filter_map(|line| line.strip_prefix("  ")?.strip_suffix(':'))
            .filter(|name| !name.starts_with([' ', '#']))
            .collect();
        listed.sort_unstable();
        let mut known: Vec<&str> = [
            "allow-incomplete",
            "annotations",
            "cache",
            "changed-only",
            "checksum",
            "exclude",
            "format",
            "mirror-url",
            "offline",
            "path",
            "sarif-file",
            "summary",
            "token",
            "upload-sarif",
            "version",
        ]
        .into_iter()
        .chain(FLAGS)
        .chain(SETTINGS.map(|(name, _)| name))
        .collect();
        known.sort_unstable();
        assert_eq!(listed, known);
        for name in known {
            let variable =
                format!("MODANCHOR_INPUT_{}: ${{{{ inputs.{name} }}}}", name.to_uppercase().replace('-', "_"));
            assert!(text.contains(&variable), "{name}");
        }
    }
}
