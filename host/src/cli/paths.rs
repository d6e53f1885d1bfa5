//! What PATH means: from the command line to the files that the core judges.
//!
//! # Security
//!
//! The checkout may belong to somebody else. Of a folder, nothing that resolves to outside of it is read: a symbolic
//! link to a folder is not followed, and one to a file must stay inside. Every file is opened once, must be a regular
//! file, and is read through that one descriptor; its size, modification time and identity are compared before and
//! after, so that what was judged is what lies there.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    path::{Component, Path, PathBuf},
};

use ignore::{
    WalkBuilder,
    gitignore::{Gitignore, GitignoreBuilder},
};

use crate::contract::{FileKind, SourceFile};
use crate::files::{FileError, Regular, is_absent};

/// The largest go.sum or go.work.sum: half a gigabyte is five million lines.
pub const MAX_SUM: u64 = 512 << 20;

/// The largest go.mod, go.work or vendor/modules.txt: Go's own limit for a go.mod in a module zip (golang.org/x/mod/zip, `MaxGoMod`).
pub const MAX_MOD: u64 = 16 << 20;

/// Reads the folders that the `use` directives of a go.work name, as they stand there.
pub type Uses<'a> = &'a dyn Fn(&[u8]) -> Result<Vec<String>, String>;

/// What there is to judge.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// The folder that the files' paths are relative to; it may itself be relative to the current folder.
    pub root: PathBuf,
    /// By path.
    pub files: Vec<SourceFile>,
    /// Vendor folders beside a go.mod or go.work that have no modules.txt, by their path in the report.
    pub bare_vendors: Vec<String>,
    /// Files that are none of Go's and may be built programs: path in the report, and where it is.
    pub programs: Vec<(String, PathBuf)>,
    /// What to tell the user on stderr: one line each.
    pub notes: Vec<String>,
}

/// Why there is nothing to judge. All of them are wrong usage: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// PATH, or something below it, cannot be read.
    #[error("{path}: {error}", path = .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// PATH has no file name.
    #[error("{path}: not a file", path = .0.display())]
    NoName(PathBuf),
    /// A fifo, device, socket or folder where a file was expected.
    #[error("{path}: not a regular file", path = .0.display())]
    NotRegular(PathBuf),
    /// Over [`MAX_SUM`] or [`MAX_MOD`].
    #[error("{path}: larger than {mib} MiB", path = .path.display(), mib = .limit >> 20)]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// Somebody wrote to it meanwhile.
    #[error("{path}: changed while it was read; try again", path = .0.display())]
    Changed(PathBuf),
    /// A symbolic link leads out of the folder that is judged.
    #[error("{path}: resolves to outside of {root}; name its target as PATH instead", path = .path.display(), root = .root.display())]
    Outside {
        /// The link.
        path: PathBuf,
        /// The folder.
        root: PathBuf,
    },
    /// A file name that is not UTF-8 cannot be shown in a report.
    #[error("{path}: the name is not valid UTF-8", path = .0.display())]
    NotUtf8(PathBuf),
    /// With several PATHs, paths in the report are relative to the current folder.
    #[error("{path}: not below the current folder; run from a folder above all PATHs, or name one PATH", path = .0.display())]
    NotBelow(PathBuf),
    /// A `--exclude` that is no glob.
    #[error("--exclude {glob}: {message}")]
    Exclude {
        /// As given.
        glob: String,
        /// What is wrong with it.
        message: String,
    },
    /// Nothing found.
    #[error(
        "nothing to verify: no go.sum, go.mod, go.work or go.work.sum in {} (vendor, testdata, and names that begin \
         with _ or . are left out{})",
        .paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
        if *.excludes { ", and so is what --exclude matches" } else { "" }
    )]
    Nothing {
        /// Where was looked.
        paths: Vec<PathBuf>,
        /// Whether there were `--exclude`s.
        excludes: bool,
    },
}

