//! Renders a conversation with the model's chat template, as tokens.
//!
//! `llama.cpp` applies the template, but to placeholders. If it got the messages, the names of special tokens in them
//! would become special tokens, and a message could end its turn and begin one of the system's.

use llama_cpp_2::{
    model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel},
    token::LlamaToken,
};

use super::super::{Prompt, Turn, window};
use crate::domain::Author;

/// Estimated tokens that a template adds per turn, before the exact count is known.
const TEMPLATE_TOKENS_PER_TURN: usize = 4;
/// The template for files without one, or with an unknown one.
const FALLBACK_TEMPLATE: &str = "chatml";

/// The chat template of a model.
pub struct Template<'m> {
    model: &'m LlamaModel,
    template: LlamaChatTemplate,
}

/// A prompt that fits into the context window.
#[derive(Debug)]
pub struct FittedPrompt {
    /// The tokens of the prompt.
    pub tokens: Vec<LlamaToken>,
    /// How many of the oldest turns were omitted.
    pub truncated_messages: usize,
    /// The number of spaces at the end of the answer so far. They are not in `tokens`, because most tokens include the
    /// space before a word, so the model generates them again.
    pub trailing_spaces: usize,
}

/// A part of a rendered conversation.
enum Part<'a> {
    /// Text of the template. Names of special tokens in it are parsed as such.
    Template(&'a str),
    /// The text of the message with this index. Nothing in it is special.
    Message(usize),
}

impl<'m> Template<'m> {
    /// The file's own template, or ChatML.
    pub fn for_model(model: &'m LlamaModel) -> Self {
        let fallback = || LlamaChatTemplate::new(FALLBACK_TEMPLATE).expect("the name holds no NUL");
        let own = model.chat_template(None).ok();
        let works = |template: &LlamaChatTemplate| render(model, template, &["user"]).is_some();
        Self { model, template: own.filter(works).unwrap_or_else(fallback) }
    }

    /// Renders the prompt with at most `room` tokens. Omits the oldest turns first, then the beginning of a long answer
    /// that is to be continued. `None` if the system prompt and the newest turn do not fit.
    pub fn fit(&self, prompt: &Prompt, room: usize) -> Option<FittedPrompt> {
        let so_far = prompt.answer_so_far.as_deref().unwrap_or_default();
        let trimmed = so_far.trim_end_matches(' ');
        let mut answer = self.tokenize_plain(trimmed);
        answer.drain(..answer.len().saturating_sub(room / 2));

        let room = room.checked_sub(answer.len())?;
        // Very small models take the system prompt for part of the question, and answer worse with it than without.
        let is_very_small = self.model.n_params() < 1_000_000_000;
        let system = if is_very_small { Vec::new() } else { self.tokenize_plain(&prompt.system) };
        let texts = self.tokenize_newest(&prompt.turns, room);
        let offset = prompt.turns.len() - texts.len();
        let cost = |index: usize| u32::try_from(texts[index].len() + TEMPLATE_TOKENS_PER_TURN).unwrap_or(u32::MAX);
        let rest = u32::try_from(room.checked_sub(system.len())?).unwrap_or(u32::MAX);
        let mut first = offset + window::count_truncated(&prompt.turns[offset..], rest, cost)?;
        loop {
            let tokens = self.assemble(&system, &prompt.turns[first..], &texts[first - offset..])?;
            if tokens.len() <= room {
                let tokens = [tokens, answer].concat();
                return Some(FittedPrompt {
                    tokens,
                    truncated_messages: first,
                    trailing_spaces: so_far.len() - trimmed.len(),
                });
            }
            // The template needs more tokens than estimated: omit one more user turn and its answers.
            let next = prompt.turns[first + 1..].iter().position(|turn| turn.author == Author::User)?;
            first += 1 + next;
        }
    }

