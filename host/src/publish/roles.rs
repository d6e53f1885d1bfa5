//! Signing metadata, and checking that the right people have signed it.
//!
//! # Security
//! [`standing`] is what stands between a store that somebody else can write to and our signature: whatever a publisher
//! reads before it changes and signs it again, goes through here first. Signatures count by key, not by identifier, so
//! that one key under two identifiers counts once; a key of a kind that is not known counts for nobody.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp as Instant;
use modanchor_core::hex;
use modanchor_core::tuf::client::encode;
use modanchor_core::tuf::metadata::{
    Delegations, Expires, Key, MetaFile, ROLE_FIELD, Role, Root, SPEC_VERSION, Signature, Signed, Snapshot, Targets,
    Timestamp,
};
use serde_json::{Map, Value};

use super::keys::{KeyError, NAME_FIELD, Signer, Verifier};

/// The file of one version of a role, below `tuf/`.
#[must_use]
pub fn file_name(version: u64, role: &str) -> String {
    format!("tuf/{version}.{}.json", encode(role))
}

/// The one file without a version.
pub const TIMESTAMP: &str = "tuf/timestamp.json";

/// Whose signatures a role needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    /// By identifier. An identifier without a key is nobody.
    pub keys: BTreeMap<String, Key>,
    /// How many of them.
    pub threshold: u64,
}

impl Authority {
    /// Of a top-level role.
    #[must_use]
    pub fn of_root(root: &Root, role: &str) -> Self {
        let Some(named) = root.roles.get(role) else {
            return Self { keys: BTreeMap::new(), threshold: u64::MAX };
        };
        Self::new(&named.keyids, named.threshold, &root.keys)
    }

    /// Of a delegated role.
    #[must_use]
    pub fn of_edge(keyids: &[String], threshold: u64, delegations: &Delegations) -> Self {
        Self::new(keyids, threshold, &delegations.keys)
    }

    fn new(keyids: &[String], threshold: u64, keys: &BTreeMap<String, Key>) -> Self {
        let known = keyids.iter().filter_map(|id| Some((id.clone(), keys.get(id)?.clone())));
        Self { keys: known.collect(), threshold }
    }
}

/// What a key is called: by whoever made it, else the beginning of its identifier.
#[must_use]
pub fn name_of(id: &str, key: &Key) -> String {
    let name = key.extra.get(NAME_FIELD).and_then(Value::as_str);
    name.map_or_else(|| id.chars().take(12).collect(), str::to_owned)
}

/// How far a file is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who has signed, by name.
    pub signed: Vec<String>,
    /// Who has not, by name.
    pub unsigned: Vec<String>,
    /// How many must.
    pub threshold: u64,
}

impl Standing {
    /// Whether enough have.
    #[must_use]
    pub fn met(&self) -> bool {
        self.threshold > 0 && self.signed.len() as u64 >= self.threshold
    }
}

/// Who has signed, and who has not.
#[must_use]
pub fn standing<T: Role>(signed: &Signed<T>, authority: &Authority) -> Standing {
    let message = signed.canonical();
    let mut standing = Standing { signed: Vec::new(), unsigned: Vec::new(), threshold: authority.threshold };
    let mut counted = BTreeSet::new();
    for (id, key) in &authority.keys {
        let good = || {
            let verifier = Verifier::of(key)?;
            signed.signatures.iter().find(|s| &s.keyid == id && verifier.verify(&message, &s.sig))
        };
        if !counted.contains(key.keyval.public.trim()) && good().is_some() {
            counted.insert(key.keyval.public.trim());
            standing.signed.push(name_of(id, key));
        } else {
            standing.unsigned.push(name_of(id, key));
        }
    }
    standing
}

/// Signs for every signer that `authorities` name; what others have signed stays if it is still good, and nothing else.
///
/// # Errors
/// [`KeyError`].
pub fn sign<T: Role>(
    signed: &mut Signed<T>,
    authorities: &[&Authority],
    signers: &[&dyn Signer],
) -> Result<(), KeyError> {
    let message = signed.canonical();
    let mut signatures: BTreeMap<String, Signature> = BTreeMap::new();
    for (id, key) in authorities.iter().flat_map(|authority| &authority.keys) {
        let old = signed.signatures.iter().find(|signature| &signature.keyid == id);
        let still = old.filter(|old| Verifier::of(key).is_some_and(|verifier| verifier.verify(&message, &old.sig)));
        if let Some(still) = still {
            signatures.insert(id.clone(), still.clone());
            continue;
        }
        let same = |signer: &&&dyn Signer| {
            let public = signer.public();
            (&public.keyval.public, &public.scheme) == (&key.keyval.public, &key.scheme)
        };
        if let Some(signer) = signers.iter().find(same) {
            let sig = hex::encode(&signer.sign(&message)?);
            signatures.insert(id.clone(), Signature { keyid: id.clone(), sig, extra: Map::new() });
        }
    }
    signed.signatures = signatures.into_values().collect();
    Ok(())
}

/// Unsigned.
#[must_use]
pub fn unsigned<T>(signed: T) -> Signed<T> {
    Signed { signatures: Vec::new(), signed }
}

