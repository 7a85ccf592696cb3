//! Request features that a model does not support, learnt from the requests that it rejects.

use serde_json::Value;

use super::super::remote::ErrorResponse;
use crate::domain::Failure;

/// Features to leave out of requests. Nothing else in a request can be rejected: no limit, no temperature and no
/// beginning of an answer are ever sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quirks {
    /// No `stream_options`.
    pub no_usage: bool,
    /// No message with the role `system`.
    pub no_system_role: bool,
    /// No streaming: the answer arrives as a whole.
    pub no_stream: bool,
}

impl Quirks {
    /// Another request format to try. `None` if the error was not about the format, or if there is no other format
    /// left.
    pub fn fallback(self, rejection: &ErrorResponse) -> Option<Self> {
        // Chat templates fail with all kinds of statuses.
        if !matches!(rejection.status, 400 | 405 | 415 | 422 | 424 | 500 | 501) {
            return None;
        }
        let text = String::from_utf8_lossy(&rejection.body).to_lowercase();
        let contains_any = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if !self.no_usage && contains_any(&["stream_options", "include_usage"]) {
            return Some(Self { no_usage: true, ..self });
        }
        if !self.no_stream
            && (blames_parameter(rejection, "stream")
                || contains_any(&["streaming"]) && contains_any(&["support", "enabled"]))
        {
            return Some(Self { no_stream: true, ..self });
        }
        let is_unclear = matches!(rejection.status, 400 | 422) && rejection.to_error().failure == Failure::Rejected;
        let mentions_roles = contains_any(&["system", "role", "developer instruction", "template", "jinja"]);
        (!self.no_system_role && (is_unclear || mentions_roles)).then_some(Self { no_system_role: true, ..self })
    }
}

/// Whether the provider names this parameter as the invalid one.
fn blames_parameter(rejection: &ErrorResponse, parameter: &str) -> bool {
    let json: Value = serde_json::from_slice(&rejection.body).unwrap_or_default();
    let error = json.get("error").unwrap_or(&json);
    error.get("param").and_then(Value::as_str) == Some(parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rejected_request_has_one_fallback() {
        let defaults = Quirks::default();
        let (usage, system, stream) = (
            Quirks { no_usage: true, ..defaults },
            Quirks { no_system_role: true, ..defaults },
            Quirks { no_stream: true, ..defaults },
        );
        for (status, body, expected) in [
            (400, r#"{"error":{"message":"Unrecognized request argument supplied: stream_options"}}"#, Some(usage)),
            (
                422,
                r#"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#,
                Some(usage),
            ),
            (400, r#"{"object":"error","message":"System role not supported","code":400}"#, Some(system)),
            (400, r#"{"message":"Conversation roles must alternate user/assistant/user/assistant/..."}"#, Some(system)),
            (400, r#"[{"error":{"message":"Developer instruction is not enabled for models/gemma-3"}}]"#, Some(system)),
            (500, r#"{"error":{"message":"Jinja Exception: System role not supported"}}"#, Some(system)),
            (400, r#"{"error":{"message":"Bad Request"}}"#, Some(system)),
            (
                400,
                r#"{"error":{"message":"'messages[0].role' does not support 'system' with this model.","param":"messages[0].role"}}"#,
                Some(system),
            ),
            (400, r#"{"error":{"message":"'stream' does not support true","param":"stream"}}"#, Some(stream)),
            (400, r#"{"error":{"message":"Streaming is not supported by this model"}}"#, Some(stream)),
            (500, "Internal Server Error", None),
            (401, "the system role", None),
            (400, r#"{"error":{"code":"context_length_exceeded"}}"#, None),
            (400, r#"[{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}]"#, None),
        ] {
            let response = ErrorResponse { status, body: body.into() };
            assert_eq!(defaults.fallback(&response), expected, "{body}");
            if let Some(expected) = expected {
                let again = expected.fallback(&response);
                assert!(again.is_none_or(|other| other != expected && other.no_system_role), "{body}: {again:?}");
            }
        }
    }
}
