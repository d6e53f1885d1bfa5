//! Attestations of modules, and what Rekor says.
//!
//! # Where attestations are
//! | place | where |
//! |---|---|
//! | proxies | `GET <proxy>/PATH/@v/VERSION.sigstore.json`, walked as for a zip; never `direct`, nor for GONOPROXY |
//! | a folder | the same names below it |
//! | a template | a URL with `{path}`, `{version}` and `{sha256}` in it |
//! | GitHub | `GET <api>/repos/OWNER/REPO/attestations/sha256:HEX` of the module's own repository |
//!
//! PATH and VERSION are escaped as in the module cache. Beside the zip in the module cache is the fifth place: the
//! files of this machine answer it. That there is no attestation (404, 410; of a proxy also 400, as some say of a
//! name that they do not know) is the usual answer, so nobody is told. What a page of GitHub's does not hold, 100, is
//! not asked for, and no `bundle_url` is followed: it would be a request to wherever the answer says.
//!
//! # Security
//! As for [the whole module](super); what comes is verified in the core. Besides:
//! - Which modules' names may go out is the core's to decide, which knows GOPRIVATE: what it asks for is asked.
//! - Only module versions that follow Go's rules, and digests of 64 hexadecimal digits, become part of a URL or a
//!   path, each percent-encoded as one element or several. A template has no placeholder outside of its path, so that
//!   no name decides which server is asked.
//! - GitHub's token goes to its API alone, over https or to this machine, and to no server that it redirects to.
//! - A log is asked over https, or on this machine; its path is made of clean elements. A POST is never redirected,
//!   and is sent again only where the server cannot have acted on it.

use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::utf8_percent_encode;
use reqwest::header::{ACCEPT, HeaderName, HeaderValue};
use url::{Host, Url};

use super::address::{self, Base, Credentials};
use super::proxies::{Walk, Walker};
use super::remote::{Ask, Secret};
use super::tuf::ELEMENT;
use super::{Expect, Fetcher};
use crate::ci::event::BaseUrl;
use crate::ci::github::Token;
use crate::contract::{AttestationPlace, AttestationsGet, Body, Failure, Origin, RekorGet};
use crate::modcache;
use modanchor_core::module::ModuleVersion;

/// The longest template, in bytes.
pub const MAX_TEMPLATE: usize = 2048;
/// GitHub's API.
pub const DEFAULT_GITHUB_API: &str = "https://api.github.com";
/// What paths of modules in GitHub's repositories begin with.
pub const DEFAULT_GITHUB_HOST: &str = "github.com";
/// The version of GitHub's API that is spoken (<https://docs.github.com/en/rest/about-the-rest-api/api-versions>).
const GITHUB_API_VERSION: &str = "2022-11-28";
/// How many attestations one answer of GitHub's may hold: its limit.
const PER_PAGE: &str = "per_page=100";
/// How an attestation's file is called, after the version.
const SUFFIX: &str = "sigstore.json";

/// Where attestations are, besides the module cache and the proxies.
#[derive(Debug, Clone, Default)]
pub struct AttestationSources {
    /// A folder that is laid out as a proxy is. Absolute.
    pub folder: Option<PathBuf>,
    /// A URL for each module version.
    pub template: Option<Template>,
    /// GitHub's API.
    pub github: Option<GitHubApi>,
}

/// Where GitHub's API is.
#[derive(Debug, Clone)]
pub struct GitHubApi {
    /// Its base URL.
    pub api_url: BaseUrl,
    /// What paths of modules in its repositories begin with: `github.com`, or the host of a GitHub Enterprise Server.
    pub host: String,
    /// With whose rights. None: those of everybody, 60 requests in an hour.
    pub token: Option<Token>,
}

impl GitHubApi {
    /// The URL for the attestations of a digest; none: the module is in none of its repositories.
    fn url(&self, module: &ModuleVersion, sha256: &str) -> Option<Url> {
        let mut elements = module.path().strip_prefix(&self.host)?.strip_prefix('/')?.split('/');
        let (owner, repository) = (elements.next()?, elements.next()?);
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !plain(owner) || !plain(repository) {
            return None;
        }
        let mut url = self.api_url.as_url().clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}/repos/{owner}/{repository}/attestations/sha256:{sha256}"));
        url.set_query(Some(PER_PAGE));
        Some(url)
    }
}

