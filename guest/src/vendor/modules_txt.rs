//! vendor/modules.txt as cmd/go reads it (`modload/vendor.go`, readVendorList; written by `modcmd/vendor.go`).
//!
//! ```text
//! ## workspace
//! # golang.org/x/net v0.44.0
//! ## explicit; go 1.24.0
//! golang.org/x/net/http2/hpack
//! # example.com/a v1.0.0 => example.com/fork v1.0.1
//! # example.com/b => ./b
//! ```
//!
//! The go command stops at nothing here but a `go` version that is newer than itself: it reads past every line that it
//! does not understand, and of two lines that say different things it takes the later one. Each such line is a [`Note`].
//! `go mod vendor` and `go work vendor` write none.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map;

use crate::gosum::Span;
use crate::gosum::gomod::Replacement;
use crate::module::{canonical, compare, is_import_path};
use crate::sort::{map, sort_by};

/// The largest modules.txt that is read, in bytes. That of Kubernetes has some 60,000.
pub const MAX_FILE: usize = 16 << 20;

/// The most notes that are kept: a file with as many is no modules.txt.
pub const MAX_NOTES: usize = 10_000;

/// How many bytes of the file the go command looks at for `## workspace` (`modload/init.go`, modulesTextIsForWorkspace).
const WORKSPACE_WITHIN: usize = 512;

/// A modules.txt. The default is what the go command takes a missing one for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModulesTxt {
    /// `## workspace`: written by `go work vendor`.
    pub workspace: bool,
    /// The modules, by first appearance. No two of the same path and version.
    pub modules: Vec<Module>,
    /// The packages, by import path.
    pub packages: BTreeMap<String, Package>,
    /// What the go command reads past, by line.
    pub notes: Vec<Note>,
    /// The modules that packages are listed under, as indexes, by first such package. Of two versions of a path, a later
    /// one is here only if it is higher.
    pub providers: Vec<usize>,
}

/// A module: a `# …` line, and what the lines below it add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Module path, as written.
    pub path: String,
    /// A semantic version. None: the line `# PATH => …`, which says that every version is replaced.
    pub version: Option<String>,
    /// The line.
    pub at: Span,
    /// The line that marks it `## explicit`: go.mod requires it.
    pub explicit: Option<Span>,
    /// The language version in its own go.mod, as written.
    pub go: Option<String>,
    /// What stands for it. A directory is relative to the folder that holds vendor/.
    pub replacement: Option<Replacement>,
}

/// A package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Package {
    /// The index of its module. Of several, the last.
    pub module: usize,
    /// The line.
    pub at: Span,
}

/// A line that the go command reads past, or reads in a way that a person would not expect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The line.
    pub at: Span,
    /// What is odd about it.
    pub cause: Cause,
}

/// What is odd about a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// `# …` with fewer than two words: what follows still belongs to the module above.
    #[error("not a module line, and ignored: the lines below count for the module above")]
    NoModule,
    /// `# PATH WORD`, where the word is neither a version nor `=>`: what follows belongs to no module.
    #[error("neither version nor replacement: the go command ignores the line and those below it")]
    NoVersion,
    /// Words after `# PATH VERSION` that are no replacement.
    #[error("not a replacement, and ignored")]
    NoReplacement,
    /// The module was there before; what both lines say is joined.
    #[error("the module is listed already, in line {0}")]
    ModuleAgain(u32),
    /// Packages of two versions of a module: there can be but one in a build.
    #[error("packages of another version of the module are listed already, in line {0}")]
    SecondVersion(u32),
    /// A line before the first module, or below one that is ignored.
    #[error("belongs to no module, and is ignored")]
    Orphan,
    /// Neither one of the lines above nor an import path.
    #[error("not understood, and ignored")]
    NoPackage,
    /// The package was there before; the later line counts.
    #[error("the package is listed already, in line {0}")]
    PackageAgain(u32),
    /// The package's path does not begin with the module's path.
    #[error("the package is outside of the module that it is listed under")]
    OutsideModule,
    /// A word after `## ` that has no meaning, or not there.
    #[error("an annotation without meaning here: {0}")]
    Annotation(String),
    /// Bytes that are no UTF-8.
    #[error("invalid UTF-8")]
    InvalidUtf8,
}

