//! Compiles the component ahead of time, for embedding: the program itself contains no compiler.
//!
//! The component is `dist/modanchor.wasm`, which is committed, so that plain stable Rust builds the host; or the file
//! that MODANCHOR_COMPONENT names, which is how tests run the guest of the working tree.

#[path = "src/engine/config.rs"]
mod config;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use sha2::{Digest, Sha256};
use wasmtime::{Engine, OptLevel};

/// Names another component than dist/modanchor.wasm, as an absolute path.
const OVERRIDE: &str = "MODANCHOR_COMPONENT";

fn main() -> Result<()> {
    println!("cargo::rerun-if-env-changed={OVERRIDE}");
    let path = match std::env::var_os(OVERRIDE) {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("../dist/modanchor.wasm"),
    };
    println!("cargo::rerun-if-changed={}", path.display());
    let component = std::fs::read(&path).with_context(|| {
        format!(
            "no component at {}: run `cargo xtask component` and set {OVERRIDE} to the absolute path of \
             target/component/modanchor.wasm, or run `cargo xtask test`, which does both",
            path.display()
        )
    })?;

    let compiled =
        compile(&component, &variable("TARGET")?).map_err(|e| anyhow!("{} does not compile: {e:#}", path.display()))?;
    let out = PathBuf::from(variable("OUT_DIR")?).join("modanchor.cwasm");
    std::fs::write(&out, compiled).with_context(|| format!("cannot write {}", out.display()))?;

    let mut digest = String::new();
    for byte in Sha256::digest(&component) {
        write!(digest, "{byte:02x}")?;
    }
    println!("cargo::rustc-env=MODANCHOR_COMPONENT_SHA256={digest}");
    Ok(())
}

/// Compiled code for `target`, for every processor of its architecture.
fn compile(component: &[u8], target: &str) -> wasmtime::Result<Vec<u8>> {
    let mut config = config::config();
    // Naming the target keeps the features of the building machine's processor out.
    config.target(target)?.cranelift_opt_level(OptLevel::Speed);
    Engine::new(&config)?.precompile_component(component)
}

fn variable(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("cargo sets {name} for build scripts"))
}
