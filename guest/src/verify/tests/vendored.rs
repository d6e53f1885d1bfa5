//! Vendor folders.

use std::collections::BTreeMap;

use super::bytes::{Files, MODULE, PATH, VERSION, sources, world};
use super::*;
use crate::contract::Subject;
use crate::report::{BytesStatus, What};

const GO_MOD: &str = "module example.org/main\n\ngo 1.24\n\nrequire example.org/lib v1.2.3\n";

fn modules_txt() -> String {
    format!("# {PATH} {VERSION}\n## explicit; go 1.24\n{PATH}\n{PATH}/sub\n")
}

/// What `go mod vendor` copies.
fn vendored() -> Files {
    let copied = |name: &str| !name.ends_with("_test.go") && name != "go.mod" && name != "gen.go";
    let files = sources().into_iter().filter(|(name, _)| copied(name));
    let mut files: Files = files.map(|(name, content)| (format!("{PATH}/{name}"), content)).collect();
    files.insert("modules.txt".into(), modules_txt().into_bytes());
    files
}

fn checkout(lines: &str, modules_txt: &str) -> Task {
    super::task(vec![
        file("go.mod", FileKind::GoMod, GO_MOD),
        file("go.sum", FileKind::GoSum, lines),
        file("vendor/modules.txt", FileKind::VendorModules, modules_txt),
    ])
}

fn vendor_world() -> (World, String) {
    let (mut world, lines) = world();
    world.shelf.vendor = BTreeMap::from([("vendor".to_owned(), vendored())]);
    (world, lines)
}

fn run(world: &mut World, lines: &str) -> (Outcome, Report) {
    let task = checkout(lines, &modules_txt());
    world.run(job(Sumdb::Database(world.database()), task))
}

#[test]
fn what_is_right_passes() {
    let (mut world, lines) = vendor_world();
    let (outcome, report) = run(&mut world, &lines);
    assert_eq!(report.counts.bytes.vendor, 1);
    passes((outcome, report), 2);
}

#[test]
fn every_kind_of_change_has_its_finding() {
    type Change = fn(&mut Files, &mut Vec<String>);
    let cases: &[(Change, &str, &str)] = &[
        (
            |files, _| files.get_mut("example.org/lib/lib.go").unwrap()[0] ^= 1,
            "vendor-mismatch",
            "vendor/example.org/lib/lib.go",
        ),
        (
            |files, _| files.get_mut("example.org/lib/sub/data/table.txt").unwrap()[0] ^= 1,
            "vendor-mismatch",
            "vendor/example.org/lib/sub/data/table.txt",
        ),
        (
            |files, _| drop(files.insert("example.org/lib/evil.go".into(), b"package lib".to_vec())),
            "vendor-extra",
            "vendor/example.org/lib/evil.go",
        ),
        (
            |files, _| drop(files.insert("example.org/other/x.go".into(), b"package x".to_vec())),
            "vendor-extra",
            "vendor/example.org/other/x.go",
        ),
        (
            |_, irregular| irregular.push("example.org/lib/link.go".into()),
            "vendor-extra",
            "vendor/example.org/lib/link.go",
        ),
        (|files, _| drop(files.remove("example.org/lib/asm.s")), "vendor-missing", "vendor/example.org/lib/asm.s"),
        (
            |files, _| drop(files.remove("example.org/lib/sub/sub.go")),
            "vendor-missing",
            "vendor/example.org/lib/sub/sub.go",
        ),
    ];
    for (change, rule, path) in cases {
        let (mut world, lines) = vendor_world();
        let mut irregular = Vec::new();
        change(world.shelf.vendor.get_mut("vendor").unwrap(), &mut irregular);
        world.shelf.irregular = irregular;
        let (outcome, report) = run(&mut world, &lines);
        let finding = only((outcome, report.clone()), rule, 1);
        assert_eq!(finding.file.as_deref(), Some(*path));
        if finding.module.is_some() {
            let bytes = &report.modules[0].bytes;
            assert!(bytes.iter().any(|b| b.what == What::Vendor && b.status == BytesStatus::Mismatch), "{path}");
        }
    }
}

/// Licences and data need not be there: people prune them.
#[test]
fn pruned_files_are_not_missed() {
    let (mut world, lines) = vendor_world();
    let files = world.shelf.vendor.get_mut("vendor").unwrap();
    files.remove("example.org/lib/LICENSE");
    files.remove("example.org/lib/sub/data/table.txt");
    passes(run(&mut world, &lines), 2);
}

