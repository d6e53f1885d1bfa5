//! go.sum: every line is told or skipped, an entry holds a module version that passes the checks, and what is put in
//! order stays so.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::gosum::sum::{Line, lines};
use modanchor_core::gosum::tidy::plan;
use modanchor_core::module::ModuleVersion;

fuzz_target!(|content: &[u8]| {
    let mut lines = lines(content);
    let mut told = 0;
    for line in lines.by_ref() {
        told += 1;
        let at = match line {
            Line::Entry(entry) => {
                let checked = ModuleVersion::check(entry.path(), entry.version());
                assert_eq!(checked, Ok(entry.module()));
                entry.at
            }
            Line::Problem(problem) => problem.at,
        };
        assert!(at.column < at.end_column);
    }
    assert_eq!(told + lines.skipped(), lines.read());
    if let Ok(planned) = plan(content, &[]) {
        assert!(plan(&planned.content, &[]).is_ok_and(|again| again.unchanged));
    }
});
