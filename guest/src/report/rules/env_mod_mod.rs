//! `env-mod-mod`.

use super::{Rule, Severity};

/// Builds may rewrite go.sum instead of checking against it.
pub const RULE: Rule = Rule {
    id: "env-mod-mod",
    severity: Severity::Medium,
    incomplete: false,
    title: "-mod=mod lets builds rewrite go.mod and go.sum instead of checking against them",
    description: "Since Go 1.16 a build stops where go.mod or go.sum lacks something: a new dependency, and a new hash, need somebody
who adds them. With -mod=mod a build adds them itself, ignores vendor, and goes on. In CI nobody sees what was added:
the hashes of that run are made by that run, and what was reviewed is not what was built.

Hashes that are in go.sum are still compared.",
    causes: r#"- A build failed with "missing go.sum entry", and the flag made it pass.
- `GOFLAGS=-mod=mod` was needed for one tool that is run with `go run`, and was set for everything.
- It is left from the time before Go 1.16, when it was the default."#,
    help: "1. Take the flag out, or set `-mod=readonly`, which is the default.
2. Run `go mod tidy` on a developer's machine, read the diff of go.sum, and commit it.
3. Check in CI that nothing changes: `go mod tidy -diff`, or `git diff --exit-code go.mod go.sum` after the build.
4. For tools, use `go run TOOL@VERSION` or a `tool` line in go.mod.",
};
