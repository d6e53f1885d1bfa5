//! Sends what octocrab asks for: to one server, with one token, within one allowance of time.
//!
//! octocrab's own client would bring a second TLS setup, with other roots and proxies than the rest of the program.
//!
//! When a request is tried again
//! (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>):
//!
//! | what happened | repeated |
//! |---|---|
//! | no connection | always: nothing was sent |
//! | a rate limit: 429, or 403 that says so in its headers or words | always, when the server says: it did nothing |
//! | 5xx, an answer cut short, silence | where doing it twice is the same as once; else [`ApiError::Ambiguous`] |
//! | anything else | never |

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use octocrab::OctoBody;
use tokio::time::timeout;
use tower_service::Service;
use url::Url;

use super::{ApiConfig, ApiError, MAX_ANSWER, message, of_status};
use crate::fetch::{Way, innermost, retry_after};

/// How long one attempt may take, from connecting to the last byte.
pub const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// How many requests one chain of redirects may have, the first included.
const MAX_REQUESTS_IN_CHAIN: usize = 5;
/// How long to wait when a secondary limit does not say (GitHub: "at least one minute").
const SECONDARY_LIMIT_PAUSE: Duration = Duration::from_secs(60);
/// How many connections are kept: requests are made one after another.
const IDLE_CONNECTIONS: usize = 1;

/// Whether doing something twice is the same as doing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It is.
    Freely,
    /// It is not: a second check run, annotations shown twice.
    OnlyUnsent,
}

/// How a request is sent; an extension of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    pub(super) repeat: Repeat,
    /// The largest answer.
    pub(super) max_bytes: u64,
}

/// A [`Service`] of octocrab.
#[derive(Clone)]
pub(super) struct Transport(Arc<Inner>);

struct Inner {
    config: ApiConfig,
    client: OnceLock<Result<reqwest::Client, String>>,
    first_request: OnceLock<Instant>,
}

/// Why an attempt gave no answer, or one that may be followed by a better one.
struct Missed {
    error: ApiError,
    /// Whether the server may have done what was asked.
    maybe_done: bool,
    /// How long the server wants to be left alone; none of its own: by the schedule. `Err`: there is no use.
    again: Result<Option<Duration>, ()>,
}

impl Missed {
    fn for_good(error: ApiError) -> Self {
        Self { error, maybe_done: false, again: Err(()) }
    }

    fn maybe_done(error: ApiError) -> Self {
        Self { error, maybe_done: true, again: Ok(None) }
    }
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Service<Request<OctoBody>> for Transport {
    type Response = Response<Full<Bytes>>;
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ApiError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ApiError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move { inner.send(request).await })
    }
}

impl Transport {
    pub(super) fn new(config: ApiConfig) -> Self {
        Self(Arc::new(Inner { config, client: OnceLock::new(), first_request: OnceLock::new() }))
    }
}

impl Inner {
    async fn send(&self, request: Request<OctoBody>) -> Result<Response<Full<Bytes>>, ApiError> {
        let (mut parts, body) = request.into_parts();
        let unexpected = |what: &str| ApiError::Unexpected(what.to_owned());
        // A path below the base, and never a URL of its own: that would take the token elsewhere.
        let path = match (parts.uri.authority(), parts.uri.path_and_query()) {
            (None, Some(path)) if path.as_str().starts_with('/') => path.as_str(),
            _ => return Err(unexpected("a request to another server")),
        };
        let url = Url::parse(&self.config.api_url.join(path)).map_err(|error| unexpected(&error.to_string()))?;
        let wish = parts.extensions.get().copied();
        let wish = wish.unwrap_or(Wish { repeat: Repeat::OnlyUnsent, max_bytes: MAX_ANSWER });
        let body = body.collect().await.map_err(|error| unexpected(&error.to_string()))?.to_bytes();
        // reqwest knows the length.
        parts.headers.remove(header::CONTENT_LENGTH);
        if !parts.headers.contains_key(header::ACCEPT) {
            parts.headers.insert(header::ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        }
        let mut token = HeaderValue::try_from(format!("Bearer {}", self.config.token.0))
            .map_err(|_| unexpected("a token that fits no header"))?;
        token.set_sensitive(true);
        parts.headers.insert(header::AUTHORIZATION, token);

        let answer = self.with_retries(&parts.method, &url, &parts.headers, &body, wish).await?;
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }

    /// What is left of the allowance, which starts with the first request.
    fn left(&self) -> Duration {
        let now = self.config.clock.monotonic();
        let start = *self.first_request.get_or_init(|| now);
        self.config.allowance.saturating_sub(now.saturating_duration_since(start))
    }

    async fn with_retries(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
        wish: Wish,
    ) -> Result<Answer, ApiError> {
        let mut attempt = 0;
        loop {
            let left = self.left();
            if left.is_zero() {
                return Err(ApiError::TimedOut(self.config.allowance));
            }
            attempt += 1;
            let limit = left.min(ATTEMPT_TIMEOUT);
            let chain = timeout(limit, self.chain(method, url, headers, body, wish.max_bytes)).await;
            let silence = || format!("none within {} seconds", limit.as_secs_f32());
            let missed = match chain {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(missed)) => missed,
                Err(_) => Missed::maybe_done(ApiError::Ambiguous(silence())),
            };
            if missed.maybe_done && wish.repeat == Repeat::OnlyUnsent {
                return Err(ApiError::Ambiguous(missed.error.to_string()));
            }
            let pause = match missed.again {
                Ok(wish) => self.config.retry.pause_after(attempt).map(|pause| pause.max(wish.unwrap_or_default())),
                Err(()) => None,
            };
            match pause.filter(|pause| *pause < self.left()) {
                Some(pause) => self.config.clock.sleep(pause).await,
                None => return Err(missed.error),
            }
        }
    }

