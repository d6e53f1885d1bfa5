//! Servers that fail, in every way that a server can.

use std::thread;

use e2e::{Checked, SUM_GOLANG_ORG, Sandbox, Server, fixture, made_up, recorded_proxy};

const NONE: [&str; 0] = [];
const MODULES: [&str; 3] = ["one.example/m@v1.0.0", "two.example/m@v1.2.3", "three.example/m/v2@v2.0.0-pre"];

/// What preloads MODULES, so that the log never grows.
fn preload() -> String {
    MODULES.map(|m| m.replace('@', " ") + " h1:?\n").concat()
}

/// MODULES' true go.sum.
fn gosum() -> Option<String> {
    let server = Server::of(&preload(), &[])?;
    made_up(&server, &MODULES)
}

/// For each fault: the statuses and rules that may come of it. Unverified answers are wrong (1) or missing (3).
#[test]
fn every_failure_has_its_rule_and_none_passes() {
    let Some(gosum) = gosum() else { return };
    let unchecked = (3, &["unchecked"][..]);
    let unbelieved = (1, &["sumdb-bad-proof", "sumdb-bad-signature"][..]);
    let cases: Vec<(&str, (i32, &[&str]))> = vec![
        ("^/lookup/=404", (3, &["sumdb-unknown-module"])),
        ("^/lookup/=410", (3, &["sumdb-unknown-module"])),
        ("^/lookup/=400", unchecked),
        ("^/lookup/=401", unchecked),
        ("^/lookup/=403", unchecked),
        ("^/lookup/=429", unchecked),
        ("^/lookup/=500", unchecked),
        ("^/lookup/=503", unchecked),
        ("^/lookup/=204", (3, &["unchecked"])),
        ("^/lookup/=html", unchecked),
        ("^/lookup/=truncate", unchecked),
        ("^/lookup/=oversize", unchecked),
        ("^/lookup/=slow", unchecked),
        ("^/lookup/=hang", unchecked),
        ("^/lookup/=reset", unchecked),
        ("^/lookup/=redirect-loop", unchecked),
        // What is no record at all says nothing, be it wrong or not.
        ("^/lookup/=short", unchecked),
        ("^/lookup/=empty", unchecked),
        ("^/lookup/=flip", unbelieved),
        ("^/lookup/=flip-end", unbelieved),
        ("^/tile/=404", unchecked),
        ("^/tile/=429", unchecked),
        ("^/tile/=500", unchecked),
        ("^/tile/=html", unchecked),
        ("^/tile/=truncate", unchecked),
        ("^/tile/=oversize", unchecked),
        ("^/tile/=hang", unchecked),
        ("^/tile/=reset", unchecked),
        ("^/tile/=short", unbelieved),
        ("^/tile/=empty", unbelieved),
        ("^/tile/=flip", unbelieved),
        ("^/tile/=flip-end", unbelieved),
        ("=500", unchecked),
        ("=html", unchecked),
    ];
    thread::scope(|scope| {
        for chunk in cases.chunks(cases.len().div_ceil(4)) {
            let gosum = &gosum;
            scope.spawn(move || {
                for &(fault, (status, rules)) in chunk {
                    let server = Server::of(&preload(), &["--fail", fault]).expect("there is go");
                    let s = Sandbox::with_gosum(gosum);
                    let run = s.verify(["--timeout", "1s", "--max-wait", "3s"]).sumdb(&server);
                    let report = run.end().status_in(&[status]).report();
                    assert!(
                        !report.rules().is_empty() && report.rules().iter().all(|r| rules.contains(r)),
                        "{fault}: {:?}",
                        report.findings()
                    );
                    assert_eq!(report.count("verified"), 0, "{fault}");
                    assert_eq!(report.verdict(), if status == 1 { "fail" } else { "incomplete" }, "{fault}");
                    // Nothing that was not authenticated was kept, and nothing stands in the way of the next run.
                    let good = Server::of(&preload(), &[]).expect("there is go");
                    s.verify(NONE).unplugged().sumdb(&good).end().status(3);
                    let report = s.verify(NONE).sumdb(&good).end().status(0).report();
                    assert_eq!(report.count("verified"), 6, "{fault}");
                }
            });
        }
    });
}

