//! Models that write their thinking into the answer, as `<think>…</think>` at its very start.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// Which part of an answer a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// What the model thinks before it answers.
    Reasoning,
    /// The answer.
    Text,
}

/// Takes the thinking out of an answer that comes in pieces, cut anywhere.
#[derive(Debug, Default)]
pub struct Splitter {
    place: Place,
    /// What may be the beginning of a tag.
    held: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Nothing but blanks and perhaps a part of the opening tag has come.
    #[default]
    Start,
    /// Between the tags.
    Thinking,
    /// Behind the closing tag, where line breaks only separate.
    Gap,
    /// In the answer, where tags mean nothing any more.
    Answer,
}

impl Splitter {
    /// Takes a piece and gives on what is certain.
    pub fn push(&mut self, piece: &str, mut emit: impl FnMut(Part, &str)) {
        if self.place == Place::Answer {
            return emit(Part::Text, piece);
        }
        let mut held = std::mem::take(&mut self.held);
        held.push_str(piece);
        let mut rest = held.as_str();
        loop {
            let before = self.place;
            rest = self.step(rest, &mut emit);
            if self.place == before || rest.is_empty() {
                break;
            }
        }
        self.held = rest.to_owned();
    }

    /// Gives on what was held back; nothing more will come.
    pub fn finish(&mut self, mut emit: impl FnMut(Part, &str)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            emit(if self.place == Place::Thinking { Part::Reasoning } else { Part::Text }, &held);
        }
        self.place = Place::Answer;
    }

    /// Goes through `text` to the next border, and returns what is left.
    fn step<'a>(&mut self, text: &'a str, emit: &mut impl FnMut(Part, &str)) -> &'a str {
        match self.place {
            Place::Start => {
                let tag = text.trim_start();
                if let Some(rest) = tag.strip_prefix(OPEN) {
                    self.place = Place::Thinking;
                    return rest;
                }
                if OPEN.starts_with(tag) {
                    return text;
                }
                self.place = Place::Answer;
                text
            }
            Place::Thinking => {
                if let Some((thought, rest)) = text.split_once(CLOSE) {
                    emit_some(emit, Part::Reasoning, thought);
                    self.place = Place::Gap;
                    return rest;
                }
                let (thought, held) = text.split_at(text.len() - tag_begun(text));
                emit_some(emit, Part::Reasoning, thought);
                held
            }
            Place::Gap => {
                let rest = text.trim_start_matches(['\n', '\r']);
                if !rest.is_empty() {
                    self.place = Place::Answer;
                }
                rest
            }
            Place::Answer => {
                emit_some(emit, Part::Text, text);
                ""
            }
        }
    }
}

fn emit_some(emit: &mut impl FnMut(Part, &str), part: Part, text: &str) {
    if !text.is_empty() {
        emit(part, text);
    }
}

/// How many bytes at the end of `text` may be the beginning of the closing tag.
fn tag_begun(text: &str) -> usize {
    (1..CLOSE.len()).rev().find(|&length| text.ends_with(&CLOSE[..length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The thinking and the answer of a text that comes in pieces of `size` characters.
    fn split(text: &str, size: usize) -> (String, String) {
        let (mut reasoning, mut answer) = (String::new(), String::new());
        let mut emit = |part, piece: &str| match part {
            Part::Reasoning => reasoning.push_str(piece),
            Part::Text => answer.push_str(piece),
        };
        let mut splitter = Splitter::default();
        let characters: Vec<char> = text.chars().collect();
        for piece in characters.chunks(size) {
            splitter.push(&piece.iter().collect::<String>(), &mut emit);
        }
        splitter.finish(&mut emit);
        (reasoning, answer)
    }

    #[test]
    fn tags_are_found_however_the_text_is_cut() {
        for (text, reasoning, answer) in [
            ("<think>a < b</think>\n\nYes.", "a < b", "Yes."),
            (" \n<think>né</thin</think>né", "né</thin", "né"),
            ("<think></think>Yes", "", "Yes"),
            ("<think>never closed </thi", "never closed </thi", ""),
            ("Yes: <think>is text here</think>", "", "Yes: <think>is text here</think>"),
            ("<thinking>no", "", "<thinking>no"),
            ("\n\n  plain", "", "\n\n  plain"),
            ("<thi", "", "<thi"),
            ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
            ("", "", ""),
        ] {
            for size in 1..=text.chars().count().max(1) {
                assert_eq!(split(text, size), (reasoning.to_owned(), answer.to_owned()), "{text:?} by {size}");
            }
        }
    }
}
