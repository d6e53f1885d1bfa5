//! What TUF repositories say of the modules that go.sum names: approved, and with which hash.
//!
//! A repository that is asked about nothing is not asked at all. Those that are, are refreshed side by side, and so are the
//! walks for all modules, so that a go.sum takes as many rounds of requests as its deepest delegation.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::files::{Group, Input, Row, of_name, thing};
use super::findings::{Draft, Findings};
use super::lump::Lump;
use super::settings::{Repository, Settings};
use super::text;
use crate::contract::{Body, Failure, Origin};
use crate::exchange::Exchange;
use crate::gosum::Span;
use crate::module::ModuleVersion;
use crate::report::{Of, RepositorySummary, RoleSummary, Rule, TargetStatus, TargetSummary, rules};
use crate::sort::{map, set};
use crate::tuf::client::{Approval, Client, TufError};
use crate::tuf::metadata::TargetMeta;
use crate::tuf::modules::{Statement, target_path};

/// How many walks go on at once: as many roles' files may be asked for in one step.
const WINDOW: usize = 4096;

/// A line about which repositories are asked.
struct Interest {
    group: usize,
    row: usize,
    of: Of,
    path: String,
    choices: Vec<usize>,
}

/// About which lines which repositories are asked.
pub(super) struct Interests {
    all: Vec<Interest>,
    /// Module versions that no repository covers, with a row of theirs.
    uncovered: Vec<(usize, usize)>,
}

impl Interests {
    /// How many module versions no repository answers for. None where there is no repository.
    pub(super) fn uncovered(&self, settings: &Settings) -> u64 {
        if settings.tuf.repositories.is_empty() { 0 } else { self.uncovered.len() as u64 }
    }
}

