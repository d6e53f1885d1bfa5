//! Measuring: the h1 of zips, folders and go.mod files, and what else the core asks of the files of this machine.
//!
//! Nothing is judged here. The code that hashes is the core's own, `modanchor_core::dirhash`, and runs in one of two
//! ways ([`HashEngine`]): natively, or in the component, over files that the host opens for it. A [`Hasher`] answers the
//! core's requests with it, on as many threads as there are processors, while the network goes on.
//!
//! Whatever is measured is looked at before and after: what changed meanwhile is [`Failure::Changed`], and no
//! measurement. Details for people go to the run's diagnostics, never into an answer.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use modanchor_core::buildinfo::{self, BuildInfoError};
use modanchor_core::dirhash::dir::{DirError, DirHasher, hash_file};
use modanchor_core::dirhash::zip::{self, ZipError};
use modanchor_core::dirhash::{FileDigest, Manifest, ReadAt as _, ReadError};
use modanchor_core::hex;
use modanchor_core::module::ModuleVersion;
use modanchor_core::provenance::join;
use modanchor_core::report::Of;
use tokio::sync::Semaphore;
use wasmtime::Store;
use wasmtime::component::Resource;

pub use super::blobs::Blob;
use super::{Blobs, Engine, EngineError, State, classify};
use crate::contract::{
    Answer, AttestationsGet, Body, BuildInfo, CacheFile, CacheGet, Failure, HashRefusal, HashingError, Measure,
    Measured, Measurement, ModuleRef, Oddities, Origin, Place, Request, Response, Subject, Verifier, ZipGet, blob,
};
use crate::fetch::Fetcher;
use crate::files::{FileError, Regular};
use crate::modcache::{self, CacheError, Kind, ModCache, checked};

/// The largest go.mod that is measured: Go's own limit for one in a module zip (golang.org/x/mod/zip, `MaxGoMod`).
pub const MAX_GO_MOD: u64 = zip::MAX_GO_MOD;

/// How much longer than a step the component may take to hash one thing, for each MiB of it.
const TIME_PER_MIB: Duration = Duration::from_secs(2);

/// What does the hashing.
#[derive(Clone)]
pub enum HashEngine {
    /// The core's code, compiled into this program.
    Native,
    /// The core's code in the component.
    Component(Engine),
}

/// A measurement, or why it cannot be a module's.
pub type Found = Result<Measured, HashRefusal>;

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The files.
    #[error(transparent)]
    Files(#[from] CacheError),
    /// The component.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The network; it was told already why.
    #[error("cannot be fetched: {0:?}")]
    Fetch(Failure),
}

/// The h1 of a zip; with `rules`, one that the module version may have. `files`: with the list of files.
///
/// # Errors
/// [`HashError::Files`], [`HashError::Engine`].
pub fn zip(path: &Path, rules: Option<&ModuleVersion>, files: bool, engine: &HashEngine) -> Result<Found, HashError> {
    Worker { engine, pool: &Pool::default() }.zip(path, &Arc::new(open(path)?), rules, files)
}

/// The zip of a module version, by both digests by which a statement may be about it, of one and the same file.
///
/// # Errors
/// [`HashError::Files`], [`HashError::Engine`].
pub fn zip_and_sha256(
    path: &Path,
    module: &ModuleVersion,
    engine: &HashEngine,
) -> Result<Result<join::Zip, HashRefusal>, HashError> {
    let file = Arc::new(open(path)?);
    let sha256 = hash_file(file.as_ref(), &mut Vec::new()).map_err(|error| unread(path, error))?;
    // It looks at the end whether the file is still what it was.
    let found = Worker { engine, pool: &Pool::default() }.zip(path, &file, Some(module), false)?;
    Ok(found.map(|measured| {
        let zip = join::Zip::of_line(Of::Zip, &measured.h1).expect("what was measured is an h1");
        join::Zip { sha256: Some(sha256), ..zip }
    }))
}

/// The h1 of a folder as that of the module version. `seen` is told of every file as it is hashed: its name relative to
/// the folder, with `/`, and its size in bytes.
///
/// # Errors
/// [`HashError::Files`], [`HashError::Engine`].
pub fn dir(
    path: &Path,
    module: &ModuleVersion,
    files: bool,
    engine: &HashEngine,
    seen: impl FnMut(&str, u64),
) -> Result<(Found, Oddities), HashError> {
    let seen = RefCell::new(seen);
    Worker { engine, pool: &Pool::default() }.dir(path, module, files, &|visit| {
        modcache::walk_folder(path, &mut |name, file| {
            (seen.borrow_mut())(name, file.size());
            visit(name, file)
        })
    })
}

