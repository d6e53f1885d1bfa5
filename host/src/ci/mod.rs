//! What a CI service knows and shows: the event, the lines that a change touches, annotations.
//!
//! Nothing here judges: it decides where findings are shown, never whether they count.

pub mod changed;
pub mod event;
pub mod git;
pub mod github;
pub mod lines;
pub mod output;
