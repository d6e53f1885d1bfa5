//! The files through which a step speaks to the runner: GITHUB_OUTPUT and GITHUB_STEP_SUMMARY.
//!
//! Source: <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>, "Environment files".
//!
//! # Security
//! GITHUB_OUTPUT is a text format: whoever can put a line of his own into a value can set any output. So a value is
//! always written between two lines of a delimiter that nobody can guess, and that is made anew until the value does
//! not hold it. Names are letters, digits, `_` and `-` alone. The files are appended to, because other commands of the
//! same step write to them too, and what these left without an end of line does not run into what is written here.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;

/// The largest step summary, in bytes of UTF-8; over it, the runner shows none of it.
pub const MAX_SUMMARY: u64 = 1 << 20;
/// How large the outputs of one call may be, in bytes of UTF-16, by which GitHub counts: over 1 MB, they are dropped.
pub const MAX_OUTPUTS: usize = 1 << 20;

/// Why the runner cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The variable holds something else than an absolute path.
    #[error("{name} is {value:?}; expected an absolute path")]
    Relative {
        /// Which variable.
        name: &'static str,
        /// What it holds.
        value: String,
    },
    /// The file cannot be written to.
    #[error("writing to {} ({name}): {error}", path.display())]
    Io {
        /// Which variable named it.
        name: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// Not a name of an output.
    #[error("{0:?} is not a name of an output: expected letters, digits, _ and -, with a letter or _ first")]
    Name(String),
    /// Over [`MAX_OUTPUTS`].
    #[error("the step's outputs are {size} bytes of UTF-16; GitHub drops more than {MAX_OUTPUTS}")]
    OutputsTooLarge {
        /// In bytes of UTF-16.
        size: usize,
    },
    /// Over [`MAX_SUMMARY`], together with what is there.
    #[error("the step's summary would be {size} bytes; GitHub drops more than {MAX_SUMMARY}")]
    SummaryTooLarge {
        /// In bytes.
        size: u64,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A file that the runner reads after the step.
#[derive(Debug, Clone)]
struct RunnerFile {
    name: &'static str,
    path: PathBuf,
}

impl RunnerFile {
    fn from_env(name: &'static str, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, OutputError> {
        let Some(path) = lookup(name).filter(|value| !value.is_empty()).map(PathBuf::from) else {
            return Ok(None);
        };
        if path.is_absolute() {
            return Ok(Some(Self { name, path }));
        }
        Err(OutputError::Relative { name, value: path.display().to_string() })
    }

    fn failed(&self, error: io::Error) -> OutputError {
        OutputError::Io { name: self.name, path: self.path.clone(), error }
    }

    /// The file, its size, and whether its last line has an end.
    fn open(&self) -> io::Result<(File, u64, bool)> {
        // Looked at first, because opening a fifo waits for its other end.
        match std::fs::metadata(&self.path) {
            Ok(metadata) if !metadata.is_file() => return Err(io::Error::other("not a regular file")),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&self.path)?;
        let size = file.metadata()?.len();
        let mut last = [b'\n'];
        if size > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok((file, size, last == [b'\n']))
    }
}

/// The outputs of the step.
#[derive(Debug, Clone)]
pub struct Outputs(RunnerFile);

impl Outputs {
    /// By GITHUB_OUTPUT; none: it is not set.
    ///
    /// # Errors
    /// [`OutputError::Relative`].
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, OutputError> {
        Ok(RunnerFile::from_env("GITHUB_OUTPUT", lookup)?.map(Self))
    }

    /// Sets outputs: all, or none of them. A value may hold anything.
    ///
    /// # Errors
    /// [`OutputError`]: a name, the size, the file.
    pub fn set(&self, outputs: &[(&str, &str)]) -> Result<(), OutputError> {
        let text = format_outputs(outputs, random)?;
        let write = || {
            let (mut file, _, ended) = self.0.open()?;
            // One write: what others append at the same time does not come in between.
            file.write_all(format!("{}{text}", if ended { "" } else { "\n" }).as_bytes())
        };
        write().map_err(|error| self.0.failed(error))
    }
}

/// A name that nobody can guess: 128 random bits.
pub(super) fn random() -> Result<String, OutputError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(OutputError::Random)?;
    Ok(format!("modanchor_{:032x}", u128::from_ne_bytes(bytes)))
}

fn format_outputs(
    outputs: &[(&str, &str)],
    mut delimiter: impl FnMut() -> Result<String, OutputError>,
) -> Result<String, OutputError> {
    let mut text = String::new();
    let mut size = 0;
    for (name, value) in outputs {
        let mut bytes = name.bytes();
        let first = |b: u8| b.is_ascii_alphabetic() || b == b'_';
        if !bytes.next().is_some_and(first) || !bytes.all(|b| first(b) || b.is_ascii_digit() || b == b'-') {
            return Err(OutputError::Name((*name).to_owned()));
        }
        size += 2 * value.encode_utf16().count();
        if size > MAX_OUTPUTS {
            return Err(OutputError::OutputsTooLarge { size });
        }
        let mut end = delimiter()?;
        while value.contains(&end) {
            end = delimiter()?;
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name}<<{end}\n{value}\n{end}");
    }
    Ok(text)
}

/// The step's part of the summary of a job.
#[derive(Debug, Clone)]
pub struct StepSummary(RunnerFile);

impl StepSummary {
    /// By GITHUB_STEP_SUMMARY; none: it is not set.
    ///
    /// # Errors
    /// [`OutputError::Relative`].
    pub fn from_env(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>, OutputError> {
        Ok(RunnerFile::from_env("GITHUB_STEP_SUMMARY", lookup)?.map(Self))
    }

    /// How many bytes of markdown still fit: what other commands of the step wrote counts too.
    ///
    /// # Errors
    /// [`OutputError::Io`].
    pub fn room(&self) -> Result<u64, OutputError> {
        let (_, size, ended) = self.0.open().map_err(|error| self.0.failed(error))?;
        Ok(MAX_SUMMARY.saturating_sub(size + lead(size, ended).len() as u64))
    }

    /// Adds markdown, as paragraphs of their own.
    ///
    /// # Errors
    /// [`OutputError::SummaryTooLarge`]: nothing is written then. [`OutputError::Io`].
    pub fn append(&self, markdown: &str) -> Result<(), OutputError> {
        let (mut file, size, ended) = self.0.open().map_err(|error| self.0.failed(error))?;
        let text = format!("{}{markdown}", lead(size, ended));
        let size = size + text.len() as u64;
        if size > MAX_SUMMARY {
            return Err(OutputError::SummaryTooLarge { size });
        }
        file.write_all(text.as_bytes()).map_err(|error| self.0.failed(error))
    }
}

/// What parts a text from the one before it.
fn lead(size: u64, ended: bool) -> &'static str {
    match (size, ended) {
        (0, _) => "",
        (_, true) => "\n",
        (_, false) => "\n\n",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    fn file(content: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn outputs(path: &std::path::Path) -> Outputs {
        let path = path.as_os_str().to_owned();
        Outputs::from_env(|name| (name == "GITHUB_OUTPUT").then(|| path.clone())).unwrap().unwrap()
    }

    fn summary(path: &std::path::Path) -> StepSummary {
        let path = path.as_os_str().to_owned();
        StepSummary::from_env(|name| (name == "GITHUB_STEP_SUMMARY").then(|| path.clone())).unwrap().unwrap()
    }

    /// As the runner reads the file (actions/runner, FileCommandManager.cs: `name=value` or `name<<delimiter`).
    fn as_the_runner_reads(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n').unwrap_or(line));
        while let Some(line) = lines.next() {
            if line.is_empty() {
                continue;
            }
            let equals = line.find('=').unwrap_or(usize::MAX);
            match line.find("<<") {
                Some(at) if at < equals => {
                    let (name, end) = (&line[..at], &line[at + 2..]);
                    let mut value = Vec::new();
                    loop {
                        match lines.next().expect("the delimiter") {
                            line if line.trim_end_matches('\r') == end => break,
                            line => value.push(line),
                        }
                    }
                    found.push((name.to_owned(), value.join("\n")));
                }
                _ => {
                    let (name, value) = line.split_once('=').expect("a value");
                    found.push((name.to_owned(), value.to_owned()));
                }
            }
        }
        found
    }

    #[test]
    fn outputs_are_appended_even_to_a_line_without_an_end() {
        for before in ["other=1\n", "other=1"] {
            let (_folder, path) = file(before);
            outputs(&path).set(&[("verdict", "fail"), ("sarif-file", "a\nb")]).unwrap();
            outputs(&path).set(&[("tree-size", "")]).unwrap();
            let read = as_the_runner_reads(&fs::read_to_string(&path).unwrap());
            let want = [("other", "1"), ("verdict", "fail"), ("sarif-file", "a\nb"), ("tree-size", "")];
            assert_eq!(read, want.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
    }

    #[test]
    fn a_delimiter_is_made_anew_until_the_value_does_not_hold_it() {
        let mut delimiters = ["one", "two", "three"].into_iter();
        let value = "x\none\nverdict=pass\ntwo";
        let text = format_outputs(&[("v", value)], || Ok(delimiters.next().unwrap().to_owned())).unwrap();
        assert_eq!(text, "v<<three\nx\none\nverdict=pass\ntwo\nthree\n");
        assert_ne!(random().unwrap(), random().unwrap());
    }

    #[test]
    fn names_and_sizes() {
        let (_folder, path) = file("");
        for name in ["", "a b", "a=b", "a<<b", "a\nb", "1a", "-a", "é"] {
            let error = outputs(&path).set(&[("good", "1"), (name, "x")]).unwrap_err();
            assert!(matches!(error, OutputError::Name(_)), "{name:?}: {error}");
        }
        let most = "x".repeat(MAX_OUTPUTS / 2);
        let error = outputs(&path).set(&[("a", &most), ("b", "x")]).unwrap_err();
        assert!(matches!(error, OutputError::OutputsTooLarge { size } if size == MAX_OUTPUTS + 2), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "", "all, or none of them");
        outputs(&path).set(&[("a", &most)]).unwrap();
    }

    #[test]
    fn summaries_share_their_room() {
        let (_folder, path) = file("");
        let summary = summary(&path);
        assert_eq!(summary.room().unwrap(), MAX_SUMMARY);
        summary.append("# One\n").unwrap();
        summary.append("two").unwrap();
        summary.append("three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# One\n\ntwo\n\nthree\n");

        let room = usize::try_from(summary.room().unwrap()).unwrap();
        let error = summary.append(&"x".repeat(room + 1)).unwrap_err();
        assert!(matches!(error, OutputError::SummaryTooLarge { size } if size == MAX_SUMMARY + 1), "{error}");
        summary.append(&"x".repeat(room)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), MAX_SUMMARY);
        assert_eq!(summary.room().unwrap(), 0);
    }

    #[test]
    fn where_the_files_are() {
        assert!(Outputs::from_env(|_| None).unwrap().is_none());
        assert!(StepSummary::from_env(|_| Some("".into())).unwrap().is_none());
        let error = Outputs::from_env(|_| Some("out".into())).unwrap_err();
        assert_eq!(error.to_string(), "GITHUB_OUTPUT is \"out\"; expected an absolute path");
        let folder = tempfile::tempdir().unwrap();
        let error = outputs(folder.path()).set(&[]).unwrap_err();
        assert!(matches!(error, OutputError::Io { .. }), "{error}");
        let new = folder.path().join("new");
        outputs(&new).set(&[("a", "b")]).unwrap();
        assert_eq!(as_the_runner_reads(&fs::read_to_string(&new).unwrap()), [("a".to_owned(), "b".to_owned())]);
    }

    proptest! {
        #[test]
        fn any_value_comes_back_and_sets_nothing_else(
            values in prop::collection::vec("(\\PC|\n|\r|=|<<|modanchor_){0,40}", 0..5),
        ) {
            let outputs: Vec<_> = values.iter().map(|value| ("name", value.as_str())).collect();
            let read = as_the_runner_reads(&format_outputs(&outputs, random).unwrap());
            let want: Vec<_> = values.iter().map(|value| ("name".to_owned(), value.clone())).collect();
            prop_assert_eq!(read, want);
        }
    }
}
