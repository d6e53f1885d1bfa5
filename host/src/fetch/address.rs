//! URLs as net/url reads them, what is shown of them, and where they must not lead.
//!
//! Settings are read with net/url's rules and error texts, then handed to the WHATWG parser of `url`, whose reading
//! alone is used from then on: what is checked is what is connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::{Host, Url};

/// A backslash is a path character for net/url, and a slash for browsers.
const PATH: &AsciiSet = &CONTROLS.add(b'\\');

/// A user name and password, only ever sent to the host that they stand beside.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Option<String>,
}

/// A root under which a checksum database, or a module proxy, has its files.
#[derive(Clone)]
pub(crate) enum Base {
    /// A folder on disk.
    Folder(PathBuf),
    /// A server. The URL holds no credentials.
    Server { url: Url, credentials: Option<Credentials> },
}

impl Base {
    /// web.Join: path elements are added at the end; a query stays.
    pub(crate) fn join(&self, path: &str) -> Self {
        match self {
            Base::Folder(folder) => Base::Folder(path.split('/').fold(folder.clone(), |dir, name| dir.join(name))),
            Base::Server { url, credentials } => {
                let mut url = url.clone();
                let joined = format!("{}/{path}", url.path().strip_suffix('/').unwrap_or(url.path()));
                url.set_path(&joined);
                Base::Server { url, credentials: credentials.clone() }
            }
        }
    }

    /// The folder above, if there is one. A query stays.
    pub(crate) fn parent(&self) -> Option<Self> {
        match self {
            Base::Folder(folder) => folder.parent().map(|folder| Base::Folder(folder.to_owned())),
            Base::Server { url, credentials } => {
                let path = url.path().strip_suffix('/').unwrap_or(url.path());
                let above = path.rsplit_once('/')?.0.to_owned();
                let mut url = url.clone();
                url.set_path(&above);
                Some(Base::Server { url, credentials: credentials.clone() })
            }
        }
    }

    /// For messages.
    pub(crate) fn shown(&self) -> String {
        match self {
            Base::Folder(path) => path.display().to_string(),
            Base::Server { url, credentials } => shown(url, credentials.is_some()),
        }
    }
}

/// A URL for messages: no user name (it may be a token), no password, no query (it may be a signature).
pub(crate) fn shown(url: &Url, had_credentials: bool) -> String {
    let mut out = format!("{}://", url.scheme());
    if had_credentials || !url.username().is_empty() || url.password().is_some() {
        out.push_str("xxxxx@");
    }
    out.push_str(url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        out.push_str(&format!(":{port}"));
    }
    out.push_str(url.path());
    if url.query().is_some() {
        out.push_str("?xxxxx");
    }
    out
}

/// [`shown`] for text that is no URL yet.
pub(crate) fn redact(raw: &str) -> String {
    let raw = raw.split_once(['?', '#']).map_or_else(|| raw.to_owned(), |(head, _)| format!("{head}?xxxxx"));
    let start = raw.find("//").map_or(0, |i| i + 2);
    let end = raw[start..].find('/').map_or(raw.len(), |i| start + i);
    let shown = match raw[start..end].rfind('@') {
        Some(at) => format!("{}xxxxx{}", &raw[..start], &raw[start + at..]),
        None => raw,
    };
    shown.chars().flat_map(char::escape_debug).collect()
}

/// One entry of GOPROXY as a base: modfetch.newProxyRepo, with its texts.
pub(crate) fn parse_proxy(raw: &str) -> Result<Base, String> {
    let parsed = GoUrl::parse(raw)?;
    match parsed.scheme.as_str() {
        "http" | "https" => parsed.server(raw),
        "file" => {
            if !parsed.authority.is_empty() || parsed.query.is_some() || parsed.fragment || !parsed.rooted {
                return Err(format!("invalid file:// proxy URL with non-path elements: {}", redact(raw)));
            }
            parsed.folder()
        }
        "" => Err(format!("invalid proxy URL missing scheme: {}", redact(raw))),
        _ => Err(format!("invalid proxy URL scheme (must be https, http, file): {}", redact(raw))),
    }
}

