//! The h1 of real module zips on one core: ours, natively, beside golang.org/x/mod/sumdb/dirhash.HashZip.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use modanchor_core::dirhash::{ReadAt, ReadError, zip};
use modanchor_core::module::ModuleVersion;

use crate::{Row, Sample, median};

/// Small files and large ones, hand-written and generated.
const MODULES: [&str; 5] = [
    "golang.org/x/sys@v0.38.0",
    "golang.org/x/net@v0.47.0",
    "k8s.io/api@v0.34.1",
    "github.com/aws/aws-sdk-go-v2/service/ec2@v1.270.0",
    "google.golang.org/genproto@v0.0.0-20250603155806-513f23925822",
];

/// Of so many times in a row the fastest counts, on both sides.
const REPEATS: usize = 3;

/// One row for each zip and one for all of them.
pub(crate) fn rows(runs: usize) -> Result<Vec<Row>> {
    let peer = e2e::peer().context("the peer is written in Go, and there is no go command")?;
    let mut rows = Vec::new();
    let (mut all_ours, mut all_peer, mut all_packed, mut all_plain) = (Duration::ZERO, Duration::ZERO, 0, 0);
    for (module, path) in zips()? {
        let rules = module.parse()?;
        let (packed, plain) = sizes(&path)?;
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for i in 0..=runs {
            let (h1, ours) = ours(&path, &rules)?;
            let (wanted, peer) = theirs(&peer, &path)?;
            ensure!(h1 == wanted, "{module}: {h1}, and the peer says {wanted}");
            // The first pair only warms the machine's caches.
            if i > 0 {
                a.push(Sample { wall: ours, memory: 0 });
                b.push(Sample { wall: peer, memory: 0 });
            }
        }
        let (ours, peer) = (median(a).wall, median(b).wall);
        rows.push(row(module, ours, peer, packed, plain));
        all_ours += ours;
        all_peer += peer;
        all_packed += packed;
        all_plain += plain;
    }
    rows.push(row("all of these zips", all_ours, all_peer, all_packed, all_plain));
    Ok(rows)
}

fn row(name: &str, ours: Duration, peer: Duration, packed: u64, plain: u64) -> Row {
    let speed = |time: Duration| {
        let rate = |bytes: u64| bytes as f64 / 1e6 / time.as_secs_f64();
        format!("{:.1} ms, {:.0} MB/s of zip, {:.0} MB/s unpacked", time.as_secs_f64() * 1e3, rate(packed), rate(plain))
    };
    Row {
        name: format!("h1 of {name}, HashZip"),
        ours: speed(ours),
        peer: speed(peer),
        ratio: format!("{:.2}×", peer.as_secs_f64() / ours.as_secs_f64()),
        aim: "≥ 2.5× faster",
    }
}

/// The modules and their zips.
pub(crate) fn zips() -> Result<impl Iterator<Item = (&'static str, PathBuf)>> {
    Ok(MODULES.into_iter().zip(download()?))
}

/// Fetches the zips where that has not been done.
fn download() -> Result<Vec<PathBuf>> {
    let dir = e2e::target().join("bench");
    std::fs::create_dir_all(&dir)?;
    let out = Command::new("go")
        .args(["mod", "download", "-modcacherw", "-json"])
        .args(MODULES)
        .env("GOMODCACHE", dir.join("gomodcache"))
        .env("GOFLAGS", "")
        .current_dir(&dir)
        .output()?;
    ensure!(out.status.success(), "go mod download: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::Deserializer::from_slice(&out.stdout)
        .into_iter::<serde_json::Value>()
        .map(|said| Ok(PathBuf::from(said?["Zip"].as_str().context("go mod download names no zip")?)))
        .collect()
}

/// How large a zip is, and its content.
fn sizes(path: &Path) -> Result<(u64, u64)> {
    let out = Command::new(e2e::peer().context("there is no go command")?).arg("zip-size").arg(path).output()?;
    ensure!(out.status.success(), "zip-size: {}", String::from_utf8_lossy(&out.stderr));
    let said: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    let number = |key: &str| said[key].as_u64().context("a number");
    Ok((number("packed")?, number("unpacked")?))
}

/// x/mod's, timed in its process, on one core.
fn theirs(peer: &Path, zip: &Path) -> Result<(String, Duration)> {
    let out = Command::new(peer).args(["hash-zip", &REPEATS.to_string()]).arg(zip).env("GOMAXPROCS", "1").output()?;
    ensure!(out.status.success(), "hash-zip: {}", String::from_utf8_lossy(&out.stderr));
    let said: serde_json::Value = serde_json::from_slice(&out.stdout)?;
    let h1 = said["h1"].as_str().context("an h1")?.to_owned();
    Ok((h1, Duration::from_nanos(said["ns"].as_u64().context("nanoseconds")?)))
}

/// Ours, with the rules for module zips, which HashZip does not check.
fn ours(path: &Path, rules: &ModuleVersion) -> Result<(String, Duration)> {
    let mut fastest = Duration::MAX;
    let mut h1 = String::new();
    for _ in 0..REPEATS {
        let start = Instant::now();
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        h1 = zip::measure(&Opened { file, size }, Some(rules))?.h1().to_string();
        fastest = fastest.min(start.elapsed());
    }
    Ok((h1, fastest))
}

struct Opened {
    file: File,
    size: u64,
}

impl ReadAt for Opened {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.read_exact(buffer)).map_err(|_| ReadError::Failed)
    }
}
