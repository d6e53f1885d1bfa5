//! `gosum-missing`.

use super::{Rule, Severity};

/// go.mod needs a go.sum line that is not there.
pub const RULE: Rule = Rule {
    id: "gosum-missing",
    severity: Severity::Medium,
    incomplete: false,
    title: "go.mod needs a go.sum line that is not there",
    description: r#"The module graph, as far as go.mod and go.work show it, contains a version that go.sum has no line for. The go command
stops with "missing go.sum entry", or, with -mod=mod, adds whatever it downloads at that moment. Until the line is
there, nobody can review what will be built.

Only what can be seen in the checkout is considered: the go.mod lines of requirements, the replacements that they
get, and modules that are vendored. Indirect needs that only a dependency's own go.mod reveals are not known here.
In a workspace the go command adds such lines to go.work.sum by itself and stops for nothing: there it is low."#,
    causes: "- go.mod was edited, by hand or by a bot, without `go mod tidy`.
- A merge kept the newer go.mod and the older go.sum.
- go.sum is in `.gitignore`, or was deleted.
- In a workspace, the line is only in another module's go.sum, which is not part of what was verified.",
    help: "1. Run `modanchor fix`, which adds lines that the checksum database proves; or `go mod tidy` beside the go.mod (for a
   go.work: `go work sync`), with the checksum database on.
2. Read the diff of go.sum: only lines for the modules that changed should be new.
3. Run `modanchor verify` again and commit go.mod and go.sum together.
4. If a bot changes go.mod, have it run `go mod tidy` too.",
};
