//! The module cache: what is right passes, and every change has its finding, beside what the `go` command says.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Outcome, Report, root};

use crate::project::{LIB, Project, find, flip, overwrite, remove, shown, unlocked};

/// Where the docs have the table.
const TABLE: &str = "docs/bytes-table.md";

/// One row of the table.
struct Row {
    /// What was changed, in the words of the docs.
    change: &'static str,
    /// The rules that come of it, and the words that their findings must have, in the order of the report.
    found: &'static [(&'static str, &'static str)],
    how: fn(&Project),
}

const GO_SUM: &str = "the zip of dep.example/lib v1.2.0 in the module cache";
/// Another content for a file of LIB.
const CHANGED: &str = "// Package lib has a fable.\npackage lib\n";

/// Puts the same other content into zip, folder and .ziphash; gives its h1.
fn change_all(project: &Project) -> String {
    project.rezip("unused/unused.go", CHANGED);
    overwrite(&project.extracted("unused/unused.go"), CHANGED);
    let h1 = project.peer(["hash".as_ref(), "zip".as_ref(), project.cached("zip").as_os_str()]);
    overwrite(&project.cached("ziphash"), &h1);
    h1
}

/// `go mod vendor`, whose files can be written to as those of a checkout.
fn vendor(project: &Project) {
    project.go(["mod", "vendor"]).end().status(0);
}

const ROWS: [Row; 15] = [
    Row { change: "nothing", found: &[], how: |_| {} },
    Row {
        change: "one bit of the zip",
        found: &[("zip-refused", "LICENSE: malformed")],
        how: |project| {
            let zip = project.cached("zip");
            flip(&zip, find(&zip, "dep.example/lib@v1.2.0/LICENSE") + 40);
        },
    },
    Row {
        change: "a file in the zip, packed again",
        found: &[("zip-mismatch", GO_SUM)],
        how: |project| project.rezip("lib.go", CHANGED),
    },
    Row {
        change: "the same, before the folder is extracted",
        found: &[("zip-mismatch", GO_SUM)],
        how: |project| {
            project.rezip("unused/unused.go", CHANGED);
            remove(&project.extracted(""));
        },
    },
    Row {
        change: "one bit of an extracted file",
        found: &[("dir-mismatch", ": changed lib.go")],
        how: |project| {
            let file = project.extracted("lib.go");
            flip(&file, find(&file, "table"));
        },
    },
    Row {
        change: "a file added to the folder",
        found: &[("dir-mismatch", ": added evil.go")],
        how: |project| overwrite(&project.extracted("evil.go"), "package lib\n"),
    },
    Row {
        change: "a file removed from the folder",
        found: &[("dir-mismatch", ": removed LICENSE")],
        how: |project| remove(&project.extracted("LICENSE")),
    },
    Row {
        change: "`.ziphash`",
        found: &[("ziphash-mismatch", ".ziphash")],
        how: |project| flip(&project.cached("ziphash"), 10),
    },
    Row {
        change: "`.mod`",
        found: &[("gomod-mismatch", "the go.mod of dep.example/lib v1.2.0 in the module cache")],
        how: |project| overwrite(&project.cached("mod"), "module dep.example/lib\n"),
    },
    Row {
        change: "`.info`, another version in it",
        found: &[("info-malformed", "names version v1.2.1")],
        how: |project| overwrite(&project.cached("info"), "{\"Version\":\"v1.2.1\"}"),
    },
    Row {
        change: "zip, folder and `.ziphash`, to the same",
        found: &[("dir-mismatch", "which files differ"), ("zip-mismatch", GO_SUM), ("ziphash-mismatch", ".ziphash")],
        how: |project| {
            change_all(project);
        },
    },
    Row {
        change: "zip, folder, `.ziphash` and the go.sum line, to the same",
        found: &[
            ("dir-mismatch", "which files differ"),
            ("gosum-mismatch", ""),
            ("zip-mismatch", GO_SUM),
            ("ziphash-mismatch", ".ziphash"),
        ],
        how: |project| {
            let before = fs::read_to_string(project.cached("ziphash")).expect("a text file");
            let after = change_all(project);
            project.s.write("go.sum", project.s.read("go.sum").replace(before.trim(), &after));
        },
    },
    Row {
        change: "one bit of a vendored file",
        found: &[("vendor-mismatch", "this file is not the one that dep.example/lib@v1.2.0 has")],
        how: |project| {
            vendor(project);
            let file = project.s.checkout().join("vendor/dep.example/lib/lib.go");
            flip(&file, find(&file, "table"));
        },
    },
    Row {
        change: "a file added to a vendored package",
        found: &[("vendor-extra", "dep.example/lib@v1.2.0 has no such file")],
        how: |project| {
            vendor(project);
            project.s.write("vendor/dep.example/lib/evil.go", "package lib\n");
        },
    },
    Row {
        change: "a version in `vendor/modules.txt`",
        found: &[("vendor-inconsistent", "dep.example/lib@v1.2.0"), ("vendor-inconsistent", "dep.example/lib@v1.2.0")],
        how: |project| {
            vendor(project);
            let list = project.s.read("vendor/modules.txt");
            project.s.write("vendor/modules.txt", list.replace("# dep.example/lib v1.2.0", "# dep.example/lib v1.2.1"));
        },
    },
];

