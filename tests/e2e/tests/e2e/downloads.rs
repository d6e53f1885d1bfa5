//! `--zips download`: zips by way of GOPROXY, hashed and thrown away.

use std::fs;

use e2e::{Report, Run, write};

use crate::project::{LIB, Project, shown};

/// `verify --zips download` with a module cache that is not there.
fn download(project: &Project, args: &[&str]) -> Run {
    project.verify(["--zips", "download"]).args(args).env("GOMODCACHE", project.s.path("none"))
}

/// Runs it, and makes sure that no module cache was made.
#[track_caller]
fn report(project: &Project, run: Run, status: i32) -> Report {
    let report = project.report(run, status);
    assert!(!project.s.path("none").exists());
    report
}

#[test]
fn what_the_proxy_serves_passes() {
    let Some(project) = Project::new() else { return };
    let file = format!("file://{}", project.s.path("gomodcache/cache/download").display());
    let over_http = report(&project, download(&project, &[]), 0);
    assert!(over_http.findings().is_empty(), "{:?}", over_http.findings());
    assert_eq!(over_http.0["counts"]["bytes"]["zip"], 4);
    // No download is for nothing: what is in the cache is not fetched.
    project.server.reset();
    project.report(project.verify(["--zips", "download"]), 0);
    assert_eq!(project.server.paths(), Vec::<String>::new());
    for args in [&[][..], &["--offline"], &["--hash-engine", "component"]] {
        let over_file = report(&project, download(&project, args).env("GOPROXY", &file), 0);
        assert_eq!(over_file.clone().timeless(), over_http.clone().timeless(), "{args:?}");
    }
    // A module cache that has to be there is not replaced by it.
    assert_eq!(report(&project, download(&project, &["--modcache", "require"]), 3).rules(), ["unchecked"]);
}

#[test]
fn a_proxy_that_serves_other_content_is_found() {
    let Some(project) = Project::new() else { return };
    let file = project.s.path("modules").join(LIB).join("lib.go");
    let text = fs::read(&file).expect("a file");
    write(&file, "package lib\n");
    let liar = project.another(&[]);
    write(&file, text);
    let honest = project.proxy();
    let lies = format!("{}/proxy", liar.url());
    for list in [lies.clone(), format!("{lies},{honest}"), format!("{lies}|{honest}")] {
        let found = report(&project, download(&project, &[]).env("GOPROXY", list), 1);
        let [finding] = found.findings() else { panic!("{:?}", found.findings()) };
        let (rule, file, message) = shown(finding);
        assert_eq!((rule, file), ("zip-mismatch", "go.sum"));
        assert!(message.contains("the zip of dep.example/lib v1.2.0 that GOPROXY serves"), "{message}");
        assert_eq!(found.0["counts"]["bytes"]["zip"], 3);
    }
    for (fault, status, rule) in [
        ("lib/@v/.*zip$=short", 1, "zip-refused"),
        ("lib/@v/.*zip$=empty", 1, "zip-refused"),
        ("lib/@v/.*zip$=html", 3, "unchecked"),
        ("lib/@v/.*zip$=oversize", 1, "zip-refused"),
        ("lib/@v/.*zip$=truncate", 3, "unchecked"),
        ("lib/@v/.*zip$=hang", 3, "unchecked"),
        ("lib/@v/.*zip$=404", 3, "unchecked"),
        ("lib/@v/.*zip$=410", 3, "unchecked"),
        ("lib/@v/.*zip$=500", 3, "unchecked"),
        ("lib/@v/.*zip$=403", 3, "unchecked"),
    ] {
        let server = project.another(&["--fail", fault]);
        let run = download(&project, &["--timeout", "1s", "--max-wait", "2s"])
            .env("GOPROXY", format!("{}/proxy", server.url()));
        let found = report(&project, run, status);
        assert_eq!(found.rules(), [rule], "{fault}: {:?}", found.findings());
        assert!(shown(&found.findings()[0]).2.contains("dep.example/lib"), "{fault}: {:?}", found.findings());
    }
}

#[test]
fn without_a_proxy_zips_are_unchecked() {
    let Some(project) = Project::new() else { return };
    // What the log says is kept, so that only the zips are wanting.
    project.report(project.verify([]), 0);
    let proxy = project.proxy();
    let empty = format!("file://{}", project.s.path("tmp").display());
    let cases: [(&[&str], String); 7] = [
        (&[], "direct".into()),
        (&[], "off".into()),
        (&[], format!("{empty},direct")),
        (&[], format!("{empty}|direct")),
        (&[], empty.clone()),
        (&[], "http://127.0.0.1:9".into()),
        (&["--offline"], proxy.clone()),
    ];
    for (args, list) in cases {
        project.server.reset();
        let found = report(&project, download(&project, args).args(["--max-wait", "2s"]).env("GOPROXY", &list), 3);
        assert_eq!(found.rules(), ["unchecked"], "{list}: {:?}", found.findings());
        assert_eq!(found.0["counts"]["bytes"]["zip"], 0, "{list}");
        assert_eq!(found.count("verified"), 8, "{list}");
        assert_eq!(project.server.paths(), Vec::<String>::new(), "{list}");
    }
    // Behind a proxy that has nothing comes the next.
    report(&project, download(&project, &[]).env("GOPROXY", format!("{empty},{proxy}")), 0);
}

/// What GONOPROXY covers is fetched from where it is developed, or not at all: no proxy hears of it.
#[test]
fn private_modules_are_named_to_no_proxy() {
    let Some(project) = Project::new() else { return };
    for (variable, status) in [("GONOPROXY", 3), ("GOPRIVATE", 3)] {
        project.server.reset();
        let found = report(&project, download(&project, &[]).env(variable, "dep.example/lib"), status);
        assert!(found.rules().contains(&"unchecked"), "{:?}", found.findings());
        let paths = project.server.paths();
        assert!(!paths.iter().any(|path| path.contains("/proxy/dep.example/lib/")), "{paths:?}");
        assert!(paths.iter().any(|path| path.contains("/proxy/dep.example/base/")), "{paths:?}");
    }
}
