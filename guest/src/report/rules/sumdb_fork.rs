//! `sumdb-fork`.

use super::{Rule, Severity};

/// Two signed tree heads that cannot both be true.
pub const RULE: Rule = Rule {
    id: "sumdb-fork",
    severity: Severity::Critical,
    incomplete: false,
    title: "Two signed tree heads that cannot both be true",
    description:
        "The checksum database signed two trees, and neither is a continuation of the other: it tells different people
different histories. This is what a transparency log must never do, and it is proof: both heads carry the database's
own signature. While a fork stands, the database can vouch for changed content to some and for real content to others.
The head that was accepted before stays in place; both heads and the proof were kept as evidence.",
    causes: "- A private checksum database was set up anew, or restored from an older backup, with the same key.
- Two instances of a private database run with one key and separate storage.
- An attack: whoever holds the key, or was handed it, shows you a tree of your own.",
    help: "1. Stop building with what was fetched since the older of the two heads.
2. Keep the evidence: the file under `evidence/` in the cache folder, and the two heads printed on stderr. Do not
   delete the cache to make the message go away: it is the only memory that this happened.
3. Find out which of the two heads others see: run `modanchor verify` on another network with its own cache, or compare
   with a witness.
4. For sum.golang.org: report the evidence to security@golang.org. It can be published: it holds no secret.
5. For a private database: ask its operator whether it was restored or set up anew. If so, it needs a new key and
   name; then change GOSUMDB, and verify every go.sum again.",
};
