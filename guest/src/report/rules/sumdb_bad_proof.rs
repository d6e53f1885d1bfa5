//! `sumdb-bad-proof`.

use super::{Rule, Severity};

/// A record or tile does not fit the tree that the database signed.
pub const RULE: Rule = Rule {
    id: "sumdb-bad-proof",
    severity: Severity::Critical,
    incomplete: false,
    title: "A record or tile does not fit the tree that the database signed",
    description: "The checksum database signs a Merkle tree. The record that was answered, or a tile of hashes on its way to the root,
does not hash to the root that was signed: the record is not part of the database, or the bytes were changed on the
way. Such an answer must not be believed, and was not. Versions of the go command before the fix of CVE-2026-56865
could be led to believe forged tiles.",
    causes: "- A proxy or cache serves damaged, stale or mixed-up tiles, for example a partial tile under the name of a full one.
- A middlebox changed the bytes.
- A private checksum database was restored from a backup, or its storage lost tiles.
- An attack: a record was forged for a module, with hashes made to look like a proof.",
    help: r#"1. Run it again: caches are bypassed when what they hold does not fit, so a damaged local cache heals by itself.
2. Go past all proxies. For Go's own database:

       modanchor verify --sumdb "sum.golang.org https://sum.golang.org"

   If that passes, the proxy is at fault: its operator should drop its cached `sumdb/` files and look at why they
   were wrong.
3. If the database itself answers so, do not build. For sum.golang.org, report to security@golang.org, with the
   module version and the answer of its `/lookup/` URL.
4. Update Go: 1.25.13, 1.26.6 and 1.27 check tiles fully."#,
};
