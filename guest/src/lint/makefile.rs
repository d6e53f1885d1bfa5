//! Makefiles: variables, exported or not, and recipes.
//!
//! A variable that is not exported is judged too: `go build $(GOFLAGS)` is what it is for, and make exports it itself
//! where the environment has it.

use super::glyph::{EXPRESSION, Glyph, closing, lines, range, text, trim, with_expressions};
use super::{Assignment, Facts, settings, shell};

/// How deep `$(shell …)` is read.
const MAX_DEPTH: u8 = shell::MAX_DEPTH;

const MODIFIERS: &[&str] = &["export", "override", "private", "define"];

pub(super) fn scan(glyphs: &[Glyph], facts: &mut Facts) {
    let all: Vec<&[Glyph]> = lines(glyphs).collect();
    let mut at = 0;
    let mut in_define = false;
    while at < all.len() {
        let recipe = all[at].first().is_some_and(|glyph| glyph.c == '\t') || in_define;
        let mut line: Vec<Glyph> = Vec::new();
        let mut physical = 0;
        loop {
            let next = all[at];
            at += 1;
            physical += 1;
            let kept = match next {
                [rest @ .., cr] if cr.c == '\r' => rest,
                all => all,
            };
            let goes_on = kept.last().is_some_and(|glyph| glyph.c == '\\') && at < all.len();
            if goes_on {
                let (slash, rest) = (kept[kept.len() - 1], &kept[..kept.len() - 1]);
                line.extend_from_slice(rest);
                line.push(slash.as_char(' '));
            } else {
                line.extend_from_slice(kept);
                break;
            }
        }
        let start = text(trim(&line));
        match start.as_str() {
            "endef" => in_define = false,
            _ if start.starts_with("define ") => in_define = true,
            _ if recipe => recipe_line(&line, facts),
            _ => definition(&line, physical == 1, facts),
        }
    }
}

fn recipe_line(line: &[Glyph], facts: &mut Facts) {
    let mut line = trim(line);
    while let [first, rest @ ..] = line
        && matches!(first.c, '@' | '-' | '+' | ' ')
    {
        line = rest;
    }
    shell::scan(&expanded(line, 0, facts), facts);
}

/// As make hands it to the shell: `$$` is `$`, and other references are expressions, of which `$(GO)` is taken for the
/// go command. What `$(shell …)` runs is read as well.
fn expanded(line: &[Glyph], depth: u8, facts: &mut Facts) -> Vec<Glyph> {
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    let mut unclosed = false;
    while let [first, after @ ..] = rest {
        let second = after.first().map(|glyph| glyph.c);
        let length = match (first.c, second) {
            ('$', Some('$')) => {
                out.push(*first);
                rest = &after[1..];
                continue;
            }
            ('$', Some('(')) if !unclosed => closing(rest, '(', ')').map(|end| end + 1),
            ('$', Some('{')) if !unclosed => closing(rest, '{', '}').map(|end| end + 1),
            ('$', Some(c)) if c.is_ascii_alphabetic() || matches!(c, '@' | '<' | '^' | '*' | '?' | '+') => Some(2),
            ('$', Some('(' | '{')) => None,
            _ => {
                out.push(*first);
                rest = after;
                continue;
            }
        };
        let Some(length) = length else {
            unclosed = true;
            out.push(*first);
            rest = after;
            continue;
        };
        let (reference, after) = rest.split_at(length);
        let inner = reference.get(2..length - 1).unwrap_or_default();
        let name = text(&inner[..inner.len().min(6)]);
        if matches!(name.as_str(), "GO" | "GOCMD" | "GOBIN") && name.chars().count() == inner.len() {
            out.extend([reference[0].as_char('g'), reference[1].as_char('o')]);
        } else {
            if name == "shell " && depth < MAX_DEPTH {
                let script = expanded(&inner[6..], depth + 1, facts);
                shell::scan(&script, facts);
            }
            out.push(Glyph { c: EXPRESSION, at: reference[0].at, end: reference[length - 1].end });
        }
        rest = after;
    }
    out
}

/// `[export] NAME := VALUE`, `target: NAME = VALUE`, `target: ; recipe`.
fn definition(line: &[Glyph], one_line: bool, facts: &mut Facts) {
    let line = trim(line);
    if line.first().is_none_or(|glyph| glyph.c == '#') {
        return;
    }
    // `$(shell …)` runs wherever it stands.
    let line_expanded = expanded(line, 0, facts);
    let Some(equals) = line_expanded.iter().position(|glyph| glyph.c == '=') else {
        return recipe_after_target(&line_expanded, facts);
    };
    let mut left = &line_expanded[..equals];
    while let [rest @ .., last] = left
        && matches!(last.c, ':' | '?' | '+' | '!')
    {
        left = rest;
    }
    let left = trim(left);
    // What remains before the name: a target, and modifiers.
    let word = left.iter().rposition(|glyph| glyph.is_blank() || glyph.c == ':').map_or(0, |at| at + 1);
    let (before, name) = left.split_at(word);
    let before = text(before);
    let plain = before.split_whitespace().all(|word| MODIFIERS.contains(&word));
    let Some(named) = settings::of_interest(&text(name)) else {
        return recipe_after_target(&line_expanded, facts);
    };
    let value = &line_expanded[equals + 1..];
    let value = match value.iter().position(|glyph| glyph.c == '#') {
        Some(comment) => &value[..comment],
        None => value,
    };
    let value = trim(value);
    let found = range(name).map(|at| {
        let source = range(line).map(|line| line.start..range(value).map_or(at.end, |value| value.end.max(at.end)));
        let found = Assignment::new(named, at, with_expressions(value), source);
        if plain && one_line { found.alone(range(line)) } else { found }
    });
    facts.assign([found]);
}

fn recipe_after_target(line: &[Glyph], facts: &mut Facts) {
    let colon = line.iter().position(|glyph| glyph.c == ':');
    let semicolon = line.iter().position(|glyph| glyph.c == ';');
    if let (Some(colon), Some(semicolon)) = (colon, semicolon)
        && colon < semicolon
    {
        shell::scan(&line[semicolon + 1..], facts);
    }
}
