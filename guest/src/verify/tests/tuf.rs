//! TUF repositories in whole sessions: what they approve, and the attacks that TUF is there for, each told as it happens.

use std::collections::BTreeMap;

use serde_json::json;
use sha2::{Digest, Sha256, Sha512};

use super::*;
use crate::contract::{
    ClientTask, KeptMetadata, Mapping, MetadataGet, MetadataRecall, Repositories, Repository, TargetFile, TargetGet,
};
use crate::report::{Floor, TargetStatus};
use crate::tuf::testing::Forge;

/// A machine with modanchor: what its servers serve, and what it has kept.
#[derive(Default)]
pub(super) struct Machine {
    pub(super) servers: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    kept: BTreeMap<(String, String), Vec<u8>>,
    targets: Vec<String>,
    /// What was asked of servers.
    pub(super) requests: Vec<String>,
    /// Files that come so, whoever is asked.
    pub(super) broken: BTreeMap<String, Failure>,
}

impl Machine {
    pub(super) fn answer(&mut self, request: &Request) -> Response {
        match request {
            Request::TufRecall(MetadataRecall { repository, file, .. }) => {
                let content = self.kept.get(&(repository.clone(), file.clone())).cloned();
                content.map_or(Err(Failure::Absent), |content| super::body(content, Origin::Store))
            }
            Request::TufMetadata(MetadataGet { repository, file, max_bytes }) => {
                self.requests.push(file.clone());
                if let Some(failure) = self.broken.get(file) {
                    return Err(*failure);
                }
                match self.servers[repository].get(file) {
                    Some(content) if content.len() > *max_bytes as usize => Err(Failure::TooLarge),
                    Some(content) => super::body(content.clone(), Origin::Remote),
                    None => Err(Failure::Absent),
                }
            }
            Request::TufTarget(TargetGet { held: true, .. }) => Err(Failure::Absent),
            Request::TufTarget(TargetGet { repository, file, max_bytes, .. }) => {
                self.requests.push(file.clone());
                let content = self.servers[repository].get(file).ok_or(Failure::Absent)?;
                if content.len() as u64 > *max_bytes {
                    return Err(Failure::TooLarge);
                }
                Ok(Answer::TargetFile(TargetFile {
                    length: content.len() as u64,
                    sha256: Sha256::digest(content).to_vec(),
                    sha512: Sha512::digest(content).to_vec(),
                    origin: Origin::Remote,
                }))
            }
            Request::TufContent(TargetGet { repository, file, .. }) => {
                self.requests.push(file.clone());
                if let Some(failure) = self.broken.get(file) {
                    return Err(*failure);
                }
                let content = self.servers[repository].get(file).ok_or(Failure::Absent)?;
                super::body(content.clone(), Origin::Remote)
            }
            // No module cache here.
            _ => Err(Failure::Absent),
        }
    }

    fn run(&mut self, job: Job) -> (Outcome, Report) {
        self.requests.clear();
        let mut session = Session::new(job);
        let mut answers = Vec::new();
        loop {
            let step = session.step(std::mem::take(&mut answers));
            for kept in step.keep {
                match kept {
                    Kept::TufMetadata(KeptMetadata { repository, file, content: Some(content) }) => {
                        self.kept.insert((repository, file), content);
                    }
                    Kept::TufMetadata(KeptMetadata { repository, file, content: None }) => {
                        self.kept.remove(&(repository, file));
                    }
                    Kept::TufTarget(target) => self.targets.push(target.path),
                    other => panic!("{other:?}"),
                }
            }
            match step.next {
                Next::Need(requests) => answers = requests.iter().map(|request| self.answer(request)).collect(),
                Next::Done(outcome) => {
                    let report = serde_json::from_slice(&outcome.report).expect("a report is JSON");
                    return (outcome, report);
                }
                Next::Refused(refusal) => panic!("{refusal:?}"),
            }
        }
    }
}

pub(super) fn repository(name: &str, forge: &Forge) -> Repository {
    Repository {
        name: name.into(),
        trusted_root: forge.trusted_root(),
        set_by: "--config".into(),
        modules: "corp.example".into(),
        role: None,
    }
}

pub(super) fn repositories(all: Vec<Repository>) -> Repositories {
    Repositories { all, map: Vec::new(), required: false }
}

/// A go.sum of private modules, which no checksum database is asked about.
fn private(tuf: Repositories, go_sum: &str) -> Job {
    let mut job = job(Sumdb::Off("the test".into()), task(vec![file("go.sum", FileKind::GoSum, go_sum)]));
    job.tuf = tuf;
    job.fail_on = FailOn::High;
    job
}

fn client(tuf: Repositories, targets: &[&str]) -> Job {
    let targets = targets.iter().map(|path| (*path).to_owned()).collect();
    let task = Task::Tuf(ClientTask { repository: tuf.all[0].name.clone(), targets });
    Job { tuf, ..job(Sumdb::Off("the test".into()), task) }
}

