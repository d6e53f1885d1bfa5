//! `env-proxy`.

use super::{Rule, Severity};

/// Modules are asked for where anybody may answer.
pub const RULE: Rule = Rule {
    id: "env-proxy",
    severity: Severity::Medium,
    incomplete: false,
    title: "GOPROXY asks over plain http, or goes past all module proxies",
    description: "A GOPROXY with http:// and a host that is not this machine: anybody in between can answer. The checksum database finds
out about changed public modules, but private ones, and the list of versions that there are, rest on the connection
alone.

A GOPROXY that begins with direct, of severity low: modules come from their repositories. These may be rewritten or
vanish, and the go command runs git and other tools on what strangers host. Module proxies keep what was published,
and serve the checksum database as well.

GOPROXY=off, a file:// tree and https:// are fine, and so is direct at the end of the list.",
    causes: "- A proxy inside the company's network was thought not to need a certificate.
- `GOPROXY=direct` was set to see a version that was pushed a moment ago, and stayed.
- A private module could not be fetched through the public proxy: `GOPRIVATE` is for that.",
    help: "1. Serve the proxy over https. On the same machine, `http://127.0.0.1` and `http://localhost` are fine.
2. Put a proxy first: `GOPROXY=https://proxy.golang.org,direct` is Go's default.
3. Name what is private in `GOPRIVATE`, instead of going past the proxy for everything.",
};
