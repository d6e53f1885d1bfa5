//! The fetcher against loopback servers, files, and a clock that does not wait.

mod server;
mod sigstore;
mod tuf;
mod zips;

use std::fs;
use std::future::Future;
use std::num::NonZeroUsize;
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::join_all;
use modanchor_host::contract::{Body, Failure, Origin, Source, SumdbGet};
use modanchor_host::fetch::{
    Clock, Collected, ConfigError, DatabaseSource, FetchConfig, Fetcher, HttpProxies, MAX_REQUESTS_IN_CHAIN,
    RetryPolicy,
};
use modanchor_host::goenv::{GoEnv, Place, SetBy, Setting, Sources, Var};
use server::{Reply, Seen, Server, fixture, ok, redirect, status};
use tempfile::TempDir;

const DB: &str = "db.test";
const LOOKUP: &str = "lookup/golang.org/x/text@v0.3.0";
const TILE: &str = "tile/8/0/x001/x234/067.p/12";

/// A clock on which a pause is over at once; it remembers them.
#[derive(Default)]
struct NoWait(Mutex<(Vec<Duration>, Duration)>);

impl NoWait {
    fn pauses(&self) -> Vec<u128> {
        self.0.lock().expect("a lock").0.iter().map(Duration::as_millis).collect()
    }
}

impl Clock for NoWait {
    fn monotonic(&self) -> Instant {
        Instant::now() + self.0.lock().expect("a lock").1
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut state = self.0.lock().expect("a lock");
        state.0.push(pause);
        state.1 += pause;
        Box::pin(std::future::ready(()))
    }
}

/// A configuration on an empty machine, and what watches it.
struct Bench {
    home: TempDir,
    config: FetchConfig,
    clock: Arc<NoWait>,
    problems: Arc<Collected>,
}

fn setting(var: Var, value: &str) -> Setting {
    Setting { value: value.to_owned(), set_by: SetBy { var, place: Place::Environment } }
}

impl Bench {
    /// A database that is found by way of this GOPROXY.
    fn proxies(goproxy: &str) -> Self {
        let home = TempDir::new().expect("a folder");
        let vars = [(if cfg!(windows) { "USERPROFILE" } else { "HOME" }, home.path().display().to_string())];
        let env = GoEnv::load(Sources::of(vars)).expect("a good environment");
        let problems = Arc::new(Collected::default());
        let clock = Arc::new(NoWait::default());
        let database = DatabaseSource { name: DB.to_owned(), url: None, set_by: "GOSUMDB (environment)".to_owned() };
        let mut config = FetchConfig::new(&env, vec![database], problems.clone()).expect("a good configuration");
        config.goproxy = setting(Var::GoProxy, goproxy);
        config.clock = clock.clone();
        config.retry = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
        Self { home, config, clock, problems }
    }

    /// A database at a URL.
    fn at(url: impl Into<String>) -> Self {
        let mut bench = Self::proxies("off");
        bench.config.databases[0].url = Some(url.into());
        bench
    }

    fn with(mut self, change: impl FnOnce(&mut FetchConfig)) -> Self {
        change(&mut self.config);
        self
    }

    fn fetcher(&self) -> Fetcher {
        Fetcher::new(self.config.clone()).expect("a good configuration")
    }

    async fn get(&self, path: &str) -> Result<Body, Failure> {
        self.fetcher().sumdb(&ask(path)).await
    }

    fn told(&self) -> Vec<String> {
        self.problems.take().iter().map(ToString::to_string).collect()
    }

