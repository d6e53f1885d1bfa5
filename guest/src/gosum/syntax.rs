//! The syntax that go.mod and go.work share (golang.org/x/mod/modfile, `read.go`): lines of words, blocks of lines in
//! parentheses, `//` comments.

use std::borrow::Cow;

use crate::module::{canonical, is_print, quote, quote_char, split_path_version};

use super::Span;

/// The largest go.mod or go.work that is read, in bytes: what Go allows for the go.mod of a module
/// (golang.org/x/mod/zip.MaxGoMod).
pub const MAX_FILE: usize = 16 << 20;

/// What is wrong with a go.mod or go.work, and where. The go command refuses such a file as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct SyntaxError {
    /// The place.
    pub at: Span,
    /// What is wrong.
    pub cause: Cause,
}

/// What can be wrong with a go.mod or go.work. The messages are Go's where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Longer than [`MAX_FILE`].
    #[error("file of {0} bytes, longer than {MAX_FILE}")]
    TooLarge(usize),
    /// `/*`.
    #[error("mod files must use // comments (not /* */ comments)")]
    BlockComment,
    /// Something that cannot be printed, such as a byte-order mark.
    #[error("unexpected input character {}", quote_char(*.0))]
    InputCharacter(char),
    /// A quoted string does not end.
    #[error("unexpected EOF in string")]
    StringAtEnd,
    /// A quoted string does not end on its line.
    #[error("unexpected newline in string")]
    StringAtNewline,
    /// A block does not end.
    #[error("syntax error (unterminated block)")]
    UnterminatedBlock,
    /// Something after a block's `)`.
    #[error("syntax error (expected newline after closing paren)")]
    AfterBlock,
    /// A directive that has no blocks, or words between it and its `(`.
    #[error("unknown block type: {0}")]
    UnknownBlock(String),
    /// A directive that may be there once is there again.
    #[error("repeated {0} statement")]
    Repeated(&'static str),
    /// Too few words, or too many.
    #[error("usage: {0}")]
    Usage(&'static str),
    /// A word with quotes that is no string. Go refuses raw strings here too.
    #[error("invalid quoted string: {0}")]
    QuotedString(String),
    /// Not like `1.23.0`.
    #[error("invalid go version '{0}': must match format 1.23.0")]
    GoVersion(String),
    /// Not like `go1.23.0`.
    #[error("invalid toolchain version '{0}': must match format go1.23.0 or default")]
    Toolchain(String),
    /// The path ends in something like a major version.
    #[error("invalid module path {}", quote(.0))]
    ModulePath(String),
    /// A replacement without version that is no directory.
    #[error("replacement module without version must be directory path (rooted or starting with . or ..)")]
    ReplacementVersion,
    /// A replacement by a directory, with a version.
    #[error("replacement module directory path {} cannot have version", quote(.0))]
    ReplacementDirectory(String),
}

/// A word of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As written, with quotes.
    pub(super) text: &'a str,
    pub(super) at: Span,
}

/// A line with its directive; the lines of a block each with the block's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) verb: Word<'a>,
    pub(super) args: Vec<Word<'a>>,
    /// The comment at the end of the line, without its `//`.
    pub(super) comment: Option<&'a str>,
}

impl Line<'_> {
    /// The arguments, or the verb if there are none.
    pub(super) fn at(&self) -> Span {
        let first = self.args.first().unwrap_or(&self.verb).at;
        let last = self.args.last().unwrap_or(&self.verb).at;
        Span { end_column: last.end_column, ..first }
    }

    pub(super) fn error(&self, cause: Cause) -> SyntaxError {
        SyntaxError { at: self.at(), cause }
    }

    /// The value of the argument at `index`, which is there.
    pub(super) fn string(&self, index: usize) -> Result<String, SyntaxError> {
        let word = self.args[index];
        unquote(word.text).ok_or_else(|| SyntaxError { at: word.at, cause: Cause::QuotedString(word.text.to_owned()) })
    }

    /// The argument at `index` as a module path whose end tells its major version.
    pub(super) fn module_path(&self, index: usize) -> Result<String, SyntaxError> {
        let path = self.string(index)?;
        if split_path_version(&path).is_none() {
            return Err(self.error(Cause::ModulePath(path)));
        }
        Ok(path)
    }

    /// The argument at `index` as a version, canonical if it is one. What is none, such as the name of a branch, stays
    /// as it is: the go command would ask the network what it stands for.
    pub(super) fn version(&self, index: usize) -> Result<String, SyntaxError> {
        let version = self.string(index)?;
        Ok(canonical(&version).unwrap_or(version))
    }
}

/// Makes text of a file. Bytes that are no UTF-8 become U+FFFD, as the go command reads them.
pub(super) fn text(content: &[u8]) -> Result<Cow<'_, str>, SyntaxError> {
    if content.len() > MAX_FILE {
        return Err(SyntaxError {
            at: Span { line: 1, column: 1, end_column: 1 },
            cause: Cause::TooLarge(content.len()),
        });
    }
    Ok(String::from_utf8_lossy(content))
}

