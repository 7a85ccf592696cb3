//! The JSON objects of an answer, parsed leniently: a field that is missing, null or of an unexpected type is ignored
//! and affects nothing else.

use serde_json::Value;

use super::super::{
    FinishReason, Usage,
    remote::{Answer, parse_count, parse_number},
};
use crate::domain::Failure;

/// The keys under which providers send reasoning. If several are sent at the same time, they hold the same text.
const REASONING_KEYS: [&str; 5] = ["reasoning_content", "reasoning", "thinking", "reasoning_details", "thought"];
/// The keys of a content part that can hold its text.
const TEXT_KEYS: [&str; 7] = ["text", "content", "summary", "thinking", "reasoning", "value", "refusal"];
/// The maximum nesting of content parts.
const MAX_DEPTH: u32 = 4;

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It finished.
    Finish(FinishReason),
    /// It failed.
    Failed(Failure),
}

/// Receives the parts of an answer.
pub trait AnswerSink {
    /// A chunk of reasoning, possibly empty.
    fn add_reasoning(&mut self, chunk: &str);
    /// A chunk of the answer, possibly empty.
    fn add_text(&mut self, chunk: &str);
}

impl AnswerSink for Answer {
    fn add_reasoning(&mut self, chunk: &str) {
        self.push_reasoning(chunk);
    }

    fn add_text(&mut self, chunk: &str) {
        self.push_tagged_text(chunk);
    }
}

/// One JSON object of an answer.
#[derive(Debug)]
pub struct Chunk(Value);

impl Chunk {
    /// A chunk that consists of this object.
    pub const fn new(object: Value) -> Self {
        Self(object)
    }

    /// The error object, if the chunk reports an error.
    pub fn error(&self) -> Option<&Value> {
        let object = &self.0;
        if object.get("error").is_some_and(|error| !is_empty(error)) {
            return Some(object);
        }
        if let Some(choice) = self.choice().filter(|choice| choice.get("error").is_some_and(|error| !is_empty(error))) {
            return Some(choice);
        }
        if object.get("choices").is_some_and(|choices| !is_empty(choices))
            || object.get("usage").is_some_and(Value::is_object)
        {
            return None;
        }
        let is_error = |key: &str| object.get(key).and_then(Value::as_str) == Some("error");
        let has = |key: &str| object.get(key).is_some_and(|value| !is_empty(value));
        let status = ["code", "status"].iter().find_map(|key| parse_number(object.get(key)?));
        let fails = status.is_some_and(|status| (400..600).contains(&status));
        let says = object.get("message").is_some_and(|message| message.is_string() && !is_empty(message));
        let reports = is_error("object") || is_error("type") || fails || has("detail") || has("errors") || says;
        (reports || object.is_string()).then_some(object)
    }

    /// Whether the chunk contains any part of an answer.
    pub fn is_part_of_answer(&self) -> bool {
        ["choices", "usage"].iter().any(|key| self.0.get(key).is_some()) || self.choice().is_some()
    }

    /// Whether the chunk contains a whole answer rather than a delta.
    pub fn is_whole_answer(&self) -> bool {
        match self.0.get("choices") {
            Some(_) => {
                self.choice().is_some_and(|choice| !has_object(choice, "delta") && has_object(choice, "message"))
            }
            // Ollama's native API sets this in the last chunk.
            None => self.0.get("done") == Some(&Value::Bool(true)),
        }
    }

