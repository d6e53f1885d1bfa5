//! `sigstore verify-blob` beside cosign's: one table of files and flags (data/cosign_matrix.txt), with what cosign 3.1.2 said of
//! each. Where there is a cosign, on the PATH or by `MODANCHOR_COSIGN`, it is asked again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};

use e2e::{fixture, modanchor, root};

const TABLE: &str = "tests/e2e/tests/data/cosign_matrix.txt";

/// The version whose words the table has.
const VERSION: &str = "v3.1.2";

/// What a name in braces stands for in an argument.
const NAMES: &[(&str, &str)] = &[
    ("{root}", "../../host/assets/sigstore/trusted_root.json"),
    ("{github}", "../../host/assets/sigstore/github/trusted_root.json"),
    ("{staging}", "sigstore-public/staging_root.json"),
    ("{actions}", "https://token.actions.githubusercontent.com"),
    ("{npm}", "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main"),
    ("{pypi}", "https://github.com/trailofbits/rfc8785.py/.github/workflows/release.yml@refs/tags/v0.1.2"),
    (
        "{reusable}",
        "https://github.com/github/artifact-attestations-workflows/.github/workflows/attest.yml@09b495c3f12c7881b3cc17209a327792065c1a1d",
    ),
    ("{issuer}", "https://github.com/too-legit/attest/.github/workflows/integration.yml@refs/heads/main"),
    ("{conda}", "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main"),
    ("{private}", "https://github.com/actions/attest-demo/.github/workflows/build-python.yml@refs/heads/main"),
];

/// The parts of the trusted root, as cosign takes them without asking a TUF repository.
const COSIGNS_TRUST: &[(&str, &str)] = &[
    ("SIGSTORE_ROOT_FILE", "sigstore-cosign/legacy/fulcio.pem"),
    ("SIGSTORE_REKOR_PUBLIC_KEY", "sigstore-cosign/legacy/rekor.pem"),
    ("SIGSTORE_CT_LOG_PUBLIC_KEY_FILE", "sigstore-cosign/legacy/ctfe.pem"),
    ("SIGSTORE_TSA_CERTIFICATE_FILE", "sigstore-cosign/legacy/tsa.pem"),
];

/// A line of the table.
struct Row {
    line: usize,
    /// Whether cosign said that all is well.
    cosign: bool,
    /// Our exit status.
    status: i32,
    /// As they stand there.
    args: Vec<String>,
}

fn table() -> (String, Vec<Row>) {
    let text = fs::read_to_string(root().join(TABLE)).unwrap();
    let rows = text.lines().enumerate().filter(|(_, line)| line.starts_with("ok ") || line.starts_with("no "));
    let rows = rows.map(|(at, line)| {
        let mut words = words(line).into_iter();
        let cosign = words.next().unwrap() == "ok";
        let status = words.next().unwrap().parse().unwrap();
        Row { line: at + 1, cosign, status, args: words.collect() }
    });
    let rows = rows.collect();
    (text, rows)
}

/// Words between spaces; `'…'` is one, spaces and all.
fn words(line: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').unwrap_or_else(|| panic!("a quote that does not end: {line}")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        all.push(word.to_owned());
        rest = after.trim_start();
    }
    all
}

fn run(mut command: Command, row: &Row) -> Output {
    let expand = |arg: &String| NAMES.iter().fold(arg.clone(), |arg, (name, value)| arg.replace(name, value));
    command.args(row.args.iter().map(expand)).current_dir(fixture(""));
    // Whoever asks the network gets no answer.
    for proxy in ["HTTPS_PROXY", "HTTP_PROXY"] {
        command.env(proxy, "http://127.0.0.1:9");
    }
    command.stdin(File::open(fixture("sigstore-cosign/blob.txt")).unwrap()).output().unwrap()
}

/// Runs all rows, two at a time, and gives what came of each, in order.
fn run_all(rows: &[Row], command: impl Fn() -> Command + Sync) -> Vec<Output> {
    let next = AtomicUsize::new(0);
    let mut done: BTreeMap<usize, Output> = BTreeMap::new();
    std::thread::scope(|scope| {
        let work = || {
            let mut mine = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(row) = rows.get(at) else { return mine };
                mine.push((at, run(command(), row)));
            }
        };
        let workers = [scope.spawn(work), scope.spawn(work)];
        for worker in workers {
            done.extend(worker.join().unwrap());
        }
    });
    done.into_values().collect()
}

