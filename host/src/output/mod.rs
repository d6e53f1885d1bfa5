//! One file per format.
//!
//! To add a format, add its file, its name to [`Format`], and its arm to `render`.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use anstream::{
    AutoStream, ColorChoice,
    stream::{AsLockedWrite, RawStream},
};
use anstyle::{AnsiColor, Style};
use modanchor_core::report::{Places, Report};
use serde::de::IgnoredAny;

use crate::{
    ci::lines::ChangedLines,
    cli::args::{Color, FailOn, Format, FormatTarget, TerminalArgs},
    contract::Outcome,
};

pub mod annotation;
pub mod github;
pub mod human;
pub mod json;
pub mod markdown;
pub mod progress;
pub mod sarif;
pub mod source;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod workflow;

pub use source::Source;

/// Columns of a terminal that does not say how many it has, and of what is no terminal.
pub const DEFAULT_WIDTH: usize = 100;

/// Findings of one rule that a terminal shows without `--verbose`.
pub const TERMINAL_LIMIT: usize = 10;

/// The same for a pipe, such as the log of a CI job.
pub const PIPE_LIMIT: usize = 100;

/// The files that were judged, by their path in the report.
pub type Sources<'a> = BTreeMap<&'a str, &'a [u8]>;

/// A report whose modules, most of a big one, are passed over unread: no format for people or for a CI service shows them.
pub type Shown = Report<IgnoredAny>;

/// Where findings lie, for formats that show them in a repository.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// From the report's paths to paths from the root of the repository.
    pub places: &'a Places,
    /// Annotate the lines that a change touches; none: all.
    pub changed: Option<&'a ChangedLines>,
    /// Where a file can be looked at; none: nothing is linked.
    pub source: Option<&'a Source>,
}

/// The core's report, read at most once however many formats want its findings.
struct Answer<'a> {
    outcome: &'a Outcome,
    shown: OnceCell<Shown>,
}

impl<'a> Answer<'a> {
    fn new(outcome: &'a Outcome) -> Self {
        Self { outcome, shown: OnceCell::new() }
    }

    fn shown(&self) -> Result<&Shown, serde_json::Error> {
        if let Some(shown) = self.shown.get() {
            return Ok(shown);
        }
        let read = serde_json::from_slice(&self.outcome.report)?;
        Ok(self.shown.get_or_init(|| read))
    }
}

/// Why a report could not be shown.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Two formats for stdout. Wrong usage.
    #[error("--format: two formats for stdout; give one of them a file, as FORMAT=FILE")]
    TwoForStdout,
    /// Two formats for one file. Wrong usage.
    #[error("--format: two formats for {}", .0.display())]
    TwoForFile(PathBuf),
    /// A file cannot be written. Nothing is left of it.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Stdout cannot be written, for another reason than that nobody reads it any more.
    #[error("stdout: {0}")]
    Stdout(io::Error),
    /// The same of stderr.
    #[error("stderr: {0}")]
    Stderr(io::Error),
    /// The core's report does not read as one: a fault of ours.
    #[error("the report cannot be read")]
    Report(#[from] serde_json::Error),
}

/// Where the report goes, after `--format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destinations {
    stdout: Format,
    files: Vec<(Format, PathBuf)>,
}

impl Destinations {
    /// Stdout gets the format that names no file, `human` if all do.
    ///
    /// # Errors
    ///
    /// [`OutputError::TwoForStdout`], [`OutputError::TwoForFile`].
    pub fn new(formats: &[FormatTarget]) -> Result<Self, OutputError> {
        let mut stdout = None;
        let mut files: Vec<(Format, PathBuf)> = Vec::new();
        for FormatTarget { format, file } in formats {
            match file {
                None if stdout.replace(*format).is_some() => return Err(OutputError::TwoForStdout),
                None => {}
                Some(file) if files.iter().any(|(_, other)| other == file) => {
                    return Err(OutputError::TwoForFile(file.clone()));
                }
                Some(file) => files.push((*format, file.clone())),
            }
        }
        Ok(Self { stdout: stdout.unwrap_or(Format::Human), files })
    }

    /// One format, on stdout.
    pub fn to_stdout(format: Format) -> Self {
        Self { stdout: format, files: Vec::new() }
    }

    /// What stdout gets.
    pub fn stdout(&self) -> Format {
        self.stdout
    }

