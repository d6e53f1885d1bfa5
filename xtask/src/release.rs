//! Releases: the programs that action.yml installs, and `dist/checksums.json`, by which it knows them.
//!
//! A commit cannot hold the digest of what is built from it; so they are built at one commit (X), the next one (Y)
//! changes dist/checksums.json alone, and Y is tagged. dist/checksums.json is no input of the build: a build at Y gives
//! the bytes of X again, and the release workflow demands that. docs/releasing.md has the steps.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Subcommand;
use serde_json::Value;

use crate::{component, dist};

/// What is released, in the order of the file.
const TARGETS: [&str; 5] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-musl",
];

const SCHEMA: &str = "modanchor-checksums/1";

/// The version that action.yml builds from its own commit.
const SOURCE: &str = "source";

/// Chores of a release.
#[derive(Subcommand)]
pub(crate) enum Release {
    /// Build the program for a target, the same bytes from any checkout, as DIR/modanchor-TARGET.
    Build {
        /// One of the released targets.
        #[arg(long)]
        target: String,
        /// Where to.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Write the digests of all programs in DIR to dist/checksums.json, as those of the version in Cargo.toml, and make
    /// it the default version of the Action.
    Record {
        /// What `build` wrote, for all targets.
        dir: PathBuf,
    },
    /// Check that the programs in DIR are those that dist/checksums.json has for the version in Cargo.toml, that it is
    /// the default version, and that the tag and CHANGELOG.md name it.
    Verify {
        /// What `build` wrote, for all targets.
        dir: PathBuf,
        /// The tag that is released.
        #[arg(long)]
        tag: String,
    },
}

impl Release {
    /// Does it; what it did.
    pub(crate) fn run(self) -> Result<String> {
        match self {
            Self::Build { target, out } => build(&target, &out),
            Self::Record { dir } => {
                let digests = digests(&dir)?;
                let version = version()?;
                let mut checksums = Checksums::read()?;
                checksums.record(&version, digests)?;
                component::write(&path(), checksums.text().as_bytes())?;
                Ok(format!("dist/checksums.json: {version} is recorded, and the default"))
            }
            Self::Verify { dir, tag } => {
                let version = version()?;
                Checksums::read()?.verify(&version, &digests(&dir)?)?;
                check_tag(&tag, &version, &read("CHANGELOG.md")?)?;
                Ok(format!("{tag}: all programs are those of dist/checksums.json"))
            }
        }
    }
}

/// The name of a target's program.
fn asset(target: &str) -> String {
    format!("modanchor-{target}{}", if target.contains("windows") { ".exe" } else { "" })
}

/// Builds with the flags that take the machine out of the bytes: paths are remapped, the caller's own flags and profiles
/// not passed on.
fn build(target: &str, out: &Path) -> Result<String> {
    ensure!(TARGETS.contains(&target), "{target} is not released; these are: {}", TARGETS.join(", "));
    dist::pinned_compiler()?;
    component::add_target(target)?;
    let target_dir = component::root().join("target/release-build");
    let mut flags = component::flags()?;
    if target.ends_with("-msvc") {
        // No time of the build in the header: https://learn.microsoft.com/cpp/build/reference/brepro
        flags.push("\x1f-Clink-arg=/Brepro");
    }
    let mut build = component::cargo();
    component::clear_settings(&mut build);
    build
        .args(["build", "--release", "--locked", "--package", "modanchor", "--bin", "modanchor", "--target", target])
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        // The committed component, whatever is built beside it.
        .env_remove("MODANCHOR_COMPONENT")
        // For compilers and archivers that would ask for the time. Not the commit's, since X and Y are two commits.
        .env("SOURCE_DATE_EPOCH", "0")
        .env("ZERO_AR_DATE", "1");
    component::run(&mut build)?;

    let mut built = target_dir.join(target).join("release").join("modanchor");
    if target.contains("windows") {
        built.set_extension("exe");
    }
    let bytes = std::fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?;
    component::check_paths(&bytes)?;
    let file = out.join(asset(target));
    component::write(&file, &bytes)?;
    Ok(format!("{}  {}", dist::hex(&bytes), file.display()))
}

/// The digest of each target's program in a folder.
fn digests(dir: &Path) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for target in TARGETS {
        let file = dir.join(asset(target));
        let bytes = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        ensure!(!bytes.is_empty(), "{} is empty", file.display());
        digests.insert(target.to_owned(), dist::hex(&bytes));
    }
    let mut expected: Vec<OsString> = TARGETS.map(|target| asset(target).into()).into();
    for entry in std::fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let name = entry?.file_name();
        let at = expected.iter().position(|e| *e == name);
        expected.remove(at.with_context(|| format!("{} is no program of a release", name.display()))?);
    }
    Ok(digests)
}

