//! The state of a live run, and the updates that are sent to its readers. Does no I/O.

use std::time::Instant;

use crate::{
    domain::{HtmlPatch, LiveHtml, Phase, RunSnapshot, RunUpdate},
    server::{
        llm::{Delta, UsageMeter},
        markdown::{LiveText, diff_tail},
        store::{ClaimedRun, MessageRow, RunProgress},
    },
};

/// How long the model has reasoned and written, in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AnswerTimes {
    pub thinking_ms: u32,
    pub writing_ms: u32,
}

impl From<&MessageRow> for AnswerTimes {
    fn from(row: &MessageRow) -> Self {
        let [thinking_ms, writing_ms] =
            [row.thinking_ms, row.writing_ms].map(|millis| u32::try_from(millis).unwrap_or_default());
        Self { thinking_ms, writing_ms }
    }
}

/// Measures the times of a run, and adds them to those of the runs before it.
struct Stopwatch {
    before: AnswerTimes,
    first_chunk: Option<Instant>,
    first_thought: Option<Instant>,
    times: AnswerTimes,
}

impl Stopwatch {
    const fn new(before: AnswerTimes) -> Self {
        Self { before, first_chunk: None, first_thought: None, times: before }
    }

    /// A chunk has arrived. The reasoning lasts until the first chunk of text after it.
    fn record(&mut self, is_thought: bool, was_thinking: bool) {
        let now = Instant::now();
        let millis = |since: Instant| u32::try_from((now - since).as_millis()).unwrap_or(u32::MAX);
        let written = millis(*self.first_chunk.get_or_insert(now));
        self.times.writing_ms = self.before.writing_ms.saturating_add(written);
        if is_thought || was_thinking {
            let thought = millis(*self.first_thought.get_or_insert(now));
            self.times.thinking_ms = self.before.thinking_ms.saturating_add(thought);
        }
    }
}

/// The state of a live run.
pub(super) struct LiveState {
    text: LiveText,
    /// The length of the text that existed before this run, in bytes.
    initial_length: usize,
    reasoning: LiveText,
    truncated_messages: u32,
    /// Counts tokens, so that the usage is known for answers that never finish.
    pub meter: UsageMeter,
    stopwatch: Stopwatch,
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
    /// The state of an answer that already has this content and took this long.
    pub fn new(text: &str, reasoning: &str, truncated_messages: u32, times: AnswerTimes) -> Self {
        let phase = Phase::Waiting { position: None };
        Self {
            text: LiveText::from(text),
            initial_length: text.len(),
            reasoning: LiveText::from(reasoning),
            truncated_messages,
            meter: UsageMeter::default(),
            stopwatch: Stopwatch::new(times),
            phase,
            published: RunSnapshot {
                phase,
                text: LiveHtml::default(),
                reasoning: LiveHtml::default(),
                truncated_messages,
                thinking_ms: times.thinking_ms,
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
        self.stopwatch.record(false, self.phase == Phase::Thinking);
        self.phase = Phase::Streaming;
        self.text.push(chunk);
        self.unsaved = true;
    }

    /// Appends to the reasoning.
    pub fn push_reasoning(&mut self, chunk: &str) {
        self.stopwatch.record(true, false);
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
        self.published.thinking_ms = self.stopwatch.times.thinking_ms;
        self.published.save_delayed = self.save_delayed;
        Some(RunUpdate {
            phase: self.phase,
            text: render_patch(&mut self.text, &mut self.published.text),
            reasoning: render_patch(&mut self.reasoning, &mut self.published.reasoning),
            truncated_messages: self.truncated_messages,
            thinking_ms: self.published.thinking_ms,
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
            thinking_ms: i64::from(self.stopwatch.times.thinking_ms),
            writing_ms: i64::from(self.stopwatch.times.writing_ms),
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
