//! The exports of the component: the session, hashing and rendering, behind the contract's resources and functions.

use std::cell::RefCell;

use crate::buildinfo::{self, BuildInfoError};
use crate::contract::generated::exports::modanchor::verifier::{hashing, render, verify};
use crate::contract::generated::modanchor::verifier::blob::{self, Blob};
use crate::contract::{
    BuildInfo, HashRefusal, HashingError, Job, Measured, ModuleRef, RenderError, Response, SarifOptions, Step,
};
use crate::dirhash::dir::{DirError, DirHasher};
use crate::dirhash::zip::{self, ZipError};
use crate::dirhash::{Manifest, ReadAt, ReadError, go_mod};
use crate::module::ModuleVersion;
use crate::report::{Places, sarif};
use crate::verify::Session;

struct Component;

/// The resource `verification`: one run.
struct Verification(RefCell<Session>);

impl verify::Guest for Component {
    type Verification = Verification;
}

impl verify::GuestVerification for Verification {
    fn new(job: Job) -> Self {
        Self(RefCell::new(Session::new(job)))
    }

    fn step(&self, answers: Vec<Response>) -> Step {
        self.0.borrow_mut().step(answers)
    }
}

/// The most that is asked of a blob at once, in bytes: as much as one answer may hold is not known to the core.
const MAX_READ: usize = 1 << 20;

/// A host's blob.
struct HostBlob<'a> {
    blob: &'a Blob,
    size: u64,
}

impl<'a> HostBlob<'a> {
    fn new(blob: &'a Blob) -> Self {
        Self { blob, size: blob.size() }
    }
}

impl ReadAt for HostBlob<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let mut at = offset;
        for part in buffer.chunks_mut(MAX_READ) {
            // No part is longer than MAX_READ.
            let read = self.blob.read_at(at, part.len() as u32).map_err(|error| match error {
                blob::ReadError::Failed => ReadError::Failed,
                blob::ReadError::Changed => ReadError::Changed,
            })?;
            if read.len() != part.len() {
                return Err(ReadError::Changed);
            }
            part.copy_from_slice(&read);
            at += part.len() as u64;
        }
        Ok(())
    }
}

/// The resource `folder`.
struct Folder(RefCell<Option<DirHasher>>);

impl hashing::GuestFolder for Folder {
    fn new(module: ModuleRef) -> Self {
        Self(RefCell::new(checked(&module).ok().map(|module| DirHasher::new(&module))))
    }

    fn add(&self, name: String, content: &Blob) -> Result<(), HashingError> {
        match &mut *self.0.borrow_mut() {
            Some(hasher) => hasher.push(name, &HostBlob::new(content)).map_err(HashingError::from),
            None => Err(no_module()),
        }
    }

    fn measured(&self, files: bool) -> Result<Measured, HashingError> {
        let hasher = self.0.borrow_mut().take().ok_or_else(no_module)?;
        Ok(measured(&hasher.finish(), files))
    }
}

impl hashing::Guest for Component {
    type Folder = Folder;

    fn h1_zip(zip: &Blob, rules: Option<ModuleRef>, files: bool) -> Result<Measured, HashingError> {
        let rules = rules.as_ref().map(checked).transpose()?;
        let manifest = zip::measure(&HostBlob::new(zip), rules.as_ref())?;
        Ok(measured(&manifest, files))
    }

    fn h1_mod(go_mod: &Blob) -> Result<Measured, HashingError> {
        measure_go_mod(&HostBlob::new(go_mod))
    }

    fn program(program: &Blob) -> Result<BuildInfo, HashingError> {
        let info = buildinfo::read(&HostBlob::new(program))?;
        Ok(BuildInfo { go_version: info.go_version, mod_info: info.text })
    }
}

impl render::Guest for Component {
    fn sarif(report: Vec<u8>, options: SarifOptions) -> Result<Vec<u8>, RenderError> {
        let report = serde_json::from_slice(&report).map_err(|_| RenderError::NotAReport)?;
        Ok(sarif::render(&report, &options.into()))
    }
}

impl From<SarifOptions> for sarif::Options {
    fn from(options: SarifOptions) -> Self {
        let links = options.links.into_iter().map(|link| (link.file, link.target)).collect();
        Self {
            category: options.category,
            places: Places::new(&options.prefix, links),
            // As many as fit a usize: no more than sarif::MAX_RESULTS are written.
            max_results: usize::try_from(options.max_results).unwrap_or(usize::MAX),
        }
    }
}

fn measure_go_mod(file: &HostBlob<'_>) -> Result<Measured, HashingError> {
    if file.size() > zip::MAX_GO_MOD {
        return Err(refused("go-mod-too-large", ZipError::GoModTooLarge.to_string()));
    }
    // No more than MAX_GO_MOD.
    let mut content = vec![0; file.size() as usize];
    file.read_at(0, &mut content).map_err(|error| HashingError::from(ZipError::Read(error)))?;
    Ok(Measured { h1: go_mod(&content).to_string(), files: 1, manifest: Vec::new() })
}

fn measured(manifest: &Manifest, files: bool) -> Measured {
    Measured {
        h1: manifest.h1().to_string(),
        files: manifest.files().len() as u64,
        manifest: if files { manifest.text() } else { Vec::new() },
    }
}

fn checked(module: &ModuleRef) -> Result<ModuleVersion, HashingError> {
    ModuleVersion::check(&module.path, &module.version).map_err(|error| refused("no-module", error.to_string()))
}

fn no_module() -> HashingError {
    refused("no-module", "no such module version can be".to_owned())
}

fn refused(code: &str, text: String) -> HashingError {
    HashingError::Refused(HashRefusal { code: code.to_owned(), text })
}

fn unread(error: ReadError) -> HashingError {
    HashingError::Read(match error {
        ReadError::Failed => blob::ReadError::Failed,
        ReadError::Changed => blob::ReadError::Changed,
    })
}

impl From<ZipError> for HashingError {
    fn from(error: ZipError) -> Self {
        match error {
            ZipError::Read(error) => unread(error),
            error => refused(error.code(), error.to_string()),
        }
    }
}

impl From<DirError> for HashingError {
    fn from(error: DirError) -> Self {
        match error {
            DirError::Read(error) => unread(error),
            error => refused("bad-path", error.to_string()),
        }
    }
}

impl From<BuildInfoError> for HashingError {
    fn from(error: BuildInfoError) -> Self {
        match error {
            BuildInfoError::Read(error) => unread(error),
            error => refused("no-build-info", error.to_string()),
        }
    }
}

#[cfg(target_family = "wasm")]
#[allow(unsafe_code, unreachable_pub)]
mod export {
    use super::Component;
    crate::contract::generated::export!(Component with_types_in crate::contract::generated);
}
