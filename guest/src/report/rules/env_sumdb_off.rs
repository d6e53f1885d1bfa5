//! `env-sumdb-off`.

use super::{Rule, Severity};

/// A setting switches the checksum database off.
pub const RULE: Rule = Rule {
    id: "env-sumdb-off",
    severity: Severity::High,
    incomplete: false,
    title: "GOSUMDB=off switches the checksum database off",
    description: "With GOSUMDB=off the go command takes the first copy of a module that it sees for the right one, whoever sent it, and
writes its hash into go.sum. Nobody else has to have seen the same copy. A proxy or a network that was tampered with
on that day is then confirmed by go.sum for ever, on every machine.

Lines that are in go.sum already are still compared with downloads; what is new is not compared with anything. The
toolchain that go.mod may ask for cannot be downloaded at all.",
    causes: "- A private module could not be found in the public database, and switching it off made the error go away. GOPRIVATE is
  for that.
- Machines have no way to sum.golang.org. A module proxy can serve the database too, and most do.
- The folder that the go command keeps its state in was read-only. It does not have to be: see GOPATH.
- A base image or a template sets it, and nobody remembers why.",
    help: "1. Take the setting out. On a machine: `go env -u GOSUMDB`, and `unset GOSUMDB` for the environment.
2. Name what is private: `go env -w GOPRIVATE=git.corp.example`.
3. Where there is no way out, let `GOPROXY` name a proxy that serves the checksum database under `/sumdb/`.
4. Run `modanchor verify`: it compares every line that was added meanwhile.",
};
