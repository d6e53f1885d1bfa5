//! Who is expected to have signed: cosign's identity flags.
//!
//! A subject and an issuer must both be asked for, each by its text or by a pattern; where both are given, both must hold
//! (cosign v3 `pkg/cosign/verify.go`, sigstore-go `pkg/verify/certificate_identity.go`). A subject without an issuer says nothing:
//! any issuer may call somebody by that name.
//!
//! Patterns are RE2's, and unanchored, as cosign takes them: `--certificate-identity-regexp acme` is met by `evil/acme`, and by
//! `acme.evil` too. The engine here is another, linear as well; so only what both read alike is let in, and the rest is
//! refused rather than guessed at ([`PatternError`]).

use regex_lite::{Regex, RegexBuilder};

use super::claims::{Claims, GitHub};
use crate::contract;

/// The longest pattern, in bytes.
pub const MAX_PATTERN_BYTES: usize = 4096;

/// The largest number in a repetition: RE2's own.
pub const MAX_REPEAT: u32 = 1000;

/// How deep groups may lie in each other.
pub const MAX_GROUPS: u32 = 50;

/// The most memory that a compiled pattern may take, in bytes: repetitions of repetitions multiply.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Why an identity cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// No subject.
    #[error("a certificate's identity, or a pattern for it, must be given: anybody can have a certificate")]
    NoSubject,
    /// No issuer.
    #[error(
        "a certificate's OIDC issuer, or a pattern for it, must be given: an identity is only as good as its issuer"
    )]
    NoIssuer,
    /// A pattern.
    #[error("the pattern {pattern:?}: {error}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        error: PatternError,
    },
}

/// Why a pattern is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// Too long.
    #[error("longer than {MAX_PATTERN_BYTES} bytes")]
    TooLong,
    /// What both refuse: an open group, a range backwards, …
    #[error("not a regular expression")]
    Malformed,
    /// What RE2 may read otherwise, from there on: bytes.
    #[error(
        "at byte {0}: RE2 may read this otherwise, or not at all; write it with plain classes, groups and repetitions"
    )]
    Differs(usize),
    /// It multiplies.
    #[error("too large once its repetitions are written out")]
    TooLarge,
}

/// An unanchored pattern.
#[derive(Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
    /// Whether it takes capitals for small letters somewhere. RE2 then folds all of Unicode, the engine here ASCII alone.
    folds: bool,
}

impl Pattern {
    /// Compiles it.
    ///
    /// # Errors
    /// What [`PatternError`] has.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        let folds = Reader { text, at: 0, folds: false, groups: 0 }.read()?;
        if folds && !text.is_ascii() {
            return Err(PatternError::Differs(text.bytes().position(|byte| !byte.is_ascii()).unwrap_or(0)));
        }
        let builder = RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).nest_limit(MAX_GROUPS + 2).build();
        let regex = builder.map_err(|error| match error.to_string().contains("size") {
            true => PatternError::TooLarge,
            false => PatternError::Malformed,
        })?;
        Ok(Self { text: text.to_owned(), regex, folds })
    }

    /// Whether it occurs in `text`. Where RE2 and the engine here could differ, it does not.
    #[must_use]
    pub fn occurs_in(&self, text: &str) -> bool {
        (text.is_ascii() || !self.folds) && self.regex.is_match(text)
    }
}

