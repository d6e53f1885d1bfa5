//! `policy-unmatched-rule`.

use super::{Rule, Severity};

/// A rule of the policy matches no module.
pub const RULE: Rule = Rule {
    id: "policy-unmatched-rule",
    severity: Severity::Low,
    incomplete: false,
    title: "A rule of the policy matches no module",
    description: "A rule of the policy decides about no module of this run: either none has such a path, or a rule
before it has taken them all. The first rule that matches a module decides, so what this one asks for is asked of
nothing.",
    causes:
        "- A glob is misspelt, or is meant as a regular expression: it matches leading elements of the path, and case
  counts.
- A rule before it covers the same modules.
- The last module that it was about is gone.
- One policy serves several repositories.",
    help: "1. See which rule decides: `modanchor policy explain`.
2. Correct the glob, move the rule before the one that takes its modules, or remove it.
3. If the policy serves several repositories, ignore this rule in the configuration, with that as the reason.",
};
