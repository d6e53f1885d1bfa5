//! `modanchor sigstore verify-blob`: cosign's command of that name, its flags and their meaning.
//!
//! cosign reads a signature in one of two ways. A Sigstore bundle holds everything itself and is verified against a trusted
//! root or a key. Everything older, a detached signature or cosign's former bundle, is put together from flags. Which it is,
//! is told by the file and not by a flag, and each way has flags that the other refuses: [`VerifyBlob::new`] has those
//! rules, worked out from cosign 3.1.2 (`cmd/cosign/cli/verify/verify_blob.go` and `common.go` beside it) and compared with the
//! program itself by tests/e2e. docs/commands/sigstore.md has them for users.
//!
//! Here, flags are judged and files are read; what a signature is worth is judged by the core.

use std::env;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Subcommand, ValueEnum, ValueHint};
use serde_json::Value;

use super::args::{NetworkArgs, OutputArgs, RecordArgs};
use crate::contract::{Identity, Signer};
use crate::files::{FileError, Regular, is_absent};

/// The most bytes of a bundle, signature, certificate, chain or timestamp. Bundles with provenance have some ten
/// kilobytes; the core has limits of its own.
pub const MAX_FILE: u64 = 16 << 20;

/// The most bytes of a blob from stdin, which is kept in memory. A file may have any size.
pub const MAX_STDIN: u64 = 256 << 20;

/// Exit statuses, for the foot of the help text.
pub const STATUS: &str = "\
Exit status:
  0  Verified OK
  1  the signature must not be believed, or is not of whom it should be
  2  wrong usage, or something that cosign takes and this does not
  3  it could not be checked: no answer from a log";

/// How it is typed.
pub const EXAMPLES: &str = "\
Examples:
  modanchor sigstore verify-blob --bundle app.sigstore.json \\
    --certificate-identity https://github.com/o/r/.github/workflows/release.yml@refs/tags/v1.0.0 \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com app.tar.gz
  modanchor sigstore verify-blob --bundle app.sigstore.json --key cosign.pub app.tar.gz
  modanchor sigstore verify-blob --cert app.pem --signature app.sig --cert-identity me@example.com \\
    --cert-oidc-issuer https://accounts.google.com app.tar.gz";

/// `modanchor sigstore`.
#[derive(Debug, Clone, Args)]
pub struct SigstoreArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: SigstoreCommand,
}

/// A subcommand of `modanchor sigstore`.
#[derive(Debug, Clone, Subcommand)]
pub enum SigstoreCommand {
    /// Verify the signature of a file, with cosign's flags
    ///
    /// Either of a key, or of an identity: a certificate that Sigstore gave to whom an OIDC issuer vouched for. `Verified OK`
    /// on stderr, and nothing else, says that all is well.
    #[command(
        after_help = STATUS,
        after_long_help = format!("{EXAMPLES}\n\n{STATUS}"),
        // The last one counts, as with Go's flags.
        args_override_self = true,
        // cosign's is `--offline=true` as well.
        mut_arg("offline", |arg| switch(arg)),
    )]
    VerifyBlob(Box<VerifyBlobArgs>),
}

/// A flag that may be told its value, as Go's flags may: `--offline=true`.
fn switch(arg: clap::Arg) -> clap::Arg {
    arg.action(ArgAction::Set)
        .num_args(0..=1)
        .require_equals(true)
        .default_value("false")
        .default_missing_value("true")
        .hide_default_value(true)
        .hide_possible_values(true)
        .value_name("BOOL")
}

