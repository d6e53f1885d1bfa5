//! Runs `modanchor sigstore verify-blob`: from flags that were judged to a verdict.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::args::TerminalArgs;
use super::config::RootFile;
use super::paths::told;
use super::session::{Failed, Recording, VerifyBlob as Run};
use super::signatures;
use super::sigstore::{self, Blob, DigestAlgorithm, VerifyBlob, VerifyBlobArgs};
use crate::contract::{Artifact, BlobTask, Digests, Outcome};
use crate::files::Regular;
use crate::output::{Destinations, Diagnostic, Show, Sources};

/// How much of a file is read at once.
const CHUNK: usize = 128 << 10;

/// Verifies, shows what came of it, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &VerifyBlobArgs) -> Result<u8, Failed> {
    let destinations = Destinations::new(&args.output.formats).map_err(Failed::usage)?;
    super::runner::admit(args.output.files().chain(args.record.file()))?;
    let asked = VerifyBlob::new(args, &mut std::io::stdin(), &sigstore::environment).map_err(Failed::usage)?;
    for flag in &asked.idle {
        Diagnostic::Warning.print(terminal, &format!("{flag} changes nothing beside --key"));
    }
    let (name, artifact, file) = measure(asked.blob, asked.digest)?;
    let own = asked.trusted_root.map(|(path, content)| RootFile {
        set_by: format!("--trusted-root {}", told(&path)),
        path,
        content,
    });
    let offline = args.network.offline;
    let run = Run {
        task: BlobTask {
            name,
            artifact,
            signer: asked.signer,
            bundle: asked.bundle,
            signature: asked.signature,
            certificate: asked.certificate,
            chain: asked.chain,
            timestamp: asked.timestamp,
            require_log: asked.require_log,
            require_sct: asked.require_sct,
            require_timestamp: asked.require_timestamp,
            rekor_url: asked.rekor_url,
        },
        file,
        roots: signatures::roots(own, offline),
        rekor: asked.require_log && !offline,
    };
    let recording = Recording::of(&args.record);
    let outcome = run.run(terminal, &args.network, recording.as_ref())?;
    show(terminal, &destinations, &outcome)?;
    if let Some(failed) = recording.and_then(|recording| recording.failed(&outcome)) {
        return Err(failed);
    }
    if outcome.status == 0 && !terminal.quiet {
        // As cosign says it, on stderr.
        let _ = writeln!(std::io::stderr(), "Verified OK");
    }
    Ok(outcome.status)
}

fn show(terminal: &TerminalArgs, destinations: &Destinations, outcome: &Outcome) -> Result<(), Failed> {
    let show = Show { terminal: terminal.clone(), ..Show::default() };
    destinations.write(outcome, &Sources::new(), &show).map_err(|error| Failed::to_show(outcome, error))
}

type Measured = (String, Artifact, Option<(PathBuf, Regular)>);

/// Hashes what was signed, where it is.
fn measure(blob: Blob, digest: DigestAlgorithm) -> Result<Measured, Failed> {
    match blob {
        Blob::Sha256(sha256) => {
            let name = format!("sha256:{}", modanchor_core::hex::encode(&sha256));
            Ok((name, Artifact::Sha256(sha256.to_vec()), None))
        }
        Blob::File(path) => {
            let file = Regular::open(&path).map_err(|error| unread(&path, error))?;
            let digests = digests(&mut file.file(), digest).map_err(|error| unread(&path, error))?;
            file.unchanged().map_err(|error| unread(&path, error))?;
            let name = path.file_name().map_or_else(|| "-".into(), |name| name.to_string_lossy().into_owned());
            Ok((name, Artifact::File(digests), Some((path, file))))
        }
        Blob::Bytes(bytes) => {
            let path = PathBuf::from("-");
            let mut file = tempfile::tempfile().map_err(Failed::unchecked)?;
            file.write_all(&bytes).and_then(|()| file.rewind()).map_err(Failed::unchecked)?;
            let file = Regular::of(file).map_err(Failed::unchecked)?;
            let digests = digests(&mut file.file(), digest).map_err(Failed::unchecked)?;
            Ok(("-".to_owned(), Artifact::File(digests), Some((path, file))))
        }
    }
}

fn unread(path: &Path, error: impl std::fmt::Display) -> Failed {
    Failed::usage(anyhow::anyhow!("{}: {error}", path.display()))
}

/// The digests that may have been signed: with a key, the one that the user names, and no other.
fn digests(file: &mut &File, only: DigestAlgorithm) -> std::io::Result<Digests> {
    let (mut sha256, mut sha384, mut sha512) = (Sha256::new(), Sha384::new(), Sha512::new());
    let mut length = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        let bytes = &chunk[..read];
        sha256.update(bytes);
        sha384.update(bytes);
        sha512.update(bytes);
        length += read as u64;
    }
    let all = only == DigestAlgorithm::Sha256;
    let kept = |algorithm, digest: Vec<u8>| if all || only == algorithm { digest } else { Vec::new() };
    Ok(Digests {
        length,
        sha256: kept(DigestAlgorithm::Sha256, sha256.finalize().to_vec()),
        sha384: kept(DigestAlgorithm::Sha384, sha384.finalize().to_vec()),
        sha512: kept(DigestAlgorithm::Sha512, sha512.finalize().to_vec()),
    })
}
