//! A TUF repository in memory, whose keys one has: for tests.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};

use super::metadata::canonical;
use crate::hex;

/// Far off.
pub(crate) const LATER: &str = "2100-01-01T00:00:00Z";

/// The key of that seed.
fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> Value {
    json!({ "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": hex::encode(key(seed).verifying_key().as_bytes()) } })
}

fn keyid(seed: u8) -> String {
    hex::encode(&Sha256::digest(canonical(&public(seed))))
}

/// `signed`, with signatures of these keys.
pub(crate) fn sign(signed: Value, seeds: &[u8]) -> Vec<u8> {
    let bytes = canonical(&signed);
    let signatures: Vec<Value> = seeds
        .iter()
        .map(|seed| json!({ "keyid": keyid(*seed), "sig": hex::encode(&key(*seed).sign(&bytes).to_bytes()) }))
        .collect();
    serde_json::to_vec(&json!({ "signatures": signatures, "signed": signed })).expect("JSON")
}

/// A repository. What is public may be changed between publications.
#[derive(Clone)]
pub(crate) struct Forge {
    /// What its server serves, metadata and targets.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    /// The seed of each role's key.
    pub(crate) keys: BTreeMap<String, u8>,
    /// When each role expires; [`LATER`] for those that are not named.
    pub(crate) expires: BTreeMap<String, String>,
    /// The version of each role.
    pub(crate) versions: BTreeMap<String, u64>,
    /// The targets of each role.
    pub(crate) targets: BTreeMap<String, BTreeMap<String, Value>>,
    /// The delegations of each role.
    pub(crate) delegations: BTreeMap<String, Value>,
}

impl Forge {
    /// An empty one, published. Two of different seeds have no key in common.
    pub(crate) fn new(seed: u8) -> Self {
        let roles = ["root", "timestamp", "snapshot", "targets"];
        let mut forge = Self {
            files: BTreeMap::new(),
            keys: roles.iter().zip(seed..).map(|(role, seed)| ((*role).to_owned(), seed)).collect(),
            expires: BTreeMap::new(),
            versions: BTreeMap::new(),
            targets: BTreeMap::from([("targets".to_owned(), BTreeMap::new())]),
            delegations: BTreeMap::new(),
        };
        forge.rotate(&[forge.keys["root"]]);
        forge.publish();
        forge
    }

    /// The first root.
    pub(crate) fn trusted_root(&self) -> Vec<u8> {
        self.files["1.root.json"].clone()
    }

    fn head(&self, role: &str, kind: &str) -> Value {
        let expires = self.expires.get(role).map_or(LATER, String::as_str);
        json!({ "_type": kind, "spec_version": "1.0.34", "version": self.versions[role], "expires": expires })
    }

    fn bump(&mut self, role: &str) {
        *self.versions.entry(role.to_owned()).or_insert(0) += 1;
    }

    /// The next root, with the present keys, signed by `seeds` and by the key that it names.
    pub(crate) fn rotate(&mut self, seeds: &[u8]) {
        self.bump("root");
        let mut root = self.head("root", "root");
        let tops = ["root", "timestamp", "snapshot", "targets"];
        root["consistent_snapshot"] = json!(true);
        root["keys"] = tops.iter().map(|role| (keyid(self.keys[*role]), public(self.keys[*role]))).collect();
        root["roles"] = tops
            .iter()
            .map(|role| ((*role).to_owned(), json!({ "keyids": [keyid(self.keys[*role])], "threshold": 1 })))
            .collect();
        let signers: BTreeSet<u8> = seeds.iter().copied().chain([self.keys["root"]]).collect();
        let bytes = sign(root, &signers.into_iter().collect::<Vec<_>>());
        self.files.insert(format!("{}.root.json", self.versions["root"]), bytes);
    }

    /// A target, with an h1 in its custom.
    pub(crate) fn approve(&mut self, role: &str, path: &str, content: &[u8], custom: Value) {
        let digest = hex::encode(&Sha256::digest(content));
        let target = json!({
            "length": content.len(),
            "hashes": { "sha256": digest, "sha512": hex::encode(&Sha512::digest(content)) },
            "custom": custom,
        });
        self.targets.entry(role.to_owned()).or_default().insert(path.to_owned(), target);
        let (folder, name) = path.split_at(path.rfind('/').map_or(0, |at| at + 1));
        self.files.insert(format!("{folder}{digest}.{name}"), content.to_vec());
    }

    /// Delegates patterns of paths from `by` to `role`, whose key has that seed.
    pub(crate) fn delegate(&mut self, by: &str, role: &str, seed: u8, paths: &[&str], terminating: bool) {
        self.keys.insert(role.to_owned(), seed);
        self.targets.entry(role.to_owned()).or_default();
        let all = self.delegations.entry(by.to_owned()).or_insert_with(|| json!({ "keys": {}, "roles": [] }));
        all["keys"][keyid(seed)] = public(seed);
        let edge = json!({
            "name": role, "keyids": [keyid(seed)], "threshold": 1, "terminating": terminating, "paths": paths,
        });
        all["roles"].as_array_mut().expect("roles").push(edge);
    }

    /// Every role but root anew.
    pub(crate) fn publish(&mut self) {
        let mut meta = serde_json::Map::new();
        for role in self.targets.keys().cloned().collect::<Vec<_>>() {
            self.bump(&role);
            let mut signed = self.head(&role, "targets");
            signed["targets"] = self.targets[&role].clone().into_iter().collect();
            if role != "targets" {
                signed[super::metadata::ROLE_FIELD] = json!(role);
            }
            if let Some(delegations) = self.delegations.get(&role) {
                signed["delegations"] = delegations.clone();
            }
            let version = self.versions[&role];
            let name = super::client::encode(&role);
            self.files.insert(format!("{version}.{name}.json"), sign(signed, &[self.keys[&role]]));
            meta.insert(format!("{role}.json"), json!({ "version": version }));
        }
        self.bump("snapshot");
        let mut snapshot = self.head("snapshot", "snapshot");
        snapshot["meta"] = Value::Object(meta);
        let bytes = sign(snapshot, &[self.keys["snapshot"]]);
        self.files.insert(format!("{}.snapshot.json", self.versions["snapshot"]), bytes);
        self.refresh_timestamp();
    }

    /// Timestamp alone.
    pub(crate) fn refresh_timestamp(&mut self) {
        self.bump("timestamp");
        let mut timestamp = self.head("timestamp", "timestamp");
        let version = self.versions["snapshot"];
        let snapshot = &self.files[&format!("{version}.snapshot.json")];
        let sha256 = hex::encode(&Sha256::digest(snapshot));
        timestamp["meta"] = json!({
            "snapshot.json": { "version": version, "length": snapshot.len(), "hashes": { "sha256": sha256 } },
        });
        let bytes = sign(timestamp, &[self.keys["timestamp"]]);
        self.files.insert("timestamp.json".to_owned(), bytes);
    }
}
