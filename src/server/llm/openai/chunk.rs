//! The objects that an answer comes in, read without trust: a field that is missing, null or of another type than usual is
//! passed over, and costs nothing but itself.

use serde_json::Value;

use super::{
    super::{Finish, Usage},
    repair::repaired,
};
use crate::domain::Failure;

/// The names under which providers send thinking. Where several are sent at once they hold the same.
const THOUGHTS: [&str; 5] = ["reasoning_content", "reasoning", "thinking", "reasoning_details", "thought"];
/// The keys of a part of a content that hold its text.
const TEXTS: [&str; 7] = ["text", "content", "summary", "thinking", "reasoning", "value", "refusal"];
/// How deep parts may lie within parts.
const DEPTH: u32 = 4;

/// Why an answer is at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It ended.
    Finish(Finish),
    /// It broke off.
    Failed(Failure),
}

/// Where the parts of an answer go.
pub trait Parts {
    /// A piece of thinking, perhaps empty.
    fn reasoning(&mut self, piece: &str);
    /// A piece of the answer, perhaps empty.
    fn text(&mut self, piece: &str);
}

/// One object of an answer.
#[derive(Debug)]
pub struct Chunk(Value);

impl Chunk {
    /// The objects in a text; some providers send two in one event, or a list.
    ///
    /// # Errors
    /// As the parser says, for the first that is broken.
    pub fn parse(text: &str) -> Result<Vec<Self>, serde_json::Error> {
        let parse = |text: &str| -> Result<Vec<Value>, serde_json::Error> {
            serde_json::Deserializer::from_str(text).into_iter().collect()
        };
        let values = parse(text).or_else(|fault| repaired(text).and_then(|text| parse(&text).ok()).ok_or(fault))?;
        let flat = values.into_iter().flat_map(|value| match value {
            Value::Array(items) => items,
            value => vec![value],
        });
        Ok(flat.map(Self).collect())
    }

    /// The error that it reports, if it reports one.
    pub fn error(&self) -> Option<&Value> {
        let object = &self.0;
        if object.get("error").is_some_and(|error| !is_nothing(error)) {
            return Some(object);
        }
        if let Some(choice) = self.choice().filter(|choice| choice.get("error").is_some_and(|error| !is_nothing(error)))
        {
            return Some(choice);
        }
        if object.get("choices").is_some_and(|choices| !is_nothing(choices))
            || object.get("usage").is_some_and(Value::is_object)
        {
            return None;
        }
        let is_error = |key: &str| object.get(key).and_then(Value::as_str) == Some("error");
        let has = |key: &str| object.get(key).is_some_and(|value| !is_nothing(value));
        let status = ["code", "status"].iter().find_map(|key| number(object.get(key)?));
        let fails = status.is_some_and(|status| (400..600).contains(&status));
        let says = object.get("message").is_some_and(|message| message.is_string() && !is_nothing(message));
        let reports = is_error("object") || is_error("type") || fails || has("detail") || has("errors") || says;
        (reports || object.is_string()).then_some(object)
    }

    /// Whether there is anything of an answer in it.
    pub fn is_of_an_answer(&self) -> bool {
        ["choices", "usage"].iter().any(|key| self.0.get(key).is_some()) || self.choice().is_some()
    }

    /// Whether it holds a whole answer in place of a step.
    pub fn is_whole(&self) -> bool {
        match self.0.get("choices") {
            Some(_) => {
                self.choice().is_some_and(|choice| !has_object(choice, "delta") && has_object(choice, "message"))
            }
            // Ollama's own interface says so with the last step.
            None => self.0.get("done") == Some(&Value::Bool(true)),
        }
    }

