//! Whether `go mod vendor` copies a Go file: cmd/go's imports.ShouldBuild with imports.AnyTags
//! (`imports/build.go`, `imports/tags.go`; go/build/constraint, `expr.go`).
//!
//! Every build tag but `ignore` counts as set and as not set, whichever lets the file in. So only a file whose constraint
//! no build can meet is left out, such as one with `//go:build ignore`, and one whose constraint is malformed.
//!
//! The go command looks at a file up to the end of its imports, and copies one that holds a NUL byte there, whatever its
//! constraint says. Such a file cannot be compiled; here its constraint decides.

use std::borrow::Cow;

/// The most operands in a `//go:build` expression (go/build/constraint, maxSize). It bounds the depth of parentheses.
const MAX_OPERANDS: usize = 1000;

/// The most operators in a `// +build` line (go/build/constraint, maxOldSize). A line with more is read past.
const MAX_PLUS_BUILD_OPERATORS: usize = 100;

/// Whether `go mod vendor` copies a Go file of this content, which is not a `_test.go`.
pub fn is_vendored(content: &[u8]) -> bool {
    let content = content.strip_prefix("\u{feff}".as_bytes()).unwrap_or(content);
    let Some(header) = Header::read(content) else {
        return false;
    };
    match header.go_build {
        Some(expression) => go_build(&expression).unwrap_or(false),
        None => header.plus_build.iter().all(|line| plus_build(line).unwrap_or(true)),
    }
}

/// The constraints in the comments at the beginning of a file.
struct Header {
    /// The expression of the `//go:build` line.
    go_build: Option<String>,
    /// The words of the `// +build` lines that count: those with a blank line between them and the first code.
    plus_build: Vec<String>,
}

impl Header {
    /// imports.parseFileHeader. None: two `//go:build` lines, which no build takes.
    fn read(content: &[u8]) -> Option<Self> {
        let mut header = Self { go_build: None, plus_build: Vec::new() };
        // How many of the `// +build` lines are followed by a blank line.
        let mut counted = 0;
        // After the first line that is neither blank nor a `//` comment.
        let mut ended = false;
        let mut in_block = false;
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        'lines: for line in content.split(|b| *b == b'\n') {
            let line = trim(line);
            if line.is_empty() && !ended {
                counted = header.plus_build.len();
                continue;
            }
            match line.strip_prefix("//") {
                None => ended = true,
                Some(comment) if !ended => header.plus_build.extend(argument(comment.trim(), "+build")),
                Some(_) => {}
            }
            if !in_block && let Some(expression) = argument(&line, "//go:build") {
                if header.go_build.is_some() {
                    return None;
                }
                header.go_build = Some(expression);
            }
            let mut rest = &*line;
            while !rest.is_empty() {
                if in_block {
                    match rest.split_once("*/") {
                        Some((_, after)) => rest = after.trim(),
                        None => continue 'lines,
                    }
                    in_block = false;
                } else if rest.starts_with("//") {
                    continue 'lines;
                } else if let Some(comment) = rest.strip_prefix("/*") {
                    in_block = true;
                    rest = comment.trim();
                } else {
                    break 'lines;
                }
            }
        }
        header.plus_build.truncate(counted);
        Some(header)
    }
}

/// A line without the white space around it. Bytes that are no UTF-8 become U+FFFD, which is neither white space nor part
/// of a tag, as they are to Go.
fn trim(line: &[u8]) -> Cow<'_, str> {
    match String::from_utf8_lossy(line) {
        Cow::Borrowed(line) => Cow::Borrowed(line.trim()),
        Cow::Owned(line) => Cow::Owned(line.trim().to_owned()),
    }
}

/// What is after a word at the beginning of a line. None if the line begins otherwise: `//go:builder`.
fn argument(line: &str, word: &str) -> Option<String> {
    let rest = line.strip_prefix(word)?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace)).then(|| rest.trim().to_owned())
}

