use std::fs;
use std::io::Write as _;

use super::*;
use crate::cache::Store;
use crate::contract::{Item, Progress, Recall};
use crate::engine::Limits;
use crate::engine::drive::{self, Watch};
use crate::fetch::{Collected, FetchConfig};
use crate::goenv::{GoEnv, Place as SetIn, SetBy, Setting, Sources, Var};

const M: &str = "example.com/m";
const V: &str = "v1.0.0";
const FILES: [(&str, &[u8]); 3] =
    [("go.mod", b"module example.com/m\n"), ("a.go", b"package m\n"), ("b/b.go", b"package b\n")];
/// Computed by another program, from the definition.
const H1: &str = "h1:40WeuJZjq8VAf+GuWYZsV5pVLWLxSDrNWBbuslMD9rI=";
const H1_MOD: &str = "h1:flS2VctbRrTv+sBE+VKgxx6hlkMGPVz9MGOmzMYFg3k=";

fn engines() -> [HashEngine; 2] {
    [HashEngine::Native, HashEngine::Component(Engine::new(Limits::default()).unwrap())]
}

fn module() -> ModuleRef {
    ModuleRef { path: M.to_owned(), version: V.to_owned() }
}

fn crc32(content: &[u8]) -> u32 {
    !content.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

/// A zip of stored files.
fn zip_of(files: &[(String, &[u8])]) -> Vec<u8> {
    let mut zip = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let size = u32::try_from(content.len()).unwrap().to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend_from_slice(&crc32(content).to_le_bytes());
        common.extend_from_slice(&[size, size].concat());
        common.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        let at = u32::try_from(zip.len()).unwrap().to_le_bytes();
        zip.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), content].concat());
        directory.extend([b"PK\x01\x02\x14\0", common.as_slice(), &[0; 10], &at, name.as_bytes()].concat());
    }
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    let (size, at) = (u32::try_from(directory.len()).unwrap(), u32::try_from(zip.len()).unwrap());
    zip.extend_from_slice(&directory);
    zip.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count].concat());
    zip.extend([size.to_le_bytes(), at.to_le_bytes()].concat());
    zip.extend([0, 0]);
    zip
}

fn module_zip() -> Vec<u8> {
    zip_of(&FILES.map(|(name, content)| (format!("{M}@{V}/{name}"), content)))
}

/// A module cache with one module, whole, and a vendor folder.
struct Machine {
    dir: tempfile::TempDir,
    problems: Arc<Collected>,
}