    /// The object itself.
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// Gives on the thinking and the text of the answer; only the first of several answers is asked for.
    pub fn read(&self, out: &mut impl Parts) {
        let Some(choice) = self.choice() else { return };
        let step = match ["delta", "message"].iter().find(|key| has_object(choice, key)) {
            Some(key) => &choice[*key],
            None => choice,
        };
        let thoughts = THOUGHTS.iter().map(|key| flat(step.get(key), DEPTH)).find(|thoughts| !thoughts.is_empty());
        thoughts.into_iter().for_each(|thoughts| out.reasoning(&thoughts));
        match step.get("content") {
            Some(Value::Array(parts)) => {
                for part in parts {
                    let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
                    let piece = flat(Some(part), DEPTH);
                    match kind.contains("thinking") || kind.contains("reasoning") {
                        true => out.reasoning(&piece),
                        false => out.text(&piece),
                    }
                }
            }
            content => out.text(&flat(content, DEPTH)),
        }
        for key in ["text", "refusal"] {
            out.text(&flat(step.get(key), DEPTH));
        }
    }

    /// Why the answer is at its end, where it says so.
    pub fn ending(&self) -> Option<Ending> {
        let choice = self.choice()?;
        let reason = ["finish_reason", "finishReason", "done_reason"].iter().find_map(|key| choice.get(key)?.as_str());
        ending(reason?)
    }

    /// The counts that are known; 0 for one that is not.
    pub fn usage(&self) -> Option<Usage> {
        let counts = self.0.get("usage").filter(|counts| counts.is_object())?;
        let count = |names: [&str; 2]| {
            let count = names.iter().find_map(|name| number(counts.get(name)?)).unwrap_or(0);
            u32::try_from(count).unwrap_or(u32::MAX)
        };
        let (prompt, answer) = (["prompt_tokens", "input_tokens"], ["completion_tokens", "output_tokens"]);
        Some(Usage { prompt: count(prompt), answer: count(answer) })
    }

    fn choice(&self) -> Option<&Value> {
        let is_first = |choice: &&Value| choice.get("index").and_then(number).is_none_or(|index| index == 0);
        match self.0.get("choices") {
            Some(Value::Array(choices)) => choices.iter().filter(|choice| choice.is_object()).find(is_first),
            Some(Value::Object(_)) => self.0.get("choices"),
            // Ollama's own interface has no choices.
            _ => has_object(&self.0, "message").then_some(&self.0),
        }
    }
}

/// What a reason means; an unknown one is an end as good as any. Empty where it is none.
fn ending(reason: &str) -> Option<Ending> {
    let reason = reason.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    Some(match reason.as_str() {
        "" | "null" | "none" => return None,
        _ if has(&["length", "max_tokens", "max_output_tokens", "token_limit", "context_window"]) => {
            Ending::Finish(Finish::Length)
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
            Ending::Finish(Finish::Withheld)
        }
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => Ending::Finish(Finish::ToolCall),
        "insufficient_system_resource" => Ending::Failed(Failure::Busy),
        "error" | "network_error" | "abort" | "cancelled" | "malformed_function_call" => {
            Ending::Failed(Failure::Upstream)
        }
        _ => Ending::Finish(Finish::Stop),
    })
}

/// The text in a value of any form.
fn flat(value: Option<&Value>, depth: u32) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Array(parts)) if depth > 0 => parts.iter().map(|part| flat(Some(part), depth - 1)).collect(),
        Some(Value::Object(part)) if depth > 0 => {
            TEXTS.iter().map(|key| flat(part.get(*key), depth - 1)).find(|text| !text.is_empty()).unwrap_or_default()
        }
        _ => String::new(),
    }
}

/// A whole number, also as a text or with a fraction.
pub fn number(value: &Value) -> Option<u64> {
    let of_text = || value.as_str()?.trim().parse().ok();
    value
        .as_u64()
        .or_else(of_text)
        .or_else(|| value.as_f64().filter(|number| *number >= 0.0).map(|number| number as u64))
}

fn has_object(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(Value::is_object)
}

