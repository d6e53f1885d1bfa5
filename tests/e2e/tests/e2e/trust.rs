//! Whose word counts: nothing in the checkout that is judged softens the verdict.

use std::fs;

use e2e::{SUM_GOLANG_ORG, Sandbox, change_hash, recorded_proxy};

const NONE: [&str; 0] = [];
const LINE: usize = 8;

/// The project with one wrong line, and what `soften` adds to it.
fn wrong(soften: &dyn Fn(&Sandbox)) -> Sandbox {
    let s = Sandbox::hello();
    s.write("go.sum", change_hash(&s.read("go.sum"), LINE));
    soften(&s);
    s
}

/// The module of the wrong line.
const MODULE: &str = "github.com/spf13/cobra";

#[test]
fn files_of_gos_own_in_the_checkout_are_not_settings() {
    let settings = "GOSUMDB=off\nGONOSUMDB=*\nGOPRIVATE=*\nGONOSUMCHECK=1\nGOFLAGS=-mod=mod -insecure\nGOINSECURE=*\n\
                    GOPROXY=off\nGOENV=go.env\n";
    for file in [
        "go.env",
        ".env",
        ".envrc",
        "env",
        "go/env",
        ".config/go/env",
        ".github/go.env",
        "GOFLAGS",
        "Library/Application Support/go/env",
    ] {
        let s = wrong(&|s| s.write(file, settings));
        let report = s.verify(NONE).env_remove("GOENV").end().status(1).report();
        assert_eq!(report.rules(), ["gosum-mismatch"], "{file}");
        assert_eq!((report.count("verified"), report.count("skipped")), (18, 0), "{file}");
    }
}

/// What the user's own settings file says, on the other hand, counts.
#[test]
fn the_users_own_go_env_counts() {
    let s = wrong(&|_| ());
    let file = s.path("goenv");
    e2e::write(&file, "GONOSUMDB=github.com/spf13/*\n");
    let report = s.verify(NONE).env("GOENV", &file).end().status(0).report();
    assert_eq!(report.count("skipped"), 4);
    // The environment wins over it.
    s.verify(NONE).env("GOENV", &file).env("GONOSUMDB", "none").end().status(1);
}

#[test]
fn credentials_and_git_settings_in_the_checkout_are_not_read() {
    type Soften = fn(&Sandbox);
    let cases: [(&str, Soften); 4] = [
        (".netrc", |s| s.write(".netrc", "machine 127.0.0.1 login a password b\ndefault login a password b\n")),
        (".git/config", |s| {
            let text = "[url \"http://127.0.0.1:9/\"]\n\tinsteadOf = https://\n[http]\n\tproxy = http://127.0.0.1:9\n\
                        \tsslVerify = false\n[core]\n\tfsmonitor = touch pwned\n\tsshCommand = touch pwned\n";
            s.write(".git/config", text);
            s.write(".git/HEAD", "ref: refs/heads/main\n");
        }),
        (".gitignore", |s| {
            s.write(".git/HEAD", "ref: refs/heads/main\n");
            s.write(".gitignore", "*\ngo.sum\n");
            s.write(".ignore", "go.sum\n");
            s.write(".git/info/exclude", "go.sum\n");
        }),
        (".gitattributes", |s| s.write(".gitattributes", "go.sum -diff linguist-generated export-ignore\n")),
    ];
    for (name, soften) in cases {
        let s = wrong(&soften);
        let report = s.verify(NONE).end().status(1).report();
        assert_eq!(report.rules(), ["gosum-mismatch"], "{name}");
        assert_eq!(report.count("verified"), 18, "{name}");
        assert!(!s.checkout().join("pwned").exists());
    }
}

