//! `sigstore-identity`.

use super::{Rule, Severity};

/// Signed by somebody else.
pub const RULE: Rule = Rule {
    id: "sigstore-identity",
    severity: Severity::High,
    incomplete: false,
    title: "Signed by somebody else",
    description: "A signature verifies, and its certificate names another identity, issuer or workflow than was
asked for.",
    causes: "- The file was signed by another person or workflow than expected.
- The repository or the workflow was renamed, or the release came from another branch.
- The expected identity is written otherwise: patterns match anywhere in the text unless they begin with `^` and end in
  `$`.",
    help: "1. Look at the identity that signed, letter by letter.
2. If it is the right one, correct the flag or the policy; otherwise do not use the file.",
};
