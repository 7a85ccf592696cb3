//! The JSON of a request.

use serde::Serialize;

use super::super::{
    remote::{Conversation, Message},
    window,
};
use crate::domain::Author;

/// The smallest context window in tokens that a request is made for.
pub const MIN_CONTEXT: u32 = 256;

/// The body of a request.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "str::is_empty")]
    system: &'a str,
    messages: Vec<WireMessage<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
}

#[derive(Debug, Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: Content<'a>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Blocks([TextBlock<'a>; 1]),
}

#[derive(Debug, Serialize)]
struct TextBlock<'a> {
    r#type: &'static str,
    text: &'a str,
    cache_control: CacheControl,
}

#[derive(Debug, Serialize)]
struct CacheControl {
    r#type: &'static str,
}

/// The model decides how much it thinks, and a summary of it is sent.
#[derive(Debug, Serialize)]
struct Thinking {
    r#type: &'static str,
    display: &'static str,
}

impl<'a> Request<'a> {
    /// A request for the answer to a conversation. `context` and `max_output` are limits of the model in tokens.
    pub fn new(
        model: &'a str,
        conversation: &'a Conversation<'_>,
        context: u32,
        max_output: u32,
        has_adaptive_thinking: bool,
    ) -> Self {
        let last = conversation.messages.len().saturating_sub(1);
        let messages =
            conversation.messages.iter().enumerate().map(|(index, message)| message_of(message, index == last));
        let thinking = has_adaptive_thinking.then_some(Thinking { r#type: "adaptive", display: "summarized" });
        Self {
            model,
            max_tokens: answer_limit(conversation.tokens, context, max_output),
            system: conversation.system,
            messages: messages.collect(),
            stream: true,
            thinking,
        }
    }
}

/// The provider caches the prompt up to the end of the `last` message, so that the next turn reads it from there.
fn message_of<'a>(message: &'a Message<'_>, last: bool) -> WireMessage<'a> {
    let role = match message.author {
        Author::User => "user",
        Author::Assistant => "assistant",
    };
    let cache_control = CacheControl { r#type: "ephemeral" };
    let content = match last {
        true => Content::Blocks([TextBlock { r#type: "text", text: &message.text, cache_control }]),
        false => Content::Text(&message.text),
    };
    WireMessage { role, content }
}

/// The longest answer to request. The provider rejects a limit that does not fit into the context window beside the
/// prompt, whose tokens are only estimated.
fn answer_limit(prompt: u32, context: u32, max_output: u32) -> u32 {
    let room = context.saturating_sub(prompt).saturating_sub(prompt / 8);
    max_output.min(room.max(window::answer_reserve(context)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::super::{Prompt, Turn, remote::fit},
        *,
    };

    fn prompt(system: &str, turns: &[(Author, &str)]) -> Prompt {
        let turns = turns.iter().map(|&(author, text)| Turn { author, text: text.to_owned() }).collect();
        Prompt { system: system.to_owned(), turns, answer_so_far: None }
    }

    #[test]
    fn a_request_has_the_form_of_the_interface() {
        use Author::{Assistant, User};
        let prompt =
            prompt("Be brief.", &[(User, "a"), (Assistant, " \n"), (User, "b"), (Assistant, "c"), (User, "d")]);
        let conversation = fit(&prompt, 200_000).expect("fits");
        let request = Request::new("claude-opus-4-6", &conversation, 200_000, 64_000, true);
        assert_eq!(
            serde_json::to_value(request).expect("JSON"),
            json!({
                "model": "claude-opus-4-6",
                "max_tokens": 64_000,
                "system": "Be brief.",
                "messages": [
                    {"role": "user", "content": "a\n\nb"},
                    {"role": "assistant", "content": "c"},
                    {"role": "user", "content": [{"type": "text", "text": "d", "cache_control": {"type": "ephemeral"}}]},
                ],
                "stream": true,
                "thinking": {"type": "adaptive", "display": "summarized"},
            })
        );
    }

    #[test]
    fn absent_parts_are_left_out_and_the_first_message_is_the_users() {
        use Author::{Assistant, User};
        let prompt = prompt("", &[(Assistant, "Hello"), (User, "Hello")]);
        let conversation = fit(&prompt, 8_192).expect("fits").starting_with_user();
        assert_eq!(conversation.truncated_messages, 1);
        let request = serde_json::to_value(Request::new("m", &conversation, 8_192, 4_096, false)).expect("JSON");
        assert_eq!(request["messages"].as_array().map(Vec::len), Some(1));
        assert_eq!(request["messages"][0]["role"], "user");
        assert!(request.get("system").is_none() && request.get("thinking").is_none(), "{request}");
    }

    #[test]
    fn the_limit_of_the_answer_fits_beside_the_prompt() {
        for (prompt, context, max_output, limit) in [
            (100, 200_000, 64_000, 64_000),
            (160_000, 200_000, 64_000, 20_000),
            (195_000, 200_000, 64_000, 4_096),
            (100, 8_192, 64_000, 8_080),
            (8_000, 8_192, 64_000, 2_048),
            (100, 200_000, 5, 5),
        ] {
            assert_eq!(answer_limit(prompt, context, max_output), limit, "{prompt} of {context}");
        }
    }
}