/// A modules.txt that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than [`MAX_FILE`].
    #[error("file of {0} bytes, longer than {MAX_FILE}")]
    TooLarge(usize),
}

impl ModulesTxt {
    /// Reads a modules.txt.
    ///
    /// # Errors
    /// It is too large. Nothing else is an error to the go command.
    pub fn parse(content: &[u8]) -> Result<Self, Error> {
        if content.len() > MAX_FILE {
            return Err(Error::TooLarge(content.len()));
        }
        let mut reader =
            Reader { file: Self { workspace: is_workspace(content), ..Self::default() }, ..Reader::default() };
        for (line, number) in content.split(|b| *b == b'\n').zip(1u32..) {
            reader.line(line, number);
        }
        sort_by(&mut reader.file.notes, |a, b| a.at.cmp(&b.at));
        Ok(reader.file)
    }

    /// The indexes of the modules, by path and version.
    pub fn by_name(&self) -> BTreeMap<(&str, Option<&str>), usize> {
        let modules = self.modules.iter().enumerate();
        map(modules.map(|(i, module)| ((module.path.as_str(), module.version.as_deref()), i)))
    }
}

/// Whether the first line has the word `workspace`.
fn is_workspace(content: &[u8]) -> bool {
    let start = &content[..content.len().min(WORKSPACE_WITHIN)];
    let line = String::from_utf8_lossy(start.split(|b| *b == b'\n').next().unwrap_or_default());
    annotations(&line).is_some_and(|mut words| words.any(|word| word == "workspace"))
}

/// The annotations of a `## …` line.
fn annotations(line: &str) -> Option<impl Iterator<Item = &str>> {
    Some(line.strip_prefix("## ")?.split(';').map(str::trim))
}

#[derive(Default)]
struct Reader {
    file: ModulesTxt,
    by_name: BTreeMap<(String, Option<String>), usize>,
    /// The highest version that packages are listed under, by module path.
    selected: BTreeMap<String, usize>,
    /// The module that the next lines are about.
    current: Option<usize>,
}

impl Reader {
    fn line(&mut self, bytes: &[u8], number: u32) {
        let line = String::from_utf8_lossy(bytes);
        let at = span(&line, number);
        if matches!(line, Cow::Owned(_)) {
            self.note(at, Cause::InvalidUtf8);
        }
        if line.starts_with("# ") {
            self.module(&line, at);
        } else if number == 1 && self.file.workspace {
            // The go command reads past the other words of this line, since no module is above it.
            self.unknown(&line, at, |word| word == "workspace");
        } else if let Some(module) = self.current {
            match annotations(&line) {
                Some(words) => self.annotate(module, words, at),
                None => self.package(module, &line, at),
            }
        } else if !line.trim().is_empty() {
            self.note(at, Cause::Orphan);
        }
    }

