//! TUF metadata and patterns of paths, from the outside.

use modanchor_core::report::Of;
use modanchor_core::tuf::client::encode;
use modanchor_core::tuf::delegation::matches;
use modanchor_core::tuf::json::{MAX_DEPTH, MAX_INTEGER, Numbers, parse, parse_with};
use modanchor_core::tuf::metadata::{Expires, Signed, SuccinctRoles, Targets, canonical};
use modanchor_core::tuf::modules::target_path;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn patterns_are_those_of_fnmatch_element_by_element() {
    let table = [
        ("*.json", "root.json", true),
        ("*.json", "nested/root.json", false),
        ("registry/*", "registry/a", true),
        ("registry/*", "registry/a/b", false),
        ("registry/*", "registry/", true),
        ("registry/**", "registry/a/b", false),
        ("registry/**", "registry/a", true),
        ("*/*", "a/b", true),
        ("foo-?.tgz", "foo-x.tgz", true),
        ("foo-?.tgz", "foo-.tgz", false),
        ("foo-?.tgz", "foo-/.tgz", false),
        ("foo-[0-9].tgz", "foo-7.tgz", true),
        ("foo-[0-9].tgz", "foo-x.tgz", false),
        ("foo-[!0-9].tgz", "foo-x.tgz", true),
        ("foo-[!0-9].tgz", "foo-7.tgz", false),
        ("a[]]b", "a]b", true),
        ("a[b", "a[b", true),
        ("a[b", "ab", false),
        ("a[/]b", "a/b", false),
        ("A", "a", false),
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("*a*b*c", "xaybzc", true),
        ("*a*b*c", "xaybz", false),
        ("example.com/lib/@v/*", "example.com/lib/@v/v1.0.0.zip", true),
        ("example.com/*/@v/*", "example.com/lib/sub/@v/v1.0.0.zip", false),
    ];
    for (pattern, path, expected) in table {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
    // Stars do not multiply.
    assert!(!matches(&"*a".repeat(50), &"a".repeat(2000).replace("aaaa", "aaab")));
}

#[test]
fn any_number_is_an_exception_from_nothing_else() {
    for text in ["1.0", "-0.5e3", "18446744073709551615", "-9223372036854775808", "1e300"] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
        assert_eq!(
            parse_with(text.as_bytes(), Numbers::Any).expect(text),
            serde_json::from_str::<serde_json::Value>(text).expect(text)
        );
    }
    let deep = format!("{}1.5{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    for text in ["{\"a\":1.5,\"a\":1.5}", "1e999", "NaN", "1.5 1", "\u{feff}1.5", &deep] {
        assert!(parse_with(text.as_bytes(), Numbers::Any).is_err(), "{text}");
    }
}

#[test]
fn json_has_one_meaning_or_none() {
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    assert!(parse(nested(MAX_DEPTH + 1).as_bytes()).is_err());
    assert!(parse(MAX_INTEGER.to_string().as_bytes()).is_ok());
    assert!(parse((MAX_INTEGER + 1).to_string().as_bytes()).is_err());
    assert!(parse(format!("-{MAX_INTEGER}").as_bytes()).is_ok());
    assert!(parse(format!("-{}", MAX_INTEGER + 1).as_bytes()).is_err());
    for text in ["{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":1}", "1.0", "1e2", "1 1", "\u{feff}1", "nul", "", "[1,]"] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn times_are_written_in_one_way() {
    for text in ["2026-11-27T00:00:00Z", "1970-01-01T00:00:00Z", "2028-02-29T23:59:59Z"] {
        assert_eq!(text.parse::<Expires>().map(|time| time.to_string()), Ok(text.to_owned()));
    }
    let odd = [
        "2026-11-27T00:00:00+00:00",
        "2026-11-27T00:00:00.0Z",
        "2026-11-27t00:00:00z",
        "2026-11-27 00:00:00Z",
        "2026-11-27T24:00:00Z",
        "2026-12-31T23:59:60Z",
        "2026-02-29T00:00:00Z",
        "2026-11-27",
        "",
        "+2026-11-27T00:00:00Z",
    ];
    for text in odd {
        assert!(text.parse::<Expires>().is_err(), "{text}");
    }
    let time: Expires = "2026-11-27T00:00:00Z".parse().unwrap();
    assert!(time.is_past(time.timestamp()) && !time.is_past(time.timestamp() - jiff::Span::new().nanoseconds(1)));
}

/// TAP 15's own example: the first bits of the path's SHA-256 are the bin's number, in as many digits as the last has.
#[test]
fn bins_have_names_of_one_length() {
    let bins = |bit_length| -> SuccinctRoles {
        serde_json::from_value(json!({ "keyids": [], "threshold": 1, "bit_length": bit_length, "name_prefix": "bin" }))
            .unwrap()
    };
    assert_eq!(
        (bins(1).bin(1), bins(4).bin(15), bins(5).bin(1), bins(32).bin(7)),
        ("bin-1".to_owned(), "bin-f".to_owned(), "bin-01".to_owned(), "bin-00000007".to_owned(),)
    );
    // SHA-256("a") begins with ca978112.
    assert_eq!(bins(8).bin_of("a"), "bin-ca");
    assert_eq!(bins(12).bin_of("a"), "bin-ca9");
    assert_eq!(bins(1).bin_of("a"), "bin-1");
    assert_eq!(bins(32).bin_of("a"), "bin-ca978112");
}

#[test]
fn target_paths_are_those_of_goproxy() {
    let module: modanchor_core::module::ModuleVersion = "example.com/My/Lib@v1.2.3-RC1".parse().unwrap();
    assert_eq!(target_path(&module, Of::Zip), "example.com/!my/!lib/@v/v1.2.3-!r!c1.zip");
    assert_eq!(target_path(&module, Of::GoMod), "example.com/!my/!lib/@v/v1.2.3-!r!c1.mod");
}

#[test]
fn role_names_are_quoted_as_python_does() {
    let table =
        [("role", "role"), ("a/b", "a%2Fb"), ("?#", "%3F%23"), ("../x", "..%2Fx"), ("é", "%C3%A9"), ("~.-_", "~.-_")];
    for (role, quoted) in table {
        assert_eq!(encode(role), quoted);
    }
}

/// No NFC, no escapes but two, keys in the order of their bytes: what securesystemslib signs.
#[test]
fn the_canonical_form_is_securesystemslibs() {
    let value = json!({ "b": [1, -2, true, null], "a": "\"\\\n\u{e9} e\u{301}", "A": {} });
    assert_eq!(canonical(&value), "{\"A\":{},\"a\":\"\\\"\\\\\n\u{e9} e\u{301}\",\"b\":[1,-2,true,null]}".as_bytes());
}

proptest! {
    #[test]
    fn a_pattern_without_wildcards_matches_itself_alone(path in "[a-z/.@]{0,20}", other in "[a-z/.@]{0,20}") {
        prop_assert!(matches(&path, &path));
        prop_assert_eq!(matches(&path, &other), path == other);
    }

    #[test]
    fn a_pattern_has_as_many_elements_as_what_it_matches(pattern in "[ab*?/\\[\\]!-]{0,12}", path in "[ab/]{0,8}") {
        if matches(&pattern, &path) {
            prop_assert_eq!(pattern.split('/').count(), path.split('/').count());
        }
    }

    #[test]
    fn what_is_written_is_read(version in 1..=MAX_INTEGER, name in "[a-z/]{1,20}", length in 0..=MAX_INTEGER) {
        let signed = json!({
            "_type": "targets", "spec_version": "1.0.34", "version": version, "expires": "2100-01-01T00:00:00Z",
            "targets": { name: { "length": length, "hashes": { "sha256": "00" }, "custom": { "x": [1] } } }, "x-extra": "kept",
        });
        let text = serde_json::to_vec(&json!({ "signed": signed, "signatures": [] })).unwrap();
        let parsed = Signed::<Targets>::parse(&text).unwrap();
        prop_assert_eq!(parsed.canonical(), canonical(&signed));
        prop_assert_eq!(Signed::<Targets>::parse(&parsed.to_bytes()).unwrap(), parsed);
    }

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = Signed::<Targets>::parse(&bytes);
    }
}
