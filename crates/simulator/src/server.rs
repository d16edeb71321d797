//! The stand-in over HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use futures::StreamExt;
use http::header::DATE;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use crate::simulator::{Manner, Simulator};

/// Bytes of a body that are read beyond the limit, so that who sends a little too much is there to
/// read the answer.
const DRAINED: usize = 16 * 1024 * 1024;

impl Simulator {
    /// Answers requests over HTTP until `shutdown` is ready.
    ///
    /// Then no more connections are taken, and answers under way are brought home: with
    /// [`Fault::Hang`](crate::Fault::Hang), that takes as long as the fault does.
    ///
    /// # Errors
    ///
    /// When the listener fails for good.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let router = Router::new()
            .fallback(answer)
            .with_state(self)
            .into_make_service_with_connect_info::<Cut>();
        axum::serve(Cuttable(listener), router)
            .with_graceful_shutdown(shutdown)
            .await
    }
}

async fn answer(
    State(simulator): State<Simulator>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let most = simulator.max_body().saturating_add(DRAINED);
    // A body that announces too much is not waited for.
    let announced = body.size_hint().lower();
    let body = match usize::try_from(announced) {
        Ok(announced) if announced <= most => to_bytes(body, most).await.ok(),
        _ => None,
    };
    let Some(body) = body else {
        return simulator.too_long().map(Body::from).into_response();
    };
    let answer = simulator.begin(Request::from_parts(parts, body)).await;
    let Ok((mut response, manner)) = answer else {
        cut.0.store(true, Ordering::Release);
        // Written to a connection that takes no more, so that nobody ever sees it.
        return Response::new(Body::empty());
    };
    if let Some(date) = simulator.date() {
        response.headers_mut().insert(DATE, date);
    }
    response.map(|body| in_manner(body, manner)).into_response()
}

/// How many pieces a body comes in that comes slowly.
const PIECES: usize = 10;

/// The body as it comes.
fn in_manner(body: Bytes, manner: Manner) -> Body {
    let pieces = |most: usize| {
        let pieces: Vec<Bytes> = body
            .chunks(body.len().div_ceil(most).max(1))
            .map(|piece| body.slice_ref(piece))
            .collect();
        pieces.into_iter()
    };
    match manner {
        Manner::Whole => Body::from(body),
        Manner::Slowly(time) => {
            let pause = time / u32::try_from(PIECES).unwrap_or(1);
            let late = move |piece| async move {
                tokio::time::sleep(pause).await;
                io::Result::Ok(piece)
            };
            Body::from_stream(futures::stream::iter(pieces(PIECES)).then(late))
        }
        Manner::Broken => {
            let half = pieces(2).take(1).map(io::Result::Ok);
            let end = futures::stream::once(async {
                // While nothing comes, what has come is written.
                tokio::task::yield_now().await;
                Err(io::ErrorKind::ConnectionReset.into())
            });
            Body::from_stream(futures::stream::iter(half).chain(end))
        }
    }
}

/// Cuts a connection: from then on it takes no bytes.
#[derive(Clone, Default)]
struct Cut(Arc<AtomicBool>);

/// A listener whose connections can be cut.
struct Cuttable(TcpListener);

/// A connection that can be cut.
struct Connection {
    stream: TcpStream,
    cut: Cut,
}

impl Listener for Cuttable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are written whole; waiting for more to write would only delay them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot turn delays off");
        }
        (
            Connection {
                stream,
                cut: Cut::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Cuttable>> for Cut {
    fn connect_info(incoming: IncomingStream<'_, Cuttable>) -> Self {
        incoming.io().cut.clone()
    }
}

impl Connection {
    fn check(&self) -> io::Result<()> {
        if self.cut.0.load(Ordering::Acquire) {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
