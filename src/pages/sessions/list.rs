use std::cmp::Reverse;

use leptos::{prelude::*, task::spawn_local};
use server_fn::ServerFn;

use super::{
    Shown, action_name,
    menu::{ChatMenu, Done, look},
};
use crate::{
    components::{ChatGroups, Glyph, Icon, TimeAgo},
    domain::{ChatAction, ChatFilter, ChatId, ChatPage, ChatSummary},
    pages::frame::FrameState,
    server_fns::chats::{ChangeChats, list_chats},
};

const SELECTION_FORM: &str = "selection";

/// The list in the browser.
#[derive(Clone, Copy)]
struct ListState {
    frame: FrameState,
    shown: StoredValue<Shown>,
    chats: RwSignal<Vec<ChatSummary>>,
    next: RwSignal<Option<String>>,
    selected: RwSignal<Vec<ChatId>>,
    loading: RwSignal<bool>,
}

impl ListState {
    /// Shows what an action has changed, without reading the list again.
    fn changed(self, ids: &[ChatId], action: ChatAction) {
        let filter = self.shown.with_value(|shown| shown.filter);
        self.chats.try_update(|chats| apply(chats, ids, action, filter));
        self.selected.try_set(Vec::new());
    }

    fn renamed(self, id: ChatId, title: &str) {
        self.chats.try_update(|chats| {
            if let Some(chat) = chats.iter_mut().find(|chat| chat.id == id) {
                title.clone_into(&mut chat.title);
            }
        });
    }

    fn change_selected(self, action: ChatAction) {
        let ids = self.selected.get_untracked();
        self.frame.change_chats(ids.clone(), action, move || self.changed(&ids, action));
    }

    fn load_more(self) {
        let Some(cursor) = self.next.get_untracked().filter(|_| !self.loading.get_untracked()) else { return };
        self.loading.set(true);
        let shown = self.shown.get_value();
        spawn_local(async move {
            if let Ok(page) = list_chats(shown.filter, shown.search, Some(cursor)).await {
                self.chats.try_update(|chats| chats.extend(page.chats));
                self.next.try_set(page.next);
            }
            self.loading.try_set(false);
        });
    }
}

/// What a list shows after an action.
fn apply(chats: &mut Vec<ChatSummary>, ids: &[ChatId], action: ChatAction, filter: ChatFilter) {
    for chat in chats.iter_mut().filter(|chat| ids.contains(&chat.id)) {
        match action {
            ChatAction::Pin => chat.pinned = true,
            ChatAction::Unpin => chat.pinned = false,
            ChatAction::Archive => chat.archived = true,
            ChatAction::Unarchive => chat.archived = false,
            ChatAction::Delete | ChatAction::Restore => {}
        }
    }
    let stays = |chat: &ChatSummary| match filter {
        ChatFilter::All => !chat.archived,
        ChatFilter::Pinned => chat.pinned && !chat.archived,
        ChatFilter::Archived => chat.archived,
    };
    chats.retain(|chat| stays(chat) && !(action == ChatAction::Delete && ids.contains(&chat.id)));
    chats.sort_by_key(|chat| Reverse((chat.pinned, chat.active_at, chat.id)));
}

/// One page of chats in day groups, and the pages that were asked for after it.
#[component]
pub fn SessionList(
    /// Which part of the list this is.
    shown: Shown,
    /// Its first page.
    page: ChatPage,
) -> impl IntoView {
    let frame = FrameState::expect();
    let state = ListState {
        frame,
        shown: StoredValue::new(shown),
        chats: RwSignal::new(page.chats),
        next: RwSignal::new(page.next),
        selected: RwSignal::new(Vec::new()),
        loading: RwSignal::new(false),
    };
    view! {
        <Selection state />
        <ChatGroups
            chats=state.chats
            clock=frame.clock
            heading="px-2 pt-6 pb-1 text-label font-medium text-ink-faint"
            row=move |chat| view! { <Session chat state /> }.into_any()
        />
        <Show when=move || state.chats.with(Vec::is_empty)>
            <Nothing shown=state.shown.get_value() />
        </Show>
        <More state />
    }
    .into_any()
}

