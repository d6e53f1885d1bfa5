//! The command line, as clap reads it. Wrong usage exits with [`super::USAGE`].
//!
//! What is declared here works: flags of later features come with them.

use std::{
    num::NonZeroUsize,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint, builder::NonEmptyStringValueParser};
use clap_complete::Shell;

use super::config::AttestationPlace;
use super::repo::args::RepoArgs;
use super::sigstore::SigstoreArgs;
use crate::ci::event::Commit;
use crate::engine::{Engine, EngineError, Limits, hashing};
use crate::goenv::Var;
use crate::{contract, fetch};

/// The most requests that `--jobs` allows at once: more would be an attack on the server.
pub const MAX_JOBS: usize = 256;

/// Exit statuses, for the foot of every help text.
const EXIT_STATUS: &str = "\
Exit status:
  0  nothing at or above --fail-on
  1  findings at or above it: what was found or served is wrong
  2  wrong usage or configuration, or nothing to verify
  3  something could not be checked (1 beats 3)";

const VERIFY_EXAMPLES: &str = "\
Examples:
  modanchor verify                          every module below the current folder
  modanchor verify go.sum                   one file, wherever it comes from
  modanchor verify ./bin/server             the modules that a built program records
  modanchor verify --modcache require       and everything in the module cache
  modanchor verify --zips download          and zips that are not in it, through GOPROXY
  modanchor verify --format json=report.json
  modanchor verify --offline                only with what earlier runs kept";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  modanchor explain                         all rules
  modanchor explain gosum-mismatch          one rule
  modanchor explain golang.org/x/text@v0.14.0
                                            go.sum, log, zip, folder and vendor, side by side";

const HASH_EXAMPLES: &str = "\
Examples:
  modanchor hash zip v0.14.0.zip golang.org/x/text@v0.14.0
  modanchor hash dir ./text golang.org/x/text@v0.14.0
  modanchor hash mod go.mod";

const HASH_STATUS: &str = "\
Exit status:
  0  the hash is on stdout
  1  not what a module may be: it breaks Go's rules, or is damaged
  2  wrong usage
  3  it could not be read";

const STATEMENT_EXAMPLES: &str = "\
Examples:
  modanchor statement golang.org/x/text@v0.14.0 > statement.json
  modanchor statement example.com/m@v1.0.0 --zip m.zip \\
    --predicate provenance.json --predicate-type https://slsa.dev/provenance/v1
  cosign attest-blob --statement statement.json --bundle v1.0.0.sigstore.json";

const STATEMENT_STATUS: &str = "\
Exit status:
  0  the statement is on stdout
  1  the zip is not what a module may be: it breaks Go's rules, or is damaged
  2  wrong usage
  3  it could not be read";

const FIX_EXAMPLES: &str = "\
Examples:
  modanchor fix                             every go.sum below the current folder
  modanchor fix --dry-run                   only show what would change; 1 if something would";

const FIX_STATUS: &str = "\
Exit status:
  0  every go.sum is as it should be, or was made so
  1  --dry-run: something would change; or a go.sum holds what must not be touched
  2  wrong usage
  3  some lines could not be proved";

const LINT_EXAMPLES: &str = "\
Examples:
  modanchor lint                            the environment, and every file below the current folder
  modanchor lint .github Dockerfile
  modanchor lint --fix --dry-run            show what --fix would change; 1 if something would
  modanchor lint --fix                      and change it";

const LINT_STATUS: &str = "\
Exit status:
  0  nothing at or above --fail-on is left
  1  findings at or above it; or --dry-run: something would change
  2  wrong usage or configuration
  3  a file could not be written";

const INIT_EXAMPLES: &str = "\
Examples:
  modanchor init                            in the root of a git checkout
  modanchor init --dry-run                  only show
  modanchor init --pin COMMIT               run the action of exactly that commit";

const INIT_STATUS: &str = "\
Exit status:
  0  both files are there as shown
  1  --dry-run: something would be written
  2  wrong usage, not the root of a checkout, or a file that differs is there
  3  a file could not be written";

const LOOKUP_EXAMPLES: &str = "\
Examples:
  modanchor lookup golang.org/x/text@v0.14.0
  modanchor lookup golang.org/x/text@v0.14.0/go.mod >> go.sum";

const POLICY_EXAMPLES: &str = "\
Examples:
  modanchor policy check policy.yaml
  modanchor policy test policy.yaml more-tests.yaml
  modanchor policy explain --policy policy.yaml
  modanchor policy baseline report.json > baseline.json";

const POLICY_STATUS: &str = "\
Exit status:
  0  the file is a policy, and says what is expected of it
  1  a test expects something else
  2  wrong usage, or a file that is wrong or cannot be read";

const TUF_EXAMPLES: &str = "\
Examples:
  modanchor tuf --metadata-dir md init root.json
  modanchor tuf --metadata-dir md --metadata-url https://example.com/repo/tuf refresh
  modanchor tuf --metadata-dir md --metadata-url https://example.com/repo/tuf --target-dir files \\
    --target-base-url https://example.com/repo --target-name example.com/m/@v/v1.0.0.zip download
  modanchor tuf --trusted-root root.json --metadata-url https://example.com/repo/tuf refresh";

