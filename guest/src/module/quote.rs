//! Quoting for messages, as Go's `%q` does it.

/// Whether Go's `unicode.IsPrint` holds: letters, marks, numbers, punctuation, symbols and the ASCII space.
pub(crate) fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return matches!(c, ' '..='~');
    }
    // The standard library's escaping uses the same categories. A mark is escaped only at the beginning of a string,
    // so one letter stands before it.
    let mut text = [b'a'; 5];
    let length = 1 + c.encode_utf8(&mut text[1..]).len();
    match std::str::from_utf8(&text[..length]) {
        Ok(text) => text.escape_debug().nth(1) == Some(c),
        Err(_) => false,
    }
}

/// `s` as Go's `%q` prints a string.
pub(crate) fn quote(s: &str) -> String {
    quoted(s.chars(), '"')
}

/// `c` as Go's `%q` prints a rune.
pub(crate) fn quote_char(c: char) -> String {
    quoted([c], '\'')
}

fn quoted(chars: impl IntoIterator<Item = char>, mark: char) -> String {
    let mut out = String::from(mark);
    for c in chars {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            c if c == mark => out.extend(['\\', c]),
            c if is_print(c) => out.push(c),
            c if u32::from(c) < 0x80 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push(mark);
    out
}
