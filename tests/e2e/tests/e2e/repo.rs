//! `modanchor repo`: what it publishes, read by itself and by its peers.

use std::fs;
use std::path::Path;

use e2e::s3::S3;
use e2e::tuf::{Reader, Site, go_tuf, python_tuf};
use e2e::{Outcome, Sandbox};
use serde_json::Value;

/// The zip of a module with one file, stored.
fn zip(module: &str, content: &str) -> Vec<u8> {
    let path = module.split_once('@').expect("MODULE@VERSION").0;
    let files = [("go.mod", format!("module {path}\n")), ("x.go", format!("package x // {content}\n"))];
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in &files {
        let name = format!("{module}/{name}");
        let offset = u32::try_from(out.len()).expect("small");
        let mut crc = flate2::Crc::new();
        crc.update(content.as_bytes());
        let size = u32::try_from(content.len()).expect("small").to_le_bytes();
        let length = u16::try_from(name.len()).expect("short").to_le_bytes();
        let common =
            [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &crc.sum().to_le_bytes(), &size, &size, &length, &[0; 2]].concat();
        out.extend([&b"PK\x03\x04"[..], &common, name.as_bytes(), content.as_bytes()].concat());
        directory
            .extend([&b"PK\x01\x02\x14\0"[..], &common, &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat());
    }
    let (start, size) = (u32::try_from(out.len()).expect("small"), u32::try_from(directory.len()).expect("small"));
    out.extend(directory);
    out.extend([&b"PK\x05\x06\0\0\0\0\x02\0\x02\0"[..], &size.to_le_bytes(), &start.to_le_bytes(), &[0; 2]].concat());
    out
}

/// A checkout with keys that need no passphrase, and an empty repository in `approved`.
fn repository(options: &[&str]) -> Sandbox {
    let s = Sandbox::new();
    for (name, kind) in [("root", "ed25519"), ("targets", "ecdsa-p256"), ("online", "ed25519"), ("team", "rsa-pss")] {
        repo(&s, &["key", "new", "--no-passphrase", "--kind", kind, &format!("{name}.pem")]).status(0);
    }
    let init = ["init", "--root-key", "root.pem", "--targets-key", "targets.pem", "--snapshot-key", "online.pem"];
    repo(&s, &[&init, options].concat()).status(0);
    s
}

fn repo(s: &Sandbox, args: &[&str]) -> Outcome {
    s.run(["repo", "--dir", "approved"]).args(args).env("GOPRIVATE", "example.com").end()
}

fn add(s: &Sandbox, module: &str, content: &str) -> Outcome {
    s.write("m.zip", zip(module, content));
    repo(s, &["add", module, "--zip", "m.zip"])
}

/// go.sum lines of a module version, of what [`zip`] makes.
fn lines(s: &Sandbox, module: &str, content: &str) -> String {
    let (path, version) = module.split_once('@').expect("MODULE@VERSION");
    s.write("h.zip", zip(module, content));
    s.write("h.mod", format!("module {path}\n"));
    let zip = s.run(["hash", "zip", "h.zip", module]).end().status(0).stdout;
    let go_mod = s.run(["hash", "mod", "h.mod"]).end().status(0).stdout;
    format!("{path} {version} {zip}{path} {version}/go.mod {go_mod}")
}

/// A repository with a team, bins, a revocation, a waiver and a rotated root is read by all three clients.
fn is_read_by(read: Reader) {
    let s = repository(&["--bins", "4"]);
    repo(&s, &["delegate", "team", "--key", "team.pem", "--modules", "example.com/Team", "--depth", "2"]).status(0);
    let modules = ["example.com/m@v1.0.0", "example.com/Team/a/b@v1.0.0", "example.com/revoked@v1.0.0"];
    for module in modules {
        add(&s, module, "x").status(0);
    }
    repo(&s, &["publish"]).status(0);
    repo(&s, &["revoke", "example.com/revoked@v1.0.0", "--reason", "stolen", "--until", "30d"]).status(0);
    repo(&s, &["key", "new", "--no-passphrase", "root2.pem"]).status(0);
    repo(&s, &["root", "rotate", "r.json", "--add-key", "root2.pem", "--remove-key", "root"]).status(0);
    repo(&s, &["root", "sign", "r.json", "--key", "root.pem", "--key", "root2.pem"]).status(0);
    repo(&s, &["root", "finish", "r.json"]).status(0);
    repo(&s, &["publish"]).status(0);
    repo(&s, &["refresh-timestamp"]).status(0);
    repo(&s, &["verify"]).status(0);

    let site = Site::of(s.checkout().join("approved"));
    let first = s.checkout().join("approved/tuf/1.root.json");
    let zips =
        ["example.com/m/@v/v1.0.0.zip", "example.com/!team/a/b/@v/v1.0.0.zip", "example.com/revoked/@v/v1.0.0.zip"];
    let Some(answer) = read(&site.url("tuf"), &first, &zips) else { return };
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!((answer.version("root"), answer.version("timestamp")), (Some(2), Some(3)), "{answer:?}");
    for (module, path) in modules.iter().zip(zips) {
        let h1 = lines(&s, module, "x");
        let h1 = h1.lines().next().and_then(|line| line.rsplit_once(' ')).map(|(_, h1)| h1.to_owned());
        assert_eq!(answer.h1(path), h1.as_deref(), "{path}");
    }
    let nothing = read(&site.url("tuf"), &first, &["example.com/Team/a/b/@v/v1.0.0.zip"]).expect("it is there");
    assert!(!nothing.is_ok(), "capitals are escaped: {nothing:?}");
}

#[test]
fn python_tuf_reads_what_is_published() {
    is_read_by(python_tuf);
}

#[test]
fn go_tuf_reads_what_is_published() {
    is_read_by(go_tuf);
}

/// A lost file, a changed file and a frozen timestamp are found by `verify`, from scratch.
#[test]
fn verify_is_a_client() {
    let s = repository(&[]);
    add(&s, "example.com/m@v1.0.0", "x").status(0);
    repo(&s, &["publish"]).status(0);
    repo(&s, &["verify"]).status(0);
    let folder = s.checkout().join("approved/example.com/m/@v");
    let consistent = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().ends_with(".v1.0.0.zip"))
        .expect("the name with a hash");
    let mut bytes = fs::read(&consistent).expect("a file");
    bytes[0] ^= 1;
    fs::remove_file(&consistent).expect("removed");
    fs::write(&consistent, bytes).expect("written");
    repo(&s, &["verify"]).status(1);
    repo(&s, &["verify", "--metadata-only"]).status(0);
}

