//! `binary-unpinned`.

use super::{Rule, Severity};

/// A program contains a module that cannot be compared with the checksum database.
pub const RULE: Rule = Rule {
    id: "binary-unpinned",
    severity: Severity::Note,
    incomplete: false,
    title: "A program contains a module that cannot be compared with the checksum database",
    description: "The build information in this program names a module that no go.sum line and no record of the checksum database can be
about: the main module is (devel), a module was replaced by a folder, or a dependency is recorded without a sum. What it
was built from is known only to whoever built it.

For the main module that is usual: go build in a checkout records (devel), or, since Go 1.24, a version made from the
VCS state. For a dependency it means that a part of the program was compared with nothing.",
    causes: "- The program was built by `go build` in a checkout, not by `go install MODULE@VERSION`.
- go.mod has a `replace` by a folder, or the build used a go.work.
- The build used vendor/: the go command then records versions without sums, since it has not looked at go.sum.
- The program was built without modules, or by another build system, such as Bazel, which records less.
- GOFLAGS has `-mod=mod` and the go.sum was incomplete.",
    help: "1. See what is recorded: `go version -m FILE`. Lines `dep` without an `h1:`, and `=>` with a folder, are the ones meant.
2. For your own programs, verify the sources instead: `modanchor verify` in the checkout, vendor/ included, before the
   build; and have the build system attest which commit it built.
3. For a program of others, ask for one that is built by `go install MODULE@VERSION`, or for its build's provenance.
4. Before a release, drop `replace` lines by folder and set `GOWORK=off`, so that all dependencies are versions.",
};