const TUF_STATUS: &str = "\
Exit status:
  0  metadata is up to date, and every target is in its place
  1  what was served, or the root, must not be believed; or there is no such target
  2  wrong usage
  3  no answer, or a file could not be written";

/// The whole command line.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "modanchor",
    version,
    about = "Checks Go's go.sum against the checksum database, line by line",
    long_about = "Checks Go's go.sum against the checksum database, line by line, with every signature and proof.\n\n\
        Needs no Go. Reads Go's own settings (GOSUMDB, GOPROXY, GOPRIVATE, …), keeps what it has verified, and \
        remembers the database's history, so that a database that changes it is found out.",
    after_help = EXIT_STATUS,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Cli {
    /// What to say, and how.
    #[command(flatten)]
    pub terminal: TerminalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// One subcommand.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Compare every line of go.sum with the checksum database, and the bytes with the lines
    #[command(after_help = EXIT_STATUS, after_long_help = format!("{VERIFY_EXAMPLES}\n\n{EXIT_STATUS}"))]
    Verify(VerifyArgs),
    /// Print the go.sum lines that the checksum database proves for module versions
    ///
    /// The lines go to stdout in the order asked, all of them or none. MODULE@VERSION asks for the line of
    /// the module's zip, MODULE@VERSION/go.mod for that of its go.mod.
    #[command(
        after_help = LOOKUP_STATUS,
        after_long_help = format!("{LOOKUP_EXAMPLES}\n\n{LOOKUP_STATUS}")
    )]
    Lookup(LookupArgs),
    /// Print the h1 hash of a module's zip, folder or go.mod, as go.sum has it
    #[command(after_help = HASH_STATUS, after_long_help = format!("{HASH_EXAMPLES}\n\n{HASH_STATUS}"))]
    Hash(HashArgs),
    /// Print the in-toto statement of a module version, for its author to sign
    ///
    /// The subject is the module's zip, by go.sum's h1 (`dirHash1`) and by its SHA-256. Nothing is fetched, written or
    /// signed.
    #[command(after_help = STATEMENT_STATUS, after_long_help = format!("{STATEMENT_EXAMPLES}\n\n{STATEMENT_STATUS}"))]
    Statement(StatementArgs),
    /// Add missing and sort go.sum lines, only such as the checksum database proves
    ///
    /// Shows what changes, then writes. A line that differs from the database is never overwritten, and a go.sum with
    /// a line that is none is left alone.
    #[command(after_help = FIX_STATUS, after_long_help = format!("{FIX_EXAMPLES}\n\n{FIX_STATUS}"))]
    Fix(FixArgs),
    /// Find settings that disarm Go's own checks: in the environment, go.env, CI files, images and scripts
    ///
    /// Reads the settings in force where it runs, and below PATH: GitHub workflows and actions, GitLab CI, Compose and
    /// other YAML, Dockerfiles, Makefiles, shell scripts, devcontainer.json, go.env and .env files.
    #[command(after_help = LINT_STATUS, after_long_help = format!("{LINT_EXAMPLES}\n\n{LINT_STATUS}"))]
    Lint(LintArgs),
    /// Write a GitHub workflow and a first configuration, showing what will be written
    ///
    /// The workflow runs modanchor on pushes to the default branch, on pull requests and in the merge queue. A file
    /// that is there and differs is never replaced without --force.
    #[command(after_help = INIT_STATUS, after_long_help = format!("{INIT_EXAMPLES}\n\n{INIT_STATUS}"))]
    Init(InitArgs),
    /// A TUF client: refresh a repository's metadata, and fetch targets that it signs
    ///
    /// `init` takes root metadata that was got on a way that is trusted as the beginning, and makes no request. `refresh`
    /// brings metadata up to date. `download` does that too, and fetches targets: what is written is what is signed.
    #[command(after_help = TUF_STATUS, after_long_help = format!("{TUF_EXAMPLES}\n\n{TUF_STATUS}"))]
    Tuf(TufArgs),
    /// The policy: which grade each module must have, and what a grade takes
    #[command(after_help = POLICY_STATUS, after_long_help = format!("{POLICY_EXAMPLES}\n\n{POLICY_STATUS}"))]
    Policy(PolicyArgs),
    /// Publish a TUF repository: which module versions are approved, by whom
    ///
    /// The metadata is what every TUF client reads; the tree is a module proxy too. Changes wait in a working copy until
    /// `publish`.
    #[command(after_help = super::repo::args::STATUS, after_long_help = format!("{}\n\n{}", super::repo::args::EXAMPLES, super::repo::args::STATUS))]
    Repo(Box<RepoArgs>),
    /// Verify a Sigstore signature of a file, as cosign does
    Sigstore(SigstoreArgs),
    /// Judge a recorded run again, without a network
    ///
    /// EVIDENCE is what `--record` wrote. The same component gives the same report, byte for byte, and the same status. What
    /// that proves, and what the recorder only says, is told on stderr.
    #[command(after_help = REPLAY_STATUS, after_long_help = format!("{REPLAY_EXAMPLES}\n\n{REPLAY_STATUS}"))]
    Replay(Box<ReplayArgs>),
    /// Look into recorded runs: what they prove, how two differ, what of one is enough
    Evidence(EvidenceArgs),
    /// Say what a rule means, or who says what about a module version
    #[command(after_long_help = EXPLAIN_EXAMPLES)]
    Explain(ExplainArgs),
    /// Verify, in a step of GitHub Actions: what action.yml runs
    ///
    /// Inputs are read from MODANCHOR_INPUT_… variables, outputs go to GITHUB_OUTPUT. The status is the output
    /// `status`, with which the action's last step ends; this one ends with 0 if that could be written.
    Action,
    /// Print completions for a shell
    #[command(after_help = "Example:\n  modanchor completions bash > /etc/bash_completion.d/modanchor")]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one page per command
    Man(ManArgs),
}