fn line(module: &str, of: &str, seed: usize) -> String {
    format!("corp.example/{module} v1.0.0{of} {}\n", hash(seed))
}

/// A repository that has approved corp.example/lib v1.0.0, and a machine that reaches it.
fn approved() -> (Forge, Machine) {
    let mut forge = Forge::new(1);
    approve(&mut forge, "targets", "lib", 1);
    forge.publish();
    let machine = serving(&forge);
    (forge, machine)
}

fn approve(forge: &mut Forge, role: &str, module: &str, seed: usize) {
    let path = format!("corp.example/{module}/@v/v1.0.0");
    forge.approve(role, &format!("{path}.zip"), module.as_bytes(), json!({ "h1": hash(seed) }));
    forge.approve(role, &format!("{path}.mod"), b"module", json!({ "h1": hash(seed + 1) }));
}

fn serving(forge: &Forge) -> Machine {
    Machine { servers: BTreeMap::from([("corp".to_owned(), forge.files.clone())]), ..Machine::default() }
}

fn lib() -> String {
    line("lib", "", 1) + &line("lib", "/go.mod", 2)
}

/// All findings but the note that GOSUMDB is off.
fn found(report: &Report) -> Vec<&str> {
    rules(report).into_iter().filter(|rule| *rule != "sumdb-skipped").collect()
}

#[test]
fn an_approved_module_passes_and_the_report_names_who_approved_it() {
    let (forge, mut machine) = approved();
    let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &lib()));
    assert_eq!((outcome.status, found(&report)), (0, vec![]));
    assert_eq!(report.counts.approved, 2);
    let targets = &report.modules[0].targets;
    assert_eq!(targets.len(), 2);
    assert!(
        targets
            .iter()
            .all(|target| target.status == TargetStatus::Approved && target.role.as_deref() == Some("targets"))
    );
    let corp = &report.repositories[0];
    let roles: Vec<(&str, u64)> = corp.roles.iter().map(|role| (role.name.as_str(), role.version)).collect();
    assert_eq!(roles, [("root", 1), ("timestamp", 2), ("snapshot", 2), ("targets", 2)]);
    assert_eq!((corp.floor, corp.requests), (Floor::None, 4));
    assert_eq!(machine.requests, ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"]);

    // Nothing new: two requests, and a floor.
    let (_, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &lib()));
    assert_eq!(machine.requests, ["2.root.json", "timestamp.json"]);
    assert_eq!(report.repositories[0].floor, Floor::Cached);
    assert_eq!(found(&report), [""; 0]);
}

#[test]
fn one_unapproved_module_is_one_finding_on_its_line() {
    let (forge, mut machine) = approved();
    let go_sum = lib() + &line("new", "", 7) + &line("new", "/go.mod", 8);
    let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-unapproved"]));
    let finding = report.findings.iter().find(|finding| finding.rule == "tuf-unapproved").unwrap();
    assert_eq!((finding.line, finding.module.as_deref()), (Some(3), Some("corp.example/new")));
    insta::assert_snapshot!(finding.message, @"corp.example/new v1.0.0 is not approved: corp does not name it");
}

#[test]
fn a_line_with_another_hash_is_a_mismatch() {
    let (forge, mut machine) = approved();
    let go_sum = line("lib", "", 5) + &line("lib", "/go.mod", 2);
    let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-mismatch"]));
    let finding = report.findings.iter().find(|finding| finding.rule == "tuf-mismatch").unwrap();
    assert_eq!((finding.line, finding.expected.as_deref()), (Some(1), Some(hash(1).as_str())));
    assert_eq!(finding.by.as_deref(), Some("TUF corp: role targets version 2"));
}

#[test]
fn a_module_needed_for_its_go_mod_needs_no_approved_zip() {
    let mut forge = Forge::new(1);
    forge.approve("targets", "corp.example/lib/@v/v1.0.0.mod", b"module", json!({ "h1": hash(2) }));
    forge.publish();
    let go_sum = line("lib", "/go.mod", 2);
    let (outcome, report) = serving(&forge).run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
    assert_eq!((outcome.status, found(&report)), (0, vec![]));
}

#[test]
fn modules_outside_of_every_glob_are_counted_and_fail_where_approval_is_required() {
    let (forge, mut machine) = approved();
    let go_sum = lib() + &format!("other.example/x v1.0.0 {}\n", hash(9));
    let mut tuf = repositories(vec![repository("corp", &forge)]);
    let (outcome, report) = machine.run(private(tuf.clone(), &go_sum));
    assert_eq!((outcome.status, found(&report), report.counts.uncovered), (0, vec![], 1));
    tuf.required = true;
    let (outcome, report) = machine.run(private(tuf, &go_sum));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-unapproved"]));
}

