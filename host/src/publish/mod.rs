//! Publishing: TUF repositories of Go modules, and the keys that sign them.
//!
//! The host writes metadata with the core's own types and makes no verdict: whether a module may be used is for a client
//! to say, which is the core. What is here decides only what a publisher puts its name to.
//!
//! | file | what it does |
//! |---|---|
//! | [`keys`], [`source`], [`keyring`] | keys: kinds, files, where they come from |
//! | [`config`], [`work`] | the working copy |
//! | [`store`], [`bucket`] | where a repository is published |
//! | [`roles`] | signing, and who has signed |
//! | [`base`] | what the store holds, verified; the delegation that a path goes to |
//! | [`changes`], [`delegation`] | what is asked for, applied to that |
//! | [`measure`] | a module's files, hashed |
//! | [`publication`] | writing it all, in an order that a crash cannot hurt |
//! | [`listing`] | `@v/list` and `@latest` |
//! | [`ceremony`] | root, signed by people who never meet |
//! | [`status`] | what expires when |

pub mod base;
pub mod bucket;
pub mod ceremony;
pub mod changes;
pub mod config;
pub mod delegation;
pub mod keyring;
pub mod keys;
pub mod listing;
pub mod measure;
pub mod publication;
pub mod roles;
pub mod source;
pub mod status;
pub mod store;
pub mod work;

#[cfg(test)]
mod tests;

use std::sync::Mutex;
use std::sync::PoisonError;

/// Does every job, on as many threads as there are processors, and gives the results in their order.
pub(crate) fn parallel<T: Send, R: Send>(jobs: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(jobs.len());
    if threads <= 1 {
        return jobs.into_iter().map(work).collect();
    }
    let mut results: Vec<Option<R>> = jobs.iter().map(|_| None).collect();
    let queue = Mutex::new(jobs.into_iter().zip(results.iter_mut()));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((job, result)) = next() {
                    *result = Some(work(job));
                }
            });
        }
    });
    drop(queue);
    results.into_iter().map(|result| result.expect("every job was done: the scope has joined its threads")).collect()
}
