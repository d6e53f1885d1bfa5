//! Whose signatures of modules count, and where they are: from flags, configuration and environment.
//!
//! # Security
//! Who is believed is decided here, and nowhere else in the host: the roots that ship with the program, or one that
//! the user names in their place. On a pull request that one is read as the base has it ([`trusted::root`]). Nothing
//! is looked for unless somebody asks for it, so that a run without a policy makes no request that it did not make
//! before.

use std::path::{Path, PathBuf};

use super::args::SignatureArgs;
use super::config::{AttestationPlace, Config, RootFile, SigstoreConfig, twice};
use super::paths::told;
use super::runner::{self, Runner};
use super::session::Failed;
use super::trusted;
use crate::ci::event::BaseUrl;
use crate::contract::{self, Instant, Repository, SigstoreSettings, TrustedRoot};
use crate::fetch::{AttestationSources, DEFAULT_GITHUB_API, DEFAULT_GITHUB_HOST, GitHubApi, TargetsAt, TufSource};

/// The names of the TUF repositories that the roots are kept in. No repository of a configuration may be called so.
pub const REPOSITORIES: [&str; 2] = ["sigstore", "sigstore-github"];

/// Which day's the roots are that ship with the program (host/assets/sigstore/README.md).
const ROOTS_OF: &str = "2026-10-23";

/// A root that ships with the program.
struct Shipped {
    name: &'static str,
    repository: &'static str,
    url: &'static str,
    /// Root metadata of its repository.
    tuf: &'static [u8],
    content: &'static [u8],
    /// When that metadata expires, in seconds since 1970: no more is known of the age of `content`.
    expires: u64,
}

const SHIPPED: [Shipped; 2] = [
    Shipped {
        name: "sigstore",
        repository: REPOSITORIES[0],
        url: "https://tuf-repo-cdn.sigstore.dev",
        tuf: include_bytes!("../../assets/sigstore/root.json"),
        content: include_bytes!("../../assets/sigstore/trusted_root.json"),
        expires: 1_808_422_051,
    },
    Shipped {
        name: "github",
        repository: REPOSITORIES[1],
        url: "https://tuf-repo.github.com",
        tuf: include_bytes!("../../assets/sigstore/github/root.json"),
        content: include_bytes!("../../assets/sigstore/github/trusted_root.json"),
        expires: 1_801_167_533,
    },
];

/// Who is believed: for the core, and for the fetcher.
pub struct Roots {
    /// In the order in which they are tried.
    pub roots: Vec<TrustedRoot>,
    /// The TUF repositories that they are kept in.
    pub sources: Vec<TufSource>,
}

/// Sigstore's roots and GitHub's, refreshed by TUF unless the run is `offline`; or `own` alone.
pub fn roots(own: Option<RootFile>, offline: bool) -> Roots {
    if let Some(own) = own {
        let root = TrustedRoot {
            name: "trusted-root".to_owned(),
            repository: None,
            target: TARGET.to_owned(),
            content: own.content,
            expires: None,
            set_by: own.set_by,
        };
        return Roots { roots: vec![root], sources: Vec::new() };
    }
    let set_by = concat!("modanchor ", env!("CARGO_PKG_VERSION"));
    let root = |shipped: &Shipped| TrustedRoot {
        name: shipped.name.to_owned(),
        repository: (!offline).then(|| Repository {
            name: shipped.repository.to_owned(),
            trusted_root: shipped.tuf.to_vec(),
            set_by: set_by.to_owned(),
            modules: String::new(),
            role: None,
        }),
        target: TARGET.to_owned(),
        content: shipped.content.to_vec(),
        expires: Some(Instant { seconds: shipped.expires, nanoseconds: 0 }),
        set_by: format!("{set_by}, of {ROOTS_OF}"),
    };
    let source = |shipped: &Shipped| TufSource {
        name: shipped.repository.to_owned(),
        metadata: shipped.url.to_owned(),
        targets: TargetsAt::Below,
        set_by: set_by.to_owned(),
    };
    Roots {
        roots: SHIPPED.iter().map(root).collect(),
        sources: if offline { Vec::new() } else { SHIPPED.iter().map(source).collect() },
    }
}

/// The path of the target.
const TARGET: &str = "trusted_root.json";

