//! Module zips, by way of GOPROXY.

use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use modanchor_core::dirhash::ReadAt as _;
use modanchor_core::dirhash::zip::MAX_ZIP_FILE;
use modanchor_core::module::ModuleVersion;
use modanchor_host::contract::Failure;
use modanchor_host::fetch::{Fetcher, MAX_DOWNLOADS};
use modanchor_host::goenv::Var;

use super::server::{Reply, Server, ok, redirect, status};
use super::{Bench, file_url, raw, setting};

const M: &str = "github.com/BurntSushi/toml";
const PATH: &str = "/github.com/!burnt!sushi/toml/@v/v1.6.0.zip";

fn module(path: &str) -> ModuleVersion {
    ModuleVersion::check(path, "v1.6.0").expect("a module version")
}

async fn get(fetcher: &Fetcher, path: &str) -> Result<Vec<u8>, Failure> {
    let zip = fetcher.zip(&module(path)).await?;
    let mut content = vec![0; usize::try_from(zip.size()).expect("small")];
    zip.read_at(0, &mut content).expect("readable");
    zip.unchanged().expect("unchanged");
    Ok(content)
}

#[tokio::test]
async fn the_list_of_proxies_is_walked_as_by_go() {
    let yes = Server::start(|_| ok("zip")).await;
    let no = Server::start(|_| status(404, "", "not found")).await;
    let gone = Server::start(|_| status(410, "", "")).await;
    let broken = Server::start(|_| status(500, "", "oops")).await;
    let html = Server::start(|_| status(200, "Content-Type: text/html\r\n", "<html>")).await;
    let (y, n, g, b, h) = (yes.url(), no.url(), gone.url(), broken.url(), html.url());
    let zip = Ok(b"zip".to_vec());
    for (list, want, told) in [
        (y.clone(), zip.clone(), 0),
        (format!("{n},{g}|{y},direct"), zip.clone(), 0),
        (format!("{b},{y}"), Err(Failure::ServerError), 1),
        (format!("{b}|{y}"), zip.clone(), 1),
        (format!("{b}|{n}"), Err(Failure::ServerError), 1),
        (format!("{b}|direct"), Err(Failure::ServerError), 1),
        (format!("{h},{y}"), Err(Failure::NotData), 1),
        (format!("{h}|{y}"), zip.clone(), 1),
        (n.clone(), Err(Failure::Absent), 1),
        (format!("{n},{g},direct"), Err(Failure::Absent), 1),
        (format!("{n},off,{y}"), Err(Failure::Absent), 1),
        (format!("direct,{y}"), Err(Failure::Offline), 0),
        (format!("off,{y}"), Err(Failure::Offline), 0),
    ] {
        let bench = Bench::proxies(&list);
        assert_eq!(get(&bench.fetcher(), M).await, want, "{list}");
        assert_eq!(bench.told().len(), told, "{list}");
    }
    assert!(yes.targets().iter().all(|target| target == PATH), "{:?}", yes.targets());
}

#[tokio::test]
async fn no_proxy_for_private_modules_and_none_offline() {
    let server = Server::start(|_| ok("zip")).await;
    let private = |bench: Bench| bench.with(|config| config.gonoproxy = setting(Var::GoNoProxy, "example.com,*.corp"));
    let fetcher = private(Bench::proxies(&server.url())).fetcher();
    for (path, want) in [("example.com/x", Err(Failure::Offline)), ("a.corp/x/y", Err(Failure::Offline)), (M, Ok(()))] {
        assert_eq!(get(&fetcher, path).await.map(|_| ()), want, "{path}");
    }
    assert_eq!(server.targets(), [PATH]);
    let offline = Bench::proxies(&server.url()).with(|config| config.offline = true);
    assert_eq!(get(&offline.fetcher(), M).await, Err(Failure::Offline));
    assert_eq!((server.requests().len(), offline.told()), (1, vec![]));
}

#[tokio::test]
async fn bad_answers() {
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}", MAX_ZIP_FILE + 1);
    for (name, reply, failure, attempts) in [
        ("forbidden", status(403, "", ""), Failure::Denied, 1),
        ("too many requests", status(429, "", ""), Failure::RateLimited, 3),
        ("announced too large", Reply::Close(raw(&announced, b"")), Failure::TooLarge, 1),
        ("html in disguise", ok("<!doctype html><p>log in"), Failure::NotData, 1),
        ("compressed", status(200, "Content-Encoding: gzip\r\n", "\x1f"), Failure::NotData, 1),
        ("short", Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1234")), Failure::Truncated, 3),
        ("other scheme", redirect("file:///etc/passwd"), Failure::BadRedirect, 1),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = Bench::proxies(&server.url());
        assert_eq!(get(&bench.fetcher(), M).await, Err(failure), "{name}");
        assert_eq!((server.requests().len(), bench.told().len()), (attempts, 1), "{name}");
    }
}

