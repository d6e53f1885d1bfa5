//! Several bundles in one file, as they come: a bundle alone, a list, a bundle on each line (`gh attestation download`, cosign), or
//! what GitHub's API answers, `{"attestations": [{"bundle": …}]}`
//! (docs.github.com/rest/repos/attestations, "List attestations").

use serde_json::Value;

use super::bundle::{Bundle, BundleError};
use super::protojson::{Fields, FormatError};
use crate::tuf::json;

/// The largest file, in bytes.
pub const MAX_BYTES: usize = 16 << 20;

/// The most bundles of one file: each may cost a dozen signatures.
pub const MAX_BUNDLES: usize = 100;

/// Reads the bundles of a file. One that cannot be read does not hide the others.
///
/// # Errors
///
/// The file is none of these, or larger than a limit of this module.
pub fn read(bytes: &[u8]) -> Result<Vec<Result<Bundle, BundleError>>, FormatError> {
    if bytes.len() > MAX_BYTES {
        return Err(FormatError::TooLarge { found: bytes.len(), limit: MAX_BYTES });
    }
    let values = match json::parse(bytes) {
        Ok(Value::Array(list)) => list,
        Ok(Value::Object(mut answer)) if answer.contains_key("attestations") => {
            let Some(Value::Array(list)) = answer.remove("attestations") else {
                return Err(FormatError::Not { at: "attestations".to_owned(), expected: "a list" });
            };
            list.into_iter().map(|mut one| one.get_mut("bundle").map(Value::take).unwrap_or_default()).collect()
        }
        Ok(value) => vec![value],
        Err(whole) => {
            let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
            let lines: Vec<&[u8]> = lines.take(MAX_BUNDLES + 1).collect();
            let values: Result<Vec<Value>, _> = lines.iter().map(|line| json::parse(line)).collect();
            match values {
                Ok(values) if values.len() > 1 => values,
                _ => return Err(FormatError::Json(whole)),
            }
        }
    };
    if values.len() > MAX_BUNDLES {
        return Err(FormatError::TooMany { at: "the file".to_owned(), found: values.len(), limit: MAX_BUNDLES });
    }
    let bundle = |value| Fields::of(value, String::new()).map_err(BundleError::from).and_then(Bundle::read);
    Ok(values.into_iter().map(bundle).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str) -> (usize, usize) {
        let all = read(text.as_bytes()).unwrap();
        (all.len(), all.iter().filter(|one| one.is_ok()).count())
    }

    #[test]
    fn every_form_is_taken_apart() {
        let bundle = include_str!("../../../tests/fixtures/sigstore-public/npm/v0.3.sigstore.json").trim();
        let bundle = serde_json::from_str::<Value>(bundle).unwrap().to_string();
        assert_eq!(count(&bundle), (1, 1));
        assert_eq!(count(&format!("[{bundle},{bundle}]")), (2, 2));
        assert_eq!(count(&format!("{bundle}\n\r\n{bundle}\n")), (2, 2));
        let answer = format!(r#"{{"attestations":[{{"bundle":{bundle},"repository_id":1}},{{"bundle":null}}]}}"#);
        assert_eq!(count(&answer), (2, 1));
        assert_eq!(count(r#"{"attestations":[]}"#), (0, 0));
        assert_eq!(count("[]"), (0, 0));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "<html>", "{", "{}\n<", r#"{"attestations":{}}"#] {
            assert!(read(text.as_bytes()).is_err(), "{text}");
        }
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert_eq!(count(&list(MAX_BUNDLES)).0, MAX_BUNDLES);
        assert!(read(list(MAX_BUNDLES + 1).as_bytes()).is_err());
        assert!(read(vec!["{}"; MAX_BUNDLES + 1].join("\n").as_bytes()).is_err());
        assert!(read(&vec![b' '; MAX_BYTES + 1]).is_err());
    }
}
