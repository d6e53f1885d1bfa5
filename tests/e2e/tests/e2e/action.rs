//! action.yml and its scripts, on the simulated runner: how the program is installed, what it is given, and what becomes
//! of its status. In place of modanchor stands a script that notes what it sees and says what a test tells it to say:
//! what the real program does in the same place is for other tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use e2e::runner::{
    Answer, Cache, DEFAULT_BRANCH, Ended, Event, FORK_TOKEN, From, Job, Machine, Origin, RELEASE, TARGET, TOKEN, asset,
    sha256,
};
use e2e::{has_git, root, write};
use serde_json::Value;

/// It keeps its environment, and says what `STAND_IN_…` tell it to say.
const STAND_IN: &str = r#"#!/bin/bash -p
set -eu
[ "$*" = action ]
cd "$RUNNER_TEMP"
env -0 >seen.env
find "$MODANCHOR_CACHE" -type f -exec cat {} + >seen.state
printf '# Summary\n' >>"$GITHUB_STEP_SUMMARY"
for name in status verdict state; do
  value=STAND_IN_$name
  [ -z "${!value:-}" ] || printf '%s=%s\n' "$name" "${!value}" >>"$GITHUB_OUTPUT"
done
for name in findings-count modules-checked sarif-file report-json tree-size; do
  printf '%s=the %s\n' "$name" "$name" >>"$GITHUB_OUTPUT"
done
printf 'what run %s verified\n' "${STAND_IN_state:-}" >"$MODANCHOR_CACHE/proofs"
printf 'it ran\n'
exit "${STAND_IN_exit:-0}"
"#;

/// A runner, and a repository with a go.sum.
struct Here {
    machine: Machine,
    origin: Origin,
}

impl Here {
    /// None where there is no git.
    fn new() -> Option<Self> {
        if !has_git() {
            return None;
        }
        let mut here =
            Self { machine: Machine::new(), origin: Origin::new(&[("go.sum", ""), ("go.mod", "module m\n")]) };
        here.says(&[("status", "0"), ("verdict", "pass")]);
        Some(here)
    }

    /// With the stand-in as the default release, in the tool cache.
    fn installed() -> Option<Self> {
        let here = Self::new()?;
        here.machine.installed(STAND_IN.as_bytes());
        Some(here)
    }

    /// What the stand-in says.
    fn says(&mut self, outputs: &[(&str, &str)]) {
        self.machine.env.retain(|name, _| !name.starts_with("STAND_IN_"));
        self.machine.env.extend(outputs.iter().map(|(name, text)| (format!("STAND_IN_{name}"), (*text).to_owned())));
    }

    fn on(&mut self, event: &Event, inputs: &[(&str, &str)]) -> Job {
        self.machine.action(&self.origin, event, inputs)
    }

    fn push(&mut self, inputs: &[(&str, &str)]) -> Job {
        let event = self.origin.push();
        self.on(&event, inputs)
    }

    /// It was not installed, nothing ran, the outputs say so, and the message has this in it.
    #[track_caller]
    fn refused(&mut self, inputs: &[(&str, &str)], status: i32, message: &str) {
        let job = self.push(inputs).ended(Ended::Failure);
        let log = job.log();
        assert!(!log.contains("it ran"), "{inputs:?}: {log}");
        assert_eq!(job.step("install").status, Some(status), "{inputs:?}: {log}");
        assert_eq!(job.step("verify").outcome, Ended::Skipped, "{log}");
        assert_eq!((job.output("status"), job.output("verdict")), (&*status.to_string(), "incomplete"), "{log}");
        assert!(job.step("end").log.is_empty(), "one message is enough: {log}");
        let errors: Vec<_> = job.commands().into_iter().filter(|c| c.name == "error").collect();
        assert_eq!(errors.len(), 1, "{log}");
        assert!(errors[0].message.contains(message), "{inputs:?}: expected `{message}` in:\n{log}");
        assert!(!self.machine.temp().join("seen.env").exists());
    }

    /// It was installed and ran.
    #[track_caller]
    fn ran(&mut self, inputs: &[(&str, &str)]) -> Job {
        let job = self.push(inputs).ended(Ended::Success);
        assert_eq!(job.step("verify").log, "it ran\n");
        job
    }

    /// The environment that the stand-in saw.
    fn seen(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.machine.temp().join("seen.env")).expect("it ran");
        let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn seen_state(&self) -> String {
        fs::read_to_string(self.machine.temp().join("seen.state")).expect("it ran")
    }
}

