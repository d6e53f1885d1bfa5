//! YAML: GitHub workflows and actions, GitLab CI, Compose, and every other file of that kind.
//!
//! They differ in where the environment stands, and agree in how it is written, so one reader serves all: a key with the
//! name of a setting and a scalar value; `NAME=VALUE` in a list; `name: NAME` beside `value: VALUE`; and scripts under
//! the keys of [`SCRIPTS`]. A key that happens to have such a name and sets nothing is one finding too many, which is
//! the better mistake.
//!
//! saphyr-parser reads the structure, and the text of a scalar is taken from the file itself, so that places stay exact.
//! What it refuses, a template for example, is read line by line.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::env_file::split;
use super::glyph::{Glyph, Places, lines, range, text, trim, unquoted, with_expressions};
use super::{Assignment, Facts, settings, shell};

/// Keys whose values are run by a shell, or are lists of `NAME=VALUE` that read like a script.
const SCRIPTS: &[&str] = &[
    "after_script",
    "args",
    "bash",
    "before_install",
    "before_script",
    "build-args",
    "build_args",
    "cmd",
    "cmds",
    "command",
    "commands",
    "entrypoint",
    "hooks",
    "install",
    "post",
    "postBuild",
    "powershell",
    "pre",
    "preBuild",
    "prepare",
    "pwsh",
    "run",
    "script",
    "sh",
    "test",
];

/// The longest value, in characters, that is followed through an alias.
const MAX_ALIASED: usize = 4096;

/// What is open around a place of the document.
enum Frame {
    /// A mapping, between two keys, or after one.
    Mapping {
        script: bool,
        key: Option<(String, Range<usize>)>,
        name: Option<(String, Range<usize>)>,
        value: Option<Vec<Glyph>>,
    },
    /// A list.
    Sequence { script: bool, words: Vec<shell::Word> },
}

pub(super) fn scan(content: &[u8], glyphs: &[Glyph], facts: &mut Facts) {
    let mut found = Facts::default();
    if std::str::from_utf8(content).is_ok_and(|_| structured(content, glyphs, &mut found).is_some()) {
        facts.assignments.append(&mut found.assignments);
        facts.commands.append(&mut found.commands);
    } else {
        by_lines(glyphs, facts);
    }
}

/// Reads a YAML text; none: it is not YAML.
fn structured(content: &[u8], glyphs: &[Glyph], facts: &mut Facts) -> Option<()> {
    let source = text(glyphs);
    let places = Places::new(content);
    let mut frames: Vec<Frame> = Vec::new();
    let mut anchors: BTreeMap<usize, Vec<Glyph>> = BTreeMap::new();
    for event in Parser::new_from_str(&source) {
        let (event, span) = event.ok()?;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                let script = value_runs(&frames);
                // GitLab: `NAME: { value: VALUE, description: … }`.
                let name = match frames.last() {
                    Some(Frame::Mapping { key: Some((key, at)), .. }) => Some((key.clone(), at.clone())),
                    _ => None,
                };
                frames.push(match event {
                    Event::MappingStart(..) => Frame::Mapping { script, key: None, name, value: None },
                    _ => Frame::Sequence { script, words: Vec::new() },
                });
            }
            Event::MappingEnd | Event::SequenceEnd => {
                match frames.pop() {
                    Some(Frame::Mapping { name: Some((name, at)), value: Some(value), .. }) => {
                        let named = settings::of_interest(&name);
                        facts.assign([named.map(|named| Assignment::new(named, at, value, None))]);
                    }
                    Some(Frame::Sequence { words, .. }) => {
                        // `command: ["go", "get", "-insecure"]`, and `-e NAME=VALUE`.
                        shell::command(&words, false, 0, facts);
                    }
                    _ => {}
                }
                done(&mut frames);
            }
            Event::Scalar(value, style, anchor, _) => {
                let scalar = Scalar { value: &value, style, glyphs: scalar(glyphs, &places, style, &span) };
                if anchor > 0 && scalar.glyphs.len() <= MAX_ALIASED {
                    anchors.insert(anchor, scalar.glyphs.clone());
                }
                entry(&mut frames, scalar, facts);
            }
            Event::Alias(anchor) => match frames.last_mut() {
                // An alias as a key names nothing that could be a setting.
                Some(Frame::Mapping { key: key @ None, .. }) => *key = Some((String::new(), 0..0)),
                Some(Frame::Mapping { key: Some((key, at)), .. }) => {
                    let named = settings::of_interest(key);
                    facts.assign(named.zip(anchors.get(&anchor)).map(|(named, value)| {
                        // The value stands elsewhere, and for others too.
                        let here = |glyph: &Glyph| Glyph { at: at.start, end: at.start, ..*glyph };
                        let value = trim(value).iter().map(here).collect();
                        Assignment::new(named, at.clone(), value, Some(at.clone()))
                    }));
                    done(&mut frames);
                }
                _ => {}
            },
            _ => {}
        }
    }
    Some(())
}

struct Scalar<'a> {
    value: &'a str,
    style: ScalarStyle,
    /// As it stands in the file, without quotes and indentation.
    glyphs: Vec<Glyph>,
}

/// Whether the value that comes next is run.
fn value_runs(frames: &[Frame]) -> bool {
    match frames.last() {
        Some(Frame::Mapping { script, key, .. }) => {
            let named = key.as_ref().is_some_and(|(key, _)| SCRIPTS.contains(&key.as_str()));
            // Below `script:` a mapping has keys of its own, such as `name`.
            named || (*script && key.is_none())
        }
        Some(Frame::Sequence { script, .. }) => *script,
        None => false,
    }
}

