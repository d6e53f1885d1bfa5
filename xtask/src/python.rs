//! Python environments under target/tools, for peers that are written in Python.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::component::{root, run};

/// The oldest Python that python-tuf 7 runs with, and the modules that make an environment.
const PROBE: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";

/// The file in an environment that says what was installed: a copy of the requirements.
const STAMP: &str = "installed";

/// The environment target/tools/NAME with what a requirements file (relative to the root) asks for, made if it is not
/// there or has something else: its Python. None where there is no python3 that can.
///
/// # Errors
/// Packages that cannot be installed.
pub(crate) fn environment(name: &str, requirements: &str) -> Result<Option<PathBuf>> {
    let dir = root().join("target/tools").join(name);
    let python = python(&dir);
    let wanted = closure(Path::new(requirements))?;
    if std::fs::read_to_string(dir.join(STAMP)).is_ok_and(|installed| installed == wanted) {
        return Ok(Some(python));
    }
    let mut probe = Command::new("python3");
    probe.args(["-c", PROBE]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    if dir.exists() {
        std::fs::remove_dir_all(&dir).with_context(|| format!("cannot remove {}", dir.display()))?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(&dir))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r"])
        .arg(root().join(requirements)))?;
    std::fs::write(dir.join(STAMP), wanted).with_context(|| format!("cannot write to {}", dir.display()))?;
    Ok(Some(python))
}

/// A requirements file with those that it names (`-r`) in their place.
fn closure(requirements: &Path) -> Result<String> {
    let path = root().join(requirements);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut all = String::new();
    for line in text.lines() {
        match line.strip_prefix("-r ") {
            Some(other) => all += &closure(&requirements.with_file_name("").join(other))?,
            None => all = all + line + "\n",
        }
    }
    Ok(all)
}

fn python(environment: &Path) -> PathBuf {
    if cfg!(windows) { environment.join("Scripts/python.exe") } else { environment.join("bin/python") }
}
