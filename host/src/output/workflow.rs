//! Lines that a runner of a CI service would take for commands, made inert.
//!
//! # Security
//!
//! A runner reads every line that a step writes, to stdout or stderr. What it takes for a command it obeys: a line of a
//! go.sum, a file name or a server's answer that reaches the log could make an annotation in our name, hide text
//! (`add-mask`), or switch off the commands that follow (`stop-commands`). [`defuse`] leaves nothing that could be one.
//!
//! What GitHub's runner parses (actions/runner, `src/Runner.Common/ActionCommand.cs`, called by
//! `src/Runner.Worker/Handlers/OutputManager.cs` for each line that `StreamReader.ReadLine` gives: it ends a line at
//! LF, CR or both):
//!
//! - `TryParseV2`: after leading white space, `::NAME …::DATA`;
//! - `TryParse`: anywhere in the line, from the first `##[` on, `##[NAME …]DATA`; the log viewer reads these too;
//! - both only for the names that are registered there. That list grows, so it does not count here.
//!
//! It looks for both by .NET's culture-sensitive comparison, in which invisible characters count for nothing: `#`,
//! U+200B, `#[` is `##[` to it. So here all but ASCII is passed over when the marks are looked for. Azure Pipelines reads
//! `##vso[…]` in the same way. GitLab's section marks begin with an escape character and end with a carriage return,
//! which [`text::escape`](super::text::escape) has made visible before.

use std::{borrow::Cow, ffi::OsStr};

/// Set to `true` by GitHub's runner and by those that work like it.
pub const GITHUB_ACTIONS: &str = "GITHUB_ACTIONS";

/// Set to `True` by Azure Pipelines.
pub const TF_BUILD: &str = "TF_BUILD";

/// Whether the value of one of [`GITHUB_ACTIONS`] and [`TF_BUILD`] says that a runner reads along.
pub fn reads_along(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Makes visible and inert what a runner would take for a command: a colon that begins a line becomes `\u{3a}`, and the
/// bracket of `##[` or `##vso[`, anywhere, `\u{5b}`. Everything else stays, colours too. What was defused once stays as
/// it is.
pub fn defuse(text: &str) -> Cow<'_, str> {
    replace(text, "\\u{3a}", "\\u{5b}")
}

/// The same of a JSON document, whose meaning stays: there, such brackets are inside of strings, where `\u005b` is `[`.
pub fn defuse_json(text: &str) -> Cow<'_, str> {
    // No line of JSON begins with a colon, unless somebody lays it out so; then it is no string's.
    replace(text, ":", "\\u005b")
}

