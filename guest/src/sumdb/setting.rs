//! GOSUMDB, in all its forms (cmd/go/internal/modfetch/sumdb.go and key.go).
//!
//! | value | meaning |
//! |---|---|
//! | `off` | no checksum database |
//! | `NAME+HASH+KEY` | the database with this verifier key |
//! | `sum.golang.org` | the same, with the key that cmd/go knows |
//! | either of these, a space, and a URL | reached at that URL alone, past all proxies |
//! | `sum.golang.google.cn` | `sum.golang.org https://sum.golang.google.cn` |
//!
//! The core gets the key out of it, the host the URL.

use super::note::{KeyError, Verifier};

/// The databases whose keys cmd/go knows, by name.
const KNOWN: [(&str, &str); 1] =
    [("sum.golang.org", "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")];

/// Other whole settings, and what they stand for.
const ALIASES: [(&str, &str); 1] = [("sum.golang.google.cn", "sum.golang.org https://sum.golang.google.cn")];

/// The longest setting.
pub const MAX_BYTES: usize = 4096;

/// What GOSUMDB says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// `off`.
    Off,
    /// Ask this database.
    Database {
        /// Its name: `HOST` or `HOST/PATH`, in plain ASCII. Safe as a relative path and after `https://`.
        name: String,
        /// Its whole verifier key, which [`Verifier::parse`] reads.
        key: String,
        /// Where it is, if not at `https://NAME` or behind a proxy: an http, https or file URL, otherwise unchecked.
        url: Option<String>,
    },
}

/// Why GOSUMDB makes no sense. The texts are cmd/go's as far as it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// Nothing but white space.
    #[error("missing GOSUMDB")]
    Missing,
    /// More than a key and a URL.
    #[error("invalid GOSUMDB: too many fields")]
    TooManyFields,
    /// More than [`MAX_BYTES`].
    #[error("invalid GOSUMDB: more than {MAX_BYTES} bytes")]
    TooLong,
    /// The key cannot be used, or the name is not known.
    #[error("invalid GOSUMDB: {0}")]
    Key(#[from] KeyError),
    /// The name is no host and path.
    #[error("invalid sumdb name (must be host[/path]): {0}")]
    Name(String),
    /// The URL is none that can be fetched. Without the URL: it may hold a password.
    #[error("invalid GOSUMDB URL: not an absolute http, https or file URL")]
    Url,
}

impl Setting {
    /// Reads a value of GOSUMDB. `off` and the aliases must be the whole value, without white space around them.
    ///
    /// # Errors
    ///
    /// [`SettingError`].
    pub fn parse(value: &str) -> Result<Self, SettingError> {
        if value.len() > MAX_BYTES {
            return Err(SettingError::TooLong);
        }
        if value == "off" {
            return Ok(Self::Off);
        }
        let mut fields = find(&ALIASES, value).unwrap_or(value).split_whitespace();
        let key = fields.next().ok_or(SettingError::Missing)?;
        let url = fields.next();
        if fields.next().is_some() {
            return Err(SettingError::TooManyFields);
        }
        let key = find(&KNOWN, key).unwrap_or(key);
        let verifier = Verifier::parse(key)?;
        if !is_database_name(verifier.name()) {
            return Err(SettingError::Name(verifier.name().to_owned()));
        }
        if url.is_some_and(|url| !is_fetchable(url)) {
            return Err(SettingError::Url);
        }
        Ok(Self::Database { name: verifier.name().to_owned(), key: key.to_owned(), url: url.map(str::to_owned) })
    }
}

fn find<'a>(table: &[(&str, &'a str)], name: &str) -> Option<&'a str> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// `host[:port][/path]` of letters, digits, `-`, `.`, `_` and `~`. Go also takes what url.Parse does not change;
/// here no name can leave the folder that it names, or become another part of a URL.
fn is_database_name(name: &str) -> bool {
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
    let (authority, path) = name.split_once('/').map_or((name, None), |(authority, path)| (authority, Some(path)));
    let (host, port) = authority.split_once(':').unwrap_or((authority, "0"));
    let element = |text: &str| plain(text) && !["", ".", ".."].contains(&text);
    element(host) && port.parse::<u16>().is_ok() && path.is_none_or(|path| path.split('/').all(element))
}

fn is_fetchable(url: &str) -> bool {
    let clean = url.chars().all(|c| !c.is_control());
    let after =
        |scheme: &str| url.get(..scheme.len()).filter(|s| s.eq_ignore_ascii_case(scheme)).map(|s| &url[s.len()..]);
    let web = ["https://", "http://"].iter().find_map(|scheme| after(scheme));
    clean
        && (web.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
            || after("file:///").is_some())
}
