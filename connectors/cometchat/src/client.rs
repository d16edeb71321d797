//! How a request travels.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::Method;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use url::Url;

/// How a request travels: over HTTP, or to a simulator in the same process.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Posts a JSON body to a path below the base URL, and waits for the whole answer.
    async fn post(&self, path: &'static str, body: Bytes) -> Result<Reply, TransportError> {
        self.ask(Method::POST, path, body).await
    }

    /// Sends a request to a path below the base URL, with a JSON body unless it is empty, and waits
    /// for the whole answer.
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Reply, TransportError>;
}

/// An answer that came back whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why no answer came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportError {
    /// No connection could be made: nothing was sent.
    Unreachable(String),
    /// The request was sent, at least in part, and its answer did not come back whole.
    Lost(String),
}

/// A connection to the API over HTTP.
#[derive(Debug)]
pub struct Http {
    client: reqwest::Client,
    base_url: String,
}

impl Http {
    /// A client for the API at `base_url`. The key is marked as secret and is shown nowhere.
    ///
    /// # Errors
    ///
    /// When the key has characters that a header cannot carry, or the machine's TLS is unusable.
    pub fn new(base_url: &Url, api_key: &str, timeout: Duration) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        let mut key = HeaderValue::from_str(api_key.trim())
            .map_err(|_| "the API key has characters that no key has".to_owned())?;
        key.set_sensitive(true);
        headers.insert("apikey", key);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // Another part of the program may have chosen a provider already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .user_agent(concat!("chatferry/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| innermost(&error))?;
        Ok(Self {
            client,
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
        })
    }
}

#[async_trait]
impl Transport for Http {
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Reply, TransportError> {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base_url))
            .body(body);
        let response = request.send().await.map_err(|error| {
            if error.is_connect() {
                TransportError::Unreachable(innermost(&error))
            } else if error.is_timeout() {
                TransportError::Lost("no answer in time".into())
            } else {
                TransportError::Lost(innermost(&error))
            }
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| {
            TransportError::Lost(if error.is_timeout() {
                "the answer stopped half-way".into()
            } else {
                format!("the answer broke off: {}", innermost(&error))
            })
        })?;
        Ok(Reply {
            status,
            headers,
            body,
        })
    }
}

/// The cause at the bottom, which says what happened without the URL that the layers above add.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    cause.to_string()
}
