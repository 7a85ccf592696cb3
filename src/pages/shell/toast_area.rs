use leptos::prelude::*;

use super::{chat_list::ChatList, toasts::Toasts};
use crate::components::Toast;

/// The toasts: the way back from a deletion, and what could not be done.
#[component]
pub fn ToastArea(
    /// What they say.
    toasts: Toasts,
    /// The list into which deleted chats come back.
    chats: ChatList,
) -> impl IntoView {
    let Toasts { deleted, problem } = toasts;
    let deletion_words = move || match deleted.with(Vec::len) {
        0 => None,
        count => Some(t!("chat.deleted", count = count)),
    };
    let problem_words = move || problem.get().map(|error| error.text());
    view! {
        <Toast
            words=Signal::derive(deletion_words)
            action=t!("chat.action.restore")
            on_action=Callback::new(move |()| chats.restore_deleted())
            on_over=Callback::new(move |()| deleted.set(Vec::new()))
        />
        <Toast
            words=Signal::derive(problem_words)
            action=t!("common.close")
            on_action=Callback::new(move |()| problem.set(None))
            on_over=Callback::new(move |()| problem.set(None))
        />
    }
    .into_any()
}
