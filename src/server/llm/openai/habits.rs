//! How a model wants to be asked, learnt from what it refuses.

use serde_json::Value;

use super::{super::ModelError, faults};
use crate::domain::Failure;

/// What a model is not to be asked with. Nothing else of a request can be refused: no limit, no temperature and no
/// beginning of an answer are ever sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Habits {
    /// No `stream_options`.
    pub no_usage: bool,
    /// No message with the role `system`.
    pub no_system_role: bool,
    /// No stream: the answer comes at once.
    pub no_stream: bool,
}

/// A status that is not a success, and the beginning of what came with it.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Refusal {
    /// The fault, where there is no other way.
    pub fn fault(&self) -> ModelError {
        faults::of_status(self.status, &self.body)
    }

    /// Another way to ask, after this was refused. `None` where it was not about the way, or no other is left.
    pub fn other_way(&self, habits: Habits) -> Option<Habits> {
        // Chat templates fail with all kinds of statuses.
        if !matches!(self.status, 400 | 405 | 415 | 422 | 424 | 500 | 501) {
            return None;
        }
        let text = String::from_utf8_lossy(&self.body).to_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if !habits.no_usage && says(&["stream_options", "include_usage"]) {
            return Some(Habits { no_usage: true, ..habits });
        }
        if !habits.no_stream && (self.is_about("stream") || says(&["streaming"]) && says(&["support", "enabled"])) {
            return Some(Habits { no_stream: true, ..habits });
        }
        let is_unclear = matches!(self.status, 400 | 422) && self.fault().failure == Failure::Rejected;
        let names_roles = says(&["system", "role", "developer instruction", "template", "jinja"]);
        (!habits.no_system_role && (is_unclear || names_roles)).then_some(Habits { no_system_role: true, ..habits })
    }

    /// Whether the provider names a parameter as the wrong one.
    fn is_about(&self, parameter: &str) -> bool {
        let json: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let error = json.get("error").unwrap_or(&json);
        error.get("param").and_then(Value::as_str) == Some(parameter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_leads_to_another_way_once() {
        let usual = Habits::default();
        let (usage, system, stream) = (
            Habits { no_usage: true, ..usual },
            Habits { no_system_role: true, ..usual },
            Habits { no_stream: true, ..usual },
        );
        for (status, body, way) in [
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
            let refusal = Refusal { status, body: body.into() };
            assert_eq!(refusal.other_way(usual), way, "{body}");
            if let Some(way) = way {
                let again = refusal.other_way(way);
                assert!(again.is_none_or(|other| other != way && other.no_system_role), "{body}: {again:?}");
            }
        }
    }
}
