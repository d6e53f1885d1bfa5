//! What evidence proves, and what it only says.
//!
//! A replay shows that a verdict follows from a job and from answers. Whether those were so at the time is another question, and
//! the answer differs for each of them:
//!
//! - What a log, a TUF repository or a signer has signed is verified again, by the anchors in the job. It is as good as those:
//!   they are listed, and compared with the viewer's own.
//! - The inputs are listed by their digests, and compared with files that the viewer has.
//! - Everything else is the recorder's word, and counted here: the time, what was measured on its machine, answers that nobody
//!   signs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::Evidence;
use super::json::{digest, text};
use crate::contract::{
    Answer, Artifact, Checkout, FailOn, Failure, FileKind, Identity, Instant, Item, Job, Measure, Presence, Recall,
    Request, Signer, Subject, Sumdb, Task,
};
use crate::output::text::{count, escape};

/// What the viewer has, to compare with.
#[derive(Debug, Default)]
pub struct Viewer {
    /// Anchors by what they are and how they are called.
    pub anchors: BTreeMap<(Kind, String), String>,
    /// The digests of files, by their path in the job. Those that are not here are absent.
    pub files: BTreeMap<String, String>,
}

/// What an anchor is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A checksum database: its verifier key.
    Sumdb,
    /// A witness of a checksum database: its verifier key.
    Witness,
    /// A TUF repository that approves modules: the digest of its trusted root.
    Tuf,
    /// A trusted root of Sigstore: the digest of the copy that was at hand.
    Sigstore,
    /// The TUF repository that a trusted root of Sigstore is taken from: the digest of its trusted root. It approves nothing.
    SigstoreTuf,
    /// A public key: its digest.
    Key,
    /// Authorities that stand for those of the trusted roots (`--certificate-chain`): the digest of the PEM.
    Authorities,
    /// Whose signature was asked for.
    Signer,
    /// The policy: the digest of its JSON.
    Policy,
}

impl Kind {
    /// For people.
    const fn name(self) -> &'static str {
        match self {
            Self::Sumdb => "checksum database",
            Self::Witness => "witness",
            Self::Tuf => "TUF repository",
            Self::Sigstore => "trusted root of Sigstore",
            Self::SigstoreTuf => "TUF repository of a trusted root",
            Self::Key => "public key",
            Self::Authorities => "authorities in place of a trusted root's",
            Self::Signer => "signer of",
            Self::Policy => "policy",
        }
    }
}

/// Whether something is as the viewer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// It is.
    Same,
    /// The viewer has another, or it was judged as something else than its name says.
    Differs,
    /// The viewer has none.
    Unknown,
}

/// What the proofs in evidence stand on.
#[derive(Debug, Serialize)]
pub struct Anchor {
    /// Of what.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// A key, or `sha256:HEX`.
    pub value: String,
    /// By whose word it was taken, as the recorder says.
    pub set_by: String,
    /// Beside the viewer's own.
    pub yours: Compared,
}

/// A file that was judged.
#[derive(Debug, Serialize)]
pub struct Input {
    /// Its path in the report.
    pub path: String,
    /// What it was judged as, where its name does not say it: a go.sum that is taken for a go.mod has no lines to verify.
    pub judged_as: Option<&'static str>,
    /// `sha256:HEX`.
    pub sha256: String,
    /// Beside the viewer's own.
    pub yours: Compared,
}

/// An anchor that the viewer has.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Unused {
    /// Of what.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

/// Something that is the recorder's word alone.
#[derive(Debug, Serialize)]
pub struct Said {
    /// What.
    pub what: &'static str,
    /// How often.
    pub times: u64,
    /// The first of them, as an example.
    pub first: String,
}

/// All that a file proves or says.
#[derive(Debug, Serialize)]
pub struct Claims {
    /// The program that recorded.
    pub tool_version: String,
    /// The component that judged, `sha256:HEX`.
    pub component: String,
    /// When it says that it was recorded, RFC 3339.
    pub now: String,
    /// The verdict: `pass`, `fail` or `incomplete`.
    pub verdict: &'static str,
    /// The exit status.
    pub status: u8,
    /// How many times the core asked.
    pub rounds: usize,
    /// How many questions it asked.
    pub questions: usize,
    /// What the proofs stand on.
    pub anchors: Vec<Anchor>,
    /// What the viewer would have asked, and the recorder did not: nothing is proven by it.
    pub unused: Vec<Unused>,
    /// What was judged.
    pub inputs: Vec<Input>,
    /// What nobody signs.
    pub said: Vec<Said>,
}

