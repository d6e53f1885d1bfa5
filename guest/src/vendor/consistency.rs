//! vendor/modules.txt against go.mod or go.work, as cmd/go compares them (`modload/vendor.go`, checkVendorConsistency;
//! `modload/modfile.go`, replacementFrom; `modload/init.go`, setDefaultBuildMod).
//!
//! The go command compares what is required and replaced. It does not ask whether the packages come from the versions that
//! go.mod requires, whether it requires them at all, nor what stands in a module's own line once the replacement is listed
//! elsewhere: with a few words changed in modules.txt, files of an older version pass. Those three are compared here as
//! well; see [`Cause::is_seen_by_go`].

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::gosum::Span;
use crate::gosum::gomod::{GoMod, Replace, Replacement};
use crate::gosum::gowork::GoWork;
use crate::module::compare;
use crate::sort::{map, set};

use super::modules_txt::{Module, ModulesTxt};

/// Whose vendor folder it is.
#[derive(Debug, Clone, Copy)]
pub enum Main<'a> {
    /// That of the module whose go.mod is beside it.
    Module(&'a GoMod),
    /// That of the workspace whose go.work is beside it.
    Workspace {
        /// The go.work.
        go_work: &'a GoWork,
        /// Every module that it uses, in its order.
        modules: &'a [Used<'a>],
    },
}

/// A module of a workspace.
#[derive(Debug, Clone, Copy)]
pub struct Used<'a> {
    /// Its directory as go.work names it.
    pub directory: &'a str,
    /// Its go.mod.
    pub go_mod: &'a GoMod,
}

/// Why the go command does not use a vendor folder unless it is told to with `-mod=vendor`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUsed {
    /// No `go` line.
    #[error("Go version in {0} is unspecified, so vendor directory was not used")]
    NoGoVersion(Source),
    /// Before 1.14.
    #[error("Go version in {0} is {1}, so vendor directory was not used")]
    OldGoVersion(Source, String),
    /// `## workspace`, where the go command looks at the module alone.
    #[error("outside workspace mode, but vendor directory is for a workspace")]
    ForWorkspace,
    /// No `## workspace`, where there is a go.work.
    #[error("in workspace mode, but vendor directory is not for a workspace")]
    NotForWorkspace,
}

/// Something that modules.txt and go.mod do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inconsistency {
    /// Module path.
    pub path: String,
    /// Version; none where every version is meant.
    pub version: Option<String>,
    /// What is wrong.
    pub cause: Cause,
    /// Where to look.
    pub place: Place,
}

impl fmt::Display for Inconsistency {
    /// As the go command prints it: `PATH@VERSION: is explicitly required in go.mod, but …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        write!(f, ": {}", self.cause)
    }
}

/// The line to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Of vendor/modules.txt.
    ModulesTxt(Span),
    /// Of a go.mod: the module's, or that of the workspace's module of this index.
    GoMod(usize, Span),
    /// Of the go.work.
    GoWork(Span),
}

/// A file that says what is required or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A go.mod.
    GoMod,
    /// The go.work.
    GoWork,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::GoMod => "go.mod",
            Self::GoWork => "go.work",
        })
    }
}

