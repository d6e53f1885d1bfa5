//! `tuf-waived`.

use super::{Rule, Severity};

/// A module version that is let pass for a while.
pub const RULE: Rule = Rule {
    id: "tuf-waived",
    severity: Severity::Note,
    incomplete: false,
    title: "A module version that is let pass for a while",
    description: "The keepers of a TUF repository have not approved this version, and have signed that it may be used
until the time in the message. It is shown so that nobody forgets: after that time the same line is tuf-unapproved,
without anybody doing anything.",
    causes: "- An urgent update was needed before it could be reviewed.
- A revoked version has to stay until its successor is ready.",
    help: "1. Nothing now. Before the waiver ends: have the version approved, or use another.",
};
