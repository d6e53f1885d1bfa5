//! A log, its keys and its witnesses, in memory.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::Value;

use super::base64_encode;
use super::cosignature::ALGORITHM_COSIGNATURE_V1;
use super::note::{ALGORITHM_ED25519, Verifier, hash_key};
use super::tile::Tile;
use super::tlog::{
    AuthenticHead, Hash, ProofShape, TreeHead, node_hash, record_hash, root_from, split, stored_hash_index,
};

/// A private key under a name.
pub(crate) struct Signer {
    name: String,
    algorithm: u8,
    key: SigningKey,
}

impl Signer {
    /// A key that signs notes.
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        Self { name: name.to_owned(), algorithm: ALGORITHM_ED25519, key }
    }

    /// A key that cosigns them.
    pub(crate) fn witness(name: &str, seed: u8) -> Self {
        Self { algorithm: ALGORITHM_COSIGNATURE_V1, ..Self::new(name, seed) }
    }

    /// The public key with its algorithm byte.
    pub(crate) fn encoded(&self) -> Vec<u8> {
        [&[self.algorithm][..], self.key.verifying_key().as_bytes()].concat()
    }

    pub(crate) fn key_hash(&self) -> u32 {
        hash_key(&self.name, &self.encoded())
    }

    /// The verifier key.
    pub(crate) fn vkey(&self) -> String {
        format!("{}+{:08x}+{}", self.name, self.key_hash(), base64_encode(&self.encoded()))
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier::parse(&self.vkey()).unwrap()
    }

    /// A signature line, with its newline.
    pub(crate) fn line(&self, signature: &[u8]) -> String {
        let bytes = [&self.key_hash().to_be_bytes()[..], signature].concat();
        format!("\u{2014} {} {}\n", self.name, base64_encode(&bytes))
    }

    /// A note with this key's signature.
    pub(crate) fn sign(&self, text: &str) -> Vec<u8> {
        let signature = self.key.sign(text.as_bytes()).to_bytes();
        format!("{text}\n{}", self.line(&signature)).into_bytes()
    }

    /// A signed tree note, opened.
    pub(crate) fn head(&self, head: &TreeHead) -> AuthenticHead {
        AuthenticHead::open(&self.sign(&head.to_string()), &self.verifier()).unwrap()
    }

    /// A cosignature line.
    pub(crate) fn cosign(&self, text: &str, time: u64) -> String {
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = self.key.sign(message.as_bytes()).to_bytes();
        self.line(&[&time.to_be_bytes()[..], &signature].concat())
    }
}

/// A log: all its stored hashes.
#[derive(Clone, Default)]
pub(crate) struct Log {
    pub(crate) size: u64,
    pub(crate) stored: Vec<Hash>,
}

impl Log {
    /// A log of `size` records, `record 0` and so on.
    pub(crate) fn new(size: u64) -> Self {
        let mut log = Self::default();
        (0..size).for_each(|n| log.push(format!("record {n}\n").as_bytes()));
        log
    }

    pub(crate) fn push(&mut self, record: &[u8]) {
        let mut hash = record_hash(record);
        self.stored.push(hash);
        for level in 0..self.size.trailing_ones() as u8 {
            let left = self.hash(stored_hash_index(level, (self.size >> level) - 1));
            hash = node_hash(&left, &hash);
            self.stored.push(hash);
        }
        self.size += 1;
    }

    pub(crate) fn hash(&self, index: u64) -> Hash {
        self.stored[index as usize]
    }

    /// The head when it had `size` records.
    pub(crate) fn head_at(&self, size: u64) -> TreeHead {
        let subtrees: Vec<Hash> = ProofShape::tree(size).indexes().map(|i| self.hash(i)).collect();
        TreeHead { size, root: root_from(&subtrees) }
    }

    pub(crate) fn head(&self) -> TreeHead {
        self.head_at(self.size)
    }

    pub(crate) fn proof(&self, shape: &ProofShape) -> Vec<Hash> {
        shape.assemble(|index| Ok::<_, std::convert::Infallible>(self.hash(index))).unwrap()
    }

    /// The bytes of a tile.
    pub(crate) fn tile(&self, tile: &Tile) -> Vec<u8> {
        let height = tile.height().get();
        let first = tile.index() << height;
        (first..first + u64::from(tile.width()))
            .flat_map(|n| self.hash(stored_hash_index(tile.level() * height, n)).0)
            .collect()
    }

    /// Every stored-hash index.
    pub(crate) fn indexes(&self) -> std::ops::Range<u64> {
        0..self.stored.len() as u64
    }

    /// Makes stored hash `index` another one, and everything above it agree with that.
    pub(crate) fn forge(&mut self, index: u64, hash: Hash) {
        let (mut level, mut n) = split(index);
        self.stored[index as usize] = hash;
        while (n | 1) < self.size >> level {
            let [left, right] = [n & !1, n | 1].map(|n| self.hash(stored_hash_index(level, n)));
            (level, n) = (level + 1, n >> 1);
            self.stored[stored_hash_index(level, n) as usize] = node_hash(&left, &right);
        }
    }
}

/// Reads a table of tests/data/sumdb.
pub(crate) fn table(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The strings of a JSON array; none for null.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    let array = value.as_array().map(Vec::as_slice).unwrap_or_default();
    array.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
