//! HTTP_PROXY, HTTPS_PROXY and NO_PROXY as Go reads them (golang.org/x/net/http/httpproxy).

use std::net::IpAddr;

use url::Url;

use super::address::redact;
use crate::goenv::{GoEnvError, Sources};

/// The proxy settings of the environment.
#[derive(Clone, Default)]
pub struct HttpProxies {
    http: Option<Url>,
    https: Option<Url>,
    /// A CGI script's HTTP_PROXY may be a header of the request that it answers (<https://golang.org/s/cgihttpproxy>).
    cgi: bool,
    except: Vec<Exception>,
}

#[derive(Clone)]
enum Exception {
    Everything,
    Network { address: IpAddr, bits: u8 },
    Address { address: IpAddr, port: Option<String> },
    Domain { suffix: String, itself: bool, port: Option<String> },
}

/// Why the settings make no sense.
#[derive(Debug, thiserror::Error)]
pub enum HttpProxyError {
    /// The environment.
    #[error(transparent)]
    Environment(#[from] GoEnvError),
    /// Not a URL, nor `host[:port]`.
    #[error("invalid proxy address {0:?}")]
    Address(String),
    /// A scheme other than http, https, socks5 and socks5h.
    #[error("unsupported scheme of proxy address {0:?}")]
    Scheme(String),
}

/// HTTP_PROXY must not be used in a CGI environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("refusing to use HTTP_PROXY value in CGI environment; see golang.org/s/cgihttpproxy")]
pub(crate) struct RefusedInCgi;

impl HttpProxies {
    /// httpproxy.FromEnvironment. Upper case comes first. Where Go goes on without a proxy that it cannot parse, this
    /// is an error: traffic that was meant for a proxy does not go past it.
    pub fn from_sources(sources: &Sources) -> Result<Self, HttpProxyError> {
        let any = |upper, lower| Ok::<_, GoEnvError>(sources.text(upper)?.or(sources.text(lower)?));
        let proxy = |text: Option<&str>| text.map(parse_proxy).transpose();
        Ok(Self {
            http: proxy(any("HTTP_PROXY", "http_proxy")?)?,
            https: proxy(any("HTTPS_PROXY", "https_proxy")?)?,
            cgi: sources.os("REQUEST_METHOD").is_some(),
            except: any("NO_PROXY", "no_proxy")?.map_or_else(Vec::new, parse_exceptions),
        })
    }

    /// The proxy for a URL; none: connect directly. This machine is never reached through a proxy.
    pub(crate) fn find(&self, url: &Url) -> Result<Option<&Url>, RefusedInCgi> {
        let proxy = match url.scheme() {
            "https" => self.https.as_ref(),
            "http" if self.cgi && self.http.is_some() => return Err(RefusedInCgi),
            "http" => self.http.as_ref(),
            _ => None,
        };
        let Some(host) = url.host_str().filter(|_| proxy.is_some()) else {
            return Ok(None);
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = url.port_or_known_default().unwrap_or(0).to_string();
        let ip: Option<IpAddr> = host.parse().ok().map(|ip: IpAddr| ip.to_canonical());
        if host == "localhost" || ip.is_some_and(|ip| ip.is_loopback()) {
            return Ok(None);
        }
        Ok(proxy.filter(|_| !self.except.iter().any(|exception| exception.matches(&host, &port, ip))))
    }
}

/// httpproxy.parseProxy.
fn parse_proxy(text: &str) -> Result<Url, HttpProxyError> {
    let bad = || HttpProxyError::Address(redact(text));
    let url = match Url::parse(text) {
        Ok(url) if url.has_host() => url,
        // A `host:port`, which may look like a scheme.
        _ if !text.contains("://") => Url::parse(&format!("http://{text}")).map_err(|_| bad())?,
        _ => return Err(bad()),
    };
    match url.scheme() {
        "http" | "https" | "socks5h" => Ok(url),
        // Go lets the proxy resolve names for both; here that is the meaning of the `h`.
        "socks5" => Url::parse(&url.as_str().replacen("socks5", "socks5h", 1)).map_err(|_| bad()),
        _ => Err(HttpProxyError::Scheme(redact(text))),
    }
}

fn parse_exceptions(text: &str) -> Vec<Exception> {
    let mut found = Vec::new();
    for entry in text.split(',').map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()) {
        if entry == "*" {
            return vec![Exception::Everything];
        }
        if let Some((address, bits)) = entry.split_once('/') {
            let parsed = address.parse::<IpAddr>().ok().zip(bits.parse::<u8>().ok());
            let width = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
            if let Some((address, bits)) = parsed.filter(|&(address, bits)| bits <= width(address)) {
                found.push(Exception::Network { address, bits });
                continue;
            }
        }
        let (host, port) = split_port(&entry);
        if host.is_empty() {
            continue;
        }
        let port = port.map(str::to_owned).filter(|port| !port.is_empty());
        if let Ok(address) = host.parse::<IpAddr>() {
            found.push(Exception::Address { address: address.to_canonical(), port });
            continue;
        }
        let host = host.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(host);
        let (bare, itself) = host.strip_prefix('.').map_or((host, true), |bare| (bare, false));
        let ascii = url::Host::parse(bare).map_or_else(|_| bare.to_owned(), |host| host.to_string());
        found.push(Exception::Domain { suffix: format!(".{ascii}"), itself, port });
    }
    found
}

/// net.SplitHostPort; what is not `host:port` is a host.
fn split_port(entry: &str) -> (&str, Option<&str>) {
    if let Some(rest) = entry.strip_prefix('[') {
        if let Some((host, port)) = rest.split_once("]:") {
            return (host, Some(port));
        }
        return (entry, None);
    }
    match entry.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (entry, None),
    }
}

