use leptos::prelude::*;
use server_fn::ServerFn;

use super::list_state::ListState;
use crate::{
    components::{Icon, chat_action_look, chat_action_name},
    domain::{ChatAction, ChatFilter},
    server_fns::chats::ChangeChats,
};

/// The id of the form to which the ticks belong.
pub const SELECTION_FORM: &str = "selection";

/// What can be done with the chats that are ticked. Shown by style where one is, so that it works without scripts.
#[component]
pub fn Selection(
    /// The list.
    state: ListState,
) -> impl IntoView {
    let filter = state.shown.with_value(|shown| shown.filter);
    let actions = match filter {
        ChatFilter::All => [ChatAction::Pin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Pinned => [ChatAction::Unpin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Archived => [ChatAction::Unarchive, ChatAction::Pin, ChatAction::Delete],
    };
    let button = move |action: ChatAction| {
        let (glyph, words) = chat_action_look(action);
        view! {
            <button
                class="btn btn-quiet btn-small"
                class:btn-danger=action == ChatAction::Delete
                type="submit"
                name="action"
                value=chat_action_name(action)
                on:click=move |event| {
                    event.prevent_default();
                    state.change_selected(action);
                }
            >
                <Icon glyph />
                {if action == ChatAction::Delete { t!("sessions.delete") } else { words }}
            </button>
        }
    };
    view! {
        <form class="selection" id=SELECTION_FORM method="post" action=ChangeChats::url()>
            <p class="flex-1 text-label text-ink-soft js-only" aria-live="polite">
                {move || match state.selected.with(Vec::len) {
                    0 => String::new(),
                    n => t!("sessions.selected", count = n),
                }}
            </p>
            {actions.map(button).collect_view()}
        </form>
    }
    .into_any()
}
