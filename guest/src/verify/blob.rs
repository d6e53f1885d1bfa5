//! The task `verify-blob`: one signature over one file.

use super::settings::Settings;
use crate::contract::{BlobTask, Outcome, Refusal};
use crate::exchange::Exchange;

/// Verifies it.
pub(super) async fn run(_settings: &Settings, _task: BlobTask, _exchange: Exchange) -> Result<Outcome, Refusal> {
    Err(Refusal::NothingToDo)
}
