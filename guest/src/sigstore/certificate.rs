//! A signing certificate, and what it claims.
//!
//! The bytes of a certificate are the authority's word only as far as everybody reads the same out of them. So it is read as
//! strict DER ([`super::asn1`]), no extension may be there twice, exactly one subject alternative name is taken, and a claim is
//! UTF-8 without control characters: what a policy compares is what a person sees. Nothing here says that the certificate is to
//! be believed: [`super::chain`] does, over the same bytes.
//!
//! Of several names sigstore-go 1.2.1 takes the first URI, else the first e-mail address, else Fulcio's OtherName; others match
//! any. Fulcio writes one, and with several a reader of the report would not know who signed. So several are refused.

use der::Tag;
use der::asn1::ObjectIdentifier;
use jiff::Timestamp;

use super::asn1::{Der, NotDer, constructed, primitive};
use super::claims::{Claims, GitHub, San};
use super::key::{KeyError, PublicKey};

/// How long a certificate may be, in bytes. Fulcio's take 3 kB; rustls-webpki reads no longer ones.
pub const MAX_CERTIFICATE: usize = (64 << 10) - 1;

/// How many extensions one may have. Fulcio's have 25.
pub const MAX_EXTENSIONS: usize = 64;

/// How long one claim may be, in bytes.
pub const MAX_CLAIM: usize = 4 << 10;

/// How many certificates a PEM file may have.
pub const MAX_CHAIN: usize = 10;

const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");
/// The list of SCTs: RFC 6962 section 3.3.
pub(super) const SCT_LIST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11129.2.4.2");
/// What Fulcio's extensions begin with; one number follows.
const FULCIO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1");
/// Fulcio's type of OtherName.
const OTHER_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.57264.1.7");

