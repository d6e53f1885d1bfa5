//! Checksum databases and module zips, by way of GOPROXY lists.
//!
//! Behaves as cmd/go does (cmd/go/internal/modfetch/sumdb.go and proxy.go, web/http.go, auth/netrc.go), with limits
//! where cmd/go has none: bytes, time, connections, retries.
//!
//! # How a database is reached
//! An explicit URL in GOSUMDB bypasses proxies. Otherwise GOPROXY is walked once per run: the first proxy that answers
//! `GET <proxy>/sumdb/<name>/supported` with 200 is used from then on and nothing else; 404 and 410 lead to the next,
//! after `|` any error does; at `direct`, `off` or the end of the list the database itself is asked at
//! `https://<name>`; any other answer makes the database unavailable. As in TryProxies, an error that `|` passed over
//! counts in the end, unless a later proxy serves the database or the list reaches `direct`. The go command's own cache
//! is read before all that, unless the core says [`Source::Remote`].
//!
//! # How a module's zip is reached
//! As modfetch.TryProxies does: GOPROXY is walked for each module; 404 and 410 lead to the next proxy, after `|` any
//! error does, and such an error counts in the end unless a later proxy has the zip. `direct` and `off` end the list:
//! nothing is ever fetched from version control. A module that GONOPROXY matches has no proxy. Zips go to unnamed
//! temporary files, which are kept until the end of the run and are never extracted.
//!
//! How attestations and Rekor are reached is in the module `sigstore`.
//!
//! # Security
//! Nothing fetched here is trusted: the core verifies every byte, whatever its origin. What this module guards is the
//! way:
//! - https is always verified against the system's roots: as in cmd/go, GOINSECURE has no say over the checksum
//!   database, whose requests are made with web.DefaultSecurity. Plain http only where a URL says so, never by a
//!   redirect from https.
//! - Credentials (of a URL, or of netrc for https) go to the server that they stand beside and are dropped on a
//!   redirect to another; cmd/go's retry with credentials after a 4xx would repeat the same request, because those of
//!   netrc are sent at once, so there is none. GOAUTH commands are never run. No message holds a user name, a password
//!   or a query.
//! - A public server cannot redirect to a private address (`PublicOnly`, at the moment of connecting): it cannot make
//!   us probe the machine's own network. Behind an HTTP proxy, where the proxy resolves names, only literal addresses
//!   can be judged.
//! - Names and paths are clean elements only: no request leaves its base URL, and no path its folder.

mod address;
mod client;
mod diagnostics;
mod files;
mod http_proxy;
mod netrc;
mod proxies;
mod remote;
mod retry;
mod sigstore;
mod sink;
mod tuf;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, Semaphore};

pub(crate) use client::Way;
pub use client::{CONNECT_TIMEOUT, ClientError, Network};
pub use diagnostics::{Collected, Diagnostics, MAX_DETAIL_BYTES, MAX_DETAIL_LINES, MAX_PROBLEMS, Problem};
pub use http_proxy::{HttpProxies, HttpProxyError};
pub use netrc::MAX_NETRC;
pub use remote::MAX_REQUESTS_IN_CHAIN;
pub(crate) use remote::innermost;
pub(crate) use retry::retry_after;
pub use retry::{Clock, RetryPolicy, SystemClock};
pub use sigstore::{
    AttestationSources, DEFAULT_GITHUB_API, DEFAULT_GITHUB_HOST, GitHubApi, MAX_TEMPLATE, Template, TemplateError,
};
pub use tuf::{Fetched, MAX_CONTENT, TargetsAt, TufSource};
pub(crate) use tuf::{is_metadata_file, is_numbered_root, is_target_path};

use crate::contract::{Body, Failure, Origin, Source, SumdbGet};
use crate::files::Regular;
use crate::goenv::{GoEnv, GoEnvError, Setting, Var};
use crate::modcache;
use address::Base;
use diagnostics::Reporter;
use modanchor_core::dirhash::ReadAt as _;
use modanchor_core::dirhash::zip::MAX_ZIP_FILE;
use modanchor_core::module::{ModuleVersion, Patterns};
use proxies::{ProxyList, Walk, Walker};
use remote::{Ask, Miss, Remote};
use reqwest::StatusCode;
use sink::TempFile;

