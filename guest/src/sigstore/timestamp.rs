//! Signed timestamps (RFC 3161): that a signature existed at some time.
//!
//! A signing certificate lives ten minutes, so that everything rests on when was signed. A timestamp authority says it
//! of the signature's bytes. What is checked, and why:
//!
//! - the imprint is the digest of **this** signature, by SHA-256 or better: else any old timestamp would do;
//! - the authority's signature covers the signed attributes, those the digest of the TSTInfo and its type (RFC 5652
//!   section 5.4): without attributes, or with one twice, a signature over something else could be passed off as one
//!   over a time;
//! - the signer's certificate is for timestamps and nothing else, critically (RFC 3161 section 2.3), valid at that
//!   time, and leads to an authority of the trusted root which was believed then. Where that authority names its
//!   signer, it is that one. Where the attributes name the certificate's digest (RFC 5816), it is that certificate;
//! - one signer, one certificate for it, strict DER throughout.
//!
//! The older attribute with SHA-1 (RFC 2634) is passed over: the signer's certificate is fixed by the path and the key
//! already. Accuracy and nonce are not used: nobody here asked for the timestamp.

use der::Tag;
use der::asn1::ObjectIdentifier;
use jiff::Timestamp;

use super::asn1::{Der, NotDer, constructed, primitive};
use super::certificate::{Certificate, CertificateError};
use super::chain::{Anchors, ChainError};
use super::key::{Hash, Kind, Message, Scheme};

/// How long a timestamp may be, in bytes. They take from 1 to 6 kB.
pub const MAX_TIMESTAMP: usize = 64 << 10;

/// How many certificates one may carry.
pub const MAX_EMBEDDED: usize = 10;

/// How many signed attributes one may have. They have 4.
pub const MAX_ATTRIBUTES: usize = 32;

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Why a timestamp does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Beyond [`MAX_TIMESTAMP`].
    #[error("a timestamp of {0} bytes; {MAX_TIMESTAMP} are allowed")]
    TooLong(usize),
    /// A part that is not as RFC 3161 or RFC 5652 has it.
    #[error("the timestamp's {0} is malformed")]
    Malformed(&'static str),
    /// The authority refused.
    #[error("the timestamp authority did not grant the timestamp: its status is {0}")]
    Status(u8),
    /// A response without a timestamp.
    #[error("the response has no timestamp")]
    NoToken,
    /// CMS, but of something else.
    #[error("this is no timestamp: the signed content is of another type")]
    ContentType,
    /// Another hash function than SHA-256, SHA-384 or SHA-512.
    #[error("the timestamp's hash function is not supported: it must be SHA-256, SHA-384 or SHA-512")]
    Hash,
    /// Of another signature.
    #[error("the timestamp is of something else: its imprint is not the digest of this signature")]
    Imprint,
    /// A critical extension, of which none is known.
    #[error("the timestamp has a critical extension that is not known")]
    CriticalExtension,
    /// None or several.
    #[error("a timestamp of {0} signers; expected one")]
    Signers(usize),
    /// Beyond [`MAX_EMBEDDED`].
    #[error("more than {MAX_EMBEDDED} certificates in one timestamp")]
    TooManyCertificates,
    /// Beyond [`MAX_ATTRIBUTES`].
    #[error("more than {MAX_ATTRIBUTES} signed attributes in one timestamp")]
    TooManyAttributes,
    /// What must be signed along is not.
    #[error("the timestamp's signed attribute {0} is missing, doubled or another than it must be")]
    Attribute(&'static str),
    /// None of the authorities is believed at that time.
    #[error("the trusted root has no timestamp authority for {0}")]
    NoAuthority(Timestamp),
    /// Neither the trusted root nor the timestamp has the certificate of who signed it.
    #[error("the certificate of the timestamp's signer is neither in the timestamp nor in the trusted root")]
    NoCertificate,
    /// That certificate is not read.
    #[error("the timestamp's signer: {0}")]
    Certificate(#[from] CertificateError),
    /// It is not believed.
    #[error("the timestamp's signer: {0}")]
    Chain(#[from] ChainError),
    /// A signature algorithm that is not supported, or not the key's.
    #[error("the timestamp's signature algorithm is not supported, or does not fit the signer's key")]
    Algorithm,
    /// The signature.
    #[error("the timestamp's signature does not verify")]
    BadSignature,
}

/// A timestamp that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// When the signature existed.
    pub time: Timestamp,
    /// Which of the authorities that [`Anchors::new`] was given.
    pub authority: usize,
    /// Its URI.
    pub uri: &'a str,
}

/// A token, taken apart.
struct Token<'a> {
    content: &'a [u8],
    certificates: Vec<&'a [u8]>,
    signer: Signer<'a>,
}

/// SignerInfo.
struct Signer<'a> {
    id: SignerId<'a>,
    hash: Hash,
    /// The content of the SET.
    attributes: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

enum SignerId<'a> {
    IssuerAndSerial { issuer: &'a [u8], serial: &'a [u8] },
    Key(&'a [u8]),
}

impl SignerId<'_> {
    fn is(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => certificate.issuer == *issuer && certificate.serial == *serial,
            Self::Key(id) => certificate.key_id.as_deref() == Some(id),
        }
    }
}

