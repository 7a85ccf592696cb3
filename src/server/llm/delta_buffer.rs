//! Buffers the deltas of an answer for its reader.

use std::collections::VecDeque;

use super::{
    Delta, FinishReason, ModelError, Usage,
    reasoning::{Part, ReasoningSplitter},
};
use crate::domain::Failure;

/// The maximum size of an answer, reasoning included, in bytes.
pub const MAX_ANSWER_BYTES: usize = 400_000;

/// Collects the output of a model: separates the reasoning, joins adjacent chunks, enforces the size limit, and
/// determines how the answer ended.
#[derive(Debug)]
pub struct DeltaBuffer {
    ready: VecDeque<Delta>,
    splitter: ReasoningSplitter,
    /// Bytes that still fit.
    remaining_bytes: usize,
    /// Whether the answer contains anything but white space.
    has_text: bool,
    /// Whether there is any reasoning.
    has_reasoning: bool,
    error: Option<ModelError>,
    ended: bool,
}

impl DeltaBuffer {
    /// A buffer for an answer of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            ready: VecDeque::new(),
            splitter: ReasoningSplitter::default(),
            remaining_bytes: limit,
            has_text: false,
            has_reasoning: false,
            error: None,
            ended: false,
        }
    }

    /// The next delta, or the error after the last one. `None` if there is nothing yet.
    pub fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        self.ready.pop_front().map(Ok).or_else(|| self.error.take().map(Err))
    }

    /// Whether the answer has ended. Later input is ignored.
    pub const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Adds a delta that is not text.
    pub fn push(&mut self, delta: Delta) {
        self.ready.push_back(delta);
    }

    /// Adds a chunk of the answer, which may contain reasoning between tags.
    pub fn push_text(&mut self, chunk: &str) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.push(chunk, |part| self.append(part));
        self.splitter = splitter;
    }

    /// Adds a chunk of the answer that contains no reasoning, whatever tags it quotes.
    pub fn push_plain_text(&mut self, chunk: &str) {
        self.append(Part::Text(chunk));
    }

    /// Adds a chunk of reasoning.
    pub fn push_reasoning(&mut self, chunk: &str) {
        self.append(Part::Reasoning(chunk));
    }

    /// Ends the answer. An answer without text is an error.
    pub fn finish(&mut self, finish: FinishReason, usage: Option<Usage>) {
        self.flush_splitter(true);
        if self.ended {
            return;
        }
        self.ended = true;
        self.ready.extend(usage.map(Delta::Usage));
        match finish {
            _ if self.has_text => self.ready.push_back(Delta::End(finish)),
            FinishReason::Stop => self.error = Some(ModelError::new(Failure::Empty, "the answer ended without text")),
            FinishReason::Length if self.has_reasoning => {
                self.error =
                    Some(ModelError::new(Failure::OnlyThoughts, "the limit was reached before the reasoning ended"));
            }
            FinishReason::Length => {
                self.error = Some(ModelError::new(Failure::LengthLimit, "the limit was reached before any text"))
            }
            FinishReason::Withheld => self.error = Some(ModelError::new(Failure::Withheld, "the answer was withheld")),
            FinishReason::ToolCall => {
                self.error =
                    Some(ModelError::new(Failure::ToolCall, "the model called a tool that it was not offered"));
            }
        }
    }

    /// Ends the answer with an error. The text before it and its known usage are still delivered.
    pub fn fail(&mut self, error: ModelError) {
        self.flush_splitter(false);
        if !self.ended {
            self.ended = true;
            self.error = Some(error);
        }
    }

    /// Releases text that was held back as a possible tag.
    fn flush_splitter(&mut self, whole: bool) {
        let mut splitter = std::mem::take(&mut self.splitter);
        splitter.finish(whole, |part| self.append(part));
        self.splitter = splitter;
    }

    fn append(&mut self, part: Part<'_>) {
        let text = match part {
            Part::Text(text) | Part::Reasoning(text) => text,
            Part::TextWasReasoning => {
                self.has_reasoning |= std::mem::take(&mut self.has_text);
                return self.ready.push_back(Delta::TextWasReasoning);
            }
        };
        if self.ended || text.is_empty() {
            return;
        }
        let accepted = &text[..text.floor_char_boundary(self.remaining_bytes)];
        self.remaining_bytes -= accepted.len();
        let is_text = matches!(part, Part::Text(_));
        *(if is_text { &mut self.has_text } else { &mut self.has_reasoning }) |= !accepted.trim_start().is_empty();
        match self.ready.back_mut() {
            Some(Delta::Text(last)) if is_text => push_clean(last, accepted),
            Some(Delta::Reasoning(last)) if !is_text => push_clean(last, accepted),
            _ => {
                let mut first = String::with_capacity(accepted.len());
                push_clean(&mut first, accepted);
                self.ready.push_back(if is_text { Delta::Text(first) } else { Delta::Reasoning(first) });
            }
        }
        if accepted.len() < text.len() {
            self.ended = true;
            self.error = Some(ModelError::new(Failure::Overlong, "the answer exceeded its size limit"));
        }
    }
}