#[test]
fn a_configuration_in_the_checkout_sets_no_url_key_or_pattern() {
    let sumdb = format!("{SUM_GOLANG_ORG} http://127.0.0.1:9");
    let key = "other.example+00000000+AAAA";
    let home = recorded_proxy();
    for text in [
        format!("sumdb = \"{sumdb}\"\n"),
        format!("sumdb = \"{key}\"\n"),
        "sumdb = \"off\"\n".to_owned(),
        "gosumdb = \"off\"\n".to_owned(),
        "gonosumdb = \"*\"\n".to_owned(),
        "goprivate = \"*\"\n".to_owned(),
        "skip = [\"*\"]\n".to_owned(),
        format!("goproxy = \"{home}\"\n"),
        "cache-dir = \".cache\"\n".to_owned(),
        "exclude = [\"**\"]\n".to_owned(),
        "fail-on = \"never\"\n".to_owned(),
        "fail_on = \"never\"\n".to_owned(),
        "offline = true\nallow-incomplete = true\n".to_owned(),
        format!("[[ignore]]\nrule = \"gosum-mismatch\"\nmodule = \"{MODULE}\"\nreason = \"it is fine\"\n"),
        "[[ignore]]\nrule = \"*\"\nmodule = \"*\"\nreason = \"it is fine\"\n".to_owned(),
        "[[ignore]]\nrule = \"sumdb-bad-signature\"\nmodule = \"*\"\nreason = \"it is fine\"\n".to_owned(),
        "this is no TOML\n".to_owned(),
    ] {
        for file in [".modanchor.toml", ".github/modanchor.toml", "modanchor.toml"] {
            let s = wrong(&|s| s.write(file, &text));
            // 2, if it is refused as a whole, is no pass either.
            let out = s.verify(NONE).end().status_in(&[1, 2]);
            if out.status == 1 {
                let report = out.report();
                assert_eq!(report.of("gosum-mismatch").len(), 1, "{file}: {text}: {:?}", report.findings());
                assert_eq!((report.count("verified"), report.count("skipped")), (18, 0), "{file}: {text}");
            } else {
                assert!(out.stderr.contains("toml"), "{file}: {}", out.stderr);
            }
        }
    }
}

#[test]
fn criticals_of_the_database_cannot_be_ignored_by_anyone() {
    let s = Sandbox::hello();
    let config = s.path("config.toml");
    let rules = ["sumdb-bad-signature", "sumdb-bad-proof", "sumdb-no-line", "sumdb-fork"];
    for rule in rules {
        e2e::write(&config, format!("[[ignore]]\nrule = \"{rule}\"\nmodule = \"*\"\nreason = \"it is fine\"\n"));
        let latest = s.latest_path("sum.golang.org");
        e2e::write(&latest, "not a head\n");
        let out = s.verify(["--config"]).args([&config]).end().status_in(&[1, 2]);
        assert!(out.status == 1 || out.stderr.contains(rule), "{rule}: {}", out.stderr);
    }
}

#[test]
fn words_of_the_modules_files_do_not_help() {
    type Soften = fn(&Sandbox, honest: &str);
    let cases: [(&str, Soften); 8] = [
        ("a replace", |s, _| {
            s.write("go.mod", s.read("go.mod") + "\nreplace github.com/spf13/cobra => ./local\n");
            s.write("local/go.mod", "module github.com/spf13/cobra\n");
        }),
        ("an exclude", |s, _| s.write("go.mod", s.read("go.mod") + "\nexclude github.com/spf13/cobra v1.10.2\n")),
        ("an ignore", |s, _| s.write("go.mod", s.read("go.mod") + "\nignore ./\n")),
        ("a comment", |s, _| s.write("go.mod", "// modanchor: ignore\n//nolint:all\n".to_owned() + &s.read("go.mod"))),
        ("a go.work.sum that is right", |s, honest| {
            s.write("go.work", "go 1.26\n\nuse .\n");
            s.write("go.work.sum", honest);
        }),
        ("a vendor folder", |s, _| {
            s.write("vendor/modules.txt", "# github.com/spf13/cobra v1.10.2\n## explicit\ngithub.com/spf13/cobra\n");
        }),
        ("the right line first", |s, honest| {
            let right = honest.lines().nth(LINE - 1).expect("a line");
            s.write("go.sum", format!("{right}\n{}", s.read("go.sum")));
        }),
        ("the right line last", |s, honest| {
            let right = honest.lines().nth(LINE - 1).expect("a line");
            s.write("go.sum", format!("{}{right}\n", s.read("go.sum")));
        }),
    ];
    for (name, soften) in cases {
        let s = wrong(&|_| ());
        soften(&s, &fs::read_to_string(e2e::fixture("hello/go.sum")).expect("the fixture is there"));
        let report = s.verify(NONE).end().status(1).report();
        assert_eq!(report.of("gosum-mismatch").len(), 1, "{name}: {:?}", report.findings());
    }
}