/// What is wrong. The messages are the go command's where it has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A requirement is not in modules.txt, or not with this version.
    #[error("is explicitly required in go.mod, but not marked as explicit in vendor/modules.txt")]
    NotExplicit,
    /// Packages come from another version than the required one. Below go 1.14 the go command compares this instead of
    /// [`Self::NotExplicit`]; from then on it does not.
    #[error("is explicitly required in go.mod, but vendor/modules.txt indicates {vendored}")]
    OtherVersion {
        /// `PATH@VERSION` as modules.txt has it.
        vendored: String,
        /// Whether the go command compares it.
        seen: bool,
    },
    /// A replacement is not in modules.txt.
    #[error("is replaced in {0}, but not marked as replaced in vendor/modules.txt")]
    NotReplaced(Source),
    /// Something else stands for it in modules.txt.
    #[error(
        "is replaced by {} in {source_file}, but marked as replaced by {} in vendor/modules.txt",
        describe(expected),
        describe(found)
    )]
    OtherReplacement {
        /// Who says what is expected.
        source_file: Source,
        /// What stands for it there; a directory relative to the folder of vendor/, if that is known.
        expected: Replacement,
        /// What modules.txt says.
        found: Replacement,
    },
    /// Modules.txt says `## explicit`, and nothing requires it.
    #[error("is marked as explicit in vendor/modules.txt, but not explicitly required in {}go.mod",
        if *.workspace { "a " } else { "" })]
    NotRequired {
        /// Whether it is a workspace.
        workspace: bool,
    },
    /// Modules.txt says `=>`, and nothing replaces it.
    #[error("is marked as replaced in vendor/modules.txt, but not replaced in {}",
        if *.workspace { "the workspace" } else { "go.mod" })]
    ReplacedNowhere {
        /// Whether it is a workspace.
        workspace: bool,
    },
    /// Packages come from a module that go.mod does not require. From go 1.17 on, it requires all of them.
    #[error("provides packages in vendor/modules.txt, but is not required in go.mod")]
    Unrequired,
    /// The line that the packages are listed under does not say what stands for the module. The go command compares only
    /// the line of what go.mod replaces, which may be another one.
    #[error("is replaced by {} in {source_file}, but its packages are listed under {} in vendor/modules.txt",
        describe(expected), found.as_ref().map_or_else(|| "the module itself".to_owned(), describe))]
    ListedUnder {
        /// Who says what is expected.
        source_file: Source,
        /// What stands for it there; a directory relative to the folder of vendor/, if that is known.
        expected: Replacement,
        /// What the line says.
        found: Option<Replacement>,
    },
}

impl Cause {
    /// Whether the go command stops here with `inconsistent vendoring`, where it uses the vendor folder at all.
    pub fn is_seen_by_go(&self) -> bool {
        !matches!(self, Self::OtherVersion { seen: false, .. } | Self::Unrequired | Self::ListedUnder { .. })
    }
}

fn describe(replacement: &Replacement) -> String {
    match replacement {
        Replacement::Module { path, version } => format!("{path}@{version}"),
        Replacement::Directory(directory) => directory.clone(),
    }
}

/// Whether the go command uses a vendor folder by itself. A missing modules.txt is the default one.
///
/// # Errors
/// Why it does not. `-mod=vendor`, also in GOFLAGS, makes it.
pub fn is_used(main: Main<'_>, list: &ModulesTxt) -> Result<(), NotUsed> {
    let (go, source) = match main {
        Main::Module(go_mod) => (&go_mod.go, Source::GoMod),
        Main::Workspace { go_work, .. } => (&go_work.go, Source::GoWork),
    };
    let go = go.as_ref().ok_or(NotUsed::NoGoVersion(source))?;
    if !is_at_least(go, 14) {
        return Err(NotUsed::OldGoVersion(source, go.clone()));
    }
    match (list.workspace, source) {
        (true, Source::GoMod) => Err(NotUsed::ForWorkspace),
        (false, Source::GoWork) => Err(NotUsed::NotForWorkspace),
        _ => Ok(()),
    }
}

/// Whether a `go` line asks for Go 1.`minor` or later (internal/gover.Compare).
fn is_at_least(go: &str, minor: u64) -> bool {
    let end = go.find(|c: char| c.is_ascii_lowercase()).unwrap_or(go.len());
    let (release, pre) = go.split_at(end);
    let mut numbers = release.split('.').map(|number| number.parse::<u64>().unwrap_or(u64::MAX));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    match found.cmp(&(1, minor)) {
        // Before 1.21, a version without a patch number is the release, which comes after its release candidates.
        Ordering::Equal => pre.is_empty() || (minor >= 21 && numbers.next().is_none()),
        order => order.is_gt(),
    }
}

