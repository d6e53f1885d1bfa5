//! devcontainer.json: containerEnv, remoteEnv, build.args, runArgs, and the commands of its life cycle.
//!
//! JSON with comments, read as tokens: a key with the name of a setting counts wherever it stands, and a file that is
//! not JSON is read all the same.

use super::glyph::{Glyph, range, text, with_expressions};
use super::shell::{self, Word};
use super::{Assignment, Facts, settings};

enum Token {
    /// What is between the quotes, escapes resolved.
    String(Vec<Glyph>),
    /// `{ } [ ] : ,`
    Mark(char),
}

pub(super) fn scan(glyphs: &[Glyph], facts: &mut Facts) {
    let tokens = tokens(glyphs);
    // The keys of what is open here.
    let mut open: Vec<bool> = Vec::new();
    let mut key_runs = false;
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Mark('{') => open.push(key_runs),
            Token::Mark('[') => {
                let strings: Vec<Word> = tokens[at + 1..]
                    .iter()
                    .map_while(|token| match token {
                        Token::String(string) => Some(Some(string.clone())),
                        Token::Mark(',') => Some(None),
                        Token::Mark(_) => None,
                    })
                    .flatten()
                    .map(Word::of)
                    .collect();
                if key_runs || open.last() == Some(&true) {
                    shell::command(&strings, false, 0, facts);
                } else {
                    // runArgs
                    shell::containers(&strings, facts);
                }
                open.push(false);
            }
            Token::Mark('}' | ']') => {
                open.pop();
                key_runs = false;
            }
            Token::Mark(',') => key_runs = open.last() == Some(&true),
            Token::Mark(_) => {}
            Token::String(string) if matches!(tokens.get(at + 1), Some(Token::Mark(':'))) => {
                let name = text(string);
                key_runs = name.ends_with("Command") || open.last() == Some(&true);
                if let (Some(named), Some(Token::String(value))) = (settings::of_interest(&name), tokens.get(at + 2)) {
                    let found = range(string).map(|at| {
                        let source = range(value).map(|value| at.start..value.end);
                        Assignment::new(named, at, with_expressions(value), source)
                    });
                    facts.assign([found]);
                }
            }
            Token::String(string) if key_runs => shell::scan(string, facts),
            Token::String(_) => {}
        }
        at += 1;
    }
}

/// The strings in a JSON text.
pub(super) fn strings(glyphs: &[Glyph]) -> impl Iterator<Item = Vec<Glyph>> {
    tokens(glyphs).into_iter().filter_map(|token| match token {
        Token::String(string) => Some(string),
        Token::Mark(_) => None,
    })
}

fn tokens(glyphs: &[Glyph]) -> Vec<Token> {
    let mut out = Vec::new();
    let mut at = 0;
    let c = |at: usize| glyphs.get(at).map(|glyph| glyph.c);
    while let Some(first) = c(at) {
        match (first, c(at + 1)) {
            ('/', Some('/')) => at += glyphs[at..].iter().take_while(|glyph| glyph.c != '\n').count(),
            ('/', Some('*')) => {
                let end = glyphs[at + 2..].windows(2).position(|pair| pair[0].c == '*' && pair[1].c == '/');
                // One that is not closed hides nothing: what follows is read.
                at = end.map_or(at + 2, |end| at + 2 + end + 2);
            }
            ('"', _) => {
                let (string, next) = string(glyphs, at + 1);
                out.push(Token::String(string));
                at = next;
            }
            (mark @ ('{' | '}' | '[' | ']' | ':' | ','), _) => {
                out.push(Token::Mark(mark));
                at += 1;
            }
            _ => at += 1,
        }
    }
    out
}

/// The string that begins at `at`, to its quote or the end of the line, and where to go on.
fn string(glyphs: &[Glyph], mut at: usize) -> (Vec<Glyph>, usize) {
    let mut out = Vec::new();
    while let Some(glyph) = glyphs.get(at) {
        match (glyph.c, glyphs.get(at + 1)) {
            ('"', _) => return (out, at + 1),
            ('\n', _) => return (out, at),
            ('\\', Some(next)) => {
                let (c, width) = match next.c {
                    'n' => ('\n', 2),
                    't' => ('\t', 2),
                    'r' => ('\r', 2),
                    'u' => {
                        let hex = text(&glyphs[(at + 2).min(glyphs.len())..(at + 6).min(glyphs.len())]);
                        match u32::from_str_radix(&hex, 16).ok().filter(|_| hex.len() == 4) {
                            Some(code) => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 6),
                            None => ('u', 2),
                        }
                    }
                    other => (other, 2),
                };
                out.push(Glyph { c, at: glyph.at, end: glyphs[at + width - 1].end });
                at += width;
            }
            _ => {
                out.push(*glyph);
                at += 1;
            }
        }
    }
    (out, at)
}
