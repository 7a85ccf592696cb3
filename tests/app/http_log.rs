//! The access log.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use axum::{
    Extension, Router,
    extract::Path,
    routing::{get as on_get, post},
};
use colloquy::{
    domain::UserId,
    server::{
        http::{Limits, LoggedUser},
        telemetry,
    },
};
use uuid::Uuid;

use crate::http_support::{Server, status};

/// A log writer that keeps everything in memory.
#[derive(Clone, Default)]
pub struct LogBuffer(pub Arc<Mutex<Vec<u8>>>);

impl Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const CANARY: &str = "CaNaRy";

#[tokio::test(flavor = "current_thread")]
async fn l02_and_row_76_a_request_is_one_log_line_without_client_input() {
    let lines = LogBuffer::default();
    let writer = lines.clone();
    let _guard = tracing::subscriber::set_default(telemetry::subscriber(true, "trace", move || writer.clone()));
    let user = UserId::from_uuid(Uuid::from_u128(7));
    let routes = Router::new()
        .route("/chats/{chat}", on_get(async |Path(_): Path<String>| "ok"))
        .route(
            "/act",
            post(async move |Extension(logged): Extension<LoggedUser>, body: String| {
                logged.set(user);
                body
            }),
        )
        .route("/panic", on_get(async || -> &str { panic!("{CANARY}") }));
    let server = Server::start(routes, Limits::default()).await;
    let headers = format!(
        "host: HOST\r\nconnection: close\r\nuser-agent: {CANARY}\u{9b}31m\r\ncookie: id={CANARY}\r\n\
         authorization: Bearer {CANARY}\r\nreferer: http://HOST/{CANARY}\r\nx-forwarded-for: {CANARY}\r\n\
         sec-fetch-site: same-origin\r\n"
    );
    let asked = [
        (200, format!("GET /chats/{CANARY}?q={CANARY} HTTP/1.1\r\n{headers}\r\n")),
        (200, format!("POST /act?q={CANARY} HTTP/1.1\r\n{headers}content-length: 6\r\n\r\n{CANARY}")),
        (404, format!("GET /{CANARY}%0aforged HTTP/1.1\r\n{headers}\r\n")),
        (405, format!("{CANARY} / HTTP/1.1\r\n{headers}\r\n")),
        (500, format!("GET /panic HTTP/1.1\r\n{headers}\r\n")),
        (421, format!("GET / HTTP/1.1\r\nhost: {CANARY}\r\nconnection: close\r\n\r\n")),
        (400, format!("GET / HTTP/1.1\r\n{CANARY}\x01: x\r\n\r\n")),
    ];
    for (expected, request) in &asked {
        let answer = server.send_raw(request).await;
        assert_eq!(status(&answer), *expected, "{answer}");
    }

    let bytes = lines.0.lock().expect("no panic").clone();
    let text = String::from_utf8(bytes).expect("the log is text");
    assert!(!text.contains(CANARY) && !text.contains("forged"), "{text}");
    let events: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("each line is an event")).collect();
    let answered: Vec<_> = events.iter().filter(|event| event["message"] == "answered").collect();
    let seen: Vec<_> = answered
        .iter()
        .map(|event| (event["method"].as_str(), event["route"].as_str(), event["status"].as_u64()))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("GET"), Some("/chats/{chat}"), Some(200)),
            (Some("POST"), Some("/act"), Some(200)),
            (Some("GET"), Some("-"), Some(404)),
            (Some("OTHER"), Some("-"), Some(405)),
            (Some("GET"), Some("/panic"), Some(500)),
            (Some("GET"), Some("-"), Some(421)),
        ]
    );
    for event in &answered {
        assert_eq!(event["span"]["id"].as_str().map(str::len), Some(36), "{event}");
        assert!(event["ms"].is_u64(), "{event}");
    }
    assert_eq!(answered[1]["user"].as_str(), Some(user.to_string().as_str()));
    assert!(answered[0].get("user").is_none());
    let panic = events.iter().find(|event| event["message"] == "the request handler panicked").expect("it is logged");
    assert_eq!(panic["span"]["id"], answered[4]["span"]["id"]);
}