/// Compares modules.txt with what it was made from: in the go command's order, then what it does not compare.
///
/// A missing modules.txt is the default one. A directory that stands for a module is taken to be the same one wherever the
/// two paths alone cannot tell.
pub fn check(main: Main<'_>, list: &ModulesTxt) -> Vec<Inconsistency> {
    let single;
    let (modules, go_work) = match main {
        Main::Module(go_mod) => {
            single = [Used { directory: ".", go_mod }];
            (&single[..], None)
        }
        Main::Workspace { go_work, modules } => (modules, Some(go_work)),
    };
    let check = Check {
        list,
        by_name: list.by_name(),
        modules,
        go_work,
        replaced: Replaced::new(modules, go_work),
        before_1_14: match main {
            Main::Module(go_mod) => go_mod.go.as_ref().is_none_or(|go| !is_at_least(go, 14)),
            Main::Workspace { .. } => false,
        },
        found: Vec::new(),
    };
    check.run()
}

struct Check<'a> {
    list: &'a ModulesTxt,
    by_name: BTreeMap<(&'a str, Option<&'a str>), usize>,
    modules: &'a [Used<'a>],
    go_work: Option<&'a GoWork>,
    replaced: Replaced<'a>,
    /// modules.txt then has neither `## explicit` nor replacements of what has no packages.
    before_1_14: bool,
    found: Vec<Inconsistency>,
}

impl<'a> Check<'a> {
    fn run(mut self) -> Vec<Inconsistency> {
        let selected = self.selected();
        self.requirements(&selected);
        self.replacements(&selected);
        self.explicit();
        self.marked();
        self.versions(&selected);
        self.found
    }

    /// The version that packages come from, by module path: the go command's vendorVersion.
    fn selected(&self) -> BTreeMap<&'a str, &'a Module> {
        // Of two, the later one is higher.
        map(self.list.providers.iter().map(|i| &self.list.modules[*i]).map(|m| (m.path.as_str(), m)))
    }