fn action() -> Value {
    serde_saphyr::from_str(&fs::read_to_string(root().join("action.yml")).expect("it is committed")).expect("YAML")
}

/// Every file of a name, below a folder.
fn named(dir: &Path, name: &str) -> Vec<PathBuf> {
    e2e::files(dir).into_iter().map(|(path, _)| path).filter(|path| path.ends_with(name)).collect()
}

#[test]
fn a_release_is_downloaded_once_checked_and_kept() {
    let Some(mut here) = Here::new() else { return };
    let mirror = here.machine.served(STAND_IN.as_bytes());
    for mirror in [mirror.clone(), format!("{mirror}/"), mirror] {
        let job = here.ran(&[("mirror-url", &mirror)]);
        assert_eq!(job.output("version"), RELEASE);
    }
    assert_eq!(here.machine.github.requests().len(), 1, "then it is in the tool cache");
    assert!(here.machine.tool(&sha256(STAND_IN.as_bytes())).is_file());

    // By a redirect, as releases are served, and without a tool cache.
    let mut here = Here::new().expect("git is there");
    here.machine.env.insert("RUNNER_TOOL_CACHE".into(), String::new());
    let mirror = here.machine.served(STAND_IN.as_bytes());
    here.machine.github.answer("/elsewhere", Answer::Bytes(STAND_IN.into()));
    let elsewhere = format!("{}/elsewhere", here.machine.github.url());
    here.machine.github.answer(&asset(RELEASE), Answer::Redirect(elsewhere));
    here.ran(&[("mirror-url", &mirror)]);
}

#[test]
fn a_tool_cache_is_not_believed() {
    let Some(mut here) = Here::new() else { return };
    let mirror = here.machine.served(STAND_IN.as_bytes());
    let tool = here.machine.tool(&sha256(STAND_IN.as_bytes()));
    for wrong in ["#!/bin/sh\ntouch \"$RUNNER_TEMP/pwned\"\n", "", &STAND_IN[1..]] {
        write(&tool, wrong);
        let job = here.ran(&[("mirror-url", &mirror)]);
        assert!(named(&here.machine.temp(), "pwned").is_empty());
        assert!(job.step("install").log.contains("it is not run, and replaced"), "{}", job.log());
        assert_eq!(fs::read(&tool).expect("replaced"), STAND_IN.as_bytes());
    }
    // Nor is there a way around a mirror that is down.
    write(&tool, "#!/bin/sh\n");
    here.refused(&[("mirror-url", "http://127.0.0.1:9")], 3, "could not be downloaded");
}

#[test]
fn what_has_no_digest_is_not_run() {
    let Some(mut here) = Here::new() else { return };
    let mirror = here.machine.served(STAND_IN.as_bytes());
    here.machine.github.answer(&asset("1.0.0"), Answer::Bytes(STAND_IN.into()));
    for version in ["1.0.0", "v9.8.7", "latest", "9.8", "9.8.70", "Source", "9.8.7-", "..", "*"] {
        let status = if version == "*" { 2 } else { 3 };
        let message =
            if version == "*" { "is no version" } else { "not known to this commit of the action (known: 9.8.7)" };
        here.refused(&[("version", version), ("mirror-url", &mirror)], status, message);
    }
    "ARM64".clone_into(&mut here.machine.arch);
    here.refused(&[("mirror-url", &mirror)], 3, "was not released for aarch64-unknown-linux-musl, only for: x86_64");
    "ARM".clone_into(&mut here.machine.arch);
    here.refused(&[("mirror-url", &mirror)], 3, "there is no release for Linux on ARM");
    assert!(here.machine.github.requests().is_empty(), "nothing was even asked for");
}

#[test]
fn what_has_another_digest_is_not_run() {
    let Some(mut here) = Here::new() else { return };
    let mirror = here.machine.served(STAND_IN.as_bytes());
    let inputs = [("mirror-url", mirror.as_str())];
    let path = asset(RELEASE);
    let other = STAND_IN.replace("it ran", "it ran!");
    for (answer, message) in [
        (Answer::Bytes(other.clone().into()), format!("found sha256:{}", sha256(other.as_bytes()))),
        (Answer::Bytes(Vec::new()), "expected sha256:".into()),
        (Answer::Bytes(STAND_IN.as_bytes()[..100].into()), "expected sha256:".into()),
        (Answer::Truncated(STAND_IN.into()), "could not be downloaded (curl ended with 18".into()),
        (Answer::Status(404), "could not be downloaded (curl ended with 22".into()),
        (Answer::Status(403), "could not be downloaded (curl ended with 22".into()),
        // From loopback, a redirect to anything but http is not followed.
        (Answer::Redirect("ftp://127.0.0.1/x".into()), "could not be downloaded (curl ended with 1".into()),
        (Answer::Redirect("file:///etc/passwd".into()), "could not be downloaded (curl ended with 1".into()),
    ] {
        here.machine.github.answer(&path, answer);
        here.refused(&inputs, 3, &message);
        assert!(named(&here.machine.tools(), "modanchor").is_empty(), "and it is not kept");
    }
    here.refused(&[("mirror-url", "http://127.0.0.1:9")], 3, "could not be downloaded (curl ended with 7");
    // The project's own place, with a network that is not there.
    here.refused(&[], 3, "https://github.com/modanchor/modanchor/releases/download/v9.8.7/modanchor-x86_64");
}