/// A URL with placeholders in its path: `https://attest.example/{path}/{version}.json`.
#[derive(Clone, PartialEq, Eq)]
pub struct Template {
    url: Url,
    credentials: Option<Credentials>,
    path: Vec<Part>,
}

/// As in messages: it may hold a password.
impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({}…)", address::shown(&self.url, self.credentials.is_some()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Path,
    Version,
    Sha256,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Over [`MAX_TEMPLATE`].
    #[error("longer than {MAX_TEMPLATE} bytes")]
    TooLong,
    /// Not a URL of a server.
    #[error("expected an https or http URL with a path")]
    NotAUrl,
    /// What the URL's parser says.
    #[error("{0}")]
    Url(String),
    /// A placeholder, or a brace, in the host, the credentials, the query or the fragment.
    #[error("placeholders may be in the path alone")]
    OutsideOfPath,
    /// A placeholder that does not exist.
    #[error("there is no placeholder {{{0}}}: expected {{path}}, {{version}} or {{sha256}}")]
    Unknown(String),
    /// A brace without its other half.
    #[error("an unbalanced {{ or }}")]
    Unbalanced,
    /// It would be the same for several module versions.
    #[error("must have {{sha256}}, or both {{path}} and {{version}}: it would mean the same for different modules")]
    Ambiguous,
    /// Elements that are empty, `.` or `..`, or what a URL would change.
    #[error("the path must be made of elements that are neither empty nor `.` or `..`, percent-encoded where needed")]
    Path,
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_TEMPLATE {
            return Err(TemplateError::TooLong);
        }
        let authority = text.find("://").ok_or(TemplateError::NotAUrl)? + 3;
        let slash = authority + text[authority..].find('/').ok_or(TemplateError::NotAUrl)?;
        let end = text.find(['?', '#']).unwrap_or(text.len());
        if end < slash {
            return Err(TemplateError::NotAUrl);
        }
        let (before, path, after) = (&text[..slash], &text[slash + 1..end], &text[end..]);
        if before.contains(['{', '}']) || after.contains(['{', '}']) {
            return Err(TemplateError::OutsideOfPath);
        }
        let Base::Server { url, credentials } =
            address::parse_repository(&format!("{before}/{after}")).map_err(TemplateError::Url)?
        else {
            return Err(TemplateError::NotAUrl);
        };
        let template = Self { url, credentials, path: parts(path)? };
        let has = |part| template.path.contains(&part);
        if !(has(Part::Sha256) || has(Part::Path) && has(Part::Version)) {
            return Err(TemplateError::Ambiguous);
        }
        // As it will be: every placeholder stands for something of this kind.
        match template.expand("a.test/b", "v1.0.0", &"0".repeat(64)) {
            Some(_) => Ok(template),
            None => Err(TemplateError::Path),
        }
    }
}

fn parts(mut text: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    while !text.is_empty() {
        let literal = text.find(['{', '}']).unwrap_or(text.len());
        if literal > 0 {
            parts.push(Part::Text(text[..literal].to_owned()));
        }
        text = &text[literal..];
        if text.is_empty() {
            break;
        }
        let inside = text.strip_prefix('{').ok_or(TemplateError::Unbalanced)?;
        let (name, rest) = inside.split_once('}').ok_or(TemplateError::Unbalanced)?;
        parts.push(match name {
            "path" => Part::Path,
            "version" => Part::Version,
            "sha256" => Part::Sha256,
            _ => return Err(TemplateError::Unknown(name.chars().flat_map(char::escape_debug).collect())),
        });
        text = rest;
    }
    Ok(parts)
}

impl Template {
    /// For messages.
    pub(super) fn needs_sha256(&self) -> bool {
        self.path.contains(&Part::Sha256)
    }

    /// The URL of a module version, both escaped; none: it would not be what the template says.
    fn expand(&self, path: &str, version: &str, sha256: &str) -> Option<Url> {
        let element = |text: &str| utf8_percent_encode(text, ELEMENT).to_string();
        let mut out = String::from("/");
        for part in &self.path {
            match part {
                Part::Text(text) => out += text,
                Part::Path => out += &path.split('/').map(element).collect::<Vec<_>>().join("/"),
                Part::Version => out += &element(version),
                Part::Sha256 => out += &element(sha256),
            }
        }
        let clean = out[1..].split('/').all(|element| !matches!(element, "" | "." | ".."));
        let mut url = self.url.clone();
        url.set_path(&out);
        (clean && url.path() == out).then_some(url)
    }
}

