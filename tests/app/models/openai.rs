//! OpenAI-compatible providers: every kind of answer and failure, over real HTTP.

use std::{sync::Arc, time::Duration};

use colloquy::{
    domain::{Author, Failure},
    server::{
        egress::Egress,
        llm::{
            Delta, FinishReason, Model, Prompt, Usage,
            openai::{Endpoint, Limits, OpenAi},
            remote::Interface,
        },
    },
};
use futures::StreamExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

use super::{CollectedAnswer, collect, prompt, turn};
use crate::support::{
    upstream::{
        Upstream,
        script::{self, MIXED},
    },
    wait::{finish, wait_until},
};

pub(super) const KEY: &str = "sk-secret-key";
/// Longer than any test.
const NEVER: Duration = Duration::from_secs(3_600);
/// The timeout of the model list.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn limits() -> Limits {
    Limits {
        first_byte_timeout: Duration::from_millis(400),
        idle_timeout: Duration::from_millis(400),
        total_timeout: NEVER,
        ..Limits::default()
    }
}

/// Limits under which nothing times out.
pub(super) fn patient() -> Limits {
    Limits { first_byte_timeout: NEVER, idle_timeout: NEVER, ..limits() }
}

pub(super) fn model_at(base_url: &str, name: &str, limits: Limits) -> OpenAi {
    let endpoint = Endpoint::new(Egress::default(), base_url, Some(KEY.to_owned().into()), 8_192, limits);
    OpenAi::new(Arc::new(endpoint), name.to_owned())
}

pub(super) async fn ask(upstream: &Upstream, name: &str, text: &str) -> CollectedAnswer {
    collect(model_at(&upstream.base_url(), name, limits()).answer(prompt(text), CancellationToken::new())).await
}

/// Requests a failing behaviour. Checks the failure, the kept text, and that the log detail contains no secrets.
pub(super) async fn fails(name: &str, failure: Failure, kept: &str) {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, name, "a private question").await;
    assert_eq!(answer.end, Some(Err(failure)), "{name}: {answer:?}");
    assert_eq!(answer.text, kept, "{name}");
    assert!(
        !answer.detail.is_empty() && !answer.detail.contains(KEY) && !answer.detail.contains("private"),
        "{}",
        answer.detail
    );
    wait_until("no connection is kept by the failed answer", async || upstream.answering() == 0).await;
}

#[tokio::test]
async fn an_answer_has_text_usage_and_a_finish_reason() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "paced-20-5", "Hello").await;
    let usage = Some(Usage { prompt: 7, cached: 0, answer: 20 });
    assert_eq!(
        answer,
        CollectedAnswer {
            text: script::text(20),
            usage,
            end: Some(Ok(FinishReason::Stop)),
            ..CollectedAnswer::default()
        }
    );
    let received = upstream.received();
    assert_eq!(received[0].authorization.as_deref(), Some("Bearer sk-secret-key"));
    let expected = [("system", "Be brief."), ("user", "Hello")].map(|(role, text)| (role.to_owned(), text.to_owned()));
    assert_eq!(received[0].messages, expected);
}

#[tokio::test]
async fn nothing_is_requested_before_the_stream_is_polled() {
    let upstream = Upstream::start().await;
    let mut deltas = model_at(&upstream.base_url(), "echo", limits()).answer(prompt("Hello"), CancellationToken::new());
    // Longer than the timeout of the first byte, which starts at the first poll.
    tokio::time::sleep(limits().first_byte_timeout).await;
    assert!(upstream.received().is_empty());
    assert!(matches!(deltas.next().await, Some(Ok(Delta::Text(_)))));
}

#[tokio::test]
async fn c10_text_is_byte_exact() {
    let upstream = Upstream::start().await;
    let text = "né 汉字 👩‍🚀 a\u{301} \u{202E}x\u{2028}y \"\\ </script> \u{1}\u{7F} \r\n\r ﷽ 𝄞 end";
    for name in ["echo", "bytes"] {
        let answer = ask(&upstream, name, text).await;
        assert_eq!((answer.text.as_str(), answer.end), (text, Some(Ok(FinishReason::Stop))), "{name}");
    }
    assert_eq!(ask(&upstream, "mixed", "x").await.text, MIXED);
}

