//! `gosum-unknown-hash`.

use super::{Rule, Severity};

/// Only hash algorithms that Go does not know.
pub const RULE: Rule = Rule {
    id: "gosum-unknown-hash",
    severity: Severity::Medium,
    incomplete: false,
    title: "Only hash algorithms that Go does not know",
    description: r#"The only hashes that go.sum holds for this module version are of algorithms that the go command does not know; it
knows h1 alone, in lower case. It ignores them, so that this version is not protected by go.sum at all: a build either
stops with "missing go.sum entry" or, where go.sum may be changed, fetches the version and adds an h1 line of its own."#,
    causes: "- The line was made by another tool, or by hand: `sha256:`, `H1:`, a bare hash.
- It was written by a newer Go, with an algorithm that this program does not know yet either.
- The `h1:` in front was lost or changed in an edit.",
    help: "1. Get the proven lines: `modanchor lookup MODULE@VERSION` (and `MODULE@VERSION/go.mod`).
2. Put them in place of the lines that were found, or let `go mod tidy` add them and compare with step 1.
3. If another tool writes such lines, have it write `h1:` as golang.org/x/mod/sumdb/dirhash defines it.",
};