/// What a Go program says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The SHA-256 of the whole file, 64 hexadecimal digits. Always computed natively.
    pub sha256: String,
    /// What the linker wrote into it.
    pub info: BuildInfo,
}

/// The build information of a program, or why it has none.
///
/// # Errors
/// [`HashError::Files`], [`HashError::Engine`].
pub fn program(path: &Path, engine: &HashEngine) -> Result<Result<Built, HashRefusal>, HashError> {
    let file = Arc::new(open(path)?);
    let info = match engine {
        HashEngine::Native => match buildinfo::read(file.as_ref()) {
            Ok(info) => Ok(BuildInfo { go_version: info.go_version, mod_info: info.text }),
            Err(BuildInfoError::Read(error)) => return Err(unread(path, error).into()),
            Err(error) => Err(refused("no-build-info", error.to_string())),
        },
        HashEngine::Component(core) => {
            let worker = Worker { engine, pool: &Pool::default() };
            worker.in_component(core, path, &file, |verifier, store, blob| {
                verifier.modanchor_verifier_hashing().call_program(store, blob)
            })?
        }
    };
    let sha256 = hash_file(file.as_ref(), &mut Vec::new()).map_err(|error| unread(path, error))?;
    file.unchanged().map_err(|error| at(path, error))?;
    Ok(info.map(|info| Built { sha256: hex::encode(&sha256), info }))
}

/// The h1 of a go.mod. One over [`MAX_GO_MOD`] is refused.
///
/// # Errors
/// [`HashError::Files`], [`HashError::Engine`].
pub fn go_mod(path: &Path, engine: &HashEngine) -> Result<Found, HashError> {
    Worker { engine, pool: &Pool::default() }.go_mod(path, &Arc::new(open(path)?))
}

fn open(path: &Path) -> Result<Regular, CacheError> {
    Regular::open(path).map_err(|error| at(path, error))
}

fn at(path: &Path, error: FileError) -> CacheError {
    CacheError::File { path: path.to_owned(), error }
}

/// The system's own word is lost on the way through the core.
fn unread(path: &Path, error: ReadError) -> CacheError {
    match error {
        ReadError::Failed => at(path, std::io::Error::other("cannot be read").into()),
        ReadError::Changed => CacheError::Changed(path.to_owned()),
    }
}

/// Shows files to a visitor.
type Walk<'a> = &'a dyn Fn(modcache::Visit<'_, HashError>) -> Result<Oddities, HashError>;

/// Instances of the component that nobody uses at the moment.
type Pool = Mutex<Vec<Instance>>;

struct Worker<'a> {
    engine: &'a HashEngine,
    pool: &'a Pool,
}

