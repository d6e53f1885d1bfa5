//! What is asked of git: against real repositories.

mod git;
mod repo;
