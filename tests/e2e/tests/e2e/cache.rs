//! What is kept between runs: spoiled, shared, interrupted, impossible.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use e2e::{SUM_GOLANG_ORG, Sandbox, Server, change_hash, files, fixture, made_up, write};

const NONE: [&str; 0] = [];
const NAME: &str = "sum.golang.org";

/// A way to spoil a file.
type Spoil = fn(&[u8]) -> Vec<u8>;

/// Such ways, by name.
const SPOILS: [(&str, Spoil); 7] = [
    ("emptied", |_| Vec::new()),
    ("cut in half", |b| b[..b.len() / 2].to_vec()),
    ("cut by one", |b| b[..b.len().saturating_sub(1)].to_vec()),
    ("a bit flipped", |b| {
        let mut b = b.to_vec();
        if let Some(middle) = b.len().checked_sub(1).map(|last| last / 2) {
            b[middle] ^= 1;
        }
        b
    }),
    ("its last bit flipped", |b| {
        let mut b = b.to_vec();
        if let Some(last) = b.last_mut() {
            *last ^= 1;
        }
        b
    }),
    ("replaced", |_| b"<html>hello</html>\n".repeat(100)),
    ("doubled", |b| b.repeat(2)),
];

/// Spoils every file below `dir` but the one named `latest`; returns how many there were.
fn spoil(dir: &Path, how: Spoil) -> usize {
    let mut n = 0;
    for (path, bytes) in files(dir) {
        if path.file_name().is_some_and(|name| name != "latest") {
            fs::write(&path, how(&bytes)).expect("it can be written");
            n += 1;
        }
    }
    n
}

#[test]
fn a_spoiled_cache_is_never_believed_and_never_in_the_way() {
    for (name, how) in SPOILS {
        let s = Sandbox::hello();
        let honest = s.read("go.sum");
        s.verify(NONE).end().status(0);
        assert!(spoil(&s.cache(), how) > 0, "nothing was kept");
        // With no network it says less, and nothing wrong.
        let report = s.verify(NONE).unplugged().end().status_in(&[0, 3]).report();
        assert!(report.rules().iter().all(|r| *r == "unchecked"), "{name}: {:?}", report.findings());
        let report = s.verify(NONE).end().status(0).report();
        assert_eq!(report.count("verified"), 19, "{name}");
        // And it is whole again.
        s.verify(NONE).unplugged().end().status(0);
        spoil(&s.cache(), how);
        s.write("go.sum", change_hash(&honest, 10));
        let report = s.verify(NONE).end().status(1).report();
        assert_eq!(report.rules(), ["gosum-mismatch"], "{name}");
    }
}

#[test]
fn a_latest_that_does_not_verify_stops_the_run() {
    for (name, how) in SPOILS {
        let s = Sandbox::hello();
        s.verify(NONE).end().status(0);
        let file = s.latest_path(NAME);
        let spoiled = how(&fs::read(&file).expect("it was kept"));
        fs::write(&file, &spoiled).expect("it can be written");
        for args in [&["--offline"][..], &[]] {
            if spoiled.is_empty() {
                // An empty file is the empty tree, as in Go.
                s.verify(args).end().status_in(&[0, 3]);
                continue;
            }
            let report = s.verify(args).end().status(1).report();
            assert!(report.rules().contains(&"sumdb-bad-signature"), "{name}: {:?}", report.findings());
            assert_eq!(fs::read(&file).expect("it is still there"), spoiled, "{name}");
        }
        if !spoiled.is_empty() {
            let out = s.run(["lookup", "github.com/spf13/cobra@v1.10.2"]).end().status(1);
            assert_eq!(out.stdout, "", "{name}");
        }
    }
}

#[test]
fn a_latest_of_another_key_stops_the_run() {
    let Some(server) = Server::start(["serve", "--name", NAME]) else {
        return;
    };
    let s = Sandbox::hello();
    write(&s.latest_path(NAME), server.get("/latest"));
    let report = s.verify(NONE).end().status(1).report();
    assert!(report.rules().contains(&"sumdb-bad-signature"), "{:?}", report.findings());
}

#[test]
fn the_cache_of_the_go_command_serves_and_is_not_written() {
    let s = Sandbox::hello();
    let cache = s.path("gomodcache/cache/download/sumdb").join(NAME);
    let recorded = fixture("proxy/sumdb").join(NAME);
    let fill = || {
        for (path, bytes) in files(&recorded) {
            write(&cache.join(path.strip_prefix(&recorded).expect("below it")), bytes);
        }
    };
    fill();
    let before = files(&cache);
    let report = s.verify(["--no-cache"]).unplugged().end().status(0).report();
    assert_eq!(report.count("verified"), 19);
    assert_eq!(files(&cache), before);
    assert!(files(&s.path("gopath")).is_empty());
    // What it has wrong is asked of the server.
    for (name, how) in SPOILS {
        fill();
        spoil(&cache, how);
        let report = s.verify(["--no-cache"]).end().status(0).report();
        assert_eq!(report.count("verified"), 19, "{name}");
        let report = s.verify(["--no-cache"]).unplugged().end().status_in(&[0, 1, 3]).report();
        assert!(report.verdict() != "pass" || report.count("verified") == 19, "{name}: {:?}", report.findings());
    }
}