impl Worker<'_> {
    fn zip(
        &self,
        path: &Path,
        file: &Arc<Regular>,
        rules: Option<&ModuleVersion>,
        files: bool,
    ) -> Result<Found, HashError> {
        let found = match self.engine {
            HashEngine::Native => match zip::measure(file.as_ref(), rules) {
                Ok(manifest) => Ok(measured(&manifest, files)),
                Err(ZipError::Read(error)) => return Err(unread(path, error).into()),
                Err(error) => Err(zip_refused(&error)),
            },
            HashEngine::Component(engine) => {
                let rules = rules.map(module_ref);
                self.in_component(engine, path, file, |verifier, store, blob| {
                    verifier.modanchor_verifier_hashing().call_h1_zip(store, blob, rules.as_ref(), files)
                })?
            }
        };
        file.unchanged().map_err(|error| at(path, error))?;
        Ok(found)
    }

    /// Its list of files would be itself: it is not given.
    fn go_mod(&self, path: &Path, file: &Arc<Regular>) -> Result<Found, HashError> {
        let found = match self.engine {
            HashEngine::Native if file.size() > MAX_GO_MOD => Err(zip_refused(&ZipError::GoModTooLarge)),
            HashEngine::Native => {
                let sha256 = hash_file(file.as_ref(), &mut Vec::new()).map_err(|error| unread(path, error))?;
                let name = Box::from(*b"go.mod");
                Ok(measured(&Manifest::new(vec![FileDigest { name, sha256 }]), false))
            }
            HashEngine::Component(engine) => self.in_component(engine, path, file, |verifier, store, blob| {
                verifier.modanchor_verifier_hashing().call_h1_mod(store, blob)
            })?,
        };
        file.unchanged().map_err(|error| at(path, error))?;
        Ok(found)
    }

    fn dir(
        &self,
        path: &Path,
        module: &ModuleVersion,
        files: bool,
        walk: Walk<'_>,
    ) -> Result<(Found, Oddities), HashError> {
        match self.engine {
            HashEngine::Native => native_dir(path, module, files, walk),
            HashEngine::Component(engine) => self.dir_in_component(engine, path, module, files, walk),
        }
    }

    fn dir_in_component(
        &self,
        engine: &Engine,
        path: &Path,
        module: &ModuleVersion,
        files: bool,
        walk: Walk<'_>,
    ) -> Result<(Found, Oddities), HashError> {
        let mut instance = self.instance(engine)?;
        let failed = |error: wasmtime::Error| EngineError::from_call(engine, &error);
        instance.allow(engine, 0);
        let folder = instance.verifier.modanchor_verifier_hashing().folder();
        let content = folder.call_constructor(&mut instance.store, &module_ref(module)).map_err(failed)?;
        let mut refused = None;
        let oddities = walk(&mut |name, file| {
            let (here, file) = (path.join(name), Arc::new(file));
            instance.allow(engine, file.size());
            let blob = instance.lend(&file).map_err(failed)?;
            let lent = Resource::new_borrow(blob.rep());
            let folder = instance.verifier.modanchor_verifier_hashing().folder();
            let added = folder.call_add(&mut instance.store, content, name, lent).map_err(failed)?;
            instance.take_back(blob).map_err(failed)?;
            if let Err(refusal) = from_component(&here, added)? {
                refused.get_or_insert(refusal);
            }
            Ok(file.unchanged().map_err(|error| at(&here, error))?)
        })?;
        instance.allow(engine, 0);
        let folder = instance.verifier.modanchor_verifier_hashing().folder();
        let found = folder.call_measured(&mut instance.store, content, files).map_err(failed)?;
        content.resource_drop(&mut instance.store).map_err(failed)?;
        self.give_back(instance);
        let found = from_component(path, found)?;
        Ok((refused.map_or(found, Err), oddities))
    }

    fn in_component<T>(
        &self,
        engine: &Engine,
        path: &Path,
        file: &Arc<Regular>,
        call: impl FnOnce(&Verifier, &mut Store<State>, Resource<Blob>) -> wasmtime::Result<Result<T, HashingError>>,
    ) -> Result<Result<T, HashRefusal>, HashError> {
        let mut instance = self.instance(engine)?;
        let failed = |error: wasmtime::Error| EngineError::from_call(engine, &error);
        instance.allow(engine, file.size());
        let blob = instance.lend(file).map_err(failed)?;
        let lent = Resource::new_borrow(blob.rep());
        let found = call(&instance.verifier, &mut instance.store, lent).map_err(failed)?;
        instance.take_back(blob).map_err(failed)?;
        self.give_back(instance);
        Ok(from_component(path, found)?)
    }

    /// One that nobody uses, or a new one. One that failed is not given back.
    fn instance(&self, engine: &Engine) -> Result<Instance, EngineError> {
        if let Some(instance) = self.pool.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(instance);
        }
        let (store, verifier) = engine.instantiate(Some(Blobs::default()))?;
        Ok(Instance { store, verifier })
    }

    fn give_back(&self, instance: Instance) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).push(instance);
    }
}

/// The component, for hashing.
struct Instance {
    store: Store<State>,
    verifier: Verifier,
}

impl Instance {
    /// Time for the next call, which is to hash so many bytes.
    fn allow(&mut self, engine: &Engine, size: u64) {
        let mib = u32::try_from(size >> 20).unwrap_or(u32::MAX);
        self.store.set_epoch_deadline(engine.ticker.deadline_with(TIME_PER_MIB.saturating_mul(mib)));
    }

    fn lend(&mut self, file: &Arc<Regular>) -> wasmtime::Result<Resource<Blob>> {
        Ok(self.store.data_mut().blobs()?.push(Blob(file.clone()))?)
    }

    fn take_back(&mut self, blob: Resource<Blob>) -> wasmtime::Result<()> {
        self.store.data_mut().blobs()?.delete(blob)?;
        Ok(())
    }
}

impl EngineError {
    /// Hashing counts as no step.
    fn from_call(engine: &Engine, error: &wasmtime::Error) -> Self {
        classify(0, engine.limits, error)
    }
}