/// `modanchor sigstore verify-blob`.
#[derive(Debug, Clone, Args)]
pub struct VerifyBlobArgs {
    /// What was signed: a file, `-` for stdin, or with a bundle `sha256:HEX`
    #[arg(value_name = "BLOB", value_hint = ValueHint::FilePath)]
    pub blob: String,
    /// The signature with all that proves it: a Sigstore bundle, or cosign's from before
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub bundle: Option<PathBuf>,
    /// The signature, base64 or raw: a file, or the base64 itself
    #[arg(long, value_name = "FILE|BASE64", value_parser = NonEmptyStringValueParser::new())]
    pub signature: Option<String>,
    /// Who signed.
    #[command(flatten)]
    pub signer: SignerArgs,
    /// What must be proven.
    #[command(flatten)]
    pub proofs: ProofArgs,
    /// What is refused.
    #[command(flatten)]
    pub refused: RefusedArgs,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Evidence.
    #[command(flatten)]
    pub record: RecordArgs,
    /// Network and cache.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// Who signed.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Who signed")]
pub struct SignerArgs {
    /// The public key, PEM: a file, or env://NAME
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::FilePath)]
    pub key: Option<String>,
    /// With --key: which digest of the file was signed; what goes with the key is tried without it too
    #[arg(long, value_name = "sha256|sha384|sha512", default_value = "sha256", hide_possible_values = true)]
    pub signature_digest_algorithm: String,
    /// The identity in the certificate: an e-mail address, a URI
    #[arg(long, alias = "cert-identity", value_name = "IDENTITY")]
    pub certificate_identity: Option<String>,
    /// A pattern that is found somewhere in the identity; anchor it: ^…$
    #[arg(long, alias = "cert-identity-regexp", value_name = "REGEXP")]
    pub certificate_identity_regexp: Option<String>,
    /// The OIDC issuer that vouched for it
    #[arg(long, alias = "cert-oidc-issuer", value_name = "URL")]
    pub certificate_oidc_issuer: Option<String>,
    /// A pattern that is found somewhere in the issuer; anchor it: ^…$
    #[arg(long, alias = "cert-oidc-issuer-regexp", value_name = "REGEXP")]
    pub certificate_oidc_issuer_regexp: Option<String>,
    /// GitHub's event that started the workflow, such as `push`
    #[arg(long, alias = "cert-github-workflow-trigger", value_name = "EVENT")]
    pub certificate_github_workflow_trigger: Option<String>,
    /// The commit that the workflow ran on
    #[arg(long, alias = "cert-github-workflow-sha", value_name = "SHA")]
    pub certificate_github_workflow_sha: Option<String>,
    /// The workflow's name
    #[arg(long, alias = "cert-github-workflow-name", value_name = "NAME")]
    pub certificate_github_workflow_name: Option<String>,
    /// The repository that the workflow ran in: OWNER/REPO
    #[arg(long, alias = "cert-github-workflow-repository", value_name = "OWNER/REPO")]
    pub certificate_github_workflow_repository: Option<String>,
    /// The ref that the workflow ran on, such as refs/tags/v1.0.0
    #[arg(long, alias = "cert-github-workflow-ref", value_name = "REF")]
    pub certificate_github_workflow_ref: Option<String>,
    /// The certificate, PEM or base64 of it, for a signature without a bundle
    #[arg(long, alias = "cert", value_name = "FILE", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::FilePath)]
    pub certificate: Option<String>,
    /// The certificate's authorities, PEM: the one that issued it first, the root last; in place of the trusted root's
    #[arg(long, alias = "cert-chain", value_name = "FILE", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::FilePath)]
    pub certificate_chain: Option<String>,
    /// The root of the certificate's authorities, PEM; in place of --certificate-chain
    #[arg(long, value_name = "FILE", conflicts_with = "certificate_chain", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::FilePath)]
    pub ca_roots: Option<String>,
    /// With --ca-roots: the authorities between, PEM
    #[arg(long, value_name = "FILE", requires = "ca_roots", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::FilePath)]
    pub ca_intermediates: Option<String>,
}

/// What must be proven, and by whom.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Proofs")]
pub struct ProofArgs {
    /// Whom to believe: a trusted_root.json, in place of Sigstore's public instance
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trusted_root: Option<PathBuf>,
    /// Ask for no entry in a transparency log: nobody else may know of this signature
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    pub insecure_ignore_tlog: bool,
    /// The same
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    pub private_infrastructure: bool,
    /// Do not ask that the certificate was logged when it was given
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    pub insecure_ignore_sct: bool,
    /// Ask for a timestamp of a timestamp authority
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_value_t = false, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    pub use_signed_timestamps: bool,
    /// The timestamp, cosign's JSON, for a signature without a bundle
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::FilePath)]
    pub rfc3161_timestamp: Option<String>,
    /// Where to look for the entry of a signature that comes without one
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new(), value_hint = ValueHint::Url)]
    pub rekor_url: Option<String>,
    /// For cosign's sake: it changes nothing here, nor there
    #[arg(long, hide = true, value_name = "N")]
    pub max_workers: Option<u64>,
    /// Take a Sigstore bundle (true), or refuse one (false). What a file is, is seen from the file
    #[arg(long, value_name = "BOOL", action = ArgAction::Set, num_args = 0..=1, require_equals = true,
        default_value_t = true, default_missing_value = "true", hide_default_value = true, hide_possible_values = true)]
    pub new_bundle_format: bool,
}