/// All lines of a file, in order. `blocks` are the directives that have blocks, `known` those that have none.
pub(super) fn lines<'a>(text: &'a str, blocks: &[&str], known: &[&str]) -> Result<Vec<Line<'a>>, SyntaxError> {
    let mut lexer = Lexer { rest: text, line: 1, column: 1 };
    let mut lines = Vec::new();
    loop {
        let verb = match lexer.next()? {
            Token::End => return Ok(lines),
            Token::Newline | Token::Comment(_) => continue,
            Token::Word(word) => word,
        };
        let mut args = Vec::new();
        let (comment, ending) = lexer.line(&mut args)?;
        if ending == Ending::Line {
            lines.push(Line { verb, args, comment });
            continue;
        }
        let is_block = args.is_empty() && blocks.contains(&verb.text);
        if !is_block && (blocks.contains(&verb.text) || known.contains(&verb.text)) {
            let words: Vec<_> = [verb].iter().chain(&args).map(|word| word.text).collect();
            let cause = Cause::UnknownBlock(words.join(" "));
            return Err(SyntaxError { at: verb.at, cause });
        }
        if ending == Ending::Block {
            lexer.block(verb, |line| {
                if is_block {
                    lines.push(line);
                }
            })?;
        }
    }
}

/// What the end of a line begins.
#[derive(PartialEq, Eq)]
enum Ending {
    /// Nothing.
    Line,
    /// A block: the last word was `(`.
    Block,
    /// Nothing, after a block without lines: `( )`.
    EmptyBlock,
}

enum Token<'a> {
    End,
    Newline,
    /// A comment with the end of its line, without its `//`.
    Comment(&'a str),
    Word(Word<'a>),
}

#[derive(Clone)]
struct Lexer<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Lexer<'a> {
    /// The words up to the end of the line without the parentheses of a block, and the comment there.
    fn line(&mut self, words: &mut Vec<Word<'a>>) -> Result<(Option<&'a str>, Ending), SyntaxError> {
        let comment = self.words(words)?;
        let (ending, parentheses) = match words.as_slice() {
            [.., open] if open.text == "(" => (Ending::Block, 1),
            [.., open, close] if open.text == "(" && close.text == ")" => (Ending::EmptyBlock, 2),
            _ => (Ending::Line, 0),
        };
        words.truncate(words.len() - parentheses);
        Ok((comment, ending))
    }

    /// The words up to the end of the line, and the comment there.
    fn words(&mut self, words: &mut Vec<Word<'a>>) -> Result<Option<&'a str>, SyntaxError> {
        loop {
            match self.next()? {
                Token::End | Token::Newline => return Ok(None),
                Token::Comment(text) => return Ok(Some(text)),
                Token::Word(word) => words.push(word),
            }
        }
    }

    /// The lines of a block, after its `(`.
    fn block(&mut self, verb: Word<'a>, mut push: impl FnMut(Line<'a>)) -> Result<(), SyntaxError> {
        loop {
            let first = match self.next()? {
                Token::Newline | Token::Comment(_) => continue,
                Token::End => {
                    return Err(SyntaxError { at: verb.at, cause: Cause::UnterminatedBlock });
                }
                Token::Word(word) => word,
            };
            if first.text == ")" {
                return match self.next()? {
                    Token::Word(word) => Err(SyntaxError { at: word.at, cause: Cause::AfterBlock }),
                    _ => Ok(()),
                };
            }
            let mut args = vec![first];
            let comment = self.words(&mut args)?;
            push(Line { verb, args, comment });
        }
    }

    fn next(&mut self) -> Result<Token<'a>, SyntaxError> {
        while self.rest.starts_with([' ', '\t', '\r']) {
            self.take();
        }
        if let Some(comment) = self.rest.strip_prefix("//") {
            let (comment, rest) = comment.split_once('\n').unwrap_or((comment, ""));
            self.rest = rest;
            self.new_line();
            return Ok(Token::Comment(comment.strip_suffix('\r').unwrap_or(comment)));
        }
        self.refuse_block_comment()?;
        let Some(first) = self.rest.chars().next() else {
            return Ok(Token::End);
        };
        let before = self.rest;
        let start = self.span();
        match first {
            '\n' => {
                self.take();
                return Ok(Token::Newline);
            }
            '(' | ')' | '[' | ']' | '{' | '}' | ',' => {
                self.take();
            }
            '"' | '`' => self.quoted(first)?,
            c if is_word(c) => {
                while self.rest.starts_with(is_word) && !self.rest.starts_with("//") {
                    self.refuse_block_comment()?;
                    self.take();
                }
            }
            c => return Err(self.error(Cause::InputCharacter(c))),
        }
        Ok(Token::Word(Word {
            text: &before[..before.len() - self.rest.len()],
            at: Span { end_column: self.column, ..start },
        }))
    }

    fn quoted(&mut self, mark: char) -> Result<(), SyntaxError> {
        let start = self.span();
        let at_end = SyntaxError { at: start, cause: Cause::StringAtEnd };
        self.take();
        loop {
            if self.rest.starts_with('\n') {
                return Err(self.error(Cause::StringAtNewline));
            }
            match self.take() {
                None => return Err(at_end),
                Some(c) if c == mark => return Ok(()),
                Some('\\') if mark == '"' => {
                    self.take().ok_or_else(|| at_end.clone())?;
                }
                Some(_) => {}
            }
        }
    }

    fn refuse_block_comment(&self) -> Result<(), SyntaxError> {
        match self.rest.starts_with("/*") {
            true => Err(self.error(Cause::BlockComment)),
            false => Ok(()),
        }
    }

    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.new_line();
        } else {
            self.column = self.column.saturating_add(1);
        }
        Some(c)
    }

    fn new_line(&mut self) {
        self.line = self.line.saturating_add(1);
        self.column = 1;
    }

    fn span(&self) -> Span {
        Span { line: self.line, column: self.column, end_column: self.column.saturating_add(1) }
    }

    fn error(&self, cause: Cause) -> SyntaxError {
        SyntaxError { at: self.span(), cause }
    }
}

