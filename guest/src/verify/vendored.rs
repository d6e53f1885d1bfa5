//! Vendor folders: modules.txt against go.mod, and every file against the zip of its module.
//!
//! Security argument: a vendored file counts as checked only if it equals the file of that name in a zip whose list of
//! files hashes to the h1 that the checksum database has logged (or, where that is not to be asked, that go.sum has). What
//! modules.txt says decides only which zip that is; that it says the same as go.mod is checked on its own.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::bytes::{self, Held, Holdings, names, quoted};
use super::files::{Input, Kind};
use super::findings::{Draft, Findings};
use super::lump::Lump;
use super::settings::Settings;
use super::text;
use crate::contract::{Failure, FileKind, Measure, Place, Presence, Request, Subject, ZipGet};
use crate::dirhash::{FileHash, Manifest};
use crate::exchange::Exchange;
use crate::gosum::Span;
use crate::gosum::gomod::GoMod;
use crate::gosum::gowork::GoWork;
use crate::module::ModuleVersion;
use crate::report::{BytesStatus, BytesSummary, Of, Severity, What, rules};
use crate::sort::{set, sort_by};
use crate::vendor;
use crate::vendor::consistency::{self, Main, Used};
use crate::vendor::constraint;
use crate::vendor::files::{Comparing, Comparison, Missing, Origin, Tally, origin};
use crate::vendor::modules_txt::{Cause, ModulesTxt};

/// The end of the path of a modules.txt.
const MODULES_TXT: &str = "/modules.txt";

/// The largest Go file of which it is asked whether `go mod vendor` copies it, in bytes.
pub(super) const MAX_GO_FILE: u32 = 16 << 20;

/// How many such files are asked for at once.
const WINDOW: usize = 64;

/// The vendor folders of a checkout.
#[derive(Default)]
pub(super) struct Vendors {
    folders: Vec<Folder>,
    /// The only module that is asked about.
    only: Option<ModuleVersion>,
}

struct Folder {
    /// Its modules.txt, as it is called.
    file: String,
    /// Its path.
    path: String,
    list: ModulesTxt,
    /// The modules of which it says something else than go.mod, by path.
    told: BTreeSet<String>,
    /// There is no modules.txt.
    bare: bool,
}

/// Reads all vendor/modules.txt, and compares them with go.mod and go.work.
pub(super) fn read(settings: &Settings, files: &[Input], bare: Vec<String>, findings: &mut Findings<'_>) -> Vendors {
    let mut vendors = Vendors::default();
    if settings.bytes.vendor == Presence::Off {
        return vendors;
    }
    for file in files.iter().filter(|file| file.kind == Kind::Go(FileKind::VendorModules)) {
        let Some(path) = file.path.strip_suffix(MODULES_TXT) else { continue };
        match ModulesTxt::parse(&file.content) {
            Ok(list) => {
                let told = inconsistent(files, &file.path, path, &list, findings);
                unknown(&file.path, &list, findings);
                vendors.folders.push(Folder {
                    file: file.path.clone(),
                    path: path.to_owned(),
                    list,
                    told,
                    bare: false,
                });
            }
            Err(error) => findings.push(
                Draft::new(&rules::unchecked::RULE, format!("cannot be read: {error}"), "run `go mod vendor` again")
                    .file(&file.path)
                    .kind("vendor"),
            ),
        }
    }
    let bare = bare.into_iter().map(|path| Folder {
        file: path.clone(),
        path,
        list: ModulesTxt::default(),
        told: BTreeSet::new(),
        bare: true,
    });
    vendors.folders.extend(bare);
    if settings.bytes.vendor == Presence::Required && vendors.folders.iter().all(|folder| folder.bare) {
        findings.push(
            Draft::new(
                &rules::unchecked::RULE,
                "there is no vendor/modules.txt beside any go.mod or go.work",
                "run `go mod vendor`, or leave out `--vendor require`",
            )
            .kind("vendor"),
        );
    }
    vendors
}

const INCONSISTENT_HELP: &str = "run `go mod vendor` (`go work vendor` in a workspace), and review what it changes";

/// The folder that holds a vendor folder: empty, or with a `/` at its end.
fn parent(vendor: &str) -> &str {
    vendor.rfind('/').map_or("", |slash| &vendor[..=slash])
}

/// The go.mod in a folder that has another name, as `-modfile` takes it, if there is just one.
fn only_go_mod<'a>(files: &'a [Input], folder: &str) -> Option<&'a Input> {
    let start = files.partition_point(|file| file.path.as_str() < folder);
    let here = files[start..].iter().take_while(|file| file.path.starts_with(folder));
    let mut mods =
        here.filter(|file| file.kind == Kind::Go(FileKind::GoMod) && !file.path[folder.len()..].contains('/'));
    mods.next().filter(|_| mods.next().is_none())
}

