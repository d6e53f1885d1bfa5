//! `modanchor explain RULE…`, and `modanchor explain MODULE@VERSION…`: who says what about it.

use std::{
    fmt::Write as _,
    io::{self, IsTerminal as _},
};

use anstyle::{AnsiColor, Style};
use modanchor_core::report::rules::{self, Rule};
use modanchor_core::report::{BytesStatus, Of, Report, What};

use super::args::{ExplainArgs, Format, TerminalArgs};
use super::did_you_mean;
use super::paths::{Collected, PathError};
use super::session::{self, CheckBytes, Failed, Flags};
use super::signatures::{self, CheckSignatures};
use super::{runner, verify};
use crate::contract::{self, Checkout, Question, Task};
use crate::output::text::{escape, thousands, wrap};
use crate::output::{self, Destinations, OutputError, Show, is_colored, terminal_width, to_stream};

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

/// Prints the texts to stdout, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`]: a rule that does not exist is wrong usage.
pub fn run(args: &ExplainArgs, terminal: &TerminalArgs) -> Result<u8, Failed> {
    let (modules, rules): (Vec<&str>, Vec<&str>) =
        args.topics.iter().map(String::as_str).partition(|topic| topic.contains('@'));
    if !rules.is_empty() || modules.is_empty() {
        let stdout = io::stdout();
        let width = stdout.is_terminal().then(terminal_width);
        let color = is_colored(&stdout, terminal.color) && width.is_some();
        let text = render(&rules, width, color).map_err(Failed::usage)?;
        to_stream(stdout, color, text.as_bytes()).map_err(Failed::usage)?;
    }
    let mut status = 0;
    for module in modules {
        let one = explain_module(args, terminal, module)?;
        // 1 beats 3.
        status = if status == 1 || one == 0 { status } else { one };
    }
    Ok(status)
}

/// Says who says what about one module version.
fn explain_module(args: &ExplainArgs, terminal: &TerminalArgs, module: &str) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    let mut config = runner::only_named_configuration(terminal, &args.config, &args.paths)?;
    signatures::policy(&mut config, &args.signatures, &args.paths)?;
    let collected = match verify::collect(terminal, &args.paths, &[], &config) {
        Ok(collected) => collected,
        // A module version can be asked about anywhere.
        Err(failed) if matches!(failed.error.downcast_ref(), Some(PathError::Nothing { .. })) => Collected::default(),
        Err(failed) => return Err(failed),
    };
    let engine = args.bytes.hash_engine.load().map_err(Failed::unchecked)?;
    let programs = verify::programs(&collected, &engine)?;
    let signatures = CheckSignatures {
        args: &args.signatures,
        root: signatures::named_root(args.signatures.trusted_root.as_deref(), &args.paths)?,
        needed: config.policy.policy.is_some(),
    };
    let flags = Flags {
        terminal,
        sumdb: &args.sumdb,
        fail_on: contract::FailOn::Medium,
        allow_incomplete: false,
        bytes: Some(CheckBytes { args: &args.bytes, engine: &engine, root: &collected.root }),
        signatures: Some(signatures),
        record: None,
    };
    let checkout = Checkout { files: collected.files, programs, bare_vendors: Vec::new() };
    let question = Question { module: module.to_owned(), checkout };
    let (outcome, task) = session::run(&flags, config, Task::Explain(question))?;
    let show = Show { terminal: terminal.clone(), ..Show::default() };
    let sources = verify::sources(&task);
    let shown = |error: OutputError| Failed::to_show(&outcome, error);
    if destinations.stdout() != Format::Human {
        destinations.write(&outcome, &sources, &show).map_err(shown)?;
        return Ok(outcome.status);
    }
    destinations.write_files(&outcome, &sources, &show).map_err(shown)?;
    let report: Report = serde_json::from_slice(&outcome.report).map_err(|error| shown(error.into()))?;
    output::to_stdout(terminal, &who_says_what(&report, &outcome.lines)).map_err(shown)?;
    output::to_stderr(&outcome, &sources, &show).map_err(shown)?;
    Ok(outcome.status)
}

