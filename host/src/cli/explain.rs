//! `modanchor explain RULE…`.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
};

use anstyle::{AnsiColor, Style};
use modanchor_core::report::rules::{self, Rule};

use super::{
    args::{ExplainArgs, TerminalArgs},
    did_you_mean,
};
use crate::output::{
    is_colored, terminal_width,
    text::{escape, wrap},
    to_stream,
};

/// How wide prose gets, however wide the terminal is.
const MAX_WIDTH: usize = 100;

/// A rule that does not exist. Wrong usage: exit status 2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no rule is called {}{}; `modanchor explain` lists them all", escape(.rule), match .meant {
    Some(meant) => format!("; did you mean {meant}?"),
    None => String::new(),
})]
pub struct UnknownRule {
    /// As typed.
    pub rule: String,
    /// What was probably meant.
    pub meant: Option<&'static str>,
}

/// Prints the text to stdout.
///
/// # Errors
///
/// [`UnknownRule`], or those of stdout.
pub fn run(args: &ExplainArgs, terminal: &TerminalArgs) -> anyhow::Result<()> {
    let stdout = io::stdout();
    let width = stdout.is_terminal().then(terminal_width);
    let color = is_colored(&stdout, terminal.color) && width.is_some();
    let text = render(args, width, color)?;
    Ok(to_stream(stdout, color, text.as_bytes())?)
}

/// The text for stdout: on a terminal styled and wrapped to `width` columns, else (`None`) the Markdown as it is. With
/// no rule named, a list of all.
///
/// # Errors
///
/// [`UnknownRule`].
pub fn render(args: &ExplainArgs, width: Option<usize>, color: bool) -> Result<String, UnknownRule> {
    let rules: Vec<&Rule> = args.rules.iter().map(|id| find(id)).collect::<Result<_, _>>()?;
    if rules.is_empty() {
        return Ok(list());
    }
    let pages: Vec<String> = rules
        .into_iter()
        .map(|rule| match width {
            Some(width) => terminal(&rule.markdown(), width.min(MAX_WIDTH), color),
            None => rule.markdown(),
        })
        .collect();
    Ok(pages.join("\n"))
}

fn find(id: &str) -> Result<&'static Rule, UnknownRule> {
    rules::find(id).ok_or_else(|| UnknownRule {
        rule: id.to_owned(),
        meant: did_you_mean(id, rules::ALL.iter().map(|rule| rule.id)),
    })
}

fn list() -> String {
    let width = rules::ALL.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    rules::ALL.iter().fold(String::new(), |mut out, rule| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{:width$}  {:8}  {}", rule.id, rule.severity, rule.title);
        out
    })
}

/// Lays Markdown out for a terminal. It knows what the rules' texts use: `#` headings, paragraphs, lists, indented
/// code, `**bold**` and `` `code` ``.
fn terminal(markdown: &str, width: usize, color: bool) -> String {
    let style = |style: Style| if color { style } else { Style::new() };
    let heading = style(Style::new().bold());
    let code = style(AnsiColor::Cyan.on_default());
    let mut out = String::new();
    for block in blocks(markdown) {
        match block {
            Block::Blank => out.push('\n'),
            Block::Heading(text) => {
                let _ = writeln!(out, "{heading}{text}{heading:#}");
            }
            Block::Code(line) => {
                let _ = writeln!(out, "{code}{line}{code:#}");
            }
            Block::Text { indent, marker, text } => {
                let hang = indent + marker.len();
                let room = width.saturating_sub(hang).max(20);
                let text = text.join(" ").replace("**", "");
                let mut first = true;
                let mut inside = false;
                for line in wrap(&text, room) {
                    let lead = if first { marker } else { "" };
                    first = false;
                    let _ = write!(out, "{:indent$}{lead:1$}", "", marker.len());
                    inline(&mut out, &line, code, &mut inside);
                    out.push('\n');
                }
            }
        }
    }
    out
}

/// Colours `` `code` ``, which may begin on one line and end on the next; the backticks go where there is colour.
fn inline(out: &mut String, line: &str, code: Style, inside: &mut bool) {
    if code.is_plain() {
        out.push_str(line);
        return;
    }
    for (at, part) in line.split('`').enumerate() {
        if at > 0 {
            *inside = !*inside;
        }
        let _ = if *inside && !part.is_empty() { write!(out, "{code}{part}{code:#}") } else { write!(out, "{part}") };
    }
}

enum Block<'a> {
    Blank,
    Heading(&'a str),
    Code(&'a str),
    Text { indent: usize, marker: &'a str, text: Vec<&'a str> },
}

fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for line in markdown.lines() {
        let rest = line.trim_start();
        let indent = line.len() - rest.len();
        let marker = marker(rest);
        match blocks.last_mut() {
            _ if rest.is_empty() => blocks.push(Block::Blank),
            _ if indent == 0 && rest.starts_with('#') => {
                blocks.push(Block::Heading(rest.trim_start_matches(['#', ' '])));
            }
            // Deeper than a list item's text, or after another line of code.
            Some(Block::Blank | Block::Code(_)) if indent >= 7 => blocks.push(Block::Code(line)),
            Some(Block::Text { text, .. }) if marker.is_empty() => text.push(rest),
            _ => blocks.push(Block::Text { indent, marker, text: vec![&rest[marker.len()..]] }),
        }
    }
    blocks
}

/// `- ` or `1. ` at the start of a list item.
fn marker(text: &str) -> &str {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && text[digits..].starts_with(". ") {
        &text[..digits + 2]
    } else if text.starts_with("- ") {
        &text[..2]
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(rules: &[&str]) -> ExplainArgs {
        ExplainArgs { rules: rules.iter().map(|rule| (*rule).to_owned()).collect() }
    }

    #[test]
    fn piped_it_is_the_page() {
        for rule in rules::ALL {
            assert_eq!(render(&args(&[rule.id]), None, false).unwrap(), rule.markdown());
        }
    }

    #[test]
    fn a_terminal_gets_every_word() {
        for rule in rules::ALL {
            for width in [40, 80, 200] {
                let text = render(&args(&[rule.id]), Some(width), true).unwrap();
                let plain = anstream::adapter::strip_str(&text).to_string();
                let words = |text: &str| {
                    text.replace(['#', '*', '`'], "").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
                };
                assert_eq!(words(&plain), words(&rule.markdown()), "{}", rule.id);
            }
        }
    }

    #[test]
    fn on_a_terminal() {
        insta::assert_snapshot!(render(&args(&["gosum-mismatch", "unchecked"]), Some(80), false).unwrap());
    }

    #[test]
    fn lists_all() {
        insta::assert_snapshot!(render(&args(&[]), None, false).unwrap());
    }

    #[test]
    fn unknown() {
        let message = |rule| render(&args(&[rule]), None, false).unwrap_err().to_string();
        assert_eq!(
            message("gosum-mismach"),
            "no rule is called gosum-mismach; did you mean gosum-mismatch?; `modanchor explain` lists them all"
        );
        assert_eq!(message("\x1b[2J"), "no rule is called \\u{1b}[2J; `modanchor explain` lists them all");
    }
}
