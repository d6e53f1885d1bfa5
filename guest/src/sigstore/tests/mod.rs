//! Tests over the recorded bundles of tests/fixtures/sigstore.

mod bundle;
mod legacy;
mod log;
mod peer;
mod root;
mod signature;

use std::fs;
use std::path::Path;

use serde_json::Value;

/// A file of tests/fixtures/sigstore.
pub(super) fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/sigstore");
    fs::read(folder.join(name)).expect("a fixture")
}

/// A recorded bundle or root, as JSON to be changed.
pub(super) fn json(name: &str) -> Value {
    serde_json::from_slice(&fixture(name)).expect("JSON")
}

/// The fixture with the value at a JSON pointer replaced; put there where nothing was, taken away for null.
pub(super) fn with(name: &str, changes: &[(&str, Value)]) -> Vec<u8> {
    let mut file = json(name);
    for (pointer, value) in changes {
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        let parent = file.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer} in {name}"));
        match parent {
            Value::Object(object) if value.is_null() => {
                object.remove(key).unwrap_or_else(|| panic!("{pointer} in {name}"));
            }
            Value::Object(object) => {
                object.insert(key.to_owned(), value.clone());
            }
            Value::Array(list) => list[key.parse::<usize>().expect("an index")] = value.clone(),
            _ => panic!("{pointer} in {name}"),
        }
    }
    serde_json::to_vec(&file).expect("JSON")
}