/// Collects the files of all `paths`, leaving out what is below a folder and matches one of `exclude`.
///
/// - A folder: every go.mod, go.sum, go.work and go.work.sum below it, but not in `vendor`, `testdata`, and folders
///   that begin with `_` or `.`, as in cmd/go's `./...`; and the modules that a go.work found there uses.
/// - vendor/modules.txt beside every go.mod and go.work.
/// - A go.mod (or `NAME.mod`): it and the go.sum (`NAME.sum`) beside it.
/// - A go.work: it, the go.work.sum beside it, and go.mod and go.sum of the modules that it uses.
/// - A go.sum or go.work.sum: it alone.
/// - Any other file: perhaps a built program. It is not read here.
///
/// A module that a go.work uses from outside of the folder that is judged is not read, and noted.
///
/// # Errors
///
/// See [`PathError`].
pub fn collect(paths: &[PathBuf], exclude: &[String], uses: Uses<'_>) -> Result<Collected, PathError> {
    let cwd = std::env::current_dir().map_err(|error| PathError::Io { path: PathBuf::from("."), error })?;
    collect_from(&cwd, paths, exclude, uses)
}

fn collect_from(cwd: &Path, paths: &[PathBuf], exclude: &[String], uses: Uses<'_>) -> Result<Collected, PathError> {
    let mut collector = Collector {
        uses,
        globs: exclude,
        files: BTreeMap::new(),
        programs: BTreeMap::new(),
        bare_vendors: BTreeSet::new(),
        notes: Vec::new(),
    };
    let (root, places) = places(cwd, paths, exclude)?;
    for (path, place, name) in places {
        let Some(name) = name else {
            collector.folder(&place)?;
            continue;
        };
        let name = name.to_str().ok_or_else(|| PathError::NotUtf8(path.to_path_buf()))?;
        match kind_of_named(name) {
            Some(kind) => collector.named(&place, name, kind)?,
            None => drop(collector.programs.insert(place.prefix.clone() + name, cwd.join(path))),
        }
    }
    if collector.files.is_empty() && collector.programs.is_empty() {
        return Err(PathError::Nothing { paths: paths.to_vec(), excludes: !collector.globs.is_empty() });
    }
    Ok(Collected {
        root,
        files: collector.files.into_values().collect(),
        bare_vendors: collector.bare_vendors.into_iter().collect(),
        programs: collector.programs.into_iter().collect(),
        notes: collector.notes,
    })
}

/// A PATH, the folder that it is or lies in, and its name there if it is a file.
pub(super) type Named<'a> = (&'a Path, Place, Option<&'a OsStr>);

/// The folder that paths in the report are relative to, and where each PATH leads.
pub(super) fn places<'a>(
    cwd: &Path,
    paths: &'a [PathBuf],
    exclude: &[String],
) -> Result<(PathBuf, Vec<Named<'a>>), PathError> {
    let mut root = PathBuf::from(".");
    let mut places = Vec::new();
    for path in paths {
        let metadata = fs::metadata(cwd.join(path)).map_err(|error| PathError::Io { path: path.clone(), error })?;
        let folder = if metadata.is_dir() { path.clone() } else { parent(path) };
        let prefix = if paths.len() == 1 {
            root.clone_from(&folder);
            String::new()
        } else {
            below(cwd, &folder).ok_or_else(|| PathError::NotBelow(path.clone()))?
        };
        let name = match metadata.is_dir() {
            true => None,
            false => Some(path.file_name().ok_or_else(|| PathError::NoName(path.clone()))?),
        };
        places.push((path.as_path(), Place::new(cwd, &folder, prefix, exclude)?, name));
    }
    Ok((root, places))
}

/// The folder that a PATH is, or lies in.
pub fn folder(path: &Path) -> PathBuf {
    if path.is_dir() { path.to_owned() } else { parent(path) }
}

/// The folder of a file, `.` if its path has none.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// `folder` relative to `cwd`, with `/` and a final `/` (empty: it is `cwd`), if it lies below. Without looking at
/// the disk: `a/../b` is `b`.
fn below(cwd: &Path, folder: &Path) -> Option<String> {
    let mut names: Vec<Component<'_>> = Vec::new();
    let absolute = cwd.join(folder);
    for component in absolute.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                names.pop();
            }
            other => names.push(other),
        }
    }
    let plain: PathBuf = names.into_iter().collect();
    slashed(plain.strip_prefix(cwd).ok()?).map(|text| if text.is_empty() { text } else { text + "/" })
}

