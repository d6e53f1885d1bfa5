//! `modanchor repo add`, `waive` and `targets add`: where modules come from, and whether they may.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use futures_util::{StreamExt as _, stream};
use modanchor_core::gosum::sum::{self, Line};
use modanchor_core::module::{ModuleVersion, Patterns};
use modanchor_core::report::Of;
use modanchor_core::sumdb::setting::Setting;

use super::args::{AddArgs, TargetsCommand, WaiveArgs};
use super::{Session, failed, open_store, until};
use crate::cli::args::SumdbArgs;
use crate::cli::config::Config;
use crate::cli::session::{self, Failed, Flags};
use crate::contract::{self, Failure, Task};
use crate::fetch::{Collected, Fetcher};
use crate::files::Regular;
use crate::goenv::{GoEnv, Sources, Var};
use crate::modcache::{self, ModCache};
use crate::output::text::escape;
use crate::output::{self, Diagnostic, Show};
use crate::publish::changes::{self, Change, Kind, path_of};
use crate::publish::measure::{self, MeasureError, Measured};
use crate::publish::parallel;
use crate::publish::publication::changes_something;
use crate::publish::work::Work;

/// The most bytes of a go.sum.
const MAX_GO_SUM: u64 = 64 << 20;
/// Exit status where nothing was written because nobody said yes.
const NOT_CONFIRMED: u8 = 1;

/// What is asked for of one module version.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Wanted {
    module: ModuleVersion,
    /// Whether its zip is wanted, and not its go.mod alone.
    zip: bool,
    /// What go.sum says, by file.
    expected: BTreeMap<Kind, String>,
}

pub(super) fn run(session: &Session<'_>, args: &AddArgs) -> Result<u8, Failed> {
    let work = session.open()?;
    let store = open_store(&work.config.store, work.dir())?;
    let wanted = match &args.from {
        Some(from) => from_go_sum(from)?,
        None => args.modules.iter().map(|text| parse(text)).collect::<Result<_, _>>()?,
    };
    let measured = collect(session, &work, &wanted, args.zip.as_deref(), &args.sumdb)?;
    let new: Vec<Change> = measured
        .into_iter()
        .map(|measured| Change::Add {
            path: measured.module.path().to_owned(),
            version: measured.module.version().to_owned(),
            files: match args.metadata_only {
                // The `.info` is no more than a file of this repository.
                true => measured.files.into_iter().filter(|file| file.kind != Kind::Info).collect(),
                false => measured.files,
            },
            provenance: args.provenance.clone(),
            upload: !args.metadata_only,
            replace: args.replace,
        })
        .collect();
    if args.from.is_some() && !args.yes {
        let effects = session.preview(&work, store.as_ref(), &new)?;
        if effects.as_deref().is_some_and(|effects| !changes_something(effects)) {
            session.say("everything in it is approved already\n")?;
            return Ok(0);
        }
        output::to_stdout(session.terminal, &effects.as_deref().map(super::shown).unwrap_or_default())
            .map_err(Failed::unchecked)?;
        if !confirmed(session)? {
            Diagnostic::Note.print(session.terminal, "nothing was changed: --yes approves all of this");
            return Ok(NOT_CONFIRMED);
        }
    }
    let effects = session.change(&work, store.as_ref(), new)?;
    session.waiting(effects.as_deref())?;
    Ok(0)
}

