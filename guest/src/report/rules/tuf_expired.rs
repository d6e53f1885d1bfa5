//! `tuf-expired`.

use super::{Rule, Severity};

/// Metadata of a TUF repository has expired.
pub const RULE: Rule = Rule {
    id: "tuf-expired",
    severity: Severity::High,
    incomplete: false,
    title: "Metadata of a TUF repository has expired",
    description: "Root, targets or a delegated role of a TUF repository is past its expiry, so nobody vouches for it
any more. Expiry bounds how long a stolen key, or an old file that somebody plays back, can be of use. What the role
says is not believed until its keepers sign it again.",
    causes: "- Its keepers missed the day: root and delegated roles are signed by people, with keys that lie in a safe.
- The clock of this machine is wrong.
- A mirror shows an old state, on purpose or because it has stopped mirroring.",
    help: "1. Check the clock: `date -u`.
2. Tell the repository's keepers: `modanchor repo status` shows what expires when; `modanchor repo renew`
   and `modanchor repo publish` sign it anew.
3. Try its origin instead of a mirror.",
};
