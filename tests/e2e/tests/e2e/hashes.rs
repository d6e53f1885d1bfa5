//! `modanchor hash zip|dir|mod`, beside golang.org/x/mod.

use std::fs;
use std::path::Path;

use e2e::{Outcome, Sandbox, root};
use serde_json::Value;

use crate::project::{LIB, Project};

const ENGINES: [&str; 2] = ["native", "component"];

/// Runs `hash` with both engines, which have to say the same.
#[track_caller]
fn hash(s: &Sandbox, args: &[&str]) -> Outcome {
    let [native, component] = ENGINES.map(|engine| s.run(["hash", "--hash-engine", engine]).args(args).end());
    assert_eq!(
        (native.status, &native.stdout, &native.stderr),
        (component.status, &component.stdout, &component.stderr)
    );
    native
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn the_hashes_of_a_module_are_gos() {
    let Some(project) = Project::new() else { return };
    let (zip, dir, go_mod) = (project.cached("zip"), project.extracted(""), project.cached("mod"));
    let gosum = project.s.read("go.sum");
    let line =
        |of: &str| gosum.lines().find_map(|l| l.strip_prefix(&format!("dep.example/lib {of} "))).map(str::to_owned);
    for (args, peer, want) in [
        (&["zip", text(&zip), LIB][..], &["zip", text(&zip)][..], line("v1.2.0")),
        (&["zip", "--no-check", text(&zip)], &["zip", text(&zip)], line("v1.2.0")),
        (&["dir", text(&dir), LIB], &["dir", text(&dir), LIB], line("v1.2.0")),
        (&["mod", text(&go_mod)], &["mod", text(&go_mod)], line("v1.2.0/go.mod")),
    ] {
        let out = hash(&project.s, args).status(0);
        assert_eq!(Some(out.stdout.trim().to_owned()), want, "{args:?}");
        let mut all = vec!["hash"];
        all.extend(peer);
        assert_eq!(out.stdout.trim(), project.peer(all), "{args:?}");
    }
    // A zip of another name is none of this module.
    let out = hash(&project.s, &["zip", text(&zip), "dep.example/lib@v1.2.1"]).status(1);
    assert!(out.stdout.is_empty() && out.stderr.contains("refused"), "{}", out.stderr);
    // A folder hashes under any name, and differently.
    let out = hash(&project.s, &["dir", text(&dir), "dep.example/lib@v1.2.1"]).status(0);
    assert_ne!(Some(out.stdout.trim().to_owned()), line("v1.2.0"));
}

/// Every odd zip of the core's own tests (guest/tests/data/zip), by the program: its h1 where Go has one, else why not.
#[test]
fn odd_zips_are_hashed_or_refused_as_by_go() {
    let data = root().join("guest/tests/data/zip");
    let cases: Value = serde_json::from_slice(&fs::read(data.join("cases.json")).expect("the table")).expect("JSON");
    let s = Sandbox::new();
    let mut seen = [0, 0];
    for case in cases.as_array().expect("a list") {
        let field = |key: &str| case[key].as_str().expect("a string");
        let file = data.join(format!("{}.zip", field("name")));
        for (args, code) in [
            (["zip", "--no-check", text(&file)], field("code")),
            (["zip", text(&file), "example.com/odd@v1.2.3"], field("rules_code")),
        ] {
            // The component takes a while to start: the rules are the same code in both.
            let out = s.run(["hash"]).args(args).end();
            if code.is_empty() {
                assert_eq!(out.status(0).stdout.trim(), field("h1"), "{args:?}");
            } else {
                let out = out.status(1);
                assert!(out.stderr.contains(&format!("({code})")), "{args:?}: {code}: {}", out.stderr);
                assert_eq!(out.stdout, "", "{args:?}");
            }
            seen[usize::from(code.is_empty())] += 1;
        }
    }
    assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
}

#[test]
fn large_zips_and_those_that_lie_about_it() {
    let Some(project) = Project::new() else { return };
    let file = project.s.path("tmp/large.zip");
    let spoil = |how: &[&str]| {
        let mut args = vec!["spoil-zip", text(&file)];
        args.extend(how);
        project.peer(args)
    };
    spoil(&["many", LIB, "70000"]);
    let out = hash(&project.s, &["zip", text(&file), LIB]).status(0);
    assert_eq!(out.stdout.trim(), project.peer(["hash", "zip", text(&file)]));
    for how in ["bomb", "large"] {
        spoil(&[how, LIB]);
        hash(&project.s, &["zip", text(&file), LIB]).status(1);
    }
}

#[test]
fn folders_that_no_module_may_be_are_refused() {
    let s = Sandbox::new();
    s.write("m/go.mod", "module example.com/m\n");
    s.write("m/a.go", "package m\n");
    hash(&s, &["dir", "m", "example.com/m@v1.0.0"]).status(0);
    s.write("m/con.go", "package m\n");
    let out = hash(&s, &["dir", "m", "example.com/m@v1.0.0"]).status(1);
    assert!(out.stderr.contains("bad-folder") && out.stderr.contains("con.go"), "{}", out.stderr);
    hash(&s, &["dir", "--no-check", "m", "example.com/m@v1.0.0"]).status(0);
    #[cfg(unix)]
    {
        fs::remove_file(s.checkout().join("m/con.go")).expect("ours");
        std::os::unix::fs::symlink("a.go", s.checkout().join("m/b.go")).expect("a link");
        let out = hash(&s, &["dir", "m", "example.com/m@v1.0.0"]).status(1);
        assert!(out.stderr.contains("b.go"), "{}", out.stderr);
    }
}

#[test]
fn what_cannot_be_read_is_3_and_what_is_not_asked_well_is_2() {
    let s = Sandbox::new();
    s.write("file", "module example.com/m\n");
    fs::create_dir(s.checkout().join("folder")).expect("a folder");
    const M: &str = "example.com/m@v1.0.0";
    for (args, status) in [
        (&["zip", "absent.zip", M][..], 3),
        (&["zip", "folder", M], 3),
        (&["dir", "absent", M], 3),
        (&["dir", "file", M], 3),
        (&["mod", "absent"], 3),
        (&["mod", "folder"], 3),
        (&["zip", "file", M], 1),
        (&["zip", "file"], 2),
        (&["zip", "file", "example.com/m"], 2),
        (&["zip", "file", "example.com/m@latest"], 2),
        (&["zip", "file", "../m@v1.0.0"], 2),
        (&["dir", "folder"], 2),
        (&["zip"], 2),
        (&["mod"], 2),
        (&["tar", "file"], 2),
    ] {
        let out = hash(&s, args).status(status);
        assert!(out.stdout.is_empty() && !out.stderr.is_empty(), "{args:?}");
    }
    for args in [&["hash"][..], &["hash", "--hash-engine", "abacus", "mod", "file"]] {
        s.run(args).end().status(2);
    }
}
