//! The text of modules and settings (runtime/debug ParseBuildInfo and BuildInfo.String).

use crate::gosum::syntax::unquote;
use crate::module::quote;

use super::{BuildInfo, BuildModule, MAX_TEXT, Setting};

/// The most lines.
pub const MAX_LINES: usize = 1 << 16;

/// A line that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {cause}")]
pub struct ParseError {
    /// 1-based line of the text.
    pub line: u32,
    /// What is wrong with it.
    pub cause: LineCause,
}

/// What can be wrong with a line. The messages are those of runtime/debug where Go has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineCause {
    /// The text is longer than [`MAX_TEXT`].
    #[error("text of {0} bytes, longer than {MAX_TEXT}")]
    TooLong(usize),
    /// There are more than [`MAX_LINES`] lines.
    #[error("more than {MAX_LINES} lines")]
    TooMany,
    /// A module has a path and a version, perhaps a sum.
    #[error("expected 2 or 3 columns; got {0}")]
    Columns(usize),
    /// A replacement has a path, a version and a sum, which may be empty.
    #[error("expected 3 columns for replacement; got {0}")]
    ReplacementColumns(usize),
    /// A replacement of nothing.
    #[error("replacement with no module on previous line")]
    Replacement,
    /// A setting without `=`.
    #[error("build line missing '='")]
    Equals,
    /// A setting without a name.
    #[error("build line with missing key")]
    NoKey,
    /// A quoted name.
    #[error("invalid quoted key in build line")]
    QuotedKey,
    /// Something between a quoted name and `=`.
    #[error("unexpected character after quoted key")]
    AfterKey,
    /// A name with white space or a quote in it.
    #[error("unquoted key {} must be quoted", quote(.0))]
    UnquotedKey(String),
    /// A quoted value.
    #[error("invalid quoted value in build line")]
    QuotedValue,
    /// A value with white space or a quote in it.
    #[error("unquoted value {} must be quoted", quote(.0))]
    UnquotedValue(String),
}

impl BuildInfo {
    /// Takes apart the text that a program holds (runtime/debug ParseBuildInfo), without the sentinels around it.
    /// `go_version` is kept as it is.
    ///
    /// Lines of an unknown kind, and a last line without `\n`, are passed over, as Go does.
    ///
    /// # Errors
    /// The first line that Go refuses; [`LineCause::TooLong`] and [`LineCause::TooMany`] are limits of this reader.
    pub fn parse(go_version: String, text: String) -> Result<Self, ParseError> {
        let error = |line: usize, cause| ParseError { line: line as u32, cause };
        if text.len() as u64 > MAX_TEXT {
            return Err(error(1, LineCause::TooLong(text.len())));
        }
        let mut path = "";
        let mut main = None;
        let mut deps = Vec::new();
        let mut settings = Vec::new();
        let mut last = Last::None;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let Some(line) = line.strip_suffix('\n') else {
                break;
            };
            if number > MAX_LINES {
                return Err(error(number, LineCause::TooMany));
            }
            let fail = |cause| error(number, cause);
            let Some((kind, rest)) = line.split_once('\t') else {
                continue;
            };
            match kind {
                "path" => path = rest,
                "mod" => {
                    main = Some(module(rest).map_err(fail)?);
                    last = Last::Main;
                }
                "dep" => {
                    deps.push(module(rest).map_err(fail)?);
                    last = Last::Dep;
                }
                "=>" => {
                    let columns: Vec<&str> = rest.split('\t').collect();
                    let [path, version, sum] = columns.as_slice() else {
                        return Err(fail(LineCause::ReplacementColumns(columns.len())));
                    };
                    let replaced = match std::mem::replace(&mut last, Last::None) {
                        Last::None => None,
                        Last::Main => main.as_mut(),
                        Last::Dep => deps.last_mut(),
                    };
                    let replaced: &mut BuildModule = replaced.ok_or_else(|| fail(LineCause::Replacement))?;
                    replaced.replace = Some(Box::new(new_module(path, version, sum)));
                }
                "build" => settings.push(setting(rest).map_err(fail)?),
                _ => {}
            }
        }
        let empty = new_module("", "", "");
        let path = path.to_owned();
        let main = main.filter(|main| *main != empty);
        let mut info = Self { go_version, path, main, deps, settings, text, unread_programs: 0 };
        info.number_lines();
        Ok(info)
    }

    /// Sets every `line` to where [`listing`] has it.
    fn number_lines(&mut self) {
        let mut line = if self.path.is_empty() { 2 } else { 3 };
        for module in self.main.iter_mut().chain(&mut self.deps) {
            module.line = line;
            line += 1;
            if let Some(replace) = &mut module.replace {
                replace.line = line;
                // Go puts a blank line after a replacement.
                line += 2;
            }
        }
        for setting in &mut self.settings {
            setting.line = line;
            line += 1;
        }
    }
}