fn replace<'a>(text: &'a str, colon: &str, bracket: &str) -> Cow<'a, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut scan = Scan::default();
    for (at, c) in text.char_indices() {
        let instead = match scan.next(c, &text[at..]) {
            Mark::None => continue,
            Mark::Colon => colon,
            Mark::Bracket => bracket,
        };
        out.push_str(&text[copied..at]);
        out.push_str(instead);
        copied = at + c.len_utf8();
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

enum Mark {
    None,
    /// The first visible character of a line.
    Colon,
    /// After `##` and letters.
    Bracket,
}

/// Where in a line we are.
#[derive(Default)]
struct Scan {
    /// Something that can be seen came before.
    begun: bool,
    /// `#` one after the other; letters after two of them do not count.
    hashes: usize,
    /// Characters of one of our own colours that are still to come.
    color: usize,
}

impl Scan {
    fn next(&mut self, c: char, rest: &str) -> Mark {
        if self.color > 0 {
            self.color -= 1;
            return Mark::None;
        }
        match c {
            '\n' | '\r' => *self = Self::default(),
            '\x1b' => {
                self.color = color(rest).saturating_sub(1);
                self.begun |= self.color > 0;
            }
            ' ' => self.hashes = 0,
            c if !c.is_ascii_graphic() => {}
            ':' if !self.begun => {
                self.begun = true;
                return Mark::Colon;
            }
            '[' if self.hashes > 1 => {
                self.hashes = 0;
                return Mark::Bracket;
            }
            '#' => {
                self.begun = true;
                self.hashes += 1;
            }
            c => {
                self.begun = true;
                if !(self.hashes > 1 && c.is_ascii_alphabetic()) {
                    self.hashes = 0;
                }
            }
        }
        Mark::None
    }
}

/// How long the colour is that `text` begins with: `ESC [ 1 ; 31 m`, at least one digit, so that no name of a command
/// hides in it; 0 if it begins with none.
fn color(text: &str) -> usize {
    let Some(parameters) = text.strip_prefix("\x1b[") else {
        return 0;
    };
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(parameters.len());
    if end > 0 && parameters[end..].starts_with('m') { "\x1b[".len() + end + "m".len() } else { 0 }
}

#[cfg(test)]
pub(crate) mod runner {
    //! What GitHub's runner takes for a command, written down once more from its source.

    use std::collections::BTreeMap;

    /// A command as the runner would obey it.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub(crate) struct Command {
        pub(crate) name: String,
        pub(crate) properties: BTreeMap<String, String>,
        pub(crate) data: String,
    }

    /// All commands in an output. Names that the runner does not know count too, but those that no name can be.
    pub(crate) fn commands(output: &str) -> Vec<Command> {
        output.split(['\n', '\r']).filter_map(|line| colons(line).or_else(|| brackets(line))).collect()
    }

    fn is_name(name: &str) -> bool {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '-' || c == '.')
    }

    /// As in a culture-sensitive comparison.
    fn visible(text: &str) -> String {
        text.chars().filter(|c| c.is_ascii_graphic() || c.is_whitespace()).collect()
    }

    fn colons(line: &str) -> Option<Command> {
        // What the comparison passes over is taken out first, but only to find the marks: our own commands keep theirs.
        let line = line.trim_start();
        let seen = visible(line);
        let body = seen.trim_start().strip_prefix("::")?;
        let (head, _) = body.split_once("::")?;
        let name = head.split(' ').next().unwrap_or_default();
        if !is_name(name) {
            return None;
        }
        let exact = line.strip_prefix("::").and_then(|body| body.split_once("::"));
        let (head, data) = exact.unwrap_or_else(|| body.split_once("::").unwrap());
        let properties = head.split_once(' ').map_or("", |(_, properties)| properties);
        Some(Command {
            name: name.to_owned(),
            properties: pairs(properties.trim(), ',', &[("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ",")]),
            data: unescape(data, &[("%0D", "\r"), ("%0A", "\n")]),
        })
    }

    fn brackets(line: &str) -> Option<Command> {
        let seen = visible(line);
        // The runner takes the first mark; here any will do.
        ["##[", "##vso["].into_iter().flat_map(|mark| seen.match_indices(mark)).find_map(|(at, mark)| {
            let (head, data) = seen[at + mark.len()..].split_once(']')?;
            let name = head.split(' ').next().unwrap_or_default();
            is_name(name).then(|| Command { name: name.to_owned(), properties: BTreeMap::new(), data: data.to_owned() })
        })
    }

    /// Empty entries are passed over, also between the signs of `a==b`.
    fn pairs(text: &str, separator: char, escapes: &[(&str, &str)]) -> BTreeMap<String, String> {
        text.split(separator)
            .filter_map(|pair| pair.trim_start_matches('=').split_once('='))
            .map(|(key, value)| (key, value.trim_start_matches('=')))
            .filter(|(_, value)| !value.is_empty())
            .map(|(key, value)| (key.to_owned(), unescape(value, escapes)))
            .collect()
    }

    fn unescape(text: &str, escapes: &[(&str, &str)]) -> String {
        let text = escapes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        text.replace("%25", "%")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_visible_and_inert() {
        for (text, want) in [
            ("::error::x", "\\u{3a}:error::x"),
            ("ok\n  ::stop-commands::x\r\u{feff}::error::", "ok\n  \\u{3a}:stop-commands::x\r\u{feff}\\u{3a}:error::"),
            ("a ##[error]b", "a ##\\u{5b}error]b"),
            ("###[add-mask]b", "###\\u{5b}add-mask]b"),
            ("##vso[task.setvariable]b", "##vso\\u{5b}task.setvariable]b"),
            ("#\u{200b}#\u{ad}[error]", "#\u{200b}#\u{ad}\\u{5b}error]"),
            (":\u{200b}:error::", "\\u{3a}\u{200b}:error::"),
            ("\x1b[::error::", "\x1b[::error::"),
            ("##\x1b[error]", "##\x1b\\u{5b}error]"),
        ] {
            assert_eq!(defuse(text), want);
            assert_eq!(runner::commands(&defuse(text)), [], "{text}");
        }
    }

    #[test]
    fn everything_else_stays() {
        for text in [
            "",
            "pass: 19 lines",
            " --> go.sum:3:48",
            "http://[::1]:8080/x::y",
            "# # [x] #[y]",
            "\x1b[1m\x1b[31mcritical[gosum-mismatch]\x1b[0m: x",
            "##\x1b[0m and",
            "## heading [link]",
        ] {
            assert!(matches!(defuse(text), Cow::Borrowed(same) if same == text), "{text:?}");
        }
    }

    #[test]
    fn json_keeps_its_meaning() {
        let document = serde_json::json!({ "message": "##[error]x", "##vso[": ["::error::", "##"] });
        for text in [document.to_string(), serde_json::to_string_pretty(&document).unwrap()] {
            assert_ne!(runner::commands(&text), [], "a command");
            let inert = defuse_json(&text);
            assert_eq!(runner::commands(&inert), []);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&inert).unwrap(), document);
        }
    }

    #[test]
    fn who_reads_along() {
        for (value, want) in [(Some("true"), true), (Some("True"), true), (Some("false"), false), (Some(""), false)] {
            assert_eq!(reads_along(value.map(OsStr::new)), want);
        }
        assert!(!reads_along(None));
    }

    proptest! {
        #[test]
        fn nothing_is_a_command(text in "([:#\\[\\]a-z \n\r\t\u{200b}\x1b0m;é]|::error|##\\[error\\]|##vso\\[|.){0,60}") {
            let inert = defuse(&text);
            prop_assert_eq!(runner::commands(&inert), []);
            prop_assert!(matches!(defuse(&inert), Cow::Borrowed(_)), "idempotent");
        }
    }
}
