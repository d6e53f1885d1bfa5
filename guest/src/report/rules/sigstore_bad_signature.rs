//! `sigstore-bad-signature`.

use super::{Rule, Severity};

/// A signature that is not of these bytes.
pub const RULE: Rule = Rule {
    id: "sigstore-bad-signature",
    severity: Severity::High,
    incomplete: false,
    title: "A signature that is not of these bytes",
    description: "A bundle, or a signature with its certificate or key, does not verify: the signature is not the
key's over this file or statement, or what the bundle says of its digest is not so. Nothing that it says is
believed.",
    causes: "- The file, or the statement, was changed after it was signed.
- The bundle belongs to another file, or the key is not the one that signed.
- Somebody put a certificate or a log entry of another signature beside it.",
    help: "1. Fetch file and bundle again, from where the author publishes them.
2. If they differ from what the author has, do not use them, and tell the author.",
};
