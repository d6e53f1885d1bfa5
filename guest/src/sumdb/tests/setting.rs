use proptest::prelude::*;

use super::super::note::{KeyError, Verifier};
use super::super::setting::{MAX_BYTES, Setting, SettingError};
use super::super::testing::Signer;

const GO: &str = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";

fn database(name: &str, key: &str, url: Option<&str>) -> Result<Setting, SettingError> {
    Ok(Setting::Database { name: name.to_owned(), key: key.to_owned(), url: url.map(str::to_owned) })
}

#[test]
fn all_forms() {
    let own = Signer::new("sum.example:8080/db", 1).vkey();
    assert_eq!(Setting::parse("off"), Ok(Setting::Off));
    assert_eq!(Setting::parse("sum.golang.org"), database("sum.golang.org", GO, None));
    assert_eq!(Setting::parse(GO), database("sum.golang.org", GO, None));
    let china = database("sum.golang.org", GO, Some("https://sum.golang.google.cn"));
    assert_eq!(Setting::parse("sum.golang.google.cn"), china);
    assert_eq!(Setting::parse(&own), database("sum.example:8080/db", &own, None));
    for url in ["https://x.example/sum", "http://127.0.0.1:80", "HTTPS://X", "file:///tmp/sumdb"] {
        let value = format!("\t{own}  {url}\n");
        assert_eq!(Setting::parse(&value), database("sum.example:8080/db", &own, Some(url)));
        let value = format!("sum.golang.org {url}");
        assert_eq!(Setting::parse(&value), database("sum.golang.org", GO, Some(url)));
    }
}

#[test]
fn errors_as_go() {
    for (value, error) in [
        ("", "missing GOSUMDB"),
        (" \t", "missing GOSUMDB"),
        ("on", "invalid GOSUMDB: malformed verifier id"),
        (" off", "invalid GOSUMDB: malformed verifier id"),
        ("OFF", "invalid GOSUMDB: malformed verifier id"),
        ("sum.golang.google.cn https://x.example", "invalid GOSUMDB: malformed verifier id"),
        ("sum.golang.org a b", "invalid GOSUMDB: too many fields"),
        (
            "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
            "invalid GOSUMDB: invalid verifier hash",
        ),
    ] {
        assert_eq!(Setting::parse(value).unwrap_err().to_string(), error, "{value:?}");
    }
    let witness = Signer::witness("w.example", 1).vkey();
    assert_eq!(Setting::parse(&witness), Err(SettingError::Key(KeyError::Algorithm)));
    let value = format!("off{}", " ".repeat(MAX_BYTES));
    assert_eq!(Setting::parse(&value), Err(SettingError::TooLong));
}

#[test]
fn no_funny_business_in_the_name() {
    for name in [
        "sum.example/",
        "/sum",
        "sum.example//db",
        "../sum",
        "sum.example/..",
        "sum.example/./db",
        ".",
        "..",
        "user@sum.example",
        "user:pw@sum.example",
        "sum.example?q",
        "sum.example#f",
        "sum.example/%2e%2e",
        "sum.example:port",
        "sum.example:",
        ":80",
        "sum.example:99999",
        "https://sum.example",
        "sum.example\\db",
        "s\u{fc}m.example",
        "sum.example\u{7f}",
    ] {
        let key = Signer::new(name, 1).vkey();
        let error = Setting::parse(&key).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid sumdb name (must be host[/path]): {name}"));
    }
}

#[test]
fn a_url_must_be_one_that_can_be_fetched() {
    for url in
        ["sum.example", "ftp://x", "https://", "https:///x", "http:x", "file://x", "/tmp", "https://?x", "\u{e9}"]
    {
        assert_eq!(Setting::parse(&format!("sum.golang.org {url}")), Err(SettingError::Url), "{url}");
    }
    assert!(!SettingError::Url.to_string().contains("pw"));
}

proptest! {
    #[test]
    fn settings_never_panic(value in "[ -~\u{a0}\u{e9}]{0,80}") {
        if let Ok(Setting::Database { key, .. }) = Setting::parse(&value) {
            prop_assert!(Verifier::parse(&key).is_ok());
        }
    }
}
