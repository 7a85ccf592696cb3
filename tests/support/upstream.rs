//! An OpenAI-compatible server that follows a script, on a free port of the loopback device. [`script`] tells what it can do.

#![allow(dead_code, reason = "each program that includes this uses its own part")]

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
    task::JoinHandle,
};

#[path = "script.rs"]
pub mod script;

use script::{Reply, Step};

/// A running scripted upstream; it takes no more connections once it is dropped.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    models: Mutex<Vec<String>>,
    /// How long `/models` takes.
    models_delay: Mutex<Duration>,
    received: Mutex<Vec<Received>>,
    elsewhere: AtomicUsize,
    listed: AtomicUsize,
    connections: Arc<AtomicUsize>,
    answering: Arc<AtomicUsize>,
}

/// A request for an answer, as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The model's name.
    pub model: String,
    /// Role and text of each message.
    pub messages: Vec<(String, String)>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// When it came.
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
struct Asked {
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
        let listener = Counting { listener, open: Arc::clone(&shared.connections) };
        let serving = tokio::spawn(async move {
            // Serving ends only with the task.
            let _ = axum::serve(listener, routes).await;
        });
        Self { address, shared, serving }
    }

    /// What to configure as a provider's `base_url`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What `/models` offers from now on; `echo` at first.
    pub fn offer(&self, models: &[&str]) {
        *lock(&self.shared.models) = models.iter().map(|&name| name.to_owned()).collect();
    }

    /// How long `/models` takes from now on.
    pub fn delay_models(&self, delay: Duration) {
        *lock(&self.shared.models_delay) = delay;
    }

    /// All requests for answers so far.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Takes all requests for answers so far out of the record.
    pub fn take_received(&self) -> Vec<Received> {
        std::mem::take(&mut lock(&self.shared.received))
    }

    /// How often `/models` was asked.
    pub fn listed(&self) -> usize {
        self.shared.listed.load(Ordering::SeqCst)
    }

    /// How many requests followed a redirect.
    pub fn followed(&self) -> usize {
        self.shared.elsewhere.load(Ordering::SeqCst)
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Answers that are being written now.
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

async fn list_models(State(shared): State<Arc<Shared>>) -> Json<Value> {
    shared.listed.fetch_add(1, Ordering::SeqCst);
    let delay = *lock(&shared.models_delay);
    tokio::time::sleep(delay).await;
    let models: Vec<Value> = lock(&shared.models).iter().map(|id| json!({"id": id, "object": "model"})).collect();
    Json(json!({"object": "list", "data": models}))
}

async fn elsewhere(State(shared): State<Arc<Shared>>) -> StatusCode {
    shared.elsewhere.fetch_add(1, Ordering::SeqCst);
    StatusCode::NO_CONTENT
}

async fn complete(State(shared): State<Arc<Shared>>, headers: HeaderMap, Json(asked): Json<Asked>) -> Response<Body> {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let last = asked.messages.iter().rev().find(|message| message.role == "user");
    let last = last.map(|message| message.content.clone()).unwrap_or_default();
    let words = script::chosen(&asked.model, &last);
    let has_system = asked.messages.iter().any(|message| message.role == "system");
    let reply = script::refusal(&words, has_system, asked.stream).unwrap_or_else(|| {
        script::reply(&words, &last, asked.stream_options.is_some(), authorization.as_deref().unwrap_or(""))
    });
    let index = {
        let mut received = lock(&shared.received);
        received.push(Received {
            model: asked.model,
            messages: asked.messages.into_iter().map(|message| (message.role, message.content)).collect(),
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
                Play { steps, shared, index, told: false, _answering: answering },
                play,
            )))
            .expect("a response"),
    }
}

/// A script that is being played.
struct Play {
    steps: script::Steps,
    shared: Arc<Shared>,
    index: usize,
    told: bool,
    _answering: Counted,
}

async fn play(mut play: Play) -> Option<(Result<Bytes, std::io::Error>, Play)> {
    loop {
        match play.steps.next()? {
            Step::Send(bytes) => return Some((Ok(bytes), play)),
            Step::Token(bytes) => {
                if !std::mem::replace(&mut play.told, true)
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

/// Counts for as long as it lives.
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

/// A listener that counts its open connections.
struct Counting {
    listener: TcpListener,
    open: Arc<AtomicUsize>,
}

impl Listener for Counting {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Every token goes out at once, as from a real provider.
        let _ = stream.set_nodelay(true);
        (Connection { stream, _open: Counted::new(&self.open) }, address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Connection {
    stream: TcpStream,
    _open: Counted,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
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