impl Machine {
    fn new() -> Self {
        let machine = Self { dir: tempfile::tempdir().unwrap(), problems: Arc::default() };
        machine.write("mod/cache/download/example.com/m/@v/v1.0.0.zip", &module_zip());
        machine.write("mod/cache/download/example.com/m/@v/v1.0.0.mod", FILES[0].1);
        machine.write("mod/cache/download/example.com/m/@v/v1.0.0.ziphash", H1.as_bytes());
        machine.write("mod/cache/download/example.com/m/@v/v1.0.0.info", b"{}");
        for (name, content) in FILES {
            machine.write(&format!("mod/example.com/m@v1.0.0/{name}"), content);
        }
        machine.write("src/vendor/modules.txt", b"# example.com/m v1.0.0\n");
        machine.write("src/vendor/example.com/m/a.go", b"package m\n");
        machine
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn hasher(&self, engine: &HashEngine) -> Hasher {
        Hasher::new(Some(self.at("mod")), self.at("src"), engine.clone())
    }

    /// Its proxy is the module cache itself, as a `file://` tree.
    fn fetcher(&self) -> Fetcher {
        let home = [(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, self.dir.path())];
        let env = GoEnv::load(Sources::of(home)).unwrap();
        let mut config = FetchConfig::new(&env, Vec::new(), self.problems.clone()).unwrap();
        let value = url::Url::from_file_path(self.at("mod/cache/download")).unwrap().to_string();
        config.goproxy = Setting { value, set_by: SetBy { var: Var::GoProxy, place: SetIn::Environment } };
        Fetcher::new(config).unwrap()
    }

    fn answer_with(&self, hasher: &Hasher, request: Request) -> Response {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fetcher = self.fetcher();
        respond(runtime.block_on(hasher.answer(request, &fetcher)), &fetcher).unwrap()
    }

    /// What both engines answer.
    fn answer(&self, request: Request) -> Response {
        let [native, component] = engines().map(|engine| self.answer_with(&self.hasher(&engine), request.clone()));
        assert_eq!(native, component);
        native
    }

    fn measure(&self, subject: Subject, place: Place, files: bool) -> Result<Measurement, Failure> {
        match self.answer(Request::Measure(Measure { subject, place, files }))? {
            Answer::Measurement(measurement) => Ok(measurement),
            other => panic!("{other:?}"),
        }
    }

    fn body(&self, request: Request) -> Result<(Vec<u8>, Origin), Failure> {
        match self.answer(request)? {
            Answer::Body(body) => Ok((body.content, body.origin)),
            other => panic!("{other:?}"),
        }
    }

    fn told(&self) -> Vec<String> {
        self.problems.take().iter().map(ToString::to_string).collect()
    }
}

fn manifest(prefix: &str) -> Vec<u8> {
    let mut files = FILES.map(|(name, content)| FileDigest {
        name: format!("{prefix}{name}").into_bytes().into(),
        sha256: hash_file(content, &mut Vec::new()).unwrap(),
    });
    files.reverse();
    Manifest::new(files.to_vec()).text()
}

fn is(h1: &str, files: u64, manifest: Vec<u8>) -> Found {
    Ok(Measured { h1: h1.to_owned(), files, manifest })
}

#[test]
fn a_module_is_measured_everywhere_alike() {
    let machine = Machine::new();
    let list = manifest("example.com/m@v1.0.0/");
    for (subject, place, files, want) in [
        (Subject::Zip(module()), Place::ModuleCache, false, is(H1, 3, vec![])),
        (Subject::Zip(module()), Place::ModuleCache, true, is(H1, 3, list.clone())),
        (Subject::Zip(module()), Place::Proxy, false, is(H1, 3, vec![])),
        (Subject::Zip(module()), Place::Proxy, true, is(H1, 3, list.clone())),
        (Subject::Dir(module()), Place::ModuleCache, false, is(H1, 3, vec![])),
        (Subject::Dir(module()), Place::ModuleCache, true, is(H1, 3, list)),
        (Subject::GoMod(module()), Place::ModuleCache, false, is(H1_MOD, 1, vec![])),
    ] {
        let measured = machine.measure(subject.clone(), place, files).unwrap();
        assert_eq!(measured.found, want, "{subject:?} {place:?} {files}");
    }
    let vendor = machine.measure(Subject::Vendor("vendor".to_owned()), Place::ModuleCache, false).unwrap();
    let manifest = String::from_utf8(vendor.found.unwrap().manifest).unwrap();
    let lines: Vec<_> = manifest.lines().map(|line| line.split_once("  ").unwrap()).collect();
    assert_eq!(lines.iter().map(|(_, name)| *name).collect::<Vec<_>>(), ["example.com/m/a.go", "modules.txt"]);
    assert_eq!(lines[0].0, "4aa8b7c674470695884aab61a414c5a11c9e2e283df176cad2013bd4a059a7b5");

    let of = |file, max_bytes| machine.body(Request::Cached(CacheGet { module: module(), file, max_bytes }));
    assert_eq!(of(CacheFile::ZipHash, 100), Ok((H1.into(), Origin::GoCache)));
    assert_eq!(of(CacheFile::Info, 2), Ok((b"{}".to_vec(), Origin::GoCache)));
    assert_eq!(of(CacheFile::Info, 1), Err(Failure::TooLarge));
    let of = |place, name: &str, max_bytes| {
        let name = format!("example.com/m@v1.0.0/{name}");
        machine.body(Request::ZipFile(ZipGet { module: module(), place, name, max_bytes }))
    };
    for (place, origin) in [(Place::ModuleCache, Origin::GoCache), (Place::Proxy, Origin::Remote)] {
        assert_eq!(of(place, "a.go", 10), Ok((b"package m\n".to_vec(), origin)));
        assert_eq!(of(place, "a.go", 9), Err(Failure::TooLarge));
        assert_eq!(of(place, "c.go", 9), Err(Failure::Absent));
    }
    let held = machine.answer(Request::Held(vec![module()]));
    assert_eq!(held, Ok(Answer::Holdings(vec![crate::contract::Holding::all()])));
}

#[test]
fn what_is_not_there_and_what_cannot_be_asked() {
    let machine = Machine::new();
    let other = ModuleRef { version: "v1.0.1".to_owned(), ..module() };
    let bad = ModuleRef { path: "../../x".to_owned(), ..module() };
    for (subject, place, want) in [
        (Subject::Zip(other.clone()), Place::ModuleCache, Failure::Absent),
        (Subject::Zip(other.clone()), Place::Proxy, Failure::Absent),
        (Subject::Dir(other.clone()), Place::ModuleCache, Failure::Absent),
        (Subject::GoMod(other.clone()), Place::ModuleCache, Failure::Absent),
        (Subject::Dir(module()), Place::Proxy, Failure::Absent),
        (Subject::Vendor("no".to_owned()), Place::ModuleCache, Failure::Absent),
        (Subject::Vendor("../src/vendor".to_owned()), Place::ModuleCache, Failure::Storage),
        (Subject::Zip(bad.clone()), Place::ModuleCache, Failure::Storage),
        (Subject::Zip(bad.clone()), Place::Proxy, Failure::Storage),
        (Subject::Dir(bad), Place::ModuleCache, Failure::Storage),
    ] {
        assert_eq!(machine.measure(subject.clone(), place, false), Err(want), "{subject:?} {place:?}");
    }
    let nowhere = Hasher::new(None, machine.at("src"), HashEngine::Native);
    for request in [
        Request::Held(vec![module()]),
        Request::Measure(Measure { subject: Subject::Dir(module()), place: Place::ModuleCache, files: false }),
        Request::Cached(CacheGet { module: module(), file: CacheFile::Info, max_bytes: 9 }),
    ] {
        assert_eq!(machine.answer_with(&nowhere, request), Err(Failure::Absent), "no module cache");
    }
}

#[test]
fn what_is_no_module_is_refused_alike() {
    let zip = "mod/cache/download/example.com/m/@v/v1.0.0.zip";
    let a = ("example.com/m@v1.0.0/a".to_owned(), &b"a"[..]);
    let mut bad_crc = module_zip();
    let at = bad_crc.windows(9).position(|window| window == b"package m").unwrap();
    bad_crc[at] ^= 1;
    for (name, content, code) in [
        ("empty", vec![], "not-zip"),
        ("a web page", b"<html>".to_vec(), "not-zip"),
        ("a flipped bit", bad_crc, "wrong-crc"),
        ("another module's", zip_of(&[("example.com/x@v1.0.0/a".to_owned(), b"")]), "unexpected-file"),
        ("cut off", module_zip()[..module_zip().len() - 1].to_vec(), "not-zip"),
        ("twice", zip_of(&[a.clone(), a.clone()]), "duplicate-file"),
    ] {
        let machine = Machine::new();
        machine.write(zip, &content);
        for place in [Place::ModuleCache, Place::Proxy] {
            let measured = machine.measure(Subject::Zip(module()), place, false).unwrap();
            assert_eq!(measured.found.unwrap_err().code, code, "{name}");
        }
        let file = "example.com/m@v1.0.0/a.go".to_owned();
        let get = ZipGet { module: module(), place: Place::ModuleCache, name: file, max_bytes: 100 };
        assert!(matches!(machine.body(Request::ZipFile(get)), Err(Failure::NotData | Failure::Absent)), "{name}");
    }
    let machine = Machine::new();
    let go_mod = fs::File::create(machine.at("mod/cache/download/example.com/m/@v/v1.0.0.mod")).unwrap();
    go_mod.set_len(MAX_GO_MOD + 1).unwrap();
    let measured = machine.measure(Subject::GoMod(module()), Place::ModuleCache, false).unwrap();
    assert_eq!(measured.found.unwrap_err().code, "go-mod-too-large");
}

#[cfg(unix)]
#[test]
fn odd_folders_are_measured_alike() {
    let machine = Machine::new();
    let folder = |name: &str| machine.at("mod/example.com/m@v1.0.0").join(name);
    fs::remove_file(folder("a.go")).unwrap();
    fs::write(folder("../elsewhere"), "package m\n").unwrap();
    std::os::unix::fs::symlink("../elsewhere", folder("a.go")).unwrap();
    std::os::unix::fs::symlink(".", folder("loop")).unwrap();
    let measured = machine.measure(Subject::Dir(module()), Place::ModuleCache, false).unwrap();
    assert_eq!(measured.found, is(H1, 3, vec![]), "as the go command sees it");
    assert_eq!((measured.oddities.links, measured.oddities.irregular), (vec!["a.go".into()], vec!["loop".into()]));
    fs::write(folder("new\nline"), "").unwrap();
    let measured = machine.measure(Subject::Dir(module()), Place::ModuleCache, false).unwrap();
    assert_eq!(measured.found.unwrap_err().code, "bad-path");
    machine.write("src/vendor/new\nline", b"");
    let measured = machine.measure(Subject::Vendor("vendor".to_owned()), Place::ModuleCache, false).unwrap();
    assert_eq!(measured.found.unwrap_err().code, "bad-path");
}

#[test]
fn what_changes_while_it_is_read_is_no_measurement() {
    for engine in engines() {
        let machine = Machine::new();
        let path = machine.at("mod/cache/download/example.com/m/@v/v1.0.0.zip");
        let worker = Worker { engine: &engine, pool: &Pool::default() };
        let file = Arc::new(Regular::open(&path).unwrap());
        // Same bytes, longer: what was read is right, and yet not what lies there.
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"x").unwrap();
        let found = worker.zip(&path, &file, None, false);
        assert!(matches!(&found, Err(HashError::Files(error)) if error.failure() == Failure::Changed), "{found:?}");

        fs::write(&path, module_zip()).unwrap();
        let file = Arc::new(Regular::open(&path).unwrap());
        fs::write(&path, b"short").unwrap();
        for found in [worker.zip(&path, &file, None, false), worker.go_mod(&path, &file)] {
            assert!(matches!(&found, Err(HashError::Files(error)) if error.failure() == Failure::Changed), "{found:?}");
        }
    }
}

