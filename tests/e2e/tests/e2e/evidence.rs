//! Evidence as a user has it: recorded, replayed, signed, looked into. That every run replays to the same report is tested with
//! every test of `verify` ([`e2e::Run::replayed`]).

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use e2e::{Sandbox, change_hash, fixture, write};
use flate2::read::GzDecoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::cosign::cosign;

/// A checkout of 19 lines, of which the second is wrong, and `run.evidence` of verifying it.
fn tampered() -> Sandbox {
    let s = Sandbox::hello();
    s.write("go.sum", change_hash(&s.read("go.sum"), 2));
    s.run(["verify", "--record", "run.evidence"]).end().status(1);
    s
}

fn document(file: &Path) -> String {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(file).expect("it was written")).read_to_string(&mut text).expect("it inflates");
    text
}

/// A file of evidence around another document.
fn with_document(file: &Path, document: &str) {
    let old = fs::read(file).expect("it was written");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(document.as_bytes()).expect("a Vec takes every write");
    let body = gzip.finish().expect("a Vec takes every write").split_off(10);
    fs::write(file, [&old[..16], &Sha256::digest(&body)[..], &body].concat()).expect("it can be written");
}

#[test]
fn a_recorded_run_is_told_again_in_every_format() {
    let s = tampered();
    for format in ["human", "json", "sarif", "github", "markdown"] {
        let first = s.run(["verify", "--format", format, "--offline", "--record", "again.evidence"]).end().status(1);
        let again = s.run(["replay", "--quiet", "--format", format, "again.evidence"]).end().status(1);
        if format != "human" {
            assert_eq!(again.stdout, first.stdout, "{format}");
        }
        // What a person sees has the line itself too, which is in the evidence.
        assert!(again.stdout.contains("mismatch") && again.stderr.is_empty(), "{format}: {again:?}");
    }
    let out = s.run(["replay", "run.evidence"]).end().status(1);
    for part in [
        "go.sum:2",
        "the same report, byte for byte",
        "checksum database sum.golang.org: the same as yours",
        "go.sum: the same as yours",
        "only said by who recorded it",
    ] {
        assert!(
            out.stdout.contains(part) || out.stderr.contains(part),
            "{part} is not in\n{}{}",
            out.stdout,
            out.stderr
        );
    }
    s.run(["verify", "--fail-on", "never", "--offline", "--record", "again.evidence"]).end().status(0);
    s.run(["replay", "--require-same", "again.evidence"]).end().status(0);
    s.write("go.sum", "");
    let out = s.run(["replay", "--require-same", "again.evidence"]).end().status(1);
    assert!(out.stderr.contains("--require-same: 1 of what it stands on"), "{}", out.stderr);
    let out = s.run(["replay", "run.evidence"]).env("GOSUMDB", "off").end().status(1);
    assert!(out.stderr.contains("go.sum: NOT the file that you have"), "{}", out.stderr);
    assert!(out.stderr.contains("sum.golang.org: you have none"), "{}", out.stderr);
}

#[test]
fn what_is_recorded_holds_no_secret_and_no_place() {
    let s = Sandbox::hello();
    let at = |name: &str| s.path(name).to_str().expect("UTF-8").to_owned();
    for name in ["policy.yaml", "trusted_root.json"] {
        fs::copy(fixture("sigstore-grades").join(name), s.path(name)).expect("the fixture is there");
    }
    write(&s.path("m.toml"), "exclude = [\"none\"]\n");
    write(&s.path("home/.netrc"), "machine 127.0.0.1 login user password netrc-s3cret\n");
    let folder = format!("folder:{}", at("attestations"));
    s.run(["verify", "--max-wait", "2s", "--record", &at("run.evidence"), "--config", &at("m.toml")])
        .args(["--policy", &at("policy.yaml"), "--trusted-root", &at("trusted_root.json"), "--attestations", &folder])
        .args([
            "--attestations",
            "template:https://user:template-s3cret@127.0.0.1:9/{path}/{version}",
            "--attestations",
            "proxy",
        ])
        .args([s.checkout()])
        .env("GOSUMDB", format!("{} https://user:sumdb-s3cret@127.0.0.1:9", e2e::SUM_GOLANG_ORG))
        .env("GOPROXY", "https://user:proxy-s3cret@127.0.0.1:9")
        .env("GITHUB_TOKEN", "ghp_token0s3cret")
        .end()
        .status_in(&[1, 3]);
    let text = document(&s.path("run.evidence"));
    assert!(text.contains("policy.yaml") && text.contains("trusted_root.json"), "what is named is there");
    let dir = s.path("");
    let dir = dir.file_name().expect("a name").to_str().expect("UTF-8");
    for secret in ["s3cret", "user:", dir, "127.0.0.1:9"] {
        let at = text.find(secret).map(|at| text[..at].chars().rev().take(200).collect::<String>());
        assert_eq!(at, None, "{secret} is in it");
    }
    // Nor in the report, which promises it too.
    let report = s.run(["replay", "--quiet", "--format", "json", &at("run.evidence")]).end().stdout;
    assert!(!report.contains(dir), "{report}");
}

