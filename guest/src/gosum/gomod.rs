//! go.mod of a main module, as far as it says what go.sum must hold (golang.org/x/mod/modfile, `rule.go`).
//!
//! Directives that are unknown, and those that say nothing about go.sum, are read past. What is broken in the others is
//! an error, as for the go command, which then does nothing at all.

use super::Span;
use super::syntax::{self, Cause, Line, SyntaxError};

/// A go.mod.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoMod {
    /// The module's path. That of a main module need not be one that could be asked for.
    pub module: Option<String>,
    /// The `go` line: `1.23.0`.
    pub go: Option<String>,
    /// The `toolchain` line: `go1.23.0`.
    pub toolchain: Option<String>,
    /// What it requires.
    pub require: Vec<Require>,
    /// What it does not want to see.
    pub exclude: Vec<Exclude>,
    /// What stands for something else.
    pub replace: Vec<Replace>,
}

/// A `require` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Require {
    /// Module path, as written: where it is replaced, it need not be one that could be asked for.
    pub path: String,
    /// Version, canonical if it is one.
    pub version: String,
    /// `// indirect`: no package of the main module imports it.
    pub indirect: bool,
    /// Path and version.
    pub at: Span,
}

/// An `exclude` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exclude {
    /// Module path.
    pub path: String,
    /// Version, canonical if it is one.
    pub version: String,
    /// Path and version.
    pub at: Span,
}

/// A `replace` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replace {
    /// Module path.
    pub path: String,
    /// The one version that is replaced; none: every version.
    pub version: Option<String>,
    /// What stands for it.
    pub with: Replacement,
    /// The whole line but its directive.
    pub at: Span,
}

/// What stands for a module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Replacement {
    /// Another module, or another version.
    Module {
        /// Module path.
        path: String,
        /// Version, canonical if it is one.
        version: String,
    },
    /// A directory, which has no line in go.sum.
    Directory(String),
}

impl GoMod {
    /// Reads a go.mod.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(content: &[u8]) -> Result<Self, SyntaxError> {
        let text = syntax::text(content)?;
        let mut file = Self::default();
        let blocks = ["module", "require", "exclude", "replace"];
        for line in syntax::lines(&text, &blocks, &["go", "toolchain"])? {
            match line.verb.text {
                "module" => {
                    if line.args.len() != 1 {
                        return Err(line.error(Cause::Usage("module module/path")));
                    }
                    syntax::set_once(&mut file.module, line.string(0)?, &line, "module")?;
                }
                "go" => {
                    syntax::set_once(&mut file.go, syntax::go_version(&line)?, &line, "go")?;
                }
                "toolchain" => {
                    let name = syntax::toolchain(&line)?;
                    syntax::set_once(&mut file.toolchain, name, &line, "toolchain")?;
                }
                "require" => {
                    let (path, version) = pair(&line, "require module/path v1.2.3")?;
                    file.require.push(Require { path, version, indirect: is_indirect(&line), at: line.at() });
                }
                "exclude" => {
                    let (path, version) = pair(&line, "exclude module/path v1.2.3")?;
                    file.exclude.push(Exclude { path, version, at: line.at() });
                }
                "replace" => file.replace.push(replace(&line)?),
                _ => {}
            }
        }
        Ok(file)
    }
}

fn pair(line: &Line<'_>, usage: &'static str) -> Result<(String, String), SyntaxError> {
    if line.args.len() != 2 {
        return Err(line.error(Cause::Usage(usage)));
    }
    Ok((line.module_path(0)?, line.version(1)?))
}

/// `// indirect`, alone or with `;` and a reason.
fn is_indirect(line: &Line<'_>) -> bool {
    let mut words = line.comment.unwrap_or_default().split_whitespace();
    match words.next() {
        Some("indirect") => words.next().is_none(),
        Some("indirect;") => words.next().is_some(),
        _ => false,
    }
}

/// A `replace` line of go.mod or go.work.
pub(super) fn replace(line: &Line<'_>) -> Result<Replace, SyntaxError> {
    const USAGE: &str = "replace module/path [v1.2.3] => other/module v1.4, or => ../local/directory";
    let arrow = match line.args.get(1) {
        Some(word) if word.text == "=>" => 1,
        _ => 2,
    };
    let has_arrow = line.args.get(arrow).is_some_and(|word| word.text == "=>");
    if !has_arrow || !(arrow + 2..=arrow + 3).contains(&line.args.len()) {
        return Err(line.error(Cause::Usage(USAGE)));
    }
    let path = line.module_path(0)?;
    let version = match arrow {
        2 => Some(line.version(1)?),
        _ => None,
    };
    let target = line.string(arrow + 1)?;
    let is_directory = is_directory(&target);
    let with = match (line.args.len() == arrow + 3, is_directory) {
        (true, true) => return Err(line.error(Cause::ReplacementDirectory(target))),
        (true, false) => Replacement::Module { version: line.version(arrow + 2)?, path: target },
        (false, true) => Replacement::Directory(target),
        (false, false) => return Err(line.error(Cause::ReplacementVersion)),
    };
    Ok(Replace { path, version, with, at: line.at() })
}

/// Whether a replacement is a directory of any system, not a module (modfile.IsDirectoryPath).
fn is_directory(path: &str) -> bool {
    let relative =
        |dots: &str| path.strip_prefix(dots).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '\\']));
    let drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    relative(".") || relative("..") || path.starts_with(['/', '\\']) || drive
}