/// Reads a pattern, and lets through what RE2 and regex-lite read alike.
struct Reader<'a> {
    text: &'a str,
    at: usize,
    folds: bool,
    groups: u32,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn takes(&mut self, expected: char) -> bool {
        let takes = self.peek() == Some(expected);
        if takes {
            self.at += expected.len_utf8();
        }
        takes
    }

    /// Whether it folds.
    fn read(mut self) -> Result<bool, PatternError> {
        // Whether a repetition may follow.
        let mut repeatable = false;
        loop {
            let start = self.at;
            let Some(next) = self.next() else { break };
            let differs = Err(PatternError::Differs(start));
            repeatable = match next {
                '*' | '+' | '?' if repeatable => {
                    // Lazy, or possessive: which RE2 does not have.
                    self.takes('?');
                    false
                }
                '{' if repeatable => {
                    self.counts(start)?;
                    self.takes('?');
                    false
                }
                '*' | '+' | '?' | '{' | '}' | ']' => return differs,
                '(' => {
                    self.groups += 1;
                    if self.groups > MAX_GROUPS {
                        return Err(PatternError::TooLarge);
                    }
                    if self.takes('?') {
                        self.group(start)?;
                    }
                    false
                }
                ')' => {
                    self.groups = self.groups.checked_sub(1).ok_or(PatternError::Malformed)?;
                    true
                }
                '|' | '^' | '$' => false,
                '[' => {
                    self.class(start)?;
                    true
                }
                '\\' => self.escape(start, false)?,
                _ => true,
            };
        }
        if self.groups == 0 { Ok(self.folds) } else { Err(PatternError::Malformed) }
    }

    /// `n}`, `n,}`, `n,m}`.
    fn counts(&mut self, start: usize) -> Result<(), PatternError> {
        let differs = Err(PatternError::Differs(start));
        let Some((inside, _)) = self.text[self.at..].split_once('}') else { return differs };
        let (low, high) = inside.split_once(',').map_or((inside, None), |(low, high)| (low, Some(high)));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let plain = digits && (text == "0" || !text.starts_with('0'));
            plain.then(|| text.parse::<u32>().ok()).flatten().filter(|number| *number <= MAX_REPEAT)
        };
        let Some(low) = number(low) else { return differs };
        match high {
            None | Some("") => {}
            Some(high) if number(high).is_some_and(|high| low <= high) => {}
            Some(_) => return differs,
        }
        self.at += inside.len() + 1;
        Ok(())
    }

    /// After `(?`.
    fn group(&mut self, start: usize) -> Result<(), PatternError> {
        let differs = Err(PatternError::Differs(start));
        if self.takes(':') {
            return Ok(());
        }
        self.takes('P');
        let named = self.takes('<');
        if named {
            let Some((name, _)) = self.text[self.at..].split_once('>') else { return differs };
            let word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if !word || name.as_bytes()[0].is_ascii_digit() {
                return differs;
            }
            self.at += name.len() + 1;
            return Ok(());
        }
        // Flags, for a group of their own or for what is left of this one.
        let mut off = false;
        let mut any = false;
        loop {
            match self.next() {
                Some('i') => self.folds |= !off,
                Some('m' | 's' | 'U') => {}
                Some('-') if !off => {
                    (off, any) = (true, false);
                    continue;
                }
                Some(':') if any => return Ok(()),
                Some(')') if any => {
                    self.groups -= 1;
                    return Ok(());
                }
                _ => return differs,
            }
            any = true;
        }
    }

    /// After `[`.
    fn class(&mut self, start: usize) -> Result<(), PatternError> {
        let differs = |at| Err(PatternError::Differs(at));
        self.takes('^');
        let mut empty = true;
        loop {
            let at = self.at;
            match self.next() {
                None => return differs(start),
                Some(']') if !empty => return Ok(()),
                Some('[') => {
                    let name = self.text[self.at..].strip_prefix(':').and_then(|rest| rest.split_once(":]"));
                    let Some((name, _)) = name else { return differs(at) };
                    const NAMES: [&str; 14] = [
                        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
                        "space", "upper", "word", "xdigit",
                    ];
                    if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
                        return differs(at);
                    }
                    self.at += name.len() + 3;
                }
                Some(']') => return differs(at),
                // Differences and intersections elsewhere; a range that begins or ends with a class.
                Some('&') if self.peek() == Some('&') => return differs(at),
                Some('~') if self.peek() == Some('~') => return differs(at),
                // Literal where it is first or last, else between the ends of a range.
                Some('-') if !empty && self.peek() != Some(']') => return differs(at),
                Some('\\') => {
                    self.escape(at, true)?;
                    self.range(at)?;
                }
                Some(_) => self.range(at)?,
            }
            empty = false;
        }
    }

    /// `-x` after the beginning of a range.
    fn range(&mut self, at: usize) -> Result<(), PatternError> {
        let rest = &self.text[self.at..];
        if !rest.starts_with('-') || rest.starts_with("-]") {
            return Ok(());
        }
        self.at += 1;
        match self.next() {
            Some('\\') => self.escape(at, true).map(|_| ()),
            Some('[' | ']' | '-') | None => Err(PatternError::Differs(at)),
            Some(_) => Ok(()),
        }
    }

    /// After a backslash. Whether a repetition may follow.
    fn escape(&mut self, start: usize, in_class: bool) -> Result<bool, PatternError> {
        let differs = Err(PatternError::Differs(start));
        match self.next() {
            Some('d' | 'D' | 's' | 'S' | 'w' | 'W') => {
                // The ends of a range are characters.
                let rest = &self.text[self.at..];
                if in_class && rest.starts_with('-') && !rest.starts_with("-]") { differs } else { Ok(true) }
            }
            Some('t' | 'n' | 'r' | 'f' | 'v' | 'a') => Ok(true),
            Some('A' | 'z' | 'b' | 'B') if !in_class && self.peek() != Some('{') => Ok(false),
            Some('x') => {
                let rest = &self.text[self.at..];
                let digits = rest.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
                // Above ASCII it is a byte for some, and a character for others.
                if digits.is_none_or(|digits| digits.as_bytes()[0] > b'7') {
                    return differs;
                }
                self.at += 2;
                Ok(true)
            }
            Some(next) if next.is_ascii_punctuation() && next != '<' && next != '>' => Ok(true),
            _ => differs,
        }
    }
}