#[test]
fn one_bad_module_does_not_hide_the_others() {
    let Some(gosum) = gosum() else { return };
    for (fault, status, line) in [("two.example=404", 3, "unknown"), ("two.example=flip", 1, "unchecked")] {
        let server = Server::of(&preload(), &["--fail", fault]).expect("there is go");
        let report = Sandbox::with_gosum(&gosum).verify(NONE).sumdb(&server).end().status(status).report();
        assert_eq!(report.count("verified"), 4, "{fault}: {}", report.0);
        assert_eq!([report.line(3), report.line(4)], [line, line], "{fault}");
    }
}

#[test]
fn what_passes_is_tried_again() {
    let Some(gosum) = gosum() else { return };
    for fault in ["^/lookup/=500*2", "^/lookup/=429*1", "^/tile/=503*2", "^/tile/=reset*1", "^/lookup/=truncate*1"] {
        let server = Server::of(&preload(), &["--fail", fault]).expect("there is go");
        let report = Sandbox::with_gosum(&gosum).verify(NONE).sumdb(&server).end().status(0).report();
        assert_eq!(report.count("verified"), 6, "{fault}");
    }
}

#[test]
fn a_404_is_asked_once() {
    let Some(gosum) = gosum() else { return };
    let server = Server::of(&preload(), &["--fail", "^/lookup/=404"]).expect("there is go");
    Sandbox::with_gosum(&gosum).verify(NONE).sumdb(&server).end().status(3);
    assert_eq!(server.requests(), 3, "{:?}", server.paths());
}

#[test]
fn tls_is_checked_and_never_left() {
    let Some(gosum) = gosum() else { return };
    for (fault, status) in [(None, 0), (Some("^/lookup/=redirect-http"), 3), (Some("^/tile/=redirect-http"), 3)] {
        let s = Sandbox::with_gosum(&gosum);
        let cert = s.path("cert.pem");
        let mut more = vec!["--tls", cert.to_str().expect("UTF-8")];
        more.extend(fault.iter().flat_map(|f| ["--fail", f]));
        let server = Server::of(&preload(), &more).expect("there is go");
        let run = |s: &Sandbox| s.verify(["--max-wait", "3s"]).sumdb(&server);
        // Whom the system does not trust is not believed to be the server.
        run(&s).end().status(3);
        let report = run(&s).env("SSL_CERT_FILE", &cert).end().status(status).report();
        assert_eq!(report.count("verified"), if status == 0 { 6 } else { 0 }, "{fault:?}");
    }
}

/// GOPROXY as cmd/go walks it: whether a proxy stands for the database is asked of each in turn.
#[test]
fn goproxy_lists_are_walked_as_go_walks_them() {
    let proxy = |fault: &str| {
        let fault = format!("/supported={fault}");
        Server::start(["serve", "--name", "sum.golang.org", "--fail", &fault])
    };
    let Some(absent) = proxy("404") else { return };
    let gone = proxy("410").expect("there is go");
    let broken = proxy("500").expect("there is go");
    let good = recorded_proxy();
    let at = |server: &Server| format!("{}/proxy", server.url());
    for (list, status) in [
        (format!("{},{good}", at(&absent)), 0),
        (format!("{},{good}", at(&gone)), 0),
        (format!(" , {} ,, {good} ,", at(&absent)), 0),
        (format!("{}|{good}", at(&broken)), 0),
        (format!("http://127.0.0.1:9|{good}"), 0),
        (format!("{},{good}", at(&broken)), 3),
        (format!("http://127.0.0.1:9,{good}"), 3),
        // Straight to the database, which the sandbox cannot reach.
        (format!("direct,{good}"), 3),
        (format!("off,{good}"), 3),
    ] {
        let s = Sandbox::hello();
        let report = s.verify(["--max-wait", "2s"]).env("GOPROXY", &list).end().status(status).report();
        assert_eq!(report.count("verified"), if status == 0 { 19 } else { 0 }, "{list}");
    }
    // A proxy that lies is not believed; one that answers 200 is the only one ever asked.
    let liar = Server::start(["serve", "--name", "sum.golang.org"]).expect("there is go");
    let s = Sandbox::hello();
    let report = s.verify(NONE).env("GOPROXY", format!("{},{good}", at(&liar))).end().status(1).report();
    assert_eq!(report.rules(), ["sumdb-bad-signature"]);
}

