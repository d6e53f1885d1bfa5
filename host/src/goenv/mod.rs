//! Go's environment, with cmd/go's precedence.
//!
//! A setting comes from, in this order: the OS environment; the user's file `$GOENV`, which `go env -w` writes;
//! `$GOROOT/go.env`; the built-in default (cmd/go/internal/cfg/cfg.go: `Getenv`, `initEnvCache`, `readEnvFile`). An
//! empty value in the OS environment counts as not set; an empty value in a file hides the files below it.
//!
//! Go itself is never run, and need not be there: GOROOT is the file's or the environment's, else the folder around
//! the `go` on PATH.
//!
//! # Why a checkout has no say
//! What is judged must not choose its judge. So nothing is looked up relative to the current folder: a relative GOENV,
//! GOROOT, HOME, GOPATH or GOMODCACHE is an error, and relative elements of PATH are passed over. And a file that is
//! there but cannot be read is an error, where cmd/go goes on without it: it may hold the GOPRIVATE that keeps a name
//! from a public log.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

/// Size limit of `$GOENV` and `$GOROOT/go.env`, in bytes.
pub const MAX_ENV_FILE: u64 = 1 << 20;

/// Go's default for GOPROXY.
pub const DEFAULT_GOPROXY: &str = "https://proxy.golang.org,direct";
/// Go's default for GOSUMDB.
pub const DEFAULT_GOSUMDB: &str = "sum.golang.org";
/// Go's default for GOAUTH.
pub const DEFAULT_GOAUTH: &str = "netrc";

/// A setting of the go command that modanchor reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Var {
    /// How to fetch with credentials: `;`-separated commands. Only `netrc` and `off` are obeyed.
    GoAuth,
    /// Flags for every go command. Only read.
    GoFlags,
    /// Globs of modules that may be fetched insecurely. It does not touch the checksum database.
    GoInsecure,
    /// The module cache. Default: `pkg/mod` under the first element of GOPATH. Empty: there is none.
    GoModCache,
    /// Globs of modules that are not fetched through a proxy. Default: GOPRIVATE.
    GoNoProxy,
    /// Globs of modules that are not asked of the checksum database. Default: GOPRIVATE.
    GoNoSumdb,
    /// A list of folders; the first holds the go command's own files. Default: `go` in the home folder.
    GoPath,
    /// Globs of private modules.
    GoPrivate,
    /// The list of module proxies.
    GoProxy,
    /// Where Go is. Empty: not found.
    GoRoot,
    /// The checksum database.
    GoSumdb,
}

impl Var {
    /// Every setting.
    pub const ALL: [Var; 11] = [
        Var::GoAuth,
        Var::GoFlags,
        Var::GoInsecure,
        Var::GoModCache,
        Var::GoNoProxy,
        Var::GoNoSumdb,
        Var::GoPath,
        Var::GoPrivate,
        Var::GoProxy,
        Var::GoRoot,
        Var::GoSumdb,
    ];

    /// Its name in the environment.
    pub fn name(self) -> &'static str {
        match self {
            Var::GoAuth => "GOAUTH",
            Var::GoFlags => "GOFLAGS",
            Var::GoInsecure => "GOINSECURE",
            Var::GoModCache => "GOMODCACHE",
            Var::GoNoProxy => "GONOPROXY",
            Var::GoNoSumdb => "GONOSUMDB",
            Var::GoPath => "GOPATH",
            Var::GoPrivate => "GOPRIVATE",
            Var::GoProxy => "GOPROXY",
            Var::GoRoot => "GOROOT",
            Var::GoSumdb => "GOSUMDB",
        }
    }
}

/// Which source set a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The OS environment.
    Environment,
    /// The user's file.
    GoEnvFile,
    /// `$GOROOT/go.env`.
    GoRootFile,
    /// None: what cmd/go falls back to.
    Default,
}

/// By whose word a setting has its value. Displays as `GOPRIVATE ($GOENV)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetBy {
    /// The setting that was read: GOPRIVATE where GONOSUMDB defaults to it.
    pub var: Var,
    /// Where it was read.
    pub place: Place,
}

impl fmt::Display for SetBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Environment => "environment",
            Place::GoEnvFile => "$GOENV",
            Place::GoRootFile => "$GOROOT/go.env",
            Place::Default => "default",
        };
        write!(f, "{} ({place})", self.var.name())
    }
}

/// A value, and who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// What the go command would use. May be empty.
    pub value: String,
    /// By whose word.
    pub set_by: SetBy,
}

