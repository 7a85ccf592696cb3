//! The event stream of a run.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, web_sys};
use serde::de::DeserializeOwned;

use super::{
    live_parts::{LiveParts, PendingUpdates, schedule_render},
    state::ChatState,
};
use crate::{
    components::{
        browser::{Disconnect, EventStream},
        state_note,
    },
    domain::{ChatId, Message, RunId, RunSnapshot, RunUpdate, event},
    i18n::fill_references,
    pages::shell::SignInState,
};

/// How long a connection may be lost before the page shows it.
const OFFLINE_NOTICE_DELAY: Duration = Duration::from_secs(2);
/// Delay before the stream is opened again after the browser has given up.
const RECONNECT_DELAY: Duration = Duration::from_secs(3);

fn stream_path(chat: ChatId, run: RunId) -> String {
    format!("/chats/{chat}/runs/{run}/events")
}

/// Reads the stream of a run and renders its events.
pub fn read_stream(state: ChatState, run: RunId, parts: LiveParts) {
    let sign_in = SignInState::expect();
    let attempt = RwSignal::new(0_u32);
    // Events that arrive after the page is disposed change nothing. The effect owns its stream until its next run.
    Effect::new(move |_: Option<Option<EventStream>>| {
        attempt.track();
        if sign_in.ended.get() {
            return None;
        }
        let pending = Rc::new(RefCell::new(PendingUpdates::default()));
        let reconnect = move || {
            attempt.try_update(|attempt| *attempt += 1);
        };
        let mut source = EventStream::open(&stream_path(state.id, run));
        source.on(event::SNAPSHOT, {
            let pending = Rc::clone(&pending);
            move |data| {
                if let Some(snapshot) = parse::<RunSnapshot>(&data) {
                    let mut updates = pending.borrow_mut();
                    updates.snapshot = Some(snapshot);
                    updates.replace_all = true;
                    schedule_render(&pending, &mut updates, state.scroll, parts);
                }
            }
        });
        source.on(event::UPDATE, {
            let pending = Rc::clone(&pending);
            move |data| {
                let mut updates = pending.borrow_mut();
                let update = parse::<RunUpdate>(&data);
                let next = update.as_ref().and_then(|update| updates.snapshot.take()?.apply(update));
                match (next, update) {
                    (Some(next), Some(update)) => {
                        updates.snapshot = Some(next);
                        updates.text.push_str(update.text.map(|text| text.done).as_deref().unwrap_or_default());
                        updates
                            .reasoning
                            .push_str(update.reasoning.map(|text| text.done).as_deref().unwrap_or_default());
                        schedule_render(&pending, &mut updates, state.scroll, parts);
                    }
                    // An update is missing: reconnect, because each connection starts with a snapshot.
                    _ => reconnect(),
                }
            }
        });
        source.on(event::END, move |data| {
            match parse::<Message>(&data) {
                Some(answer) => {
                    announce(state, &answer);
                    state.finish_answer(answer);
                }
                // The server has another version than this page. Drafts survive the reload.
                None => {
                    let _ = location().reload();
                }
            }
        });
        watch_connection(&mut source, state, reconnect);
        Some(source)
    });
}

fn parse<T: DeserializeOwned>(data: &str) -> Option<T> {
    // From bytes, like everything else: see `shell::page_data`.
    serde_json::from_slice(data.as_bytes()).ok()
}

/// Shows when the connection is lost for longer than [`OFFLINE_NOTICE_DELAY`], and reconnects if the browser does not.
fn watch_connection(source: &mut EventStream, state: ChatState, reconnect: impl Fn() + Copy + 'static) {
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let clear_timer = move || {
        if let Some(handle) = timer.try_update_value(Option::take).flatten() {
            handle.clear();
        }
    };
    source.on_open(move || {
        clear_timer();
        state.offline.try_set(false);
    });
    source.on_disconnect(move |disconnect| {
        if timer.try_with_value(Option::is_none) == Some(true) {
            let show_offline = move || {
                state.offline.try_set(true);
            };
            timer.try_set_value(set_timeout_with_handle(show_offline, OFFLINE_NOTICE_DELAY).ok());
        }
        if disconnect == Disconnect::Closed {
            state.reload();
            set_timeout(reconnect, RECONNECT_DELAY);
        }
    });
    on_cleanup(clear_timer);
}

/// Announces the finished answer to screen readers, once and truncated.
fn announce(state: ChatState, answer: &Message) {
    const MAX_CHARS: usize = 1_000;
    let announcement = match state_note(&answer.state) {
        Some(note) => note.to_owned(),
        None => {
            let text = html_to_text(&answer.html);
            let head: String = text.chars().take(MAX_CHARS).collect();
            t!("chat.answer.said", text = head)
        }
    };
    state.announcement.try_set(announcement);
}

fn html_to_text(html: &str) -> String {
    let element: Option<web_sys::Element> = document().create_element("div").ok();
    element
        .and_then(|element| {
            element.set_inner_html(&fill_references(html.into()));
            // Without the labels of controls.
            while let Ok(Some(controls)) = element.query_selector(".code-head, .code-fold") {
                controls.remove();
            }
            element.text_content()
        })
        .unwrap_or_default()
}