    /// Writes the report everywhere: files first, so that they are there when stdout says so.
    ///
    /// # Errors
    ///
    /// See [`OutputError`].
    pub fn write(&self, outcome: &Outcome, sources: &Sources<'_>, show: &Show) -> Result<(), OutputError> {
        let answer = Answer::new(outcome);
        self.files(&answer, sources, show)?;
        let stdout = io::stdout();
        let options = show.on(&stdout);
        let mut bytes = render(self.stdout, &answer, sources, &options, show)?;
        if matches!(self.stdout, Format::Json | Format::Sarif) && options.runner {
            // A file has the core's bytes, also there: no runner reads it.
            bytes = json::defused(bytes);
        }
        to_stream(stdout, options.color, &bytes).map_err(OutputError::Stdout)
    }

    /// Writes the files alone; `lookup` has something else for stdout.
    ///
    /// # Errors
    ///
    /// See [`OutputError`].
    pub fn write_files(&self, outcome: &Outcome, sources: &Sources<'_>, show: &Show) -> Result<(), OutputError> {
        self.files(&Answer::new(outcome), sources, show)
    }

    fn files(&self, answer: &Answer<'_>, sources: &Sources<'_>, show: &Show) -> Result<(), OutputError> {
        for (format, path) in &self.files {
            let bytes = render(*format, answer, sources, &show.in_file(), show)?;
            write_file(path, &bytes).map_err(|error| OutputError::File { path: path.clone(), error })?;
        }
        Ok(())
    }
}

/// Shows the report to people on stderr, where stdout is for something else.
///
/// # Errors
///
/// [`OutputError::Report`], [`OutputError::Stderr`].
pub fn to_stderr(outcome: &Outcome, sources: &Sources<'_>, show: &Show) -> Result<(), OutputError> {
    let stderr = io::stderr();
    let options = show.on(&stderr);
    let bytes = render(Format::Human, &Answer::new(outcome), sources, &options, show)?;
    to_stream(stderr, options.color, &bytes).map_err(OutputError::Stderr)
}

/// What the command line and the CI service say about how to show a report. By default, as a command does that shows it
/// on the side: no line of summary, nothing known of a repository.
#[derive(Debug, Clone, Default)]
pub struct Show {
    /// `--color`, `--quiet`, `--verbose`.
    pub terminal: TerminalArgs,
    /// `--fail-on`.
    pub fail_on: FailOn,
    /// `--allow-incomplete`.
    pub allow_incomplete: bool,
    /// Whether the line of summary is wanted.
    pub summary: bool,
    /// Where the report's files lie in the repository.
    pub places: Places,
    /// The lines that are annotated; none: all.
    pub changed: Option<ChangedLines>,
    /// Where the repository's files can be looked at, if that is known.
    pub source: Option<Source>,
    /// Tells apart several SARIF files of one commit; none: by the folder that was judged.
    pub category: Option<String>,
}

impl Show {
    /// What formats need that show findings in a repository.
    pub fn context(&self) -> Context<'_> {
        Context { places: &self.places, changed: self.changed.as_ref(), source: self.source.as_ref() }
    }

    /// For a stream that may be a terminal.
    pub fn on(&self, stream: &impl RawStream) -> human::Options {
        let terminal = stream.is_terminal();
        let limit = if terminal { TERMINAL_LIMIT } else { PIPE_LIMIT };
        human::Options {
            width: if terminal { terminal_width() } else { DEFAULT_WIDTH },
            color: is_colored(stream, self.terminal.color),
            limit: (!self.terminal.verbose).then_some(limit),
            ..self.in_file()
        }
    }

    fn in_file(&self) -> human::Options {
        human::Options {
            width: DEFAULT_WIDTH,
            color: false,
            limit: None,
            quiet: self.terminal.quiet,
            verbose: self.terminal.verbose,
            fail_on: self.fail_on,
            allow_incomplete: self.allow_incomplete,
            summary: self.summary,
            runner: self.terminal.runner,
        }
    }
}

/// Whether to colour what goes to a stream: as `--color` says, else by what it is and by NO_COLOR, CLICOLOR and CI.
pub(crate) fn is_colored(stream: &impl RawStream, color: Color) -> bool {
    match color.into() {
        ColorChoice::Auto => AutoStream::choice(stream) != ColorChoice::Never,
        choice => choice != ColorChoice::Never,
    }
}

/// How serious a line on stderr is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Diagnostic {
    /// The run cannot be: wrong usage, or a broken machine.
    Error,
    /// The run goes on with less.
    Warning,
    /// For information.
    Note,
}