/// Verifies a TimeStampResp, which bundles carry, or a bare token over the bytes of a signature.
///
/// # Errors
///
/// [`TimestampError`].
pub fn verify<'a>(token: &[u8], signature: &[u8], anchors: &'a Anchors) -> Result<Stamp<'a>, TimestampError> {
    if token.len() > MAX_TIMESTAMP {
        return Err(TimestampError::TooLong(token.len()));
    }
    let token = read_token(contained(token)?)?;
    let time = read_info(token.content, signature)?;
    check_attributes(&token)?;

    let mut embedded = Vec::with_capacity(token.certificates.len());
    let mut own = None;
    for der in &token.certificates {
        // What else is embedded serves the path alone, where rustls-webpki reads it.
        match Certificate::parse(der) {
            Ok(certificate) if token.signer.id.is(&certificate) && own.is_none() => own = Some(certificate),
            Ok(certificate) if token.signer.id.is(&certificate) => {
                return Err(TimestampError::Malformed("certificates"));
            }
            _ => embedded.push(der.to_vec()),
        }
    }
    let mut worst = TimestampError::NoAuthority(time);
    for authority in anchors.believed(time) {
        let certificate = match (&authority.signer, &own) {
            (Some(named), None) if token.signer.id.is(named) => named,
            (Some(named), Some(own)) if named == own => named,
            (None, Some(own)) => own,
            _ => {
                if matches!(worst, TimestampError::NoAuthority(_)) {
                    worst = TimestampError::NoCertificate;
                }
                continue;
            }
        };
        let checked = anchors
            .verify_by(authority, certificate, &embedded, time)
            .map_err(TimestampError::Chain)
            .and_then(|path| {
                check_certificate(&token.signer, certificate)?;
                check_signature(&token.signer, certificate)?;
                Ok(path)
            });
        match checked {
            Ok(path) => return Ok(Stamp { time, authority: path.authority, uri: path.uri }),
            Err(error) => worst = error,
        }
    }
    Err(worst)
}

fn bad(part: &'static str) -> impl Fn(NotDer) -> TimestampError {
    move |NotDer| TimestampError::Malformed(part)
}

/// ContentInfo: of a TimeStampResp (RFC 3161 section 2.4.2) what it contains, else what was given.
fn contained(bytes: &[u8]) -> Result<&[u8], TimestampError> {
    const PART: &str = "response";
    let mut fields = Der::only_sequence(bytes).map_err(bad(PART))?;
    if fields.peek() == Some(Tag::ObjectIdentifier) {
        return Ok(bytes);
    }
    let mut status = fields.sequence().map_err(bad(PART))?;
    // granted, grantedWithMods. What follows are words.
    match status.small().map_err(bad(PART))? {
        0 | 1 => {}
        other => return Err(TimestampError::Status(other)),
    }
    if fields.is_empty() {
        return Err(TimestampError::NoToken);
    }
    let token = fields.whole().map_err(bad(PART))?;
    fields.finish().map_err(bad(PART))?;
    Ok(token)
}

