//! Attestations, Rekor, and small targets.

use std::net::Ipv4Addr;

use modanchor_host::ci::event::BaseUrl;
use modanchor_host::ci::github::Token;
use modanchor_host::contract::{AttestationPlace, AttestationsGet, Failure, ModuleRef, Origin, RekorGet, TargetGet};
use modanchor_host::fetch::{Fetcher, GitHubApi, MAX_CONTENT, TargetsAt, TufSource};
use modanchor_host::goenv::Var;

use super::server::{Reply, Server, redirect, status};
use super::{Bench, raw, setting};

const M: &str = "github.com/BurntSushi/toml";
const PATH: &str = "/github.com/!burnt!sushi/toml/@v/v1.6.0.sigstore.json";
const MAX: u32 = 100;

fn digest() -> String {
    "0123456789abcdef".repeat(4)
}

fn ask(place: AttestationPlace, path: &str, sha256: &str) -> AttestationsGet {
    let module = ModuleRef { path: path.to_owned(), version: "v1.6.0".to_owned() };
    AttestationsGet { module, place, sha256: sha256.to_owned(), max_bytes: MAX }
}

async fn get(fetcher: &Fetcher, place: AttestationPlace, path: &str, sha256: &str) -> Result<Vec<u8>, Failure> {
    let body = fetcher.attestations(&ask(place, path, sha256)).await?;
    assert_eq!(body.origin, Origin::Remote);
    Ok(body.content)
}

fn json(body: &str) -> Reply {
    status(200, "Content-Type: application/json\r\n", body)
}

/// One that finds attestations at a server, in every way.
fn everywhere(url: &str) -> Bench {
    Bench::proxies(url).with(|config| {
        config.attestations.template =
            Some(format!("{url}/t/{{path}}/{{version}}/{{sha256}}?key=k").parse().expect("a template"));
        config.attestations.github = Some(GitHubApi {
            api_url: BaseUrl::parse(&format!("{url}/api/")).expect("a URL"),
            host: "github.com".to_owned(),
            token: Token::parse("ghs_secret"),
        });
    })
}

const REMOTE: [AttestationPlace; 3] = [AttestationPlace::Proxy, AttestationPlace::Template, AttestationPlace::Github];

#[tokio::test]
async fn each_place_has_its_url_and_only_github_gets_the_token() {
    let server = Server::start(|_| json("{}")).await;
    let bench = everywhere(&server.url());
    let fetcher = bench.fetcher();
    for place in REMOTE {
        assert_eq!(get(&fetcher, place, M, &digest()).await, Ok(b"{}".to_vec()), "{place:?}");
    }
    let hex = digest();
    assert_eq!(
        server.targets(),
        [
            PATH.to_owned(),
            format!("/t/github.com/!burnt!sushi/toml/v1.6.0/{hex}?key=k"),
            format!("/api/repos/BurntSushi/toml/attestations/sha256:{hex}?per_page=100"),
        ]
    );
    let tokens: Vec<Option<String>> =
        server.requests().into_iter().map(|seen| seen.headers.get("authorization").cloned()).collect();
    assert_eq!(tokens, [None, None, Some("Bearer ghs_secret".to_owned())]);
    let last = server.requests().pop().expect("three");
    assert_eq!(last.headers["accept"], "application/vnd.github+json");
    assert_eq!(last.headers["x-github-api-version"], "2022-11-28");
    assert!(bench.told().is_empty());
}

#[tokio::test]
async fn a_folder_is_laid_out_as_a_proxy() {
    let bench = Bench::proxies("off");
    bench.file(&PATH[1..], b"{}");
    bench.file("a.test/large/@v/v1.6.0.sigstore.json", &[b'x'; MAX as usize + 1]);
    let home = bench.home.path().to_owned();
    let bench = bench.with(|config| config.attestations.folder = Some(home));
    let fetcher = bench.fetcher();
    assert_eq!(get(&fetcher, AttestationPlace::Folder, M, "").await, Ok(b"{}".to_vec()));
    assert_eq!(get(&fetcher, AttestationPlace::Folder, "a.test/none", "").await, Err(Failure::Absent));
    assert!(bench.told().is_empty());
    assert_eq!(get(&fetcher, AttestationPlace::Folder, "a.test/large", "").await, Err(Failure::TooLarge));
    assert_eq!(get(&fetcher, AttestationPlace::Folder, "../etc", "").await, Err(Failure::Storage));
}

