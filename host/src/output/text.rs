//! Text for terminals: escaped, wrapped, counted.
//!
//! # Security
//!
//! Module paths, versions, file names and lines come from a checkout or a server that nobody vouches for. Shown as they
//! are, control characters could repaint the terminal, and bidirectional overrides could show another text than the one
//! that is there (CVE-2021-42574, "Trojan Source"). [`escape`] makes all of them visible; everything that is shown goes
//! through it.

use std::{borrow::Cow, fmt::Write as _};

use unicode_width::UnicodeWidthStr as _;

/// Makes every character visible that is not: controls (also newline and tab), bidirectional controls, zero-width
/// and other format characters, and odd line and paragraph ends. They become `\n`, `\r`, `\t` or `\u{…}`.
pub fn escape(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_unsafe) else {
        return Cow::Borrowed(text);
    };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        push_escaped(&mut out, c);
    }
    Cow::Owned(out)
}

/// One character, as [`escape`] shows it.
pub(crate) fn push_escaped(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_unsafe(c) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
        c => out.push(c),
    }
}

/// Unicode's Cc, Cf, Zl and Zp, with the variation selectors, fillers and tag characters, which show as nothing too.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{34f}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Breaks a paragraph at spaces into lines of at most `width` columns, but not inside of `` `code` ``, which people
/// copy. What is longer than a line stands alone.
pub(crate) fn wrap(paragraph: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for piece in pieces(paragraph) {
        let columns = piece.width();
        let line = lines.last_mut().expect("never empty");
        if used == 0 {
            *line = piece;
            used = columns;
        } else if used + 1 + columns <= width {
            line.push(' ');
            line.push_str(&piece);
            used += 1 + columns;
        } else {
            lines.push(piece);
            used = columns;
        }
    }
    lines
}

/// Words, those between two backticks in one. A backtick without its partner joins nothing.
fn pieces(paragraph: &str) -> Vec<String> {
    let odd = |text: &str| text.matches('`').count() % 2 == 1;
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    let balanced = !odd(paragraph);
    for word in paragraph.split_whitespace() {
        match pieces.last_mut() {
            Some(piece) if open => {
                piece.push(' ');
                piece.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
        open ^= balanced && odd(word);
    }
    pieces
}

/// `71848828` as `71,848,828`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 line`, `2 lines`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes() {
        for (text, want) in [
            ("golang.org/x/text", "golang.org/x/text"),
            ("a\x1b[2Jb", "a\\u{1b}[2Jb"),
            ("a\r\n\tb", "a\\r\\n\\tb"),
            ("\u{202e}moc", "\\u{202e}moc"),
            ("\u{feff}x", "\\u{feff}x"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("é 漢 \u{fffd}", "é 漢 \u{fffd}"),
        ] {
            assert_eq!(escape(text), want);
        }
    }

    #[test]
    fn numbers() {
        for (number, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (71_848_828, "71,848,828")] {
            assert_eq!(thousands(number), want);
        }
        assert_eq!(count(1, "line"), "1 line");
        assert_eq!(count(2000, "line"), "2,000 lines");
    }

    #[test]
    fn code_is_not_broken() {
        assert_eq!(
            wrap("run `go mod tidy` and (`modanchor verify`) again", 14),
            ["run", "`go mod tidy`", "and", "(`modanchor verify`)", "again"]
        );
        assert_eq!(wrap("a ` b c d", 3), ["a `", "b c", "d"]);
        assert_eq!(wrap("", 10), [""]);
    }

    proptest! {
        #[test]
        fn nothing_unsafe_survives(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(is_unsafe));
            prop_assert_eq!(escape(&escaped), escaped.as_ref());
        }

        #[test]
        fn wrapping_keeps_words_and_width(text in "[a-z漢 ]{0,200}", width in 1usize..100) {
            let lines = wrap(&text, width);
            let words: Vec<&str> = lines.iter().flat_map(|line| line.split_whitespace()).collect();
            prop_assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
            for line in lines {
                prop_assert!(line.width() <= width || !line.contains(' '));
            }
        }
    }
}
