//! The JSON of a request.

use serde::Serialize;

use super::super::remote::Conversation;
use crate::domain::Author;

/// The body of a request. A prompt that is too long is rejected rather than shortened unseen, and an answer that reaches
/// the end of the context window ends rather than forgetting its beginning.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    truncate: bool,
    shift: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Options>,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

/// Without `num_ctx`, the server uses a context window that it does not tell.
#[derive(Debug, Serialize)]
struct Options {
    num_ctx: u32,
}

impl<'a> Request<'a> {
    /// A request for the answer to a conversation, with this context window in tokens if it can be chosen.
    pub fn new(model: &'a str, conversation: &'a Conversation<'_>, context: Option<u32>) -> Self {
        let system = Some(conversation.system).filter(|system| !system.is_empty());
        let system = system.map(|content| Message { role: "system", content });
        let messages = conversation.messages.iter().map(|message| {
            let role = match message.author {
                Author::User => "user",
                Author::Assistant => "assistant",
            };
            Message { role, content: &message.text }
        });
        Self {
            model,
            messages: system.into_iter().chain(messages).collect(),
            stream: true,
            truncate: false,
            shift: false,
            options: context.map(|num_ctx| Options { num_ctx }),
        }
    }
}
