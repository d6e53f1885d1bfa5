//! Signed notes, the Merkle tree, tiles, and the checksum database client with its timeline.
//!
//! The checksum database is an append-only log of go.sum lines ([design]). Four types carry the argument that a line
//! is in the log; each can only be made by the check that gives it its meaning:
//!
//! 1. [`note::Note`]: text that the database's key signed;
//! 2. [`tlog::AuthenticHead`]: the size and root hash in such a text;
//! 3. [`tile::Authentic`]: stored hashes that lead up to that root;
//! 4. [`lookup::LookupAnswer`]: untrusted, until [`tlog::record_hash`] of its text equals such a hash.
//!
//! Sizes, record ids and stored-hash indexes are `u64` and stand for Go's `int64`: no size exceeds
//! [`tlog::MAX_TREE_SIZE`].
//!
//! [design]: https://go.dev/design/25530-sumdb

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub(crate) mod client;
pub mod cosignature;
pub mod evidence;
pub(crate) mod kept;
pub mod lookup;
pub mod note;
pub mod setting;
pub mod tile;
pub mod tlog;

/// Standard base64 as Go's encoding/base64.StdEncoding reads it: padded, with loose trailing bits.
const STD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Decodes like encoding/base64.StdEncoding.DecodeString, except that it does not skip CR and LF: neither can stand in
/// a line of a note.
fn base64_decode(text: &str) -> Option<Vec<u8>> {
    STD.decode(text).ok()
}

fn base64_encode(bytes: &[u8]) -> String {
    STD.encode(bytes)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
