//! The in-toto statement: subjects, and a predicate about them (in-toto/attestation, spec/v1/statement.md and
//! spec/v0.1.0/statement.md).
//!
//! Fields that the format does not know are ignored, as it demands. A field that differs from a known one in case
//! only is refused: readers written in Go take either for the same.

use serde_json::{Map, Value};

use super::fields::{FieldError, Object};
use super::join::{By, Zip};
use super::vsa::purl;
use crate::hex;
use crate::module::ModuleVersion;
use crate::tuf::json::{self, Numbers};

/// The payload type of a DSSE envelope with a statement in it.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The largest statement, in bytes. Those of slsa-github-generator, with GitHub's event in them, have some 20 kB.
pub const MAX_PAYLOAD: usize = 8 << 20;

/// The most subjects of one statement (sigstore-go's limit).
pub const MAX_SUBJECTS: usize = 1024;

/// The most digests of one subject, or of one other artifact (sigstore-go's limit).
pub const MAX_DIGESTS: usize = 32;

/// The format of a statement: `_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `https://in-toto.io/Statement/v0.1`
    V01,
    /// `https://in-toto.io/Statement/v1`
    V1,
}

impl Format {
    const ALL: [Self; 2] = [Self::V01, Self::V1];

    /// The `_type`.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::V01 => "https://in-toto.io/Statement/v0.1",
            Self::V1 => "https://in-toto.io/Statement/v1",
        }
    }
}

/// A statement: no more than what its signer wrote (see [`super`]).
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Of which format.
    pub format: Format,
    /// What it is about: 1 to [`MAX_SUBJECTS`].
    pub subjects: Vec<Subject>,
    /// What the predicate is, a URI.
    pub predicate_type: String,
    /// The predicate; empty where there is none.
    pub predicate: Map<String, Value>,
}

/// An artifact that a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// For messages. It binds nothing.
    pub name: Option<String>,
    /// What it is about. Not empty.
    pub digests: DigestSet,
}

/// Digests of one artifact by the name of the algorithm, 1 to [`MAX_DIGESTS`] (in-toto/attestation,
/// spec/v1/digest_set.md).
///
/// Those of the algorithms that are looked at here (`sha1`, `sha256`, `sha384`, `sha512`, `gitCommit`, `dirHash1`)
/// have the right number of lower-case hexadecimal digits; of others nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DigestSet(Vec<(String, String)>);

impl DigestSet {
    /// The digest by `algorithm`.
    #[must_use]
    pub fn get(&self, algorithm: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == algorithm).map(|(_, digest)| digest.as_str())
    }

    /// The names of the algorithms.
    pub fn algorithms(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The commit: `gitCommit`, or `sha1` as SLSA v0.2 and slsa-github-generator write it.
    #[must_use]
    pub fn commit(&self) -> Option<&str> {
        self.get("gitCommit").or_else(|| self.get("sha1"))
    }

    /// The field `key` of `object`, if it is there.
    pub(super) fn read(object: &Object<'_>, key: &str) -> Result<Self, StatementError> {
        let Some(digests) = object.maybe_object(key)? else {
            return Ok(Self::default());
        };
        if digests.map.len() > MAX_DIGESTS {
            return Err(StatementError::TooManyDigests { at: object.place(key), found: digests.map.len() });
        }
        let mut set = Vec::with_capacity(digests.map.len());
        for (algorithm, digest) in digests.map {
            let Value::String(digest) = digest else {
                return Err(digests.wrong(algorithm, "is no text").into());
            };
            let lengths: &[usize] = match algorithm.as_str() {
                "sha1" => &[40],
                "sha256" | "dirHash1" => &[64],
                "sha384" => &[96],
                "sha512" => &[128],
                "gitCommit" => &[40, 64],
                _ => &[],
            };
            let known = !lengths.is_empty();
            if known && (!lengths.contains(&digest.len()) || !is_lower_hex(digest)) {
                return Err(StatementError::Digest { at: digests.place(algorithm) });
            }
            set.push((algorithm.clone(), digest.clone()));
        }
        Ok(Self(set))
    }
}

/// Whether `text` is lower-case hexadecimal.
pub(super) fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