#[tokio::test]
async fn a_retry_starts_the_file_again() {
    let server = Server::start(|seen| match seen.number {
        0 => Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 900", &[b'x'; 800])),
        _ => ok("zip"),
    })
    .await;
    assert_eq!(get(&Bench::proxies(&server.url()).fetcher(), M).await, Ok(b"zip".to_vec()));
}

#[tokio::test]
async fn a_download_may_take_long_but_not_stall() {
    let mut parts = vec![raw("HTTP/1.1 200 OK\r\nContent-Length: 12", b"")];
    parts.extend(vec![b"x".to_vec(); 12]);
    let server = Server::start(move |_| Reply::Drip(Duration::from_millis(100), parts.clone())).await;
    let bench = Bench::proxies(&server.url()).with(|config| config.timeout = Duration::from_secs(1));
    assert_eq!(get(&bench.fetcher(), M).await, Ok(vec![b'x'; 12]));

    for reply in [Reply::Stall(Vec::new()), Reply::Stall(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1234"))] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = Bench::proxies(&server.url()).with(|config| config.timeout = Duration::from_millis(30));
        assert_eq!(get(&bench.fetcher(), M).await, Err(Failure::TimedOut));
        assert_eq!(server.requests().len(), 3);
    }
}

#[tokio::test]
async fn a_zip_is_fetched_once_and_few_at_a_time() {
    let server =
        Server::start(|_| Reply::After(Duration::from_millis(20), raw("HTTP/1.1 404 No\r\nContent-Length: 0", b"")))
            .await;
    let fetcher = Bench::proxies(&server.url()).fetcher();
    for _ in 0..2 {
        let found = join_all((0..3).map(|_| get(&fetcher, M))).await;
        assert!(found.iter().all(|found| *found == Err(Failure::Absent)));
    }
    assert_eq!(server.requests().len(), 1);

    let server =
        Server::start(|_| Reply::After(Duration::from_millis(20), raw("HTTP/1.1 200 OK\r\nContent-Length: 1", b"x")))
            .await;
    let fetcher = Bench::proxies(&server.url()).fetcher();
    let paths: Vec<String> = (0..4 * MAX_DOWNLOADS).map(|number| format!("a.test/m{number}")).collect();
    for found in join_all(paths.iter().map(|path| get(&fetcher, path))).await {
        assert_eq!(found, Ok(b"x".to_vec()));
    }
    assert_eq!((server.requests().len(), server.peak()), (paths.len(), MAX_DOWNLOADS));
}

/// The first request to a server goes alone only until the server has answered at all.
#[tokio::test]
async fn a_long_download_keeps_no_other_waiting() {
    let server = Server::start_tls(|seen| match seen.target.as_str() {
        PATH => Reply::Stall(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1234")),
        _ => ok("zip"),
    })
    .await;
    let fetcher = Bench::proxies(&server.url()).trusting().fetcher();
    let other = Box::pin(async {
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        get(&fetcher, "a.test/m").await
    });
    match select(Box::pin(get(&fetcher, M)), other).await {
        Either::Left(_) => panic!("it stalls"),
        Either::Right((found, _)) => assert_eq!(found, Ok(b"zip".to_vec())),
    }
}

#[tokio::test]
async fn file_trees() {
    let bench = Bench::proxies("off");
    bench.file(&format!("tree{PATH}"), b"zip");
    bench.file("empty/x", b"");
    let at = |name: &str| file_url(&bench.home.path().join(name));
    for offline in [false, true] {
        for (list, path, want) in [
            (at("tree"), M, Ok(b"zip".to_vec())),
            (format!("{},{}", at("empty"), at("tree")), M, Ok(b"zip".to_vec())),
            (at("tree"), "a.test/m", Err(Failure::Absent)),
        ] {
            let through = Bench::proxies(&list).with(|config| config.offline = offline);
            assert_eq!(get(&through.fetcher(), path).await, want, "{list}");
        }
    }
    let large = bench.home.path().join(format!("tree{PATH}"));
    std::fs::File::create(large).expect("a file").set_len(MAX_ZIP_FILE + 1).expect("a sparse file");
    assert_eq!(get(&Bench::proxies(&at("tree")).fetcher(), M).await, Err(Failure::TooLarge));
}
