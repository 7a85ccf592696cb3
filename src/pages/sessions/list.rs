use leptos::prelude::*;

use super::{
    keyboard::watch_keys, list_state::SessionListState, query::SessionsQuery, row::SessionRow,
    selection::SelectionActions,
};
use crate::{
    components::{ChatGroups, Glyph, Icon},
    domain::{ChatFilter, ChatId, ChatPage},
    pages::shell::{ChatListState, ReaderTime},
};

/// One page of chats grouped by day, and the pages loaded after it.
#[component]
pub fn SessionList(
    /// The query of the list.
    list_query: SessionsQuery,
    /// The first page.
    page: ChatPage,
    /// The chat that was deleted last.
    deleted: StoredValue<Option<ChatId>>,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let state = SessionListState::new(ChatListState::expect(), list_query, page, deleted);
    let form = NodeRef::<leptos::html::Form>::new();
    Effect::new(move || state.focus_restored());
    watch_keys(state, form);
    view! {
        <SelectionActions state node_ref=form />
        <ChatGroups
            chats=state.chats
            clock
            heading=|name| view! { <h2 class="sessions-heading">{name}</h2> }.into_any()
            row=move |chat| view! { <SessionRow chat state /> }.into_any()
        />
        <Show when=move || state.chats.with(Vec::is_empty)>
            <EmptyList list_query=state.list_query.get_value() />
        </Show>
        <LoadMoreLink state />
    }
    .into_any()
}

/// The message for an empty list, with a link.
#[component]
fn EmptyList(list_query: SessionsQuery) -> impl IntoView {
    let (sentence, href, action) = match (list_query.search.is_empty(), list_query.filter) {
        (false, filter) => (
            t!("sessions.none_found", search = list_query.search),
            SessionsQuery { filter, ..SessionsQuery::default() }.href(),
            t!("sessions.clear_search"),
        ),
        (true, ChatFilter::All) => (t!("sessions.none").to_owned(), "/".to_owned(), t!("sessions.start")),
        (true, ChatFilter::Pinned) => {
            (t!("sessions.none_pinned").to_owned(), "/sessions".to_owned(), t!("sessions.show_all"))
        }
        (true, ChatFilter::Archived) => {
            (t!("sessions.none_archived").to_owned(), "/sessions".to_owned(), t!("sessions.show_all"))
        }
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
fn LoadMoreLink(state: SessionListState) -> impl IntoView {
    let href = move || {
        let next = SessionsQuery { cursor: state.next.get(), ..state.list_query.get_value() };
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
                    {move || if state.loading.get() { t!("sessions.loading") } else { t!("sessions.load_more") }}
                </a>
            </p>
        </Show>
    }
    .into_any()
}