    fn module(&self, path: &str, version: Option<&str>) -> Option<&'a Module> {
        self.by_name.get(&(path, version)).map(|i| &self.list.modules[*i])
    }

    fn push(&mut self, path: &str, version: Option<&str>, cause: Cause, place: Place) {
        self.found.push(Inconsistency { path: path.to_owned(), version: version.map(str::to_owned), cause, place });
    }

    fn is_explicit(&self, path: &str, version: &str) -> bool {
        self.module(path, Some(version)).is_some_and(|module| module.explicit.is_some())
    }

    fn requirements(&mut self, selected: &BTreeMap<&str, &Module>) {
        let modules = self.modules;
        for (number, used) in modules.iter().enumerate() {
            for require in &used.go_mod.require {
                if self.is_explicit(&require.path, &require.version) {
                    continue;
                }
                let cause = if !self.before_1_14 {
                    Cause::NotExplicit
                } else {
                    match selected.get(require.path.as_str()) {
                        Some(module) if module.version.as_ref() != Some(&require.version) => {
                            Cause::OtherVersion { vendored: name(module), seen: true }
                        }
                        _ => continue,
                    }
                };
                self.push(&require.path, Some(&require.version), cause, Place::GoMod(number, require.at));
            }
        }
    }

    fn replacements(&mut self, selected: &BTreeMap<&str, &Module>) {
        let (modules, go_work) = (self.modules, self.go_work);
        let of_modules = modules.iter().enumerate().map(|(i, used)| (Some(i), &used.go_mod.replace));
        let of_work = go_work.into_iter().map(|work| (None, &work.replace));
        let mut seen = BTreeSet::new();
        for (number, replaces) in of_modules.chain(of_work) {
            for replace in replaces {
                let (path, version) = (replace.path.as_str(), replace.version.as_deref());
                if !seen.insert((path, version)) {
                    continue;
                }
                let Some(with) = self.replaced.get(path, version) else {
                    // A main module is not replaced.
                    continue;
                };
                let place = match number {
                    Some(number) => Place::GoMod(number, replace.at),
                    None => Place::GoWork(replace.at),
                };
                match self.module(path, version).and_then(|module| module.replacement.as_ref()) {
                    None => {
                        let provides = || selected.get(path).is_some_and(|module| module.version.as_deref() == version);
                        if !self.before_1_14 || (version.is_some() && provides()) {
                            self.push(path, version, Cause::NotReplaced(with.source()), place);
                        }
                    }
                    Some(found) if !self.is_same(&with, found) => {
                        let expected = self.expected(&with).unwrap_or_else(|| with.replacement.clone());
                        let cause =
                            Cause::OtherReplacement { source_file: with.source(), expected, found: found.clone() };
                        self.push(path, version, cause, place);
                    }
                    Some(_) => {}
                }
            }
        }
    }

    /// What modules.txt marks as required.
    fn explicit(&mut self) {
        let modules = self.modules;
        let required = modules.iter().flat_map(|used| &used.go_mod.require);
        let required = set(required.map(|require| (require.path.as_str(), require.version.as_str())));
        for module in self.list.providers.iter().map(|i| &self.list.modules[*i]) {
            let version = module.version.as_deref();
            if let Some(at) = module.explicit
                && version.is_none_or(|version| !required.contains(&(module.path.as_str(), version)))
            {
                let cause = Cause::NotRequired { workspace: self.go_work.is_some() };
                self.push(&module.path, version, cause, Place::ModulesTxt(at));
            }
        }
    }

    /// What modules.txt marks as replaced.
    fn marked(&mut self) {
        for module in self.list.modules.iter().filter(|module| module.replacement.is_some()) {
            let version = module.version.as_deref();
            if self.replaced.get(&module.path, version).is_none() {
                let cause = Cause::ReplacedNowhere { workspace: self.go_work.is_some() };
                self.push(&module.path, version, cause, Place::ModulesTxt(module.at));
            }
        }
    }

    /// What the go command does not compare: the lines that packages are listed under.
    fn versions(&mut self, selected: &BTreeMap<&'a str, &'a Module>) {
        for module in self.list.providers.iter().map(|i| &self.list.modules[*i]) {
            let version = module.version.as_deref();
            let Some(with) = self.replaced.get(&module.path, version) else {
                continue;
            };
            let agrees = module.replacement.as_ref().is_some_and(|found| self.is_same(&with, found));
            // If something replaces just this, the line was compared above.
            if !agrees && !with.is_for(&module.path, version) {
                let expected = self.expected(&with).unwrap_or_else(|| with.replacement.clone());
                let found = module.replacement.clone();
                let cause = Cause::ListedUnder { source_file: with.source(), expected, found };
                self.push(&module.path, version, cause, Place::ModulesTxt(module.at));
            }
        }
        if let (None, [used]) = (self.go_work, self.modules)
            && used.go_mod.go.as_ref().is_some_and(|go| is_at_least(go, 17))
        {
            let required = set(used.go_mod.require.iter().map(|require| require.path.as_str()));
            for module in self.list.providers.iter().map(|i| &self.list.modules[*i]) {
                // Where it is explicit, that was told above.
                if module.explicit.is_none() && !required.contains(module.path.as_str()) {
                    let place = Place::ModulesTxt(module.at);
                    self.push(&module.path, module.version.as_deref(), Cause::Unrequired, place);
                }
            }
        }
        if self.before_1_14 {
            return;
        }
        let mut told = BTreeSet::new();
        for used in self.modules {
            let excluded = set(used.go_mod.exclude.iter().map(|e| (e.path.as_str(), e.version.as_str())));
            for require in &used.go_mod.require {
                let key = (require.path.as_str(), require.version.as_str());
                let Some(module) = selected.get(require.path.as_str()) else {
                    continue;
                };
                let vendored = module.version.as_deref().unwrap_or_default();
                // In a workspace, another module may want a higher version, which then stands for all.
                let differs = match self.go_work {
                    Some(_) => compare(vendored, &require.version).is_lt(),
                    None => vendored != require.version,
                };
                // Where it is not explicit, that was told above.
                if differs && self.is_explicit(key.0, key.1) && !excluded.contains(&key) && told.insert(key) {
                    let cause = Cause::OtherVersion { vendored: name(module), seen: false };
                    self.push(key.0, Some(key.1), cause, Place::ModulesTxt(module.at));
                }
            }
        }
    }

    /// Whether modules.txt names what stands for a module.
    fn is_same(&self, with: &With<'_>, found: &Replacement) -> bool {
        match self.expected(with) {
            Some(expected) => expected == *found,
            None => matches!(found, Replacement::Directory(_)),
        }
    }

    /// What modules.txt should say: directories are relative to the folder of vendor/, as in go.work; those in the go.mod
    /// of a workspace's module are relative to that. None: some directory, which the paths alone do not tell.
    fn expected(&self, with: &With<'_>) -> Option<Replacement> {
        let (Replacement::Directory(directory), Some(module), Some(_)) = (with.replacement, with.from, self.go_work)
        else {
            return Some(with.replacement.clone());
        };
        if is_absolute(directory) {
            return Some(with.replacement.clone());
        }
        let base = self.modules[module].directory;
        let joined = clean(&format!("{base}/{directory}"));
        // A path that leaves the folder may come back to it by a name that is not known here.
        if is_absolute(base) || joined == ".." || joined.starts_with("../") {
            return None;
        }
        Some(Replacement::Directory(if joined == "." { joined } else { format!("./{joined}") }))
    }
}

