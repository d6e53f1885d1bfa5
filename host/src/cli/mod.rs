//! One file per subcommand, and what they share: [`args`], [`session`], [`paths`],
//! [`settings_files`] and [`config`].

pub mod action;
pub mod annotate;
pub mod args;
pub mod completions;
pub mod config;
pub mod evidence;
pub mod explain;
pub mod fix;
pub mod hash;
pub mod init;
pub mod lint;
pub mod lookup;
pub mod man;
pub mod paths;
pub mod places;
pub mod policy;
pub mod replay;
pub mod repo;
pub mod runner;
pub mod session;
pub mod settings_files;
pub mod signatures;
pub mod sigstore;
pub mod statement;
pub mod trusted;
pub mod tuf;
pub mod verify;
pub mod verify_blob;
pub mod workspace;

/// Exit status of wrong usage or configuration, and of nothing to verify.
pub const USAGE: u8 = 2;

/// The candidate that was probably meant by `typed`, if one is near enough.
///
/// Near enough is Jaro-Winkler above 0.7, as clap uses for its own suggestions; of several, the nearest.
pub(crate) fn did_you_mean<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(typed, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
