//! Which lines the go command will ask go.sum for, as far as go.mod and go.work tell.
//!
//! What is wanted for sure, and why (cmd/go, `modload/init.go` keepSums, `modload/buildlist.go` readModGraph,
//! `modload/modfile.go` goModSummary and replacementFrom, `modload/import.go` fetch):
//!
//! - the go.mod of every required module, because the module graph is made of them, and `go mod tidy` keeps their lines
//!   even where the graph is not loaded;
//! - the zip of every required module without `// indirect`, because the main module imports a package of it.
//!
//! Of a module that is replaced, it is the replacement's; of one that is replaced by a directory, excluded, or part of
//! the workspace, nothing. What the requirements require in turn is not seen here.
//!
//! A module may be built alone, or in a workspace, where the go.sum of every module and go.work.sum count, and
//! go.work's replacements win. A line is missing only if it is missing in every one of these, and if in doubt it is not
//! wanted: so no line is ever called missing in a project that is tidy. Being wrong on this side costs nothing: a line
//! that is not there vouches for nothing, and the go command itself asks for it, or for the checksum database.
//!
//! Every go.sum is read once, and nothing of it is kept but what requirements name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::contract::FileKind;
use crate::module::{ModuleVersion, compare};
use crate::report::Of;
use crate::sort::sort_by;

use super::Span;
use super::gomod::{GoMod, Replace, Replacement, Require};
use super::gowork::GoWork;
use super::sum::{HashKind, Line, lines};
use super::syntax::SyntaxError;

/// Paths that stand for the go command itself, or that come with it: they are in no go.sum.
const BUILT_IN: [&str; 3] = ["go", "toolchain", "golang.org/fips140"];

/// How much all workspaces together may take in: one for each `use` line, for each line of the go.mod that it names, and
/// for every 64 bytes of the go.sum there. Without a limit, many go.work files that use the same large module would take
/// time in the order of the square of their size. Kubernetes' workspace comes to some 20,000.
pub const MAX_WORKSPACE_LINES: usize = 1 << 20;

/// A file of the checkout.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Relative to the folder that is judged, with `/`.
    pub path: &'a str,
    /// What it is.
    pub kind: FileKind,
    /// Every byte of it.
    pub content: &'a [u8],
}

/// What the go.mod and go.work files of a checkout ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Every line that is wanted, by file and place.
    pub wanted: Vec<Wanted>,
    /// The go.mod and go.work files that the go command would refuse. Nothing is wanted on their account.
    pub broken: Vec<Broken>,
    /// The modules of workspaces that cannot be seen. Nothing is wanted of any module in such a workspace.
    pub unseen: Vec<Unseen>,
    replaced: Vec<Replaced>,
}

/// A line that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The path of the go.mod that wants it.
    pub file: String,
    /// The requirement there.
    pub at: Span,
    /// Of which module version: the replacement's where there is one.
    pub module: ModuleVersion,
    /// Of what.
    pub of: Of,
    /// The path of the go.sum where it belongs, whether there is one or not.
    pub sum_file: String,
    /// Whether it is there, or in another file that counts.
    pub found: bool,
    /// Whether a go.work uses the module. In a workspace the go command does not stop for want of a line
    /// (`modload/import.go` mustHaveSums): it downloads, asks the checksum database, and adds the line to go.work.sum.
    pub in_workspace: bool,
}

/// A file that the go command would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Its path.
    pub file: String,
    /// What is wrong.
    pub error: SyntaxError,
}

/// A module of a workspace that cannot be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// The path of the go.work.
    pub file: String,
    /// The `use` line there.
    pub at: Span,
    /// The directory as written.
    pub directory: String,
    /// Why.
    pub reason: Reason,
}

/// A `replace` line, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The go.mod or go.work.
    pub file: String,
    /// The line.
    pub line: Replace,
}

/// Why a module of a workspace cannot be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// An absolute path, or one that leaves the checkout.
    #[error("outside of the checkout")]
    Outside,
    /// No go.mod there, or none that could be read.
    #[error("no readable go.mod there")]
    NoModule,
    /// More than [`MAX_WORKSPACE_LINES`].
    #[error("workspaces too large, more than {MAX_WORKSPACE_LINES} lines in all")]
    TooMuch,
}

