//! Agreement with golang.org/x/mod's own client, answer line for answer line.

use std::fmt::Write as _;

use e2e::{Checked, Sandbox, Server};
use serde_json::json;

const NONE: [&str; 0] = [];

/// Paths and versions of every shape that the database takes.
const SHAPES: [&str; 20] = [
    "a.example@v1.0.0",
    "a.example/m@v0.0.0",
    "a.example/m@v0.0.0-20200102030405-0123456789ab",
    "a.example/m@v1.2.4-0.20200102030405-0123456789ab",
    "a.example/m@v1.2.3-pre.0.20200102030405-0123456789ab",
    "a.example/m@v1.2.3-alpha-1.b.0",
    "a.example/m/v2@v2.0.0",
    "a.example/m@v2.0.0+incompatible",
    "a.example/m@v3.0.0-rc.1+incompatible",
    "a.example/Upper/CASE@v1.0.0",
    "a.example/Upper/CASE@v1.0.0-RC.1",
    "a.example/~tilde/_under/-dash/dot.ted@v1.0.0",
    "gopkg.in/yaml.v3@v3.0.1",
    "gopkg.in/check.v1@v1.0.0-20161208181325-20d25e280405",
    "github.com/a/b@v1.0.0",
    "xn--bcher-kva.example/m@v1.0.0",
    "a.example/m/v10@v10.20.30",
    "a.example/1/2/3@v1.999999999.999999999",
    "a-b.example/m@v1.0.0-0",
    "a.example/very/long/path/that/goes/on/and/on/and/on/and/on/and/on/and/on/and/on/and/on/to/its/end@v1.0.0",
];

#[test]
fn lookups_of_every_shape_are_the_same_bytes() {
    let preload: String = SHAPES.iter().map(|m| m.replace('@', " ") + " h1:?\n").collect();
    let Some(server) = Server::of(&preload, &[]) else {
        return;
    };
    let theirs = e2e::made_up(&server, &SHAPES).expect("there is go");
    let queries: Vec<String> = SHAPES.iter().flat_map(|m| [(*m).to_owned(), format!("{m}/go.mod")]).collect();
    let s = Sandbox::new();
    let out = s.run(["lookup"]).args(&queries).sumdb(&server).end().status(0);
    assert_eq!(out.stdout, theirs);
    s.write("go.sum", &theirs);
    assert_eq!(s.verify(NONE).sumdb(&server).end().status(0).report().count("verified"), 2 * SHAPES.len() as u64);
}

/// Records that a database might hold: what is there is printed as it is, what is not is not made up.
#[test]
fn odd_records_are_read_alike() {
    let records = json!({
        "two.example/hashes@v1.0.0": "two.example/hashes v1.0.0 h1:AAAA\ntwo.example/hashes v1.0.0 h2:BBBB\n",
        "only.example/gomod@v1.0.0": "only.example/gomod v1.0.0/go.mod h1:AAAA\n",
        "pre.example/fix@v1.0.0": "pre.example/fixes v1.0.0 h1:AAAA\npre.example/fix v1.0.0-x h1:BBBB\n",
        "other.example/m@v1.0.0": "another.example/m v1.0.0 h1:AAAA\n",
        "tab.example/m@v1.0.0": "tab.example/m\tv1.0.0\th1:AAAA\n",
        "space.example/m@v1.0.0": " space.example/m v1.0.0 h1:AAAA\n",
        "spaces.example/m@v1.0.0": "spaces.example/m  v1.0.0 h1:AAAA\n",
        "cr.example/m@v1.0.0": "cr.example/m v1.0.0 h1:AAAA\r\n",
        "many.example/m@v1.0.0": "x.example/y v1.0.0 h1:AAAA\nmany.example/m v1.0.0 h1:BBBB\nz v1 h1:CCCC\n",
        "word.example/m@v1.0.0": "hello\n",
        "empty.example/hash@v1.0.0": "empty.example/hash v1.0.0 \n",
        "unknown-to.example/all@v1.0.0": null,
    });
    let s = Sandbox::new();
    let file = s.path("records.json");
    e2e::write(&file, records.to_string());
    let Some(server) = Server::start(["serve".as_ref(), "--records".as_ref(), file.as_os_str()]) else {
        return;
    };
    let mut gosum = String::new();
    for module in records.as_object().expect("an object").keys() {
        let (path, version) = module.split_once('@').expect("MODULE@VERSION");
        writeln!(gosum, "{path} {version} h1:AAAA\n{path} {version}/go.mod h1:AAAA").expect("memory");
    }
    s.write("go.sum", &gosum);
    let checked = Checked::run(&s.checkout().join("go.sum"), server.url(), server.hello("key")).expect("there is go");
    for (number, status, answer) in checked.lines() {
        let line = gosum.lines().nth(number as usize - 1).expect("a line");
        let query = line.rsplit_once(' ').expect("fields").0.replacen(' ', "@", 1);
        let out = s.run(["lookup", "--max-wait", "1s", &query]).sumdb(&server).end();
        match status.as_str() {
            // cmd/go refuses a record without a line for what was asked; x/mod's client leaves that to its callers.
            "missing" => assert_eq!((out.status, out.stdout.as_str()), (1, ""), "{query}: {}", out.stderr),
            "error" => assert_eq!((out.status, out.stdout.as_str()), (3, ""), "{query}: {}", out.stderr),
            _ => {
                let lines: String = answer.iter().map(|a| format!("{a}\n")).collect();
                assert_eq!(out.stdout, lines, "{query}: {}", out.stderr);
                assert_eq!(out.status, 0, "{query}");
            }
        }
    }
}

/// Every line of a mixed go.sum gets the status that x/mod's client gives it.
#[test]
fn a_mixed_gosum_gets_the_same_verdicts() {
    let known = ["a.example/m@v1.0.0", "b.example/M@v1.0.0", "c.example/m/v2@v2.0.0"];
    let preload = known.map(|m| m.replace('@', " ") + " h1:?\n").concat();
    let Some(server) = Server::of(&preload, &[]) else {
        return;
    };
    let honest = e2e::made_up(&server, &known).expect("there is go");
    let mut gosum = e2e::change_hash(&e2e::change_hash(&honest, 2), 5);
    gosum += "unknown.example/m v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    gosum += "unknown.example/m v1.0.0/go.mod h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    gosum += &honest.lines().next().expect("a line").replace('=', "");
    gosum += "\n";
    let s = Sandbox::with_gosum(&gosum);
    let checked = Checked::run(&s.checkout().join("go.sum"), server.url(), server.hello("key")).expect("there is go");
    assert_eq!(checked.status, 1);
    let report = s.verify(NONE).sumdb(&server).end().status(1).report();
    for (number, theirs, _) in checked.lines() {
        let want = if theirs == "error" { "unknown" } else { &theirs };
        assert_eq!(report.line(number), want, "line {number}: {}", report.0);
    }
}
