//! JSON as TUF metadata must be written: one meaning, whoever reads it.
//!
//! Two readers that take the same signed bytes for different things are an attack waiting to be found, so what JSON
//! leaves open is refused: a key twice in one object, numbers that are no integers or that a double cannot hold (2^53 - 1,
//! as RFC 8259 section 6 and RFC 7493 advise; [`Numbers`] says where they may be), deep nesting, anything after the value,
//! a byte order mark.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may lie in each other. Metadata needs seven levels; what producers add, a few more.
pub const MAX_DEPTH: usize = 32;

/// The largest integer, in absolute value, that every reader of JSON holds exactly.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Which numbers may be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Integers up to [`MAX_INTEGER`]: where a number is part of what is judged.
    Integers,
    /// Whatever a double or 64 bits hold: where foreign data is carried along that nobody here judges by its numbers. An
    /// in-toto predicate repeats the event that GitHub sent, and that has fractions.
    Any,
}

/// Reads one value without fractions: [`parse_with`] [`Numbers::Integers`].
///
/// # Errors
///
/// serde_json's, with line and column, for what is not JSON or is refused (see the module).
pub fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    parse_with(bytes, Numbers::Integers)
}

/// Reads one value.
///
/// # Errors
///
/// serde_json's, with line and column, for what is not JSON or is refused (see the module).
pub fn parse_with(bytes: &[u8], numbers: Numbers) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = deserializer.deserialize_any(Strict { depth: 0, numbers })?;
    deserializer.end()?;
    Ok(value)
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
    numbers: Numbers,
}

impl Strict {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("more than {MAX_DEPTH} levels of nesting")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.numbers {
            Numbers::Integers => "JSON without fractions",
            Numbers::Any => "JSON",
        })
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        if self.numbers == Numbers::Integers && value.unsigned_abs() > MAX_INTEGER {
            return Err(E::custom(format_args!("the integer {value} is beyond 2^53 - 1")));
        }
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        if self.numbers == Numbers::Integers && value > MAX_INTEGER {
            return Err(E::custom(format_args!("the integer {value} is beyond 2^53 - 1")));
        }
        Ok(Value::Number(Number::from(value)))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        match (self.numbers, Number::from_f64(value)) {
            (Numbers::Any, Some(number)) => Ok(Value::Number(number)),
            _ => Err(E::custom(format_args!("the number {value} is no integer"))),
        }
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(inner)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if map.contains_key(&key) {
                return Err(de::Error::custom(format_args!("the key {key:?} twice in one object")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
