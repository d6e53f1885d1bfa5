//! Protocol buffers' JSON, as bundles and trusted_root.json are written in it.
//!
//! What protojson of Go takes is taken, because cosign reads with it: a field by its JSON name or by its own
//! (`logIndex`, `log_index`), 64-bit integers as text or as numbers, both alphabets of base64 with padding or without,
//! null for a field that is not there. What it refuses is refused: unknown fields, a field twice, under one name or under
//! both. Stricter than protojson: no line breaks and no stray bits in base64, no integers with fractions or exponents, at
//! most [`json::MAX_DEPTH`] levels.
//!
//! Reference: protobuf.dev/programming-guides/json; google.golang.org/protobuf/encoding/protojson.

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::tuf::json;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
/// Written with padding.
pub(super) const STANDARD: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::STANDARD, ANY_PADDING);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::URL_SAFE, ANY_PADDING);

/// Why a file is not of its format. `at` is the path of the field: `verificationMaterial.tlogEntries[0].logIndex`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// More bytes than anyone needs.
    #[error("it has {found} bytes; at most {limit} are read")]
    TooLarge {
        /// How many.
        found: usize,
        /// At most.
        limit: usize,
    },
    /// Not JSON, a key twice in one object, or nested too deeply.
    #[error("it is not JSON as it should be: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is needed, and missing or empty.
    #[error("{at} is missing")]
    Missing {
        /// Which.
        at: String,
    },
    /// A field is of another type, or says what no such field can say.
    #[error("{at} is not {expected}")]
    Not {
        /// Which.
        at: String,
        /// What it should be.
        expected: &'static str,
    },
    /// No reader knows the field.
    #[error("{at} is no known field")]
    Unknown {
        /// Which.
        at: String,
    },
    /// The field is there twice, under both of its names.
    #[error("{at} is there twice, once as {other:?}")]
    Twice {
        /// Its JSON name.
        at: String,
        /// Its own name.
        other: String,
    },
    /// Only one of some fields may be there, and one must.
    #[error("{at} has {found} of {choices}; exactly one is expected")]
    Choice {
        /// Of which object.
        at: String,
        /// How many are there.
        found: usize,
        /// Their names.
        choices: &'static str,
    },
    /// A list is longer than anyone needs.
    #[error("{at} has {found} elements; at most {limit} are read")]
    TooMany {
        /// Which.
        at: String,
        /// How many.
        found: usize,
        /// At most.
        limit: usize,
    },
    /// The file is of a version or type that is not known.
    #[error("media type {found:?} is not known; {known} are")]
    MediaType {
        /// As the file says.
        found: String,
        /// What is known.
        known: &'static str,
    },
    /// The version of the bundle asks for something else.
    #[error("{at}: {rule}")]
    Rule {
        /// What breaks the rule.
        at: String,
        /// The rule.
        rule: &'static str,
    },
}

/// An object whose fields are taken out one by one, so that what is left is unknown.
pub(super) struct Fields {
    at: String,
    map: Map<String, Value>,
}

impl Fields {
    /// Reads a file of at most `limit` bytes.
    pub(super) fn read(bytes: &[u8], limit: usize) -> Result<Self, FormatError> {
        if bytes.len() > limit {
            return Err(FormatError::TooLarge { found: bytes.len(), limit });
        }
        Self::of(json::parse(bytes)?, String::new())
    }

    /// The object that `value`, found at `at`, must be.
    pub(super) fn of(value: Value, at: String) -> Result<Self, FormatError> {
        match value {
            Value::Object(map) => Ok(Self { at, map }),
            _ if at.is_empty() => Err(FormatError::Not { at: "the file".to_owned(), expected: "an object" }),
            _ => Err(FormatError::Not { at, expected: "an object" }),
        }
    }

