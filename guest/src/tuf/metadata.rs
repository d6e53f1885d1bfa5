//! TUF metadata: the four roles, read strictly and written canonically (specification 1.0.34, section 4).
//!
//! A [`Signed`] value is parsed, not verified: it says what a file says. What makes it trusted is in [`super::client`].
//! Parsing refuses what the specification leaves to luck and other clients read differently: see [`MetadataError`].
//! Fields that nobody knows are kept, because signatures cover them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::json;
use crate::hex;

/// The version of the specification that is written.
pub const SPEC_VERSION: &str = "1.0.34";
/// The most bits of hash that bins may be made of: 2^32 bins. TAP 15.
pub const MAX_BIT_LENGTH: u8 = 32;
/// The most signatures in one file.
pub const MAX_SIGNATURES: usize = 1024;
/// The most keys in one role.
pub const MAX_ROLE_KEYS: usize = 256;
/// The longest name of a role, in bytes: percent-encoded it must still be a file name.
pub const MAX_ROLE_NAME: usize = 64;
/// A field of delegated targets metadata that we write and check: the name of the role that it is for. Other clients pass
/// over it (section 4.1: unknown fields). TUF leaves that name to the file's name, which nobody signs; snapshot could
/// name digests instead, at 90 bytes for each of thousands of bins.
pub const ROLE_FIELD: &str = "x-modanchor-role";
/// The roles that root names.
pub const TOP_LEVEL: [&str; 4] = ["root", "timestamp", "snapshot", "targets"];

/// Why a file is no metadata of its role.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// Not JSON, or not as [`json::parse`] wants it, or not the fields of the role.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// `_type` is of another role.
    #[error("it is {found:?} metadata, not {expected:?}")]
    Type {
        /// What it should be.
        expected: &'static str,
        /// What it says.
        found: String,
    },
    /// Another major version of the specification.
    #[error("it follows version {0:?} of the TUF specification; this client knows 1.x")]
    SpecVersion(String),
    /// Versions begin at 1.
    #[error("{0} has version 0; versions begin at 1")]
    VersionZero(String),
    /// A threshold that no signature, or no set of keys, can mean.
    #[error("role {role:?} asks for {threshold} signatures of {keys} keys")]
    Threshold {
        /// Which role.
        role: String,
        /// As declared.
        threshold: u64,
        /// Different keys.
        keys: usize,
    },
    /// A key identifier twice in one role.
    #[error("role {role:?} names the key {keyid} twice")]
    DuplicateKeyId {
        /// Which role.
        role: String,
        /// Which key.
        keyid: String,
    },
    /// One key under two identifiers would count twice (the hazard of TAP 12).
    #[error("role {role:?} names one key under two identifiers, {first} and {second}")]
    AliasedKey {
        /// Which role.
        role: String,
        /// One.
        first: String,
        /// The other.
        second: String,
    },
    /// Too many of something.
    #[error("more than {limit} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// At most.
        limit: usize,
    },
    /// Root must name all four roles.
    #[error("it names no role {0:?}")]
    MissingRole(&'static str),
    /// `meta` lacks the one entry that it is there for.
    #[error("its meta has no {0:?}")]
    MissingMeta(&'static str),
    /// A name that files, other roles or people could mistake.
    #[error("{0:?} cannot be the name of a delegated role")]
    RoleName(String),
    /// Two delegations of one name.
    #[error("it delegates to {0:?} twice")]
    DuplicateRole(String),
    /// A role is delegated paths or hash prefixes, one of them.
    #[error("the delegation to {0:?} has both paths and path_hash_prefixes, or neither")]
    Paths(String),
    /// `roles` and `succinct_roles` exclude each other (TAP 15).
    #[error("its delegations have both roles and succinct_roles, or neither")]
    Succinct,
    /// Bits of hash.
    #[error("succinct_roles has a bit_length of {0}; 1 to 32 is possible")]
    BitLength(u64),
    /// A hash prefix that is not lower-case hexadecimal.
    #[error("the delegation to {role:?} has the hash prefix {prefix:?}, which is not lower-case hexadecimal")]
    HashPrefix {
        /// Which role.
        role: String,
        /// As declared.
        prefix: String,
    },
    /// A hash without digits, or none that is known.
    #[error("{0} has no usable sha256 or sha512")]
    Hashes(String),
    /// A target path that could leave its folder, or has an empty element.
    #[error("{0:?} cannot be the path of a target")]
    TargetPath(String),
}

/// When metadata expires: whole seconds, UTC, written `2026-01-31T12:00:00Z` and in no other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expires(jiff::Timestamp);

impl Expires {
    /// That second.
    ///
    /// # Errors
    ///
    /// Outside of the years that jiff knows.
    pub fn from_unix(seconds: i64) -> Result<Self, jiff::Error> {
        jiff::Timestamp::from_second(seconds).map(Self)
    }

    /// The instant.
    #[must_use]
    pub fn timestamp(self) -> jiff::Timestamp {
        self.0
    }

    /// Whether it has come: metadata is good until just before (section 5.3.10: "greater than the fixed time").
    #[must_use]
    pub fn is_past(self, now: jiff::Timestamp) -> bool {
        self.0 <= now
    }
}

impl FromStr for Expires {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = b"dddd-dd-ddTdd:dd:ddZ";
        let shaped = text.len() == shape.len()
            && text.bytes().zip(shape).all(|(byte, shape)| match shape {
                b'd' => byte.is_ascii_digit(),
                other => byte == *other,
            });
        let time: Option<jiff::Timestamp> = if shaped { text.parse().ok() } else { None };
        // jiff takes second 60 for 59: what is written must be what was read.
        match time.map(Self) {
            Some(time) if time.to_string() == text => Ok(time),
            _ => Err(format!("{text:?} is no date and time such as 2026-01-31T12:00:00Z")),
        }
    }
}

