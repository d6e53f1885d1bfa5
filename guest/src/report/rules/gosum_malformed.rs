//! `gosum-malformed`.

use super::{Rule, Severity};

/// A line that cmd/go refuses, or reads as something it was not meant to be.
pub const RULE: Rule = Rule {
    id: "gosum-malformed",
    severity: Severity::High,
    incomplete: false,
    title: "A line that cmd/go refuses, or reads as something it was not meant to be",
    description: r#"A line of go.sum is three fields: module path, version, hash. With any other number of fields the go command stops
with "malformed go.sum: wrong number of fields". Three fields that are no go.sum line at all are worse: the go command
takes them without a word, as an entry for a module that does not exist, and the entry that was meant is missing.
A byte order mark at the start does that to the first line; so do NUL bytes, invalid UTF-8, and comments of three words.
The line was not compared with the checksum database, because it names nothing that the database could know."#,
    causes: "- Conflict markers (`<<<<<<<`, `=======`, `>>>>>>>`) were left behind by a merge.
- An editor or a script on Windows saved the file as UTF-8 with a byte order mark, or as UTF-16.
- A comment was added: go.sum has no comments.
- The file was cut, or two lines were joined, by a full disk or an interrupted write.",
    help: "1. Look at the bytes of the line, not only at the screen: `sed -n 'LINEp' go.sum | od -c | head`.
2. If the file is in a merge conflict, solve it: keep the lines of both sides, drop the markers, and let
   `modanchor verify` say which lines are right.
3. If the file is damaged, take the last good version from git: `git log -p -- go.sum`.
4. Run `go mod tidy` and read the diff. It drops malformed lines without saying so and adds what is missing.
5. Run `modanchor verify` again: added lines are compared with the checksum database like all others.",
};
