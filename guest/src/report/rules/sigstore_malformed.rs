//! `sigstore-malformed`.

use super::{Rule, Severity};

/// A signature that cannot be read.
pub const RULE: Rule = Rule {
    id: "sigstore-malformed",
    severity: Severity::Medium,
    incomplete: false,
    title: "A signature that cannot be read",
    description: "A bundle, certificate or signature is not in a form that is known, or lies beyond a limit. Nothing
is known of who signed.",
    causes: "- The file is damaged, cut off, or of a version that is not known yet.
- It is something else: a web page, another format.
- It was made to exhaust or to confuse who reads it.",
    help: "1. Fetch it again; the message says what is wrong.
2. Update modanchor if the version is newer than it knows.",
};