/// Flags of cosign that are known, so that the error can say what to do in their place.
#[derive(Debug, Clone, Default, Args)]
pub struct RefusedArgs {
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    sk: Option<String>,
    #[arg(long, hide = true)]
    slot: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    experimental_oci11: Option<String>,
    #[arg(long, hide = true)]
    timestamp_certificate_chain: Option<String>,
    #[arg(long, hide = true)]
    sct: Option<String>,
}

/// Variables by which cosign takes another trust than its own; it would be a surprise if they changed nothing.
const TRUST_FROM_ENVIRONMENT: &[&str] = &[
    "SIGSTORE_ROOT_FILE",
    "SIGSTORE_REKOR_PUBLIC_KEY",
    "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE",
    "SIGSTORE_TSA_CERTIFICATE_FILE",
];

impl RefusedArgs {
    /// The first flag of these that was given: why it is refused.
    fn refusal(&self) -> Option<String> {
        let root = "put it into a trusted root (`cosign trusted-root create` makes one): --trusted-root FILE";
        let flags = [
            ("--sk", &self.sk, "security keys are not read: take the public key out, and use --key FILE"),
            ("--slot", &self.slot, "security keys are not read: take the public key out, and use --key FILE"),
            ("--experimental-oci11", &self.experimental_oci11, "no OCI registry is asked: save the bundle to a file"),
            ("--timestamp-certificate-chain", &self.timestamp_certificate_chain, root),
            ("--sct", &self.sct, "only certificates with their SCT inside are read"),
        ];
        let (flag, _, why) = flags.into_iter().find(|(_, value, _)| value.is_some())?;
        Some(format!("{flag} is cosign's, and not taken here: {why}"))
    }
}

/// What a user asked, with the files that belong to it; nothing of it is judged yet.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifyBlob {
    /// What was signed.
    pub blob: Blob,
    /// By what it is verified.
    pub signer: Signer,
    /// With a key: which digest of the blob was signed, as far as cosign has to know.
    pub digest: DigestAlgorithm,
    /// A bundle. Sigstore's, or cosign's from before: see [`is_sigstore_bundle`].
    pub bundle: Option<Vec<u8>>,
    /// A signature without a bundle, or beside one of cosign's: base64, or raw.
    pub signature: Option<Vec<u8>>,
    /// PEM, or base64 of it.
    pub certificate: Option<Vec<u8>>,
    /// PEM.
    pub chain: Option<Vec<u8>>,
    /// cosign's JSON.
    pub timestamp: Option<Vec<u8>>,
    /// Whether an entry in a log must be there.
    pub require_log: bool,
    /// Whether a signed certificate timestamp must be there.
    pub require_sct: bool,
    /// Whether a timestamp authority's word must be there.
    pub require_timestamp: bool,
    /// The user's own trusted root, and where it is from.
    pub trusted_root: Option<(PathBuf, Vec<u8>)>,
    /// Another Rekor than the trusted root's.
    pub rekor_url: Option<String>,
    /// Flags that change nothing beside `--key`, as in cosign: what to warn of.
    pub idle: Vec<&'static str>,
}

/// What was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blob {
    /// A file, to be hashed where it is.
    File(PathBuf),
    /// All of stdin.
    Bytes(Vec<u8>),
    /// Its SHA-256 alone.
    Sha256([u8; 32]),
}

