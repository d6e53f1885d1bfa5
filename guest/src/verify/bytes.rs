//! The bytes: what lies in the module cache, and what proxies serve, against what go.sum and the log say.
//!
//! Security argument: nothing in the module cache vouches for anything else in it. Every zip, folder and go.mod is hashed
//! and compared with the hash that the checksum database has logged, or where that is not to be asked, with the go.sum
//! line; `.ziphash`, which the go command believes, is one more thing to compare. What is absent is not wrong, what
//! cannot be read is not right.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::files::{Group, Input, Kind, Row, thing};
use super::findings::{Draft, Findings};
use super::lump::Lump;
use super::settings::Settings;
use super::text;
use crate::contract::{
    Body, CacheFile, CacheGet, Failure, FileKind, Holding, Measure, Measured, Measurement, ModuleRef, Place, Presence,
    Request, Subject, Zips,
};
use crate::dirhash::{FileDigest, Manifest};
use crate::exchange::Exchange;
use crate::gosum::Span;
use crate::gosum::wanted::Survey;
use crate::module::{ModuleVersion, compare, fold, quote};
use crate::report::{BytesStatus, BytesSummary, LineStatus, Of, Rule, What, rules};
use crate::sort::set;

/// How many module versions are asked about at once.
const WINDOW: usize = 4096;

/// The longest `.info`, in bytes: those of the go command have some 200, with the origin in it.
pub(super) const MAX_INFO_BYTES: u32 = 64 << 10;

/// The longest `.ziphash`, in bytes: an h1 has 47.
pub(super) const MAX_ZIP_HASH_BYTES: u32 = 1 << 10;

/// Of how many folders that are not as they should be it is asked which files differ.
pub(super) const MAX_DETAILS: usize = 100;

/// Of how many at once: each answer holds two lists of files.
const DETAILS_WINDOW: usize = 8;

/// How many files a message names.
const NAMED_FILES: usize = 5;

/// What was found of one module version.
#[derive(Default)]
pub(super) struct Held {
    /// Whether a line speaks of the zip.
    zip_wanted: bool,
    /// Whether a line speaks of the go.mod.
    go_mod_wanted: bool,
    zip: Option<Result<Measurement, Failure>>,
    /// Whether the zip came from a proxy.
    fetched: bool,
    dir: Option<Result<Measurement, Failure>>,
    go_mod: Option<Result<Measurement, Failure>>,
    zip_hash: Option<Result<Body, Failure>>,
    info: Option<Result<Body, Failure>>,
}

impl Held {
    /// Where its zip was.
    pub(super) fn place(&self) -> Place {
        if self.fetched { Place::Proxy } else { Place::ModuleCache }
    }

    /// Its zip, if it was measured.
    pub(super) fn zip(&self) -> Option<&Measured> {
        self.zip.as_ref()?.as_ref().ok()?.found.as_ref().ok()
    }
}

/// What was found of every module version, by its number among the groups.
#[derive(Default)]
pub(super) struct Holdings {
    held: BTreeMap<usize, Held>,
    /// Why the module cache cannot be looked at.
    failure: Option<Failure>,
}

impl Holdings {
    /// What was found of a group.
    pub(super) fn get(&self, group: usize) -> Option<&Held> {
        self.held.get(&group)
    }
}

pub(super) fn reference(module: &ModuleVersion) -> ModuleRef {
    ModuleRef { path: module.path().to_owned(), version: module.version().to_owned() }
}

/// Which bytes of a group are to be looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interest {
    group: usize,
    zip: bool,
    go_mod: bool,
}

