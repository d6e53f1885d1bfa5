//! Verification summaries: a verifier says that it has verified an artifact (slsa.dev/spec/v1.1/verification_summary).
//!
//! A summary is worth what its verifier is worth. The one who signed it must be one that policy lists: the verifier's ID
//! alone is written by the signer, like everything here.

use jiff::Timestamp;

use super::fields::{FieldError, Object};
use super::statement::{DigestSet, Statement, StatementError};
use crate::module::ModuleVersion;

/// The predicate type of version 1.
pub const V1: &str = "https://slsa.dev/verification_summary/v1";
/// The predicate type of version 0.2.
pub const V02: &str = "https://slsa.dev/verification_summary/v0.2";

/// What the predicate types of all versions begin with.
pub const ANY: &str = "https://slsa.dev/verification_summary/";

/// The most levels of one summary.
pub const MAX_LEVELS: usize = 32;

/// A summary that says PASSED. One that says anything else is a [`VsaError`], so that none can be taken for a pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Who verified, a URI.
    pub verifier_id: String,
    /// When.
    pub time_verified: Option<Timestamp>,
    /// What, a URI.
    pub resource_uri: String,
    /// By which policy, a URI.
    pub policy_uri: Option<String>,
    /// Digests of that policy.
    pub policy_digests: DigestSet,
    /// `SLSA_BUILD_LEVEL_3`, and whatever else the verifier names.
    pub levels: Vec<String>,
}

impl Summary {
    /// Reads the predicate of `statement`.
    ///
    /// # Errors
    ///
    /// It is no summary of a known version, lacks something, or says that verification failed.
    pub fn parse(statement: &Statement) -> Result<Self, VsaError> {
        let predicate = Object::of(&statement.predicate, "predicate");
        let old = match statement.predicate_type.as_str() {
            V1 => false,
            V02 => true,
            other => return Err(VsaError::OtherPredicate { found: other.to_owned() }),
        };
        // Version 0.2 is written in camel case, as its text has it, and in snake case, as in-toto's Go library has it.
        let key = |camel: &'static str, snake: &'static str| match (old, predicate.get(camel), predicate.get(snake)) {
            (true, Some(_), Some(_)) => Err(predicate.wrong(camel, "is there in two spellings")),
            (true, None, Some(_)) => Ok(snake),
            _ => Ok(camel),
        };
        let result = predicate.text(key("verificationResult", "verification_result")?)?;
        if result != "PASSED" {
            return Err(VsaError::NotPassed { found: result.to_owned() });
        }
        let time_verified = predicate.maybe_text(key("timeVerified", "time_verified")?)?;
        let time_verified = time_verified
            .map(|text| text.parse().map_err(|_| VsaError::Time { found: text.to_owned() }))
            .transpose()?;
        let levels = if old {
            predicate.maybe_text(key("policyLevel", "policy_level")?)?.map(str::to_owned).into_iter().collect()
        } else {
            let listed = predicate.list("verifiedLevels")?;
            if listed.len() > MAX_LEVELS {
                return Err(VsaError::TooManyLevels { found: listed.len() });
            }
            let text = |level: &serde_json::Value| level.as_str().map(str::to_owned);
            let levels: Option<Vec<_>> = listed.iter().map(text).collect();
            levels.ok_or_else(|| predicate.wrong("verifiedLevels", "has an entry that is no text"))?
        };
        let policy = predicate.maybe_object("policy")?;
        Ok(Self {
            verifier_id: predicate.object("verifier")?.text("id")?.to_owned(),
            time_verified,
            resource_uri: predicate.text(key("resourceUri", "resource_uri")?)?.to_owned(),
            policy_uri: match &policy {
                Some(policy) => policy.maybe_text("uri")?.map(str::to_owned),
                None => None,
            },
            policy_digests: match &policy {
                Some(policy) => DigestSet::read(policy, "digest")?,
                None => DigestSet::default(),
            },
            levels,
        })
    }

    /// The highest level of SLSA's build track that it says: `SLSA_BUILD_LEVEL_n`, in version 0.2 `SLSA_LEVEL_n`.
    /// None: none.
    #[must_use]
    pub fn build_level(&self) -> Option<u8> {
        let level = |text: &String| {
            let number = text.strip_prefix("SLSA_BUILD_LEVEL_").or_else(|| text.strip_prefix("SLSA_LEVEL_"))?;
            matches!(number, "0" | "1" | "2" | "3" | "4").then(|| number.parse().ok())?
        };
        self.levels.iter().filter_map(level).max()
    }

    /// Whether it is about `module`: its resource URI is the module's package URL.
    #[must_use]
    pub fn is_about(&self, module: &ModuleVersion) -> bool {
        is_purl_of(&self.resource_uri, module)
    }
}

/// The package URL of `module`: `pkg:golang/github.com/o/r@v1.2.3`.
///
/// The path keeps its case, which is part of a module's identity; the specification of package URLs wants it in lower
/// case (package-url/purl-spec, `golang`), so that what others write need not ([`is_purl_of`]).
#[must_use]
pub fn purl(module: &ModuleVersion) -> String {
    // Paths hold letters, digits and "-._~/", versions also "+": that alone is escaped.
    format!("pkg:golang/{}@{}", module.path(), module.version().replace('+', "%2B"))
}

/// Whether `uri` is a package URL of `module`.
///
/// The path may be in lower case, and anything may be percent-encoded. That is lenient on purpose: what binds a
/// summary to a module is the digest that joins it, and this is to notice that the verifier meant something else.
/// Qualifiers and a subpath name something else than the module's zip, and are refused.
#[must_use]
pub fn is_purl_of(uri: &str, module: &ModuleVersion) -> bool {
    let Some((path, version)) = uri.strip_prefix("pkg:golang/").and_then(|rest| rest.rsplit_once('@')) else {
        return false;
    };
    if uri.contains(['?', '#']) {
        return false;
    }
    let (Some(path), Some(version)) = (decode(path), decode(version)) else {
        return false;
    };
    version == module.version() && (path == module.path() || path == module.path().to_ascii_lowercase())
}

/// Percent-decoding; none for what is no encoding, or not of ASCII.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut out = String::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high << 4 | low).ok()?
            }
            byte => byte,
        };
        out.push(char::from(byte).is_ascii().then_some(char::from(byte))?);
    }
    Some(out)
}

/// Why a predicate is no summary that passes.
#[derive(Debug, thiserror::Error)]
pub enum VsaError {
    /// Something else.
    #[error("the predicate is {found:?}, and neither {V1} nor {V02}")]
    OtherPredicate {
        /// Its type.
        found: String,
    },
    /// The verifier says that it failed.
    #[error("the verifier's result is {found:?}, not \"PASSED\"")]
    NotPassed {
        /// What it says.
        found: String,
    },
    /// A field is missing, or of another type.
    #[error("the summary's {0}")]
    Field(#[from] FieldError),
    /// A digest of the policy.
    #[error(transparent)]
    Digest(#[from] StatementError),
    /// Not RFC 3339.
    #[error("the summary's time is {found:?}, which is no time of RFC 3339")]
    Time {
        /// What it says.
        found: String,
    },
    /// More than [`MAX_LEVELS`].
    #[error("the summary has {found} levels, and at most {MAX_LEVELS} are read")]
    TooManyLevels {
        /// How many.
        found: usize,
    },
}
