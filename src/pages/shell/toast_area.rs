use leptos::prelude::*;

use super::{chat_list::ChatListState, toasts::Toasts};
use crate::{components::Toast, domain::ChatAction};

/// The toasts: undo of a deletion or an archiving, and errors of chat actions.
#[component]
pub fn ToastArea(
    /// The content of the toasts.
    toasts: Toasts,
    /// The list that brings the chats back.
    chats: ChatListState,
) -> impl IntoView {
    let Toasts { undo, error } = toasts;
    let undo_text = move || {
        undo.with(|undo| match undo {
            Some((ChatAction::Archive, chats)) => Some(t!("chat.archived", count = chats.len())),
            Some((_, chats)) => Some(t!("chat.deleted", count = chats.len())),
            None => None,
        })
    };
    let error_text = move || error.get().map(|error| error.text());
    view! {
        <Toast
            text=Signal::derive(undo_text)
            action=t!("chat.action.restore")
            on_action=Callback::new(move |()| chats.undo())
            on_timeout=Callback::new(move |()| undo.set(None))
        />
        <Toast
            text=Signal::derive(error_text)
            action=t!("common.close")
            on_action=Callback::new(move |()| error.set(None))
            on_timeout=Callback::new(move |()| error.set(None))
        />
    }
    .into_any()
}
