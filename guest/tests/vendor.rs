//! Vendor folders, real ones and changed ones, and the go command's own judgement.

mod common;

use std::collections::BTreeMap;

use modanchor_core::dirhash::{FileDigest, Manifest};
use modanchor_core::gosum::gomod::{GoMod, Replacement};
use modanchor_core::gosum::gowork::GoWork;
use modanchor_core::vendor::consistency::{self, Main, NotUsed, Place, Source, Used};
use modanchor_core::vendor::constraint::is_vendored;
use modanchor_core::vendor::files::{Comparing, Comparison, Kind, Origin};
use modanchor_core::vendor::modules_txt::{Cause, Error, MAX_FILE, ModulesTxt};
use proptest::prelude::*;
use serde::Deserialize;

/// The lines of a listing: `HEX  NAME`.
fn listing(text: &str) -> Vec<FileDigest> {
    let byte = |hex: &str| u8::from_str_radix(hex, 16).expect("hexadecimal");
    let file = |line: &str| {
        let (hex, name) = line.split_once("  ").expect("a hash and a name");
        let bytes: Vec<u8> = (0..32).map(|i| byte(&hex[2 * i..2 * i + 2])).collect();
        FileDigest { name: name.as_bytes().into(), sha256: bytes.try_into().expect("a SHA-256") }
    };
    text.lines().map(file).collect()
}

/// A real vendor folder.
#[derive(Clone)]
struct Tree {
    list: ModulesTxt,
    vendored: Vec<FileDigest>,
    zips: Vec<FileDigest>,
    headers: Vec<Header>,
    irregular: Vec<Box<[u8]>>,
}

#[derive(Clone, Deserialize)]
struct Header {
    file: String,
    vendored: bool,
    header: String,
}

macro_rules! tree {
    ($name:literal) => {
        Tree {
            list: parse(include_str!(concat!("data/vendor/", $name, "/modules.txt"))),
            vendored: listing(include_str!(concat!("data/vendor/", $name, "/vendored.txt"))),
            zips: listing(include_str!(concat!("data/vendor/", $name, "/zips.txt"))),
            headers: serde_json::from_str(include_str!(concat!("data/vendor/", $name, "/headers.json"))).unwrap(),
            irregular: Vec::new(),
        }
    };
}

fn trees() -> [Tree; 2] {
    [tree!("module"), tree!("workspace")]
}

fn parse(text: &str) -> ModulesTxt {
    ModulesTxt::parse(text.as_bytes()).unwrap()
}

impl Tree {
    fn compare(&self) -> Comparison {
        let vendored = Manifest::new(self.vendored.clone());
        let mut comparing = Comparing::new(&self.list, &vendored, &self.irregular);
        let origins: Vec<_> = comparing.origins().collect();
        for (module, origin) in origins {
            if let Origin::Zip(version) = origin {
                let prefix = format!("{version}/");
                let of = |file: &&FileDigest| file.name.starts_with(prefix.as_bytes());
                let zip = Manifest::new(self.zips.iter().filter(of).cloned().collect());
                assert!(!zip.files().is_empty(), "{version}");
                comparing.zip(module, &zip);
            }
        }
        comparing.finish()
    }

    /// What a person would be told, by name.
    fn told(&self) -> Vec<String> {
        let outcome = self.compare();
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        let path = |module: usize| self.list.modules[module].path.clone();
        let left_out = |file: &[u8]| {
            let header = self.headers.iter().find(|header| header.file.as_bytes() == file);
            header.is_some_and(|header| !is_vendored(header.header.as_bytes()))
        };
        let mut told: Vec<String> = Vec::new();
        told.extend(outcome.mismatches.iter().map(|m| format!("mismatch {} {}", name(&m.file), path(m.module))));
        told.extend(outcome.extras.iter().map(|e| {
            let module = e.module.map_or_else(|| "nobody".to_owned(), path);
            format!("extra {} {module} {:?}{}", name(&e.file), e.kind, if e.listed { " listed" } else { "" })
        }));
        let missing = outcome.missing.iter().filter(|m| !(m.needs_content && left_out(&m.file)));
        told.extend(missing.map(|m| format!("missing {} {}", name(&m.file), name(&m.in_zip))));
        told.extend(outcome.irregular.iter().map(|i| format!("irregular {}", name(&i.file))));
        told
    }