#[tokio::test]
async fn c10_nul_becomes_the_replacement_character() {
    let upstream = Upstream::start().await;
    assert_eq!(ask(&upstream, "echo", "a\0b").await.text, "a\u{FFFD}b");
}

#[tokio::test]
async fn reasoning_is_recognised_in_all_its_formats() {
    let upstream = Upstream::start().await;
    for name in ["reasoning", "reasoning-reasoning"] {
        let answer = ask(&upstream, name, "x").await;
        assert_eq!((answer.reasoning.as_str(), answer.text), ("First I think about it.", script::text(5)), "{name}");
    }
    let answer = ask(&upstream, "think", "x").await;
    assert_eq!((answer.reasoning.as_str(), answer.text), ("First I think about </thin it.", script::text(5)));
}

#[tokio::test]
async fn an_answer_may_end_in_several_ways() {
    let upstream = Upstream::start().await;
    for (name, finish) in [
        ("done", FinishReason::Stop),
        ("last", FinishReason::Stop),
        ("open", FinishReason::Stop),
        ("length", FinishReason::Length),
        ("withheld", FinishReason::Withheld),
    ] {
        let answer = ask(&upstream, name, "x").await;
        assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(finish))), "{name}");
    }
}

#[tokio::test]
async fn usage_counts_are_not_requested_again_after_a_refusal() {
    let upstream = Upstream::start().await;
    let model = model_at(&upstream.base_url(), "plain", limits());
    for requests in [2, 3] {
        let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!((answer.text, answer.usage, answer.end), (script::text(5), None, Some(Ok(FinishReason::Stop))));
        assert_eq!(upstream.received().len(), requests, "the second answer is requested without them");
    }
}

#[tokio::test]
async fn c08_error_statuses_are_classified() {
    for (status, failure) in [
        (401, Failure::Refused),
        (403, Failure::Refused),
        (404, Failure::ModelGone),
        (429, Failure::Busy),
        (400, Failure::Rejected),
        (422, Failure::Rejected),
        (500, Failure::Upstream),
        (502, Failure::Upstream),
        (503, Failure::Busy),
        (529, Failure::Busy),
    ] {
        fails(&format!("status-{status}"), failure, "").await;
    }
}

#[tokio::test]
async fn c08_an_address_where_nothing_listens_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    drop(listener);
    for base_url in [url.as_str(), "http://no-such-host.invalid/v1"] {
        let model = model_at(base_url, "echo", Limits { first_byte_timeout: Duration::from_secs(10), ..limits() });
        let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Err(Failure::Unreachable)), "{answer:?}");
        assert!(!answer.detail.contains("127.0.0.1/v1"), "{}", answer.detail);
    }
}

#[tokio::test]
async fn c08_a_broken_tls_connection_is_unreachable() {
    let upstream = Upstream::start().await;
    // Plain HTTP instead of TLS.
    let model = model_at(&upstream.base_url().replace("http:", "https:"), "echo", limits());
    let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
    assert_eq!(answer.end, Some(Err(Failure::Unreachable)), "{answer:?}");
    assert!(upstream.received().is_empty(), "no fallback to plain HTTP");
}

#[tokio::test]
async fn c08_a_server_that_does_not_speak_http_is_garbled() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let read = stream.read(&mut [0; 1_024]).await.expect("a request");
        assert!(read > 0);
        stream.write_all(b"220 mail.example.org ESMTP\r\n").await.expect("written");
        std::future::pending::<()>().await;
    });
    let answer = collect(model_at(&url, "echo", limits()).answer(prompt("x"), CancellationToken::new())).await;
    assert_eq!(answer.end, Some(Err(Failure::Garbled)), "{answer:?}");
    serving.abort();
}

