//! The trusted roots of Sigstore that a run judges signatures by.
//!
//! Each comes out of its TUF repository, which is refreshed first; where that gives no answer, the copy that came with the job
//! stands in, and past its date a finding says so. A repository that answers wrongly is a finding too, and nothing that it says is
//! believed.

use futures_util::future::join_all;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::approvals;
use super::findings::{Draft, Findings};
use super::settings::{Settings, TrustedRootSource};
use crate::contract::Failure;
use crate::exchange::Exchange;
use crate::hex;
use crate::report::{RepositorySummary, TrustedRootSummary, rules};
use crate::sigstore::bundle::Bundle;
use crate::sigstore::key::PublicKey;
use crate::sigstore::root::TrustedRoot;
use crate::sigstore::signature::{Artifact, Kind, Profile, Proven, Requirements, SignatureError, Verifier};
use crate::tuf::client::{Client, TufError};

/// The largest trusted_root.json, in bytes. The public instance's has 7 kB.
const MAX_TRUSTED_ROOT: u64 = 1 << 20;

/// A trusted root, ready to judge by.
pub(super) struct Root {
    pub(super) name: String,
    pub(super) trusted: TrustedRoot,
    summary: TrustedRootSummary,
}

/// What verifies by each of them, with what it remembers from one bundle to the next.
pub(super) struct Verifiers<'r> {
    roots: &'r Roots,
    all: Vec<Verifier<'r>>,
}

impl<'r> Verifiers<'r> {
    pub(super) fn new(roots: &'r Roots, now: Timestamp) -> Self {
        Self { roots, all: roots.all.iter().map(|root| Verifier::new(&root.trusted, now)).collect() }
    }

    /// Verifies by the first root that vouches for the signer. `asked`: what has to vouch for the signature; none: what the root's
    /// instance gives to each.
    ///
    /// # Errors
    ///
    /// What is wrong with the signature itself, or why the first root does not vouch for it whose authority issued the
    /// certificate, else why the first one does not. None: there is no root.
    pub(super) fn verify(
        &mut self,
        bundle: &Bundle,
        artifact: Artifact<'_>,
        asked: Option<Requirements>,
    ) -> Result<(&'r Root, Proven), Option<SignatureError>> {
        let mut first: Option<SignatureError> = None;
        for (root, verifier) in self.roots.all.iter().zip(&mut self.all) {
            // By default a root without a log has none asked: nothing that is signed under it could ever be in one.
            let profile = match asked {
                Some(asked) => Profile::Certificate(asked),
                None if !root.trusted.logs().is_empty() => Profile::PUBLIC_GOOD,
                None if root.trusted.is_github() => Profile::GitHub,
                None => Profile::Certificate(Requirements::GITHUB),
            };
            let error = match verifier.verify(bundle, artifact, profile) {
                Ok(proven) => return Ok((root, proven)),
                Err(error) => error,
            };
            match (error.kind(), &first) {
                // Another root may know the authority.
                (Kind::Certificate | Kind::CertificateLog, Some(_)) => {}
                (Kind::Certificate | Kind::CertificateLog, None) => first = Some(error),
                // It does, and what is missing or wrong is something else.
                (Kind::NotLogged | Kind::Time, _) => first = Some(error),
                // What is wrong is wrong by every root.
                _ => return Err(Some(error)),
            }
        }
        Err(first)
    }

    /// Verifies by a key of the user's own; the first root vouches for logs and timestamps.
    ///
    /// # Errors
    ///
    /// What is wrong. None: there is no root.
    pub(super) fn verify_with_key(
        &mut self,
        bundle: &Bundle,
        artifact: Artifact<'_>,
        key: &PublicKey,
        asked: Requirements,
    ) -> Result<Proven, Option<SignatureError>> {
        let verifier = self.all.first_mut().ok_or(None)?;
        verifier.verify(bundle, artifact, Profile::Key(key, asked)).map_err(Some)
    }
}

