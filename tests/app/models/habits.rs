//! Endpoints that answer, end or refuse in their own way.

use std::{sync::Arc, time::Duration};

use colloquy::{
    domain::Failure,
    server::{
        egress::Egress,
        llm::{
            Finish, Model, Usage,
            openai::{Endpoint, Limits, OpenAi},
        },
    },
};
use tokio_util::sync::CancellationToken;

use super::{
    openai::{ask, fails, limits, model_at},
    prompt, told,
};
use crate::support::upstream::{Upstream, script};

#[tokio::test]
async fn text_before_a_lone_closing_tag_was_thinking() {
    let upstream = Upstream::start().await;
    let told = ask(&upstream, "lone", "x").await;
    assert_eq!(told.reasoning, "First I think about `</think>`, then stop.\n");
    assert_eq!((told.text, told.end), (script::text(5), Some(Ok(Finish::Stop))));
}

#[tokio::test]
async fn a_whole_answer_is_taken_where_a_stream_was_asked_for() {
    let upstream = Upstream::start().await;
    let told = ask(&upstream, "whole", "x").await;
    assert_eq!(
        (told.text, told.end, told.usage),
        (script::text(5), Some(Ok(Finish::Stop)), Some(Usage { prompt: 7, answer: 5 }))
    );
}

#[tokio::test]
async fn counts_that_are_null_cost_no_answer() {
    let upstream = Upstream::start().await;
    let told = ask(&upstream, "counts", "x").await;
    assert_eq!((told.text, told.end), (script::text(5), Some(Ok(Finish::Stop))), "{}", told.detail);
}

#[tokio::test]
async fn a_reason_with_every_step_is_no_end() {
    let upstream = Upstream::start().await;
    let limits = Limits { between: Duration::from_secs(20), ..limits() };
    let model = model_at(&upstream.base_url(), "each-1000", limits);
    let told = told(model.answer(prompt("x"), CancellationToken::new())).await;
    assert_eq!((told.text, told.end), (script::text(5), Some(Ok(Finish::Stop))));
}

#[tokio::test]
async fn a_model_without_the_role_system_is_asked_in_another_way_and_it_is_remembered() {
    let upstream = Upstream::start().await;
    let model = model_at(&upstream.base_url(), "nosystem", limits());
    for requests in [2, 3] {
        let told = told(model.answer(prompt("Hello"), CancellationToken::new())).await;
        assert_eq!((told.text, told.end), (script::text(5), Some(Ok(Finish::Stop))), "{}", told.detail);
        let received = upstream.received();
        assert_eq!(received.len(), requests);
        assert_eq!(
            received.last().map(|last| &*last.messages),
            Some(&[("user".into(), "Be brief.\n\nHello".into())][..])
        );
    }
    let endpoint =
        Endpoint::new(Egress::default(), &upstream.base_url(), None, 8_192, limits()).with_instructions_in_message();
    let model = OpenAi::new(Arc::new(endpoint), "done".to_owned());
    told(model.answer(prompt("Hello"), CancellationToken::new())).await;
    assert_eq!(upstream.received()[3].messages.len(), 1, "as configured, for every model");
}

#[tokio::test]
async fn a_model_that_does_not_stream_is_asked_for_the_whole_answer() {
    let upstream = Upstream::start().await;
    let told = ask(&upstream, "nostream", "x").await;
    assert_eq!((told.text, told.end), (script::text(5), Some(Ok(Finish::Stop))), "{}", told.detail);
}

#[tokio::test]
async fn faults_are_typed_by_what_the_provider_says() {
    for (name, failure, code) in [
        ("busy", Failure::Busy, "code 429"),
        ("long", Failure::OverContext, "context_length_exceeded"),
        ("key", Failure::Refused, "API_KEY_INVALID"),
        ("thoughts", Failure::OnlyThoughts, "limit"),
    ] {
        fails(name, failure, "").await;
        let upstream = Upstream::start().await;
        let told = ask(&upstream, name, "x").await;
        assert!(told.detail.contains(code), "{name}: {}", told.detail);
    }
}

#[tokio::test]
async fn a_reason_with_every_step_does_not_hide_a_cut() {
    for name in ["broken", "stalled"] {
        fails(name, if name == "broken" { Failure::Cut } else { Failure::TimedOut }, &script::text(3)).await;
    }
}