/// `seconds` after `now`.
///
/// # Panics
/// Never: 290 years after any `now` are within what the calendar knows, and callers bound `seconds` so.
#[must_use]
pub fn expires(now: Instant, seconds: u64) -> Expires {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let at = now.as_second().saturating_add(seconds).min(Instant::MAX.as_second());
    Expires::from_unix(at).expect("at most the calendar's last second")
}

/// A targets role that says nothing yet. A delegated one names itself ([`ROLE_FIELD`]).
#[must_use]
pub fn empty_targets(role: &str, expires: Expires) -> Targets {
    let named = (role != "targets").then(|| (ROLE_FIELD.to_owned(), role.into()));
    Targets {
        kind: Targets::TYPE.to_owned(),
        spec_version: SPEC_VERSION.to_owned(),
        version: 1,
        expires,
        targets: BTreeMap::new(),
        delegations: None,
        extra: named.into_iter().collect(),
    }
}

/// A snapshot.
#[must_use]
pub fn snapshot(version: u64, expires: Expires, meta: BTreeMap<String, MetaFile>) -> Snapshot {
    Snapshot {
        kind: Snapshot::TYPE.to_owned(),
        spec_version: SPEC_VERSION.to_owned(),
        version,
        expires,
        meta,
        extra: Map::new(),
    }
}

/// A timestamp for a snapshot. It binds the snapshot's bytes too.
#[must_use]
pub fn timestamp(version: u64, expires: Expires, snapshot: &Signed<Snapshot>, bytes: &[u8]) -> Timestamp {
    use sha2::Digest as _;
    let meta = MetaFile {
        version: snapshot.signed.version,
        length: Some(bytes.len() as u64),
        hashes: Some(BTreeMap::from([("sha256".to_owned(), hex::encode(&sha2::Sha256::digest(bytes)))])),
        extra: Map::new(),
    };
    Timestamp {
        kind: Timestamp::TYPE.to_owned(),
        spec_version: SPEC_VERSION.to_owned(),
        version,
        expires,
        meta: BTreeMap::from([("snapshot.json".to_owned(), meta)]),
        extra: Map::new(),
    }
}

/// What snapshot says of a role: its version. Signatures and versions are what clients check of it; hashes would make a
/// snapshot of many bins five times as large.
#[must_use]
pub fn meta_of(version: u64) -> MetaFile {
    MetaFile { version, length: None, hashes: None, extra: Map::new() }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Kind, SecretKey};
    use super::*;

    fn keys(n: usize) -> (Vec<SecretKey>, Authority) {
        let secrets: Vec<_> = (0..n).map(|_| SecretKey::generate(Kind::Ed25519).unwrap()).collect();
        let keys = secrets.iter().map(|key| (key.public().id(), key.public().clone())).collect();
        (secrets, Authority { keys, threshold: 2 })
    }

    fn refs(secrets: &[SecretKey]) -> Vec<&dyn Signer> {
        secrets.iter().map(|key| key as &dyn Signer).collect()
    }

    fn targets() -> Signed<Targets> {
        unsigned(empty_targets("targets", Expires::from_unix(2_000_000_000).unwrap()))
    }

    #[test]
    fn signatures_add_up() {
        let (secrets, authority) = keys(3);
        let mut file = targets();
        assert!(!standing(&file, &authority).met());
        sign(&mut file, &[&authority], &refs(&secrets[..1])).unwrap();
        assert_eq!(standing(&file, &authority).signed.len(), 1);
        assert!(!standing(&file, &authority).met());
        sign(&mut file, &[&authority], &refs(&secrets[1..2])).unwrap();
        assert_eq!(standing(&file, &authority).signed.len(), 2);
        assert!(standing(&file, &authority).met());
        assert_eq!(Signed::<Targets>::parse(&file.to_bytes()).unwrap(), file);
        // What is changed after it was signed is signed by nobody, and keeps no dead signatures.
        file.signed.version = 2;
        assert_eq!(standing(&file, &authority).signed, Vec::<String>::new());
        sign(&mut file, &[&authority], &[]).unwrap();
        assert_eq!(file.signatures, []);
    }

    #[test]
    fn one_key_under_two_identifiers_counts_once() {
        let (secrets, mut authority) = keys(1);
        authority.keys.insert("alias".to_owned(), secrets[0].public().clone());
        let mut file = targets();
        sign(&mut file, &[&authority], &refs(&secrets)).unwrap();
        assert_eq!(file.signatures.len(), 2);
        assert!(!standing(&file, &authority).met());
    }

    #[test]
    fn a_threshold_of_nothing_is_never_met() {
        let (_, mut authority) = keys(1);
        authority.threshold = 0;
        assert!(!standing(&targets(), &authority).met());
    }

    #[test]
    fn names_of_files_are_pythons() {
        assert_eq!(file_name(7, "team/a b"), "tuf/7.team%2Fa%20b.json");
        assert_eq!(file_name(1, "../x?#é"), "tuf/1...%2Fx%3F%23%C3%A9.json");
        assert_eq!(file_name(1, "a-b_c.d~e"), "tuf/1.a-b_c.d~e.json");
    }

    #[test]
    fn expiry_is_bounded() {
        assert_eq!(expires(Instant::from_second(0).unwrap(), 86_400).to_string(), "1970-01-02T00:00:00Z");
        assert_eq!(expires(Instant::from_second(0).unwrap(), u64::MAX).to_string(), "9999-12-30T22:00:00Z");
    }
}
