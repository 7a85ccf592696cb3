//! The middleware layers around all routes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::Request, routing::get as on_get};
use colloquy::server::{
    config::{Config, PublicUrl},
    telemetry::RequestId,
};
use tokio::sync::Semaphore;

use crate::{
    http_support::{Answer, full_server, get, layered, layered_with_config, request, send},
    support::wait::wait_until,
};

/// Headers of every response.
const SECURITY_HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

fn routes() -> Router {
    Router::new()
        .route("/ok", on_get(async || "ok").post(async |body: String| body))
        .route(
            "/id",
            on_get(async |request: Request| request.extensions().get::<RequestId>().expect("an id").to_string()),
        )
        .route("/panic", on_get(async || -> &str { panic!("the word is {}", "kakapo") }))
        .route("/slow", on_get(async || tokio::time::sleep(Duration::from_secs(60)).await))
}

fn check_headers(answer: &Answer, what: &str) {
    for (name, value) in SECURITY_HEADERS {
        assert_eq!(answer.header(name), value, "{name} of {what}");
        assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{name} of {what}");
    }
    let is_page = answer.header("content-type").starts_with("text/html");
    assert_eq!(answer.header("permissions-policy").contains("camera=()"), is_page, "{what}");
    assert_eq!(answer.header("x-request-id").len(), 36, "{what}");
    let policy = answer.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{what}: {policy}");
    assert!(!answer.header("cache-control").is_empty(), "{what}");
    assert!(answer.headers.get("access-control-allow-origin").is_none(), "{what}");
    assert!(answer.headers.get("server").is_none(), "{what}");
}

#[tokio::test]
async fn h05_every_response_has_the_security_headers() {
    let router = layered(routes());
    let asked = [
        (200, request("GET", "/ok").body(Body::empty())),
        (404, request("GET", "/nothing").body(Body::empty())),
        (405, request("DELETE", "/ok").body(Body::empty())),
        (405, request("POST", "/id").body(Body::empty())),
        (400, Request::builder().uri("/ok").body(Body::empty())),
        (421, Request::builder().uri("/ok").header("host", "evil.test").body(Body::empty())),
        (403, request("POST", "/ok").header("origin", "https://evil.test").body(Body::empty())),
        (413, request("POST", "/ok").header("content-length", "1000001").body(Body::empty())),
        (414, request("GET", &format!("/{}", "a".repeat(9_000))).body(Body::empty())),
        (415, request("POST", "/ok").header("content-encoding", "gzip").body(Body::empty())),
        (500, request("GET", "/panic").body(Body::empty())),
        (503, request("GET", "/slow").body(Body::empty())),
    ];
    for (status, request) in asked {
        let answer = send(&router, request.expect("a request")).await;
        assert_eq!(answer.status, status);
        check_headers(&answer, &status.to_string());
        assert_eq!(answer.header("cache-control"), "no-store", "{status}");
        assert_eq!(answer.headers.contains_key("retry-after"), status == 503, "{status}");
    }
    let (server, _data) = full_server("/nowhere", false).await;
    for (status, path) in [(200, "/"), (200, "/health/live"), (503, "/health/ready"), (404, "/nothing")] {
        let answer = get(&server, path).await;
        assert_eq!(answer.status, status, "{path}");
        check_headers(&answer, path);
    }
}

#[tokio::test]
async fn h05_only_https_installations_send_strict_transport_security() {
    let url = |https| Some(PublicUrl { https, host: "localhost:3000".into() });
    for (url, insists) in [(None, false), (url(false), false), (url(true), true)] {
        let router = layered_with_config(routes(), Config { url, ..Config::default() });
        for path in ["/ok", "/nothing", "/panic"] {
            assert_eq!(get(&router, path).await.headers.contains_key("strict-transport-security"), insists, "{path}");
        }
        // Row 31: a forwarded scheme from an untrusted peer has no effect.
        let forwarded = request("GET", "/ok").header("x-forwarded-proto", if insists { "http" } else { "https" });
        let answer = send(&router, forwarded.body(Body::empty()).expect("a request")).await;
        assert_eq!((answer.status.as_u16(), answer.headers.contains_key("strict-transport-security")), (200, insists));
    }
}

#[tokio::test]
async fn h04_a_page_has_a_policy_with_the_nonce_of_its_scripts() {
    let (server, _data) = full_server("/nowhere", true).await;
    let mut nonces = Vec::new();
    for path in ["/", "/", "/nothing"] {
        let browser = request("GET", path).header("accept", "text/html").body(Body::empty()).expect("a request");
        let answer = send(&server, browser).await;
        assert_eq!(answer.status, if path == "/" { 200 } else { 404 });
        let policy = answer.header("content-security-policy");
        let nonce = policy.split_once("'nonce-").and_then(|(_, rest)| rest.split_once('\'')).expect("a nonce").0;
        assert!(answer.text().contains(&format!("nonce=\"{nonce}\"")), "{policy}\n{}", answer.text());
        assert!(
            policy.contains(&format!("script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval';")),
            "{policy}"
        );
        for part in
            ["default-src 'none'", "base-uri 'none'", "style-src 'self';", "connect-src 'self';", "form-action 'self'"]
        {
            assert!(policy.contains(part), "{part}: {policy}");
        }
        check_headers(&answer, path);
        nonces.push(nonce.to_owned());
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 3, "each answer has its own");
}

