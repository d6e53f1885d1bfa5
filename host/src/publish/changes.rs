//! What is asked for: changes that are applied to whatever the store holds.
//!
//! A change is idempotent: applied to a store that has it already, it does nothing. So a publication that broke off, or
//! lost a race, is simply done again.

use std::collections::{BTreeMap, BTreeSet};

use modanchor_core::module::ModuleVersion;
use modanchor_core::report::Of;
use modanchor_core::tuf::metadata::{Expires, TargetMeta};
use modanchor_core::tuf::modules::{MAX_REASON, target_path};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::base::{BaseError, Edit};
use super::delegation::{Delegation, DelegationError, check_depth};

/// Why a change cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The store.
    #[error(transparent)]
    Base(#[from] BaseError),
    /// A delegation.
    #[error(transparent)]
    Delegation(#[from] DelegationError),
    /// A version that is approved with another content. A module version never changes.
    #[error(
        "{path}: approved by {role:?} with {approved}, and now {new}: a module version never changes; \
         if that is meant, add it with --replace"
    )]
    Differs {
        /// Which target.
        path: String,
        /// By whom.
        role: String,
        /// What is approved.
        approved: String,
        /// What was to be added.
        new: String,
    },
    /// It is not there.
    #[error("{0}: not approved by anybody here")]
    NoTarget(String),
    /// It is there.
    #[error("{0}: approved already: there is nothing to waive")]
    Approved(String),
    /// A reason that nobody can read.
    #[error("--reason: expected a text of 1 to {MAX_REASON} bytes")]
    Reason,
    /// No role of that name.
    #[error("{0:?}: no such role")]
    NoRole(String),
    /// A time that is over.
    #[error("--until {0}: lies in the past")]
    Past(Expires),
}

/// One of a module's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The zip.
    Zip,
    /// The go.mod.
    Mod,
    /// JSON with the version's time. It has no h1.
    Info,
}

/// The path of a target.
#[must_use]
pub fn path_of(module: &ModuleVersion, kind: Kind) -> String {
    match kind {
        Kind::Zip => target_path(module, Of::Zip),
        Kind::Mod => target_path(module, Of::GoMod),
        Kind::Info => {
            let path = target_path(module, Of::GoMod);
            format!("{}.info", path.strip_suffix(".mod").unwrap_or(&path))
        }
    }
}

/// A file that is to be a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Which.
    pub kind: Kind,
    /// In bytes.
    pub length: u64,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// As in go.sum; none for `.info`.
    pub h1: Option<String>,
}

impl File {
    fn target(&self) -> TargetMeta {
        TargetMeta {
            length: self.length,
            hashes: BTreeMap::from([("sha256".to_owned(), self.sha256.clone())]),
            custom: self.h1.as_ref().map(|h1| json!({ "h1": h1 })),
            extra: Map::new(),
        }
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
pub enum Change {
    /// Approve a module version.
    Add {
        /// Its path.
        path: String,
        /// Its version.
        version: String,
        /// Its files.
        files: Vec<File>,
        /// Where its provenance is.
        provenance: Option<String>,
        /// Whether the files are published too, and wait in the working copy.
        upload: bool,
        /// Whether other content may be replaced.
        replace: bool,
    },
    /// Approve it no longer, and say nothing about it.
    Remove {
        /// Its path.
        path: String,
        /// Its version.
        version: String,
    },
    /// Say that it must not be used.
    Revoke {
        /// Its path.
        path: String,
        /// Its version.
        version: String,
        /// Why. None: it may be used again.
        reason: Option<String>,
        /// Until when; none: for ever.
        until: Option<Expires>,
    },
    /// Let it pass without approval, for a while.
    Waive {
        /// Its path.
        path: String,
        /// Its version.
        version: String,
        /// Its zip, as it was seen, and its go.mod.
        files: Vec<File>,
        /// Why.
        reason: String,
        /// Until when.
        until: Expires,
    },
    /// Let a team approve modules.
    Delegate(Delegation),
    /// Sign roles anew, so that they expire later. None: all.
    Renew {
        /// Which.
        role: Option<String>,
    },
}

/// What a change does to one target, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The target, or the role.
    pub path: String,
    /// Whose metadata changes.
    pub role: String,
    /// How.
    pub how: How,
}

/// How a target changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It was not there.
    New,
    /// It was there, otherwise.
    Changed,
    /// It was there, and is gone.
    Removed,
    /// As it was.
    Same,
}

/// A reason must be one, and clients must read it.
///
/// # Errors
/// [`ChangeError::Reason`].
pub fn check_reason(reason: &str) -> Result<(), ChangeError> {
    let good = !reason.trim().is_empty() && reason.len() <= MAX_REASON && !reason.contains(char::is_control);
    if good { Ok(()) } else { Err(ChangeError::Reason) }
}