impl fmt::Display for Expires {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:.0}", self.0)
    }
}

impl Serialize for Expires {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Expires {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A signature over the canonical form of `signed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The declared identifier of the key.
    pub keyid: String,
    /// Hexadecimal; empty: somebody who has not signed yet.
    pub sig: String,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// `ed25519`, `ecdsa`, `rsa`.
    pub keytype: String,
    /// `ed25519`, `ecdsa-sha2-nistp256`, `rsassa-pss-sha256`, …
    pub scheme: String,
    /// The key itself.
    pub keyval: KeyValue,
    /// What producers add, such as `x-tuf-on-ci-keyowner`. Not part of the identifier.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A public key's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyValue {
    /// PEM of a SubjectPublicKeyInfo, or for Ed25519 32 bytes in hexadecimal.
    pub public: String,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Key {
    /// The identifier that securesystemslib, and we, give a key: SHA-256 of its canonical form. Identifiers of others are
    /// taken as they are declared (TAP 12).
    #[must_use]
    pub fn id(&self) -> String {
        let key = serde_json::json!({
            "keytype": self.keytype,
            "scheme": self.scheme,
            "keyval": { "public": self.keyval.public },
        });
        hex::encode(&Sha256::digest(canonical(&key)))
    }

    /// What tells two keys apart: the bytes that signatures are verified with, however the key is written down (hexadecimal in
    /// capitals, PEM with other line ends). Of a key that nobody can verify with, the text.
    fn material(&self) -> Vec<u8> {
        let key: Result<sigstore_tuf::Key, _> = serde_json::to_value(self).and_then(serde_json::from_value);
        let usable = key.ok().and_then(|key| key.verification_key().ok());
        usable.map_or_else(|| self.keyval.public.trim().into(), |key| key.as_bytes().to_vec())
    }
}

/// Whose signatures a role needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleKeys {
    /// Identifiers of keys.
    pub keyids: Vec<String>,
    /// How many of them must have signed.
    pub threshold: u64,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Root: the keys of all top-level roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// `root`
    #[serde(rename = "_type")]
    pub kind: String,
    /// The specification that it follows.
    pub spec_version: String,
    /// From 1.
    pub version: u64,
    /// Until when.
    pub expires: Expires,
    /// Whether file names have versions and hashes in front.
    #[serde(default)]
    pub consistent_snapshot: bool,
    /// By identifier.
    pub keys: BTreeMap<String, Key>,
    /// The four top-level roles, and what producers add.
    pub roles: BTreeMap<String, RoleKeys>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What timestamp says of snapshot, and snapshot of each targets role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetaFile {
    /// The version.
    pub version: u64,
    /// The size in bytes, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Digests by algorithm, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<BTreeMap<String, String>>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Timestamp: which snapshot is the newest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamp {
    /// `timestamp`
    #[serde(rename = "_type")]
    pub kind: String,
    /// The specification that it follows.
    pub spec_version: String,
    /// From 1.
    pub version: u64,
    /// Until when.
    pub expires: Expires,
    /// One entry, `snapshot.json`.
    pub meta: BTreeMap<String, MetaFile>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Snapshot: which version of each targets role belongs together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `snapshot`
    #[serde(rename = "_type")]
    pub kind: String,
    /// The specification that it follows.
    pub spec_version: String,
    /// From 1.
    pub version: u64,
    /// Until when.
    pub expires: Expires,
    /// By file name, `ROLE.json`.
    pub meta: BTreeMap<String, MetaFile>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Targets: files, and who else may say so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// `targets`
    #[serde(rename = "_type")]
    pub kind: String,
    /// The specification that it follows.
    pub spec_version: String,
    /// From 1.
    pub version: u64,
    /// Until when.
    pub expires: Expires,
    /// By path.
    pub targets: BTreeMap<String, TargetMeta>,
    /// To whom it delegates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delegations: Option<Delegations>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetMeta {
    /// Bytes.
    pub length: u64,
    /// Digests by algorithm, hexadecimal.
    pub hashes: BTreeMap<String, String>,
    /// What the repository's users agree on (docs/spec/tuf-go-modules.md).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom: Option<Value>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// To whom a targets role delegates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegations {
    /// By identifier.
    pub keys: BTreeMap<String, Key>,
    /// In the order in which they are searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<DelegatedRole>>,
    /// Or bins (TAP 15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succinct_roles: Option<SuccinctRoles>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A delegation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelegatedRole {
    /// Of the role.
    pub name: String,
    /// Whose signatures it needs.
    pub keyids: Vec<String>,
    /// How many of them.
    pub threshold: u64,
    /// Whether the search ends with it.
    #[serde(default)]
    pub terminating: bool,
    /// Patterns of paths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paths: Option<Vec<String>>,
    /// Or beginnings of the SHA-256 of paths, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_hash_prefixes: Option<Vec<String>>,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// 2^`bit_length` bins with the same keys: a path is in that which the first bits of its SHA-256 say (TAP 15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuccinctRoles {
    /// Whose signatures each bin needs.
    pub keyids: Vec<String>,
    /// How many of them.
    pub threshold: u64,
    /// 1 to 32.
    pub bit_length: u8,
    /// A bin is called so, `-`, and its number in hexadecimal with as many digits as the last one's.
    pub name_prefix: String,
    /// What producers add.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl SuccinctRoles {
    /// How many bins.
    #[must_use]
    pub fn bins(&self) -> u64 {
        1 << self.bit_length
    }

    /// The name of a bin.
    #[must_use]
    pub fn bin(&self, number: u64) -> String {
        let digits = format!("{:x}", self.bins() - 1).len();
        format!("{}-{number:0digits$x}", self.name_prefix)
    }

    /// The bin that a path is in.
    #[must_use]
    pub fn bin_of(&self, path: &str) -> String {
        let digest = Sha256::digest(path.as_bytes());
        let first = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
        self.bin(u64::from(first) >> (32 - u32::from(self.bit_length)))
    }
}

mod sealed {
    pub trait Sealed {}
}

/// One of the four roles' metadata.
pub trait Role: Serialize + DeserializeOwned + sealed::Sealed {
    /// Its `_type`.
    const TYPE: &'static str;
    /// The most bytes of a file, as in python-tuf's `UpdaterConfig`.
    const MAX_BYTES: u32;

    /// Its version.
    fn version(&self) -> u64;
    /// Until when.
    fn expires(&self) -> Expires;
    /// What the types do not say.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong.
    fn check(&self) -> Result<(), MetadataError>;
}

macro_rules! role {
    ($name:ident, $kind:literal, $max:literal) => {
        impl sealed::Sealed for $name {}
        impl Role for $name {
            const TYPE: &'static str = $kind;
            const MAX_BYTES: u32 = $max;

            fn version(&self) -> u64 {
                self.version
            }

            fn expires(&self) -> Expires {
                self.expires
            }

            fn check(&self) -> Result<(), MetadataError> {
                self.sound()
            }
        }
    };
}

role!(Root, "root", 512_000);
role!(Timestamp, "timestamp", 16_384);
role!(Snapshot, "snapshot", 2_000_000);
role!(Targets, "targets", 5_000_000);

impl Root {
    fn sound(&self) -> Result<(), MetadataError> {
        for name in TOP_LEVEL {
            let role = self.roles.get(name).ok_or(MetadataError::MissingRole(name))?;
            check_keys(name, &role.keyids, role.threshold, &self.keys)?;
        }
        Ok(())
    }
}

impl Timestamp {
    /// What it says of snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<&MetaFile> {
        self.meta.get("snapshot.json")
    }

    fn sound(&self) -> Result<(), MetadataError> {
        let snapshot = self.snapshot().ok_or(MetadataError::MissingMeta("snapshot.json"))?;
        snapshot.sound("snapshot.json")
    }
}

impl Snapshot {
    fn sound(&self) -> Result<(), MetadataError> {
        if !self.meta.contains_key("targets.json") {
            return Err(MetadataError::MissingMeta("targets.json"));
        }
        self.meta.iter().try_for_each(|(name, meta)| meta.sound(name))
    }
}

impl MetaFile {
    fn sound(&self, name: &str) -> Result<(), MetadataError> {
        if self.version == 0 {
            return Err(MetadataError::VersionZero(name.to_owned()));
        }
        match &self.hashes {
            Some(hashes) => check_hashes(name, hashes),
            None => Ok(()),
        }
    }
}

impl Targets {
    fn sound(&self) -> Result<(), MetadataError> {
        // A hash of an unknown algorithm is refused when the target is wanted, not before: the other targets are good.
        self.delegations.as_ref().map_or(Ok(()), Delegations::sound)
    }
}

impl Delegations {
    fn sound(&self) -> Result<(), MetadataError> {
        match (&self.roles, &self.succinct_roles) {
            (Some(roles), None) => {
                let mut names = BTreeSet::new();
                for role in roles {
                    role.sound()?;
                    check_keys(&role.name, &role.keyids, role.threshold, &self.keys)?;
                    if !names.insert(&role.name) {
                        return Err(MetadataError::DuplicateRole(role.name.clone()));
                    }
                }
                Ok(())
            }
            (None, Some(bins)) => {
                if !(1..=MAX_BIT_LENGTH).contains(&bins.bit_length) {
                    return Err(MetadataError::BitLength(bins.bit_length.into()));
                }
                check_role_name(&bins.bin(bins.bins() - 1))?;
                if bins.name_prefix.is_empty() {
                    return Err(MetadataError::RoleName(String::new()));
                }
                check_keys(&bins.name_prefix, &bins.keyids, bins.threshold, &self.keys)
            }
            _ => Err(MetadataError::Succinct),
        }
    }
}

impl DelegatedRole {
    fn sound(&self) -> Result<(), MetadataError> {
        check_role_name(&self.name)?;
        if self.paths.is_some() == self.path_hash_prefixes.is_some() {
            return Err(MetadataError::Paths(self.name.clone()));
        }
        for prefix in self.path_hash_prefixes.iter().flatten() {
            if prefix.len() > 64 || !prefix.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
                return Err(MetadataError::HashPrefix { role: self.name.clone(), prefix: prefix.clone() });
            }
        }
        Ok(())
    }
}

/// `1.0` or `1.0.34`: the major version decides what may be read.
fn is_spec_1(version: &str) -> bool {
    let parts: Vec<&str> = version.split('.').collect();
    let numeric = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts[0] == "1" && (2..=3).contains(&parts.len()) && parts.iter().all(numeric)
}

/// A delegated role must not take the place of a top-level one, among files or in anybody's mind: not in another case
/// either, since many file systems take `Timestamp.json` for `timestamp.json`, and with it the floor against rollback.
fn check_role_name(name: &str) -> Result<(), MetadataError> {
    let is_top_level = |name: &str| TOP_LEVEL.iter().any(|top| top.eq_ignore_ascii_case(name));
    let versioned_root = name.split_once('.').is_some_and(|(version, rest)| {
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) && is_top_level(rest)
    });
    if name.is_empty() || name.len() > MAX_ROLE_NAME || is_top_level(name) || versioned_root {
        return Err(MetadataError::RoleName(name.chars().take(MAX_ROLE_NAME).collect()));
    }
    Ok(())
}

/// `keyids` and `threshold` of a role must mean what they seem to.
fn check_keys(
    role: &str,
    keyids: &[String],
    threshold: u64,
    keys: &BTreeMap<String, Key>,
) -> Result<(), MetadataError> {
    if keyids.len() > MAX_ROLE_KEYS {
        return Err(MetadataError::TooMany { what: "keys in one role", limit: MAX_ROLE_KEYS });
    }
    let role = || role.to_owned();
    let mut seen = BTreeSet::new();
    let mut values: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    for keyid in keyids {
        if !seen.insert(keyid.as_str()) {
            return Err(MetadataError::DuplicateKeyId { role: role(), keyid: keyid.clone() });
        }
        // An identifier without a key is nobody who could sign: it counts for nothing.
        let Some(key) = keys.get(keyid) else { continue };
        if let Some(first) = values.insert(key.material(), keyid) {
            return Err(MetadataError::AliasedKey { role: role(), first: first.to_owned(), second: keyid.clone() });
        }
    }
    if threshold == 0 {
        return Err(MetadataError::Threshold { role: role(), threshold, keys: values.len() });
    }
    Ok(())
}

fn check_hashes(name: &str, hashes: &BTreeMap<String, String>) -> Result<(), MetadataError> {
    let usable = hashes.iter().any(|(algorithm, digest)| match algorithm.as_str() {
        "sha256" => digest.len() == 64,
        "sha512" => digest.len() == 128,
        _ => false,
    });
    if usable { Ok(()) } else { Err(MetadataError::Hashes(name.to_owned())) }
}

/// Metadata with its signatures: parsed, not verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed<T> {
    /// In any order, at most one of a key.
    pub signatures: Vec<Signature>,
    /// What is signed.
    pub signed: T,
}

impl<T: Role> Signed<T> {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it is not metadata of that role.
    pub fn parse(bytes: &[u8]) -> Result<Self, MetadataError> {
        let value = json::parse(bytes)?;
        // First what it is, so that messages are about that and not about a field that it lacks for being something else.
        let text = |name: &str| value.pointer(&format!("/signed/{name}")).and_then(Value::as_str).unwrap_or_default();
        if value.get("signed").is_some() && text("_type") != T::TYPE {
            return Err(MetadataError::Type { expected: T::TYPE, found: text("_type").to_owned() });
        }
        if value.get("signed").is_some() && !is_spec_1(text("spec_version")) {
            return Err(MetadataError::SpecVersion(text("spec_version").to_owned()));
        }
        let parsed: Self = serde_json::from_value(value)?;
        if parsed.signatures.len() > MAX_SIGNATURES {
            return Err(MetadataError::TooMany { what: "signatures", limit: MAX_SIGNATURES });
        }
        if parsed.signed.version() == 0 {
            return Err(MetadataError::VersionZero("it".to_owned()));
        }
        parsed.signed.check()?;
        Ok(parsed)
    }

    /// As a file: one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("maps with string keys, and types that always serialise")
    }

    /// The bytes that signatures cover.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        canonical(&serde_json::to_value(&self.signed).expect("maps with string keys, and types that always serialise"))
    }
}

/// The canonical form of OLPC and securesystemslib: sorted keys, no blanks, only `"` and `\` escaped.
///
/// # Panics
///
/// If there is a float in `value`: [`json::parse`] takes none, and no type here has one.
#[must_use]
pub fn canonical(value: &Value) -> Vec<u8> {
    sigstore_tuf::canonical_json::to_canonical_bytes(value).expect("no floats")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The Ed25519 key of RFC 8032's first test, written in four ways.
    #[test]
    fn one_key_is_one_key_however_it_is_written() {
        let hexadecimal = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let base64 = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{base64}\n-----END PUBLIC KEY-----\n");
        let other = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let ways = [hexadecimal.to_uppercase(), format!("{hexadecimal}\n"), pem.replace('\n', "\r\n"), pem];
        let check = |second: &str| {
            let key =
                |public: &str| json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": public } });
            let keys = json!({ "a": key(hexadecimal), "b": key(second) });
            let keys: BTreeMap<String, Key> = serde_json::from_value(keys).expect("keys");
            check_keys("role", &["a".to_owned(), "b".to_owned()], 2, &keys)
        };
        for way in ways {
            assert!(matches!(check(&way), Err(MetadataError::AliasedKey { .. })), "{way}");
        }
        assert!(check(other).is_ok());
    }
}
