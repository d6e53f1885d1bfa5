//! `modanchor evidence show|diff|minimize`.

use anyhow::Context as _;

use super::args::{EvidenceAction, TerminalArgs};
use super::replay::{failed, read, viewer};
use super::runner;
use super::session::Failed;
use crate::engine::{Engine, Limits, component_digest};
use crate::evidence::claims::Claims;
use crate::evidence::diff::diff;
use crate::evidence::minimize::{MinimizeError, minimize};
use crate::evidence::replay::replay;
use crate::output::text::count;
use crate::output::{self, Diagnostic};

/// Exit status of two runs that differ.
const DIFFERS: u8 = 1;

/// Does what is asked, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, action: &EvidenceAction) -> Result<u8, Failed> {
    match action {
        EvidenceAction::Show { evidence: file, json, own } => {
            let (_, evidence) = read(file)?;
            let claims = Claims::of(&evidence, &viewer(own, &evidence)?);
            let engine = Engine::new(Limits::default()).map_err(Failed::unchecked)?;
            replay(&engine, &evidence, &component_digest()).map_err(|error| failed(file, error))?;
            let text = match json {
                true => serde_json::to_string_pretty(&claims).map_err(Failed::unchecked)? + "\n",
                false => claims.text(),
            };
            output::to_stdout(terminal, &text).map_err(Failed::unchecked)?;
            Ok(0)
        }
        EvidenceAction::Diff { one, other } => {
            let text = diff(&read(one)?.1, &read(other)?.1).context("a report in it").map_err(Failed::unchecked)?;
            output::to_stdout(terminal, &text).map_err(Failed::unchecked)?;
            Ok(if text.is_empty() { 0 } else { DIFFERS })
        }
        EvidenceAction::Minimize { evidence: file, output, rules } => {
            runner::admit([output.as_path()])?;
            let (bytes, evidence) = read(file)?;
            let engine = Engine::new(Limits::default()).map_err(Failed::unchecked)?;
            let smaller = minimize(&engine, &evidence, &component_digest(), rules).map_err(|error| match error {
                MinimizeError::Replay(error) => failed(file, error),
                other => Failed::usage(anyhow::Error::from(other).context(file.display().to_string())),
            })?;
            let written = smaller.to_bytes().map_err(Failed::unchecked)?;
            output::write_file(output, &written)
                .with_context(|| output.display().to_string())
                .map_err(Failed::unchecked)?;
            if !terminal.quiet {
                let (from, to) = (count(bytes.len() as u64, "byte"), count(written.len() as u64, "byte"));
                Diagnostic::Note.print(terminal, &format!("wrote {}: {to} of {from}", output.display()));
            }
            Ok(0)
        }
    }
}