#[test]
fn a_proxy_of_a_private_name_is_used_for_its_database() {
    let Some(server) = Server::of(&preload(), &[]) else {
        return;
    };
    let gosum = gosum().expect("there is go");
    let s = Sandbox::with_gosum(&gosum);
    let run = s.verify(NONE).env("GOSUMDB", server.hello("key")).env("GOPROXY", format!("{}/proxy", server.url()));
    assert_eq!(run.end().status(0).report().count("verified"), 6);
    assert!(server.paths().iter().all(|p| p.starts_with("/proxy/sumdb/sum.test.example/")), "{:?}", server.paths());
}

#[test]
fn credentials_in_a_url_are_never_shown() {
    let s = Sandbox::hello();
    let out = s
        .verify(["--verbose", "--max-wait", "2s"])
        .env("GOSUMDB", format!("{SUM_GOLANG_ORG} http://user:s3cret@127.0.0.1:9"))
        .end()
        .status_in(&[2, 3]);
    assert!(!out.stdout.contains("s3cret") && !out.stderr.contains("s3cret"), "{}\n{}", out.stdout, out.stderr);
}

/// No more requests than x/mod's client, and what the report says of them is so.
#[test]
fn requests_are_no_more_than_those_of_xmods_client() {
    let dir = fixture("proxy/sumdb/sum.golang.org");
    let Some(server) = Server::start(["serve-recorded".as_ref(), dir.as_os_str()]) else {
        return;
    };
    // Theirs depends on the order in which it meets the heads: the best of some runs counts.
    let theirs = (0..5).map(|_| {
        server.reset();
        let checked = Checked::run(&fixture("hello/go.sum"), server.url(), SUM_GOLANG_ORG).expect("there is go");
        assert_eq!(checked.status, 0, "{:?}", checked.result);
        server.requests()
    });
    let theirs = theirs.min().expect("some runs");
    server.reset();
    let s = Sandbox::hello();
    let sumdb = format!("{SUM_GOLANG_ORG} {}", server.url());
    let report = s.verify(["--sumdb", &sumdb]).end().status(0).report();
    let ours = server.requests();
    assert!(0 < ours && ours <= theirs, "{ours} requests, x/mod's client {theirs}");
    assert_eq!(report.0["sumdbs"][0]["requests"], ours);
    server.reset();
    s.verify(["--sumdb", &sumdb]).end().status(0);
    assert_eq!(server.requests(), 0, "a warm run asks for nothing: {:?}", server.paths());
}

/// A log that grows under the look-ups has another head in every answer.
#[test]
fn a_growing_log_is_followed() {
    let modules: Vec<String> = (0..40).map(|i| format!("grow{i}.example/m@v1.{i}.0")).collect();
    let modules: Vec<&str> = modules.iter().map(String::as_str).collect();
    let Some(still) = Server::start(["serve"]) else {
        return;
    };
    let gosum = made_up(&still, &modules).expect("there is go");
    for fill in ["0", "1", "230", "256", "65530"] {
        let server = Server::start(["serve", "--fill", fill]).expect("there is go");
        let s = Sandbox::with_gosum(&gosum);
        let report = s.verify(NONE).sumdb(&server).end().status(0).report();
        assert_eq!(report.count("verified"), 80, "{fill}");
        // The newest head of all was accepted.
        assert_eq!(report.0["sumdbs"][0]["tree_size"], fill.parse::<u64>().expect("a number") + 40);
    }
}

#[test]
fn jobs_bound_what_is_asked_at_once() {
    let Some(server) = Server::of(&preload(), &["--delay", "20ms"]) else {
        return;
    };
    let gosum = gosum().expect("there is go");
    Sandbox::with_gosum(&gosum).verify(["--jobs", "1"]).sumdb(&server).end().status(0);
    assert_eq!(server.stats()["max_in_flight"], 1);
}
