//! The contract's values as JSON (docs/evidence.md, "Values of the contract as JSON").
//!
//! Records, variants and enums derive [`ContractJson`] from the names that the bindings carry. There is one text for every
//! value: whoever reads a value and writes it again gets the same bytes, and a reader relies on that ([`super::file`]).

use std::cell::Cell;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

pub use serde_json::Value;

use crate::contract::Holding;

/// The longest piece of foreign text in a message, in characters.
const MAX_QUOTED: usize = 80;

/// Foreign text for a message: its beginning. Whoever prints it escapes it.
pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_QUOTED) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Why JSON is no value of the contract.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Another kind of value.
    #[error("{0} expected")]
    Expected(&'static str),
    /// A number that is out of its type's range.
    #[error("a number that does not fit")]
    Range,
    /// A record lacks a field.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A record has a field that it should not have.
    #[error("`{}` is not known here", cut(.0))]
    Unknown(String),
    /// A variant has no such case.
    #[error("there is no case `{}`", cut(.0))]
    Case(String),
    /// A reference to bytes that are not in `contents`.
    #[error("{} is not in `contents`", cut(.0))]
    NoContent(String),
    /// The bytes that values refer to, each time that they do, are more than so many.
    #[error("values refer to more than {0} bytes in all")]
    Refers(usize),
    /// Bytes under another digest than their own.
    #[error("{} in `contents` is of other bytes", cut(.0))]
    Digest(String),
    /// Where one of the others is.
    #[error("{field}: {problem}")]
    In {
        /// The field.
        field: &'static str,
        /// What is wrong there.
        problem: Box<JsonError>,
    },
}

/// A value of the contract that has a JSON form.
pub trait ContractJson: Sized {
    /// Appends its one text.
    fn write(&self, out: &mut Writer);

    /// Reads it.
    ///
    /// # Errors
    ///
    /// See [`JsonError`].
    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError>;

    /// Appends a list of such values. Bytes have a form of their own.
    fn write_list(list: &[Self], out: &mut Writer) {
        out.raw("[");
        for (position, item) in list.iter().enumerate() {
            if position > 0 {
                out.raw(",");
            }
            item.write(out);
        }
        out.raw("]");
    }

    /// Reads such a list.
    ///
    /// # Errors
    ///
    /// See [`JsonError`].
    fn read_list(value: Value, contents: &Contents) -> Result<Vec<Self>, JsonError> {
        let Value::Array(list) = value else { return Err(JsonError::Expected("a list")) };
        list.into_iter().map(|item| Self::read(item, contents)).collect()
    }
}

/// Where values are written to, and the bytes that they refer to.
#[derive(Debug, Default)]
pub struct Writer {
    text: String,
    contents: BTreeMap<String, Vec<u8>>,
    referred: usize,
}

impl Writer {
    /// JSON as it is.
    pub fn raw(&mut self, json: &str) {
        self.text.push_str(json);
    }

    /// A string.
    pub fn string(&mut self, text: &str) {
        // Escapes what `JSON.stringify` escapes, and in the same way.
        self.text.push_str(&serde_json::to_string(text).expect("a string has a JSON form"));
    }

    /// A reference to bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let name = digest(bytes);
        self.referred = self.referred.saturating_add(bytes.len());
        self.text.push('"');
        self.text.push_str(&name);
        self.text.push('"');
        self.contents.entry(name).or_insert_with(|| bytes.to_vec());
    }

    /// `{"sha256:HEX": …}` of all bytes that were referred to.
    pub fn contents(&mut self) {
        let contents = std::mem::take(&mut self.contents);
        self.raw("{");
        for (position, (name, bytes)) in contents.into_iter().enumerate() {
            self.raw(if position == 0 { "\"" } else { ",\"" });
            self.raw(&name);
            self.raw("\":");
            match String::from_utf8(bytes) {
                Ok(text) => self.string(&text),
                Err(other) => {
                    self.raw("{\"base64\":\"");
                    STANDARD.encode_string(other.as_bytes(), &mut self.text);
                    self.raw("\"}");
                }
            }
        }
        self.raw("}");
    }

    /// How many bytes were referred to, each time that they were.
    #[must_use]
    pub const fn referred(&self) -> usize {
        self.referred
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// One value as text, with its bytes by their digests: equal exactly where the values are.
#[must_use]
pub fn text(value: &impl ContractJson) -> String {
    let mut out = Writer::default();
    value.write(&mut out);
    out.finish()
}

/// `sha256:HEX`.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", modanchor_core::hex::encode(&Sha256::digest(bytes)))
}

