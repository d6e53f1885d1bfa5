//! What is linted: settings in force, and files that may hold some.
//!
//! Plain types of Rust: `lint` is no task of the component, so its input is no part of the contract.

/// Where one of Go's settings was set, outside of the checkout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingPlace {
    /// The OS environment.
    Environment,
    /// The user's file, `$GOENV`, which `go env -w` writes.
    UserFile,
    /// `$GOROOT/go.env`.
    GorootFile,
}

/// One setting of the go command, or what somebody takes for one, as it is in force for whoever runs this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// `GOSUMDB`
    pub name: String,
    /// As it is set.
    pub value: String,
    /// Who set it.
    pub place: SettingPlace,
}

/// How a file that may hold settings is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `go.env`: NAME=VALUE lines, taken as they are.
    GoEnv,
    /// `.env`: NAME=VALUE lines with quotes and comments.
    EnvFile,
    /// A shell script.
    Shell,
    /// A Dockerfile.
    Dockerfile,
    /// A Makefile.
    Makefile,
    /// A GitHub workflow, or an action's action.yml.
    Workflow,
    /// A GitLab CI file.
    GitlabCi,
    /// A Compose file.
    Compose,
    /// Another YAML file of a CI or a build: CircleCI, Azure Pipelines, GoReleaser, Taskfile, …
    Yaml,
    /// devcontainer.json: JSON with comments.
    Devcontainer,
}

/// A file that may hold settings, as it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFile {
    /// Relative to the folder that is judged, with `/`.
    pub path: String,
    /// How it is read: [`detect`](super::detect) and [`by_first_line`](super::by_first_line) say so.
    pub syntax: Syntax,
    /// Every byte of it, at most [`MAX_FILE`](super::MAX_FILE).
    pub content: Vec<u8>,
}
