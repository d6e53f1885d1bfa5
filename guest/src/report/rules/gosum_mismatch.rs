//! `gosum-mismatch`.

use super::{Rule, Severity};

/// A go.sum line differs from the checksum database's record.
pub const RULE: Rule = Rule {
    id: "gosum-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "A go.sum line differs from the checksum database's record",
    description: "The hash in this line is not the hash that the checksum database logged for this module version. The database's
record was checked: it is part of a tree that the database has signed and cannot change unnoticed, so everybody else
in the world who downloads this version gets the content that the record describes. Whoever builds from this go.sum
either fails, or builds different content under the same name and version.

The go command does not notice: once a line is in go.sum, it no longer asks the database, and go mod verify never
compares go.sum with it.",
    causes: "- The author moved the tag to another commit after the first version of it was logged, and somebody here fetched the
  new one without the database (`GOSUMDB=off`, or `GOPRIVATE` / `GONOSUMDB` patterns that match too much).
- A module proxy in between makes its own zips, or patches modules under their public name.
- The content depends on how it was fetched: `export-subst` or end-of-line attributes in `.gitattributes` give
  different files with different versions or settings of git.
- go.sum was edited by hand, by search-and-replace, or while solving a merge conflict.
- An attack: the line was changed so that a changed module passes.",
    help: r#"1. Do not release from this checkout yet. Do not delete go.sum and do not switch the database off: both would accept
   the odd content and destroy the trace.
2. Find who brought the line, and with what:

       git log -S 'h1:HASH-AS-FOUND' -- go.sum

3. See what the log proves: `modanchor lookup MODULE@VERSION`, or `MODULE@VERSION/go.mod` for a `/go.mod` line.
4. Fetch what everybody else gets, in an empty folder and an empty cache, with the database on:

       cd "$(mktemp -d)" && GOMODCACHE="$PWD/cache" GOPROXY=https://proxy.golang.org \
         GONOPROXY=none GOSUMDB=sum.golang.org GONOSUMDB=none go mod download -json MODULE@VERSION

   Compare it with the content that your builds used (module cache, internal proxy, vendor): the difference shows
   whether it is line endings, a moved tag, or something worse.
5. If the logged content is the one you want: replace this one line by the one from step 3, empty the module cache of
   the machines that had the other content (`go clean -modcache`), build again.
6. If you need the newer content: ask the author for a new version. A version that is logged never changes.
7. If an internal proxy serves patched modules: give them a module path of your own and name it in a `replace`.
8. If nobody can explain the difference, treat it as an attack: keep both contents, and find what was built from it."#,
};
