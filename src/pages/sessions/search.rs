use std::time::Duration;

use leptos::{prelude::*, web_sys};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::query::SessionsQuery;
use crate::{
    components::{Glyph, Icon},
    domain::{ChatFilter, limits},
};

const PAUSE: Duration = Duration::from_millis(250);

/// Looks for words in the titles, while one types.
#[component]
pub fn SearchForm(
    /// Which part of the list is shown.
    shown: Memo<SessionsQuery>,
) -> impl IntoView {
    let navigate = use_navigate();
    let input = NodeRef::<leptos::html::Input>::new();
    let waiting = StoredValue::new(None::<TimeoutHandle>);
    let search = Callback::new(move |()| {
        let Some(input) = input.try_get_untracked().flatten() else { return };
        let asked = SessionsQuery {
            filter: shown.get_untracked().filter,
            search: input.value().trim().to_owned(),
            cursor: None,
        };
        if asked != shown.get_untracked() {
            navigate(&asked.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        }
    });
    let soon = move |_| {
        if let Some(handle) = waiting.get_value() {
            handle.clear();
        }
        waiting.set_value(set_timeout_with_handle(move || search.run(()), PAUSE).ok());
    };
    let filter = move || match shown.get().filter {
        ChatFilter::All => "all",
        ChatFilter::Pinned => "pinned",
        ChatFilter::Archived => "archived",
    };
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        search.run(());
    };
    view! {
        <form class="relative mb-2" method="get" action="/sessions" role="search" on:submit=on_submit>
            <input type="hidden" name="filter" value=filter />
            <span class="pointer-events-none absolute inset-y-0 start-3 grid place-items-center text-ink-faint">
                <Icon glyph=Glyph::Search />
            </span>
            <input
                class="input ps-10"
                type="search"
                name="q"
                aria-label=t!("sessions.search")
                placeholder=t!("sessions.search")
                autocomplete="off"
                maxlength=limits::SEARCH_CHARS
                value=shown.get_untracked().search
                node_ref=input
                on:input=soon
            />
        </form>
    }
    .into_any()
}
