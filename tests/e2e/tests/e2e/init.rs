//! `modanchor init`: what it writes is what it showed, and nothing of somebody else's is lost.

use std::fs;

use e2e::{Sandbox, files};

const WORKFLOW: &str = ".github/workflows/modanchor.yml";
const CONFIG: &str = ".modanchor.toml";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn checkout(head: &str) -> Sandbox {
    let s = Sandbox::hello();
    s.write(".git/HEAD", head);
    s
}

#[test]
fn shows_then_writes_then_is_done() {
    let s = checkout("ref: refs/heads/master\n");
    let before = files(&s.checkout());
    let dry = s.run(["init", "--dry-run"]).end().status(1);
    assert_eq!(files(&s.checkout()), before);
    assert!(dry.stdout.contains("+++ b/.github/workflows/modanchor.yml\n"), "{}", dry.stdout);
    let wet = s.run(["init"]).end().status(0);
    assert_eq!(wet.stdout, dry.stdout);
    assert!(wet.stderr.contains("init --pin COMMIT"), "{}", wet.stderr);
    let workflow = s.read(WORKFLOW);
    assert!(workflow.contains("branches: [\"master\"]"), "{workflow}");
    let shown: String =
        wet.stdout.lines().filter_map(|line| line.strip_prefix('+')).map(|line| format!("{line}\n")).collect();
    assert!(shown.contains(&workflow), "what was shown was written");
    assert_eq!(s.run(["init"]).end().status(0).stdout, "");
    s.run(["init", "--dry-run"]).end().status(0);
    // What it wrote is good: as a configuration, and for lint.
    s.run(["verify", "--config", CONFIG]).end().status(0);
    s.run(["lint"]).end().status(0);
}

#[test]
fn a_workflow_that_differs_is_only_replaced_by_force() {
    let s = checkout("ref: refs/heads/main\n");
    s.run(["init"]).end().status(0);
    let tagged = s.read(WORKFLOW);
    for args in [&["init", "--pin", COMMIT][..], &["init", "--pin", COMMIT, "--dry-run"]] {
        let out = s.run(args).end().status(2);
        assert!(out.stderr.contains("is there and differs") && out.stderr.contains("--force"), "{}", out.stderr);
        assert!(out.stdout.contains(&format!("modanchor/modanchor@{COMMIT} # v")), "{}", out.stdout);
        assert_eq!(s.read(WORKFLOW), tagged);
    }
    let out = s.run(["init", "--pin", COMMIT, "--force"]).end().status(0);
    assert!(s.read(WORKFLOW).contains(&format!("uses: modanchor/modanchor@{COMMIT} # v")));
    assert!(!out.stderr.contains("--pin COMMIT"), "{}", out.stderr);
}

#[test]
fn a_configuration_that_is_there_stays() {
    for name in [CONFIG, ".github/modanchor.toml"] {
        let s = checkout("ref: refs/heads/main\n");
        s.write(name, "exclude = [\"old\"]\n");
        for args in [&["init"][..], &["init", "--force"]] {
            let out = s.run(args).end().status(0);
            assert!(out.stderr.contains("stays as it is"), "{}", out.stderr);
            assert_eq!(s.read(name), "exclude = [\"old\"]\n");
        }
        assert_eq!(s.checkout().join(CONFIG).exists(), name == CONFIG);
    }
}

#[test]
fn only_in_the_root_of_a_checkout() {
    let s = Sandbox::hello();
    let out = s.run(["init"]).end().status(2);
    assert!(out.stderr.contains("not the root of a git checkout"), "{}", out.stderr);
    s.run(["init", "--force", "--quiet"]).end().status(0);
    assert!(s.read(WORKFLOW).contains("branches: [\"main\"]"));
    s.run(["init", "no-such-folder"]).end().status(2);
    s.run(["init", "--pin", "v0.1.0"]).end().status(2);
    s.run(["init", "--pin", &COMMIT[1..]]).end().status(2);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_link() {
    let s = checkout("ref: refs/heads/main\n");
    fs::create_dir(s.path("elsewhere")).expect("a folder");
    std::os::unix::fs::symlink("../elsewhere", s.checkout().join(".github")).expect("a link");
    for args in [&["init"][..], &["init", "--force"]] {
        let out = s.run(args).end().status(2);
        assert!(out.stderr.contains("nothing is written through a symbolic link"), "{}", out.stderr);
    }
    assert_eq!(files(&s.path("elsewhere")), []);
    assert!(!s.checkout().join(CONFIG).exists());
}
