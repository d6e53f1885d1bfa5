//! The folder in which a CI service checks repositories out, and what in it is whose.
//!
//! # Security
//!
//! Everything below it is written by the change under judgement: files, folders, symbolic links, submodules. So nothing
//! there says what belongs to which repository but what stands above: the tree of a path is that of the **outermost**
//! folder with a `.git`, from the workspace downwards. A submodule, or a `.git` that a build has left, makes no tree of
//! its own. And a path that is spelled inside of the workspace must lead to a place inside of it: a link of the checkout
//! names no file elsewhere, neither to judge, nor to read as a configuration, nor to write to.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::paths::slashed;

/// The workspace, and what else is judged.
#[derive(Debug, Clone)]
pub struct Workspace {
    /// Links resolved.
    root: PathBuf,
    /// What is judged outside of it: each PATH's folder and the tree that it lies in, links resolved.
    judged: Vec<PathBuf>,
}

/// Whose a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whose {
    /// The user's: it lies outside of all that is judged.
    Users,
    /// The repository's, at this path from its root.
    Repository(String),
    /// Of what is judged, and of which repository is not known.
    Unclear,
}

/// A path that is spelled inside of the workspace and leads out of it. Exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{} lies in the workspace and leads out of it; name where it leads instead", .0.display())]
pub struct LeadsOut(pub PathBuf);

/// The nearest folder with a `.git` that `folder` is or lies in, links resolved. Git itself is not asked, and nothing in
/// `.git` is read.
pub fn nearest_tree(folder: &Path) -> Option<PathBuf> {
    let real = fs::canonicalize(folder).ok()?;
    real.ancestors().find(|ancestor| has_git(ancestor)).map(Path::to_owned)
}

fn has_git(folder: &Path) -> bool {
    folder.join(".git").symlink_metadata().is_ok()
}

impl Workspace {
    /// `root` is the folder of the CI service, `judged` the folders of all PATHs.
    ///
    /// # Errors
    /// The folder of the CI service cannot be looked at.
    pub fn new<'a>(root: &Path, judged: impl IntoIterator<Item = &'a Path>) -> io::Result<Self> {
        let root = fs::canonicalize(root)?;
        let judged = judged
            .into_iter()
            .flat_map(|folder| [fs::canonicalize(folder).ok(), nearest_tree(folder)])
            .flatten()
            .collect();
        Ok(Self { root, judged })
    }

    /// The root of the repository that a folder or file lies in: the outermost in the workspace, outside of it the nearest.
    pub fn tree(&self, path: &Path) -> Option<PathBuf> {
        match self.spellings(path).into_iter().find(|path| path.starts_with(&self.root)) {
            Some(inside) => self.outermost(&inside),
            None => nearest_tree(path),
        }
    }

    /// From the workspace down to the path.
    fn outermost(&self, inside: &Path) -> Option<PathBuf> {
        let mut below: Vec<&Path> =
            inside.ancestors().take_while(|ancestor| ancestor.starts_with(&self.root)).collect();
        below.reverse();
        below.into_iter().find(|folder| has_git(folder)).map(Path::to_owned)
    }

    /// Whose a file is. It need not exist: what the change under judgement has removed, its base may have.
    pub fn whose(&self, file: &Path) -> Whose {
        let spellings = self.spellings(file);
        if let Some(inside) = spellings.iter().find(|path| path.starts_with(&self.root)) {
            let tree = self.outermost(inside.parent().unwrap_or(inside));
            let path = tree.and_then(|tree| slashed(inside.strip_prefix(tree).ok()?));
            return path.map_or(Whose::Unclear, Whose::Repository);
        }
        match spellings.iter().any(|path| self.judged.iter().any(|folder| path.starts_with(folder))) {
            true => Whose::Unclear,
            false => Whose::Users,
        }
    }

    /// Refuses a path that is spelled inside of the workspace, and of which what exists leads out of it.
    ///
    /// # Errors
    /// [`LeadsOut`].
    pub fn admit(&self, path: &Path) -> Result<(), LeadsOut> {
        let Some(spelled) = spelled(path) else { return Ok(()) };
        // The workspace itself may lie behind a link: compare as it is spelled where both are.
        let inside = spelled.ancestors().any(|ancestor| fs::canonicalize(ancestor).is_ok_and(|real| real == self.root));
        let existing = spelled.ancestors().find_map(|ancestor| fs::canonicalize(ancestor).ok());
        match inside && !existing.is_some_and(|real| real.starts_with(&self.root)) {
            true => Err(LeadsOut(path.to_owned())),
            false => Ok(()),
        }
    }

    /// The ways in which a path can be written: as it is, with the links of its folder resolved as far as that exists,
    /// and where it leads.
    fn spellings(&self, path: &Path) -> Vec<PathBuf> {
        let Some(spelled) = spelled(path) else { return Vec::new() };
        let resolved = spelled.ancestors().skip(1).find_map(|ancestor| {
            let real = fs::canonicalize(ancestor).ok()?;
            Some(real.join(spelled.strip_prefix(ancestor).ok()?))
        });
        // As the workspace spells it, if it is spelled below the workspace.
        let below = spelled.ancestors().find_map(|ancestor| {
            let real = fs::canonicalize(ancestor).ok()?;
            (real == self.root).then(|| self.root.join(spelled.strip_prefix(ancestor).unwrap_or(Path::new(""))))
        });
        let target = fs::canonicalize(&spelled).ok();
        below.into_iter().chain([spelled]).chain(resolved).chain(target).collect()
    }
}