/// A relative path with `/`; none: not UTF-8.
pub(super) fn slashed(path: &Path) -> Option<String> {
    let names: Option<Vec<&str>> = path
        .components()
        .filter(|component| *component != Component::CurDir)
        .map(|component| component.as_os_str().to_str())
        .collect();
    names.map(|names| names.join("/"))
}

/// By its exact name, as cmd/go looks for it.
fn kind_of(name: &str) -> Option<FileKind> {
    match name {
        "go.sum" => Some(FileKind::GoSum),
        "go.work.sum" => Some(FileKind::GoWorkSum),
        "go.mod" => Some(FileKind::GoMod),
        "go.work" => Some(FileKind::GoWork),
        _ => None,
    }
}

/// By the end of the name, for files that the user names: `go build -modfile=tools.mod` goes with `tools.sum`, and
/// `GOWORK=ci.work` with `ci.work.sum`.
fn kind_of_named(name: &str) -> Option<FileKind> {
    [
        (".work.sum", FileKind::GoWorkSum),
        (".sum", FileKind::GoSum),
        (".mod", FileKind::GoMod),
        (".work", FileKind::GoWork),
    ]
    .into_iter()
    .find(|(end, _)| name.len() > end.len() && name.ends_with(end))
    .map(|(_, kind)| kind)
}

fn limit(kind: FileKind) -> u64 {
    match kind {
        FileKind::GoSum | FileKind::GoWorkSum => MAX_SUM,
        FileKind::GoMod | FileKind::GoWork | FileKind::VendorModules => MAX_MOD,
    }
}

/// A folder that is judged.
pub(super) struct Place {
    /// As the user wrote it, for messages.
    shown: PathBuf,
    /// Every link resolved: nothing outside of it is read.
    pub(super) real: PathBuf,
    /// What stands before the paths of its files in the report: empty, or with a final `/`.
    pub(super) prefix: String,
    pub(super) excluded: Gitignore,
}

impl Place {
    pub(super) fn new(cwd: &Path, folder: &Path, prefix: String, exclude: &[String]) -> Result<Self, PathError> {
        let real =
            fs::canonicalize(cwd.join(folder)).map_err(|error| PathError::Io { path: folder.to_path_buf(), error })?;
        let mut builder = GitignoreBuilder::new(&real);
        for glob in exclude {
            builder
                .add_line(None, glob)
                .map_err(|error| PathError::Exclude { glob: glob.clone(), message: error.to_string() })?;
        }
        let excluded = builder
            .build()
            .map_err(|error| PathError::Exclude { glob: exclude.join(" "), message: error.to_string() })?;
        Ok(Self { shown: folder.to_path_buf(), real, prefix, excluded })
    }

    /// `relative` as the user would write it.
    pub(super) fn show(&self, relative: &Path) -> PathBuf {
        if self.shown == Path::new(".") { relative.to_path_buf() } else { self.shown.join(relative) }
    }

    /// Where `relative` leads, which must not be out of the place.
    pub(super) fn resolve(&self, relative: &Path) -> Result<PathBuf, PathError> {
        let real = fs::canonicalize(self.real.join(relative))
            .map_err(|error| PathError::Io { path: self.show(relative), error })?;
        if !real.starts_with(&self.real) {
            return Err(PathError::Outside { path: self.show(relative), root: self.shown.clone() });
        }
        Ok(real)
    }

    fn excludes(&self, relative: &Path, folder: bool) -> bool {
        self.excluded.matched_path_or_any_parents(self.real.join(relative), folder).is_ignore()
    }
}

struct Collector<'a> {
    uses: Uses<'a>,
    globs: &'a [String],
    /// By path in the report, which is how two PATHs that overlap give every file once.
    files: BTreeMap<String, SourceFile>,
    programs: BTreeMap<String, PathBuf>,
    bare_vendors: BTreeSet<String>,
    notes: Vec<String>,
}

