//! `modanchor man`.

use std::{io, path::Path};

use anyhow::Context as _;
use clap::CommandFactory;

use super::args::{Cli, ManArgs};
use crate::output::{to_stream, write_file};

/// Prints the page to stdout, or writes all of them into a folder.
///
/// # Errors
///
/// Those of stdout or of the file system.
pub fn run(args: &ManArgs) -> anyhow::Result<()> {
    match &args.dir {
        Some(dir) => write(dir).with_context(|| dir.display().to_string()),
        None => Ok(to_stream(io::stdout(), false, &render()?)?),
    }
}

/// The manual page of the program, as roff, for stdout.
///
/// # Errors
///
/// None in practice: it writes to memory.
pub fn render() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(page)
}

/// Writes `modanchor.1` and one `modanchor-COMMAND.1` per command into a folder that exists.
///
/// # Errors
///
/// Those of the file system.
pub fn write(dir: &Path) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
    for command in std::iter::once(Cli::command()).chain(subcommands) {
        let title = command.get_display_name().unwrap_or("modanchor").to_owned();
        let man = clap_mangen::Man::new(command).title(title);
        let mut page = Vec::new();
        man.render(&mut page)?;
        write_file(&dir.join(man.get_filename()), &page)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn pages() {
        let page = String::from_utf8(render().unwrap()).unwrap();
        assert!(page.contains(".TH modanchor 1"), "{page}");
        assert!(page.contains("modanchor\\-verify(1)"), "{page}");
        let dir = tempfile::tempdir().unwrap();
        write(dir.path()).unwrap();
        let mut names: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        assert_eq!(
            names,
            [
                "modanchor-action.1",
                "modanchor-completions.1",
                "modanchor-evidence.1",
                "modanchor-explain.1",
                "modanchor-fix.1",
                "modanchor-hash.1",
                "modanchor-init.1",
                "modanchor-lint.1",
                "modanchor-lookup.1",
                "modanchor-man.1",
                "modanchor-policy.1",
                "modanchor-replay.1",
                "modanchor-repo.1",
                "modanchor-sigstore.1",
                "modanchor-statement.1",
                "modanchor-tuf.1",
                "modanchor-verify.1",
                "modanchor.1"
            ]
        );
        assert_eq!(fs::read_to_string(dir.path().join("modanchor.1")).unwrap(), page);
        let verify = fs::read_to_string(dir.path().join("modanchor-verify.1")).unwrap();
        assert!(verify.contains("allow\\-incomplete") && verify.contains(".TH modanchor-verify 1"), "{verify}");
        assert!(write(&dir.path().join("absent")).is_err());
    }
}
