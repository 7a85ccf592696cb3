//! What changes of an answer while it is being written.

use std::{cell::RefCell, rc::Rc};

use leptos::{html::Div, prelude::*};

use crate::{
    components::ReadingPlace,
    domain::{Growing, Message, Phase, RunSnapshot},
};

/// The changing parts of the answer.
#[derive(Clone, Copy)]
pub struct LiveParts {
    /// The answer.
    pub text: Blocks,
    /// The thinking before it.
    pub reasoning: Blocks,
    /// What the run does.
    pub phase: RwSignal<Phase>,
    /// Whether there is thinking.
    pub has_thoughts: RwSignal<bool>,
    /// How many messages the model was not shown.
    pub left_out: RwSignal<u32>,
    /// Whether what has come is not saved yet.
    pub save_delayed: RwSignal<bool>,
}

impl LiveParts {
    /// The parts of an answer as it was loaded.
    pub fn new(message: &Message, phase: Phase) -> Self {
        Self {
            text: Blocks::default(),
            reasoning: Blocks::default(),
            phase: RwSignal::new(phase),
            has_thoughts: RwSignal::new(!message.reasoning_html.is_empty()),
            left_out: RwSignal::new(message.left_out),
            save_delayed: RwSignal::new(false),
        }
    }
}

/// Where rendered text grows: finished blocks are appended, the tail is replaced.
#[derive(Clone, Copy, Default)]
pub struct Blocks {
    done: NodeRef<Div>,
    tail: NodeRef<Div>,
}

impl Blocks {
    /// Shows a text: all of it, or what is fresh of its finished blocks and its tail.
    fn show(self, text: &Growing, fresh: &str, whole: bool) {
        let nodes = self.done.try_get_untracked().flatten().zip(self.tail.try_get_untracked().flatten());
        let Some((done, tail)) = nodes else { return };
        if whole {
            done.set_inner_html(&text.done);
        } else if !fresh.is_empty() {
            // Appending to an element of the page does not fail.
            let _ = done.insert_adjacent_html("beforeend", fresh);
        }
        tail.set_inner_html(&text.tail);
    }

    /// Its elements, which hold this at first.
    pub fn view(self, html: String) -> impl IntoView {
        view! {
            <div class="part" node_ref=self.done inner_html=html></div>
            <div class="part" node_ref=self.tail></div>
        }
    }
}

/// What has come and is not yet on the page.
#[derive(Default)]
pub struct Pending {
    /// The answer as it is.
    pub snapshot: Option<RunSnapshot>,
    /// HTML of finished blocks of the answer, to append.
    pub text: String,
    /// The same of the thinking.
    pub reasoning: String,
    /// Whether everything is to be shown anew.
    pub whole: bool,
    scheduled: bool,
}

/// Shows what has come, at most once per frame.
pub fn schedule(pending: &Rc<RefCell<Pending>>, waiting: &mut Pending, place: ReadingPlace, parts: LiveParts) {
    if !waiting.scheduled {
        waiting.scheduled = true;
        let pending = Rc::clone(pending);
        request_animation_frame(move || {
            let mut waiting = pending.borrow_mut();
            waiting.scheduled = false;
            place.keep(|| show(&mut waiting, parts));
        });
    }
}

fn show(waiting: &mut Pending, parts: LiveParts) {
    let Some(snapshot) = &waiting.snapshot else { return };
    let whole = std::mem::take(&mut waiting.whole);
    parts.text.show(&snapshot.text, &waiting.text, whole);
    parts.reasoning.show(&snapshot.reasoning, &waiting.reasoning, whole);
    waiting.text.clear();
    waiting.reasoning.clear();
    set_if_changed(parts.phase, snapshot.phase);
    set_if_changed(parts.has_thoughts, !snapshot.reasoning.is_empty());
    set_if_changed(parts.left_out, snapshot.left_out);
    set_if_changed(parts.save_delayed, snapshot.save_delayed);
}

fn set_if_changed<T: PartialEq + Copy + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.try_get_untracked().is_some_and(|old| old != value) {
        signal.set(value);
    }
}