/// The trusted root that a flag names. In GitHub Actions one of the repository is that of the commit whose word counts.
///
/// # Errors
/// Status 2: it cannot be read.
pub fn named_root(file: Option<&Path>, paths: &[PathBuf]) -> Result<Option<RootFile>, Failed> {
    let Some(file) = file else { return Ok(None) };
    let runner = Runner::of_process(paths, "--trusted-root")?;
    let content =
        trusted::root(file, runner.as_ref()).map_err(|why| Failed::usage(anyhow::anyhow!("--trusted-root: {why}")))?;
    Ok(Some(RootFile { path: file.to_owned(), content, set_by: format!("--trusted-root {}", told(file)) }))
}

/// The policy that flags name, in place of the configuration's; read as [`named_root`] is.
///
/// # Errors
/// Status 2: a file that cannot be read or is wrong, or a baseline without a policy.
pub fn policy(config: &mut Config, args: &SignatureArgs, paths: &[PathBuf]) -> Result<(), Failed> {
    let (policy, baseline) = (args.policy.as_deref(), args.baseline.as_deref());
    if policy.is_none() && baseline.is_none() {
        return Ok(());
    }
    let runner = Runner::of_process(paths, "--policy")?;
    trusted::policy(config, policy, baseline, runner.as_ref())
}

/// What a run is told of signatures.
pub struct CheckSignatures<'a> {
    /// The flags.
    pub args: &'a SignatureArgs,
    /// What `--trusted-root` names, read.
    pub root: Option<RootFile>,
    /// Whether something besides flags and configuration asks for signatures: a policy.
    pub needed: bool,
}

/// What comes of it.
pub(super) struct Signatures {
    pub(super) settings: SigstoreSettings,
    pub(super) sources: Vec<TufSource>,
    pub(super) attestations: AttestationSources,
}

impl Signatures {
    /// Those of a run that looks for none.
    pub(super) fn none() -> Self {
        Self { settings: SigstoreSettings::none(), sources: Vec::new(), attestations: AttestationSources::default() }
    }
}

/// Flags win over the configuration. `private`: GOPRIVATE.
///
/// # Errors
/// Status 2: a place is named twice, or the environment's words on GitHub make no sense.
pub(super) fn of(
    check: &CheckSignatures<'_>,
    config: &SigstoreConfig,
    private: String,
    offline: bool,
) -> Result<Signatures, Failed> {
    let args = check.args;
    let places = match (args.attestations.as_slice(), &config.attestations) {
        ([], None) if check.needed => {
            vec![AttestationPlace::ModuleCache, AttestationPlace::Proxy, AttestationPlace::GitHub]
        }
        ([], None) => Vec::new(),
        ([], Some(places)) => places.clone(),
        (places, _) => places.to_vec(),
    };
    if places.is_empty() && !check.needed {
        return Ok(Signatures::none());
    }
    let mut attestations = AttestationSources::default();
    let mut all = Vec::new();
    for (index, place) in places.iter().enumerate() {
        if let Some(kind) = twice(&places[..index], place) {
            return Err(Failed::usage(anyhow::anyhow!("--attestations: `{kind}` is there twice")));
        }
        all.push(match place {
            AttestationPlace::ModuleCache => contract::AttestationPlace::ModuleCache,
            AttestationPlace::Proxy => contract::AttestationPlace::Proxy,
            AttestationPlace::Folder(folder) => {
                attestations.folder = Some(std::path::absolute(folder).map_err(Failed::usage)?);
                contract::AttestationPlace::Folder
            }
            AttestationPlace::Template(template) => {
                attestations.template = Some(template.clone());
                contract::AttestationPlace::Template
            }
            AttestationPlace::GitHub => {
                attestations.github = Some(github()?);
                contract::AttestationPlace::Github
            }
        });
    }
    let own = check.root.clone().or_else(|| config.trusted_root.clone());
    let Roots { roots, sources } = roots(own, offline);
    let rekor = !args.no_rekor && !offline && config.rekor.unwrap_or(true);
    Ok(Signatures { settings: SigstoreSettings { roots, places: all, private, rekor }, sources, attestations })
}

