//! The page, the JSON and the metrics over HTTP.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use chatferry_report::html::STYLE as PAGES;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderName, Method, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::board::{About, Board};
use crate::guard::Hosts;
use crate::{metrics, status};

/// How often the page is told how the run stands.
const FRAME: Duration = Duration::from_secs(1);
/// How many may look at the page at once.
const LOOKERS: usize = 32;
/// How long those who look have to take the last word.
const FAREWELL: Duration = Duration::from_secs(2);

const PAGE: &str = include_str!("site/page.html");
const STYLE: &str = include_str!("site/page.css");
const SCRIPT: &str = include_str!("site/page.js");

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What every answer says beside what it is: nothing is loaded from elsewhere, nobody else shows it
/// as a part of their page, and nobody keeps it.
const HEADERS: [(HeaderName, &str); 6] = [
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (X_FRAME_OPTIONS, "DENY"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (CACHE_CONTROL, "no-store"),
];

/// A page about a run, served for as long as this lives.
pub struct Live {
    address: SocketAddr,
    site: Arc<Site>,
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
    clock: JoinHandle<()>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Live({})", self.address)
    }
}

/// What is shown, and to whom.
struct Site {
    hosts: Hosts,
    board: Board,
    events: watch::Sender<Event>,
}

/// How the run stands, as an event.
#[derive(Clone, Default)]
struct Event {
    text: Bytes,
    /// Whether no other one follows.
    is_last: bool,
}

impl Live {
    /// Listens at an address, for whoever asks by one of these names, about a run that is going to
    /// begin.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn listen(address: SocketAddr, hosts: Hosts, about: About<'_>) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let site = Arc::new(Site {
            hosts,
            board: Board::new(about),
            events: watch::Sender::default(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            // Dropped without a word: there is nobody left who wants it to go on.
            let _ = stopped.await;
        });
        let server = tokio::spawn(server.into_future());
        let clock = tokio::spawn(tell(Arc::clone(&site)));
        Ok(Self {
            address,
            site,
            stop,
            server,
            clock,
        })
    }

    /// Where it is.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is shown; the run tells it how it stands.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.site.board
    }

    /// Tells whoever looks how it stands for the last time, and listens no more.
    pub async fn close(self) {
        self.clock.abort();
        self.site.events.send_replace(self.site.event(true));
        let _ = self.stop.send(());
        let mut server = self.server;
        match tokio::time::timeout(FAREWELL, &mut server).await {
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the status page failed"),
            Ok(_) => {}
            // Somebody who does not take it.
            Err(_) => server.abort(),
        }
    }
}

/// Tells whoever looks how the run stands, again and again.
async fn tell(site: Arc<Site>) {
    let mut frames = tokio::time::interval(FRAME);
    loop {
        frames.tick().await;
        if site.events.receiver_count() > 0 {
            site.events.send_replace(site.event(false));
        }
    }
}

impl Site {
    fn event(&self, is_last: bool) -> Event {
        let status = status::of(&self.board.copy(), is_last);
        Event {
            text: format!("data: {status}\n\n").into(),
            is_last,
        }
    }

    /// How the run stands now, and from then on.
    fn events(&self) -> Response {
        if self.events.receiver_count() >= LOOKERS {
            return refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "as many look at this page as may; /api/status has the same\n",
            );
        }
        let mut later = self.events.subscribe();
        // What was told before this one came is older than what it gets first.
        let closed = later.borrow_and_update().is_last;
        let first = self.event(closed);
        let events = futures::stream::unfold((Some(first), later), |(first, mut later)| async {
            let event = match first {
                Some(first) => first,
                None if later.borrow().is_last => return None,
                None => {
                    later.changed().await.ok()?;
                    later.borrow_and_update().clone()
                }
            };
            Some((Ok::<_, Infallible>(event.text), (None, later)))
        });
        let body = Body::from_stream(events);
        response(StatusCode::OK, "text/event-stream", body)
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response {
    if !site.hosts.allow(&request) {
        return refusal(
            StatusCode::MISDIRECTED_REQUEST,
            "this page answers to its address and to localhost; --listen-as NAME adds a name\n",
        );
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = refusal(
            StatusCode::METHOD_NOT_ALLOWED,
            "nothing can be changed here\n",
        );
        let allowed = http::HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return response;
    }
    match request.uri().path() {
        "/" => found(HTML, PAGE),
        "/page.css" => found("text/css; charset=utf-8", format!("{PAGES}{STYLE}")),
        "/page.js" => found("text/javascript; charset=utf-8", SCRIPT),
        "/api/status" => found(JSON, status::of(&site.board.copy(), false).to_string()),
        "/api/events" => site.events(),
        "/metrics" => found(metrics::CONTENT_TYPE, metrics::of(&site.board.copy())),
        _ => refusal(
            StatusCode::NOT_FOUND,
            "there are /, /api/status, /api/events and /metrics\n",
        ),
    }
}

fn found(content_type: &'static str, body: impl Into<Body>) -> Response {
    response(StatusCode::OK, content_type, body.into())
}

fn refusal(status: StatusCode, words: &'static str) -> Response {
    response(status, TEXT, words.into())
}

fn response(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    for (name, value) in HEADERS {
        headers.insert(name, http::HeaderValue::from_static(value));
    }
    response
}