/// What each of the witnesses says, one below the other: the first hash in full, and whether the others are the same.
fn who_says_what(report: &Report, recorded: &[String]) -> String {
    let mut out = String::new();
    for module in &report.modules {
        let (path, version) = (&module.path, &module.version);
        let _ = writeln!(out, "{} {}", escape(path), escape(version));
        for (of, name, suffix) in [(Of::Zip, "zip", ""), (Of::GoMod, "go.mod", "/go.mod")] {
            let mut rows: Vec<(String, Result<String, &str>)> = Vec::new();
            let start = format!("{path} {version}{suffix} ");
            if let Some(sumdb) = report.sumdbs.first() {
                let record = module.record.map(|record| format!(" record {record}")).unwrap_or_default();
                let tree =
                    if sumdb.tree_size > 0 { format!(", tree {}", thousands(sumdb.tree_size)) } else { String::new() };
                let who = format!("{}{record}{tree}", escape(&sumdb.name));
                let hash = recorded.iter().find_map(|line| line.strip_prefix(&start));
                rows.push((who, hash.map(str::to_owned).ok_or("says nothing")));
            }
            for line in module.lines.iter().filter(|line| line.of == of) {
                rows.push((format!("{}:{}", escape(&line.file), line.line), Ok(line.hash.to_string())));
            }
            for bytes in &module.bytes {
                let who = match (of, bytes.what) {
                    (Of::Zip, What::Zip) => "zip",
                    (Of::Zip, What::Dir) => "folder in the module cache",
                    (Of::Zip, What::Vendor) => "vendored files",
                    (Of::GoMod, What::GoMod) => "go.mod in the module cache",
                    _ => continue,
                };
                let says = bytes.hash.clone().ok_or(match (bytes.status, bytes.what) {
                    (BytesStatus::Verified, What::Vendor) => "as in the zip",
                    (BytesStatus::Verified, _) => "the same",
                    (BytesStatus::Mismatch, What::Vendor) => "not as in the zip",
                    (BytesStatus::Mismatch, _) => "differs",
                    (BytesStatus::Absent, What::Vendor) => "not compared: the zip is absent",
                    (BytesStatus::Absent, _) => "absent",
                    (BytesStatus::Refused, _) => "not what a module may be",
                    (BytesStatus::Unchecked, _) => "could not be checked",
                });
                rows.push((who.to_owned(), says));
            }
            if rows.is_empty() {
                continue;
            }
            let _ = writeln!(out, "\n  {name}");
            let width = rows.iter().map(|(who, _)| who.chars().count()).max().unwrap_or(0);
            let first = rows.iter().find_map(|(_, says)| says.as_ref().ok()).cloned();
            let mut shown = false;
            for (who, says) in rows {
                let says = match says {
                    Ok(hash) if Some(&hash) == first.as_ref() && std::mem::replace(&mut shown, true) => {
                        "the same".into()
                    }
                    Ok(hash) if Some(&hash) == first.as_ref() => escape(&hash).into_owned(),
                    Ok(hash) => format!("{}  DIFFERS", escape(&hash)),
                    Err(word) => word.to_owned(),
                };
                let _ = writeln!(out, "    {who:width$}  {says}");
            }
        }
    }
    out
}

/// The text for stdout: on a terminal styled and wrapped to `width` columns, else (`None`) the Markdown as it is. With
/// no rule named, a list of all.
///
/// # Errors
///
/// [`UnknownRule`].
pub fn render(rules: &[&str], width: Option<usize>, color: bool) -> Result<String, UnknownRule> {
    let rules: Vec<&Rule> = rules.iter().map(|id| find(id)).collect::<Result<_, _>>()?;
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

    #[test]
    fn piped_it_is_the_page() {
        for rule in rules::ALL {
            assert_eq!(render(&[rule.id], None, false).unwrap(), rule.markdown());
        }
    }

    #[test]
    fn a_terminal_gets_every_word() {
        for rule in rules::ALL {
            for width in [40, 80, 200] {
                let text = render(&[rule.id], Some(width), true).unwrap();
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
        insta::assert_snapshot!(render(&["gosum-mismatch", "unchecked"], Some(80), false).unwrap());
    }

    #[test]
    fn lists_all() {
        insta::assert_snapshot!(render(&[], None, false).unwrap());
    }

    #[test]
    fn unknown() {
        let message = |rule| render(&[rule], None, false).unwrap_err().to_string();
        assert_eq!(
            message("gosum-mismach"),
            "no rule is called gosum-mismach; did you mean gosum-mismatch?; `modanchor explain` lists them all"
        );
        assert_eq!(message("\x1b[2J"), "no rule is called \\u{1b}[2J; `modanchor explain` lists them all");
    }
}
