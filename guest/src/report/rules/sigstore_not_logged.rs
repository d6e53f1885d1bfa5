//! `sigstore-not-logged`.

use super::{Rule, Severity};

/// A signature that nobody has seen.
pub const RULE: Rule = Rule {
    id: "sigstore-not-logged",
    severity: Severity::Medium,
    incomplete: false,
    title: "A signature that nobody has seen",
    description: "A signature verifies, and lacks what its trusted root asks for besides: an entry in a transparency
log, a signed certificate timestamp, or a time that somebody vouches for. Without a log nobody notices a signature
that is not theirs; without a time nobody knows whether the certificate was still good.",
    causes: "- It was signed without uploading it to the log.
- The entry or the timestamp was taken out of the bundle.
- It comes from an instance that has no log, and whose root is configured as one that has.",
    help: "1. Ask the author for the whole bundle, or have it signed again with a log.
2. For GitHub's private repositories, use the root of that instance.",
};