impl Claims {
    /// Those of `evidence`, beside what `viewer` has.
    #[must_use]
    pub fn of(evidence: &Evidence, viewer: &Viewer) -> Self {
        let Evidence { job, exchange, outcome } = evidence;
        let compare = |mine: Option<&String>, value: &str| match mine {
            None => Compared::Unknown,
            Some(mine) if mine == value => Compared::Same,
            Some(_) => Compared::Differs,
        };
        let anchors: Vec<Anchor> = anchors(job)
            .into_iter()
            .map(|(kind, name, value, set_by)| {
                let yours = compare(viewer.anchors.get(&(kind, name.clone())), &value);
                Anchor { kind, name, value, set_by, yours }
            })
            .collect();
        let inputs = inputs(&job.task).into_iter().map(|Judged { path, sha256, judged_as, is_own_kind }| {
            let yours = match compare(viewer.files.get(&path), &sha256) {
                Compared::Same if !is_own_kind => Compared::Differs,
                other => other,
            };
            Input { path, judged_as, sha256, yours }
        });
        Self {
            tool_version: job.tool.version.clone(),
            component: job.tool.component.clone(),
            now: rfc3339(job.now),
            verdict: match outcome.verdict {
                crate::contract::Verdict::Pass => "pass",
                crate::contract::Verdict::Fail => "fail",
                crate::contract::Verdict::Incomplete => "incomplete",
            },
            status: outcome.status,
            rounds: exchange.len(),
            questions: evidence.exchanged().count(),
            unused: unused(job, &anchors, viewer),
            anchors,
            inputs: inputs.collect(),
            said: said(evidence),
        }
    }

    /// How many anchors and files are not those that the viewer has.
    #[must_use]
    pub fn differing(&self) -> usize {
        let anchors = self.anchors.iter().map(|anchor| anchor.yours);
        let inputs = self.inputs.iter().map(|input| input.yours);
        anchors.chain(inputs).filter(|yours| *yours == Compared::Differs).count()
    }

    /// How many anchors and files are not shown to be those that the viewer has, and how many of the viewer's anchors it does not
    /// stand on.
    #[must_use]
    pub fn unlike(&self) -> usize {
        let anchors = self.anchors.iter().map(|anchor| anchor.yours);
        let inputs = self.inputs.iter().map(|input| input.yours);
        anchors.chain(inputs).filter(|yours| *yours != Compared::Same).count() + self.unused.len()
    }

    /// For people: what is proven, and what is only said.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "recorded by modanchor {}, component {}",
            escape(&self.tool_version),
            escape(&self.component)
        );
        let asked = count(self.questions as u64, "question");
        let rounds = count(self.rounds as u64, "round");
        let _ = writeln!(text, "verdict: {}, status {}; {asked} in {rounds}", self.verdict, self.status);
        text.push_str("\nproven by replaying it, as far as these are the right ones:\n");
        if self.anchors.is_empty() {
            text.push_str("  nothing: it names no key and no root\n");
        }
        for Anchor { kind, name, value, set_by, yours } in &self.anchors {
            let yours = match yours {
                Compared::Same => "the same as yours",
                Compared::Differs => "NOT the one that you have",
                Compared::Unknown => "you have none to compare with",
            };
            let (name, value, set_by) = (escape(name), escape(value), escape(set_by));
            let _ = writeln!(text, "  {} {name}: {yours}\n    {value} (by {set_by})", kind.name());
        }
        if !self.unused.is_empty() {
            text.push_str("\nnot proven by these of yours, which were not asked:\n");
        }
        for Unused { kind, name } in &self.unused {
            let _ = writeln!(text, "  {} {}", kind.name(), escape(name));
        }
        text.push_str("\nwhat was judged:\n");
        for Input { path, judged_as, sha256, yours } in &self.inputs {
            let yours = match yours {
                Compared::Same => "the same as yours",
                Compared::Differs => "NOT the file that you have, or not as what it is",
                Compared::Unknown => "not among your files",
            };
            let judged_as = judged_as.map(|kind| format!(", judged as {kind}")).unwrap_or_default();
            let _ = writeln!(text, "  {}{judged_as}: {yours}\n    {}", escape(path), escape(sha256));
        }
        text.push_str("\nonly said by who recorded it:\n");
        let _ = writeln!(text, "  the time of the run: {}", self.now);
        for Said { what, times, first } in &self.said {
            let more = if *times > 1 { ", …" } else { "" };
            let _ = writeln!(text, "  {what} ({times}): {}{more}", escape(first));
        }
        text
    }
}

