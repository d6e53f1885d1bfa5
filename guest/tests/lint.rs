//! `lint`: every probe of data/lint, and that nothing is said about places that are not there.

use std::fs;
use std::path::{Path, PathBuf};

use modanchor_core::lint::{self, Detected, NAMES, SettingPlace, Syntax, detect};
use proptest::prelude::*;

const SYNTAXES: [(&str, Syntax); 10] = [
    ("go-env", Syntax::GoEnv),
    ("env", Syntax::EnvFile),
    ("shell", Syntax::Shell),
    ("dockerfile", Syntax::Dockerfile),
    ("makefile", Syntax::Makefile),
    ("yaml", Syntax::Workflow),
    ("yaml", Syntax::GitlabCi),
    ("yaml", Syntax::Compose),
    ("yaml", Syntax::Yaml),
    ("devcontainer", Syntax::Devcontainer),
];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lint").join(name).with_extension("txt")
}

/// The part of a probe up to a line that is `mark`, and the rest.
fn cut<'a>(text: &'a [u8], mark: &str) -> (&'a [u8], Option<&'a [u8]>) {
    let mark = format!("{mark}\n");
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line == mark.as_bytes() {
            return (&text[..at], Some(&text[at + line.len()..]));
        }
        at += line.len();
    }
    (text, None)
}

/// What the core says of a probe, in the form of the data.
fn answer(syntax: Syntax, content: &[u8]) -> Vec<u8> {
    let scan = lint::file(syntax, content);
    let mut out = Vec::new();
    for problem in &scan.problems {
        let at = problem.at.expect("a problem in a file has a place");
        let line = format!("{}:{}-{} {} {}\n", at.line, at.column, at.end_column, problem.rule.id, problem.found);
        out.extend_from_slice(line.as_bytes());
    }
    if let Some(fixed) = lint::fix(syntax, content, &scan.problems) {
        out.extend_from_slice(b"+++\n");
        out.extend_from_slice(&fixed.content);
    }
    out
}

#[test]
fn every_probe() {
    for (name, syntax) in SYNTAXES {
        let file = fs::read(data(name)).unwrap();
        let mut new = Vec::new();
        let mut probes = 0;
        let mut rest = file.as_slice();
        while !rest.is_empty() {
            let title_end = rest.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let (title, body) = rest.split_at(title_end);
            assert!(title.starts_with(b"=== "), "{name}: {}", String::from_utf8_lossy(title));
            let next = body.windows(5).position(|window| window == b"\n=== ").map_or(body.len(), |at| at + 1);
            let (body, after) = body.split_at(next);
            rest = after;
            let (content, expected) = cut(body, "---");
            let expected = expected.expect("every probe has ---");
            let got = answer(syntax, content);
            if std::env::var_os("UPDATE_LINT").is_none() {
                let text = String::from_utf8_lossy;
                assert_eq!(text(&got), text(expected), "{name}: {}", text(title));
            }
            new.extend_from_slice(title);
            new.extend_from_slice(content);
            new.extend_from_slice(b"---\n");
            new.extend_from_slice(&got);
            probes += 1;
        }
        assert!(probes > 0, "{name}");
        if std::env::var_os("UPDATE_LINT").is_some() {
            fs::write(data(name), new).unwrap();
        }
    }
}

#[test]
fn names_are_sorted() {
    assert!(NAMES.is_sorted());
}

