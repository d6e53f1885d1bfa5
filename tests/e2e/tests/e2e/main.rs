//! The program as a user runs it.
//!
//! One executable with a module per subject. Tests that need Go's side return early, with a message, only where there
//! is no `go`.

mod agree;
mod big;
mod cache;
mod forgeries;
mod forks;
mod golang;
mod lookup;
mod network;
mod surface;
mod trust;
mod verdicts;
