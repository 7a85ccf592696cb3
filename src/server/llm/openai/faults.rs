//! What went wrong at a provider, in Colloquy's terms. Details name no key and no text of a message: providers like to
//! repeat both in theirs.

use serde_json::Value;

use super::{super::ModelError, chunk::number};
use crate::{domain::Failure, server::egress::EgressError};

/// The longest text that is searched for what it says, in bytes.
const WORDS_BYTES: usize = 4_000;
/// How deep an error is searched.
const DEPTH: u32 = 5;
/// The most names of an error that the log gets.
const LABELS: usize = 4;

/// The fault behind an HTTP status that is not a success; `body` is the beginning of the answer.
pub fn of_status(status: u16, body: &[u8]) -> ModelError {
    let report = match serde_json::from_slice(body) {
        Ok(json) => Report::of(&json),
        Err(_) => Report { words: lowercase(&String::from_utf8_lossy(body)), ..Report::default() },
    };
    ModelError::new(
        report.failure(Some(status)),
        format!("the provider answered {status}{}", report.names(Some(status))),
    )
}

/// The fault behind an error in place of an answer, or of a part of it.
pub fn of_stream(error: &Value) -> ModelError {
    let report = Report::of(error);
    ModelError::new(report.failure(None), format!("the provider sent an error in its stream{}", report.names(None)))
}

/// What is known of an error, wherever the provider puts it.
#[derive(Debug, Default)]
struct Report {
    /// A status of HTTP.
    status: Option<u16>,
    /// The machine's names of the error, in small letters, and as they were written for the log.
    labels: Vec<String>,
    names: Vec<String>,
    /// What is said to people, in small letters. Never shown or logged, because it may repeat keys and messages.
    words: String,
}

impl Report {
    fn of(error: &Value) -> Self {
        let mut report = Self::default();
        report.search(error, DEPTH);
        report
    }

    fn search(&mut self, value: &Value, depth: u32) {
        match value {
            Value::String(text) => self.add_words(text),
            Value::Array(items) if depth > 0 => items.iter().take(10).for_each(|item| self.search(item, depth - 1)),
            Value::Object(fields) if depth > 0 => {
                for (key, value) in fields {
                    self.take(key, value, depth);
                }
            }
            _ => {}
        }
    }

    fn take(&mut self, key: &str, value: &Value, depth: u32) {
        match key {
            "code" | "status" | "status_code" | "statusCode" | "http_code" | "error_code" | "type" | "reason"
            | "error_type" | "__type" => {
                match number(value) {
                    Some(number @ 400..600) => self.status = self.status.or(u16::try_from(number).ok()),
                    Some(number) if number > 0 && number < 1_000_000 => self.names.push(format!("code {number}")),
                    _ => {}
                }
                if let Some(text) = value.as_str() {
                    self.labels.push(lowercase(text));
                    let is_new = !self.names.iter().any(|name| name == text);
                    self.names.extend((is_new && is_name(text)).then(|| text.to_owned()));
                }
            }
            "message" | "msg" | "error" | "detail" | "error_msg" | "error_message" | "error_description" | "title"
            | "description" | "raw" | "errors" | "details" | "metadata" => self.search(value, depth - 1),
            _ => {}
        }
    }

    fn add_words(&mut self, text: &str) {
        if self.words.len() < WORDS_BYTES {
            self.words.push(' ');
            self.words.push_str(&lowercase(text));
        }
    }

    /// What goes into the log.
    fn names(&self, status: Option<u16>) -> String {
        let code = self.status.filter(|code| Some(*code) != status).map(|code| format!("code {code}"));
        let names: Vec<String> = code.into_iter().chain(self.names.iter().cloned()).take(LABELS).collect();
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }

    fn failure(&self, status: Option<u16>) -> Failure {
        let named = |parts: &[&str]| self.labels.iter().any(|label| parts.iter().any(|part| label.contains(part)));
        let says = |parts: &[&str]| parts.iter().any(|part| self.words.contains(part));
        // A provider may know more than its HTTP server, which only says that something is wrong.
        let status = match (status, self.status) {
            (Some(400 | 500) | None, Some(inner)) => Some(inner),
            (outer, _) => outer,
        };
        let is_refusal = matches!(status, None | Some(400 | 413 | 422));
        match status {
            Some(402 | 409 | 425 | 429 | 529) => Failure::Busy,
            Some(300..=399) => Failure::Garbled,
            Some(408 | 504 | 524) => Failure::TimedOut,
            Some(404 | 410) => Failure::ModelGone,
            Some(403) if named(&["moderation"]) || says(&["moderation", "flagged"]) => Failure::Withheld,
            Some(401 | 403) => Failure::Refused,
            Some(413) => Failure::OverContext,
            _ if named(CONTEXT_LABELS) || (is_refusal || status == Some(500)) && says(CONTEXT_WORDS) => {
                Failure::OverContext
            }
            _ if named(KEY_LABELS) || is_refusal && says(KEY_WORDS) => Failure::Refused,
            _ if named(FILTER_LABELS) || is_refusal && says(FILTER_WORDS) => Failure::Withheld,
            _ if named(BUSY_LABELS) || says(BUSY_WORDS) => Failure::Busy,
            _ if named(MODEL_LABELS) || is_refusal && says(&["model"]) && says(MODEL_WORDS) => Failure::ModelGone,
            Some(503) => Failure::Busy,
            Some(400..=499) => Failure::Rejected,
            None if named(&["invalid_request", "invalid_argument", "badrequest"]) => Failure::Rejected,
            None | Some(500..=599) => Failure::Upstream,
            Some(_) => Failure::Garbled,
        }
    }
}

