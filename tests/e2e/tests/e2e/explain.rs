//! `modanchor explain MODULE@VERSION`: who says what, side by side.

use e2e::Outcome;

use crate::project::{LIB, Project, flip, overwrite, remove};

/// What is printed.
fn shown(out: &Outcome) -> &str {
    &out.stdout
}

#[test]
fn all_say_the_same() {
    let Some(project) = Project::new() else { return };
    project.go(["mod", "vendor"]).end().status(0);
    insta::assert_snapshot!("all_say_the_same", shown(&project.end(project.run(["explain", LIB])).status(0)));
    let report = project.report(project.run(["explain", "--format", "json", LIB]), 0);
    assert_eq!(report.0["modules"].as_array().map(Vec::len), Some(1));
    assert!(report.findings().is_empty(), "{:?}", report.findings());
    // Of what is wrong elsewhere nothing is said.
    flip(&project.s.checkout().join("vendor/dep.example/base/p.go"), 0);
    flip(&project.s.path("gomodcache/dep.example/base@v1.1.0/p.go"), 0);
    project.end(project.run(["explain", LIB])).status(0);
    project.end(project.run(["explain", "dep.example/base@v1.1.0"])).status(1);
}

#[test]
fn one_says_otherwise() {
    let Some(project) = Project::new() else { return };
    project.go(["mod", "vendor"]).end().status(0);
    project.keep();
    type Change = fn(&Project);
    let cases: [(&str, Change); 4] = [
        ("the_line_differs", |p| p.s.write("go.sum", e2e::change_hash(&p.s.read("go.sum"), 5))),
        ("the_zip_differs", |p| p.rezip("lib.go", "package lib\n")),
        ("the_folder_differs", |p| overwrite(&p.extracted("evil.go"), "package lib\n")),
        ("the_vendored_files_differ", |p| p.s.write("vendor/dep.example/lib/lib.go", "package lib\n")),
    ];
    for (name, change) in cases {
        project.restore();
        change(&project);
        insta::assert_snapshot!(name, shown(&project.end(project.run(["explain", LIB])).status(1)));
    }
}

#[test]
fn little_is_there() {
    let Some(project) = Project::new() else { return };
    remove(&project.extracted(""));
    remove(&project.cached("zip"));
    insta::assert_snapshot!("nothing_in_the_cache", shown(&project.end(project.run(["explain", LIB])).status(0)));
    // Anywhere, also where there is no go.mod.
    let run =
        project.run(["explain", LIB]).current_dir(project.s.path("tmp")).env("GOMODCACHE", project.s.path("none"));
    insta::assert_snapshot!("nowhere", shown(&project.end(run).status(0)));
    let run = project.run(["explain", "unknown.example/m@v1.0.0"]);
    let out = project.end(run).status(3);
    assert!(out.stdout.contains("says nothing"), "{}", out.stdout);
    for wrong in ["dep.example/lib@", "@v1.0.0", "dep.example/lib@v1", "../x@v1.0.0"] {
        project.end(project.run(["explain", wrong])).status(2);
    }
}
