//! `.modanchor-repo.toml`: what a working copy knows beside the metadata.
//!
//! It holds where the repository is published, how long metadata is good, and where the keys are that this machine has. It
//! holds no key, and nothing that a client trusts: who may sign what is in the metadata alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::files::{FileError, Regular};

/// Its name.
pub const FILE: &str = ".modanchor-repo.toml";
/// The most bytes that it may have.
pub const MAX_CONFIG: u64 = 1 << 20;
/// The longest that metadata may be good: ten years.
pub const MAX_EXPIRY: Duration = Duration::from_secs(3650 * 86_400);

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not there.
    #[error("no {FILE} in {0}: not a working copy; `modanchor repo init` makes one")]
    Absent(String),
    /// It cannot be read.
    #[error("{FILE}: {0}")]
    File(#[from] FileError),
    /// It is no TOML, or not ours.
    #[error("{FILE}: {0}")]
    Syntax(#[from] toml::de::Error),
    /// It is no text.
    #[error("{FILE}: not UTF-8")]
    Text,
    /// It cannot be written.
    #[error("{FILE}: {0}")]
    Write(#[from] toml::ser::Error),
    /// A time that is no time for metadata.
    #[error("{FILE}: [expires] {role}: {text:?} is not a time from one second to ten years, such as `90d`")]
    Expiry {
        /// Of which role.
        role: &'static str,
        /// As written.
        text: String,
    },
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it is published: a folder (relative to the working copy), `file:///…` or `s3://BUCKET/PREFIX`.
    pub store: String,
    /// How long metadata is good from when it is signed.
    pub expires: Lifetimes,
    /// Where keys are, by their identifier.
    #[serde(default)]
    pub keys: BTreeMap<String, KeyPlace>,
}

/// A key that this machine can sign with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyPlace {
    /// What it is called.
    pub name: String,
    /// A URI: see [`super::source`].
    pub source: String,
}

/// How long metadata is good, as people write it: `365d`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifetimes {
    /// Root: until then somebody has to hold a ceremony.
    pub root: String,
    /// Targets and every role that it delegates to.
    pub targets: String,
    /// Snapshot.
    pub snapshot: String,
    /// Timestamp: how long a mirror can hold back what is new without being found out.
    pub timestamp: String,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self { root: "365d".into(), targets: "90d".into(), snapshot: "7d".into(), timestamp: "1d".into() }
    }
}

impl Lifetimes {
    /// Of a top-level role, or of a delegated one, which is as `targets`; in seconds.
    ///
    /// # Errors
    /// [`ConfigError::Expiry`].
    pub fn seconds(&self, role: &str) -> Result<u64, ConfigError> {
        let (role, text) = match role {
            "root" => ("root", &self.root),
            "snapshot" => ("snapshot", &self.snapshot),
            "timestamp" => ("timestamp", &self.timestamp),
            _ => ("targets", &self.targets),
        };
        let time = humantime::parse_duration(text).ok();
        let time = time.filter(|time| time.as_secs() >= 1 && *time <= MAX_EXPIRY);
        time.map(|time| time.as_secs()).ok_or_else(|| ConfigError::Expiry { role, text: text.clone() })
    }
}

impl Config {
    /// Reads that of a working copy.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(dir: &Path) -> Result<Self, ConfigError> {
        let bytes = match Regular::open(&dir.join(FILE)) {
            Err(FileError::Io(error)) if crate::files::is_absent(&error) => {
                return Err(ConfigError::Absent(dir.display().to_string()));
            }
            file => file?.read(MAX_CONFIG)?,
        };
        let text = String::from_utf8(bytes).map_err(|_| ConfigError::Text)?;
        let config: Self = toml::from_str(&text)?;
        for role in ["root", "targets", "snapshot", "timestamp"] {
            config.expires.seconds(role)?;
        }
        Ok(config)
    }

    /// As TOML.
    ///
    /// # Errors
    /// [`ConfigError::Write`].
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        let head = "# A working copy of a TUF repository (docs/commands/repo.md). No secrets, and nothing that clients trust.\n\n";
        Ok(format!("{head}{}", toml::to_string(self)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(Config::read(dir.path()), Err(ConfigError::Absent(_))));
        let place = KeyPlace { name: "alice".into(), source: "file:alice.pem".into() };
        let config =
            Config { store: ".".into(), expires: Lifetimes::default(), keys: BTreeMap::from([("00ff".into(), place)]) };
        std::fs::write(dir.path().join(FILE), config.to_toml().unwrap()).unwrap();
        assert_eq!(Config::read(dir.path()).unwrap(), config);
        let seconds =
            ["root", "targets", "snapshot", "timestamp", "team"].map(|role| config.expires.seconds(role).unwrap());
        assert_eq!(seconds, [365 * 86_400, 90 * 86_400, 7 * 86_400, 86_400, 90 * 86_400]);
    }

    #[test]
    fn what_makes_no_sense_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let good = Config { store: ".".into(), expires: Lifetimes::default(), keys: BTreeMap::new() };
        for (from, to) in [("\"1d\"", "\"0s\""), ("\"1d\"", "\"soon\""), ("\"1d\"", "\"11y\""), ("store", "stor")] {
            let text = good.to_toml().unwrap().replace(from, to);
            std::fs::write(dir.path().join(FILE), text).unwrap();
            assert!(Config::read(dir.path()).is_err(), "{to}");
        }
        std::fs::write(dir.path().join(FILE), vec![b'#'; MAX_CONFIG as usize + 1]).unwrap();
        assert!(matches!(Config::read(dir.path()), Err(ConfigError::File(FileError::TooLarge { .. }))));
    }
}
