//! Public keys, and the signature schemes that they verify: in one place for Sigstore and for TUF
//! ([`crate::tuf::crypto`]).
//!
//! Verification only, and every input of it is public, so nothing here needs to take constant time. `rsa` is used for
//! verification alone: RUSTSEC-2023-0071 is about private keys.
//!
//! A key says its own algorithm, and a scheme that is another algorithm's is an error: no signature is ever checked as
//! if the key were of another kind. Which schemes a key's owner may have used is fixed by [`PublicKey::schemes`], not
//! by the signer. ECDSA signatures are DER without a byte too many. That leaves the one other form that ECDSA itself
//! allows (s or its negative), so that nothing may take a signature's bytes for a name of what was signed.

use std::fmt;
use std::sync::Arc;

use der::asn1::ObjectIdentifier;
use ecdsa::signature::hazmat::PrehashVerifier as _;
use ed25519_dalek::Signature as Ed25519Signature;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Sign, Pss};
use sha2::digest::{FixedOutput, HashMarker, Output, OutputSizeUser, Update, consts::U64};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::asn1::{Der, NotDer, field};
use super::known_key::KnownKey;

/// How long an encoded key may be, in bytes: RSA of 4096 bits takes 550.
pub const MAX_KEY: usize = 4 << 10;

/// The sizes of RSA keys, in bits: the algorithm registry's, of which 2048 is for verification only.
pub const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const SECP256R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const SECP384R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const SECP521R1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// Why a public key is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Beyond [`MAX_KEY`].
    #[error("a public key of {0} bytes; {MAX_KEY} are allowed")]
    TooLong(usize),
    /// The SubjectPublicKeyInfo.
    #[error("the public key is not strict DER")]
    Malformed,
    /// Of another algorithm or curve.
    #[error("the public key's algorithm is not supported: it must be ECDSA on P-256, P-384 or P-521, Ed25519 or RSA")]
    Algorithm,
    /// Not a point of the curve, or compressed.
    #[error("the public key is no point of its curve in uncompressed form")]
    Point,
    /// A modulus or an exponent that RSA does not have.
    #[error("the RSA key is malformed")]
    Rsa,
    /// Outside [`RSA_BITS`].
    #[error("an RSA key of {0} bits; from 2048 to 4096 are allowed")]
    RsaBits(u32),
    /// No PEM, or more than one block.
    #[error("expected one PEM block, \"PUBLIC KEY\" or \"RSA PUBLIC KEY\"")]
    Pem,
    /// Another block.
    #[error("a PEM block {0:?}; expected \"PUBLIC KEY\" or \"RSA PUBLIC KEY\"")]
    Label(String),
}

impl From<NotDer> for KeyError {
    fn from(_: NotDer) -> Self {
        Self::Malformed
    }
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not by this key, or not over this.
    #[error("the signature does not verify")]
    Invalid,
    /// The scheme is not one of the key's algorithm.
    #[error("the signature's scheme does not fit the key")]
    Mismatch,
    /// Pure Ed25519 signs the content, and only a digest is at hand.
    #[error("an Ed25519 signature covers the content, and only its digest is known: give the file")]
    NeedsContent,
    /// The digest that the scheme signs was not taken.
    #[error("the signature covers a {0} digest, which is not known: give the file")]
    NeedsDigest(&'static str),
}

/// Which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
}

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Of bytes.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// How a signature was made. The curve is the key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// ECDSA, DER.
    Ecdsa(Hash),
    /// Ed25519 over the content (RFC 8032 section 5.1), by the strict rules: no points of small order.
    Ed25519,
    /// Ed25519 over the content's SHA-512 (section 5.1, Ed25519ph), with an empty context; strict too.
    Ed25519ph,
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS. Any length of salt: producers differ (the digest's length, or as much as fits), and none makes a
    /// signature weaker to check.
    RsaPss(Hash),
}

/// What a signature is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// The content.
    Bytes(&'a [u8]),
    /// Its digests: an artifact is hashed by the host, and never here as a whole.
    Digests(&'a Digests),
}

/// The digests of one content, as far as they were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256, if it was taken.
    pub sha256: Option<[u8; 32]>,
    /// SHA-384, if it was taken.
    pub sha384: Option<[u8; 48]>,
    /// SHA-512, if it was taken.
    pub sha512: Option<[u8; 64]>,
}

