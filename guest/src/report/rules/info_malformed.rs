//! `info-malformed`.

use super::{Rule, Severity};

/// The module cache's .info file is not valid or names another version.
pub const RULE: Rule = Rule {
    id: "info-malformed",
    severity: Severity::Low,
    incomplete: false,
    title: "The module cache's .info file is not valid or names another version",
    description: "The .info file of a module version in the module cache is not JSON as the go command writes it, or its Version is not
the version of its name. It holds version and time only and is in no hash: nothing signs it, and no content depends on
it.

The go command takes a file that is not JSON as absent and asks the proxy again; with GOPROXY=off it stops. One that
names another version is believed: go list -m then shows that version and its time, and tools that read them (licence
reports, SBOMs, update bots) are misled.",
    causes: "- The process that wrote it was killed, or the disk ran full: the file is empty or cut short.
- A tool that fills module caches wrote it, in a form of its own.
- A private module proxy answers a query such as `VERSION.info` with the info of another version.
- Somebody changed it, so that inventories show a version that is not the one that is built.",
    help: r#"1. Look at it: `PATH/@v/VERSION.info` below `$(go env GOMODCACHE)/cache/download`, with `!` and a small letter for every
   capital. It should be like `{"Version":"v1.2.3","Time":"2024-01-02T03:04:05Z"}`.
2. Remove that one file; the go command fetches it again when it needs it, or run
   `go clean -modcache && go mod download`.
3. If it comes back, the module proxy serves it: tell its operator."#,
};