/// Finds out whom to ask about what.
pub(super) fn interests(settings: &Settings, rows: &[Row<'_>], groups: &[Group]) -> Interests {
    let mut interests = Interests { all: Vec::new(), uncovered: Vec::new() };
    if settings.tuf.repositories.is_empty() && !settings.tuf.required {
        return interests;
    }
    for (number, group) in groups.iter().enumerate() {
        let h1s = || group.rows.clone().filter(|row| rows[*row].is_h1());
        let Some(first) = h1s().next() else { continue };
        let choices = settings.tuf.choices(group.module.path());
        if choices.is_empty() {
            interests.uncovered.push((number, first));
            continue;
        }
        for row in h1s() {
            let of = rows[row].entry.of;
            let path = target_path(&group.module, of);
            interests.all.push(Interest { group: number, row, of, path, choices: choices.clone() });
        }
    }
    interests
}

/// What repositories have answered.
pub(super) struct Answers {
    /// By the number of the repository.
    clients: BTreeMap<usize, (Client, Option<TufError>)>,
    found: BTreeMap<(usize, String), Result<Option<Approval>, TufError>>,
}

/// Asks.
pub(super) async fn look(settings: &Settings, exchange: &Exchange, interests: &Interests) -> Answers {
    let mut questions: BTreeSet<(usize, &str)> = BTreeSet::new();
    for interest in &interests.all {
        for choice in &interest.choices {
            let mapping = &settings.tuf.mappings[*choice];
            questions.extend(mapping.repositories.iter().map(|repository| (*repository, interest.path.as_str())));
        }
    }
    let needed = set(questions.iter().map(|(repository, _)| *repository));
    let clients = join_all(needed.into_iter().map(|number| async move {
        let mut client = settings.tuf.repositories[number].client(settings, exchange);
        let error = client.refresh().await.err();
        (number, (client, error))
    }));
    let clients = map(clients.await);
    let mut found = BTreeMap::new();
    let questions: Vec<(usize, &str)> =
        questions.into_iter().filter(|(repository, _)| clients[repository].1.is_none()).collect();
    for window in questions.chunks(WINDOW) {
        let walks = window.iter().map(|(repository, path)| clients[repository].0.find(path));
        let results = join_all(walks).await;
        found.extend(
            window.iter().zip(results).map(|((repository, path), result)| ((*repository, (*path).to_owned()), result)),
        );
    }
    Answers { clients, found }
}

/// The largest target with attestations, in bytes.
const MAX_PROVENANCE: u64 = 16 << 20;

/// Fetches what repositories name as the provenance of zips that they have an entry for: group, repository, and the answer. Only paths of
/// targets are followed: their hashes are signed, and nobody else's server learns anything. A URL is for people.
pub(super) async fn provenance(
    settings: &Settings,
    interests: &Interests,
    answers: &Answers,
) -> Vec<(usize, String, Result<Body, Failure>)> {
    let mut wanted: BTreeSet<(usize, usize, String)> = BTreeSet::new();
    for interest in interests.all.iter().filter(|interest| interest.of == Of::Zip) {
        for choice in &interest.choices {
            for number in &settings.tuf.mappings[*choice].repositories {
                let found = answers.found.get(&(*number, interest.path.clone()));
                let Some(Ok(Some(approval))) = found else { continue };
                let path = Statement::of(approval.target()).ok().and_then(|statement| statement.provenance);
                if let Some(path) = path.filter(|path| !path.contains("://")) {
                    wanted.insert((interest.group, *number, path));
                }
            }
        }
    }
    let fetched = wanted.into_iter().map(|(group, number, path)| async move {
        let (client, _) = answers.clients.get(&number)?;
        let content = match client.find(&path).await {
            Ok(Some(approval)) => client.content(&path, &approval, MAX_PROVENANCE).await,
            Ok(None) => return Some((group, client.name().to_owned(), Err(Failure::Absent))),
            Err(error) => Err(error),
        };
        let answer = match content {
            Ok(content) => Ok(Body { content, origin: Origin::Remote }),
            Err(TufError::Unavailable { failure, .. }) => Err(failure),
            // What the repository does wrong is told where its approvals are judged.
            Err(_) => Err(Failure::NotData),
        };
        Some((group, client.name().to_owned(), answer))
    });
    join_all(fetched).await.into_iter().flatten().collect()
}

/// What one repository says of one target, once everything has been looked at.
enum Word<'a> {
    /// It could not be found out; a finding of its own says why.
    Failed,
    /// Nothing, or nothing that counts: why not, in words that fit behind the repository's name.
    Unapproved(String),
    /// Not to be used.
    Revoked(&'a Approval, Statement),
    /// Its hash.
    Approved(&'a Approval, Statement),
}

/// Judges the lines.
pub(super) fn judge(
    settings: &Settings,
    files: &[Input],
    rows: &[Row<'_>],
    groups: &[Group],
    interests: &Interests,
    answers: &Answers,
    findings: &mut Findings<'_>,
) -> Judged {
    let mut judge = Judge {
        settings,
        files,
        rows,
        groups,
        answers,
        failed: BTreeMap::new(),
        summaries: BTreeMap::new(),
        approved: 0,
    };
    let mut told: BTreeSet<(usize, &'static str)> = BTreeSet::new();
    for interest in &interests.all {
        // One finding a module version says that it is not approved, however many lines it has. But what is said of its
        // go.mod does not stand for what another rule says of its zip: a waiver of the one hides no revocation of the other.
        if let Some((rule_is_once, draft)) = judge.interest(interest, findings)
            && (!rule_is_once || told.insert((interest.group, draft.rule())))
        {
            findings.push(draft);
        }
    }
    if settings.tuf.required {
        for (number, row) in &interests.uncovered {
            let group = &groups[*number];
            let row = &rows[*row];
            findings.push(
                Draft::new(
                    &rules::tuf_unapproved::RULE,
                    format!("no TUF repository answers for {}, and every module must be approved", group.module),
                    "add its path to the modules of a repository, or use another module",
                )
                .at(&files[row.file].path, row.entry.at)
                .about(&group.module)
                .by("tuf.required"),
            );
        }
    }
    judge.failures(findings);
    Judged { summaries: judge.summaries, approved: judge.approved }
}

/// What came of it.
pub(super) struct Judged {
    /// By group.
    pub(super) summaries: BTreeMap<usize, Vec<TargetSummary>>,
    /// How many lines are approved, with the hash that they have.
    pub(super) approved: u64,
}

/// Reports the vendored modules that somebody has to approve, and that no line of a go.sum ties to what was approved: builds
/// with `-mod=vendor` ask no go.sum, so leaving the line out must not be a way around the repositories.
pub(super) fn vendored(settings: &Settings, unlined: &[(ModuleVersion, &str, Span)], findings: &mut Findings<'_>) {
    for (module, file, at) in unlined {
        if !settings.tuf.required && settings.tuf.choices(module.path()).is_empty() {
            continue;
        }
        let message =
            format!("{module} is vendored here, and no go.sum has a line for its zip, whose hash would be approved");
        let help = "run `go mod tidy` and `go mod vendor`, and review what they change";
        let draft = Draft::new(&rules::tuf_unapproved::RULE, message, help).about(module);
        findings.push(draft.at(file, *at).kind("vendor"));
    }
}

struct Judge<'a> {
    settings: &'a Settings,
    files: &'a [Input],
    rows: &'a [Row<'a>],
    groups: &'a [Group],
    answers: &'a Answers,
    /// By repository and error: what could not be settled because of it.
    failed: BTreeMap<(usize, String), (TufError, Lump)>,
    summaries: BTreeMap<usize, Vec<TargetSummary>>,
    approved: u64,
}

impl<'a> Judge<'a> {
    fn repository(&self, number: usize) -> &'a Repository {
        &self.settings.tuf.repositories[number]
    }

    /// The finding about a line, if there is one, and whether one of its kind is enough for its module version.
    fn interest(&mut self, interest: &Interest, findings: &mut Findings<'_>) -> Option<(bool, Draft)> {
        let group = &self.groups[interest.group];
        let row = &self.rows[interest.row];
        let place = |draft: Draft, span: Span| draft.at(&self.files[row.file].path, span).about(&group.module);
        let mut reasons: Vec<String> = Vec::new();
        for choice in &interest.choices {
            let mapping = &self.settings.tuf.mappings[*choice];
            let words: Vec<(usize, Word<'a>)> =
                mapping.repositories.iter().map(|number| (*number, self.word(*number, interest))).collect();
            for (number, word) in &words {
                self.summarise(*number, word, interest, row.entry.hash);
            }
            for (number, word) in &words {
                if let Word::Revoked(approval, statement) = word {
                    let reason = statement.revoked.as_ref().map(|revoked| revoked.reason.as_str()).unwrap_or_default();
                    let draft = Draft::new(
                        &rules::tuf_revoked::RULE,
                        format!("{} must not be used any more: {reason}", group.module),
                        "use another version: `go get`, then `go mod tidy`",
                    );
                    return Some((true, place(draft, row.entry.at).by(self.by(*number, approval))));
                }
            }
            let approved: Vec<(usize, &Approval, &Statement)> = words
                .iter()
                .filter_map(|(number, word)| match word {
                    Word::Approved(approval, statement) => Some((*number, *approval, statement)),
                    _ => None,
                })
                .collect();
            // The most that agree with each other; the first, where two sets are as large. Each with each: one that names a
            // sha512 alone agrees with two that have different sha256.
            let agreeing = |one: &(usize, &Approval, &Statement)| {
                let mut together = vec![one];
                for other in approved.iter().filter(|other| other.0 != one.0) {
                    let agrees = |same: &&(usize, &Approval, &Statement)| {
                        same.2.h1 == other.2.h1 && agree(same.1.target(), other.1.target())
                    };
                    if together.iter().all(agrees) {
                        together.push(other);
                    }
                }
                together.len()
            };
            let best = approved.iter().rev().max_by_key(|one| agreeing(one));
            if let Some(best @ (number, approval, statement)) = best
                && agreeing(best) >= mapping.threshold
            {
                if statement.h1 != row.entry.hash {
                    let draft = Draft::new(
                        &rules::tuf_mismatch::RULE,
                        format!("the hash of {} is not the one that was approved", thing(&group.module, interest.of)),
                        "do not build with this line: find out who changed it, or have what it says approved",
                    );
                    let draft = place(draft, row.entry.hash_at).kind(of_name(interest.of));
                    let draft = draft.expected(statement.h1.clone()).found(row.entry.hash);
                    return Some((false, draft.by(self.by(*number, approval))));
                }
                self.approved += u64::from(statement.waived.is_none());
                return statement.waived.as_ref().map(|waived| {
                    let draft = Draft::new(
                        &rules::tuf_waived::RULE,
                        format!("{} is let pass until {}: {}", group.module, waived.until, waived.reason),
                        "have it approved before then, or use another version",
                    );
                    (true, place(draft, row.entry.at).by(self.by(*number, approval)))
                });
            }
            if approved.len() >= mapping.threshold {
                let named =
                    approved.iter().map(|(number, _, statement)| format!("{}: {}", self.name(*number), statement.h1));
                let draft = Draft::new(
                    &rules::tuf_mismatch::RULE,
                    format!(
                        "the TUF repositories that approve {} do not agree on it",
                        thing(&group.module, interest.of)
                    ),
                    "do not build with it before their keepers have found out which of them is right",
                );
                let draft =
                    place(draft, row.entry.hash_at).kind("repositories").found(named.collect::<Vec<_>>().join(", "));
                return Some((false, draft.expected(text::count(mapping.threshold, "repository that agrees"))));
            }
            let failed = words.iter().filter(|(_, word)| matches!(word, Word::Failed)).count();
            if approved.len() + failed >= mapping.threshold {
                // It may well be approved: the findings about the repositories speak of it.
                findings.set_incomplete();
                return None;
            }
            reasons.extend(words.iter().filter_map(|(number, word)| match word {
                Word::Unapproved(why) => Some(format!("{} {why}", self.name(*number))),
                _ => None,
            }));
            if mapping.threshold > 1 && !approved.is_empty() {
                reasons.push(format!("{} of {} approve it", approved.len(), mapping.threshold));
            }
            if mapping.terminating {
                break;
            }
        }
        let draft = Draft::new(
            &rules::tuf_unapproved::RULE,
            format!("{} is not approved: {}", thing(&group.module, interest.of), reasons.join("; ")),
            "have it approved (`modanchor repo add`), or use a version that is",
        );
        let by = interest.choices.iter().flat_map(|choice| &self.settings.tuf.mappings[*choice].repositories);
        let by = set(by.map(|number| self.name(*number)));
        let by = format!("TUF {}", by.into_iter().collect::<Vec<_>>().join(", "));
        Some((true, place(draft, row.entry.at).found(row.entry.hash).by(by)))
    }

    fn name(&self, number: usize) -> &'a str {
        &self.repository(number).name
    }

    fn by(&self, number: usize, approval: &Approval) -> String {
        format!("TUF {}: role {} version {}", self.name(number), approval.role(), approval.version())
    }

    fn word(&mut self, number: usize, interest: &Interest) -> Word<'a> {
        let answers = self.answers;
        let error = match answers.clients.get(&number) {
            Some((_, Some(error))) => Some(error),
            _ => None,
        };
        let found = answers.found.get(&(number, interest.path.clone()));
        let approval = match (error, found) {
            (Some(error), _) | (None, Some(Err(error))) => {
                let key = (number, error.to_string());
                let (_, lump) = self.failed.entry(key).or_insert_with(|| (error.clone(), Lump::default()));
                lump.add(&self.rows[interest.row], &self.groups[interest.group]);
                return Word::Failed;
            }
            (None, None | Some(Ok(None))) => return Word::Unapproved("does not name it".to_owned()),
            (None, Some(Ok(Some(approval)))) => approval,
        };
        let repository = self.repository(number);
        let statement = match Statement::of(approval.target()) {
            Ok(statement) => statement,
            Err(why) => match Statement::unreadable_revocation(approval.target()) {
                Some(statement) => statement,
                None => return Word::Unapproved(format!("names a target that {why}")),
            },
        };
        let now = self.settings.tuf.now;
        if statement.revoked.as_ref().is_some_and(|revoked| revoked.until.is_none_or(|until| !until.is_past(now))) {
            // A waiver lets pass for a while what is revoked, and was signed by the same role.
            if statement.waived.as_ref().is_none_or(|waived| waived.until.is_past(now)) {
                return Word::Revoked(approval, statement);
            }
        }
        // After revocations: any role that may name a target may revoke it, and other repositories must not outvote that.
        if let Some(role) = &repository.role
            && !self.is_by(number, role, approval)
        {
            return Word::Unapproved(format!("has it from the role {}, and not from {role}", approval.role()));
        }
        match &statement.waived {
            Some(waived) if waived.until.is_past(now) => {
                Word::Unapproved(format!("waived it until {} and has not approved it since", waived.until))
            }
            _ => Word::Approved(approval, statement),
        }
    }

    /// Whether the role that must approve has. A name is only that role's where the way to it is: whom top-level targets
    /// delegates to itself is not meant by another's delegation to a role of the same name, with other keys.
    fn is_by(&self, number: usize, role: &String, approval: &Approval) -> bool {
        let is_direct = self.answers.clients.get(&number).is_some_and(|(client, _)| client.delegates_to(role));
        if is_direct { approval.roles().get(1) == Some(role) } else { approval.roles().contains(role) }
    }

    fn summarise(&mut self, number: usize, word: &Word<'_>, interest: &Interest, hash: &str) {
        let (status, said) = match word {
            Word::Failed => (TargetStatus::Unchecked, None),
            Word::Unapproved(_) => (TargetStatus::Unapproved, None),
            Word::Revoked(approval, statement) => (TargetStatus::Revoked, Some((approval, statement))),
            Word::Approved(approval, statement) if statement.h1 != hash => {
                (TargetStatus::Mismatch, Some((approval, statement)))
            }
            Word::Approved(approval, statement) if statement.waived.is_some() => {
                (TargetStatus::Waived, Some((approval, statement)))
            }
            Word::Approved(approval, statement) => (TargetStatus::Approved, Some((approval, statement))),
        };
        let summary = TargetSummary {
            repository: self.name(number).to_owned(),
            path: interest.path.clone(),
            status,
            role: said.map(|(approval, _)| approval.role().to_owned()),
            version: said.map(|(approval, _)| approval.version()),
            expires: said.map(|(approval, _)| approval.expires().to_string()),
            hash: said.map(|(_, statement)| statement.h1.clone()).filter(|hash| !hash.is_empty()),
            provenance: said.and_then(|(_, statement)| statement.provenance.clone()),
        };
        let summaries = self.summaries.entry(interest.group).or_default();
        if !summaries.contains(&summary) {
            summaries.push(summary);
        }
    }

    /// One finding for all lines that a failure of a repository leaves open.
    fn failures(&mut self, findings: &mut Findings<'_>) {
        for ((number, _), (error, lump)) in std::mem::take(&mut self.failed) {
            findings.set_incomplete();
            let name = self.name(number);
            let draft = failure(name, &error).more(&format!(
                "; so {} cannot be judged by it ({})",
                text::count(lump.lines, "line"),
                lump.names()
            ));
            findings.push(lump.place_in(draft, self.files));
        }
    }
}

