//! The task `verify-blob`: one signature over one file, as cosign's command of that name judges it.
//!
//! Security argument: the file is known by digests that a host measured, its bytes are asked for only where a scheme signs bytes, and
//! what the signature proves is decided by `crate::sigstore` alone. Where it comes without a log's entry, Rekor may be asked; what
//! it answers is verified like an entry that came along, and an answer that cannot be had is not taken for one that there is none.

use super::findings::{Draft, Findings};
use super::roots::{self, Roots, Verifiers};
use super::settings::Settings;
use super::signatures;
use super::{Parts, finish, text, timeline};
use crate::contract::{self, BlobTask, Body, Failure, Outcome, Refusal, RekorGet, Request, Signer};
use crate::exchange::Exchange;
use crate::hex;
use crate::provenance::statement::Statement;
use crate::report::{ArtifactSummary, Counts, ModuleSummary, SignatureStatus, SignatureSummary, rules};
use crate::sigstore::bundle::{Bundle, Content};
use crate::sigstore::certificate;
use crate::sigstore::identity::Expected;
use crate::sigstore::key::{self, Digests, Message, PublicKey};
use crate::sigstore::legacy::Files;
use crate::sigstore::log::{Entry, search_answer};
use crate::sigstore::root::{Authority, Validity};
use crate::sigstore::signature::{self, Artifact, Proven, Requirements, STATEMENT_TYPE, SignatureError};

/// The most bytes of a file whose signature is over its bytes and not over a digest: it is held in memory.
const MAX_CONTENT: u32 = 256 << 20;

/// The most bytes of one answer of Rekor.
const MAX_REKOR: u32 = 16 << 20;

/// How many entries Rekor is asked for at once: its own limit.
const REKOR_BATCH: usize = 10;

/// By what it is verified, read.
enum By {
    Identity(Box<Expected>),
    Key(PublicKey),
}

