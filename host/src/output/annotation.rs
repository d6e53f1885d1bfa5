//! Annotations: findings as notes on lines of a pull request, before it is known who shows them.

use modanchor_core::report::Severity;

/// The three levels that GitHub knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `notice`: low and note.
    Notice,
    /// `warning`: medium.
    Warning,
    /// `error` of a workflow command, `failure` of the Checks API: critical and high.
    Error,
}

impl From<Severity> for Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Critical | Severity::High => Self::Error,
            Severity::Medium => Self::Warning,
            Severity::Low | Severity::Note => Self::Notice,
        }
    }
}

/// A note on a line. Its texts are as the core wrote them: whoever shows it escapes them for where it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// How loud.
    pub level: Level,
    /// The finding's own severity: more severe ones are shown first.
    pub severity: Severity,
    /// One line: severity and rule.
    pub title: String,
    /// What happened, what was expected by whose word, and what to do: several lines.
    pub message: String,
    /// From the root of the repository; none: about no file.
    pub path: Option<String>,
    /// 1-based; none: about the file as a whole.
    pub line: Option<u32>,
    /// 1-based first column, and the last one, in characters; only with a line.
    pub columns: Option<(u32, u32)>,
}
