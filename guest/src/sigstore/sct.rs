//! That a certificate was logged: the signed certificate timestamps in it (RFC 6962 section 3).
//!
//! An authority that issues a certificate for somebody else must show it: a log has promised to publish it before it was issued.
//! The promise is over the precertificate, which is the certificate without the list of promises, and over the issuer's key, so
//! that it cannot be moved to another certificate or another issuer. Here the precertificate is made from the very bytes that the
//! authority signed: one extension less, and the three lengths around it.
//!
//! A promise by a log that the trusted root does not have, or not at that time, is passed over, as sigstore-go does: it proves
//! nothing. One by a known log that does not verify is an error. How many logs are enough is the caller's to say.

use jiff::Timestamp;

use super::asn1::{Der, NotDer, constructed, field};
use super::certificate::{Certificate, SCT_LIST};
use super::key::{Hash, Kind, Message, Scheme};
use super::root::Log;

/// How many promises one certificate may carry. Fulcio's has one.
pub const MAX_SCTS: usize = 32;

/// Why the promises in a certificate are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SctError {
    /// Not as RFC 6962 section 3.3 has it.
    #[error("the certificate's list of signed certificate timestamps is malformed")]
    Malformed,
    /// Beyond [`MAX_SCTS`].
    #[error("more than {MAX_SCTS} signed certificate timestamps in one certificate")]
    TooMany,
    /// By a known log, and it does not verify.
    #[error("the certificate's timestamp by the log {0} does not verify")]
    BadSignature(String),
}

/// A promise that verified.
#[derive(Debug, Clone)]
pub struct Sct<'a> {
    /// By whom.
    pub log: &'a Log,
    /// When, to the millisecond.
    pub time: Timestamp,
}

/// One promise, as it is written.
struct Promise<'a> {
    log_id: &'a [u8],
    time: u64,
    extensions: &'a [u8],
    /// RFC 5246 section 4.7: hash and signature algorithm.
    algorithms: [u8; 2],
    signature: &'a [u8],
}

/// Verifies the promises in a certificate; each log counts once. None in it: an empty list.
///
/// # Errors
///
/// [`SctError`].
pub fn verify<'a>(
    certificate: &Certificate,
    issuer_key_hash: &[u8; 32],
    logs: &'a [Log],
) -> Result<Vec<Sct<'a>>, SctError> {
    let Some(list) = &certificate.scts else {
        return Ok(Vec::new());
    };
    let promises = read(list)?;
    let precertificate = precertificate(certificate.tbs()).map_err(|NotDer| SctError::Malformed)?;
    let mut seen: Vec<Sct<'a>> = Vec::new();
    for promise in promises {
        let time = i64::try_from(promise.time).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
        let time = time.ok_or(SctError::Malformed)?;
        let Some(log) = logs.iter().find(|log| log.id == promise.log_id && log.validity.contains(time)) else {
            continue;
        };
        if !is_signed(&promise, &precertificate, issuer_key_hash, log) {
            return Err(SctError::BadSignature(log.base_url.clone()));
        }
        if !seen.iter().any(|sct| sct.log.id == log.id) {
            seen.push(Sct { log, time });
        }
    }
    Ok(seen)
}

/// SignedCertificateTimestampList.
fn read(list: &[u8]) -> Result<Vec<Promise<'_>>, SctError> {
    let mut rest = list;
    let mut entries = prefixed(&mut rest)?;
    if !rest.is_empty() || entries.is_empty() {
        return Err(SctError::Malformed);
    }
    let mut promises = Vec::new();
    let mut count = 0;
    while !entries.is_empty() {
        count += 1;
        if count > MAX_SCTS {
            return Err(SctError::TooMany);
        }
        let mut entry = prefixed(&mut entries)?;
        // Another version is laid out in another way: section 3.3 has readers pass it over.
        let [version] = take(&mut entry)?;
        if version != 0 {
            continue;
        }
        let (log_id, after) = entry.split_at_checked(32).ok_or(SctError::Malformed)?;
        entry = after;
        let time = u64::from_be_bytes(take(&mut entry)?);
        let extensions = prefixed(&mut entry)?;
        let algorithms = take(&mut entry)?;
        let signature = prefixed(&mut entry)?;
        if !entry.is_empty() {
            return Err(SctError::Malformed);
        }
        promises.push(Promise { log_id, time, extensions, algorithms, signature });
    }
    Ok(promises)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], SctError> {
    let (head, rest) = bytes.split_first_chunk().ok_or(SctError::Malformed)?;
    *bytes = rest;
    Ok(*head)
}

/// What a length of two bytes says.
fn prefixed<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], SctError> {
    let length = usize::from(u16::from_be_bytes(take(bytes)?));
    let (head, rest) = bytes.split_at_checked(length).ok_or(SctError::Malformed)?;
    *bytes = rest;
    Ok(head)
}

/// TBSCertificate without the list: RFC 6962 section 3.2.
fn precertificate(tbs: &[u8]) -> Result<Vec<u8>, NotDer> {
    let mut fields = Der::only_sequence(tbs)?;
    let mut kept: Vec<&[u8]> = Vec::new();
    while fields.peek().is_some_and(|tag| tag != constructed(3)) {
        kept.push(fields.whole()?);
    }
    let mut extensions = Der::only_sequence(fields.read(constructed(3))?)?;
    fields.finish()?;
    let mut others: Vec<&[u8]> = Vec::new();
    while !extensions.is_empty() {
        let whole = extensions.whole()?;
        if Der::only_sequence(whole)?.oid()? != SCT_LIST.as_bytes() {
            others.push(whole);
        }
    }
    let extensions = field(0xa3, &[&field(0x30, &others)]);
    kept.push(&extensions);
    Ok(field(0x30, &kept))
}

/// The signature over `digitally-signed` of section 3.2.
fn is_signed(promise: &Promise<'_>, precertificate: &[u8], issuer_key_hash: &[u8; 32], log: &Log) -> bool {
    // Section 2.1.4: SHA-256 (4), with ECDSA (3) or RSASSA-PKCS1-v1_5 (1).
    let scheme = match (promise.algorithms, log.key.kind()) {
        ([4, 3], Kind::P256 | Kind::P384 | Kind::P521) => Scheme::Ecdsa(Hash::Sha256),
        ([4, 1], Kind::Rsa) => Scheme::RsaPkcs1(Hash::Sha256),
        _ => return false,
    };
    // A certificate is shorter than 2^24 bytes, and extensions came with a length of two.
    let length = (precertificate.len() as u32).to_be_bytes();
    let extensions = (promise.extensions.len() as u16).to_be_bytes();
    let message = [
        // v1, certificate_timestamp.
        &[0, 0][..],
        &promise.time.to_be_bytes(),
        // precert_entry.
        &[0, 1],
        issuer_key_hash,
        &length[1..],
        precertificate,
        &extensions,
        promise.extensions,
    ]
    .concat();
    log.key.verify(scheme, Message::Bytes(&message), promise.signature).is_ok()
}
