use leptos::prelude::*;

use super::{list_state::ListState, query::SessionsQuery, row::SessionRow, selection::Selection};
use crate::{
    components::{ChatGroups, Glyph, Icon},
    domain::{ChatFilter, ChatPage},
    pages::shell::{ChatList, ReaderTime},
};

/// One page of chats in day groups, and the pages that were asked for after it.
#[component]
pub fn SessionList(
    /// Which part of the list this is.
    shown: SessionsQuery,
    /// Its first page.
    page: ChatPage,
) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let state = ListState::new(ChatList::expect(), shown, page);
    view! {
        <Selection state />
        <ChatGroups
            chats=state.chats
            clock
            heading="px-2 pt-6 pb-1 text-label font-medium text-ink-faint"
            row=move |chat| view! { <SessionRow chat state /> }.into_any()
        />
        <Show when=move || state.chats.with(Vec::is_empty)>
            <Nothing shown=state.shown.get_value() />
        </Show>
        <More state />
    }
    .into_any()
}

/// What is said where there are no chats, and the way on.
#[component]
fn Nothing(shown: SessionsQuery) -> impl IntoView {
    let (sentence, href, action) = match (shown.search.is_empty(), shown.filter) {
        (false, filter) => (
            t!("sessions.none_found", search = shown.search),
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
fn More(state: ListState) -> impl IntoView {
    let href = move || {
        let next = SessionsQuery { cursor: state.next.get(), ..state.shown.get_value() };
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
