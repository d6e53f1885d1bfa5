//! go.mod and go.work, against the real go command and against tables.

mod common;

use modanchor_core::gosum::Span;
use modanchor_core::gosum::gomod::{GoMod, Replacement};
use modanchor_core::gosum::gowork::GoWork;
use modanchor_core::gosum::syntax::MAX_FILE;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A file as `go mod edit -json` and `go work edit -json` show it, as far as it is read here.
fn shown_mod(file: &GoMod) -> Value {
    let pairs = |path: &String, version: &String| json!({"Path": path, "Version": version});
    json!({
        "Module": {"Path": file.module.clone().unwrap_or_default()},
        "Go": file.go,
        "Toolchain": file.toolchain,
        "Require": file.require.iter().map(|r| {
            let mut pair = pairs(&r.path, &r.version);
            if r.indirect {
                pair["Indirect"] = json!(true);
            }
            pair
        }).collect::<Vec<_>>(),
        "Exclude": file.exclude.iter().map(|e| pairs(&e.path, &e.version)).collect::<Vec<_>>(),
        "Replace": shown_replace(&file.replace),
    })
}

fn shown_work(file: &GoWork) -> Value {
    json!({
        "Go": file.go,
        "Use": file.uses.iter().map(|u| json!({"DiskPath": u.directory})).collect::<Vec<_>>(),
        "Replace": shown_replace(&file.replace),
    })
}

fn shown_replace(replace: &[modanchor_core::gosum::gomod::Replace]) -> Value {
    let one = |r: &modanchor_core::gosum::gomod::Replace| {
        let mut old = json!({"Path": r.path});
        if let Some(version) = &r.version {
            old["Version"] = json!(version);
        }
        let new = match &r.with {
            Replacement::Module { path, version } => json!({"Path": path, "Version": version}),
            Replacement::Directory(directory) => json!({"Path": directory}),
        };
        json!({"Old": old, "New": new})
    };
    replace.iter().map(one).collect()
}

/// Go's JSON with only the keys of `ours`, and with empty lists for null ones.
fn same_keys(go: &Value, ours: &Value) -> Value {
    let keys = ours.as_object().expect("an object").keys();
    let value = |key: &String| match (&go[key], ours[key].is_array()) {
        (Value::Null, true) => json!([]),
        (value, _) => value.clone(),
    };
    keys.map(|key| (key.clone(), value(key))).collect()
}

/// The line that an error of the go command names: `errors parsing FILE:\nFILE:LINE: …`.
/// Of a block without end, where it begins.
fn named_line(output: &str, file: &str) -> u32 {
    let output = output.split_once("unterminated block started at ").map_or(output, |(_, output)| output);
    let marks: Vec<_> = output.match_indices(&format!("{file}:")).collect();
    marks
        .iter()
        .find_map(|(at, mark)| {
            let digits: String = output[at + mark.len()..].chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        })
        .unwrap_or_else(|| panic!("go names no line: {output}"))
}

fn compare(name: &str, file: &str, command: &str, cases: &[&str], ours: impl Fn(&[u8]) -> Result<Value, u32>) {
    let folder = common::folder(name);
    for case in cases {
        common::write(&folder, file, case.as_bytes());
        let Some((good, output)) = common::go(&folder, &[command, "edit", "-json", file]) else {
            return;
        };
        match (ours(case.as_bytes()), good) {
            (Ok(shown), true) => {
                let go: Value = serde_json::from_str(&output).expect("go prints JSON");
                assert_eq!(shown, same_keys(&go, &shown), "{case}");
            }
            (Err(line), false) => assert_eq!(line, named_line(&output, file), "{case}\n{output}"),
            (ours, good) => panic!("{case}\ngo: {good} {output}\nours: {ours:?}"),
        }
    }
}