/// `--signature-digest-algorithm`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum DigestAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl VerifyBlob {
    /// Judges the flags in cosign's order, and reads the files. `stdin` is read where BLOB is `-`; `environment` is asked
    /// for `env://NAME`, and for what would give cosign another trust.
    ///
    /// # Errors
    /// Flags that contradict each other or that are missing, those that are not taken here, files that cannot be read: all of
    /// them wrong usage.
    pub fn new(
        args: &VerifyBlobArgs,
        stdin: &mut dyn Read,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        if let Some(refusal) = args.refused.refusal() {
            bail!(refusal);
        }
        for name in TRUST_FROM_ENVIRONMENT {
            if environment(name).is_some_and(|value| !value.is_empty()) {
                bail!(
                    "{name} is set, which gives cosign another trust and is not read here: use --trusted-root FILE, and unset it"
                );
            }
        }
        // An empty value is no value, as in cosign.
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        let who = &args.signer;
        let proofs = &args.proofs;
        let identity = Identity {
            subject: given(&who.certificate_identity),
            subject_regexp: given(&who.certificate_identity_regexp),
            issuer: given(&who.certificate_oidc_issuer),
            issuer_regexp: given(&who.certificate_oidc_issuer_regexp),
            github_trigger: given(&who.certificate_github_workflow_trigger),
            github_sha: given(&who.certificate_github_workflow_sha),
            github_name: given(&who.certificate_github_workflow_name),
            github_repository: given(&who.certificate_github_workflow_repository),
            github_ref: given(&who.certificate_github_workflow_ref),
        };
        if who.key.is_none() && who.certificate.is_none() && args.bundle.is_none() {
            bail!("by what to verify is missing: --bundle FILE, --key FILE, or --certificate FILE");
        }
        let expected = [who.key.is_some(), identity.subject.is_some(), identity.subject_regexp.is_some()];
        if expected.into_iter().filter(|given| *given).count() > 1 {
            bail!("give one of --key, --certificate-identity and --certificate-identity-regexp");
        }
        if who.key.is_some() && who.certificate.is_some() {
            bail!("give one of --key and --certificate");
        }
        let digest = digest(&who.signature_digest_algorithm)?;
        let load = |reference: &str| load(reference, environment);

        let mut idle = Vec::new();
        let signer = match &who.key {
            Some(key) => {
                idle = idle_flags(&identity);
                Signer::Key(key_file(key, environment).with_context(|| format!("--key {key}"))?)
            }
            None => {
                if identity.subject.is_none() && identity.subject_regexp.is_none() {
                    bail!(
                        "whom the signature must be of is missing: --certificate-identity or --certificate-identity-regexp"
                    );
                }
                if identity.issuer.is_none() && identity.issuer_regexp.is_none() {
                    bail!(
                        "who must vouch for the identity is missing: --certificate-oidc-issuer or --certificate-oidc-issuer-regexp"
                    );
                }
                Signer::Identity(identity)
            }
        };

        if let Some(url) = &proofs.rekor_url
            && url::Url::parse(url).is_ok_and(|url| !url.username().is_empty() || url.password().is_some())
        {
            // The core knows this URL: it would be in the report, and in evidence. It is not repeated here either.
            bail!("--rekor-url has a user or a password in it, and goes into the report: put them into .netrc");
        }
        let bundle =
            args.bundle.as_deref().map(|file| read(file).with_context(|| format!("--bundle {}", file.display())));
        let bundle = bundle.transpose()?;
        let whole = bundle.as_deref().is_some_and(is_sigstore_bundle);
        let trusted_root = proofs.trusted_root.as_deref().map(|file| {
            let content = read(file).with_context(|| format!("--trusted-root {}", file.display()))?;
            anyhow::Ok((file.to_owned(), content))
        });
        let trusted_root = trusted_root.transpose()?;
        if whole {
            let beside = [
                ("--signature", args.signature.is_some()),
                ("--certificate", who.certificate.is_some()),
                ("--certificate-chain", who.certificate_chain.is_some()),
                ("--ca-roots", who.ca_roots.is_some()),
                ("--rfc3161-timestamp", proofs.rfc3161_timestamp.is_some()),
            ];
            if let Some((flag, _)) = beside.into_iter().find(|(_, given)| *given) {
                bail!("{flag} does not go with a Sigstore bundle, which holds all of this itself: leave it out");
            }
            if !proofs.new_bundle_format {
                bail!("--new-bundle-format=false, but --bundle names a Sigstore bundle: leave the flag out");
            }
        } else if bundle.as_deref().is_none_or(is_old_bundle) {
            if trusted_root.is_some() {
                bail!(
                    "--trusted-root goes with a Sigstore bundle only, as in cosign; `cosign bundle create` makes one of older files"
                );
            }
            match (&proofs.rfc3161_timestamp, proofs.use_signed_timestamps) {
                (Some(_), false) => bail!("--rfc3161-timestamp needs --use-signed-timestamps"),
                (None, true) => {
                    bail!("--use-signed-timestamps without a Sigstore bundle needs --rfc3161-timestamp FILE")
                }
                _ => {}
            }
            if bundle.is_none() && args.signature.is_none() {
                bail!("the signature is missing: --signature FILE, or --bundle FILE");
            }
        }
        let part = |flag: &str, value: &Option<String>| {
            value.as_deref().map(|value| load(value).with_context(|| format!("{flag} {value}"))).transpose()
        };
        let mut chain = part("--certificate-chain", &who.certificate_chain)?;
        if let Some(root) = part("--ca-roots", &who.ca_roots)? {
            if count(&root, "-----BEGIN CERTIFICATE-----") != 1 {
                bail!("--ca-roots must have one certificate: with several, name a trusted root, --trusted-root FILE");
            }
            let mut between = part("--ca-intermediates", &who.ca_intermediates)?.unwrap_or_default();
            between.push(b'\n');
            chain = Some([between, root].concat());
        }
        Ok(Self {
            blob: blob(&args.blob, whole, stdin, environment)?,
            signer,
            digest,
            signature: args.signature.as_deref().map(|given| signature(given, environment)).transpose()?,
            certificate: part("--certificate", &who.certificate)?,
            chain,
            timestamp: part("--rfc3161-timestamp", &proofs.rfc3161_timestamp)?,
            bundle,
            require_log: !(proofs.insecure_ignore_tlog || proofs.private_infrastructure),
            require_sct: !proofs.insecure_ignore_sct,
            require_timestamp: proofs.use_signed_timestamps,
            trusted_root,
            rekor_url: proofs.rekor_url.clone(),
            idle,
        })
    }
}

