//! `binary-dirty`.

use super::{Rule, Severity};

/// A program was built from a checkout with uncommitted changes.
pub const RULE: Rule = Rule {
    id: "binary-dirty",
    severity: Severity::Note,
    incomplete: false,
    title: "A program was built from a checkout with uncommitted changes",
    description: "The build information in this program says vcs.modified=true: when it was built, the checkout had changes that were not
committed. The revision that it names is not what was built, so nobody can review or build it again from the repository.

The dependencies are judged all the same. Build information is not signed: that vcs.modified is false, or is not there
at all, proves nothing, since -buildvcs=false leaves it out and a builder can write what it likes.",
    causes: "- It was built on somebody's machine, in the middle of work.
- The pipeline changes files before it builds: a version file, generated code, `go mod tidy`, `go mod vendor`.
- Files that the build makes are not in `.gitignore`, and count as changes.
- git sees changes where there are none: line endings, file modes, a checkout by another user.",
    help: "1. See it: `go version -m FILE | grep vcs`.
2. In the pipeline, run `git status --porcelain` right before the build: it names what has changed.
3. Commit generated files, or write them to an ignored folder; set versions by `-ldflags=-X`, not by editing files.
4. Build releases from a fresh clone of a tag, in CI, not on a developer's machine.",
};
