//! The task `verify`: every line of every go.sum against the checksum database, and the bytes against the lines.
//!
//! `explain` is the same for one module version.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::findings::{Draft, Findings};
use super::lump::Lump;
use super::settings::{Settings, Skip, TOOLCHAIN};
use super::{Parts, approvals, asking, bytes, finish, fix, programs, signatures, text, vendored};
use crate::buildinfo::BuildInfo;
use crate::contract::{Checkout, FileKind, Outcome, Presence, Refusal, SourceFile};
use crate::exchange::Exchange;
use crate::gosum::sum::{self, Entry, HashKind, Line};
use crate::gosum::wanted::{File, Survey, Wanted};
use crate::module::ModuleVersion;
use crate::report::{
    BytesSummary, Counts, FileSummary, LineStatus, LineSummary, ModuleSummary, Of, Severity, TargetSummary, rules,
};
use crate::sort::{set, sort_by};
use crate::sumdb::client::{Answer, Client, Record, Unbelievable, Unchecked};
use crate::sumdb::lookup::lines_for;

/// A file that is judged.
pub(super) struct Input {
    pub(super) path: String,
    pub(super) kind: Kind,
    /// Every byte of it; of a program, what [`programs::input`] makes of it.
    pub(super) content: Vec<u8>,
    /// Of the whole file, hexadecimal.
    pub(super) sha256: String,
    /// What a program says of itself.
    pub(super) program: Option<BuildInfo>,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One of Go's.
    Go(FileKind),
    /// A built program.
    Program,
}

/// A line of a go.sum that is an entry.
pub(super) struct Row<'a> {
    pub(super) file: usize,
    pub(super) entry: Entry<'a>,
    pub(super) status: LineStatus,
}

impl Row<'_> {
    /// Whether it compares with anything: a hash of an unknown algorithm does not.
    pub(super) fn is_h1(&self) -> bool {
        self.entry.kind != HashKind::Unknown
    }
}

/// A module version, and the rows that name it.
pub(super) struct Group {
    pub(super) module: ModuleVersion,
    pub(super) rows: Range<usize>,
    pub(super) record: Option<u64>,
    /// What the record says where no line says the same.
    pub(super) recorded: Vec<(Of, String)>,
}

/// What a checkout is judged for.
pub(super) enum Mode {
    /// Everything in it.
    Verify,
    /// What it says of one module version.
    Explain(ModuleVersion),
    /// How its go.sum files should be.
    Fix,
}

