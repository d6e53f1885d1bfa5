//! `modanchor repo`: what a publisher does. The work is in [`crate::publish`]; here are flags, files and texts.

mod add;
pub mod args;
mod key;
mod root;
mod verify;

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp as Instant;
use modanchor_core::module::ModuleVersion;
use modanchor_core::tuf::metadata::{Expires, Key};
use url::Url;
use zeroize::Zeroizing;

use self::args::{
    DelegateArgs, InitArgs, ModulesArgs, PublishArgs, RenewArgs, RepoArgs, RepoCommand, RevokeArgs, ShowFormat,
    SignArgs, StatusArgs, ToArgs,
};
use super::args::TerminalArgs;
use super::session::Failed;
use crate::fetch::Network;
use crate::goenv::Sources;
use crate::output::text::{count, escape};
use crate::output::{self, Diagnostic};
use crate::publish::base::BaseError;
use crate::publish::bucket::Bucket;
use crate::publish::ceremony;
use crate::publish::changes::{self, Change, ChangeError, Effect, How};
use crate::publish::config::{Config, KeyPlace, Lifetimes};
use crate::publish::delegation::{self, Delegation};
use crate::publish::keyring::{Ask, Keyring};
use crate::publish::keys::{KeyError, Passphrase};
use crate::publish::publication::{PublishError, Published, Publisher};
use crate::publish::roles;
use crate::publish::source::{PASSPHRASE_VARIABLE, read_text};
use crate::publish::status;
use crate::publish::store::{Folder, Store, StoreError};
use crate::publish::work::{Work, WorkError};

/// Exit status of what is refused.
const REFUSED: u8 = 1;
/// The longest that anything may be revoked or waived for, in seconds: a hundred years.
const MAX_UNTIL: u64 = 36_500 * 86_400;

/// Does what is asked, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &RepoArgs) -> Result<u8, Failed> {
    let session = Session { terminal, args };
    match &args.command {
        RepoCommand::Init(init) => session.init(init),
        RepoCommand::Key(command) => key::run(&session, command),
        RepoCommand::Root(command) => root::run(&session, command),
        RepoCommand::Delegate(delegate) => session.delegate(delegate),
        RepoCommand::Add(add) => add::run(&session, add),
        RepoCommand::Remove(modules) => session.remove(modules),
        RepoCommand::Revoke(revoke) => session.revoke(revoke),
        RepoCommand::Waive(waive) => add::waive(&session, waive),
        RepoCommand::Sign(sign) => session.sign(sign),
        RepoCommand::Publish(publish) => session.publish(publish),
        RepoCommand::RefreshTimestamp(publish) => session.refresh(publish),
        RepoCommand::Renew(renew) => session.renew(renew),
        RepoCommand::Status(status) => session.status(status),
        RepoCommand::Verify(verify) => verify::run(&session, verify),
        RepoCommand::Targets(targets) => add::targets(&session, targets),
    }
}

/// What every subcommand has.
struct Session<'a> {
    terminal: &'a TerminalArgs,
    args: &'a RepoArgs,
}

/// A key that was named on the command line.
struct Named {
    key: Key,
    /// Where the secret half is, if that was named.
    place: Option<KeyPlace>,
}