#[test]
fn a_checksum_must_match_too_and_vouches_for_unknown_releases() {
    let Some(mut here) = Here::new() else { return };
    let mirror = here.machine.served(STAND_IN.as_bytes());
    let digest = sha256(STAND_IN.as_bytes());
    let other = sha256(b"other");
    here.ran(&[("mirror-url", &mirror), ("checksum", &digest)]);
    here.ran(&[("mirror-url", &mirror), ("checksum", &digest.to_uppercase())]);
    here.refused(&[("mirror-url", &mirror), ("checksum", &other)], 3, &format!("the action's commit has {digest}"));

    here.machine.github.answer(&asset("1.0.0"), Answer::Bytes(STAND_IN.into()));
    let unknown = |checksum| [("version", "1.0.0"), ("mirror-url", mirror.as_str()), ("checksum", checksum)];
    let absent = sha256(b"absent");
    here.refused(&unknown(&absent), 3, "is not modanchor 1.0.0");
    assert_eq!(here.ran(&unknown(&digest)).output("version"), "1.0.0");
    for bad in [&digest[1..], &format!("{digest}0"), &digest.replace('a', "g"), "sha256:", "$(touch pwned)"] {
        here.refused(&unknown(bad), 2, "is no SHA-256");
    }
}

#[test]
fn a_mirror_is_https_or_loopback() {
    let Some(mut here) = Here::new() else { return };
    here.machine.release(STAND_IN.as_bytes());
    for bad in [
        "http://example.com",
        "http://127.0.0.1@example.com",
        "http://127.0.0.1:80@example.com/",
        "http://127.0.0.1.example.com",
        "http://localhost.example.com",
        "https://user:password@example.com",
        "https://example.com/?x=1",
        "https://example.com/#",
        "https://",
        "ftp://example.com",
        "file:///tmp",
        "example.com",
        "-o/tmp/x",
        "https://example.com/ -o/tmp/x",
        "https://example.com\nhttp://example.com",
        "https://example.com/$(touch pwned)",
    ] {
        here.refused(&[("mirror-url", bad)], 2, "is not an https URL");
    }
}

#[test]
fn checksums_are_read_strictly() {
    let Some(mut here) = Here::new() else { return };
    let digest = here.machine.installed(STAND_IN.as_bytes());
    let good = fs::read_to_string(here.machine.action_path().join("dist/checksums.json")).expect("it is there");
    let entry = format!("      \"{TARGET}\": \"{digest}\"");
    let release = format!("    \"{RELEASE}\": {{\n{entry}\n    }}");
    let more = good
        .replace(&release, &format!("    \"1.0.0\": {{\n      \"other\": \"{digest}\",\n{entry}\n    }},\n{release}"));
    for text in [&good, &more, good.trim_end()] {
        here.machine.checksums(text);
        here.ran(&[]);
    }
    for (text, message) in [
        (String::new(), "ends after line 0"),
        (good[..good.len() - 2].into(), "ends after line 8"),
        (good.replace("\n}", ""), "ends after line 8"),
        (format!("{good}{{}}\n"), "line 10"),
        (format!("\u{feff}{good}"), "line 1"),
        (good.replace('\n', "\r\n"), "line 1"),
        (good.replace("checksums/1", "checksums/2"), "line 2 is not what was expected there (schema)"),
        (good.replace(RELEASE, "9.8.7 || true"), "line 3"),
        (good.replace(&digest, &digest[1..]), "line 6"),
        (good.replace(&digest, &digest.to_uppercase()), "line 6"),
        (good.replace(&digest, ""), "line 6"),
        (good.replace(&entry, &format!("{entry},")), "line 7"),
        (good.replace(&entry, &format!("{entry},\n{entry}")), "line 7"),
        (good.replace(&release, &format!("{release},\n{release}")), "line 8"),
        (good.replace(&release, &format!("{release},")), "line 8"),
        (good.replace(&format!("{entry}\n"), ""), "line 6"),
        (good.replace("  \"releases\"", "\"releases\""), "line 4"),
        (serde_json::from_str::<Value>(&good).expect("JSON").to_string(), "line 1"),
    ] {
        here.machine.checksums(&text);
        here.refused(&[], 3, message);
    }
    fs::remove_file(here.machine.action_path().join("dist/checksums.json")).expect("it is there");
    here.refused(&[], 3, "dist/checksums.json is missing");
}

