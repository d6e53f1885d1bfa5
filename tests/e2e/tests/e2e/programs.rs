//! `modanchor verify BINARY`: programs that the real `go` built.

use std::process::Command;

use e2e::has_git;

use crate::project::{LIB, Project, shown};

impl Project {
    /// Builds the project, with these flags, into bin/program of the checkout.
    fn build(&self, flags: &[&str]) {
        self.go(["build", "-o", "bin/program"]).args(flags).end().status(0);
    }
}

#[test]
fn what_a_program_is_made_of_is_looked_up() {
    let Some(project) = Project::new() else { return };
    project.build(&["-buildvcs=false"]);
    let report = project.report(project.verify(["bin/program"]), 0);
    assert_eq!(report.rules(), ["binary-unpinned"]);
    let notes: Vec<&str> = report.findings().iter().map(|finding| shown(finding).2).collect();
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("example.com/project") && notes[1].contains("./local"), "{notes:?}");
    assert_eq!((report.count("lines"), report.count("verified")), (4, 4));
    assert_eq!(report.0["files"][0]["kind"], "program");
    let component = project.report(project.verify(["bin/program", "--hash-engine", "component"]), 0);
    assert_eq!(component.timeless(), report.clone().timeless());
    project.report(project.verify(["bin/program"]).unplugged(), 0);
    // Nothing else is needed: not the checkout, not the module cache, not the name.
    let elsewhere = project.s.path("tmp/x.so");
    std::fs::copy(project.s.checkout().join("bin/program"), &elsewhere).expect("a file");
    let run = project.verify([elsewhere.to_str().expect("UTF-8")]).env("GOMODCACHE", project.s.path("none"));
    assert_eq!(project.report(run, 0).count("verified"), 4);
    // A folder is searched for Go's files, not for programs.
    let report = project.report(project.verify([]), 0);
    assert!(!report.0["files"].to_string().contains("program"));
    // For other systems.
    for (os, arch) in [("windows", "amd64"), ("darwin", "arm64")] {
        project
            .go(["build", "-buildvcs=false", "-o", "bin/program"])
            .env("GOOS", os)
            .env("GOARCH", arch)
            .end()
            .status(0);
        assert_eq!(project.report(project.verify(["bin/program"]), 0).count("verified"), 4, "{os}");
    }
}

/// The module that was compiled was not the one that everybody else has: a proxy served another, and the checksum
/// database was not asked.
#[test]
fn a_program_from_a_poisoned_cache_says_so_itself() {
    let Some(project) = Project::new() else { return };
    e2e::write(
        &project.s.path("modules").join(LIB).join("evil.go"),
        "package lib\n\nfunc init() { println(\"evil\") }\n",
    );
    let liar = project.another(&[]);
    std::fs::remove_file(project.s.checkout().join("go.sum")).expect("ours");
    let poisoned = project
        .go(["build", "-mod=mod", "-modcacherw", "-buildvcs=false", "-o", "bin/program"])
        .env("GOPROXY", format!("{}/proxy", liar.url()))
        .env("GONOSUMDB", "*")
        .env("GOMODCACHE", project.s.path("poisoned"));
    poisoned.end().status(0);
    let said = Command::new(project.s.checkout().join("bin/program")).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&said.stderr), "evil\n");
    let report = project.report(project.verify(["bin/program"]), 1);
    assert_eq!(report.rules(), ["binary-mismatch", "binary-unpinned"]);
    let [finding] = report.of("binary-mismatch")[..] else { panic!("{:?}", report.findings()) };
    let (_, file, message) = shown(finding);
    assert_eq!((file, finding["module"].as_str()), ("program", Some("dep.example/lib")));
    assert!(!message.is_empty() && finding["expected"] != finding["found"], "{finding}");
    // The line that `go version -m` prints.
    let line = finding["line"].as_u64().expect("a number");
    let printed = project.go(["version", "-m", "bin/program"]).end().status(0).stdout;
    let at = printed.lines().nth(line as usize - 1).expect("a line");
    assert!(at.contains("dep.example/lib") && at.contains(finding["found"].as_str().expect("a hash")), "{printed}");
}

#[test]
fn what_is_no_go_program_is_refused() {
    let Some(project) = Project::new() else { return };
    project.s.write("bin/script", "#!/bin/sh\n");
    project.s.write("bin/empty", "");
    project.build(&["-buildvcs=false"]);
    let whole = std::fs::read(project.s.checkout().join("bin/program")).expect("a file");
    project.s.write("bin/cut", &whole[..whole.len() / 3]);
    for file in ["bin/script", "bin/empty", "bin/cut", "main.go"] {
        let out = project.end(project.verify([file])).status(2);
        let name = file.trim_start_matches("bin/");
        assert!(
            out.stderr.contains(&format!("error: {name}: ")) && out.stderr.contains("as a program"),
            "{file}: {}",
            out.stderr
        );
        assert_eq!(out.stdout, "", "{file}");
    }
    // Stripping leaves the build info.
    project.build(&["-buildvcs=false", "-trimpath", "-ldflags=-s -w"]);
    assert_eq!(project.report(project.verify(["bin/program"]), 0).count("verified"), 4);
    let out = project.end(project.run(["fix", "bin/program"])).status(2);
    assert!(out.stderr.contains("program: not a go.mod"), "{}", out.stderr);
}

#[test]
fn a_dirty_checkout_is_noted() {
    let Some(project) = Project::new() else { return };
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.current_dir(project.s.checkout()).env("HOME", project.s.path("home")).env("GIT_CONFIG_NOSYSTEM", "1");
        git.args(["-c", "user.name=T", "-c", "user.email=t@example.com"]).args(args);
        git.output().is_ok_and(|out| out.status.success())
    };
    if !has_git() {
        return;
    }
    assert!(git(&["init", "-q"]) && git(&["add", "."]) && git(&["commit", "-q", "-m", "all"]));
    project.build(&["-buildvcs=true"]);
    let rules = |project: &Project| {
        let report = project.report(project.verify(["bin/program"]), 0);
        report.rules().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(rules(&project), ["binary-unpinned"]);
    project.s.write("main.go", project.s.read("main.go") + "\n// Changed.\n");
    project.build(&["-buildvcs=true"]);
    assert_eq!(rules(&project), ["binary-dirty", "binary-unpinned"]);
}
