//! Agreement with the `go` command itself, over made-up modules from a proxy on loopback.

use e2e::{Run, Sandbox, Server, change_hash, has_go};

const NONE: [&str; 0] = [];
const MODULE: &str = "dep.example/m";

/// A project that needs MODULE and one more.
fn project() -> Sandbox {
    let s = Sandbox::new();
    s.write(
        "go.mod",
        "module example.com/project\n\ngo 1.21\n\nrequire (\n\tdep.example/m v1.0.0\n\tdep.example/n v1.2.3\n)\n",
    );
    s.write("main.go", "package main\n\nimport (\n\t_ \"dep.example/m\"\n\t_ \"dep.example/n\"\n)\n\nfunc main() {}\n");
    s
}

/// The run with the server as module proxy and as checksum database.
fn with(run: Run, server: &Server) -> Run {
    run.env("GOPROXY", format!("{}/proxy", server.url())).sumdb(server)
}

/// The run in a Go workspace of its own, which remembers no head and no module.
fn fresh(run: Run, s: &Sandbox, name: &str) -> Run {
    run.env("GOPATH", s.path(name)).env("GOMODCACHE", s.path(name).join("mod"))
}

#[test]
fn what_go_writes_verifies_and_lookup_prints_the_same() {
    if !has_go() {
        return;
    }
    let server = Server::start(["serve"]).expect("there is go");
    let s = project();
    with(s.go(["mod", "tidy"]), &server).end().status(0);
    let gosum = s.read("go.sum");
    assert_eq!(gosum.lines().count(), 4, "{gosum}");
    let report = with(s.verify(NONE), &server).end().status(0).report();
    assert_eq!((report.verdict(), report.count("verified")), ("pass", 4));
    let queries: Vec<String> =
        gosum.lines().map(|l| l.rsplit_once(' ').expect("fields").0.replacen(' ', "@", 1)).collect();
    assert_eq!(with(s.run(["lookup"]).args(&queries), &server).end().status(0).stdout, gosum);
}

/// What go kept of the checksum database is enough for modanchor with no network.
#[test]
fn gos_own_cache_is_enough() {
    if !has_go() {
        return;
    }
    let server = Server::start(["serve", "--fill", "300"]).expect("there is go");
    let s = project();
    with(s.go(["mod", "tidy"]), &server).end().status(0);
    let report = with(s.verify(NONE).unplugged(), &server).end().status(0).report();
    assert_eq!(report.count("verified"), 4);
    assert_eq!(report.0["sumdbs"][0]["floor"], "cached");
}

#[test]
fn a_changed_line_fails_both() {
    if !has_go() {
        return;
    }
    let server = Server::start(["serve"]).expect("there is go");
    let s = project();
    with(s.go(["mod", "tidy"]), &server).end().status(0);
    let honest = s.read("go.sum");
    for line in 1..=4 {
        s.write("go.sum", change_hash(&honest, line));
        let go = fresh(with(s.go(["mod", "download"]), &server), &s, &format!("fresh{line}")).end();
        assert_ne!(go.status, 0, "go does not mind line {line}");
        assert!(go.stderr.contains("SECURITY ERROR"), "{}", go.stderr);
        let report = with(s.verify(NONE), &server).end().status(1).report();
        assert_eq!(report.of("gosum-mismatch").len(), 1);
        assert_eq!(report.line(line as u64), "mismatch");
    }
}

#[test]
fn a_database_that_says_otherwise_fails_both_unless_it_is_not_asked() {
    if !has_go() {
        return;
    }
    let honest = Server::start(["serve"]).expect("there is go");
    let liar = Server::start(["serve", "--seed", "2", "--lie", &format!("{MODULE}@v1.0.0")]).expect("there is go");
    let s = project();
    with(s.go(["mod", "tidy"]), &honest).end().status(0);
    let gosum = s.read("go.sum");

    std::fs::remove_file(s.checkout().join("go.sum")).expect("ours");
    let tidy = |name: &str| fresh(with(s.go(["mod", "tidy"]), &liar), &s, name);
    let go = tidy("fresh1").env("GOFLAGS", "-mod=mod -modcacherw").end();
    assert_ne!(go.status, 0);
    assert!(go.stderr.contains("SECURITY ERROR"), "{}", go.stderr);
    s.write("go.sum", &gosum);
    let report = fresh(with(s.verify(NONE), &liar), &s, "fresh3").end().status(1).report();
    assert_eq!(report.rules(), ["gosum-mismatch"]);
    assert!(report.findings().iter().all(|f| f["module"] == MODULE), "{:?}", report.findings());

    std::fs::remove_file(s.checkout().join("go.sum")).expect("ours");
    tidy("fresh2").env("GONOSUMDB", "dep.example").end().status(0);
    assert_eq!(s.read("go.sum"), gosum);
    let report =
        fresh(with(s.verify(NONE), &liar), &s, "fresh4").env("GONOSUMDB", "dep.example").end().status(0).report();
    assert_eq!(report.count("skipped"), 4);
}

#[test]
fn a_module_that_the_database_does_not_know_stops_both() {
    if !has_go() {
        return;
    }
    let honest = Server::start(["serve"]).expect("there is go");
    let ignorant = Server::start(["serve", "--fail", &format!("/lookup/{MODULE}@=404")]).expect("there is go");
    let s = project();
    with(s.go(["mod", "tidy"]), &honest).end().status(0);
    let report = fresh(with(s.verify(NONE), &ignorant), &s, "fresh1").end().status(3).report();
    assert_eq!(report.rules(), ["sumdb-unknown-module"]);
    std::fs::remove_file(s.checkout().join("go.sum")).expect("ours");
    let go = fresh(with(s.go(["mod", "tidy"]), &ignorant), &s, "fresh2").end();
    assert_ne!(go.status, 0);
}
