//! Which go.sum lines are wanted, against real projects and against the real go command.

mod common;

use modanchor_core::contract::FileKind;
use modanchor_core::gosum::wanted::{File, MAX_WORKSPACE_LINES, Reason, Survey};
use modanchor_core::report::Of;
use proptest::prelude::*;

/// Real, tidy projects: go.mod and go.sum.
const TIDY: [(&str, &str); 2] = [
    (include_str!("data/gosum/cobra/go.mod"), include_str!("data/gosum/cobra/go.sum")),
    (include_str!("data/gosum/grpc-gateway/go.mod"), include_str!("data/gosum/grpc-gateway/go.sum")),
];

fn kind(path: &str) -> FileKind {
    match path.rsplit('/').next() {
        Some("go.mod") => FileKind::GoMod,
        Some("go.sum") => FileKind::GoSum,
        Some("go.work") => FileKind::GoWork,
        Some("go.work.sum") => FileKind::GoWorkSum,
        _ => panic!("{path} is none of Go's files"),
    }
}

fn survey(files: &[(&str, &str)]) -> Survey {
    Survey::new(files.iter().map(|(path, content)| File { path, kind: kind(path), content: content.as_bytes() }))
}

/// What is missing: `FILE:LINE MODULE@VERSION[/go.mod] > SUM-FILE`.
fn missing(files: &[(&str, &str)]) -> Vec<String> {
    let one = |w: &modanchor_core::gosum::wanted::Wanted| {
        let suffix = match w.of {
            Of::GoMod => "/go.mod",
            Of::Zip => "",
        };
        format!("{}:{} {}{suffix} > {}", w.file, w.at.line, w.module, w.sum_file)
    };
    survey(files).missing().map(one).collect()
}

#[test]
fn nothing_is_missing_in_tidy_projects() {
    for (go_mod, go_sum) in TIDY {
        let survey = survey(&[("go.mod", go_mod), ("go.sum", go_sum)]);
        assert_eq!(survey.missing().count(), 0);
        assert!(survey.wanted.len() >= 8);
        assert_eq!((survey.broken.len(), survey.unseen.len()), (0, 0));
    }
}

#[test]
fn every_wanted_line_is_missed() {
    for (go_mod, go_sum) in TIDY {
        for wanted in survey(&[("go.mod", go_mod), ("go.sum", go_sum)]).wanted {
            let suffix = match wanted.of {
                Of::GoMod => "/go.mod",
                Of::Zip => "",
            };
            let (path, version) = (wanted.module.path(), wanted.module.version());
            let prefix = format!("{path} {version}{suffix} ");
            let without: String = go_sum.split_inclusive('\n').filter(|line| !line.starts_with(&prefix)).collect();
            let survey = survey(&[("go.mod", go_mod), ("go.sum", &without)]);
            let missing: Vec<_> = survey.missing().map(|w| (&w.module, w.of, w.at)).collect();
            assert_eq!(missing, [(&wanted.module, wanted.of, wanted.at)]);
        }
    }
}

/// A case: its files, and what is missing. `lib` is a module in a folder, so that the go command finds it there.
struct Case {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    missing: &'static [&'static str],
}

const LIB: (&str, &str) = ("lib/go.mod", "module example.com/lib\n\ngo 1.21\n");
const WORK: (&str, &str) = ("go.work", "go 1.21\n\nuse .\n\nuse ./lib\n");
const REQUIRES_LIB: (&str, &str) = ("go.mod", "module m\n\ngo 1.21\n\nrequire example.com/lib v1.0.0 // indirect\n");
const GO_MOD_LINE: &str = "example.com/lib v1.0.0/go.mod h1:x\n";