#[tokio::test]
async fn c08_a_hanging_upstream_times_out() {
    fails("hang", Failure::TimedOut, "").await;
    fails("stall-3", Failure::TimedOut, &script::text(3)).await;
    fails("slow-3600000", Failure::TimedOut, "").await;
}

#[tokio::test]
async fn c08_an_answer_that_never_ends_times_out_as_a_whole() {
    let upstream = Upstream::start().await;
    let limits = Limits { total_timeout: Duration::from_millis(600), ..limits() };
    let model = model_at(&upstream.base_url(), "paced-1000-100", limits);
    let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
    assert_eq!(answer.end, Some(Err(Failure::TimedOut)));
    assert!(!answer.text.is_empty() && script::text(10).starts_with(&answer.text), "{}", answer.text);
}

#[tokio::test]
async fn c08_a_broken_connection_keeps_the_text_so_far() {
    fails("cut-5", Failure::Cut, &script::text(5)).await;
}

#[tokio::test]
async fn row_66_an_end_without_done_is_a_broken_connection() {
    fails("eof-5", Failure::Cut, &script::text(5)).await;
    fails("eof-0", Failure::Cut, "").await;
}

#[tokio::test]
async fn c08_pages_and_objects_instead_of_a_stream_are_classified() {
    fails("html", Failure::WebPage, "").await;
    fails("json", Failure::Upstream, "").await;
}

#[tokio::test]
async fn c08_an_error_inside_the_stream_keeps_the_text_so_far() {
    fails("error-500", Failure::Upstream, &script::text(5)).await;
    fails("error-429", Failure::Busy, &script::text(5)).await;
}

#[tokio::test]
async fn c08_an_empty_answer_is_an_error() {
    fails("empty", Failure::Empty, "").await;
}

#[tokio::test]
async fn row_66_malformed_events_keep_the_text_so_far() {
    fails("garbled-5", Failure::Garbled, &script::text(5)).await;
    fails("binary-5", Failure::Garbled, &script::text(5)).await;
}

#[tokio::test]
async fn row_66_a_line_of_ten_megabytes_is_refused_early() {
    fails("line-10000000", Failure::Garbled, &script::text(5)).await;
    // A longer line shows that the rest is not read: the buffers of the sockets hold less than a quarter of it.
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "line-200000000", "x").await;
    assert_eq!(answer.end, Some(Err(Failure::Garbled)), "{answer:?}");
    wait_until("the connection is closed", async || upstream.answering() == 0).await;
    assert!(upstream.sent_bytes() < 50_000_000, "{} bytes were sent", upstream.sent_bytes());
}

#[tokio::test]
async fn row_66_unexpected_events_are_ignored() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "odd", "x").await;
    assert_eq!((answer.text.as_str(), answer.end), ("one two", Some(Ok(FinishReason::Stop))), "{}", answer.detail);
}

#[tokio::test]
async fn c08_an_endless_answer_ends_at_the_limit() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "flood", "x").await;
    assert_eq!(answer.end, Some(Err(Failure::Overlong)));
    assert_eq!(answer.text.len(), limits().max_answer_bytes);
    wait_until("the flood is cut", async || upstream.answering() == 0).await;
}

#[tokio::test]
async fn redirects_are_not_followed_with_the_api_key() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "redirect", "x").await;
    assert_eq!((answer.end, upstream.redirects_followed()), (Some(Err(Failure::Garbled)), 0));
}

#[tokio::test]
async fn c07_a_stop_closes_the_connection_and_ends_the_stream() {
    let upstream = Upstream::start().await;
    for name in ["hang", "stall-3", "paced-1000-50", "flood"] {
        let stop = CancellationToken::new();
        let mut deltas = model_at(&upstream.base_url(), name, patient()).answer(prompt("x"), stop.clone());
        let reading = tokio::spawn(async move {
            let mut items = Vec::new();
            while let Some(item) = deltas.next().await {
                items.push(item.expect("a stop is no fault"));
            }
            items
        });
        wait_until("the upstream answers", async || {
            let begun = upstream.received().last().is_some_and(|received| received.first_token.is_some());
            upstream.answering() == 1 && (begun || name == "hang")
        })
        .await;
        stop.cancel();
        let items = finish("the end of the stream", reading).await.expect("no panic");
        assert!(!items.iter().any(|item| matches!(item, Delta::End(_))), "{name}: a stopped stream simply ends");
        wait_until("the connection is closed", async || upstream.answering() == 0).await;
    }
}

