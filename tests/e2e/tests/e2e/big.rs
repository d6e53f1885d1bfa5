//! A go.sum of a million lines, with nobody to ask.

use std::fmt::Write as _;
use std::fs;

use e2e::{SUM_GOLANG_ORG, Sandbox, peer};

/// Far above what is needed, far below what a list of a list of a million things takes that is held five times.
const MAX_BYTES: u64 = 3 << 30;

fn lines(n: usize) -> String {
    let mut text = String::new();
    for i in 0..n / 2 {
        let hash = format!("h1:{i:0>42}A=");
        writeln!(text, "filler.example/m{i:06} v1.0.0 {hash}\nfiller.example/m{i:06} v1.0.0/go.mod {hash}")
            .expect("memory");
    }
    text
}

/// Runs under `peer measure`; returns the peak memory.
fn measured(s: &Sandbox, args: &[&str], sumdb: &str) -> Option<u64> {
    let file = s.path("measured.json");
    let out = s
        .run(["verify"])
        .args(args)
        .env("GOSUMDB", sumdb)
        .under([peer()?.as_os_str(), "measure".as_ref(), file.as_os_str()])
        .end();
    assert_eq!(out.status, 0, "{}", out.stderr);
    let measured: serde_json::Value = serde_json::from_slice(&fs::read(file).expect("written")).expect("JSON");
    assert_eq!(measured["status"], 3, "{}\n{}", out.stdout.chars().take(3000).collect::<String>(), out.stderr);
    Some(measured["max_rss_bytes"].as_u64().expect("a number"))
}

#[test]
#[cfg(unix)]
fn a_million_lines_offline_end_in_bounded_memory() {
    let s = Sandbox::with_gosum(&lines(1_000_000));
    let format = format!("json={}", s.path("report.json").display());
    let args = ["--offline", "--format", &format];
    let Some(bytes) = measured(&s, &args, SUM_GOLANG_ORG) else {
        return;
    };
    assert!(bytes < MAX_BYTES, "{bytes} bytes");
    let report = fs::read_to_string(s.path("report.json")).expect("it was written");
    assert!(report.contains("incomplete") && !report.contains("\"verified\": 1"), "no pass");
}

#[test]
#[cfg(unix)]
fn a_dead_server_is_not_asked_a_hundred_thousand_times_to_no_end() {
    let s = Sandbox::with_gosum(&lines(100_000));
    let sumdb = format!("{SUM_GOLANG_ORG} http://127.0.0.1:9");
    let Some(bytes) = measured(&s, &["--max-wait", "3s"], &sumdb) else {
        return;
    };
    assert!(bytes < MAX_BYTES, "{bytes} bytes");
}