/// Judges a checkout.
pub(super) async fn run(
    settings: &Settings,
    checkout: Checkout,
    mode: Mode,
    exchange: Exchange,
) -> Result<Outcome, Refusal> {
    let mut checkout = checkout;
    let bare = std::mem::take(&mut checkout.bare_vendors);
    let files = inputs(checkout)?;
    let only = match &mode {
        Mode::Explain(module) => Some(module),
        Mode::Verify | Mode::Fix => None,
    };
    if files.is_empty() && only.is_none() {
        return Err(Refusal::NothingToDo);
    }
    let mut findings = Findings::new(settings);
    // What else is wrong with the files is not asked about.
    let mut others = Findings::new(settings);
    let about_all = if only.is_some() { &mut others } else { &mut findings };
    let (mut rows, summaries) = read(&files, about_all);
    let survey = survey(&files);
    programs::judge(&files, about_all);
    let mut vendors = vendored::read(settings, &files, bare, about_all);
    if let Some(module) = only {
        rows.retain(|row| (row.entry.path(), row.entry.version()) == (module.path(), module.version()));
        vendors = vendors.only(module);
    }
    let mut groups = group(&mut rows);
    conflicts(&files, &rows, &groups, &mut findings);
    unknown_hashes(&files, &rows, &groups, &mut findings);
    if only.is_none() {
        unseen(&survey, &mut findings);
    }

    // Module versions that no line names, and about which somebody asks all the same.
    let listed = vendors.modules();
    let missing: Vec<&Wanted> = match mode {
        Mode::Fix => survey.missing().filter(|wanted| !wanted.in_workspace).collect(),
        Mode::Verify | Mode::Explain(_) => Vec::new(),
    };
    let unlined = set(only.into_iter().chain(&listed).chain(missing.iter().map(|wanted| &wanted.module)));
    let new: Vec<ModuleVersion> = unlined
        .into_iter()
        .filter(|module| groups.binary_search_by(|group| group.module.cmp(module)).is_err())
        .cloned()
        .collect();
    groups.extend(new.into_iter().map(|module| Group { module, rows: 0..0, record: None, recorded: Vec::new() }));
    sort_by(&mut groups, |a, b| a.module.cmp(&b.module));

    let mut judge = Judge { settings, files: &files, findings, unchecked: BTreeMap::new(), skipped: BTreeMap::new() };
    let mut ask: Vec<usize> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        match settings.skips(group.module.path()) {
            Some(_) if group.rows.is_empty() => judge.unlined(group, None),
            Some(skip) => judge.skip(skip, group, &mut rows),
            None if !group.rows.is_empty() && !rows[group.rows.clone()].iter().any(Row::is_h1) => {}
            None if settings.sumdb.is_none() => judge.disabled(group, &mut rows),
            None => ask.push(number),
        }
    }

    let mut client = settings.sumdb.as_ref().map(|sumdb| Client::new(&sumdb.client, exchange.clone()));
    let mut settled: Vec<(usize, Settled)> = Vec::with_capacity(ask.len());
    let mut lines = Vec::new();
    let interests = bytes::interests(&files, &rows, &groups, &listed);
    let approvals = approvals::interests(settings, &rows, &groups);
    let attested = match mode {
        Mode::Verify | Mode::Explain(_) => signatures::interests(settings, &rows, &groups),
        Mode::Fix => Vec::new(),
    };
    let (holdings, answers, stop, mut evidence) = {
        // Hashing and asking do not wait for each other.
        let look = bytes::look(settings, &exchange, &groups, &interests, &listed);
        let asking = async {
            let modules: Vec<&ModuleVersion> = ask.iter().map(|number| &groups[*number].module).collect();
            asking::ask_all(client.as_mut()?, &exchange, &modules, |position, answer| {
                let group = &groups[ask[position]];
                if only.is_some() {
                    lines = recorded_lines(group, &answer);
                }
                if group.rows.is_empty() && !matches!(answer, Answer::Record(_)) {
                    judge.unlined(group, Some(&answer));
                }
                settled.push((ask[position], judge.answer(group, &mut rows, answer)));
            })
            .await
        };
        let approving = approvals::look(settings, &exchange, &approvals);
        let attesting = signatures::look(settings, &exchange, &attested, &groups);
        futures_util::future::join4(look, approving, asking, attesting).await
    };
    signatures::approved(settings, &approvals, &answers, &mut evidence).await;
    for (number, settled) in settled {
        groups[number].record = settled.record;
        groups[number].recorded = settled.differs;
    }
    if let Some(client) = &client {
        asking::judge_database(settings, client, stop, &exchange, &mut judge.findings);
    }
    judge.lumps(&rows);

    let mut findings = judge.findings;
    let database = settings.sumdb.as_ref().map(|sumdb| sumdb.name());
    let fixes = match mode {
        Mode::Fix => fix::plan(&files, &rows, &groups, &missing, database, &mut findings),
        Mode::Verify | Mode::Explain(_) => Vec::new(),
    };
    let proved = set(fixes.iter().flat_map(|fix| fix.added.iter().map(|line| (fix.path.as_str(), line.as_str()))));
    // The lines of go.sum files for a module's zip.
    let zip_lines = |module: &ModuleVersion| {
        let group = groups.binary_search_by(|group| group.module.cmp(module)).ok().map(|at| &groups[at]);
        let rows = group.map_or(&[][..], |group| &rows[group.rows.clone()]);
        rows.iter().filter(|row| row.entry.of == Of::Zip && files[row.file].kind != Kind::Program)
    };
    if only.is_none() {
        self::missing(&survey, &proved, &mut findings);
        let told = survey.missing().filter(|wanted| wanted.of == Of::Zip);
        let told = set(told.map(|wanted| &wanted.module));
        vendors.missing(|module| told.contains(module) || zip_lines(module).next().is_some(), &mut findings);
    }
    let mut bytes = bytes::Judge::new(settings, &files, &rows, &groups, database);
    bytes.judge(&survey, &interests, &holdings, &exchange, &mut findings).await;
    vendors.judge(&mut bytes, &holdings, &exchange, &mut findings).await;

    let targets = approvals::judge(settings, &files, &rows, &groups, &approvals, &answers, &mut findings);
    let mut roots = signatures::roots(settings, &exchange, &evidence, &mut findings).await;
    let unlined = vendors.unlined(|module| zip_lines(module).any(Row::is_h1));
    let known = signatures::Known {
        files: &files,
        rows: &rows,
        groups: &groups,
        survey: &survey,
        bytes: &bytes.summaries,
        targets: &targets.summaries,
        unlined: &unlined,
        all: only.is_none(),
    };
    let graded = signatures::judge(settings, &known, &evidence, &roots, &mut findings);
    approvals::vendored(settings, &unlined, &mut findings);

    let mut counts = Counts { modules: groups.len() as u64, lines: rows.len() as u64, ..Counts::default() };
    counts.uncovered = approvals.uncovered(settings);
    counts.approved = targets.approved;
    for row in &rows {
        match row.status {
            LineStatus::Verified => counts.verified += 1,
            LineStatus::Skipped => counts.skipped += 1,
            LineStatus::Unchecked | LineStatus::Unknown => counts.unchecked += 1,
            LineStatus::Mismatch => {}
        }
    }
    // What the settings keep from being looked at is not absent.
    if settings.bytes.module_cache != Presence::Off {
        counts.bytes.absent += bytes.nothing;
    }
    let bytes = bytes.summaries;
    for summary in bytes.values().flatten() {
        counts.bytes.add(summary);
    }
    for grade in graded.grades.values() {
        counts.grades.add(*grade);
    }
    let modules = Modules {
        files: &files,
        rows: &rows,
        groups: &groups,
        bytes: &bytes,
        targets: &targets.summaries,
        graded: &graded,
    };
    let mut repositories = answers.repositories();
    repositories.extend(roots.repositories());
    let parts = Parts {
        client: client.as_ref(),
        repositories,
        trusted_roots: roots.summaries(),
        files: summaries,
        artifacts: Vec::new(),
    };
    let outcome = finish(settings, parts, &modules, counts, findings);
    Ok(Outcome { lines, fixes, ..outcome })
}