const REPLAY_STATUS: &str = "\
Exit status:
  0  as recorded: nothing at or above the recorder's --fail-on
  1  as recorded: findings at or above it; or the evidence was changed, or is not signed as it has to be
  2  wrong usage: no such file
  3  as recorded: something could not be checked; or this program has another component than the recorder's";

const REPLAY_EXAMPLES: &str = "\
Examples:
  modanchor verify --record run.evidence
  modanchor replay run.evidence
  modanchor replay --format json run.evidence
  modanchor replay --require-signer key:cosign.pub run.evidence
  modanchor replay --require-signer identity:ci@example.com \\
    --signer-issuer https://accounts.example.com run.evidence";

const LOOKUP_STATUS: &str = "\
Exit status:
  0  every line asked for is on stdout
  1  an answer that must not be believed
  2  wrong usage: not a module path, or not a version
  3  no answer, no record, or kept from the database by GONOSUMDB";

/// Flags of every command.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Terminal")]
pub struct TerminalArgs {
    /// When to use colour
    ///
    /// `auto` means: on a terminal, and NO_COLOR is not set.
    #[arg(long, global = true, value_enum, value_name = "auto|always|never", default_value_t = Color::Auto, hide_possible_values = true)]
    pub color: Color,
    /// Say less: only findings that fail the run or keep it from passing; no progress bar, no summary
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Say more: notes too, every finding, and how much is fetched
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Whether a runner of a CI service reads along and takes some lines for commands: see [`crate::output::workflow`].
    /// No flag: the environment says so, and `main` asks it.
    #[arg(skip)]
    pub runner: bool,
}

/// `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, and NO_COLOR is not set.
    #[default]
    Auto,
    /// Also into a pipe or file.
    Always,
    /// Never.
    Never,
}

impl From<Color> for anstream::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// `modanchor verify`.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// Folders, go.mod, go.sum, go.work or go.work.sum files, or built Go programs
    ///
    /// Of a folder, every module below it is verified; not those in `vendor`, `testdata`, and names that begin with
    /// `_` or `.`. Of a program, the modules that its build info records.
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Leave out files and folders below PATH that match, as in .gitignore
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
    pub exclude: Vec<String>,
    /// From which severity on a finding fails the run
    #[arg(long, value_enum, value_name = "critical|high|medium|low|never", default_value_t = FailOn::Medium, hide_possible_values = true)]
    pub fail_on: FailOn,
    /// Pass (0) although something could not be checked
    #[arg(long)]
    pub allow_incomplete: bool,
    /// Bytes.
    #[command(flatten)]
    pub bytes: BytesArgs,
    /// Signatures.
    #[command(flatten)]
    pub signatures: SignatureArgs,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Evidence.
    #[command(flatten)]
    pub record: RecordArgs,
    /// The repository.
    #[command(flatten)]
    pub repository: RepositoryArgs,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Database, network and cache.
    #[command(flatten)]
    pub sumdb: SumdbArgs,
}

/// Which bytes are checked, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Bytes")]
pub struct BytesArgs {
    /// Whether to check the go command's module cache, GOMODCACHE
    ///
    /// `auto` checks what is there of the modules in go.sum: zips, extracted folders, go.mod files, .ziphash and .info.
    /// With `require` nothing that a build needs may be absent.
    #[arg(long, value_enum, value_name = "auto|require|off", default_value_t = Presence::Auto, hide_possible_values = true)]
    pub modcache: Presence,
    /// Where zips may come from: the module cache alone, or those that are not in it through GOPROXY
    ///
    /// What is downloaded is hashed and thrown away. `direct` is never used.
    #[arg(long, value_enum, value_name = "cache|download", default_value_t = Zips::Cache, hide_possible_values = true)]
    pub zips: Zips,
    /// Whether to check vendor folders
    ///
    /// `auto` compares vendor/modules.txt with go.mod, and every vendored file with the module's zip where that is at
    /// hand. With `require` every zip has to be.
    #[arg(long, value_enum, value_name = "auto|require|off", default_value_t = Presence::Auto, hide_possible_values = true)]
    pub vendor: Presence,
    /// What hashes: native code on all cores, or the component, which does the same slower
    #[arg(
        long,
        value_enum,
        value_name = "native|component",
        default_value_t = HashEngine::Native,
        hide_possible_values = true
    )]
    pub hash_engine: HashEngine,
}

