//! `sumdb-skipped`.

use super::{Rule, Severity};

/// Settings keep the checksum database from being asked.
pub const RULE: Rule = Rule {
    id: "sumdb-skipped",
    severity: Severity::Note,
    incomplete: false,
    title: "Settings keep the checksum database from being asked",
    description: "The lines were not compared with the checksum database, because a setting says so: GONOSUMDB, or GOPRIVATE where
GONOSUMDB is not set, matches the module, or GOSUMDB is off. For private modules that is right: their names must not
reach a public service. They are as safe as the machines and servers that they come from; nothing else vouches for them.

Where GOSUMDB is off, or a pattern matches everything, nothing at all is protected, and the finding is of severity
medium.",
    causes: "- `GOPRIVATE` names your own modules: as it should be.
- A pattern is wider than meant: `github.com/*` for one organisation's repositories, or `*`.
- A build image or a CI template sets `GOSUMDB=off`, `GONOSUMDB=*` or the like, to get rid of an error long ago.
- The read-only file system of a container once made the go command fail, and somebody switched the database off.",
    help: "1. See what is set, and where: `go env GOSUMDB GONOSUMDB GOPRIVATE GOENV`; the report says by whose word.
2. Narrow the patterns to the prefixes that are really private, for example `git.corp.example/*`.
3. Remove `GOSUMDB=off` from images and CI files. Where machines have no way out, run a module proxy that serves the
   checksum database too, and name it in `GOPROXY`.
4. Run `modanchor verify` again: lines that were skipped are then compared.",
};