impl Survey {
    /// Looks through all files of a checkout, in any order. Two of the same path: the last one counts.
    pub fn new<'a>(files: impl IntoIterator<Item = File<'a>>) -> Self {
        let mut checkout = Checkout::default();
        let mut survey = Self::default();
        for file in files {
            checkout.add(file, &mut survey.broken);
        }
        let mods =
            checkout.mods.values().flat_map(|module| module.go_mod.replace.iter().map(|line| (module.file, line)));
        let works = checkout.works.values().flat_map(|(file, work)| work.replace.iter().map(|line| (*file, line)));
        let replaced = mods.chain(works).map(|(file, line)| Replaced { file: file.to_owned(), line: line.clone() });
        survey.replaced = replaced.collect();
        let views = checkout.views(&mut survey.unseen);
        survey.wanted = checkout.wanted(&views);
        sort_by(&mut survey.broken, |a, b| a.file.cmp(&b.file));
        survey
    }

    /// What stands for something else, in the order of the files: of go.mod files first, then of go.work files.
    pub fn replaced(&self) -> &[Replaced] {
        &self.replaced
    }

    /// The lines that are wanted and nowhere to be found.
    pub fn missing(&self) -> impl Iterator<Item = &Wanted> {
        self.wanted.iter().filter(|wanted| !wanted.found)
    }
}

/// All files, by folder: the empty string, or a path without a slash at its end.
#[derive(Default)]
struct Checkout<'a> {
    mods: BTreeMap<&'a str, Module<'a>>,
    works: BTreeMap<&'a str, (&'a str, GoWork)>,
    sums: BTreeMap<&'a str, &'a [u8]>,
    work_sums: BTreeMap<&'a str, &'a [u8]>,
    broken_works: BTreeSet<&'a str>,
}

struct Module<'a> {
    file: &'a str,
    go_mod: GoMod,
}

/// One way in which the go command looks at modules: one alone, or a workspace.
#[derive(Default)]
struct View<'a> {
    /// The folders of its modules.
    modules: BTreeSet<&'a str>,
    /// The go.sum and go.work.sum files that count.
    sums: Vec<&'a [u8]>,
    /// Whether something that counts cannot be seen.
    incomplete: bool,
    /// Module paths that are built from the checkout.
    provided: HashSet<&'a str>,
    /// Module versions that are as if they were not.
    excluded: HashSet<(&'a str, &'a str)>,
    /// Replacements that win over those of modules.
    overrides: Replacements<'a>,
    replaced: Replacements<'a>,
}

/// By path and version, where no version stands for all. None: modules disagree.
#[derive(Default)]
struct Replacements<'a>(HashMap<(&'a str, Option<&'a str>), Option<&'a Replacement>>);

impl<'a> Replacements<'a> {
    /// The replacements of one file, of which the last one for the same thing counts.
    fn of(file: &'a [Replace]) -> Self {
        let key = |r: &'a Replace| (r.path.as_str(), r.version.as_deref());
        Self(file.iter().map(|r| (key(r), Some(&r.with))).collect())
    }

    /// Joins those of another module.
    fn join(&mut self, other: Self) {
        for (key, with) in other.0 {
            let known = self.0.entry(key).or_insert(with);
            if !same(*known, with) {
                *known = None;
            }
        }
    }

    /// What stands for a module version. None: nothing does. None inside: modules disagree.
    fn get(&self, path: &'a str, version: &'a str) -> Option<Option<&'a Replacement>> {
        let exact = self.0.get(&(path, Some(version))).copied();
        let any = self.0.get(&(path, None)).copied();
        exact.or(any)
    }

    /// Whether one version of a module is replaced by something else than the others.
    fn is_split(&self, path: &'a str, version: &'a str) -> bool {
        let exact = self.0.get(&(path, Some(version)));
        let any = self.0.get(&(path, None));
        matches!((exact, any), (Some(exact), Some(any)) if !same(*exact, *any))
    }
}

/// Whether two replacements ask for the same lines.
fn same(a: Option<&Replacement>, b: Option<&Replacement>) -> bool {
    match (a, b) {
        (Some(Replacement::Directory(_)), Some(Replacement::Directory(_))) => true,
        (a, b) => a == b,
    }
}

impl<'a> View<'a> {
    fn add(&mut self, checkout: &'a Checkout<'_>, folder: &'a str, go_mod: &'a GoMod) {
        if !self.modules.insert(folder) {
            return;
        }
        self.sums.extend(checkout.sums.get(folder));
        self.provided.extend(go_mod.module.as_deref());
        let excluded = go_mod.exclude.iter();
        self.excluded.extend(excluded.map(|e| (e.path.as_str(), e.version.as_str())));
        self.replaced.join(Replacements::of(&go_mod.replace));
    }