/// Whose signatures of modules count, and where they are.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Signatures")]
pub struct SignatureArgs {
    /// Where signed statements about modules are looked for; can be repeated
    ///
    /// `module-cache` and `proxy`: VERSION.sigstore.json beside the zip. `github`: the attestations of the module's
    /// repository. `folder:DIR`: laid out as a proxy is. `template:URL`: with {path}, {version} and {sha256}. Nowhere,
    /// unless a policy or the configuration asks for it.
    #[arg(long, value_name = "PLACE", action = ArgAction::Append)]
    pub attestations: Vec<AttestationPlace>,
    /// Believe this trusted_root.json, in place of Sigstore's and GitHub's that ship with the program
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trusted_root: Option<PathBuf>,
    /// Do not ask Rekor for what a signature comes without
    #[arg(long)]
    pub no_rekor: bool,
    /// Which grade each module must have: a policy, YAML (docs/policy.md), in place of the configuration's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Modules are only asked not to get worse than here: what `policy baseline` printed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub baseline: Option<PathBuf>,
}

/// `--modcache` and `--vendor`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Presence {
    /// What is there.
    #[default]
    Auto,
    /// It has to be there.
    Require,
    /// Not at all.
    Off,
}

impl From<Presence> for contract::Presence {
    fn from(presence: Presence) -> Self {
        match presence {
            Presence::Auto => Self::Auto,
            Presence::Require => Self::Required,
            Presence::Off => Self::Off,
        }
    }
}

/// `--zips`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Zips {
    /// From the module cache alone.
    #[default]
    Cache,
    /// Also through GOPROXY.
    Download,
}

impl From<Zips> for contract::Zips {
    fn from(zips: Zips) -> Self {
        match zips {
            Zips::Cache => Self::Cache,
            Zips::Download => Self::Download,
        }
    }
}

/// `--hash-engine`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum HashEngine {
    /// Native code.
    #[default]
    Native,
    /// The component.
    Component,
}

impl HashEngine {
    /// What does the hashing then.
    ///
    /// # Errors
    /// The component does not load.
    pub fn load(self) -> Result<hashing::HashEngine, EngineError> {
        Ok(match self {
            Self::Native => hashing::HashEngine::Native,
            Self::Component => hashing::HashEngine::Component(Engine::new(Limits::default())?),
        })
    }
}

impl From<&BytesArgs> for contract::Bytes {
    fn from(args: &BytesArgs) -> Self {
        Self { module_cache: args.modcache.into(), zips: args.zips.into(), vendor: args.vendor.into() }
    }
}

/// How findings are shown in the repository that they are about.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Repository")]
pub struct RepositoryArgs {
    /// Annotate only lines that the pull request adds or changes
    ///
    /// For `--format github` and `--check-run`, in GitHub Actions: by git, or by the API in a shallow clone. The verdict,
    /// the status and the other formats have all findings.
    #[arg(long)]
    pub changed_only: bool,
    /// Also make a check run of this name on the commit, through GitHub's Checks API
    ///
    /// In GitHub Actions, with GITHUB_TOKEN and `checks: write`. If that may not be, the findings are printed as
    /// workflow commands.
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub check_run: Option<String>,
    /// Tells apart several SARIF files of one commit [default: modanchor, and the folder that is verified]
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub category: Option<String>,
}

/// `modanchor hash`.
#[derive(Debug, Clone, Args)]
pub struct HashArgs {
    /// Of what.
    #[command(subcommand)]
    pub what: HashWhat,
    /// What hashes: native code, or the component, which does the same slower
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "native|component",
        default_value_t = HashEngine::Native,
        hide_possible_values = true
    )]
    pub hash_engine: HashEngine,
}

/// What `modanchor hash` hashes.
#[derive(Debug, Clone, Subcommand)]
pub enum HashWhat {
    /// A module zip, as the go command downloads it
    Zip {
        /// The zip
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// What it is the zip of; not needed with --no-check
        #[arg(value_name = "MODULE@VERSION", required_unless_present = "no_check")]
        module: Option<String>,
        /// Only hash: do not refuse what breaks Go's rules for module zips
        #[arg(long)]
        no_check: bool,
    },
    /// A module's folder, as the go command extracts it
    Dir {
        /// The folder
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// What it is the folder of: the names in the hash begin with it
        #[arg(value_name = "MODULE@VERSION")]
        module: String,
        /// Only hash: do not refuse what breaks Go's rules for modules
        #[arg(long)]
        no_check: bool,
    },
    /// A go.mod: the hash of a `/go.mod` line
    Mod {
        /// The go.mod
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// `modanchor statement`.
#[derive(Debug, Clone, Args)]
pub struct StatementArgs {
    /// Of which module version
    #[arg(value_name = "MODULE@VERSION")]
    pub module: String,
    /// The module's zip [default: the one in the module cache]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub zip: Option<PathBuf>,
    /// What is said about it, a JSON object [default: which release it is]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "predicate_type")]
    pub predicate: Option<PathBuf>,
    /// Of which type that is
    #[arg(long, value_name = "URI", value_parser = super::statement::predicate_type, requires = "predicate")]
    pub predicate_type: Option<String>,
    /// What hashes: native code, or the component, which does the same slower
    #[arg(
        long,
        value_enum,
        value_name = "native|component",
        default_value_t = HashEngine::Native,
        hide_possible_values = true
    )]
    pub hash_engine: HashEngine,
}

/// `modanchor fix`.
#[derive(Debug, Clone, Args)]
pub struct FixArgs {
    /// Folders, go.mod, go.sum or go.work files, as for `verify`
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Leave out files and folders below PATH that match, as in .gitignore
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
    pub exclude: Vec<String>,
    /// Show what would change, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Database, network and cache.
    #[command(flatten)]
    pub sumdb: SumdbArgs,
}

