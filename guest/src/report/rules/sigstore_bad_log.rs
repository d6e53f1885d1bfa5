//! `sigstore-bad-log`.

use super::{Rule, Severity};

/// A log's word that must not be believed.
pub const RULE: Rule = Rule {
    id: "sigstore-bad-log",
    severity: Severity::Critical,
    incomplete: false,
    title: "A log's word that must not be believed",
    description: "A signature comes with an entry of a transparency log, and the log's proof or promise is wrong:
the entry is of another signature, the proof does not lead to the checkpoint, or neither is signed by the log.",
    causes: "- The bundle was put together from parts of others, to make a signature look logged.
- The bundle is damaged.
- The log has forked, or its key is not the trusted root's.",
    help: "1. Do not use what is signed.
2. Keep the bundle, and compare it with the log.
3. If the log itself seems wrong, report it to those who run it.",
};
