//! The git command on good, cut off and hostile checkouts.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use modanchor_host::ci::event::Commit;
use modanchor_host::ci::git::{Git, GitError, MAX_COMPARED};
use modanchor_host::ci::lines::Lines;

use crate::repo::{Repo, has_git};

fn ranges(ranges: &[(u32, u32)]) -> Option<Lines> {
    Some(Lines::Ranges(ranges.iter().map(|&(from, to)| from..=to).collect()))
}

#[cfg(unix)]
fn script(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    // By a process of its own: a file that this one has open for writing is passed on to whatever other tests start just
    // then, and until that has closed it, it cannot be executed ("text file busy").
    let text = format!("#!/bin/sh\n{text}\n");
    let write =
        std::process::Command::new("sh").args(["-c", "printf %s \"$2\" >\"$1\"", "sh"]).arg(path).arg(text).status();
    assert!(write.unwrap().success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[cfg(unix)]
#[test]
fn a_git_of_the_checkout_is_never_run() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let checkout = base.join("tree");
    let own = checkout.join("bin");
    script(&own.join("git"), "exit 0");
    std::os::unix::fs::symlink(&own, base.join("link")).unwrap();
    fs::create_dir(base.join("linked")).unwrap();
    std::os::unix::fs::symlink(own.join("git"), base.join("linked/git")).unwrap();
    fs::create_dir(base.join("not-a-program")).unwrap();
    fs::write(base.join("not-a-program/git"), "").unwrap();
    let find = |path: String| Git::find(|name| (name == "PATH").then(|| OsString::from(&path)), &checkout);

    let hostile = format!(
        "{own}:{base}/link:{base}/linked:{base}/not-a-program:{base}/none:.:bin:",
        own = own.display(),
        base = base.display()
    );
    let error = find(hostile.clone()).unwrap_err();
    assert!(matches!(error, GitError::NoGit), "{error}");
    assert!(matches!(find(String::new()).unwrap_err(), GitError::NoGit));
    script(&base.join("good/git"), "exit 0");
    find(format!("{hostile}:{}/good", base.display())).unwrap();
}

#[test]
fn what_is_no_checkout() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let open = |folder: &Path| repo.open_at(folder).unwrap_err();
    assert!(matches!(open(&repo.home()), GitError::NotARepository(_)), "{}", open(&repo.home()));
    assert!(matches!(open(&repo.path()), GitError::NoCommit), "{}", open(&repo.path()));
    repo.at(&repo.base(), &["init", "--quiet", "--bare", "bare"]);
    let bare = repo.base().join("bare");
    assert!(matches!(open(&bare), GitError::NotARepository(_)), "{}", open(&bare));
}

#[test]
fn a_bare_repository_in_the_tree_is_passed_over() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    repo.write("module/HEAD", "ref: refs/heads/main\n");
    let config =
        format!("[core]\n\trepositoryFormatVersion = 0\n\tbare = false\n\tworktree = {}\n", repo.base().display());
    repo.write("module/config", config);
    for folder in ["module/objects/x", "module/refs/x"] {
        repo.write(folder, "");
    }
    repo.commit();
    match repo.open_at(&repo.path().join("module")) {
        // Which versions of git say which.
        Err(GitError::NotARepository(_)) => {}
        Ok(checkout) => assert_eq!(checkout.toplevel(), repo.path()),
        Err(error) => panic!("{error}"),
    }
}

#[cfg(unix)]
#[test]
fn a_checkout_of_another_user_is_refused_until_the_user_says_that_it_is_safe() {
    use std::os::unix::fs::{MetadataExt as _, chown};
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    repo.commit();
    if fs::metadata(repo.path()).unwrap().uid() != 0 {
        eprintln!("skipped: only root can give a folder to another user");
        return;
    }
    for path in [repo.path(), repo.path().join(".git")] {
        chown(path, Some(12345), None).unwrap();
    }
    let error = repo.open_at(&repo.path()).unwrap_err();
    assert!(matches!(error, GitError::DubiousOwnership(_)), "{error}");
    repo.at(&repo.base(), &["config", "--global", "safe.directory", repo.path().to_str().unwrap()]);
    repo.open();
}

