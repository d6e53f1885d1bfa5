//! TUF repositories.

pub mod crypto;
pub mod delegation;
pub mod json;
pub mod metadata;
