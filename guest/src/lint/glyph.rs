//! Text that knows where it comes from: characters with their places in the file.
//!
//! Between a file and a value lie quotes, continuation lines, indentation and escapes. Every character that survives them
//! carries its place, so that a finding points at exactly what it speaks of, and a fix replaces nothing else.

use std::cell::Cell;
use std::ops::Range;

use crate::gosum::Span;

/// What stands for something that is only known when it runs: `${{ … }}`, `$(VAR)`, `$VAR`, `$(command)`. The object
/// replacement character; a file that holds it gets no judgement of that value either.
pub(super) const EXPRESSION: char = '\u{fffc}';

/// One character, and the bytes of the file that it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) c: char,
    /// First byte.
    pub(super) at: usize,
    /// Byte after the last.
    pub(super) end: usize,
}

impl Glyph {
    /// The same place, another character.
    pub(super) fn as_char(self, c: char) -> Self {
        Self { c, ..self }
    }

    /// Whether it is a space or a tab.
    pub(super) fn is_blank(self) -> bool {
        matches!(self.c, ' ' | '\t' | '\r')
    }
}

/// The characters of a file. What is not UTF-8 is U+FFFD, one for each broken sequence.
pub(super) fn decode(content: &[u8]) -> Vec<Glyph> {
    let mut out = Vec::with_capacity(content.len());
    let mut at = 0;
    for chunk in content.utf8_chunks() {
        for c in chunk.valid().chars() {
            out.push(Glyph { c, at, end: at + c.len_utf8() });
            at += c.len_utf8();
        }
        let broken = chunk.invalid().len();
        if broken > 0 {
            out.push(Glyph { c: char::REPLACEMENT_CHARACTER, at, end: at + broken });
            at += broken;
        }
    }
    out
}

/// As plain text.
pub(super) fn text(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| glyph.c).collect()
}

/// As plain text, with `…` for expressions.
pub(super) fn shown(glyphs: &[Glyph]) -> String {
    glyphs.iter().map(|glyph| if glyph.c == EXPRESSION { '…' } else { glyph.c }).collect()
}

/// The bytes of the file from the first to the last of them. None: there are none.
pub(super) fn range(glyphs: &[Glyph]) -> Option<Range<usize>> {
    Some(glyphs.first()?.at..glyphs.last()?.end)
}

/// Whether they stand in the file one right after the other, each as it is: nothing was taken out or replaced.
pub(super) fn is_verbatim(glyphs: &[Glyph]) -> bool {
    glyphs.iter().all(|glyph| glyph.end - glyph.at == glyph.c.len_utf8() && glyph.c != EXPRESSION)
        && glyphs.is_sorted_by(|a, b| a.end == b.at)
}

/// Without blanks and line ends on either side.
pub(super) fn trim(mut glyphs: &[Glyph]) -> &[Glyph] {
    let is_space = |glyph: &Glyph| glyph.is_blank() || glyph.c == '\n';
    while let [first, rest @ ..] = glyphs
        && is_space(first)
    {
        glyphs = rest;
    }
    while let [rest @ .., last] = glyphs
        && is_space(last)
    {
        glyphs = rest;
    }
    glyphs
}

/// The lines, each without its line feed.
pub(super) fn lines(glyphs: &[Glyph]) -> impl Iterator<Item = &[Glyph]> {
    glyphs.split(|glyph| glyph.c == '\n')
}

/// Without one pair of quotes around it.
pub(super) fn unquoted(glyphs: &[Glyph]) -> &[Glyph] {
    match glyphs {
        [first, inner @ .., last] if matches!(first.c, '"' | '\'') && first.c == last.c => inner,
        other => other,
    }
}

/// With `${{ … }}`, `${…}`, `$(…)`, `$NAME` and backquotes replaced by [`EXPRESSION`], each by one.
pub(super) fn with_expressions(glyphs: &[Glyph]) -> Vec<Glyph> {
    let mut out = Vec::with_capacity(glyphs.len());
    let mut rest = glyphs;
    let mut ends = Ends::default();
    while let [first, ..] = rest {
        let length = if first.c == '$' { ends.expansion(rest) } else { None };
        match length {
            Some(length) => {
                out.push(Glyph { c: EXPRESSION, at: first.at, end: rest[length - 1].end });
                rest = &rest[length..];
            }
            None => {
                out.push(*first);
                rest = &rest[1..];
            }
        }
    }
    out
}