#[test]
fn files_of_a_commit() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    repo.write("go.sum", "a\n");
    repo.write("-x/a*b", "star");
    repo.write("-x/ab", "other");
    repo.write("empty", "");
    #[cfg(unix)]
    std::os::unix::fs::symlink("/etc/passwd", repo.path().join("link")).unwrap();
    let commit = repo.commit();
    repo.write("go.sum", "changed\n");
    let checkout = repo.open();
    let show = |path: &str, limit| checkout.show(&commit, path, limit);

    assert_eq!(show("go.sum", 2).unwrap().as_deref(), Some(&b"a\n"[..]), "as the commit has it");
    assert_eq!(show("-x/a*b", 9).unwrap().as_deref(), Some(&b"star"[..]));
    assert_eq!(show("empty", 9).unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(show("none", 9).unwrap(), None);
    assert_eq!(show("go.sum/x", 9).unwrap(), None);
    assert_eq!(show("*", 9).unwrap(), None);
    assert!(matches!(show("go.sum", 1).unwrap_err(), GitError::TooLarge { limit: 1, .. }));
    assert!(matches!(show("-x", 9).unwrap_err(), GitError::NotRegular { .. }), "a folder");
    if cfg!(unix) {
        assert!(matches!(show("link", 99).unwrap_err(), GitError::NotRegular { .. }), "a link is not followed");
    }
    for path in ["", "/etc/passwd", "../x", "a/./b", "a\0b"] {
        assert!(matches!(show(path, 9).unwrap_err(), GitError::Path(_)), "{path:?}");
    }
    let absent = Commit::parse(&"1".repeat(40)).unwrap();
    assert!(matches!(checkout.show(&absent, "go.sum", 9).unwrap_err(), GitError::Absent(_)));
}

#[test]
fn parents_merge_bases_and_branches() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let root = repo.commit();
    repo.git(&["checkout", "--quiet", "-b", "feature"]);
    repo.write("a", "1");
    let feature = repo.commit();
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("b", "1");
    let main = repo.commit();
    repo.git(&["merge", "--quiet", "--no-ff", "--message", "parent 1\n\nparent 2", "feature"]);
    let checkout = repo.open();
    assert_eq!(checkout.parents().unwrap(), [main.clone(), feature.clone()]);
    assert_eq!(checkout.merge_base(&main, &feature).unwrap(), Some(root.clone()));
    repo.git(&["checkout", "--quiet", "--orphan", "other"]);
    let other = repo.commit();
    assert_eq!(repo.open().parents().unwrap(), []);
    assert_eq!(repo.open().merge_base(&main, &other).unwrap(), None);

    // Somebody says that a commit is another.
    repo.git(&["checkout", "--quiet", feature.as_str()]);
    repo.git(&["replace", feature.as_str(), other.as_str()]);
    assert_eq!(repo.git(&["rev-parse", "HEAD^@"]), "", "git itself believes it");
    assert_eq!(repo.open().parents().unwrap(), [root]);
}

#[test]
fn a_history_that_is_cut_off() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let root = repo.commit();
    repo.write("a", "1");
    let head = repo.commit();
    let checkout = repo.open_at(&repo.shallow(1)).unwrap();
    assert_eq!(checkout.head(), &head);
    assert_eq!(checkout.parents().unwrap(), std::slice::from_ref(&root), "the commit itself knows them");
    assert!(!checkout.has(&root).unwrap());
    assert!(matches!(checkout.merge_base(&root, &head).unwrap_err(), GitError::Shallow));
    assert!(matches!(checkout.changed(&root, "a").unwrap_err(), GitError::Absent(absent) if absent == root));
}

