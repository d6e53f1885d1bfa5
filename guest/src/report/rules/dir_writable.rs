//! `dir-writable`.

use super::{Rule, Severity};

/// Extracted modules in the module cache can be written.
pub const RULE: Rule = Rule {
    id: "dir-writable",
    severity: Severity::Note,
    incomplete: false,
    title: "Extracted modules in the module cache can be written",
    description: "The go command extracts modules read-only, so that an editor, a test or a stray tool cannot change what later builds
compile. In this cache, files or folders of an extracted module can be written, or are symbolic links, which the go
command never makes. Their content was right when it was looked at.

It is a note, since whoever owns the files can make them writable at any time; but a change would go unnoticed: go build
never hashes an extracted folder again.",
    causes: "- `-modcacherw` in GOFLAGS, in a CI template or a build image, so that the cache can be removed with `rm -rf`.
- The cache was restored from an archive that does not keep modes, or is on a file system without them.
- Somebody ran `chmod -R u+w` to edit a dependency, or to delete the cache.
- A container runs as root, or another user owns the folder.",
    help: "1. See who set it: `go env GOFLAGS GOENV`. To delete a cache, `go clean -modcache` needs no `-modcacherw`.
2. Remove the flag, and let the go command extract again: `go clean -modcache && go mod download`.
3. If it must stay (some CI caches cannot remove read-only files), verify right before each build, and let nothing run
   in between: `modanchor verify && GOPROXY=off go build`.
4. Where several users or jobs share a cache, give each its own `GOMODCACHE`.",
};