    /// `# PATH [VERSION] [=> PATH [VERSION]]`
    fn module(&mut self, line: &str, at: Span) {
        let mut words = line.split_whitespace().skip(1);
        let (Some(path), Some(second)) = (words.next(), words.next()) else {
            return self.note(at, Cause::NoModule);
        };
        let version = is_version(second).then_some(second);
        if version.is_none() && second != "=>" {
            self.current = None;
            return self.note(at, Cause::NoVersion);
        }
        let rest: Vec<&str> = version.is_none().then_some(second).into_iter().chain(words).take(4).collect();
        let replacement = match rest.as_slice() {
            [] => None,
            ["=>", path] => Some(Replacement::Directory((*path).to_owned())),
            ["=>", path, version] if is_version(version) => {
                Some(Replacement::Module { path: (*path).to_owned(), version: (*version).to_owned() })
            }
            _ => {
                self.note(at, Cause::NoReplacement);
                None
            }
        };
        let key = (path.to_owned(), version.map(str::to_owned));
        let next = self.file.modules.len();
        match self.by_name.entry(key) {
            btree_map::Entry::Vacant(entry) => {
                entry.insert(next);
                self.file.modules.push(Module {
                    path: path.to_owned(),
                    version: version.map(str::to_owned),
                    at,
                    explicit: None,
                    go: None,
                    replacement,
                });
                self.current = Some(next);
            }
            btree_map::Entry::Occupied(entry) => {
                let index = *entry.get();
                let module = &mut self.file.modules[index];
                let first = module.at.line;
                if replacement.is_some() {
                    module.replacement = replacement;
                }
                self.current = Some(index);
                self.note(at, Cause::ModuleAgain(first));
            }
        }
    }

    fn annotate<'w>(&mut self, module: usize, words: impl Iterator<Item = &'w str>, at: Span) {
        for word in words {
            let module = &mut self.file.modules[module];
            if word == "explicit" {
                module.explicit.get_or_insert(at);
            } else if let Some(go) = word.strip_prefix("go ") {
                module.go = Some(go.to_owned());
            } else {
                self.note(at, Cause::Annotation(word.to_owned()));
            }
        }
    }

    /// Tells of the annotations that are not `known`.
    fn unknown(&mut self, line: &str, at: Span, known: impl Fn(&str) -> bool) {
        for word in annotations(line).into_iter().flatten().filter(|word| !known(word)) {
            self.note(at, Cause::Annotation(word.to_owned()));
        }
    }

    fn package(&mut self, module: usize, line: &str, at: Span) {
        let mut words = line.split_whitespace();
        let path = match (words.next(), words.next()) {
            (None, _) => return,
            (Some(path), None) if is_import_path(path) => path,
            _ => return self.note(at, Cause::NoPackage),
        };
        if let Some(earlier) = self.file.packages.insert(path.to_owned(), Package { module, at }) {
            self.note(at, Cause::PackageAgain(earlier.at.line));
        }
        if !is_within(path, &self.file.modules[module].path) {
            self.note(at, Cause::OutsideModule);
        }
        let module_path = &self.file.modules[module].path;
        match self.selected.get_mut(module_path) {
            None => {
                self.selected.insert(module_path.clone(), module);
                self.file.providers.push(module);
            }
            Some(known) if *known != module => {
                let other = &self.file.modules[*known];
                let line = other.at.line;
                let version = |module: &Module| module.version.clone().unwrap_or_default();
                if compare(&version(other), &version(&self.file.modules[module])).is_lt() {
                    *known = module;
                    self.file.providers.push(module);
                }
                self.note(at, Cause::SecondVersion(line));
            }
            Some(_) => {}
        }
    }

    fn note(&mut self, at: Span, cause: Cause) {
        if self.file.notes.len() < MAX_NOTES {
            self.file.notes.push(Note { at, cause });
        }
    }
}

/// golang.org/x/mod/semver.IsValid.
fn is_version(word: &str) -> bool {
    canonical(word).is_some()
}

/// Whether a package's path, or a file's, is a module's or below it.
pub(super) fn is_within<T: AsRef<[u8]> + ?Sized>(path: &T, module: &str) -> bool {
    path.as_ref().strip_prefix(module.as_bytes()).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

/// All of a line but the white space around it.
fn span(line: &str, number: u32) -> Span {
    let characters = |text: &str| u32::try_from(text.chars().count()).unwrap_or(u32::MAX).saturating_add(1);
    let text = line.trim();
    let column = characters(&line[..line.len() - line.trim_start().len()]);
    Span { line: number, column, end_column: column.saturating_add(characters(text).max(2) - 1) }
}
