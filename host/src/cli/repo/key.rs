//! `modanchor repo key new|import|show`.

use std::path::Path;

use modanchor_core::tuf::metadata::Key;
use serde_json::Value;

use super::args::{KeyCommand, ShowFormat};
use super::{Session, failed};
use crate::cli::session::Failed;
use crate::output;
use crate::output::text::escape;
use crate::publish::keys::{self, KeyName, NAME_FIELD, SecretKey};
use crate::publish::roles::name_of;
use crate::publish::source::{self, AskPassphrase, read_text};

/// What the file with the public half is called besides.
const PUBLIC: &str = ".pub";

pub(super) fn run(session: &Session<'_>, command: &KeyCommand) -> Result<u8, Failed> {
    match command {
        KeyCommand::New { file, kind, name, no_passphrase } => {
            let key = SecretKey::generate((*kind).into()).map_err(failed)?;
            save(session, key, file, name.as_deref(), *no_passphrase)
        }
        KeyCommand::Import { from, file, name, no_passphrase } => {
            let pem = text_of(from)?;
            let key = SecretKey::from_pem(from, &pem, &mut session.ask(false)).map_err(failed)?;
            save(session, key, file, name.as_deref(), *no_passphrase)
        }
        KeyCommand::Show { key, format } => {
            let (key, _) = public_half(key, &mut session.ask(false))?;
            let text = match format {
                ShowFormat::Json => {
                    let mut text = serde_json::to_string_pretty(&key).map_err(Failed::unchecked)?;
                    text.push('\n');
                    text
                }
                ShowFormat::Human => shown(&key),
            };
            output::to_stdout(session.terminal, &text).map_err(Failed::unchecked)?;
            Ok(0)
        }
    }
}

fn shown(key: &Key) -> String {
    let public = escape(key.keyval.public.trim_end()).replace("\\n", "\n");
    format!("{}\n{} {}\n{public}\n", escape(&name_of(&key.id(), key)), escape(&key.scheme), key.id())
}

fn text_of(uri: &str) -> Result<zeroize::Zeroizing<String>, Failed> {
    match uri.strip_prefix("env:") {
        Some(name) => match std::env::var(name) {
            Ok(text) => Ok(zeroize::Zeroizing::new(text)),
            Err(_) => Err(failed(keys::KeyError::Variable(name.to_owned()))),
        },
        None => read_text(Path::new(uri.strip_prefix("file:").unwrap_or(uri))).map_err(failed),
    }
}

fn save(
    session: &Session<'_>,
    key: SecretKey,
    file: &Path,
    name: Option<&str>,
    no_passphrase: bool,
) -> Result<u8, Failed> {
    let name = match name {
        Some(name) => name.parse::<KeyName>().map_err(failed)?,
        None => name_of_file(file),
    };
    let key = key.named(&name);
    // Before a passphrase is asked for.
    let public = file.with_added_extension(PUBLIC.trim_start_matches('.'));
    for file in [file, public.as_path()] {
        if file.exists() {
            return Err(failed(keys::KeyError::Exists(file.to_owned())));
        }
    }
    let passphrase = match no_passphrase {
        true => None,
        false => Some(session.ask(true)(&file.display().to_string()).map_err(failed)?),
    };
    if passphrase.as_ref().is_some_and(|passphrase| passphrase.is_empty()) {
        return Err(Failed::usage(anyhow::anyhow!("the passphrase is empty; --no-passphrase leaves a key open")));
    }
    let pem = key.to_pem(passphrase.as_ref()).map_err(failed)?;
    keys::write_secret(file, &pem).map_err(failed)?;
    let mut json = serde_json::to_vec_pretty(key.public()).map_err(Failed::unchecked)?;
    json.push(b'\n');
    keys::write_public(&public, &json).map_err(failed)?;
    let (file, public) = (file.display().to_string(), public.display().to_string());
    session.say(&format!(
        "{}: {} {}; the public half is in {}\n",
        escape(&file),
        key.public().scheme,
        key.public().id(),
        escape(&public)
    ))?;
    Ok(0)
}

/// A name made of a file's.
fn name_of_file(file: &Path) -> KeyName {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let name: String = stem.chars().map(|c| if fits(c) { c } else { '-' }).take(keys::MAX_NAME).collect();
    name.parse().unwrap_or_else(|_| "key".parse().expect("a name"))
}

/// The public half of what was named, and whether that was a secret key. A public key beside it spares the passphrase, and
/// has the name.
pub(super) fn public_half(uri: &str, ask: AskPassphrase<'_>) -> Result<(Key, bool), Failed> {
    let path = uri.strip_prefix("file:").unwrap_or(uri);
    let is_file = !uri.starts_with("env:");
    if is_file && let Ok(text) = read_text(Path::new(path)) {
        if !text.contains("PRIVATE KEY-----") {
            let mut key = keys::read_public(uri, &text).map_err(failed)?;
            if !key.extra.contains_key(NAME_FIELD) {
                let name = name_of_file(Path::new(path));
                key.extra.insert(NAME_FIELD.to_owned(), Value::String(name.to_string()));
            }
            return Ok((key, false));
        }
        let beside = Path::new(path).with_added_extension(PUBLIC.trim_start_matches('.'));
        if let Ok(text) = read_text(&beside)
            && let Ok(key) = keys::read_public(uri, &text)
        {
            // If it is not the other half, its first signature will say so: the keyring compares.
            return Ok((key, true));
        }
    }
    let signer = source::of(uri, Path::new("")).map_err(failed)?.signer(ask).map_err(failed)?;
    let mut key = signer.public().clone();
    let name = name_of_file(Path::new(path.strip_prefix("env:").unwrap_or(path)));
    key.extra.insert(NAME_FIELD.to_owned(), Value::String(name.to_string()));
    Ok((key, true))
}
