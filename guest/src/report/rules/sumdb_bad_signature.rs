//! `sumdb-bad-signature`.

use super::{Rule, Severity};

/// A tree head is not signed by the checksum database.
pub const RULE: Rule = Rule {
    id: "sumdb-bad-signature",
    severity: Severity::Critical,
    incomplete: false,
    title: "A tree head is not signed by the checksum database",
    description: "An answer came with a tree head that the checksum database's key did not sign, or with a signature that is not valid.
Such an answer says nothing about any module, and nothing from it was used. The key is the one built into the program,
or the one that GOSUMDB or --sumdb names; a server cannot change it.",
    causes: "- A proxy answers for the database with content of its own, or with another database's under its name.
- `GOSUMDB` or `--sumdb` names a key that is mistyped or belongs to another database.
- The database changed its key, and the setting still has the old one.
- A damaged file in a cache on the way.
- An attack: somebody on the way makes answers up.",
    help: r#"1. See who is asked, and by whose word: `go env GOSUMDB GOPROXY`.
2. If the key is set by hand, compare it with the one that the database's operator publishes.
3. Go past all proxies, ideally from another network. For Go's own database:

       modanchor verify --sumdb "sum.golang.org https://sum.golang.org"

   If that passes, the proxy is at fault: tell its operator.
4. If the database itself answers so, do not build. Keep the answer and report it: for sum.golang.org, to
   security@golang.org.
5. Do not switch the database off to get past this: it is the very moment that it exists for."#,
};
