//! `dist/`: what users fetch, committed: the component, the package for web developers and the page around it, and the digests
//! of the sources that they were built from.
//!
//! What is committed may be behind the sources between finished issues: every rebuild stays in every clone for
//! ever. [`check`] tells the two cases apart: while the digests of the sources are current, a rebuild must give the same
//! bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use crate::{component, playground};

/// What decides the component's bytes: files, and folders with all that is in them.
const SOURCES: &[&str] =
    &["Cargo.lock", "Cargo.toml", "guest", "rust-toolchain.toml", "wit", "xtask/src/component.rs", "xtask/src/seal.rs"];

/// What decides the bytes of the package and of the page, besides the component.
const WEB_SOURCES: &[&str] = &[
    "Cargo.toml",
    "LICENSE",
    "dist/modanchor.wasm",
    "host/assets/sigstore",
    "playground/build.mjs",
    "playground/package-lock.json",
    "playground/package.json",
    "playground/page",
    "playground/tsconfig.json",
    "playground/verifier",
    "wit",
    "xtask/src/playground.rs",
];

/// The folders that are built of them: the name in dist/, and the one that the build gives it.
const WEB: [(&str, &str); 2] = [("playground", "page"), ("verifier", "verifier")];

/// What tools leave behind in folders and git ignores.
const LEFTOVERS: &[&str] = &[".snap.new", ".pending-snap"];

/// A folder of the sources that is made from others.
const GENERATED: &str = "playground/verifier/generated";

/// The digests of what is built into dist/, as `sha256sum --check` takes them.
const SUMS: &str = "SHA256SUMS";

/// The samples of the page: evidence that the component in dist/ has recorded.
const SAMPLES: &str = "playground/page/samples";

fn dist() -> PathBuf {
    component::root().join("dist")
}

fn wasm() -> PathBuf {
    dist().join("modanchor.wasm")
}

fn web_source() -> PathBuf {
    dist().join("web-source.sha256")
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
fn source_digest(sources: &[&str]) -> Result<String> {
    let mut files = Vec::new();
    for source in sources {
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
    if name.replace('\\', "/") == GENERATED {
        return Ok(());
    }
    if full.is_dir() {
        for entry in std::fs::read_dir(&full).with_context(|| format!("cannot read {name}"))? {
            collect(&path.join(entry?.file_name()), files)?;
        }
    } else if !LEFTOVERS.iter().any(|end| name.ends_with(end)) {
        files.push(name.replace('\\', "/"));
    }
    Ok(())
}

/// Files by their name, relative to a folder, with `/`.
type Tree = BTreeMap<String, Vec<u8>>;

/// The files of a folder and all below it.
fn tree(folder: &Path) -> Result<Tree> {
    let mut files = Tree::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(next) = todo.pop() {
        for entry in std::fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let name = path.strip_prefix(folder)?.to_str().context("a name that is not UTF-8")?.replace('\\', "/");
            files.insert(name, std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
        }
    }
    Ok(files)
}

/// Builds the package and the page around `dist/modanchor.wasm`, each with the name that it has in `dist/`.
fn build_web() -> Result<Vec<(&'static str, Tree)>> {
    let unset = "MODANCHOR_PLAYGROUND_SUMDB";
    ensure!(std::env::var_os(unset).is_none(), "{unset} is set, and the page in dist/ asks its own origin alone");
    let out = tempfile::tempdir_in(component::root().join("target"))?;
    playground::build(&wasm(), out.path())?;
    WEB.iter().map(|(name, built)| Ok((*name, tree(&out.path().join(built))?))).collect()
}

/// The lines of [`SUMS`] for what is in `dist/`.
fn sums() -> Result<String> {
    let mut files = tree(&dist())?;
    // A release writes its own into the second.
    for other in [SUMS, "checksums.json"] {
        files.remove(other);
    }
    Ok(files.iter().fold(String::new(), |mut text, (name, bytes)| {
        writeln!(text, "{}  {name}", hex(bytes)).expect("a String takes every write");
        text
    }))
}

/// The samples, and whether each was recorded by the component with this digest.
fn samples(component: &str) -> Result<Vec<(PathBuf, bool)>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(component::root().join(SAMPLES)).context(SAMPLES)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "evidence") {
            let mut document = String::new();
            let file = std::fs::read(&path)?;
            let read = flate2::read::GzDecoder::new(file.as_slice()).read_to_string(&mut document);
            read.with_context(|| path.display().to_string())?;
            let current = document.contains(&format!("\"component\":\"sha256:{component}\""));
            all.push((path, current));
        }
    }
    ensure!(!all.is_empty(), "{SAMPLES} has no samples");
    all.sort();
    Ok(all)
}

