use proptest::prelude::*;

use super::super::lookup::{LookupAnswer, LookupError, NoLine, lines_for};
use super::super::testing::{Log, Signer, table};
use super::super::tlog::{AuthenticHead, TreeHead};

const CASES: &str = include_str!("../../../tests/data/sumdb/tlog-parse.json");

#[test]
fn records_as_go() {
    for case in table(CASES)["records"].as_array().unwrap() {
        let message = case["msg"].as_str().unwrap();
        match LookupAnswer::parse(message.as_bytes()) {
            Ok(answer) => {
                assert_eq!(case["err"], "", "{message:?}");
                assert_eq!(case["id"], answer.id);
                assert_eq!(case["text"], answer.text);
                assert_eq!(case["rest"].as_str().unwrap().as_bytes(), answer.note);
            }
            // Go refuses negative ids later, when it looks for the record.
            Err(LookupError::NegativeId) => assert!(case["id"].as_i64().unwrap() < 0),
            Err(error) => assert_eq!(case["err"], error.to_string(), "{message:?}"),
        }
    }
}

#[test]
fn what_go_refuses_in_a_record_is_refused() {
    for bad in [&b""[..], b"1", b"1\n", b"\nx\n\n", b"1\n\xff\n\n", b"1\nx\0\n\n", b"\xff\nx\n\n", b"<html>\nx\n\n"] {
        assert_eq!(LookupAnswer::parse(bad), Err(LookupError::Malformed), "{bad:?}");
    }
    assert_eq!(LookupAnswer::parse(b"-1\nx\n\n"), Err(LookupError::NegativeId));
}

const RECORD: &str = "example.com/m v1.0.0 h1:AAAA=\nexample.com/m v1.0.0/go.mod h1:BBBB=\n";

#[test]
fn lines_of_one_version_only() {
    let lines = lines_for(RECORD, "example.com/m", "v1.0.0");
    assert_eq!(lines.zip(), Ok(&["example.com/m v1.0.0 h1:AAAA="][..]));
    assert_eq!(lines.go_mod(), Ok(&["example.com/m v1.0.0/go.mod h1:BBBB="][..]));
    for (path, version) in [
        ("example.com/m", "v1.0"),
        ("example.com/m", "v1.0.0+incompatible"),
        ("example.com/m/v2", "v1.0.0"),
        ("xample.com/m", "v1.0.0"),
        ("example.com/m v1.0.0", "h1:AAAA="),
        ("", ""),
    ] {
        let lines = lines_for(RECORD, path, version);
        assert_eq!((lines.zip(), lines.go_mod()), (Err(NoLine), Err(NoLine)), "{path} {version}");
    }
}

/// CVE-2026-42501: the record is authentic, and about another module.
#[test]
fn a_record_without_the_line_vouches_for_nothing() {
    let lines = lines_for("example.com/other v1.0.0 h1:AAAA=\n", "example.com/m", "v1.0.0");
    assert_eq!(lines.zip().unwrap_err().to_string(), "checksum missing from sumdb response");
    assert_eq!(lines.go_mod(), Err(NoLine));
    let go_mod_only = lines_for("example.com/m v1.0.0/go.mod h1:BBBB=\n", "example.com/m", "v1.0.0");
    assert_eq!(go_mod_only.zip(), Err(NoLine));
    assert!(go_mod_only.go_mod().is_ok());
}

/// golang.org/x/mod/sumdb.Client.Lookup before v0.40.0: scans the whole response.
fn vulnerable_lines(response: &str, path: &str, version: &str) -> Vec<String> {
    let prefix = format!("{path} {version} ");
    response.split('\n').filter(|line| line.starts_with(&prefix)).map(str::to_owned).collect()
}

/// CVE-2026-56864: a tree note may carry extra lines, and a database can be brought to sign such that look like go.sum.
/// They are signed, and in no record.
#[test]
fn lines_in_the_tree_note_do_not_count() {
    let signer = Signer::new("sum.example", 1);
    let mut log = Log::new(3);
    let record = "example.com/other v1.0.0 h1:AAAA=\n";
    log.push(record.as_bytes());
    let hidden = "example.com/m v1.0.0 h1:EVIL=";
    let text = format!("{}{hidden}\n", log.head());
    let response = format!("3\n{record}\n{}", String::from_utf8(signer.sign(&text)).unwrap());

    // Everything about the answer is genuine: signature, tree, record.
    let answer = LookupAnswer::parse(response.as_bytes()).unwrap();
    let head = AuthenticHead::open(answer.note, &signer.verifier()).unwrap();
    assert_eq!(*head.head(), TreeHead { size: 4, root: log.head().root });

    assert_eq!(vulnerable_lines(&response, "example.com/m", "v1.0.0"), [hidden]);
    let lines = lines_for(answer.text, "example.com/m", "v1.0.0");
    assert_eq!((lines.zip(), lines.go_mod()), (Err(NoLine), Err(NoLine)));
}

proptest! {
    #[test]
    fn answers_never_panic(answer in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = LookupAnswer::parse(&answer);
    }

    #[test]
    fn answers_round_trip(id in 0..=i64::MAX as u64, text in "([ -~\u{e9}]{1,20}\n){1,5}", note in "[ -~\n]{0,40}") {
        let message = format!("{id}\n{text}\n{note}");
        let answer = LookupAnswer::parse(message.as_bytes()).unwrap();
        prop_assert_eq!(answer, LookupAnswer { id, text: &text, note: note.as_bytes() });
    }
}