#[test]
fn a_repository_that_covers_nothing_is_not_asked() {
    let (forge, mut machine) = approved();
    let go_sum = format!("other.example/x v1.0.0 {}\n", hash(9));
    let (_, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
    assert!(machine.requests.is_empty() && report.repositories.is_empty());
}

#[test]
fn only_the_role_that_must_approve_counts() {
    let mut forge = Forge::new(1);
    forge.delegate("targets", "team", 21, &["corp.example/*/@v/*"], true);
    approve(&mut forge, "targets", "lib", 1);
    approve(&mut forge, "team", "tool", 11);
    forge.publish();
    let tuf = repositories(vec![Repository { role: Some("team".into()), ..repository("corp", &forge) }]);
    let go_sum = lib() + &line("tool", "", 11);
    let (outcome, report) = serving(&forge).run(private(tuf, &go_sum));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-unapproved"]));
    let finding = report.findings.iter().find(|finding| finding.rule == "tuf-unapproved").unwrap();
    insta::assert_snapshot!(finding.message, @"corp.example/lib v1.0.0 is not approved: corp has it from the role targets, and not from team");
}

#[test]
fn a_team_cannot_approve_outside_of_what_it_was_delegated() {
    let mut forge = Forge::new(1);
    forge.delegate("targets", "team", 21, &["corp.example/team/@v/*"], false);
    approve(&mut forge, "team", "lib", 1);
    approve(&mut forge, "team", "team", 3);
    forge.publish();
    let go_sum = lib() + &line("team", "", 3);
    let (outcome, report) = serving(&forge).run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-unapproved"]));
    assert_eq!(
        report.modules.iter().find(|module| module.path == "corp.example/team").unwrap().targets[0].status,
        TargetStatus::Approved
    );
}

#[test]
fn revoked_and_waived_are_findings_that_end_by_themselves() {
    let path = "corp.example/lib/@v/v1.0.0.zip";
    let past = "2020-01-01T00:00:00Z";
    let future = "2090-01-01T00:00:00Z";
    let waived = |until: &str| json!({ "reason": "hotfix", "until": until });
    let cases = [
        (json!({ "h1": hash(1), "revoked": { "reason": "backdoor" } }), vec!["tuf-revoked"], 1),
        (json!({ "h1": hash(1), "revoked": { "reason": "recall", "until": future } }), vec!["tuf-revoked"], 1),
        (json!({ "h1": hash(1), "revoked": { "reason": "recall", "until": past } }), vec![], 0),
        (json!({ "h1": hash(1), "waived": waived(future) }), vec!["tuf-waived"], 0),
        (json!({ "h1": hash(1), "waived": waived(past) }), vec!["tuf-unapproved"], 1),
        (json!({ "h1": hash(1), "revoked": { "reason": "bug" }, "waived": waived(future) }), vec!["tuf-waived"], 0),
        (json!({ "h1": hash(1), "revoked": { "reason": "bug" }, "waived": waived(past) }), vec!["tuf-revoked"], 1),
        (json!({ "h1": hash(5), "waived": waived(future) }), vec!["tuf-mismatch"], 1),
        (json!({ "h1": "h1:short" }), vec!["tuf-unapproved"], 1),
        (json!({}), vec!["tuf-unapproved"], 1),
        (json!("h1"), vec!["tuf-unapproved"], 1),
        // A revocation that cannot be read is one.
        (json!({ "h1": hash(1), "revoked": { "reason": " " } }), vec!["tuf-revoked"], 1),
        (json!({ "h1": hash(1), "revoked": { "reason": "bug", "cve": "CVE-2026-1" } }), vec!["tuf-revoked"], 1),
        (json!({ "h1": "h2:new", "revoked": true }), vec!["tuf-revoked"], 1),
        (json!({ "h1": hash(1), "revoked": null }), vec![], 0),
        (json!({ "h1": hash(1), "waived": { "reason": "no end" } }), vec!["tuf-unapproved"], 1),
    ];
    for (custom, expected, status) in cases {
        let mut forge = Forge::new(1);
        forge.approve("targets", path, b"zip", custom.clone());
        forge.publish();
        let tuf = repositories(vec![repository("corp", &forge)]);
        let (outcome, report) = serving(&forge).run(private(tuf, &line("lib", "", 1)));
        assert_eq!((found(&report), outcome.status), (expected, status), "{custom}");
    }
}

/// TAP 4: two of three must agree, on the h1 as well.
#[test]
fn repositories_of_a_map_must_agree() {
    let forge = |seed, h1| {
        let mut forge = Forge::new(seed);
        if let Some(h1) = h1 {
            forge.approve("targets", "corp.example/lib/@v/v1.0.0.zip", b"zip", json!({ "h1": hash(h1) }));
        }
        forge.publish();
        forge
    };
    let cases = [
        ([Some(1), Some(1), Some(1)], 2, "", vec![]),
        ([Some(1), None, Some(1)], 2, "", vec![]),
        ([Some(1), Some(5), Some(1)], 2, "", vec![]),
        ([Some(5), Some(5), Some(1)], 2, "", vec!["tuf-mismatch"]),
        ([Some(1), None, None], 2, "", vec!["tuf-unapproved"]),
        ([Some(1), Some(5), None], 2, "", vec!["tuf-mismatch"]),
        ([Some(1), Some(1), Some(5)], 3, "", vec!["tuf-mismatch"]),
        // One that cannot be asked may have been the second: nobody knows.
        ([Some(1), None, Some(1)], 2, "c", vec!["tuf-unavailable"]),
        ([Some(1), Some(1), Some(1)], 2, "c", vec!["tuf-unavailable"]),
        ([None, None, Some(1)], 2, "c", vec!["tuf-unapproved", "tuf-unavailable"]),
    ];
    for (h1s, threshold, dead, expected) in cases {
        let forges = [forge(1, h1s[0]), forge(31, h1s[1]), forge(61, h1s[2])];
        let names = ["a", "b", "c"];
        let mut machine = Machine::default();
        for (name, forge) in names.iter().zip(&forges) {
            let files = if *name == dead { BTreeMap::new() } else { forge.files.clone() };
            machine.servers.insert((*name).to_owned(), files);
        }
        let all = names.iter().zip(&forges).map(|(name, forge)| repository(name, forge)).collect();
        let map = vec![Mapping {
            modules: "corp.example".into(),
            repositories: names.iter().map(|name| (*name).to_owned()).collect(),
            threshold,
            terminating: true,
        }];
        let tuf = Repositories { all, map, required: false };
        let (_, report) = machine.run(private(tuf, &line("lib", "", 1)));
        assert_eq!(found(&report), expected, "{h1s:?} {threshold} {dead}");
    }
}

/// One that names another kind of digest contradicts nobody, and makes no agreement between those who contradict each other.
#[test]
fn repositories_must_agree_each_with_each() {
    let path = "corp.example/lib/@v/v1.0.0.zip";
    for (third, expected) in [(b"zap", vec!["tuf-mismatch"]), (b"zip", vec![])] {
        // a and c name a sha256, b a sha512.
        let contents = [(b"zip", "sha512"), (b"zip", "sha256"), (third, "sha512")];
        let forges: Vec<Forge> = (contents.iter().zip([1, 31, 61]))
            .map(|((content, without), seed)| {
                let mut forge = Forge::new(seed);
                forge.approve("targets", path, *content, json!({ "h1": hash(1) }));
                let target = forge.targets.get_mut("targets").unwrap().get_mut(path).unwrap();
                target["hashes"].as_object_mut().unwrap().remove(*without);
                forge.publish();
                forge
            })
            .collect();
        let names = ["a", "b", "c"];
        let servers = names.iter().zip(&forges).map(|(name, forge)| ((*name).to_owned(), forge.files.clone()));
        let mut machine = Machine { servers: servers.collect(), ..Machine::default() };
        let map = vec![Mapping {
            modules: "corp.example".into(),
            repositories: names.iter().map(|name| (*name).to_owned()).collect(),
            threshold: 3,
            terminating: true,
        }];
        let all = names.iter().zip(&forges).map(|(name, forge)| repository(name, forge)).collect();
        let tuf = Repositories { all, map, required: false };
        let (_, report) = machine.run(private(tuf, &line("lib", "", 1)));
        assert_eq!(found(&report), expected);
    }
}

/// Monday: corp.example/lib is approved. Tuesday: a backdoor is found, and it is revoked. Whoever sits on the way to the
/// repository cannot sign anything, and so shows Monday's files on Wednesday.
#[test]
fn a_rollback_to_before_a_revocation_is_seen() {
    let (mut forge, mut machine) = approved();
    let job = private(repositories(vec![repository("corp", &forge)]), &lib());
    let monday = forge.files.clone();
    assert_eq!(found(&machine.run(job.clone()).1), [""; 0]);

    forge.approve(
        "targets",
        "corp.example/lib/@v/v1.0.0.zip",
        b"lib",
        json!({ "h1": hash(1), "revoked": { "reason": "backdoor" } }),
    );
    forge.publish();
    machine.servers.insert("corp".into(), forge.files.clone());
    assert_eq!(found(&machine.run(job.clone()).1), ["tuf-revoked"]);

    machine.servers.insert("corp".into(), monday);
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-rollback"]));

    // A machine that has never been here has no floor, says so, and is fooled until Monday's timestamp expires.
    machine.kept.clear();
    let (_, report) = machine.run(job);
    assert_eq!((found(&report), report.repositories[0].floor), (vec![], Floor::None));
}

/// The same attacker instead keeps showing what a new machine would believe, for as long as the timestamp lives.
#[test]
fn a_freeze_ends_when_the_timestamp_expires() {
    let mut forge = Forge::new(1);
    approve(&mut forge, "targets", "lib", 1);
    let seconds = |seconds: u64| jiff::Timestamp::from_second(i64::try_from(seconds).unwrap()).unwrap().to_string();
    forge.expires.insert("timestamp".into(), seconds(NOW + 3600));
    forge.publish();
    let mut machine = serving(&forge);
    let mut job = private(repositories(vec![repository("corp", &forge)]), &lib());
    job.now.seconds = NOW + 3599;
    assert_eq!(found(&machine.run(job.clone()).1), [""; 0]);
    job.now.seconds = NOW + 3600;
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-freeze"]));
    // Nor does a machine fall for it that has seen nothing.
    machine.kept.clear();
    assert_eq!(found(&machine.run(job).1), ["tuf-freeze"]);
}

/// Somebody has both of two states, and mixes them: the new timestamp and snapshot, and the old targets under the new name.
#[test]
fn a_mix_of_old_and_new_files_is_seen() {
    let (mut forge, _) = approved();
    let old = forge.files["2.targets.json"].clone();
    approve(&mut forge, "targets", "other", 5);
    forge.publish();
    forge.files.insert("3.targets.json".into(), old);
    let (outcome, report) = serving(&forge).run(private(repositories(vec![repository("corp", &forge)]), &lib()));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-mismatch"]));

    // And a snapshot of another time does not have the digest that timestamp names.
    let (mut forge, _) = approved();
    let old = forge.files["2.snapshot.json"].clone();
    forge.publish();
    forge.files.insert("3.snapshot.json".into(), old);
    let (_, report) = serving(&forge).run(private(repositories(vec![repository("corp", &forge)]), &lib()));
    assert_eq!(found(&report), ["tuf-mismatch"]);
}

/// The timestamp key is online, so it is the first to be stolen. What can the thief do? Not approve anything. Only hold
/// clients back, for which a new root makes up, even if the thief has signed the highest version that there is.
#[test]
fn a_stolen_timestamp_key_approves_nothing_and_does_not_last() {
    let (mut forge, mut machine) = approved();
    let job = private(repositories(vec![repository("corp", &forge)]), &lib());
    assert_eq!(found(&machine.run(job.clone()).1), [""; 0]);

    // He signs a timestamp that names a snapshot of his own: its role's key is not his.
    let mut thief = forge.clone();
    thief.keys.insert("snapshot".into(), thief.keys["timestamp"]);
    thief.keys.insert("targets".into(), thief.keys["timestamp"]);
    approve(&mut thief, "targets", "backdoor", 77);
    thief.publish();
    let mut other = Machine { kept: machine.kept.clone(), ..serving(&thief) };
    assert_eq!(found(&other.run(job.clone()).1), ["tuf-bad-signature"]);

    // He signs the highest version: clients that saw it take no other any more.
    let mut thief = forge.clone();
    thief.versions.insert("timestamp".into(), crate::tuf::json::MAX_INTEGER - 1);
    thief.refresh_timestamp();
    machine.servers.insert("corp".into(), thief.files.clone());
    assert_eq!(found(&machine.run(job.clone()).1), [""; 0]);
    forge.refresh_timestamp();
    machine.servers.insert("corp".into(), forge.files.clone());
    assert_eq!(found(&machine.run(job.clone()).1), ["tuf-rollback"]);

    // The keepers of root take the key away: every client forgets what it had signed.
    forge.keys.insert("timestamp".into(), 99);
    forge.rotate(&[]);
    forge.refresh_timestamp();
    machine.servers.insert("corp".into(), forge.files.clone());
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, found(&report)), (0, vec![]));
    // And the thief's are worth nothing from now on.
    let mut late = forge.clone();
    late.keys.insert("timestamp".into(), thief.keys["timestamp"]);
    late.refresh_timestamp();
    machine.servers.insert("corp".into(), late.files);
    assert_eq!(found(&machine.run(job).1), ["tuf-bad-signature"]);
}

