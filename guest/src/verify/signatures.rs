//! Who built the modules that go.sum names: attestations, joined to the lines, and the grade that the policy gives.
//!
//! Security argument: an attestation counts for a module only if a trusted root vouches for its signer, the statement names the
//! very h1 that go.sum has (or the SHA-256 of a zip that was measured to have that h1), the certificate does not contradict what
//! the predicate says, and the source is the version's. Whatever fails one of these is a finding and gives no grade, so that
//! evidence can raise a grade only by being right, and never lowers another's. What could not be asked is not taken for absent: a
//! policy that is not satisfied for want of it makes the run incomplete, not failed and not passed.

use std::collections::{BTreeMap, BTreeSet};

use super::approvals::{self, Interests};
use super::files::{Group, Input, Row};
use super::findings::{Draft, Findings};
use super::lump::Lump;
use super::programs;
use super::roots::{self, Roots, Verifiers};
use super::settings::Settings;
use super::text;
use crate::contract::{
    AttestationPlace, AttestationsGet, Body, Failure, ModuleRef, PolicyGrade, ProvenanceVersion, Request, ZipDigest,
};
use crate::exchange::Exchange;
use crate::gosum::Span;
use crate::gosum::gomod::Replacement as Replaced;
use crate::gosum::wanted::Survey;
use crate::hex;
use crate::module::ModuleVersion;
use crate::policy::explain;
use crate::policy::judge::{Attestation, Checksums, Judge, Judgement, Kind, Replacement, Ruling, Subject, grade_name};
use crate::provenance::agree::{ClaimsError, GITHUB_ISSUER, Level, Vouched};
use crate::provenance::join::{By, Zip, joins};
use crate::provenance::slsa::{self, Provenance};
use crate::provenance::source::{Repository, SourceError, Workflow, belongs, repository_of};
use crate::provenance::statement::{PAYLOAD_TYPE, Statement};
use crate::provenance::vsa::{self, Summary};
use crate::report::{
    BytesStatus, BytesSummary, Grade, LineStatus, Of, SignatureStatus, SignatureSummary, TargetStatus, TargetSummary,
    What, rules,
};
use crate::sigstore::bundle::Bundle;
use crate::sigstore::claims::Claims;
use crate::sigstore::collection;
use crate::sigstore::signature::{self, Artifact, Proven, SignatureError, Signer};

/// The most bytes of one answer with attestations.
const MAX_ATTESTATIONS: u32 = 16 << 20;

/// How long the SHA-256 of a zip is.
const SHA256_BYTES: u32 = 32;

/// How many questions go out at once.
const WINDOW: usize = 4096;

/// Bytes with attestations in them, and where they were found.
struct Found {
    group: usize,
    origin: String,
    content: Vec<u8>,
}

/// What was found, before anything of it is believed.
#[derive(Default)]
pub(super) struct Evidence {
    found: Vec<Found>,
    /// By group: the SHA-256 of its zip in the module cache.
    digests: BTreeMap<usize, [u8; 32]>,
    /// By group: where there was no answer.
    unanswered: BTreeMap<usize, Vec<(String, Failure)>>,
}

impl Evidence {
    fn take(&mut self, group: usize, origin: String, answer: Result<Body, Failure>) {
        match answer {
            Ok(Body { content, .. }) => self.found.push(Found { group, origin, content }),
            Err(Failure::Absent) => {}
            Err(failure) => self.unanswered.entry(group).or_default().push((origin, failure)),
        }
    }
}

/// A place, in the report and in messages.
fn place_name(place: AttestationPlace) -> &'static str {
    match place {
        AttestationPlace::ModuleCache => "module-cache",
        AttestationPlace::Proxy => "proxy",
        AttestationPlace::Folder => "folder",
        AttestationPlace::Template => "template",
        AttestationPlace::Github => "github",
    }
}

/// Whether a place may tell others which modules are used.
fn is_public(place: AttestationPlace) -> bool {
    matches!(place, AttestationPlace::Template | AttestationPlace::Github)
}