/// What the viewer has and a run of the viewer's would have asked, and that is not among `anchors`.
fn unused(job: &Job, anchors: &[Anchor], viewer: &Viewer) -> Vec<Unused> {
    let is_asked = |kind: Kind| match &job.task {
        Task::Verify(_) => matches!(kind, Kind::Sumdb | Kind::Tuf | Kind::Policy),
        Task::Lookup(_) | Task::Explain(_) | Task::Fix(_) => kind == Kind::Sumdb,
        Task::Tuf(_) | Task::VerifyBlob(_) => false,
    };
    let is_there = |kind: Kind, name: &String| {
        // A policy is known by the name of its file, which may differ.
        anchors.iter().any(|anchor| anchor.kind == kind && (kind == Kind::Policy || anchor.name == *name))
    };
    let missing = viewer.anchors.keys().filter(|(kind, name)| is_asked(*kind) && !is_there(*kind, name));
    missing.map(|(kind, name)| Unused { kind: *kind, name: name.clone() }).collect()
}

fn rfc3339(instant: Instant) -> String {
    let seconds = i64::try_from(instant.seconds).ok();
    let nanoseconds = i32::try_from(instant.nanoseconds).ok();
    let at = seconds.zip(nanoseconds).and_then(|(s, n)| jiff::Timestamp::new(s, n).ok());
    at.map_or_else(|| format!("{} s after 1970", instant.seconds), |at| at.to_string())
}

/// What a job's proofs stand on: kind, name, value, by whose word.
#[must_use]
pub fn anchors(job: &Job) -> Vec<(Kind, String, String, String)> {
    let mut all = Vec::new();
    if let Sumdb::Database(database) = &job.sumdb {
        let name = database.key.split('+').next().unwrap_or_default().to_owned();
        all.push((Kind::Sumdb, name, database.key.clone(), database.set_by.clone()));
        for key in &database.witnesses {
            let name = key.split('+').next().unwrap_or_default().to_owned();
            all.push((Kind::Witness, name, key.clone(), database.set_by.clone()));
        }
    }
    for repository in &job.tuf.all {
        let root = digest(&repository.trusted_root);
        all.push((Kind::Tuf, repository.name.clone(), root, repository.set_by.clone()));
    }
    for root in &job.sigstore.roots {
        all.push((Kind::Sigstore, root.name.clone(), digest(&root.content), root.set_by.clone()));
        if let Some(repository) = &root.repository {
            let tuf = digest(&repository.trusted_root);
            all.push((Kind::SigstoreTuf, repository.name.clone(), tuf, repository.set_by.clone()));
        }
    }
    if let Task::VerifyBlob(blob) = &job.task {
        match &blob.signer {
            Signer::Key(key) => all.push((Kind::Key, blob.name.clone(), digest(key), "--key".to_owned())),
            Signer::Identity(identity) => {
                let set_by = "--certificate-identity and its like".to_owned();
                all.push((Kind::Signer, blob.name.clone(), asked_of(identity), set_by));
            }
        }
        if let Some(chain) = &blob.chain {
            all.push((Kind::Authorities, blob.name.clone(), digest(chain), "--certificate-chain".to_owned()));
        }
    }
    if let Some(policy) = &job.policy {
        all.push((Kind::Policy, policy.set_by.clone(), digest(text(policy).as_bytes()), policy.set_by.clone()));
    }
    all
}

/// What is asked of a signer, for people.
fn asked_of(identity: &Identity) -> String {
    let all = [
        ("subject", &identity.subject),
        ("subject like", &identity.subject_regexp),
        ("issuer", &identity.issuer),
        ("issuer like", &identity.issuer_regexp),
        ("trigger", &identity.github_trigger),
        ("commit", &identity.github_sha),
        ("workflow", &identity.github_name),
        ("repository", &identity.github_repository),
        ("ref", &identity.github_ref),
    ];
    let asked = all.iter().filter_map(|(what, value)| Some(format!("{what} {}", value.as_ref()?)));
    asked.collect::<Vec<_>>().join(", ")
}