#[test]
fn the_go_command_reads_the_same_go_mod() {
    let cases = [
        "",
        "module m",
        "module example.com/m\n\ngo 1.21\n\ntoolchain go1.21.3\n",
        "module \"example.com/m\"\r\n\r\nrequire (\r\n\ta.b/c v1.0.0 // indirect\r\n)\r\n",
        "module m // why\nrequire a.b/c v1.0.0 // indirect; because\nrequire a.b/d v1.0.0 // indirect because\n",
        "module m\nrequire a.b/c v1.0.0 //indirect\nrequire a.b/d v1.0.0 // indirect;\n",
        "module m\nrequire(\n a.b/c v1.0.0\n\n // alone\n\n a.b/d/v2 v2.0.0\n gopkg.in/x.v1 v1.0.0\n)\n",
        "module m\nrequire ( )\nrequire ()\nexclude (\n)\n",
        "module m\nrequire \"a.b/\\x63\\144\\u0065\\U00000066\" \"v1.0.0\"\n",
        "module m\nrequire a.b/c v1.0.0+incompatible\n",
        "module m\nrequire a.b/c v2.0.0+incompatible\nrequire a.b/c/v3 v3.0.0-20200101000000-abcdefabcdef\n",
        "module m\nreplace a.b/c => ../c\nreplace a.b/c v1.0.0 => a.b/d v1.2.3\nreplace a.b/e => /e\n",
        "module m\nreplace (\n a.b/c v1.0.0 => ./c\n a.b/d => .\n a.b/e => C:/e\n)\n",
        "module m\nexclude a.b/c v1.0.0\nexclude (\n a.b/d v1.0.0\n)\n",
        "module m\nretract v1.0.0 // bad\nretract [v1.0.0, v1.1.0]\ntool a.b/c\ngodebug x=y\nignore ./x\n",
        "module (\n m\n)\n",
        "module m\nrequire a.b/c v1.0.0// indirect\n",
        "module m // \u{a0}\0 anything goes \u{feff} in comments\n",
        "module m\nrequire example v1.0.0\n",
        "\n\n  // only\n// comments",
        "module \"with space\"\n",
        "module \u{e9}\n",
        // Broken ones.
        "module m\nmodule n\n",
        "module\n",
        "module a b\n",
        "module m\ngo 1.21\ngo 1.22\n",
        "module m\ngo 1.x\n",
        "module m\ngo 1\n",
        "module m\ngo v1.21\n",
        "module m\ngo 1.021\n",
        "module m\ngo 1.21rc\n",
        "module m\ngo 1.21.0.1\n",
        "module m\ngo (\n 1.21\n)\n",
        "module m\ntoolchain 1.21\n",
        "module m\ntoolchain go2.0\n",
        "module m\nrequire a.b/c\n",
        "module m\nrequire a.b/c v1.0.0 v1.0.1\n",
        "module m\nrequire (\n a.b/c v1.0.0\n",
        "module m\nrequire (\n a.b/c v1.0.0\n) x\n",
        "module m\nrequire x (\n a.b/c v1.0.0\n)\n",
        "module m\n/* no */\n",
        "module m\nrequire a.b/c/* no */ v1.0.0\n",
        "module m\nrequire \"a.b/c v1.0.0\n",
        "module m\nrequire \"a.b/c",
        "module m\nrequire `a.b/c` v1.0.0\n",
        "module m\nrequire 'a.b/c' v1.0.0\n",
        "module m\nrequire a.b/c\"d\" v1.0.0\n",
        "module m\nrequire \"a.b/\\q\" v1.0.0\n",
        "module m\nrequire \"a.b/\\'\" v1.0.0\n",
        "module m\nrequire \"a.b/\\400\" v1.0.0\n",
        "module m\nrequire \"a.b/\\ud800\" v1.0.0\n",
        "module m\nrequire \"a.b/\\xg0\" v1.0.0\n",
        "module m\nrequire a.b/c/v1 v1.0.0\n",
        "module m\nrequire gopkg.in/x v1.0.0\n",
        "module m\nreplace a.b/c\n",
        "module m\nreplace a.b/c => a.b/d\n",
        "module m\nreplace a.b/c => ./d v1.0.0\n",
        "module m\nreplace a.b/c v1.0.0 v1.0.0 => ./d\n",
        "module m\nreplace a.b/c/v1 => ./d\n",
        "module m\n\0\n",
        "module m\nrequire a.b/c\0 v1.0.0\n",
        "module m\n\u{a0}require a.b/c v1.0.0\n",
        "\u{feff}module m\n",
        "module m\nrequire a.b/c\u{200b}d v1.0.0\n",
    ];
    compare("gomod", "go.mod", "mod", &cases, |content| {
        let file = GoMod::parse(content).map_err(|error| error.at.line)?;
        Ok(shown_mod(&file))
    });
}

#[test]
fn the_go_command_reads_the_same_go_work() {
    let cases = [
        "",
        "go 1.21\n",
        "go 1.21\ntoolchain default\nuse .\nuse ./a // a\nuse (\n ../b\n \"c d\"\n)\n",
        "go 1.21\nreplace a.b/c => ./c\nreplace (\n a.b/d v1.0.0 => a.b/e v1.0.0\n)\ngodebug x=y\n",
        "go 1.21\nuse ()\n",
        "go 1.21\nuse\n",
        "go 1.21\nuse a b\n",
        "go 1.21\nuse (\n a\n",
        "go 1.21\nuse x (\n a\n)\n",
        "go 1.21\nuse 'a'\n",
        "go 1.21\ngo 1.21\n",
        "go (\n 1.21\n)\n",
        "go 1.21\nreplace a.b/c => a.b/d\n",
    ];
    compare("gowork", "go.work", "work", &cases, |content| {
        let file = GoWork::parse(content).map_err(|error| error.at.line)?;
        Ok(shown_work(&file))
    });
}