/// Judges the samples again with the component in `dist/`, where another one has.
fn refresh_samples(component: &str) -> Result<()> {
    for (sample, current) in samples(component)? {
        if !current {
            let mut replay = component::cargo();
            replay.args(["run", "--quiet", "--package", "modanchor", "--", "replay", "--quiet", "--other-component"]);
            replay.arg("--record").arg(&sample).arg(&sample).env("MODANCHOR_COMPONENT", wasm());
            replay.stdout(std::process::Stdio::null());
            // Its status is that of what it shows; whether it was written again is looked at below.
            replay.status().with_context(|| format!("cannot run {replay:?}"))?;
        }
    }
    let stale = samples(component)?.into_iter().find(|(_, current)| !current);
    ensure!(stale.is_none(), "{}: it cannot be judged again", stale.unwrap_or_default().0.display());
    Ok(())
}

/// Builds everything in `dist/`.
///
/// # Errors
/// What [`component::build`] and [`playground::build`] refuse, or a compiler other than the pinned one.
pub(crate) fn write() -> Result<String> {
    pinned_compiler()?;
    let digest = source_digest(SOURCES)?;
    let bytes = component::build()?;
    component::write(&wasm(), &bytes)?;
    component::write(&source(), format!("{digest}\n").as_bytes())?;
    refresh_samples(&hex(&bytes))?;
    for (name, files) in build_web()? {
        let folder = dist().join(name);
        for old in if folder.is_dir() { tree(&folder)? } else { Tree::new() }.keys() {
            if !files.contains_key(old) {
                std::fs::remove_file(folder.join(old)).with_context(|| format!("cannot remove {name}/{old}"))?;
            }
        }
        for (file, bytes) in &files {
            component::write(&folder.join(file), bytes)?;
        }
    }
    component::write(&web_source(), format!("{}\n", source_digest(WEB_SOURCES)?).as_bytes())?;
    component::write(&dist().join(SUMS), sums()?.as_bytes())?;
    Ok(format!("dist/modanchor.wasm: sha256:{}, from sources {digest}", hex(&bytes)))
}

/// Checks `dist/`: imports, size and paths of the component and everybody's digests always, the bytes of what is current.
///
/// # Errors
/// A component that is not sealed, is too large or names paths of its builder's machine, files that are not those of SHA256SUMS, anything that a
/// rebuild of the same sources does not give, or, if it `must_be_current`, that is behind the sources.
pub(crate) fn check(must_be_current: bool) -> Result<String> {
    let missing = "run `cargo xtask dist` and commit the result";
    let committed = std::fs::read(wasm()).with_context(|| format!("dist/modanchor.wasm: {missing}"))?;
    crate::seal::check_imports(&committed)?;
    component::check_paths(&committed)?;
    component::check_size(&committed)?;
    let listed = std::fs::read_to_string(dist().join(SUMS)).with_context(|| format!("dist/{SUMS}: {missing}"))?;
    ensure!(listed == sums()?, "dist/ is not what dist/{SUMS} says: {missing}");
    let component = check_component(&committed, must_be_current, missing)?;
    let web = check_web(&hex(&committed), must_be_current, missing)?;
    Ok(format!("dist/modanchor.wasm is sealed, {component}; package and page are {web}"))
}

/// Whether sources of a digest are those that something was built from.
fn is_current(file: &Path, sources: &[&str]) -> Result<bool> {
    let built_from = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(built_from.trim() == source_digest(sources)?)
}

fn check_component(committed: &[u8], must_be_current: bool, missing: &str) -> Result<String> {
    if !is_current(&source(), SOURCES)? {
        ensure!(!must_be_current, "dist/modanchor.wasm is behind its sources: {missing}");
        return Ok("and behind its sources: bytes not compared".into());
    }
    pinned_compiler()?;
    let rebuilt = component::build()?;
    if rebuilt != committed {
        bail!(
            "dist/modanchor.wasm is sha256:{}, and a rebuild of the same sources is sha256:{}",
            hex(committed),
            hex(&rebuilt)
        );
    }
    Ok(format!("current, and identical to a rebuild: sha256:{}", hex(committed)))
}

fn check_web(component: &str, must_be_current: bool, missing: &str) -> Result<&'static str> {
    if !is_current(&web_source(), WEB_SOURCES)? {
        ensure!(!must_be_current, "dist/playground and dist/verifier are behind their sources: {missing}");
        return Ok("behind their sources: bytes not compared");
    }
    for (sample, current) in samples(component)? {
        ensure!(current, "{}: recorded by another component: {missing}", sample.display());
    }
    if !playground::has_node() {
        ensure!(!must_be_current, "no Node.js, which builds the package and the page");
        return Ok("not compared: no Node.js");
    }
    for (name, files) in build_web()? {
        let committed = tree(&dist().join(name))?;
        let differs = files.keys().chain(committed.keys()).find(|file| files.get(*file) != committed.get(*file));
        if let Some(file) = differs {
            bail!("dist/{name}/{file} is not what a rebuild of the same sources gives");
        }
    }
    Ok("current, and identical to a rebuild")
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