#[tokio::test]
async fn l05_a_panic_costs_one_request() {
    let router = layered(routes());
    let answer = get(&router, "/panic").await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (500, "internal"));
    // The page shows the same request id as the header and the log.
    assert!(answer.text().contains(answer.header("x-request-id")), "{}", answer.text());
    assert!(!answer.text().contains("kakapo"));
    assert_eq!(get(&router, "/ok").await.status, 200);
}

#[tokio::test]
async fn h08_errors_reveal_nothing_internal() {
    let router = layered(routes());
    for path in ["/panic", "/slow", "/nothing", "/%ff"] {
        for accept in ["application/json", "text/html"] {
            let asked = request("GET", path).header("accept", accept).body(Body::empty()).expect("a request");
            let answer = send(&router, asked).await;
            for inside in ["kakapo", "panic", "src/", ".rs", "axum", "hyper", "colloquy/"] {
                assert!(!answer.text().contains(inside), "{inside} in {}", answer.text());
            }
            assert!(answer.headers.values().all(|value| !value.to_str().unwrap_or_default().contains("axum")));
        }
    }
}

#[tokio::test]
async fn browsers_get_errors_as_a_page() {
    let asked = request("GET", "/panic").header("accept", "text/html").body(Body::empty()).expect("a request");
    let answer = send(&layered(routes()), asked).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (500, "text/html; charset=utf-8"));
    assert!(answer.text().contains("<h1>") && answer.text().contains(answer.header("x-request-id")));
}

#[tokio::test]
async fn row_26_client_claims_in_headers_have_no_effect() {
    let claimed = "01900000-0000-7000-8000-000000000000";
    let router = layered(routes());
    let asked = request("GET", "/id?bypass_filter=true")
        .header("x-request-id", claimed)
        .header("x-request-from", "internal")
        .header("x-user-id", claimed)
        .body(Body::empty());
    let answer = send(&router, asked.expect("a request")).await;
    assert_eq!(answer.text(), answer.header("x-request-id"));
    assert_ne!(answer.text(), claimed);
    assert_ne!(get(&router, "/id").await.text(), answer.text());
}

#[tokio::test]
async fn c03_work_continues_after_the_timeout_or_a_disconnect() {
    let (begun, finished) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counts, gate) = ((begun.clone(), finished.clone()), Arc::new(Semaphore::new(0)));
    let held = gate.clone();
    let work = async move || {
        counts.0.fetch_add(1, Ordering::SeqCst);
        held.acquire().await.expect("the gate is never closed").forget();
        counts.1.fetch_add(1, Ordering::SeqCst);
    };
    let router = layered(Router::new().route("/work", on_get(work)));
    assert_eq!(get(&router, "/work").await.status, 503);
    tokio::select! {
        biased;
        answer = get(&router, "/work") => panic!("an answer before the work is done: {answer:?}"),
        () = wait_until("the work begins", async || begun.load(Ordering::SeqCst) == 2) => {}
    }
    assert_eq!(finished.load(Ordering::SeqCst), 0);
    gate.add_permits(2);
    wait_until("all work is done", async || finished.load(Ordering::SeqCst) == 2).await;
}

#[tokio::test]
async fn pages_and_data_are_compressed_but_streams_and_small_responses_are_not() {
    let long = "word ".repeat(1_000);
    let of = |kind: &'static str, text: String| on_get(async move || ([("content-type", kind)], text));
    let routes = Router::new()
        .route("/page", of("text/html; charset=utf-8", long.clone()))
        .route("/data", of("application/json", long.clone()))
        .route("/stream", of("text/event-stream", long.clone()))
        .route("/file", of("application/wasm", long))
        .route("/small", of("text/html", "word".into()));
    let router = layered(routes);
    for (path, encoding) in [("/page", "gzip"), ("/data", "gzip"), ("/stream", ""), ("/file", ""), ("/small", "")] {
        let asked = request("GET", path).header("accept-encoding", "gzip, br").body(Body::empty()).expect("a request");
        let answer = send(&router, asked).await;
        assert_eq!(answer.header("content-encoding"), encoding, "{path}");
        assert_eq!(answer.header("vary") == "accept-encoding", encoding == "gzip", "{path}");
        assert_eq!(get(&router, path).await.header("content-encoding"), "", "{path}");
    }
}