/// What the lines of go.sum files speak of; everything, where there are no lines; and the zips of `listed` modules, since a
/// line that was taken out must not keep vendored files from being compared.
pub(super) fn interests(
    files: &[Input],
    rows: &[Row<'_>],
    groups: &[Group],
    listed: &BTreeSet<ModuleVersion>,
) -> Vec<Interest> {
    let interest = |(number, group): (usize, &Group)| {
        let rows = &rows[group.rows.clone()];
        let speaks_of = |of: Of| {
            let mut lines = rows.iter().filter(|row| row.is_h1() && files[row.file].kind != Kind::Program);
            rows.is_empty() || lines.any(|row| row.entry.of == of)
        };
        let zip = speaks_of(Of::Zip) || listed.contains(&group.module);
        let interest = Interest { group: number, zip, go_mod: speaks_of(Of::GoMod) };
        (interest.zip || interest.go_mod).then_some(interest)
    };
    groups.iter().enumerate().filter_map(interest).collect()
}

/// Has measured what there is of the bytes of `interests`.
///
/// `listed` are the modules whose zips are wanted with their files.
pub(super) async fn look(
    settings: &Settings,
    exchange: &Exchange,
    groups: &[Group],
    interests: &[Interest],
    listed: &BTreeSet<ModuleVersion>,
) -> Holdings {
    let bytes = settings.bytes;
    let mut holdings = Holdings::default();
    let download = bytes.zips == Zips::Download;
    if bytes.module_cache == Presence::Off && !download {
        return holdings;
    }
    for window in interests.chunks(WINDOW) {
        let modules = || window.iter().map(|interest| reference(&groups[interest.group].module));
        let present = match (bytes.module_cache, holdings.failure) {
            (Presence::Off, _) | (_, Some(_)) => Err(Failure::Absent),
            _ => exchange.held(modules().collect()).await,
        };
        let present = match present {
            Ok(present) => present,
            Err(failure) => {
                if bytes.module_cache != Presence::Off {
                    holdings.failure = Some(failure);
                }
                if !download {
                    break;
                }
                vec![Holding::empty(); window.len()]
            }
        };
        let mut measures = Vec::new();
        let mut gets = Vec::new();
        for ((interest, module), holding) in window.iter().zip(modules()).zip(present) {
            let Interest { group: number, zip, go_mod } = *interest;
            let listed = listed.contains(&groups[number].module);
            let before = (measures.len(), gets.len());
            let mut held = Held { zip_wanted: zip, go_mod_wanted: go_mod, ..Held::default() };
            let mut measure = |what, subject, place| {
                measures.push((number, what, Measure { subject, place, files: what == What::Zip && listed }));
            };
            if zip {
                if holding.contains(Holding::ZIP) {
                    measure(What::Zip, Subject::Zip(module.clone()), Place::ModuleCache);
                } else if download {
                    held.fetched = true;
                    measure(What::Zip, Subject::Zip(module.clone()), Place::Proxy);
                }
                if holding.contains(Holding::DIR) {
                    measure(What::Dir, Subject::Dir(module.clone()), Place::ModuleCache);
                }
                if holding.contains(Holding::ZIP_HASH) {
                    gets.push((number, CacheFile::ZipHash, module.clone(), MAX_ZIP_HASH_BYTES));
                }
            }
            if go_mod && holding.contains(Holding::GO_MOD) {
                measure(What::GoMod, Subject::GoMod(module.clone()), Place::ModuleCache);
            }
            if holding.contains(Holding::INFO) {
                gets.push((number, CacheFile::Info, module.clone(), MAX_INFO_BYTES));
            }
            // Of half a million lines, mostly nothing is at hand.
            if before != (measures.len(), gets.len()) {
                holdings.held.insert(number, held);
            }
        }
        let requests = |(_, file, module, max_bytes): &(usize, CacheFile, ModuleRef, u32)| {
            Request::Cached(CacheGet { module: module.clone(), file: *file, max_bytes: *max_bytes })
        };
        let (measured, read) = futures_util::future::join(
            exchange.measure(measures.iter().map(|(.., measure)| measure.clone()).collect()),
            exchange.ask(gets.iter().map(requests).collect()),
        )
        .await;
        for ((number, what, _), answer) in measures.into_iter().zip(measured) {
            let held = holdings.held.entry(number).or_default();
            match what {
                What::Zip => held.zip = Some(answer),
                What::Dir => held.dir = Some(answer),
                What::GoMod => held.go_mod = Some(answer),
                What::Vendor => {}
            }
        }
        for ((number, file, ..), answer) in gets.into_iter().zip(read) {
            let held = holdings.held.entry(number).or_default();
            match file {
                CacheFile::Info => held.info = Some(answer),
                CacheFile::ZipHash => held.zip_hash = Some(answer),
            }
        }
    }
    holdings
}

/// What a module's bytes should be, and by whose word.
pub(super) struct Expected<'a> {
    hash: Cow<'a, str>,
    by: String,
    /// The line, if there is one.
    at: Option<(usize, Span)>,
}

