use leptos::prelude::*;
use leptos_router::location::Url;

use super::query::PeopleQuery;
use crate::{
    components::{TimeAgo, person_avatar},
    domain::{AccountStatus, PeoplePage, PersonSummary, Role},
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
    let avatar = person_avatar(&person, false);
    let badges = person_badges(&person);
    let PersonSummary { id, name, email, last_seen_at, .. } = person;
    view! {
        <li>
            <a class="person" href=format!("/people/{id}")>
                {avatar}
                <span class="person-name">
                    <span class="truncate" dir="auto">
                        {name}
                    </span>
                    {badges}
                </span>
                <span class="person-email truncate">{email}</span>
                <span class="person-seen">
                    {last_seen_at
                        .map(|at| rich!("admin.person.last_seen", when = |_| view! { <TimeAgo at clock /> }))}
                </span>
            </a>
        </li>
    }
    .into_any()
}

/// What is special about an account: its role and its status.
pub fn person_badges(person: &PersonSummary) -> AnyView {
    let is_closed = person.status == AccountStatus::Disabled;
    view! {
        {(person.role == Role::Administrator)
            .then(|| view! { <span class="chip">{t!("admin.role.administrator")}</span> })}
        {person.status.label().map(|label| view! { <span class="chip chip-quiet" class:chip-danger=is_closed>{label}</span> })}
    }
    .into_any()
}