#[test]
fn the_committed_checksums_are_what_the_scripts_read() {
    let Some(mut here) = Here::new() else { return };
    let text = fs::read_to_string(root().join("dist/checksums.json")).expect("it is committed");
    let value: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["schema"], "modanchor-checksums/1");
    let default = value["version"].as_str().expect("a version");
    assert!(default == "source" || value["releases"][default].is_object(), "{default} is not recorded");
    // It is read to its end: only what comes after it fails.
    here.refused(&[("version", "0.0.0-no-such-release")], 3, "is not known to this commit of the action");
}

#[test]
fn missing_tools_are_named() {
    let Some(mut here) = Here::new() else { return };
    let mirror = here.machine.served(STAND_IN.as_bytes());
    let inputs = [("mirror-url", mirror.as_str())];
    let real = fs::canonicalize(here.machine.bin().join("sha256sum")).expect("a link");
    fs::remove_file(here.machine.bin().join("sha256sum")).expect("it is there");
    here.refused(&inputs, 3, "none of sha256sum, shasum and openssl is there");
    // One that says nothing is not one that says yes.
    here.machine.script("openssl", "#!/bin/sh\nexit 1\n");
    here.refused(&inputs, 3, "expected sha256:");
    for (name, arguments, end) in [("openssl", "dgst -sha256 -r", " *stdin"), ("shasum", "-a 256", "  -")] {
        let text = format!("#!/bin/sh\n[ \"$*\" = '{arguments}' ] && {} | sed 's/ .*/{end}/'\n", real.display());
        here.machine.script(name, &text);
        fs::remove_dir_all(here.machine.tools()).expect("ours");
        here.ran(&inputs);
        fs::remove_file(here.machine.bin().join(name)).expect("ours");
    }
    symlink(&real, &here.machine.bin().join("sha256sum"));
    fs::remove_dir_all(here.machine.tools()).expect("ours");
    fs::remove_file(here.machine.bin().join("curl")).expect("it is there");
    here.refused(&inputs, 3, "there is no curl");
}

#[cfg(unix)]
fn symlink(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).expect("a link");
}

