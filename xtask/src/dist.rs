//! `dist/`: the component that users fetch, committed, and the digest of the sources that it was built from.
//!
//! The committed component may be behind the sources between finished issues: every rebuild stays in every clone for
//! ever. [`check`] tells the two cases apart: while the digest of the sources is current, a rebuild must give the same
//! bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::component;

/// What decides the component's bytes: files, and folders with all that is in them.
const SOURCES: &[&str] =
    &["Cargo.lock", "Cargo.toml", "guest", "rust-toolchain.toml", "wit", "xtask/src/component.rs", "xtask/src/seal.rs"];

/// What tools leave behind in folders and git ignores.
const LEFTOVERS: &[&str] = &[".snap.new", ".pending-snap"];

fn wasm() -> PathBuf {
    component::root().join("dist/modanchor.wasm")
}

fn source() -> PathBuf {
    component::root().join("dist/source.sha256")
}

/// SHA-256, in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

/// The digest of the sources: SHA-256 over the lines `HEX  PATH` that `sha256sum` would print for every file, sorted
/// by path as bytes.
fn source_digest() -> Result<String> {
    let mut files = Vec::new();
    for source in SOURCES {
        collect(Path::new(source), &mut files)?;
    }
    files.sort();
    let mut list = String::new();
    for file in files {
        let bytes = std::fs::read(component::root().join(&file)).with_context(|| format!("cannot read {file}"))?;
        writeln!(list, "{}  {file}", hex(&bytes))?;
    }
    Ok(hex(list.as_bytes()))
}

fn collect(path: &Path, files: &mut Vec<String>) -> Result<()> {
    let full = component::root().join(path);
    let name = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    if full.is_dir() {
        for entry in std::fs::read_dir(&full).with_context(|| format!("cannot read {name}"))? {
            collect(&path.join(entry?.file_name()), files)?;
        }
    } else if !LEFTOVERS.iter().any(|end| name.ends_with(end)) {
        files.push(name.replace('\\', "/"));
    }
    Ok(())
}

/// Builds the component into `dist/`.
///
/// # Errors
/// What [`component::build`] refuses, or a compiler other than the pinned one.
pub(crate) fn write() -> Result<String> {
    pinned_compiler()?;
    let digest = source_digest()?;
    let bytes = component::build()?;
    component::write(&wasm(), &bytes)?;
    component::write(&source(), format!("{digest}\n").as_bytes())?;
    Ok(format!("dist/modanchor.wasm: sha256:{}, from sources {digest}", hex(&bytes)))
}

/// Checks `dist/`: its imports, size and paths always, its bytes if it is current.
///
/// # Errors
/// A component that is not sealed, is too large or names paths of its builder's machine, one that a rebuild of the same sources does not give, or one that is
/// behind the sources if it `must_be_current`.
pub(crate) fn check(must_be_current: bool) -> Result<String> {
    let missing = "run `cargo xtask dist` and commit the result";
    let committed = match std::fs::read(wasm()) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !must_be_current => {
            return Ok("dist/modanchor.wasm is not there yet: nothing to check".into());
        }
        Err(e) => return Err(e).context(format!("dist/modanchor.wasm: {missing}")),
    };
    crate::seal::check_imports(&committed)?;
    component::check_paths(&committed)?;
    component::check_size(&committed)?;
    let built_from = std::fs::read_to_string(source()).with_context(|| format!("dist/source.sha256: {missing}"))?;
    let digest = source_digest()?;
    if built_from.trim() != digest {
        ensure!(!must_be_current, "dist/modanchor.wasm is behind its sources: {missing}");
        return Ok("dist/modanchor.wasm is sealed, and behind its sources: bytes not compared".into());
    }
    pinned_compiler()?;
    let rebuilt = component::build()?;
    if rebuilt != committed {
        bail!(
            "dist/modanchor.wasm is sha256:{}, and a rebuild of the same sources is sha256:{}",
            hex(&committed),
            hex(&rebuilt)
        );
    }
    Ok(format!("dist/modanchor.wasm is sealed, current, and identical to a rebuild: sha256:{}", hex(&committed)))
}

/// Refuses a compiler other than that of rust-toolchain.toml: its bytes are others.
pub(crate) fn pinned_compiler() -> Result<()> {
    let file = std::fs::read_to_string(component::root().join("rust-toolchain.toml"))?;
    let channel = file
        .lines()
        .find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'))
        .context("rust-toolchain.toml names no channel")?;
    let compiler = component::compiler()?;
    let release = compiler.lines().find_map(|l| l.strip_prefix("release: ")).unwrap_or_default();
    ensure!(release == channel, "rustc is {release}, and what is built is reproducible only with {channel}");
    Ok(())
}
