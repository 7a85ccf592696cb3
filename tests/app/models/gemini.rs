//! Google's Gemini API. `tests/fixtures/providers/gemini/README.md` names the sources of the recordings.

use std::sync::Arc;

use colloquy::{
    domain::{Author, Failure},
    server::{
        config::{Config, ProviderConfig, ProviderKind},
        egress::Egress,
        llm::{
            FinishReason, Models, Prompt, Usage,
            gemini::Endpoint,
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
    prompt, turn,
};
use crate::support::replay::{Recording, Replay};

const MODEL: &str = "gemini-2.0-flash-thinking-exp-1219";
const CHAT: &str = "/v1beta/models/gemini-2.0-flash-thinking-exp-1219:streamGenerateContent";
const INFO: &str = "/v1beta/models/gemini-2.0-flash-thinking-exp-1219";
const EVENTS: &str = "text/event-stream";

fn endpoint(replay: &Replay, limits: Limits) -> Arc<Endpoint> {
    let base_url = format!("{}/v1beta", replay.url());
    Arc::new(Endpoint::new(Egress::default(), &base_url, Some(KEY.to_owned().into()), None, limits))
}

/// A model about which the provider tells nothing.
async fn chat(limits: Limits) -> Chat {
    let replay = Replay::start([]).await;
    let model = endpoint(&replay, limits).model(MODEL.to_owned());
    Chat { replay, path: CHAT, content_type: EVENTS, model }
}

#[tokio::test]
async fn recorded_answers_are_read() {
    let chat = chat(patient()).await;
    let usage = |prompt, cached, answer| Some(Usage { prompt, cached, answer });
    let texts = "text1text2text3text4text5text6text7text8";
    let (stop, withheld) = (Ok(FinishReason::Stop), Ok(FinishReason::Withheld));
    for (name, text, usage, end) in [
        ("text.sse", "The capital of Wyoming is **Cheyenne**.\n", usage(7, 0, 10), stop),
        ("finish-message.sse", "Hello world!", None, stop),
        ("recitation.sse", texts, usage(9, 0, 261), withheld),
        ("blocked-prompt.sse", "", None, Err(Failure::Withheld)),
        ("error-mid-stream.sse", "First Second ", None, Err(Failure::Upstream)),
        ("invalid.sse", "", None, Err(Failure::UnknownJson)),
        (
            "cached.json",
            "Red Riding Hood is looking for **directions** in the forest.",
            usage(12_013, 11_243, 15 + 73),
            stop,
        ),
    ] {
        let answer = chat.ask(&fixture(&format!("gemini/{name}"))).await;
        let detail = answer.detail.clone();
        let expected = CollectedAnswer {
            text: text.to_owned(),
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
async fn thoughts_are_reasoning() {
    let chat = chat(patient()).await;
    let answer = chat.ask(&fixture("gemini/thinking.sse")).await;
    assert!(answer.reasoning.starts_with("**Exploring Sky Color**\n\n"), "{}", answer.reasoning);
    assert!(answer.reasoning.ends_with("I'm satisfied with this concise response.\n\n\n"), "{}", answer.reasoning);
    assert!(answer.text.starts_with("The sky is blue because") && answer.text.ends_with("appear blue to our eyes."));
    let usage = Some(Usage { prompt: 10, cached: 0, answer: 48 + 540 });
    assert_eq!((answer.usage, answer.end), (usage, Some(Ok(FinishReason::Stop))));

    let answer = chat.ask(&fixture("gemini/tool-call.sse")).await;
    assert!(answer.reasoning.starts_with("**Calculating the Days**"), "{}", answer.reasoning);
    let usage = Some(Usage { prompt: 38, cached: 0, answer: 6 + 168 });
    assert_eq!((answer.text.as_str(), answer.usage, answer.end), ("", usage, Some(Err(Failure::ToolCall))));
}

#[tokio::test]
async fn answers_are_the_same_however_their_bytes_arrive() {
    let chat = chat(patient()).await;
    for name in ["text", "utf8"] {
        chat.check_pieces(&fixture(&format!("gemini/{name}.sse"))).await;
    }
}

#[tokio::test]
async fn answers_that_end_too_early_are_reported() {
    chat(patient()).await.check_cuts(&fixture("gemini/text.sse"), "\"finishReason\"").await;
}

#[tokio::test]
async fn a_reason_to_stop_with_every_part_does_not_end_the_answer() {
    let chat = chat(patient()).await;
    for (name, end) in [
        ("utf8", "让我们一起欣赏秋天的美景，\n感受秋天的气息，领悟秋天的哲理。"),
        ("unknown-finish", "ential health issues early on."),
    ] {
        let answer = chat.ask(&fixture(&format!("gemini/{name}.sse"))).await;
        assert_eq!(answer.end, Some(Ok(FinishReason::Stop)), "{name}: {}", answer.detail);
        assert!(answer.text.ends_with(end), "{name}: {}", answer.text);
    }
}

#[tokio::test]
async fn every_reason_to_stop_is_mapped() {
    let chat = chat(patient()).await;
    for (reason, end) in [
        ("STOP", Ok(FinishReason::Stop)),
        ("OF_THE_FUTURE", Ok(FinishReason::Stop)),
        ("MAX_TOKENS", Ok(FinishReason::Length)),
        ("SAFETY", Ok(FinishReason::Withheld)),
        ("PROHIBITED_CONTENT", Ok(FinishReason::Withheld)),
        ("BLOCKLIST", Ok(FinishReason::Withheld)),
        ("SPII", Ok(FinishReason::Withheld)),
        ("LANGUAGE", Ok(FinishReason::Withheld)),
        ("MALFORMED_FUNCTION_CALL", Ok(FinishReason::ToolCall)),
        ("OTHER", Err(Failure::Upstream)),
        ("FINISH_REASON_UNSPECIFIED", Err(Failure::Cut)),
    ] {
        let answer = chat.ask(&fixture("gemini/text.sse").replace("\"STOP\"", &format!("\"{reason}\""))).await;
        assert_eq!((answer.text.len(), answer.end), (40, Some(end)), "{reason}: {}", answer.detail);
    }
}

#[tokio::test]
async fn error_statuses_are_classified() {
    use Failure::{Busy, ModelGone, OverContext, Refused, Rejected};
    let failures = [Refused, ModelGone, Refused, Busy, Rejected, Busy, Busy, OverContext];
    chat(patient()).await.check_errors("gemini/errors.json", &failures).await;
}

#[tokio::test]
async fn a_silent_provider_times_out_unless_the_answer_is_complete() {
    let chat = chat(limits()).await;
    let whole = fixture("gemini/text.sse");
    let begun = &whole[..whole.rfind("data:").expect("a last event")];
    for (sent, text, end) in [
        ("", "", Err(Failure::TimedOut)),
        (begun, "The capital of Wyoming", Err(Failure::TimedOut)),
        (&whole, "The capital of Wyoming is **Cheyenne**.\n", Ok(FinishReason::Stop)),
    ] {
        let answer = chat.ask_for(Recording::new(EVENTS, sent.to_owned()).silent()).await;
        assert_eq!((answer.text.as_str(), answer.end), (text, Some(end)), "{}", answer.detail);
    }
}

#[tokio::test]
async fn the_request_has_the_key_the_instructions_and_asks_for_thoughts() {
    let list: Value = json_fixture("gemini/models.json");
    let replay = Replay::start([
        (CHAT, Recording::new(EVENTS, fixture("gemini/text.sse"))),
        (INFO, Recording::json(200, &list["models"][0])),
    ])
    .await;
    let model = endpoint(&replay, patient()).model(MODEL.to_owned());
    let turns = vec![turn(Author::User, "One?"), turn(Author::Assistant, "One."), turn(Author::User, "Two?")];
    let prompt = Prompt { system: "Be brief.".to_owned(), turns, answer_so_far: None };
    let chat = format!("{CHAT}?alt=sse");
    for asked in [vec![INFO, chat.as_str()], vec![chat.as_str()]] {
        let answer = collect(model.answer(prompt.clone(), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Ok(FinishReason::Stop)), "{}", answer.detail);
        let received = replay.take_received();
        assert_eq!(paths(&received), asked);
        for request in &received {
            assert_eq!((request.header("x-goog-api-key"), request.header("authorization")), (KEY, ""));
        }
        let expected = json!({
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "One?"}]},
                {"role": "model", "parts": [{"text": "One."}]},
                {"role": "user", "parts": [{"text": "Two?"}]},
            ],
            "generationConfig": {"thinkingConfig": {"includeThoughts": true}},
        });
        assert_eq!(received.last().expect("a request").body, expected);
    }
}

#[tokio::test]
async fn a_model_without_instructions_gets_them_in_the_first_message() {
    let chat = chat(patient()).await;
    let message = "Developer instruction is not enabled for models/gemma-3-27b-it";
    let rejected = json!({"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}});
    // The recorded response rejects the second request too, so nothing is remembered.
    assert_eq!(chat.ask_for(Recording::json(400, &rejected)).await.end, Some(Err(Failure::Rejected)));
    let bodies: Vec<Value> = chat.replay.take_received().into_iter().map(|request| request.body).collect();
    let [info, first, second] = &bodies[..] else { panic!("{bodies:?}") };
    assert!(info.is_null() && first.get("systemInstruction").is_some() && second.get("systemInstruction").is_none());
    assert_eq!(second["contents"], json!([{"role": "user", "parts": [{"text": "Be brief.\n\na private question"}]}]));
}

#[tokio::test]
async fn a_name_cannot_lead_to_another_path() {
    let replay = Replay::start([]).await;
    for (name, asked) in
        [("../keys?x", vec!["..%2Fkeys%3Fx", "..%2Fkeys%3Fx:streamGenerateContent?alt=sse"]), ("..", vec![])]
    {
        let model = endpoint(&replay, patient()).model(name.to_owned());
        let answer = collect(model.answer(prompt("x"), CancellationToken::new())).await;
        assert_eq!(answer.end, Some(Err(Failure::ModelGone)));
        let asked: Vec<String> = asked.into_iter().map(|path| format!("/v1beta/models/{path}")).collect();
        assert_eq!(paths(&replay.take_received()), asked, "{name}");
    }
}

#[tokio::test]
async fn models_that_generate_text_are_listed_with_their_context() {
    let list: Value = json_fixture("gemini/models.json");
    let replay = Replay::start([("/v1beta/models", Recording::json(200, &list))]).await;
    let endpoint = endpoint(&replay, patient());
    let listed = endpoint.list_models(PATIENCE).await.expect("a list");
    assert_eq!(
        (listed.names.join(" "), listed.problems()),
        (format!("{MODEL} learnlm-1.5-pro-experimental"), "".into())
    );
    assert_eq!(listed.context_of(MODEL), Some(1_048_576));
    assert_eq!(listed.context_of("learnlm-1.5-pro-experimental"), Some(32_767));
    assert_eq!(paths(&replay.take_received()), ["/v1beta/models?pageSize=1000"]);

    // What the list told is not asked for again.
    replay.set(CHAT, Recording::new(EVENTS, fixture("gemini/text.sse")));
    let model = Arc::clone(&endpoint).model(MODEL.to_owned());
    collect(model.answer(prompt("x"), CancellationToken::new())).await;
    assert_eq!(paths(&replay.take_received()), [format!("{CHAT}?alt=sse")]);
}

#[tokio::test]
async fn the_picker_and_the_models_page_show_the_provider() {
    let list: Value = json_fixture("gemini/models.json");
    let replay = Replay::start([("/v1beta/models", Recording::json(200, &list))]).await;
    let mut config = Config::default();
    config.local.models = "/no/such/folder".into();
    config.providers.push(ProviderConfig {
        name: "google".to_owned(),
        kind: ProviderKind::Gemini,
        base_url: format!("{}/v1beta", replay.url()),
        key: Some(KEY.to_owned().into()),
        models: Vec::new(),
        context: None,
        system_role: true,
    });
    let models = Models::new(&config, &Egress::default());
    let choice = models.list().await;
    let shown: Vec<_> = choice.models.iter().map(|model| (model.id.as_str(), model.context.as_str())).collect();
    assert_eq!(
        shown,
        [("google/gemini-2.0-flash-thinking-exp-1219", "1M"), ("google/learnlm-1.5-pro-experimental", "31K")]
    );
    let connected = models.connected(&config).await.providers;
    assert_eq!((connected[0].models.len(), connected[0].failure), (2, None));
}
