//! Models behind Ollama's own interface.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Response;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    DeltaStream, FinishReason, Model, ModelError, Prompt, Usage,
    remote::{
        Answer, Event, Exchange, INFO_TIMEOUT, Interface, Limits, ModelList, Remembered, Service, fit, from_stream,
        parse_count, stream_answer,
    },
};
use crate::server::{config::PROVIDER_CONTEXT, egress::Egress};

mod info;
mod wire;

use info::ModelInfo;

/// The path of chat requests.
const CHAT_PATH: &str = "/api/chat";
/// The path of the model list.
const LIST_PATH: &str = "/api/tags";
/// The path of a model's description.
const SHOW_PATH: &str = "/api/show";
/// How many models are described at the same time.
const CONCURRENT_DESCRIPTIONS: usize = 8;
/// How many models of a list are described. The others are listed without a context window.
const MAX_DESCRIPTIONS: usize = 200;

/// An Ollama server.
#[derive(Debug)]
pub struct Endpoint {
    service: Service,
    /// The context window of its models in tokens, if it is configured.
    context: Option<u32>,
    known: Remembered<Known>,
}

/// What a server has told about a model.
#[derive(Debug, Clone)]
struct Known {
    /// The hash of the model at that time; empty if the list did not contain it.
    digest: String,
    info: ModelInfo,
}

impl Endpoint {
    /// A server at `base_url` (such as `http://127.0.0.1:11434`). `context` is the context window to use, if it is
    /// configured.
    pub fn new(
        egress: Egress,
        base_url: &str,
        key: Option<SecretString>,
        context: Option<u32>,
        limits: Limits,
    ) -> Self {
        Self { service: Service::new(egress, base_url, key, limits), context, known: Remembered::default() }
    }

    /// What is known about a model, or what the server says now.
    async fn info(&self, model: &str, until: Instant) -> ModelInfo {
        match self.known.get(model) {
            Some(known) => known.info,
            None => {
                let described = self.describe(model, "", until.min(Instant::now() + INFO_TIMEOUT)).await;
                described.unwrap_or_default()
            }
        }
    }

    /// Asks for the description of a model and remembers it. `None` if there is no description.
    async fn describe(&self, model: &str, digest: &str, until: Instant) -> Option<ModelInfo> {
        let description = self.service.post_for_json(SHOW_PATH, &json!({"model": model}), until).await.ok()?;
        let info = ModelInfo::of(&description);
        self.known.insert(model, Known { digest: digest.to_owned(), info });
        Some(info)
    }

    /// The description of an entry of the list, asked for only if the model has changed.
    async fn describe_entry(&self, entry: &Value, until: Instant) -> Option<ModelInfo> {
        let (name, digest) = (entry.get("name")?.as_str()?, entry.get("digest").and_then(Value::as_str).unwrap_or(""));
        match self.known.get(name).filter(|known| !digest.is_empty() && known.digest == digest) {
            Some(known) => Some(known.info),
            None => self.describe(name, digest, until).await,
        }
    }

    /// The context window to use for a model.
    fn context_of(&self, info: ModelInfo) -> u32 {
        info.context(self.context, PROVIDER_CONTEXT)
    }
}

#[async_trait]
impl Interface for Endpoint {
    fn model(self: Arc<Self>, name: String) -> Arc<dyn Model> {
        Arc::new(Ollama { endpoint: self, name })
    }

    /// Only models that can chat. The list itself does not tell the context window, so each model is described.
    async fn list_models(&self, timeout: Duration) -> Result<ModelList, ModelError> {
        let until = Instant::now() + timeout;
        let json = self.service.get_json(LIST_PATH, until).await?;
        let entries = json.get("models").and_then(Value::as_array).ok_or_else(ModelList::missing)?;
        let mut infos = Vec::new();
        for entries in entries[..entries.len().min(MAX_DESCRIPTIONS)].chunks(CONCURRENT_DESCRIPTIONS) {
            let asked: Vec<_> = entries.iter().map(|entry| self.describe_entry(entry, until)).collect();
            infos.extend(futures::future::join_all(asked).await);
        }
        let mut listed = ModelList::default();
        for (entry, info) in entries.iter().zip(infos.into_iter().chain(std::iter::repeat(None))) {
            if info.is_none_or(|info| info.can_chat) {
                let name = entry.get("name").and_then(Value::as_str);
                listed.add(name, info.map(|info| self.context_of(info)));
            }
        }
        Ok(listed)
    }

    fn list_url(&self) -> String {
        format!("{}{LIST_PATH}", self.service.base_url())
    }

    async fn accepts_chat_requests(&self, timeout: Duration) -> bool {
        self.service.accepts(CHAT_PATH, &json!({}), timeout).await
    }
}

/// One model of a server.
#[derive(Debug)]
struct Ollama {
    endpoint: Arc<Endpoint>,
    name: String,
}

impl Model for Ollama {
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> DeltaStream {
        let (endpoint, model) = (Arc::clone(&self.endpoint), self.name.clone());
        stream_answer(Conversing { endpoint, model, calls_tool: false }, prompt, stop)
    }
}

/// One answer.
#[derive(Debug)]
struct Conversing {
    endpoint: Arc<Endpoint>,
    model: String,
    /// Whether the model called a tool. The reason to stop does not tell it.
    calls_tool: bool,
}

#[async_trait]
impl Exchange for Conversing {
    fn limits(&self) -> &Limits {
        self.endpoint.service.limits()
    }

    async fn request(&mut self, prompt: &Prompt, until: Instant) -> Result<(Response, usize), ModelError> {
        let info = self.endpoint.info(&self.model, until).await;
        let context = self.endpoint.context_of(info);
        let conversation = fit(prompt, context).ok_or_else(ModelError::too_long)?;
        // A model that runs elsewhere has the context window that it has there.
        let window = (!info.is_remote).then_some(context);
        let payload = wire::Request::new(&self.model, &conversation, window);
        match self.endpoint.service.post(CHAT_PATH, &payload, until).await? {
            Ok(response) => Ok((response, conversation.truncated_messages)),
            Err(rejection) => Err(rejection.to_error()),
        }
    }

    fn process(&mut self, event: Event<'_>, last: bool, answer: &mut Answer) {
        for object in answer.parse(event, last) {
            self.process_object(&object, answer);
        }
    }
}

impl Conversing {
    fn process_object(&mut self, object: &Value, answer: &mut Answer) {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            return answer.fail(from_stream(object));
        }
        let (message, is_done) = (object.get("message"), object.get("done") == Some(&Value::Bool(true)));
        if message.is_none() && !is_done {
            return answer.note_unknown_json();
        }
        answer.start();
        if let Some(message) = message {
            let text = |key: &str| message.get(key).and_then(Value::as_str).unwrap_or_default();
            answer.push_reasoning(text("thinking"));
            // Old versions, and templates that Ollama does not know, leave reasoning between tags in the text.
            answer.push_tagged_text(text("content"));
            self.calls_tool |=
                message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
        }
        if is_done {
            answer.set_usage(Usage {
                prompt: parse_count(object, "prompt_eval_count"),
                answer: parse_count(object, "eval_count"),
                ..Usage::default()
            });
            answer.set_finish(match object.get("done_reason").and_then(Value::as_str) {
                Some("length") => FinishReason::Length,
                _ if self.calls_tool => FinishReason::ToolCall,
                _ => FinishReason::Stop,
            });
            answer.complete();
        }
    }
}
