//! What a live run has so far, and the steps that its readers are told. Does no I/O.

use crate::{
    domain::{Growing, Growth, Phase, RunSnapshot, RunUpdate},
    server::{
        llm::{Delta, Meter},
        markdown::{LiveText, diff_tail},
        store::{Claimed, Progress},
    },
};

/// What a live run has so far.
pub(super) struct LiveState {
    text: LiveText,
    /// The length of the text that was there before this run.
    before: usize,
    reasoning: LiveText,
    left_out: u32,
    /// Counts the tokens, so that it is known what an answer took that never comes to its end.
    pub meter: Meter,
    phase: Phase,
    /// What its readers were told last.
    pub told: RunSnapshot,
    pub sequence: u64,
    pub untold: bool,
    /// Whether something was taken back, so that no step leads from what was told to what there is now.
    pub taken_back: bool,
    pub unsaved: bool,
    pub save_delayed: bool,
}

impl LiveState {
    /// The state of an answer that has this already.
    pub fn new(text: &str, reasoning: &str, left_out: u32) -> Self {
        let phase = Phase::Waiting { place: None };
        Self {
            text: LiveText::from(text),
            before: text.len(),
            reasoning: LiveText::from(reasoning),
            left_out,
            meter: Meter::default(),
            phase,
            told: RunSnapshot {
                phase,
                text: Growing::default(),
                reasoning: Growing::default(),
                left_out,
                save_delayed: false,
            },
            sequence: 0,
            untold: true,
            taken_back: false,
            unsaved: false,
            save_delayed: false,
        }
    }

    /// Counts what the model says.
    pub fn count(&mut self, delta: &Delta) {
        self.meter.take(delta);
    }

    /// Appends to the answer.
    pub fn push_text(&mut self, piece: &str) {
        self.phase = Phase::Streaming;
        self.text.push(piece);
        self.unsaved = true;
    }

    /// Appends to the thinking.
    pub fn push_reasoning(&mut self, piece: &str) {
        self.phase = Phase::Thinking;
        self.reasoning.push(piece);
        self.unsaved = true;
    }

    /// What this run has written as the answer was thinking.
    pub fn take_text_as_reasoning(&mut self) {
        let text = std::mem::take(&mut self.text);
        let (before, thoughts) = text.text().split_at(self.before);
        self.text = LiveText::from(before);
        self.push_reasoning(thoughts);
        self.told.text = Growing::default();
        self.taken_back = true;
    }

    /// Notes what the run does.
    pub const fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Notes how many of the oldest messages the model did not read.
    pub const fn set_left_out(&mut self, left_out: u32) {
        self.left_out = left_out;
        self.unsaved = true;
    }

    /// The step from what was told last to what there is now.
    pub fn advance(&mut self) -> Option<RunUpdate> {
        if !std::mem::take(&mut self.untold) {
            return None;
        }
        self.sequence += 1;
        self.told.phase = self.phase;
        self.told.left_out = self.left_out;
        self.told.save_delayed = self.save_delayed;
        Some(RunUpdate {
            phase: self.phase,
            text: grow(&mut self.text, &mut self.told.text),
            reasoning: grow(&mut self.reasoning, &mut self.told.reasoning),
            left_out: self.left_out,
            save_delayed: self.save_delayed,
        })
    }

    /// What the run does.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Marks that there is something to tell.
    pub const fn touch(&mut self) {
        self.untold = true;
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        self.text.text()
    }

    /// The thinking so far.
    pub fn reasoning(&self) -> &str {
        self.reasoning.text()
    }

    /// All that the answer has. `sections` are the tokens of its prompt's sections, as JSON; `refused` as in
    /// [`Meter::usage`].
    pub fn progress(&self, claimed: &Claimed, sections: &str, refused: bool) -> Progress {
        let usage = self.meter.usage(refused);
        Progress {
            run: claimed.id,
            epoch: claimed.epoch,
            message: claimed.message_id,
            prompt_tokens: i64::from(usage.prompt),
            answer_tokens: i64::from(usage.answer),
            prompt_sections: sections.to_owned(),
            text: self.text.text().to_owned(),
            reasoning: self.reasoning.text().to_owned(),
            left_out: i64::from(self.left_out),
        }
    }
}

/// Renders what came since the last step, and brings what was told up to it. `None` where nothing came.
fn grow(live: &mut LiveText, told: &mut Growing) -> Option<Growth> {
    let step = live.step()?;
    let (keep, add) = diff_tail(&told.tail, &step.tail);
    told.done.push_str(&step.done);
    told.tail = step.tail;
    Some(Growth { done: step.done, keep, add })
}
