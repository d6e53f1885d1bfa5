//! `modanchor fix`: what it adds is what the log proves, and whatever happens go.sum is the old one or the new one.

use std::fs;
use std::thread;
use std::time::Duration;

use e2e::{Outcome, Run, change_hash, files};

use crate::project::Project;

impl Project {
    /// The go.sum as `go mod tidy` left it.
    fn tidy(&self) -> String {
        fs::read_to_string(self.s.path("pristine/checkout/go.sum")).expect("a text file")
    }

    /// Whether `go` is content with go.mod and go.sum, and leaves them alone.
    #[track_caller]
    fn go_is_content(&self) {
        let before = self.s.read("go.sum");
        self.go(["mod", "verify"]).end().status(0);
        self.go(["build", "-mod=readonly", "-o", self.s.path("program").to_str().expect("UTF-8")]).end().status(0);
        assert_eq!(self.s.read("go.sum"), before);
    }

    fn fix(&self) -> Run {
        self.run(["fix"])
    }
}

/// `text` without some of its lines, by number from 0.
fn without(text: &str, lines: &[usize]) -> String {
    text.split_inclusive('\n').enumerate().filter(|(n, _)| !lines.contains(n)).map(|(_, line)| line).collect()
}

#[test]
fn missing_lines_are_added_and_all_are_sorted() {
    let Some(project) = Project::new() else { return };
    let tidy = project.tidy();
    let mut backwards: Vec<&str> = tidy.split_inclusive('\n').collect();
    backwards.reverse();
    for (what, text, added) in [
        ("empty", String::new(), 8),
        ("two missing", without(&tidy, &[0, 5]), 2),
        ("unsorted", backwards.concat(), 0),
        ("unsorted and missing", backwards[2..].concat(), 2),
        ("twice", tidy.repeat(2), 0),
        ("blank lines", tidy.replace('\n', "\n\n"), 0),
        ("without a last newline", tidy.trim_end().to_owned(), 0),
    ] {
        project.s.write("go.sum", &text);
        let dry = project.end(project.fix().args(["--dry-run"])).status(1);
        assert_eq!(project.s.read("go.sum"), text, "{what}");
        let wet = project.end(project.fix()).status(0);
        assert_eq!(wet.stdout, dry.stdout, "{what}");
        let plus = wet.stdout.lines().filter(|line| line.starts_with('+') && !line.starts_with("+++")).count();
        assert!(wet.stdout.starts_with("--- a/go.sum\n+++ b/go.sum\n") && plus >= added, "{what}: {}", wet.stdout);
        assert!(wet.stderr.contains(&format!("wrote go.sum: {added} line")), "{what}: {}", wet.stderr);
        assert_eq!(project.s.read("go.sum"), tidy, "{what}");
        // And that is all.
        let again = project.end(project.fix()).status(0);
        assert_eq!(again.stdout, "", "{what}");
        project.end(project.fix().args(["--dry-run"])).status(0);
    }
    project.go_is_content();
    fs::remove_file(project.s.checkout().join("go.sum")).expect("ours");
    project.end(project.fix()).status(0);
    assert_eq!(project.s.read("go.sum"), tidy);
    project.go_is_content();
    let there: Vec<_> = files(&project.s.checkout()).into_iter().map(|(path, _)| path).collect();
    assert_eq!(there.len(), 5, "{there:?}");
}

/// In a workspace the go command itself adds what is missing, to go.work.sum.
#[test]
fn in_a_workspace_nothing_is_added() {
    let Some(project) = Project::new() else { return };
    let text = without(&project.tidy(), &[0, 1]);
    project.s.write("go.work", "go 1.22\n\nuse .\n");
    project.s.write("go.sum", &text);
    let out = project.end(project.fix()).status(0);
    assert!(out.stdout.is_empty() && out.stderr.contains("low[gosum-missing]"), "{}", out.stderr);
    assert!(out.stderr.contains("go.work.sum by itself") && !out.stderr.contains("modanchor fix"), "{}", out.stderr);
    assert_eq!(project.s.read("go.sum"), text);
    assert!(!project.s.checkout().join("go.work.sum").exists());
    project.go(["build", "-o", project.s.path("program").to_str().expect("UTF-8")]).end().status(0);
    assert!(project.s.read("go.work.sum").contains("dep.example/Upper v0.1.0 h1:"));
    project.report(project.verify(["--modcache", "require"]), 0);
}

