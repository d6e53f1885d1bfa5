//! The build info of programs: real ones, what `go version -m` says of them, and what is made of broken ones.

mod common;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use modanchor_core::buildinfo::{BuildInfo, BuildInfoError, LineCause, MAX_LINES, MAX_TEXT, read};
use modanchor_core::dirhash::{ReadAt, ReadError};
use proptest::prelude::*;

const PROGRAMS: &str = include_str!("data/buildinfo/programs.jsonl");

/// A program of which some bytes are kept; the others are zero.
#[derive(Debug, Clone)]
struct Program {
    name: String,
    size: u64,
    parts: Vec<(u64, Vec<u8>)>,
    listing: String,
}

impl ReadAt for Program {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let end = offset + buffer.len() as u64;
        assert!(end <= self.size, "{}: reads {offset}..{end} of {}", self.name, self.size);
        buffer.fill(0);
        for (at, bytes) in &self.parts {
            let (from, to) = (offset.max(*at), end.min(at + bytes.len() as u64));
            if from < to {
                buffer[(from - offset) as usize..(to - offset) as usize]
                    .copy_from_slice(&bytes[(from - at) as usize..(to - at) as usize]);
            }
        }
        Ok(())
    }
}

impl Program {
    /// All of it.
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.size as usize];
        self.read_at(0, &mut bytes).expect("is read");
        bytes
    }

    fn info(&self) -> BuildInfo {
        read(self).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn programs() -> Vec<Program> {
    let program = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).expect("is JSON");
        let text = |value: &serde_json::Value| value.as_str().expect("is text").to_owned();
        let number = |value: &serde_json::Value| value.as_u64().expect("is a number");
        let parts = json["parts"].as_array().expect("is a list").iter();
        let bytes = |part: &serde_json::Value| STANDARD.decode(text(&part["bytes"])).expect("is base64");
        Program {
            name: text(&json["name"]),
            size: number(&json["size"]),
            parts: parts.map(|part| (number(&part["offset"]), bytes(part))).collect(),
            listing: text(&json["listing"]),
        }
    };
    PROGRAMS.lines().map(program).collect()
}

fn program(name: &str) -> Program {
    programs().into_iter().find(|program| program.name == name).expect("is in the table")
}

#[test]
fn programs_are_read_as_go_reads_them() {
    let programs = programs();
    assert_eq!(programs.len(), 12);
    for program in programs {
        let info = program.info();
        assert_eq!(info.listing(&program.name), program.listing);
        let line = |number: u32| program.listing.lines().nth(number as usize - 1).expect("is a line");
        for module in info.main.iter().chain(&info.deps) {
            assert!(line(module.line).contains(&format!("\t{}\t{}", module.path, module.version)), "{module:?}");
            if let Some(replace) = &module.replace {
                assert_eq!(line(replace.line), format!("\t=>\t{}\t{}\t{}", replace.path, replace.version, replace.sum));
            }
        }
        for setting in &info.settings {
            assert!(line(setting.line).starts_with(&format!("\tbuild\t{}=", setting.key)), "{setting:?}");
        }
        let again = BuildInfo::parse(info.go_version.clone(), info.text.clone());
        assert_eq!(again, Ok(info));
    }
}

/// Made by hand as small as can be: what no Go port has, such as 32 bits with the high byte first.
#[test]
fn the_smallest_programs_are_read() {
    let text = String::from_utf8_lossy(include_bytes!("../../fuzz/seeds/buildinfo/text"));
    for (name, program) in [
        ("elf32be", include_bytes!("../../fuzz/seeds/buildinfo/elf32be").as_slice()),
        ("elf64", include_bytes!("../../fuzz/seeds/buildinfo/elf64")),
        ("macho", include_bytes!("../../fuzz/seeds/buildinfo/macho")),
        ("pe32", include_bytes!("../../fuzz/seeds/buildinfo/pe32")),
        ("pe64", include_bytes!("../../fuzz/seeds/buildinfo/pe64")),
        ("pointers", include_bytes!("../../fuzz/seeds/buildinfo/pointers")),
        ("universal", include_bytes!("../../fuzz/seeds/buildinfo/universal")),
    ] {
        let info = read(program).unwrap_or_else(|error| panic!("{name}: {error}"));
        let version = if name == "pointers" { "go1.17.1" } else { "go1.26.8" };
        assert_eq!((info.go_version.as_str(), info.text.as_str()), (version, text.as_ref()), "{name}");
        for end in 0..program.len() {
            if let Ok(cut) = read(&program[..end]) {
                // Only what the linker left after the text may be gone.
                assert_eq!(cut, info, "{name} up to {end}");
            }
        }
    }
}