impl Digests {
    /// All of them.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self {
            sha256: Some(Sha256::digest(bytes).into()),
            sha384: Some(Sha384::digest(bytes).into()),
            sha512: Some(Sha512::digest(bytes).into()),
        }
    }
}

impl Message<'_> {
    /// The digest of that function.
    ///
    /// # Errors
    ///
    /// [`SignatureError::NeedsDigest`].
    pub fn digest(&self, hash: Hash) -> Result<Vec<u8>, SignatureError> {
        let (digest, name) = match (self, hash) {
            (Self::Bytes(bytes), hash) => return Ok(hash.of(bytes)),
            (Self::Digests(digests), Hash::Sha256) => (digests.sha256.as_ref().map(|d| d.to_vec()), "SHA-256"),
            (Self::Digests(digests), Hash::Sha384) => (digests.sha384.as_ref().map(|d| d.to_vec()), "SHA-384"),
            (Self::Digests(digests), Hash::Sha512) => (digests.sha512.as_ref().map(|d| d.to_vec()), "SHA-512"),
        };
        digest.ok_or(SignatureError::NeedsDigest(name))
    }
}

/// What a key signs, which decides the schemes that are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// An artifact, by a certificate's key.
    Message,
    /// An artifact, by a key that the user names.
    KeyedMessage,
    /// A DSSE envelope's pre-authentication encoding.
    Envelope,
}

/// A key in the form that verifies. Copies of it share what it has learnt.
#[derive(Clone)]
enum Material {
    P256(Arc<KnownKey<p256::NistP256>>),
    P384(Arc<KnownKey<p384::NistP384>>),
    P521(Box<p521::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    Rsa(Box<rsa::PublicKey>),
}

/// A public key: of a supported algorithm, on its curve, of a sound size.
#[derive(Clone)]
pub struct PublicKey {
    spki: Vec<u8>,
    /// Where the content of its BIT STRING begins, which is the last thing in it.
    bits: usize,
    material: Material,
}

impl PublicKey {
    /// From a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1.2.7).
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_spki(spki: &[u8]) -> Result<Self, KeyError> {
        if spki.len() > MAX_KEY {
            return Err(KeyError::TooLong(spki.len()));
        }
        let mut fields = Der::only_sequence(spki)?;
        let (algorithm, parameters) = fields.algorithm()?;
        let bits = fields.bits()?;
        fields.finish()?;
        let kind = if algorithm == EC_PUBLIC_KEY.as_bytes() {
            let mut curve = Der::new(parameters.ok_or(KeyError::Algorithm)?)?;
            let oid = curve.oid().map_err(|_| KeyError::Algorithm)?;
            [(SECP256R1, Kind::P256), (SECP384R1, Kind::P384), (SECP521R1, Kind::P521)]
                .into_iter()
                .find_map(|(curve, kind)| (curve.as_bytes() == oid).then_some(kind))
        } else if parameters.is_some() {
            None
        } else if algorithm == ED25519.as_bytes() {
            Some(Kind::Ed25519)
        } else {
            (algorithm == RSA_ENCRYPTION.as_bytes()).then_some(Kind::Rsa)
        };
        let material = Material::read(kind.ok_or(KeyError::Algorithm)?, bits)?;
        Ok(Self { spki: spki.to_vec(), bits: spki.len() - bits.len(), material })
    }

    /// From an RSAPublicKey in DER (PKCS#1, RFC 8017 appendix A.1.1).
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        if der.len() > MAX_KEY {
            return Err(KeyError::TooLong(der.len()));
        }
        // The SPKI of the same key: rsaEncryption with NULL, and the key as a BIT STRING.
        const ALGORITHM: [u8; 15] = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
        let material = Material::read(Kind::Rsa, der)?;
        let spki = field(0x30, &[&ALGORITHM, &field(0x03, &[&[0], der])]);
        Ok(Self { bits: spki.len() - der.len(), spki, material })
    }