/// The lines of an answer about a module version.
fn recorded_lines(group: &Group, answer: &Answer) -> Vec<String> {
    let Answer::Record(record) = answer else { return Vec::new() };
    let lines = lines_for(&record.text, group.module.path(), group.module.version());
    let lines = [lines.zip(), lines.go_mod()].into_iter().flatten().flatten();
    lines.map(|line| (*line).to_owned()).collect()
}

/// What a look-up has settled of a group.
struct Settled {
    record: Option<u64>,
    /// What the record says where a line says something else, or nothing.
    differs: Vec<(Of, String)>,
}

/// The files of a checkout, by path.
pub(super) fn inputs(checkout: Checkout) -> Result<Vec<Input>, Refusal> {
    let mut files: Vec<Input> = Vec::with_capacity(checkout.files.len() + checkout.programs.len());
    files.extend(checkout.files.into_iter().map(|SourceFile { path, kind, content }| {
        let sha256 = crate::hex::encode(&Sha256::digest(&content));
        Input { path, kind: Kind::Go(kind), content, sha256, program: None }
    }));
    for program in checkout.programs {
        files.push(programs::input(program)?);
    }
    sort_by(&mut files, |a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Reads all lines, and reports those that are no entries.
fn read<'a>(files: &'a [Input], findings: &mut Findings<'_>) -> (Vec<Row<'a>>, Vec<FileSummary>) {
    let mut rows = Vec::new();
    let mut summaries = Vec::with_capacity(files.len());
    for (number, file) in files.iter().enumerate() {
        let is_sum = matches!(file.kind, Kind::Go(FileKind::GoSum | FileKind::GoWorkSum) | Kind::Program);
        let mut lines = sum::lines(if is_sum { &file.content } else { &[] });
        for line in lines.by_ref() {
            match line {
                Line::Entry(entry) => rows.push(Row { file: number, entry, status: LineStatus::Unchecked }),
                Line::Problem(problem) => {
                    let consequence = if problem.refused() {
                        "the go command refuses this file"
                    } else {
                        "the go command keeps it as an entry that nothing ever asks for"
                    };
                    findings.push(
                        Draft::new(
                            &rules::gosum_malformed::RULE,
                            format!("not a go.sum line: {}; {consequence}", problem.cause),
                            "repair or remove the line by hand, then run `go mod tidy` and review what it adds",
                        )
                        .at(&file.path, problem.at),
                    );
                }
            }
        }
        summaries.push(FileSummary {
            path: file.path.clone(),
            kind: kind_name(file.kind).to_owned(),
            sha256: file.sha256.clone(),
            lines: if is_sum { lines.read().into() } else { count_lines(&file.content) },
        });
    }
    (rows, summaries)
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Go(FileKind::GoSum) => "go.sum",
        Kind::Go(FileKind::GoWorkSum) => "go.work.sum",
        Kind::Go(FileKind::GoMod) => "go.mod",
        Kind::Go(FileKind::GoWork) => "go.work",
        Kind::Go(FileKind::VendorModules) => "vendor",
        Kind::Program => "program",
    }
}

