//! Sigstore: who signed, and who saw it.
//!
//! | file | what it holds |
//! |---|---|
//! | `asn1` | strict DER |
//! | [`key`] | public keys and signature schemes |
//! | `known_key` | ECDSA by keys that are asked often |
//! | [`certificate`] | a signing certificate, and what it claims |
//! | [`claims`] | those claims, by Fulcio's names |
//! | [`chain`] | the path from a certificate to an authority |
//! | [`sct`] | that a certificate was logged |
//! | [`timestamp`] | RFC 3161 |
//! | [`protojson`] | protocol buffers' JSON, as the next two are written in it |
//! | [`root`] | trusted_root.json |
//! | [`bundle`] | the bundle, 0.1 to 0.3 |
//! | [`collection`] | several bundles in one file |
//! | [`log`] | Rekor's entries, checkpoints and promises |
//! | [`signature`] | all of it put together: from a bundle and a root to what is proven |
//! | [`legacy`] | cosign's files from before bundles |
//! | [`identity`] | who is expected to have signed |

pub(crate) mod asn1;
pub mod bundle;
pub mod certificate;
pub mod chain;
pub mod claims;
pub mod collection;
pub mod identity;
pub mod key;
mod known_key;
pub mod legacy;
pub mod log;
pub mod protojson;
pub mod root;
pub mod sct;
pub mod signature;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod timestamp;
