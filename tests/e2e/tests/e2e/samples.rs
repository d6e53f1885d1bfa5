//! The samples of the playground (playground/page/samples): evidence of small runs, each of which shows something.
//!
//! `UPDATE_SAMPLES=1 cargo test -p e2e --test e2e -- samples` judges them again with the component of this build, from the answers that
//! they hold, and makes those that are not there. `cargo xtask dist` requires that they name dist/modanchor.wasm.

use std::fs;
use std::path::{Path, PathBuf};

use e2e::{Sandbox, Server, change_hash, fixture, made_up, write};
use serde_json::Value;

use crate::grades::Graded;

/// Makes evidence at a path; none: there is no go, which has the server's part.
type Make = fn(&Path) -> Option<()>;

/// A sample: name, title, what it shows, how it is made, its status and the rules that it finds.
struct Sample {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    make: Make,
    status: i32,
    rules: &'static [&'static str],
}

const SAMPLES: [Sample; 5] = [
    Sample {
        name: "good",
        title: "Good",
        about: "A real project. Every line is what everyone saw, and two modules say who built them.",
        make: good,
        status: 0,
        rules: &[],
    },
    Sample {
        name: "tampered",
        title: "Tampered",
        about: "The same project, with one character of one hash changed.",
        make: tampered,
        status: 1,
        rules: &["gosum-mismatch"],
    },
    Sample {
        name: "forked",
        title: "Forked",
        about: "A database that shows one history to one and another to others. Both are signed, and that is the proof.",
        make: forked,
        status: 1,
        rules: &["sumdb-fork"],
    },
    Sample {
        name: "expired",
        title: "Expired",
        about: "An enterprise's list of approved modules (TUF) whose timestamp is too old: somebody may hold back a newer one.",
        make: expired,
        status: 1,
        rules: &["tuf-freeze"],
    },
    Sample {
        name: "unsigned",
        title: "Unsigned",
        about: "A policy asks who built a module, and nobody says.",
        make: unsigned,
        status: 1,
        rules: &["policy-grade"],
    },
];

// The second run is recorded: it has each record with its path to the tree's head, and not the tiles that the first one made it of,
// which are ten times as large.

fn good(to: &Path) -> Option<()> {
    let graded = Graded::new(Some("toml"));
    graded.run(["verify"]).end().status(0);
    graded.run(["verify"]).args(["--record"]).args([to]).end().status(0);
    Some(())
}

fn tampered(to: &Path) -> Option<()> {
    let s = Sandbox::hello();
    s.write("go.sum", change_hash(&s.read("go.sum"), 9));
    s.run(["verify"]).end().status(1);
    s.run(["verify", "--record"]).args([to]).end().status(1);
    Some(())
}

fn forked(to: &Path) -> Option<()> {
    let modules = ["a.example/m@v1.0.0", "b.example/m@v1.0.0", "c.example/m@v1.0.0"];
    let preload = modules.map(|m| m.replace('@', " ") + " h1:?\n").concat();
    let server = Server::of(&preload, &["--fork-at", "316", "--fork-size", "357"])?;
    let gosum = made_up(&server, &modules)?;
    let s = Sandbox::with_gosum(gosum.split_inclusive('\n').take(2).collect::<String>().as_str());
    s.run(["verify"]).sumdb(&server).end().status(0);
    s.write("go.sum", &gosum);
    s.run(["verify", "--record"]).args([to]).env("GOSUMDB", server.sumdb("/fork")).end().status(1);
    Some(())
}

fn expired(to: &Path) -> Option<()> {
    let s = Sandbox::hello();
    let at = |path: &str| fixture("tuf/expired").join(path).display().to_string().replace('\\', "/");
    let config = format!(
        "[[tuf.repository]]\nname = \"corp\"\nurl = \"{}\"\ntargets-url = \"{}\"\ntrusted-root = \"{}\"\n\
         modules = [\"golang.org/x\"]\n",
        at("tuf"),
        at(""),
        at("tuf/1.root.json"),
    );
    write(&s.path("modanchor.toml"), config);
    s.run(["verify"]).end().status(0);
    s.run(["verify", "--config", "../modanchor.toml", "--record"]).args([to]).end().status(1);
    Some(())
}

fn unsigned(to: &Path) -> Option<()> {
    let graded = Graded::new(None);
    graded.run(["verify"]).end().status(1);
    graded.run(["verify"]).args(["--record"]).args([to]).end().status(1);
    Some(())
}

fn folder() -> PathBuf {
    e2e::root().join("playground/page/samples")
}

#[test]
fn samples_show_what_they_are_for() {
    let update = std::env::var_os("UPDATE_SAMPLES").is_some();
    let s = Sandbox::new();
    for sample in &SAMPLES {
        let file = folder().join(sample.name).with_extension("evidence");
        if update && !file.exists() {
            fs::create_dir_all(folder()).expect("a folder");
            let Some(()) = (sample.make)(&file) else { panic!("{} takes go", sample.name) };
        }
        // In an unfinished change the component is a newer one than theirs.
        let mut run = s.run(["replay", "--quiet", "--other-component", "--format", "json"]).args([&file]);
        if update {
            run = run.args(["--record"]).args([&file]);
        }
        let report = run.end().status(sample.status).report();
        assert_eq!(report.rules(), sample.rules, "{}: {:?}", sample.name, report.findings());
    }
    let entry =
        |sample: &Sample| serde_json::json!({ "name": sample.name, "title": sample.title, "about": sample.about });
    let index: Vec<Value> = SAMPLES.iter().map(entry).collect();
    let index = serde_json::to_string_pretty(&index).expect("JSON") + "\n";
    if update {
        fs::write(folder().join("index.json"), &index).expect("it can be written");
    }
    assert_eq!(fs::read_to_string(folder().join("index.json")).expect("it is there").replace("\r\n", "\n"), index);
}

#[test]
fn samples_can_be_made() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for sample in &SAMPLES {
        let file = dir.path().join(sample.name);
        if (sample.make)(&file).is_some() {
            assert!(file.is_file(), "{}", sample.name);
        }
    }
}
