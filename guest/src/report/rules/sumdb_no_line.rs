//! `sumdb-no-line`.

use super::{Rule, Severity};

/// An authentic record has no line for the module version that was asked for.
pub const RULE: Rule = Rule {
    id: "sumdb-no-line",
    severity: Severity::Critical,
    incomplete: false,
    title: "An authentic record has no line for the module version that was asked for",
    description: "The answer is a real record of the checksum database, signature and proof included, but it is about something else: it
has no line for this module version. The database always answers with the record of what was asked, so something on
the way answered with another module's record. Versions of the go command before the fix of CVE-2026-42501 took such an
answer as consent and accepted any content for the module.",
    causes: "- A proxy mixed up its cached look-ups, for example on a file system that does not tell upper from lower case.
- A proxy rewrites module paths and forwards the look-up under the new path.
- An attack: a proxy hands out a changed module, with a real but unrelated record to get it past an old client.",
    help: r#"1. Ask the database itself. For Go's own:

       modanchor verify --sumdb "sum.golang.org https://sum.golang.org"

2. If that passes, the proxy in `go env GOPROXY` is at fault. Treat every module that came through it as doubtful
   until its operator has an explanation: an honest proxy does not do this by chance often.
3. Update Go on all machines that use that proxy: clients older than the fix believed such answers.
4. Verify what was already fetched: `modanchor verify` in each project, then `go clean -modcache` and build again."#,
};