#[tokio::test]
async fn c07_a_dropped_stream_closes_the_connection() {
    let upstream = Upstream::start().await;
    let model = model_at(&upstream.base_url(), "stall-3", patient());
    let mut deltas = model.answer(prompt("x"), CancellationToken::new());
    assert!(matches!(deltas.next().await, Some(Ok(Delta::Text(_)))));
    drop(deltas);
    wait_until("the connection is closed", async || upstream.answering() == 0).await;
}

#[tokio::test]
async fn long_conversations_drop_their_oldest_turns_and_report_it() {
    let upstream = Upstream::start().await;
    let turns = (0..101).map(|i| {
        turn(if i % 2 == 0 { Author::User } else { Author::Assistant }, &format!("{i} {}", "word ".repeat(100)))
    });
    let prompt = Prompt { system: "Be brief.".to_owned(), turns: turns.collect(), answer_so_far: None };
    let answer =
        collect(model_at(&upstream.base_url(), "done", limits()).answer(prompt, CancellationToken::new())).await;
    assert_eq!(answer.end, Some(Ok(FinishReason::Stop)));
    let truncated_messages = answer.truncated_messages.expect("something is left out") as usize;
    let messages = &upstream.received()[0].messages;
    assert_eq!(messages.len(), 1 + 101 - truncated_messages);
    assert_eq!(messages[0], ("system".to_owned(), "Be brief.".to_owned()));
    assert!(
        messages[1].0 == "user" && messages[1].1.starts_with(&format!("{truncated_messages} ")),
        "{:?}",
        messages[1]
    );
    assert!(messages.last().is_some_and(|(_, text)| text.starts_with("100 ")));
}

#[tokio::test]
async fn a_message_over_the_context_is_not_sent() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "echo", &"word ".repeat(10_000)).await;
    assert_eq!((answer.end, upstream.received().len()), (Some(Err(Failure::TooLong)), 0));
}

#[tokio::test]
async fn an_answer_is_continued_with_its_text_so_far() {
    let upstream = Upstream::start().await;
    let prompt = Prompt { answer_so_far: Some("The quick brown".to_owned()), ..prompt("Tell me of the fox") };
    let answer =
        collect(model_at(&upstream.base_url(), "done", limits()).answer(prompt, CancellationToken::new())).await;
    assert_eq!(answer.end, Some(Ok(FinishReason::Stop)));
    let messages = &upstream.received()[0].messages;
    let roles: Vec<&str> = messages.iter().map(|(role, _)| role.as_str()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user"]);
    assert_eq!(messages[2].1, "The quick brown");
    assert!(messages[3].1.contains("exactly where it ended"));
}

#[tokio::test]
async fn concurrent_streams_all_complete() {
    let upstream = Upstream::start().await;
    let model = Arc::new(model_at(&upstream.base_url(), "fast-500", patient()));
    let answers = (0..100).map(|_| {
        let model = Arc::clone(&model);
        tokio::spawn(async move { collect(model.answer(prompt("x"), CancellationToken::new())).await })
    });
    let expected = script::text(500).len();
    for answer in futures::future::join_all(answers).await {
        let answer = answer.expect("no panic");
        assert_eq!((answer.text.len(), answer.end), (expected, Some(Ok(FinishReason::Stop))));
    }
}

#[tokio::test]
async fn the_providers_models_are_listed() {
    let upstream = Upstream::start().await;
    upstream.set_models(&["b", "a"]);
    let endpoint = Endpoint::new(Egress::default(), &format!("{}/", upstream.base_url()), None, 8_192, limits());
    let listed = endpoint.list_models(PATIENCE).await.expect("a list");
    assert_eq!(listed.problems(), "");
    assert_eq!(listed.names, ["b", "a"]);
}