/// Whom a signature must be of.
#[derive(Debug)]
pub struct Expected {
    subject: Text,
    issuer: Text,
    github: GitHub,
}

/// A text, a pattern, or both.
#[derive(Debug)]
struct Text {
    exact: Option<String>,
    pattern: Option<Pattern>,
}

impl Text {
    fn new(exact: Option<String>, pattern: Option<String>) -> Result<Option<Self>, IdentityError> {
        // cosign's flags are strings: an empty one is as good as none.
        let given = |text: &String| !text.is_empty();
        let (exact, pattern) = (exact.filter(given), pattern.filter(given));
        let compile =
            |pattern: String| Pattern::new(&pattern).map_err(|error| IdentityError::Pattern { pattern, error });
        let text = Self { exact, pattern: pattern.map(compile).transpose()? };
        Ok((text.exact.is_some() || text.pattern.is_some()).then_some(text))
    }

    fn holds(&self, found: &str) -> bool {
        self.exact.as_ref().is_none_or(|exact| exact == found)
            && self.pattern.as_ref().is_none_or(|pattern| pattern.occurs_in(found))
    }

    /// For messages.
    fn shown(&self) -> String {
        match (&self.exact, &self.pattern) {
            (Some(exact), None) => exact.clone(),
            (Some(exact), Some(pattern)) => format!("{exact}, in which /{}/ occurs", pattern.text),
            (None, Some(pattern)) => format!("one in which /{}/ occurs", pattern.text),
            (None, None) => String::new(),
        }
    }
}

/// A claim that is not what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Which: `identity`, `OIDC issuer`, `GitHub workflow repository`, …
    pub claim: &'static str,
    /// What was expected.
    pub expected: String,
    /// What the certificate says.
    pub found: Option<String>,
}