fn is_nothing(value: &Value) -> bool {
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
    use super::*;

    fn chunk(text: &str) -> Chunk {
        Chunk::parse(text).expect(text).pop().expect("an object")
    }

    #[derive(Default)]
    struct Told(String, String);

    impl Parts for Told {
        fn reasoning(&mut self, piece: &str) {
            self.0.push_str(piece);
        }

        fn text(&mut self, piece: &str) {
            self.1.push_str(piece);
        }
    }

    fn read(text: &str) -> (String, String) {
        let mut told = Told::default();
        chunk(text).read(&mut told);
        (told.0, told.1)
    }

    #[test]
    fn text_and_thinking_are_found_in_every_form() {
        for (step, thinking, said) in [
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
            let told = (thinking.to_owned(), said.to_owned());
            assert_eq!(read(&format!(r#"{{"choices":[{{"index":0,"delta":{step}}}]}}"#)), told, "{step}");
            assert_eq!(read(&format!(r#"{{"choices":[{{"message":{step}}}]}}"#)), told, "{step}");
        }
        assert_eq!(read(r#"{"choices":[{"text":"old"}]}"#).1, "old");
        assert_eq!(read(r#"{"message":{"content":"Ollama"},"done":false}"#).1, "Ollama");
    }

    #[test]
    fn what_is_of_another_type_costs_nothing_but_itself() {
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
            assert!(chunk.error().is_none() && chunk.ending().is_none(), "{text}");
            assert_eq!(read(text), Default::default(), "{text}");
            assert!(chunk.usage().is_none(), "{text}");
        }
        for index in ["null", "0", "\"0\"", "0.0", "[]"] {
            let text = format!(r#"{{"choices":[{{"index":{index},"delta":{{"content":"x"}}}}]}}"#);
            assert_eq!(read(&text).1, "x", "{index}");
        }
    }

    #[test]
    fn counts_are_taken_where_they_are_known() {
        for (counts, prompt, answer) in [
            (r#"{"prompt_tokens":7,"completion_tokens":2}"#, 7, 2),
            (r#"{"prompt_tokens":null,"completion_tokens":null,"total_tokens":null}"#, 0, 0),
            (r#"{"prompt_tokens":"7","completion_tokens":2.0}"#, 7, 2),
            (r#"{"prompt_tokens":[],"completion_tokens":-2}"#, 0, 0),
            (r#"{"input_tokens":7,"output_tokens":99999999999}"#, 7, u32::MAX),
            ("{}", 0, 0),
        ] {
            let usage = chunk(&format!(r#"{{"choices":[],"usage":{counts}}}"#)).usage();
            assert_eq!(usage, Some(Usage { prompt, answer }), "{counts}");
        }
    }

    #[test]
    fn reasons_are_understood_and_unknown_ones_are_an_end() {
        use Finish::{Length, Stop, ToolCall, Withheld};
        for (reason, ending) in [
            ("\"stop\"", Some(Ending::Finish(Stop))),
            ("\"eos\"", Some(Ending::Finish(Stop))),
            ("\"end_turn\"", Some(Ending::Finish(Stop))),
            ("\"length\"", Some(Ending::Finish(Length))),
            ("\"MAX_TOKENS\"", Some(Ending::Finish(Length))),
            ("\"model_length\"", Some(Ending::Finish(Length))),
            ("\"content_filter\"", Some(Ending::Finish(Withheld))),
            ("\"SAFETY\"", Some(Ending::Finish(Withheld))),
            ("\"refusal\"", Some(Ending::Finish(Withheld))),
            ("\"tool_calls\"", Some(Ending::Finish(ToolCall))),
            ("\"function_call\"", Some(Ending::Finish(ToolCall))),
            ("\"insufficient_system_resource\"", Some(Ending::Failed(Failure::Busy))),
            ("\"error\"", Some(Ending::Failed(Failure::Upstream))),
            ("\"\"", None),
            ("null", None),
            ("7", None),
        ] {
            let text = format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":{reason}}}]}}"#);
            assert_eq!(chunk(&text).ending(), ending, "{reason}");
        }
    }

    #[test]
    fn errors_are_known_in_every_form() {
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
    fn json_as_some_write_it_is_read() {
        let text = r#"{"choices":[{"delta":{"content":"\ud83d\ude80 \ud83d"},"logprobs":[NaN]}]}"#;
        assert_eq!(read(text).1, "🚀 \u{FFFD}");
        assert!(Chunk::parse("this is no JSON").is_err());
        assert!(Chunk::parse(r#"{"choices":[{"del"#).is_err());
        assert_eq!(Chunk::parse("{} {}").expect("two").len(), 2);
    }
}
