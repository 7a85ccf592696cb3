use leptos::prelude::*;

use super::query::SessionsQuery;
use crate::domain::ChatFilter;

/// The tabs for all, pinned and archived chats.
#[component]
pub fn Tabs(
    /// The query of the list.
    list_query: Memo<SessionsQuery>,
) -> impl IntoView {
    let tab = move |filter: ChatFilter, label: &'static str| {
        let href = move || SessionsQuery { filter, search: list_query.get().search, cursor: None }.href();
        let current = move || (list_query.get().filter == filter).then_some("page");
        view! {
            <a class="tab" href=href aria-current=current>
                {label}
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label=t!("sessions.tabs")>
            {tab(ChatFilter::All, t!("sessions.tabs.all"))}
            {tab(ChatFilter::Pinned, t!("sessions.tabs.pinned"))}
            {tab(ChatFilter::Archived, t!("sessions.tabs.archived"))}
        </nav>
    }
    .into_any()
}
