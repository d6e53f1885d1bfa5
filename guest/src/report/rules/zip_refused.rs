//! `zip-refused`.

use super::{Rule, Severity};

/// A module zip breaks Go's rules or cannot be read.
pub const RULE: Rule = Rule {
    id: "zip-refused",
    severity: Severity::High,
    incomplete: false,
    title: "A module zip breaks Go's rules or cannot be read",
    description: "The zip in the module cache, or the one that the module proxy served, is no module zip: it cannot be read to its end,
or it breaks the rules of golang.org/x/mod/zip (every name below MODULE@VERSION/, no name twice or differing only in
case, no go.mod but the one at the root, size limits, sizes that are true). Other readers may see other content in such
a file than Go does, which is how one zip can be harmless to a scanner and harmful to a build.

The go command hashes a zip before it checks most of these rules, and checks them only when it extracts. It then stops;
where the folder is there already, it never looks.",
    causes: "- The download or the copy of the cache is incomplete, or the disk damaged it: a bad CRC, an unexpected end.
- The zip was made by hand or by a build tool, not by the go command or a module proxy: no prefix, folders as entries.
- The module has files that Go does not allow: names that differ only in case, characters that Windows does not know.
- It is larger than Go allows: 500 MiB, or 16 MiB for go.mod and LICENSE.
- Something tries to make readers disagree: a name twice, entries that overlap, sizes that lie.",
    help: "1. See the reason: the message names the entry and the rule.
2. If the file is damaged or incomplete, empty the cache and fetch again: `go clean -modcache && go mod download`.
3. If it comes back, the proxy serves it so: try `GOPROXY=https://proxy.golang.org`, and tell the proxy's operator.
4. If the zip is your own, let the go command make it: publish a tag and fetch it through a module proxy, or use
   golang.org/x/mod/zip in your tool.
5. `modanchor hash zip FILE MODULE@VERSION` repeats the check; `--no-check` only hashes, which tells whether the content
   is at least the one that go.sum names. Keep the file if you cannot explain it.",
};
