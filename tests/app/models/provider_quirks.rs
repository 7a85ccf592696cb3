//! Providers that deviate from the OpenAI API.

use std::{sync::Arc, time::Duration};

use colloquy::{
    domain::Failure,
    server::{
        egress::Egress,
        llm::{
            FinishReason, Model, Usage,
            openai::{Endpoint, Limits, OpenAi},
        },
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    collect,
    openai::{ask, fails, limits, model_at},
    prompt,
};
use crate::support::upstream::{Upstream, script};

#[tokio::test]
async fn text_before_a_lone_closing_tag_is_reasoning() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "lone", "x").await;
    assert_eq!(answer.reasoning, "First I think about `</think>`, then stop.\n");
    assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(FinishReason::Stop))));
}

#[tokio::test]
async fn a_whole_answer_instead_of_a_stream_is_accepted() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "whole", "x").await;
    assert_eq!(
        (answer.text, answer.end, answer.usage),
        (script::text(5), Some(Ok(FinishReason::Stop)), Some(Usage { prompt: 7, cached: 0, answer: 5 }))
    );
}

#[tokio::test]
async fn null_usage_counts_are_accepted() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "counts", "x").await;
    assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(FinishReason::Stop))), "{}", answer.detail);
}

#[tokio::test]
async fn a_finish_reason_in_every_chunk_does_not_end_the_answer() {
    let upstream = Upstream::start().await;
    let limits = Limits { idle_timeout: Duration::from_secs(20), ..limits() };
    let model = model_at(&upstream.base_url(), "each-1000", limits);
    let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
    assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(FinishReason::Stop))));
}

#[tokio::test]
async fn a_model_without_the_system_role_is_detected_and_remembered() {
    let upstream = Upstream::start().await;
    let model = model_at(&upstream.base_url(), "nosystem", limits());
    for requests in [2, 3] {
        let answer = collect(model.answer(prompt("Hello"), CancellationToken::new())).await;
        assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(FinishReason::Stop))), "{}", answer.detail);
        let received = upstream.received();
        assert_eq!(received.len(), requests);
        assert_eq!(
            received.last().map(|last| &*last.messages),
            Some(&[("user".into(), "Be brief.\n\nHello".into())][..])
        );
    }
    let endpoint = Endpoint::new(Egress::default(), &upstream.base_url(), None, 8_192, limits()).without_system_role();
    let model = OpenAi::new(Arc::new(endpoint), "done".to_owned());
    collect(model.answer(prompt("Hello"), CancellationToken::new())).await;
    assert_eq!(upstream.received()[3].messages.len(), 1, "as configured, for every model");
}

#[tokio::test]
async fn a_model_without_streaming_is_asked_for_the_whole_answer() {
    let upstream = Upstream::start().await;
    let answer = ask(&upstream, "nostream", "x").await;
    assert_eq!((answer.text, answer.end), (script::text(5), Some(Ok(FinishReason::Stop))), "{}", answer.detail);
}

#[tokio::test]
async fn errors_are_classified_by_the_providers_codes() {
    for (name, failure, code) in [
        ("busy", Failure::Busy, "code 429"),
        ("long", Failure::OverContext, "context_length_exceeded"),
        ("key", Failure::Refused, "API_KEY_INVALID"),
        ("thoughts", Failure::OnlyThoughts, "limit"),
    ] {
        fails(name, failure, "").await;
        let upstream = Upstream::start().await;
        let answer = ask(&upstream, name, "x").await;
        assert!(answer.detail.contains(code), "{name}: {}", answer.detail);
    }
}

#[tokio::test]
async fn a_finish_reason_in_every_chunk_does_not_hide_a_broken_connection() {
    for name in ["broken", "stalled"] {
        fails(name, if name == "broken" { Failure::Cut } else { Failure::TimedOut }, &script::text(3)).await;
    }
}