impl Expected {
    /// Reads what a user asks for.
    ///
    /// # Errors
    /// What [`IdentityError`] has.
    pub fn new(identity: contract::Identity) -> Result<Self, IdentityError> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            subject: Text::new(identity.subject, identity.subject_regexp)?.ok_or(IdentityError::NoSubject)?,
            issuer: Text::new(identity.issuer, identity.issuer_regexp)?.ok_or(IdentityError::NoIssuer)?,
            github: GitHub {
                trigger: given(identity.github_trigger),
                sha: given(identity.github_sha),
                name: given(identity.github_name),
                repository: given(identity.github_repository),
                reference: given(identity.github_ref),
            },
        })
    }

    /// The first claim that is not as expected.
    #[must_use]
    pub fn mismatch(&self, claims: &Claims) -> Option<Mismatch> {
        let issuer = claims.issuer.as_deref();
        if !issuer.is_some_and(|issuer| self.issuer.holds(issuer)) {
            let (expected, found) = (self.issuer.shown(), issuer.map(str::to_owned));
            return Some(Mismatch { claim: "OIDC issuer", expected, found });
        }
        if !self.subject.holds(claims.san.as_str()) {
            let found = Some(claims.san.as_str().to_owned());
            return Some(Mismatch { claim: "identity", expected: self.subject.shown(), found });
        }
        let (wanted, found) = (&self.github, &claims.github);
        let claims = [
            ("GitHub workflow trigger", &wanted.trigger, &found.trigger),
            ("GitHub workflow commit", &wanted.sha, &found.sha),
            ("GitHub workflow name", &wanted.name, &found.name),
            ("GitHub workflow repository", &wanted.repository, &found.repository),
            ("GitHub workflow ref", &wanted.reference, &found.reference),
        ];
        let differs = claims.into_iter().find(|(_, wanted, found)| wanted.is_some() && wanted != found);
        differs.map(|(claim, wanted, found)| Mismatch {
            claim,
            expected: wanted.clone().unwrap_or_default(),
            found: found.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_are_unanchored() {
        for (pattern, text, occurs) in [
            ("acme", "https://github.com/evil/acme-x", true),
            ("^https://github.com/acme/", "https://github.com/acme/x", true),
            ("^https://github.com/acme/", "https://evil.example/https://github.com/acme/", false),
            ("(?i)ACME", "acme", true),
            ("(?i:ACME)x", "acmex", true),
            ("a{2,3}?b", "xaab", true),
            (r"^[\w.-]+@acme\.example$", "a.b-c@acme.example", true),
            (r"^[[:alpha:]]+$", "a1", false),
            ("[^a-c]", "abc", false),
            ("[-a]", "-", true),
            ("[a-]", "-", true),
            (r"\x41", "A", true),
            ("", "anything", true),
            ("ü", "für", true),
            // RE2 folds the Kelvin sign to k; the engine here does not: so it is not said to occur.
            ("(?i)k", "\u{212a}", false),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap().occurs_in(text), occurs, "{pattern} in {text}");
        }
    }

    #[test]
    fn what_re2_may_read_otherwise_is_refused() {
        for (pattern, at) in [
            (r"\pL", 0),
            (r"a\Qb\E", 1),
            ("a**", 2),
            ("a+*", 2),
            ("*a", 0),
            ("a|*", 2),
            ("(*a)", 1),
            ("a{,3}", 1),
            ("a{3", 1),
            ("a{1001}", 1),
            ("a{2,1}", 1),
            ("a{01}", 1),
            ("(?x)a b", 0),
            ("(?R)a", 0),
            ("(?=a)", 0),
            ("(?)", 0),
            ("(?i-)", 0),
            (r"\b{start}", 0),
            (r"\<a", 0),
            (r"\1", 0),
            (r"\012", 0),
            (r"\xff", 0),
            (r"\u0041", 0),
            ("[a&&b]", 2),
            ("[a--b]", 1),
            ("[]a]", 1),
            ("[[a]b]", 1),
            ("[[:foo:]]", 1),
            (r"[\d-z]", 1),
            (r"[\b]", 1),
            ("a]", 1),
            ("a}", 1),
            ("[a", 0),
            ("(?i)ü", 4),
            ("^*", 1),
        ] {
            let error = Pattern::new(pattern).map(|_| ()).unwrap_err();
            assert_eq!(error, PatternError::Differs(at), "{pattern}");
        }
        assert_eq!(Pattern::new("(a").unwrap_err(), PatternError::Malformed);
        assert_eq!(Pattern::new("a)").unwrap_err(), PatternError::Malformed);
        assert_eq!(Pattern::new("[b-a]").unwrap_err(), PatternError::Malformed);
    }

    #[test]
    fn limits() {
        assert!(Pattern::new(&"a".repeat(MAX_PATTERN_BYTES)).is_ok());
        assert_eq!(Pattern::new(&"a".repeat(MAX_PATTERN_BYTES + 1)).unwrap_err(), PatternError::TooLong);
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Pattern::new(&nested(MAX_GROUPS as usize)).is_ok());
        assert_eq!(Pattern::new(&nested(MAX_GROUPS as usize + 1)).unwrap_err(), PatternError::TooLarge);
        assert_eq!(Pattern::new("((a{1000}){1000}){1000}").unwrap_err(), PatternError::TooLarge);
        // What makes others take exponential time.
        let text = "a".repeat(10_000) + "!";
        assert!(!Pattern::new("^(a|a)*(a+)+$").unwrap().occurs_in(&text));
    }

    fn identity(subject: &str, issuer: &str) -> contract::Identity {
        contract::Identity {
            subject: Some(subject.to_owned()),
            subject_regexp: None,
            issuer: Some(issuer.to_owned()),
            issuer_regexp: None,
            github_trigger: None,
            github_sha: None,
            github_name: None,
            github_repository: None,
            github_ref: None,
        }
    }

    #[test]
    fn an_identity_needs_a_subject_and_an_issuer() {
        let none = identity("", "https://issuer.example");
        assert_eq!(Expected::new(none).map(|_| ()).unwrap_err(), IdentityError::NoSubject);
        let none = identity("a@acme.example", "");
        assert_eq!(Expected::new(none).map(|_| ()).unwrap_err(), IdentityError::NoIssuer);
        let both = contract::Identity { subject_regexp: Some("^b".to_owned()), ..identity("a@b", "i") };
        let both = Expected::new(both).unwrap();
        assert!(!both.subject.holds("a@b"));
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in r"[ab\[\](){}*+?|^$.,:\\\-<>&~PdswpxQU0-9iü]{0,24}", text in "[ab ü]{0,12}") {
            if let Ok(pattern) = Pattern::new(&pattern) {
                let _ = pattern.occurs_in(&text);
            }
        }
    }
}
