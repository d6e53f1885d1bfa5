//! The task `files`: every line of every go.sum against the checksum database.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use super::findings::{Draft, Findings};
use super::settings::{Settings, Skip, TOOLCHAIN};
use super::{asking, finish, text};
use crate::contract::{FileKind, Outcome, Refusal, SourceFile};
use crate::exchange::Exchange;
use crate::gosum::Span;
use crate::gosum::sum::{self, Entry, HashKind, Line};
use crate::gosum::wanted::{File, Survey};
use crate::module::ModuleVersion;
use crate::report::{Counts, FileSummary, Grade, LineStatus, LineSummary, ModuleSummary, Of, Severity, rules};
use crate::sumdb::client::{Answer, Client, Record, Unbelievable, Unchecked};
use crate::sumdb::lookup::lines_for;

/// How many module paths a message names.
const NAMED: usize = 3;

/// A line of a go.sum that is an entry.
struct Row<'a> {
    file: usize,
    entry: Entry<'a>,
    status: LineStatus,
}

/// A module version, and the rows that name it.
struct Group {
    module: ModuleVersion,
    rows: Range<usize>,
    record: Option<u64>,
}

/// Lines that share a cause, of which one finding speaks.
#[derive(Default)]
struct Lump {
    lines: usize,
    /// Where the first of them is.
    first: Option<(usize, Span)>,
    /// Some of the modules.
    modules: Vec<ModuleVersion>,
    /// How many modules there are.
    count: usize,
    /// Where the rows of the last module begin.
    last: Option<usize>,
}

pub(super) async fn run(
    settings: &Settings,
    mut files: Vec<SourceFile>,
    exchange: Exchange,
) -> Result<Outcome, Refusal> {
    if files.is_empty() {
        return Err(Refusal::NothingToDo);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut findings = Findings::new(settings);
    let (mut rows, summaries) = read(&files, &mut findings);
    let mut groups = group(&mut rows);
    conflicts(&files, &rows, &groups, &mut findings);
    unknown_hashes(&files, &rows, &groups, &mut findings);
    missing(&files, &mut findings);

    let mut judge = Judge { settings, files: &files, findings, unchecked: BTreeMap::new(), skipped: BTreeMap::new() };
    let mut ask: Vec<usize> = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        match settings.skips(group.module.path()) {
            Some(skip) => judge.skip(skip, group, &mut rows),
            None if !rows[group.rows.clone()].iter().any(|row| is_h1(&row.entry)) => {}
            None if settings.sumdb.is_none() => judge.disabled(group, &mut rows),
            None => ask.push(number),
        }
    }

    let mut client = settings.sumdb.as_ref().map(|sumdb| Client::new(&sumdb.client, exchange.clone()));
    if let Some(client) = &mut client {
        let modules: Vec<&ModuleVersion> = ask.iter().map(|number| &groups[*number].module).collect();
        let mut records: Vec<(usize, Option<u64>)> = Vec::with_capacity(ask.len());
        let stop = asking::ask_all(client, &exchange, &modules, |position, answer| {
            let group = &groups[ask[position]];
            records.push((ask[position], judge.answer(group, &mut rows, answer)));
        })
        .await;
        for (number, record) in records {
            groups[number].record = record;
        }
        asking::judge_database(settings, client, stop, &exchange, &mut judge.findings);
    }
    judge.lumps(&rows);

    let mut counts = Counts { modules: groups.len() as u64, lines: rows.len() as u64, ..Counts::default() };
    for row in &rows {
        match row.status {
            LineStatus::Verified => counts.verified += 1,
            LineStatus::Skipped => counts.skipped += 1,
            LineStatus::Unchecked | LineStatus::Unknown => counts.unchecked += 1,
            LineStatus::Mismatch => {}
        }
    }
    let modules = Modules { files: &files, rows: &rows, groups: &groups };
    let findings = judge.findings;
    Ok(finish(settings, client.as_ref(), summaries, &modules, counts, findings))
}