#[test]
fn source_is_built_from_the_actions_commit_and_sees_no_secret() {
    let Some(mut here) = Here::new() else { return };
    here.refused(&[("version", "source")], 3, "there is no cargo");

    let program = here.machine.temp().with_file_name("program");
    write(&program, STAND_IN);
    // As cargo does, it leaves the program in its target folder; its environment too.
    here.machine.script(
        "cargo",
        &format!(
            "#!/bin/bash\nset -eu\nmkdir -p \"$CARGO_TARGET_DIR/release\"\nenv -0 >\"$CARGO_TARGET_DIR/cargo.env\"\n\
             pwd >\"$CARGO_TARGET_DIR/cargo.cwd\"\nprintf '%s\\n' \"$@\" >\"$CARGO_TARGET_DIR/cargo.argv\"\n\
             cp {} \"$CARGO_TARGET_DIR/release/modanchor\"\nchmod +x \"$CARGO_TARGET_DIR/release/modanchor\"\n",
            program.display()
        ),
    );
    for (name, value) in [
        ("GITHUB_TOKEN", TOKEN),
        ("ACTIONS_RUNTIME_TOKEN", "secret"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret"),
        ("INPUT_TOKEN", TOKEN),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("RUSTFLAGS", "-Clinker=/bin/false"),
        ("RUSTC_WRAPPER", "/bin/false"),
        ("CARGO_BUILD_RUSTC", "/bin/false"),
        ("CARGO_TARGET_DIR", "/nowhere"),
        ("MODANCHOR_COMPONENT", "/nowhere"),
        ("CARGO_HOME", "/cargo home"),
    ] {
        here.machine.env.insert(name.into(), value.into());
    }
    // What is being judged has no say in how its judge is built.
    here.origin.commit(&[(".cargo/config.toml", "[build]\nrustc = \"/bin/false\"\n"), ("rust-toolchain.toml", "")]);
    let job = here.ran(&[("version", "source")]);
    assert_eq!(job.output("version"), "source");
    let read = |name: &str| fs::read_to_string(here.machine.temp().join("modanchor/build").join(name)).expect("it ran");
    assert_eq!(read("cargo.argv"), "build\n--release\n--locked\n--package\nmodanchor\n--bin\nmodanchor\n");
    assert_eq!(Path::new(read("cargo.cwd").trim_end()), here.machine.action_path());
    let seen = read("cargo.env");
    let mut names: Vec<&str> = seen.split('\0').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name).collect();
    // What bash itself sets.
    names.retain(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name));
    names.sort_unstable();
    assert_eq!(
        names,
        ["CARGO_HOME", "CARGO_INCREMENTAL", "CARGO_TARGET_DIR", "HOME", "HTTPS_PROXY", "HTTP_PROXY", "PATH"],
        "{seen}"
    );
    assert!(seen.contains("CARGO_HOME=/cargo home\0"));
    assert!(!seen.contains(TOKEN) && !seen.contains("secret"));
    assert!(named(&here.machine.tools(), "modanchor").is_empty(), "a build is never kept");
    assert_eq!(here.machine.github.requests().len(), 0);

    let checksum = sha256(STAND_IN.as_bytes());
    here.refused(&[("version", "source"), ("checksum", &checksum)], 2, "has no recorded digest");
    here.refused(&[("version", "source"), ("mirror-url", "https://example.com")], 2, "downloads no release");
    here.machine.script("cargo", "#!/bin/sh\nexit 101\n");
    here.refused(&[("version", "source")], 3, "cargo could not build modanchor");
}