    fn file(&mut self, name: &str) -> &mut FileDigest {
        self.vendored.iter_mut().find(|file| &*file.name == name.as_bytes()).unwrap()
    }

    fn add(&mut self, name: &str) {
        self.vendored.push(FileDigest { name: name.as_bytes().into(), sha256: [7; 32] });
    }
}

#[test]
fn nothing_is_wrong_with_real_vendor_folders() {
    for tree in trees() {
        assert_eq!(tree.list.notes, []);
        assert_eq!(tree.told(), [""; 0]);
        let outcome = tree.compare();
        // All but modules.txt are accounted for.
        let counted: u64 = outcome.modules.iter().map(|tally| tally.same + tally.uncompared).sum();
        assert_eq!(counted, tree.vendored.len() as u64 - 1);
        for (tally, module) in outcome.modules.iter().zip(&tree.list.modules) {
            let is_local = matches!(module.replacement, Some(Replacement::Directory(_)));
            assert_eq!(tally.uncompared > 0, is_local && module.version.is_some(), "{}", module.path);
        }
        // What only the content tells apart is there.
        assert!(outcome.missing.iter().any(|missing| missing.needs_content));
    }
}

#[test]
fn nothing_is_inconsistent_in_real_vendor_folders() {
    let [module, workspace] = trees();
    let go_mod = GoMod::parse(include_bytes!("data/vendor/module/go.mod")).unwrap();
    assert_eq!(consistency::check(Main::Module(&go_mod), &module.list), []);
    assert_eq!(consistency::is_used(Main::Module(&go_mod), &module.list), Ok(()));
    assert_eq!(consistency::is_used(Main::Module(&go_mod), &workspace.list), Err(NotUsed::ForWorkspace));

    let go_work = GoWork::parse(include_bytes!("data/vendor/workspace/go.work")).unwrap();
    let a = GoMod::parse(include_bytes!("data/vendor/workspace/a/go.mod")).unwrap();
    let b = GoMod::parse(include_bytes!("data/vendor/workspace/b/go.mod")).unwrap();
    let modules = [Used { directory: "./a", go_mod: &a }, Used { directory: "./b", go_mod: &b }];
    let main = Main::Workspace { go_work: &go_work, modules: &modules };
    assert_eq!(consistency::check(main, &workspace.list), []);
    assert_eq!(consistency::is_used(main, &workspace.list), Ok(()));
    assert_eq!(consistency::is_used(main, &module.list), Err(NotUsed::NotForWorkspace));
}

#[test]
fn every_changed_file_is_told() {
    for tree in trees() {
        for index in 0..tree.vendored.len() {
            let mut changed = tree.clone();
            let file = &mut changed.vendored[index];
            file.sha256[31] ^= 1;
            let name = String::from_utf8_lossy(&file.name).into_owned();
            let outcome = changed.compare();
            let told: Vec<_> = outcome.mismatches.iter().map(|m| String::from_utf8_lossy(&m.file)).collect();
            let is_local = name.starts_with("example.com/") || name == "modules.txt";
            assert_eq!(told, if is_local { vec![] } else { vec![name] });
        }
    }
}

