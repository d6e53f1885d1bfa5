//! Modules as targets (docs/spec/tuf-go-modules.md): a target's path is its file's in the GOPROXY protocol, and its `custom`
//! has the hash that go.sum has.

use serde::Deserialize;

use super::metadata::{Expires, TargetMeta};
use crate::gosum::sum::HashKind;
use crate::module::ModuleVersion;
use crate::report::Of;

/// The longest reason that is read, in bytes.
pub const MAX_REASON: usize = 1024;

/// The target that stands for a module's zip, or for its go.mod: `example.com/!my!lib/@v/v1.2.3.zip`.
#[must_use]
pub fn target_path(module: &ModuleVersion, of: Of) -> String {
    let escaped = module.escaped();
    // Neither a module path nor a version has an `@`.
    let (path, version) = escaped.split_once('@').unwrap_or((&escaped, ""));
    let extension = match of {
        Of::Zip => "zip",
        Of::GoMod => "mod",
    };
    format!("{path}/@v/{version}.{extension}")
}

/// What a target says of a module: its `custom`. Fields that nobody knows are left alone.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Statement {
    /// The hash as in go.sum, of the zip for a `.zip` and of the go.mod for a `.mod`.
    pub h1: String,
    /// Where the provenance is: a target's path, or a URL. For people and later checks; it proves nothing here.
    #[serde(default)]
    pub provenance: Option<String>,
    /// It was approved, and no longer is.
    #[serde(default)]
    pub revoked: Option<Revocation>,
    /// It is not approved, and let pass for a while.
    #[serde(default)]
    pub waived: Option<Waiver>,
}

/// Why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// For people.
    pub reason: String,
    /// Until when; none: for ever.
    #[serde(default)]
    pub until: Option<Expires>,
}

/// Why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// For people.
    pub reason: String,
    /// Until when: it ends by itself.
    pub until: Expires,
}

impl Statement {
    /// What `target` says.
    ///
    /// # Errors
    ///
    /// What is wrong with its `custom`, in words that fit behind "it".
    pub fn of(target: &TargetMeta) -> Result<Self, String> {
        let custom = target.custom.as_ref().ok_or("has no custom, where the h1 would be")?;
        let statement =
            Self::deserialize(custom).map_err(|error| format!("has a custom that cannot be read: {error}"))?;
        if HashKind::of(&statement.h1) != HashKind::H1 {
            return Err(format!("has {:?} for an h1", statement.h1));
        }
        let reasons = [
            statement.revoked.as_ref().map(|revoked| &revoked.reason),
            statement.waived.as_ref().map(|waived| &waived.reason),
        ];
        if reasons.into_iter().flatten().any(|reason| reason.trim().is_empty() || reason.len() > MAX_REASON) {
            return Err(format!("has a reason that is empty or longer than {MAX_REASON} bytes"));
        }
        Ok(statement)
    }

    /// What is left of a statement that [`Self::of`] cannot read: that it revokes, for ever. A revocation must not end
    /// because its reason is too long, or because a newer tool says more in it.
    #[must_use]
    pub fn unreadable_revocation(target: &TargetMeta) -> Option<Self> {
        let custom = target.custom.as_ref()?;
        custom.get("revoked").filter(|revoked| !revoked.is_null())?;
        let h1 = custom.get("h1").and_then(|h1| h1.as_str()).filter(|h1| HashKind::of(h1) == HashKind::H1);
        Some(Self {
            h1: h1.unwrap_or_default().to_owned(),
            provenance: None,
            revoked: Some(Revocation { reason: "its revocation cannot be read".to_owned(), until: None }),
            waived: None,
        })
    }
}