/// Verifies it.
pub(super) async fn run(settings: &Settings, task: BlobTask, exchange: Exchange) -> Result<Outcome, Refusal> {
    let by = match task.signer {
        Signer::Identity(ref identity) => {
            let expected = Expected::new(identity.clone()).map_err(|error| Refusal::Sigstore(error.to_string()))?;
            By::Identity(Box::new(expected))
        }
        Signer::Key(ref pem) => {
            let text = std::str::from_utf8(pem).map_err(|_| Refusal::Sigstore("the key is no PEM".to_owned()))?;
            let key = PublicKey::from_pem(text).map_err(|error| Refusal::Sigstore(format!("the key: {error}")))?;
            By::Key(key)
        }
    };
    let digests = digests(&task.artifact)?;
    let mut findings = Findings::new(settings);
    let mut roots = roots::obtain(settings, &exchange, &mut findings).await;
    if let Some(chain) = &task.chain {
        trust_chain(&mut roots, chain).map_err(Refusal::Sigstore)?;
    }
    let blob = Blob { settings, exchange: &exchange, task: &task, digests: &digests, roots: &roots, by: &by };
    let mut line = signatures::summary(blob.origin(), SignatureStatus::Refused);
    match blob.judge(&mut line).await {
        Ok(()) => line.status = SignatureStatus::Verified,
        Err(draft) => {
            if draft.means_unchecked() {
                line.status = SignatureStatus::Unchecked;
                findings.set_incomplete();
            }
            findings.push(draft.file(&task.name));
        }
    }
    let artifact = ArtifactSummary {
        name: task.name.clone(),
        sha256: digests.sha256.map(|digest| hex::encode(&digest)).unwrap_or_default(),
        signatures: vec![line],
    };
    let parts = Parts {
        repositories: roots.repositories(),
        trusted_roots: roots.summaries(),
        artifacts: vec![artifact],
        ..Parts::default()
    };
    let modules: &[ModuleSummary<'_>] = &[];
    Ok(finish(settings, parts, modules, Counts::default(), findings))
}

fn digests(artifact: &contract::Artifact) -> Result<Digests, Refusal> {
    let wrong = || Refusal::Protocol("a digest of the wrong length".to_owned());
    fn taken<const N: usize>(bytes: &[u8]) -> Result<Option<[u8; N]>, ()> {
        match bytes {
            [] => Ok(None),
            bytes => bytes.try_into().map(Some).map_err(|_| ()),
        }
    }
    match artifact {
        contract::Artifact::File(file) => Ok(Digests {
            sha256: taken(&file.sha256).map_err(|()| wrong())?,
            sha384: taken(&file.sha384).map_err(|()| wrong())?,
            sha512: taken(&file.sha512).map_err(|()| wrong())?,
        }),
        contract::Artifact::Sha256(digest) => {
            Ok(Digests { sha256: taken(digest).map_err(|()| wrong())?, ..Digests::default() })
        }
    }
}

/// Lets a chain stand for the authorities of all roots, as cosign's `--certificate-chain` does: whoever gives it trusts its last
/// certificate.
fn trust_chain(roots: &mut Roots, pem: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(pem).map_err(|_| "the certificate chain is no PEM".to_owned())?;
    let chain = certificate::from_pem(text).map_err(|error| format!("the certificate chain: {error}"))?;
    if chain.is_empty() {
        return Err("the certificate chain is empty".to_owned());
    }
    let validity = Validity { start: jiff::Timestamp::UNIX_EPOCH, end: None };
    for root in &mut roots.all {
        let uri = "--certificate-chain".to_owned();
        let trusted = root.trusted.with_authority(Authority { uri, chain: chain.clone(), validity });
        root.trusted = trusted.map_err(|error| format!("the certificate chain: {error}"))?;
    }
    Ok(())
}

/// Whether an entry of a log would help.
fn lacks_entry(error: Option<&SignatureError>) -> bool {
    matches!(error, Some(SignatureError::NotLogged { .. } | SignatureError::Times { .. }))
}

/// Whether a statement has the file among its subjects, by one digest that both have. One subject is enough, as for sigstore-go
/// (`pkg/verify/signature.go`): whoever signs a release signs all of its files at once.
fn is_about(statement: &Statement, digests: &Digests) -> bool {
    let hex = |digest: Option<&[u8]>| digest.map(hex::encode);
    let file = [
        ("sha512", hex(digests.sha512.as_ref().map(|d| &d[..]))),
        ("sha384", hex(digests.sha384.as_ref().map(|d| &d[..]))),
        ("sha256", hex(digests.sha256.as_ref().map(|d| &d[..]))),
    ];
    let is = |algorithm: &str, digest: &Option<String>, subject: &crate::provenance::statement::Subject| {
        digest.as_deref().is_some_and(|digest| subject.digests.get(algorithm) == Some(digest))
    };
    statement.subjects.iter().any(|subject| file.iter().any(|(algorithm, digest)| is(algorithm, digest, subject)))
}

struct Blob<'a> {
    settings: &'a Settings,
    exchange: &'a Exchange,
    task: &'a BlobTask,
    digests: &'a Digests,
    roots: &'a Roots,
    by: &'a By,
}

