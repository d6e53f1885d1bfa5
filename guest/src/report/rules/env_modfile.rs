//! `env-modfile`.

use super::{Rule, Severity};

/// Builds go by another go.mod.
pub const RULE: Rule = Rule {
    id: "env-modfile",
    severity: Severity::Note,
    incomplete: false,
    title: "-modfile builds by another go.mod and go.sum than those beside it",
    description: "With -modfile=NAME.mod the go command reads and writes NAME.mod and NAME.sum in place of go.mod and go.sum. modanchor
verifies those of a folder by their usual names, so NAME.sum is only verified where it is named.",
    causes: "- Tools have a go.mod of their own beside the module's: `tools.mod`.
- A build for another environment pins other versions.",
    help: "1. Verify that file as well: `modanchor verify . NAME.mod`.
2. Since Go 1.24, `tool` lines in go.mod, or a module of its own for tools, do without it.",
};