    /// Which module version's lines the go command asks for because of a requirement; none if that is not sure.
    fn demand(&self, require: &'a Require) -> Option<ModuleVersion> {
        let (path, version) = (require.path.as_str(), require.version.as_str());
        if self.incomplete
            || self.provided.contains(path)
            || self.excluded.contains(&(path, version))
            || BUILT_IN.contains(&path)
        {
            return None;
        }
        let mut replacement = self.overrides.get(path, version);
        if replacement.is_none() {
            // Which of the two wins depends on whether they are in the same go.mod.
            if self.modules.len() > 1 && self.replaced.is_split(path, version) {
                return None;
            }
            replacement = self.replaced.get(path, version);
        }
        match replacement {
            None => ModuleVersion::check(path, version).ok(),
            Some(Some(Replacement::Module { path, version })) => ModuleVersion::check(path, version).ok(),
            Some(None | Some(Replacement::Directory(_))) => None,
        }
    }
}

/// What the go.sum files of a view say of the modules that are asked for.
struct Seen<'a> {
    present: HashSet<(&'a str, &'a str, Of)>,
    /// The highest version of each path.
    highest: HashMap<&'a str, &'a str>,
}

impl<'a> Seen<'a> {
    fn raise(&mut self, path: &'a str, version: &'a str) {
        let highest = self.highest.entry(path).or_insert(version);
        if compare(highest, version).is_lt() {
            *highest = version;
        }
    }
}

