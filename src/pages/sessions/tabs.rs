use leptos::prelude::*;

use super::query::SessionsQuery;
use crate::domain::ChatFilter;

/// All, pinned, archived.
#[component]
pub fn Tabs(
    /// Which part of the list is shown.
    shown: Memo<SessionsQuery>,
) -> impl IntoView {
    let tab = move |filter: ChatFilter, words: &'static str| {
        let href = move || SessionsQuery { filter, search: shown.get().search, cursor: None }.href();
        let current = move || (shown.get().filter == filter).then_some("page");
        view! {
            <a class="tab" href=href aria-current=current>
                {words}
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label="Which chats">
            {tab(ChatFilter::All, "All")}
            {tab(ChatFilter::Pinned, "Pinned")}
            {tab(ChatFilter::Archived, "Archived")}
        </nav>
    }
    .into_any()
}