#[test]
fn files_too_many_and_too_few_are_told() {
    let edit = |change: fn(&mut Tree)| {
        let mut tree = tree!("module");
        change(&mut tree);
        tree.told()
    };
    let without = |tree: &mut Tree, names: &[&str]| {
        tree.vendored.retain(|file| !names.iter().any(|name| &*file.name == name.as_bytes()));
    };
    assert_eq!(
        edit(|tree| tree.add("github.com/pkg/errors/evil.go")),
        ["extra github.com/pkg/errors/evil.go github.com/pkg/errors Go listed"]
    );
    assert_eq!(
        edit(|tree| tree.add("github.com/pkg/errors/sub/NOTES")),
        ["extra github.com/pkg/errors/sub/NOTES github.com/pkg/errors Other"]
    );
    assert_eq!(edit(|tree| tree.add("github.com/evil/x.go")), ["extra github.com/evil/x.go nobody Go"]);
    assert_eq!(edit(|tree| tree.add("README")), ["extra README nobody Other"]);
    // A module whose path only begins like the module's.
    assert_eq!(edit(|tree| tree.add("github.com/pkg/errorsx/a.s")), ["extra github.com/pkg/errorsx/a.s nobody Source"]);
    assert_eq!(
        edit(|tree| tree.irregular.push((*b"github.com/pkg/errors/link.go").into())),
        ["irregular github.com/pkg/errors/link.go"]
    );

    let mut tree = tree!("module");
    without(&mut tree, &["github.com/pkg/errors/stack.go", "github.com/mattn/go-sqlite3/sqlite3-binding.h"]);
    assert_eq!(
        tree.told(),
        [
            "missing github.com/mattn/go-sqlite3/sqlite3-binding.h \
             github.com/mattn/go-sqlite3@v1.14.32/sqlite3-binding.h",
            "missing github.com/pkg/errors/stack.go github.com/pkg/errors@v0.9.1/stack.go",
        ]
    );
    // A link in its place was told already.
    tree.irregular.push((*b"github.com/pkg/errors/stack.go").into());
    assert_eq!(tree.told().len(), 2);
    assert_eq!(tree.told()[1], "irregular github.com/pkg/errors/stack.go");

    // What no build takes may be gone.
    let mut tree = tree!("module");
    without(&mut tree, &["golang.org/x/net/LICENSE", "github.com/pkg/errors/README.md", "golang.org/x/net/PATENTS"]);
    assert_eq!(tree.told(), [""; 0]);
}

#[test]
fn a_module_without_a_zip_is_not_compared() {
    let mut tree = tree!("module");
    tree.zips.clear();
    tree.file("github.com/pkg/errors/stack.go").sha256 = [0; 32];
    let vendored = Manifest::new(tree.vendored.clone());
    let outcome = Comparing::new(&tree.list, &vendored, &[]).finish();
    assert_eq!((outcome.mismatches.len(), outcome.extras.len(), outcome.missing.len()), (0, 0, 0));
    let uncompared: u64 = outcome.modules.iter().map(|tally| tally.uncompared).sum();
    assert_eq!(uncompared, vendored.files().len() as u64 - 1);
}

#[test]
fn a_file_may_come_from_a_module_further_up() {
    let digest = |name: &str, byte| FileDigest { name: name.as_bytes().into(), sha256: [byte; 32] };
    let list = parse(
        "# example.com/m v1.0.0\nexample.com/m/a\nexample.com/m/sub/old\n# example.com/m/sub v1.1.0\nexample.com/m/sub\n",
    );
    assert_eq!(list.notes, []);
    let zips = [
        Manifest::new(vec![
            digest("example.com/m@v1.0.0/a/a.go", 1),
            digest("example.com/m@v1.0.0/sub/LICENSE", 2),
            digest("example.com/m@v1.0.0/sub/old/old.go", 3),
            digest("example.com/m@v1.0.0/sub/s.go", 4),
        ]),
        Manifest::new(vec![digest("example.com/m/sub@v1.1.0/s.go", 5), digest("example.com/m/sub@v1.1.0/LICENSE", 6)]),
    ];
    let compare = |licence: u8, source: u8, order: [usize; 2]| {
        let vendored = Manifest::new(vec![
            digest("example.com/m/a/a.go", 1),
            digest("example.com/m/sub/LICENSE", licence),
            digest("example.com/m/sub/old/old.go", 3),
            digest("example.com/m/sub/s.go", source),
        ]);
        let mut comparing = Comparing::new(&list, &vendored, &[]);
        order.iter().for_each(|module| comparing.zip(*module, &zips[*module]));
        let outcome = comparing.finish();
        assert!(outcome.extras.is_empty() && outcome.missing.is_empty());
        outcome.mismatches.iter().map(|m| (m.module, m.zip[0])).collect::<Vec<_>>()
    };
    for order in [[0, 1], [1, 0]] {
        assert_eq!(compare(2, 5, order), []);
        assert_eq!(compare(6, 5, order), []);
        // The owner's content is what is expected.
        assert_eq!(compare(7, 5, order), [(1, 6)]);
        // A source of a listed package comes from no other module.
        assert_eq!(compare(6, 4, order), [(1, 5)]);
    }
}

