//! `sumdb-unknown-module`.

use super::{Rule, Severity};

/// The checksum database has no record of this module version.
pub const RULE: Rule = Rule {
    id: "sumdb-unknown-module",
    severity: Severity::High,
    incomplete: true,
    title: "The checksum database has no record of this module version",
    description: "The database answered that it does not know this module version. That answer is signed by nobody, so it proves
nothing: the line is neither confirmed nor refuted. For a public module that people use, it is odd: the database logs
every version when the first person in the world fetches it by the default settings.",
    causes: "- The module is private, and `GOPRIVATE` does not cover it. Its name has then just been sent to a public service.
- The version was published moments ago, or the database could not reach its repository for the moment.
- The tag or the whole repository was deleted before anybody fetched it by way of the database.
- The path or the version is mistyped, or was made up: nobody else in the world builds with it.
- A proxy answers 404 for look-ups that it cannot serve.",
    help: "1. Is it yours and private? Then say so, as narrowly as possible, for every machine that builds it:

       go env -w 'GOPRIVATE=git.corp.example/team/*'

   The line then counts as skipped. Do not cover public modules by this: they would lose their protection.
2. Is it public? Check path and version letter by letter against the project's own page, and whether the tag exists.
3. Ask the database in a browser: `https://sum.golang.org/lookup/MODULE@VERSION`. That makes it try to fetch the
   version, and the text of its answer says what went wrong. For a new version, wait a few minutes and run again.
4. If the public version has disappeared: nobody can vouch for it any more. Move to a version that is logged, or take
   the code in as a module of your own.",
};