/// Absolute, without `.` and `..`, and without looking at the disk: `a/../b` is `b`.
fn spelled(path: &Path) -> Option<PathBuf> {
    let mut spelled = PathBuf::new();
    for component in std::path::absolute(path).ok()?.components() {
        match component {
            Component::ParentDir => drop(spelled.pop()),
            Component::CurDir => {}
            other => spelled.push(other),
        }
    }
    Some(spelled)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A workspace `ws` with a repository in it, a link `link` to it, and a folder `out` that is none of it.
    fn here(git: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(dir.path()).unwrap();
        for folder in ["ws/ci", "ws/sub", "out/ci"] {
            fs::create_dir_all(base.join(folder)).unwrap();
        }
        fs::create_dir_all(base.join("ws").join(git).join(".git")).unwrap();
        for file in ["ws/ci/m.toml", "out/m.toml"] {
            fs::write(base.join(file), "").unwrap();
        }
        symlink(base.join("ws"), base.join("link")).unwrap();
        (dir, base.join("ws"), base.join("out"))
    }

    fn workspace(ws: &Path, judged: &[&Path]) -> Workspace {
        Workspace::new(ws, judged.iter().copied()).unwrap()
    }

    #[test]
    fn a_file_of_the_workspace_is_the_repositorys_however_it_is_spelled() {
        let (_dir, ws, out) = here("");
        let w = workspace(&ws, &[&ws]);
        let repository = Whose::Repository("ci/m.toml".to_owned());
        symlink(ws.join("ci/m.toml"), out.join("to.toml")).unwrap();
        let link = ws.with_file_name("link");
        for file in [
            ws.join("ci/m.toml"),
            ws.join("sub/../ci/m.toml"),
            ws.join("gone/../ci/m.toml"),
            link.join("ci/m.toml"),
            out.join("to.toml"),
        ] {
            assert_eq!(w.whose(&file), repository, "{}", file.display());
        }
        assert_eq!(w.whose(&ws.join("ci/gone.toml")), Whose::Repository("ci/gone.toml".to_owned()), "removed");
        assert_eq!(w.whose(&out.join("m.toml")), Whose::Users);
    }

    /// What a pull request can do to have its own file believed.
    #[test]
    fn links_and_submodules_do_not_change_whose_it_is() {
        let (_dir, ws, out) = here("");
        // The folder of the configuration becomes a link out of the checkout.
        fs::remove_dir_all(ws.join("ci")).unwrap();
        symlink(&out, ws.join("ci")).unwrap();
        let w = workspace(&ws, &[&ws]);
        assert_eq!(w.whose(&ws.join("ci/m.toml")), Whose::Repository("ci/m.toml".to_owned()));
        // A submodule, or what a build has left.
        fs::write(ws.join("sub/.git"), "gitdir: elsewhere").unwrap();
        fs::write(ws.join("sub/m.toml"), "").unwrap();
        let w = workspace(&ws, &[&ws.join("sub")]);
        assert_eq!(w.whose(&ws.join("sub/m.toml")), Whose::Repository("sub/m.toml".to_owned()));
        assert_eq!(w.tree(&ws.join("sub")), Some(ws.clone()));
    }

    #[test]
    fn a_checkout_below_the_workspace_is_found() {
        let (_dir, ws, out) = here("app");
        fs::create_dir_all(ws.join("app/ci")).unwrap();
        let w = workspace(&ws, &[&ws]);
        assert_eq!(w.whose(&ws.join("app/ci/m.toml")), Whose::Repository("ci/m.toml".to_owned()));
        assert_eq!(w.tree(&ws.join("app/ci")), Some(ws.join("app")));
        // In the workspace and in no repository: nobody has accepted it.
        assert_eq!(w.whose(&ws.join("ci/m.toml")), Whose::Unclear);
        // Judged outside of the workspace.
        fs::create_dir_all(out.join(".git")).unwrap();
        let w = workspace(&ws, &[&out.join("ci")]);
        assert_eq!(w.whose(&out.join("m.toml")), Whose::Unclear);
        assert_eq!(w.tree(&out.join("ci")), Some(out.clone()));
    }

    #[test]
    fn what_leads_out_is_refused() {
        let (_dir, ws, out) = here("");
        symlink(&out, ws.join("linked")).unwrap();
        symlink(out.join("m.toml"), ws.join("linked.toml")).unwrap();
        symlink(ws.join("sub"), ws.join("inner")).unwrap();
        let w = workspace(&ws, &[&ws]);
        let link = ws.with_file_name("link");
        for path in ["linked", "linked/new.sarif", "linked.toml"] {
            assert!(w.admit(&ws.join(path)).is_err(), "{path}");
            assert!(w.admit(&link.join(path)).is_err(), "{path}");
        }
        for path in ["", "sub", "inner", "new.sarif", "new/folder/x", "ci/m.toml"] {
            assert!(w.admit(&ws.join(path)).is_ok(), "{path}");
            assert!(w.admit(&link.join(path)).is_ok(), "{path}");
        }
        assert!(w.admit(&out.join("m.toml")).is_ok(), "spelled outside");
    }
}
