//! Requests that are refused before a handler runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Extension, Router,
    body::Body,
    http::{HeaderValue, Request},
    routing::{get as on_get, post},
};
use colloquy::server::{
    audit::ClientAddress,
    config::{Config, PublicUrl},
    http::ConnectionAddrs,
};

use crate::http_support::{get, layered, layered_with_config, request, send};

/// A route that counts how often it runs.
fn counting() -> (Router, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let run = async move || {
        count.fetch_add(1, Ordering::SeqCst);
        "done"
    };
    (Router::new().route("/act", post(run.clone()).get(run)), ran)
}

#[tokio::test]
async fn h01_only_same_origin_requests_can_change_something() {
    let own = "http://localhost:3000";
    // Sec-Fetch-Site, Origin, and whether the request is accepted.
    let cases = [
        (Some("same-origin"), None, true),
        (Some("same-origin"), Some(own), true),
        (None, Some(own), true),
        (Some("none"), Some(own), true),
        (None, None, false),
        (Some("none"), None, false),
        (Some("cross-site"), None, false),
        (Some("cross-site"), Some(own), false),
        (Some("same-site"), None, false),
        (Some("same-site"), Some(own), false),
        (Some("SAME-ORIGIN"), None, false),
        (Some(""), Some(own), false),
        (Some("same-origin"), Some("https://evil.test"), false),
        (Some("same-origin"), Some("null"), false),
        (None, Some("null"), false),
        (None, Some(""), false),
        (None, Some("https://evil.test"), false),
        (None, Some("https://localhost:3000"), false),
        (None, Some("http://localhost:3001"), false),
        (None, Some("http://localhost:3000.evil.test"), false),
        (None, Some("http://127.0.0.1:3000"), false),
    ];
    let kinds =
        ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "application/json"];
    let (routes, ran) = counting();
    let router = layered(routes);
    let mut passed = 0;
    for (site, origin, passes) in cases {
        for kind in kinds {
            let mut asked = Request::builder().method("POST").uri("/act").header("host", "localhost:3000");
            asked = asked.header("content-type", kind);
            asked = site.into_iter().fold(asked, |asked, site| asked.header("sec-fetch-site", site));
            asked = origin.into_iter().fold(asked, |asked, origin| asked.header("origin", origin));
            let answer = send(&router, asked.body(Body::from("a=b")).expect("a request")).await;
            assert_eq!(answer.status, if passes { 200 } else { 403 }, "{site:?} {origin:?} {kind}");
            if !passes {
                assert_eq!(answer.error(), "forbidden");
            }
            passed += usize::from(passes);
        }
    }
    let twice = request("POST", "/act").header("sec-fetch-site", "same-origin").body(Body::empty()).expect("a request");
    assert_eq!(send(&router, twice).await.status, 403);
    assert_eq!(ran.load(Ordering::SeqCst), passed);
}

#[tokio::test]
async fn h01_behind_https_the_origin_is_the_configured_one() {
    let (routes, _) = counting();
    let url = Some(PublicUrl { https: true, host: "chat.example.org".into() });
    let router = layered_with_config(routes, Config { url, ..Config::default() });
    for (origin, status) in [("https://chat.example.org", 200), ("http://chat.example.org", 403)] {
        let asked = Request::builder().method("POST").uri("/act").header("host", "chat.example.org");
        let asked = asked.header("origin", origin).body(Body::empty()).expect("a request");
        assert_eq!(send(&router, asked).await.status, status, "{origin}");
    }
}