    /// The path of a field.
    pub(super) fn path(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_owned() } else { format!("{}.{name}", self.at) }
    }

    /// The path of this object, for messages.
    pub(super) fn here(&self) -> String {
        if self.at.is_empty() { "the file".to_owned() } else { self.at.clone() }
    }

    pub(super) fn missing(&self, name: &str) -> FormatError {
        FormatError::Missing { at: self.path(name) }
    }

    pub(super) fn not(&self, name: &str, expected: &'static str) -> FormatError {
        FormatError::Not { at: self.path(name), expected }
    }

    /// Takes the field with this JSON name.
    pub(super) fn take(&mut self, name: &str) -> Result<Option<Value>, FormatError> {
        let value = self.map.remove(name);
        let own = own_name(name);
        let other = if own == name { None } else { self.map.remove(&own) };
        if value.is_some() && other.is_some() {
            return Err(FormatError::Twice { at: self.path(name), other: own });
        }
        Ok(value.or(other).filter(|value| !value.is_null()))
    }

    /// Whether there is a field of this JSON name, under either of its names.
    pub(super) fn has(&self, name: &str) -> bool {
        self.map.contains_key(name) || self.map.contains_key(&own_name(name))
    }

    /// Text; empty where the field is missing, as protocol buffers do not tell the two apart.
    pub(super) fn text(&mut self, name: &str) -> Result<String, FormatError> {
        match self.take(name)? {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text),
            Some(_) => Err(self.not(name, "text")),
        }
    }

    /// Text that is not empty.
    pub(super) fn some_text(&mut self, name: &str) -> Result<String, FormatError> {
        let text = self.text(name)?;
        if text.is_empty() { Err(self.missing(name)) } else { Ok(text) }
    }

    /// Bytes, empty where the field is missing.
    pub(super) fn bytes(&mut self, name: &str) -> Result<Vec<u8>, FormatError> {
        let text = self.text(name)?;
        base64(&text).ok_or_else(|| self.not(name, "base64"))
    }

    /// At least one byte.
    pub(super) fn some_bytes(&mut self, name: &str) -> Result<Vec<u8>, FormatError> {
        let bytes = self.bytes(name)?;
        if bytes.is_empty() { Err(self.missing(name)) } else { Ok(bytes) }
    }

    /// An int64 that cannot be negative, 0 where the field is missing.
    pub(super) fn count(&mut self, name: &str) -> Result<u64, FormatError> {
        let number = match self.take(name)? {
            None => Some(0),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Some(_) => None,
        };
        let number = number.filter(|number| i64::try_from(*number).is_ok());
        number.ok_or_else(|| self.not(name, "a whole number from 0 to 2^63 - 1"))
    }

    /// An object.
    pub(super) fn object(&mut self, name: &str) -> Result<Option<Self>, FormatError> {
        let at = self.path(name);
        self.take(name)?.map(|value| Self::of(value, at)).transpose()
    }

    /// An object that must be there.
    pub(super) fn some_object(&mut self, name: &str) -> Result<Self, FormatError> {
        self.object(name)?.ok_or_else(|| self.missing(name))
    }

    /// A list, empty where the field is missing, of at most `limit` elements; with the path of each.
    pub(super) fn list(&mut self, name: &str, limit: usize) -> Result<Vec<(Value, String)>, FormatError> {
        let at = self.path(name);
        let values = match self.take(name)? {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(_) => return Err(FormatError::Not { at, expected: "a list" }),
        };
        if values.len() > limit {
            return Err(FormatError::TooMany { at, found: values.len(), limit });
        }
        Ok(values.into_iter().enumerate().map(|(i, value)| (value, format!("{at}[{i}]"))).collect())
    }

    /// A list of objects.
    pub(super) fn objects(&mut self, name: &str, limit: usize) -> Result<Vec<Self>, FormatError> {
        self.list(name, limit)?.into_iter().map(|(value, at)| Self::of(value, at)).collect()
    }

    /// A time, RFC 3339.
    pub(super) fn time(&mut self, name: &str) -> Result<Option<Timestamp>, FormatError> {
        let text = self.text(name)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| self.not(name, "a time such as 2026-01-31T12:00:00Z"))
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), FormatError> {
        match self.map.keys().next() {
            None => Ok(()),
            Some(name) => Err(FormatError::Unknown { at: self.path(name) }),
        }
    }
}

/// The field's own name: `log_index` for `logIndex`, `rfc3161_timestamps` for `rfc3161Timestamps`.
fn own_name(name: &str) -> String {
    let mut own = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            own.push('_');
        }
        own.push(letter.to_ascii_lowercase());
    }
    own
}

/// Base64 of either alphabet, with padding or without.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    engine.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        Fields::of(value, String::new()).unwrap()
    }

    #[test]
    fn a_field_has_two_names() {
        assert_eq!(fields(json!({"logIndex": "7"})).count("logIndex").unwrap(), 7);
        assert_eq!(fields(json!({"log_index": 7})).count("logIndex").unwrap(), 7);
        assert_eq!(fields(json!({"rfc3161_timestamps": []})).list("rfc3161Timestamps", 0).unwrap().len(), 0);
        let twice = fields(json!({"log_index": 7, "logIndex": 7})).count("logIndex").unwrap_err();
        assert!(matches!(twice, FormatError::Twice { .. }), "{twice}");
    }

    #[test]
    fn null_is_a_field_that_is_not_there() {
        let mut fields = fields(json!({"a": null, "b": null, "c": null, "d": null}));
        assert_eq!(fields.text("a").unwrap(), "");
        assert_eq!(fields.count("b").unwrap(), 0);
        assert!(fields.object("c").unwrap().is_none());
        assert!(fields.list("d", 0).unwrap().is_empty());
        fields.finish().unwrap();
    }

    #[test]
    fn integers() {
        for (value, expected) in [
            (json!(0), Some(0)),
            (json!("0"), Some(0)),
            (json!("9223372036854775807"), Some(i64::MAX as u64)),
            (json!("9223372036854775808"), None),
            (json!(-1), None),
            (json!("-1"), None),
            (json!("+1"), None),
            (json!(""), None),
            (json!("1.0"), None),
            (json!("1e3"), None),
            (json!(true), None),
        ] {
            assert_eq!(fields(json!({ "n": value })).count("n").ok(), expected, "{value}");
        }
    }

    #[test]
    fn base64_of_either_alphabet() {
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(base64(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        for text in ["+_8=", "+/9=", "+/8==", "+/8=\n", "+/ 8=", "+", "é"] {
            assert_eq!(base64(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_left_is_unknown() {
        let mut fields = fields(json!({"a": {"b": 1}}));
        let inner = fields.some_object("a").unwrap();
        assert_eq!(inner.finish().unwrap_err().to_string(), "a.b is no known field");
        fields.finish().unwrap();
    }

    #[test]
    fn limits() {
        assert!(matches!(Fields::read(b"{ }", 2), Err(FormatError::TooLarge { found: 3, limit: 2 })));
        let error = fields(json!({"a": [1, 2]})).list("a", 1).unwrap_err();
        assert_eq!(error.to_string(), "a has 2 elements; at most 1 are read");
    }
}
