//! go.sum line by line, against a table and against the real go command.

mod common;

use modanchor_core::gosum::Span;
use modanchor_core::gosum::sum::{Cause, EMPTY_GO_MOD_HASH, HashKind, Line, MAX_LINE, Problem, lines};
use modanchor_core::report::Of;
use proptest::prelude::*;

const HASH: &str = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// The only line of `content`, which is a problem.
fn problem(content: &[u8]) -> Problem {
    match lines(content).collect::<Vec<_>>().as_slice() {
        [Line::Problem(problem)] => problem.clone(),
        other => panic!("{:?} gave {other:?}", content.escape_ascii().to_string()),
    }
}

#[test]
fn an_entry_tells_where_its_parts_are() {
    let text = format!("\n\tgolang.org/x/text  v0.3.0/go.mod\u{a0}{HASH} \r\n");
    let mut lines = lines(text.as_bytes());
    let Some(Line::Entry(entry)) = lines.next() else {
        panic!("is an entry");
    };
    assert_eq!(entry.path(), "golang.org/x/text");
    assert_eq!(entry.version(), "v0.3.0");
    assert_eq!(entry.module().to_string(), "golang.org/x/text@v0.3.0");
    assert_eq!((entry.of, entry.hash, entry.kind), (Of::GoMod, HASH, HashKind::H1));
    let span = |column, end_column| Span { line: 2, column, end_column };
    assert_eq!((entry.at, entry.hash_at), (span(2, 82), span(35, 82)));
    assert_eq!(lines.next(), None);
    assert_eq!((lines.read(), lines.skipped()), (2, 1));
}

#[test]
fn blank_lines_and_hashes_of_nothing_are_skipped() {
    let text = format!("\n \t\u{2003}\r\na.b/c v1.0.0/go.mod {EMPTY_GO_MOD_HASH}\nx y {EMPTY_GO_MOD_HASH}");
    let mut lines = lines(text.as_bytes());
    assert_eq!(lines.next(), None);
    assert_eq!((lines.read(), lines.skipped()), (4, 4));
}

#[test]
fn problems_are_named() {
    let entry = format!("a.b/c v1.0.0 {HASH}");
    for (content, message, columns, refused) in [
        ("a.b/c v1.0.0", "wrong number of fields 2: expected module path, version and hash", (1, 13), true),
        (" // a comment", "no module version: malformed module path \"//\": double slash", (2, 6), false),
        ("one two three four", "wrong number of fields 4: expected module path, version and hash", (1, 19), true),
        ("<<<<<<< HEAD", "conflict marker of an unfinished merge", (1, 13), true),
        (">>>>>>> 1234567 (a b", "conflict marker of an unfinished merge", (1, 21), true),
        (">>>>>>> 1234567 (main)", "conflict marker of an unfinished merge", (1, 23), false),
        ("=======", "conflict marker of an unfinished merge", (1, 8), true),
        (
            "a.b/c v1 h1:x",
            "no module version: a.b/c@v1: invalid version: not canonical, should be v1.0.0",
            (1, 9),
            false,
        ),
        (
            "a.b/c v1.0.0/x h1:x",
            "no module version: a.b/c@v1.0.0/x: invalid version: not a semantic version",
            (1, 15),
            false,
        ),
        (
            "a.b/c v2.0.0 h1:x",
            "no module version: a.b/c@v2.0.0: invalid version: should be v0 or v1, not v2",
            (1, 13),
            false,
        ),
        ("é c v2.0.0", "no module version: malformed module path \"é\": invalid char 'é'", (1, 4), false),
        ("a.b/\0c v1.0.0 h1:x", "control character U+0000", (5, 6), false),
        ("a.b/c v1.0.0 h1:\u{7f}x", "control character U+007F", (17, 18), false),
    ] {
        let problem = problem(content.as_bytes());
        assert_eq!(problem.cause.to_string(), message);
        assert_eq!((problem.at.column, problem.at.end_column), columns, "{content}");
        assert_eq!(problem.refused(), refused, "{content}");
    }
    let bytes = problem(b"\xc3\xa9a.b/\xff v1.0.0 h1:x");
    assert_eq!((bytes.cause, bytes.at.column, bytes.at.end_column), (Cause::InvalidUtf8, 6, 7));
    let mark = format!("\u{feff}{entry}\n{entry}\n\u{feff}{entry}");
    let causes: Vec<_> = lines(mark.as_bytes())
        .filter_map(|line| match line {
            Line::Problem(problem) => Some((problem.at.line, problem.cause)),
            Line::Entry(_) => None,
        })
        .collect();
    assert!(matches!(causes.as_slice(), [(1, Cause::ByteOrderMark), (3, Cause::NotModule(_))]));
}

