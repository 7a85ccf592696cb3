//! A scripted OpenAI-compatible server on a free loopback port. [`script`] lists its behaviours.

#![allow(dead_code, reason = "tests and benchmarks each use only a part")]

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Response, StatusCode, header},
    routing::{any, get, post},
    serve::Listener,
};
use futures::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

#[path = "script.rs"]
pub mod script;

use script::{Reply, Step};

/// A running scripted upstream. It accepts no more connections once it is dropped.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    models: Mutex<Vec<String>>,
    /// How `/models` answers.
    model_list: watch::Sender<ModelListMode>,
    received: Mutex<Vec<Received>>,
    elsewhere: AtomicUsize,
    model_list_requests: AtomicUsize,
    connections: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    answering: Arc<AtomicUsize>,
}

/// How `/models` answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ModelListMode {
    /// With the list.
    #[default]
    Listed,
    /// With an error.
    Refused,
    /// Not until the mode changes.
    Held,
}

/// A received completion request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The model's name.
    pub model: String,
    /// Role and text of each message.
    pub messages: Vec<(String, String)>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// When it arrived.
    pub at: Instant,
    /// When its first token was written.
    pub first_token: Option<Instant>,
}

impl Received {
    /// The text of the last message.
    pub fn last(&self) -> &str {
        self.messages.last().map_or("", |(_, text)| text)
    }
}

#[derive(Deserialize)]
struct CompletionRequest {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<Value>,
}

#[derive(Deserialize)]
struct Message {
    role: String,
    content: String,
}

impl Upstream {
    /// Starts one on a free port of 127.0.0.1.
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    /// Starts one on this port of 127.0.0.1; 0 for any.
    pub async fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port of the loopback device");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared { models: Mutex::new(vec!["echo".to_owned()]), ..Shared::default() });
        let routes = Router::new()
            .route("/v1/models", get(list_models))
            .route("/v1/chat/completions", post(complete))
            .route("/unlisted/v1/chat/completions", post(complete))
            .route("/elsewhere", any(elsewhere))
            .with_state(Arc::clone(&shared));
        let (open, sent) = (Arc::clone(&shared.connections), Arc::clone(&shared.sent));
        let listener = Counting { listener, open, sent };
        let serving = tokio::spawn(async move {
            // Serving ends only when the task is aborted.
            let _ = axum::serve(listener, routes).await;
        });
        Self { address, shared, serving }
    }

    /// The provider's `base_url` to configure.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Sets the models that `/models` lists; at first only `echo`.
    pub fn set_models(&self, models: &[&str]) {
        *lock(&self.shared.models) = models.iter().map(|&name| name.to_owned()).collect();
    }

    /// Sets how `/models` answers, also requests that are being held.
    pub fn set_model_list(&self, mode: ModelListMode) {
        self.shared.model_list.send_replace(mode);
    }

    /// All completion requests so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Removes and returns all completion requests so far.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.shared.received))
    }

    /// The number of requests for `/models`.
    pub fn model_list_requests(&self) -> usize {
        self.shared.model_list_requests.load(Ordering::SeqCst)
    }

    /// The number of requests that followed the redirect.
    pub fn redirects_followed(&self) -> usize {
        self.shared.elsewhere.load(Ordering::SeqCst)
    }

    /// The number of open connections.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The number of bytes that were sent on all connections, including those that the other side has not read.
    pub fn sent_bytes(&self) -> usize {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// The number of answers that are being written.
    pub fn answering(&self) -> usize {
        self.shared.answering.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

async fn list_models(State(shared): State<Arc<Shared>>) -> Result<Json<Value>, StatusCode> {
    shared.model_list_requests.fetch_add(1, Ordering::SeqCst);
    let mut mode = shared.model_list.subscribe();
    let mode = *mode.wait_for(|mode| *mode != ModelListMode::Held).await.expect("the sender is shared");
    if mode == ModelListMode::Refused {
        return Err(StatusCode::NOT_FOUND);
    }
    let models: Vec<Value> = lock(&shared.models).iter().map(|id| json!({"id": id, "object": "model"})).collect();
    Ok(Json(json!({"object": "list", "data": models})))
}

async fn elsewhere(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.elsewhere.fetch_add(1, Ordering::SeqCst);
    StatusCode::NO_CONTENT
}

async fn complete(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(request): Json<CompletionRequest>,
) -> Response<Body> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let last = request.messages.iter().rev().find(|message| message.role == "user");
    let last = last.map(|message| message.content.clone()).unwrap_or_default();
    let words = script::chosen(&request.model, &last);
    let has_system = request.messages.iter().any(|message| message.role == "system");
    let reply = script::refusal(&words, has_system, request.stream).unwrap_or_else(|| {
        script::reply(&words, &last, request.stream_options.is_some(), authorization.as_deref().unwrap_or(""))
    });
    let index = {
        let mut received = lock(&shared.received);
        received.push(Received {
            model: request.model,
            messages: request.messages.into_iter().map(|message| (message.role, message.content)).collect(),
            authorization,
            at: Instant::now(),
            first_token: None,
        });
        received.len() - 1
    };
    let answering = Counted::new(&shared.answering);
    match reply {
        Reply::Plain(status, kind, body) => Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, kind)
            .header(header::LOCATION, "/elsewhere")
            .body(Body::from(body))
            .expect("a response"),
        Reply::Silence => {
            let _answering = answering;
            std::future::pending().await
        }
        Reply::Stream(steps) => Response::builder()
            .header(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")
            .body(Body::from_stream(stream::unfold(
                Play { steps, shared, index, token_sent: false, _answering: answering },
                play,
            )))
            .expect("a response"),
    }
}

/// A script in progress.
struct Play {
    steps: script::Steps,
    shared: Arc<Shared>,
    index: usize,
    token_sent: bool,
    _answering: Counted,
}

async fn play(mut play: Play) -> Option<(Result<Bytes, std::io::Error>, Play)> {
    loop {
        match play.steps.next()? {
            Step::Send(bytes) => return Some((Ok(bytes), play)),
            Step::Token(bytes) => {
                if !std::mem::replace(&mut play.token_sent, true)
                    && let Some(received) = lock(&play.shared.received).get_mut(play.index)
                {
                    received.first_token = Some(Instant::now());
                }
                return Some((Ok(bytes), play));
            }
            Step::Wait(Duration::ZERO) => tokio::task::yield_now().await,
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Hang => std::future::pending().await,
            Step::Cut => return Some((Err(std::io::Error::other("cut by the script")), play)),
        }
    }
}

/// Adds one to a count while it is alive.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A listener that counts its open connections and the bytes sent on them.
struct Counting {
    listener: TcpListener,
    open: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
}

impl Listener for Counting {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Each token is sent immediately, as real providers do.
        let _ = stream.set_nodelay(true);
        (Connection { stream, sent: Arc::clone(&self.sent), _open: Counted::new(&self.open) }, address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Connection {
    stream: TcpStream,
    sent: Arc<AtomicUsize>,
    _open: Counted,
}

impl Connection {
    fn count(&self, written: Poll<std::io::Result<usize>>) -> Poll<std::io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.sent.fetch_add(*bytes, Ordering::SeqCst);
        }
        written
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.count(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.count(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
