//! Keys: made, read from and written to PKCS#8 files, signing and checking signatures.
//!
//! Three kinds, those that every TUF client knows: Ed25519 (the default: small, deterministic), ECDSA on P-256 with
//! SHA-256 (what most hardware and cloud services have) and RSASSA-PSS with SHA-256 on 3072 bits. A key's identifier and
//! its public form are those of securesystemslib ([`Key::id`]), so that python-tuf and go-tuf read what is published.
//!
//! # Security
//! - A secret key is on disk as PKCS#8 PEM with mode 0600, encrypted (scrypt, AES-256-CBC; RFC 8018) unless the caller says
//!   otherwise in so many words. A file that is there is never overwritten.
//! - Neither keys nor passphrases have a `Debug` that shows them, and both are wiped when they are dropped, as far as
//!   the libraries go.
//! - Signing with RSA is blinded. `rsa` has a known timing weakness in decryption (RUSTSEC-2023-0071); here it signs what
//!   the owner of the key wants signed, on the owner's machine.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use getrandom::SysRng;
use modanchor_core::hex;
use modanchor_core::tuf::metadata::{Key, KeyValue};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::pkcs8::{DecodePublicKey as _, EncodePublicKey as _, LineEnding};
use pkcs8::der::pem::PemLabel as _;
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef, SecretDocument};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::traits::PublicKeyParts as _;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// The bits of a new RSA key: 128 bits of strength (NIST SP 800-57 part 1, table 2).
pub const RSA_BITS: usize = 3072;
/// The fewest bits of an RSA key that is imported.
pub const MIN_RSA_BITS: usize = 2048;
/// The most bytes of a file with a key.
pub const MAX_KEY_FILE: u64 = 64 << 10;
/// The most characters of a key's name.
pub const MAX_NAME: usize = 64;
/// The field of a public key that holds its name. It is no part of the key's identifier.
pub const NAME_FIELD: &str = "x-modanchor-name";

/// A passphrase, wiped when it is dropped.
pub type Passphrase = Zeroizing<String>;

/// Why a key cannot be made, read, written or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// A file.
    #[error("{}: cannot {action}: {source}", .path.display())]
    Io {
        /// What could not be done.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Its error.
        source: io::Error,
    },
    /// A file that is there is never overwritten: with it a key could be lost.
    #[error("{}: a file of that name is there; a key is never overwritten", .0.display())]
    Exists(PathBuf),
    /// More bytes than any key has.
    #[error("{0}: larger than {MAX_KEY_FILE} bytes: not a key")]
    TooLarge(String),
    /// No PEM that is known.
    #[error("{0}: not a private key: expected PEM of PKCS#8, SEC 1 (EC) or PKCS#1 (RSA)")]
    NotPrivate(String),
    /// No public key that is known.
    #[error("{0}: not a public key: expected PEM, or what `modanchor repo key show --format json` prints")]
    NotPublic(String),
    /// Of another kind.
    #[error("{0}: neither Ed25519, nor ECDSA on P-256, nor RSA of {MIN_RSA_BITS} bits or more")]
    Unsupported(String),
    /// Encrypted, and nobody gave a passphrase.
    #[error(
        "{0}: is encrypted; give its passphrase with --passphrase-file, in MODANCHOR_KEY_PASSPHRASE, or at a terminal"
    )]
    NeedsPassphrase(String),
    /// Wrong passphrase, or a damaged file.
    #[error("{0}: cannot be decrypted: wrong passphrase, or damaged")]
    Passphrase(String),
    /// No way to get a key.
    #[error("{0:?}: no such source of keys; there are: file:PATH (or a path alone), env:NAME")]
    Source(String),
    /// The variable is not set.
    #[error("{0}: not set in the environment")]
    Variable(String),
    /// The configuration says that another key is there.
    #[error("{name}: what {place} holds is another key")]
    Other {
        /// What the key is called.
        name: String,
        /// Where it should be.
        place: String,
    },
    /// Not a name.
    #[error("{0:?}: not a name of a key: expected 1 to {MAX_NAME} letters, digits, `-`, `_` or `.`")]
    Name(String),
    /// The system's random numbers, or the library.
    #[error("cannot {0}: {1}")]
    Library(&'static str, String),
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `rsassa-pss-sha256`
    RsaPss,
}

