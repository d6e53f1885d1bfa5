//! Signed notes, as golang.org/x/mod/sumdb/note opens them (specified in c2sp.org/signed-note).
//!
//! ```text
//! go.sum database tree
//! 3935567
//! Nw8bTlyg1ezPhMPOBIFsrLpE8fFBQjt7TTFXrSbxyRo=
//!
//! — sum.golang.org Az3grkoPcNnuX+WWvlvb/6BfHpdB7CDHhYjvcOc7vbZBMpNzPxzRPCpYYMqUIo4ucPkWVxiHgOTczgdCbdpr0bY8uQk=
//! ```
//!
//! Text, a blank line, signature lines. The text is everything up to the **last** blank line, with its final newline;
//! that is what is signed. A signature line is an em dash, a name, and base64 of the key's 4-byte hash and the
//! signature.
//!
//! # Security argument
//!
//! A [`Note`] is made by [`open`] alone, so whoever holds one knows that at least one of the keys handed to `open`
//! signed exactly [`Note::text`]. A bad signature by a known key refuses the whole note, even beside a good one.
//! Signatures by other keys prove nothing, and are kept for those who know what to do with them
//! ([`cosignature`](super::cosignature)).
//!
//! Ed25519 is verified as Go's crypto/ed25519 does: without the cofactor, the encoding of `[S]B - [k]A` compared byte
//! for byte with `R`, `S` below the group's order, `A` any encoding that decompresses. That is `verify` of
//! ed25519-dalek. Its `verify_strict` also refuses keys and `R` of small order: it would refuse what the go command
//! accepts, and would gain nothing, since the key is chosen by the user and not by the signer.

use std::collections::BTreeSet;

use ed25519_dalek::{Signature as Ed25519Signature, Verifier as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{base64_decode, base64_encode};

/// The most signature lines that a note may have.
pub const MAX_SIGNATURES: usize = 100;

/// The most bytes of a note that the checksum database client reads: the limit of tlog.ParseTree on the text, and room
/// for [`MAX_SIGNATURES`] lines of 1 kB.
pub const MAX_BYTES: usize = 1_100_000;

/// The algorithm byte of Ed25519 in a verifier key.
pub const ALGORITHM_ED25519: u8 = 1;

/// What precedes the name in a signature line.
const SIGNATURE_PREFIX: &str = "\u{2014} ";

/// Why a verifier key cannot be used. The first three texts are those of note.NewVerifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `NAME+HASH+KEY`, or one of the three is malformed.
    #[error("malformed verifier id")]
    Malformed,
    /// The key is for another algorithm.
    #[error("unknown verifier algorithm")]
    Algorithm,
    /// The hash in the key is not that of its name and public key.
    #[error("invalid verifier hash")]
    Hash,
    /// The 32 bytes are not a point of the curve. Go takes such a key, and then refuses every signature.
    #[error("verifier key is not an Ed25519 public key")]
    Point,
}

/// Why a note cannot be opened. The texts are those of note.Open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// It breaks the format.
    #[error("malformed note")]
    Malformed,
    /// A known key's signature is wrong.
    #[error("invalid signature for key {name}+{key_hash:08x}")]
    InvalidSignature {
        /// Name of the key.
        name: String,
        /// Its hash.
        key_hash: u32,
    },
    /// Two known keys have the same name and hash.
    #[error("ambiguous key {name}+{key_hash:08x}")]
    Ambiguous {
        /// Name of the keys.
        name: String,
        /// Their hash.
        key_hash: u32,
    },
    /// No known key signed it.
    #[error("note has no verifiable signatures")]
    Unverified,
}

/// The parts of an encoded verifier key, whatever its algorithm.
pub(super) struct EncodedKey<'a> {
    pub(super) name: &'a str,
    pub(super) key_hash: u32,
    pub(super) key: VerifyingKey,
}

impl<'a> EncodedKey<'a> {
    /// Reads `NAME+HASH+KEY` where KEY is `algorithm` and an Ed25519 public key (note.NewVerifier).
    pub(super) fn parse(vkey: &'a str, algorithm: u8) -> Result<Self, KeyError> {
        let (name, rest) = vkey.split_once('+').ok_or(KeyError::Malformed)?;
        let (hash16, key64) = rest.split_once('+').ok_or(KeyError::Malformed)?;
        if hash16.len() != 8 || !hash16.bytes().all(|b| b.is_ascii_hexdigit()) || !is_valid_name(name) {
            return Err(KeyError::Malformed);
        }
        let key_hash = u32::from_str_radix(hash16, 16).map_err(|_| KeyError::Malformed)?;
        let key = base64_decode(key64).ok_or(KeyError::Malformed)?;
        let (&alg, public) = key.split_first().ok_or(KeyError::Malformed)?;
        if key_hash != hash_key(name, &key) {
            return Err(KeyError::Hash);
        }
        if alg != algorithm {
            return Err(KeyError::Algorithm);
        }
        let public = public.try_into().map_err(|_| KeyError::Malformed)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Point)?;
        Ok(Self { name, key_hash, key })
    }
}

/// The first four bytes of SHA-256 over name, newline, algorithm byte and public key.
pub(crate) fn hash_key(name: &str, key: &[u8]) -> u32 {
    let sum = Sha256::new().chain_update(name).chain_update("\n").chain_update(key).finalize();
    u32::from_be_bytes([sum[0], sum[1], sum[2], sum[3]])
}