/// The URL in GOSUMDB: modfetch.dbDial and web.Get.
pub(crate) fn parse_sumdb_url(raw: &str) -> Result<Base, String> {
    let mut parsed = GoUrl::parse(raw).map_err(|text| format!("invalid GOSUMDB URL: {text}"))?;
    match parsed.scheme.as_str() {
        "file" => parsed.folder(),
        "" => {
            parsed.scheme = "https".to_owned();
            parsed.server(raw)
        }
        "http" | "https" => parsed.server(raw),
        _ => Err(format!("unsupported scheme: {}", redact(raw))),
    }
    .map_err(|text| if text.starts_with("invalid") { text } else { format!("invalid GOSUMDB URL: {text}") })
}

/// Where a TUF repository has its files: a URL, or an absolute path.
pub(crate) fn parse_repository(raw: &str) -> Result<Base, String> {
    if !raw.contains("://") {
        let path = PathBuf::from(raw);
        return match path.is_absolute() {
            true => Ok(Base::Folder(path)),
            false => Err(format!("neither an https, http or file URL nor an absolute path: {}", redact(raw))),
        };
    }
    let parsed = GoUrl::parse(raw)?;
    match parsed.scheme.as_str() {
        "http" | "https" | "file" if parsed.fragment => Err(format!("a URL with a fragment: {}", redact(raw))),
        "http" | "https" => parsed.server(raw),
        "file" if parsed.query.is_some() => Err(format!("a file URL with a query: {}", redact(raw))),
        "file" => parsed.folder(),
        _ => Err(format!("invalid URL scheme (must be https, http, file): {}", redact(raw))),
    }
}

/// The database itself, at `https://NAME`, for a name that [`check_database_name`] has passed.
pub(crate) fn direct(name: &str) -> Result<Base, String> {
    GoUrl::parse(&format!("https://{name}"))?.server(name)
}

/// A name becomes part of URLs and of paths on disk: only `host[/path]` of clean elements will do.
pub(crate) fn check_database_name(name: &str) -> Result<(), String> {
    let host_ok = name.split('/').next().is_some_and(|host| !host.is_empty() && !host.starts_with(':'));
    let element = |e: &str| clean_element(e, b"-._~:");
    match host_ok && name.split('/').all(element) && direct(name).is_ok() {
        true => Ok(()),
        false => Err(format!("invalid sumdb name (must be host[/path]): {}", redact(name))),
    }
}

/// Whether a path is of the kind that the core asks for: elements that are neither empty nor `.` or `..`, of the
/// characters that escaped module paths, versions and tiles are made of. Nothing that could mean something to a URL or
/// a file system.
pub(crate) fn clean_path(path: &str) -> bool {
    path.split('/').all(|element| clean_element(element, b"-._~!@+"))
}

fn clean_element(element: &str, also: &[u8]) -> bool {
    !matches!(element, "" | "." | "..") && element.bytes().all(|b| b.is_ascii_alphanumeric() || also.contains(&b))
}

/// What net/url's Parse makes of a text, as far as it matters here.
struct GoUrl {
    /// Lower case; empty: none.
    scheme: String,
    authority: String,
    /// As written.
    path: String,
    query: Option<String>,
    fragment: bool,
    /// Whether the path starts with a slash, or is empty after an authority.
    rooted: bool,
}

impl GoUrl {
    fn parse(raw: &str) -> Result<Self, String> {
        let (before, fragment) = raw.split_once('#').map_or((raw, false), |(head, _)| (head, true));
        Self::parse_parts(before, fragment).map_err(|text| format!("parse \"{}\": {text}", redact(before)))
    }

