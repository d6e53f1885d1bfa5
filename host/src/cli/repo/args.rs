//! The command line of `modanchor repo`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{ArgAction, Args, Subcommand, ValueEnum, ValueHint};

use super::super::args::{NetworkArgs, SumdbArgs, duration};
use crate::publish::delegation::{DEFAULT_DEPTH, MAX_PATTERN_DEPTH};
use crate::publish::keys;

/// Exit statuses, for the foot of the help texts.
pub const STATUS: &str = "\
Exit status:
  0  done
  1  refused: what is there, or was to be added, is not what it should be
  2  wrong usage or configuration
  3  it could not be done: no answer, no key, a signature is missing, a full disk";

/// The short way from nothing to a repository.
pub const EXAMPLES: &str = "\
Examples:
  modanchor repo key new root.pem
  modanchor repo key new targets.pem
  modanchor repo init --dir approved --root-key root.pem --targets-key targets.pem
  modanchor repo add --dir approved example.com/mylib@v1.2.3 --zip mylib.zip
  modanchor repo publish --dir approved
  modanchor repo verify --dir approved";

/// `modanchor repo`.
#[derive(Debug, Clone, Args)]
pub struct RepoArgs {
    /// The working copy
    #[arg(long, global = true, value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Read the passphrase of keys from the first line of this file [default: $MODANCHOR_KEY_PASSPHRASE, or the terminal]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub passphrase_file: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: RepoCommand,
}

/// A subcommand of `modanchor repo`.
#[derive(Debug, Clone, Subcommand)]
pub enum RepoCommand {
    /// Make a working copy, and the first root
    Init(Box<InitArgs>),
    /// Make, read and show keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// Root: who may sign what. A ceremony between people who need not meet
    #[command(subcommand)]
    Root(RootCommand),
    /// Let a team approve the modules below a path
    Delegate(DelegateArgs),
    /// Approve module versions
    ///
    /// From a zip, the module cache, or through GOPROXY. A zip must keep Go's rules for module zips; a module that
    /// GONOSUMDB does not cover must be what the checksum database has.
    Add(Box<AddArgs>),
    /// Approve module versions no longer, and take their files away
    Remove(ModulesArgs),
    /// Say of module versions that they must not be used, and why
    Revoke(RevokeArgs),
    /// Let module versions pass for a while without approving them
    Waive(Box<WaiveArgs>),
    /// Sign what waits for signatures, with the keys that are here
    Sign(SignArgs),
    /// Publish what is waiting
    #[command(visible_alias = "commit")]
    Publish(PublishArgs),
    /// Sign the timestamp anew, and the snapshot when half of its time is over
    RefreshTimestamp(ToArgs),
    /// Sign targets roles anew with the next publication, so that they expire later
    Renew(RenewArgs),
    /// Say what expires when, and what waits
    Status(StatusArgs),
    /// Verify what is published, as a client would that has only the first root
    Verify(VerifyArgs),
    /// The seed of this tool: `targets add`
    #[command(subcommand, hide = true)]
    Targets(TargetsCommand),
}

/// `modanchor repo init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// Where it is published: a folder or s3://BUCKET/PREFIX [default: the working copy itself]
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub store: Option<String>,
    /// Keys of root: secret or public; can be repeated
    #[arg(long, value_name = "KEY", required = true, action = ArgAction::Append)]
    pub root_key: Vec<String>,
    /// How many of them must sign a root
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub root_threshold: u64,
    /// Keys of targets: who approves modules, and says who else may
    #[arg(long, value_name = "KEY", required = true, action = ArgAction::Append)]
    pub targets_key: Vec<String>,
    /// How many of them must sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub targets_threshold: u64,
    /// Keys of snapshot: who publishes [default: those of targets]
    #[arg(long, value_name = "KEY", action = ArgAction::Append)]
    pub snapshot_key: Vec<String>,
    /// Keys of timestamp: who says day by day that nothing is held back [default: those of snapshot]
    #[arg(long, value_name = "KEY", action = ArgAction::Append)]
    pub timestamp_key: Vec<String>,
    /// Split the modules that no team has into so many bins, a power of two: for tens of thousands of them
    #[arg(long, value_name = "N")]
    pub bins: Option<u64>,
    /// How long a root is good
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = lifetime)]
    pub root_expires: String,
    /// How long targets, and every role that it delegates to, is good
    #[arg(long, value_name = "DURATION", default_value = "90d", value_parser = lifetime)]
    pub targets_expires: String,
    /// How long a snapshot is good
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = lifetime)]
    pub snapshot_expires: String,
    /// How long a timestamp is good: so long a mirror can hold back what is new
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = lifetime)]
    pub timestamp_expires: String,
}

fn lifetime(text: &str) -> Result<String, String> {
    let _: Duration = duration(text)?;
    Ok(text.to_owned())
}

