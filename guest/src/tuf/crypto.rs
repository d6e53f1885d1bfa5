//! The signature schemes of TUF for sigstore-crypto, which wants a provider: those of [`crate::sigstore::key`].

use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme};
use sigstore_types::HashAlgorithm;

use crate::sigstore::key::{Digests, Hash, Kind, Message, PublicKey, Scheme};

#[derive(Debug)]
struct Provider;

/// Makes sigstore-crypto use this provider. Doing it again changes nothing.
pub fn install() {
    // An error says that there is one already: this one, as nobody else in this program installs any.
    let _ = sigstore_crypto::install_default_provider(&Provider);
}

struct Hasher<D>(D);

impl<D: Digest + Send> HashContext for Hasher<D> {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finalize().to_vec()
    }
}

impl CryptoProvider for Provider {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        Ok(match algorithm {
            HashAlgorithm::Sha2256 => Box::new(Hasher(Sha256::new())),
            HashAlgorithm::Sha2384 => Box::new(Hasher(Sha384::new())),
            HashAlgorithm::Sha2512 => Box::new(Hasher(Sha512::new())),
            other => return Err(Error::UnsupportedAlgorithm(format!("{other:?}"))),
        })
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        verify(scheme, key, Message::Bytes(data), signature)
    }

    fn verify_prehashed(&self, scheme: SigningScheme, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<()> {
        // Only the digest of the scheme's own hash function is asked for: the others stay unknown.
        let mut digests = Digests::default();
        match scheme.hash_algorithm() {
            Some(HashAlgorithm::Sha2256) => digests.sha256 = digest.try_into().ok(),
            Some(HashAlgorithm::Sha2384) => digests.sha384 = digest.try_into().ok(),
            Some(HashAlgorithm::Sha2512) => digests.sha512 = digest.try_into().ok(),
            _ => {}
        }
        verify(scheme, key, Message::Digests(&digests), signature)
    }
}

fn verify(scheme: SigningScheme, key: &[u8], message: Message<'_>, signature: &[u8]) -> Result<()> {
    let (kind, ours) = match scheme {
        SigningScheme::EcdsaP256Sha256 => (Kind::P256, Scheme::Ecdsa(Hash::Sha256)),
        SigningScheme::EcdsaP256Sha384 => (Kind::P256, Scheme::Ecdsa(Hash::Sha384)),
        SigningScheme::EcdsaP384Sha256 => (Kind::P384, Scheme::Ecdsa(Hash::Sha256)),
        SigningScheme::EcdsaP384Sha384 => (Kind::P384, Scheme::Ecdsa(Hash::Sha384)),
        SigningScheme::Ed25519 => (Kind::Ed25519, Scheme::Ed25519),
        SigningScheme::RsaPssSha256 => (Kind::Rsa, Scheme::RsaPss(Hash::Sha256)),
        SigningScheme::RsaPssSha384 => (Kind::Rsa, Scheme::RsaPss(Hash::Sha384)),
        SigningScheme::RsaPssSha512 => (Kind::Rsa, Scheme::RsaPss(Hash::Sha512)),
        SigningScheme::RsaPkcs1Sha256 => (Kind::Rsa, Scheme::RsaPkcs1(Hash::Sha256)),
        SigningScheme::RsaPkcs1Sha384 => (Kind::Rsa, Scheme::RsaPkcs1(Hash::Sha384)),
        SigningScheme::RsaPkcs1Sha512 => (Kind::Rsa, Scheme::RsaPkcs1(Hash::Sha512)),
        other => return Err(Error::UnsupportedAlgorithm(other.name().to_owned())),
    };
    PublicKey::verify_raw(kind, key, ours, message, signature)
        .map_err(|_| Error::Verification(format!("{} signature invalid", scheme.name())))
}