/// Why the environment cannot be read. All are wrong configuration: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum GoEnvError {
    /// A path that must not depend on the current folder does.
    #[error("{name} is relative; must be an absolute path: {value:?}")]
    Relative {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
    },
    /// `GOPATH=~/go`, which no shell expanded.
    #[error("GOPATH entry cannot start with shell metacharacter '~': {0:?}")]
    Tilde(String),
    /// Text that is not UTF-8.
    #[error("{name} is not valid UTF-8 in {place}")]
    NotUtf8 {
        /// The variable.
        name: String,
        /// Where: `the environment`, or a file.
        place: String,
    },
    /// An environment file that is there and cannot be read.
    #[error("reading {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// An environment file over [`MAX_ENV_FILE`].
    #[error("reading {}: larger than {MAX_ENV_FILE} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
}

/// All that [`GoEnv::load`] depends on, besides the files that these name.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    environment: HashMap<String, OsString>,
}

impl Sources {
    /// The environment of this process.
    pub fn of_process() -> Self {
        Self::of(std::env::vars_os())
    }

    /// An environment made of pairs. Names that are not UTF-8 are none that anybody asks for.
    pub fn of<K: Into<OsString>, V: Into<OsString>>(pairs: impl IntoIterator<Item = (K, V)>) -> Self {
        let environment =
            pairs.into_iter().filter_map(|(k, v)| Some((canonical(&k.into().into_string().ok()?), v.into())));
        Self { environment: environment.collect() }
    }

    /// The same with settings of Go that somebody else's word puts in place of the environment's.
    #[must_use]
    pub fn with(mut self, settings: &[(Var, String)]) -> Self {
        let settings = settings.iter().map(|(var, value)| (canonical(var.name()), value.into()));
        self.environment.extend(settings);
        self
    }

    /// A variable's value as it is; an empty one counts as not set, as in cmd/go.
    pub fn os(&self, name: &str) -> Option<&OsString> {
        self.environment.get(&canonical(name)).filter(|value| !value.is_empty())
    }

    /// A variable's value as text.
    pub fn text(&self, name: &str) -> Result<Option<&str>, GoEnvError> {
        let not_utf8 = || GoEnvError::NotUtf8 { name: name.to_owned(), place: "the environment".to_owned() };
        self.os(name).map(|value| value.to_str().ok_or_else(not_utf8)).transpose()
    }

    /// A variable's value as an absolute path.
    pub fn path(&self, name: &'static str) -> Result<Option<PathBuf>, GoEnvError> {
        self.os(name).map(|value| absolute(name, PathBuf::from(value))).transpose()
    }

    /// os.UserHomeDir.
    pub fn home(&self) -> Result<Option<PathBuf>, GoEnvError> {
        self.path(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
    }

    /// os.UserConfigDir. As in cmd/go, a relative XDG_CONFIG_HOME means that there is none.
    fn user_config_dir(&self) -> Result<Option<PathBuf>, GoEnvError> {
        if cfg!(windows) {
            return self.path("APPDATA");
        }
        if cfg!(target_vendor = "apple") {
            return Ok(self.home()?.map(|home| home.join("Library/Application Support")));
        }
        match self.os("XDG_CONFIG_HOME").map(PathBuf::from) {
            Some(dir) => Ok(Some(dir).filter(|dir| dir.is_absolute())),
            None => Ok(self.home()?.map(|home| home.join(".config"))),
        }
    }
}

/// Names of variables know no case on Windows.
fn canonical(name: &str) -> String {
    if cfg!(windows) { name.to_ascii_uppercase() } else { name.to_owned() }
}

fn absolute(name: &'static str, path: PathBuf) -> Result<PathBuf, GoEnvError> {
    if path.is_absolute() {
        return Ok(path);
    }
    Err(GoEnvError::Relative { name, value: path.display().to_string() })
}

/// The settings in force.
#[derive(Debug, Clone)]
pub struct GoEnv {
    sources: Sources,
    user: EnvFile,
    goroot_file: EnvFile,
    goroot: Option<(PathBuf, Place)>,
    goenv: Option<PathBuf>,
    paths: Paths,
}

#[derive(Debug, Clone, Default)]
struct Paths {
    gopath: String,
    first: Option<PathBuf>,
    modcache: String,
}

impl GoEnv {
    /// Reads the environment and both files, and checks every path among the settings.
    pub fn load(sources: Sources) -> Result<Self, GoEnvError> {
        let goenv = match sources.os("GOENV") {
            Some(off) if off == "off" => None,
            Some(_) => sources.path("GOENV")?,
            None => sources.user_config_dir()?.map(|dir| dir.join("go").join("env")),
        };
        let user = goenv.as_deref().map_or_else(|| Ok(EnvFile::default()), |p| EnvFile::read(p, Repeated::LastWins))?;
        let goroot = find_goroot(&sources, &user)?;
        let goroot_file = match &goroot {
            Some((root, _)) => EnvFile::read(&root.join("go.env"), Repeated::FirstWins)?,
            None => EnvFile::default(),
        };
        let mut env = Self { sources, user, goroot_file, goroot, goenv, paths: Paths::default() };
        // Every setting is read once here, so that `get` cannot fail later.
        for var in Var::ALL {
            env.read(var)?;
        }
        env.paths = env.find_paths()?;
        Ok(env)
    }

