//! Ollama's own interface. `tests/fixtures/providers/ollama/README.md` names the sources of the recordings.

use std::sync::Arc;

use colloquy::{
    domain::{Author, Failure},
    server::{
        config::{Config, ProviderConfig, ProviderKind},
        egress::Egress,
        llm::{
            FinishReason, Models, Prompt, Usage,
            ollama::Endpoint,
            remote::{Interface, Limits},
        },
    },
};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    CollectedAnswer, collect,
    native::{Chat, fixture, json_fixture, paths},
    openai::{KEY, PATIENCE, limits, patient},
    turn,
};
use crate::support::replay::{Recording, Replay};

const MODEL: &str = "qwen3:8b";
const LINES: &str = "application/x-ndjson";

fn endpoint(replay: &Replay, context: Option<u32>, limits: Limits) -> Arc<Endpoint> {
    Arc::new(Endpoint::new(Egress::default(), &replay.url(), None, context, limits))
}

/// A model about which the server tells nothing.
async fn chat(limits: Limits) -> Chat {
    let replay = Replay::start([]).await;
    let model = endpoint(&replay, None, limits).model(MODEL.to_owned());
    Chat { replay, path: "/api/chat", content_type: LINES, model }
}

#[tokio::test]
async fn recorded_answers_are_read() {
    let chat = chat(patient()).await;
    let usage = |prompt, answer| Some(Usage { prompt, cached: 0, answer });
    for (name, reasoning, text, usage, end) in [
        ("thinking.ndjson", "Okay,", "Grüße", usage(21, 222), Ok(FinishReason::Stop)),
        ("documented-tool-call.json", "", "", usage(169, 15), Err(Failure::ToolCall)),
        ("documented.json", "", "The", usage(26, 282), Ok(FinishReason::Stop)),
    ] {
        let answer = chat.ask(&fixture(&format!("ollama/{name}"))).await;
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
async fn every_reason_to_stop_is_mapped() {
    let chat = chat(patient()).await;
    let recorded = fixture("ollama/thinking.ndjson");
    for (reason, finish) in
        [("stop", FinishReason::Stop), ("length", FinishReason::Length), ("of_the_future", FinishReason::Stop)]
    {
        let answer = chat.ask(&recorded.replace("\"stop\"", &format!("\"{reason}\""))).await;
        assert_eq!((answer.text.as_str(), answer.end), ("Grüße", Some(Ok(finish))), "{reason}");
    }
    // The window was full before the answer began.
    let thoughts = recorded.replace("\"stop\"", "\"length\"");
    let thoughts: String =
        thoughts.split_inclusive('\n').filter(|line| line.contains("thinking") || line.contains("length")).collect();
    let answer = chat.ask(&thoughts).await;
    assert_eq!((answer.reasoning.as_str(), answer.end), ("Okay,", Some(Err(Failure::OnlyThoughts))));
}

#[tokio::test]
async fn reasoning_between_tags_in_the_text_is_recognised() {
    let recorded = fixture("ollama/thinking.ndjson");
    let tagged = recorded
        .replace(r#""content":"","thinking":"Okay""#, r#""content":"<think>Okay""#)
        .replace(r#""content":"","thinking":",""#, r#""content":",</think>""#);
    let chat = chat(patient()).await;
    assert_eq!(chat.ask(&tagged).await, chat.ask(&recorded).await);
}

#[tokio::test]
async fn answers_are_the_same_however_their_bytes_arrive() {
    let chat = chat(patient()).await;
    for name in ["thinking.ndjson", "documented.json"] {
        chat.check_pieces(&fixture(&format!("ollama/{name}"))).await;
    }
}

#[tokio::test]
async fn answers_that_end_too_early_are_reported() {
    chat(patient()).await.check_cuts(&fixture("ollama/thinking.ndjson"), "\"done\":true").await;
}

#[tokio::test]
async fn an_error_in_the_stream_keeps_the_text_so_far() {
    let chat = chat(patient()).await;
    let whole = fixture("ollama/thinking.ndjson");
    let begun: String = whole.split_inclusive('\n').take(5).collect();
    let error = fixture("ollama/documented-error.ndjson");
    let answer = chat.ask(&format!("{begun}{error}")).await;
    assert_eq!((answer.text.as_str(), answer.end), ("Grüße", Some(Err(Failure::Upstream))), "{}", answer.detail);
    assert_eq!(chat.ask(&error).await.end, Some(Err(Failure::Upstream)));
}

#[tokio::test]
async fn error_statuses_are_classified() {
    use Failure::{Busy, ModelGone, OverContext, Refused, Rejected, Upstream};
    let failures = [ModelGone, Upstream, Busy, OverContext, Rejected, Refused, Upstream];
    chat(patient()).await.check_errors("ollama/errors.json", &failures).await;
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let chat = chat(limits()).await;
    let whole = fixture("ollama/thinking.ndjson");
    let begun: String = whole.split_inclusive('\n').take(4).collect();
    for (sent, text) in [(String::new(), ""), (begun, "Grü")] {
        let answer = chat.ask_for(Recording::new(LINES, sent).silent()).await;
        assert_eq!((answer.text.as_str(), answer.end), (text, Some(Err(Failure::TimedOut))), "{}", answer.detail);
    }
}

#[tokio::test]
async fn the_request_sets_the_context_window() {
    let turns = vec![turn(Author::User, "One?"), turn(Author::Assistant, "One."), turn(Author::User, "Two?")];
    let prompt = Prompt { system: "Be brief.".to_owned(), turns, answer_so_far: None };
    let described: Value = json_fixture("ollama/show.json");
    let mut remote = described.clone();
    remote["remote_host"] = "https://ollama.com:443".into();
    for (description, configured, window) in [
        // The documented model sets a context window itself.
        (&described, None, Some(2_048)),
        (&described, Some(16_384), Some(16_384)),
        // Not more than it was trained for.
        (&described, Some(1_000_000), Some(131_072)),
        (&remote, None, None),
    ] {
        let replay = Replay::start([
            ("/api/chat", Recording::new(LINES, fixture("ollama/thinking.ndjson"))),
            ("/api/show", Recording::json(200, description)),
        ])
        .await;
        let model = endpoint(&replay, configured, patient()).model(MODEL.to_owned());
        for asked in [&["/api/show", "/api/chat"][..], &["/api/chat"]] {
            let answer = collect(model.answer(prompt.clone(), CancellationToken::new())).await;
            assert_eq!(answer.end, Some(Ok(FinishReason::Stop)), "{}", answer.detail);
            let received = replay.take_received();
            assert_eq!(paths(&received), asked);
            let mut expected = json!({
                "model": MODEL,
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "One?"},
                    {"role": "assistant", "content": "One."},
                    {"role": "user", "content": "Two?"},
                ],
                "stream": true,
                "truncate": false,
                "shift": false,
            });
            if let Some(window) = window {
                expected["options"] = json!({"num_ctx": window});
            }
            assert_eq!(received.last().expect("a request").body, expected);
        }
    }
}

#[tokio::test]
async fn long_chats_are_cut_to_the_window_that_is_used() {
    let chat = chat(patient()).await;
    let turns = (0..41).map(|i| turn(if i % 2 == 0 { Author::User } else { Author::Assistant }, &"word ".repeat(400)));
    let prompt = Prompt { system: String::new(), turns: turns.collect(), answer_so_far: None };
    chat.replay.set("/api/chat", Recording::new(LINES, fixture("ollama/thinking.ndjson")));
    let answer = collect(chat.model.answer(prompt, CancellationToken::new())).await;
    let sent = chat.replay.take_received().pop().expect("a request").body;
    let count = sent["messages"].as_array().expect("messages").len();
    assert_eq!(answer.truncated_messages, Some(41 - u32::try_from(count).expect("few")));
    assert_eq!(
        (sent["options"]["num_ctx"].as_u64(), sent["messages"][0]["role"].as_str()),
        (Some(8_192), Some("user"))
    );
}

#[tokio::test]
async fn models_that_can_chat_are_listed_with_their_context() {
    let mut tags: Value = json_fixture("ollama/tags.json");
    let replay = Replay::start([
        ("/api/tags", Recording::json(200, &tags)),
        ("/api/show", Recording::json(200, &json_fixture("ollama/show.json"))),
    ])
    .await;
    let endpoint = endpoint(&replay, None, patient());
    for asked in [&["/api/tags", "/api/show", "/api/show"][..], &["/api/tags"]] {
        let listed = endpoint.list_models(PATIENCE).await.expect("a list");
        assert_eq!(
            (listed.names.join(" "), listed.problems()),
            ("deepseek-r1:latest llama3.2:latest".into(), "".into())
        );
        assert_eq!(listed.context_of("llama3.2:latest"), Some(2_048));
        assert_eq!(paths(&replay.take_received()), asked, "models that have not changed are described once");
    }

    // Another model under the same name, which only embeds.
    tags["models"][1]["digest"] = "00".into();
    replay.set("/api/tags", Recording::json(200, &tags));
    replay.set("/api/show", Recording::json(200, &json!({"capabilities": ["embedding"]})));
    assert_eq!(endpoint.list_models(PATIENCE).await.expect("a list").names, ["deepseek-r1:latest"]);
    let received = replay.take_received();
    assert_eq!(received.last().map(|request| &request.body), Some(&json!({"model": "llama3.2:latest"})));

    // One that is not described is still listed.
    tags["models"][1]["digest"] = "01".into();
    replay.set("/api/tags", Recording::json(200, &tags));
    replay.set("/api/show", Recording::json(500, &json!({"error": "x"})));
    let listed = endpoint.list_models(PATIENCE).await.expect("a list");
    assert_eq!((listed.names.len(), listed.context_of("llama3.2:latest")), (2, None));
}

#[tokio::test]
async fn the_picker_and_the_models_page_show_the_server() {
    let replay = Replay::start([
        ("/api/tags", Recording::json(200, &json_fixture("ollama/tags.json"))),
        ("/api/show", Recording::json(200, &json_fixture("ollama/show.json"))),
    ])
    .await;
    let mut config = Config::default();
    config.local.models = "/no/such/folder".into();
    config.providers.push(ProviderConfig {
        name: "ollama".to_owned(),
        kind: ProviderKind::Ollama,
        base_url: replay.url(),
        key: Some(KEY.to_owned().into()),
        models: Vec::new(),
        context: Some(32_768),
        system_role: true,
    });
    let models = Models::new(&config, &Egress::default());
    let choice = models.list().await;
    let shown: Vec<_> = choice.models.iter().map(|model| (model.id.as_str(), model.context.as_str())).collect();
    assert_eq!(shown, [("ollama/deepseek-r1:latest", "32K"), ("ollama/llama3.2:latest", "32K")]);
    let connected = models.connected(&config).await.providers;
    assert_eq!((connected[0].models.len(), connected[0].failure), (2, None));
    assert!(replay.take_received().iter().all(|request| request.header("authorization") == format!("Bearer {KEY}")));
    replay.set("/api/tags", Recording::new("text/html", "<h1>It works</h1>"));
    assert_eq!(models.connected(&config).await.providers[0].failure, Some(Failure::WebPage));
}
