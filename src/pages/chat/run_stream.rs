//! The stream of a run.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, web_sys};
use serde::de::DeserializeOwned;

use super::{
    live_parts::{LiveParts, Pending, schedule},
    state::ChatState,
};
use crate::{
    components::{
        browser::{Closed, EventStream},
        state_note,
    },
    domain::{ChatId, Message, RunId, RunSnapshot, RunUpdate, event},
    pages::shell::SignInState,
};

/// Time after which a cut connection is told.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time before the stream is asked for again where the browser has given up.
const AGAIN: Duration = Duration::from_secs(3);

fn stream_path(chat: ChatId, run: RunId) -> String {
    format!("/chats/{chat}/runs/{run}/events")
}

/// Reads the stream of a run, and shows what comes.
pub fn read_stream(state: ChatState, run: RunId, parts: LiveParts) {
    let sign_in = SignInState::expect();
    let attempt = RwSignal::new(0_u32);
    // Events that come after the page has gone on find nothing to change. The effect keeps its stream until its next run.
    Effect::new(move |_: Option<Option<EventStream>>| {
        attempt.track();
        if sign_in.ended.get() {
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
                    schedule(&pending, &mut waiting, state.place, parts);
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
                        schedule(&pending, &mut waiting, state.place, parts);
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
        Some(note) => note.to_owned(),
        None => {
            let text = text_of(&answer.html);
            let head: String = text.chars().take(LONGEST).collect();
            t!("chat.answer.said", text = head)
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