fn confirmed(session: &Session<'_>) -> Result<bool, Failed> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    output::to_stdout(session.terminal, "Approve all of this? [y/N] ").map_err(Failed::unchecked)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(Failed::unchecked)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

pub(super) fn waive(session: &Session<'_>, args: &WaiveArgs) -> Result<u8, Failed> {
    changes::check_reason(&args.reason).map_err(Failed::usage)?;
    let until = until(&args.until)?;
    let work = session.open()?;
    let store = open_store(&work.config.store, work.dir())?;
    let wanted = args.modules.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let measured = collect(session, &work, &wanted, args.zip.as_deref(), &args.sumdb)?;
    let new = measured.into_iter().map(|measured| Change::Waive {
        path: measured.module.path().to_owned(),
        version: measured.module.version().to_owned(),
        files: measured.files.into_iter().filter(|file| file.kind != Kind::Info).collect(),
        reason: args.reason.clone(),
        until,
    });
    let effects = session.change(&work, store.as_ref(), new.collect())?;
    session.waiting(effects.as_deref())?;
    Ok(0)
}

pub(super) fn targets(session: &Session<'_>, command: &TargetsCommand) -> Result<u8, Failed> {
    let TargetsCommand::Add { module, target_path, sha256sum, key, sumdb } = command;
    let mut work = session.open()?;
    let store = open_store(&work.config.store, work.dir())?;
    let wanted = [parse(module)?];
    let measured = collect(session, &work, &wanted, Some(target_path), sumdb)?;
    let found = measured.iter().flat_map(|measured| &measured.files).find(|file| file.kind == Kind::Zip);
    if let (Some(expected), Some(found)) = (sha256sum, found)
        && !found.sha256.eq_ignore_ascii_case(expected)
    {
        let error = anyhow!("{}: its SHA-256 is {}, not {expected}", target_path.display(), found.sha256);
        return Err(Failed { status: super::REFUSED, error });
    }
    let mut config = work.config.clone();
    session.all_named(key, &mut config)?;
    let new = measured.into_iter().map(|measured| Change::Add {
        path: measured.module.path().to_owned(),
        version: measured.module.version().to_owned(),
        files: measured.files,
        provenance: None,
        upload: true,
        replace: false,
    });
    let effects = session.change(&work, store.as_ref(), new.collect())?;
    work.config = config;
    work.save_config().map_err(failed)?;
    session.waiting(effects.as_deref())?;
    Ok(0)
}

fn parse(text: &str) -> Result<Wanted, Failed> {
    let (module, zip) = match text.strip_suffix("/go.mod") {
        Some(module) => (module, false),
        None => (text, true),
    };
    let module = module.parse::<ModuleVersion>().map_err(Failed::usage)?;
    Ok(Wanted { module, zip, expected: BTreeMap::new() })
}

/// Every module version of a go.sum, with its hashes.
fn from_go_sum(path: &Path) -> Result<Vec<Wanted>, Failed> {
    let content = Regular::open(path).and_then(|file| file.read(MAX_GO_SUM));
    let content = content.map_err(|error| Failed::usage(anyhow!("{}: {error}", path.display())))?;
    let mut wanted: BTreeMap<ModuleVersion, Wanted> = BTreeMap::new();
    for line in sum::lines(&content) {
        let entry = match line {
            Line::Entry(entry) => entry,
            Line::Problem(problem) => {
                let why = format!("{}:{}: {:?}", path.display(), problem.at.line, problem.cause);
                return Err(Failed { status: super::REFUSED, error: anyhow!("{why}; `modanchor verify` says more") });
            }
        };
        let kind = match entry.of {
            Of::Zip => Kind::Zip,
            Of::GoMod => Kind::Mod,
        };
        let module = entry.module();
        let of = wanted.entry(module.clone()).or_insert(Wanted { module, zip: false, expected: BTreeMap::new() });
        of.zip |= kind == Kind::Zip;
        if let Some(other) = of.expected.insert(kind, entry.hash.to_owned())
            && other != entry.hash
        {
            let error = anyhow!("{}:{}: {} has two hashes", path.display(), entry.at.line, of.module);
            return Err(Failed { status: super::REFUSED, error });
        }
    }
    Ok(wanted.into_values().collect())
}

/// Measures what is wanted, and checks it against go.sum and the checksum database.
fn collect(
    session: &Session<'_>,
    work: &Work,
    wanted: &[Wanted],
    zip: Option<&Path>,
    sumdb: &SumdbArgs,
) -> Result<Vec<Measured>, Failed> {
    if zip.is_some() && (wanted.len() != 1 || !wanted[0].zip) {
        return Err(Failed::usage(anyhow!("--zip is the zip of one MODULE@VERSION")));
    }
    let measured = match zip {
        Some(path) => {
            let file = Regular::open(path).map_err(|error| Failed::usage(anyhow!("{}: {error}", path.display())))?;
            vec![measure::module(work, &wanted[0].module, &file, None).map_err(of_measure)?]
        }
        None => gather(session, work, wanted, sumdb)?,
    };
    let mut refusals = Vec::new();
    for (wanted, measured) in wanted.iter().zip(&measured) {
        for (kind, expected) in &wanted.expected {
            if let Some(found) = measured.h1(*kind).filter(|found| found != expected) {
                let path = path_of(&wanted.module, *kind);
                refusals.push(format!("{path}: go.sum has {expected}, and what is here has {found}"));
            }
        }
    }
    refuse(&refusals)?;
    check_log(session, wanted, &measured, sumdb)?;
    Ok(measured)
}

fn refuse(refusals: &[String]) -> Result<(), Failed> {
    if refusals.is_empty() {
        return Ok(());
    }
    Err(Failed { status: super::REFUSED, error: anyhow!("{}", refusals.join("\n")) })
}

fn of_measure(error: MeasureError) -> Failed {
    let status = match error {
        MeasureError::Refused { .. } => super::REFUSED,
        _ => 3,
    };
    Failed { status, error: error.into() }
}

/// From the module cache, on all cores; what is not there, through GOPROXY.
fn gather(session: &Session<'_>, work: &Work, wanted: &[Wanted], sumdb: &SumdbArgs) -> Result<Vec<Measured>, Failed> {
    let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
    let cache = env.modcache().map(ModCache::new);
    let info = |module: &ModuleVersion| {
        cache.as_ref().and_then(|cache| cache.read(module, modcache::Kind::Info, 64 << 10).ok())
    };
    let from_cache = |wanted: &Wanted| -> Option<Result<Measured, MeasureError>> {
        let cache = cache.as_ref()?;
        let module = &wanted.module;
        if wanted.zip {
            let (_, zip) = cache.open(module, modcache::Kind::Zip).ok()?;
            return Some(measure::module(work, module, &zip, info(module).as_deref()));
        }
        let limit = modanchor_core::dirhash::zip::MAX_GO_MOD;
        let content = cache.read(module, modcache::Kind::GoMod, limit).ok()?;
        Some(measure::go_mod(work, module, &content, info(module).as_deref()))
    };
    let mut found = parallel(wanted.iter().collect(), from_cache);
    let absent: Vec<usize> = (0..found.len()).filter(|index| found[*index].is_none()).collect();
    if !absent.is_empty() {
        for (index, measured) in download(session, work, wanted, &absent, &env, sumdb)? {
            found[index] = Some(Ok(measured));
        }
    }
    let mut measured = Vec::with_capacity(found.len());
    for (wanted, found) in wanted.iter().zip(found) {
        let found = found.ok_or_else(|| Failed::unchecked(anyhow!("{}: not found", wanted.module)))?;
        let mut found = found.map_err(of_measure)?;
        if !wanted.zip {
            found.files.retain(|file| file.kind != Kind::Zip);
        }
        measured.push(found);
    }
    Ok(measured)
}

fn download(
    session: &Session<'_>,
    work: &Work,
    wanted: &[Wanted],
    absent: &[usize],
    env: &GoEnv,
    sumdb: &SumdbArgs,
) -> Result<Vec<(usize, Measured)>, Failed> {
    let problems = Arc::new(Collected::default());
    let fetch = session::fetch_config(&sumdb.network, env, Vec::new(), &problems)?;
    let fetcher = Fetcher::new(fetch).map_err(Failed::usage)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failed::unchecked)?;
    let fetch = |index: usize| {
        let fetcher = &fetcher;
        async move {
            let module = &wanted[index].module;
            let zip = fetcher.zip(module).await;
            fetcher.forget_zip(module);
            (index, zip)
        }
    };
    // One module at a time is measured while others are on their way; its file goes when it is done.
    let done = runtime.block_on(async {
        let mut zips = stream::iter(absent.iter().copied().map(fetch)).buffer_unordered(sumdb.network.jobs.get());
        let mut done = Vec::new();
        while let Some((index, zip)) = zips.next().await {
            let module = &wanted[index].module;
            let zip = zip.map_err(|failure| not_here(module, failure))?;
            done.push((index, measure::module(work, module, &zip, None).map_err(of_measure)?));
        }
        Ok(done)
    });
    for problem in problems.take() {
        Diagnostic::Warning.print(session.terminal, &problem.to_string());
    }
    done
}

