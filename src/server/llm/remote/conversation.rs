//! Fits a prompt into the context window of a model.

use std::borrow::Cow;

use super::super::{Prompt, window};
use crate::domain::Author;

/// The instruction that follows an answer to be continued.
const CONTINUE_INSTRUCTION: &str =
    "Your last answer broke off. Go on exactly where it ended: repeat nothing, and add no introduction.";
/// Estimated tokens of a message in addition to its text.
const TOKENS_PER_MESSAGE: u32 = 4;

/// The part of a prompt that is sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// The system prompt.
    pub system: &'a str,
    /// The messages. Two consecutive ones never have the same author, and none is blank.
    pub messages: Vec<Message<'a>>,
    /// The number of oldest turns that were omitted.
    pub truncated_messages: usize,
    /// The estimated tokens of all of it.
    pub tokens: u32,
}

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// The author.
    pub author: Author,
    /// The text.
    pub text: Cow<'a, str>,
}

/// The part of a prompt that fits into `context` tokens with room for an answer. `None` if the newest turn does not fit.
pub fn fit(prompt: &Prompt, context: u32) -> Option<Conversation<'_>> {
    let cost = |index: usize| window::estimate_tokens(&prompt.turns[index].text).saturating_add(TOKENS_PER_MESSAGE);
    let system = window::estimate_tokens(&prompt.system).saturating_add(TOKENS_PER_MESSAGE);
    let mut room = (context - window::answer_reserve(context)).checked_sub(system)?;
    let mut tokens = system;
    // The end of a long answer is enough to continue it.
    let so_far = prompt.answer_so_far.as_deref().map(|answer| window::suffix_within(answer, room / 2));
    if let Some(answer) = so_far {
        let cost =
            window::estimate_tokens(answer) + window::estimate_tokens(CONTINUE_INSTRUCTION) + 2 * TOKENS_PER_MESSAGE;
        room = room.checked_sub(cost)?;
        tokens = tokens.saturating_add(cost);
    }
    let truncated_messages = window::count_truncated(&prompt.turns, room, cost)?;
    let mut messages = Vec::with_capacity(prompt.turns.len() - truncated_messages + 2);
    for (index, turn) in prompt.turns.iter().enumerate().skip(truncated_messages) {
        tokens = tokens.saturating_add(cost(index));
        push(&mut messages, turn.author, &turn.text);
    }
    if let Some(answer) = so_far.filter(|answer| !answer.trim().is_empty()) {
        push(&mut messages, Author::Assistant, answer);
        push(&mut messages, Author::User, CONTINUE_INSTRUCTION);
    }
    Some(Conversation { system: &prompt.system, messages, truncated_messages, tokens })
}

impl Conversation<'_> {
    /// Omits answers at the beginning, for interfaces that require the first message to be the user's.
    #[must_use]
    pub fn starting_with_user(mut self) -> Self {
        if self.messages.first().is_some_and(|first| first.author == Author::Assistant) {
            self.messages.remove(0);
            self.truncated_messages += 1;
        }
        self
    }
}

/// Appends a message. Skips blank messages and merges consecutive ones of the same author, because some providers reject
/// those.
fn push<'a>(messages: &mut Vec<Message<'a>>, author: Author, text: &'a str) {
    if text.trim().is_empty() {
        return;
    }
    match messages.last_mut().filter(|last| last.author == author) {
        Some(last) => {
            let merged = last.text.to_mut();
            merged.push_str("\n\n");
            merged.push_str(text);
        }
        None => messages.push(Message { author, text: Cow::Borrowed(text) }),
    }
}