/// GitHub's API, as a runner's environment has it.
fn github() -> Result<GitHubApi, Failed> {
    let url = |name: &str, default: &str| {
        let value = runner::variable(name).filter(|value| !value.is_empty()).unwrap_or_else(|| default.into());
        value.to_str().and_then(BaseUrl::parse).ok_or_else(|| {
            Failed::usage(anyhow::anyhow!(
                "{name}: expected an https URL without user name, query and fragment (http only to this machine)"
            ))
        })
    };
    let server = url("GITHUB_SERVER_URL", &format!("https://{DEFAULT_GITHUB_HOST}"))?;
    Ok(GitHubApi {
        api_url: url("GITHUB_API_URL", DEFAULT_GITHUB_API)?,
        host: server.as_url().host_str().unwrap_or(DEFAULT_GITHUB_HOST).to_owned(),
        token: runner::token()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(attestations: &[&str], no_rekor: bool) -> SignatureArgs {
        let attestations = attestations.iter().map(|text| text.parse().unwrap()).collect();
        SignatureArgs { attestations, no_rekor, ..SignatureArgs::default() }
    }

    fn settings(args: &SignatureArgs, config: &SigstoreConfig, needed: bool, offline: bool) -> SigstoreSettings {
        let check = CheckSignatures { args, root: None, needed };
        let signatures = of(&check, config, "corp.example".to_owned(), offline).map_err(|failed| failed.error).unwrap();
        assert_eq!(
            signatures.sources.len(),
            signatures.settings.roots.iter().filter(|r| r.repository.is_some()).count()
        );
        signatures.settings
    }

    #[test]
    fn what_ships_says_what_it_is() {
        let readme = include_str!("../../assets/sigstore/README.md");
        assert!(readme.contains(&format!("as of {ROOTS_OF}")));
        for shipped in &SHIPPED {
            let root: serde_json::Value = serde_json::from_slice(shipped.tuf).unwrap();
            let expires: jiff::Timestamp = root["signed"]["expires"].as_str().unwrap().parse().unwrap();
            assert_eq!(expires.as_second().unsigned_abs(), shipped.expires, "{}", shipped.name);
        }
    }

    #[test]
    fn nothing_is_looked_for_unless_asked() {
        let config = SigstoreConfig::default();
        assert_eq!(settings(&args(&[], false), &config, false, false), SigstoreSettings::none());
        let empty = SigstoreConfig { attestations: Some(Vec::new()), ..SigstoreConfig::default() };
        assert_eq!(settings(&args(&[], false), &empty, false, false), SigstoreSettings::none());
        // A policy needs roots all the same.
        let nowhere = settings(&args(&[], false), &empty, true, false);
        assert_eq!((nowhere.roots.len(), nowhere.places.len()), (2, 0));
    }

    #[test]
    fn flags_win_over_the_configuration() {
        use contract::AttestationPlace::{Github, ModuleCache, Proxy, Template};
        let config = SigstoreConfig {
            attestations: Some(vec!["proxy".parse().unwrap()]),
            rekor: Some(true),
            ..SigstoreConfig::default()
        };
        let of_file = settings(&args(&[], false), &config, false, false);
        assert_eq!((of_file.places.as_slice(), of_file.rekor), (&[Proxy][..], true));
        assert_eq!(of_file.private, "corp.example");
        let flags = args(&["template:https://attest.example/{sha256}", "module-cache"], true);
        let of_flags = settings(&flags, &config, false, false);
        assert_eq!((of_flags.places.as_slice(), of_flags.rekor), (&[Template, ModuleCache][..], false));
        let default = settings(&args(&[], false), &SigstoreConfig::default(), true, false);
        assert_eq!(default.places, [ModuleCache, Proxy, Github]);
        let check = CheckSignatures { args: &args(&["proxy", "proxy"], false), root: None, needed: false };
        assert_eq!(of(&check, &config, String::new(), false).err().map(|failed| failed.status), Some(2));
    }

    #[test]
    fn offline_has_what_ships_and_no_repository() {
        let offline = settings(&args(&["proxy"], false), &SigstoreConfig::default(), false, true);
        assert!(offline.roots.iter().all(|root| root.repository.is_none() && root.expires.is_some()));
        assert!(!offline.rekor);
        let online = settings(&args(&["proxy"], false), &SigstoreConfig::default(), false, false);
        let names: Vec<_> =
            online.roots.iter().filter_map(|root| Some(root.repository.as_ref()?.name.as_str())).collect();
        assert_eq!(names, REPOSITORIES);
    }

    #[test]
    fn a_root_of_the_users_stands_alone() {
        for content in [r#"{"tlogs":[{}]}"#, "no JSON"] {
            let own =
                RootFile { path: "r.json".into(), content: content.into(), set_by: "--trusted-root r.json".into() };
            let Roots { roots, sources } = roots(Some(own), false);
            assert_eq!((roots.len(), sources.len()), (1, 0), "{content}");
            assert_eq!((roots[0].content.as_slice(), &roots[0].repository), (content.as_bytes(), &None));
            assert_eq!(roots[0].set_by, "--trusted-root r.json");
        }
    }
}