/// ContentInfo and SignedData: RFC 5652 sections 3 and 5.1.
fn read_token(bytes: &[u8]) -> Result<Token<'_>, TimestampError> {
    const PART: &str = "signed data";
    let mut outer = Der::only_sequence(bytes).map_err(bad(PART))?;
    if outer.oid().map_err(bad(PART))? != SIGNED_DATA.as_bytes() {
        return Err(TimestampError::ContentType);
    }
    let explicit = outer.read(constructed(0)).map_err(bad(PART))?;
    outer.finish().map_err(bad(PART))?;
    let mut data = Der::only_sequence(explicit).map_err(bad(PART))?;
    // RFC 5652 section 5.1: 3 for a content that is not plain data. Producers that write 1 are taken, as elsewhere.
    if !matches!(data.small().map_err(bad(PART))?, 1 | 3) {
        return Err(TimestampError::Malformed("version"));
    }
    // The signers' hash functions, once more.
    data.read(Tag::Set).map_err(bad(PART))?;
    let mut content = data.sequence().map_err(bad(PART))?;
    if content.oid().map_err(bad(PART))? != TST_INFO.as_bytes() {
        return Err(TimestampError::ContentType);
    }
    let mut explicit = Der::new(content.read(constructed(0)).map_err(bad(PART))?).map_err(bad(PART))?;
    content.finish().map_err(bad(PART))?;
    let content = explicit.octets().map_err(bad(PART))?;
    explicit.finish().map_err(bad(PART))?;

    let mut certificates = Vec::new();
    if let Some(set) = data.optional(constructed(0)).map_err(bad("certificates"))? {
        let mut set = Der::new(set).map_err(bad("certificates"))?;
        while !set.is_empty() {
            if certificates.len() == MAX_EMBEDDED {
                return Err(TimestampError::TooManyCertificates);
            }
            certificates.push(set.whole().map_err(bad("certificates"))?);
        }
    }
    // Revocation lists, which are not used.
    data.optional(constructed(1)).map_err(bad(PART))?;
    let mut signers = Der::new(data.read(Tag::Set).map_err(bad("signers"))?).map_err(bad("signers"))?;
    data.finish().map_err(bad(PART))?;
    if signers.is_empty() {
        return Err(TimestampError::Signers(0));
    }
    let signer = read_signer(signers.sequence().map_err(bad("signer"))?)?;
    if !signers.is_empty() {
        return Err(TimestampError::Signers(2));
    }
    Ok(Token { content, certificates, signer })
}