#[test]
fn lines_that_changed() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let strange = if cfg!(unix) { "a \"b\"\n\t*[c]" } else { "a b" };
    let many: String = (1..=100).map(|n| format!("line {n}\n")).collect();
    for (path, content) in [
        ("same", "a\nb\n"),
        ("added", "a\nb\n"),
        ("removed", "a\nb\nc\n"),
        ("rewritten", many.as_str()),
        ("headers", "a\n"),
        ("no-end", "a"),
        ("crlf", "a\nb\n"),
        ("old-name", "a\nb\n"),
        ("-option", "a\n"),
        ("gone", "a\n"),
        ("dir/file", "a\n"),
        (strange, "a\n"),
        ("binary", "a\n"),
        ("becomes-link", "a\n"),
        (".gitattributes", "* -diff -text\n"),
    ] {
        repo.write(path, content);
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("same", repo.path().join("was-link")).unwrap();
    let base = repo.commit();
    let swapped = many.replace("line 7\n", "").replace("line 50\n", "fifty\nfifty and a half\n");
    for (path, content) in [
        ("added", &b"a\nx\nb\ny\n"[..]),
        ("removed", b"a\nc\n"),
        ("rewritten", swapped.as_bytes()),
        ("headers", b"a\n@@ -1,100 +1,100 @@\n--- a/headers\n+++ b/headers\ndiff --git a/x b/x\n\\ No newline\n"),
        ("no-end", b"a\nb"),
        ("crlf", b"a\r\nb\n"),
        ("-option", b"a\nb\n"),
        ("dir/file", b"b\n"),
        (strange, b"b\na\n"),
        ("binary", b"a\n\0\xff\xfe\nz\n"),
        ("new", b"a\n"),
    ] {
        repo.write(path, content);
    }
    repo.remove("gone");
    repo.git(&["mv", "old-name", "new-name"]);
    #[cfg(unix)]
    {
        repo.remove("becomes-link");
        repo.remove("was-link");
        repo.write("was-link", "same");
        std::os::unix::fs::symlink("same", repo.path().join("becomes-link")).unwrap();
        fs::rename(repo.path().join("dir"), repo.path().join("real")).unwrap();
        std::os::unix::fs::symlink("real", repo.path().join("dir")).unwrap();
    }
    let checkout = repo.open();
    for (path, want) in [
        ("same", None),
        ("added", ranges(&[(2, 2), (4, 4)])),
        ("removed", ranges(&[])),
        ("rewritten", ranges(&[(49, 50)])),
        ("headers", ranges(&[(2, 6)])),
        ("no-end", ranges(&[(1, 2)])),
        ("crlf", ranges(&[(1, 1)])),
        ("-option", ranges(&[(2, 2)])),
        (strange, ranges(&[(1, 1)])),
        ("binary", ranges(&[(2, 3)])),
        ("new", Some(Lines::All)),
        ("new-name", Some(Lines::All)),
        ("gone", Some(Lines::All)),
        ("nowhere", Some(Lines::All)),
        ("dir", Some(Lines::All)),
    ] {
        assert_eq!(checkout.changed(&base, path).unwrap(), want, "{path:?}");
    }
    if cfg!(unix) {
        for path in ["becomes-link", "was-link", "dir/file"] {
            assert_eq!(checkout.changed(&base, path).unwrap(), Some(Lines::All), "{path}");
        }
    }
    assert!(matches!(checkout.changed(&base, "../tree/same").unwrap_err(), GitError::Path(_)));
}

#[test]
fn what_is_too_large_to_compare_counts_as_changed() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let limit = usize::try_from(MAX_COMPARED).unwrap();
    repo.write("shrinks", vec![b'\n'; limit + 1]);
    repo.write("grows", "a\n");
    // Every second line changes: the diff is many times larger than both.
    repo.write("dense", "a\nb\n".repeat(100_000));
    let base = repo.commit();
    repo.write("shrinks", "a\n");
    repo.write("grows", vec![b'\n'; limit + 1]);
    repo.write("dense", "a\nc\n".repeat(100_000));
    for path in ["shrinks", "grows", "dense"] {
        assert_eq!(repo.open().changed(&base, path).unwrap(), Some(Lines::All), "{path}");
    }
}

#[cfg(unix)]
#[test]
fn files_beside_whose_names_are_not_utf8() {
    use std::os::unix::ffi::OsStrExt as _;
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let name = std::ffi::OsStr::from_bytes(b"go\xff.sum");
    if fs::write(repo.path().join(name), "a\n").is_err() {
        eprintln!("skipped: the file system takes no such names");
        return;
    }
    repo.write("go.sum", "a\n");
    let base = repo.commit();
    repo.write("go.sum", "b\n");
    assert_eq!(repo.open().changed(&base, "go.sum").unwrap(), ranges(&[(1, 1)]));
    assert_eq!(repo.open().changed(&base, "go\u{fffd}.sum").unwrap(), Some(Lines::All));
}

