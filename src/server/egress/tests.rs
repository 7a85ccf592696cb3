//! Requests over real connections to this machine. A fake resolver maps names to the addresses that a test needs.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

use super::*;

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
/// Leaves the connection open.
const KEPT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BUSY: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// Closes the connection without a response.
const NO_RESPONSE: &str = "";
/// A name that does not resolve.
const GONE: &str = "http://gone.example/secret?key=secret";
const LOOPBACK: &str = "127.0.0.0/8";

/// A server that sends these responses one after another, and repeats the last one.
struct Host {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Host {
    async fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port of the loopback device");
        let (address, connections) = (listener.local_addr().expect("an address"), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let answer = answers[counted.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1)];
                tokio::spawn(async move {
                    while read_request(&mut stream).await {
                        // The client may have disconnected.
                        let written = stream.write_all(answer.as_bytes()).await;
                        if written.is_err() || answer != KEPT {
                            break;
                        }
                    }
                });
            }
        });
        Self { address, connections }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads the request with its body, so that closing the connection sends no reset. Returns whether there is one.
async fn read_request(stream: &mut tokio::net::TcpStream) -> bool {
    let mut first = [0];
    // A TLS handshake starts with this byte and has no lines.
    if !stream.peek(&mut first).await.is_ok_and(|read| read > 0) || first == [0x16] {
        return false;
    }
    let (mut reader, mut length) = (BufReader::new(stream), 0);
    let mut line = String::new();
    while reader.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length]).await.is_ok()
}

/// Resolves each name to the next of these address lists.
struct FakeResolver(Mutex<VecDeque<Vec<IpAddr>>>);

impl FakeResolver {
    fn to(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |addresses: &&[&str]| addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for FakeResolver {
    fn resolve(&self, _: Name) -> Resolving {
        let next = self.0.lock().expect("no panic").pop_front().unwrap_or_default();
        let addresses: Vec<_> = next.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
        Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
    }
}

const TIMING: Timing =
    Timing { backoff: [Duration::ZERO; 2], min_wait: Duration::ZERO, idle_timeout: Duration::from_secs(4) };

fn egress() -> Egress {
    Egress::with_parts(Vec::new(), Arc::new(SystemResolver), TIMING)
}

fn resolving(resolver: Arc<FakeResolver>, allowed: &[&str]) -> Egress {
    let networks = allowed.iter().map(|network| network.parse().expect("a network")).collect();
    Egress::with_parts(networks, resolver, TIMING)
}

fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).expect("a request")
}

fn post(url: &str) -> http::Request<Vec<u8>> {
    http::Request::post(url).body(b"a question".to_vec()).expect("a request")
}

async fn ask(egress: &Egress, request: http::Request<Vec<u8>>) -> Result<u16, EgressError> {
    egress.send(request, Source::Configuration, deadline()).await.map(|response| response.status().as_u16())
}

/// Sends a request to a URL that was discovered from another issuer, with this host's port.
async fn ask_named(egress: &Egress, host: &Host, name: &str) -> Result<u16, EgressError> {
    // Over TLS, which `host` does not speak: the test only counts connections.
    let url = format!("https://{name}:{}/", host.address.port());
    let source = Source::DiscoveredAt("https://login.example");
    egress.send(get(&url), source, deadline()).await.map(|response| response.status().as_u16())
}

#[tokio::test]
async fn t02_names_that_resolve_to_private_addresses_are_rejected() {
    let host = Host::start(&[OK]).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["::ffff:127.0.0.1"],
        // One allowed address does not make up for a forbidden one.
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
    ] {
        let refused = ask_named(&resolving(FakeResolver::to(&[addresses]), &[]), &host, "keys.example").await;
        assert!(matches!(&refused, Err(EgressError::Forbidden(name)) if name == "keys.example"), "{refused:?}");
    }
    assert_eq!(host.connections(), 0);
    // The same name is allowed if its network is.
    let allowing = resolving(FakeResolver::to(&[&["127.0.0.1"]]), &[LOOPBACK]);
    let connected = ask_named(&allowing, &host, "keys.example").await;
    assert!(matches!(connected, Err(EgressError::Unreachable(_))), "no TLS there: {connected:?}");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn t02_private_ip_literals_are_rejected() {
    let host = Host::start(&[OK]).await;
    let refused = ask_named(&egress(), &host, "127.0.0.1").await;
    assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{refused:?}");
    assert_eq!(host.connections(), 0);
}

