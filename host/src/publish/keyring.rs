//! The keys that this machine has, loaded when somebody asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::config::KeyPlace;
use super::keys::{KeyError, Passphrase, Signer};
use super::roles::Authority;
use super::source;

/// Asks for a passphrase.
pub type Ask = Box<dyn FnMut(&str) -> Result<Passphrase, KeyError>>;

/// Keys by identifier.
pub struct Keyring {
    places: BTreeMap<String, KeyPlace>,
    base: PathBuf,
    ask: Ask,
    loaded: BTreeMap<String, Box<dyn Signer>>,
    tried: BTreeSet<String>,
}

impl Keyring {
    /// Of the keys that a configuration names. Relative paths are relative to `base`.
    #[must_use]
    pub fn new(places: BTreeMap<String, KeyPlace>, base: &Path, ask: Ask) -> Self {
        Self { places, base: base.to_owned(), ask, loaded: BTreeMap::new(), tried: BTreeSet::new() }
    }

    /// Adds a key that is here.
    pub fn add(&mut self, signer: Box<dyn Signer>) {
        let id = signer.public().id();
        self.tried.insert(id.clone());
        self.loaded.insert(id, signer);
    }

    /// Loads those keys of `authority` that the configuration names. A file that is not there is no error: then the key lies
    /// elsewhere, and what it should sign will say who is missing.
    ///
    /// # Errors
    /// [`KeyError`]: a key that is there cannot be used, or is another one.
    pub fn load(&mut self, authority: &Authority) -> Result<(), KeyError> {
        for key in authority.keys.values() {
            let id = key.id();
            let Some(place) = self.places.get(&id) else { continue };
            if !self.tried.insert(id.clone()) {
                continue;
            }
            match source::of(&place.source, &self.base)?.signer(&mut self.ask) {
                Ok(signer) if signer.public().id() == id => _ = self.loaded.insert(id, signer),
                Ok(_) => return Err(KeyError::Other { name: place.name.clone(), place: place.source.clone() }),
                Err(KeyError::Variable(_)) => {}
                Err(KeyError::Io { source, .. }) if crate::files::is_absent(&source) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// All that are loaded.
    #[must_use]
    pub fn signers(&self) -> Vec<&dyn Signer> {
        self.loaded.values().map(AsRef::as_ref).collect()
    }
}
