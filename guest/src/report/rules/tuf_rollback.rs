//! `tuf-rollback`.

use super::{Rule, Severity};

/// A TUF repository went back to an older state.
pub const RULE: Rule = Rule {
    id: "tuf-rollback",
    severity: Severity::Critical,
    incomplete: false,
    title: "A TUF repository went back to an older state",
    description: "A role of a TUF repository has a lower version than the one that this machine has verified before,
or is gone. Versions only grow. An older state brings back what has been revoked or replaced since, with signatures
that are all good, so it is how somebody who cannot sign anything attacks.",
    causes: "- A mirror, or a restored backup, serves an old state.
- Several servers stand behind one address, and one lags behind.
- The repository was made anew under the old name, without new keys.
- Somebody on the way shows the past on purpose.",
    help: "1. Run again: if it goes away, one of several servers lags behind.
2. Ask the keepers which version is the newest.
3. If they did start anew, they have to rotate the keys of timestamp and snapshot in a new root, which makes
   clients forget: `modanchor repo root rotate`. Deleting this machine's cache helps too, and forgets what it
   has seen.",
};
