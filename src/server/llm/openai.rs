//! Models behind an OpenAI-compatible endpoint.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Response;
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    DeltaStream, FinishReason, Model, ModelError, Prompt,
    remote::{Answer, Event, Exchange, Interface, ModelList, Remembered, Service, from_stream, stream_answer},
};
use crate::server::egress::Egress;

mod chunk;
mod quirks;
mod wire;

pub use super::remote::Limits;

use chunk::{Chunk, End};
use quirks::Quirks;

/// The path of chat requests.
const CHAT_PATH: &str = "/chat/completions";

/// An OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Endpoint {
    service: Service,
    context: u32,
    /// The quirks assumed for models about which nothing is known yet.
    default_quirks: Quirks,
    /// The quirks of models that refused the default request format.
    quirks: Remembered<Quirks>,
}

impl Endpoint {
    /// An endpoint at `base_url` (such as `http://127.0.0.1:11434/v1`) whose models have a context window of `context`
    /// tokens.
    pub fn new(egress: Egress, base_url: &str, key: Option<SecretString>, context: u32, limits: Limits) -> Self {
        let service = Service::new(egress, base_url, key, limits);
        Self { service, context, default_quirks: Quirks::default(), quirks: Remembered::default() }
    }

    /// For models without the role `system`: the system prompt goes at the beginning of the first message.
    #[must_use]
    pub fn without_system_role(mut self) -> Self {
        self.default_quirks.no_system_role = true;
        self
    }

    async fn list_models_at(&self, path: &str, timeout: Duration) -> Result<ModelList, ModelError> {
        ModelList::from_json(&self.service.get_json(path, Instant::now() + timeout).await?)
    }

    /// Requests an answer. Returns the response and the number of oldest turns that were omitted. If a model rejects
    /// the request format, the request is retried in another format, and the format that works is remembered. Gives up
    /// at `until`.
    async fn request_answer(
        &self,
        model: &str,
        prompt: &Prompt,
        until: Instant,
    ) -> Result<(Response, usize), ModelError> {
        let known = self.quirks.get(model).unwrap_or(self.default_quirks);
        let mut quirks = known;
        loop {
            let (messages, truncated_messages) =
                wire::messages(prompt, self.context, !quirks.no_system_role).ok_or_else(ModelError::too_long)?;
            let request = wire::Request::new(model, &messages, !quirks.no_stream, !quirks.no_usage);
            match self.service.post(CHAT_PATH, &request, until).await? {
                Ok(response) => {
                    if quirks != known {
                        tracing::info!(model, ?quirks, "the model rejected the request format; using another one");
                        self.quirks.insert(model, quirks);
                    }
                    return Ok((response, truncated_messages));
                }
                // Each retry rules out one format, so the loop terminates.
                Err(rejection) => quirks = quirks.fallback(&rejection).ok_or_else(|| rejection.to_error())?,
            }
        }
    }
}

#[async_trait]
impl Interface for Endpoint {
    fn model(self: Arc<Self>, name: String) -> Arc<dyn Model> {
        Arc::new(OpenAi::new(self, name))
    }

    async fn list_models(&self, timeout: Duration) -> Result<ModelList, ModelError> {
        self.list_models_at("/models", timeout).await
    }

    fn list_url(&self) -> String {
        format!("{}/models", self.service.base_url())
    }

    async fn accepts_chat_requests(&self, timeout: Duration) -> bool {
        self.service.accepts(CHAT_PATH, &wire::Request::new("", &[], false, false), timeout).await
    }

    async fn list_is_under_v1(&self, timeout: Duration) -> bool {
        !self.service.base_url().ends_with("/v1") && self.list_models_at("/v1/models", timeout).await.is_ok()
    }
}

/// One model of an endpoint.
#[derive(Debug, Clone)]
pub struct OpenAi {
    endpoint: Arc<Endpoint>,
    name: String,
}

impl OpenAi {
    /// The model that the endpoint calls `name`.
    pub const fn new(endpoint: Arc<Endpoint>, name: String) -> Self {
        Self { endpoint, name }
    }
}

impl Model for OpenAi {
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> DeltaStream {
        stream_answer(self.clone(), prompt, stop)
    }
}

#[async_trait]
impl Exchange for OpenAi {
    fn limits(&self) -> &Limits {
        self.endpoint.service.limits()
    }

    async fn request(&mut self, prompt: &Prompt, until: Instant) -> Result<(Response, usize), ModelError> {
        self.endpoint.request_answer(&self.name, prompt, until).await
    }

    /// The answer ends with `[DONE]` or the end of the stream, never with the finish reason alone: some providers send
    /// one with every chunk. Only unnamed events, messages and errors have a meaning; nothing in a response is ever
    /// executed.
    fn process(&mut self, event: Event<'_>, last: bool, answer: &mut Answer) {
        if !matches!(event.name, "" | "message" | "error") {
            return;
        }
        if event.data.trim() == "[DONE]" {
            return answer.complete();
        }
        for object in answer.parse(event, last) {
            let chunk = Chunk::new(object);
            match chunk.error() {
                Some(error) => return answer.fail(from_stream(error)),
                None if event.name == "error" => return answer.fail(from_stream(chunk.value())),
                None => process_chunk(&chunk, answer),
            }
        }
    }
}

fn process_chunk(chunk: &Chunk, answer: &mut Answer) {
    if !chunk.is_part_of_answer() {
        answer.note_unknown_json();
        return;
    }
    answer.start();
    if let Some(counts) = chunk.usage() {
        answer.set_usage(counts);
    }
    chunk.write_to(answer);
    match chunk.end() {
        Some(End::Failed(failure)) => {
            answer.fail(ModelError::new(failure, "the provider ended the answer with an error"));
        }
        Some(End::Finish(finish)) => answer.set_finish(finish),
        None if chunk.is_whole_answer() => answer.set_finish(answer.finish().unwrap_or(FinishReason::Stop)),
        None => {}
    }
}