impl Collector<'_> {
    fn folder(&mut self, place: &Place) -> Result<(), PathError> {
        let excluded = place.excluded.clone();
        let walk = WalkBuilder::new(&place.real)
            .standard_filters(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                entry.depth() == 0
                    || !(folder && left_out(entry.file_name().as_encoded_bytes())
                        || excluded.matched(entry.path(), folder).is_ignore())
            })
            .build();
        for entry in walk {
            let entry = entry.map_err(|error| walk_error(place, error))?;
            if entry.path_is_symlink() {
                self.note_link(place, entry.path());
            }
            let Some(kind) = entry.file_name().to_str().and_then(kind_of) else {
                continue;
            };
            if entry.file_type().is_some_and(|kind| kind.is_dir()) {
                continue;
            }
            let relative = entry.path().strip_prefix(&place.real).unwrap_or(entry.path());
            self.add(place, relative, kind)?;
        }
        Ok(())
    }

    /// A link to a folder is not followed, but a build in it would work: where there is a module in it that is not
    /// verified under its own name, that is said.
    fn note_link(&mut self, place: &Place, link: &Path) {
        let Ok(target) = fs::canonicalize(link) else { return };
        if !["go.mod", "go.sum"].iter().any(|name| target.join(name).is_file()) {
            return;
        }
        let met = target.strip_prefix(&place.real).is_ok_and(|inside| {
            place.excludes(inside, true) || !inside.iter().any(|part| left_out(part.as_encoded_bytes()))
        });
        if !met {
            let shown = place.show(link.strip_prefix(&place.real).unwrap_or(link));
            self.notes.push(format!(
                "{}: a symbolic link to a folder with a module that is left out: not verified; name the folder to verify it",
                shown.display()
            ));
        }
    }

    /// A file that the user named, and those that belong to it.
    fn named(&mut self, place: &Place, name: &str, kind: FileKind) -> Result<(), PathError> {
        self.add(place, Path::new(name), kind)?;
        let (beside, kind) = match kind {
            FileKind::GoMod => (name[..name.len() - "mod".len()].to_owned() + "sum", FileKind::GoSum),
            FileKind::GoWork => (name.to_owned() + ".sum", FileKind::GoWorkSum),
            FileKind::GoSum | FileKind::GoWorkSum | FileKind::VendorModules => return Ok(()),
        };
        self.add_if_there(place, Path::new(&beside), kind)
    }

    fn add_if_there(&mut self, place: &Place, relative: &Path, kind: FileKind) -> Result<(), PathError> {
        match fs::symlink_metadata(place.real.join(relative)) {
            Ok(_) => self.add(place, relative, kind),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(PathError::Io { path: place.show(relative), error }),
        }
    }

    /// `relative` is below the place's real folder and holds no `..`.
    fn add(&mut self, place: &Place, relative: &Path, kind: FileKind) -> Result<(), PathError> {
        let path = slashed(relative).ok_or_else(|| PathError::NotUtf8(place.show(relative)))?;
        let path = place.prefix.clone() + &path;
        if self.files.contains_key(&path) {
            return Ok(());
        }
        let real = place.resolve(relative)?;
        let content = read_regular(&real, limit(kind)).map_err(|error| error.shown_as(place.show(relative)))?;
        let uses = match kind {
            FileKind::GoWork => self.read_uses(place, relative, &content),
            _ => Vec::new(),
        };
        self.files.insert(path.clone(), SourceFile { path, kind, content });
        if matches!(kind, FileKind::GoMod | FileKind::GoWork) {
            let vendor = relative.with_file_name("vendor");
            let list = vendor.join("modules.txt");
            let there = |path: &Path| fs::symlink_metadata(place.real.join(path));
            if there(&list).is_err() && there(&vendor).is_ok_and(|vendor| !vendor.is_file()) {
                let path = slashed(&vendor).ok_or_else(|| PathError::NotUtf8(place.show(&vendor)))?;
                self.bare_vendors.insert(place.prefix.clone() + &path);
            }
            self.add_if_there(place, &list, FileKind::VendorModules)?;
        }
        for module in uses {
            for (name, kind) in [("go.mod", FileKind::GoMod), ("go.sum", FileKind::GoSum)] {
                self.add_if_there(place, &module.join(name), kind)?;
            }
        }
        Ok(())
    }

    /// The used modules' folders below the place, relative to it. What cannot be followed is noted; a go.work that
    /// does not parse is the core's to judge.
    fn read_uses(&mut self, place: &Place, relative: &Path, content: &[u8]) -> Vec<PathBuf> {
        let work = place.show(relative);
        let uses = match (self.uses)(content) {
            Ok(uses) => uses,
            Err(message) => {
                self.notes.push(format!("{}: {message}; the modules that it uses are not known", work.display()));
                return Vec::new();
            }
        };
        let mut folders = Vec::new();
        for used in uses {
            let from = place.real.join(relative.parent().unwrap_or(Path::new("")));
            let found = fs::canonicalize(from.join(&used));
            match found.as_ref().map(|real| real.strip_prefix(&place.real)) {
                Ok(Ok(folder)) if place.excludes(folder, true) => {}
                Ok(Ok(folder)) => folders.push(folder.to_path_buf()),
                Ok(Err(_)) => self.notes.push(format!(
                    "{}: uses {used}, which is outside of {}: not verified; run from a folder that holds both",
                    work.display(),
                    place.shown.display()
                )),
                Err(error) => {
                    self.notes.push(format!("{}: uses {used}, which cannot be read: {error}", work.display()))
                }
            }
        }
        folders
    }
}