/// SignerInfo: RFC 5652 section 5.3.
fn read_signer(mut fields: Der<'_>) -> Result<Signer<'_>, TimestampError> {
    const PART: &str = "signer";
    let version = fields.small().map_err(bad(PART))?;
    let id = if let Some(key) = fields.optional(primitive(0)).map_err(bad(PART))? {
        SignerId::Key(key)
    } else {
        let mut id = fields.sequence().map_err(bad(PART))?;
        let issuer = id.whole().map_err(bad(PART))?;
        let serial = id.integer().map_err(bad(PART))?;
        id.finish().map_err(bad(PART))?;
        SignerId::IssuerAndSerial { issuer, serial }
    };
    // Section 5.3: the version says how the signer is named.
    if version != if matches!(id, SignerId::Key(_)) { 3 } else { 1 } {
        return Err(TimestampError::Malformed("version"));
    }
    let hash = read_hash(&mut fields, PART)?;
    let attributes =
        fields.optional(constructed(0)).map_err(bad(PART))?.ok_or(TimestampError::Attribute("contentType"))?;
    let (algorithm, _) = fields.algorithm().map_err(bad(PART))?;
    let signature = fields.octets().map_err(bad(PART))?;
    // Unsigned attributes: nobody vouches for them.
    fields.optional(constructed(1)).map_err(bad(PART))?;
    fields.finish().map_err(bad(PART))?;
    Ok(Signer { id, hash, attributes, algorithm, signature })
}

fn read_hash(fields: &mut Der<'_>, part: &'static str) -> Result<Hash, TimestampError> {
    let (oid, parameters) = fields.algorithm().map_err(bad(part))?;
    if parameters.is_some() {
        return Err(TimestampError::Hash);
    }
    [(SHA256, Hash::Sha256), (SHA384, Hash::Sha384), (SHA512, Hash::Sha512)]
        .into_iter()
        .find_map(|(name, hash)| (name.as_bytes() == oid).then_some(hash))
        .ok_or(TimestampError::Hash)
}

/// TSTInfo: RFC 3161 section 2.4.2.
fn read_info(content: &[u8], signature: &[u8]) -> Result<Timestamp, TimestampError> {
    const PART: &str = "content";
    let mut info = Der::only_sequence(content).map_err(bad(PART))?;
    if info.small().map_err(bad(PART))? != 1 {
        return Err(TimestampError::Malformed("version"));
    }
    // Under which policy, and the serial number below: the authority's own.
    info.oid().map_err(bad(PART))?;
    let mut imprint = info.sequence().map_err(bad("imprint"))?;
    let hash = read_hash(&mut imprint, "imprint")?;
    let digest = imprint.octets().map_err(bad("imprint"))?;
    imprint.finish().map_err(bad("imprint"))?;
    if digest != hash.of(signature) {
        return Err(TimestampError::Imprint);
    }
    info.integer().map_err(bad(PART))?;
    let time = info.precise_time().map_err(bad("time"))?;
    // Accuracy, order, nonce, name.
    info.optional(Tag::Sequence).map_err(bad(PART))?;
    info.flag().map_err(bad(PART))?;
    if info.peek() == Some(Tag::Integer) {
        info.integer().map_err(bad(PART))?;
    }
    info.optional(constructed(0)).map_err(bad(PART))?;
    if let Some(extensions) = info.optional(constructed(1)).map_err(bad(PART))? {
        let mut extensions = Der::new(extensions).map_err(bad(PART))?;
        while !extensions.is_empty() {
            let mut extension = extensions.sequence().map_err(bad(PART))?;
            extension.oid().map_err(bad(PART))?;
            if extension.flag().map_err(bad(PART))? {
                return Err(TimestampError::CriticalExtension);
            }
            extension.octets().map_err(bad(PART))?;
            extension.finish().map_err(bad(PART))?;
        }
    }
    info.finish().map_err(bad(PART))?;
    Ok(time)
}

/// The one value of an attribute, whole. None: there is no such attribute.
fn attribute<'a>(
    attributes: &'a [u8],
    oid: ObjectIdentifier,
    name: &'static str,
) -> Result<Option<&'a [u8]>, TimestampError> {
    let mut list = Der::new(attributes).map_err(bad("attributes"))?;
    let mut found = None;
    let mut count = 0;
    while !list.is_empty() {
        count += 1;
        if count > MAX_ATTRIBUTES {
            return Err(TimestampError::TooManyAttributes);
        }
        let mut fields = list.sequence().map_err(bad("attributes"))?;
        let this = fields.oid().map_err(bad("attributes"))?;
        let values = fields.read(Tag::Set).map_err(bad("attributes"))?;
        fields.finish().map_err(bad("attributes"))?;
        if this != oid.as_bytes() {
            continue;
        }
        let mut values = Der::new(values).map_err(bad("attributes"))?;
        let value = values.whole().map_err(|NotDer| TimestampError::Attribute(name))?;
        if found.replace(value).is_some() || values.finish().is_err() {
            return Err(TimestampError::Attribute(name));
        }
    }
    Ok(found)
}