#[test]
fn every_input_arrives_as_it_was_written() {
    let Some(mut here) = Here::installed() else { return };
    let action = action();
    let names: Vec<&String> = action["inputs"].as_object().expect("inputs").keys().collect();
    assert_eq!(names.len(), 28, "a new input needs its line in both verify steps, and its part in the program");
    let installs = ["version", "checksum", "mirror-url"];
    for hostile in [
        "$(touch pwned)",
        "`touch pwned`",
        "; touch pwned; exit 0",
        "\"; touch pwned; \"",
        "'; touch pwned; '",
        "a\ntouch pwned\nb",
        "${{ github.token }}",
        "${IFS}&touch${IFS}pwned",
        "::error::x\n::set-output name=status::0",
        "status=0\nstatus<<E\n0\nE",
        "-n --help *",
        "\\\"\\$(touch pwned)",
        "\u{202e}…",
    ] {
        let inputs: Vec<(&str, &str)> =
            names.iter().filter(|n| !installs.contains(&n.as_str())).map(|n| (n.as_str(), hostile)).collect();
        here.ran(&inputs);
        let seen = here.seen();
        for (name, _) in &inputs {
            let variable = format!("MODANCHOR_INPUT_{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(seen.get(&variable).map(String::as_str), Some(hostile), "{name}");
        }
        for name in installs {
            let job = here.push(&[(name, hostile)]).ended(Ended::Failure);
            assert_eq!((job.output("status"), job.output("verdict")), ("2", "incomplete"));
            let commands = job.commands();
            assert_eq!(commands.len(), 1, "one error, and no command of the input's: {commands:?}");
            assert_eq!(job.step("install").log.lines().count(), 1, "on one line");
        }
        let workspace = here.machine.workspace();
        assert!(named(workspace.parent().expect("a parent"), "pwned").is_empty(), "{hostile}");
        assert!(named(&here.machine.temp(), "pwned").is_empty(), "{hostile}");
    }
    let long = "x".repeat(100_000);
    let job = here.push(&[("version", &long)]);
    assert!(job.log().len() < 300, "a message stays short");
}

#[test]
fn the_environment_of_earlier_steps_is_not_run() {
    let Some(mut here) = Here::installed() else { return };
    let script = here.machine.temp().with_file_name("profile");
    write(&script, "printf 'BASH_ENV was read\\n'\n");
    let script = script.display().to_string();
    for (name, value) in [
        ("BASH_ENV", script.as_str()),
        ("ENV", &script),
        ("BASH_FUNC_printf%%", "() { echo a function was run; }"),
        ("BASH_FUNC_sha256sum%%", "() { echo a function was run; }"),
        ("SHELLOPTS", "xtrace"),
        ("BASHOPTS", "extdebug"),
        ("CDPATH", "/tmp"),
        ("GLOBIGNORE", "*"),
        ("IFS", "/"),
    ] {
        here.machine.env.insert(name.into(), value.into());
    }
    let job = here.push(&[]).ended(Ended::Success);
    for said in ["BASH_ENV was read", "a function was run", "+ "] {
        for step in ["install", "end"] {
            assert!(!job.step(step).log.contains(said), "{step}: {}", job.log());
        }
    }
}

#[test]
fn the_token_goes_to_the_verify_step_alone() {
    let Some(mut here) = Here::installed() else { return };
    let own = here.origin.push();
    let fork = here.origin.pull_request(From::Fork, &[("go.sum", "x\n")]);
    for (event, token) in [(own, TOKEN), (fork, FORK_TOKEN)] {
        let job = here.on(&event, &[]).ended(Ended::Success);
        let seen = here.seen();
        assert_eq!(seen["MODANCHOR_INPUT_TOKEN"], token);
        assert_eq!(seen.values().filter(|value| value.contains("ghs_")).count(), 1, "{seen:#?}");
        assert!(!job.log().contains("ghs_"));
    }
    let action = action();
    for step in action["runs"]["steps"].as_array().expect("steps") {
        let verifies = step["id"].as_str().is_some_and(|id| id.starts_with("verify"));
        assert_eq!(step.to_string().contains("token"), verifies, "{step}");
    }
    here.push(&[("token", "mine")]).ended(Ended::Success);
    assert_eq!(here.seen()["MODANCHOR_INPUT_TOKEN"], "mine");
}

#[test]
fn statuses_and_outputs_pass_through() {
    let Some(mut here) = Here::installed() else { return };
    for (status, verdict) in [("0", "pass"), ("1", "fail"), ("2", "incomplete"), ("3", "incomplete")] {
        here.says(&[("status", status), ("verdict", verdict)]);
        let job = here.push(&[]);
        let want = if status == "0" { Ended::Success } else { Ended::Failure };
        assert_eq!(job.conclusion, want, "{}", job.log());
        assert_eq!((job.step("end").status, job.step("verify").outcome), (status.parse().ok(), Ended::Success));
        let outputs = &job.outputs;
        for name in ["findings-count", "modules-checked", "sarif-file", "report-json", "tree-size"] {
            assert_eq!(outputs[name], format!("the {name}"));
        }
        assert_eq!((&*outputs["status"], &*outputs["verdict"]), (status, verdict));
        assert_eq!((&*outputs["version"], &*outputs["cache-hit"]), (RELEASE, "false"));
        assert!(outputs["bin"].ends_with("/modanchor"), "{outputs:?}");
        assert_eq!(outputs.len(), 10, "{outputs:?}");
        assert_eq!(job.summary, "# Summary\n");
        assert!(job.environment.is_empty(), "it changes nothing for later steps: {:?}", job.environment);
    }
}

#[test]
fn only_a_verdict_that_was_seen_to_the_end_counts() {
    let Some(mut here) = Here::installed() else { return };
    for (what, says) in [
        ("nothing said", &[][..]),
        ("a crash", &[("exit", "101")]),
        ("a pass, and then a crash", &[("status", "0"), ("verdict", "pass"), ("state", "1"), ("exit", "134")]),
        ("a failure, and then a crash", &[("status", "1"), ("verdict", "fail"), ("exit", "1")]),
        ("not a status", &[("status", "00"), ("verdict", "pass")]),
        ("not a status", &[("status", "4"), ("verdict", "pass")]),
        ("not a status", &[("status", "0 0"), ("verdict", "pass")]),
    ] {
        here.says(says);
        let job = here.push(&[]).ended(Ended::Failure);
        assert_eq!(job.step("end").status, Some(3), "{what}: {}", job.log());
        assert_eq!((job.output("status"), job.output("verdict")), ("3", "incomplete"), "{what}");
        assert!(job.step("end").log.contains("ended without a verdict"), "{what}: {}", job.log());
        assert!(here.machine.cache_keys().is_empty(), "{what}");
    }
}

#[test]
fn state_is_saved_by_pushes_to_the_default_branch_and_restored_everywhere() {
    let Some(mut here) = Here::installed() else { return };
    let main = format!("refs/heads/{DEFAULT_BRANCH}");
    let key = |state: &str| (main.clone(), format!("modanchor-state-1-Linux-{state}"));

    // Everything but a push to the default branch saves nothing.
    let change = &[("go.sum", "x\n")];
    let others = [
        here.origin.pushed("refs/heads/feature"),
        here.origin.pushed("refs/heads/other/main"),
        here.origin.pushed("refs/tags/main"),
        here.origin.pushed("refs/tags/v1.0.0"),
        here.origin.pull_request(From::Own, change),
        here.origin.pull_request(From::Fork, change),
        here.origin.merge_group(change),
        here.origin.schedule(),
    ];
    here.says(&[("status", "0"), ("state", "other")]);
    for event in &others {
        let job = here.on(event, &[]).ended(Ended::Success);
        assert_eq!(job.output("cache-hit"), "false");
        assert_eq!(here.machine.cache_keys(), [], "{event:?}");
    }

    // A push saves, whatever the verdict is: what is kept is proven by itself.
    for (state, status, ended) in [("a", "0", Ended::Success), ("b", "1", Ended::Failure)] {
        here.says(&[("status", status), ("state", state)]);
        here.push(&[]).ended(ended);
    }
    assert_eq!(here.machine.cache_keys(), [key("a"), key("b")]);
    assert_eq!(here.seen_state(), "what run a verified\n", "what the run before kept");
    // Nothing new, nothing saved.
    here.says(&[("status", "0")]);
    here.push(&[]).ended(Ended::Success);
    assert_eq!(here.machine.cache_keys().len(), 2);

    for event in &others {
        let job = here.on(event, &[]).ended(Ended::Success);
        assert_eq!(job.output("cache-hit"), "true", "{event:?}");
        assert_eq!(here.seen_state(), "what run b verified\n", "the newest");
    }
    for off in ["false", "False"] {
        here.says(&[("status", "0"), ("state", "c")]);
        let job = here.push(&[("cache", off)]).ended(Ended::Success);
        assert_eq!((job.output("cache-hit"), here.seen_state().as_str()), ("false", ""));
        assert_eq!(here.machine.cache_keys().len(), 2);
    }
}

#[test]
fn a_cache_that_fails_neither_fails_nor_passes_a_run() {
    let Some(mut here) = Here::installed() else { return };
    here.machine.cache = Cache::Fails;
    for (status, want) in [("0", Ended::Success), ("1", Ended::Failure)] {
        here.says(&[("status", status), ("verdict", "pass"), ("state", "a")]);
        let job = here.push(&[]).ended(want);
        assert_eq!((job.step("restore").outcome, job.step("end").status), (Ended::Failure, status.parse().ok()));
        assert_eq!(job.output("cache-hit"), "false");
    }
}

#[test]
fn two_uses_in_one_job_share_their_state_and_not_their_files() {
    let Some(mut here) = Here::installed() else { return };
    here.says(&[("status", "0"), ("verdict", "pass"), ("state", "first")]);
    here.machine.put_into_cache("modanchor-state-1-Linux-old", &[("proofs", b"what an old run verified\n")]);
    let workflow = "
name: CI
on: { push: { branches: [main] } }
permissions: {}
jobs:
  verify:
    runs-on: ubuntu-24.04
    permissions:
      contents: read # check out
    env:
      WHO: ${{ github.actor }}
    steps:
      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2
        with: { persist-credentials: false }
      - id: first
        uses: modanchor/modanchor@0123456789012345678901234567890123456789
        with: { path: a }
      - run: mv \"$RUNNER_TEMP/seen.env\" \"$RUNNER_TEMP/first.env\"
      - id: second
        uses: modanchor/modanchor@0123456789012345678901234567890123456789
        with: { path: b }
      - if: steps.first.outputs.verdict == 'pass' && steps.second.outputs.verdict == 'pass'
        run: printf 'both passed\\n'
";
    let event = here.origin.push();
    let job = here.machine.workflow(&here.origin, &event, workflow).ended(Ended::Success);
    assert_eq!(here.seen_state(), "what run first verified\n", "not the older one from the cache again");
    assert!(job.log().ends_with("both passed\n"), "{}", job.log());
    let second = here.seen();
    fs::rename(here.machine.temp().join("first.env"), here.machine.temp().join("seen.env")).expect("it is there");
    let first = here.seen();
    assert_eq!(first["MODANCHOR_CACHE"], second["MODANCHOR_CACHE"]);
    assert_ne!(first["MODANCHOR_OUT"], second["MODANCHOR_OUT"], "the first one's SARIF file stays");
    assert_eq!((&*first["MODANCHOR_INPUT_PATH"], &*second["MODANCHOR_INPUT_PATH"]), ("a", "b"));
    let depth = here.origin.git(&["rev-list", "--count", "HEAD"]);
    assert_eq!(depth, "1");
}

#[test]
fn windows_steps_are_the_same_steps() {
    let action = action();
    let steps = action["runs"]["steps"].as_array().expect("steps");
    for id in ["install", "verify", "end"] {
        let find = |id: String| steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("no step {id}"));
        let (unix, windows) = (find(id.into()), find(format!("{id}-windows")));
        let renamed = unix["env"].to_string().replace("steps.install.", "steps.install-windows.");
        let renamed = renamed.replace("steps.verify.", "steps.verify-windows.");
        assert_eq!(renamed, windows["env"].to_string(), "{id}");
        assert_eq!(unix["if"].as_str().expect("if").replace("!= 'Windows'", "== 'Windows'"), windows["if"], "{id}");
    }
    // No expression in any script, and a hardened shell for each.
    for step in steps.iter().filter(|step| !step["run"].is_null()) {
        assert!(!step["run"].as_str().expect("a text").contains("${{"), "{step}");
        let shell = step["shell"].as_str().expect("a shell");
        assert!(
            shell == "bash --noprofile --norc -p -euo pipefail {0}"
                || shell == "pwsh -NoProfile -NonInteractive -File {0}",
            "{shell}"
        );
    }
}

