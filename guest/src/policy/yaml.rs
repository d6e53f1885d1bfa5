//! YAML as a policy may be written: text, lists and mappings, and nothing that needs a second look to see what it says.
//!
//! Anchors, aliases, tags, merge keys, several documents, keys that are no text and keys twice are refused: each of them lets a file
//! say to one reader what it does not say to another, or grow without bound. What is left has the meaning that YAML 1.2 gives
//! it, and JSON is written the same way.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::file::{PolicyError, Problem};

/// How deep lists and mappings may lie in each other. A policy needs six levels.
const MAX_DEPTH: usize = 12;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    /// 1-based.
    pub(super) line: usize,
    /// 1-based, in characters.
    pub(super) column: usize,
}

impl At {
    pub(super) fn problem(self, problem: impl Into<Problem>) -> PolicyError {
        PolicyError { line: self.line, column: self.column, problem: problem.into() }
    }
}

impl From<Marker> for At {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line().max(1), column: marker.col() + 1 }
    }
}

/// What stands at a place.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: At,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Text; whether it stands without quotes, so that `true` and `1` are no texts.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: At,
    pub(super) value: Node,
}

/// What is open around a place.
enum Frame {
    List(At, Vec<Node>),
    Mapping { at: At, entries: Vec<Entry>, keys: BTreeSet<String>, key: Option<(String, At)> },
}

/// Reads one document of at most `most` bytes.
pub(super) fn read(bytes: &[u8], most: usize) -> Result<Node, PolicyError> {
    let start = At { line: 1, column: 1 };
    if bytes.len() > most {
        return Err(start.problem(Problem::Large { most }));
    }
    let source = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|b| **b == b'\n').count();
        let rest = before.iter().rposition(|b| *b == b'\n').map_or(before, |i| &before[i + 1..]);
        At { line, column: 1 + String::from_utf8_lossy(rest).chars().count() }.problem(Problem::NotUtf8)
    })?;
    if source.starts_with('\u{feff}') {
        return Err(start.problem(Problem::ByteOrderMark));
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut root: Option<Node> = None;
    for event in Parser::new_from_str(source) {
        let (event, span) = event.map_err(|error| {
            let starred = source.chars().nth(error.marker().index()) == Some('*')
                || error.marker().index().checked_sub(1).and_then(|i| source.chars().nth(i)) == Some('*');
            At::from(*error.marker()).problem(if starred {
                Problem::Alias
            } else {
                Problem::Yaml(error.info().to_owned())
            })
        })?;
        let at = At::from(span.start);
        if let Event::Scalar(_, _, anchor, tag) = &event {
            plain_thing(at, *anchor, tag.is_some())?;
        }
        let node = match event {
            Event::SequenceStart(anchor, tag) => {
                plain_thing(at, anchor, tag.is_some())?;
                open(&mut frames, at, Frame::List(at, Vec::new()))?;
                continue;
            }
            Event::MappingStart(anchor, tag) => {
                plain_thing(at, anchor, tag.is_some())?;
                open(&mut frames, at, Frame::Mapping { at, entries: Vec::new(), keys: BTreeSet::new(), key: None })?;
                continue;
            }
            Event::Alias(_) => return Err(at.problem(Problem::Alias)),
            Event::Scalar(text, style, ..) => {
                Node { at, value: Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain } }
            }
            Event::SequenceEnd | Event::MappingEnd => match frames.pop() {
                Some(Frame::List(at, items)) => Node { at, value: Value::List(items) },
                Some(Frame::Mapping { at, entries, .. }) => Node { at, value: Value::Mapping(entries) },
                None => continue,
            },
            _ => continue,
        };
        match frames.last_mut() {
            Some(Frame::List(_, items)) => items.push(node),
            Some(Frame::Mapping { entries, keys, key, .. }) => match key.take() {
                Some((key, at)) => entries.push(Entry { key, at, value: node }),
                None => {
                    let Value::Scalar { text, .. } = node.value else { return Err(node.at.problem(Problem::Key)) };
                    if text == "<<" {
                        return Err(node.at.problem(Problem::MergeKey));
                    }
                    if !keys.insert(text.clone()) {
                        return Err(node.at.problem(Problem::SameKey(text)));
                    }
                    *key = Some((text, node.at));
                }
            },
            None if root.is_some() => return Err(node.at.problem(Problem::Documents)),
            None => root = Some(node),
        }
    }
    root.ok_or_else(|| start.problem(Problem::Nothing))
}

/// Without an anchor and a tag.
fn plain_thing(at: At, anchor: usize, tag: bool) -> Result<(), PolicyError> {
    match (anchor, tag) {
        (0, false) => Ok(()),
        (0, true) => Err(at.problem(Problem::Tag)),
        _ => Err(at.problem(Problem::Anchor)),
    }
}

