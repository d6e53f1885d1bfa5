//! `modanchor replay EVIDENCE`, and what it shares with `modanchor evidence`.
//!
//! # Security
//! Everything in the file is somebody's word: it is shown escaped, and no path in it is opened but to compare digests of files below
//! the folder that the viewer names. Whether it is signed by who has to is judged by the core, before anything else is.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::args::{FailOn, NetworkArgs, OwnArgs, ReplayArgs, RequiredSigner, SignedByArgs, TerminalArgs};
use super::config::{self, Config, RootFile};
use super::paths::read_regular;
use super::session::{self, Failed, VerifyBlob};
use super::{runner, signatures, verify};
use crate::contract::{self, Artifact, BlobTask, Checkout, Identity, Job, Policy, Signer, SigstoreSettings, Task};
use crate::engine::{Engine, Limits, component_digest};
use crate::evidence::Evidence;
use crate::evidence::claims::{self, Claims, Kind, Viewer};
use crate::evidence::file::{FileError, MAX_FILE};
use crate::evidence::json;
use crate::evidence::replay::{self, ReplayError};
use crate::output::{self, Destinations, Diagnostic, Show};

/// Exit status of evidence that was changed, or that is not signed as it has to be.
const WRONG: u8 = 1;

/// The largest file of the viewer's that is compared, in bytes.
const MAX_COMPARED: u64 = 256 << 20;

/// What stands behind a file's name in that of its signature.
const BUNDLE: &str = ".sigstore.json";

/// Judges again, shows the report, says what it proves, and gives the recorded status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &ReplayArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    runner::admit(args.output.files().chain(args.record.file()))?;
    let (bytes, evidence) = read(&args.evidence)?;
    let signed = require_signer(terminal, args, &bytes)?;
    let viewer = viewer(&args.own, &evidence)?;
    let engine = Engine::new(Limits::default()).map_err(Failed::unchecked)?;
    let own = component_digest();
    let name = args.evidence.display();
    let (evidence, differs) = match replay::replay(&engine, &evidence, &own) {
        Ok(()) => (evidence, None),
        Err(ReplayError::OtherComponent { recorded, .. }) if args.other_component => {
            let text = format!("{name} was recorded by the component {recorded}; this judges with {own}");
            Diagnostic::Warning.print(terminal, &text);
            let again = replay::replay_with_other(&engine, &evidence, &own);
            let again = again.map_err(|error| failed(&args.evidence, error))?;
            let differs = replay::difference(&again.outcome, &evidence.outcome);
            (again, differs)
        }
        Err(error) => return Err(failed(&args.evidence, error)),
    };
    let outcome = &evidence.outcome;
    let show = Show {
        terminal: terminal.clone(),
        fail_on: fail_on(evidence.job.fail_on),
        allow_incomplete: evidence.job.allow_incomplete,
        summary: true,
        ..Show::default()
    };
    destinations
        .write(outcome, &verify::sources(&evidence.job.task), &show)
        .map_err(|error| Failed::to_show(outcome, error))?;
    let claims = Claims::of(&evidence, &viewer);
    let other = claims.differing();
    if other > 0 {
        // Also where nobody wants to read the rest: the status is the recorded one all the same.
        let text = format!("{name}: of the keys, roots and files that it stands on, {other} differ from yours");
        Diagnostic::Warning.print(terminal, &text);
    }
    if !terminal.quiet {
        let text = match differs {
            None => format!("{name}: judged again; the same report, byte for byte, and the same status"),
            Some(what) => format!("{name}: judged again, and {what} differs from what was recorded"),
        };
        Diagnostic::Note.print(terminal, &text);
        if let Some(signer) = signed {
            Diagnostic::Note.print(terminal, &format!("signed by {signer}"));
        }
        Diagnostic::Note.print(terminal, claims.text().trim_end());
    }
    if let Some(file) = args.record.file() {
        session::write_evidence(file, &evidence).map_err(|error| Failed::to_show(outcome, error))?;
    }
    let unlike = claims.unlike();
    if args.require_same && unlike > 0 {
        let error =
            anyhow!("{name}: --require-same: {unlike} of what it stands on, or should, are not shown to be yours");
        return Err(Failed { status: WRONG, error });
    }
    Ok(outcome.status)
}