/// Default of `--jobs`: how many requests are under way at once. As many streams as HTTP/2 servers commonly allow on
/// one connection: a look-up and a tile are small, so what a run waits for is the way there and back.
pub const DEFAULT_JOBS: NonZeroUsize = NonZeroUsize::new(100).expect("not zero");
/// Default of `--timeout`: how long one attempt may take, from connecting to the last byte; for a zip, how long it may
/// make no progress.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Default of `--max-wait`: how long a run may use the network, from its first request.
pub const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(300);
/// How many zips are fetched at once. A proxy sends one as fast as the line is; more at once would only take turns.
pub const MAX_DOWNLOADS: usize = 4;
/// Size limit of the answer to `supported`, which nobody reads.
const MAX_SUPPORTED: u32 = 64 << 10;

/// A checksum database and its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseSource {
    /// Its name, as in its key: `host[/path]`.
    pub name: String,
    /// Where it is, past every proxy: https, http or file. None: by way of GOPROXY.
    pub url: Option<String>,
    /// By whose word, for messages.
    pub set_by: String,
}

/// All that a [`Fetcher`] depends on.
#[derive(Clone)]
pub struct FetchConfig {
    /// The databases that may be asked.
    pub databases: Vec<DatabaseSource>,
    /// The TUF repositories that may be asked.
    pub repositories: Vec<TufSource>,
    /// Where attestations of modules are, besides the module cache and the proxies.
    pub attestations: AttestationSources,
    /// GOPROXY.
    pub goproxy: Setting,
    /// GONOPROXY: modules that are not fetched through a proxy.
    pub gonoproxy: Setting,
    /// GOAUTH: of its commands only `netrc` and `off` are obeyed.
    pub goauth: Setting,
    /// The netrc file, there or not.
    pub netrc: Option<PathBuf>,
    /// Proxies and roots.
    pub network: Network,
    /// GOMODCACHE, whose `cache/download/sumdb` is read first. None: no such cache.
    pub modcache: Option<PathBuf>,
    /// The first element of GOPATH, whose `pkg/sumdb` holds the go command's newest head.
    pub gopath: Option<PathBuf>,
    /// Only files: caches and `file://` sources.
    pub offline: bool,
    /// How many requests are under way at once.
    pub jobs: NonZeroUsize,
    /// How long one attempt may take; for a zip, how long it may make no progress.
    pub timeout: Duration,
    /// How long the run may use the network, from its first request; then everything pending is [`Failure::TimedOut`].
    pub max_wait: Duration,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Time, as retries see it.
    pub clock: Arc<dyn Clock>,
    /// Where problems go.
    pub diagnostics: Arc<dyn Diagnostics>,
}

