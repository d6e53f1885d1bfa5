//! `sigstore-root-stale`.

use super::{Rule, Severity};

/// A trusted root past its date.
pub const RULE: Rule = Rule {
    id: "sigstore-root-stale",
    severity: Severity::Low,
    incomplete: false,
    title: "A trusted root past its date",
    description: "The root that signatures were judged by could not be refreshed, and is past the date until which
it was good. New authorities and logs are missing from it, and one that is no longer trusted may still be in it.",
    causes: "- The run was offline, and the root that ships with the program, or the kept one, is old.
- The server of the trusted root gave no answer.",
    help: "1. Run once with the network.
2. Or update modanchor, or give a newer root with `--trusted-root FILE`.",
};