    fn parse_parts(raw: &str, fragment: bool) -> Result<Self, String> {
        if raw.bytes().any(|b| b < b' ' || b == 0x7f) {
            return Err("net/url: invalid control character in URL".to_owned());
        }
        if raw.is_empty() {
            return Err("empty url".to_owned());
        }
        let (scheme, rest) = split_scheme(raw)?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query.to_owned())));
        if !rest.starts_with('/') && scheme.is_empty() && rest.split('/').next().is_some_and(|s| s.contains(':')) {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) if !scheme.is_empty() || !rest.starts_with('/') => {
                rest.split_at(rest.find('/').unwrap_or(rest.len()))
            }
            _ => ("", rest),
        };
        check_authority(authority)?;
        check_escapes(path)?;
        let rooted = rest.starts_with('/');
        let (scheme, authority, path) = (scheme.to_ascii_lowercase(), authority.to_owned(), path.to_owned());
        Ok(Self { scheme, authority, path, query, fragment, rooted })
    }

    fn server(self, raw: &str) -> Result<Base, String> {
        let (userinfo, host) = match self.authority.rsplit_once('@') {
            Some((userinfo, host)) => (Some(userinfo), host),
            None => (None, self.authority.as_str()),
        };
        if host.is_empty() || host.starts_with(':') {
            return Err(format!("invalid URL without host: {}", redact(raw)));
        }
        let credentials = userinfo.filter(|text| !text.is_empty()).map(|text| {
            let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            let (user, password) = text.split_once(':').map_or((text, None), |(u, p)| (u, Some(p)));
            Credentials { user: decode(user), password: password.map(decode) }
        });
        if credentials.is_some() && self.scheme == "http" {
            return Err(format!("refusing to pass credentials to insecure URL: {}", redact(raw)));
        }
        let query = self.query.map_or_else(String::new, |query| format!("?{query}"));
        let text = format!("{}://{host}{}{query}", self.scheme, utf8_percent_encode(&self.path, PATH));
        let url = Url::parse(&text).map_err(|e| format!("parse \"{}\": {e}", redact(raw)))?;
        Ok(Base::Server { url, credentials })
    }

    fn folder(self) -> Result<Base, String> {
        if self.path.is_empty() {
            return Err("file URL missing path".to_owned());
        }
        if !self.rooted {
            return Err("path is not absolute".to_owned());
        }
        if !cfg!(windows) && !matches!(self.authority.as_str(), "" | "localhost") {
            return Err("file URL specifies non-local host".to_owned());
        }
        let path = Url::parse(&format!("file://{}{}", self.authority, utf8_percent_encode(&self.path, PATH)))
            .ok()
            .and_then(|url| url.to_file_path().ok())
            .filter(|path| path.is_absolute())
            .ok_or_else(|| "path is not absolute".to_owned())?;
        Ok(Base::Folder(path))
    }
}

/// net/url's getScheme.
fn split_scheme(raw: &str) -> Result<(&str, &str), String> {
    for (i, b) in raw.bytes().enumerate() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if i > 0 => {}
            b':' if i == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&raw[..i], &raw[i + 1..])),
            _ => break,
        }
    }
    Ok(("", raw))
}

/// net/url's parseAuthority and parseHost.
fn check_authority(authority: &str) -> Result<(), String> {
    let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let in_userinfo = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    if !userinfo.bytes().all(in_userinfo) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    check_escapes(userinfo)?;
    let colon_port = if host.starts_with('[') {
        let end = host.rfind(']').ok_or_else(|| "missing ']' in host".to_owned())?;
        &host[end + 1..]
    } else {
        host.rfind(':').map_or("", |i| &host[i..])
    };
    let digits = |text: &str| text.strip_prefix(':').is_some_and(|port| port.bytes().all(|b| b.is_ascii_digit()));
    if !colon_port.is_empty() && !digits(colon_port) {
        return Err(format!("invalid port {colon_port:?} after host"));
    }
    let in_host = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(c);
    match host.chars().find(|&c| !in_host(c)) {
        Some(c) => Err(format!("invalid character {:?} in host name", c.to_string())),
        None => check_escapes(host),
    }
}

