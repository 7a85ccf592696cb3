//! Maps provider errors to Colloquy's errors. Details contain no keys and no message texts, because providers often
//! repeat both in their errors.

use serde_json::Value;

use super::{super::ModelError, json::parse_number};
use crate::{domain::Failure, server::egress::EgressError};

/// The maximum length of error text that is searched, in bytes.
const MAX_SEARCHED_BYTES: usize = 4_000;
/// The maximum nesting that is searched.
const MAX_DEPTH: u32 = 5;
/// The maximum number of error codes in the log.
const MAX_LOGGED_CODES: usize = 4;

/// The error for an HTTP status that is not a success. `body` is the beginning of the response.
pub fn from_status(status: u16, body: &[u8]) -> ModelError {
    let report = match serde_json::from_slice(body) {
        Ok(json) => ErrorReport::of(&json),
        Err(_) => {
            ErrorReport { messages: to_lowercase_prefix(&String::from_utf8_lossy(body)), ..ErrorReport::default() }
        }
    };
    ModelError::new(
        report.failure(Some(status)),
        format!("the provider answered {status}{}", report.codes(Some(status))),
    )
}

/// The error for an error object in a response stream.
pub fn from_stream(error: &Value) -> ModelError {
    let report = ErrorReport::of(error);
    ModelError::new(report.failure(None), format!("the provider sent an error in its stream{}", report.codes(None)))
}

/// What is known about an error, wherever the provider puts it.
#[derive(Debug, Default)]
struct ErrorReport {
    /// An HTTP status in the body.
    status: Option<u16>,
    /// The machine-readable error codes: in lower case, and as they were sent, for the log.
    lowercase_codes: Vec<String>,
    codes: Vec<String>,
    /// The human-readable messages, in lower case. Never shown or logged, because they may repeat keys and messages.
    messages: String,
}

impl ErrorReport {
    fn of(error: &Value) -> Self {
        let mut report = Self::default();
        report.search(error, MAX_DEPTH);
        report
    }

    fn search(&mut self, value: &Value, depth: u32) {
        match value {
            Value::String(text) => self.add_message(text),
            Value::Array(items) if depth > 0 => items.iter().take(10).for_each(|item| self.search(item, depth - 1)),
            Value::Object(fields) if depth > 0 => {
                for (key, value) in fields {
                    self.add_field(key, value, depth);
                }
            }
            _ => {}
        }
    }

    fn add_field(&mut self, key: &str, value: &Value, depth: u32) {
        match key {
            "code" | "status" | "status_code" | "statusCode" | "http_code" | "error_code" | "type" | "reason"
            | "error_type" | "__type" => {
                match parse_number(value) {
                    Some(number @ 400..600) => self.status = self.status.or(u16::try_from(number).ok()),
                    Some(number) if number > 0 && number < 1_000_000 => self.codes.push(format!("code {number}")),
                    _ => {}
                }
                if let Some(text) = value.as_str() {
                    self.lowercase_codes.push(to_lowercase_prefix(text));
                    let is_new = !self.codes.iter().any(|code| code == text);
                    self.codes.extend((is_new && is_error_code(text)).then(|| text.to_owned()));
                }
            }
            "message" | "msg" | "error" | "detail" | "error_msg" | "error_message" | "error_description" | "title"
            | "description" | "raw" | "errors" | "details" | "metadata" => self.search(value, depth - 1),
            _ => {}
        }
    }

    fn add_message(&mut self, text: &str) {
        if self.messages.len() < MAX_SEARCHED_BYTES {
            self.messages.push(' ');
            self.messages.push_str(&to_lowercase_prefix(text));
        }
    }

    /// The error codes for the log.
    fn codes(&self, status: Option<u16>) -> String {
        let code = self.status.filter(|code| Some(*code) != status).map(|code| format!("code {code}"));
        let codes: Vec<String> = code.into_iter().chain(self.codes.iter().cloned()).take(MAX_LOGGED_CODES).collect();
        if codes.is_empty() { String::new() } else { format!(" ({})", codes.join(", ")) }
    }

    fn failure(&self, status: Option<u16>) -> Failure {
        let has_code =
            |parts: &[&str]| self.lowercase_codes.iter().any(|code| parts.iter().any(|part| code.contains(part)));
        let has_phrase = |parts: &[&str]| parts.iter().any(|part| self.messages.contains(part));
        // The body may be more precise than the HTTP status, which may only say that something failed.
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
            Some(403) if has_code(&["moderation"]) || has_phrase(&["moderation", "flagged"]) => Failure::Withheld,
            Some(401 | 403) => Failure::Refused,
            Some(413) => Failure::OverContext,
            _ if has_code(CONTEXT_CODES) || (is_refusal || status == Some(500)) && has_phrase(CONTEXT_PHRASES) => {
                Failure::OverContext
            }
            _ if has_code(TIMEOUT_CODES) => Failure::TimedOut,
            _ if has_code(KEY_CODES) || is_refusal && has_phrase(KEY_PHRASES) => Failure::Refused,
            _ if has_code(FILTER_CODES) || is_refusal && has_phrase(FILTER_PHRASES) => Failure::Withheld,
            _ if has_code(BUSY_CODES) || has_phrase(BUSY_PHRASES) => Failure::Busy,
            _ if has_code(MODEL_CODES) || is_refusal && has_phrase(&["model"]) && has_phrase(MODEL_PHRASES) => {
                Failure::ModelGone
            }
            Some(503) => Failure::Busy,
            // The provider itself broke off the answer.
            Some(499) => Failure::Upstream,
            Some(400..=499) => Failure::Rejected,
            None if has_code(&["invalid_request", "invalid_argument", "badrequest"]) => Failure::Rejected,
            None | Some(500..=599) => Failure::Upstream,
            Some(_) => Failure::Garbled,
        }
    }
}

