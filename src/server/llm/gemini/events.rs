//! The events of an answer. Each is a response of its own with the next part of the text.

use serde_json::Value;

use super::super::{
    FinishReason, ModelError, Usage,
    remote::{Answer, from_stream, parse_count},
};
use crate::domain::Failure;

/// What was read of an answer beside its text.
#[derive(Debug, Default)]
pub struct Reading {
    /// Whether the model called a tool. The reason to stop does not tell it.
    calls_tool: bool,
}

impl Reading {
    /// Processes one object of the stream. An answer ends at the end of the stream after a reason to stop, because some
    /// models send one with every part.
    pub fn process(&mut self, object: &Value, answer: &mut Answer) {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            return answer.fail(from_stream(object));
        }
        // Only one candidate is requested.
        let candidate = object.get("candidates").and_then(|candidates| candidates.get(0));
        let block = object.pointer("/promptFeedback/blockReason").and_then(Value::as_str);
        let usage = object.get("usageMetadata");
        if candidate.is_none() && block.is_none() && usage.is_none() {
            return answer.note_unknown_json();
        }
        answer.start();
        if let Some(usage) = usage {
            answer.set_usage(read_usage(usage));
        }
        let parts = candidate.and_then(|candidate| candidate.pointer("/content/parts")?.as_array());
        for part in parts.into_iter().flatten() {
            let text = part.get("text").and_then(Value::as_str).unwrap_or_default();
            match part.get("thought") == Some(&Value::Bool(true)) {
                true => answer.push_reasoning(text),
                false => answer.push_text(text),
            }
            self.calls_tool |= part.get("functionCall").is_some();
        }
        let reason = candidate.and_then(|candidate| candidate.get("finishReason")?.as_str());
        match reason.and_then(|reason| self.finish_of(reason)) {
            Some(Ok(finish)) => answer.set_finish(finish),
            Some(Err(failure)) => {
                answer.fail(ModelError::new(failure, "the provider ended the answer with an error"));
            }
            None => {}
        }
        if block.is_some() {
            answer.set_finish(FinishReason::Withheld);
            answer.complete();
        }
    }

    /// What a reason to stop means. `None` if there is none.
    fn finish_of(&self, reason: &str) -> Option<Result<FinishReason, Failure>> {
        Some(match reason {
            "" | "FINISH_REASON_UNSPECIFIED" => return None,
            "MAX_TOKENS" => Ok(FinishReason::Length),
            "SAFETY"
            | "RECITATION"
            | "LANGUAGE"
            | "BLOCKLIST"
            | "PROHIBITED_CONTENT"
            | "SPII"
            | "IMAGE_SAFETY"
            | "IMAGE_PROHIBITED_CONTENT"
            | "IMAGE_RECITATION" => Ok(FinishReason::Withheld),
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => Ok(FinishReason::ToolCall),
            "OTHER" | "MALFORMED_RESPONSE" => Err(Failure::Upstream),
            _ if self.calls_tool => Ok(FinishReason::ToolCall),
            _ => Ok(FinishReason::Stop),
        })
    }
}

/// The token counts so far. What the cache contains is part of the prompt, and thinking is not part of the candidates.
fn read_usage(usage: &Value) -> Usage {
    Usage {
        prompt: parse_count(usage, "promptTokenCount"),
        cached: parse_count(usage, "cachedContentTokenCount"),
        answer: parse_count(usage, "candidatesTokenCount").saturating_add(parse_count(usage, "thoughtsTokenCount")),
    }
}