impl Kind {
    /// TUF's `keytype`.
    #[must_use]
    pub fn keytype(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa",
            Self::RsaPss => "rsa",
        }
    }

    /// TUF's `scheme`.
    #[must_use]
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-sha2-nistp256",
            Self::RsaPss => "rsassa-pss-sha256",
        }
    }
}

/// What a key is called, for people: letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(fits) {
            return Err(KeyError::Name(text.to_owned()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

/// What signs: a key in memory, and with other sources one in a device or at a service.
pub trait Signer: Send + Sync {
    /// Its public half.
    fn public(&self) -> &Key;

    /// A signature over `message`, in the form that TUF's scheme has (Ed25519: 64 bytes; ECDSA: DER; RSA: as long as the
    /// modulus).
    ///
    /// # Errors
    /// [`KeyError::Library`].
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// A secret key, in memory.
pub struct SecretKey {
    secret: Secret,
    public: Key,
}

enum Secret {
    Ed25519(Box<ed25519_dalek::SigningKey>),
    EcdsaP256(Box<p256::ecdsa::SigningKey>),
    RsaPss(Box<rsa::PrivateKey>),
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SecretKey").field("public", &self.public).finish_non_exhaustive()
    }
}

fn library<E: fmt::Display>(action: &'static str) -> impl FnOnce(E) -> KeyError {
    move |error| KeyError::Library(action, error.to_string())
}

impl SecretKey {
    /// A new one, from the system's random numbers.
    ///
    /// # Errors
    /// [`KeyError::Library`]: there are none.
    pub fn generate(kind: Kind) -> Result<Self, KeyError> {
        let failed = "make a key";
        let secret = match kind {
            Kind::Ed25519 => {
                let mut seed = Zeroizing::new([0; 32]);
                getrandom::fill(seed.as_mut()).map_err(library(failed))?;
                Secret::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&seed)))
            }
            Kind::EcdsaP256 => loop {
                let mut scalar = Zeroizing::new([0; 32]);
                getrandom::fill(scalar.as_mut()).map_err(library(failed))?;
                // One in 2^32 is not below the order of the curve.
                if let Ok(key) = p256::ecdsa::SigningKey::from_slice(scalar.as_ref()) {
                    break Secret::EcdsaP256(Box::new(key));
                }
            },
            Kind::RsaPss => {
                Secret::RsaPss(Box::new(rsa::PrivateKey::new(&mut SysRng, RSA_BITS).map_err(library(failed))?))
            }
        };
        Self::new(secret)
    }

    fn new(secret: Secret) -> Result<Self, KeyError> {
        let failed = "write a public key";
        let (kind, public) = match &secret {
            Secret::Ed25519(key) => (Kind::Ed25519, hex::encode(key.verifying_key().as_bytes())),
            Secret::EcdsaP256(key) => (
                Kind::EcdsaP256,
                key.verifying_key().to_public_key_pem(LineEnding::LF).map_err(library::<pkcs8::spki::Error>(failed))?,
            ),
            Secret::RsaPss(key) => (
                Kind::RsaPss,
                key.as_ref()
                    .as_ref()
                    .to_public_key_pem(LineEnding::LF)
                    .map_err(library::<pkcs8::spki::Error>(failed))?,
            ),
        };
        Ok(Self { secret, public: public_key(kind, public) })
    }

    /// Reads PEM: PKCS#8, encrypted or not, SEC 1 or PKCS#1. `name` is for messages; `passphrase` is asked only if the key is
    /// encrypted.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_pem(
        name: &str,
        pem: &str,
        passphrase: &mut dyn FnMut(&str) -> Result<Passphrase, KeyError>,
    ) -> Result<Self, KeyError> {
        let not = || KeyError::NotPrivate(name.to_owned());
        let label = pem.lines().find_map(|line| line.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----"));
        match label.ok_or_else(not)? {
            label if label == EncryptedPrivateKeyInfoRef::PEM_LABEL => {
                let (_, document) = SecretDocument::from_pem(pem).map_err(|_| not())?;
                let info = EncryptedPrivateKeyInfoRef::try_from(document.as_bytes()).map_err(|_| not())?;
                let passphrase = passphrase(name)?;
                let wrong = |_| KeyError::Passphrase(name.to_owned());
                let document = info.decrypt(passphrase.as_bytes()).map_err(wrong)?;
                Self::from_pkcs8(name, document.as_bytes())
            }
            label if label == PrivateKeyInfoRef::PEM_LABEL => {
                let (_, document) = SecretDocument::from_pem(pem).map_err(|_| not())?;
                Self::from_pkcs8(name, document.as_bytes())
            }
            "EC PRIVATE KEY" => {
                let key = p256::SecretKey::from_sec1_pem(pem).map_err(|_| KeyError::Unsupported(name.to_owned()))?;
                Self::new(Secret::EcdsaP256(Box::new(key.into())))
            }
            "RSA PRIVATE KEY" => {
                let key = rsa::PrivateKey::from_pkcs1_pem(pem).map_err(|_| not())?;
                Self::rsa(name, key)
            }
            _ => Err(not()),
        }
    }

    fn from_pkcs8(name: &str, der: &[u8]) -> Result<Self, KeyError> {
        let secret = if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            Secret::Ed25519(Box::new(key))
        } else if let Ok(key) = p256::ecdsa::SigningKey::from_pkcs8_der(der) {
            Secret::EcdsaP256(Box::new(key))
        } else if let Ok(key) = rsa::PrivateKey::from_pkcs8_der(der) {
            return Self::rsa(name, key);
        } else {
            return Err(KeyError::Unsupported(name.to_owned()));
        };
        Self::new(secret)
    }

    fn rsa(name: &str, key: rsa::PrivateKey) -> Result<Self, KeyError> {
        let public: &rsa::PublicKey = key.as_ref();
        if (public.n().bit_width() as usize) < MIN_RSA_BITS {
            return Err(KeyError::Unsupported(name.to_owned()));
        }
        Self::new(Secret::RsaPss(Box::new(key)))
    }

    /// As PKCS#8 PEM, encrypted if there is a passphrase.
    ///
    /// # Errors
    /// [`KeyError::Library`].
    pub fn to_pem(&self, passphrase: Option<&Passphrase>) -> Result<Zeroizing<String>, KeyError> {
        let failed = "write a key";
        let document = match &self.secret {
            // Without the public half, as OpenSSL writes it and every version of it reads it.
            Secret::Ed25519(key) => {
                KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_der().map_err(library(failed))?
            }
            Secret::EcdsaP256(key) => key.to_pkcs8_der().map_err(library(failed))?,
            Secret::RsaPss(key) => key.to_pkcs8_der().map_err(library(failed))?,
        };
        let Some(passphrase) = passphrase else {
            return document.to_pem(PrivateKeyInfoRef::PEM_LABEL, LineEnding::LF).map_err(library(failed));
        };
        let info = PrivateKeyInfoRef::try_from(document.as_bytes()).map_err(library(failed))?;
        let encrypted = info.encrypt(passphrase.as_bytes()).map_err(library(failed))?;
        encrypted.to_pem(EncryptedPrivateKeyInfoRef::PEM_LABEL, LineEnding::LF).map_err(library(failed))
    }

    /// Gives it the name that others read beside the public key.
    #[must_use]
    pub fn named(mut self, name: &KeyName) -> Self {
        self.public.extra.insert(NAME_FIELD.to_owned(), Value::String(name.to_string()));
        self
    }

    /// Its public half.
    #[must_use]
    pub fn public(&self) -> &Key {
        &self.public
    }
}