impl Session<'_> {
    fn open(&self) -> Result<Work, Failed> {
        Work::open(&self.args.dir).map_err(failed)
    }

    fn say(&self, text: &str) -> Result<(), Failed> {
        if self.terminal.quiet {
            return Ok(());
        }
        output::to_stdout(self.terminal, text).map_err(Failed::unchecked)
    }

    fn note(&self, text: &str) {
        if !self.terminal.quiet {
            Diagnostic::Note.print(self.terminal, text);
        }
    }

    /// Asks for passphrases as the flags say. `twice`: for a key that is new.
    fn ask(&self, twice: bool) -> Ask {
        let file = self.args.passphrase_file.clone();
        Box::new(move |name| ask(file.as_deref(), name, twice))
    }

    fn keyring(&self, work: &Work, more: &[String]) -> Result<Keyring, Failed> {
        let mut keyring = Keyring::new(work.config.keys.clone(), work.dir(), self.ask(false));
        for uri in more {
            keyring.add(self.signer(uri)?);
        }
        Ok(keyring)
    }

    /// A secret key that was named; relative to where the program runs.
    fn signer(&self, uri: &str) -> Result<Box<dyn crate::publish::keys::Signer>, Failed> {
        let source = crate::publish::source::of(uri, Path::new("")).map_err(failed)?;
        source.signer(&mut self.ask(false)).map_err(failed)
    }

    /// Changes wait for the next publication; first they are tried on what the store holds now. Gives what they do; none: there
    /// is no root yet, so nobody can say.
    fn change(&self, work: &Work, store: &dyn Store, new: Vec<Change>) -> Result<Option<Vec<Effect>>, Failed> {
        let effects = self.preview(work, store, &new)?;
        let mut all = work.changes().map_err(failed)?;
        all.extend(new);
        work.save_changes(&all).map_err(failed)?;
        Ok(effects)
    }

    /// What changes would do after those that are waiting.
    fn preview(&self, work: &Work, store: &dyn Store, new: &[Change]) -> Result<Option<Vec<Effect>>, Failed> {
        let mut keys = self.keyring(work, &[])?;
        let publisher = Publisher { work, store, keys: &mut keys, now: now()? };
        match publisher.edit() {
            Ok((mut edit, _)) => Ok(Some(changes::apply(&mut edit, new).map_err(failed)?)),
            Err(PublishError::Work(WorkError::NoRoot)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn waiting(&self, effects: Option<&[Effect]>) -> Result<(), Failed> {
        let mut text = effects.map(shown).unwrap_or_default();
        text.push_str("waits for `modanchor repo publish`\n");
        self.say(&text)
    }

    /// A public key, or the public half of a secret one.
    fn named(&self, uri: &str) -> Result<Named, Failed> {
        let (key, secret) = key::public_half(uri, &mut self.ask(false))?;
        let name = roles::name_of(&key.id(), &key);
        let source = || match uri.contains(':') && !Path::new(uri).exists() {
            true => Ok(uri.to_owned()),
            // The working copy may be elsewhere than where the program runs.
            false => std::path::absolute(uri).map(|path| path.display().to_string()),
        };
        let place = secret.then(|| io::Result::Ok(KeyPlace { name, source: source()? })).transpose();
        Ok(Named { place: place.map_err(Failed::usage)?, key })
    }

    fn all_named(&self, uris: &[String], config: &mut Config) -> Result<Vec<Key>, Failed> {
        let mut keys: Vec<Key> = Vec::new();
        for uri in uris {
            let named = self.named(uri)?;
            if keys.iter().any(|key| key.id() == named.key.id()) {
                return Err(Failed::usage(anyhow!("{uri}: the same key twice in one role")));
            }
            if let Some(place) = named.place {
                config.keys.insert(named.key.id(), place);
            }
            keys.push(named.key);
        }
        Ok(keys)
    }

    fn init(&self, args: &InitArgs) -> Result<u8, Failed> {
        let dir = &self.args.dir;
        std::fs::create_dir_all(dir).with_context(|| dir.display().to_string()).map_err(Failed::unchecked)?;
        let mut config = Config {
            store: args.store.clone().unwrap_or_else(|| ".".to_owned()),
            expires: Lifetimes {
                root: args.root_expires.clone(),
                targets: args.targets_expires.clone(),
                snapshot: args.snapshot_expires.clone(),
                timestamp: args.timestamp_expires.clone(),
            },
            keys: std::collections::BTreeMap::new(),
        };
        for role in ["root", "targets", "snapshot", "timestamp"] {
            config.expires.seconds(role).map_err(Failed::usage)?;
        }
        open_store(&config.store, dir)?;
        let root = self.all_named(&args.root_key, &mut config)?;
        let targets = self.all_named(&args.targets_key, &mut config)?;
        let or = |given: Vec<Key>, other: &[Key]| if given.is_empty() { other.to_vec() } else { given };
        let snapshot = or(self.all_named(&args.snapshot_key, &mut config)?, &targets);
        let timestamp = or(self.all_named(&args.timestamp_key, &mut config)?, &snapshot);
        if args.snapshot_key.is_empty() && args.timestamp_key.is_empty() {
            self.note(
                "snapshot and timestamp are signed with the keys of targets; give them keys of their own, with \
                 --snapshot-key and --timestamp-key, before a machine signs them by itself",
            );
        }
        let threshold = args.targets_threshold;
        let everybody_else = args.bins.map(|bins| {
            let bit_length = Some(delegation::bit_length(bins)?);
            let name = delegation::BINS_ROLE.to_owned();
            let (keys, modules, depth) = (targets.clone(), Vec::new(), 0);
            Ok::<_, delegation::DelegationError>(Change::Delegate(Delegation {
                name,
                keys,
                threshold,
                modules,
                depth,
                bit_length,
                replace: false,
            }))
        });
        let everybody_else = everybody_else.transpose().map_err(Failed::usage)?;
        let authorities = ceremony::Roles::from([
            ("root", (root, args.root_threshold)),
            ("targets", (targets, threshold)),
            ("snapshot", (snapshot, 1)),
            ("timestamp", (timestamp, 1)),
        ]);
        let expires = roles::expires(now()?, config.expires.seconds("root").map_err(Failed::usage)?);
        let mut first = ceremony::first(&authorities, expires).map_err(failed)?;
        let work = Work::create(dir, config).map_err(failed)?;
        work.save_changes(&everybody_else.into_iter().collect::<Vec<_>>()).map_err(failed)?;
        let mut keyring = self.keyring(&work, &[])?;
        keyring.load(&roles::Authority::of_root(&first.signed, "root")).map_err(failed)?;
        ceremony::add_signatures(&mut first, None, &keyring.signers()).map_err(failed)?;
        match ceremony::finish(&first, None) {
            Ok(finished) => {
                work.save_next_root(Some(&finished)).map_err(failed)?;
                self.say(&format!("{}: a working copy, with its first root\n", escape(&dir.display().to_string())))?;
            }
            Err(_) => {
                let path = work.ceremony();
                ceremony::write(&path, &first).map_err(failed)?;
                let shown = escape(&path.display().to_string()).into_owned();
                self.say(&format!(
                    "{shown}: the first root, which is not signed by enough people yet\n\
                     hand it on: `modanchor repo root sign` adds a signature, `modanchor repo root finish` ends it\n"
                ))?;
            }
        }
        Ok(0)
    }

    fn delegate(&self, args: &DelegateArgs) -> Result<u8, Failed> {
        let mut work = self.open()?;
        let store = open_store(&work.config.store, work.dir())?;
        let mut config = work.config.clone();
        let keys = self.all_named(&args.key, &mut config)?;
        let delegation = Delegation {
            name: args.name.clone(),
            keys,
            threshold: args.threshold,
            modules: args.modules.clone(),
            depth: args.depth,
            bit_length: args.bins.map(delegation::bit_length).transpose().map_err(Failed::usage)?,
            replace: args.replace,
        };
        delegation.check().map_err(Failed::usage)?;
        let effects = self.change(&work, store.as_ref(), vec![Change::Delegate(delegation)])?;
        work.config = config;
        work.save_config().map_err(failed)?;
        self.waiting(effects.as_deref())?;
        Ok(0)
    }

    fn remove(&self, args: &ModulesArgs) -> Result<u8, Failed> {
        let work = self.open()?;
        let store = open_store(&work.config.store, work.dir())?;
        let changes = modules(&args.modules)?
            .into_iter()
            .map(|module| Change::Remove { path: module.path().to_owned(), version: module.version().to_owned() });
        let effects = self.change(&work, store.as_ref(), changes.collect())?;
        self.waiting(effects.as_deref())?;
        Ok(0)
    }

    fn revoke(&self, args: &RevokeArgs) -> Result<u8, Failed> {
        let work = self.open()?;
        let store = open_store(&work.config.store, work.dir())?;
        if let Some(reason) = &args.reason {
            changes::check_reason(reason).map_err(Failed::usage)?;
        }
        let until = args.until.as_deref().map(until).transpose()?;
        let changes = modules(&args.modules)?.into_iter().map(|module| Change::Revoke {
            path: module.path().to_owned(),
            version: module.version().to_owned(),
            reason: args.reason.clone(),
            until,
        });
        let effects = self.change(&work, store.as_ref(), changes.collect())?;
        self.waiting(effects.as_deref())?;
        Ok(0)
    }

    fn renew(&self, args: &RenewArgs) -> Result<u8, Failed> {
        let work = self.open()?;
        let store = open_store(&work.config.store, work.dir())?;
        let effects = self.change(&work, store.as_ref(), vec![Change::Renew { role: args.role.clone() }])?;
        self.waiting(effects.as_deref())?;
        Ok(0)
    }

    fn sign(&self, args: &SignArgs) -> Result<u8, Failed> {
        let work = self.open()?;
        let store = open_store(&work.config.store, work.dir())?;
        let mut keys = self.keyring(&work, &args.key)?;
        let mut publisher = Publisher { work: &work, store: store.as_ref(), keys: &mut keys, now: now()? };
        let standings = publisher.sign(args.role.as_deref()).map_err(failed)?;
        let mut text = String::new();
        for (role, standing) in &standings {
            let draft = work.draft_path(role);
            let _ = write!(text, "{}: {} of {} signatures", escape(role), standing.signed.len(), standing.threshold);
            match standing.met() {
                true => text.push('\n'),
                false => {
                    let missing = standing.unsigned.join(", ");
                    let _ =
                        writeln!(text, "; missing: {}; in {}", escape(&missing), escape(&draft.display().to_string()));
                }
            }
        }
        if standings.is_empty() {
            text.push_str("nothing waits for signatures\n");
        }
        self.say(&text)?;
        Ok(0)
    }

    fn publish(&self, args: &PublishArgs) -> Result<u8, Failed> {
        let (work, store) = self.open_for(&args.to)?;
        let mut keys = self.keyring(&work, &args.to.key)?;
        let mut publisher = Publisher { work: &work, store: store.as_ref(), keys: &mut keys, now: now()? };
        let published = match args.without_old_keys {
            true => publisher.publish_without_old_keys(),
            false => publisher.publish(),
        };
        let published = published.map_err(failed)?;
        self.published(&published)
    }

    fn refresh(&self, args: &ToArgs) -> Result<u8, Failed> {
        let (work, store) = self.open_for(args)?;
        let mut keys = self.keyring(&work, &args.key)?;
        let mut publisher = Publisher { work: &work, store: store.as_ref(), keys: &mut keys, now: now()? };
        let published = publisher.refresh().map_err(failed)?;
        self.published(&published)
    }

    fn open_for(&self, args: &ToArgs) -> Result<(Work, Box<dyn Store>), Failed> {
        let work = self.open()?;
        let url = args.store.as_deref().unwrap_or(&work.config.store);
        // One on the command line is relative to where the program runs.
        let base = if args.store.is_some() { Path::new("") } else { work.dir() };
        let store = open_store(url, base)?;
        Ok((work, store))
    }

    fn published(&self, published: &Published) -> Result<u8, Failed> {
        let mut text = shown(&published.effects);
        if published.races > 0 {
            let _ =
                writeln!(text, "began anew {}: another publisher was faster", count(published.races as u64, "time"));
        }
        if let Some(root) = published.root {
            let _ = writeln!(text, "root {root}");
        }
        match published.roles.as_slice() {
            [] => {}
            [(role, version)] => _ = writeln!(text, "{} {version}", escape(role)),
            roles => _ = writeln!(text, "{}", count(roles.len() as u64, "targets role")),
        }
        let _ = writeln!(text, "published: snapshot {}, timestamp {}", published.snapshot, published.timestamp);
        self.say(&text)?;
        Ok(0)
    }

    fn status(&self, args: &StatusArgs) -> Result<u8, Failed> {
        let work = self.open()?;
        let store = open_store(&work.config.store, work.dir())?;
        let mut keys = self.keyring(&work, &[])?;
        let publisher = Publisher { work: &work, store: store.as_ref(), keys: &mut keys, now: now()? };
        let (status, effects) = status::of(&publisher).map_err(failed)?;
        let text = match args.format {
            ShowFormat::Json => {
                let mut text = serde_json::to_string_pretty(&status).map_err(Failed::unchecked)?;
                text.push('\n');
                text
            }
            ShowFormat::Human => table(&status, &effects),
        };
        output::to_stdout(self.terminal, &text).map_err(Failed::unchecked)?;
        Ok(0)
    }
}

/// How many bins and teams are shown one by one.
const MAX_ROWS: usize = 40;

fn table(status: &status::Status, effects: &[Effect]) -> String {
    let mut text = String::new();
    let width = status.roles.iter().take(MAX_ROWS).map(|role| role.role.len()).max().unwrap_or(0);
    for role in status.roles.iter().take(MAX_ROWS) {
        let _ = write!(text, "{:width$}  ", escape(&role.role));
        match (role.expires, role.seconds_left) {
            (Some(expires), Some(left)) => {
                let word = if left <= 0 { "EXPIRED" } else { "expires" };
                let _ = write!(text, "version {:<5} {word} {expires}", role.version);
            }
            _ => text.push_str("not published"),
        }
        let _ = write!(text, "  {} of {}", role.threshold, escape(&role.keys.join(", ")));
        if let Some(targets) = role.targets {
            let _ = write!(text, "  {}", count(targets as u64, "target"));
        }
        text.push('\n');
    }
    let more = status.roles.len().saturating_sub(MAX_ROWS);
    if more > 0 {
        let targets = status.roles.iter().filter_map(|role| role.targets).sum::<usize>();
        let soonest = status.roles.iter().filter_map(|role| role.expires).min();
        let _ = write!(text, "and {}; in all {}", count(more as u64, "more role"), count(targets as u64, "target"));
        if let Some(soonest) = soonest {
            let _ = write!(text, "; the first to expire does so {soonest}");
        }
        text.push('\n');
    }
    if let Some(root) = status.next_root {
        let _ = writeln!(text, "root {root} waits for its publication");
    }
    if status.waiting > 0 {
        let _ = writeln!(text, "{} for `modanchor repo publish`:", count_waiting(status.waiting));
        text.push_str(&shown(effects));
    }
    for role in &status.unsigned {
        let signed = role.signed.len();
        let _ = writeln!(
            text,
            "{}: {signed} of {} signatures; missing: {}",
            escape(&role.role),
            role.threshold,
            escape(&role.missing.join(", "))
        );
    }
    text
}

fn count_waiting(waiting: usize) -> String {
    let changes = count(waiting as u64, "change");
    if waiting == 1 { format!("{changes} waits") } else { format!("{changes} wait") }
}

/// How many changes are told one by one.
const MAX_TOLD: usize = 50;

fn shown(effects: &[Effect]) -> String {
    let mut text = String::new();
    let told = effects.iter().filter(|effect| effect.how != How::Same);
    let total = told.clone().count();
    for effect in told.take(MAX_TOLD) {
        let word = match effect.how {
            How::New => "new",
            How::Changed => "changed",
            How::Removed => "removed",
            How::Same => "same",
        };
        let _ = writeln!(text, "{word:8} {} ({})", escape(&effect.path), escape(&effect.role));
    }
    if total > MAX_TOLD {
        let _ = writeln!(text, "and {} more", total - MAX_TOLD);
    }
    text
}

/// Opens a store. A folder is relative to `base`.
fn open_store(url: &str, base: &Path) -> Result<Box<dyn Store>, Failed> {
    if let Some(folder) = folder_of(url, base)? {
        return Ok(Box::new(Folder::new(folder)));
    }
    let network = Network::from_sources(&Sources::of_process()).map_err(Failed::usage)?;
    let bucket = Bucket::s3(url, &network).map_err(|error| match error {
        StoreError::Url(_) => Failed::usage(error),
        error => Failed::unchecked(error),
    });
    Ok(Box::new(bucket?))
}

/// The folder that a store is. None: it is none.
fn folder_of(url: &str, base: &Path) -> Result<Option<PathBuf>, Failed> {
    let wrong = || Failed::usage(StoreError::Url(url.to_owned()));
    match url.split_once("://") {
        None => Ok(Some(base.join(url))),
        Some(("file", _)) => Url::parse(url).ok().and_then(|url| url.to_file_path().ok()).map(Some).ok_or_else(wrong),
        Some(("s3", _)) => Ok(None),
        Some(_) => Err(wrong()),
    }
}

fn modules(texts: &[String]) -> Result<Vec<ModuleVersion>, Failed> {
    texts.iter().map(|text| text.parse::<ModuleVersion>().map_err(Failed::usage)).collect()
}

fn now() -> Result<Instant, Failed> {
    Instant::try_from(SystemTime::now()).map_err(Failed::usage)
}

/// `--until`: a time from now on, or an instant. It lies ahead.
fn until(text: &str) -> Result<Expires, Failed> {
    let now = now()?;
    let until = match humantime::parse_duration(text) {
        Ok(duration) if duration.as_secs() <= MAX_UNTIL => roles::expires(now, duration.as_secs()),
        Ok(_) => return Err(Failed::usage(anyhow!("--until {text}: more than a hundred years"))),
        Err(_) => text.parse::<Expires>().map_err(|_| {
            Failed::usage(anyhow!("--until {text}: expected a duration such as `30d`, or 2026-12-31T00:00:00Z"))
        })?,
    };
    if until.is_past(now) {
        return Err(Failed::usage(ChangeError::Past(until)));
    }
    Ok(until)
}

/// A passphrase: from the file, the environment, or the terminal.
fn ask(file: Option<&Path>, name: &str, twice: bool) -> Result<Passphrase, KeyError> {
    let first_line = |text: &str| Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    if let Some(file) = file {
        return Ok(first_line(&read_text(file)?));
    }
    if let Ok(value) = std::env::var(PASSPHRASE_VARIABLE) {
        return Ok(Zeroizing::new(value));
    }
    if !io::stdin().is_terminal() {
        return Err(KeyError::NeedsPassphrase(name.to_owned()));
    }
    let prompt = |text: &str| {
        let answer = rpassword::prompt_password(format!("{text} of {}: ", escape(name)));
        answer.map(Zeroizing::new).map_err(|error| KeyError::Library("ask for a passphrase", error.to_string()))
    };
    let first = prompt("Passphrase")?;
    if twice && *first != *prompt("Again, passphrase")? {
        return Err(KeyError::Library("take the passphrase", "the two are not the same".to_owned()));
    }
    Ok(first)
}

/// The exit status of what went wrong.
fn failed(error: impl Into<anyhow::Error>) -> Failed {
    let error = error.into();
    let status = match () {
        () if error.is::<PublishError>() => error.downcast_ref().map_or(3, status_of),
        () if error.is::<BaseError>() => error.downcast_ref().map_or(3, of_base),
        () if error.is::<ChangeError>() => error.downcast_ref().map_or(3, of_change),
        () if error.is::<ceremony::CeremonyError>() => error.downcast_ref().map_or(2, of_ceremony),
        () if error.is::<KeyError>() => error.downcast_ref().map_or(2, of_key),
        () if error.is::<WorkError>() => error.downcast_ref().map_or(3, of_work),
        () => 3,
    };
    Failed { status, error }
}

fn status_of(error: &PublishError) -> u8 {
    match error {
        PublishError::Base(error) => of_base(error),
        PublishError::Change(error) => of_change(error),
        PublishError::Key(error) => of_key(error),
        PublishError::Work(error) => of_work(error),
        PublishError::Config(_) | PublishError::Nothing | PublishError::RootRace { .. } => 2,
        _ => 3,
    }
}

fn of_base(error: &BaseError) -> u8 {
    if matches!(error, BaseError::Store(_)) { 3 } else { REFUSED }
}

fn of_change(error: &ChangeError) -> u8 {
    match error {
        ChangeError::Base(error) => of_base(error),
        ChangeError::Differs { .. } => REFUSED,
        _ => 2,
    }
}

fn of_key(error: &KeyError) -> u8 {
    if matches!(error, KeyError::Io { .. } | KeyError::Library(..)) { 3 } else { 2 }
}

fn of_work(error: &WorkError) -> u8 {
    if matches!(error, WorkError::Config(_) | WorkError::Exists(_)) { 2 } else { 3 }
}

fn of_ceremony(error: &ceremony::CeremonyError) -> u8 {
    match error {
        ceremony::CeremonyError::Unfinished { .. } => 3,
        ceremony::CeremonyError::Work(error) => of_work(error),
        ceremony::CeremonyError::Key(error) => of_key(error),
        _ => 2,
    }
}
