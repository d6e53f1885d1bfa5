//! `sigstore-untrusted`.

use super::{Rule, Severity};

/// A signer that no trusted root vouches for.
pub const RULE: Rule = Rule {
    id: "sigstore-untrusted",
    severity: Severity::High,
    incomplete: false,
    title: "A signer that no trusted root vouches for",
    description: "The certificate of a signature leads to no authority of the trusted roots at the time when it
signed, or lacks what such a certificate must have: the purpose of code signing, one name, proof that it was logged.",
    causes: "- It was signed with another instance of Sigstore, a private one or one for tests, whose root is not configured.
- The trusted root is older than the authority that issued the certificate.
- The certificate had expired when it signed, or somebody made it.",
    help: "1. If the instance is one that you trust, name its root: `--trusted-root FILE`.
2. If the root is old (`sigstore-root-stale`), run once with the network.
3. Otherwise do not believe what is signed.",
};