/// Appends text. Replaces NUL, which databases do not store in text, with the replacement character.
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

    fn drain(buffer: &mut DeltaBuffer) -> Vec<Result<Delta, Failure>> {
        std::iter::from_fn(|| buffer.next()).map(|delta| delta.map_err(|error| error.failure)).collect()
    }

    #[test]
    fn adjacent_chunks_are_joined() {
        let mut buffer = DeltaBuffer::new(100);
        buffer.push_reasoning("hm");
        buffer.push_reasoning("m");
        buffer.push_text("Yes");
        buffer.push_text(", a\0b");
        buffer.finish(FinishReason::Stop, Some(Usage { prompt: 3, cached: 1, answer: 2 }));
        assert_eq!(
            drain(&mut buffer),
            [
                Ok(Delta::Reasoning("hmm".into())),
                Ok(Delta::Text("Yes, a\u{FFFD}b".into())),
                Ok(Delta::Usage(Usage { prompt: 3, cached: 1, answer: 2 })),
                Ok(Delta::End(FinishReason::Stop)),
            ]
        );
    }

    #[test]
    fn plain_text_keeps_its_tags() {
        let mut buffer = DeltaBuffer::new(100);
        buffer.push_reasoning("hm");
        buffer.push_plain_text("<think>");
        buffer.push_plain_text(" opens, </think> closes");
        buffer.finish(FinishReason::Stop, None);
        let text = Ok(Delta::Text("<think> opens, </think> closes".into()));
        let expected = [Ok(Delta::Reasoning("hm".into())), text, Ok(Delta::End(FinishReason::Stop))];
        assert_eq!(drain(&mut buffer), expected);
    }

    #[test]
    fn an_answer_over_the_limit_is_cut_at_a_character_boundary() {
        let mut buffer = DeltaBuffer::new(8);
        buffer.push_text("éééé");
        assert!(!buffer.has_ended());
        buffer.push_text("é");
        assert!(buffer.has_ended());
        assert_eq!(drain(&mut buffer), [Ok(Delta::Text("éééé".into())), Err(Failure::Overlong)]);

        let mut buffer = DeltaBuffer::new(7);
        buffer.push_text("éééé");
        buffer.push_text("more");
        assert_eq!(drain(&mut buffer), [Ok(Delta::Text("ééé".into())), Err(Failure::Overlong)]);
    }

    #[test]
    fn white_space_and_reasoning_alone_are_an_empty_answer() {
        let mut buffer = DeltaBuffer::new(100);
        buffer.push_text("<think>long thoughts</think>\n");
        buffer.push_text(" \n");
        buffer.finish(FinishReason::Stop, None);
        let deltas = drain(&mut buffer);
        assert_eq!(deltas.last(), Some(&Err(Failure::Empty)), "{deltas:?}");
    }

    #[test]
    fn an_empty_answer_fails_with_its_reason() {
        for (text, finish, failure) in [
            ("", FinishReason::Stop, Failure::Empty),
            ("", FinishReason::Length, Failure::LengthLimit),
            ("<think>long thoughts", FinishReason::Length, Failure::OnlyThoughts),
            ("long thoughts</think>", FinishReason::Length, Failure::OnlyThoughts),
            ("", FinishReason::Withheld, Failure::Withheld),
            (" \n", FinishReason::ToolCall, Failure::ToolCall),
        ] {
            let mut buffer = DeltaBuffer::new(100);
            buffer.push_text(text);
            buffer.finish(finish, Some(Usage { prompt: 3, cached: 1, answer: 2 }));
            let deltas = drain(&mut buffer);
            assert_eq!(deltas.last(), Some(&Err(failure)), "{text:?} {finish:?}");
            assert!(
                deltas.contains(&Ok(Delta::Usage(Usage { prompt: 3, cached: 1, answer: 2 }))),
                "it has cost something"
            );
        }
    }

    #[test]
    fn text_that_turns_out_to_be_reasoning_is_reported_in_order() {
        let mut buffer = DeltaBuffer::new(100);
        buffer.push_text("so</thi");
        assert_eq!(buffer.next(), Some(Ok(Delta::Text("so".into()))));
        buffer.push_text("nk>Yes");
        buffer.finish(FinishReason::Stop, None);
        let expected = [Ok(Delta::TextWasReasoning), Ok(Delta::Text("Yes".into())), Ok(Delta::End(FinishReason::Stop))];
        assert_eq!(drain(&mut buffer), expected);
    }

    #[test]
    fn an_error_comes_after_the_text_before_it() {
        let mut buffer = DeltaBuffer::new(100);
        buffer.push_text("<thi");
        buffer.fail(ModelError::new(Failure::Cut, "cut"));
        buffer.push_text("too late");
        assert_eq!(drain(&mut buffer), [Ok(Delta::Text("<thi".into())), Err(Failure::Cut)]);
    }
}
