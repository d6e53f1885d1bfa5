//! Which files `lint` reads: from PATHs to files that may hold settings.
//!
//! # Security
//!
//! As for [`super::paths`]: nothing that resolves to outside of PATH is read, and every file is read through one
//! descriptor. Which file is read in which syntax is the core's to say. Nothing is left out in silence: what is not
//! read although its name says that it could hold settings is noted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};
use modanchor_core::lint::{self, Detected, MAX_FILE, MAX_FIRST_LINE, SettingsFile, Syntax};

use super::paths::{PathError, Place, places, read_regular, slashed, walk_error};
use crate::files::Regular;

/// The most files that are read in one run.
pub const MAX_FILES: usize = 20_000;

/// The most bytes that they have together: all of them are in memory at once.
pub const MAX_TOTAL: usize = 256 << 20;

/// Folders that hold what others wrote, or nothing that is run.
const LEFT_OUT: [&str; 4] = [".git", "node_modules", "testdata", "vendor"];

/// What there is to read.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// The folder that the files' paths are relative to.
    pub root: PathBuf,
    /// By path.
    pub files: Vec<SettingsFile>,
    /// What to tell the user on stderr: one line each.
    pub notes: Vec<String>,
}

/// Why the files cannot be read. Wrong usage: exit status 2.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// As for `verify`.
    #[error(transparent)]
    Path(#[from] PathError),
    /// Over [`MAX_FILES`] or [`MAX_TOTAL`].
    #[error(
        "more than {MAX_FILES} files that may hold settings, or {} MiB of them; name fewer folders, or use --exclude",
        MAX_TOTAL >> 20
    )]
    TooMany,
}

/// Collects the files of all `paths`, leaving out what is below a folder and matches one of `exclude`.
///
/// A file that is named is read as a script if nothing says otherwise.
///
/// # Errors
///
/// See [`CollectError`].
pub fn collect(paths: &[PathBuf], exclude: &[String]) -> Result<Collected, CollectError> {
    let cwd = std::env::current_dir().map_err(|error| PathError::Io { path: PathBuf::from("."), error })?;
    collect_from(&cwd, paths, exclude, (MAX_FILES, MAX_TOTAL))
}

fn collect_from(
    cwd: &Path,
    paths: &[PathBuf],
    exclude: &[String],
    limits: (usize, usize),
) -> Result<Collected, CollectError> {
    let mut collector =
        Collector { files: BTreeMap::new(), reals: BTreeSet::new(), total: 0, notes: Vec::new(), limits };
    let (root, places) = places(cwd, paths, exclude)?;
    for (_, place, name) in places {
        match name {
            None => collector.folder(&place)?,
            Some(name) => collector.named(&place, Path::new(name))?,
        }
    }
    Ok(Collected { root, files: collector.files.into_values().collect(), notes: collector.notes })
}

struct Collector {
    /// By path in the report.
    files: BTreeMap<String, SettingsFile>,
    /// Where they are, links resolved.
    reals: BTreeSet<PathBuf>,
    total: usize,
    notes: Vec<String>,
    /// [`MAX_FILES`] and [`MAX_TOTAL`].
    limits: (usize, usize),
}

