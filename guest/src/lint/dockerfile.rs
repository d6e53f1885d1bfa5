//! Dockerfiles: ENV, ARG, and what RUN, CMD, ENTRYPOINT and HEALTHCHECK run.
//!
//! As BuildKit's parser reads them: instructions in any case, the escape character of a `# escape=` directive, comment
//! lines inside of continued instructions, here-documents, the JSON form of commands.

use super::glyph::{Glyph, lines, range, text, trim, with_expressions};
use super::shell::{self, Word};
use super::{Assignment, Facts, devcontainer, settings};

/// Instructions that run something, or begin with another instruction.
const RUNS: &[&str] = &["RUN", "CMD", "ENTRYPOINT", "SHELL"];

pub(super) fn scan(glyphs: &[Glyph], facts: &mut Facts) {
    let escape = escape(glyphs);
    let all: Vec<&[Glyph]> = lines(glyphs).collect();
    let mut at = 0;
    while at < all.len() {
        if is_comment(all[at]) || trim(all[at]).is_empty() {
            at += 1;
            continue;
        }
        // The instruction, without the ends of its continued lines.
        let mut instruction: Vec<Glyph> = Vec::new();
        let mut goes_on = true;
        while goes_on && at < all.len() {
            let line = all[at];
            at += 1;
            if !instruction.is_empty() && (is_comment(line) || trim(line).is_empty()) {
                continue;
            }
            let kept = trim_end(line);
            goes_on = kept.last().is_some_and(|glyph| glyph.c == escape);
            instruction.extend_from_slice(if goes_on { &kept[..kept.len() - 1] } else { line });
        }
        // Its here-documents, for the shell to read.
        for end in document_ends(&instruction) {
            while at < all.len() {
                let line = all[at];
                let before = instruction.last().copied();
                instruction.extend(before.map(|glyph| Glyph { at: glyph.end, ..glyph.as_char('\n') }));
                instruction.extend_from_slice(line);
                at += 1;
                if text(trim(line)) == end {
                    break;
                }
            }
        }
        judge(&instruction, facts);
    }
}

/// `# escape=` in the comments at the very start.
fn escape(glyphs: &[Glyph]) -> char {
    for line in lines(glyphs) {
        let line: String = text(trim(line)).split_whitespace().collect();
        let Some((name, value)) = line.strip_prefix('#').and_then(|line| line.split_once('=')) else { break };
        if name.eq_ignore_ascii_case("escape") && value == "`" {
            return '`';
        }
    }
    '\\'
}

fn is_comment(line: &[Glyph]) -> bool {
    trim(line).first().is_some_and(|glyph| glyph.c == '#')
}

fn trim_end(mut line: &[Glyph]) -> &[Glyph] {
    while let [rest @ .., last] = line
        && last.is_blank()
    {
        line = rest;
    }
    line
}

/// The words that end the here-documents of RUN, COPY and ADD.
fn document_ends(instruction: &[Glyph]) -> Vec<String> {
    let line = text(instruction);
    let line = line.trim_start();
    if !["RUN", "COPY", "ADD"].iter().any(|name| line.get(..name.len()).is_some_and(|i| i.eq_ignore_ascii_case(name))) {
        return Vec::new();
    }
    line.split("<<")
        .skip(1)
        .map(|rest| {
            let rest = rest.trim_start_matches(['-', '"', '\'']);
            rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.')).collect::<String>()
        })
        .filter(|end| !end.is_empty())
        .collect()
}

fn judge(instruction: &[Glyph], facts: &mut Facts) {
    let instruction = trim(instruction);
    let length = instruction.iter().take_while(|glyph| !glyph.is_blank()).count();
    let (name, rest) = instruction.split_at(length);
    let rest = trim(rest);
    let name = text(name).to_ascii_uppercase();
    match name.as_str() {
        "ONBUILD" => judge(rest, facts),
        "HEALTHCHECK" => {
            let words = shell::words(rest);
            let cmd = words.iter().find(|word| word.text().eq_ignore_ascii_case("CMD"));
            if let Some(source) = cmd.and_then(|word| word.source.clone()) {
                let after = rest.partition_point(|glyph| glyph.at < source.start);
                judge(&rest[after..], facts);
            }
        }
        "ENV" => env(instruction, rest, facts),
        "ARG" => {
            let words = shell::words(rest);
            let alone = words.len() == 1;
            facts.assign(words.iter().map(|word| with_statement(word, instruction, alone)));
        }
        run if RUNS.contains(&run) => {
            let rest = without_flags(rest);
            if rest.first().is_some_and(|glyph| glyph.c == '[') {
                let words = devcontainer::strings(rest).map(Word::of).collect::<Vec<_>>();
                shell::command(&words, false, 0, facts);
            } else {
                shell::scan(rest, facts);
            }
        }
        _ => {}
    }
}

/// `ENV NAME=VALUE …`, or the old `ENV NAME VALUE`.
fn env(instruction: &[Glyph], rest: &[Glyph], facts: &mut Facts) {
    let words = shell::words(rest);
    let Some(first) = words.first() else { return };
    if first.glyphs.iter().any(|glyph| glyph.c == '=') {
        let alone = words.len() == 1;
        facts.assign(words.iter().map(|word| with_statement(word, instruction, alone)));
        return;
    }
    let old = || -> Option<Assignment> {
        let named = settings::of_interest(&first.text())?;
        let value = match words.as_slice() {
            [_, value] => value.glyphs.clone(),
            _ => with_expressions(trim(&rest[first.glyphs.len()..])),
        };
        Some(Assignment::new(named, range(&first.glyphs)?, value, range(rest)).alone(range(instruction)))
    };
    facts.assign([old()]);
}

fn with_statement(word: &Word, instruction: &[Glyph], alone: bool) -> Option<Assignment> {
    let found = word.assignment()?;
    Some(if alone { found.alone(range(instruction)) } else { found })
}

/// Without `--mount=…` and the like.
fn without_flags(mut rest: &[Glyph]) -> &[Glyph] {
    while let [a, b, ..] = rest
        && a.c == '-'
        && b.c == '-'
    {
        let length = rest.iter().take_while(|glyph| !glyph.is_blank() && glyph.c != '\n').count();
        rest = trim(&rest[length..]);
    }
    rest
}
