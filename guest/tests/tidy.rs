//! The order of go.sum, against what the go command wrote, and what must not get lost.

use std::collections::HashSet;

use modanchor_core::gosum::sum::{Cause, EMPTY_GO_MOD_HASH, HashKind, Line, lines};
use modanchor_core::gosum::tidy::{Plan, TidyError, plan};
use modanchor_core::module::ModuleVersion;
use modanchor_core::report::Of;
use proptest::prelude::*;
use serde::Deserialize;

const A: &str = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const B: &str = "h1:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";

#[derive(Deserialize)]
struct Case {
    name: String,
    before: String,
    add: Vec<String>,
    after: String,
}

#[test]
fn the_go_command_writes_the_same() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("data/tidy/cases.json")).expect("is JSON");
    assert_eq!(cases.len(), 7);
    for case in cases {
        let got = plan(case.before.as_bytes(), &case.add).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(String::from_utf8_lossy(&got.content), case.after, "{}", case.name);
        assert_eq!(got.added, case.add, "{}", case.name);
        let again = plan(&got.content, &[]).expect("is in order");
        assert!(again.unchanged && !again.moved && again.removed_duplicates == 0, "{}", case.name);
    }
}

#[test]
fn a_plan_says_what_changes() {
    let before =
        format!("b.c/d v1.0.0 {A}\n\na.b/c v1.0.0 {A}\nb.c/d v1.0.0 {A}\r\na.b/c v1.0.0/go.mod {EMPTY_GO_MOD_HASH}\n");
    let add = [format!("b.c/d v0.1.0 {B}"), format!("a.b/c v1.0.0/go.mod {B}"), format!("b.c/d v0.1.0 {B}")];
    let want = Plan {
        content: format!("a.b/c v1.0.0 {A}\na.b/c v1.0.0/go.mod {B}\nb.c/d v0.1.0 {B}\nb.c/d v1.0.0 {A}\n")
            .into_bytes(),
        added: vec![add[1].clone(), add[0].clone()],
        moved: true,
        removed_duplicates: 1,
        unchanged: false,
    };
    assert_eq!(plan(before.as_bytes(), &add), Ok(want));
    let line = format!("a.b/c v1.0.0 {A}");
    let unfinished = plan(line.as_bytes(), &[]).expect("is good");
    assert_eq!((unfinished.unchanged, unfinished.moved), (false, false));
    assert_eq!(unfinished.content, format!("{line}\n").into_bytes());
    assert_eq!(plan(b"", &[]).map(|plan| plan.unchanged), Ok(true));
}

#[test]
fn contradictions_stay_as_they_are() {
    let lines = format!("a.b/c v1.0.0 {B}\na.b/c v1.0.0 {A}\na.b/c v1.0.0 h1:x\na.b/c v1.0.0 z1:y\n");
    let got = plan(lines.as_bytes(), &[]).expect("is good");
    assert!(got.unchanged, "{}", String::from_utf8_lossy(&got.content));
    for line in [format!("a.b/c v1.0.0 {A}"), format!("a.b/c v1.0.0 {B}")] {
        assert_eq!(plan(lines.as_bytes(), std::slice::from_ref(&line)), Err(TidyError::Present { line, at: 1 }));
    }
    let line = format!("a.b/c v1.0.1 {A}");
    let malformed = plan(b"\na.b/c v1.0.1 h1:x\n", std::slice::from_ref(&line));
    assert_eq!(malformed, Err(TidyError::Present { line, at: 2 }));
    let unknown = plan(b"a.b/c v1.0.1 h2:x\n", &[format!("a.b/c v1.0.1 {A}")]).expect("has no h1");
    assert_eq!(unknown.content, format!("a.b/c v1.0.1 {A}\na.b/c v1.0.1 h2:x\n").into_bytes());
}

#[test]
fn only_lines_are_added() {
    for line in ["", "a.b/c v1.0.0", "a.b/c v1 h1:x", "// a comment"] {
        assert_eq!(plan(b"", &[line.to_owned()]), Err(TidyError::NotALine(line.to_owned())));
    }
    for line in [
        format!("a.b/c v1.0.0 {A}\n"),
        format!("a.b/c v1.0.0 {A}\na.b/d v1.0.0 {A}"),
        format!("a.b/c  v1.0.0 {A}"),
        format!("a.b/c v1.0.0/go.mod {EMPTY_GO_MOD_HASH}"),
    ] {
        assert_eq!(plan(b"", std::slice::from_ref(&line)), Err(TidyError::NotALine(line)));
    }
    for line in ["a.b/c v1.0.0 h1:x", "a.b/c v1.0.0 h2:x"] {
        assert_eq!(plan(b"", &[line.to_owned()]), Err(TidyError::NotH1(line.to_owned())));
    }
    let two = [format!("a.b/c v1.0.0 {A}"), format!("a.b/c v1.0.0 {B}")];
    assert_eq!(plan(b"", &two), Err(TidyError::Contradiction(two[1].clone())));
}