impl<'a> Checkout<'a> {
    /// Takes a file in.
    fn add(&mut self, file: File<'a>, broken: &mut Vec<Broken>) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut refuse = |error| {
            broken.push(Broken { file: file.path.to_owned(), error });
        };
        match file.kind {
            FileKind::GoSum => {
                self.sums.insert(folder, file.content);
            }
            FileKind::GoWorkSum => {
                self.work_sums.insert(folder, file.content);
            }
            FileKind::GoMod => match GoMod::parse(file.content) {
                Ok(go_mod) => {
                    let file = file.path;
                    self.mods.insert(folder, Module { file, go_mod });
                }
                Err(error) => refuse(error),
            },
            FileKind::VendorModules => {}
            FileKind::GoWork => match GoWork::parse(file.content) {
                Ok(work) => {
                    self.works.insert(folder, (file.path, work));
                }
                Err(error) => {
                    self.broken_works.insert(folder);
                    refuse(error);
                }
            },
        }
    }

    /// Every module alone, and every workspace.
    fn views(&self, unseen: &mut Vec<Unseen>) -> Vec<View<'_>> {
        let alone = self.mods.iter().map(|(folder, module)| {
            let mut view =
                View { incomplete: self.broken_works.iter().any(|work| is_under(folder, work)), ..View::default() };
            view.add(self, folder, &module.go_mod);
            view
        });
        let mut views: Vec<View<'_>> = alone.collect();
        let mut allowance = MAX_WORKSPACE_LINES;
        for (folder, (file, work)) in &self.works {
            let mut view = View { overrides: Replacements::of(&work.replace), ..View::default() };
            for used in &work.uses {
                match self.used(folder, &used.directory, &mut allowance) {
                    Ok((folder, go_mod)) => view.add(self, folder, go_mod),
                    Err(reason) => {
                        view.incomplete = true;
                        unseen.push(Unseen {
                            file: (*file).to_owned(),
                            at: used.at,
                            directory: used.directory.clone(),
                            reason,
                        });
                    }
                }
            }
            view.sums.extend(self.work_sums.get(folder));
            views.push(view);
        }
        views
    }

    /// The module that a `use` line names, with its folder.
    fn used(&self, work: &str, directory: &str, allowance: &mut usize) -> Result<(&str, &GoMod), Reason> {
        let target = resolve(work, directory).ok_or(Reason::Outside)?;
        let (folder, module) = self.mods.get_key_value(target.as_str()).ok_or(Reason::NoModule)?;
        let go_mod = &module.go_mod;
        let sum = self.sums.get(folder).map_or(0, |sum| sum.len() / 64);
        let lines = go_mod.require.len() + go_mod.exclude.len() + go_mod.replace.len();
        let cost = 1 + lines + sum;
        *allowance = allowance.checked_sub(cost).ok_or(Reason::TooMuch)?;
        Ok((folder, go_mod))
    }

    /// Every line that is wanted in every view, in order.
    fn wanted(&self, views: &[View<'_>]) -> Vec<Wanted> {
        let mut views_of: HashMap<&str, Vec<usize>> = HashMap::new();
        for (i, view) in views.iter().enumerate() {
            for folder in &view.modules {
                views_of.entry(folder).or_default().push(i);
            }
        }
        let seen = self.seen(views);
        let mut wanted = Vec::new();
        for (folder, module) in &self.mods {
            let views_of = views_of.get(folder).map_or(&[][..], Vec::as_slice);
            for require in &module.go_mod.require {
                let demands: Option<Vec<(usize, ModuleVersion)>> =
                    views_of.iter().map(|&i| Some((i, views[i].demand(require)?))).collect();
                let Some(demands) = demands else {
                    continue;
                };
                for of in [Of::Zip, Of::GoMod] {
                    if of == Of::Zip && (require.indirect || superseded(require, &demands, &seen)) {
                        continue;
                    }
                    let Some((_, first)) = demands.first() else {
                        continue;
                    };
                    let found = demands.iter().any(|(i, m)| seen[*i].present.contains(&(m.path(), m.version(), of)));
                    wanted.push(Wanted {
                        file: module.file.to_owned(),
                        at: require.at,
                        module: first.clone(),
                        of,
                        sum_file: match folder.is_empty() {
                            true => "go.sum".to_owned(),
                            false => format!("{folder}/go.sum"),
                        },
                        found,
                        in_workspace: views_of.len() > 1,
                    });
                }
            }
        }
        wanted
    }

    /// Reads every go.sum that counts somewhere, once, and keeps of it only what requirements are about.
    fn seen<'c>(&'c self, views: &[View<'c>]) -> Vec<Seen<'c>> {
        let requirements = || self.mods.values().flat_map(|m| &m.go_mod.require);
        let replacements = self
            .mods
            .values()
            .flat_map(|m| &m.go_mod.replace)
            .chain(self.works.values().flat_map(|(_, work)| &work.replace));
        let mut asked: HashMap<&str, HashSet<&str>> = HashMap::new();
        for require in requirements() {
            let versions = asked.entry(&require.path).or_default();
            versions.insert(&require.version);
        }
        for replace in replacements {
            if let Replacement::Module { path, version } = &replace.with {
                asked.entry(path).or_default().insert(version);
            }
        }

        let mut seen: Vec<Seen<'c>> =
            views.iter().map(|_| Seen { present: HashSet::new(), highest: HashMap::new() }).collect();
        let mut readers: HashMap<*const [u8], (&'c [u8], Vec<usize>)> = HashMap::new();
        for (i, view) in views.iter().enumerate() {
            for folder in &view.modules {
                for require in &self.mods[folder].go_mod.require {
                    seen[i].raise(&require.path, &require.version);
                }
            }
            for &sum in &view.sums {
                let (_, views) = readers.entry(std::ptr::from_ref(sum)).or_insert((sum, Vec::new()));
                views.push(i);
            }
        }
        for (sum, views) in readers.into_values() {
            for line in lines(sum) {
                // The go command looks for lines of an algorithm that it knows, whatever is after that.
                let Line::Entry(entry) = line else { continue };
                if entry.kind == HashKind::Unknown {
                    continue;
                }
                let Some(versions) = asked.get(entry.path()) else {
                    continue;
                };
                for &i in &views {
                    seen[i].raise(entry.path(), entry.version());
                    if versions.contains(entry.version()) {
                        let key = (entry.path(), entry.version(), entry.of);
                        seen[i].present.insert(key);
                    }
                }
            }
        }
        seen
    }
}

/// Whether some view may have selected a higher version than the required one: then the zip is not asked for. Whatever
/// is selected has left a line of its go.mod.
fn superseded(require: &Require, demands: &[(usize, ModuleVersion)], seen: &[Seen<'_>]) -> bool {
    demands.iter().any(|(i, _)| {
        seen[*i].highest.get(require.path.as_str()).is_some_and(|highest| compare(highest, &require.version).is_gt())
    })
}

/// Whether a folder is another one, or inside of it.
fn is_under(folder: &str, parent: &str) -> bool {
    parent.is_empty() || folder.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The folder that a `use` line of a go.work names; none if it is outside of the checkout.
pub(crate) fn resolve(folder: &str, directory: &str) -> Option<String> {
    let drive = matches!(directory.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if drive || directory.starts_with(['/', '\\']) {
        return None;
    }
    let mut elements: Vec<&str> = Vec::new();
    for element in folder.split('/').chain(directory.split('/')) {
        match element {
            "" | "." => {}
            ".." => {
                elements.pop()?;
            }
            element => elements.push(element),
        }
    }
    Some(elements.join("/"))
}