    /// From one PEM block, `PUBLIC KEY` or `RSA PUBLIC KEY`, as cosign takes it.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let [block] =
            <[pem::Pem; 1]>::try_from(pem::parse_many(text).map_err(|_| KeyError::Pem)?).map_err(|_| KeyError::Pem)?;
        match block.tag() {
            "PUBLIC KEY" => Self::from_spki(block.contents()),
            "RSA PUBLIC KEY" => Self::from_pkcs1(block.contents()),
            label => Err(KeyError::Label(label.to_owned())),
        }
    }

    /// From what a SubjectPublicKeyInfo of that kind has in its BIT STRING.
    pub(crate) fn verify_raw(
        kind: Kind,
        key: &[u8],
        scheme: Scheme,
        message: Message<'_>,
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        Material::read(kind, key).map_err(|_| SignatureError::Invalid)?.verify(scheme, message, signature)
    }

    /// Whether that is what it has in its BIT STRING.
    pub(crate) fn is(&self, kind: Kind, key: &[u8]) -> bool {
        self.kind() == kind && self.spki[self.bits..] == *key
    }

    /// The SubjectPublicKeyInfo, DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// SHA-256 of the SubjectPublicKeyInfo: a log's ID, and half of a precertificate's issuer.
    #[must_use]
    pub fn id(&self) -> [u8; 32] {
        Sha256::digest(&self.spki).into()
    }

    /// Which kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.material {
            Material::P256(_) => Kind::P256,
            Material::P384(_) => Kind::P384,
            Material::P521(_) => Kind::P521,
            Material::Ed25519(_) => Kind::Ed25519,
            Material::Rsa(_) => Kind::Rsa,
        }
    }

    /// The schemes that a signature for that usage may be of, the usual one first: those of sigstore-go 1.2.1
    /// (`compatSignatureVerifier`; old clients signed with SHA-256 on every curve) and of `cosign verify-blob --key`.
    ///
    /// | key | by certificate | by `--key` | envelope |
    /// |---|---|---|---|
    /// | P-256 | SHA-256 | the same | the same |
    /// | P-384 | SHA-384, SHA-256 | the same | the same |
    /// | P-521 | SHA-512, SHA-256 | the same | the same |
    /// | Ed25519 | Ed25519ph | Ed25519, Ed25519ph | Ed25519 |
    /// | RSA | PKCS#1 v1.5 with SHA-256 | the same | the same |
    #[must_use]
    pub fn schemes(&self, usage: Usage) -> &'static [Scheme] {
        match (self.kind(), usage) {
            (Kind::P256, _) => &[Scheme::Ecdsa(Hash::Sha256)],
            (Kind::P384, _) => &[Scheme::Ecdsa(Hash::Sha384), Scheme::Ecdsa(Hash::Sha256)],
            (Kind::P521, _) => &[Scheme::Ecdsa(Hash::Sha512), Scheme::Ecdsa(Hash::Sha256)],
            (Kind::Ed25519, Usage::Message) => &[Scheme::Ed25519ph],
            (Kind::Ed25519, Usage::KeyedMessage) => &[Scheme::Ed25519, Scheme::Ed25519ph],
            (Kind::Ed25519, Usage::Envelope) => &[Scheme::Ed25519],
            (Kind::Rsa, _) => &[Scheme::RsaPkcs1(Hash::Sha256)],
        }
    }

    /// The scheme of a log, a checkpoint or a certificate's timestamp: the first of [`PublicKey::schemes`] over
    /// content.
    #[must_use]
    pub fn default_scheme(&self) -> Scheme {
        self.schemes(Usage::Envelope)[0]
    }

    /// Verifies one signature.
    ///
    /// # Errors
    ///
    /// [`SignatureError`].
    pub fn verify(&self, scheme: Scheme, message: Message<'_>, signature: &[u8]) -> Result<(), SignatureError> {
        self.material.verify(scheme, message, signature)
    }

    /// Verifies one signature by whichever scheme of the usage fits.
    ///
    /// # Errors
    ///
    /// Of the schemes tried: what is missing to check it, if anything is, else [`SignatureError::Invalid`].
    pub fn verify_for(&self, usage: Usage, message: Message<'_>, signature: &[u8]) -> Result<Scheme, SignatureError> {
        let mut worst = SignatureError::Invalid;
        for scheme in self.schemes(usage) {
            match self.verify(*scheme, message, signature) {
                Ok(()) => return Ok(*scheme),
                Err(SignatureError::Invalid) => {}
                // Who gives the content gives every digest.
                Err(_) if worst == SignatureError::NeedsContent => {}
                Err(missing) => worst = missing,
            }
        }
        Err(worst)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.spki == other.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PublicKey({:?}, {})", self.kind(), crate::hex::encode(&self.id()))
    }
}