/// Whether some build meets a `//go:build` expression. None if it is malformed.
fn go_build(text: &str) -> Option<bool> {
    let mut parser = Parser { rest: text, token: Token::End, operands: 0 };
    let value = parser.or(true)?;
    (parser.token == Token::End).then_some(value)
}

/// What a tag counts as where `prefer` is what lets the file in: one below an odd number of `!` should be unset.
fn tag(name: &str, prefer: bool) -> bool {
    name != "ignore" && prefer
}

fn is_tag_char(c: char) -> bool {
    // Go asks for letters and digits of Unicode, which differ from these by some marks. Real tags are ASCII.
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    End,
    Open,
    Close,
    Not,
    And,
    Or,
    Tag(&'a str),
}

/// Evaluates while it parses: `prefer` is handed down, and turned over by `!`.
struct Parser<'a> {
    rest: &'a str,
    token: Token<'a>,
    operands: usize,
}

impl Parser<'_> {
    fn or(&mut self, prefer: bool) -> Option<bool> {
        let mut value = self.and(prefer)?;
        while self.token == Token::Or {
            value |= self.and(prefer)?;
        }
        Some(value)
    }

    fn and(&mut self, prefer: bool) -> Option<bool> {
        let mut value = self.not(prefer)?;
        while self.token == Token::And {
            value &= self.not(prefer)?;
        }
        Some(value)
    }

    fn not(&mut self, prefer: bool) -> Option<bool> {
        self.operands += 1;
        if self.operands > MAX_OPERANDS {
            return None;
        }
        self.next()?;
        if self.token != Token::Not {
            return self.atom(prefer);
        }
        self.next()?;
        // A second `!` is no atom.
        Some(!self.atom(!prefer)?)
    }

    fn atom(&mut self, prefer: bool) -> Option<bool> {
        let value = match self.token {
            Token::Open => {
                let value = self.or(prefer)?;
                if self.token != Token::Close {
                    return None;
                }
                value
            }
            Token::Tag(name) => tag(name, prefer),
            _ => return None,
        };
        self.next()?;
        Some(value)
    }

    fn next(&mut self) -> Option<()> {
        let text = self.rest.trim_start_matches([' ', '\t']);
        let (token, length) = match text.as_bytes() {
            [] => (Token::End, 0),
            [b'(', ..] => (Token::Open, 1),
            [b')', ..] => (Token::Close, 1),
            [b'!', ..] => (Token::Not, 1),
            [b'&', b'&', ..] => (Token::And, 2),
            [b'|', b'|', ..] => (Token::Or, 2),
            _ => {
                let length = text.find(|c| !is_tag_char(c)).unwrap_or(text.len());
                (Token::Tag(&text[..length]), length)
            }
        };
        if token == Token::Tag("") {
            return None;
        }
        (self.token, self.rest) = (token, &text[length..]);
        Some(())
    }
}

/// Whether some build meets the words of a `// +build` line: any of them, of which each is a list with commas, all of
/// which hold. None if there are too many.
fn plus_build(text: &str) -> Option<bool> {
    let mut operators = 0;
    let mut any = None;
    for clause in text.split_whitespace() {
        let mut all = None;
        for literal in clause.split(',') {
            let value = match literal.strip_prefix('!') {
                // `!` and `!!…` are malformed, which counts as the tag `ignore`.
                Some(name) if name.is_empty() || name.starts_with('!') => false,
                Some(name) => !(is_tag(name) && tag(name, false)),
                None => is_tag(literal) && tag(literal, true),
            };
            operators += usize::from(all.is_some());
            all = Some(all.unwrap_or(true) && value);
        }
        operators += usize::from(any.is_some());
        if operators > MAX_PLUS_BUILD_OPERATORS {
            return None;
        }
        any = Some(any.unwrap_or(false) || all.unwrap_or(false));
    }
    // A line without words counts as the tag `ignore`.
    Some(any.unwrap_or(false))
}

fn is_tag(word: &str) -> bool {
    !word.is_empty() && word.chars().all(is_tag_char)
}
