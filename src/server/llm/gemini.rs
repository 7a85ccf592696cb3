//! Models behind Google's Gemini API.

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
        Answer, ErrorResponse, Event, Exchange, Interface, Limits, ModelList, Remembered, Service, fit,
        parse_known_count, path_segment, stream_answer,
    },
};
use crate::{domain::Failure, server::egress::Egress};

mod events;
mod wire;

use events::Reading;

/// The path of the model list, as long as it can be.
const LIST_PATH: &str = "/models?pageSize=1000";
/// What precedes the names of models in the list.
const NAME_PREFIX: &str = "models/";
/// The smallest context window in tokens that a request is made for.
const MIN_CONTEXT: u32 = 256;

/// An endpoint with the Gemini API.
#[derive(Debug)]
pub struct Endpoint {
    service: Service,
    /// The context window of its models in tokens, if it is configured.
    context: Option<u32>,
    known: Remembered<ModelInfo>,
    /// The models that reject system instructions.
    without_instructions: Remembered<()>,
}

/// What a request depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ModelInfo {
    /// The longest prompt in tokens.
    context: u32,
    /// Whether the model thinks, and can send a summary of it.
    thinks: bool,
}

impl ModelInfo {
    /// The assumptions about a model of which the provider tells nothing.
    const UNKNOWN: Self = Self { context: 32_768, thinks: false };

    fn of(model: &Value) -> Self {
        let context = parse_known_count(model, "inputTokenLimit");
        Self {
            context: context.unwrap_or(Self::UNKNOWN.context).max(MIN_CONTEXT),
            thinks: model.get("thinking") == Some(&Value::Bool(true)),
        }
    }
}

impl Endpoint {
    /// An endpoint at `base_url` (such as `https://generativelanguage.googleapis.com/v1beta`). `context` is the context
    /// window of its models in tokens, unless the provider is to be asked for it.
    pub fn new(
        egress: Egress,
        base_url: &str,
        key: Option<SecretString>,
        context: Option<u32>,
        limits: Limits,
    ) -> Self {
        let service = Service::new(egress, base_url, key, limits).with_key_header("x-goog-api-key");
        Self { service, context, known: Remembered::default(), without_instructions: Remembered::default() }
    }

    /// What is known about a model, or what the provider says now. `segment` is its name as part of a path.
    async fn info(&self, model: &str, segment: &str, until: Instant) -> ModelInfo {
        let path = format!("/models/{segment}");
        let told = self.known.get_or_ask(model, &self.service, &path, until, ModelInfo::of).await;
        told.unwrap_or(ModelInfo::UNKNOWN)
    }
}

#[async_trait]
impl Interface for Endpoint {
    fn model(self: Arc<Self>, name: String) -> Arc<dyn Model> {
        Arc::new(Gemini { endpoint: self, name })
    }

    /// Only models that generate text.
    async fn list_models(&self, timeout: Duration) -> Result<ModelList, ModelError> {
        let json = self.service.get_json(LIST_PATH, Instant::now() + timeout).await?;
        let models = json.get("models").and_then(Value::as_array).ok_or_else(ModelList::missing)?;
        let mut listed = ModelList::default();
        for model in models {
            let methods = model.get("supportedGenerationMethods").and_then(Value::as_array);
            if methods.is_some_and(|methods| !methods.iter().any(|method| method == "generateContent")) {
                continue;
            }
            let name = model.get("name").and_then(Value::as_str);
            let name = name.map(|name| name.strip_prefix(NAME_PREFIX).unwrap_or(name));
            let context = parse_known_count(model, "inputTokenLimit");
            listed.add(name, self.context.or(context));
            if let (Some(name), Some(_)) = (name, context) {
                self.known.insert(name, ModelInfo::of(model));
            }
        }
        Ok(listed)
    }

    fn list_url(&self) -> String {
        format!("{}/models", self.service.base_url())
    }

    /// The path of a chat request contains a model, and without one the API answers "not found".
    async fn accepts_chat_requests(&self, _timeout: Duration) -> bool {
        false
    }
}

/// One model of an endpoint.
#[derive(Debug)]
struct Gemini {
    endpoint: Arc<Endpoint>,
    name: String,
}

impl Model for Gemini {
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
        let endpoint = &self.endpoint;
        let segment = path_segment(&self.model)
            .ok_or_else(|| ModelError::new(Failure::ModelGone, "the name of the model cannot be part of an address"))?;
        let info = endpoint.info(&self.model, &segment, until).await;
        let conversation = fit(prompt, endpoint.context.unwrap_or(info.context))
            .ok_or_else(ModelError::too_long)?
            .starting_with_user();
        let path = format!("/models/{segment}:streamGenerateContent?alt=sse");
        let knows_instructions = endpoint.without_instructions.get(&self.model).is_none();
        let payload = wire::Request::new(&conversation, knows_instructions, info.thinks);
        let rejection = match endpoint.service.post(&path, &payload, until).await? {
            Ok(response) => return Ok((response, conversation.truncated_messages)),
            Err(rejection) if knows_instructions && rejects_instructions(&rejection) => {
                let payload = wire::Request::new(&conversation, false, info.thinks);
                match endpoint.service.post(&path, &payload, until).await? {
                    Ok(response) => {
                        endpoint.without_instructions.insert(&self.model, ());
                        return Ok((response, conversation.truncated_messages));
                    }
                    Err(rejection) => rejection,
                }
            }
            Err(rejection) => rejection,
        };
        Err(rejection.to_error())
    }

    fn process(&mut self, event: Event<'_>, last: bool, answer: &mut Answer) {
        for object in answer.parse(event, last) {
            self.reading.process(&object, answer);
        }
    }
}

/// Whether the model has no system instructions, such as Gemma.
fn rejects_instructions(rejection: &ErrorResponse) -> bool {
    let body: Value = serde_json::from_slice(&rejection.body).unwrap_or_default();
    let body = if body.is_array() { body[0].clone() } else { body };
    let message = body.pointer("/error/message").and_then(Value::as_str).unwrap_or_default().to_lowercase();
    rejection.status == 400 && (message.contains("developer instruction") || message.contains("system instruction"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_provider_tells_what_a_model_can_do() {
        for (model, context, thinks) in [
            (json!({"inputTokenLimit": 1_048_576, "thinking": true}), 1_048_576, true),
            (json!({"inputTokenLimit": 131_072}), 131_072, false),
            (json!({"inputTokenLimit": 0, "thinking": "yes"}), 32_768, false),
            (json!({"inputTokenLimit": 1}), MIN_CONTEXT, false),
            (json!([]), 32_768, false),
        ] {
            assert_eq!(ModelInfo::of(&model), ModelInfo { context, thinks }, "{model}");
        }
    }

    #[test]
    fn only_the_rejection_of_instructions_is_answered_with_another_request() {
        for (status, message, rejects) in [
            (400, "Developer instruction is not enabled for models/gemma-3-27b-it", true),
            (400, "System instruction is not supported", true),
            (403, "Developer instruction is not enabled", false),
            (400, "API key not valid. Please pass a valid API key.", false),
        ] {
            for body in [json!({"error": {"message": message}}), json!([{"error": {"message": message}}])] {
                let response = ErrorResponse { status, body: body.to_string().into() };
                assert_eq!(rejects_instructions(&response), rejects, "{status} {body}");
            }
        }
        assert!(!rejects_instructions(&ErrorResponse { status: 400, body: b"<html>developer instruction".to_vec() }));
    }
}
