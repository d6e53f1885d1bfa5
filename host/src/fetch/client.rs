//! HTTP clients: the same roots, proxies and limits for everything that this program asks of a server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;

use super::address::PublicOnly;
use super::http_proxy::HttpProxies;
use super::{ConfigError, remote::innermost};
use crate::goenv::{GoEnvError, Sources};

/// How long connecting may take, within `--timeout`.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections are kept to a store that is written to.
const UPLOAD_IDLE: usize = 32;
const USER_AGENT: &str = concat!("modanchor/", env!("CARGO_PKG_VERSION"), " (+https://github.com/modanchor/modanchor)");

/// How servers are reached, and which of them are believed to be who they say they are.
#[derive(Clone, Default)]
pub struct Network {
    /// HTTP_PROXY, HTTPS_PROXY, NO_PROXY.
    pub http_proxies: HttpProxies,
    /// SSL_CERT_FILE: roots instead of the system's.
    pub ssl_cert_file: Option<PathBuf>,
    /// SSL_CERT_DIR: folders of roots instead of the system's.
    pub ssl_cert_dirs: Vec<PathBuf>,
}

/// Which way a client goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through the proxies of the environment.
    Proxied,
    /// Straight, and to public addresses alone.
    PublicOnly,
}

/// Why there is no client.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClientError {
    /// None of the stores holds one that can be used.
    #[error("no trusted root certificate (SSL_CERT_FILE, SSL_CERT_DIR, the system's store){0}")]
    NoRoots(String),
    /// What the library says.
    #[error("{0}")]
    Library(String),
}

impl Network {
    /// What the environment says.
    ///
    /// # Errors
    /// A relative path, a proxy that makes no sense.
    pub fn from_sources(sources: &Sources) -> Result<Self, ConfigError> {
        let ssl_cert_dirs =
            sources.os("SSL_CERT_DIR").map_or_else(Vec::new, |dirs| std::env::split_paths(dirs).collect());
        if let Some(dir) = ssl_cert_dirs.iter().find(|dir| !dir.is_absolute()) {
            let value = dir.display().to_string();
            return Err(GoEnvError::Relative { name: "SSL_CERT_DIR", value }.into());
        }
        Ok(Self {
            http_proxies: HttpProxies::from_sources(sources)?,
            ssl_cert_file: sources.path("SSL_CERT_FILE")?,
            ssl_cert_dirs,
        })
    }

    /// A client that follows no redirect, sends no referrer, and keeps up to `idle` connections to a server. Without
    /// `tls` it has no roots, whose reading takes longer than a whole warm run.
    pub(crate) fn client(&self, tls: bool, way: Way, idle: usize) -> Result<Client, ClientError> {
        self.builder(tls, way, idle)?.build().map_err(|e| ClientError::Library(innermost(&e)))
    }

    fn builder(&self, tls: bool, way: Way, idle: usize) -> Result<reqwest::ClientBuilder, ClientError> {
        let roots = if tls { self.roots()? } else { rustls::RootCertStore::empty() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| ClientError::Library(e.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = Client::builder()
            .tls_backend_preconfigured(config)
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(idle)
            .tcp_nodelay(true)
            .no_proxy();
        Ok(match way {
            Way::PublicOnly => builder.dns_resolver(PublicOnly),
            Way::Proxied => {
                let proxies = self.http_proxies.clone();
                builder.proxy(reqwest::Proxy::custom(move |url| proxies.find(url).ok().flatten().cloned()))
            }
        })
    }

    /// A client for a store that is written to, at the address that its owner has configured. A request may take `timeout`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub fn upload_client(&self, timeout: Duration) -> Result<Client, ClientError> {
        self.builder(true, Way::Proxied, UPLOAD_IDLE)?
            .timeout(timeout)
            .build()
            .map_err(|e| ClientError::Library(innermost(&e)))
    }

    fn roots(&self) -> Result<rustls::RootCertStore, ClientError> {
        let (file, dirs) = (&self.ssl_cert_file, &self.ssl_cert_dirs);
        let found = if file.is_none() && dirs.is_empty() {
            vec![rustls_native_certs::load_native_certs()]
        } else {
            let files = file.iter().map(|file| rustls_native_certs::load_certs_from_paths(Some(file), None));
            let dirs = dirs.iter().map(|dir| rustls_native_certs::load_certs_from_paths(None, Some(dir)));
            files.chain(dirs).collect()
        };
        let mut roots = rustls::RootCertStore::empty();
        let mut first_error = String::new();
        for result in found {
            // Stores hold certificates that rustls cannot use; those that it can are enough.
            roots.add_parsable_certificates(result.certs);
            if let Some(error) = result.errors.first().filter(|_| first_error.is_empty()) {
                first_error = format!(": {error}");
            }
        }
        if roots.is_empty() { Err(ClientError::NoRoots(first_error)) } else { Ok(roots) }
    }
}
