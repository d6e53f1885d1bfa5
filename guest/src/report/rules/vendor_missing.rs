//! `vendor-missing`.

use super::{Rule, Severity};

/// A source file of a vendored package is missing.
pub const RULE: Rule = Rule {
    id: "vendor-missing",
    severity: Severity::High,
    incomplete: false,
    title: "A source file of a vendored package is missing",
    description: "vendor/modules.txt lists the package, and its module's zip has this source file, but the vendored folder does not. The
go command does not notice: it compiles what is there. Where the rest still compiles, the program differs from what
the author published: an init function does not run, a check is gone, or the portable version of a file stands in for
the one that was written for this platform.

Only files that a build takes are missed, and only those that go mod vendor copies: not tests, not files whose build
constraint no build can meet, not packages that modules.txt does not list, not licences or other data.",
    causes: "- A `.gitignore` matches a part of the dependency: `*.s`, `*.syso`, `build/`, `bin/`, `core`; the file was never
  committed.
- Somebody deleted it: files for other platforms, to save space, or one that did not compile.
- A merge conflict in vendor/ was solved by deleting.
- modules.txt names another version than the one that was copied.
- A scanner or virus filter removed it.
- An attack: what is not there is hard to see in a review.",
    help: "1. Run `go mod vendor` (in a workspace: `go work vendor`), then `git status --ignored -- vendor`: the file appears as
   new, or as ignored.
2. If it is ignored, add `!/vendor/**` at the end of `.gitignore`, or `git add -f` it. Mind the global excludes file
   too: `git check-ignore -v vendor/FILE` names the pattern.
3. If it was deleted, `git log --diff-filter=D -- vendor/FILE` says by whom.
4. If it is left out on purpose, use a fork without it and `replace`, so that the go.sum line is about what you build.",
};