/// Bytes by the names that values refer to them by, each of which is their digest.
#[derive(Debug, Default)]
pub struct Contents {
    by_name: BTreeMap<String, Vec<u8>>,
    most: usize,
    left: Cell<usize>,
}

impl Contents {
    /// Reads the object that [`Writer::contents`] writes. Values may refer to `most` bytes in all: each reference makes a copy, and
    /// a few kilobytes of them could ask for more memory than there is.
    ///
    /// # Errors
    ///
    /// See [`JsonError`].
    pub fn read(value: Value, most: usize) -> Result<Self, JsonError> {
        let Value::Object(object) = value else { return Err(JsonError::Expected("an object")) };
        let mut contents = BTreeMap::new();
        for (name, value) in object {
            let bytes = match value {
                Value::String(text) => text.into_bytes(),
                Value::Object(mut object) => match object.remove("base64") {
                    Some(Value::String(text)) => STANDARD.decode(text).map_err(|_| JsonError::Expected("base64"))?,
                    _ => return Err(JsonError::Expected("a string or base64")),
                },
                _ => return Err(JsonError::Expected("a string or base64")),
            };
            if digest(&bytes) != name {
                return Err(JsonError::Digest(name));
            }
            contents.insert(name, bytes);
        }
        Ok(Self { by_name: contents, most, left: Cell::new(most) })
    }
}

/// A record that is being read.
#[derive(Debug)]
pub struct Object(serde_json::Map<String, Value>);

impl Object {
    /// Of an object.
    ///
    /// # Errors
    ///
    /// [`JsonError::Expected`].
    pub fn new(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::Object(object) => Ok(Self(object)),
            _ => Err(JsonError::Expected("an object")),
        }
    }

    /// Takes a field, unread.
    ///
    /// # Errors
    ///
    /// [`JsonError::Missing`].
    pub fn take(&mut self, name: &'static str) -> Result<Value, JsonError> {
        self.0.remove(name).ok_or(JsonError::Missing(name))
    }

    /// Takes a field.
    ///
    /// # Errors
    ///
    /// See [`JsonError`].
    pub fn field<T: ContractJson>(&mut self, name: &'static str, contents: &Contents) -> Result<T, JsonError> {
        T::read(self.take(name)?, contents).map_err(|problem| JsonError::In { field: name, problem: Box::new(problem) })
    }

    /// Ends the record.
    ///
    /// # Errors
    ///
    /// [`JsonError::Unknown`].
    pub fn end(self) -> Result<(), JsonError> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(JsonError::Unknown(name)),
        }
    }
}

/// A case of a variant that is being read.
#[derive(Debug)]
pub enum Case {
    /// Without a payload: its name.
    Bare(String),
    /// With a payload.
    Loaded(Payload),
}

/// A case's name and payload.
#[derive(Debug)]
pub struct Payload(String, Value);

impl Case {
    /// Of a string, or of an object with one key.
    ///
    /// # Errors
    ///
    /// [`JsonError::Expected`].
    pub fn new(value: Value) -> Result<Self, JsonError> {
        match value {
            Value::String(name) => Ok(Self::Bare(name)),
            Value::Object(object) if object.len() == 1 => {
                let mut fields = object.into_iter();
                let (name, value) = fields.next().ok_or(JsonError::Expected("a case"))?;
                Ok(Self::Loaded(Payload(name, value)))
            }
            _ => Err(JsonError::Expected("a case")),
        }
    }
}

impl Payload {
    /// The case's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// The payload.
    ///
    /// # Errors
    ///
    /// See [`JsonError`].
    pub fn read<T: ContractJson>(self, contents: &Contents) -> Result<T, JsonError> {
        T::read(self.1, contents)
    }
}

impl ContractJson for String {
    fn write(&self, out: &mut Writer) {
        out.string(self);
    }

    fn read(value: Value, _contents: &Contents) -> Result<Self, JsonError> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(JsonError::Expected("a string")),
        }
    }
}

impl ContractJson for bool {
    fn write(&self, out: &mut Writer) {
        out.raw(if *self { "true" } else { "false" });
    }

    fn read(value: Value, _contents: &Contents) -> Result<Self, JsonError> {
        value.as_bool().ok_or(JsonError::Expected("true or false"))
    }
}

