//! The rules: one file each, with the text that `modanchor explain RULE` prints and that SARIF carries.
//!
//! A rule's id never changes. To add one, add its file, its `mod` line and its place in `ALL`, and run the tests with
//! `UPDATE_DOCS=1` to write its page under `docs/rules/`.

use std::fmt;

use serde::{Deserialize, Serialize};

pub mod binary_dirty;
pub mod binary_mismatch;
pub mod binary_unpinned;
pub mod config_expired_ignore;
pub mod config_unused_ignore;
pub mod dir_mismatch;
pub mod dir_writable;
pub mod env_insecure;
pub mod env_mod_mod;
pub mod env_modcacherw;
pub mod env_modfile;
pub mod env_no_such_variable;
pub mod env_overlay;
pub mod env_proxy;
pub mod env_sumdb_off;
pub mod env_sumdb_skips_all;
pub mod gomod_mismatch;
pub mod gosum_conflict;
pub mod gosum_malformed;
pub mod gosum_mismatch;
pub mod gosum_missing;
pub mod gosum_unknown_hash;
pub mod info_malformed;
pub mod policy_grade;
pub mod policy_unmatched_rule;
pub mod provenance_contradiction;
pub mod provenance_malformed;
pub mod provenance_source;
pub mod provenance_subject;
pub mod provenance_version;
pub mod sigstore_bad_log;
pub mod sigstore_bad_signature;
pub mod sigstore_identity;
pub mod sigstore_malformed;
pub mod sigstore_not_logged;
pub mod sigstore_root_stale;
pub mod sigstore_unavailable;
pub mod sigstore_untrusted;
pub mod sumdb_bad_proof;
pub mod sumdb_bad_signature;
pub mod sumdb_fork;
pub mod sumdb_no_line;
pub mod sumdb_skipped;
pub mod sumdb_stale;
pub mod sumdb_unknown_module;
pub mod tuf_bad_signature;
pub mod tuf_expired;
pub mod tuf_freeze;
pub mod tuf_mismatch;
pub mod tuf_revoked;
pub mod tuf_rollback;
pub mod tuf_unapproved;
pub mod tuf_unavailable;
pub mod tuf_waived;
pub mod unchecked;
pub mod vendor_extra;
pub mod vendor_inconsistent;
pub mod vendor_mismatch;
pub mod vendor_missing;
pub mod zip_mismatch;
pub mod zip_refused;
pub mod ziphash_mismatch;

/// The longest [`Rule::description`], in characters: GitHub cuts a SARIF rule's full description there.
pub const MAX_DESCRIPTION: usize = 1024;

/// Every rule, by id.
pub const ALL: &[&Rule] = &[
    &binary_dirty::RULE,
    &binary_mismatch::RULE,
    &binary_unpinned::RULE,
    &config_expired_ignore::RULE,
    &config_unused_ignore::RULE,
    &dir_mismatch::RULE,
    &dir_writable::RULE,
    &env_insecure::RULE,
    &env_mod_mod::RULE,
    &env_modcacherw::RULE,
    &env_modfile::RULE,
    &env_no_such_variable::RULE,
    &env_overlay::RULE,
    &env_proxy::RULE,
    &env_sumdb_off::RULE,
    &env_sumdb_skips_all::RULE,
    &gomod_mismatch::RULE,
    &gosum_conflict::RULE,
    &gosum_malformed::RULE,
    &gosum_mismatch::RULE,
    &gosum_missing::RULE,
    &gosum_unknown_hash::RULE,
    &info_malformed::RULE,
    &policy_grade::RULE,
    &policy_unmatched_rule::RULE,
    &provenance_contradiction::RULE,
    &provenance_malformed::RULE,
    &provenance_source::RULE,
    &provenance_subject::RULE,
    &provenance_version::RULE,
    &sigstore_bad_log::RULE,
    &sigstore_bad_signature::RULE,
    &sigstore_identity::RULE,
    &sigstore_malformed::RULE,
    &sigstore_not_logged::RULE,
    &sigstore_root_stale::RULE,
    &sigstore_unavailable::RULE,
    &sigstore_untrusted::RULE,
    &sumdb_bad_proof::RULE,
    &sumdb_bad_signature::RULE,
    &sumdb_fork::RULE,
    &sumdb_no_line::RULE,
    &sumdb_skipped::RULE,
    &sumdb_stale::RULE,
    &sumdb_unknown_module::RULE,
    &tuf_bad_signature::RULE,
    &tuf_expired::RULE,
    &tuf_freeze::RULE,
    &tuf_mismatch::RULE,
    &tuf_revoked::RULE,
    &tuf_rollback::RULE,
    &tuf_unapproved::RULE,
    &tuf_unavailable::RULE,
    &tuf_waived::RULE,
    &unchecked::RULE,
    &vendor_extra::RULE,
    &vendor_inconsistent::RULE,
    &vendor_mismatch::RULE,
    &vendor_missing::RULE,
    &zip_mismatch::RULE,
    &zip_refused::RULE,
    &ziphash_mismatch::RULE,
];

/// The rule of this id.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.binary_search_by(|rule| rule.id.cmp(id)).ok().map(|at| ALL[at])
}

/// How bad a finding is. Ordered: `Note < Low < Medium < High < Critical`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For information.
    Note,
    /// Worth a look.
    Low,
    /// Weakens a check.
    Medium,
    /// Something is wrong, or cannot be what it seems.
    High,
    /// Do not build this.
    Critical,
}