    /// The value of a setting, and who set it.
    pub fn get(&self, var: Var) -> Setting {
        // `load` has read it once already: it cannot fail.
        let set = self.read(var).ok().flatten();
        let own = set.clone().filter(|setting| !setting.value.is_empty());
        let default = |value: String| Setting { value, set_by: SetBy { var, place: Place::Default } };
        match var {
            Var::GoNoProxy | Var::GoNoSumdb => match own {
                Some(setting) => setting,
                None => {
                    let private = self.get(Var::GoPrivate);
                    if private.value.is_empty() { default(String::new()) } else { private }
                }
            },
            Var::GoModCache => own.unwrap_or_else(|| default(self.paths.modcache.clone())),
            Var::GoPath => own.unwrap_or_else(|| default(self.paths.gopath.clone())),
            Var::GoAuth => own.unwrap_or_else(|| default(DEFAULT_GOAUTH.to_owned())),
            // cmd/go has these two defaults in go.env alone, so an empty value in the user's file takes them away.
            Var::GoProxy => set.unwrap_or_else(|| default(DEFAULT_GOPROXY.to_owned())),
            Var::GoSumdb => set.unwrap_or_else(|| default(DEFAULT_GOSUMDB.to_owned())),
            Var::GoFlags | Var::GoInsecure | Var::GoPrivate => own.unwrap_or_else(|| default(String::new())),
            Var::GoRoot => match &self.goroot {
                Some((root, place)) => {
                    Setting { value: root.display().to_string(), set_by: SetBy { var, place: *place } }
                }
                None => default(String::new()),
            },
        }
    }

    /// What is set under any name, and where: also what the go command would not read. None: nowhere.
    ///
    /// # Errors
    /// [`GoEnvError::NotUtf8`].
    pub fn lookup(&self, name: &str) -> Result<Option<(String, Place)>, GoEnvError> {
        if let Some(value) = self.sources.text(name)? {
            return Ok(Some((value.to_owned(), Place::Environment)));
        }
        if let Some(value) = self.user.get(name)? {
            return Ok(Some((value.to_owned(), Place::GoEnvFile)));
        }
        Ok(self.goroot_file.get(name)?.map(|value| (value.to_owned(), Place::GoRootFile)))
    }

    /// What it was loaded from, for variables that are not Go's own (NETRC, HTTPS_PROXY, SSL_CERT_FILE).
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The user's file, there or not. None: GOENV=off, or no home.
    pub fn goenv_file(&self) -> Option<&Path> {
        self.goenv.as_deref()
    }

    /// GOMODCACHE, absolute. None: neither GOMODCACHE nor GOPATH is set.
    pub fn modcache(&self) -> Option<PathBuf> {
        Some(PathBuf::from(self.get(Var::GoModCache).value)).filter(|path| !path.as_os_str().is_empty())
    }

    /// The first element of GOPATH, absolute: it holds `pkg/sumdb`. None: GOPATH is not set, or starts with an empty
    /// element.
    pub fn gopath(&self) -> Option<PathBuf> {
        self.paths.first.clone()
    }

    /// cfg.Getenv: the environment, then the files. An empty value comes from a file.
    fn read(&self, var: Var) -> Result<Option<Setting>, GoEnvError> {
        let found = self.lookup(var.name())?;
        Ok(found.map(|(value, place)| Setting { value, set_by: SetBy { var, place } }))
    }