/// The table of the docs: what each change is to modanchor, to `go mod verify` and to `go build`.
#[test]
fn every_change_has_its_finding_where_go_may_say_nothing() {
    let Some(project) = Project::new() else { return };
    let mut table = String::from(
        "# What is found, and what the go command says of it\n\n\
         A project and its module cache, whole at first, and one thing changed in them. Made by the tests with the \
         real `go`\n(`UPDATE_DOCS=1 cargo xtask test -p e2e bytes::`), and compared in every run of them.\n\n\
         | what was changed | `modanchor verify` | `go mod verify` | `go build` |\n|---|---|---|---|\n",
    );
    for row in ROWS {
        project.restore();
        (row.how)(&project);
        let run = project.verify(["--modcache", "require"]);
        let worst = if row.found.is_empty() || row.found[0].0 == "info-malformed" { 0 } else { 1 };
        let report = project.report(run, worst);
        let findings: Vec<_> = report.findings().iter().map(shown).collect();
        let mut rules: Vec<&str> = findings.iter().map(|(rule, ..)| *rule).collect();
        rules.sort_unstable();
        assert_eq!(rules, row.found.iter().map(|(rule, _)| *rule).collect::<Vec<_>>(), "{}: {findings:?}", row.change);
        for (rule, words) in row.found {
            let of = findings.iter().find(|(found, ..)| found == rule).expect("compared above");
            assert!(of.2.contains(words), "{}: {of:?}", row.change);
        }
        let go = |args: &[&str]| {
            let out = project.go([]).args(args).end();
            if out.status == 0 { "ok" } else { "fails" }
        };
        let verify = go(&["mod", "verify"]);
        let out = project.s.path("program");
        let build = go(&["build", "-o", out.to_str().expect("UTF-8")]);
        rules.dedup();
        let said = match rules.as_slice() {
            [] => "ok".to_owned(),
            rules => rules.iter().map(|rule| format!("[{rule}](rules/{rule}.md)")).collect::<Vec<_>>().join(", "),
        };
        table += &format!("| {} | {said} | {verify} | {build} |\n", row.change);
    }
    let path = root().join(TABLE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &table).expect("the docs");
    }
    let docs = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(docs, table, "run the tests with UPDATE_DOCS=1");
}

#[test]
fn a_full_module_cache_passes() {
    let Some(project) = Project::new() else { return };
    let cold = project.report(project.verify(["--modcache", "require"]), 0);
    assert!(cold.findings().is_empty(), "{:?}", cold.findings());
    // Upper, base, lib and the fork.
    assert_eq!(bytes(&cold), [4, 4, 4, 0]);
    let component = project.verify(["--modcache", "require", "--hash-engine", "component"]);
    assert_eq!(project.report(component, 0).timeless(), cold.clone().timeless());
    let warm = project.report(project.verify(["--modcache", "require"]).unplugged(), 0);
    assert_eq!(warm.timeless(), cold.timeless());
    let off = project.report(project.verify(["--modcache", "off"]), 0);
    assert_eq!(bytes(&off), [0; 4]);
    // What was checked is what is built.
    let program = project.s.path("program");
    project.go(["build", "-o", program.to_str().expect("UTF-8")]).env("GOPROXY", "off").end().status(0);
    let out = project.end(project.run(["verify"])).status(0);
    assert!(out.stdout.contains("4 zips") && out.stdout.contains("pass"), "{}", out.stdout);
}

/// How many zips, folders, go.mod files and vendored modules are as they should be.
fn bytes(report: &Report) -> [u64; 4] {
    ["zip", "dir", "go.mod", "vendor"].map(|key| report.0["counts"]["bytes"][key].as_u64().expect("a number"))
}

/// Where the log is not asked, bytes are compared with the line.
#[test]
fn a_private_module_is_what_its_line_says() {
    let Some(project) = Project::new() else { return };
    let run = || project.verify(["--modcache", "require"]).env("GONOSUMDB", "dep.example/lib");
    let report = project.report(run(), 0);
    assert_eq!((report.count("skipped"), bytes(&report)), (2, [4, 4, 4, 0]));
    flip(&project.extracted("lib.go"), 0);
    let report = project.report(run(), 1);
    let [finding] = report.of("dir-mismatch")[..] else { panic!("{:?}", report.findings()) };
    assert!(shown(finding).2.contains("is not what go.sum:5 says: changed lib.go"), "{finding}");
}