/// The h1 of a group's zip, where its lines agree on one.
fn zip_of(group: &Group, rows: &[Row<'_>]) -> Option<Zip> {
    let mut zips = rows[group.rows.clone()].iter().filter_map(|row| Zip::of_line(row.entry.of, row.entry.hash));
    let first = zips.next()?;
    zips.all(|zip| zip == first).then_some(first)
}

/// The module versions whose attestations are looked for: those whose zip a line names, if there is anywhere to look.
pub(super) fn interests(settings: &Settings, rows: &[Row<'_>], groups: &[Group]) -> Vec<usize> {
    match settings.sigstore.places.is_empty() || settings.sigstore.roots.is_empty() {
        true => Vec::new(),
        false => (0..groups.len()).filter(|number| zip_of(&groups[*number], rows).is_some()).collect(),
    }
}

/// Looks for attestations of the groups `wanted`.
pub(super) async fn look(settings: &Settings, exchange: &Exchange, wanted: &[usize], groups: &[Group]) -> Evidence {
    let mut evidence = Evidence::default();
    let places = &settings.sigstore.places;
    if wanted.is_empty() {
        return evidence;
    }
    let module = |number: usize| {
        let module = &groups[number].module;
        ModuleRef { path: module.path().to_owned(), version: module.version().to_owned() }
    };
    // The digest joins statements that name no dirHash1, and is what GitHub is asked by.
    for window in wanted.chunks(WINDOW) {
        let requests = window.iter().map(|number| Request::ZipDigest(ZipDigest { module: module(*number) })).collect();
        for (number, answer) in window.iter().zip(exchange.ask(requests).await) {
            if let Ok(Body { content, .. }) = answer
                && let Ok(digest) = <[u8; SHA256_BYTES as usize]>::try_from(content)
            {
                evidence.digests.insert(*number, digest);
            }
        }
    }
    let mut questions: Vec<(usize, AttestationPlace, String)> = Vec::new();
    for &number in wanted {
        let path = groups[number].module.path();
        let sha256 = evidence.digests.get(&number).map(|digest| hex::encode(digest)).unwrap_or_default();
        for place in places {
            let private = settings.sigstore.private.matching(path).is_some();
            // GitHub knows zips by their digest alone.
            let cannot = *place == AttestationPlace::Github && (sha256.is_empty() || !path.starts_with("github.com/"));
            if !(cannot || private && is_public(*place)) {
                questions.push((number, *place, sha256.clone()));
            }
        }
    }
    for window in questions.chunks(WINDOW) {
        let request = |(number, place, sha256): &(usize, AttestationPlace, String)| {
            let (module, place, sha256) = (module(*number), *place, sha256.clone());
            Request::Attestations(AttestationsGet { module, place, sha256, max_bytes: MAX_ATTESTATIONS })
        };
        let answers = exchange.ask(window.iter().map(request).collect()).await;
        for ((number, place, _), answer) in window.iter().zip(answers) {
            evidence.take(*number, place_name(*place).to_owned(), answer);
        }
    }
    evidence
}

/// Fetches what TUF repositories name as the provenance of what they approve.
pub(super) async fn approved(
    settings: &Settings,
    interests: &Interests,
    answers: &approvals::Answers,
    evidence: &mut Evidence,
) {
    // Without a trusted root nothing of it could be judged.
    if settings.sigstore.roots.is_empty() {
        return;
    }
    for (group, repository, answer) in approvals::provenance(settings, interests, answers).await {
        evidence.take(group, format!("tuf {repository}"), answer);
    }
}

/// Brings the trusted roots up to date, if there is something to judge by them.
pub(super) async fn roots(
    settings: &Settings,
    exchange: &Exchange,
    evidence: &Evidence,
    findings: &mut Findings<'_>,
) -> Roots {
    match evidence.found.is_empty() {
        true => Roots::default(),
        false => roots::obtain(settings, exchange, findings).await,
    }
}

/// What else is known of the modules.
pub(super) struct Known<'a> {
    pub(super) files: &'a [Input],
    pub(super) rows: &'a [Row<'a>],
    pub(super) groups: &'a [Group],
    pub(super) survey: &'a Survey,
    pub(super) bytes: &'a BTreeMap<usize, Vec<BytesSummary>>,
    pub(super) targets: &'a BTreeMap<usize, Vec<TargetSummary>>,
    /// Modules that are vendored, and of whose zip no line is there.
    pub(super) unlined: &'a [(ModuleVersion, &'a str, Span)],
    /// Whether everything was looked at, and not one module alone.
    pub(super) all: bool,
}

