//! `provenance-contradiction`.

use super::{Rule, Severity};

/// A predicate that contradicts its certificate.
pub const RULE: Rule = Rule {
    id: "provenance-contradiction",
    severity: Severity::High,
    incomplete: false,
    title: "A predicate that contradicts its certificate",
    description: "Provenance is written by whoever signs it. What it says of builder, source and run counts only
where the certificate, which an authority has issued, says the same; here it says something else.",
    causes: "- Somebody signed provenance that names another's builder or repository.
- A workflow wrote the provenance of another run.
- The certificate itself says two things.",
    help: "1. Do not believe the provenance.
2. If it is your own, let the builder write it: see docs/provenance-for-authors.md.",
};