fn name(module: &Module) -> String {
    match &module.version {
        Some(version) => format!("{}@{version}", module.path),
        None => module.path.clone(),
    }
}

fn is_absolute(directory: &str) -> bool {
    directory.starts_with(['/', '\\'])
        || matches!(directory.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// path.Clean of a relative path.
fn clean(path: &str) -> String {
    let mut elements: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if elements.last().is_some_and(|last| *last != "..") => {
                elements.pop();
            }
            element => elements.push(element),
        }
    }
    if elements.is_empty() { ".".to_owned() } else { elements.join("/") }
}

/// What stands for a module.
#[derive(Clone, Copy)]
struct With<'a> {
    /// The module whose go.mod says so; none: go.work.
    from: Option<usize>,
    path: &'a str,
    version: Option<&'a str>,
    replacement: &'a Replacement,
}

impl<'a> With<'a> {
    fn new(from: Option<usize>, replace: &'a Replace) -> Self {
        Self { from, path: &replace.path, version: replace.version.as_deref(), replacement: &replace.with }
    }

    fn source(&self) -> Source {
        match self.from {
            Some(_) => Source::GoMod,
            None => Source::GoWork,
        }
    }

    /// Whether it is about just this version, or about every one if there is none.
    fn is_for(&self, path: &str, version: Option<&str>) -> bool {
        (self.path, self.version) == (path, version)
    }
}

/// By path and version.
type Table<'a> = BTreeMap<(&'a str, Option<&'a str>), With<'a>>;

/// The replacements of all files: those of go.work win, else the last go.mod with one for the module does.
struct Replaced<'a> {
    main: BTreeSet<&'a str>,
    work: Table<'a>,
    modules: Table<'a>,
}

impl<'a> Replaced<'a> {
    fn new(modules: &'a [Used<'a>], go_work: Option<&'a GoWork>) -> Self {
        let table = |(from, replaces): (Option<usize>, &'a Vec<Replace>)| {
            replaces.iter().map(move |r| ((r.path.as_str(), r.version.as_deref()), With::new(from, r)))
        };
        Self {
            main: modules.iter().filter_map(|used| used.go_mod.module.as_deref()).collect(),
            work: go_work.into_iter().flat_map(|work| table((None, &work.replace))).collect(),
            modules: modules.iter().enumerate().flat_map(|(i, u)| table((Some(i), &u.go_mod.replace))).collect(),
        }
    }

    fn get(&self, path: &str, version: Option<&str>) -> Option<With<'a>> {
        if version.is_none() && self.main.contains(path) {
            return None;
        }
        let find = |table: &Table<'a>| {
            let exact = table.get(&(path, version)).copied();
            let any = table.get(&(path, None)).copied();
            // Of one go.mod, the replacement of just this version wins.
            match (exact, any) {
                (Some(exact), Some(any)) if any.from > exact.from => Some(any),
                (exact, any) => exact.or(any),
            }
        };
        find(&self.work).or_else(|| find(&self.modules))
    }
}
