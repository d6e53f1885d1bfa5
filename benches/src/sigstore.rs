//! Signatures: `modanchor sigstore verify-blob` beside cosign's `verify-blob`, and a go.sum with an attestation of every
//! module.
//!
//! The attestations are one real bundle, 500 times. It is about none of these modules, so each is refused at the very end, when
//! everything that costs time has been verified: certificate, log entry, signature. What a real go.sum would have more: another
//! checkpoint of the log in each bundle, whose one signature is verified once here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::fixture;
use serde_json::Value;

use crate::{Row, Sample, median};

/// A bundle of version 0.3 and what it signs, of the public instance.
const BUNDLE: &str = "sigstore-public/npm/v0.3.sigstore.json";
const FILE: &str = "sigstore-public/npm/sigstore-2.1.0.tgz";
/// Who signed it.
const IDENTITY: &str = "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

/// How many modules have an attestation.
const MODULES: usize = 500;

/// Both, each where it can be measured.
pub(crate) fn rows(modanchor: &Path, runs: usize) -> Result<Vec<Row>> {
    let home = tempfile::tempdir()?;
    let mut rows = Vec::new();
    match cosign() {
        Some(cosign) => {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            for i in 0..=runs {
                let pair = (verify_blob(modanchor, home.path(), true)?, verify_blob(&cosign, home.path(), false)?);
                // The first only warms the machine's caches.
                if i > 0 {
                    ours.push(pair.0);
                    theirs.push(pair.1);
                }
            }
            let name = "one bundle, verify-blob; cosign".to_owned();
            rows.push(Row::times(name, median(ours), median(theirs), "≥ 3× faster"));
        }
        None => eprintln!("sigstore: no cosign on the PATH or in MODANCHOR_COSIGN"),
    }
    let attestations = home.path().join("attestations");
    let gosum = made_up(home.path(), &attestations)?;
    for (name, wrapper) in [("all cores", &[][..]), ("one core", &["taskset", "-c", "0"])] {
        let samples = (0..runs).map(|_| verify(modanchor, wrapper, home.path(), &gosum, &attestations));
        let sample = median(samples.collect::<Result<Vec<_>>>()?);
        rows.push(Row {
            name: format!("{MODULES} modules with an attestation each, {name}"),
            ours: format!("{:.2} s", sample.wall.as_secs_f64()),
            peer: "–".to_owned(),
            ratio: format!("{:.1} ms each", sample.wall.as_secs_f64() * 1e3 / MODULES as f64),
            aim: "< 4 s on one core",
        });
    }
    Ok(rows)
}

/// `MODANCHOR_COSIGN`, or the one on the PATH.
fn cosign() -> Option<PathBuf> {
    let cosign = std::env::var_os("MODANCHOR_COSIGN").map_or_else(|| PathBuf::from("cosign"), PathBuf::from);
    let runs = Command::new(&cosign).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    runs.is_ok_and(|status| status.success()).then_some(cosign)
}

fn timed(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let out = command.stdin(Stdio::null()).output()?;
    let wall = start.elapsed();
    let said = String::from_utf8_lossy(&out.stderr);
    ensure!(out.status.success(), "{}: {}: {said}", command.get_program().display(), out.status);
    Ok(wall)
}

fn verify_blob(program: &Path, home: &Path, ours: bool) -> Result<Sample> {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(home);
    command.args(["sigstore"].iter().filter(|_| ours)).arg("verify-blob");
    command.arg("--trusted-root").arg(fixture("../../host/assets/sigstore/trusted_root.json"));
    command.arg("--bundle").arg(fixture(BUNDLE));
    command.args(["--certificate-identity", IDENTITY, "--certificate-oidc-issuer", ISSUER]).arg(fixture(FILE));
    Ok(Sample { wall: timed(&mut command)?, memory: 0 })
}

/// A go.sum of made-up modules, and the bundle for each of them.
fn made_up(home: &Path, attestations: &Path) -> Result<PathBuf> {
    let mut gosum = String::new();
    for i in 0..MODULES {
        let path = format!("filler.example/m{i:06}");
        gosum += &format!("{path} v1.0.0 h1:{i:0>42}A=\n");
        let folder = attestations.join(path).join("@v");
        fs::create_dir_all(&folder)?;
        fs::copy(fixture(BUNDLE), folder.join("v1.0.0.sigstore.json"))?;
    }
    let file = home.join("go.sum");
    fs::write(&file, gosum)?;
    Ok(file)
}

fn verify(modanchor: &Path, wrapper: &[&str], home: &Path, gosum: &Path, attestations: &Path) -> Result<Sample> {
    let report = home.join("report.json");
    let mut command = match wrapper {
        [] => Command::new(modanchor),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(modanchor);
            command
        }
    };
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir(home);
    command.env("HOME", home).env("GOENV", "off").env("GOSUMDB", "off").env("GOPATH", home.join("gopath"));
    command.args(["verify", "--quiet", "--offline", "--no-cache", "--fail-on", "never", "--attestations"]);
    command.arg(format!("folder:{}", attestations.display()));
    command.arg(format!("--format=json={}", report.display())).arg(gosum);
    let wall = timed(&mut command)?;
    // Everything but the subject was verified: a root vouches for each.
    let said: Value = serde_json::from_slice(&fs::read(report)?)?;
    let modules = said["modules"].as_array().context("modules")?;
    let vouched = modules.iter().filter(|module| module["signatures"][0]["root"] == "sigstore").count();
    ensure!(vouched == MODULES, "{vouched} of {MODULES} attestations verify");
    Ok(Sample { wall, memory: 0 })
}
