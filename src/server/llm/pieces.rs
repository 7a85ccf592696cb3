//! The pieces of an answer on their way to whoever reads it.

use std::collections::VecDeque;

use super::{
    Delta, Finish, ModelError, Usage,
    think::{Piece, Splitter},
};
use crate::domain::Failure;

/// The longest answer that is taken, thinking included, in bytes.
pub const ANSWER_BYTES: usize = 400_000;

/// Collects what a model says: takes the thinking out, joins what came at once, counts, and knows how to end.
#[derive(Debug)]
pub struct Pieces {
    ready: VecDeque<Delta>,
    splitter: Splitter,
    /// Bytes that may still come.
    room: usize,
    /// Whether the answer has anything but blanks.
    said: bool,
    /// Whether the model has thought.
    thought: bool,
    fault: Option<ModelError>,
    ended: bool,
}

impl Pieces {
    /// For an answer of at most so many bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            ready: VecDeque::new(),
            splitter: Splitter::default(),
            room: limit,
            said: false,
            thought: false,
            fault: None,
            ended: false,
        }
    }

    /// The next delta, or the fault behind the last one. `None` where more has to come first.
    pub fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        self.ready.pop_front().map(Ok).or_else(|| self.fault.take().map(Err))
    }

    /// Whether the answer is at its end: nothing more is taken.
    pub const fn ended(&self) -> bool {
        self.ended
    }

    /// Tells something about the answer.
    pub fn tell(&mut self, delta: Delta) {
        self.ready.push_back(delta);
    }

    /// Takes a piece of the answer, which may hold thinking between tags.
    pub fn text(&mut self, piece: &str) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.push(piece, |piece| self.append(piece));
        self.splitter = splitter;
    }

    /// Takes a piece of thinking.
    pub fn reasoning(&mut self, piece: &str) {
        self.append(Piece::Reasoning(piece));
    }

    /// The answer is at its end. One without a word is a fault.
    pub fn finish(&mut self, finish: Finish, usage: Option<Usage>) {
        self.release(true);
        if self.ended {
            return;
        }
        self.ended = true;
        self.ready.extend(usage.map(Delta::Usage));
        match finish {
            _ if self.said => self.ready.push_back(Delta::End(finish)),
            Finish::Stop => self.fault = Some(ModelError::new(Failure::Empty, "the answer ended without a word")),
            Finish::Length if self.thought => {
                self.fault =
                    Some(ModelError::new(Failure::OnlyThoughts, "the limit was reached while the model thought"));
            }
            Finish::Length => self.fault = Some(ModelError::new(Failure::LengthLimit, "the limit was reached at once")),
            Finish::Withheld => self.fault = Some(ModelError::new(Failure::Withheld, "the answer was withheld")),
            Finish::ToolCall => {
                self.fault =
                    Some(ModelError::new(Failure::ToolCall, "the model called a tool that it was not offered"));
            }
        }
    }

    /// The answer breaks off; what came before is still given on, with what it has cost as far as that is known.
    pub fn fail(&mut self, fault: ModelError) {
        self.release(false);
        if !self.ended {
            self.ended = true;
            self.fault = Some(fault);
        }
    }

    /// Gives on what was held back as a possible tag.
    fn release(&mut self, whole: bool) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.finish(whole, |piece| self.append(piece));
        self.splitter = splitter;
    }

    fn append(&mut self, piece: Piece<'_>) {
        let text = match piece {
            Piece::Text(text) | Piece::Reasoning(text) => text,
            Piece::TextWasReasoning => {
                self.thought |= std::mem::take(&mut self.said);
                return self.ready.push_back(Delta::TextWasReasoning);
            }
        };
        if self.ended || text.is_empty() {
            return;
        }
        let taken = &text[..text.floor_char_boundary(self.room)];
        self.room -= taken.len();
        let is_text = matches!(piece, Piece::Text(_));
        *(if is_text { &mut self.said } else { &mut self.thought }) |= !taken.trim_start().is_empty();
        match self.ready.back_mut() {
            Some(Delta::Text(last)) if is_text => push_clean(last, taken),
            Some(Delta::Reasoning(last)) if !is_text => push_clean(last, taken),
            _ => {
                let mut first = String::with_capacity(taken.len());
                push_clean(&mut first, taken);
                self.ready.push_back(if is_text { Delta::Text(first) } else { Delta::Reasoning(first) });
            }
        }
        if taken.len() < text.len() {
            self.ended = true;
            self.fault = Some(ModelError::new(Failure::Overlong, "the answer grew over its limit"));
        }
    }
}

