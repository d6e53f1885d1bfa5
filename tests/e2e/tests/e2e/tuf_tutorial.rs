//! The pages of the docs about publishing a TUF repository: their commands run as they stand, one after the other in an
//! empty folder, and print what the pages say.
//!
//! A block of `sh` is a list of commands, each of which must succeed. The block of `text` after it is what they print on
//! stdout and stderr; without one they print nothing. In it, … stands for any text within a line, and alone on a line
//! for any lines.

use std::fs;

use e2e::{Sandbox, has_go, has_zip, root};

/// What stands for anything.
const ANY: &str = "…";
/// What the shell prints after a block. No command prints it.
const END: &str = "@@ end of block @@";

/// Commands of a page, and what they print.
#[derive(Debug)]
struct Block {
    /// Page and line.
    place: String,
    section: String,
    commands: String,
    output: String,
}

/// The blocks of a page.
fn blocks(page: &str) -> Vec<Block> {
    let text = fs::read_to_string(root().join("docs").join(page)).expect("it is committed");
    let mut blocks: Vec<Block> = Vec::new();
    let mut section = String::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut section);
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let content: String =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").map(|l| format!("{l}\n")).collect();
        match language {
            "sh" => blocks.push(Block {
                place: format!("{page}:{}", at + 1),
                section: section.clone(),
                commands: content,
                output: String::new(),
            }),
            "text" => {
                let block = blocks.last_mut().expect("commands stand before what they print");
                assert_eq!(block.output, "", "{page}:{}: two outputs of the same commands", at + 1);
                block.output = content;
            }
            _ => panic!("{page}:{}: {language:?} is neither commands nor what they print", at + 1),
        }
    }
    blocks
}

/// How many commands there are: lines that neither continue the one before nor belong to a here-document.
fn count(commands: &str) -> usize {
    let mut count = 0;
    let mut lines = commands.lines();
    while let Some(line) = lines.next() {
        count += 1;
        let mut last = line;
        while last.ends_with('\\') {
            last = lines.next().expect("a line that is continued");
        }
        if let Some((_, end)) = last.split_once("<<'") {
            let end = end.trim_end_matches('\'');
            assert!(lines.any(|line| line == end), "{end} ends it");
        }
    }
    count
}

/// Whether lines are those that a page shows.
fn fits(want: &[&str], got: &[&str]) -> bool {
    match want.split_first() {
        None => got.is_empty(),
        Some((line, rest)) if *line == ANY => (0..=got.len()).any(|skipped| fits(rest, &got[skipped..])),
        Some((line, rest)) => {
            got.split_first().is_some_and(|(first, others)| line_fits(line, first) && fits(rest, others))
        }
    }
}

fn line_fits(want: &str, got: &str) -> bool {
    let Some((start, rest)) = want.split_once(ANY) else { return want == got };
    let Some(got) = got.strip_prefix(start) else { return false };
    got.char_indices().map(|(at, _)| at).chain([got.len()]).any(|at| line_fits(rest, &got[at..]))
}

/// Runs blocks in one shell, in an empty folder, and compares what they print.
fn run(blocks: &[Block]) {
    let mut script = "set -e\n".to_owned();
    for block in blocks {
        script += &format!("{{\n{}}} 2>&1\necho '{END}'\n", block.commands);
    }
    let s = Sandbox::new();
    let out = s.sh(&script).env("MODANCHOR_KEY_PASSPHRASE", "correct horse battery staple").end();
    let end = format!("{END}\n");
    let mut outputs = out.stdout.split(end.as_str());
    for Block { place, commands, output, .. } in blocks {
        let got = outputs.next().unwrap_or_default();
        let lines = |text| str::lines(text).collect::<Vec<_>>();
        assert!(
            fits(&lines(output), &lines(got)),
            "{place}:\n{commands}\nprints\n\n{got}\nwhere the page says\n\n{output}\nand on stderr: {}",
            out.stderr
        );
    }
    // A command that failed has ended the shell, whatever it printed.
    assert_eq!(outputs.next(), Some(""), "{}", out.stdout);
    out.status(0);
}

#[test]
fn what_differs_is_seen() {
    for (want, got, fit) in [
        ("", "", true),
        ("", "a", false),
        ("a", "", false),
        ("a\nb", "a\nb", true),
        ("a\nb", "a\nc", false),
        ("a\nb", "a\nb\nc", false),
        ("a…c", "abc", true),
        ("a…c", "ac", true),
        ("a…c", "abcd", false),
        ("…c…", "abcd", true),
        ("…e…", "abcd", false),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nd", true),
        ("a\n…\nd", "a\nb\nc", false),
        ("…", "", true),
    ] {
        let lines = |text| str::lines(text).collect::<Vec<_>>();
        assert_eq!(fits(&lines(want), &lines(got)), fit, "{want:?} {got:?}");
    }
}

#[test]
fn the_tutorial_runs() {
    let blocks = blocks("tuf-tutorial.md");
    let ten = blocks.iter().filter(|block| block.section == "Ten commands");
    assert_eq!(ten.map(|block| count(&block.commands)).sum::<usize>(), 10, "it says ten");
    if has_go() && has_zip() {
        run(&blocks);
    }
}

#[test]
fn the_ceremony_runs_and_what_is_done_when_a_key_is_stolen() {
    let ceremony = blocks("key-ceremony.md");
    let stolen = blocks("key-lost-or-stolen.md");
    assert!(!ceremony.is_empty() && !stolen.is_empty());
    // The second page goes on where the first one ends.
    run(&ceremony.into_iter().chain(stolen).collect::<Vec<_>>());
}