#[test]
fn which_file_is_read_how() {
    for (path, want) in [
        ("Dockerfile", Some(Syntax::Dockerfile)),
        ("a/Dockerfile.dev", Some(Syntax::Dockerfile)),
        ("a/dev.Dockerfile", Some(Syntax::Dockerfile)),
        ("Containerfile", Some(Syntax::Dockerfile)),
        ("GNUmakefile", Some(Syntax::Makefile)),
        ("build/common.mk", Some(Syntax::Makefile)),
        (".github/workflows/ci.yml", Some(Syntax::Workflow)),
        ("sub/.github/workflows/ci.yaml", Some(Syntax::Workflow)),
        ("action.yml", Some(Syntax::Workflow)),
        (".github/actions/setup/action.yaml", Some(Syntax::Workflow)),
        (".gitlab-ci.yml", Some(Syntax::GitlabCi)),
        (".gitlab/ci/build.yml", Some(Syntax::GitlabCi)),
        ("docker-compose.override.yml", Some(Syntax::Compose)),
        ("compose.yaml", Some(Syntax::Compose)),
        (".circleci/config.yml", Some(Syntax::Yaml)),
        (".goreleaser.yaml", Some(Syntax::Yaml)),
        (".devcontainer/devcontainer.json", Some(Syntax::Devcontainer)),
        (".devcontainer.json", Some(Syntax::Devcontainer)),
        ("go.env", Some(Syntax::GoEnv)),
        (".env", Some(Syntax::EnvFile)),
        (".env.local", Some(Syntax::EnvFile)),
        ("ci/build.env", Some(Syntax::EnvFile)),
        ("build.sh", Some(Syntax::Shell)),
        (".envrc", Some(Syntax::Shell)),
        ("main.go", None),
        ("package.json", None),
        ("yaml", None),
        (".gitignore", None),
    ] {
        let want = want.map_or_else(|| if path == "yaml" { Detected::ByFirstLine } else { Detected::No }, Detected::As);
        assert_eq!(detect(path), want, "{path}");
    }
    for (head, want) in [
        (&b"#!/bin/sh\n"[..], Some(Syntax::Shell)),
        (b"#!/usr/bin/env -S A=b bash -e", Some(Syntax::Shell)),
        (b"#! /usr/bin/make -f\n", Some(Syntax::Makefile)),
        (b"#!/usr/bin/env python3\n", None),
        (b"#!\n", None),
        (b"export GOSUMDB=off\n", None),
        (b"", None),
    ] {
        assert_eq!(lint::by_first_line(head), want, "{}", String::from_utf8_lossy(head));
    }
}

#[test]
fn the_settings_in_force() {
    use SettingPlace::{Environment, GorootFile, UserFile};
    let problems = lint::environment([
        ("GOSUMDB", "off", UserFile),
        ("GOPRIVATE", "*", Environment),
        ("GONOSUMDB", "none", Environment),
        ("GOFLAGS", "-mod=mod", GorootFile),
        ("GOPROXY", "http://u:secret@proxy.corp.example,direct", Environment),
        ("GONOSUMCHECK", "1", Environment),
        ("HOME", "off", Environment),
    ]);
    let told: Vec<_> = problems.iter().map(|p| (p.rule.id, p.found.as_str(), p.by.as_str())).collect();
    assert_eq!(
        told,
        [
            ("env-sumdb-off", "GOSUMDB=off", "GOSUMDB ($GOENV)"),
            ("env-mod-mod", "-mod=mod", "GOFLAGS ($GOROOT/go.env)"),
            ("env-proxy", "GOPROXY=http://proxy.corp.example,direct", "GOPROXY (environment)"),
            ("env-no-such-variable", "GONOSUMCHECK=1", "GONOSUMCHECK (environment)"),
        ]
    );
    assert!(problems.iter().all(|p| p.at.is_none()));
    assert!(problems[0].help.contains("go env -u GOSUMDB"));
    assert!(problems.iter().all(|p| !format!("{p:?}").contains("secret")));
    let private = lint::environment([("GOPRIVATE", "*", Environment), ("GONOSUMDB", "", Environment)]);
    assert_eq!(private.len(), 1, "an empty GONOSUMDB is GOPRIVATE");
}