/// Half of a cache is not wrong, and not right where it has to be whole.
#[test]
fn a_cache_that_is_being_filled_is_never_wrong() {
    let Some(project) = Project::new() else { return };
    for wait in [0, 20, 40, 60, 80, 100] {
        let cache = project.s.path(&format!("filling{wait}"));
        let go = project.go(["mod", "download"]).env("GOMODCACHE", &cache).spawn();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        let run = project.verify(["--modcache", "require"]).env("GOMODCACHE", &cache);
        let report = run.end().status_in(&[0, 3]).report();
        assert!(report.rules().iter().all(|rule| *rule == "unchecked"), "{wait}: {:?}", report.findings());
        Outcome::from(go.wait_with_output().expect("it ends")).status(0);
        let run = project.verify(["--modcache", "require"]).env("GOMODCACHE", &cache);
        assert_eq!(bytes(&run.end().status(0).report()), [4, 4, 4, 0]);
    }
}

#[test]
fn a_module_cache_that_anybody_can_write_to_is_noted() {
    let Some(project) = Project::new() else { return };
    remove(&project.s.path("gomodcache/dep.example"));
    project.go(["mod", "download", "-modcacherw"]).end().status(0);
    let report = project.report(project.verify([]), 0);
    assert_eq!(report.rules(), ["dir-writable"]);
    assert_eq!(report.findings()[0]["severity"], "note");
}

#[test]
fn what_is_absent_is_incomplete_only_where_it_is_required() {
    let Some(project) = Project::new() else { return };
    remove(&project.s.path("gomodcache/cache/download/dep.example/lib"));
    project.report(project.verify(["--modcache", "require"]), 0);
    remove(&project.extracted(""));
    project.report(project.verify(["--modcache", "auto"]), 0);
    let report = project.report(project.verify(["--modcache", "require"]), 3);
    assert_eq!(report.rules(), ["unchecked"]);
    assert!(shown(&report.findings()[0]).2.contains("dep.example/lib"), "{:?}", report.findings());
    for cache in ["none", "checkout/go.sum"] {
        let run = |presence| project.verify(["--modcache", presence]).env("GOMODCACHE", project.s.path(cache));
        // There are no bytes that a build could use.
        assert_eq!(bytes(&project.report(run("auto"), 0)), [0; 4]);
        assert_eq!(project.report(run("require"), 3).rules(), ["unchecked"]);
    }
}

/// Each is said, and none passes.
#[test]
fn what_cannot_be_read_is_never_right() {
    let Some(project) = Project::new() else { return };
    type Change = fn(&Project);
    let cases: Vec<(&str, i32, &[&str], Change)> = vec![
        ("the zip cut short", 1, &["zip-refused"], |project| {
            let zip = project.cached("zip");
            let bytes = fs::read(&zip).expect("a file");
            overwrite(&zip, &bytes[..bytes.len() / 2]);
        }),
        ("the zip empty", 1, &["zip-refused"], |project| overwrite(&project.cached("zip"), "")),
        ("the zip of another module", 1, &["zip-refused"], |project| {
            let other = project.s.path("gomodcache/cache/download/dep.example/base/@v/v1.1.0.zip");
            overwrite(&project.cached("zip"), fs::read(other).expect("a file"));
        }),
        ("a zip that says that it is small", 1, &["zip-refused"], |project| spoil(project, &["bomb", LIB])),
        ("a zip that is too large", 1, &["zip-refused"], |project| spoil(project, &["large", LIB])),
        ("a zip with 70,000 files", 1, &["zip-mismatch"], |project| spoil(project, &["many", LIB, "70000"])),
        ("a folder for a zip", 3, &["unchecked"], |project| replace_by_folder(&project.cached("zip"))),
        ("a folder for a go.mod", 3, &["unchecked"], |project| replace_by_folder(&project.cached("mod"))),
        ("a folder for a .ziphash", 3, &["unchecked"], |project| replace_by_folder(&project.cached("ziphash"))),
        ("a folder for an .info", 0, &["info-malformed"], |project| replace_by_folder(&project.cached("info"))),
        ("a long .ziphash", 3, &["unchecked"], |project| overwrite(&project.cached("ziphash"), "h1:".repeat(1000))),
        ("a long .info", 0, &["info-malformed"], |project| overwrite(&project.cached("info"), " ".repeat(100_000))),
        ("a folder for an extracted file", 1, &["dir-mismatch", "dir-writable"], |project| {
            replace_by_folder(&project.extracted("lib.go"))
        }),
        ("the go command is extracting", 0, &[], |project| {
            overwrite(&project.extracted("lib.go"), "half");
            overwrite(&project.cached("partial"), "");
        }),
        ("a file for the folder", 0, &[], |project| {
            let folder = project.s.path("gomodcache").join(LIB);
            remove(&folder);
            overwrite(&folder, "");
        }),
    ];
    for (what, status, rules, change) in cases {
        project.restore();
        change(&project);
        let report = project.report(project.verify(["--modcache", "require"]), status);
        assert_eq!(report.rules(), rules, "{what}: {:?}", report.findings());
        let component = project.verify(["--modcache", "require", "--hash-engine", "component"]);
        assert_eq!(project.report(component, status).timeless(), report.timeless(), "{what}");
    }
}

