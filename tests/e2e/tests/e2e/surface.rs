//! Usage, statuses, and the commands that need no database.

use e2e::Sandbox;

/// Every id there is: none ever changes.
const RULES: [&str; 62] = [
    "binary-dirty",
    "binary-mismatch",
    "binary-unpinned",
    "config-expired-ignore",
    "config-unused-ignore",
    "dir-mismatch",
    "dir-writable",
    "env-insecure",
    "env-mod-mod",
    "env-modcacherw",
    "env-modfile",
    "env-no-such-variable",
    "env-overlay",
    "env-proxy",
    "env-sumdb-off",
    "env-sumdb-skips-all",
    "gomod-mismatch",
    "gosum-conflict",
    "gosum-malformed",
    "gosum-mismatch",
    "gosum-missing",
    "gosum-unknown-hash",
    "info-malformed",
    "policy-grade",
    "policy-unmatched-rule",
    "provenance-contradiction",
    "provenance-malformed",
    "provenance-source",
    "provenance-subject",
    "provenance-version",
    "sigstore-bad-log",
    "sigstore-bad-signature",
    "sigstore-identity",
    "sigstore-malformed",
    "sigstore-not-logged",
    "sigstore-root-stale",
    "sigstore-unavailable",
    "sigstore-untrusted",
    "sumdb-bad-proof",
    "sumdb-bad-signature",
    "sumdb-fork",
    "sumdb-no-line",
    "sumdb-skipped",
    "sumdb-stale",
    "sumdb-unknown-module",
    "tuf-bad-signature",
    "tuf-expired",
    "tuf-freeze",
    "tuf-mismatch",
    "tuf-revoked",
    "tuf-rollback",
    "tuf-unapproved",
    "tuf-unavailable",
    "tuf-waived",
    "unchecked",
    "vendor-extra",
    "vendor-inconsistent",
    "vendor-mismatch",
    "vendor-missing",
    "zip-mismatch",
    "zip-refused",
    "ziphash-mismatch",
];

#[test]
fn wrong_usage_is_status_2() {
    let s = Sandbox::hello();
    for args in [
        &["verify", "no-such-folder"][..],
        &["verify", "main.go"],
        &["verify", "--no-such-flag"],
        &["verify", "--format", "xml"],
        &["verify", "--fail-on", "sometimes"],
        &["verify", "--tile-height", "0"],
        &["verify", "--tile-height", "31"],
        &["verify", "--jobs", "0"],
        &["verify", "--timeout", "soon"],
        &["verify", "--sumdb", "on"],
        &["verify", "--sumdb", "sum.golang.org+00000000+AAAA"],
        &["verify", "--sumdb", "a b c"],
        &["verify", "--config", "no-such-file.toml"],
        &["explain", "no-such-rule"],
        &["completions", "no-such-shell"],
        &["no-such-command"],
        &[],
    ] {
        let out = s.run(args).end().status(2);
        assert!(!out.stderr.trim().is_empty(), "{args:?} says nothing");
        assert!(!out.stdout.contains("\"verdict\""), "{args:?}");
    }
}

#[test]
fn wrong_settings_are_status_2() {
    let s = Sandbox::hello();
    for (key, value) in [
        ("GOSUMDB", "on"),
        ("GOSUMDB", "sum.golang.org+033de0ae+AAAA"),
        ("GOSUMDB", "a b c d"),
        ("GOSUMDB", "sum.golang.org ftp://127.0.0.1/"),
        ("GOPROXY", ","),
        ("GOPROXY", "ftp://127.0.0.1/"),
    ] {
        let out = s.run(["verify"]).env(key, value).end().status(2);
        assert!(out.stderr.contains(key) || out.stderr.contains(value), "{key}={value}: {}", out.stderr);
    }
}

#[test]
fn nothing_to_verify_is_status_2() {
    Sandbox::new().run(["verify"]).end().status(2);
}

#[test]
fn an_unknown_key_in_a_configuration_is_an_error() {
    let s = Sandbox::hello();
    e2e::write(&s.path("config.toml"), "fail_onn = \"high\"\n");
    let config = s.path("config.toml");
    let out = s.run(["verify", "--config"]).args([&config]).end().status(2);
    assert!(out.stderr.contains("fail_onn"), "{}", out.stderr);
}

#[test]
fn every_rule_is_explained() {
    let s = Sandbox::new();
    let list = s.run(["explain"]).end().status(0).stdout;
    let mut ids: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    ids.sort_unstable();
    assert_eq!(ids, RULES);
    for rule in RULES {
        let out = s.run(["explain", rule]).end().status(0);
        assert!(out.stdout.len() > 100, "{rule}: {}", out.stdout);
    }
}

