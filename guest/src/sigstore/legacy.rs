//! cosign's files from before bundles: a detached signature with a certificate beside it, the first bundle of cosign's
//! own, a timestamp in a file by itself.
//!
//! All of them become a [`Bundle`], so that one verifier ([`super::signature`]) verifies them. They bring less: a log's
//! promise and never a proof, and no digest. cosign still reads them, with flags that it calls deprecated.
//!
//! A public key in cosign's old bundle is passed over. It came with the signature, so it says nothing: cosign verifies with
//! it if it is there, whatever key it was given.

use super::bundle::{Bundle, BundleError, Content, Material, Version, read_envelope};
use super::certificate::{self, Certificate, CertificateError};
use super::log::{Entry, EntryError};
use super::protojson::{Fields, FormatError, base64};

/// The most bytes of a detached signature. An attestation's is the whole envelope.
pub const MAX_SIGNATURE: usize = super::bundle::MAX_BYTES;
/// The most bytes of a certificate or key beside it.
pub const MAX_CERTIFICATES: usize = 1 << 18;
/// The most bytes of a timestamp's file.
pub const MAX_TIMESTAMP: usize = 1 << 18;

/// Why older files do not become a bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LegacyError {
    /// A bundle that is one, and breaks its format.
    #[error("{0}")]
    Bundle(#[from] BundleError),
    /// A file breaks its format.
    #[error("{0}")]
    Format(#[from] FormatError),
    /// A certificate cannot be read.
    #[error("{0}")]
    Certificate(#[from] CertificateError),
    /// The log's entry cannot be read.
    #[error("rekorBundle: {0}")]
    Entry(#[from] EntryError),
    /// Neither `mediaType` nor `base64Signature`.
    #[error("it is no bundle: neither mediaType nor base64Signature is in it")]
    Form,
    /// No signature anywhere.
    #[error("there is no signature")]
    NoSignature,
    /// A certificate beside a bundle that has another one.
    #[error("the certificate is not the one in the bundle")]
    TwoCertificates,
}

/// Files that belong to one signature. Those that are missing are none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Files<'a> {
    /// `--signature`: base64 or raw.
    pub signature: Option<&'a [u8]>,
    /// `--certificate`: PEM, or base64 of PEM.
    pub certificate: Option<&'a [u8]>,
    /// `--certificate-chain`: PEM. Its roots are left out: trusting them is the trusted root's matter.
    pub chain: Option<&'a [u8]>,
    /// `--bundle`: of either form.
    pub bundle: Option<&'a [u8]>,
    /// `--rfc3161-timestamp`.
    pub timestamp: Option<&'a [u8]>,
}

impl Files<'_> {
    /// One bundle of all of them. A signature beside a bundle of cosign's own is taken instead of the one in it, as cosign does;
    /// what is beside a bundle of the newer form is not looked at, except for a certificate, which must be the same.
    ///
    /// # Errors
    ///
    /// [`LegacyError`].
    pub fn read(&self) -> Result<Bundle, LegacyError> {
        let mut certificates = Vec::new();
        if let Some(file) = self.certificate {
            certificates = certificates_of(file)?.ok_or(CertificateError::Pem)?;
        }
        let mut signature = self.signature.map(signature_of).transpose()?;
        let mut entries = Vec::new();
        if let Some(file) = self.bundle {
            let mut fields = Fields::read(file, super::bundle::MAX_BYTES)?;
            if fields.has("mediaType") {
                let bundle = Bundle::read(fields)?;
                let Material::Certificate { leaf, .. } = &bundle.material else { return Ok(bundle) };
                let same = certificates.first().is_none_or(|certificate| certificate == leaf);
                return if same { Ok(bundle) } else { Err(LegacyError::TwoCertificates) };
            }
            if !fields.has("base64Signature") {
                return Err(LegacyError::Form);
            }
            let inner = fields.text("base64Signature")?;
            if signature.is_none() && !inner.is_empty() {
                signature = Some(signature_of(inner.as_bytes())?);
            }
            let inner = fields.text("cert")?;
            let inner = if inner.is_empty() { None } else { certificates_of(inner.as_bytes())? };
            if let Some(inner) = inner {
                if certificates.first().is_some_and(|certificate| *certificate != inner[0]) {
                    return Err(LegacyError::TwoCertificates);
                }
                certificates = inner;
            }
            entries.extend(fields.object("rekorBundle")?.map(entry).transpose()?);
        }
        let signature = signature.filter(|bytes| !bytes.is_empty()).ok_or(LegacyError::NoSignature)?;
        let mut timestamps = Vec::new();
        if let Some(file) = self.timestamp {
            timestamps.push(Fields::read(file, MAX_TIMESTAMP)?.some_bytes("SignedRFC3161Timestamp")?);
        }
        let mut certificates = certificates.into_iter();
        let material = match certificates.next() {
            None => Material::PublicKey { hint: String::new() },
            Some(leaf) => {
                let mut intermediates: Vec<_> = certificates.collect();
                intermediates.extend(self.chain.map(between).transpose()?.unwrap_or_default());
                Material::Certificate { leaf, intermediates }
            }
        };
        let content = if signature.first() == Some(&b'{') {
            let fields = Fields::read(&signature, MAX_SIGNATURE)?;
            Content::Envelope(read_envelope(fields)?)
        } else {
            Content::Message { digest: None, signature }
        };
        Ok(Bundle { version: Version::Legacy, material, entries, timestamps, content })
    }
}

/// `{"SignedEntryTimestamp": …, "Payload": {"body": …, "integratedTime": …, "logIndex": …, "logID": …}}`.
fn entry(mut fields: Fields) -> Result<Entry, LegacyError> {
    let promise = fields.some_bytes("SignedEntryTimestamp")?;
    let mut entry = Entry::read_payload(&mut fields.some_object("Payload")?)?;
    entry.promise = Some(promise);
    Ok(entry)
}

/// Base64, on lines or not, or else the signature itself: cosign asks in this order.
fn signature_of(file: &[u8]) -> Result<Vec<u8>, FormatError> {
    too_large(file, MAX_SIGNATURE)?;
    Ok(unwrapped(file).unwrap_or_else(|| file.to_vec()))
}

/// What is in base64 here, if it is base64: line breaks do not count, as in Go.
fn unwrapped(file: &[u8]) -> Option<Vec<u8>> {
    let text: String = str::from_utf8(file).ok()?.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    base64(text.trim())
}

/// The certificates, DER, in PEM or in base64 of PEM; none where it is a public key.
fn certificates_of(file: &[u8]) -> Result<Option<Vec<Vec<u8>>>, LegacyError> {
    too_large(file, MAX_CERTIFICATES)?;
    let text = unwrapped(file).unwrap_or_else(|| file.to_vec());
    let text = str::from_utf8(&text).map_err(|_| CertificateError::Pem)?;
    match certificate::from_pem(text) {
        Ok(certificates) => Ok(Some(certificates)),
        Err(CertificateError::Label(label)) if label.ends_with("PUBLIC KEY") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The certificates of a chain that are no roots.
fn between(file: &[u8]) -> Result<Vec<Vec<u8>>, LegacyError> {
    let mut between = Vec::new();
    for der in certificates_of(file)?.ok_or(CertificateError::Pem)? {
        let certificate = Certificate::parse(&der)?;
        if certificate.issuer != certificate.subject {
            between.push(der);
        }
    }
    Ok(between)
}

fn too_large(file: &[u8], limit: usize) -> Result<(), FormatError> {
    if file.len() > limit { Err(FormatError::TooLarge { found: file.len(), limit }) } else { Ok(()) }
}