#[test]
fn roots_are_followed_one_by_one_and_kept() {
    let (mut forge, _) = approved();
    for seed in 100..104 {
        let before = forge.keys["root"];
        forge.keys.insert("root".into(), seed);
        forge.rotate(&[before]);
    }
    let mut machine = serving(&forge);
    let job = client(repositories(vec![repository("corp", &forge)]), &[]);
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, report.repositories[0].roles[0].version), (0, 5));
    machine.run(job.clone());
    assert_eq!(machine.requests, ["6.root.json", "timestamp.json"], "the chain is kept, and verified again");
    // What is kept is not believed.
    let kept = machine.kept.get_mut(&("corp".into(), "root_history/3.root.json".into())).unwrap();
    *kept = String::from_utf8(kept.clone()).unwrap().replace("2100", "2200").into_bytes();
    machine.run(job.clone());
    assert_eq!(machine.requests[0], "3.root.json");

    // A root that the one before has not signed ends it.
    forge.keys.insert("root".into(), 120);
    forge.rotate(&[]);
    let mut machine = serving(&forge);
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-bad-signature"]));
    // So does one that leaves out a version.
    machine.servers.get_mut("corp").unwrap().remove("4.root.json");
    let five = forge.files["5.root.json"].clone();
    machine.servers.get_mut("corp").unwrap().insert("4.root.json".into(), five);
    machine.kept.clear();
    assert_eq!(found(&machine.run(job).1), ["tuf-mismatch"]);
}