#[test]
fn a_package_outside_of_its_module_belongs_to_nobody() {
    let list = parse("# example.com/evil v1.0.0\nexample.com/good\n");
    let causes: Vec<_> = list.notes.iter().map(|note| &note.cause).collect();
    assert_eq!(causes, [&Cause::OutsideModule]);
    let vendored = Manifest::new(vec![FileDigest { name: (*b"example.com/good/x.go").into(), sha256: [1; 32] }]);
    let mut comparing = Comparing::new(&list, &vendored, &[]);
    let evil = FileDigest { name: (*b"example.com/evil@v1.0.0/x.go").into(), sha256: [1; 32] };
    comparing.zip(0, &Manifest::new(vec![evil]));
    let extras = comparing.finish().extras;
    assert_eq!(extras.len(), 1);
    assert_eq!((extras[0].module, extras[0].kind, extras[0].listed), (None, Kind::Go, true));
}

#[test]
fn kinds_are_those_of_go_build() {
    for name in ["a.go", "x_windows.go", "a.b.go"] {
        assert_eq!(Kind::of(name.as_bytes()), Kind::Go, "{name}");
    }
    for name in ["a.c", "a.S", "a.s", "a.sx", "a.F", "a.syso", "a.swigcxx", "a.hpp"] {
        assert_eq!(Kind::of(name.as_bytes()), Kind::Source, "{name}");
    }
    for name in ["a_test.go", "_a.go", ".a.go", "go", "a.C", "a.go.txt", "LICENSE", "a.", "", "a.inc", "go.mod"] {
        assert_eq!(Kind::of(name.as_bytes()), Kind::Other, "{name}");
    }
}

#[test]
fn constraints_are_met_as_go_mod_vendor_says() {
    let mut seen = [0, 0];
    for tree in trees() {
        for Header { file, vendored, header } in &tree.headers {
            assert_eq!(is_vendored(header.as_bytes()), *vendored, "{file}");
            seen[usize::from(*vendored)] += 1;
        }
    }
    assert!(seen[0] >= 5 && seen[1] >= 20, "{seen:?}");
}

