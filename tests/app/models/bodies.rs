//! The response bodies of various servers, for answers and model lists, regardless of their Content-Type.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use colloquy::{
    domain::Failure,
    server::{
        egress::Egress,
        llm::{
            FinishReason, Model,
            openai::{Endpoint, Limits, OpenAi},
            remote::Interface,
        },
    },
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

use super::{CollectedAnswer, collect, openai::PATIENCE, prompt};

/// Starts a server that answers every request with this status and body. Returns its base URL.
pub async fn serve(status: &str, label: Option<&str>, body: &str) -> String {
    serve_counted(status, label, body).await.0
}

/// The same, also returning the number of requests.
pub async fn serve_counted(status: &str, label: Option<&str>, body: &str) -> (String, Arc<AtomicUsize>) {
    let count = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&count);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let label = label.map(|label| format!("content-type: {label}\r\n")).unwrap_or_default();
    let answer = format!("HTTP/1.1 {status}\r\n{label}connection: close\r\n\r\n{body}");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, counted) = (answer.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                let (mut line, mut length) = (String::new(), 0);
                while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
                    if let Some(number) = line.to_lowercase().strip_prefix("content-length:") {
                        length = number.trim().parse().expect("a length");
                    }
                    line.clear();
                }
                stream.read_exact(&mut vec![0; length]).await.expect("a body");
                counted.fetch_add(1, Ordering::SeqCst);
                // The client may have closed the connection early.
                let _ = stream.get_mut().write_all(answer.as_bytes()).await;
            });
        }
    });
    (url, count)
}

fn endpoint(url: &str) -> Endpoint {
    let limits = Limits {
        first_byte_timeout: Duration::from_secs(20),
        idle_timeout: Duration::from_secs(20),
        ..Limits::default()
    };
    Endpoint::new(Egress::default(), url, None, 8_192, limits)
}

async fn ask(status: &str, label: Option<&str>, body: &str) -> CollectedAnswer {
    let url = serve(status, label, body).await;
    let model = OpenAi::new(Arc::new(endpoint(&url)), "any".to_owned());
    collect(model.answer(prompt("x"), CancellationToken::new())).await
}

const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";
const WHOLE: &str = r#"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"one two","reasoning_content":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2}}"#;
const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"one \"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"two\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

#[tokio::test]
async fn the_content_type_does_not_decide_the_format_of_an_answer() {
    let lines = STREAM.replace("data: ", "").replace("\n\n", "\n");
    let pretty = WHOLE.replace(",", ",\n  ");
    let list = format!("[{}]", lines.replace("[DONE]", "").trim().replace('\n', ",\n"));
    for body in [
        STREAM,
        WHOLE,
        &pretty,
        &lines,
        &list,
        &format!("\u{FEFF}{STREAM}"),
        &format!("\u{FEFF}{WHOLE}"),
        &STREAM.replace('\n', "\r\n"),
        &lines.replace('\n', "\r\n"),
        &STREAM.replace("\n\n", "\n"),
        &STREAM.replace("data: ", "data:"),
        &format!("data: {WHOLE}\n\n"),
        &format!(": wait\n\n\n\n{STREAM}"),
        STREAM.trim_end(),
        STREAM.trim_end().trim_end_matches("data: [DONE]").trim_end(),
    ] {
        for label in [None, Some(EVENTS), Some(JSON), Some("text/plain"), Some("application/x-ndjson; charset=utf-8")] {
            let answer = ask("200 OK", label, body).await;
            let expected = ("one two", Some(Ok(FinishReason::Stop)));
            assert_eq!((answer.text.as_str(), answer.end), expected, "{label:?}: {body} ({})", answer.detail);
        }
    }
}