/// What came of it, by group.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) signatures: BTreeMap<usize, Vec<SignatureSummary>>,
    pub(super) rulings: BTreeMap<usize, Vec<Ruling>>,
    pub(super) grades: BTreeMap<usize, Grade>,
}

impl Judged {
    /// The grade of a group: what no evidence has raised is unverified.
    pub(super) fn grade(&self, group: usize) -> Grade {
        self.grades.get(&group).copied().unwrap_or(Grade::Unverified)
    }
}

/// Judges everything that was found, and grades every module.
pub(super) fn judge(
    settings: &Settings,
    known: &Known<'_>,
    evidence: &Evidence,
    roots: &Roots,
    findings: &mut Findings<'_>,
) -> Judged {
    let mut judged = Judged::default();
    let mut attestations: BTreeMap<usize, Vec<Attestation>> = BTreeMap::new();
    let mut verifier = Verifier { known, evidence, by: Verifiers::new(roots, settings.tuf.now) };
    for found in &evidence.found {
        let (summaries, good) = verifier.found(found, findings);
        judged.signatures.entry(found.group).or_default().extend(summaries);
        attestations.entry(found.group).or_default().extend(good);
    }
    for (group, places) in &evidence.unanswered {
        let all = judged.signatures.entry(*group).or_default();
        all.extend(places.iter().map(|(origin, _)| summary(origin, SignatureStatus::Unchecked)));
    }
    grade(settings, known, evidence, &attestations, &mut judged, findings);
    judged
}

/// One that says no more than where it was found and what became of it.
pub(super) fn summary(origin: &str, status: SignatureStatus) -> SignatureSummary {
    SignatureSummary {
        origin: origin.to_owned(),
        status,
        root: None,
        identity: None,
        issuer: None,
        predicate_type: None,
        joined_by: None,
        builder: None,
        source_repository: None,
        source_ref: None,
        provable_level: None,
        logged: Vec::new(),
        promised: Vec::new(),
        times: Vec::new(),
    }
}

/// What a signature has proven, in the report's words.
pub(super) fn proven(summary: &mut SignatureSummary, proven: &Proven) {
    match proven.signer() {
        Signer::Certificate(claims) => {
            summary.identity = Some(claims.san.as_str().to_owned());
            summary.issuer.clone_from(&claims.issuer);
            summary.builder.clone_from(&claims.build_signer_uri);
            summary.source_repository.clone_from(&claims.source_repository_uri);
            summary.source_ref.clone_from(&claims.source_repository_ref);
        }
        Signer::Key(id) => summary.identity = Some(format!("key:{}", hex::encode(id))),
    }
    for logged in proven.logged() {
        let list = match logged.checkpoint {
            Some(_) => &mut summary.logged,
            None => &mut summary.promised,
        };
        list.push(logged.log.clone());
    }
    let times: BTreeSet<String> = proven.times().iter().map(|time| time.at.to_string()).collect();
    summary.times = times.into_iter().collect();
}

/// The finding about a signature that does not verify.
pub(super) fn refused(error: Option<&SignatureError>, what: &str) -> Draft {
    let Some(error) = error else {
        let message = format!("{what}: there is no trusted root to judge it by");
        let help = "give one: `--trusted-root FILE`";
        return Draft::new(&rules::sigstore_untrusted::RULE, message, help).kind("no root");
    };
    let (rule, help, kind) = match error.kind() {
        signature::Kind::Malformed | signature::Kind::Unsupported => {
            (&rules::sigstore_malformed::RULE, "fetch it again, from where its author publishes it", "form")
        }
        signature::Kind::Certificate | signature::Kind::CertificateLog => {
            let help = "believe it only if you trust who issued it: `--trusted-root FILE`";
            (&rules::sigstore_untrusted::RULE, help, "certificate")
        }
        signature::Kind::NotLogged | signature::Kind::Time => {
            let help = "ask its author for the whole bundle, with the log's proof or a timestamp";
            (&rules::sigstore_not_logged::RULE, help, "log")
        }
        signature::Kind::LogProof => {
            let help = "do not use it, and keep the bundle for whoever looks into it";
            (&rules::sigstore_bad_log::RULE, help, "proof")
        }
        _ => (&rules::sigstore_bad_signature::RULE, "do not use it; fetch file and signature again", "signature"),
    };
    Draft::new(rule, format!("{what}: {error}"), help).kind(kind)
}

