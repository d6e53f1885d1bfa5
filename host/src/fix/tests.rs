use std::collections::HashSet;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;

/// A folder with a go.sum in it.
fn folder(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("go.sum");
    fs::write(&path, content).unwrap();
    (dir, path)
}

/// A module cache in which a `go` has written before.
fn modcache(dir: &Path) -> PathBuf {
    fs::create_dir(dir.join("cache")).unwrap();
    fs::write(dir.join("cache/lock"), "").unwrap();
    dir.to_path_buf()
}

/// The names of all that is below a folder.
fn names(dir: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.clone());
        if path.is_dir() {
            names.extend(self::names(&path));
        }
    }
    names.sort();
    names
}

/// Adds a line, however often somebody else is faster.
fn add(path: &Path, line: &str, modcache: Option<&Path>) {
    loop {
        let judged = fs::read(path).unwrap();
        let new = [&judged, line.as_bytes()].concat();
        match replace_go_sum(path, &judged, &new, modcache) {
            Ok(()) => return,
            Err(FixError::Changed(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn what_was_judged_is_replaced_and_nothing_is_left_behind() {
    let (dir, path) = folder(b"old\n");
    replace_go_sum(&path, b"old\n", b"new\n", None).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new\n");
    assert_eq!(names(dir.path()), [path]);
}

#[test]
fn what_is_not_what_was_judged_is_left_alone() {
    let (dir, path) = folder(b"old\n");
    for judged in [b"".as_slice(), b"old", b"old\nx", b"new\n"] {
        assert!(matches!(replace_go_sum(&path, judged, b"new\n", None), Err(FixError::Changed(at)) if at == path));
    }
    let gone = dir.path().join("gone");
    assert!(matches!(replace_go_sum(&gone, b"old\n", b"new\n", None), Err(FixError::Changed(_))));
    assert_eq!(fs::read(&path).unwrap(), b"old\n");
    assert_eq!(names(dir.path()), [path]);
}

#[test]
fn a_file_that_is_not_there_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("go.sum");
    replace_go_sum(&path, b"", b"new\n", None).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new\n");
    assert_eq!(names(dir.path()), [path]);
    let nowhere = replace_go_sum(&dir.path().join("no/go.sum"), b"", b"new\n", None);
    assert!(matches!(nowhere, Err(FixError::Io { .. })));
}

#[test]
fn only_regular_files_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(replace_go_sum(dir.path(), b"", b"new\n", None), Err(FixError::NotAFile(_))));
}

#[cfg(unix)]
#[test]
fn links_stay_and_permissions_too() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let (dir, path) = folder(b"old\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    let link = dir.path().join("sub/go.sum");
    symlink("../go.sum", &link).unwrap();
    replace_go_sum(&link, b"old\n", b"new\n", None).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), b"new\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(fs::read_dir(dir.path().join("sub")).unwrap().count(), 1);

    let nowhere = dir.path().join("nowhere");
    symlink("gone", &nowhere).unwrap();
    assert!(matches!(replace_go_sum(&nowhere, b"", b"new\n", None), Err(FixError::NotAFile(_))));
    let circle = dir.path().join("circle");
    symlink("circle", &circle).unwrap();
    assert!(matches!(replace_go_sum(&circle, b"", b"new\n", None), Err(FixError::Io { .. })));
}

#[test]
fn locks_of_others_are_respected_and_the_module_cache_is_not_changed() {
    let (_dir, path) = folder(b"old\n");
    let cache = tempfile::tempdir().unwrap();
    let replace_in = |cache: &Path, wait| replace_within(&path, b"old\n", b"old\n", Some(cache), wait);
    // A process that another test starts holds our locks for a moment, until it has become another program.
    let replace = |cache: &Path| replace_in(cache, LOCK_WAIT);
    // A cache without the lock, and no cache, do not stop it; neither is made.
    replace(cache.path()).unwrap();
    replace(&cache.path().join("gone")).unwrap();
    assert!(names(cache.path()).is_empty());

    let cache = modcache(cache.path());
    let before = names(&cache);
    for held in [&cache.join("cache/lock"), &path] {
        let held = File::open(held).unwrap();
        held.lock().unwrap();
        assert!(matches!(replace_in(&cache, Duration::ZERO), Err(FixError::Locked { .. })));
        held.unlock().unwrap();
        replace(&cache).unwrap();
    }
    assert_eq!(names(&cache), before);
    assert_eq!(fs::read(cache.join("cache/lock")).unwrap(), b"");
}

#[cfg(unix)]
#[test]
fn a_file_that_was_replaced_before_it_was_locked_is_noticed() {
    let (dir, path) = folder(b"old\n");
    let file = File::open(&path).unwrap();
    assert!(is_at(&file, &path).unwrap());
    fs::write(dir.path().join("other"), "old\n").unwrap();
    fs::rename(dir.path().join("other"), &path).unwrap();
    assert!(!is_at(&file, &path).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(!is_at(&file, &path).unwrap());
}

#[test]
fn of_many_at_once_none_loses_a_line() {
    for with_cache in [false, true] {
        let (dir, path) = folder(b"");
        let cache = tempfile::tempdir().unwrap();
        let cache = with_cache.then(|| modcache(cache.path()));
        thread::scope(|scope| {
            for writer in 0..4 {
                let (path, cache) = (&path, &cache);
                scope.spawn(move || {
                    for line in 0..10 {
                        add(path, &format!("{writer} {line}\n"), cache.as_deref());
                    }
                });
            }
        });
        let text = fs::read_to_string(&path).unwrap();
        let lines: HashSet<&str> = text.lines().collect();
        assert_eq!((text.lines().count(), lines.len()), (40, 40));
        assert_eq!(names(dir.path()), [path]);
    }
}

/// Beside a `go` that adds a line to go.sum in every round, lines are added as fast as can be.
#[test]
fn beside_the_real_go_no_line_is_lost() {
    const ROUNDS: usize = 40;
    let dir = tempfile::tempdir().unwrap();
    let proxy = dir.path().join("proxy");
    for module in 0..ROUNDS {
        let versions = proxy.join(format!("example.com/m{module}/@v"));
        fs::create_dir_all(&versions).unwrap();
        fs::write(versions.join("v1.0.0.info"), r#"{"Version":"v1.0.0"}"#).unwrap();
        fs::write(versions.join("v1.0.0.mod"), format!("module example.com/m{module}\n\ngo 1.21\n")).unwrap();
    }
    let (project, cache) = (dir.path().join("project"), dir.path().join("modcache"));
    fs::create_dir(&project).unwrap();
    let proxy = proxy.to_str().unwrap().replace('\\', "/");
    let go = || {
        Command::new("go")
            .args(["list", "-m", "all"])
            .current_dir(&project)
            .env("GOENV", "off")
            .env("GOFLAGS", "-mod=mod -modcacherw")
            .env("GOPROXY", format!("file:///{}", proxy.trim_start_matches('/')))
            .env("GOSUMDB", "off")
            .env("GOTOOLCHAIN", "local")
            .env("GOMODCACHE", &cache)
            .env_remove("GOWORK")
            .output()
    };
    let require = |count: usize| {
        let lines: String = (0..count).map(|module| format!("require example.com/m{module} v1.0.0\n")).collect();
        fs::write(project.join("go.mod"), format!("module m\n\ngo 1.21\n\n{lines}")).unwrap();
    };
    require(1);
    let first = match go() {
        Ok(first) => first,
        #[allow(clippy::print_stderr, reason = "a test that did not run says so")]
        Err(error) => {
            eprintln!("skipped: the go command cannot be run: {error}");
            return;
        }
    };
    assert!(first.status.success(), "{first:?}");
    assert!(cache.join("cache/lock").exists(), "go takes its side lock when it writes go.sum");

    let path = project.join("go.sum");
    let done = AtomicBool::new(false);
    let added = thread::scope(|scope| {
        let adding = scope.spawn(|| {
            let mut added = 0;
            while !done.load(Ordering::Relaxed) {
                let hash = "A".repeat(43);
                add(&path, &format!("example.com/added v1.0.{added} h1:{hash}=\n"), Some(&cache));
                added += 1;
            }
            added
        });
        let mut failed = None;
        for round in 1..=ROUNDS {
            require(round);
            let run = go();
            failed = failed.or(run.ok().filter(|run| !run.status.success()));
        }
        done.store(true, Ordering::Relaxed);
        let added: usize = adding.join().unwrap();
        assert!(failed.is_none(), "{failed:?}");
        added
    });
    let text = fs::read_to_string(&path).unwrap();
    let lines: HashSet<&str> = text.lines().collect();
    assert_eq!(lines.len(), text.lines().count());
    for module in 0..ROUNDS {
        assert!(text.contains(&format!("example.com/m{module} v1.0.0/go.mod h1:")), "{text}");
    }
    assert_eq!(text.matches("example.com/added ").count(), added);
}

#[test]
fn a_diff_shows_what_changes() {
    let diff = unified_diff("go.sum", b"b\na\nc\nd\ne\nf", b"a\nb\nc\nd\ne\nf\n");
    insta::assert_snapshot!(diff, @r"
    --- a/go.sum
    +++ b/go.sum
    @@ -1,6 +1,6 @@
    +a
     b
    -a
     c
     d
     e
    -f
    \ No newline at end of file
    +f
    ");
    assert_eq!(unified_diff("go.sum", b"a\n", b"a\n"), "");
}
