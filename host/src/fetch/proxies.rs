//! The list in GOPROXY (cmd/go/internal/modfetch/proxy.go, `proxyList` and `TryProxies`).

use super::address::{self, Base};
use crate::contract::Failure;

/// One entry. `direct` and `off` end the list, and mean the same to a checksum database.
#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) base: Base,
    /// Followed by `|`: the next one is tried after any error, not only after 404 and 410.
    pub(crate) fall_back_on_error: bool,
}

/// The list.
#[derive(Clone)]
pub(crate) struct ProxyList {
    pub(crate) proxies: Vec<Proxy>,
    /// Ends in `direct` or `off`.
    pub(crate) end: Option<End>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Direct,
    Off,
}

impl ProxyList {
    /// Texts of errors are cmd/go's.
    pub(crate) fn parse(goproxy: &str) -> Result<Self, String> {
        let mut list = Self { proxies: Vec::new(), end: None };
        for entry in goproxy.split_inclusive([',', '|']) {
            let fall_back_on_error = entry.ends_with('|');
            let text = entry.trim_end_matches([',', '|']).trim();
            match text {
                "" => continue,
                "direct" => list.end = Some(End::Direct),
                "off" => list.end = Some(End::Off),
                _ => {
                    let bare = text.contains(['.', ':', '/']) && !text.contains(":/") && !text.starts_with('/');
                    let base = if bare {
                        address::parse_proxy(&format!("https://{text}"))?
                    } else {
                        address::parse_proxy(text)?
                    };
                    list.proxies.push(Proxy { base, fall_back_on_error });
                }
            }
            if list.end.is_some() {
                break;
            }
        }
        if list.proxies.is_empty() && list.end.is_none() {
            return Err("GOPROXY list is not the empty string, but contains no entries".to_owned());
        }
        Ok(list)
    }
}

/// What a walk over the list came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Walk {
    /// This entry of the list serves the database.
    Proxy(usize),
    /// None does: ask the database itself.
    Direct,
    /// It cannot be known.
    Unavailable(Failure),
}

/// The state of `TryProxies`: an error that is not "not found" outlives later "not found"s, unless the list ends in
/// `direct`.
#[derive(Default)]
pub(crate) struct Walker {
    best: Option<Failure>,
}

impl Walker {
    /// Takes one proxy's answer; some: the walk ends here.
    pub(crate) fn answer(&mut self, index: usize, proxy: &Proxy, answer: Result<(), Failure>) -> Option<Walk> {
        match answer {
            Ok(()) => Some(Walk::Proxy(index)),
            Err(Failure::Absent) => None,
            Err(failure) => {
                self.best = Some(failure);
                (!proxy.fall_back_on_error).then_some(Walk::Unavailable(failure))
            }
        }
    }

    /// The list is over.
    pub(crate) fn end(self, end: Option<End>) -> Walk {
        match (end, self.best) {
            (Some(End::Direct), _) | (_, None) => Walk::Direct,
            (Some(End::Off) | None, Some(failure)) => Walk::Unavailable(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(list: &ProxyList) -> String {
        let mut out = String::new();
        for proxy in &list.proxies {
            out += &proxy.base.shown();
            out.push(if proxy.fall_back_on_error { '|' } else { ',' });
        }
        match list.end {
            Some(End::Direct) => out + "direct",
            Some(End::Off) => out + "off",
            None => out,
        }
    }

    #[test]
    fn lists() {
        let nothing = "!GOPROXY list is not the empty string, but contains no entries";
        for (goproxy, want) in [
            ("https://proxy.golang.org,direct", "https://proxy.golang.org/,direct"),
            (" https://a.test | http://b.test/x ,, off,https://c.test", "https://a.test/|http://b.test/x,off"),
            ("a.test", "https://a.test/,"),
            ("localhost:8080,direct,:", "https://localhost:8080/,direct"),
            ("file:///tmp/x", "/tmp/x,"),
            ("direct", "direct"),
            ("off", "off"),
            ("", nothing),
            (" , |", nothing),
            ("Direct", "!invalid proxy URL missing scheme: Direct"),
            ("/tmp", "!invalid proxy URL missing scheme: /tmp"),
            ("https://a.test,gopher://x", "!invalid proxy URL scheme (must be https, http, file): gopher://x"),
        ] {
            let got = ProxyList::parse(goproxy).map_or_else(|e| format!("!{e}"), |list| show(&list));
            assert_eq!(got, want, "{goproxy:?}");
        }
    }

    /// Each row: a list of answers (`+` supported, `4` 404, `5` any other error) with the separators between, and the
    /// outcome.
    #[test]
    fn walks() {
        let broken = Walk::Unavailable(Failure::ServerError);
        for (answers, end, want) in [
            ("+,", None, Walk::Proxy(0)),
            ("4,+,", None, Walk::Proxy(1)),
            ("4,", None, Walk::Direct),
            ("4,4,", Some(End::Off), Walk::Direct),
            ("", Some(End::Direct), Walk::Direct),
            ("", Some(End::Off), Walk::Direct),
            ("5,+,", Some(End::Direct), broken),
            ("5|+,", None, Walk::Proxy(1)),
            ("5|4,", Some(End::Direct), Walk::Direct),
            ("5|", Some(End::Direct), Walk::Direct),
            // As in TryProxies: without `direct`, the error is what is remembered.
            ("5|", None, broken),
            ("5|4,", None, broken),
            ("5|", Some(End::Off), broken),
            ("4|5,+,", None, broken),
        ] {
            let base = address::parse_proxy("https://p.test").expect("a good URL");
            let mut walker = Walker::default();
            let steps = answers.as_bytes().chunks(2).enumerate().find_map(|(i, step)| {
                let answer = match step[0] {
                    b'+' => Ok(()),
                    b'4' => Err(Failure::Absent),
                    _ => Err(Failure::ServerError),
                };
                walker.answer(i, &Proxy { base: base.clone(), fall_back_on_error: step[1] == b'|' }, answer)
            });
            assert_eq!(steps.unwrap_or_else(|| walker.end(end)), want, "{answers} {end:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_list_parses(goproxy: String) {
            let _ = ProxyList::parse(&goproxy);
        }

        #[test]
        fn no_error_shows_a_password(user in "[a-z]{1,9}", password in "SECRET[a-z0-9]{0,9}", tail in "[ -~]{0,12}") {
            if let Err(text) = ProxyList::parse(&format!("gopher://{user}:{password}@{tail}")) {
                proptest::prop_assert!(!text.contains("SECRET"), "{}", text);
            }
        }
    }
}
