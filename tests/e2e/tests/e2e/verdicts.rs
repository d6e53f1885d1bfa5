//! A real go.sum against the recorded sum.golang.org.

use e2e::{SUM_GOLANG_ORG, Sandbox, Server, change_hash};

const NONE: [&str; 0] = [];

#[test]
fn a_true_gosum_passes() {
    let s = Sandbox::hello();
    let report = s.verify(NONE).end().status(0).report();
    assert_eq!(report.verdict(), "pass");
    assert!(report.findings().is_empty(), "{:?}", report.findings());
    assert_eq!((report.count("lines"), report.count("verified")), (19, 19));
    assert_eq!((report.count("skipped"), report.count("unchecked")), (0, 0));
    assert_eq!(report.lines().len(), 19);
    assert!(report.lines().iter().all(|(_, _, status)| status == "verified"));
    let db = &report.0["sumdbs"][0];
    assert_eq!((db["name"].as_str(), db["floor"].as_str()), (Some("sum.golang.org"), Some("none")));
    assert!(db["tree_size"].as_u64() > Some(60_000_000), "{db}");
    assert!(s.latest("sum.golang.org").is_some());
}

#[test]
fn one_changed_character_is_one_mismatch_on_that_line() {
    let s = Sandbox::hello();
    let honest = s.read("go.sum");
    for line in 1..=19 {
        s.write("go.sum", change_hash(&honest, line));
        let report = s.verify(NONE).end().status(1).report();
        assert_eq!(report.verdict(), "fail");
        let [finding] = report.findings() else { panic!("line {line}: {:?}", report.findings()) };
        assert_eq!(finding["rule"], "gosum-mismatch");
        assert_eq!(finding["severity"], "critical");
        assert_eq!((finding["file"].as_str(), finding["line"].as_u64()), (Some("go.sum"), Some(line as u64)));
        let hash = |text: &str| text.lines().nth(line - 1).and_then(|l| l.split(' ').nth(2)).map(str::to_owned);
        assert_eq!(finding["expected"].as_str().map(str::to_owned), hash(&honest));
        assert_eq!(finding["found"].as_str().map(str::to_owned), hash(&s.read("go.sum")));
        assert!(finding["by"].as_str().is_some_and(|by| by.contains("sum.golang.org")), "{finding}");
        for (_, n, status) in report.lines() {
            assert_eq!(status, if n == line as u64 { "mismatch" } else { "verified" }, "line {n}");
        }
    }
}

#[test]
fn a_person_sees_the_line_and_both_hashes() {
    let s = Sandbox::hello();
    let honest = s.read("go.sum");
    s.write("go.sum", change_hash(&honest, 2));
    let out = s.run(["verify"]).end().status(1);
    let hash = honest.lines().nth(1).and_then(|l| l.split(' ').nth(2)).expect("three fields");
    for part in ["gosum-mismatch", "go.sum:2", "github.com/BurntSushi/toml", hash, "sum.golang.org"] {
        assert!(out.stdout.contains(part), "{part} is not in\n{}", out.stdout);
    }
    assert!(!out.stdout.contains('\u{1b}'), "colour without a terminal");
}

#[test]
fn unplugged_cold_is_incomplete() {
    for args in [vec!["--offline"], vec!["--max-wait", "3s"]] {
        let s = Sandbox::hello();
        // Nothing listens on the discard port.
        let out = s.verify(&args).env("GOSUMDB", format!("{SUM_GOLANG_ORG} http://127.0.0.1:9")).end().status(3);
        let report = out.report();
        assert_eq!(report.verdict(), "incomplete");
        assert_eq!(report.rules(), ["unchecked"]);
        assert_eq!((report.count("verified"), report.count("unchecked")), (0, 19));
        assert!(s.latest("sum.golang.org").is_none());
    }
}