/// net/url's unescape.
fn check_escapes(text: &str) -> Result<(), String> {
    let bytes = text.as_bytes();
    for (i, _) in text.match_indices('%') {
        if !(bytes.len() > i + 2 && bytes[i + 1].is_ascii_hexdigit() && bytes[i + 2].is_ascii_hexdigit()) {
            let bad: String = text[i..].chars().take(3).collect();
            return Err(format!("invalid URL escape {bad:?}"));
        }
    }
    Ok(())
}

/// Whether two URLs lead to the same server: what credentials are bound to.
pub(crate) fn same_server(a: &Url, b: &Url) -> bool {
    a.origin() == b.origin()
}

/// The server of a URL, as a key and for messages.
pub(crate) fn server(url: &Url) -> String {
    format!("{}://{}:{}", url.scheme(), url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}

/// Whether a URL names, without any look-up, a machine that is not on the public internet.
pub(crate) fn names_private_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => !is_public(ip.into()),
        Some(Host::Ipv6(ip)) => !is_public(ip.into()),
        Some(Host::Domain(name)) => is_localhost(name),
        None => true,
    }
}

/// RFC 6761, section 6.3.
fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Whether an address is reachable from everywhere: not one of the IANA special-purpose blocks (RFC 6890 and its
/// registries), and not an IPv6 address that stands for such an IPv4 one.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = (a, b, c) == (192, 0, 0);
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0 || a >= 240 || shared || protocol || benchmark)
        && !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_multicast() || ip.is_documentation())
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    let v4 = |hi: u16, lo: u16| Ipv4Addr::from((u32::from(hi) << 16) | u32::from(lo));
    match s {
        // Mapped and compatible (with ::1 and ::), NAT64, 6to4.
        [0, 0, 0, 0, 0, 0xffff, hi, lo] | [0x64, 0xff9b, 0, 0, 0, 0, hi, lo] => is_public_v4(v4(hi, lo)),
        [0, 0, 0, 0, 0, 0, ..] => false,
        [0x2002, hi, lo, ..] => is_public_v4(v4(hi, lo)),
        [0x64, 0xff9b, 1, ..] | [0x100, 0, 0, 0, ..] | [0x2001, 0x0db8, ..] | [0x3fff, ..] => false,
        // Teredo and the other protocol assignments.
        [0x2001, b, ..] if b < 0x200 => false,
        // Unique local, link and site local, multicast.
        [a, ..] => !(a & 0xfe00 == 0xfc00 || a & 0xff80 == 0xfe80 || a & 0xff00 == 0xff00),
    }
}

/// A name resolved to nothing but addresses that a public server must not send us to.
#[derive(Debug, thiserror::Error)]
#[error("redirected to a private address")]
pub(crate) struct PrivateAddress;

/// Resolves names to public addresses only: for redirects that come from public servers. Checked at the moment of
/// connecting, so that a name cannot change its mind between check and use.
pub(crate) struct PublicOnly;

