//! TUF repositories: metadata and targets by HTTP, or from a folder that stands for a server.
//!
//! Behaves as the detailed client workflow asks for
//! (<https://theupdateframework.github.io/specification/latest/#detailed-client-workflow>): the core says which file it
//! wants, and how many bytes it may have; one GET is made for it, after which nothing is guessed, probed or fetched
//! ahead. Retries, redirects, time limits, credentials and proxies are those of [the whole module](super).
//!
//! # Security
//! Nothing here decides whether something is good. Metadata goes to the core as it came. A target is never held in
//! memory: it is measured while it is written to a file that has no name of its own yet, and what the core compares
//! with signed metadata is that measurement. A file gets its place only afterwards ([`crate::cache`]).
//!
//! Names of files come from metadata, which whoever signed it has chosen. So metadata's are one element of unreserved
//! characters and percent-encoded bytes, targets' elements are percent-encoded here, and none is empty, `.` or `..`:
//! no request leaves its base URL, and no path its folder.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::{NamedTempFile, TempPath};

use super::address::{self, Base};
use super::remote::{Ask, Miss};
use super::sink::{HEAD, Sink};
use super::{ConfigError, Expect, Fetcher};
use crate::cache::disk::temp_file;
use crate::contract::{Body, Failure, MetadataGet, Origin, TargetFile, TargetGet};
use crate::files::{FileError, Regular};

/// The largest target that is held in memory, in bytes: many times a trusted_root.json.
pub const MAX_CONTENT: u32 = 4 << 20;

/// How much of a file is read at once.
const CHUNK: usize = 64 << 10;

/// What stands for itself in a path's element (RFC 3986, section 3.3: `pchar`), but for what some server might take for
/// something else.
pub(super) const ELEMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'@')
    .remove(b'+')
    .remove(b',')
    .remove(b'=');

/// A TUF repository, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TufSource {
    /// What the job calls it.
    pub name: String,
    /// Where its metadata lies: an https, http or file URL, or an absolute path.
    pub metadata: String,
    /// Where its targets lie.
    pub targets: TargetsAt,
    /// By whose word, for messages.
    pub set_by: String,
}

/// Where the targets of a repository lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetsAt {
    /// At a URL, or an absolute path.
    Url(String),
    /// In the folder above its metadata's: metadata lies in `tuf/` of a tree of modules (docs/spec).
    Above,
    /// In `targets/` below its metadata's, where TUF's own clients are told to look by default.
    Below,
}

/// Where a repository turned out to be.
pub(super) struct Places {
    metadata: Base,
    targets: Base,
}

/// A target that was measured.
#[derive(Debug)]
pub struct Fetched {
    /// What it measures.
    pub file: TargetFile,
    /// Its bytes, in a folder that was asked for. Removed when this is dropped.
    pub kept: Option<TempPath>,
}

impl TufSource {
    pub(super) fn places(&self) -> Result<Places, ConfigError> {
        let failed = |text| ConfigError::Tuf { set_by: self.set_by.clone(), name: self.name.clone(), text };
        let metadata = address::parse_repository(&self.metadata).map_err(failed)?;
        let targets = match &self.targets {
            TargetsAt::Url(url) => address::parse_repository(url).map_err(failed)?,
            TargetsAt::Below => metadata.join("targets"),
            TargetsAt::Above => metadata.parent().ok_or_else(|| {
                failed(format!("{} has no folder above it that could hold targets", metadata.shown()))
            })?,
        };
        Ok(Places { metadata, targets })
    }
}

impl Fetcher {
    /// Reads a metadata file of a repository.
    ///
    /// # Errors
    /// [`Failure::Absent`] for the next root too where a server says 403, which stores like S3 say of what is not there to
    /// those who may not list. [`Failure::Storage`] for a repository that the configuration does not name, or a file
    /// name that is none.
    pub async fn tuf_metadata(&self, get: &MetadataGet) -> Result<Body, Failure> {
        let places = self.repository(&get.repository)?;
        let refused = || {
            self.reporter.note(format!("{}: refusing to ask for the metadata file {:?}", get.repository, get.file));
            Failure::Storage
        };
        if !is_metadata_file(&get.file) {
            return Err(refused());
        }
        let at = match &places.metadata {
            // A folder stands for a server, which decodes what it is asked for.
            Base::Folder(folder) => {
                let path = percent_decode_str(&get.file).decode_utf8().ok();
                Base::Folder(path.and_then(|path| below(folder, &path)).ok_or_else(refused)?)
            }
            server => server.join(&get.file),
        };
        let expect = if is_numbered_root(&get.file) { Expect::NextRoot } else { Expect::Metadata };
        let content = self.read(&at, get.max_bytes, expect).await?;
        Ok(Body { content, origin: Origin::Remote })
    }