/// The process's environment, for [`VerifyBlob::new`].
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// Whether a file is a Sigstore bundle, and not one of cosign's from before: by its own words alone, for the flags that may
/// stand beside it. What it is worth is not asked here.
#[must_use]
pub fn is_sigstore_bundle(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok_and(|json| json.get("verificationMaterial").is_some())
}

/// How many times a word is in a file.
fn count(bytes: &[u8], word: &str) -> usize {
    bytes.windows(word.len()).filter(|window| *window == word.as_bytes()).count()
}

/// Whether a file is a bundle that cosign wrote before: see [`is_sigstore_bundle`]. What is neither is for the core to refuse.
#[must_use]
pub fn is_old_bundle(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes).is_ok_and(|json| json.get("base64Signature").is_some())
}

/// Flags that say who signed, and that a key makes idle.
fn idle_flags(identity: &Identity) -> Vec<&'static str> {
    let flags = [
        ("--certificate-oidc-issuer", &identity.issuer),
        ("--certificate-oidc-issuer-regexp", &identity.issuer_regexp),
        ("--certificate-github-workflow-trigger", &identity.github_trigger),
        ("--certificate-github-workflow-sha", &identity.github_sha),
        ("--certificate-github-workflow-name", &identity.github_name),
        ("--certificate-github-workflow-repository", &identity.github_repository),
        ("--certificate-github-workflow-ref", &identity.github_ref),
    ];
    flags.into_iter().filter(|(_, value)| value.is_some()).map(|(flag, _)| flag).collect()
}

fn digest(name: &str) -> anyhow::Result<DigestAlgorithm> {
    match name.trim().to_ascii_lowercase().as_str() {
        "" | "sha256" => Ok(DigestAlgorithm::Sha256),
        "sha384" => Ok(DigestAlgorithm::Sha384),
        "sha512" => Ok(DigestAlgorithm::Sha512),
        "sha224" => {
            bail!("--signature-digest-algorithm sha224 is cosign's, and not taken here: nobody should sign SHA-224")
        }
        _ => bail!("--signature-digest-algorithm is one of sha256, sha384, sha512"),
    }
}

/// Where cosign finds keys that are not in a file. `pkcs11:` has no slashes.
const KEY_SCHEMES: &[&str] =
    &["awskms:", "azurekms:", "gcpkms:", "hashivault:", "openbao:", "k8s:", "pkcs11:", "gitlab:", "github:"];