/// Why a certificate is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Beyond [`MAX_CERTIFICATE`].
    #[error("a certificate of {0} bytes; {MAX_CERTIFICATE} are allowed")]
    TooLong(usize),
    /// A part that is not strict DER.
    #[error("the certificate's {0} is not strict DER")]
    Malformed(&'static str),
    /// Version 1 or 2: without extensions, so nobody's signing certificate.
    #[error("the certificate is not of version 3")]
    Version,
    /// The algorithm outside of what is signed is another than the one within.
    #[error("the certificate names two signature algorithms")]
    TwoAlgorithms,
    /// The key.
    #[error("the certificate's key: {0}")]
    Key(#[from] KeyError),
    /// Beyond [`MAX_EXTENSIONS`].
    #[error("a certificate of more than {MAX_EXTENSIONS} extensions")]
    TooManyExtensions,
    /// The same extension again.
    #[error("the certificate has the extension {0} twice")]
    Duplicate(String),
    /// Who signed is not said.
    #[error("the certificate has no subject alternative name: it does not say who signs")]
    NoSan,
    /// It is said several times.
    #[error("the certificate has {0} subject alternative names; expected one")]
    SeveralSans(usize),
    /// A DNS name, an address, another OtherName.
    #[error("the certificate's subject alternative name is no e-mail address, URI or name of Fulcio's")]
    SanKind,
    /// A claim beyond [`MAX_CLAIM`].
    #[error("the certificate's claim {0} is longer than {MAX_CLAIM} bytes")]
    ClaimTooLong(&'static str),
    /// A claim that is not UTF-8, or that has control characters.
    #[error("the certificate's claim {0} is not readable text: it is not UTF-8, or has control characters")]
    ClaimText(&'static str),
    /// A claim that is not a DER UTF8String.
    #[error("the certificate's claim {0} is not a DER UTF8String")]
    ClaimEncoding(&'static str),
    /// No PEM.
    #[error("expected PEM blocks \"CERTIFICATE\"")]
    Pem,
    /// Another block among them.
    #[error("a PEM block {0:?}; expected \"CERTIFICATE\"")]
    Label(String),
    /// Beyond [`MAX_CHAIN`].
    #[error("more than {MAX_CHAIN} certificates in one file")]
    TooManyCertificates,
}

/// A certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    /// Where TBSCertificate is in `der`, tag and length included.
    tbs: std::ops::Range<usize>,
    /// The content of the AlgorithmIdentifier of the signature.
    pub(super) algorithm: Vec<u8>,
    pub(super) signature: Vec<u8>,
    /// The serial number: an INTEGER's content.
    pub serial: Vec<u8>,
    /// The issuer's Name, whole.
    pub issuer: Vec<u8>,
    /// The subject's Name, whole.
    pub subject: Vec<u8>,
    /// From when it is valid; to the second, as the other end: both belong to it.
    pub not_before: Timestamp,
    /// Until when.
    pub not_after: Timestamp,
    /// The key that it is about.
    pub key: PublicKey,
    /// Whether it may issue certificates (basicConstraints).
    pub is_ca: bool,
    /// How many authorities may stand between it and a signer's certificate (pathLenConstraint).
    pub path_length: Option<u8>,
    /// Whether it limits the names that it issues for (nameConstraints).
    pub has_name_constraints: bool,
    /// What its key is for.
    pub usage: ExtendedKeyUsage,
    /// The subjectKeyIdentifier.
    pub key_id: Option<Vec<u8>>,
    /// The list of SCTs, as RFC 6962 section 3.3 has it inside of the OCTET STRING.
    pub scts: Option<Vec<u8>>,
    /// The subject alternative names, and Fulcio's extensions: read when asked for.
    extensions: Vec<(Claim, Vec<u8>)>,
}

/// extKeyUsage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtendedKeyUsage {
    /// The purposes, OIDs as DER has their content. Empty: no such extension.
    pub purposes: Vec<Vec<u8>>,
    /// Whether the extension is critical.
    pub critical: bool,
}

/// The extensions that [`Certificate::claims`] reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    San,
    /// .1.N.
    Fulcio(u8),
}

impl Certificate {
    /// Reads a certificate: X.509 version 3, strict DER, nothing after it.
    ///
    /// # Errors
    ///
    /// [`CertificateError`].
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CertificateError::TooLong(der.len()));
        }
        let mut outer = Der::only_sequence(der).map_err(bad("outline"))?;
        let tbs = outer.whole().map_err(bad("outline"))?;
        let algorithm = outer.whole().map_err(bad("outline"))?;
        let signature = outer.bits().map_err(bad("signature"))?;
        outer.finish().map_err(bad("outline"))?;
        // It follows the header of the outer SEQUENCE, and the two fields before the signature are slices of `der`.
        let start = tbs.as_ptr() as usize - der.as_ptr() as usize;

        let mut fields = Der::only_sequence(tbs).map_err(bad("outline"))?;
        let version = fields.optional(constructed(0)).map_err(bad("version"))?.ok_or(CertificateError::Version)?;
        let mut version = Der::new(version).map_err(bad("version"))?;
        if version.small().map_err(bad("version"))? != 2 {
            return Err(CertificateError::Version);
        }
        version.finish().map_err(bad("version"))?;
        let serial = fields.integer().map_err(bad("serial number"))?.to_vec();
        if fields.whole().map_err(bad("signature algorithm"))? != algorithm {
            return Err(CertificateError::TwoAlgorithms);
        }
        let issuer = name(&mut fields, "issuer")?;
        let mut validity = fields.sequence().map_err(bad("validity"))?;
        let not_before = validity.time().map_err(bad("validity"))?;
        let not_after = validity.time().map_err(bad("validity"))?;
        validity.finish().map_err(bad("validity"))?;
        let subject = name(&mut fields, "subject")?;
        let key = PublicKey::from_spki(fields.whole().map_err(bad("key"))?)?;
        let mut certificate = Self {
            der: der.to_vec(),
            tbs: start..start + tbs.len(),
            algorithm: Der::new(algorithm)
                .and_then(|mut der| der.read(Tag::Sequence))
                .map_err(bad("outline"))?
                .to_vec(),
            signature: signature.to_vec(),
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            is_ca: false,
            path_length: None,
            has_name_constraints: false,
            usage: ExtendedKeyUsage::default(),
            key_id: None,
            scts: None,
            extensions: Vec::new(),
        };
        if let Some(list) = fields.optional(constructed(3)).map_err(bad("extensions"))? {
            certificate.read_extensions(list)?;
        }
        fields.finish().map_err(bad("outline"))?;
        Ok(certificate)
    }

    fn read_extensions(&mut self, list: &[u8]) -> Result<(), CertificateError> {
        let mut list = Der::only_sequence(list).map_err(bad("extensions"))?;
        let mut seen: Vec<&[u8]> = Vec::new();
        while !list.is_empty() {
            let mut extension = list.sequence().map_err(bad("extensions"))?;
            let oid = extension.oid().map_err(bad("extensions"))?;
            let critical = extension.flag().map_err(bad("extensions"))?;
            let value = extension.octets().map_err(bad("extensions"))?;
            extension.finish().map_err(bad("extensions"))?;
            if seen.contains(&oid) {
                let shown =
                    ObjectIdentifier::from_bytes(oid).map_or_else(|_| crate::hex::encode(oid), |oid| oid.to_string());
                return Err(CertificateError::Duplicate(shown));
            }
            seen.push(oid);
            if seen.len() > MAX_EXTENSIONS {
                return Err(CertificateError::TooManyExtensions);
            }
            if oid == BASIC_CONSTRAINTS.as_bytes() {
                let mut fields = Der::only_sequence(value).map_err(bad("basicConstraints"))?;
                self.is_ca = fields.flag().map_err(bad("basicConstraints"))?;
                if !fields.is_empty() {
                    self.path_length = Some(fields.small().map_err(bad("basicConstraints"))?);
                }
                fields.finish().map_err(bad("basicConstraints"))?;
            } else if oid == EXTENDED_KEY_USAGE.as_bytes() {
                let mut purposes = Der::only_sequence(value).map_err(bad("extKeyUsage"))?;
                self.usage.critical = critical;
                while !purposes.is_empty() {
                    self.usage.purposes.push(purposes.oid().map_err(bad("extKeyUsage"))?.to_vec());
                }
                if self.usage.purposes.is_empty() {
                    return Err(CertificateError::Malformed("extKeyUsage"));
                }
            } else if oid == NAME_CONSTRAINTS.as_bytes() {
                self.has_name_constraints = true;
            } else if oid == SUBJECT_KEY_ID.as_bytes() {
                self.key_id = Some(only_octets(value).map_err(bad("subjectKeyIdentifier"))?.to_vec());
            } else if oid == SCT_LIST.as_bytes() {
                self.scts = Some(only_octets(value).map_err(bad("list of SCTs"))?.to_vec());
            } else if oid == SUBJECT_ALT_NAME.as_bytes() {
                self.extensions.push((Claim::San, value.to_vec()));
            } else if let Some([number @ 0..=0x7f]) = oid.strip_prefix(FULCIO.as_bytes()) {
                self.extensions.push((Claim::Fulcio(*number), value.to_vec()));
            }
        }
        Ok(())
    }

    /// The certificate, DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// TBSCertificate, whole: what the authority signed.
    #[must_use]
    pub fn tbs(&self) -> &[u8] {
        &self.der[self.tbs.clone()]
    }

    /// Whether `at` lies in the validity, both ends included.
    #[must_use]
    pub fn is_valid_at(&self, at: Timestamp) -> bool {
        self.not_before <= at && at <= self.not_after
    }

    /// What it claims of the signer.
    ///
    /// # Errors
    ///
    /// [`CertificateError`]: no name or several, or a claim that is no readable text.
    pub fn claims(&self) -> Result<Claims, CertificateError> {
        let find = |wanted: Claim| {
            self.extensions.iter().find(|(claim, _)| *claim == wanted).map(|(_, value)| value.as_slice())
        };
        // .1.1 to .1.6 are raw; those after .1.7 are DER.
        let raw = |number, name| find(Claim::Fulcio(number)).map(|value| text(value, name)).transpose();
        let string = |number, name| {
            find(Claim::Fulcio(number))
                .map(|value| {
                    let mut der = Der::new(value).map_err(|NotDer| CertificateError::ClaimEncoding(name))?;
                    let content = der.read(Tag::Utf8String).map_err(|NotDer| CertificateError::ClaimEncoding(name))?;
                    der.finish().map_err(|NotDer| CertificateError::ClaimEncoding(name))?;
                    text(content, name)
                })
                .transpose()
        };
        let older = raw(1, ".1.1 (issuer)")?;
        Ok(Claims {
            san: san(find(Claim::San).ok_or(CertificateError::NoSan)?)?,
            issuer: string(8, ".1.8 (issuer)")?.or(older),
            build_signer_uri: string(9, ".1.9 (build signer URI)")?,
            build_signer_digest: string(10, ".1.10 (build signer digest)")?,
            runner_environment: string(11, ".1.11 (runner environment)")?,
            source_repository_uri: string(12, ".1.12 (source repository URI)")?,
            source_repository_digest: string(13, ".1.13 (source repository digest)")?,
            source_repository_ref: string(14, ".1.14 (source repository ref)")?,
            source_repository_identifier: string(15, ".1.15 (source repository identifier)")?,
            source_repository_owner_uri: string(16, ".1.16 (source repository owner URI)")?,
            source_repository_owner_identifier: string(17, ".1.17 (source repository owner identifier)")?,
            build_config_uri: string(18, ".1.18 (build config URI)")?,
            build_config_digest: string(19, ".1.19 (build config digest)")?,
            build_trigger: string(20, ".1.20 (build trigger)")?,
            run_invocation_uri: string(21, ".1.21 (run invocation URI)")?,
            source_repository_visibility: string(22, ".1.22 (source repository visibility)")?,
            github: GitHub {
                trigger: raw(2, ".1.2 (GitHub workflow trigger)")?,
                sha: raw(3, ".1.3 (GitHub workflow SHA)")?,
                name: raw(4, ".1.4 (GitHub workflow name)")?,
                repository: raw(5, ".1.5 (GitHub workflow repository)")?,
                reference: raw(6, ".1.6 (GitHub workflow ref)")?,
            },
        })
    }
}

