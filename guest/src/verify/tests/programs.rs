//! Built programs.

use super::*;
use crate::contract::Program;

fn program(world: &World, mod_info: &str) -> Job {
    let program = Program {
        path: "bin/server".into(),
        sha256: "00".repeat(32),
        go_version: "go1.26.1".into(),
        mod_info: mod_info.into(),
    };
    let task = Task::Verify(Checkout { files: Vec::new(), programs: vec![program], bare_vendors: Vec::new() });
    job(Sumdb::Database(world.database()), task)
}

fn info(main: &str, dep: &str) -> String {
    format!("path\texample.org/main/cmd/server\nmod\texample.org/main\t{main}\ndep\texample.org/m0003\tv1.0.0\t{dep}\n")
}

#[test]
fn modules_are_looked_up() {
    let mut world = World::new(10);
    let text = info("(devel)\t", &hash(6));
    let finding = only(world.run(program(&world, &text)), "binary-unpinned", 0);
    assert!(finding.message.contains("the main module example.org/main (devel)"), "{}", finding.message);

    let text =
        format!("path\tx\nmod\texample.org/m0004\tv1.0.0\t{}\n{}", hash(8), &info("", &hash(6))["path\tx\n".len()..]);
    let text =
        text.lines().filter(|line| !line.starts_with("mod\texample.org/main")).fold(String::new(), |t, l| t + l + "\n");
    let (outcome, report) = world.run(program(&world, &text));
    assert_eq!(report.files[0].kind, "program");
    passes((outcome, report), 2);
}

#[test]
fn what_differs_is_found_on_its_line() {
    let mut world = World::new(10);
    let text = info("v1.0.0\t", &hash(998)).replace("mod\texample.org/main\tv1.0.0\t\n", "");
    let finding = only(world.run(program(&world, &text)), "binary-mismatch", 1);
    // Line 1 of `go version -m` is the version of Go, line 2 the path.
    assert_eq!((finding.file.as_deref(), finding.line), (Some("bin/server"), Some(3)));
    assert_eq!(finding.expected.as_deref(), Some(hash(6).as_str()));
}

#[test]
fn replaced_and_dirty() {
    let mut world = World::new(10);
    let text =
        "path\tx\ndep\texample.org/a\tv1.0.0\n=>\t../a\t(devel)\t\nbuild\tvcs.revision=abc\nbuild\tvcs.modified=true\n";
    let (outcome, report) = world.run(program(&world, text));
    assert_eq!(outcome.status, 0);
    let mut found = rules(&report);
    found.sort_unstable();
    assert_eq!(found, ["binary-dirty", "binary-unpinned"]);
    let text = format!("path\tx\ndep\texample.org/a\tv1.0.0\n=>\texample.org/m0003\tv1.0.0\t{}\n", hash(6));
    passes(world.run(program(&world, &text)), 1);
}

/// A program that was built with `-mod=vendor` records no hashes: one finding, however many modules.
#[test]
fn vendored_modules_share_a_finding() {
    let mut world = World::new(1);
    let deps: String = (0..9).map(|n| format!("dep\texample.org/d{n}\tv1.0.0\t\n")).collect();
    let finding = only(world.run(program(&world, &format!("path\tx\n{deps}"))), "binary-unpinned", 0);
    assert!(finding.message.starts_with("9 modules have no hash to compare: example.org/d0 v1.0.0, "));
    assert!(finding.message.ends_with(" and 4 more"), "{}", finding.message);
}

/// Whoever makes a program chooses what goes into it: what nobody vouches for falls short of a policy as it does in a checkout.
#[test]
fn a_policy_judges_what_was_replaced_or_vendored() {
    let mut world = World::new(10);
    let policy = "schema: modanchor-policy/1\nrules:\n  - { name: a, modules: example.org/a, require: verified }\n\
                  default: { require: unverified }\n";
    let policy = crate::policy::file::read(policy.as_bytes(), "policy.yaml").expect("a policy").policy;
    let replaced = format!("example.org/m0003\tv1.0.0\t{}\n", hash(6));
    for (dep, found) in [
        ("dep\texample.org/a\tv1.0.0\n=>\t../a\t(devel)\t\n".to_owned(), vec!["binary-unpinned", "policy-grade"]),
        ("dep\texample.org/a\tv1.0.0\t\n".to_owned(), vec!["binary-unpinned", "policy-grade"]),
        (format!("dep\texample.org/a\tv1.0.0\n=>\t{replaced}"), vec!["policy-grade"]),
        (format!("dep\t{replaced}"), vec!["policy-unmatched-rule"]),
    ] {
        let mut job = program(&world, &format!("path\tx\n{dep}"));
        job.policy = Some(policy.clone());
        let (outcome, report) = world.run(job);
        let mut rules = rules(&report);
        rules.sort_unstable();
        assert_eq!((rules, outcome.status == 1), (found.clone(), found.contains(&"policy-grade")), "{dep}");
    }
}

#[test]
fn what_is_no_build_info_is_refused() {
    let mut world = World::new(1);
    let next = world.step_to_end(program(&world, "dep\tx\n"), &mut |_, answer| answer);
    assert!(matches!(next, Next::Refused(Refusal::Program(_))), "{next:?}");
}
