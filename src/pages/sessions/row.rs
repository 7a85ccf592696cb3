use leptos::prelude::*;
use server_fn::ServerFn;

use super::{list_state::SessionListState, selection::SELECTION_FORM_ID};
use crate::{
    components::{ChatForms, ChatMenu, TimeAgo},
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
    let on_action = Callback::new(move |action: ChatAction| {
        state.list.change(vec![id], action, move || state.apply_action(&[id], action));
    });
    let on_rename = Callback::new(move |title: String| {
        state.list.rename(id, title.clone(), move || state.apply_rename(id, &title));
    });
    let forms = ChatForms { change: ChangeChats::url(), rename: RenameChat::url() };
    let on_check = move |event| {
        let checked = event_target_checked(&event);
        state.selected.update(|selected| {
            selected.retain(|other| *other != id);
            if checked {
                selected.push(id);
            }
        });
    };
    let clock = ReaderTime::expect().clock;
    let model = Models::expect().label(&chat.model);
    view! {
        <li class="session">
            <label class="session-check">
                <input
                    class="checkbox"
                    type="checkbox"
                    form=SELECTION_FORM_ID
                    name="chats[]"
                    value=id.to_string()
                    aria-label=t!("sessions.select", title = chat.title)
                    prop:checked=move || state.selected.with(|selected| selected.contains(&id))
                    on:change=on_check
                />
            </label>
            <a class="session-link" href=format!("/chats/{id}")>
                <span class="flex flex-wrap items-center gap-x-2">
                    <span class="min-w-0 flex-1 basis-40 truncate font-medium" dir="auto" title=chat.title.clone()>
                        {chat.title.clone()}
                    </span>
                    {chat
                        .running
                        .then(|| {
                            view! {
                                <span class="running"></span>
                                <span class="sr-only">{t!("sessions.answering")}</span>
                            }
                        })}
                    <span class="flex-none text-label text-ink-faint">
                        <TimeAgo at=chat.active_at clock />
                    </span>
                </span>
                <span class="flex gap-2 text-label text-ink-soft">
                    <span class="min-w-0 flex-1 truncate" dir="auto">
                        {chat.preview}
                    </span>
                    <span class="max-w-[40%] flex-none truncate text-ink-faint max-sm:hidden">{model}</span>
                </span>
            </a>
            <ChatMenu
                chat=id
                title=Signal::stored(chat.title)
                pinned=Signal::stored(chat.pinned)
                archived=Signal::stored(chat.archived)
                forms
                on_demand=true
                on_action
                on_rename
            />
        </li>
    }
    .into_any()
}