impl Signer for SecretKey {
    fn public(&self) -> &Key {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = "sign";
        match &self.secret {
            Secret::Ed25519(key) => Ok(key.sign(message).to_bytes().to_vec()),
            Secret::EcdsaP256(key) => {
                let signature: p256::ecdsa::Signature = key.try_sign(message).map_err(library(failed))?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Secret::RsaPss(key) => key.pss_sign::<sha2::Sha256>(message).map_err(library(failed)),
        }
    }
}

fn public_key(kind: Kind, public: String) -> Key {
    Key {
        keytype: kind.keytype().to_owned(),
        scheme: kind.scheme().to_owned(),
        keyval: KeyValue { public, extra: Map::new() },
        extra: Map::new(),
    }
}

/// Reads a public key: PEM of a SubjectPublicKeyInfo, or a key in TUF's own JSON. `name` is for messages.
///
/// # Errors
/// [`KeyError`].
pub fn read_public(name: &str, text: &str) -> Result<Key, KeyError> {
    if text.trim_start().starts_with('{') {
        let key: Key = serde_json::from_str(text).map_err(|_| KeyError::NotPublic(name.to_owned()))?;
        return if Verifier::of(&key).is_some() { Ok(key) } else { Err(KeyError::Unsupported(name.to_owned())) };
    }
    if !text.contains("-----BEGIN PUBLIC KEY-----") {
        return Err(KeyError::NotPublic(name.to_owned()));
    }
    let failed = "write a public key";
    if let Ok(key) = ed25519_dalek::VerifyingKey::from_public_key_pem(text) {
        return Ok(public_key(Kind::Ed25519, hex::encode(key.as_bytes())));
    }
    if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_pem(text) {
        let pem = key.to_public_key_pem(LineEnding::LF).map_err(library(failed))?;
        return Ok(public_key(Kind::EcdsaP256, pem));
    }
    match rsa::PublicKey::from_public_key_pem(text) {
        Ok(key) if key.n().bit_width() as usize >= MIN_RSA_BITS => {
            let pem = key.to_public_key_pem(LineEnding::LF).map_err(library(failed))?;
            Ok(public_key(Kind::RsaPss, pem))
        }
        _ => Err(KeyError::Unsupported(name.to_owned())),
    }
}

/// What checks the signatures of one public key.
#[derive(Debug)]
pub struct Verifier(Public);

#[derive(Debug)]
enum Public {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(p256::ecdsa::VerifyingKey),
    RsaPss(rsa::PublicKey),
}

impl Verifier {
    /// None: a key of a kind that is not known, or none at all; it counts for nobody.
    #[must_use]
    pub fn of(key: &Key) -> Option<Self> {
        let public = key.keyval.public.as_str();
        Some(Self(match (key.keytype.as_str(), key.scheme.as_str()) {
            ("ed25519", "ed25519") => {
                let bytes: [u8; 32] = hex::decode(public)?.try_into().ok()?;
                Public::Ed25519(ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok()?)
            }
            ("ecdsa" | "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256") => {
                Public::EcdsaP256(p256::ecdsa::VerifyingKey::from_public_key_pem(public).ok()?)
            }
            ("rsa", "rsassa-pss-sha256") => Public::RsaPss(rsa::PublicKey::from_public_key_pem(public).ok()?),
            _ => return None,
        }))
    }