/// Appends a text; NUL, which no database keeps in a text, becomes the replacement character.
fn push_clean(to: &mut String, text: &str) {
    let mut parts = text.split('\0');
    to.push_str(parts.next().unwrap_or_default());
    for part in parts {
        to.push('\u{FFFD}');
        to.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &mut Pieces) -> Vec<Result<Delta, Failure>> {
        std::iter::from_fn(|| pieces.next()).map(|delta| delta.map_err(|fault| fault.failure)).collect()
    }

    #[test]
    fn what_comes_at_once_is_joined() {
        let mut pieces = Pieces::new(100);
        pieces.reasoning("hm");
        pieces.reasoning("m");
        pieces.text("Yes");
        pieces.text(", a\0b");
        pieces.finish(Finish::Stop, Some(Usage { prompt: 3, answer: 2 }));
        assert_eq!(
            all(&mut pieces),
            [
                Ok(Delta::Reasoning("hmm".into())),
                Ok(Delta::Text("Yes, a\u{FFFD}b".into())),
                Ok(Delta::Usage(Usage { prompt: 3, answer: 2 })),
                Ok(Delta::End(Finish::Stop)),
            ]
        );
    }

    #[test]
    fn an_answer_over_the_limit_is_kept_up_to_a_whole_character() {
        let mut pieces = Pieces::new(8);
        pieces.text("éééé");
        assert!(!pieces.ended());
        pieces.text("é");
        assert!(pieces.ended());
        assert_eq!(all(&mut pieces), [Ok(Delta::Text("éééé".into())), Err(Failure::Overlong)]);

        let mut pieces = Pieces::new(7);
        pieces.text("éééé");
        pieces.text("more");
        assert_eq!(all(&mut pieces), [Ok(Delta::Text("ééé".into())), Err(Failure::Overlong)]);
    }

    #[test]
    fn blanks_and_thinking_alone_are_no_answer() {
        let mut pieces = Pieces::new(100);
        pieces.text("<think>long thoughts</think>\n");
        pieces.text(" \n");
        pieces.finish(Finish::Stop, None);
        let all = all(&mut pieces);
        assert_eq!(all.last(), Some(&Err(Failure::Empty)), "{all:?}");
    }

    #[test]
    fn an_answer_without_a_word_says_why() {
        for (text, finish, failure) in [
            ("", Finish::Stop, Failure::Empty),
            ("", Finish::Length, Failure::LengthLimit),
            ("<think>long thoughts", Finish::Length, Failure::OnlyThoughts),
            ("long thoughts</think>", Finish::Length, Failure::OnlyThoughts),
            ("", Finish::Withheld, Failure::Withheld),
            (" \n", Finish::ToolCall, Failure::ToolCall),
        ] {
            let mut pieces = Pieces::new(100);
            pieces.text(text);
            pieces.finish(finish, Some(Usage { prompt: 3, answer: 2 }));
            let all = all(&mut pieces);
            assert_eq!(all.last(), Some(&Err(failure)), "{text:?} {finish:?}");
            assert!(all.contains(&Ok(Delta::Usage(Usage { prompt: 3, answer: 2 }))), "it has cost something");
        }
    }

    #[test]
    fn text_that_turns_out_to_be_thinking_is_told_in_order() {
        let mut pieces = Pieces::new(100);
        pieces.text("so</thi");
        assert_eq!(pieces.next(), Some(Ok(Delta::Text("so".into()))));
        pieces.text("nk>Yes");
        pieces.finish(Finish::Stop, None);
        let told = [Ok(Delta::TextWasReasoning), Ok(Delta::Text("Yes".into())), Ok(Delta::End(Finish::Stop))];
        assert_eq!(all(&mut pieces), told);
    }

    #[test]
    fn a_fault_comes_after_what_was_said_before_it() {
        let mut pieces = Pieces::new(100);
        pieces.text("<thi");
        pieces.fail(ModelError::new(Failure::Cut, "cut"));
        pieces.text("too late");
        assert_eq!(all(&mut pieces), [Ok(Delta::Text("<thi".into())), Err(Failure::Cut)]);
    }
}