#[tokio::test]
async fn no_place_no_attestation() {
    let server = Server::start(|_| json("{}")).await;
    let bench = everywhere(&server.url()).with(|config| config.gonoproxy = setting(Var::GoNoProxy, "github.com"));
    let fetcher = bench.fetcher();
    let bare = Bench::proxies("direct").fetcher();
    for place in
        [AttestationPlace::Folder, AttestationPlace::Proxy, AttestationPlace::Template, AttestationPlace::Github]
    {
        assert_eq!(get(&bare, place, M, &digest()).await, Err(Failure::Absent), "{place:?}");
    }
    for (place, path, sha256) in [
        (AttestationPlace::ModuleCache, M, digest()),
        (AttestationPlace::Proxy, M, digest()),
        (AttestationPlace::Template, M, String::new()),
        (AttestationPlace::Template, M, digest().to_uppercase()),
        (AttestationPlace::Github, M, String::new()),
        (AttestationPlace::Github, "example.com/m", digest()),
    ] {
        assert_eq!(get(&fetcher, place, path, &sha256).await, Err(Failure::Absent), "{place:?} {path}");
    }
    let offline = everywhere(&server.url()).with(|config| config.offline = true);
    for place in REMOTE {
        assert_eq!(get(&offline.fetcher(), place, M, &digest()).await, Err(Failure::Offline), "{place:?}");
    }
    let rekor = RekorGet { log: server.url(), path: "checkpoint".to_owned(), post: None, max_bytes: MAX };
    assert_eq!(offline.fetcher().rekor(&rekor).await.err(), Some(Failure::Offline));
    assert!(server.requests().is_empty() && bench.told().is_empty() && offline.told().is_empty());
}