/// The certificates of a PEM file, DER, in its order: at least one.
///
/// # Errors
///
/// [`CertificateError::Pem`], [`CertificateError::Label`], [`CertificateError::TooManyCertificates`].
pub fn from_pem(text: &str) -> Result<Vec<Vec<u8>>, CertificateError> {
    let blocks = pem::parse_many(text).map_err(|_| CertificateError::Pem)?;
    if blocks.len() > MAX_CHAIN {
        return Err(CertificateError::TooManyCertificates);
    }
    if blocks.is_empty() {
        return Err(CertificateError::Pem);
    }
    blocks
        .into_iter()
        .map(|block| match block.tag() {
            "CERTIFICATE" => Ok(block.into_contents()),
            label => Err(CertificateError::Label(label.to_owned())),
        })
        .collect()
}

fn bad(part: &'static str) -> impl Fn(NotDer) -> CertificateError {
    move |NotDer| CertificateError::Malformed(part)
}

fn only_octets(value: &[u8]) -> Result<&[u8], NotDer> {
    let mut der = Der::new(value)?;
    let octets = der.octets()?;
    der.finish()?;
    Ok(octets)
}

/// A Name: a SEQUENCE, whole, compared byte by byte.
fn name(fields: &mut Der<'_>, part: &'static str) -> Result<Vec<u8>, CertificateError> {
    if fields.peek() != Some(Tag::Sequence) {
        return Err(CertificateError::Malformed(part));
    }
    fields.whole().map(<[u8]>::to_vec).map_err(bad(part))
}

