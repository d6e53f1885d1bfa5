//! The program as a user runs it.
//!
//! One executable with a module per subject. Tests that need Go's side return early, with a message, only where there
//! is no `go`.

#[cfg(target_os = "linux")]
mod action;
#[cfg(target_os = "linux")]
mod action_real;
mod agree;
mod big;
mod bytes;
mod cache;
mod cosign;
mod downloads;
mod embed;
mod evidence;
mod explain;
mod fix;
mod forgeries;
mod forks;
mod golang;
mod grades;
mod hashes;
mod init;
mod lint;
mod lookup;
mod network;
mod programs;
mod project;
mod repo;
mod s3;
mod samples;
mod surface;
mod trust;
mod tuf_peers;
#[cfg(unix)]
mod tuf_tutorial;
mod vendor;
mod verdicts;