#[test]
fn a_workspace_does_not_reach_out_of_the_checkout() {
    let s = Sandbox::hello();
    s.write("go.work", "go 1.26\n\nuse (\n\t.\n\t../outside\n)\n");
    e2e::write(&s.path("outside/go.mod"), "module outside.example/m\n\ngo 1.26\n");
    e2e::write(&s.path("outside/go.sum"), "SECRET-OF-THE-OUTSIDE a b c\n");
    let out = s.verify(NONE).end();
    assert_ne!(out.status, 0, "{}", out.stdout);
    assert!(!out.stdout.contains("SECRET") && !out.stderr.contains("SECRET"), "{}\n{}", out.stdout, out.stderr);
    // Nor does it make what is wrong inside less wrong.
    s.write("go.sum", change_hash(&s.read("go.sum"), LINE));
    s.verify(NONE).end().status_in(&[1, 2]);
}

#[test]
#[cfg(unix)]
fn links_out_of_the_checkout_are_refused() {
    use std::os::unix::fs::symlink;
    let honest = fs::read_to_string(e2e::fixture("hello/go.sum")).expect("the fixture is there");
    // A file.
    let s = Sandbox::hello();
    e2e::write(&s.path("outside.sum"), &honest);
    fs::remove_file(s.checkout().join("go.sum")).expect("ours");
    symlink(s.path("outside.sum"), s.checkout().join("go.sum")).expect("a link");
    let out = s.verify(NONE).end();
    assert_ne!(out.status, 0, "{}", out.stdout);
    assert!(format!("{}{}", out.stdout, out.stderr).contains("go.sum"), "it does not say which file");
    // A folder.
    let s = Sandbox::hello();
    e2e::write(&s.path("outside/go.mod"), "module outside.example/m\n");
    e2e::write(&s.path("outside/go.sum"), "SECRET a b c\n");
    symlink(s.path("outside"), s.checkout().join("inside")).expect("a link");
    let out = s.verify(NONE).end();
    assert!(!out.stdout.contains("SECRET"), "{}", out.stdout);
    // Something that is no file must not be waited for.
    let s = Sandbox::hello();
    fs::remove_file(s.checkout().join("go.sum")).expect("ours");
    symlink("/dev/zero", s.checkout().join("go.sum")).expect("a link");
    assert_ne!(s.verify(NONE).end().status, 0);
}

#[test]
fn the_cache_is_not_found_in_the_checkout() {
    let s = Sandbox::hello();
    s.verify(NONE).end().status(0);
    // Somebody's else cache, in the checkout, under every name that one might look for.
    for name in [".modanchor", ".cache/modanchor", "cache", ".modanchor-cache"] {
        for (path, bytes) in e2e::files(&s.cache()) {
            let relative = path.strip_prefix(s.cache()).expect("below it");
            e2e::write(&s.checkout().join(name).join(relative), bytes);
        }
    }
    fs::remove_dir_all(s.cache()).expect("ours");
    s.verify(NONE).unplugged().end().status(3);
}
