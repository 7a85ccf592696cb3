use leptos::prelude::*;
use leptos_router::location::Url;

use super::query::PeopleQuery;
use crate::{
    components::TimeAgo,
    domain::{PeoplePage, PersonSummary, Role},
    pages::{
        shell::ReaderTime,
        toolkit::{PageLinks, Pager, RowListOrEmpty},
    },
};

/// One page of the list of people.
#[component]
pub fn PeopleList(
    /// The page.
    page: PeoplePage,
    /// The query of the list.
    query: PeopleQuery,
) -> impl IntoView {
    let PeopleQuery { search, after } = query;
    let query = if search.is_empty() { String::new() } else { format!("q={}&", Url::escape(&search)) };
    let links = PageLinks::new("/people", &query, page.next);
    let rows = page.people.into_iter().map(|person| view! { <PersonRow person /> }.into_any()).collect();
    view! {
        <RowListOrEmpty rows empty_text=t!("admin.people.none") />
        <Pager
            links
            is_later=after.is_some()
            first_label=t!("admin.people.to_first")
            next_label=t!("admin.people.show_more")
            class="mt-4 flex flex-wrap gap-3 pb-8"
        />
    }
    .into_any()
}

#[component]
fn PersonRow(person: PersonSummary) -> impl IntoView {
    let clock = ReaderTime::expect().clock;
    let PersonSummary { id, name, email, role, status, last_seen_at } = person;
    view! {
        <li>
            <a class="block min-h-11 py-3 no-underline" href=format!("/people/{id}")>
                <span class="flex flex-wrap items-center gap-x-2 font-medium">
                    <span class="min-w-0" dir="auto">
                        {name}
                    </span>
                    {(role == Role::Administrator)
                        .then(|| view! { <span class="chip">{t!("admin.role.administrator")}</span> })}
                </span>
                <span class="block text-label text-ink-soft">
                    {email} {status.label().map(|label| format!(" · {label}"))}
                    {last_seen_at
                        .map(|at| {
                            view! { " · " {rich!("admin.person.last_seen", when = |_| view! { <TimeAgo at clock /> })} }
                        })}
                </span>
            </a>
        </li>
    }
    .into_any()
}
