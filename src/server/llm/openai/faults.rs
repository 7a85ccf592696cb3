//! What went wrong at a provider, in Colloquy's terms. Details name no key and no text of a message: providers like to
//! repeat both in theirs.

use std::error::Error;

use serde_json::Value;

use super::super::ModelError;
use crate::domain::Failure;

/// The fault behind an HTTP status that is not a success; `body` is the beginning of the answer.
pub fn of_status(status: u16, body: &[u8]) -> ModelError {
    let failure = match status {
        300..=399 => Failure::Garbled,
        401 | 403 => Failure::Refused,
        404 | 410 => Failure::ModelGone,
        408 => Failure::TimedOut,
        402 | 409 | 425 | 429 => Failure::Busy,
        400..=499 => Failure::Rejected,
        500..=599 => Failure::Upstream,
        _ => Failure::Garbled,
    };
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let label = json.as_ref().and_then(|json| label(json.get("error").unwrap_or(json)));
    ModelError::new(failure, format!("the provider answered {status}{}", in_brackets(label)))
}

/// The fault behind an `error` object inside a stream.
pub fn of_stream(error: &Value) -> ModelError {
    let label = label(error);
    let status =
        ["code", "status"].iter().find_map(|key| number(error.get(key)?)).filter(|code| (400..600).contains(code));
    let failure = match (status, label) {
        (Some(status), _) => of_status(status, b"").failure,
        (None, Some(label))
            if label.contains("rate_limit") || label.contains("quota") || label.contains("overloaded") =>
        {
            Failure::Busy
        }
        (None, Some("invalid_request_error" | "context_length_exceeded")) => Failure::Rejected,
        _ => Failure::Upstream,
    };
    ModelError::new(failure, format!("the provider sent an error in its stream{}", in_brackets(label)))
}

/// The fault behind a request that got no answer.
pub fn of_send(error: reqwest::Error) -> ModelError {
    let failure = if error.is_connect() { Failure::Unreachable } else { of_transfer(&error) };
    ModelError::new(failure, describe(error))
}

/// The fault behind a body that broke off.
pub fn of_body(error: reqwest::Error) -> ModelError {
    ModelError::new(of_transfer(&error), describe(error))
}

/// A connection that was lost, unless what came over it was not HTTP.
fn of_transfer(error: &reqwest::Error) -> Failure {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return Failure::Garbled;
        }
        source = cause.source();
    }
    Failure::Cut
}

/// The error and its causes, without the address, which may hold a secret.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The machine's name of an error, where it is one.
fn label(error: &Value) -> Option<&str> {
    let plain =
        |text: &&str| (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    ["code", "type"].iter().find_map(|key| error.get(key)?.as_str().filter(plain))
}

fn number(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|number| u16::try_from(number).ok()).or_else(|| value.as_str()?.parse().ok())
}

fn in_brackets(label: Option<&str>) -> String {
    label.map(|label| format!(" ({label})")).unwrap_or_default()
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
}