#[test]
fn chains_of_256_roots_are_followed() {
    let (mut forge, _) = approved();
    for _ in 0..256 {
        forge.rotate(&[]);
    }
    let (_, report) = serving(&forge).run(client(repositories(vec![repository("corp", &forge)]), &[]));
    assert_eq!((found(&report), report.repositories[0].roles[0].version), (vec![], 257));
    // One more is left for the next run.
    forge.rotate(&[]);
    let mut machine = serving(&forge);
    let (_, report) = machine.run(client(repositories(vec![repository("corp", &forge)]), &[]));
    assert_eq!(report.repositories[0].roles[0].version, 257);
    // Which begins behind those that are kept: else a machine would stay with the keys of its 257th root for ever.
    let (_, report) = machine.run(client(repositories(vec![repository("corp", &forge)]), &[]));
    assert_eq!(report.repositories[0].roles[0].version, 258);
}

/// The lines of go.sum may come in any order: what is said of the first must not hide what is said of the second.
#[test]
fn a_waiver_of_the_go_mod_hides_no_revocation_of_the_zip() {
    let mut forge = Forge::new(1);
    let waived = json!({ "reason": "hotfix", "until": "2090-01-01T00:00:00Z" });
    let path = "corp.example/lib/@v/v1.0.0";
    forge.approve("targets", &format!("{path}.mod"), b"module", json!({ "h1": hash(2), "waived": waived }));
    let revoked = json!({ "reason": "backdoor" });
    forge.approve("targets", &format!("{path}.zip"), b"lib", json!({ "h1": hash(1), "revoked": revoked }));
    forge.publish();
    let go_sum = line("lib", "/go.mod", 2) + &line("lib", "", 1);
    let (outcome, report) = serving(&forge).run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-waived", "tuf-revoked"]));
}