#[test]
fn a_go_sum_is_approved_after_it_was_shown() {
    let s = repository(&[]);
    for module in ["example.com/a@v1.0.0", "example.com/b@v1.1.0"] {
        let (path, version) = module.split_once('@').expect("MODULE@VERSION");
        let cache = s.path("gomodcache/cache/download").join(path).join("@v");
        e2e::write(&cache.join(format!("{version}.zip")), zip(module, "x"));
        e2e::write(&cache.join(format!("{version}.mod")), format!("module {path}\n"));
        e2e::write(
            &cache.join(format!("{version}.info")),
            format!(r#"{{"Version":"{version}","Time":"2024-05-06T07:08:09Z"}}"#),
        );
    }
    let text = lines(&s, "example.com/a@v1.0.0", "x")
        + lines(&s, "example.com/b@v1.1.0", "x").lines().nth(1).expect("go.mod")
        + "\n";
    s.write("go.sum", &text);
    let shown = repo(&s, &["add", "--from", "go.sum"]).status(1);
    assert!(shown.stdout.contains("new      example.com/a/@v/v1.0.0.zip"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("example.com/b/@v/v1.1.0.zip"), "only its go.mod is needed: {}", shown.stdout);
    let status: Value =
        serde_json::from_str(&repo(&s, &["status", "--format", "json"]).status(0).stdout).expect("JSON");
    assert_eq!(status["waiting"], 0, "nobody has said yes");
    repo(&s, &["add", "--from", "go.sum", "--yes"]).status(0);
    repo(&s, &["publish"]).status(0);
    let again = repo(&s, &["add", "--from", "go.sum"]).status(0);
    assert!(again.stdout.contains("approved already"), "{}", again.stdout);
    let info = fs::read_to_string(s.checkout().join("approved/example.com/a/@latest")).expect("@latest");
    assert_eq!(info, r#"{"Time":"2024-05-06T07:08:09Z","Version":"v1.0.0"}"#);
    // What the module cache has is not what go.sum says.
    s.write("go.sum", lines(&s, "example.com/a@v1.0.0", "other"));
    let refused = repo(&s, &["add", "--from", "go.sum", "--yes"]).status(1);
    assert!(refused.stderr.contains("go.sum has h1:"), "{}", refused.stderr);
}

/// The recorded database knows this version; what is added under its name is something else.
#[test]
fn a_public_module_that_differs_from_the_log_is_refused() {
    let s = repository(&[]);
    let refused = add(&s, "golang.org/x/text@v0.43.0", "x").status(1);
    assert!(refused.stderr.contains("differs from the checksum database"), "{}", refused.stderr);
    let unknown = add(&s, "golang.org/x/nosuch@v0.9.9", "x").status(3);
    assert!(unknown.stderr.contains("nothing was added"), "{}", unknown.stderr);
    let status: Value =
        serde_json::from_str(&repo(&s, &["status", "--format", "json"]).status(0).stdout).expect("JSON");
    assert_eq!(status["waiting"], 0);
    // Who says so gets it all the same.
    s.write("m.zip", zip("golang.org/x/text@v0.43.0", "x"));
    let off = repo(&s, &["add", "golang.org/x/text@v0.43.0", "--zip", "m.zip", "--sumdb", "off"]).status(0);
    assert!(off.stderr.contains("not compared with a checksum database"), "{}", off.stderr);
}

#[test]
fn the_seed_of_this_design_works() {
    let s = Sandbox::new();
    for name in ["root.pem", "targets.pem"] {
        repo(&s, &["key", "new", "--no-passphrase", name]).status(0);
    }
    repo(&s, &["init", "--root-key", "root.pem", "--targets-key", "targets.pem"]).status(0);
    s.write("m.zip", zip("example.com/m@v1.0.0", "x"));
    let targets = ["targets", "add", "example.com/m@v1.0.0", "--target-path", "m.zip", "--key", "targets.pem"];
    let wrong = repo(&s, &[&targets[..], &["--sha256sum", &"0".repeat(64)]].concat()).status(1);
    assert!(wrong.stderr.contains("SHA-256"), "{}", wrong.stderr);
    repo(&s, &targets).status(0);
    repo(&s, &["commit"]).status(0);
    repo(&s, &["verify"]).status(0);
}

#[test]
fn wrong_usage_is_2() {
    let s = Sandbox::new();
    let usage: [&[&str]; 6] = [
        &["status"],
        &["publish"],
        &["add", "example.com/m@v1"],
        &["key", "show", "awskms:///x"],
        &["revoke", "example.com/m@v1.0.0"],
        &["waive", "example.com/m@v1.0.0", "--reason", "x"],
    ];
    for args in usage {
        repo(&s, args).status(2);
    }
    repo(&s, &["init", "--root-key", "absent.pem", "--targets-key", "absent.pem"]).status(3);
    assert!(!Path::new(&s.checkout().join("approved/tuf")).exists());
}

#[test]
fn an_object_store_is_published_to() {
    let Some(s3) = S3::start() else { return };
    let s = repository(&["--store", &format!("s3://{}/some/repo", S3::BUCKET)]);
    let repo = |args: &[&str]| {
        let run = s.run(["repo", "--dir", "approved"]).args(args).env("GOPRIVATE", "example.com");
        s3.env().into_iter().fold(run, |run, (name, value)| run.env(name, value)).end()
    };
    for (module, timestamp) in [("example.com/a@v1.0.0", 1), ("example.com/b@v1.0.0", 2)] {
        s.write("m.zip", zip(module, "x"));
        repo(&["add", module, "--zip", "m.zip"]).status(0);
        let published = repo(&["publish"]).status(0);
        assert!(published.stdout.contains(&format!("timestamp {timestamp}\n")), "{}", published.stdout);
    }
    for key in ["tuf/1.root.json", "tuf/2.targets.json", "example.com/a/@v/v1.0.0.zip", "example.com/b/@latest"] {
        assert_eq!(s3.request("GET", &format!("some/repo/{key}"), &[], b"").0, 200, "{key}");
    }
    assert!(!s.checkout().join("approved/tuf").exists());
}