/// Go files with odd constraints, and whether `go mod vendor` copies them.
fn odd_constraints() -> Vec<(Vec<u8>, bool)> {
    let hundred = format!("// +build {}\n\npackage x\n", ["ignore"; 101].join(" "));
    let too_many = format!("// +build {}\n\npackage x\n", ["ignore"; 102].join(" "));
    let deep = format!("//go:build {}a{}\npackage x\n", "(".repeat(999), ")".repeat(999));
    let too_deep = format!("//go:build {}a{}\npackage x\n", "(".repeat(1000), ")".repeat(1000));
    let cases: &[(&str, bool)] = &[
        ("package x\n", true),
        ("", true),
        ("//go:build ignore\n\npackage x\n", false),
        ("//go:build ignore\npackage x\n", false),
        ("\u{feff}//go:build ignore\n\npackage x\n", false),
        ("  \t//go:build ignore  \r\npackage x\n", false),
        ("package x\n//go:build ignore\n", true),
        ("/* //go:build ignore */\npackage x\n", true),
        ("/*\n//go:build ignore\n*/\npackage x\n", true),
        ("/* x */ //go:build ignore\npackage x\n", true),
        ("/* x */\n//go:build ignore\npackage x\n", false),
        ("//go:build !ignore\npackage x\n", true),
        ("//go:build a && !a\npackage x\n", true),
        ("//go:build !(a && !a)\npackage x\n", true),
        ("//go:build ignore || linux\npackage x\n", true),
        ("//go:build ignore && linux\npackage x\n", false),
        ("//go:build !(ignore || linux)\npackage x\n", true),
        ("//go:build !(!ignore && linux)\npackage x\n", true),
        ("//go:build !!a\npackage x\n", false),
        ("//go:build a b\npackage x\n", false),
        ("//go:build a & b\npackage x\n", false),
        ("//go:build (a\npackage x\n", false),
        ("//go:build a)\npackage x\n", false),
        ("//go:build a-b\npackage x\n", false),
        ("//go:build\npackage x\n", false),
        ("//go:builder ignore\npackage x\n", true),
        ("// go:build ignore\npackage x\n", true),
        ("//go:build a\n//go:build a\npackage x\n", false),
        ("//go:build a\n// +build ignore\n\npackage x\n", true),
        ("// +build ignore\n\npackage x\n", false),
        ("// +build ignore\npackage x\n", true),
        ("// +build ignore\n", true),
        ("//+build ignore\n\npackage x\n", false),
        ("// +build ignore linux\n\npackage x\n", true),
        ("// +build ignore,linux\n\npackage x\n", false),
        ("// +build !ignore\n\npackage x\n", true),
        ("// +build linux\n// +build ignore\n\npackage x\n", false),
        ("// +build !!linux\n\npackage x\n", false),
        ("// +build !\n\npackage x\n", false),
        ("// +build !a-b\n\npackage x\n", true),
        ("// +build a-b\n\npackage x\n", false),
        ("// +build linux,\n\npackage x\n", false),
        ("// +build\n\npackage x\n", false),
        ("// +builder ignore\n\npackage x\n", true),
        ("/* */\n// +build ignore\n\npackage x\n", true),
        (&hundred, false),
        (&too_many, true),
        (&deep, true),
        (&too_deep, false),
    ];
    let mut cases: Vec<_> = cases.iter().map(|(content, vendored)| (content.as_bytes().to_vec(), *vendored)).collect();
    cases.push((b"//go:build \xff\npackage x\n".to_vec(), false));
    cases.push((b"//\xff\n//go:build ignore\npackage x\n".to_vec(), false));
    cases
}

#[test]
fn odd_constraints_are_read_as_the_table_says() {
    for (content, vendored) in odd_constraints() {
        assert_eq!(is_vendored(&content), vendored, "{}", String::from_utf8_lossy(&content));
    }
}

#[test]
fn odd_constraints_are_read_as_the_go_command_reads_them() {
    let folder = common::folder("vendor-constraints");
    common::write(&folder, "x.go", b"package m\n\nimport _ \"example.com/x\"\n");
    let go_mod = b"module example.com/m\ngo 1.21\nrequire example.com/x v1.0.0\nreplace example.com/x => ./x\n";
    common::write(&folder, "go.mod", go_mod);
    common::write(&folder, "x/go.mod", b"module example.com/x\ngo 1.21\n");
    common::write(&folder, "x/plain.go", b"package x\n");
    let cases = odd_constraints();
    for (number, (content, _)) in cases.iter().enumerate() {
        common::write(&folder, &format!("x/odd{number}.go"), content);
    }
    // It fails in the end, because not all of them are Go; the files are copied before.
    let Some((_, output)) = common::go(&folder, &["mod", "vendor"]) else {
        return;
    };
    let copied = folder.join("vendor/example.com/x");
    assert!(copied.join("plain.go").exists(), "{output}");
    for (number, (content, vendored)) in cases.iter().enumerate() {
        let is_there = copied.join(format!("odd{number}.go")).exists();
        assert_eq!(is_there, *vendored, "{}", String::from_utf8_lossy(content));
    }
}