#[test]
fn completions_and_man_and_version() {
    let s = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let out = s.run(["completions", shell]).end().status(0);
        assert!(out.stdout.contains("modanchor"), "{shell}");
    }
    assert!(s.run(["man"]).end().status(0).stdout.contains(".TH"));
    assert!(s.run(["--version"]).end().status(0).stdout.starts_with("modanchor "));
}

#[test]
fn formats_go_to_files_and_quiet_is_quiet() {
    let s = Sandbox::hello();
    let file = s.path("report.json");
    let format = format!("json={}", file.display());
    let out = s.run(["verify", "--quiet", "--format", &format, "--format", "human"]).end().status(0);
    assert_eq!(out.stderr, "");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file).expect("it was written")).expect("JSON");
    assert_eq!(report["verdict"], "pass");
}

/// Lines that GitHub's runner would obey, or Azure's.
fn commands(output: &str) -> Vec<&str> {
    let is_one = |line: &&str| line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[");
    output.lines().filter(is_one).collect()
}

#[test]
fn where_a_runner_reads_along_only_annotations_are_commands() {
    let s = Sandbox::with_gosum("::error::a b\nexample.com/##[error]x v1.0.0 h1:##vso[x]y\n##[stop-commands]z\n");
    let odd = "\n::error::x\n##[error]y";
    for key in ["GITHUB_ACTIONS", "TF_BUILD"] {
        for args in [
            &["verify", "--no-config"][..],
            &["verify", "--no-config", "--verbose"],
            &["verify", "--no-config", "--format", "json"],
            &["verify", "--no-config", "--format", "markdown"],
            &["fix", "--dry-run"],
            &["verify", odd],
            &["verify", "--exclude", odd, odd],
            &[odd],
            &["--color", odd],
            &["explain", odd],
            &["lookup", odd],
            &["hash", "mod", odd],
        ] {
            let out = s.run(args).env(key, "true").end();
            assert!(!out.stdout.is_empty() || !out.stderr.is_empty(), "{args:?} says nothing");
            for text in [&out.stdout, &out.stderr] {
                assert_eq!(commands(text), [""; 0], "{args:?}");
            }
        }
    }
    // What stands in for the runner does see them, and without a runner everything is shown as it is.
    let plain = s.run(["verify"]).end();
    assert!(!commands(&plain.stdout).is_empty(), "{}", plain.stdout);
    let json = |runner: &str| {
        s.run(["verify", "--no-config", "--format", "json"]).env("GITHUB_ACTIONS", runner).end().report().timeless()
    };
    assert_eq!(json("true"), json("false"), "the same document");
}

#[cfg(unix)]
#[test]
fn in_a_runner_no_file_is_written_through_a_link() {
    let s = Sandbox::hello();
    let kept = s.path("kept");
    std::fs::write(&kept, "kept").expect("a file");
    std::os::unix::fs::symlink(&kept, s.checkout().join("x.json")).expect("a link");
    for command in ["verify", "lint"] {
        let run = s.run([command, "--no-config", "--format", "json=x.json"]).env("GITHUB_ACTIONS", "true");
        let out = run.env("GITHUB_WORKSPACE", s.checkout()).end().status(2);
        assert!(out.stderr.contains("leads out of it"), "{command}: {}", out.stderr);
        assert_eq!(std::fs::read(&kept).expect("it is there"), b"kept", "{command}");
    }
}

#[test]
fn one_annotation_and_one_summary_for_one_changed_line() {
    let s = Sandbox::hello();
    let text = s.read("go.sum");
    let (at, line) = text.lines().enumerate().nth(2).expect("three lines");
    let hash = line.find("h1:").expect("a hash") + 3;
    let other = if line[hash..].starts_with('A') { "B" } else { "A" };
    let changed = format!("{}{other}{}", &line[..hash], &line[hash + 1..]);
    s.write("go.sum", text.replace(line, &changed));
    let summary = s.path("summary.md");
    let format = format!("markdown={}", summary.display());
    let out = s
        .run(["verify", "--no-config", "--format", "github", "--format", &format])
        .env("GITHUB_ACTIONS", "true")
        .end()
        .status(1);
    let annotations = commands(&out.stdout);
    let start = format!("::error file=go.sum,line={0},endLine={0},col=", at + 1);
    assert!(matches!(annotations[..], [one] if one.starts_with(&start)), "{annotations:?}");
    let summary = std::fs::read_to_string(summary).expect("it was written");
    assert!(summary.starts_with("## ❌ modanchor: fail\n"), "{summary}");
    assert_eq!(summary.matches("<tr><td>critical</td>").count(), 1);
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let s = Sandbox::hello();
    let mut child = s.run(["verify", "--format", "json"]).spawn();
    drop(child.stdout.take());
    let out = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
}
