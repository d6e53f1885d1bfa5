//! The three forgeries published in 2026 against clients of the checksum database, from servers that mount them
//! (tests/peer/forge.go).

use e2e::{Sandbox, Server};

const MODULE: &str = "victim.example/m@v1.0.0";

fn sumdb(server: &Server, mount: &str) -> String {
    server.sumdb(&format!("/{mount}"))
}

#[test]
fn the_true_database_of_the_forgeries_is_believed() {
    let Some(server) = Server::start(["forge"]) else {
        return;
    };
    let s = Sandbox::with_gosum(&format!("{}\n", server.hello("honest")));
    s.verify(["--sumdb", &sumdb(&server, "honest")]).end().status(0);
    let out = s.run(["lookup", MODULE, "--sumdb", &sumdb(&server, "honest")]).end().status(0);
    assert_eq!(out.stdout, format!("{}\n", server.hello("honest")));
    s.write("go.sum", format!("{}\n", server.hello("forged")));
    let report = s.verify(["--sumdb", &sumdb(&server, "honest")]).end().status(1).report();
    assert_eq!(report.rules(), ["gosum-mismatch"]);
}

#[test]
fn no_forgery_is_believed() {
    let Some(server) = Server::start(["forge"]) else {
        return;
    };
    for (cve, rule) in [
        ("CVE-2026-42501", "sumdb-no-line"),
        ("CVE-2026-56864", "sumdb-no-line"),
        ("CVE-2026-56865", "sumdb-bad-proof"),
    ] {
        for line in ["forged", "honest"] {
            let s = Sandbox::with_gosum(&format!("{}\n", server.hello(line)));
            let report = s.verify(["--sumdb", &sumdb(&server, cve)]).end().status(1).report();
            assert_eq!(report.rules(), [rule], "{cve}, {line}: {:?}", report.findings());
            assert_eq!(report.findings()[0]["severity"], "critical");
            assert_eq!((report.count("verified"), report.verdict()), (0, "fail"), "{cve}");
            // What was not believed is not believed later; an authentic record of another module may be kept.
            s.verify(["--offline", "--sumdb", &sumdb(&server, cve)]).end().status_in(&[1, 3]);
        }
        for query in [MODULE.to_owned(), format!("{MODULE}/go.mod")] {
            let s = Sandbox::new();
            let out = s.run(["lookup", &query, "--sumdb", &sumdb(&server, cve)]).end().status(1);
            assert_eq!(out.stdout, "", "{cve}");
            assert!(out.stderr.contains(rule) || out.stderr.contains("victim.example/m"), "{cve}: {}", out.stderr);
        }
    }
}

#[test]
fn a_forgery_after_the_truth_changes_nothing() {
    let Some(server) = Server::start(["forge"]) else {
        return;
    };
    for cve in ["CVE-2026-42501", "CVE-2026-56864", "CVE-2026-56865"] {
        let s = Sandbox::with_gosum(&format!("{}\n", server.hello("honest")));
        s.verify(["--sumdb", &sumdb(&server, "honest")]).end().status(0);
        let latest = s.latest("sum.test.example");
        s.write("go.sum", format!("{}\n", server.hello("forged")));
        let report = s.verify(["--sumdb", &sumdb(&server, cve)]).end().status(1).report();
        assert_eq!(report.count("verified"), 0, "{cve}");
        s.write("go.sum", format!("{}\n", server.hello("honest")));
        s.verify(["--offline", "--sumdb", &sumdb(&server, cve)]).end().status(0);
        assert_eq!(s.latest("sum.test.example").is_some(), latest.is_some());
    }
}