fn key_file(reference: &str, environment: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Vec<u8>> {
    if KEY_SCHEMES.iter().any(|scheme| reference.starts_with(scheme)) {
        bail!(
            "keys are read from files alone: `cosign public-key --key …` takes the public key out of a key management service"
        );
    }
    load(reference, environment)
}

/// A file, or a variable of the environment: `env://NAME`.
fn load(reference: &str, environment: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Vec<u8>> {
    match reference.split_once("://") {
        Some(("env", name)) => {
            environment(name).map(String::into_bytes).with_context(|| format!("no variable {name} in the environment"))
        }
        Some(("http" | "https", _)) => bail!("a URL is not fetched: download it, and name the file"),
        Some(_) => bail!("neither a file nor env://NAME"),
        None => Ok(read(Path::new(reference))?),
    }
}

fn read(file: &Path) -> Result<Vec<u8>, FileError> {
    Regular::open(file)?.read(MAX_FILE)
}

/// A signature: where there is no file of that name, it is the signature itself.
fn signature(given: &str, environment: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<Vec<u8>> {
    if given.contains("://") {
        return load(given, environment).context("--signature");
    }
    match read(Path::new(given)) {
        Ok(content) => Ok(content),
        // A long one is too long for a file's name.
        Err(FileError::Io(error)) if is_absent(&error) || error.kind() == io::ErrorKind::InvalidFilename => {
            Ok(given.as_bytes().to_vec())
        }
        Err(error) => Err(anyhow!(error).context(format!("--signature {given}"))),
    }
}

/// What was signed. A digest stands for a file only where there is none of that name, and only with a Sigstore bundle.
fn blob(
    given: &str,
    whole: bool,
    stdin: &mut dyn Read,
    environment: &dyn Fn(&str) -> Option<String>,
) -> anyhow::Result<Blob> {
    if given == "-" {
        let mut bytes = Vec::new();
        stdin.take(MAX_STDIN + 1).read_to_end(&mut bytes).context("stdin")?;
        if bytes.len() as u64 > MAX_STDIN {
            bail!("stdin has more than {MAX_STDIN} bytes: name a file, which may have any size");
        }
        return Ok(Blob::Bytes(bytes));
    }
    if given.contains("://") {
        return Ok(Blob::Bytes(load(given, environment).with_context(|| given.to_owned())?));
    }
    let error = match Regular::open(Path::new(given)) {
        Ok(_) => return Ok(Blob::File(PathBuf::from(given))),
        Err(error) => anyhow!(error).context(given.to_owned()),
    };
    match given.split_once(':') {
        Some((algorithm, hex)) if whole => {
            if algorithm != "sha256" {
                bail!("{given}: neither a file nor sha256:HEX, the only digest that stands for a file");
            }
            let digest = modanchor_core::hex::decode(hex).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            Ok(Blob::Sha256(digest.with_context(|| format!("{given}: sha256: needs 64 hexadecimal digits"))?))
        }
        _ => Err(error),
    }
}

impl fmt::Display for DigestAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SigstoreArgs,
    }

    fn parse(line: &str) -> Result<VerifyBlobArgs, clap::Error> {
        let words = ["modanchor", "verify-blob"].into_iter().chain(line.split_whitespace());
        let SigstoreCommand::VerifyBlob(args) = Line::try_parse_from(words)?.args.command;
        Ok(*args)
    }

    /// In a folder with what the flags name.
    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let files = [
                ("blob", "hello"),
                ("sig", "AAAA"),
                ("pub", "key"),
                ("pem", "certificate"),
                ("one.pem", "-----BEGIN CERTIFICATE-----\n"),
                ("two.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n"),
                ("time", "{}"),
                ("root", "{}"),
                ("new", r#"{"mediaType": "x", "verificationMaterial": {}}"#),
                ("old", r#"{"base64Signature": "AAAA"}"#),
            ];
            for (name, content) in files {
                std::fs::write(dir.path().join(name), content).unwrap();
            }
            Self(dir)
        }

        /// `@NAME` is a file of the folder.
        fn ask(&self, line: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<VerifyBlob, String> {
            let line = line.replace(" @", &format!(" {}/", self.0.path().display()));
            let args = parse(&line).map_err(|error| error.to_string())?;
            let asked = VerifyBlob::new(&args, &mut &b"from stdin"[..], environment);
            asked.map_err(|error| format!("{error:#}"))
        }

        fn good(&self, line: &str) -> VerifyBlob {
            self.ask(line, &|_| None).unwrap_or_else(|error| panic!("{line}: {error}"))
        }

        fn refused(&self, line: &str) -> String {
            self.ask(line, &|_| None).map(|_| ()).expect_err(line)
        }
    }

    const WHO: &str = "--certificate-identity me --certificate-oidc-issuer it";

    /// Lines of the issue and of cosign's own help.
    #[test]
    fn lines_that_people_type() {
        let folder = Folder::new();
        for line in [
            "--bundle @new --certificate-identity me --certificate-oidc-issuer it @blob",
            "--bundle @new --cert-identity me --cert-oidc-issuer it @blob",
            "--bundle @new --cert-identity-regexp ^me --cert-oidc-issuer-regexp ^it @blob",
            "--cert @pem --signature @sig --cert-identity me --cert-oidc-issuer it --rekor-url https://rekor.example @blob",
            "--cert @pem --cert-chain @pem --signature @sig --cert-identity me --cert-oidc-issuer it @blob",
            "--key @pub --signature @sig --insecure-ignore-tlog=true @blob",
            "--key @pub --bundle @new --trusted-root @root --offline @blob",
            "--key @pub --bundle @old --new-bundle-format=false --private-infrastructure -",
            "--bundle @new --cert-identity me --cert-oidc-issuer it --cert-github-workflow-ref r --cert-github-workflow-sha s \
                --cert-github-workflow-name n --cert-github-workflow-repository o/r --cert-github-workflow-trigger push @blob",
        ] {
            folder.good(line);
        }
    }

    #[test]
    fn what_is_read() {
        let folder = Folder::new();
        let asked = folder.good(
            "--cert @pem --cert-chain @two.pem --signature @sig --rfc3161-timestamp @time --use-signed-timestamps \
            --insecure-ignore-sct --cert-identity me --cert-oidc-issuer-regexp it --cert-github-workflow-ref main @blob",
        );
        assert_eq!(asked.blob, Blob::File(folder.0.path().join("blob")));
        assert_eq!(asked.certificate.as_deref(), Some(&b"certificate"[..]));
        assert_eq!(asked.signature.as_deref(), Some(&b"AAAA"[..]));
        assert_eq!(asked.timestamp.as_deref(), Some(&b"{}"[..]));
        assert!(asked.chain.is_some() && asked.bundle.is_none());
        assert_eq!((asked.require_log, asked.require_sct, asked.require_timestamp), (true, false, true));
        let Signer::Identity(identity) = asked.signer else { panic!("an identity") };
        assert_eq!((identity.subject.as_deref(), identity.issuer), (Some("me"), None));
        assert_eq!((identity.issuer_regexp.as_deref(), identity.github_ref.as_deref()), (Some("it"), Some("main")));

        let asked =
            folder.good("--key @pub --signature BBBB --signature-digest-algorithm SHA512 --insecure-ignore-tlog -");
        assert_eq!(asked.signature.as_deref(), Some(&b"BBBB"[..]), "no such file: the signature itself");
        assert_eq!((asked.blob, asked.digest), (Blob::Bytes(b"from stdin".to_vec()), DigestAlgorithm::Sha512));
        assert!(!asked.require_log && asked.require_sct && !asked.require_timestamp);

        let asked = folder
            .good(&format!("--cert @pem --ca-roots @one.pem --ca-intermediates @pem --signature @sig {WHO} @blob"));
        assert_eq!(asked.chain.as_deref(), Some(&b"certificate\n-----BEGIN CERTIFICATE-----\n"[..]), "the root last");
    }

    #[test]
    fn a_digest_stands_for_a_file_that_is_not_there() {
        let folder = Folder::new();
        let digest = "ab".repeat(32);
        let asked = folder.good(&format!("--key @pub --bundle @new sha256:{digest}"));
        assert_eq!(asked.blob, Blob::Sha256([0xab; 32]));
        for line in [
            format!("--key @pub --bundle @new sha256:{}", &digest[2..]),
            format!("--key @pub --bundle @new sha512:{digest}{digest}"),
            format!("--key @pub --bundle @old sha256:{digest}"),
            "--key @pub --bundle @new absent".to_owned(),
        ] {
            folder.refused(&line);
        }
    }

    #[test]
    fn keys_come_from_files_and_variables() {
        let folder = Folder::new();
        let set = |name: &str| (name == "COSIGN_PUB").then(|| "from a variable".to_owned());
        let asked = folder.ask("--key env://COSIGN_PUB --signature @sig @blob", &set).unwrap();
        assert_eq!(asked.signer, Signer::Key(b"from a variable".to_vec()));
        folder.refused("--key env://COSIGN_PUB --signature @sig @blob");
        for key in [
            "awskms://k",
            "azurekms://k",
            "gcpkms://k",
            "hashivault://k",
            "openbao://k",
            "k8s://a/b",
            "pkcs11:token=x",
            "gitlab://p",
        ] {
            let why = folder.refused(&format!("--key {key} --signature @sig @blob"));
            assert!(why.contains("keys are read from files alone"), "{why}");
        }
        let why = folder.refused("--key https://example.com/cosign.pub --signature @sig @blob");
        assert!(why.contains("a URL is not fetched"), "{why}");
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let folder = Folder::new();
        for (line, word) in [
            ("--signature @sig --cert-identity me --cert-oidc-issuer it @blob", "by what to verify is missing"),
            ("--key @pub @blob", "the signature is missing"),
            ("--key @pub --cert-identity me --signature @sig @blob", "give one of --key"),
            (
                "--bundle @new --cert-identity me --cert-identity-regexp me --cert-oidc-issuer it @blob",
                "give one of --key",
            ),
            ("--key @pub --certificate @pem --signature @sig @blob", "give one of --key and --certificate"),
            ("--bundle @new @blob", "whom the signature must be of is missing"),
            ("--bundle @new --cert-identity me @blob", "who must vouch for the identity is missing"),
            ("--bundle @new --key @pub --signature @sig @blob", "does not go with a Sigstore bundle"),
            ("--bundle @new --key @pub --certificate-chain @pem @blob", "does not go with a Sigstore bundle"),
            ("--bundle @new --key @pub --ca-roots @one.pem @blob", "does not go with a Sigstore bundle"),
            ("--bundle @new --key @pub --rfc3161-timestamp @time @blob", "does not go with a Sigstore bundle"),
            ("--bundle @new --key @pub --new-bundle-format=false @blob", "names a Sigstore bundle"),
            ("--bundle @old --key @pub --trusted-root @root @blob", "goes with a Sigstore bundle only"),
            ("--bundle @old --key @pub --use-signed-timestamps @blob", "needs --rfc3161-timestamp"),
            ("--bundle @old --key @pub --rfc3161-timestamp @time @blob", "needs --use-signed-timestamps"),
            ("--key @pub --signature @sig --rekor-url https://me:secret@rekor.example @blob", "user or a password"),
            ("--key @pub --signature @sig --rekor-url https://token@rekor.example @blob", "user or a password"),
            ("--bundle @absent --key @pub @blob", "--bundle"),
            ("--key @pub --signature @sig --signature-digest-algorithm md5 @blob", "is one of sha256"),
            ("--key @pub --signature @sig --signature-digest-algorithm sha224 @blob", "nobody should sign SHA-224"),
            ("--sk --signature @sig @blob", "--sk is cosign's"),
            ("--key @pub --signature @sig --experimental-oci11 @blob", "no OCI registry"),
            ("--key @pub --signature @sig --sct @sig @blob", "--sct is cosign's"),
            ("--key @pub --signature @sig --timestamp-certificate-chain @pem @blob", "put it into a trusted root"),
            ("--key @pub --signature @sig --ca-roots @two.pem @blob", "must have one certificate"),
            ("--key @pub --signature @sig", "BLOB"),
            ("--key @pub --signature @sig @blob @blob", "unexpected argument"),
        ] {
            let why = folder.refused(line);
            assert!(why.contains(word), "{line}: {why}");
        }
    }

    #[test]
    fn other_trust_than_ones_own_is_never_ignored() {
        let folder = Folder::new();
        for name in TRUST_FROM_ENVIRONMENT {
            let set = |asked: &str| (asked == *name).then(|| "file".to_owned());
            let why = folder.ask("--key @pub --signature @sig @blob", &set).unwrap_err();
            assert!(why.contains(name), "{why}");
        }
    }

    #[test]
    fn flags_that_a_key_makes_idle_are_told() {
        let folder = Folder::new();
        let asked = folder.good("--key @pub --signature @sig --cert-oidc-issuer it --cert-github-workflow-ref r @blob");
        assert_eq!(asked.idle, ["--certificate-oidc-issuer", "--certificate-github-workflow-ref"]);
        assert!(folder.good("--key @pub --signature @sig @blob").idle.is_empty());
    }
}
