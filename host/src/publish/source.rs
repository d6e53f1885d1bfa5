//! Where keys come from, by URI: `file:PATH` (or a path alone) and `env:NAME`.
//!
//! A [`KeySource`] gives a [`Signer`], which need not hold the key itself: a source for a token or a key service is one
//! more scheme here, and nothing else changes.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::keys::{KeyError, MAX_KEY_FILE, Passphrase, SecretKey, Signer};
use crate::files::{FileError, Regular};

/// The variable that holds the passphrase of key files.
pub const PASSPHRASE_VARIABLE: &str = "MODANCHOR_KEY_PASSPHRASE";

/// Asks for the passphrase of the key with this name.
pub type AskPassphrase<'a> = &'a mut dyn FnMut(&str) -> Result<Passphrase, KeyError>;

/// A place where a key can be had.
pub trait KeySource {
    /// Gets it. `passphrase` is asked if the key needs one.
    ///
    /// # Errors
    /// [`KeyError`].
    fn signer(&self, passphrase: AskPassphrase<'_>) -> Result<Box<dyn Signer>, KeyError>;
}

/// The source that a URI names. Relative paths are relative to `base`.
///
/// # Errors
/// [`KeyError::Source`].
pub fn of(uri: &str, base: &Path) -> Result<Box<dyn KeySource>, KeyError> {
    if let Some(name) = uri.strip_prefix("env:") {
        return Ok(Box::new(Variable(name.to_owned())));
    }
    let path = match uri.strip_prefix("file:") {
        Some(path) => path,
        // A Windows drive is one letter.
        None if uri.split_once(':').is_some_and(|(scheme, _)| scheme.len() > 1) => {
            return Err(KeyError::Source(uri.to_owned()));
        }
        None => uri,
    };
    Ok(Box::new(File(base.join(path))))
}

/// A PEM file.
struct File(PathBuf);

impl KeySource for File {
    fn signer(&self, passphrase: AskPassphrase<'_>) -> Result<Box<dyn Signer>, KeyError> {
        let pem = read_text(&self.0)?;
        Ok(Box::new(SecretKey::from_pem(&self.0.display().to_string(), &pem, passphrase)?))
    }
}

/// A variable of the environment that holds PEM: for CI services, which hand secrets over so.
struct Variable(String);

impl KeySource for Variable {
    fn signer(&self, passphrase: AskPassphrase<'_>) -> Result<Box<dyn Signer>, KeyError> {
        let pem = std::env::var(&self.0).map_err(|_| KeyError::Variable(self.0.clone()))?;
        let pem = Zeroizing::new(pem);
        Ok(Box::new(SecretKey::from_pem(&self.0, &pem, passphrase)?))
    }
}

/// A small text file; wiped from memory when it is dropped.
///
/// # Errors
/// [`KeyError::Io`], [`KeyError::TooLarge`]; [`KeyError::NotPrivate`] if it is no text.
pub fn read_text(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let failed = |error| match error {
        FileError::TooLarge { .. } => KeyError::TooLarge(path.display().to_string()),
        FileError::Io(source) => KeyError::Io { action: "read", path: path.to_owned(), source },
        other => KeyError::Io { action: "read", path: path.to_owned(), source: std::io::Error::other(other) },
    };
    let bytes = Regular::open(path).and_then(|file| file.read(MAX_KEY_FILE)).map_err(failed)?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(_) => Err(KeyError::NotPrivate(path.display().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys::{Kind, write_secret};
    use super::*;

    #[test]
    fn sources_by_uri() {
        let dir = tempfile::tempdir().unwrap();
        let key = SecretKey::generate(Kind::Ed25519).unwrap();
        write_secret(&dir.path().join("k.pem"), &key.to_pem(None).unwrap()).unwrap();
        let mut ask = |name: &str| Err(KeyError::NeedsPassphrase(name.to_owned()));
        for uri in ["k.pem", "file:k.pem"] {
            let signer = of(uri, dir.path()).unwrap().signer(&mut ask).unwrap();
            assert_eq!(signer.public(), key.public(), "{uri}");
        }
        for uri in ["awskms:///alias/x", "http://example.com/k.pem", "pkcs11:x"] {
            assert!(matches!(of(uri, dir.path()), Err(KeyError::Source(_))), "{uri}");
        }
        let unset = of("env:MODANCHOR_TEST_NO_SUCH_KEY", dir.path()).unwrap().signer(&mut ask);
        assert!(matches!(unset, Err(KeyError::Variable(_))));
        let absent = of("absent.pem", dir.path()).unwrap().signer(&mut ask);
        assert!(matches!(absent, Err(KeyError::Io { .. })));
    }

    #[test]
    fn a_huge_key_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("k.pem");
        std::fs::write(&path, vec![b'x'; MAX_KEY_FILE as usize]).unwrap();
        assert!(read_text(&path).is_ok());
        std::fs::write(&path, vec![b'x'; MAX_KEY_FILE as usize + 1]).unwrap();
        assert!(matches!(read_text(&path), Err(KeyError::TooLarge(_))));
    }
}