/// `modanchor lint`.
#[derive(Debug, Clone, Args)]
pub struct LintArgs {
    /// Folders and files; a file that is named is read whatever its name is
    ///
    /// Of a folder, every file below it whose name or first line says that it may hold settings; not those in `vendor`,
    /// `testdata`, `node_modules` and `.git`.
    #[arg(value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Leave out files and folders below PATH that match, as in .gitignore
    #[arg(long, value_name = "GLOB", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
    pub exclude: Vec<String>,
    /// From which severity on a finding fails the run
    #[arg(long, value_enum, value_name = "critical|high|medium|low|never", default_value_t = FailOn::Medium, hide_possible_values = true)]
    pub fail_on: FailOn,
    /// Change what can be changed safely, after showing a diff; the environment is never changed
    #[arg(long)]
    pub fix: bool,
    /// With --fix: show what would change, and write nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// `modanchor init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The root of a git checkout
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub dir: PathBuf,
    /// Run the action of this commit, 40 hexadecimal digits, which nobody can change afterwards
    #[arg(long, value_name = "COMMIT", value_parser = commit)]
    pub pin: Option<Commit>,
    /// Show what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Replace files that differ, and write into a folder that is no root of a checkout
    #[arg(long)]
    pub force: bool,
}

/// The full name of a commit: 40 or 64 hexadecimal digits.
fn commit(text: &str) -> Result<Commit, String> {
    Commit::parse(&text.to_ascii_lowercase()).ok_or_else(|| {
        "not a whole commit: 40 hexadecimal digits; `git ls-remote` and GitHub's page of a release show it".to_owned()
    })
}

/// `modanchor lookup`.
#[derive(Debug, Clone, Args)]
pub struct LookupArgs {
    /// Which module versions, for example `golang.org/x/text@v0.14.0`
    #[arg(value_name = "MODULE@VERSION", required = true, value_parser = NonEmptyStringValueParser::new())]
    pub queries: Vec<String>,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Evidence.
    #[command(flatten)]
    pub record: RecordArgs,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Database, network and cache.
    #[command(flatten)]
    pub sumdb: SumdbArgs,
}

/// `modanchor tuf`.
#[derive(Debug, Clone, Args)]
pub struct TufArgs {
    /// What to do
    #[arg(value_enum, value_name = "init|refresh|download", hide_possible_values = true)]
    pub action: TufAction,
    /// With init: the root metadata to begin with
    #[arg(value_name = "ROOT", required_if_eq("action", "init"), value_hint = ValueHint::FilePath)]
    pub root: Option<PathBuf>,
    /// Where metadata is kept: ROLE.json, as served, and root_history
    ///
    /// [default, with --trusted-root: `tuf` in the cache folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub metadata_dir: Option<PathBuf>,
    /// Where the repository has its metadata: an https, http or file URL, or a folder
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub metadata_url: Option<String>,
    /// The root metadata to begin with, instead of what `init` has put into --metadata-dir
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trusted_root: Option<PathBuf>,
    /// With download: the path of a target; can be repeated. The first that fails ends the run
    #[arg(long = "target-name", value_name = "PATH", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
    pub target_names: Vec<String>,
    /// With download: where targets are put
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub target_dir: Option<PathBuf>,
    /// With download: where the repository has its targets [default: `targets` below --metadata-url]
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub target_base_url: Option<String>,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Network and cache.
    #[command(flatten)]
    pub network: NetworkArgs,
}

/// `modanchor policy`.
#[derive(Debug, Clone, Args)]
pub struct PolicyArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: PolicyAction,
}

/// What `modanchor policy` does.
#[derive(Debug, Clone, Subcommand)]
pub enum PolicyAction {
    /// Say what is wrong with a policy file
    Check {
        /// The policy, YAML (docs/policy.md)
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Compare what a policy says with what is expected of it
    Test {
        /// The policy, with its own `tests`
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Files of more tests
        #[arg(value_name = "TESTS", value_hint = ValueHint::FilePath)]
        tests: Vec<PathBuf>,
    },
    /// Verify, and say of every module which rule it was graded by and what became of each condition
    ///
    /// Takes what `verify` takes. With --format json the report itself: `rulings` of each module.
    Explain(Box<VerifyArgs>),
    /// Print the baseline that a report makes: today's grades as the floor
    Baseline {
        /// A report in JSON, of `modanchor verify --format json=FILE`
        #[arg(value_name = "REPORT", value_hint = ValueHint::FilePath)]
        report: PathBuf,
    },
}

/// What `modanchor tuf` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TufAction {
    /// Begin with this root metadata.
    Init,
    /// Bring metadata up to date.
    Refresh,
    /// Fetch targets.
    Download,
}