impl Diagnostic {
    /// Prints `error: TEXT` and the like to stderr. The text is escaped, since it may hold what a file or a server says;
    /// its further lines are indented, so that none of them passes for a line of ours, and where a runner reads along
    /// none is a command ([`workflow`]). That nobody reads stderr is no error.
    pub fn print(self, terminal: &TerminalArgs, text: &str) {
        let stderr = io::stderr();
        let color = is_colored(&stderr, terminal.color);
        let line = self.line(color, terminal.runner, text);
        let _ = to_stream(stderr, color, line.as_bytes());
    }

    fn line(self, color: bool, runner: bool, text: &str) -> String {
        let (word, foreground) = match self {
            Self::Error => ("error", AnsiColor::Red),
            Self::Warning => ("warning", AnsiColor::Yellow),
            Self::Note => ("note", AnsiColor::Green),
        };
        let style = match color {
            true => foreground.on_default().bold(),
            false => Style::new(),
        };
        let lines: Vec<_> = text.split('\n').map(|line| text::escape(line.trim_start_matches('\t'))).collect();
        let text = format!("{style}{word}{style:#}: {}\n", lines.join("\n    "));
        if runner { workflow::defuse(&text).into_owned() } else { text }
    }
}

/// Columns of the terminal.
pub fn terminal_width() -> usize {
    terminal_size::terminal_size().map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0))
}

fn render(
    format: Format,
    answer: &Answer<'_>,
    sources: &Sources<'_>,
    options: &human::Options,
    show: &Show,
) -> Result<Vec<u8>, OutputError> {
    match format {
        Format::Human => Ok(human::render(answer.shown()?, sources, options).into_bytes()),
        Format::Json => {
            let report = &answer.outcome.report;
            let mut bytes = Vec::with_capacity(report.len() + 1);
            json::write(report, &mut bytes).map_err(OutputError::Stdout)?;
            Ok(bytes)
        }
        Format::Sarif => {
            let mut sarif = sarif::render(&answer.outcome.report, &show.places, show.category.as_deref())?;
            sarif.json.push(b'\n');
            Ok(sarif.json)
        }
        Format::Github => Ok(github::render(answer.shown()?, &show.context()).into_bytes()),
        Format::Markdown => {
            let options = markdown::Options {
                limit: markdown::SUMMARY_LIMIT,
                fail_on: show.fail_on,
                allow_incomplete: show.allow_incomplete,
            };
            Ok(markdown::render(answer.shown()?, &show.context(), &options).into_bytes())
        }
    }
}

/// Writes text to stdout that may hold what a file or a server says; where a runner reads along, without commands.
///
/// # Errors
///
/// [`OutputError::Stdout`].
pub fn to_stdout(terminal: &TerminalArgs, text: &str) -> Result<(), OutputError> {
    let text = if terminal.runner { workflow::defuse(text) } else { text.into() };
    to_stream(io::stdout(), false, text.as_bytes()).map_err(OutputError::Stdout)
}

