//! Where the files that are judged lie in their repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use modanchor_core::report::Places;

use super::paths::slashed;

/// The places of `files`, paths in the report of what was judged in `root`, in the working tree `tree`, whose links are
/// resolved. Outside of any working tree they are as in the report.
pub fn of<'a>(tree: Option<&Path>, root: &Path, files: impl IntoIterator<Item = &'a str>) -> Places {
    let (Some(tree), Ok(real)) = (tree, fs::canonicalize(root)) else {
        return Places::default();
    };
    // A path that is not UTF-8 cannot be shown: it is left as it is in the report.
    let place = |path: &Path| path.strip_prefix(tree).ok().and_then(slashed);
    let Some(prefix) = place(&real) else {
        return Places::default();
    };
    let mut links = BTreeMap::new();
    for file in files {
        let plain = real.join(file);
        let Ok(target) = fs::canonicalize(&plain) else { continue };
        if target != plain
            && let Some(target) = place(&target)
        {
            links.insert(file.to_owned(), target);
        }
    }
    Places::new(&prefix, links)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::workspace::nearest_tree;

    #[test]
    fn paths_are_from_the_root_of_the_working_tree() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("services/api")).unwrap();
        fs::write(tree.join("services/api/go.sum"), "").unwrap();
        let of = |root: &Path, file| of(nearest_tree(root).as_deref(), root, [file]);
        assert_eq!(of(&tree.join("services"), "api/go.sum"), Places::default(), "no repository");
        // As in a worktree, where it is a file.
        fs::write(tree.join(".git"), "gitdir: elsewhere").unwrap();
        let places = of(&tree.join("services"), "api/go.sum");
        assert_eq!(places.locate("api/go.sum"), "services/api/go.sum");
        assert_eq!(of(&tree, "services/api/go.sum").locate("services/api/go.sum"), "services/api/go.sum");
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_where_the_file_is() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join(".git")).unwrap();
        fs::create_dir_all(tree.join("a")).unwrap();
        fs::write(tree.join("shared.sum"), "").unwrap();
        std::os::unix::fs::symlink("../shared.sum", tree.join("a/go.sum")).unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&tree, &link).unwrap();
        for root in [&tree, &link] {
            let places = of(nearest_tree(root).as_deref(), &root.join("a"), ["go.sum", "absent"]);
            assert_eq!(places.locate("go.sum"), "shared.sum");
            assert_eq!(places.locate("absent"), "a/absent");
        }
    }
}
