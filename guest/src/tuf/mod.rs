//! TUF repositories: what an enterprise has approved (docs/spec/tuf-go-modules.md).
//!
//! | file | what it holds |
//! |---|---|
//! | [`json`] | JSON with one meaning |
//! | [`metadata`] | the four roles, read strictly and written canonically |
//! | [`delegation`] | which delegations a path may be looked for in |
//! | [`crypto`] | signature schemes |
//! | [`modules`] | modules as targets |
//! | [`client`] | the client's workflow, and the walk of delegations |

pub mod client;
pub mod crypto;
pub mod delegation;
pub mod json;
pub mod metadata;
pub mod modules;
#[cfg(test)]
pub(crate) mod testing;
