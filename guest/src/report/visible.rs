//! Text that shows what it holds.
//!
//! # Security
//!
//! Module paths, versions, file names and lines come from a checkout or a server that nobody vouches for. Shown as they
//! are, control characters could repaint a terminal, and bidirectional overrides could show another text than the one
//! that is there (CVE-2021-42574, "Trojan Source"). [`escape`] makes all of them visible. What has a syntax of its own,
//! such as Markdown, escapes for that on top.

use std::borrow::Cow;
use std::fmt::Write as _;

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

/// Adds one character to a text, as [`escape`] shows it.
pub fn push_escaped(out: &mut String, c: char) {
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

    proptest! {
        #[test]
        fn nothing_unsafe_survives(text in any::<String>()) {
            let escaped = escape(&text);
            prop_assert!(!escaped.contains(is_unsafe));
            prop_assert_eq!(escape(&escaped), escaped.as_ref());
        }
    }
}
