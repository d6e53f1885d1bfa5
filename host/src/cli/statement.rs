//! `modanchor statement MODULE@VERSION`: the in-toto statement of a module version, ready to be signed.
//!
//! The subject is the module's zip, by both names that verifiers know it by: `dirHash1`, the hexadecimal form of
//! go.sum's `h1:` (<https://github.com/in-toto/attestation/blob/main/spec/v1/digest_set.md>), and the SHA-256 of the
//! zip as it lies here. Both are computed from one open file, which must follow Go's rules for the zip of this very
//! version. What is said about it is a file of the user's, SLSA provenance for one; without one, in-toto's release
//! predicate, which says which release it is.

use std::io;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use modanchor_core::module::ModuleVersion;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde_json::Value;

use super::args::{StatementArgs, TerminalArgs};
use super::paths::read_regular;
use super::session::Failed;
use crate::engine::hashing::{self, Zip};
use crate::goenv::{GoEnv, Sources};
use crate::modcache::{Kind, ModCache};
use crate::output::{self, Diagnostic};

/// The largest predicate, in bytes: what GitHub and Rekor take of a whole statement is not more.
pub const MAX_PREDICATE: u64 = 1 << 20;

/// Version 1 of the statement (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>).
const STATEMENT: &str = "https://in-toto.io/Statement/v1";

/// What is said where the user says nothing
/// (<https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md>).
const RELEASE: &str = "https://in-toto.io/attestation/release/v0.2";

/// Exit status of what no module may be.
const REFUSED: u8 = 1;

/// What stands for itself in a purl (<https://github.com/package-url/purl-spec>).
const PURL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(rename = "_type")]
    kind: &'a str,
    subject: [Subject; 1],
    predicate_type: &'a str,
    predicate: Value,
}

#[derive(Serialize)]
struct Subject {
    name: String,
    digest: Digest,
}

#[derive(Serialize)]
struct Digest {
    #[serde(rename = "dirHash1")]
    dir_hash_1: String,
    sha256: String,
}

/// Writes the statement to stdout, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &StatementArgs) -> Result<u8, Failed> {
    let module: ModuleVersion = args.module.parse().map_err(Failed::usage)?;
    let predicate = match (&args.predicate, &args.predicate_type) {
        (Some(file), Some(kind)) => (kind.as_str(), predicate(file)?),
        _ => (RELEASE, serde_json::json!({ "purl": purl(&module) })),
    };
    let path = match &args.zip {
        Some(file) => file.clone(),
        None => {
            let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
            let cache = env.modcache().context("there is no module cache; name the zip: --zip FILE");
            ModCache::new(cache.map_err(Failed::usage)?).path(&module, Kind::Zip)
        }
    };
    let engine = args.hash_engine.load().map_err(Failed::unchecked)?;
    let zip = match hashing::zip_and_sha256(&path, &module, &engine).map_err(Failed::unchecked)? {
        Ok(zip) => zip,
        Err(refusal) => {
            Diagnostic::Error.print(terminal, &format!("refused ({}): {}", refusal.code, refusal.text));
            return Ok(REFUSED);
        }
    };
    let text = statement(&module, zip, predicate.0, predicate.1).map_err(Failed::unchecked)?;
    output::to_stream(io::stdout(), false, text.as_bytes()).map_err(Failed::unchecked)?;
    Ok(0)
}

fn statement(
    module: &ModuleVersion,
    zip: Zip,
    predicate_type: &str,
    predicate: Value,
) -> Result<String, serde_json::Error> {
    let digest = Digest { dir_hash_1: zip.dir_hash_1, sha256: zip.sha256 };
    let subject = [Subject { name: format!("{}@{}", module.path(), module.version()), digest }];
    let statement = Statement { kind: STATEMENT, subject, predicate_type, predicate };
    serde_json::to_string_pretty(&statement).map(|text| text + "\n")
}

fn predicate(file: &Path) -> Result<Value, Failed> {
    let bytes = read_regular(file, MAX_PREDICATE).map_err(Failed::usage)?;
    let value = serde_json::from_slice(&bytes);
    match value.with_context(|| format!("--predicate {}", file.display())).map_err(Failed::usage)? {
        value @ Value::Object(_) => Ok(value),
        _ => Err(Failed::usage(anyhow!("--predicate {}: expected a JSON object", file.display()))),
    }
}

/// The package URL of a module version. The specification has its path in lower case, so that it names, and does not
/// identify.
fn purl(module: &ModuleVersion) -> String {
    let element = |text: &str| utf8_percent_encode(text, PURL).to_string();
    let path: Vec<String> = module.path().to_ascii_lowercase().split('/').map(element).collect();
    format!("pkg:golang/{}@{}", path.join("/"), element(module.version()))
}

/// A predicate's type as it is typed: an absolute URI.
///
/// # Errors
/// It is none.
pub(super) fn predicate_type(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(_) if text.bytes().all(|b| b.is_ascii_graphic()) => Ok(text.to_owned()),
        _ => Err("not a URI such as https://slsa.dev/provenance/v1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn module(text: &str) -> ModuleVersion {
        text.parse().unwrap()
    }

    #[test]
    fn a_statement() {
        let zip = Zip { dir_hash_1: "ab".repeat(32), sha256: "cd".repeat(32) };
        let module = module("github.com/BurntSushi/toml@v1.6.0");
        let text = statement(&module, zip, RELEASE, serde_json::json!({ "purl": purl(&module) })).unwrap();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn package_urls() {
        for (text, want) in [
            ("golang.org/x/text@v0.14.0", "pkg:golang/golang.org/x/text@v0.14.0"),
            ("github.com/BurntSushi/toml@v1.6.0", "pkg:golang/github.com/burntsushi/toml@v1.6.0"),
            ("ex.test/m@v2.0.0+incompatible", "pkg:golang/ex.test/m@v2.0.0%2Bincompatible"),
            ("gopkg.in/yaml.v2@v2.0.0-RC1", "pkg:golang/gopkg.in/yaml.v2@v2.0.0-RC1"),
        ] {
            assert_eq!(purl(&module(text)), want);
        }
    }

    #[test]
    fn predicates() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p.json");
        let status = |content: &[u8]| {
            fs::write(&file, content).unwrap();
            predicate(&file).map_err(|failed| (failed.status, format!("{:#}", failed.error)))
        };
        assert_eq!(status(br#"{"a": 1}"#), Ok(serde_json::json!({ "a": 1 })));
        let largest = format!(r#"{{"a":"{}"}}"#, "x".repeat(MAX_PREDICATE as usize - 8));
        assert!(status(largest.as_bytes()).is_ok());
        for (content, want) in
            [(&b"[]"[..], "expected a JSON object"), (b"{", "--predicate"), ((largest + " ").as_bytes(), "larger than")]
        {
            let (status, why) = status(content).unwrap_err();
            assert!(status == 2 && why.contains(want), "{why}");
        }
        for (text, good) in [
            ("https://slsa.dev/provenance/v1", true),
            ("urn:x:y", true),
            ("", false),
            ("slsa", false),
            ("https://a b", false),
        ] {
            assert_eq!(predicate_type(text).is_ok(), good, "{text:?}");
        }
    }
}