/// One of two is enough, and the other has revoked it: in a way that this version cannot read, or by another role than the
/// one that has to approve.
#[test]
fn no_other_repository_outvotes_a_revocation() {
    let cases = [
        (json!({ "h1": hash(1), "revoked": { "reason": "bug", "cve": "CVE-2026-1" } }), None),
        (json!({ "h1": hash(1), "revoked": { "reason": "bug" } }), Some("team")),
    ];
    for (custom, role) in cases {
        let path = "corp.example/lib/@v/v1.0.0.zip";
        let (mut a, mut b) = (Forge::new(1), Forge::new(31));
        a.delegate("targets", "team", 21, &["corp.example/*/@v/*"], true);
        a.approve("targets", path, b"zip", custom.clone());
        b.approve("targets", path, b"zip", json!({ "h1": hash(1) }));
        a.publish();
        b.publish();
        let servers = [("a", &a), ("b", &b)].map(|(name, forge)| (name.to_owned(), forge.files.clone()));
        let mut machine = Machine { servers: BTreeMap::from(servers), ..Machine::default() };
        let first = Repository { role: role.map(str::to_owned), ..repository("a", &a) };
        let map = vec![Mapping {
            modules: "corp.example".into(),
            repositories: vec!["a".into(), "b".into()],
            threshold: 1,
            terminating: true,
        }];
        let tuf = Repositories { all: vec![first, repository("b", &b)], map, required: false };
        let (outcome, report) = machine.run(private(tuf, &line("lib", "", 1)));
        assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-revoked"]), "{custom} {role:?}");
    }
}

/// A team delegates to a role that has the name of the one that must approve, but keys of the team's.
#[test]
fn another_role_of_the_same_name_does_not_approve_in_its_stead() {
    let mut forge = Forge::new(1);
    let all = ["corp.example/*/@v/*"];
    forge.delegate("targets", "team", 21, &all, false);
    forge.delegate("targets", "security", 22, &all, false);
    forge.delegate("team", "security", 21, &all, false);
    approve(&mut forge, "security", "lib", 1);
    forge.publish();
    let tuf = repositories(vec![Repository { role: Some("security".into()), ..repository("corp", &forge) }]);
    let (outcome, report) = serving(&forge).run(private(tuf, &lib()));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-unapproved"]));
}

/// A team that delegates to somebody else's role, with keys that are not its, spoils its own modules and nobody else's.
#[test]
fn a_wrong_edge_to_a_role_does_not_spoil_the_right_one() {
    let mut forge = Forge::new(1);
    forge.delegate("targets", "a", 21, &["corp.example/a/@v/*"], false);
    forge.delegate("a", "shared", 66, &["corp.example/a/@v/*"], false);
    // A longer way, so that the wrong edge comes first.
    forge.delegate("targets", "b", 22, &["corp.example/lib/@v/*"], false);
    forge.delegate("b", "c", 23, &["corp.example/lib/@v/*"], false);
    forge.delegate("c", "shared", 24, &["corp.example/lib/@v/*"], false);
    approve(&mut forge, "shared", "lib", 1);
    approve(&mut forge, "shared", "a", 3);
    forge.publish();
    let go_sum = line("a", "", 3) + &lib();
    let mut machine = serving(&forge);
    for _ in 0..2 {
        let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &go_sum));
        assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-bad-signature"]));
        let status = |path: &str| {
            let module = report.modules.iter().find(|module| module.path == path).unwrap();
            module.targets.iter().map(|target| target.status).collect::<Vec<_>>()
        };
        assert_eq!(status("corp.example/a"), [TargetStatus::Unchecked]);
        assert_eq!(status("corp.example/lib"), [TargetStatus::Approved, TargetStatus::Approved]);
    }
}