const CONTEXT_CODES: &[&str] = &[
    "context_length",
    "exceed_context",
    "context_window",
    "prompt_too_long",
    "string_above_max_length",
    "input_too_long",
];
const CONTEXT_PHRASES: &[&str] = &[
    "context length",
    "context window",
    "context size",
    "context_length",
    "maximum context",
    "context limit",
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
const TIMEOUT_CODES: &[&str] = &["timeout_error", "deadline_exceeded"];
const KEY_CODES: &[&str] =
    &["api_key", "apikey", "unauthorized", "unauthenticated", "authentication", "permission", "invalid_token"];
const KEY_PHRASES: &[&str] =
    &["api key", "api_key", "apikey", "api-key", "unauthorized", "not authenticated", "authentication"];
const FILTER_CODES: &[&str] =
    &["content_filter", "content_policy", "moderation", "data_inspection", "responsible_ai", "prohibited"];
const FILTER_PHRASES: &[&str] = &["content policy", "content management policy", "content filter", "was flagged"];
const BUSY_CODES: &[&str] = &[
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
const BUSY_PHRASES: &[&str] = &[
    "rate limit",
    "too many requests",
    "overloaded",
    "exceeded your current quota",
    "credit balance",
    "at capacity",
    "server busy",
];
const MODEL_CODES: &[&str] = &["model_not_found", "model_not_exist", "invalid_model", "decommissioned"];
const MODEL_PHRASES: &[&str] = &["not found", "not exist", "no such", "unknown model", "decommissioned"];

/// The text in lower case, cut to the searched length.
fn to_lowercase_prefix(text: &str) -> String {
    text[..text.floor_char_boundary(MAX_SEARCHED_BYTES)].to_lowercase()
}

/// Whether a text is an error code and not a key or a message: `rate_limit`, `API_KEY_INVALID`, `BadRequestError`.
fn is_error_code(text: &str) -> bool {
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
            | EgressError::CircuitOpen(_)
            | EgressError::Unreachable(_) => Failure::Unreachable,
            EgressError::TimedOut => Failure::TimedOut,
            EgressError::ConnectionLost(_) | EgressError::TooLarge => Failure::Cut,
            EgressError::InvalidResponse(_) => Failure::Garbled,
        };
        Self::new(failure, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_contain_no_keys_and_no_message_texts() {
        let body = br#"{"error":{"message":"Incorrect API key provided: sk-secret","type":"invalid_request_error","code":"sk-secret"}}"#;
        let fault = from_status(401, body);
        assert_eq!(fault, ModelError::new(Failure::Refused, "the provider answered 401 (invalid_request_error)"));
    }

    #[test]
    fn errors_inside_a_stream_are_typed() {
        for (error, failure) in [
            (r#"{"code":429,"message":"x"}"#, Failure::Busy),
            (r#"{"code":"502"}"#, Failure::Upstream),
            (r#"{"type":"overloaded_error"}"#, Failure::Busy),
            (r#"{"type":"timeout_error"}"#, Failure::TimedOut),
            (r#"{"error":{"code":504,"status":"DEADLINE_EXCEEDED"}}"#, Failure::TimedOut),
            (r#"{"error":{"code":499,"status":"CANCELLED"}}"#, Failure::Upstream),
            (r#"{"code":"rate_limit_exceeded"}"#, Failure::Busy),
            (r#"{"type":"invalid_request_error"}"#, Failure::Rejected),
            (r#""boom""#, Failure::Upstream),
            (r#"{"code":7}"#, Failure::Upstream),
        ] {
            assert_eq!(from_stream(&serde_json::from_str(error).expect("JSON")).failure, failure, "{error}");
        }
    }

    #[test]
    fn the_body_is_more_precise_than_the_status() {
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
            (
                400,
                r#"{"error":{"message":"input length and `max_tokens` exceed context limit: 9 + 8 > 16"}}"#,
                Failure::OverContext,
            ),
            (400, r#"{"error":{"message":"Your credit balance is too low"}}"#, Failure::Busy),
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
            assert_eq!(from_status(status, body.as_bytes()).failure, failure, "{status} {body}");
        }
    }

    #[test]
    fn error_codes_are_logged() {
        let body = br#"[{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"sk","details":[{"reason":"API_KEY_INVALID"}]}}]"#;
        let detail = from_status(400, body).detail;
        assert_eq!(detail, "the provider answered 400 (API_KEY_INVALID, INVALID_ARGUMENT)");
        let error = serde_json::json!({"code": 429, "message": "slow down", "type": "BadRequestError"});
        assert_eq!(from_stream(&error).detail, "the provider sent an error in its stream (code 429, BadRequestError)");
        let error = serde_json::json!({"error": {"code": "1302", "type": "sk-SECRET", "status": "abcDEF"}});
        assert_eq!(from_stream(&error).detail, "the provider sent an error in its stream (code 1302)");
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
            assert_eq!(from_stream(&serde_json::from_str(error).expect("JSON")).failure, failure, "{error}");
        }
    }
}