impl<'a> Expected<'a> {
    /// The record's word where there is one, else that of the first line.
    pub(super) fn of(
        files: &[Input],
        rows: &'a [Row<'_>],
        group: &'a Group,
        of: Of,
        database: Option<&str>,
    ) -> Option<Self> {
        let lines = || {
            let rows = rows[group.rows.clone()].iter();
            rows.filter(|row| row.is_h1() && row.entry.of == of && files[row.file].kind != Kind::Program)
        };
        // Of lines that contradict each other, the one that the record has.
        let line = lines().find(|row| row.status == LineStatus::Verified).or_else(|| lines().next());
        let at = line.map(|row| (row.file, row.entry.at));
        let recorded = group.recorded.iter().find(|(recorded, _)| *recorded == of);
        let logged = group.record.zip(database).map(|(id, name)| format!("{name} record {id}"));
        match (recorded, line, logged) {
            (Some((_, hash)), _, Some(by)) => Some(Self { hash: Cow::Borrowed(hash), by, at }),
            (None, Some(row), Some(by)) if row.status == LineStatus::Verified => {
                Some(Self { hash: Cow::Borrowed(row.entry.hash), by, at })
            }
            (_, Some(row), _) => Some(Self::by_line(files, row)),
            _ => None,
        }
    }

    /// What a line says, by its own word.
    fn by_line(files: &[Input], row: &'a Row<'_>) -> Self {
        let by = format!("{}:{}", files[row.file].path, row.entry.at.line);
        Self { hash: Cow::Borrowed(row.entry.hash), by, at: Some((row.file, row.entry.at)) }
    }

    /// The h1.
    pub(super) fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether these files are what was expected.
    pub(super) fn is(&self, files: &Manifest) -> bool {
        files.h1().to_string() == self.hash
    }

    /// By whose word.
    pub(super) fn by(&self) -> &str {
        &self.by
    }

    /// A finding about bytes: it points at the line that they were to agree with.
    pub(super) fn draft(
        &self,
        files: &[Input],
        group: &Group,
        rule: &'static Rule,
        message: String,
        help: &str,
    ) -> Draft {
        let draft = Draft::new(rule, message, help).about(&group.module);
        match self.at {
            Some((file, at)) => draft.at(&files[file].path, at),
            None => draft,
        }
    }
}

/// What is said about one kind of bytes.
struct Words {
    rule: &'static Rule,
    of: Of,
    what: What,
}

const ZIP: Words = Words { rule: &rules::zip_mismatch::RULE, of: Of::Zip, what: What::Zip };
const DIR: Words = Words { rule: &rules::dir_mismatch::RULE, of: Of::Zip, what: What::Dir };
const GO_MOD: Words = Words { rule: &rules::gomod_mismatch::RULE, of: Of::GoMod, what: What::GoMod };

