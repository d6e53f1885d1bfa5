//! Settings that disarm Go's own checks: in the environment, in go.env, and in the files that set up builds.
//!
//! | file | what it reads |
//! |---|---|
//! | `shell` | scripts, and what the others hand to a shell |
//! | `dockerfile`, `makefile`, `yaml`, `devcontainer`, `env_file` | one syntax each |
//! | `input` | what is linted |
//! | `settings` | the names of Go's settings, and of what is taken for some |
//! | `judge` | what is wrong with a value, in words |
//! | `fix` | the changes that are safe |
//!
//! # Security
//!
//! A linter of other people's files cannot be complete: a script can compute any name and value, and nothing here runs
//! it. So a run without findings says only that nothing is set where and how people set it. What *is* set for a run is told
//! by `verify`, which reports by whose word lines were skipped; and a build that ignored go.sum shows in the bytes.
//!
//! Every file is read to its end whatever is in it. What its own syntax cannot read is read line by line: nothing is
//! passed over in silence. A value that is only known when it runs (`${{ … }}`, `$(VAR)`) is not judged.

use std::ops::Range;

use crate::gosum::Span;
use crate::report::{Rule, Severity};

mod detect;
mod devcontainer;
mod dockerfile;
mod env_file;
mod fix;
mod glyph;
mod input;
mod judge;
mod makefile;
mod settings;
mod shell;
mod yaml;

pub use detect::{Detected, MAX_FIRST_LINE, by_first_line, detect, is_kind, kind};
pub use fix::{Fixed, fix};
pub use input::{Setting, SettingPlace, SettingsFile, Syntax};
pub use judge::without_credentials;
pub use settings::NAMES;

use glyph::{Glyph, Places};

/// The largest file that is read, in bytes: scripts and CI files are far smaller, and what is generated sets nothing.
pub const MAX_FILE: u64 = 1 << 20;

/// Something that is wrong with a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// By which rule.
    pub rule: &'static Rule,
    /// The rule's, or less.
    pub severity: Severity,
    /// What happened, in one sentence.
    pub message: String,
    /// As it is written, `NAME=VALUE` or a flag; `…` stands for what is only known when it runs.
    pub found: String,
    /// What to set instead.
    pub expected: String,
    /// By whose word.
    pub by: String,
    /// What to do.
    pub help: String,
    /// Where; none: in no file.
    pub at: Option<Span>,
    /// The setting, or the command's name.
    pub name: &'static str,
    /// The change that ends it, if one is safe.
    edit: Option<Edit>,
}

/// What is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// How many lines it has.
    pub lines: u64,
    /// By place.
    pub problems: Vec<Problem>,
}

/// A replacement of some bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Edit {
    bytes: Range<usize>,
    new: String,
    /// What it does, in words.
    what: String,
    /// It takes out a statement, and its lines with it.
    statement: bool,
}

/// One setting being set in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Assignment {
    name: &'static str,
    name_at: Range<usize>,
    value: Vec<Glyph>,
    /// All of it that must stay together, quotes included.
    source: Option<Range<usize>>,
    /// The statement, if it does nothing else.
    alone: Option<Range<usize>>,
}

impl Assignment {
    fn new(name: &'static str, name_at: Range<usize>, value: Vec<Glyph>, source: Option<Range<usize>>) -> Self {
        Self { name, name_at, value, source, alone: None }
    }

    fn alone(mut self, statement: Option<Range<usize>>) -> Self {
        self.alone = statement;
        self
    }
}

/// One `go …`, without the `go`.
#[derive(Debug, Clone)]
struct Command {
    words: Vec<shell::Word>,
}

/// What a file says.
#[derive(Debug, Default)]
struct Facts {
    assignments: Vec<Assignment>,
    commands: Vec<Command>,
}

impl Facts {
    fn assign(&mut self, found: impl IntoIterator<Item: Into<Option<Assignment>>>) {
        self.assignments.extend(found.into_iter().filter_map(Into::into));
    }
}

/// Finds what is wrong in a file.
pub fn file(syntax: Syntax, content: &[u8]) -> Scan {
    let places = Places::new(content);
    let facts = facts(syntax, content);
    let mut problems: Vec<(Range<usize>, Problem)> = Vec::new();
    for assignment in &facts.assignments {
        judge::assignment(assignment, &mut |at, problem| problems.push((at, problem)));
    }
    for command in &facts.commands {
        judge::command(command, &mut |at, problem| problems.push((at, problem)));
    }
    problems.sort_by(|(a, p), (b, q)| (a.start, a.end, p.rule.id).cmp(&(b.start, b.end, q.rule.id)));
    // A text may be read twice, as YAML and as a script.
    problems.dedup_by(|(a, p), (b, q)| (&*a, p.rule.id) == (&*b, q.rule.id));
    let problems = problems
        .into_iter()
        .map(|(at, mut problem)| {
            problem.at = Some(places.span(&at));
            problem.edit = problem.edit.and_then(|edit| fix::checked(syntax, content, &places, edit));
            problem
        })
        .collect();
    Scan { lines: places.lines(), problems }
}

fn facts(syntax: Syntax, content: &[u8]) -> Facts {
    let glyphs = glyph::decode(content);
    let glyphs = match glyphs.as_slice() {
        [bom, rest @ ..] if bom.c == '\u{feff}' => rest,
        all => all,
    };
    let mut facts = Facts::default();
    match syntax {
        Syntax::GoEnv => env_file::go_env(glyphs, &mut facts),
        Syntax::EnvFile => env_file::env_file(glyphs, &mut facts),
        Syntax::Shell => shell::scan(glyphs, &mut facts),
        Syntax::Dockerfile => dockerfile::scan(glyphs, &mut facts),
        Syntax::Makefile => makefile::scan(glyphs, &mut facts),
        Syntax::Workflow | Syntax::GitlabCi | Syntax::Compose | Syntax::Yaml => {
            yaml::scan(content, glyphs, &mut facts);
        }
        Syntax::Devcontainer => devcontainer::scan(glyphs, &mut facts),
    }
    facts
}

/// Finds what is wrong with the settings in force. A GOPRIVATE that GONOSUMDB overrides keeps nothing from the database.
pub fn environment<'a>(settings: impl IntoIterator<Item = (&'a str, &'a str, SettingPlace)>) -> Vec<Problem> {
    let settings: Vec<_> = settings.into_iter().collect();
    let overridden = settings.iter().any(|(name, value, _)| *name == "GONOSUMDB" && !value.is_empty());
    let mut problems = Vec::new();
    for (name, value, place) in settings {
        if name == "GOPRIVATE" && overridden {
            continue;
        }
        if let Some(name) = settings::of_interest(name) {
            judge::setting(name, value, place, &mut problems);
        }
    }
    problems
}
