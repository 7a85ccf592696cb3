//! Anthropic's Messages API. `tests/fixtures/providers/anthropic/README.md` names the sources of the recordings.

use std::{sync::Arc, time::Duration};

use colloquy::{
    domain::{Author, Failure},
    server::{
        config::{Config, ProviderConfig, ProviderKind},
        egress::Egress,
        llm::{
            FinishReason, Models, Prompt, Usage,
            anthropic::Endpoint,
            remote::{Interface, Limits},
        },
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    CollectedAnswer, collect,
    native::{Chat, fixture, json_fixture},
    openai::{KEY, PATIENCE, limits, patient},
    prompt, turn,
};
use crate::support::replay::{Recording, Replay};

const MODEL: &str = "claude-opus-4-6";
const EVENTS: &str = "text/event-stream; charset=utf-8";

fn endpoint(replay: &Replay, limits: Limits) -> Arc<Endpoint> {
    Arc::new(Endpoint::new(Egress::default(), &replay.url(), Some(KEY.to_owned().into()), None, limits))
}

/// A model about which the provider tells nothing.
async fn chat(limits: Limits) -> Chat {
    let replay = Replay::start([]).await;
    let model = endpoint(&replay, limits).model(MODEL.to_owned());
    Chat { replay, path: "/v1/messages", content_type: EVENTS, model }
}

/// The documented description of a model with these numbers, which are 0 in the documentation.
fn model_info(context: u32, max_output: u32) -> Value {
    let mut info = json_fixture::<Value>("anthropic/models.json")["data"][0].clone();
    (info["max_input_tokens"], info["max_tokens"]) = (context.into(), max_output.into());
    info
}

#[tokio::test]
async fn recorded_answers_are_read() {
    let chat = chat(patient()).await;
    let usage = |prompt, cached, answer| Some(Usage { prompt, cached, answer });
    let hello =
        "Hello! I'm doing well, thank you for asking. How are you doing today? Is there anything I can help you with?";
    let divide = "The previous result was 925. Now I need to divide that by 5.\n\n925 ÷ 5 = 185";
    let eclipse = "Simple educational question about what a solar eclipse is. This is benign general knowledge — definitions are fine. Also the user called me \"claudius\" — I'm Claude. Minor correction or just roll with it politely.";
    let multiply = "Let me solve this step by step:\n\n1. First break down 27 * 453\n2. 453 = 400 + 50 + 3\n3. 27 * 400 = 10,800\n4. 27 * 50 = 1,350\n5. 27 * 3 = 81\n6. 10,800 + 1,350 + 81 = 12,231";
    let squares = "The sum of the squares of the numbers 1 through 12 is **650**.";
    let weather = "I'll check the current weather in Paris for you.";
    let (stop, withheld) = (Ok(FinishReason::Stop), Ok(FinishReason::Withheld));
    for (name, reasoning, text, usage, end) in [
        ("text", "", hello, usage(12, 0, 30), stop),
        ("thinking", divide, "925 ÷ 5 = 185", usage(69, 0, 53), stop),
        ("cached", "", squares, usage(6 + 3_337 + 6_289, 6_289, 198), stop),
        ("ping", "", "Hello there!", usage(11, 0, 6), stop),
        ("documented-thinking", multiply, "27 * 453 = 12,231", None, stop),
        ("tool-use", "", weather, usage(377, 0, 65), Ok(FinishReason::ToolCall)),
        ("refused", "", "", usage(18, 0, 5), Err(Failure::Withheld)),
        ("refused-later", eclipse, "Hi", usage(28, 0, 106), withheld),
    ] {
        let answer = chat.ask(&fixture(&format!("anthropic/{name}.sse"))).await;
        let detail = answer.detail.clone();
        let expected = CollectedAnswer {
            text: text.to_owned(),
            reasoning: reasoning.to_owned(),
            usage,
            end: Some(end),
            detail: detail.clone(),
            ..CollectedAnswer::default()
        };
        assert_eq!(answer, expected, "{name}");
        assert_eq!(detail.is_empty(), end.is_ok(), "{name}: {detail}");
    }
}

#[tokio::test]
async fn answers_are_the_same_however_their_bytes_arrive() {
    let chat = chat(patient()).await;
    for name in ["ping", "thinking"] {
        chat.check_pieces(&fixture(&format!("anthropic/{name}.sse"))).await;
    }
}

#[tokio::test]
async fn answers_that_end_too_early_are_reported() {
    chat(patient()).await.check_cuts(&fixture("anthropic/ping.sse"), "\"end_turn\"").await;
}

#[tokio::test]
async fn every_reason_to_stop_is_mapped() {
    let chat = chat(patient()).await;
    for (reason, finish) in [
        ("end_turn", FinishReason::Stop),
        ("stop_sequence", FinishReason::Stop),
        ("pause_turn", FinishReason::Stop),
        ("of_the_future", FinishReason::Stop),
        ("max_tokens", FinishReason::Length),
        ("model_context_window_exceeded", FinishReason::Length),
        ("tool_use", FinishReason::ToolCall),
        ("refusal", FinishReason::Withheld),
    ] {
        let answer = chat.ask(&fixture("anthropic/text.sse").replace("end_turn", reason)).await;
        assert_eq!(answer.end, Some(Ok(finish)), "{reason}");
    }
}

#[tokio::test]
async fn an_error_in_the_stream_keeps_the_text_so_far() {
    let chat = chat(patient()).await;
    let whole = fixture("anthropic/ping.sse");
    let begun = &whole[..whole.find("event: content_block_stop").expect("an end")];
    let overloaded = fixture("anthropic/documented-error.sse");
    for (error, failure) in [
        ("overloaded_error", Failure::Busy),
        ("rate_limit_error", Failure::Busy),
        ("api_error", Failure::Upstream),
        ("timeout_error", Failure::TimedOut),
        ("authentication_error", Failure::Refused),
        ("invalid_request_error", Failure::Rejected),
    ] {
        let error = overloaded.replace("overloaded_error", error).replace("Overloaded", "a private question");
        let answer = chat.ask(&format!("{begun}{error}")).await;
        assert_eq!((answer.text.as_str(), answer.end), ("Hello there!", Some(Err(failure))), "{error}");
        // The count of the answer comes at its end only; until then it is not known.
        assert_eq!(answer.usage, Some(Usage { prompt: 11, cached: 0, answer: 0 }));
        assert!(!answer.detail.contains("private"), "{}", answer.detail);
    }
    let at_once = chat.ask(&overloaded).await;
    assert_eq!((at_once.text.as_str(), at_once.end), ("", Some(Err(Failure::Busy))));
}

#[tokio::test]
async fn error_statuses_are_classified() {
    use Failure::{Busy, ModelGone, OverContext, Refused, Rejected, Upstream};
    let failures = [Refused, ModelGone, Busy, Busy, Upstream, OverContext, OverContext, Busy, Rejected];
    chat(patient()).await.check_errors("anthropic/errors.json", &failures).await;
}

#[tokio::test]
async fn bodies_that_are_no_answer_are_reported() {
    let chat = chat(patient()).await;
    for (body, failure) in [
        ("<!doctype html><h1>Welcome</h1>", Failure::WebPage),
        ("upstream connect error", Failure::PlainText),
        (r#"{"status":"ok"}"#, Failure::UnknownJson),
        ("event: message_start\ndata: {\"type\":\n\n", Failure::Garbled),
        ("", Failure::Cut),
    ] {
        assert_eq!(chat.ask(body).await.end, Some(Err(failure)), "{body}");
    }
    // Tags in a text are not reasoning here.
    let quoted = fixture("anthropic/ping.sse").replace("\"Hello\"", "\"<think>Hello</think>\"");
    assert_eq!(chat.ask(&quoted).await.text, "<think>Hello</think> there!");
}

#[tokio::test]
async fn a_silent_provider_times_out() {
    let chat = chat(limits()).await;
    let whole = fixture("anthropic/ping.sse");
    let begun = &whole[..whole.find("event: content_block_stop").expect("an end")];
    for (sent, text) in [("", ""), (begun, "Hello there!")] {
        let answer = chat.ask_for(Recording::new(EVENTS, sent.to_owned()).silent()).await;
        assert_eq!((answer.text.as_str(), answer.end), (text, Some(Err(Failure::TimedOut))), "{}", answer.detail);
    }
}

#[tokio::test]
async fn the_request_has_the_key_the_version_and_what_the_model_can_do() {
    let info = format!("/v1/models/{MODEL}");
    let replay = Replay::start([
        ("/v1/messages", Recording::new(EVENTS, fixture("anthropic/text.sse"))),
        (info.as_str(), Recording::json(200, &model_info(1_000_000, 128_000))),
    ])
    .await;
    let model = endpoint(&replay, patient()).model(MODEL.to_owned());
    let turns = vec![turn(Author::User, "One?"), turn(Author::Assistant, "One."), turn(Author::User, "Two?")];
    let prompt = Prompt { system: "Be brief.".to_owned(), turns, answer_so_far: None };
    for asked in [vec![info.as_str(), "/v1/messages"], vec!["/v1/messages"]] {
        let answer = collect(model.answer(prompt.clone(), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Ok(FinishReason::Stop)), "{}", answer.detail);
        let received = replay.take_received();
        assert_eq!(received.iter().map(|request| request.path.as_str()).collect::<Vec<_>>(), asked);
        for request in &received {
            assert_eq!((request.header("x-api-key"), request.header("anthropic-version")), (KEY, "2023-06-01"));
            assert_eq!(request.header("authorization"), "");
        }
        let last = received.last().expect("a request");
        let cached = json!([{"type": "text", "text": "Two?", "cache_control": {"type": "ephemeral"}}]);
        let expected = json!({
            "model": MODEL,
            "max_tokens": 128_000,
            "system": "Be brief.",
            "messages": [
                {"role": "user", "content": "One?"},
                {"role": "assistant", "content": "One."},
                {"role": "user", "content": cached},
            ],
            "stream": true,
            "thinking": {"type": "adaptive", "display": "summarized"},
        });
        assert_eq!(last.body, expected);
    }
}

#[tokio::test]
async fn a_provider_without_descriptions_is_asked_cautiously_and_again_with_the_next_answer() {
    let chat = chat(patient()).await;
    for requests in [2, 2] {
        chat.ask(&fixture("anthropic/text.sse")).await;
        let received = chat.replay.take_received();
        assert_eq!(received.len(), requests);
        let body = &received[requests - 1].body;
        assert_eq!((&body["max_tokens"], body.get("thinking")), (&json!(8_192), None));
    }
    // A fault that may pass is not remembered.
    let replay = Replay::start([("/v1/models/other", Recording::json(529, &json!({})))]).await;
    replay.set("/v1/messages", Recording::new(EVENTS, fixture("anthropic/text.sse")));
    let model = endpoint(&replay, patient()).model("other".to_owned());
    for _ in 0..2 {
        collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!(replay.take_received().len(), 2);
    }
}

#[tokio::test]
async fn a_name_cannot_lead_to_another_path() {
    let replay = Replay::start([]).await;
    for (name, path) in [("../keys?x", "/v1/models/..%2Fkeys%3Fx"), ("..", "/v1/messages")] {
        let model = endpoint(&replay, patient()).model(name.to_owned());
        let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Err(Failure::ModelGone)));
        assert_eq!(replay.take_received()[0].path, path, "{name}");
    }
}