/// A text in which settings are likely, and so is what breaks a reader of them.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        4 => prop::sample::select(vec![
            "GOSUMDB", "GOFLAGS", "GONOSUMDB", "GOPRIVATE", "GOPROXY", "GONOSUMCHECK", "=", ":=", "off", "*", "-mod=mod",
            "-insecure", "-modcacherw", "direct", "http://h", "export ", "env ", "go ", "go env -w ", "RUN ", "ENV ", "ARG ",
            "<<EOF", "\nEOF\n", "'", "\"", "`", "$(", ")", "${", "}", "${{", "}}", "$$", "\\\n", "\\", "\n", "\t", " ", "#",
            "run: |\n  ", "env:\n  ", "- ", ": ", "{", "[", "]", ",", "//", "/*", "*/", "|", ">", ">>", "&&", ";", "\r\n",
            "$env:", "bash -c ", "echo ", "\\u00", "&a ", "*a", "define x\n", "endef\n", "\u{feff}", "é", "日本", "\u{fffc}",
        ]).prop_map(|part| part.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn places_are_in_the_file_and_fixes_only_fix(content in text()) {
        let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
        for (_, syntax) in SYNTAXES {
            let scan = lint::file(syntax, &content);
            for problem in &scan.problems {
                let at = problem.at.expect("it is in a file");
                let line = String::from_utf8_lossy(lines[at.line as usize - 1]);
                let width = line.chars().count() as u32;
                prop_assert!(at.column < at.end_column, "{syntax:?} {problem:?}");
                prop_assert!(at.end_column <= width.max(1) + 1, "{syntax:?} {problem:?} {width}");
            }
            if let Some(fixed) = lint::fix(syntax, &content, &scan.problems) {
                prop_assert!(!fixed.changes.is_empty());
                let again = lint::file(syntax, &fixed.content);
                prop_assert_eq!(again.problems.len(), fixed.problems.len());
                prop_assert!(again.problems.len() < scan.problems.len());
            }
        }
    }
}

/// What would take quadratic time takes none to speak of.
#[test]
fn time_is_linear() {
    for part in [
        "${",
        "$(",
        "${{",
        "`",
        "'",
        "\"",
        "[",
        "{",
        "<<E ",
        "/*",
        "\\\n",
        "$(shell ",
        "a: ",
        "- ",
        "GOFLAGS='",
        "((",
        "$(`",
        "GOSUMDB=off ",
        "GOFLAGS=-mod=mod\n",
        "go -mod=mod ",
    ] {
        let content = part.repeat(50_000 / part.len());
        for (_, syntax) in SYNTAXES {
            let scan = lint::file(syntax, content.as_bytes());
            lint::fix(syntax, content.as_bytes(), &scan.problems);
        }
    }
}

/// What is one deeper, or one longer, than a limit is not read; at the limit it is.
#[test]
fn limits() {
    let found = |syntax, text: &str| lint::file(syntax, text.as_bytes()).problems.len();
    let script = |depth: usize| format!("x={}GOSUMDB=off go env{}\n", "$(".repeat(depth), ")".repeat(depth));
    assert_eq!((found(Syntax::Shell, &script(7)), found(Syntax::Shell, &script(8))), (1, 0));
    let shell = |depth: usize| format!("X := {}GOSUMDB=off go env{}\n", "$(shell ".repeat(depth), ")".repeat(depth));
    assert_eq!((found(Syntax::Makefile, &shell(8)), found(Syntax::Makefile, &shell(9))), (1, 0));
    let alias = |length: usize| format!("x: &a {}\nGOPRIVATE: *a\n", "*,".repeat(length / 2) + &"y".repeat(length % 2));
    let quoted = |length: usize| alias(length).replace("&a ", "&a '").replacen('\n', "'\n", 1);
    assert_eq!((found(Syntax::Yaml, &quoted(4096)), found(Syntax::Yaml, &quoted(4097))), (1, 0));
    let interpreter = |spaces: usize| format!("#!{}/bin/sh\n", " ".repeat(spaces)).into_bytes();
    let most = lint::MAX_FIRST_LINE - "/bin/sh".len();
    assert_eq!(lint::by_first_line(&interpreter(most)), Some(Syntax::Shell));
    assert_eq!(lint::by_first_line(&interpreter(most + 1)), None);
}