/// What a task judges.
struct Judged {
    path: String,
    sha256: String,
    judged_as: Option<&'static str>,
    /// Whether its name says what it was judged as.
    is_own_kind: bool,
}

/// Which of Go's files a path names, as `modanchor verify` takes it.
fn kind_of(path: &str) -> Option<FileKind> {
    let ends = [
        (".work.sum", FileKind::GoWorkSum),
        (".sum", FileKind::GoSum),
        (".mod", FileKind::GoMod),
        (".work", FileKind::GoWork),
        ("vendor/modules.txt", FileKind::VendorModules),
    ];
    ends.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, kind)| kind)
}

fn inputs(task: &Task) -> Vec<Judged> {
    let checkout = |checkout: &Checkout| {
        let files = checkout.files.iter().map(|file| {
            let is_own_kind = kind_of(&file.path) == Some(file.kind);
            let name = match file.kind {
                FileKind::GoSum => "a go.sum",
                FileKind::GoWorkSum => "a go.work.sum",
                FileKind::GoMod => "a go.mod",
                FileKind::GoWork => "a go.work",
                FileKind::VendorModules => "a vendor/modules.txt",
            };
            let judged_as = (!is_own_kind).then_some(name);
            Judged { path: file.path.clone(), sha256: digest(&file.content), judged_as, is_own_kind }
        });
        let programs = checkout.programs.iter().map(|program| Judged {
            path: program.path.clone(),
            sha256: format!("sha256:{}", program.sha256),
            judged_as: Some("a program"),
            is_own_kind: kind_of(&program.path).is_none(),
        });
        files.chain(programs).collect()
    };
    match task {
        Task::Verify(judged) | Task::Fix(judged) => checkout(judged),
        Task::Explain(question) => checkout(&question.checkout),
        Task::VerifyBlob(blob) => {
            let sha256 = match &blob.artifact {
                Artifact::File(digests) => &digests.sha256,
                Artifact::Sha256(sha256) => sha256,
            };
            let sha256 = format!("sha256:{}", modanchor_core::hex::encode(sha256));
            vec![Judged { path: blob.name.clone(), sha256, judged_as: None, is_own_kind: true }]
        }
        Task::Lookup(_) | Task::Tuf(_) => Vec::new(),
    }
}

/// What the recorder chose, where that lets pass what would not pass otherwise: what it is, and an example.
fn settings(job: &Job) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    match &job.sumdb {
        Sumdb::Off(by) => all.push(("no checksum database was asked", by.clone())),
        Sumdb::Database(database) => {
            if let Some(head) = &database.pinned_head {
                all.push(("a head that was pinned", digest(head)));
            }
        }
    }
    if !job.skip.patterns.is_empty() {
        all.push(("not asked of the database", format!("{} (by {})", job.skip.patterns, job.skip.set_by)));
    }
    if job.fail_on != FailOn::Medium {
        all.push(("--fail-on", text(&job.fail_on).trim_matches('"').to_owned()));
    }
    if job.allow_incomplete {
        all.push(("what could not be checked may pass", "--allow-incomplete".to_owned()));
    }
    for ignore in &job.ignores {
        all.push(("a finding that is ignored", format!("{} for {}: {}", ignore.rule, ignore.module, ignore.reason)));
    }
    for repository in &job.tuf.all {
        all.push(("what a TUF repository must approve", format!("{}: {}", repository.name, repository.modules)));
    }
    for mapping in &job.tuf.map {
        let of = format!("{} of {}", mapping.threshold, mapping.repositories.join(" and "));
        all.push(("how many TUF repositories must agree", format!("{}: {of}", mapping.modules)));
    }
    for root in &job.sigstore.roots {
        let until = root.expires.map_or_else(|| "without end".to_owned(), rfc3339);
        all.push(("until when the copy of a trusted root is good", format!("{}: {until}", root.name)));
    }
    match &job.task {
        Task::Verify(checkout) => {
            for (what, presence) in [("the module cache", job.bytes.module_cache), ("vendor folders", job.bytes.vendor)]
            {
                if presence == Presence::Off {
                    all.push(("not looked at", what.to_owned()));
                }
            }
            all.extend(checkout.programs.iter().map(|p| ("what a program says of its modules", p.path.clone())));
            all.extend(checkout.bare_vendors.iter().map(|v| ("a vendor folder without a modules.txt", v.clone())));
        }
        Task::VerifyBlob(blob) => {
            if let (Signer::Identity(_), false) = (&blob.signer, blob.require_log) {
                all.push(("no entry in a log was asked for", blob.name.clone()));
            }
            if let (Signer::Identity(_), false) = (&blob.signer, blob.require_sct) {
                all.push(("no promise of a certificate log was asked for", blob.name.clone()));
            }
            if let Artifact::File(digests) = &blob.artifact
                && !(digests.sha384.is_empty() && digests.sha512.is_empty())
            {
                all.push(("that its other digests are of the same file", blob.name.clone()));
            }
        }
        Task::Lookup(_) | Task::Explain(_) | Task::Fix(_) | Task::Tuf(_) => {}
    }
    all
}

