//! `env-insecure`.

use super::{Rule, Severity};

/// Modules may be fetched without TLS.
pub const RULE: Rule = Rule {
    id: "env-insecure",
    severity: Severity::High,
    incomplete: false,
    title: "GOINSECURE or -insecure lets modules be fetched by anybody who is in between",
    description: "GOINSECURE lists modules that the go command fetches without checking who answers: over plain http, or with a
certificate that nobody vouches for. For what is public, the checksum database still stands behind go.sum. For private
modules, which is what people set it for, nothing does: the first download is believed, and whoever sits in between
decides what it is.

The flag -insecure of go get did the same, and kept the checksum database from being asked as well. It was removed in
Go 1.17; with it, go get stops.",
    causes: "- An internal git server or proxy has a certificate of the company's own authority, which the build machine does
  not know.
- It was set for a trial on one machine, and went into an image.
- A script is older than Go 1.17.",
    help: "1. Give the machine the authority's certificate: in the system's trust store, or `SSL_CERT_FILE`.
2. Take `GOINSECURE` out; for git over ssh it was never needed.
3. Take `-insecure` out of scripts and of `GOFLAGS`.",
};