/// The version in Cargo.toml, which all of the workspace has.
fn version() -> Result<String> {
    let text = read("Cargo.toml")?;
    let (_, package) = text.split_once("\n[workspace.package]\n").context("Cargo.toml has no [workspace.package]")?;
    let line = package.lines().next().unwrap_or_default();
    let version = line.strip_prefix("version = \"").and_then(|rest| rest.strip_suffix('"'));
    version.map(str::to_owned).with_context(|| format!("Cargo.toml: expected a version, found {line}"))
}

fn read(name: &str) -> Result<String> {
    std::fs::read_to_string(component::root().join(name)).with_context(|| format!("cannot read {name}"))
}

fn path() -> PathBuf {
    component::root().join("dist/checksums.json")
}

/// Checks that a tag and the changelog name a version.
fn check_tag(tag: &str, version: &str, changelog: &str) -> Result<()> {
    ensure!(tag == format!("v{version}"), "the tag is {tag}, and Cargo.toml has {version}");
    ensure!(
        changelog.lines().any(|line| line.starts_with(&format!("## [{version}] - "))),
        "CHANGELOG.md has no section `## [{version}] - DATE`"
    );
    Ok(())
}

/// dist/checksums.json. JSON, of which action/install.sh and install.ps1 read one thing a line: there is one way to write
/// it, and what is written in another way is refused.
#[derive(Debug, PartialEq, Eq)]
struct Checksums {
    /// The default version of the Action.
    version: String,
    /// By version, by target.
    releases: BTreeMap<String, BTreeMap<String, String>>,
}

impl Checksums {
    fn read() -> Result<Self> {
        Self::parse(&read("dist/checksums.json")?).context("dist/checksums.json")
    }

    fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)?;
        ensure!(value["schema"] == SCHEMA, "its schema is {}, not {SCHEMA}", value["schema"]);
        let this = Self {
            version: value["version"].as_str().context("it has no version")?.to_owned(),
            releases: serde_json::from_value(value["releases"].clone()).context("its releases")?,
        };
        for (version, targets) in &this.releases {
            ensure!(*version != SOURCE && is_version(version), "{version} is no version");
            for (target, digest) in targets {
                ensure!(TARGETS.contains(&target.as_str()), "{target} is no target of a release");
                ensure!(is_digest(digest), "{digest} is no SHA-256");
            }
        }
        ensure!(
            this.version == SOURCE || this.releases.contains_key(&this.version),
            "its version {} is not among its releases",
            this.version
        );
        ensure!(this.text() == text, "it is not written as `cargo xtask release record` writes it");
        Ok(this)
    }

    fn text(&self) -> String {
        let mut text =
            format!("{{\n  \"schema\": \"{SCHEMA}\",\n  \"version\": \"{}\",\n  \"releases\": {{", self.version);
        let comma = |at: usize, length: usize| if at + 1 < length { "," } else { "" };
        for (at, (version, targets)) in self.releases.iter().enumerate() {
            write!(text, "\n    \"{version}\": {{").expect("a String takes every write");
            for (at, (target, digest)) in targets.iter().enumerate() {
                write!(text, "\n      \"{target}\": \"{digest}\"{}", comma(at, targets.len()))
                    .expect("a String takes every write");
            }
            write!(text, "\n    }}{}", comma(at, self.releases.len())).expect("a String takes every write");
        }
        text.push_str(if self.releases.is_empty() { "}\n}\n" } else { "\n  }\n}\n" });
        text
    }

    /// Adds a release. What is recorded once stays as it is.
    fn record(&mut self, version: &str, digests: BTreeMap<String, String>) -> Result<()> {
        ensure!(version != SOURCE && is_version(version), "{version} is no version");
        match self.releases.get(version) {
            Some(recorded) if *recorded != digests => {
                bail!("{version} is recorded already, with other digests: a release is made once; take another version")
            }
            _ => self.releases.insert(version.to_owned(), digests),
        };
        version.clone_into(&mut self.version);
        Ok(())
    }

    fn verify(&self, version: &str, digests: &BTreeMap<String, String>) -> Result<()> {
        ensure!(self.version == version, "dist/checksums.json has {} for the default, not {version}", self.version);
        let recorded = self.releases.get(version).with_context(|| format!("{version} is not recorded"))?;
        for (target, digest) in digests {
            let expected = recorded.get(target).with_context(|| format!("{version} is not recorded for {target}"))?;
            ensure!(
                expected == digest,
                "{target} is sha256:{digest}, and dist/checksums.json has {expected}: this commit is not the one that \
                 the recorded program was built from, or the build is not reproducible; release nothing"
            );
        }
        ensure!(recorded.len() == digests.len(), "{version} is recorded for a target that was not built");
        Ok(())
    }
}