impl Statement {
    /// Reads the payload of an envelope.
    ///
    /// # Errors
    ///
    /// It is no statement, or one that is not read: see [`StatementError`].
    pub fn parse(payload_type: &str, payload: &[u8]) -> Result<Self, StatementError> {
        if payload_type != PAYLOAD_TYPE {
            return Err(StatementError::PayloadType { found: payload_type.to_owned() });
        }
        if payload.len() > MAX_PAYLOAD {
            return Err(StatementError::TooLarge { found: payload.len() });
        }
        let mut value = json::parse_with(payload, Numbers::Any).map_err(StatementError::Json)?;
        let object = Object::new(&value, String::new()).map_err(|_| StatementError::NoObject)?;
        for key in object.map.keys() {
            let known = ["_type", "subject", "predicateType", "predicate"];
            if known.iter().any(|known| known != key && known.eq_ignore_ascii_case(key)) {
                return Err(StatementError::Case { key: key.clone() });
            }
        }
        let found = object.text("_type")?;
        let format = Format::ALL
            .into_iter()
            .find(|format| format.uri() == found)
            .ok_or_else(|| StatementError::Format { found: found.to_owned() })?;
        let predicate_type = object.text("predicateType")?.to_owned();
        let listed = object.list("subject")?;
        if listed.is_empty() {
            return Err(StatementError::NoSubject);
        }
        if listed.len() > MAX_SUBJECTS {
            return Err(StatementError::TooManySubjects { found: listed.len() });
        }
        let mut subjects = Vec::with_capacity(listed.len());
        for (index, subject) in listed.iter().enumerate() {
            let subject = Object::new(subject, format!("subject[{index}]"))?;
            let digests = DigestSet::read(&subject, "digest")?;
            if digests.0.is_empty() {
                return Err(StatementError::NoDigest { at: subject.place("digest") });
            }
            let name = subject.maybe_text("name")?.map(str::to_owned);
            subjects.push(Subject { name, digests });
        }
        object.maybe_object("predicate")?;
        let predicate = match value.get_mut("predicate").map(Value::take) {
            Some(Value::Object(predicate)) => predicate,
            _ => Map::new(),
        };
        Ok(Self { format, subjects, predicate_type, predicate })
    }
}

impl Statement {
    /// A statement about `module`, whose zip is `zip`: `dirHash1`, and `sha256` if it is known. The name is the
    /// package URL.
    #[must_use]
    pub fn of_module(module: &ModuleVersion, zip: &Zip, predicate_type: String, predicate: Map<String, Value>) -> Self {
        let mut digests = vec![(By::DirHash1.as_str().to_owned(), hex::encode(&zip.h1.0))];
        digests.extend(zip.sha256.map(|digest| (By::Sha256.as_str().to_owned(), hex::encode(&digest))));
        let subject = Subject { name: Some(purl(module)), digests: DigestSet(digests) };
        Self { format: Format::V1, subjects: vec![subject], predicate_type, predicate }
    }

    /// As JSON, the payload of an envelope: [`Self::parse`] reads it as the same, but for the last digit of fractions.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let subject = |subject: &Subject| {
            let digests: Map<_, _> =
                subject.digests.0.iter().map(|(name, digest)| (name.clone(), digest.clone().into())).collect();
            let mut entry = Map::new();
            entry.extend(subject.name.as_ref().map(|name| ("name".to_owned(), name.clone().into())));
            entry.insert("digest".to_owned(), digests.into());
            Value::Object(entry)
        };
        let mut statement = Map::new();
        statement.insert("_type".to_owned(), self.format.uri().into());
        statement.insert("subject".to_owned(), self.subjects.iter().map(subject).collect());
        statement.insert("predicateType".to_owned(), self.predicate_type.clone().into());
        statement.insert("predicate".to_owned(), self.predicate.clone().into());
        statement.into()
    }
}

/// Why something is no statement.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// The envelope holds something else.
    #[error("the payload type is {found:?}, not {PAYLOAD_TYPE:?}")]
    PayloadType {
        /// What it says.
        found: String,
    },
    /// Larger than [`MAX_PAYLOAD`].
    #[error("the statement has {found} bytes, and at most {MAX_PAYLOAD} are read")]
    TooLarge {
        /// How large, in bytes.
        found: usize,
    },
    /// Not JSON with one meaning.
    #[error("the statement cannot be read: {0}")]
    Json(serde_json::Error),
    /// JSON, and no object.
    #[error("the statement is no object")]
    NoObject,
    /// A known field in another case, which only some readers take for it.
    #[error("the statement has a field {key:?}, which some readers take for another field")]
    Case {
        /// The field.
        key: String,
    },
    /// `_type` is none of ours.
    #[error("the statement's _type is {found:?}, and only https://in-toto.io/Statement/v0.1 and v1 are known")]
    Format {
        /// What it says.
        found: String,
    },
    /// A field is missing, or of another type.
    #[error("the statement's {0}")]
    Field(#[from] FieldError),
    /// About nothing.
    #[error("the statement has no subject")]
    NoSubject,
    /// More than [`MAX_SUBJECTS`].
    #[error("the statement has {found} subjects, and at most {MAX_SUBJECTS} are read")]
    TooManySubjects {
        /// How many.
        found: usize,
    },
    /// A subject without a digest is not about anything.
    #[error("the statement's {at} is empty")]
    NoDigest {
        /// Which.
        at: String,
    },
    /// More than [`MAX_DIGESTS`].
    #[error("the statement's {at} has {found} digests, and at most {MAX_DIGESTS} are read")]
    TooManyDigests {
        /// Which.
        at: String,
        /// How many.
        found: usize,
    },
    /// Not as many lower-case hexadecimal digits as the algorithm makes.
    #[error("the statement's {at} is not as many lower-case hexadecimal digits as its algorithm makes")]
    Digest {
        /// Which.
        at: String,
    },
}