/// Whether a word without quotes may hold it.
fn is_word(c: char) -> bool {
    !matches!(c, ' ' | '(' | ')' | '[' | ']' | '{' | '}' | ',') && is_print(c)
}

/// The value of a word (modfile's `parseString`); none if it is malformed.
pub(crate) fn unquote(word: &str) -> Option<String> {
    let Some(inner) = word.strip_prefix('"') else {
        return (!word.contains(['"', '\'', '`'])).then(|| word.to_owned());
    };
    let inner = inner.strip_suffix('"')?;
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == '\n' || c == '"' {
            return None;
        }
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let escape = rest.chars().next()?;
        let code = |skip: usize, digits: usize, radix: u32| {
            let digits = rest.get(skip..skip + digits)?;
            digits.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(digits, radix).ok())?
        };
        let simple = match escape {
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(b'\n'),
            'r' => Some(b'\r'),
            't' => Some(b'\t'),
            'v' => Some(11),
            '\\' | '"' => Some(escape as u8),
            _ => None,
        };
        let width = match escape {
            'x' => {
                bytes.push(u8::try_from(code(1, 2, 16)?).ok()?);
                3
            }
            '0'..='7' => {
                bytes.push(u8::try_from(code(0, 3, 8)?).ok()?);
                3
            }
            'u' | 'U' => {
                let digits = if escape == 'u' { 4 } else { 8 };
                let c = char::from_u32(code(1, digits, 16)?)?;
                bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
                1 + digits
            }
            _ => {
                bytes.push(simple?);
                1
            }
        };
        rest = &rest[width..];
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Sets a value that may be set once.
pub(super) fn set_once<T>(
    slot: &mut Option<T>,
    value: T,
    line: &Line<'_>,
    name: &'static str,
) -> Result<(), SyntaxError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(line.error(Cause::Repeated(name))),
    }
}

/// The value of a `go` line: modfile's GoVersionRE.
pub(super) fn go_version(line: &Line<'_>) -> Result<String, SyntaxError> {
    let [word] = line.args.as_slice() else {
        return Err(line.error(Cause::Usage("go 1.23.0")));
    };
    let is_number =
        |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) && (s == "0" || !s.starts_with('0'));
    // Before a pre-release such as `rc1`.
    let end = word.text.find(|c: char| c.is_ascii_lowercase());
    let (release, pre) = word.text.split_at(end.unwrap_or(word.text.len()));
    let letters = pre.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let pre_is_good = pre.is_empty() || (!letters.is_empty() && letters.bytes().all(|b| b.is_ascii_digit()));
    let numbers: Vec<&str> = release.split('.').collect();
    let good =
        matches!(numbers.len(), 2 | 3) && numbers[0] != "0" && numbers.iter().all(|n| is_number(n)) && pre_is_good;
    match good {
        true => Ok(word.text.to_owned()),
        false => Err(line.error(Cause::GoVersion(word.text.to_owned()))),
    }
}

/// The value of a `toolchain` line: modfile's ToolchainRE.
pub(super) fn toolchain(line: &Line<'_>) -> Result<String, SyntaxError> {
    let [word] = line.args.as_slice() else {
        return Err(line.error(Cause::Usage("toolchain go1.23.0")));
    };
    let name = word.text;
    if name == "default" || name == "go1" || name.starts_with("go1.") {
        return Ok(name.to_owned());
    }
    Err(line.error(Cause::Toolchain(name.to_owned())))
}
