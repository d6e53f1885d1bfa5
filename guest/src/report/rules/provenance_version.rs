//! `provenance-version`.

use super::{Rule, Severity};

/// Provenance of another version.
pub const RULE: Rule = Rule {
    id: "provenance-version",
    severity: Severity::High,
    incomplete: false,
    title: "Provenance of another version",
    description: "Provenance verifies, and its source is not this version's: the ref is not the version's tag, or
the commit is not the pseudo-version's. Replayed provenance of another version looks like this.",
    causes:
        "- The provenance of an older, perhaps vulnerable, version was attached to a new one, or the other way round.
- The release was built from a branch, or by hand.
- The module lies in a folder of its repository, and the tag lacks the folder's name.",
    help: "1. Compare the tag in the message with the version.
2. If it is your own module, build from the tag: docs/provenance-for-authors.md.",
};