    fn file(&self, path: &str, content: &[u8]) {
        let path = self.home.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    fn trusting(self) -> Self {
        self.with(|config| config.network.ssl_cert_file = Some(fixture("ca.pem")))
    }
}

fn ask(path: &str) -> SumdbGet {
    SumdbGet { database: DB.to_owned(), path: path.to_owned(), max_bytes: 100, source: Source::Any }
}

fn remote(content: &[u8]) -> Result<Body, Failure> {
    Ok(Body { content: content.to_vec(), origin: Origin::Remote })
}

fn cached(content: &[u8]) -> Result<Body, Failure> {
    Ok(Body { content: content.to_vec(), origin: Origin::GoCache })
}

fn raw(head: &str, body: &[u8]) -> Vec<u8> {
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

#[tokio::test]
async fn every_bad_answer_has_its_failure_and_its_number_of_attempts() {
    let chunked = |chunks: &[u8]| raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", chunks);
    let html = "Content-Type: Text/HTML; charset=utf-8\r\n";
    let big = [b"65\r\n".as_slice(), &[b'x'; 101], b"\r\n0\r\n\r\n"].concat();
    for (name, reply, failure, attempts) in [
        ("not found", status(404, "", "no"), Failure::Absent, 1),
        ("gone", status(410, "", "no"), Failure::Absent, 1),
        ("unauthorized", status(401, "", ""), Failure::Denied, 1),
        ("forbidden", status(403, "", ""), Failure::Denied, 1),
        ("proxy", status(407, "", ""), Failure::Denied, 1),
        ("bad request", status(400, "", ""), Failure::UnexpectedStatus, 1),
        ("teapot", status(418, "", ""), Failure::UnexpectedStatus, 1),
        ("partial", status(206, "", "x"), Failure::UnexpectedStatus, 1),
        ("no content", Reply::Keep(raw("HTTP/1.1 204 No Content", b"")), Failure::UnexpectedStatus, 1),
        ("redirect to nowhere", status(302, "", ""), Failure::UnexpectedStatus, 1),
        ("too many requests", status(429, "", ""), Failure::RateLimited, 3),
        ("server error", status(500, "", ""), Failure::ServerError, 3),
        ("unavailable", status(503, "", ""), Failure::ServerError, 3),
        ("captive portal", status(200, html, "hello"), Failure::NotData, 1),
        ("html in disguise", ok("\n<!doctype HTML><p>log in"), Failure::NotData, 1),
        ("compressed", status(200, "Content-Encoding: gzip\r\n", "\x1f"), Failure::NotData, 1),
        ("short body", Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"12345678")), Failure::Truncated, 3),
        ("short chunk", Reply::Close(chunked(b"5\r\nabc")), Failure::Truncated, 3),
        ("bad chunk", Reply::Close(chunked(b"5\r\nabcde\r\nxyz\r\n")), Failure::Truncated, 3),
        ("no last chunk", Reply::Close(chunked(b"5\r\nabcde\r\n")), Failure::Truncated, 3),
        ("announced too large", status(200, "", [b'x'; 101]), Failure::TooLarge, 1),
        ("streamed too large", Reply::Keep(chunked(&big)), Failure::TooLarge, 1),
        ("endless", Reply::Stall(raw("HTTP/1.1 200 OK", &[b'x'; 101])), Failure::TooLarge, 1),
        ("dropped", Reply::Close(Vec::new()), Failure::Unreachable, 3),
        ("not http", Reply::Close(b"SSH-2.0-x\r\n".to_vec()), Failure::Unreachable, 3),
        ("other scheme", redirect("file:///etc/passwd"), Failure::BadRedirect, 1),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = Bench::at(server.url());
        assert_eq!(bench.get(LOOKUP).await, Err(failure), "{name}");
        assert_eq!(server.requests().len(), attempts, "{name}");
        assert_eq!(bench.clock.pauses(), [250, 500][..attempts - 1], "{name}");
        let told = bench.told();
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert!(told[0].starts_with(&format!("reading {}/{LOOKUP}: ", server.url())), "{name}: {told:?}");
    }
}

