//! The pieces of an answer on their way to whoever reads it.

use std::collections::VecDeque;

use super::{
    Delta, Finish, ModelError, Usage,
    think::{Part, Splitter},
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
    /// Whether anything but blanks was said.
    said: bool,
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
        splitter.push(piece, |part, text| self.append(part, text));
        self.splitter = splitter;
    }

    /// Takes a piece of thinking.
    pub fn reasoning(&mut self, piece: &str) {
        self.append(Part::Reasoning, piece);
    }

    /// The answer is complete. One without a word is a fault.
    pub fn finish(&mut self, finish: Finish, usage: Option<Usage>) {
        self.release();
        if self.ended {
            return;
        }
        if !self.said {
            return self.fail(ModelError::new(Failure::Empty, "the answer ended without a word"));
        }
        self.ended = true;
        self.ready.extend(usage.map(Delta::Usage));
        self.ready.push_back(Delta::End(finish));
    }

    /// The answer breaks off; what came before is still given on.
    pub fn fail(&mut self, fault: ModelError) {
        self.release();
        if !self.ended {
            self.ended = true;
            self.fault = Some(fault);
        }
    }

    /// Gives on what was held back as a possible tag.
    fn release(&mut self) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.finish(|part, text| self.append(part, text));
        self.splitter = splitter;
    }

    fn append(&mut self, part: Part, text: &str) {
        if self.ended || text.is_empty() {
            return;
        }
        let taken = &text[..text.floor_char_boundary(self.room)];
        self.room -= taken.len();
        self.said |= part == Part::Text && !taken.trim_start().is_empty();
        match (part, self.ready.back_mut()) {
            (Part::Text, Some(Delta::Text(last))) | (Part::Reasoning, Some(Delta::Reasoning(last))) => {
                push_clean(last, taken);
            }
            _ => {
                let mut first = String::with_capacity(taken.len());
                push_clean(&mut first, taken);
                self.ready.push_back(match part {
                    Part::Text => Delta::Text(first),
                    Part::Reasoning => Delta::Reasoning(first),
                });
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
    fn a_fault_comes_after_what_was_said_before_it() {
        let mut pieces = Pieces::new(100);
        pieces.text("<thi");
        pieces.fail(ModelError::new(Failure::Cut, "cut"));
        pieces.text("too late");
        assert_eq!(all(&mut pieces), [Ok(Delta::Text("<thi".into())), Err(Failure::Cut)]);
    }
}
