//! Vendor folders that the real `go mod vendor` made, and what can be wrong with them.

use e2e::Report;

use crate::project::{Project, flip, remove, shown};

/// The findings: rule, file, and some words of the message.
type Found<'a> = &'a [(&'a str, &'a str, &'a str)];

#[track_caller]
fn expect(report: &Report, what: &str, found: Found<'_>) {
    let findings: Vec<_> = report.findings().iter().map(shown).collect();
    assert_eq!(findings.len(), found.len(), "{what}: {findings:#?}");
    for ((rule, file, words), finding) in found.iter().zip(&findings) {
        assert_eq!((*rule, *file), (finding.0, finding.1), "{what}: {findings:#?}");
        assert!(finding.2.contains(words), "{what}: {findings:#?}");
    }
}

fn vendored() -> Option<Project> {
    let project = Project::new()?;
    project.go(["mod", "vendor"]).end().status(0);
    project.keep();
    Some(project)
}

#[test]
fn what_go_vendors_passes() {
    let Some(project) = vendored() else { return };
    // A main package, an embedded file, C beside a cgo file, a fork; neither tests nor what is ignored.
    for (name, is_there) in [
        ("lib/data/table.txt", true),
        ("lib/native/native.c", true),
        ("old/old.go", true),
        ("local/local.go", true),
        ("lib/gen.go", false),
        ("lib/lib_test.go", false),
        ("lib/unused/unused.go", false),
    ] {
        assert_eq!(project.s.checkout().join("vendor/dep.example").join(name).exists(), is_there, "{name}");
    }
    let report = project.report(project.verify(["--vendor", "require", "--modcache", "require"]), 0);
    expect(&report, "as it was made", &[]);
    assert_eq!(report.0["counts"]["bytes"]["vendor"], 4);
    assert!(report.0["files"].to_string().contains("vendor/modules.txt"));
    let component = project.verify(["--vendor", "require", "--modcache", "require", "--hash-engine", "component"]);
    assert_eq!(project.report(component, 0).timeless(), report.timeless());
}

#[test]
fn every_change_is_found_and_named() {
    let Some(project) = vendored() else { return };
    const LIB: &str = "vendor/dep.example/lib";
    type Change = fn(&Project);
    let cases: Vec<(&str, Found<'_>, Change)> = vec![
        (
            "an embedded file",
            &[("vendor-mismatch", "vendor/dep.example/lib/data/table.txt", "dep.example/lib@v1.2.0")],
            |p| flip(&p.s.checkout().join(LIB).join("data/table.txt"), 0),
        ),
        ("a C file", &[("vendor-mismatch", "vendor/dep.example/lib/native/native.c", "dep.example/lib@v1.2.0")], |p| {
            flip(&p.s.checkout().join(LIB).join("native/native.c"), 30)
        }),
        ("a file of a fork", &[("vendor-mismatch", "vendor/dep.example/old/old.go", "fork.example/old@v1.0.1")], |p| {
            p.s.write("vendor/dep.example/old/old.go", "package old\n")
        }),
        ("a licence", &[("vendor-mismatch", "vendor/dep.example/lib/LICENSE", "dep.example/lib@v1.2.0")], |p| {
            p.s.write("vendor/dep.example/lib/LICENSE", "Mine.\n");
        }),
        ("a file too many", &[("vendor-extra", "vendor/dep.example/lib/zz.s", "has no such file")], |p| {
            p.s.write("vendor/dep.example/lib/zz.s", "");
        }),
        ("a file of no module", &[("vendor-extra", "vendor/evil.example/x/x.go", "any module")], |p| {
            p.s.write("vendor/evil.example/x/x.go", "package x\n");
        }),
        ("a file removed", &[("vendor-missing", "vendor/dep.example/lib/lib.go", "was not vendored")], |p| {
            remove(&p.s.checkout().join(LIB).join("lib.go"));
        }),
        (
            "a file for another system removed",
            &[("vendor-missing", "vendor/dep.example/lib/native/cgo.go", "was not vendored")],
            |p| remove(&p.s.checkout().join(LIB).join("native/cgo.go")),
        ),
        ("what is pruned by hand", &[], |p| remove(&p.s.checkout().join(LIB).join("LICENSE"))),
        ("a file that go leaves out, as in the zip", &[], |p| {
            p.s.write("vendor/dep.example/lib/gen.go", "//go:build ignore\n\npackage main\n\nfunc main() {}\n");
        }),
        // Nobody vouches for a folder of the checkout.
        ("a file of a replacement by a folder", &[], |p| {
            p.s.write("vendor/dep.example/local/local.go", "package local // \n")
        }),
        (
            "modules.txt names an older version",
            &[
                ("vendor-inconsistent", "go.mod", "dep.example/base@v1.1.0"),
                ("vendor-inconsistent", "vendor/modules.txt", "dep.example/base@v1.0.0"),
            ],
            |p| replace(p, "# dep.example/base v1.1.0\n## explicit", "# dep.example/base v1.0.0\n## explicit"),
        ),
        // People prune: what is in a zip of the list may lie there.
        ("modules.txt without a package", &[], |p| replace(p, "dep.example/lib/native\n", "")),
        (
            "modules.txt with a module that nothing requires",
            &[("vendor-inconsistent", "vendor/modules.txt", "evil.example/x@v1.0.0")],
            |p| {
                replace(p, "# dep.example/lib", "# evil.example/x v1.0.0\nevil.example/x\n# dep.example/lib");
                p.s.write("vendor/evil.example/x/x.go", "package x\n");
            },
        ),
    ];
    for (what, found, change) in cases {
        project.restore();
        change(&project);
        let run = project.verify(["--modcache", "require"]);
        expect(&project.report(run, i32::from(!found.is_empty())), what, found);
    }
}

#[test]
fn a_modules_txt_that_is_none_covers_nothing() {
    let Some(project) = vendored() else { return };
    for text in ["", "<<<<<<< HEAD\n", "\0"] {
        project.s.write("vendor/modules.txt", text);
        let report = project.report(project.verify([]), 1);
        assert_eq!(report.rules(), ["vendor-extra", "vendor-inconsistent"], "{text:?}");
        assert_eq!(report.of("vendor-extra").len(), 11, "{text:?}");
        assert_eq!(report.0["counts"]["bytes"]["vendor"], 0, "{text:?}");
    }
}

#[test]
#[cfg(unix)]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let Some(project) = vendored() else { return };
    let lib = project.s.checkout().join("vendor/dep.example/lib");
    let elsewhere = project.s.path("modules/dep.example/lib@v1.2.0");
    // What they lead to is right.
    remove(&lib.join("lib.go"));
    symlink(elsewhere.join("lib.go"), lib.join("lib.go")).expect("a link");
    let report = project.report(project.verify([]), 1);
    let links: Vec<_> = report.of("vendor-extra").into_iter().map(shown).collect();
    assert_eq!(links.iter().map(|link| link.1).collect::<Vec<_>>(), ["vendor/dep.example/lib/lib.go"], "{links:?}");

    project.restore();
    remove(&lib);
    symlink(&elsewhere, &lib).expect("a link");
    let report = project.report(project.verify([]), 1);
    assert!(report.of("vendor-extra").iter().any(|f| f["file"] == "vendor/dep.example/lib"), "{:?}", report.findings());

    project.restore();
    symlink("..", lib.join("loop")).expect("a link");
    let report = project.report(project.verify([]), 1);
    expect(&report, "a loop", &[("vendor-extra", "vendor/dep.example/lib/loop", "neither a file nor a folder")]);

    project.restore();
    let vendor = project.s.checkout().join("vendor");
    std::fs::rename(&vendor, project.s.path("moved")).expect("ours");
    symlink(project.s.path("moved"), &vendor).expect("a link");
    // modules.txt itself would be read from outside of the checkout.
    project.end(project.verify([])).status_in(&[1, 2, 3]);
}

#[test]
fn without_zips_it_is_incomplete_where_it_is_required() {
    let Some(project) = vendored() else { return };
    let file = "vendor/dep.example/lib/lib.go";
    let run = |presence| project.verify(["--vendor", presence]).env("GOMODCACHE", project.s.path("none"));
    for change in [false, true] {
        if change {
            flip(&project.s.checkout().join(file), 0);
        }
        expect(&project.report(run("auto"), 0), "auto", &[]);
        let required = project.report(run("require"), 3);
        expect(&required, "require", &[("unchecked", "vendor/modules.txt", "4 modules could not be checked")]);
        let found: Found<'_> = if change { &[("vendor-mismatch", file, "")] } else { &[] };
        for presence in ["auto", "require"] {
            let report = project.report(run(presence).args(["--zips", "download"]), i32::from(change));
            expect(&report, "download", found);
        }
    }
    expect(&project.report(project.verify(["--vendor", "off"]), 0), "off", &[]);
    remove(&project.s.checkout().join("vendor"));
    let report = project.report(project.verify(["--vendor", "require"]), 3);
    expect(&report, "no vendor", &[("unchecked", "", "there is no vendor/modules.txt")]);
}

/// Before Go 1.17 go.mod does not name every module, and modules.txt may.
#[test]
fn a_module_that_go_mod_does_not_name() {
    let Some(project) = Project::new() else { return };
    let go_mod = project.s.read("go.mod").replace("go 1.21", "go 1.16").replace("\tdep.example/base v1.1.0\n", "");
    let go_mod = go_mod.replace("dep.example/lib v1.2.0", "dep.example/early v1.0.0");
    project.s.write("go.mod", go_mod);
    let main = project.s.read("main.go").replace("\t_ \"dep.example/base\"\n", "");
    let main = main.replace("dep.example/lib/native", "dep.example/early").replace("\t_ \"dep.example/lib\"\n", "");
    project.s.write("main.go", main);
    project.go(["mod", "tidy"]).end().status(0);
    project.go(["mod", "vendor"]).end().status(0);
    project.keep();
    let list = project.s.read("vendor/modules.txt");
    assert!(list.contains("# dep.example/base v1.0.0\ndep.example/base"), "{list}");
    let run = || project.verify(["--vendor", "require"]);
    expect(&project.report(run(), 0), "as it was made", &[]);
    project.s.write("vendor/dep.example/base/p.go", "package p\n");
    expect(
        &project.report(run(), 1),
        "changed",
        &[("vendor-mismatch", "vendor/dep.example/base/p.go", "dep.example/base@v1.0.0")],
    );
    project.restore();
    replace(&project, "# dep.example/early", "# evil.example/x v1.0.0\nevil.example/x\n# dep.example/early");
    project.s.write("vendor/evil.example/x/x.go", "package x\n");
    let unlined = ("gosum-missing", "vendor/modules.txt", "evil.example/x@v1.0.0 is vendored here");
    expect(&project.report(project.verify([]), 1), "added", &[unlined]);
    let report = project.report(run().args(["--zips", "download"]), 1);
    assert!(
        report.of("vendor-extra").iter().any(|f| f["file"] == "vendor/evil.example/x/x.go"),
        "{:?}",
        report.findings()
    );
    project.go(["build", "-o", project.s.path("program").to_str().expect("UTF-8")]).end().status(0);
}

#[test]
fn a_workspace_has_one_vendor_folder() {
    let Some(project) = Project::new() else { return };
    project.s.write("tool/go.mod", "module example.com/tool\n\ngo 1.22\n\nrequire dep.example/base v1.0.0\n");
    project.s.write("tool/main.go", "package main\n\nimport _ \"dep.example/base\"\n\nfunc main() {}\n");
    project.s.write("go.work", "go 1.22\n\nuse (\n\t.\n\t./tool\n)\n\nreplace dep.example/local => ./local\n");
    project.go(["mod", "tidy"]).current_dir(project.s.checkout().join("tool")).env("GOWORK", "off").end().status(0);
    project.go(["work", "vendor"]).end().status(0);
    project.keep();
    assert!(project.s.read("vendor/modules.txt").starts_with("## workspace\n"));
    let run = || project.verify(["--vendor", "require"]);
    expect(&project.report(run(), 0), "as it was made", &[]);
    flip(&project.s.checkout().join("vendor/dep.example/base/p.go"), 0);
    let base = ("vendor-mismatch", "vendor/dep.example/base/p.go", "dep.example/base@v1.1.0");
    expect(&project.report(run(), 1), "changed", &[base]);
    project.restore();
    replace(&project, "# dep.example/base v1.1.0", "# dep.example/base v1.0.0");
    let report = project.report(run(), 1);
    assert!(report.rules().contains(&"vendor-inconsistent"), "{:?}", report.findings());
}

#[test]
fn a_module_below_has_its_own_vendor_folder() {
    let Some(project) = Project::new() else { return };
    project.s.write("tool/go.mod", "module example.com/tool\n\ngo 1.22\n\nrequire dep.example/base v1.1.0\n");
    project.s.write("tool/main.go", "package main\n\nimport _ \"dep.example/base\"\n\nfunc main() {}\n");
    let tool = project.s.checkout().join("tool");
    project.go(["mod", "tidy"]).current_dir(&tool).end().status(0);
    project.go(["mod", "vendor"]).current_dir(&tool).end().status(0);
    expect(&project.report(project.verify(["--vendor", "require"]), 0), "as it was made", &[]);
    flip(&tool.join("vendor/dep.example/base/p.go"), 0);
    for (run, prefix) in
        [(project.verify([]), "tool/"), (project.verify(["tool"]), ""), (project.verify(["tool/go.mod"]), "")]
    {
        let file = format!("{prefix}vendor/dep.example/base/p.go");
        expect(&project.report(run, 1), "changed", &[("vendor-mismatch", &file, "dep.example/base@v1.1.0")]);
    }
}

fn replace(project: &Project, from: &str, to: &str) {
    let list = project.s.read("vendor/modules.txt");
    assert!(list.contains(from), "{list}");
    project.s.write("vendor/modules.txt", list.replace(from, to));
}
