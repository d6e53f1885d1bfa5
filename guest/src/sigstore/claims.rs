//! What a Fulcio certificate claims of the one who signed: the subject alternative name and the extensions below
//! 1.3.6.1.4.1.57264.1 (github.com/sigstore/fulcio, docs/oid-info.md).
//!
//! The authority has checked each of them against the token of an OIDC issuer, so that a claim is as good as the authority:
//! no signer chooses it. What a predicate says of builder and source is chosen by the signer, and counts only where a claim says
//! the same.

/// The subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum San {
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier: for a workflow of GitHub, `https://github.com/OWNER/REPO/PATH@REF`.
    Uri(String),
    /// Fulcio's OtherName (1.3.6.1.4.1.57264.1.7): a user name, `NAME!HOST`.
    Other(String),
}

impl San {
    /// As text: what patterns are matched against.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(text) | Self::Uri(text) | Self::Other(text) => text,
        }
    }
}

/// The claims of one certificate. None: the certificate has no such extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who signed.
    pub san: San,
    /// .1.8, else .1.1: who says so.
    pub issuer: Option<String>,
    /// .1.9: the workflow that builds and signs, `https://github.com/OWNER/REPO/PATH@REF`; a reusable one's is not the caller's.
    pub build_signer_uri: Option<String>,
    /// .1.10: the commit of that workflow.
    pub build_signer_digest: Option<String>,
    /// .1.11: `github-hosted` or `self-hosted`.
    pub runner_environment: Option<String>,
    /// .1.12: `https://github.com/OWNER/REPO`, what was built.
    pub source_repository_uri: Option<String>,
    /// .1.13: the commit that was built, hexadecimal.
    pub source_repository_digest: Option<String>,
    /// .1.14: `refs/tags/v1.2.3`.
    pub source_repository_ref: Option<String>,
    /// .1.15: the repository's number, which no rename changes.
    pub source_repository_identifier: Option<String>,
    /// .1.16: `https://github.com/OWNER`.
    pub source_repository_owner_uri: Option<String>,
    /// .1.17: the owner's number.
    pub source_repository_owner_identifier: Option<String>,
    /// .1.18: the top-level workflow, `https://github.com/OWNER/REPO/PATH@REF`.
    pub build_config_uri: Option<String>,
    /// .1.19: its commit.
    pub build_config_digest: Option<String>,
    /// .1.20: the event: `push`, `release`, `workflow_dispatch`, …
    pub build_trigger: Option<String>,
    /// .1.21: the run, `https://github.com/OWNER/REPO/actions/runs/N/attempts/M`.
    pub run_invocation_uri: Option<String>,
    /// .1.22: `public`, `private` or `internal`.
    pub source_repository_visibility: Option<String>,
    /// .1.2 to .1.6, GitHub's from before the others: trigger, commit, workflow's name, `OWNER/REPO`, ref.
    pub github: GitHub,
}

/// GitHub's older claims, .1.2 to .1.6: raw UTF-8, not DER.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GitHub {
    /// .1.2: the event.
    pub trigger: Option<String>,
    /// .1.3: the commit.
    pub sha: Option<String>,
    /// .1.4: the workflow's name.
    pub name: Option<String>,
    /// .1.5: `OWNER/REPO`.
    pub repository: Option<String>,
    /// .1.6: the ref.
    pub reference: Option<String>,
}
