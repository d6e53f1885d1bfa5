//! What expires when, and what waits.

use jiff::Timestamp as Instant;
use modanchor_core::tuf::metadata::Expires;
use serde::Serialize;

use super::base::Edit;
use super::changes::Effect;
use super::publication::{PublishError, Publisher};
use super::roles::{Authority, name_of, standing};

/// One role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoleStatus {
    /// Its name.
    pub role: String,
    /// Its version; 0: not published.
    pub version: u64,
    /// Until when; none: not published.
    pub expires: Option<Expires>,
    /// Seconds until then; negative: it has expired.
    pub seconds_left: Option<i64>,
    /// How many signatures it needs.
    pub threshold: u64,
    /// The names of its keys.
    pub keys: Vec<String>,
    /// How many targets; none: it has none by its kind.
    pub targets: Option<usize>,
}

/// A repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The form of this.
    pub schema: &'static str,
    /// Where it is published.
    pub store: String,
    /// Its roles: root, timestamp, snapshot, targets, then those that are delegated to.
    pub roles: Vec<RoleStatus>,
    /// How many changes wait.
    pub waiting: usize,
    /// A root that waits for its publication.
    pub next_root: Option<u64>,
    /// Roles that people must sign before the next publication, with who is missing.
    pub unsigned: Vec<UnsignedRole>,
}

/// A role that waits for signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnsignedRole {
    /// Its name.
    pub role: String,
    /// How many are needed.
    pub threshold: u64,
    /// Who has signed.
    pub signed: Vec<String>,
    /// Who has not.
    pub missing: Vec<String>,
}

/// The form of [`Status`].
pub const SCHEMA: &str = "modanchor-repo-status/1";

/// Reads it all.
///
/// # Errors
/// [`PublishError`].
pub fn of(publisher: &Publisher<'_>) -> Result<(Status, Vec<Effect>), PublishError> {
    let (mut edit, effects) = publisher.edit()?;
    let names = edit.all_roles().map_err(PublishError::Base)?;
    let now = publisher.now;
    let base = &edit.base;
    let root = &base.root.signed;
    let mut roles = vec![row(now, "root", Some((root.version, root.expires)), &Authority::of_root(root, "root"), None)];
    let timestamp = base.timestamp.as_ref().map(|(file, _)| (file.signed.version, file.signed.expires));
    roles.push(row(now, "timestamp", timestamp, &Authority::of_root(root, "timestamp"), None));
    let snapshot = base.snapshot.as_ref().map(|file| (file.signed.version, file.signed.expires));
    roles.push(row(now, "snapshot", snapshot, &Authority::of_root(root, "snapshot"), None));
    let mut unsigned = Vec::new();
    let differing: Vec<&String> = edit.differing().map(|(name, _)| name).collect();
    for name in &names {
        let Some(authority) = edit.authority(name) else { continue };
        let published = edit.published(name);
        roles.push(row(
            now,
            name,
            published.map(|role| (role.version, role.expires)),
            authority,
            Some(published.map_or(0, |role| role.targets.len())),
        ));
        if differing.contains(&name) {
            unsigned.extend(waiting(publisher, &edit, name, authority)?);
        }
    }
    let status = Status {
        schema: SCHEMA,
        store: publisher.work.config.store.clone(),
        roles,
        waiting: publisher.work.changes()?.len(),
        next_root: publisher.work.next_root()?.map(|root| root.signed.version),
        unsigned,
    };
    Ok((status, effects))
}

fn row(
    now: Instant,
    role: &str,
    published: Option<(u64, Expires)>,
    authority: &Authority,
    targets: Option<usize>,
) -> RoleStatus {
    let left = |expires: Expires| expires.timestamp().as_second().saturating_sub(now.as_second());
    RoleStatus {
        role: role.to_owned(),
        version: published.map_or(0, |(version, _)| version),
        expires: published.map(|(_, expires)| expires),
        seconds_left: published.map(|(_, expires)| left(expires)),
        threshold: authority.threshold,
        keys: authority.keys.iter().map(|(id, key)| name_of(id, key)).collect(),
        targets,
    }
}

/// What people have to sign. None: the keys of the publisher do.
fn waiting(
    publisher: &Publisher<'_>,
    edit: &Edit<'_>,
    name: &str,
    authority: &Authority,
) -> Result<Option<UnsignedRole>, PublishError> {
    let here = authority.keys.values().filter(|key| publisher.work.config.keys.contains_key(&key.id())).count();
    if here as u64 >= authority.threshold {
        return Ok(None);
    }
    let draft = publisher.work.draft(name)?;
    let draft = draft.filter(|draft| {
        edit.role(name).is_some_and(|role| {
            (&draft.signed.targets, &draft.signed.delegations) == (&role.targets, &role.delegations)
        })
    });
    let (signed, missing) = match draft.map(|draft| standing(&draft, authority)) {
        Some(standing) if standing.met() => return Ok(None),
        Some(standing) => (standing.signed, standing.unsigned),
        None => (Vec::new(), authority.keys.iter().map(|(id, key)| name_of(id, key)).collect()),
    };
    Ok(Some(UnsignedRole { role: name.to_owned(), threshold: authority.threshold, signed, missing }))
}
