//! What is asked of git and of GitHub: against real repositories, and a server on loopback that keeps GitHub's limits.

mod api;
mod changed;
mod checks;
mod code_scanning;
mod contents;
mod fake;
mod git;
mod repo;