/// That what is signed is this content, as a TSTInfo.
fn check_attributes(token: &Token<'_>) -> Result<(), TimestampError> {
    let signer = &token.signer;
    let kind =
        attribute(signer.attributes, CONTENT_TYPE, "contentType")?.ok_or(TimestampError::Attribute("contentType"))?;
    if Der::new(kind).and_then(|mut der| der.oid()) != Ok(TST_INFO.as_bytes()) {
        return Err(TimestampError::Attribute("contentType"));
    }
    let digest = attribute(signer.attributes, MESSAGE_DIGEST, "messageDigest")?
        .ok_or(TimestampError::Attribute("messageDigest"))?;
    if Der::new(digest).and_then(|mut der| der.octets()) != Ok(&signer.hash.of(token.content)) {
        return Err(TimestampError::Attribute("messageDigest"));
    }
    Ok(())
}

/// ESSCertIDv2 (RFC 5035 section 4): the first is the signer's.
fn check_certificate(signer: &Signer<'_>, certificate: &Certificate) -> Result<(), TimestampError> {
    const NAME: &str = "signingCertificateV2";
    let Some(value) = attribute(signer.attributes, SIGNING_CERTIFICATE_V2, NAME)? else {
        return Ok(());
    };
    let mut fields = Der::only_sequence(value).map_err(bad(NAME))?;
    let mut list = fields.sequence().map_err(bad(NAME))?;
    let mut first = list.sequence().map_err(bad(NAME))?;
    let hash = if first.peek() == Some(Tag::Sequence) { read_hash(&mut first, NAME)? } else { Hash::Sha256 };
    if first.octets().map_err(bad(NAME))? == hash.of(certificate.der()) {
        Ok(())
    } else {
        Err(TimestampError::Attribute(NAME))
    }
}

