//! Collecting findings, and what they amount to.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::settings::{Ignore, Settings};
use super::text;
use crate::contract;
use crate::gosum::Span;
use crate::module::ModuleVersion;
use crate::report::{Finding, MAX_FINDINGS, Rule, Severity, SeverityCounts, Verdict, rules};
use crate::sort::sort_by;

/// A finding, before it is known whether it counts.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    finding: Finding,
    rule: &'static Rule,
    /// Tells apart what rule, module and file do not: `zip`, `go.mod`, a cause.
    kind: &'static str,
}

impl Draft {
    pub(super) fn new(rule: &'static Rule, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            rule,
            kind: "",
            finding: Finding {
                rule: rule.id.to_owned(),
                severity: rule.severity,
                message: message.into(),
                file: None,
                line: None,
                column: None,
                end_column: None,
                module: None,
                version: None,
                expected: None,
                found: None,
                by: None,
                help: help.into(),
                fingerprint: String::new(),
            },
        }
    }

    /// The identifier of its rule.
    pub(super) fn rule(&self) -> &'static str {
        self.rule.id
    }

    /// Whether it says that something could not be found out.
    pub(super) fn means_unchecked(&self) -> bool {
        self.rule.incomplete
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.finding.severity = severity;
        self
    }

    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn file(mut self, file: &str) -> Self {
        self.finding.file = Some(file.to_owned());
        self
    }

    pub(super) fn at(mut self, file: &str, span: Span) -> Self {
        self.finding.line = Some(span.line);
        self.finding.column = Some(span.column);
        self.finding.end_column = Some(span.end_column);
        self.file(file)
    }

    /// Says more in its message.
    pub(super) fn more(mut self, text: &str) -> Self {
        self.finding.message.push_str(text);
        self
    }

    pub(super) fn module(mut self, path: &str, version: &str) -> Self {
        self.finding.module = Some(path.to_owned());
        self.finding.version = Some(version.to_owned());
        self
    }

    pub(super) fn about(self, module: &ModuleVersion) -> Self {
        self.module(module.path(), module.version())
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.finding.expected = Some(expected.into());
        self
    }

    pub(super) fn found(mut self, found: impl Into<String>) -> Self {
        self.finding.found = Some(found.into());
        self
    }

    pub(super) fn by(mut self, by: impl Into<String>) -> Self {
        self.finding.by = Some(by.into());
        self
    }
}

/// All findings of a run.
pub(super) struct Findings<'a> {
    settings: &'a Settings,
    /// By severity, each list at most [`MAX_FINDINGS`] long: memory stays bounded however bad the input.
    drafts: BTreeMap<Severity, Vec<Draft>>,
    counts: SeverityCounts,
    ignored: u64,
    used: Vec<bool>,
    failed: bool,
    incomplete: bool,
    /// Whether the run is about settings.
    about_settings: bool,
}

/// What a run's findings amount to.
pub(super) struct Sum {
    pub(super) findings: Vec<Finding>,
    pub(super) counts: SeverityCounts,
    pub(super) ignored: u64,
    pub(super) verdict: Verdict,
    pub(super) status: u8,
}

/// Exit status of a run with findings at or above `--fail-on`.
const STATUS_FAIL: u8 = 1;
/// Exit status of a run that could not check everything.
const STATUS_INCOMPLETE: u8 = 3;

