//! `fix`.

use super::*;

const GO_MOD: &str =
    "module example.org/main\n\nrequire (\n\texample.org/m0003 v1.0.0\n\texample.org/m0001 v1.0.0\n)\n";

fn fix(world: &mut World, go_sum: Option<&str>) -> (Outcome, Report) {
    let mut files = vec![file("go.mod", FileKind::GoMod, GO_MOD)];
    files.extend(go_sum.map(|go_sum| file("go.sum", FileKind::GoSum, go_sum)));
    let task = Task::Fix(Checkout { files, programs: Vec::new(), bare_vendors: Vec::new() });
    let bytes = Bytes { module_cache: Presence::Off, zips: Zips::Cache, vendor: Presence::Off };
    world.run(Job { bytes, ..job(Sumdb::Database(world.database()), task) })
}

#[test]
fn adds_and_sorts() {
    let want = go_sum([1, 3]);
    let mut backwards: Vec<&str> = want.lines().rev().collect();
    let all = backwards.join("\n");
    let some = backwards.split_off(2).join("\n") + "\n";
    for (have, added) in [(None, 4), (Some(""), 4), (Some(some.as_str()), 2), (Some(all.as_str()), 0)] {
        let mut world = World::new(10);
        let (outcome, report) = fix(&mut world, have);
        assert_eq!((outcome.status, rules(&report)), (0, vec![]), "{have:?}");
        let [fixed] = outcome.fixes.as_slice() else { panic!("{:?}", outcome.fixes) };
        assert_eq!(fixed.path, "go.sum");
        assert_eq!(String::from_utf8_lossy(&fixed.content), want, "{have:?}");
        assert_eq!(fixed.added.len(), added, "{have:?}");
    }
    let mut world = World::new(10);
    let (outcome, _) = fix(&mut world, Some(&want));
    assert_eq!((outcome.status, outcome.fixes), (0, vec![]));
}

/// A line that differs is never overwritten.
#[test]
fn a_line_that_differs_stays() {
    let wrong = go_sum([1, 3]).replace(&hash(6), &hash(998));
    let mut world = World::new(10);
    let (outcome, report) = fix(&mut world, Some(&wrong));
    assert_eq!((outcome.status, rules(&report), outcome.fixes.len()), (1, vec!["gosum-mismatch"], 0));
}

#[test]
fn what_cannot_be_proved_is_not_added() {
    // The log has no record of module 3.
    let mut world = World::new(2);
    let (outcome, report) = fix(&mut world, None);
    assert_eq!(outcome.status, 1, "a line is missing and stays so");
    assert_eq!(rules(&report), ["sumdb-unknown-module", "gosum-missing", "gosum-missing"]);
    let [fixed] = outcome.fixes.as_slice() else { panic!("{:?}", outcome.fixes) };
    assert_eq!(String::from_utf8_lossy(&fixed.content), go_sum([1]));

    let mut world = World::new(10);
    world.network = false;
    let (outcome, _) = fix(&mut world, None);
    assert_eq!((outcome.status, outcome.fixes), (1, vec![]));
}

#[test]
fn a_file_with_a_line_that_is_none_is_left_alone() {
    let mut world = World::new(10);
    let (outcome, report) = fix(&mut world, Some("<<<<<<< HEAD\n"));
    assert_eq!(outcome.fixes, []);
    assert!(rules(&report).contains(&"gosum-malformed") && rules(&report).contains(&"gosum-missing"));
    assert_eq!(outcome.status, 1);
}

/// Another go.sum of the checkout has the line, and the log proves it: that is no reason not to add it here.
#[test]
fn a_line_that_another_file_has_is_added() {
    let mut world = World::new(10);
    let all = go_sum([1, 3]);
    let files = vec![
        file("a/go.mod", FileKind::GoMod, GO_MOD),
        file("a/go.sum", FileKind::GoSum, &all),
        file("b/go.mod", FileKind::GoMod, GO_MOD),
        file("b/go.sum", FileKind::GoSum, &go_sum([1])),
    ];
    let task = Task::Fix(Checkout { files, programs: Vec::new(), bare_vendors: Vec::new() });
    let (outcome, report) = world.run(job(Sumdb::Database(world.database()), task));
    assert_eq!((outcome.status, rules(&report)), (0, vec![]));
    let [fixed] = outcome.fixes.as_slice() else { panic!("{:?}", outcome.fixes) };
    assert_eq!((fixed.path.as_str(), String::from_utf8_lossy(&fixed.content).as_ref()), ("b/go.sum", all.as_str()));
}
