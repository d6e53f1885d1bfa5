//! The h1 of odd zips and folders, and the rules of module zips, against what Go says (tests/data/zip).

use std::cell::Cell;
use std::fs;
use std::path::Path;

use modanchor_core::dirhash::dir::{DirError, DirHasher, FileCause, check_files};
use modanchor_core::dirhash::zip::{MAX_ZIP_FILE, Shown, ZipError, measure, read_file};
use modanchor_core::dirhash::{ReadAt, ReadError, go_mod};
use modanchor_core::module::ModuleVersion;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    h1: String,
    hash_error: String,
    check_error: String,
    code: String,
    rules_code: String,
}

fn data() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/zip"))
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("data/zip/cases.json")).expect("the table is JSON")
}

fn odd(name: &str) -> Vec<u8> {
    fs::read(data().join(format!("{name}.zip"))).expect("the zip is there")
}

fn module() -> ModuleVersion {
    "example.com/odd@v1.2.3".parse().expect("a good pair")
}

/// An h1, or the code of an error.
fn said(result: Result<modanchor_core::dirhash::Manifest, ZipError>) -> (String, &'static str) {
    match result {
        Ok(manifest) => (manifest.h1().to_string(), ""),
        Err(error) => (String::new(), error.code()),
    }
}

#[test]
fn odd_zips_are_what_go_makes_of_them() {
    let module = module();
    let cases = cases();
    for case in &cases {
        let zip = odd(&case.name);
        assert_eq!(case.code.is_empty(), case.hash_error.is_empty());
        assert_eq!(said(measure(zip.as_slice(), None)), (case.h1.clone(), case.code.as_str()), "{}", case.name);
        let passes = case.hash_error.is_empty() && case.check_error.is_empty();
        let h1 = if passes { case.h1.clone() } else { String::new() };
        let got = said(measure(zip.as_slice(), Some(&module)));
        assert_eq!(got, (h1, case.rules_code.as_str()), "{}, with rules", case.name);
    }
    let zips = fs::read_dir(data()).expect("a folder").filter(|file| {
        let file = file.as_ref().expect("a file");
        file.path().extension().is_some_and(|e| e == "zip")
    });
    assert_eq!(zips.count(), cases.len(), "a case for every zip");
}

/// A zip with so many empty stored files, f000000 and so on, as a writer without zip64 makes it.
fn many(n: usize) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for i in 0..n {
        let name = format!("{}/f{i:06}", module());
        let length = (name.len() as u16).to_le_bytes();
        let at = (zip.len() as u32).to_le_bytes();
        zip.extend([b"PK\x03\x04".as_slice(), &[0; 22], &length, &[0; 2], name.as_bytes()].concat());
        directory.extend([b"PK\x01\x02".as_slice(), &[0; 24], &length, &[0; 12], &at, name.as_bytes()].concat());
    }
    let (at, length, count) = (zip.len() as u32, directory.len() as u32, (n as u16).to_le_bytes());
    zip.extend(directory);
    zip.extend([b"PK\x05\x06".as_slice(), &[0; 4], &count, &count].concat());
    zip.extend([length.to_le_bytes(), at.to_le_bytes()].concat());
    zip.extend([0; 2]);
    zip
}

#[test]
fn more_entries_than_the_end_record_can_count() {
    let zip = many(70_000);
    let manifest = measure(zip.as_slice(), Some(&module())).expect("a good zip");
    assert_eq!(manifest.files().len(), 70_000);
    // `peer many-files 70000`
    assert_eq!(manifest.h1().to_string(), "h1:OZRvfb4UWvjhU8ezJp3OyAcic1Dg0C4XKrtnjxzW18s=");
}

/// A file of zeros with a zip at its end, as large as can be.
struct Sparse {
    size: u64,
    zip: Vec<u8>,
}

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        let start = self.size - self.zip.len() as u64;
        for (at, byte) in (offset..).zip(buffer) {
            *byte = at.checked_sub(start).map_or(0, |at| self.zip[at as usize]);
        }
        Ok(())
    }
}