/// What a replacement belongs to.
enum Last {
    None,
    Main,
    Dep,
}

fn new_module(path: &str, version: &str, sum: &str) -> BuildModule {
    BuildModule { path: path.to_owned(), version: version.to_owned(), sum: sum.to_owned(), replace: None, line: 0 }
}

fn module(columns: &str) -> Result<BuildModule, LineCause> {
    match columns.split('\t').collect::<Vec<_>>().as_slice() {
        [path, version] => Ok(new_module(path, version, "")),
        [path, version, sum] => Ok(new_module(path, version, sum)),
        columns => Err(LineCause::Columns(columns.len())),
    }
}

fn setting(text: &str) -> Result<Setting, LineCause> {
    let (key, value) = match text.chars().next() {
        None => return Err(LineCause::Equals),
        Some('=') => return Err(LineCause::NoKey),
        Some('`' | '"') => {
            let (quoted, rest) = quoted_prefix(text).ok_or(LineCause::QuotedKey)?;
            let key = go_unquote(quoted).ok_or(LineCause::QuotedKey)?;
            match rest.strip_prefix('=') {
                Some(value) => (key, value),
                None if rest.is_empty() => return Err(LineCause::Equals),
                None => return Err(LineCause::AfterKey),
            }
        }
        Some(_) => {
            let (key, value) = text.split_once('=').ok_or(LineCause::Equals)?;
            if must_quote_key(key) {
                return Err(LineCause::UnquotedKey(key.to_owned()));
            }
            (key.to_owned(), value)
        }
    };
    let value = if value.starts_with(['`', '"']) {
        go_unquote(value).ok_or(LineCause::QuotedValue)?
    } else if must_quote_value(value) {
        return Err(LineCause::UnquotedValue(value.to_owned()));
    } else {
        value.to_owned()
    };
    Ok(Setting { key, value, line: 0 })
}

fn must_quote_key(key: &str) -> bool {
    key.is_empty() || key.contains(['=', ' ', '\t', '\r', '\n', '"', '`'])
}

fn must_quote_value(value: &str) -> bool {
    value.contains([' ', '\t', '\r', '\n', '"', '`'])
}

/// A quoted string at the beginning, and the rest (strconv.QuotedPrefix, but for the escapes in it).
fn quoted_prefix(text: &str) -> Option<(&str, &str)> {
    let mark = text.chars().next()?;
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let ends = *c == mark && !escaped;
        escaped = *c == '\\' && !escaped && mark == '"';
        ends
    });
    end.map(|(end, _)| text.split_at(end + 1))
}

/// strconv.Unquote of a string in back quotes or double quotes.
fn go_unquote(quoted: &str) -> Option<String> {
    match quoted.strip_prefix('`') {
        // Go leaves out carriage returns.
        Some(rest) => rest.strip_suffix('`').filter(|raw| !raw.contains('`')).map(|raw| raw.replace('\r', "")),
        None => unquote(quoted),
    }
}

/// The output of `go version -m FILE`.
pub(super) fn listing(info: &BuildInfo, file: &str) -> String {
    fn push(out: &mut String, word: &str, module: &BuildModule) {
        out.push_str(&format!("\t{word}\t{}\t{}", module.path, module.version));
        match &module.replace {
            None => out.push_str(&format!("\t{}\n", module.sum)),
            Some(replace) => {
                out.push('\n');
                push(out, "=>", replace);
                out.push_str("\t\n");
            }
        }
    }
    let mut out = format!("{file}: {}\n", info.go_version);
    if !info.path.is_empty() {
        out.push_str(&format!("\tpath\t{}\n", info.path));
    }
    if let Some(main) = &info.main {
        push(&mut out, "mod", main);
    }
    for dep in &info.deps {
        push(&mut out, "dep", dep);
    }
    for setting in &info.settings {
        let key = if must_quote_key(&setting.key) { quote(&setting.key) } else { setting.key.clone() };
        let value = if must_quote_value(&setting.value) { quote(&setting.value) } else { setting.value.clone() };
        out.push_str(&format!("\tbuild\t{key}={value}\n"));
    }
    out
}
