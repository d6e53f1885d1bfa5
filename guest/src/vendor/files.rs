//! Every vendored file against the zip of its module.
//!
//! Whose a file is (`modload/vendor.go`, `modload/import.go`): a source file in the folder of a package that modules.txt
//! lists belongs to the package's module. Anything else that `go mod vendor` copies (`modcmd/vendor.go`: what a package
//! embeds, licences on the way up to the module's root) belongs to a module whose path is above it: it is right if it is
//! what one of those modules has there. So where it is right, the bytes are those that some listed module has at this very
//! path, and the zip's h1 vouches for them.
//!
//! What need not be there: only sources of listed packages are missed, since people prune the rest. A `.go` file that
//! `go mod vendor` leaves out by its constraint must be told apart by its content ([`super::constraint`]), which is why
//! [`Missing::needs_content`] says so. Files of nested modules are in no zip but their own; a module that is replaced by
//! a directory has no zip, and its files are counted, not compared.

use std::collections::BTreeMap;

use crate::dirhash::{FileDigest, FileHash, Manifest};
use crate::gosum::gomod::Replacement;
use crate::module::ModuleVersion;
use crate::sort::sort_by;

use super::modules_txt::{ModulesTxt, is_within};

/// The most modules that a file is looked for in: those with the longest paths.
pub const MAX_CANDIDATES: usize = 8;

/// The file that says what is vendored; it is in no zip.
pub const MODULES_TXT: &str = "modules.txt";

/// What go/build takes besides `.go` (go/build, `fileListForExt`), by extension.
const SOURCES: [&str; 19] = [
    "S", "c", "cc", "cpp", "cxx", "f", "F", "f90", "for", "h", "hh", "hpp", "hxx", "m", "s", "swig", "swigcxx", "sx",
    "syso",
];

/// What a build does with a file of this name, in a folder that is a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Compiles it, if its constraints hold.
    Go,
    /// Compiles, assembles, includes or links it.
    Source,
    /// Nothing, unless it is embedded or included by name.
    Other,
}

impl Kind {
    /// Of a file, by its name without folders.
    pub fn of(name: &[u8]) -> Self {
        if matches!(name.first(), Some(b'_' | b'.')) || name.ends_with(b"_test.go") {
            return Self::Other;
        }
        let extension = name.rsplit(|b| *b == b'.').next().filter(|extension| extension.len() < name.len());
        match extension {
            Some(b"go") => Self::Go,
            Some(extension) if SOURCES.iter().any(|source| source.as_bytes() == extension) => Self::Source,
            _ => Self::Other,
        }
    }
}

/// Where the right content of a module's files comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The zip of this module version: the module's own, or that of its replacement.
    Zip(ModuleVersion),
    /// A directory, which nobody vouches for.
    Directory(String),
    /// Nothing that could be asked for: the line names no version that a module can have.
    Unknown,
}

/// A vendored file that differs from the zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Its name below vendor/.
    pub file: Box<[u8]>,
    /// The index of the module in modules.txt.
    pub module: usize,
    /// What the zip has.
    pub zip: FileHash,
    /// What the folder has.
    pub vendored: FileHash,
    /// What a build does with it.
    pub kind: Kind,
}

/// A vendored file that is not in a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// Its name below vendor/.
    pub file: Box<[u8]>,
    /// The module whose zip does not have it, as index in modules.txt; none: it belongs to no module there.
    pub module: Option<usize>,
    /// Its content.
    pub vendored: FileHash,
    /// What a build does with it.
    pub kind: Kind,
    /// Whether it is in the folder of a package that modules.txt lists.
    pub listed: bool,
}

/// A file of the zip that is not vendored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its name below vendor/.
    pub file: Box<[u8]>,
    /// The index of the module in modules.txt.
    pub module: usize,
    /// What the zip has.
    pub zip: FileHash,
    /// Its name in the zip.
    pub in_zip: Box<[u8]>,
    /// Whether it is missed only if [`super::constraint::is_vendored`] holds for its content.
    pub needs_content: bool,
}

/// Something that is neither a regular file nor a folder. `go mod vendor` makes no such thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Irregular {
    /// Its name below vendor/.
    pub file: Box<[u8]>,
    /// The module that it would belong to.
    pub module: Option<usize>,
}

/// What became of a module's files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// As in the zip.
    pub same: u64,
    /// Not compared: the module has no zip, or none that was given.
    pub uncompared: u64,
    /// Mismatches, extras, and what is no file.
    pub wrong: u64,
}

/// The outcome, every list by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Files that differ.
    pub mismatches: Vec<Mismatch>,
    /// Files too many.
    pub extras: Vec<Extra>,
    /// Files too few.
    pub missing: Vec<Missing>,
    /// Links, devices and the like.
    pub irregular: Vec<Irregular>,
    /// By index in modules.txt.
    pub modules: Vec<Tally>,
}