fn open(frames: &mut Vec<Frame>, at: At, frame: Frame) -> Result<(), PolicyError> {
    if let Some(Frame::Mapping { key: None, .. }) = frames.last() {
        return Err(at.problem(Problem::Key));
    }
    if frames.len() >= MAX_DEPTH {
        return Err(at.problem(Problem::Deep));
    }
    frames.push(frame);
    Ok(())
}

/// A mapping whose keys are known.
pub(super) struct Table {
    at: At,
    entries: Vec<Entry>,
}

impl Table {
    /// Refuses keys that are none of `known`.
    pub(super) fn new(node: Node, known: &'static [&'static str]) -> Result<Self, PolicyError> {
        let Value::Mapping(entries) = node.value else { return Err(node.at.problem(Problem::Not("a mapping"))) };
        for entry in &entries {
            if !known.contains(&entry.key.as_str()) {
                return Err(entry.at.problem(Problem::UnknownKey { key: entry.key.clone(), known }));
            }
        }
        Ok(Self { at: node.at, entries })
    }

    pub(super) fn at(&self) -> At {
        self.at
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        let i = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.swap_remove(i).value)
    }

    pub(super) fn need(&mut self, key: &'static str) -> Result<Node, PolicyError> {
        self.take(key).ok_or_else(|| self.at.problem(Problem::Missing(key)))
    }

    /// Text that may be left out.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, PolicyError> {
        self.take(key).map(Node::text).transpose()
    }

    /// `true` or `false`; left out: `otherwise`.
    pub(super) fn flag(&mut self, key: &'static str, otherwise: bool) -> Result<bool, PolicyError> {
        let Some(node) = self.take(key) else { return Ok(otherwise) };
        match &node.value {
            Value::Scalar { text, plain: true } if text == "true" => Ok(true),
            Value::Scalar { text, plain: true } if text == "false" => Ok(false),
            _ => Err(node.at.problem(Problem::Not("`true` or `false`"))),
        }
    }

    /// A level, 0 to 3; left out: `otherwise`.
    pub(super) fn level(&mut self, key: &'static str, otherwise: u8) -> Result<u8, PolicyError> {
        let Some(node) = self.take(key) else { return Ok(otherwise) };
        let level = match &node.value {
            Value::Scalar { text, plain: true } => ["0", "1", "2", "3"].iter().position(|level| level == text),
            _ => None,
        };
        level
            .and_then(|level| u8::try_from(level).ok())
            .ok_or_else(|| node.at.problem(Problem::Not("a level: 0, 1, 2 or 3")))
    }

    /// One text or a list of them, each with its place; left out: none.
    pub(super) fn texts(&mut self, key: &'static str) -> Result<Vec<(String, At)>, PolicyError> {
        let Some(node) = self.take(key) else { return Ok(Vec::new()) };
        node.items()?
            .into_iter()
            .map(|item| Ok((item.at, item.text()?)))
            .map(|item| item.map(|(at, text)| (text, at)))
            .collect()
    }
}

impl Node {
    pub(super) fn text(self) -> Result<String, PolicyError> {
        match self.value {
            Value::Scalar { text, plain: true } if text.is_empty() => {
                Err(self.at.problem(Problem::Not("text, and there is none")))
            }
            Value::Scalar { text, plain: true } if is_no_text(&text) => Err(self.at.problem(Problem::Unquoted(text))),
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(self.at.problem(Problem::Not("text"))),
        }
    }

    /// A word or a number, quoted or not.
    pub(super) fn word(self) -> Result<String, PolicyError> {
        match self.value {
            Value::Scalar { text, .. } => Ok(text),
            _ => Err(self.at.problem(Problem::Not("a word"))),
        }
    }

    /// A list, or one thing as a list of one. A list of none says nothing, and is refused.
    pub(super) fn items(self) -> Result<Vec<Node>, PolicyError> {
        match self.value {
            Value::List(items) if items.is_empty() => Err(self.at.problem(Problem::EmptyList)),
            Value::List(items) => Ok(items),
            value => Ok(vec![Node { at: self.at, value }]),
        }
    }

    /// A list; it may be empty.
    pub(super) fn list(self) -> Result<Vec<Node>, PolicyError> {
        match self.value {
            Value::List(items) => Ok(items),
            _ => Err(self.at.problem(Problem::Not("a list"))),
        }
    }
}

/// Whether YAML 1.2's core schema reads an unquoted text as null, a boolean or a number.
fn is_no_text(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE")
        || text.parse::<f64>().is_ok()
}
