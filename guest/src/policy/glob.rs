//! Patterns over URLs and identities.
//!
//! A pattern matches a whole text, byte by byte. `*` stands for any characters but `/`, also for none; `**` for any characters at
//! all. Nothing else is special, and what other dialects give a meaning is refused rather than taken literally, so that nobody
//! takes `[ab]` or `v?` for what it is not. A text that has such characters is listed as an exact one.
//!
//! Matching follows all the places of the pattern at which it may be, so it takes time in the order of the text's length times
//! the pattern's, which is bounded; no pattern makes it try again.

/// The longest pattern, in bytes.
pub const MAX_PATTERN: usize = 512;

/// Characters that are special in some dialect of globs or regular expressions, and not here.
const FOREIGN: &str = "?[]{}()\\|^$";

/// A pattern over URLs and identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Byte(u8),
    /// `*`.
    Star,
    /// `**`.
    DoubleStar,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlobError {
    /// Nothing in it.
    #[error("a pattern must not be empty")]
    Empty,
    /// Too much in it.
    #[error("a pattern may have {MAX_PATTERN} bytes, and this has {0}")]
    Long(usize),
    /// A character that would mean something elsewhere.
    #[error("`{0}` has no meaning in a pattern: only `*` (anything but `/`) and `**` (anything) do")]
    Foreign(char),
    /// Blank or control characters.
    #[error("a pattern has no blanks and no control characters")]
    Blank,
    /// `***`.
    #[error("more than two `*` in a row")]
    Stars,
    /// Matches whatever there is.
    #[error("a pattern must say something: this matches everything")]
    Everything,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`GlobError`].
    pub fn new(text: &str) -> Result<Self, GlobError> {
        if text.is_empty() {
            return Err(GlobError::Empty);
        }
        if text.len() > MAX_PATTERN {
            return Err(GlobError::Long(text.len()));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(GlobError::Blank);
        }
        if let Some(c) = text.chars().find(|c| FOREIGN.contains(*c)) {
            return Err(GlobError::Foreign(c));
        }
        if text.contains("***") {
            return Err(GlobError::Stars);
        }
        if text.bytes().all(|b| b == b'*' || b == b'/') {
            return Err(GlobError::Everything);
        }
        let mut tokens = Vec::with_capacity(text.len());
        for byte in text.bytes() {
            match (byte, tokens.last_mut()) {
                (b'*', Some(last @ Token::Star)) => *last = Token::DoubleStar,
                (b'*', _) => tokens.push(Token::Star),
                _ => tokens.push(Token::Byte(byte)),
            }
        }
        Ok(Self { tokens })
    }

    /// Whether it matches the whole text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let end = self.tokens.len();
        // The places that are reached, and by when each was last added, so that none is there twice.
        let mut reached = Vec::new();
        let mut next = Vec::new();
        let mut added = vec![usize::MAX; end + 1];
        self.add(0, 0, &mut reached, &mut added);
        for (i, byte) in text.bytes().enumerate() {
            next.clear();
            for &place in &reached {
                match self.tokens.get(place) {
                    Some(Token::Byte(wanted)) if *wanted == byte => self.add(place + 1, i + 1, &mut next, &mut added),
                    Some(Token::Star) if byte != b'/' => self.add(place, i + 1, &mut next, &mut added),
                    Some(Token::DoubleStar) => self.add(place, i + 1, &mut next, &mut added),
                    _ => {}
                }
            }
            if next.is_empty() {
                return false;
            }
            std::mem::swap(&mut reached, &mut next);
        }
        reached.contains(&end)
    }

    /// Adds a place, and those behind the stars that may stand for nothing.
    fn add(&self, place: usize, now: usize, reached: &mut Vec<usize>, added: &mut [usize]) {
        let mut place = place;
        while added[place] != now {
            added[place] = now;
            reached.push(place);
            if !matches!(self.tokens.get(place), Some(Token::Star | Token::DoubleStar)) {
                return;
            }
            place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_whole_and_one_star_stays_within_an_element() {
        for (pattern, text, matches) in [
            ("https://github.com/acme", "https://github.com/acme", true),
            ("https://github.com/acme", "https://github.com/acme-evil", false),
            ("https://github.com/acme", "xhttps://github.com/acme", false),
            ("https://github.com/acme/*", "https://github.com/acme/x", true),
            ("https://github.com/acme/*", "https://github.com/acme/", true),
            ("https://github.com/acme/*", "https://github.com/acme/x/y", false),
            ("https://github.com/acme/**", "https://github.com/acme/x/y", true),
            ("https://github.com/*/x", "https://github.com/a/b/x", false),
            ("https://github.com/**/x", "https://github.com/a/b/x", true),
            ("https://github.com/Acme", "https://github.com/acme", false),
            ("**/.github/workflows/*@refs/tags/v*", "https://h/o/r/.github/workflows/b.yml@refs/tags/v1.2.3", true),
            ("**/.github/workflows/*@refs/tags/v*", "https://h/o/r/.github/workflows/b.yml@refs/heads/v1", false),
            ("**/.github/workflows/*@refs/tags/v*", "https://h/o/r/.github/workflows/b.yml@refs/tags/v1/x", false),
            ("a*b*c", "a1b2b3c", true),
            ("a**b*c", "a/b/b1c", true),
            ("a*", "a", true),
            ("a.c", "abc", false),
            ("*@acme.example", "@acme.example", true),
            ("ä*", "äé", true),
        ] {
            assert_eq!(Glob::new(pattern).unwrap().matches(text), matches, "{pattern} {text}");
        }
    }

    #[test]
    fn what_means_something_elsewhere_is_refused() {
        for (pattern, error) in [
            (String::new(), GlobError::Empty),
            ("a".repeat(MAX_PATTERN + 1), GlobError::Long(MAX_PATTERN + 1)),
            ("a[b]".into(), GlobError::Foreign('[')),
            ("v?".into(), GlobError::Foreign('?')),
            ("a\\*".into(), GlobError::Foreign('\\')),
            ("^a$".into(), GlobError::Foreign('^')),
            ("a b".into(), GlobError::Blank),
            ("a\n".into(), GlobError::Blank),
            ("a***".into(), GlobError::Stars),
            ("**".into(), GlobError::Everything),
            ("*/**".into(), GlobError::Everything),
        ] {
            assert_eq!(Glob::new(&pattern), Err(error), "{pattern}");
        }
        assert!(Glob::new(&"a".repeat(MAX_PATTERN)).is_ok());
    }

    /// By the definition, without a care for time.
    fn plain(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=text.len()).any(|n| plain(rest, &text[n..])),
            [b'*', rest @ ..] => {
                let reach = text.iter().take_while(|b| **b != b'/').count();
                (0..=reach).any(|n| plain(rest, &text[n..]))
            }
            [byte, rest @ ..] => text.first() == Some(byte) && plain(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn it_matches_by_the_definition(pattern in "[ab/*]{1,8}", text in "[ab/]{0,8}") {
            if let Ok(glob) = Glob::new(&pattern) {
                prop_assert_eq!(glob.matches(&text), plain(pattern.as_bytes(), text.as_bytes()));
            }
        }
    }

    /// 255 double stars against 100 kB: each byte visits each place at most once.
    #[test]
    fn stars_do_not_multiply() {
        let glob = Glob::new(&format!("{}b", "a**".repeat(MAX_PATTERN / 3))).unwrap();
        assert!(!glob.matches(&"a".repeat(100_000)));
    }
}
