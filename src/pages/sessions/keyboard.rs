use leptos::{ev, html::Form, prelude::*, wasm_bindgen::JsCast, web_sys};

use super::list_state::SessionListState;
use crate::domain::{ChatAction, ChatId};

/// Escape clears the selection, Delete deletes the selected chats, or else the one that has the focus. `form` is the form
/// of the selection.
pub fn watch_keys(state: SessionListState, form: NodeRef<Form>) {
    // An effect, because there are no keys on the server.
    Effect::new(move || {
        let keys = window_event_listener(ev::keydown, move |event| match event.key().as_str() {
            "Escape" if !is_occupied(&event) => {
                if let Some(form) = form.get_untracked() {
                    form.reset();
                }
            }
            "Delete" if !is_occupied(&event) => delete(state, &event),
            _ => {}
        });
        on_cleanup(move || keys.remove());
    });
}

/// Whether the key is meant for a field, a menu or a dialog.
fn is_occupied(event: &web_sys::KeyboardEvent) -> bool {
    let field = "input:not([type='checkbox']), textarea, select, dialog, details[open]";
    let is_in_field = target(event).is_some_and(|target| target.closest(field).ok().flatten().is_some());
    is_in_field || document().query_selector("details.menu[open], dialog[open]").ok().flatten().is_some()
}

fn delete(state: SessionListState, event: &web_sys::KeyboardEvent) {
    if state.selected.with_untracked(|selected| !selected.is_empty()) {
        state.change_selected(ChatAction::Delete);
    } else if let Some(chat) = target(event).as_ref().and_then(chat_of_row) {
        state.change(vec![chat], ChatAction::Delete);
    }
}

fn target(event: &web_sys::KeyboardEvent) -> Option<web_sys::Element> {
    event.target()?.dyn_into().ok()
}

/// The chat of the row that contains an element.
fn chat_of_row(element: &web_sys::Element) -> Option<ChatId> {
    let row = element.closest(".session").ok()??;
    row.query_selector(".session-check > input").ok()??.get_attribute("value")?.parse().ok()
}
