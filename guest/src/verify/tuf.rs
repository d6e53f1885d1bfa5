//! The task `tuf`: a TUF client's work, `modanchor tuf`.

use super::approvals::{failure, repositories};
use super::findings::Findings;
use super::settings::Settings;
use super::{Parts, finish};
use crate::contract::{ClientTask, Outcome, Refusal};
use crate::exchange::Exchange;
use crate::report::{Counts, ModuleSummary};
use crate::tuf::client::{Client, TufError};

/// Refreshes a repository, and fetches targets one after the other, up to the first that fails.
pub(super) async fn run(settings: &Settings, task: ClientTask, exchange: Exchange) -> Result<Outcome, Refusal> {
    let repository = settings.tuf.repositories.iter().find(|repository| repository.name == task.repository);
    let Some(repository) = repository else {
        return Err(Refusal::Tuf(format!("there is no repository {:?}", task.repository)));
    };
    let mut client = repository.client(settings, &exchange);
    let mut findings = Findings::new(settings);
    if let Err(error) = work(&mut client, &task.targets).await {
        findings.push(failure(&repository.name, &error));
    }
    let modules: &[ModuleSummary<'_>] = &[];
    let parts = Parts { repositories: repositories([&client]), ..Parts::default() };
    Ok(finish(settings, parts, modules, Counts::default(), findings))
}

async fn work(client: &mut Client, targets: &[String]) -> Result<(), TufError> {
    client.refresh().await?;
    for path in targets {
        let Some(approval) = client.find(path).await? else {
            return Err(TufError::NotFound { path: path.clone() });
        };
        client.download(path, &approval).await?;
    }
    Ok(())
}
