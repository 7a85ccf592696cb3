//! What all interfaces of providers over HTTP share: requests with a key, the formats of bodies, errors, lists of
//! models, and reading an answer. Each interface is a module beside this one.

use std::{
    collections::HashMap,
    fmt::Debug,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use axum::http::{
    HeaderName, Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    request::Builder,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Response;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{Model, ModelError, delta_buffer};
use crate::{
    domain::Failure,
    server::egress::{Egress, EgressError, Source, read_prefix},
};

mod body;
mod conversation;
mod errors;
mod json;
mod list;
mod reader;
mod repair;
mod sse;

pub use conversation::{Conversation, Message, fit};
pub use errors::{from_status, from_stream};
pub use json::{describe_json_error, parse_count, parse_known_count, parse_number, parse_objects};
pub use list::ModelList;
pub use reader::{Answer, Exchange, stream_answer};
pub use sse::Event;

/// The maximum size of an error body that is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 * 1_024;
/// The maximum size of a model list that is read, in bytes.
const MAX_LIST_BYTES: usize = 8 * 1_024 * 1_024;
/// The maximum number of models about which something is remembered.
const MAX_REMEMBERED: usize = 1_000;
/// How long an answer waits for what is not known about its model yet.
pub const INFO_TIMEOUT: Duration = Duration::from_secs(3);

/// Timeouts and size limits for the answers of a provider.
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

/// The interface of a provider.
#[async_trait]
pub trait Interface: Send + Sync + Debug {
    /// The model that the provider calls `name`. Nothing is requested before its first answer.
    fn model(self: Arc<Self>, name: String) -> Arc<dyn Model>;

    /// Lists the models of the provider, in its order. Takes at most `timeout`.
    ///
    /// # Errors
    /// As for an answer: unreachable, refused, garbled and so on.
    async fn list_models(&self, timeout: Duration) -> Result<ModelList, ModelError>;

    /// The address of the model list, for messages to the operator.
    fn list_url(&self) -> String;

    /// Whether the provider accepts chat requests. Sends a request that must be rejected with something other than "not
    /// found". Costs no tokens and takes at most `timeout`.
    async fn accepts_chat_requests(&self, timeout: Duration) -> bool;

    /// Whether the model list exists under `/v1` and the configured address lacks this ending. Takes at most `timeout`.
    async fn list_is_under_v1(&self, _timeout: Duration) -> bool {
        false
    }
}

/// The HTTP service of a provider: its address, its key and its limits.
#[derive(Debug)]
pub struct Service {
    egress: Egress,
    base_url: String,
    key: Option<SecretString>,
    /// The header with the key, and what precedes the key in it.
    key_header: (HeaderName, &'static str),
    /// A header that every request needs.
    version: Option<(&'static str, &'static str)>,
    limits: Limits,
}

impl Service {
    /// A service at `base_url`, to which the key is sent as a bearer token.
    pub fn new(egress: Egress, base_url: &str, key: Option<SecretString>, limits: Limits) -> Self {
        let base_url = base_url.trim_end_matches('/').to_owned();
        Self { egress, base_url, key, key_header: (AUTHORIZATION, "Bearer "), version: None, limits }
    }

    /// Sends the key in this header instead.
    #[must_use]
    pub fn with_key_header(mut self, name: &'static str) -> Self {
        self.key_header = (HeaderName::from_static(name), "");
        self
    }

    /// Sends this header with every request.
    #[must_use]
    pub fn with_version(mut self, name: &'static str, value: &'static str) -> Self {
        self.version = Some((name, value));
        self
    }

    /// The address.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The limits of an answer.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Requests a small JSON document, such as a model list. `path` begins with a slash. Gives up at `until`.
    ///
    /// # Errors
    /// No response, an error status, or a body that is not JSON.
    pub async fn get_json(&self, path: &str, until: Instant) -> Result<Value, ModelError> {
        let request = Request::get(format!("{}{path}", self.base_url)).header(ACCEPT, "application/json");
        self.fetch_json(request, Vec::new(), until).await
    }

    /// Like [`Service::get_json`], with a body.
    ///
    /// # Errors
    /// As [`Service::get_json`].
    pub async fn post_for_json(
        &self,
        path: &str,
        payload: &(impl Serialize + Sync),
        until: Instant,
    ) -> Result<Value, ModelError> {
        let request = Request::post(format!("{}{path}", self.base_url))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        self.fetch_json(request, to_body(payload)?, until).await
    }

    async fn fetch_json(&self, request: Builder, body: Vec<u8>, until: Instant) -> Result<Value, ModelError> {
        let fetching = async {
            let response = self.send(request, body, until).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(from_status(status.as_u16(), &read_prefix(response, MAX_ERROR_BYTES).await));
            }
            json::parse_document(&read_prefix(response, MAX_LIST_BYTES).await)
        };
        timeout_at(until, fetching).await.unwrap_or_else(|_| Err(EgressError::TimedOut.into()))
    }

    /// Posts a chat request and waits until `until` for the response head.
    ///
    /// # Errors
    /// No response. An error status is an [`ErrorResponse`].
    pub async fn post(
        &self,
        path: &str,
        payload: &(impl Serialize + Sync),
        until: Instant,
    ) -> Result<Result<Response, ErrorResponse>, ModelError> {
        let request = Request::post(format!("{}{path}", self.base_url))
            .header(ACCEPT, "text/event-stream, application/json;q=0.9")
            .header(CONTENT_TYPE, "application/json");
        let response = self.send(request, to_body(payload)?, until).await?;
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        Ok(Err(ErrorResponse { status: status.as_u16(), body: read_prefix(response, MAX_ERROR_BYTES).await }))
    }

    /// Whether chat requests are accepted at this path: posts an invalid one, which must be rejected with something
    /// other than "not found" and not be answered with a web page.
    pub async fn accepts(&self, path: &str, invalid: &(impl Serialize + Sync), timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        match timeout_at(until, self.post(path, invalid, until)).await {
            Ok(Ok(Ok(response))) => {
                let content_type =
                    response.headers().get(CONTENT_TYPE).and_then(|content_type| content_type.to_str().ok());
                !content_type.is_some_and(|content_type| content_type.contains("html"))
            }
            Ok(Ok(Err(rejection))) => !matches!(rejection.status, 300..=399 | 404 | 405 | 501),
            Ok(Err(_)) | Err(_) => false,
        }
    }

    /// Sends a request with the API key and waits for the response headers.
    async fn send(&self, request: Builder, body: Vec<u8>, until: Instant) -> Result<Response, ModelError> {
        let request = match self.version {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        let mut request = request.body(body).map_err(|fault| EgressError::Address(fault.to_string()))?;
        if let Some(key) = &self.key {
            let (name, prefix) = &self.key_header;
            let mut value = HeaderValue::from_str(&format!("{prefix}{}", key.expose_secret())).map_err(|_| {
                ModelError::new(Failure::Refused, "the API key contains characters that are not allowed in a header")
            })?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(self.egress.send(request, Source::Configuration, until).await?)
    }
}

fn to_body(payload: &impl Serialize) -> Result<Vec<u8>, ModelError> {
    serde_json::to_vec(payload).map_err(|fault| ModelError::new(Failure::Rejected, describe_json_error(&fault)))
}

/// A model's name as one segment of a path. `None` for a name that a URL cannot contain.
pub fn path_segment(name: &str) -> Option<String> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');
    (!matches!(name, "." | "..")).then(|| utf8_percent_encode(name, ESCAPED).to_string())
}

/// A response with an error status.
#[derive(Debug)]
pub struct ErrorResponse {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl ErrorResponse {
    /// The error to report.
    pub fn to_error(&self) -> ModelError {
        from_status(self.status, &self.body)
    }
}

/// What was learnt about the models of a provider, by name.
#[derive(Debug)]
pub struct Remembered<T>(Mutex<HashMap<String, T>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// What is known about a model.
    pub fn get(&self, model: &str) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(model).cloned()
    }

    /// What is known about a model, or what the provider tells at this path, for which an answer waits at most until
    /// `until`. `None` if it tells nothing; it is asked again for the next answer, because a gateway may know the model
    /// later.
    pub async fn get_or_ask(
        &self,
        model: &str,
        service: &Service,
        path: &str,
        until: Instant,
        parse: fn(&Value) -> T,
    ) -> Option<T> {
        if let Some(known) = self.get(model) {
            return Some(known);
        }
        let described = service.get_json(path, until.min(Instant::now() + INFO_TIMEOUT)).await.ok()?;
        let info = parse(&described);
        self.insert(model, info.clone());
        Some(info)
    }

    /// Remembers something about a model, unless too many are known already.
    pub fn insert(&self, model: &str, value: T) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MAX_REMEMBERED || known.contains_key(model) {
            known.insert(model.to_owned(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_models_cannot_leave_their_segment() {
        for (name, segment) in [
            ("claude-opus-4-6", Some("claude-opus-4-6")),
            ("qwen3:8b", Some("qwen3:8b")),
            ("gemini-2.5-flash", Some("gemini-2.5-flash")),
            ("../keys?x#y", Some("..%2Fkeys%3Fx%23y")),
            ("a\\b %2e", Some("a%5Cb%20%252e")),
            ("né", Some("n%C3%A9")),
            ("..", None),
            (".", None),
        ] {
            assert_eq!(path_segment(name).as_deref(), segment, "{name}");
        }
    }
}