impl Words {
    /// `the zip of M V in the module cache`
    fn subject(&self, module: &ModuleVersion, place: Place) -> String {
        let place = match place {
            Place::ModuleCache => "in the module cache",
            Place::Proxy => "that GOPROXY serves",
        };
        match self.what {
            What::Zip => format!("the zip of {} {place}", thing(module, Of::Zip)),
            What::Dir => format!("the folder {module} {place}"),
            What::GoMod => format!("the go.mod of {} {place}", thing(module, Of::Zip)),
            What::Vendor => format!("the vendored {module}"),
        }
    }
}

const MISMATCH_HELP: &str = "do not build from this module cache: `go clean -modcache`, fetch again with the checksum \
                             database on, and run again; keep a copy of what differs if nobody can explain it";
const PROXY_HELP: &str = "this proxy serves other content than everybody else gets: do not fetch modules through it, and \
                          ask its operator what changed them";

/// Judges everything that was found, and says for the report what became of it.
pub(super) struct Judge<'a> {
    pub(super) settings: &'a Settings,
    pub(super) files: &'a [Input],
    pub(super) rows: &'a [Row<'a>],
    pub(super) groups: &'a [Group],
    pub(super) database: Option<&'a str>,
    /// By group.
    pub(super) summaries: BTreeMap<usize, Vec<BytesSummary>>,
    unchecked: BTreeMap<(What, Failure), Lump>,
    writable: Lump,
    first_writable: Option<String>,
    absent: Lump,
    /// How many zips, folders and go.mod files are absent of modules of which nothing is at hand: they have no summary.
    pub(super) nothing: u64,
    /// Folders that are not as they should be, and what is said of them.
    changed: Vec<(usize, Draft)>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        files: &'a [Input],
        rows: &'a [Row<'a>],
        groups: &'a [Group],
        database: Option<&'a str>,
    ) -> Self {
        Self {
            settings,
            files,
            rows,
            groups,
            database,
            summaries: BTreeMap::new(),
            unchecked: BTreeMap::new(),
            writable: Lump::default(),
            first_writable: None,
            absent: Lump::default(),
            nothing: 0,
            changed: Vec::new(),
        }
    }

    /// What a group's bytes should be.
    pub(super) fn expected(&self, group: usize, of: Of) -> Option<Expected<'a>> {
        Expected::of(self.files, self.rows, &self.groups[group], of, self.database)
    }

    /// As [`Self::expected`], for bytes of this hash. Where no record decides, every go.sum has to agree, since a module
    /// cache can be right for one of two checkouts only; of each the first line counts, as for the go command.
    fn expected_of(&self, number: usize, of: Of, found: &str) -> Option<Expected<'a>> {
        let (rows, files, group) = (self.rows, self.files, &self.groups[number]);
        let lines = rows[group.rows.clone()]
            .iter()
            .filter(|row| row.is_h1() && row.entry.of == of && files[row.file].kind != Kind::Program);
        let mut last = None;
        let mut firsts = lines.filter(|row| last.replace(row.file) != Some(row.file));
        let differs = if group.record.is_none() { firsts.find(|row| row.entry.hash != found) } else { None };
        differs.map_or_else(|| self.expected(number, of), |row| Some(Expected::by_line(files, row)))
    }

    /// Judges all of `holdings`.
    pub(super) async fn judge(
        &mut self,
        survey: &Survey,
        interests: &[Interest],
        holdings: &Holdings,
        exchange: &Exchange,
        findings: &mut Findings<'_>,
    ) {
        let required = self.settings.bytes.module_cache == Presence::Required;
        let needed = if required { self.needed(survey) } else { BTreeSet::new() };
        for interest in interests {
            let held = holdings.get(interest.group);
            match held {
                Some(held) => self.judge_one(interest.group, held, findings),
                None => self.nothing += u64::from(interest.zip) * 2 + u64::from(interest.go_mod),
            }
            if needed.contains(&interest.group) && held.is_none_or(Held::is_absent) {
                self.add(interest.group, |judge| &mut judge.absent);
            }
        }
        if let Some(failure) = holdings.failure
            && (required || failure != Failure::Absent)
        {
            let why = match failure {
                Failure::Absent => "there is none".to_owned(),
                _ => text::failure(failure).to_owned(),
            };
            findings.push(
                Draft::new(
                    &rules::unchecked::RULE,
                    format!("the module cache could not be looked at: {why}"),
                    "run `go mod download` first, and let GOMODCACHE name its module cache",
                )
                .kind("module cache"),
            );
        } else if self.absent.lines > 0 {
            let message = format!(
                "{} not in the module cache ({})",
                text::count(self.absent.lines, "module version"),
                self.absent.names()
            );
            let help = "run `go mod download` first, or leave out `--modcache require`";
            let draft = Draft::new(&rules::unchecked::RULE, message, help).kind("module cache");
            findings.push(self.absent.place_in(draft, self.files));
        }
        self.lumps(findings);
        self.details(holdings, exchange, findings).await;
    }

    /// The groups that a build takes bytes of: what a go.mod requires, as far as go.sum has a line for its zip. That is all
    /// of it since go 1.17, and what `go mod download` fetches; other lines are there for tests of dependencies, and for
    /// other ways to build. Of a go.sum without a go.mod, the highest version of each module path.
    fn needed(&self, survey: &Survey) -> BTreeSet<usize> {
        let is_zip =
            |row: &Row<'_>| row.is_h1() && row.entry.of == Of::Zip && self.files[row.file].kind != Kind::Program;
        let number = |module: &ModuleVersion| self.groups.binary_search_by(|group| group.module.cmp(module)).ok();
        let wanted = survey.wanted.iter().filter_map(|wanted| number(&wanted.module));
        let mut needed = set(wanted.filter(|number| self.rows[self.groups[*number].rows.clone()].iter().any(is_zip)));

        let alone: Vec<bool> = self.files.iter().map(|file| self.is_alone(file)).collect();
        let mut highest: BTreeMap<(usize, &str), (usize, &str)> = BTreeMap::new();
        for (number, group) in self.groups.iter().enumerate() {
            for row in self.rows[group.rows.clone()].iter().filter(|row| is_zip(row) && alone[row.file]) {
                let (path, version) = (group.module.path(), group.module.version());
                let best = highest.entry((row.file, path)).or_insert((number, version));
                if compare(best.1, version).is_lt() {
                    *best = (number, version);
                }
            }
        }
        needed.extend(highest.into_values().map(|(number, _)| number));
        needed
    }

    /// Whether a file is a go.sum without a go.mod.
    fn is_alone(&self, file: &Input) -> bool {
        let Some(stem) = file.path.strip_suffix("sum") else { return false };
        let go_mod = format!("{stem}mod");
        file.kind == Kind::Go(FileKind::GoSum)
            && self.files.binary_search_by(|other| other.path.as_str().cmp(&go_mod)).is_err()
    }

    /// Adds a group to a lump, with its first line.
    fn add(&mut self, number: usize, lump: impl FnOnce(&mut Self) -> &mut Lump) {
        let group = &self.groups[number];
        let row = self.rows[group.rows.clone()].first();
        lump(self).add_module(row, group);
    }

    fn judge_one(&mut self, number: usize, held: &Held, findings: &mut Findings<'_>) {
        let mut summaries = Vec::new();
        for (words, answer, place) in [
            (&ZIP, &held.zip, held.place()),
            (&DIR, &held.dir, Place::ModuleCache),
            (&GO_MOD, &held.go_mod, Place::ModuleCache),
        ] {
            let (status, hash) = match answer {
                None if held.speaks_of(words.what) => (BytesStatus::Absent, None),
                None => continue,
                Some(Err(Failure::Absent)) if place == Place::ModuleCache => (BytesStatus::Absent, None),
                Some(Err(failure)) => {
                    let key = (words.what, *failure);
                    self.add(number, |judge| judge.unchecked.entry(key).or_default());
                    (BytesStatus::Unchecked, None)
                }
                Some(Ok(measurement)) => {
                    self.odd(number, words.what, measurement);
                    self.compare(number, words, place, measurement, findings)
                }
            };
            summaries.push(BytesSummary { what: words.what, status, hash });
        }
        self.zip_hash(number, held, findings);
        self.info(number, held, findings);
        self.summaries.insert(number, summaries);
    }

    /// Notes what is odd about a folder.
    fn odd(&mut self, number: usize, what: What, measurement: &Measurement) {
        let oddities = &measurement.oddities;
        let first = oddities.first_writable.as_ref().or(oddities.links.first());
        if let (What::Dir, Some(first)) = (what, first) {
            if self.first_writable.is_none() {
                self.first_writable = Some(format!("{}/{}", self.groups[number].module, quoted(first.as_bytes())));
            }
            self.add(number, |judge| &mut judge.writable);
        }
    }

    fn compare(
        &mut self,
        number: usize,
        words: &Words,
        place: Place,
        measurement: &Measurement,
        findings: &mut Findings<'_>,
    ) -> (BytesStatus, Option<String>) {
        let group = &self.groups[number];
        let subject = words.subject(&group.module, place);
        let help = if place == Place::Proxy { PROXY_HELP } else { MISMATCH_HELP };
        let found = measurement.found.as_ref().map_or("", |measured| &measured.h1);
        let Some(expected) = self.expected_of(number, words.of, found) else {
            // Nobody says what it should be: there is neither line nor record.
            return match &measurement.found {
                Ok(measured) => (BytesStatus::Unchecked, Some(measured.h1.clone())),
                Err(_) => (BytesStatus::Refused, None),
            };
        };
        let measured = match &measurement.found {
            Ok(measured) => measured,
            Err(refusal) => {
                let message = format!("{subject} is not what a module may be: {}", refusal.text);
                let draft = expected.draft(self.files, group, &rules::zip_refused::RULE, message, help);
                findings.push(draft.kind(words.what.as_str()).expected(expected.hash()).by(expected.by.clone()));
                return (BytesStatus::Refused, None);
            }
        };
        let irregular = &measurement.oddities.irregular;
        let agrees = measured.h1 == expected.hash();
        if agrees && irregular.is_empty() {
            return (BytesStatus::Verified, Some(measured.h1.clone()));
        }
        let mut message = format!("{subject} is not what {} says", expected.by);
        if !irregular.is_empty() {
            let names = names(irregular.iter().map(|name| quoted(name.as_bytes())), irregular.len());
            message += &format!("; neither file nor folder: {names}");
        }
        let draft = expected.draft(self.files, group, words.rule, message, help);
        let draft = draft.expected(expected.hash()).found(measured.h1.clone()).by(expected.by.clone());
        if words.what == What::Dir && !agrees && self.changed.len() < MAX_DETAILS {
            self.changed.push((number, draft));
        } else {
            findings.push(draft);
        }
        (BytesStatus::Mismatch, Some(measured.h1.clone()))
    }

    /// The cache's own word for the zip. It is trusted by the go command, and so has to be right.
    fn zip_hash(&mut self, number: usize, held: &Held, findings: &mut Findings<'_>) {
        let group = &self.groups[number];
        match &held.zip_hash {
            Some(Ok(body)) => {
                // As cmd/go reads it: white space around it does not count.
                let found = String::from_utf8_lossy(&body.content);
                let found = found.trim();
                let Some(expected) = self.expected_of(number, Of::Zip, found) else { return };
                if found == expected.hash() {
                    return;
                }
                let message = format!(
                    "the .ziphash of {} in the module cache is not what {} says; the go command believes it",
                    thing(&group.module, Of::Zip),
                    expected.by
                );
                let draft = expected.draft(self.files, group, &rules::ziphash_mismatch::RULE, message, MISMATCH_HELP);
                let draft = draft.expected(expected.hash()).found(quoted(found.as_bytes()));
                findings.push(draft.by(expected.by));
            }
            Some(Err(failure)) if *failure != Failure::Absent => {
                let key = (What::Zip, *failure);
                self.add(number, |judge| judge.unchecked.entry(key).or_default());
            }
            _ => {}
        }
    }

    /// Nobody signs an `.info`: what can be wrong is its form, and the version that it names.
    fn info(&mut self, number: usize, held: &Held, findings: &mut Findings<'_>) {
        let group = &self.groups[number];
        let info = match &held.info {
            None | Some(Err(Failure::Absent)) => return,
            Some(Err(failure)) => Err(format!("cannot be read: {}", text::failure(*failure))),
            Some(Ok(body)) => serde_json::from_slice::<Info>(&body.content)
                .map_err(|error| format!("is not JSON with a version: {error}")),
        };
        let wrong = match info {
            Ok(info) if info.version == group.module.version() => return,
            Ok(info) => format!("names version {}", quoted(info.version.as_bytes())),
            Err(wrong) => wrong,
        };
        let message = format!("the .info of {} in the module cache {wrong}", thing(&group.module, Of::Zip));
        let draft = Draft::new(&rules::info_malformed::RULE, message, MISMATCH_HELP).about(&group.module);
        let at = self.rows[group.rows.clone()].first().map(|row| (row.file, row.entry.at));
        findings.push(match at {
            Some((file, at)) => draft.at(&self.files[file].path, at),
            None => draft,
        });
    }

    /// One finding for all modules that share a cause.
    fn lumps(&mut self, findings: &mut Findings<'_>) {
        for ((what, failure), lump) in std::mem::take(&mut self.unchecked) {
            let plural = match what {
                What::Zip => "zip",
                What::Dir => "folder",
                What::GoMod => "go.mod",
                What::Vendor => "vendored module",
            };
            let message = format!(
                "{} could not be checked ({}): {}",
                text::count(lump.lines, plural),
                lump.names(),
                text::failure(failure)
            );
            let draft = Draft::new(&rules::unchecked::RULE, message, help(failure)).kind(what.as_str());
            findings.push(lump.place_in(draft, self.files));
        }
        if let Some(first) = self.first_writable.take() {
            let lump = std::mem::take(&mut self.writable);
            let message = format!(
                "{} in the module cache can be written or leads elsewhere ({}): {first}",
                text::count(lump.lines, "folder"),
                lump.names()
            );
            let help = "leave out `-modcacherw`, and let no build write to the module cache of another";
            findings.push(lump.place_in(Draft::new(&rules::dir_writable::RULE, message, help), self.files));
        }
    }

    /// Names the files of changed folders, where the zip is there to say which they are.
    async fn details(&mut self, holdings: &Holdings, exchange: &Exchange, findings: &mut Findings<'_>) {
        let changed = std::mem::take(&mut self.changed);
        for window in changed.chunks(DETAILS_WINDOW) {
            self.details_of(window, holdings, exchange, findings).await;
        }
    }

    async fn details_of(
        &self,
        changed: &[(usize, Draft)],
        holdings: &Holdings,
        exchange: &Exchange,
        findings: &mut Findings<'_>,
    ) {
        let mut measures = Vec::new();
        for (number, _) in changed {
            let module = reference(&self.groups[*number].module);
            let held = holdings.get(*number);
            measures.push(Measure { subject: Subject::Dir(module.clone()), place: Place::ModuleCache, files: true });
            let place = held.map_or(Place::ModuleCache, Held::place);
            measures.push(Measure { subject: Subject::Zip(module), place, files: true });
        }
        let answers = exchange.measure(measures).await;
        for ((number, draft), answers) in changed.iter().zip(answers.chunks(2)) {
            let (number, draft) = (*number, draft.clone());
            let expected = self.expected(number, Of::Zip);
            let mut manifests = answers.iter().map(|answer| {
                let measured = answer.as_ref().ok()?.found.as_ref().ok()?;
                Manifest::parse(&measured.manifest)
            });
            let (dir, zip) = (manifests.next().flatten(), manifests.next().flatten());
            // Only a zip that is right can say what is wrong.
            let zip = zip.filter(|zip| expected.as_ref().is_some_and(|expected| expected.is(zip)));
            findings.push(match (dir, zip) {
                (Some(dir), Some(zip)) if dir != zip => {
                    draft.more(&format!(": {}", difference(&self.groups[number].module, &zip, &dir)))
                }
                _ => draft.more("; which files differ cannot be said without its zip (`--zips download` fetches it)"),
            });
        }
    }
}