/// Reports what modules.txt says otherwise than go.mod or go.work, and gives the paths of those modules.
fn inconsistent(
    files: &[Input],
    file: &str,
    vendor: &str,
    list: &ModulesTxt,
    findings: &mut Findings<'_>,
) -> BTreeSet<String> {
    let folder = parent(vendor);
    let find = |path: &str, kind: FileKind| {
        let at = files.binary_search_by(|file| file.path.as_str().cmp(path)).ok()?;
        Some(&files[at]).filter(|file| file.kind == Kind::Go(kind))
    };
    // What cannot be read is a finding of its own.
    let path = format!("{folder}go.work");
    // The go command reads past the word where there is no workspace, if it is told to use the vendor folder.
    let found = if list.workspace
        && let Some(work) = find(&path, FileKind::GoWork)
    {
        let Ok(work) = GoWork::parse(&work.content) else { return BTreeSet::new() };
        let mods: Vec<(String, String, GoMod)> = (work.uses.iter())
            .filter_map(|used| {
                let path = crate::gosum::wanted::resolve(folder.trim_end_matches('/'), &used.directory)?;
                let path = if path.is_empty() { "go.mod".to_owned() } else { format!("{path}/go.mod") };
                let go_mod = GoMod::parse(&find(&path, FileKind::GoMod)?.content).ok()?;
                Some((path, used.directory.clone(), go_mod))
            })
            .collect();
        if mods.len() < work.uses.len() {
            // A module that is not seen may require anything: it is reported where it is used.
            return BTreeSet::new();
        }
        let used: Vec<Used<'_>> = mods.iter().map(|(_, directory, go_mod)| Used { directory, go_mod }).collect();
        let main = Main::Workspace { go_work: &work, modules: &used };
        let paths: Vec<String> = mods.iter().map(|(path, ..)| path.clone()).collect();
        (consistency::check(main, list), path, paths)
    } else {
        let path = format!("{folder}go.mod");
        let Some(beside) = find(&path, FileKind::GoMod).or_else(|| only_go_mod(files, folder)) else {
            let message = "there is no go.mod or go.work beside it that it could be compared with";
            let help = "name the go.mod that it was made from, or `--vendor off`";
            findings.push(Draft::new(&rules::unchecked::RULE, message, help).file(file).kind("vendor"));
            return BTreeSet::new();
        };
        let Ok(go_mod) = GoMod::parse(&beside.content) else { return BTreeSet::new() };
        (consistency::check(Main::Module(&go_mod), list), String::new(), vec![beside.path.clone()])
    };
    let (inconsistencies, work, mods) = found;
    let mut told = BTreeSet::new();
    for inconsistency in inconsistencies {
        let unseen = if inconsistency.cause.is_seen_by_go() { "" } else { " (not every go command compares this)" };
        let draft =
            Draft::new(&rules::vendor_inconsistent::RULE, format!("{inconsistency}{unseen}"), INCONSISTENT_HELP);
        let draft = match inconsistency.place {
            consistency::Place::ModulesTxt(at) => draft.at(file, at),
            consistency::Place::GoMod(module, at) => match mods.get(module) {
                Some(path) => draft.at(path, at),
                None => draft.file(file),
            },
            consistency::Place::GoWork(at) => draft.at(&work, at),
        };
        let version = inconsistency.version.as_deref().unwrap_or_default();
        findings.push(draft.module(&inconsistency.path, version));
        told.insert(inconsistency.path);
    }
    for note in &list.notes {
        let draft = Draft::new(&rules::vendor_inconsistent::RULE, note.cause.to_string(), INCONSISTENT_HELP);
        let draft = draft.at(file, note.at);
        // A later go command may have more to say.
        let is_new = matches!(note.cause, Cause::Annotation(_));
        findings.push(if is_new { draft.severity(Severity::Low) } else { draft }.kind("line"));
    }
    told
}

/// Reports packages of what can be no module version: there is no zip to compare their files with.
fn unknown(file: &str, list: &ModulesTxt, findings: &mut Findings<'_>) {
    let modules = set(list.packages.values().map(|package| package.module));
    for number in modules.into_iter().filter(|module| origin(list, *module) == Origin::Unknown) {
        let module = &list.modules[number];
        let message = "packages are listed under what can be no module version, and builds take them from here";
        let draft = Draft::new(&rules::vendor_inconsistent::RULE, message, INCONSISTENT_HELP).at(file, module.at);
        findings.push(draft.module(&module.path, module.version.as_deref().unwrap_or_default()).kind("version"));
    }
}

