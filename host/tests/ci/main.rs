//! What is asked of git and of GitHub: against real repositories, and a server on loopback that keeps GitHub's limits.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod api;
mod changed;
mod checks;
mod code_scanning;
mod contents;
mod fake;
mod git;
mod repo;
