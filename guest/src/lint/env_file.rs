//! `go.env` and `.env`: NAME=VALUE, one a line.

use super::glyph::{Glyph, lines, range, text, trim, unquoted, with_expressions};
use super::{Assignment, Facts, settings};

/// cmd/go's own (`cfg.readEnvFile`): a line begins with a capital letter and has a `=`; the value is taken as it is,
/// quotes, spaces and all.
pub(super) fn go_env(glyphs: &[Glyph], facts: &mut Facts) {
    for line in lines(glyphs) {
        facts.assign([split(line, '=').and_then(|(name, value)| assignment(name, value.to_vec(), line))]);
    }
}

/// What Docker, Compose and shells read: spaces around, `export`, quotes, and comments after a space.
pub(super) fn env_file(glyphs: &[Glyph], facts: &mut Facts) {
    for line in lines(glyphs) {
        let line = trim(line);
        let rest = match line.get(..7) {
            Some(export) if text(export) == "export " => trim(&line[7..]),
            _ => line,
        };
        let found = split(rest, '=').and_then(|(name, value)| {
            let value = trim(value);
            let quoted = matches!(value.first(), Some(quote) if matches!(quote.c, '"' | '\''));
            let value = if quoted { value } else { trim(uncommented(value)) };
            assignment(trim(name), with_expressions(unquoted(value)), line)
        });
        facts.assign([found]);
    }
}

/// Without a comment: `#` after a blank.
fn uncommented(value: &[Glyph]) -> &[Glyph] {
    let comment = value.windows(2).position(|pair| pair[0].is_blank() && pair[1].c == '#');
    comment.map_or(value, |at| &value[..at])
}

/// Before and after the first of this character.
pub(super) fn split(line: &[Glyph], at: char) -> Option<(&[Glyph], &[Glyph])> {
    let position = line.iter().position(|glyph| glyph.c == at)?;
    Some((&line[..position], &line[position + 1..]))
}

fn assignment(name: &[Glyph], value: Vec<Glyph>, line: &[Glyph]) -> Option<Assignment> {
    let named = settings::of_interest(&text(name))?;
    let statement = range(trim(line));
    Some(Assignment::new(named, range(name)?, value, statement.clone()).alone(statement))
}
