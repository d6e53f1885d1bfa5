//! GitHub's REST API, as much of it as a run needs: <https://docs.github.com/en/rest>, version 2022-11-28.
//!
//! octocrab makes the requests and reads the errors; they are sent as everything else of this program is
//! (`transport.rs`).
//!
//! # Security
//! - The token goes to the server of GITHUB_API_URL alone: requests are paths below it, redirects to another server are
//!   errors, and [`Token`] shows nothing of itself.
//! - Answers are GitHub's, but texts in them are anybody's: sizes are capped, what is shown is escaped, and only fields
//!   that are used are read.
//! - A request that would do something twice is not repeated when it is not known whether it was obeyed
//!   ([`ApiError::Ambiguous`]): the caller looks first ([`checks`]).

pub mod checks;
pub mod code_scanning;
pub mod contents;
pub mod pulls;
mod transport;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use http_body_util::BodyExt as _;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::event::{BaseUrl, Event, Repository};
use crate::fetch::{Clock, Network, RetryPolicy, SystemClock};
use crate::output::text::escape;
pub use transport::ATTEMPT_TIMEOUT;
use transport::{Repeat, Transport, Wish};

/// How long a run may use the API in all, waiting for rate limits included. GitHub's own limits may ask for an hour:
/// nobody waits that long for annotations.
pub const DEFAULT_ALLOWANCE: Duration = Duration::from_secs(60);
/// The largest answer that is read as JSON, in bytes. A page of 100 files with their patches is the largest of them.
pub const MAX_ANSWER: u64 = 64 << 20;
/// How much of the server's own words is shown, in characters.
const MAX_MESSAGE: usize = 500;

