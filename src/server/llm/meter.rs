//! Token usage of an answer, estimated where the provider does not report it.

use super::{Delta, Prompt, Usage, window};

/// Counts the tokens of one answer. Uses the numbers of the provider, or estimates where there are none, as for every
/// answer that is stopped or fails.
#[derive(Debug, Default)]
pub struct UsageMeter {
    /// Estimated tokens of each turn, and of the rest of the prompt.
    turns: Vec<u32>,
    fixed: u32,
    truncated_messages: usize,
    /// Whether the prompt is, as far as is known, still waiting to be read.
    is_waiting: bool,
    /// Estimated tokens generated so far, in sevenths of a token: chunks are short, and rounding up each of them would
    /// add up.
    generated_sevenths: u32,
    reported: Usage,
}

impl UsageMeter {
    /// A meter for the answer to this prompt.
    pub fn new(prompt: &Prompt) -> Self {
        let fixed = window::estimate_tokens(&prompt.system)
            + window::estimate_tokens(prompt.answer_so_far.as_deref().unwrap_or_default());
        let turns = prompt.turns.iter().map(|turn| window::estimate_tokens(&turn.text)).collect();
        Self {
            turns,
            fixed,
            truncated_messages: 0,
            is_waiting: false,
            generated_sevenths: 0,
            reported: Usage::default(),
        }
    }

    /// Records a delta.
    pub fn record(&mut self, delta: &Delta) {
        self.is_waiting = matches!(delta, Delta::Queued(_) | Delta::Loading);
        match delta {
            Delta::TruncatedMessages(count) => self.truncated_messages = *count as usize,
            Delta::Text(text) | Delta::Reasoning(text) => {
                self.generated_sevenths += window::estimate_token_sevenths(text)
            }
            Delta::Usage(usage) => self.reported = *usage,
            Delta::Queued(_) | Delta::Loading | Delta::TextWasReasoning | Delta::End(_) => {}
        }
    }

    /// The tokens used so far. The prompt costs nothing while it waits in a queue, or if the provider `refused` the
    /// request, that is, failed before it sent any output.
    pub fn usage(&self, refused: bool) -> Usage {
        let nothing_came = self.generated_sevenths == 0 && self.reported == Usage::default();
        if nothing_came && (self.is_waiting || refused) {
            return Usage::default();
        }
        let reported_or = |reported: u32, estimate: u32| if reported == 0 { estimate } else { reported };
        let prompt =
            self.turns.iter().skip(self.truncated_messages).fold(self.fixed, |sum, turn| sum.saturating_add(*turn));
        Usage {
            prompt: reported_or(self.reported.prompt, prompt),
            cached: self.reported.cached,
            answer: reported_or(self.reported.answer, self.generated_sevenths.div_ceil(7)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Turn, *};
    use crate::domain::Author;

    fn meter() -> UsageMeter {
        let turn = |text: &str| Turn { author: Author::User, text: text.to_owned() };
        let turns = vec![turn(&"a".repeat(70)), turn(&"b".repeat(35))];
        UsageMeter::new(&Prompt { system: "s".repeat(7), turns, answer_so_far: None })
    }

    #[test]
    fn reported_usage_wins_over_the_estimate() {
        let mut meter = meter();
        meter.record(&Delta::Text("abcdefg".into()));
        meter.record(&Delta::Usage(Usage { prompt: 9, cached: 4, answer: 3 }));
        assert_eq!(meter.usage(false), Usage { prompt: 9, cached: 4, answer: 3 });
        meter.record(&Delta::Usage(Usage { prompt: 9, cached: 0, answer: 0 }));
        assert_eq!(
            meter.usage(true),
            Usage { prompt: 9, cached: 0, answer: 2 },
            "a count that is not known is estimated"
        );
    }

    #[test]
    fn unreported_usage_is_estimated_independently_of_chunking() {
        let mut meter = meter();
        (0..70).for_each(|_| meter.record(&Delta::Text("x".into())));
        meter.record(&Delta::Reasoning("汉字".into()));
        assert_eq!(meter.usage(true), Usage { prompt: 2 + 20 + 10, cached: 0, answer: 20 + 2 });
        meter.record(&Delta::TruncatedMessages(1));
        assert_eq!(meter.usage(true).prompt, 2 + 10, "omitted turns were not read");
    }

    #[test]
    fn a_prompt_that_was_not_read_costs_nothing() {
        let mut meter = meter();
        assert_eq!(meter.usage(true), Usage::default());
        assert_eq!(
            meter.usage(false),
            Usage { prompt: 32, cached: 0, answer: 0 },
            "stopped before the first word: it was sent"
        );
        meter.record(&Delta::Queued(3));
        assert_eq!(meter.usage(false), Usage::default());
    }
}
