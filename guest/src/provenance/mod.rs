//! in-toto statements and SLSA provenance, and what joins them to a go.sum.
//!
//! **Everything in a statement was written by whoever signed it.** A signature says that they wrote it, not that it
//! is true: with a workflow of their own, anybody gets a valid certificate for provenance that names another builder,
//! another repository and a tag that never was. So each thing that is believed here rests on something else:
//!
//! | what | rests on |
//! |---|---|
//! | that it is about this module version | the h1 of the go.sum line, or the zip's SHA-256 ([`join`]) |
//! | who built, where, from which commit and ref | the certificate's claims, from the OIDC issuer ([`agree`]) |
//! | that the source is the module's own | the claims, against the module's path and version ([`source`]) |
//! | that the build was isolated | the claims: whose workflow it was ([`agree::Vouched::provable_level`]) |
//! | what the predicate says ([`slsa`]) | nothing. It must say what the claims say, and a contradiction is reported |
//! | a summary ([`vsa`]) | the verifier who signed it, if the policy names it |
//!
//! Sources: in-toto Attestation Framework v1 and v0.1, SLSA v1.0 to v1.2 and v0.2; the checks of slsa-verifier 2.7.1.
//!
//! | file | what it holds |
//! |---|---|
//! | [`statement`] | the in-toto statement |
//! | [`join`] | which module version it is about |
//! | [`slsa`] | what SLSA provenance says |
//! | [`vsa`] | what a verification summary says |
//! | [`source`] | repositories, and which commit or tag a module version is |
//! | [`agree`] | what the certificate vouches for, and whether the predicate says the same |

pub mod agree;
mod fields;
pub mod join;
pub mod slsa;
pub mod source;
pub mod statement;
pub mod vsa;

pub use fields::FieldError;
