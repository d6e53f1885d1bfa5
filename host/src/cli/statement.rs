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
use modanchor_core::provenance::statement::Statement;
use modanchor_core::provenance::vsa::purl;
use serde_json::{Map, Value};

use super::args::{StatementArgs, TerminalArgs};
use super::paths::read_regular;
use super::session::Failed;
use crate::engine::hashing;
use crate::goenv::{GoEnv, Sources};
use crate::modcache::{Kind, ModCache};
use crate::output::{self, Diagnostic};

/// The largest predicate, in bytes; provenance has some ten kilobytes.
pub const MAX_PREDICATE: u64 = 1 << 20;

/// What is said where the user says nothing
/// (<https://github.com/in-toto/attestation/blob/main/spec/predicates/release.md>).
const RELEASE: &str = "https://in-toto.io/attestation/release/v0.2";

/// Exit status of what no module may be.
const REFUSED: u8 = 1;

/// Writes the statement to stdout, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &StatementArgs) -> Result<u8, Failed> {
    let module: ModuleVersion = args.module.parse().map_err(Failed::usage)?;
    let predicate = match (&args.predicate, &args.predicate_type) {
        (Some(file), Some(kind)) => (kind.clone(), predicate(file)?),
        _ => (RELEASE.to_owned(), release(&module)),
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
    let statement = Statement::of_module(&module, &zip, predicate.0, predicate.1);
    let text = format!("{:#}\n", statement.to_json());
    output::to_stream(io::stdout(), false, text.as_bytes()).map_err(Failed::unchecked)?;
    Ok(0)
}

fn release(module: &ModuleVersion) -> Map<String, Value> {
    Map::from_iter([("purl".to_owned(), Value::String(purl(module)))])
}

fn predicate(file: &Path) -> Result<Map<String, Value>, Failed> {
    let bytes = read_regular(file, MAX_PREDICATE).map_err(Failed::usage)?;
    let value = serde_json::from_slice(&bytes);
    match value.with_context(|| format!("--predicate {}", file.display())).map_err(Failed::usage)? {
        Value::Object(predicate) => Ok(predicate),
        _ => Err(Failed::usage(anyhow!("--predicate {}: expected a JSON object", file.display()))),
    }
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

    use modanchor_core::dirhash::H1;
    use modanchor_core::provenance::join::Zip;

    use super::*;

    #[test]
    fn what_is_said_where_nothing_is() {
        let zip = Zip { h1: H1([0xab; 32]), sha256: Some([0xcd; 32]) };
        let module: ModuleVersion = "github.com/BurntSushi/toml@v1.6.0".parse().unwrap();
        let statement = Statement::of_module(&module, &zip, RELEASE.to_owned(), release(&module));
        insta::assert_snapshot!(format!("{:#}", statement.to_json()));
    }

    #[test]
    fn predicates() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("p.json");
        let status = |content: &[u8]| {
            fs::write(&file, content).unwrap();
            predicate(&file).map_err(|failed| (failed.status, format!("{:#}", failed.error)))
        };
        assert_eq!(status(br#"{"a": 1}"#), Ok(Map::from_iter([("a".to_owned(), 1.into())])));
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
