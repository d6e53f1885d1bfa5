//! The report: what a run found out, as one JSON document, schema `modanchor-report/1` (docs/report.md).
//!
//! The core writes it and every host only shows it, so the types here are the format: [`Report`] serialises to it and
//! deserialises from it. Keys are always present; lists are sorted (findings by file, line and rule); there are no
//! durations and no absolute paths, so that two runs over the same job and answers give the same bytes.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub mod places;
pub mod rules;
pub mod sarif;
pub mod visible;

use crate::policy::judge::Ruling;
pub use places::Places;
pub use rules::{Rule, Severity};

/// The `schema` of a [`Report`].
pub const SCHEMA: &str = "modanchor-report/1";

/// The most findings that a report lists; [`Counts::findings`] counts all of them. The most severe are listed.
///
/// It is GitHub's limit for the results of one SARIF file, so that no renderer has to cut again.
pub const MAX_FINDINGS: usize = 25_000;

/// A whole report.
///
/// `M` is what stands for the modules: a list, or for whoever only reads the findings of a large report,
/// [`serde::de::IgnoredAny`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report<M = Vec<ModuleSummary<'static>>> {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Who judged.
    pub tool: Tool,
    /// The job's `now`, RFC 3339, UTC, whole seconds.
    pub checked_at: String,
    /// In one word.
    pub verdict: Verdict,
    /// The checksum databases that were to be asked; empty with GOSUMDB=off.
    pub sumdbs: Vec<SumdbSummary>,
    /// The TUF repositories that were asked.
    pub repositories: Vec<RepositorySummary>,
    /// The trusted roots of Sigstore that signatures were judged by.
    pub trusted_roots: Vec<TrustedRootSummary>,
    /// The files that were judged, by path.
    pub files: Vec<FileSummary>,
    /// Every module version that a line names, that is vendored, or that was asked about; by path and version.
    pub modules: M,
    /// The files whose signatures were asked about (`sigstore verify-blob`).
    pub artifacts: Vec<ArtifactSummary>,
    /// What is wrong, or could not be checked; by file, line and rule.
    pub findings: Vec<Finding>,
    /// Totals.
    pub counts: Counts,
}

/// Who judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Always `modanchor`.
    pub name: String,
    /// The host's version.
    pub version: String,
    /// `sha256:HEX` of the component.
    pub component: String,
}

/// The verdict in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing at or above `--fail-on`, and everything was checked.
    Pass,
    /// A finding at or above `--fail-on`.
    Fail,
    /// Something could not be checked.
    Incomplete,
}

/// Which memory against forks a run had when it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Floor {
    /// None: any history that is consistent with itself would have been believed.
    None,
    /// The newest head of an earlier run, ours or the go command's.
    Cached,
    /// A head from the configuration.
    Pinned,
}

/// One checksum database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SumdbSummary {
    /// Its name.
    pub name: String,
    /// Size of the newest tree that was accepted; 0 if none was.
    pub tree_size: u64,
    /// Root hash of that tree, base64; the empty string if none was accepted.
    pub root_hash: String,
    /// How many requests for records and tiles went out to it, or to caches that stand for it.
    pub requests: u64,
    /// The patterns that kept lines from it, and by whose word (`GOPRIVATE (environment): corp.example`); or null.
    pub skipped_by: Option<String>,
    /// What protected the run against forks when it began.
    pub floor: Floor,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSummary {
    /// Relative to the folder that is judged.
    pub path: String,
    /// `go.sum`, `go.work.sum`, `go.mod`, `go.work`, `vendor` (its modules.txt) or `program`; of a `lint`, how the file was
    /// read ([`crate::lint::kind`]).
    pub kind: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// How many lines it has.
    pub lines: u64,
}

/// How sure we are of where a module version comes from (docs/policy.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Built as SLSA level 3 asks, by a builder, under an identity and by a publisher that the policy lists.
    Trusted,
    /// A signed statement about exactly its bytes verifies, and the signer is the module's own repository.
    Verified,
    /// Checksums alone, or not even they.
    Unverified,
}

/// One module version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleSummary<'a> {
    /// Module path.
    pub path: Cow<'a, str>,
    /// Version.
    pub version: Cow<'a, str>,
    /// How sure we are.
    pub grade: Grade,
    /// The number of its record in the log, if one was authenticated.
    pub record: Option<u64>,
    /// The lines that name it, by file and line.
    pub lines: Vec<LineSummary<'a>>,
    /// What was measured of its bytes; in the module cache, from a proxy, and vendored.
    pub bytes: Vec<BytesSummary>,
    /// Signed statements that were found about it.
    pub signatures: Vec<SignatureSummary>,
    /// What TUF repositories say of it.
    pub targets: Vec<TargetSummary>,
    /// By which rules of the policy it was graded, and what became of each condition: the rule of its path and, if it stands
    /// in another's place, of that one's. Empty without a policy.
    pub rulings: Vec<Ruling>,
}