#[test]
fn a_module_zip_has_at_most_500_mib() {
    for (size, code) in [(MAX_ZIP_FILE, ""), (MAX_ZIP_FILE + 1, "zip-too-large")] {
        let zip = Sparse { size, zip: odd("deflated") };
        assert_eq!(said(measure(&zip, Some(&module()))).1, code);
        assert_eq!(said(measure(&zip, None)).1, "");
    }
    let zip = Sparse { size: u64::MAX >> 1, zip: odd("deflated") };
    assert_eq!(said(measure(&zip, None)).1, "");
}

/// Fails from a certain read on.
struct Failing<'a> {
    zip: &'a [u8],
    left: Cell<u32>,
    error: ReadError,
}

impl ReadAt for Failing<'_> {
    fn size(&self) -> u64 {
        self.zip.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.left.set(self.left.get().checked_sub(1).ok_or(self.error)?);
        self.zip.read_at(offset, buffer)
    }
}

#[test]
fn what_cannot_be_read_is_not_called_wrong() {
    let zip = odd("large");
    for (error, code) in [(ReadError::Failed, "unreadable"), (ReadError::Changed, "changed")] {
        let mut reads = 0;
        loop {
            let failing = Failing { zip: &zip, left: Cell::new(reads), error };
            match measure(&failing, Some(&module())) {
                Ok(_) => break,
                Err(got) => assert_eq!((got.code(), got), (code, ZipError::Read(error))),
            }
            reads += 1;
        }
        assert!(reads > 1);
    }
}

/// How many bytes a reader asks for.
struct Counting<'a> {
    zip: &'a [u8],
    read: Cell<u64>,
    largest: Cell<usize>,
}

impl ReadAt for Counting<'_> {
    fn size(&self) -> u64 {
        self.zip.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.read.set(self.read.get() + buffer.len() as u64);
        self.largest.set(self.largest.get().max(buffer.len()));
        self.zip.read_at(offset, buffer)
    }
}

#[test]
fn a_zip_is_read_once_and_in_parts() {
    let zip = many(70_000);
    let counting = Counting { zip: &zip, read: Cell::new(0), largest: Cell::new(0) };
    measure(&counting, None).expect("a good zip");
    // Its directory, and what is before it; a part may reach into what is not needed.
    assert!(counting.read.get() < zip.len() as u64 + (1 << 20), "{} of {}", counting.read.get(), zip.len());
    assert!(counting.largest.get() <= 1 << 18, "{}", counting.largest.get());
}

#[test]
fn entries_over_each_other_do_not_cost_more_than_the_largest_zip() {
    // Empty stored blocks without end, and entries that begin at each of the first of them.
    let (blocks, entries) = (250_000, 4_000);
    let mut zip = b"PK\x03\x04".to_vec();
    zip.extend([0; 26]);
    zip.extend([0, 0, 0, 0xff, 0xff].repeat(blocks));
    zip.extend([3, 0]);
    let packed = (zip.len() as u32 - 30).to_le_bytes();
    let start = zip.len() as u32;
    for i in 0..entries {
        let name = format!("f{i}");
        zip.extend([b"PK\x01\x02\0\0\0\0\0\0\x08\0".as_slice(), &[0; 8], &packed, &[0; 4]].concat());
        zip.extend([(name.len() as u16).to_le_bytes().as_slice(), &[0; 16], name.as_bytes()].concat());
    }
    let length = zip.len() as u32 - start;
    zip.extend([b"PK\x05\x06".as_slice(), &[0; 4], &(entries as u16).to_le_bytes().repeat(2)].concat());
    zip.extend([length.to_le_bytes(), start.to_le_bytes()].concat());
    zip.extend([0; 2]);
    assert_eq!(said(measure(zip.as_slice(), None)).1, "overlapping");
}

