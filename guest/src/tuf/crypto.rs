//! The signature schemes of TUF and Sigstore in pure Rust, for sigstore-crypto, which wants a provider.
//!
//! Verification only, and every input of it is public, so nothing here needs to take constant time. `rsa` is used for
//! verification alone: RUSTSEC-2023-0071 is about private keys.

use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey as Ed25519Key};
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use rsa::pkcs1::DecodeRsaPublicKey as _;
use rsa::{Pkcs1v15Sign, Pss, PublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use sigstore_crypto::{CryptoProvider, Error, HashContext, Result, SigningScheme};
use sigstore_types::HashAlgorithm;

#[derive(Debug)]
struct Provider;

/// Makes sigstore-crypto use this provider. Doing it again changes nothing.
pub fn install() {
    // An error says that there is one already: this one, as nobody else in this program installs any.
    let _ = sigstore_crypto::install_default_provider(&Provider);
}

struct Hash<D>(D);

impl<D: Digest + Send> HashContext for Hash<D> {
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
            HashAlgorithm::Sha2256 => Box::new(Hash(Sha256::new())),
            HashAlgorithm::Sha2384 => Box::new(Hash(Sha384::new())),
            HashAlgorithm::Sha2512 => Box::new(Hash(Sha512::new())),
            other => return Err(Error::UnsupportedAlgorithm(format!("{other:?}"))),
        })
    }

    fn verify_raw(&self, scheme: SigningScheme, key: &[u8], data: &[u8], signature: &[u8]) -> Result<()> {
        if scheme == SigningScheme::Ed25519 {
            let key: &[u8; 32] = key.try_into().map_err(|_| invalid(scheme))?;
            let key = Ed25519Key::from_bytes(key).map_err(|_| invalid(scheme))?;
            let signature = Ed25519Signature::from_slice(signature).map_err(|_| invalid(scheme))?;
            return key.verify_strict(data, &signature).map_err(|_| invalid(scheme));
        }
        let digest = match scheme.hash_algorithm() {
            Some(HashAlgorithm::Sha2256) => Sha256::digest(data).to_vec(),
            Some(HashAlgorithm::Sha2384) => Sha384::digest(data).to_vec(),
            Some(HashAlgorithm::Sha2512) => Sha512::digest(data).to_vec(),
            _ => return Err(unsupported(scheme)),
        };
        self.verify_prehashed(scheme, key, &digest, signature)
    }

    fn verify_prehashed(&self, scheme: SigningScheme, key: &[u8], digest: &[u8], signature: &[u8]) -> Result<()> {
        let good = match scheme {
            SigningScheme::EcdsaP256Sha256 | SigningScheme::EcdsaP256Sha384 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| invalid(scheme))?;
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| invalid(scheme))?;
                key.verify_prehash(digest, &signature).is_ok()
            }
            SigningScheme::EcdsaP384Sha256 | SigningScheme::EcdsaP384Sha384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| invalid(scheme))?;
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| invalid(scheme))?;
                key.verify_prehash(digest, &signature).is_ok()
            }
            SigningScheme::RsaPssSha256 => rsa_key(scheme, key)?.verify(pss::<Sha256>(), digest, signature).is_ok(),
            SigningScheme::RsaPssSha384 => rsa_key(scheme, key)?.verify(pss::<Sha384>(), digest, signature).is_ok(),
            SigningScheme::RsaPssSha512 => rsa_key(scheme, key)?.verify(pss::<Sha512>(), digest, signature).is_ok(),
            SigningScheme::RsaPkcs1Sha256 => {
                rsa_key(scheme, key)?.verify(Pkcs1v15Sign::new::<Sha256>(), digest, signature).is_ok()
            }
            SigningScheme::RsaPkcs1Sha384 => {
                rsa_key(scheme, key)?.verify(Pkcs1v15Sign::new::<Sha384>(), digest, signature).is_ok()
            }
            SigningScheme::RsaPkcs1Sha512 => {
                rsa_key(scheme, key)?.verify(Pkcs1v15Sign::new::<Sha512>(), digest, signature).is_ok()
            }
            _ => return Err(unsupported(scheme)),
        };
        if good { Ok(()) } else { Err(invalid(scheme)) }
    }
}

/// Any length of salt: producers differ (the digest's length, or as much as fits), and none makes a signature weaker to check.
fn pss<D: Digest>() -> Pss<D> {
    Pss { blinded: false, digest: D::new(), salt_len: None }
}

fn rsa_key(scheme: SigningScheme, key: &[u8]) -> Result<PublicKey> {
    PublicKey::from_pkcs1_der(key).map_err(|_| invalid(scheme))
}

fn invalid(scheme: SigningScheme) -> Error {
    Error::Verification(format!("{} signature invalid", scheme.name()))
}

fn unsupported(scheme: SigningScheme) -> Error {
    Error::UnsupportedAlgorithm(scheme.name().to_owned())
}