impl Fetcher {
    /// Reads attestations of a module.
    ///
    /// # Errors
    /// [`Failure::Absent`]: there is none, or no such place: none is configured, GOPROXY has no proxy for the module,
    /// it is not in a repository of GitHub's, or its digest is needed and not known. [`Failure::RateLimited`] where
    /// GitHub's allowance is used up.
    pub async fn attestations(&self, get: &AttestationsGet) -> Result<Body, Failure> {
        let module = modcache::checked(&get.module).map_err(|error| {
            self.note(error.to_string());
            error.failure()
        })?;
        let digest = Some(get.sha256.as_str()).filter(|hex| is_sha256(hex));
        let (path, version) = modcache::escaped(&module);
        let file = format!("{path}/@v/{version}.{SUFFIX}");
        let sources = &self.attestations;
        let content = match get.place {
            // The files of this machine answer it.
            AttestationPlace::ModuleCache => Err(Failure::Absent),
            AttestationPlace::Proxy => self.proxied(&module, &file, get.max_bytes).await,
            AttestationPlace::Folder => {
                let folder = sources.folder.clone().ok_or(Failure::Absent)?;
                self.read(&Base::Folder(folder).join(&file), get.max_bytes, Expect::Attestation).await
            }
            AttestationPlace::Template => {
                let template = sources.template.as_ref().ok_or(Failure::Absent)?;
                if digest.is_none() && template.needs_sha256() {
                    return Err(Failure::Absent);
                }
                // Names of modules follow rules that leave nothing for a URL to change.
                let url = template.expand(&path, &version, digest.unwrap_or_default()).ok_or(Failure::Storage)?;
                self.ask(&Ask::get(&url, template.credentials.as_ref(), get.max_bytes.into(), Expect::Attestation))
                    .await
            }
            AttestationPlace::Github => {
                let api = sources.github.as_ref().ok_or(Failure::Absent)?;
                let url = digest.and_then(|sha256| api.url(&module, sha256)).ok_or(Failure::Absent)?;
                self.ask_github(api, &url, get.max_bytes).await
            }
        };
        let origin = Origin::Remote;
        content.map(|content| Body { content, origin })
    }

    async fn ask_github(&self, api: &GitHubApi, url: &Url, max_bytes: u32) -> Result<Vec<u8>, Failure> {
        let token = api.token.as_ref().map(Token::authorization);
        let headers = [
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (HeaderName::from_static("x-github-api-version"), HeaderValue::from_static(GITHUB_API_VERSION)),
        ];
        let ask = Ask {
            secret: token.as_ref().map_or(Secret::OfNetrc, Secret::Token),
            headers: &headers,
            ..Ask::get(url, None, max_bytes.into(), Expect::Attestation)
        };
        self.ask(&ask).await
    }

    /// modfetch.TryProxies, of a file that no proxy needs to know of.
    async fn proxied(&self, module: &ModuleVersion, file: &str, max_bytes: u32) -> Result<Vec<u8>, Failure> {
        if self.noproxy.matching(module.path()).is_some() {
            return Err(Failure::Absent);
        }
        let mut walker = Walker::default();
        for (index, proxy) in self.goproxy.proxies.iter().enumerate() {
            match self.read(&proxy.base.join(file), max_bytes, Expect::ProxiedAttestation).await {
                Ok(content) => return Ok(content),
                Err(failure) => {
                    if let Some(Walk::Unavailable(failure)) = walker.answer(index, proxy, Err(failure)) {
                        return Err(failure);
                    }
                }
            }
        }
        match walker.end(None) {
            Walk::Unavailable(failure) => Err(failure),
            Walk::Proxy(_) | Walk::Direct => Err(Failure::Absent),
        }
    }