fn spoil(project: &Project, how: &[&str]) {
    let zip = project.cached("zip");
    unlocked(&zip, || {
        let out = Command::new(e2e::peer().expect("there is go")).arg("spoil-zip").arg(&zip).args(how).output();
        assert!(out.expect("peer runs").status.success());
    });
}

fn replace_by_folder(path: &Path) {
    remove(path);
    unlocked(path, || fs::create_dir(path).expect("a folder"));
}

#[cfg(unix)]
fn make_fifo(path: &Path) {
    if path.exists() {
        remove(path);
    }
    unlocked(path, || assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo runs").success()));
}

#[cfg(unix)]
fn make_link(to: &str, path: &Path) {
    unlocked(path, || std::os::unix::fs::symlink(to, path).expect("a link"));
}

/// What a name can be besides a file and a folder.
#[test]
#[cfg(unix)]
fn links_and_fifos_are_neither_followed_in_circles_nor_waited_for() {
    let Some(project) = Project::new() else { return };
    type Change = fn(&Project);
    let cases: Vec<(&str, i32, &[&str], Change)> = vec![
        ("a link to its own folder", 1, &["dir-mismatch"], |p| make_link(".", &p.extracted("loop"))),
        ("a link to the folder above", 1, &["dir-mismatch"], |p| make_link("..", &p.extracted("data/up"))),
        ("a link to itself", 1, &["dir-mismatch"], |p| make_link("itself", &p.extracted("itself"))),
        ("a link to nothing", 1, &["dir-mismatch"], |p| make_link("nothing", &p.extracted("nothing"))),
        ("a link to the right content", 0, &["dir-writable"], |p| {
            remove(&p.extracted("lib.go"));
            make_link(p.s.path("modules").join(LIB).join("lib.go").to_str().expect("UTF-8"), &p.extracted("lib.go"));
        }),
        ("a link to other content", 1, &["dir-mismatch", "dir-writable"], |p| {
            remove(&p.extracted("lib.go"));
            make_link("lib_test.go", &p.extracted("lib.go"));
        }),
        ("a fifo in the folder", 1, &["dir-mismatch"], |p| make_fifo(&p.extracted("fifo.go"))),
        ("a fifo for the zip", 3, &["unchecked"], |p| make_fifo(&p.cached("zip"))),
        ("a fifo for the .ziphash", 3, &["unchecked"], |p| make_fifo(&p.cached("ziphash"))),
        ("a link to nothing for the zip, and no folder", 3, &["unchecked"], |p| {
            remove(&p.extracted(""));
            remove(&p.cached("zip"));
            make_link("nothing", &p.cached("zip"));
        }),
        ("the folder a link to its like", 0, &["dir-writable"], |p| {
            let folder = p.s.path("gomodcache").join(LIB);
            let pristine = p.s.path("pristine").join("gomodcache").join(LIB);
            remove(&folder);
            make_link(pristine.to_str().expect("UTF-8"), &folder);
        }),
    ];
    for (what, status, rules, change) in cases {
        project.restore();
        change(&project);
        let report = project.report(project.verify(["--modcache", "require"]), status);
        assert_eq!(report.rules(), rules, "{what}: {:?}", report.findings());
    }
}

/// The super-user reads everything.
#[test]
#[cfg(unix)]
fn what_may_not_be_read_is_unchecked() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(project) = Project::new() else { return };
    for path in [project.cached("zip"), project.extracted("lib.go"), project.extracted("data"), project.cached("mod")] {
        let before = fs::metadata(&path).expect("it is there").permissions();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).expect("ours");
        let bound = fs::File::open(&path).is_err();
        let out = project.verify(["--modcache", "require"]).end();
        fs::set_permissions(&path, before).expect("ours");
        if bound {
            assert_eq!(out.status(3).report().rules(), ["unchecked"], "{}", path.display());
        } else {
            out.status(0);
        }
    }
}