const CONTEXT_LABELS: &[&str] = &[
    "context_length",
    "exceed_context",
    "context_window",
    "prompt_too_long",
    "string_above_max_length",
    "input_too_long",
];
const CONTEXT_WORDS: &[&str] = &[
    "context length",
    "context window",
    "context size",
    "context_length",
    "maximum context",
    "context overflow",
    "context the overflows",
    "maximum prompt length",
    "maximum model length",
    "model token limit",
    "exceeds max length",
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input too long",
    "too many tokens",
    "maximum number of tokens",
    "max_new_tokens` must be",
    "maximum input length",
    "range of input length",
    "reduce the length",
    "tokens, which exceeds",
];
const KEY_LABELS: &[&str] =
    &["api_key", "apikey", "unauthorized", "unauthenticated", "authentication", "permission", "invalid_token"];
const KEY_WORDS: &[&str] =
    &["api key", "api_key", "apikey", "api-key", "unauthorized", "not authenticated", "authentication"];
const FILTER_LABELS: &[&str] =
    &["content_filter", "content_policy", "moderation", "data_inspection", "responsible_ai", "prohibited"];
const FILTER_WORDS: &[&str] = &["content policy", "content management policy", "content filter", "was flagged"];
const BUSY_LABELS: &[&str] = &[
    "rate_limit",
    "ratelimit",
    "quota",
    "overloaded",
    "resource_exhausted",
    "too_many_requests",
    "throttl",
    "unavailable",
    "capacity",
];
const BUSY_WORDS: &[&str] =
    &["rate limit", "too many requests", "overloaded", "exceeded your current quota", "at capacity", "server busy"];
const MODEL_LABELS: &[&str] = &["model_not_found", "model_not_exist", "invalid_model", "decommissioned"];
const MODEL_WORDS: &[&str] = &["not found", "not exist", "no such", "unknown model", "decommissioned"];

/// In small letters, not longer than is searched.
fn lowercase(text: &str) -> String {
    text[..text.floor_char_boundary(WORDS_BYTES)].to_lowercase()
}

/// Whether a text is the machine's name of an error, and no key or message: `rate_limit`, `API_KEY_INVALID`,
/// `BadRequestError`.
fn is_name(text: &str) -> bool {
    let all = |is: fn(&u8) -> bool| text.as_bytes().iter().all(|byte| is(byte) || *byte == b'_');
    let is_plain = all(u8::is_ascii_lowercase) || all(u8::is_ascii_uppercase);
    let is_class = all(u8::is_ascii_alphabetic) && ["Error", "Exception"].iter().any(|end| text.ends_with(end));
    (1..=60).contains(&text.len()) && (is_plain || is_class)
}

