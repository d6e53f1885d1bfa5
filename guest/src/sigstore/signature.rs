//! Scaffold.
use super::bundle::Bundle;
use super::claims::Claims;
use super::key::Digests;
use super::root::TrustedRoot;
pub enum Cause {
    Malformed,
    Signature,
    Untrusted,
    Unlogged,
    Log,
}
#[derive(Debug, thiserror::Error)]
pub enum SignatureError {
    #[error("no root")]
    NoRoot,
}
impl SignatureError {
    pub fn cause(&self) -> Cause {
        Cause::Log
    }
    pub fn kind(&self) -> &'static str {
        "x"
    }
    pub fn is_about_trust(&self) -> bool {
        true
    }
    pub fn needs_content(&self) -> bool {
        true
    }
    pub fn lacks_log_entry(&self) -> bool {
        true
    }
}
#[derive(Clone, Copy)]
pub enum Subject<'a> {
    Statement,
    File(&'a Digests, Option<&'a [u8]>),
}
#[derive(Default)]
pub struct Witness;
pub struct Requirements {
    pub log: bool,
    pub sct: bool,
    pub timestamp: bool,
    pub x: bool,
}
impl Requirements {
    pub fn public_good() -> Self {
        Self { log: true, sct: true, timestamp: false, x: true }
    }
    pub fn timestamped() -> Self {
        Self::public_good()
    }
}
pub fn verify_with_key(
    _: &Bundle,
    _: Subject<'_>,
    _: &super::key::PublicKey,
    _: Option<&TrustedRoot>,
    _: &Requirements,
    _: jiff::Timestamp,
    _: &mut Witness,
) -> Result<Proven, SignatureError> {
    Err(SignatureError::NoRoot)
}
pub struct Proven;
impl Proven {
    pub fn claims(&self) -> Option<&Claims> {
        None
    }
    pub fn key_id(&self) -> Option<[u8; 32]> {
        None
    }
    pub fn logged(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
    pub fn promised(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
    pub fn times(&self) -> impl Iterator<Item = jiff::Timestamp> {
        std::iter::empty()
    }
    pub fn statement(&self) -> Option<(&str, &[u8])> {
        None
    }
}
pub fn verify(
    _: &Bundle,
    _: Subject<'_>,
    _: &TrustedRoot,
    _: &Requirements,
    _: jiff::Timestamp,
    _: &mut Witness,
) -> Result<Proven, SignatureError> {
    Err(SignatureError::NoRoot)
}