#[test]
fn modules_tell_what_they_are() {
    let info = program("linux-s390x").info();
    assert_eq!(info.go_version, "go1.26.8");
    let [local, difflib, xmod] = info.deps.as_slice() else {
        panic!("has three dependencies");
    };
    assert_eq!(local.used().path, "./local");
    assert!(local.used().is_devel() && local.used().checked().is_err() && !local.is_devel());
    assert_eq!(difflib.checked().map(|m| m.to_string()), Ok("github.com/pmezard/go-difflib@v1.0.0".to_owned()));
    assert_eq!(difflib.sum, "h1:4DBwDE0NGyQoBHbLQYPwSUPoCMWR5BEzIk/f1lZbAQM=");
    assert_eq!((xmod.version.as_str(), xmod.used().version.as_str()), ("v0.41.0", "v0.42.0"));
    assert_eq!((xmod.line, xmod.used().line), (8, 9));
    assert_eq!(info.vcs_modified(), Some(false));
    assert!(!info.main.expect("has a main module").is_dirty());

    let old = program("old-linux-s390x").info();
    assert_eq!(old.go_version, "go1.17.13");
    assert!(old.main.as_ref().is_some_and(|main| main.is_devel()));
    assert_eq!(old.vcs_modified(), None);
    assert_eq!(program("nomod-linux-amd64").info().main, None);
}

#[test]
fn of_a_universal_file_the_first_program_is_read() {
    let (arm, amd) = (program("darwin-arm64"), program("darwin-amd64"));
    let mut file = [0xcafe_babe_u32, 2].map(u32::to_be_bytes).concat();
    let mut offset = 1 << 14;
    for program in [&arm, &amd] {
        file.extend([0, 0, offset, program.size as u32, 14].map(u32::to_be_bytes).concat());
        offset += (program.size as u32).next_multiple_of(1 << 14);
    }
    for program in [&arm, &amd] {
        file.resize(file.len().next_multiple_of(1 << 14), 0);
        file.extend(program.bytes());
    }
    let info = read(file.as_slice()).expect("is read");
    assert_eq!(info, BuildInfo { unread_programs: 1, ..arm.info() });
    // The second begins where it says only if the first is as long as it says.
    file.truncate(arm.size as usize);
    assert!(matches!(read(file.as_slice()), Err(BuildInfoError::Malformed(_))));
}

#[test]
fn what_is_no_go_program_gets_a_clear_answer() {
    let start = |bytes: &[u8]| {
        let mut file = bytes.to_vec();
        file.resize(4096, 0);
        read(file.as_slice()).expect_err("is no program").to_string()
    };
    for (bytes, message) in [
        (b"#!/bin/sh\n".as_slice(), "not an executable: neither ELF, Mach-O nor PE"),
        (b"\xca\xfe\xba\xbe\0\0\0\x41", "not an executable: neither ELF, Mach-O nor PE"),
        (b"\x01\xf7", "unsupported executable format: XCOFF (AIX)"),
        (b"\0\0\x8a\x97", "unsupported executable format: Plan 9"),
        (b"\xca\xfe\xba\xbf", "unsupported executable format: 64-bit universal Mach-O"),
        (b"\x7fELF\x03", "malformed executable: unknown class, byte order or version of ELF"),
        (b"MZ", "malformed executable: no PE signature"),
        (b"\x7fELF\x02\x01\x01", "no Go build information: not a Go program, or its build information was removed"),
        (b"\xcf\xfa\xed\xfe", "no Go build information: not a Go program, or its build information was removed"),
    ] {
        assert_eq!(start(bytes), message, "{}", bytes.escape_ascii());
    }
    assert_eq!(read(b"".as_slice()), Err(BuildInfoError::NotExecutable));
    assert_eq!(read(b"\x7fELF".as_slice()), Err(BuildInfoError::NotExecutable));
}

