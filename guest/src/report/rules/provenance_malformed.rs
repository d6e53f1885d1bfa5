//! `provenance-malformed`.

use super::{Rule, Severity};

/// A statement that cannot be read.
pub const RULE: Rule = Rule {
    id: "provenance-malformed",
    severity: Severity::Medium,
    incomplete: false,
    title: "A statement that cannot be read",
    description: "A signature verifies, and what it signs is no in-toto statement, SLSA provenance or summary that
is known, or lies beyond a limit, or is a summary that says that verification failed. It gives no grade.",
    causes: "- The predicate is of a version that is not read: SLSA provenance v0.1.
- The statement lacks something that its specification demands.
- It holds a key twice, or nests deeper than anybody needs.",
    help: "1. Ask the author for provenance of a version that is known, v0.2 or v1.
2. See docs/provenance.md for what is read.",
};