#[test]
fn a_modules_txt_is_read_as_the_go_command_reads_it() {
    let list = parse(
        "## workspace\n# example.com/a v1.0.0 => example.com/f v1.0.1\n## explicit; go 1.20\nexample.com/a\n\n  example.com/a/x \r\n# example.com/b => ../b\n",
    );
    assert!(list.workspace);
    assert_eq!(list.notes, []);
    let [a, b] = list.modules.as_slice() else { panic!("two modules") };
    assert_eq!(
        (a.path.as_str(), a.version.as_deref(), a.go.as_deref()),
        ("example.com/a", Some("v1.0.0"), Some("1.20"))
    );
    assert_eq!((a.at.line, a.at.column, a.at.end_column), (2, 1, 47));
    assert_eq!(a.explicit.map(|at| at.line), Some(3));
    assert_eq!(
        a.replacement,
        Some(Replacement::Module { path: "example.com/f".to_owned(), version: "v1.0.1".to_owned() })
    );
    assert_eq!((b.version.as_deref(), &b.replacement), (None, &Some(Replacement::Directory("../b".to_owned()))));
    assert_eq!(list.packages.keys().collect::<Vec<_>>(), ["example.com/a", "example.com/a/x"]);
    let at = list.packages["example.com/a/x"].at;
    assert_eq!((at.line, at.column, at.end_column), (6, 3, 18));
    assert_eq!(list.providers, [0]);
    assert_eq!(parse(""), ModulesTxt::default());
    assert!(!parse(&format!("## {};workspace\n", "x".repeat(512))).workspace);
    let too_large = vec![b'\n'; MAX_FILE + 1];
    assert_eq!(ModulesTxt::parse(&too_large), Err(Error::TooLarge(MAX_FILE + 1)));
    assert!(ModulesTxt::parse(&too_large[1..]).is_ok());
}

#[test]
fn what_is_read_past_is_told() {
    let cases: &[(&str, &[(u32, Cause)])] = &[
        ("example.com/a\n## explicit\n\n", &[(1, Cause::Orphan), (2, Cause::Orphan)]),
        ("#\n", &[(1, Cause::Orphan)]),
        ("# comment\n", &[(1, Cause::NoModule)]),
        ("# a b\nx.y/z\n", &[(1, Cause::NoVersion), (2, Cause::Orphan)]),
        ("# a.b/c v1.0.0 -> d\n", &[(1, Cause::NoReplacement)]),
        ("# a.b/c v1.0.0 => d e\n", &[(1, Cause::NoReplacement)]),
        ("# a.b/c => d v1.0.0 e\n", &[(1, Cause::NoReplacement)]),
        ("# a.b/c v1.0.0\n# a.b/c v1.0.0\n", &[(2, Cause::ModuleAgain(1))]),
        ("# a.b/c v1.0.0\na.b/c\n# a.b/c v1.1.0\na.b/c/d\n", &[(4, Cause::SecondVersion(1))]),
        ("# a.b/c v1.0.0\na.b/c\na.b/c\n", &[(3, Cause::PackageAgain(2))]),
        ("# a.b/c v1.0.0\na.b/cd\n", &[(2, Cause::OutsideModule)]),
        ("# a.b/c v1.0.0\na.b/c d\na.b/c:d\n", &[(2, Cause::NoPackage), (3, Cause::NoPackage)]),
        ("# a.b/c v1.0.0\n## explicit; new\n", &[(2, Cause::Annotation("new".to_owned()))]),
        ("# a.b/c v1.0.0\n## workspace\n", &[(2, Cause::Annotation("workspace".to_owned()))]),
        ("## workspace; go 1.20\n", &[(1, Cause::Annotation("go 1.20".to_owned()))]),
        ("\u{feff}# a.b/c v1.0.0\n", &[(1, Cause::Orphan)]),
        // A package's path may have what a module's has not.
        ("# a.b/c v1.0.0\na.b/c/.d/e+f\n", &[]),
    ];
    for (text, notes) in cases {
        let list = parse(text);
        let found: Vec<_> = list.notes.iter().map(|note| (note.at.line, note.cause.clone())).collect();
        assert_eq!(&found, notes, "{text}");
    }
    let list = ModulesTxt::parse(b"# a.b/c v1.0.0\na.b/c/\xff\n").unwrap();
    let causes: Vec<_> = list.notes.iter().map(|note| &note.cause).collect();
    assert_eq!(causes, [&Cause::InvalidUtf8, &Cause::NoPackage]);
    // The higher of two versions is the one that is selected.
    let list = parse("# a.b/c v1.9.0\na.b/c\n# a.b/c v1.10.0\na.b/c/d\n# a.b/c v1.2.0\na.b/c/e\n");
    assert_eq!(list.providers, [0, 1]);
}

