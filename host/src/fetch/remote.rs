//! HTTP: attempts, redirects, limits (cmd/go/internal/web/http.go, and what it leaves to net/http).
//!
//! `--timeout` is for one attempt, from connecting to the last byte. A zip or a target may be large and the line slow: there it is for
//! each wait, for the head of an answer and for each part of its body, so that a download may take long but not stall.
//! `--max-wait` bounds both.

use std::collections::HashMap;
use std::error::Error;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Client, Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use url::Url;

use super::address::{self, Credentials, PrivateAddress};
use super::client::Way;
use super::diagnostics::{MAX_DETAIL_BYTES, Problem, Reporter, detail};
use super::netrc::Netrc;
use super::retry::{is_transient, retry_after};
use super::sink::Sink;
use super::{Expect, FetchConfig};
use crate::contract::Failure;

/// How many requests one chain of redirects may have, the first included, as net/http counts them.
pub const MAX_REQUESTS_IN_CHAIN: usize = 10;
/// How much of an answer that is not 200 is read, so that the connection can be used again.
const MAX_ERROR_BODY: usize = 4096;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    /// Without credentials.
    pub(super) url: &'a Url,
    /// What goes to its server, and to none that it redirects to.
    pub(super) secret: Secret<'a>,
    /// Headers that are no secret.
    pub(super) headers: &'a [(HeaderName, HeaderValue)],
    /// JSON to be posted; none: GET. A POST is never redirected, and sent again only if it cannot have had an effect.
    pub(super) post: Option<&'a [u8]>,
    pub(super) max_bytes: u64,
    pub(super) expect: Expect,
}

