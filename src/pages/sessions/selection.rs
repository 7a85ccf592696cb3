use leptos::prelude::*;
use server_fn::ServerFn;

use super::list_state::SessionListState;
use crate::{
    components::{Icon, chat_action_icon_and_label, chat_action_name},
    domain::{ChatAction, ChatFilter},
    server_fns::chats::ChangeChats,
};

/// The id of the form that the checkboxes belong to.
pub const SELECTION_FORM_ID: &str = "selection";

/// The actions on the selected chats. CSS shows them while a checkbox is checked, so they work without scripts.
#[component]
pub fn SelectionActions(
    /// The state of the list.
    state: SessionListState,
) -> impl IntoView {
    let filter = state.list_query.with_value(|list_query| list_query.filter);
    let actions = match filter {
        ChatFilter::All => [ChatAction::Pin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Pinned => [ChatAction::Unpin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Archived => [ChatAction::Unarchive, ChatAction::Pin, ChatAction::Delete],
    };
    let button = move |action: ChatAction| {
        let (glyph, label) = chat_action_icon_and_label(action);
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
                {if action == ChatAction::Delete { t!("sessions.delete") } else { label }}
            </button>
        }
    };
    view! {
        <form class="selection" id=SELECTION_FORM_ID method="post" action=ChangeChats::url()>
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
