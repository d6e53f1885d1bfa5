//! `@v/list` and `@latest` of the GOPROXY protocol: made, never signed, never targets.
//!
//! They tell a go command which versions there are; what they leave out or make up is no more than that, because every
//! file of a version is a target of its own. They are made of what the store had, with the changes.

use std::collections::{BTreeMap, BTreeSet};

use modanchor_core::module::{ModulePath, ModuleVersion, Version, compare};
use serde_json::json;

use super::changes::{Change, File, Kind, path_of};
use super::store::{Content, Item, Store, StoreError};

/// The most bytes of a list: a hundred thousand versions.
pub const MAX_LIST: u64 = 4 << 20;
/// The most bytes of an `.info`.
pub const MAX_INFO: u64 = 64 << 10;

/// The names of a module's list and of its newest version.
fn names(path: &ModulePath) -> (String, String) {
    let escaped = path.escaped();
    (format!("{escaped}/@v/list"), format!("{escaped}/@latest"))
}

/// The lists that changes make otherwise.
///
/// # Errors
/// [`StoreError`].
pub fn of(store: &dyn Store, changes: &[Change]) -> Result<Vec<Item>, StoreError> {
    let mut modules: BTreeMap<String, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        if let Some(module) = change.module() {
            modules.entry(module.path().to_owned()).or_default().push(change);
        }
    }
    let modules: Vec<(ModulePath, Vec<&Change>)> =
        modules.into_iter().filter_map(|(path, changes)| Some((ModulePath::check(&path).ok()?, changes))).collect();
    let lists: Vec<String> = modules.iter().map(|(path, _)| names(path).0).collect();
    let old = store.read_all(&lists, MAX_LIST)?;
    let mut items = Vec::new();
    for ((path, changes), old) in modules.iter().zip(old) {
        let old = String::from_utf8(old.unwrap_or_default()).unwrap_or_default();
        let mut versions: BTreeSet<String> = old.lines().map(str::to_owned).collect();
        let mut pseudo: Option<String> = None;
        for change in changes {
            let Some(module) = change.module() else { continue };
            let version = module.version().to_owned();
            let is_pseudo = Version::check(&version).is_ok_and(|version| version.is_pseudo());
            match change {
                // What is approved and lies elsewhere is not offered here.
                Change::Add { files, upload: true, .. } if has_zip(files) && is_pseudo => {
                    pseudo = pseudo.filter(|other| compare(other, &version).is_gt()).or(Some(version));
                }
                Change::Add { files, upload: true, .. } if has_zip(files) => _ = versions.insert(version),
                Change::Remove { .. } | Change::Revoke { reason: Some(_), .. } => {
                    versions.remove(&version);
                }
                Change::Revoke { reason: None, .. } if !is_pseudo => _ = versions.insert(version),
                _ => {}
            }
        }
        let mut sorted: Vec<&String> = versions.iter().collect();
        sorted.sort_by(|a, b| compare(a, b).then_with(|| a.cmp(b)));
        let text: String = sorted.iter().flat_map(|version| [version.as_str(), "\n"]).collect();
        let (list, latest) = names(path);
        items.push(Item { name: list, content: Content::Bytes(text.into_bytes()) });
        // The newest release, else the newest before a release, else the newest commit: as `go list -m -versions` has it.
        let release = |version: &&&String| !version.contains('-');
        let newest = sorted.iter().rfind(release).or(sorted.last()).map(|version| (**version).clone()).or(pseudo);
        if let Some(newest) = newest {
            let info = info(store, path, &newest)?;
            items.push(Item { name: latest, content: Content::Bytes(info) });
        }
    }
    Ok(items)
}

fn has_zip(files: &[File]) -> bool {
    files.iter().any(|file| file.kind == Kind::Zip)
}

/// The `.info` of a version; without one, its version alone.
fn info(store: &dyn Store, path: &ModulePath, version: &str) -> Result<Vec<u8>, StoreError> {
    let there = match ModuleVersion::check(path.as_str(), version) {
        Ok(module) => store.read(&path_of(&module, Kind::Info), MAX_INFO)?,
        Err(_) => None,
    };
    Ok(there.map_or_else(|| json!({ "Version": version }).to_string().into_bytes(), |(bytes, _)| bytes))
}