fn text(bytes: &[u8], name: &'static str) -> Result<String, CertificateError> {
    if bytes.len() > MAX_CLAIM {
        return Err(CertificateError::ClaimTooLong(name));
    }
    match str::from_utf8(bytes) {
        Ok(text) if !text.contains(char::is_control) => Ok(text.to_owned()),
        _ => Err(CertificateError::ClaimText(name)),
    }
}

/// GeneralNames, of which there must be one.
fn san(value: &[u8]) -> Result<San, CertificateError> {
    const NAME: &str = "subjectAltName";
    let mut names = Der::only_sequence(value).map_err(bad(NAME))?;
    let mut count = 0;
    let mut rest = names.clone();
    while !rest.is_empty() {
        rest.whole().map_err(bad(NAME))?;
        count += 1;
    }
    match count {
        0 => return Err(CertificateError::NoSan),
        1 => {}
        _ => return Err(CertificateError::SeveralSans(count)),
    }
    let ascii = |bytes: &[u8]| {
        // IA5String: ASCII.
        if bytes.is_ascii() && !bytes.is_empty() { text(bytes, NAME) } else { Err(CertificateError::ClaimText(NAME)) }
    };
    if let Some(email) = names.optional(primitive(1)).map_err(bad(NAME))? {
        return ascii(email).map(San::Email);
    }
    if let Some(uri) = names.optional(primitive(6)).map_err(bad(NAME))? {
        return ascii(uri).map(San::Uri);
    }
    let other = names.optional(constructed(0)).map_err(bad(NAME))?.ok_or(CertificateError::SanKind)?;
    let mut other = Der::new(other).map_err(bad(NAME))?;
    if other.oid().map_err(bad(NAME))? != OTHER_NAME.as_bytes() {
        return Err(CertificateError::SanKind);
    }
    let mut value = Der::new(other.read(constructed(0)).map_err(bad(NAME))?).map_err(bad(NAME))?;
    other.finish().map_err(bad(NAME))?;
    let content = value.read(Tag::Utf8String).map_err(bad(NAME))?;
    value.finish().map_err(bad(NAME))?;
    if content.is_empty() {
        return Err(CertificateError::ClaimText(NAME));
    }
    text(content, NAME).map(San::Other)
}