/// Reads all lines, and reports those that are no entries.
fn read<'a>(files: &'a [SourceFile], findings: &mut Findings<'_>) -> (Vec<Row<'a>>, Vec<FileSummary>) {
    let mut rows = Vec::new();
    let mut summaries = Vec::with_capacity(files.len());
    for (number, file) in files.iter().enumerate() {
        let is_sum = matches!(file.kind, FileKind::GoSum | FileKind::GoWorkSum);
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
            sha256: text::hex(&Sha256::digest(&file.content)),
            lines: if is_sum { lines.read().into() } else { count_lines(&file.content) },
        });
    }
    (rows, summaries)
}

fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::GoSum => "go.sum",
        FileKind::GoWorkSum => "go.work.sum",
        FileKind::GoMod => "go.mod",
        FileKind::GoWork => "go.work",
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
    rows.sort_by_cached_key(|row| (row.entry.path(), row.entry.version(), row.file, row.entry.at.line));
    let mut groups: Vec<Group> = Vec::new();
    let mut start = 0;
    for chunk in rows.chunk_by(|a, b| (a.entry.path(), a.entry.version()) == (b.entry.path(), b.entry.version())) {
        groups.push(Group { module: chunk[0].entry.module(), rows: start..start + chunk.len(), record: None });
        start += chunk.len();
    }
    groups.sort_by(|a, b| a.module.cmp(&b.module));
    groups
}