    /// Tokenizes the newest turns, as many as could fit. Always includes the newest one.
    fn tokenize_newest(&self, turns: &[Turn], room: usize) -> Vec<Vec<LlamaToken>> {
        let mut newest = Vec::new();
        let mut total = 0;
        for turn in turns.iter().rev() {
            if total > room {
                break;
            }
            let tokens = self.tokenize_plain(&turn.text);
            total += tokens.len() + TEMPLATE_TOKENS_PER_TURN;
            newest.push(tokens);
        }
        newest.reverse();
        newest
    }

    /// Renders the whole conversation, including the start of the answer.
    fn assemble(&self, system: &[LlamaToken], turns: &[Turn], texts: &[Vec<LlamaToken>]) -> Option<Vec<LlamaToken>> {
        let mut roles: Vec<&str> = Vec::new();
        let mut messages: Vec<Vec<LlamaToken>> = Vec::new();
        if !system.is_empty() {
            roles.push("system");
            messages.push(system.to_vec());
        }
        for (turn, text) in turns.iter().zip(texts).filter(|(_, text)| !text.is_empty()) {
            let role = role(turn.author);
            // Many templates reject two turns of the same role in a row.
            match messages.last_mut().filter(|_| roles.last() == Some(&role)) {
                Some(last) => {
                    last.extend(self.tokenize_plain("\n\n"));
                    last.extend_from_slice(text);
                }
                None => {
                    roles.push(role);
                    messages.push(text.clone());
                }
            }
        }
        let rendered = render(self.model, &self.template, &roles)?;
        let vocabulary = self.model.vocab();
        let mut tokens = Vec::new();
        for part in split_at_placeholders(&rendered) {
            match part {
                Part::Template(text) => tokens.extend(vocabulary.tokenize(text.as_bytes(), false, true)),
                Part::Message(index) => tokens.extend_from_slice(messages.get(index)?),
            }
        }
        let bos = vocabulary.bos();
        if vocabulary.should_add_bos() && tokens.first() != Some(&bos) {
            tokens.insert(0, bos);
        }
        Some(tokens)
    }

    /// Tokenizes text without parsing special tokens.
    fn tokenize_plain(&self, text: &str) -> Vec<LlamaToken> {
        self.model.vocab().tokenize(text.as_bytes(), false, false)
    }
}

fn role(author: Author) -> &'static str {
    match author {
        Author::User => "user",
        Author::Assistant => "assistant",
    }
}

/// Renders a conversation of these roles with a placeholder for each text, including the start of the answer. `None` if
/// the library does not know the template.
fn render(model: &LlamaModel, template: &LlamaChatTemplate, roles: &[&str]) -> Option<String> {
    let message = |(index, role): (usize, &&str)| LlamaChatMessage::new((*role).to_owned(), placeholder(index)).ok();
    let messages: Option<Vec<LlamaChatMessage>> = roles.iter().enumerate().map(message).collect();
    model.apply_chat_template(template, &messages?, true).ok()
}

/// A placeholder that occurs in no template: from the private use area.
fn placeholder(index: usize) -> String {
    format!("\u{E0F0}{index}\u{E0F1}")
}

/// Splits a rendered conversation at its placeholders.
fn split_at_placeholders(rendered: &str) -> impl Iterator<Item = Part<'_>> {
    rendered.split('\u{E0F0}').enumerate().flat_map(|(position, text)| {
        let (number, template) = match text.split_once('\u{E0F1}') {
            Some((number, template)) if position > 0 => (number.parse().ok(), template),
            _ => (None, text),
        };
        number.map(Part::Message).into_iter().chain((!template.is_empty()).then_some(Part::Template(template)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_separate_the_template_from_the_texts() {
        let rendered = format!("<s>{}</s><s>{}</s>", placeholder(0), placeholder(12));
        let parts: Vec<String> = split_at_placeholders(&rendered)
            .map(|part| match part {
                Part::Template(text) => text.to_owned(),
                Part::Message(index) => format!("#{index}"),
            })
            .collect();
        assert_eq!(parts, ["<s>", "#0", "</s><s>", "#12", "</s>"]);
    }
}
