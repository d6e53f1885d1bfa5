//! `gosum-conflict`.

use super::{Rule, Severity};

/// Two lines give different h1 hashes for the same thing.
pub const RULE: Rule = Rule {
    id: "gosum-conflict",
    severity: Severity::High,
    incomplete: false,
    title: "Two lines give different h1 hashes for the same thing",
    description: "go.sum holds two different h1 hashes for the same module version, or for the same version's go.mod. At most one of
them can be true. The go command compares a download with the first of the two: if that one is right, the wrong one is
never noticed; in the other order every download fails. So the meaning of the file depends on the order of its lines,
and sorting it (as every go mod tidy does) can turn a working build into a failing one, or worse, the other way round.",
    causes: "- Two branches recorded different content of one version, and git joined them, often by `go.sum merge=union` in
  `.gitattributes`.
- A merge conflict was solved by keeping both sides.
- The author moved the tag between two fetches.
- Somebody appended a line so that both the real and a changed module pass.",
    help: "1. Look for `gosum-mismatch` on either line: the checksum database says which of the two is wrong. For a module that
   is not in the database, compare with the author's own statement, or with an independent clone.
2. See what the log proves: `modanchor lookup MODULE@VERSION`, or `MODULE@VERSION/go.mod` for a `/go.mod` line.
3. Find out how the wrong line came in: `git log -S 'h1:THE-WRONG-HASH' -- go.sum`.
4. Remove the wrong line, and only that one. Then `go mod verify`, and `modanchor verify` again.
5. If the wrong line was ever first, empty the module caches that used it: `go clean -modcache`.",
};
