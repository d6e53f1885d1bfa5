//! go.work, as far as it says what go.sum and go.work.sum must hold (golang.org/x/mod/modfile, `work.go`).

use super::Span;
use super::gomod::{self, Replace};
use super::syntax::{self, Cause, SyntaxError};

/// A go.work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GoWork {
    /// The `go` line: `1.23.0`.
    pub go: Option<String>,
    /// The `toolchain` line: `go1.23.0`.
    pub toolchain: Option<String>,
    /// The modules of the workspace.
    pub uses: Vec<Use>,
    /// What stands for something else, whatever the modules of the workspace say.
    pub replace: Vec<Replace>,
}

/// A `use` line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The module's directory as written, relative to the go.work.
    pub directory: String,
    /// Where it is.
    pub at: Span,
}

impl GoWork {
    /// Reads a go.work. Unknown directives are read past.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(content: &[u8]) -> Result<Self, SyntaxError> {
        let text = syntax::text(content)?;
        let mut file = Self::default();
        for line in syntax::lines(&text, &["use", "replace"], &["go", "toolchain"])? {
            match line.verb.text {
                "go" => {
                    syntax::set_once(&mut file.go, syntax::go_version(&line)?, &line, "go")?;
                }
                "toolchain" => {
                    let name = syntax::toolchain(&line)?;
                    syntax::set_once(&mut file.toolchain, name, &line, "toolchain")?;
                }
                "use" => {
                    if line.args.len() != 1 {
                        return Err(line.error(Cause::Usage("use local/dir")));
                    }
                    file.uses.push(Use { directory: line.string(0)?, at: line.at() });
                }
                "replace" => file.replace.push(gomod::replace(&line)?),
                _ => {}
            }
        }
        Ok(file)
    }
}
