//! `modanchor tuf` as a user runs it, on repositories of python-tuf in folders (tests/fixtures/tuf). tuf-conformance does the
//! same over HTTP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const TOOL: &str = "example.com/small/tool/@v/v1.0.0.zip";
const M0: &str = "example.com/large/m0/@v/v1.0.0.mod";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/tuf").join(name)
}

fn root(name: &str) -> PathBuf {
    fixture(name).join("tuf/1.root.json")
}

/// An empty machine.
struct World(TempDir);

impl World {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Each word of `args` is an argument, but for names in braces, which are folders of this machine, and in brackets, of
    /// the fixtures.
    fn run(&self, args: &str) -> (i32, String, String) {
        let args = args.split(' ').map(|arg| match (arg.strip_prefix('{'), arg.strip_prefix('[')) {
            (Some(name), _) => self.at(name.trim_end_matches('}')).into_os_string(),
            (_, Some(name)) => fixture(name.trim_end_matches(']')).into_os_string(),
            _ => arg.into(),
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_modanchor"));
        command.env_clear().current_dir(self.0.path()).env("HOME", self.0.path()).env("USERPROFILE", self.0.path());
        command.env("MODANCHOR_CACHE", self.at("cache")).arg("tuf").args(args);
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    fn status(&self, args: &str) -> i32 {
        self.run(args).0
    }

    fn json(&self, args: &str) -> serde_json::Value {
        serde_json::from_str(&self.run(&format!("{args} --format json")).1).unwrap()
    }
}

#[test]
fn flags_stand_where_the_suite_puts_them_and_where_people_do() {
    let world = World::new();
    assert_eq!(world.run("--metadata-dir {md} init [teams/tuf/1.root.json]"), (0, String::new(), String::new()));
    assert_eq!(fs::read(world.at("md/root.json")).unwrap(), fs::read(root("teams")).unwrap());
    assert_eq!(world.status("--metadata-url [teams/tuf] --metadata-dir {md} refresh"), 0);
    assert_eq!(world.status("refresh --metadata-url [teams/tuf] --metadata-dir {md} --quiet"), 0);
    for role in ["timestamp.json", "1.snapshot.json", "1.targets.json"] {
        let kept = world.at("md").join(role.trim_start_matches("1."));
        assert_eq!(fs::read(kept).unwrap(), fs::read(fixture("teams/tuf").join(role)).unwrap(), "{role}");
    }
    let targets = format!("--target-name {TOOL} --target-name {M0}");
    let urls = "--metadata-url [teams/tuf] --target-base-url [teams]";
    let (status, stdout, stderr) =
        world.run(&format!("--metadata-dir {{md}} {urls} {targets} --target-dir {{td}} download"));
    assert_eq!((status, stderr.as_str()), (0, ""));
    for path in [TOOL, M0] {
        let put = world.at("td").join(path);
        assert_eq!(fs::read(&put).unwrap(), fs::read(fixture("teams").join(path)).unwrap());
        assert!(stdout.contains(&format!("{path}: {}\n", put.display())), "{stdout}");
    }
    assert!(stdout.starts_with("pass: TUF metadata, "), "{stdout}");
}

#[test]
fn what_is_here_is_not_fetched_again_and_what_was_changed_is() {
    let world = World::new();
    fs::create_dir(world.at("repo")).unwrap();
    let from = fixture("teams").join(TOOL);
    let name = fs::read_dir(from.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name());
    let name = name.into_iter().find(|name| name.to_string_lossy().ends_with(".v1.0.0.zip")).unwrap();
    let served = world.at("repo").join(TOOL).with_file_name(name);
    fs::create_dir_all(served.parent().unwrap()).unwrap();
    fs::copy(&from, &served).unwrap();
    let download = format!(
        "--trusted-root [teams/tuf/1.root.json] --metadata-url [teams/tuf] --target-base-url {{repo}} --target-dir {{td}} \
         --target-name {TOOL} download"
    );
    assert_eq!(world.status(&download), 0);
    let put = world.at("td").join(TOOL);
    fs::remove_file(&served).unwrap();
    assert_eq!(world.status(&download), 0, "it is here");
    fs::write(&put, "changed").unwrap();
    assert_eq!(world.status(&download), 3, "it has to be fetched, and cannot be");
    fs::write(&served, "forged").unwrap();
    assert_eq!(world.status(&download), 1);
    assert_eq!(fs::read(&put).unwrap(), b"changed", "nothing takes its place");
    fs::copy(&from, &served).unwrap();
    assert_eq!(world.status(&download), 0);
    assert_eq!(fs::read(&put).unwrap(), fs::read(&from).unwrap());
    // Nothing else is left there.
    let left = fs::read_dir(world.at("td")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left, ["example.com"]);
}

#[test]
fn the_first_target_that_fails_ends_the_run() {
    let world = World::new();
    let run = |targets: &str, dir: &str| {
        world.run(&format!(
            "download --trusted-root [teams/tuf/1.root.json] --metadata-url [teams/tuf] --target-base-url [teams] \
             --target-dir {dir} {targets}"
        ))
    };
    let (status, stdout, _) = run(&format!("--target-name none --target-name {TOOL}"), "{td}");
    assert_eq!(status, 1);
    assert!(stdout.contains("none") && !world.at("td").join(TOOL).exists(), "{stdout}");
    // Where a folder has to be there is a file, so that a good target has no place.
    fs::create_dir_all(world.at("td")).unwrap();
    fs::write(world.at("td/example.com"), "").unwrap();
    let (status, _, stderr) = run(&format!("--target-name {TOOL}"), "{td}");
    assert_eq!(status, 3);
    assert!(stderr.contains("is not kept") && stderr.contains("is in the way"), "{stderr}");
    fs::write(world.at("file"), "").unwrap();
    assert_eq!(run(&format!("--target-name {TOOL}"), "{file}").0, 3);
}

#[test]
fn a_root_that_is_not_to_be_trusted_begins_nothing() {
    let world = World::new();
    let good = fs::read_to_string(root("teams")).unwrap();
    let (signed, signatures) = (good.find("\"signed\"").unwrap(), good.find("\"signatures\"").unwrap());
    let at = signed.max(signatures);
    let forged = good[..at].to_owned() + &good[at..].replacen("2100", "2101", 1);
    let forged = if forged == good { good.replacen("2100", "2101", 1) } else { forged };
    assert_ne!(forged, good);
    for (name, bytes) in [("forged", forged.as_bytes()), ("empty", b""), ("html", b"<html>"), ("json", b"{}")] {
        fs::write(world.at(name), bytes).unwrap();
        let (status, stdout, stderr) = world.run(&format!("init {{{name}}} --metadata-dir {{md}}"));
        assert_eq!((status, stdout.as_str()), (1, ""), "{name}: {stderr}");
        assert!(stderr.contains(name), "{stderr}");
        assert!(!world.at("md").exists(), "{name}");
        assert_eq!(world.status(&format!("refresh --metadata-url [teams/tuf] --trusted-root {{{name}}}")), 1, "{name}");
    }
    assert_eq!(world.status("init {none} --metadata-dir {md}"), 2);
}

#[test]
fn a_folder_begins_once() {
    let world = World::new();
    let init = |name: &str| world.run(&format!("init [{name}/tuf/1.root.json] --metadata-dir {{md}}"));
    assert_eq!(init("rotated").0, 0);
    assert_eq!(world.status("refresh --metadata-url [rotated/tuf] --metadata-dir {md}"), 0);
    let newest = fs::read(world.at("md/root.json")).unwrap();
    assert_eq!(newest, fs::read(fixture("rotated/tuf/5.root.json")).unwrap());
    for version in 1..=5 {
        let name = format!("{version}.root.json");
        let kept = fs::read(world.at("md/root_history").join(&name)).unwrap();
        assert_eq!(kept, fs::read(fixture("rotated/tuf").join(&name)).unwrap());
    }
    let (status, _, stderr) = init("rotated");
    assert!(status == 0 && stderr.contains("already"), "it goes on from there: {stderr}");
    let (status, _, stderr) = init("teams");
    assert!(status == 2 && stderr.contains("is not this root"), "{stderr}");
    assert_eq!(fs::read(world.at("md/root.json")).unwrap(), newest);
}

#[test]
fn reports_say_what_was_seen_and_which_memory_there_was() {
    let world = World::new();
    let refresh = "refresh --trusted-root [teams/tuf/1.root.json] --metadata-url [teams/tuf]";
    for floor in ["none", "cached"] {
        let report = world.json(refresh);
        let repository = &report["repositories"][0];
        assert_eq!((&repository["name"], &repository["floor"]), (&"default".into(), &floor.into()));
        let names: Vec<&str> =
            repository["roles"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["root", "timestamp", "snapshot", "targets"]);
        assert_eq!(report["verdict"], "pass");
    }
    assert_eq!(fs::read_dir(world.at("cache/tuf")).unwrap().count(), 1);
    let report = world.json(&format!("{refresh} --no-cache"));
    assert_eq!(report["repositories"][0]["floor"], "none");
    let (status, stdout, stderr) = world.run("refresh --trusted-root [teams/tuf/1.root.json] --metadata-url {none}");
    assert_eq!(status, 3);
    assert!(stdout.contains("[tuf-unavailable]") && stderr.contains("file does not exist"), "{stdout}{stderr}");
}

#[test]
fn expired_metadata_is_no_pass() {
    let world = World::new();
    let run = |flags: &str| world.run(&format!("refresh --trusted-root [expired/tuf/1.root.json] {flags}"));
    let (status, stdout, _) = run("--metadata-url [expired/tuf]");
    assert_eq!(status, 1, "{stdout}");
    assert!(stdout.contains("2020"), "{stdout}");
}

#[test]
fn wrong_usage() {
    let world = World::new();
    for (args, says) in [
        ("init [teams/tuf/1.root.json]", "needs --metadata-dir"),
        ("init [teams/tuf/1.root.json] --metadata-dir {md} --target-name x", "--target-name is for `tuf download`"),
        ("init [teams/tuf/1.root.json] --metadata-dir {md} --trusted-root {x}", "--trusted-root takes the place"),
        ("refresh --metadata-dir {md}", "--metadata-url URL is needed"),
        ("refresh --metadata-url [teams/tuf]", "--metadata-dir DIR, after `tuf init`, or --trusted-root FILE"),
        ("refresh {x} --metadata-url [teams/tuf] --metadata-dir {md}", "ROOT is for `tuf init`"),
        ("refresh --metadata-url [teams/tuf] --metadata-dir {md} --target-dir {td}", "--target-dir is for"),
        ("refresh --metadata-url [teams/tuf] --metadata-dir {md}", "init ROOT` puts the first one there"),
        ("download --metadata-url [teams/tuf] --metadata-dir {md} --target-dir {td}", "needs --target-name"),
        ("download --metadata-url [teams/tuf] --metadata-dir {md} --target-name x", "needs --target-dir"),
        (
            "refresh --metadata-url ftp://h.test/x --trusted-root [teams/tuf/1.root.json]",
            "--metadata-url: TUF repository default: invalid URL scheme",
        ),
    ] {
        let (status, stdout, stderr) = world.run(args);
        assert_eq!((status, stdout.as_str()), (2, ""), "{args}: {stderr}");
        assert!(stderr.contains(says), "{args}: {stderr}");
    }
    assert!(!world.at("md").exists() && !world.at("td").exists());
}
