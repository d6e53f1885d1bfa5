//! Module rules against the tables of tests/data/module.

use std::cmp::Ordering;

use modanchor_core::module::{
    ModulePath, ModuleVersion, PathCause, Patterns, Version, canonical, check_file_path, compare,
    match_prefix_patterns, split_path_version,
};
use modanchor_core::report::Of;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Rules {
    check: Vec<Check>,
    escape: Vec<Escape>,
    match_prefix_patterns: Vec<Match>,
    paths: Vec<Path>,
    sorted: Vec<Sorted>,
    split: Vec<Split>,
    unescape_bad: Vec<Escape>,
    versions: Vec<VersionRow>,
}

#[derive(Deserialize)]
struct Check {
    path: String,
    version: String,
    err: String,
}

#[derive(Deserialize)]
struct Escape {
    path: String,
    esc: String,
    err: String,
}

#[derive(Deserialize)]
struct Match {
    globs: String,
    target: String,
    #[serde(rename = "match")]
    matches: bool,
}

#[derive(Deserialize)]
struct Path {
    path: String,
    module: String,
    file: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sorted {
    path: String,
    version: String,
}

#[derive(Deserialize)]
struct Split {
    path: String,
    prefix: String,
    major: String,
    ok: bool,
}

#[derive(Deserialize)]
struct VersionRow {
    v: String,
    canonical: String,
    escaped: String,
    pseudo: bool,
}

fn rules() -> Rules {
    serde_json::from_str(include_str!("data/module/rules.json")).expect("the table is JSON")
}

/// The message of an error, or nothing.
fn message<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn check_agrees_with_go() {
    for row in rules().check {
        let got = message(ModuleVersion::check(&row.path, &row.version));
        assert_eq!(got, row.err, "{} {}", row.path, row.version);
    }
}

#[test]
fn paths_agree_with_go() {
    for row in rules().paths {
        // That path is no UTF-8 and cannot be handed over at all; the table shows it with U+FFFD.
        if row.module.ends_with("invalid UTF-8") {
            let error = ModulePath::check(&row.path).expect_err("is no module path");
            assert_eq!(error.cause, PathCause::InvalidChar('\u{fffd}'));
            continue;
        }
        assert_eq!(message(ModulePath::check(&row.path)), row.module);
    }
}

#[test]
fn file_paths_agree_with_go() {
    for row in rules().paths {
        // The table shows bytes that are no UTF-8 with U+FFFD.
        let path = row.path.replace('\u{fffd}', "\0").into_bytes();
        let path: Vec<u8> = path.into_iter().map(|b| if b == 0 { 0xff } else { b }).collect();
        let got = message(check_file_path(&path));
        // Go's message begins with the path, quoted.
        let wanted = row.file.strip_prefix("malformed file path ").and_then(|rest| rest.split_once("\": "));
        assert_eq!(got, wanted.map_or("", |(_, cause)| cause), "{:?}", row.path);
    }
    for letter in ["é", "世", "ᏸ", "𐐀", "ª", "\u{31350}"] {
        assert_eq!(check_file_path(letter.as_bytes()), Ok(letter), "{letter}");
    }
    // A combining mark, a letter number, an emoji, a circled letter: alphabetic to some, no letters to Go.
    for c in ['\u{301}', 'Ⅷ', '🦀', 'Ⓐ', '\u{7f}', '\u{e000}', '\u{10ffff}'] {
        assert_eq!(check_file_path(c.to_string().as_bytes()), Err(PathCause::InvalidChar(c)));
    }
}

#[test]
fn escaping_agrees_with_go() {
    for row in rules().escape {
        let path = ModulePath::check(&row.path).expect("a good path");
        assert_eq!(path.escaped(), row.esc);
        assert_eq!(ModulePath::unescape(&row.esc), Ok(path));
    }
    for row in rules().unescape_bad {
        assert_eq!(message(ModulePath::unescape(&row.esc)), row.err);
        assert_eq!(row.path, "");
    }
}

#[test]
fn patterns_agree_with_go() {
    for row in rules().match_prefix_patterns {
        let got = match_prefix_patterns(&row.globs, &row.target);
        assert_eq!(got, row.matches, "{:?} {:?}", row.globs, row.target);
    }
    // Made with the real functions: see the README beside the table.
    for line in include_str!("data/module/patterns.tsv").lines() {
        let mut fields = line.split('\t');
        let (Some(globs), Some(target), Some(matches)) = (fields.next(), fields.next(), fields.next()) else {
            panic!("{line:?} has fewer than three fields");
        };
        let got = match_prefix_patterns(globs, target);
        assert_eq!(got.to_string(), matches, "{globs:?} {target:?}");
    }
}

#[test]
fn the_pattern_that_matches_is_named() {
    let patterns = Patterns::new("[a,,corp.example/*/,*.io");
    assert_eq!(patterns.matching("corp.example/x/y"), Some("corp.example/*"));
    assert_eq!(patterns.matching("rsc.io/quote"), Some("*.io"));
    assert_eq!(patterns.matching("corp.example"), None);
}

#[test]
fn a_pattern_for_everything_is_seen() {
    for (globs, found) in [
        ("*", Some("*")),
        ("**/", Some("**")),
        ("?*", Some("?*")),
        ("*.*", Some("*.*")),
        ("*/*", Some("*/*")),
        ("[^A-Z]*", Some("[^A-Z]*")),
        ("github.com,*", Some("*")),
        ("[0-9a-m]*,[n-z]*", Some("[0-9a-m]*,[n-z]*")),
        ("", None),
        ("none", None),
        ("[*", None),
        ("*.com,*.org,*.io", None),
        ("[a-m]*", None),
        ("github.com", None),
        ("*/internal", None),
    ] {
        let got = Patterns::new(globs).matching_everything();
        assert_eq!(got.as_deref(), found, "{globs}");
    }
}

#[test]
fn order_agrees_with_go() {
    let rows: Vec<(ModuleVersion, Of)> = rules()
        .sorted
        .iter()
        .map(|row| {
            let (version, of) = match row.version.strip_suffix("/go.mod") {
                Some(version) => (version, Of::GoMod),
                None => (row.version.as_str(), Of::Zip),
            };
            let module = ModuleVersion::check(&row.path, version).expect("a good pair");
            (module, of)
        })
        .collect();
    assert!(rows.is_sorted());
    let mut shuffled: Vec<_> = rows.iter().rev().cloned().collect();
    shuffled.sort();
    assert_eq!(shuffled, rows);
}

#[test]
fn major_versions_agree_with_go() {
    for row in rules().split {
        let got = split_path_version(&row.path);
        let wanted = row.ok.then_some((row.prefix.as_str(), row.major.as_str()));
        assert_eq!(got, wanted, "{}", row.path);
    }
    for (path, split) in [
        ("gopkg.in/x.v-unstable", Some(("gopkg.in/x", ".v-unstable"))),
        ("gopkg.in/x.v2-unstable", Some(("gopkg.in/x", ".v2-unstable"))),
        ("gopkg.in/x.v0-unstable", None),
        ("gopkg.in/x.v", None),
        ("gopkg.in/x", None),
        ("a.b/v02", None),
        ("a.b/v2.1", None),
        ("a.b/v", Some(("a.b/v", ""))),
    ] {
        assert_eq!(split_path_version(path), split, "{path}");
    }
}

#[test]
fn versions_agree_with_go() {
    for row in rules().versions {
        assert_eq!(canonical(&row.v).unwrap_or_default(), row.canonical);
        match Version::check(&row.v) {
            Ok(version) => {
                assert_eq!(row.v, row.canonical);
                assert_eq!(version.escaped(), row.escaped);
                assert_eq!(version.is_pseudo(), row.pseudo);
            }
            Err(_) => assert_ne!(canonical(&row.v), Some(row.v)),
        }
    }
    let error = ModuleVersion::check("a.b/c", "v1.2+meta").expect_err("is not canonical");
    assert_eq!(error.to_string(), "a.b/c@v1.2+meta: invalid version: not a semantic version");
    let error = ModuleVersion::check("a.b/c", "v1.2").expect_err("is not canonical");
    assert_eq!(error.to_string(), "a.b/c@v1.2: invalid version: not canonical, should be v1.2.0");
}

#[test]
fn a_pair_is_read_from_one_word() {
    let module: ModuleVersion = "github.com/Azure/x@v1.0.0-RC1".parse().expect("a good pair");
    assert_eq!(module.path(), "github.com/Azure/x");
    assert_eq!(module.version(), "v1.0.0-RC1");
    assert_eq!(module.escaped(), "github.com/!azure/x@v1.0.0-!r!c1");
    for (word, error) in [
        ("rsc.io/quote", "\"rsc.io/quote\": missing @VERSION"),
        ("rsc.io/quote@", "rsc.io/quote@: invalid version: not a semantic version"),
        ("a.b@v1.0.0@v1.0.0", "a.b@v1.0.0@v1.0.0: invalid version: not a semantic version"),
    ] {
        assert_eq!(message(word.parse::<ModuleVersion>()), error);
    }
}

#[test]
fn a_glob_of_many_stars_takes_no_more_time_than_its_length() {
    let globs = "*a".repeat(1000) + "b";
    let target = "a".repeat(4000);
    assert!(!match_prefix_patterns(&globs, &target));
}

fn version() -> impl Strategy<Value = String> {
    "v(0|1|2|10)\\.(0|1|11)\\.(0|3)(-[0-9a-zA-Z-]{1,3}(\\.[0-9a-z]{1,3}){0,2})?(\\+incompatible)?"
}

proptest! {
    #[test]
    fn nothing_panics(a in any::<String>(), b in any::<String>()) {
        let _ = ModuleVersion::check(&a, &b);
        let _ = ModulePath::unescape(&a);
        let _ = a.parse::<ModuleVersion>();
        let _ = Patterns::new(&a).matching(&b);
        let _ = Patterns::new(&a).matching_everything();
        let _ = compare(&a, &b);
    }

    #[test]
    fn what_passes_is_safe_in_a_url_and_escapes_both_ways(
        path in "[a-z]{1,3}\\.[a-z]{1,3}(/[A-Za-z0-9._~!@-]{1,4}){0,3}",
        version in version(),
    ) {
        if let Ok(module) = ModuleVersion::check(&path, &version) {
            let escaped = module.escaped();
            prop_assert!(escaped.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()));
            prop_assert!(escaped.split('/').all(|e| !matches!(e, "" | "." | "..")));
            let (escaped_path, _) = escaped.split_once('@').expect("has a version");
            let back = ModulePath::unescape(escaped_path).expect("is an escaped path");
            prop_assert_eq!(back.as_str(), path.as_str());
            prop_assert_eq!(module.to_string().parse(), Ok(module));
        }
    }

    #[test]
    fn the_order_is_total(a in version(), b in version(), c in version()) {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        if compare(&a, &b) == Ordering::Less && compare(&b, &c) != Ordering::Greater {
            prop_assert_eq!(compare(&a, &c), Ordering::Less);
        }
        if let (Ok(a), Ok(b)) = (Version::check(&a), Version::check(&b)) {
            prop_assert_eq!(a == b, a.cmp(&b) == Ordering::Equal);
        }
    }

    #[test]
    fn a_star_is_any_run_without_a_slash(head in "[a-z.]{0,4}", tail in "[a-z.]{1,4}", run in "[a-z.]{0,6}") {
        let glob = format!("{head}*{tail}");
        let target = format!("{head}{run}{tail}");
        prop_assert!(match_prefix_patterns(&glob, &target));
        let sliced = format!("{head}{run}/{tail}");
        prop_assert_eq!(match_prefix_patterns(&glob, &sliced), run.ends_with(&tail));
    }
}