/// The messages of an install script, in order, with what it fills in taken out.
fn messages(script: &str, begin: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("action").join(script)).expect("it is committed");
    let mut messages = Vec::new();
    for (at, _) in text.match_indices(begin) {
        let rest = &text[at + begin.len()..];
        let Some(status) = rest.chars().next().filter(char::is_ascii_digit) else { continue };
        let quoted = rest[1..].trim_start();
        let quote = quoted.chars().next().filter(|c| ['"', '\''].contains(c)).expect("a message in quotes");
        // A message ends its line; there may be quotes inside of what is filled in.
        let message = quoted.lines().next().expect("a line")[1..].trim_end_matches(quote);
        messages.push(format!("{status} {message}"));
    }
    messages
}

/// The words of a message that are the script's own.
fn own_words(message: &str) -> Vec<String> {
    let mut depth = 0;
    let mut out = String::new();
    let mut chars = message.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' if matches!(chars.peek(), Some('(' | '{')) => depth += 1,
            '(' | '{' if depth > 0 => {}
            ')' | '}' if depth > 0 => depth -= 1,
            '$' => {
                while chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_' || *c == ':').is_some() {}
                out.push(' ');
            }
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_twin_for_windows_refuses_the_same_with_the_same_words() {
    let mut unix = messages("install.sh", "fail ");
    let windows = messages("install.ps1", "Stop-Install ");
    // PowerShell has its own SHA-256, and Windows its curl under another name.
    unix.retain(|m| !m.contains("none of sha256sum"));
    let words = |list: &[String]| -> Vec<Vec<String>> {
        let list = list.iter().map(|m| m.replace("curl.exe", "curl"));
        list.map(|m| own_words(&m)).collect()
    };
    assert!(unix.len() > 15, "{unix:#?}");
    assert_eq!(words(&unix), words(&windows));
    let parts = |script: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join("action").join(script)).expect("it is committed");
        let lines = text.lines().filter_map(|line| line.strip_prefix("# Part "));
        lines.map(|line| line.split(['.', ',']).next().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(parts("install.sh").len(), 8);
    assert_eq!(parts("install.sh"), parts("install.ps1"));
    // The patterns that inputs must match, but for how each language writes "the whole text".
    let pattern = |script: &str, name: &str| -> String {
        let text = fs::read_to_string(root().join("action").join(script)).expect("it is committed");
        let (_, rest) = text.split_once(name).unwrap_or_else(|| panic!("{script}: {name}"));
        rest.lines().next().expect("a line").trim_end_matches('\'').replace("\\A", "^").replace("\\z", "$")
    };
    for (unix, windows) in [
        ("IS_VERSION='", "$IsVersion = '"),
        ("IS_DIGEST='", "$IsDigest = '"),
        ("IS_MIRROR='", "$IsMirror = '"),
        ("IS_LOOPBACK='", "$IsLoopback = '"),
        ("is_version='", "$IsDefault = '"),
        ("is_release='", "$IsRelease = '"),
        ("is_digest='", "$IsEntry = '"),
    ] {
        assert_eq!(pattern("install.sh", unix), pattern("install.ps1", windows), "{unix}");
    }
}