/// A trusted root of Sigstore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustedRootSummary {
    /// Its name.
    pub name: String,
    /// By whose word.
    pub set_by: String,
    /// Whether it was refreshed from its TUF repository in this run.
    pub refreshed: bool,
    /// SHA-256 of the trusted_root.json that was used, hexadecimal.
    pub sha256: String,
    /// Until when it is good, RFC 3339; null: no end is known.
    pub expires: Option<String>,
}

/// What became of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignatureStatus {
    /// It verifies, and what it says holds.
    Verified,
    /// It does not, or what it says does not hold; a finding says why.
    Refused,
    /// It could not be found out.
    Unchecked,
}

/// A signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureSummary {
    /// Where it was found: `module-cache`, `proxy`, `github`, `tuf NAME`, …; of a blob, `bundle` or `signature`.
    pub origin: String,
    /// What became of it.
    pub status: SignatureStatus,
    /// The trusted root that vouches for it; null with a key.
    pub root: Option<String>,
    /// The certificate's subject alternative name; of a key, `key:` and the SHA-256 of it.
    pub identity: Option<String>,
    /// The OIDC issuer.
    pub issuer: Option<String>,
    /// The type of what is signed: of a statement, its predicate's.
    pub predicate_type: Option<String>,
    /// By which digest it is about the module's zip: `dirHash1` or `sha256`.
    pub joined_by: Option<String>,
    /// The workflow that built, as the certificate has it.
    pub builder: Option<String>,
    /// What was built.
    pub source_repository: Option<String>,
    /// From which ref.
    pub source_ref: Option<String>,
    /// The highest SLSA build level that can be proven, before a policy looks at the builder.
    pub provable_level: Option<u8>,
    /// Logs in which it is: proven by inclusion.
    pub logged: Vec<String>,
    /// Logs that have promised to take it in.
    pub promised: Vec<String>,
    /// When it was made, as logs and timestamp authorities vouch, RFC 3339, each once.
    pub times: Vec<String>,
}

/// A file whose signature was asked about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArtifactSummary {
    /// Its name.
    pub name: String,
    /// Its SHA-256, hexadecimal.
    pub sha256: String,
    /// Its signatures.
    pub signatures: Vec<SignatureSummary>,
}

/// What became of a line before a TUF repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetStatus {
    /// Approved, with the hash that the line has.
    Approved,
    /// Not approved, and let pass for a while.
    Waived,
    /// Approved with another hash.
    Mismatch,
    /// Not to be used any more.
    Revoked,
    /// Named by no role whose word counts.
    Unapproved,
    /// It could not be found out.
    Unchecked,
}

/// What a TUF repository says of a module's zip or go.mod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetSummary {
    /// The repository's name.
    pub repository: String,
    /// The target's path.
    pub path: String,
    /// What became of the line.
    pub status: TargetStatus,
    /// The role that names it.
    pub role: Option<String>,
    /// The version of that role's metadata.
    pub version: Option<u64>,
    /// Until when that is good.
    pub expires: Option<String>,
    /// The h1 that was approved.
    pub hash: Option<String>,
    /// Where the provenance is, as its keepers say.
    pub provenance: Option<String>,
}

/// A role of a TUF repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleSummary {
    /// `root`, `timestamp`, `snapshot` or `targets`.
    pub name: String,
    /// The version that was verified.
    pub version: u64,
    /// Until when it is good, RFC 3339.
    pub expires: String,
}

/// A TUF repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositorySummary {
    /// Its name.
    pub name: String,
    /// The top-level roles, as far as they were verified, now or in an earlier run.
    pub roles: Vec<RoleSummary>,
    /// How many files were asked of its server.
    pub requests: u64,
    /// What protected the run against rollback when it began: `cached`, or `none`.
    pub floor: Floor,
}

/// What a go.sum line is the hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Of {
    /// The module's zip.
    #[serde(rename = "zip")]
    Zip,
    /// Its go.mod alone: the version field ends in `/go.mod`.
    #[serde(rename = "go.mod")]
    GoMod,
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineStatus {
    /// The checksum database's record has this very line.
    Verified,
    /// The record says otherwise.
    Mismatch,
    /// Not to be asked: GONOSUMDB, GOPRIVATE or GOSUMDB=off.
    Skipped,
    /// No answer that could be verified.
    Unchecked,
    /// The database says that it has no record.
    Unknown,
}

/// One line of a go.sum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSummary<'a> {
    /// The file's path.
    pub file: Cow<'a, str>,
    /// 1-based.
    pub line: u32,
    /// What it is the hash of.
    pub of: Of,
    /// The hash as written.
    pub hash: Cow<'a, str>,
    /// What became of it.
    pub status: LineStatus,
    /// The number of the record in the log, if one was authenticated.
    pub record: Option<u64>,
}

