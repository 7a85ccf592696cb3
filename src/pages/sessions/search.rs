use std::time::Duration;

use leptos::{prelude::*, web_sys};
use leptos_router::{NavigateOptions, hooks::use_navigate};

use super::{query::SessionsQuery, selection::SELECTION_FORM_ID};
use crate::{
    components::{Glyph, Icon, browser},
    domain::{ChatFilter, limits},
};

const SEARCH_DEBOUNCE: Duration = Duration::from_millis(250);

/// Searches the titles while the user types.
#[component]
pub fn SearchForm(
    /// The query of the list.
    list_query: Memo<SessionsQuery>,
) -> impl IntoView {
    let navigate = use_navigate();
    let input = NodeRef::<leptos::html::Input>::new();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let search = Callback::new(move |()| {
        let Some(input) = input.try_get_untracked().flatten() else { return };
        let new_query = SessionsQuery {
            filter: list_query.get_untracked().filter,
            search: input.value().trim().to_owned(),
            cursor: None,
        };
        if new_query != list_query.get_untracked() {
            navigate(&new_query.href(), NavigateOptions { replace: true, scroll: false, ..NavigateOptions::default() });
        }
    });
    let search_debounced = move |_| {
        if let Some(handle) = timer.get_value() {
            handle.clear();
        }
        timer.set_value(set_timeout_with_handle(move || search.run(()), SEARCH_DEBOUNCE).ok());
    };
    let filter = move || match list_query.get().filter {
        ChatFilter::All => "all",
        ChatFilter::Pinned => "pinned",
        ChatFilter::Archived => "archived",
    };
    let on_submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        search.run(());
    };
    let cleared = move || SessionsQuery { filter: list_query.get().filter, ..SessionsQuery::default() }.href();
    let on_clear = move |_| {
        if let Some(input) = input.get_untracked() {
            input.set_value("");
            browser::focus(&input);
        }
    };
    view! {
        <div class="sessions-bar">
            <form class="search" method="get" action="/sessions" role="search" on:submit=on_submit>
                <input type="hidden" name="filter" value=filter />
                <input
                    class="input"
                    type="search"
                    name="q"
                    aria-label=t!("sessions.search")
                    placeholder=t!("sessions.search")
                    autocomplete="off"
                    maxlength=limits::MAX_SEARCH_CHARS
                    value=list_query.get_untracked().search
                    node_ref=input
                    on:input=search_debounced
                />
                <Icon glyph=Glyph::Search />
                <a
                    class="icon-btn search-clear"
                    href=cleared
                    aria-label=t!("sessions.clear_search")
                    on:click=on_clear
                >
                    <Icon glyph=Glyph::X />
                </a>
            </form>
            // On touch screens; elsewhere the check boxes appear under the pointer.
            <label class="btn btn-line select-button">
                <input class="select-mode sr-only" type="checkbox" form=SELECTION_FORM_ID autocomplete="off" />
                <Icon glyph=Glyph::ListChecks />
                <span class="selection-label">{t!("sessions.select_chats")}</span>
            </label>
        </div>
    }
    .into_any()
}
