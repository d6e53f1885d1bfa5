//! `binary-mismatch`.

use super::{Rule, Severity};

/// A program was built with a module that is not the logged one.
pub const RULE: Rule = Rule {
    id: "binary-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "A program was built with a module that is not the logged one",
    description: "The build information in this program records a module version with an h1 that differs from the checksum database's
record. The program was built from other content than everybody else gets under this name and version.

Nothing else tells: the go command writes the hash of the go.sum that the build used, and never compares it later; go
version -m only prints it. Build information is not signed, so this proves what the builder recorded, not what the code
is: a program whose hashes are right can still have been built from changed sources.",
    causes: "- The build's go.sum had a wrong line: run `modanchor verify` on the sources; `gosum-mismatch` says more.
- The author moved the tag after the version was logged, and the build fetched the new content with the database off.
- An internal module proxy serves patched modules under their public names.
- The program was changed after it was built.
- An attack on the build: its go.sum, its module proxy or its cache.",
    help: "1. Do not run or ship this program. Keep it, and the log of its build.
2. See what it records, `go version -m FILE`, and what the log proves, `modanchor lookup MODULE@VERSION`.
3. Look at go.sum in the commit that it was built from, and find who brought the line:
   `git log -S 'h1:HASH-AS-FOUND' -- go.sum`.
4. Find out which proxy and which settings the build used: `go env GOPROXY GOSUMDB GONOSUMDB GOFLAGS` there.
5. Build it again from a clean cache with the database on, verified first: `modanchor verify`, then
   `GOPROXY=off go build`.
6. Find every other program that the same machine or pipeline has built since.",
};
