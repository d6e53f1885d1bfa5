//! `vendor-inconsistent`.

use super::{Rule, Severity};

/// vendor/modules.txt does not agree with go.mod.
pub const RULE: Rule = Rule {
    id: "vendor-inconsistent",
    severity: Severity::High,
    incomplete: false,
    title: "vendor/modules.txt does not agree with go.mod",
    description: r#"vendor/modules.txt says which module version every vendored package comes from. It disagrees with go.mod (in a
workspace, with go.work and the go.mod files of its modules), or has a line that the go command reads past. Then it is
not known which module the files should be compared with, or they are compared with one that go.mod does not ask for.

The go command notices most of it, "inconsistent vendoring", when it uses vendor/. It does not notice packages listed
under another version than the required one, or under a module that is not required, a replacement missing in the line
of the module itself, nor lines that it does not understand: where one of these is meant, the message says so."#,
    causes: "- go.mod was edited, by hand or by a bot, and nobody ran `go mod vendor`. By far the most frequent.
- A merge took go.mod from one branch and vendor/ from the other.
- A `replace` for local work was added or removed.
- vendor/ belongs to a workspace and the module is looked at alone, or the other way round.
- modules.txt was written by another tool, or by hand.
- An attack: files of an older, vulnerable version are vendored, and modules.txt is written so that nothing complains.",
    help:
        "1. Run `go mod tidy && go mod vendor` (in a workspace: `go work sync && go work vendor`), and read the diff of
   modules.txt and of vendor/.
2. If a module's version changes in it, that is what was built so far: see what lies between the two versions.
3. Run `modanchor verify` again: the vendored files are then compared with the versions that go.mod names.
4. Commit go.mod, go.sum and vendor/ together. If a bot updates go.mod, have it run `go mod vendor` too.
5. A go command that is told `-mod=mod` or `-mod=readonly` (GOFLAGS) does not look at vendor/ at all: then see whether
   the folder is needed.",
};