/// A zip that is not at hand: nothing is claimed, and with `require` that is not enough.
#[test]
fn without_zips() {
    let (mut world, lines) = vendor_world();
    world.shelf.cache = None;
    let task = || checkout(&lines, &modules_txt());
    let with = |vendor, zips| Bytes { module_cache: Presence::Auto, zips, vendor };
    let run = |world: &mut World, bytes| {
        let job = job(Sumdb::Database(world.database()), task());
        world.run(Job { bytes, ..job })
    };
    let (outcome, report) = run(&mut world, with(Presence::Auto, Zips::Cache));
    let vendor = report.modules[0].bytes.iter().find(|bytes| bytes.what == What::Vendor).unwrap().status;
    assert_eq!((outcome.status, vendor, report.counts.bytes.vendor), (0, BytesStatus::Absent, 0));
    only(run(&mut world, with(Presence::Required, Zips::Cache)), "unchecked", 3);
    world.shelf.proxy.insert(MODULE.into(), sources());
    passes(run(&mut world, with(Presence::Required, Zips::Download)), 2);

    world.shelf.vendor.get_mut("vendor").unwrap().get_mut("example.org/lib/lib.go").unwrap()[0] ^= 1;
    only(run(&mut world, with(Presence::Auto, Zips::Download)), "vendor-mismatch", 1);
    let (outcome, _) = run(&mut world, with(Presence::Off, Zips::Cache));
    assert_eq!(outcome.status, 0);
}

/// A line was taken out of go.sum so that nothing would be compared: the log is asked all the same.
#[test]
fn a_module_without_a_line_is_looked_up() {
    let (mut world, lines) = vendor_world();
    world.shelf.vendor.get_mut("vendor").unwrap().get_mut("example.org/lib/lib.go").unwrap()[0] ^= 1;
    let (outcome, report) = run(&mut world, "");
    assert_eq!(outcome.status, 1);
    assert_eq!(rules(&report), ["gosum-missing", "gosum-missing", "vendor-mismatch"]);

    let only_go_mod = lines.lines().nth(1).unwrap();
    let (outcome, report) = run(&mut world, only_go_mod);
    assert_eq!(outcome.status, 1);
    assert_eq!(rules(&report), ["gosum-missing", "vendor-mismatch"]);
}

/// A module that neither go.mod nor go.sum knows, as hostile changes to vendor/ bring it: `go build` of a go.mod before
/// go 1.17 takes it.
#[test]
fn a_vendored_module_that_nothing_vouches_for() {
    let (mut world, lines) = vendor_world();
    world.push("example.org/evil v1.0.0 h1:x\n".replace("h1:x", &hash(50)));
    let evil = modules_txt() + "# example.org/evil v1.0.0\nexample.org/evil\n";
    world.shelf.vendor.get_mut("vendor").unwrap().insert("example.org/evil/x.go".into(), b"package evil".to_vec());
    let task = task(vec![
        file("go.mod", FileKind::GoMod, &GO_MOD.replace("1.24", "1.16")),
        file("go.sum", FileKind::GoSum, &lines),
        file("vendor/modules.txt", FileKind::VendorModules, &evil.replace("; go 1.24", "")),
    ]);
    let finding = only(world.run(job(Sumdb::Database(world.database()), task)), "gosum-missing", 1);
    assert_eq!((finding.file.as_deref(), finding.line), (Some("vendor/modules.txt"), Some(5)));
}

/// A vendor folder without a modules.txt: older go commands build it, and other languages have such folders too.
#[test]
fn a_vendor_folder_without_a_list() {
    for (file_name, expected) in [("evil.example/x.go", vec!["vendor-extra"]), ("autoload.php", vec![])] {
        let (mut world, lines) = world();
        let files: Files = [(file_name.to_owned(), b"package x".to_vec())].into();
        world.shelf.vendor = BTreeMap::from([("vendor".to_owned(), files)]);
        let sources = vec![file("go.mod", FileKind::GoMod, GO_MOD), file("go.sum", FileKind::GoSum, &lines)];
        let checkout = Checkout { files: sources, programs: Vec::new(), bare_vendors: vec!["vendor".into()] };
        let (outcome, report) = world.run(job(Sumdb::Database(world.database()), Task::Verify(checkout)));
        assert_eq!((outcome.status, rules(&report)), (u8::from(!expected.is_empty()), expected));
    }
}

#[test]
fn modules_txt_says_something_else_than_go_mod() {
    for (text, line) in [
        (modules_txt().replace("## explicit; go 1.24", "## go 1.24"), None),
        (modules_txt() + "# example.org/lib\n", Some(5)),
    ] {
        let (mut world, lines) = vendor_world();
        let task = checkout(&lines, &text);
        let finding = only(world.run(job(Sumdb::Database(world.database()), task)), "vendor-inconsistent", 1);
        if let Some(line) = line {
            assert_eq!((finding.file.as_deref(), finding.line), (Some("vendor/modules.txt"), Some(line)));
        }
    }
}

#[test]
fn a_vendor_folder_that_cannot_be_read() {
    let (mut world, lines) = vendor_world();
    let task = checkout(&lines, &modules_txt());
    let job = job(Sumdb::Database(world.database()), task);
    let finding = only(
        world.run_with(job, |request, answer| match request {
            Request::Measure(measure) if matches!(measure.subject, Subject::Vendor(_)) => Err(Failure::Storage),
            _ => answer,
        }),
        "unchecked",
        3,
    );
    assert_eq!(finding.file.as_deref(), Some("vendor/modules.txt"));
}