/// Folders that cmd/go's `./...` leaves out (`go help packages`), and vendor.
fn left_out(name: &[u8]) -> bool {
    matches!(name, b"vendor" | b"testdata") || matches!(name.first(), Some(b'_' | b'.'))
}

pub(super) fn walk_error(place: &Place, error: ignore::Error) -> PathError {
    let path = path_of(&error)
        .and_then(|path| path.strip_prefix(&place.real).ok())
        .map_or_else(|| place.shown.clone(), |relative| place.show(relative));
    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("cannot be walked"));
    PathError::Io { path, error }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        _ => None,
    }
}

impl PathError {
    pub(super) fn shown_as(self, shown: PathBuf) -> Self {
        match self {
            Self::Io { error, .. } => Self::Io { path: shown, error },
            Self::NotRegular(_) => Self::NotRegular(shown),
            Self::Changed(_) => Self::Changed(shown),
            Self::TooLarge { limit, .. } => Self::TooLarge { path: shown, limit },
            other => other,
        }
    }
}

/// A file's name as it may stand in a report: as the user wrote it, but of an absolute path the last part alone, since a report
/// says nothing of the machine that made it.
pub(super) fn told(file: &Path) -> String {
    let name = file.file_name().filter(|_| file.is_absolute() || file.has_root());
    name.map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}