fn from_component<T>(path: &Path, found: Result<T, HashingError>) -> Result<Result<T, HashRefusal>, CacheError> {
    match found {
        Ok(found) => Ok(Ok(found)),
        Err(HashingError::Refused(refusal)) => Ok(Err(refusal)),
        Err(HashingError::Read(blob::ReadError::Failed)) => Err(unread(path, ReadError::Failed)),
        Err(HashingError::Read(blob::ReadError::Changed)) => Err(unread(path, ReadError::Changed)),
    }
}

fn native_dir(
    path: &Path,
    module: &ModuleVersion,
    files: bool,
    walk: Walk<'_>,
) -> Result<(Found, Oddities), HashError> {
    let mut hasher = DirHasher::new(module);
    let mut wrong = None;
    let oddities = walk(&mut |name, file| {
        let here = || path.join(name);
        match hasher.push(name, &file) {
            Ok(()) => {}
            Err(DirError::Read(error)) => return Err(unread(&here(), error).into()),
            Err(error) => _ = wrong.get_or_insert(error),
        }
        Ok(file.unchanged().map_err(|error| at(&here(), error))?)
    })?;
    let found = match wrong {
        Some(error) => Err(refused("bad-path", error.to_string())),
        None => Ok(measured(&hasher.finish(), files)),
    };
    Ok((found, oddities))
}

/// Always native: a vendor folder has no h1 of its own for the component to compute, and what is wanted is the list.
fn vendor(root: &Path, path: &str) -> Result<(Found, Oddities), HashError> {
    let mut files = Vec::new();
    let mut buffer = Vec::new();
    let oddities = modcache::walk_vendor::<HashError>(root, path, &mut |name, file| {
        let here = || root.join(path).join(name);
        let sha256 = hash_file(&file, &mut buffer).map_err(|error| unread(&here(), error))?;
        file.unchanged().map_err(|error| at(&here(), error))?;
        files.push(FileDigest { name: name.as_bytes().into(), sha256 });
        Ok(())
    })?;
    if let Some(name) = files.iter().find(|file| file.name.contains(&b'\n')) {
        let error = DirError::Newline { name: zip::Shown::new(&name.name) };
        return Ok((Err(refused("bad-path", error.to_string())), oddities));
    }
    Ok((Ok(measured(&Manifest::new(files), true)), oddities))
}

fn refused(code: &str, text: String) -> HashRefusal {
    HashRefusal { code: code.to_owned(), text }
}

fn zip_refused(error: &ZipError) -> HashRefusal {
    refused(error.code(), error.to_string())
}

fn measured(manifest: &Manifest, files: bool) -> Measured {
    Measured {
        h1: manifest.h1().to_string(),
        files: manifest.files().len() as u64,
        manifest: if files { manifest.text() } else { Vec::new() },
    }
}

fn module_ref(module: &ModuleVersion) -> ModuleRef {
    ModuleRef { path: module.path().to_owned(), version: module.version().to_owned() }
}

/// Answers the core's requests for the files of this machine.
pub struct Hasher {
    shared: Arc<Shared>,
    permits: Arc<Semaphore>,
}

struct Shared {
    cache: Option<ModCache>,
    root: PathBuf,
    engine: HashEngine,
    pool: Pool,
    artifact: Option<(PathBuf, Regular)>,
}

impl Hasher {
    /// `modcache`: GOMODCACHE, if there is to be one. `root`: the folder that is judged.
    pub fn new(modcache: Option<PathBuf>, root: PathBuf, engine: HashEngine) -> Self {
        Self::with_artifact(modcache, root, engine, None)
    }

