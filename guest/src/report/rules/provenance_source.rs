//! `provenance-source`.

use super::{Rule, Severity};

/// Provenance from another repository.
pub const RULE: Rule = Rule {
    id: "provenance-source",
    severity: Severity::High,
    incomplete: false,
    title: "Provenance from another repository",
    description: "Provenance verifies, and what was built is not the module's own repository, by its path or by the
policy: somebody else has built bytes and says that they are this module.",
    causes: "- Another account's workflow built it: a fork, or somebody who passes for the author.
- Another CI built the right repository: anybody can have one do that. Only the host's own issuer speaks for it.
- The repository moved, and the module's path has not.
- The path is a vanity name, and the policy does not say which repository it is.",
    help: "1. Look at the repository in the message.
2. If it is right, name it in the policy: `source_repositories`; and under `identities` the signer of another CI.",
};
