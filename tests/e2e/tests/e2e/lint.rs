//! `modanchor lint`: what disarms Go's checks is found where a person set it, and fixed where that is safe.

use std::fs;

use e2e::{Sandbox, files, write};

const WORKFLOW: &str = "on: push
env:
  GOSUMDB: off
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - run: |
          go get -insecure example.org/m
          echo \"GOFLAGS=-mod=mod\" >> \"$GITHUB_ENV\"
";

const DOCKERFILE: &str = "FROM golang:1.27\nENV GONOSUMCHECK=1\nRUN GONOSUMDB=* go build ./...\n";

fn sandbox() -> Sandbox {
    let s = Sandbox::new();
    s.write(".github/workflows/ci.yml", WORKFLOW);
    s.write("Dockerfile", DOCKERFILE);
    s.write("vendor/x/Makefile", "export GOSUMDB := off\n");
    s.write("ok.sh", "#!/bin/sh\n# GOSUMDB=off\ngo build ./...\n");
    s
}

#[test]
fn every_finding_has_its_place() {
    let s = sandbox();
    let report = s.run(["lint", "--format", "json"]).end().status(1).report();
    assert_eq!(report.verdict(), "fail");
    let told: Vec<_> = report
        .findings()
        .iter()
        .map(|f| {
            let text = |key: &str| f[key].as_str().unwrap_or_default().to_owned();
            (text("file"), f["line"].as_u64(), text("rule"), text("found"))
        })
        .collect();
    let want = [
        (".github/workflows/ci.yml", 3, "env-sumdb-off", "GOSUMDB=off"),
        (".github/workflows/ci.yml", 9, "env-insecure", "-insecure"),
        (".github/workflows/ci.yml", 10, "env-mod-mod", "-mod=mod"),
        ("Dockerfile", 2, "env-no-such-variable", "GONOSUMCHECK=1"),
        ("Dockerfile", 3, "env-sumdb-skips-all", "GONOSUMDB=*"),
    ];
    let want: Vec<_> = want
        .iter()
        .map(|(file, line, rule, found)| ((*file).into(), Some(*line), (*rule).into(), (*found).into()))
        .collect();
    assert_eq!(told, want);
    let kinds: Vec<_> = report.0["files"].as_array().expect("a list").iter().map(|file| file["kind"].clone()).collect();
    assert_eq!(kinds, ["workflow", "dockerfile", "shell"]);
    for finding in report.findings() {
        for key in ["expected", "by", "help", "message"] {
            assert!(finding[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {finding}");
        }
    }
    let people = s.run(["lint"]).end().status(1);
    assert!(people.stdout.contains("GOSUMDB: off") && people.stdout.contains("ci.yml:3:3"), "{}", people.stdout);
    assert!(people.stdout.ends_with("fail: 3 files and the settings in force; findings: 3 high, 1 medium, 1 low\n"));
}

#[test]
fn the_settings_in_force_are_judged_and_never_changed() {
    let s = Sandbox::new();
    e2e::write(&s.path("goenv"), "GOSUMDB=off\nGOFLAGS=-trimpath\n");
    let run = |args: &[&str]| {
        s.run(args).env("GOENV", s.path("goenv")).env("GOPROXY", "http://user:secret@proxy.example").end()
    };
    let out = run(&["lint", "--format", "json"]).status(1);
    let report = out.report();
    assert_eq!(report.rules(), ["env-proxy", "env-sumdb-off"]);
    let off = report.of("env-sumdb-off")[0];
    assert_eq!((off["by"].as_str(), off["file"].as_str()), (Some("GOSUMDB ($GOENV)"), None));
    assert!(off["help"].as_str().is_some_and(|help| help.contains("go env -u GOSUMDB")));
    assert!(!out.stdout.contains("secret") && !out.stderr.contains("secret"), "credentials stay in the host");
    run(&["lint", "--fix"]).status(1);
    assert_eq!(fs::read_to_string(s.path("goenv")).expect("text"), "GOSUMDB=off\nGOFLAGS=-trimpath\n");
    s.run(["lint"]).env("GOSUMDB", "sum.golang.org").end().status(0);
}

#[test]
fn fixes_are_shown_and_written() {
    let s = sandbox();
    let before = files(&s.checkout());
    let dry = s.run(["lint", "--fix", "--dry-run"]).end().status(1);
    assert_eq!(files(&s.checkout()), before, "a dry run writes nothing");
    assert!(dry.stdout.contains("-  GOSUMDB: off\n+  GOSUMDB: sum.golang.org\n"), "{}", dry.stdout);
    let wet = s.run(["lint", "--fix"]).end().status(1);
    assert_eq!(wet.stdout, dry.stdout);
    assert!(wet.stderr.contains("wrote Dockerfile: 1 setting changed"), "{}", wet.stderr);
    let workflow = WORKFLOW.replace("GOSUMDB: off", "GOSUMDB: sum.golang.org").replace("-mod=mod", "-mod=readonly");
    assert_eq!(s.read(".github/workflows/ci.yml"), workflow);
    assert_eq!(s.read("Dockerfile"), "FROM golang:1.27\nRUN GONOSUMDB=* go build ./...\n");
    // What is left is for a person.
    let rest = s.run(["lint", "--format", "json", "--fix"]).end().status(1);
    assert_eq!(rest.report().rules(), ["env-insecure", "env-sumdb-skips-all"]);
    s.run(["lint", "--fail-on", "critical", "--fix", "--dry-run"]).end().status(0);
}

#[cfg(unix)]
#[test]
fn a_script_stays_executable() {
    use std::os::unix::fs::PermissionsExt;
    let s = Sandbox::new();
    s.write("build", "#!/bin/sh\nGOSUMDB=off go build\n");
    let path = s.checkout().join("build");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    s.run(["lint", "--fix"]).end().status(0);
    assert_eq!(s.read("build"), "#!/bin/sh\nGOSUMDB=sum.golang.org go build\n");
    assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o755);
}

#[test]
fn ignores_excludes_and_levels() {
    let s = sandbox();
    let config = s.path("config.toml");
    let ignore = |rule: &str| format!("[[ignore]]\nrule = \"{rule}\"\nmodule = \"*\"\nreason = \"ours\"\n");
    write(&config, ignore("env-sumdb-off") + &ignore("gosum-mismatch"));
    let run = |args: &[&str]| s.run(["lint", "--format", "json", "--config"]).args([&config]).args(args).end();
    let report = run(&["--exclude", "Dockerfile"]).status(1).report();
    assert_eq!(report.rules(), ["env-insecure", "env-mod-mod"]);
    assert_eq!(report.0["counts"]["ignored"], 1);
    run(&["--fail-on", "critical"]).status(0);
    run(&["ok.sh"]).status(0);
}

#[test]
fn hostile_files_change_nothing() {
    let s = Sandbox::new();
    s.write("a.sh", [b"export GOSUMDB=off \x1b[2J\n::error::x\n".as_slice(), &[0xff; 9], b"\n"].concat());
    s.write("b.yml", "GOPRIVATE: *\n[[[[[[{{{{{{\n".repeat(2000));
    s.write("c.sh", "$(".repeat(100_000));
    s.write("Dockerfile", "RUN <<E ".repeat(10_000));
    let out = s.run(["lint", "--fix", "--dry-run"]).end().status(1);
    assert!(!out.stdout.contains('\x1b') && !out.stderr.contains('\x1b'));
    s.write("big.sh", vec![b'x'; (1 << 20) + 1]);
    let out = s.run(["lint"]).end().status(1);
    assert!(out.stderr.contains("not read: big.sh: larger than 1 MiB"), "{}", out.stderr);
    s.run(["lint", "big.sh"]).end().status(2);
    s.run(["lint", "no-such-file"]).end().status(2);
    s.run(["lint", "--dry-run"]).end().status(2);
}

#[test]
fn nothing_is_written_through_a_link_to_outside() {
    let s = Sandbox::new();
    write(&s.path("outside.sh"), "export GOSUMDB=off\n");
    s.write("ok.sh", "true\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink("../outside.sh", s.checkout().join("link.sh")).expect("a link");
    let out = s.run(["lint", "--fix"]).end().status(0);
    #[cfg(unix)]
    assert!(out.stderr.contains("link.sh: resolves to outside"), "{}", out.stderr);
    assert_eq!(out.stdout, "");
    assert_eq!(fs::read_to_string(s.path("outside.sh")).expect("text"), "export GOSUMDB=off\n");
}
