//! `env-overlay`.

use super::{Rule, Severity};

/// Builds replace files by others.
pub const RULE: Rule = Rule {
    id: "env-overlay",
    severity: Severity::Low,
    incomplete: false,
    title: "-overlay builds other files than those that were checked",
    description: "With -overlay the go command reads a JSON file and takes other files in place of those that lie in the checkout, in
vendor or in the module cache. What modanchor and go mod verify compare is what lies there, not what is built instead.
Editors use it for unsaved files, and instrumentation to put itself into other packages.",
    causes: "- A tool for coverage or tracing rewrites packages at build time.
- A patch for a dependency is kept outside of it.",
    help: "1. Keep it out of what is released: set it for the one command that needs it, not in `GOFLAGS`.
2. For a patched dependency, use `replace` in go.mod: then go.sum or the checkout says what is built.
3. If it has to stay, have the JSON file and everything that it names reviewed like code.",
};
