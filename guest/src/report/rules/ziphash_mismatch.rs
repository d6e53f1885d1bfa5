//! `ziphash-mismatch`.

use super::{Rule, Severity};

/// The module cache's own hash of a module is wrong.
pub const RULE: Rule = Rule {
    id: "ziphash-mismatch",
    severity: Severity::High,
    incomplete: false,
    title: "The module cache's own hash of a module is wrong",
    description: "The .ziphash file that the go command keeps beside a zip does not hold the h1 of that zip. It is the go command's memory
of what it once computed, and it is all that later builds look at: go build compares the text of this file with go.sum,
and go mod verify compares zip and folder with it. Nothing signs it.

If it says what go.sum says while the zip or the folder does not, a build passes with changed content: then zip-mismatch
or dir-mismatch is reported too. If it says something else, the go command stops with a checksum mismatch, although the
content may be fine.",
    causes: "- The process that wrote it was killed, or the disk ran full: the file is empty, short, or filled with zeros.
- The zip was replaced, by hand or by a tool that fills caches, and the hash was not, or the other way round.
- Two machines write to one shared cache without the go command's locks.
- Somebody wrote the expected hash there, so that a changed zip or folder passes.",
    help: "1. See whether `zip-mismatch` or `dir-mismatch` is reported for the same module: then the content is wrong, and that
   finding says what to do.
2. If only this file is wrong, empty the cache: `go clean -modcache && go mod download`. Removing the one .ziphash makes
   the go command hash the zip again, but leaves an extracted folder as it is.
3. Find out who else writes to the cache. The go command never changes this file once it is written.
4. Do not take `go mod verify` as a proof about this cache: it believes this file.",
};
