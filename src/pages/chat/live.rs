//! An answer while it is being written.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{html::Div, prelude::*, web_sys};
use serde::de::DeserializeOwned;

use super::state::ChatState;
use crate::{
    components::{
        Byline, Thinking,
        browser::{Closed, EventStream},
        left_out_note, phase_words, state_note,
    },
    domain::{ChatId, Growing, Message, MessageState, Phase, RunId, RunSnapshot, RunUpdate, event},
};

/// Lets the page ask for itself again, for those without scripts. As text: an element that a script puts into the page
/// would refresh it for everybody. As a constant: a literal would become an attribute by that name.
const REFRESH: &str = r#"<meta http-equiv="refresh" content="2">"#;
/// Time after which a cut connection is told.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time before the stream is asked for again where the browser has given up.
const AGAIN: Duration = Duration::from_secs(3);

/// The changing parts of the answer.
#[derive(Clone, Copy)]
struct Parts {
    text: Blocks,
    reasoning: Blocks,
    phase: RwSignal<Phase>,
    has_thoughts: RwSignal<bool>,
    left_out: RwSignal<u32>,
    save_delayed: RwSignal<bool>,
}

/// Where rendered text grows: finished blocks are appended, the tail is replaced.
#[derive(Clone, Copy, Default)]
struct Blocks {
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
    fn view(self, html: String) -> impl IntoView {
        view! {
            <div class="part" node_ref=self.done inner_html=html></div>
            <div class="part" node_ref=self.tail></div>
        }
    }
}

/// What has come and is not yet on the page.
#[derive(Default)]
struct Pending {
    snapshot: Option<RunSnapshot>,
    /// HTML of finished blocks of the answer, to append.
    text: String,
    /// The same of the thinking.
    reasoning: String,
    /// Whether everything is to be shown anew.
    whole: bool,
    scheduled: bool,
}

/// An open answer. Reads its run's stream; finished blocks are appended once and never touched again.
#[component]
pub fn LiveAnswer(
    /// The message as it was loaded.
    message: Message,
    /// The run that writes it.
    run: RunId,
    /// What the run did then.
    phase: Phase,
    /// The chat around.
    state: ChatState,
) -> impl IntoView {
    let parts = Parts {
        text: Blocks::default(),
        reasoning: Blocks::default(),
        phase: RwSignal::new(phase),
        has_thoughts: RwSignal::new(!message.reasoning_html.is_empty()),
        left_out: RwSignal::new(message.left_out),
        save_delayed: RwSignal::new(false),
    };
    read_stream(state, run, parts);
    let words = Memo::new(move |_| phase_words(parts.phase.get()));
    let thinking = Signal::derive(move || parts.phase.get() == Phase::Thinking);
    view! {
        <article class="message" id=format!("m-{}", message.id) aria-busy="true">
            <h2 class="sr-only">"Answer"</h2>
            <Byline model=message.model at=message.created_at clock=state.frame.clock />
            {move || left_out_note(parts.left_out.get())}
            <Thinking running=thinking empty=Signal::derive(move || !parts.has_thoughts.get())>
                {parts.reasoning.view(message.reasoning_html)}
            </Thinking>
            <div class="prose streaming" dir="auto">
                {parts.text.view(message.html)}
            </div>
            {move || {
                words
                    .get()
                    .map(|words| {
                        view! {
                            <p class="state state-late">
                                <span class="state-dot" aria-hidden="true"></span>
                                {words}
                            </p>
                        }
                    })
            }}
            <Show when=move || parts.save_delayed.get()>
                <p class="state" role="status">
                    "Not saved yet: the server's database does not answer. The answer goes on and is saved later."
                </p>
            </Show>
            <noscript inner_html=REFRESH></noscript>
        </article>
    }
    .into_any()
}

fn stream_path(chat: ChatId, run: RunId) -> String {
    format!("/chats/{chat}/runs/{run}/events")
}