/// A value has ended.
fn done(frames: &mut [Frame]) {
    if let Some(Frame::Mapping { key, .. }) = frames.last_mut() {
        *key = None;
    }
}

fn entry(frames: &mut [Frame], scalar: Scalar<'_>, facts: &mut Facts) {
    let runs = value_runs(frames);
    match frames.last_mut() {
        Some(Frame::Mapping { key: key @ None, .. }) => {
            let at = range(&scalar.glyphs).unwrap_or(0..0);
            *key = Some((scalar.value.to_owned(), at));
        }
        Some(Frame::Mapping { key, name, value, .. }) => {
            if let Some((key, at)) = key.take() {
                match key.as_str() {
                    "name" | "key" => *name = range(&scalar.glyphs).map(|at| (scalar.value.to_owned(), at)),
                    "value" => *value = Some(with_expressions(trim(&scalar.glyphs))),
                    _ => {}
                }
                match settings::of_interest(&key) {
                    Some(named) => facts.assign([Some(assignment(named, at, &scalar.glyphs))]),
                    None if runs => shell::scan(&scalar.glyphs, facts),
                    None => {}
                }
            }
        }
        Some(Frame::Sequence { words, .. }) => {
            if runs {
                shell::scan(&scalar.glyphs, facts);
            }
            let found = split(&scalar.glyphs, '=').and_then(|(name, value)| {
                let named = settings::of_interest(&text(name))?;
                Some(assignment(named, range(name)?, unquoted(value)))
            });
            facts.assign([found]);
            if scalar.style != ScalarStyle::Literal && scalar.style != ScalarStyle::Folded {
                words.push(shell::Word::of(scalar.glyphs));
            }
        }
        None => {}
    }
}

fn assignment(named: &'static str, at: Range<usize>, value: &[Glyph]) -> Assignment {
    let value = trim(value);
    let source = range(value).map(|value| at.start..value.end.max(at.end));
    Assignment::new(named, at, with_expressions(value), source)
}

/// The characters of a scalar, from the file.
fn scalar(glyphs: &[Glyph], places: &Places<'_>, style: ScalarStyle, span: &Span) -> Vec<Glyph> {
    let (start, end) = (span.start.index().min(glyphs.len()), span.end.index().min(glyphs.len()));
    let inside = without_properties(glyphs.get(start..end).unwrap_or_default());
    match style {
        ScalarStyle::Plain => folded_line(inside),
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => folded_line(unquoted(trim(inside))),
        ScalarStyle::Literal => block(inside, places, false),
        ScalarStyle::Folded => block(inside, places, true),
    }
}

/// Without `&anchor` and `!tag`, which no scalar begins with.
fn without_properties(mut glyphs: &[Glyph]) -> &[Glyph] {
    while let [first, rest @ ..] = glyphs
        && matches!(first.c, '&' | '!')
    {
        let end = rest.iter().position(|glyph| glyph.is_blank() || glyph.c == '\n').unwrap_or(rest.len());
        glyphs = trim(&rest[end..]);
    }
    glyphs
}

/// A scalar that goes over several lines is one line.
fn folded_line(glyphs: &[Glyph]) -> Vec<Glyph> {
    glyphs.iter().map(|glyph| if glyph.c == '\n' { glyph.as_char(' ') } else { *glyph }).collect()
}

/// A block scalar without its header and its indentation.
fn block(glyphs: &[Glyph], places: &Places<'_>, folded: bool) -> Vec<Glyph> {
    let mut all: Vec<&[Glyph]> = lines(glyphs).collect();
    if all.first().and_then(|line| line.first()).is_some_and(|first| matches!(first.c, '|' | '>')) {
        all.remove(0);
    }
    let indent = |line: &[Glyph]| line.iter().take_while(|glyph| glyph.c == ' ').count();
    // The first line may have lost its indentation: what is before it in the file tells.
    let first = all.first().and_then(|line| line.first()).map_or(0, |first| first.at - places.line(first.at).start);
    let blank = |line: &[Glyph]| trim(line).is_empty();
    let least = all.iter().skip(usize::from(first > 0)).filter(|line| !blank(line)).map(|line| indent(line)).min();
    let least = least.unwrap_or(0);
    let mut out: Vec<Glyph> = Vec::new();
    for (number, line) in all.iter().enumerate() {
        let body = &line[indent(line).min(least)..];
        if number > 0
            && let Some(last) = out.last().copied()
        {
            let joined =
                folded && !blank(line) && !blank(all[number - 1]) && !body.first().is_some_and(|g| g.is_blank());
            let c = if joined { ' ' } else { '\n' };
            out.push(Glyph { c, at: last.end, end: last.end + 1 });
        }
        out.extend_from_slice(body);
    }
    out
}

/// What is no YAML: every line may set something, or be run.
fn by_lines(glyphs: &[Glyph], facts: &mut Facts) {
    for line in lines(glyphs) {
        let mut line = trim(line);
        while let [dash, space, rest @ ..] = line
            && dash.c == '-'
            && space.is_blank()
        {
            line = trim(rest);
        }
        let found = split(line, ':').and_then(|(name, value)| {
            let name = unquoted(trim(name));
            let named = settings::of_interest(&text(name))?;
            Some(assignment(named, range(name)?, unquoted(trim(value))))
        });
        if found.is_some() {
            facts.assign([found]);
            continue;
        }
        let script = match split(line, ':') {
            Some((key, value)) if SCRIPTS.contains(&text(unquoted(trim(key))).as_str()) => trim(value),
            _ => line,
        };
        shell::scan(unquoted(script), facts);
    }
}