/// The program with other bytes at a place of its build info.
fn changed(name: &str, at: u64, bytes: &[u8]) -> Program {
    let magic = b"\xff Go buildinf:";
    let mut program = program(name);
    let start = program.parts.iter().find(|(_, bytes)| bytes.starts_with(magic)).expect("has build info").0;
    program.parts.push((start + at, bytes.to_vec()));
    program
}

#[test]
fn a_lying_blob_is_malformed_and_costs_nothing() {
    let version = "go1.26.8";
    let text_at = 33 + version.len() as u64;
    for name in ["linux-amd64", "darwin-arm64", "windows-386"] {
        assert_eq!(read(&changed(name, 5, b"x")), Err(BuildInfoError::NoBuildInfo), "{name}");
        let control = changed(name, 33, b"go1\n");
        assert_eq!(read(&control), Err(BuildInfoError::Malformed("version of Go")), "{name}");
        assert_eq!(read(&changed(name, 32, b"\0")), Err(BuildInfoError::NoBuildInfo), "{name}");
        let bare = Err(BuildInfoError::NoModules { go_version: version.to_owned() });
        assert_eq!(read(&changed(name, text_at, b"\0")), bare, "{name}");
        // 2^62 bytes of text, and a length without an end.
        let long = changed(name, text_at, b"\x80\x80\x80\x80\x80\x80\x80\x80\x40");
        assert!(matches!(read(&long), Err(BuildInfoError::Malformed(_))), "{name}");
        let endless = changed(name, 32, &[0xff; 10]);
        assert!(matches!(read(&endless), Err(BuildInfoError::Malformed(_))), "{name}");
        // There are as many bytes, but no version is that long.
        let limit = changed(name, 32, b"\x81\x20");
        assert!(matches!(read(&limit), Err(BuildInfoError::TooLarge { size: 4097, .. })), "{name}");
    }
    let pointer = changed("old-linux-s390x", 16, &[0x7f; 8]);
    assert!(matches!(read(&pointer), Err(BuildInfoError::Malformed(_))));
    assert_eq!(read(&changed("old-linux-s390x", 14, b"\x05")), Err(BuildInfoError::NoBuildInfo));
    assert_eq!(read(&changed("old-linux-s390x", 16, &[0; 8])), Err(BuildInfoError::NoBuildInfo));
}

#[test]
fn every_cut_and_every_failing_read_is_an_error() {
    /// Fails from the n-th read on.
    struct Failing<'a>(&'a Program, std::cell::Cell<u32>);
    impl ReadAt for Failing<'_> {
        fn size(&self) -> u64 {
            self.0.size
        }
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
            let left = self.1.get().checked_sub(1).ok_or(ReadError::Changed)?;
            self.1.set(left);
            self.0.read_at(offset, buffer)
        }
    }
    for program in programs() {
        let needed = (0..100).find(|reads| read(&Failing(&program, (*reads).into())).is_ok());
        assert!(needed.is_some_and(|reads| reads > 3), "{}: {needed:?}", program.name);
        assert_eq!(read(&Failing(&program, 2.into())), Err(BuildInfoError::Read(ReadError::Changed)));
        // ELF has its sections at the end, where a linker put them.
        let start = Program { size: 100, ..program };
        assert!(matches!(read(&start), Err(BuildInfoError::Malformed(_))), "{}", start.name);
    }
}