#[test]
fn a_line_that_differs_is_never_overwritten() {
    let Some(project) = Project::new() else { return };
    let tidy = project.tidy();
    for text in [change_hash(&tidy, 1), change_hash(&tidy, 6), tidy.clone() + "<<<<<<< HEAD\n"] {
        for args in [&["--dry-run"][..], &[]] {
            project.s.write("go.sum", &text);
            let out = project.end(project.fix().args(args)).status(1);
            assert_eq!(project.s.read("go.sum"), text, "{}", out.stderr);
            assert!(out.stderr.contains("go.sum:"), "{}", out.stderr);
        }
    }
    // What is missing is added beside it.
    let text = change_hash(&without(&tidy, &[0, 3]), 2);
    project.s.write("go.sum", &text);
    project.end(project.fix()).status(1);
    assert_eq!(project.s.read("go.sum"), change_hash(&tidy, 3));
    // Of two that differ neither is chosen.
    let wrong = change_hash(&tidy, 1).lines().next().expect("a line").to_owned() + "\n";
    project.s.write("go.sum", tidy.clone() + &wrong);
    project.end(project.fix()).status(1);
    let mut both: Vec<String> = (tidy + &wrong).lines().map(str::to_owned).collect();
    let mut found: Vec<String> = project.s.read("go.sum").lines().map(str::to_owned).collect();
    both.sort();
    found.sort();
    assert_eq!(found, both);
}

#[test]
fn what_the_log_does_not_prove_is_not_added() {
    let Some(project) = Project::new() else { return };
    let tidy = project.tidy();
    let some = without(&tidy, &[4, 5]);
    let unreachable = |run: Run| run.args(["--max-wait", "2s"]);
    for (what, fault, statuses) in [
        ("no record", "/lookup/dep.example/lib@=404", &[1, 3][..]),
        ("no answer", "/lookup/dep.example/lib@=500", &[1, 3]),
        ("not what was signed", "/lookup/dep.example/lib@=flip", &[1]),
    ] {
        let server = project.another(&["--fail", fault]);
        project.s.write("go.sum", &some);
        let run = unreachable(project.fix()).sumdb(&server).args(["--no-cache"]);
        // What go keeps of the log would do.
        let run = run.env("GOPATH", project.s.path("tmp")).env("GOMODCACHE", project.s.path("none"));
        project.end(run).status_in(statuses);
        assert_eq!(project.s.read("go.sum"), some, "{what}");
    }
    // What another history says is proved by nobody.
    let other = project.another(&["--lie", "dep.example/lib@v1.2.0", "--seed", "2"]);
    project.s.write("go.sum", &tidy);
    project.end(project.fix().sumdb(&other).args(["--no-cache"])).status(1);
    assert_eq!(project.s.read("go.sum"), tidy);
}

#[test]
#[cfg(unix)]
fn mode_and_links_stay() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    let Some(project) = Project::new() else { return };
    let (tidy, path) = (project.tidy(), project.s.checkout().join("go.sum"));
    project.s.write("go.sum", without(&tidy, &[0]));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("ours");
    project.end(project.fix()).status(0);
    assert_eq!(fs::metadata(&path).expect("it is there").mode() & 0o777, 0o640);

    let real = project.s.checkout().join("real.sum");
    fs::rename(&path, &real).expect("ours");
    fs::write(&real, without(&tidy, &[1])).expect("ours");
    symlink("real.sum", &path).expect("a link");
    project.end(project.fix()).status(0);
    assert!(fs::symlink_metadata(&path).expect("it is there").is_symlink());
    assert_eq!(fs::read_to_string(&real).expect("a text file"), tidy);
}