struct Verifier<'a> {
    known: &'a Known<'a>,
    evidence: &'a Evidence,
    by: Verifiers<'a>,
}

/// Why an attestation that verifies counts for nothing.
struct Rejected(Box<Draft>);

impl Verifier<'_> {
    /// Everything in one file.
    fn found(&mut self, found: &Found, findings: &mut Findings<'_>) -> (Vec<SignatureSummary>, Vec<Attestation>) {
        let (known, number, origin) = (self.known, found.group, found.origin.as_str());
        let group = &known.groups[number];
        let row = known.rows[group.rows.clone()].iter().find(|row| row.entry.of == Of::Zip && row.is_h1());
        let place = |draft: Draft| match row {
            Some(row) => draft.at(&known.files[row.file].path, row.entry.at).about(&group.module),
            None => draft.about(&group.module),
        };
        let by = |draft: Draft| place(draft).by(format!("attestation ({origin})"));
        let mut summaries = Vec::new();
        let mut good = Vec::new();
        let bundles = match collection::read(&found.content) {
            Ok(bundles) => bundles,
            Err(error) => {
                let message = format!("the attestations of {} ({origin}) cannot be read: {error}", group.module);
                let draft = Draft::new(&rules::sigstore_malformed::RULE, message, "fetch them again");
                findings.push(by(draft.kind("file")));
                return (vec![summary(origin, SignatureStatus::Refused)], good);
            }
        };
        let what = format!("an attestation of {} ({origin})", group.module);
        for bundle in bundles {
            let mut line = summary(origin, SignatureStatus::Refused);
            let outcome = bundle
                .map_err(|error| {
                    let message = format!("{what} cannot be read: {error}");
                    let draft = Draft::new(&rules::sigstore_malformed::RULE, message, "fetch it again");
                    Rejected(Box::new(draft.kind("bundle")))
                })
                .and_then(|bundle| self.bundle(&bundle, number, origin, &what, &mut line));
            match outcome {
                Ok(attestation) => {
                    line.status = SignatureStatus::Verified;
                    good.push(attestation);
                }
                Err(Rejected(draft)) => findings.push(by(*draft)),
            }
            summaries.push(line);
        }
        (summaries, good)
    }

    fn bundle(
        &mut self,
        bundle: &Bundle,
        number: usize,
        origin: &str,
        what: &str,
        line: &mut SignatureSummary,
    ) -> Result<Attestation, Rejected> {
        let reject = |draft: Draft| Rejected(Box::new(draft));
        let verified = self.by.verify(bundle, Artifact::Statement, None);
        let (root, proof) = verified.map_err(|error| reject(refused(error.as_ref(), what)))?;
        line.root = Some(root.name.clone());
        proven(line, &proof);
        let malformed = |error: String| {
            let help = "ask its author for provenance that can be read: SLSA v0.2 or v1";
            reject(Draft::new(&rules::provenance_malformed::RULE, format!("{what}: {error}"), help).kind("statement"))
        };
        let payload = proof.statement().ok_or_else(|| malformed("it signs a file, and no statement".to_owned()))?;
        let statement = Statement::parse(PAYLOAD_TYPE, payload).map_err(|error| malformed(error.to_string()))?;
        line.predicate_type = Some(statement.predicate_type.clone());

        let module = &self.known.groups[number].module;
        let by = joins(&statement, &self.zip(number)).map_err(|error| {
            let help = "ask its author for a statement of the module's zip; `modanchor statement` writes one";
            reject(Draft::new(&rules::provenance_subject::RULE, format!("{what}: {error}"), help).kind("subject"))
        })?;
        line.joined_by = Some(By::as_str(by).to_owned());
        let mut attestation = Attestation {
            origin: origin.to_owned(),
            kind: Kind::Statement,
            builder_id: None,
            issuer: line.issuer.clone(),
            identity: line.identity.clone(),
            source_repository: line.source_repository.clone(),
            source_ref: line.source_ref.clone(),
            publisher: None,
            runner_environment: None,
            own_repository_of: Vec::new(),
            provable_level: 0,
            logged: !proof.logged().is_empty(),
        };
        match statement.predicate_type.as_str() {
            // Of any version: what is no summary that is read must not count as a statement, whatever it says.
            kind if kind.starts_with(vsa::ANY) => {
                let summary = Summary::parse(&statement).map_err(|error| malformed(error.to_string()))?;
                if !summary.is_about(module) {
                    let message = format!("{what}: it is a summary of {}", summary.resource_uri);
                    let help = "ask its author for a summary of this module version";
                    return Err(reject(Draft::new(&rules::provenance_subject::RULE, message, help).kind("summary")));
                }
                attestation.kind = Kind::Summary { level: summary.build_level().unwrap_or(0) };
                let source = attestation.source_repository.as_deref().and_then(Repository::parse);
                attestation.own_repository_of =
                    source.map(|source| self.own_repository_of(&source, module)).unwrap_or_default();
            }
            other => {
                let provenance = match other.starts_with("https://slsa.dev/provenance/") {
                    true => Some(Provenance::parse(&statement).map_err(|error| malformed(error.to_string()))?),
                    false => None,
                };
                if let Signer::Certificate(claims) = proof.signer() {
                    self.source(claims, provenance.as_ref(), module, what, &mut attestation)?;
                }
                line.builder.clone_from(&attestation.builder_id);
                line.source_repository.clone_from(&attestation.source_repository);
                line.source_ref.clone_from(&attestation.source_ref);
                line.provable_level = provenance.is_some().then_some(attestation.provable_level);
            }
        }
        Ok(attestation)
    }

    /// The module's zip: its digest counts only where the file was measured to have the h1.
    fn zip(&self, number: usize) -> Zip {
        let group = &self.known.groups[number];
        // Only groups with a zip are asked about.
        let zip = zip_of(group, self.known.rows);
        let measured = self.known.bytes.get(&number).into_iter().flatten().any(|bytes| {
            let same = bytes.hash.as_ref() == zip.map(|zip| zip.h1.to_string()).as_ref();
            bytes.what == What::Zip && bytes.status == BytesStatus::Verified && same
        });
        let sha256 = self.evidence.digests.get(&number).copied().filter(|_| measured);
        Zip { sha256, ..zip.unwrap_or(Zip { h1: crate::dirhash::H1([0; 32]), sha256: None }) }
    }

    /// What the certificate says of the build, which the predicate must not contradict, and which must be the version's.
    fn source(
        &self,
        claims: &Claims,
        provenance: Option<&Provenance>,
        module: &ModuleVersion,
        what: &str,
        attestation: &mut Attestation,
    ) -> Result<(), Rejected> {
        let reject = |rule, message: String, help: &str, kind| {
            Err(Rejected(Box::new(Draft::new(rule, format!("{what}: {message}"), help).kind(kind))))
        };
        let contradiction = &rules::provenance_contradiction::RULE;
        let help = "do not believe it; provenance is written by the builder, and says what its certificate says";
        let vouched = match Vouched::of(claims) {
            Ok(vouched) => vouched,
            Err(error @ ClaimsError::Contradiction { .. }) => {
                return reject(contradiction, error.to_string(), help, "certificate");
            }
            // A person, or another CI: the statement counts for what its signer is, and nothing is known of a build.
            Err(error) => {
                attestation.source_repository = None;
                attestation.source_ref = None;
                return match provenance {
                    Some(_) => reject(contradiction, error.to_string(), help, "builder"),
                    None => Ok(()),
                };
            }
        };
        let mut builder = vouched.builder.clone();
        if let Some(provenance) = provenance {
            let agreement = vouched.compare(provenance);
            if let Some(first) = agreement.contradictions.first() {
                let draft = reject(contradiction, first.to_string(), help, "predicate");
                return draft.map_err(|Rejected(draft)| {
                    Rejected(Box::new(draft.expected(&*first.certificate).found(&*first.predicate)))
                });
            }
            attestation.kind = Kind::Provenance(match provenance.version {
                slsa::Version::V02 => ProvenanceVersion::V02,
                slsa::Version::V1 => ProvenanceVersion::V1,
            });
            attestation.provable_level = vouched.provable_level() as u8;
            if let Some(ran) = agreement.delegated_builder {
                // What it ran may be the source's own, and then its owner's to write, like any reusable workflow of the source's.
                if Workflow::parse(&ran).is_none_or(|ran| ran.repository == vouched.repository) {
                    attestation.provable_level = attestation.provable_level.min(Level::Two as u8);
                }
                builder = ran;
            }
        }
        attestation.builder_id = Some(builder);
        attestation.source_repository = Some(vouched.repository_uri.clone());
        attestation.source_ref.clone_from(&vouched.reference);
        attestation.runner_environment.clone_from(&vouched.runner);
        attestation.publisher = claims.source_repository_owner_uri.clone().or_else(|| {
            let owner = vouched.repository_uri.rsplit_once('/').map(|(owner, _)| owner.to_owned());
            owner.filter(|_| vouched.issuer == GITHUB_ISSUER)
        });
        attestation.own_repository_of = self.own_repository_of(&vouched.repository, module);
        self.version(&vouched, module).or_else(|error| {
            let help = "compare the tag with the version; releases are built from their tag";
            reject(&rules::provenance_version::RULE, error.to_string(), help, "source").map_err(|Rejected(draft)| {
                let draft = match &error {
                    SourceError::Tag { expected, found } | SourceError::Commit { expected, found } => {
                        draft.expected(&**expected).found(&**found)
                    }
                    _ => *draft,
                };
                Rejected(Box::new(draft))
            })
        })
    }

    /// Of the paths by which a module is known in this build, its own and those that it stands for, those whose own repository it is.
    fn own_repository_of(&self, repository: &Repository, module: &ModuleVersion) -> Vec<String> {
        let stands = stood_for(self.known, module).map(|(path, _)| path);
        let names = std::iter::once(module.path()).chain(stands);
        names.filter(|path| repository.directory_of(path).is_some()).map(str::to_owned).collect()
    }

    /// Whether the source is the version's. Where a path does not say in which folder of its repository a module lies, any that
    /// its last elements name will do: the tag then names the folder.
    fn version(&self, vouched: &Vouched, module: &ModuleVersion) -> Result<(), SourceError> {
        let (reference, commit) = (vouched.reference.as_deref(), vouched.commit.as_deref());
        if let Some(directory) = vouched.repository.directory_of(module.path()) {
            return belongs(module, directory, reference, commit);
        }
        let root = belongs(module, "", reference, commit);
        let stem = crate::module::split_path_version(module.path()).map_or(module.path(), |(stem, _)| stem);
        let folders = stem.match_indices('/').map(|(at, _)| &stem[at + 1..]);
        match folders.into_iter().any(|folder| belongs(module, folder, reference, commit).is_ok()) {
            true => Ok(()),
            false => root,
        }
    }
}

