use std::cell::RefCell;
use std::collections::BTreeMap;

use super::*;

const A: &str = "example.com/A/b";

fn module(path: &str, version: &str) -> ModuleVersion {
    ModuleVersion::check(path, version).unwrap()
}

fn asked(module: &ModuleVersion) -> ModuleRef {
    ModuleRef { path: module.path().to_owned(), version: module.version().to_owned() }
}

struct Tree {
    dir: tempfile::TempDir,
    cache: ModCache,
}

impl Tree {
    /// A cache with these files, each of which holds its own name.
    fn new(files: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let cache = ModCache::new(dir.path().join("mod"));
        let tree = Self { dir, cache };
        for file in files {
            tree.write(file, file.as_bytes());
        }
        tree
    }

    fn at(&self, path: &str) -> PathBuf {
        below(&self.cache.root, path)
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn held(&self, modules: &[(&str, &str)]) -> Vec<Holding> {
        let modules: Vec<_> = modules
            .iter()
            .map(|(path, version)| ModuleRef { path: (*path).to_owned(), version: (*version).to_owned() })
            .collect();
        self.cache.held(&modules).unwrap()
    }

    fn walk(&self) -> Result<(BTreeMap<String, Vec<u8>>, Oddities), CacheError> {
        listed(&mut |visit| self.cache.walk(&module(A, "v1.0.0"), visit))
    }

    fn vendor(&self, path: &str) -> Result<(BTreeMap<String, Vec<u8>>, Oddities), CacheError> {
        listed(&mut |visit| walk_vendor(&self.cache.root, path, visit))
    }
}

type Walker<'a> = &'a mut dyn FnMut(Visit<'_, CacheError>) -> Result<Oddities, CacheError>;

fn listed(walk: Walker<'_>) -> Result<(BTreeMap<String, Vec<u8>>, Oddities), CacheError> {
    let mut files = BTreeMap::new();
    let oddities = walk(&mut |name, file| {
        let content = file.read(1000).map_err(|error| CacheError::at(Path::new(name), error))?;
        assert_eq!(files.insert(name.to_owned(), content), None, "{name} comes once");
        Ok(())
    })?;
    Ok((files, oddities))
}

/// Where the files of `example.com/A/b@v1.0.0` are.
const FOLDER: &str = "example.com/!a/b@v1.0.0";
const DOWNLOAD: &str = "cache/download/example.com/!a/b/@v";

#[test]
fn paths_are_those_of_the_go_command() {
    let cache = ModCache::new(PathBuf::from("m"));
    let of = |path: &str, version: &str, kind| cache.path(&module(path, version), kind);
    for (path, version, kind, want) in [
        ("golang.org/x/text", "v0.3.0", Kind::Zip, "m/cache/download/golang.org/x/text/@v/v0.3.0.zip"),
        (
            "github.com/BurntSushi/toml",
            "v1.6.0",
            Kind::GoMod,
            "m/cache/download/github.com/!burnt!sushi/toml/@v/v1.6.0.mod",
        ),
        ("gopkg.in/yaml.v2", "v2.0.0-RC1", Kind::Info, "m/cache/download/gopkg.in/yaml.v2/@v/v2.0.0-!r!c1.info"),
        ("a.b/c", "v2.0.0+incompatible", Kind::ZipHash, "m/cache/download/a.b/c/@v/v2.0.0+incompatible.ziphash"),
        ("a.b/c", "v1.0.0", Kind::Partial, "m/cache/download/a.b/c/@v/v1.0.0.partial"),
        ("a.b/c", "v1.0.0", Kind::Attestations, "m/cache/download/a.b/c/@v/v1.0.0.sigstore.json"),
    ] {
        assert_eq!(of(path, version, kind), below(Path::new(""), want), "{path}");
    }
    assert_eq!(cache.folder(&module(A, "v1.0.0-X")), below(Path::new("m"), "example.com/!a/b@v1.0.0-!x"));
}

#[test]
fn what_is_no_module_version_is_no_path() {
    for (path, version) in
        [("../../etc", "v1.0.0"), ("a.b/../c", "v1.0.0"), ("a.b/c", "../v1"), ("", ""), ("a.b/c", "v1")]
    {
        let module = ModuleRef { path: path.to_owned(), version: version.to_owned() };
        assert!(matches!(checked(&module), Err(CacheError::NotAModule(_))), "{path}@{version}");
        let tree = Tree::new(&["x"]);
        assert_eq!(tree.cache.held(&[module]).unwrap(), [Holding::empty()]);
    }
}

#[test]
fn what_is_held() {
    let name = |suffix: &str| format!("{DOWNLOAD}/v1.0.0.{suffix}");
    let all = [name("zip"), name("mod"), name("info"), name("ziphash"), format!("{FOLDER}/go.mod")];
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let tree = Tree::new(&all);
    tree.write("cache/download/a.b/c/@v/v1.0.0.mod", b"");
    tree.write("short.test@v1.0.0/go.mod", b"");
    tree.write("a.b/file@v1.0.0", b"");
    let held = tree.held(&[
        ("x.y/z", "v1.0.0"),
        (A, "v1.0.0"),
        (A, "v1.0.1"),
        ("example.com/a/b", "v1.0.0"),
        ("a.b/c", "v1.0.0"),
        ("example.com/A/b", "v1.0.0"),
        ("short.test", "v1.0.0"),
        ("a.b/file", "v1.0.0"),
        ("example.com/A", "v1.0.0"),
    ]);
    let none = Holding::empty();
    let every = Holding::all();
    assert_eq!(held, [none, every, none, none, Holding::GO_MOD, every, Holding::DIR, none, none]);

    tree.write(&name("partial"), b"");
    assert_eq!(tree.held(&[(A, "v1.0.0")]), [every ^ Holding::DIR], "while it is extracted");
    fs::remove_dir_all(tree.at("cache")).unwrap();
    assert_eq!(tree.held(&[(A, "v1.0.0")]), [Holding::DIR], "a folder alone, as after `rm -r cache`");
    fs::remove_dir_all(tree.at("example.com")).unwrap();
    assert_eq!(tree.held(&[(A, "v1.0.0")]), [none]);
    fs::remove_dir_all(&tree.cache.root).unwrap();
    let error = tree.cache.held(&[asked(&module(A, "v1.0.0"))]).unwrap_err();
    assert_eq!(error.failure(), Failure::Absent);
    fs::write(&tree.cache.root, "").unwrap();
    assert_eq!(tree.cache.held(&[]).unwrap_err().failure(), Failure::Absent, "a file is no cache");
}

#[test]
fn files_are_read_within_limits() {
    let tree = Tree::new(&[&format!("{DOWNLOAD}/v1.0.0.info")]);
    let of = |kind, limit| tree.cache.read(&module(A, "v1.0.0"), kind, limit).map_err(|error| error.failure());
    assert_eq!(of(Kind::Info, 100).unwrap().len(), DOWNLOAD.len() + "/v1.0.0.info".len());
    assert_eq!(of(Kind::Info, 5), Err(Failure::TooLarge));
    assert_eq!(of(Kind::ZipHash, 5), Err(Failure::Absent));
    fs::create_dir(tree.at(&format!("{DOWNLOAD}/v1.0.0.zip"))).unwrap();
    if cfg!(unix) {
        assert_eq!(of(Kind::Zip, 5), Err(Failure::Storage), "a folder");
    }
}

#[test]
fn a_folder_is_all_its_files() {
    let tree = Tree::new(&[]);
    for name in ["go.mod", "b/x.go", "b/.hidden", "a/_/y", "vendor/modules.txt", "b.go", "z/empty"] {
        tree.write(&format!("{FOLDER}/{name}"), name.as_bytes());
    }
    fs::create_dir(tree.at(&format!("{FOLDER}/nothing"))).unwrap();
    let (files, oddities) = tree.walk().unwrap();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["a/_/y", "b.go", "b/.hidden", "b/x.go", "go.mod", "vendor/modules.txt", "z/empty"]);
    assert!(files.iter().all(|(name, content)| name.as_bytes() == content));
    assert_eq!((oddities.links, oddities.irregular), (vec![], vec![]));
    if cfg!(unix) {
        assert_eq!((oddities.writable, oddities.first_writable.as_deref()), (7 + 7, Some(".")));
    }
}

#[test]
fn a_folder_that_is_not_there() {
    let tree = Tree::new(&["example.com/!a/x"]);
    assert_eq!(tree.walk().unwrap_err().failure(), Failure::Absent);
    tree.write(FOLDER, b"a file");
    assert_eq!(tree.walk().unwrap_err().failure(), Failure::Absent, "as the go command: not extracted");
}

#[test]
fn a_cache_that_is_being_filled() {
    let partial = format!("{DOWNLOAD}/v1.0.0.partial");
    let tree = Tree::new(&[&format!("{FOLDER}/a"), &format!("{FOLDER}/b"), &partial]);
    assert_eq!(tree.walk().unwrap_err().failure(), Failure::Absent);
    fs::remove_file(tree.at(&partial)).unwrap();
    tree.walk().unwrap();

    /// What another process does while `a` is read.
    type Meanwhile<'a> = &'a dyn Fn(&Tree);
    let meanwhile: [(&str, Meanwhile<'_>); 5] = [
        ("extraction begins", &|tree| tree.write(&partial, b"")),
        ("a file comes", &|tree| tree.write(&format!("{FOLDER}/c"), b"")),
        ("a file goes", &|tree| fs::remove_file(tree.at(&format!("{FOLDER}/b"))).unwrap()),
        ("a file is replaced", &|tree| {
            tree.write("new", b"");
            fs::rename(tree.at("new"), tree.at(&format!("{FOLDER}/b"))).unwrap();
        }),
        ("the folder goes", &|tree| fs::remove_dir_all(tree.at(FOLDER)).unwrap()),
    ];
    for (name, change) in meanwhile {
        let tree = Tree::new(&[&format!("{FOLDER}/a"), &format!("{FOLDER}/b")]);
        let walked = tree.cache.walk(&module(A, "v1.0.0"), &mut |file, _| {
            if file == "a" {
                change(&tree);
            }
            Ok::<_, CacheError>(())
        });
        assert_eq!(walked.unwrap_err().failure(), Failure::Changed, "{name}");
    }
}

#[test]
fn an_error_of_the_visitor_ends_the_walk() {
    let tree = Tree::new(&[&format!("{FOLDER}/a"), &format!("{FOLDER}/b")]);
    let seen = RefCell::new(0);
    let walked = tree.cache.walk(&module(A, "v1.0.0"), &mut |_, _| {
        *seen.borrow_mut() += 1;
        Err(CacheError::NoCache)
    });
    assert!(matches!(walked, Err(CacheError::NoCache)));
    assert_eq!(seen.into_inner(), 1);
}

#[test]
fn deep_folders_are_refused() {
    let tree = Tree::new(&[]);
    let deep = |depth: usize| format!("{FOLDER}/{}x", "d/".repeat(depth));
    tree.write(&deep(MAX_DEPTH), b"");
    assert_eq!(tree.walk().unwrap().0.len(), 1);
    tree.write(&deep(MAX_DEPTH + 1), b"");
    assert_eq!(tree.walk().unwrap_err().failure(), Failure::Storage);
}

#[test]
fn vendor_folders() {
    let tree = Tree::new(&["vendor/modules.txt", "vendor/a.b/c/c.go", "sub/vendor/modules.txt"]);
    let (files, _) = tree.vendor("vendor").unwrap();
    assert_eq!(files.keys().collect::<Vec<_>>(), ["a.b/c/c.go", "modules.txt"]);
    assert_eq!(tree.vendor("sub/vendor").unwrap().0.len(), 1);
    assert_eq!(tree.vendor("no/vendor").unwrap_err().failure(), Failure::Absent);
    assert_eq!(tree.vendor("vendor/modules.txt").unwrap_err().failure(), Failure::Absent);
    for path in ["", ".", "..", "../x", "/etc", "a//b", "sub/../vendor", "vendor/"] {
        assert!(matches!(tree.vendor(path), Err(CacheError::NotBelow(_))), "{path:?}");
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    fn chmod(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_writable() {
        let tree = Tree::new(&[&format!("{FOLDER}/a"), &format!("{FOLDER}/b/c")]);
        let writable = |name: &str, mode| chmod(&tree.at(&format!("{FOLDER}/{name}")), mode);
        for (name, mode) in [("b/c", 0o444), ("a", 0o444), ("b", 0o555), ("", 0o555)] {
            writable(name, mode);
        }
        let found = || tree.walk().map(|(_, oddities)| (oddities.writable, oddities.first_writable)).unwrap();
        let is = |count, first: &str| (count, Some(first.to_owned()));
        assert_eq!(found(), (0, None));
        writable("b", 0o755);
        assert_eq!(found(), is(1, "b"));
        writable("b/c", 0o446);
        assert_eq!(found(), is(2, "b"));
        writable("a", 0o464);
        assert_eq!(found(), is(3, "a"));
        writable("", 0o755);
        assert_eq!(found(), is(4, "."));
    }

    #[test]
    fn links_are_followed_to_files_alone_and_no_loop_is_walked() {
        let tree = Tree::new(&["outside/f", &format!("{FOLDER}/real")]);
        let link = |target: &str, name: &str| symlink(target, tree.at(&format!("{FOLDER}/{name}"))).unwrap();
        link("real", "to-file");
        link("../../../outside/f", "to-outside");
        link("../../../outside", "to-folder");
        link(".", "to-itself");
        link("loop", "loop");
        link("nowhere", "broken");
        link("/dev/null", "to-device");
        let _socket = UnixListener::bind(tree.at(&format!("{FOLDER}/socket"))).unwrap();
        let (files, oddities) = tree.walk().unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["real", "to-file", "to-outside"]);
        assert_eq!(files["to-outside"], b"outside/f");
        assert_eq!(oddities.links, ["to-file", "to-outside"]);
        assert_eq!(oddities.irregular, ["broken", "loop", "socket", "to-device", "to-folder", "to-itself"]);
    }

    #[test]
    fn a_linked_folder_is_read_and_named() {
        let tree = Tree::new(&["elsewhere/f", "example.com/!a/x"]);
        symlink("../../elsewhere", tree.at(FOLDER)).unwrap();
        let (files, oddities) = tree.walk().unwrap();
        assert_eq!((files.len(), oddities.links), (1, vec![".".to_owned()]));
        assert_eq!(tree.held(&[(A, "v1.0.0")]), [Holding::DIR]);
        fs::remove_dir_all(tree.at("elsewhere")).unwrap();
        assert_eq!(tree.walk().unwrap_err().failure(), Failure::Absent);
        assert_eq!(tree.held(&[(A, "v1.0.0")]), [Holding::empty()]);
    }

    #[test]
    fn names_of_oddities_are_bounded() {
        let tree = Tree::new(&[&format!("{FOLDER}/real")]);
        for number in 0..MAX_ODD + 1 {
            symlink("nowhere", tree.at(&format!("{FOLDER}/broken{number:03}"))).unwrap();
            symlink("real", tree.at(&format!("{FOLDER}/link{number:03}"))).unwrap();
        }
        let (files, oddities) = tree.walk().unwrap();
        assert_eq!((files.len(), oddities.links.len(), oddities.irregular.len()), (MAX_ODD + 2, MAX_ODD, MAX_ODD));
    }

    #[test]
    fn vendor_follows_no_link() {
        let tree = Tree::new(&["real/vendor/f", "vendor/f", "outside"]);
        symlink("../outside", tree.at("vendor/link")).unwrap();
        symlink("../real", tree.at("vendor/folder")).unwrap();
        let (files, oddities) = tree.vendor("vendor").unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["f"]);
        assert_eq!((oddities.links, oddities.irregular), (vec![], vec!["folder".to_owned(), "link".to_owned()]));
        symlink("real", tree.at("linked")).unwrap();
        symlink("real/vendor", tree.at("here")).unwrap();
        for path in ["here", "linked/vendor"] {
            let (files, oddities) = tree.vendor(path).unwrap();
            assert_eq!((files.len(), oddities.irregular), (0, vec![".".to_owned()]), "{path}");
        }
    }

    // Elsewhere the file system takes UTF-8 names only.
    #[cfg(target_os = "linux")]
    #[test]
    fn names_that_are_not_utf8() {
        use std::os::unix::ffi::OsStrExt as _;
        let tree = Tree::new(&[&format!("{FOLDER}/a")]);
        let odd = tree.at(FOLDER).join(std::ffi::OsStr::from_bytes(b"odd\xff"));
        fs::create_dir(&odd).unwrap();
        fs::write(odd.join("f"), "").unwrap();
        let (files, oddities) = tree.walk().unwrap();
        assert_eq!((files.len(), oddities.irregular), (1, vec!["odd\u{fffd}".to_owned()]));
    }

    /// Root may read everything, so this one thread becomes somebody else.
    #[cfg(target_os = "linux")]
    fn as_nobody<T: Send>(run: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                if rustix::process::geteuid().is_root() {
                    let nobody = rustix::process::Uid::from_raw(65534);
                    rustix::thread::set_thread_res_uid(nobody, nobody, nobody).unwrap();
                }
                run()
            });
            other.join().unwrap()
        })
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn permission_errors_are_failures() {
        let zip = format!("{DOWNLOAD}/v1.0.0.zip");
        let tree = Tree::new(&[&format!("{FOLDER}/a"), &format!("{FOLDER}/b/c"), &zip]);
        chmod(tree.dir.path(), 0o755);
        let with = |path: &str, mode: u32| {
            let path = tree.at(path);
            let before = fs::metadata(&path).unwrap().permissions();
            chmod(&path, mode);
            let found = as_nobody(|| {
                let walked = tree.walk().map_err(|error| error.failure());
                let read = tree.cache.read(&module(A, "v1.0.0"), Kind::Zip, 100).map_err(|error| error.failure());
                (walked.map(|(files, _)| files.len()), read.map(|_| ()), tree.held(&[(A, "v1.0.0"), (A, "v1.0.1")]))
            });
            fs::set_permissions(&path, before).unwrap();
            found
        };
        let (there, none) = (Holding::ZIP | Holding::DIR, Holding::empty());
        let unreadable = Err(Failure::Storage);
        assert_eq!(with(&zip, 0o444), (Ok(2), Ok(()), vec![there, none]));
        assert_eq!(with(&zip, 0), (Ok(2), Err(Failure::Storage), vec![there, none]));
        assert_eq!(with(&format!("{FOLDER}/b/c"), 0), (unreadable, Ok(()), vec![there, none]));
        assert_eq!(with(&format!("{FOLDER}/b"), 0), (unreadable, Ok(()), vec![there, none]));
        assert_eq!(with(FOLDER, 0), (unreadable, Ok(()), vec![there, none]));
        assert_eq!(with(DOWNLOAD, 0o111), (Ok(2), Ok(()), vec![there, none]), "not to be listed");
        let (walked, read, held) = with(DOWNLOAD, 0);
        assert_eq!((walked, read), (unreadable, Err(Failure::Storage)));
        assert_eq!(held[0], Holding::all() ^ Holding::DIR, "asking for it says why");
    }
}