#[test]
fn the_checkout_and_gos_folders_are_only_read() {
    let s = Sandbox::hello();
    let before = files(&s.checkout());
    s.verify(NONE).end().status(0);
    s.verify(NONE).unplugged().end().status(0);
    assert_eq!(files(&s.checkout()), before);
    for dir in ["gopath", "gomodcache", "home"] {
        assert!(files(&s.path(dir)).is_empty(), "{dir}");
    }
}

#[test]
fn a_cache_that_cannot_be_is_said_and_does_no_harm() {
    let s = Sandbox::hello();
    fs::write(s.cache(), "a file where the folder should be").expect("it can be written");
    let out = s.verify(NONE).end().status(0);
    assert_eq!(out.report().count("verified"), 19);
    assert!(!out.stderr.is_empty(), "it says nothing");
    assert!(files(&s.path("home")).is_empty(), "another place was found");
}

#[test]
#[cfg(unix)]
fn a_read_only_cache_still_serves() {
    use std::os::unix::fs::PermissionsExt as _;
    let honest = Sandbox::hello().read("go.sum");
    let few: String = honest.split_inclusive('\n').take(4).collect();
    let s = Sandbox::with_gosum(&few);
    s.verify(NONE).end().status(0);
    let before = files(&s.cache());
    let set = |mode: u32| {
        let mut dirs = vec![s.cache()];
        while let Some(dir) = dirs.pop() {
            for entry in fs::read_dir(&dir).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    dirs.push(path);
                }
            }
            fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).expect("ours");
        }
    };
    set(0o555);
    // The super-user writes anywhere.
    let bound = fs::write(s.cache().join("probe"), "").is_err();
    s.verify(NONE).unplugged().end().status(0);
    s.write("go.sum", &honest);
    let report = s.verify(NONE).end().status(0).report();
    assert_eq!(report.count("verified"), 19);
    if bound {
        assert_eq!(files(&s.cache()), before);
    }
    set(0o755);
}

/// No file can grow: a full disk, as far as a program sees it.
#[test]
#[cfg(unix)]
fn a_full_disk_is_said_and_leaves_no_half_file() {
    let s = Sandbox::hello();
    let full = ["/bin/sh", "-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"];
    let out = s.verify(NONE).unrecorded().under(full).end().status(0);
    assert_eq!(out.report().count("verified"), 19);
    assert!(!out.stderr.is_empty(), "it says nothing");
    // What it left is in nobody's way.
    s.verify(NONE).end().status(0);
    s.verify(NONE).unplugged().end().status(0);
}

/// Modules enough for a log that grows while it is read.
fn growing() -> Option<(Server, Sandbox)> {
    let modules: Vec<String> = (0..30).map(|i| format!("grow{i}.example/m@v1.{i}.0")).collect();
    let modules: Vec<&str> = modules.iter().map(String::as_str).collect();
    let gosum = made_up(&Server::start(["serve"])?, &modules)?;
    let server = Server::start(["serve", "--fill", "240", "--delay", "20ms"])?;
    Some((server, Sandbox::with_gosum(&gosum)))
}

#[test]
fn processes_at_once_share_a_cache() {
    let Some((server, s)) = growing() else { return };
    let children: Vec<_> = (0..4).map(|_| s.verify(NONE).sumdb(&server).spawn()).collect();
    for child in children {
        let out = e2e::Outcome::from(child.wait_with_output().expect("it ends")).status(0);
        assert_eq!(out.report().count("verified"), 60);
    }
    let report = s.verify(NONE).unplugged().sumdb(&server).end().status(0).report();
    assert_eq!(report.count("verified"), 60);
    // The newest head that any of them saw is the one that was kept.
    assert!(s.latest("sum.test.example").is_some());
    assert_eq!(report.0["sumdbs"][0]["tree_size"], 270);
}

#[test]
fn a_killed_run_is_in_nobodys_way() {
    let Some((server, s)) = growing() else { return };
    for wait in [10, 30, 50, 80, 110, 150, 200, 260] {
        let mut child = s.verify(["--jobs", "4"]).sumdb(&server).spawn();
        thread::sleep(Duration::from_millis(wait));
        child.kill().expect("SIGKILL");
        child.wait().expect("it ends");
        s.verify(NONE).unplugged().sumdb(&server).end().status_in(&[0, 3]);
    }
    let report = s.verify(NONE).sumdb(&server).end().status(0).report();
    assert_eq!(report.count("verified"), 60);
    s.verify(NONE).unplugged().sumdb(&server).end().status(0);
}

#[test]
fn databases_do_not_share_what_they_keep() {
    let s = Sandbox::hello();
    s.verify(NONE).end().status(0);
    let latest = s.latest(NAME);
    // The same name under another key and another name: nothing of the first is believed for them.
    let Some(server) = Server::start(["serve", "--name", "other.test.example"]) else {
        return;
    };
    let report = s.verify(NONE).unplugged().sumdb(&server).end().status(3).report();
    assert_eq!(report.count("verified"), 0);
    assert_eq!(s.latest(NAME), latest);
    let named = format!("{SUM_GOLANG_ORG} {}", server.url());
    s.verify(["--offline", "--sumdb", &named]).end().status(0);
}
