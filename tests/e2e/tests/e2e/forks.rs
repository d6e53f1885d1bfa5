//! A database with two histories, both signed.

use std::fs;

use e2e::{Sandbox, Server, files, made_up, write};

const NONE: [&str; 0] = [];
const NAME: &str = "sum.test.example";
const MODULES: [&str; 6] = [
    "a.example/m@v1.0.0",
    "b.example/m@v1.0.0",
    "c.example/m@v1.0.0",
    "d.example/m@v1.0.0",
    "e.example/m@v1.0.0",
    "f.example/m@v1.0.0",
];

/// Two histories that share 300 records, MODULES' and 10 more; the first has 356, the other `size`.
fn forked(size: &str) -> Option<Server> {
    let preload = MODULES.map(|m| m.replace('@', " ") + " h1:?\n").concat();
    Server::of(&preload, &["--fork-at", "316", "--fork-size", size])
}

/// The root hash in a signed head: its third line.
fn root(head: &[u8]) -> String {
    let text = str::from_utf8(head).expect("a note is UTF-8");
    text.lines().nth(2).expect("a tree has three lines").to_owned()
}

const SIZES: [&str; 4] = ["330", "356", "357", "5000"];

#[test]
fn a_fork_is_found_shown_and_kept() {
    for size in SIZES {
        let Some(server) = forked(size) else { return };
        let gosum = made_up(&server, &MODULES).expect("there is go");
        let few: String = gosum.split_inclusive('\n').take(6).collect();
        let s = Sandbox::with_gosum(&few);
        s.verify(NONE).sumdb(&server).end().status(0);
        let latest = s.latest(NAME).expect("a head was accepted");

        s.write("go.sum", &gosum);
        let out = s.verify(NONE).env("GOSUMDB", server.sumdb("/fork")).end().status(1);
        let report = out.report();
        assert_eq!(report.verdict(), "fail", "{size}");
        assert_eq!(report.of("sumdb-fork").len(), 1, "{size}: {:?}", report.findings());
        assert_eq!(report.of("sumdb-fork")[0]["severity"], "critical");
        let other = server.get("/fork/latest");
        for head in [&latest[..], other.as_bytes()] {
            assert!(out.stderr.contains(&root(head)), "{size}: {} is not in\n{}", root(head), out.stderr);
        }
        assert_eq!(s.latest(NAME).expect("it is still there"), latest, "{size}: the head moved");

        let evidence = files(&s.cache().join("evidence"));
        assert!(!evidence.is_empty(), "{size}: no evidence");
        let text = String::from_utf8_lossy(&evidence[0].1);
        assert!(text.contains(&root(&latest)) && text.contains(&root(other.as_bytes())), "{size}: {text}");

        // The true history is still believed, and the evidence stays.
        s.verify(NONE).sumdb(&server).end().status(0);
        assert_eq!(files(&s.cache().join("evidence")), evidence);
    }
}

#[test]
fn nothing_of_a_fork_is_kept() {
    let Some(server) = forked("5000") else { return };
    let gosum = made_up(&server, &MODULES).expect("there is go");
    let few: String = gosum.split_inclusive('\n').take(2).collect();
    let s = Sandbox::with_gosum(&few);
    s.verify(NONE).sumdb(&server).end().status(0);
    s.write("go.sum", &gosum);
    s.verify(NONE).env("GOSUMDB", server.sumdb("/fork")).end().status(1);
    let report = s.verify(NONE).unplugged().sumdb(&server).end().status(3).report();
    assert_eq!(report.count("verified"), 2);
}

#[test]
fn a_lookup_against_a_fork_prints_nothing() {
    let Some(server) = forked("5000") else { return };
    let s = Sandbox::new();
    s.run(["lookup", MODULES[0]]).sumdb(&server).end().status(0);
    let out = s.run(["lookup", MODULES[1]]).env("GOSUMDB", server.sumdb("/fork")).end().status(1);
    assert_eq!(out.stdout, "");
    assert!(out.stderr.contains(&root(server.get("/latest").as_bytes())), "{}", out.stderr);
}

/// The go command's own memory counts too.
#[test]
fn a_fork_from_what_go_saw_is_found() {
    for size in SIZES {
        let Some(server) = forked(size) else { return };
        let gosum = made_up(&server, &MODULES).expect("there is go");
        let s = Sandbox::with_gosum(&gosum);
        let head = server.get("/latest");
        let file = s.path("gopath/pkg/sumdb").join(NAME).join("latest");
        write(&file, &head);
        // With no tile of the larger tree to be had, a fork looks like a server that is behind: not believed either.
        let (status, rule) = if size == "330" { (3, "unchecked") } else { (1, "sumdb-fork") };
        let report = s.verify(NONE).env("GOSUMDB", server.sumdb("/fork")).end().status(status).report();
        assert!(report.rules() == [rule], "{size}: {:?}", report.findings());
        assert_eq!(report.count("verified"), 0, "{size}");
        assert_eq!(fs::read_to_string(&file).expect("go's file"), head, "go's file was written");
        // The true history lies on its timeline.
        let s = Sandbox::with_gosum(&gosum);
        write(&s.path("gopath/pkg/sumdb").join(NAME).join("latest"), &head);
        let report = s.verify(NONE).sumdb(&server).end().status(0).report();
        assert_eq!(report.0["sumdbs"][0]["floor"], "cached");
    }
}

/// A database that forgets: an older head of the same history is believed, and ours does not go back.
#[test]
fn an_older_head_is_no_fork_and_moves_nothing() {
    let preload = MODULES.map(|m| m.replace('@', " ") + " h1:?\n").concat();
    let Some(server) = Server::of(&preload, &["--fork-at", "10000", "--fork-size", "320"]) else {
        return;
    };
    let gosum = made_up(&server, &MODULES).expect("there is go");
    let few: String = gosum.split_inclusive('\n').take(6).collect();
    let s = Sandbox::with_gosum(&few);
    s.verify(NONE).sumdb(&server).end().status(0);
    let latest = s.latest(NAME).expect("a head was accepted");
    s.write("go.sum", &gosum);
    s.verify(NONE).env("GOSUMDB", server.sumdb("/fork")).end().status(0);
    assert_eq!(s.latest(NAME).expect("it is still there"), latest);
}
