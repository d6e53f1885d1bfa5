//! The chores of this repository: `cargo xtask …`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore tells what it did")]

mod component;
mod conformance;
mod dist;
mod playground;
mod python;
mod release;
mod seal;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

/// The environments of tests that run Python: the folder under target/tools, and what is installed there.
const PYTHON: [(&str, &str); 3] = [
    ("tuf", "tests/peer/tuf/requirements.txt"),
    ("s3", "tests/peer/s3/requirements.txt"),
    ("wasmtime", "docs/examples/python/requirements.txt"),
];

/// The chores of this repository.
#[derive(Parser)]
enum Chore {
    /// Build and seal the component, and check its imports, its size and the paths in it.
    Component {
        /// Where to.
        #[arg(long, value_name = "FILE", default_value_os_t = component::default_path())]
        out: PathBuf,
    },
    /// Run a conformance suite of another project against the program of the working tree.
    #[command(subcommand)]
    Conformance(conformance::Conformance),
    /// Build dist/modanchor.wasm, or check the one that is committed.
    Dist {
        /// Check only: sealed, small enough and, where it is current, identical to a rebuild.
        #[arg(long)]
        check: bool,
        /// With --check: fail if the sources have moved on.
        #[arg(long, requires = "check")]
        require_current: bool,
    },
    /// Print what a component imports, and fail if it is not sealed, is too large or names paths of its builder.
    Imports {
        /// A component.
        file: PathBuf,
    },
    /// Build the playground's two products from a component: the package that web developers import, and the page.
    Playground(playground::Playground),
    /// Build a release's programs, and record or verify their digests in dist/checksums.json.
    #[command(subcommand)]
    Release(release::Release),
    /// All tests, with the component of these sources: `cargo test --workspace` and what it needs.
    Test {
        /// Handed to `cargo test --workspace`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match Chore::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// target/evidence, empty: where the end-to-end tests leave what they recorded, for playground/tests/engines.mjs.
fn evidence() -> Result<PathBuf> {
    let dir = component::root().join("target/evidence");
    if dir.exists() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    Ok(dir)
}

impl Chore {
    fn run(self) -> Result<()> {
        match self {
            Self::Component { out } => {
                let bytes = component::build()?;
                component::write(&out, &bytes)?;
                let (plain, gzip) = component::sizes(&bytes)?;
                println!("{}: sealed, {plain} bytes, {gzip} after gzip", out.display());
            }
            Self::Conformance(conformance) => println!("{}", conformance.run()?),
            Self::Dist { check: false, .. } => println!("{}", dist::write()?),
            Self::Dist { require_current, .. } => println!("{}", dist::check(require_current)?),
            Self::Imports { file } => {
                let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                let names = seal::check_imports(&bytes)?;
                component::check_paths(&bytes)?;
                component::check_size(&bytes)?;
                let (plain, gzip) = component::sizes(&bytes)?;
                println!("{}: imports [{}], {plain} bytes, {gzip} after gzip", file.display(), names.join(", "));
            }
            Self::Playground(playground) => println!("{}", playground.run()?),
            Self::Release(release) => println!("{}", release.run()?),
            Self::Test { args } => {
                for (name, requirements) in PYTHON {
                    if python::environment(name, requirements)?.is_none() {
                        eprintln!("no python3 (3.10 or later) with venv and pip: tests in Python will skip");
                    }
                }
                let out = component::default_path();
                component::write(&out, &component::build()?)?;
                let evidence = evidence()?;
                let mut test = component::cargo();
                test.args(["test", "--workspace", "--locked"]).args(args);
                test.env("MODANCHOR_COMPONENT", out).env("MODANCHOR_KEEP_EVIDENCE", evidence);
                component::run(&mut test)?;
            }
        }
        Ok(())
    }
}