/// What can be done with the chats that are ticked. Shown by style where one is, so that it works without scripts.
#[component]
fn Selection(state: ListState) -> impl IntoView {
    let filter = state.shown.with_value(|shown| shown.filter);
    let actions = match filter {
        ChatFilter::All => [ChatAction::Pin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Pinned => [ChatAction::Unpin, ChatAction::Archive, ChatAction::Delete],
        ChatFilter::Archived => [ChatAction::Unarchive, ChatAction::Pin, ChatAction::Delete],
    };
    let button = move |action: ChatAction| {
        let (glyph, words) = look(action);
        view! {
            <button
                class="btn btn-quiet btn-small"
                class:btn-danger=action == ChatAction::Delete
                type="submit"
                name="action"
                value=action_name(action)
                on:click=move |event| {
                    event.prevent_default();
                    state.change_selected(action);
                }
            >
                <Icon glyph />
                {if action == ChatAction::Delete { "Delete" } else { words }}
            </button>
        }
    };
    view! {
        <form class="selection" id=SELECTION_FORM method="post" action=ChangeChats::url()>
            <p class="flex-1 text-label text-ink-soft js-only" aria-live="polite">
                {move || match state.selected.with(Vec::len) {
                    0 => String::new(),
                    n => format!("{n} selected"),
                }}
            </p>
            {actions.map(button).collect_view()}
        </form>
    }
    .into_any()
}

#[component]
fn Session(chat: ChatSummary, state: ListState) -> impl IntoView {
    let id = chat.id;
    let on_done = Callback::new(move |done| match done {
        Done::Changed(action) => state.changed(&[id], action),
        Done::Renamed(title) => state.renamed(id, &title),
    });
    let on_check = move |event| {
        let checked = event_target_checked(&event);
        state.selected.update(|selected| {
            selected.retain(|other| *other != id);
            if checked {
                selected.push(id);
            }
        });
    };
    let model = state.frame.model_label(&chat.model);
    view! {
        <li class="session">
            <label class="session-check">
                <input
                    class="checkbox"
                    type="checkbox"
                    form=SELECTION_FORM
                    name="chats[]"
                    value=id.to_string()
                    aria-label=format!("Select {}", chat.title)
                    prop:checked=move || state.selected.with(|selected| selected.contains(&id))
                    on:change=on_check
                />
            </label>
            <a class="session-link" href=format!("/chats/{id}")>
                <span class="flex flex-wrap items-center gap-x-2">
                    <span class="min-w-0 flex-1 basis-40 truncate font-medium" dir="auto" title=chat.title.clone()>
                        {chat.title.clone()}
                    </span>
                    {chat.running.then(|| view! { <span class="running"></span><span class="sr-only">"(answering)"</span> })}
                    <span class="flex-none text-label text-ink-faint">
                        <TimeAgo at=chat.active_at clock=state.frame.clock />
                    </span>
                </span>
                <span class="flex gap-2 text-label text-ink-soft">
                    <span class="min-w-0 flex-1 truncate" dir="auto">
                        {chat.last_words}
                    </span>
                    <span class="max-w-[40%] flex-none truncate text-ink-faint max-sm:hidden">{model}</span>
                </span>
            </a>
            <ChatMenu
                chat=id
                title=Signal::stored(chat.title)
                pinned=chat.pinned
                archived=chat.archived
                on_done=on_done
            />
        </li>
    }
    .into_any()
}

/// What is said where there are no chats, and the way on.
#[component]
fn Nothing(shown: Shown) -> impl IntoView {
    let (sentence, href, action) = match (shown.search.is_empty(), shown.filter) {
        (false, filter) => (
            format!("No title contains “{}”.", shown.search),
            Shown { filter, ..Shown::default() }.href(),
            "Clear the search",
        ),
        (true, ChatFilter::All) => ("You have no chats yet.".to_owned(), "/".to_owned(), "Start a chat"),
        (true, ChatFilter::Pinned) => (
            "Nothing is pinned. Pin a chat to keep it at the top.".to_owned(),
            "/sessions".to_owned(),
            "Show all chats",
        ),
        (true, ChatFilter::Archived) => ("Nothing is archived.".to_owned(), "/sessions".to_owned(), "Show all chats"),
    };
    view! {
        <div class="py-16 text-center">
            <p class="mb-4 text-ink-soft" dir="auto">
                {sentence}
            </p>
            <a class="btn btn-line" href=href>
                {action}
            </a>
        </div>
    }
}

#[component]
fn More(state: ListState) -> impl IntoView {
    let href = move || {
        let next = Shown { cursor: state.next.get(), ..state.shown.get_value() };
        next.href()
    };
    view! {
        <Show when=move || state.next.with(Option::is_some)>
            <p class="pt-6 text-center">
                <a
                    class="btn btn-line"
                    href=href
                    on:click=move |event| {
                        event.prevent_default();
                        event.stop_propagation();
                        state.load_more();
                    }
                >
                    <Icon glyph=Glyph::ChevronDown />
                    {move || if state.loading.get() { "Loading…" } else { "Load more" }}
                </a>
            </p>
        </Show>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn chat(last: u8, micros: i64) -> ChatSummary {
        ChatSummary {
            id: format!("0190e2a4-7b1c-7def-8123-4567890000{last:02x}").parse().expect("an id"),
            title: String::new(),
            last_words: String::new(),
            model: String::new(),
            active_at: Timestamp::from_micros(micros),
            pinned: false,
            archived: false,
            running: false,
        }
    }

    #[test]
    fn actions_show_at_once() {
        let list = [chat(1, 30), chat(2, 20), chat(3, 10)];
        let after = |ids: &[usize], action, filter| {
            let mut chats = list.to_vec();
            let ids: Vec<_> = ids.iter().map(|i| list[*i].id).collect();
            apply(&mut chats, &ids, action, filter);
            chats.iter().map(|chat| chat.active_at.micros()).collect::<Vec<_>>()
        };
        assert_eq!(after(&[2], ChatAction::Pin, ChatFilter::All), [10, 30, 20]);
        assert_eq!(after(&[0, 1], ChatAction::Delete, ChatFilter::All), [10]);
        assert_eq!(after(&[1], ChatAction::Archive, ChatFilter::All), [30, 10]);
        assert_eq!(after(&[1], ChatAction::Archive, ChatFilter::Archived), [20]);
    }
}
