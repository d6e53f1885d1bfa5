//! `unchecked`.

use super::{Rule, Severity};

/// No answer that could be verified.
pub const RULE: Rule = Rule {
    id: "unchecked",
    severity: Severity::Medium,
    incomplete: true,
    title: "No answer that could be verified",
    description: "Nobody said that it is wrong, and nobody vouched for it: the checksum database could not be asked, or did not answer
in time; or bytes that should be compared are absent or could not be read. It is neither confirmed nor refuted. The
verdict is incomplete, not pass, because an attacker who can change what you download can also keep you from asking.",
    causes: "- No network, `--offline`, or a firewall that does not let the checksum database through.
- `GOPROXY=off`, or a proxy that neither serves nor forwards the database, with no way to reach it directly.
- The database or the proxy is overloaded or down (HTTP 429 or 5xx), or asks for other credentials.
- A captive portal or a filter answers with a web page.
- Bytes: a zip that is not in the module cache where `--modcache require`, `--vendor require` or `--zips download` asks
  for it, a file that cannot be read, or one that another process writes to.
- A go.mod or go.work cannot be read, or a workspace uses modules from outside of what was verified: then nobody knows
  which lines go.sum should have.",
    help: "1. Run it again. What was verified is kept, so that a second run only asks for the rest.
2. See the reason: the message names it, and stderr shows the URL, unless `--quiet`.
3. See that the database can be reached. It is asked at `PROXY/sumdb/NAME/` for each proxy in `go env GOPROXY`, else
   at `https://sum.golang.org/`. Allow that in the firewall, or use a proxy that serves it.
4. On a slow network, give it longer: `--timeout` and `--max-wait`.
5. In CI, keep the cache folder (`--cache-dir`) between runs: a go.sum that was verified once is then verified again
   with no network.
6. For bytes that are absent: `go mod download`, or `--zips download`. For such as change: run it when nothing writes.
7. Only where that is acceptable: `--allow-incomplete` turns status 3 into 0. The report still says what was not
   checked.",
};