#[test]
fn troubles_are_told_to_people_and_absence_is_not() {
    let machine = Machine::new();
    let zip = machine.at("mod/cache/download/example.com/m/@v/v1.0.0.zip");
    fs::remove_file(&zip).unwrap();
    let get = || machine.measure(Subject::Zip(module()), Place::ModuleCache, false);
    assert_eq!(get(), Err(Failure::Absent));
    assert_eq!(machine.told(), Vec::<String>::new());
    if cfg!(unix) {
        fs::create_dir(&zip).unwrap();
        assert_eq!(get(), Err(Failure::Storage));
        assert_eq!(machine.told()[0], format!("{}: not a regular file", zip.display()));
    }
}

#[test]
fn by_path() {
    let machine = Machine::new();
    let checked = ModuleVersion::check(M, V).unwrap();
    for engine in engines() {
        let zip_path = machine.at("mod/cache/download/example.com/m/@v/v1.0.0.zip");
        assert_eq!(zip(&zip_path, Some(&checked), false, &engine).unwrap(), is(H1, 3, vec![]));
        assert_eq!(zip(&zip_path, None, false, &engine).unwrap(), is(H1, 3, vec![]));
        let other = ModuleVersion::check(M, "v1.0.1").unwrap();
        assert_eq!(zip(&zip_path, Some(&other), false, &engine).unwrap().unwrap_err().code, "unexpected-file");
        let folder = machine.at("mod/example.com/m@v1.0.0");
        let mut seen = 0;
        assert_eq!(dir(&folder, &checked, false, &engine, |_, _| seen += 1).unwrap().0, is(H1, 3, vec![]));
        assert_eq!(seen, 3);
        assert_eq!(go_mod(&folder.join("go.mod"), &engine).unwrap(), is(H1_MOD, 1, vec![]));
        assert_eq!(program(&zip_path, &engine).unwrap().unwrap_err().code, "no-build-info");
        let absent = zip(&machine.at("none"), None, false, &engine).unwrap_err();
        assert!(matches!(&absent, HashError::Files(error) if error.failure() == Failure::Absent), "{absent}");
    }
}