    fn find_paths(&self) -> Result<Paths, GoEnvError> {
        let set = |var| self.read(var).map(|setting| setting.map(|s| s.value).filter(|value| !value.is_empty()));
        let gopath = match set(Var::GoPath)? {
            Some(value) => value,
            // As go/build's defaultGOPATH: never GOROOT itself.
            None => match self.sources.home()?.map(|home| home.join("go")) {
                Some(go) if self.goroot.as_ref().is_none_or(|(root, _)| *root != clean(&go)) => {
                    go.display().to_string()
                }
                _ => String::new(),
            },
        };
        for element in std::env::split_paths(&gopath).filter(|element| !element.as_os_str().is_empty()) {
            if element.starts_with("~") || element.to_string_lossy().starts_with('~') {
                return Err(GoEnvError::Tilde(element.display().to_string()));
            }
            absolute("GOPATH entry", element)?;
        }
        let first = std::env::split_paths(&gopath).next().filter(|element| !element.as_os_str().is_empty());
        let modcache = match set(Var::GoModCache)? {
            Some(value) => absolute("GOMODCACHE entry", PathBuf::from(value))?.display().to_string(),
            None => {
                first.as_ref().map_or_else(String::new, |dir| clean(dir).join("pkg").join("mod").display().to_string())
            }
        };
        Ok(Paths { gopath, first, modcache })
    }
}

/// cfg.findGOROOT: the user's file comes before the environment here. The last resort of cmd/go, the folder that it was
/// built in, becomes the `go` on PATH.
fn find_goroot(sources: &Sources, user: &EnvFile) -> Result<Option<(PathBuf, Place)>, GoEnvError> {
    if let Some(root) = user.get("GOROOT")?.filter(|root| !root.is_empty()) {
        return Ok(Some((clean(&absolute("GOROOT", PathBuf::from(root))?), Place::GoEnvFile)));
    }
    if let Some(root) = sources.path("GOROOT")? {
        return Ok(Some((clean(&root), Place::Environment)));
    }
    let Some(path) = sources.os("PATH") else {
        return Ok(None);
    };
    let name = format!("go{}", std::env::consts::EXE_SUFFIX);
    let go =
        std::env::split_paths(path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(&name)).find(|go| go.is_file());
    let Some(go) = go else { return Ok(None) };
    // In GOROOT/bin, or GOROOT/bin/GOOS_GOARCH; as it is, or where its symbolic link leads.
    let resolved = std::fs::canonicalize(&go).ok();
    let root = [Some(go), resolved]
        .into_iter()
        .flatten()
        .flat_map(|go| go.ancestors().skip(2).take(2).map(Path::to_owned).collect::<Vec<_>>())
        .find(|root| root.join("pkg").join("tool").is_dir());
    Ok(root.map(|root| (root, Place::Default)))
}

/// filepath.Clean, for an absolute path.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Which of two lines with the same key counts. It differs between the two files, because `$GOROOT/go.env` never
/// overwrites.
#[derive(Clone, Copy)]
enum Repeated {
    FirstWins,
    LastWins,
}

#[derive(Debug, Clone, Default)]
struct EnvFile {
    path: PathBuf,
    values: HashMap<Vec<u8>, Vec<u8>>,
}

impl EnvFile {
    /// A file that is not there has no values.
    fn read(path: &Path, repeated: Repeated) -> Result<Self, GoEnvError> {
        let read = |source| GoEnvError::Read { path: path.to_owned(), source };
        let mut data = Vec::new();
        match std::fs::File::open(path) {
            Ok(file) => file.take(MAX_ENV_FILE + 1).read_to_end(&mut data).map_err(read)?,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => 0,
            Err(e) => return Err(read(e)),
        };
        if data.len() as u64 > MAX_ENV_FILE {
            return Err(GoEnvError::TooLarge { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), values: parse(&data, repeated) })
    }

    fn get(&self, name: &str) -> Result<Option<&str>, GoEnvError> {
        let not_utf8 = |_| GoEnvError::NotUtf8 { name: name.to_owned(), place: self.path.display().to_string() };
        self.values.get(name.as_bytes()).map(|value| std::str::from_utf8(value).map_err(not_utf8)).transpose()
    }
}

/// cfg.readEnvFile: `KEY=value` lines, with the value taken as it is (spaces, quotes, `#`, a carriage return and all).
/// A line without `=`, or that does not start with `A` to `Z`, is a comment.
fn parse(data: &[u8], repeated: Repeated) -> HashMap<Vec<u8>, Vec<u8>> {
    let mut values = HashMap::new();
    for line in data.split(|&b| b == b'\n').filter(|line| line.first().is_some_and(u8::is_ascii_uppercase)) {
        let Some(equals) = line.iter().position(|&b| b == b'=') else {
            continue;
        };
        let (key, value) = (line[..equals].to_vec(), line[equals + 1..].to_vec());
        match repeated {
            Repeated::LastWins => _ = values.insert(key, value),
            Repeated::FirstWins => _ = values.entry(key).or_insert(value),
        }
    }
    values
}

#[cfg(test)]
mod tests;
