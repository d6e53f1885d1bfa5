//! `tuf-mismatch`.

use super::{Rule, Severity};

/// Not what a TUF repository approved.
pub const RULE: Rule = Rule {
    id: "tuf-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "Not what a TUF repository approved",
    description: "A go.sum line has another hash than the one that a TUF repository has signed for this module
version, or repositories that must agree do not, or a metadata file is not the one that the metadata above it names.
In the first case what would be built is not what was approved: somebody changed the line or the bytes, or the
version was published twice. In the last, files of different times or places were mixed to show a state that never
was (mix-and-match).",
    causes: "- The go.sum line was changed, by mistake or to let other content in.
- The version was tagged again after it had been approved.
- The wrong zip was approved.
- The repository was read while it was published without consistent snapshots.
- A mirror mixes old and new files.",
    help: "1. Do not build with it.
2. See who says what: `modanchor explain MODULE@VERSION`.
3. If the line is wrong, restore it: `modanchor fix`, or `go mod download` after removing it.
4. If the approval is wrong, its keepers correct it: `modanchor repo remove` and `modanchor repo add`.
5. If a metadata file is at fault, run again; if it stays, use the origin instead of a mirror and report it.",
};
