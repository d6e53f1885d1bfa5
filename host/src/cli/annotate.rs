//! Findings on the lines of a pull request, by whichever way there is.

use std::collections::BTreeSet;
use std::io;

use super::args::TerminalArgs;
use super::runner::Runner;
use super::session::Failed;
use crate::ci::github::checks::Check;
use crate::ci::lines::ChangedLines;
use crate::contract::Outcome;
use crate::output::annotation::select;
use crate::output::markdown::{self, COMMENT_LIMIT, Limit};
use crate::output::{self, Diagnostic, OutputError, Show, Shown, github, human};

/// A report that is shown in a repository.
pub struct Shower<'a> {
    /// `--color` and the like, for diagnostics.
    pub terminal: &'a TerminalArgs,
    /// The run.
    pub runner: &'a Runner,
    /// Its end.
    pub outcome: &'a Outcome,
    /// Its report.
    pub report: &'a Shown,
    /// How to show it.
    pub show: &'a Show,
}

/// What the change touches of the files that findings point at. None: not known, or no finding is on a file.
pub fn changed(terminal: &TerminalArgs, runner: &Runner, report: &Shown, show: &Show) -> Option<ChangedLines> {
    let files = report.findings.iter().filter_map(|finding| finding.file.as_deref());
    let paths: BTreeSet<String> = files.map(|file| show.places.locate(file).into_owned()).collect();
    if paths.is_empty() {
        return None;
    }
    let (changed, notes) = runner.changed(&paths);
    for note in notes {
        Diagnostic::Note.print(terminal, &note);
    }
    changed
}

impl Shower<'_> {
    /// Prints workflow commands, and not the verdict again, which stands above them.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn workflow(&self) -> Result<(), Failed> {
        let commands = github::annotations(self.report, &self.show.context());
        let written = output::to_stream(io::stdout(), false, commands.as_bytes());
        written.map_err(|error| Failed::to_show(self.outcome, OutputError::Stdout(error)))
    }

    /// The page for people, no longer than that.
    pub fn markdown(&self, limit: Limit) -> String {
        let Show { fail_on, allow_incomplete, .. } = *self.show;
        let options = markdown::Options { limit, fail_on, allow_incomplete };
        markdown::render(self.report, &self.show.context(), &options)
    }

    /// Makes a check run; if that may not be, says so once and prints workflow commands.
    ///
    /// # Errors
    /// Stdout cannot be written.
    pub fn check_run(&self, name: &str) -> Result<(), Failed> {
        let context = self.show.context();
        let selected = select(self.report, context.places, context.changed);
        let summary = self.markdown(COMMENT_LIMIT);
        let headline = format!("{}: {}", human::word(self.report.verdict), human::counted(self.report, ""));
        let check = Check {
            name,
            status: self.outcome.status,
            headline: &headline,
            summary: &summary,
            text: "",
            annotations: &selected.annotations,
        };
        let why = match self.runner.check_run(&check) {
            Some(Ok(published)) => {
                if let Some(problem) = published.problem {
                    let text = format!(
                        "the check run has {} of {} annotations: {problem}",
                        published.shown,
                        published.shown + published.left_out
                    );
                    Diagnostic::Warning.print(self.terminal, &text);
                }
                return Ok(());
            }
            Some(Err(error)) => error.to_string(),
            None => "there is no token for the API".to_owned(),
        };
        let text = format!("no check run, workflow commands in its place: {why}");
        Diagnostic::Warning.print(self.terminal, &text);
        self.workflow()
    }
}
