//! Text for terminals: escaped, wrapped, counted. Everything that is shown goes through [`escape`].

pub use modanchor_core::report::visible::{escape, push_escaped};
use unicode_width::UnicodeWidthStr as _;

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
