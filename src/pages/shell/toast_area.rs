use leptos::prelude::*;

use super::{chat_list::ChatListState, toasts::Toasts};
use crate::components::Toast;

/// The toasts: undo of a deletion, and errors of chat actions.
#[component]
pub fn ToastArea(
    /// The content of the toasts.
    toasts: Toasts,
    /// The list that restores deleted chats.
    chats: ChatListState,
) -> impl IntoView {
    let Toasts { deleted, error } = toasts;
    let deletion_text = move || match deleted.with(Vec::len) {
        0 => None,
        count => Some(t!("chat.deleted", count = count)),
    };
    let error_text = move || error.get().map(|error| error.text());
    view! {
        <Toast
            text=Signal::derive(deletion_text)
            action=t!("chat.action.restore")
            on_action=Callback::new(move |()| chats.restore_deleted())
            on_timeout=Callback::new(move |()| deleted.set(Vec::new()))
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