#[test]
fn unplugged_warm_passes_and_still_finds_a_mismatch() {
    let s = Sandbox::hello();
    let honest = s.read("go.sum");
    let cold = s.verify(NONE).end().status(0).report();
    let dead = format!("{SUM_GOLANG_ORG} http://127.0.0.1:9");
    let warm = s.verify(NONE).unplugged().end().status(0).report();
    assert_eq!(warm.0["sumdbs"][0]["floor"], "cached");
    assert_eq!(warm.0["sumdbs"][0]["requests"], 0);
    assert_eq!(warm.timeless(), cold.clone().timeless());
    let dead_run = s.verify(NONE).env("GOSUMDB", &dead).end().status(0).report();
    assert_eq!(dead_run.timeless(), cold.timeless());
    s.write("go.sum", change_hash(&honest, 19));
    let report = s.verify(NONE).unplugged().end().status(1).report();
    assert_eq!(report.of("gosum-mismatch").len(), 1);
    assert_eq!(report.findings().len(), 1);
}

#[test]
fn no_cache_leaves_nothing_behind() {
    let s = Sandbox::hello();
    s.verify(["--no-cache"]).end().status(0);
    assert!(e2e::files(&s.cache()).is_empty());
    s.verify(["--no-cache"]).unplugged().end().status(3);
}

#[test]
fn gosumdb_off_is_said_and_fails() {
    let s = Sandbox::hello();
    let report = s.verify(NONE).env("GOSUMDB", "off").end().status(1).report();
    assert_eq!(report.rules(), ["sumdb-skipped"]);
    assert_eq!(report.findings()[0]["severity"], "medium");
    assert_eq!((report.count("verified"), report.count("skipped")), (0, 19));
    s.verify(["--fail-on", "high"]).env("GOSUMDB", "off").end().status(0);
}

#[test]
fn private_modules_are_skipped_and_said() {
    for (variables, skipped) in [
        (vec![("GOPRIVATE", "github.com/spf13")], 4),
        (vec![("GONOSUMDB", "github.com/spf13,golang.org/x/*")], 8),
        (vec![("GONOSUMDB", "golang.org/x/text"), ("GOPRIVATE", "github.com")], 2),
        (vec![("GONOSUMDB", "none"), ("GOPRIVATE", "github.com")], 0),
        (vec![("GONOSUMDB", ""), ("GOPRIVATE", "gopkg.in/*")], 4),
        (vec![("GOINSECURE", "github.com")], 0),
        (vec![("GONOPROXY", "github.com")], 0),
    ] {
        let s = Sandbox::hello();
        let mut run = s.verify(NONE);
        for (key, value) in &variables {
            run = run.env(key, value);
        }
        let report = run.end().status(0).report();
        assert_eq!((report.count("skipped"), report.count("verified")), (skipped, 19 - skipped), "{variables:?}");
        assert_eq!(report.rules(), if skipped > 0 { vec!["sumdb-skipped"] } else { vec![] }, "{variables:?}");
        assert!(report.findings().iter().all(|f| f["severity"] == "note"), "{:?}", report.findings());
    }
}

#[test]
fn a_pattern_that_skips_everything_fails() {
    for (key, value) in [("GOPRIVATE", "*"), ("GONOSUMDB", "*,corp.example")] {
        let s = Sandbox::hello();
        let report = s.verify(NONE).env(key, value).end().status(1).report();
        assert_eq!(report.rules(), ["sumdb-skipped"]);
        assert!(report.findings().iter().any(|f| f["severity"] == "medium"), "{:?}", report.findings());
    }
}

#[test]
fn private_names_are_never_asked_for() {
    let modules = ["public.example/a@v1.0.0", "corp.example/secret@v1.0.0"];
    let Some(server) = Server::of("", &[]) else {
        return;
    };
    let Some(gosum) = e2e::made_up(&server, &modules) else {
        return;
    };
    server.reset();
    let s = Sandbox::with_gosum(&gosum);
    s.verify(NONE).sumdb(&server).env("GOPRIVATE", "corp.example").end().status(0);
    let paths = server.paths();
    assert!(paths.iter().any(|p| p.contains("public.example")), "{paths:?}");
    assert!(!paths.iter().any(|p| p.contains("corp.example")), "{paths:?}");
}

#[test]
fn a_module_that_the_database_does_not_know_is_not_a_pass() {
    let s = Sandbox::hello();
    let line = "nowhere.example/m v1.0.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    s.write("go.sum", s.read("go.sum") + line);
    let report = s.verify(NONE).end().status(3).report();
    assert_eq!(report.verdict(), "incomplete");
    assert_eq!(report.rules(), ["sumdb-unknown-module"]);
    assert_eq!(report.line(20), "unknown");
    assert_eq!(report.count("verified"), 19);
    // A wrong line beside it is worse.
    s.write("go.sum", change_hash(&s.read("go.sum"), 5));
    let report = s.verify(NONE).end().status(1).report();
    assert_eq!(report.rules(), ["gosum-mismatch", "sumdb-unknown-module"]);
}

