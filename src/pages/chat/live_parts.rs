//! The parts of an answer that change while it is being written.

use std::{cell::RefCell, rc::Rc};

use leptos::{
    html::{Div, Span},
    prelude::*,
};

use crate::{
    components::ScrollState,
    domain::{LiveHtml, Message, Phase, RunSnapshot},
    i18n::fill_references,
};

/// The changing parts of the answer.
#[derive(Clone, Copy)]
pub struct LiveParts {
    /// The text of the answer.
    pub text: Blocks,
    /// The reasoning before it.
    pub reasoning: Blocks,
    /// The phase of the run.
    pub phase: RwSignal<Phase>,
    /// Whether there is reasoning.
    pub has_reasoning: RwSignal<bool>,
    /// How long the model has reasoned, in milliseconds.
    pub thinking_ms: RwSignal<u32>,
    /// Shows the last line of the reasoning.
    pub last_thought: NodeRef<Span>,
    /// Number of older messages that were not sent to the model.
    pub truncated_messages: RwSignal<u32>,
    /// Whether the received text is not saved yet.
    pub save_delayed: RwSignal<bool>,
}

impl LiveParts {
    /// The parts of an answer as loaded.
    pub fn new(message: &Message, phase: Phase) -> Self {
        Self {
            text: Blocks::default(),
            reasoning: Blocks::default(),
            phase: RwSignal::new(phase),
            has_reasoning: RwSignal::new(!message.reasoning_html.is_empty()),
            thinking_ms: RwSignal::new(message.stats.thinking_ms),
            last_thought: NodeRef::new(),
            truncated_messages: RwSignal::new(message.truncated_messages),
            save_delayed: RwSignal::new(false),
        }
    }
}

/// Growing rendered text: finished blocks are appended, the tail is replaced.
#[derive(Clone, Copy, Default)]
pub struct Blocks {
    done: NodeRef<Div>,
    tail: NodeRef<Div>,
}

impl Blocks {
    /// Renders a text: all of it, or only the `new_blocks` and the tail.
    fn render(self, text: &LiveHtml, new_blocks: &str, replace_all: bool) {
        let nodes = self.done.try_get_untracked().flatten().zip(self.tail.try_get_untracked().flatten());
        let Some((done, tail)) = nodes else { return };
        if replace_all {
            done.set_inner_html(&fill_references((&text.done).into()));
        } else if !new_blocks.is_empty() {
            // Appending to an element of the page does not fail.
            let _ = done.insert_adjacent_html("beforeend", &fill_references(new_blocks.into()));
        }
        tail.set_inner_html(&fill_references((&text.tail).into()));
    }

    /// The last line of text.
    fn last_line(self) -> Option<String> {
        let text = |part: NodeRef<Div>| part.try_get_untracked().flatten()?.text_content();
        let text = text(self.tail).filter(|tail| !tail.trim().is_empty()).or_else(|| text(self.done))?;
        text.trim_end().lines().next_back().map(str::to_owned)
    }

    /// The elements, with their initial HTML.
    pub fn view(self, html: &str) -> impl IntoView + use<> {
        let html = fill_references(html.into()).into_owned();
        view! {
            <div class="part" node_ref=self.done inner_html=html></div>
            <div class="part" node_ref=self.tail></div>
        }
    }
}

/// Received updates that are not rendered yet.
#[derive(Default)]
pub struct PendingUpdates {
    /// The latest state of the answer.
    pub snapshot: Option<RunSnapshot>,
    /// HTML of finished blocks of the answer to append.
    pub text: String,
    /// HTML of finished blocks of the reasoning to append.
    pub reasoning: String,
    /// Whether to replace everything.
    pub replace_all: bool,
    scheduled: bool,
}

/// Schedules rendering of the pending updates, at most once per animation frame.
pub fn schedule_render(
    pending: &Rc<RefCell<PendingUpdates>>,
    updates: &mut PendingUpdates,
    scroll: ScrollState,
    parts: LiveParts,
) {
    if !updates.scheduled {
        updates.scheduled = true;
        let pending = Rc::clone(pending);
        request_animation_frame(move || {
            let mut updates = pending.borrow_mut();
            updates.scheduled = false;
            scroll.preserve_position(|| render(&mut updates, parts));
        });
    }
}

fn render(updates: &mut PendingUpdates, parts: LiveParts) {
    let Some(snapshot) = &updates.snapshot else { return };
    let replace_all = std::mem::take(&mut updates.replace_all);
    parts.text.render(&snapshot.text, &updates.text, replace_all);
    parts.reasoning.render(&snapshot.reasoning, &updates.reasoning, replace_all);
    if snapshot.phase == Phase::Thinking
        && let Some(line) = parts.last_thought.try_get_untracked().flatten()
    {
        line.set_text_content(parts.reasoning.last_line().as_deref());
    }
    updates.text.clear();
    updates.reasoning.clear();
    set_if_changed(parts.phase, snapshot.phase);
    set_if_changed(parts.has_reasoning, !snapshot.reasoning.is_empty());
    set_if_changed(parts.thinking_ms, snapshot.thinking_ms);
    set_if_changed(parts.truncated_messages, snapshot.truncated_messages);
    set_if_changed(parts.save_delayed, snapshot.save_delayed);
}

fn set_if_changed<T: PartialEq + Copy + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_get_untracked().is_some_and(|old| old != value) {
        signal.set(value);
    }
}
