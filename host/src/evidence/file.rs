//! The file of evidence (docs/evidence.md): one gzip member around one canonical JSON document.

use std::io::{Read as _, Write as _};

use flate2::bufread::GzDecoder;
use flate2::{Compression, GzBuilder};
use sha2::{Digest as _, Sha256};

use super::Evidence;
use super::json::{Contents, ContractJson as _, JsonError, Object, Value, Writer, cut};

/// What the document says that it is.
pub const SCHEMA: &str = "modanchor-evidence/1";

/// The largest file, in bytes.
pub const MAX_FILE: usize = 64 << 20;

/// The largest document, in bytes.
pub const MAX_DOCUMENT: usize = 256 << 20;

/// The most bytes that values refer to, counted each time that they do.
pub const MAX_REFERRED: usize = 256 << 20;

/// The most commas in a document, wherever they stand: no list or object has more values, and each takes many times its two bytes
/// in memory until the document is refused.
pub const MAX_COMMAS: usize = 4 << 20;

/// The most times that the core may have asked.
pub const MAX_ROUNDS: usize = 10_000;

/// RFC 1952: deflate, with an extra field, without a time, of no operating system; the field has 36 bytes, of which 32 are of
/// the subfield `MA`.
const HEAD: [u8; 16] = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 36, 0, b'M', b'A', 32, 0];

/// Bytes of a SHA-256.
const DIGEST: usize = 32;

/// Why a file is no evidence, or cannot become one.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Another kind of file, by its first bytes.
    #[error("not evidence: a file of `--record` begins in another way")]
    Kind,
    /// More than [`MAX_FILE`] bytes, or they inflate to more than [`MAX_DOCUMENT`].
    #[error("evidence of more than {} MiB, or {} when inflated, is not read", MAX_FILE >> 20, MAX_DOCUMENT >> 20)]
    Size,
    /// More than [`MAX_COMMAS`].
    #[error("evidence of more than {MAX_COMMAS} commas is not read")]
    Commas,
    /// More than [`MAX_ROUNDS`].
    #[error("evidence of more than {MAX_ROUNDS} rounds of questions is not read")]
    Rounds,
    /// The digest in the head is of other bytes, or the file ends early.
    #[error("the file was changed or is cut off: its bytes are not those that its head names")]
    Changed,
    /// It does not inflate, to its end.
    #[error("the file does not inflate")]
    Inflate,
    /// The document is no JSON.
    #[error("what is in the file is not JSON")]
    Json,
    /// Another version, or another document.
    #[error("`schema` is {found}, and this version reads {SCHEMA}")]
    Schema {
        /// What it is.
        found: String,
    },
    /// The document is not what it should be. Not the source of the error: it is told here already.
    #[error("what is in the file is not evidence: {0}")]
    Document(JsonError),
    /// Read and written again, it is another text.
    #[error("the document is not written as it has to be: it could be read in two ways")]
    NotCanonical,
}

impl From<JsonError> for FileError {
    fn from(error: JsonError) -> Self {
        Self::Document(error)
    }
}

impl Evidence {
    /// The document.
    #[must_use]
    pub fn document(&self) -> String {
        self.written().finish()
    }

    fn written(&self) -> Writer {
        let mut out = Writer::default();
        out.raw("{\"schema\":\"");
        out.raw(SCHEMA);
        out.raw("\",\"job\":");
        self.job.write(&mut out);
        out.raw(",\"exchange\":");
        self.exchange.write(&mut out);
        out.raw(",\"outcome\":");
        self.outcome.write(&mut out);
        out.raw(",\"contents\":");
        out.contents();
        out.raw("}");
        out
    }

    /// The file: the same for the same evidence, whenever and wherever this version writes it.
    ///
    /// # Errors
    ///
    /// [`FileError::Size`], [`FileError::Rounds`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, FileError> {
        if self.exchange.len() > MAX_ROUNDS {
            return Err(FileError::Rounds);
        }
        let written = self.written();
        if written.referred() > MAX_REFERRED {
            return Err(JsonError::Refers(MAX_REFERRED).into());
        }
        let document = written.finish();
        if document.len() > MAX_DOCUMENT {
            return Err(FileError::Size);
        }
        if commas(document.as_bytes()) > MAX_COMMAS {
            return Err(FileError::Commas);
        }
        let mut extra = HEAD[12..].to_vec();
        extra.extend([0; DIGEST]);
        let mut gzip =
            GzBuilder::new().extra(extra).mtime(0).operating_system(HEAD[9]).write(Vec::new(), Compression::default());
        let written = gzip.write_all(document.as_bytes()).and_then(|()| gzip.finish());
        let mut file = written.expect("a Vec takes every write");
        let body = HEAD.len() + DIGEST;
        let digest = Sha256::digest(&file[body..]);
        file[HEAD.len()..body].copy_from_slice(&digest);
        if file.len() > MAX_FILE {
            return Err(FileError::Size);
        }
        Ok(file)
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// See [`FileError`].
    pub fn from_bytes(file: &[u8]) -> Result<Self, FileError> {
        Self::from_document(&inflate(file, MAX_FILE, MAX_DOCUMENT)?)
    }

    /// Reads a document.
    ///
    /// # Errors
    ///
    /// [`FileError::Rounds`], [`FileError::Json`] and what follows it.
    pub fn from_document(document: &[u8]) -> Result<Self, FileError> {
        if commas(document) > MAX_COMMAS {
            return Err(FileError::Commas);
        }
        let value: Value = serde_json::from_slice(document).map_err(|_| FileError::Json)?;
        let mut object = Object::new(value)?;
        match object.take("schema")? {
            Value::String(schema) if schema == SCHEMA => {}
            other => return Err(FileError::Schema { found: cut(&other.to_string()) }),
        }
        let contents = Contents::read(object.take("contents")?, MAX_REFERRED)?;
        let evidence = Self {
            job: object.field("job", &contents)?,
            exchange: object.field("exchange", &contents)?,
            outcome: object.field("outcome", &contents)?,
        };
        object.end()?;
        if evidence.exchange.len() > MAX_ROUNDS {
            return Err(FileError::Rounds);
        }
        // Keys that come twice, numbers with a zero too many, contents that nothing refers to: each reader would make its own of
        // them, and the page has another one than this.
        if evidence.document().as_bytes() != document {
            return Err(FileError::NotCanonical);
        }
        Ok(evidence)
    }
}

fn commas(document: &[u8]) -> usize {
    document.iter().filter(|byte| **byte == b',').count()
}

/// The document in a file of at most `max_file` bytes that inflates to at most `max_document`.
pub(super) fn inflate(file: &[u8], max_file: usize, max_document: usize) -> Result<Vec<u8>, FileError> {
    if !file.starts_with(&HEAD) {
        return Err(FileError::Kind);
    }
    if file.len() > max_file {
        return Err(FileError::Size);
    }
    let (digest, rest) = file[HEAD.len()..].split_at_checked(DIGEST).ok_or(FileError::Changed)?;
    if Sha256::digest(rest).as_slice() != digest {
        return Err(FileError::Changed);
    }
    let mut member = GzDecoder::new(file);
    let mut document = Vec::new();
    let limit = max_document as u64 + 1;
    (&mut member).take(limit).read_to_end(&mut document).map_err(|_| FileError::Inflate)?;
    if document.len() > max_document {
        return Err(FileError::Size);
    }
    if !member.into_inner().is_empty() {
        return Err(FileError::Inflate);
    }
    Ok(document)
}
