//! Models behind any OpenAI-compatible endpoint.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    redirect,
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::{Deltas, Model, ModelError, Prompt, pieces};
use crate::domain::Failure;

mod faults;
mod reader;
mod sse;
mod wire;

use reader::Reader;

/// How much of an error's body is read, in bytes.
const ERROR_BYTES: usize = 64 * 1_024;
/// How much of a list of models is read, in bytes.
const LIST_BYTES: usize = 8 * 1_024 * 1_024;

/// How long an endpoint may take, and how much it may say.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the request to the first byte of the answer.
    pub first: Duration,
    /// Between two bytes. More than a minute, so that one token a minute still counts as going on.
    pub between: Duration,
    /// For the whole answer.
    pub whole: Duration,
    /// From the last piece of an answer to the end of its stream.
    pub after_end: Duration,
    /// The answer and the thinking together, in bytes.
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(120),
            between: Duration::from_secs(75),
            whole: Duration::from_secs(600),
            after_end: Duration::from_secs(5),
            answer: pieces::ANSWER_BYTES,
        }
    }
}

/// An OpenAI-compatible endpoint.
#[derive(Debug)]
pub struct Endpoint {
    client: Client,
    base_url: String,
    key: Option<SecretString>,
    context: u32,
    limits: Limits,
    /// Whether the endpoint is known to refuse `stream_options`.
    without_usage: AtomicBool,
}

/// The client for all endpoints: it follows no redirect, so that a key goes to no other host, and asks no proxy.
pub fn client() -> Client {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .user_agent(concat!("colloquy/", env!("CARGO_PKG_VERSION")))
    };
    builder().build().unwrap_or_else(|fault| {
        // A machine without any root certificate can still reach plain endpoints of its own network.
        tracing::warn!(%fault, "no root certificates: https endpoints cannot be reached");
        builder().tls_certs_only([]).build().expect("a client without certificates reads nothing from the machine")
    })
}

impl Endpoint {
    /// The endpoint under `base_url` (as `http://127.0.0.1:11434/v1`), whose models read `context` tokens.
    pub fn new(client: Client, base_url: &str, key: Option<SecretString>, context: u32, limits: Limits) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { client, base_url, key, context, limits, without_usage: AtomicBool::new(false) }
    }

    /// The names of the models that the endpoint offers, in its order.
    ///
    /// # Errors
    /// As for an answer: unreachable, refused, garbled and so on.
    pub async fn models(&self) -> Result<Vec<String>, ModelError> {
        #[derive(Deserialize)]
        struct List {
            data: Vec<Entry>,
        }
        #[derive(Deserialize)]
        struct Entry {
            id: String,
        }

        let request = self.client.get(format!("{}/models", self.base_url)).header(ACCEPT, "application/json");
        let response = self.authorize(request)?.send().await.map_err(faults::of_send)?;
        let status = response.status();
        if !status.is_success() {
            return Err(faults::of_status(status.as_u16(), &read_beginning(response, ERROR_BYTES).await));
        }
        let body = read_beginning(response, LIST_BYTES).await;
        let list: List = serde_json::from_slice(&body).map_err(|fault| {
            ModelError::new(Failure::Garbled, format!("the list of models: {}", describe_json(&fault)))
        })?;
        Ok(list.data.into_iter().map(|entry| entry.id).collect())
    }

    /// Asks for an answer and returns the response, once it is known to be a stream of events.
    async fn ask(&self, model: &str, messages: &[wire::Message<'_>]) -> Result<Response, ModelError> {
        let usage = !self.without_usage.load(Ordering::Relaxed);
        match self.post(&wire::Request::new(model, messages, usage)).await? {
            Ok(response) => Ok(response),
            Err(refusal) if usage && refusal.names_usage() => {
                self.without_usage.store(true, Ordering::Relaxed);
                self.post(&wire::Request::new(model, messages, false)).await?.map_err(|refusal| refusal.fault())
            }
            Err(refusal) => Err(refusal.fault()),
        }
    }

    async fn post(&self, body: &wire::Request<'_>) -> Result<Result<Response, Refusal>, ModelError> {
        let request = self.client.post(format!("{}/chat/completions", self.base_url));
        let request = request.header(ACCEPT, "text/event-stream").json(body);
        let response = self.authorize(request)?.send().await.map_err(faults::of_send)?;
        let status = response.status();
        if status != StatusCode::OK {
            return Ok(Err(Refusal { status, body: read_beginning(response, ERROR_BYTES).await }));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("none");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "text/event-stream" => Ok(Ok(response)),
            "application/json" => Err(fault_in_json(&read_beginning(response, ERROR_BYTES).await)),
            _ => Err(ModelError::new(Failure::Garbled, "the provider did not answer with a stream of events")),
        }
    }

    fn authorize(&self, request: reqwest::RequestBuilder) -> Result<reqwest::RequestBuilder, ModelError> {
        let Some(key) = &self.key else { return Ok(request) };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .map_err(|_| ModelError::new(Failure::Refused, "the key holds characters that no header can carry"))?;
        value.set_sensitive(true);
        Ok(request.header(AUTHORIZATION, value))
    }
}

/// A status that is not a success, and the beginning of what came with it.
struct Refusal {
    status: StatusCode,
    body: Vec<u8>,
}

impl Refusal {
    /// Whether the provider does not know how to count tokens in a stream.
    fn names_usage(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body);
        matches!(self.status.as_u16(), 400 | 422) && (text.contains("stream_options") || text.contains("include_usage"))
    }

    fn fault(&self) -> ModelError {
        faults::of_status(self.status.as_u16(), &self.body)
    }
}

/// A provider that answers a request for a stream with one JSON object reports an error, or does not stream.
fn fault_in_json(body: &[u8]) -> ModelError {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    match json.get("error") {
        Some(error) => faults::of_stream(error),
        None => ModelError::new(Failure::Garbled, "the provider answered with JSON in place of a stream"),
    }
}

/// The beginning of a body, as far as it comes.
async fn read_beginning(mut response: Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            break;
        }
    }
    body
}

/// Where JSON is wrong, without repeating any of it.
fn describe_json(fault: &serde_json::Error) -> String {
    format!("{:?} error at column {}", fault.classify(), fault.column())
}

/// One model of an endpoint.
#[derive(Debug, Clone)]
pub struct OpenAi {
    endpoint: Arc<Endpoint>,
    name: String,
}

impl OpenAi {
    /// The model that the endpoint knows under `name`.
    pub const fn new(endpoint: Arc<Endpoint>, name: String) -> Self {
        Self { endpoint, name }
    }
}

impl Model for OpenAi {
    fn answer(&self, prompt: Prompt, stop: CancellationToken) -> Deltas {
        let reader = Reader::new(self.clone(), prompt);
        // Ending the stream drops the reader, and with it the connection.
        stream::unfold((reader, stop), |(mut reader, stop)| async move {
            let item = match reader.ready() {
                Some(item) => item,
                None => stop.run_until_cancelled(reader.next()).await??,
            };
            (!stop.is_cancelled()).then_some((item, (reader, stop)))
        })
        .boxed()
    }
}
