//! `sumdb-stale`.

use super::{Rule, Severity};

/// The newest tree head is older than the configured limit.
pub const RULE: Rule = Rule {
    id: "sumdb-stale",
    severity: Severity::Low,
    incomplete: false,
    title: "The newest tree head is older than the configured limit",
    description: "The newest signed tree head that could be had is older than the configuration allows: since a
quorum had cosigned it where witnesses are configured, else since this machine first saw it. What it proves is still
true: records never change. But somebody who holds back the present can hide that a fork has happened since. This check
is off unless the configuration sets sumdb.max-age.",
    causes: "- A proxy or mirror caches the newest head for too long, or has lost its connection.
- The run was offline, or had no question to ask: everything was settled by what earlier runs had kept.
- The clock of this machine is wrong.
- The database stands still.
- Somebody on the way shows an old head on purpose.",
    help: r#"1. Check the clock: `date -u`.
2. Go past all proxies. For Go's own database:

       modanchor verify --sumdb "sum.golang.org https://sum.golang.org"

   If the finding disappears, the proxy's copy is old: tell its operator.
3. For a private database that rarely grows, set `max-age` in the configuration to what it can keep."#,
};
