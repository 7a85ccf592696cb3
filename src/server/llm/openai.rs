//! Models behind an OpenAI-compatible endpoint.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{
    Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    request::Builder,
};
use futures::{StreamExt, stream};
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{DeltaStream, Model, ModelError, Prompt, delta_buffer};
use crate::{
    domain::Failure,
    server::egress::{Egress, EgressError, Source, read_prefix},
};

mod body;
mod chunk;
mod errors;
mod list;
mod quirks;
mod reader;
mod repair;
mod sse;
mod wire;

pub use list::ModelList;

use quirks::{ErrorResponse, Quirks};
use reader::AnswerReader;

/// The maximum size of an error body that is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1_024;
/// The maximum size of a model list that is read, in bytes.
const MAX_LIST_BYTES: usize = 8 * 1_024 * 1_024;
/// The maximum number of models whose quirks are remembered.
const MAX_REMEMBERED_QUIRKS: usize = 1_000;

/// Timeouts and size limits for the answers of an endpoint.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the request to the first byte of the response.
    pub first_byte_timeout: Duration,
    /// Between two bytes. More than a minute, so that one token a minute still counts as progress.
    pub idle_timeout: Duration,
    /// For the whole answer.
    pub total_timeout: Duration,
    /// Maximum size of answer and reasoning together, in bytes.
    pub max_answer_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_byte_timeout: Duration::from_secs(120),
            idle_timeout: Duration::from_secs(75),
            total_timeout: Duration::from_secs(600),
            max_answer_bytes: delta_buffer::MAX_ANSWER_BYTES,
        }
    }
}

/// An OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Endpoint {
    egress: Egress,
    base_url: String,
    key: Option<SecretString>,
    context: u32,
    limits: Limits,
    /// The quirks assumed for models about which nothing is known yet.
    default_quirks: Quirks,
    /// The quirks of models that refused the default request format.
    quirks: Mutex<HashMap<String, Quirks>>,
}

impl Endpoint {
    /// An endpoint at `base_url` (such as `http://127.0.0.1:11434/v1`) whose models have a context window of `context`
    /// tokens.
    pub fn new(egress: Egress, base_url: &str, key: Option<SecretString>, context: u32, limits: Limits) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { egress, base_url, key, context, limits, default_quirks: Quirks::default(), quirks: Mutex::default() }
    }

    /// For models without the role `system`: the system prompt goes at the beginning of the first message.
    #[must_use]
    pub fn without_system_role(mut self) -> Self {
        self.default_quirks.no_system_role = true;
        self
    }

    /// Lists the models of the endpoint, in its order. Takes at most `timeout`.
    ///
    /// # Errors
    /// As for an answer: unreachable, refused, garbled and so on.
    pub async fn list_models(&self, timeout: Duration) -> Result<ModelList, ModelError> {
        self.list_models_at("", timeout).await
    }

    /// Like [`Endpoint::list_models`], with `suffix` appended to the base URL.
    ///
    /// # Errors
    /// As [`Endpoint::list_models`].
    pub async fn list_models_at(&self, suffix: &str, timeout: Duration) -> Result<ModelList, ModelError> {
        let until = Instant::now() + timeout;
        let listing = async {
            let request = Request::get(format!("{}{suffix}/models", self.base_url)).header(ACCEPT, "application/json");
            let response = self.send(request, Vec::new(), until).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(errors::from_status(status.as_u16(), &read_prefix(response, MAX_ERROR_BYTES).await));
            }
            ModelList::parse(&read_prefix(response, MAX_LIST_BYTES).await)
        };
        timeout_at(until, listing).await.unwrap_or_else(|_| Err(EgressError::TimedOut.into()))
    }

    /// Whether the endpoint accepts chat requests. Sends an empty request, which must be rejected with something other
    /// than "not found". Costs no tokens and takes at most `timeout`.
    pub async fn accepts_chat_requests(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let request = wire::Request::new("", &[], false, false);
        match timeout_at(until, self.post(&request, until)).await {
            Ok(Ok(Ok(response))) => {
                let content_type =
                    response.headers().get(CONTENT_TYPE).and_then(|content_type| content_type.to_str().ok());
                !content_type.is_some_and(|content_type| content_type.contains("html"))
            }
            Ok(Ok(Err(rejection))) => !matches!(rejection.status, 300..=399 | 404 | 405 | 501),
            Ok(Err(_)) | Err(_) => false,
        }
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
        let lock = || self.quirks.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(model).copied().unwrap_or(self.default_quirks);
        let mut quirks = known;
        loop {
            let (messages, truncated_messages) = wire::messages(prompt, self.context, !quirks.no_system_role)
                .ok_or_else(|| ModelError::new(Failure::TooLong, "the newest message does not fit into the context"))?;
            let request = wire::Request::new(model, &messages, !quirks.no_stream, !quirks.no_usage);
            match self.post(&request, until).await? {
                Ok(response) => {
                    if quirks != known {
                        tracing::info!(model, ?quirks, "the model rejected the request format; using another one");
                        let mut remembered = lock();
                        if remembered.len() < MAX_REMEMBERED_QUIRKS {
                            remembered.insert(model.to_owned(), quirks);
                        }
                    }
                    return Ok((response, truncated_messages));
                }
                // Each retry rules out one format, so the loop terminates.
                Err(rejection) => quirks = rejection.fallback(quirks).ok_or_else(|| rejection.to_error())?,
            }
        }
    }

    async fn post(
        &self,
        payload: &wire::Request<'_>,
        until: Instant,
    ) -> Result<Result<Response, ErrorResponse>, ModelError> {
        let request = Request::post(format!("{}/chat/completions", self.base_url))
            .header(ACCEPT, "text/event-stream, application/json;q=0.9")
            .header(CONTENT_TYPE, "application/json");
        let body = serde_json::to_vec(payload)
            .map_err(|fault| ModelError::new(Failure::Rejected, describe_json_error(&fault)))?;
        let response = self.send(request, body, until).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        Ok(Err(ErrorResponse { status: status.as_u16(), body: read_prefix(response, MAX_ERROR_BYTES).await }))
    }

    /// Sends a request with the API key and waits for the response headers.
    async fn send(&self, request: Builder, body: Vec<u8>, until: Instant) -> Result<Response, ModelError> {
        let mut request = request.body(body).map_err(|fault| EgressError::Address(fault.to_string()))?;
        if let Some(key) = &self.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret())).map_err(|_| {
                ModelError::new(Failure::Refused, "the API key contains characters that are not allowed in a header")
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(self.egress.send(request, Source::Configuration, until).await?)
    }
}

/// Describes a JSON error without repeating any of the input.
fn describe_json_error(fault: &serde_json::Error) -> String {
    format!("{:?} error at column {}", fault.classify(), fault.column())
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
        let reader = AnswerReader::new(self.clone(), prompt);
        // Ending the stream drops the reader and with it the connection.
        stream::unfold((reader, stop), |(mut reader, stop)| async move {
            let item = match reader.next_buffered() {
                Some(item) => item,
                None => stop.run_until_cancelled(reader.next()).await??,
            };
            (!stop.is_cancelled()).then_some((item, (reader, stop)))
        })
        .boxed()
    }
}
