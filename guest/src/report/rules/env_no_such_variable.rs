//! `env-no-such-variable`.

use super::{Rule, Severity};

/// A variable that the go command does not know.
pub const RULE: Rule = Rule {
    id: "env-no-such-variable",
    severity: Severity::Low,
    incomplete: false,
    title: "A setting that Go does not have: it does nothing, whatever it was meant to do",
    description: "The go command never reads this variable. GONOSUMCHECK is the best known of its kind: it is in many scripts, and has
never existed. Whoever set it believes that a check is off, or that a private module is kept from a public server;
neither is so. The names that Go has are GOSUMDB, GONOSUMDB, GOPRIVATE, GONOPROXY, GOINSECURE and GOPROXY.",
    causes: "- It was copied from a forum, from generated text, or from another project's CI.
- GONOSUMDB was mistyped.
- It was set together with GONOSUMDB or GOPRIVATE, and the others did the work.",
    help: "1. Take it out; nothing changes.
2. If a private module's name must not reach a public server, set `GOPRIVATE` to its prefix and look at
   `go env GOPRIVATE GONOSUMDB GONOPROXY`.",
};
