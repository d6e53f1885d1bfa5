//! TUF repositories.

use std::fs;
use std::path::Path;
use std::time::Duration;

use modanchor_host::contract::{Body, Failure, MetadataGet, Origin, TargetFile, TargetGet};
use modanchor_host::fetch::{Fetcher, MAX_DOWNLOADS, TargetsAt, TufSource};
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::TempDir;

use super::server::{Reply, Server, ok, redirect, status};
use super::{Bench, ConfigError, file_url, raw, remote};

const PATH: &str = "example.com/!m/@v/v1.0.0+incompatible.zip";

fn source(metadata: impl Into<String>, targets: TargetsAt) -> TufSource {
    TufSource { name: "corp".to_owned(), metadata: metadata.into(), targets, set_by: "--metadata-url".to_owned() }
}

/// A repository at a URL.
fn at(metadata: impl Into<String>, targets: TargetsAt) -> Bench {
    Bench::proxies("off").with(|config| config.repositories.push(source(metadata, targets)))
}

fn metadata(file: &str) -> MetadataGet {
    MetadataGet { repository: "corp".to_owned(), file: file.to_owned(), max_bytes: 100 }
}

fn target(path: &str) -> TargetGet {
    let [repository, path] = ["corp", path].map(str::to_owned);
    TargetGet { repository, file: path.clone(), path, max_bytes: 100, held: false }
}

fn measured(content: &[u8], origin: Origin) -> TargetFile {
    TargetFile {
        length: content.len() as u64,
        sha256: Sha256::digest(content).to_vec(),
        sha512: Sha512::digest(content).to_vec(),
        origin,
    }
}

async fn read(fetcher: &Fetcher, file: &str) -> Result<Body, Failure> {
    fetcher.tuf_metadata(&metadata(file)).await
}

/// Measures a target that is kept in `folder`; what was kept has to be what was measured.
async fn fetch(bench: &Bench, path: &str, folder: &Path) -> Result<TargetFile, Failure> {
    let fetched = bench.fetcher().tuf_target(&target(path), Some(folder)).await?;
    let content = fs::read(fetched.kept.as_deref().expect("it is kept")).expect("it is there");
    assert_eq!(measured(&content, fetched.file.origin), fetched.file);
    Ok(fetched.file)
}

fn is_empty(folder: &Path) -> bool {
    !folder.exists() || fs::read_dir(folder).expect("a folder").next().is_none()
}

#[tokio::test]
async fn requests_go_where_they_have_to_and_nowhere_else() {
    let server = Server::start(|_| ok("{}")).await;
    for (base, targets, prefix) in [
        ("/repo/tuf", TargetsAt::Above, "/repo"),
        ("/repo/tuf/", TargetsAt::Above, "/repo"),
        ("/tuf", TargetsAt::Above, ""),
        ("/repo/metadata/", TargetsAt::Below, "/repo/metadata/targets"),
        ("/repo/metadata", TargetsAt::Url(format!("{}/elsewhere/", server.url())), "/elsewhere"),
    ] {
        let before = server.requests().len();
        let fetcher = at(format!("{}{base}", server.url()), targets).fetcher();
        for file in ["2.root.json", "timestamp.json", "7.team%2Fa.json", "..%2Fx.json"] {
            assert_eq!(read(&fetcher, file).await, remote(b"{}"), "{file}");
        }
        for path in [PATH, "a b/c?d#e%"] {
            let fetched = fetcher.tuf_target(&target(path), None).await.expect("a target");
            assert_eq!((fetched.file, fetched.kept.is_none()), (measured(b"{}", Origin::Remote), true));
        }
        let base = base.trim_end_matches('/');
        let want = [
            format!("{base}/2.root.json"),
            format!("{base}/timestamp.json"),
            format!("{base}/7.team%2Fa.json"),
            format!("{base}/..%2Fx.json"),
            format!("{prefix}/{PATH}"),
            format!("{prefix}/a%20b/c%3Fd%23e%25"),
        ];
        assert_eq!(server.targets()[before..], want);
    }
    let odd = server.requests().into_iter().find(|seen| {
        seen.method != "GET" || seen.headers.keys().any(|name| name.starts_with("if-") || name == "accept-encoding")
    });
    assert!(odd.is_none(), "{odd:?}");
}

#[tokio::test]
async fn names_that_lead_out_are_not_asked_for() {
    let server = Server::start(|_| ok("{}")).await;
    let bench = at(format!("{}/repo/tuf", server.url()), TargetsAt::Above);
    for file in ["../x.json", "a/b.json", "x", "a?b.json", "a#.json", "%zz.json", "a\\b.json", ""] {
        assert_eq!(read(&bench.fetcher(), file).await, Err(Failure::Storage), "{file}");
    }
    for path in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/"] {
        let fetched = bench.fetcher().tuf_target(&target(path), None).await;
        assert_eq!(fetched.err(), Some(Failure::Storage), "{path}");
    }
    let other = MetadataGet { repository: "other".to_owned(), ..metadata("root.json") };
    assert_eq!(bench.fetcher().tuf_metadata(&other).await, Err(Failure::Storage));
    assert_eq!(server.requests().len(), 0);
    assert!(bench.told().iter().all(|told| told.contains("refusing") || told.contains("unknown TUF repository")));
}

