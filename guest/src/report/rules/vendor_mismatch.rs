//! `vendor-mismatch`.

use super::{Rule, Severity};

/// A vendored file differs from the file in its module's zip.
pub const RULE: Rule = Rule {
    id: "vendor-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "A vendored file differs from the file in its module's zip",
    description: "A file below vendor/ is not the file of the same name in the zip of the module version that vendor/modules.txt names.
What is compiled is not what the module's author published, nor what go.sum and the checksum database vouch for.

No part of the go command looks at this. With -mod=vendor, which is the default where vendor/ exists, go build uses
neither go.sum nor the module cache, and compares only vendor/modules.txt with go.mod; go mod verify checks the module
cache alone; go mod vendor overwrites the files without a word (golang/go#27348). In a review, one changed line among
thousands of vendored files is easy to miss.",
    causes: "- Somebody fixed or patched a dependency in place instead of using a fork.
- git changed line endings: `core.autocrlf`, or `text=auto` in `.gitattributes`. Then very many files differ.
- A formatter, a linter's `--fix`, a licence-header tool or search-and-replace ran over the whole checkout.
- go.mod and modules.txt were edited, or merged, without running `go mod vendor`.
- An attack: a backdoor in a place that nobody reviews.",
    help: "1. Do not release from this checkout. Find who changed the file, and when: `git log -p -- vendor/FILE`.
2. See the difference to the real module. `go mod vendor` writes the right files, and needs the module zips:

       go mod vendor && git diff --stat -- vendor

   (in a workspace: `go work vendor`). If nothing differs but line endings, put `vendor/** -text` into `.gitattributes`.
3. If the patch is wanted, make it visible: a fork with `replace MODULE => FORK VERSION`, then `go mod vendor`.
4. Otherwise commit what `go mod vendor` wrote, and tell formatters and hooks to leave vendor/ alone.
5. If nobody can explain the difference, treat it as an attack: keep the file, and find what was built with it.
6. Run `modanchor verify` in CI, before the build: it is what makes a change in vendor/ visible.",
};