impl Exception {
    fn matches(&self, host: &str, port: &str, ip: Option<IpAddr>) -> bool {
        let right_port = |wanted: &Option<String>| wanted.as_deref().is_none_or(|wanted| wanted == port);
        match self {
            Exception::Everything => true,
            Exception::Network { address, bits } => ip.is_some_and(|ip| in_network(ip, *address, *bits)),
            Exception::Address { address, port } => ip == Some(*address) && right_port(port),
            Exception::Domain { suffix, itself, port } => {
                ip.is_none() && (host.ends_with(suffix.as_str()) || *itself && host == &suffix[1..]) && right_port(port)
            }
        }
    }
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            (a.to_bits() ^ b.to_bits()).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(pairs: &[(&str, &str)]) -> HttpProxies {
        HttpProxies::from_sources(&Sources::of(pairs.iter().copied())).expect("good settings")
    }

    fn find(proxies: &HttpProxies, url: &str) -> Option<String> {
        proxies.find(&url.parse().expect("a URL")).expect("not CGI").map(Url::to_string)
    }

    /// The table of golang.org/x/net/http/httpproxy's TestUseProxy, and a little more.
    #[test]
    fn no_proxy() {
        let no_proxy = "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, \
                        2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64, with.port:8080";
        let proxies = proxies(&[("http_proxy", "p.test:3128"), ("NO_PROXY", no_proxy)]);
        for (host, used) in [
            ("localhost", false),
            ("127.0.0.1", false),
            ("127.0.0.2", false),
            ("[::1]", false),
            ("[::2]", true),
            ("192.168.1.1", false),
            ("192.168.1.2", true),
            ("192.168.1.3", false),
            ("192.168.1.4", true),
            ("10.0.0.2", false),
            ("10.0.0.9", true),
            ("[2001:db8::52:0:1]", false),
            ("[2001:db8::52:0:2]", true),
            ("[2001:db8::52:0:3]", false),
            ("[2002:db8:a::123]", false),
            ("[fe80::424b:c8be:1643:a1b6]", true),
            ("barbaz.net", true),
            ("www.barbaz.net", false),
            ("foobar.com", false),
            ("www.foobar.com", false),
            ("WWW.FOOBAR.com", false),
            ("foofoobar.com", true),
            ("baz.com", true),
            ("localhost.net", true),
            ("wildcard.io", true),
            ("nested.wildcard.io", false),
            ("awildcard.io", true),
            ("with.port", true),
            ("with.port:8080", false),
        ] {
            assert_eq!(find(&proxies, &format!("http://{host}/x")).is_some(), used, "{host}");
        }
        assert_eq!(find(&proxies, "https://baz.com/"), None);
    }

    #[test]
    fn forms_of_a_proxy() {
        for (value, want) in [
            ("p.test:3128", "http://p.test:3128/"),
            ("p.test", "http://p.test/"),
            ("https://p.test", "https://p.test/"),
            ("socks5://p.test:1080", "socks5h://p.test:1080"),
        ] {
            let upper = proxies(&[("HTTPS_PROXY", value), ("https_proxy", "http://lower.test")]);
            assert_eq!(find(&upper, "https://x.test/").as_deref(), Some(want), "{value}");
        }
        let refused = |value| HttpProxies::from_sources(&Sources::of([("HTTP_PROXY", value)])).is_err();
        assert!(refused("http://a b"));
        assert!(refused("ftp://p.test"));
        assert_eq!(find(&proxies(&[("HTTP_PROXY", "p.test"), ("NO_PROXY", "a,*")]), "http://x.test"), None);
    }

    #[test]
    fn cgi() {
        let proxies = proxies(&[("HTTP_PROXY", "p.test"), ("REQUEST_METHOD", "GET")]);
        assert_eq!(proxies.find(&"http://x.test".parse().expect("a URL")).err(), Some(RefusedInCgi));
    }
}
