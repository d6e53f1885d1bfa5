//! `modanchor repo verify`: what `modanchor tuf download` would say of everything, from the first root on.

use anyhow::anyhow;

use super::args::VerifyArgs;
use super::{Session, failed, folder_of, now, open_store};
use crate::cache::tuf::Folders;
use crate::cli::args::Format;
use crate::cli::session::{Failed, Tuf};
use crate::contract::Repository;
use crate::fetch::{TargetsAt, TufSource};
use crate::output::{Destinations, Show, Sources};
use crate::publish::base::Base;
use crate::publish::publication::Publisher;
use crate::publish::roles::file_name;
use modanchor_core::tuf::metadata::{Role as _, Root};

/// What the repository is called in the report.
const NAME: &str = "repository";

pub(super) fn run(session: &Session<'_>, args: &VerifyArgs) -> Result<u8, Failed> {
    let work = session.open()?;
    let url = work.config.store.clone();
    let store = open_store(&url, work.dir())?;
    let first = file_name(1, "root");
    let root = store.read(&first, Root::MAX_BYTES.into()).map_err(failed)?;
    let (root, _) = root.ok_or_else(|| Failed::usage(anyhow!("{first} is not there: nothing is published yet")))?;
    let metadata = match (&args.metadata_url, folder_of(&url, work.dir())?) {
        (Some(url), _) => url.clone(),
        (None, Some(folder)) => {
            let folder = std::path::absolute(folder.join("tuf")).map_err(Failed::usage)?;
            folder.display().to_string()
        }
        (None, None) => return Err(Failed::usage(anyhow!("--metadata-url URL is needed: where clients find {url}"))),
    };
    let targets = match args.metadata_only {
        true => Vec::new(),
        false => paths(session, &work, store.as_ref())?,
    };
    // As somebody who comes for the first time.
    let fresh = tempfile::tempdir().map_err(Failed::unchecked)?;
    let folders =
        Folders { metadata: Some(fresh.path().join("metadata")), targets: Some(fresh.path().join("targets")) };
    let repository =
        Repository { name: NAME.to_owned(), trusted_root: root, set_by: first, modules: String::new(), role: None };
    let source =
        TufSource { name: NAME.to_owned(), metadata, targets: TargetsAt::Above, set_by: "repo verify".to_owned() };
    let tuf = Tuf { repository, source: Some(source), folders, targets };
    let (outcome, _) = tuf.run(session.terminal, &args.network)?;
    let show = Show { terminal: session.terminal.clone(), summary: true, ..Show::default() };
    let shown = Destinations::to_stdout(Format::Human).write(&outcome, &Sources::new(), &show);
    shown.map_err(|error| Failed::to_show(&outcome, error))?;
    Ok(outcome.status)
}

/// Every target whose file is published.
fn paths(
    session: &Session<'_>,
    work: &crate::publish::work::Work,
    store: &dyn crate::publish::store::Store,
) -> Result<Vec<String>, Failed> {
    let mut keys = session.keyring(work, &[])?;
    let publisher = Publisher { work, store, keys: &mut keys, now: now()? };
    let root = work.root().map_err(failed)?;
    let base = Base::load(store, &root, &work.seen().map_err(failed)?).map_err(failed)?;
    let mut edit = crate::publish::base::Edit::new(store, base, crate::publish::roles::expires(publisher.now, 1))
        .map_err(failed)?;
    let roles = edit.all_roles().map_err(failed)?;
    let mut paths = std::collections::BTreeSet::new();
    for role in roles {
        paths.extend(edit.published(&role).into_iter().flat_map(|role| role.targets.keys().cloned()));
    }
    let mut here = Vec::new();
    for path in paths {
        if store.exists(&path).map_err(failed)? {
            here.push(path);
        }
    }
    Ok(here)
}