/// A comparison under way: takes one zip at a time, in any order, and keeps none.
#[derive(Debug)]
pub struct Comparing<'a> {
    list: &'a ModulesTxt,
    vendored: &'a Manifest,
    /// One for each vendored file.
    files: Vec<File>,
    /// Which files each module is looked for: module, then file.
    wanted: Vec<(u32, u32)>,
    /// The packages of each module.
    packages: BTreeMap<usize, Vec<&'a str>>,
    outcome: Comparison,
}

/// What is known of a vendored file so far.
#[derive(Debug, Clone, Copy)]
struct File {
    /// The module that answers for it.
    owner: Option<u32>,
    /// How many modules it is still to be looked for in.
    open: u32,
    listed: bool,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Seen in no zip so far.
    Absent,
    Same,
    /// Seen with another content, in the zip of this module.
    Different(u32, FileHash),
}

impl<'a> Comparing<'a> {
    /// Begins with what is there: `vendored` and `irregular` hold names below vendor/, with `/`.
    pub fn new(list: &'a ModulesTxt, vendored: &'a Manifest, irregular: &[Box<[u8]>]) -> Self {
        let owners = Owners::new(list);
        let mut files = Vec::with_capacity(vendored.files().len());
        let mut wanted = Vec::with_capacity(files.capacity());
        for (number, file) in (0u32..).zip(vendored.files()) {
            let found = owners.of(&file.name);
            let open = found.candidates.len() as u32;
            wanted.extend(found.candidates.iter().map(|module| (*module as u32, number)));
            let owner = found.candidates.first().map(|module| *module as u32);
            files.push(File { owner, open, listed: found.listed, state: State::Absent });
        }
        sort_by(&mut wanted, Ord::cmp);
        let mut packages: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (path, package) in &list.packages {
            packages.entry(package.module).or_default().push(path);
        }
        let mut outcome = Comparison { modules: vec![Tally::default(); list.modules.len()], ..Comparison::default() };
        outcome.irregular.extend(
            irregular
                .iter()
                .map(|file| Irregular { file: file.clone(), module: owners.of(file).candidates.first().copied() }),
        );
        sort_by(&mut outcome.irregular, |a, b| a.file.cmp(&b.file));
        Self { list, vendored, files, wanted, packages, outcome }
    }

    /// The modules that have packages, as indexes in modules.txt, with where their content comes from. Each
    /// [`Origin::Zip`] is waited for; those that are not given leave their files uncompared.
    pub fn origins(&self) -> impl Iterator<Item = (usize, Origin)> + '_ {
        self.packages.keys().map(|module| (*module, origin(self.list, *module)))
    }

    /// Takes a module's zip: `module` and the version are as [`Self::origins`] said. A module that was not listed there,
    /// or is given twice, changes nothing.
    pub fn zip(&mut self, module: usize, zip: &Manifest) {
        let Origin::Zip(version) = origin(self.list, module) else {
            return;
        };
        let Some(packages) = self.packages.remove(&module) else {
            return;
        };
        let path = &self.list.modules[module].path;
        let number = module as u32;
        let start = self.wanted.partition_point(|(module, _)| *module < number);
        let wanted = self.wanted[start..].iter().take_while(|(module, _)| *module == number);
        for (_, index) in wanted {
            let vendored = &self.vendored.files()[*index as usize];
            let file = &mut self.files[*index as usize];
            file.open -= 1;
            let below = &vendored.name[path.len()..];
            let state = match find(zip.files(), &[version.as_str().as_bytes(), below].concat()) {
                Some(found) if found.sha256 == vendored.sha256 => State::Same,
                Some(found) => State::Different(number, found.sha256),
                None => continue,
            };
            file.state = match (file.state, state) {
                (State::Same, _) => State::Same,
                // Of two that differ, the owner's counts.
                (State::Different(..), State::Different(module, _)) if file.owner != Some(module) => file.state,
                (_, state) => state,
            };
        }
        for package in packages.into_iter().filter(|package| is_within(*package, path)) {
            self.miss(module, package, &version, zip);
        }
    }

    /// The sources of a package that are in the zip and not in the folder.
    fn miss(&mut self, module: usize, package: &str, version: &ModuleVersion, zip: &Manifest) {
        let path = &self.list.modules[module].path;
        let folder = [version.as_str(), &package[path.len()..], "/"].concat();
        // Everything below the folder is next to each other. What is in folders below is skipped at once.
        let files = zip.files();
        let mut next = files.partition_point(|file| *file.name < *folder.as_bytes());
        while let Some(file) = files.get(next) {
            let Some(name) = file.name.strip_prefix(folder.as_bytes()) else {
                break;
            };
            if let Some(slash) = name.iter().position(|b| *b == b'/') {
                let inner = &file.name[..folder.len() + slash + 1];
                next += files[next..].partition_point(|file| file.name.starts_with(inner));
                continue;
            }
            next += 1;
            let kind = Kind::of(name);
            if kind == Kind::Other {
                continue;
            }
            let vendored = [package.as_bytes(), b"/", name].concat();
            let irregular = |file: &[u8]| self.outcome.irregular.binary_search_by(|i| (*i.file).cmp(file)).is_ok();
            if find(self.vendored.files(), &vendored).is_none() && !irregular(&vendored) {
                self.outcome.missing.push(Missing {
                    file: vendored.into_boxed_slice(),
                    module,
                    zip: file.sha256,
                    in_zip: file.name.clone(),
                    needs_content: kind == Kind::Go,
                });
            }
        }
    }

    /// What came out of it.
    pub fn finish(mut self) -> Comparison {
        for (file, vendored) in self.files.iter().zip(self.vendored.files()) {
            if &*vendored.name == MODULES_TXT.as_bytes() {
                continue;
            }
            let kind = Kind::of(base(&vendored.name));
            let tally = file.owner.map(|owner| &mut self.outcome.modules[owner as usize]);
            match (file.state, tally) {
                (State::Same, Some(tally)) => tally.same += 1,
                // What differs from the owner's is wrong, whatever the others would say.
                (state, Some(tally))
                    if file.open > 0 && !matches!(state, State::Different(module, _) if file.owner == Some(module)) =>
                {
                    tally.uncompared += 1;
                }
                (State::Different(module, zip), tally) => {
                    tally.into_iter().for_each(|tally| tally.wrong += 1);
                    self.outcome.mismatches.push(Mismatch {
                        file: vendored.name.clone(),
                        module: module as usize,
                        zip,
                        vendored: vendored.sha256,
                        kind,
                    });
                }
                (_, tally) => {
                    tally.into_iter().for_each(|tally| tally.wrong += 1);
                    self.outcome.extras.push(Extra {
                        file: vendored.name.clone(),
                        module: file.owner.map(|owner| owner as usize),
                        vendored: vendored.sha256,
                        kind,
                        listed: file.listed,
                    });
                }
            }
        }
        for module in self.outcome.irregular.iter().filter_map(|irregular| irregular.module) {
            self.outcome.modules[module].wrong += 1;
        }
        sort_by(&mut self.outcome.missing, |a, b| a.file.cmp(&b.file));
        self.outcome
    }
}