    /// Asks a Rekor.
    ///
    /// # Errors
    /// [`Failure::Absent`]: it knows no such entry. [`Failure::Storage`] for a URL or a path that is none.
    pub async fn rekor(&self, get: &RekorGet) -> Result<Body, Failure> {
        let (url, credentials) = rekor_url(&get.log, &get.path).map_err(|why| {
            self.note(format!("Rekor: {why}"));
            Failure::Storage
        })?;
        let headers = [(ACCEPT, HeaderValue::from_static("application/json"))];
        // A tile or a checkpoint of version 2 is no JSON.
        let json = get.post.is_some() || get.path.starts_with("api/v1/");
        let ask = Ask {
            headers: if json { &headers } else { &[] },
            post: get.post.as_deref(),
            ..Ask::get(&url, credentials.as_ref(), get.max_bytes.into(), Expect::Attestation)
        };
        let content = self.ask(&ask).await?;
        Ok(Body { content, origin: Origin::Remote })
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// The URL of a log's answer. The path may have a query, as in `api/v1/log/entries?logIndex=7`.
fn rekor_url(log: &str, path: &str) -> Result<(Url, Option<Credentials>), String> {
    let shown = || address::redact(log);
    let (Base::Server { url: base, credentials }, false) = (address::parse_repository(log)?, log.contains('?')) else {
        return Err(format!("{} is not the URL of a server without a query", shown()));
    };
    let loopback = match base.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    if base.scheme() != "https" && !loopback {
        return Err(format!("{} is not asked: expected https, or http on this machine", shown()));
    }
    let (elements, query) = path.split_once('?').map_or((path, None), |(elements, query)| (elements, Some(query)));
    let clean = |query: &str| query.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~=&".contains(&b));
    if !address::clean_path(elements) || !query.is_none_or(clean) {
        return Err(format!("refusing to ask for the path {path:?}"));
    }
    let Base::Server { mut url, .. } = (Base::Server { url: base, credentials: None }).join(elements) else {
        return Err(format!("{} is not the URL of a server", shown()));
    };
    url.set_query(query);
    Ok((url, credentials))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> ModuleVersion {
        ModuleVersion::check(path, "v1.0.0").expect("a module version")
    }

    #[test]
    fn templates() {
        for (text, want) in [
            ("https://h.test/{path}/@v/{version}.json", "https://h.test/ex.test/!my/@v/v1.0.0+incompatible.json"),
            ("http://h.test:8080/x/{sha256}?k=v", "http://h.test:8080/x/HEX?k=v"),
            ("https://u:p@h.test/{version}/{path}", "https://h.test/v1.0.0+incompatible/ex.test/!my"),
            ("https://h.test/a%20b/{sha256}{sha256}", "https://h.test/a%20b/HEXHEX"),
        ] {
            let template: Template = text.parse().expect(text);
            let hex = "0123456789abcdef".repeat(4);
            let url = template.expand("ex.test/!my", "v1.0.0+incompatible", &hex).expect(text);
            assert_eq!(url.as_str().replace(&hex, "HEX"), want);
            assert_eq!(template.credentials.is_some(), text.contains('@') && text.contains("u:p"), "{text}");
            assert!(!format!("{template:?}").contains("p@"), "{template:?}");
        }
    }

    #[test]
    fn what_is_no_template() {
        let long = format!("https://h.test/{{sha256}}/{}", "a".repeat(MAX_TEMPLATE));
        let unknown = |name: &str| TemplateError::Unknown(name.to_owned());
        for (text, want) in [
            (long.as_str(), TemplateError::TooLong),
            ("", TemplateError::NotAUrl),
            ("/srv/{path}/{version}", TemplateError::NotAUrl),
            ("https://h.test", TemplateError::NotAUrl),
            ("https://h.test?x=/{sha256}", TemplateError::NotAUrl),
            ("file:///srv/{sha256}", TemplateError::NotAUrl),
            ("https://{path}/{version}", TemplateError::OutsideOfPath),
            ("https://{sha256}.h.test/{sha256}", TemplateError::OutsideOfPath),
            ("https://h.test/{sha256}?m={path}", TemplateError::OutsideOfPath),
            ("https://h.test/{path}/{verison}", unknown("verison")),
            ("https://h.test/{}", unknown("")),
            ("https://h.test/{path/{version}", unknown("path/{version")),
            ("https://h.test/{path", TemplateError::Unbalanced),
            ("https://h.test/path}/{sha256}", TemplateError::Unbalanced),
            ("https://h.test/all.json", TemplateError::Ambiguous),
            ("https://h.test/{path}.json", TemplateError::Ambiguous),
            ("https://h.test/{version}.json", TemplateError::Ambiguous),
            ("https://h.test/../{sha256}", TemplateError::Path),
            ("https://h.test/%2e%2e/{sha256}", TemplateError::Path),
            ("https://h.test//{sha256}", TemplateError::Path),
            ("https://h.test/{sha256}/", TemplateError::Path),
            ("https://h.test/a b/{sha256}", TemplateError::Path),
        ] {
            assert_eq!(text.parse::<Template>(), Err(want), "{text}");
        }
        for text in [
            "gopher://h.test/{sha256}",
            "https:///{sha256}",
            "http://u:secret@h.test/{sha256}",
            "https://h.test/{sha256}#x",
        ] {
            let error = text.parse::<Template>().expect_err(text);
            assert!(matches!(&error, TemplateError::Url(why) if !why.contains("secret")), "{text}: {error}");
        }
    }

    #[test]
    fn repositories_of_modules() {
        let api = |api_url: &str, host: &str| GitHubApi {
            api_url: BaseUrl::parse(api_url).expect("a URL"),
            host: host.to_owned(),
            token: None,
        };
        let (public, enterprise) =
            (api(DEFAULT_GITHUB_API, DEFAULT_GITHUB_HOST), api("https://ghe.test/api/v3/", "ghe.test"));
        for (api, path, want) in [
            (&public, "github.com/BurntSushi/toml", Some("https://api.github.com/repos/BurntSushi/toml")),
            (&public, "github.com/a/b.c/d/v2", Some("https://api.github.com/repos/a/b.c")),
            (&public, "github.com/a", None),
            (&public, "github.community/a/b", None),
            (&public, "ghe.test/a/b", None),
            (&public, "github.com/a~b/c", None),
            (&enterprise, "ghe.test/a/b", Some("https://ghe.test/api/v3/repos/a/b")),
            (&enterprise, "github.com/a/b", None),
        ] {
            let version = if path.ends_with("/v2") { "v2.0.0" } else { "v1.0.0" };
            let module = ModuleVersion::check(path, version).expect(path);
            let want = want.map(|want| format!("{want}/attestations/sha256:00?per_page=100"));
            assert_eq!(api.url(&module, "00").map(String::from), want, "{path}");
        }
        assert!(public.url(&module("example.com/github.com/a"), "00").is_none());
    }

    #[test]
    fn urls_of_logs() {
        for (log, path, want) in [
            ("https://rekor.test", "api/v1/log/entries/24aa", Some("https://rekor.test/api/v1/log/entries/24aa")),
            ("https://rekor.test/", "tile/0/x001/234", Some("https://rekor.test/tile/0/x001/234")),
            (
                "https://rekor.test/a",
                "api/v1/log/entries?logIndex=7",
                Some("https://rekor.test/a/api/v1/log/entries?logIndex=7"),
            ),
            ("http://127.0.0.1:3000", "checkpoint", Some("http://127.0.0.1:3000/checkpoint")),
            ("http://localhost", "checkpoint", Some("http://localhost/checkpoint")),
            ("http://rekor.test", "checkpoint", None),
            ("http://localhost.rekor.test", "checkpoint", None),
            ("file:///srv", "checkpoint", None),
            ("/srv", "checkpoint", None),
            ("rekor.test", "checkpoint", None),
            ("https://rekor.test?x=", "checkpoint", None),
            ("https://rekor.test", "", None),
            ("https://rekor.test", "../checkpoint", None),
            ("https://rekor.test", "a//b", None),
            ("https://rekor.test", "/a", None),
            ("https://rekor.test", "a%2fb", None),
            ("https://rekor.test", "a\\b", None),
            ("https://rekor.test", "a#b", None),
            ("https://rekor.test", "a?b=c?d", None),
            ("https://rekor.test", "a?b=%00", None),
        ] {
            let found = rekor_url(log, path).ok().map(|(url, _)| url.to_string());
            assert_eq!(found.as_deref(), want, "{log} {path}");
        }
    }

    #[test]
    fn digests() {
        let hex = "0123456789abcdef".repeat(4);
        assert!(is_sha256(&hex));
        for text in ["", &hex[1..], &hex.to_uppercase(), &hex.replace('0', "g"), &format!("{hex}0")] {
            assert!(!is_sha256(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_template_leads_elsewhere(text in "https://h\\.test/([{}a-z0-9./?#%@:\\\\ -]|\\{path\\}|\\{version\\}|\\{sha256\\}|/){0,12}") {
            if let Ok(template) = text.parse::<Template>() {
                let url = template.expand("a.test/b", "v1.0.0", &"0".repeat(64)).expect("it was tried");
                proptest::prop_assert_eq!(url.host_str(), Some("h.test"));
                proptest::prop_assert!(!url.path().contains(['{', '}']), "{}", url);
            }
        }
    }
}
