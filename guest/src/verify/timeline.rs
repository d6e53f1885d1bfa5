//! A Rekor's timeline: each checkpoint that it shows online must be on one timeline with the last one that was accepted, as for
//! the checksum database.
//!
//! Only what comes with a look-up is held against it. A checkpoint in a bundle was taken when the signature was made, and says
//! nothing of what the log shows today.
//!
//! Security argument: both checkpoints are signed by the log, and one of them is the log's own earlier word. A proof that does not
//! lead from the smaller tree to the larger one shows two histories, which no honest log has; both notes are then kept as
//! evidence, and the newer one is not accepted. A proof that cannot be had is not taken for a good one.

use crate::contract::{Advance, Body, Evidence, Failure, Item, Kept, Recall, RekorGet, Request};
use crate::exchange::Exchange;
use crate::sigstore::log::{Checkpoint, Checkpoints, LogError, read_consistency, verify_checkpoint};
use crate::sigstore::root::Log;
use crate::sumdb::tlog::{ProofError, verify_consistency};

/// The largest checkpoint that is kept, in bytes.
const MAX_NOTE: u32 = 64 << 10;

/// The largest answer with a proof, in bytes: some 64 hashes.
const MAX_PROOF: u32 = 64 << 10;

/// How often somebody else may have moved the kept checkpoint meanwhile.
const MAX_ATTEMPTS: usize = 3;

/// Why a checkpoint is not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum TimelineError {
    /// The kept one is not the log's, or cannot be read.
    #[error("the checkpoint that is kept of it is not one of its own: {0}")]
    Kept(String),
    /// The log gives no proof.
    #[error("it gives no proof that the tree that it shows extends the one that it showed before")]
    Unproven(Failure),
    /// The answer is no proof.
    #[error("its proof that the tree extends the one that it showed before cannot be read: {0}")]
    Unread(String),
    /// Two histories.
    #[error(
        "it has forked: the tree of {new} entries does not contain the one of {old} entries that it showed before ({error})"
    )]
    Fork {
        /// Size of the older tree.
        old: u64,
        /// Of the newer.
        new: u64,
        /// What the proof fails at.
        error: ProofError,
    },
    /// Others kept moving it.
    #[error("the checkpoint that is kept of it changes all the time")]
    Busy,
}

/// Accepts a checkpoint of a version 1 log that was verified: it becomes the kept one if it is newer.
///
/// # Errors
///
/// [`TimelineError`]. The evidence of a fork is handed out to be kept.
pub(super) async fn accept(exchange: &Exchange, log: &Log, shown: &Checkpoint) -> Result<(), TimelineError> {
    // A log has a tree for each of its shards.
    let Some((host, tree)) = shown.origin.split_once(" - ") else { return Ok(()) };
    let database = format!("{host}-{tree}");
    let recall = Recall { database: database.clone(), item: Item::Latest, max_bytes: MAX_NOTE };
    let mut kept = match exchange.ask(vec![Request::Recall(recall)]).await.pop() {
        Some(Ok(Body { content, .. })) => Some(content),
        Some(Err(Failure::Absent)) | None => None,
        Some(Err(failure)) => return Err(TimelineError::Unproven(failure)),
    };
    for _ in 0..MAX_ATTEMPTS {
        if let Some(note) = &kept {
            let earlier = read(note, log)?;
            let (old, new) = match earlier.tree.size <= shown.tree.size {
                true => (&earlier, shown),
                false => (shown, &earlier),
            };
            reconcile(exchange, log, &database, tree, old, new).await?;
            if earlier.tree.size >= shown.tree.size {
                return Ok(());
            }
        }
        let next = shown.note.clone().into_bytes();
        let advance = Advance { database: database.clone(), previous: kept, next: next.clone() };
        match exchange.ask(vec![Request::Advance(advance)]).await.pop() {
            Some(Ok(Body { content, .. })) if content != next => kept = Some(content),
            // Nowhere to keep it, as with --no-cache: the next run has no memory.
            _ => return Ok(()),
        }
    }
    Err(TimelineError::Busy)
}

fn read(note: &[u8], log: &Log) -> Result<Checkpoint, TimelineError> {
    let text = String::from_utf8(note.to_vec()).map_err(|error| TimelineError::Kept(error.to_string()))?;
    let checkpoint = Checkpoint::parse(text).map_err(|error| TimelineError::Kept(error.to_string()))?;
    let verified = verify_checkpoint(&checkpoint, log, false, &mut Checkpoints::default());
    verified.map_err(|error: LogError| TimelineError::Kept(error.to_string()))?;
    Ok(checkpoint)
}

async fn reconcile(
    exchange: &Exchange,
    log: &Log,
    database: &str,
    tree: &str,
    old: &Checkpoint,
    new: &Checkpoint,
) -> Result<(), TimelineError> {
    let (first, last) = (old.tree.size, new.tree.size);
    let proof = if first == last {
        Vec::new()
    } else {
        let path = format!("api/v1/log/proof?firstSize={first}&lastSize={last}&treeID={tree}");
        let get = RekorGet { log: log.base_url.clone(), path, post: None, max_bytes: MAX_PROOF };
        let answer = exchange.ask(vec![Request::Rekor(get)]).await.pop().unwrap_or(Err(Failure::NotData));
        let Body { content, .. } = answer.map_err(TimelineError::Unproven)?;
        read_consistency(&content).map_err(|error| TimelineError::Unread(error.to_string()))?
    };
    verify_consistency(&old.tree, &new.tree, &proof).map_err(|error| {
        let content = format!("{}\n{}", old.note, new.note).into_bytes();
        let name = format!("fork-{first}-{last}.txt");
        exchange.keep(Kept::Evidence(Evidence { database: database.to_owned(), name, content }));
        TimelineError::Fork { old: first, new: last, error }
    })
}

impl TimelineError {
    /// Whether it could not be found out.
    pub(super) fn is_unanswered(&self) -> bool {
        matches!(self, Self::Unproven(_) | Self::Unread(_) | Self::Busy)
    }
}

#[cfg(test)]
mod tests;