/// Writes all of `bytes` to stdout or stderr. That nobody reads any more (`| head`) is no error: the exit status still
/// tells the verdict.
///
/// # Errors
///
/// Those of the stream, but not [`io::ErrorKind::BrokenPipe`].
pub fn to_stream(stream: impl RawStream + AsLockedWrite, color: bool, bytes: &[u8]) -> io::Result<()> {
    let choice = if color { ColorChoice::Always } else { ColorChoice::Never };
    let written = if color {
        let mut stream = AutoStream::new(stream, choice);
        stream.write_all(bytes).and_then(|()| stream.flush())
    } else {
        // Nothing to strip: what is not coloured holds no escape sequence, and JSON must stay as it is.
        let mut stream = stream;
        stream.write_all(bytes).and_then(|()| stream.flush())
    };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes a file whole or not at all: into a file beside it, synced, then renamed over it. What is no regular file,
/// such as `/dev/stderr` or a fifo, is written to as it is: it has no earlier content that could be half lost.
///
/// # Errors
///
/// Those of the file system; then an earlier file of that name is as it was.
pub fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let target = match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::canonicalize(path)?,
        Ok(_) => {
            let mut file = OpenOptions::new().write(true).open(path)?;
            return file.write_all(bytes);
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    let folder = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".modanchor-");
    #[cfg(unix)]
    {
        // Without this it would be 0600; the umask applies, as for any other file that a program creates.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> FormatTarget {
        text.parse().unwrap()
    }

    fn destinations(formats: &[&str]) -> Result<Destinations, OutputError> {
        Destinations::new(&formats.iter().map(|text| target(text)).collect::<Vec<_>>())
    }

    fn outcome() -> Outcome {
        let report = r#"{"schema":"modanchor-report/1","tool":{"name":"","version":"","component":""},"checked_at":"",
            "verdict":"pass","sumdbs":[],"repositories":[],"files":[],"modules":[],"findings":[],"counts":{"modules":0,"lines":0,
            "verified":0,"skipped":0,"unchecked":0,"bytes":{"zip":0,"dir":0,"go.mod":0,"vendor":0,"absent":0},
            "findings":{"critical":0,"high":0,"medium":0,"low":0,"note":0},
            "ignored":0,"approved":0,"uncovered":0,"grades":{"trusted":0,"verified":0,"unverified":0}},"trusted_roots":[],"artifacts":[]}"#;
        Outcome {
            verdict: crate::contract::Verdict::Pass,
            status: 0,
            report: report.into(),
            lines: Vec::new(),
            fixes: Vec::new(),
        }
    }

    fn show() -> Show {
        Show { summary: true, ..Show::default() }
    }

    #[test]
    fn stdout_gets_human_unless_told() {
        assert_eq!(destinations(&[]).unwrap().stdout(), Format::Human);
        assert_eq!(destinations(&["json=x"]).unwrap().stdout(), Format::Human);
        assert_eq!(destinations(&["human=y", "json"]).unwrap().stdout(), Format::Json);
        assert!(matches!(destinations(&["json", "human"]), Err(OutputError::TwoForStdout)));
        assert!(matches!(destinations(&["json=x", "human=x"]), Err(OutputError::TwoForFile(_))));
    }

    #[test]
    fn diagnostics_look_like_nothing_else() {
        let line = |color, runner, text| Diagnostic::Warning.line(color, runner, text);
        assert_eq!(line(false, false, "a\n\tpass: \x1b[2J"), "warning: a\n    pass: \\u{1b}[2J\n");
        assert_eq!(line(true, false, "x"), "\x1b[1m\x1b[33mwarning\x1b[0m: x\n");
        assert_eq!(line(true, true, "x"), line(true, false, "x"), "nothing to defuse in our own");
        assert_eq!(line(false, false, "a\n::error::b"), "warning: a\n    ::error::b\n");
        assert_eq!(line(false, true, "##[error]a\n::error::b"), "warning: ##\\u{5b}error]a\n    \\u{3a}:error::b\n",);
    }

    #[test]
    fn what_is_no_report_is_an_error() {
        for bytes in [&b""[..], b"{}", b"[1]", b"\xff"] {
            let outcome = Outcome { report: bytes.to_vec(), ..outcome() };
            for format in [Format::Human, Format::Github, Format::Markdown] {
                let show = show();
                let shown = render(format, &Answer::new(&outcome), &Sources::new(), &show.in_file(), &show);
                assert!(matches!(shown, Err(OutputError::Report(_))));
            }
        }
    }

    #[test]
    fn every_file_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let destinations = destinations(&[
            &format!("json={}", path("r.json").display()),
            &format!("human={}", path("r.txt").display()),
        ])
        .unwrap();
        destinations.write_files(&outcome(), &Sources::new(), &show()).unwrap();
        let mut json = outcome().report;
        json.push(b'\n');
        assert_eq!(fs::read(path("r.json")).unwrap(), json);
        assert_eq!(
            fs::read_to_string(path("r.txt")).unwrap(),
            "pass: 0 lines, 0 verified (no checksum database), 0 skipped, 0 unchecked\n"
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_file_is_replaced_whole_or_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report");
        fs::write(&path, "old").unwrap();
        write_file(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(write_file(&dir.path().join("no/folder"), b"new").is_err());
        assert!(write_file(dir.path(), b"new").is_err(), "a folder");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        write_file(&file, b"old").unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600);
        symlink("file", &link).unwrap();
        write_file(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write_file(Path::new("/dev/null"), b"new").unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_reading_is_no_error() {
        use std::os::fd::OwnedFd;
        for color in [false, true] {
            let (reader, writer) = io::pipe().unwrap();
            drop(reader);
            to_stream(fs::File::from(OwnedFd::from(writer)), color, b"x").unwrap();
        }
        let unwritable = fs::File::open("/dev/null").unwrap();
        assert!(to_stream(unwritable, false, b"x").is_err());
    }
}
