//! Built programs: the modules that their build info records, as if they were lines of a go.sum.
//!
//! Who made a program wrote its build info, so that all of it agrees with the log proves nothing about the code. What
//! it says against the log is worth knowing all the same: a program from a patched module or a poisoned cache says so
//! itself.

use super::files::{Input, Kind};
use super::findings::{Draft, Findings};
use super::text;
use crate::buildinfo::{BuildInfo, BuildModule};
use crate::contract::{Program, Refusal};
use crate::gosum::Span;
use crate::report::rules;

/// A program as a file to judge. Its content is what go.sum would hold of its modules, each on the line that it has in
/// the output of `go version -m`.
pub(super) fn input(program: Program) -> Result<Input, Refusal> {
    let Program { path, sha256, go_version, mod_info } = program;
    let info = BuildInfo::parse(go_version, mod_info).map_err(|error| Refusal::Program(format!("{path}: {error}")))?;
    let mut content = String::new();
    let mut line = 1;
    for module in info.main.iter().chain(&info.deps) {
        let used = module.used();
        let Some(entry) = entry(used) else { continue };
        while line < used.line {
            content.push('\n');
            line += 1;
        }
        content += &entry;
    }
    Ok(Input { path, kind: Kind::Program, content: content.into_bytes(), sha256, program: Some(info) })
}

/// What go.sum would say of a module, without a newline; none if it has no version that could be asked for, or no sum.
fn entry(module: &BuildModule) -> Option<String> {
    let version = module.checked().ok()?;
    let is_hash = !module.sum.is_empty() && !module.sum.contains(|c: char| c.is_whitespace() || c.is_control());
    is_hash.then(|| format!("{} {} {}", version.path(), version.version(), module.sum))
}

/// The dependencies of a program that have no hash to compare, with the line of each.
pub(super) fn unpinned(info: &BuildInfo) -> impl Iterator<Item = (&BuildModule, Span)> {
    let unpinned = info.deps.iter().filter(|module| entry(module.used()).is_none());
    unpinned.map(|module| (module, line(module.used().line)))
}

/// Says what a program does not let anybody look up.
pub(super) fn judge(files: &[Input], findings: &mut Findings<'_>) {
    for file in files {
        let Some(info) = &file.program else { continue };
        // Dependencies that were built from a vendor folder have no hash: all of them, mostly.
        let mut vendored: Vec<&BuildModule> = Vec::new();
        for module in info.main.iter().chain(&info.deps) {
            let used = module.used();
            if entry(used).is_some() {
                continue;
            }
            let is_main = info.main.as_ref().is_some_and(|main| std::ptr::eq(main, module));
            let name = shown(module);
            let message = match (&module.replace, is_main) {
                (Some(with), _) => format!("{name} is replaced by {}, which has no hash to compare", shown(with)),
                (None, true) => format!("the main module {name} was built from a folder: it has no hash to compare"),
                (None, false) => {
                    vendored.push(module);
                    continue;
                }
            };
            let help = if is_main {
                "nothing, if you built it; others can only check a program that is built by `go install MODULE@VERSION`"
            } else {
                "find out what was in that folder: nobody but the builder knows"
            };
            findings.push(Draft::new(&rules::binary_unpinned::RULE, message, help).at(&file.path, line(used.line)));
        }
        if let [first, ..] = vendored.as_slice() {
            let names = super::bytes::names(vendored.iter().map(|module| shown(module)), vendored.len());
            let (count, have) =
                (text::count(vendored.len(), "module"), if vendored.len() == 1 { "has" } else { "have" });
            let draft = Draft::new(
                &rules::binary_unpinned::RULE,
                format!("{count} {have} no hash to compare: {names}"),
                "built with `-mod=vendor`: run `modanchor verify` on the checkout, which compares the vendored files",
            );
            findings.push(draft.at(&file.path, line(first.line)).kind("vendor"));
        }
        let stamp = info.setting("vcs.modified");
        let dirty = info.main.as_ref().is_some_and(BuildModule::is_dirty);
        if info.vcs_modified() == Some(true) || dirty {
            let revision = info.setting("vcs.revision").map_or("its revision", |setting| setting.value.as_str());
            let at = stamp.map(|setting| setting.line).or(info.main.as_ref().map(|main| main.line)).unwrap_or(1);
            let draft = Draft::new(
                &rules::binary_dirty::RULE,
                format!("built from a checkout that differed from {}", super::bytes::quoted(revision.as_bytes())),
                "build releases from a clean checkout",
            );
            findings.push(draft.at(&file.path, line(at)));
        }
    }
}

/// A module as a person can read it, whatever is in its name.
fn shown(module: &BuildModule) -> String {
    let quoted = |text: &str| super::bytes::quoted(text.as_bytes());
    match module.version.as_str() {
        "" => quoted(&module.path),
        version => format!("{} {}", quoted(&module.path), quoted(version)),
    }
}

/// A whole line of `go version -m`.
fn line(line: u32) -> Span {
    Span { line, column: 1, end_column: 1 }
}
