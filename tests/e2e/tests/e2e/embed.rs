//! The contract in another language: docs/examples/python judges again what the program recorded.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{Outcome, Run, Sandbox, change_hash, fixture, python, root};
use serde_json::Value;

const REQUIREMENTS: &str = "docs/examples/python/requirements.txt";

/// Where a file's digest is, and what it is of: everything behind it.
const DIGEST: std::ops::Range<usize> = 16..48;

/// Runs the example with the component that the program has.
fn example(what: &str, file: &Path) -> Option<Outcome> {
    let python = python("wasmtime", REQUIREMENTS)?;
    let component = std::env::var_os("MODANCHOR_COMPONENT").map_or(root().join("dist/modanchor.wasm"), PathBuf::from);
    let output = Command::new(python)
        .args(["-B", "-E", "-s"])
        .arg(root().join("docs/examples/python/verdict.py"))
        .args([what.as_ref(), file, "--component".as_ref(), component.as_ref()])
        .output()
        .expect("target/tools has a Python");
    Some(Outcome::from(output))
}

/// Records a run: what it was told, and the file.
fn record(s: &Sandbox, run: Run) -> (Outcome, PathBuf) {
    let file = s.path("run.evidence");
    let outcome = run.args(["--record"]).args([&file]).end();
    (outcome, file)
}

#[test]
fn python_comes_to_the_same_bytes() {
    let s = Sandbox::hello();
    let honest = s.read("go.sum");
    for status in [0, 1, 3] {
        let run = s.verify(["--no-cache"]);
        let run = if status == 3 { run.unplugged() } else { run };
        s.write("go.sum", if status == 1 { change_hash(&honest, 3) } else { honest.clone() });
        let (told, file) = record(&s, run);
        let Some(again) = example("replay", &file) else { return };
        assert_eq!((again.status, &again.stdout), (status, &told.status(status).stdout), "{}", again.stderr);
    }
}

#[test]
fn python_refuses_what_was_changed() {
    let hello = fs::read_to_string(fixture("hello/go.sum")).expect("a fixture");
    let s = Sandbox::with_gosum(&hello[..=hello.find('\n').expect("lines")]);
    let (_, file) = record(&s, s.verify(["--no-cache"]));
    let good = fs::read(&file).expect("it was written");
    let document = inflate(&good);
    let change = |from: &str, to: &str| {
        assert!(document.contains(from), "{from}");
        deflate(&document.replacen(from, to, 1))
    };
    let mut flipped = good.clone();
    *flipped.last_mut().expect("bytes") ^= 1;
    for (why, bytes) in [
        ("not a file of evidence", document.clone().into_bytes()),
        ("was changed, or is cut off", flipped),
        ("was changed, or is cut off", good[..good.len() - 1].to_vec()),
        ("does not inflate", redigested([&good[..], &[0]].concat())),
        ("is not evidence", deflate("{}")),
        ("this reads", change("modanchor-evidence/1", "modanchor-evidence/2")),
        ("not written as it has to be", change("\"fail-on\":\"medium\"", "\"fail-on\": \"medium\"")),
        ("not written as it has to be", change("{\"schema\"", "{\"schema\":0,\"schema\"")),
        ("is not evidence", change("\"tile-height\":8", "\"tile-height\":264")),
        ("is not evidence", change("\"tile-height\":8", "\"tile-height\":true")),
        ("refuses the job", change("\"tile-height\":8", "\"tile-height\":0")),
        ("recorded with the component", change("\"component\":\"sha256:", "\"component\":\"sha256:0")),
        ("asks for something else", change("\"max-bytes\":", "\"max-bytes\":1")),
        ("comes to another outcome", change("\"verdict\":\"pass\",\"status\":0", "\"verdict\":\"fail\",\"status\":1")),
        ("answers what was never asked", change("]],\"outcome\"", "],[]],\"outcome\"")),
    ] {
        fs::write(&file, bytes).expect("a file");
        let Some(refused) = example("replay", &file) else { return };
        assert!(refused.stdout.is_empty() && refused.stderr.contains(why), "{why}: {refused:?}");
        refused.status(2);
    }
}

/// The component reads a file of Python's through the one interface that it imports.
#[test]
fn python_hashes_with_the_component() {
    let zips = root().join("guest/tests/data/zip");
    let cases: Value = serde_json::from_slice(&fs::read(zips.join("cases.json")).expect("the table")).expect("JSON");
    let deflated = cases.as_array().and_then(|all| all.iter().find(|case| case["name"] == "deflated"));
    let h1 = deflated.and_then(|case| case["h1"].as_str()).expect("a hash");
    let Some(hashed) = example("h1", &zips.join("deflated.zip")) else { return };
    assert_eq!(hashed.status(0).stdout.trim_end(), h1);
    let refused = example("h1", &zips.join("cases.json")).expect("as before").status(2);
    assert!(refused.stderr.contains("not a zip"), "{}", refused.stderr);
}

fn inflate(file: &[u8]) -> String {
    std::io::read_to_string(flate2::read::GzDecoder::new(file)).expect("a document")
}

/// A file around a document, as the program writes it.
fn deflate(document: &str) -> Vec<u8> {
    use std::io::Write as _;
    let extra = [&b"MA\x20\x00"[..], &[0; 32]].concat();
    let gzip = flate2::GzBuilder::new().extra(extra).operating_system(0xff);
    let mut gzip = gzip.write(Vec::new(), flate2::Compression::default());
    gzip.write_all(document.as_bytes()).expect("memory");
    redigested(gzip.finish().expect("memory"))
}

/// The file with the digest that its bytes have.
fn redigested(mut file: Vec<u8>) -> Vec<u8> {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(&file[DIGEST.end..]);
    file[DIGEST].copy_from_slice(&digest);
    file
}
