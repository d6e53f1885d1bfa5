//! `tuf-bad-signature`.

use super::{Rule, Severity};

/// Metadata of a TUF repository that must not be believed.
pub const RULE: Rule = Rule {
    id: "tuf-bad-signature",
    severity: Severity::Critical,
    incomplete: false,
    title: "Metadata of a TUF repository that must not be believed",
    description: "A metadata file of a TUF repository does not carry the signatures that its role needs, or is no
sound metadata whoever signed it. Nothing that the repository says is believed then. Whoever can make clients accept
such a file can approve any module and any content, which is what the keys are there to prevent. Earlier approvals
do not count either: each run verifies anew.",
    causes: "- The repository's keepers signed with keys that root does not name yet, or with too few of them.
- The configured trusted root belongs to another repository, or the chain of roots to the present one is broken.
- A mirror or a proxy changed the file.
- Somebody who holds some of the keys, but not enough, tries to pass for the repository.",
    help: "1. Do not build with what only this repository approves.
2. Compare the trusted root in the configuration with the one that its keepers give out on another way.
3. Ask the keepers: `modanchor repo verify` shows them the same from the outside.
4. Fetch it from its origin instead of a mirror, and report what differs.",
};