/// Reads evidence. Gives its bytes too: they are what is signed.
pub(super) fn read(file: &Path) -> Result<(Vec<u8>, Evidence), Failed> {
    let bytes = read_regular(file, MAX_FILE as u64).map_err(Failed::usage)?;
    match Evidence::from_bytes(&bytes) {
        Ok(evidence) => Ok((bytes, evidence)),
        // Another kind of file is a slip of the command line.
        Err(error @ (FileError::Kind | FileError::Size)) => Err(Failed::usage(told(file, error))),
        Err(error) => Err(Failed { status: WRONG, error: told(file, error) }),
    }
}

fn told(file: &Path, error: impl Into<anyhow::Error>) -> anyhow::Error {
    error.into().context(file.display().to_string())
}

/// Why there is no verdict, and the status that says so.
pub(super) fn failed(file: &Path, error: ReplayError) -> Failed {
    match error {
        ReplayError::OtherComponent { .. } | ReplayError::Unanswered { .. } | ReplayError::Engine(_) => {
            Failed::unchecked(told(file, error))
        }
        ReplayError::Asks { .. }
        | ReplayError::Surplus { .. }
        | ReplayError::Outcome { .. }
        | ReplayError::Refused(_) => Failed { status: WRONG, error: told(file, error) },
    }
}

/// Has the core verify the signature over the file, where one is required. Says who signed.
fn require_signer(terminal: &TerminalArgs, args: &ReplayArgs, bytes: &[u8]) -> Result<Option<String>, Failed> {
    let SignedByArgs { require_signer, signer_issuer, bundle } = &args.signer;
    let Some(required) = require_signer else { return Ok(None) };
    let (signer, who, logged) = match (required, signer_issuer) {
        (RequiredSigner::Key(file), None) => {
            let key = read_regular(file, super::sigstore::MAX_FILE).map_err(Failed::usage)?;
            (Signer::Key(key), format!("the key in {}", file.display()), false)
        }
        (RequiredSigner::Identity(subject), Some(issuer)) => {
            let identity = Identity { subject: Some(subject.clone()), issuer: Some(issuer.clone()), ..anybody() };
            (Signer::Identity(identity), format!("{subject}, as {issuer} vouches"), true)
        }
        (RequiredSigner::Key(_), Some(_)) => {
            return Err(Failed::usage(anyhow!("--signer-issuer: nobody vouches for a key")));
        }
        (RequiredSigner::Identity(_), None) => {
            return Err(Failed::usage(anyhow!(
                "--require-signer: an identity needs --signer-issuer: who vouches for it"
            )));
        }
    };
    let bundle = bundle.clone().unwrap_or_else(|| {
        let mut name = args.evidence.clone().into_os_string();
        name.push(BUNDLE);
        PathBuf::from(name)
    });
    let unsigned = |error| Failed { status: WRONG, error: anyhow::Error::from(error).context("not signed") };
    let signature = read_regular(&bundle, super::sigstore::MAX_FILE).map_err(unsigned)?;
    let own = named_root(args.own.trusted_root.as_deref())?;
    let name = args.evidence.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let run = VerifyBlob {
        task: BlobTask {
            name,
            artifact: Artifact::Sha256(Sha256::digest(bytes).to_vec()),
            signer,
            bundle: Some(signature),
            signature: None,
            certificate: None,
            chain: None,
            timestamp: None,
            require_log: logged,
            require_sct: logged,
            require_timestamp: false,
            rekor_url: None,
        },
        file: None,
        roots: signatures::roots(own, true),
        rekor: false,
    };
    let outcome = run.run(terminal, &NetworkArgs::none(), None)?;
    if outcome.status != 0 {
        let show = Show { terminal: terminal.clone(), ..Show::default() };
        output::to_stderr(&outcome, &output::Sources::new(), &show)
            .map_err(|error| Failed::to_show(&outcome, error))?;
        let error = anyhow!("{}: not signed by {who}", args.evidence.display());
        return Err(Failed { status: outcome.status, error });
    }
    if has_statement(&outcome.report).context("the report").map_err(Failed::unchecked)? {
        let name = args.evidence.display();
        let error = anyhow!(
            "{name}: not signed: the bundle holds a statement about it; cosign sign-blob signs the file itself"
        );
        return Err(Failed { status: WRONG, error });
    }
    Ok(Some(who))
}