#[test]
fn lines_are_refused_as_go_refuses_them() {
    let parse = |text: &str| BuildInfo::parse("go1.26".to_owned(), text.to_owned());
    for (text, line, cause) in [
        ("mod\ta\n", 1, LineCause::Columns(1)),
        ("path\ta\ndep\ta\tb\tc\td\n", 2, LineCause::Columns(4)),
        ("dep\ta\tb\n=>\ta\tb\n", 2, LineCause::ReplacementColumns(2)),
        ("=>\ta\tb\tc\n", 1, LineCause::Replacement),
        ("dep\ta\tb\n=>\ta\tb\tc\n=>\ta\tb\tc\n", 3, LineCause::Replacement),
        ("build\t\n", 1, LineCause::Equals),
        ("build\tkey\n", 1, LineCause::Equals),
        ("build\t=value\n", 1, LineCause::NoKey),
        ("build\t\"key=value\n", 1, LineCause::QuotedKey),
        ("build\t\"\\z\"=value\n", 1, LineCause::QuotedKey),
        ("build\t\"key\"\n", 1, LineCause::Equals),
        ("build\t\"key\"x=\n", 1, LineCause::AfterKey),
        ("build\ta b=c\n", 1, LineCause::UnquotedKey("a b".to_owned())),
        ("build\ta=\"b\"c\n", 1, LineCause::QuotedValue),
        ("build\ta=`b`c`\n", 1, LineCause::QuotedValue),
        ("build\ta=b c\n", 1, LineCause::UnquotedValue("b c".to_owned())),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!((error.line, error.cause), (line, cause), "{text:?}");
    }
    let info =
        parse("unknown\n\nbuild\t\"a \\\"=\"=`b\r\"`\nbuild\tc=\"\\u00e9\\n=\"\nbuild\td=\nbuild\t").expect("is good");
    let settings: Vec<_> = info.settings.iter().map(|s| (s.key.as_str(), s.value.as_str())).collect();
    assert_eq!(settings, [("a \"=", "b\""), ("c", "é\n="), ("d", "")]);
    // What replaces the main module; a second `mod` line is a new one.
    let info = parse("mod\ta\tv1.0.0\th1:x\n=>\tb\tv1.0.0\t\nmod\tc\tv1.0.1+dirty\n").expect("is good");
    let main = info.main.expect("has a main module");
    assert_eq!((main.path.as_str(), main.replace.is_none(), main.is_dirty()), ("c", true, true));

    let lines = parse(&"x\n".repeat(MAX_LINES + 1)).expect_err("too many lines");
    assert_eq!(lines.cause, LineCause::TooMany);
    let long = parse(&"x".repeat(MAX_TEXT as usize + 1)).expect_err("too long");
    assert_eq!(long.cause, LineCause::TooLong(MAX_TEXT as usize + 1));
}

#[test]
fn a_program_of_this_go_is_read() {
    let folder = common::folder("buildinfo");
    common::write(&folder, "go.mod", b"module example.com/hello\n\ngo 1.21\n");
    common::write(&folder, "main.go", b"package main\n\nfunc main() {}\n");
    let Some((true, _)) = common::go(&folder, &["build", "-ldflags=-s -w -X main.x=a", "-o", "hello", "."]) else {
        assert!(common::go(&folder, &["version"]).is_none(), "a program that small is built");
        return;
    };
    let (_, listing) = common::go(&folder, &["version", "-m", "hello"]).expect("go is there");
    let program = std::fs::read(folder.join("hello")).expect("is read");
    let info = read(program.as_slice()).expect("is a Go program");
    assert_eq!(info.listing("hello"), listing);
    assert_eq!(info.setting("-ldflags").map(|s| s.value.as_str()), Some("-s -w -X main.x=a"));
}

fn text() -> impl Strategy<Value = String> {
    let pieces = vec![
        "path\t", "mod\t", "dep\t", "=>\t", "build\t", "\t", "\n", "a.b/c", "v1.0.0", "h1:x", "=", "\"", "`", "\\",
        "\\x41", "\\377", " ", "\r", "é", "GOOS",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn what_parses_is_listed_and_parses_again(text in text()) {
        if let Ok(info) = BuildInfo::parse("go1.26".to_owned(), text) {
            let listing = info.listing("FILE");
            let text: String = listing.split_inclusive('\n').skip(1).map(|line| &line[1..]).collect();
            let again = BuildInfo::parse("go1.26".to_owned(), text.clone()).expect("parses again");
            prop_assert_eq!(again, BuildInfo { text, ..info });
        }
    }

    #[test]
    fn changed_programs_do_no_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        huge in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut program = which.get(&programs()).clone();
        let kept: usize = program.parts.iter().map(|(_, bytes)| bytes.len()).sum();
        for (at, byte) in changes {
            let mut at = at.index(kept);
            for (_, bytes) in &mut program.parts {
                if at < bytes.len() {
                    bytes[at] = byte;
                    break;
                }
                at -= bytes.len();
            }
        }
        if let Some(at) = huge {
            let bytes = &mut program.parts[0].1;
            let at = at.index(bytes.len().saturating_sub(8).max(1));
            let end = bytes.len().min(at + 8);
            bytes[at..end].fill(0xff);
        }
        // A read after the end panics in `read_at`.
        if let Ok(info) = read(&program) {
            prop_assert!(info.text.len() as u64 <= program.size);
        }
    }
}
