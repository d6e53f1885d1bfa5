//! `sigstore-unavailable`.

use super::{Rule, Severity};

/// A signature that could not be looked for.
pub const RULE: Rule = Rule {
    id: "sigstore-unavailable",
    severity: Severity::Medium,
    incomplete: true,
    title: "A signature that could not be looked for",
    description: "Attestations, the trusted root or a log could not be asked. What they would have said is not
known: it is neither good nor bad.",
    causes: "- The network, a proxy or a server failed, or the run was offline.
- The server wants other credentials.",
    help: "1. Run it again; stderr shows what was asked for.
2. `--allow-incomplete` lets the run pass nevertheless.",
};