#[test]
fn what_could_not_be_checked_passes_only_when_allowed() {
    let s = Sandbox::hello();
    s.verify(["--fail-on", "never"]).unplugged().end().status(3);
    s.verify(["--allow-incomplete"]).unplugged().end().status(0);
    s.write("go.sum", change_hash(&s.read("go.sum"), 1));
    s.verify(["--allow-incomplete"]).end().status(1);
}

#[test]
fn another_key_believes_nothing() {
    let Some(server) = Server::start(["serve", "--name", "sum.golang.org", "--seed", "another"]) else {
        return;
    };
    let s = Sandbox::hello();
    let sumdb = format!("{} {}", SUM_GOLANG_ORG, server.url());
    let report = s.verify(["--sumdb", &sumdb]).end().status(1).report();
    assert_eq!(report.rules(), ["sumdb-bad-signature"]);
    assert_eq!(report.count("verified"), 0);
    // And the other way round: the true database under a key that is not its own.
    let report = s.verify(NONE).env("GOSUMDB", server.hello("key")).end().status(1).report();
    assert_eq!(report.rules(), ["sumdb-bad-signature"]);
    assert_eq!(report.count("verified"), 0);
    assert!(s.latest("sum.golang.org").is_none());
}

#[test]
fn odd_lines_are_found_where_they_are() {
    let h = "h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let quoted = "github.com/spf13/pflag v1.0.9";
    for (added, rule, status) in [
        ("<<<<<<< HEAD".to_owned(), "gosum-malformed", 1),
        ("one two".to_owned(), "gosum-malformed", 1),
        (format!("{quoted} {h} four"), "gosum-malformed", 1),
        ("// three words".to_owned(), "gosum-malformed", 1),
        (format!("\u{feff}{quoted} {h}"), "gosum-malformed", 1),
        (format!("not_a_path!/x v1.0.0 {h}"), "gosum-malformed", 1),
        (format!("a.example/m v1 {h}"), "gosum-malformed", 1),
        (format!("a.example/\0m v1.0.0 {h}"), "gosum-malformed", 1),
    ] {
        let s = Sandbox::hello();
        s.write("go.sum", s.read("go.sum") + &added + "\n");
        let report = s.verify(NONE).end().status(status).report();
        let found = report.of(rule);
        assert_eq!(found.len(), 1, "{added:?}: {:?}", report.findings());
        assert_eq!(found[0]["line"], 20, "{added:?}");
        assert_eq!(report.count("verified"), 19, "{added:?}");
    }
    // Invalid UTF-8 is found too.
    let s = Sandbox::hello();
    let mut bytes = s.read("go.sum").into_bytes();
    bytes.extend(b"a.example/\xff v1.0.0 h1:AAAA\n");
    s.write("go.sum", bytes);
    let report = s.verify(NONE).end().status(1).report();
    assert_eq!(report.of("gosum-malformed").len(), 1, "{:?}", report.findings());
}

#[test]
fn whitespace_that_go_does_not_mind_is_no_finding() {
    let s = Sandbox::hello();
    let text = s.read("go.sum");
    for odd in [
        text.replace('\n', "\r\n"),
        text.replace(' ', "\t"),
        text.replace(' ', "   "),
        text.replace('\n', "\n\n"),
        text.trim_end().to_owned(),
        text.replace(' ', "\u{a0}"),
    ] {
        s.write("go.sum", &odd);
        let report = s.verify(NONE).end().status(0).report();
        assert_eq!(report.count("verified"), 19, "{odd:?}");
    }
}

#[test]
fn two_hashes_for_one_thing_conflict_in_either_order() {
    let s = Sandbox::hello();
    let honest = s.read("go.sum");
    let wrong = change_hash(&honest, 7).lines().nth(6).expect("line 7").to_owned() + "\n";
    for (text, line) in [(format!("{honest}{wrong}"), 20), (format!("{wrong}{honest}"), 1)] {
        s.write("go.sum", &text);
        let report = s.verify(NONE).end().status(1).report();
        assert_eq!(report.rules(), ["gosum-conflict", "gosum-mismatch"], "{text}");
        assert_eq!(report.of("gosum-mismatch")[0]["line"], line);
        assert_eq!(report.line(line), "mismatch");
    }
}