#[test]
fn instances_are_used_again_and_measure_many_at_once() {
    let machine = Machine::new();
    let engine = HashEngine::Component(Engine::new(Limits::default()).unwrap());
    let hasher = machine.hasher(&engine);
    let fetcher = machine.fetcher();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let request = |position: usize| {
        let subject = if position.is_multiple_of(2) { Subject::Zip(module()) } else { Subject::Dir(module()) };
        Request::Measure(Measure { subject, place: Place::ModuleCache, files: false })
    };
    let all = (0..20).map(|position| hasher.answer(request(position), &fetcher));
    for found in runtime.block_on(futures_util::future::join_all(all)) {
        let Ok(Answer::Measurement(measurement)) = found else { panic!("{found:?}") };
        assert_eq!(measurement.found, is(H1, 3, vec![]));
    }
    let instances = hasher.shared.pool.lock().unwrap().len();
    assert!((1..=std::thread::available_parallelism().unwrap().get()).contains(&instances), "{instances}");
}

/// Watches how many answers there are.
#[derive(Default)]
struct Count(Mutex<Vec<(usize, usize)>>);

impl Watch for Count {
    fn step(&self, _: &Progress) {}

    fn answered(&self, done: usize, of: usize) {
        self.0.lock().unwrap().push((done, of));
    }
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let machine = Machine::new();
    let (hasher, fetcher) = (machine.hasher(&HashEngine::Native), machine.fetcher());
    let measure = |subject, place| Request::Measure(Measure { subject, place, files: false });
    let (zip, absent) = (Subject::Zip(module()), Subject::Zip(ModuleRef { version: "v1.9.0".into(), ..module() }));
    let recall = Recall { database: "db.test".into(), item: Item::Latest, max_bytes: 9 };
    let requests = vec![
        measure(Subject::GoMod(module()), Place::ModuleCache),
        Request::Recall(recall),
        measure(zip.clone(), Place::ModuleCache),
        measure(absent, Place::ModuleCache),
        Request::Held(vec![module()]),
        measure(zip, Place::Proxy),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut store, count) = (Store::open(None), Count::default());
    let answers = runtime.block_on(drive::answer(requests, &fetcher, &hasher, &mut store, &count)).unwrap();
    let measured = |h1: &str, files| {
        let found = is(h1, files, vec![]);
        Ok(Answer::Measurement(Measurement { found, oddities: no_oddities() }))
    };
    assert_eq!(answers[0], measured(H1_MOD, 1));
    assert_eq!((&answers[1], &answers[3]), (&Err(Failure::Absent), &Err(Failure::Absent)));
    assert_eq!((&answers[2], &answers[5]), (&measured(H1, 3), &measured(H1, 3)));
    assert!(matches!(answers[4], Ok(Answer::Holdings(_))));
    let count = count.0.into_inner().unwrap();
    assert_eq!(count, (1..=5).map(|done| (done, 5)).collect::<Vec<_>>());
}

