use leptos::prelude::*;
use server_fn::ServerFn;

use super::list_state::SessionListState;
use crate::{
    components::{Glyph, Icon, chat_action_icon_and_label, chat_action_name},
    domain::{ChatAction, ChatFilter},
    server_fns::chats::ChangeChats,
};

/// The id of the form that the checkboxes belong to.
pub const SELECTION_FORM_ID: &str = "selection";

/// The actions on the selected chats. CSS shows them in place of the search while a check box is checked, so they work
/// without scripts.
#[component]
pub fn SelectionActions(
    /// The state of the list.
    state: SessionListState,
    /// The form.
    node_ref: NodeRef<leptos::html::Form>,
) -> impl IntoView {
    let filter = state.list_query.with_value(|list_query| list_query.filter);
    let actions = match filter {
        ChatFilter::All => [ChatAction::Pin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Pinned => [ChatAction::Unpin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Archived => [ChatAction::Unarchive, ChatAction::Pin, ChatAction::Delete],
    };
    let button = move |action: ChatAction| {
        let (glyph, label) = chat_action_icon_and_label(action);
        let label = if action == ChatAction::Delete { t!("sessions.delete") } else { label };
        view! {
            <button
                class="btn btn-quiet btn-small"
                class:btn-danger=action == ChatAction::Delete
                type="submit"
                name="action"
                value=chat_action_name(action)
                title=label
                on:click=move |event| {
                    event.prevent_default();
                    state.change_selected(action);
                }
            >
                <Icon glyph />
                <span class="selection-label">{label}</span>
            </button>
        }
    };
    view! {
        <form
            class="selection"
            id=SELECTION_FORM_ID
            method="post"
            action=ChangeChats::url()
            node_ref=node_ref
            on:reset=move |_| state.selected.set(Vec::new())
        >
            <p class="selection-count js-only" aria-live="polite">
                {move || t!("sessions.selected", count = state.selected.with(Vec::len))}
            </p>
            <button
                class="btn btn-quiet btn-small js-only"
                type="button"
                title=t!("sessions.select_all")
                on:click=move |_| state.select_all()
            >
                <Icon glyph=Glyph::ListChecks />
                <span class="selection-label">{t!("sessions.select_all")}</span>
            </button>
            {actions.map(button).collect_view()}
            <button class="icon-btn" type="reset" aria-label=t!("sessions.clear_selection")>
                <Icon glyph=Glyph::X />
            </button>
        </form>
    }
    .into_any()
}
