//! Test servers with a few routes, and clients for them.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, request::Parts},
};
use colloquy::server::{
    clock::Clock,
    config::Config,
    http::{self, Limits, Listener, Readiness, Timeouts},
    state::AppState,
};
use http_body_util::BodyExt;
use leptos::{nonce::use_nonce, prelude::*};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::support::wait::finish;

/// Timeouts that are short enough for tests.
pub const SHORT: Timeouts = Timeouts { response: Duration::from_millis(800), body: Duration::from_millis(300) };

/// A response whose body was read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a header of letters"))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("text")
    }

    /// The error code of a JSON body.
    pub fn error(&self) -> String {
        let json: serde_json::Value = serde_json::from_slice(&self.body).expect("JSON");
        json["error"].as_str().expect("a kind of error").to_owned()
    }
}

/// These routes with all layers, for `http://localhost:3000`.
pub fn layered(routes: Router) -> Router {
    layered_with_config(routes, Config::default())
}

pub fn layered_with_config(routes: Router, config: Config) -> Router {
    http::with_browser_layers(routes, Arc::new(config), Clock::default(), SHORT)
}

/// The whole server with a test page, these static files and an empty database in the returned folder.
pub async fn full_server(site_root: &str, ready: bool) -> (Router, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut config = Config { data: folder.path().join("data"), ..Config::default() };
    config.local.models = folder.path().join("models");
    let options = LeptosOptions::builder().output_name("colloquy").site_root(site_root).build();
    let state = AppState::open(config, Clock::default(), options, CancellationToken::new()).await.expect("a state");
    let ready: Readiness =
        Arc::new(move || Box::pin(async move { ready.then_some(()).ok_or_else(|| "a test".to_owned()) }));
    (http::router(state, ready, document), folder)
}

/// A page with one script. It redirects if the query is `elsewhere`.
fn document(_: LeptosOptions) -> impl IntoView {
    if use_context::<Parts>().is_some_and(|parts| parts.uri.query() == Some("elsewhere")) {
        leptos_axum::redirect("/elsewhere");
    }
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head><title>"Test"</title></head>
            <body><p>{"word ".repeat(500)}</p><script nonce=use_nonce()>"1"</script></body>
        </html>
    }
}

/// A request as a browser sends it from a page of this site.
pub fn request(method: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path).header("host", "localhost:3000");
    if method == "POST" { request.header("sec-fetch-site", "same-origin") } else { request }
}

/// Sends a request without a socket.
pub async fn send(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.expect("a router does not fail");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

pub async fn get(router: &Router, path: &str) -> Answer {
    send(router, request("GET", path).body(Body::empty()).expect("a request")).await
}

/// A server on a socket.
pub struct Server {
    pub address: SocketAddr,
    pub stopping: CancellationToken,
    pub served: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub async fn start(routes: Router, limits: Limits) -> Self {
        Self::start_at(routes, limits, Listener::from).await
    }

    /// Starts a server with this listener.
    pub async fn start_at(routes: Router, limits: Limits, listen: impl FnOnce(TcpListener) -> Listener) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let listener = listen(listener);
        let stopping = CancellationToken::new();
        let router = layered_with_config(routes, Config { listen: address, ..Config::default() });
        let served = tokio::spawn(http::serve(listener, router, stopping.clone(), limits));
        Self { address, stopping, served }
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("the server accepts")
    }

    /// Requests a path on a new connection, and reads the begin of the response.
    pub async fn connect_and_get(&self, path: &str) -> TcpStream {
        let mut socket = self.connect().await;
        let head = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        socket.write_all(head.as_bytes()).await.expect("it is open");
        let mut line = [0; 15];
        finish("a response", socket.read_exact(&mut line)).await.expect("it is open");
        assert_eq!(&line, b"HTTP/1.1 200 OK");
        socket
    }

    /// Sends raw bytes, with `HOST` replaced by the server's address, and reads until the server closes the connection.
    pub async fn send_raw(&self, bytes: &str) -> String {
        let mut socket = self.connect().await;
        // The server may close the connection before everything is sent.
        let _ = socket.write_all(bytes.replace("HOST", &self.address.to_string()).as_bytes()).await;
        read_to_end(&mut socket).await
    }
}

/// Reads until the other side closes the connection.
pub async fn read_to_end(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut part = [0; 65_536];
    let reading = async {
        while let Ok(count @ 1..) = socket.read(&mut part).await {
            bytes.extend_from_slice(&part[..count]);
        }
    };
    finish("the server to close the connection", reading).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The status in the first line of a raw response; 0 if there is none.
pub fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}