#[tokio::test]
async fn invalid_bodies_are_reported_with_their_content_type() {
    for (label, body, failure) in [
        ("text/html; charset=utf-8", "<!doctype html><h1>Welcome</h1>", Failure::WebPage),
        (EVENTS, "\n <html></html>", Failure::WebPage),
        ("text/plain", "no healthy upstream", Failure::PlainText),
        (EVENTS, "upstream connect error\n", Failure::PlainText),
        (JSON, r#"{"status":"ok"}"#, Failure::UnknownJson),
        (JSON, "{}", Failure::UnknownJson),
        (EVENTS, "data: nonsense\n\n", Failure::Garbled),
        ("image/png", "\u{1}\u{2}", Failure::PlainText),
    ] {
        let answer = ask("200 OK", Some(label), body).await;
        assert_eq!(answer.end, Some(Err(failure)), "{body}: {}", answer.detail);
        assert!(answer.detail.contains(&format!("Content-Type: {label}")), "{body}: {}", answer.detail);
    }
}

#[tokio::test]
async fn errors_instead_of_an_answer_are_classified() {
    for (body, failure, name) in [
        (r#"{"code":429,"message":"slow down"}"#, Failure::Busy, "code 429"),
        (r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}}]"#, Failure::Busy, "RESOURCE_EXHAUSTED"),
        (r#"{"error":{"type":"overloaded_error","message":"x"}}"#, Failure::Busy, "overloaded_error"),
        (r#"{"error":"the model is overloaded"}"#, Failure::Busy, "error"),
        (r#"{"detail":"Not authenticated"}"#, Failure::Refused, "error"),
        (
            r#"{"object":"error","message":"x","type":"BadRequestError","code":400}"#,
            Failure::Rejected,
            "BadRequestError",
        ),
        (r#"{"code":"500","message":"x"}"#, Failure::Upstream, "code 500"),
        (r#"{"error":{"type":"exceed_context_size_error","code":400}}"#, Failure::OverContext, "exceed_context"),
    ] {
        for (label, body) in [(JSON, body.to_owned()), (EVENTS, body.to_owned()), (EVENTS, format!("data: {body}\n\n"))]
        {
            let answer = ask("200 OK", Some(label), &body).await;
            assert_eq!((answer.end, answer.text.as_str()), (Some(Err(failure)), ""), "{body}: {}", answer.detail);
            assert!(answer.detail.contains(name), "{body}: {}", answer.detail);
            let begun = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"one \"}}}}]}}\n\n{body}\n");
            let answer = ask("200 OK", Some(label), &begun).await;
            assert_eq!((answer.end, answer.text.as_str()), (Some(Err(failure)), "one "), "in mid-stream: {body}");
        }
    }
    let named = "event: error\ndata: it went wrong\n\n";
    assert_eq!(ask("200 OK", Some(EVENTS), named).await.end, Some(Err(Failure::Upstream)));
}

#[tokio::test]
async fn a_truncated_answer_is_not_complete() {
    for body in [
        "",
        "{\"choices\":[{\"message\":{\"content\":\"one",
        "data: {\"choices\":[{\"delta\":{\"content\":\"one \"}}]}\n\ndata: {\"choi",
        "{\"choices\":[{\"delta\":{\"content\":\"one \"}}]}\n",
    ] {
        for label in [EVENTS, JSON] {
            let answer = ask("200 OK", Some(label), body).await;
            assert_eq!(answer.end, Some(Err(Failure::Cut)), "{body:?}: {}", answer.detail);
        }
    }
}

#[tokio::test]
async fn a_text_that_quotes_the_reasoning_tag_is_unchanged() {
    for text in ["Write `</think>` at the end.", "```\n<think>\n</think>\n```\nSo."] {
        let chunk = serde_json::json!({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]});
        let answer = ask("200 OK", Some(EVENTS), &format!("data: {chunk}\n\ndata: [DONE]\n\n")).await;
        assert_eq!((answer.text.as_str(), answer.reasoning.as_str()), (text, ""));
    }
}

#[tokio::test]
async fn model_lists_are_accepted_in_every_format() {
    for (body, problems) in [
        (r#"{"data":[{"id":"a"},{"id":"b"}]}"#, ""),
        (r#"[{"id":"a"},{"id":"b"}]"#, ""),
        (r#"{"models":[{"name":"a"},{"name":"b"}]}"#, ""),
        (
            r#"{"data":[{"id":"a"},{},{"id":"b"},{"id":"a"}]}"#,
            "entries without a usable name: 1, entries that came before: 1",
        ),
    ] {
        let listed = endpoint(&serve("200 OK", Some(JSON), body).await).list_models(PATIENCE).await.expect("a list");
        assert_eq!(listed.names, ["a", "b"], "{body}");
        assert_eq!(listed.problems(), problems, "{body}");
    }
    let missing =
        endpoint(&serve("404 Not Found", Some("text/plain"), "404 page not found").await).list_models(PATIENCE).await;
    assert!(missing.is_err_and(|fault| fault.detail.contains("404")));
}
