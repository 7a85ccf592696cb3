//! HTTP over real sockets: slow clients, malformed framing, graceful shutdown.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    routing::get as on_get,
};
use colloquy::server::http::{Limits, Listener};
use futures::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use crate::{
    http_support::{Server, read_to_end, status},
    support::wait::{finish, wait_until},
};

fn quick() -> Limits {
    Limits {
        connections: 64,
        head_timeout: Duration::from_millis(600),
        write_timeout: Duration::from_millis(600),
        drain_timeout: Duration::from_millis(1_500),
    }
}

fn routes() -> Router {
    Router::new().route("/", on_get(async || "ok").post(async |body: Bytes| body.len().to_string()))
}

#[tokio::test]
async fn d01_slow_request_heads_time_out_and_others_are_served() {
    let server = Server::start(routes(), quick()).await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut socket = server.connect().await;
        socket.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("it is open");
        slow.push(socket);
    }
    // Sending one byte at a time does not extend the timeout: this goes on until the server has closed them all.
    let dripping = async {
        while !slow.is_empty() {
            let others = "GET / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n";
            assert_eq!(status(&server.send_raw(others).await), 200);
            let mut open = Vec::new();
            for mut socket in slow.drain(..) {
                if is_open(&socket) && socket.write_all(b"x").await.is_ok() {
                    open.push(socket);
                }
            }
            slow = open;
            sleep(Duration::from_millis(20)).await;
        }
    };
    finish("the server to close the slow connections", dripping).await;
}

/// Whether the server has not closed this connection yet. It must not have served a request on it.
fn is_open(socket: &TcpStream) -> bool {
    let mut part = [0; 1_024];
    match socket.try_read(&mut part) {
        Ok(0) => false,
        Ok(count) => {
            assert!(!String::from_utf8_lossy(&part[..count]).contains("200"));
            true
        }
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    }
}

#[tokio::test]
async fn d01_slow_request_bodies_time_out() {
    let server = Server::start(routes(), quick()).await;
    let mut socket = server.connect().await;
    let head = format!(
        "POST / HTTP/1.1\r\nhost: {}\r\nsec-fetch-site: same-origin\r\ncontent-length: 1000\r\n\r\nx",
        server.address
    );
    socket.write_all(head.as_bytes()).await.expect("it is open");
    let answer = read_to_end(&mut socket).await;
    assert!(matches!(status(&answer), 400 | 408), "{answer}");
}