#[tokio::test]
async fn bad_metadata_has_its_failure_and_its_number_of_attempts() {
    let html = "Content-Type: text/html\r\n";
    let big = [b"65\r\n".as_slice(), &[b'x'; 101], b"\r\n0\r\n\r\n"].concat();
    let chunked = raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", &big);
    for (name, file, reply, failure, attempts, told) in [
        ("the end of the chain", "2.root.json", status(404, "", "no"), Failure::Absent, 1, 0),
        ("the same of a store", "2.root.json", status(403, "", "no"), Failure::Absent, 1, 0),
        ("unauthorized", "2.root.json", status(401, "", "no"), Failure::Denied, 1, 1),
        ("a root that fails", "2.root.json", status(500, "", ""), Failure::ServerError, 3, 1),
        ("not found", "timestamp.json", status(404, "", "no"), Failure::Absent, 1, 1),
        ("gone", "timestamp.json", status(410, "", "no"), Failure::Absent, 1, 1),
        ("forbidden", "timestamp.json", status(403, "", "no"), Failure::Denied, 1, 1),
        ("forbidden", "0.root.json", status(403, "", "no"), Failure::Denied, 1, 1),
        ("captive portal", "timestamp.json", status(200, html, "{}"), Failure::NotData, 1, 1),
        ("in disguise", "2.root.json", ok("<!DOCTYPE html>"), Failure::NotData, 1, 1),
        ("too large", "timestamp.json", ok([b' '; 101]), Failure::TooLarge, 1, 1),
        ("streamed too large", "timestamp.json", Reply::Keep(chunked), Failure::TooLarge, 1, 1),
        ("endless", "2.root.json", Reply::Stall(raw("HTTP/1.1 200 OK", &[b'x'; 101])), Failure::TooLarge, 1, 1),
        ("redirect", "2.root.json", redirect("file:///etc/passwd"), Failure::BadRedirect, 1, 1),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = at(server.url(), TargetsAt::Below);
        assert_eq!(read(&bench.fetcher(), file).await, Err(failure), "{name}");
        assert_eq!((server.requests().len(), bench.told().len()), (attempts, told), "{name}");
    }
    let exact = Server::start(|_| ok([b' '; 100])).await;
    assert_eq!(read(&at(exact.url(), TargetsAt::Below).fetcher(), "root.json").await, remote(&[b' '; 100]));
}

#[tokio::test]
async fn slow_metadata_times_out() {
    let drip = Reply::Drip(
        Duration::from_millis(20),
        [vec![raw("HTTP/1.1 200 OK\r\nContent-Length: 99", b"")], vec![b"x".to_vec(); 99]].concat(),
    );
    for reply in [Reply::Stall(Vec::new()), drip] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = at(server.url(), TargetsAt::Below).with(|config| config.timeout = Duration::from_millis(50));
        assert_eq!(read(&bench.fetcher(), "timestamp.json").await, Err(Failure::TimedOut));
        assert!(bench.told()[0].contains("(--timeout)"));
    }
}

