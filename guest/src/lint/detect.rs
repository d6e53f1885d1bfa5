//! Which file is read in which syntax: a pure function of its path, and for scripts of their first line.

use super::Syntax;

/// What a path says of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// It is read.
    As(Syntax),
    /// It may be a script: its first line decides ([`by_first_line`]).
    ByFirstLine,
    /// It is not read.
    No,
}

/// The most bytes of a first line that are looked at. Linux reads 256.
pub const MAX_FIRST_LINE: usize = 256;

/// How the file of this path, relative with `/`, is read. Names know no case.
pub fn detect(path: &str) -> Detected {
    let path = path.to_ascii_lowercase();
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
    let in_folder = |wanted: &str| folder == wanted || folder.ends_with(&format!("/{wanted}"));
    let below = |wanted: &str| path.starts_with(&format!("{wanted}/")) || path.contains(&format!("/{wanted}/"));
    let is = |names: &[&str]| names.contains(&name);
    let stem = name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"));
    let (head, extension) = name.rsplit_once('.').unwrap_or((name, ""));

    let docker = ["dockerfile", "containerfile"];
    if is(&docker) || docker.contains(&extension) || docker.iter().any(|d| name.starts_with(&format!("{d}."))) {
        return Detected::As(Syntax::Dockerfile);
    }
    if is(&["makefile", "gnumakefile", "bsdmakefile"]) || extension == "mk" || name.starts_with("makefile.") {
        return Detected::As(Syntax::Makefile);
    }
    if is(&["devcontainer.json", ".devcontainer.json"]) {
        return Detected::As(Syntax::Devcontainer);
    }
    if name == "go.env" {
        return Detected::As(Syntax::GoEnv);
    }
    if name == ".env" || name.starts_with(".env.") || (extension == "env" && !head.is_empty()) {
        return Detected::As(Syntax::EnvFile);
    }
    if is(&[".envrc", ".bashrc", ".bash_profile", ".profile", ".zshrc", ".zshenv"])
        || matches!(extension, "sh" | "bash" | "zsh" | "ksh" | "fish" | "csh" | "ps1")
    {
        return Detected::As(Syntax::Shell);
    }
    if let Some(stem) = stem {
        if in_folder(".github/workflows") || stem == "action" {
            return Detected::As(Syntax::Workflow);
        }
        if stem == ".gitlab-ci" || stem.ends_with(".gitlab-ci") || below(".gitlab") || below(".gitlab-ci") {
            return Detected::As(Syntax::GitlabCi);
        }
        if stem == "compose" || stem.starts_with("compose.") || stem.starts_with("docker-compose") {
            return Detected::As(Syntax::Compose);
        }
        // The rest have the environment somewhere, and scripts under names that they share.
        return Detected::As(Syntax::Yaml);
    }
    if extension.is_empty() && !name.starts_with('.') { Detected::ByFirstLine } else { Detected::No }
}

/// Whether a file that begins so is a script, and in which syntax.
pub fn by_first_line(head: &[u8]) -> Option<Syntax> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(&line[..line.len().min(MAX_FIRST_LINE)]).into_owned();
    let mut words = line.split_ascii_whitespace().map(|word| word.rsplit('/').next().unwrap_or(word));
    let interpreter = words.find(|word| *word != "env" && !word.starts_with('-') && !word.contains('='))?;
    match interpreter {
        "sh" | "bash" | "dash" | "ash" | "ksh" | "zsh" | "fish" | "csh" | "tcsh" | "pwsh" => Some(Syntax::Shell),
        "make" | "gmake" => Some(Syntax::Makefile),
        _ => None,
    }
}

/// The `kind` of a file in the report.
pub fn kind(syntax: Syntax) -> &'static str {
    match syntax {
        Syntax::GoEnv => "go.env",
        Syntax::EnvFile => "env",
        Syntax::Shell => "shell",
        Syntax::Dockerfile => "dockerfile",
        Syntax::Makefile => "makefile",
        Syntax::Workflow => "workflow",
        Syntax::GitlabCi => "gitlab-ci",
        Syntax::Compose => "compose",
        Syntax::Yaml => "yaml",
        Syntax::Devcontainer => "devcontainer",
    }
}

/// Whether a `kind` of the report is one of [`kind`]'s.
pub fn is_kind(name: &str) -> bool {
    use Syntax::{Compose, Devcontainer, Dockerfile, EnvFile, GitlabCi, GoEnv, Makefile, Shell, Workflow, Yaml};
    [GoEnv, EnvFile, Shell, Dockerfile, Makefile, Workflow, GitlabCi, Compose, Yaml, Devcontainer]
        .into_iter()
        .any(|syntax| kind(syntax) == name)
}