/// Why a configuration makes no sense: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The environment.
    #[error(transparent)]
    Environment(#[from] GoEnvError),
    /// HTTP_PROXY or HTTPS_PROXY.
    #[error(transparent)]
    HttpProxy(#[from] HttpProxyError),
    /// GOPROXY; the text is cmd/go's.
    #[error("{set_by}: {text}")]
    Goproxy {
        /// By whose word.
        set_by: String,
        /// What is wrong.
        text: String,
    },
    /// A TUF repository's URL.
    #[error("{set_by}: TUF repository {name}: {text}")]
    Tuf {
        /// By whose word.
        set_by: String,
        /// Which repository.
        name: String,
        /// What is wrong.
        text: String,
    },
    /// A database's name or URL; the text is cmd/go's.
    #[error("{set_by}: {text}")]
    Database {
        /// By whose word.
        set_by: String,
        /// What is wrong.
        text: String,
    },
}

impl FetchConfig {
    /// What Go's environment says, with the defaults of flags.
    pub fn new(
        env: &GoEnv,
        databases: Vec<DatabaseSource>,
        diagnostics: Arc<dyn Diagnostics>,
    ) -> Result<Self, ConfigError> {
        let sources = env.sources();
        Ok(Self {
            databases,
            repositories: Vec::new(),
            attestations: AttestationSources::default(),
            goproxy: env.get(Var::GoProxy),
            gonoproxy: env.get(Var::GoNoProxy),
            goauth: env.get(Var::GoAuth),
            netrc: match sources.path("NETRC")? {
                Some(path) => Some(path),
                None => sources.home()?.map(|home| netrc_in(&home)),
            },
            network: Network::from_sources(sources)?,
            modcache: env.modcache(),
            gopath: env.gopath(),
            offline: false,
            jobs: DEFAULT_JOBS,
            timeout: DEFAULT_TIMEOUT,
            max_wait: DEFAULT_MAX_WAIT,
            retry: RetryPolicy::default(),
            clock: Arc::new(SystemClock),
            diagnostics,
        })
    }
}

fn netrc_in(home: &Path) -> PathBuf {
    let legacy = home.join("_netrc");
    if cfg!(windows) && legacy.exists() { legacy } else { home.join(".netrc") }
}

/// Answers [`SumdbGet`]s, fetches zips, attestations, and what TUF repositories hold. Cheap to make: reads no file and makes
/// no TLS client before the first request that needs one.
pub struct Fetcher {
    databases: HashMap<String, Database>,
    tuf: HashMap<String, tuf::Places>,
    attestations: AttestationSources,
    goproxy: ProxyList,
    noproxy: Patterns,
    zips: Mutex<HashMap<ModuleVersion, FetchedZip>>,
    downloads: Semaphore,
    modcache: Option<PathBuf>,
    gopath: Option<PathBuf>,
    offline: bool,
    reporter: Arc<Reporter>,
    remote: Remote,
}

/// What came of fetching a zip: done once, however many ask.
type FetchedZip = Arc<OnceCell<Result<Arc<Regular>, Failure>>>;

struct Database {
    name: String,
    url: Option<Base>,
    direct: Base,
    /// Where it turned out to be; found once, however many ask.
    base: OnceCell<Result<Base, Failure>>,
    /// The go command's cache of it, if there is one.
    cache: OnceLock<Option<PathBuf>>,
}

impl Fetcher {
    /// Checks the configuration.
    pub fn new(config: FetchConfig) -> Result<Self, ConfigError> {
        let mut databases = HashMap::new();
        for source in &config.databases {
            let failed = |text| ConfigError::Database { set_by: source.set_by.clone(), text };
            address::check_database_name(&source.name).map_err(failed)?;
            let database = Database {
                name: source.name.clone(),
                url: source.url.as_deref().map(address::parse_sumdb_url).transpose().map_err(failed)?,
                direct: address::direct(&source.name).map_err(failed)?,
                base: OnceCell::new(),
                cache: OnceLock::new(),
            };
            databases.insert(source.name.clone(), database);
        }
        let tuf = config.repositories.iter().map(|source| Ok((source.name.clone(), source.places()?)));
        let tuf = tuf.collect::<Result<HashMap<_, _>, ConfigError>>()?;
        let goproxy = ProxyList::parse(&config.goproxy.value)
            .map_err(|text| ConfigError::Goproxy { set_by: config.goproxy.set_by.to_string(), text })?;
        let reporter = Arc::new(Reporter::new(config.diagnostics.clone()));
        Ok(Self {
            databases,
            tuf,
            attestations: config.attestations.clone(),
            goproxy,
            noproxy: Patterns::new(&config.gonoproxy.value),
            zips: Mutex::default(),
            downloads: Semaphore::new(MAX_DOWNLOADS),
            modcache: config.modcache.clone(),
            gopath: config.gopath.clone(),
            offline: config.offline,
            remote: Remote::new(config, reporter.clone()),
            reporter,
        })
    }

    /// Answers one request. May be called any number of times at once: at most `jobs` requests are under way.
    ///
    /// [`Failure::Storage`] for a database that the configuration does not name, or a path that is not clean.
    pub async fn sumdb(&self, get: &SumdbGet) -> Result<Body, Failure> {
        let Some(database) = self.databases.get(&get.database) else {
            self.reporter.note(format!("unknown checksum database {:?}", get.database));
            return Err(Failure::Storage);
        };
        if !address::clean_path(&get.path) {
            self.reporter.note(format!("{}: refusing to ask for the path {:?}", database.name, get.path));
            return Err(Failure::Storage);
        }
        if get.source == Source::Any
            && let Some(content) = self.read_go_cache(database, &get.path, get.max_bytes)
        {
            return Ok(Body { content, origin: Origin::GoCache });
        }
        let base = self.base_of(database).await?;
        let expect = if get.path.starts_with("lookup/") { Expect::Record } else { Expect::Tile };
        let content = self.read(&base.join(&get.path), get.max_bytes, expect).await?;
        Ok(Body { content, origin: Origin::Remote })
    }

    /// The zip of a module, from the first proxy that has it; fetched once, whatever came of it, until it is let go. At most
    /// [`MAX_DOWNLOADS`] at once, and at most [`MAX_ZIP_FILE`] bytes.
    ///
    /// # Errors
    /// [`Failure::Offline`] too where GOPROXY has no proxy for the module: `off`, `direct` alone, or GONOPROXY.
    /// [`Failure::Absent`]: no proxy has it, which says nothing of `direct`.
    pub async fn zip(&self, module: &ModuleVersion) -> Result<Arc<Regular>, Failure> {
        let cell = {
            let mut zips = self.zips.lock().unwrap_or_else(PoisonError::into_inner);
            zips.entry(module.clone()).or_default().clone()
        };
        cell.get_or_init(|| self.fetch_zip(module)).await.clone()
    }

    /// Lets go of a zip that [`Self::zip`] has fetched: its temporary file goes with its last user.
    pub(crate) fn forget_zip(&self, module: &ModuleVersion) {
        self.zips.lock().unwrap_or_else(PoisonError::into_inner).remove(module);
    }

    /// modfetch.TryProxies.
    async fn fetch_zip(&self, module: &ModuleVersion) -> Result<Arc<Regular>, Failure> {
        if self.goproxy.proxies.is_empty() || self.noproxy.matching(module.path()).is_some() {
            return Err(Failure::Offline);
        }
        // The semaphore is never closed.
        let _permit = self.downloads.acquire().await.ok();
        let (path, version) = modcache::escaped(module);
        let path = format!("{path}/@v/{version}.zip");
        let mut walker = Walker::default();
        let mut absent = None;
        for (index, proxy) in self.goproxy.proxies.iter().enumerate() {
            let answer = match self.read_zip(&proxy.base.join(&path)).await {
                Ok(Some(zip)) => return Ok(Arc::new(zip)),
                Ok(None) => Err(Failure::Offline),
                Err(missed) if missed.failure == Failure::Absent => {
                    absent = Some(missed);
                    Err(Failure::Absent)
                }
                Err(missed) => {
                    self.reporter.tell(missed.key(), &missed.problem());
                    Err(missed.failure)
                }
            };
            if let Some(Walk::Unavailable(failure)) = walker.answer(index, proxy, answer) {
                return Err(failure);
            }
        }
        // Nothing comes after the proxies, whatever the list ends in.
        match walker.end(None) {
            Walk::Unavailable(failure) => Err(failure),
            Walk::Proxy(_) | Walk::Direct => {
                if let Some(missed) = absent {
                    self.reporter.tell(missed.key(), &missed.problem());
                }
                Err(Failure::Absent)
            }
        }
    }

    /// None: it would take the network.
    async fn read_zip(&self, at: &Base) -> Result<Option<Regular>, Box<Miss>> {
        let miss = |failure, what: String| Box::new(Miss::new(failure, at.shown(), what));
        match at {
            Base::Folder(path) => {
                let zip = Regular::open(path).map_err(|e| miss(e.failure(), e.to_string()))?;
                match zip.size() > MAX_ZIP_FILE {
                    true => Err(miss(Failure::TooLarge, format!("larger than {MAX_ZIP_FILE} bytes"))),
                    false => Ok(Some(zip)),
                }
            }
            Base::Server { .. } if self.offline => Ok(None),
            Base::Server { url, credentials } => {
                let stored = |e: std::io::Error| miss(Failure::Storage, format!("keeping the zip: {e}"));
                let mut sink = TempFile::new().map_err(stored)?;
                let ask = Ask::get(url, credentials.as_ref(), MAX_ZIP_FILE, Expect::Zip);
                self.remote.get(&ask, &mut sink).await?;
                Regular::of(sink.into_file()).map(Some).map_err(|e| miss(Failure::Storage, e.to_string()))
            }
        }
    }

    /// Tells a person.
    pub(crate) fn note(&self, what: String) {
        self.reporter.note(what);
    }

    /// The go command's own newest head of a database, `$GOPATH/pkg/sumdb/NAME/latest`. Not there, or empty:
    /// [`Failure::Absent`].
    pub fn go_latest(&self, database: &str, max_bytes: u32) -> Result<Body, Failure> {
        let (Some(gopath), Some(database)) = (&self.gopath, self.databases.get(database)) else {
            return Err(Failure::Absent);
        };
        let path = address::below(&gopath.join("pkg").join("sumdb"), &database.name).join("latest");
        match files::read(&path, max_bytes) {
            Ok(content) if content.is_empty() => Err(Failure::Absent),
            Ok(content) => Ok(Body { content, origin: Origin::GoCache }),
            Err((Failure::Absent, _)) => Err(Failure::Absent),
            Err((failure, text)) => {
                self.reporter.note(format!("reading {}: {text}", path.display()));
                Err(failure)
            }
        }
    }

    /// dbClient.ReadCache. Whatever is wrong with a cached file, the server can still be asked.
    fn read_go_cache(&self, database: &Database, path: &str, max_bytes: u32) -> Option<Vec<u8>> {
        let folder = database.cache.get_or_init(|| {
            let all = self.modcache.as_ref()?.join("cache").join("download").join("sumdb");
            Some(address::below(&all, &database.name)).filter(|folder| folder.is_dir())
        });
        let path = address::below(folder.as_ref()?, path);
        match files::read(&path, max_bytes) {
            // The go command makes a file before it locks and fills it.
            Ok(content) => Some(content).filter(|content| !content.is_empty()),
            Err((Failure::Absent, _)) => None,
            Err((_, text)) => {
                self.reporter.note(format!("reading {}: {text}", path.display()));
                None
            }
        }
    }

    /// dbClient.initBase.
    async fn base_of<'a>(&'a self, database: &'a Database) -> Result<&'a Base, Failure> {
        if let Some(url) = &database.url {
            return Ok(url);
        }
        let found = database.base.get_or_init(|| async {
            match self.walk(&database.name).await {
                Walk::Proxy(index) => Ok(self.goproxy.proxies[index].base.join(&format!("sumdb/{}", database.name))),
                Walk::Direct => Ok(database.direct.clone()),
                Walk::Unavailable(failure) => Err(failure),
            }
        });
        found.await.as_ref().map_err(|failure| *failure)
    }

    async fn walk(&self, name: &str) -> Walk {
        let mut walker = Walker::default();
        for (index, proxy) in self.goproxy.proxies.iter().enumerate() {
            let url = proxy.base.join(&format!("sumdb/{name}/supported"));
            let answer = self.read(&url, MAX_SUPPORTED, Expect::Anything).await.map(|_| ());
            if let Some(walk) = walker.answer(index, proxy, answer) {
                return walk;
            }
        }
        walker.end(self.goproxy.end)
    }

    async fn read(&self, at: &Base, max_bytes: u32, expect: Expect) -> Result<Vec<u8>, Failure> {
        let missed = match at {
            Base::Folder(path) => match files::read(path, max_bytes) {
                Ok(content) => return Ok(content),
                Err((failure, what)) => Miss::new(failure, at.shown(), what),
            },
            Base::Server { url, credentials } => {
                let ask = Ask::get(url, credentials.as_ref(), max_bytes.into(), expect);
                return self.ask(&ask).await;
            }
        };
        Err(self.missed(missed, expect))
    }

    /// Asks a server.
    async fn ask(&self, ask: &Ask<'_>) -> Result<Vec<u8>, Failure> {
        if self.offline {
            return Err(Failure::Offline);
        }
        let mut content = Vec::new();
        match self.remote.get(ask, &mut content).await {
            Ok(()) => Ok(content),
            Err(missed) => Err(self.missed(*missed, ask.expect)),
        }
    }

    /// Tells a person, unless it is how the protocols work.
    fn missed(&self, mut missed: Miss, expect: Expect) -> Failure {
        // Stores like S3 say so of what is not there, to those who may not list what is. That there is no next root is
        // signed by nobody either way.
        if expect == Expect::NextRoot && missed.is_status(StatusCode::FORBIDDEN) {
            missed.failure = Failure::Absent;
        }
        if expect == Expect::ProxiedAttestation && missed.is_status(StatusCode::BAD_REQUEST) {
            missed.failure = Failure::Absent;
        }
        // That a tile, a `supported`, the next root or an attestation is not there is how the protocols work.
        if missed.failure != Failure::Absent || matches!(expect, Expect::Record | Expect::Metadata) {
            self.reporter.tell(missed.key(), &missed.problem());
        }
        missed.failure
    }
}

/// What a good answer is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// The text of a lookup.
    Record,
    /// Hashes.
    Tile,
    /// A module's zip. May be large.
    Zip,
    /// Metadata of a TUF repository.
    Metadata,
    /// The same, where the answer is usually that there is none.
    NextRoot,
    /// A target of a TUF repository. May be large.
    Target,
    /// The same, where it may be a web page. May be large.
    Page,
    /// An attestation, or an entry of a log, which need not be there.
    Attestation,
    /// The same from a proxy, which may not know what it is.
    ProxiedAttestation,
    /// Only the status counts.
    Anything,
}

impl Expect {
    /// Whether it may take longer than one attempt may, as long as it goes on.
    fn is_large(self) -> bool {
        matches!(self, Self::Zip | Self::Target | Self::Page)
    }

    /// Whether a web page is no answer.
    fn is_data(self) -> bool {
        !matches!(self, Self::Anything | Self::Page)
    }
}
