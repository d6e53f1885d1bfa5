//! What a person should know about a fetch that failed. None of it enters the verdict.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// How many lines of a server's text are shown (web/api.go: `maxErrorDetailLines`).
pub const MAX_DETAIL_LINES: usize = 8;
/// How many bytes of a server's text are shown (web/api.go: `maxErrorDetailBytes`).
pub const MAX_DETAIL_BYTES: usize = MAX_DETAIL_LINES * 81;
/// How many problems one run reports.
pub const MAX_PROBLEMS: usize = 20;

/// One distinct problem. Displays on one line, with a server's text on indented lines below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where; without credentials or query. None: it is about the run.
    pub url: Option<String>,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What went wrong, in a few words, without a full stop.
    pub what: String,
    /// What the server said, at most [`MAX_DETAIL_LINES`] lines and [`MAX_DETAIL_BYTES`] bytes before control
    /// characters were escaped.
    pub detail: Vec<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Some(url) => write!(f, "reading {url}: {}", self.what)?,
            None => f.write_str(&self.what)?,
        }
        if !self.detail.is_empty() {
            f.write_str("\n\tserver response:")?;
        }
        self.detail.iter().try_for_each(|line| write!(f, "\n\t{line}"))
    }
}

/// Where problems go. Each distinct one comes once, and at most [`MAX_PROBLEMS`] in all.
pub trait Diagnostics: Send + Sync {
    /// Tell a person.
    fn problem(&self, problem: &Problem);
}

/// Keeps problems until somebody asks: so that they are printed after a progress bar is gone, and for tests.
#[derive(Debug, Default)]
pub struct Collected(Mutex<Vec<Problem>>);

impl Collected {
    /// The problems so far; they are told once.
    pub fn take(&self) -> Vec<Problem> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Diagnostics for Collected {
    fn problem(&self, problem: &Problem) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(problem.clone());
    }
}

/// Passes each distinct problem on once.
pub(crate) struct Reporter {
    sink: Arc<dyn Diagnostics>,
    seen: Mutex<HashSet<String>>,
}

impl Reporter {
    pub(crate) fn new(sink: Arc<dyn Diagnostics>) -> Self {
        Self { sink, seen: Mutex::default() }
    }

    /// `key` says what makes a problem distinct.
    pub(crate) fn tell(&self, key: String, problem: &Problem) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > MAX_PROBLEMS || !seen.insert(key) {
            return;
        }
        let told = seen.len();
        drop(seen);
        if told <= MAX_PROBLEMS {
            return self.sink.problem(problem);
        }
        let what = format!("more than {MAX_PROBLEMS} problems; the others are not shown");
        self.sink.problem(&Problem { url: None, status: None, what, detail: Vec::new() });
    }

    /// A problem of the run, not of one URL.
    pub(crate) fn note(&self, what: String) {
        self.tell(what.clone(), &Problem { url: None, status: None, what, detail: Vec::new() });
    }
}

/// A server's text, made harmless for a terminal: up to the first blank line, cut to the limits, with every character
/// escaped that is not plainly visible (controls, and those that change direction or have no width).
pub(crate) fn detail(body: &[u8]) -> Vec<String> {
    let cut = &body[..body.len().min(MAX_DETAIL_BYTES)];
    let text = match std::str::from_utf8(cut) {
        Ok(text) => text,
        // Cut within a character.
        Err(e) if e.error_len().is_none() && cut.len() < body.len() => {
            std::str::from_utf8(&cut[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Vec::new(),
    };
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).take_while(|line| !line.is_empty()).collect();
    let truncated = lines.len() > MAX_DETAIL_LINES || cut.len() < body.len();
    let mut out: Vec<String> = lines.into_iter().take(MAX_DETAIL_LINES).map(harmless).collect();
    if truncated {
        out.push("[Truncated.]".to_owned());
    }
    out
}

fn harmless(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '"' | '\'' | '\\' => out.push(c),
            c => out.extend(c.escape_debug()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_server_is_made_harmless_and_short() {
        assert_eq!(detail(b"not found: a.test/x@v1\n"), ["not found: a.test/x@v1"]);
        assert_eq!(detail(b"red \x1b[31m\r\nsay \"hi\" \\\n\nsecret"), ["red \\u{1b}[31m", "say \"hi\" \\"]);
        assert_eq!(detail("\u{202e}abc\u{200b}".as_bytes()), ["\\u{202e}abc\\u{200b}"]);
        assert_eq!(detail(b"\xff\xfe"), Vec::<String>::new());
        assert_eq!(detail(b""), Vec::<String>::new());
        let many = detail("line\n".repeat(9).as_bytes());
        assert_eq!((many.len(), many[8].as_str()), (9, "[Truncated.]"));
        let long = detail("é".repeat(400).as_bytes());
        assert_eq!((long[0].len(), long[1].as_str()), (MAX_DETAIL_BYTES, "[Truncated.]"));
    }

    #[test]
    fn problems_are_told_once_and_bounded() {
        let sink = Arc::new(Collected::default());
        let reporter = Reporter::new(sink.clone());
        for i in 0..100 {
            reporter.note(format!("problem {}", i % 50));
        }
        let told = sink.take();
        assert_eq!(told.len(), MAX_PROBLEMS + 1);
        assert!(told[MAX_PROBLEMS].what.contains("not shown"));
    }

    proptest::proptest! {
        #[test]
        fn nothing_invisible_reaches_a_terminal(body: Vec<u8>) {
            for line in detail(&body) {
                proptest::prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