#[tokio::test]
async fn d01_a_client_that_reads_nothing_is_disconnected() {
    struct Gone(CancellationToken);
    impl Drop for Gone {
        fn drop(&mut self) {
            self.0.cancel();
        }
    }
    let gone = CancellationToken::new();
    let token = gone.clone();
    let endless = async move || {
        let held = Gone(token);
        Body::from_stream(futures::stream::repeat(Bytes::from(vec![b'x'; 65_536])).map(move |part| {
            let _ = &held;
            Ok::<_, Infallible>(part)
        }))
    };
    let server = Server::start(Router::new().route("/", on_get(endless)), quick()).await;
    let mut socket = server.connect().await;
    let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    socket.write_all(head.as_bytes()).await.expect("it is open");
    let mut first = [0; 12];
    socket.read_exact(&mut first).await.expect("an answer begins");
    finish("the stream to be dropped", gone.cancelled()).await;
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_slot() {
    let server = Server::start(routes(), Limits { connections: 2, ..quick() }).await;
    // Once they have an answer, each has a slot.
    let one = server.connect_and_get("/").await;
    let two = server.connect_and_get("/").await;
    let asked = server.send_raw("GET / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n");
    tokio::pin!(asked);
    assert!(timeout(Duration::from_millis(200), asked.as_mut()).await.is_err(), "there is no place yet");
    drop((one, two));
    assert_eq!(status(&asked.await), 200);
}

#[tokio::test]
async fn row_32_ambiguous_framing_is_refused_and_the_connection_closed() {
    let server = Server::start(routes(), quick()).await;
    let post = "POST / HTTP/1.1\r\nhost: HOST\r\nsec-fetch-site: same-origin\r\n";
    let second = "GET /second HTTP/1.1\r\nhost: HOST\r\n\r\n";
    for framing in [
        "content-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        "content-length: +1\r\n\r\nx",
        "content-length: 1, 1\r\n\r\nx",
        "content-length: -1\r\n\r\n",
        "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\n\r\n1\nx\n0\n\n",
        "transfer-encoding: chunked\r\n\r\nz\r\n\r\n",
    ] {
        let answer = server.send_raw(&format!("{post}{framing}{second}")).await;
        assert_eq!(status(&answer), 400, "{framing:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{framing:?}: {answer}");
    }
    let good = server
        .send_raw(&format!("{post}transfer-encoding: chunked\r\nconnection: close\r\n\r\n1\r\nx\r\n0\r\n\r\n"))
        .await;
    assert_eq!(status(&good), 200, "{good}");
}

#[tokio::test]
async fn row_32_ambiguous_heads_are_refused_and_the_connection_closed() {
    let server = Server::start(routes(), quick()).await;
    let second = "GET /second HTTP/1.1\r\nhost: HOST\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nhost: HOST\r\nsec-fetch-site: same-origin\r\n";
    let mut bad = vec![
        "GET / HTTP/1.1\nhost: HOST\n\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\n\n".to_owned(),
        "GET / HTTP/1.1\nhost: HOST\r\n\r\n".to_owned(),
        "\nGET / HTTP/1.1\r\nhost: HOST\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\nx: a\r\n b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\n x: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost : HOST\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost\t: HOST\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\nx: a\0b\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\nx\0: a\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\nx: a\rb\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\nhost: HOST\r\nno colon\r\n\r\n".to_owned(),
        "GET  / HTTP/1.1\r\nhost: HOST\r\n\r\n".to_owned(),
        "GET / HTTP/1.1 \r\nhost: HOST\r\n\r\n".to_owned(),
    ];
    for framing in [
        "content-length: 1\r\ncontent-length: 1\r\n\r\nx",
        "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ncontent-length: 1\r\n\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        "content-length:\r\n\r\n",
        "content-length: 0x1\r\n\r\nx",
        "content-length: 1\n\r\nx",
    ] {
        bad.push(format!("{post}{framing}"));
    }
    // Longer than the part of a line that the guard stores.
    bad.push(format!("{post}content-length: {}1\r\n\r\nx", "0".repeat(300)));
    bad.push(format!("{post}transfer-encoding: chunked{}, chunked\r\n\r\n0\r\n\r\n", " ".repeat(260)));
    for head in &bad {
        let answer = server.send_raw(&format!("{head}{second}")).await;
        assert_eq!(status(&answer), 400, "{head:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{head:?}: {answer}");
    }
    // Also after a valid request on the same connection, and however the bytes are split.
    for head in &bad {
        let head = head.replace("HOST", &server.address.to_string());
        let mut socket = server.connect().await;
        let first = format!("{}content-length: 3\r\n\r\na\nb", post.replace("HOST", &server.address.to_string()));
        for piece in format!("{first}{head}").as_bytes().chunks(7) {
            // The server may have closed the connection.
            if socket.write_all(piece).await.and(Ok(socket.flush().await)).is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        let answers = read_to_end(&mut socket).await;
        assert!(answers.starts_with("HTTP/1.1 200"), "{head:?}: {answers}");
        assert!(!answers.contains("second"), "{head:?}: {answers}");
    }
    // Empty lines before a request and line feeds in a body are valid.
    let good = format!("\r\n{post}content-length: 4\r\nconnection: close\r\n\r\n\n\n\n\n");
    assert_eq!(status(&server.send_raw(&good).await), 200);
    // Nothing is served after a body of unknown length.
    let chunked =
        server.send_raw(&format!("{post}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n{second}")).await;
    assert!(status(&chunked) == 200 && chunked.to_lowercase().contains("connection: close"), "{chunked}");
    assert_eq!(chunked.matches("HTTP/1.1").count(), 1, "{chunked}");
}

#[tokio::test]
async fn d01_one_address_cannot_use_all_connections() {
    let limits = Limits { connections: 256, head_timeout: Duration::from_secs(60), ..quick() };
    let server = Server::start_at(routes(), limits, |listener| Listener::with_address_limit(listener, &[], 256)).await;
    let mut slow = Vec::new();
    for _ in 0..64 {
        let mut socket = server.connect().await;
        socket.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await.expect("it is open");
        slow.push(socket);
    }
    let get = format!("GET / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    // Its next connection is refused immediately, and other addresses are served.
    let mut one_more = server.connect().await;
    assert_eq!(status(&read_to_end(&mut one_more).await), 503);
    let other = tokio::net::TcpSocket::new_v4().expect("a socket");
    other.bind("127.0.0.2:0".parse().expect("an address")).expect("another address of this machine");
    let mut other = other.connect(server.address).await.expect("it is let in");
    other.write_all(get.as_bytes()).await.expect("it is open");
    assert_eq!(status(&read_to_end(&mut other).await), 200);
    // Closed connections free their slots. The server notices it a moment later.
    slow.truncate(32);
    for _ in 0..100 {
        let mut socket = server.connect().await;
        let said = socket.write_all(get.as_bytes()).await;
        let answer = read_to_end(&mut socket).await;
        if said.is_ok() && status(&answer) == 200 {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("there is no room");
}

#[tokio::test]
async fn d01_a_trusted_proxy_may_use_all_connections() {
    let trusted = ["127.0.0.1".parse().expect("an address")];
    let limits = Limits { connections: 256, ..quick() };
    let server =
        Server::start_at(routes(), limits, |listener| Listener::with_address_limit(listener, &trusted, 256)).await;
    let mut held = Vec::new();
    for _ in 0..100 {
        held.push(server.connect().await);
    }
    assert_eq!(status(&server.send_raw("GET / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n").await), 200);
}

#[tokio::test]
async fn row_33_oversized_heads_are_refused() {
    let server = Server::start(routes(), quick()).await;
    let lines = |count: usize| (0..count).map(|n| format!("x-{n}: y\r\n")).collect::<String>();
    let cases = [
        (200, format!("GET / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n{}\r\n", lines(98))),
        (431, format!("GET / HTTP/1.1\r\nhost: HOST\r\n{}\r\n", lines(100))),
        (431, format!("GET / HTTP/1.1\r\nhost: HOST\r\nx: {}\r\n\r\n", "y".repeat(500_000))),
        (414, format!("GET /{} HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n", "a".repeat(20_000))),
        (414, format!("GET /{} HTTP/1.1\r\nhost: HOST\r\n\r\n", "a".repeat(70_000))),
        // Row 28: a cookie of 10 KB is a valid request; the code that reads the cookie decides.
        (
            200,
            format!(
                "GET / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\ncookie: id={}\r\ncookie: id=2\r\n\r\n",
                "c".repeat(10_240)
            ),
        ),
    ];
    for (expected, request) in cases {
        let answer = server.send_raw(&request).await;
        assert_eq!(status(&answer), expected, "{}: {answer}", &request[..60]);
    }
}

#[tokio::test]
async fn row_29_hosts_over_the_wire() {
    let server = Server::start(routes(), quick()).await;
    for (expected, request) in [
        (200, "GET / HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n"),
        (200, "GET http://HOST/ HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nconnection: close\r\n\r\n"),
        (400, "GET / HTTP/1.0\r\n\r\n"),
        (400, "GET / HTTP/1.1\r\nhost: HOST\r\nhost: HOST\r\nconnection: close\r\n\r\n"),
        (421, "GET / HTTP/1.1\r\nhost: evil.test\r\nconnection: close\r\n\r\n"),
        (400, "GET http://evil.test/ HTTP/1.1\r\nhost: HOST\r\nconnection: close\r\n\r\n"),
        (421, "GET http://evil.test/ HTTP/1.1\r\nhost: evil.test\r\nconnection: close\r\n\r\n"),
    ] {
        let answer = server.send_raw(request).await;
        assert_eq!(status(&answer), expected, "{request:?}: {answer}");
    }
}

#[tokio::test]
async fn c03_a_client_that_hangs_up_does_not_stop_the_work() {
    let (begun, finished) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counts, gate) = ((begun.clone(), finished.clone()), Arc::new(Semaphore::new(0)));
    let held = gate.clone();
    let work = async move || {
        counts.0.fetch_add(1, Ordering::SeqCst);
        held.acquire().await.expect("the gate is never closed").forget();
        counts.1.fetch_add(1, Ordering::SeqCst);
    };
    // There is one slot: the next connection is served only when the server has noticed the end of the one before.
    let limits = Limits { connections: 1, ..quick() };
    let server = Server::start(Router::new().route("/", on_get(work)), limits).await;
    for n in 1..=10 {
        let mut socket = server.connect().await;
        let head = format!("GET / HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
        socket.write_all(head.as_bytes()).await.expect("it is open");
        wait_until("the work begins", async || begun.load(Ordering::SeqCst) == n).await;
    }
    assert_eq!(finished.load(Ordering::SeqCst), 0);
    gate.add_permits(10);
    wait_until("all work is done", async || finished.load(Ordering::SeqCst) == 10).await;
}

/// Routes with a stream like those of answers: it sends a last event and ends when the server stops. The slow route
/// counts itself as begun, and finishes once `release` is cancelled.
fn streaming(stopping: CancellationToken, begun: Arc<AtomicUsize>, release: CancellationToken) -> Router {
    let stream = async move || {
        let ticks = futures::stream::unfold((), |()| async {
            sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, Infallible>("event: update\n\n"), ()))
        });
        let last = futures::stream::iter([Ok("event: reconnect\n\n")]);
        Body::from_stream(ticks.take_until(stopping.cancelled_owned()).chain(last))
    };
    let slow = async move || {
        begun.fetch_add(1, Ordering::SeqCst);
        release.cancelled_owned().await;
        "finished"
    };
    Router::new().route("/stream", on_get(stream)).route("/slow", on_get(slow)).route("/", on_get(async || "ok"))
}

#[tokio::test]
async fn m03_shutdown_ends_streams_finishes_requests_and_refuses_new_ones() {
    let (stopping, release) = (CancellationToken::new(), CancellationToken::new());
    let begun = Arc::new(AtomicUsize::new(0));
    // So long that nothing is cut off: everything has to end by itself.
    let limits = Limits { drain_timeout: Duration::from_secs(3_600), ..quick() };
    let server = Server::start(streaming(stopping.clone(), begun.clone(), release.clone()), limits).await;
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(server.connect_and_get("/stream").await);
    }
    let mut slow = server.connect().await;
    let head = format!("GET /slow HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    slow.write_all(head.as_bytes()).await.expect("it is open");
    wait_until("the slow request is served", async || begun.load(Ordering::SeqCst) == 1).await;
    let mut idle = server.connect_and_get("/").await;

    stopping.cancel();
    server.stopping.cancel();
    for socket in &mut streams {
        assert!(read_to_end(socket).await.contains("event: reconnect"));
    }
    assert_eq!(read_to_end(&mut idle).await.matches("HTTP/1.1").count(), 0, "an idle connection is closed");
    release.cancel();
    assert!(read_to_end(&mut slow).await.contains("finished"));
    let (address, served) = (server.address, server.served);
    finish("the server", served).await.expect("no panic").expect("no fault");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn m03_streams_that_do_not_end_are_cut_off() {
    // These streams are not told that the server stops.
    let routes = streaming(CancellationToken::new(), Arc::default(), CancellationToken::new());
    let limits = Limits { drain_timeout: Duration::from_millis(300), ..quick() };
    let server = Server::start(routes, limits).await;
    let mut socket = server.connect_and_get("/stream").await;
    server.stopping.cancel();
    finish("the server", server.served).await.expect("no panic").expect("no fault");
    assert!(read_to_end(&mut socket).await.contains("event: update"));
}
