//! `tuf-unapproved`.

use super::{Rule, Severity};

/// A module version that nobody has approved.
pub const RULE: Rule = Rule {
    id: "tuf-unapproved",
    severity: Severity::High,
    incomplete: false,
    title: "A module version that nobody has approved",
    description: "A TUF repository answers for this module, and no role that may do so names this version. The module
may be harmless: it is unknown to those who decide what is built here. An approval by a role that has not been
delegated the module's path counts for nothing, nor does one by another role than the configuration asks for.",
    causes: "- A dependency was added or updated before it was approved.
- It was approved under another path, or by a team that was not delegated its path.
- It was removed, or a waiver for it has ended.
- It is vendored, and no go.sum has a line for its zip whose hash could be approved.
- Somebody added a dependency past the process, or one whose name only looks like one that is approved.",
    help: "1. Look at the name, letter by letter, and at what brings it in: `go mod why -m MODULE`.
2. Have it approved: `modanchor repo add MODULE@VERSION`, or all of a project with `modanchor repo add --from
   go.sum`.
3. Or use a version that is approved already.",
};
