//! The JSON of a chat completion request.

use std::borrow::Cow;

use serde::Serialize;

use super::super::{Prompt, remote};
use crate::domain::Author;

/// The body of a request.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    model: &'a str,
    messages: &'a [Message<'a>],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// One message of a request.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Message<'a> {
    role: &'static str,
    content: Cow<'a, str>,
}

impl<'a> Request<'a> {
    /// A request for a stream or for a whole answer. With `usage`, a stream reports token counts at its end.
    pub fn new(model: &'a str, messages: &'a [Message<'a>], stream: bool, usage: bool) -> Self {
        let stream_options = (stream && usage).then_some(StreamOptions { include_usage: true });
        Self { model, messages, stream, stream_options }
    }
}

/// The messages of a prompt that fit into `context` tokens with room for an answer, and the number of oldest turns that
/// were omitted. The system prompt is a message with the role `system`, or else the beginning of the first message.
/// `None` if the newest turn does not fit.
pub fn messages(prompt: &Prompt, context: u32, system_role: bool) -> Option<(Vec<Message<'_>>, usize)> {
    let conversation = remote::fit(prompt, context)?;
    let mut messages = Vec::with_capacity(conversation.messages.len() + 1);
    if !conversation.system.is_empty() {
        let role = if system_role { "system" } else { "user" };
        messages.push(Message { role, content: conversation.system.into() });
    }
    for message in conversation.messages {
        let role = match message.author {
            Author::User => "user",
            Author::Assistant => "assistant",
        };
        match messages.last_mut().filter(|last| last.role == role) {
            // Only the system prompt and the first message can have the same role.
            Some(last) => last.content = format!("{}\n\n{}", last.content, message.text).into(),
            None => messages.push(Message { role, content: message.text }),
        }
    }
    Some((messages, conversation.truncated_messages))
}

#[cfg(test)]
mod tests {
    use super::{super::super::Turn, *};

    fn prompt(turns: &[(Author, &str)], answer_so_far: Option<&str>) -> Prompt {
        Prompt {
            system: "Be brief.".to_owned(),
            turns: turns.iter().map(|&(author, text)| Turn { author, text: text.to_owned() }).collect(),
            answer_so_far: answer_so_far.map(str::to_owned),
        }
    }

    fn format_messages(messages: &[Message<'_>]) -> Vec<String> {
        messages.iter().map(|message| format!("{}: {}", message.role, message.content)).collect()
    }

    #[test]
    fn turns_become_alternating_messages() {
        use Author::{Assistant, User};
        let prompt = prompt(&[(User, "a"), (Assistant, ""), (User, "b"), (Assistant, "c"), (User, "d")], None);
        let (messages, truncated_messages) = messages(&prompt, 8_192, true).expect("fits");
        assert_eq!(truncated_messages, 0);
        assert_eq!(format_messages(&messages), ["system: Be brief.", "user: a\n\nb", "assistant: c", "user: d"]);
    }

    #[test]
    fn the_oldest_turns_are_omitted_and_the_system_prompt_stays() {
        use Author::{Assistant, User};
        let long = "word ".repeat(200);
        let turns: Vec<_> = (0..41).map(|i| (if i % 2 == 0 { User } else { Assistant }, long.as_str())).collect();
        let prompt = prompt(&turns, None);
        let (messages, truncated_messages) = messages(&prompt, 4_096, true).expect("fits");
        assert_eq!(truncated_messages, 32, "3,072 tokens hold ten turns of 290, and the oldest of them is an answer");
        assert_eq!(messages.len(), 10);
        assert_eq!(messages[0].content, "Be brief.");
        assert_eq!(messages[1].role, "user");
    }

    #[test]
    fn a_message_that_does_not_fit_is_never_truncated() {
        assert_eq!(messages(&prompt(&[(Author::User, &"x".repeat(40_000))], None), 8_192, true), None);
        assert_eq!(messages(&prompt(&[(Author::User, "x")], None), 8, true), None);
    }

    #[test]
    fn an_answer_is_continued_from_its_end() {
        let long = format!("{} the very end", "word ".repeat(20_000));
        let prompt = prompt(&[(Author::User, "Tell me")], Some(&long));
        let (messages, _) = messages(&prompt, 8_192, true).expect("fits");
        let roles: Vec<_> = messages.iter().map(|message| message.role).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
        assert!(messages[2].content.ends_with("the very end") && messages[2].content.len() < 12_000);
        assert!(messages[3].content.starts_with("Your last answer broke off."));
    }

    #[test]
    fn the_system_prompt_can_be_part_of_the_first_message() {
        use Author::{Assistant, User};
        let conversation = prompt(&[(User, "a"), (Assistant, "b"), (User, "c")], None);
        let (messages, _) = messages(&conversation, 8_192, false).expect("fits");
        assert_eq!(format_messages(&messages), ["user: Be brief.\n\na", "assistant: b", "user: c"]);
    }
}