/// The go command takes `v1.2` for a version, no module can have it, and below go 1.17 go.mod need not name the module:
/// it builds with these files.
#[test]
fn packages_of_what_is_no_module_version_do_not_pass() {
    let (mut world, lines) = vendor_world();
    let text = modules_txt() + "# example.org/evil v1.2\nexample.org/evil\n";
    let files = world.shelf.vendor.get_mut("vendor").unwrap();
    files.insert("example.org/evil/evil.go".into(), b"package evil\n".to_vec());
    let mut task = checkout(&lines, &text);
    let Task::Verify(checkout) = &mut task else { unreachable!() };
    checkout.files[0].content = GO_MOD.replace("1.24", "1.16").into_bytes();
    let finding = only(world.run(job(Sumdb::Database(world.database()), task)), "vendor-inconsistent", 1);
    assert_eq!((finding.file.as_deref(), finding.line), (Some("vendor/modules.txt"), Some(5)));
}

/// `go build -mod=vendor` reads past the word `workspace` where there is no go.work: it is no way around the comparison
/// with go.mod.
#[test]
fn a_list_for_a_workspace_that_is_none_is_compared_with_go_mod() {
    let (mut world, lines) = vendor_world();
    let text = format!("## workspace\n# {PATH} v1.2.2\n{PATH}\n{PATH}/sub\n");
    let task = checkout(&lines, &text);
    let (_, report) = world.run(job(Sumdb::Database(world.database()), task));
    let inconsistent: Vec<_> =
        report.findings.iter().filter(|finding| finding.rule == "vendor-inconsistent").map(|f| &*f.message).collect();
    assert!(
        inconsistent.iter().any(|message| message.contains("is explicitly required in go.mod")),
        "{inconsistent:?}"
    );
}

/// Half a million modules in one message would be no message.
#[test]
fn absent_modules_are_named_up_to_a_limit() {
    let (mut world, _) = vendor_world();
    let modules = 0..9;
    let (mut text, mut go_mod) = (String::new(), "module example.org/main\n\ngo 1.24\n\n".to_owned());
    for number in modules.clone() {
        let (path, version) = module(number);
        world.push(record(number));
        text += &format!("# {path} {version}\n## explicit; go 1.24\n{path}\n");
        go_mod += &format!("require {path} {version}\n");
    }
    world.shelf.vendor.insert("vendor".into(), Files::new());
    let mut task = checkout(&go_sum(modules), &text);
    let Task::Verify(checkout) = &mut task else { unreachable!() };
    checkout.files[0].content = go_mod.into_bytes();
    let bytes = Bytes { module_cache: Presence::Auto, zips: Zips::Cache, vendor: Presence::Required };
    let job = job(Sumdb::Database(world.database()), task);
    let finding = only(world.run(Job { bytes, ..job }), "unchecked", 3);
    assert!(finding.message.contains("example.org/m0002@v1.0.0 and 6 more"), "{}", finding.message);
}

/// `go build -modfile=vendor.mod`: modules.txt is compared with the file that the user named.
#[test]
fn a_go_mod_of_another_name_is_compared() {
    for (name, rule) in [("vendor.mod", "vendor-inconsistent"), ("a/go.mod", "unchecked")] {
        let (mut world, lines) = vendor_world();
        let files = vec![
            file(name, FileKind::GoMod, &GO_MOD.replace("v1.2.3", "v1.2.4 // indirect")),
            file("vendor/modules.txt", FileKind::VendorModules, &modules_txt()),
            file("vendor.sum", FileKind::GoSum, &lines),
        ];
        let (_, report) = world.run(job(Sumdb::Database(world.database()), super::task(files)));
        let found = report.findings.iter().filter(|finding| finding.rule == rule);
        assert!(found.map(|finding| finding.file.as_deref()).any(|file| file != Some(name)), "{:#?}", report.findings);
    }
}

/// Builds with `-mod=vendor` ask no go.sum: a line that is left out is no way around the policy.
#[test]
fn a_policy_judges_vendored_modules_without_a_line() {
    let (mut world, lines) = vendor_world();
    let go_mod_alone: String =
        lines.lines().filter(|line| line.contains("/go.mod ")).map(|line| format!("{line}\n")).collect();
    for (require, lines, expected) in [
        ("verified", &lines, &["policy-grade"][..]),
        ("verified", &go_mod_alone, &["policy-grade"]),
        ("unverified", &lines, &[]),
        ("unverified", &go_mod_alone, &[]),
    ] {
        let policy = format!("schema: modanchor-policy/1\ndefault: {{ require: {require} }}\n");
        let mut job = job(Sumdb::Database(world.database()), checkout(lines, &modules_txt()));
        job.policy = Some(crate::policy::file::read(policy.as_bytes(), "policy.yaml").expect("a policy").policy);
        let (_, report) = world.run(job);
        let mut found = rules(&report);
        found.retain(|rule| *rule == "policy-grade");
        assert_eq!(found, expected, "{require} {lines}: {:#?}", report.findings);
    }
}