#[test]
fn verdicts_are_those_of_the_table() {
    let (_, rows) = table();
    assert!(rows.len() >= 270, "{} rows", rows.len());
    let home = tempfile::tempdir().unwrap();
    let outputs = run_all(&rows, || {
        let mut command = Command::new(modanchor());
        command.args(["sigstore", "verify-blob", "--offline", "--no-cache"]);
        command.env_clear().env("HOME", home.path());
        command
    });
    let mut wrong = String::new();
    for (row, output) in rows.iter().zip(&outputs) {
        let status = output.status.code().expect("it ends by itself");
        let stderr = String::from_utf8_lossy(&output.stderr);
        let says_ok = stderr.lines().any(|line| line == "Verified OK");
        if status != row.status || says_ok != (status == 0) {
            writeln!(wrong, "{TABLE}:{}: {status} and not {}: {}\n{stderr}", row.line, row.status, row.args.join(" "))
                .unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What cosign refuses, we refuse; the other way around only where the table says why.
#[test]
fn the_table_agrees_with_itself() {
    let (text, rows) = table();
    let reasons = ["# Where we differ", "# Flags that are refused"];
    let lines: Vec<&str> = text.lines().collect();
    for row in rows {
        let section = lines[..row.line].iter().rev().find(|line| line.starts_with("# ")).unwrap();
        let reason = reasons.iter().any(|reason| section.starts_with(reason));
        match (row.cosign, row.status) {
            (true, 0) => {}
            // Its flags have no short form, ours have; and it cannot verify what it signed itself without being told how.
            (false, 0) if section.contains("no short form") || section.contains("needs no flag") => {}
            (false, 0) => panic!("line {}: cosign refuses what passes here", row.line),
            (true, status) => assert!(reason, "line {}: cosign passes what is {status} here, for no reason", row.line),
            (false, status) => assert!((1..=3).contains(&status), "line {}", row.line),
        }
    }
}

/// The cosign of the table's version; none, and says so, where there is none.
#[allow(clippy::print_stderr, reason = "a test that skips must say so")]
pub(crate) fn cosign() -> Option<PathBuf> {
    let program = std::env::var_os("MODANCHOR_COSIGN").map_or_else(|| PathBuf::from("cosign"), PathBuf::from);
    let Ok(output) = Command::new(&program).arg("version").output() else {
        eprintln!("skipped: there is no cosign on the PATH, and MODANCHOR_COSIGN names none");
        return None;
    };
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    if !version.contains(VERSION) {
        eprintln!("skipped: the cosign that is here is not {VERSION}");
        return None;
    }
    Some(program)
}

#[test]
fn cosign_still_says_so() {
    let Some(program) = cosign() else { return };
    let (text, rows) = table();
    let home = tempfile::tempdir().unwrap();
    let outputs = run_all(&rows, || {
        let mut command = Command::new(&program);
        command.arg("verify-blob").env("HOME", home.path()).envs(COSIGNS_TRUST.iter().copied());
        command
    });
    if std::env::var_os("UPDATE_COSIGN").is_some() {
        return fs::write(root().join(TABLE), updated(&text, &rows, &outputs)).unwrap();
    }
    let mut wrong = String::new();
    for (row, output) in rows.iter().zip(&outputs) {
        if output.status.success() != row.cosign {
            writeln!(wrong, "{TABLE}:{}: {}\n{}", row.line, row.args.join(" "), word(output)).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The first line that cosign has to say, beside warnings.
fn word(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut lines = stderr.lines().filter(|line| !line.is_empty() && !line.contains("deprecated"));
    lines.find(|line| !line.starts_with("WARNING")).unwrap_or_default().chars().take(160).collect()
}

fn updated(text: &str, rows: &[Row], outputs: &[Output]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (row, output) in rows.iter().zip(outputs) {
        let rest = lines[row.line - 1][2..].to_owned();
        lines[row.line - 1] = if output.status.success() { "ok" } else { "no" }.to_owned() + &rest;
        lines[row.line] = format!("    {}", word(output));
    }
    lines.join("\n") + "\n"
}