impl Severity {
    /// As in the report: lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, for example `gosum-mismatch`.
    pub id: &'static str,
    /// The severity of its findings, unless a finding says otherwise.
    pub severity: Severity,
    /// Whether its findings mean "could not be checked", which makes the verdict incomplete and never fails it.
    pub incomplete: bool,
    /// One short sentence without a full stop.
    pub title: &'static str,
    /// What it means and why it matters: plain text, one or more paragraphs, at most [`MAX_DESCRIPTION`] characters.
    pub description: &'static str,
    /// How it comes about in real life, most likely first, as a Markdown list.
    pub causes: &'static str,
    /// What to do, as Markdown: numbered steps.
    pub help: &'static str,
}

impl Rule {
    /// Whether a configuration may ignore its findings. What a checksum database, a TUF repository or a log did wrong stays
    /// visible: those criticals say that the judge was lied to, and no module can be excused from that. An exception from
    /// what a repository has revoked is signed by its keepers, as a waiver. What could not be checked stays visible too;
    /// `--allow-incomplete` is there for it.
    pub fn ignorable(&self) -> bool {
        let accuses = ["sumdb-", "tuf-", "sigstore-"].iter().any(|about| self.id.starts_with(about));
        let accused = self.severity == Severity::Critical && accuses;
        !accused && !self.means_unchecked()
    }

    /// Whether it says that nothing could be found out.
    pub fn means_unchecked(&self) -> bool {
        [unchecked::RULE.id, tuf_unavailable::RULE.id, sigstore_unavailable::RULE.id].contains(&self.id)
    }

    /// Whether it is about settings, and found by `lint`: about no module.
    pub fn is_about_settings(&self) -> bool {
        self.id.starts_with("env-")
    }

    /// The whole text as one Markdown page: the page under `docs/rules/`, and what `modanchor explain` shows.
    pub fn markdown(&self) -> String {
        let Self { id, severity, title, description, causes, help, .. } = self;
        let status = match (self.incomplete, self.severity) {
            (true, _) => {
                "could not be checked: the verdict is *incomplete*, the exit status 3, unless `--allow-incomplete`"
            }
            (false, Severity::Critical | Severity::High | Severity::Medium) => {
                "fails the run (exit status 1) at the default `--fail-on medium`"
            }
            (false, Severity::Low | Severity::Note) => "does not fail the run at the default `--fail-on medium`",
        };
        let ignore = if self.is_about_settings() {
            "can be ignored as a whole, with `module = \"*\"` and a reason, by a configuration that you name with `--config`"
        } else if self.ignorable() {
            "can be ignored for named modules, with a reason, by a configuration that you name with `--config`"
        } else {
            "cannot be ignored"
        };
        format!(
            "# {id}\n\n{title}.\n\n- Severity: **{severity}**; {status}.\n- It {ignore}.\n\n\
             ## What it means\n\n{description}\n\n## How it happens\n\n{causes}\n\n## What to do\n\n{help}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn all_is_sorted_and_found() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
        for rule in ALL {
            assert_eq!(find(rule.id), Some(*rule));
        }
        assert_eq!(find("gosum-mismatched"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn every_file_is_in_all() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/rules");
        let files: BTreeSet<String> = fs::read_dir(here)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != "mod.rs")
            .collect();
        let rules: BTreeSet<String> = ALL.iter().map(|rule| format!("{}.rs", rule.id.replace('-', "_"))).collect();
        assert_eq!(files, rules);
    }

    #[test]
    fn texts_are_well_formed() {
        for rule in ALL {
            let id = rule.id;
            assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{id}");
            assert!(!rule.title.ends_with('.') && rule.title.len() <= 100, "{id}");
            assert!(rule.description.chars().count() <= MAX_DESCRIPTION, "{id}");
            assert!(!rule.description.contains('`'), "{id}: plain text");
            assert!(rule.causes.starts_with("- "), "{id}: a list");
            assert!(rule.help.starts_with("1. "), "{id}: numbered steps");
            for text in [rule.title, rule.description, rule.causes, rule.help] {
                assert_eq!(text, text.trim(), "{id}");
                assert!(text.is_ascii(), "{id}");
                assert!(text.lines().all(|line| line.len() <= 120), "{id}: {text}");
            }
        }
    }

    /// `docs/rules/` is what the rules say. `UPDATE_DOCS=1` writes it.
    #[test]
    fn docs_are_current() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules");
        let mut index = String::from(
            "# Rules\n\nAn id never changes. `modanchor explain RULE` shows the same text.\n\n\
             | rule | severity | when |\n|---|---|---|\n",
        );
        let mut pages: Vec<(String, String)> = Vec::new();
        for rule in ALL {
            let status = if rule.incomplete { ", but status 3" } else { "" };
            index += &format!("| [{0}]({0}.md) | {1}{status} | {2} |\n", rule.id, rule.severity, rule.title);
            pages.push((format!("{}.md", rule.id), rule.markdown()));
        }
        pages.push(("README.md".to_owned(), index));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::create_dir_all(&docs).unwrap();
            for (name, text) in &pages {
                fs::write(docs.join(name), text).unwrap();
            }
        }
        let want: BTreeSet<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        let names: Vec<String> =
            fs::read_dir(&docs).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let got: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(got, want, "run the tests with UPDATE_DOCS=1");
        for (name, text) in &pages {
            let have = fs::read_to_string(docs.join(name)).unwrap();
            assert_eq!(&have, text, "{name}: run the tests with UPDATE_DOCS=1");
        }
    }
}