impl Held {
    /// Whether the module cache has neither zip nor folder. A name that leads nowhere is not there, nor is what a proxy has.
    fn is_absent(&self) -> bool {
        let gone = |answer: &Option<Result<Measurement, Failure>>| matches!(answer, None | Some(Err(Failure::Absent)));
        (self.fetched || gone(&self.zip)) && gone(&self.dir)
    }

    /// Whether a line speaks of these bytes, so that it is worth saying that they are absent.
    fn speaks_of(&self, what: What) -> bool {
        match what {
            What::Zip | What::Dir => self.zip_wanted,
            What::GoMod => self.go_mod_wanted,
            What::Vendor => false,
        }
    }
}

/// The version that an `.info` names, as encoding/json finds it: by a name in any case, and of several the last one.
struct Info {
    version: String,
}

impl<'de> Deserialize<'de> for Info {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Info;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Info, A::Error> {
                let mut version = None;
                while let Some(name) = map.next_key::<String>()? {
                    if fold(&name) == "version" {
                        // A null leaves what is there.
                        version = map.next_value::<Option<String>>()?.or(version);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                let version = version.ok_or_else(|| serde::de::Error::missing_field("Version"))?;
                Ok(Info { version })
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// What to do where bytes could not be read.
pub(super) fn help(failure: Failure) -> &'static str {
    match failure {
        Failure::Storage => "check the permissions of the module cache",
        Failure::Changed => "another process writes to the module cache: run again when it is done",
        failure => text::failure_help(failure),
    }
}

/// Which files differ: `changed a.go, b.go; added c.go; removed d.go`.
fn difference(module: &ModuleVersion, zip: &Manifest, dir: &Manifest) -> String {
    let (mut changed, mut added, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    // Folders have entries of their own in a zip; on disk they are no files.
    let is_file = |file: &&FileDigest| !file.name.ends_with(b"/");
    let (mut zip, mut dir) = (zip.files().iter().filter(is_file).peekable(), dir.files().iter().peekable());
    loop {
        let order = match (zip.peek(), dir.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.name.cmp(&b.name),
        };
        match order {
            Ordering::Less => removed.extend(zip.next().map(|file| &*file.name)),
            Ordering::Greater => added.extend(dir.next().map(|file| &*file.name)),
            Ordering::Equal => {
                if let (Some(a), Some(b)) = (zip.next(), dir.next())
                    && a.sha256 != b.sha256
                {
                    changed.push(&*a.name);
                }
            }
        }
    }
    let prefix = format!("{module}/");
    let parts = [("changed", changed), ("added", added), ("removed", removed)].map(|(verb, files)| {
        let shown = files.iter().map(|name| quoted(name.strip_prefix(prefix.as_bytes()).unwrap_or(name)));
        (!files.is_empty()).then(|| format!("{verb} {}", names(shown, files.len())))
    });
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Some names, and how many more there are.
pub(super) fn names(names: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = names.take(NAMED_FILES).collect();
    match count - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A file's name as it can be shown: quoted where it holds anything odd.
pub(super) fn quoted(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(name) if name.chars().all(crate::module::is_print) => name.to_owned(),
        Ok(name) => quote(name),
        Err(_) => quote(&String::from_utf8_lossy(name)),
    }
}