fn checked(path: &str, version: &str) -> Result<ModuleVersion, ChangeError> {
    ModuleVersion::check(path, version).map_err(|error| ChangeError::NoTarget(error.to_string()))
}

impl Change {
    /// The module that it is about.
    #[must_use]
    pub fn module(&self) -> Option<ModuleVersion> {
        match self {
            Self::Add { path, version, .. }
            | Self::Remove { path, version }
            | Self::Revoke { path, version, .. }
            | Self::Waive { path, version, .. } => ModuleVersion::check(path, version).ok(),
            Self::Delegate(_) | Self::Renew { .. } => None,
        }
    }

    /// The targets that it is about.
    fn paths(&self) -> Result<Vec<String>, ChangeError> {
        Ok(match self {
            Self::Add { path, version, files, .. } | Self::Waive { path, version, files, .. } => {
                let module = checked(path, version)?;
                files.iter().map(|file| path_of(&module, file.kind)).collect()
            }
            Self::Remove { path, version } | Self::Revoke { path, version, .. } => {
                let module = checked(path, version)?;
                [Kind::Zip, Kind::Mod, Kind::Info].map(|kind| path_of(&module, kind)).to_vec()
            }
            Self::Delegate(_) | Self::Renew { .. } => Vec::new(),
        })
    }
}

/// Applies changes in their order, and says what they do.
///
/// # Errors
/// [`ChangeError`]: the first that cannot be made.
pub fn apply(edit: &mut Edit<'_>, changes: &[Change]) -> Result<Vec<Effect>, ChangeError> {
    let mut effects = Vec::new();
    let mut rest = changes;
    while let Some(first) = rest.first() {
        // Delegations change where the others go, so runs of the others are routed at once.
        let run = match first {
            Change::Delegate(delegation) => {
                delegation.apply(edit)?;
                effects.push(Effect { path: delegation.name.clone(), role: "targets".into(), how: How::Changed });
                1
            }
            Change::Renew { role } => {
                renew(edit, role.as_deref(), &mut effects)?;
                1
            }
            _ => rest.iter().take_while(|change| !matches!(change, Change::Delegate(_) | Change::Renew { .. })).count(),
        };
        let (now, later) = rest.split_at(run);
        rest = later;
        let paths = now.iter().map(Change::paths).collect::<Result<Vec<_>, _>>()?;
        let mut roles = edit.route(&paths.concat())?.into_iter();
        for (change, paths) in now.iter().zip(paths) {
            let roles: Vec<String> = roles.by_ref().take(paths.len()).collect();
            one(edit, change, &paths, &roles, &mut effects)?;
        }
    }
    Ok(effects)
}

fn renew(edit: &mut Edit<'_>, role: Option<&str>, effects: &mut Vec<Effect>) -> Result<(), ChangeError> {
    let mut roles = edit.all_roles()?;
    if let Some(role) = role {
        roles.retain(|other| other == role);
        if roles.is_empty() {
            return Err(ChangeError::NoRole(role.to_owned()));
        }
    }
    for role in roles {
        edit.renew(&role);
        effects.push(Effect { path: role.clone(), role, how: How::Changed });
    }
    Ok(())
}