fn check_signature(signer: &Signer<'_>, certificate: &Certificate) -> Result<(), TimestampError> {
    let key = &certificate.key;
    let named = |table: &[(ObjectIdentifier, Option<Hash>)]| {
        // Where the algorithm has a hash function of its own, it is the signer's.
        table
            .iter()
            .any(|(oid, hash)| oid.as_bytes() == signer.algorithm && hash.is_none_or(|hash| hash == signer.hash))
    };
    let scheme = match key.kind() {
        Kind::P256 | Kind::P384 | Kind::P521
            if named(&[
                (ECDSA_SHA256, Some(Hash::Sha256)),
                (ECDSA_SHA384, Some(Hash::Sha384)),
                (ECDSA_SHA512, Some(Hash::Sha512)),
            ]) =>
        {
            Scheme::Ecdsa(signer.hash)
        }
        Kind::Rsa
            if named(&[
                (RSA, None),
                (RSA_SHA256, Some(Hash::Sha256)),
                (RSA_SHA384, Some(Hash::Sha384)),
                (RSA_SHA512, Some(Hash::Sha512)),
            ]) =>
        {
            Scheme::RsaPkcs1(signer.hash)
        }
        Kind::Ed25519 if named(&[(ED25519, None)]) => Scheme::Ed25519,
        _ => return Err(TimestampError::Algorithm),
    };
    // RFC 5652 section 5.4: signed under the tag of a SET, not under [0].
    let signed = super::asn1::field(0x31, &[signer.attributes]);
    key.verify(scheme, Message::Bytes(&signed), signer.signature).map_err(|_| TimestampError::BadSignature)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::chain::Purpose;
    use super::super::key::Hash;
    use super::super::root::{Authority, Validity};
    use super::super::testing::{Extension, Instance, Key, Stamper, oid, tlv};
    use super::*;

    const SIGNATURE: &[u8] = b"a signature";

    fn authority(instance: &Instance, chain: Vec<Vec<u8>>) -> Authority {
        let validity = Validity { start: instance.now - SignedDuration::from_hours(1), end: Some(instance.now) };
        Authority { uri: "https://tsa.example".to_owned(), chain, validity }
    }

    fn anchors(authorities: &[Authority]) -> Anchors {
        Anchors::new(authorities, Purpose::TimeStamping).expect("authorities")
    }

    /// What comes of the instance's stamp under its own root.
    fn of(instance: &Instance, token: &[u8]) -> Result<Timestamp, TimestampError> {
        verify(token, SIGNATURE, &anchors(&[authority(instance, instance.tsa_chain())])).map(|stamp| stamp.time)
    }

    fn by(instance: &Instance) -> Stamper {
        Stamper::new(SIGNATURE, instance.now)
    }

    #[test]
    fn a_stamp_by_every_kind_of_key() {
        for kind in [Kind::P256, Kind::P384, Kind::P521, Kind::Ed25519] {
            for embedded in [true, false] {
                let instance = Instance { tsa: Key::new(kind, 60), embedded, ..Instance::new(1) };
                let token = instance.stamp(SIGNATURE, instance.now);
                assert_eq!(of(&instance, &token), Ok(instance.now), "{kind:?} {embedded}");
                // Bare, without the response around it.
                let bare =
                    Der::only_sequence(&token).and_then(|mut der| der.whole().and(der.whole())).expect("a token");
                assert_eq!(of(&instance, bare), Ok(instance.now), "{kind:?} {embedded}");
                // The authority does not say who signs for it.
                let root = anchors(&[authority(&instance, vec![instance.tsa_chain().remove(1)])]);
                let verdict = verify(&token, SIGNATURE, &root).map(|stamp| stamp.time);
                let expected = if embedded { Ok(instance.now) } else { Err(TimestampError::NoCertificate) };
                assert_eq!(verdict, expected, "{kind:?} {embedded}");
            }
        }
    }

    #[test]
    fn it_is_of_this_signature_and_of_a_time_when_the_authority_was_believed() {
        let instance = Instance::new(1);
        let token = instance.stamp(SIGNATURE, instance.now);
        let anchors = anchors(&[authority(&instance, instance.tsa_chain())]);
        assert_eq!(verify(&token, b"another", &anchors), Err(TimestampError::Imprint));
        assert_eq!(of(&Instance::new(11), &token), Err(TimestampError::NoCertificate));
        let late = instance.now + SignedDuration::from_secs(1);
        assert_eq!(of(&instance, &instance.stamp(SIGNATURE, late)), Err(TimestampError::NoAuthority(late)));
        let early = instance.now - SignedDuration::from_hours(2);
        assert_eq!(of(&instance, &instance.stamp(SIGNATURE, early)), Err(TimestampError::NoAuthority(early)));
        for hash in [Hash::Sha384, Hash::Sha512] {
            let wrong = instance.stamp_by(Stamper { imprint: hash.of(SIGNATURE), ..by(&instance) });
            assert_eq!(of(&instance, &wrong), Err(TimestampError::Imprint), "a digest of another function");
        }
    }

    #[test]
    fn the_signers_certificate_is_for_timestamps_alone() {
        let instance = Instance::new(1);
        let token = instance.stamp(SIGNATURE, instance.now);
        let usage = Err(TimestampError::Chain(ChainError::Usage("timeStamping alone, and critical")));
        for (critical, purposes, verdict) in [
            (false, &["1.3.6.1.5.5.7.3.8"][..], usage.clone()),
            (true, &["1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.3"], usage.clone()),
            (true, &["1.3.6.1.5.5.7.3.3"], usage),
            // The same as embedded, by the bytes.
            (true, &["1.3.6.1.5.5.7.3.8"], Ok(instance.now)),
        ] {
            let mut template = instance.tsa_template();
            template.extensions = vec![Extension::usage(critical, purposes)];
            let chain = vec![template.sign(&instance.tsa_root), instance.tsa_chain().remove(1)];
            let plain = Instance { embedded: false, ..instance.clone() };
            let token = if verdict.is_ok() { token.clone() } else { plain.stamp(SIGNATURE, plain.now) };
            let verified = verify(&token, SIGNATURE, &anchors(&[authority(&instance, chain)])).map(|stamp| stamp.time);
            assert_eq!(verified, verdict, "{critical} {purposes:?}");
        }
        // Expired by then.
        let mut template = instance.tsa_template();
        template.not_after = instance.now - SignedDuration::from_secs(1);
        let plain = Instance { embedded: false, ..instance.clone() };
        let chain = vec![template.sign(&instance.tsa_root), instance.tsa_chain().remove(1)];
        let anchors = anchors(&[authority(&instance, chain)]);
        let verdict = verify(&plain.stamp(SIGNATURE, plain.now), SIGNATURE, &anchors);
        let expired = ChainError::Expired { at: instance.now, until: template.not_after };
        assert_eq!(verdict, Err(TimestampError::Chain(expired)));
    }

    #[test]
    fn attributes_status_and_signers() {
        let instance = Instance::new(1);
        let make = |change: fn(&mut Stamper)| {
            let mut by = by(&instance);
            change(&mut by);
            of(&instance, &instance.stamp_by(by))
        };
        assert_eq!(make(|_| {}), Ok(instance.now));
        // grantedWithMods; rejection.
        assert_eq!(make(|by| by.status = 1), Ok(instance.now));
        assert_eq!(make(|by| by.status = 2), Err(TimestampError::Status(2)));
        assert_eq!(make(|by| by.signers = 0), Err(TimestampError::Signers(0)));
        assert_eq!(make(|by| by.signers = 2), Err(TimestampError::Signers(2)));
        // Accuracy, ordering and nonce are read over; a critical extension is not.
        assert_eq!(
            make(|by| by.info = [tlv(0x30, &[]), tlv(1, &[&[0xff]]), tlv(2, &[&[9]])].concat()),
            Ok(instance.now)
        );
        let critical = |by: &mut Stamper| {
            by.info = tlv(0xa1, &[&tlv(0x30, &[&oid("1.2.3"), &tlv(1, &[&[0xff]]), &tlv(4, &[])])]);
        };
        assert_eq!(make(critical), Err(TimestampError::CriticalExtension));
        assert_eq!(make(|by| by.info = tlv(0x0c, &[])), Err(TimestampError::Malformed("content")));
        let missing = |name| Err(TimestampError::Attribute(name));
        // In the order of `Instance::stamp_by`: the type, the digest, the certificate.
        assert_eq!(make(|by| by.attributes = |list| drop(list.remove(0))), missing("contentType"));
        assert_eq!(make(|by| by.attributes = |list| drop(list.remove(1))), missing("messageDigest"));
        assert_eq!(make(|by| by.attributes = |list| drop(list.remove(2))), Ok(instance.now));
        assert_eq!(make(|by| by.attributes = |list| list.push(list[0].clone())), missing("contentType"));
        assert_eq!(make(|by| by.attributes = |list| list.push(list[1].clone())), missing("messageDigest"));
        assert_eq!(make(|by| by.attributes = |list| list.push(list[2].clone())), missing("signingCertificateV2"));
        let other = |by: &mut Stamper| {
            by.attributes = |list| {
                let id = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[&tlv(4, &[&[0; 32]])])])]);
                list[2] = tlv(0x30, &[&oid("1.2.840.113549.1.9.16.2.47"), &tlv(0x31, &[&id])]);
            };
        };
        assert_eq!(make(other), missing("signingCertificateV2"));
        let many = |count: usize| -> fn(&mut Vec<Vec<u8>>) {
            if count == MAX_ATTRIBUTES {
                |list| list.resize(MAX_ATTRIBUTES, tlv(0x30, &[&oid("1.2.3"), &tlv(0x31, &[])]))
            } else {
                |list| list.resize(MAX_ATTRIBUTES + 1, tlv(0x30, &[&oid("1.2.3"), &tlv(0x31, &[])]))
            }
        };
        let with = |count| of(&instance, &instance.stamp_by(Stamper { attributes: many(count), ..by(&instance) }));
        assert_eq!(with(MAX_ATTRIBUTES), Ok(instance.now));
        assert_eq!(with(MAX_ATTRIBUTES + 1), Err(TimestampError::TooManyAttributes));
        let long = vec![0; MAX_TIMESTAMP + 1];
        assert_eq!(of(&instance, &long), Err(TimestampError::TooLong(MAX_TIMESTAMP + 1)));
    }

    #[test]
    fn openssl_stamps_the_same() {
        const TOKEN: &[u8] = include_bytes!("../../tests/data/sigstore/timestamp/openssl-rsa.tsr");
        const SIGNER: &[u8] = include_bytes!("../../tests/data/sigstore/timestamp/openssl-rsa-signer.der");
        const ROOT: &[u8] = include_bytes!("../../tests/data/sigstore/timestamp/openssl-rsa-root.der");
        let time = "2026-11-27T15:17:06.001Z".parse::<Timestamp>().expect("a time");
        let validity = Validity { start: time, end: Some(time) };
        let authority = |chain: &[&[u8]]| {
            let chain = chain.iter().map(|der| der.to_vec()).collect();
            anchors(&[Authority { uri: "openssl".to_owned(), chain, validity }])
        };
        for chain in [&[SIGNER, ROOT][..], &[ROOT]] {
            let verdict = verify(TOKEN, b"modanchor", &authority(chain)).map(|stamp| stamp.time);
            assert_eq!(verdict, Ok(time));
        }
        let other = Instance::new(1).tsa_chain();
        let verdict = verify(TOKEN, b"modanchor", &authority(&[&other[1]])).map(|stamp| stamp.time);
        assert_eq!(verdict, Err(TimestampError::Chain(ChainError::Algorithm)), "of the same name");
        let mut forged = TOKEN.to_vec();
        *forged.last_mut().expect("bytes") ^= 1;
        let verdict = verify(&forged, b"modanchor", &authority(&[SIGNER, ROOT])).map(|stamp| stamp.time);
        assert_eq!(verdict, Err(TimestampError::BadSignature));
    }

    #[test]
    fn certificates_that_come_along() {
        let instance = Instance::new(1);
        let with =
            |more: Vec<Vec<u8>>| of(&instance, &instance.stamp_by(Stamper { certificates: more, ..by(&instance) }));
        let root = instance.tsa_chain().remove(1);
        // The signer's own is the first.
        assert_eq!(with(vec![root.clone(); MAX_EMBEDDED - 1]), Ok(instance.now));
        assert_eq!(with(vec![root; MAX_EMBEDDED]), Err(TimestampError::TooManyCertificates));
        assert_eq!(with(vec![tlv(0x30, &[])]), Ok(instance.now));
        assert_eq!(with(vec![instance.tsa_chain().remove(0)]), Err(TimestampError::Malformed("certificates")));
        // One of the same name and number with another key.
        let mut template = instance.tsa_template();
        template.spki = Key::new(Kind::P384, 70).spki();
        let other = Instance { embedded: false, ..instance.clone() };
        let forged = other.stamp_by(Stamper { certificates: vec![template.sign(&other.tsa_root)], ..by(&other) });
        assert_eq!(of(&instance, &forged), Err(TimestampError::NoCertificate));
    }

    #[test]
    fn no_changed_byte_verifies() {
        let instance = Instance { tsa: Key::new(Kind::P256, 60), embedded: false, ..Instance::new(1) };
        let token = instance.stamp(SIGNATURE, instance.now);
        let anchors = anchors(&[authority(&instance, instance.tsa_chain())]);
        let survivors: Vec<usize> = (0..token.len())
            .filter(|at| {
                let mut changed = token.clone();
                changed[*at] ^= 1 << (at % 8);
                verify(&changed, SIGNATURE, &anchors).is_ok()
            })
            .collect();
        // The status (granted with modifications), the version (3 to 1 at that bit) and the list of hash functions that
        // the signer repeats: CMS signs none of them.
        let unsigned: Vec<u8> = survivors.iter().map(|at| token[*at]).collect();
        assert_eq!(crate::hex::encode(&unsigned), "00300b0609608648016503040201");
        for length in 0..token.len() {
            assert!(verify(&token[..length], SIGNATURE, &anchors).is_err(), "{length}");
        }
        assert!(verify(&[&token[..], &[0]].concat(), SIGNATURE, &anchors).is_err());
    }
}
