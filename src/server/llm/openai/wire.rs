//! The JSON of a request.

use std::borrow::Cow;

use serde::Serialize;

use super::super::{Prompt, window};
use crate::domain::Author;

/// What a model is told after an answer that it is to continue.
const GO_ON: &str =
    "Your last answer broke off. Go on exactly where it ended: repeat nothing, and add no introduction.";
/// Tokens that a message costs beside its text.
const MESSAGE_COST: u32 = 4;

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
    /// A request for a stream, or for the whole answer at once, with the counts of tokens at the stream's end where
    /// `usage` is set.
    pub fn new(model: &'a str, messages: &'a [Message<'a>], stream: bool, usage: bool) -> Self {
        let stream_options = (stream && usage).then_some(StreamOptions { include_usage: true });
        Self { model, messages, stream, stream_options }
    }
}

/// The messages of a prompt that fit into `context` tokens with room for an answer, and how many of the oldest turns
/// were left out. The instructions are a message with the role `system`, or else the beginning of the first message.
/// `None` if the newest turn does not fit.
pub fn messages(prompt: &Prompt, context: u32, system_role: bool) -> Option<(Vec<Message<'_>>, usize)> {
    let cost = |index: usize| window::estimate(&prompt.turns[index].text).saturating_add(MESSAGE_COST);
    let system = window::estimate(&prompt.system).saturating_add(MESSAGE_COST);
    let mut room = (context - window::answer_room(context)).checked_sub(system)?;
    // Of a long answer that is to be continued, its end says where to go on.
    let so_far = prompt.answer_so_far.as_deref().map(|answer| window::end_within(answer, room / 2));
    if let Some(answer) = so_far {
        room = room.checked_sub(window::estimate(answer) + window::estimate(GO_ON) + 2 * MESSAGE_COST)?;
    }
    let left_out = window::leave_out(&prompt.turns, room, cost)?;
    let mut messages = Vec::with_capacity(prompt.turns.len() - left_out + 3);
    push(&mut messages, if system_role { "system" } else { "user" }, &prompt.system);
    for turn in &prompt.turns[left_out..] {
        let role = match turn.author {
            Author::User => "user",
            Author::Assistant => "assistant",
        };
        push(&mut messages, role, &turn.text);
    }
    if let Some(answer) = so_far.filter(|answer| !answer.is_empty()) {
        push(&mut messages, "assistant", answer);
        push(&mut messages, "user", GO_ON);
    }
    Some((messages, left_out))
}

/// Appends a message; an empty one is left away and two of one role become one, because some providers refuse those.
fn push<'a>(messages: &mut Vec<Message<'a>>, role: &'static str, text: &'a str) {
    if text.is_empty() {
        return;
    }
    match messages.last_mut().filter(|last| last.role == role) {
        Some(last) => {
            let content = last.content.to_mut();
            content.push_str("\n\n");
            content.push_str(text);
        }
        None => messages.push(Message { role, content: Cow::Borrowed(text) }),
    }
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

    fn flat(messages: &[Message<'_>]) -> Vec<String> {
        messages.iter().map(|message| format!("{}: {}", message.role, message.content)).collect()
    }

    #[test]
    fn turns_become_messages_that_alternate() {
        use Author::{Assistant, User};
        let prompt = prompt(&[(User, "a"), (Assistant, ""), (User, "b"), (Assistant, "c"), (User, "d")], None);
        let (messages, left_out) = messages(&prompt, 8_192, true).expect("fits");
        assert_eq!(left_out, 0);
        assert_eq!(flat(&messages), ["system: Be brief.", "user: a\n\nb", "assistant: c", "user: d"]);
    }

    #[test]
    fn the_oldest_turns_give_way_and_the_instructions_stay() {
        use Author::{Assistant, User};
        let long = "word ".repeat(200);
        let turns: Vec<_> = (0..41).map(|i| (if i % 2 == 0 { User } else { Assistant }, long.as_str())).collect();
        let prompt = prompt(&turns, None);
        let (messages, left_out) = messages(&prompt, 4_096, true).expect("fits");
        assert_eq!(left_out, 32, "3,072 tokens hold ten turns of 290, and the oldest of them is an answer");
        assert_eq!(messages.len(), 10);
        assert_eq!(messages[0].content, "Be brief.");
        assert_eq!(messages[1].role, "user");
    }

    #[test]
    fn a_message_that_does_not_fit_is_never_cut() {
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
        assert_eq!(messages[3].content, GO_ON);
    }

    #[test]
    fn instructions_can_stand_in_the_first_message() {
        use Author::{Assistant, User};
        let talk = prompt(&[(User, "a"), (Assistant, "b"), (User, "c")], None);
        let (messages, _) = messages(&talk, 8_192, false).expect("fits");
        assert_eq!(flat(&messages), ["user: Be brief.\n\na", "assistant: b", "user: c"]);
    }
}