/// Whether two repositories mean the same file, as far as they name digests of the same kind (TAP 4).
fn agree(one: &TargetMeta, other: &TargetMeta) -> bool {
    let digests = one.hashes.iter().filter_map(|(kind, digest)| Some((digest, other.hashes.get(kind)?)));
    one.length == other.length && digests.into_iter().all(|(one, other)| one.eq_ignore_ascii_case(other))
}

/// The finding about a repository that says nothing.
pub(super) fn failure(name: &str, error: &TufError) -> Draft {
    let rule: &'static Rule = match error {
        TufError::Unavailable { .. } | TufError::TooManyRoles => &rules::tuf_unavailable::RULE,
        TufError::Malformed { .. } | TufError::Signature { .. } => &rules::tuf_bad_signature::RULE,
        TufError::Mismatch { .. } | TufError::Target { .. } => &rules::tuf_mismatch::RULE,
        TufError::Rollback { .. } => &rules::tuf_rollback::RULE,
        TufError::Expired { role, .. } if role == "timestamp" || role == "snapshot" => &rules::tuf_freeze::RULE,
        TufError::Expired { .. } => &rules::tuf_expired::RULE,
        TufError::NotFound { .. } => &rules::tuf_unapproved::RULE,
    };
    let help = match error {
        TufError::Unavailable { .. } => "run it again; stderr shows what was asked for",
        TufError::TooManyRoles => "let fewer roles have the path, or put the role that names it before the others",
        TufError::NotFound { .. } => "look at its path, and at who may name it",
        _ => "nothing that it says is believed; `modanchor explain` on this rule tells what to do",
    };
    let by = format!("TUF {name}");
    Draft::new(rule, format!("the TUF repository {name}: {error}"), help).kind("repository").by(by)
}

/// The report's part about the repositories that were asked.
pub(super) fn repositories<'c>(clients: impl IntoIterator<Item = &'c Client>) -> Vec<RepositorySummary> {
    let summary = |client: &Client| RepositorySummary {
        name: client.name().to_owned(),
        roles: (client.roles().into_iter())
            .map(|(name, version, expires)| RoleSummary {
                name: name.to_owned(),
                version,
                expires: expires.to_string(),
            })
            .collect(),
        requests: client.requests(),
        floor: client.floor(),
    };
    clients.into_iter().map(summary).collect()
}

impl Answers {
    /// The report's part about the repositories.
    pub(super) fn repositories(&self) -> Vec<RepositorySummary> {
        repositories(self.clients.values().map(|(client, _)| client))
    }
}
