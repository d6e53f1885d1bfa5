//! `tuf-revoked`.

use super::{Rule, Severity};

/// A TUF repository has revoked this module version.
pub const RULE: Rule = Rule {
    id: "tuf-revoked",
    severity: Severity::Critical,
    incomplete: false,
    title: "A TUF repository has revoked this module version",
    description: "The repository's keepers have approved this version once, and have signed since that it must not be
used: the reason is in the message. It is found here although nothing about the module's bytes has changed, because
a go.sum only knows what they are and not what was found out about them.",
    causes: "- A vulnerability, or malicious code, was found in it.
- Its licence, or its maintainers, changed in a way that the keepers do not accept.
- It was approved by mistake.
- A newer tool wrote a revocation that this one cannot read in full: it counts all the same.",
    help: "1. Use another version: `go get MODULE@VERSION`, then `go mod tidy`.
2. If that takes time, ask the keepers for a waiver, which is signed and ends by itself: `modanchor repo waive`.
3. Find out whether it was already built and deployed.",
};