#[test]
fn a_line_past_the_limit_is_not_taken_apart() {
    let entry = |length: usize| {
        let spaces = " ".repeat(length - "a.b/c v1.0.0".len() - HASH.len());
        format!("a.b/c v1.0.0{spaces}{HASH}")
    };
    assert!(matches!(lines(entry(MAX_LINE).as_bytes()).next(), Some(Line::Entry(_))));
    let long = problem(entry(MAX_LINE + 1).as_bytes());
    assert_eq!(long.cause, Cause::TooLong(MAX_LINE + 1));
    assert!(!long.refused());
    assert!(problem("x".repeat(MAX_LINE + 1).as_bytes()).refused());
    assert_eq!(lines(" ".repeat(MAX_LINE + 1).as_bytes()).next(), None);
}

#[test]
fn hashes_are_what_the_go_command_could_write() {
    let digits = "A".repeat(42);
    for (hash, kind) in [
        (HASH.to_owned(), HashKind::H1),
        (format!("h1:{digits}8="), HashKind::H1),
        // Bits at the end that a decoder ignores, and a string comparison does not.
        (format!("h1:{digits}9="), HashKind::Malformed),
        (format!("h1:{digits}B="), HashKind::Malformed),
        (format!("h1:{digits}A"), HashKind::Malformed),
        (format!("h1:{digits}A=="), HashKind::Malformed),
        (format!("h1:-{}A=", &digits[1..]), HashKind::Malformed),
        (format!("h1:{}éA=", &digits[2..]), HashKind::Malformed),
        ("h1:".to_owned(), HashKind::Malformed),
        (format!("H1:{digits}A="), HashKind::Unknown),
        (format!("h2:{digits}A="), HashKind::Unknown),
        ("h1".to_owned(), HashKind::Unknown),
    ] {
        assert_eq!(HashKind::of(&hash), kind, "{hash}");
    }
}

/// What the go command makes of a go.sum when it looks for the line `example.com/a v1.0.0/go.mod`.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Malformed { line: u32, fields: u32 },
    Present,
    Missing,
}

fn our_reading(content: &[u8]) -> Reading {
    let mut present = false;
    for line in lines(content) {
        match line {
            Line::Problem(problem) if problem.refused() => {
                return Reading::Malformed { line: problem.at.line, fields: problem.fields };
            }
            Line::Problem(_) => {}
            Line::Entry(entry) => {
                present |= (entry.path(), entry.version(), entry.of) == ("example.com/a", "v1.0.0", Of::GoMod)
                    && entry.kind != HashKind::Unknown;
            }
        }
    }
    if present { Reading::Present } else { Reading::Missing }
}

fn go_reading(output: &str) -> Reading {
    let refusal = output.split_once("malformed go.sum:\n");
    if let Some((_, place)) = refusal.and_then(|(_, place)| place.split_once("go.sum:")) {
        let (line, fields) = place.trim_end().split_once(": wrong number of fields ").expect("go says how many fields");
        return Reading::Malformed {
            line: line.parse().expect("a line number"),
            fields: fields.parse().expect("a number of fields"),
        };
    }
    if output.contains("missing go.sum entry") {
        Reading::Missing
    } else if output.contains("module lookup disabled by GOPROXY=off") {
        Reading::Present
    } else {
        panic!("unknown output of go: {output}")
    }
}

