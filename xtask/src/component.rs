//! Building the component: guest → core module → sealed component, the same bytes from any checkout.
//!
//! What would make two builds differ is taken out: paths (remapped), the caller's own flags and profiles (not passed
//! on), the linker's step that knows WASI only from the outside (skipped). Identity is promised on Linux x86-64, with
//! the compiler of rust-toolchain.toml.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::seal;

/// The guest's target.
const TARGET: &str = "wasm32-wasip2";

/// What builds std with the guest, for size: sorting, formatting and maps in their small forms, no code that words a panic, no
/// table of where each could be. A panic is a trap here either way, as nothing hears it (docs/adr/0012). Cargo and rustc call these unstable; the
/// compiler is pinned to one release, and so is what they mean.
const STD: [&str; 2] = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];

/// The same, for rustc.
const UNSTABLE_FLAGS: [&str; 3] = ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none"];

/// Lets the pinned stable compiler take [`STD`] and [`UNSTABLE_FLAGS`], for the component alone.
const BOOTSTRAP: &str = "RUSTC_BOOTSTRAP";

/// The guest's profile in Cargo.toml.
const PROFILE: &str = "component";

/// The component's size is kept below this, in bytes: it is committed, and a page loads it.
const MAX_BYTES: usize = 2_500_000;

/// The same after gzip, as a server sends it.
const MAX_GZIP_BYTES: usize = 800_000;

/// The root of this repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in a workspace")
}

/// Where the build leaves the component if not told otherwise.
pub(crate) fn default_path() -> PathBuf {
    root().join("target/component/modanchor.wasm")
}

/// The cargo that runs this program, from the root of the repository.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs a command to success.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

fn output(command: &mut Command) -> Result<String> {
    let output =
        command.stderr(std::process::Stdio::inherit()).output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn rustc() -> Command {
    let mut command = Command::new("rustc");
    command.current_dir(root());
    command
}

/// `rustc -V` in full: which compiler builds the component.
pub(crate) fn compiler() -> Result<String> {
    output(rustc().arg("-vV"))
}

/// Builds and seals the component, and checks its imports, its size and the paths in it.
///
/// # Errors
/// A build that fails, or a component that is not sealed, is too large or names paths of this machine.
pub(crate) fn build() -> Result<Vec<u8>> {
    add_target(TARGET)?;
    add_std_source()?;
    let target_dir = root().join("target/component");
    let mut build = cargo();
    build
        .args(["rustc", "--locked", "--quiet", "--package", "modanchor-core", "--lib"])
        // Without the rlib, which would keep link-time optimisation out.
        .args(["--crate-type", "cdylib", "--profile", PROFILE, "--target", TARGET, "--target-dir"])
        .arg(&target_dir)
        .args(STD)
        // The core module as it is: sealing makes the component.
        .args(["--", "-C", "link-arg=--skip-wit-component"]);
    clear_settings(&mut build);
    let mut flags = flags()?;
    for flag in UNSTABLE_FLAGS {
        flags.push("\x1f");
        flags.push(flag);
    }
    build.env("CARGO_ENCODED_RUSTFLAGS", flags).env(BOOTSTRAP, "1");
    run(&mut build)?;

    let core = target_dir.join(TARGET).join(PROFILE).join("modanchor_core.wasm");
    let core = std::fs::read(&core).with_context(|| format!("cannot read {}", core.display()))?;
    let component = seal::seal(&core)?;
    check_paths(&component)?;
    check_size(&component)?;
    Ok(component)
}

/// Takes away what a caller's environment says of flags and profiles.
pub(crate) fn clear_settings(build: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PROFILE_") || name.starts_with("CARGO_BUILD_") || name.starts_with("CARGO_TARGET_") {
            build.env_remove(&*name);
        }
    }
    build.env_remove("RUSTFLAGS").env("CARGO_INCREMENTAL", "0");
}

fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(output(rustc().args(["--print", "sysroot"]))?))
}

/// Adds a target where rustup has not: rust-toolchain.toml alone does not bring its own if RUSTUP_AUTO_INSTALL=0.
pub(crate) fn add_target(target: &str) -> Result<()> {
    if sysroot()?.join("lib/rustlib").join(target).is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").current_dir(root()).args(["target", "add", target]))
        .with_context(|| format!("the compiler has no target {target}, and rustup did not add it"))
}

/// Adds the sources of std where rustup has not.
fn add_std_source() -> Result<()> {
    if sysroot()?.join("lib/rustlib/src/rust/library/std").is_dir() {
        return Ok(());
    }
    run(Command::new("rustup").current_dir(root()).args(["component", "add", "rust-src"]))
        .context("the compiler has no sources of std, rust-src, and rustup did not add them")
}