    /// Measures a target, while it is written to a file in `folder`, if there is one.
    ///
    /// # Errors
    /// [`Failure::Storage`] too for a repository that the configuration does not name, or a path that is none.
    pub async fn tuf_target(&self, get: &TargetGet, folder: Option<&Path>) -> Result<Fetched, Failure> {
        let at = self.target_at(get)?;
        // The semaphore is never closed.
        let _permit = self.downloads.acquire().await.ok();
        let fetched = match &at {
            Base::Folder(path) => {
                let (path, folder, max) = (path.clone(), folder.map(Path::to_owned), get.max_bytes);
                let copied = tokio::task::spawn_blocking(move || copy(&path, folder.as_deref(), max)).await;
                copied
                    .unwrap_or_else(|_| Err((Failure::Storage, "could not be read".to_owned())))
                    .map_err(|(failure, what)| Box::new(Miss::new(failure, at.shown(), what)))
            }
            Base::Server { .. } if self.offline => return Err(Failure::Offline),
            Base::Server { url, credentials } => {
                let stored = |e: io::Error| {
                    Box::new(Miss::new(Failure::Storage, at.shown(), format!("keeping the target: {e}")))
                };
                let expect = if is_page(&get.file) { Expect::Page } else { Expect::Target };
                match Measuring::new(folder) {
                    Err(e) => Err(stored(e)),
                    Ok(mut sink) => {
                        match self
                            .remote
                            .get(&Ask::get(url, credentials.as_ref(), get.max_bytes, expect), &mut sink)
                            .await
                        {
                            Ok(()) => sink.finish().map_err(stored),
                            Err(missed) => Err(missed),
                        }
                    }
                }
            }
        };
        fetched.map_err(|missed| {
            self.reporter.tell(missed.key(), &missed.problem());
            missed.failure
        })
    }

    /// The bytes of a small target: at most `max_bytes`, and at most [`MAX_CONTENT`].
    ///
    /// # Errors
    /// As [`Self::tuf_target`].
    pub async fn tuf_content(&self, get: &TargetGet) -> Result<Body, Failure> {
        let max = u32::try_from(get.max_bytes).unwrap_or(u32::MAX).min(MAX_CONTENT);
        let content = self.read(&self.target_at(get)?, max, Expect::Metadata).await?;
        Ok(Body { content, origin: Origin::Remote })
    }

    fn target_at(&self, get: &TargetGet) -> Result<Base, Failure> {
        let refused = || {
            self.reporter.note(format!("{}: refusing to ask for the target {:?}", get.repository, get.file));
            Failure::Storage
        };
        let places = self.repository(&get.repository)?;
        if !is_target_path(&get.file) {
            return Err(refused());
        }
        match &places.targets {
            Base::Folder(folder) => below(folder, &get.file).map(Base::Folder).ok_or_else(refused),
            server => Ok(server.join(&encoded(&get.file))),
        }
    }

    /// Measures a target that is here already.
    ///
    /// # Errors
    /// [`Failure::TooLarge`] past `max` bytes, [`Failure::Changed`], [`Failure::Storage`].
    pub async fn tuf_held(&self, path: &Path, max: u64) -> Result<TargetFile, Failure> {
        let here = path.to_owned();
        let measured = tokio::task::spawn_blocking(move || copy(&here, None, max)).await;
        match measured.unwrap_or_else(|_| Err((Failure::Storage, "could not be read".to_owned()))) {
            Ok(Fetched { file, .. }) => Ok(TargetFile { origin: Origin::Store, ..file }),
            // Another file than the one that is wanted, as it is after an update.
            Err((failure @ (Failure::Absent | Failure::TooLarge), _)) => Err(failure),
            Err((failure, what)) => {
                self.reporter.note(format!("reading {}: {what}", path.display()));
                Err(failure)
            }
        }
    }