/// What was found is shown all the same.
#[test]
fn evidence_that_cannot_be_written_is_no_pass_and_hides_nothing() {
    let s = tampered();
    let out = s.run(["verify", "--offline", "--record", "no/such/folder"]).end().status(1);
    assert!(out.stdout.contains("gosum-mismatch") && out.stderr.contains("--record no/such/folder"), "{out:?}");
    s.write("go.sum", fs::read_to_string(fixture("hello/go.sum")).expect("the fixture is there"));
    let out = s.run(["verify", "--offline", "--record", "no/such/folder"]).end().status(3);
    assert!(out.stdout.starts_with("pass: ") && out.stderr.contains("--record no/such/folder"), "{out:?}");
}

#[test]
fn wrong_evidence_is_refused_and_named() {
    let s = tampered();
    let file = s.checkout().join("run.evidence");
    let good = fs::read(&file).expect("it was written");
    let refused = |status, part: &str| {
        let out = s.run(["replay", "run.evidence"]).end().status(status);
        assert!(out.stdout.is_empty() && out.stderr.contains(part), "{part} is not in\n{}{}", out.stdout, out.stderr);
        let out = s.run(["evidence", "show", "run.evidence"]).end().status(status);
        assert!(out.stdout.is_empty() && out.stderr.contains(part), "{part} is not in\n{}{}", out.stdout, out.stderr);
    };
    fs::write(&file, "{}").expect("it can be written");
    refused(2, "not evidence");
    fs::remove_file(&file).expect("it was there");
    refused(2, "run.evidence");
    fs::write(&file, &good[..good.len() / 2]).expect("it can be written");
    refused(1, "changed or is cut off");
    let mut changed = good.clone();
    changed[100] ^= 1;
    fs::write(&file, &changed).expect("it can be written");
    refused(1, "changed or is cut off");

    fs::write(&file, &good).expect("it can be written");
    let honest = document(&file);
    with_document(&file, &honest.replacen("\"status\":1", "\"status\":0", 1));
    refused(1, "another outcome than was recorded");
    with_document(&file, &honest.replacen("\"fail-on\":\"medium\"", "\"fail-on\":\"never\"", 1));
    refused(1, "another outcome than was recorded");
    with_document(&file, &honest.replacen("{\"schema\":", "{\"x\":1,\"schema\":", 1));
    refused(1, "`x` is not known here");

    // Of another component: only when told, and the report names who judged.
    let own = honest.split("sha256:").nth(1).expect("the component's digest")[..64].to_owned();
    with_document(&file, &honest.replacen(&own, &"0".repeat(64), 1));
    refused(3, "--other-component");
    let out = s.run(["replay", "--other-component", "--record", "new.evidence", "--format", "json", "run.evidence"]);
    let report = out.end().status(1).report();
    assert_eq!(report.0["tool"]["component"], format!("sha256:{own}"));
    s.run(["replay", "new.evidence"]).end().status(1);
    assert_eq!(document(&s.checkout().join("new.evidence")), honest, "the same as if this one had recorded");
}