/// How many lines a file has, the last one with or without its newline.
fn count_lines(content: &[u8]) -> u64 {
    let newlines = content.iter().filter(|byte| **byte == b'\n').count();
    let open = content.last().is_some_and(|byte| *byte != b'\n');
    newlines as u64 + u64::from(open)
}

/// Brings the rows of a module version together, and the module versions into Go's order.
///
/// By sorting and not by hashing: its time does not depend on what an attacker writes.
fn group(rows: &mut Vec<Row<'_>>) -> Vec<Group> {
    fn key<'a>(row: &Row<'a>) -> (&'a str, &'a str, usize, u32) {
        (row.entry.path(), row.entry.version(), row.file, row.entry.at.line)
    }
    sort_by(rows, |a, b| key(a).cmp(&key(b)));
    let mut groups: Vec<Group> = Vec::new();
    let mut start = 0;
    for chunk in rows.chunk_by(|a, b| (a.entry.path(), a.entry.version()) == (b.entry.path(), b.entry.version())) {
        groups.push(Group {
            module: chunk[0].entry.module(),
            rows: start..start + chunk.len(),
            record: None,
            recorded: Vec::new(),
        });
        start += chunk.len();
    }
    sort_by(&mut groups, |a, b| a.module.cmp(&b.module));
    groups
}

/// Two hashes for the same thing: the go command hides that one of them is wrong.
///
/// Within a file always; between files where a go.work ties them, since a workspace's hashes count together.
fn conflicts(files: &[Input], rows: &[Row<'_>], groups: &[Group], findings: &mut Findings<'_>) {
    let is_workspace = files.iter().any(|file| file.kind == Kind::Go(FileKind::GoWork));
    for group in groups {
        let rows = &rows[group.rows.clone()];
        let mut first: BTreeMap<(usize, Of), &Row<'_>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.is_h1()) {
            let scope = if is_workspace { 0 } else { row.file };
            let earlier = *first.entry((scope, row.entry.of)).or_insert(row);
            if earlier.entry.hash == row.entry.hash {
                continue;
            }
            let place = format!("{}:{}", files[earlier.file].path, earlier.entry.at.line);
            findings.push(
                Draft::new(
                    &rules::gosum_conflict::RULE,
                    format!("{} has another hash in {place}", thing(&group.module, row.entry.of)),
                    "find out which of the two is right, `modanchor lookup` tells, and remove the other",
                )
                .at(&files[row.file].path, row.entry.hash_at)
                .about(&group.module)
                .kind(of_name(row.entry.of))
                .expected(earlier.entry.hash)
                .found(row.entry.hash)
                .by(place),
            );
        }
    }
}

