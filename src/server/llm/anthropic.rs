//! Models behind Anthropic's Messages API.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use reqwest::Response;
use secrecy::SecretString;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    DeltaStream, Model, ModelError, Prompt,
    remote::{
        Answer, Event, Exchange, Interface, Limits, ModelList, Remembered, Service, fit, parse_known_count,
        path_segment, stream_answer,
    },
};
use crate::server::egress::Egress;

mod events;
mod wire;

use events::Reading;

/// The path of chat requests.
const CHAT_PATH: &str = "/v1/messages";
/// The path of the model list, as long as it can be.
const LIST_PATH: &str = "/v1/models?limit=1000";
/// The version of the interface.
const VERSION: &str = "2023-06-01";

/// An endpoint with the Messages API.
#[derive(Debug)]
pub struct Endpoint {
    service: Service,
    /// The context window of its models in tokens, if it is configured.
    context: Option<u32>,
    known: Remembered<ModelInfo>,
}

/// What a request depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ModelInfo {
    /// The context window in tokens.
    context: u32,
    /// The longest answer in tokens.
    max_output: u32,
    /// Whether the model decides itself how much it thinks.
    has_adaptive_thinking: bool,
}

impl ModelInfo {
    /// The assumptions about a model of which the provider tells nothing. All current models can do this.
    const UNKNOWN: Self = Self { context: 200_000, max_output: 8_192, has_adaptive_thinking: false };

    fn of(model: &Value) -> Self {
        let count = |key: &str, unknown: u32| parse_known_count(model, key).unwrap_or(unknown);
        Self {
            context: count("max_input_tokens", Self::UNKNOWN.context).max(wire::MIN_CONTEXT),
            max_output: count("max_tokens", Self::UNKNOWN.max_output),
            has_adaptive_thinking: model.pointer("/capabilities/thinking/types/adaptive/supported")
                == Some(&Value::Bool(true)),
        }
    }
}

impl Endpoint {
    /// An endpoint at `base_url` (such as `https://api.anthropic.com`). `context` is the context window of its models in
    /// tokens, unless the provider is to be asked for it.
    pub fn new(
        egress: Egress,
        base_url: &str,
        key: Option<SecretString>,
        context: Option<u32>,
        limits: Limits,
    ) -> Self {
        let service = Service::new(egress, base_url, key, limits)
            .with_key_header("x-api-key")
            .with_version("anthropic-version", VERSION);
        Self { service, context, known: Remembered::default() }
    }

    /// What is known about a model, or what the provider says now. Without an answer of the provider, the request is
    /// cautious.
    async fn info(&self, model: &str, until: Instant) -> ModelInfo {
        let Some(segment) = path_segment(model) else { return ModelInfo::UNKNOWN };
        let path = format!("/v1/models/{segment}");
        let told = self.known.get_or_ask(model, &self.service, &path, until, ModelInfo::of).await;
        told.unwrap_or(ModelInfo::UNKNOWN)
    }
}

#[async_trait]
impl Interface for Endpoint {
    fn model(self: Arc<Self>, name: String) -> Arc<dyn Model> {
        Arc::new(Anthropic { endpoint: self, name })
    }

    async fn list_models(&self, timeout: Duration) -> Result<ModelList, ModelError> {
        let json = self.service.get_json(LIST_PATH, Instant::now() + timeout).await?;
        let models = json.get("data").and_then(Value::as_array).ok_or_else(ModelList::missing)?;
        let mut listed = ModelList::default();
        for model in models {
            let name = model.get("id").and_then(Value::as_str);
            let context = parse_known_count(model, "max_input_tokens");
            listed.add(name, self.context.or(context));
            if let (Some(name), Some(_)) = (name, context) {
                self.known.insert(name, ModelInfo::of(model));
            }
        }
        Ok(listed)
    }

    fn list_url(&self) -> String {
        format!("{}/v1/models", self.service.base_url())
    }

    async fn accepts_chat_requests(&self, timeout: Duration) -> bool {
        self.service.accepts(CHAT_PATH, &serde_json::json!({}), timeout).await
    }
}

/// One model of an endpoint.
#[derive(Debug)]
struct Anthropic {
    endpoint: Arc<Endpoint>,
    name: String,
}

impl Model for Anthropic {
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> DeltaStream {
        let (endpoint, model) = (Arc::clone(&self.endpoint), self.name.clone());
        stream_answer(Conversing { endpoint, model, reading: Reading::default() }, prompt, stop)
    }
}

/// One answer.
#[derive(Debug)]
struct Conversing {
    endpoint: Arc<Endpoint>,
    model: String,
    reading: Reading,
}

#[async_trait]
impl Exchange for Conversing {
    fn limits(&self) -> &Limits {
        self.endpoint.service.limits()
    }

    async fn request(&mut self, prompt: &Prompt, until: Instant) -> Result<(Response, usize), ModelError> {
        let info = self.endpoint.info(&self.model, until).await;
        let context = self.endpoint.context.unwrap_or(info.context);
        let conversation = fit(prompt, context).ok_or_else(ModelError::too_long)?.starting_with_user();
        let payload =
            wire::Request::new(&self.model, &conversation, context, info.max_output, info.has_adaptive_thinking);
        match self.endpoint.service.post(CHAT_PATH, &payload, until).await? {
            Ok(response) => Ok((response, conversation.truncated_messages)),
            Err(rejection) => Err(rejection.to_error()),
        }
    }

    fn process(&mut self, event: Event<'_>, last: bool, answer: &mut Answer) {
        for object in answer.parse(event, last) {
            self.reading.process(event.name, &object, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_provider_tells_what_a_model_can_do() {
        let adaptive = json!({"thinking": {"supported": true, "types": {"adaptive": {"supported": true}}}});
        let manual = json!({"thinking": {"supported": true, "types": {"adaptive": {"supported": false}}}});
        for (model, context, max_output, has_adaptive_thinking) in [
            (
                json!({"max_input_tokens": 1_000_000, "max_tokens": 128_000, "capabilities": adaptive}),
                1_000_000,
                128_000,
                true,
            ),
            (
                json!({"max_input_tokens": 200_000, "max_tokens": 64_000, "capabilities": manual}),
                200_000,
                64_000,
                false,
            ),
            (json!({"max_input_tokens": 0, "max_tokens": null, "capabilities": null}), 200_000, 8_192, false),
            (json!({"max_input_tokens": 1, "max_tokens": 5}), wire::MIN_CONTEXT, 5, false),
            (json!([]), 200_000, 8_192, false),
        ] {
            let expected = ModelInfo { context, max_output, has_adaptive_thinking };
            assert_eq!(ModelInfo::of(&model), expected, "{model}");
        }
    }
}
