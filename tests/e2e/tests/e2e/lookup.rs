//! `modanchor lookup`: authenticated lines on stdout, or nothing.

use e2e::{Sandbox, Server, fixture};

#[test]
fn the_lines_are_gosums_own_in_the_order_asked() {
    let s = Sandbox::new();
    let gosum = std::fs::read_to_string(fixture("hello/go.sum")).expect("the fixture is there");
    let mut queries = Vec::new();
    for line in gosum.lines().rev() {
        let mut fields = line.split(' ');
        let (path, version) = (fields.next().expect("a path"), fields.next().expect("a version"));
        queries.push(format!("{path}@{version}"));
    }
    let out = s.run(["lookup"]).args(&queries).end().status(0);
    let reversed: String = gosum.lines().rev().map(|l| format!("{l}\n")).collect();
    assert_eq!(out.stdout, reversed);
    // Once more, with no network, from what was kept.
    let again = s.run(["lookup"]).unplugged().args(&queries).end().status(0);
    assert_eq!(again.stdout, reversed);
}

#[test]
fn a_refusal_prints_nothing() {
    let known = "github.com/spf13/cobra@v1.10.2";
    for (bad, status) in [
        ("nowhere.example/m@v1.0.0", 3),
        ("not a path@v1.0.0", 2),
        ("github.com/spf13/cobra", 2),
        ("github.com/spf13/cobra@", 2),
        ("github.com/spf13/cobra@latest", 2),
        ("github.com/spf13/cobra@v1", 2),
        ("github.com/spf13/cobra@v1.10.2/go.sum", 2),
        ("../../latest@v1.0.0", 2),
        ("", 2),
    ] {
        let s = Sandbox::new();
        for args in [vec![known, bad], vec![bad, known], vec![bad]] {
            let out = s.run(["lookup"]).args(&args).end().status(status);
            assert_eq!(out.stdout, "", "{args:?}");
            assert!(!out.stderr.is_empty(), "{args:?}");
        }
    }
    Sandbox::new().run(["lookup"]).end().status(2);
}

#[test]
fn what_is_skipped_or_unplugged_or_off_is_status_3() {
    let s = Sandbox::new();
    let query = ["lookup", "github.com/spf13/cobra@v1.10.2"];
    for (key, value) in [("GONOSUMDB", "github.com"), ("GOPRIVATE", "*"), ("GOSUMDB", "off")] {
        let out = s.run(query).env(key, value).end().status(3);
        assert_eq!(out.stdout, "", "{key}");
    }
    assert_eq!(s.run(query).unplugged().end().status(3).stdout, "");
}

#[test]
fn a_wrong_key_prints_nothing() {
    let Some(server) = Server::start(["serve", "--name", "sum.golang.org"]) else {
        return;
    };
    let out = Sandbox::new()
        .run(["lookup", "github.com/spf13/cobra@v1.10.2"])
        .env("GOSUMDB", server.hello("key"))
        .end()
        .status(1);
    assert_eq!(out.stdout, "");
}