/// What in the answers, and in the job, is the recorder's word.
fn said(evidence: &Evidence) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    let mut add = |what: &'static str, first: &dyn Fn() -> String| match all.iter_mut().find(|said| said.what == what) {
        Some(said) => said.times += 1,
        None => all.push(Said { what, times: 1, first: first() }),
    };
    for (what, first) in settings(&evidence.job) {
        add(what, &|| first.clone());
    }
    for exchanged in evidence.exchanged() {
        let asked = || subject(&exchanged.request);
        match (&exchanged.request, &exchanged.response) {
            (Request::Measure(Measure { subject, .. }), Ok(_)) => match subject {
                Subject::Zip(_) => add("the hash of a zip", &asked),
                Subject::Dir(_) => add("the hash of a folder", &asked),
                Subject::GoMod(_) => add("the hash of a go.mod", &asked),
                Subject::Vendor(_) => add("the hashes of vendored files", &asked),
            },
            (Request::ZipDigest(_), Ok(_)) => add("the SHA-256 of a zip", &asked),
            (Request::TufTarget(_), Ok(_)) => add("the digests of a target", &asked),
            (Request::Cached(_), Ok(_)) => add("a small file of the module cache", &asked),
            (Request::ZipFile(_), Ok(_)) => add("a file out of a zip", &asked),
            (Request::Held(_), Ok(Answer::Holdings(_))) => add("what the module cache has", &asked),
            // By it a head is fresh or not, where `max-age` is set and no witness says when.
            (Request::Recall(Recall { item: Item::FirstSeen, .. }), Ok(_)) => {
                add("when the newest head was first seen", &asked);
            }
            // What else was kept is verified again, or is not there to be kept.
            (Request::Recall(_) | Request::TufRecall(_) | Request::Advance(_), _) => {}
            (_, Err(Failure::Absent)) => add("\"there is no such thing\"", &asked),
            (_, Err(Failure::Offline)) => add("not asked: the run was offline", &asked),
            (_, Err(_)) => add("no answer", &asked),
            (_, Ok(_)) => {}
        }
    }
    all
}

/// A request, for people.
fn subject(request: &Request) -> String {
    let module = |module: &crate::contract::ModuleRef| format!("{}@{}", module.path, module.version);
    match request {
        Request::Sumdb(get) => format!("{}/{}", get.database, get.path),
        Request::Measure(Measure { subject, .. }) => match subject {
            Subject::Zip(of) | Subject::Dir(of) | Subject::GoMod(of) => module(of),
            Subject::Vendor(folder) => folder.clone(),
        },
        Request::ZipDigest(get) => module(&get.module),
        Request::Cached(get) => module(&get.module),
        Request::ZipFile(get) => get.name.clone(),
        Request::Attestations(get) => format!("attestations of {}", module(&get.module)),
        Request::TufMetadata(get) => format!("{}/{}", get.repository, get.file),
        Request::TufTarget(get) | Request::TufContent(get) => format!("{}/{}", get.repository, get.path),
        Request::Rekor(get) => format!("{}/{}", get.log.trim_end_matches('/'), get.path),
        Request::Held(modules) => count(modules.len() as u64, "module"),
        Request::Artifact(_) => "the file".to_owned(),
        Request::Recall(recall) => recall.database.clone(),
        Request::Advance(advance) => advance.database.clone(),
        Request::TufRecall(recall) => format!("{}/{}", recall.repository, recall.file),
    }
}