#[tokio::test]
async fn models_are_listed_with_their_context() {
    let list = json!({"data": [model_info(1_000_000, 128_000), {"id": "old", "type": "model"}, {"type": "model"}]});
    let replay = Replay::start([("/v1/models", Recording::json(200, &list))]).await;
    let endpoint = endpoint(&replay, patient());
    let listed = endpoint.list_models(PATIENCE).await.expect("a list");
    assert_eq!((listed.names.as_slice(), listed.unnamed), (&[MODEL.to_owned(), "old".to_owned()][..], 1));
    assert_eq!((listed.context_of(MODEL), listed.context_of("old")), (Some(1_000_000), None));
    assert_eq!(replay.take_received()[0].path, "/v1/models?limit=1000");

    // What the list told is not asked for again.
    replay.set("/v1/messages", Recording::new(EVENTS, fixture("anthropic/text.sse")));
    let model = Arc::clone(&endpoint).model(MODEL.to_owned());
    collect(model.answer(prompt("x"), CancellationToken::new())).await;
    let received = replay.take_received();
    assert_eq!((received.len(), &received[0].body["max_tokens"]), (1, &json!(128_000)));

    let documented = json_fixture::<Value>("anthropic/models.json");
    replay.set("/v1/models", Recording::json(200, &documented));
    let listed = endpoint.list_models(PATIENCE).await.expect("a list");
    assert_eq!((listed.problems(), listed.names), (String::new(), vec![MODEL.to_owned()]));
}