/// Everything in `.git/config` and `.gitattributes` that runs a program. Each is seen to run one in plain git, and none
/// does here.
#[cfg(unix)]
#[test]
fn nothing_that_the_checkout_names_is_run() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    repo.write("go.sum", "a\n");
    repo.write(".gitattributes", "* diff=evil filter=evil merge=evil working-tree-encoding=UTF-8\n");
    let base = repo.commit();
    repo.write("go.sum", "a\nb\n");
    let head = repo.commit();
    repo.write("go.sum", "a\nb\nc\n");

    let ran = repo.base().join("ran");
    let evil = repo.base().join("evil");
    script(&evil, &format!("echo \"$0 $*\" >>{}; cat \"$1\" 2>/dev/null; exit 0", ran.display()));
    let evil = evil.to_str().unwrap();
    for (key, value) in [
        ("core.fsmonitor", evil),
        ("core.pager", evil),
        ("core.sshCommand", evil),
        ("core.askPass", evil),
        ("core.hooksPath", repo.base().to_str().unwrap()),
        ("diff.external", evil),
        ("diff.evil.command", evil),
        ("diff.evil.textconv", evil),
        ("filter.evil.clean", evil),
        ("filter.evil.smudge", evil),
        ("alias.cat-file", &format!("!{evil}")),
        ("pager.ls-tree", evil),
        ("extensions.partialClone", "origin"),
        ("core.repositoryFormatVersion", "1"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", repo.base().to_str().unwrap()),
        ("remote.origin.uploadpack", evil),
        ("protocol.file.allow", "always"),
        ("protocol.ext.allow", "always"),
    ] {
        repo.git(&["config", key, value]);
    }
    let ran_since = || {
        let there = ran.exists();
        _ = fs::remove_file(&ran);
        there
    };
    let absent = "1".repeat(40);
    for control in [
        &["status"][..],
        &["diff", "HEAD"],
        &["diff", "--no-ext-diff", "HEAD"],
        &["-c", "core.fsmonitor=false", "diff", "--no-ext-diff", "--no-textconv", "HEAD"],
        &["cat-file", "-e", &absent],
    ] {
        _ = repo.command(&repo.path()).args(control).output().unwrap();
        assert!(ran_since(), "git {control:?} ran nothing: this test shows nothing");
        // What git believes to know of the file now.
        repo.write("go.sum", "a\nb\nc\n");
    }

    let checkout = repo.open();
    assert_eq!(checkout.changed(&base, "go.sum").unwrap(), ranges(&[(2, 3)]));
    assert_eq!(checkout.changed(&head, "go.sum").unwrap(), ranges(&[(3, 3)]));
    assert_eq!(checkout.show(&base, "go.sum", 9).unwrap().as_deref(), Some(&b"a\n"[..]));
    assert_eq!(checkout.parents().unwrap(), std::slice::from_ref(&base));
    assert_eq!(checkout.merge_base(&base, &head).unwrap(), Some(base));
    let absent = Commit::parse(&absent).unwrap();
    assert!(!checkout.has(&absent).unwrap());
    assert!(matches!(checkout.changed(&absent, "go.sum").unwrap_err(), GitError::Absent(_)));
    assert!(!ran_since(), "{}", fs::read_to_string(&ran).unwrap_or_default());
}

/// A git that prints for ever, that never ends, that lies, that fails.
#[cfg(unix)]
#[test]
fn a_git_that_misbehaves() {
    let folder = tempfile::tempdir().unwrap();
    let bin = folder.path().join("bin");
    let open = |text: &str, timeout| {
        script(&bin.join("git"), text);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let git = Git::find(|name| (name == "PATH").then(|| OsString::from(&path)), &folder.path().join("tree"));
        git.unwrap().with_timeout(timeout).open(folder.path()).unwrap_err()
    };
    let long = Duration::from_secs(600);
    let error = open("exec sleep 600", Duration::from_millis(50));
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
    // Something that it started holds its output open.
    let error = open("sleep 600 & exit 0", Duration::from_millis(50));
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
    let error = open("exec >&-; exec 2>&-; exec sleep 600", Duration::from_millis(50));
    assert!(matches!(error, GitError::TimedOut { .. }), "{error}");
    let error = open("exec yes", long);
    assert!(matches!(error, GitError::TooLarge { .. }), "{error}");
    // Cargo sets variables for tests, which are none of git's business.
    let error = open("env >&2; exit 3", long);
    let environment = error.to_string();
    assert!(environment.contains("GIT_TERMINAL_PROMPT=0") && !environment.contains("CARGO"), "{environment}");
    let error = open("echo relative", long);
    assert!(matches!(error, GitError::Unexpected { .. }), "{error}");
    let error = open("echo /", long);
    assert!(matches!(error, GitError::NoGit), "its own repository reaches up to where it lies: {error}");
    let work = folder.path().join("tree");
    fs::create_dir(&work).unwrap();
    let error = open(&format!("case \"$*\" in *toplevel) echo {};; *) echo x;; esac", work.display()), long);
    assert!(matches!(error, GitError::Unexpected { .. }), "{error}");
    let error = open("yes 'fatal: \u{1b}[31m' | head -c 100000 >&2; exit 3", long);
    assert!(matches!(&error, GitError::Failed { complaint, .. } if complaint.contains("\\u{1b}")), "{error}");
    assert!(error.to_string().len() < 20_000);
}

#[test]
fn the_environment_names_no_other_repository() {
    if !has_git() {
        return;
    }
    let repo = Repo::new();
    let head = repo.commit();
    let lookup = repo.lookup();
    let hostile = move |name: &str| match name {
        "GIT_DIR" | "GIT_WORK_TREE" | "GIT_EXTERNAL_DIFF" | "GIT_OBJECT_DIRECTORY" | "LD_PRELOAD" => Some("/x".into()),
        name => lookup(name),
    };
    let git = Git::find(hostile, &repo.path()).unwrap();
    assert_eq!(git.open(&repo.path()).unwrap().head(), &head);
}
