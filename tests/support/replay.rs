//! A server that replays recorded responses, on a free loopback port.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Response, header},
    serve::ListenerExt,
};
use futures::{StreamExt, stream};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

/// A running server. It accepts no more connections once it is dropped.
pub struct Replay {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// The recordings by path.
    recordings: Mutex<HashMap<String, Recording>>,
    received: Mutex<Vec<Received>>,
}

/// A received request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The path with the query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null if it is empty.
    pub body: Value,
}

impl Received {
    /// The text of a header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// A recorded response.
#[derive(Debug, Clone)]
pub struct Recording {
    status: u16,
    content_type: &'static str,
    /// The parts of the body, each in a separate write.
    pieces: Vec<Bytes>,
    end: End,
}

/// What follows the recorded body.
#[derive(Debug, Clone, Copy)]
enum End {
    Clean,
    Broken,
    Silent,
}

impl Recording {
    /// A successful response with this body.
    pub fn new(content_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type, pieces: vec![body.into()], end: End::Clean }
    }

    /// A JSON response with this status.
    pub fn json(status: u16, body: &Value) -> Self {
        Self { status, ..Self::new("application/json", body.to_string()) }
    }

    /// The same body in two pieces, the first of which has `at` bytes.
    pub fn split_at(mut self, at: usize) -> Self {
        let body = Bytes::from(self.pieces.concat());
        self.pieces = vec![body.slice(..at), body.slice(at..)];
        self
    }

    /// The same body with each byte in a separate piece.
    pub fn byte_by_byte(mut self) -> Self {
        let body = Bytes::from(self.pieces.concat());
        self.pieces = (0..body.len()).map(|at| body.slice(at..=at)).collect();
        self
    }

    /// Then the connection breaks.
    pub fn broken(self) -> Self {
        Self { end: End::Broken, ..self }
    }

    /// Then nothing follows, and the connection stays open.
    pub fn silent(self) -> Self {
        Self { end: End::Silent, ..self }
    }

    fn into_response(self) -> Response<Body> {
        let (pieces, end) = (self.pieces.into_iter().filter(|piece| !piece.is_empty()), self.end);
        let pieces = stream::iter(pieces).then(|piece| async move {
            tokio::task::yield_now().await;
            Ok(piece)
        });
        let end = stream::once(async move {
            match end {
                End::Clean => None,
                End::Broken => {
                    // Otherwise the last piece is not sent.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    Some(Err(std::io::Error::other("broken as recorded")))
                }
                End::Silent => std::future::pending().await,
            }
        });
        let body = Body::from_stream(pieces.chain(end.filter_map(std::future::ready)));
        let response = Response::builder().status(self.status).header(header::CONTENT_TYPE, self.content_type);
        response.body(body).expect("a response")
    }
}

impl Replay {
    /// Starts a server with these responses by path, without the query. Other paths are not found.
    pub async fn start<'a>(recordings: impl IntoIterator<Item = (&'a str, Recording)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of the loopback device");
        let address = listener.local_addr().expect("a bound address");
        // Otherwise each piece waits until the one before it is acknowledged.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("an open connection"));
        let shared = Arc::<Shared>::default();
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move {
            // Serving ends only when the task is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        let replay = Self { address, shared, serving };
        recordings.into_iter().for_each(|(path, recording)| replay.set(path, recording));
        replay
    }

    /// The address of the server.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Sets the response for a path.
    pub fn set(&self, path: &str, recording: Recording) {
        lock(&self.shared.recordings).insert(path.to_owned(), recording);
    }

    /// Removes and returns all requests so far.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.shared.received))
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
    let path = head.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    lock(&shared.received).push(Received { path, headers: head.headers, body });
    let recording = lock(&shared.recordings).get(head.uri.path()).cloned();
    recording.unwrap_or_else(|| Recording::json(404, &serde_json::json!({"error": "nothing is here"}))).into_response()
}
