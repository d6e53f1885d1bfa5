//! The rules: one file each, with the text that `modanchor explain RULE` prints and that SARIF carries.
//!
//! A rule's id never changes. To add one, add its file and its line in [`ALL`].

use serde::{Deserialize, Serialize};

/// How bad a finding is. Ordered: `Note < Low < Medium < High < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Note,
    /// Worth a look.
    Low,
    /// Weakens a check.
    Medium,
    /// Something is wrong, or cannot be what it seems.
    High,
    /// Do not build this.
    Critical,
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, for example `gosum-mismatch`.
    pub id: &'static str,
    /// The severity of its findings, unless a finding says otherwise.
    pub severity: Severity,
    /// Whether its findings mean "could not be checked", which makes the verdict incomplete and never fails it.
    pub incomplete: bool,
    /// One short sentence without a full stop.
    pub title: &'static str,
    /// What it means and why it matters: plain text, one or more paragraphs, at most 1,024 characters.
    pub description: &'static str,
    /// What to do, as Markdown.
    pub help: &'static str,
}
