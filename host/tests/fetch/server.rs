//! Loopback servers that answer as badly as the tests want.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// A request as it was received.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// As on the wire.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Which request it is, from 0, of all that this server got.
    pub(crate) number: usize,
}

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Writes this, and waits for the next request.
    Keep(Vec<u8>),
    /// Writes this and closes the connection.
    Close(Vec<u8>),
    /// Waits, then answers.
    After(Duration, Vec<u8>),
    /// Writes these with a pause before each, and closes the connection.
    Drip(Duration, Vec<Vec<u8>>),
    /// Writes this and says nothing more, ever.
    Stall(Vec<u8>),
}

/// A good answer.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Reply {
    status(200, "Content-Type: text/plain; charset=utf-8\r\n", body)
}

/// Any answer. Header lines end in CR LF.
pub(crate) fn status(code: u16, headers: &str, body: impl AsRef<[u8]>) -> Reply {
    let body = body.as_ref();
    let mut out = format!("HTTP/1.1 {code} Whatever\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
    out.extend_from_slice(body);
    Reply::Keep(out)
}

pub(crate) fn redirect(to: &str) -> Reply {
    status(302, &format!("Location: {to}\r\n"), "")
}

pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join("fetch").join("tls").join(name)
}

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    alpn: Mutex<Vec<Vec<Vec<u8>>>>,
    connections: AtomicUsize,
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// A server that runs as long as the runtime of its test.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    tls: bool,
    state: Arc<State>,
}

type Handler = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::run(None, Arc::new(handler)).await
    }

    pub(crate) async fn start_tls(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let certificate = CertificateDer::from_pem_slice(include_bytes!("tls/server.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("tls/server.key.pem")).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a pair");
        Self::run(Some(Arc::new(config)), Arc::new(handler)).await
    }

    async fn run(tls: Option<Arc<ServerConfig>>, handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let state = Arc::new(State::default());
        let server = Self { addr: listener.local_addr().expect("bound"), tls: tls.is_some(), state: state.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                state.connections.fetch_add(1, Ordering::SeqCst);
                let (tls, handler, state) = (tls.clone(), handler.clone(), state.clone());
                tokio::spawn(connection(stream, tls, handler, state));
            }
        });
        server
    }

    /// `SCHEME://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.addr)
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.seen.lock().expect("a lock").clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.requests().into_iter().map(|seen| seen.target).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// How many requests were under way at once, at most.
    pub(crate) fn peak(&self) -> usize {
        self.state.peak.load(Ordering::SeqCst)
    }

    /// The protocols that each connection offered.
    pub(crate) fn alpn(&self) -> Vec<Vec<Vec<u8>>> {
        self.state.alpn.lock().expect("a lock").clone()
    }
}

async fn connection(stream: TcpStream, tls: Option<Arc<ServerConfig>>, handler: Handler, state: Arc<State>) {
    _ = stream.set_nodelay(true);
    let Some(config) = tls else {
        return serve(stream, handler, state).await;
    };
    let Ok(start) = LazyConfigAcceptor::new(Acceptor::default(), stream).await else {
        return;
    };
    let alpn = start.client_hello().alpn().map_or_else(Vec::new, |all| all.map(<[u8]>::to_vec).collect());
    state.alpn.lock().expect("a lock").push(alpn);
    if let Ok(stream) = start.into_stream(config).await {
        serve(stream, handler, state).await;
    }
}

fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    handler: Handler,
    state: Arc<State>,
) -> impl Future<Output = ()> + Send {
    let mut stream = BufStream::new(stream);
    async move {
        while let Some(mut seen) = read_request(&mut stream).await {
            state.peak.fetch_max(state.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            {
                let mut all = state.seen.lock().expect("a lock");
                seen.number = all.len();
                all.push(seen.clone());
            }
            let (bytes, keep) = match handler(&seen) {
                Reply::Keep(bytes) => (bytes, true),
                Reply::Close(bytes) => (bytes, false),
                Reply::After(pause, bytes) => {
                    tokio::time::sleep(pause).await;
                    (bytes, true)
                }
                Reply::Drip(pause, parts) => {
                    for part in parts {
                        tokio::time::sleep(pause).await;
                        _ = stream.write_all(&part).await;
                        _ = stream.flush().await;
                    }
                    (Vec::new(), false)
                }
                Reply::Stall(bytes) => {
                    _ = stream.write_all(&bytes).await;
                    _ = stream.flush().await;
                    return std::future::pending().await;
                }
            };
            state.now.fetch_sub(1, Ordering::SeqCst);
            if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() || !keep {
                break;
            }
        }
        _ = stream.shutdown().await;
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Seen> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ').map(str::to_owned);
    let headers: HashMap<String, String> =
        lines.filter_map(|line| line.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect();
    let mut body = vec![0; headers.get("content-length").map_or(Some(0), |length| length.parse().ok())?];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen { method: words.next()?, target: words.next()?, headers, body, number: 0 })
}
