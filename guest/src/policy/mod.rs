//! The policy, and the grades that it gives: `trusted`, `verified`, `unverified` (docs/policy.md).
//!
//! | file | what it does |
//! |---|---|
//! | [`glob`] | patterns over URLs and identities |
//! | [`rules`] | a policy that makes sense: what the contract hands over, checked and ready to be asked |
//! | [`judge`] | the grade of one module, and why |
//! | [`explain`] | judgements in words |
//! | [`mod@file`] | the YAML file, natively alone |
//! | [`baseline`] | the floor: today's grades, natively alone |
//! | [`expect`] | expectations of a policy (`modanchor policy test`), natively alone |
//!
//! # Security
//!
//! A policy is as good as whoever may change it, so a host takes it from where the judged change cannot write. What it says is
//! exact: a pattern matches whole, an unknown key or a value of another type is an error, and a list that is left out never
//! trusts more: nothing is trusted without listed builders, identities and publishers.
//!
//! The file is read by [`mod@file`], which no export of the component reaches, so that a YAML reader is no part of the component. What
//! enters it are typed records, and [`rules::Rules::new`] checks them again: another host may have read them otherwise.

pub mod baseline;
pub mod expect;
pub mod explain;
pub mod file;
pub mod glob;
pub mod judge;
pub mod rules;
mod yaml;

#[cfg(test)]
mod tests;
