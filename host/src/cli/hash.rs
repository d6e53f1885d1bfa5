//! `modanchor hash zip|dir|mod`.

use std::io;
use std::path::Path;

use modanchor_core::dirhash::dir::check_files;
use modanchor_core::gosum::gomod::GoMod;
use modanchor_core::module::ModuleVersion;

use super::args::{HashArgs, HashWhat, TerminalArgs};
use super::session::Failed;
use crate::contract::{HashRefusal, Oddities};
use crate::engine::hashing::{self, Found};
use crate::files::Regular;
use crate::output::text::escape;
use crate::output::{self, Diagnostic};

/// Exit status of what no module may be.
const REFUSED: u8 = 1;

/// How many problems of a folder are told.
const MAX_TOLD: usize = 20;

/// Hashes, prints the h1, and gives the exit status.
///
/// # Errors
///
/// See [`Failed`].
pub fn run(terminal: &TerminalArgs, args: &HashArgs) -> Result<u8, Failed> {
    let engine = args.hash_engine.load().map_err(Failed::unchecked)?;
    let found = match &args.what {
        HashWhat::Zip { file, module, no_check } => {
            let module = module.as_deref().map(parse).transpose()?;
            hashing::zip(file, module.as_ref().filter(|_| !no_check), false, &engine).map_err(Failed::unchecked)?
        }
        HashWhat::Dir { dir, module, no_check } => {
            let module = parse(module)?;
            let mut files = Vec::new();
            let seen = |name: &str, size| files.push((name.to_owned(), size));
            let (found, oddities) = hashing::dir(dir, &module, false, &engine, seen).map_err(Failed::unchecked)?;
            let problems = if *no_check { Vec::new() } else { problems(dir, &files, &oddities) };
            if problems.is_empty() { found } else { Err(refusal(&problems)) }
        }
        HashWhat::Mod { file } => hashing::go_mod(file, &engine).map_err(Failed::unchecked)?,
    };
    print(terminal, found)
}

fn print(terminal: &TerminalArgs, found: Found) -> Result<u8, Failed> {
    match found {
        Ok(measured) => {
            let line = format!("{}\n", measured.h1);
            output::to_stream(io::stdout(), false, line.as_bytes()).map_err(Failed::unchecked)?;
            Ok(0)
        }
        Err(refusal) => {
            Diagnostic::Error.print(terminal, &format!("refused ({}): {}", refusal.code, refusal.text));
            Ok(REFUSED)
        }
    }
}

fn parse(module: &str) -> Result<ModuleVersion, Failed> {
    module.parse().map_err(Failed::usage)
}

fn refusal(problems: &[String]) -> HashRefusal {
    let more = problems.len().saturating_sub(MAX_TOLD);
    let mut text = problems[..problems.len() - more].join("; ");
    if more > 0 {
        text += &format!("; and {more} more");
    }
    HashRefusal { code: "bad-folder".to_owned(), text }
}

/// What Go's rules have against the files of a folder, given by name and size: no zip of a module would have them.
fn problems(dir: &Path, files: &[(String, u64)], oddities: &Oddities) -> Vec<String> {
    let go_mod = Regular::open(&dir.join("go.mod")).and_then(|file| file.read(hashing::MAX_GO_MOD)).ok();
    let go = go_mod.and_then(|content| GoMod::parse(&content).ok()).and_then(|go_mod| go_mod.go);
    let listed: Vec<(&[u8], u64)> = files.iter().map(|(name, size)| (name.as_bytes(), *size)).collect();
    let found = check_files(&listed, go.as_deref());
    let found = found.iter().map(|problem| format!("{}: {}", escape(&files[problem.index].0), problem.cause));
    let odd = oddities.links.iter().chain(&oddities.irregular);
    found.chain(odd.map(|name| format!("{}: not a regular file", escape(name)))).collect()
}