/// File systems of macOS and Windows take `Timestamp.json` for `timestamp.json`, which is a floor against rollback.
#[test]
fn a_delegated_role_cannot_take_the_file_of_a_top_level_one() {
    for name in ["Timestamp", "SNAPSHOT", "Root", "2.Root", "taRgets"] {
        let mut forge = Forge::new(1);
        forge.delegate("targets", name, 21, &["corp.example/*/@v/*"], false);
        approve(&mut forge, name, "lib", 1);
        forge.publish();
        let mut machine = serving(&forge);
        let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &lib()));
        assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-bad-signature"]), "{name}");
        assert!(!machine.kept.contains_key(&("corp".to_owned(), format!("{name}.json"))));
    }
}

#[test]
fn a_walk_ends_with_its_32nd_role_however_many_match() {
    for (last, expected) in [(30, vec![]), (31, vec!["tuf-unavailable"])] {
        let mut forge = Forge::new(1);
        for number in 0..40 {
            forge.delegate("targets", &format!("r{number:02}"), 21, &["corp.example/*/@v/*"], false);
        }
        approve(&mut forge, &format!("r{last}"), "lib", 1);
        forge.publish();
        let (_, report) = serving(&forge).run(private(repositories(vec![repository("corp", &forge)]), &lib()));
        assert_eq!(found(&report), expected, "{last}");
    }
}

/// `go build -mod=vendor` asks no go.sum, so a module without a line would be built though nobody has approved it.
#[test]
fn a_vendored_module_needs_a_line_that_was_approved() {
    let (forge, mut machine) = approved();
    let list = "# corp.example/lib v1.0.0\n## explicit; go 1.24\ncorp.example/lib\n\
                # corp.example/evil v1.0.0\n## explicit; go 1.24\ncorp.example/evil\n\
                # other.example/x v1.0.0\n## explicit; go 1.24\nother.example/x\n";
    let go_mod = "module m\n\ngo 1.24\n\nrequire (\n\tcorp.example/evil v1.0.0\n\tcorp.example/lib v1.0.0\n\
                  \tother.example/x v1.0.0\n)\n";
    for (required, expected) in
        [(false, vec!["corp.example/evil"]), (true, vec!["corp.example/evil", "other.example/x"])]
    {
        let files = vec![
            file("go.mod", FileKind::GoMod, go_mod),
            file("go.sum", FileKind::GoSum, &lib()),
            file("vendor/modules.txt", FileKind::VendorModules, list),
        ];
        let tuf = Repositories { required, ..repositories(vec![repository("corp", &forge)]) };
        let mut job = job(Sumdb::Off("the test".into()), task(files));
        (job.tuf, job.fail_on) = (tuf, FailOn::High);
        let (outcome, report) = machine.run(job);
        let unapproved: Vec<&str> = report
            .findings
            .iter()
            .filter(|finding| finding.rule == "tuf-unapproved")
            .filter_map(|finding| finding.module.as_deref())
            .collect();
        assert_eq!((outcome.status, unapproved), (1, expected));
    }
}

/// A refresh that breaks off leaves a timestamp that is newer than the snapshot beside it; that is a floor all the same.
#[test]
fn a_refresh_that_broke_off_leaves_its_floor() {
    let (mut forge, mut machine) = approved();
    let job = client(repositories(vec![repository("corp", &forge)]), &[]);
    machine.run(job.clone());
    forge.publish();
    machine.servers.insert("corp".into(), forge.files.clone());
    machine.broken.insert("3.snapshot.json".into(), Failure::TimedOut);
    let (outcome, report) = machine.run(job.clone());
    assert_eq!((outcome.status, found(&report)), (3, vec!["tuf-unavailable"]));
    // Meanwhile somebody signs a snapshot, with the right keys, in which a role has gone back.
    machine.broken.clear();
    let mut back = forge.clone();
    back.versions.insert("targets".into(), 0);
    back.publish();
    machine.servers.insert("corp".into(), back.files);
    assert_eq!(found(&machine.run(job.clone()).1), ["tuf-rollback"]);
    // With the right files it goes on.
    forge.versions.insert("timestamp".into(), 10);
    forge.publish();
    machine.servers.insert("corp".into(), forge.files.clone());
    assert_eq!(found(&machine.run(job).1), [""; 0]);
}

