//! `env-sumdb-skips-all`.

use super::{Rule, Severity};

/// A pattern keeps every module from the checksum database.
pub const RULE: Rule = Rule {
    id: "env-sumdb-skips-all",
    severity: Severity::High,
    incomplete: false,
    title: "GONOSUMDB or GOPRIVATE matches every module: the checksum database is never asked",
    description: "GONOSUMDB lists the modules that are not looked up in the checksum database; where it is not set, GOPRIVATE does. A
list that matches everything, such as * or *.*, switches the database off, like GOSUMDB=off but less visibly.
GOPRIVATE=* also switches module proxies off, so that every module comes from its repository, as it is at that moment.

The patterns are Go's globs over leading elements of module paths: github.com/corp covers everything below it, with no
star needed.",
    causes: "- `GOPRIVATE=*` was quicker than a list of prefixes.
- `GONOSUMDB=*` was copied together with a proxy's installation guide.
- A list was built by a script, and one of its elements came out as `*`.",
    help: "1. Replace the pattern by the prefixes that are private: `GOPRIVATE=git.corp.example,github.com/corp`.
2. Set `GOPRIVATE` alone: `GONOSUMDB` and `GONOPROXY` follow it.
3. Run `modanchor verify`: lines that were skipped are then compared.",
};