#[test]
fn one_file_is_read() {
    let zip = odd("duplicate-last-counts");
    let name = b"example.com/odd@v1.2.3/a.go";
    let content = read_file(zip.as_slice(), name, 1 << 20).expect("is there");
    assert!(content.starts_with(b"All this text"));
    assert_eq!(read_file(zip.as_slice(), name, content.len()).as_ref(), Ok(&content));
    let code = |name: &[u8], cap| read_file(zip.as_slice(), name, cap).map_err(|error| error.code());
    assert_eq!(code(name, content.len() - 1), Err("file-too-large"));
    assert_eq!(code(b"a.go", 1 << 20), Err("no-such-file"));
    assert_eq!(read_file(odd("deflated-crc-wrong").as_slice(), name, 1 << 20).map_err(|e| e.code()), Err("wrong-crc"));
    let large = read_file(odd("large").as_slice(), b"example.com/odd@v1.2.3/large", 1 << 30).expect("is there");
    assert_eq!(large, content.repeat(8000));
}

#[test]
fn names_are_shown_on_one_line() {
    assert_eq!(Shown::new(b"a\nb\xff\\\x1b[0m \xe4\xb8\x96").as_str(), "a\\nb\\xff\\\\\\u{1b}[0m 世");
    let long = Shown::new("世".repeat(1000).as_bytes());
    assert_eq!(long.as_str().chars().count(), 201);
    let zip = odd("name-long");
    let other = "example.com/odd@v1.2.4".parse().expect("a good pair");
    let message = measure(zip.as_slice(), Some(&other)).expect_err("another module").to_string();
    assert_eq!(message, "example.com/odd@v1.2.3/go.mod: unexpected file, not below MODULE@VERSION/");
    let dots = ["example.com/odd@v1.2.3/", &".".repeat(60_000)].concat();
    let mut zip = odd("name-long");
    let name = ["example.com/odd@v1.2.3/", &"n".repeat(60_000)].concat();
    while let Some(at) = zip.windows(name.len()).position(|part| part == name.as_bytes()) {
        zip[at..at + name.len()].copy_from_slice(dots.as_bytes());
    }
    let error = measure(zip.as_slice(), Some(&module())).expect_err("a bad path");
    assert_eq!(error.code(), "bad-path");
    assert!(error.to_string().len() < 700, "{error}");
}

#[test]
fn a_folder_has_the_h1_of_its_zip() {
    let module = module();
    let zip = odd("unsorted");
    let manifest = measure(zip.as_slice(), Some(&module)).expect("a good zip");
    let mut dir = DirHasher::new(&module);
    for file in manifest.files().iter().rev() {
        let content = read_file(zip.as_slice(), &file.name, 1 << 20).expect("is there");
        let name = file.name.strip_prefix(b"example.com/odd@v1.2.3/").expect("the prefix");
        dir.push(name, content.as_slice()).expect("a good name");
    }
    assert_eq!(dir.finish(), manifest);
}

#[test]
fn folders_agree_with_go() {
    // `peer hash dir` of a folder with these, and `peer hash mod`.
    let mut dir = DirHasher::new(&module());
    let large = vec![b'x'; 600_000];
    for (name, content) in
        [("z", b"last".as_slice()), (".hidden", b""), ("b/c d", b"\0"), ("b.c", b"x"), ("B", &large), ("é\\世", b"y")]
    {
        dir.push(name, content).expect("a good name");
    }
    assert_eq!(dir.finish().h1().to_string(), "h1:LCdG6een6e2I2Kx/toq5SWMO3Ra0oJExkzNMWxZgkfc=");
    assert_eq!(go_mod(b"module example.com/odd\n").to_string(), "h1:KvWxKdSEMhlB5flBjnMUvitsfYCPa4PNXs8XXCD/iJ0=");
}