/// `modanchor replay`.
#[derive(Debug, Clone, Args)]
pub struct ReplayArgs {
    /// What `--record` wrote
    #[arg(value_name = "EVIDENCE", value_hint = ValueHint::FilePath)]
    pub evidence: PathBuf,
    /// Go on where another component recorded: the report is then this one's
    #[arg(long)]
    pub other_component: bool,
    /// Fail (1) unless every key, root, policy and file that it stands on is the viewer's: for a gate
    #[arg(long)]
    pub require_same: bool,
    /// The viewer's own.
    #[command(flatten)]
    pub own: OwnArgs,
    /// Who must have signed it.
    #[command(flatten)]
    pub signer: SignedByArgs,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Evidence of this time.
    #[command(flatten)]
    pub record: RecordArgs,
}

/// What the viewer has, to compare evidence with.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Compared with")]
pub struct OwnArgs {
    /// The folder whose files the ones that were judged are compared with
    #[arg(long = "in", value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    pub folder: PathBuf,
    /// The checksum database, as GOSUMDB has it [default: GOSUMDB]
    #[arg(long, value_name = "\"NAME[+KEY] [URL]\"", value_parser = NonEmptyStringValueParser::new())]
    pub sumdb: Option<String>,
    /// This trusted_root.json, in place of those that ship with the program
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub trusted_root: Option<PathBuf>,
    /// This configuration's TUF repositories and policy
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
}

/// Who must have signed evidence.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Signature")]
pub struct SignedByArgs {
    /// Refuse evidence that this key or identity has not signed: `key:FILE` (PEM) or `identity:SUBJECT`
    #[arg(long, value_name = "SIGNER")]
    pub require_signer: Option<RequiredSigner>,
    /// Who vouches for the identity: its OIDC issuer
    #[arg(long, value_name = "URL", requires = "require_signer", value_parser = NonEmptyStringValueParser::new())]
    pub signer_issuer: Option<String>,
    /// The signature: a Sigstore bundle, as `cosign sign-blob --bundle` writes it [default: EVIDENCE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "require_signer", value_hint = ValueHint::FilePath)]
    pub bundle: Option<PathBuf>,
}

/// `--require-signer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequiredSigner {
    /// A public key, PEM.
    Key(PathBuf),
    /// A certificate's subject alternative name, exactly.
    Identity(String),
}

impl FromStr for RequiredSigner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("key", file)) if !file.is_empty() => Ok(Self::Key(PathBuf::from(file))),
            Some(("identity", subject)) if !subject.is_empty() => Ok(Self::Identity(subject.to_owned())),
            _ => Err("expected key:FILE or identity:SUBJECT".to_owned()),
        }
    }
}

/// `modanchor evidence`.
#[derive(Debug, Clone, Args)]
pub struct EvidenceArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: EvidenceAction,
}

/// What `modanchor evidence` does.
#[derive(Debug, Clone, Subcommand)]
pub enum EvidenceAction {
    /// Judge again, and say what evidence proves and what it only says
    Show {
        /// What `--record` wrote
        #[arg(value_name = "EVIDENCE", value_hint = ValueHint::FilePath)]
        evidence: PathBuf,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// The viewer's own.
        #[command(flatten)]
        own: OwnArgs,
    },
    /// Say what differs between two recorded runs: inputs, anchors, settings, answers, findings
    ///
    /// The status is 0 where nothing differs, and 1 otherwise.
    Diff {
        /// What `--record` wrote
        #[arg(value_name = "EVIDENCE", value_hint = ValueHint::FilePath)]
        one: PathBuf,
        /// Another time
        #[arg(value_name = "EVIDENCE", value_hint = ValueHint::FilePath)]
        other: PathBuf,
    },
    /// Write the smallest part that shows the same findings, to be passed on
    ///
    /// Files and lines of go.sum are left out as long as the component finds the same.
    Minimize {
        /// What `verify --record` wrote
        #[arg(value_name = "EVIDENCE", value_hint = ValueHint::FilePath)]
        evidence: PathBuf,
        /// Where to
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        output: PathBuf,
        /// Only findings of this rule count; can be repeated [default: all]
        #[arg(long = "rule", value_name = "RULE", action = ArgAction::Append, value_parser = NonEmptyStringValueParser::new())]
        rules: Vec<String>,
    },
}

/// `modanchor explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// Rules' ids, for example `gosum-mismatch`, or module versions; without one, all rules are listed
    #[arg(value_name = "RULE|MODULE@VERSION")]
    pub topics: Vec<String>,
    /// Where a module version may be used: as for `verify`
    #[arg(long = "in", value_name = "PATH", default_value = ".", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,
    /// Bytes.
    #[command(flatten)]
    pub bytes: BytesArgs,
    /// Signatures.
    #[command(flatten)]
    pub signatures: SignatureArgs,
    /// Formats.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Database, network and cache.
    #[command(flatten)]
    pub sumdb: SumdbArgs,
}

/// `modanchor completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// `modanchor man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write one page per command into this folder, which must exist
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// In which formats, and where to.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// `human`, `json`, `sarif`, `github` or `markdown`, on stdout or into a file; can be repeated
    ///
    /// FORMAT alone goes to stdout; at most one can. FORMAT=FILE is written whole or not at all, and stdout then gets
    /// `human` unless another format asks for it.
    #[arg(long = "format", value_name = "FORMAT[=FILE]", action = ArgAction::Append)]
    pub formats: Vec<FormatTarget>,
}

impl OutputArgs {
    /// The files that are written.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.formats.iter().filter_map(|target| target.file.as_deref())
    }
}

