use leptos::prelude::*;
use leptos_router::location::Url;

use super::query::PeopleQuery;
use crate::{
    components::TimeAgo,
    domain::{PeoplePage, PersonSummary, Role},
    pages::{
        shell::ReaderTime,
        toolkit::{PageLinks, Pager, RowsOrNone},
    },
};

/// One page of people.
#[component]
pub fn PeopleList(
    /// The page.
    page: PeoplePage,
    /// What was asked for.
    query: PeopleQuery,
) -> impl IntoView {
    let PeopleQuery { search, after } = query;
    let query = if search.is_empty() { String::new() } else { format!("q={}&", Url::escape(&search)) };
    let links = PageLinks::new("/people", &query, page.next);
    let rows = page.people.into_iter().map(|person| view! { <PersonRow person /> }.into_any()).collect();
    view! {
        <RowsOrNone rows none="Nobody's name or address has that." />
        <Pager
            links
            is_later=after.is_some()
            to_first="Back to the first page"
            to_next="Show more people"
            class="mt-4 flex flex-wrap gap-3 pb-8"
        />
    }
    .into_any()
}

#[component]
fn PersonRow(person: PersonSummary) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let PersonSummary { id, name, email, role, standing, last_seen_at } = person;
    view! {
        <li>
            <a class="block min-h-11 py-3 no-underline" href=format!("/people/{id}")>
                <span class="flex flex-wrap items-center gap-x-2 font-medium">
                    <span class="min-w-0" dir="auto">
                        {name}
                    </span>
                    {(role == Role::Administrator).then(|| view! { <span class="chip">"Administrator"</span> })}
                </span>
                <span class="block text-label text-ink-soft">
                    {email} {standing.words().map(|words| format!(" · {words}"))}
                    {last_seen_at.map(|at| view! { " · last seen " <TimeAgo at clock /> })}
                </span>
            </a>
        </li>
    }
    .into_any()
}
