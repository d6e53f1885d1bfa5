//! `provenance-subject`.

use super::{Rule, Severity};

/// Provenance of something else.
pub const RULE: Rule = Rule {
    id: "provenance-subject",
    severity: Severity::High,
    incomplete: false,
    title: "Provenance of something else",
    description: "A signed statement was put beside a module version, or was found under its name, and is about
other bytes: none of its subjects has the dirHash1 or the SHA-256 of the module's zip.",
    causes: "- It is the provenance of another version, or of a program of the same release.
- The zip, or the provenance, was replaced.
- It names the hash of the go.mod, which binds no version.",
    help: "1. Ask the author for a statement of the module's zip: `modanchor statement MODULE@VERSION` writes one.
2. If it was once right, compare the zip with the checksum database: `modanchor explain MODULE@VERSION`.",
};