/// The super-user writes anywhere.
#[test]
#[cfg(unix)]
fn a_folder_that_may_not_be_written_to_is_said() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(project) = Project::new() else { return };
    let text = without(&project.tidy(), &[0]);
    project.s.write("go.sum", &text);
    let set = |mode| fs::set_permissions(project.s.checkout(), fs::Permissions::from_mode(mode)).expect("ours");
    set(0o555);
    let bound = fs::write(project.s.checkout().join("probe"), "").is_err();
    let out = project.end(project.fix());
    set(0o755);
    if bound {
        let out = out.status(3);
        assert!(!out.stderr.is_empty());
        assert_eq!(project.s.read("go.sum"), text);
    } else {
        out.status(0);
    }
}

/// No file can grow: a full disk, as far as a program sees it.
#[test]
#[cfg(unix)]
fn a_full_disk_leaves_the_old_file() {
    let Some(project) = Project::new() else { return };
    let text = without(&project.tidy(), &[0]);
    project.s.write("go.sum", &text);
    let full = ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"];
    let out = project.end(project.fix().under(full)).status(3);
    assert!(out.stderr.contains("go.sum"), "{}", out.stderr);
    assert_eq!(project.s.read("go.sum"), text);
    assert_eq!(files(&project.s.checkout()).len(), 5, "a file was left");
}

#[test]
fn a_killed_run_leaves_the_old_file_or_the_new_one() {
    let Some(project) = Project::new() else { return };
    let new = project.tidy();
    let old = without(&new, &[0, 1, 2]);
    // Warm: the writing comes soon.
    project.s.write("go.sum", &old);
    project.end(project.fix()).status(0);
    let mut seen = [0, 0];
    for wait in (0..40).map(|n| n * 4) {
        project.s.write("go.sum", &old);
        let mut child = project.fix().spawn();
        thread::sleep(Duration::from_millis(wait));
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        let found = project.s.read("go.sum");
        assert!(found == old || found == new, "after {wait} ms:\n{found}");
        seen[usize::from(found == new)] += 1;
    }
    assert!(seen[0] > 0, "never killed before its end: {seen:?}");
    project.s.write("go.sum", &old);
    project.end(project.fix()).status(0);
    assert_eq!(project.s.read("go.sum"), new);
}

#[test]
fn two_at_once_write_it_once() {
    let Some(project) = Project::new() else { return };
    let new = project.tidy();
    for _ in 0..5 {
        project.s.write("go.sum", without(&new, &[0, 1, 2]));
        let children: Vec<_> = (0..3).map(|_| project.fix().spawn()).collect();
        let ended: Vec<Outcome> = (children.into_iter())
            .map(|child| Outcome::from(child.wait_with_output().expect("it ends")).status_in(&[0, 3]))
            .collect();
        assert!(ended.iter().any(|out| out.status == 0));
        for out in ended.iter().filter(|out| out.status == 3) {
            assert!(out.stderr.contains("changed since it was judged"), "{}", out.stderr);
        }
        assert_eq!(project.s.read("go.sum"), new);
    }
}

/// `go` writes go.sum too, under its own lock.
#[test]
fn beside_a_go_that_writes_nothing_is_lost() {
    let Some(project) = Project::new() else { return };
    let tidy = project.tidy();
    for wait in [0, 10, 20, 40, 80] {
        project.s.write("go.sum", without(&tidy, &[0, 1, 4, 5]));
        let go = project.go(["mod", "tidy"]).spawn();
        thread::sleep(Duration::from_millis(wait));
        let fix = project.fix().end().status_in(&[0, 3]);
        let go = Outcome::from(go.wait_with_output().expect("it ends")).status(0);
        assert_eq!(project.s.read("go.sum"), tidy, "{wait} ms: {} {}", fix.stderr, go.stderr);
    }
}
