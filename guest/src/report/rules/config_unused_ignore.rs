//! `config-unused-ignore`.

use super::{Rule, Severity};

/// An ignore in the configuration matches no finding.
pub const RULE: Rule = Rule {
    id: "config-unused-ignore",
    severity: Severity::Low,
    incomplete: false,
    title: "An ignore in the configuration matches no finding",
    description: "The configuration ignores a rule for some modules, but this run had no such finding. An ignore that is no longer
needed is a hole that waits for a finding: the next real one of that rule, for that module, would be hidden by it.",
    causes: "- The finding was fixed, and the ignore was forgotten.
- The module pattern or the rule's id is not what was meant.
- Another part of the project needs it, and this run looked at this part alone.",
    help: "1. If the finding is fixed, remove the `[[ignore]]` entry.
2. If the entry should match, compare its `module` with the finding's module path: it is a glob over leading path
   elements, as in GOPRIVATE, and letters are compared exactly.
3. If only other folders need it, give those a configuration of their own.",
};