#[test]
fn names_outside_of_a_folder_have_no_place_in_it() {
    let mut dir = DirHasher::new(&module());
    for name in ["", "/a", "..", "../a", ".", "./a", "a/../b", "a//b", "a/"] {
        let error = dir.push(name, b"".as_slice()).expect_err(name);
        assert_eq!(error, DirError::NotInside { name: Shown::new(name.as_bytes()) });
    }
    assert_eq!(dir.push("a\nb", b"".as_slice()), Err(DirError::Newline { name: Shown::new(b"a\nb") }));
    let failing = Failing { zip: b"abc", left: Cell::new(0), error: ReadError::Changed };
    assert_eq!(dir.push("a", &failing), Err(DirError::Read(ReadError::Changed)));
    assert_eq!(dir.finish().files(), []);
}

#[test]
fn files_are_checked_as_go_does() {
    #[derive(Deserialize)]
    struct Table {
        go: String,
        files: Vec<(String, u64)>,
        /// What zip.CheckFiles says, by path: `omitted: ` and why, or why alone.
        problems: Vec<(String, String)>,
        size_error: bool,
    }
    let tables: Vec<Table> = serde_json::from_str(include_str!("data/zip/files.json")).expect("the table is JSON");
    for table in tables {
        let files: Vec<(&[u8], u64)> = table.files.iter().map(|(name, size)| (name.as_bytes(), *size)).collect();
        let mut problems = check_files(&files, Some(&table.go));
        let whole = problems.len();
        problems.retain(|problem| problem.cause != FileCause::ContentTooLarge);
        assert_eq!(whole - problems.len(), usize::from(table.size_error));
        let got: Vec<(String, bool)> =
            problems.iter().map(|p| (table.files[p.index].0.clone(), p.cause.is_omission())).collect();
        let mut wanted: Vec<(String, bool)> =
            table.problems.iter().map(|(name, why)| (name.clone(), why.starts_with("omitted: "))).collect();
        let mut sorted = got.clone();
        sorted.sort();
        wanted.sort();
        assert_eq!(sorted, wanted, "go {}", table.go);
        for (problem, (name, _)) in problems.iter().zip(&got) {
            let (_, why) = table.problems.iter().find(|(of, _)| of == name).expect("was compared above");
            let why = why.strip_prefix("omitted: ").unwrap_or(why);
            let said = problem.cause.to_string();
            // Go repeats paths and limits in its messages.
            let kind = said.split(": ").last().unwrap_or(&said);
            let kind = kind
                .split(" with ")
                .next()
                .unwrap_or(kind)
                .replace("both a file and a folder", "both a file and a directory");
            assert!(why.contains(&kind), "{name}: {why:?}, and we say {said:?}");
        }
    }
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200), name in any::<Vec<u8>>()) {
        let _ = measure(bytes.as_slice(), None);
        let _ = read_file(bytes.as_slice(), &name, 100);
        let _ = Shown::new(&name);
        let _ = check_files(&[(&name, 1), (&bytes, 2)], None);
        let _ = DirHasher::new(&module()).push(&name, bytes.as_slice());
    }

    #[test]
    fn a_changed_zip_never_hashes_to_what_it_was_unless_its_files_are(
        at in any::<prop::sample::Index>(),
        bit in 0..8_u8,
    ) {
        let zip = odd("stored");
        let whole = measure(zip.as_slice(), Some(&module())).expect("a good zip");
        let mut changed = zip.clone();
        changed[at.index(zip.len())] ^= 1_u8 << bit;
        if let Ok(manifest) = measure(changed.as_slice(), Some(&module())) {
            for file in manifest.files() {
                let content = read_file(changed.as_slice(), &file.name, 1 << 20).expect("is there");
                let plain = read_file(zip.as_slice(), &file.name, 1 << 20);
                prop_assert_eq!(plain.is_ok_and(|plain| plain == content), whole.files().contains(file));
            }
            prop_assert_eq!(manifest.h1() == whole.h1(), manifest == whole);
        }
    }
}
