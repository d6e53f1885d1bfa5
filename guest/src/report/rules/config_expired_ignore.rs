//! `config-expired-ignore`.

use super::{Rule, Severity};

/// An ignore in the configuration has expired.
pub const RULE: Rule = Rule {
    id: "config-expired-ignore",
    severity: Severity::Low,
    incomplete: false,
    title: "An ignore in the configuration has expired",
    description: "The last day of an ignore has passed, so it no longer hides anything: what it used to hide is reported again, with its
own severity. The date was set so that somebody would look again. This is that moment.",
    causes: "- What was to be fixed by then was not.
- It was fixed, and the entry was forgotten.
- The clock of this machine is wrong.",
    help: "1. Read the entry's `reason`, and see whether the finding that it hid is in this report.
2. If it is not, remove the `[[ignore]]` entry.
3. If it is, fix it. If that is still not possible, decide anew, write down why in `reason`, and set a new `expires`.",
};
