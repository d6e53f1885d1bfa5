//! `policy-grade`.

use super::{Rule, Severity};

/// A module is not what the policy asks for.
pub const RULE: Rule = Rule {
    id: "policy-grade",
    severity: Severity::High,
    incomplete: false,
    title: "A module is not what the policy asks for",
    description: "The policy asks for a grade, for the approval of a TUF repository or for an entry in a log, and what
could be verified about this module version does not reach that. What is unverified has checksums alone; verified has
a signed statement about exactly these bytes, by the module's own repository; trusted was built as SLSA level 3 asks, by
a builder, under an identity and by a publisher that the policy lists. A module that is replaced must satisfy the rules
of both paths, and nothing vouches for a folder. With a baseline, a module fails when it has become worse than it was.",
    causes: "- The version was released without provenance, or on another way than its releases before.
- Who signed, what built it or where its source is has changed, and the policy does not know yet.
- A `replace` has put a fork or a folder in its place.
- Somebody else than its authors made this version.",
    help: "1. See which condition failed: `modanchor policy explain`.
2. If a release before this one had the grade, ask the module's authors why this one has not, before building with it.
3. If what changed is right, change the policy (docs/policy.md), in a change that somebody reviews: a policy that the
   judged change edits does not count for it.
4. To begin with what there is today: `modanchor policy baseline`.",
};