fn one(
    edit: &mut Edit<'_>,
    change: &Change,
    paths: &[String],
    roles: &[String],
    effects: &mut Vec<Effect>,
) -> Result<(), ChangeError> {
    let mut effect = |path: &str, role: &str, how| effects.push(Effect { path: path.into(), role: role.into(), how });
    let there = |edit: &Edit<'_>, role: &str, path: &str| {
        edit.role(role).and_then(|targets| targets.targets.get(path).cloned())
    };
    match change {
        Change::Add { files, provenance, replace, .. } => {
            for ((file, path), role) in files.iter().zip(paths).zip(roles) {
                within_depth(edit, role, path)?;
                let mut target = file.target();
                let old = there(edit, role, path);
                if let (Some(custom), Some(provenance), Kind::Zip) = (&mut target.custom, provenance, file.kind) {
                    custom["provenance"] = json!(provenance);
                }
                if let Some(old) = &old {
                    let waived = custom_of(old, "waived").is_some();
                    if !replace && !waived && !same_content(old, &target) {
                        return Err(ChangeError::Differs {
                            path: path.clone(),
                            role: role.clone(),
                            approved: shown(old),
                            new: shown(&target),
                        });
                    }
                    // Only `revoke --lift` makes good what was revoked; and nobody loses what others have said.
                    if let (Some(new), Some(Value::Object(old))) = (&mut target.custom, &old.custom) {
                        for (name, value) in old.iter().filter(|(name, _)| *name != "waived") {
                            if new.get(name).is_none() {
                                new[name.as_str()] = value.clone();
                            }
                        }
                    }
                }
                effect(path, role, set(edit, role, path, old, target));
            }
        }
        Change::Remove { .. } => {
            for (path, role) in paths.iter().zip(roles) {
                if there(edit, role, path).is_some() {
                    edit.change(role).targets.remove(path);
                    effect(path, role, How::Removed);
                }
            }
        }
        Change::Revoke { reason, until, .. } => {
            let mut found = false;
            // The zip stands for the module; where only the go.mod is approved, that does.
            for (path, role) in paths.iter().zip(roles) {
                if found && reason.is_some() {
                    break;
                }
                let Some(mut target) = there(edit, role, path) else { continue };
                let Some(Value::Object(custom)) = &mut target.custom else { continue };
                found = true;
                let revoked = reason.as_ref().map(|reason| {
                    let mut revoked = json!({ "reason": reason });
                    if let Some(until) = until {
                        revoked["until"] = json!(until);
                    }
                    revoked
                });
                let old = custom.get("revoked").cloned();
                if old == revoked {
                    effect(path, role, How::Same);
                    continue;
                }
                match revoked {
                    Some(revoked) => custom.insert("revoked".to_owned(), revoked),
                    None => custom.remove("revoked"),
                };
                edit.change(role).targets.insert(path.clone(), target);
                effect(path, role, How::Changed);
            }
            if !found {
                return Err(ChangeError::NoTarget(
                    change.module().map_or_else(String::new, |module| module.to_string()),
                ));
            }
        }
        Change::Waive { files, reason, until, .. } => {
            for ((file, path), role) in files.iter().zip(paths).zip(roles) {
                within_depth(edit, role, path)?;
                let mut target = file.target();
                let Some(custom) = &mut target.custom else { continue };
                custom["waived"] = json!({ "reason": reason, "until": until });
                let old = there(edit, role, path);
                if old.as_ref().is_some_and(|old| custom_of(old, "waived").is_none()) {
                    return Err(ChangeError::Approved(path.clone()));
                }
                effect(path, role, set(edit, role, path, old, target));
            }
        }
        Change::Delegate(_) | Change::Renew { .. } => {}
    }
    Ok(())
}

/// That the delegations on the way to `role` reach down to `path`.
fn within_depth(edit: &Edit<'_>, role: &str, path: &str) -> Result<(), ChangeError> {
    let delegations = ["targets", role].into_iter().filter_map(|role| edit.delegations(role));
    Ok(delegations.into_iter().try_for_each(|delegations| check_depth(delegations, path))?)
}

/// Has `role` say `target` of `path`, of which it says `old` by now.
fn set(edit: &mut Edit<'_>, role: &str, path: &str, old: Option<TargetMeta>, target: TargetMeta) -> How {
    let how = match old {
        None => How::New,
        Some(old) if old == target => return How::Same,
        Some(_) => How::Changed,
    };
    edit.change(role).targets.insert(path.to_owned(), target);
    how
}

/// A field of a target's `custom`.
#[must_use]
pub fn custom_of<'a>(target: &'a TargetMeta, name: &str) -> Option<&'a Value> {
    target.custom.as_ref()?.get(name)
}

/// By h1 where there is one: a zip that was packed again is the same module. But clients that fetch it compare the
/// bytes, so the bytes must be the same as well.
fn same_content(old: &TargetMeta, new: &TargetMeta) -> bool {
    (old.length, &old.hashes) == (new.length, &new.hashes) && custom_of(old, "h1") == custom_of(new, "h1")
}

fn shown(target: &TargetMeta) -> String {
    let h1 = custom_of(target, "h1").and_then(Value::as_str);
    let sha256 = target.hashes.get("sha256").map_or("", String::as_str);
    h1.map_or_else(|| format!("SHA-256 {sha256}"), |h1| format!("{h1} (SHA-256 {sha256})"))
}

/// The files that changes want published, and under which names.
#[must_use]
pub fn uploads(changes: &[Change]) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for change in changes {
        match change {
            Change::Add { path, version, files: added, upload: true, .. } => {
                let Ok(module) = ModuleVersion::check(path, version) else { continue };
                files.extend(added.iter().map(|file| (path_of(&module, file.kind), file.sha256.clone())));
            }
            Change::Remove { path, version } => {
                let Ok(module) = ModuleVersion::check(path, version) else { continue };
                for kind in [Kind::Zip, Kind::Mod, Kind::Info] {
                    files.remove(&path_of(&module, kind));
                }
            }
            _ => {}
        }
    }
    files
}

/// The names under which removed modules were published.
#[must_use]
pub fn removals(changes: &[Change]) -> BTreeSet<String> {
    let mut removed = BTreeSet::new();
    for change in changes {
        let Some(module) = change.module() else { continue };
        let paths = [Kind::Zip, Kind::Mod, Kind::Info].map(|kind| path_of(&module, kind));
        match change {
            Change::Remove { .. } => removed.extend(paths),
            Change::Add { .. } => paths.iter().for_each(|path| _ = removed.remove(path)),
            _ => {}
        }
    }
    removed
}