/// Reads a regular file of at most `limit` bytes through one descriptor, and makes sure that it did not change
/// meanwhile. Never blocks on a fifo.
///
/// # Errors
///
/// [`PathError::Io`], [`PathError::NotRegular`], [`PathError::TooLarge`] or [`PathError::Changed`].
pub(crate) fn read_regular(path: &Path, limit: u64) -> Result<Vec<u8>, PathError> {
    let path = path.to_path_buf();
    Regular::open(&path).and_then(|file| file.read(limit)).map_err(|error| match error {
        FileError::Io(error) => PathError::Io { path, error },
        FileError::NotRegular => PathError::NotRegular(path),
        FileError::TooLarge { limit } => PathError::TooLarge { path, limit },
        FileError::Changed => PathError::Changed(path),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `use` directives, one a line: enough for these tests. The real reader is the core's.
    fn uses(content: &[u8]) -> Result<Vec<String>, String> {
        let text = std::str::from_utf8(content).map_err(|_| "not UTF-8".to_owned())?;
        Ok(text.lines().filter_map(|line| line.strip_prefix("use ")).map(str::to_owned).collect())
    }

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let tree = Self(tempfile::tempdir().unwrap());
            for file in files {
                tree.write(file, file);
            }
            tree
        }

        fn at(&self, path: &str) -> PathBuf {
            self.0.path().join(path)
        }

        fn write(&self, path: &str, content: &str) {
            let path = self.at(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }

        fn collect(&self, cwd: &str, paths: &[&str], exclude: &[&str]) -> Result<Collected, PathError> {
            let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
            let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            let cwd = fs::canonicalize(self.at(cwd)).unwrap();
            collect_from(&cwd, &paths, &owned(exclude), &uses)
        }

        fn names(&self, cwd: &str, paths: &[&str], exclude: &[&str]) -> Vec<String> {
            let collected = self.collect(cwd, paths, exclude).unwrap();
            collected.files.into_iter().map(|file| file.path).collect()
        }

        fn error(&self, cwd: &str, paths: &[&str]) -> String {
            self.collect(cwd, paths, &[]).unwrap_err().to_string()
        }
    }

    const NESTED: &[&str] = &[
        "go.mod",
        "go.sum",
        "a/go.mod",
        "a/go.sum",
        "a/b/go.sum",
        "a/vendor/x/go.sum",
        "testdata/go.sum",
        "_old/go.sum",
        ".git/go.sum",
        "b/go.summary",
        "b/tools.sum",
        "z/go.work",
        "z/go.work.sum",
    ];

    #[test]
    fn a_folder_is_all_modules_below() {
        let tree = Tree::new(NESTED);
        let want = ["a/b/go.sum", "a/go.mod", "a/go.sum", "go.mod", "go.sum", "z/go.work", "z/go.work.sum"];
        assert_eq!(tree.names(".", &["."], &[]), want);
        assert_eq!(tree.names("a", &[".."], &[]), want);
        let collected = tree.collect(".", &["a"], &[]).unwrap();
        assert_eq!(collected.root, Path::new("a"));
        let kinds: Vec<_> = collected.files.iter().map(|file| (file.path.as_str(), file.kind)).collect();
        assert_eq!(kinds, [("b/go.sum", FileKind::GoSum), ("go.mod", FileKind::GoMod), ("go.sum", FileKind::GoSum)]);
        assert_eq!(collected.files[1].content, b"a/go.mod");
        assert_eq!(tree.names(".", &["testdata"], &[]), ["go.sum"], "when named");
    }

    #[test]
    fn excludes_are_as_in_gitignore() {
        let tree = Tree::new(NESTED);
        let names = |exclude: &[&str]| tree.names(".", &["."], exclude);
        assert_eq!(names(&["a", "z/"]), ["go.mod", "go.sum"]);
        assert_eq!(names(&["*.sum", "go.work", "/go.mod"]), ["a/go.mod"]);
        assert_eq!(names(&["/a/*", "!/a/b", "z"]), ["a/b/go.sum", "go.mod", "go.sum"]);
        let error = tree.collect(".", &["."], &["[z-a]"]).unwrap_err();
        assert!(matches!(error, PathError::Exclude { .. }), "{error}");
        let error = tree.collect(".", &["."], &["*"]).unwrap_err().to_string();
        assert!(error.contains("--exclude"), "{error}");
    }

    #[test]
    fn vendor_lists_are_read_beside_go_mod_and_go_work() {
        let tree = Tree::new(&[
            "go.mod",
            "vendor/modules.txt",
            "vendor/x/go.mod",
            "a/vendor/modules.txt",
            "w/go.work",
            "w/vendor/modules.txt",
        ]);
        let all = ["go.mod", "vendor/modules.txt", "w/go.work", "w/vendor/modules.txt"];
        assert_eq!(tree.names(".", &["."], &[]), all);
        assert_eq!(tree.names(".", &["go.mod"], &[]), all[..2]);
        let bare = Tree::new(&["go.mod", "vendor/x.go", "a/vendor/y.go", "b/go.mod", "b/vendor"]);
        assert_eq!(bare.collect(".", &["."], &[]).unwrap().bare_vendors, ["vendor"]);
    }

    #[test]
    fn files_by_name() {
        let tree = Tree::new(NESTED);
        assert_eq!(tree.names(".", &["a/go.sum"], &[]), ["go.sum"], "alone");
        assert_eq!(tree.names("a", &["go.mod"], &[]), ["go.mod", "go.sum"]);
        assert_eq!(tree.names(".", &["b/tools.sum"], &[]), ["tools.sum"]);
        assert_eq!(tree.names(".", &["z/go.work"], &[]), ["go.work", "go.work.sum"]);
        assert_eq!(
            tree.names(".", &["z/go.work.sum", "./a/../a/go.mod", "a"], &[]),
            ["a/b/go.sum", "a/go.mod", "a/go.sum", "z/go.work.sum"],
            "several: relative to the current folder, each file once"
        );
        let absolute = fs::canonicalize(tree.at("a/b")).unwrap();
        assert_eq!(tree.names("a", &["go.sum", absolute.to_str().unwrap()], &[]), ["b/go.sum", "go.sum"]);
        let other = tree.collect(".", &["b/go.summary", "z"], &[]).unwrap();
        let named: Vec<_> = other.programs.iter().map(|(name, path)| (name.as_str(), path.is_file())).collect();
        assert_eq!(named, [("b/go.summary", true)], "perhaps a program");
        assert!(tree.error("a", &["go.sum", "../go.sum"]).starts_with("../go.sum: not below the current folder"));
        assert!(tree.error(".", &["absent"]).starts_with("absent: "));
        insta::assert_snapshot!(tree.error(".", &["b"]), @"nothing to verify: no go.sum, go.mod, go.work or go.work.sum in b (vendor, testdata, and names that begin with _ or . are left out)");
    }

    #[test]
    fn a_go_work_brings_its_modules() {
        let tree = Tree::new(&["w/m/go.mod", "w/m/go.sum", "w/testdata/n/go.mod", "out/go.mod"]);
        tree.write("w/go.work", "use ./m\nuse ./testdata/n\nuse ../out\nuse ./gone\n");
        let collected = tree.collect(".", &["w/go.work"], &[]).unwrap();
        let names: Vec<_> = collected.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(names, ["go.work", "m/go.mod", "m/go.sum", "testdata/n/go.mod"]);
        assert_eq!(collected.notes.len(), 2);
        assert_eq!(
            collected.notes[0],
            "w/go.work: uses ../out, which is outside of w: not verified; run from a folder that holds both"
        );
        assert!(collected.notes[1].starts_with("w/go.work: uses ./gone, which cannot be read: "));
        assert_eq!(tree.names(".", &["w"], &["testdata"]), ["go.work", "m/go.mod", "m/go.sum"]);
        assert_eq!(
            tree.names(".", &["."], &[]),
            ["out/go.mod", "w/go.work", "w/m/go.mod", "w/m/go.sum", "w/testdata/n/go.mod"]
        );
        tree.write("w/go.mod", "");
        tree.write("w/go.work", "use .\nuse ./m\nuse m/../m\n");
        assert_eq!(
            tree.names(".", &["w/go.work"], &["z"]),
            ["go.mod", "go.work", "m/go.mod", "m/go.sum"],
            "its own folder, and each module once"
        );
        fs::write(tree.at("w/go.work"), b"\xff").unwrap();
        let collected = tree.collect(".", &["w/go.work"], &[]).unwrap();
        assert_eq!(collected.notes, ["w/go.work: not UTF-8; the modules that it uses are not known"]);
    }

    #[test]
    fn read_is_capped() {
        let tree = Tree::new(&["go.sum"]);
        let path = tree.at("go.sum");
        assert_eq!(read_regular(&path, 6).unwrap(), b"go.sum");
        let error = read_regular(&path, 5).unwrap_err();
        assert!(matches!(error, PathError::TooLarge { limit: 5, .. }), "{error}");
        fs::File::create(tree.at("go.mod")).unwrap().set_len(MAX_MOD + 1).unwrap();
        insta::assert_snapshot!(tree.error(".", &["."]), @"go.mod: larger than 16 MiB");
    }

    #[cfg(unix)]
    mod unix {
        use std::{
            ffi::OsStr,
            os::unix::{ffi::OsStrExt, fs::symlink, net::UnixListener},
        };

        use super::*;

        #[test]
        fn links_stay_inside() {
            let tree = Tree::new(&["in/real/go.sum", "out/go.sum"]);
            symlink(tree.at("out"), tree.at("in/folder")).unwrap();
            symlink("real/go.sum", tree.at("in/go.sum")).unwrap();
            assert_eq!(
                tree.names(".", &["in"], &[]),
                ["go.sum", "real/go.sum"],
                "a link to a folder is not followed, one to a file inside is"
            );
            symlink("../out/go.sum", tree.at("in/go.work.sum")).unwrap();
            assert_eq!(
                tree.error(".", &["in"]),
                "in/go.work.sum: resolves to outside of in; name its target as PATH instead"
            );
            assert!(tree.error("in", &["go.work.sum"]).contains("resolves to outside"));
            assert_eq!(tree.names(".", &["."], &[]).len(), 4, "inside of the larger folder");
            symlink("nowhere", tree.at("in/go.mod")).unwrap();
            assert!(tree.error(".", &["in"]).starts_with("in/go.mod: "));
            symlink(tree.at("in/real"), tree.at("named")).unwrap();
            assert_eq!(tree.names(".", &["named"], &[]), ["go.sum"], "PATH itself may be a link");
        }

        #[test]
        fn only_regular_files() {
            let tree = Tree::new(&["a/x", "b/x", "c/go.sum/x"]);
            rustix::fs::mknodat(
                rustix::fs::CWD,
                tree.at("a/go.sum"),
                rustix::fs::FileType::Fifo,
                rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
                0,
            )
            .unwrap();
            assert_eq!(tree.error(".", &["a"]), "a/go.sum: not a regular file");
            assert_eq!(tree.error(".", &["a/go.sum"]), "a/go.sum: not a regular file");
            let _socket = UnixListener::bind(tree.at("b/go.sum")).unwrap();
            assert!(tree.error(".", &["b"]).starts_with("b/go.sum: "));
            assert!(tree.error(".", &["c"]).starts_with("nothing to verify"), "a folder of that name");
            assert!(matches!(read_regular(Path::new("/dev/null"), 1), Err(PathError::NotRegular(_))));
        }

        // Elsewhere the file system takes UTF-8 names only.
        #[cfg(target_os = "linux")]
        #[test]
        fn names_must_be_utf8() {
            let tree = Tree::new(&["a/go.sum"]);
            let odd = tree.0.path().join(OsStr::from_bytes(b"odd\xff"));
            fs::create_dir(&odd).unwrap();
            assert_eq!(tree.names(".", &["."], &[]), ["a/go.sum"], "nothing of Go's in it");
            fs::write(odd.join("go.sum"), "").unwrap();
            assert!(tree.error(".", &["."]).ends_with("the name is not valid UTF-8"));
        }

        #[test]
        fn a_file_that_changes_is_refused() {
            // A file of /proc says that it is empty and is not: what is read is not what was looked at.
            if let Err(error) = read_regular(Path::new("/proc/self/status"), MAX_MOD) {
                assert!(matches!(error, PathError::Changed(_) | PathError::Io { .. }), "{error}");
            } else {
                panic!("must be refused");
            }
        }
    }
    #[cfg(unix)]
    #[test]
    fn a_module_behind_a_link_that_is_left_out_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for module in ["root/a", "root/testdata/b", "root/_c", "outside"] {
            fs::create_dir_all(dir.path().join(module)).unwrap();
            fs::write(dir.path().join(module).join("go.sum"), "").unwrap();
        }
        fs::create_dir(root.join("empty")).unwrap();
        for (target, link) in
            [("a", "to_a"), ("testdata/b", "to_b"), ("_c", "to_c"), ("../outside", "to_outside"), ("empty", "to_empty")]
        {
            std::os::unix::fs::symlink(target, root.join(link)).unwrap();
        }
        let collected = collect(std::slice::from_ref(&root), &["_c".to_owned()], &|_| Ok(Vec::new())).unwrap();
        assert_eq!(collected.files.len(), 1);
        let mut notes: Vec<&str> = collected.notes.iter().filter_map(|note| note.split(": ").next()).collect();
        notes.sort_unstable();
        assert_eq!(notes, ["to_b", "to_outside"].map(|link| root.join(link).display().to_string()));
        assert!(collected.notes[0].contains("not verified; name the folder to verify it"), "{:?}", collected.notes);
    }
}