    fn repository(&self, name: &str) -> Result<&Places, Failure> {
        self.tuf.get(name).ok_or_else(|| {
            self.reporter.note(format!("unknown TUF repository {name:?}"));
            Failure::Storage
        })
    }
}

/// Whether it is a file name of metadata as the core writes it: one element, percent-encoded, that ends in `.json`.
pub(crate) fn is_metadata_file(file: &str) -> bool {
    let mut rest = file.as_bytes();
    loop {
        rest = match rest {
            [] => return file.ends_with(".json"),
            [b'%', a, b, tail @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => tail,
            [b, tail @ ..] if b.is_ascii_alphanumeric() || b"-._~".contains(b) => tail,
            _ => return false,
        };
    }
}

/// `N.root.json`.
pub(crate) fn is_numbered_root(file: &str) -> bool {
    let version = file.strip_suffix(".root.json").unwrap_or_default().as_bytes();
    matches!(version, [b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit))
}

/// Whether a target's path has elements that are neither empty nor `.` or `..`.
pub(crate) fn is_target_path(path: &str) -> bool {
    path.split('/').all(|element| !matches!(element, "" | "." | ".."))
}

/// Whether a target may well be a web page, and not what a portal sends in its place.
fn is_page(path: &str) -> bool {
    [".html", ".htm", ".xhtml"].iter().any(|suffix| path.to_ascii_lowercase().ends_with(suffix))
}

fn encoded(path: &str) -> String {
    path.split('/').map(|element| utf8_percent_encode(element, ELEMENT).to_string()).collect::<Vec<_>>().join("/")
}

/// The path below a folder, if every element names exactly one thing in its folder on this platform.
fn below(folder: &Path, path: &str) -> Option<PathBuf> {
    path.split('/').try_fold(folder.to_owned(), |dir, element| {
        let mut parts = Path::new(element).components();
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(part)), None) if part == element => Some(dir.join(part)),
            _ => None,
        }
    })
}

/// Measures what is written to it, and keeps it if it is told where.
struct Measuring {
    file: Option<NamedTempFile>,
    head: Vec<u8>,
    length: u64,
    sha256: Sha256,
    sha512: Sha512,
}

impl Measuring {
    fn new(folder: Option<&Path>) -> io::Result<Self> {
        let file = match folder {
            Some(folder) => {
                fs::create_dir_all(folder)?;
                Some(temp_file(folder)?)
            }
            None => None,
        };
        Ok(Self { file, head: Vec::new(), length: 0, sha256: Sha256::new(), sha512: Sha512::new() })
    }

    /// What came, complete and on disk.
    fn finish(self) -> io::Result<Fetched> {
        let kept = match self.file {
            Some(file) => {
                file.as_file().sync_all()?;
                Some(file.into_temp_path())
            }
            None => None,
        };
        let file = TargetFile {
            length: self.length,
            sha256: self.sha256.finalize().to_vec(),
            sha512: self.sha512.finalize().to_vec(),
            origin: Origin::Remote,
        };
        Ok(Fetched { file, kept })
    }
}

impl Sink for Measuring {
    fn restart(&mut self, _announced: u64) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.as_file().set_len(0)?;
            io::Seek::rewind(file.as_file_mut())?;
        }
        self.head.clear();
        self.length = 0;
        self.sha256.reset();
        self.sha512.reset();
        Ok(())
    }

    fn write(&mut self, part: &[u8]) -> io::Result<()> {
        let missing = HEAD.saturating_sub(self.head.len()).min(part.len());
        self.head.extend_from_slice(&part[..missing]);
        self.length += part.len() as u64;
        self.sha256.update(part);
        self.sha512.update(part);
        match &mut self.file {
            Some(file) => file.as_file_mut().write_all(part),
            None => Ok(()),
        }
    }

    fn head(&self) -> &[u8] {
        &self.head
    }
}