#[test]
fn a_file_that_is_not_understood_is_not_touched() {
    for junk in
        ["<<<<<<< HEAD", "a.b/c v1.0.0", "three plain words", "a.b/c v1.0.0 h1:x y", "\u{feff}a.b/c v1.0.0 h1:x"]
    {
        let file = format!("{junk}\na.b/c v1.0.0 {A}\n{junk}\n");
        match plan(file.as_bytes(), &[]) {
            Err(TidyError::Problems(problems)) => {
                let at: Vec<_> = problems.iter().map(|problem| problem.at.line).collect();
                assert_eq!(at, [1, 3], "{junk}");
            }
            other => panic!("{junk}: {other:?}"),
        }
    }
    let Err(TidyError::Problems(problems)) = plan(b"\xff v1.0.0 h1:x", &[]) else {
        panic!("is no UTF-8");
    };
    assert_eq!(problems[0].cause, Cause::InvalidUtf8);
}

/// A line for one of a few things, so that duplicates and contradictions are many.
fn line() -> impl Strategy<Value = String> {
    let pick = |words: &[&str]| prop::sample::select(words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
    (
        pick(&["a.b/c", "a.b/C", "a.b/c-d", "a.b/c/v2", "a.b/c/d"]),
        pick(&["v2.0.0", "v1.0.0", "v1.0.0-rc.1", "v1.0.0-rc.10", "v1.10.0", "v1.9.0", "v2.0.0+incompatible"]),
        pick(&["", "/go.mod"]),
        pick(&[A, B, "h1:x", "h2:x", "a1:x", EMPTY_GO_MOD_HASH]),
        pick(&[" ", "\t", "  "]),
        pick(&["\n", "\r\n", "\n\n"]),
    )
        .prop_map(|(path, version, suffix, hash, space, end)| format!("{path}{space}{version}{suffix} {hash}{end}"))
}

/// What the go command would compare with, in its order.
fn entries(content: &[u8]) -> Vec<(ModuleVersion, Of, String)> {
    lines(content)
        .map(|line| match line {
            Line::Entry(entry) => (entry.module(), entry.of, entry.hash.to_owned()),
            Line::Problem(problem) => panic!("{}", problem.cause),
        })
        .collect()
}

proptest! {
    #[test]
    fn nothing_is_lost_and_the_order_is_gos(
        file in prop::collection::vec(line(), 0..40),
        add in prop::collection::vec(line(), 0..3),
    ) {
        let content = file.concat().into_bytes();
        let add: Vec<String> = add.iter().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let mut got = plan(&content, &add);
        if got.is_err() {
            got = plan(&content, &[]);
        }
        let got = match got {
            Ok(got) => got,
            Err(TidyError::Problems(_)) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let (before, after) = (entries(&content), entries(&got.content));
        // Every line once; and every one of them was there, or was added.
        let set: HashSet<_> = after.iter().collect();
        prop_assert_eq!(set.len(), after.len());
        prop_assert!(before.iter().all(|entry| set.contains(entry)));
        let distinct: HashSet<_> = before.iter().collect();
        prop_assert_eq!(distinct.len() + got.added.len(), after.len());
        prop_assert_eq!(before.len() - distinct.len(), got.removed_duplicates);
        prop_assert!(after.is_sorted_by_key(|(module, of, _)| (module.clone(), *of)));
        // What the go command compares with first is what it was.
        for (module, of, hash) in &after {
            let first = |entries: &[(ModuleVersion, Of, String)]| {
                let h1 = |hash: &str| HashKind::of(hash) != HashKind::Unknown;
                entries.iter().find(|entry| entry.0 == *module && entry.1 == *of && h1(&entry.2)).cloned()
            };
            if let Some(was) = first(&before) {
                prop_assert_eq!(Some(was), first(&after), "{}", hash);
            }
        }
        prop_assert_eq!(got.unchanged, got.content == content);
        let again = plan(&got.content, &[]).expect("is in order");
        prop_assert!(again.unchanged && !again.moved && again.removed_duplicates == 0);
    }

    #[test]
    fn any_bytes_are_planned_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), line in line()) {
        if let Ok(got) = plan(&bytes, &[line.trim_end().replace('\t', " ")]) {
            prop_assert_eq!(plan(&got.content, &[]).map(|plan| plan.unchanged), Ok(true));
        }
    }
}