/// What a module version stands for, in a checkout or in a program: path, and the one version that is replaced by it.
fn stood_for<'a>(
    known: &Known<'a>,
    module: &'a ModuleVersion,
) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
    let is = |path: &str, version: &str| path == module.path() && version == module.version();
    let lines = known.survey.replaced().iter().filter_map(move |replaced| match &replaced.line.with {
        Replaced::Module { path, version } if is(path, version) => {
            Some((replaced.line.path.as_str(), replaced.line.version.as_deref()))
        }
        _ => None,
    });
    let programs = known.files.iter().filter_map(|file| file.program.as_ref());
    let built = programs.flat_map(|info| &info.deps).filter_map(move |dep| match &dep.replace {
        Some(with) if is(&with.path, &with.version) => Some((dep.path.as_str(), Some(dep.version.as_str()))),
        _ => None,
    });
    lines.chain(built)
}

/// Grades every module by the policy, and reports those that fall short of it.
fn grade(
    settings: &Settings,
    known: &Known<'_>,
    evidence: &Evidence,
    attestations: &BTreeMap<usize, Vec<Attestation>>,
    judged: &mut Judged,
    findings: &mut Findings<'_>,
) {
    if !settings.has_policy && attestations.is_empty() {
        return;
    }
    let mut judge = Judge::new(&settings.policy);
    let mut unavailable: BTreeMap<(String, u8), (Failure, Lump)> = BTreeMap::new();
    for (number, group) in known.groups.iter().enumerate() {
        let rows = &known.rows[group.rows.clone()];
        let Some(row) = rows.iter().find(|row| row.entry.of == Of::Zip && row.is_h1()) else { continue };
        // What is wrong is not graded up, whatever somebody has signed.
        let bytes = known.bytes.get(&number).map_or(&[][..], Vec::as_slice);
        let wrong = rows.iter().any(|row| row.status == LineStatus::Mismatch)
            || bytes.iter().any(|bytes| matches!(bytes.status, BytesStatus::Mismatch | BytesStatus::Refused))
            || zip_of(group, known.rows).is_none();
        let logged = rows.iter().filter(|row| row.entry.of == Of::Zip).all(|row| row.status == LineStatus::Verified);
        let targets = known.targets.get(&number).map_or(&[][..], Vec::as_slice);
        let approved = !targets.is_empty() && targets.iter().all(|target| target.status == TargetStatus::Approved);
        let own = |path: &str, version: &str, replaced_by| Subject {
            path: path.to_owned(),
            version: version.to_owned(),
            replaced_by,
            checksums: if logged && !wrong { Checksums::Logged } else { Checksums::Unlogged },
            tuf_approved: approved && !wrong,
            attestations: match attestations.get(&number) {
                Some(all) if !wrong => all.clone(),
                _ => Vec::new(),
            },
        };
        let (path, version) = (group.module.path(), group.module.version());
        let stands: BTreeSet<(&str, Option<&str>)> = stood_for(known, &group.module).collect();
        let judgements: Vec<Judgement> = match stands.is_empty() {
            true => vec![judge.judge(&own(path, version, None))],
            false => (stands.into_iter())
                .map(|(replaced, of)| {
                    let with = Replacement::Module { path: path.to_owned(), version: version.to_owned() };
                    judge.judge(&own(replaced, of.unwrap_or(version), Some(with)))
                })
                .collect(),
        };
        let worst = judgements.iter().map(Judgement::grade).min().unwrap_or(PolicyGrade::Unverified);
        judged.grades.insert(number, report_grade(worst));
        strangers(&judge, known, row, group, attestations.get(&number), &judgements, findings);
        if !settings.has_policy {
            continue;
        }
        let rulings = judgements.iter().flat_map(|judgement| &judgement.rulings);
        judged.rulings.insert(number, rulings.clone().cloned().collect());
        for ruling in rulings.filter(|ruling| !ruling.satisfied) {
            let unanswered = evidence.unanswered.get(&number);
            let only_for_want = ruling.failures().all(|condition| condition.needed_for != PolicyGrade::Unverified);
            match unanswered.filter(|_| only_for_want && !wrong) {
                Some(places) => {
                    for (place, failure) in places {
                        let (_, lump) = unavailable
                            .entry((place.clone(), *failure as u8))
                            .or_insert_with(|| (*failure, Lump::default()));
                        lump.add(row, group);
                    }
                }
                None => {
                    let draft = fell_short(settings, &group.module, ruling).about(&group.module);
                    findings.push(draft.at(&known.files[row.file].path, row.entry.at));
                }
            }
        }
    }
    for ((place, _), (failure, lump)) in unavailable {
        findings.set_incomplete();
        let message = format!(
            "no answer about attestations ({place}): {}; so {} cannot be graded as the policy asks",
            text::failure(failure),
            lump.names()
        );
        let help = "run it again; stderr shows what was asked for";
        let draft = Draft::new(&rules::sigstore_unavailable::RULE, message, help).kind("attestations");
        findings.push(lump.place_in(draft, known.files));
    }
    if settings.has_policy && known.all {
        folders(settings, known, &mut judge, findings);
        for name in judge.unmatched() {
            let message = format!("the policy's rule {name} matches no module");
            let help = "correct its globs, or remove it; a misspelt one guards nothing";
            let draft = Draft::new(&rules::policy_unmatched_rule::RULE, message, help);
            findings.push(draft.found(name).by(settings.policy.set_by()));
        }
    }
}