/// Measures a file of at most `max` bytes, and copies it.
fn copy(path: &Path, folder: Option<&Path>, max: u64) -> Result<Fetched, (Failure, String)> {
    let failed = |e: FileError| (e.failure(), e.to_string());
    let file = Regular::open(path).map_err(failed)?;
    if file.metadata().len() > max {
        return Err(failed(FileError::TooLarge { limit: max }));
    }
    let stored = |e: io::Error| (Failure::Storage, format!("keeping the target: {e}"));
    let mut sink = Measuring::new(folder).map_err(stored)?;
    let mut buffer = vec![0; CHUNK];
    let mut open: &File = file.file();
    loop {
        let read = match open.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(e.into())),
        };
        // It may have grown since.
        if sink.length + read as u64 > max {
            return Err(failed(FileError::TooLarge { limit: max }));
        }
        sink.write(&buffer[..read]).map_err(stored)?;
    }
    file.unchanged().map_err(failed)?;
    sink.finish().map_err(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_of_metadata() {
        for file in
            ["root.json", "2.root.json", "timestamp.json", "7.team%2Fa.json", "%3F.json", "..%2Fx.json", ".json"]
        {
            assert!(is_metadata_file(file), "{file}");
        }
        for file in [
            "",
            "root",
            "a/b.json",
            "../x.json",
            "a\\b.json",
            "a?b.json",
            "a#.json",
            "a b.json",
            "%2.json",
            "%zz.json",
            "é.json",
        ] {
            assert!(!is_metadata_file(file), "{file}");
        }
        for (file, numbered) in
            [("1.root.json", true), ("257.root.json", true), ("root.json", false), ("0.root.json", false)]
        {
            assert_eq!(is_numbered_root(file), numbered, "{file}");
        }
        for file in ["01.root.json", "-1.root.json", "1.root", "1.x.root.json", ".root.json", "1.timestamp.json"] {
            assert!(!is_numbered_root(file), "{file}");
        }
    }

    #[test]
    fn paths_of_targets() {
        for (path, want) in [
            ("example.com/!my/@v/v1.2.3+incompatible.zip", "example.com/!my/@v/v1.2.3+incompatible.zip"),
            ("a b/c?d#e", "a%20b/c%3Fd%23e"),
            ("%2e%2e/x", "%252e%252e/x"),
            ("a\\b", "a%5Cb"),
            ("é", "%C3%A9"),
            ("a\nb", "a%0Ab"),
        ] {
            assert!(is_target_path(path), "{path}");
            assert_eq!(encoded(path), want);
        }
        for path in ["", "/", "/a", "a/", "a//b", "./a", "a/.", "a/../b", ".."] {
            assert!(!is_target_path(path), "{path:?}");
        }
    }

    #[test]
    fn nothing_leaves_its_folder() {
        let folder = Path::new("f");
        assert_eq!(below(folder, "a/b"), Some(folder.join("a").join("b")));
        for path in ["", "..", "a/../..", "/etc/passwd", "a//b", "./a"] {
            assert_eq!(below(folder, path), None, "{path:?}");
        }
        if cfg!(windows) {
            for path in ["C:", "a\\b", "C:\\x"] {
                assert_eq!(below(folder, path), None, "{path:?}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_path_leads_out(path: String) {
            if is_target_path(&path) {
                let encoded = encoded(&path);
                let url: url::Url = format!("https://h.test/base/{encoded}").parse().expect("a URL");
                proptest::prop_assert_eq!(url.path(), format!("/base/{encoded}"));
                proptest::prop_assert_eq!((url.query(), url.fragment()), (None, None));
            }
            if let Some(found) = below(Path::new("f"), &path) {
                proptest::prop_assert!(found.starts_with("f") && !found.components().any(|c| c == Component::ParentDir));
            }
        }

        #[test]
        fn no_file_of_metadata_leads_out(file in "[a-c0-9%./2eE?#\\\\-]{0,12}\\.json") {
            if is_metadata_file(&file) {
                let url: url::Url = format!("https://h.test/base/{file}").parse().expect("a URL");
                proptest::prop_assert_eq!(url.path(), format!("/base/{file}"));
            }
        }
    }
}
