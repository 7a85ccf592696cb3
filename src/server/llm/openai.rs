//! Models behind any OpenAI-compatible endpoint.

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

use super::{Deltas, Model, ModelError, Prompt, pieces};
use crate::{
    domain::Failure,
    server::egress::{Egress, EgressError, Source, read_beginning},
};

mod chunk;
mod faults;
mod frames;
mod habits;
mod list;
mod reader;
mod repair;
mod sse;
mod wire;

pub use list::Listed;

use habits::{Habits, Refusal};
use reader::Reader;

/// How much of an error's body is read, in bytes.
const ERROR_BYTES: usize = 64 * 1_024;
/// How much of a list of models is read, in bytes.
const LIST_BYTES: usize = 8 * 1_024 * 1_024;
/// Of how many models it is remembered how they want to be asked.
const REMEMBERED: usize = 1_000;

/// How long an endpoint may take, and how much it may say.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the request to the first byte of the answer.
    pub first: Duration,
    /// Between two bytes. More than a minute, so that one token a minute still counts as going on.
    pub between: Duration,
    /// For the whole answer.
    pub whole: Duration,
    /// The answer and the thinking together, in bytes.
    pub answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(120),
            between: Duration::from_secs(75),
            whole: Duration::from_secs(600),
            answer: pieces::ANSWER_BYTES,
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
    /// How models are asked of which nothing is known.
    usual: Habits,
    /// How the models want to be asked that refused the usual way.
    habits: Mutex<HashMap<String, Habits>>,
}

impl Endpoint {
    /// The endpoint under `base_url` (as `http://127.0.0.1:11434/v1`), whose models read `context` tokens.
    pub fn new(egress: Egress, base_url: &str, key: Option<SecretString>, context: u32, limits: Limits) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { egress, base_url, key, context, limits, usual: Habits::default(), habits: Mutex::default() }
    }

    /// The same, for models that know no role `system`: the instructions stand at the beginning of the first message.
    #[must_use]
    pub fn with_instructions_in_message(mut self) -> Self {
        self.usual.no_system_role = true;
        self
    }

    /// The models that the endpoint offers, in its order. Takes no longer than `patience`.
    ///
    /// # Errors
    /// As for an answer: unreachable, refused, garbled and so on.
    pub async fn models(&self, patience: Duration) -> Result<Listed, ModelError> {
        self.models_under("", patience).await
    }

    /// The same, where `more` stands behind the base address.
    ///
    /// # Errors
    /// As [`Endpoint::models`].
    pub async fn models_under(&self, more: &str, patience: Duration) -> Result<Listed, ModelError> {
        let until = Instant::now() + patience;
        let asked = async {
            let request = Request::get(format!("{}{more}/models", self.base_url)).header(ACCEPT, "application/json");
            let response = self.send(request, Vec::new(), until).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(faults::of_status(status.as_u16(), &read_beginning(response, ERROR_BYTES).await));
            }
            Listed::parse(&read_beginning(response, LIST_BYTES).await)
        };
        timeout_at(until, asked).await.unwrap_or_else(|_| Err(EgressError::TimedOut.into()))
    }

    /// Whether the endpoint takes questions at all: an empty one is refused, but not as something that is not there. Costs
    /// no tokens, and no longer than `patience`.
    pub async fn takes_questions(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let question = wire::Request::new("", &[], false, false);
        match timeout_at(until, self.post(&question, until)).await {
            Ok(Ok(Ok(response))) => {
                let label = response.headers().get(CONTENT_TYPE).and_then(|label| label.to_str().ok());
                !label.is_some_and(|label| label.contains("html"))
            }
            Ok(Ok(Err(refusal))) => !matches!(refusal.status, 300..=399 | 404 | 405 | 501),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Asks for an answer and returns the response, and how many of the oldest turns were left out. Where a model refuses
    /// the way in which it is asked, it is asked in another, and that is remembered if it works. Nobody waits for it after
    /// `until`.
    async fn ask(&self, model: &str, prompt: &Prompt, until: Instant) -> Result<(Response, usize), ModelError> {
        let lock = || self.habits.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().get(model).copied().unwrap_or(self.usual);
        let mut habits = known;
        loop {
            let (messages, left_out) = wire::messages(prompt, self.context, !habits.no_system_role)
                .ok_or_else(|| ModelError::new(Failure::TooLong, "the newest message does not fit into the context"))?;
            let request = wire::Request::new(model, &messages, !habits.no_stream, !habits.no_usage);
            match self.post(&request, until).await? {
                Ok(response) => {
                    if habits != known {
                        tracing::info!(model, ?habits, "a model is asked in another way from now on");
                        let mut remembered = lock();
                        if remembered.len() < REMEMBERED {
                            remembered.insert(model.to_owned(), habits);
                        }
                    }
                    return Ok((response, left_out));
                }
                // Each step rules one way out, so that this comes to an end.
                Err(refusal) => habits = refusal.other_way(habits).ok_or_else(|| refusal.fault())?,
            }
        }
    }

    async fn post(
        &self,
        question: &wire::Request<'_>,
        until: Instant,
    ) -> Result<Result<Response, Refusal>, ModelError> {
        let request = Request::post(format!("{}/chat/completions", self.base_url))
            .header(ACCEPT, "text/event-stream, application/json;q=0.9")
            .header(CONTENT_TYPE, "application/json");
        let body =
            serde_json::to_vec(question).map_err(|fault| ModelError::new(Failure::Rejected, describe_json(&fault)))?;
        let response = self.send(request, body, until).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        Ok(Err(Refusal { status: status.as_u16(), body: read_beginning(response, ERROR_BYTES).await }))
    }

    /// Sends a request with the key, and waits for the head of the answer.
    async fn send(&self, request: Builder, body: Vec<u8>, until: Instant) -> Result<Response, ModelError> {
        let mut request = request.body(body).map_err(|fault| EgressError::Address(fault.to_string()))?;
        if let Some(key) = &self.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
                .map_err(|_| ModelError::new(Failure::Refused, "the key holds characters that no header can carry"))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        Ok(self.egress.send(request, Source::Configuration, until).await?)
    }
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