/// `modanchor repo key`.
#[derive(Debug, Clone, Subcommand)]
pub enum KeyCommand {
    /// Make a key: FILE, encrypted, and FILE.pub with its public half
    New {
        /// Where the secret key goes
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Of which kind
        #[arg(long, value_enum, value_name = "ed25519|ecdsa-p256|rsa-pss", default_value_t = KeyKind::Ed25519, hide_possible_values = true)]
        kind: KeyKind,
        /// What it is called: letters, digits, `-`, `_` and `.` [default: FILE's name]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Do not encrypt it
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Read a key of another tool (PKCS#8, SEC 1 or PKCS#1 PEM), and write it as `new` does
    Import {
        /// The key, or a URI such as env:NAME
        from: String,
        /// Where it goes
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What it is called [default: FILE's name]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Do not encrypt it
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Print the public half of a key, and its identifier
    Show {
        /// A secret or public key
        key: String,
        /// `human`, or `json`: the key as TUF metadata has it
        #[arg(long, value_enum, value_name = "human|json", default_value_t = ShowFormat::Human, hide_possible_values = true)]
        format: ShowFormat,
    },
}

/// `--kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyKind {
    /// Ed25519.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
    /// RSASSA-PSS with SHA-256, 3072 bits.
    RsaPss,
}

impl From<KeyKind> for keys::Kind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Ed25519 => Self::Ed25519,
            KeyKind::EcdsaP256 => Self::EcdsaP256,
            KeyKind::RsaPss => Self::RsaPss,
        }
    }
}

/// `--format` where there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// For people.
    Human,
    /// For programs.
    Json,
}

/// `modanchor repo root`.
#[derive(Debug, Clone, Subcommand)]
pub enum RootCommand {
    /// Begin the next root: a file that travels from signer to signer
    Rotate(RotateArgs),
    /// Add a signature to a root that travels. Needs no working copy
    Sign {
        /// The root
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Secret keys; can be repeated
        #[arg(long, value_name = "KEY", required = true, action = ArgAction::Append)]
        key: Vec<String>,
        /// The root before it, to see what changes [default: that of the working copy, if there is one]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        previous: Option<PathBuf>,
    },
    /// Say who has signed a root that travels, who has not, and what it changes
    Status {
        /// The root [default: the first one, that `init` has begun]
        #[arg(value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// The root before it [default: that of the working copy, if there is one]
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        previous: Option<PathBuf>,
    },
    /// Take a root that enough have signed: the next publication brings it out
    Finish {
        /// The root
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// `modanchor repo root rotate`.
#[derive(Debug, Clone, Args)]
pub struct RotateArgs {
    /// Where the root goes that travels
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
    /// Which role's keys and threshold change
    #[arg(long, value_name = "ROLE", default_value = "root")]
    pub role: String,
    /// Keys that come: secret or public; can be repeated
    #[arg(long, value_name = "KEY", action = ArgAction::Append)]
    pub add_key: Vec<String>,
    /// Keys that go, by name or identifier; can be repeated
    #[arg(long, value_name = "NAME", action = ArgAction::Append)]
    pub remove_key: Vec<String>,
    /// How many must sign from now on
    #[arg(long, value_name = "N")]
    pub threshold: Option<u64>,
    /// Change nothing but when it expires
    #[arg(long)]
    pub renew: bool,
}

/// `modanchor repo delegate`.
#[derive(Debug, Clone, Args)]
pub struct DelegateArgs {
    /// What the team's role is called
    pub name: String,
    /// The team's keys: secret or public; can be repeated
    #[arg(long, value_name = "KEY", required = true, action = ArgAction::Append)]
    pub key: Vec<String>,
    /// How many of them must sign
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threshold: u64,
    /// The module path that they approve, and all below it; can be repeated
    #[arg(long, value_name = "PREFIX", required = true, action = ArgAction::Append)]
    pub modules: Vec<String>,
    /// How many elements may follow the prefix
    #[arg(long, value_name = "N", default_value_t = DEFAULT_DEPTH, value_parser = depth)]
    pub depth: usize,
    /// Split the team's modules into so many bins, a power of two
    #[arg(long, value_name = "N")]
    pub bins: Option<u64>,
    /// Replace a delegation of that name
    #[arg(long)]
    pub replace: bool,
}

fn depth(text: &str) -> Result<usize, String> {
    let depth = text.parse().ok().filter(|depth| *depth <= MAX_PATTERN_DEPTH);
    depth.ok_or_else(|| format!("not a number from 0 to {MAX_PATTERN_DEPTH}"))
}

/// `modanchor repo add`.
#[derive(Debug, Clone, Args)]
pub struct AddArgs {
    /// Which: MODULE@VERSION, or MODULE@VERSION/go.mod for its go.mod alone
    #[arg(value_name = "MODULE@VERSION", required_unless_present = "from", value_parser = NonEmptyStringValueParser::new())]
    pub modules: Vec<String>,
    /// The zip of the one module version
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "from")]
    pub zip: Option<PathBuf>,
    /// Approve everything that a go.sum has, after showing what is new and what has changed
    #[arg(long, value_name = "GO.SUM", value_hint = ValueHint::FilePath, conflicts_with = "modules")]
    pub from: Option<PathBuf>,
    /// With --from: do not ask
    #[arg(long, requires = "from")]
    pub yes: bool,
    /// Approve only: do not publish the files, which come from elsewhere
    #[arg(long)]
    pub metadata_only: bool,
    /// Where the provenance is, a target's path or a URL: for people
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub provenance: Option<String>,
    /// Replace a version that is approved with another content
    #[arg(long)]
    pub replace: bool,
    /// Database, network and cache.
    #[command(flatten)]
    pub sumdb: SumdbArgs,
}