#[tokio::test]
async fn bad_answers() {
    let large = "x".repeat(MAX as usize + 1);
    for (name, reply, want, attempts) in [
        ("absent", status(404, "", "no"), Failure::Absent, 1),
        ("gone", status(410, "", ""), Failure::Absent, 1),
        ("forbidden", status(403, "", ""), Failure::Denied, 1),
        ("too large", json(&large), Failure::TooLarge, 1),
        ("portal", status(200, "Content-Type: text/html\r\n", "<html>"), Failure::NotData, 1),
        ("portal in disguise", json("<!doctype html><p>log in"), Failure::NotData, 1),
        ("compressed", status(200, "Content-Encoding: gzip\r\n", "\x1f"), Failure::NotData, 1),
        ("broken", status(500, "", ""), Failure::ServerError, 3),
        ("short", Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1234")), Failure::Truncated, 3),
        ("other scheme", redirect("file:///etc/passwd"), Failure::BadRedirect, 1),
    ] {
        for place in REMOTE {
            let reply = reply.clone();
            let server = Server::start(move |_| reply.clone()).await;
            let bench = everywhere(&server.url());
            assert_eq!(get(&bench.fetcher(), place, M, &digest()).await, Err(want), "{name} {place:?}");
            let told = bench.told();
            assert_eq!(server.requests().len(), attempts, "{name} {place:?}: {told:?}");
            assert!(!told.iter().any(|line| line.contains("ghs_secret") || line.contains("key=k")), "{told:?}");
            assert_eq!(told.len(), usize::from(want != Failure::Absent), "{name} {place:?}: {told:?}");
        }
    }
}

/// Some proxies say 400 of a name that is none of the protocol's; an API that says so was asked wrongly.
#[tokio::test]
async fn a_proxy_may_not_know_what_it_is() {
    let server = Server::start(|_| status(400, "", "bad request")).await;
    let next = Server::start(|_| json("{}")).await;
    let list = format!("{},{}", server.url(), next.url());
    assert_eq!(get(&Bench::proxies(&list).fetcher(), AttestationPlace::Proxy, M, "").await, Ok(b"{}".to_vec()));
    let bench = everywhere(&server.url());
    assert_eq!(get(&bench.fetcher(), AttestationPlace::Proxy, M, "").await, Err(Failure::Absent));
    assert!(bench.told().is_empty());
    assert_eq!(get(&bench.fetcher(), AttestationPlace::Github, M, &digest()).await, Err(Failure::UnexpectedStatus));
}

#[tokio::test]
async fn the_token_goes_to_no_other_server() {
    let other = Server::start(|_| json("{}")).await;
    let to = format!("{}/elsewhere", other.url());
    let server = Server::start(move |_| redirect(&to)).await;
    let fetcher = everywhere(&server.url()).fetcher();
    assert_eq!(get(&fetcher, AttestationPlace::Github, M, &digest()).await, Ok(b"{}".to_vec()));
    assert!(server.requests()[0].headers.contains_key("authorization"));
    assert!(!other.requests()[0].headers.contains_key("authorization"), "{:?}", other.requests());
}

#[tokio::test]
async fn a_used_up_allowance_is_told_once_and_nothing_more_is_asked() {
    for code in [403, 429] {
        let server = Server::start(move |_| status(code, "X-RateLimit-Remaining: 0\r\n", "")).await;
        let bench = everywhere(&server.url());
        let bench = bench.with(|config| config.attestations.github.as_mut().expect("there").token = None);
        let fetcher = bench.fetcher();
        for path in [M, "github.com/a/b", "github.com/a/c"] {
            assert_eq!(
                get(&fetcher, AttestationPlace::Github, path, &digest()).await,
                Err(Failure::RateLimited),
                "{code}"
            );
        }
        let told = bench.told();
        assert_eq!((server.requests().len(), told.len()), (1, 1), "{told:?}");
        assert!(told[0].contains("GITHUB_TOKEN"), "{told:?}");
    }
}

fn rekor(log: &str, path: &str, post: Option<&[u8]>) -> RekorGet {
    RekorGet { log: log.to_owned(), path: path.to_owned(), post: post.map(<[u8]>::to_vec), max_bytes: MAX }
}

#[tokio::test]
async fn a_log_is_asked() {
    let server = Server::start(|_| json("{}")).await;
    let fetcher = Bench::proxies("off").fetcher();
    for (path, post) in [
        ("api/v1/log/entries/24aa", None),
        ("api/v1/log/entries?logIndex=7", None),
        ("api/v1/index/retrieve", Some(&b"{\"hash\":\"sha256:00\"}"[..])),
        ("tile/0/x001/234.p/7", None),
    ] {
        let body = fetcher.rekor(&rekor(&server.url(), path, post)).await.expect(path);
        assert_eq!(body.content, b"{}");
        let seen = server.requests().pop().expect("it was asked");
        assert_eq!(seen.target, format!("/{path}"));
        assert_eq!(seen.method, if post.is_some() { "POST" } else { "GET" });
        assert_eq!(seen.headers["accept"] == "application/json", path.starts_with("api/"), "{path}");
        assert_eq!(seen.body, post.unwrap_or_default());
    }
    let bench = Bench::proxies("off");
    for (log, path) in [("http://rekor.test", "checkpoint"), ("/srv", "checkpoint"), (&server.url(), "../checkpoint")] {
        assert_eq!(bench.fetcher().rekor(&rekor(log, path, None)).await.err(), Some(Failure::Storage), "{log} {path}");
    }
    assert_eq!((server.requests().len(), bench.told().len()), (4, 3));
}

#[tokio::test]
async fn a_post_is_sent_again_only_if_it_had_no_effect() {
    let cases = [
        ("silence", Reply::Close(Vec::new()), Failure::Unreachable, 1),
        ("error", status(500, "", ""), Failure::ServerError, 1),
        ("gateway", status(502, "", ""), Failure::ServerError, 1),
        ("short", Reply::Close(raw("HTTP/1.1 200 OK\r\nContent-Length: 9", b"1")), Failure::Truncated, 1),
        ("too many", status(429, "", ""), Failure::RateLimited, 3),
        ("unavailable", status(503, "", ""), Failure::ServerError, 3),
        ("moved", redirect("http://127.0.0.1:1/"), Failure::BadRedirect, 1),
    ];
    for (name, reply, want, attempts) in cases {
        let server = Server::start(move |_| reply.clone()).await;
        let bench = Bench::proxies("off");
        let found = bench.fetcher().rekor(&rekor(&server.url(), "api/v1/index/retrieve", Some(b"{}"))).await;
        assert_eq!(found.err(), Some(want), "{name}");
        assert_eq!(server.requests().len(), attempts, "{name}");
    }
    // A GET is.
    let server = Server::start(|seen| if seen.number == 0 { status(500, "", "") } else { json("{}") }).await;
    assert!(Bench::proxies("off").fetcher().rekor(&rekor(&server.url(), "checkpoint", None)).await.is_ok());
    // Nobody is there: nothing was sent.
    let port = {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        listener.local_addr().expect("bound").port()
    };
    let bench = Bench::proxies("off");
    let dead = rekor(&format!("http://127.0.0.1:{port}"), "api/v1/index/retrieve", Some(b"{}"));
    assert_eq!(bench.fetcher().rekor(&dead).await.err(), Some(Failure::Unreachable));
    assert_eq!(bench.clock.pauses().len(), 2, "three attempts");
}

#[tokio::test]
async fn a_small_target_is_read_whole() {
    let server = Server::start(|_| json("{\"root\":1}")).await;
    let source = |metadata: String| TufSource {
        name: "sigstore".to_owned(),
        metadata,
        targets: TargetsAt::Below,
        set_by: "modanchor".to_owned(),
    };
    let get = |repository: &str, file: &str, max_bytes| TargetGet {
        repository: repository.to_owned(),
        path: "trusted_root.json".to_owned(),
        file: file.to_owned(),
        max_bytes,
        held: false,
    };
    let bench = Bench::proxies("off").with(|config| config.repositories = vec![source(server.url())]);
    let fetcher = bench.fetcher();
    let body = fetcher.tuf_content(&get("sigstore", "ab.trusted_root.json", 10)).await.expect("it is there");
    assert_eq!((body.content.as_slice(), body.origin), (&b"{\"root\":1}"[..], Origin::Remote));
    assert_eq!(server.targets(), ["/targets/ab.trusted_root.json"]);
    assert_eq!(fetcher.tuf_content(&get("sigstore", "ab.trusted_root.json", 9)).await.err(), Some(Failure::TooLarge));
    for (repository, file) in [("other", "a"), ("sigstore", "../a"), ("sigstore", "")] {
        assert_eq!(fetcher.tuf_content(&get(repository, file, 10)).await.err(), Some(Failure::Storage), "{file}");
    }
    let offline = Bench::proxies("off").with(|config| {
        config.repositories = vec![source(server.url())];
        config.offline = true;
    });
    assert_eq!(offline.fetcher().tuf_content(&get("sigstore", "a", 10)).await.err(), Some(Failure::Offline));
    // However much is asked for.
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: {}", u64::from(MAX_CONTENT) + 1);
    let large = Server::start(move |_| Reply::Close(raw(&announced, b""))).await;
    let bench = Bench::proxies("off").with(|config| config.repositories = vec![source(large.url())]);
    assert_eq!(bench.fetcher().tuf_content(&get("sigstore", "a", u64::MAX)).await.err(), Some(Failure::TooLarge));
}