    /// The JSON object.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// Passes the reasoning and the text to the sink. Reads only the first choice, because only one is requested.
    pub fn write_to(&self, out: &mut impl AnswerSink) {
        let Some(choice) = self.choice() else { return };
        let delta = match ["delta", "message"].iter().find(|key| has_object(choice, key)) {
            Some(key) => &choice[*key],
            None => choice,
        };
        let reasoning = REASONING_KEYS
            .iter()
            .map(|key| flatten_text(delta.get(key), MAX_DEPTH))
            .find(|reasoning| !reasoning.is_empty());
        reasoning.into_iter().for_each(|reasoning| out.add_reasoning(&reasoning));
        match delta.get("content") {
            Some(Value::Array(parts)) => {
                for part in parts {
                    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
                    let text = flatten_text(Some(part), MAX_DEPTH);
                    match kind.contains("thinking") || kind.contains("reasoning") {
                        true => out.add_reasoning(&text),
                        false => out.add_text(&text),
                    }
                }
            }
            content => out.add_text(&flatten_text(content, MAX_DEPTH)),
        }
        for key in ["text", "refusal"] {
            out.add_text(&flatten_text(delta.get(key), MAX_DEPTH));
        }
    }

    /// Why the answer ended, if the chunk contains a finish reason.
    pub fn end(&self) -> Option<End> {
        let choice = self.choice()?;
        let reason = ["finish_reason", "finishReason", "done_reason"].iter().find_map(|key| choice.get(key)?.as_str());
        parse_finish_reason(reason?)
    }

    /// The token counts. 0 for a count that is missing.
    pub fn usage(&self) -> Option<Usage> {
        let counts = self.0.get("usage").filter(|counts| counts.is_object())?;
        let count = |names: [&str; 2]| {
            let count = names.iter().find_map(|name| parse_number(counts.get(name)?)).unwrap_or(0);
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let (prompt, answer) = (["prompt_tokens", "input_tokens"], ["completion_tokens", "output_tokens"]);
        let details = ["prompt_tokens_details", "input_tokens_details"].iter().find_map(|key| counts.get(key));
        let cached = details.map_or(0, |details| parse_count(details, "cached_tokens"));
        Some(Usage { prompt: count(prompt), cached, answer: count(answer) })
    }

    fn choice(&self) -> Option<&Value> {
        let is_first = |choice: &&Value| choice.get("index").and_then(parse_number).is_none_or(|index| index == 0);
        match self.0.get("choices") {
            Some(Value::Array(choices)) => choices.iter().filter(|choice| choice.is_object()).find(is_first),
            Some(Value::Object(_)) => self.0.get("choices"),
            // Ollama's native API has no choices.
            _ => has_object(&self.0, "message").then_some(&self.0),
        }
    }
}

/// Maps a finish reason. An unknown one counts as a normal end. `None` if there is no reason.
fn parse_finish_reason(reason: &str) -> Option<End> {
    let reason = reason.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    Some(match reason.as_str() {
        "" | "null" | "none" => return None,
        _ if has(&["length", "max_tokens", "max_output_tokens", "token_limit", "context_window"]) => {
            End::Finish(FinishReason::Length)
        }
        _ if has(&[
            "filter",
            "safety",
            "sensitive",
            "refusal",
            "moderation",
            "prohibited",
            "blocklist",
            "recitation",
        ]) || has(&["spii", "guardrail", "blocked"]) =>
        {
            End::Finish(FinishReason::Withheld)
        }
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => End::Finish(FinishReason::ToolCall),
        "insufficient_system_resource" => End::Failed(Failure::Busy),
        "error" | "network_error" | "abort" | "cancelled" | "malformed_function_call" => End::Failed(Failure::Upstream),
        _ => End::Finish(FinishReason::Stop),
    })
}

/// The text in a JSON value of any shape.
fn flatten_text(value: Option<&Value>, depth: u32) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Array(parts)) if depth > 0 => {
            parts.iter().map(|part| flatten_text(Some(part), depth - 1)).collect()
        }
        Some(Value::Object(part)) if depth > 0 => TEXT_KEYS
            .iter()
            .map(|key| flatten_text(part.get(*key), depth - 1))
            .find(|text| !text.is_empty())
            .unwrap_or_default(),
        _ => String::new(),
    }
}

