//! Judgements in words: `modanchor policy explain`, and the text of findings.

use std::fmt::Write as _;

use super::judge::{Judgement, Ruling, grade_name};
use crate::report::visible::escape;

/// Every ruling on a module, and every condition, held or not. `module` is `MODULE@VERSION`. Ends with a line end.
///
/// A condition that does not hold is `FAILS` where what is required needs it, and `lacks` where only a better grade would.
#[must_use]
pub fn text(module: &str, judgement: &Judgement) -> String {
    let mut out = String::new();
    let satisfied = if judgement.satisfied() { "satisfied" } else { "NOT satisfied" };
    let grade = grade_name(judgement.grade());
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{}: {grade}, the policy is {satisfied}", escape(module));
    for ruling in &judgement.rulings {
        let _ = writeln!(
            out,
            "  {}, for {}: {}; is {}",
            head(ruling),
            escape(&ruling.path),
            required(ruling),
            grade_name(ruling.grade)
        );
        if let Some(attestation) = &ruling.attestation {
            let _ = writeln!(out, "    attestation from {}", escape(attestation));
        }
        for condition in &ruling.conditions {
            let found = escape(&condition.found);
            if condition.held {
                let _ = writeln!(out, "    holds {}: {found}", condition.what);
                continue;
            }
            let expected = escape(&condition.expected);
            let needed = grade_name(condition.needed_for);
            let (mark, needed) = match condition.needed_for <= ruling.required {
                true => ("FAILS", String::new()),
                false => ("lacks", format!(" (for {needed})")),
            };
            let _ = writeln!(out, "    {mark} {}{needed}: expected {expected}; found {found}", condition.what);
        }
    }
    out
}

/// Why a ruling is not satisfied, in one line: for a finding. `module` is `MODULE@VERSION`, of what is built.
#[must_use]
pub fn reason(module: &str, ruling: &Ruling) -> String {
    let by = if ruling.by_baseline { "its floor in the baseline".to_owned() } else { head(ruling) };
    // What stands in another's place is asked for by that one's name too.
    let own = module.split_once('@').map_or(module, |(path, _)| path) == ruling.path;
    let whose = if own { String::new() } else { format!(", for {},", escape(&ruling.path)) };
    let (grade, required) = (grade_name(ruling.grade), grade_name(ruling.required));
    let module = escape(module);
    let mut out = match ruling.grade >= ruling.required {
        true => format!("{module} is {grade}, and lacks what {by}{whose} asks for whatever the grade"),
        false => format!("{module} is {grade}, and {by}{whose} asks for {required}"),
    };
    let failures = ruling.failures().map(|condition| {
        format!("{}: expected {}; found {}", condition.what, escape(&condition.expected), escape(&condition.found))
    });
    for (i, failure) in failures.enumerate() {
        out.push_str(if i == 0 { ": " } else { " | " });
        out.push_str(&failure);
    }
    out
}

fn head(ruling: &Ruling) -> String {
    match ruling.rule {
        Some(_) => format!("rule `{}`", escape(&ruling.name)),
        None => "the default".to_owned(),
    }
}

fn required(ruling: &Ruling) -> String {
    let grade = grade_name(ruling.required);
    if ruling.by_baseline { format!("requires {grade}, its floor") } else { format!("requires {grade}") }
}