/// Modules that a folder stands for, that went into a program out of one, or that are vendored without a line: nobody vouches for
/// it. Builds with `-mod=vendor` ask no go.sum, so leaving the line out must not be a way around the policy.
fn folders(settings: &Settings, known: &Known<'_>, judge: &mut Judge<'_>, findings: &mut Findings<'_>) {
    let mut fall_short = |path: &str, version: &str, folder: &str, place: &dyn Fn(Draft) -> Draft| {
        let judgement = judge.judge(&Subject {
            path: path.to_owned(),
            version: version.to_owned(),
            replaced_by: Some(Replacement::Directory(folder.to_owned())),
            checksums: Checksums::Unlogged,
            tuf_approved: false,
            attestations: Vec::new(),
        });
        for ruling in judgement.rulings.iter().filter(|ruling| !ruling.satisfied) {
            findings.push(place(short_of(settings, path, ruling)).module(path, version));
        }
    };
    for replaced in known.survey.replaced() {
        let Replaced::Directory(folder) = &replaced.line.with else { continue };
        let version = replaced.line.version.as_deref().unwrap_or_default();
        fall_short(&replaced.line.path, version, folder, &|draft| draft.at(&replaced.file, replaced.line.at));
    }
    for (module, file, at) in known.unlined {
        let others = stood_for(known, module).map(|(path, _)| path);
        for path in std::iter::once(module.path()).chain(others).collect::<BTreeSet<_>>() {
            fall_short(path, module.version(), "vendor, without a line of go.sum", &|draft| draft.at(file, *at));
        }
    }
    for file in known.files {
        for (module, line) in file.program.iter().flat_map(programs::unpinned) {
            let folder = module.replace.as_ref().map_or("that it was built from", |with| &with.path);
            fall_short(&module.path, &module.version, folder, &|draft| draft.at(&file.path, line));
        }
    }
}