impl<'a> Findings<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self {
            settings,
            drafts: BTreeMap::new(),
            counts: SeverityCounts::default(),
            ignored: 0,
            used: vec![false; settings.ignores.len()],
            failed: false,
            incomplete: false,
            about_settings: false,
        }
    }

    /// Those of a run that is about settings. Ignores of other rules are not unused because it finds nothing of them.
    pub(super) fn about_settings(settings: &'a Settings) -> Self {
        Self { about_settings: true, ..Self::new(settings) }
    }

    /// Something could not be checked, of which another finding speaks.
    pub(super) fn set_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// Adds a finding, unless the configuration ignores it.
    pub(super) fn push(&mut self, draft: Draft) {
        let path = draft.finding.module.as_deref();
        let today = text::day(self.settings.now);
        let mut ignored = false;
        for (ignore, used) in self.settings.ignores.iter().zip(&mut self.used) {
            if ignore.covers(draft.rule, path) {
                // An ignore that has expired did match: it is reported as expired, not as unused.
                *used = true;
                ignored |= !ignore.has_expired(&today);
            }
        }
        if ignored {
            self.ignored += 1;
            return;
        }
        self.count(draft);
    }

    fn count(&mut self, draft: Draft) {
        let severity = draft.finding.severity;
        self.counts.add(severity);
        if draft.rule.incomplete {
            self.incomplete = true;
        } else if self.settings.fail_on.is_some_and(|least| severity >= least) {
            self.failed = true;
        }
        let drafts = self.drafts.entry(severity).or_default();
        if drafts.len() < MAX_FINDINGS {
            drafts.push(draft);
        }
    }

    /// The end: the verdict, and the most severe findings in the order of files and lines.
    pub(super) fn finish(mut self) -> Sum {
        self.judge_ignores();
        let mut drafts: Vec<Draft> =
            std::mem::take(&mut self.drafts).into_values().rev().flatten().take(MAX_FINDINGS).collect();
        sort_by(&mut drafts, |a, b| a.order().cmp(&b.order()));

        let mut ordinals: BTreeMap<[u8; 32], u32> = BTreeMap::new();
        let findings = drafts
            .into_iter()
            .map(|mut draft| {
                let identity = draft.identity();
                let ordinal = ordinals.entry(identity).or_insert(0);
                let digest = Sha256::new().chain_update(identity).chain_update(ordinal.to_be_bytes()).finalize();
                *ordinal += 1;
                draft.finding.fingerprint = crate::hex::encode(&digest);
                draft.finding
            })
            .collect();
        let verdict = match (self.failed, self.incomplete) {
            (true, _) => Verdict::Fail,
            (false, true) => Verdict::Incomplete,
            (false, false) => Verdict::Pass,
        };
        Sum {
            findings,
            counts: self.counts,
            ignored: self.ignored,
            verdict,
            status: match verdict {
                Verdict::Fail => STATUS_FAIL,
                Verdict::Incomplete if !self.settings.allow_incomplete => STATUS_INCOMPLETE,
                Verdict::Incomplete | Verdict::Pass => 0,
            },
        }
    }

    /// Ignores that do nothing, or no longer do what they did, are findings of their own.
    fn judge_ignores(&mut self) {
        let today = text::day(self.settings.now);
        for (ignore, used) in self.settings.ignores.iter().zip(std::mem::take(&mut self.used)) {
            // A configuration serves runs of both kinds.
            if rules::find(&ignore.rule).is_some_and(|rule| rule.is_about_settings() != self.about_settings) {
                continue;
            }
            let about = format!("rule {}, module {}", ignore.rule, ignore.module_text);
            if ignore.has_expired(&today) {
                let day = ignore.expires.as_deref().unwrap_or_default();
                self.count(
                    Draft::new(
                        &rules::config_expired_ignore::RULE,
                        format!("the ignore for {about} expired on {day} and no longer holds"),
                        "look at the finding again; remove the ignore, or set a new day with a reason",
                    )
                    .found(ignore.reason.clone()),
                );
            } else if !used {
                self.count(
                    Draft::new(
                        &rules::config_unused_ignore::RULE,
                        format!("the ignore for {about} matches no finding"),
                        "remove it from the configuration",
                    )
                    .found(ignore.reason.clone()),
                );
            }
        }
    }
}

impl Ignore {
    /// A finding about settings is about no module, so whoever ignores those ignores all of the rule's: `*`.
    fn covers(&self, rule: &Rule, path: Option<&str>) -> bool {
        let covered = match path {
            Some(path) => self.module.matching(path).is_some(),
            None => rule.is_about_settings() && self.module.matching_everything().is_some(),
        };
        self.rule == rule.id && covered
    }

    /// Days compare as text.
    fn has_expired(&self, today: &str) -> bool {
        self.expires.as_deref().is_some_and(|day| day < today)
    }
}

impl Draft {
    fn order(&self) -> impl Ord + '_ {
        let finding = &self.finding;
        (&finding.file, finding.line, finding.column, &finding.rule, &finding.module, &finding.version, self.kind)
    }

    /// What stays the same when lines move.
    fn identity(&self) -> [u8; 32] {
        let finding = &self.finding;
        let mut hash = Sha256::new();
        for part in [
            &finding.rule,
            finding.module.as_deref().unwrap_or_default(),
            finding.version.as_deref().unwrap_or_default(),
            self.kind,
            finding.file.as_deref().unwrap_or_default(),
            // The path inside the module, for findings about one of its files.
            "",
        ] {
            hash.update(part);
            hash.update([0]);
        }
        hash.finalize().into()
    }
}

/// The contract's word for a verdict.
pub(super) fn contract_verdict(verdict: Verdict) -> contract::Verdict {
    match verdict {
        Verdict::Pass => contract::Verdict::Pass,
        Verdict::Fail => contract::Verdict::Fail,
        Verdict::Incomplete => contract::Verdict::Incomplete,
    }
}