/// Finds where expansions end, in time linear in the text: what was not found once is not searched again.
#[derive(Debug, Default)]
pub(super) struct Ends {
    no_brace: bool,
    no_double_brace: bool,
    no_parenthesis: bool,
}

impl Ends {
    /// How many characters the expansion at the start of `glyphs`, a `$`, takes; none: it is none.
    pub(super) fn expansion(&mut self, glyphs: &[Glyph]) -> Option<usize> {
        let c = |at: usize| glyphs.get(at).map(|glyph| glyph.c);
        match c(1)? {
            '{' if c(2) == Some('{') => {
                if self.no_double_brace {
                    return None;
                }
                let end = glyphs.windows(2).position(|pair| pair[0].c == '}' && pair[1].c == '}');
                self.no_double_brace |= end.is_none();
                end.map(|end| end + 2)
            }
            '{' if !self.no_brace => {
                let end = glyphs.iter().position(|glyph| glyph.c == '}');
                self.no_brace |= end.is_none();
                end.map(|end| end + 1)
            }
            '(' if !self.no_parenthesis => {
                let end = closing(glyphs, '(', ')');
                self.no_parenthesis |= end.is_none();
                end.map(|end| end + 1)
            }
            first if first.is_ascii_alphabetic() || first == '_' => {
                let name = |glyph: &&Glyph| glyph.c.is_ascii_alphanumeric() || glyph.c == '_';
                Some(1 + glyphs[1..].iter().take_while(name).count())
            }
            '@' | '*' | '#' | '?' | '!' | '$' | '0'..='9' => Some(2),
            _ => None,
        }
    }
}

/// Where the bracket that is opened first is closed; quotes count.
pub(super) fn closing(glyphs: &[Glyph], open: char, close: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (at, glyph) in glyphs.iter().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, glyph.c) {
            (None | Some('"'), '\\') => escaped = true,
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, c @ ('"' | '\'')) => quote = Some(c),
            (None, c) if c == open => depth += 1,
            (None, c) if c == close => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// Where lines begin, to turn bytes into lines and columns.
#[derive(Debug)]
pub(super) struct Places<'a> {
    content: &'a [u8],
    starts: Vec<usize>,
    /// Where the last column was counted: the line's start, a byte, and how many characters lie between. A long line with
    /// many places is counted once, if they come in order.
    counted: Cell<(usize, usize, usize)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(content: &'a [u8]) -> Self {
        let after = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        Self { content, starts: std::iter::once(0).chain(after).collect(), counted: Cell::new((0, 0, 0)) }
    }

    /// How many lines there are, as for people: a line feed at the end starts none.
    pub(super) fn lines(&self) -> u64 {
        let empty_last = self.starts.last() == Some(&self.content.len());
        (self.starts.len() - usize::from(empty_last)) as u64
    }

    /// The bytes of the line that a byte is in, without its line feed.
    pub(super) fn line(&self, at: usize) -> Range<usize> {
        let number = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let start = self.starts[number];
        let end = self.starts.get(number + 1).map_or(self.content.len(), |next| next - 1);
        start..end
    }

    /// Where the line after that of this byte begins; the end of the file if there is none.
    pub(super) fn next_line(&self, at: usize) -> usize {
        let number = self.starts.partition_point(|start| *start <= at);
        self.starts.get(number).copied().unwrap_or(self.content.len())
    }

    /// Line and columns of these bytes, as far as they are in the line of the first; never empty.
    pub(super) fn span(&self, bytes: &Range<usize>) -> Span {
        let line = self.line(bytes.start);
        let number = self.starts.partition_point(|start| *start <= bytes.start);
        let characters = |range: Range<usize>| {
            let chunks = self.content.get(range).unwrap_or_default().utf8_chunks();
            chunks.map(|c| c.valid().chars().count() + usize::from(!c.invalid().is_empty())).sum::<usize>()
        };
        let number_of = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let start = bytes.start.min(line.end);
        let (from, before) = match self.counted.get() {
            (line_start, at, count) if line_start == line.start && at <= start => (at, count),
            _ => (line.start, 0),
        };
        let before = before + characters(from..start);
        self.counted.set((line.start, start, before));
        let column = number_of(before).saturating_add(1);
        let width = number_of(characters(start..bytes.end.clamp(start, line.end))).max(1);
        Span { line: number_of(number), column, end_column: column.saturating_add(width) }
    }
}
