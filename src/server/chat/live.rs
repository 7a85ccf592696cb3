//! The state of a live run, and the updates that are sent to its readers. Does no I/O.

use crate::{
    domain::{HtmlPatch, LiveHtml, Phase, RunSnapshot, RunUpdate},
    server::{
        llm::{Delta, UsageMeter},
        markdown::{LiveText, diff_tail},
        store::{ClaimedRun, RunProgress},
    },
};

/// The state of a live run.
pub(super) struct LiveState {
    text: LiveText,
    /// The length of the text that existed before this run, in bytes.
    initial_length: usize,
    reasoning: LiveText,
    truncated_messages: u32,
    /// Counts tokens, so that the usage is known for answers that never finish.
    pub meter: UsageMeter,
    phase: Phase,
    /// The state that was published to the readers last.
    pub published: RunSnapshot,
    pub sequence: u64,
    pub has_unpublished: bool,
    /// Whether text was withdrawn, so that readers need a snapshot instead of an update.
    pub needs_snapshot: bool,
    pub unsaved: bool,
    pub save_delayed: bool,
}

impl LiveState {
    /// The state of an answer that already has this content.
    pub fn new(text: &str, reasoning: &str, truncated_messages: u32) -> Self {
        let phase = Phase::Waiting { position: None };
        Self {
            text: LiveText::from(text),
            initial_length: text.len(),
            reasoning: LiveText::from(reasoning),
            truncated_messages,
            meter: UsageMeter::default(),
            phase,
            published: RunSnapshot {
                phase,
                text: LiveHtml::default(),
                reasoning: LiveHtml::default(),
                truncated_messages,
                save_delayed: false,
            },
            sequence: 0,
            has_unpublished: true,
            needs_snapshot: false,
            unsaved: false,
            save_delayed: false,
        }
    }

    /// Counts the tokens of a delta.
    pub fn count_tokens(&mut self, delta: &Delta) {
        self.meter.record(delta);
    }

    /// Appends to the answer.
    pub fn push_text(&mut self, chunk: &str) {
        self.phase = Phase::Streaming;
        self.text.push(chunk);
        self.unsaved = true;
    }

    /// Appends to the reasoning.
    pub fn push_reasoning(&mut self, chunk: &str) {
        self.phase = Phase::Thinking;
        self.reasoning.push(chunk);
        self.unsaved = true;
    }

    /// Moves the text that this run has written to the reasoning.
    pub fn convert_text_to_reasoning(&mut self) {
        let text = std::mem::take(&mut self.text);
        let (kept, reasoning) = text.text().split_at(self.initial_length);
        self.text = LiveText::from(kept);
        self.push_reasoning(reasoning);
        self.published.text = LiveHtml::default();
        self.needs_snapshot = true;
    }

    /// Sets the phase of the run.
    pub const fn set_phase(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Sets the number of oldest messages that the model did not read.
    pub const fn set_truncated_messages(&mut self, truncated_messages: u32) {
        self.truncated_messages = truncated_messages;
        self.unsaved = true;
    }

    /// The update from the published state to the current one. `None` if nothing has changed.
    pub fn next_update(&mut self) -> Option<RunUpdate> {
        if !std::mem::take(&mut self.has_unpublished) {
            return None;
        }
        self.sequence += 1;
        self.published.phase = self.phase;
        self.published.truncated_messages = self.truncated_messages;
        self.published.save_delayed = self.save_delayed;
        Some(RunUpdate {
            phase: self.phase,
            text: render_patch(&mut self.text, &mut self.published.text),
            reasoning: render_patch(&mut self.reasoning, &mut self.published.reasoning),
            truncated_messages: self.truncated_messages,
            save_delayed: self.save_delayed,
        })
    }

    /// The phase of the run.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Marks the state as changed.
    pub const fn mark_changed(&mut self) {
        self.has_unpublished = true;
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        self.text.text()
    }

    /// The reasoning so far.
    pub fn reasoning(&self) -> &str {
        self.reasoning.text()
    }

    /// The progress of the answer, for the database. `sections` are the tokens of the prompt's sections, as JSON;
    /// `refused` as in [`UsageMeter::usage`].
    pub fn progress(&self, claimed: &ClaimedRun, sections: &str, refused: bool) -> RunProgress {
        let usage = self.meter.usage(refused);
        RunProgress {
            run: claimed.id,
            epoch: claimed.epoch,
            message: claimed.message_id,
            prompt_tokens: i64::from(usage.prompt),
            answer_tokens: i64::from(usage.answer),
            prompt_sections: sections.to_owned(),
            text: self.text.text().to_owned(),
            reasoning: self.reasoning.text().to_owned(),
            truncated_messages: i64::from(self.truncated_messages),
        }
    }
}

/// Renders what is new and brings the published state up to date. `None` if there is nothing new.
fn render_patch(live: &mut LiveText, published: &mut LiveHtml) -> Option<HtmlPatch> {
    let delta = live.next_delta()?;
    let (keep, add) = diff_tail(&published.tail, &delta.tail);
    published.done.push_str(&delta.done);
    published.tail = delta.tail;
    Some(HtmlPatch { done: delta.done, keep, add })
}