/// Module versions.
#[derive(Debug, Clone, Args)]
pub struct ModulesArgs {
    /// Which
    #[arg(value_name = "MODULE@VERSION", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub modules: Vec<String>,
}

/// `modanchor repo revoke`.
#[derive(Debug, Clone, Args)]
pub struct RevokeArgs {
    /// Which
    #[arg(value_name = "MODULE@VERSION", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub modules: Vec<String>,
    /// Why: shown to whoever uses it
    #[arg(long, value_name = "TEXT", required_unless_present = "lift", conflicts_with = "lift")]
    pub reason: Option<String>,
    /// Until when: a duration such as `30d`, or 2026-12-31T00:00:00Z [default: for ever]
    #[arg(long, value_name = "TIME", conflicts_with = "lift")]
    pub until: Option<String>,
    /// Take the revocation back
    #[arg(long)]
    pub lift: bool,
}

/// `modanchor repo waive`.
#[derive(Debug, Clone, Args)]
pub struct WaiveArgs {
    /// Which
    #[arg(value_name = "MODULE@VERSION", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub modules: Vec<String>,
    /// Why: shown to whoever uses it
    #[arg(long, value_name = "TEXT", required = true)]
    pub reason: String,
    /// Until when: a duration such as `14d`, or 2026-12-31T00:00:00Z
    #[arg(long, value_name = "TIME", required = true)]
    pub until: String,
    /// The zip of the one module version
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub zip: Option<PathBuf>,
    /// Database, network and cache.
    #[command(flatten)]
    pub sumdb: SumdbArgs,
}

/// `modanchor repo sign`.
#[derive(Debug, Clone, Args)]
pub struct SignArgs {
    /// Which role [default: all that wait]
    pub role: Option<String>,
    /// More secret keys; can be repeated
    #[arg(long, value_name = "KEY", action = ArgAction::Append)]
    pub key: Vec<String>,
}

/// `modanchor repo publish`.
#[derive(Debug, Clone, Args)]
pub struct PublishArgs {
    /// Bring a new root out first, where keys that it takes away are lost: clients fail until the rest is there
    #[arg(long)]
    pub without_old_keys: bool,
    /// To where.
    #[command(flatten)]
    pub to: ToArgs,
}

/// Where to, and with which keys besides.
#[derive(Debug, Clone, Args)]
pub struct ToArgs {
    /// Where to, instead of where the configuration says
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    pub store: Option<String>,
    /// More secret keys; can be repeated
    #[arg(long, value_name = "KEY", action = ArgAction::Append)]
    pub key: Vec<String>,
}

/// `modanchor repo renew`.
#[derive(Debug, Clone, Args)]
pub struct RenewArgs {
    /// Which role [default: targets, and every role that it delegates to]
    pub role: Option<String>,
}

/// `modanchor repo status`.
#[derive(Debug, Clone, Args)]
pub struct StatusArgs {
    /// `human`, or `json`
    #[arg(long, value_enum, value_name = "human|json", default_value_t = ShowFormat::Human, hide_possible_values = true)]
    pub format: ShowFormat,
}

/// `modanchor repo verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Where clients find the metadata [default: `tuf` in the store, if that is a folder]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub metadata_url: Option<String>,
    /// Only metadata: do not read every target's file
    #[arg(long)]
    pub metadata_only: bool,
    /// Network and cache.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// `modanchor repo targets`.
#[derive(Debug, Clone, Subcommand)]
pub enum TargetsCommand {
    /// Approve a module version by its zip, and sign that
    Add {
        /// Which
        #[arg(value_name = "MODULE@VERSION")]
        module: String,
        /// Its zip
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        target_path: PathBuf,
        /// What its SHA-256 has to be
        #[arg(long, value_name = "HEX")]
        sha256sum: Option<String>,
        /// Who signs
        #[arg(long, value_name = "KEY", action = ArgAction::Append)]
        key: Vec<String>,
        /// Database, network and cache.
        #[command(flatten)]
        sumdb: Box<SumdbArgs>,
    },
}
