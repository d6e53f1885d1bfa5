//! `vendor-extra`.

use super::{Rule, Severity};

/// A vendored file is in no module's zip.
pub const RULE: Rule = Rule {
    id: "vendor-extra",
    severity: Severity::High,
    incomplete: false,
    title: "A vendored file is in no module's zip",
    description: "A file below vendor/ is not in the zip of the module that its folder belongs to, or its folder belongs to no module of
vendor/modules.txt, or it is a symbolic link or another thing that go mod vendor never makes. Nobody vouches for it.

The go command does not notice: a .go file, or a C, assembly or .syso file in a package's folder is compiled or linked
into the package like all others. A whole package that modules.txt does not list is ignored if go.mod says go 1.23 or
later, with a warning, and is built without one below that.",
    causes: "- Somebody added a file to a dependency: a patch, a build constraint, a BUILD file for another build system.
- A dependency or a package was removed from go.mod or modules.txt, but not its files.
- A tool left its own files: `.DS_Store`, `*.orig`, `*.rej`, a README in vendor/.
- modules.txt names another version than the one that was copied, and that version has no such file.
- An attack: an added file with an `init` function changes the program, and no existing line of code.",
    help: "1. Look at the file: `git log -p -- vendor/FILE` says who added it, and when.
2. Let the go command make the folder anew; it removes everything that does not belong there: `go mod vendor` (in a
   workspace: `go work vendor`), then `git status -- vendor`.
3. If the file is needed, put it into a fork of the module and use `replace`; files for other build systems belong
   outside of vendor/.
4. If it is a source file and nobody can explain it, treat it as an attack: find what was built with it.",
};