/// Whether evidence is written.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct RecordArgs {
    /// Write evidence of the run: whoever has it can judge again with `modanchor replay`
    ///
    /// All that was asked and answered, with the files that were judged (docs/evidence.md). No token or password, and no
    /// absolute path.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

impl RecordArgs {
    /// The file that is written.
    pub fn file(&self) -> Option<&Path> {
        self.record.as_deref()
    }
}

/// A format of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// `modanchor-report/1`, docs/report.md.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, one for each annotation.
    Github,
    /// A job summary.
    Markdown,
}

/// One `--format`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatTarget {
    /// Which format.
    pub format: Format,
    /// Where to; none: stdout.
    pub file: Option<PathBuf>,
}

impl FromStr for FormatTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("no file after `=`".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = Format::from_str(name, false).map_err(|_| {
            let names = Format::value_variants()
                .iter()
                .filter_map(ValueEnum::to_possible_value)
                .map(|value| value.get_name().to_owned())
                .collect::<Vec<_>>();
            format!("no such format; there are: {}", names.join(", "))
        })?;
        Ok(Self { format, file })
    }
}

/// `--fail-on`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// `critical` alone.
    Critical,
    /// `high` and above.
    High,
    /// `medium` and above.
    #[default]
    Medium,
    /// `low` and above.
    Low,
    /// No finding fails the run.
    Never,
}

impl From<FailOn> for contract::FailOn {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Critical => Self::Critical,
            FailOn::High => Self::High,
            FailOn::Medium => Self::Medium,
            FailOn::Low => Self::Low,
            FailOn::Never => Self::Never,
        }
    }
}

/// Which configuration.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Read this configuration (TOML, docs/configuration.md); one found in the checkout is never read by itself
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read none, and do not mention one that lies in the checkout
    #[arg(long)]
    pub no_config: bool,
}

/// Checksum database, network and cache.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Checksum database")]
pub struct SumdbArgs {
    /// Which checksum database, in the syntax of GOSUMDB, which this overrides
    ///
    /// A URL is asked directly, past all proxies: `--sumdb "sum.golang.org https://sum.golang.org"`. `off` skips
    /// everything.
    #[arg(long, value_name = "NAME[+KEY] [URL]", value_parser = NonEmptyStringValueParser::new())]
    pub sumdb: Option<String>,
    /// Height of the database's tiles, 1 to 30
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=30))]
    pub tile_height: u8,
    /// Network and cache.
    #[command(flatten)]
    pub network: NetworkArgs,
    /// Go's settings that win over the environment. No flag: the inputs of the Action.
    #[arg(skip)]
    pub go_settings: Vec<(Var, String)>,
}

/// Network and cache.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Network and cache")]
pub struct NetworkArgs {
    /// Use no network: only what is cached, and `file://` proxies
    #[arg(long)]
    pub offline: bool,
    /// How many requests at once, 1 to 256
    #[arg(
        short,
        long,
        value_name = "N",
        default_value_t = fetch::DEFAULT_JOBS,
        value_parser = jobs
    )]
    pub jobs: NonZeroUsize,
    /// How long one answer may take, for example `500ms`, `30s`, `2m`
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "30s",
        value_parser = duration
    )]
    pub timeout: Duration,
    /// How long the run may wait for the network in all, retries included
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "5m",
        value_parser = duration
    )]
    pub max_wait: Duration,
    /// Where to keep what was verified [default: $MODANCHOR_CACHE, else the platform's cache folder + modanchor]
    #[arg(
        long,
        value_name = "DIR",
        value_hint = ValueHint::DirPath,
        conflicts_with = "no_cache"
    )]
    pub cache_dir: Option<PathBuf>,
    /// Keep nothing and read nothing that was kept: no memory against forks
    #[arg(long)]
    pub no_cache: bool,
}

impl NetworkArgs {
    /// Of a run that asks for nothing and keeps nothing.
    pub(crate) fn none() -> Self {
        Self {
            offline: true,
            jobs: fetch::DEFAULT_JOBS,
            timeout: Duration::ZERO,
            max_wait: Duration::ZERO,
            cache_dir: None,
            no_cache: true,
        }
    }
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse::<NonZeroUsize>()
        .ok()
        .filter(|jobs| jobs.get() <= MAX_JOBS)
        .ok_or_else(|| format!("not a number from 1 to {MAX_JOBS}"))
}