/// Hashes of algorithms that Go does not know, where there is no h1 beside them.
fn unknown_hashes(files: &[Input], rows: &[Row<'_>], groups: &[Group], findings: &mut Findings<'_>) {
    for group in groups {
        let rows = &rows[group.rows.clone()];
        let known = set(rows.iter().filter(|row| row.is_h1()).map(|row| (row.file, row.entry.of)));
        for row in rows.iter().filter(|row| !row.is_h1()) {
            if !known.contains(&(row.file, row.entry.of)) {
                findings.push(
                    Draft::new(
                        &rules::gosum_unknown_hash::RULE,
                        format!("{} has only a hash that Go does not know", thing(&group.module, row.entry.of)),
                        "the go command takes the line as absent: add the h1 line, `modanchor lookup` prints it",
                    )
                    .at(&files[row.file].path, row.entry.hash_at)
                    .about(&group.module)
                    .kind(of_name(row.entry.of))
                    .expected("h1:…")
                    .found(row.entry.hash)
                    .by("the go command"),
                );
            }
        }
    }
}

/// What the go.mod and go.work files ask for.
pub(super) fn survey(files: &[Input]) -> Survey {
    Survey::new(files.iter().filter_map(|file| match file.kind {
        Kind::Go(kind) => Some(File { path: &file.path, kind, content: &file.content }),
        Kind::Program => None,
    }))
}

/// Lines that the go command will ask for and not find. `proved` are lines that are about to be added, by file.
fn missing(survey: &Survey, proved: &BTreeSet<(&str, &str)>, findings: &mut Findings<'_>) {
    for wanted in survey.missing() {
        let start = thing(&wanted.module, wanted.of) + " ";
        let file = wanted.sum_file.as_str();
        if proved.range((file, start.as_str())..).next().is_some_and(|(f, line)| *f == file && line.starts_with(&start))
        {
            continue;
        }
        let message = format!(
            "{} is required here, and {} has no line for it",
            thing(&wanted.module, wanted.of),
            wanted.sum_file
        );
        let help = if wanted.in_workspace {
            "nothing: in a workspace the go command adds it to go.work.sum by itself; to build the module alone, run \
             `go mod tidy` in its folder"
        } else {
            "run `modanchor fix`, or `go mod tidy`, and review what it adds to go.sum"
        };
        let draft = Draft::new(&rules::gosum_missing::RULE, message, help)
            .at(&wanted.file, wanted.at)
            .about(&wanted.module)
            .kind(of_name(wanted.of))
            .by("the go command");
        // In a workspace the go command adds what is missing to go.work.sum by itself, and stops for nothing.
        findings.push(if wanted.in_workspace { draft.severity(Severity::Low) } else { draft });
    }
}

/// What of go.mod and go.work cannot be read or seen.
fn unseen(survey: &Survey, findings: &mut Findings<'_>) {
    for broken in &survey.broken {
        let error = &broken.error;
        findings.push(
            Draft::new(
                &rules::unchecked::RULE,
                format!("cannot be read, so it is not known which lines go.sum should have: {}", error.cause),
                "repair the file: the go command refuses it too",
            )
            .at(&broken.file, error.at)
            .kind("syntax"),
        );
    }
    for unseen in &survey.unseen {
        let draft = Draft::new(
            &rules::unchecked::RULE,
            format!(
                "the module in {} belongs to this workspace and was not judged: {}",
                unseen.directory, unseen.reason
            ),
            "run on the folder that holds the whole workspace",
        );
        findings.push(draft.at(&unseen.file, unseen.at).kind("workspace"));
    }
}

pub(super) fn of_name(of: Of) -> &'static str {
    match of {
        Of::Zip => "zip",
        Of::GoMod => "go.mod",
    }
}

