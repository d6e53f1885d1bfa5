//! Fields of JSON objects, with errors that say which.

use serde_json::{Map, Value};

/// A field that is not what the format says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at} {problem}")]
pub struct FieldError {
    /// Where: `predicate.builder.id`.
    pub at: String,
    /// In words that fit behind it.
    pub problem: &'static str,
}

/// An object, and where it is.
#[derive(Clone)]
pub(super) struct Object<'a> {
    pub(super) map: &'a Map<String, Value>,
    at: String,
}

impl<'a> Object<'a> {
    /// `value`, which is at `at`.
    pub(super) fn new(value: &'a Value, at: String) -> Result<Self, FieldError> {
        match value {
            Value::Object(map) => Ok(Self { map, at }),
            _ => Err(FieldError { at, problem: "is no object" }),
        }
    }

    /// `map`, which is at `at`.
    pub(super) fn of(map: &'a Map<String, Value>, at: &str) -> Self {
        Self { map, at: at.to_owned() }
    }

    /// Where the field `key` is.
    pub(super) fn place(&self, key: &str) -> String {
        if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) }
    }

    /// An error about the field `key`.
    pub(super) fn wrong(&self, key: &str, problem: &'static str) -> FieldError {
        FieldError { at: self.place(key), problem }
    }

    /// The field `key`; null is as good as none.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// A text that has to be there, and is not empty.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, FieldError> {
        self.maybe_text(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// A text that may be there. Empty is as good as none: producers write one for the other.
    pub(super) fn maybe_text(&self, key: &str) -> Result<Option<&'a str>, FieldError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(key, "is no text")),
        }
    }

    /// An object that has to be there.
    pub(super) fn object(&self, key: &str) -> Result<Self, FieldError> {
        self.maybe_object(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// An object that may be there.
    pub(super) fn maybe_object(&self, key: &str) -> Result<Option<Self>, FieldError> {
        self.get(key).map(|value| Self::new(value, self.place(key))).transpose()
    }

    /// A list that may be there.
    pub(super) fn list(&self, key: &str) -> Result<&'a [Value], FieldError> {
        match self.get(key) {
            None => Ok(&[]),
            Some(Value::Array(items)) => Ok(items),
            Some(_) => Err(self.wrong(key, "is no list")),
        }
    }
}