/// A token: what may stand in a header. Shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// None: empty, or not printable ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let good = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Self(text.to_owned()))
    }

    /// The header that shows it to a server.
    pub(crate) fn authorization(&self) -> http::HeaderValue {
        let mut value = http::HeaderValue::try_from(format!("Bearer {}", self.0)).expect("printable ASCII");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// All that a [`GitHub`] depends on.
#[derive(Clone)]
pub struct ApiConfig {
    /// Where the API is.
    pub api_url: BaseUrl,
    /// Which repository.
    pub repository: Repository,
    /// With whose rights.
    pub token: Token,
    /// Proxies and roots.
    pub network: Network,
    /// How long the API may be used, from the first request.
    pub allowance: Duration,
    /// When to try again.
    pub retry: RetryPolicy,
    /// Time, as retries see it.
    pub clock: Arc<dyn Clock>,
}

impl ApiConfig {
    /// The API that the event names, with defaults.
    pub fn new(event: &Event, token: Token, network: Network) -> Self {
        Self {
            api_url: event.api_url.clone(),
            repository: event.repository.clone(),
            token,
            network,
            allowance: DEFAULT_ALLOWANCE,
            retry: RetryPolicy::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// Why the API did not do what was asked. What the server says is escaped and cut to one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 401 or 403: the token lacks the right.
    #[error("{status}: {message}")]
    Forbidden {
        /// Which of the two.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// 404 or 410: not there, or the token may not know that it is.
    #[error("{status}: {message}")]
    Absent {
        /// Which of the two.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// Another status that is no success.
    #[error("{status}: {message}")]
    Refused {
        /// Which.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The rate limit is used up, and waiting for it takes longer than there is time.
    #[error("the rate limit of the API is used up{}", for_another(.wait))]
    RateLimited {
        /// How long the server wants to be left alone, if it says so.
        wait: Option<Duration>,
    },
    /// No connection: nothing was sent.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Sent, but whether it was obeyed is not known.
    #[error("no clear answer: {0}")]
    Ambiguous(String),
    /// No time is left.
    #[error("no answer within the {} seconds that the API may take", .0.as_secs_f32())]
    TimedOut(Duration),
    /// To another server, or with another method.
    #[error("refusing a redirect to {0}")]
    Redirected(String),
    /// The answer is over the limit, in bytes.
    #[error("answer larger than {0} bytes")]
    TooLarge(u64),
    /// The answer is something else than documented.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
    /// This machine's settings (roots, proxies) allow no client.
    #[error("{0}")]
    Client(String),
}

fn for_another(wait: &Option<Duration>) -> String {
    wait.map_or_else(String::new, |wait| format!(" for another {} seconds", wait.as_secs()))
}

/// The API, of one repository, with one token.
pub struct GitHub {
    repository: Repository,
    retry: RetryPolicy,
    clock: Arc<dyn Clock>,
    transport: Transport,
    /// Made with the first request, because it needs a runtime.
    octocrab: OnceLock<Octocrab>,
}

impl GitHub {
    /// Does nothing yet. Requests are made within a tokio runtime, always the same.
    pub fn new(config: ApiConfig) -> Self {
        Self {
            repository: config.repository.clone(),
            retry: config.retry,
            clock: config.clock.clone(),
            transport: Transport::new(config),
            octocrab: OnceLock::new(),
        }
    }

    /// Which repository.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// `/repos/OWNER/NAME` with `rest` at its end.
    fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repository)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        accept: Option<&'static str>,
        body: Option<&(impl Serialize + ?Sized)>,
        wish: Wish,
    ) -> Result<(HeaderMap, Bytes), ApiError> {
        let octocrab = self.octocrab.get_or_init(|| {
            let builder = OctocrabBuilder::new_empty().with_service(self.transport.clone());
            match builder.with_auth(AuthState::None).build() {
                Ok(octocrab) => octocrab,
                Err(never) => match never {},
            }
        });
        let mut builder = http::Request::builder().method(method).uri(path).extension(wish);
        if let Some(accept) = accept {
            builder = builder.header(header::ACCEPT, accept);
        }
        let request = octocrab.build_request(builder, body).map_err(of_octocrab)?;
        let response = octocrab.execute(request).await.map_err(of_octocrab)?;
        let response = octocrab::map_github_error(response).await.map_err(of_octocrab)?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(of_octocrab)?.to_bytes();
        Ok((parts.headers, body))
    }

    /// Asks for JSON. May be asked any number of times.
    async fn get<R: DeserializeOwned>(&self, path: &str) -> Result<R, ApiError> {
        let wish = Wish { repeat: Repeat::Freely, max_bytes: MAX_ANSWER };
        let (_, body) = self.send(Method::GET, path, None, None::<&()>, wish).await?;
        parse(&body)
    }

    /// Does something, and gives the answer's JSON.
    async fn change<R: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        repeat: Repeat,
    ) -> Result<R, ApiError> {
        let wish = Wish { repeat, max_bytes: MAX_ANSWER };
        let (_, answer) = self.send(method, path, None, Some(body), wish).await?;
        parse(&answer)
    }
}

fn parse<R: DeserializeOwned>(body: &[u8]) -> Result<R, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::Unexpected(message(&error.to_string())))
}

/// What octocrab calls an error, with a status and the server's words where there are any.
fn of_octocrab(error: octocrab::Error) -> ApiError {
    match error {
        octocrab::Error::GitHub { source, .. } => of_status(source.status_code, &source.message),
        octocrab::Error::Service { source, .. } => match source.downcast::<ApiError>() {
            Ok(error) => *error,
            Err(other) => ApiError::Unexpected(message(&other.to_string())),
        },
        other => ApiError::Unexpected(message(&other.to_string())),
    }
}

fn of_status(status: StatusCode, text: &str) -> ApiError {
    let (status, message) = (status.as_u16(), message(text));
    match status {
        401 | 403 => ApiError::Forbidden { status, message },
        404 | 410 => ApiError::Absent { status, message },
        _ => ApiError::Refused { status, message },
    }
}

/// The first line of somebody's words, for a person.
fn message(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut shown: String = line.chars().take(MAX_MESSAGE).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    escape(&shown).into_owned()
}

/// What stays as it is in a part of a URL (RFC 3986, section 2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One name in a path, or one value in a query.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_shows_nothing_and_fits_a_header() {
        let token = Token::parse("ghs_secret").unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
        for text in ["", " ", "a b", "a\r\nX: y", "é", "a\u{7f}"] {
            assert_eq!(Token::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_message_is_one_line_of_what_can_be_seen() {
        assert_eq!(message("  Bad \u{1b}[31mcredentials\nmore"), "Bad \\u{1b}[31mcredentials");
        let long = message(&"é".repeat(MAX_MESSAGE + 1));
        assert_eq!(long.chars().count(), MAX_MESSAGE + 1);
        assert!(long.ends_with("é…"));
    }

    #[test]
    fn parts_of_urls() {
        assert_eq!(encode("a/b ?#é~._-"), "a%2Fb%20%3F%23%C3%A9~._-");
    }
}