/// Reports whether `signature` is `key`'s over `message`, by crypto/ed25519's rules (module documentation).
pub(super) fn verify_ed25519(key: &VerifyingKey, message: &[u8], signature: &[u8]) -> bool {
    Ed25519Signature::from_slice(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

/// Not empty, no white space, no `+`.
fn is_valid_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

/// A key that verifies notes: Ed25519, algorithm 0x01.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key_hash: u32,
    key: VerifyingKey,
}

impl Verifier {
    /// Reads `NAME+HASH+KEY`: HASH is 8 hexadecimal digits, KEY is base64 of the byte 0x01 and the 32-byte public key.
    ///
    /// # Errors
    ///
    /// As note.NewVerifier, and [`KeyError::Point`].
    pub fn parse(vkey: &str) -> Result<Self, KeyError> {
        let EncodedKey { name, key_hash, key } = EncodedKey::parse(vkey, ALGORITHM_ED25519)?;
        Ok(Self { name: name.to_owned(), key_hash, key })
    }

    /// The name of the key: for a checksum database, where it is reached.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hash that tells signature lines of this key from others of the same name.
    pub fn key_hash(&self) -> u32 {
        self.key_hash
    }
}

impl std::fmt::Display for Verifier {
    /// The encoded key, which [`Verifier::parse`] reads.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut key = [ALGORITHM_ED25519; 33];
        key[1..].copy_from_slice(self.key.as_bytes());
        write!(f, "{}+{:08x}+{}", self.name, self.key_hash, base64_encode(&key))
    }
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key that is said to have made it.
    pub name: String,
    /// Hash of that key.
    pub key_hash: u32,
    /// The signature itself, without the key hash; at least one byte.
    pub bytes: Vec<u8>,
}

/// A note that was read and not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedNote {
    /// What is said to be signed; ends in a newline.
    pub text: String,
    /// The signature lines, in order, repeats included; 1 to [`MAX_SIGNATURES`].
    pub signatures: Vec<Signature>,
}

impl SignedNote {
    /// Reads a note without verifying anything.
    ///
    /// # Errors
    ///
    /// [`NoteError::Malformed`].
    pub fn parse(message: &[u8]) -> Result<Self, NoteError> {
        let (text, lines) = split(message)?;
        Ok(Self { text: text.to_owned(), signatures: signatures(lines).collect::<Result<_, _>>()? })
    }
}

/// A note that at least one known key signed. Made by [`open`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    message: String,
    text_len: usize,
    verified: Vec<Signature>,
    unverified: Vec<Signature>,
}

impl Note {
    /// What was signed; ends in a newline.
    pub fn text(&self) -> &str {
        &self.message[..self.text_len]
    }

    /// The whole note as received, with every signature line.
    pub fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    /// The names of the known keys whose signatures are good, in the note's order.
    pub fn verified(&self) -> impl Iterator<Item = &str> {
        self.verified.iter().map(|signature| signature.name.as_str())
    }

    /// Signatures by unknown keys, in the note's order, without identical repeats. They prove nothing.
    pub fn unverified(&self) -> &[Signature] {
        &self.unverified
    }
}

/// Opens a note: note.Open, with its order of checks.
///
/// # Errors
///
/// The first thing wrong with `message`; [`NoteError::Unverified`] where nothing is wrong but no known key signed it.
pub fn open(message: &[u8], known: &[&Verifier]) -> Result<Note, NoteError> {
    let (text, lines) = split(message)?;
    let mut verified: Vec<Signature> = Vec::new();
    let mut unverified = Vec::new();
    let mut seen = BTreeSet::new();
    for (signature, line) in signatures(lines).zip(lines.lines()) {
        let signature = signature?;
        let mut keys = known.iter().filter(|key| key.name == signature.name && key.key_hash == signature.key_hash);
        let Some(key) = keys.next() else {
            if seen.insert(line) {
                unverified.push(signature);
            }
            continue;
        };
        let Signature { name, key_hash, bytes } = &signature;
        if keys.next().is_some() {
            return Err(NoteError::Ambiguous { name: name.clone(), key_hash: *key_hash });
        }
        if verified.iter().any(|other| other.name == *name && other.key_hash == *key_hash) {
            continue;
        }
        if !verify_ed25519(&key.key, text.as_bytes(), bytes) {
            return Err(NoteError::InvalidSignature { name: name.clone(), key_hash: *key_hash });
        }
        verified.push(signature);
    }
    if verified.is_empty() {
        return Err(NoteError::Unverified);
    }
    let text_len = text.len();
    let message = std::str::from_utf8(message).map_err(|_| NoteError::Malformed)?.to_owned();
    Ok(Note { message, text_len, verified, unverified })
}

/// Cuts a message into its text and its signature lines, which end in a newline.
fn split(message: &[u8]) -> Result<(&str, &str), NoteError> {
    let message = std::str::from_utf8(message).map_err(|_| NoteError::Malformed)?;
    if message.bytes().any(|b| b < 0x20 && b != b'\n') {
        return Err(NoteError::Malformed);
    }
    let at = message.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, lines) = (&message[..=at], &message[at + 2..]);
    if !lines.ends_with('\n') {
        return Err(NoteError::Malformed);
    }
    Ok((text, lines))
}

/// Reads signature lines, lazily: note.Open verifies each before it reads the next.
fn signatures(lines: &str) -> impl Iterator<Item = Result<Signature, NoteError>> {
    lines.lines().enumerate().map(|(i, line)| {
        let signature = signature(line).ok_or(NoteError::Malformed)?;
        if i < MAX_SIGNATURES { Ok(signature) } else { Err(NoteError::Malformed) }
    })
}

fn signature(line: &str) -> Option<Signature> {
    let (name, b64) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
    let bytes = base64_decode(b64)?;
    let (key_hash, signature) = bytes.split_first_chunk()?;
    if !is_valid_name(name) || signature.is_empty() {
        return None;
    }
    Some(Signature { name: name.to_owned(), key_hash: u32::from_be_bytes(*key_hash), bytes: signature.to_vec() })
}
