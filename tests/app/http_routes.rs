//! The server's own routes: server functions over HTTP, health checks, unknown paths.

use axum::{Router, body::Body};

use crate::{
    http_support::{Answer, full_server, get, request, send},
    support::app::{Backend, TestApp},
};

async fn call(server: &Router, function: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let asked = request("POST", &format!("/api/{function}")).header("content-type", kind).body(body.into());
    send(server, asked.expect("a request")).await
}

#[tokio::test]
async fn health_checks_report_readiness() {
    for (ready, status, text) in [(true, 200, "ok"), (false, 503, "not ready: a test")] {
        let (server, _data) = full_server("/nowhere", ready).await;
        let answer = get(&server, "/health/ready").await;
        assert_eq!((answer.status.as_u16(), answer.text()), (status, text));
        let live = axum::http::Request::builder().uri("/health/live").header("host", "10.1.2.3:3000");
        let answer = send(&server, live.body(Body::empty()).expect("a request")).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, "ok"));
    }
}

#[tokio::test]
async fn not_found_is_a_page_for_browsers_and_json_for_programs() {
    let (server, _data) = full_server("/nowhere", true).await;
    for path in ["/nothing", "/api/nothing", "/pkg/nothing.js", "/nothing.png", "/api"] {
        let answer = get(&server, path).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (404, "not_found"), "{path}");
        let asked = request("GET", path).header("accept", "text/html,*/*").body(Body::empty()).expect("a request");
        let answer = send(&server, asked).await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.header("content-type").starts_with("text/html"), "{path}");
    }
    let unknown = call(&server, "no_such_function", "application/json", "{}").await;
    assert_eq!((unknown.status.as_u16(), unknown.error().as_str()), (404, "not_found"));
}

#[tokio::test]
async fn a_page_redirects_every_client() {
    let (server, _data) = full_server("/nowhere", true).await;
    for accept in ["text/html", "*/*"] {
        let asked = request("GET", "/?elsewhere").header("accept", accept).body(Body::empty()).expect("a request");
        let answer = send(&server, asked).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, "/elsewhere"), "{accept}");
        assert!(!answer.headers.contains_key("serverfnredirect"));
    }
}

#[tokio::test]
async fn row_36_and_37_server_functions_accept_only_forms_and_json() {
    let (server, _data) = full_server("/nowhere", true).await;
    let long = format!("multipart/form-data; boundary={}", "b".repeat(8_000));
    for kind in [
        "text/plain",
        "",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        &long,
        "application/jsonx",
        "application/cbor",
        "application/octet-stream",
        "*/*",
        "application/json, text/plain",
    ] {
        let answer = call(&server, "rate_password", kind, "{\"password\":\"x\"}").await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (415, "invalid"), "{kind}");
    }
    let without = request("POST", "/api/rate_password").body(Body::from("{}")).expect("a request");
    assert_eq!(send(&server, without).await.status, 415);
    let by_get = get(&server, "/api/rate_password?password=x").await;
    assert_eq!((by_get.status.as_u16(), by_get.error().as_str()), (405, "invalid"));
}

#[tokio::test]
async fn row_01_to_05_malformed_bodies_are_client_errors() {
    let (server, _data) = full_server("/nowhere", true).await;
    let good = r#"{"email":"a@example.org","name":"A","password":"x""#;
    let deep = format!("{good},\"x\":{}1{}}}", "[".repeat(1_000), "]".repeat(1_000));
    let bodies: [Vec<u8>; 12] = [
        b"".into(),
        b"null".into(),
        b"[]".into(),
        b"\"x\"".into(),
        b"{}".into(),
        b"{\"password\":1}".into(),
        format!("{good},\"password\":\"y\"}}").into(),
        format!("{good}}} x").into(),
        good.into(),
        deep.into(),
        br#"{"email":"\ud800","name":"A","password":"x"}"#.into(),
        br#"{"email":1e400,"name":"A","password":"x"}"#.into(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        let answer = call(&server, "rate_password", "application/json", body).await;
        assert_eq!((answer.status.as_u16(), answer.error().as_str()), (422, "invalid"), "{shown}");
        assert!(answer.text().contains("malformed_request"), "{}", answer.text());
        assert!(answer.header("content-type").starts_with("application/json"));
    }
    let not_text = [good.as_bytes(), b",\"x\":\"\xff\"}"].concat();
    let answer = call(&server, "rate_password", "application/json", not_text).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "invalid"));
    let answer = call(&server, "sign_in", "application/x-www-form-urlencoded", "email=%ff&password=b").await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (400, "invalid"));
    for form in ["", "email=a", "email=a&email=b&name=c&password=d"] {
        let answer = call(&server, "sign_in", "application/x-www-form-urlencoded", form).await;
        assert_eq!(answer.status, 422, "{form}");
    }
}

#[tokio::test]
async fn row_10_bodies_over_the_limit_are_refused_whole_or_streamed() {
    let (server, _data) = full_server("/nowhere", true).await;
    let large = vec![b'x'; 1_000_001];
    let whole_body = call(&server, "rate_password", "application/json", large.clone()).await;
    assert_eq!(whole_body.status, 413);
    let parts = large.chunks(10_000).map(|part| Ok::<_, std::io::Error>(part.to_vec())).collect::<Vec<_>>();
    let streamed = Body::from_stream(futures::stream::iter(parts));
    let answer = call(&server, "rate_password", "application/json", streamed).await;
    assert_eq!((answer.status.as_u16(), answer.error().as_str()), (413, "invalid"));
    let broken = Body::from_stream(futures::stream::iter([Ok("{"), Err(std::io::Error::other("gone"))]));
    assert_eq!(call(&server, "rate_password", "application/json", broken).await.status, 400);
}

#[tokio::test]
async fn h09_a_plain_form_redirects_only_to_this_site() {
    let (server, _data) = full_server("/nowhere", true).await;
    for (referer, path) in [
        ("http://localhost:3000/sign-in?next=%2F", "/sign-in?next=%2F&"),
        ("https://evil.test/sign-in", "/?"),
        ("http://localhost:3000//evil.test", "/?"),
        ("http://localhost:3000@evil.test/", "/?"),
        ("//evil.test", "/?"),
    ] {
        let asked = request("POST", "/api/sign_in")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "text/html")
            .header("referer", referer)
            .body(Body::from("email=a"));
        let answer = send(&server, asked.expect("a request")).await;
        let location = answer.header("location");
        assert_eq!(answer.status, 302, "{referer}");
        assert!(
            location.starts_with(&format!("{path}__path=")) && location.contains("__err="),
            "{referer}: {location}"
        );
    }
}

/// The framework renders some pages twice, and may cancel one rendering in the middle.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pages_render_completely_under_load() {
    let app = TestApp::start(Backend::Sqlite).await;
    let ada = app.administrator().await;
    for path in ["/sign-in", "/", "/sessions", "/settings"] {
        let pages = (0..200).map(|_| {
            let mut client = if path == "/sign-in" { app.anonymous() } else { ada.clone() };
            async move { client.get(path).await }
        });
        for page in futures::future::join_all(pages).await {
            assert_eq!(page.status, 200, "{path}");
            assert!(!page.text().contains("went wrong"), "{path}: {}", page.text());
            assert!(!page.text().contains("request_id"), "{path}: what the browser is given is no error");
        }
    }
}