#[test]
fn what_is_unknown_is_read_past() {
    let content = b"module m\nfuture thing\nfuture (\n x y\n)\nfuture more (\n)\nrequire a.b/c master\n";
    let file = GoMod::parse(content).expect("nothing that matters is broken");
    assert_eq!(file.require.len(), 1);
    assert_eq!(file.require[0].version, "master");
    let file = GoWork::parse(b"future thing\nfuture (\n x y\n)\nuse .\n").expect("is good");
    assert_eq!(file.uses.len(), 1);
    // `go work edit -json` does not show the toolchain.
    let file = GoWork::parse(b"toolchain go1.24.1\n").expect("is good");
    assert_eq!(file.toolchain.as_deref(), Some("go1.24.1"));
}

#[test]
fn places_are_counted_in_characters() {
    let span = |line, column, end_column| Span { line, column, end_column };
    let text = "module \u{e9}\nrequire\ta.b/c v1.0.0 // indirect\nrequire (\n\t\"a.b/\\u00e9\" v1.0.0\n)\n\
                exclude a.b/c v1.1.0\nreplace a.b/c => \"../\u{e9} x\" // y\n";
    let file = GoMod::parse(text.as_bytes()).expect("is good");
    let at: Vec<_> = file.require.iter().map(|r| r.at).collect();
    assert_eq!(at, [span(2, 9, 21), span(4, 2, 21)]);
    assert_eq!(file.exclude[0].at, span(6, 9, 21));
    assert_eq!(file.replace[0].at, span(7, 9, 26));
    let work = GoWork::parse(b"use (\n  ./a\n)\n").expect("is good");
    assert_eq!(work.uses[0].at, span(2, 3, 6));
    for (text, at) in [
        ("module m\nrequire a.b/c \"v1", span(2, 15, 16)),
        ("module m\nrequire 'a.b/c' v1.0.0", span(2, 9, 16)),
        ("module m\nrequire (\n", span(2, 1, 8)),
        ("module m\n\u{e9} \u{feff}", span(2, 3, 4)),
    ] {
        let error = GoMod::parse(text.as_bytes()).expect_err("is broken");
        assert_eq!(error.at, at, "{text}");
    }
}

#[test]
fn a_file_past_the_limit_is_refused() {
    let mut content = b"module m\n".to_vec();
    content.resize(MAX_FILE, b'\n');
    assert!(GoMod::parse(&content).is_ok());
    content.push(b'\n');
    let error = GoMod::parse(&content).expect_err("is too large");
    assert_eq!(error.to_string(), "file of 16777217 bytes, longer than 16777216");
    assert!(GoWork::parse(&content).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = GoMod::parse(&bytes);
        let _ = GoWork::parse(&bytes);
    }

    #[test]
    fn any_text_of_words_is_read(
        words in prop::collection::vec(prop::sample::select(vec![
            "module ", "require ", "replace ", "use ", "go ", "( ", ") ", "\n", "\n", "=> ", "a.b/c ", "v1.0.0 ",
            "\"x\\", "\" ", "`", "// indirect", "/*", ", ", "[", "./d ", "\u{e9}", "\0", "\r",
        ]), 0..30)
    ) {
        let text = words.concat();
        if let Err(error) = GoMod::parse(text.as_bytes()) {
            prop_assert!(error.at.line as usize <= text.lines().count() + 1);
        }
        let _ = GoWork::parse(text.as_bytes());
    }

    #[test]
    fn what_is_written_is_read(
        requires in prop::collection::vec(("[a-z]{1,4}\\.[a-z]{2}/[a-z]{1,6}", 0u32..9, any::<bool>()), 0..8),
        block in any::<bool>(),
    ) {
        let line = |(path, minor, indirect): &(String, u32, bool)| {
            let comment = if *indirect { " // indirect" } else { "" };
            format!("{path} v1.{minor}.0{comment}\n")
        };
        let lines: Vec<String> = requires.iter().map(line).collect();
        let text = if block {
            format!("require (\n\t{})\n", lines.join("\t"))
        } else {
            lines.iter().map(|line| format!("require {line}")).collect()
        };
        let file = GoMod::parse(text.as_bytes()).expect("is good");
        let read: Vec<String> = file
            .require
            .iter()
            .map(|r| {
                let comment = if r.indirect { " // indirect" } else { "" };
                format!("{} {}{comment}\n", r.path, r.version)
            })
            .collect();
        prop_assert_eq!(read, lines);
    }
}