    /// One attempt: a request, and redirects to the same server, as those of a repository that was renamed.
    async fn chain(
        &self,
        method: &Method,
        start: &Url,
        headers: &HeaderMap,
        body: &Bytes,
        max_bytes: u64,
    ) -> Result<Answer, Missed> {
        let mut url = start.clone();
        for _ in 0..MAX_REQUESTS_IN_CHAIN {
            let answer = self.once(method, &url, headers, body, max_bytes).await?;
            let status = answer.status.as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                return self.judge(answer);
            }
            let location = answer.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
            let target = location.and_then(|location| url.join(location).ok());
            let refuse = |to: &str| Missed::for_good(ApiError::Redirected(message(to)));
            match target {
                // 301 to 303 make a GET of everything else.
                Some(target) if target.origin() == start.origin() && (*method == Method::GET || status >= 307) => {
                    url = target;
                }
                // Its path and query may hold a secret.
                Some(target) => return Err(refuse(&target.origin().ascii_serialization())),
                None => return Err(refuse("nowhere")),
            }
        }
        Err(Missed::for_good(ApiError::Redirected(format!("more than {MAX_REQUESTS_IN_CHAIN} places"))))
    }

    async fn once(
        &self,
        method: &Method,
        url: &Url,
        headers: &HeaderMap,
        body: &Bytes,
        max_bytes: u64,
    ) -> Result<Answer, Missed> {
        let client = self.client(url).map_err(|text| Missed::for_good(ApiError::Client(text)))?;
        let mut request = reqwest::Request::new(method.clone(), url.clone());
        *request.headers_mut() = headers.clone();
        if !body.is_empty() {
            *request.body_mut() = Some(body.clone().into());
        }
        let mut response = match client.execute(request).await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                let error = ApiError::Unreachable(innermost(&error));
                return Err(Missed { error, maybe_done: false, again: Ok(None) });
            }
            Err(error) => return Err(Missed::maybe_done(ApiError::Ambiguous(innermost(&error)))),
        };
        let mut content = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if content.len() as u64 + chunk.len() as u64 > max_bytes => {
                    let missed = Missed::maybe_done(ApiError::TooLarge(max_bytes));
                    return Err(Missed { again: Err(()), ..missed });
                }
                Ok(Some(chunk)) => content.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    let text = format!("answer cut short: {}", innermost(&error));
                    return Err(Missed::maybe_done(ApiError::Ambiguous(text)));
                }
            }
        }
        Ok(Answer { status: response.status(), headers: response.headers().clone(), body: content.into() })
    }

    /// Whether an answer is one to go on with.
    fn judge(&self, answer: Answer) -> Result<Answer, Missed> {
        let wish = self.wish(&answer);
        match answer.status.as_u16() {
            429 => Err(rate_limited(wish)),
            403 if wish.is_some() => Err(rate_limited(wish)),
            403 if says_secondary_limit(&answer.body) => Err(rate_limited(Some(SECONDARY_LIMIT_PAUSE))),
            500..=599 => {
                let canonical = answer.status.canonical_reason().unwrap_or("server error");
                let error = of_status(answer.status, canonical);
                Err(Missed { error, maybe_done: true, again: Ok(wish) })
            }
            _ => Ok(answer),
        }
    }

    /// How long the server wants to be left alone.
    fn wish(&self, answer: &Answer) -> Option<Duration> {
        let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok());
        let now = self.config.clock.wall();
        if let Some(wait) = header("retry-after").and_then(|value| retry_after(value, now)) {
            return Some(wait);
        }
        if header("x-ratelimit-remaining")?.trim() != "0" {
            return None;
        }
        let reset = Duration::from_secs(header("x-ratelimit-reset")?.trim().parse().ok()?);
        let now = now.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
        // The reset is in whole seconds.
        Some(reset.saturating_sub(now) + Duration::from_secs(1))
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, String> {
        let network = &self.config.network;
        let proxy = network.http_proxies.find(url).map_err(|error| error.to_string())?;
        let tls = url.scheme() == "https" || proxy.is_some_and(|proxy| proxy.scheme() == "https");
        // The scheme is that of the base: redirects do not leave it.
        let make = || network.client(tls, Way::Proxied, IDLE_CONNECTIONS).map_err(|error| error.to_string());
        self.client.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}

fn rate_limited(wait: Option<Duration>) -> Missed {
    Missed { error: ApiError::RateLimited { wait }, maybe_done: false, again: Ok(wait) }
}

fn says_secondary_limit(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).to_ascii_lowercase().contains("secondary rate limit")
}