#[test]
fn when_the_go_command_uses_the_folder() {
    let go_mod = |go: &str| GoMod::parse(format!("module example.com/m\n{go}\n").as_bytes()).unwrap();
    let used = |go: &str| consistency::is_used(Main::Module(&go_mod(go)), &ModulesTxt::default());
    let old = |go: &str| Err(NotUsed::OldGoVersion(Source::GoMod, go.to_owned()));
    assert_eq!(used(""), Err(NotUsed::NoGoVersion(Source::GoMod)));
    assert_eq!(used("go 1.9"), old("1.9"));
    assert_eq!(used("go 1.13"), old("1.13"));
    assert_eq!(used("go 1.14rc1"), old("1.14rc1"));
    assert_eq!(used("go 1.14"), Ok(()));
    assert_eq!(used("go 1.100"), Ok(()));
    assert_eq!(used("go 2.0"), Ok(()));
}

/// One case of `consistency.txt`.
struct Case<'a> {
    name: &'a str,
    files: BTreeMap<&'a str, String>,
    want: Vec<&'a str>,
}

fn cases() -> Vec<Case<'static>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut section = "";
    for line in include_str!("data/vendor/consistency.txt").lines() {
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case { name, files: BTreeMap::new(), want: Vec::new() });
            continue;
        }
        let case = cases.last_mut().expect("a case begins with its name");
        if let Some(name) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            section = name;
        } else if section == "want" {
            case.want.push(line);
        } else {
            *case.files.entry(section).or_default() += &format!("{line}\n");
        }
    }
    cases
}

impl Case<'_> {
    fn file(&self, name: &str) -> &[u8] {
        self.files.get(name).map_or(&[], |content| content.as_bytes())
    }

    /// What is inconsistent, and of that what the go command sees, without the places.
    fn check(&self) -> (Vec<String>, Vec<String>) {
        let list = ModulesTxt::parse(self.file("vendor/modules.txt")).unwrap();
        let go_work = GoWork::parse(self.file("go.work")).unwrap();
        let names: Vec<String> = match self.files.contains_key("go.work") {
            true => go_work.uses.iter().map(|used| format!("{}/go.mod", &used.directory[2..])).collect(),
            false => vec!["go.mod".to_owned()],
        };
        let go_mods: Vec<GoMod> = names.iter().map(|name| GoMod::parse(self.file(name)).unwrap()).collect();
        let uses = go_work.uses.iter().zip(&go_mods);
        let modules: Vec<_> = uses.map(|(used, go_mod)| Used { directory: &used.directory, go_mod }).collect();
        let main = match self.files.contains_key("go.work") {
            true => Main::Workspace { go_work: &go_work, modules: &modules },
            false => Main::Module(&go_mods[0]),
        };
        let found = consistency::check(main, &list);
        let show = |found: &consistency::Inconsistency| {
            let (file, at) = match found.place {
                Place::ModulesTxt(at) => ("modules.txt", at),
                Place::GoMod(module, at) => (names[module].as_str(), at),
                Place::GoWork(at) => ("go.work", at),
            };
            let mark = if found.cause.is_seen_by_go() { "" } else { "~ " };
            format!("{mark}{file}:{} {found}", at.line)
        };
        let seen = found.iter().filter(|found| found.cause.is_seen_by_go());
        (found.iter().map(show).collect(), seen.map(|found| without_places(&found.to_string())).collect())
    }
}

/// A message without the file and the directory, which the go command writes relative to where they are.
fn without_places(message: &str) -> String {
    for word in ["is replaced by ", "is replaced in "] {
        if let Some((before, rest)) = message.split_once(word) {
            let after = rest.split_once(", but").map_or("", |(_, after)| after);
            return format!("{before}{word}…, but{after}");
        }
    }
    message.to_owned()
}

#[test]
fn inconsistencies_are_those_of_the_table() {
    for case in cases() {
        assert_eq!(case.check().0, case.want, "{}", case.name);
    }
}