/// Whether what verified is a statement about the file. That its signer names the file says nothing: it may be to warn of it.
fn has_statement(report: &[u8]) -> Result<bool, serde_json::Error> {
    #[derive(Deserialize)]
    struct Report {
        artifacts: Vec<Artifact>,
    }
    #[derive(Deserialize)]
    struct Artifact {
        signatures: Vec<Signature>,
    }
    #[derive(Deserialize)]
    struct Signature {
        predicate_type: Option<String>,
    }
    let report: Report = serde_json::from_slice(report)?;
    let mut signatures = report.artifacts.iter().flat_map(|artifact| &artifact.signatures);
    Ok(signatures.any(|signature| signature.predicate_type.is_some()))
}

/// An identity of which nothing is asked.
fn anybody() -> Identity {
    Identity {
        subject: None,
        subject_regexp: None,
        issuer: None,
        issuer_regexp: None,
        github_trigger: None,
        github_sha: None,
        github_name: None,
        github_repository: None,
        github_ref: None,
    }
}

/// What the viewer has: the anchors that a run of theirs would have, and the files that the evidence names.
pub(super) fn viewer(own: &OwnArgs, evidence: &Evidence) -> Result<Viewer, Failed> {
    let config = own.config.as_deref().map(config::read).transpose().map_err(Failed::usage)?.unwrap_or_default();
    let root = named_root(own.trusted_root.as_deref())?.or_else(|| config.sigstore.trusted_root.clone());
    let Config { tuf, policy, .. } = config;
    // A policy is called as its file is: what is compared is what is in it.
    let mine = policy.policy.map(Policy::from).map(|mine| match &evidence.job.policy {
        Some(theirs) => Policy { set_by: theirs.set_by.clone(), ..mine },
        None => mine,
    });
    let job = Job {
        tuf: tuf.repositories(),
        sigstore: SigstoreSettings { roots: signatures::roots(root, false).roots, ..SigstoreSettings::none() },
        policy: mine,
        ..session::job_alone(Task::Lookup(Vec::new()))?
    };
    let mut anchors: BTreeMap<(Kind, String), String> =
        claims::anchors(&job).into_iter().map(|(kind, name, value, _)| ((kind, name), value)).collect();
    if let Some((name, key)) = session::own_database(own.sumdb.as_deref())? {
        anchors.insert((Kind::Sumdb, name), key);
    }
    let files = match &evidence.job.task {
        Task::Verify(checkout) | Task::Fix(checkout) => files(&own.folder, checkout),
        Task::Explain(question) => files(&own.folder, &question.checkout),
        Task::Lookup(_) | Task::Tuf(_) | Task::VerifyBlob(_) => Viewer::default().files,
    };
    Ok(Viewer { anchors, files })
}

/// The digests of those files of a checkout that lie below `folder`. Names that lead out of it are not followed.
fn files(folder: &Path, checkout: &Checkout) -> BTreeMap<String, String> {
    let names = checkout.files.iter().map(|file| &file.path).chain(checkout.programs.iter().map(|p| &p.path));
    let inside = names.filter(|name| {
        let mut parts = Path::new(name).components();
        parts.all(|part| matches!(part, Component::Normal(_)))
    });
    let read = |name: &String| {
        // What cannot be read is not there to compare with, and the viewer is told so.
        let bytes = read_regular(&folder.join(name), MAX_COMPARED).ok()?;
        Some((name.clone(), json::digest(&bytes)))
    };
    inside.filter_map(read).collect()
}

fn named_root(file: Option<&Path>) -> Result<Option<RootFile>, Failed> {
    let Some(file) = file else { return Ok(None) };
    let content = config::read_root(file).context("--trusted-root").map_err(Failed::usage)?;
    Ok(Some(RootFile { path: file.to_owned(), content, set_by: "--trusted-root".to_owned() }))
}

fn fail_on(recorded: contract::FailOn) -> FailOn {
    match recorded {
        contract::FailOn::Critical => FailOn::Critical,
        contract::FailOn::High => FailOn::High,
        contract::FailOn::Medium => FailOn::Medium,
        contract::FailOn::Low => FailOn::Low,
        contract::FailOn::Never => FailOn::Never,
    }
}

#[cfg(test)]
mod tests {
    use super::has_statement;

    #[test]
    fn a_statement_about_a_file_is_no_signature_over_it() {
        let report = |of: &str| format!(r#"{{"artifacts": [{{"signatures": [{{"predicate_type": {of}}}]}}]}}"#);
        assert!(has_statement(report(r#""https://example.com/rejected/v1""#).as_bytes()).unwrap());
        assert!(!has_statement(report("null").as_bytes()).unwrap());
        has_statement(b"{}").unwrap_err();
    }
}