/// All of a run's.
#[derive(Default)]
pub(super) struct Roots {
    pub(super) all: Vec<Root>,
    repositories: Vec<RepositorySummary>,
}

impl Roots {
    /// The report's part about them.
    pub(super) fn summaries(&self) -> Vec<TrustedRootSummary> {
        self.all.iter().map(|root| root.summary.clone()).collect()
    }

    /// The report's part about the repositories that they are kept in.
    pub(super) fn repositories(&mut self) -> Vec<RepositorySummary> {
        std::mem::take(&mut self.repositories)
    }
}

/// Brings all of them up to date.
pub(super) async fn obtain(settings: &Settings, exchange: &Exchange, findings: &mut Findings<'_>) -> Roots {
    let refreshed = settings.sigstore.roots.iter().map(|source| refresh(settings, exchange, source));
    let mut roots = Roots::default();
    for (source, answer) in settings.sigstore.roots.iter().zip(join_all(refreshed).await) {
        let mut content = source.content.clone();
        let mut refreshed = false;
        let mut why = None;
        if let Some((client, answer)) = answer {
            roots.repositories.extend(approvals::repositories([&client]));
            match answer {
                Ok(newer) => {
                    content = newer;
                    refreshed = true;
                }
                Err(TufError::Unavailable { failure, .. }) => why = Some(failure),
                Err(error) => findings.push(approvals::failure(&source.name, &error)),
            }
        }
        let expires = source.expires.filter(|_| !refreshed);
        if expires.is_some_and(|expires| settings.tuf.now > expires) {
            findings.push(stale(source, why));
        }
        match TrustedRoot::parse(&content) {
            Ok(trusted) => roots.all.push(Root {
                name: source.name.clone(),
                trusted,
                summary: TrustedRootSummary {
                    name: source.name.clone(),
                    set_by: source.set_by.clone(),
                    refreshed,
                    sha256: hex::encode(&Sha256::digest(&content)),
                    expires: expires.map(|expires| expires.to_string()),
                },
            }),
            Err(error) => findings.push(
                Draft::new(
                    &rules::sigstore_malformed::RULE,
                    format!("the trusted root {}: {error}", source.name),
                    "take it from where the instance publishes it",
                )
                .kind("root")
                .by(source.set_by.clone()),
            ),
        }
    }
    roots
}

/// The newest, out of its repository. None: it is kept in none.
async fn refresh(
    settings: &Settings,
    exchange: &Exchange,
    source: &TrustedRootSource,
) -> Option<(Client, Result<Vec<u8>, TufError>)> {
    let (name, root) = source.repository.as_ref()?;
    let mut client = Client::new(name, root, settings.tuf.now, exchange.clone());
    let answer = newest(&mut client, source).await;
    Some((client, answer))
}

async fn newest(client: &mut Client, source: &TrustedRootSource) -> Result<Vec<u8>, TufError> {
    client.refresh().await?;
    let path = &source.target;
    let Some(approval) = client.find(path).await? else {
        return Err(TufError::NotFound { path: path.clone() });
    };
    // What is at hand is mostly what would come.
    let here = hex::encode(&Sha256::digest(&source.content));
    if approval.target().hashes.get("sha256").is_some_and(|digest| *digest == here) {
        return Ok(source.content.clone());
    }
    client.content(path, &approval, MAX_TRUSTED_ROOT).await
}

fn stale(source: &TrustedRootSource, why: Option<Failure>) -> Draft {
    let expires = source.expires.map_or_else(String::new, |expires: Timestamp| expires.to_string());
    let why = why.map_or("", |failure| crate::tuf::client::failure_text(failure));
    let message = format!(
        "the trusted root {} ({}) was good until {expires}, and could not be refreshed{}{why}",
        source.name,
        source.set_by,
        if why.is_empty() { "" } else { ": " },
    );
    let help = "run once with the network, update modanchor, or give a newer one: `--trusted-root FILE`";
    Draft::new(&rules::sigstore_root_stale::RULE, message, help).kind("root").by(source.set_by.clone())
}