/// Which bytes of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// Its zip, in the module cache or from a proxy.
    Zip,
    /// The folder that the go command extracted it to.
    Dir,
    /// Its go.mod in the module cache.
    #[serde(rename = "go.mod")]
    GoMod,
    /// Its files below a vendor folder.
    Vendor,
}

impl What {
    /// As in the report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Dir => "dir",
            Self::GoMod => "go.mod",
            Self::Vendor => "vendor",
        }
    }
}

/// What became of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BytesStatus {
    /// They have the hash that the checksum database has logged; where it was not to be asked or gave no answer, that of
    /// the lines, whose own status says so.
    Verified,
    /// They have another.
    Mismatch,
    /// They are not there.
    Absent,
    /// They cannot be a module's: the archive is broken, or breaks the rules of module zips.
    Refused,
    /// They could not be read, or nobody says what they should be.
    Unchecked,
}

/// What was measured of a module's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BytesSummary {
    /// Which bytes.
    pub what: What,
    /// What became of them.
    pub status: BytesStatus,
    /// The measured h1, if there is one.
    pub hash: Option<String>,
}

/// Something to tell a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// How bad.
    pub severity: Severity,
    /// What happened, in one sentence.
    pub message: String,
    /// The file; null if it is about no file, as in a `lookup`.
    pub file: Option<String>,
    /// 1-based line; null if it is about the file as a whole.
    pub line: Option<u32>,
    /// 1-based first column, in characters.
    pub column: Option<u32>,
    /// Column after the last one.
    pub end_column: Option<u32>,
    /// Module path.
    pub module: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// What was expected.
    pub expected: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// By whose word the expected is expected: `sum.golang.org record 34 in tree 71848828`, …
    pub by: Option<String>,
    /// What to do next.
    pub help: String,
    /// SHA-256 over rule, module, version, kind, file, and an ordinal where those are equal; never the line number.
    pub fingerprint: String,
}

/// Totals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Module versions.
    pub modules: u64,
    /// Lines that are entries; blank lines are not.
    pub lines: u64,
    /// Lines that the database confirms.
    pub verified: u64,
    /// Lines that were not to be asked.
    pub skipped: u64,
    /// Lines without an answer, and lines of modules that the database does not know.
    pub unchecked: u64,
    /// What was measured.
    pub bytes: BytesCounts,
    /// Findings by severity, all of them, also those past [`MAX_FINDINGS`].
    pub findings: SeverityCounts,
    /// Findings that the configuration ignores.
    pub ignored: u64,
    /// Lines that TUF repositories approve, with the hash that they have.
    pub approved: u64,
    /// Module versions that no TUF repository answers for; 0 if there is no repository.
    pub uncovered: u64,
    /// Module versions whose zip a line names, by their grade. All 0 where there is neither a policy nor an attestation that
    /// verifies.
    pub grades: GradeCounts,
}

/// How many module versions have which grade.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the grade of its name")]
pub struct GradeCounts {
    pub trusted: u64,
    pub verified: u64,
    pub unverified: u64,
}

impl GradeCounts {
    /// How many were graded.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.trusted + self.verified + self.unverified
    }

    /// Counts one more.
    pub(crate) fn add(&mut self, grade: Grade) {
        match grade {
            Grade::Trusted => self.trusted += 1,
            Grade::Verified => self.verified += 1,
            Grade::Unverified => self.unverified += 1,
        }
    }
}

/// How many zips, folders, go.mod files and vendored modules have the hash that they should have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the kind of bytes of its name")]
pub struct BytesCounts {
    pub zip: u64,
    pub dir: u64,
    #[serde(rename = "go.mod")]
    pub go_mod: u64,
    pub vendor: u64,
    /// What lines speak of and is not there.
    pub absent: u64,
}

impl BytesCounts {
    /// Counts one more.
    pub(crate) fn add(&mut self, summary: &BytesSummary) {
        match (summary.status, summary.what) {
            (BytesStatus::Absent, _) => self.absent += 1,
            (BytesStatus::Verified, What::Zip) => self.zip += 1,
            (BytesStatus::Verified, What::Dir) => self.dir += 1,
            (BytesStatus::Verified, What::GoMod) => self.go_mod += 1,
            (BytesStatus::Verified, What::Vendor) => self.vendor += 1,
            _ => {}
        }
    }
}

impl SeverityCounts {
    /// Counts one more.
    pub fn add(&mut self, severity: Severity) {
        *match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Note => &mut self.note,
        } += 1;
    }

    /// All but the notes: what a person has to do something about.
    pub fn without_notes(&self) -> u64 {
        self.critical + self.high + self.medium + self.low
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.without_notes() + self.note
    }
}

/// Findings by severity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each field is the severity of its name")]
pub struct SeverityCounts {
    pub critical: u64,
    pub high: u64,
    pub medium: u64,
    pub low: u64,
    pub note: u64,
}