/// What a line is the hash of, as go.sum writes it.
pub(super) fn thing(module: &ModuleVersion, of: Of) -> String {
    let suffix = match of {
        Of::Zip => "",
        Of::GoMod => "/go.mod",
    };
    format!("{} {}{suffix}", module.path(), module.version())
}

/// The hash that a record has, as cmd/go's checkSumDB finds it: all that follows is the hash, and the first h1 decides.
fn recorded<'r>(record: &'r Record, module: &ModuleVersion, of: Of) -> Option<&'r str> {
    let lines = lines_for(&record.text, module.path(), module.version());
    let lines = match of {
        Of::Zip => lines.zip(),
        Of::GoMod => lines.go_mod(),
    };
    let before = thing(module, of).len() + 1;
    let mut hashes = lines.ok()?.iter().map(|line| &line[before..]);
    hashes.find(|hash| HashKind::of(hash) != HashKind::Unknown)
}

/// Turns answers into line statuses and findings.
struct Judge<'a> {
    settings: &'a Settings,
    files: &'a [Input],
    findings: Findings<'a>,
    /// By file and cause.
    unchecked: BTreeMap<(usize, Unchecked), Lump>,
    skipped: BTreeMap<(usize, Skip<'a>), Lump>,
}

impl<'a> Judge<'a> {
    /// The rows of a group that compare with the database; a hash of an unknown algorithm compares with nothing.
    fn comparable<'r, 'f>(group: &Group, rows: &'r mut [Row<'f>]) -> impl Iterator<Item = &'r mut Row<'f>> {
        rows[group.rows.clone()].iter_mut().filter(|row| row.is_h1())
    }

    fn skip(&mut self, skip: Skip<'a>, group: &Group, rows: &mut [Row<'_>]) {
        for row in Self::comparable(group, rows) {
            row.status = LineStatus::Skipped;
            self.malformed(group, row);
            let lump = self.skipped.entry((row.file, skip)).or_default();
            lump.add(row, group);
        }
    }

    /// The toolchain, where there is no database to ask: cmd/go refuses it as well.
    fn disabled(&mut self, group: &Group, rows: &mut [Row<'_>]) {
        let by = self.settings.off_by.clone().unwrap_or_default();
        for row in Self::comparable(group, rows) {
            self.malformed(group, row);
            self.findings.push(
                Draft::new(
                    &rules::unchecked::RULE,
                    format!(
                        "{} is always checked, and the checksum database is disabled by {by}",
                        thing(&group.module, row.entry.of)
                    ),
                    format!("remove GOSUMDB=off: no setting excuses {TOOLCHAIN}"),
                )
                .at(&self.files[row.file].path, row.entry.at)
                .about(&group.module)
                .kind(of_name(row.entry.of)),
            );
        }
    }

    /// A hash that the go command cannot have written, where there is nothing to compare it with.
    fn malformed(&mut self, group: &Group, row: &Row<'_>) {
        if row.entry.kind == HashKind::Malformed {
            self.findings.push(
                Draft::new(
                    &rules::gosum_malformed::RULE,
                    format!("{} has an h1 hash that is no SHA-256 in base64", thing(&group.module, row.entry.of)),
                    "no module can have this hash: restore the line from where it was last right",
                )
                .at(&self.files[row.file].path, row.entry.hash_at)
                .about(&group.module)
                .kind(of_name(row.entry.of))
                .found(row.entry.hash),
            );
        }
    }

    /// Settles the rows of a module.
    fn answer(&mut self, group: &Group, rows: &mut [Row<'_>], answer: Answer) -> Settled {
        match answer {
            Answer::Record(record) => {
                for row in Self::comparable(group, rows) {
                    self.compare(group, row, &record);
                }
                let rows = &rows[group.rows.clone()];
                let confirmed =
                    |of: Of| rows.iter().any(|row| row.entry.of == of && row.status == LineStatus::Verified);
                let differs = [Of::Zip, Of::GoMod]
                    .into_iter()
                    .filter(|of| !confirmed(*of))
                    .filter_map(|of| recorded(&record, &group.module, of).map(|hash| (of, hash.to_owned())));
                return Settled { record: Some(record.id), differs: differs.collect() };
            }
            Answer::Unknown => self.unknown(group, rows),
            Answer::Unchecked(why) => {
                for row in Self::comparable(group, rows) {
                    self.malformed(group, row);
                    let lump = self.unchecked.entry((row.file, why)).or_default();
                    lump.add(row, group);
                }
            }
            Answer::Unbelievable(why) => self.unbelievable(group, rows, &why),
        }
        Settled { record: None, differs: Vec::new() }
    }

    /// A module version that no line names, and of which the database does not tell.
    fn unlined(&mut self, group: &Group, answer: Option<&Answer>) {
        match answer {
            // The finding is the one about the database.
            Some(Answer::Unchecked(Unchecked::Stopped)) => self.findings.set_incomplete(),
            answer => self.findings.push(super::lookup::unanswered(self.settings, &group.module, answer)),
        }
    }

    fn compare(&mut self, group: &Group, row: &mut Row<'_>, record: &Record) {
        let of = row.entry.of;
        let by = self.record_name(record);
        let Some(recorded) = recorded(record, &group.module, of) else {
            row.status = LineStatus::Mismatch;
            self.findings.push(
                Draft::new(
                    &rules::sumdb_no_line::RULE,
                    format!("the record has no line for {}", thing(&group.module, of)),
                    "do not build with it: an authentic answer that does not speak of the module proves nothing; \
                     run again past the proxy (GOPROXY=direct) and report what differs",
                )
                .at(&self.files[row.file].path, row.entry.hash_at)
                .about(&group.module)
                .kind(of_name(of))
                .found(row.entry.hash)
                .by(by),
            );
            return;
        };
        if recorded == row.entry.hash {
            row.status = LineStatus::Verified;
            return;
        }
        row.status = LineStatus::Mismatch;
        let (rule, help) = match self.files[row.file].kind {
            Kind::Program => (
                &rules::binary_mismatch::RULE,
                "do not run it: it was built from other content than everybody else gets; find out where it was built",
            ),
            Kind::Go(_) => (
                &rules::gosum_mismatch::RULE,
                "do not build with this line: find out who changed it and where its bytes came from; \
                 `modanchor explain gosum-mismatch` lists the harmless causes too",
            ),
        };
        let message = format!("the hash of {} is not the one that the checksum database has", thing(&group.module, of));
        self.findings.push(
            Draft::new(rule, message, help)
                .at(&self.files[row.file].path, row.entry.hash_at)
                .about(&group.module)
                .kind(of_name(of))
                .expected(recorded)
                .found(row.entry.hash)
                .by(by),
        );
    }

    fn record_name(&self, record: &Record) -> String {
        format!("{} record {}", self.database(), record.id)
    }

    fn database(&self) -> &str {
        self.settings.sumdb.as_ref().map_or("the checksum database", |sumdb| sumdb.name())
    }

    /// One finding a module: GOPRIVATE is what mostly is missing, and it is missing for all its lines.
    fn unknown(&mut self, group: &Group, rows: &mut [Row<'_>]) {
        let mut first = true;
        for row in Self::comparable(group, rows) {
            row.status = LineStatus::Unknown;
            self.malformed(group, row);
            if std::mem::take(&mut first) {
                self.findings.push(
                    Draft::new(
                        &rules::sumdb_unknown_module::RULE,
                        format!("{} has no record of {}", self.database(), group.module),
                        "if the module is private, set GOPRIVATE; if it is public, check its name for a typo: \
                         the go command would not have accepted it without a record",
                    )
                    .at(&self.files[row.file].path, row.entry.at)
                    .about(&group.module)
                    .by(self.database().to_owned()),
                );
            }
        }
    }

    fn unbelievable(&mut self, group: &Group, rows: &mut [Row<'_>], why: &Unbelievable) {
        let by = self.database().to_owned();
        // Nor were its lines checked, which `--fail-on` does not excuse.
        self.findings.set_incomplete();
        let mut first = true;
        for row in Self::comparable(group, rows) {
            self.malformed(group, row);
            if std::mem::take(&mut first) {
                let draft = asking::unbelievable(why, &group.module, by.clone());
                self.findings.push(draft.at(&self.files[row.file].path, row.entry.at));
            }
        }
    }

    /// One finding for all lines of a file that share a cause.
    fn lumps(&mut self, rows: &[Row<'_>]) {
        for ((file, why), lump) in std::mem::take(&mut self.unchecked) {
            if why == Unchecked::Stopped {
                // The finding is the one about the database.
                self.findings.set_incomplete();
                continue;
            }
            let (cause, help) = text::unchecked(why);
            let message =
                format!("{} could not be checked ({}): {cause}", text::count(lump.lines, "line"), lump.names());
            let draft = Draft::new(&rules::unchecked::RULE, message, help).by(self.database().to_owned());
            self.findings.push(lump.place(draft, &self.files[file].path));
        }
        let comparable = rows.iter().filter(|row| row.is_h1()).count();
        let all = self.settings.skip.matching_everything();
        for ((file, skip), lump) in std::mem::take(&mut self.skipped) {
            let lines = text::count(lump.lines, "line");
            let draft = match skip {
                Skip::Off(by) => Draft::new(
                    &rules::sumdb_skipped::RULE,
                    format!("{lines} of {comparable} not compared with any checksum database: disabled by {by}"),
                    "remove GOSUMDB=off; use GOPRIVATE for the modules that are private",
                )
                .severity(Severity::Medium)
                .by(by),
                Skip::Pattern(pattern) => {
                    let by = format!("{}: {}", self.settings.skip_text.set_by, self.settings.skip_text.patterns);
                    let message = format!(
                        "{lines} not compared with the checksum database ({}): the pattern {pattern} covers them",
                        lump.names()
                    );
                    match &all {
                        Some(all) => Draft::new(
                            &rules::sumdb_skipped::RULE,
                            message,
                            format!("{all} covers every module there is: name the private ones instead"),
                        )
                        .severity(Severity::Medium),
                        None => {
                            Draft::new(&rules::sumdb_skipped::RULE, message, "nothing, if these modules are private")
                        }
                    }
                    .by(by)
                }
            };
            self.findings.push(lump.place(draft, &self.files[file].path));
        }
    }
}

/// The modules of a report, written without being built first: there may be half a million.
struct Modules<'a> {
    files: &'a [Input],
    rows: &'a [Row<'a>],
    groups: &'a [Group],
    bytes: &'a BTreeMap<usize, Vec<BytesSummary>>,
    targets: &'a BTreeMap<usize, Vec<TargetSummary>>,
    graded: &'a signatures::Judged,
}

impl Serialize for Modules<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.groups.iter().enumerate().map(|(number, group)| {
            let rows = &self.rows[group.rows.clone()];
            let bytes = self.bytes.get(&number).map_or(&[][..], Vec::as_slice);
            ModuleSummary {
                path: Cow::Borrowed(group.module.path()),
                version: Cow::Borrowed(group.module.version()),
                grade: self.graded.grade(number),
                record: group.record,
                lines: rows
                    .iter()
                    .map(|row| LineSummary {
                        file: Cow::Borrowed(&self.files[row.file].path),
                        line: row.entry.at.line,
                        of: row.entry.of,
                        hash: Cow::Borrowed(row.entry.hash),
                        status: row.status,
                        record: group.record,
                    })
                    .collect(),
                bytes: bytes.to_vec(),
                signatures: self.graded.signatures.get(&number).cloned().unwrap_or_default(),
                targets: self.targets.get(&number).cloned().unwrap_or_default(),
                rulings: self.graded.rulings.get(&number).cloned().unwrap_or_default(),
            }
        }))
    }
}