#[test]
fn targets_are_kept_when_they_are_what_metadata_says() {
    let (mut forge, _) = approved();
    let path = "corp.example/lib/@v/v1.0.0.zip";
    let mut machine = serving(&forge);
    let job = client(repositories(vec![repository("corp", &forge)]), &[path]);
    assert_eq!(machine.run(job.clone()).0.status, 0);
    assert_eq!(machine.targets, [path]);
    for (name, content) in machine.servers.get_mut("corp").unwrap() {
        if name.ends_with(".zip") {
            *content = b"LIB".to_vec();
        }
    }
    machine.targets.clear();
    let (outcome, report) = machine.run(job);
    assert_eq!((outcome.status, found(&report), machine.targets.len()), (1, vec!["tuf-mismatch"], 0));
    // Paths that could leave their folder are never asked for.
    for path in ["../x", "/x", "a//b", "a/./b", "a\\b"] {
        forge.approve("targets", path, b"x", json!({}));
        forge.publish();
        let mut machine = serving(&forge);
        let (_, report) = machine.run(client(repositories(vec![repository("corp", &forge)]), &[path]));
        assert_eq!((found(&report), machine.targets.len()), (vec!["tuf-mismatch"], 0), "{path}");
    }
    let (_, report) = serving(&forge).run(client(repositories(vec![repository("corp", &forge)]), &["no/such"]));
    assert_eq!(found(&report), ["tuf-unapproved"]);
}

#[test]
fn what_cannot_be_had_is_incomplete_whatever_the_reason() {
    let failures = [
        Failure::Unreachable,
        Failure::TimedOut,
        Failure::TooLarge,
        Failure::NotData,
        Failure::Denied,
        Failure::Truncated,
        Failure::ServerError,
        Failure::Offline,
        Failure::BadRedirect,
        Failure::RateLimited,
        Failure::UnexpectedStatus,
    ];
    let (forge, _) = approved();
    for failure in failures {
        for file in ["2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"] {
            let mut machine = serving(&forge);
            machine.broken.insert(file.to_owned(), failure);
            let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &forge)]), &lib()));
            assert_eq!((outcome.status, found(&report)), (3, vec!["tuf-unavailable"]), "{failure:?} {file}");
        }
    }
}

/// The root of another repository, by mistake: its chain ends at its first, and nothing is signed by its keys.
#[test]
fn the_root_of_another_repository_believes_nothing() {
    let (forge, mut machine) = approved();
    let other = Forge::new(201);
    let (outcome, report) = machine.run(private(repositories(vec![repository("corp", &other)]), &lib()));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-bad-signature"]));
    drop(forge);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let (forge, _) = approved();
    let good = || repository("corp", &forge);
    let mapping = |repositories: &[&str], threshold| Mapping {
        modules: "corp.example".into(),
        repositories: repositories.iter().map(|name| (*name).to_owned()).collect(),
        threshold,
        terminating: false,
    };
    let cases = [
        repositories(vec![Repository { name: String::new(), ..good() }]),
        repositories(vec![Repository { name: "a/b".into(), ..good() }]),
        repositories(vec![Repository { name: "..".into(), ..good() }]),
        repositories(vec![good(), good()]),
        repositories(vec![Repository { trusted_root: b"{}".to_vec(), ..good() }]),
        repositories(vec![Repository { trusted_root: forge.files["timestamp.json"].clone(), ..good() }]),
        repositories((0..65).map(|number| Repository { name: format!("r{number}"), ..good() }).collect()),
        Repositories { map: vec![mapping(&["corp"], 0)], ..repositories(vec![good()]) },
        Repositories { map: vec![mapping(&["corp"], 2)], ..repositories(vec![good()]) },
        Repositories { map: vec![mapping(&["corp", "corp"], 2)], ..repositories(vec![good()]) },
        Repositories { map: vec![mapping(&["other"], 1)], ..repositories(vec![good()]) },
    ];
    for tuf in cases {
        let names: Vec<&str> = tuf.all.iter().map(|repository| repository.name.as_str()).collect();
        let mut session = Session::new(private(tuf.clone(), &lib()));
        assert!(matches!(session.step(Vec::new()).next, Next::Refused(Refusal::Tuf(_))), "{names:?} {:?}", tuf.map);
    }
}

/// Two roles of one key, as bins are, at one version: a mirror serves the one that revokes nothing as the one that does.
#[test]
fn one_bin_cannot_be_served_as_another() {
    let mut forge = Forge::new(1);
    forge.delegate("targets", "bin-0", 21, &["corp.example/lib/@v/*"], false);
    forge.delegate("targets", "bin-1", 21, &["corp.example/other/@v/*"], false);
    approve(&mut forge, "bin-0", "lib", 1);
    forge.publish();
    let tuf = repositories(vec![repository("corp", &forge)]);
    assert_eq!(found(&serving(&forge).run(private(tuf.clone(), &lib())).1), [""; 0]);
    let other = forge.files["1.bin-1.json"].clone();
    forge.files.insert("1.bin-0.json".into(), other);
    let (outcome, report) = serving(&forge).run(private(tuf, &lib()));
    assert_eq!((outcome.status, found(&report)), (1, vec!["tuf-mismatch"]));
}