/// Provenance that somebody else's repository has made of a module whose path says which repository is its own.
fn strangers(
    judge: &Judge<'_>,
    known: &Known<'_>,
    row: &Row<'_>,
    group: &Group,
    attestations: Option<&Vec<Attestation>>,
    judgements: &[Judgement],
    findings: &mut Findings<'_>,
) {
    for attestation in attestations.into_iter().flatten() {
        let (Kind::Provenance(_), Some(source)) = (&attestation.kind, &attestation.source_repository) else { continue };
        let Some(home) = repository_of(group.module.path()) else { continue };
        let mut rulings = judgements.iter().flat_map(|judgement| &judgement.rulings);
        if rulings.any(|ruling| judge.is_source(&ruling.path, attestation)) {
            continue;
        }
        let issuer = attestation.issuer.as_deref().unwrap_or("none");
        let spoken = Repository::parse(source).is_some_and(|source| source.is_vouched_by(issuer));
        // A rule that asks for another repository than the module's own says so by itself.
        if spoken && !attestation.own_repository_of.is_empty() {
            continue;
        }
        let (module, origin) = (&group.module, &attestation.origin);
        let (message, found) = match spoken {
            true => (format!("was made from {source}"), source.clone()),
            false => (
                format!("was made from {source} by the word of {issuer}, which does not speak for that repository"),
                format!("{source} by {issuer}"),
            ),
        };
        let message = format!(
            "an attestation of {module} ({origin}) {message}; the module's own repository is {}",
            home.repository
        );
        let help = "if that is right, name the repository, and the signer of another issuer, in the policy: \
                    `source_repositories`, `identities`; else do not use it";
        let draft = Draft::new(&rules::provenance_source::RULE, message, help).about(module).kind("repository");
        let draft = draft.expected(home.repository.to_string()).found(found);
        findings.push(draft.by("its certificate").at(&known.files[row.file].path, row.entry.at));
    }
}

fn fell_short(settings: &Settings, module: &ModuleVersion, ruling: &Ruling) -> Draft {
    short_of(settings, &module.to_string(), ruling)
}

/// The finding about a module that is not what the policy asks for.
fn short_of(settings: &Settings, module: &str, ruling: &Ruling) -> Draft {
    let help = "`modanchor policy explain` shows every condition; use a version that meets it, or change the policy";
    Draft::new(&rules::policy_grade::RULE, explain::reason(module, ruling), help)
        .kind("grade")
        .expected(grade_name(ruling.required))
        .found(grade_name(ruling.grade))
        .by(settings.policy.set_by())
}

fn report_grade(grade: PolicyGrade) -> Grade {
    match grade {
        PolicyGrade::Unverified => Grade::Unverified,
        PolicyGrade::Verified => Grade::Verified,
        PolicyGrade::Trusted => Grade::Trusted,
    }
}