impl Material {
    fn read(kind: Kind, bytes: &[u8]) -> Result<Self, KeyError> {
        // Uncompressed: one form for each key, so that its ID is one too.
        let point = bytes.first() == Some(&0x04);
        match kind {
            Kind::P256 if point => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| KeyError::Point)?;
                Ok(Self::P256(Arc::new(KnownKey::new(key))))
            }
            Kind::P384 if point => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(bytes).map_err(|_| KeyError::Point)?;
                Ok(Self::P384(Arc::new(KnownKey::new(key))))
            }
            Kind::P521 if point => p521::ecdsa::VerifyingKey::from_sec1_bytes(bytes)
                .map(|key| Self::P521(Box::new(key)))
                .map_err(|_| KeyError::Point),
            Kind::P256 | Kind::P384 | Kind::P521 => Err(KeyError::Point),
            Kind::Ed25519 => {
                let key = ed25519_dalek::VerifyingKey::try_from(bytes).map_err(|_| KeyError::Point)?;
                Ok(Self::Ed25519(Box::new(key)))
            }
            Kind::Rsa => {
                if bytes.len() > MAX_KEY {
                    return Err(KeyError::TooLong(bytes.len()));
                }
                let key = rsa::PublicKey::from_pkcs1_der(bytes).map_err(|_| KeyError::Rsa)?;
                let bits = key.n().bit_width();
                if RSA_BITS.contains(&bits) { Ok(Self::Rsa(Box::new(key))) } else { Err(KeyError::RsaBits(bits)) }
            }
        }
    }

    fn verify(&self, scheme: Scheme, message: Message<'_>, signature: &[u8]) -> Result<(), SignatureError> {
        let good = match (self, scheme) {
            (Self::P256(key), Scheme::Ecdsa(hash)) => {
                let digest = message.digest(hash)?;
                p256::ecdsa::Signature::from_der(signature).is_ok_and(|signature| key.verify(&digest, &signature))
            }
            (Self::P384(key), Scheme::Ecdsa(hash)) => {
                let digest = message.digest(hash)?;
                p384::ecdsa::Signature::from_der(signature).is_ok_and(|signature| key.verify(&digest, &signature))
            }
            (Self::P521(key), Scheme::Ecdsa(hash)) => {
                // The library refuses a digest of less than half the field, which SHA-256 is by a byte. As an integer,
                // which is what ECDSA takes it for, it is the same with zeros before it.
                let digest = message.digest(hash)?;
                let mut padded = [0; 64];
                padded[64 - digest.len()..].copy_from_slice(&digest);
                p521::ecdsa::Signature::from_der(signature)
                    .is_ok_and(|signature| key.verify_prehash(&padded, &signature).is_ok())
            }
            (Self::Ed25519(key), Scheme::Ed25519) => {
                let Message::Bytes(content) = message else { return Err(SignatureError::NeedsContent) };
                Ed25519Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_strict(content, &signature).is_ok())
            }
            (Self::Ed25519(key), Scheme::Ed25519ph) => {
                let digest = Taken(message.digest(Hash::Sha512)?);
                Ed25519Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehashed_strict(digest, None, &signature).is_ok())
            }
            (Self::Rsa(key), Scheme::RsaPkcs1(hash)) => {
                let digest = message.digest(hash)?;
                let scheme = match hash {
                    Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(scheme, &digest, signature).is_ok()
            }
            (Self::Rsa(key), Scheme::RsaPss(hash)) => {
                let digest = message.digest(hash)?;
                match hash {
                    Hash::Sha256 => key.verify(pss::<Sha256>(), &digest, signature).is_ok(),
                    Hash::Sha384 => key.verify(pss::<Sha384>(), &digest, signature).is_ok(),
                    Hash::Sha512 => key.verify(pss::<Sha512>(), &digest, signature).is_ok(),
                }
            }
            _ => return Err(SignatureError::Mismatch),
        };
        if good { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

fn pss<D: Digest>() -> Pss<D> {
    Pss { blinded: false, digest: D::new(), salt_len: None }
}

/// A SHA-512 that was taken already: ed25519-dalek wants the hasher, of which it only asks the output.
#[derive(Default)]
struct Taken(Vec<u8>);

impl HashMarker for Taken {}

impl OutputSizeUser for Taken {
    type OutputSize = U64;
}

impl Update for Taken {
    fn update(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }
}

impl FixedOutput for Taken {
    fn finalize_into(self, out: &mut Output<Self>) {
        // SHA-512 has 64 bytes: `Message::digest` says so.
        out.copy_from_slice(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Key, oid, tlv};
    use super::*;

    const CONTENT: &[u8] = b"modanchor";

    macro_rules! data {
        ($name:literal) => {
            include_bytes!(concat!("../../tests/data/sigstore/keys/", $name))
        };
    }

    fn from_pem(bytes: &[u8]) -> Result<PublicKey, KeyError> {
        PublicKey::from_pem(str::from_utf8(bytes).expect("ASCII"))
    }

    #[test]
    fn every_scheme_verifies_its_own_and_nothing_else() {
        let ecdsa = [Hash::Sha256, Hash::Sha384, Hash::Sha512].map(Scheme::Ecdsa);
        let edwards = [Scheme::Ed25519, Scheme::Ed25519ph];
        for (kind, schemes) in
            [(Kind::P256, &ecdsa[..]), (Kind::P384, &ecdsa), (Kind::P521, &ecdsa), (Kind::Ed25519, &edwards)]
        {
            let key = Key::new(kind, 3);
            let (public, other) = (key.public(), Key::new(kind, 4).public());
            for scheme in schemes {
                let signature = key.sign_with(*scheme, CONTENT);
                let message = Message::Bytes(CONTENT);
                assert_eq!(public.verify(*scheme, message, &signature), Ok(()), "{kind:?} {scheme:?}");
                let digests = Digests::of(CONTENT);
                let by_digest = public.verify(*scheme, Message::Digests(&digests), &signature);
                let expected = if *scheme == Scheme::Ed25519 { Err(SignatureError::NeedsContent) } else { Ok(()) };
                assert_eq!(by_digest, expected, "{kind:?} {scheme:?}");
                let invalid = Err(SignatureError::Invalid);
                assert_eq!(other.verify(*scheme, message, &signature), invalid, "{kind:?} {scheme:?}");
                assert_eq!(
                    public.verify(*scheme, Message::Bytes(b"Modanchor"), &signature),
                    invalid,
                    "{kind:?} {scheme:?}"
                );
                for another in schemes.iter().filter(|another| *another != scheme) {
                    assert_eq!(
                        public.verify(*another, message, &signature),
                        invalid,
                        "{kind:?} {scheme:?} as {another:?}"
                    );
                }
                for wrong in [Scheme::RsaPkcs1(Hash::Sha256), Scheme::RsaPss(Hash::Sha256)] {
                    assert_eq!(public.verify(wrong, message, &signature), Err(SignatureError::Mismatch));
                }
                // One encoding only: no byte more, none less.
                let longer = [&signature[..], &[0]].concat();
                assert_eq!(public.verify(*scheme, message, &longer), invalid, "{kind:?} {scheme:?}");
                assert_eq!(public.verify(*scheme, message, &signature[1..]), invalid, "{kind:?} {scheme:?}");
                assert_eq!(public.verify(*scheme, message, &[]), invalid, "{kind:?} {scheme:?}");
            }
        }
    }

    #[test]
    fn openssl_signs_the_same() {
        let rsa = from_pem(data!("rsa.pub")).expect("RSA");
        let p521 = from_pem(data!("p521.pub")).expect("P-521");
        let digests = Digests::of(CONTENT);
        for (key, scheme, signature) in [
            (&rsa, Scheme::RsaPkcs1(Hash::Sha256), &data!("rsa-pkcs1-sha256.sig")[..]),
            (&rsa, Scheme::RsaPss(Hash::Sha384), data!("rsa-pss-sha384.sig")),
            (&p521, Scheme::Ecdsa(Hash::Sha256), data!("p521-sha256.sig")),
        ] {
            assert_eq!(key.verify(scheme, Message::Bytes(CONTENT), signature), Ok(()), "{scheme:?}");
            assert_eq!(key.verify(scheme, Message::Digests(&digests), signature), Ok(()), "{scheme:?}");
            for at in 0..signature.len() {
                let mut flipped = signature.to_vec();
                flipped[at] ^= 0x10;
                assert_eq!(
                    key.verify(scheme, Message::Digests(&digests), &flipped),
                    Err(SignatureError::Invalid),
                    "{at}"
                );
            }
        }
        // A scheme of the key's, and another than the signature's.
        let signature = data!("rsa-pkcs1-sha256.sig");
        for scheme in [Scheme::RsaPkcs1(Hash::Sha384), Scheme::RsaPkcs1(Hash::Sha512), Scheme::RsaPss(Hash::Sha256)] {
            assert_eq!(rsa.verify(scheme, Message::Bytes(CONTENT), signature), Err(SignatureError::Invalid));
        }
        assert_eq!(rsa.verify(Scheme::Ed25519, Message::Bytes(CONTENT), signature), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_key_is_the_same_however_it_is_written() {
        let spki = from_pem(data!("rsa.pub")).expect("SPKI");
        let pkcs1 = from_pem(data!("rsa.pkcs1.pub")).expect("PKCS#1");
        assert_eq!(spki, pkcs1);
        assert_eq!(spki.id(), pkcs1.id());
        let key = Key::new(Kind::P256, 3);
        assert_eq!(from_pem(key.pem().as_bytes()), Ok(key.public()));
        assert_eq!(from_pem(key.pem().replace('\n', "\r\n").as_bytes()), Ok(key.public()));
    }

    #[test]
    fn a_key_is_known_by_all_of_its_bytes() {
        let key = Key::new(Kind::P384, 3).public();
        let point = &key.spki()[key.spki().len() - 97..];
        assert!(key.is(Kind::P384, point));
        assert!(!key.is(Kind::P256, point));
        assert!(!key.is(Kind::P384, &point[1..]));
        assert!(!key.is(Kind::P384, &[]));
        assert!(!key.is(Kind::P384, key.spki()));
        assert!(!key.is(Kind::P384, &Key::new(Kind::P384, 4).public().spki()[key.bits..]));
        let rsa = from_pem(data!("rsa.pkcs1.pub")).expect("PKCS#1");
        let pem = pem::parse(data!("rsa.pkcs1.pub")).expect("PEM");
        assert!(rsa.is(Kind::Rsa, pem.contents()));
    }

    #[test]
    fn keys_that_are_none() {
        let algorithm = tlv(0x30, &[&oid("1.2.840.10045.2.1"), &oid("1.2.840.10045.3.1.7")]);
        let spki = |algorithm: &[u8], bits: &[u8]| tlv(0x30, &[algorithm, &tlv(0x03, &[&[0], bits])]);
        let good = Key::new(Kind::P256, 3).spki();
        let mut off_curve = good.clone();
        *off_curve.last_mut().expect("bytes") ^= 1;
        for (key, error) in [
            (vec![], KeyError::Malformed),
            ([&good[..], &[0]].concat(), KeyError::Malformed),
            (good[..good.len() - 1].to_vec(), KeyError::Malformed),
            (off_curve, KeyError::Point),
            (spki(&algorithm, &[]), KeyError::Point),
            (spki(&algorithm, &[4]), KeyError::Point),
            // The point at infinity.
            (spki(&algorithm, &[0]), KeyError::Point),
            (spki(&tlv(0x30, &[&oid("1.2.840.10045.2.1")]), &[4]), KeyError::Algorithm),
            (spki(&tlv(0x30, &[&oid("1.3.101.112")]), &[1; 31]), KeyError::Point),
            (spki(&tlv(0x30, &[&oid("1.3.101.112"), &oid("1.3.101.112")]), &[1; 32]), KeyError::Algorithm),
            // Ed448.
            (spki(&tlv(0x30, &[&oid("1.3.101.113")]), &[1; 57]), KeyError::Algorithm),
            (spki(&tlv(0x30, &[&oid("1.2.840.113549.1.1.1"), &[5, 0]]), &[1; 57]), KeyError::Rsa),
            (vec![0; MAX_KEY + 1], KeyError::TooLong(MAX_KEY + 1)),
        ] {
            assert_eq!(PublicKey::from_spki(&key), Err(error), "{}", crate::hex::encode(&key[..key.len().min(99)]));
        }
        assert_eq!(PublicKey::from_pkcs1(&vec![0; MAX_KEY + 1]), Err(KeyError::TooLong(MAX_KEY + 1)));
        assert_eq!(from_pem(data!("rsa1024.pub")), Err(KeyError::RsaBits(1024)));
        assert_eq!(from_pem(data!("p256-compressed.pub")), Err(KeyError::Point));
        assert_eq!(from_pem(data!("secp256k1.pub")), Err(KeyError::Algorithm));
        let pem = Key::new(Kind::P256, 3).pem();
        assert_eq!(from_pem(b""), Err(KeyError::Pem));
        assert_eq!(from_pem(pem.repeat(2).as_bytes()), Err(KeyError::Pem));
        assert_eq!(from_pem(pem.replace("PUBLIC", "PRIVATE").as_bytes()), Err(KeyError::Label("PRIVATE KEY".into())));
    }

    #[test]
    fn ed25519_takes_no_point_of_small_order() {
        // The neutral element as key and as R, with S = 0: verifies for every content by the lax rule.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let spki = tlv(0x30, &[&tlv(0x30, &[&oid("1.3.101.112")]), &tlv(0x03, &[&[0], &neutral])]);
        let key = PublicKey::from_spki(&spki).expect("a point of the curve");
        let signature = [neutral, [0; 32]].concat();
        for scheme in [Scheme::Ed25519, Scheme::Ed25519ph] {
            assert_eq!(key.verify(scheme, Message::Bytes(CONTENT), &signature), Err(SignatureError::Invalid));
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        let key = Key::new(Kind::P384, 3);
        let only = Digests { sha256: Digests::of(CONTENT).sha256, ..Digests::default() };
        let verify = |signature: &[u8]| key.public().verify_for(Usage::Message, Message::Digests(&only), signature);
        // Old clients' SHA-256 is tried when the SHA-384 is unknown, and what could not be tried is said.
        assert_eq!(verify(&key.sign_with(Scheme::Ecdsa(Hash::Sha256), CONTENT)), Ok(Scheme::Ecdsa(Hash::Sha256)));
        assert_eq!(
            verify(&key.sign_with(Scheme::Ecdsa(Hash::Sha384), CONTENT)),
            Err(SignatureError::NeedsDigest("SHA-384"))
        );
        let key = Key::new(Kind::Ed25519, 3);
        let verify =
            |usage, scheme| key.public().verify_for(usage, Message::Bytes(CONTENT), &key.sign_with(scheme, CONTENT));
        assert_eq!(verify(Usage::Message, Scheme::Ed25519ph), Ok(Scheme::Ed25519ph));
        assert_eq!(verify(Usage::Message, Scheme::Ed25519), Err(SignatureError::Invalid));
        assert_eq!(verify(Usage::Envelope, Scheme::Ed25519), Ok(Scheme::Ed25519));
        assert_eq!(verify(Usage::Envelope, Scheme::Ed25519ph), Err(SignatureError::Invalid));
        assert_eq!(verify(Usage::KeyedMessage, Scheme::Ed25519), Ok(Scheme::Ed25519));
        assert_eq!(verify(Usage::KeyedMessage, Scheme::Ed25519ph), Ok(Scheme::Ed25519ph));
    }
}
