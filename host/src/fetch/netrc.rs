//! Credentials from a netrc file, as cmd/go reads it (cmd/go/internal/auth/netrc.go, auth.go `loadCredential`).

use std::collections::HashMap;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::address::Credentials;

/// Size limit of a netrc file, in bytes.
pub const MAX_NETRC: u64 = 1 << 20;

/// Credentials by `host[:port][/path]` prefix.
#[derive(Clone, Default)]
pub(crate) struct Netrc(HashMap<String, Credentials>);

impl Netrc {
    /// A file that is not there holds none.
    pub(crate) fn read(path: &Path) -> std::io::Result<Self> {
        let mut data = Vec::new();
        match std::fs::File::open(path) {
            Ok(file) => file.take(MAX_NETRC + 1).read_to_end(&mut data)?,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(e) => return Err(e),
        };
        if data.len() as u64 > MAX_NETRC {
            return Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("larger than {MAX_NETRC} bytes")));
        }
        Ok(Self::parse(&String::from_utf8_lossy(&data)))
    }

    /// Pairs of words, line by line; the first entry of a machine wins; `default` is never used.
    pub(crate) fn parse(data: &str) -> Self {
        let mut found = HashMap::new();
        let (mut machine, mut login, mut password) = ("", "", "");
        let mut in_macro = false;
        for line in data.split('\n') {
            if in_macro {
                in_macro = !line.is_empty();
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let pairs = words.chunks_exact(2);
            let last = pairs.remainder().first();
            for pair in pairs {
                match pair[0] {
                    "machine" => (machine, login, password) = (pair[1], "", ""),
                    "login" => login = pair[1],
                    "password" => password = pair[1],
                    "macdef" => in_macro = true,
                    _ => {}
                }
                if !machine.is_empty() && !login.is_empty() && !password.is_empty() {
                    let prefix = machine.strip_prefix("https://").unwrap_or(machine);
                    let prefix = prefix.strip_suffix('/').unwrap_or(prefix).to_owned();
                    let credentials = Credentials { user: login.to_owned(), password: Some(password.to_owned()) };
                    found.entry(prefix).or_insert(credentials);
                    (machine, login, password) = ("", "", "");
                }
            }
            if last == Some(&"default") {
                break;
            }
        }
        Self(found)
    }

    /// The credentials for an https URL: those of its longest prefix that ends before a slash.
    pub(crate) fn find(&self, url: &url::Url) -> Option<&Credentials> {
        let text = url.as_str().strip_prefix("https://")?;
        let mut prefix = text.strip_suffix('/').unwrap_or(text);
        loop {
            match self.0.get(prefix) {
                Some(found) => return Some(found),
                None => prefix = &prefix[..prefix.rfind('/')?],
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// cmd/go/internal/auth/netrc_test.go has the same shapes: macros, defaults, words over several lines.
    const NETRC: &str = "\
machine incomplete\nmachine api.test\n  login user\n  password pwd\n\nmachine incomlete.host\n  password justone\n\n\
machine api.test\n  login second\n  password no\nmachine test.host login user2 password pwd2\nmachine oneline login user3 \
password pwd3\nmachine ignore.host macdef ignore\n  login nobody\n  password nothing\n\nmachine hasmacro.too macdef ignore-next-lines \
login user4 password pwd4\n  login nobody\n\nmachine p.test/deep/er login deep password d\nmachine port.test:8443 login port password p\n\
default login anonymous password gopher@golang.org\nmachine after.default login oops password too-late-in-default\ndefault\n\
machine late login x password y\n";

    #[test]
    fn finds_what_cmd_go_finds() {
        let netrc = Netrc::parse(NETRC);
        for (url, user) in [
            ("https://api.test/x/y", Some("user")),
            ("https://test.host/", Some("user2")),
            ("https://oneline", Some("user3")),
            ("https://hasmacro.too/a", Some("user4")),
            ("https://p.test/deep/er/x", Some("deep")),
            ("https://p.test/deep/erx", None),
            ("https://p.test/deep", None),
            ("https://port.test:8443/x", Some("port")),
            ("https://port.test/x", None),
            ("https://ignore.host/", None),
            ("https://incomplete/", None),
            ("https://unknown.test/", None),
            ("https://after.default/", Some("oops")),
            ("https://late/", None),
            ("http://api.test/", None),
        ] {
            let url = url.parse().expect("a URL");
            assert_eq!(netrc.find(&url).map(|c| c.user.as_str()), user, "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_parses(text: String) {
            Netrc::parse(&text);
        }
    }
}