fn has_object(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(Value::is_object)
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::remote::parse_objects, *};

    fn chunk(text: &str) -> Chunk {
        Chunk::new(parse_objects(text).expect(text).pop().expect("an object"))
    }

    #[derive(Default)]
    struct Collected(String, String);

    impl AnswerSink for Collected {
        fn add_reasoning(&mut self, chunk: &str) {
            self.0.push_str(chunk);
        }

        fn add_text(&mut self, chunk: &str) {
            self.1.push_str(chunk);
        }
    }

    fn read(text: &str) -> (String, String) {
        let mut collected = Collected::default();
        chunk(text).write_to(&mut collected);
        (collected.0, collected.1)
    }

    #[test]
    fn text_and_reasoning_are_found_in_every_form() {
        for (delta, thinking, said) in [
            (r#"{"content":"né","reasoning":null,"tool_calls":[{"function":{"arguments":"{broken"}}]}"#, "", "né"),
            (r#"{"content":null,"reasoning_content":"hm"}"#, "hm", ""),
            (
                r#"{"content":"","reasoning":"hm","reasoning_details":[{"type":"reasoning.text","text":"hm"}]}"#,
                "hm",
                "",
            ),
            (
                r#"{"reasoning_details":[{"type":"reasoning.summary","summary":"h"},{"text":"m"},{"data":"x"}]}"#,
                "hm",
                "",
            ),
            (r#"{"thinking":{"content":"hm"},"content":"Yes"}"#, "hm", "Yes"),
            (r#"{"content":[{"type":"text","text":"one "},{"type":"text","text":"two"}]}"#, "", "one two"),
            (
                r#"{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"Yes"}]}"#,
                "hm",
                "Yes",
            ),
            (r#"{"content":["one ","two"]}"#, "", "one two"),
            (r#"{"content":{"type":"text","text":"one"}}"#, "", "one"),
            (r#"{"content":{"text":{"value":"one"}}}"#, "", "one"),
            (r#"{"content":7}"#, "", "7"),
            (r#"{"content":false,"role":3}"#, "", ""),
            (r#"{"refusal":"I cannot."}"#, "", "I cannot."),
        ] {
            let expected = (thinking.to_owned(), said.to_owned());
            assert_eq!(read(&format!(r#"{{"choices":[{{"index":0,"delta":{delta}}}]}}"#)), expected, "{delta}");
            assert_eq!(read(&format!(r#"{{"choices":[{{"message":{delta}}}]}}"#)), expected, "{delta}");
        }
        assert_eq!(read(r#"{"choices":[{"text":"old"}]}"#).1, "old");
        assert_eq!(read(r#"{"message":{"content":"Ollama"},"done":false}"#).1, "Ollama");
    }

    #[test]
    fn values_of_unexpected_types_are_ignored() {
        for text in [
            r#"{"choices":null}"#,
            r#"{"choices":{}}"#,
            r#"{"choices":"x","usage":"y"}"#,
            r#"{"choices":[]}"#,
            r#"{"choices":[null,7,[]]}"#,
            r#"{"choices":[{"delta":null,"finish_reason":""}]}"#,
            r#"{"choices":[{"delta":[],"finish_reason":{}}],"usage":[]}"#,
            r#"{"choices":[{"index":1,"delta":{"content":"another"}}]}"#,
            r#"{"choices":[{"index":"1","delta":{"content":"another"}}]}"#,
            "7",
            "[[]]",
            "null",
        ] {
            let chunk = chunk(text);
            assert!(chunk.error().is_none() && chunk.end().is_none(), "{text}");
            assert_eq!(read(text), Default::default(), "{text}");
            assert!(chunk.usage().is_none(), "{text}");
        }
        for index in ["null", "0", "\"0\"", "0.0", "[]"] {
            let text = format!(r#"{{"choices":[{{"index":{index},"delta":{{"content":"x"}}}}]}}"#);
            assert_eq!(read(&text).1, "x", "{index}");
        }
    }

    #[test]
    fn known_token_counts_are_read() {
        for (counts, prompt, cached, answer) in [
            (r#"{"prompt_tokens":7,"completion_tokens":2}"#, 7, 0, 2),
            (r#"{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":5}}"#, 7, 5, 2),
            (r#"{"prompt_tokens":7,"completion_tokens":2,"prompt_tokens_details":null}"#, 7, 0, 2),
            (r#"{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}"#, 0, 0, 0),
            (r#"{"prompt_tokens":"7","completion_tokens":2.0}"#, 7, 0, 2),
            (r#"{"prompt_tokens":[],"completion_tokens":-2}"#, 0, 0, 0),
            (r#"{"input_tokens":7,"output_tokens":99999999999}"#, 7, 0, u32::MAX),
            ("{}", 0, 0, 0),
        ] {
            let usage = chunk(&format!(r#"{{"choices":[],"usage":{counts}}}"#)).usage();
            assert_eq!(usage, Some(Usage { prompt, cached, answer }), "{counts}");
        }
    }

    #[test]
    fn finish_reasons_are_mapped_and_unknown_ones_are_a_normal_end() {
        use FinishReason::{Length, Stop, ToolCall, Withheld};
        for (reason, end) in [
            ("\"stop\"", Some(End::Finish(Stop))),
            ("\"eos\"", Some(End::Finish(Stop))),
            ("\"end_turn\"", Some(End::Finish(Stop))),
            ("\"length\"", Some(End::Finish(Length))),
            ("\"MAX_TOKENS\"", Some(End::Finish(Length))),
            ("\"model_length\"", Some(End::Finish(Length))),
            ("\"content_filter\"", Some(End::Finish(Withheld))),
            ("\"SAFETY\"", Some(End::Finish(Withheld))),
            ("\"refusal\"", Some(End::Finish(Withheld))),
            ("\"tool_calls\"", Some(End::Finish(ToolCall))),
            ("\"function_call\"", Some(End::Finish(ToolCall))),
            ("\"insufficient_system_resource\"", Some(End::Failed(Failure::Busy))),
            ("\"error\"", Some(End::Failed(Failure::Upstream))),
            ("\"\"", None),
            ("null", None),
            ("7", None),
        ] {
            let text = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":{reason}}}]}}"#);
            assert_eq!(chunk(&text).end(), end, "{reason}");
        }
    }

    #[test]
    fn errors_are_recognised_in_every_form() {
        for text in [
            r#"{"error":{"code":429}}"#,
            r#"{"error":"model not found"}"#,
            r#"{"error":{"code":502},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#,
            r#"{"code":429,"message":"slow down"}"#,
            r#"{"choices":null,"code":429,"message":"slow down"}"#,
            r#"{"choices":[{"error":{"code":502},"delta":{"content":""},"finish_reason":"error"}]}"#,
            r#"{"object":"error","message":"x","type":"BadRequestError","code":400}"#,
            r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
            r#"{"detail":"Not authenticated"}"#,
            r#"{"status":"503"}"#,
            r#"{"message":"Internal server error"}"#,
            r#"{"errors":[{"code":10000}]}"#,
            r#"[{"error":{"code":429}}]"#,
            "\"Internal Server Error\"",
        ] {
            assert!(chunk(text).error().is_some(), "{text}");
        }
        for text in [
            r#"{"choices":[],"error":null,"code":200}"#,
            r#"{"choices":[{"error":null,"delta":{"content":"x"}}],"message":"ok"}"#,
            r#"{"choices":[],"error":{}}"#,
            r#"{"id":"x","model":"m"}"#,
            r#"{"type":"ping"}"#,
            r#"{"usage":{},"message":"done"}"#,
        ] {
            assert!(chunk(text).error().is_none(), "{text}");
        }
    }

    #[test]
    fn invalid_json_is_repaired() {
        let text = r#"{"choices":[{"delta":{"content":"\ud83d\ude80 \ud83d"},"logprobs":[NaN]}]}"#;
        assert_eq!(read(text).1, "🚀 \u{FFFD}");
        assert!(parse_objects("this is no JSON").is_err());
        assert!(parse_objects(r#"{"choices":[{"del"#).is_err());
        assert_eq!(parse_objects("{} {}").expect("two").len(), 2);
    }
}