#[test]
fn a_hash_that_go_does_not_know_authenticates_nothing() {
    let s = Sandbox::hello();
    s.write("go.sum", s.read("go.sum").replacen(" h1:", " h2:", 1));
    let report = s.verify(NONE).end().status(1).report();
    assert_eq!(report.of("gosum-unknown-hash").len(), 1, "{:?}", report.findings());
    assert_eq!(report.count("verified"), 18);
}

#[test]
fn the_report_is_the_same_every_time_and_names_no_place() {
    let s = Sandbox::hello();
    s.write("go.sum", change_hash(&s.read("go.sum"), 3));
    let first = s.verify(["--no-cache"]).end().status(1);
    let second = s.verify(["--no-cache", "--jobs", "1"]).end().status(1);
    assert_eq!(first.report().timeless(), second.report().timeless());
    let place = s.checkout();
    assert!(!first.stdout.contains(place.to_str().expect("UTF-8")), "{}", first.stdout);
}

#[test]
fn a_toolchain_is_always_checked() {
    let toolchain = "golang.org/toolchain@v0.0.1-go1.26.0.linux-amd64";
    let Some(server) = Server::of("", &[]) else {
        return;
    };
    let Some(gosum) = e2e::made_up(&server, &[toolchain]) else {
        return;
    };
    let s = Sandbox::with_gosum(&gosum);
    let skip = |s: &Sandbox| s.verify(NONE).sumdb(&server).env("GONOSUMDB", "golang.org/toolchain,golang.org/*");
    let report = skip(&s).end().status(0).report();
    assert_eq!((report.count("verified"), report.count("skipped")), (2, 0));
    s.write("go.sum", change_hash(&gosum, 1));
    let report = skip(&s).end().status(1).report();
    assert_eq!(report.of("gosum-mismatch").len(), 1);
    // With no database at all there is nobody to ask, which is no pass.
    let report = s.verify(["--fail-on", "never"]).env("GOSUMDB", "off").end().status(3).report();
    assert_eq!(report.count("verified"), 0);
    assert_eq!(report.line(1), "unchecked");
}

#[test]
fn a_folder_of_modules_is_checked_whole() {
    let s = Sandbox::hello();
    let honest = s.read("go.sum");
    s.write("sub/go.mod", "module example.com/sub\n\ngo 1.26\n");
    s.write("sub/deep/go.mod", "module example.com/sub/deep\n\ngo 1.26\n");
    s.write("sub/deep/go.sum", change_hash(&honest, 4));
    for skipped in ["vendor/x", "testdata/x", "_x", ".x", "sub/vendor"] {
        s.write(&format!("{skipped}/go.sum"), "junk\n");
    }
    let report = s.verify(NONE).end().status(1).report();
    let [finding] = report.findings() else { panic!("{:?}", report.findings()) };
    assert_eq!((finding["file"].as_str(), finding["line"].as_u64()), (Some("sub/deep/go.sum"), Some(4)));
    s.verify(["--exclude", "sub/deep"]).end().status(0);
    s.verify(["go.sum"]).end().status(0);
    s.verify(["sub/deep/go.sum"]).end().status(1);
    s.verify([".", "sub/deep"]).end().status(1);
}

#[test]
fn gosum_alone_misses_nothing_and_with_gomod_a_missing_line_is_found() {
    let s = Sandbox::hello();
    let text = s.read("go.sum");
    let less: String = text.split_inclusive('\n').filter(|l| !l.starts_with("github.com/BurntSushi/toml")).collect();
    s.write("go.sum", &less);
    let report = s.verify(NONE).end().status(1).report();
    assert_eq!(report.rules(), ["gosum-missing"]);
    assert!(report.findings().iter().all(|f| f["module"] == "github.com/BurntSushi/toml"), "{:?}", report.findings());
    let alone = Sandbox::with_gosum(&less);
    assert_eq!(alone.verify(NONE).end().status(0).report().count("verified"), 17);
}