/// The compiler flags that take this machine's paths out of what is built, in the form of CARGO_ENCODED_RUSTFLAGS: they
/// win over every configuration file.
pub(crate) fn flags() -> Result<OsString> {
    let sysroot = sysroot()?;
    let hash = compiler()?
        .lines()
        .find_map(|l| l.strip_prefix("commit-hash: ").map(str::to_owned))
        .context("rustc -vV names no commit")?;
    let mut flags = OsString::new();
    // rustc takes the last prefix that fits.
    for (from, to) in [
        (cargo_home()?, "/cargo".to_owned()),
        (sysroot.join("lib/rustlib/src/rust"), format!("/rustc/{hash}")),
        (root().to_owned(), "/modanchor".to_owned()),
    ] {
        for from in spellings(&from) {
            if !flags.is_empty() {
                flags.push("\x1f");
            }
            flags.push("--remap-path-prefix=");
            flags.push(from);
            flags.push("=");
            flags.push(&to);
        }
    }
    Ok(flags)
}

/// A path as it is, and where it leads if links are in it: a compiler may name either.
fn spellings(path: &Path) -> Vec<PathBuf> {
    let mut spellings = vec![path.to_owned()];
    spellings.extend(path.canonicalize().ok().filter(|real| real != path));
    spellings
}

/// Cargo's home, absolute. Cargo reads CARGO_HOME from where it runs: the root, here.
fn cargo_home() -> Result<PathBuf> {
    Ok(match std::env::var_os("CARGO_HOME") {
        Some(home) => root().join(home),
        None => std::env::home_dir().context("no home directory, and CARGO_HOME is not set")?.join(".cargo"),
    })
}

/// Asserts that what was built names no path of the machine that built it: panics carry paths, and one that is not
/// remapped makes the bytes differ from one machine to another.
pub(crate) fn check_paths(built: &[u8]) -> Result<()> {
    let mut machine: Vec<String> = ["/root", "/home", "/Users", "\\Users"].map(str::to_owned).into();
    for path in [Some(root().to_owned()), Some(cargo_home()?), std::env::home_dir()].into_iter().flatten() {
        // A folder right below `/` could be part of any path.
        let deep = spellings(&path).into_iter().filter(|p| p.components().count() > 2);
        machine.extend(deep.filter_map(|p| p.to_str().map(str::to_owned)));
    }
    for path in machine {
        let inside = format!("{path}{}", if path.contains('\\') { '\\' } else { '/' });
        ensure!(
            !built.windows(inside.len()).any(|window| window == inside.as_bytes()),
            "it names {inside}, a path of the machine that built it: remap it in xtask/src/component.rs"
        );
    }
    Ok(())
}

/// Sizes of a component, in bytes: as it is, and after gzip.
pub(crate) fn sizes(component: &[u8]) -> Result<(usize, usize)> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(component)?;
    Ok((component.len(), gzip.finish()?.len()))
}

/// Asserts that a component is small enough.
pub(crate) fn check_size(component: &[u8]) -> Result<()> {
    let (plain, gzip) = sizes(component)?;
    ensure!(plain <= MAX_BYTES, "the component has {plain} bytes, more than {MAX_BYTES}");
    ensure!(gzip <= MAX_GZIP_BYTES, "the component has {gzip} bytes after gzip, more than {MAX_GZIP_BYTES}");
    Ok(())
}

/// Writes a file whole or not at all. One that has these bytes already is left alone, with its time, so that nothing
/// is rebuilt because of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    if std::fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir).with_context(context)?;
    let mut file = tempfile::Builder::new().permissions(readable()).tempfile_in(dir).with_context(context)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).with_context(context)?;
    file.persist(path).with_context(context)?;
    Ok(())
}

/// As any file that git checks out; a temporary file is private otherwise.
fn readable() -> std::fs::Permissions {
    #[cfg(unix)]
    return std::os::unix::fs::PermissionsExt::from_mode(0o644);
    #[cfg(not(unix))]
    return std::fs::metadata(root().join("Cargo.toml")).expect("the workspace is there").permissions();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_machine_are_found() {
        for inside in [
            "/home/gopher/.cargo/registry",
            "/root/.rustup",
            "C:\\Users\\gopher",
            &format!("{}/guest", root().display()),
        ] {
            assert!(check_paths(format!("panicked at {inside}/src/lib.rs").as_bytes()).is_err(), "{inside}");
        }
        check_paths(b"/cargo/registry/src/a-1.0.0/src/lib.rs/rustc/0123/library/core/src/fmt/mod.rs").unwrap();
    }
}
