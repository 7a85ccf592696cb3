//! The events of an answer.

use serde_json::Value;

use super::super::{
    FinishReason, Usage,
    remote::{Answer, from_stream, parse_count},
};

/// What was read of an answer beside its text.
#[derive(Debug, Default)]
pub struct Reading {
    counts: Counts,
}

/// The token counts as the interface reports them: what the cache contains does not count as input.
#[derive(Debug, Default)]
struct Counts {
    input: u32,
    cache_read: u32,
    cache_written: u32,
    output: u32,
}

impl Reading {
    /// Processes one object of the stream. `name` is the name of its event, which repeats the type of the object. Types
    /// that are not known are ignored, as the documentation of the interface asks.
    pub fn process(&mut self, name: &str, object: &Value, answer: &mut Answer) {
        let kind = object.get("type").and_then(Value::as_str).unwrap_or(name);
        let field = |key: &str| object.get(key).unwrap_or(&Value::Null);
        if kind == "error" || name == "error" || !field("error").is_null() {
            return answer.fail(from_stream(object.get("error").unwrap_or(object)));
        }
        match kind {
            "message_start" => {
                answer.start();
                self.count(&field("message")["usage"], answer, false);
            }
            "content_block_start" => push_block(field("content_block"), answer),
            "content_block_delta" => push_block(field("delta"), answer),
            "message_delta" => {
                self.count(field("usage"), answer, true);
                set_finish(&field("delta")["stop_reason"], answer);
            }
            "message_stop" => answer.complete(),
            // The whole answer, from a gateway that does not stream.
            "message" => {
                field("content").as_array().into_iter().flatten().for_each(|block| push_block(block, answer));
                self.count(field("usage"), answer, true);
                set_finish(field("stop_reason"), answer);
            }
            "ping" | "content_block_stop" => {}
            _ => answer.note_unknown_json(),
        }
    }

    /// Counts are cumulative, and each event contains only some of them. The output is counted only if it `has_output`:
    /// the first event counts a token or two of an answer that may still break off, and then an estimate is better.
    fn count(&mut self, usage: &Value, answer: &mut Answer, has_output: bool) {
        if !usage.is_object() {
            return;
        }
        let counts = &mut self.counts;
        for (key, count) in [
            ("input_tokens", &mut counts.input),
            ("cache_read_input_tokens", &mut counts.cache_read),
            ("cache_creation_input_tokens", &mut counts.cache_written),
            ("output_tokens", &mut counts.output),
        ] {
            *count = parse_count(usage, key).max(*count);
        }
        if !has_output {
            counts.output = 0;
        }
        answer.set_usage(Usage {
            prompt: counts.input.saturating_add(counts.cache_read).saturating_add(counts.cache_written),
            cached: counts.cache_read,
            answer: counts.output,
        });
    }
}

/// Adds the text of a content block, or of a part of one. Signatures, encrypted thinking and tools have none.
fn push_block(block: &Value, answer: &mut Answer) {
    answer.start();
    let text = |key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "text" | "text_delta" => answer.push_text(text("text")),
        "thinking" | "thinking_delta" => answer.push_reasoning(text("thinking")),
        _ => {}
    }
}

fn set_finish(reason: &Value, answer: &mut Answer) {
    answer.start();
    match reason.as_str() {
        None => {}
        Some("max_tokens" | "model_context_window_exceeded") => answer.set_finish(FinishReason::Length),
        Some("refusal") => answer.set_finish(FinishReason::Withheld),
        Some("tool_use") => answer.set_finish(FinishReason::ToolCall),
        // `end_turn`, `stop_sequence`, `pause_turn`, and what comes in the future.
        Some(_) => answer.set_finish(FinishReason::Stop),
    }
}