impl reqwest::dns::Resolve for PublicOnly {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        Box::pin(async move {
            let public: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.filter(|addr| is_public(addr.ip())).collect();
            if public.is_empty() {
                return Err(PrivateAddress.into());
            }
            Ok(Box::new(public.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// The path of a database's folder below a cache.
pub(crate) fn below(root: &Path, clean: &str) -> PathBuf {
    clean.split('/').fold(root.to_owned(), |dir, name| dir.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_with_the_texts_of_go() {
        for (raw, want) in [
            ("https://p.test", "https://p.test/"),
            ("HTTPS://p.test/a%20b/", "https://p.test/a%20b/"),
            ("http://[::1]:80/x\\y", "http://[::1]/x%5Cy"),
            ("https://u:p%40w@p.test/x?tok=1", "https://xxxxx@p.test/x?xxxxx"),
            ("file:///a%20b", "/a b"),
            ("foo", "!invalid proxy URL missing scheme: foo"),
            ("/abs/path", "!invalid proxy URL missing scheme: /abs/path"),
            ("ftp://x", "!invalid proxy URL scheme (must be https, http, file): ftp://x"),
            ("file://h/x", "!invalid file:// proxy URL with non-path elements: file://h/x"),
            ("file:///x?q", "!invalid file:// proxy URL with non-path elements: file:///x?xxxxx"),
            ("file:x", "!invalid file:// proxy URL with non-path elements: file:x"),
            (":/x", "!parse \":/x\": missing protocol scheme"),
            ("https://a b/", "!parse \"https://a b/\": invalid character \" \" in host name"),
            ("https://h:x/", "!parse \"https://h:x/\": invalid port \":x\" after host"),
            ("https://h/%zz", "!parse \"https://h/%zz\": invalid URL escape \"%zz\""),
            ("https://[::1/", "!parse \"https://[::1/\": missing ']' in host"),
            ("https://u ser@h/", "!parse \"https://xxxxx@h/\": net/url: invalid userinfo"),
            ("https://h/\u{7f}", "!parse \"https://h/\\u{7f}\": net/url: invalid control character in URL"),
            ("http://u:p@h/", "!refusing to pass credentials to insecure URL: http://xxxxx@h/"),
            ("https:///x", "!invalid URL without host: https:///x"),
            ("1a:/b", "!parse \"1a:/b\": first path segment in URL cannot contain colon"),
        ] {
            let got = parse_proxy(raw).map_or_else(|e| format!("!{e}"), |base| base.shown());
            assert_eq!(got, want, "{raw:?}");
        }
    }

    #[test]
    fn joining_keeps_credentials_and_query_and_never_leaves_the_base() {
        let base = parse_proxy("https://u:secret@p.test/go/?k=v").expect("a good URL");
        let Base::Server { url, credentials } = base.join("sumdb/x.test/lookup/a.b/!c@v1.0.0+incompatible") else {
            panic!("not a server")
        };
        assert_eq!(url.as_str(), "https://p.test/go/sumdb/x.test/lookup/a.b/!c@v1.0.0+incompatible?k=v");
        assert!(credentials == Some(Credentials { user: "u".to_owned(), password: Some("secret".to_owned()) }));
    }

    #[test]
    fn names_and_paths_are_clean() {
        for name in ["sum.golang.org", "localhost:8080", "h.test/a/b"] {
            assert_eq!(check_database_name(name), Ok(()), "{name}");
        }
        for name in
            ["", "/", "h/", "h//a", "h/../x", "h/.", "..", "h\\x", "h?x", "h#x", "u@h", "h/%2e%2e", ":80", "h:x", "h x"]
        {
            assert!(check_database_name(name).is_err(), "{name}");
        }
        for path in
            ["lookup/golang.org/x/text@v0.3.0", "tile/8/0/x001/x234/067.p/12", "lookup/a.b/!c/v2@v2.0.0+incompatible"]
        {
            assert!(clean_path(path), "{path}");
        }
        for path in
            ["", "/a", "a/", "a//b", "../a", "a/./b", "a/..", "a\\b", "a?b", "a#b", "a%2fb", "a b", "a:b", "é", "a\0"]
        {
            assert!(!clean_path(path), "{path:?}");
        }
    }

    #[test]
    fn addresses() {
        for (ip, public) in [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("255.255.255.255", false),
            ("198.19.0.1", false),
            ("2606:4700::1", true),
            ("::1", false),
            ("::", false),
            ("::ffff:10.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::7f00:1", false),
            ("2002:7f00:1::", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(ip.parse().expect("an address")), public, "{ip}");
        }
    }

    #[tokio::test]
    async fn names_of_this_machine_do_not_resolve_to_public_addresses() {
        use reqwest::dns::Resolve;
        let Err(error) = PublicOnly.resolve("localhost".parse().expect("a name")).await else { panic!("resolved") };
        assert!(error.is::<PrivateAddress>(), "{error}");
    }
}
