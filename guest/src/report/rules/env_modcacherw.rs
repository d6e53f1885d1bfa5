//! `env-modcacherw`.

use super::{Rule, Severity};

/// The module cache is left writable.
pub const RULE: Rule = Rule {
    id: "env-modcacherw",
    severity: Severity::Low,
    incomplete: false,
    title: "-modcacherw leaves the module cache writable",
    description: "The go command makes the folders of its module cache read-only, and does not look at them again: what lies there is
built. With -modcacherw they stay writable, so that any later step, any test, and any program of the same user can
change a dependency for all builds to come, by accident or on purpose. go mod verify and modanchor verify find such
changes, if they are run afterwards.",
    causes: "- A CI job could not remove its workspace, because the cache lay in it.
- A cache action could not overwrite files that were there.
- Somebody wanted to try a change in a dependency.",
    help: "1. Take the flag out. `go clean -modcache` removes a cache that is read-only, and so does `chmod -R u+w` before `rm`.
2. Put the cache outside of the workspace: `GOMODCACHE`.
3. To change a dependency, use `replace` in go.mod, or a workspace.
4. Where it has to stay, run `modanchor verify --modcache require` right before the build.",
};
