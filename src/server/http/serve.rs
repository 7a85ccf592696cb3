//! Connections: accepted one by one, bounded in number and in patience, and let go gracefully.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, header::CONNECTION},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use super::{address::Connected, heads::ends_connection, listener::Listener, write_timeout::WriteTimeout};

/// The bounds of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many are open at once; further ones wait to be accepted.
    pub connections: u32,
    /// For the whole head of a request to arrive; also how long an idle connection stays open.
    pub head: Duration,
    /// For a client that reads nothing while there is something to read.
    pub stall: Duration,
    /// For requests to end after the server was asked to stop; then they are cut off.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head: Duration::from_secs(10),
            stall: Duration::from_secs(15),
            drain: Duration::from_secs(12),
        }
    }
}

/// The most lines in the head of a request.
const HEADERS: usize = 100;
/// The largest head of a request, in bytes.
const HEAD_BYTES: usize = 64 * 1_024;

/// Serves `router` on `listener` until `stopping` is cancelled: then nothing is accepted any more, idle connections
/// are closed, requests come to their end or are cut off after `limits.drain`.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(
    listener: impl Into<Listener>,
    router: Router,
    stopping: CancellationToken,
    limits: Limits,
) -> io::Result<()> {
    let listener = listener.into();
    let places = Arc::new(Semaphore::new(limits.connections as usize));
    let open = TaskTracker::new();
    let cut = CancellationToken::new();
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await, place))
        };
        let ((socket, seat), place) = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            next = next => next?,
        };
        let (router, stopping, cut) = (router.clone(), stopping.clone(), cut.clone());
        open.spawn(async move {
            tokio::select! {
                () = cut.cancelled() => {}
                () = hold(socket, router, stopping, limits) => {}
            }
            drop((seat, place));
        });
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(limits.drain, open.wait()).await.is_err() {
        tracing::warn!(connections = open.len(), "cut off what had not ended in time");
        cut.cancel();
        open.wait().await;
    }
    Ok(())
}

/// Serves one connection to its end.
async fn hold(socket: TcpStream, router: Router, stopping: CancellationToken, limits: Limits) {
    // Without it, a streamed page waits for the client's delayed acknowledgement.
    let prepared = socket.set_nodelay(true).and_then(|()| Ok((socket.peer_addr()?, socket.local_addr()?)));
    let Ok((peer, local)) = prepared else { return };
    let ends = Connected { peer, local };
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ends);
        let is_last = ends_connection(request.headers());
        let answered = router.clone().call(request);
        async move {
            let mut answer: Response = answered.await?;
            if is_last {
                answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(WriteTimeout::new(socket, limits.stall)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // What clients do to their connections is no fault of ours.
        tracing::debug!(%peer, %error, "a connection broke off");
    }
}