const CASES: &[Case] = &[
    Case { name: "no line", files: &[REQUIRES_LIB], missing: &["go.mod:5 example.com/lib@v1.0.0/go.mod > go.sum"] },
    Case { name: "a line", files: &[REQUIRES_LIB, ("go.sum", GO_MOD_LINE)], missing: &[] },
    Case {
        name: "only the line of the zip",
        files: &[REQUIRES_LIB, ("go.sum", "example.com/lib v1.0.0 h1:x\n")],
        missing: &["go.mod:5 example.com/lib@v1.0.0/go.mod > go.sum"],
    },
    Case {
        name: "only an unknown algorithm",
        files: &[REQUIRES_LIB, ("go.sum", "example.com/lib v1.0.0/go.mod h2:x\n")],
        missing: &["go.mod:5 example.com/lib@v1.0.0/go.mod > go.sum"],
    },
    Case {
        name: "replaced by a directory",
        files: &[
            (
                "go.mod",
                "module m\n\ngo 1.21\n\nrequire example.com/lib v1.0.0 // indirect\nreplace example.com/lib => ./lib\n",
            ),
            LIB,
        ],
        missing: &[],
    },
    Case {
        name: "another version replaced by a directory",
        files: &[
            (
                "go.mod",
                "module m\n\ngo 1.21\n\nrequire example.com/lib v1.0.0 // indirect\nreplace example.com/lib v1.1.0 => ./lib\n",
            ),
            LIB,
        ],
        missing: &["go.mod:5 example.com/lib@v1.0.0/go.mod > go.sum"],
    },
    Case {
        name: "replaced by a module",
        files: &[
            (
                "go.mod",
                "module m\n\ngo 1.21\n\nrequire lib v1.0.0 // indirect\nreplace lib => example.com/fork v1.2.0\n",
            ),
            ("go.sum", GO_MOD_LINE),
        ],
        missing: &["go.mod:5 example.com/fork@v1.2.0/go.mod > go.sum"],
    },
    Case {
        name: "one version replaced by a module, the others by a directory",
        files: &[
            (
                "go.mod",
                "module m\n\ngo 1.21\n\nrequire lib v1.0.0 // indirect\nreplace lib => ./lib\nreplace lib v1.0.0 => example.com/fork v1.2.0\n",
            ),
            LIB,
        ],
        missing: &["go.mod:5 example.com/fork@v1.2.0/go.mod > go.sum"],
    },
    Case {
        name: "excluded",
        files: &[(
            "go.mod",
            "module m\n\ngo 1.21\n\nrequire example.com/lib v1.0.0 // indirect\nexclude example.com/lib v1.0.0\n",
        )],
        missing: &[],
    },
    Case {
        name: "the line of another module of the workspace",
        files: &[
            REQUIRES_LIB,
            ("lib/go.mod", "module example.com/other\n\ngo 1.21\n"),
            ("lib/go.sum", GO_MOD_LINE),
            WORK,
        ],
        missing: &[],
    },
    Case {
        name: "the line in go.work.sum",
        files: &[
            REQUIRES_LIB,
            ("lib/go.mod", "module example.com/other\n\ngo 1.21\n"),
            ("go.work.sum", GO_MOD_LINE),
            WORK,
        ],
        missing: &[],
    },
    Case {
        name: "no line in a workspace",
        files: &[REQUIRES_LIB, ("lib/go.mod", "module example.com/other\n\ngo 1.21\n"), WORK],
        missing: &["go.mod:5 example.com/lib@v1.0.0/go.mod > go.sum"],
    },
    Case {
        name: "replaced by go.work",
        files: &[REQUIRES_LIB, LIB, ("go.work", "go 1.21\n\nuse .\n\nreplace example.com/lib => ./lib\n")],
        missing: &[],
    },
    Case {
        name: "replaced by another module of the workspace",
        files: &[
            REQUIRES_LIB,
            ("lib/go.mod", "module example.com/other\n\ngo 1.21\n\nreplace example.com/lib => ../third\n"),
            ("third/go.mod", "module example.com/lib\n\ngo 1.21\n"),
            WORK,
        ],
        missing: &[],
    },
];

/// Makes every requirement of go.mod count, and asks for nothing but what go.mod says.
const LIST: [&str; 3] = ["list", "-m", "all"];

#[test]
fn the_go_command_misses_the_same() {
    for (i, case) in CASES.iter().enumerate() {
        let all = survey(case.files);
        let stops = all.missing().any(|wanted| !wanted.in_workspace);
        assert_eq!(missing(case.files), case.missing, "{}", case.name);
        let folder = common::folder(&format!("wanted-{i}"));
        for (path, content) in case.files {
            common::write(&folder, path, content.as_bytes());
        }
        let Some((_, output)) = common::go(&folder, &LIST) else {
            return;
        };
        let missed = output.contains("missing go.sum entry");
        assert_eq!(missed, stops, "{}\n{output}", case.name);
    }
}