/// As the install scripts read one.
fn is_version(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(digit: char) -> BTreeMap<String, String> {
        TARGETS.iter().map(|target| ((*target).to_owned(), digit.to_string().repeat(64))).collect()
    }

    fn recorded() -> Checksums {
        let mut checksums = Checksums { version: SOURCE.into(), releases: BTreeMap::new() };
        checksums.record("0.1.0", all('a')).unwrap();
        checksums.record("0.2.0-rc.1", all('b')).unwrap();
        checksums
    }

    #[test]
    fn the_committed_file_is_read() {
        Checksums::read().unwrap();
        version().unwrap();
    }

    #[test]
    fn what_is_written_is_read_back() {
        let empty = Checksums { version: SOURCE.into(), releases: BTreeMap::new() };
        for checksums in [empty, recorded()] {
            assert_eq!(Checksums::parse(&checksums.text()).unwrap(), checksums);
        }
        assert_eq!(recorded().version, "0.2.0-rc.1");
    }

    #[test]
    fn what_is_written_otherwise_is_refused() {
        let text = recorded().text();
        let digest = "a".repeat(64);
        for other in [
            text.replace("\n", ""),
            text.replace("checksums/1", "checksums/2"),
            text.replace("\"version\": \"0.2.0-rc.1\"", "\"version\": \"0.3.0\""),
            text.replacen(&digest, &digest[1..], 1),
            text.replacen(&digest, &digest.to_uppercase(), 1),
            text.replace("aarch64-apple-darwin", "aarch64-apple-ios"),
            text.replace("\"0.1.0\": {", "\"0.1.0 \": {"),
            text.replace("\"0.1.0\": {", "\"source\": {"),
            text.replace("\n  \"version\"", "\n  \"more\": 1,\n  \"version\""),
            format!("{text}\n"),
            text[..text.len() - 2].to_owned(),
        ] {
            assert_ne!(other, text);
            assert!(Checksums::parse(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn a_release_is_recorded_once() {
        let mut checksums = recorded();
        checksums.record("0.1.0", all('a')).unwrap();
        assert!(checksums.record("0.1.0", all('b')).is_err());
        assert!(checksums.record("source", all('b')).is_err());
        assert!(checksums.record("0.1.0/..", all('b')).is_err());
    }

    #[test]
    fn a_release_is_what_was_recorded() {
        let checksums = recorded();
        checksums.verify("0.2.0-rc.1", &all('b')).unwrap();
        assert!(checksums.verify("0.1.0", &all('a')).is_err(), "not the default");
        assert!(checksums.verify("0.3.0", &all('a')).is_err(), "not recorded");
        assert!(checksums.verify("0.2.0-rc.1", &all('a')).is_err(), "other bytes");
        let mut fewer = all('b');
        fewer.pop_last();
        assert!(checksums.verify("0.2.0-rc.1", &fewer).is_err(), "fewer programs");
    }

    #[test]
    fn programs_are_found_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for target in TARGETS {
            assert!(digests(dir.path()).is_err(), "{target} is missing");
            std::fs::write(dir.path().join(asset(target)), target).unwrap();
        }
        assert_eq!(digests(dir.path()).unwrap()["x86_64-pc-windows-msvc"], dist::hex(b"x86_64-pc-windows-msvc"));
        std::fs::write(dir.path().join(asset(TARGETS[0])), "").unwrap();
        assert!(digests(dir.path()).is_err(), "one is empty");
        std::fs::write(dir.path().join(asset(TARGETS[0])), "x").unwrap();
        std::fs::write(dir.path().join("modanchor-other"), "x").unwrap();
        assert!(digests(dir.path()).is_err(), "one is too many");
    }

    #[test]
    fn tag_version_and_changelog_agree() {
        let changelog = "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-11-27\n";
        check_tag("v0.1.0", "0.1.0", changelog).unwrap();
        assert!(check_tag("0.1.0", "0.1.0", changelog).is_err());
        assert!(check_tag("v0.1.1", "0.1.0", changelog).is_err());
        assert!(check_tag("v0.1.1", "0.1.1", changelog).is_err());
    }
}