/// A length of time as people write it: `500ms`, `30s`, `2m`, `1h 30m`. Never zero.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration.is_zero() {
        return Err("must not be zero".to_owned());
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, error::ErrorKind};
    use proptest::prelude::*;

    use super::*;

    fn parse(args: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(std::iter::once(&"modanchor").chain(args))
    }

    fn verify(args: &[&str]) -> VerifyArgs {
        let args: Vec<&str> = std::iter::once(&"verify").chain(args).copied().collect();
        match parse(&args).unwrap().command {
            Command::Verify(args) => args,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn defaults() {
        let args = verify(&[]);
        assert_eq!(args.paths, [PathBuf::from(".")]);
        assert_eq!(args.fail_on, FailOn::Medium);
        assert_eq!(args.sumdb.network.jobs, fetch::DEFAULT_JOBS);
        assert_eq!(args.sumdb.network.timeout, fetch::DEFAULT_TIMEOUT);
        assert_eq!(args.sumdb.network.max_wait, fetch::DEFAULT_MAX_WAIT);
        assert_eq!(args.sumdb.tile_height, 8);
        assert_eq!(args.sumdb.network.timeout, Duration::from_secs(30));
        assert_eq!(args.sumdb.network.max_wait, Duration::from_secs(300));
        assert_eq!(args.output.formats, []);
        assert_eq!(args.sumdb.network.cache_dir, None);
    }

    #[test]
    fn formats() {
        let args = verify(&["--format", "json", "--format", "human=out/a=b.txt"]);
        assert_eq!(
            args.output.formats,
            [
                FormatTarget { format: Format::Json, file: None },
                FormatTarget { format: Format::Human, file: Some("out/a=b.txt".into()) },
            ]
        );
    }

    #[test]
    fn wrong_usage_exits_with_2() {
        for args in [
            &[][..],
            &["frobnicate"],
            &["verify", "--frobnicate"],
            &["verify", "--format", "yaml"],
            &["verify", "--format", "json="],
            &["verify", "--fail-on", "note"],
            &["verify", "--jobs", "0"],
            &["verify", "--jobs", "257"],
            &["verify", "--tile-height", "0"],
            &["verify", "--tile-height", "31"],
            &["verify", "--timeout", "0s"],
            &["verify", "--timeout", "30"],
            &["verify", "--timeout", "-1s"],
            &["verify", "--max-wait", "soon"],
            &["verify", "--sumdb", ""],
            &["verify", "--exclude", ""],
            &["verify", "--modcache", "maybe"],
            &["verify", "--zips", "direct"],
            &["hash"],
            &["hash", "zip", "x.zip"],
            &["hash", "dir", "x"],
            &["hash", "mod"],
            &["statement"],
            &["statement", "m@v1.0.0", "--predicate", "p.json"],
            &["statement", "m@v1.0.0", "--predicate-type", "https://slsa.dev/provenance/v1"],
            &["statement", "m@v1.0.0", "--predicate", "p.json", "--predicate-type", "slsa"],
            &["verify", "--attestations", "rekor"],
            &["verify", "--attestations", "template:https://attest.example/all.json"],
            &["verify", "--config", "x", "--no-config"],
            &["verify", "--cache-dir", "x", "--no-cache"],
            &["verify", "--quiet", "--verbose"],
            &["lookup"],
            &["lookup", "m@v1.0.0", "--allow-incomplete"],
            &["completions", "tcsh"],
            &["lint", "--dry-run"],
            &["lint", "--fail-on", "note"],
            &["lint", "--offline"],
            &["tuf"],
            &["tuf", "update"],
            &["tuf", "init"],
            &["tuf", "refresh", "--target-name", ""],
            &["tuf", "refresh", "--sumdb", "off"],
            &["init", "--pin", "main"],
            &["init", "--pin", "0123456789012345678901234567890123456789a"],
            &["init", "--pin", "012345678901234567890123456789012345678g"],
        ] {
            let error = parse(args).unwrap_err();
            assert_eq!(error.exit_code(), i32::from(crate::cli::USAGE), "{args:?}");
        }
        let error = parse(&["--version"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayVersion);
        assert_eq!(error.exit_code(), 0);
    }

    #[test]
    fn usage_errors_read_well() {
        let errors: Vec<String> = [
            &["verfy"][..],
            &["verify", "--format", "yaml"],
            &["verify", "--jobs", "many"],
            &["verify", "--timeout", "30"],
            &["lookup"],
        ]
        .iter()
        .map(|args| parse(args).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(errors.join("\n----\n"));
    }

    #[test]
    fn help() {
        for name in [
            "",
            "verify",
            "lookup",
            "hash",
            "fix",
            "lint",
            "init",
            "tuf",
            "repo",
            "sigstore",
            "statement",
            "replay",
            "evidence",
            "explain",
            "completions",
            "man",
        ] {
            let args = [name, "--help"];
            let error = parse(if name.is_empty() { &args[1..] } else { &args }).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DisplayHelp);
            insta::assert_snapshot!(format!("help_{name}"), error.to_string());
        }
    }

    /// docs/commands has a page for every command, and names every flag.
    #[test]
    fn docs_name_every_flag() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/commands");
        let read = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap();
        let shared = read("README.md") + &read("verify.md");
        for command in Cli::command().get_subcommands() {
            let page = read(&format!("{}.md", command.get_name())) + &shared;
            let mut all = vec![command];
            while let Some(command) = all.pop() {
                for long in command.get_arguments().filter(|arg| !arg.is_hide_set()).filter_map(|arg| arg.get_long()) {
                    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-');
                    let named = page.split(&format!("--{long}")).skip(1).any(ends);
                    assert!(named, "{}: --{long}", command.get_name());
                }
                all.extend(command.get_subcommands());
            }
        }
        for long in Cli::command().get_arguments().filter_map(|arg| arg.get_long()) {
            assert!(shared.contains(&format!("`--{long}")), "--{long}");
        }
    }

    #[test]
    fn durations() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("2m", 120_000), ("1h 30m", 5_400_000)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn values_never_panic(text in ".{0,40}") {
            let _ = duration(&text);
            let _ = jobs(&text);
            let _ = FormatTarget::from_str(&text);
        }
    }
}