#[tokio::test]
async fn t02_dns_rebinding_is_rejected() {
    let host = Host::start(&[NO_RESPONSE]).await;
    let resolver = FakeResolver::to(&[&["127.0.0.1"], &["127.0.0.2"]]);
    // In this test, only this address counts as public.
    let egress = Egress::with_parts(vec!["127.0.0.1/32".parse().expect("a network")], resolver, TIMING);
    // The first connection fails, so the same call makes a second one.
    let refused = ask_named(&egress, &host, "keys.example").await;
    assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{refused:?}");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn discovered_urls_may_use_the_configured_private_host() {
    let host = Host::start(&[OK]).await;
    let source = "http://127.0.0.1:1/realm";
    let answer = egress().send(get(&host.url()), Source::DiscoveredAt(source), deadline()).await.expect("an answer");
    assert_eq!(read_whole(answer, 2).await.expect("a body"), b"ok");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn policy_rejections_do_not_open_the_breaker() {
    let host = Host::start(&[OK]).await;
    let egress = resolving(FakeResolver::to(&[&["127.0.0.1"][..]; 9]), &[]);
    for _ in 0..9 {
        let refused = ask_named(&egress, &host, "keys.example").await;
        assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_get_is_sent_up_to_three_times_and_other_methods_once() {
    type Case = (&'static [&'static str], fn(&str) -> http::Request<Vec<u8>>, u16, usize);
    let cases: [Case; 6] = [
        (&[OK], get, 200, 1),
        (&[UNAVAILABLE, NO_RESPONSE, OK], get, 200, 3),
        (&[UNAVAILABLE], get, 503, 3),
        // A 500 is not retried because it will not change, and a 429 without `Retry-After` is not retried either.
        (&[BROKEN, OK], get, 500, 1),
        (&[BUSY, OK], get, 429, 1),
        (&[UNAVAILABLE, OK], post, 503, 1),
    ];
    for (answers, request, status, connections) in cases {
        let host = Host::start(answers).await;
        let answer = ask(&egress(), request(&host.url())).await.expect("an answer");
        assert_eq!((answer, host.connections()), (status, connections), "{answers:?}");
    }
    let host = Host::start(&[NO_RESPONSE, OK]).await;
    assert!(
        matches!(ask(&egress(), post(&host.url())).await, Err(EgressError::ConnectionLost(_))),
        "it may have been taken"
    );
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn a_short_retry_after_is_respected() {
    const SOON: &str = "HTTP/1.1 429 Too Many\r\nretry-after: 0\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const LATE: &str = "HTTP/1.1 503 Later\r\nretry-after: 3\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    const DATE: &str = "HTTP/1.1 503 Later\r\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n\
                        content-length: 0\r\nconnection: close\r\n\r\n";
    for (answers, status, connections) in [(&[SOON, OK], 200, 2), (&[LATE, OK], 503, 1), (&[DATE, OK], 503, 1)] {
        let host = Host::start(answers).await;
        let answer = ask(&egress(), get(&host.url())).await.expect("an answer");
        assert_eq!((answer, host.connections()), (status, connections), "{answers:?}");
    }
}

#[tokio::test]
async fn failed_connections_are_retried_for_every_method() {
    for request in [get, post] {
        // Names are resolved per connection, so the remaining entries tell the number of connections.
        let resolver = FakeResolver::to(&[&[], &[], &[], &[]]);
        let failed = ask(&resolving(Arc::clone(&resolver), &[]), request(GONE)).await;
        assert!(matches!(failed, Err(EgressError::Unreachable(_))), "{failed:?}");
        assert_eq!(resolver.0.lock().expect("no panic").len(), 1);
    }
}

#[tokio::test]
async fn there_is_no_retry_after_the_deadline() {
    let host = Host::start(&[UNAVAILABLE, OK]).await;
    let hour = Duration::from_secs(3_600);
    let egress = Egress::with_parts(Vec::new(), Arc::new(SystemResolver), Timing { backoff: [hour; 2], ..TIMING });
    assert_eq!(ask(&egress, get(&host.url())).await.expect("an answer"), 503);
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn connections_are_reused_until_they_were_idle_for_some_time() {
    let count_connections = async |idle_timeout| {
        let host = Host::start(&[KEPT]).await;
        let egress = Egress::with_parts(Vec::new(), Arc::new(SystemResolver), Timing { idle_timeout, ..TIMING });
        for _ in 0..8 {
            let answer = egress.send(post(&host.url()), Source::Configuration, deadline()).await.expect("an answer");
            assert_eq!(read_whole(answer, 2).await.expect("a body"), b"ok");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        host.connections()
    };
    assert!(count_connections(Duration::from_secs(60)).await < 8);
    assert_eq!(count_connections(Duration::from_millis(1)).await, 8);
    // Servers close connections that were idle for five seconds.
    assert!(Timing::default().idle_timeout < Duration::from_secs(5));
}

#[tokio::test]
async fn the_breaker_opens_for_the_unreachable_host_only() {
    let (egress, host) = (resolving(FakeResolver::to(&[]), &[]), Host::start(&[OK]).await);
    for _ in 0..5 {
        assert!(matches!(ask(&egress, post(GONE)).await, Err(EgressError::Unreachable(_))));
    }
    let refused = ask(&egress, post(GONE)).await;
    assert!(matches!(&refused, Err(EgressError::CircuitOpen(host)) if host == "http://gone.example"), "{refused:?}");
    assert_eq!(ask(&egress, get(&host.url())).await.expect("an answer"), 200);
}

#[tokio::test]
async fn gateway_errors_count_as_failures_and_other_statuses_do_not() {
    for (answer, opens_breaker) in [(&[GATEWAY], true), (&[UNAVAILABLE], false), (&[BROKEN], false), (&[BUSY], false)] {
        let (egress, host) = (egress(), Host::start(answer).await);
        for _ in 0..5 {
            ask(&egress, post(&host.url())).await.expect("an answer");
        }
        let sixth = ask(&egress, post(&host.url())).await;
        assert_eq!(matches!(sixth, Err(EgressError::CircuitOpen(_))), opens_breaker, "{answer:?}: {sixth:?}");
    }
}

#[tokio::test]
async fn the_breaker_opens_for_a_host_that_does_not_respond() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let egress = egress();
    let ask = async || egress.send(post(&url), Source::Configuration, Instant::now()).await;
    for _ in 0..5 {
        assert!(matches!(ask().await, Err(EgressError::TimedOut)));
    }
    assert!(matches!(ask().await, Err(EgressError::CircuitOpen(_))));
}

#[tokio::test]
async fn short_timeouts_do_not_count_as_failures() {
    // The listener accepts connections and never responds.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let egress = Egress::with_parts(
        Vec::new(),
        Arc::new(SystemResolver),
        Timing { min_wait: Duration::from_secs(60), ..TIMING },
    );
    for _ in 0..9 {
        let failed = egress.send(post(&url), Source::Configuration, Instant::now()).await;
        assert!(matches!(failed, Err(EgressError::TimedOut)), "{failed:?}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let host = Host::start(&[OK]).await;
    let answer = async || egress().send(get(&host.url()), Source::Configuration, deadline()).await.expect("an answer");
    assert_eq!(read_whole(answer().await, 2).await.expect("a body"), b"ok");
    assert!(matches!(read_whole(answer().await, 1).await, Err(EgressError::TooLarge)));
    assert_eq!(read_prefix(answer().await, 1).await, b"o");
    assert_eq!(read_prefix(answer().await, 9).await, b"ok");
}

#[tokio::test]
async fn invalid_urls_are_rejected() {
    let refused = ask(&egress(), get("ftp://127.0.0.1/")).await;
    assert!(matches!(refused, Err(EgressError::Address(_))), "{refused:?}");
}

#[tokio::test]
async fn l02_errors_contain_no_paths_or_queries() {
    let egress = resolving(FakeResolver::to(&[]), &[]);
    for _ in 0..6 {
        let error = ask(&egress, post(GONE)).await.expect_err("nobody is there");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