impl Vendors {
    /// Keeps to what is about one module.
    pub(super) fn only(mut self, module: &ModuleVersion) -> Self {
        self.only = Some(module.clone());
        self
    }

    /// The module versions whose zips say what vendored files should be.
    pub(super) fn modules(&self) -> BTreeSet<ModuleVersion> {
        let all = self.folders.iter().flat_map(|folder| {
            folder.list.providers.iter().filter_map(|module| match origin(&folder.list, *module) {
                Origin::Zip(version) => Some(version),
                Origin::Directory(_) | Origin::Unknown => None,
            })
        });
        all.filter(|module| self.only.as_ref().is_none_or(|only| only == module)).collect()
    }

    /// Reports the modules of which go.sum has no line for the zip: `go mod vendor` leaves one, and without it nobody has
    /// vouched for the files. `is_told`: there is one, or a finding that says that there is none.
    pub(super) fn missing(&self, is_told: impl Fn(&ModuleVersion) -> bool, findings: &mut Findings<'_>) {
        for folder in &self.folders {
            for module in &folder.list.providers {
                let Origin::Zip(version) = origin(&folder.list, *module) else { continue };
                let module = &folder.list.modules[*module];
                // Of what go.mod does not require in this version, there is a finding.
                if is_told(&version) || folder.told.contains(&module.path) {
                    continue;
                }
                let message = format!("{version} is vendored here, and no go.sum has a line for its zip");
                let help =
                    "find out how it came here; run `go mod tidy` and `go mod vendor`, and review what they change";
                let draft = Draft::new(&rules::gosum_missing::RULE, message, help).about(&version);
                findings.push(draft.at(&folder.file, module.at).kind("vendor").by("go mod vendor"));
            }
        }
    }

    /// The module versions that are vendored though no go.sum has a line for their zip, and where each is listed.
    /// `has_line`: there is one.
    pub(super) fn unlined(&self, has_line: impl Fn(&ModuleVersion) -> bool) -> Vec<(ModuleVersion, &str, Span)> {
        let all = self.folders.iter().flat_map(|folder| {
            folder.list.providers.iter().filter_map(|module| match origin(&folder.list, *module) {
                Origin::Zip(version) => Some((version, folder.file.as_str(), folder.list.modules[*module].at)),
                Origin::Directory(_) | Origin::Unknown => None,
            })
        });
        let is_asked = |version: &ModuleVersion| self.only.as_ref().is_none_or(|only| only == version);
        all.filter(|(version, ..)| is_asked(version) && !has_line(version)).collect()
    }