#[test]
fn evidence_is_looked_into() {
    let s = tampered();
    let shown: Value =
        serde_json::from_str(&s.run(["evidence", "show", "--json", "run.evidence"]).end().status(0).stdout)
            .expect("JSON");
    assert_eq!((&shown["verdict"], &shown["status"]), (&"fail".into(), &1.into()));
    assert_eq!(shown["anchors"][0]["yours"], "same");
    assert_eq!(shown["inputs"][1]["path"], "go.sum");

    s.run(["evidence", "minimize", "-o", "small.evidence", "run.evidence"]).end().status(0);
    let small = s.run(["replay", "--quiet", "--format", "json", "small.evidence"]).end().status(1).report();
    // Not always the one line alone: another record's answer may have brought the head that this one is proven by.
    assert_eq!(small.rules(), ["gosum-mismatch"]);
    assert!(small.count("lines") <= 3, "{} lines", small.count("lines"));
    let full = s.run(["replay", "--quiet", "--format", "json", "run.evidence"]).end().status(1).report();
    assert_eq!(small.findings()[0]["fingerprint"], full.findings()[0]["fingerprint"]);
    let size = |name: &str| fs::metadata(s.checkout().join(name)).expect("it was written").len();
    assert!(
        size("small.evidence") < size("run.evidence") / 2,
        "{} of {}",
        size("small.evidence"),
        size("run.evidence")
    );

    s.run(["evidence", "diff", "run.evidence", "run.evidence"]).end().status(0);
    s.write("go.sum", fs::read_to_string(fixture("hello/go.sum")).expect("the fixture is there"));
    s.run(["verify", "--record", "later.evidence"]).end().status(0);
    let out = s.run(["evidence", "diff", "run.evidence", "later.evidence"]).end().status(1);
    for part in
        ["input go.sum: ", "no longer found: go.sum:2: gosum-mismatch", "verdict: fail -> pass", "status: 1 -> 0"]
    {
        assert!(out.stdout.contains(part), "{part} is not in\n{}", out.stdout);
    }
    s.run(["evidence", "minimize", "-o", "x", "later.evidence"]).end().status(2);
}

#[test]
fn a_blob_and_a_lookup_are_recorded_too() {
    let s = Sandbox::new();
    let public = |name: &str| fixture("sigstore-public/npm").join(name).to_str().expect("UTF-8").to_owned();
    s.run(["sigstore", "verify-blob", "--bundle", &public("v0.3.sigstore.json"), "--record", "blob.evidence"])
        .args([
            "--certificate-identity-regexp",
            "sigstore-js",
            "--certificate-oidc-issuer-regexp",
            "github",
            "--offline",
        ])
        .args([public("sigstore-2.1.0.tgz")])
        .end()
        .status(0);
    s.run(["replay", "blob.evidence"]).end().status(0);
    s.run(["lookup", "golang.org/x/sync@v0.24.0", "--record", "lookup.evidence"]).end().status(0);
    s.run(["replay", "lookup.evidence"]).end().status(0);
}

#[test]
fn a_required_signature_is_there_or_the_evidence_is_refused() {
    let s = tampered();
    let refused = |args: &[&str], status, part: &str| {
        let out = s.run(["replay", "run.evidence"]).args(args).end().status(status);
        assert!(out.stdout.is_empty() && out.stderr.contains(part), "{part} is not in\n{}{}", out.stdout, out.stderr);
    };
    s.write("cosign.pub", "");
    refused(&["--require-signer", "key:cosign.pub"], 1, "not signed");
    refused(&["--require-signer", "identity:me@example.com"], 2, "--signer-issuer");
    refused(&["--require-signer", "cosign.pub"], 2, "key:FILE or identity:SUBJECT");
    // A real bundle, of something else.
    let bundle = fixture("sigstore-public/npm/v0.3.sigstore.json");
    fs::copy(bundle, s.checkout().join("run.evidence.sigstore.json")).expect("the fixture is there");
    let identity = ["--require-signer", "identity:me@example.com", "--signer-issuer", "https://example.com"];
    refused(&identity, 1, "not signed by me@example.com");

    let Some(cosign) = cosign() else { return };
    let run = |args: &[&str]| {
        let mut command = Command::new(&cosign);
        command.args(args).current_dir(s.checkout()).env("COSIGN_PASSWORD", "").env("HOME", s.path("home"));
        let out = command.output().expect("cosign runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    fs::remove_file(s.checkout().join("cosign.pub")).expect("it was there");
    run(&["generate-key-pair"]);
    let bundle = ["--bundle", "run.evidence.sigstore.json", "run.evidence"];
    let offline = ["sign-blob", "--yes", "--key", "cosign.key", "--use-signing-config=false", "--tlog-upload=false"];
    run(&[&offline[..], &bundle[..]].concat());
    let out = s.run(["replay", "run.evidence", "--require-signer", "key:cosign.pub"]).end().status(1);
    assert!(out.stdout.contains("gosum-mismatch") && out.stderr.contains("signed by the key in cosign.pub"), "{out:?}");
    // Other evidence, under that signature.
    s.run(["verify", "--offline", "--record", "run.evidence"]).end().status(1);
    refused(&["--require-signer", "key:cosign.pub"], 1, "not signed by the key");
}
