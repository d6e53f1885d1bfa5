//! `zip-mismatch`.

use super::{Rule, Severity};

/// A module zip in the module cache is not what go.sum says.
pub const RULE: Rule = Rule {
    id: "zip-mismatch",
    severity: Severity::Critical,
    incomplete: false,
    title: "A module zip in the module cache is not what go.sum says",
    description: "The zip in the module cache has another h1 than the go.sum line of its module version. The hash was computed from the
zip's content, not read from the .ziphash file beside it. Whatever is extracted from this zip is not the module.

The go command does not notice in time: it hashes a zip once, when it downloads it, and from then on only compares the
text of .ziphash with go.sum. If the extracted folder is absent, go build extracts the changed zip without a word and
builds it. go mod verify compares the zip with .ziphash: it sees this only as long as nobody has changed .ziphash too,
and it never compares either with go.sum.",
    causes: "- The cache was restored from an archive or shared between machines (a CI cache, a build image, a network drive), and
  one of its writers had other content.
- The disk or a copy of the cache damaged the file, or a disk ran full while it was written.
- The author moved the tag, and this cache fetched the module while another copy of go.sum was in use.
- Somebody packed the zip by hand, to serve a patched module under its public name.
- An attack on the cache: a build step that runs foreign code can write to the same cache as all others.",
    help: "1. Do not build from this cache. If `gosum-mismatch` is reported for the same line, go.sum is what is wrong: begin
   there.
2. Keep the zip for comparison, outside of the cache. `modanchor hash zip FILE MODULE@VERSION` shows its h1.
3. Empty the cache and fetch again, with the checksum database on:

       go clean -modcache && go mod download

4. Compare the kept zip with the new one, file by file: a file that differs in content, not only in packing, was
   changed.
5. Find out who writes to that cache. In CI, let only trusted branches save it, and never restore it across projects.
6. Verify, and then build exactly what was verified: `modanchor verify` first, then `GOPROXY=off go build`.
7. Find out what was built since the zip was written, and build it again.",
};