#[test]
fn the_go_command_reads_the_same() {
    let folder = common::folder("gosum-reading");
    common::write(&folder, "go.mod", b"module m\n\ngo 1.21\n\nrequire example.com/a v1.0.0\n");
    let entry = format!("example.com/a v1.0.0/go.mod {HASH}").into_bytes();
    let wrap = |before: &[u8], after: &[u8]| [before, &entry, after].concat();
    let with = |separator: &str| {
        let words = ["example.com/a", "v1.0.0/go.mod", HASH];
        words.join(separator).into_bytes()
    };
    let mut cases = vec![
        Vec::new(),
        entry.clone(),
        wrap(b"\n\n", b"\n"),
        wrap(b" \t", b" \r\n\r\n"),
        wrap("\u{feff}".as_bytes(), b"\n"),
        wrap("\u{feff}\n".as_bytes(), b"\n"),
        wrap(b"<<<<<<< HEAD\n", b"\n"),
        wrap(b"", b"\n=======\n"),
        wrap(b"", b"\n>>>>>>> 1234567 (main)\n"),
        wrap(b"// three words\n", b"\n"),
        wrap(b"// a comment of words\n", b"\n"),
        wrap(b"", b" // why"),
        wrap(b"\0", b"\n"),
        wrap(b"a\0b\n", b"\n"),
        wrap(b"a b \xff\n", b"\n"),
        wrap(b"\xff\xfe\n", b""),
        wrap(b"a b\xffc d\n", b"\n"),
        // Bytes that are white space in Latin-1, and no UTF-8.
        wrap(b"a\x85b c\xa0d e\n", b"\n"),
        wrap(b"\xa0", b""),
        wrap(b"\xe2\x80", b""),
        format!("example.com/a v1.0.0/go.mod {EMPTY_GO_MOD_HASH}").into_bytes(),
        format!("example.com/a v1.0.0/go.mod {EMPTY_GO_MOD_HASH}\nx").into_bytes(),
        format!("example.com/a v1.0.0 {HASH}").into_bytes(),
        b"example.com/a v1.0.0/go.mod h1:".to_vec(),
        b"example.com/a v1.0.0/go.mod h1:not-base64".to_vec(),
        b"example.com/a v1.0.0/go.mod H1:x".to_vec(),
        b"example.com/a v1.0.0/go.mod h2:x\nexample.com/a v1.0.0/go.mod h1:x".to_vec(),
        b"example.com/a v1.0.0/go.mod".to_vec(),
        b"Example.com/a v1.0.0/go.mod h1:x".to_vec(),
    ];
    // Everything that Unicode calls white space, and some that looks like it.
    cases.extend(
        "\t\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2000}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\
         \u{0}\u{1c}\u{1f}\u{180e}\u{200b}\u{200d}\u{2060}\u{feff}"
            .chars()
            .map(|c| with(&String::from(c))),
    );
    for case in cases {
        common::write(&folder, "go.sum", &case);
        let Some((_, output)) = common::go(&folder, &["list", "-m", "all"]) else {
            return;
        };
        let shown = case.escape_ascii();
        assert_eq!(our_reading(&case), go_reading(&output), "{shown}\n{output}");
    }
}

/// Bytes that go.sum files are made of, in a bad order.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"\n",
        b" ",
        b"\t",
        b"\r\n",
        b"a.b/c",
        b"v1.0.0",
        b"/go.mod",
        b"h1:",
        HASH.as_bytes(),
        EMPTY_GO_MOD_HASH.as_bytes(),
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xc2\xa0",
        b"\0",
        b"<<<<<<<",
        b"x",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(lines(&bytes).count() <= bytes.len());
    }

    #[test]
    fn every_line_is_told_or_skipped(content in content()) {
        let mut lines = lines(&content);
        let mut told = 0;
        let mut last = 0;
        for line in lines.by_ref() {
            let at = match line {
                Line::Entry(entry) => {
                    let module = entry.module();
                    prop_assert_eq!(module.path(), entry.path());
                    prop_assert!(entry.at.column <= entry.hash_at.column);
                    prop_assert_eq!(entry.at.end_column, entry.hash_at.end_column);
                    entry.at
                }
                Line::Problem(problem) => problem.at,
            };
            prop_assert!(at.line > last && at.column >= 1 && at.column < at.end_column);
            last = at.line;
            told += 1;
        }
        let newlines = content.iter().filter(|b| **b == b'\n').count();
        let all = newlines + usize::from(content.last().is_some_and(|b| *b != b'\n'));
        prop_assert_eq!(lines.read() as usize, all);
        prop_assert_eq!(told + lines.skipped() as usize, all);
    }

    #[test]
    fn what_is_written_is_read(
        path in "[a-z]{1,5}\\.[a-z]{2}/[a-z]{1,8}",
        patch in 0u32..1000,
        hash in "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=",
        go_mod in any::<bool>(),
    ) {
        let suffix = if go_mod { "/go.mod" } else { "" };
        let line = format!("{path} v1.0.{patch}{suffix} h1:{hash}\n");
        let Some(Line::Entry(entry)) = lines(line.as_bytes()).next() else {
            panic!("{line} is an entry");
        };
        let written = format!("{} {}{suffix} {}\n", entry.path(), entry.version(), entry.hash);
        prop_assert_eq!(&written, &line);
        prop_assert_eq!((entry.of == Of::GoMod, entry.kind), (go_mod, HashKind::H1));
    }
}