#[tokio::test]
async fn bad_targets_leave_no_file() {
    let html = "Content-Type: text/html\r\n";
    for (name, path, reply, failure, attempts) in [
        ("not found", PATH, status(404, "", "no"), Failure::Absent, 1),
        ("forbidden", PATH, status(403, "", "no"), Failure::Denied, 1),
        ("captive portal", PATH, status(200, html, "log in"), Failure::NotData, 1),
        ("too large", PATH, ok([b'x'; 101]), Failure::TooLarge, 1),
        ("endless", PATH, Reply::Stall(raw("HTTP/1.1 200 OK", &[b'x'; 101])), Failure::TooLarge, 1),
        ("short", PATH, Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1234")), Failure::Truncated, 3),
        ("redirect", PATH, redirect("ftp://h.test/"), Failure::BadRedirect, 1),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = at(server.url(), TargetsAt::Below);
        let folder = bench.home.path().join("targets");
        assert_eq!(fetch(&bench, path, &folder).await, Err(failure), "{name}");
        assert_eq!((server.requests().len(), bench.told().len()), (attempts, 1), "{name}");
        assert!(is_empty(&folder), "{name}");
    }
    // A target may be a web page itself; its digest decides.
    let page = Server::start(move |_| status(200, html, "<html>")).await;
    let bench = at(page.url(), TargetsAt::Below);
    let fetched = fetch(&bench, "docs/index.html", &bench.home.path().join("t")).await;
    assert_eq!(fetched, Ok(measured(b"<html>", Origin::Remote)));
}

#[tokio::test]
async fn a_retry_measures_anew() {
    let server = Server::start(|seen| match seen.number {
        0 => Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 90", &[b'x'; 80])),
        _ => ok("zip"),
    })
    .await;
    let bench = at(server.url(), TargetsAt::Below);
    assert_eq!(fetch(&bench, PATH, bench.home.path()).await, Ok(measured(b"zip", Origin::Remote)));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said() {
    let server = Server::start(|_| ok("zip")).await;
    let bench = at(server.url(), TargetsAt::Below);
    bench.file("file", b"");
    let fetched = bench.fetcher().tuf_target(&target(PATH), Some(&bench.home.path().join("file/x"))).await;
    assert_eq!(fetched.err(), Some(Failure::Storage));
    assert!(bench.told()[0].contains("keeping the target"));
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn few_targets_at_a_time() {
    let server =
        Server::start(|_| Reply::After(Duration::from_millis(20), raw("HTTP/1.1 200 OK\r\nContent-Length: 1", b"x")))
            .await;
    let fetcher = at(server.url(), TargetsAt::Below).fetcher();
    let paths: Vec<String> = (0..3 * MAX_DOWNLOADS).map(|number| format!("t{number}")).collect();
    let all = paths.iter().map(|path| async {
        let get = target(path);
        fetcher.tuf_target(&get, None).await.map(|fetched| fetched.file)
    });
    for found in futures_util::future::join_all(all).await {
        assert_eq!(found, Ok(measured(b"x", Origin::Remote)));
    }
    assert_eq!((server.requests().len(), server.peak()), (paths.len(), MAX_DOWNLOADS));
}

#[tokio::test]
async fn folders_stand_for_servers_also_offline() {
    let bench = Bench::proxies("off");
    bench.file("repo/tuf/2.root.json", b"{}");
    bench.file("repo/tuf/7.team/a.json", b"{}");
    bench.file(&format!("repo/{PATH}"), b"zip");
    bench.file("repo/large", &[0; 101]);
    let tuf = bench.home.path().join("repo").join("tuf");
    for place in [file_url(&tuf), tuf.display().to_string()] {
        let bench = at(place, TargetsAt::Above).with(|config| config.offline = true);
        let fetcher = bench.fetcher();
        for (file, want) in [
            ("2.root.json", remote(b"{}")),
            ("7.team%2Fa.json", remote(b"{}")),
            ("3.root.json", Err(Failure::Absent)),
            ("..%2F..%2Fx.json", Err(Failure::Storage)),
        ] {
            assert_eq!(read(&fetcher, file).await, want, "{file}");
        }
        assert_eq!(fetch(&bench, PATH, bench.home.path()).await, Ok(measured(b"zip", Origin::Remote)));
        assert_eq!(fetch(&bench, "none", bench.home.path()).await, Err(Failure::Absent));
        assert_eq!(fetch(&bench, "large", bench.home.path()).await, Err(Failure::TooLarge));
        assert!(fetch(&bench, "tuf", bench.home.path()).await.is_err(), "a folder");
    }
    let server = Server::start(|_| ok("{}")).await;
    let offline = at(server.url(), TargetsAt::Below).with(|config| config.offline = true);
    assert_eq!(read(&offline.fetcher(), "timestamp.json").await, Err(Failure::Offline));
    assert_eq!(fetch(&offline, PATH, offline.home.path()).await, Err(Failure::Offline));
    assert_eq!((server.requests().len(), offline.told()), (0, vec![]));
}

#[tokio::test]
async fn what_is_here_is_measured() {
    let dir = TempDir::new().expect("a folder");
    let path = dir.path().join("t");
    fs::write(&path, [b'x'; 100]).expect("a file");
    let fetcher = Bench::proxies("off").fetcher();
    assert_eq!(fetcher.tuf_held(&path, 100).await, Ok(measured(&[b'x'; 100], Origin::Store)));
    assert_eq!(fetcher.tuf_held(&path, 99).await, Err(Failure::TooLarge));
    assert_eq!(fetcher.tuf_held(&dir.path().join("none"), 99).await, Err(Failure::Absent));
}

#[test]
fn urls_that_make_no_sense_are_refused() {
    for (metadata, targets, want) in [
        ("https://h.test", TargetsAt::Above, "https://h.test/ has no folder above it that could hold targets"),
        ("ftp://h.test/tuf", TargetsAt::Above, "invalid URL scheme (must be https, http, file): ftp://h.test/tuf"),
        ("tuf", TargetsAt::Above, "neither an https, http or file URL nor an absolute path: tuf"),
        ("https://h.test/tuf#x", TargetsAt::Above, "a URL with a fragment: https://h.test/tuf?xxxxx"),
        (
            "http://u:secret@h.test/tuf",
            TargetsAt::Above,
            "refusing to pass credentials to insecure URL: http://xxxxx@h.test/tuf",
        ),
        (
            "https://h.test/tuf",
            TargetsAt::Url("x".to_owned()),
            "neither an https, http or file URL nor an absolute path: x",
        ),
    ] {
        let Err(error) = Fetcher::new(at(metadata, targets).config) else { panic!("{metadata}") };
        assert!(matches!(error, ConfigError::Tuf { .. }));
        assert_eq!(error.to_string(), format!("--metadata-url: TUF repository corp: {want}"));
    }
}
