//! Requests over real connections to this machine, with names that an own resolver makes lead where a test wants.

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
const UNAVAILABLE: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BUSY: &str = "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// In place of an answer, the connection is closed.
const NOTHING: &str = "";
/// Where no name server knows of an address.
const GONE: &str = "http://gone.example/secret?key=secret";
const LOOPBACK: &str = "127.0.0.0/8";

/// A server that gives these answers one after another, and the last one again and again.
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
                    read_request(&mut stream).await;
                    // Whoever asked may be gone by now.
                    let _ = stream.write_all(answer.as_bytes()).await;
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

/// With its body, so that closing the connection is no reset.
async fn read_request(stream: &mut tokio::net::TcpStream) {
    let mut first = [0];
    // What begins with this is a greeting of TLS, in which there are no lines.
    if stream.peek(&mut first).await.is_err() || first == [0x16] {
        return;
    }
    let (mut reader, mut length) = (BufReader::new(stream), 0);
    let mut line = String::new();
    while reader.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    let _ = reader.read_exact(&mut vec![0; length]).await;
}

/// Leads each name to the next of these addresses.
struct Leading(Mutex<VecDeque<Vec<IpAddr>>>);

impl Leading {
    fn to(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |addresses: &&[&str]| addresses.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for Leading {
    fn resolve(&self, _: Name) -> Resolving {
        let next = self.0.lock().expect("no panic").pop_front().unwrap_or_default();
        let addresses: Vec<_> = next.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
        Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
    }
}

const TIMING: Timing = Timing { pauses: [Duration::ZERO; 2], fair: Duration::ZERO };

fn egress() -> Egress {
    Egress::with(Vec::new(), Arc::new(System), TIMING)
}

fn resolving(resolver: Arc<Leading>, allowed: &[&str]) -> Egress {
    let networks = allowed.iter().map(|network| network.parse().expect("a network")).collect();
    Egress::with(networks, resolver, TIMING)
}

fn late() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn get(url: &str) -> http::Request<Vec<u8>> {
    http::Request::get(url).body(Vec::new()).expect("a request")
}

fn post(url: &str) -> http::Request<Vec<u8>> {
    http::Request::post(url).body(b"a question".to_vec()).expect("a request")
}

async fn ask(egress: &Egress, request: http::Request<Vec<u8>>) -> Result<u16, EgressError> {
    egress.send(request, Source::Configuration, late()).await.map(|response| response.status().as_u16())
}

/// The request of a document that an issuer elsewhere named, by this host's port.
async fn ask_named(egress: &Egress, host: &Host, name: &str) -> Result<u16, EgressError> {
    // Over TLS, which `host` does not speak: what counts is whether there is a connection.
    let url = format!("https://{name}:{}/", host.address.port());
    let source = Source::NamedAt("https://login.example");
    egress.send(get(&url), source, late()).await.map(|response| response.status().as_u16())
}

#[tokio::test]
async fn t02_a_name_that_leads_to_a_private_address_is_not_connected_to() {
    let host = Host::start(&[OK]).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["::ffff:127.0.0.1"],
        // One that would be allowed makes up for nothing.
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
    ] {
        let refused = ask_named(&resolving(Leading::to(&[addresses]), &[]), &host, "keys.example").await;
        assert!(matches!(&refused, Err(EgressError::Forbidden(name)) if name == "keys.example"), "{refused:?}");
    }
    assert_eq!(host.connections(), 0);
    // The same name is connected to where its network is allowed.
    let allowing = resolving(Leading::to(&[&["127.0.0.1"]]), &[LOOPBACK]);
    let connected = ask_named(&allowing, &host, "keys.example").await;
    assert!(matches!(connected, Err(EgressError::Unreachable(_))), "no TLS there: {connected:?}");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn t02_an_address_that_is_written_as_one_passes_no_resolver_and_is_not_connected_to() {
    let host = Host::start(&[OK]).await;
    let refused = ask_named(&egress(), &host, "127.0.0.1").await;
    assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{refused:?}");
    assert_eq!(host.connections(), 0);
}

#[tokio::test]
async fn t02_a_name_that_leads_elsewhere_the_second_time_is_checked_again() {
    let host = Host::start(&[NOTHING]).await;
    let resolver = Leading::to(&[&["127.0.0.1"], &["127.0.0.2"]]);
    // What stands for the internet here is this one address.
    let egress = Egress::with(vec!["127.0.0.1/32".parse().expect("a network")], resolver, TIMING);
    // The first connection fails, so that a second one is made within the same call.
    let refused = ask_named(&egress, &host, "keys.example").await;
    assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{refused:?}");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn the_configured_host_may_be_private_for_all_that_it_names_of_itself() {
    let host = Host::start(&[OK]).await;
    let source = "http://127.0.0.1:1/realm";
    let answer = egress().send(get(&host.url()), Source::NamedAt(source), late()).await.expect("an answer");
    assert_eq!(read_whole(answer, 2).await.expect("a body"), b"ok");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn refusals_of_the_policy_are_nothing_that_a_host_did() {
    let host = Host::start(&[OK]).await;
    let egress = resolving(Leading::to(&[&["127.0.0.1"][..]; 9]), &[]);
    for _ in 0..9 {
        let refused = ask_named(&egress, &host, "keys.example").await;
        assert!(matches!(refused, Err(EgressError::Forbidden(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_get_is_tried_three_times_and_anything_else_once() {
    type Case = (&'static [&'static str], fn(&str) -> http::Request<Vec<u8>>, u16, usize);
    let cases: [Case; 6] = [
        (&[OK], get, 200, 1),
        (&[UNAVAILABLE, NOTHING, OK], get, 200, 3),
        (&[UNAVAILABLE], get, 503, 3),
        // Why it is broken will not change, and whoever says that we ask too often is not asked again.
        (&[BROKEN, OK], get, 500, 1),
        (&[BUSY, OK], get, 429, 1),
        (&[UNAVAILABLE, OK], post, 503, 1),
    ];
    for (answers, request, status, connections) in cases {
        let host = Host::start(answers).await;
        let answer = ask(&egress(), request(&host.url())).await.expect("an answer");
        assert_eq!((answer, host.connections()), (status, connections), "{answers:?}");
    }
    let host = Host::start(&[NOTHING, OK]).await;
    assert!(matches!(ask(&egress(), post(&host.url())).await, Err(EgressError::Lost(_))), "it may have been taken");
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn a_pause_that_is_asked_for_is_kept_where_it_is_short() {
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
async fn a_connection_that_cannot_be_made_is_tried_again_whatever_the_request() {
    for request in [get, post] {
        // Names are resolved for each connection, so what is left tells how many there were.
        let resolver = Leading::to(&[&[], &[], &[], &[]]);
        let failed = ask(&resolving(Arc::clone(&resolver), &[]), request(GONE)).await;
        assert!(matches!(failed, Err(EgressError::Unreachable(_))), "{failed:?}");
        assert_eq!(resolver.0.lock().expect("no panic").len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_tried_again_that_would_be_too_late() {
    let host = Host::start(&[UNAVAILABLE, OK]).await;
    let hour = Duration::from_secs(3_600);
    let egress = Egress::with(Vec::new(), Arc::new(System), Timing { pauses: [hour; 2], ..TIMING });
    assert_eq!(ask(&egress, get(&host.url())).await.expect("an answer"), 503);
    assert_eq!(host.connections(), 1);
}

#[tokio::test]
async fn a_host_that_is_gone_is_left_alone_and_others_are_not() {
    let (egress, host) = (resolving(Leading::to(&[]), &[]), Host::start(&[OK]).await);
    for _ in 0..5 {
        assert!(matches!(ask(&egress, post(GONE)).await, Err(EgressError::Unreachable(_))));
    }
    let refused = ask(&egress, post(GONE)).await;
    assert!(matches!(&refused, Err(EgressError::LeftAlone(host)) if host == "http://gone.example"), "{refused:?}");
    assert_eq!(ask(&egress, get(&host.url())).await.expect("an answer"), 200);
}

#[tokio::test]
async fn gateways_without_a_server_behind_them_count_and_other_answers_do_not() {
    for (answer, left_alone) in [(&[GATEWAY], true), (&[UNAVAILABLE], false), (&[BROKEN], false), (&[BUSY], false)] {
        let (egress, host) = (egress(), Host::start(answer).await);
        for _ in 0..5 {
            ask(&egress, post(&host.url())).await.expect("an answer");
        }
        let sixth = ask(&egress, post(&host.url())).await;
        assert_eq!(matches!(sixth, Err(EgressError::LeftAlone(_))), left_alone, "{answer:?}: {sixth:?}");
    }
}

#[tokio::test]
async fn a_host_that_takes_requests_and_says_nothing_is_left_alone() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let egress = egress();
    let ask = async || egress.send(post(&url), Source::Configuration, Instant::now()).await;
    for _ in 0..5 {
        assert!(matches!(ask().await, Err(EgressError::TimedOut)));
    }
    assert!(matches!(ask().await, Err(EgressError::LeftAlone(_))));
}

#[tokio::test]
async fn a_host_that_had_no_time_to_answer_has_not_failed() {
    // Connections to it are made, and nobody answers.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let egress = Egress::with(Vec::new(), Arc::new(System), Timing { fair: Duration::from_secs(60), ..TIMING });
    for _ in 0..9 {
        let failed = egress.send(post(&url), Source::Configuration, Instant::now()).await;
        assert!(matches!(failed, Err(EgressError::TimedOut)), "{failed:?}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let host = Host::start(&[OK]).await;
    let answer = async || egress().send(get(&host.url()), Source::Configuration, late()).await.expect("an answer");
    assert_eq!(read_whole(answer().await, 2).await.expect("a body"), b"ok");
    assert!(matches!(read_whole(answer().await, 1).await, Err(EgressError::TooLarge)));
    assert_eq!(read_beginning(answer().await, 1).await, b"o");
    assert_eq!(read_beginning(answer().await, 9).await, b"ok");
}

#[tokio::test]
async fn what_is_no_address_is_not_asked() {
    let refused = ask(&egress(), get("ftp://127.0.0.1/")).await;
    assert!(matches!(refused, Err(EgressError::Address(_))), "{refused:?}");
}

#[tokio::test]
async fn l02_errors_name_hosts_at_most() {
    let egress = resolving(Leading::to(&[]), &[]);
    for _ in 0..6 {
        let error = ask(&egress, post(GONE)).await.expect_err("nobody is there");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
