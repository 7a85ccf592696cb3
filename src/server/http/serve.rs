//! Serves connections: limits their number, applies timeouts, and shuts down gracefully.
//!
//! `axum::serve` has neither a timeout for request heads nor a limit of connections. Only HTTP/1 is served: browsers
//! open at most six such connections to a host, and every tab with an open answer uses one. A reverse proxy that offers
//! HTTP/2 to browsers lifts that limit.

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

use super::{
    address::ConnectionAddrs, head_filter::must_close_connection, listener::Listener, write_timeout::WriteTimeout,
};

/// The limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The maximum number of open connections; further ones wait to be accepted.
    pub connections: u32,
    /// The time for the whole head of a request to arrive; also how long an idle connection stays open.
    pub head_timeout: Duration,
    /// The time after which a connection is closed if the client reads nothing.
    pub write_timeout: Duration,
    /// The time for open requests to complete after the server was asked to stop; then they are aborted.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            head_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(15),
            drain_timeout: Duration::from_secs(12),
        }
    }
}

/// The maximum number of headers of a request.
const MAX_HEADERS: usize = 100;
/// The maximum size of a request head, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1_024;

/// Serves `router` on `listener` until `stopping` is cancelled. Then no connection is accepted any more, idle
/// connections are closed, and requests complete or are aborted after `limits.drain_timeout`.
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
    let permits = Arc::new(Semaphore::new(limits.connections as usize));
    let tasks = TaskTracker::new();
    let abort = CancellationToken::new();
    loop {
        let next = async {
            let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((listener.accept().await, permit))
        };
        let ((socket, address_permit), permit) = tokio::select! {
            biased;
            () = stopping.cancelled() => break,
            next = next => next?,
        };
        let (router, stopping, abort) = (router.clone(), stopping.clone(), abort.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = abort.cancelled() => {}
                () = serve_connection(socket, router, stopping, limits) => {}
            }
            drop((address_permit, permit));
        });
    }
    drop(listener);
    tasks.close();
    if tokio::time::timeout(limits.drain_timeout, tasks.wait()).await.is_err() {
        tracing::warn!(connections = tasks.len(), "aborted connections that did not finish in time");
        abort.cancel();
        tasks.wait().await;
    }
    Ok(())
}

/// Serves one connection until it is closed.
async fn serve_connection(socket: TcpStream, router: Router, stopping: CancellationToken, limits: Limits) {
    // Without it, a streamed page is delayed by the client's delayed acknowledgement (Nagle's algorithm).
    let prepared = socket.set_nodelay(true).and_then(|()| Ok((socket.peer_addr()?, socket.local_addr()?)));
    let Ok((peer, local)) = prepared else { return };
    let addrs = ConnectionAddrs { peer, local };
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(addrs);
        let is_last = must_close_connection(request.headers());
        let response = router.clone().call(request);
        async move {
            let mut response: Response = response.await?;
            if is_last {
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, std::convert::Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(WriteTimeout::new(socket, limits.write_timeout)), service);
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Client disconnects are not errors of the server.
        tracing::debug!(%peer, %error, "connection closed with an error");
    }
}
