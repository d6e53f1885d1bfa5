//! `tuf-unavailable`.

use super::{Rule, Severity};

/// A TUF repository could not be asked.
pub const RULE: Rule = Rule {
    id: "tuf-unavailable",
    severity: Severity::Medium,
    incomplete: true,
    title: "A TUF repository could not be asked",
    description: "A metadata file of a TUF repository could not be had, so that nobody knows what it approves. Nobody
said that something is wrong. The verdict is incomplete, not pass, because an attacker who can change what you
download can also keep you from asking.",
    causes: "- No network, `--offline`, or a firewall that does not let the repository through.
- The repository is down, has moved, or wants other credentials.
- A captive portal or a filter answers with a web page.
- The repository was emptied or moved while it was read.
- The server sends more than a metadata file may hold, or too slowly.",
    help: "1. Run it again.
2. See the reason: the message names it, and stderr shows the URL, unless `--quiet`.
3. Check `url` of the repository in the configuration: it is the folder that holds `timestamp.json`.
4. Only where that is acceptable: `--allow-incomplete` turns status 3 into 0.",
};