/// Where the right content of a module's files comes from.
pub(crate) fn origin(list: &ModulesTxt, module: usize) -> Origin {
    let Some(module) = list.modules.get(module) else {
        return Origin::Unknown;
    };
    let (path, version) = match (&module.replacement, &module.version) {
        (Some(Replacement::Directory(directory)), _) => return Origin::Directory(directory.clone()),
        (Some(Replacement::Module { path, version }), _) => (path, version),
        (None, Some(version)) => (&module.path, version),
        (None, None) => return Origin::Unknown,
    };
    ModuleVersion::check(path, version).map_or(Origin::Unknown, Origin::Zip)
}

/// The file of this name.
fn find<'m>(files: &'m [FileDigest], name: &[u8]) -> Option<&'m FileDigest> {
    files.binary_search_by(|file| (*file.name).cmp(name)).ok().map(|at| &files[at])
}

/// A name without its folders.
fn base(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b'/').next().unwrap_or(name)
}

/// Tells whose a file is.
struct Owners<'a> {
    list: &'a ModulesTxt,
    /// The modules that have packages, by path. Of one path, there may be several versions.
    modules: BTreeMap<&'a [u8], Vec<usize>>,
}

struct Found {
    /// The modules that may have it, the likeliest first.
    candidates: Vec<usize>,
    listed: bool,
}

impl<'a> Owners<'a> {
    fn new(list: &'a ModulesTxt) -> Self {
        let mut indexes: Vec<usize> = list.packages.values().map(|package| package.module).collect();
        sort_by(&mut indexes, Ord::cmp);
        indexes.dedup();
        let mut modules: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
        for index in indexes {
            modules.entry(list.modules[index].path.as_bytes()).or_default().push(index);
        }
        Self { list, modules }
    }

    fn of(&self, name: &[u8]) -> Found {
        let file = base(name);
        let folder = name[..name.len() - file.len()].strip_suffix(b"/").unwrap_or_default();
        let package = std::str::from_utf8(folder).ok().and_then(|folder| self.list.packages.get(folder));
        let listed = package.is_some();
        let mut candidates = Vec::new();
        if let Some(package) = package
            && is_within(folder, &self.list.modules[package.module].path)
        {
            candidates.push(package.module);
        }
        if listed && Kind::of(file) != Kind::Other {
            return Found { candidates, listed };
        }
        let mut path = folder;
        while !path.is_empty() && candidates.len() < MAX_CANDIDATES {
            for module in self.modules.get(path).into_iter().flatten().copied() {
                if !candidates.contains(&module) && candidates.len() < MAX_CANDIDATES {
                    candidates.push(module);
                }
            }
            path = &path[..path.iter().rposition(|b| *b == b'/').unwrap_or(0)];
        }
        Found { candidates, listed }
    }
}
