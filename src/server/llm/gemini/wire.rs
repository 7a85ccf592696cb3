//! The JSON of a request.

use std::borrow::Cow;

use serde::Serialize;

use super::super::remote::Conversation;
use crate::domain::Author;

/// The body of a request.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content<'a>>,
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GenerationConfig>,
}

#[derive(Debug, Serialize)]
struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    parts: [Part<'a>; 1],
}

#[derive(Debug, Serialize)]
struct Part<'a> {
    text: Cow<'a, str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    thinking_config: ThinkingConfig,
}

/// The model thinks anyway. This asks for a summary of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    include_thoughts: bool,
}

impl<'a> Request<'a> {
    /// A request for the answer to a conversation. Without instructions, the system prompt is the beginning of the first
    /// message.
    pub fn new(conversation: &'a Conversation<'_>, knows_instructions: bool, thinks: bool) -> Self {
        let system = Some(conversation.system).filter(|system| !system.is_empty());
        let content = |role: Option<&'static str>, text: Cow<'a, str>| Content { role, parts: [Part { text }] };
        let contents = conversation.messages.iter().enumerate().map(|(index, message)| {
            let role = match message.author {
                Author::User => "user",
                Author::Assistant => "model",
            };
            let text = match system {
                Some(system) if index == 0 && !knows_instructions => format!("{system}\n\n{}", message.text).into(),
                _ => Cow::Borrowed(&*message.text),
            };
            content(Some(role), text)
        });
        let thinking_config = ThinkingConfig { include_thoughts: true };
        Self {
            contents: contents.collect(),
            system_instruction: system.filter(|_| knows_instructions).map(|system| content(None, system.into())),
            generation_config: thinks.then_some(GenerationConfig { thinking_config }),
        }
    }
}