#[tokio::test]
async fn slow_answers_time_out_and_are_tried_again() {
    for reply in [Reply::Stall(Vec::new()), Reply::Stall(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1234"))] {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = Bench::at(server.url()).with(|config| config.timeout = Duration::from_millis(30));
        assert_eq!(bench.get(LOOKUP).await, Err(Failure::TimedOut));
        assert_eq!(server.requests().len(), 3);
        assert!(bench.told()[0].contains("(--timeout)"));
    }
}

#[tokio::test]
async fn the_cap_is_exact() {
    for chunked in [false, true] {
        for (length, want) in [(0, true), (99, true), (100, true), (101, false)] {
            let body = vec![7; length];
            let answer = if chunked {
                let mut chunks = Vec::new();
                for byte in &body {
                    chunks.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
                }
                chunks.extend_from_slice(b"0\r\n\r\n");
                Reply::Keep(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", &chunks))
            } else {
                ok(&body)
            };
            let server = Server::start(move |_| answer.clone()).await;
            let want = if want { remote(&body) } else { Err(Failure::TooLarge) };
            assert_eq!(Bench::at(server.url()).get(TILE).await, want, "{length}");
        }
    }
}

#[tokio::test]
async fn a_server_that_recovers_is_waited_for() {
    let server = Server::start(|seen| if seen.number == 0 { status(500, "", "") } else { ok("1\nx") }).await;
    let bench = Bench::at(server.url());
    assert_eq!(bench.get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!((bench.clock.pauses(), bench.told()), (vec![250], Vec::new()));
}

#[tokio::test]
async fn retry_after_is_honoured_within_the_allowance() {
    for (value, pauses, attempts) in [
        ("7", vec![7000, 7000], 3),
        ("Thu, 01 Jan 1970 00:00:09 GMT", vec![9000, 9000], 3),
        ("0", vec![250, 500], 3),
        ("nonsense", vec![250, 500], 3),
        // There is no point in waiting when the run is over by then.
        ("301", vec![], 1),
        ("99999999999999999999", vec![], 1),
    ] {
        let server = Server::start(move |_| status(429, &format!("Retry-After: {value}\r\n"), "")).await;
        let bench = Bench::at(server.url());
        assert_eq!(bench.get(LOOKUP).await, Err(Failure::RateLimited), "{value}");
        assert_eq!((bench.clock.pauses(), server.requests().len()), (pauses, attempts), "{value}");
    }
}

#[tokio::test]
async fn redirects_are_followed_within_limits() {
    let server = Server::start(|seen| match seen.target.strip_prefix("/hop/").and_then(|n| n.parse::<usize>().ok()) {
        Some(0) => ok("1\nx"),
        Some(n) => redirect(&format!("/hop/{}", n - 1)),
        None if seen.target.starts_with("/loop") => redirect(&seen.target),
        None => {
            redirect(&format!("/hop/{}", MAX_REQUESTS_IN_CHAIN - 1 - usize::from(seen.target.starts_with("/good"))))
        }
    })
    .await;
    let under = |name: &str| Bench::at(format!("{}/{name}", server.url()));
    assert_eq!(under("good").get(LOOKUP).await, remote(b"1\nx"));
    let before = server.requests().len();
    assert_eq!(before, MAX_REQUESTS_IN_CHAIN);
    assert_eq!(under("long").get(LOOKUP).await, Err(Failure::BadRedirect));
    assert_eq!(under("loop").get(LOOKUP).await, Err(Failure::BadRedirect));
    assert_eq!(server.requests().len(), before + 2 * MAX_REQUESTS_IN_CHAIN);
}

#[tokio::test]
async fn no_redirect_leaves_https() {
    let plain = Server::start(|_| ok("1\nx")).await;
    let target = plain.url();
    let server = Server::start_tls(move |_| redirect(&target)).await;
    let bench = Bench::at(server.url()).trusting();
    assert_eq!(bench.get(LOOKUP).await, Err(Failure::BadRedirect));
    assert_eq!((plain.requests().len(), server.requests().len()), (0, 1));
    assert!(bench.told()[0].contains("redirected to the insecure URL http://127.0.0.1"));
}

#[tokio::test]
async fn a_public_server_cannot_send_us_to_a_private_address() {
    let private = Server::start(|_| ok("1\nx")).await;
    for target in [format!("{}/latest", private.url()), "http://[::1]/".to_owned(), "http://localhost/".to_owned()] {
        // An HTTP proxy stands for the public network.
        let network = Server::start(move |_| redirect(&target)).await;
        let bench = Bench::at("http://db.test/").with(|config| config.network.http_proxies = http_proxy(&network, ""));
        assert_eq!(bench.get(LOOKUP).await, Err(Failure::BadRedirect));
        assert_eq!((private.requests().len(), network.targets()), (0, vec![format!("http://db.test/{LOOKUP}")]));
    }
    // A private one may: that is somebody's own network.
    let target = private.url();
    let server = Server::start(move |_| redirect(&target)).await;
    assert_eq!(Bench::at(server.url()).get(LOOKUP).await, remote(b"1\nx"));
}

fn http_proxy(server: &Server, no_proxy: &str) -> HttpProxies {
    let url = format!("http://us%40er:pass@{}", server.addr);
    let vars = [("http_proxy", url.as_str()), ("HTTPS_PROXY", url.as_str()), ("no_proxy", no_proxy)];
    HttpProxies::from_sources(&Sources::of(vars)).expect("good settings")
}

#[tokio::test]
async fn http_proxies() {
    let proxy = Server::start(|seen| if seen.method == "CONNECT" { status(502, "", "") } else { ok("1\nx") }).await;
    let bench =
        Bench::at("http://db.test/x").with(|config| config.network.http_proxies = http_proxy(&proxy, "other.test"));
    assert_eq!(bench.get(LOOKUP).await, remote(b"1\nx"));
    let bench =
        Bench::at("https://db.test/x").trusting().with(|config| config.network.http_proxies = http_proxy(&proxy, ""));
    assert_eq!(bench.get(LOOKUP).await, Err(Failure::Unreachable));
    let seen = proxy.requests();
    assert_eq!(proxy.targets()[..2], [format!("http://db.test/x/{LOOKUP}"), "db.test:443".to_owned()]);
    for seen in seen {
        // "us@er:pass"
        assert_eq!(seen.headers["proxy-authorization"], "Basic dXNAZXI6cGFzcw==", "{seen:?}");
        assert!(!seen.headers.contains_key("authorization"));
    }
    assert!(bench.told().iter().all(|text| !text.contains("pass")));

    // This machine is never reached through a proxy.
    let before = proxy.requests().len();
    let own = Server::start(|_| ok("1\nx")).await;
    let bench = Bench::at(own.url()).with(|config| config.network.http_proxies = http_proxy(&proxy, ""));
    assert_eq!(bench.get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!((proxy.requests().len(), own.requests().len()), (before, 1));
}

/// 0.0.0.0 is no loopback address by its bits, and yet a connection to it ends on this machine.
#[cfg(unix)]
#[tokio::test]
async fn no_proxy_is_heeded() {
    let proxy = Server::start(|_| ok("1\nproxy")).await;
    let own = Server::start(|_| ok("1\nown")).await;
    let url = format!("http://0.0.0.0:{}", own.addr.port());
    for (no_proxy, want) in [("", "1\nproxy"), ("0.0.0.0:1", "1\nproxy"), ("0.0.0.0/8", "1\nown"), ("*", "1\nown")] {
        let bench = Bench::at(&url).with(|config| config.network.http_proxies = http_proxy(&proxy, no_proxy));
        assert_eq!(bench.get(LOOKUP).await, remote(want.as_bytes()), "{no_proxy}");
    }
}

#[tokio::test]
async fn the_list_of_proxies_is_walked_as_by_go() {
    let yes = Server::start(|seen| if seen.target.ends_with("/supported") { ok("") } else { ok("1\nx") }).await;
    let no = Server::start(|_| status(404, "", "")).await;
    let gone = Server::start(|_| status(410, "", "")).await;
    let broken = Server::start(|_| status(500, "", "oops")).await;
    let html = Server::start(|_| status(200, "Content-Type: text/html\r\n", "<html>")).await;
    let (y, n, g, b, h) = (yes.url(), no.url(), gone.url(), broken.url(), html.url());
    for (list, want) in [
        (y.clone(), remote(b"1\nx")),
        (format!("{n},{g},{y}"), remote(b"1\nx")),
        (format!("{b},{y}"), Err(Failure::ServerError)),
        (format!("{b}|{y}"), remote(b"1\nx")),
        (format!("{b}|{n}"), Err(Failure::ServerError)),
        (format!("{n}|{b},{y}"), Err(Failure::ServerError)),
        // As in Go, the status is all that counts; what follows is no data then.
        (format!("{h}|{y}"), Err(Failure::NotData)),
        (format!(",, {n} ,{y}/ , off"), remote(b"1\nx")),
    ] {
        assert_eq!(Bench::proxies(&list).get(LOOKUP).await, want, "{list}");
    }
    assert!(yes.targets().iter().all(|t| t.starts_with("/sumdb/db.test/")), "{:?}", yes.targets());
    assert!(no.targets().iter().all(|t| t == "/sumdb/db.test/supported"));
}

#[tokio::test]
async fn the_probe_is_made_once_however_many_ask() {
    let later = Duration::from_millis(10);
    let server = Server::start(move |seen| {
        let answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 0", b"");
        if seen.target.ends_with("/supported") { Reply::After(later, answer) } else { Reply::Keep(answer) }
    })
    .await;
    let fetcher = Bench::proxies(&server.url()).fetcher();
    let paths: Vec<_> = (0..50).map(|i| ask(&format!("tile/8/0/{i:03}"))).collect();
    for answer in join_all(paths.iter().map(|get| fetcher.sumdb(get))).await {
        assert_eq!(answer, remote(b""));
    }
    assert_eq!(server.targets().iter().filter(|target| target.ends_with("/supported")).count(), 1);
    assert_eq!(server.requests().len(), 51);
}

#[tokio::test]
async fn direct_off_and_the_end_of_the_list_lead_to_the_database_itself() {
    let database = Server::start_tls(|_| ok("1\nx")).await;
    let no = Server::start(|_| status(404, "", "")).await;
    let broken = Server::start(|_| status(500, "", "")).await;
    let (n, b) = (no.url(), broken.url());
    for list in ["direct".to_owned(), "off".to_owned(), n.clone(), format!("{n},off"), format!("{b}|direct")] {
        let name = format!("{}/sub", database.addr);
        let bench = Bench::proxies(&list).trusting().with(|config| config.databases[0].name = name.clone());
        let get = SumdbGet { database: name, ..ask(LOOKUP) };
        assert_eq!(bench.fetcher().sumdb(&get).await, remote(b"1\nx"), "{list}");
    }
    assert!(database.targets().iter().all(|target| target == &format!("/sub/{LOOKUP}")));
    // A URL bypasses proxies.
    let before = no.requests().len();
    let bench = Bench::proxies(&n).trusting().with(|config| config.databases[0].url = Some(database.url()));
    assert_eq!(bench.get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!(no.requests().len(), before);
}

fn file_url(path: &Path) -> String {
    url::Url::from_file_path(path).expect("absolute").to_string()
}

#[tokio::test]
async fn file_trees() {
    let bench = Bench::proxies("off");
    bench.file("a tree%/sumdb/db.test/supported", b"");
    bench.file(&format!("a tree%/sumdb/db.test/{LOOKUP}"), b"1\nx");
    bench.file(&format!("a tree%/sumdb/db.test/{TILE}"), &[7; 101]);
    bench.file("a tree%/sumdb/db.test/tile/8/1/000/file", b"");
    bench.file("empty/x", b"");
    let (tree, empty) = (file_url(&bench.home.path().join("a tree%")), file_url(&bench.home.path().join("empty")));
    assert!(tree.contains("%20") && tree.contains("%25"));
    for offline in [false, true] {
        let through = |list: String| Bench::proxies(&list).with(|config| config.offline = offline);
        assert_eq!(through(tree.clone()).get(LOOKUP).await, remote(b"1\nx"));
        assert_eq!(through(format!("{empty},{tree}")).get(LOOKUP).await, remote(b"1\nx"));
        assert_eq!(through(tree.clone()).get("lookup/a.b/c@v1.0.0").await, Err(Failure::Absent));
        assert_eq!(through(tree.clone()).get(TILE).await, Err(Failure::TooLarge));
        assert_eq!(through(tree.clone()).get("tile/8/1/000").await, Err(Failure::Absent));
        let url = format!("{tree}/sumdb/db.test");
        assert_eq!(Bench::at(url).with(|config| config.offline = offline).get(LOOKUP).await, remote(b"1\nx"));
    }
    let offline = |list: &str| Bench::proxies(list).with(|config| config.offline = true);
    assert_eq!(offline(&empty).get(LOOKUP).await, Err(Failure::Offline));
    assert_eq!(offline(&format!("http://127.0.0.1:1,{tree}")).get(LOOKUP).await, Err(Failure::Offline));
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_in_a_tree_stalls_nothing() {
    let bench = Bench::proxies("off");
    let path = bench.home.path().join("lookup/golang.org/x");
    fs::create_dir_all(&path).expect("a folder");
    let made = std::process::Command::new("mkfifo").arg(path.join("text@v0.3.0")).status().expect("mkfifo runs");
    assert!(made.success());
    assert_eq!(Bench::at(file_url(bench.home.path())).get(LOOKUP).await, Err(Failure::Storage));
}

#[tokio::test]
async fn the_go_commands_cache_is_read_first_and_never_written() {
    let server = Server::start(|_| ok("1\nremote")).await;
    let bench = Bench::at(server.url());
    let sumdb = "go/pkg/mod/cache/download/sumdb/db.test";
    bench.file(&format!("{sumdb}/{LOOKUP}"), b"1\ncached");
    bench.file(&format!("{sumdb}/lookup/a.b/empty@v1.0.0"), b"");
    bench.file(&format!("{sumdb}/lookup/a.b/large@v1.0.0"), &[b'x'; 101]);
    let fetcher = bench.fetcher();
    assert_eq!(fetcher.sumdb(&ask(LOOKUP)).await, cached(b"1\ncached"));
    assert_eq!(server.requests().len(), 0);
    for path in ["lookup/a.b/empty@v1.0.0", "lookup/a.b/large@v1.0.0", "lookup/a.b/none@v1.0.0", TILE] {
        assert_eq!(fetcher.sumdb(&ask(path)).await, remote(b"1\nremote"), "{path}");
    }
    let past = SumdbGet { source: Source::Remote, ..ask(LOOKUP) };
    assert_eq!(fetcher.sumdb(&past).await, remote(b"1\nremote"));
    let told = bench.told();
    assert!(told.len() == 1 && told[0].contains("large@v1.0.0: larger than 100 bytes"), "{told:?}");
    assert!(!bench.home.path().join(sumdb).join("lookup/a.b/none@v1.0.0").exists());

    let offline = Bench::at(server.url()).with(|config| config.offline = true);
    offline.file(&format!("{sumdb}/{LOOKUP}"), b"1\ncached");
    assert_eq!(offline.get(LOOKUP).await, cached(b"1\ncached"));
    assert_eq!(offline.get(TILE).await, Err(Failure::Offline));
    assert_eq!(offline.fetcher().sumdb(&past).await, Err(Failure::Offline));
}

#[tokio::test]
async fn the_go_commands_newest_head() {
    let bench = Bench::proxies("off");
    assert_eq!(bench.fetcher().go_latest(DB, 9), Err(Failure::Absent));
    bench.file("go/pkg/sumdb/db.test/latest", b"");
    assert_eq!(bench.fetcher().go_latest(DB, 9), Err(Failure::Absent));
    bench.file("go/pkg/sumdb/db.test/latest", b"123456789");
    assert_eq!(bench.fetcher().go_latest(DB, 9), cached(b"123456789"));
    assert_eq!(bench.fetcher().go_latest(DB, 8), Err(Failure::TooLarge));
    assert_eq!(bench.fetcher().go_latest("../db.test", 9), Err(Failure::Absent));
    assert_eq!(bench.with(|config| config.gopath = None).fetcher().go_latest(DB, 9), Err(Failure::Absent));
}

#[tokio::test]
async fn credentials_go_to_their_server_alone() {
    let other = Server::start_tls(|_| ok("1\nx")).await;
    let target = other.url();
    let server =
        Server::start_tls(move |seen| if seen.target.starts_with("/away") { redirect(&target) } else { ok("1\nx") });
    let server = server.await;
    let plain = Server::start(|_| ok("1\nx")).await;
    let netrc = |bench: &Bench| {
        let machine = |server: &Server, user: &str| format!("machine {} login {user} password pw\n", server.addr);
        let text = machine(&server, "net") + &machine(&plain, "plain") + &machine(&other, "other");
        bench.file(".netrc", text.as_bytes());
    };
    let at = |url: String| {
        let bench = Bench::at(url).trusting();
        netrc(&bench);
        bench
    };
    let own_user = server.url().replace("https://", "https://us%3Aer:p%40ss@");
    assert_eq!(at(server.url()).get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!(at(own_user.clone()).get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!(at(format!("{own_user}/away")).get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!(at(format!("{}/away", server.url())).get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!(at(plain.url()).get(LOOKUP).await, remote(b"1\nx"));
    let off = at(server.url()).with(|config| config.goauth = setting(Var::GoAuth, "off"));
    assert_eq!(off.get(LOOKUP).await, remote(b"1\nx"));
    let command = at(server.url()).with(|config| config.goauth = setting(Var::GoAuth, "touch never-run; netrc"));
    assert_eq!(command.get(LOOKUP).await, remote(b"1\nx"));
    assert_eq!(command.told(), ["GOAUTH (environment): only netrc and off are obeyed; commands are never run"]);

    let sent = |server: &Server| -> Vec<Option<String>> {
        server.requests().iter().map(|seen: &Seen| seen.headers.get("authorization").cloned()).collect()
    };
    let (net, own) = (Some("Basic bmV0OnB3".to_owned()), Some("Basic dXM6ZXI6cEBzcw==".to_owned()));
    assert_eq!(sent(&server), [net.clone(), own.clone(), own, net.clone(), None, net]);
    assert_eq!(sent(&other), [None, None]);
    assert_eq!(sent(&plain), [None]);
}

#[tokio::test]
async fn messages_hold_no_secret_and_no_control_character() {
    let text = "Content-Type: text/plain\r\n";
    let server =
        Server::start_tls(move |_| status(500, text, "gave up \x1b[2J\u{202e}\nsecond\n\nafter a blank line")).await;
    let url = server.url().replace("https://", "https://usersecret:passsecret@") + "/base?token=querysecret";
    let bench = Bench::at(url).trusting();
    assert_eq!(bench.get(LOOKUP).await, Err(Failure::ServerError));
    assert!(server.targets().iter().all(|target| target == &format!("/base/{LOOKUP}?token=querysecret")));
    let told = bench.problems.take();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].status, Some(500));
    let shown = told[0].to_string();
    let want = format!(
        "reading https://xxxxx@{}/base/{LOOKUP}?xxxxx: 500 Internal Server Error\n\tserver response:\n\tgave up \\u{{1b}}[2J\\u{{202e}}\n\tsecond",
        server.addr
    );
    assert_eq!(shown, want);
}

#[tokio::test]
async fn a_dead_server_is_remembered() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("bound")
    };
    let bench = Bench::at(format!("http://{closed}"));
    let fetcher = bench.fetcher();
    // However many ask at once, one goes through all attempts; others were under way already when the first failed.
    let many: Vec<_> = (0..2000).map(|i| ask(&format!("tile/8/0/{i}"))).collect();
    let answers = join_all(many.iter().map(|get| fetcher.sumdb(get))).await;
    assert!(answers.iter().all(|answer| answer == &Err(Failure::Unreachable)));
    let pauses = bench.clock.pauses();
    assert!(pauses.contains(&500) && pauses.len() <= 2 * bench.config.jobs.get(), "{pauses:?}");
    let many: Vec<_> = (0..1000).map(|i| ask(&format!("tile/8/0/{i}"))).collect();
    assert!(join_all(many.iter().map(|get| fetcher.sumdb(get))).await.iter().all(|a| a == &Err(Failure::Unreachable)));
    assert_eq!(bench.clock.pauses(), pauses);
    assert_eq!(bench.told().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_a_dead_server_kills_only_itself() {
    let server = Server::start(|seen| match seen.target.starts_with("/lookup") {
        true => redirect("http://127.0.0.1:1/"),
        false => ok("x"),
    })
    .await;
    let fetcher = Bench::at(server.url()).fetcher();
    assert_eq!(fetcher.sumdb(&ask(LOOKUP)).await, Err(Failure::Unreachable));
    assert_eq!(fetcher.sumdb(&ask(TILE)).await, remote(b"x"));
}

#[tokio::test]
async fn the_runs_allowance_ends_everything() {
    let server = Server::start(|_| Reply::Stall(Vec::new())).await;
    let bench = Bench::at(server.url()).with(|config| {
        config.max_wait = Duration::from_millis(100);
        config.jobs = NonZeroUsize::new(2).expect("not zero");
    });
    let fetcher = bench.fetcher();
    let many: Vec<_> = (0..20).map(|i| ask(&format!("tile/8/0/{i}"))).collect();
    assert!(join_all(many.iter().map(|get| fetcher.sumdb(get))).await.iter().all(|a| a == &Err(Failure::TimedOut)));
    let before = server.requests().len();
    assert_eq!(before, 2);
    assert_eq!(fetcher.sumdb(&ask(LOOKUP)).await, Err(Failure::TimedOut));
    assert_eq!(server.requests().len(), before);
    assert!(bench.told()[0].contains("(--max-wait)"));
}

#[tokio::test]
async fn no_more_than_jobs_requests_at_once_on_as_many_connections() {
    let pause = Duration::from_millis(2);
    let server = Server::start(move |_| Reply::After(pause, raw("HTTP/1.1 200 OK\r\nContent-Length: 1", b"x"))).await;
    let jobs = NonZeroUsize::new(3).expect("not zero");
    let bench = Bench::at(server.url()).with(|config| config.jobs = jobs);
    let fetcher = bench.fetcher();
    let many: Vec<_> = (0..60).map(|i| ask(&format!("tile/8/0/{i}"))).collect();
    assert!(join_all(many.iter().map(|get| fetcher.sumdb(get))).await.iter().all(|a| a == &remote(b"x")));
    assert_eq!((server.requests().len(), server.peak()), (60, 3));
    assert!(server.connections() <= 4, "{} connections", server.connections());
}

#[tokio::test]
async fn connections_live_on_after_errors() {
    let server =
        Server::start(|seen| if seen.number % 2 == 0 { status(404, "", "not found: x") } else { ok("x") }).await;
    let fetcher = Bench::at(server.url()).fetcher();
    for i in 0..20 {
        let want = if i % 2 == 0 { Err(Failure::Absent) } else { remote(b"x") };
        assert_eq!(fetcher.sumdb(&ask(TILE)).await, want);
    }
    assert_eq!((server.requests().len(), server.connections()), (20, 1));
}

#[tokio::test]
async fn what_is_sent() {
    let server = Server::start_tls(|_| ok("1\nx")).await;
    let bench = Bench::at(server.url()).trusting();
    assert_eq!(bench.get("lookup/github.com/!burnt!sushi/toml@v0.3.1+incompatible").await, remote(b"1\nx"));
    let seen = server.requests().remove(0);
    assert_eq!(
        (seen.method.as_str(), seen.target.as_str()),
        ("GET", "/lookup/github.com/!burnt!sushi/toml@v0.3.1+incompatible")
    );
    let agent = concat!("modanchor/", env!("CARGO_PKG_VERSION"), " (+https://github.com/modanchor/modanchor)");
    assert_eq!(seen.headers["user-agent"], agent);
    let mut names: Vec<_> = seen.headers.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["accept", "host", "user-agent"]);
    assert_eq!(server.alpn(), [[b"h2".to_vec(), b"http/1.1".to_vec()]]);
}

#[tokio::test]
async fn the_first_request_over_tls_goes_alone() {
    let pause = Duration::from_millis(20);
    let server = Server::start_tls(move |seen| {
        let answer = raw("HTTP/1.1 200 OK\r\nContent-Length: 1", b"x");
        if seen.number == 0 { Reply::After(pause, answer) } else { Reply::Keep(answer) }
    })
    .await;
    let fetcher = Bench::at(server.url()).trusting().fetcher();
    let (tile, lookup) = (ask(TILE), ask(LOOKUP));
    let first = fetcher.sumdb(&tile);
    let second = async {
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let answer = fetcher.sumdb(&lookup).await;
        (answer, server.connections())
    };
    let (first, second) = futures_util::future::join(first, second).await;
    assert_eq!((first, second), (remote(b"x"), (remote(b"x"), 1)));
}

#[tokio::test]
async fn certificates_are_always_verified_and_roots_read_only_when_needed() {
    // Whatever GOINSECURE says: the fetcher is not even told.
    let server = Server::start_tls(|_| ok("1\nx")).await;
    let stranger = Bench::at(server.url()).with(|config| config.network.ssl_cert_file = Some(fixture("server.pem")));
    assert_eq!(stranger.get(LOOKUP).await, Err(Failure::Unreachable));
    // Trying again would not help.
    assert_eq!((stranger.clock.pauses(), stranger.told().len(), server.requests().len()), (vec![], 1, 0));

    let plain = Server::start(|_| ok("1\nx")).await;
    let rootless = |url| Bench::at(url).with(|config| config.network.ssl_cert_file = Some(fixture("none.pem")));
    assert_eq!(rootless(plain.url()).get(LOOKUP).await, remote(b"1\nx"));
    let bench = rootless(server.url());
    assert_eq!(bench.get(LOOKUP).await, Err(Failure::Unreachable));
    assert!(bench.told()[0].contains("no trusted root certificate"));
}

#[tokio::test]
async fn names_and_paths_that_are_not_clean_are_never_asked_for() {
    let server = Server::start(|_| ok("1\nx")).await;
    let bench = Bench::at(server.url());
    let fetcher = bench.fetcher();
    for path in [
        "",
        "/etc/passwd",
        "../x",
        "lookup/../../x",
        "lookup//x",
        "lookup/x?y",
        "lookup/x#y",
        "lookup/%2e%2e/x",
        "lookup/a b",
    ] {
        assert_eq!(fetcher.sumdb(&ask(path)).await, Err(Failure::Storage), "{path}");
    }
    let stranger = SumdbGet { database: "other.test".to_owned(), ..ask(LOOKUP) };
    assert_eq!(fetcher.sumdb(&stranger).await, Err(Failure::Storage));
    assert_eq!(server.requests().len(), 0);
    assert_eq!(bench.told().len(), 10);
}

#[tokio::test]
async fn problems_are_told_once_for_a_server_and_not_for_what_is_normal() {
    let server = Server::start(|seen| match seen.target.as_str() {
        t if t.contains("text") => status(404, "Content-Type: text/plain\r\n", "not found: golang.org/x/text"),
        t if t.starts_with("/tile") => status(404, "", ""),
        _ => status(403, "", ""),
    })
    .await;
    let bench = Bench::at(server.url());
    let fetcher = bench.fetcher();
    for path in [LOOKUP, LOOKUP, TILE, "lookup/a.b/c@v1.0.0", "lookup/a.b/d@v1.0.0"] {
        assert!(fetcher.sumdb(&ask(path)).await.is_err());
    }
    let url = server.url();
    let absent = format!("reading {url}/{LOOKUP}: 404 Not Found\n\tserver response:\n\tnot found: golang.org/x/text");
    assert_eq!(bench.told(), [absent, format!("reading {url}/lookup/a.b/c@v1.0.0: 403 Forbidden")]);
}

#[test]
fn wrong_configurations_are_named() {
    let error = |bench: Bench| Fetcher::new(bench.config).err().expect("wrong").to_string();
    for (list, want) in [
        ("", "GOPROXY (environment): GOPROXY list is not the empty string, but contains no entries"),
        ("ftp://x", "GOPROXY (environment): invalid proxy URL scheme (must be https, http, file): ftp://x"),
        ("http://u:secret@x", "GOPROXY (environment): refusing to pass credentials to insecure URL: http://xxxxx@x"),
    ] {
        assert_eq!(error(Bench::proxies(list)), want);
    }
    let bad_url = error(Bench::at("gopher://x"));
    assert_eq!(bad_url, "GOSUMDB (environment): invalid GOSUMDB URL: unsupported scheme: gopher://x");
    let bad_name = error(Bench::proxies("off").with(|config| config.databases[0].name = "a/../b".to_owned()));
    assert_eq!(bad_name, "GOSUMDB (environment): invalid sumdb name (must be host[/path]): a/../b");

    for (name, value) in
        [("NETRC", "netrc"), ("SSL_CERT_FILE", "ca.pem"), ("SSL_CERT_DIR", "certs"), ("HTTP_PROXY", "ftp://x")]
    {
        let home = TempDir::new().expect("a folder");
        let vars = [("HOME", home.path().display().to_string()), (name, value.to_owned())];
        let env = GoEnv::load(Sources::of(vars)).expect("good so far");
        let result = FetchConfig::new(&env, Vec::new(), Arc::new(Collected::default()));
        assert!(matches!(result, Err(ConfigError::Environment(_) | ConfigError::HttpProxy(_))), "{name}");
    }
}
