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
        <nav class="tabs" aria-label=t!("sessions.tabs")>
            {tab(ChatFilter::All, t!("sessions.tabs.all"))}
            {tab(ChatFilter::Pinned, t!("sessions.tabs.pinned"))}
            {tab(ChatFilter::Archived, t!("sessions.tabs.archived"))}
        </nav>
    }
    .into_any()
}