    /// With the file that a signature is about, as it was opened when it was measured, and its path for messages.
    pub fn with_artifact(
        modcache: Option<PathBuf>,
        root: PathBuf,
        engine: HashEngine,
        artifact: Option<(PathBuf, Regular)>,
    ) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let cache = modcache.map(ModCache::new);
        Self {
            shared: Arc::new(Shared { cache, root, engine, pool: Pool::default(), artifact }),
            permits: Arc::new(Semaphore::new(threads.min(Semaphore::MAX_PERMITS))),
        }
    }

    /// How much work it is, in bytes of a zip, so that the largest can come first and all threads end together.
    pub(crate) fn weight(&self, measure: &Measure) -> u64 {
        let zip = |module: &ModuleRef| {
            let path = self.shared.cache.as_ref()?.path(&checked(module).ok()?, Kind::Zip);
            Some(std::fs::metadata(path).ok()?.len())
        };
        match (&measure.subject, measure.place) {
            // Its download is to start at once.
            (_, Place::Proxy) | (Subject::Vendor(_), _) => u64::MAX,
            (Subject::Zip(module) | Subject::Dir(module), _) => zip(module).unwrap_or_default(),
            (Subject::GoMod(_), _) => 0,
        }
    }

    /// Answers a request for files.
    ///
    /// # Errors
    /// [`HashError`]: for any other request, that there is no such thing.
    pub(crate) async fn answer(&self, request: Request, fetcher: &Fetcher) -> Result<Answer, HashError> {
        match request {
            Request::Held(modules) => self.held(modules).await,
            Request::Measure(measure) => self.measure(measure, fetcher).await,
            Request::Cached(get) => self.cached(get).await,
            Request::ZipFile(get) => self.zip_file(get, fetcher).await,
            Request::Attestations(get) => self.attestations(get).await,
            Request::ZipDigest(get) => self.zip_digest(get.module).await,
            Request::Artifact(max) => self.artifact(max).await,
            Request::Recall(_)
            | Request::Sumdb(_)
            | Request::Advance(_)
            | Request::TufRecall(_)
            | Request::TufMetadata(_)
            | Request::TufTarget(_)
            | Request::TufContent(_)
            | Request::Rekor(_) => Err(HashError::Fetch(Failure::Absent)),
        }
    }

    /// Answers `held`.
    async fn held(&self, modules: Vec<ModuleRef>) -> Result<Answer, HashError> {
        self.blocking(move |shared| Ok(Answer::Holdings(shared.cache()?.held(&modules)?))).await
    }

    /// Answers `cached`.
    async fn cached(&self, get: CacheGet) -> Result<Answer, HashError> {
        self.blocking(move |shared| {
            let kind = match get.file {
                CacheFile::Info => Kind::Info,
                CacheFile::ZipHash => Kind::ZipHash,
            };
            let content = shared.cache()?.read(&checked(&get.module)?, kind, get.max_bytes.into())?;
            Ok(Answer::Body(Body { content, origin: Origin::GoCache }))
        })
        .await
    }

    /// Answers `measure`. Only a zip can be measured that a proxy has; what else is asked of one is not there.
    async fn measure(&self, measure: Measure, fetcher: &Fetcher) -> Result<Answer, HashError> {
        let fetched = match (measure.place, &measure.subject) {
            (Place::ModuleCache, _) => None,
            (Place::Proxy, Subject::Zip(module)) => Some(self.fetch(module, fetcher).await?),
            (Place::Proxy, _) => return Err(HashError::Fetch(Failure::Absent)),
        };
        // Only of a module whose files are wanted one may be asked for later.
        let done_with = match &measure.subject {
            Subject::Zip(module) if fetched.is_some() && !measure.files => checked(module).ok(),
            _ => None,
        };
        let found = self.blocking(move |shared| shared.measure(&measure, fetched)).await;
        if let Some(module) = done_with {
            fetcher.forget_zip(&module);
        }
        Ok(Answer::Measurement(found?))
    }

    /// Answers `zip-file`.
    async fn zip_file(&self, get: ZipGet, fetcher: &Fetcher) -> Result<Answer, HashError> {
        let fetched = match get.place {
            Place::ModuleCache => None,
            Place::Proxy => Some(self.fetch(&get.module, fetcher).await?),
        };
        self.blocking(move |shared| {
            let (path, file, origin) = shared.zip(&get.module, fetched)?;
            let cap = usize::try_from(get.max_bytes).unwrap_or(usize::MAX);
            let content = zip::read_file(file.as_ref(), get.name.as_bytes(), cap).map_err(|error| match error {
                ZipError::Read(error) => HashError::Files(unread(&path, error)),
                ZipError::NoSuchFile { .. } => HashError::Fetch(Failure::Absent),
                ZipError::FileTooLarge { .. } => HashError::Fetch(Failure::TooLarge),
                _ => HashError::Fetch(Failure::NotData),
            })?;
            file.unchanged().map_err(|error| at(&path, error))?;
            Ok(Answer::Body(Body { content, origin }))
        })
        .await
    }

    /// Answers `attestations` of the module cache.
    async fn attestations(&self, get: AttestationsGet) -> Result<Answer, HashError> {
        self.blocking(move |shared| {
            let module = checked(&get.module)?;
            let content = shared.cache()?.read(&module, Kind::Attestations, get.max_bytes.into())?;
            Ok(Answer::Body(Body { content, origin: Origin::GoCache }))
        })
        .await
    }

    /// Answers `zip-digest`.
    async fn zip_digest(&self, module: ModuleRef) -> Result<Answer, HashError> {
        self.blocking(move |shared| {
            let (path, file) = shared.cache()?.open(&checked(&module)?, Kind::Zip)?;
            let sha256 = hash_file(&file, &mut Vec::new()).map_err(|error| unread(&path, error))?;
            file.unchanged().map_err(|error| at(&path, error))?;
            Ok(Answer::Body(Body { content: sha256.to_vec(), origin: Origin::GoCache }))
        })
        .await
    }

    /// Answers `artifact`: from the beginning, whoever has read from it before.
    async fn artifact(&self, max: u32) -> Result<Answer, HashError> {
        self.blocking(move |shared| {
            let (path, file) = shared.artifact.as_ref().ok_or(HashError::Fetch(Failure::Absent))?;
            let size = usize::try_from(file.size()).ok().filter(|_| file.size() <= u64::from(max));
            let mut content = vec![0; size.ok_or_else(|| at(path, FileError::TooLarge { limit: max.into() }))?];
            file.read_at(0, &mut content).map_err(|error| unread(path, error))?;
            file.unchanged().map_err(|error| at(path, error))?;
            Ok(Answer::Body(Body { content, origin: Origin::Remote }))
        })
        .await
    }

    async fn fetch(&self, module: &ModuleRef, fetcher: &Fetcher) -> Result<Arc<Regular>, HashError> {
        fetcher.zip(&checked(module)?).await.map_err(HashError::Fetch)
    }

    /// Runs `work` on a thread of its own when a processor is free for it. The semaphore is fair: who asks first is
    /// first.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, HashError> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        let shared = self.shared.clone();
        match tokio::task::spawn_blocking(move || work(&shared)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only a runtime that shuts down cancels.
                Err(_) => Err(HashError::Fetch(Failure::Storage)),
            },
        }
    }
}