#[test]
fn inconsistencies_are_those_of_the_go_command() {
    for (number, case) in cases().iter().enumerate() {
        let folder = common::folder(&format!("vendor-{number}"));
        for (name, content) in &case.files {
            common::write(&folder, name, content.as_bytes());
        }
        let package = if case.files.contains_key("go.work") { "x/x.go" } else { "x.go" };
        common::write(&folder, package, b"package x\n");
        common::write(&folder, "vendor/empty", b"");
        let Some((_, output)) = common::go(&folder, &["list", "-mod=vendor", "example.com/..."]) else {
            return;
        };
        let told = output.lines().filter_map(|line| line.strip_prefix('\t')).take_while(|line| !line.is_empty());
        let told: Vec<String> = told.filter(|line| line.contains(": ")).map(without_places).collect();
        assert_eq!(case.check().1, told, "{}: {output}", case.name);
        assert_eq!(told.is_empty(), !output.contains("inconsistent vendoring"), "{}: {output}", case.name);
    }
}

/// Text that looks like a modules.txt.
fn like_modules_txt() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("#"),
        Just("##"),
        Just("=>"),
        Just("a.b/c"),
        Just("a.b/c/d"),
        Just("v1.0.0"),
        Just("v1.1.0"),
        Just("explicit"),
        Just("explicit;"),
        Just("go 1.20"),
        Just("workspace"),
        Just("./d"),
        Just("é"),
        Just("\r"),
        Just("\n"),
        Just("\n# a.b/c v1.0.0"),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.join(" ").replace("\n ", "\n"))
}

proptest! {
    #[test]
    fn nothing_panics(
        list in prop_oneof![like_modules_txt().prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..200)],
        names in prop::collection::vec("[a-c./]{0,12}", 0..8),
    ) {
        is_vendored(&list);
        let list = ModulesTxt::parse(&list).unwrap();
        let go_mod = GoMod::parse(b"module a.b/m\ngo 1.21\nrequire a.b/c v1.0.0\nreplace a.b/c => ./d\n").unwrap();
        consistency::check(Main::Module(&go_mod), &list);
        for package in list.packages.values() {
            prop_assert!(package.module < list.modules.len());
        }
        let files = |prefix: &str| names.iter().map(|name| {
            let name = format!("{prefix}{name}").into_bytes().into_boxed_slice();
            FileDigest { name, sha256: [0; 32] }
        }).collect::<Vec<_>>();
        let vendored = Manifest::new(files("a.b/"));
        let mut comparing = Comparing::new(&list, &vendored, &[]);
        let origins: Vec<_> = comparing.origins().collect();
        for (module, origin) in origins {
            if let Origin::Zip(version) = origin {
                comparing.zip(module, &Manifest::new(files(&format!("{version}/"))));
            }
        }
        comparing.finish();
    }

    /// Every line is either told or taken in.
    #[test]
    fn no_line_is_lost(text in like_modules_txt()) {
        let list = parse(&text);
        let modules = list.modules.iter().map(|module| module.at.line);
        let packages = list.packages.values().map(|package| package.at.line);
        let explicit = list.modules.iter().filter_map(|module| module.explicit).map(|at| at.line);
        let notes = list.notes.iter().map(|note| note.at.line);
        let told: std::collections::BTreeSet<u32> = modules.chain(packages).chain(explicit).chain(notes).collect();
        for (line, number) in text.lines().zip(1..) {
            let silent = line.trim().is_empty() || line.starts_with("## ");
            // Of a package that is listed again, the note names the earlier line.
            let earlier = list.notes.iter().any(|note| note.cause == Cause::PackageAgain(number));
            prop_assert!(silent || earlier || told.contains(&number), "{number}: {text}");
        }
    }

    /// Of constraints with one tag, only those that need `ignore` are never met.
    #[test]
    fn constraints_never_panic(text in "(//go:build|// \\+build)[ !()&|,a-c]{0,20}\n\npackage x") {
        is_vendored(text.as_bytes());
    }
}
