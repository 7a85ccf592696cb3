//! A conversation in the form that a model was trained on, as tokens.

use llama_cpp_2::{
    model::{LlamaChatMessage, LlamaChatTemplate, LlamaModel},
    token::LlamaToken,
};

use super::super::{Prompt, Turn, window};
use crate::domain::Author;

/// Tokens that a template puts around a turn, before it is counted exactly.
const AROUND: usize = 4;
/// The template for files that have none, or one that is not known.
const FALLBACK: &str = "chatml";

/// The template of a model.
pub struct Template<'m> {
    model: &'m LlamaModel,
    template: LlamaChatTemplate,
}

/// A prompt that fits.
#[derive(Debug)]
pub struct Fitted {
    /// What the model reads.
    pub tokens: Vec<LlamaToken>,
    /// How many of the oldest turns are not in it.
    pub left_out: usize,
    /// Blanks at the end of the answer so far. They are not among the tokens, because most tokens begin with the
    /// blank before a word; so the model repeats them.
    pub blanks: usize,
}

/// One part of a rendered conversation.
enum Part<'a> {
    /// Text of the template, whose names of special tokens mean these tokens.
    Frame(&'a str),
    /// The text of the message with this number, in which nothing is special.
    Message(usize),
}

impl<'m> Template<'m> {
    /// The file's own template, or ChatML.
    pub fn of(model: &'m LlamaModel) -> Self {
        let fallback = || LlamaChatTemplate::new(FALLBACK).expect("the name holds no NUL");
        let own = model.chat_template(None).ok();
        let works = |template: &LlamaChatTemplate| render(model, template, &["user"]).is_some();
        Self { model, template: own.filter(works).unwrap_or_else(fallback) }
    }

    /// The prompt in tokens, at most `room` of them: the oldest turns give way, then the beginning of a long answer that
    /// is to be continued. `None` if the instructions and the newest turn do not fit.
    pub fn fit(&self, prompt: &Prompt, room: usize) -> Option<Fitted> {
        let so_far = prompt.answer_so_far.as_deref().unwrap_or_default();
        let trimmed = so_far.trim_end_matches(' ');
        let mut answer = self.plain(trimmed);
        answer.drain(..answer.len().saturating_sub(room / 2));

        let room = room.checked_sub(answer.len())?;
        // Very small models take instructions for a part of the question, and answer worse with them than without.
        let is_very_small = self.model.n_params() < 1_000_000_000;
        let system = if is_very_small { Vec::new() } else { self.plain(&prompt.system) };
        let texts = self.newest(&prompt.turns, room);
        let offset = prompt.turns.len() - texts.len();
        let cost = |index: usize| u32::try_from(texts[index].len() + AROUND).unwrap_or(u32::MAX);
        let rest = u32::try_from(room.checked_sub(system.len())?).unwrap_or(u32::MAX);
        let mut first = offset + window::leave_out(&prompt.turns[offset..], rest, cost)?;
        loop {
            let tokens = self.assemble(&system, &prompt.turns[first..], &texts[first - offset..])?;
            if tokens.len() <= room {
                let tokens = [tokens, answer].concat();
                return Some(Fitted { tokens, left_out: first, blanks: so_far.len() - trimmed.len() });
            }
            // The template takes more than was thought: another person's turn, and the answers to it, give way.
            let next = prompt.turns[first + 1..].iter().position(|turn| turn.author == Author::User)?;
            first += 1 + next;
        }
    }

    /// The tokens of the newest turns, as many as could fit at all; the newest itself always.
    fn newest(&self, turns: &[Turn], room: usize) -> Vec<Vec<LlamaToken>> {
        let mut newest = Vec::new();
        let mut total = 0;
        for turn in turns.iter().rev() {
            if total > room {
                break;
            }
            let tokens = self.plain(&turn.text);
            total += tokens.len() + AROUND;
            newest.push(tokens);
        }
        newest.reverse();
        newest
    }

    /// The whole conversation with the opening of the answer.
    fn assemble(&self, system: &[LlamaToken], turns: &[Turn], texts: &[Vec<LlamaToken>]) -> Option<Vec<LlamaToken>> {
        let mut roles: Vec<&str> = Vec::new();
        let mut spoken: Vec<Vec<LlamaToken>> = Vec::new();
        if !system.is_empty() {
            roles.push("system");
            spoken.push(system.to_vec());
        }
        for (turn, text) in turns.iter().zip(texts).filter(|(_, text)| !text.is_empty()) {
            let role = role(turn.author);
            // Many templates refuse two turns of one author in a row.
            match spoken.last_mut().filter(|_| roles.last() == Some(&role)) {
                Some(last) => {
                    last.extend(self.plain("\n\n"));
                    last.extend_from_slice(text);
                }
                None => {
                    roles.push(role);
                    spoken.push(text.clone());
                }
            }
        }
        let rendered = render(self.model, &self.template, &roles)?;
        let vocabulary = self.model.vocab();
        let mut tokens = Vec::new();
        for part in parts(&rendered) {
            match part {
                Part::Frame(text) => tokens.extend(vocabulary.tokenize(text.as_bytes(), false, true)),
                Part::Message(index) => tokens.extend_from_slice(spoken.get(index)?),
            }
        }
        let bos = vocabulary.bos();
        if vocabulary.should_add_bos() && tokens.first() != Some(&bos) {
            tokens.insert(0, bos);
        }
        Some(tokens)
    }

    /// The tokens of a text in which names of special tokens mean nothing.
    fn plain(&self, text: &str) -> Vec<LlamaToken> {
        self.model.vocab().tokenize(text.as_bytes(), false, false)
    }
}

fn role(author: Author) -> &'static str {
    match author {
        Author::User => "user",
        Author::Assistant => "assistant",
    }
}

/// A conversation of these roles, with a mark in place of every text; ends with the opening of the answer.
/// `None` if the template is not known to the library.
fn render(model: &LlamaModel, template: &LlamaChatTemplate, roles: &[&str]) -> Option<String> {
    let message = |(index, role): (usize, &&str)| LlamaChatMessage::new((*role).to_owned(), mark(index)).ok();
    let messages: Option<Vec<LlamaChatMessage>> = roles.iter().enumerate().map(message).collect();
    model.apply_chat_template(template, &messages?, true).ok()
}

/// A mark that no template contains: from the private use area.
fn mark(index: usize) -> String {
    format!("\u{E0F0}{index}\u{E0F1}")
}

/// Takes a rendered conversation apart at its marks.
fn parts(rendered: &str) -> impl Iterator<Item = Part<'_>> {
    rendered.split('\u{E0F0}').enumerate().flat_map(|(place, piece)| {
        let (number, frame) = match piece.split_once('\u{E0F1}') {
            Some((number, frame)) if place > 0 => (number.parse().ok(), frame),
            _ => (None, piece),
        };
        number.map(Part::Message).into_iter().chain((!frame.is_empty()).then_some(Part::Frame(frame)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_separate_the_template_from_the_texts() {
        let rendered = format!("<s>{}</s><s>{}</s>", mark(0), mark(12));
        let shown: Vec<String> = parts(&rendered)
            .map(|part| match part {
                Part::Frame(text) => text.to_owned(),
                Part::Message(index) => format!("#{index}"),
            })
            .collect();
        assert_eq!(shown, ["<s>", "#0", "</s><s>", "#12", "</s>"]);
    }
}