impl ContractJson for u8 {
    fn write(&self, out: &mut Writer) {
        out.raw(&self.to_string());
    }

    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError> {
        Self::try_from(u32::read(value, contents)?).map_err(|_| JsonError::Range)
    }

    fn write_list(list: &[Self], out: &mut Writer) {
        out.bytes(list);
    }

    fn read_list(value: Value, contents: &Contents) -> Result<Vec<Self>, JsonError> {
        let Value::String(name) = value else { return Err(JsonError::Expected("a digest")) };
        let bytes = contents.by_name.get(&name);
        let bytes = bytes.ok_or(JsonError::NoContent(name))?;
        let left = contents.left.get().checked_sub(bytes.len()).ok_or(JsonError::Refers(contents.most))?;
        contents.left.set(left);
        Ok(bytes.clone())
    }
}

impl ContractJson for u32 {
    fn write(&self, out: &mut Writer) {
        out.raw(&self.to_string());
    }

    fn read(value: Value, _contents: &Contents) -> Result<Self, JsonError> {
        let number = value.as_u64().ok_or(JsonError::Expected("a number"))?;
        Self::try_from(number).map_err(|_| JsonError::Range)
    }
}

impl ContractJson for u64 {
    fn write(&self, out: &mut Writer) {
        out.raw(&format!("\"{self}\""));
    }

    fn read(value: Value, _contents: &Contents) -> Result<Self, JsonError> {
        let text = value.as_str().ok_or(JsonError::Expected("a number in a string"))?;
        text.parse().map_err(|_| JsonError::Range)
    }
}

impl<T: ContractJson> ContractJson for Vec<T> {
    fn write(&self, out: &mut Writer) {
        T::write_list(self, out);
    }

    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError> {
        T::read_list(value, contents)
    }
}

impl<T: ContractJson> ContractJson for Option<T> {
    fn write(&self, out: &mut Writer) {
        match self {
            None => out.raw("null"),
            Some(value) => value.write(out),
        }
    }

    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError> {
        match value {
            Value::Null => Ok(None),
            value => T::read(value, contents).map(Some),
        }
    }
}

impl<A: ContractJson, B: ContractJson> ContractJson for (A, B) {
    fn write(&self, out: &mut Writer) {
        out.raw("[");
        self.0.write(out);
        out.raw(",");
        self.1.write(out);
        out.raw("]");
    }

    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError> {
        let Value::Array(list) = value else { return Err(JsonError::Expected("a pair")) };
        let [first, second] = <[Value; 2]>::try_from(list).map_err(|_| JsonError::Expected("a pair"))?;
        Ok((A::read(first, contents)?, B::read(second, contents)?))
    }
}

impl<T: ContractJson, E: ContractJson> ContractJson for Result<T, E> {
    fn write(&self, out: &mut Writer) {
        match self {
            Ok(value) => {
                out.raw("{\"ok\":");
                value.write(out);
            }
            Err(error) => {
                out.raw("{\"error\":");
                error.write(out);
            }
        }
        out.raw("}");
    }

    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError> {
        match Case::new(value)? {
            Case::Loaded(payload) if payload.name() == "ok" => payload.read(contents).map(Ok),
            Case::Loaded(payload) if payload.name() == "error" => payload.read(contents).map(Err),
            Case::Loaded(Payload(name, _)) | Case::Bare(name) => Err(JsonError::Case(name)),
        }
    }
}

/// The names of the flags, in the contract's order: wasmtime's bindings of flags keep none.
const HOLDINGS: [(Holding, &str); 5] = [
    (Holding::ZIP, "zip"),
    (Holding::DIR, "dir"),
    (Holding::GO_MOD, "go-mod"),
    (Holding::INFO, "info"),
    (Holding::ZIP_HASH, "zip-hash"),
];

impl ContractJson for Holding {
    fn write(&self, out: &mut Writer) {
        let set = HOLDINGS.iter().filter(|(flag, _)| self.contains(*flag));
        let names: Vec<String> = set.map(|(_, name)| (*name).to_owned()).collect();
        names.write(out);
    }

    fn read(value: Value, contents: &Contents) -> Result<Self, JsonError> {
        let mut set = Self::default();
        for name in Vec::<String>::read(value, contents)? {
            let known = HOLDINGS.iter().find(|(_, known)| *known == name);
            set |= known.ok_or(JsonError::Case(name))?.0;
        }
        Ok(set)
    }
}