#[test]
fn the_component_is_limited() {
    let machine = Machine::new();
    let zip_path = machine.at("mod/cache/download/example.com/m/@v/v1.0.0.zip");
    let engine = HashEngine::Component(Engine::new(Limits { memory: 1 << 16, ..Limits::default() }).unwrap());
    assert!(matches!(zip(&zip_path, None, false, &engine), Err(HashError::Engine(EngineError::Memory { .. }))));
}

#[test]
fn both_digests_of_a_zip() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.zip");
    fs::write(&path, module_zip()).unwrap();
    let module = ModuleVersion::check(M, V).unwrap();
    let sha256: [u8; 32] = <sha2::Sha256 as sha2::Digest>::digest(module_zip()).into();
    for engine in engines() {
        let found = zip_and_sha256(&path, &module, &engine).unwrap().unwrap();
        assert_eq!((found.h1.to_string().as_str(), found.sha256), (H1, Some(sha256)));
        let other = ModuleVersion::check(M, "v1.0.1").unwrap();
        assert!(zip_and_sha256(&path, &other, &engine).unwrap().is_err(), "the zip of another version");
    }
}

/// What is asked of the files of this machine for signatures.
#[tokio::test]
async fn attestations_digests_and_the_artifact() {
    let dir = tempfile::tempdir().unwrap();
    let versions = dir.path().join("mod/cache/download/example.com/m/@v");
    fs::create_dir_all(&versions).unwrap();
    fs::write(versions.join("v1.0.0.zip"), module_zip()).unwrap();
    fs::write(versions.join("v1.0.0.sigstore.json"), "{}").unwrap();
    let artifact = dir.path().join("artifact");
    fs::write(&artifact, "signed").unwrap();
    let opened = Regular::open(&artifact).unwrap();
    let hasher = Hasher::with_artifact(
        Some(dir.path().join("mod")),
        dir.path().to_owned(),
        HashEngine::Native,
        Some((artifact.clone(), opened)),
    );
    let env = GoEnv::load(Sources::default()).unwrap();
    let config = FetchConfig::new(&env, Vec::new(), Arc::new(Collected::default())).unwrap();
    let fetcher = Fetcher::new(config).unwrap();
    let ask = async |request| match respond(hasher.answer(request, &fetcher).await, &fetcher).unwrap() {
        Ok(Answer::Body(body)) => Ok(body.content),
        Ok(other) => panic!("{other:?}"),
        Err(failure) => Err(failure),
    };
    let version = |version: &str| ModuleRef { path: M.to_owned(), version: version.to_owned() };
    let attestations = |of: &str, max_bytes| {
        let place = crate::contract::AttestationPlace::ModuleCache;
        Request::Attestations(AttestationsGet { module: version(of), place, sha256: String::new(), max_bytes })
    };
    let digest = |of: &str| Request::ZipDigest(crate::contract::ZipDigest { module: version(of) });
    assert_eq!(ask(attestations(V, 2)).await, Ok(b"{}".to_vec()));
    assert_eq!(ask(attestations(V, 1)).await, Err(Failure::TooLarge));
    assert_eq!(ask(attestations("v1.0.1", 2)).await, Err(Failure::Absent));
    assert_eq!(ask(attestations("../x", 2)).await, Err(Failure::Storage));
    let sha256 = <sha2::Sha256 as sha2::Digest>::digest(module_zip()).to_vec();
    assert_eq!(ask(digest(V)).await, Ok(sha256));
    assert_eq!(ask(digest("v1.0.1")).await, Err(Failure::Absent));
    for _ in 0..2 {
        assert_eq!(ask(Request::Artifact(6)).await, Ok(b"signed".to_vec()));
    }
    assert_eq!(ask(Request::Artifact(5)).await, Err(Failure::TooLarge));
    fs::remove_file(&artifact).unwrap();
    fs::write(&artifact, "SIGNED").unwrap();
    assert_eq!(ask(Request::Artifact(6)).await, Err(Failure::Changed));
    let bare = Hasher::new(None, dir.path().to_owned(), HashEngine::Native);
    for request in [Request::Artifact(6), digest(V), attestations(V, 2)] {
        let answer = respond(bare.answer(request, &fetcher).await, &fetcher).unwrap();
        assert_eq!(answer.err(), Some(Failure::Absent));
    }
}