    /// Whether `signature`, in hexadecimal, is one over `message`.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &str) -> bool {
        let Some(signature) = hex::decode(signature) else { return false };
        match &self.0 {
            Public::Ed25519(key) => ed25519_dalek::Signature::from_slice(&signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Public::EcdsaP256(key) => p256::ecdsa::Signature::from_der(&signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            Public::RsaPss(key) => {
                let key = rsa::pss::VerifyingKey::<sha2::Sha256>::new(key.clone());
                rsa::pss::Signature::try_from(signature.as_slice())
                    .is_ok_and(|signature| key.verify(message, &signature).is_ok())
            }
        }
    }
}

/// Writes a secret key into a new file that only its owner can read.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`].
pub fn write_secret(path: &Path, pem: &str) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    write_new(path, &options, pem.as_bytes())
}

/// Writes a file that must not be there.
///
/// # Errors
/// [`KeyError::Exists`], [`KeyError::Io`].
pub fn write_public(path: &Path, content: &[u8]) -> Result<(), KeyError> {
    write_new(path, OpenOptions::new().write(true).create_new(true), content)
}

fn write_new(path: &Path, options: &OpenOptions, content: &[u8]) -> Result<(), KeyError> {
    let failed = |action| move |source| KeyError::Io { action, path: path.to_owned(), source };
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(KeyError::Exists(path.to_owned())),
        Err(error) => return Err(failed("make")(error)),
    };
    file.write_all(content).and_then(|()| file.sync_all()).map_err(|error| {
        // Half a key is none, and would be in the way.
        let _ = std::fs::remove_file(path);
        failed("write")(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Result<Passphrase, KeyError> {
        panic!("asked for a passphrase")
    }

    fn phrase(text: &str) -> impl FnMut(&str) -> Result<Passphrase, KeyError> {
        let text = text.to_owned();
        move |_| Ok(Zeroizing::new(text.clone()))
    }

    #[test]
    fn every_kind_signs_and_travels() {
        for kind in [Kind::Ed25519, Kind::EcdsaP256, Kind::RsaPss] {
            let key = SecretKey::generate(kind).unwrap();
            assert_eq!((key.public().keytype.as_str(), key.public().scheme.as_str()), (kind.keytype(), kind.scheme()));
            let verifier = Verifier::of(key.public()).unwrap();
            let signature = hex::encode(&key.sign(b"message").unwrap());
            assert!(verifier.verify(b"message", &signature), "{kind:?}");
            assert!(!verifier.verify(b"massage", &signature), "{kind:?}");
            for bad in ["", "00", "zz", &signature[2..]] {
                assert!(!verifier.verify(b"message", bad), "{kind:?} {bad}");
            }
            let plain = key.to_pem(None).unwrap();
            assert!(plain.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{kind:?}");
            assert_eq!(SecretKey::from_pem("k", &plain, &mut none).unwrap().public(), key.public());
            let encrypted = key.to_pem(Some(&Zeroizing::new("open sesame".to_owned()))).unwrap();
            assert!(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"), "{kind:?}");
            let back = SecretKey::from_pem("k", &encrypted, &mut phrase("open sesame")).unwrap();
            assert_eq!(back.public(), key.public());
            let wrong = SecretKey::from_pem("k", &encrypted, &mut phrase("open")).unwrap_err();
            assert!(matches!(wrong, KeyError::Passphrase(_)), "{wrong}");
        }
    }

    #[test]
    fn a_name_is_no_part_of_the_identifier() {
        let key = SecretKey::generate(Kind::Ed25519).unwrap();
        let id = key.public().id();
        let key = key.named(&"alice".parse().unwrap());
        assert_eq!(key.public().id(), id);
        let json = serde_json::to_string(key.public()).unwrap();
        assert_eq!(&read_public("k", &json).unwrap(), key.public());
    }

    #[test]
    fn public_keys_are_read_from_pem() {
        for kind in [Kind::EcdsaP256, Kind::RsaPss] {
            let key = SecretKey::generate(kind).unwrap();
            assert_eq!(&read_public("k", &key.public().keyval.public).unwrap(), key.public());
        }
        let ed25519 = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        let key = read_public("k", ed25519).unwrap();
        assert_eq!(key.keyval.public, "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
    }

    #[test]
    fn keys_of_openssl_are_read() {
        // openssl genpkey -algorithm ed25519 (RFC 8410, section 10.3).
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let key = SecretKey::from_pem("k", pem, &mut none).unwrap();
        assert_eq!(key.public().keyval.public, "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1");
        assert_eq!(key.to_pem(None).unwrap().as_str(), pem);
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in
            ["", "x", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", "-----BEGIN CERTIFICATE-----\n"]
        {
            assert!(SecretKey::from_pem("k", text, &mut none).is_err(), "{text}");
            assert!(read_public("k", text).is_err(), "{text}");
        }
        for json in ["{}", r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"00"}}"#] {
            assert!(read_public("k", json).is_err(), "{json}");
        }
        for name in ["", "a b", "ä", &"x".repeat(MAX_NAME + 1)] {
            assert!(name.parse::<KeyName>().is_err(), "{name}");
        }
        assert!("x".repeat(MAX_NAME).parse::<KeyName>().is_ok());
    }

    #[test]
    fn a_secret_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.pem");
        write_secret(&path, "secret").unwrap();
        assert!(matches!(write_secret(&path, "other"), Err(KeyError::Exists(_))));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_secret_key_does_not_show_itself() {
        let key = SecretKey::generate(Kind::Ed25519).unwrap();
        let Secret::Ed25519(secret) = &key.secret else { panic!() };
        let shown = format!("{key:?}");
        assert!(!shown.contains(&hex::encode(&secret.to_bytes())) && shown.contains(&key.public().keyval.public));
    }
}
