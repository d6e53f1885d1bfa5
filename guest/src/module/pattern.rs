//! Globs over module paths, as in GOPRIVATE and GONOSUMDB.

use std::ops::RangeInclusive;

/// How many elements the paths have that [`Patterns::matching_everything`] tries.
const PROBE_ELEMENTS: usize = 8;

/// A comma-separated list of globs that match leading elements of module paths
/// (golang.org/x/mod/module.MatchPrefixPatterns, `go help module-private`).
///
/// One `/` at a glob's end does not count; empty and malformed globs match nothing; spaces are not trimmed; case
/// counts. A glob is one of Go's [path.Match]: `*` and `?` do not match `/`, a class such as `[^a]` does.
///
/// Matching takes time in the order of the list's length times the path's, never more.
///
/// [path.Match]: https://pkg.go.dev/path#Match
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    /// As written, without the `/` at its end.
    text: String,
    /// How many `/` it has, wherever they are.
    slashes: usize,
    chunks: Vec<Chunk>,
}

/// What is between two `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Chunk {
    /// Whether a `*` is before it.
    star: bool,
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// `?`.
    Any,
    /// One byte. Go compares literals by byte.
    Byte(u8),
    /// `[…]`.
    Class { negated: bool, ranges: Vec<RangeInclusive<char>> },
}

impl Patterns {
    /// Reads a list. There are no errors: what is malformed is left out, as Go does.
    pub fn new(globs: &str) -> Self {
        Self(globs.split(',').filter_map(Pattern::new).collect())
    }

    /// The first pattern that matches, as written but for the `/` at its end.
    pub fn matching(&self, target: &str) -> Option<&str> {
        self.0.iter().find(|pattern| pattern.matches_prefix(target.as_bytes())).map(|pattern| pattern.text.as_str())
    }

    /// The patterns that leave next to no module unmatched, separated by commas: `*`, `*.*`, `*/*`, `[a-m]*,[!-z]*`.
    /// None if there is no such set.
    ///
    /// Found by trial, on the side of saying so: one path of eight elements for each character that a module path can
    /// begin with, under a made-up domain. So `*/*` counts, though it leaves out paths of one element, and `*.com`
    /// does not. A list of the domains that there are is not seen through.
    pub fn matching_everything(&self) -> Option<String> {
        let mut found: Vec<&str> = Vec::new();
        for c in ('0'..='9').chain('a'..='z') {
            let mut probe = format!("{c}7x-{c}q.{c}0k");
            for _ in 1..PROBE_ELEMENTS {
                probe.push('/');
                probe.push_str("Z_9.x~y");
                probe.push(c);
            }
            let pattern = self.matching(&probe)?;
            if !found.contains(&pattern) {
                found.push(pattern);
            }
        }
        Some(found.join(","))
    }
}

/// Whether a glob of the list matches leading elements of the path: golang.org/x/mod/module.MatchPrefixPatterns.
///
/// Reads the list anew; [`Patterns`] serves many paths.
pub fn match_prefix_patterns(globs: &str, target: &str) -> bool {
    Patterns::new(globs).matching(target).is_some()
}

impl Pattern {
    fn new(glob: &str) -> Option<Self> {
        let text = glob.strip_suffix('/').unwrap_or(glob);
        if text.is_empty() {
            return None;
        }
        Some(Self { text: text.to_owned(), slashes: text.matches('/').count(), chunks: parse(text)? })
    }

    /// Whether it matches exactly as many leading elements of the path as it has itself.
    fn matches_prefix(&self, target: &[u8]) -> bool {
        let mut slashes = (0..target.len()).filter(|&i| target[i] == b'/');
        match slashes.by_ref().nth(self.slashes) {
            Some(end) => self.matches(&target[..end]),
            None if target.iter().filter(|b| **b == b'/').count() == self.slashes => self.matches(target),
            None => false,
        }
    }

    /// Go's path.Match for a well-formed pattern: every chunk is put as far left as it goes, the last one so that it
    /// ends where the name ends. Nothing is tried again, which is what keeps it linear.
    fn matches(&self, mut name: &[u8]) -> bool {
        for (i, chunk) in self.chunks.iter().enumerate() {
            let last = i + 1 == self.chunks.len();
            if last && chunk.star && chunk.tokens.is_empty() {
                return !name.contains(&b'/');
            }
            let reach = match chunk.star {
                true => name.iter().take_while(|b| **b != b'/').count(),
                false => 0,
            };
            let rest =
                (0..=reach).filter_map(|skip| chunk.matches(&name[skip..])).find(|rest| !last || rest.is_empty());
            match rest {
                Some(rest) => name = rest,
                None => return false,
            }
        }
        name.is_empty()
    }
}

impl Chunk {
    /// What is left of `name` after the chunk.
    fn matches<'a>(&self, mut name: &'a [u8]) -> Option<&'a [u8]> {
        for token in &self.tokens {
            let (&byte, rest) = name.split_first()?;
            name = match token {
                Token::Byte(wanted) => (byte == *wanted).then_some(rest)?,
                Token::Any => (byte != b'/').then(|| &name[first_char(name).1..])?,
                Token::Class { negated, ranges } => {
                    let (c, width) = first_char(name);
                    let inside = ranges.iter().any(|range| range.contains(&c));
                    (inside != *negated).then(|| &name[width..])?
                }
            };
        }
        Some(name)
    }
}

/// The first character and its width; U+FFFD and 1 where there is none, as Go's utf8.DecodeRune says.
fn first_char(bytes: &[u8]) -> (char, usize) {
    let head = &bytes[..bytes.len().min(4)];
    head.utf8_chunks()
        .next()
        .and_then(|chunk| chunk.valid().chars().next())
        .map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, c.len_utf8()))
}

/// The chunks of a glob; none if it is malformed.
fn parse(glob: &str) -> Option<Vec<Chunk>> {
    let mut chunks = vec![Chunk::default()];
    let mut rest = glob.chars();
    while let Some(c) = rest.next() {
        let mut token = |token| {
            if let Some(chunk) = chunks.last_mut() {
                chunk.tokens.push(token);
            }
        };
        let mut literal = |c: char| {
            c.encode_utf8(&mut [0; 4]).bytes().for_each(|b| token(Token::Byte(b)));
        };
        match c {
            '*' => match chunks.last_mut() {
                Some(chunk) if chunk.tokens.is_empty() => chunk.star = true,
                _ => chunks.push(Chunk { star: true, tokens: Vec::new() }),
            },
            '?' => token(Token::Any),
            '[' => token(class(&mut rest)?),
            '\\' => literal(rest.next()?),
            c => literal(c),
        }
    }
    Some(chunks)
}

/// A character class after its `[`; none if it is malformed.
fn class(rest: &mut std::str::Chars<'_>) -> Option<Token> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if !ranges.is_empty() && rest.as_str().starts_with(']') {
            rest.next();
            return Some(Token::Class { negated, ranges });
        }
        let low = class_char(rest)?;
        let high = match rest.as_str().starts_with('-') {
            true => {
                rest.next();
                class_char(rest)?
            }
            false => low,
        };
        ranges.push(low..=high);
    }
}

fn class_char(rest: &mut std::str::Chars<'_>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        c => Some(c),
    }
}