    /// Compares all vendored files.
    pub(super) async fn judge(
        &self,
        bytes: &mut bytes::Judge<'_>,
        holdings: &Holdings,
        exchange: &Exchange,
        findings: &mut Findings<'_>,
    ) {
        let mut folders: Vec<&Folder> = self.folders.iter().collect();
        if self.only.is_some() {
            let listed = |folder: &Folder| {
                let mut modules = folder.list.providers.iter().map(|module| origin(&folder.list, *module));
                modules.any(|origin| matches!(origin, Origin::Zip(version) if Some(&version) == self.only.as_ref()))
            };
            folders.retain(|folder| listed(folder));
        }
        let measures = folders.iter().map(|folder| Measure {
            subject: Subject::Vendor(folder.path.clone()),
            place: Place::ModuleCache,
            files: true,
        });
        if folders.is_empty() {
            return;
        }
        let answers = exchange.measure(measures.collect()).await;
        for (folder, answer) in folders.into_iter().zip(answers) {
            let unread = |why: &str| {
                Draft::new(
                    &rules::unchecked::RULE,
                    format!("the vendored files could not be checked: {why}"),
                    "check the permissions of the vendor folder, and that nothing writes to it",
                )
                .file(&folder.file)
                .kind("vendor")
            };
            match answer {
                Err(failure) => findings.push(unread(text::failure(failure))),
                Ok(measurement) => {
                    let oddities = &measurement.oddities;
                    let irregular = oddities.irregular.iter().chain(&oddities.links);
                    let irregular: Vec<Box<[u8]>> = irregular.map(|name| name.as_bytes().into()).collect();
                    match measurement.found.as_ref().map(|measured| Manifest::parse(&measured.manifest)) {
                        Ok(Some(manifest)) => {
                            self.compare(folder, &manifest, &irregular, bytes, holdings, exchange, findings).await;
                        }
                        Ok(None) => findings.push(unread("its list of files cannot be read")),
                        Err(refusal) => findings.push(unread(&refusal.text)),
                    }
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "what a comparison needs, once")]
    async fn compare(
        &self,
        folder: &Folder,
        vendored: &Manifest,
        irregular: &[Box<[u8]>],
        bytes: &mut bytes::Judge<'_>,
        holdings: &Holdings,
        exchange: &Exchange,
        findings: &mut Findings<'_>,
    ) {
        let mut comparing = Comparing::new(&folder.list, vendored, irregular);
        let origins: Vec<(usize, Origin)> = comparing.origins().collect();
        let mut groups = Groups::new();
        let mut absent = Lump::default();
        for (module, origin) in origins {
            let Origin::Zip(version) = origin else { continue };
            let Ok(number) = bytes.groups.binary_search_by(|group| group.module.cmp(&version)) else { continue };
            let zip = holdings.get(number).and_then(|held| held.zip());
            let status = match (zip, bytes.expected(number, Of::Zip)) {
                (None, _) => {
                    absent.add_module(None, &bytes.groups[number]);
                    Some(BytesStatus::Absent)
                }
                (Some(zip), Some(expected)) => match Manifest::parse(&zip.manifest) {
                    Some(zip) if expected.is(&zip) => {
                        comparing.zip(module, &zip);
                        None
                    }
                    // The zip is wrong, of which another finding speaks: it cannot say what is right.
                    _ => Some(BytesStatus::Unchecked),
                },
                (Some(_), None) => Some(BytesStatus::Unchecked),
            };
            if status == Some(BytesStatus::Unchecked) {
                findings.set_incomplete();
            }
            groups.insert(module, (number, status));
        }
        let outcome = comparing.finish();
        let missing = missing(folder, &outcome, &groups, holdings, exchange, findings).await;
        self.report(folder, &outcome, &missing, &groups, bytes, findings);
        if absent.lines > 0 && bytes.settings.bytes.vendor == Presence::Required {
            let message = format!(
                "the vendored files of {} could not be checked ({}): no zip in the module cache",
                text::count(absent.lines, "module"),
                absent.names()
            );
            let help = "run `go mod download` first, or `--zips download`";
            findings.push(Draft::new(&rules::unchecked::RULE, message, help).file(&folder.file).kind("vendor"));
        }
        for (module, (number, status)) in groups {
            let tally = outcome.modules.get(module).copied().unwrap_or_default();
            let missing = missing.iter().any(|missing| missing.module == module);
            let status = match (status, tally) {
                (_, Tally { wrong: 1.., .. }) => BytesStatus::Mismatch,
                (Some(status), _) => status,
                _ if missing => BytesStatus::Mismatch,
                (None, Tally { uncompared: 1.., .. }) => BytesStatus::Absent,
                (None, _) => BytesStatus::Verified,
            };
            let summaries = bytes.summaries.entry(number).or_default();
            // Vendored in two places, a module is as bad as the worse of them.
            match summaries.iter_mut().find(|summary| summary.what == What::Vendor) {
                Some(summary) if summary.status == BytesStatus::Verified => summary.status = status,
                Some(_) => {}
                None => summaries.push(BytesSummary { what: What::Vendor, status, hash: None }),
            }
        }
    }

    /// A finding for every file that is not as in the zip.
    fn report(
        &self,
        folder: &Folder,
        outcome: &Comparison,
        missing: &[&Missing],
        groups: &Groups,
        bytes: &bytes::Judge<'_>,
        findings: &mut Findings<'_>,
    ) {
        let number = |module: usize| groups.get(&module).map(|(number, _)| *number);
        let is_asked = |module: Option<usize>| {
            let module = module.and_then(number).map(|number| &bytes.groups[number].module);
            self.only.as_ref().is_none_or(|only| module == Some(only))
        };
        let path = |name: &[u8]| format!("{}/{}", folder.path, quoted(name));
        // By whose word a module's zip is right.
        let about = |draft: Draft, module: Option<usize>| match module.and_then(number) {
            Some(number) => {
                let draft = draft.about(&bytes.groups[number].module);
                match bytes.expected(number, Of::Zip) {
                    Some(expected) => {
                        draft.by(format!("the zip of {}, by {}", bytes.groups[number].module, expected.by()))
                    }
                    None => draft,
                }
            }
            None => draft,
        };
        let name = |module: Option<usize>| match module.and_then(number) {
            Some(number) => bytes.groups[number].module.to_string(),
            None => "any module in vendor/modules.txt".to_owned(),
        };
        let help = "do not build with it: run `go mod vendor` again, and find out who changed the file (`git log`)";
        for mismatch in &outcome.mismatches {
            let module = Some(mismatch.module);
            if is_asked(module) {
                let message = format!("this file is not the one that {} has", name(module));
                let draft = Draft::new(&rules::vendor_mismatch::RULE, message, help).file(&path(&mismatch.file));
                let draft = draft.expected(sha256(&mismatch.zip)).found(sha256(&mismatch.vendored));
                findings.push(about(draft, module));
            }
        }
        for extra in outcome.extras.iter().filter(|extra| is_asked(extra.module)) {
            // Without a modules.txt it may be a vendor folder of another language.
            if folder.bare && extra.kind != vendor::files::Kind::Go {
                continue;
            }
            let message = match extra.module {
                None if folder.bare => "this file belongs to no module: there is no vendor/modules.txt".to_owned(),
                Some(_) => format!("{} has no such file", name(extra.module)),
                None => format!("this file does not belong to {}", name(None)),
            };
            let draft = Draft::new(&rules::vendor_extra::RULE, message, help).file(&path(&extra.file));
            findings.push(about(draft.found(sha256(&extra.vendored)), extra.module));
        }
        let irregular = outcome.irregular.iter().filter(|irregular| !folder.bare && is_asked(irregular.module));
        for irregular in irregular {
            let message = "neither a file nor a folder: `go mod vendor` makes no such thing";
            let draft = Draft::new(&rules::vendor_extra::RULE, message, help).file(&path(&irregular.file));
            findings.push(about(draft, irregular.module));
        }
        for missing in missing.iter().filter(|missing| is_asked(Some(missing.module))) {
            let message = format!("{} has this file, and it was not vendored", name(Some(missing.module)));
            let draft = Draft::new(&rules::vendor_missing::RULE, message, help).file(&path(&missing.file));
            findings.push(about(draft.expected(sha256(&missing.zip)), Some(missing.module)));
        }
    }
}

/// By module of modules.txt: its group, and why its files are not compared.
type Groups = BTreeMap<usize, (usize, Option<BytesStatus>)>;

fn sha256(hash: &FileHash) -> String {
    format!("sha256:{}", crate::hex::encode(hash))
}

/// The files that `go mod vendor` would have copied and that are not there: Go files that no build can take are not
/// copied, and only their content says that they are such.
async fn missing<'o>(
    folder: &Folder,
    outcome: &'o Comparison,
    groups: &Groups,
    holdings: &Holdings,
    exchange: &Exchange,
    findings: &mut Findings<'_>,
) -> Vec<&'o Missing> {
    let (open, mut missing): (Vec<&Missing>, Vec<&Missing>) =
        outcome.missing.iter().partition(|missing| missing.needs_content);
    let mut unread: BTreeMap<Failure, Vec<String>> = BTreeMap::new();
    for window in open.chunks(WINDOW) {
        let mut asked = Vec::with_capacity(window.len());
        let mut requests = Vec::with_capacity(window.len());
        for file in window {
            let (Origin::Zip(version), Some((number, _))) =
                (origin(&folder.list, file.module), groups.get(&file.module))
            else {
                continue;
            };
            let place = holdings.get(*number).map_or(Place::ModuleCache, Held::place);
            let name = String::from_utf8_lossy(&file.in_zip).into_owned();
            let module = bytes::reference(&version);
            requests.push(Request::ZipFile(ZipGet { module, place, name, max_bytes: MAX_GO_FILE }));
            asked.push(*file);
        }
        for (file, answer) in asked.into_iter().zip(exchange.ask(requests).await) {
            match answer {
                // Only the file that the zip's hash vouches for can excuse that it is not there.
                Ok(body) if FileHash::from(Sha256::digest(&body.content)) == file.zip => {
                    if constraint::is_vendored(&body.content) {
                        missing.push(file);
                    }
                }
                Ok(_) => unread.entry(Failure::Changed).or_default().push(quoted(&file.file)),
                Err(failure) => unread.entry(failure).or_default().push(quoted(&file.file)),
            }
        }
    }
    for (failure, files) in unread {
        let count = files.len();
        let message = format!(
            "whether {} should be vendored could not be checked ({}): {}",
            text::count(count, "Go file"),
            names(files.into_iter(), count),
            text::failure(failure)
        );
        findings
            .push(Draft::new(&rules::unchecked::RULE, message, bytes::help(failure)).file(&folder.file).kind("vendor"));
    }
    sort_by(&mut missing, |a, b| a.file.cmp(&b.file));
    missing
}