/// Two hashes for the same thing: the go command hides that one of them is wrong.
///
/// Within a file always; between files where a go.work ties them, since a workspace's hashes count together.
fn conflicts(files: &[SourceFile], rows: &[Row<'_>], groups: &[Group], findings: &mut Findings<'_>) {
    let is_workspace = files.iter().any(|file| file.kind == FileKind::GoWork);
    for group in groups {
        let rows = &rows[group.rows.clone()];
        let mut first: BTreeMap<(usize, Of), &Row<'_>> = BTreeMap::new();
        for row in rows.iter().filter(|row| is_h1(&row.entry)) {
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

fn is_h1(entry: &Entry<'_>) -> bool {
    entry.kind != HashKind::Unknown
}

/// Hashes of algorithms that Go does not know, where there is no h1 beside them.
fn unknown_hashes(files: &[SourceFile], rows: &[Row<'_>], groups: &[Group], findings: &mut Findings<'_>) {
    for group in groups {
        let rows = &rows[group.rows.clone()];
        let known: BTreeSet<(usize, Of)> =
            rows.iter().filter(|row| is_h1(&row.entry)).map(|row| (row.file, row.entry.of)).collect();
        for row in rows.iter().filter(|row| !is_h1(&row.entry)) {
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

/// Lines that the go command will ask for and not find.
fn missing(files: &[SourceFile], findings: &mut Findings<'_>) {
    let survey =
        Survey::new(files.iter().map(|file| File { path: &file.path, kind: file.kind, content: &file.content }));
    for wanted in survey.missing() {
        let message = format!(
            "{} is required here, and {} has no line for it",
            thing(&wanted.module, wanted.of),
            wanted.sum_file
        );
        let draft =
            Draft::new(&rules::gosum_missing::RULE, message, "run `go mod tidy`, and review what it adds to go.sum")
                .at(&wanted.file, wanted.at)
                .about(&wanted.module)
                .kind(of_name(wanted.of))
                .by("the go command");
        // In a workspace the go command adds what is missing to go.work.sum by itself, and stops for nothing.
        findings.push(if wanted.in_workspace { draft.severity(Severity::Low) } else { draft });
    }
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

fn of_name(of: Of) -> &'static str {
    match of {
        Of::Zip => "zip",
        Of::GoMod => "go.mod",
    }
}

/// What a line is the hash of, as go.sum writes it.
fn thing(module: &ModuleVersion, of: Of) -> String {
    let suffix = match of {
        Of::Zip => "",
        Of::GoMod => "/go.mod",
    };
    format!("{} {}{suffix}", module.path(), module.version())
}

/// Turns answers into line statuses and findings.
struct Judge<'a> {
    settings: &'a Settings,
    files: &'a [SourceFile],
    findings: Findings<'a>,
    /// By file and cause.
    unchecked: BTreeMap<(usize, Unchecked), Lump>,
    skipped: BTreeMap<(usize, Skip<'a>), Lump>,
}

impl<'a> Judge<'a> {
    /// The rows of a group that compare with the database; a hash of an unknown algorithm compares with nothing.
    fn comparable<'r, 'f>(group: &Group, rows: &'r mut [Row<'f>]) -> impl Iterator<Item = &'r mut Row<'f>> {
        rows[group.rows.clone()].iter_mut().filter(|row| is_h1(&row.entry))
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

    /// Settles the rows of a module; gives the record's number.
    fn answer(&mut self, group: &Group, rows: &mut [Row<'_>], answer: Answer) -> Option<u64> {
        match answer {
            Answer::Record(record) => {
                for row in Self::comparable(group, rows) {
                    self.compare(group, row, &record);
                }
                return Some(record.id);
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
        None
    }

    fn compare(&mut self, group: &Group, row: &mut Row<'_>, record: &Record) {
        let lines = lines_for(&record.text, group.module.path(), group.module.version());
        let of = row.entry.of;
        let by = self.record_name(record);
        let recorded = match of {
            Of::Zip => lines.zip(),
            Of::GoMod => lines.go_mod(),
        };
        // As cmd/go's checkSumDB: all that follows is the hash, and the first h1 decides.
        let before = thing(&group.module, of).len() + 1;
        let mut hashes = recorded.unwrap_or_default().iter().map(|line| &line[before..]);
        let Some(recorded) = hashes.find(|hash| HashKind::of(hash) != HashKind::Unknown) else {
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
        self.findings.push(
            Draft::new(
                &rules::gosum_mismatch::RULE,
                format!("the hash of {} is not the one that the checksum database has", thing(&group.module, of)),
                "do not build with this line: find out who changed it and where its bytes came from; \
                 `modanchor explain gosum-mismatch` lists the harmless causes too",
            )
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
        let comparable = rows.iter().filter(|row| is_h1(&row.entry)).count();
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

impl Lump {
    fn add(&mut self, row: &Row<'_>, group: &Group) {
        self.lines += 1;
        if self.first.is_none_or(|(_, first)| row.entry.at.line < first.line) {
            self.first = Some((row.file, row.entry.at));
        }
        // The rows of a module come one after the other.
        if self.last.replace(group.rows.start) != Some(group.rows.start) {
            self.count += 1;
            if self.modules.len() < NAMED {
                self.modules.push(group.module.clone());
            }
        }
    }

    /// `a@v1, b@v2, c@v3 and 7 more modules`.
    fn names(&self) -> String {
        let names: Vec<&str> = self.modules.iter().map(ModuleVersion::as_str).collect();
        let more = self.count - names.len();
        match more {
            0 => names.join(", "),
            _ => format!("{} and {more} more", names.join(", ")),
        }
    }

    /// Where to show it, and which module it is about if it is one.
    fn place(&self, draft: Draft, file: &str) -> Draft {
        let draft = match self.first {
            Some((_, span)) => draft.at(file, span),
            None => draft.file(file),
        };
        match self.modules.as_slice() {
            [module] if self.count == 1 => draft.about(module),
            _ => draft,
        }
    }
}

/// The modules of a report, written without being built first: there may be half a million.
struct Modules<'a> {
    files: &'a [SourceFile],
    rows: &'a [Row<'a>],
    groups: &'a [Group],
}

impl Serialize for Modules<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.groups.iter().map(|group| {
            let rows = &self.rows[group.rows.clone()];
            let verified = |row: &Row<'_>| row.status == LineStatus::Verified;
            ModuleSummary {
                path: Cow::Borrowed(group.module.path()),
                version: Cow::Borrowed(group.module.version()),
                grade: if rows.iter().all(verified) { Grade::Verified } else { Grade::Unverified },
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
                bytes: Vec::new(),
                signatures: Vec::new(),
                targets: Vec::new(),
            }
        }))
    }
}
