//! What an answer costs, also where nobody says.

use super::{Delta, Prompt, Usage, window};

/// Counts the tokens of one answer: as the provider does, and by estimate where it does not, which is so for every answer
/// that is stopped or breaks off.
#[derive(Debug, Default)]
pub struct Meter {
    /// The estimated cost of each turn of the prompt, and of all the rest of it.
    turns: Vec<u32>,
    rest: u32,
    left_out: usize,
    /// Whether the prompt still waits to be read, as far as is known.
    waits: bool,
    /// What was written so far, by estimate, in sevenths of a token: pieces are short, and each would be rounded up.
    written: u32,
    said: Usage,
}

impl Meter {
    /// For the answer to this prompt.
    pub fn new(prompt: &Prompt) -> Self {
        let rest =
            window::estimate(&prompt.system) + window::estimate(prompt.answer_so_far.as_deref().unwrap_or_default());
        let turns = prompt.turns.iter().map(|turn| window::estimate(&turn.text)).collect();
        Self { turns, rest, left_out: 0, waits: false, written: 0, said: Usage::default() }
    }

    /// Takes note of what comes.
    pub fn take(&mut self, delta: &Delta) {
        self.waits = matches!(delta, Delta::Queued(_) | Delta::Loading);
        match delta {
            Delta::LeftOut(count) => self.left_out = *count as usize,
            Delta::Text(text) | Delta::Reasoning(text) => self.written += window::estimate_sevenths(text),
            Delta::Usage(usage) => self.said = *usage,
            Delta::Queued(_) | Delta::Loading | Delta::TextWasReasoning | Delta::End(_) => {}
        }
    }

    /// The tokens so far. A prompt costs nothing where it still waits, or where the provider did `refuse` it, that is
    /// failed without a word.
    pub fn usage(&self, refused: bool) -> Usage {
        let nothing_came = self.written == 0 && self.said == Usage::default();
        if nothing_came && (self.waits || refused) {
            return Usage::default();
        }
        let or = |said: u32, estimate: u32| if said == 0 { estimate } else { said };
        let prompt = self.turns.iter().skip(self.left_out).fold(self.rest, |sum, turn| sum.saturating_add(*turn));
        Usage { prompt: or(self.said.prompt, prompt), answer: or(self.said.answer, self.written.div_ceil(7)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Turn, *};
    use crate::domain::Author;

    fn meter() -> Meter {
        let turn = |text: &str| Turn { author: Author::User, text: text.to_owned() };
        let turns = vec![turn(&"a".repeat(70)), turn(&"b".repeat(35))];
        Meter::new(&Prompt { system: "s".repeat(7), turns, answer_so_far: None })
    }

    #[test]
    fn what_the_provider_says_counts() {
        let mut meter = meter();
        meter.take(&Delta::Text("abcdefg".into()));
        meter.take(&Delta::Usage(Usage { prompt: 9, answer: 3 }));
        assert_eq!(meter.usage(false), Usage { prompt: 9, answer: 3 });
        meter.take(&Delta::Usage(Usage { prompt: 9, answer: 0 }));
        assert_eq!(meter.usage(true), Usage { prompt: 9, answer: 2 }, "a count that is not known is estimated");
    }

    #[test]
    fn what_nobody_says_is_estimated_in_pieces_as_in_whole() {
        let mut meter = meter();
        (0..70).for_each(|_| meter.take(&Delta::Text("x".into())));
        meter.take(&Delta::Reasoning("汉字".into()));
        assert_eq!(meter.usage(true), Usage { prompt: 2 + 20 + 10, answer: 20 + 2 });
        meter.take(&Delta::LeftOut(1));
        assert_eq!(meter.usage(true).prompt, 2 + 10, "what was left out was not read");
    }

    #[test]
    fn a_prompt_that_nobody_read_costs_nothing() {
        let mut meter = meter();
        assert_eq!(meter.usage(true), Usage::default());
        assert_eq!(meter.usage(false), Usage { prompt: 32, answer: 0 }, "stopped before the first word: it was sent");
        meter.take(&Delta::Queued(3));
        assert_eq!(meter.usage(false), Usage::default());
    }
}