#[test]
fn what_the_workspace_provides_is_not_wanted() {
    assert_eq!(missing(&[REQUIRES_LIB, LIB, WORK]), [""; 0]);
    // A module that is there, and that nothing uses, provides nothing.
    let alone = missing(&[REQUIRES_LIB, LIB]);
    assert_eq!(alone, ["go.mod:5 example.com/lib@v1.0.0/go.mod > go.sum"]);
}

#[test]
fn the_zip_of_what_is_imported_is_wanted() {
    let go_mod = "module m\nrequire example.com/lib v1.0.0\n";
    let zip_line = "example.com/lib v1.0.0 h1:x\n";
    assert_eq!(
        missing(&[("a/b/go.mod", go_mod), ("a/b/go.sum", GO_MOD_LINE)]),
        ["a/b/go.mod:2 example.com/lib@v1.0.0 > a/b/go.sum"]
    );
    let both = [GO_MOD_LINE, zip_line].concat();
    assert_eq!(missing(&[("go.mod", go_mod), ("go.sum", &both)]), [""; 0]);
    // Another folder's go.sum does not count.
    assert_eq!(missing(&[("go.mod", go_mod), ("a/go.sum", &both)]).len(), 2);
    // Something requires more: then the zip of that is asked for.
    let higher = format!("{GO_MOD_LINE}example.com/lib v1.1.0/go.mod h1:y\n");
    assert_eq!(missing(&[("go.mod", go_mod), ("go.sum", &higher)]), [""; 0]);
    let lower = format!("{GO_MOD_LINE}example.com/lib v0.9.0/go.mod h1:y\n");
    assert_eq!(missing(&[("go.mod", go_mod), ("go.sum", &lower)]), ["go.mod:2 example.com/lib@v1.0.0 > go.sum"]);
}

#[test]
fn what_comes_with_go_or_cannot_be_asked_for_is_not_wanted() {
    let go_mod = "module example.com/m\nrequire go v1.21.0\nrequire toolchain v1.21.0\n\
                  require golang.org/fips140 v1.0.0\nrequire example.com/m v1.0.0\nrequire lib v1.0.0\n\
                  require example.com/lib master\n";
    assert_eq!(survey(&[("go.mod", go_mod)]).wanted, []);
    assert_eq!(survey(&[("go.sum", GO_MOD_LINE)]), Survey::default());
}

#[test]
fn what_cannot_be_seen_is_told_and_wants_nothing() {
    let work = "go 1.21\nuse .\nuse ../x\nuse ./y\nuse /z\n";
    let seen = survey(&[REQUIRES_LIB, ("go.work", work)]);
    assert_eq!(seen.missing().count(), 0);
    let unseen: Vec<_> =
        seen.unseen.iter().map(|u| (u.file.as_str(), u.at.line, u.directory.as_str(), u.reason)).collect();
    assert_eq!(
        unseen,
        [
            ("go.work", 3, "../x", Reason::Outside),
            ("go.work", 4, "./y", Reason::NoModule),
            ("go.work", 5, "/z", Reason::Outside)
        ]
    );
    // A path that leaves the checkout and comes back has left it.
    let work = "go 1.21\nuse ../w/../checkout\n";
    let seen = survey(&[("w/go.work", work), ("checkout/go.mod", "module m\n")]);
    assert_eq!(seen.unseen, []);
    let seen = survey(&[("go.work", work), ("checkout/go.mod", "module m\n")]);
    assert_eq!(seen.unseen[0].reason, Reason::Outside);
}

#[test]
fn workspaces_past_the_limit_want_nothing() {
    let uses = |count: usize| {
        let sum = "x".repeat(64 * (MAX_WORKSPACE_LINES / 4 - 1));
        let work = "use .\n".repeat(count);
        survey(&[("go.mod", "module m\n"), ("go.sum", &sum), ("go.work", &work)]).unseen
    };
    // Each comes to a quarter of the limit.
    assert_eq!(uses(4), []);
    let unseen = uses(5);
    assert_eq!((unseen.len(), unseen[0].at.line), (1, 5));
    assert_eq!(unseen[0].reason, Reason::TooMuch);
}