#[tokio::test]
async fn row_29_unknown_hosts_are_refused() {
    let (routes, ran) = counting();
    let router = layered(routes);
    let cases: [(&str, &[&str], u16); 9] = [
        ("/act", &["localhost:3000"], 200),
        ("http://localhost:3000/act", &["localhost:3000"], 200),
        ("/act", &[], 400),
        ("/act", &[""], 400),
        ("/act", &["localhost:3000", "localhost:3000"], 400),
        ("/act", &["localhost:3000", "evil.test"], 400),
        ("/act", &["evil.test"], 421),
        ("/act", &["localhost:80"], 421),
        ("http://evil.test/act", &["localhost:3000"], 400),
    ];
    for (uri, hosts, status) in cases {
        let asked = hosts.iter().fold(Request::builder().uri(uri), |asked, host| asked.header("host", *host));
        let asked = asked.header("x-forwarded-host", "localhost:3000").body(Body::empty()).expect("a request");
        assert_eq!(send(&router, asked).await.status, status, "{uri} {hosts:?}");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn row_30_the_client_address_is_the_peers_unless_a_trusted_proxy_forwards() {
    let show_address = async |Extension(ClientAddress(address)): Extension<ClientAddress>| address.to_string();
    let config = Config { trusted_proxies: vec!["10.0.0.1".parse().expect("an address")], ..Config::default() };
    let router = layered_with_config(Router::new().route("/", on_get(show_address)), config);
    for (peer, forwarded, client) in [
        ("198.51.100.7:1", "203.0.113.9", "198.51.100.7"),
        ("10.0.0.1:1", "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1:1", "fe80::1%eth0", "10.0.0.1"),
    ] {
        let mut asked =
            request("GET", "/").header("x-forwarded-for", forwarded).body(Body::empty()).expect("a request");
        let local = "127.0.0.1:3000".parse().expect("an address");
        asked.extensions_mut().insert(ConnectionAddrs { peer: peer.parse().expect("an address"), local });
        assert_eq!(send(&router, asked).await.text(), client, "{peer} {forwarded}");
    }
}

#[tokio::test]
async fn row_34_other_methods_are_refused() {
    let (routes, ran) = counting();
    let router = layered(routes);
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "FOO", "get"] {
        let asked =
            request(method, "/act").header("sec-fetch-site", "same-origin").header("origin", "http://localhost:3000");
        let answer = send(&router, asked.body(Body::empty()).expect("a request")).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, HEAD, POST"), "{method}");
        assert!(answer.headers.get("access-control-allow-methods").is_none());
    }
    assert_eq!(ran.load(Ordering::SeqCst), 0);
    let only_post = layered(Router::new().route("/act", post(async || "done")));
    let pretends = request("GET", "/act?_method=POST").header("x-http-method-override", "POST");
    assert_eq!(send(&only_post, pretends.body(Body::empty()).expect("a request")).await.status, 405);
}

#[tokio::test]
async fn row_35_other_spellings_of_a_path_do_not_reach_its_route() {
    let (routes, ran) = counting();
    let router = layered(routes);
    for path in
        ["//act", "/./act", "/x/../act", "/%2e%2e/act", "/ACT", "/act/", "/act;x", "/act%2f", "/%61ct%00", "/act%20"]
    {
        let status = get(&router, path).await.status.as_u16();
        assert!(matches!(status, 400 | 404), "{path}: {status}");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn row_04_a_path_that_is_not_utf_8_is_refused() {
    let (routes, _) = counting();
    let router = layered(routes);
    for path in ["/%ff", "/chats/%C3%28", "/%ed%a0%80", "/a%00"] {
        assert_eq!(get(&router, path).await.status, 400, "{path}");
    }
    assert_eq!(get(&router, "/%C3%A9").await.status, 404);
    let mut odd = request("GET", "/act").body(Body::empty()).expect("a request");
    odd.headers_mut().insert("user-agent", HeaderValue::from_bytes(b"\xff\xfe").expect("a header"));
    assert_eq!(send(&router, odd).await.status, 200);
}

#[tokio::test]
async fn row_38_compressed_bodies_are_refused() {
    let (routes, ran) = counting();
    let router = layered(routes);
    for encoding in ["gzip", "br", "deflate", "gzip, identity", ""] {
        let asked =
            request("POST", "/act").header("content-encoding", encoding).body(Body::from("x")).expect("a request");
        assert_eq!(send(&router, asked).await.status, 415, "{encoding}");
    }
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn row_33_long_urls_are_refused() {
    let router = layered(Router::new().route("/{x}", on_get(async || "ok")));
    assert_eq!(get(&router, &format!("/{}", "a".repeat(8_191))).await.status, 200);
    assert_eq!(get(&router, &format!("/{}", "a".repeat(8_192))).await.status, 414);
    assert_eq!(get(&router, &format!("/a?{}", "q".repeat(8_192))).await.status, 414);
}