impl Blob<'_> {
    /// Where the signature came from.
    fn origin(&self) -> &'static str {
        if self.task.bundle.is_some() { "bundle" } else { "signature" }
    }

    async fn judge(&self, line: &mut SignatureSummary) -> Result<(), Draft> {
        let task = self.task;
        let malformed = |error: String| {
            let message = format!("the signature of {} cannot be read: {error}", task.name);
            Draft::new(&rules::sigstore_malformed::RULE, message, "fetch it again, from where its author publishes it")
        };
        let files = Files {
            signature: task.signature.as_deref(),
            certificate: task.certificate.as_deref(),
            chain: task.chain.as_deref(),
            bundle: task.bundle.as_deref(),
            timestamp: task.timestamp.as_deref(),
        };
        let mut bundle = files.read().map_err(|error| malformed(error.to_string()).kind("bundle"))?;
        self.leave_out(&mut bundle);
        let mut by = Verifiers::new(self.roots, self.settings.tuf.now);
        let mut content = None;
        let mut looked = false;
        let proof = loop {
            let error = match self.verify(&bundle, content.as_deref(), &mut by) {
                Ok(proof) => break proof,
                Err(error) => error,
            };
            // A digest that is not there was left out by a flag, and stays out.
            if matches!(error, Some(SignatureError::Needs(key::SignatureError::NeedsContent)))
                && content.is_none()
                && matches!(task.artifact, contract::Artifact::File(_))
            {
                content = Some(self.content().await?);
                continue;
            }
            if lacks_entry(error.as_ref()) && self.settings.sigstore.rekor && !looked {
                looked = true;
                if let Some(whole) = self.look_up(&bundle, content.as_deref(), &mut by).await? {
                    self.timeline(&whole).await?;
                    bundle = whole;
                    continue;
                }
            }
            return Err(signatures::refused(error.as_ref(), &format!("the signature of {}", task.name)));
        };
        let (root, proof) = proof;
        line.root = root;
        signatures::proven(line, &proof);
        if let Some(payload) = proof.statement() {
            let statement = Statement::parse(STATEMENT_TYPE, payload)
                .map_err(|error| malformed(error.to_string()).kind("statement"))?;
            line.predicate_type = Some(statement.predicate_type.clone());
            if !is_about(&statement, self.digests) {
                let message = format!("the statement that the bundle holds is not about {}", task.name);
                let help = "do not use it; fetch file and signature again";
                return Err(Draft::new(&rules::sigstore_bad_signature::RULE, message, help).kind("subject"));
            }
        }
        if let (By::Identity(expected), signature::Signer::Certificate(claims)) = (self.by, proof.signer())
            && let Some(wrong) = expected.mismatch(claims)
        {
            let found = wrong.found.as_deref().unwrap_or("none");
            let message = format!(
                "{} was signed by somebody else: the {} is {found}, expected {}",
                task.name, wrong.claim, wrong.expected
            );
            let help = "look at it letter by letter; if it is right, correct what is expected";
            let draft = Draft::new(&rules::sigstore_identity::RULE, message, help).kind("identity");
            return Err(draft.expected(wrong.expected).found(found).by("its certificate"));
        }
        Ok(())
    }

    /// Leaves out what flags say is not to be looked at, as cosign does: where the log is ignored, its word on the time is
    /// too; and timestamps count where they are asked for, or where the log gives no time (`pkg/cosign/verify_bundle.go`).
    fn leave_out(&self, bundle: &mut Bundle) {
        if !self.task.require_log {
            bundle.entries.clear();
        }
        let timed = bundle.entries.iter().any(|entry| entry.integrated_time.is_some());
        if !self.task.require_timestamp && (timed || !self.task.require_log) {
            bundle.timestamps.clear();
        }
    }

    /// What is asked of the signature: what the public instance gives, less what flags leave out, and a timestamp where the user
    /// wants one.
    fn asked(&self, asked: Requirements) -> Requirements {
        let timestamps = asked.timestamps.max(usize::from(self.task.require_timestamp));
        Requirements {
            logs: if self.task.require_log { asked.logs } else { 0 },
            certificate_logs: if self.task.require_sct { asked.certificate_logs } else { 0 },
            timestamps,
            // Without log and timestamp nobody vouches for a time: the certificate must be good now.
            times: if self.task.require_log || timestamps > 0 { asked.times } else { 0 },
            ..asked
        }
    }

    /// By the key, or by the first root that vouches for the signer; with the root's name.
    fn verify(
        &self,
        bundle: &Bundle,
        content: Option<&[u8]>,
        by: &mut Verifiers<'_>,
    ) -> Result<(Option<String>, Proven), Option<SignatureError>> {
        let message = content.map_or(Message::Digests(self.digests), Message::Bytes);
        let artifact = match bundle.content {
            Content::Message { .. } => Artifact::File(message),
            // Whether the statement is about the file is seen once it is known whose it is.
            Content::Envelope(_) => Artifact::Statement,
        };
        match self.by {
            By::Identity(_) => {
                // The same for every root: what cosign's flags say is needed, and not what the root's instance gives.
                let verified = by.verify(bundle, artifact, Some(self.asked(Requirements::PUBLIC_GOOD)));
                verified.map(|(root, proof)| (Some(root.name.clone()), proof))
            }
            By::Key(key) => {
                // The root vouches for the log, if there is one, and not for the key.
                let asked = self.asked(Requirements::KEY);
                by.verify_with_key(bundle, artifact, key, asked).map(|proof| (None, proof))
            }
        }
    }

    /// The bytes of the file, for schemes that sign bytes.
    async fn content(&self) -> Result<Vec<u8>, Draft> {
        let answer = self.exchange.ask(vec![Request::Artifact(MAX_CONTENT)]).await.pop();
        let body = answer.unwrap_or(Err(Failure::NotData)).map_err(|failure| {
            self.unavailable(&format!("{} could not be read: {}", self.task.name, text::failure(failure)))
        })?;
        // What is judged is what was measured, as far as it was.
        let (said, found) = (self.digests, Digests::of(&body.content));
        let same = said.sha256.is_none_or(|digest| found.sha256 == Some(digest))
            && said.sha384.is_none_or(|digest| found.sha384 == Some(digest))
            && said.sha512.is_none_or(|digest| found.sha512 == Some(digest));
        match same && *said != Digests::default() {
            true => Ok(body.content),
            false => Err(self.unavailable(&format!("{} was written to while it was read", self.task.name))),
        }
    }

    fn unavailable(&self, message: &str) -> Draft {
        let help = "run it again; stderr shows what was asked for";
        Draft::new(&rules::sigstore_unavailable::RULE, message, help).kind("rekor")
    }

    /// The bundle with the entry that Rekor has of its signature. Whoever signs the same file has an entry too, and anybody may
    /// sign it any number of times: all of them are looked at, the newest first, so that none can be hidden behind others.
    async fn look_up(
        &self,
        bundle: &Bundle,
        content: Option<&[u8]>,
        by: &mut Verifiers<'_>,
    ) -> Result<Option<Bundle>, Draft> {
        let log = match &self.task.rekor_url {
            Some(url) => url.clone(),
            None => {
                // A log of version 2 cannot be searched.
                let logs = self.roots.all.iter().flat_map(|root| root.trusted.logs());
                let mut first =
                    logs.filter(|log| log.can_be_searched() && log.validity.contains(self.settings.tuf.now));
                let Some(log) = first.next() else {
                    let message = format!(
                        "the signature of {} comes without a log's entry, and no trusted log can be searched",
                        self.task.name
                    );
                    return Err(self.unavailable(&message));
                };
                log.base_url.clone()
            }
        };
        let Some(sha256) = self.digests.sha256 else { return Ok(None) };
        let query = format!(r#"{{"hash":"sha256:{}"}}"#, hex::encode(&sha256));
        let answer = self.rekor(&log, "api/v1/index/retrieve", query).await?;
        let unread = |error: String| self.unavailable(&format!("{log} gives an answer that cannot be read: {error}"));
        let uuids = search_answer(&answer).map_err(|error| unread(error.to_string()))?;
        // The newest are last.
        let newest: Vec<&String> = uuids.iter().rev().collect();
        for batch in newest.chunks(REKOR_BATCH) {
            let query = serde_json::json!({ "entryUUIDs": batch }).to_string();
            let answer = self.rekor(&log, "api/v1/log/entries/retrieve", query).await?;
            for (_, entry) in Entry::answer(&answer).map_err(|error| unread(error.to_string()))? {
                let whole = Bundle { entries: vec![entry], ..bundle.clone() };
                if self.verify(&whole, content, by).is_ok() {
                    return Ok(Some(whole));
                }
            }
        }
        Ok(None)
    }

    /// Holds what the log shows today against what it showed before.
    async fn timeline(&self, bundle: &Bundle) -> Result<(), Draft> {
        for entry in &bundle.entries {
            let mut logs = self.roots.all.iter().filter_map(|root| root.trusted.log(&entry.log_id));
            let (Some(log), Some(proof)) = (logs.next(), &entry.proof) else { continue };
            if let Err(error) = timeline::accept(self.exchange, log, &proof.checkpoint).await {
                let message = format!("the log {}: {error}", log.base_url);
                return Err(match error.is_unanswered() {
                    true => self.unavailable(&message),
                    false => {
                        let help = "do not rely on this log; tell those who run it, with the evidence that was kept";
                        Draft::new(&rules::sigstore_bad_log::RULE, message, help).kind("timeline")
                    }
                });
            }
        }
        Ok(())
    }

    async fn rekor(&self, log: &str, path: &str, post: String) -> Result<Vec<u8>, Draft> {
        let get = RekorGet {
            log: log.to_owned(),
            path: path.to_owned(),
            post: Some(post.into_bytes()),
            max_bytes: MAX_REKOR,
        };
        let answer = self.exchange.ask(vec![Request::Rekor(get)]).await.pop().unwrap_or(Err(Failure::NotData));
        let Body { content, .. } = answer.map_err(|failure| {
            let why = text::failure(failure);
            self.unavailable(&format!("{log} could not be asked about {}: {why}", self.task.name))
        })?;
        Ok(content)
    }
}