fn read_stream(state: ChatState, run: RunId, parts: Parts) {
    let attempt = RwSignal::new(0_u32);
    // Events that come after the page has gone on find nothing to change. The effect keeps its stream until its next run.
    Effect::new(move |_: Option<Option<EventStream>>| {
        attempt.track();
        if state.frame.signed_out.get() {
            return None;
        }
        let pending = Rc::new(RefCell::new(Pending::default()));
        let again = move || {
            attempt.try_update(|attempt| *attempt += 1);
        };
        let mut source = EventStream::open(&stream_path(state.id, run));
        source.on(event::SNAPSHOT, {
            let pending = Rc::clone(&pending);
            move |data| {
                if let Some(snapshot) = parse::<RunSnapshot>(&data) {
                    let mut waiting = pending.borrow_mut();
                    waiting.snapshot = Some(snapshot);
                    waiting.whole = true;
                    schedule(&pending, &mut waiting, state, parts);
                }
            }
        });
        source.on(event::UPDATE, {
            let pending = Rc::clone(&pending);
            move |data| {
                let mut waiting = pending.borrow_mut();
                let update = parse::<RunUpdate>(&data);
                let next = update.as_ref().and_then(|update| waiting.snapshot.take()?.apply(update));
                match (next, update) {
                    (Some(next), Some(update)) => {
                        waiting.snapshot = Some(next);
                        waiting.text.push_str(update.text.map(|text| text.done).as_deref().unwrap_or_default());
                        waiting
                            .reasoning
                            .push_str(update.reasoning.map(|text| text.done).as_deref().unwrap_or_default());
                        schedule(&pending, &mut waiting, state, parts);
                    }
                    // It does not fit: the next connection begins with a snapshot.
                    _ => again(),
                }
            }
        });
        source.on(event::END, move |data| {
            match parse::<Message>(&data) {
                Some(answer) => {
                    announce(state, &answer);
                    state.settle(answer);
                }
                // The server is of another version than this page. A draft is kept.
                None => {
                    let _ = location().reload();
                }
            }
        });
        watch_connection(&mut source, state, again);
        Some(source)
    });
}

fn parse<T: DeserializeOwned>(data: &str) -> Option<T> {
    serde_json::from_str(data).ok()
}

/// Shows what has come, at most once per frame.
fn schedule(pending: &Rc<RefCell<Pending>>, waiting: &mut Pending, state: ChatState, parts: Parts) {
    if !waiting.scheduled {
        waiting.scheduled = true;
        let pending = Rc::clone(pending);
        request_animation_frame(move || {
            let mut waiting = pending.borrow_mut();
            waiting.scheduled = false;
            state.place.keep(|| show(&mut waiting, parts));
        });
    }
}

fn show(waiting: &mut Pending, parts: Parts) {
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

/// Tells when the connection is cut for longer than a moment, and asks again where the browser does not.
fn watch_connection(source: &mut EventStream, state: ChatState, again: impl Fn() + Copy + 'static) {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let calm = move || {
        if let Some(handle) = timer.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    source.on_open(move || {
        calm();
        state.offline.try_set(false);
    });
    source.on_closed(move |closed| {
        if timer.try_with_value(Option::is_none) == Some(true) {
            let tell = move || {
                state.offline.try_set(true);
            };
            timer.try_set_value(set_timeout_with_handle(tell, PATIENCE).ok());
        }
        if closed == Closed::Ended {
            state.reload();
            set_timeout(again, AGAIN);
        }
    });
    on_cleanup(calm);
}

/// Reads the finished answer out, once, and not longer than one listens.
fn announce(state: ChatState, answer: &Message) {
    const LONGEST: usize = 1_000;
    let words = match state_note(&answer.state) {
        Some(note) => note,
        None => {
            let text = text_of(&answer.html);
            let head: String = text.chars().take(LONGEST).collect();
            format!("Answer: {head}")
        }
    };
    state.said.try_set(words);
}

fn text_of(html: &str) -> String {
    let element: Option<web_sys::Element> = document().create_element("div").ok();
    element
        .and_then(|element| {
            element.set_inner_html(html);
            element.text_content()
        })
        .unwrap_or_default()
}

/// The run and the phase of an open message.
pub fn open_run(message: &Message) -> Option<(RunId, Phase)> {
    match message.state {
        MessageState::Open { run, phase } => Some((run, phase)),
        _ => None,
    }
}