/// What a server may know.
#[derive(Clone, Copy)]
pub(super) enum Secret<'a> {
    /// What netrc has for it, over https.
    OfNetrc,
    /// What stood beside its URL.
    Pair(&'a Credentials),
    /// A header.
    Token(&'a HeaderValue),
}

impl<'a> Ask<'a> {
    /// A plain GET.
    pub(super) fn get(url: &'a Url, credentials: Option<&'a Credentials>, max_bytes: u64, expect: Expect) -> Self {
        let secret = credentials.map_or(Secret::OfNetrc, Secret::Pair);
        Self { url, secret, headers: &[], post: None, max_bytes, expect }
    }

    fn shown(&self) -> String {
        address::shown(self.url, matches!(self.secret, Secret::Pair(_)))
    }
}

/// The network.
pub(super) struct Remote {
    config: FetchConfig,
    reporter: Arc<Reporter>,
    jobs: Semaphore,
    servers: Mutex<HashMap<String, Arc<Server>>>,
    clients: [OnceLock<Result<Client, String>>; 4],
    netrc: OnceLock<Netrc>,
    first_request: OnceLock<Instant>,
}

/// What is known of one server.
struct Server {
    /// No connection came about in all attempts of one request: others need not try.
    dead: OnceLock<Miss>,
    /// It asked to be left alone until then.
    not_before: Mutex<Option<Instant>>,
    /// Whether anybody may ask. Else one request goes ahead alone, the scout, and the others wait for what becomes of
    /// it: at first over TLS, so that with HTTP/2 there is one connection and not one for each job; and when no
    /// connection comes about, so that hundreds of thousands of requests do not all find that out for themselves.
    open: AtomicBool,
    scout: tokio::sync::Mutex<()>,
}

/// Why there are no bytes.
#[derive(Debug, Clone)]
pub(super) struct Miss {
    pub(super) failure: Failure,
    url: String,
    /// The server, where one problem with it stands for all.
    server: Option<String>,
    status: Option<u16>,
    what: String,
    detail: Vec<String>,
    retry: Retry,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    Never,
    /// By the schedule; after the server's own wish, if it is longer.
    Later(Option<Duration>),
    /// By the schedule; in the end the server counts as dead.
    NoConnection,
    /// No connection, and there will be none: the server counts as dead at once.
    Hopeless,
}

impl Miss {
    pub(super) fn new(failure: Failure, url: String, what: String) -> Self {
        let retry = if is_transient(failure) { Retry::Later(None) } else { Retry::Never };
        Self { failure, url, server: None, status: None, what, detail: Vec::new(), retry }
    }

    /// That no connection came about says nothing of the server that redirected there.
    fn at_hop(mut self, same_server: bool) -> Self {
        self.retry = match self.retry {
            Retry::NoConnection if !same_server => Retry::Later(None),
            Retry::Hopeless if !same_server => Retry::Never,
            retry => retry,
        };
        self
    }

    /// Whether the server said so.
    pub(super) fn is_status(&self, status: StatusCode) -> bool {
        self.status == Some(status.as_u16())
    }

    /// Whether the server has certainly done nothing: it was not reached, or says that it wants to be left alone.
    fn without_effect(&self) -> bool {
        matches!(self.retry, Retry::NoConnection | Retry::Hopeless)
            || self.is_status(StatusCode::TOO_MANY_REQUESTS)
            || self.is_status(StatusCode::SERVICE_UNAVAILABLE)
    }

    /// What makes it distinct from others.
    pub(super) fn key(&self) -> String {
        match (&self.server, self.failure) {
            (Some(server), failure) if failure != Failure::Absent => {
                format!("{server} {failure:?} {:?}", self.status)
            }
            _ => format!("{} {:?}", self.url, self.failure),
        }
    }

    pub(super) fn problem(&self) -> Problem {
        Problem {
            url: Some(self.url.clone()),
            status: self.status,
            what: self.what.clone(),
            detail: self.detail.clone(),
        }
    }
}

impl Remote {
    pub(super) fn new(config: FetchConfig, reporter: Arc<Reporter>) -> Self {
        Self {
            jobs: Semaphore::new(config.jobs.get().min(Semaphore::MAX_PERMITS)),
            reporter,
            servers: Mutex::default(),
            clients: [const { OnceLock::new() }; 4],
            netrc: OnceLock::new(),
            first_request: OnceLock::new(),
            config,
        }
    }

    /// Fills `sink` with the answer, with retries and within the run's allowance.
    pub(super) async fn get(&self, ask: &Ask<'_>, sink: &mut impl Sink) -> Result<(), Box<Miss>> {
        let shown = ask.shown();
        let over = || {
            let what =
                format!("no answer within the run's {} seconds (--max-wait)", self.config.max_wait.as_secs_f32());
            let mut miss = Miss::new(Failure::TimedOut, shown.clone(), what);
            miss.server = Some(address::server(ask.url));
            Box::new(miss)
        };
        let left = self.left();
        if left.is_zero() {
            return Err(over());
        }
        let get = self.with_retries(ask, sink);
        timeout(left, get).await.unwrap_or_else(|_| Err(over()))
    }

    /// What is left of the run's allowance, which starts with the first call.
    fn left(&self) -> Duration {
        let now = self.config.clock.monotonic();
        let start = *self.first_request.get_or_init(|| now);
        self.config.max_wait.saturating_sub(now.saturating_duration_since(start))
    }

    async fn with_retries(&self, ask: &Ask<'_>, sink: &mut impl Sink) -> Result<(), Box<Miss>> {
        let name = address::server(ask.url);
        let server = {
            let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Server::new(ask.url));
            servers.entry(name.clone()).or_insert_with(new).clone()
        };
        let shown = || ask.shown();
        let dead = || server.dead.get().map(|miss| Box::new(Miss { url: shown(), ..miss.clone() }));
        if let Some(miss) = dead() {
            return Err(miss);
        }
        let mut attempt = 0;
        let mut scout = None;
        loop {
            if scout.is_none() && !server.is_open() {
                scout = Some(server.scout.lock().await).filter(|_| !server.is_open());
            }
            self.leave_alone(&server).await;
            // The semaphore is never closed.
            let permit = self.jobs.acquire().await.ok();
            if let Some(miss) = dead() {
                return Err(miss);
            }
            if scout.is_none() && !server.is_open() {
                continue;
            }
            attempt += 1;
            let heard = || {
                server.set_open(true);
                scout = None;
            };
            let answer = self.chain(ask, heard, sink);
            let answer = match ask.expect {
                // Every wait within it has the same limit.
                large if large.is_large() => answer.await,
                _ => timeout(self.config.timeout, answer).await.unwrap_or_else(|_| Err(self.too_slow(shown()))),
            };
            drop(permit);
            let Err(mut miss) = answer else {
                return Ok(());
            };
            miss.server = Some(name.clone());
            if ask.post.is_some() && !miss.without_effect() {
                miss.retry = Retry::Never;
            }
            server.set_open(!matches!(miss.retry, Retry::NoConnection | Retry::Hopeless));
            if server.is_open() {
                scout = None;
            }
            let left = self.left();
            let pause = match miss.retry {
                Retry::Never | Retry::Hopeless => None,
                Retry::NoConnection => self.config.retry.pause_after(attempt),
                Retry::Later(wish) => {
                    if let Some(wish) = wish.filter(|wish| *wish <= left) {
                        server.not_before(self.config.clock.monotonic() + wish);
                    }
                    self.config.retry.pause_after(attempt).map(|pause| pause.max(wish.unwrap_or_default()))
                }
            };
            // No attempt is left, or no time for it.
            let Some(pause) = pause.filter(|pause| *pause < left) else {
                if !server.is_open() {
                    miss = server.dead.get_or_init(|| miss).clone();
                }
                return Err(Box::new(Miss { url: shown(), ..miss }));
            };
            self.config.clock.sleep(pause).await;
        }
    }

    /// Waits for the server, but not for longer than one attempt may take.
    async fn patiently<T>(&self, shown: &str, answer: impl Future<Output = T>) -> Result<T, Miss> {
        timeout(self.config.timeout, answer).await.map_err(|_| self.too_slow(shown.to_owned()))
    }

    fn too_slow(&self, shown: String) -> Miss {
        let what = format!("no answer within {} seconds (--timeout)", self.config.timeout.as_secs_f32());
        Miss::new(Failure::TimedOut, shown, what)
    }

    /// Waits until the server wants to hear from us again.
    async fn leave_alone(&self, server: &Server) {
        loop {
            let until = *server.not_before.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.config.clock.monotonic();
            match until.map(|until| until.saturating_duration_since(now)).filter(|pause| !pause.is_zero()) {
                Some(pause) => self.config.clock.sleep(pause).await,
                None => return,
            }
        }
    }

    /// One attempt: a request and the redirects that it leads to. Calls `heard` when the server has answered at all.
    async fn chain(&self, ask: &Ask<'_>, mut heard: impl FnMut(), sink: &mut impl Sink) -> Result<(), Miss> {
        let start = ask.url;
        let mut url = start.clone();
        // Whether the next hop was chosen by a public server.
        let mut guarded = false;
        for _ in 0..MAX_REQUESTS_IN_CHAIN {
            let same = address::same_server(&url, start);
            let own = if same { Some(ask.secret) } else { None };
            let shown = address::shown(&url, matches!(own, Some(Secret::Pair(_))));
            let hopeless = |what: &str| {
                let miss = Miss::new(Failure::Unreachable, shown.clone(), what.to_owned());
                let retry = Retry::Hopeless;
                Miss { retry, ..miss }.at_hop(same)
            };
            let proxied = match self.config.network.http_proxies.find(&url) {
                Ok(proxy) => proxy,
                Err(e) => return Err(hopeless(&e.to_string())),
            };
            let tls = url.scheme() == "https" || proxied.is_some_and(|proxy| proxy.scheme() == "https");
            // A proxy resolves names itself, and may well have a private address.
            let client = self.client(tls, guarded && proxied.is_none());
            let client = client.map_err(|e| hopeless(&e))?;
            let mut request = Request::new(Method::GET, url.clone());
            if let Some(post) = ask.post {
                *request.method_mut() = Method::POST;
                *request.body_mut() = Some(post.to_vec().into());
                request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            request.headers_mut().extend(ask.headers.iter().cloned());
            let authorization = match own {
                Some(Secret::Token(token)) => Some(token.clone()),
                Some(Secret::Pair(credentials)) => basic(credentials),
                Some(Secret::OfNetrc) => self.netrc(&url).and_then(basic),
                None => None,
            };
            if let Some(value) = authorization {
                request.headers_mut().insert(AUTHORIZATION, value);
            }
            let response = self.patiently(&shown, client.execute(request)).await?;
            let mut response = response.map_err(|e| no_response(e, &shown).at_hop(same))?;
            heard();
            let Some(target) = redirect_target(&url, &response) else {
                return self.body(&mut response, &shown, ask, sink).await;
            };
            let refuse = |why: &str| {
                Miss::new(Failure::BadRedirect, shown.clone(), format!("{why} {}", address::shown(&target, false)))
            };
            if ask.post.is_some() {
                return Err(refuse("a POST was redirected to"));
            }
            if target.scheme() != "https" && !(target.scheme() == "http" && url.scheme() == "http") {
                return Err(refuse("redirected to the insecure URL"));
            }
            guarded |= match response.remote_addr().filter(|_| proxied.is_none()) {
                Some(peer) => address::is_public(peer.ip()),
                None => !address::names_private_host(&url),
            };
            if guarded && address::names_private_host(&target) {
                return Err(refuse("redirected to the private address"));
            }
            self.patiently(&shown, read_some(&mut response)).await?;
            url = target;
        }
        let what = format!("stopped after {MAX_REQUESTS_IN_CHAIN} redirects");
        Err(Miss::new(Failure::BadRedirect, ask.shown(), what))
    }

    async fn body(
        &self,
        response: &mut Response,
        shown: &str,
        ask: &Ask<'_>,
        sink: &mut impl Sink,
    ) -> Result<(), Miss> {
        let Ask { max_bytes, expect, .. } = *ask;
        let status = response.status();
        let miss = |failure, what: String| Miss {
            status: Some(status.as_u16()),
            ..Miss::new(failure, shown.to_owned(), what)
        };
        if status != StatusCode::OK {
            let failure = failure_of(status);
            let mut missed = miss(failure, status_line(status));
            if is_transient(failure) {
                let wish = header(response.headers(), RETRY_AFTER.as_str());
                missed.retry = Retry::Later(wish.and_then(|value| retry_after(&value, self.config.clock.wall())));
            }
            if expect == Expect::Attestation && is_used_up(status, response.headers()) {
                missed.failure = Failure::RateLimited;
                missed.what = format!(
                    "{}: the hourly allowance is used up{}",
                    missed.what,
                    match ask.secret {
                        Secret::Token(_) => "",
                        _ => "; with a token, as in GITHUB_TOKEN, it is larger",
                    }
                );
                // Each further request would be refused too, and be held against us.
                missed.retry = Retry::Hopeless;
            }
            let body = self.patiently(shown, read_some(response)).await?;
            if media_type(response.headers()) == "text/plain" {
                missed.detail = detail(&body);
            }
            return Err(missed);
        }
        let too_large = || miss(Failure::TooLarge, format!("answer larger than {max_bytes} bytes"));
        if response.content_length().is_some_and(|length| length > max_bytes) {
            return Err(too_large());
        }
        let encoding = header(response.headers(), CONTENT_ENCODING.as_str()).unwrap_or_default();
        if expect != Expect::Anything && !matches!(encoding.as_str(), "" | "identity") {
            return Err(miss(Failure::NotData, "an encoding that was not asked for".to_owned()));
        }
        let stored = |e: std::io::Error| miss(Failure::Storage, format!("keeping the answer: {e}"));
        sink.restart(response.content_length().unwrap_or(0)).map_err(stored)?;
        let mut size = 0;
        loop {
            match self.patiently(shown, response.chunk()).await? {
                Ok(Some(chunk)) => {
                    size += chunk.len() as u64;
                    if size > max_bytes {
                        return Err(too_large());
                    }
                    sink.write(&chunk).map_err(stored)?;
                }
                Ok(None) => break,
                Err(e) if e.is_timeout() => return Err(miss(Failure::TimedOut, innermost(&e))),
                Err(e) => {
                    return Err(miss(Failure::Truncated, format!("answer cut short: {}", innermost(&e))));
                }
            }
        }
        let html = || media_type(response.headers()) == "text/html" || looks_like_html(sink.head());
        if expect.is_data() && html() {
            return Err(miss(Failure::NotData, "a web page where data was asked for".to_owned()));
        }
        Ok(())
    }

    fn netrc(&self, url: &Url) -> Option<&Credentials> {
        if url.scheme() != "https" {
            return None;
        }
        self.netrc.get_or_init(|| self.read_netrc()).find(url)
    }

    fn read_netrc(&self) -> Netrc {
        let commands =
            self.config.goauth.value.split(';').map(|command| command.split_whitespace().next().unwrap_or(""));
        let (obeyed, others): (Vec<&str>, Vec<&str>) =
            commands.partition(|command| matches!(*command, "netrc" | "off"));
        if !others.is_empty() {
            self.reporter
                .note(format!("{}: only netrc and off are obeyed; commands are never run", self.config.goauth.set_by));
        }
        let Some(path) = self.config.netrc.as_ref().filter(|_| obeyed.contains(&"netrc")) else {
            return Netrc::default();
        };
        Netrc::read(path).unwrap_or_else(|e| {
            self.reporter.note(format!("reading {}: {e}", path.display()));
            Netrc::default()
        })
    }

    /// Made when they are first needed: reading the roots takes longer than a whole warm run.
    fn client(&self, tls: bool, guarded: bool) -> Result<&Client, String> {
        let slot = &self.clients[usize::from(tls) + 2 * usize::from(guarded)];
        let make = || {
            let way = if guarded { Way::PublicOnly } else { Way::Proxied };
            self.config.network.client(tls, way, self.config.jobs.get()).map_err(|e| e.to_string())
        };
        slot.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}

impl Server {
    fn new(url: &Url) -> Self {
        let open = AtomicBool::new(url.scheme() != "https");
        Self { dead: OnceLock::new(), not_before: Mutex::default(), open, scout: tokio::sync::Mutex::default() }
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }

    fn set_open(&self, open: bool) {
        self.open.store(open, Ordering::Release);
    }

    fn not_before(&self, at: Instant) {
        let mut until = self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        *until = Some(until.map_or(at, |until| until.max(at)));
    }
}

/// Where a redirect leads; none: the answer is no redirect that can be followed, so its status counts.
fn redirect_target(from: &Url, response: &Response) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let mut target = from.join(&header(response.headers(), LOCATION.as_str())?).ok()?;
    // What a server writes into a URL is no credential of ours. Both fail only for URLs that cannot have any.
    _ = target.set_username("");
    _ = target.set_password(None);
    Some(target)
}

fn failure_of(status: StatusCode) -> Failure {
    match status.as_u16() {
        404 | 410 => Failure::Absent,
        401 | 403 | 407 => Failure::Denied,
        429 => Failure::RateLimited,
        500..=599 => Failure::ServerError,
        _ => Failure::UnexpectedStatus,
    }
}

/// Whether GitHub says that nothing more will be answered for up to an hour
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
fn is_used_up(status: StatusCode, headers: &HeaderMap) -> bool {
    matches!(status.as_u16(), 403 | 429) && header(headers, "x-ratelimit-remaining").as_deref() == Some("0")
}

fn status_line(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default()).trim_end().to_owned()
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

fn media_type(headers: &HeaderMap) -> String {
    let value = header(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A record starts with a number, and hashes do not spell this.
fn looks_like_html(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    let starts = |tag: &[u8]| body.len() >= tag.len() && body[..tag.len()].eq_ignore_ascii_case(tag);
    starts(b"<!doctype html") || starts(b"<html")
}

/// The start of an answer that is not wanted, and its end where that is near: only then can the connection be used
/// again.
async fn read_some(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BODY {
            break;
        }
    }
    // One byte more than is shown says that there was more.
    body.truncate(MAX_DETAIL_BYTES + 1);
    body
}

fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    use base64::Engine;
    let pair = format!("{}:{}", credentials.user, credentials.password.as_deref().unwrap_or_default());
    let mut value = HeaderValue::try_from(format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn no_response(error: reqwest::Error, shown: &str) -> Miss {
    let what = innermost(&error);
    let miss = |failure| Miss::new(failure, shown.to_owned(), what.clone());
    if causes(&error).any(|cause| cause.is::<PrivateAddress>()) {
        return miss(Failure::BadRedirect);
    }
    let bad_certificate = |cause: &rustls::Error| matches!(cause, rustls::Error::InvalidCertificate(_));
    if causes(&error).filter_map(|cause| cause.downcast_ref()).any(bad_certificate) {
        // A certificate does not become good within seconds.
        return Miss { retry: Retry::Hopeless, ..miss(Failure::Unreachable) };
    }
    if error.is_connect() {
        let failure = if error.is_timeout() { Failure::TimedOut } else { Failure::Unreachable };
        return Miss { retry: Retry::NoConnection, ..miss(failure) };
    }
    miss(if error.is_timeout() { Failure::TimedOut } else { Failure::Unreachable })
}

/// The chain of causes. An `io::Error` hides the error that it wraps from `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The text of the first cause: the outer ones hold URLs.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error)
        .last()
        .map_or_else(String::new, |cause| cause.to_string().chars().flat_map(char::escape_debug).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_public_server_chose_is_not_connected_to_when_it_resolves_to_this_machine() {
        let env = crate::goenv::GoEnv::load(crate::goenv::Sources::default()).expect("an empty environment");
        let sink = Arc::new(crate::fetch::Collected::default());
        let config = FetchConfig::new(&env, Vec::new(), sink.clone()).expect("a good configuration");
        let remote = Remote::new(config, Arc::new(Reporter::new(sink)));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://localhost:{}/", listener.local_addr().expect("bound").port());
        let client = remote.client(false, true).expect("a client");
        let error = client.get(&url).send().await.expect_err("refused");
        assert_eq!(no_response(error, &url).failure, Failure::BadRedirect);
    }

    #[test]
    fn html() {
        for (body, html) in [
            (&b"<!DOCTYPE html>"[..], true),
            (b"\xef\xbb\xbf \n<HTML lang=en>", true),
            (b"<htm", false),
            (b"", false),
            (b"12\ngolang.org/x/text v0.3.0 h1:", false),
            (b"1 <html>", false),
        ] {
            assert_eq!(looks_like_html(body), html, "{body:?}");
        }
    }
}