#[test]
fn what_is_broken_is_told_and_wants_nothing() {
    let broken_mod = survey(&[("a/go.mod", "module m\nrequire x\n"), REQUIRES_LIB]);
    assert_eq!(broken_mod.missing().count(), 1);
    assert_eq!(broken_mod.broken.len(), 1);
    assert_eq!(broken_mod.broken[0].file, "a/go.mod");
    assert_eq!(broken_mod.broken[0].error.at.line, 2);
    let work = ("go.work", "use (\n");
    let broken_work = survey(&[REQUIRES_LIB, work]);
    assert_eq!(broken_work.missing().count(), 0);
    assert_eq!(broken_work.broken[0].file, "go.work");
    // A go.work elsewhere has no say.
    let elsewhere = survey(&[REQUIRES_LIB, ("a/go.work", work.1)]);
    assert_eq!(elsewhere.missing().count(), 1);
}

#[test]
fn modules_that_disagree_leave_nothing_sure() {
    let a = ("a/go.mod", "module a\nrequire lib v1.0.0 // indirect\nreplace lib => example.com/one v1.0.0\n");
    let b = ("b/go.mod", "module b\nreplace lib => example.com/two v1.0.0\n");
    assert_eq!(missing(&[a, b]).len(), 1);
    assert_eq!(missing(&[a, b, ("go.work", "use ./a\nuse ./b\n")]), [""; 0]);
    // Nor does one version against all.
    let c = ("b/go.mod", "module b\nreplace lib v1.0.0 => ./lib\n");
    assert_eq!(missing(&[a, c, ("go.work", "use ./a\nuse ./b\n")]), [""; 0]);
    // go.work has the last word.
    let work = "use ./a\nuse ./b\nreplace lib => example.com/three v1.0.0\n";
    let third = ("go.work.sum", "example.com/three v1.0.0/go.mod h1:x\n");
    assert_eq!(missing(&[a, b, ("go.work", work)]).len(), 1);
    assert_eq!(missing(&[a, b, ("go.work", work), third]), [""; 0]);
}

proptest! {
    #[test]
    fn any_checkout_is_surveyed(
        files in prop::collection::vec((
            prop::sample::select(vec![
                "go.mod", "go.sum", "go.work", "go.work.sum", "a/go.mod", "a/go.sum", "a/b/go.mod", "a/go.work",
            ]),
            prop::collection::vec(prop::sample::select(vec![
                "module m\n", "module example.com/lib\n", "require example.com/lib v1.0.0\n",
                "require example.com/lib v1.1.0 // indirect\n", "exclude example.com/lib v1.1.0\n",
                "replace example.com/lib => ./b\n", "replace example.com/lib v1.0.0 => c.d/e v1.0.0\n", "use .\n",
                "use ./a\n", "use ..\n", "use ./b\n", "example.com/lib v1.0.0/go.mod h1:x\n", "c.d/e v1.0.0 h1:x\n",
                "broken (\n", "\0\n",
            ]), 0..5),
        ), 0..8)
    ) {
        let files: Vec<_> = files.iter().map(|(path, lines)| (*path, lines.concat())).collect();
        let files: Vec<_> = files.iter().map(|(path, content)| (*path, content.as_str())).collect();
        let all = survey(&files);
        // More lines in a go.sum never make more of them missing.
        let full = "example.com/lib v1.0.0 h1:x\nexample.com/lib v1.0.0/go.mod h1:x\nexample.com/lib v1.1.0 h1:x\n\
                    example.com/lib v1.1.0/go.mod h1:x\nc.d/e v1.0.0 h1:x\nc.d/e v1.0.0/go.mod h1:x\n";
        let mut more = files.clone();
        more.extend([("go.sum", full), ("a/go.sum", full), ("a/b/go.sum", full)]);
        let fuller = survey(&more);
        prop_assert_eq!(fuller.missing().count(), 0);
        prop_assert!(fuller.wanted.len() <= all.wanted.len());
    }
}