impl Shared {
    fn cache(&self) -> Result<&ModCache, CacheError> {
        self.cache.as_ref().ok_or(CacheError::NoCache)
    }

    /// A module's zip, its path for messages, and where it is from.
    fn zip(
        &self,
        module: &ModuleRef,
        fetched: Option<Arc<Regular>>,
    ) -> Result<(PathBuf, Arc<Regular>, Origin), HashError> {
        let module = checked(module)?;
        match fetched {
            Some(file) => Ok((PathBuf::from(format!("the fetched zip of {module}")), file, Origin::Remote)),
            None => {
                let (path, file) = self.cache()?.open(&module, Kind::Zip)?;
                Ok((path, Arc::new(file), Origin::GoCache))
            }
        }
    }

    fn measure(&self, measure: &Measure, fetched: Option<Arc<Regular>>) -> Result<Measurement, HashError> {
        let worker = Worker { engine: &self.engine, pool: &self.pool };
        let (found, oddities) = match &measure.subject {
            Subject::Zip(module) => {
                let (path, file, _) = self.zip(module, fetched)?;
                let module = checked(module)?;
                (worker.zip(&path, &file, Some(&module), measure.files)?, no_oddities())
            }
            Subject::GoMod(module) => {
                let (path, file) = self.cache()?.open(&checked(module)?, Kind::GoMod)?;
                (worker.go_mod(&path, &Arc::new(file))?, no_oddities())
            }
            Subject::Dir(module) => {
                let (cache, module) = (self.cache()?, checked(module)?);
                let folder = cache.folder(&module);
                worker.dir(&folder, &module, measure.files, &|visit| cache.walk(&module, visit))?
            }
            Subject::Vendor(path) => vendor(&self.root, path)?,
        };
        Ok(Measurement { found, oddities })
    }
}

fn no_oddities() -> Oddities {
    Oddities { writable: 0, first_writable: None, links: Vec::new(), irregular: Vec::new() }
}

/// What the core is told, and what a person is.
///
/// # Errors
/// Those of the component: nothing can be said then.
pub(crate) fn respond(found: Result<Answer, HashError>, fetcher: &Fetcher) -> Result<Response, EngineError> {
    match found {
        Ok(answer) => Ok(Ok(answer)),
        Err(HashError::Engine(error)) => Err(error),
        Err(HashError::Fetch(failure)) => Ok(Err(failure)),
        Err(HashError::Files(error)) => {
            let failure = error.failure();
            if failure != Failure::Absent {
                fetcher.note(error.to_string());
            }
            Ok(Err(failure))
        }
    }
}

#[cfg(test)]
mod tests;
