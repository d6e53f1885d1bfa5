//! # The verification core
//!
//! Decides whether Go's records about a module agree, and does no I/O. It is compiled to one component,
//! `dist/modanchor.wasm`, whose contract is `wit/`; it is also an ordinary library, so that unit tests, fuzz targets
//! and benchmarks run it natively.
//!
//! | room | what it holds |
//! |---|---|
//! | [`contract`] | the types of `wit/`, generated |
//! | `exchange` | asking: turns what is awaited into requests, and answers back |
//! | [`lint`] | settings that disarm Go's own checks |
//! | [`module`] | module paths, versions, `!`-escaping, GOPRIVATE patterns |
//! | [`buildinfo`] | what a Go program says of its own build, as `go version -m` reads it |
//! | [`dirhash`] | h1 of zips, folders and go.mod files; the rules of module zips |
//! | [`gosum`] | go.sum and go.work.sum as cmd/go reads them; what go.mod and go.work ask for |
//! | [`vendor`] | vendor/modules.txt as cmd/go reads it, against go.mod; vendored files against the module's zip |
//! | [`sumdb`] | signed notes, the Merkle tree, tiles, and the checksum database client with its timeline |
//! | [`hex`] | hexadecimal |
//! | [`tuf`] | TUF: metadata, keys, the client with its walk of delegations, modules as targets |
//! | [`sigstore`] | Sigstore: bundles, certificates, logs, timestamps, identities |
//! | [`provenance`] | in-toto statements and SLSA provenance, joined to go.sum |
//! | [`policy`] | the policy and the grades |
//! | [`report`] | findings, one file per rule, and the report's JSON |
//! | [`verify`] | the session: puts the above together, asks for what it needs, ends in a report |
//! | `sort` | sorting, in one copy for all types |
//! | `component` | the exports of the component |

pub mod buildinfo;
mod component;
pub mod contract;
pub mod dirhash;
pub(crate) mod exchange;
pub mod gosum;
pub mod hex;
pub mod lint;
pub mod module;
pub mod policy;
pub mod provenance;
pub mod report;
pub mod sigstore;
mod sort;
pub mod sumdb;
pub mod tuf;
pub mod vendor;
pub mod verify;