#[tokio::test]
async fn the_picker_and_the_models_page_show_the_provider() {
    let list = json!({"data": [model_info(200_000, 64_000)]});
    let replay = Replay::start([("/v1/models", Recording::json(200, &list))]).await;
    let mut config = Config::default();
    config.local.models = "/no/such/folder".into();
    config.providers.push(ProviderConfig {
        name: "claude".to_owned(),
        kind: ProviderKind::Anthropic,
        base_url: replay.url(),
        key: Some(KEY.to_owned().into()),
        models: Vec::new(),
        context: None,
        system_role: true,
    });
    let models = Models::new(&config, &Egress::default());
    let choice = models.list().await;
    let shown: Vec<_> = choice.models.iter().map(|model| (model.id.as_str(), model.context.as_str())).collect();
    assert_eq!(shown, [("claude/claude-opus-4-6", "200K")]);
    let connected = models.connected(&config).await.providers;
    assert_eq!((connected[0].models.as_slice(), connected[0].failure), (&[MODEL.to_owned()][..], None));

    replay.set("/v1/models", Recording::json(401, &json!({"error": {"type": "authentication_error"}})));
    assert_eq!(models.connected(&config).await.providers[0].failure, Some(Failure::Refused));

    config.providers[0].context = Some(100_000);
    replay.set("/v1/models", Recording::json(200, &list));
    let choice = Models::new(&config, &Egress::default()).list().await;
    assert_eq!(choice.models[0].context, "100K", "what the operator configured wins");
}

#[tokio::test]
async fn chat_requests_are_recognised_without_a_model_list() {
    let replay = Replay::start([]).await;
    let endpoint = endpoint(&replay, patient());
    assert!(!endpoint.accepts_chat_requests(PATIENCE).await);
    let invalid = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "x"}});
    replay.set("/v1/messages", Recording::json(400, &invalid));
    assert!(endpoint.accepts_chat_requests(Duration::from_secs(20)).await);
}