fn not_here(module: &ModuleVersion, failure: Failure) -> Failed {
    let why = match failure {
        Failure::Absent => "neither the module cache nor GOPROXY has it",
        Failure::Offline => "the module cache does not have it, and no proxy may be asked for it",
        _ => "the module cache does not have it, and no proxy gave it",
    };
    Failed::unchecked(anyhow!("{module}: {why}; --zip FILE takes its zip from where you have it"))
}

/// Public modules must be what the checksum database has. What is not known for certain is refused.
fn check_log(session: &Session<'_>, wanted: &[Wanted], measured: &[Measured], sumdb: &SumdbArgs) -> Result<(), Failed> {
    let env = GoEnv::load(Sources::of_process()).map_err(Failed::usage)?;
    let private = Patterns::new(&env.get(Var::GoNoSumdb).value);
    let public: Vec<(&Wanted, &Measured)> =
        wanted.iter().zip(measured).filter(|(wanted, _)| private.matching(wanted.module.path()).is_none()).collect();
    if public.is_empty() {
        return Ok(());
    }
    let setting = sumdb.sumdb.clone().unwrap_or_else(|| env.get(Var::GoSumdb).value);
    if matches!(Setting::parse(&setting), Ok(Setting::Off)) {
        let text = format!(
            "{} not compared with a checksum database, because GOSUMDB is off",
            match public.as_slice() {
                [(one, _)] => format!("{} was", one.module),
                many => format!("{} modules were", many.len()),
            }
        );
        Diagnostic::Warning.print(session.terminal, &text);
        return Ok(());
    }
    let mut queries = Vec::new();
    let mut expected = Vec::new();
    for (wanted, measured) in &public {
        for (kind, suffix) in [(Kind::Zip, ""), (Kind::Mod, "/go.mod")] {
            if let Some(h1) = measured.h1(kind) {
                queries.push(format!("{}{suffix}", wanted.module));
                let (path, version) = (wanted.module.path(), wanted.module.version());
                expected.push((path_of(&wanted.module, kind), format!("{path} {version}{suffix} {h1}")));
            }
        }
    }
    let flags = Flags {
        terminal: session.terminal,
        sumdb,
        fail_on: contract::FailOn::Medium,
        allow_incomplete: false,
        bytes: None,
        signatures: None,
        record: None,
    };
    let (outcome, _) = session::run(&flags, Config::default(), Task::Lookup(queries))?;
    if outcome.status != 0 {
        let show = Show { terminal: session.terminal.clone(), ..Show::default() };
        output::to_stderr(&outcome, &output::Sources::new(), &show)
            .map_err(|error| Failed::to_show(&outcome, error))?;
        let error = anyhow!(
            "nothing was added: the checksum database does not vouch for all of it; GONOSUMDB or GOPRIVATE names \
             modules that it does not know"
        );
        return Err(Failed { status: outcome.status, error });
    }
    let proven: std::collections::BTreeSet<&str> = outcome.lines.iter().map(String::as_str).collect();
    let refusals: Vec<String> = expected
        .iter()
        .filter(|(_, line)| !proven.contains(line.as_str()))
        .map(|(path, line)| {
            let of = line.rsplit_once(' ').map_or("", |(of, _)| of);
            let logged = proven.iter().find(|line| line.rsplit_once(' ').is_some_and(|(other, _)| other == of));
            format!(
                "{}: differs from the checksum database: what is here is `{}`, and everybody else gets `{}`",
                escape(path),
                escape(line),
                escape(logged.unwrap_or(&"nothing"))
            )
        })
        .collect();
    refuse(&refusals)
}
