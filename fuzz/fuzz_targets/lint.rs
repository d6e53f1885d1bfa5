//! `lint`: any file in any syntax is read, every place is in its line, and a fix leaves exactly the other problems. The
//! first byte picks the syntax.
#![no_main]

use libfuzzer_sys::fuzz_target;
use modanchor_core::lint::{Syntax, file, fix};

const SYNTAXES: [Syntax; 7] = [
    Syntax::Shell,
    Syntax::Dockerfile,
    Syntax::Makefile,
    Syntax::Workflow,
    Syntax::Devcontainer,
    Syntax::EnvFile,
    Syntax::GoEnv,
];

fuzz_target!(|data: &[u8]| {
    let Some((pick, content)) = data.split_first() else { return };
    let syntax = SYNTAXES[usize::from(*pick) % SYNTAXES.len()];
    let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    let scan = file(syntax, content);
    for problem in &scan.problems {
        let at = problem.at.expect("it is in a file");
        let width = String::from_utf8_lossy(lines[at.line as usize - 1]).chars().count() as u32;
        assert!(at.column < at.end_column && at.end_column <= width.max(1) + 1);
    }
    if let Some(fixed) = fix(syntax, content, &scan.problems) {
        assert!(!fixed.changes.is_empty() && fixed.problems.len() < scan.problems.len());
        assert_eq!(file(syntax, &fixed.content).problems.len(), fixed.problems.len());
    }
});
