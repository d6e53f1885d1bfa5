//! `tuf-freeze`.

use super::{Rule, Severity};

/// A TUF repository stands still longer than it may.
pub const RULE: Rule = Rule {
    id: "tuf-freeze",
    severity: Severity::High,
    incomplete: false,
    title: "A TUF repository stands still longer than it may",
    description: "The timestamp or the snapshot of a TUF repository has expired. These are signed anew all the time,
so that a client notices when it is shown an old state: a module that was revoked yesterday would look approved for
ever to whom an attacker, or a mirror, only shows the day before. So nothing that the repository says counts until
there is a fresh one.",
    causes: "- The job that runs `modanchor repo refresh-timestamp` has stopped.
- The clock of this machine is wrong.
- A mirror or a proxy keeps files for too long.
- Somebody on the way holds back the present, to hide a revocation or a new root.",
    help: "1. Check the clock: `date -u`.
2. Look at the origin: `modanchor tuf refresh` with its URL. If it is fresh there, the mirror or proxy is at
   fault.
3. Tell the repository's keepers to run `modanchor repo refresh-timestamp`.",
};
