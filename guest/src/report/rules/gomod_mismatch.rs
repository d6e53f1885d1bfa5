//! `gomod-mismatch`.

use super::{Rule, Severity};

/// A go.mod in the module cache is not what go.sum says.
pub const RULE: Rule = Rule {
    id: "gomod-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "A go.mod in the module cache is not what go.sum says",
    description: "The .mod file of a module version in the module cache has another h1 than the /go.mod line of go.sum. The module graph
is made of these files: a changed one can bring in other versions, or other modules, without any change in the checkout.

The go command does notice, each time it reads the file: it stops with a checksum mismatch for MODULE@VERSION/go.mod.
It does not read it with -mod=vendor, nor for modules that graph pruning leaves out, so a build that works is no proof
that the file is right. go mod verify stops at it too, but only because it loads the graph first.",
    causes: "- The cache was restored from an archive, or is shared with a machine that fetched other content.
- The author moved the tag, and the cache fetched the file with the checksum database off.
- A tool wrote the cache's files itself, with other line endings, or with a go.mod where the module has none: the go
  command makes up one line, `module PATH`, for such modules.
- The disk damaged the file.
- An attack on the cache, or on the module proxy that filled it.",
    help: r#"1. If `gosum-mismatch` is reported for the same line, go.sum is what is wrong: begin there.
2. Look at the file: `PATH/@v/VERSION.mod` below `$(go env GOMODCACHE)/cache/download`, with `!` and a small letter for
   every capital. `modanchor hash mod FILE` shows its h1.
3. Empty the cache and fetch again, with the checksum database on: `go clean -modcache && go mod download`.
4. If the mismatch comes back, the module proxy serves it. Ask another:
   `GOPROXY=https://proxy.golang.org GOMODCACHE="$(mktemp -d)" go mod download MODULE@VERSION`.
5. See whether the changed file had an effect while it was there: `git log -p go.mod go.sum` for modules that came in."#,
};