impl From<EgressError> for ModelError {
    fn from(error: EgressError) -> Self {
        let failure = match error {
            EgressError::Address(_)
            | EgressError::Insecure
            | EgressError::Forbidden(_)
            | EgressError::LeftAlone(_)
            | EgressError::Unreachable(_) => Failure::Unreachable,
            EgressError::TimedOut => Failure::TimedOut,
            EgressError::Lost(_) | EgressError::TooLarge => Failure::Cut,
            EgressError::Garbled(_) => Failure::Garbled,
        };
        Self::new(failure, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_repeat_neither_keys_nor_texts() {
        let body = br#"{"error":{"message":"Incorrect API key provided: sk-secret","type":"invalid_request_error","code":"sk-secret"}}"#;
        let fault = of_status(401, body);
        assert_eq!(fault, ModelError::new(Failure::Refused, "the provider answered 401 (invalid_request_error)"));
    }

    #[test]
    fn errors_inside_a_stream_are_typed() {
        for (error, failure) in [
            (r#"{"code":429,"message":"x"}"#, Failure::Busy),
            (r#"{"code":"502"}"#, Failure::Upstream),
            (r#"{"type":"overloaded_error"}"#, Failure::Busy),
            (r#"{"code":"rate_limit_exceeded"}"#, Failure::Busy),
            (r#"{"type":"invalid_request_error"}"#, Failure::Rejected),
            (r#""boom""#, Failure::Upstream),
            (r#"{"code":7}"#, Failure::Upstream),
        ] {
            assert_eq!(of_stream(&serde_json::from_str(error).expect("JSON")).failure, failure, "{error}");
        }
    }

    #[test]
    fn a_body_says_more_than_its_status() {
        for (status, body, failure) in [
            (
                400,
                r#"[{"error":{"code":400,"status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]"#,
                Failure::Refused,
            ),
            (400, r#"{"error":{"message":"Incorrect API key provided"}}"#, Failure::Refused),
            (500, r#"{"code":401,"message":"x"}"#, Failure::Refused),
            (401, "<html>", Failure::Refused),
            (403, r#"{"error":{"message":"Your input was flagged","metadata":{}}}"#, Failure::Withheld),
            (403, r#"{"error":"country not supported"}"#, Failure::Refused),
            (400, r#"{"error":{"code":"context_length_exceeded","message":"x"}}"#, Failure::OverContext),
            (400, r#"{"error":{"code":500,"type":"exceed_context_size_error","n_ctx":256}}"#, Failure::OverContext),
            (
                400,
                r#"{"object":"error","message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}"#,
                Failure::OverContext,
            ),
            (
                400,
                r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 8"}}"#,
                Failure::OverContext,
            ),
            (
                422,
                r#"{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096"}"#,
                Failure::OverContext,
            ),
            (
                400,
                r#"[{"error":{"message":"The input token count (9) exceeds the maximum number of tokens allowed (8)."}}]"#,
                Failure::OverContext,
            ),
            (500, r#"{"error":"the request exceeds the available context size"}"#, Failure::OverContext),
            (400, r#"{"error":"Your request exceeded model token limit: 8192"}"#, Failure::OverContext),
            (400, r#"{"error":{"code":"1261","message":"Prompt exceeds max length"}}"#, Failure::OverContext),
            (
                400,
                r#"{"error":"This model's maximum prompt length is 9 but the request contains 10 tokens."}"#,
                Failure::OverContext,
            ),
            (413, "Request Entity Too Large", Failure::OverContext),
            (400, r#"{"error":{"code":"content_filter","message":"x"}}"#, Failure::Withheld),
            (429, r#"{"error":{"message":"Request too large: too many tokens per minute"}}"#, Failure::Busy),
            (529, "", Failure::Busy),
            (503, "<h1>Service Unavailable</h1>", Failure::Busy),
            (500, r#"{"error":{"type":"overloaded_error"}}"#, Failure::Busy),
            (400, r#"{"error":{"code":"rate_limit_exceeded"}}"#, Failure::Busy),
            (404, r#"{"error":"model 'x' not found, try pulling it first"}"#, Failure::ModelGone),
            (400, r#"{"error":{"message":"The model `x` does not exist"}}"#, Failure::ModelGone),
            (
                400,
                r#"{"detail":[{"loc":["body"],"msg":"wrong","input":"my api key, the context length"}]}"#,
                Failure::Rejected,
            ),
            (502, "Bad Gateway", Failure::Upstream),
            (504, "", Failure::TimedOut),
        ] {
            assert_eq!(of_status(status, body.as_bytes()).failure, failure, "{status} {body}");
        }
    }

    #[test]
    fn the_log_names_codes() {
        let body = br#"[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"sk","details":[{"reason":"API_KEY_INVALID"}]}}]"#;
        let detail = of_status(400, body).detail;
        assert_eq!(detail, "the provider answered 400 (API_KEY_INVALID, INVALID_ARGUMENT)");
        let error = serde_json::json!({"code": 429, "message": "slow down", "type": "BadRequestError"});
        assert_eq!(of_stream(&error).detail, "the provider sent an error in its stream (code 429, BadRequestError)");
        let error = serde_json::json!({"error": {"code": "1302", "type": "sk-SECRET", "status": "abcDEF"}});
        assert_eq!(of_stream(&error).detail, "the provider sent an error in its stream (code 1302)");
    }

    #[test]
    fn bare_errors_are_typed() {
        for (error, failure) in [
            (r#"{"code":429,"message":"slow down"}"#, Failure::Busy),
            (r#"{"object":"error","message":"x","code":400}"#, Failure::Rejected),
            (r#"{"detail":"Not authenticated"}"#, Failure::Refused),
            (r#"{"detail":[{"msg":"rate limit"}]}"#, Failure::Busy),
            (r#"{"error":"overloaded"}"#, Failure::Busy),
            (r#"{"message":"Internal server error"}"#, Failure::Upstream),
            (r#"{"type":"error","error":{"type":"overloaded_error"}}"#, Failure::Busy),
        ] {
            assert_eq!(of_stream(&serde_json::from_str(error).expect("JSON")).failure, failure, "{error}");
        }
    }
}
