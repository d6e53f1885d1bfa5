//! `dir-mismatch`.

use super::{Rule, Severity};

/// An extracted module in the module cache is not what go.sum says.
pub const RULE: Rule = Rule {
    id: "dir-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "An extracted module in the module cache is not what go.sum says",
    description: "The files of an extracted module in the module cache are not those that its go.sum line is the hash of: a file was
changed, added or removed, and the message names it. This folder is what the compiler reads.

go build never notices: it does not hash an extracted folder again. It sees that the folder is there and compares only
the text of the .ziphash file with go.sum. go mod verify does hash the folder, but compares it with .ziphash and not
with go.sum, and only if somebody runs it. An added file counts like a changed one: every .go file in a package's
folder is compiled into it.",
    causes: "- Somebody debugged a dependency by editing it in place, in a cache that was made writable (`-modcacherw`), and forgot.
- An editor, a formatter, `go generate` or a test wrote into the folder.
- A tool left files there: `.DS_Store`, `*.orig`, an IDE's folder, a `.git`.
- The cache was restored from an archive that changed it: line endings, case of names, lost files.
- An attack: a dependency's test, a generator or another user's build changed what later builds compile.",
    help: r#"1. Do not build from this cache. See what differs: the finding names the file, with both hashes where the zip is there.
2. Compare the folder with the zip, if that one has no finding:

       zip=$(mktemp -d) && unzip -q -d "$zip" "$(go env GOMODCACHE)/cache/download/PATH/@v/VERSION.zip"
       diff -r "$zip/PATH@VERSION" "$(go env GOMODCACHE)/PATH@VERSION"

   In the paths of the module cache, capitals are `!` and the small letter.
3. If you need the change, do not keep it there: use `replace` with a fork or a folder of your own.
4. Empty the cache, it is made again: `go clean -modcache && go mod download`. If the go command refuses because files
   cannot be removed, the cache was changed by another user.
5. Remove `-modcacherw` from GOFLAGS, so that the next slip gives an error.
6. Verify, and then build exactly what was verified: `modanchor verify` first, then `GOPROXY=off go build`."#,
};
