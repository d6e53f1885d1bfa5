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
use crate::contract::{Answer, Artifact, Checkout, Failure, Job, Measure, Request, Signer, Subject, Sumdb, Task};
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
    /// A TUF repository: the digest of its trusted root.
    Tuf,
    /// A trusted root of Sigstore: its digest.
    Sigstore,
    /// A public key: its digest.
    Key,
    /// The policy: the digest of its JSON.
    Policy,
}

/// Whether something is as the viewer has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compared {
    /// It is.
    Same,
    /// The viewer has another.
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
    /// `sha256:HEX`.
    pub sha256: String,
    /// Beside the viewer's own.
    pub yours: Compared,
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
        let anchors = anchors(job).into_iter().map(|(kind, name, value, set_by)| {
            let yours = compare(viewer.anchors.get(&(kind, name.clone())), &value);
            Anchor { kind, name, value, set_by, yours }
        });
        let inputs = inputs(&job.task).into_iter().map(|(path, sha256)| {
            let yours = compare(viewer.files.get(&path), &sha256);
            Input { path, sha256, yours }
        });
        Self {
            tool_version: job.tool.version.clone(),
            component: job.tool.component.clone(),
            now: rfc3339(job),
            verdict: match outcome.verdict {
                crate::contract::Verdict::Pass => "pass",
                crate::contract::Verdict::Fail => "fail",
                crate::contract::Verdict::Incomplete => "incomplete",
            },
            status: outcome.status,
            rounds: exchange.len(),
            questions: evidence.exchanged().count(),
            anchors: anchors.collect(),
            inputs: inputs.collect(),
            said: said(evidence),
        }
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
            let kind = match kind {
                Kind::Sumdb => "checksum database",
                Kind::Tuf => "TUF repository",
                Kind::Sigstore => "trusted root of Sigstore",
                Kind::Key => "public key",
                Kind::Policy => "policy",
            };
            let yours = match yours {
                Compared::Same => "the same as yours",
                Compared::Differs => "NOT the one that you have",
                Compared::Unknown => "you have none to compare with",
            };
            let (name, value, set_by) = (escape(name), escape(value), escape(set_by));
            let _ = writeln!(text, "  {kind} {name}: {yours}\n    {value} (by {set_by})");
        }
        text.push_str("\nwhat was judged:\n");
        for Input { path, sha256, yours } in &self.inputs {
            let yours = match yours {
                Compared::Same => "the same as yours",
                Compared::Differs => "NOT the file that you have",
                Compared::Unknown => "not among your files",
            };
            let _ = writeln!(text, "  {}: {yours}\n    {}", escape(path), escape(sha256));
        }
        text.push_str("\nonly said by who recorded it, signed by nobody:\n");
        let _ = writeln!(text, "  the time of the run: {}", self.now);
        for Said { what, times, first } in &self.said {
            let more = if *times > 1 { ", …" } else { "" };
            let _ = writeln!(text, "  {what} ({times}): {}{more}", escape(first));
        }
        text
    }
}

fn rfc3339(job: &Job) -> String {
    let seconds = i64::try_from(job.now.seconds).ok();
    let nanoseconds = i32::try_from(job.now.nanoseconds).ok();
    let at = seconds.zip(nanoseconds).and_then(|(s, n)| jiff::Timestamp::new(s, n).ok());
    at.map_or_else(|| format!("{} s after 1970", job.now.seconds), |at| at.to_string())
}

/// What a job's proofs stand on: kind, name, value, by whose word.
#[must_use]
pub fn anchors(job: &Job) -> Vec<(Kind, String, String, String)> {
    let mut all = Vec::new();
    if let Sumdb::Database(database) = &job.sumdb {
        let name = database.key.split('+').next().unwrap_or_default().to_owned();
        all.push((Kind::Sumdb, name, database.key.clone(), database.set_by.clone()));
    }
    for repository in &job.tuf.all {
        let root = digest(&repository.trusted_root);
        all.push((Kind::Tuf, repository.name.clone(), root, repository.set_by.clone()));
    }
    for root in &job.sigstore.roots {
        all.push((Kind::Sigstore, root.name.clone(), digest(&root.content), root.set_by.clone()));
        if let Some(repository) = &root.repository {
            let tuf = digest(&repository.trusted_root);
            all.push((Kind::Tuf, repository.name.clone(), tuf, repository.set_by.clone()));
        }
    }
    if let Task::VerifyBlob(blob) = &job.task
        && let Signer::Key(key) = &blob.signer
    {
        all.push((Kind::Key, blob.name.clone(), digest(key), "--key".to_owned()));
    }
    if let Some(policy) = &job.policy {
        all.push((Kind::Policy, policy.set_by.clone(), digest(text(policy).as_bytes()), policy.set_by.clone()));
    }
    all
}

/// What a task judges: path and digest.
fn inputs(task: &Task) -> Vec<(String, String)> {
    let checkout = |checkout: &Checkout| {
        let files = checkout.files.iter().map(|file| (file.path.clone(), digest(&file.content)));
        let programs = checkout.programs.iter().map(|p| (p.path.clone(), format!("sha256:{}", p.sha256)));
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
            vec![(blob.name.clone(), format!("sha256:{}", modanchor_core::hex::encode(sha256)))]
        }
        Task::Lookup(_) | Task::Tuf(_) => Vec::new(),
    }
}

/// What in the answers, and in the job, is the recorder's word.
fn said(evidence: &Evidence) -> Vec<Said> {
    let mut all: Vec<Said> = Vec::new();
    let mut add = |what: &'static str, first: &dyn Fn() -> String| match all.iter_mut().find(|said| said.what == what) {
        Some(said) => said.times += 1,
        None => all.push(Said { what, times: 1, first: first() }),
    };
    if let Task::Verify(checkout) = &evidence.job.task {
        for program in &checkout.programs {
            add("what a program says of its modules", &|| program.path.clone());
        }
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
            // What was kept, or is not there to be kept, is nothing that anybody relies on.
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