impl Collector {
    fn folder(&mut self, place: &Place) -> Result<(), CollectError> {
        let excluded = place.excluded.clone();
        let walk = WalkBuilder::new(&place.real)
            .standard_filters(false)
            .follow_links(false)
            .filter_entry(move |entry| {
                let folder = entry.file_type().is_some_and(|kind| kind.is_dir());
                let left_out = folder && LEFT_OUT.iter().any(|name| entry.file_name() == *name);
                entry.depth() == 0 || !(left_out || excluded.matched(entry.path(), folder).is_ignore())
            })
            .build();
        let entries: Vec<DirEntry> = walk.collect::<Result<_, _>>().map_err(|error| walk_error(place, error))?;
        // Links last: a file that was found under its own name is not judged, and not replaced, a second time.
        let (links, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(DirEntry::path_is_symlink);
        for entry in files.into_iter().chain(links) {
            if entry.file_type().is_none_or(|kind| kind.is_dir()) {
                continue;
            }
            let relative = entry.path().strip_prefix(&place.real).unwrap_or(entry.path());
            // A name that is not UTF-8 can still be that of a Dockerfile: it is told, below.
            let detected = lint::detect(&relative.to_string_lossy().replace('\\', "/"));
            let read = match detected {
                Detected::No => continue,
                Detected::As(syntax) => self.add(place, relative, syntax),
                Detected::ByFirstLine => match first_line(entry.path()) {
                    Some(syntax) => self.add(place, relative, syntax),
                    None => continue,
                },
            };
            match read {
                Ok(()) => {}
                // A file that somebody else put there does not stop the run; it is told.
                Err(CollectError::Path(error)) => self.notes.push(format!("not read: {error}")),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn named(&mut self, place: &Place, relative: &Path) -> Result<(), CollectError> {
        // What surrounds it may say what it is: `.github/workflows/ci.yml`.
        let whole = place.real.join(relative).to_string_lossy().replace('\\', "/");
        let syntax = match lint::detect(whole.trim_start_matches('/')) {
            Detected::As(syntax) => syntax,
            Detected::ByFirstLine | Detected::No => first_line(&place.real.join(relative)).unwrap_or(Syntax::Shell),
        };
        self.add(place, relative, syntax)
    }

    fn add(&mut self, place: &Place, relative: &Path, syntax: Syntax) -> Result<(), CollectError> {
        let path = slashed(relative).ok_or_else(|| PathError::NotUtf8(place.show(relative)))?;
        let path = place.prefix.clone() + &path;
        if self.files.contains_key(&path) {
            return Ok(());
        }
        let real = place.resolve(relative)?;
        if !self.reals.insert(real.clone()) {
            return Ok(());
        }
        let content = read_regular(&real, MAX_FILE).map_err(|error| error.shown_as(place.show(relative)))?;
        self.total += content.len();
        if self.files.len() >= self.limits.0 || self.total > self.limits.1 {
            return Err(CollectError::TooMany);
        }
        self.files.insert(path.clone(), SettingsFile { path, syntax, content });
        Ok(())
    }
}

/// The syntax that a file's first line tells. What cannot be read has none: it is no script that anybody could run.
fn first_line(path: &Path) -> Option<Syntax> {
    let file = fs::symlink_metadata(path).ok().filter(fs::Metadata::is_file)?;
    if file.len() < 2 {
        return None;
    }
    let mut head = Vec::with_capacity(MAX_FIRST_LINE);
    let limit = MAX_FIRST_LINE as u64;
    Regular::open(path).ok()?.into_file().take(limit).read_to_end(&mut head).ok()?;
    lint::by_first_line(&head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(dir: &Path, path: &str, content: impl AsRef<[u8]>) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn collected(dir: &Path, paths: &[&str], exclude: &[&str]) -> Collected {
        let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
        let exclude: Vec<String> = exclude.iter().map(|glob| (*glob).to_owned()).collect();
        collect_from(dir, &paths, &exclude, (MAX_FILES, MAX_TOTAL)).unwrap()
    }

    fn names(collected: &Collected) -> Vec<&str> {
        collected.files.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn hidden_files_are_read_and_others_code_is_not() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            ".github/workflows/ci.yml",
            ".gitlab-ci.yml",
            ".devcontainer/devcontainer.json",
            "Dockerfile",
            "sub/Makefile",
            "main.go",
            "README",
            "vendor/x/Makefile",
            "testdata/a.sh",
            "node_modules/x/a.sh",
            ".git/hooks/a.sh",
            "skip/a.sh",
        ] {
            write(dir.path(), path, "x");
        }
        write(dir.path(), "run", "#!/bin/sh\n");
        write(dir.path(), "tool", "#!/usr/bin/env python3\n");
        let all = collected(dir.path(), &["."], &["skip"]);
        assert_eq!(
            names(&all),
            [
                ".devcontainer/devcontainer.json",
                ".github/workflows/ci.yml",
                ".gitlab-ci.yml",
                "Dockerfile",
                "run",
                "sub/Makefile"
            ]
        );
        assert!(all.notes.is_empty(), "{:?}", all.notes);
        let some = collected(dir.path(), &["README", ".github", "vendor"], &[]);
        assert_eq!(names(&some), [".github/workflows/ci.yml", "README", "vendor/x/Makefile"]);
        let one = collected(dir.path(), &[".github/workflows/ci.yml"], &[]);
        assert_eq!(
            (one.root, names(&collected(dir.path(), &["sub"], &[]))),
            (".github/workflows".into(), vec!["Makefile"])
        );
        assert_eq!(one.files[0].syntax, Syntax::Workflow);
    }

    #[test]
    fn what_is_too_large_is_told() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.sh", vec![b' '; MAX_FILE as usize]);
        write(dir.path(), "b.sh", vec![b' '; MAX_FILE as usize + 1]);
        let all = collected(dir.path(), &["."], &[]);
        assert_eq!(names(&all), ["a.sh"]);
        assert_eq!(all.notes, ["not read: b.sh: larger than 1 MiB"]);
        let named = collect_from(dir.path(), &["b.sh".into()], &[], (MAX_FILES, MAX_TOTAL));
        assert!(matches!(named, Err(CollectError::Path(PathError::TooLarge { .. }))), "{named:?}");
    }

    #[test]
    fn too_many_files_stop_the_run() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.sh", "123");
        write(dir.path(), "b.sh", "4567");
        let with = |limits| collect_from(dir.path(), &[".".into()], &[], limits).map(|all| all.files.len());
        assert!(matches!(with((2, 7)), Ok(2)));
        for limits in [(1, 7), (2, 6)] {
            assert!(matches!(with(limits), Err(CollectError::TooMany)), "{limits:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_out_of_the_folder_are_told_and_not_read() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "secret.sh", "export GOPROXY=https://user:secret@example.org\n");
        write(dir.path(), "checkout/a.sh", "x");
        std::os::unix::fs::symlink("../secret.sh", dir.path().join("checkout/b.sh")).unwrap();
        std::os::unix::fs::symlink("a.sh", dir.path().join("checkout/c.sh")).unwrap();
        std::os::unix::fs::symlink("nowhere", dir.path().join("checkout/d.sh")).unwrap();
        write(dir.path(), "checkout/image.txt", "FROM scratch\n");
        std::os::unix::fs::symlink("image.txt", dir.path().join("checkout/Dockerfile")).unwrap();
        let all = collected(dir.path(), &["checkout"], &[]);
        assert_eq!(names(&all), ["Dockerfile", "a.sh"], "each once, and by the name that says what it is");
        assert_eq!(all.notes.len(), 2, "{:?}", all.notes);
        assert!(all.notes.iter().any(|note| note.contains("b.sh: resolves to outside of checkout")), "{:?}", all.notes);
    }
}
