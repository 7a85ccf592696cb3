use leptos::prelude::*;
use server_fn::ServerFn;

use super::{list_state::SessionListState, matches::mark_matches, selection::SELECTION_FORM_ID};
use crate::{
    components::{ChatForms, ChatMenu, TimeAgo, TitleInput},
    domain::{ChatAction, ChatSummary},
    pages::shell::{Models, ReaderTime},
    server_fns::chats::{ChangeChats, RenameChat},
};

/// One chat of the list.
#[component]
pub fn SessionRow(
    /// The chat.
    chat: ChatSummary,
    /// The state of the list.
    state: SessionListState,
) -> impl IntoView {
    let id = chat.id;
    let on_action = Callback::new(move |action: ChatAction| state.change(vec![id], action));
    let on_rename = Callback::new(move |title: String| {
        state.list.rename(id, title.clone(), move || state.apply_rename(id, &title));
    });
    let forms = ChatForms { change: ChangeChats::url(), rename: RenameChat::url() };
    let clock = ReaderTime::expect().clock;
    let model = Models::expect().label(&chat.model);
    let (title, preview) = state.list_query.with_value(|list_query| {
        (mark_matches(&chat.title, &list_query.search), mark_matches(&chat.preview, &list_query.search))
    });
    let editing = RwSignal::new(false);
    let name = StoredValue::new(chat.title.clone());
    let on_done = Callback::new(move |title: Option<String>| {
        editing.set(false);
        if let Some(title) = title {
            on_rename.run(title);
        }
    });
    view! {
        <li class="session" class:session-editing=editing>
            <label class="session-check">
                <input
                    class="checkbox"
                    type="checkbox"
                    form=SELECTION_FORM_ID
                    name="chats[]"
                    value=id.to_string()
                    aria-label=t!("sessions.select", title = chat.title)
                    prop:checked=move || state.is_selected(id)
                    // Space clicks too.
                    on:click=move |event| state.select(id, event_target_checked(&event), event.shift_key())
                />
            </label>
            <a class="session-link" href=format!("/chats/{id}")>
                <span class="session-line">
                    <span class="session-title truncate" dir="auto" title=chat.title.clone()>
                        {title}
                    </span>
                    {chat
                        .running
                        .then(|| {
                            view! {
                                <span class="running"></span>
                                <span class="sr-only">{t!("sessions.answering")}</span>
                            }
                        })}
                    {(chat.unread && !chat.running)
                        .then(|| {
                            view! {
                                <span class="unread">
                                    <span class="sr-only">{t!("sessions.unread")}</span>
                                </span>
                            }
                        })}
                    <span class="session-time">
                        <TimeAgo at=chat.active_at clock />
                    </span>
                </span>
                <span class="session-line">
                    <span class="session-words truncate" dir="auto">
                        {preview}
                    </span>
                    <span class="session-model truncate">{model}</span>
                </span>
            </a>
            {move || editing.get().then(|| view! { <TitleInput title=name.get_value() on_done /> })}
            <ChatMenu
                chat=id
                title=Signal::stored(chat.title)
                pinned=Signal::stored(chat.pinned)
                archived=Signal::stored(chat.archived)
                forms
                on_demand=true
                editing
                on_action
                on_rename
            />
        </li>
    }
    .into_any()
}
