//! The JSON of the protocol, both ways. Only the fields that mean something here are read.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, Visitor},
};

use super::super::{Finish, Prompt, Usage, window};
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
    /// A request for a stream, with the counts of tokens at its end where `usage` is set.
    pub fn new(model: &'a str, messages: &'a [Message<'a>], usage: bool) -> Self {
        Self { model, messages, stream: true, stream_options: usage.then_some(StreamOptions { include_usage: true }) }
    }
}

/// The messages of a prompt that fit into `context` tokens with room for an answer, and how many of the oldest turns
/// were left out. `None` if the newest turn does not fit.
pub fn messages(prompt: &Prompt, context: u32) -> Option<(Vec<Message<'_>>, usize)> {
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
    push(&mut messages, "system", &prompt.system);
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

/// One chunk of an answer.
#[derive(Debug, Deserialize)]
pub struct Chunk<'a> {
    #[serde(borrow, default)]
    pub choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    pub usage: Option<Counts>,
    #[serde(default)]
    pub error: Option<serde_json::Value>,
}

/// One of several answers; only the first is asked for.
#[derive(Debug, Deserialize)]
pub struct Choice<'a> {
    #[serde(default)]
    pub index: u32,
    #[serde(borrow, default)]
    pub delta: Option<Step<'a>>,
    #[serde(borrow, default)]
    pub finish_reason: Text<'a>,
}

/// What an answer grows by.
#[derive(Debug, Default, Deserialize)]
pub struct Step<'a> {
    #[serde(borrow, default)]
    pub content: Text<'a>,
    /// DeepSeek, Qwen, vLLM.
    #[serde(borrow, default)]
    pub reasoning_content: Text<'a>,
    /// OpenRouter, Ollama.
    #[serde(borrow, default)]
    pub reasoning: Text<'a>,
}

impl Step<'_> {
    /// The thinking, under whichever of the two names it comes.
    pub fn thinking(&self) -> &str {
        if self.reasoning_content.0.is_empty() { &self.reasoning.0 } else { &self.reasoning_content.0 }
    }
}

/// Tokens as the provider counts them.
#[derive(Debug, Deserialize)]
pub struct Counts {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        let fit = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Self { prompt: fit(counts.prompt_tokens), answer: fit(counts.completion_tokens) }
    }
}

/// A text, or `null` for an empty one; borrowed from the chunk where it has no escapes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// Why the answer ended, if this is the reason that stands in the last chunk.
    pub fn as_finish(&self) -> Option<Finish> {
        match &*self.0 {
            "" => None,
            "length" => Some(Finish::Length),
            _ => Some(Finish::Stop),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or null")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }

            fn visit_unit<E: Error>(self) -> Result<Text<'de>, E> {
                Ok(Text::default())
            }
        }

        deserializer.deserialize_any(Reader)
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
        let (messages, left_out) = messages(&prompt, 8_192).expect("fits");
        assert_eq!(left_out, 0);
        assert_eq!(flat(&messages), ["system: Be brief.", "user: a\n\nb", "assistant: c", "user: d"]);
    }

    #[test]
    fn the_oldest_turns_give_way_and_the_instructions_stay() {
        use Author::{Assistant, User};
        let long = "word ".repeat(200);
        let turns: Vec<_> = (0..41).map(|i| (if i % 2 == 0 { User } else { Assistant }, long.as_str())).collect();
        let prompt = prompt(&turns, None);
        let (messages, left_out) = messages(&prompt, 4_096).expect("fits");
        assert_eq!(left_out, 32, "3,072 tokens hold ten turns of 290, and the oldest of them is an answer");
        assert_eq!(messages.len(), 10);
        assert_eq!(messages[0].content, "Be brief.");
        assert_eq!(messages[1].role, "user");
    }

    #[test]
    fn a_message_that_does_not_fit_is_never_cut() {
        assert_eq!(messages(&prompt(&[(Author::User, &"x".repeat(40_000))], None), 8_192), None);
        assert_eq!(messages(&prompt(&[(Author::User, "x")], None), 8), None);
    }

    #[test]
    fn an_answer_is_continued_from_its_end() {
        let long = format!("{} the very end", "word ".repeat(20_000));
        let prompt = prompt(&[(Author::User, "Tell me")], Some(&long));
        let (messages, _) = messages(&prompt, 8_192).expect("fits");
        let roles: Vec<_> = messages.iter().map(|message| message.role).collect();
        assert_eq!(roles, ["system", "user", "assistant", "user"]);
        assert!(messages[2].content.ends_with("the very end") && messages[2].content.len() < 12_000);
        assert_eq!(messages[3].content, GO_ON);
    }

    #[test]
    fn chunks_borrow_their_text() {
        let chunk: Chunk<'_> = serde_json::from_str(
            r#"{"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"né","reasoning":null,"tool_calls":[{"function":{"arguments":"{broken"}}]},"finish_reason":null}],"usage":null}"#,
        )
        .expect("a chunk");
        let choice = &chunk.choices.as_ref().expect("choices")[0];
        let step = choice.delta.as_ref().expect("a delta");
        assert!(matches!(&step.content, Text(Cow::Borrowed("né"))), "{step:?}");
        assert_eq!((step.thinking(), choice.finish_reason.as_finish()), ("", None));
    }
}
